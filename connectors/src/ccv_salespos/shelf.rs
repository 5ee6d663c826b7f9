//! Lists that were read to find by fields that no filter knows: short ones whole, long ones
//! as an index from values to keys. A key that is found is read afresh.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Conversation;
use super::client::{LARGEST_PAGE, Query};
use super::layout::{Layout, List};
use super::pages::{Spot, carried, key_of};
use super::search::{is_address, key_text, matches};
use super::wire::Shape;
use crate::contract::{Key, RemoteError};
use crate::record::{Map, Record};

/// How long a short list counts as read.
const KEPT: Duration = Duration::from_mins(1);
/// How long an index is believed at all.
const INDEXED: Duration = Duration::from_mins(15);
/// How long it is believed that a value is not there, where new rows cannot be asked for.
const MISSING: Duration = Duration::from_mins(2);

/// A short list and when it was read.
type Kept = (Instant, Arc<Vec<Record>>);

/// What a session has read so far.
#[derive(Default)]
pub(super) struct Shelves {
    kept: Mutex<HashMap<&'static str, Kept>>,
    customers: Mutex<Option<Index>>,
    variants: Mutex<Option<Index>>,
    orders: Mutex<Option<Index>>,
}

/// Keys of records by the values of some fields.
struct Index {
    keys: HashMap<String, Vec<String>>,
    read_at: Instant,
    /// The highest key seen; whatever is new is above it.
    newest: u64,
}

impl Index {
    fn empty() -> Self {
        Self { keys: HashMap::new(), read_at: Instant::now(), newest: 0 }
    }

    fn add(&mut self, fields: &[&str], record: &Record) {
        let Some(key) = record.text("id") else { return };
        self.newest = self.newest.max(key.parse().unwrap_or(0));
        for field in fields {
            let Some(value) = record.get(field).and_then(key_text) else { continue };
            let keys = self.keys.entry(entry(field, &value)).or_default();
            if !keys.iter().any(|known| known == key) {
                keys.push(key.to_owned());
            }
        }
    }

    fn get(&self, field: &str, value: &str) -> &[String] {
        self.keys.get(&entry(field, value)).map(Vec::as_slice).unwrap_or_default()
    }
}

fn entry(field: &str, value: &str) -> String {
    if is_address(field) { format!("{field} {}", value.to_lowercase()) } else { format!("{field} {value}") }
}

/// Fields by which a resource is indexed.
fn indexed(resource: &str) -> &'static [&'static str] {
    match resource {
        "customers" => &["email", "username", "reference"],
        "variants" => &["sku", "product_number", "ean"],
        _ => &["reservation"],
    }
}

impl Shelves {
    fn index(&self, resource: &str) -> &Mutex<Option<Index>> {
        match resource {
            "customers" => &self.customers,
            "variants" => &self.variants,
            _ => &self.orders,
        }
    }

    /// Takes note of a record that this session wrote.
    pub(super) async fn note(&self, layout: &Layout, record: &Record) {
        self.kept.lock().await.remove(layout.resource);
        if matches!(layout.resource, "customers" | "variants" | "orders")
            && let Some(index) = self.index(layout.resource).lock().await.as_mut()
        {
            index.add(indexed(layout.resource), record);
        }
    }

    /// Forgets a short list, so that it is read again.
    pub(super) async fn kept_is_old(&self, resource: &str) {
        self.kept.lock().await.remove(resource);
    }

    /// Forgets what was read of a resource.
    pub(super) async fn forget(&self, resource: &str) {
        self.kept.lock().await.remove(resource);
        if matches!(resource, "customers" | "variants" | "orders") {
            *self.index(resource).lock().await = None;
        }
    }
}

impl Conversation {
    /// A short list, whole.
    pub(super) async fn kept(&self, layout: &Layout, shape: &Shape) -> Result<Arc<Vec<Record>>, RemoteError> {
        // Held while reading: who comes second finds the list.
        let mut lists = self.shelves.kept.lock().await;
        if let Some((read_at, records)) = lists.get(layout.resource)
            && read_at.elapsed() < KEPT
        {
            return Ok(Arc::clone(records));
        }
        let mut query = Query::default();
        if let List::Plain(order) = layout.list
            && !order.is_empty()
        {
            query.set("orderby", order);
        }
        let rows = self.client.all(layout.path, &query).await?;
        let records = Arc::new(self.records(layout, shape, &rows).await?);
        lists.insert(layout.resource, (Instant::now(), Arc::clone(&records)));
        Ok(records)
    }

    /// The records that an index leads to.
    pub(super) async fn by_index(
        &self,
        layout: &Layout,
        shape: &Shape,
        by: &[&str],
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError> {
        let candidates = self.candidates(layout, shape, by, keys).await?;
        let mut found = Vec::with_capacity(keys.len());
        for (key, candidates) in keys.iter().zip(candidates) {
            let mut records = Vec::new();
            for candidate in candidates {
                let record = self.one(layout, shape, &candidate).await?;
                records.extend(record.filter(|record| matches(record, by, key)));
            }
            found.push(records);
        }
        Ok(found)
    }

    async fn candidates(
        &self,
        layout: &Layout,
        shape: &Shape,
        by: &[&str],
        keys: &[Key],
    ) -> Result<Vec<Vec<String>>, RemoteError> {
        let Some(field) = by.first() else { return Ok(vec![Vec::new(); keys.len()]) };
        let mut slot = self.shelves.index(layout.resource).lock().await;
        let index = match slot.take().filter(|index| index.read_at.elapsed() < INDEXED) {
            Some(index) => index,
            None => self.build(layout, shape).await?,
        };
        let values: Vec<Option<String>> = keys.iter().map(|key| key.first().and_then(key_text)).collect();
        let misses = values.iter().flatten().any(|value| index.get(field, value).is_empty());
        let index = slot.insert(index);
        if misses && layout.resource != "variants" {
            self.top_up(layout, shape, index).await?;
        } else if misses && index.read_at.elapsed() > MISSING {
            *index = self.build(layout, shape).await?;
        }
        let look = |value: &Option<String>| {
            value.as_ref().map(|value| index.get(field, value).to_vec()).unwrap_or_default()
        };
        Ok(values.iter().map(look).collect())
    }

    async fn build(&self, layout: &Layout, shape: &Shape) -> Result<Index, RemoteError> {
        let mut index = Index::empty();
        let path = if layout.resource == "variants" { "products" } else { layout.path };
        for filter in filters(layout, self.client.settings().reservation_days) {
            let mut turn = Some(filter.with("orderby", "id").with("start", 0).with("size", LARGEST_PAGE));
            while let Some(query) = turn {
                let page = self.client.list(path, &query).await?;
                turn = Spot::after(&query, &page)?.map(|spot| spot.query());
                for row in &page.items {
                    self.enter(layout, shape, &mut index, row).await?;
                }
            }
        }
        Ok(index)
    }

    async fn enter(
        &self,
        layout: &Layout,
        shape: &Shape,
        index: &mut Index,
        row: &Map,
    ) -> Result<(), RemoteError> {
        let fields = indexed(layout.resource);
        let Some(parent) = layout.parent() else {
            index.add(fields, &shape.read(row));
            return Ok(());
        };
        let Some(key) = key_of(row) else { return Ok(()) };
        if let Some(rows) = carried(row, parent.link) {
            for row in &rows {
                index.add(fields, &shape.read(row));
            }
        } else {
            for child in &self.children(parent, layout, shape, &key).await? {
                index.add(fields, child);
            }
        }
        Ok(())
    }

    /// Adds what has come since: the newest rows come first until one is known.
    async fn top_up(&self, layout: &Layout, shape: &Shape, index: &mut Index) -> Result<(), RemoteError> {
        let known = index.newest;
        for filter in filters(layout, self.client.settings().reservation_days) {
            let mut turn = Some(filter.with("orderby", "id_desc").with("start", 0).with("size", 50));
            while let Some(query) = turn {
                let page = self.client.list(layout.path, &query).await?;
                let is_new = |row: &Map| key_of(row).and_then(|key| key.parse::<u64>().ok()) > Some(known);
                let all_new = page.items.iter().all(is_new);
                for row in &page.items {
                    index.add(indexed(layout.resource), &shape.read(row));
                }
                turn = page.next.filter(|next| all_new && next.start() > query.start());
            }
        }
        Ok(())
    }
}

/// The lists that an index is made of. Orders: the last days, checked out and not.
fn filters(layout: &Layout, days: u32) -> Vec<Query> {
    match layout.resource {
        "orders" => {
            let from = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * i64::from(days));
            let from = Query::default().with("min_create_date", from.strftime("%Y-%m-%dT%H:%M:%SZ"));
            vec![from.clone(), from.with("is_completed", false)]
        }
        "variants" => vec![Query::default().with("expand", "attributecombinations")],
        _ => vec![Query::default()],
    }
}

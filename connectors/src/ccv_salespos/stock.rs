//! Stock of products and of variants as one kind of record, by article number.
//!
//! Few article numbers are looked up one by one. Many are found in a list of everything,
//! which is read in some twenty calls for five thousand products and kept for two minutes:
//! single look-ups would take half an hour at the pace that CCV allows.

use std::collections::HashMap;
use std::time::Duration;

use rust_decimal::Decimal;
use tokio::time::Instant;

use super::Conversation;
use super::client::{LARGEST_PAGE, Query};
use super::families::Family;
use super::layout::{Link, known};
use super::pages::{Spot, carried, key_of, size};
use super::search::{digits, key_text};
use super::wire::{put, skip};
use crate::contract::{FetchRequest, Key, Page, RemoteError, Written};
use crate::record::{Map, Record, Value};

/// Name of the resource.
pub(super) const RESOURCE: &str = "stock";

/// More keys than this are looked up in the list of everything.
const FEW: usize = 5;

/// How long the list of everything counts as read.
const KEPT: Duration = Duration::from_mins(2);

const COMBINATIONS: Link = Link::Carried("attributecombinations");

/// Everything that can be counted.
pub(super) type Everything = Option<(Instant, Ledger)>;

/// Stock records and where to find them.
#[derive(Default)]
pub(super) struct Ledger {
    records: Vec<Record>,
    places: HashMap<(&'static str, String), Vec<usize>>,
}

impl Ledger {
    fn add(&mut self, records: Vec<Record>) {
        for record in records {
            for field in ["sku", "ean"] {
                if let Some(value) = record.text(field) {
                    self.places.entry((field, value.to_owned())).or_default().push(self.records.len());
                }
            }
            self.records.push(record);
        }
    }

    /// Takes note of a figure that this session wrote.
    fn set_stock(&mut self, id: &str, stock: Decimal) {
        if let Some(record) = self.records.iter_mut().find(|record| record.text("id") == Some(id)) {
            record.set("stock", stock);
        }
    }

    fn get(&self, field: &'static str, key: &Key) -> Vec<Record> {
        let Some(value) = key.first().and_then(key_text) else { return Vec::new() };
        let places = self.places.get(&(field, value)).map(Vec::as_slice).unwrap_or_default();
        places.iter().filter_map(|at| self.records.get(*at)).cloned().collect()
    }
}

/// What can be counted of a product: its variants, or itself.
fn counted(product: &Map, variants: &[Map]) -> Vec<Record> {
    let Some(id) = key_of(product) else { return Vec::new() };
    // How CCV spells the kinds is not confirmed, so the variants decide when the word does not.
    let at_product = match product.text("stocktype") {
        Some("product") => true,
        Some(kind) if kind.starts_with("attribute") => false,
        _ => variants.is_empty(),
    };
    let mut records = Vec::new();
    if at_product {
        let (sku, ean) = (product.get("productnumber"), product.get("eannumber"));
        records.extend(entry(product, product, &id, None, [sku, ean], None));
    } else {
        for variant in variants {
            let sku = variant.get("sku_number").filter(|sku| !sku.says_nothing());
            let numbers = [sku.or_else(|| variant.get("product_number")), variant.get("ean_number")];
            let options = super::options_of(variant);
            records.extend(entry(product, variant, &id, key_of(variant), numbers, options));
        }
    }
    records
}

fn entry(
    product: &Map,
    owner: &Map,
    product_id: &str,
    variant_id: Option<String>,
    [sku, ean]: [Option<&Value>; 2],
    options: Option<String>,
) -> Option<Record> {
    let mut record = Record::with_capacity(8);
    let id = match &variant_id {
        Some(variant) => format!("variant:{variant}"),
        None => format!("product:{product_id}"),
    };
    record.set("id", id);
    for (name, value) in [("sku", sku), ("ean", ean)] {
        if let Some(value) = value.filter(|value| !value.says_nothing()) {
            record.set(name, key_text(value)?);
        }
    }
    if let Some(stock) = owner.get("stock").and_then(super::wire::decimal) {
        record.set("stock", stock);
    }
    if let Some(tracked) = product.get("stockenabled").and_then(Value::as_bool) {
        record.set("is_stock_tracked", tracked);
    }
    record.set("product_id", product_id);
    if let Some(variant) = variant_id {
        record.set("variant_id", variant);
    }
    if let Some(name) = product.text("name") {
        let name = options.map_or_else(|| name.to_owned(), |options| format!("{name} ({options})"));
        record.set("name", name);
    }
    Some(record)
}

impl Conversation {
    pub(super) async fn stock_page(
        &self,
        request: &FetchRequest,
        position: Option<&str>,
    ) -> Result<Page, RemoteError> {
        let size = size(request);
        self.families(Family::Stock, everything(size), size, position).await
    }

    pub(super) async fn counted(&self, product: &Map) -> Result<Vec<Record>, RemoteError> {
        let variants = match (carried(product, COMBINATIONS), key_of(product)) {
            (Some(rows), _) => rows,
            (None, Some(key)) => {
                self.client.all(&format!("products/{key}/attributecombinations"), &Query::default()).await?
            }
            (None, None) => Vec::new(),
        };
        Ok(counted(product, &variants))
    }

    pub(super) async fn stock_find(
        &self,
        by: &[&str],
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError> {
        let (field, filter) = match by {
            ["sku"] => ("sku", "productnumber"),
            ["ean"] => ("ean", "eannumber"),
            _ => return self.stock_by_id(keys).await,
        };
        let mut slot = self.everything.lock().await;
        let young = slot.take().filter(|(read_at, _)| read_at.elapsed() < KEPT);
        let (read_at, all) = match young {
            Some(young) => young,
            None if keys.len() <= FEW => {
                drop(slot);
                return self.stock_one_by_one(field, filter, keys).await;
            }
            None => (Instant::now(), self.read_everything().await?),
        };
        let found = keys.iter().map(|key| all.get(field, key)).collect();
        *slot = Some((read_at, all));
        Ok(found)
    }

    async fn read_everything(&self) -> Result<Ledger, RemoteError> {
        let mut ledger = Ledger::default();
        let (mut turn, mut seen) = (Some(everything(LARGEST_PAGE)), Vec::new());
        while let Some(query) = turn {
            let listing = self.client.list("products", &query).await?;
            for product in &listing.items {
                if key_of(product).is_none_or(|key| !seen.contains(&key)) {
                    ledger.add(self.counted(product).await?);
                }
            }
            let spot = Spot::after(&query, &listing)?;
            (turn, seen) = match spot.and_then(|spot| spot.text()) {
                Some(text) => {
                    Spot::resume(Some(&text), Query::default()).map(|(query, seen)| (Some(query), seen))?
                }
                None => (None, Vec::new()),
            };
        }
        Ok(ledger)
    }

    async fn stock_one_by_one(
        &self,
        field: &'static str,
        filter: &str,
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError> {
        let (layout, shape) = known("variants")?;
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            let Some(value) = key.first().and_then(key_text) else {
                found.push(Vec::new());
                continue;
            };
            let mut ledger = Ledger::default();
            let query = Query::default().with(filter, &value).with("expand", "attributecombinations");
            for product in self.client.all("products", &query).await? {
                ledger.add(self.counted(&product).await?);
            }
            let mut records = ledger.get(field, key);
            let variants = self.by_index(layout, shape, &[field], std::slice::from_ref(key)).await?;
            for variant in variants.into_iter().flatten() {
                let id = format!("variant:{}", variant.text("id").unwrap_or_default());
                if !records.iter().any(|record| record.text("id") == Some(id.as_str())) {
                    records.extend(self.stock_of(&id).await?);
                }
            }
            found.push(records);
        }
        Ok(found)
    }

    async fn stock_by_id(&self, keys: &[Key]) -> Result<Vec<Vec<Record>>, RemoteError> {
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            let id = key.first().and_then(key_text).unwrap_or_default();
            found.push(self.stock_of(&id).await?.into_iter().collect());
        }
        Ok(found)
    }

    /// The stock record with that key, as it is now.
    async fn stock_of(&self, id: &str) -> Result<Option<Record>, RemoteError> {
        let Some(path) = path_of(id) else { return Ok(None) };
        let Some(owner) = self.client.get(&path).await? else { return Ok(None) };
        let product = match owner.get("product_id").and_then(digits) {
            Some(product) if id.starts_with("variant:") => {
                self.client.get(&format!("products/{product}")).await?
            }
            _ => None,
        };
        let records = match &product {
            Some(product) => counted(product, std::slice::from_ref(&owner)),
            None => counted(&owner, &[]),
        };
        Ok(records.into_iter().find(|record| record.text("id") == Some(id)))
    }

    /// Sets the figure.
    pub(super) async fn stock_update(&self, id: &str, changes: &Record) -> Result<Written, RemoteError> {
        let mut record = changes.clone();
        record.set("id", id);
        let written = Written { key: id.to_owned(), record };
        let Some(stock) = changes.get("stock") else { return Ok(written) };
        let path = path_of(id).ok_or_else(|| skip(format!("`{id}` is not the key of a stock record")))?;
        let number =
            super::wire::decimal(stock).ok_or_else(|| skip(format!("`stock` is `{stock}`, not a number")))?;
        let mut body = Map::new();
        put(&mut body, "stock", super::wire::plain(number));
        self.client.patch(&path, &body).await?;
        if let Some((_, all)) = self.everything.lock().await.as_mut() {
            all.set_stock(id, number);
        }
        Ok(written)
    }
}

fn everything(size: usize) -> Query {
    let query = Query::default().with("orderby", "id").with("start", 0).with("size", size);
    query.with("expand", "attributecombinations")
}

fn path_of(id: &str) -> Option<String> {
    let (kind, key) = id.split_once(':')?;
    let key = digits(&Value::from(key))?;
    match kind {
        "product" => Some(format!("products/{key}")),
        "variant" => Some(format!("attributecombinations/{key}")),
        _ => None,
    }
}

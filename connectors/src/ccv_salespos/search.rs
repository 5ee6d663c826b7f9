//! Finding single records: by address, by filter, below a parent, or in a list that was read.
//!
//! No filter of CCV's is documented to be exact, so every hit is compared again.

use std::collections::HashMap;

use async_trait::async_trait;

use super::client::Query;
use super::layout::{Layout, Scan, known};
use super::wire::Shape;
use super::{Conversation, stock};
use crate::contract::{Detail as _, Find, Key, RemoteError};
use crate::record::{Record, Value};

#[async_trait]
impl Find for Conversation {
    async fn find(
        &self,
        resource: &str,
        by: &[String],
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError> {
        let (layout, shape) = known(resource)?;
        let by: Vec<&str> = by.iter().map(String::as_str).collect();
        let mut found = match (resource, by.as_slice()) {
            (stock::RESOURCE, _) => self.stock_find(&by, keys).await?,
            ("vat_rates", _) => pick(&self.shop.vat_rates(&self.client).await?, &by, keys),
            ("orders", ["reservation"]) => self.by_index(layout, shape, &by, keys).await?,
            (_, ["id"]) if layout.single => self.by_key(layout, shape, keys).await?,
            _ if by.iter().all(|field| layout.filter(field).is_some()) => {
                self.by_filter(layout, shape, &by, keys).await?
            }
            (_, [first, ..]) if layout.parent().is_some_and(|parent| parent.field == *first) => {
                self.by_parent(layout, shape, &by, keys).await?
            }
            _ if layout.scan == Scan::Index => self.by_index(layout, shape, &by, keys).await?,
            _ => pick(&self.kept(layout, shape).await?, &by, keys),
        };
        for records in &mut found {
            for record in records {
                if layout.list_has_lines() {
                    *record = self.complete(resource, std::mem::take(record)).await?;
                }
            }
        }
        Ok(found)
    }
}

impl Conversation {
    async fn by_key(
        &self,
        layout: &Layout,
        shape: &Shape,
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError> {
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            let record = match key.first().and_then(digits) {
                Some(key) => self.one(layout, shape, &key).await?,
                None => None,
            };
            found.push(record.into_iter().collect());
        }
        Ok(found)
    }

    /// The record with that key, when it is there.
    pub(super) async fn one(
        &self,
        layout: &Layout,
        shape: &Shape,
        key: &str,
    ) -> Result<Option<Record>, RemoteError> {
        let Some(row) = self.client.get(&layout.one(key)).await? else { return Ok(None) };
        Ok(self.records(layout, shape, &[row]).await?.pop())
    }

    async fn by_filter(
        &self,
        layout: &Layout,
        shape: &Shape,
        by: &[&str],
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError> {
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            let Some(query) = filters(layout, shape, by, key) else {
                found.push(Vec::new());
                continue;
            };
            let query = query.with("start", 0).with("size", super::client::LARGEST_PAGE);
            let mut rows = Vec::new();
            let mut turn = Some(query);
            while let Some(query) = turn {
                let listing = self.expanded(layout, query.clone()).await?;
                turn = listing.next.filter(|next| next.start() > query.start());
                rows.extend(listing.items);
            }
            let records = self.records(layout, shape, &rows).await?;
            found.push(records.into_iter().filter(|record| matches(record, by, key)).collect());
        }
        Ok(found)
    }

    async fn by_parent(
        &self,
        layout: &Layout,
        shape: &Shape,
        by: &[&str],
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError> {
        let Some(parent) = layout.parent() else { return Ok(vec![Vec::new(); keys.len()]) };
        let mut families: HashMap<String, Vec<Record>> = HashMap::new();
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            let Some(mother) = key.first().and_then(digits) else {
                found.push(Vec::new());
                continue;
            };
            if !families.contains_key(&mother) {
                families.insert(mother.clone(), self.children(parent, layout, shape, &mother).await?);
            }
            let children = families.get(&mother).map(Vec::as_slice).unwrap_or_default();
            found.push(children.iter().filter(|child| matches(child, by, key)).cloned().collect());
        }
        Ok(found)
    }
}

/// The records of a list that have the values of each key.
fn pick(records: &[Record], by: &[&str], keys: &[Key]) -> Vec<Vec<Record>> {
    keys.iter()
        .map(|key| records.iter().filter(|record| matches(record, by, key)).cloned().collect())
        .collect()
}

/// The query of a key; none when a value is missing, which would ask for everything.
fn filters(layout: &Layout, shape: &Shape, by: &[&str], key: &Key) -> Option<Query> {
    let mut query = Query::default();
    for (field, value) in by.iter().zip(key) {
        let filter = layout.filter(field)?;
        let text = shape.query_text(field, value);
        let text = match filter {
            // These take the number without its prefix.
            "ordernumber" | "returnnumber" => {
                let prefix = text.trim_end_matches(|letter: char| letter.is_ascii_digit());
                text.strip_prefix(prefix)?.to_owned()
            }
            _ => text,
        };
        if text.is_empty() || value.says_nothing() {
            return None;
        }
        query.set(filter, text);
    }
    Some(query)
}

/// True when the record has every value of the key.
pub(super) fn matches(record: &Record, by: &[&str], key: &Key) -> bool {
    by.len() == key.len()
        && by
            .iter()
            .zip(key)
            .all(|(field, value)| same(field, record.get(field).unwrap_or(&Value::Null), value))
}

/// True when two values of a field name the same thing. People type addresses in any case.
pub(super) fn same(field: &str, left: &Value, right: &Value) -> bool {
    if left.says_the_same_as(right) {
        return true;
    }
    match (key_text(left), key_text(right)) {
        (Some(left), Some(right)) if is_address(field) => left.to_lowercase() == right.to_lowercase(),
        // A key may come as a number.
        (Some(left), Some(right)) => left == right,
        _ => false,
    }
}

/// True for fields that hold an e-mail address.
pub(super) fn is_address(field: &str) -> bool {
    matches!(field, "email" | "username")
}

/// A key as text; none for nothing and for what is no key.
pub(super) fn key_text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) if !text.is_empty() => Some(text.as_str().to_owned()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A key of the API, which is made of digits.
pub(super) fn digits(value: &Value) -> Option<String> {
    key_text(value).filter(|text| text.bytes().all(|letter| letter.is_ascii_digit()))
}

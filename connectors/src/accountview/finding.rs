//! Finding single records: a search by equality, and a look at what came.
//!
//! Filters that accept one of several values were seen in one old client only. Where a record
//! that is not found would be created, each key is asked for by itself.

use async_trait::async_trait;

use super::Office;
use super::layout::{Holds, Layout};
use super::rows::{Filter, SEARCH, Wanted};
use super::wire;
use crate::contract::{Find, Key, RemoteError};
use crate::record::{Record, Value};

#[async_trait]
impl Find for Office {
    async fn find(
        &self,
        resource: &str,
        by: &[String],
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        match resource {
            "companies" => return Ok(sorted(&self.client.companies().await?, by, keys)),
            "business_objects" => return Ok(sorted(&self.business_objects().await?, by, keys)),
            _ => {}
        }
        let layout = self.layout(resource)?;
        if let ([field], true) = (by, keys.len() > 1) {
            return self.find_some(layout, field, keys).await;
        }
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            found.push(self.find_one(layout, by, key).await?);
        }
        Ok(found)
    }
}

impl Office {
    /// Every record that has exactly these values.
    pub(super) async fn find_one(
        &self,
        layout: &Layout,
        by: &[String],
        key: &Key,
    ) -> Result<Vec<Record>, RemoteError> {
        let found = self.search(layout, by, key).await?;
        // Whether capitals count is not known; mail addresses are kept in small letters by most.
        let small = (by == ["email"] && found.is_empty())
            .then(|| key.first().and_then(Value::as_str).map(str::to_lowercase))
            .flatten();
        match small.filter(|small| key.first().and_then(Value::as_str) != Some(small)) {
            Some(small) => self.search(layout, by, &vec![small.into()]).await,
            None => Ok(found),
        }
    }

    async fn search(&self, layout: &Layout, by: &[String], key: &Key) -> Result<Vec<Record>, RemoteError> {
        let parts = parts(layout, by, key);
        let asked = parts.iter().filter_map(|(field, value)| Some((layout.table.column(field)?, value)));
        let filters = asked.map(|(column, value)| Filter::equal(column, value)).collect::<Option<Vec<_>>>();
        let Some(filters) = filters.filter(|filters| !filters.is_empty()) else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let wanted = Wanted { filters: filters.clone(), any: false, size: SEARCH, after };
            let rows = self.rows(layout, &wanted).await?;
            // A text in FoxPro may equal all that begin with it.
            found.extend(rows.records.into_iter().filter(|record| has(layout, record, by, key)));
            after = rows.next;
            if after.is_none() {
                return Ok(found);
            }
        }
    }

    /// Several keys in one question.
    async fn find_some(
        &self,
        layout: &Layout,
        field: &str,
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError> {
        let Some(column) = layout.table.column(field) else { return Ok(vec![Vec::new(); keys.len()]) };
        let filters: Vec<Filter> =
            keys.iter().filter_map(|key| Filter::equal(column, key.first()?)).collect();
        let mut found = Vec::new();
        let mut wanted = Wanted { any: filters.len() > 1, filters, size: SEARCH, after: None };
        while !wanted.filters.is_empty() {
            let rows = self.rows(layout, &wanted).await?;
            found.extend(rows.records);
            wanted.after = rows.next;
            if wanted.after.is_none() {
                break;
            }
        }
        let by = [field.to_owned()];
        let of = |key: &Key| found.iter().filter(|record| has(layout, record, &by, key)).cloned().collect();
        Ok(keys.iter().map(of).collect())
    }
}

/// What is searched by, in columns: some keys are made of several. Only texts are searched by
/// in parts; what else belongs to the key is looked at afterwards.
fn parts<'a>(layout: &Layout, by: &'a [String], key: &'a Key) -> Vec<(&'a str, Value)> {
    let (names, between) = layout.key_parts;
    match (by, key.as_slice()) {
        ([field], [Value::Text(text)]) if field == layout.key && !names.is_empty() => {
            let parts = names.iter().copied().take(2).zip(text.as_str().split(between));
            parts.map(|(name, part)| (name, part.into())).collect()
        }
        _ => by.iter().map(String::as_str).zip(key.iter().cloned()).collect(),
    }
}

/// Whether a record has these values, as far as keys go: capitals do not tell apart what the
/// server keeps in capitals, nor mail addresses.
fn has(layout: &Layout, record: &Record, by: &[String], key: &Key) -> bool {
    by.iter().zip(key).all(|(field, value)| same(layout, record, field, value))
}

/// Whether a record meets the conditions of a request.
pub(super) fn fits(layout: &Layout, record: &Record, conditions: &[(String, Value)]) -> bool {
    conditions.iter().all(|(field, value)| same(layout, record, field, value))
}

fn same(layout: &Layout, record: &Record, field: &str, value: &Value) -> bool {
    let Some(there) = record.get(field) else { return value.says_nothing() };
    let holds = layout.table.column(field).map_or(Holds::Text, |column| column.holds);
    let (left, right) = (wire::sought(holds, there), wire::sought(holds, value));
    match (left, right) {
        (Some(left), Some(right)) if field.ends_with("email") => left.to_lowercase() == right.to_lowercase(),
        (Some(left), Some(right)) if !matches!(holds, Holds::Decimal) => left == right,
        _ => there.says_the_same_as(value),
    }
}

/// For each key the records that have its values.
pub(super) fn sorted(records: &[Record], by: &[String], keys: &[Key]) -> Vec<Vec<Record>> {
    let is = |record: &Record, field: &String, value: &Value| {
        record
            .get(field)
            .and_then(Value::as_str)
            .zip(value.as_str())
            .is_some_and(|(left, right)| left == right)
    };
    let of = |key: &Key| {
        let fits = |record: &&Record| by.iter().zip(key).all(|(field, value)| is(record, field, value));
        records.iter().filter(fits).cloned().collect()
    };
    keys.iter().map(of).collect()
}

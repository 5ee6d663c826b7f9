//! Finding single records: by key, by filter, and, where the service does not filter by a
//! property, by reading the list.

use std::sync::PoisonError;

use async_trait::async_trait;
use jiff::{Timestamp, ToSpan as _};

use super::Conversation;
use super::client::Query;
use super::faults::QUERY_REFUSED;
use super::layout::{Keys, Layout, known};
use super::members::{Form, entity};
use super::pages::{order, seconds};
use super::wire;
use crate::contract::{Detail as _, Find, Key, RemoteError};
use crate::record::{Record, Value};

/// Keys that one call asks for; the manifest says the same.
pub(super) const BATCH: usize = 15;

#[async_trait]
impl Find for Conversation {
    async fn find(
        &self,
        resource: &str,
        by: &[String],
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError> {
        let (layout, _) = known(resource)?;
        let by: Vec<&str> = by.iter().map(String::as_str).collect();
        let is_key = by == ["id"] || matches!(layout.key, Keys::Pair(..)) && by.len() == 2;
        if is_key {
            return self.by_key(layout, keys).await;
        }
        let [field] = by.as_slice() else { return Ok(vec![Vec::new(); keys.len()]) };
        let records = self.by_field(layout, field, keys).await?;
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            let mut matches = Vec::new();
            for record in &records {
                let is_it =
                    record.get(field).zip(key.first()).is_some_and(|(has, wanted)| same(field, has, wanted));
                if is_it {
                    matches.push(self.complete(resource, record.clone()).await?);
                }
            }
            found.push(matches);
        }
        Ok(found)
    }
}

impl Conversation {
    async fn by_key(&self, layout: &Layout, keys: &[Key]) -> Result<Vec<Vec<Record>>, RemoteError> {
        let (_, about) = known(layout.resource)?;
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            let parts: Vec<&str> = key.iter().filter_map(Value::as_str).collect();
            let row = match path_of(layout, &parts.join("/")) {
                Some(path) => self.client.get(&path).await?,
                None => None,
            };
            found.push(row.map(|row| wire::read(layout, about, &row)).into_iter().collect());
        }
        Ok(found)
    }

    /// Records that have one of the values, and perhaps others.
    async fn by_field(
        &self,
        layout: &'static Layout,
        field: &str,
        keys: &[Key],
    ) -> Result<Vec<Record>, RemoteError> {
        let (_, about) = known(layout.resource)?;
        let wanted: Vec<String> =
            keys.iter().filter_map(|key| condition(layout, field, key.first()?)).collect();
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        if self.can_filter(layout, field) {
            let query = Query { filter: wanted.join(" or "), order: order(layout), ..Query::default() };
            match self.client.all(layout.path, &query).await {
                Ok(rows) => return Ok(rows.iter().map(|row| wire::read(layout, about, row)).collect()),
                Err(error) if error.reason.starts_with(QUERY_REFUSED) => self.cannot_filter(layout, field),
                Err(error) => return Err(error),
            }
        }
        let rows = self.client.all(layout.path, &self.whole(layout)).await?;
        Ok(rows.iter().map(|row| wire::read(layout, about, row)).collect())
    }

    /// The list that is read where it cannot be filtered: all of it, or the documents of the
    /// last days.
    fn whole(&self, layout: &Layout) -> Query {
        let mut query = Query { order: order(layout), ..Query::default() };
        if let (Some(_), Some((_, stamp))) = (layout.lines, layout.stamp) {
            let days = i64::from(self.client.settings().reference_days);
            let from = Timestamp::now().checked_sub((days.saturating_mul(24)).hours()).unwrap_or_default();
            query.filter = format!("{stamp} ge {}", seconds(from));
        }
        query
    }

    /// Whether the service filters by that field, as far as it has said.
    pub(super) fn can_filter(&self, layout: &Layout, field: &str) -> bool {
        let refused = self.unfilterable.lock().unwrap_or_else(PoisonError::into_inner);
        !refused.contains(&(layout.resource, field.to_owned()))
    }

    /// Remembers that it does not.
    pub(super) fn cannot_filter(&self, layout: &Layout, field: &str) {
        let mut refused = self.unfilterable.lock().unwrap_or_else(PoisonError::into_inner);
        refused.insert((layout.resource, field.to_owned()));
    }
}

/// Where the record with that key is; `None` when it is no key.
pub(super) fn path_of(layout: &Layout, key: &str) -> Option<String> {
    let is_guid = |text: &str| uuid::Uuid::try_parse(text).is_ok() && text.len() == 36;
    let fits = match layout.key {
        Keys::Guid => is_guid(key),
        Keys::Pair(_, second) => key.split_once('/').is_some_and(|(one, other)| {
            let is_number = !other.is_empty() && other.bytes().all(|byte| byte.is_ascii_alphanumeric());
            is_guid(one) && if second == "Number" { is_number } else { is_guid(other) }
        }),
    };
    fits.then(|| format!("{}/{key}", layout.path))
}

/// A condition of a filter; `None` for a value that the property cannot have.
pub(super) fn condition(layout: &Layout, field: &str, value: &Value) -> Option<String> {
    let theirs = layout.theirs(field);
    let form = entity(layout.entity)?.member(&theirs)?.form;
    let literal = match (layout.words(field), form, value) {
        (Some(words), _, Value::Text(word)) => {
            words.iter().find(|(_, known)| *known == word.as_str())?.0.to_string()
        }
        (_, Form::Boolean, Value::Bool(truth)) => truth.to_string(),
        (_, Form::Guid, Value::Text(text)) => {
            uuid::Uuid::try_parse(text).ok()?;
            text.as_str().to_owned()
        }
        (_, Form::Integer, Value::Text(text)) => text.parse::<i32>().ok()?.to_string(),
        (_, Form::Integer | Form::Number, Value::Int(_) | Value::Decimal(_)) => value.to_string(),
        (_, _, Value::Text(text)) if !text.is_empty() => format!("'{}'", text.replace('\'', "''")),
        _ => return None,
    };
    Some(format!("{theirs} eq {literal}"))
}

/// Whether two values of a field mean the same; addresses do not care about capitals.
pub(super) fn same(field: &str, left: &Value, right: &Value) -> bool {
    if left.says_the_same_as(right) {
        return true;
    }
    match (left.as_str(), right.as_str()) {
        (Some(left), Some(right)) if field == "email" => left.to_lowercase() == right.to_lowercase(),
        // Keys are written with capitals and without.
        (Some(left), Some(right)) if field.ends_with("id") => left.eq_ignore_ascii_case(right),
        _ => false,
    }
}

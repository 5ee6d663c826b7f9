//! Small questions about keys, and records as requests want them.

use std::collections::HashMap;

use super::MANIFEST;
use super::client::declined;
use super::codec::Misfit;
use crate::contract::{Key, RemoteError};
use crate::manifest::{Field, Named};
use crate::record::{Map, Record, Value};

/// The texts of the keys that are one number each; others can belong to no record.
pub(super) fn numbers(keys: &[Key]) -> Vec<Value> {
    keys.iter().filter_map(|key| number(key.first()?)).map(Value::from).collect()
}

/// The digits of a number, without leading zeros; `None` when it can be no number here.
pub(super) fn number(value: &Value) -> Option<String> {
    let text = text(value)?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse::<i64>().ok().filter(|number| digits && *number > 0).map(|number| number.to_string())
}

/// The text of a value that is not empty.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) if !text.is_empty() => Some(text.as_str().to_owned()),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The texts of the keys that are one text each.
pub(super) fn texts(keys: &[Key]) -> Vec<Value> {
    keys.iter().filter_map(|key| text(key.first()?)).map(Value::from).collect()
}

/// For each key the records that have its values.
pub(super) fn sorted_by_key(records: &[Record], by: &[String], keys: &[Key]) -> Vec<Vec<Record>> {
    if let ([field], true) = (by, keys.len() > 8) {
        return hashed(records, field, keys);
    }
    let has = |record: &Record, key: &Key| {
        by.iter().zip(key).all(|(field, value)| same(record.get(field).unwrap_or(&Value::Null), value))
    };
    keys.iter().map(|key| records.iter().filter(|record| has(record, key)).cloned().collect()).collect()
}

fn hashed(records: &[Record], field: &str, keys: &[Key]) -> Vec<Vec<Record>> {
    let mut known: HashMap<String, Vec<&Record>> = HashMap::new();
    for record in records {
        if let Some(value) = record.get(field).and_then(plain) {
            known.entry(value).or_default().push(record);
        }
    }
    let found = |key: &Key| key.first().and_then(plain).and_then(|value| known.get(&value));
    keys.iter()
        .map(|key| found(key).into_iter().flatten().map(|record| (*record).clone()).collect())
        .collect()
}

/// A form in which equal keys are equal texts: numbers without leading zeros.
fn plain(value: &Value) -> Option<String> {
    number(value).or_else(|| text(value)).or_else(|| value.as_decimal().map(|n| n.normalize().to_string()))
}

/// True when both are the same key: 7 is 007.
pub(super) fn same(left: &Value, right: &Value) -> bool {
    left.says_the_same_as(right) || plain(left).is_some_and(|text| Some(text) == plain(right))
}

/// The fields of the record that the resource lets one write; `null` is left out on create.
pub(super) fn writable(resource: &str, record: &Record, creating: bool) -> Record {
    match MANIFEST.resources.get(resource) {
        Some(resource) => pick(&resource.fields, record, creating),
        None => Record::new(),
    }
}

fn pick(fields: &Named<Field>, record: &Map, creating: bool) -> Map {
    let mut kept = Map::with_capacity(record.len());
    for (name, value) in record.iter() {
        let Some(field) = fields.get(name).filter(|field| !field.read_only) else {
            continue;
        };
        if creating && value.says_nothing() {
            continue;
        }
        let value = match value {
            Value::Map(inner) if !field.fields.is_empty() => Value::Map(pick(&field.fields, inner, creating)),
            Value::List(items) if !field.fields.is_empty() => {
                let items = items.iter().map(|item| match item {
                    Value::Map(inner) => Value::Map(pick(&field.fields, inner, creating)),
                    other => other.clone(),
                });
                Value::List(items.collect())
            }
            other => other.clone(),
        };
        kept.set(name, value);
    }
    kept
}

/// The text of a field that a create must have.
pub(super) fn demanded(record: &Record, field: &str) -> Result<String, RemoteError> {
    record.get(field).and_then(text).ok_or_else(|| declined(format!("{field}: is missing")))
}

/// The key of a record that is to be updated, as a number.
pub(super) fn numeric_key(field: &str, key: &str) -> Result<String, RemoteError> {
    number(&Value::from(key)).ok_or_else(|| {
        super::client::refused(&Misfit::new(
            field,
            format!("`{key}` is not a number: MplusKASSA takes digits only here"),
        ))
    })
}

/// Refuses changes that would give the record another identity.
pub(super) fn keep_identity(changes: &mut Record, field: &str, key: &str) -> Result<(), RemoteError> {
    match changes.remove(field) {
        Some(value) if !value.says_nothing() && !same(&value, &Value::from(key)) => Err(declined(format!(
            "{field}: cannot be changed from {key} to {}",
            text(&value).unwrap_or_default()
        ))),
        _ => Ok(()),
    }
}

/// The records in a field of a reply.
pub(super) fn rows(mut reply: Record, field: &str) -> Vec<Record> {
    let Some(Value::List(items)) = reply.remove(field) else { return Vec::new() };
    items.into_iter().filter_map(|item| if let Value::Map(row) = item { Some(row) } else { None }).collect()
}

/// A record of a few fields.
pub(super) fn record<const N: usize>(fields: [(&'static str, Value); N]) -> Record {
    fields.into_iter().collect()
}

/// What was sent, as what the system now has, with the key.
pub(super) fn with_key(mut sent: Record, field: &'static str, key: &str) -> Record {
    sent.set(field, key);
    sent
}

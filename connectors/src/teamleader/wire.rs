//! Records in Weft's words and in Teamleader's, by one table of names for both directions.
//!
//! Teamleader nests what is one value to a flow, refers to other records by small records, and
//! counts VAT in fractions; none of that leaves this module.

use rust_decimal::Decimal;

use super::TITLE;
use crate::contract::{Advice, RemoteError};
use crate::manifest::{Field, Kind, Named};
use crate::record::{Map, Record, Text, Value};

/// A field whose name or form differs on the wire.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    /// Path in our record; in a list, `lines.sku`.
    ours: &'static str,
    /// Path on the wire, from the record or from the item of a list; empty: not read as it is.
    read: &'static str,
    /// The same for writing; empty: not written as it is.
    write: &'static str,
    /// A fraction there, percent here.
    is_percent: bool,
}

impl Name {
    /// Another name, and written by code of its own.
    pub(super) const fn read(ours: &'static str, read: &'static str) -> Self {
        Self { ours, read, write: "", is_percent: false }
    }

    /// One name to read and another to write.
    pub(super) const fn split(ours: &'static str, read: &'static str, write: &'static str) -> Self {
        Self { ours, read, write, is_percent: false }
    }

    /// Read and written by code of its own.
    pub(super) const fn own(ours: &'static str) -> Self {
        Self { ours, read: "", write: "", is_percent: false }
    }

    /// Read as a reference, written as an identifier under our name.
    pub(super) const fn reference(ours: &'static str, read: &'static str) -> Self {
        Self { ours, read, write: ours, is_percent: false }
    }

    /// The same, a fraction on the wire.
    pub(super) const fn percent(mut self) -> Self {
        self.is_percent = true;
        self
    }
}

/// The fields of a resource with the names of both sides.
#[derive(Debug)]
pub(super) struct Shape {
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    name: Text,
    kind: Kind,
    read: String,
    write: Option<String>,
    is_percent: bool,
    parts: Vec<Part>,
}

impl Shape {
    pub(super) fn new(fields: &Named<Field>, names: &[Name]) -> Self {
        Self { parts: parts(fields, names, "") }
    }

    /// Our record of one of theirs; what says nothing is left out.
    pub(super) fn read(&self, wire: &Map) -> Record {
        read(&self.parts, wire)
    }

    /// Our record of an item of one of our lists.
    pub(super) fn read_item(&self, list: &str, item: &Map) -> Record {
        let part = self.parts.iter().find(|part| part.name.as_str() == list);
        part.map(|part| read(&part.parts, item)).unwrap_or_default()
    }

    /// Their record of one of ours, or of some changes to it, without what is written by code
    /// of its own. Fields that the manifest does not have are refused: Teamleader would drop
    /// them without a word.
    pub(super) fn write(&self, record: &Record) -> Result<Map, RemoteError> {
        write(&self.parts, record, "")
    }

    /// The same for an item of one of our lists; `place` is its name in messages.
    pub(super) fn write_item(&self, list: &str, item: &Record, place: &str) -> Result<Map, RemoteError> {
        let part = self.parts.iter().find(|part| part.name.as_str() == list);
        part.map_or_else(|| Ok(Map::new()), |part| write(&part.parts, item, place))
    }
}

fn parts(fields: &Named<Field>, names: &[Name], ours: &str) -> Vec<Part> {
    let part = |(name, field): (&str, &Field)| {
        let path = if ours.is_empty() { name.to_owned() } else { format!("{ours}.{name}") };
        let entry = names.iter().find(|known| known.ours == path);
        let read = entry.map_or(name, |entry| entry.read);
        // A reference is written under our own name, which within a list is its last part.
        let write = entry.map_or(name, |entry| if entry.write == entry.ours { name } else { entry.write });
        Part {
            name: Text::from(name),
            kind: field.kind,
            is_percent: entry.is_some_and(|entry| entry.is_percent),
            parts: parts(&field.fields, names, &path),
            read: if field.write_only { String::new() } else { read.to_owned() },
            write: Some(write).filter(|path| !path.is_empty() && !field.read_only).map(str::to_owned),
        }
    };
    fields.iter().map(part).collect()
}

fn read(parts: &[Part], wire: &Map) -> Record {
    let mut record = Map::with_capacity(parts.len());
    for part in parts.iter().filter(|part| !part.read.is_empty()) {
        let Some(value) = wire.at(&part.read).filter(|value| !value.says_nothing()) else { continue };
        if let Some(value) = ours(part, value) {
            record.push(part.name.clone(), value);
        }
    }
    record
}

/// Their value as one of ours; one that cannot be understood is no value.
fn ours(part: &Part, value: &Value) -> Option<Value> {
    match part.kind {
        Kind::Text => match value {
            Value::Text(_) => Some(value.clone()),
            Value::Int(_) | Value::Decimal(_) | Value::Bool(_) => Some(Value::from(value.to_string())),
            // A reference: `{"type": "company", "id": "…"}`.
            Value::Map(reference) => reference.text("id").filter(|id| !id.is_empty()).map(Value::from),
            _ => None,
        },
        Kind::Integer => match value {
            Value::Int(_) => Some(value.clone()),
            Value::Text(text) => text.trim().parse().ok().map(Value::Int),
            Value::Decimal(number) => i64::try_from(*number).ok().map(Value::Int),
            _ => None,
        },
        Kind::Decimal => {
            // Money, where the currency stands elsewhere.
            let amount = value.as_map().and_then(|money| money.get("amount"));
            let number = decimal(amount.unwrap_or(value))?;
            let number = if part.is_percent { number.checked_mul(Decimal::ONE_HUNDRED)? } else { number };
            Some(plain(number))
        }
        Kind::Boolean => value.as_bool().map(Value::Bool),
        Kind::Datetime => value.as_str().and_then(moment),
        Kind::Date => value
            .as_str()
            .and_then(|text| text.get(..10))
            .filter(|day| day.parse::<jiff::civil::Date>().is_ok())
            .map(Value::from),
        Kind::List if part.parts.is_empty() => {
            let text = |item: &Value| match item {
                Value::Map(map) => map.text("id").or_else(|| map.text("value")).map(Value::from),
                other => Some(other.clone()).filter(|other| !other.says_nothing()),
            };
            let items: Vec<Value> = value.as_list()?.iter().filter_map(text).collect();
            Some(Value::List(items))
        }
        Kind::List => {
            let items = value.as_list()?.iter().filter_map(Value::as_map);
            Some(Value::List(items.map(|item| Value::Map(read(&part.parts, item))).collect()))
        }
        Kind::Record if part.parts.is_empty() => value.as_map().map(|_| value.clone()),
        Kind::Record => {
            let inner = read(&part.parts, value.as_map()?);
            (!inner.is_empty()).then_some(Value::Map(inner))
        }
        Kind::Any => Some(value.clone()),
    }
}

fn write(parts: &[Part], record: &Record, within: &str) -> Result<Map, RemoteError> {
    let mut wire = Map::new();
    for (name, value) in record.iter() {
        let place = format!("{within}{name}");
        let Some(part) = parts.iter().find(|part| part.name == *name) else {
            return Err(skip(format!("there is no field `{place}`")));
        };
        let Some(path) = &part.write else { continue };
        let value = match (part.kind, value) {
            (Kind::Record, Value::Map(inner)) if !part.parts.is_empty() => {
                Value::Map(write(&part.parts, inner, &format!("{place}."))?)
            }
            (Kind::List, Value::List(items)) if !part.parts.is_empty() => {
                let mut list = Vec::with_capacity(items.len());
                for (at, item) in items.iter().enumerate() {
                    let Value::Map(item) = item else {
                        return Err(skip(format!("`{place}[{at}]` is {}, not a record", item.kind())));
                    };
                    list.push(Value::Map(write(&part.parts, item, &format!("{place}[{at}]."))?));
                }
                Value::List(list)
            }
            _ => theirs(part, value, &place)?,
        };
        put(&mut wire, path, value);
    }
    Ok(wire)
}

/// Our value as one of theirs. The empty text is refused in many places there; nothing is null.
fn theirs(part: &Part, value: &Value, place: &str) -> Result<Value, RemoteError> {
    let wrong = |wanted: &str| {
        let shown = value.plain();
        skip(format!("`{place}` is `{shown}`, not {wanted}"))
    };
    if value.says_nothing() {
        return Ok(Value::Null);
    }
    match part.kind {
        Kind::Text | Kind::Date | Kind::Datetime => match value {
            Value::Text(_) => Ok(value.clone()),
            Value::Int(_) | Value::Decimal(_) => Ok(Value::from(value.to_string())),
            _ => Err(wrong("a text")),
        },
        Kind::Integer => decimal(value)
            .filter(Decimal::is_integer)
            .and_then(|number| i64::try_from(number).ok())
            .map(Value::Int)
            .ok_or_else(|| wrong("a whole number")),
        Kind::Decimal => decimal(value).map(plain).ok_or_else(|| wrong("a number")),
        Kind::Boolean => value.as_bool().map(Value::Bool).ok_or_else(|| wrong("true or false")),
        Kind::Record | Kind::List | Kind::Any => Ok(value.clone()),
    }
}

/// A number, however it is written.
pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Text(text) => text.trim().parse().ok(),
        _ => value.as_decimal(),
    }
}

/// The shortest way to write a number.
pub(super) fn plain(number: Decimal) -> Value {
    let number = number.normalize();
    match i64::try_from(number) {
        Ok(whole) if number.is_integer() => Value::Int(whole),
        _ => Value::Decimal(number),
    }
}

fn moment(text: &str) -> Option<Value> {
    let at = text.parse::<jiff::Timestamp>().ok()?;
    let is_whole = text.as_bytes().get(10) == Some(&b'T');
    Some(if is_whole { Value::from(text) } else { Value::from(at.to_string()) })
}

/// Sets the value at a dotted path and makes the records on the way.
pub(super) fn put(wire: &mut Map, path: &str, value: impl Into<Value>) {
    match path.split_once('.') {
        None => drop(wire.set(path, value)),
        Some((first, rest)) => {
            if wire.get(first).and_then(Value::as_map).is_none() {
                wire.set(first, Map::new());
            }
            if let Some(Value::Map(inner)) = wire.get_mut(first) {
                put(inner, rest, value);
            }
        }
    }
}

/// A record of a few values.
pub(super) fn map<const N: usize>(entries: [(&'static str, Value); N]) -> Map {
    entries.into_iter().map(|(name, value)| (Text::from_static(name), value)).collect()
}

/// The text at a dotted path, unless it is empty.
pub(super) fn text<'a>(record: &'a Map, path: &str) -> Option<&'a str> {
    record.at(path).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// An amount of money.
pub(super) fn money(amount: Decimal, currency: &str) -> Value {
    Value::Map(map([("amount", plain(amount)), ("currency", Value::from(currency))]))
}

/// This record cannot go, and this is why.
pub(super) fn skip(reason: impl Into<String>) -> RemoteError {
    RemoteError::new(Advice::SkipRecord, TITLE, reason)
}

//! Records in Weft's words and in CCV's, by one table of names for both directions.
//!
//! CCV reads a value under another name than it writes it, keeps keys as numbers, and sends
//! the empty text for no value; none of that leaves this module.

use rust_decimal::Decimal;

use super::TITLE;
use crate::contract::{Advice, RemoteError};
use crate::manifest::{Field, Kind, Named};
use crate::record::{Map, Record, Text, Value};

/// A field whose name differs, or whose value is a number on the wire.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name {
    /// Path in our record; in a list, `lines.sku`.
    ours: &'static str,
    /// Path on the wire, from the record or from the item of a list; empty: not read as it is.
    read: &'static str,
    /// The same for writing; empty: not written as it is.
    write: &'static str,
    /// A text of ours is an integer there.
    is_number: bool,
    /// Our words for the numbers from 1.
    words: &'static [&'static str],
}

impl Name {
    /// Another name.
    pub(super) const fn of(ours: &'static str, wire: &'static str) -> Self {
        Self { ours, read: wire, write: wire, is_number: false, words: &[] }
    }

    /// One name to read and another to write.
    pub(super) const fn split(ours: &'static str, read: &'static str, write: &'static str) -> Self {
        Self { ours, read, write, is_number: false, words: &[] }
    }

    /// The same, a number on the wire.
    pub(super) const fn number(mut self) -> Self {
        self.is_number = true;
        self
    }

    /// A number on the wire that we have words for.
    pub(super) const fn words(mut self, words: &'static [&'static str]) -> Self {
        self.is_number = true;
        self.words = words;
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
    read: Option<String>,
    write: Option<String>,
    is_number: bool,
    words: &'static [&'static str],
    parts: Vec<Part>,
}

impl Shape {
    pub(super) fn new(fields: &Named<Field>, names: &[Name]) -> Self {
        Self { parts: parts(fields, names, "", "", "") }
    }

    /// Our record of one of theirs; what says nothing is left out.
    pub(super) fn read(&self, wire: &Map) -> Record {
        read(&self.parts, wire)
    }

    /// Their record of one of ours, or of some changes to it.
    pub(super) fn write(&self, record: &Record) -> Result<Map, RemoteError> {
        let mut wire = Map::new();
        write(&self.parts, record, "", &mut wire)?;
        Ok(wire)
    }

    /// Our records of the items of one of our lists.
    pub(super) fn read_items(&self, list: &str, items: &[Map]) -> Vec<Record> {
        let part = self.parts.iter().find(|part| part.name.as_str() == list);
        part.map(|part| items.iter().map(|item| read(&part.parts, item)).collect()).unwrap_or_default()
    }

    /// What a value of a field is called in a query.
    pub(super) fn query_text(&self, field: &str, value: &Value) -> String {
        let part = self.parts.iter().find(|part| part.name.as_str() == field);
        match (part, value.as_str()) {
            (Some(part), Some(word)) => match part.words.iter().position(|known| *known == word) {
                Some(at) => (at + 1).to_string(),
                None => word.to_owned(),
            },
            (_, Some(text)) => text.to_owned(),
            _ => value.to_string(),
        }
    }
}

fn parts(fields: &Named<Field>, names: &[Name], ours: &str, read_at: &str, write_at: &str) -> Vec<Part> {
    let below = |outer: &str, name: &str| {
        if outer.is_empty() { name.to_owned() } else { format!("{outer}.{name}") }
    };
    let part = |(name, field): (&str, &Field)| {
        let path = below(ours, name);
        let entry = names.iter().find(|known| known.ours == path);
        let read = entry.map_or_else(|| below(read_at, name), |entry| entry.read.to_owned());
        let write = entry.map_or_else(|| below(write_at, name), |entry| entry.write.to_owned());
        // The items of a list are records of their own.
        let (inner_read, inner_write) =
            if field.kind == Kind::List { ("", "") } else { (read.as_str(), write.as_str()) };
        Part {
            name: Text::from(name),
            kind: field.kind,
            is_number: entry.is_some_and(|entry| entry.is_number),
            words: entry.map_or(&[], |entry| entry.words),
            parts: parts(&field.fields, names, &path, inner_read, inner_write),
            read: Some(read).filter(|path| !path.is_empty() && !field.write_only),
            write: Some(write).filter(|path| !path.is_empty() && !field.read_only),
        }
    };
    fields.iter().map(part).collect()
}

fn read(parts: &[Part], wire: &Map) -> Record {
    let mut record = Map::with_capacity(parts.len());
    for part in parts {
        let Some(path) = &part.read else { continue };
        if part.kind == Kind::Record && !part.parts.is_empty() {
            // The path only leads its fields, some of which may live elsewhere.
            let inner = read(&part.parts, wire);
            if !inner.is_empty() {
                record.push(part.name.clone(), Value::Map(inner));
            }
            continue;
        }
        let Some(value) = wire.at(path).filter(|value| !value.says_nothing()) else { continue };
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
            Value::Int(0) if part.is_number => None,
            Value::Int(number) => Some(word(part, *number)),
            Value::Text(text) if part.is_number => match text.trim().parse() {
                Ok(number) => Some(word(part, number)),
                Err(_) => Some(Value::Text(text.clone())),
            },
            Value::Text(_) => Some(value.clone()),
            Value::Decimal(_) | Value::Bool(_) => Some(Value::from(value.to_string())),
            _ => None,
        },
        Kind::Integer => match value {
            Value::Int(_) => Some(value.clone()),
            Value::Text(text) => text.trim().parse().ok().map(Value::Int),
            Value::Decimal(number) => i64::try_from(*number).ok().map(Value::Int),
            _ => None,
        },
        Kind::Decimal => decimal(value).map(Value::Decimal),
        Kind::Boolean => match value {
            Value::Bool(_) => Some(value.clone()),
            Value::Int(number) => Some(Value::Bool(*number != 0)),
            Value::Text(text) => match text.as_str() {
                "1" | "true" => Some(Value::Bool(true)),
                "0" | "false" => Some(Value::Bool(false)),
                _ => None,
            },
            _ => None,
        },
        Kind::Datetime => value.as_str().and_then(moment),
        Kind::Date => value
            .as_str()
            .and_then(|text| text.get(..10))
            .and_then(|day| day.parse::<jiff::civil::Date>().ok().map(|_| Value::from(day))),
        Kind::List if part.parts.is_empty() => value.as_list().map(|_| value.clone()),
        Kind::List => {
            let items = value.as_list()?.iter().filter_map(Value::as_map);
            Some(Value::List(items.map(|item| Value::Map(read(&part.parts, item))).collect()))
        }
        Kind::Record => value.as_map().map(|_| value.clone()),
        Kind::Any => Some(value.clone()),
    }
}

fn word(part: &Part, number: i64) -> Value {
    let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    match at.and_then(|at| part.words.get(at)) {
        Some(word) => Value::Text(Text::from_static(word)),
        None => Value::from(number.to_string()),
    }
}

/// A number, however it is written.
pub(super) fn decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Text(text) => text.trim().parse().ok(),
        _ => value.as_decimal(),
    }
}

/// A moment with a zone; without one it is UTC, as everything in this API.
fn moment(text: &str) -> Option<Value> {
    if text.len() == 20 && text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok() {
        return Some(Value::from(text));
    }
    Some(Value::from(timestamp(text)?.to_string()))
}

/// The moment that a text of theirs names.
pub(super) fn timestamp(text: &str) -> Option<jiff::Timestamp> {
    let with_zone = text.parse::<jiff::Timestamp>();
    with_zone.ok().or_else(|| {
        let civil = text.parse::<jiff::civil::DateTime>().ok()?;
        civil.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

fn write(parts: &[Part], record: &Record, within: &str, wire: &mut Map) -> Result<(), RemoteError> {
    for (name, value) in record.iter() {
        let place = format!("{within}{name}");
        let Some(part) = parts.iter().find(|part| part.name == *name) else {
            return Err(skip(format!("there is no field `{place}`")));
        };
        let Some(path) = &part.write else { continue };
        match (part.kind, value) {
            (Kind::Record, Value::Map(inner)) if !part.parts.is_empty() => {
                write(&part.parts, inner, &format!("{place}."), wire)?;
            }
            (Kind::Record, Value::Null) if !part.parts.is_empty() => {}
            (Kind::List, Value::List(items)) if !part.parts.is_empty() => {
                let mut list = Vec::with_capacity(items.len());
                for (at, item) in items.iter().enumerate() {
                    let Value::Map(item) = item else {
                        return Err(skip(format!("`{place}[{at}]` is {}, not a record", item.kind())));
                    };
                    let mut row = Map::new();
                    write(&part.parts, item, &format!("{place}[{at}]."), &mut row)?;
                    list.push(Value::Map(row));
                }
                put(wire, path, Value::List(list));
            }
            _ => put(wire, path, theirs(part, value, &place)?),
        }
    }
    Ok(())
}

/// Our value as one of theirs.
fn theirs(part: &Part, value: &Value, place: &str) -> Result<Value, RemoteError> {
    let text = value.as_str();
    let wrong = |wanted: &str| {
        let shown = text.map_or_else(|| value.to_string(), str::to_owned);
        skip(format!("`{place}` is `{shown}`, not {wanted}"))
    };
    match part.kind {
        Kind::Text if value.says_nothing() => {
            Ok(if part.is_number { Value::Null } else { Value::Text(Text::from_static("")) })
        }
        _ if value.is_null() => Ok(Value::Null),
        Kind::Text if part.is_number => {
            let known = text.and_then(|text| part.words.iter().position(|word| *word == text));
            if let Some(at) = known.and_then(|at| i64::try_from(at).ok()) {
                return Ok(Value::Int(at + 1));
            }
            let number = text.map_or_else(|| value.as_int(), |text| text.trim().parse().ok());
            let wanted = if part.words.is_empty() {
                "a number".into()
            } else {
                format!("one of {}", part.words.join(", "))
            };
            number.map(Value::Int).ok_or_else(|| wrong(&wanted))
        }
        Kind::Text if text.is_some() => Ok(value.clone()),
        Kind::Text if matches!(value, Value::Int(_) | Value::Decimal(_)) => {
            Ok(Value::from(value.to_string()))
        }
        Kind::Text => Err(wrong("a text")),
        Kind::Integer => decimal(value)
            .filter(Decimal::is_integer)
            .and_then(|number| i64::try_from(number).ok())
            .map(Value::Int)
            .ok_or_else(|| wrong("a whole number")),
        Kind::Decimal => decimal(value).map(plain).ok_or_else(|| wrong("a number")),
        Kind::Boolean => value.as_bool().map(Value::Bool).ok_or_else(|| wrong("true or false")),
        Kind::Date | Kind::Datetime | Kind::Record | Kind::List | Kind::Any => Ok(value.clone()),
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

/// Sets the value at a dotted path and makes the records on the way.
pub(super) fn put(wire: &mut Map, path: &str, value: Value) {
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

/// This record cannot go, and this is why.
pub(super) fn skip(reason: impl Into<String>) -> RemoteError {
    RemoteError::new(Advice::SkipRecord, TITLE, reason)
}

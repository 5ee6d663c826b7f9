//! Records in, values out: `Value` to Rhai's `Dynamic` and back, without loss.
//!
//! A record comes in as a [`Record`]: read-only, shared, its fields in their order. Handing it
//! to a function or taking a field costs a counter, not a copy; no lock is held while a callback
//! runs over one of its lists. A script that sets a field of its own variable gets a copy.

use std::sync::Arc;

use connectors::record::{Map as FieldMap, Value};
use rhai::{Array, Dynamic, FnPtr, ImmutableString, Map};

use super::budget;
use super::error::Mistake;
use super::limits::Limits;
use super::table::TableValue;

/// A record that came from outside.
#[derive(Clone, Debug)]
pub(super) struct Record(Arc<Vec<(ImmutableString, Dynamic)>>);

impl Record {
    pub(super) fn get(&self, name: &str) -> Option<&Dynamic> {
        self.0.iter().find(|(field, _)| field.as_str() == name).map(|(_, value)| value)
    }

    /// The very same record.
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn fields(&self) -> &[(ImmutableString, Dynamic)] {
        &self.0
    }

    /// As a record that the script can change.
    pub(super) fn to_map(&self) -> Map {
        self.0.iter().map(|(name, value)| (name.as_str().into(), value.clone())).collect()
    }
}

/// A value as scripts see it.
pub(super) fn to_dynamic(value: &Value, limits: &Limits) -> Result<Dynamic, Mistake> {
    convert(value, limits.value_depth, limits)
}

fn convert(value: &Value, depth: usize, limits: &Limits) -> Result<Dynamic, Mistake> {
    Ok(match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(truth) => Dynamic::from_bool(*truth),
        Value::Int(number) => Dynamic::from_int(*number),
        Value::Decimal(number) => Dynamic::from(*number),
        Value::Text(text) => Dynamic::from(ImmutableString::from(text.as_str())),
        Value::List(items) => {
            let depth = deeper(depth, limits)?;
            let items: Result<Array, _> = items.iter().map(|item| convert(item, depth, limits)).collect();
            Dynamic::from_array(items?)
        }
        Value::Map(fields) => {
            let depth = deeper(depth, limits)?;
            let fields: Result<Vec<_>, Mistake> = fields
                .iter()
                .map(|(name, value)| Ok((name.as_str().into(), convert(value, depth, limits)?)))
                .collect();
            Dynamic::from(Record(Arc::new(fields?)))
        }
    })
}

/// A script's value as the rest of Weft sees it.
pub(super) fn from_dynamic(value: &Dynamic, limits: &Limits) -> Result<Value, Mistake> {
    Out { limits, values: 0, bytes: 0 }.value(value, limits.value_depth)
}

struct Out<'a> {
    limits: &'a Limits,
    values: usize,
    bytes: usize,
}

impl Out<'_> {
    fn value(&mut self, value: &Dynamic, depth: usize) -> Result<Value, Mistake> {
        self.count(1, 0)?;
        if value.is_unit() {
            return Ok(Value::Null);
        }
        if let Ok(truth) = value.as_bool() {
            return Ok(Value::Bool(truth));
        }
        if let Ok(number) = value.as_int() {
            return Ok(Value::Int(number));
        }
        if let Ok(number) = value.as_decimal() {
            return Ok(Value::Decimal(number));
        }
        if let Ok(text) = value.as_immutable_string_ref() {
            self.count(0, text.len())?;
            budget::make(text.len())?;
            return Ok(Value::Text(text.as_str().into()));
        }
        if let Ok(letter) = value.as_char() {
            return Ok(Value::Text(letter.to_string().into()));
        }
        if let Ok(items) = value.as_array_ref() {
            let depth = deeper(depth, self.limits)?;
            budget::make(items.len() * size_of::<Value>())?;
            return items
                .iter()
                .map(|item| self.value(item, depth))
                .collect::<Result<_, _>>()
                .map(Value::List);
        }
        if let Ok(fields) = value.as_map_ref() {
            return self.fields(fields.iter().map(|(name, value)| (name.as_str(), value)), depth);
        }
        if let Some(record) = value.read_lock::<Record>() {
            return self.fields(record.fields().iter().map(|(name, value)| (name.as_str(), value)), depth);
        }
        Err(Mistake::NotAValue { what: with_article(kind(value)) })
    }

    fn fields<'v>(
        &mut self,
        fields: impl Iterator<Item = (&'v str, &'v Dynamic)>,
        depth: usize,
    ) -> Result<Value, Mistake> {
        let depth = deeper(depth, self.limits)?;
        budget::make(fields.size_hint().0 * 2 * size_of::<Value>())?;
        let mut map = FieldMap::with_capacity(fields.size_hint().0);
        for (name, value) in fields {
            self.count(0, name.len())?;
            map.push(name.into(), self.value(value, depth)?);
        }
        Ok(Value::Map(map))
    }

    fn count(&mut self, values: usize, bytes: usize) -> Result<(), Mistake> {
        self.values += values;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.values > self.limits.result_size {
            return Err(Mistake::limit("values in a result", self.limits.result_size.to_string()));
        }
        if self.bytes > self.limits.memory {
            return Err(Mistake::limit("bytes in a result", self.limits.memory.to_string()));
        }
        Ok(())
    }
}

fn deeper(depth: usize, limits: &Limits) -> Result<usize, Mistake> {
    depth
        .checked_sub(1)
        .ok_or_else(|| Mistake::limit("lists and records within each other", limits.value_depth.to_string()))
}

/// A word for messages.
pub(super) fn kind(value: &Dynamic) -> &'static str {
    if value.is_unit() {
        "nothing"
    } else if value.is_bool() {
        "boolean"
    } else if value.is_int() {
        "integer"
    } else if value.is_decimal() {
        "decimal"
    } else if value.is_string() || value.is_char() {
        "text"
    } else if value.is_array() {
        "list"
    } else if value.is_map() || value.read_lock::<Record>().is_some() {
        "record"
    } else if value.is_fnptr() || value.read_lock::<FnPtr>().is_some() {
        "function"
    } else if value.read_lock::<TableValue>().is_some() {
        "table"
    } else if value.read_lock::<std::ops::Range<i64>>().is_some()
        || value.read_lock::<std::ops::RangeInclusive<i64>>().is_some()
    {
        "range"
    } else {
        "something else"
    }
}

/// `a text`, `an integer`, `nothing`.
pub(super) fn with_article(kind: &str) -> String {
    match kind {
        "nothing" | "something else" => kind.to_owned(),
        "integer" => format!("an {kind}"),
        _ => format!("a {kind}"),
    }
}

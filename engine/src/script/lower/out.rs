//! What lowered code gives, as the rest of Weft sees it.

use std::rc::Rc;

use connectors::contract::Takes;
use connectors::record::{Map, Text, Value, write_text};

use super::machine::Stop;
use super::value::{Fields, List, Val};
use crate::script::limits::Limits;

/// A value that outlives the evaluation. What Rhai would refuse to give is refused here as well.
pub(in crate::script) fn into_value(value: Val<'_>, limits: &Limits) -> Result<Value, Stop> {
    Ok(match value {
        // Most results are small.
        Val::Nothing => Value::Null,
        Val::Int(number) => Value::Int(number),
        Val::Decimal(number) => Value::Decimal(number),
        Val::Text(text) if text.len() <= limits.text_length => Value::Text(text.clone()),
        Val::Made(text) if text.len() <= limits.text_length => Value::Text(text),
        value => Out { limits, values: 0, bytes: 0 }.take(value, limits.value_depth)?,
    })
}

/// The same as JSON at the end of `out`; whether there was a value.
pub(in crate::script) fn write_json(
    value: Val<'_>,
    takes: Takes,
    limits: &Limits,
    out: &mut Vec<u8>,
) -> Result<bool, Stop> {
    let fits = |text: &Text| {
        let taken = if text.is_empty() { takes.empty } else { takes.text };
        taken && text.len() <= limits.text_length
    };
    match value {
        Val::Nothing => return Ok(false),
        Val::Int(number) if takes.integer => Value::Int(number).write_json(out),
        Val::Decimal(number) if takes.decimal => Value::Decimal(number).write_json(out),
        Val::Text(text) if fits(text) => write_text(text, out),
        Val::Made(text) if fits(&text) => write_text(&text, out),
        Val::Int(_) | Val::Decimal(_) | Val::Text(_) | Val::Made(_) => return Err(Stop::Odd),
        value if takes.other => into_value(value, limits)?.write_json(out),
        _ => return Err(Stop::Odd),
    }
    Ok(true)
}

/// Whether a condition holds; `None` for what is no condition.
pub(in crate::script) fn truth(value: Val<'_>, limits: &Limits) -> Option<bool> {
    match value {
        Val::Bool(truth) => Some(truth),
        Val::Nothing => Some(false),
        Val::Record(_) => Some(true),
        // It may hold what no record can.
        Val::MadeRecord(_) => into_value(value, limits).ok().map(|_| true),
        _ => None,
    }
}

/// A list or record as text, unless it is too large or too deep.
pub(super) fn to_json(value: &Val<'_>) -> Option<String> {
    into_value(value.clone(), &Limits::default()).ok().map(|value| value.to_string())
}

struct Out<'l> {
    limits: &'l Limits,
    values: usize,
    bytes: usize,
}

impl Out<'_> {
    fn take(&mut self, value: Val<'_>, depth: usize) -> Result<Value, Stop> {
        self.count(0)?;
        Ok(match value {
            Val::Nothing => Value::Null,
            Val::Bool(truth) => Value::Bool(truth),
            Val::Int(number) => Value::Int(number),
            Val::Decimal(number) => Value::Decimal(number),
            Val::Text(text) => {
                self.bytes(text.len())?;
                Value::Text(text.clone())
            }
            Val::Made(text) => {
                self.bytes(text.len())?;
                Value::Text(text)
            }
            Val::List(items) => self.copy_list(items, depth)?,
            Val::Record(map) => self.copy_map(map, depth)?,
            Val::MadeList(list) => {
                let depth = deeper(depth)?;
                let list = Rc::try_unwrap(list).unwrap_or_else(|list| List::clone(&list));
                let items = list.items.into_iter().map(|item| self.take(item, depth));
                Value::List(items.collect::<Result<_, _>>()?)
            }
            Val::MadeRecord(record) => {
                let depth = deeper(depth)?;
                let record = Rc::try_unwrap(record).unwrap_or_else(|record| Fields::clone(&record));
                let mut map = Map::with_capacity(record.fields.len());
                for (name, value) in record.fields {
                    self.bytes(name.len())?;
                    map.push(name, self.take(value, depth)?);
                }
                Value::Map(map)
            }
            Val::Table(_) | Val::Range { .. } | Val::Function(_) => return Err(Stop::Odd),
        })
    }

    fn copy(&mut self, value: &Value, depth: usize) -> Result<Value, Stop> {
        self.count(0)?;
        match value {
            Value::Text(text) => {
                self.bytes(text.len())?;
                Ok(Value::Text(text.clone()))
            }
            Value::List(items) => self.copy_list(items, depth),
            Value::Map(map) => self.copy_map(map, depth),
            plain => Ok(plain.clone()),
        }
    }

    fn copy_list(&mut self, items: &[Value], depth: usize) -> Result<Value, Stop> {
        let depth = deeper(depth)?;
        Ok(Value::List(items.iter().map(|item| self.copy(item, depth)).collect::<Result<_, _>>()?))
    }

    fn copy_map(&mut self, map: &Map, depth: usize) -> Result<Value, Stop> {
        let depth = deeper(depth)?;
        let mut copy = Map::with_capacity(map.len());
        for (name, value) in map.iter() {
            self.bytes(name.len())?;
            copy.push(name.clone(), self.copy(value, depth)?);
        }
        Ok(Value::Map(copy))
    }

    fn count(&mut self, bytes: usize) -> Result<(), Stop> {
        self.values += 1;
        if self.values > self.limits.result_size {
            return Err(Stop::Odd);
        }
        self.bytes(bytes)
    }

    fn bytes(&mut self, bytes: usize) -> Result<(), Stop> {
        self.bytes = self.bytes.saturating_add(bytes);
        // Names and texts are shared here, not where they are written in the end: Rhai decides.
        if self.bytes > self.limits.text_length { Err(Stop::Odd) } else { Ok(()) }
    }
}

fn deeper(depth: usize) -> Result<usize, Stop> {
    depth.checked_sub(1).ok_or(Stop::Odd)
}

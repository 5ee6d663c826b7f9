//! Tables of a flow, as expressions read them: `payment_method[order.payment.method]`.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use connectors::record::Value;
use dsl::plan::{Constant, Otherwise, Table};
use rhai::Dynamic;
use rust_decimal::Decimal;

use super::budget;
use super::error::Mistake;
use super::library::Operand;
use super::limits::Limits;
use super::values::{to_dynamic, with_article};

/// A table within scripts; cloning it costs a counter.
#[derive(Clone, Debug)]
pub(super) struct TableValue(Arc<Rows>);

#[derive(Debug)]
struct Rows {
    table: Table,
    /// What each row gives.
    values: Vec<Value>,
    otherwise: Option<Value>,
    /// For tables of one key: the first row of each text.
    texts: HashMap<String, usize>,
    /// The first row, when there is one key, that fits something else than a text.
    others: Option<usize>,
    /// Which rows have been read, and `otherwise` behind them; empty: nobody asks.
    read: Box<[AtomicBool]>,
}

/// A table, and what of it was read.
#[derive(Clone, Debug)]
pub struct ReadRows {
    /// The table.
    pub table: Table,
    /// Whether each row was read; one more than there are rows, for `otherwise`.
    pub read: Vec<bool>,
}

/// What a look-up found.
pub(super) enum Found<'t> {
    /// The value of a row, or of `otherwise`.
    Value(&'t Value),
    /// The key itself.
    Key,
}

impl TableValue {
    pub(super) fn new(table: Table) -> Self {
        let values = table.rows.iter().map(|row| constant_value(&row.value)).collect();
        let otherwise = match &table.otherwise {
            Otherwise::Value(value) => Some(constant_value(value)),
            _ => None,
        };
        let (mut texts, mut others) = (HashMap::new(), None);
        for (at, row) in table.rows.iter().enumerate() {
            match row.keys.as_slice() {
                [Some(Constant::Text(text))] => {
                    texts.entry(text.clone()).or_insert(at);
                }
                _ => others = others.or(Some(at)),
            }
        }
        Self(Arc::new(Rows { table, values, otherwise, texts, others, read: Box::default() }))
    }

    /// The same table, which notes from here on what is read of it.
    pub(super) fn marked(&self) -> Self {
        let mut marked = Self::new(self.0.table.clone());
        if let Some(rows) = Arc::get_mut(&mut marked.0) {
            rows.read = (0..=rows.table.rows.len()).map(|_| AtomicBool::new(false)).collect();
        }
        marked
    }

    /// What was read of it, where that was noted.
    pub(super) fn read_rows(&self) -> ReadRows {
        let read = self.0.read.iter().map(|read| read.load(Ordering::Relaxed)).collect();
        ReadRows { table: self.0.table.clone(), read }
    }

    fn mark(&self, row: usize) {
        if let Some(read) = self.0.read.get(row) {
            read.store(true, Ordering::Relaxed);
        }
    }

    /// The value for a key, or for a list of keys: the first row that fits, else `otherwise`.
    pub(super) fn find<V: Operand>(&self, key: &V) -> Result<Found<'_>, Mistake> {
        let several;
        let keys = if self.0.table.keys.len() == 1 {
            std::slice::from_ref(key)
        } else {
            several = self.keys(key)?;
            &several
        };
        if let Some(row) = self.row(keys)?
            && let Some(value) = self.0.values.get(row)
        {
            self.mark(row);
            return Ok(Found::Value(value));
        }
        self.mark(self.0.table.rows.len());
        match (&self.0.otherwise, &self.0.table.otherwise, keys) {
            (Some(value), _, _) => Ok(Found::Value(value)),
            (None, Otherwise::Keep, [_]) => Ok(Found::Key),
            _ => Err(Mistake::NoRow { table: self.0.table.name.clone(), key: shown(keys) }),
        }
    }

    /// As [`TableValue::find`], for Rhai.
    pub(super) fn look_up(&self, key: &Dynamic) -> Result<Dynamic, Mistake> {
        match self.find(key)? {
            Found::Value(value) => to_dynamic(value, &Limits::default()),
            Found::Key => Ok(match key.as_array_ref() {
                Ok(keys) if self.0.table.keys.len() != 1 => keys.first().cloned().unwrap_or(Dynamic::UNIT),
                _ => key.clone(),
            }),
        }
    }

    /// True when a row fits the key; `otherwise` does not count.
    pub(super) fn has<V: Operand>(&self, key: &V) -> Result<bool, Mistake> {
        Ok(self.row(&self.keys(key)?)?.is_some())
    }

    fn row<V: Operand>(&self, keys: &[V]) -> Result<Option<usize>, Mistake> {
        if let [key] = keys
            && let Some(text) = key.as_text()
        {
            let found = self.0.texts.get(&*text).copied();
            // A row that fits anything may stand before it.
            if self.0.others.is_none_or(|other| found.is_some_and(|found| found < other)) {
                return Ok(found);
            }
        }
        budget::read(self.0.table.rows.len().saturating_mul(keys.len()))?;
        Ok(self.0.table.rows.iter().position(|row| {
            row.keys.len() == keys.len()
                && row.keys.iter().zip(keys).all(|(wanted, key)| wanted.as_ref().is_none_or(|c| is(c, key)))
        }))
    }

    fn keys<V: Operand>(&self, key: &V) -> Result<Vec<V>, Mistake> {
        let keys = match key.items() {
            Some(keys) if self.0.table.keys.len() != 1 => keys.collect(),
            _ => vec![key.clone()],
        };
        if keys.len() == self.0.table.keys.len() {
            return Ok(keys);
        }
        let table = &self.0.table;
        let names: Vec<&str> = table.keys.iter().map(|key| key.name.as_str()).collect();
        Err(Mistake::WrongKind {
            message: format!("table `{}` is read by {} keys, not {}", table.name, names.len(), keys.len()),
            help: Some(format!("write `{}[{}]`", table.name, names.join(", "))),
        })
    }
}

/// The same value: numbers by value, texts letter by letter.
fn is<V: Operand>(constant: &Constant, key: &V) -> bool {
    match constant {
        Constant::Text(text) => key.as_text().is_some_and(|key| *key == **text),
        Constant::Integer(number) => key.number() == Some(Decimal::from(*number)),
        Constant::Decimal(number) => key.number() == Some(*number),
        Constant::Boolean(truth) => key.boolean() == Some(*truth),
        Constant::Nothing => key.is_nothing(),
        Constant::List(items) => key.items().is_some_and(|keys| {
            keys.len() == items.len() && items.iter().zip(keys).all(|(item, key)| is(item, &key))
        }),
    }
}

/// A constant of a flow file as a value.
#[must_use]
pub fn constant_value(constant: &Constant) -> Value {
    match constant {
        Constant::Text(text) => Value::from(text.as_str()),
        Constant::Integer(number) => Value::Int(*number),
        Constant::Decimal(number) => Value::Decimal(*number),
        Constant::Boolean(truth) => Value::Bool(*truth),
        Constant::Nothing => Value::Null,
        Constant::List(items) => Value::List(items.iter().map(constant_value).collect()),
    }
}

fn shown<V: Operand>(keys: &[V]) -> String {
    let shown: Vec<String> = keys
        .iter()
        .map(|key| {
            if key.is_nothing() {
                "no value".to_owned()
            } else if let Some(text) = key.as_text() {
                format!("\"{}\"", text.chars().take(60).collect::<String>())
            } else if key.number().is_some() || key.boolean().is_some() {
                key.written().map(|text| text.to_string()).unwrap_or_default()
            } else {
                with_article(key.kind())
            }
        })
        .collect();
    shown.join(", ")
}

//! Tables of a flow, as expressions read them: `payment_method[order.payment.method]`.

use std::sync::Arc;

use connectors::record::Value;
use dsl::plan::{Constant, Otherwise, Table, TableRow};
use rhai::{Dynamic, ImmutableString};
use rust_decimal::Decimal;

use super::budget;
use super::error::Mistake;
use super::values::{kind, with_article};

/// A table within scripts; cloning it costs a counter.
#[derive(Clone, Debug)]
pub(super) struct TableValue(Arc<Table>);

impl TableValue {
    pub(super) const fn new(table: Arc<Table>) -> Self {
        Self(table)
    }

    /// The value for a key, or for a list of keys: the first row that fits, else `otherwise`.
    pub(super) fn look_up(&self, key: &Dynamic) -> Result<Dynamic, Mistake> {
        let keys = self.keys(key)?;
        if let Some(row) = self.row(&keys)? {
            return Ok(constant_to_dynamic(&row.value));
        }
        match (&self.0.otherwise, keys.as_slice()) {
            (Otherwise::Value(value), _) => Ok(constant_to_dynamic(value)),
            (Otherwise::Keep, [only]) => Ok(only.clone()),
            _ => Err(Mistake::NoRow { table: self.0.name.clone(), key: shown(&keys) }),
        }
    }

    /// True when a row fits the key; `otherwise` does not count.
    pub(super) fn has(&self, key: &Dynamic) -> Result<bool, Mistake> {
        Ok(self.row(&self.keys(key)?)?.is_some())
    }

    fn row(&self, keys: &[Dynamic]) -> Result<Option<&TableRow>, Mistake> {
        budget::read(self.0.rows.len().saturating_mul(keys.len()))?;
        Ok(self.0.rows.iter().find(|row| {
            row.keys.len() == keys.len()
                && row.keys.iter().zip(keys).all(|(wanted, key)| wanted.as_ref().is_none_or(|c| is(c, key)))
        }))
    }

    fn keys(&self, key: &Dynamic) -> Result<Vec<Dynamic>, Mistake> {
        let keys = match key.as_array_ref() {
            Ok(keys) if self.0.keys.len() != 1 => keys.to_vec(),
            _ => vec![key.clone()],
        };
        if keys.len() == self.0.keys.len() {
            return Ok(keys);
        }
        let names: Vec<&str> = self.0.keys.iter().map(|key| key.name.as_str()).collect();
        Err(Mistake::WrongKind {
            message: format!("table `{}` is read by {} keys, not {}", self.0.name, names.len(), keys.len()),
            help: Some(format!("write `{}[{}]`", self.0.name, names.join(", "))),
        })
    }
}

/// The same value: numbers by value, texts letter by letter.
fn is(constant: &Constant, key: &Dynamic) -> bool {
    match constant {
        Constant::Text(text) => {
            key.as_immutable_string_ref().is_ok_and(|key| key.as_str() == text)
                || key.as_char().is_ok_and(|letter| text.chars().eq([letter]))
        }
        Constant::Integer(number) => decimal_of(key) == Some(Decimal::from(*number)),
        Constant::Decimal(number) => decimal_of(key) == Some(*number),
        Constant::Boolean(truth) => key.as_bool() == Ok(*truth),
        Constant::Nothing => key.is_unit(),
        Constant::List(items) => key.as_array_ref().is_ok_and(|keys| {
            keys.len() == items.len() && items.iter().zip(keys.iter()).all(|(item, key)| is(item, key))
        }),
    }
}

fn decimal_of(value: &Dynamic) -> Option<Decimal> {
    value.as_int().map(Decimal::from).or_else(|_| value.as_decimal()).ok()
}

fn constant_to_dynamic(constant: &Constant) -> Dynamic {
    match constant {
        Constant::Text(text) => Dynamic::from(ImmutableString::from(text.as_str())),
        Constant::Integer(number) => Dynamic::from_int(*number),
        Constant::Decimal(number) => Dynamic::from(*number),
        Constant::Boolean(truth) => Dynamic::from_bool(*truth),
        Constant::Nothing => Dynamic::UNIT,
        Constant::List(items) => Dynamic::from_array(items.iter().map(constant_to_dynamic).collect()),
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

fn shown(keys: &[Dynamic]) -> String {
    let shown: Vec<String> = keys
        .iter()
        .map(|key| {
            if key.is_unit() {
                "no value".to_owned()
            } else if let Ok(text) = key.as_immutable_string_ref() {
                format!("\"{}\"", text.chars().take(60).collect::<String>())
            } else if key.is_int() || key.is_decimal() || key.is_bool() {
                key.to_string()
            } else {
                with_article(kind(key))
            }
        })
        .collect();
    shown.join(", ")
}

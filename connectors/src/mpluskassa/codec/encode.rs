//! Records to elements.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::super::xml::Element;
use super::moment::{date_to_wire, moment_to_wire};
use super::{Codec, Form, Item, Misfit, Part, Shape, choice_to_wire};
use crate::record::{Map, Value};

impl Codec {
    /// The element `name` with the fields of `record`, in the order of the schema. A text
    /// that is `null` or empty becomes an empty element, which clears it; other values
    /// without a value are left out.
    pub(in super::super) fn encode(
        &self,
        name: &'static str,
        shape: &Shape,
        record: &Map,
    ) -> Result<Element, Misfit> {
        Ok(Element::branch(name, self.children(shape, record)?))
    }

    pub(in super::super) fn children(&self, shape: &Shape, record: &Map) -> Result<Vec<Element>, Misfit> {
        let mut children = Vec::new();
        for part in shape.parts {
            if let Form::Inline(inner) = part.form {
                let inside = self.children(inner, record)?;
                if part.required || inner.parts.iter().any(|part| record.get(part.field).is_some()) {
                    children.push(Element::branch(part.wire, inside));
                }
                continue;
            }
            let value = record.get(part.field);
            match value {
                Some(value) => {
                    self.part(part, value, &mut children).map_err(|misfit| located(misfit, part))?;
                }
                None if part.required => children.push(empty(part)?),
                None => {}
            }
        }
        Ok(children)
    }

    fn part(&self, part: &Part, value: &Value, out: &mut Vec<Element>) -> Result<(), Misfit> {
        if value.says_nothing() {
            match part.form {
                Form::Text | Form::List(..) => out.push(Element::leaf(part.wire, "")),
                _ if part.required => out.push(empty(part)?),
                _ => {}
            }
            return Ok(());
        }
        let wire = part.wire;
        let leaf = |text: String| Element::leaf(wire, text);
        let element = match part.form {
            Form::Text => leaf(plain(value)?),
            Form::Number { most, zero } => leaf(number(value, most, zero)?),
            Form::Integer { most } => leaf(integer(value, most)?.to_string()),
            Form::Cents => leaf(scaled(value, Decimal::ONE_HUNDRED, "cents: at most two decimals")?),
            Form::Percent => leaf(scaled(value, self.divisor, "percentage: it has too many decimals")?),
            Form::Bool => leaf(boolean(value)?.to_string()),
            Form::Choice(prefix, names) => leaf(choice(value, prefix, names)?),
            Form::Scaled(companion) => {
                let (digits, scale) = unscaled(value)?;
                out.push(leaf(digits));
                Element::leaf(companion, scale)
            }
            Form::Date => {
                Element::branch(wire, date_to_wire(text(value)?).ok_or_else(|| not(value, "a date"))?)
            }
            Form::Moment => {
                let parts = moment_to_wire(text(value)?, &self.zone);
                Element::branch(wire, parts.ok_or_else(|| not(value, "a moment with a zone"))?)
            }
            Form::Dotted(names) => Element::branch(wire, dotted(value, names)?),
            Form::Record(shape) => self.encode(wire, shape, map(value)?)?,
            Form::List(item, kind) => {
                let mut items = Vec::new();
                self.items(item, kind, value, &mut items)?;
                Element::branch(wire, items)
            }
            Form::Repeat(kind) => return self.items(wire, kind, value, out),
            Form::Inline(_) | Form::Unused => return Ok(()),
        };
        out.push(element);
        Ok(())
    }

    fn items(
        &self,
        name: &'static str,
        kind: Item,
        value: &Value,
        out: &mut Vec<Element>,
    ) -> Result<(), Misfit> {
        let items = value.as_list().ok_or_else(|| not(value, "a list"))?;
        for (at, item) in items.iter().enumerate() {
            let element = match kind {
                Item::Record(shape) => map(item).and_then(|item| self.encode(name, shape, item)),
                Item::Text => plain(item).map(|text| Element::leaf(name, text)),
                Item::Nested(inner) => {
                    plain(item).map(|text| Element::branch(name, vec![Element::leaf(inner, text)]))
                }
                Item::Number { most } => number(item, most, false).map(|text| Element::leaf(name, text)),
                Item::Dotted(names) => dotted(item, names).map(|parts| Element::branch(name, parts)),
                Item::Choice(prefix, names) => {
                    choice(item, prefix, names).map(|text| Element::leaf(name, text))
                }
                Item::Custom => map(item).and_then(|item| self.custom(name, item)),
            };
            out.push(element.map_err(|misfit| {
                let place = (at + 1).to_string();
                if misfit.path.is_empty() { Misfit { path: place, ..misfit } } else { misfit.within(&place) }
            })?);
        }
        Ok(())
    }

    /// One of the merchant's own fields: a name, a type, and the element for that type.
    fn custom(&self, name: &'static str, record: &Map) -> Result<Element, Misfit> {
        let title = record.text("name").filter(|title| !title.is_empty());
        let title = title.ok_or_else(|| Misfit::new("name", "is missing"))?;
        let value = record.get("value").unwrap_or(&Value::Null);
        let told = record.text("type");
        let kind = told.unwrap_or(match value {
            Value::Int(_) => "int",
            Value::Decimal(_) => "decimal",
            Value::Bool(_) => "bool",
            Value::List(_) => "multiselectint",
            _ => "string",
        });
        let mut children = vec![
            Element::leaf("fieldName", title),
            Element::leaf("dataType", choice_to_wire("DATA-TYPE-", kind)),
        ];
        let part = match (kind, value) {
            (_, value) if value.says_nothing() => return Ok(Element::branch(name, children)),
            ("date", _) => super::part("dateValue", "value", Form::Date),
            ("datetime", _) => super::part("dateTimeValue", "value", Form::Moment),
            ("decimal", _) | (_, Value::Decimal(_)) => {
                super::part("intValue", "value", Form::Scaled("decimalPlaces"))
            }
            (_, Value::Int(_)) => super::part("intValue", "value", Form::LONG),
            (_, Value::Bool(_)) => super::part("boolValue", "value", Form::Bool),
            (_, Value::List(_)) => super::part("multiSelectInt", "value", Form::Repeat(Item::SMALL)),
            _ => super::part("strValue", "value", Form::Text),
        };
        self.part(&part, value, &mut children).map_err(|misfit| located(misfit, &part))?;
        Ok(Element::branch(name, children))
    }
}

/// What the schema demands and the record lacks: an empty text or list where that says so.
fn empty(part: &Part) -> Result<Element, Misfit> {
    match part.form {
        Form::Text | Form::List(..) => Ok(Element::leaf(part.wire, "")),
        _ => Err(Misfit::new(part.field, "is missing")),
    }
}

fn located(misfit: Misfit, part: &Part) -> Misfit {
    if misfit.path.is_empty() {
        Misfit { path: part.field.to_owned(), ..misfit }
    } else if misfit.path == part.field {
        misfit
    } else {
        misfit.within(part.field)
    }
}

fn not(value: &Value, what: &str) -> Misfit {
    Misfit::new("", format!("`{}` is not {what}", plain(value).unwrap_or_else(|_| value.to_string())))
}

fn plain(value: &Value) -> Result<String, Misfit> {
    match value {
        Value::Text(text) => Ok(text.as_str().to_owned()),
        Value::Int(_) | Value::Decimal(_) | Value::Bool(_) => Ok(value.to_string()),
        Value::Null => Ok(String::new()),
        Value::List(_) | Value::Map(_) => Err(Misfit::new("", format!("a {} is not text", value.kind()))),
    }
}

fn text(value: &Value) -> Result<&str, Misfit> {
    value.as_str().ok_or_else(|| not(value, "text"))
}

fn map(value: &Value) -> Result<&Map, Misfit> {
    value.as_map().ok_or_else(|| not(value, "a record"))
}

fn boolean(value: &Value) -> Result<bool, Misfit> {
    value.as_bool().ok_or_else(|| not(value, "true or false"))
}

/// The digits of a number that is a name.
pub(in super::super) fn number(value: &Value, most: i64, zero: bool) -> Result<String, Misfit> {
    let text = plain(value)?;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits {
        return Err(not(value, "a number: MplusKASSA takes digits only here"));
    }
    match text.parse::<i64>() {
        Ok(0) if !zero => Err(Misfit::new("", "0 is not a number that MplusKASSA gives out")),
        Ok(number) if number <= most => Ok(number.to_string()),
        _ => Err(Misfit::new("", format!("`{text}` is too long for a number in MplusKASSA"))),
    }
}

fn integer(value: &Value, most: i64) -> Result<i64, Misfit> {
    let whole = match value {
        Value::Int(number) => Some(*number),
        Value::Decimal(number) if number.is_integer() => number.to_i64(),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    };
    whole.filter(|number| number.abs() <= most).ok_or_else(|| not(value, "a whole number that fits"))
}

fn decimal(value: &Value) -> Result<Decimal, Misfit> {
    let number = match value {
        Value::Text(text) => text.parse().ok(),
        _ => value.as_decimal(),
    };
    number.ok_or_else(|| not(value, "a number"))
}

/// The number times `factor`, when that is whole.
fn scaled(value: &Value, factor: Decimal, what: &str) -> Result<String, Misfit> {
    let whole = decimal(value)?.checked_mul(factor).filter(Decimal::is_integer);
    let whole = whole.and_then(|whole| whole.to_i64());
    whole.map(|whole| whole.to_string()).ok_or_else(|| not(value, &format!("a number of whole {what}")))
}

/// Digits and how many of them are decimals.
fn unscaled(value: &Value) -> Result<(String, String), Misfit> {
    let number = decimal(value)?.normalize();
    let digits = i64::try_from(number.mantissa()).map_err(|_| not(value, "a quantity that fits"))?;
    Ok((digits.to_string(), number.scale().to_string()))
}

fn choice(value: &Value, prefix: &str, names: &[&str]) -> Result<String, Misfit> {
    let name = text(value)?;
    if names.contains(&name) {
        return Ok(choice_to_wire(prefix, name));
    }
    Err(not(value, &format!("one of {}", names.join(", "))))
}

fn dotted(value: &Value, names: &'static [&'static str]) -> Result<Vec<Element>, Misfit> {
    let told = text(value)?;
    let pieces: Vec<&str> = told.split('.').collect();
    let digits =
        |piece: &&str| !piece.is_empty() && piece.len() < 19 && piece.bytes().all(|b| b.is_ascii_digit());
    if pieces.len() != names.len() || !pieces.iter().all(digits) {
        return Err(not(value, "a number with year, as 2026.311"));
    }
    Ok(names.iter().zip(pieces).map(|(name, piece)| Element::leaf(name, piece)).collect())
}

//! How one value looks on the wire, and how it becomes a value of its field's type and back.
//!
//! Reading is generous: systems send numbers as texts and truths as numbers. Writing sends
//! exactly the form that the profile says.

use std::time::Duration;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, fmt::strtime};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;

use super::entries;
use super::shape::Shape;
use crate::contract::Takes;
use crate::record::{Text, Value};

/// The wire form of a field.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    Text {
        as_number: bool,
    },
    Integer {
        as_text: bool,
    },
    Decimal(Money),
    Boolean(Truth),
    Date(Moment),
    Datetime(Moment, TimeZone),
    Record(Box<Shape>),
    List(Box<Self>),
    /// An object whose names are values: the shape has the field of the names and the field of
    /// the values.
    Entries(Box<Shape>),
    Any,
}

/// Forms of exact numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Money {
    Number,
    Text,
    /// Text with a decimal comma, dots between thousands.
    Comma,
    /// Whole number of the smallest unit: cents at a scale of 2.
    Units(u32),
}

/// Forms of truth values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    Boolean,
    Number,
    Words(Text, Text),
}

/// Forms of dates and moments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Standard,
    Seconds,
    Milliseconds,
    Day,
    Pattern(String),
}

impl Form {
    /// The field's value; `Null` for whatever means "nothing". The error says what was found.
    pub(crate) fn read(&self, value: Value) -> Result<Value, String> {
        if value.says_nothing() {
            return Ok(Value::Null);
        }
        match self {
            Self::Any => Ok(value),
            Self::Text { .. } => match value {
                Value::Text(_) => Ok(value),
                Value::Int(number) => Ok(Value::from(number.to_string())),
                Value::Decimal(number) => Ok(Value::from(number.to_string())),
                Value::Bool(truth) => Ok(Value::from(truth.to_string())),
                other => Err(format!("is a {}, not text", other.kind())),
            },
            Self::Integer { .. } => match number(&value, false)
                .and_then(|number| number.is_integer().then(|| number.to_i64()).flatten())
            {
                Some(number) => Ok(Value::Int(number)),
                None => Err(format!("is {}, not an integer", shown(&value))),
            },
            Self::Decimal(form) => {
                let Some(mut number) = number(&value, *form == Money::Comma) else {
                    return Err(format!("is {}, not a number", shown(&value)));
                };
                if let Money::Units(scale) = form {
                    let scale = number.scale() + scale;
                    number
                        .set_scale(scale)
                        .map_err(|_| format!("is {}, too long a number", shown(&value)))?;
                }
                Ok(Value::Decimal(number))
            }
            Self::Boolean(form) => form.read(&value),
            Self::Date(form) => form.date(&value).ok_or_else(|| format!("is {}, not a date", shown(&value))),
            Self::Datetime(form, zone) => {
                let found = value.clone();
                form.moment(value, zone).ok_or_else(|| format!("is {}, not a date and time", shown(&found)))
            }
            Self::Record(shape) => match value {
                Value::Map(_) => shape.read(value).map(Value::Map),
                other => Err(format!("is {}, not a record", shown(&other))),
            },
            Self::List(item) => match value {
                Value::List(items) => items
                    .into_iter()
                    .enumerate()
                    .map(|(at, value)| item.read(value).map_err(|fault| format!("{fault} (item {})", at + 1)))
                    .collect::<Result<_, _>>()
                    .map(Value::List),
                // Some systems unwrap a list of one.
                single => Ok(Value::List(vec![item.read(single)?])),
            },
            Self::Entries(shape) => entries::read(shape, value),
        }
    }

    /// What the wire has just as the record has it.
    pub(crate) const fn takes(&self) -> Takes {
        let nothing = Takes { text: false, empty: false, integer: false, decimal: false, other: false };
        match self {
            // The empty text is no value.
            Self::Any => Takes { empty: false, ..Takes::ALL },
            Self::Text { as_number: false } => Takes { text: true, ..nothing },
            Self::Integer { as_text: false } => Takes { integer: true, ..nothing },
            Self::Decimal(Money::Number) => Takes { integer: true, decimal: true, ..nothing },
            _ => nothing,
        }
    }

    /// The wire has this value just as the record has it.
    pub(crate) fn is_plain(&self, value: &Value) -> bool {
        self.takes().takes(value)
    }

    /// The wire's value.
    pub(crate) fn write(&self, value: &Value) -> Result<Value, String> {
        if value.says_nothing() {
            return Ok(Value::Null);
        }
        let refused = |wanted: &str| Err(format!("is {}, not {wanted}", shown(value)));
        match self {
            Self::Any => Ok(value.clone()),
            Self::Text { as_number: true } => match number(value, false) {
                Some(number) => Ok(number
                    .to_i64()
                    .filter(|_| number.is_integer())
                    .map_or(Value::Decimal(number), Value::Int)),
                None => refused("a number, which this system wants here"),
            },
            Self::Text { .. } => match value {
                Value::Text(_) => Ok(value.clone()),
                Value::List(_) | Value::Map(_) => refused("text"),
                other => Ok(Value::from(other.to_string())),
            },
            Self::Integer { as_text } => {
                match number(value, false).and_then(|n| n.to_i64().filter(|_| n.is_integer())) {
                    Some(number) if *as_text => Ok(Value::from(number.to_string())),
                    Some(number) => Ok(Value::Int(number)),
                    None => refused("an integer"),
                }
            }
            Self::Decimal(form) => {
                number(value, false).map_or_else(|| refused("a number"), |number| form.write(number))
            }
            Self::Boolean(form) => {
                value.as_bool().map_or_else(|| refused("true or false"), |truth| Ok(form.write(truth)))
            }
            Self::Date(form) => {
                let date = value.as_str().and_then(|text| text.parse::<Date>().ok());
                date.and_then(|date| form.write_date(date)).map_or_else(|| refused("a date"), Ok)
            }
            Self::Datetime(form, zone) => {
                let moment = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
                moment
                    .and_then(|moment| form.write_moment(value, moment, zone))
                    .map_or_else(|| refused("a date and time"), Ok)
            }
            Self::Record(shape) => match value {
                Value::Map(map) => shape.write(map).map(Value::Map),
                _ => refused("a record"),
            },
            Self::List(item) => match value {
                Value::List(items) => items
                    .iter()
                    .enumerate()
                    .map(|(at, value)| {
                        item.write(value).map_err(|fault| format!("{fault} (item {})", at + 1))
                    })
                    .collect::<Result<_, _>>()
                    .map(Value::List),
                _ => refused("a list"),
            },
            Self::Entries(shape) => entries::write(shape, value),
        }
    }
}

impl Form {
    /// A value without what cannot be written in it.
    pub(crate) fn writable(&self, value: &Value) -> Value {
        match (self, value) {
            (Self::Record(shape), Value::Map(map)) => Value::Map(shape.writable(map)),
            (Self::List(item), Value::List(items)) => {
                Value::List(items.iter().map(|value| item.writable(value)).collect())
            }
            _ => value.clone(),
        }
    }
}

impl Money {
    fn write(self, number: Decimal) -> Result<Value, String> {
        match self {
            Self::Number => Ok(Value::Decimal(number)),
            Self::Text => Ok(Value::from(number.to_string())),
            Self::Comma => Ok(Value::from(number.to_string().replace('.', ","))),
            Self::Units(scale) => {
                let units = Decimal::from(10_u64.saturating_pow(scale))
                    .checked_mul(number)
                    .map(|units| units.normalize());
                match units.filter(Decimal::is_integer).and_then(|units| units.to_i64()) {
                    Some(units) => Ok(Value::Int(units)),
                    None => Err(format!("is {number}, which has more than {scale} decimals")),
                }
            }
        }
    }
}

impl Truth {
    fn read(&self, value: &Value) -> Result<Value, String> {
        let truth = match (self, value) {
            (_, Value::Bool(truth)) => Some(*truth),
            (Self::Words(yes, no), Value::Text(text)) if text == yes || text == no => Some(text == yes),
            (_, Value::Int(0)) => Some(false),
            (_, Value::Int(1)) => Some(true),
            (Self::Boolean | Self::Number, Value::Text(text)) => match text.as_str() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
            _ => None,
        };
        truth.map(Value::Bool).ok_or_else(|| format!("is {}, neither true nor false", shown(value)))
    }

    fn write(&self, truth: bool) -> Value {
        match self {
            Self::Boolean => Value::Bool(truth),
            Self::Number => Value::Int(truth.into()),
            Self::Words(yes, no) => Value::Text(if truth { yes.clone() } else { no.clone() }),
        }
    }
}

impl Moment {
    fn date(&self, value: &Value) -> Option<Value> {
        let date = match (self, value) {
            (Self::Pattern(pattern), Value::Text(text)) => {
                strtime::parse(pattern, text.as_str()).ok()?.to_date().ok()?
            }
            (Self::Seconds | Self::Milliseconds, _) => self.instant(value)?.to_zoned(TimeZone::UTC).date(),
            (_, Value::Text(text)) => text.parse::<Date>().ok()?,
            _ => return None,
        };
        Some(Value::from(date.to_string()))
    }

    fn moment(&self, value: Value, zone: &TimeZone) -> Option<Value> {
        if let (Self::Standard | Self::Day, Value::Text(text)) = (self, &value) {
            if text.as_bytes().get(10) == Some(&b'T') && text.parse::<Timestamp>().is_ok() {
                return Some(value);
            }
            let instant = match text.parse::<Timestamp>().ok() {
                Some(instant) => instant,
                None => text.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok()?.timestamp(),
            };
            return Some(rfc3339(instant, zone));
        }
        let instant = match (self, &value) {
            (Self::Pattern(pattern), Value::Text(text)) => {
                let parsed = strtime::parse(pattern, text.as_str()).ok()?;
                let civil = || parsed.to_datetime().or_else(|_| parsed.to_date().map(DateTime::from)).ok();
                match parsed.to_timestamp().ok() {
                    Some(instant) => instant,
                    None => civil()?.to_zoned(zone.clone()).ok()?.timestamp(),
                }
            }
            _ => self.instant(&value)?,
        };
        Some(rfc3339(instant, zone))
    }

    fn instant(&self, value: &Value) -> Option<Timestamp> {
        let number = number(value, false)?;
        match self {
            Self::Milliseconds => Timestamp::from_millisecond(number.to_i64()?).ok(),
            Self::Seconds => {
                Timestamp::from_millisecond(number.checked_mul(Decimal::from(1000))?.to_i64()?).ok()
            }
            _ => None,
        }
    }

    fn write_date(&self, date: Date) -> Option<Value> {
        match self {
            Self::Pattern(pattern) => strtime::format(pattern, date).ok().map(Value::from),
            Self::Seconds => Some(Value::Int(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())),
            Self::Milliseconds => {
                Some(Value::Int(date.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond()))
            }
            Self::Standard | Self::Day => Some(Value::from(date.to_string())),
        }
    }

    fn write_moment(&self, as_given: &Value, moment: Timestamp, zone: &TimeZone) -> Option<Value> {
        match self {
            Self::Standard => Some(as_given.clone()),
            Self::Seconds => Some(Value::Int(moment.as_second())),
            Self::Milliseconds => Some(Value::Int(moment.as_millisecond())),
            Self::Day => Some(Value::from(moment.to_zoned(zone.clone()).date().to_string())),
            Self::Pattern(pattern) => {
                strtime::format(pattern, &moment.to_zoned(zone.clone())).ok().map(Value::from)
            }
        }
    }

    /// A moment as a parameter of a call, earlier
    /// by so much.
    pub(crate) fn parameter(&self, value: &Value, zone: &TimeZone, earlier: Duration) -> Option<Value> {
        let moment = value.as_str()?.parse::<Timestamp>().ok()?;
        if earlier.is_zero() {
            return self.write_moment(value, moment, zone);
        }
        let before = moment.checked_sub(earlier).ok()?;
        self.write_moment(&rfc3339(before, zone), before, zone)
    }
}

/// The text of a value without quotes, as addresses carry it.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Text(text) => text.to_string(),
        other => other.to_string(),
    }
}

fn rfc3339(instant: Timestamp, zone: &TimeZone) -> Value {
    let offset = zone.to_offset(instant);
    if *zone == TimeZone::UTC {
        return Value::from(instant.to_string());
    }
    Value::from(instant.display_with_offset(offset).to_string())
}

/// The number that a value is or spells.
fn number(value: &Value, comma: bool) -> Option<Decimal> {
    match value {
        Value::Text(text) if comma => {
            Decimal::from_str_exact(&text.replace(['.', ' '], "").replace(',', ".")).ok()
        }
        Value::Text(text) => Decimal::from_str_exact(text.trim()).ok(),
        other => other.as_decimal(),
    }
}

/// A value for messages: short, in backticks.
pub(crate) fn shown(value: &Value) -> String {
    let text = plain(value);
    let short: String = text.chars().take(40).collect();
    if short.len() < text.len() { format!("`{short}…`") } else { format!("`{short}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amsterdam() -> TimeZone {
        TimeZone::get("Europe/Amsterdam").unwrap()
    }

    fn decimal(text: &str) -> Value {
        Value::Decimal(text.parse().unwrap())
    }

    #[test]
    fn values_are_read_generously_and_written_exactly() {
        let words = Truth::Words("J".into(), "N".into());
        let text = |text: &str| Value::from(text);
        for (form, wire, value, written) in [
            (Form::Text { as_number: true }, Value::Int(7), text("7"), Value::Int(7)),
            (Form::Text { as_number: false }, decimal("1.50"), text("1.50"), text("1.50")),
            (Form::Integer { as_text: true }, text("12"), Value::Int(12), text("12")),
            (Form::Integer { as_text: false }, decimal("12.0"), Value::Int(12), Value::Int(12)),
            (Form::Decimal(Money::Number), text("19.90"), decimal("19.90"), decimal("19.90")),
            (Form::Decimal(Money::Text), Value::Int(3), decimal("3"), text("3")),
            (Form::Decimal(Money::Comma), text("1.234,50"), decimal("1234.50"), text("1234,50")),
            (Form::Decimal(Money::Units(2)), Value::Int(-1995), decimal("-19.95"), Value::Int(-1995)),
            (Form::Decimal(Money::Units(3)), text("5"), decimal("0.005"), Value::Int(5)),
            (Form::Boolean(Truth::Boolean), text("true"), Value::Bool(true), Value::Bool(true)),
            (Form::Boolean(Truth::Number), Value::Int(0), Value::Bool(false), Value::Int(0)),
            (Form::Boolean(words), text("J"), Value::Bool(true), text("J")),
        ] {
            assert_eq!(form.read(wire.clone()).as_ref(), Ok(&value), "{form:?} reads {wire}");
            assert_eq!(form.write(&value), Ok(written), "{form:?} writes {value}");
            assert_eq!((form.read(Value::Null), form.read(text(""))), (Ok(Value::Null), Ok(Value::Null)));
        }
        for (form, wire) in [
            (Form::Integer { as_text: false }, decimal("1.5")),
            (Form::Integer { as_text: false }, Value::from("9223372036854775808")),
            (Form::Decimal(Money::Number), Value::from("1,5")),
            (Form::Boolean(Truth::Number), Value::Int(2)),
            (Form::Text { as_number: false }, Value::List(Vec::new())),
        ] {
            assert!(form.read(wire.clone()).is_err(), "{form:?} refuses {wire}");
        }
    }

    #[test]
    fn moments_have_a_zone_whatever_comes() {
        let summer = "2026-07-01T10:00:00+02:00";
        for (form, wire, read) in [
            (Moment::Standard, Value::from(summer), summer),
            (Moment::Standard, Value::from("2026-07-01T08:00:00Z"), "2026-07-01T08:00:00Z"),
            (Moment::Standard, Value::from("2026-07-01 10:00:00"), summer),
            (Moment::Standard, Value::from("2026-01-01T10:00:00"), "2026-01-01T10:00:00+01:00"),
            (Moment::Seconds, Value::Int(1_782_892_800), summer),
            (Moment::Seconds, Value::from("1782892800"), summer),
            (Moment::Milliseconds, Value::Int(1_782_892_800_000), summer),
            (Moment::Pattern("%d-%m-%Y %H:%M".into()), Value::from("01-07-2026 10:00"), summer),
            (Moment::Pattern("%d-%m-%Y".into()), Value::from("01-07-2026"), "2026-07-01T00:00:00+02:00"),
        ] {
            let form = Form::Datetime(form, amsterdam());
            assert_eq!(form.read(wire.clone()), Ok(Value::from(read)), "{form:?} {wire}");
        }
        for (form, written) in [
            (Moment::Standard, Value::from(summer)),
            (Moment::Seconds, Value::Int(1_782_892_800)),
            (Moment::Milliseconds, Value::Int(1_782_892_800_000)),
            (Moment::Day, Value::from("2026-07-01")),
            (Moment::Pattern("%d-%m-%Y %H:%M".into()), Value::from("01-07-2026 10:00")),
        ] {
            let form = Form::Datetime(form, amsterdam());
            assert_eq!(form.write(&Value::from(summer)), Ok(written), "{form:?}");
        }
        let second = Duration::from_secs(1);
        let earlier = Moment::Standard.parameter(&Value::from(summer), &amsterdam(), second);
        assert_eq!(earlier, Some(Value::from("2026-07-01T09:59:59+02:00")));
        assert!(Form::Datetime(Moment::Standard, TimeZone::UTC).read(Value::from("0000-00-00")).is_err());
    }

    #[test]
    fn dates_are_days() {
        for (form, wire) in [
            (Moment::Standard, Value::from("2026-11-21")),
            (Moment::Standard, Value::from("2026-11-21T23:30:00+01:00")),
            (Moment::Pattern("%d/%m/%Y".into()), Value::from("21/11/2026")),
        ] {
            assert_eq!(Form::Date(form).read(wire), Ok(Value::from("2026-11-21")));
        }
        let form = Form::Date(Moment::Pattern("%d/%m/%Y".into()));
        assert_eq!(form.write(&Value::from("2026-11-21")), Ok(Value::from("21/11/2026")));
    }
}

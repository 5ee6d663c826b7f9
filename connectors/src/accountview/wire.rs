//! Records in Weft's words and rows in AccountView's.
//!
//! Texts are of fixed width and end in spaces, keys keep their leading zeros, moments have no
//! zone, numbers may come as texts; none of that leaves this module.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::TITLE;
use super::layout::{Column, Holds, Table};
use super::settings::is_name;
use crate::contract::{Advice, RemoteError};
use crate::record::{Map, Record, Value};

/// What `FoxPro` means by no date, where it is not the empty text.
const FIRST_YEAR: i16 = 1900;

/// The value of a column; the server answers in capitals, and nobody promises it.
pub(super) fn cell<'a>(row: &'a Map, column: &str) -> Option<&'a Value> {
    row.get(column)
        .or_else(|| row.iter().find(|(name, _)| name.eq_ignore_ascii_case(column)).map(|(_, value)| value))
}

/// A row in our words.
pub(super) fn read(table: &Table, row: &Map, zone: &TimeZone) -> Record {
    let mut record = Record::with_capacity(table.columns.len() + 1);
    for column in &table.columns {
        if let Some(value) = cell(row, &column.read).and_then(|value| ours(column.holds, value, zone)) {
            record.set(column.field.as_str(), value);
        }
    }
    let own: Vec<Value> = table.custom.iter().filter_map(|column| custom(column, row)).collect();
    if !own.is_empty() {
        record.set("custom_fields", own);
    }
    record
}

/// A column of the installation's own, when it has a value.
fn custom(column: &str, row: &Map) -> Option<Value> {
    let value = match cell(row, column)? {
        Value::Text(text) => Value::from(text.part(text.as_str().trim_end())),
        other => other.clone(),
    };
    if value.says_nothing() {
        return None;
    }
    let mut field = Map::with_capacity(2);
    field.set("name", column);
    field.set("value", value);
    Some(field.into())
}

/// A value of theirs in our words; `None` when it says nothing or cannot be what it should be.
fn ours(holds: Holds, value: &Value, zone: &TimeZone) -> Option<Value> {
    match holds {
        Holds::Text | Holds::Upper | Holds::Postcode | Holds::Memo => match value {
            Value::Text(text) => {
                let plain = text.part(text.as_str().trim_end());
                (!plain.as_str().is_empty()).then(|| plain.into())
            }
            Value::Int(number) => Some(number.to_string().into()),
            _ => None,
        },
        Holds::Decimal => decimal(value).map(Value::from),
        Holds::Integer => {
            let number = decimal(value).filter(rust_decimal::Decimal::is_integer)?;
            i64::try_from(number).ok().map(Value::from)
        }
        Holds::Logical => match value {
            Value::Bool(given) => Some((*given).into()),
            Value::Int(number) => Some((*number != 0).into()),
            Value::Text(text) => match text.as_str().trim().to_ascii_lowercase().as_str() {
                "true" | ".t." | "1" => Some(true.into()),
                "false" | ".f." | "0" => Some(false.into()),
                _ => None,
            },
            _ => None,
        },
        Holds::Date => date(value.as_str()?).map(|date| date.to_string().into()),
        Holds::Moment => moment(value.as_str()?, zone).map(Value::from),
    }
}

fn decimal(value: &Value) -> Option<Decimal> {
    value.as_decimal().or_else(|| value.as_str()?.trim().parse().ok())
}

/// The day of a date or moment of theirs.
fn date(text: &str) -> Option<Date> {
    let day: Date = text.trim().get(..10)?.parse().ok()?;
    (day.year() >= FIRST_YEAR).then_some(day)
}

/// RFC 3339 from a local moment, or from one that says its zone.
pub(super) fn moment(text: &str, zone: &TimeZone) -> Option<String> {
    let text = text.trim();
    date(text)?;
    let zoned = match text.parse::<jiff::Timestamp>() {
        Ok(timestamp) => timestamp.to_zoned(zone.clone()),
        Err(_) => text.parse::<DateTime>().ok()?.to_zoned(zone.clone()).ok()?,
    };
    Some(zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}

/// What a field of ours says as a text to search for; `None` when nothing can have it.
pub(super) fn sought(holds: Holds, value: &Value) -> Option<String> {
    let text = match (holds, value) {
        (Holds::Logical, Value::Bool(given)) => return Some(given.to_string()),
        (_, Value::Int(number)) => number.to_string(),
        (_, Value::Decimal(number)) => number.to_string(),
        (_, Value::Text(text)) => text.as_str().trim().to_owned(),
        _ => return None,
    };
    let text = match holds {
        Holds::Upper => text.to_uppercase(),
        Holds::Postcode => postcode(&text),
        _ => text,
    };
    Some(text).filter(|text| !text.is_empty())
}

/// Letter of a filter's value.
pub(super) const fn filter_letter(holds: Holds) -> &'static str {
    match holds {
        Holds::Decimal | Holds::Integer => "N",
        Holds::Logical => "L",
        Holds::Date => "D",
        Holds::Moment => "T",
        Holds::Text | Holds::Upper | Holds::Postcode | Holds::Memo => "C",
    }
}

/// Letter of a column that is written.
pub(super) const fn letter(holds: Holds) -> &'static str {
    match holds {
        Holds::Text | Holds::Upper | Holds::Postcode => "C",
        Holds::Decimal => "N",
        Holds::Integer => "I",
        Holds::Logical => "L",
        Holds::Date | Holds::Moment => "T",
        Holds::Memo => "M",
    }
}

/// A value of ours as the server takes it. Nothing empties the column.
pub(super) fn theirs(column: &Column, value: &Value) -> Result<Value, RemoteError> {
    let misfit = |wanted: &str| refused(format!("{}: `{value}` is not {wanted}", column.field));
    if value.says_nothing() {
        return Ok(match column.holds {
            Holds::Decimal | Holds::Integer => 0.into(),
            Holds::Logical => false.into(),
            _ => "".into(),
        });
    }
    match column.holds {
        Holds::Text | Holds::Upper | Holds::Postcode | Holds::Memo => {
            let text = match value {
                Value::Text(text) => text.as_str().trim_end().to_owned(),
                Value::Int(number) => number.to_string(),
                _ => return Err(misfit("text")),
            };
            Ok(match column.holds {
                Holds::Upper => text.to_uppercase(),
                Holds::Postcode => postcode(&text),
                _ => text,
            }
            .into())
        }
        Holds::Decimal => value.as_decimal().map(Value::from).ok_or_else(|| misfit("a number")),
        Holds::Integer => value.as_int().map(Value::from).ok_or_else(|| misfit("a whole number")),
        Holds::Logical => value.as_bool().map(Value::from).ok_or_else(|| misfit("true or false")),
        Holds::Date | Holds::Moment => {
            let day = value.as_str().and_then(date).ok_or_else(|| misfit("a day such as 2026-11-21"))?;
            Ok(midnight(day).into())
        }
    }
}

/// A day as the server takes it: what it makes of an offset is not known, so none is given a
/// chance to move the day.
pub(super) fn midnight(day: Date) -> String {
    format!("{day}T00:00:00.000Z")
}

/// Column, letter and value of one of the installation's own columns.
pub(super) fn own(field: &Value, path: &str) -> Result<(String, &'static str, Value), RemoteError> {
    let field =
        field.as_map().ok_or_else(|| refused(format!("{path}: holds something that is no record")))?;
    let name = field.text("name").unwrap_or_default().trim().to_ascii_uppercase();
    if !is_name(&name) {
        return Err(refused(format!("{path}: `{name}` is no name of a column")));
    }
    let value = field.get("value").cloned().unwrap_or_default();
    let (letter, value) = match value {
        Value::Bool(_) => ("L", value),
        Value::Int(_) | Value::Decimal(_) => ("N", value),
        Value::Text(text) => match text.parse::<Date>() {
            Ok(day) if text.len() == 10 => ("T", midnight(day).into()),
            _ => ("C", text.into()),
        },
        Value::Null => ("C", "".into()),
        other => return Err(refused(format!("{path}: {name} is {}, which no column holds", other.kind()))),
    };
    Ok((name, letter, value))
}

/// A Dutch postcode with its space, others in capitals.
pub(super) fn postcode(text: &str) -> String {
    let plain: String = text.trim().to_uppercase();
    let close: String = plain.chars().filter(|letter| !letter.is_whitespace()).collect();
    let is_dutch = close.len() == 6
        && close.bytes().take(4).all(|byte| byte.is_ascii_digit())
        && close.bytes().skip(4).all(|byte| byte.is_ascii_uppercase());
    match close.split_at_checked(4).filter(|_| is_dutch) {
        Some((digits, letters)) => format!("{digits} {letters}"),
        None => plain,
    }
}

/// The text of a key of ours.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) if !text.as_str().is_empty() => Some(text.as_str().to_owned()),
        Value::Int(number) => Some(number.to_string()),
        Value::Decimal(number) => Some(number.normalize().to_string()),
        _ => None,
    }
}

/// The texts of several fields as one key.
pub(super) fn joined(record: &Record, fields: &[&str], between: &str) -> Option<String> {
    let parts: Vec<String> =
        fields.iter().map(|field| record.get(field).and_then(text).unwrap_or_default()).collect();
    parts.iter().any(|part| !part.is_empty()).then(|| parts.join(between))
}

/// A record that cannot be sent as it is.
pub(super) fn refused(reason: impl Into<String>) -> RemoteError {
    RemoteError::new(Advice::SkipRecord, TITLE, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amsterdam() -> TimeZone {
        TimeZone::get("Europe/Amsterdam").unwrap()
    }

    #[test]
    fn moments_get_the_zone_of_the_installation() {
        for (theirs, ours) in [
            ("2024-05-03T10:11:12", Some("2024-05-03T10:11:12+02:00")),
            ("2024-01-03T10:11:12", Some("2024-01-03T10:11:12+01:00")),
            ("2024-01-03", Some("2024-01-03T00:00:00+01:00")),
            ("2024-01-03T10:11:12Z", Some("2024-01-03T11:11:12+01:00")),
            ("", None),
            ("1899-12-30T00:00:00", None),
            ("soon", None),
        ] {
            assert_eq!(moment(theirs, &amsterdam()).as_deref(), ours, "{theirs}");
        }
    }

    #[test]
    fn padding_goes_and_leading_zeros_stay() {
        let table = Table::of(
            "CONTACT",
            &[&[("debtor_number", "SUB_NR", Holds::Upper), ("blocked", "REC_BLK", Holds::Logical)]],
        );
        let row: Map =
            [("sub_nr", Value::from("00005     ")), ("REC_BLK", Value::from("TRUE"))].into_iter().collect();
        let record = read(&table, &row, &amsterdam());
        assert_eq!(
            (record.text("debtor_number"), record.get("blocked")),
            (Some("00005"), Some(&true.into()))
        );
    }

    #[test]
    fn postcodes_are_written_as_the_post_does() {
        for (given, kept) in
            [("3511ab", "3511 AB"), ("3511 AB", "3511 AB"), ("b-1000", "B-1000"), ("10115", "10115")]
        {
            assert_eq!(postcode(given), kept);
        }
    }

    #[test]
    fn numbers_that_come_as_texts_are_numbers() {
        let zone = amsterdam();
        assert_eq!(ours(Holds::Decimal, &"49.50".into(), &zone), Some(Decimal::new(4950, 2).into()));
        assert_eq!(ours(Holds::Integer, &Value::Decimal(Decimal::new(70, 1)), &zone), Some(7.into()));
        assert_eq!(ours(Holds::Integer, &"x".into(), &zone), None);
    }
}

//! Records in the service's words and in ours.

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::layout::{Keys, LINE_NAMES, Layout, Lines, Words, pascal};
use super::members::{Entity, Form, entity};
use crate::manifest::{Field, Kind, Named, Resource};
use crate::record::{Map, Record, Value};

/// A record of theirs in our words.
pub(super) fn read(layout: &Layout, resource: &Resource, row: &Map) -> Record {
    let mut record = Record::with_capacity(resource.fields.iter().len());
    for (name, field) in resource.fields.iter().filter(|(_, field)| !field.write_only) {
        let value = match name {
            "id" => key(layout, row).map(Value::from),
            "labels" => labels(layout, row),
            "barcode" => row.at("Barcodes").and_then(Value::as_list).and_then(barcode),
            "lines" => layout.lines.as_ref().and_then(|lines| read_lines(lines, &field.fields, row)),
            _ => row
                .at(&layout.theirs(name))
                .and_then(|value| plain(name, field.kind, layout.words(name), value)),
        };
        if let Some(value) = value {
            record.push(name.into(), value);
        }
    }
    finish(layout, &mut record);
    record
}

/// The stamp of a record that has never been changed: when it was made, or long ago.
fn finish(layout: &Layout, record: &mut Record) {
    let Some((field, _)) = layout.stamp.filter(|(field, _)| record.get(field).is_none()) else { return };
    let made = record.get("created_at").cloned().unwrap_or_else(|| "1970-01-01T00:00:00Z".into());
    record.set(field, made);
}

/// The key of a record of theirs.
pub(super) fn key(layout: &Layout, row: &Map) -> Option<String> {
    match layout.key {
        Keys::Guid => row.at(&layout.theirs("id")).and_then(text),
        Keys::Pair(first, second) => {
            Some(format!("{}/{}", row.get(first).and_then(text)?, row.get(second).and_then(text)?))
        }
    }
}

fn labels(layout: &Layout, row: &Map) -> Option<Value> {
    let member = if layout.resource == "customers" { "CustomerLabels" } else { "ArticleLabels" };
    let labels = row.get(member)?.as_list()?.iter().filter_map(Value::as_map);
    Some(labels.filter_map(|label| label.get("Name").cloned()).collect::<Vec<_>>().into())
}

fn barcode(codes: &[Value]) -> Option<Value> {
    codes
        .iter()
        .filter_map(Value::as_map)
        .find_map(|code| code.get("Barcode").and_then(text))
        .map(Value::from)
}

/// A value without parts.
fn plain(name: &str, kind: Kind, words: Option<Words>, value: &Value) -> Option<Value> {
    if value.says_nothing() {
        return None;
    }
    if let Some(words) = words {
        let number = value.as_decimal()?;
        return words
            .iter()
            .find(|(known, _)| Decimal::from(*known) == number)
            .map(|(_, word)| (*word).into());
    }
    match kind {
        Kind::Text => text(value).map(Value::from),
        Kind::Integer => value.as_int().map(Value::Int),
        Kind::Decimal if name == "discount_percentage" => {
            value.as_decimal().map(|share| Value::Decimal((share * Decimal::ONE_HUNDRED).normalize()))
        }
        Kind::Decimal => value.as_decimal().map(Value::Decimal),
        Kind::Boolean => value.as_bool().map(Value::Bool),
        Kind::Date => {
            value.as_str()?.get(..10).filter(|day| day.parse::<jiff::civil::Date>().is_ok()).map(Value::from)
        }
        Kind::Datetime => moment(value.as_str()?).map(|moment| moment.to_string().into()),
        Kind::Record | Kind::List | Kind::Any => Some(value.clone()),
    }
}

/// A moment as the service writes it: with a zone, without one (then it is UTC), or a day only.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    text.parse()
        .ok()
        .or_else(|| format!("{text}Z").parse().ok())
        .or_else(|| format!("{text}T00:00:00Z").parse().ok())
}

/// An identifier as text; numbers count as identifiers too.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) if !text.is_empty() => Some(text.as_str().to_owned()),
        Value::Int(number) => Some(number.to_string()),
        Value::Decimal(number) => Some(number.normalize().to_string()),
        _ => None,
    }
}

fn read_lines(lines: &Lines, fields: &Named<Field>, row: &Map) -> Option<Value> {
    let with_vat = row.get("IncludesVat").and_then(Value::as_bool).unwrap_or(false);
    let rows = row.get("Rows")?.as_list()?.iter().filter_map(Value::as_map).enumerate();
    Some(
        rows.map(|(at, row)| Value::Map(read_line(lines, fields, row, at, with_vat)))
            .collect::<Vec<_>>()
            .into(),
    )
}

fn read_line(lines: &Lines, fields: &Named<Field>, row: &Map, at: usize, with_vat: bool) -> Record {
    let mut line = Record::new();
    let rate = row.get("VatRate").and_then(Value::as_decimal).map(percent);
    let unit = row.get("UnitPrice").and_then(Value::as_decimal);
    let is_text = row
        .get("IsTextRow")
        .and_then(Value::as_bool)
        .unwrap_or(row.at("ArticleId").is_none_or(Value::is_null));
    for (name, field) in fields.iter() {
        let value = match name {
            "position" => {
                let place = i64::try_from(at).unwrap_or(0) + 1;
                Some(Value::Int(
                    row.get("LineNumber").and_then(Value::as_int).filter(|place| *place > 0).unwrap_or(place),
                ))
            }
            "is_text" => Some(Value::Bool(is_text)),
            "vat_rate" => rate.map(Value::Decimal),
            "price_excl" | "price_incl" if is_text => None,
            "price_excl" => unit.and_then(|unit| footing(unit, rate, with_vat, false)).map(Value::Decimal),
            "price_incl" => unit.and_then(|unit| footing(unit, rate, with_vat, true)).map(Value::Decimal),
            "total_excl" => row.get(lines.total).and_then(|value| plain(name, field.kind, None, value)),
            _ => row.get(&line_name(name)).and_then(|value| plain(name, field.kind, None, value)),
        };
        if let Some(value) = value {
            line.push(name.into(), value);
        }
    }
    line
}

/// What a field of a line is called in the API.
pub(super) fn line_name(field: &str) -> String {
    let special = LINE_NAMES.iter().find(|(ours, _)| *ours == field);
    special.map_or_else(|| pascal(field), |(_, theirs)| (*theirs).to_owned())
}

/// Rates come as 0.25 and as 25; nobody levies one percent or less.
fn percent(rate: Decimal) -> Decimal {
    if rate <= Decimal::ONE { (rate * Decimal::ONE_HUNDRED).normalize() } else { rate }
}

/// The price with VAT or without, from one that is kept the one way or the other. Not known
/// without the rate, unless it is kept the way it is asked for.
fn footing(price: Decimal, rate: Option<Decimal>, has: bool, wants: bool) -> Option<Decimal> {
    if has == wants {
        return Some(price);
    }
    let factor = Decimal::ONE + rate? / Decimal::ONE_HUNDRED;
    let other = if wants { price.checked_mul(factor)? } else { price.checked_div(factor)? };
    Some(other.round_dp_with_strategy(4, rust_decimal::RoundingStrategy::MidpointAwayFromZero).normalize())
}

/// The plain fields of a record in the service's words; parts and lists are for the caller.
pub(super) fn write(layout: &Layout, resource: &Resource, record: &Record) -> Map {
    let mut body = Map::new();
    let members = entity(layout.entity);
    for (name, value) in record.iter() {
        let field = resource.fields.get(name);
        let is_plain =
            field.is_some_and(|field| !matches!(field.kind, Kind::List | Kind::Record) && !field.read_only);
        if !is_plain || matches!(name.as_str(), "barcode" | "invoice_id") {
            continue;
        }
        let theirs = layout.theirs(name);
        match theirs.split_once('.') {
            None => {
                let form = members.and_then(|members| members.member(&theirs)).map(|member| member.form);
                body.set(theirs.as_str(), sent(name, form, layout.words(name), value));
            }
            Some((outer, inner)) => {
                let inner: Map = [(inner, value.clone())].into_iter().collect();
                body.set(outer, if value.says_nothing() { Value::Null } else { inner.into() });
            }
        }
    }
    if let Some(code) =
        record.get("barcode").filter(|_| members.is_some_and(|known| known.member("Barcodes").is_some()))
    {
        let code = (!code.says_nothing()).then(|| {
            Value::Map([("Barcode", code.clone()), ("BarcodeType", Value::Int(0))].into_iter().collect())
        });
        body.set("Barcodes", code.into_iter().collect::<Vec<_>>());
    }
    body
}

/// The plain fields of a line, prices left out.
pub(super) fn write_line(lines: &Lines, line: &Record) -> Map {
    let members = entity(lines.entity);
    let is_ours = |name: &str| matches!(name, "price_excl" | "price_incl" | "article_number");
    let mut row = Map::new();
    for (name, value) in line.iter().filter(|(name, value)| !is_ours(name) && !value.says_nothing()) {
        let theirs = line_name(name);
        let member = members.and_then(|members| members.member(&theirs));
        if let Some(member) = member.filter(|member| !member.read) {
            row.set(theirs.as_str(), sent(name, Some(member.form), None, value));
        }
    }
    row
}

fn sent(name: &str, form: Option<Form>, words: Option<Words>, value: &Value) -> Value {
    if value.says_nothing() {
        // A flag or a number cannot be null there; saying nothing of it is not sending it.
        return match form {
            Some(Form::Boolean) => Value::Bool(false),
            Some(Form::Number) => Value::Int(0),
            _ => Value::Null,
        };
    }
    if let (Some(words), Some(word)) = (words, value.as_str()) {
        return words
            .iter()
            .find(|(_, known)| *known == word)
            .map_or(Value::Null, |(number, _)| (*number).into());
    }
    match (form, value) {
        (_, Value::Decimal(_) | Value::Int(_)) if name == "discount_percentage" => {
            let share = value.as_decimal().unwrap_or_default() / Decimal::ONE_HUNDRED;
            Value::Decimal(share.normalize())
        }
        (Some(Form::Integer), Value::Text(text)) => {
            text.parse::<i64>().map_or_else(|_| value.clone(), Value::Int)
        }
        _ => value.clone(),
    }
}

/// A record as it was read, ready to be sent back: without what only the service writes.
pub(super) fn sent_back(layout: &Layout, row: &Map) -> Map {
    let kept_out = |name: &str| layout.kept_out.contains(&name);
    let mut body = writable(entity(layout.entity), row, kept_out);
    if let (Some(lines), Some(rows)) = (layout.lines, row.get("Rows").and_then(Value::as_list)) {
        let rows = rows.iter().filter_map(Value::as_map);
        let rows: Vec<Value> = rows
            .map(|row| Value::Map(writable(entity(lines.entity), row, |name| name == lines.total)))
            .collect();
        body.set("Rows", rows);
    }
    body
}

fn writable(entity: Option<&Entity>, row: &Map, kept_out: impl Fn(&str) -> bool) -> Map {
    // A member that is not known may be a new one that would be lost if it were left out.
    let is_read_only =
        |name: &str| entity.and_then(|entity| entity.member(name)).is_some_and(|member| member.read);
    row.iter()
        .filter(|(name, _)| !is_read_only(name) && !kept_out(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

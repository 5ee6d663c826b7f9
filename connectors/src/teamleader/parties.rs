//! Companies and contacts: mail addresses, numbers and addresses stand in lists on the wire,
//! and a list that is written takes the place of the old one whole.

use super::wire::{Shape, map, skip, text};
use crate::contract::RemoteError;
use crate::record::{Map, Record, Value};

/// Our fields for mail addresses, and their type.
const EMAILS: [(&str, &str); 2] = [("email", "primary"), ("invoicing_email", "invoicing")];

/// Our fields for numbers, and their type.
const NUMBERS: [(&str, &str); 3] = [("phone", "phone"), ("mobile", "mobile"), ("fax", "fax")];

/// Our fields for addresses, and their type.
const ADDRESSES: [(&str, &str); 4] = [
    ("primary_address", "primary"),
    ("invoicing_address", "invoicing"),
    ("delivery_address", "delivery"),
    ("visiting_address", "visiting"),
];

/// Puts the entries of their lists into our fields.
pub(super) fn read(resource: &str, record: &mut Record, row: &Map) {
    read_email(record, row);
    if let Some(email) = entry(row, "emails", "invoicing").and_then(|entry| text(entry, "email")) {
        record.set("invoicing_email", email);
    }
    for (field, kind) in NUMBERS {
        if let Some(number) = entry(row, "telephones", kind).and_then(|entry| text(entry, "number")) {
            record.set(field, number);
        }
    }
    for (field, kind) in ADDRESSES {
        let listed = entry(row, "addresses", kind).and_then(|entry| entry.get("address"));
        let only = row.get("primary_address").filter(|_| kind == "primary");
        if let Some(address) = listed.or(only).and_then(Value::as_map) {
            let address = read_address(address, field != "primary_address");
            if !address.is_empty() {
                record.set(field, address);
            }
        }
    }
    if resource == "contacts" {
        let names = [text(row, "first_name"), text(row, "last_name")];
        record.set("full_name", names.into_iter().flatten().collect::<Vec<_>>().join(" "));
    }
}

/// The primary mail address.
pub(super) fn read_email(record: &mut Record, row: &Map) {
    if let Some(email) = entry(row, "emails", "primary").and_then(|entry| text(entry, "email")) {
        record.set("email", email);
    }
}

fn entry<'a>(row: &'a Map, list: &str, kind: &str) -> Option<&'a Map> {
    let entries = row.get(list)?.as_list()?.iter().filter_map(Value::as_map);
    entries.into_iter().find(|entry| entry.text("type") == Some(kind))
}

fn read_address(wire: &Map, with_addressee: bool) -> Record {
    let mut address = Record::new();
    for name in ["line_1", "postal_code", "city", "country"] {
        if let Some(value) = text(wire, name) {
            address.set(name, value);
        }
    }
    if let Some(area) = text(wire, "area_level_two.id") {
        address.set("area_level_two_id", area);
    }
    if let Some(addressee) = text(wire, "addressee").filter(|_| with_addressee) {
        address.set("addressee", addressee);
    }
    address
}

/// True when the record says something about a list, which then has to be written whole.
pub(super) fn touches_lists(record: &Record) -> bool {
    let fields = EMAILS.iter().chain(&NUMBERS).chain(&ADDRESSES);
    fields.into_iter().any(|(field, _)| record.get(field).is_some())
}

/// Their body of a record of ours. `current` is theirs as it is now; entries that the record
/// does not speak of stay.
pub(super) fn write(shape: &Shape, record: &Record, current: Option<&Map>) -> Result<Map, RemoteError> {
    let mut body = shape.write(record)?;
    let spoken = |fields: &[(&str, &str)]| fields.iter().any(|(field, _)| record.get(field).is_some());
    if spoken(&EMAILS) {
        let entry = |kind: &str, value: &Value| {
            Ok(map([("type", Value::from(kind)), ("email", value.clone())]))
        };
        body.set("emails", list(record, current, "emails", &EMAILS, entry, |old| Ok(old.clone()))?);
    }
    if spoken(&NUMBERS) {
        let entry = |kind: &str, value: &Value| {
            Ok(map([("type", Value::from(kind)), ("number", value.clone())]))
        };
        body.set("telephones", list(record, current, "telephones", &NUMBERS, entry, |old| Ok(old.clone()))?);
    }
    if spoken(&ADDRESSES) {
        let entry = |kind: &str, value: &Value| {
            let address = value.as_map().cloned().unwrap_or_default();
            address_entry(kind, &address)
        };
        let keep = |old: &Map| {
            let address = old.get("address").and_then(Value::as_map);
            let address = address.map(|address| read_address(address, true)).unwrap_or_default();
            address_entry(old.text("type").unwrap_or_default(), &address)
        };
        body.set("addresses", list(record, current, "addresses", &ADDRESSES, entry, keep)?);
    }
    Ok(body)
}

/// A list as it has to be afterwards: the first entry of a type that the record speaks of is
/// replaced or taken out, all others are kept.
fn list(
    record: &Record,
    current: Option<&Map>,
    name: &str,
    fields: &[(&str, &str)],
    entry: impl Fn(&str, &Value) -> Result<Map, RemoteError>,
    keep: impl Fn(&Map) -> Result<Map, RemoteError>,
) -> Result<Value, RemoteError> {
    let old = current.and_then(|current| current.get(name)).and_then(Value::as_list).unwrap_or_default();
    let mut left: Vec<(&str, &Value)> =
        fields.iter().filter_map(|(field, kind)| Some((*kind, record.get(field)?))).collect();
    let mut entries = Vec::new();
    for old in old.iter().filter_map(Value::as_map) {
        match left.iter().position(|(kind, _)| old.text("type") == Some(*kind)) {
            Some(at) => {
                let (kind, value) = left.remove(at);
                if !value.says_nothing() {
                    entries.push(Value::Map(entry(kind, value)?));
                }
            }
            None => entries.push(Value::Map(keep(old)?)),
        }
    }
    for (kind, value) in left.into_iter().filter(|(_, value)| !value.says_nothing()) {
        entries.push(Value::Map(entry(kind, value)?));
    }
    Ok(Value::List(entries))
}

fn address_entry(kind: &str, address: &Record) -> Result<Map, RemoteError> {
    let Some(country) = text(address, "country") else {
        return Err(skip(format!("the {kind} address has no country, and Teamleader takes none without"))
            .with_help("give the country as two letters"));
    };
    let mut wire = Map::new();
    // These must be there, if only to say that they are unknown.
    for name in ["line_1", "postal_code", "city"] {
        wire.set(name, text(address, name));
    }
    wire.set("country", country.to_uppercase());
    for name in ["area_level_two_id", "addressee"] {
        if let Some(value) = text(address, name) {
            wire.set(name, value);
        }
    }
    Ok(map([("type", Value::from(kind)), ("address", Value::Map(wire))]))
}

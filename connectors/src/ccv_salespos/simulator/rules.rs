//! What a body must look like.

use super::books::{Books, Refusal, refuse};
use super::tables::{ADDRESS, Column, PERSON, Type};
use crate::record::{Map, Value};

/// Checks a body against the members that it may have; required ones only when it is new.
pub(super) fn check(books: &Books, columns: &[Column], body: &Map, is_new: bool) -> Result<(), Refusal> {
    for column in columns.iter().filter(|column| column.required) {
        let given = body.get(column.name);
        if (is_new && given.is_none()) || given.is_some_and(Value::is_null) {
            return refuse("400.10", format!("Property {} is required.", column.name));
        }
    }
    for (name, value) in body.iter() {
        let Some(column) = columns.iter().find(|column| column.name == name.as_str()) else {
            if books.options.refuses_unknown_members {
                return refuse("400.10", format!("Property {name} is not defined in the schema."));
            }
            continue;
        };
        if !value.is_null() {
            fits(column, value)?;
        }
    }
    Ok(())
}

fn fits(column: &Column, value: &Value) -> Result<(), Refusal> {
    let name = column.name;
    let is_right = match column.kind {
        Type::Int => value.as_int().is_some(),
        Type::Num => value.as_decimal().is_some(),
        Type::Bool => value.as_bool().is_some(),
        Type::Text(_) => value.as_str().is_some(),
        Type::Words(words) => match value.as_str() {
            Some(word) if words.contains(&word) => true,
            Some(word) => {
                return refuse("400.10", format!("Value {word} of {name} is not in the enumeration."));
            }
            None => false,
        },
        Type::Object => value.as_map().is_some(),
        Type::List => value.as_list().is_some(),
        Type::Any => true,
    };
    if !is_right {
        return refuse("400.10", format!("Property {name} has the wrong type: {}.", value.kind()));
    }
    if let (Type::Text(longest), Some(text)) = (column.kind, value.as_str())
        && text.chars().count() > longest
    {
        return refuse("400.10", format!("Property {name} is longer than {longest} characters."));
    }
    Ok(())
}

/// Checks what an order or an account says of a person.
pub(super) fn check_person(books: &Books, person: &Map) -> Result<(), Refusal> {
    check(books, PERSON, person, false)?;
    for (name, forbidden) in [("billingaddress", ""), ("deliveryaddress", "fax")] {
        let Some(address) = person.get(name).and_then(Value::as_map) else { continue };
        check(books, ADDRESS, address, false)?;
        let has = |member: &str| address.get(member).is_some_and(|value| !value.says_nothing());
        if (has("address_line_1") || has("address_line_2")) && (has("street") || has("housenumber")) {
            return refuse("400.10", format!("Give {name} either address lines or street and housenumber."));
        }
        if has(forbidden) || (name == "deliveryaddress" && (has("first_name") || has("last_name"))) {
            return refuse("400.10", format!("A property of {name} is not defined in the schema."));
        }
    }
    Ok(())
}

/// A key that must lead to a record.
pub(super) fn refers(books: &Books, body: &Map, member: &str, table: &str) -> Result<(), Refusal> {
    match body.get(member).and_then(Value::as_int) {
        Some(key) if books.row(table, key).is_none() => {
            refuse("400.10", format!("The {member} {key} does not exist."))
        }
        _ => Ok(()),
    }
}

/// The two addresses of a person with what the shop works out itself.
pub(super) fn completed_person(mut person: Map) -> Map {
    for name in ["billingaddress", "deliveryaddress"] {
        let Some(Value::Map(address)) = person.get_mut(name) else { continue };
        let text = |address: &Map, member: &str| match address.get(member) {
            Some(Value::Text(text)) => text.as_str().to_owned(),
            Some(Value::Int(number)) => number.to_string(),
            _ => String::new(),
        };
        if name == "billingaddress" {
            let full = format!("{} {}", text(address, "first_name"), text(address, "last_name"));
            address.set("full_name", full.trim());
        }
        if !text(address, "street").is_empty() {
            let (number, suffix) = (text(address, "housenumber"), text(address, "housenumber_suffix"));
            let line = format!("{} {number}{suffix}", text(address, "street"));
            address.set("address_line_1", line.trim());
        }
        let country = match text(address, "country_code").as_str() {
            "NL" => "Nederland",
            "BE" => "België",
            "DE" => "Duitsland",
            _ => "",
        };
        address.set("country", country);
        // The real service sends every member, empty ones too.
        for member in ["address_line_2", "province", "telephone", "mobile", "comment", "housenumber_suffix"] {
            if address.get(member).is_none() {
                address.set(member, "");
            }
        }
    }
    person
}

/// Puts a person's changes over what is there.
pub(super) fn merged_person(books: &Books, old: Option<&Map>, new: &Map) -> Map {
    let mut person = old.cloned().unwrap_or_default();
    for (name, value) in new.iter() {
        match (person.get_mut(name), value) {
            (Some(Value::Map(old)), Value::Map(new)) if !books.options.patch_replaces_addresses => {
                let gives_street = new.get("street").is_some_and(|street| !street.says_nothing());
                let gives_line = new.get("address_line_1").is_some_and(|line| !line.says_nothing());
                if gives_street || gives_line {
                    for member in
                        ["street", "housenumber", "housenumber_suffix", "address_line_1", "address_line_2"]
                    {
                        old.remove(member);
                    }
                }
                new.iter().for_each(|(member, value)| drop(old.set(member, value.clone())));
            }
            _ => drop(person.set(name, value.clone())),
        }
    }
    completed_person(person)
}

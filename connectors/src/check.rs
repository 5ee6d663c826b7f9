//! Whether a record has the fields and types that a manifest promises.
//!
//! The conformance suite holds connectors to it, and the engine may ask before it sends. Each
//! problem is one line that names its field: `lines[2].sku: is integer, not text`.

use crate::manifest::{Field, Kind, Named};
use crate::record::{Map, Value};

/// What is wrong with a record in either direction: unknown fields, types, lengths, texts that
/// may not be. Fields may be left out or null.
#[must_use]
pub fn check_record(fields: &Named<Field>, record: &Map) -> Vec<String> {
    let mut problems = Vec::new();
    check_map(fields, record, "", Way::Either, &mut problems);
    problems
}

/// The same for a record that was read: nothing in it is write-only.
#[must_use]
pub fn check_read(fields: &Named<Field>, record: &Map) -> Vec<String> {
    let mut problems = Vec::new();
    check_map(fields, record, "", Way::Read, &mut problems);
    problems
}

/// The same for a record that is to be written: nothing in it is read-only, and when it is
/// created nothing that is required is left out.
#[must_use]
pub fn check_write(fields: &Named<Field>, record: &Map, creating: bool) -> Vec<String> {
    let mut problems = Vec::new();
    let way = if creating { Way::Create } else { Way::Update };
    check_map(fields, record, "", way, &mut problems);
    problems
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Either,
    Read,
    Create,
    Update,
}

fn check_map(fields: &Named<Field>, record: &Map, prefix: &str, way: Way, problems: &mut Vec<String>) {
    for (name, value) in record.iter() {
        let path = format!("{prefix}{name}");
        let Some(field) = fields.get(name) else {
            problems.push(format!("{path}: is not a field of the manifest"));
            continue;
        };
        if way == Way::Read && field.write_only {
            problems.push(format!("{path}: can only be written"));
        }
        if matches!(way, Way::Create | Way::Update) && field.read_only {
            problems.push(format!("{path}: can only be read"));
        }
        check_value(field, value, &path, way, problems);
    }
    // An update leaves fields out, but a part that it writes is written whole.
    if way == Way::Create || (way == Way::Update && !prefix.is_empty()) {
        for (name, _) in fields.iter().filter(|(_, field)| field.required) {
            if record.get(name).is_none_or(Value::says_nothing) {
                problems.push(format!("{prefix}{name}: is required"));
            }
        }
    }
}

fn check_value(field: &Field, value: &Value, path: &str, way: Way, problems: &mut Vec<String>) {
    let wrong_kind = |problems: &mut Vec<String>, kind: &str| {
        problems.push(format!("{path}: is {}, not {kind}", value.kind()));
    };
    match (field.kind, value) {
        (_, Value::Null) | (Kind::Any, _) => {}
        (Kind::Record, Value::Map(map)) => {
            if !field.fields.is_empty() {
                check_map(&field.fields, map, &format!("{path}."), way, problems);
            }
        }
        (Kind::List, Value::List(items)) => {
            for (at, item) in items.iter().enumerate() {
                let path = format!("{path}[{at}]");
                match item {
                    Value::Map(map) if !field.fields.is_empty() => {
                        check_map(&field.fields, map, &format!("{path}."), way, problems);
                    }
                    _ if field.fields.is_empty() => {
                        check_single(field, field.items.unwrap_or(Kind::Any), item, &path, problems);
                    }
                    _ => problems.push(format!("{path}: is {}, not a record", item.kind())),
                }
            }
        }
        (Kind::Record, _) => wrong_kind(problems, "record"),
        (Kind::List, _) => wrong_kind(problems, "list"),
        (kind, _) => check_single(field, kind, value, path, problems),
    }
}

/// A value that has no parts.
fn check_single(field: &Field, kind: Kind, value: &Value, path: &str, problems: &mut Vec<String>) {
    let fits = match kind {
        Kind::Any => true,
        Kind::Integer => value.as_int().is_some(),
        Kind::Decimal => value.as_decimal().is_some(),
        Kind::Boolean => value.as_bool().is_some(),
        Kind::Text | Kind::Date | Kind::Datetime => value.as_str().is_some(),
        Kind::Record => value.as_map().is_some(),
        Kind::List => value.as_list().is_some(),
    };
    if !fits {
        problems.push(format!("{path}: is {}, not {}", value.kind(), name(kind)));
        return;
    }
    let Some(text) = value.as_str() else { return };
    match kind {
        _ if text.is_empty() => problems.push(format!("{path}: is empty; leave it out")),
        Kind::Date if !is_date(text) => {
            problems.push(format!("{path}: `{text}` is no date like 2026-11-21"));
        }
        Kind::Datetime if !is_moment(text) => {
            problems.push(format!("{path}: `{text}` is no moment like 2026-11-21T09:30:00+01:00"));
        }
        Kind::Text => check_text(field, text, path, problems),
        _ => {}
    }
}

fn check_text(field: &Field, text: &str, path: &str, problems: &mut Vec<String>) {
    let length = text.chars().count();
    if let Some(most) = field.max_length.filter(|most| length > *most) {
        problems.push(format!("{path}: has {length} characters, {most} are allowed"));
    }
    if field.digits_only && !text.bytes().all(|byte| byte.is_ascii_digit()) {
        problems.push(format!("{path}: `{text}` is not digits only"));
    }
    if !field.values.is_empty() && !field.values.iter().any(|value| value == text) {
        problems.push(format!("{path}: `{text}` is none of {}", field.values.join(", ")));
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

/// RFC 3339: a `T` in the middle and a zone at the end.
fn is_moment(text: &str) -> bool {
    text.as_bytes().get(10) == Some(&b'T') && !text.contains('[') && text.parse::<jiff::Timestamp>().is_ok()
}

const fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Integer => "integer",
        Kind::Decimal => "decimal",
        Kind::Boolean => "boolean",
        Kind::Date => "date",
        Kind::Datetime => "datetime",
        Kind::Record => "record",
        Kind::List => "list",
        Kind::Any => "anything",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::Manifest;
    use crate::record::read_json;

    const FIELDS: &str = r#"
        name = "toy"
        title = "Toy"
        about = "Toy."
        [resources.things]
        about = "Things."
        key = "id"
        [resources.things.fields]
        id = { read_only = true }
        code = { required = true, max_length = 4, digits_only = true }
        state = { values = ["open", "shut"] }
        pin = { write_only = true }
        amount = { type = "integer" }
        price = { type = "decimal" }
        good = { type = "boolean" }
        day = { type = "date" }
        at = { type = "datetime" }
        home = { type = "record", fields = { city = { required = true } } }
        lines = { type = "list", fields = { sku = {} } }
        tags = { type = "list", items = "text" }
        extra = { type = "any" }
    "#;

    #[track_caller]
    fn check(way: Way, json: &str, expected: &[&str]) {
        let manifest = Manifest::from_toml(FIELDS).unwrap();
        let fields = &manifest.resources.get("things").unwrap().fields;
        let value = read_json(&json.as_bytes().to_vec().into()).unwrap();
        let record = value.as_map().unwrap();
        let problems = match way {
            Way::Either => check_record(fields, record),
            Way::Read => check_read(fields, record),
            Way::Create => check_write(fields, record, true),
            Way::Update => check_write(fields, record, false),
        };
        assert_eq!(problems, expected);
    }

    #[test]
    fn good_records_pass() {
        let all = r#"{"id":"1","code":"0123","state":"open","amount":3,"price":12,"good":true,
            "day":"2026-11-21","at":"2026-11-21T09:30:00+01:00","home":{"city":"Delft"},
            "lines":[{"sku":"A"},{}],"tags":["x"],"extra":[1,{}]}"#;
        check(Way::Read, all, &[]);
        check(Way::Either, r#"{"at":"2026-11-21T08:30:00.123Z","price":1.10,"pin":null}"#, &[]);
        check(Way::Create, r#"{"code":"1"}"#, &[]);
        check(Way::Update, r#"{"state":"shut"}"#, &[]);
    }

    #[test]
    fn each_problem_names_its_field() {
        check(
            Way::Either,
            r#"{"id":7,"code":"01x45","state":"ajar","amount":1.5,"price":"1.50","good":1,"home":[],"nope":1}"#,
            &[
                "id: is integer, not text",
                "code: has 5 characters, 4 are allowed",
                "code: `01x45` is not digits only",
                "state: `ajar` is none of open, shut",
                "amount: is decimal, not integer",
                "price: is text, not decimal",
                "good: is integer, not boolean",
                "home: is list, not record",
                "nope: is not a field of the manifest",
            ],
        );
        check(
            Way::Either,
            r#"{"day":"21-11-2026","at":"2026-11-21T09:30:00","lines":[{"sku":1},"x"],"tags":[1],"id":""}"#,
            &[
                "day: `21-11-2026` is no date like 2026-11-21",
                "at: `2026-11-21T09:30:00` is no moment like 2026-11-21T09:30:00+01:00",
                "lines[0].sku: is integer, not text",
                "lines[1]: is text, not a record",
                "tags[0]: is integer, not text",
                "id: is empty; leave it out",
            ],
        );
    }

    #[test]
    fn directions_differ() {
        check(Way::Read, r#"{"pin":"1"}"#, &["pin: can only be written"]);
        check(
            Way::Create,
            r#"{"id":"1","home":{}}"#,
            &["id: can only be read", "home.city: is required", "code: is required"],
        );
        check(Way::Update, r#"{"home":{}}"#, &["home.city: is required"]);
    }
}

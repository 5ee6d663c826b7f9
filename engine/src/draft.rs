//! The draft of a profile: a file that checks at once, with a mark at everything that the
//! vendor's documentation has to say. From an answer of the system its fields are taken over.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Map, Value};

use crate::project::{Project, read_text};
use crate::trouble::{Trouble, why};

/// How deep records within records are taken over.
const DEEPEST: usize = 3;

/// Writes `systems/NAME.toml` and gives its path within the project.
pub fn profile(project: &Project, name: &str, answer: Option<&Path>) -> Result<String, Trouble> {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if !name.starts_with(|first: char| first.is_ascii_lowercase()) || !name.chars().all(plain) {
        return Err(Trouble::new("R066", format!("`{name}` cannot be the name of a system"))
            .help("use small letters, digits and `_`, a letter first: `tulip_shop`"));
    }
    if project.systems.contains_key(name) {
        return Err(Trouble::new("R066", format!("there is a system `{name}` already"))
            .help("choose another name, or work on the profile that is there"));
    }
    let answer = answer.map(sample).transpose()?;
    let text = text(name, answer.as_ref());
    let path = format!("systems/{name}.toml");
    let failed = |error: &std::io::Error| {
        Trouble::new("R066", format!("cannot write `{path}`: {}", why(error)))
            .help("give this user the right to write in the project's folder")
    };
    std::fs::create_dir_all(project.root.join("systems")).map_err(|error| failed(&error))?;
    let mut file = std::fs::File::create_new(project.root.join(&path)).map_err(|error| failed(&error))?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(|error| failed(&error))?;
    Ok(path)
}

/// One record of an answer, and the JSONPath to its kind.
struct Sample {
    records: String,
    record: Map<String, Value>,
}

fn sample(path: &Path) -> Result<Sample, Trouble> {
    let text = read_text(path)?;
    let answer: Value = serde_json::from_str(&text).map_err(|error| {
        Trouble::new("R066", format!("`{}` is not JSON: {error}", path.display()))
            .help("save the body of one answer of the system, as it came")
    })?;
    find(&answer, "$", DEEPEST).ok_or_else(|| {
        Trouble::new("R066", format!("`{}` holds no record", path.display()))
            .help("save an answer to a list that is not empty")
    })
}

/// The first list of objects; else the object itself.
fn find(value: &Value, path: &str, depth: usize) -> Option<Sample> {
    match value {
        Value::Array(items) => {
            let record = items.iter().find_map(Value::as_object)?.clone();
            Some(Sample { records: format!("{path}[*]"), record })
        }
        Value::Object(map) => {
            let within = map.iter().filter(|_| depth > 0).find_map(|(name, value)| match value {
                Value::Array(_) | Value::Object(_) => {
                    find(value, &format!("{path}{}", step(name)), depth - 1)
                        .filter(|sample| sample.records.ends_with("[*]"))
                }
                _ => None,
            });
            within.or_else(|| Some(Sample { records: path.to_owned(), record: map.clone() }))
        }
        _ => None,
    }
}

fn step(name: &str) -> String {
    let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    if plain { format!(".{name}") } else { format!("['{}']", name.replace('\'', "\\'")) }
}

fn text(name: &str, answer: Option<&Sample>) -> String {
    let title = name.replace('_', " ");
    let mut text = format!(
        r#"# A draft. Everything marked with `?` is a guess: look it up in the vendor's documentation.
# docs/profiles.md explains each key; `weft check` reads this file, `weft doctor` tries it.
name = "{name}"
title = "{title}"                       # ? its name for people
about = "Records of {title}."
# Until an account has shown that all of this is so. `weft doctor` tells what holds.
contract = "assumed"

[settings.address]
about = "Address of the account, https:// included."

[settings.api_key]
about = "Key of the interface."         # ? where in the system it is found
secret = true

[connection]
address = "{{settings.address}}/api"    # ? start of every address
# ? how to sign in: api_key, bearer, basic, login, oauth2_client_credentials, oauth2_authorization_code
sign_in = {{ kind = "api_key", header = "X-Api-Key", value = "{{settings.api_key}}" }}
# per_minute = 60                       # ? calls a minute that it allows
# reason = "$.error.message"            # ? where refusals say why

[resources.records]                     # ? orders, products, customers
about = "Records."
key = "{key}"                           # ? what identifies a record for ever

[resources.records.fetch]
path = "/records"                       # ?
records = "{records}"
# ? page, offset, cursor, link_header, next_url, keyset or none
paging = {{ kind = "page", size = 50 }}
# since = {{ modified_at = "updated_since" }}   # ? how to ask for what has changed

# [[resources.records.find]]
# by = ["{key}"]
# unique = true
# path = "/records/{{{key}}}"             # ?
# records = "$"

"#,
        key = answer.map_or("id".to_owned(), key),
        records = answer.map_or("$[*]", |sample| sample.records.as_str()),
    );
    match answer {
        Some(sample) => {
            fields(&mut text, "resources.records.fields", &sample.record, DEEPEST, &key(sample));
        }
        None => text.push_str("[resources.records.fields]\nid = { wire = \"number\", read_only = true }\n"),
    }
    text
}

/// What looks like the key of a record.
fn key(sample: &Sample) -> String {
    let names = || sample.record.keys();
    let is = |wanted: &str| names().find(|name| name.eq_ignore_ascii_case(wanted));
    let found = ["id", "uuid", "number", "no", "nr", "code", "sku"].iter().find_map(|wanted| is(wanted));
    found.or_else(|| names().next()).map_or_else(|| "id".to_owned(), |name| ours(name))
}

/// A name of theirs as we write names: `orderDate` is `order_date`.
fn ours(name: &str) -> String {
    let mut text = String::new();
    let mut before = '_';
    for letter in name.chars() {
        let plain = if letter.is_ascii_alphanumeric() { letter } else { '_' };
        if plain.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit()) {
            text.push('_');
        }
        if !(plain == '_' && text.ends_with('_')) {
            text.push(plain.to_ascii_lowercase());
        }
        before = plain;
    }
    let text = text.trim_matches('_').to_owned();
    if text.starts_with(|first: char| first.is_ascii_lowercase()) { text } else { format!("n_{text}") }
}

/// Fields of a record; `key` is the one that identifies it, where there is one.
fn fields(text: &mut String, at: &str, record: &Map<String, Value>, depth: usize, key: &str) {
    let _ = writeln!(text, "[{at}]");
    let mut nested = Vec::new();
    let mut taken = std::collections::BTreeSet::new();
    for (theirs, value) in record {
        let name = ours(theirs);
        if !taken.insert(name.clone()) {
            continue;
        }
        let inner = match value {
            Value::Object(map) => Some(("record", map)),
            Value::Array(items) => items.first().and_then(Value::as_object).map(|map| ("list", map)),
            _ => None,
        };
        if let Some((kind, map)) = inner.filter(|(_, map)| depth > 0 && !map.is_empty()) {
            nested.push((name, theirs, kind, map));
        } else {
            let facts = facts(&name, theirs, value, key).join(", ");
            let facts = if facts.is_empty() { facts } else { format!(" {facts} ") };
            let _ = writeln!(text, "{name} = {{{facts}}}");
        }
    }
    for (name, theirs, kind, map) in nested {
        let _ = writeln!(text, "\n[{at}.{name}]\ntype = \"{kind}\"");
        if name != *theirs {
            let _ = writeln!(text, "from = {}", quoted(theirs));
        }
        let _ = writeln!(text);
        fields(text, &format!("{at}.{name}.fields"), map, depth - 1, "");
    }
}

fn facts(name: &str, theirs: &str, value: &Value, key: &str) -> Vec<String> {
    let mut facts = Vec::new();
    let ends = ["_id", "number", "code"].iter().any(|end| name.ends_with(end));
    let identifies = name == "id" || name == key || ends;
    match value {
        Value::Bool(_) => facts.push("type = \"boolean\"".to_owned()),
        // Identifiers are text, whatever the system has.
        Value::Number(_) if identifies => facts.push("wire = \"number\"".to_owned()),
        // One that is whole here may not be elsewhere.
        Value::Number(_) => facts.push("type = \"decimal\"".to_owned()),
        Value::String(text) if text.parse::<jiff::Timestamp>().is_ok() => {
            facts.push("type = \"datetime\"".to_owned());
        }
        Value::String(text) if text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10 => {
            facts.push("type = \"date\"".to_owned());
        }
        Value::Array(_) | Value::Object(_) => facts.push("type = \"any\"".to_owned()),
        Value::String(_) | Value::Null => {}
    }
    if name == "id" {
        facts.push("read_only = true".to_owned());
    }
    if name != theirs {
        facts.push(format!("from = {}", quoted(theirs)));
    }
    facts
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use connectors::profile::Profile;

    use super::*;

    #[test]
    fn a_draft_checks_at_once() {
        let text = text("tulip_shop", None);
        Profile::load("systems/tulip_shop.toml", &text).unwrap();
    }

    #[test]
    fn fields_are_taken_over_from_an_answer() {
        let answer = serde_json::json!({ "meta": { "total": 1 }, "data": [{
            "id": 7, "orderDate": "2026-11-21", "updated": "2026-11-21T09:30:00Z", "paid": true,
            "total": 19.95, "Ref-No": "W-17", "note": null, "tags": ["a"],
            "customer": { "e-mail": "a@b.example", "address": { "city": "Delft" } },
            "lines": [{ "sku": "1", "qty": 2 }],
        }]});
        let sample = find(&answer, "$", DEEPEST).unwrap();
        let text = text("tulip", Some(&sample));
        Profile::load("systems/tulip.toml", &text).unwrap();
        let (_, fields) = text.split_once("[resources.records.fields]").unwrap();
        insta::assert_snapshot!(fields);
        assert!(text.contains("records = \"$.data[*]\""));
    }

    #[test]
    fn a_key_is_text_whatever_it_is_called() {
        let answer = serde_json::json!({ "list": [{ "isbn": "1", "No": 7, "stock": 2 }] });
        let text = text("library", find(&answer, "$", DEEPEST).as_ref());
        Profile::load("systems/library.toml", &text).unwrap();
        assert!(text.contains("key = \"no\""), "{text}");
        assert!(text.contains("no = { wire = \"number\", from = \"No\" }"), "{text}");
    }

    #[test]
    fn names_become_ours() {
        for (theirs, name) in
            [("orderDate", "order_date"), ("VAT-code", "vat_code"), ("2nd", "n_2nd"), ("IBAN", "iban")]
        {
            assert_eq!(ours(theirs), name);
        }
    }
}

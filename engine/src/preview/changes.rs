//! Two records, field by field: what was there and what comes.

use connectors::record::{Record, Value};

/// One field that changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Path of the field: `lines[0].price`.
    pub field: String,
    /// What was there; nothing where the record is new.
    pub old: Option<Value>,
    /// What comes; nothing where it goes.
    pub new: Option<Value>,
}

/// Fields in which `new` says something else than `old`. Parts are gone into as far as both have
/// them.
#[must_use]
pub fn changes(old: &Record, new: &Record) -> Vec<Change> {
    let mut all = Vec::new();
    of_records(old, new, "", &mut all);
    all
}

fn of_records(old: &Record, new: &Record, prefix: &str, all: &mut Vec<Change>) {
    for (name, value) in new.iter() {
        of_values(old.get(name), Some(value), &format!("{prefix}{name}"), all);
    }
}

fn of_values(old: Option<&Value>, new: Option<&Value>, path: &str, all: &mut Vec<Change>) {
    static NOTHING: Record = Record::new();
    let absent = |value: Option<&Value>| value.is_none_or(Value::is_null);
    match (old, new) {
        (Some(Value::Map(old)), Some(Value::Map(new))) => of_records(old, new, &format!("{path}."), all),
        (_, Some(Value::Map(new))) if absent(old) && !new.is_empty() => {
            of_records(&NOTHING, new, &format!("{path}."), all);
        }
        (Some(Value::List(old)), Some(Value::List(new))) if !(old.is_empty() || new.is_empty()) => {
            of_lists(old, new, path, all);
        }
        (_, Some(Value::List(new))) if absent(old) && !new.is_empty() => of_lists(&[], new, path, all),
        (Some(old), Some(new)) if old.says_the_same_as(new) => {}
        _ => all.push(Change {
            field: path.to_owned(),
            old: old.filter(|value| !value.is_null()).cloned(),
            new: new.cloned(),
        }),
    }
}

fn of_lists(old: &[Value], new: &[Value], path: &str, all: &mut Vec<Change>) {
    for at in 0..old.len().max(new.len()) {
        of_values(old.get(at), new.get(at), &format!("{path}[{at}]"), all);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connectors::record::read_json;

    fn told(old: &str, new: &str) -> String {
        let record = |text: &str| match read_json(&text.to_owned().into()).unwrap() {
            Value::Map(map) => map,
            other => panic!("{other:?} is no record"),
        };
        let text = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), ToString::to_string);
        changes(&record(old), &record(new))
            .iter()
            .map(|change| format!("{}: {} → {}", change.field, text(&change.old), text(&change.new)))
            .collect::<Vec<_>>()
            .join("\n")
    }

    #[test]
    fn each_field_that_differs_is_told_with_its_path() {
        let old = r#"{"name":"A","price":12.0,"lines":[{"sku":"1","n":1},{"sku":"2","n":2}],"gone":null}"#;
        let new = r#"{"name":"B","price":12,"lines":[{"sku":"1","n":3}],"to":{"city":"Breda"},"gone":null}"#;
        assert_eq!(
            told(old, new),
            "name: \"A\" → \"B\"\nlines[0].n: 1 → 3\nlines[1]: {\"sku\":\"2\",\"n\":2} → -\nto.city: - → \"Breda\""
        );
    }

    #[test]
    fn a_list_that_is_emptied_is_told_whole() {
        assert_eq!(told(r#"{"tags":["a","b"]}"#, r#"{"tags":[]}"#), r#"tags: ["a","b"] → []"#);
    }
}

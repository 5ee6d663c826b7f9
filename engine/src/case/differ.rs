//! What differs between what was expected and what came.

use connectors::record::{Record, Value};

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where: `1001`, `create orders`, `lines[0].price`.
    pub at: Vec<String>,
    /// What was expected; `None`: nothing.
    pub expected: Option<Value>,
    /// What came; `None`: nothing.
    pub came: Option<Value>,
}

/// The same for people: 12 is 12.00, a field that is absent is one that holds `null`; an empty
/// text is something else.
pub(super) fn same(expected: &Value, came: &Value) -> bool {
    match (expected, came) {
        (Value::Map(expected), Value::Map(came)) => {
            let within = |one: &Record, other: &Record| {
                one.iter().all(|(name, value)| same(value, other.get(name).unwrap_or(&Value::Null)))
            };
            within(expected, came) && within(came, expected)
        }
        (Value::List(expected), Value::List(came)) => {
            expected.len() == came.len() && expected.iter().zip(came).all(|(one, other)| same(one, other))
        }
        _ => match (expected.as_decimal(), came.as_decimal()) {
            (Some(expected), Some(came)) => expected == came,
            _ => expected == came,
        },
    }
}

/// What differs between the expectations of a case and what came of its records.
pub(super) fn differences(expected: &Record, came: &Record) -> Vec<Difference> {
    let mut all = Vec::new();
    for key in names(expected, came) {
        match (expected.get(key), came.get(key)) {
            (Some(Value::Map(expected)), Some(Value::Map(came))) => record(key, expected, came, &mut all),
            (expected, came) => differ(&[key], "", expected, came, &mut all),
        }
    }
    all
}

/// What came of one record.
fn record(key: &str, expected: &Record, came: &Record, all: &mut Vec<Difference>) {
    for name in names(expected, came) {
        match (name, expected.get(name), came.get(name)) {
            ("writes", expected, came) => writes(key, expected, came, all),
            (_, expected, came) => differ(&[key], name, expected, came, all),
        }
    }
}

/// Writes in their order; each by itself where they are of the same kind.
fn writes(key: &str, expected: Option<&Value>, came: Option<&Value>, all: &mut Vec<Difference>) {
    let list = |value: Option<&Value>| value.and_then(Value::as_list).unwrap_or_default().to_vec();
    let (expected, came) = (list(expected), list(came));
    for at in 0..expected.len().max(came.len()) {
        let (one, other) = (expected.get(at), came.get(at));
        let (is, was) = (other.map(title), one.map(title));
        match (one, other) {
            (Some(Value::Map(one)), Some(Value::Map(other))) if is == was => {
                let title = is.unwrap_or_default();
                for name in names(one, other) {
                    let rest = if name == "fields" { "" } else { name };
                    differ(&[key, &title], rest, one.get(name), other.get(name), all);
                }
            }
            _ => differ(&[key], &format!("writes[{at}]"), one, other, all),
        }
    }
}

/// `create orders`, `update relations`
fn title(write: &Value) -> String {
    let first = write.as_map().and_then(|write| write.iter().next());
    first.map_or_else(String::new, |(did, what)| format!("{did} {}", what.as_str().unwrap_or_default()))
}

fn differ(
    at: &[&str],
    path: &str,
    expected: Option<&Value>,
    came: Option<&Value>,
    all: &mut Vec<Difference>,
) {
    let nothing = Value::Null;
    if same(expected.unwrap_or(&nothing), came.unwrap_or(&nothing)) {
        return;
    }
    match (expected, came) {
        (Some(Value::Map(one)), Some(Value::Map(other))) => {
            for name in names(one, other) {
                let inner = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                differ(at, &inner, one.get(name), other.get(name), all);
            }
        }
        (Some(Value::List(one)), Some(Value::List(other))) => {
            for index in 0..one.len().max(other.len()) {
                differ(at, &format!("{path}[{index}]"), one.get(index), other.get(index), all);
            }
        }
        _ => {
            let mut at: Vec<String> = at.iter().map(|part| (*part).to_owned()).collect();
            at.extend((!path.is_empty()).then(|| path.to_owned()));
            all.push(Difference { at, expected: expected.cloned(), came: came.cloned() });
        }
    }
}

/// The names of both, those of the first in its order first.
fn names<'r>(one: &'r Record, other: &'r Record) -> Vec<&'r str> {
    let further = other.iter().map(|(name, _)| name.as_str()).filter(|name| one.get(name).is_none());
    one.iter().map(|(name, _)| name.as_str()).chain(further).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use connectors::record::read_json;

    fn told(expected: &str, came: &str) -> Vec<String> {
        let record = |text: &str| match read_json(&text.to_owned().into()).unwrap() {
            Value::Map(record) => record,
            other => panic!("{other:?} is no record"),
        };
        let shown = |value: &Option<Value>| value.as_ref().map_or("nothing".into(), Value::to_string);
        let all = differences(&record(expected), &record(came));
        all.iter()
            .map(|one| format!("{}: {} / {}", one.at.join(": "), shown(&one.expected), shown(&one.came)))
            .collect()
    }

    #[test]
    fn each_field_is_told_by_itself() {
        let expected = r#"{"1":{"outcome":"created","writes":[{"create":"orders","fields":{"a":1,"lines":[{"p":12.0,"q":1}],"x":null}}]},"2":{"outcome":"filtered"}}"#;
        let came = r#"{"1":{"outcome":"created","writes":[{"create":"orders","fields":{"a":"1","lines":[{"p":12,"q":2},{"p":3}]}},{"update":"b"}]},"3":{"outcome":"skipped"}}"#;
        assert_eq!(
            told(expected, came),
            [
                r#"1: create orders: a: 1 / "1""#,
                "1: create orders: lines[0].q: 1 / 2",
                r#"1: create orders: lines[1]: nothing / {"p":3}"#,
                r#"1: writes[1]: nothing / {"update":"b"}"#,
                r#"2: {"outcome":"filtered"} / nothing"#,
                r#"3: nothing / {"outcome":"skipped"}"#,
            ]
        );
    }

    #[test]
    fn an_empty_text_is_no_absent_field() {
        assert_eq!(told(r#"{"1":{"a":""}}"#, r#"{"1":{}}"#), [r#"1: a: "" / nothing"#]);
        assert_eq!(told(r#"{"1":{"a":null}}"#, r#"{"1":{}}"#), [""; 0]);
    }
}

//! What an update has to send: only what the target does not say already.

use connectors::manifest::{Field, Named};
use connectors::record::{Record, Value};

/// The fields of `wanted` that `found` does not have yet. Fields that the target cannot be
/// asked for are left out when `same_as_sent`: what was last sent for the record was the same.
pub(super) fn differences(
    wanted: &Record,
    found: &Record,
    fields: &Named<Field>,
    same_as_sent: bool,
) -> Record {
    let mut changes = Record::new();
    for (name, value) in wanted.iter() {
        let hidden = fields.get(name).is_some_and(|field| field.write_only);
        let same = match found.get(name) {
            Some(there) if !hidden => says(there, value),
            _ if hidden => same_as_sent,
            _ => value.says_nothing() || (same_as_sent && found.get(name).is_none()),
        };
        if !same {
            changes.push(name.clone(), value.clone());
        }
    }
    changes
}

/// True when `there` says everything that `wanted` says; it may say more.
fn says(there: &Value, wanted: &Value) -> bool {
    match (there, wanted) {
        (Value::Map(there), Value::Map(wanted)) => {
            wanted.iter().all(|(name, value)| says(there.get(name).unwrap_or(&Value::Null), value))
        }
        (Value::List(there), Value::List(wanted)) => {
            there.len() == wanted.len() && there.iter().zip(wanted).all(|(there, wanted)| says(there, wanted))
        }
        _ => there.says_the_same_as(wanted),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use connectors::record::read_json;

    fn changed(wanted: &str, found: &str, same_as_sent: bool) -> String {
        let record = |text: &str| match read_json(&text.to_owned().into()).unwrap() {
            Value::Map(map) => map,
            other => panic!("{other:?} is no record"),
        };
        differences(&record(wanted), &record(found), &Named::default(), same_as_sent).to_string()
    }

    #[test]
    fn only_what_differs_is_sent() {
        assert_eq!(
            changed(r#"{"name":"A","price":12.0,"note":""}"#, r#"{"name":"B","price":12,"x":1}"#, false),
            r#"{"name":"A"}"#
        );
    }

    #[test]
    fn nested_parts_may_say_more_in_the_target() {
        let found = r#"{"lines":[{"sku":"1","price":2.50,"id":77}]}"#;
        assert_eq!(changed(r#"{"lines":[{"sku":"1","price":2.5}]}"#, found, false), "{}");
        assert_eq!(changed(r#"{"lines":[]}"#, found, false), r#"{"lines":[]}"#);
    }

    #[test]
    fn what_the_target_never_shows_is_sent_once() {
        assert_eq!(changed(r#"{"password":"x"}"#, "{}", false), r#"{"password":"x"}"#);
        assert_eq!(changed(r#"{"password":"x"}"#, "{}", true), "{}");
    }
}

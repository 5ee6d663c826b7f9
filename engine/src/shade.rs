//! What is masked is kept nowhere: not in the log, not in reasons, not in the search index. What
//! has to be tried again is kept whole, and sealed.

use std::collections::HashSet;

use connectors::http::Secrets;
use connectors::record::{Record, Value};

use crate::project::Privacy;
use crate::store::{Outcome, Settled, masked_key};

/// What stands in a value's place.
pub(crate) const BLOT: &str = "•••";

/// Shorter texts are masked where they are a whole value, and not within other texts.
const SHORT: usize = 3;

/// The values of one record that must not be kept.
#[derive(Debug)]
pub(crate) struct Shade<'p> {
    privacy: &'p Privacy,
    /// Within texts, as they may be written there.
    within: Secrets,
    /// As whole values; texts in lower case.
    whole: HashSet<String>,
}

impl<'p> Shade<'p> {
    /// The shade of a record; `None`: everything of it may be kept.
    pub(crate) fn of(privacy: &'p Privacy, record: &Record) -> Option<Self> {
        if privacy.is_open() {
            return None;
        }
        let mut values = Vec::new();
        for path in &*privacy.mask {
            find(record, path, &mut values);
        }
        let mut within = Vec::new();
        let mut whole = HashSet::new();
        for value in values {
            let text = value.plain();
            if matches!(value, Value::Text(_)) && text.chars().count() >= SHORT {
                // As JSON within JSON: requests are kept as text.
                let escaped = Value::from(text.as_str()).to_string();
                within.extend([text.to_lowercase(), text.to_uppercase(), text.clone()]);
                within.push(escaped.trim_matches('"').to_owned());
            }
            whole.insert(text.to_lowercase());
        }
        let within = Secrets::of(within.iter().map(String::as_str));
        Some(Self { privacy, within, whole })
    }

    /// Records, and what was sent and answered, are kept.
    pub(crate) const fn keeps_payloads(&self) -> bool {
        self.privacy.payloads
    }

    /// A text without masked values.
    pub(crate) fn text(&self, text: &str) -> String {
        if self.is_masked(text) { BLOT.to_owned() } else { self.within.blot(text) }
    }

    fn is_masked(&self, text: &str) -> bool {
        !text.is_empty() && self.whole.contains(&text.to_lowercase())
    }

    /// A value without masked ones.
    pub(crate) fn value(&self, value: &Value) -> Value {
        match value {
            Value::Null | Value::Bool(_) => value.clone(),
            Value::Int(_) | Value::Decimal(_) if self.is_masked(&value.plain()) => Value::from(BLOT),
            Value::Int(_) | Value::Decimal(_) => value.clone(),
            Value::Text(text) => Value::from(self.text(text)),
            Value::List(items) => Value::List(items.iter().map(|item| self.value(item)).collect()),
            Value::Map(record) => Value::Map(self.record(record)),
        }
    }

    /// A record without masked values.
    pub(crate) fn record(&self, record: &Record) -> Record {
        record.iter().map(|(name, value)| (name.clone(), self.value(value))).collect()
    }

    /// What is settled of a record, as it may be kept. What has to be tried again is sealed.
    pub(crate) fn settled(
        &self,
        record: &Record,
        mut settled: Settled,
        seal: impl FnOnce(&str, &[u8]) -> Vec<u8>,
    ) -> Settled {
        if !settled.payload.is_empty() {
            settled.payload = seal(&settled.source_key, &settled.payload);
        }
        settled.outcome = self.outcome(settled.outcome);
        for key in &mut settled.search_keys {
            if self.is_masked(key) {
                *key = masked_key(key);
            }
        }
        if let Some(activity) = &mut settled.activity {
            activity.payload = self.privacy.payloads.then(|| {
                let mut text = Vec::new();
                masked(record, &self.privacy.mask).write_json(&mut text);
                text
            });
        }
        settled
    }

    /// An outcome whose reason may be kept.
    pub(crate) fn outcome(&self, outcome: Outcome) -> Outcome {
        match outcome {
            Outcome::Skipped { reason } => Outcome::Skipped { reason: self.text(&reason) },
            Outcome::Failed { class, reason } => Outcome::Failed { class, reason: self.text(&reason) },
            Outcome::Waiting { class, reason, retry_at } => {
                Outcome::Waiting { class, reason: self.text(&reason), retry_at }
            }
            Outcome::Created | Outcome::Updated | Outcome::Unchanged => outcome,
        }
    }
}

/// A record whose fields at these paths are blotted out.
pub(crate) fn masked(record: &Record, mask: &[String]) -> Record {
    let mut record = record.clone();
    for path in mask {
        blot(&mut record, path);
    }
    record
}

fn split(path: &str) -> (&str, Option<&str>) {
    path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)))
}

fn blot(record: &mut Record, path: &str) {
    fn within(value: &mut Value, rest: Option<&str>) {
        match (value, rest) {
            (Value::List(items), _) => items.iter_mut().for_each(|item| within(item, rest)),
            (Value::Map(inner), Some(rest)) => blot(inner, rest),
            (Value::Null, _) | (_, Some(_)) => {}
            (value, None) => *value = Value::from(BLOT),
        }
    }
    let (first, rest) = split(path);
    if let Some(value) = record.get_mut(first) {
        within(value, rest);
    }
}

/// Single values at a path; a whole record or list counts for everything in it.
fn find<'r>(record: &'r Record, path: &str, found: &mut Vec<&'r Value>) {
    fn within<'r>(value: &'r Value, rest: Option<&str>, found: &mut Vec<&'r Value>) {
        match (value, rest) {
            (Value::List(items), _) => items.iter().for_each(|item| within(item, rest, found)),
            (Value::Map(inner), Some(rest)) => find(inner, rest, found),
            (Value::Map(inner), None) => inner.iter().for_each(|(_, value)| within(value, None, found)),
            (Value::Null | Value::Bool(_), _) | (_, Some(_)) => {}
            (value, None) => found.push(value),
        }
    }
    let (first, rest) = split(path);
    if let Some(value) = record.get(first) {
        within(value, rest, found);
    }
}

#[cfg(test)]
mod tests {
    use connectors::record::read_json;

    use super::*;

    fn record(text: &str) -> Record {
        match read_json(&text.to_owned().into()) {
            Ok(Value::Map(record)) => record,
            other => panic!("{other:?}"),
        }
    }

    const ORDER: &str = r#"{"number":"1001","email":"Sanne@x.nl","paid":true,"age":41,"customer":{"name":"Sanne \"S\" de Boer","zip":null},"lines":[{"sku":"A","note":"for Bo"},{"sku":"B","note":"Bo"}]}"#;

    fn privacy(mask: &[&str]) -> Privacy {
        Privacy { mask: mask.iter().map(|path| (*path).to_owned()).collect(), ..Privacy::default() }
    }

    #[test]
    fn fields_are_masked_also_in_lists_and_as_a_whole() {
        let paths = ["email", "customer", "lines.note", "age", "nowhere", "number.inner"].map(str::to_owned);
        assert_eq!(
            masked(&record(ORDER), &paths).to_string(),
            r#"{"number":"1001","email":"•••","paid":true,"age":"•••","customer":"•••","lines":[{"sku":"A","note":"•••"},{"sku":"B","note":"•••"}]}"#
        );
    }

    #[test]
    fn masked_values_are_found_wherever_they_went() {
        let privacy = privacy(&["email", "customer", "lines.note", "age"]);
        let order = record(ORDER);
        let shade = Shade::of(&privacy, &order).unwrap();
        assert_eq!(shade.text("sanne@x.nl has no name, SANNE@X.NL neither"), "••• has no name, ••• neither");
        assert_eq!(shade.text(r#"{"n":"Sanne \"S\" de Boer"}"#), r#"{"n":"•••"}"#);
        assert_eq!(shade.text("?email=Sanne%40x.nl"), "?email=•••");
        assert_eq!(shade.text("Bo"), "•••");
        assert_eq!(shade.text("Bo is in a Boat"), "Bo is in a Boat", "too short to be told from other words");
        let target = record(r#"{"mail":"sanne@x.nl","age":41,"total":42,"rows":[{"remark":"for Bo"}]}"#);
        assert_eq!(
            shade.record(&target).to_string(),
            r#"{"mail":"•••","age":"•••","total":42,"rows":[{"remark":"•••"}]}"#
        );
    }

    #[test]
    fn nothing_is_done_where_nothing_is_masked() {
        assert!(Shade::of(&Privacy::default(), &record(ORDER)).is_none());
    }
}

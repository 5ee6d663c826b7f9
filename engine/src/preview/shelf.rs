//! Records of one resource that a plan would have written by now, and where those with certain
//! values are: a look-up touches the few that may fit, however many there are.

use std::collections::{BTreeSet, HashMap};

use connectors::record::{Record, Value};

/// The records of one resource.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    records: Vec<Laid>,
    /// Places of those that would be created, by key; of one key the first.
    made: HashMap<String, usize>,
    /// Places of those that are there and would be changed, by key.
    changed: HashMap<String, usize>,
    /// One for each set of fields that was looked up by.
    indexes: Vec<Index>,
}

#[derive(Debug)]
struct Laid {
    record: Record,
    /// It would be created; else changed.
    made: bool,
}

/// Where the records are, by what their fields say.
#[derive(Debug)]
struct Index {
    by: Vec<String>,
    places: HashMap<Vec<String>, BTreeSet<usize>>,
}

impl Shelf {
    /// The record of that key as it would be after its changes.
    pub(super) fn changed(&self, key: &str) -> Option<&Record> {
        self.changed.get(key).and_then(|place| self.records.get(*place)).map(|laid| &laid.record)
    }

    /// A record that would be created.
    pub(super) fn make(&mut self, key: &str, record: Record) {
        let place = self.lay(record, true);
        self.made.entry(key.to_owned()).or_insert(place);
    }

    /// A record that would be changed; `current` is what it is now, where that is known.
    pub(super) fn change(&mut self, key: &str, changes: &Record, current: Option<&Record>) {
        let is_made = self.made.contains_key(key);
        let known = self.made.get(key).or_else(|| self.changed.get(key)).copied();
        let place = known.unwrap_or_else(|| {
            let place = self.lay(Record::new(), false);
            self.changed.insert(key.to_owned(), place);
            place
        });
        let Some(laid) = self.records.get_mut(place) else { return };
        for index in &mut self.indexes {
            index.remove(place, &laid.record);
        }
        if let (Some(current), false) = (current, is_made) {
            laid.record = current.clone();
        }
        for (name, value) in changes.iter() {
            laid.record.set(name, value.clone());
        }
        for index in &mut self.indexes {
            index.add(place, &laid.record);
        }
    }

    /// Records with these values: those that would be changed, then those that would be created.
    pub(super) fn with(&mut self, by: &[String], key: &[Value]) -> Vec<&Record> {
        let mut places = self.candidates(by, key);
        places.retain(|place| self.records.get(*place).is_some_and(|laid| fits(&laid.record, by, key)));
        let mut found: Vec<&Laid> = places.iter().filter_map(|place| self.records.get(*place)).collect();
        found.sort_by_key(|laid| laid.made);
        found.into_iter().map(|laid| &laid.record).collect()
    }

    /// Places of the records that are worth a comparison.
    fn candidates(&mut self, by: &[String], key: &[Value]) -> Vec<usize> {
        let at = self.indexes.iter().position(|index| index.by == by).unwrap_or_else(|| {
            let mut index = Index { by: by.to_vec(), places: HashMap::new() };
            for (place, laid) in self.records.iter().enumerate() {
                index.add(place, &laid.record);
            }
            self.indexes.push(index);
            self.indexes.len() - 1
        });
        let words: Vec<String> = key.iter().map(word).collect();
        let places = self.indexes.get(at).and_then(|index| index.places.get(&words));
        places.into_iter().flatten().copied().collect()
    }

    fn lay(&mut self, record: Record, made: bool) -> usize {
        let place = self.records.len();
        for index in &mut self.indexes {
            index.add(place, &record);
        }
        self.records.push(Laid { record, made });
        place
    }
}

impl Index {
    /// What the fields of a record say; `None`: one of them is not there, and no look-up finds it.
    fn words(&self, record: &Record) -> Option<Vec<String>> {
        self.by.iter().map(|field| field_of(record, field).map(word)).collect()
    }

    fn add(&mut self, place: usize, record: &Record) {
        if let Some(words) = self.words(record) {
            self.places.entry(words).or_default().insert(place);
        }
    }

    fn remove(&mut self, place: usize, record: &Record) {
        if let Some(places) = self.words(record).and_then(|words| self.places.get_mut(&words)) {
            places.remove(&place);
        }
    }
}

/// Whether a record has these values.
pub(super) fn fits(record: &Record, by: &[String], key: &[Value]) -> bool {
    by.len() == key.len()
        && by.iter().zip(key).all(|(field, value)| {
            field_of(record, field).is_some_and(|there| {
                there.says_the_same_as(value) || (!there.says_nothing() && there.plain() == value.plain())
            })
        })
}

fn field_of<'r>(record: &'r Record, field: &str) -> Option<&'r Value> {
    record.at(field).or_else(|| record.get(field))
}

/// Invariant: values of which one [`fits`] the other have the same word. Others may have it too.
fn word(value: &Value) -> String {
    if value.says_nothing() {
        return String::new();
    }
    let text = value.plain();
    let number = value.as_decimal().or_else(|| text.parse().ok());
    match (value, number) {
        (_, Some(number)) => number.normalize().to_string(),
        // Within them an absent field says what an empty one says: no text tells them apart.
        (Value::List(_) | Value::Map(_), None) => "[".to_owned(),
        (_, None) if text.starts_with(['[', '{']) => "[".to_owned(),
        (_, None) if text == "null" => String::new(),
        (_, None) => text,
    }
}

#[cfg(test)]
mod tests {
    use connectors::record::read_json;

    use super::*;

    fn record(json: &str) -> Record {
        match read_json(&json.to_owned().into()) {
            Ok(Value::Map(record)) => record,
            other => panic!("no record: {other:?}"),
        }
    }

    fn by(fields: &[&str]) -> Vec<String> {
        fields.iter().map(|field| (*field).to_owned()).collect()
    }

    #[test]
    fn a_look_up_compares_no_more_records_than_it_finds() {
        const MANY: usize = 20_000;
        let mut shelf = Shelf::default();
        let (email, city) = (by(&["email"]), by(&["email", "address.city"]));
        let mut compared = 0;
        for number in 0..MANY {
            let mail = format!("klant{number}@voorbeeld.example");
            let key = [Value::from(mail.as_str())];
            // As a run does it: looked for, created, found again by the next record.
            compared += shelf.candidates(&email, &key).len();
            let text = format!(r#"{{"email":"{mail}","address":{{"city":"Den Burg"}}}}"#);
            if number % 2 == 0 {
                shelf.make(&format!("‹{number}›"), record(&text));
            } else {
                shelf.change(&number.to_string(), &record(&text), None);
            }
            compared += shelf.candidates(&email, &key).len();
            assert_eq!(shelf.with(&email, &key).len(), 1, "{mail}");
        }
        let both = [Value::from("klant7@voorbeeld.example"), Value::from("Den Burg")];
        compared += shelf.candidates(&city, &both).len();
        assert_eq!(compared, MANY + 1);
    }

    #[test]
    fn a_record_is_found_by_what_it_says_now() {
        let mut shelf = Shelf::default();
        let code = by(&["code"]);
        let find = |shelf: &mut Shelf, value: Value| -> Vec<String> {
            shelf.with(&code, &[value]).iter().map(|one| one.get("name").map(Value::plain).unwrap()).collect()
        };
        assert_eq!(find(&mut shelf, 1.into()), [""; 0]);
        shelf.make("‹new›", record(r#"{"name":"made","code":"A"}"#));
        shelf.change("7", &record(r#"{"code":"A"}"#), Some(&record(r#"{"name":"changed","code":"B"}"#)));
        assert_eq!(find(&mut shelf, "A".into()), ["changed", "made"]);
        assert_eq!(find(&mut shelf, "B".into()), [""; 0]);
        shelf.change("‹new›", &record(r#"{"code":"B"}"#), None);
        assert_eq!(find(&mut shelf, "A".into()), ["changed"]);
        assert_eq!(find(&mut shelf, "B".into()), ["made"]);
        assert_eq!(
            shelf.changed("7").and_then(|one| one.get("code")).map(Value::plain).as_deref(),
            Some("A")
        );
    }

    #[test]
    fn what_fits_has_the_same_word() {
        let values = [
            "null",
            r#""""#,
            r#""null""#,
            "12",
            "12.00",
            r#""12""#,
            r#""12.00""#,
            r#""012""#,
            "true",
            r#""true""#,
            r#""A""#,
            r#""a""#,
            "[12]",
            "[12.0]",
            r#""[12]""#,
            "{}",
            r#"{"a":null}"#,
            r#"{"a":12}"#,
            r#"{"a":12.0}"#,
            r#""{\"a\":12}""#,
            "-0.0",
            "0",
        ];
        let code = by(&["code"]);
        let mut fitting = 0;
        for one in values {
            for other in values {
                let there = record(&format!(r#"{{"code":{one}}}"#));
                let value = record(&format!(r#"{{"code":{other}}}"#)).get("code").unwrap().clone();
                if fits(&there, &code, std::slice::from_ref(&value)) {
                    assert_eq!(word(there.get("code").unwrap()), word(&value), "{one} and {other}");
                    fitting += 1;
                }
            }
        }
        assert!(fitting > values.len(), "nothing fits but itself");
    }
}

//! Takes people out of records: names, addresses, numbers that lead to somebody become others of
//! the same shape, the same everywhere, so that what was equal stays equal.
//!
//! What is personal is told by the names of fields, as they are in every system that Weft knows.

use std::collections::HashMap;

use connectors::record::{Record, Value};

/// What a personal field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Email,
    Phone,
    /// Of a person or a company.
    Name,
    Street,
    Postcode,
    City,
    /// Of an account, a company, a card.
    Number,
    Birthday,
    Website,
    /// Whatever somebody wrote.
    Text,
}

/// Words of fields, as whole names or as their ends, and what they hold.
const FIELDS: [(&str, Kind); 44] = [
    ("email", Kind::Email),
    ("phone", Kind::Phone),
    ("telephone", Kind::Phone),
    ("mobile", Kind::Phone),
    ("fax", Kind::Phone),
    ("full_name", Kind::Name),
    ("first_name", Kind::Name),
    ("last_name", Kind::Name),
    ("middle_name", Kind::Name),
    ("surname", Kind::Name),
    ("company", Kind::Name),
    ("company_name", Kind::Name),
    ("customer_name", Kind::Name),
    ("contact", Kind::Name),
    ("main_contact", Kind::Name),
    ("contact_name", Kind::Name),
    ("person_name", Kind::Name),
    ("attention", Kind::Name),
    ("street", Kind::Street),
    ("address", Kind::Street),
    ("address_line_1", Kind::Street),
    ("address_line_2", Kind::Street),
    ("address_1", Kind::Street),
    ("address_2", Kind::Street),
    ("line_1", Kind::Street),
    ("line_2", Kind::Street),
    ("postcode", Kind::Postcode),
    ("zipcode", Kind::Postcode),
    ("zip", Kind::Postcode),
    ("postal_code", Kind::Postcode),
    ("city", Kind::City),
    ("town", Kind::City),
    ("iban", Kind::Number),
    ("bank_account_number", Kind::Number),
    ("vat_number", Kind::Number),
    ("registration_number", Kind::Number),
    ("commerce_number", Kind::Number),
    ("coc_number", Kind::Number),
    ("identification_number", Kind::Number),
    ("identity_number", Kind::Number),
    ("card_number", Kind::Number),
    ("birthday", Kind::Birthday),
    ("birth_date", Kind::Birthday),
    ("website", Kind::Website),
];

/// Fields that hold whatever somebody wrote.
const WRITTEN: [&str; 8] = ["remark", "remarks", "note", "notes", "comment", "comments", "memo", "message"];

/// Parts of records that are about somebody, and resources that are.
const PEOPLE: [&str; 14] = [
    "customer",
    "billing",
    "shipping",
    "invoice_address",
    "delivery_address",
    "address",
    "contact",
    "relation",
    "debtor",
    "person",
    "compan",
    "supplier",
    "employee",
    "receiver",
];

/// Words of names that lead to nobody.
const SMALL: [&str; 22] = [
    "van", "de", "der", "den", "het", "ten", "ter", "te", "von", "und", "la", "le", "du", "di", "da", "en",
    "bv", "b.v.", "nv", "vof", "gmbh", "ltd",
];

const NAMES: [&str; 16] = [
    "Anna", "Berg", "Carla", "Dekker", "Emma", "Faber", "Gerrit", "Hofman", "Iris", "Jansen", "Karel",
    "Linden", "Maria", "Noort", "Olga", "Prins",
];
const STREETS: [&str; 6] = ["Beukenlaan", "Eikenweg", "Iepenstraat", "Lindelaan", "Populierpad", "Wilgenhof"];
const CITIES: [&str; 6] = ["Bergdorp", "Duinstad", "Heidelo", "Kanaaldam", "Meerveen", "Rivierwijk"];

/// Replaces what is personal, the same by the same.
#[derive(Debug, Default)]
pub(super) struct Scrub {
    /// By kind and plain form: which one it is.
    known: HashMap<(Kind, String), usize>,
    /// Whole values as they were, in lower case, and what stands for them.
    whole: HashMap<String, String>,
}

impl Scrub {
    /// Learns what is personal in a record of that resource.
    pub(super) fn learn(&mut self, resource: &str, record: &Record) {
        self.learn_within(is_about_people(resource), record);
    }

    fn learn_within(&mut self, about_people: bool, record: &Record) {
        for (name, value) in record.iter() {
            match value {
                Value::Map(inner) => self.learn_within(about_people || is_about_people(name), inner),
                Value::List(items) => {
                    let about_people = about_people || is_about_people(name);
                    for inner in items.iter().filter_map(Value::as_map) {
                        self.learn_within(about_people, inner);
                    }
                }
                Value::Text(text) if !text.trim().is_empty() => {
                    if let Some(kind) = kind(name, about_people) {
                        let other = self.other(kind, text);
                        self.whole.entry(text.to_lowercase()).or_insert(other);
                    }
                }
                _ => {}
            }
        }
    }

    /// The record with others in the place of its people.
    pub(super) fn record(&self, record: &Record) -> Record {
        record.iter().map(|(name, value)| (name.clone(), self.value(value))).collect()
    }

    /// The value with others in the place of people.
    pub(super) fn value(&self, value: &Value) -> Value {
        match value {
            Value::Text(text) => Value::from(self.text(text)),
            Value::List(items) => Value::List(items.iter().map(|item| self.value(item)).collect()),
            Value::Map(record) => Value::Map(self.record(record)),
            other => other.clone(),
        }
    }

    /// A text with others in the place of people: a whole value, or values within it.
    pub(super) fn text(&self, text: &str) -> String {
        if let Some(other) = self.whole.get(&text.to_lowercase()) {
            return like(other, text);
        }
        let mut text = text.to_owned();
        let mut within: Vec<(&String, &String)> =
            self.whole.iter().filter(|(personal, _)| personal.chars().count() >= 4).collect();
        // Longer ones first: a name may be part of an address.
        within.sort_by_key(|(personal, _)| (std::cmp::Reverse(personal.len()), (*personal).clone()));
        for (personal, other) in within {
            text = replaced(&text, personal, other);
        }
        text
    }

    /// What stands for a value of that kind.
    fn other(&mut self, kind: Kind, text: &str) -> String {
        match kind {
            Kind::Email => format!("person{}@example.com", self.number(kind, &text.to_lowercase()) + 1),
            Kind::Website => format!("https://www{}.example", self.number(kind, &text.to_lowercase()) + 1),
            Kind::Birthday => "1980-01-01".to_owned(),
            Kind::Text => "a remark".to_owned(),
            Kind::Name => self.words(kind, text, &NAMES),
            Kind::Street => self.words(kind, text, &STREETS),
            Kind::City => self.words(kind, text, &CITIES),
            Kind::Phone | Kind::Number | Kind::Postcode => {
                let plain: String = text.chars().filter(|letter| letter.is_alphanumeric()).collect();
                let number = self.number(kind, &plain.to_uppercase());
                shaped(text, number, if kind == Kind::Postcode { 0 } else { 2 })
            }
        }
    }

    fn number(&mut self, kind: Kind, plain: &str) -> usize {
        let next = self.known.keys().filter(|(known, _)| *known == kind).count();
        *self.known.entry((kind, plain.to_owned())).or_insert(next)
    }

    /// Each word becomes another one, the same word the same; numbers and small words stay.
    fn words(&mut self, kind: Kind, text: &str, others: &[&str]) -> String {
        let words = text.split(' ').map(|word| {
            let plain = word.trim_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase();
            let has_digit = plain.chars().any(|letter| letter.is_ascii_digit());
            if plain.chars().count() < 2 || has_digit || SMALL.contains(&plain.as_str()) {
                return word.to_owned();
            }
            let number = self.number(kind, &plain);
            let other = others.get(number % others.len()).copied().unwrap_or_default();
            let round = number / others.len();
            let other = if round == 0 { other.to_owned() } else { format!("{other}{}", round + 1) };
            like(&other, word)
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

/// The text with the other one wherever the personal one stands, in whatever letters. Texts whose
/// small letters take another length are left.
fn replaced(text: &str, personal: &str, other: &str) -> String {
    let small = text.to_lowercase();
    if small.len() != text.len() {
        return text.to_owned();
    }
    let mut all = String::with_capacity(text.len());
    let mut end = 0;
    for (at, found) in small.match_indices(personal) {
        let Some(before) = text.get(end..at) else { return text.to_owned() };
        all.push_str(before);
        all.push_str(other);
        end = at + found.len();
    }
    all.push_str(text.get(end..).unwrap_or_default());
    all
}

/// In capitals, or in small letters, as the other one is.
fn like(text: &str, other: &str) -> String {
    let has = |test: fn(char) -> bool| other.chars().any(test);
    match (has(char::is_uppercase), has(char::is_lowercase)) {
        (true, false) if other.chars().count() > 1 => text.to_uppercase(),
        (false, true) => text.to_lowercase(),
        (true, true) if text.contains('@') => {
            // That it was written with capitals may be what the case is about.
            let mut letters = text.chars();
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        }
        _ => text.to_owned(),
    }
}

/// A text of the same shape: digits behind the first few, and letters among digits, are others.
fn shaped(text: &str, number: usize, kept: usize) -> String {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let fill = format!("{:0>width$}", 1234 + number, width = digits.saturating_sub(kept).max(4));
    let mut fill: Vec<char> = fill.chars().rev().take(digits.saturating_sub(kept)).collect();
    let mut seen = 0;
    let mut letters = "ABCDEFGH".chars().cycle();
    text.chars()
        .map(|letter| {
            if letter.is_ascii_digit() {
                seen += 1;
                if seen > kept { fill.pop().unwrap_or('0') } else { letter }
            } else if kept == 0 && letter.is_alphabetic() {
                let other = letters.next().unwrap_or('A');
                if letter.is_lowercase() { other.to_ascii_lowercase() } else { other }
            } else {
                letter
            }
        })
        .collect()
}

fn is_about_people(name: &str) -> bool {
    PEOPLE.iter().any(|part| name.contains(part))
}

/// What a field of that name holds, when it is personal.
fn kind(name: &str, about_people: bool) -> Option<Kind> {
    if WRITTEN.contains(&name) {
        return Some(Kind::Text);
    }
    if name == "name" && about_people {
        return Some(Kind::Name);
    }
    let ends =
        |word: &str| name.strip_suffix(word).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'));
    FIELDS.iter().filter(|(word, _)| ends(word)).max_by_key(|(word, _)| word.len()).map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use connectors::record::read_json;

    fn record(text: &str) -> Record {
        match read_json(&text.to_owned().into()).unwrap() {
            Value::Map(record) => record,
            other => panic!("{other:?} is no record"),
        }
    }

    #[test]
    fn people_become_others_the_same_everywhere() {
        let order = record(
            r#"{"number":"1001","customer":{"email":"Sanne@x.nl","full_name":"Sanne de Boer","company":"De Boer BV","phone":"06 98765432"},"billing":{"name":"S. de Boer","street":"Kerkstraat","number":"8","postcode":"9712 XY","city":"Groningen"},"lines":[{"name":"Mug","description":"for Sanne de Boer"}],"remark":"call me"}"#,
        );
        let relation = record(
            r#"{"email":"sanne@x.nl","name":"DE BOER","telephone":"0698765432","zipcode":"9712xy","address":"Kerkstraat 8"}"#,
        );
        let mut scrub = Scrub::default();
        scrub.learn("orders", &order);
        scrub.learn("relations", &relation);
        assert_eq!(
            scrub.record(&order).to_string(),
            r#"{"number":"1001","customer":{"email":"Person1@example.com","full_name":"Anna de Berg","company":"De Berg BV","phone":"06 00001234"},"billing":{"name":"S. de Berg","street":"Beukenlaan","number":"8","postcode":"1234 AB","city":"Bergdorp"},"lines":[{"name":"Mug","description":"for Anna de Berg"}],"remark":"a remark"}"#
        );
        assert_eq!(
            scrub.record(&relation).to_string(),
            r#"{"email":"person1@example.com","name":"DE BERG","telephone":"0600001234","zipcode":"1234ab","address":"Beukenlaan 8"}"#
        );
    }

    #[test]
    fn two_people_stay_two() {
        let mut scrub = Scrub::default();
        let two = record(
            r#"{"contacts":[{"email":"a@x.nl","mobile":"061"},{"email":"b@x.nl","mobile":"0612345679"}]}"#,
        );
        scrub.learn("orders", &two);
        let two = scrub.record(&two).to_string();
        assert!(two.contains("person1@") && two.contains("person2@"), "{two}");
    }

    #[test]
    fn what_is_no_person_stays() {
        let product = record(r#"{"name":"Anna's mug","description":"Kerkstraat","price":12.50}"#);
        let mut scrub = Scrub::default();
        scrub.learn("products", &product);
        assert_eq!(scrub.record(&product), product);
    }
}

//! The simulator's books: rows in the form in which the service tells one record.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::Options;
use super::grants::Grants;

/// Everything that an account holds.
#[derive(Debug, Default)]
pub(super) struct Books {
    pub(super) options: Options,
    tables: BTreeMap<&'static str, Vec<Value>>,
    pub(super) grants: Grants,
    /// When the calls of the last minute came.
    pub(super) calls: VecDeque<Instant>,
    /// Events that nobody has been told yet.
    pub(super) events: Vec<(String, Value)>,
    /// What was told to whom.
    pub(super) deliveries: Vec<Value>,
    /// Names in bodies that mean nothing and were ignored.
    pub(super) ignored: Vec<String>,
    last_id: u64,
    /// Moment of the next change, while the books are filled.
    pub(super) now: Option<Timestamp>,
}

/// A refusal.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: u32,
    pub(super) title: String,
    pub(super) field: Option<String>,
}

/// Refuses a body.
pub(super) fn invalid<T>(field: &str, title: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { status: 400, code: 0, title: title.into(), field: Some(field.to_owned()) })
}

/// Refuses for want of a record.
pub(super) fn missing(action: &str, id: &str) -> Refusal {
    Refusal { status: 404, code: 404_000, title: format!("Resource /{action}/{id} not found."), field: None }
}

impl Books {
    pub(super) fn new(options: Options) -> Self {
        Self { options, ..Self::default() }
    }

    /// The rows of a table, oldest first.
    pub(super) fn rows(&self, table: &str) -> &[Value] {
        self.tables.get(table).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn row(&self, table: &str, id: &str) -> Option<&Value> {
        self.rows(table).iter().find(|row| text(row, "id") == Some(id))
    }

    pub(super) fn row_mut(&mut self, table: &str, id: &str) -> Option<&mut Value> {
        self.tables.get_mut(table)?.iter_mut().find(|row| text(row, "id") == Some(id))
    }

    pub(super) fn new_id(&mut self) -> String {
        self.last_id += 1;
        format!("{:08x}-0000-4000-8000-{:012x}", self.last_id.wrapping_mul(2_654_435_761) & 0xffff_ffff, self.last_id)
    }

    /// Adds a row and gives its identifier.
    pub(super) fn insert(&mut self, table: &'static str, mut row: Value) -> String {
        let id = match text(&row, "id") {
            Some(id) => id.to_owned(),
            None => self.new_id(),
        };
        if let Some(map) = row.as_object_mut() {
            map.insert("id".to_owned(), json!(id));
        }
        self.tables.entry(table).or_default().push(row);
        id
    }

    pub(super) fn remove(&mut self, table: &str, id: &str) -> bool {
        let Some(rows) = self.tables.get_mut(table) else { return false };
        let before = rows.len();
        rows.retain(|row| text(row, "id") != Some(id));
        rows.len() < before
    }

    /// Now, in the form of the interface.
    pub(super) fn stamp(&self) -> String {
        let now = self.now.or(self.options.clock).unwrap_or_else(Timestamp::now);
        now.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
    }

    pub(super) fn today(&self) -> String {
        self.stamp().get(..10).unwrap_or_default().to_owned()
    }

    /// Lets time go by while the books are filled.
    pub(super) fn wait(&mut self, pause: SignedDuration) {
        self.now = self.now.map(|now| now + pause);
    }

    /// Notes that a record changed.
    pub(super) fn touch(&mut self, table: &str, id: &str) {
        let stamp = self.stamp();
        if let Some(row) = self.row_mut(table, id) {
            set(row, "updated_at", json!(stamp));
        }
    }

    /// Tells those who want to know.
    pub(super) fn tell(&mut self, event: &str, kind: &str, id: &str) {
        self.events.push((event.to_owned(), json!({"type": kind, "id": id})));
    }

    pub(super) fn to_json(&self) -> Value {
        let mut books: Map<String, Value> = self
            .tables
            .iter()
            .map(|(name, rows)| ((*name).to_owned(), Value::Array(rows.clone())))
            .collect();
        books.insert("deliveries".to_owned(), Value::Array(self.deliveries.clone()));
        Value::Object(books)
    }
}

/// The text at a name.
pub(super) fn text<'a>(row: &'a Value, name: &str) -> Option<&'a str> {
    row.get(name)?.as_str()
}

/// The text at a pointer, `/deal/id`.
pub(super) fn at<'a>(row: &'a Value, pointer: &str) -> Option<&'a str> {
    row.pointer(pointer)?.as_str()
}

/// Sets a member.
pub(super) fn set(row: &mut Value, name: &str, value: Value) {
    if let Some(map) = row.as_object_mut() {
        map.insert(name.to_owned(), value);
    }
}

/// A number of theirs, exactly.
pub(super) fn number(value: &Value) -> Option<Decimal> {
    let text = value.as_number()?.to_string();
    text.parse().ok().or_else(|| Decimal::from_scientific(&text).ok())
}

/// An exact number as one of theirs.
pub(super) fn digits(number: Decimal) -> Value {
    serde_json::from_str(&number.normalize().to_string()).unwrap_or(Value::Null)
}

/// An amount of money.
pub(super) fn money(amount: Decimal, currency: &str) -> Value {
    json!({"amount": digits(amount), "currency": currency})
}

/// A reference to another record; null for none.
pub(super) fn reference(kind: &str, id: Option<&str>) -> Value {
    id.map_or(Value::Null, |id| json!({"type": kind, "id": id}))
}

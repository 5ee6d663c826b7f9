//! The simulator's books: every record as the API shows it, by key.

use std::collections::{BTreeMap, HashMap, VecDeque};

use rust_decimal::Decimal;
use tokio::time::Instant;

use super::options::Options;
use super::tables::{TABLES, Table, table};
use crate::record::{Map, Text, Value};

/// Everything that the shop knows. Members whose names start with `_` are its own business.
#[derive(Clone)]
pub(super) struct Books {
    pub(super) options: Options,
    tables: BTreeMap<&'static str, BTreeMap<i64, Map>>,
    /// Keys of records by kind, member and parent.
    kin: HashMap<(&'static str, &'static str, i64), Vec<i64>>,
    next_key: i64,
    pub(super) next_order: i64,
    pub(super) next_invoice: i64,
    pub(super) settings: Map,
    pub(super) countries: Vec<Map>,
    /// Starts of the calls of the last minute, by what is limited.
    pub(super) windows: HashMap<String, VecDeque<Instant>>,
    /// Calls by verb and kind of record.
    pub(super) calls: BTreeMap<String, u64>,
    /// What webhooks have to be told.
    pub(super) events: Vec<(&'static str, Map)>,
    /// What webhooks were told.
    pub(super) deliveries: Vec<Map>,
    /// Refusals that the next requests meet.
    pub(super) refusals: VecDeque<(u16, String)>,
}

/// The shop says no.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: String,
    pub(super) message: String,
}

/// A refusal; the status is the part of the code before the point.
pub(super) fn refuse<T>(code: &str, message: impl Into<String>) -> Result<T, Refusal> {
    let status = code.split('.').next().and_then(|status| status.parse().ok()).unwrap_or(500);
    Err(Refusal { status, code: code.to_owned(), message: message.into() })
}

/// A record of these members.
pub(super) fn map<const N: usize>(members: [(&'static str, Value); N]) -> Map {
    members.into_iter().map(|(name, value)| (Text::from_static(name), value)).collect()
}

/// The whole number of a member, also at a dotted path.
pub(super) fn int(record: &Map, path: &str) -> Option<i64> {
    record.at(path).and_then(Value::as_int)
}

/// The number of a member; 0 without.
pub(super) fn num(record: &Map, name: &str) -> Decimal {
    record.get(name).and_then(Value::as_decimal).unwrap_or_default()
}

/// The truth of a member, or the standard.
pub(super) fn truth(record: &Map, name: &str, standard: bool) -> bool {
    record.get(name).and_then(Value::as_bool).unwrap_or(standard)
}

impl Books {
    pub(super) fn new(options: Options) -> Self {
        let mut books = Self {
            options,
            tables: TABLES.iter().map(|table| (table.name, BTreeMap::new())).collect(),
            kin: HashMap::new(),
            next_key: 1000,
            next_order: 1001,
            next_invoice: 501,
            settings: Map::new(),
            countries: Vec::new(),
            windows: HashMap::new(),
            calls: BTreeMap::new(),
            events: Vec::new(),
            deliveries: Vec::new(),
            refusals: VecDeque::new(),
        };
        super::fill::shop(&mut books);
        books
    }

    /// Nothing was done in them since they were made.
    pub(super) fn are_new(&self, new: &Self) -> bool {
        self.next_key == new.next_key
            && self.options == new.options
            && self.settings == new.settings
            && self.calls.is_empty()
            && self.refusals.is_empty()
    }

    /// The moment, as records show it.
    pub(super) fn now(&self) -> String {
        self.options.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    pub(super) fn rows(&self, table: &str) -> impl DoubleEndedIterator<Item = &Map> {
        self.tables.get(table).into_iter().flat_map(BTreeMap::values)
    }

    pub(super) fn count(&self, table: &str) -> usize {
        self.tables.get(table).map_or(0, BTreeMap::len)
    }

    pub(super) fn row(&self, table: &str, key: i64) -> Option<&Map> {
        self.tables.get(table)?.get(&key)
    }

    /// Records of a kind below a parent.
    pub(super) fn below(&self, table: &str, member: &str, parent: i64) -> Vec<&Map> {
        if member.contains('.') {
            return self.rows(table).filter(|row| int(row, member) == Some(parent)).collect();
        }
        let Some(table) = super::tables::table(table) else { return Vec::new() };
        let member = table.parents().find(|known| *known == member).unwrap_or_default();
        let keys = self.kin.get(&(table.name, member, parent)).map(Vec::as_slice).unwrap_or_default();
        keys.iter().filter_map(|key| self.row(table.name, *key)).collect()
    }

    /// Adds a record under a key of its own.
    pub(super) fn insert(&mut self, name: &str, mut record: Map) -> i64 {
        let Some(table) = table(name) else { return 0 };
        self.next_key += 7;
        let key = self.next_key;
        let mut whole = Map::with_capacity(record.len() + 1);
        whole.push(Text::from_static("id"), Value::Int(key));
        record.remove("id");
        record.iter().for_each(|(name, value)| whole.push(name.clone(), value.clone()));
        self.link(table, key, &whole);
        self.tables.entry(table.name).or_default().insert(key, whole);
        key
    }

    /// A key that no record has, for rows that live within their record.
    pub(super) fn key(&mut self) -> i64 {
        self.next_key += 7;
        self.next_key
    }

    /// Puts a record in the place of the one with its key.
    pub(super) fn replace(&mut self, name: &str, record: Map) {
        let (Some(table), Some(key)) = (table(name), int(&record, "id")) else { return };
        self.unlink(table, key);
        self.link(table, key, &record);
        self.tables.entry(table.name).or_default().insert(key, record);
    }

    pub(super) fn remove(&mut self, name: &str, key: i64) -> Option<Map> {
        let table = table(name)?;
        self.unlink(table, key);
        self.tables.get_mut(table.name)?.remove(&key)
    }

    fn link(&mut self, table: &'static Table, key: i64, record: &Map) {
        for member in table.parents() {
            if let Some(parent) = int(record, member) {
                self.kin.entry((table.name, member, parent)).or_default().push(key);
            }
        }
    }

    fn unlink(&mut self, table: &'static Table, key: i64) {
        let Some(old) = self.row(table.name, key).cloned() else { return };
        for member in table.parents() {
            if let Some(parent) = int(&old, member)
                && let Some(keys) = self.kin.get_mut(&(table.name, member, parent))
            {
                keys.retain(|known| *known != key);
            }
        }
    }

    /// The books as JSON: a list for each kind of record, and what hooks were told. What was
    /// asked is not in them: a question changes nothing.
    pub(super) fn to_json(&self) -> serde_json::Value {
        let mut whole = Map::new();
        for (name, rows) in &self.tables {
            whole.set(*name, rows.values().cloned().map(Value::Map).collect::<Vec<_>>());
        }
        whole.set("settings", self.settings.clone());
        whole.set("deliveries", self.deliveries.iter().cloned().map(Value::Map).collect::<Vec<_>>());
        serde_json::from_slice(&Value::Map(whole).to_json()).unwrap_or_default()
    }
}

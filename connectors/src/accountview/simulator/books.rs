//! What the simulated companies hold: rows by table, with the numbers that the server gives.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use rust_decimal::Decimal;

use super::dictionary;
use crate::record::{Map, Value};

/// A company (administratie).
#[derive(Debug, Default)]
pub(super) struct Company {
    pub(super) id: String,
    pub(super) code: String,
    pub(super) description: String,
    tables: BTreeMap<String, Vec<Map>>,
    last: BTreeMap<String, u64>,
    /// Time of the next change; none: the clock.
    pub(super) at: Option<DateTime>,
}

/// Column that is not one: which header row a detail row belongs to.
pub(super) const HEADER: &str = "header";
/// Column that is not one: `D`, `C` or both.
pub(super) const KIND: &str = "kind";

impl Company {
    pub(super) fn new(id: &str, code: &str, description: &str) -> Self {
        Self { id: id.into(), code: code.into(), description: description.into(), ..Self::default() }
    }

    /// The rows of a table.
    pub(super) fn rows(&self, table: &str) -> &[Map] {
        self.tables.get(table).map(Vec::as_slice).unwrap_or_default()
    }

    /// The row with that text in a column.
    pub(super) fn row(&self, table: &str, column: &str, value: &str) -> Option<&Map> {
        self.rows(table).iter().find(|row| text(row, column) == value)
    }

    /// The same, to be changed.
    pub(super) fn row_mut(&mut self, table: &str, column: &str, value: &str) -> Option<&mut Map> {
        self.tables.get_mut(table)?.iter_mut().find(|row| text(row, column) == value)
    }

    /// The next number of a series, from a first one on.
    pub(super) fn number(&mut self, series: &str, first: u64) -> u64 {
        let last = self.last.entry(series.to_owned()).or_insert(first.saturating_sub(1));
        *last += 1;
        *last
    }

    /// Adds a row; gives it as it is now.
    pub(super) fn insert(&mut self, table: &str, mut row: Map) -> Map {
        let key = i64::try_from(self.number("EXT_KEY", 500)).unwrap_or(0);
        row.set("EXT_KEY", key);
        row.set("INP_DATE", self.now());
        row.set("INP_USR", "WEFT");
        if dictionary::columns(table).iter().any(|column| column.name == "REC_ID") {
            let number = self.number(table, 411);
            row.set("REC_ID", format!("{number:010}"));
        }
        self.stamp(&mut row);
        self.tables.entry(table.to_owned()).or_default().push(row.clone());
        row
    }

    /// Marks a row as changed.
    pub(super) fn stamp(&self, row: &mut Map) {
        let number = row.get("CNG_NR").and_then(Value::as_int).unwrap_or(0);
        row.set("CNG_NR", number + 1);
        row.set("CNG_DATE", self.now());
        row.set("CNG_USR", "WEFT");
    }

    fn now(&self) -> String {
        let now = self.at.unwrap_or_else(|| {
            let zone = jiff::tz::TimeZone::get("Europe/Amsterdam").unwrap_or(jiff::tz::TimeZone::UTC);
            jiff::Timestamp::now().to_zoned(zone).datetime()
        });
        now.strftime("%Y-%m-%dT%H:%M:%S").to_string()
    }

    /// What belongs to a header row.
    pub(super) fn details(&self, table: &str, header: &Map) -> Vec<&Map> {
        let key = header.get("EXT_KEY");
        self.rows(table).iter().filter(|row| row.get(HEADER) == key).collect()
    }

    /// An order reserves what it sells. The article counts as unchanged.
    pub(super) fn reserve(&mut self, article: &str, quantity: Decimal) {
        if let Some(row) = self.row_mut("ARTICLE", "ART_CODE", article) {
            for column in ["QTY_AVAIL", "QTY_FREE2"] {
                let there = row.get(column).and_then(Value::as_decimal).unwrap_or_default();
                row.set(column, there - quantity);
            }
        }
    }
}

/// The text of a column, without the spaces behind it.
pub(super) fn text<'a>(row: &'a Map, column: &str) -> &'a str {
    row.text(column).unwrap_or_default().trim_end()
}

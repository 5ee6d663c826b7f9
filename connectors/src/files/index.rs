//! Where in a file the records with a given value stand, learnt in one pass.

use std::collections::HashMap;
use std::path::Path;
use std::time::SystemTime;

use xxhash_rust::xxh3::xxh3_64;

use super::json::Fault;
use super::scan::{Item, Scan};
use super::schema::Table;
use super::session::record;
use super::text::TextFault;
use crate::profile::form::plain;
use crate::record::{Record, Value};

/// Places of records by the fingerprint of what they are found by.
#[derive(Debug, Default)]
pub(super) struct Index {
    stamp: Option<Stamp>,
    places: HashMap<u64, Vec<Spot>>,
    /// Where the next record will start.
    end: (u64, u64, u64),
}

/// Where a record starts: offset, line, and how many came before.
type Spot = (u64, u64, u64);

/// How a file was when it was indexed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    length: u64,
    changed: Option<SystemTime>,
}

impl Stamp {
    pub(super) fn of(path: &Path) -> Option<Self> {
        let about = path.metadata().ok()?;
        Some(Self { length: about.len(), changed: about.modified().ok() })
    }
}

impl Index {
    /// Brings the index up to the file as it is now.
    pub(super) fn refresh(&mut self, table: &Table, path: &Path, by: &[String]) -> Result<(), Fault> {
        let now = Stamp::of(path);
        if now.is_some() && now == self.stamp {
            return Ok(());
        }
        *self = Self::default();
        if now.is_none() {
            return Ok(());
        }
        let mut scan = Scan::open(path, &table.setup)?;
        self.read_on(&mut scan, table, by)?;
        self.stamp = now;
        Ok(())
    }

    /// Follows records that we appended ourselves to a file that was as the index knows it.
    pub(super) fn grow(
        &mut self,
        table: &Table,
        path: &Path,
        by: &[String],
        before: Option<Stamp>,
    ) -> Result<(), Fault> {
        if self.stamp.is_none() || before != self.stamp {
            return Ok(());
        }
        let mut scan = Scan::open(path, &table.setup)?;
        let (offset, line, count) = self.end;
        scan.go_to(offset, Some(line), count).map_err(|error| Fault::Text(TextFault::Io(error)))?;
        self.read_on(&mut scan, table, by)?;
        self.stamp = Stamp::of(path);
        Ok(())
    }

    fn read_on(&mut self, scan: &mut Scan, table: &Table, by: &[String]) -> Result<(), Fault> {
        loop {
            self.end = scan.place();
            let Some(item) = scan.next()? else { return Ok(()) };
            let spot = (item.start, item.line, item.count - 1);
            if let Some(key) = key_of(table, item, by) {
                self.places.entry(key).or_default().push(spot);
            }
        }
    }

    pub(super) fn places(&self, key: &[Value]) -> &[Spot] {
        self.places.get(&fingerprint(key)).map_or(&[], Vec::as_slice)
    }
}

fn key_of(table: &Table, item: Item, by: &[String]) -> Option<u64> {
    let (record, _): (Record, _) = record(table, item.wire.ok()?);
    let values: Vec<Value> = by.iter().map(|name| record.get(name).cloned().unwrap_or_default()).collect();
    (!values.iter().any(Value::says_nothing)).then(|| fingerprint(&values))
}

/// 12 and 12.00 have to meet; the records themselves are compared afterwards.
fn fingerprint(key: &[Value]) -> u64 {
    let words: Vec<String> = key
        .iter()
        .map(|value| value.as_decimal().map_or_else(|| plain(value), |number| number.normalize().to_string()))
        .collect();
    xxh3_64(words.join("\u{1f}").as_bytes())
}

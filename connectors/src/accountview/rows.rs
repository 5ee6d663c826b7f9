//! Asking for rows of a business object, by filters and page after page.

use super::Office;
use super::client::{Question, SYSTEM_DATA, unusable};
use super::layout::{Column, Layout, Table};
use super::wire::{self, cell};
use crate::contract::{Advice, RemoteError};
use crate::record::{Map, Record, Value};

/// Most rows that a single search takes in: more have the same key only by accident.
pub(super) const SEARCH: usize = 100;

/// No server is known to cut pages below this, so a shorter one is the last.
const SURE: usize = 200;

/// One condition on a column.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    pub(super) column: Column,
    pub(super) operator: &'static str,
    /// As the query carries it.
    pub(super) value: String,
}

/// What to ask for.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    pub(super) filters: Vec<Filter>,
    /// One of the filters is enough.
    pub(super) any: bool,
    pub(super) size: usize,
    /// Key of the last row of the page before.
    pub(super) after: Option<String>,
}

/// Some records and the key that the next page starts behind.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) records: Vec<Record>,
    pub(super) next: Option<String>,
}

impl Filter {
    /// The column has that value; `None` when no row can.
    pub(super) fn equal(column: &Column, value: &Value) -> Option<Self> {
        let value = wire::sought(column.holds, value)?;
        Some(Self { column: column.clone(), operator: "Equal", value })
    }

    /// The column is at or after the start of that day.
    pub(super) fn from_day(column: &Column, day: jiff::civil::Date) -> Self {
        Self { column: column.clone(), operator: "DateOnOrAfterDate", value: format!("{{^{day}}}") }
    }
}

impl Office {
    /// Rows of a business object as records, their lines with them.
    pub(super) async fn rows(&self, layout: &Layout, wanted: &Wanted) -> Result<Rows, RemoteError> {
        let asked = wanted.size.clamp(1, self.client.settings.page_size);
        let mut question = Question::default()
            .with("BusinessObject", &layout.object)
            .with("PageSize", &asked.to_string())
            .with("Fields", &fields(layout));
        if let Some(after) = &wanted.after {
            question = question.with("LastKey", after);
        }
        if wanted.any {
            question = question.with("MatchAnyFilter", "true");
        }
        for (at, filter) in wanted.filters.iter().enumerate() {
            let number = at + 1;
            // Keys of the system's tables are padded, and equality minds the padding.
            let padded = layout.path == SYSTEM_DATA && filter.operator == "Equal";
            let operator = if padded { "Contains" } else { filter.operator };
            question = question
                .with(&format!("FilterControlSource{number}"), &qualified(layout, &filter.column))
                .with(&format!("FilterOperator{number}"), operator)
                .with(&format!("FilterValueType{number}"), wire::filter_letter(filter.column.holds))
                .with(&format!("FilterValue{number}"), &filter.value)
                .with(&format!("FilterIsListOfValues{number}"), "false");
        }
        let answer = self.client.read(layout.path, &question).await?;
        let rows = table(&answer, &layout.table.name)?;
        let last = rows.last().and_then(|row| cell(row, &layout.keyset)).and_then(wire::text);
        let next = last.filter(|_| rows.len() >= asked.min(SURE));
        if next.is_some() && next == wanted.after {
            return Err(unusable(Advice::StopFlow, "the page after a key ends with that key again"));
        }
        let records = rows.iter().map(|row| self.record(layout, row, &answer)).collect();
        Ok(Rows { records, next })
    }

    /// One row in our words, with the lines that belong to it within the answer.
    pub(super) fn record(&self, layout: &Layout, row: &Map, answer: &Value) -> Record {
        let zone = &self.client.settings.zone;
        let mut record = wire::read(&layout.table, row, zone);
        if let Some((field, details)) = &layout.details {
            let lines: Vec<Value> = lines(&layout.table, details, row, answer)
                .enumerate()
                .map(|(at, row)| {
                    let mut line = wire::read(details, row, zone);
                    line.set("position", i64::try_from(at + 1).unwrap_or(i64::MAX));
                    line.into()
                })
                .collect();
            record.set(*field, lines);
        }
        self.finish(layout, &mut record);
        record
    }

    /// What a row does not say by itself.
    fn finish(&self, layout: &Layout, record: &mut Record) {
        let with_vat = self.client.settings.prices_include_vat;
        match layout.resource {
            "articles" => drop(record.set("price_includes_vat", with_vat)),
            "stock" => {
                let number = |field| record.get(field).and_then(Value::as_decimal);
                let (available, physical) = (number("available"), number("physical"));
                let economic = available.map(|available| available + number("on_order").unwrap_or_default());
                let reserved = physical.zip(available).map(|(physical, available)| physical - available);
                for (field, value) in [("economic", economic), ("reserved", reserved)] {
                    if let Some(value) = value {
                        record.set(field, value);
                    }
                }
            }
            "price_list_lines" => drop(record.set("price_includes_vat", with_vat)),
            "columns" => {
                let format = record.remove("format");
                let capitals =
                    format.as_ref().and_then(Value::as_str).is_some_and(|format| format.contains('!'));
                record.set("upper_case", capitals);
            }
            _ => {}
        }
        let (parts, between) = layout.key_parts;
        if let Some(key) = wire::joined(record, parts, between) {
            record.set(layout.key, key);
        }
    }
}

/// The rows of a table in an answer.
pub(super) fn table<'a>(answer: &'a Value, name: &str) -> Result<Vec<&'a Map>, RemoteError> {
    let Some(answer) = answer.as_map() else {
        return Err(unusable(Advice::StopFlow, "the answer holds no tables"));
    };
    match cell(answer, name) {
        Some(Value::List(rows)) => Ok(rows.iter().filter_map(Value::as_map).collect()),
        // A single row may come as an object.
        Some(Value::Map(row)) => Ok(vec![row]),
        Some(_) => Ok(Vec::new()),
        None => {
            let others: Vec<&str> = answer
                .iter()
                .filter(|(_, rows)| rows.as_list().is_some_and(|rows| !rows.is_empty()))
                .map(|(name, _)| name.as_str())
                .collect();
            if others.is_empty() {
                return Ok(Vec::new());
            }
            let reason = format!("the answer has no table {name}, but {}", others.join(", "));
            Err(unusable(Advice::StopFlow, &reason)
                .with_help("see price_object and price_table in the connection"))
        }
    }
}

/// The detail rows of a row: both carry a number that counts within the answer.
fn lines<'a>(
    header: &Table,
    details: &Table,
    row: &Map,
    answer: &'a Value,
) -> impl Iterator<Item = &'a Map> + use<'a> {
    let link = format!("{}_Id", header.name);
    let id = cell(row, &link).cloned();
    let rows = answer.as_map().and_then(|answer| cell(answer, &details.name));
    let rows: Vec<&Map> = match rows {
        Some(Value::List(rows)) => rows.iter().filter_map(Value::as_map).collect(),
        Some(Value::Map(row)) => vec![row],
        _ => Vec::new(),
    };
    rows.into_iter().filter(move |line| cell(line, &link) == id.as_ref())
}

/// The columns to read, so that pictures and the like stay where they are.
fn fields(layout: &Layout) -> String {
    let mut names: Vec<String> = vec![named(layout, &layout.table, &layout.keyset)];
    let tables = std::iter::once(&layout.table).chain(layout.details.as_ref().map(|(_, details)| details));
    for table in tables {
        let columns = table.columns.iter().map(|column| &column.read).chain(&table.custom);
        names.extend(columns.map(|column| named(layout, table, column)));
    }
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names.join(",")
}

/// With its table where two tables answer.
fn named(layout: &Layout, table: &Table, column: &str) -> String {
    if layout.details.is_some() { format!("{}.{column}", table.name) } else { column.to_owned() }
}

fn qualified(layout: &Layout, column: &Column) -> String {
    named(layout, &layout.table, &column.read)
}

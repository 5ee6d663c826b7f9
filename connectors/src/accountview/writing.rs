//! Writing: definitions of columns, rows of values that belong to them by place, and what the
//! answer tells of what was made.

use async_trait::async_trait;
use jiff::civil::Date;

use super::client::unusable;
use super::layout::{ATTACHMENT, Layout, Table};
use super::rows::table;
use super::wire::{self, letter, refused};
use super::{Office, offers};
use crate::contract::{Advice, Create, RemoteError, Update, Written};
use crate::http::Method;
use crate::record::{Map, Record, Value};

/// Letters of a search code.
const SEARCH_CODE: usize = 10;

/// Number of the only header row of a body.
const ROW: &str = "1";

/// One row's columns: name, letter and value.
type Cells = Vec<(String, &'static str, Value)>;

#[async_trait]
impl Create for Office {
    async fn create(&self, resource: &str, record: &Record, _key: &str) -> Result<Written, RemoteError> {
        let layout = self.layout(resource)?;
        let mut record = own_words(resource, record);
        if resource == "debtors" && record.get("search_code").is_none() {
            record.set("search_code", search_code(record.text("name").unwrap_or_default()));
        }
        if resource == "orders" && record.get("delivery_debtor").is_none() {
            record.set("delivery_debtor", record.get("invoice_debtor").cloned());
        }
        record = record
            .iter()
            .filter(|(_, value)| !value.says_nothing())
            .map(|(n, v)| (n.clone(), v.clone()))
            .collect();
        let date = ["order_date", "date"].into_iter().find_map(|field| day(record.get(field)?));
        let mut cells = cells(&layout.table, &record)?;
        cells.insert(0, ("RowId".to_owned(), "C", ROW.into()));
        let mut body = self.envelope(layout, date, &cells);
        add_details(layout, &record, &mut body)?;
        let answer: Value = self.client.write(Method::POST, &body).await?.into();
        self.written(layout, record, &answer).await
    }
}

#[async_trait]
impl Update for Office {
    async fn update(
        &self,
        resource: &str,
        key: &str,
        changes: &Record,
        current: Option<&Record>,
    ) -> Result<Written, RemoteError> {
        let layout = self.layout(resource)?;
        let by = [layout.key.to_owned()];
        // Asking is cheap, and what the server does with a key that it does not have is not known.
        if current.is_none() && self.find_one(layout, &by, &vec![key.into()]).await?.is_empty() {
            return Err(refused(format!("{} {key} is not there", layout.key)));
        }
        let mut record = own_words(resource, changes);
        match record.remove(layout.key) {
            Some(other) if !other.says_nothing() && wire::text(&other).as_deref() != Some(key) => {
                return Err(refused(format!("{}: cannot be changed from {key} to {other}", layout.key)));
            }
            _ => {}
        }
        let mut changed = cells(&layout.table, &record)?;
        record.set(layout.key, key);
        if changed.is_empty() {
            return Ok(Written { key: key.to_owned(), record });
        }
        if let Some(column) = layout.table.column(layout.key) {
            changed
                .insert(0, (column.write.clone(), letter(column.holds), wire::theirs(column, &key.into())?));
        }
        changed.insert(0, ("RowId".to_owned(), "C", ROW.into()));
        let mut body = self.envelope(layout, None, &changed);
        body.set("id", key);
        self.client.write(Method::PUT, &body).await?;
        Ok(Written { key: key.to_owned(), record })
    }
}

impl Office {
    /// A body with one header row.
    fn envelope(&self, layout: &Layout, date: Option<Date>, cells: &Cells) -> Map {
        let settings = &self.client.settings;
        let today = || jiff::Timestamp::now().to_zoned(settings.zone.clone()).date();
        let date = date.or(settings.book_date).unwrap_or_else(today);
        let definition = definition(&layout.table.name, std::slice::from_ref(cells));
        let rows = rows(std::slice::from_ref(cells));
        map([
            ("BookDate", wire::midnight(date).into()),
            ("BusinessObject", layout.written.into()),
            ("Table", map([("Definition", definition)]).into()),
            ("TableData", map([("Data", rows)]).into()),
        ])
    }

    /// What a create made, from its answer, or from a look when the answer does not tell.
    async fn written(&self, layout: &Layout, sent: Record, answer: &Value) -> Result<Written, RemoteError> {
        let doubt = |error: RemoteError| unusable(Advice::Unknown, &error.reason);
        let rows = table(answer, &layout.table.name).map_err(doubt)?;
        let told = rows.first().map(|row| self.record(layout, row, answer)).unwrap_or_default();
        let key = told.get(layout.key).and_then(wire::text);
        let mut record = sent;
        if let Some(key) = key {
            for (field, value) in told.iter().filter(|(field, _)| field.as_str() != "lines") {
                record.set(field.clone(), value.clone());
            }
            return Ok(Written { key, record });
        }
        // What people know it by finds it, where that is no accident.
        let by = match layout.resource {
            "orders" => "reference",
            "journal_pages" => "invoice_number",
            _ => "",
        };
        let found = match record.get(by).cloned() {
            Some(value) => self.find_one(layout, &[by.to_owned()], &vec![value]).await.map_err(doubt)?,
            None => Vec::new(),
        };
        match found.first().and_then(|found| found.get(layout.key)).and_then(wire::text) {
            Some(key) => {
                record.set(layout.key, key.as_str());
                Ok(Written { key, record })
            }
            None => Err(unusable(Advice::Unknown, "the answer does not tell the number of what was made")),
        }
    }
}

/// What the resource lets one write.
fn own_words(resource: &str, record: &Record) -> Record {
    let writable = |name: &str| {
        offers(resource, |resource| resource.fields.get(name).is_some_and(|field| !field.read_only))
    };
    let kept = record.iter().filter(|(name, _)| writable(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// `Bakkerij De Linde` is `BAKKERIJDE`.
fn search_code(name: &str) -> String {
    let letters = name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_uppercase);
    let code: String = letters.take(SEARCH_CODE).collect();
    if code.is_empty() { "-".to_owned() } else { code }
}

fn day(value: &Value) -> Option<Date> {
    value.as_str()?.parse().ok()
}

/// The columns of a record, the installation's own ones with them.
fn cells(table: &Table, record: &Map) -> Result<Cells, RemoteError> {
    let mut cells = Cells::new();
    for column in &table.columns {
        if let Some(value) = record.get(&column.field) {
            cells.push((column.write.clone(), letter(column.holds), wire::theirs(column, value)?));
        }
    }
    for own in record.get("custom_fields").and_then(Value::as_list).unwrap_or_default() {
        let cell = wire::own(own, "custom_fields")?;
        if cells.iter().any(|(name, ..)| *name == cell.0) {
            return Err(refused(format!("custom_fields: {} is a field already", cell.0)));
        }
        cells.push(cell);
    }
    Ok(cells)
}

/// Lines and attachments of a record, as detail tables of the body.
fn add_details(layout: &Layout, record: &Record, body: &mut Map) -> Result<(), RemoteError> {
    let mut definitions = Vec::new();
    let mut data = Vec::new();
    let mut add = |table: &Table, items: &[Value]| -> Result<(), RemoteError> {
        if items.is_empty() {
            return Ok(());
        }
        let mut all = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let item = item.as_map().ok_or_else(|| refused("lines: one is no record"))?;
            let item = item.iter().filter(|(_, value)| !value.says_nothing());
            let item: Record = item.map(|(name, value)| (name.clone(), value.clone())).collect();
            let mut row: Cells = vec![
                ("RowId".to_owned(), "C", (at + 1).to_string().into()),
                ("HeaderId".to_owned(), "C", ROW.into()),
            ];
            row.extend(cells(table, &item)?);
            all.push(row);
        }
        no_gaps(&all)?;
        definitions.push(definition(&table.name, &all));
        data.push(rows(&all));
        Ok(())
    };
    if let Some((field, table)) = &layout.details {
        add(table, record.get(field).and_then(Value::as_list).unwrap_or_default())?;
    }
    if let Some(Value::List(items)) = record.get("attachments") {
        let mut table = Table::of("USR_LINK", &[ATTACHMENT]);
        table.columns.retain(|column| {
            items.iter().any(|item| item.as_map().is_some_and(|item| item.get(&column.field).is_some()))
        });
        add(&table, items)?;
    }
    if !definitions.is_empty() {
        if let Some(Value::Map(table)) = body.get_mut("Table") {
            table.set("DetailDefinitions", definitions);
        }
        if let Some(Value::Map(rows)) = body.get_mut("TableData") {
            rows.set("DetailData", data);
        }
    }
    Ok(())
}

/// Every column that one of the rows has, with its letter, in the order in which they come up.
fn columns(rows: &[Cells]) -> Vec<(&str, &'static str)> {
    let mut columns: Vec<(&str, &'static str)> = Vec::new();
    for (name, letter, _) in rows.iter().flatten() {
        if !columns.iter().any(|(known, _)| known == name) {
            columns.push((name, letter));
        }
    }
    columns
}

/// Values go by place, so a number that one line leaves out would be sent as 0.
fn no_gaps(rows: &[Cells]) -> Result<(), RemoteError> {
    for (name, letter) in columns(rows).into_iter().filter(|(_, letter)| matches!(*letter, "N" | "I")) {
        let has = |cells: &Cells| cells.iter().any(|(known, ..)| known == name);
        if let Some(at) = rows.iter().position(|cells| !has(cells)) {
            let reason =
                format!("lines[{at}]: {name} ({letter}) is given on other lines and not on this one");
            return Err(refused(reason).with_help("give it on every line, or on none"));
        }
    }
    Ok(())
}

fn definition(table: &str, rows: &[Cells]) -> Value {
    let field = |(name, letter): (&str, &'static str)| -> Value {
        map([("Name", name.into()), ("FieldType", letter.into())]).into()
    };
    let fields: Vec<Value> = columns(rows).into_iter().map(field).collect();
    map([("Name", table.into()), ("Fields", fields.into())]).into()
}

/// Values by place; a row without a column says nothing there.
fn rows(rows: &[Cells]) -> Value {
    let columns = columns(rows);
    let row = |cells: &Cells| -> Value {
        let value = |(name, letter): &(&str, &'static str)| {
            let cell = cells.iter().find(|(known, ..)| known == name);
            cell.map_or_else(|| nothing(letter), |(_, _, value)| value.clone())
        };
        map([("Values", columns.iter().map(value).collect::<Vec<_>>().into())]).into()
    };
    map([("Rows", rows.iter().map(row).collect::<Vec<_>>().into())]).into()
}

fn nothing(letter: &str) -> Value {
    match letter {
        "N" | "I" => 0.into(),
        "L" => false.into(),
        _ => "".into(),
    }
}

fn map<const N: usize>(fields: [(&'static str, Value); N]) -> Map {
    fields.into_iter().collect()
}

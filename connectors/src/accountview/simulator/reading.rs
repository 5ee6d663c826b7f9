//! Answers to questions: columns, filters, pages.

use std::cmp::Ordering;
use std::collections::HashMap;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::books::{Company, KIND, text};
use super::dictionary::{self, Column, Object};
use super::{Refused, Switches};
use crate::record::{Map, Value};

/// Rows of one answer, at most.
const MOST: usize = 1000;

/// One filter.
struct Filter {
    column: Column,
    operator: String,
    values: Vec<String>,
}

/// Parameters by their names in small letters.
pub(super) type Asked = HashMap<String, String>;

/// The answer to a question about a business object.
pub(super) fn answer(
    company: &Company,
    object: &Object,
    rows: Vec<Map>,
    asked: &Asked,
    switches: &Switches,
) -> Result<Option<Map>, Refused> {
    let fields = fields(object, asked)?;
    let filters = filters(object, asked)?;
    let any = asked.get("matchanyfilter").is_some_and(|text| text.eq_ignore_ascii_case("true"));
    let mut rows: Vec<Map> = rows
        .into_iter()
        .filter(|row| {
            let passes = |filter: &Filter| filter.passes(row, switches);
            if any && !filters.is_empty() { filters.iter().any(passes) } else { filters.iter().all(passes) }
        })
        .collect();
    let key = dictionary::key_of(object.table);
    rows.sort_by(|left, right| order(left, right, key));
    if let Some(last) = asked.get("lastkey").filter(|last| !last.is_empty()) {
        let mut mark = Map::new();
        mark.set(
            key,
            last.parse::<i64>()
                .ok()
                .filter(|_| key.ends_with("_Id"))
                .map_or_else(|| Value::from(last.as_str()), Value::from),
        );
        rows.retain(|row| order(row, &mark, key) == Ordering::Greater);
    }
    let size = number(asked, "pagesize", MOST)?.clamp(1, MOST);
    let page = number(asked, "pagenumber", 1)?.max(1);
    let rows: Vec<Map> = rows.into_iter().skip((page - 1) * size).take(size).collect();
    if rows.is_empty() && switches.nothing_is_404 {
        return Ok(None);
    }
    Ok(Some(tables(company, object, &rows, &fields, switches)))
}

/// Header and detail rows, linked by a number that counts within this answer.
pub(super) fn tables(
    company: &Company,
    object: &Object,
    rows: &[Map],
    fields: &[(String, Column)],
    switches: &Switches,
) -> Map {
    let link = format!("{}_Id", object.table);
    let mut headers = Vec::new();
    let mut details = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let id = i64::try_from(at).unwrap_or(0);
        let mut shown = shown(object.table, row, fields);
        if row.get(&link).is_none() {
            shown.set(link.as_str(), id);
        }
        headers.push(Value::from(shown));
        for detail in object.detail.map(|table| company.details(table, row)).unwrap_or_default() {
            let mut line = self::shown(object.detail.unwrap_or_default(), detail, fields);
            line.set(link.as_str(), id);
            details.push(line.into());
        }
    }
    let list = |mut rows: Vec<Value>| match rows.len() {
        1 if switches.one_is_an_object => rows.pop().unwrap_or_default(),
        _ => rows.into(),
    };
    let mut answer = Map::new();
    answer.set(object.table, list(headers));
    if let Some(detail) = object.detail {
        answer.set(detail, list(details));
    }
    answer
}

/// One row with these columns; empty values are what `FoxPro` makes of them.
fn shown(table: &str, row: &Map, fields: &[(String, Column)]) -> Map {
    let mut shown = Map::new();
    for (_, column) in fields.iter().filter(|(of, _)| of == table) {
        let value = row.get(column.name).cloned().unwrap_or(Value::Null);
        shown.set(
            column.name,
            match (column.letter, value) {
                // Fixed width shows in short columns.
                ('C', Value::Null) => "".into(),
                ('C', Value::Text(text)) if column.length <= 12 => {
                    format!("{:width$}", text.as_str(), width = column.length).into()
                }
                ('T' | 'D' | 'M', Value::Null) => "".into(),
                ('L', Value::Null) => false.into(),
                ('N' | 'I', Value::Null) => 0.into(),
                (_, value) => value,
            },
        );
    }
    for name in ["EXT_KEY", "DCT_FLD_Id", "DCT_FILE_Id"] {
        if let Some(value) = row.get(name) {
            shown.set(name, value.clone());
        }
    }
    shown
}

/// Columns that are asked for, each with its table.
pub(super) fn fields(object: &Object, asked: &Asked) -> Result<Vec<(String, Column)>, Refused> {
    let tables: Vec<&str> = std::iter::once(object.table).chain(object.detail).collect();
    let all = || {
        let of = |table: &&str| {
            let table = (*table).to_owned();
            dictionary::columns(&table).into_iter().map(move |column| (table.clone(), column))
        };
        tables.iter().flat_map(of).collect()
    };
    match asked.get("fields").map(String::as_str) {
        None | Some("" | "*") => Ok(all()),
        Some(text) => text
            .split(',')
            .map(|name| find(&tables, name).ok_or_else(|| Refused::new(format!("Kolom {name} bestaat niet"))))
            .collect(),
    }
}

fn find(tables: &[&str], name: &str) -> Option<(String, Column)> {
    let (table, name) = match name.trim().split_once('.') {
        Some((table, name)) => (Some(table), name),
        None => (None, name.trim()),
    };
    // The numbers of the dictionary are no columns of it, and are always there.
    if name.to_ascii_uppercase().ends_with("_ID") && name.to_ascii_uppercase().starts_with("DCT_") {
        return dictionary::column_of("DCT_FLD", "COM_BLK").map(|column| (String::new(), column));
    }
    let mut tables =
        tables.iter().filter(|known| table.is_none_or(|table| known.eq_ignore_ascii_case(table)));
    tables.find_map(|known| Some(((*known).to_owned(), dictionary::column_of(known, name)?)))
}

fn filters(object: &Object, asked: &Asked) -> Result<Vec<Filter>, Refused> {
    let mut filters = Vec::new();
    for number in 1.. {
        let get = |what: &str| asked.get(&format!("filter{what}{number}")).map(String::as_str);
        let Some(source) = get("controlsource") else { break };
        let (_, column) = find(&[object.table], source)
            .ok_or_else(|| Refused::new(format!("Kolom {source} bestaat niet")))?;
        let operator = get("operator").unwrap_or_default().to_ascii_lowercase();
        if !["equal", "notequal", "contains", "dateonorafterdate"].contains(&operator.as_str()) {
            return Err(Refused::new(format!("Filteroperator {operator} is onbekend")));
        }
        match get("valuetype") {
            Some("C" | "N" | "D" | "T" | "L") => {}
            other => {
                return Err(Refused::new(format!("Filtertype {} is onbekend", other.unwrap_or("(leeg)"))));
            }
        }
        let value = get("value").unwrap_or_default();
        let is_list = get("islistofvalues").is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let values =
            if is_list { value.split(',').map(str::to_owned).collect() } else { vec![value.to_owned()] };
        filters.push(Filter { column, operator, values });
    }
    Ok(filters)
}

impl Filter {
    fn passes(&self, row: &Map, switches: &Switches) -> bool {
        let there = row.get(self.column.name);
        self.values.iter().any(|value| match self.operator.as_str() {
            "equal" => self.equals(there, value, switches),
            "notequal" => !self.equals(there, value, switches),
            "contains" => there.and_then(Value::as_str).is_some_and(|there| there.contains(value.as_str())),
            // The time of day is not looked at.
            _ => day(there.and_then(Value::as_str).unwrap_or_default()) >= day(value),
        })
    }

    fn equals(&self, there: Option<&Value>, value: &str, switches: &Switches) -> bool {
        match self.column.letter {
            'L' => there.and_then(Value::as_bool).unwrap_or(false).to_string().eq_ignore_ascii_case(value),
            'N' | 'I' => {
                value.parse::<Decimal>().ok() == Some(there.and_then(Value::as_decimal).unwrap_or_default())
            }
            'D' | 'T' => day(there.and_then(Value::as_str).unwrap_or_default()) == day(value),
            _ => {
                let there = there.and_then(Value::as_str).unwrap_or_default();
                // Keys of the system's tables are compared with their padding.
                let plain = |text: &str| {
                    let text = if self.column.name == "DBF_NAME" { text } else { text.trim_end() };
                    if self.column.upper { text.to_uppercase() } else { text.to_owned() }
                };
                let (there, value) = (plain(there), plain(value));
                there == value
                    || (switches.equal_is_begins_with && !value.is_empty() && there.starts_with(&value))
            }
        }
    }
}

/// The day in `2024-05-03…` or `{^2024-05-03…}`.
fn day(text: &str) -> Option<Date> {
    text.trim_start_matches("{^").get(..10)?.parse().ok()
}

fn order(left: &Map, right: &Map, key: &str) -> Ordering {
    match (left.get(key).and_then(Value::as_int), right.get(key).and_then(Value::as_int)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => text(left, key).cmp(text(right, key)),
    }
}

fn number(asked: &Asked, name: &str, otherwise: usize) -> Result<usize, Refused> {
    match asked.get(name) {
        None => Ok(otherwise),
        Some(text) => text.parse().map_err(|_| Refused::new(format!("{name} is geen getal: {text}"))),
    }
}

/// The rows that an object shows of its table.
pub(super) fn rows_of(company: &Company, object: &Object) -> Vec<Map> {
    let is = |row: &Map, kind: &str| row.text(KIND).is_none_or(|kinds| kinds.contains(kind));
    let rows = company.rows(object.table).iter();
    match object.code {
        "AR1" => rows.filter(|row| is(row, "D")).cloned().collect(),
        "AP1" => rows.filter(|row| is(row, "C")).cloned().collect(),
        _ => rows.cloned().collect(),
    }
}

/// The dictionary as rows.
pub(super) fn dictionary_rows(table: &str) -> Vec<Map> {
    let padded = |name: &str| format!("{name:8}");
    if table == "DCT_FILE" {
        let rows = dictionary::tables().enumerate().map(|(at, name)| {
            let written = dictionary::OBJECTS.iter().find(|object| object.table == name && object.insert);
            [
                ("DBF_NAME", Value::from(padded(name))),
                ("NO_INSERT", written.is_none().into()),
                ("NO_UPDATE", written.is_none_or(|object| !object.update).into()),
                ("NO_DELETE", true.into()),
                ("NO_XML_UPD", written.is_none().into()),
                ("DCT_FILE_Id", i64::try_from(at + 1).unwrap_or(0).into()),
            ]
            .into_iter()
            .collect()
        });
        return rows.collect();
    }
    let rows = dictionary::everything().enumerate().map(|(at, (table, column))| {
        [
            ("FIELD_NAME", Value::from(column.name)),
            ("DBF_NAME", padded(table).into()),
            ("FIELD_TYPE", column.letter.to_string().into()),
            ("FIELD_LEN", i64::try_from(column.length).unwrap_or(0).into()),
            ("INP_MAND", column.mandatory.into()),
            ("FLD_FMT", if column.upper { "!" } else { "" }.into()),
            ("COM_BLK", column.blocked.into()),
            ("REC_CUST", column.own.into()),
            ("DCT_FLD_Id", i64::try_from(at + 1).unwrap_or(0).into()),
        ]
        .into_iter()
        .collect()
    });
    rows.collect()
}

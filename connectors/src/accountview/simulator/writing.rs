//! Writes: definitions and rows taken apart, values held against the dictionary.

use jiff::civil::Date;

use super::Refused;
use super::books::Company;
use super::dictionary::{self, Column, Object};
use super::rules;
use crate::record::{Map, Value};

/// Columns that number the rows of a body.
const PLACES: [&str; 3] = ["RowId", "HeaderId", "RowAction"];

/// A header row with the detail rows that name it.
#[derive(Debug, Default)]
pub(super) struct Entry {
    pub(super) row: Map,
    /// Table and row.
    pub(super) details: Vec<(&'static str, Map)>,
    place: String,
}

/// A member of a JSON object, whatever its capitals.
pub(super) fn member<'a>(map: &'a Map, name: &str) -> Option<&'a Value> {
    map.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn map<'a>(value: Option<&'a Value>, name: &str) -> Result<&'a Map, Refused> {
    value.and_then(Value::as_map).ok_or_else(|| Refused::new(format!("{name} ontbreekt")))
}

fn list<'a>(value: Option<&'a Value>, name: &str) -> Result<&'a [Value], Refused> {
    value.and_then(Value::as_list).ok_or_else(|| Refused::new(format!("{name} ontbreekt")))
}

/// Takes a write in; gives the header rows as they are now.
pub(super) fn write(
    company: &mut Company,
    object: &'static Object,
    body: &Map,
    updates: bool,
) -> Result<Vec<Map>, Refused> {
    if !(if updates { object.update } else { object.insert }) {
        let what = if updates { "wijzigen" } else { "toevoegen" };
        return Err(Refused::new(format!("{}: {what} is niet toegestaan", object.code)));
    }
    let entries = entries(object, body)?;
    if updates {
        let id = member(body, "id").and_then(Value::as_str).unwrap_or_default();
        let [entry] = entries.as_slice() else {
            return Err(Refused::new("Wijzigen gaat met één rij".into()));
        };
        return rules::update(company, object, id, &entry.row).map(|row| vec![row]);
    }
    // All or none.
    for entry in &entries {
        rules::check(company, object, entry)?;
    }
    Ok(entries.into_iter().map(|entry| rules::insert(company, object, entry)).collect())
}

fn entries(object: &'static Object, body: &Map) -> Result<Vec<Entry>, Refused> {
    let table = map(member(body, "Table"), "Table")?;
    let data = map(member(body, "TableData"), "TableData")?;
    let header = map(member(table, "Definition"), "Definition")?;
    let name = member(header, "Name").and_then(Value::as_str).unwrap_or_default();
    if !name.eq_ignore_ascii_case(object.table) {
        return Err(Refused::new(format!("Tabel {name} hoort niet bij {}", object.code)));
    }
    let rows = rows(object.table, header, map(member(data, "Data"), "Data")?)?;
    let mut entries: Vec<Entry> =
        rows.into_iter().map(|(place, _, row)| Entry { row, details: Vec::new(), place }).collect();
    let definitions = member(table, "DetailDefinitions").and_then(Value::as_list).unwrap_or_default();
    let details = member(data, "DetailData").and_then(Value::as_list).unwrap_or_default();
    if definitions.len() != details.len() {
        return Err(Refused::new("DetailData hoort niet bij DetailDefinitions".into()));
    }
    for (definition, data) in definitions.iter().zip(details) {
        let definition = map(Some(definition), "DetailDefinition")?;
        let name = member(definition, "Name").and_then(Value::as_str).unwrap_or_default();
        let known =
            object.detail.into_iter().chain(["USR_LINK"]).find(|table| table.eq_ignore_ascii_case(name));
        let table = known
            .ok_or_else(|| Refused::new(format!("Detailtabel {name} hoort niet bij {}", object.code)))?;
        for (_, header, row) in rows_of(table, definition, data)? {
            let entry = entries.iter_mut().find(|entry| entry.place == header);
            let entry =
                entry.ok_or_else(|| Refused::new(format!("HeaderId {header} heeft geen kopregel")))?;
            entry.details.push((table, row));
        }
    }
    Ok(entries)
}

fn rows_of(table: &str, definition: &Map, data: &Value) -> Result<Vec<(String, String, Map)>, Refused> {
    rows(table, definition, map(Some(data), "DetailData")?)
}

/// Rows by the columns of their definition: `RowId`, `HeaderId` and the rest.
fn rows(table: &str, definition: &Map, data: &Map) -> Result<Vec<(String, String, Map)>, Refused> {
    let fields = list(member(definition, "Fields"), "Fields")?;
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .filter_map(Value::as_map)
        .map(|field| {
            let text = |name| member(field, name).and_then(Value::as_str).unwrap_or_default();
            (text("Name"), text("FieldType"))
        })
        .collect();
    let mut rows = Vec::new();
    for row in list(member(data, "Rows"), "Rows")? {
        let values = list(member(map(Some(row), "Row")?, "Values"), "Values")?;
        if values.len() != fields.len() {
            return Err(Refused::new(format!("{} waarden voor {} velden", values.len(), fields.len())));
        }
        let (mut place, mut header, mut kept) = (String::new(), String::new(), Map::new());
        for ((name, letter), value) in fields.iter().zip(values) {
            if let Some(number) = PLACES.iter().find(|known| known.eq_ignore_ascii_case(name)) {
                let text = value.as_str().unwrap_or_default().to_owned();
                match *number {
                    "RowId" => place = text,
                    "HeaderId" => header = text,
                    _ => {}
                }
                continue;
            }
            let column = dictionary::column_of(table, name)
                .ok_or_else(|| Refused::new(format!("Kolom {table}.{name} bestaat niet")))?;
            kept.set(column.name, fitted(&column, letter, value)?);
        }
        if place.is_empty() {
            return Err(Refused::new("RowId ontbreekt".into()));
        }
        rows.push((place, header, kept));
    }
    Ok(rows)
}

/// A value as the column keeps it.
fn fitted(column: &Column, letter: &str, value: &Value) -> Result<Value, Refused> {
    let name = column.name;
    if column.blocked {
        return Err(Refused::new(format!("Kolom {name} mag niet worden gewijzigd")));
    }
    let fits = matches!(
        (letter, column.letter),
        ("C", 'C') | ("M", 'M') | ("L", 'L') | ("T", 'T' | 'D') | ("N" | "I", 'N' | 'I')
    );
    if !fits {
        return Err(Refused::new(format!("Type {letter} past niet bij kolom {name} ({})", column.letter)));
    }
    let wrong = || Refused::new(format!("Waarde {value} past niet bij kolom {name}"));
    match column.letter {
        'C' => {
            let text = value.as_str().ok_or_else(wrong)?;
            if text.chars().count() > column.length {
                return Err(Refused::new(format!("Kolom {name}: meer dan {} tekens", column.length)));
            }
            Ok(if column.upper { text.to_uppercase() } else { text.to_owned() }.into())
        }
        'M' => value.as_str().map(Value::from).ok_or_else(wrong),
        'L' => match value {
            Value::Bool(given) => Ok((*given).into()),
            Value::Text(text) => match text.as_str().to_ascii_lowercase().as_str() {
                "true" => Ok(true.into()),
                "false" => Ok(false.into()),
                _ => Err(wrong()),
            },
            _ => Err(wrong()),
        },
        'T' | 'D' => match value.as_str().ok_or_else(wrong)? {
            "" => Ok("".into()),
            text => {
                let day: Date = text.get(..10).and_then(|day| day.parse().ok()).ok_or_else(wrong)?;
                Ok(format!("{day}T00:00:00").into())
            }
        },
        _ => {
            let number = value.as_decimal().or_else(|| value.as_str()?.parse().ok()).ok_or_else(wrong)?;
            if column.letter == 'I' && !number.is_integer() {
                return Err(wrong());
            }
            Ok(number.into())
        }
    }
}

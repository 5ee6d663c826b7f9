//! What AccountView minds about debtors, addresses, orders and journal pages.

use rust_decimal::Decimal;

use super::Refused;
use super::books::{Company, HEADER, KIND, text};
use super::dictionary::{self, Object};
use super::writing::Entry;
use crate::record::{Map, Value};

fn refuse<T>(reason: impl Into<String>) -> Result<T, Refused> {
    Err(Refused::new(reason.into()))
}

fn is_set(row: &Map, column: &str) -> bool {
    !text(row, column).is_empty()
}

fn is_true(row: &Map, column: &str) -> bool {
    row.get(column).and_then(Value::as_bool).unwrap_or(false)
}

/// Whether a new row can be taken.
pub(super) fn check(company: &Company, object: &Object, entry: &Entry) -> Result<(), Refused> {
    let tables =
        std::iter::once((object.table, &entry.row)).chain(entry.details.iter().map(|(t, row)| (*t, row)));
    for (table, row) in tables {
        let missing =
            dictionary::columns(table).into_iter().find(|one| one.mandatory && !is_set(row, one.name));
        if let Some(column) = missing {
            return refuse(format!("Veld {} is verplicht", column.name));
        }
    }
    match object.code {
        "AR1" => debtor(company, &entry.row, None),
        "ADDR" if company.row("CONTACT", "SUB_NR", text(&entry.row, "SUB_NR")).is_none() => {
            refuse(format!("Debiteur {} bestaat niet", text(&entry.row, "SUB_NR")))
        }
        "SO1" => order(company, entry),
        "DJ2" => page(company, entry),
        _ => Ok(()),
    }
}

fn debtor(company: &Company, row: &Map, of: Option<&str>) -> Result<(), Refused> {
    let account = text(row, "ACCT_NR");
    if company.row("LEDGER", "ACCT_NR", account).is_none() {
        return refuse(format!("Grootboekrekening {account} bestaat niet"));
    }
    let number = text(row, "SUB_NR");
    if !number.is_empty() && of != Some(number) && company.row("CONTACT", "SUB_NR", number).is_some() {
        return refuse(format!("Debiteur {number} bestaat al"));
    }
    Ok(())
}

fn order(company: &Company, entry: &Entry) -> Result<(), Refused> {
    for column in ["RPL_INV", "RPL_DEL"] {
        let number = text(&entry.row, column);
        if number.is_empty() && column == "RPL_DEL" {
            continue;
        }
        let Some(debtor) = company.row("CONTACT", "SUB_NR", number) else {
            return refuse(format!("Debiteur {number} bestaat niet"));
        };
        if is_true(debtor, "REC_BLK") || is_true(debtor, "BLK_SP") {
            return refuse(format!("Debiteur {number} is geblokkeerd"));
        }
    }
    let delivery = text(&entry.row, "DEL_CODE");
    if !delivery.is_empty() && company.row("DEL_ADDR", "REC_ID", delivery).is_none() {
        return refuse(format!("Afleveradres {delivery} bestaat niet"));
    }
    let lines: Vec<&Map> =
        entry.details.iter().filter(|(table, _)| *table == "SO_LINE").map(|(_, row)| row).collect();
    if lines.is_empty() {
        return refuse("Een order heeft minstens één regel");
    }
    match lines.iter().find(|line| company.row("ARTICLE", "ART_CODE", text(line, "ART_CODE")).is_none()) {
        Some(line) => refuse(format!("Artikel {} bestaat niet", text(line, "ART_CODE"))),
        None => Ok(()),
    }
}

fn page(company: &Company, entry: &Entry) -> Result<(), Refused> {
    let journal = text(&entry.row, "DJ_CODE");
    if company.row("DAILY", "DJ_CODE", journal).is_none() {
        return refuse(format!("Dagboek {journal} bestaat niet"));
    }
    let debtor = text(&entry.row, "SUB_NR");
    if !debtor.is_empty() && company.row("CONTACT", "SUB_NR", debtor).is_none() {
        return refuse(format!("Debiteur {debtor} bestaat niet"));
    }
    for (_, line) in entry.details.iter().filter(|(table, _)| *table == "DJ_LINE") {
        let (account, vat) = (text(line, "ACCT_NR"), text(line, "VAT_CODE"));
        if company.row("LEDGER", "ACCT_NR", account).is_none() {
            return refuse(format!("Grootboekrekening {account} bestaat niet"));
        }
        if !vat.is_empty() && company.row("VAT", "VAT_CODE", vat).is_none() {
            return refuse(format!("BTW-code {vat} bestaat niet"));
        }
    }
    Ok(())
}

/// Takes a row that was checked, gives it its numbers.
pub(super) fn insert(company: &mut Company, object: &Object, entry: Entry) -> Map {
    let Entry { mut row, details, .. } = entry;
    match object.code {
        "AR1" => {
            if !is_set(&row, "SUB_NR") {
                let number = loop {
                    let number = company.number("SUB_NR", 10043).to_string();
                    if company.row("CONTACT", "SUB_NR", &number).is_none() {
                        break number;
                    }
                };
                row.set("SUB_NR", number);
            }
            row.set(KIND, "D");
            city(&mut row);
        }
        "SO1" => drop(row.set("SO_NR", company.number("SO_NR", 2_400_117).to_string())),
        "DJ2" => {
            let journal = text(&row, "DJ_CODE").to_owned();
            let number = company.number(&format!("PAGE {journal}"), 24);
            row.set("PAGE_NR", number.to_string());
            let automatic =
                company.row("DAILY", "DJ_CODE", &journal).is_some_and(|row| is_true(row, "NUM_AUTO"));
            if automatic || !is_set(&row, "INV_NR") {
                row.set("INV_NR", company.number("INV_NR", 20_260_001).to_string());
            }
        }
        _ => {}
    }
    let row = company.insert(object.table, row);
    let key = row.get("EXT_KEY").cloned().unwrap_or_default();
    for (table, mut line) in details {
        line.set(HEADER, key.clone());
        if table == "SO_LINE" {
            let article = text(&line, "ART_CODE").to_owned();
            if line.get("ART_PX").is_none() {
                let price =
                    company.row("ARTICLE", "ART_CODE", &article).and_then(|row| row.get("PX_SELL")).cloned();
                line.set("ART_PX", price);
            }
            let quantity = line.get("ORD_QTY").and_then(Value::as_decimal).unwrap_or(Decimal::ZERO);
            company.reserve(&article, quantity);
        }
        company.insert(table, line);
    }
    row
}

/// Changes a row of master data.
pub(super) fn update(
    company: &mut Company,
    object: &Object,
    id: &str,
    changes: &Map,
) -> Result<Map, Refused> {
    let key = dictionary::key_of(object.table);
    if id.is_empty() {
        return refuse("id ontbreekt");
    }
    let Some(row) = company.row(object.table, key, id).cloned() else {
        return refuse(format!("{id} bestaat niet"));
    };
    let mut changed = row;
    for (column, value) in changes.iter() {
        changed.set(column.clone(), value.clone());
    }
    let missing = dictionary::columns(object.table)
        .into_iter()
        .find(|one| one.mandatory && !is_set(&changed, one.name));
    if let Some(column) = missing {
        return refuse(format!("Veld {} is verplicht", column.name));
    }
    if object.table == "CONTACT" {
        debtor(company, &changed, Some(id))?;
        city(&mut changed);
    }
    company.stamp(&mut changed);
    if let Some(row) = company.row_mut(object.table, key, id) {
        *row = changed.clone();
    }
    Ok(changed)
}

/// What is written as `CITY` is read as `BOX_CITY` too.
fn city(row: &mut Map) {
    if let Some(city) = row.get("CITY").cloned() {
        row.set("BOX_CITY", city);
    }
}

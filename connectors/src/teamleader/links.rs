//! What stands inside another record on the wire and is a record of its own here: who works for
//! which company, and what was paid on an invoice.

use super::wire::{decimal, plain, text};
use crate::record::{Map, Record, Value};

/// The companies that a contact works for.
pub(super) fn of_contact(contact: &str, row: &Map) -> Vec<Record> {
    let links = row.get("companies").and_then(Value::as_list).unwrap_or_default();
    let link = |link: &Map| Some(record(contact, text(link, "company.id")?, link, "decision_maker"));
    links.iter().filter_map(Value::as_map).filter_map(link).collect()
}

/// The contacts of a company.
pub(super) fn of_company(company: &str, row: &Map) -> Vec<Record> {
    let links = row.get("related_contacts").and_then(Value::as_list).unwrap_or_default();
    let link = |link: &Map| Some(record(text(link, "id")?, company, link, "is_decision_maker"));
    links.iter().filter_map(Value::as_map).filter_map(link).collect()
}

fn record(contact: &str, company: &str, link: &Map, decides: &str) -> Record {
    let mut record = Record::new();
    record.set("id", format!("{contact}/{company}"));
    record.set("contact_id", contact);
    record.set("company_id", company);
    if let Some(position) = text(link, "position") {
        record.set("position", position);
    }
    if let Some(decides) = link.get(decides).and_then(Value::as_bool) {
        record.set("decision_maker", decides);
    }
    record
}

/// What was paid on an invoice.
pub(super) fn payments(invoice: &str, row: &Map) -> Vec<Record> {
    let payments = row.get("payments").and_then(Value::as_list).unwrap_or_default();
    payments.iter().filter_map(Value::as_map).filter_map(|payment| self::payment(invoice, payment)).collect()
}

fn payment(invoice: &str, wire: &Map) -> Option<Record> {
    let paid_at = text(wire, "paid_at")?;
    let amount = plain(wire.at("payment.amount").and_then(decimal)?);
    let mut record = Record::new();
    record.set("id", payment_key(invoice, paid_at, &amount));
    record.set("invoice_id", invoice);
    record.set("paid_at", paid_at);
    record.set("amount", amount);
    if let Some(currency) = text(wire, "payment.currency") {
        record.set("currency", currency);
    }
    Some(record)
}

/// Payments have no identifier; this tells those of one invoice apart as well as can be.
pub(super) fn payment_key(invoice: &str, paid_at: &str, amount: &Value) -> String {
    let second = paid_at.parse::<jiff::Timestamp>().map(|at| at.as_second().to_string());
    format!("{invoice}/{}/{amount}", second.unwrap_or_else(|_| paid_at.to_owned()))
}

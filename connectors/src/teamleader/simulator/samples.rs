//! Records and changes that the conformance suite writes.

use serde_json::{Value as Json, json};

use super::books::{Books, at, text};
use super::fill::nth;
use crate::record::{Record, Value, read_json};

fn record(value: &Json) -> Option<Record> {
    match read_json(&value.to_string().into()) {
        Ok(Value::Map(map)) => Some(map),
        _ => None,
    }
}

/// A record that a create takes.
pub(super) fn new(books: &Books, resource: &str, number: usize) -> Option<Record> {
    let place = i64::try_from(number).ok()?;
    let line = |number: i64| {
        json!({
            "product_id": nth(books, "products", number), "description": format!("Coffee {number}"), "quantity": 2,
            "unit_price": 8.75, "tax_rate": "21%", "section": "Goods",
        })
    };
    let value = match resource {
        "companies" => json!({
            "name": format!("Nieuw Bedrijf {number}"), "vat_number": format!("NL8{number:08}B01"),
            "email": format!("nieuw{number}@bedrijf.example"), "invoicing_email": format!("ap{number}@bedrijf.example"),
            "phone": "+31301234567", "language": "nl", "remarks": "New", "tags": ["new"],
            "primary_address": {"line_1": "Kade 12", "postal_code": "3511 AB", "city": "Utrecht", "country": "NL"},
            "custom_fields": {"Web shop number": format!("N-{number}")},
        }),
        "contacts" => json!({
            "first_name": "Nina", "last_name": format!("Nieuwland {number}"), "email": format!("nina{number}@mail.example"),
            "phone": "+31301234567", "mobile": "+31612345678", "gender": "female", "birthdate": "1990-02-03",
            "primary_address": {"line_1": "Kade 12", "postal_code": "3511 AB", "city": "Utrecht", "country": "NL"},
        }),
        "company_contacts" => json!({
            "contact_id": nth(books, "contacts", place), "company_id": nth(books, "companies", place + 3),
            "position": "Owner", "decision_maker": true,
        }),
        "products" => json!({
            "code": format!("N{number}"), "name": format!("New product {number}"), "description": "Fresh",
            "selling_price": 9.95, "selling_currency": "EUR", "purchase_price": 4.5, "stock": 12, "vat_rate": 21,
            "product_category": "Coffee", "unit_of_measure": "piece", "custom_fields": {"EAN": "5412345678908"},
        }),
        "deals" => json!({
            "title": format!("Order {number}"), "customer_type": "company", "customer_id": nth(books, "companies", place),
            "contact_person_id": nth(books, "contacts", place), "estimated_value": 120.5, "currency": "EUR",
            "custom_fields": {"Origin": "Web shop"},
        }),
        "quotations" => json!({
            "deal_id": free_deal(books, number), "currency": "EUR", "text": "As asked", "lines": [line(place)],
            "expires_after": "2027-01-31", "expiry_action": "lock",
        }),
        "invoices" => json!({
            "customer_type": "company", "customer_id": nth(books, "companies", place),
            "purchase_order_number": format!("NEW-{number}"), "invoice_date": "2026-11-20", "note": "Thanks",
            "payment_term": {"type": "after_invoice_date", "days": 14}, "lines": [line(place), line(place + 1)],
        }),
        "invoice_payments" => json!({
            "invoice_id": nth(books, "invoices", 2 + place % 5), "paid_at": format!("2026-11-20T10:{:02}:{:02}+00:00", number / 60 % 60, number % 60),
            "amount": 1.25, "currency": "EUR",
        }),
        _ => return None,
    };
    record(&value)
}

/// Deals get one quotation each; these are as good as free, counted from the last.
fn free_deal(books: &Books, number: usize) -> Option<String> {
    let taken = |id: &str| books.rows("quotations").iter().any(|row| at(row, "/deal/id") == Some(id));
    let free: Vec<&str> = books.rows("deals").iter().filter_map(|row| text(row, "id")).filter(|id| !taken(id)).collect();
    match free.get(number % free.len().max(1)) {
        Some(id) => Some((*id).to_owned()),
        None => nth(books, "deals", i64::try_from(number).ok()?),
    }
}

/// Changes that an update takes.
pub(super) fn changed(books: &Books, resource: &str, number: usize) -> Option<Record> {
    let value = match resource {
        "companies" => json!({
            "name": format!("Ander Bedrijf {number}"), "email": format!("ander{number}@bedrijf.example"),
            "delivery_address": {"line_1": format!("Werf {number}"), "city": "Antwerpen", "country": "BE"},
        }),
        "contacts" => json!({"last_name": format!("Anders {number}"), "mobile": format!("+3247000{number:04}")}),
        "company_contacts" => json!({"position": format!("Buyer {number}")}),
        "products" => json!({"name": format!("Other name {number}"), "selling_price": 11 + number, "stock": 3 + number}),
        "deals" => json!({"summary": format!("Asked again {number}"), "phase_id": nth(books, "deal_phases", i64::try_from(number).ok()?)}),
        "quotations" => json!({"text": format!("Dear friend {number}")}),
        "invoices" => json!({"note": format!("Please pay {number}")}),
        _ => return None,
    };
    record(&value)
}

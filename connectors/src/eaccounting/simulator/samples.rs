//! Records that creates and updates take, in the words of flows.
#![expect(clippy::indexing_slicing, reason = "a JSON object takes any member")]

use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use super::books::Books;
use super::company::map;
use super::fill::{coding_of, key_at};
use crate::record::Record;

/// A record that a create takes.
pub(super) fn new(books: &Books, resource: &str, number: usize) -> Option<Record> {
    let n = i64::try_from(number).unwrap_or(0);
    let lines = |with_free: bool| {
        let number_of = |at: i64| {
            let id = key_at(books, "articles", at);
            books.row("articles", &id).and_then(|row| row.text("Number")).unwrap_or_default().to_owned()
        };
        let mut lines = vec![
            json!({"article_number": number_of(n), "quantity": 1 + n % 4, "price_excl": 10 + n, "price_incl": 12 + n, "discount_percentage": 5}),
            json!({"article_id": key_at(books, "articles", n + 1), "quantity": 2, "price_excl": 3.5, "price_incl": 4.24}),
            json!({"text": format!("Bestelling {n}")}),
        ];
        if let Some(line) = lines.first_mut().and_then(Json::as_object_mut).filter(|_| with_free) {
            line.insert("is_vat_free".to_owned(), json!(false));
        }
        lines
    };
    let customer = key_at(books, "customers", n);
    let sale = |with_free: bool| json!({"customer_id": customer, "buyers_order_reference": format!("WEB-{n}"), "your_reference": "Anna Ek", "lines": lines(with_free)});
    let record = match resource {
        "customers" => json!({
            "name": format!("Klant {n}"), "is_private_person": true, "is_active": true, "email": format!("nieuw{n}@example.nl"),
            "terms_of_payment_id": key_at(books, "termsofpayments", 1), "invoice_address_1": format!("Dorpsstraat {n}"),
            "invoice_postal_code": "1791 AB", "invoice_city": "Den Burg", "invoice_country_code": "NL", "discount_percentage": 2.5,
        }),
        "customer_labels" | "article_labels" => {
            json!({"name": format!("Nieuw {n}"), "description": "Van de flow"})
        }
        "articles" => json!({
            "number": format!("{}", 500_000 + n), "name": format!("Artikel {n}"), "is_active": true, "coding_id": coding_of(books, Decimal::from(21)),
            "unit_id": key_at(books, "units", 0), "net_price": 10 + n, "barcode": format!("8799{n:09}"), "stock_balance": n, "note": "Van de flow",
        }),
        "price_lists" => json!({"name": format!("Lijst {n}"), "currency_code": "EUR", "is_active": true}),
        "prices" => {
            json!({"price_list_id": key_at(books, "salespricelists", 1), "article_id": key_at(books, "articles", n), "net_price": 7 + n})
        }
        "quotes" => {
            let mut quote = sale(true);
            quote["terms_of_payment_id"] = json!(key_at(books, "termsofpayments", 3));
            quote
        }
        "orders" => {
            let mut order = sale(false);
            order["status"] = json!("ongoing");
            order["order_date"] = json!("2026-03-02");
            order["delivery_method_name"] = json!("PostNL");
            order
        }
        "invoice_drafts" => sale(false),
        "invoices" => sale(true),
        "invoice_payments" => {
            json!({"invoice_id": key_at(books, "customerinvoices", n), "bank_account_id": key_at(books, "bankaccounts", 0), "amount": 1, "currency_code": "EUR", "type": "partial", "reference": format!("tr_{n}")})
        }
        "delivery_methods" | "delivery_terms" => {
            json!({"name": format!("Nieuw {n}"), "code": format!("N{n}")})
        }
        _ => return None,
    };
    Some(map(&record))
}

/// Changes that an update takes.
pub(super) fn changed(resource: &str, number: usize) -> Option<Record> {
    let change = match resource {
        "customers" => {
            json!({"invoice_address_1": format!("Kerkplein {number}"), "discount_percentage": number})
        }
        "customer_labels" | "article_labels" => json!({"description": format!("Gewijzigd {number}")}),
        "articles" => json!({"net_price": 20 + number, "note": format!("Gewijzigd {number}")}),
        "stock" => json!({"balance": 40 + number}),
        "price_lists" => json!({"note": format!("Gewijzigd {number}")}),
        "prices" => json!({"net_price": 30 + number}),
        "quotes" | "orders" | "invoice_drafts" => json!({"your_reference": format!("Anna {number}")}),
        _ => return None,
    };
    Some(map(&change))
}

//! A small believable account, and records that it takes.

use serde_json::{Value, json};

use super::books::{Books, List};
use crate::record::{self, Record};

/// Fills empty books; what is there stays.
pub(super) fn fill(books: &mut Books) {
    let names = ["JAS", "BROEK", "TRUI", "SCHOEN", "TAS"];
    for number in 1..=30 {
        let name = names.get(number % names.len()).copied().unwrap_or_default();
        let code = if number <= names.len() { name.to_owned() } else { format!("{name}{number}") };
        let parent = if number > names.len() { Some(name) } else { None };
        let mut category = json!({"code": code, "name": format!("{name} {number}")});
        if let (Some(parent), Some(category)) = (parent, category.as_object_mut()) {
            category.insert("parent_code".to_owned(), json!(parent));
        }
        // A filled account is filled again by whoever asks twice; the second time does nothing.
        let _ = books.create(List::Categories, category);
    }
    for number in 1..=36 {
        let _ = books.create(List::Products, product(number));
    }
    for number in 1..=28 {
        if books.customers.len() < number {
            let _ = books.create(List::Customers, customer(number));
        }
    }
    for number in 1..=27 {
        let customer = books.customers.get(number - 1).and_then(|customer| customer.get("id"));
        let order = order(number, customer);
        let _ = books.create(List::Orders, order);
    }
    while books.tax_codes.len() < 26 {
        let number = books.tax_codes.len();
        books.tax_codes.push(json!({"code": format!("X{number}"), "percentage": 0, "country": "XX"}));
    }
}

fn product(number: usize) -> Value {
    // Numbers come as numbers and as texts; readers have to take both.
    let price = if number.is_multiple_of(2) { json!(format!("{number}.95")) } else { json!(number) };
    json!({
        "sku": (1_000 + number).to_string(), "name": format!("Artikel {number}"), "price": price,
        "price_includes_tax": true, "tax_code": "NL21", "ean": format!("87123456{number:05}"), "currency": "EUR",
        "quantity": number.to_string(), "type": "simple", "category_codes": ["JAS"],
        "features": {"herkomst": "NL"},
    })
}

fn customer(number: usize) -> Value {
    let address = json!({"street": "Dorpsstraat", "number": number.to_string(), "postcode": "1234 AB", "city": "Utrecht", "country": "NL"});
    if number.is_multiple_of(3) {
        return json!({
            "type": "company", "company_name": format!("Bakkerij {number} BV"), "email": format!("info@bakkerij{number}.example"),
            "contacts": [{"first_name": "Eva", "last_name": "Jansen"}], "billing": address, "payment_term": "14 dagen",
        });
    }
    json!({
        "type": "person", "first_name": "Jan", "last_name": format!("Smit {number}"),
        "email": format!("jan{number}@example.com"), "phone": "0301234567", "billing": address,
    })
}

fn order(number: usize, customer: Option<&Value>) -> Value {
    let status = if number.is_multiple_of(3) { "open" } else { "paid" };
    json!({
        "reference": format!("SM-{}", 5_000 + number), "order_date": "2026-01-05", "status": status, "currency": "EUR",
        "customer_id": customer, "payment_method": "pin", "payment_term": "14 dagen", "shipping_method": "pakket",
        "shipping_cost": "4.95",
        "lines": [{"sku": (1_000 + number).to_string(), "quantity": "2", "unit_price": "10.00", "tax_code": "NL21"}],
    })
}

/// A record that a create takes.
pub(super) fn sample(resource: &str, number: usize) -> Option<Record> {
    let value = match resource {
        "products" => json!({
            "sku": format!("N{number}"), "name": format!("Nieuw {number}"), "price": 12.5, "price_includes_tax": true,
            "tax_code": "NL9", "type": "variant", "parent_sku": "1001", "currency": "EUR",
            "attributes": [{"name": "maat", "value": "M"}],
        }),
        "customers" => json!({
            "type": "company", "company_name": format!("Nieuw {number} BV"), "email": format!("nieuw{number}@example.com"),
            "billing": {"street": "Kade", "number": "1", "city": "Zwolle", "country": "NL"},
            "contacts": [{"first_name": "Piet", "last_name": "Pieters"}],
        }),
        "orders" => json!({
            "reference": format!("NEW-{number}"), "order_date": "2026-02-01", "status": "paid", "currency": "EUR",
            "shipping_cost": 4.95, "lines": [{"sku": "1001", "quantity": 2, "unit_price": 9.5, "tax_code": "NL21"}],
        }),
        "categories" => {
            json!({"code": format!("N{number}"), "name": format!("Nieuw {number}"), "parent_code": "JAS"})
        }
        _ => return None,
    };
    to_record(&value)
}

/// Changes that an update takes.
pub(super) fn change(resource: &str, number: usize) -> Option<Record> {
    let value = match resource {
        "products" => json!({"name": format!("Anders {number}"), "price": 99}),
        "customers" => json!({"phone": format!("06{number:08}")}),
        "categories" => json!({"name": format!("Anders {number}")}),
        "stock" => json!({"quantity": 40 + number}),
        _ => return None,
    };
    to_record(&value)
}

fn to_record(value: &Value) -> Option<Record> {
    match record::read_json(&value.to_string().into()).ok()? {
        record::Value::Map(record) => Some(record),
        _ => None,
    }
}

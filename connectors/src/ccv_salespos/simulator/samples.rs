//! Records that a create or an update takes, different for each number.

use serde_json::json;

use super::books::{Books, int};
use super::fill::{self, nth};
use crate::record::Record;

/// A record that a create takes, in the connector's words.
pub(super) fn new(books: &Books, resource: &str, number: usize) -> Option<Record> {
    let n = i64::try_from(number).ok()?;
    let key = |table: &str, place: i64| nth(books, table, place).to_string();
    let product = || key("products", n);
    let value = match resource {
        "orders" => json!({
            "reservation": format!("MAG-{n:09}"),
            "status": "in_process",
            "is_paid": true,
            "currency": "EUR",
            "shipping_method": "shipping",
            "shipping_cost": 4.95,
            "customer": {"email": format!("inkoop{n}@bakkerij.example"), "type": "b2b", "company": "Bakkerij De Linde", "first_name": "Sanne", "last_name": "de Boer", "vat_number": "NL001234567B01"},
            "billing": {"street": "Lindelaan", "number": "14", "suffix": "a", "postcode": "3511 AB", "city": "Utrecht", "country": "NL"},
            "shipping": {"full_name": "Magazijn De Linde", "street": "Havenweg", "number": "2", "postcode": "3542 AC", "city": "Utrecht", "country": "NL"},
            "lines": [
                {"product_id": product(), "quantity": 2, "price_incl": 19.95, "discount": 2, "vat_rate": 21},
                {"sku": "DIENST-01", "description": "Graveren", "quantity": 1, "price_incl": 7.5, "vat_rate": 21},
            ],
        }),
        "order_notes" => json!({"order_id": key("orders", 0), "note": format!("Ingepakt door nr. {n}")}),
        "invoices" => {
            json!({"order_id": key("orders", n), "status": "unpaid", "external_reference": format!("VF-{n}")})
        }
        "products" => json!({
            "sku": format!("N-{n:05}"),
            "ean": format!("87{:011}", 55_000_000 + n),
            "name": format!("Nieuwe mok {n}"),
            "short_description": "Mok van steengoed",
            "price": 12.5,
            "tax_tariff": "normal",
            "package_id": key("packages", 0),
            "is_active": true,
            "is_stock_tracked": true,
            "stock": 12 + n,
            "weight": 0.35,
            "brand": "Keramiek Noord",
        }),
        "attributes" => json!({"name": format!("Eigenschap {n}"), "type": "option_menu"}),
        "attribute_values" => {
            json!({"attribute_id": key("attributes", 0), "name": format!("Kleur {n}"), "default_price": 0.5})
        }
        "product_attribute_values" => {
            // Simple products come first in the books; each may offer any value.
            json!({"product_id": product(), "value_id": key("attributevalues", 5), "position": 1, "price": 1.5, "stock": 3})
        }
        "categories" => {
            json!({"name": format!("Nieuwe categorie {n}"), "description": "<p>Vers</p>", "is_visible": true})
        }
        "product_categories" => {
            json!({"product_id": product(), "category_id": key("categories", -1), "position": 1})
        }
        "product_photos" => {
            json!({"product_id": product(), "alt_text": format!("Foto {n}"), "is_main": false, "file_type": "jpg", "source": "/9j/4A=="})
        }
        "tax_exceptions" => json!({"product_id": product(), "country": "BE", "tax_tariff": "low a"}),
        "packages" => json!({"name": format!("Envelop {n}")}),
        "customers" => json!({
            "email": format!("nieuw{n}@voorbeeld.example"),
            "type": "b2b",
            "company": format!("Lunchroom {n}"),
            "first_name": "Emma",
            "last_name": "Visser",
            "phone": "0301234567",
            "reference": format!("REL-{n}"),
            "group_id": key("usergroups", 0),
            "is_active": true,
            "billing": {"street": "Kerkplein", "number": "3", "postcode": "3511 AB", "city": "Utrecht", "country": "NL"},
        }),
        "customer_groups" => json!({"name": format!("Prijslijst {n}"), "discount": 2.5}),
        "group_prices" => {
            json!({"group_id": key("usergroups", 2), "product_id": product(), "price": 9.95, "discount": 0})
        }
        "customer_prices" => {
            json!({"customer_id": key("users", 2), "product_id": product(), "price": 9.95, "discount": 0})
        }
        "group_category_discounts" => {
            json!({"group_id": key("usergroups", 2), "category_id": key("categories", n), "discount": 5})
        }
        "customer_category_discounts" => {
            json!({"customer_id": key("users", 2), "category_id": key("categories", n), "discount": 5})
        }
        "staggered_prices" => {
            json!({"product_id": product(), "quantity": 25 + n, "price": 7.95, "discount": 0})
        }
        "group_staggered_prices" => json!({
            "group_id": key("usergroups", 2), "staggered_price_id": key("productstaggeredprices", n), "price": 5, "discount": 0,
        }),
        "customer_staggered_prices" => json!({
            "customer_id": key("users", 2), "staggered_price_id": key("productstaggeredprices", n), "price": 5, "discount": 0,
        }),
        _ => return None,
    };
    Some(fill::json(&value))
}

/// Changes that an update takes.
pub(super) fn changed(resource: &str, number: usize) -> Option<Record> {
    let n = i64::try_from(number).ok()?;
    let value = match resource {
        "orders" => {
            json!({"track_and_trace_code": format!("3SABCD{n:07}"), "track_and_trace_carrier": "PostNL"})
        }
        "invoices" => json!({"external_reference": format!("VF-2025-{n:05}")}),
        "products" => json!({"name": format!("Koffiemok, {n}e druk"), "price": 10 + n}),
        "variants" => json!({"note": format!("Vak {n}"), "stock": 100 + n}),
        "stock" => json!({"stock": 200 + n}),
        "attributes" => json!({"name": format!("Uitvoering {n}")}),
        "attribute_values" => json!({"name": format!("Waarde {n}")}),
        "categories" => json!({"description": format!("<p>Assortiment {n}</p>")}),
        "packages" => json!({"name": format!("Krat {n}")}),
        "customers" => {
            json!({"phone": format!("030{:07}", 7_000_000 + n), "company": format!("Eetcafé {n}")})
        }
        "customer_groups" => json!({"discount": 3 + n}),
        "group_prices"
        | "customer_prices"
        | "staggered_prices"
        | "group_staggered_prices"
        | "customer_staggered_prices" => json!({"price": 20 + n}),
        "group_category_discounts" | "customer_category_discounts" => json!({"discount": 6 + n}),
        _ => return None,
    };
    Some(fill::json(&value))
}

/// The key of the record whose member has that value.
pub(super) fn key_by(books: &Books, table: &str, member: &str, value: &str) -> Option<i64> {
    let same = |row: &&Record| match row.at(member) {
        Some(found) => found.as_str().map_or_else(|| found.to_string() == value, |text| text == value),
        None => false,
    };
    books.rows(table).find(same).and_then(|row| int(row, "id"))
}

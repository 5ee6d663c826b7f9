//! What the demo's office offers.
#![expect(clippy::indexing_slicing, reason = "a JSON value gives null where it has nothing")]

use connectors::teamleader::simulator::Office;
use serde_json::json;

use crate::demo::stage::Size;

/// Names, prices in cents without VAT, and the name of the VAT rate.
const GOODS: [(&str, i64, &str); 8] = [
    ("Koffiebonen 1 kg", 1_742, "9%"),
    ("Espresso 250 g", 595, "9%"),
    ("Koffiemok", 1_070, "21%"),
    ("Cafetière", 2_892, "21%"),
    ("Molen", 7_396, "21%"),
    ("Filters", 371, "21%"),
    ("Groene thee", 436, "9%"),
    ("Theepot", 3_264, "21%"),
];
const MAKERS: [&str; 6] = ["Texel", "Keramiek Noord", "Zoë & Zn.", "Ångström", "Café Brûlé", "Vlieland"];
const CATEGORIES: [&str; 4] = ["Koffie", "Thee", "Servies", "Apparaten"];

/// Number of the first product.
pub(super) const FIRST: i64 = 100_000;

/// Puts categories and products into the books.
pub(super) fn set_up(office: &Office, size: &Size) {
    let categories: Vec<Option<String>> = CATEGORIES
        .iter()
        .map(|name| office.insert("product_categories", &json!({"name": name, "ledgers": []})))
        .collect();
    let rate = |name: &str| office.row_by("tax_rates", "description", name).map(|row| row["id"].clone());
    let mut random = fastrand::Rng::with_seed(size.seed);
    for number in 0..size.products {
        let (name, cents, tax) = GOODS.get(number % GOODS.len()).copied().unwrap_or(GOODS[0]);
        let maker = MAKERS.get(number / GOODS.len() % MAKERS.len()).copied().unwrap_or_default();
        let series = number / GOODS.len() / MAKERS.len() + 1;
        let cents = cents + random.i64(0..60) * 5;
        let own = FIRST + i64::try_from(number).unwrap_or_default();
        let product = json!({
            "name": format!("{name} {maker} {series}"),
            "code": own.to_string(),
            "selling_price": {"amount": euros(cents), "currency": "EUR"},
            "tax_rate_id": rate(tax),
            "product_category_id": categories.get(number % categories.len()),
            "stock": {"amount": 500},
        });
        if let Err(reason) = office.act("products.add", &product) {
            tracing::warn!(own, reason, "the stand-in refused a product of the demo");
        }
    }
}

/// Cents as the number that the wire has.
fn euros(cents: i64) -> serde_json::Value {
    let text = format!("{}.{:02}", cents / 100, cents % 100);
    serde_json::from_str(&text).unwrap_or_default()
}

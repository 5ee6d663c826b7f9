//! The demo's trade at Softmaat: regulars of the till, and orders tidy and untidy.

use connectors::mpluskassa::simulator::TillSimulator;
use connectors::record::{Record, Value};
use connectors::simulator::Simulator;
use connectors::softmaat::simulator::SoftmaatSimulator;
use serde_json::json;

use crate::demo::counter::{all, relation};
use crate::demo::people::Customer;
use crate::demo::stage::{Size, list};

/// Only some of them are known at the till.
pub(super) fn welcome(till: &TillSimulator, size: &Size) {
    till.add_relations(all(size).iter().step_by(4).map(relation));
}

/// Places orders; gives how many stand in Softmaat afterwards.
pub(super) fn take_orders(softmaat: &SoftmaatSimulator, till: &TillSimulator, size: &Size) -> usize {
    let books = Simulator::books(softmaat);
    let mut wares: Vec<serde_json::Value> = list(&books, "products")
        .into_iter()
        .filter(|product| product["type"] != json!("configurable") && price(product) > 0.0)
        .collect();
    // What came first is chance.
    wares.sort_by_key(|product| product["sku"].as_str().map(str::to_owned));
    // The till knows neither of them, and one has a number that it cannot know.
    for (sku, name) in [("GIFT-25", "Cadeaubon 25 euro"), ("777001", "Kerstpakket (alleen Softmaat)")] {
        let product = json!({"sku": sku, "name": name, "price": "25.00", "price_includes_tax": true,
            "tax_code": "NL21", "type": "simple"});
        enter(softmaat, "products", &product);
    }
    let mut random = fastrand::Rng::with_seed(size.seed.wrapping_add(2));
    let ids: Vec<String> =
        all(size).iter().filter_map(|customer| known(softmaat, &books, customer)).collect();
    for number in 0..size.orders {
        let order = order(number, &ids, &wares, &mut random);
        enter(softmaat, "orders", &order);
    }
    enter_by_hand(softmaat, till);
    list(&Simulator::books(softmaat), "orders").len()
}

/// The customer's identifier; those who are new are entered.
fn known(softmaat: &SoftmaatSimulator, books: &serde_json::Value, customer: &Customer) -> Option<String> {
    let there = list(books, "customers").into_iter().find(|known| known["email"] == json!(customer.email));
    if let Some(id) = there.as_ref().and_then(|known| known["id"].as_str()) {
        return Some(id.to_owned());
    }
    let mut record = json!({
        "type": if customer.company.is_some() { "company" } else { "person" },
        "email": customer.email,
        "billing": {"street": customer.street, "number": customer.number.to_string(),
            "postcode": customer.city.0, "city": customer.city.1, "country": "NL"},
    });
    if let Some(record) = record.as_object_mut() {
        if let Some(company) = &customer.company {
            record.insert("company_name".into(), json!(company));
            let contact = json!({"first_name": customer.first, "last_name": customer.last});
            record.insert("contacts".into(), json!([contact]));
        } else {
            record.insert("first_name".into(), json!(customer.first));
            record.insert("last_name".into(), json!(customer.last));
        }
    }
    enter(softmaat, "customers", &record)
}

/// One order; every so often an awkward one.
fn order(
    number: usize,
    customers: &[String],
    wares: &[serde_json::Value],
    random: &mut fastrand::Rng,
) -> serde_json::Value {
    // A discount on everything is shared out over the rates of the goods; with one rate it is
    // plain to everybody how much of it is VAT.
    let is_discounted = number % 17 == 5;
    let choice: Vec<&serde_json::Value> =
        wares.iter().filter(|ware| !is_discounted || ware["tax_code"] == json!("NL21")).collect();
    let mut lines = Vec::new();
    for _ in 0..random.usize(1..5) {
        let Some(ware) = choice.get(random.usize(0..choice.len().max(1))) else { continue };
        let (count, cost) = (random.i64(1..4), price(ware));
        // Some prices have more digits than the till keeps.
        let cost = if number % 23 == 8 { format!("{:.3}", cost + 0.003) } else { format!("{cost:.2}") };
        lines.push(json!({"sku": ware["sku"], "quantity": count.to_string(), "unit_price": cost,
            "tax_code": ware["tax_code"]}));
    }
    if number % 61 == 7 {
        let sku = if number.is_multiple_of(2) { "GIFT-25" } else { "777001" };
        lines.push(json!({"sku": sku, "quantity": "1", "unit_price": "25.00", "tax_code": "NL21"}));
    }
    let is_fetched = number.is_multiple_of(6);
    let status = match number {
        _ if number % 9 == 4 => "open",
        _ if number % 37 == 9 => "cancelled",
        _ => "paid",
    };
    let methods = ["ideal", "bank", "pin", "cash"];
    let mut order = json!({
        "reference": format!("SM-{}", 10_001 + number),
        "order_date": "2026-03-14",
        "status": status,
        "currency": "EUR",
        "payment_method": methods.get(number % methods.len()),
        "shipping_method": if is_fetched { "afhalen" } else { "pakket" },
        "shipping_cost": if is_fetched { "0" } else { "4.95" },
        "lines": lines,
    });
    if let Some(order) = order.as_object_mut() {
        // A few orders have no customer, and the flow is told no debtor for those.
        let customer = customers.get(random.usize(0..customers.len().max(1)));
        if let Some(id) = customer.filter(|_| number % 29 != 3) {
            order.insert("customer_id".into(), json!(id));
        }
        if is_discounted {
            order.insert("discount".into(), json!("2.50"));
        }
    }
    order
}

/// Somebody typed a few orders into the till by hand before the flow was there.
fn enter_by_hand(softmaat: &SoftmaatSimulator, till: &TillSimulator) {
    let mut relation = Record::new();
    relation.set("name", "Balie");
    let Some(relation) = till.add_relations([relation]).pop() else { return };
    let orders = list(&Simulator::books(softmaat), "orders");
    for order in orders.iter().filter(|order| order["status"] == json!("paid")).step_by(29).take(3) {
        let Some(number) = order["reference"].as_str() else { continue };
        let mut line = Record::new();
        line.set("article_number", "100000");
        line.set("quantity", 1);
        let mut booked = Record::new();
        booked.set("ext_order_id", number);
        booked.set("employee_number", "999999");
        booked.set("relation_number", relation.as_str());
        booked.set("lines", vec![Value::Map(line)]);
        if let Err(reason) = till.place_order(booked) {
            tracing::warn!(number, reason, "the stand-in refused an order entered by hand");
        }
    }
}

/// A price, for choosing and printing only: the audit reckons with what stands in the books.
fn price(product: &serde_json::Value) -> f64 {
    let price = &product["price"];
    price.as_f64().or_else(|| price.as_str()?.parse().ok()).unwrap_or_default()
}

fn enter(softmaat: &SoftmaatSimulator, resource: &str, record: &serde_json::Value) -> Option<String> {
    softmaat
        .enter(resource, record)
        .inspect_err(|reason| tracing::warn!(resource, reason, "the stand-in refused a record of the demo"))
        .ok()
}

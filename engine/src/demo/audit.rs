//! Compares the books of both sides, order by order and to the cent.
//!
//! Nothing here asks the flows or the store: what the stand-ins have in their books counts.

use std::collections::BTreeMap;

use connectors::ccv_salespos::simulator::CcvShop;
use connectors::mpluskassa::simulator::TillSimulator;
use connectors::record::{Record, Value, read_json};
use connectors::simulator::Simulator;
use rust_decimal::Decimal;

use crate::cli::{Show, progress};

/// What the till has under a number of the shop.
#[derive(Default)]
struct Booked {
    times: usize,
    total: Decimal,
    by_hand: bool,
}

/// True when every order that should be in the till is there once with the same total.
pub(super) fn compare(shop: &CcvShop, till: &TillSimulator, show: &Show) -> bool {
    let mut booked: BTreeMap<String, Booked> = BTreeMap::new();
    for order in till.orders() {
        let entry = booked.entry(order.text("ext_order_id").unwrap_or_default().to_owned()).or_default();
        entry.times += 1;
        entry.total = decimal(&order, "total_incl_amount");
        entry.by_hand = order.text("reference").is_none();
    }
    let (mut arrived, mut value, mut refused, mut held, mut by_hand) = (0, Decimal::ZERO, 0, 0, 0);
    let mut wrong = Vec::new();
    for order in orders(shop) {
        let number = order.text("ordernumber_full").unwrap_or_default();
        let total = decimal(&order, "total_price");
        let flag = |name: &str| order.get(name).and_then(Value::as_bool) == Some(true);
        let wanted =
            flag("paid") && flag("is_completed") && order.get("status").and_then(Value::as_int) != Some(8);
        match booked.get(number).filter(|_| !number.is_empty()) {
            Some(there) if there.times > 1 => {
                wrong.push(format!("order {number} stands {} times in the till", there.times))
            }
            Some(there) if there.by_hand => by_hand += 1,
            Some(there) if there.total == total => {
                arrived += 1;
                value += total;
            }
            Some(there) => {
                wrong.push(format!("order {number}: {total} in the shop, {} in the till", there.total))
            }
            None if wanted => refused += 1,
            None => held += 1,
        }
    }
    show.line(format!("  {arrived} orders arrived, each once: € {value} in the shop, € {value} in the till"));
    show.line(format!("  {held} orders are unpaid, cancelled or unfinished and stayed in the shop"));
    show.line(format!("  {by_hand} orders had been typed in by hand before and were left alone"));
    show.line(format!("  {refused} orders were refused, each with its reason"));
    for line in &wrong {
        show.line(format!("  {}", show.bad(line)));
    }
    let good = wrong.is_empty() && arrived > 0;
    progress::verdict(show, good, "the books agree to the cent", "the books do not agree");
    show.json(&serde_json::json!({
        "audit": {
            "agree": good, "arrived": arrived, "value": value.to_string(), "held": held,
            "by_hand": by_hand, "refused": refused, "wrong": wrong,
        }
    }));
    good
}

/// Article numbers of the products that differ between two states of the shop's books.
pub(super) fn changed_products(before: &serde_json::Value, after: &serde_json::Value) -> Vec<String> {
    let rows = |books: &serde_json::Value| -> BTreeMap<String, serde_json::Value> {
        let products = books["products"].as_array().cloned().unwrap_or_default();
        products
            .into_iter()
            .map(|row| (row["productnumber"].as_str().unwrap_or_default().to_owned(), row))
            .collect()
    };
    let (before, after) = (rows(before), rows(after));
    after
        .iter()
        .filter(|(number, row)| before.get(*number) != Some(row))
        .map(|(number, _)| number.clone())
        .collect()
}

/// The shop's orders, numbers read exactly.
fn orders(shop: &CcvShop) -> Vec<Record> {
    let books = Simulator::books(shop);
    let text = books["orders"].to_string();
    match read_json(&text.into()) {
        Ok(Value::List(orders)) => orders.into_iter().filter_map(|order| order.as_map().cloned()).collect(),
        _ => Vec::new(),
    }
}

fn decimal(record: &Record, field: &str) -> Decimal {
    record.get(field).and_then(Value::as_decimal).unwrap_or_default().normalize()
}

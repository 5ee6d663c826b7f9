//! Compares the books of both sides, order by order and to the cent.
//!
//! Nothing here asks the flows or the store: what the stand-ins have in their books counts.

use std::collections::BTreeMap;

use connectors::ccv_salespos::simulator::CcvShop;
use connectors::mpluskassa::simulator::TillSimulator;
use connectors::record::{Record, Value, read_json};
use connectors::simulator::Simulator;
use rust_decimal::{Decimal, RoundingStrategy};

use crate::cli::{Show, progress};

/// What the till has under a number of the shop.
#[derive(Default)]
struct Booked {
    times: usize,
    total: Decimal,
    vat: Decimal,
    by_hand: bool,
}

/// True when every order that should be in the till is there once, with the same total and VAT.
pub(super) fn compare(shop: &CcvShop, till: &TillSimulator, show: &Show) -> bool {
    let mut booked: BTreeMap<String, Booked> = BTreeMap::new();
    for order in till.orders() {
        let entry = booked.entry(order.text("ext_order_id").unwrap_or_default().to_owned()).or_default();
        entry.times += 1;
        entry.total = decimal(&order, "total_incl_amount");
        entry.vat = entry.total - decimal(&order, "total_excl_amount");
        entry.by_hand = order.text("reference").is_none();
    }
    let (mut arrived, mut value, mut vat) = (0, Decimal::ZERO, Decimal::ZERO);
    let (mut refused, mut held, mut by_hand, mut a_cent_off) = (0, 0, 0, 0);
    let mut wrong = Vec::new();
    for order in orders(shop) {
        let number = order.text("ordernumber_full").unwrap_or_default();
        let due = vat_by_rate(&order);
        let (total, tax) = (decimal(&order, "total_price"), decimal(&order, "total_tax"));
        let flag = |name: &str| order.get(name).and_then(Value::as_bool) == Some(true);
        let wanted =
            flag("paid") && flag("is_completed") && order.get("status").and_then(Value::as_int) != Some(8);
        match booked.get(number).filter(|_| !number.is_empty()) {
            Some(there) if there.times > 1 => {
                wrong.push(format!("order {number} stands {} times in the till", there.times))
            }
            Some(there) if there.by_hand => by_hand += 1,
            Some(there) if there.total == total && there.vat == due => {
                arrived += 1;
                value += total;
                vat += due;
                a_cent_off += usize::from(tax != due);
            }
            Some(there) => wrong.push(format!(
                "order {number}: {total} with {due} VAT by its lines, {} with {} VAT in the till",
                there.total, there.vat
            )),
            None if wanted => refused += 1,
            None => held += 1,
        }
    }
    show.line(format!("  {arrived} orders arrived, each once: € {value} on both sides, with € {vat} VAT"));
    if a_cent_off > 0 {
        show.line(format!("  in {a_cent_off} of them the shop shows a cent more or less VAT: it rounds once an order, the till once a rate"));
    }
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
            "agree": good, "arrived": arrived, "value": value.to_string(), "vat": vat.to_string(), "held": held,
            "by_hand": by_hand, "refused": refused, "wrong": wrong,
        }
    }));
    good
}

/// The VAT that an order's lines and shipping carry, rounded once for each rate as law has it.
fn vat_by_rate(order: &Record) -> Decimal {
    let mut by_rate: BTreeMap<Decimal, Decimal> = BTreeMap::new();
    let rows = order.get("_rows").and_then(Value::as_list).unwrap_or_default();
    for row in rows.iter().filter_map(Value::as_map) {
        *by_rate.entry(decimal(row, "tax")).or_default() += decimal(row, "total_price_with_attributes");
    }
    let shipping = decimal(order, "shipping_tax_percentage");
    *by_rate.entry(shipping).or_default() += decimal(order, "total_shipping");
    let hundred = Decimal::ONE_HUNDRED;
    by_rate
        .into_iter()
        .map(|(rate, incl)| {
            let vat = incl * rate / (hundred + rate);
            vat.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
        })
        .sum()
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

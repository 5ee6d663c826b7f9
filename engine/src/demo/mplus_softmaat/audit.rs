//! Compares the books of both sides, order by order and to the cent.
#![expect(clippy::indexing_slicing, reason = "a JSON value gives null where it has nothing")]

use std::collections::BTreeMap;

use connectors::mpluskassa::simulator::TillSimulator;
use connectors::simulator::Simulator;
use connectors::softmaat::simulator::SoftmaatSimulator;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::demo::ledger::{Booked, booked, cents};
use crate::demo::stage::{Audit, list, orders};

/// Whether every paid order of Softmaat is in the till once, with the same total and VAT.
///
/// `told` is the number of orders that the run has refused with a reason: an order that is in
/// neither place was lost.
pub(super) fn compare(softmaat: &SoftmaatSimulator, till: &TillSimulator, told: i64) -> Audit {
    let there: BTreeMap<String, Booked> = booked(till);
    let (mut arrived, mut value, mut vat) = (0, Decimal::ZERO, Decimal::ZERO);
    let (mut refused, mut held, mut by_hand) = (0, 0, 0);
    let mut wrong = Vec::new();
    for order in list(&Simulator::books(softmaat), "orders") {
        let number = order["reference"].as_str().unwrap_or_default();
        let due = due(&order);
        match there.get(number) {
            Some(there) if there.times > 1 => {
                wrong.push(format!("order {number} stands {} times in the till", there.times));
            }
            Some(there) if there.by_hand => by_hand += 1,
            Some(there) if (there.total, there.vat) == due => {
                arrived += 1;
                value += due.0;
                vat += due.1;
            }
            Some(there) => wrong.push(format!(
                "order {number}: {} with {} VAT in Softmaat, {} with {} VAT in the till",
                due.0, due.1, there.total, there.vat
            )),
            None if order["status"] == "paid" => refused += 1_usize,
            None => held += 1,
        }
    }
    if i64::try_from(refused) != Ok(told) {
        wrong.push(format!(
            "{} missing, but {told} were refused: some were lost",
            orders(refused, ["is", "are"])
        ));
    }
    let lines = vec![
        format!("{}, each once: € {value} on both sides, with € {vat} VAT", orders(arrived, ["arrived"; 2])),
        format!("{} not paid or cancelled and stayed in Softmaat", orders(held, ["is", "are"])),
        format!("left alone: {} been typed in by hand before", orders(by_hand, ["that had"; 2])),
        format!(
            "{} missing in the till; the run refused {told}, each with its reason",
            orders(refused, ["is", "are"])
        ),
    ];
    let json = serde_json::json!({
        "arrived": arrived, "value": value.to_string(), "vat": vat.to_string(), "held": held,
        "by_hand": by_hand, "refused": refused,
    });
    Audit { lines, wrong, is_whole: arrived > 0, json }
}

/// What an order of Softmaat comes to, and the VAT in it, rounded once for each rate.
fn due(order: &Value) -> (Decimal, Decimal) {
    let mut by_rate: BTreeMap<Decimal, Decimal> = BTreeMap::new();
    for line in list(order, "lines") {
        let amount = cents(number(&line["quantity"]) * number(&line["unit_price"]));
        *by_rate.entry(rate(&line["tax_code"])).or_default() += amount;
    }
    let high = Decimal::from(21);
    *by_rate.entry(high).or_default() += number(&order["shipping_cost"]);
    *by_rate.entry(high).or_default() -= number(&order["discount"]);
    let total = by_rate.values().sum();
    let vat = by_rate.into_iter().map(|(rate, incl)| cents(incl * rate / (Decimal::ONE_HUNDRED + rate)));
    (total, vat.sum())
}

/// What Softmaat calls its rates.
fn rate(code: &Value) -> Decimal {
    match code.as_str() {
        Some("NL21") => Decimal::from(21),
        Some("NL9") => Decimal::from(9),
        _ => Decimal::ZERO,
    }
}

/// Softmaat says numbers as texts, and takes either.
fn number(value: &Value) -> Decimal {
    match value {
        Value::String(text) => text.parse().unwrap_or_default(),
        Value::Number(number) => number.to_string().parse().unwrap_or_default(),
        _ => Decimal::ZERO,
    }
}

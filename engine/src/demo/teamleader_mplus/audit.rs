//! Compares the books of both sides, order by order and to the cent.
#![expect(clippy::indexing_slicing, reason = "a JSON value gives null where it has nothing")]

use std::collections::BTreeMap;

use connectors::mpluskassa::simulator::TillSimulator;
use connectors::teamleader::simulator::Office;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::demo::ledger::decimal;
use crate::demo::stage::{Audit, orders};

/// The quotations of Teamleader under one number of the till.
#[derive(Default)]
struct Booked {
    times: usize,
    excl: Decimal,
    incl: Decimal,
}

/// Whether every order of the till is in Teamleader once, as a deal with one quotation of the
/// same total, without VAT and with it.
///
/// `told` is the number of orders that the run has refused with a reason: an order that is in
/// neither place was lost.
pub(super) fn compare(till: &TillSimulator, office: &Office, told: i64) -> Audit {
    let there = booked(office);
    let (mut arrived, mut value, mut vat, mut refused) = (0, Decimal::ZERO, Decimal::ZERO, 0);
    let mut wrong = Vec::new();
    for order in till.orders() {
        let number = order.text("order_number").unwrap_or_default();
        let (incl, excl) = (decimal(&order, "total_incl_amount"), decimal(&order, "total_excl_amount"));
        match there.get(number) {
            None => refused += 1_usize,
            Some(there) if there.times != 1 => {
                wrong.push(format!("order {number} has {} quotations in Teamleader", there.times));
            }
            Some(there) if there.incl == incl => {
                arrived += 1;
                value += incl;
                vat += incl - excl;
            }
            Some(there) => wrong.push(format!(
                "order {number}: {incl} in the till, {} with {} VAT in Teamleader",
                there.incl,
                there.incl - there.excl
            )),
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
        format!(
            "{} missing in Teamleader; the run refused {told}, each with its reason",
            orders(refused, ["is", "are"])
        ),
    ];
    let json = serde_json::json!({
        "arrived": arrived, "value": value.to_string(), "vat": vat.to_string(), "refused": refused,
    });
    Audit { lines, wrong, is_whole: arrived > 0, json }
}

fn booked(office: &Office) -> BTreeMap<String, Booked> {
    let mut booked: BTreeMap<String, Booked> = BTreeMap::new();
    let quotations = office.rows("quotations");
    for deal in office.rows("deals") {
        let title = deal["title"].as_str().unwrap_or_default();
        let entry = booked.entry(title.trim_start_matches("Kassa ").to_owned()).or_default();
        for quotation in quotations.iter().filter(|one| one["deal"]["id"] == deal["id"]) {
            entry.times += 1;
            entry.excl = amount(&quotation["total"]["tax_exclusive"]["amount"]);
            entry.incl = amount(&quotation["total"]["tax_inclusive"]["amount"]);
        }
    }
    booked
}

/// Amounts are exact: their text is read once more as such.
fn amount(value: &Value) -> Decimal {
    value.to_string().parse::<Decimal>().unwrap_or_default().normalize()
}

//! Compares the books of both sides, order by order and to the cent.
//!
//! Nothing here asks the flows or the store: what the stand-ins have in their books counts.

use std::collections::BTreeMap;

use connectors::ccv_salespos::simulator::CcvShop;
use connectors::mpluskassa::simulator::TillSimulator;
use connectors::record::{Record, Value};
use rust_decimal::Decimal;

use crate::demo::ledger::{booked, cents, decimal};
use crate::demo::stage::{Audit, orders};
use crate::demo::web_shop;

/// Whether every order that should be in the till is there once, with the same total and VAT.
///
/// `told` is the number of orders that the run has refused with a reason: an order that is in
/// neither place was lost.
pub(super) fn compare(shop: &CcvShop, till: &TillSimulator, told: i64) -> Audit {
    let booked = booked(till);
    let (mut arrived, mut value, mut vat) = (0, Decimal::ZERO, Decimal::ZERO);
    let (mut refused, mut held, mut by_hand, mut a_cent_off) = (0, 0, 0, 0);
    let mut wrong = Vec::new();
    for order in web_shop::orders(shop) {
        let number = order.text("ordernumber_full").unwrap_or_default();
        let due = vat_by_rate(&order);
        let (total, tax) = (decimal(&order, "total_price"), decimal(&order, "total_tax"));
        match booked.get(number).filter(|_| !number.is_empty()) {
            Some(there) if there.times > 1 => {
                wrong.push(format!("order {number} stands {} times in the till", there.times));
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
            None if web_shop::is_wanted(&order) => refused += 1_usize,
            None => held += 1,
        }
    }
    let mut lines = vec![format!(
        "{}, each once: € {value} on both sides, with € {vat} VAT",
        orders(arrived, ["arrived"; 2])
    )];
    if a_cent_off > 0 {
        lines.push(format!("in {a_cent_off} of them the shop shows a cent more or less VAT: it rounds once an order, the till once a rate"));
    }
    lines.push(format!(
        "{} unpaid, cancelled or unfinished and stayed in the shop",
        orders(held, ["is", "are"])
    ));
    lines.push(format!("left alone: {} been typed in by hand before", orders(by_hand, ["that had"; 2])));
    lines.push(format!(
        "{} missing in the till; the run refused {told}, each with its reason",
        orders(refused, ["is", "are"])
    ));
    if i64::try_from(refused) != Ok(told) {
        wrong.push(format!(
            "{} missing, but {told} were refused: some were lost",
            orders(refused, ["is", "are"])
        ));
    }
    let json = serde_json::json!({
        "arrived": arrived, "value": value.to_string(), "vat": vat.to_string(), "held": held,
        "by_hand": by_hand, "refused": refused,
    });
    Audit { lines, wrong, is_whole: arrived > 0, json }
}

/// The VAT that an order's lines and shipping carry, rounded once for each rate as the till does.
fn vat_by_rate(order: &Record) -> Decimal {
    let mut by_rate: BTreeMap<Decimal, Decimal> = BTreeMap::new();
    let rows = order.get("_rows").and_then(Value::as_list).unwrap_or_default();
    for row in rows.iter().filter_map(Value::as_map) {
        *by_rate.entry(decimal(row, "tax")).or_default() += decimal(row, "total_price_with_attributes");
    }
    let shipping = decimal(order, "shipping_tax_percentage");
    *by_rate.entry(shipping).or_default() += decimal(order, "total_shipping");
    let hundred = Decimal::ONE_HUNDRED;
    by_rate.into_iter().map(|(rate, incl)| cents(incl * rate / (hundred + rate))).sum()
}

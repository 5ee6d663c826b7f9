//! Compares the books of both sides, order by order and to the cent.
#![expect(clippy::indexing_slicing, reason = "a JSON value gives null where it has nothing")]

use std::collections::BTreeMap;

use connectors::ccv_salespos::simulator::CcvShop;
use connectors::eaccounting::simulator::Company;
use rust_decimal::Decimal;

use crate::demo::ledger::decimal;
use crate::demo::stage::{Audit, orders};
use crate::demo::web_shop;

/// What eAccounting has under a number of the shop: how often, and for how much.
type Booked = BTreeMap<String, (usize, Decimal)>;

/// Whether every order that should be in eAccounting is there once, with the same total.
///
/// `told` is the number of orders that the run has refused with a reason: an order that is in
/// neither place was lost.
pub(super) fn compare(shop: &CcvShop, books: &Company, told: i64) -> Audit {
    let there = booked(books);
    let (mut arrived, mut value, mut refused, mut held) = (0, Decimal::ZERO, 0, 0);
    let mut wrong = Vec::new();
    for order in web_shop::orders(shop) {
        let number = order.text("ordernumber_full").unwrap_or_default();
        let total = decimal(&order, "total_price");
        match there.get(number) {
            Some((times, _)) if *times > 1 => {
                wrong.push(format!("order {number} stands {times} times in eAccounting"));
            }
            Some((_, booked)) if *booked == total => {
                arrived += 1;
                value += total;
            }
            Some((_, booked)) => {
                wrong.push(format!("order {number}: {total} in the shop, {booked} in eAccounting"));
            }
            None if web_shop::is_wanted(&order) => refused += 1_usize,
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
        format!("{}, each once: € {value} on both sides", orders(arrived, ["arrived"; 2])),
        format!("{} unpaid, cancelled or unfinished and stayed in the shop", orders(held, ["is", "are"])),
        format!(
            "{} missing in eAccounting; the run refused {told}, each with its reason",
            orders(refused, ["is", "are"])
        ),
    ];
    let json = serde_json::json!({
        "arrived": arrived, "value": value.to_string(), "held": held, "refused": refused,
    });
    Audit { lines, wrong, is_whole: arrived > 0, json }
}

fn booked(books: &Company) -> Booked {
    let mut booked = Booked::new();
    for row in books.rows("orders") {
        let number = row["BuyersOrderReference"].as_str().unwrap_or_default().to_owned();
        // Numbers of the books are exact; their text is read once more as such.
        let total: Decimal = row["Amount"].to_string().parse().unwrap_or_default();
        let entry = booked.entry(number).or_default();
        entry.0 += 1;
        entry.1 = total;
    }
    booked
}

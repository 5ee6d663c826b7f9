//! Compares the books of both sides, order by order, article by article and to the cent.

use std::collections::BTreeMap;

use connectors::accountview::simulator::AccountViewSimulator;
use connectors::mpluskassa::simulator::TillSimulator;
use connectors::record::{Record, Value};
use rust_decimal::Decimal;

use crate::demo::ledger::{cents, decimal};
use crate::demo::stage::{Audit, orders};

/// What was sold: how many of each article.
type Sold = BTreeMap<String, Decimal>;

/// What AccountView has under a number of the till.
#[derive(Default)]
struct Booked {
    times: usize,
    total: Decimal,
    sold: Sold,
}

/// Whether every order of the till is in AccountView once, with the same articles and the same
/// total without VAT, which is what AccountView keeps of an order.
///
/// `told` is the number of orders that the run has refused with a reason: an order that is in
/// neither place was lost.
pub(super) fn compare(till: &TillSimulator, office: &AccountViewSimulator, told: i64) -> Audit {
    let there = booked(office);
    let (mut arrived, mut value, mut refused) = (0, Decimal::ZERO, 0);
    let mut wrong = Vec::new();
    for order in till.orders() {
        let number = order.text("order_number").unwrap_or_default();
        let total = decimal(&order, "total_excl_amount");
        let sold = sold(&order, "article_number", "quantity");
        match there.get(number) {
            None => refused += 1_usize,
            Some(there) if there.times > 1 => {
                wrong.push(format!("order {number} stands {} times in AccountView", there.times));
            }
            Some(there) if there.sold != sold => {
                wrong.push(format!("order {number}: AccountView has other articles or numbers of them"));
            }
            Some(there) if there.total != total => {
                wrong.push(format!("order {number}: {total} in the till, {} in AccountView", there.total));
            }
            Some(_) => {
                arrived += 1;
                value += total;
            }
        }
    }
    if i64::try_from(refused) != Ok(told) {
        wrong.push(format!(
            "{} missing, but {told} were refused: some were lost",
            orders(refused, ["is", "are"])
        ));
    }
    let lines = vec![
        format!(
            "{}, each once: € {value} without VAT on both sides, article by article",
            orders(arrived, ["arrived"; 2])
        ),
        format!(
            "{} missing in AccountView; the run refused {told}, each with its reason",
            orders(refused, ["is", "are"])
        ),
    ];
    let json = serde_json::json!({"arrived": arrived, "value": value.to_string(), "refused": refused});
    Audit { lines, wrong, is_whole: arrived > 0, json }
}

/// The orders of AccountView by the till's number, which stands in the first remark.
fn booked(office: &AccountViewSimulator) -> BTreeMap<String, Booked> {
    let mut booked: BTreeMap<String, Booked> = BTreeMap::new();
    for order in office.orders() {
        let remark = order.text("COMMENT1").unwrap_or_default().trim();
        let entry = booked.entry(remark.trim_start_matches("MP").to_owned()).or_default();
        entry.times += 1;
        let lines = order.get("lines").and_then(Value::as_list).unwrap_or_default();
        let lines = lines.iter().filter_map(Value::as_map);
        entry.total = lines.map(|line| cents(decimal(line, "ORD_QTY") * decimal(line, "ART_PX"))).sum();
        entry.sold = sold(&order, "ART_CODE", "ORD_QTY");
        // Cents of rounding are no goods.
        entry.sold.remove("900009");
    }
    booked
}

fn sold(order: &Record, article: &str, quantity: &str) -> Sold {
    let mut sold = Sold::new();
    let lines = order.get("lines").and_then(Value::as_list).unwrap_or_default();
    for line in lines.iter().filter_map(Value::as_map) {
        let article = line.text(article).unwrap_or_default().trim().to_owned();
        *sold.entry(article).or_default() += decimal(line, quantity);
    }
    sold
}

//! What stands in the till under the numbers of another system.

use std::collections::BTreeMap;

use connectors::mpluskassa::simulator::TillSimulator;
use connectors::record::{Record, Value};
use rust_decimal::{Decimal, RoundingStrategy};

/// What the till has under one number.
#[derive(Default)]
pub(super) struct Booked {
    /// How often: more than once is a mistake.
    pub(super) times: usize,
    pub(super) total: Decimal,
    pub(super) vat: Decimal,
    /// Typed in at the till, not sent.
    pub(super) by_hand: bool,
}

/// The orders of the till by the number that another system has given them.
pub(super) fn booked(till: &TillSimulator) -> BTreeMap<String, Booked> {
    let mut booked: BTreeMap<String, Booked> = BTreeMap::new();
    for order in till.orders() {
        let entry = booked.entry(order.text("ext_order_id").unwrap_or_default().to_owned()).or_default();
        entry.times += 1;
        entry.total = decimal(&order, "total_incl_amount");
        entry.vat = entry.total - decimal(&order, "total_excl_amount");
        entry.by_hand = order.text("reference").is_none();
    }
    booked
}

/// The last of those numbers, to look an order up by.
pub(super) fn last_number(till: &TillSimulator) -> String {
    booked(till).into_keys().next_back().unwrap_or_else(|| "NUMBER".to_owned())
}

/// An amount of a record; none counts as 0.
pub(super) fn decimal(record: &Record, field: &str) -> Decimal {
    record.get(field).and_then(Value::as_decimal).unwrap_or_default().normalize()
}

/// Rounded to cents, a half away from zero.
pub(super) fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

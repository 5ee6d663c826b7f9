//! Amounts with and without VAT, of which CCV gives one and a flag.

use rust_decimal::Decimal;

use super::wire::decimal;
use crate::record::{Map, Record, Value};

/// Decimals that a worked-out amount keeps.
const KEPT: u32 = 4;

/// An amount on both footings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Amount {
    pub(super) incl: Decimal,
    pub(super) excl: Decimal,
}

impl Amount {
    /// An amount that is with VAT or not; none when it is beyond reckoning.
    pub(super) fn new(amount: Decimal, rate: Decimal, includes_vat: bool) -> Option<Self> {
        let factor = rate.checked_div(Decimal::ONE_HUNDRED)?.checked_add(Decimal::ONE)?;
        let tidy = |amount: Decimal| amount.round_dp(KEPT).normalize();
        Some(if includes_vat {
            Self { incl: amount, excl: tidy(amount.checked_div(factor)?) }
        } else {
            Self { incl: tidy(amount.checked_mul(factor)?), excl: amount }
        })
    }
}

/// The number at a path of a record of theirs.
fn number(wire: &Map, path: &str) -> Option<Decimal> {
    wire.at(path).and_then(decimal)
}

fn set(record: &mut Record, name: &'static str, amount: Option<Decimal>) {
    if let Some(amount) = amount {
        record.set(name, amount);
    }
}

/// Fills in what the lines of an order or invoice do not say by themselves.
pub(super) fn finish_lines(lines: &mut [Record], rows: &[&Map], includes_vat: bool) {
    for (at, (line, row)) in lines.iter_mut().zip(rows).enumerate() {
        line.set("position", i64::try_from(at + 1).unwrap_or(i64::MAX));
        let text = |name: &str| row.text(name).filter(|text| !text.is_empty());
        let sku =
            text("sub_sku_number").or_else(|| text("sub_product_number")).or_else(|| text("product_number"));
        if let Some(sku) = sku {
            line.set("sku", sku);
        }
        if let Some(options) = options_of(row) {
            line.set("options", options);
        }
        finish_prices(line, row, includes_vat);
    }
}

fn finish_prices(line: &mut Record, row: &Map, includes_vat: bool) {
    let rate = number(row, "tax").unwrap_or_default();
    let on_both = |amount: Option<Decimal>| amount.and_then(|amount| Amount::new(amount, rate, includes_vat));
    let price = number(row, "price");
    let discount = number(row, "discount").unwrap_or_default();
    let selling = number(row, "selling_price").or_else(|| price?.checked_sub(discount));
    let whole = number(row, "price_with_attributes").or(selling);
    // What the chosen options add belongs to the price of one.
    let extra =
        whole.zip(selling).and_then(|(whole, selling)| whole.checked_sub(selling)).unwrap_or_default();
    let total = number(row, "total_price_with_attributes").or_else(|| number(row, "total_price"));
    let total = total.or_else(|| whole?.checked_mul(number(row, "count")?));
    let price = on_both(price.and_then(|price| price.checked_add(extra)));
    let (discount, selling, total) = (on_both(Some(discount)), on_both(whole), on_both(total));
    set(line, "price_incl", price.map(|amount| amount.incl));
    set(line, "price_excl", price.map(|amount| amount.excl));
    set(line, "discount", discount.map(|amount| amount.incl));
    set(line, "discount_excl", discount.map(|amount| amount.excl));
    set(line, "selling_price_incl", selling.map(|amount| amount.incl));
    set(line, "selling_price_excl", selling.map(|amount| amount.excl));
    set(line, "total_incl", total.map(|amount| amount.incl));
    set(line, "total_excl", total.map(|amount| amount.excl));
}

/// `Kleur=Rood, Maat=L`
fn options_of(row: &Map) -> Option<String> {
    let options = row.get("attributes")?.as_list()?.iter().filter_map(Value::as_map);
    joined(options.filter_map(|option| Some((option.text("option_name")?, option.text("value_name")?))))
}

/// Options in one text, sorted by name; none without options.
pub(super) fn joined<'a>(options: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let mut pairs: Vec<_> = options.map(|(name, value)| format!("{name}={value}")).collect();
    pairs.sort();
    Some(pairs.join(", ")).filter(|text| !text.is_empty())
}

/// Fills in the totals of an order on both footings.
pub(super) fn finish_order(record: &mut Record, wire: &Map) {
    if record.get("number").is_none()
        && let Some(sequence) = record.get("sequence").and_then(Value::as_int)
    {
        record.set("number", sequence.to_string());
    }
    if let (Some(total), vat) = (number(wire, "total_price"), number(wire, "total_tax").unwrap_or_default()) {
        let (incl, excl) = if total_includes_vat(wire, total, vat) {
            (Some(total), total.checked_sub(vat))
        } else {
            (total.checked_add(vat), Some(total))
        };
        set(record, "total_incl", incl);
        set(record, "total_excl", excl);
    }
    finish_shipping(record, wire);
}

/// Fills in the shipping cost on both footings.
pub(super) fn finish_shipping(record: &mut Record, wire: &Map) {
    let includes_vat = wire.get("shipping_taxes_included").and_then(Value::as_bool).unwrap_or(true);
    let rate = number(wire, "shipping_tax_percentage").unwrap_or_default();
    let cost = number(wire, "total_shipping").and_then(|cost| Amount::new(cost, rate, includes_vat));
    set(record, "shipping_cost_incl", cost.map(|amount| amount.incl));
    set(record, "shipping_cost_excl", cost.map(|amount| amount.excl));
}

/// Whether the total is what the customer pays. The flag says how the shop keeps totals; where
/// it says "without", the parts show whether VAT was added to this one all the same.
fn total_includes_vat(wire: &Map, total: Decimal, vat: Decimal) -> bool {
    if wire.get("taxes_included").and_then(Value::as_bool) != Some(false) {
        return true;
    }
    let parts = ["total_orderrow_price", "total_shipping", "paymethod_costs", "extra_costs"];
    let base =
        parts.iter().filter_map(|name| number(wire, name)).try_fold(Decimal::ZERO, Decimal::checked_add);
    let distance = |from: Option<Decimal>| from.and_then(|from| total.checked_sub(from)).map(|gap| gap.abs());
    let (without, with) = (distance(base), distance(base.and_then(|base| base.checked_add(vat))));
    with.zip(without).is_some_and(|(with, without)| with < without)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::read_json;

    fn wire(text: &str) -> Map {
        let Value::Map(map) = read_json(&text.to_owned().into()).unwrap() else { panic!("no record") };
        map
    }

    fn shown(record: &Record, name: &str) -> String {
        record.get(name).map(ToString::to_string).unwrap_or_default()
    }

    #[test]
    fn lines_say_both_prices() {
        let row = wire(
            r#"{"count":2,"price":19.95,"discount":2,"tax":21,"selling_price":17.95,
                "price_with_attributes":20.45,"total_price_with_attributes":40.90,
                "product_number":"100045","sub_product_number":"","sub_sku_number":"100045-L",
                "attributes":[{"option_name":"Maat","value_name":"L"},{"option_name":"Kleur","value_name":"Rood"}]}"#,
        );
        let mut lines = [Record::new()];
        finish_lines(&mut lines, &[&row], true);
        let line = &lines[0];
        assert_eq!(shown(line, "price_incl"), "22.45", "the options are in");
        assert_eq!(shown(line, "price_excl"), "18.5537");
        assert_eq!((shown(line, "discount"), shown(line, "discount_excl")), ("2".into(), "1.6529".into()));
        assert_eq!(shown(line, "total_incl"), "40.90");
        assert_eq!(line.text("sku"), Some("100045-L"));
        assert_eq!(line.text("options"), Some("Kleur=Rood, Maat=L"));
        finish_lines(&mut lines, &[&row], false);
        assert_eq!(shown(&lines[0], "selling_price_incl"), "24.7445");
        assert_eq!(shown(&lines[0], "selling_price_excl"), "20.45");
    }

    #[test]
    fn totals_say_what_is_paid() {
        let check = |text: &str, incl: &str, excl: &str| {
            let mut order = Record::new();
            finish_order(&mut order, &wire(text));
            assert_eq!(
                (shown(&order, "total_incl"), shown(&order, "total_excl")),
                (incl.into(), excl.into())
            );
        };
        check(r#"{"taxes_included":true,"total_price":590,"total_tax":102.4}"#, "590", "487.6");
        let without = r#"{"taxes_included":false,"total_orderrow_price":100,"total_shipping":0,"total_tax":21,"total_price":"#;
        check(&format!("{without}100}}"), "121", "100");
        check(&format!("{without}121}}"), "121", "100");
    }

    #[test]
    fn amounts_beyond_reckoning_are_left_out() {
        let row = wire(r#"{"price":79228162514264337593543950335,"tax":21,"count":99999}"#);
        let mut lines = [Record::new()];
        finish_lines(&mut lines, &[&row], false);
        assert_eq!(lines[0].get("price_incl"), None);
    }
}

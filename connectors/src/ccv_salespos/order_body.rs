//! Orders on their way to the shop: lines on one footing, free lines complete.

use rust_decimal::Decimal;

use super::Conversation;
use super::amounts::Amount;
use super::wire::{decimal, plain, skip};
use crate::contract::RemoteError;
use crate::record::{Map, Record, Value};

/// Which of a line's two prices was given.
#[derive(Clone, Copy)]
struct Price {
    amount: Option<Decimal>,
    discount: Option<Decimal>,
    includes_vat: bool,
}

impl Conversation {
    /// Completes an order on its way: `record` is what was given, `body` what will be sent.
    pub(super) async fn order_body(
        &self,
        record: &Record,
        body: &mut Map,
        is_new: bool,
    ) -> Result<(), RemoteError> {
        if is_new {
            for word in ["mail", "note"] {
                body.remove(word);
            }
        }
        let Some(Value::List(lines)) = record.get("lines") else { return Ok(()) };
        if lines.is_empty() {
            return Err(skip("`lines` is empty: an order needs at least one"));
        }
        let lines: Vec<&Map> = lines.iter().filter_map(Value::as_map).collect();
        let footing = footing(record, &lines)?;
        if let Some(includes_vat) = footing {
            body.set("order_row_taxes_included", includes_vat);
        }
        let package = if lines.iter().any(|line| is_free(line) && line.get("package_id").is_none()) {
            self.shop.package(&self.client).await?
        } else {
            None
        };
        let Some(Value::List(rows)) = body.get_mut("orderrows") else { return Ok(()) };
        for (at, (row, line)) in rows.iter_mut().zip(&lines).enumerate() {
            let Value::Map(row) = row else { continue };
            price_row(row, line, footing.unwrap_or(true), at)?;
            if is_free(line) {
                complete_free_row(row, package.as_deref(), at)?;
            } else {
                // The catalogue fills these in.
                row.remove("product_name");
                row.remove("product_number");
            }
        }
        Ok(())
    }
}

/// True for a line that is no product of the catalogue.
fn is_free(line: &Map) -> bool {
    line.get("product_id").is_none_or(Value::says_nothing)
}

fn given(line: &Map, at: usize) -> Result<Option<Price>, RemoteError> {
    let number = |name: &str| match line.get(name).filter(|value| !value.says_nothing()) {
        None => Ok(None),
        Some(value) => match decimal(value) {
            Some(number) => Ok(Some(number)),
            None => Err(skip(format!("`lines[{at}].{name}` is `{value}`, not a number"))),
        },
    };
    let (incl, excl) = (number("price_incl")?, number("price_excl")?);
    let (discount, discount_excl) = (number("discount")?, number("discount_excl")?);
    let price = |amount, discount, includes_vat| Price { amount, discount, includes_vat };
    Ok(match (incl, excl) {
        (Some(incl), _) => Some(price(Some(incl), discount, true)),
        (None, Some(excl)) => Some(price(Some(excl), discount_excl, false)),
        (None, None) if discount.is_some() => Some(price(None, discount, true)),
        (None, None) if discount_excl.is_some() => Some(price(None, discount_excl, false)),
        (None, None) => None,
    })
}

/// Whether the rows will be with VAT: as told, else as the first line that has a price.
fn footing(record: &Record, lines: &[&Map]) -> Result<Option<bool>, RemoteError> {
    if let Some(told) = record.get("lines_include_vat").and_then(Value::as_bool) {
        return Ok(Some(told));
    }
    for (at, line) in lines.iter().enumerate() {
        if let Some(price) = given(line, at)? {
            return Ok(Some(price.includes_vat));
        }
    }
    Ok(None)
}

fn price_row(row: &mut Map, line: &Map, includes_vat: bool, at: usize) -> Result<(), RemoteError> {
    let Some(price) = given(line, at)? else { return Ok(()) };
    let rate = line.get("vat_rate").and_then(decimal);
    let on_footing = |amount: Decimal| -> Result<Decimal, RemoteError> {
        if price.includes_vat == includes_vat {
            return Ok(amount);
        }
        let rate = rate.ok_or_else(|| {
            let (has, wants) = if includes_vat { ("without", "with") } else { ("with", "without") };
            skip(format!(
                "`lines[{at}]` has a price {has} VAT where the order wants one {wants}: give its `vat_rate`"
            ))
        })?;
        let both = Amount::new(amount, rate, price.includes_vat)
            .ok_or_else(|| skip(format!("the price of `lines[{at}]` is beyond reckoning")))?;
        Ok(if includes_vat { both.incl } else { both.excl })
    };
    for (name, amount) in [("price", price.amount), ("discount", price.discount)] {
        if let Some(amount) = amount {
            row.set(name, plain(on_footing(amount)?));
        }
    }
    Ok(())
}

/// A row without a product has to say everything itself.
fn complete_free_row(row: &mut Map, package: Option<&str>, at: usize) -> Result<(), RemoteError> {
    if row.get("discount").is_none() {
        row.set("discount", 0);
    }
    if row.get("package_id").is_none_or(Value::says_nothing)
        && let Some(package) = package.and_then(|package| package.parse::<i64>().ok())
    {
        row.set("package_id", package);
    }
    let needs = [
        ("product_name", "description"),
        ("product_number", "sku"),
        ("price", "price_incl"),
        ("tax", "vat_rate"),
        ("package_id", "package_id"),
    ];
    for (theirs, ours) in needs {
        if row.get(theirs).is_none_or(Value::says_nothing) {
            return Err(skip(format!(
                "`lines[{at}].{ours}` is missing: a line without `product_id` needs it"
            )));
        }
    }
    Ok(())
}

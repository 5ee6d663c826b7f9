//! Lines and totals of documents: VAT is reckoned by rate on the sum and rounded to cents.

use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

use super::books::{Books, Refusal, at, digits, invalid, money, number, reference, set, text};

fn cents(number: Decimal) -> Decimal {
    number.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// Which document the lines stand in: each tells a little more or less.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Paper {
    Quotation,
    Order,
    Invoice,
    CreditNote,
}

/// Sections of a request as a reply tells them.
pub(super) fn lines(
    books: &Books,
    groups: &Value,
    currency: &str,
    department: Option<&str>,
    paper: Paper,
) -> Result<Value, Refusal> {
    let mut shown = Vec::new();
    for group in groups.as_array().into_iter().flatten() {
        let mut items = Vec::new();
        for item in group.get("line_items").and_then(Value::as_array).into_iter().flatten() {
            let rate = item.get("tax_rate_id").and_then(Value::as_str).unwrap_or_default();
            let row = books.row("tax_rates", rate);
            let other = row.and_then(|row| at(row, "/department/id")) != department;
            if department.is_some() && other {
                return invalid("tax_rate_id", "The tax rate belongs to another department");
            }
            items.push(line(books, item, currency, paper));
        }
        let title = at(group, "/section/title");
        shown.push(json!({"section": title.map(|title| json!({"title": title})), "line_items": items}));
    }
    Ok(Value::Array(shown))
}

fn line(books: &Books, item: &Value, currency: &str, paper: Paper) -> Value {
    let id = |name: &str| item.get(name).and_then(Value::as_str);
    let quantity = item.get("quantity").and_then(number).unwrap_or_default();
    let price = item.pointer("/unit_price/amount").and_then(number).unwrap_or_default();
    let discount = item.pointer("/discount/value").and_then(number).unwrap_or_default();
    let rate = rate_of(books, id("tax_rate_id").unwrap_or_default());
    let before = cents(quantity * price);
    let after = cents(before * (Decimal::ONE_HUNDRED - discount) / Decimal::ONE_HUNDRED);
    let with_tax = |amount: Decimal| cents(amount * (Decimal::ONE + rate));
    let mut unit_price = json!({"amount": digits(price), "tax": "excluding"});
    if matches!(paper, Paper::Quotation | Paper::CreditNote) {
        set(&mut unit_price, "currency", json!(currency));
    }
    let mut line = json!({
        "product": reference("product", id("product_id")),
        "quantity": digits(quantity),
        "description": item.get("description"),
        "extended_description": item.get("extended_description"),
        "unit": reference("unitOfMeasure", id("unit_of_measure_id")),
        "unit_price": unit_price,
        "tax": reference("taxRate", id("tax_rate_id")),
        "discount": item.get("discount"),
        "total": {
            "tax_exclusive": money(after, currency),
            "tax_exclusive_before_discount": money(before, currency),
            "tax_inclusive": money(with_tax(after), currency),
            "tax_inclusive_before_discount": money(with_tax(before), currency),
        },
    });
    match paper {
        Paper::Quotation => {
            set(&mut line, "purchase_price", item.get("purchase_price").cloned().unwrap_or_default());
            set(&mut line, "periodicity", Value::Null);
        }
        Paper::Invoice => {
            set(&mut line, "withheld_tax", reference("withholdingTaxRate", id("withholding_tax_rate_id")));
            set(&mut line, "product_category", reference("productCategory", id("product_category_id")));
        }
        Paper::Order | Paper::CreditNote => {
            set(&mut line, "product_category", reference("productCategory", id("product_category_id")));
        }
    }
    line
}

/// The fraction of a VAT rate.
fn rate_of(books: &Books, id: &str) -> Decimal {
    books.row("tax_rates", id).and_then(|row| number(row.get("rate")?)).unwrap_or_default()
}

/// Totals of shown lines.
pub(super) struct Totals {
    pub(super) exclusive: Decimal,
    pub(super) inclusive: Decimal,
    pub(super) taxes: Value,
}

/// Adds up lines, less the discounts on the whole document.
pub(super) fn totals(books: &Books, groups: &Value, discounts: &Value, currency: &str) -> Totals {
    let mut by_rate: Vec<(Decimal, Decimal)> = Vec::new();
    for group in groups.as_array().into_iter().flatten() {
        for item in group.get("line_items").and_then(Value::as_array).into_iter().flatten() {
            let rate = rate_of(books, at(item, "/tax/id").unwrap_or_default());
            let amount = item.pointer("/total/tax_exclusive/amount").and_then(number).unwrap_or_default();
            match by_rate.iter_mut().find(|(known, _)| *known == rate) {
                Some((_, sum)) => *sum += amount,
                None => by_rate.push((rate, amount)),
            }
        }
    }
    let mut factor = Decimal::ONE;
    for discount in discounts.as_array().into_iter().flatten() {
        let value = discount.get("value").and_then(number).unwrap_or_default();
        factor = factor * (Decimal::ONE_HUNDRED - value) / Decimal::ONE_HUNDRED;
    }
    let mut taxes = Vec::new();
    let (mut exclusive, mut tax_sum) = (Decimal::ZERO, Decimal::ZERO);
    for (rate, sum) in by_rate {
        let taxable = cents(sum * factor);
        let tax = cents(taxable * rate);
        exclusive += taxable;
        tax_sum += tax;
        taxes.push(json!({"rate": digits(rate), "taxable": money(taxable, currency), "tax": money(tax, currency)}));
    }
    Totals { exclusive, inclusive: exclusive + tax_sum, taxes: Value::Array(taxes) }
}

/// The totals of an order or a quotation.
pub(super) fn simple_total(totals: &Totals, currency: &str, paper: Paper) -> Value {
    let mut total = json!({
        "tax_exclusive": money(totals.exclusive, currency),
        "tax_inclusive": money(totals.inclusive, currency),
        "taxes": totals.taxes,
    });
    match paper {
        Paper::Quotation => set(&mut total, "purchase_price", Value::Null),
        Paper::Order => {
            set(&mut total, "purchase_price_tax_exclusive", Value::Null);
            set(&mut total, "purchase_price_tax_inclusive", Value::Null);
        }
        Paper::CreditNote | Paper::Invoice => {
            set(&mut total, "payable", money(totals.inclusive, currency));
        }
    }
    total
}

/// The currency of a document.
pub(super) fn currency_of(body: &serde_json::Map<String, Value>) -> String {
    let code = body.get("currency").and_then(|currency| text(currency, "code"));
    code.unwrap_or("EUR").to_owned()
}

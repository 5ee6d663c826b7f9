//! Articles, their prices and their stock; price lists; customers.

use rust_decimal::Decimal;

use super::books::{Books, Refusal, refuse, wrong};
use super::company::{cents, is_eu};
use crate::record::{Map, Value};

fn number(row: &Map, name: &str) -> Decimal {
    row.get(name).and_then(Value::as_decimal).unwrap_or_default()
}

/// Completes an article that is created, or that takes the place of `old`.
pub(super) fn article(books: &Books, body: &Map, mut row: Map, old: Option<&Map>) -> Result<Map, Refusal> {
    let name = row.text("Number").unwrap_or_default().to_owned();
    let own = old.and_then(|old| old.text("Id")).unwrap_or_default();
    if books.by("articles", "Number", &name).is_some_and(|other| other.text("Id") != Some(own)) {
        return Err(books.conflict(&format!("Article number {name} already exists")));
    }
    let coding = reference(books, &row, "CodingId", "articleaccountcodings")?;
    let unit = reference(books, &row, "UnitId", "units")?;
    row.set("CodingName", coding.get("Name").cloned());
    row.set("UnitName", unit.get("Name").cloned());
    row.set("UnitAbbreviation", unit.get("Abbreviation").cloned());
    row.set("IsServiceArticle", coding.text("Type") == Some("Service"));
    prices(body, &mut row, &coding)?;
    let module = books.has_module("stock");
    row.set("ShowStockInformation", module);
    let wants_stock = row.get("IsStock").and_then(Value::as_bool).unwrap_or(false);
    if wants_stock && (!module || coding.text("Type") == Some("Service")) {
        return Err(wrong("IsStock", "Invalid", "The article cannot be a stock article."));
    }
    if let Some(old) = old {
        let had_stock = old.get("IsStock").and_then(Value::as_bool).unwrap_or(false);
        if had_stock != wants_stock && !number(old, "StockBalance").is_zero() {
            return Err(refuse(400, 5003, "The stock balance must be zero"));
        }
        for kept in ["Id", "CreatedUtc"] {
            row.set(kept, old.get(kept).cloned());
        }
        if module {
            // Read-only while the module keeps it.
            row.set("StockBalance", old.get("StockBalance").cloned());
        }
    }
    if body.get("SendToWebshop").is_none() {
        row.set("SendToWebshop", true);
    }
    labels(books, &mut row, "ArticleLabels", "articlelabels")?;
    Ok(row)
}

/// Net and gross price must agree with the VAT rate.
fn prices(body: &Map, row: &mut Map, coding: &Map) -> Result<(), Refusal> {
    let factor = Decimal::ONE + number(coding, "VatRatePercent") / Decimal::ONE_HUNDRED;
    let given = |name: &str| body.get(name).and_then(Value::as_decimal);
    let (net, gross) = match (given("NetPrice"), given("GrossPrice")) {
        (Some(net), Some(gross)) if cents(net * factor) != gross && cents(gross / factor) != net => {
            let message = "The net price and the gross price do not match the VAT rate.";
            return Err(wrong("GrossPrice", "Invalid", message));
        }
        (Some(net), Some(gross)) => (net, gross),
        (Some(net), None) => (net, cents(net * factor)),
        (None, Some(gross)) => (cents(gross / factor), gross),
        (None, None) => (Decimal::ZERO, Decimal::ZERO),
    };
    row.set("NetPrice", net);
    row.set("GrossPrice", gross);
    row.set("NetPriceWithDiscount", net);
    Ok(())
}

/// Names of labels by their keys.
fn labels(books: &Books, row: &mut Map, member: &str, path: &str) -> Result<(), Refusal> {
    let Some(Value::List(labels)) = row.get(member).cloned() else { return Ok(()) };
    let mut known = Vec::with_capacity(labels.len());
    for label in labels.iter().filter_map(Value::as_map) {
        let found = match label.text("Id") {
            Some(id) => books.row(path, id),
            None => books.by(path, "Name", label.text("Name").unwrap_or_default()),
        };
        let found = found.ok_or_else(|| wrong(member, "Invalid", "The label does not exist."))?;
        known.push(found.clone().into());
    }
    row.set(member, Value::List(known));
    Ok(())
}

/// The record that a member names.
pub(super) fn reference(books: &Books, row: &Map, member: &str, path: &str) -> Result<Map, Refusal> {
    let id = row.text(member).unwrap_or_default();
    books
        .row(path, id)
        .cloned()
        .ok_or_else(|| wrong(member, "NotFound", &format!("{member} does not exist.")))
}

/// The article as it is shown: with what is promised and what is free.
pub(super) fn with_stock(books: &Books, mut row: Map) -> Map {
    let id = row.text("Id").unwrap_or_default().to_owned();
    let mut reserved = Decimal::ZERO;
    for order in
        books.rows("orders").iter().filter(|order| order.get("Status").and_then(Value::as_int) == Some(2))
    {
        let lines = order.get("Rows").and_then(Value::as_list).unwrap_or_default();
        for line in lines.iter().filter_map(Value::as_map).filter(|line| line.text("ArticleId") == Some(&id))
        {
            reserved += number(line, "Quantity") - number(line, "DeliveredQuantity");
        }
    }
    if row.get("IsServiceArticle").and_then(Value::as_bool) == Some(true) {
        reserved = Decimal::ZERO;
    }
    let available = number(&row, "StockBalance") - reserved;
    row.set("StockBalanceReserved", reserved);
    row.set("StockBalanceAvailable", available);
    row
}

/// Completes a customer that is created, or that takes the place of `old`.
pub(super) fn customer(books: &mut Books, mut row: Map, old: Option<&Map>) -> Result<Map, Refusal> {
    let own = old.and_then(|old| old.text("Id")).unwrap_or_default().to_owned();
    if row.text("CustomerNumber").is_none_or(str::is_empty) {
        let kept = old.and_then(|old| old.get("CustomerNumber").cloned());
        let given = kept.unwrap_or_else(|| books.number("NextCustomerNumber").to_string().into());
        row.set("CustomerNumber", given);
    }
    let name = row.text("CustomerNumber").unwrap_or_default().to_owned();
    if books.by("customers", "CustomerNumber", &name).is_some_and(|other| other.text("Id") != Some(&own)) {
        return Err(books.conflict(&format!("Customer number {name} already exists")));
    }
    let terms = reference(books, &row, "TermsOfPaymentId", "termsofpayments")?;
    row.set("TermsOfPayment", terms);
    let country = row.text("InvoiceCountryCode").unwrap_or("NL").to_owned();
    if row.get("InvoiceCountryCode").is_none_or(Value::says_nothing) {
        row.set("InvoiceCountryCode", "NL");
    }
    if let Some(vat) = row.text("VatNumber").filter(|vat| !vat.is_empty()) {
        let (land, rest) = vat.split_at_checked(2).unwrap_or((vat, ""));
        let is_fit = land.bytes().all(|b| b.is_ascii_uppercase())
            && (8..=12).contains(&rest.len())
            && rest.bytes().all(|b| b.is_ascii_alphanumeric());
        if !is_fit {
            return Err(refuse(400, 4025, "The VAT number is not valid"));
        }
    }
    let is_set = |name: &str| row.get(name).and_then(Value::as_bool) == Some(true);
    if is_set("ReverseChargeOnConstructionServices") && row.get("VatNumber").is_none_or(Value::says_nothing) {
        return Err(wrong("VatNumber", "Required", "VatNumber is required for reverse charge."));
    }
    if is_set("ForceBookkeepVat") && is_eu(&country) {
        return Err(refuse(400, 4035, "Forced VAT is not allowed for customers within the EU"));
    }
    let is_pro = books.settings.get("ProductVariant").and_then(Value::as_int) == Some(5);
    for (member, path) in
        [("SalesPriceListId", "salespricelists"), ("DiscountAgreementId", "discountagreements")]
    {
        if row.get(member).is_some_and(|value| !value.is_null()) {
            if !is_pro {
                return Err(refuse(403, 4009, "The product variant does not include price lists"));
            }
            reference(books, &row, member, path)?;
        }
    }
    if row.text("CurrencyCode").is_none_or(str::is_empty) {
        row.set("CurrencyCode", books.settings.get("CurrencyCode").cloned());
    }
    if let Some(old) = old {
        row.set("Id", own);
        for kept in ["Iban", "IsDirectDebitEnabled"] {
            if row.get(kept).is_none_or(Value::is_null) {
                row.set(kept, old.get(kept).cloned());
            }
        }
    }
    labels(books, &mut row, "CustomerLabels", "customerlabels")?;
    Ok(row)
}

/// The price of an article in a list.
pub(super) fn price(books: &Books, list: &Map, entry: &Map) -> Result<Map, Refusal> {
    let article = reference(books, entry, "ArticleId", "articles")?;
    let coding = reference(books, &article, "CodingId", "articleaccountcodings")?;
    let net = number(entry, "NetPrice");
    let factor = Decimal::ONE + number(&coding, "VatRatePercent") / Decimal::ONE_HUNDRED;
    Ok([
        ("SalesPriceListId", list.get("Id").cloned().unwrap_or_default()),
        ("ArticleId", article.get("Id").cloned().unwrap_or_default()),
        ("NetPrice", Value::Decimal(net)),
        ("GrossPrice", Value::Decimal(cents(net * factor))),
        ("CurrencyCode", list.get("CurrencyCode").cloned().unwrap_or_default()),
    ]
    .into_iter()
    .collect())
}

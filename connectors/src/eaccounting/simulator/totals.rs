//! What rows add up to. VAT is worked out from the article and the customer; nobody says it.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::books::{Books, Kind, Refusal, wrong};
use super::company::{cents, is_eu};
use super::goods::reference;
use super::sales::number;
use crate::record::{Map, Value};

/// On what footing a document is counted.
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(super) struct Footing {
    path: &'static str,
    with_vat: bool,
    is_domestic: bool,
    /// The customer is charged the rate of the article.
    is_taxed: bool,
    /// Decimals of a quantity.
    decimals: u32,
    rounds: bool,
    rates_are_percent: bool,
    replaces_zero: bool,
}

impl Footing {
    pub(super) fn new(books: &Books, kind: &Kind, row: &Map, customer: &Map, with_vat: bool) -> Self {
        let home = books.settings.text("CountryCode").unwrap_or("NL");
        let land = customer.text("InvoiceCountryCode").unwrap_or(home);
        let is_private = customer.get("IsPrivatePerson").and_then(Value::as_bool) == Some(true);
        let has_number = customer.text("VatNumber").is_some_and(|text| !text.is_empty());
        let forced = customer.get("ForceBookkeepVat").and_then(Value::as_bool) == Some(true);
        let own = books.settings.text("CurrencyCode");
        let currency = row.text("CurrencyCode").or_else(|| row.text("InvoiceCurrencyCode"));
        Self {
            path: kind.path,
            with_vat,
            is_domestic: land == home && currency == own,
            is_taxed: land == home || forced || (is_eu(land) && (is_private || !has_number)),
            decimals: if matches!(kind.path, "orders" | "quotes") { 4 } else { 2 },
            rounds: books.settings.get("DomesticCurrencyRounding").and_then(Value::as_int) == Some(1),
            rates_are_percent: books.options.rates_are_percent,
            replaces_zero: row.get("ReplaceUnitPriceWhenZero").and_then(Value::as_bool) == Some(true),
        }
    }
}

/// The figures of a document.
pub(super) struct Totals {
    incl: Decimal,
    vat: Decimal,
    rounding: Decimal,
    by_rate: BTreeMap<Decimal, (Decimal, Decimal)>,
}

impl Totals {
    /// Writes them under the names that the kind of document has for them.
    pub(super) fn write(&self, path: &str, row: &mut Map) {
        let names = match path {
            "orders" => ["Amount", "VatAmount", "RoundingsAmount"],
            "quotes" => ["TotalAmount", "VatAmount", "RoundingsAmount"],
            "customerinvoicedrafts" => ["TotalAmount", "TotalVatAmount", "TotalRoundings"],
            _ => ["TotalAmountInvoiceCurrency", "TotalVatAmountInvoiceCurrency", "TotalRoundings"],
        };
        for (name, amount) in names.into_iter().zip([self.incl, self.vat, self.rounding]) {
            row.set(name, amount);
        }
        if path == "customerinvoices" {
            let parts = self.by_rate.iter().map(|(rate, (excl, vat))| {
                [
                    ("AmountInvoiceCurrency", Value::Decimal(*excl)),
                    ("VatAmountInvoiceCurrency", Value::Decimal(*vat)),
                    ("VatPercent", Value::Decimal(*rate)),
                ]
                .into_iter()
                .collect::<Map>()
                .into()
            });
            row.set("VatSpecification", parts.collect::<Vec<Value>>());
        }
    }
}

/// Completes the rows of a document and adds them up.
pub(super) fn counted(books: &mut Books, footing: &Footing, row: &mut Map) -> Result<Totals, Refusal> {
    let rows = row.get("Rows").and_then(Value::as_list).unwrap_or_default().to_vec();
    if rows.is_empty() && footing.path == "customerinvoices" {
        return Err(wrong("Rows", "Required", "The Rows field is required."));
    }
    let mut done = Vec::with_capacity(rows.len());
    let mut sums: BTreeMap<Decimal, Decimal> = BTreeMap::new();
    for (at, line) in rows.into_iter().enumerate() {
        let Value::Map(line) = line else { continue };
        let (line, sold) = counted_row(books, footing, line, at)?;
        if let Some((rate, amount)) = sold {
            *sums.entry(rate).or_default() += amount;
        }
        done.push(line.into());
    }
    row.set("Rows", Value::List(done));
    let mut totals =
        Totals { incl: Decimal::ZERO, vat: Decimal::ZERO, rounding: Decimal::ZERO, by_rate: BTreeMap::new() };
    for (rate, sum) in sums {
        let factor = Decimal::ONE + rate / Decimal::ONE_HUNDRED;
        let (excl, vat) = if footing.with_vat {
            let vat = cents(sum - sum / factor);
            (sum - vat, vat)
        } else {
            (sum, cents(sum * rate / Decimal::ONE_HUNDRED))
        };
        totals.incl += excl + vat;
        totals.vat += vat;
        totals.by_rate.insert(rate, (excl, vat));
    }
    if footing.rounds {
        let whole =
            totals.incl.round_dp_with_strategy(0, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
        totals.rounding = whole - totals.incl;
        totals.incl = whole;
    }
    Ok(totals)
}

type Sold = Option<(Decimal, Decimal)>;

fn counted_row(
    books: &mut Books,
    footing: &Footing,
    mut line: Map,
    at: usize,
) -> Result<(Map, Sold), Refusal> {
    let id = books.guid();
    line.set("Id", id);
    let place = i64::try_from(at).unwrap_or(0) + 1;
    let numbers_itself = matches!(footing.path, "quotes" | "customerinvoices");
    if numbers_itself || line.get("LineNumber").is_none_or(Value::is_null) {
        line.set("LineNumber", place);
    }
    let has_article = line.get("ArticleId").is_some_and(|id| !id.is_null());
    let is_text = if numbers_itself {
        !has_article
    } else {
        line.get("IsTextRow").and_then(Value::as_bool).unwrap_or(false)
    };
    line.set("IsTextRow", is_text);
    let member = |name: &str| format!("Rows[{at}].{name}");
    if is_text {
        if line.text("Text").is_none_or(str::is_empty) {
            return Err(wrong(&member("Text"), "Required", "A text row needs a text."));
        }
        line.set("ArticleId", Value::Null);
        line.set("VatRate", Value::Null);
        return Ok((line, None));
    }
    let article = reference(books, &line, "ArticleId", "articles")
        .map_err(|_| wrong(&member("ArticleId"), "NotFound", "The article does not exist."))?;
    let coding = reference(books, &article, "CodingId", "articleaccountcodings")?;
    if line.text("Text").is_none_or(str::is_empty) {
        line.set("Text", article.get("Name").cloned());
    }
    line.set("ArticleNumber", article.get("Number").cloned());
    line.set("UnitId", article.get("UnitId").cloned());
    line.set("IsServiceArticle", article.get("IsServiceArticle").cloned());
    if footing.replaces_zero && number(&line, "UnitPrice").is_zero() {
        let price = if footing.with_vat { "GrossPrice" } else { "NetPrice" };
        line.set("UnitPrice", article.get(price).cloned());
    }
    let (quantity, price) = (number(&line, "Quantity"), number(&line, "UnitPrice"));
    if quantity.normalize().scale() > footing.decimals {
        let message = format!("Quantity allows {} decimals.", footing.decimals);
        return Err(wrong(&member("Quantity"), "Invalid", &message));
    }
    let allowed = if footing.is_domestic { 2 } else { 4 };
    if price.normalize().scale() > allowed {
        return Err(wrong(&member("UnitPrice"), "Invalid", &format!("UnitPrice allows {allowed} decimals.")));
    }
    let is_free = line.get("IsVatFree").and_then(Value::as_bool) == Some(true);
    let rate = if footing.is_taxed && !is_free { number(&coding, "VatRatePercent") } else { Decimal::ZERO };
    let amount = cents(quantity * price * (Decimal::ONE - number(&line, "DiscountPercentage")));
    let excl =
        if footing.with_vat { cents(amount / (Decimal::ONE + rate / Decimal::ONE_HUNDRED)) } else { amount };
    line.set("VatRate", if footing.rates_are_percent { rate } else { rate / Decimal::ONE_HUNDRED });
    line.set("Amount", excl);
    if footing.path == "customerinvoices" {
        line.set("AmountNoVat", excl);
        line.set("PercentVat", rate);
    }
    Ok((line, Some((rate, amount))))
}

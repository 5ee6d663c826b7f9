//! Quotes, orders, invoice drafts, invoices and payments: their rows, totals and stages.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::books::{Books, Kind, Refusal, known, refuse, wrong};
use super::goods::reference;
use super::totals::{Footing, counted};
use crate::eaccounting::wire::moment;
use crate::record::{Map, Value};

pub(super) fn number(row: &Map, name: &str) -> Decimal {
    row.get(name).and_then(Value::as_decimal).unwrap_or_default()
}

fn status(row: &Map) -> i64 {
    row.get("Status").and_then(Value::as_int).unwrap_or(0)
}

/// Completes a document that is created, or that takes the place of `old`.
pub(super) fn document(
    books: &mut Books,
    kind: &Kind,
    mut row: Map,
    old: Option<&Map>,
) -> Result<Map, Refusal> {
    let customer = reference(books, &row, "CustomerId", "customers")?;
    if let Some(old) = old {
        may_change(kind, old)?;
        for kept in ["Id", "CreatedUtc", "Number", "Status", "CreatedFromQuoteId"] {
            if let Some(value) = old.get(kept) {
                row.set(kept, value.clone());
            }
        }
    }
    let is_private = customer.get("IsPrivatePerson").and_then(Value::as_bool) == Some(true);
    let with_vat =
        is_private && books.settings.get("ShowPricesExclVatPC").and_then(Value::as_bool) == Some(true);
    row.set("IncludesVat", with_vat);
    for (member, from) in [("CustomerNumber", "CustomerNumber"), ("CustomerName", "Name")] {
        row.set(member, customer.get(from).cloned());
    }
    row.set("CustomerIsPrivatePerson", is_private);
    addresses(kind, &mut row, &customer);
    terms(books, kind, &mut row, &customer)?;
    currency(kind, &mut row, &customer);
    dates(kind, &mut row)?;
    if old.is_none() {
        begin(books, kind, &mut row)?;
    }
    let footing = Footing::new(books, kind, &row, &customer, with_vat);
    let totals = counted(books, &footing, &mut row)?;
    totals.write(kind.path, &mut row);
    Ok(row)
}

fn may_change(kind: &Kind, old: &Map) -> Result<(), Refusal> {
    let is_closed = match kind.path {
        "orders" => status(old) > 2,
        "quotes" => status(old) > 2,
        _ => false,
    };
    if is_closed { Err(refuse(400, 4002, "The document can no longer be changed")) } else { Ok(()) }
}

/// The addresses are those of the customer unless they are given; a quote has no others.
fn addresses(kind: &Kind, row: &mut Map, customer: &Map) {
    let is_quote = kind.path == "quotes";
    let mut fill = |member: String, from: &str| {
        if is_quote || row.get(&member).is_none_or(Value::says_nothing) {
            row.set(member, customer.get(from).cloned());
        }
    };
    fill("InvoiceCustomerName".to_owned(), "Name");
    for part in ["Address1", "Address2", "PostalCode", "City", "CountryCode"] {
        fill(format!("Invoice{part}"), &format!("Invoice{part}"));
        fill(format!("Delivery{part}"), &format!("Delivery{part}"));
    }
    fill("DeliveryCustomerName".to_owned(), "DeliveryCustomerName");
}

fn terms(books: &Books, kind: &Kind, row: &mut Map, customer: &Map) -> Result<(), Refusal> {
    let id = if kind.path == "quotes" { row.at("TermsOfPayment.Id") } else { row.get("TermsOfPaymentId") };
    let id = id.filter(|id| !id.says_nothing()).or_else(|| customer.get("TermsOfPaymentId"));
    let id = id.and_then(Value::as_str).unwrap_or_default();
    let empty = "00000000-0000-0000-0000-000000000000";
    let id = if id == empty { customer.text("TermsOfPaymentId").unwrap_or_default() } else { id };
    let terms = books.row("termsofpayments", id);
    let terms =
        terms.cloned().ok_or_else(|| wrong("TermsOfPaymentId", "NotFound", "The terms do not exist."))?;
    if kind.path == "quotes" {
        row.set("TermsOfPayment", terms);
    } else {
        row.set("TermsOfPaymentId", terms.get("Id").cloned());
    }
    Ok(())
}

fn currency(kind: &Kind, row: &mut Map, customer: &Map) {
    let own = customer.get("CurrencyCode").cloned();
    match kind.path {
        "quotes" | "customerinvoices" => drop(row.set("CurrencyCode", own)),
        "customerinvoicedrafts" => drop(row.set("InvoiceCurrencyCode", own)),
        _ => {}
    }
}

/// Today, as the company's calendar has it.
pub(super) fn today() -> String {
    let zone = TimeZone::get("Europe/Amsterdam").unwrap_or(TimeZone::UTC);
    format!("{}T00:00:00Z", Timestamp::now().to_zoned(zone).date())
}

pub(super) fn is_future(row: &Map, member: &str) -> bool {
    let at = |text: &str| moment(text);
    row.text(member).and_then(at).zip(at(&today())).is_some_and(|(given, today)| given > today)
}

fn dates(kind: &Kind, row: &mut Map) -> Result<(), Refusal> {
    let first = match kind.path {
        "quotes" => "QuoteDate",
        "orders" => "OrderDate",
        _ => "InvoiceDate",
    };
    if row.text(first).is_none_or(|text| text.is_empty() || text.starts_with("0001")) {
        row.set(first, today());
    }
    if row.text("DueDate").is_none_or(|text| text.is_empty() || text.starts_with("0001"))
        && kind.path != "orders"
    {
        row.set("DueDate", row.get(first).cloned());
    }
    let at = |member: &str| row.text(member).and_then(moment);
    if at("DeliveryDate").zip(at(first)).is_some_and(|(delivery, first)| delivery < first)
        && kind.path == "quotes"
    {
        return Err(wrong("DeliveryDate", "Invalid", "DeliveryDate is before QuoteDate."));
    }
    Ok(())
}

/// Numbers and the first stage.
fn begin(books: &mut Books, kind: &Kind, row: &mut Map) -> Result<(), Refusal> {
    match kind.path {
        "quotes" => {
            row.set("Status", 1);
            row.set("Number", books.number("NextQuoteNumber"));
        }
        "orders" => {
            if status(row) > 2 {
                return Err(refuse(400, 4002, "A new order is a draft or ongoing"));
            }
            row.set("Number", books.number("NextOrderNumber"));
        }
        _ => {}
    }
    Ok(())
}

/// Books an invoice: number, voucher, what is to be paid; the stock is drawn.
pub(super) fn book(books: &mut Books, kind: &Kind, mut row: Map, draws: bool) -> Result<Map, Refusal> {
    if is_future(&row, "InvoiceDate") {
        return Err(refuse(400, 4023, "The invoice date cannot be in the future"));
    }
    may_book(books, &row)?;
    // The number is taken last: there are no gaps.
    let given = books.number("NextCustomerInvoiceNumber");
    row.set("InvoiceNumber", given);
    row.set("VoucherNumber", format!("V{given}"));
    row.set("VoucherId", books.guid());
    row.set("PaymentReferenceNumber", format!("{given:08}"));
    row.set("PaymentStatus", 1);
    for (member, from) in [
        ("TotalAmount", "TotalAmountInvoiceCurrency"),
        ("TotalVatAmount", "TotalVatAmountInvoiceCurrency"),
        ("RemainingAmount", "TotalAmountInvoiceCurrency"),
        ("RemainingAmountInvoiceCurrency", "TotalAmountInvoiceCurrency"),
    ] {
        row.set(member, row.get(from).cloned());
    }
    if draws {
        draw(books, &row, Decimal::ONE);
    }
    Ok(books.insert(kind, row))
}

/// Whether anything can be booked on the invoice's date.
fn may_book(books: &Books, row: &Map) -> Result<(), Refusal> {
    let at = |row: &Map, member: &str| row.text(member).and_then(moment);
    let date = at(row, "InvoiceDate");
    let within = books.rows("fiscalyears").iter().any(|year| {
        at(year, "StartDate")
            .zip(at(year, "EndDate"))
            .zip(date)
            .is_some_and(|((start, end), date)| start <= date && date <= end)
    });
    if !within {
        return Err(refuse(400, 3001, "There is no fiscal year for the date"));
    }
    if at(&books.settings, "AccountingLockedTo").zip(date).is_some_and(|(locked, date)| date <= locked) {
        return Err(refuse(400, 4026, "The date is in a locked period"));
    }
    Ok(())
}

/// Takes the goods of a document out of stock, or puts them back.
fn draw(books: &mut Books, row: &Map, sign: Decimal) {
    let lines = row.get("Rows").and_then(Value::as_list).unwrap_or_default().to_vec();
    for line in lines.iter().filter_map(Value::as_map) {
        let quantity = number(line, "Quantity") * sign;
        let Some(article) = line.text("ArticleId").and_then(|id| books.row_mut("articles", id)) else {
            continue;
        };
        if article.get("IsServiceArticle").and_then(Value::as_bool) != Some(true) {
            let left = number(article, "StockBalance") - quantity;
            article.set("StockBalance", left);
        }
    }
}

/// An invoice with the rows of another document.
fn invoice_of(books: &mut Books, from: &Map, link: &str, draws: bool) -> Result<Map, Refusal> {
    let Some(kind) = known("customerinvoices") else { return Err(books.absence()) };
    let mut body = Map::new();
    for member in [
        "CustomerId",
        "EuThirdParty",
        "RotReducedInvoicingType",
        "YourReference",
        "OurReference",
        "BuyersOrderReference",
        "DeliveryCustomerName",
        "DeliveryAddress1",
        "DeliveryAddress2",
        "DeliveryPostalCode",
        "DeliveryCity",
        "DeliveryCountryCode",
        "TermsOfPaymentId",
        "InvoiceDate",
        "DueDate",
        "DeliveryDate",
        "IsCreditInvoice",
    ] {
        if let Some(value) = from.get(member).filter(|value| !value.is_null()) {
            body.set(member, value.clone());
        }
    }
    let rows = from.get("Rows").and_then(Value::as_list).unwrap_or_default();
    let rows: Vec<Value> = rows
        .iter()
        .filter_map(Value::as_map)
        .map(|row| {
            let kept = [
                "ArticleId",
                "Text",
                "Quantity",
                "UnitPrice",
                "DiscountPercentage",
                "IsVatFree",
                "ProjectId",
            ];
            kept.iter().filter_map(|name| Some((*name, row.get(name)?.clone()))).collect::<Map>().into()
        })
        .collect();
    body.set("Rows", rows);
    let row = super::rules::taken(kind.entity, &body, &books.options.clone())?;
    let mut row = document(books, kind, row, None)?;
    row.set(link, from.get("Id").cloned());
    book(books, kind, row, draws)
}

/// A step of an order or a quote to its next stage.
pub(super) fn step(books: &mut Books, path: &str, id: &str, name: &str) -> Result<Option<Map>, Refusal> {
    let mut row = books.row(path, id).cloned().ok_or_else(|| books.absence())?;
    let kind = known(path).ok_or_else(|| books.absence())?;
    let wrong_stage = || refuse(400, 4002, "The status does not allow this");
    let at = status(&row);
    match (path, name, at) {
        ("orders", "converteddrafttoorder", 1) => drop(row.set("Status", 2)),
        ("orders", "completed", 2) => {
            draw(books, &row, Decimal::ONE);
            deliver(&mut row, true);
            row.set("Status", 3);
        }
        ("orders", "voided", 3) => {
            draw(books, &row, -Decimal::ONE);
            deliver(&mut row, false);
            row.set("Status", 2);
        }
        ("orders", "convert", 3) => {
            let invoice = invoice_of(books, &row, "CreatedFromOrderId", false)?;
            row.set("Status", 4);
            books.replace(kind, row);
            return Ok(Some(invoice));
        }
        ("quotes", "accept", 1) => {
            row.set("Status", 2);
            row.set("ApprovedDate", today());
            books.replace(kind, row);
            return Ok(None);
        }
        ("quotes", "converttocustomerinvoice", 1 | 2) => {
            let invoice = invoice_of(books, &row, "CreatedFromQuoteId", true)?;
            row.set("Status", 3);
            books.replace(kind, row);
            return Ok(Some(invoice));
        }
        ("quotes", "converttoorder", 1 | 2) => {
            let order = order_of(books, &row)?;
            row.set("Status", 4);
            books.replace(kind, row);
            return Ok(Some(order));
        }
        _ => return Err(wrong_stage()),
    }
    Ok(Some(books.replace(kind, row)))
}

fn deliver(row: &mut Map, done: bool) {
    if let Some(Value::List(lines)) = row.get_mut("Rows") {
        for line in lines {
            if let Value::Map(line) = line {
                let quantity =
                    if done { line.get("Quantity").cloned().unwrap_or_default() } else { Value::Int(0) };
                line.set("DeliveredQuantity", quantity);
            }
        }
    }
}

fn order_of(books: &mut Books, quote: &Map) -> Result<Map, Refusal> {
    let Some(kind) = known("orders") else { return Err(books.absence()) };
    let mut body: Map =
        ["CustomerId", "BuyersOrderReference", "CurrencyCode", "EuThirdParty", "RotReducedInvoicingType"]
            .iter()
            .filter_map(|name| Some((*name, quote.get(name)?.clone())))
            .collect();
    body.set("Status", 2);
    body.set("ReverseChargeOnConstructionServices", false);
    let rows =
        quote.get("Rows").and_then(Value::as_list).unwrap_or_default().iter().filter_map(Value::as_map);
    let rows: Vec<Value> = rows
        .map(|row| {
            let kept = [
                "ArticleId",
                "Text",
                "Quantity",
                "UnitPrice",
                "DiscountPercentage",
                "IsTextRow",
                "LineNumber",
            ];
            let mut line: Map =
                kept.iter().filter_map(|name| Some((*name, row.get(name)?.clone()))).collect();
            line.set("IsWorkCost", false);
            line.set("EligibleForReverseChargeOnVat", false);
            line.into()
        })
        .collect();
    body.set("Rows", rows);
    let row = super::rules::taken(kind.entity, &body, &books.options.clone())?;
    let mut row = document(books, kind, row, None)?;
    row.set("CreatedFromQuoteId", quote.get("Id").cloned());
    Ok(books.insert(kind, row))
}

/// Books a draft, which is gone afterwards; totals that are given must be right.
pub(super) fn convert(books: &mut Books, id: &str, check: &Map, keeps_date: bool) -> Result<Map, Refusal> {
    let mut draft = books.row("customerinvoicedrafts", id).cloned().ok_or_else(|| books.absence())?;
    for (given, there) in [
        ("TotalAmountInvoiceCurrency", "TotalAmount"),
        ("TotalVatAmountInvoiceCurrency", "TotalVatAmount"),
        ("TotalRoundingsInvoiceCurrency", "TotalRoundings"),
    ] {
        let differs = |wanted: Decimal| wanted != number(&draft, there);
        if check.get(given).and_then(Value::as_decimal).is_some_and(differs) {
            return Err(refuse(400, 4013, &format!("{given} differs from the draft")));
        }
    }
    if !keeps_date {
        draft.set("InvoiceDate", today());
    }
    let invoice = invoice_of(books, &draft, "CreatedFromDraftId", true)?;
    books.remove("customerinvoicedrafts", id);
    Ok(invoice)
}

/// Books a payment.
pub(super) fn pay(books: &mut Books, id: &str, mut payment: Map) -> Result<Map, Refusal> {
    let Some(kind) = known("customerinvoices") else { return Err(books.absence()) };
    let mut invoice = books.row("customerinvoices", id).cloned().ok_or_else(|| books.absence())?;
    reference(books, &payment, "CompanyBankAccountId", "bankaccounts")?;
    if payment.text("PaymentDate").is_none_or(|text| text.starts_with("0001")) {
        payment.set("PaymentDate", today());
    }
    if is_future(&payment, "PaymentDate") {
        return Err(refuse(400, 4023, "The payment date cannot be in the future"));
    }
    let remaining = number(&invoice, "RemainingAmountInvoiceCurrency");
    let amount = number(&payment, "PaymentAmount");
    if amount.abs() > remaining.abs() {
        return Err(wrong("PaymentAmount", "Invalid", "The amount is more than what remains."));
    }
    let left = remaining - amount;
    invoice.set("RemainingAmount", left);
    invoice.set("RemainingAmountInvoiceCurrency", left);
    if left.is_zero() {
        invoice.set("PaymentStatus", 0);
        invoice.set("PaymentDate", payment.get("PaymentDate").cloned());
    }
    books.replace(kind, invoice);
    payment.set("BankTransactionId", books.guid());
    let mut kept = payment.clone();
    kept.set("InvoiceId", id);
    books.payments.push(kept);
    Ok(payment)
}

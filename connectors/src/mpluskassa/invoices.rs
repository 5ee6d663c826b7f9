//! Invoices.

use super::client::{declined, message};
use super::keys::{self, record, rows, sorted_by_key};
use super::operations::{FIND_INVOICE, GET_INVOICES, SAVE_INVOICE};
use super::orders::{booking, check_lines, dotted, whole};
use super::{Till, pages, payments};
use crate::contract::{FetchRequest, Key, Page, RemoteError, Written};
use crate::record::{Record, Value};

pub(super) async fn page(
    till: &Till,
    request: &FetchRequest,
    position: Option<&str>,
) -> Result<Page, RemoteError> {
    let mut filters = pages::relation_filter(request);
    filters.set("include_lines", true);
    let mut page = pages::page(&till.client, &GET_INVOICES, "invoices", request, position, filters).await?;
    page.records = page.records.into_iter().map(whole).collect();
    Ok(page)
}

pub(super) async fn find(till: &Till, by: &[String], keys: &[Key]) -> Result<Vec<Vec<Record>>, RemoteError> {
    let list = match by.first().map(String::as_str) {
        Some("invoice_id") => "invoice_ids",
        Some("invoice_number") => "invoice_numbers",
        _ => return find_by_ext_id(till, keys).await,
    };
    let mut wanted = keys::texts(keys);
    if list == "invoice_numbers" {
        wanted = dotted(wanted, 2);
    }
    if wanted.is_empty() {
        return Ok(vec![Vec::new(); keys.len()]);
    }
    let request = record([(list, wanted.into()), ("include_lines", true.into())]);
    let found: Vec<Record> =
        rows(till.client.call(&GET_INVOICES, &request).await?, "invoices").into_iter().map(whole).collect();
    Ok(sorted_by_key(&found, by, keys))
}

/// The service finds these one by one.
async fn find_by_ext_id(till: &Till, keys: &[Key]) -> Result<Vec<Vec<Record>>, RemoteError> {
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        found.push(match key.first().and_then(keys::text) {
            Some(number) => by_ext_id(till, &number).await?.into_iter().collect(),
            None => Vec::new(),
        });
    }
    Ok(found)
}

async fn by_ext_id(till: &Till, number: &str) -> Result<Option<Record>, RemoteError> {
    let mut reply = till.client.call(&FIND_INVOICE, &record([("ext_invoice_id", number.into())])).await?;
    match reply.remove("invoice") {
        Some(Value::Map(invoice)) if reply.text("result") == Some("ok") => Ok(Some(whole(invoice))),
        _ => Ok(None),
    }
}

/// Saves the invoice, then pays it. When an answer was lost and the invoice turns out to be
/// there, it is paid only if nothing was paid yet.
pub(super) async fn create(till: &Till, wanted: &Record) -> Result<Written, RemoteError> {
    let settings = &till.client.settings;
    let mut invoice = keys::writable("invoices", wanted, true);
    let number = keys::demanded(&invoice, "ext_invoice_id")?;
    let payments = payments::wanted(settings, invoice.remove("payments"));
    keys::demanded(&invoice, "relation_number")?;
    check_lines(&invoice)?;
    booking(&mut invoice, settings);
    let default = [("invoice_type", "invoice"), ("entry_branch_number", settings.branch_number.as_str())];
    for (field, value) in default {
        if invoice.get(field).is_none() {
            invoice.set(field, value);
        }
    }
    let reply = till.client.call(&SAVE_INVOICE, &record([("invoice", invoice.clone().into())])).await?;
    let why = message(&reply);
    let (key, unpaid) = match reply.text("result") {
        Some("ok") => (reply.at("info.invoice_id").and_then(keys::text).unwrap_or_default(), true),
        Some("ext_invoice_id_already_exists") => {
            let known = by_ext_id(till, &number).await?;
            let known = known.ok_or_else(|| {
                declined(format!("invoice {number} exists in the till, but cannot be read"))
            })?;
            let paid = known.get("paid_amount").and_then(Value::as_decimal).unwrap_or_default();
            (known.text("invoice_id").unwrap_or_default().to_owned(), paid.is_zero())
        }
        _ => return Err(declined(format!("the till refused invoice {number}{why}"))),
    };
    if let (Some(payments), true) = (payments, unpaid) {
        payments::settle(till, &key, payments).await.map_err(|mut error| {
            error.reason = format!("invoice {number} is in the till, but was not paid: {}", error.reason);
            error
        })?;
    }
    let mut made = keys::with_key(invoice, "invoice_id", &key);
    if let Some(number) = reply.at("info.invoice_number") {
        made.set("invoice_number", number.clone());
    }
    Ok(Written { key, record: made })
}

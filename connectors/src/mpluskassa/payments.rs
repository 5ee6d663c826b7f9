//! Payments on orders and invoices that exist.

use super::Till;
use super::client::{declined, message};
use super::keys::{self, demanded, record};
use super::operations::{PAY_INVOICE, PAY_ORDER};
use super::orders::keyed;
use super::settings::{Payments, Settings};
use crate::contract::{RemoteError, Written};
use crate::record::{Record, Value};

/// The payments to send with a new document; none when there are none or the connection
/// ignores them.
pub(super) fn wanted(settings: &Settings, payments: Option<Value>) -> Option<Value> {
    payments
        .filter(|payments| payments.as_list().is_some_and(|list| !list.is_empty()))
        .filter(|_| settings.payments != Payments::Ignore)
}

/// The one payment that a record of `order_payments` or `invoice_payments` describes.
fn one(record: &Record) -> Value {
    let mut payment = Record::new();
    for field in ["method", "amount", "external_reference"] {
        if let Some(value) = record.get(field) {
            payment.set(field, value.clone());
        }
    }
    vec![Value::Map(payment)].into()
}

pub(super) async fn pay_order(till: &Till, wanted: &Record, key: &str) -> Result<Written, RemoteError> {
    let sent = keys::writable("order_payments", wanted, true);
    let order = demanded(&sent, "order_id")?;
    let prepay = sent.get("prepay").and_then(Value::as_bool);
    pay(till, &order, one(&sent), prepay, key).await?;
    let id = format!("{order}:{key}");
    Ok(Written { record: keys::with_key(sent, "id", &id), key: id })
}

/// Pays an order. The key protects it: the same payment under the same key is booked once.
pub(super) async fn pay(
    till: &Till,
    order: &str,
    payments: Value,
    prepay: Option<bool>,
    key: &str,
) -> Result<(), RemoteError> {
    let prepay = prepay.unwrap_or(till.client.settings.payments != Payments::Finish);
    let request = record([("order_id", order.into()), ("prepay", prepay.into()), ("payments", payments)]);
    let reply = keyed(till, &PAY_ORDER, request, key).await?;
    let why = message(&reply);
    match reply.text("result") {
        Some("ok") => Ok(()),
        Some("payment_insufficient") => Err(declined(format!(
            "amount: less than the order still costs, and the order is to be finished{why}"
        ))
        .with_help("pay the rest too, or book the payment as a deposit")),
        Some("order_already_invoiced") => Err(declined(format!("the order is invoiced already{why}"))
            .with_help("pay the invoice, with invoice_payments")),
        Some("order_has_changed") => Err(RemoteError::new(
            crate::contract::Advice::Retry(None),
            super::TITLE,
            format!("the order is being changed in the till at this moment{why}"),
        )),
        _ => Err(declined(format!("the till refused the payment{why}"))),
    }
}

pub(super) async fn pay_invoice(till: &Till, wanted: &Record, key: &str) -> Result<Written, RemoteError> {
    let sent = keys::writable("invoice_payments", wanted, true);
    let invoice = demanded(&sent, "invoice_id")?;
    settle(till, &invoice, one(&sent)).await?;
    let id = format!("{invoice}:{key}");
    Ok(Written { record: keys::with_key(sent, "id", &id), key: id })
}

/// Pays an invoice. Nothing protects it: a repeated payment is a second one.
pub(super) async fn settle(till: &Till, invoice: &str, payments: Value) -> Result<(), RemoteError> {
    let request = record([("invoice_id", invoice.into()), ("payments", payments)]);
    let reply = till.client.call(&PAY_INVOICE, &request).await?;
    let why = message(&reply);
    match reply.text("result") {
        Some("ok") => Ok(()),
        Some("payment_too_high") => Err(declined(format!("amount: more than the invoice still costs{why}"))),
        _ => Err(declined(format!("the till refused the payment of the invoice{why}"))),
    }
}

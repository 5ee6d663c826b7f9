//! Orders: reading, finding and creating. Changing them is in `change.rs`.

mod change;

use std::sync::atomic::Ordering;

use super::Till;
use super::client::{Failure, declined, message};
use super::keys::{self, record, rows, sorted_by_key};
use super::operations::{
    CREATE_ORDER_V2, CREATE_ORDER_V3, FIND_ORDER, GET_ORDERS, GET_ORDERS_BY_EXT_IDS, Operation,
};
use super::pages;
use super::payments;
use super::settings::{Payments, Settings};
use crate::contract::{FetchRequest, Key, Page, RemoteError, Written};
use crate::record::{Record, Value};

pub(super) use change::update;

/// Fields of a request for a new order that stand beside the order.
const BESIDE: [&str; 3] = ["apply_sales_and_actions", "apply_sales_prices", "apply_price_groups"];

/// Keys that an order may be asked under when earlier answers of refusal are replayed.
const MOST_KEYS: usize = 20;

/// An order, invoice or receipt with its lines numbered.
pub(super) fn whole(mut document: Record) -> Record {
    if let Some(Value::List(lines)) = document.get_mut("lines") {
        for (position, line) in (1..).zip(lines) {
            if let Value::Map(line) = line {
                line.set("position", position);
            }
        }
    }
    document
}

pub(super) async fn page(
    till: &Till,
    request: &FetchRequest,
    position: Option<&str>,
) -> Result<Page, RemoteError> {
    let mut filters = pages::relation_filter(request);
    filters.set("include_lines", true);
    let mut page = pages::page(&till.client, &GET_ORDERS, "orders", request, position, filters).await?;
    page.records = page.records.into_iter().map(whole).collect();
    Ok(page)
}

pub(super) async fn find(till: &Till, by: &[String], keys: &[Key]) -> Result<Vec<Vec<Record>>, RemoteError> {
    let wanted = keys::texts(keys);
    if wanted.is_empty() {
        return Ok(vec![Vec::new(); keys.len()]);
    }
    let (operation, request): (&Operation, Record) = match by.first().map(String::as_str) {
        Some("order_id") => {
            (&GET_ORDERS, record([("order_ids", wanted.into()), ("include_lines", true.into())]))
        }
        Some("order_number") => {
            let wanted = dotted(wanted, 2);
            if wanted.is_empty() {
                return Ok(vec![Vec::new(); keys.len()]);
            }
            (&GET_ORDERS, record([("order_numbers", wanted.into()), ("include_lines", true.into())]))
        }
        _ => (&GET_ORDERS_BY_EXT_IDS, record([("ext_order_ids", wanted.into())])),
    };
    let found: Vec<Record> =
        rows(till.client.call(operation, &request).await?, "orders").into_iter().map(whole).collect();
    Ok(sorted_by_key(&found, by, keys))
}

/// The texts that are that many numbers joined by dots; others can belong to no record.
pub(super) fn dotted(texts: Vec<Value>, pieces: usize) -> Vec<Value> {
    let numbers = |text: &str| {
        text.split('.').count() == pieces
            && text
                .split('.')
                .all(|piece| (1..19).contains(&piece.len()) && piece.bytes().all(|b| b.is_ascii_digit()))
    };
    texts.into_iter().filter(|text| text.as_str().is_some_and(numbers)).collect()
}

pub(super) async fn create(till: &Till, record: &Record, key: &str) -> Result<Written, RemoteError> {
    let settings = &till.client.settings;
    let mut order = keys::writable("orders", record, true);
    let number = keys::demanded(&order, "ext_order_id")?;
    let mut request = Record::new();
    for field in BESIDE {
        if let Some(value) = order.remove(field) {
            request.set(field, value);
        }
    }
    let prepay = order.remove("prepay").and_then(|prepay| prepay.as_bool());
    let payments = payments::wanted(settings, order.remove("payments"));
    defaults(&mut order, settings)?;
    check_lines(&order)?;
    let sent = order.clone();
    request.set("order", order);

    let reply = if till.is_old.load(Ordering::Relaxed) {
        old(till, request, key, payments, prepay).await?
    } else {
        let mut paid = request.clone();
        if let Some(payments) = &payments {
            paid.set("prepay", prepay.unwrap_or(settings.payments != Payments::Finish));
            paid.set("payments", payments.clone());
        }
        match keyed(till, &CREATE_ORDER_V3, paid, key).await {
            Ok(reply) => reply,
            Err(Failure::UnknownOperation(_)) => {
                till.is_old.store(true, Ordering::Relaxed);
                old(till, request, key, payments, prepay).await?
            }
            Err(Failure::Remote(error)) => return Err(error),
        }
    };
    made(till, reply, sent, &number).await
}

/// What every order needs and the flow did not say.
fn defaults(order: &mut Record, settings: &Settings) -> Result<(), RemoteError> {
    keys::demanded(order, "relation_number")?;
    booking(order, settings);
    let default = [("order_type", "sales_order"), ("entry_branch_number", settings.branch_number.as_str())];
    for (field, value) in default {
        if order.get(field).is_none() {
            order.set(field, value);
        }
    }
    Ok(())
}

/// Who books a document, where, and when, unless the flow said so.
pub(super) fn booking(document: &mut Record, settings: &Settings) {
    let today = jiff::Timestamp::now().to_zoned(settings.zone.clone()).date().to_string();
    for (field, value) in [
        ("employee_number", settings.employee_number.as_str()),
        ("financial_date", today.as_str()),
        ("financial_branch_number", settings.branch_number.as_str()),
        ("workplace_number", settings.workplace_number.as_str()),
        ("vat_method", "inclusive"),
    ] {
        if document.get(field).is_none() {
            document.set(field, value);
        }
    }
}

/// An empty order would be taken, and be of no use to anybody.
pub(super) fn check_lines(document: &Record) -> Result<(), RemoteError> {
    match document.get("lines").and_then(Value::as_list) {
        Some([_, ..]) => Ok(()),
        _ => Err(declined("lines: there is none")),
    }
}

/// Asks under an idempotency key. The service keeps refusals under their key too; when an old
/// one comes back, the cause may be gone, and the same is asked under the next key of a fixed
/// row, so that asking again after a lost answer still finds the answer that counts.
pub(super) async fn keyed(
    till: &Till,
    operation: &Operation,
    mut request: Record,
    key: &str,
) -> Result<Record, Failure> {
    let mut attempt = 1;
    loop {
        let key = if attempt == 1 { key.to_owned() } else { format!("{key}-{attempt}") };
        request.set("idempotency_key", key);
        let reply = till.client.protected(operation, &request).await?;
        let is_old = reply.text("idempotency_result") == Some("replay_response");
        if reply.text("result") == Some("ok") || !is_old || attempt >= MOST_KEYS {
            return Ok(reply);
        }
        attempt += 1;
    }
}

/// An older service: no key, and the payment afterwards.
async fn old(
    till: &Till,
    request: Record,
    key: &str,
    payments: Option<Value>,
    prepay: Option<bool>,
) -> Result<Record, RemoteError> {
    let reply = till.client.call(&CREATE_ORDER_V2, &request).await?;
    if let (Some("ok"), Some(payments)) = (reply.text("result"), payments) {
        let order = reply.at("info.order_id").and_then(keys::text).unwrap_or_default();
        payments::pay(till, &order, payments, prepay, &format!("{key}-pay")).await?;
    }
    Ok(reply)
}

/// What the answer to a new order means.
async fn made(till: &Till, mut reply: Record, sent: Record, number: &str) -> Result<Written, RemoteError> {
    let why = message(&reply);
    match reply.text("result") {
        Some("ok") => {
            let key = reply.at("info.order_id").and_then(keys::text).unwrap_or_default();
            let record = match reply.remove("order") {
                Some(Value::Map(order)) => whole(order),
                _ => keys::with_key(sent, "order_id", &key),
            };
            Ok(Written { key, record })
        }
        Some("ext_order_id_already_exists") => {
            let Some(order) = by_ext_id(till, number).await? else {
                return Err(declined(format!("order {number} exists in the till, but cannot be read")));
            };
            if order.text("cancel_state") == Some("complete") {
                return Err(declined(format!(
                    "order {number} was in the till before and is cancelled there"
                ))
                .with_help("the till takes an order number once; send it under another one"));
            }
            let key = order.text("order_id").unwrap_or_default().to_owned();
            Ok(Written { key, record: order })
        }
        Some("payment_failed") => Err(match by_ext_id(till, number).await? {
            Some(_) => declined(format!("order {number} is in the till, but its payment was refused{why}"))
                .with_help("book the payment in the till; sending the order again does not"),
            None => declined(format!("the till refused the payment of order {number}{why}")),
        }),
        _ => Err(declined(format!("the till refused order {number}{why}"))),
    }
}

async fn by_ext_id(till: &Till, number: &str) -> Result<Option<Record>, RemoteError> {
    let mut reply = till.client.call(&FIND_ORDER, &record([("ext_order_id", number.into())])).await?;
    match reply.remove("order") {
        Some(Value::Map(order)) if reply.text("result") == Some("ok") => Ok(Some(whole(order))),
        _ => Ok(None),
    }
}

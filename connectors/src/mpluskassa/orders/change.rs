//! Changing and cancelling orders.
//!
//! A change is sent as the whole order, as it was just read, with the changed elements put in
//! their places: nothing is lost that we do not know of, and the counters that guard against
//! overwriting somebody else's change are the current ones.

use super::super::client::{declined, message, refused};
use super::super::codec::{Form, Shape, part};
use super::super::keys::{self, record};
use super::super::operations::{CANCEL_ORDER, GET_ORDER, UPDATE_ORDER};
use super::super::shapes::sales::ORDER;
use super::super::xml::Element;
use super::super::{TITLE, Till};
use super::{BESIDE, check_lines, whole};
use crate::contract::{Advice, RemoteError, Written};
use crate::record::{Record, Text, Value};

pub(in super::super) async fn update(
    till: &Till,
    key: &str,
    changes: &Record,
) -> Result<Written, RemoteError> {
    let mut order = keys::writable("orders", changes, false);
    if order.get("payments").is_some() || order.get("prepay").is_some() {
        return Err(declined("payments: an order that exists is paid with order_payments"));
    }
    let cancel = order.remove("cancel_state");
    let mut written = keys::with_key(order.clone(), "order_id", key);
    if order.iter().any(|(field, _)| !BESIDE.contains(&field.as_str())) {
        if order.get("lines").is_some() {
            check_lines(&order)?;
        }
        if let Some(changed) = send(till, key, &order).await? {
            written = changed;
        }
    }
    match cancel.as_ref().and_then(Value::as_str) {
        None => {}
        Some("complete") => {
            cancel_once(till, key).await?;
            written.set("cancel_state", "complete");
        }
        Some(other) => {
            return Err(declined(format!(
                "cancel_state: an order cannot be made `{other}`, only `complete`"
            )));
        }
    }
    Ok(Written { key: key.to_owned(), record: written })
}

/// Sends the change, once more when somebody else was faster.
async fn send(till: &Till, key: &str, changes: &Record) -> Result<Option<Record>, RemoteError> {
    for _ in 0..2 {
        let (mut raw, current) = read(till, key).await?;
        let mut changes = changes.clone();
        let mut beside = Record::new();
        for field in BESIDE {
            if let Some(value) = changes.remove(field) {
                beside.set(field, value);
            }
        }
        keep_line_ids(&mut changes, &current);
        let codec = &till.client.codec;
        changes.set("order_id", key);
        put(&mut raw, codec.children(&ORDER, &changes).map_err(|misfit| refused(&misfit))?);
        let mut inside = vec![raw];
        inside.extend(codec.children(&APPLY, &beside).map_err(|misfit| refused(&misfit))?);
        let request = Element::branch(UPDATE_ORDER.name, vec![Element::branch("request", inside)]);
        let reply = till.client.raw(&UPDATE_ORDER, request).await?;
        let mut reply = codec.decode(UPDATE_ORDER.reply, &reply).map_err(|misfit| {
            RemoteError::new(Advice::Unknown, TITLE, format!("the answer is unusable: {misfit}"))
        })?;
        let why = message(&reply);
        match reply.text("result") {
            Some("ok") => {
                return Ok(match reply.remove("order") {
                    Some(Value::Map(order)) => Some(whole(order)),
                    _ => None,
                });
            }
            Some("no_changes") => return Ok(None),
            // Older services say it in words.
            Some("failed") if why.contains("there were no changes") => return Ok(None),
            Some("order_has_changed") => {}
            Some("not_found") => return Err(declined(format!("the order is not in the till{why}"))),
            _ => return Err(declined(format!("the till refused the change of the order{why}"))),
        }
    }
    Err(RemoteError::new(Advice::Retry(None), TITLE, "the order is being changed in the till at this moment"))
}

/// The order as it came, and as a record.
async fn read(till: &Till, key: &str) -> Result<(Element, Record), RemoteError> {
    let request = till.client.element(&GET_ORDER, &record([("order_id", key.into())]))?;
    let reply = till.client.raw(&GET_ORDER, request).await?;
    let unusable = |reason: String| RemoteError::new(Advice::StopFlow, TITLE, reason);
    let found =
        till.client.codec.decode(GET_ORDER.reply, &reply).map_err(|misfit| unusable(misfit.to_string()))?;
    let raw = reply.children.into_iter().find(|child| child.name.as_str() == "order");
    match (found.get("order"), raw) {
        (Some(Value::Map(order)), Some(raw)) => Ok((raw, order.clone())),
        _ => Err(declined("the order is not in the till")),
    }
}

/// Puts elements into an order in the places that the schema gives them, instead of those of
/// the same name.
fn put(order: &mut Element, changed: Vec<Element>) {
    let place = |name: &Text| ORDER.parts.iter().position(|part| part.wire == name.as_str());
    for element in changed {
        order.children.retain(|child| child.name != element.name);
        let own = place(&element.name);
        let after = order.children.iter().position(|child| place(&child.name) > own);
        order.children.insert(after.unwrap_or(order.children.len()), element);
    }
}

/// A line that says no identifier keeps that of the first line with its article.
fn keep_line_ids(changes: &mut Record, current: &Record) {
    let Some(Value::List(lines)) = changes.get_mut("lines") else { return };
    let said: Vec<Text> =
        lines.iter().filter_map(|line| line.as_map()?.text("line_id").map(Text::from)).collect();
    let known = current.get("lines").and_then(Value::as_list).unwrap_or_default();
    let mut free: Vec<&Record> = known.iter().filter_map(Value::as_map).collect();
    free.retain(|line| !said.iter().any(|said| line.text("line_id") == Some(said)));
    for line in lines {
        let Value::Map(line) = line else { continue };
        if line.get("line_id").is_some_and(|id| !id.says_nothing()) {
            continue;
        }
        let article = line.get("article_number").cloned().unwrap_or_default();
        let same = free
            .iter()
            .position(|known| known.get("article_number").is_some_and(|own| keys::same(own, &article)));
        if let Some(id) = same.map(|at| free.remove(at)).and_then(|known| known.get("line_id")) {
            line.set("line_id", id.clone());
        }
    }
}

/// Cancels the order, unless it is: to cancel a cancelled order brings it back to life.
async fn cancel_once(till: &Till, key: &str) -> Result<(), RemoteError> {
    for _ in 0..2 {
        let (_, order) = read(till, key).await?;
        if order.text("cancel_state") == Some("complete") {
            return Ok(());
        }
        let settings = &till.client.settings;
        let said = |field: &str, default: &str| order.get(field).cloned().unwrap_or_else(|| default.into());
        let workplace = record([
            ("branch_number", said("entry_branch_number", &settings.branch_number)),
            ("workplace_number", said("workplace_number", &settings.workplace_number)),
        ]);
        let request = record([
            ("workplace", workplace.into()),
            ("employee", record([("employee_number", settings.employee_number.as_str().into())]).into()),
            ("order_id", key.into()),
        ]);
        let reply = till.client.call(&CANCEL_ORDER, &request).await?;
        let why = message(&reply);
        match reply.text("result") {
            Some("ok" | "pending" | "already_cancelled") => return Ok(()),
            // Somebody else cancelled it in between, and we undid that: again.
            Some("undo_cancel_ok") => {}
            Some("not_found") => return Err(declined(format!("the order is not in the till{why}"))),
            _ => return Err(declined(format!("the till refused to cancel the order{why}"))),
        }
    }
    Err(RemoteError::new(
        Advice::Retry(None),
        TITLE,
        "the order is being cancelled in the till at this moment",
    ))
}

/// What stands beside the order.
static APPLY: Shape = Shape {
    parts: &[
        part("applySalesAndActions", "apply_sales_and_actions", Form::Bool),
        part("applySalesPrices", "apply_sales_prices", Form::Bool),
        part("applyPriceGroups", "apply_price_groups", Form::Bool),
    ],
};

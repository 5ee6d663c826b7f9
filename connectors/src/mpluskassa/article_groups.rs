//! Article groups, and which products are in them.
//!
//! The service lists groups by what changed; the session keeps them all, and reads the
//! changes before each search.

use std::collections::BTreeMap;

use super::client::declined;
use super::keys::{self, record, sorted_by_key};
use super::operations::{ADD_TO_GROUP, GET_GROUP_CHANGES, NEW_GROUP, UPDATE_GROUP};
use super::{Till, pages, products};
use crate::contract::{FetchRequest, Key, Page, RemoteError, Written};
use crate::record::{Record, Text, Value};

/// All groups that were not removed.
#[derive(Debug, Default)]
pub(super) struct Index {
    next: i64,
    groups: BTreeMap<Text, Record>,
}

pub(super) async fn page(
    till: &Till,
    request: &FetchRequest,
    position: Option<&str>,
) -> Result<Page, RemoteError> {
    pages::page(&till.client, &GET_GROUP_CHANGES, "groups", request, position, Record::new()).await
}

pub(super) async fn find(till: &Till, by: &[String], keys: &[Key]) -> Result<Vec<Vec<Record>>, RemoteError> {
    let mut index = till.group_index.lock().await;
    loop {
        let from = (index.next, 1000);
        let (groups, next) =
            pages::read(&till.client, &GET_GROUP_CHANGES, "groups", from, Record::new()).await?;
        for group in groups {
            let Some(Value::Text(number)) = group.get("group_number").cloned() else { continue };
            if group.get("is_deleted").and_then(Value::as_bool) == Some(true) {
                index.groups.remove(&number);
            } else {
                index.groups.insert(number, group);
            }
        }
        match next {
            Some(next) => index.next = next,
            None => break,
        }
    }
    let groups: Vec<Record> = index.groups.values().cloned().collect();
    Ok(sorted_by_key(&groups, by, keys))
}

pub(super) async fn create(till: &Till, record: &Record) -> Result<Written, RemoteError> {
    let mut group = keys::writable("article_groups", record, true);
    let name = keys::demanded(&group, "name")?;
    if group.get("text").is_none() {
        group.set("text", name);
    }
    let made = group.clone();
    if group.get("parent_group_number").is_none() {
        group.set("parent_group_number", "0");
    }
    let reply = till.client.call(&NEW_GROUP, &group).await?;
    match reply.text("result") {
        Some("ok") => {
            let key = reply.get("group_number").and_then(keys::text).unwrap_or_default();
            Ok(Written { record: keys::with_key(made, "group_number", &key), key })
        }
        Some("parent_notfound") => {
            Err(declined("parent_group_number: there is no such article group in the till"))
        }
        _ => Err(declined("the till refused the article group")),
    }
}

pub(super) async fn update(till: &Till, key: &str, changes: &Record) -> Result<Written, RemoteError> {
    let key = keys::numeric_key("group_number", key)?;
    let mut sent = keys::writable("article_groups", changes, false);
    keys::keep_identity(&mut sent, "group_number", &key)?;
    let mut group = keys::with_key(sent.clone(), "group_number", &key);
    if group.get("parent_group_number").is_some_and(Value::says_nothing) {
        group.set("parent_group_number", "0");
    }
    let reply = till.client.call(&UPDATE_GROUP, &group).await?;
    match reply.text("result") {
        Some("ok") => Ok(Written { record: keys::with_key(sent, "group_number", &key), key }),
        Some("not_found") => Err(declined(format!("article group {key} is not in the till"))),
        _ => Err(declined(format!("the till refused the change of article group {key}"))),
    }
}

// --- membership ---------------------------------------------------------------------------------

fn membership(group: &str, product: &str) -> Record {
    record([
        ("id", format!("{group}:{product}").into()),
        ("group_number", group.into()),
        ("product_number", product.into()),
    ])
}

pub(super) async fn find_membership(
    till: &Till,
    by: &[String],
    keys: &[Key],
) -> Result<Vec<Vec<Record>>, RemoteError> {
    let at = by.iter().position(|field| field == "product_number").unwrap_or(1);
    let mut wanted: Vec<String> = keys.iter().filter_map(|key| keys::number(key.get(at)?)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(vec![Vec::new(); keys.len()]);
    }
    // The products themselves say it; whether a group's marker rises with its members is not
    // told.
    let wanted = wanted.into_iter().map(Value::from).collect();
    let mut known = Vec::new();
    for product in products::by_number(till, "product_numbers", wanted).await? {
        let groups = product.get("group_numbers").and_then(Value::as_list).unwrap_or_default();
        let number = product.text("product_number").unwrap_or_default();
        known.extend(groups.iter().filter_map(Value::as_str).map(|group| membership(group, number)));
    }
    Ok(sorted_by_key(&known, by, keys))
}

pub(super) async fn create_membership(till: &Till, wanted: &Record) -> Result<Written, RemoteError> {
    let group = keys::numeric_key("group_number", &keys::demanded(wanted, "group_number")?)?;
    let product = keys::numeric_key("product_number", &keys::demanded(wanted, "product_number")?)?;
    let mut request = record([
        ("group_number", group.as_str().into()),
        ("product_numbers", vec![Value::from(product.as_str())].into()),
    ]);
    if let Some(position) = wanted.get("position").filter(|position| !position.is_null()) {
        request.set("position", position.clone());
    }
    let reply = till.client.call(&ADD_TO_GROUP, &request).await?;
    match reply.text("result") {
        Some("ok") => {
            let record = membership(&group, &product);
            Ok(Written { key: record.text("id").unwrap_or_default().to_owned(), record })
        }
        Some("not_found") => {
            Err(declined(format!("article group {group} or product {product} is not in the till")))
        }
        _ => Err(declined(format!("the till refused to put product {product} into article group {group}"))),
    }
}

//! Relations: customers and suppliers, people and firms.

use super::Till;
use super::client::{declined, message};
use super::keys::{self, record, rows, sorted_by_key};
use super::operations::{CREATE_RELATION, FIND_RELATION, GET_RELATIONS, UPDATE_RELATION};
use super::pages;
use crate::contract::{FetchRequest, Key, Page, RemoteError, Written};
use crate::record::{Record, Text, Value};

/// A filled one of these makes a firm; the till has no field for it.
const OF_FIRMS: [&str; 3] = ["company_name", "vat_number", "commerce_number"];

fn whole(mut relation: Record) -> Record {
    let firm = OF_FIRMS.iter().any(|field| relation.get(field).is_some_and(|value| !value.says_nothing()));
    relation.set("kind", if firm { "company" } else { "person" });
    relation
}

pub(super) async fn page(
    till: &Till,
    request: &FetchRequest,
    position: Option<&str>,
) -> Result<Page, RemoteError> {
    let mut page =
        pages::page(&till.client, &GET_RELATIONS, "relations", request, position, Record::new()).await?;
    page.records = page.records.into_iter().map(whole).collect();
    Ok(page)
}

pub(super) async fn find(till: &Till, by: &[String], keys: &[Key]) -> Result<Vec<Vec<Record>>, RemoteError> {
    let field = by.first().map_or("", String::as_str);
    if field != "relation_number" {
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            found.push(find_one(till, field, key).await?);
        }
        return Ok(found);
    }
    let numbers = keys::numbers(keys);
    if numbers.is_empty() {
        return Ok(vec![Vec::new(); keys.len()]);
    }
    let request = record([("relation_numbers", numbers.into())]);
    let found = rows(till.client.call(&GET_RELATIONS, &request).await?, "relations");
    let found: Vec<Record> = found.into_iter().map(whole).collect();
    Ok(sorted_by_key(&found, by, keys))
}

/// The service gives the first hit only, and does not mind capitals; mail addresses mean the
/// same either way, other values must be the same letter by letter.
async fn find_one(till: &Till, field: &str, key: &Key) -> Result<Vec<Record>, RemoteError> {
    let Some(value) = key.first().and_then(keys::text) else { return Ok(Vec::new()) };
    let mut wanted = Record::new();
    wanted.set(Text::from(field), value.as_str());
    let request = record([("relation", wanted.into()), ("exact_match", true.into())]);
    let mut reply = till.client.call(&FIND_RELATION, &request).await?;
    if reply.text("result") != Some("ok") {
        return Ok(Vec::new());
    }
    let Some(Value::Map(found)) = reply.remove("relation") else { return Ok(Vec::new()) };
    let has = found.text(field).unwrap_or_default();
    let same = if field == "email" { has.to_lowercase() == value.to_lowercase() } else { has == value };
    Ok(if same { vec![whole(found)] } else { Vec::new() })
}

pub(super) async fn create(till: &Till, relation: &Record) -> Result<Written, RemoteError> {
    let mut sent = keys::writable("relations", relation, true);
    if sent.get("active").is_none() {
        sent.set("active", true);
    }
    let reply = till.client.call(&CREATE_RELATION, &record([("relation", sent.clone().into())])).await?;
    let why = message(&reply);
    match reply.text("result") {
        Some("ok") => {
            let key = reply.get("relation_number").and_then(keys::text).unwrap_or_default();
            if let Some(marker) = reply.get("sync_marker") {
                sent.set("sync_marker", marker.clone());
            }
            Ok(Written { record: whole(keys::with_key(sent, "relation_number", &key)), key })
        }
        Some("failed_relation_number_already_taken") => {
            let number = sent.get("relation_number").and_then(keys::text).unwrap_or_default();
            Err(declined(format!("relation number {number} is already taken{why}")))
        }
        _ => Err(declined(format!("the till refused the relation{why}"))),
    }
}

pub(super) async fn update(till: &Till, key: &str, changes: &Record) -> Result<Written, RemoteError> {
    let key = keys::numeric_key("relation_number", key)?;
    let mut sent = keys::writable("relations", changes, false);
    keys::keep_identity(&mut sent, "relation_number", &key)?;
    let sent = keys::with_key(sent, "relation_number", &key);
    let reply = till.client.call(&UPDATE_RELATION, &record([("relation", sent.clone().into())])).await?;
    let why = message(&reply);
    match reply.text("result") {
        Some("ok") => Ok(Written { key, record: sent }),
        Some("not_found") => Err(declined(format!("relation {key} is not in the till{why}"))),
        _ => Err(declined(format!("the till refused the change of relation {key}{why}"))),
    }
}

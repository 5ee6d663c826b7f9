//! Webhooks: who wants to know what, and what was told. Deliveries are thin, unsigned, made as
//! often as the switch says, and not in any order that is promised.

use serde_json::{Map, Value, json};

use super::books::{Books, Refusal, invalid, set, text};
use super::server::{Shared, open};
use crate::teamleader::MANIFEST;

/// The account that deliveries name.
const ACCOUNT: &str = "0a1f4a3c-8e0a-4b3b-9a55-2f6f5b0d9a11";

/// All webhooks, by address.
pub(super) fn list(books: &Books) -> Value {
    let mut hooks: Vec<Value> = books
        .rows("webhooks")
        .iter()
        .map(|hook| json!({"url": hook.get("url"), "types": hook.get("types")}))
        .collect();
    hooks.sort_by_key(|hook| text(hook, "url").unwrap_or_default().to_owned());
    json!({"data": hooks})
}

fn wanted(body: &Map<String, Value>) -> Result<(String, Vec<Value>), Refusal> {
    let url = body.get("url").and_then(Value::as_str).unwrap_or_default();
    if !url.starts_with("https://") {
        return invalid("url", "url must be a valid https address");
    }
    let types = body.get("types").and_then(Value::as_array).cloned().unwrap_or_default();
    let is_known = |kind: &Value| {
        let kind = kind.as_str().unwrap_or_default();
        MANIFEST.events.iter().any(|event| event == kind)
    };
    if types.is_empty() || !types.iter().all(is_known) {
        return invalid("types", "types must be valid");
    }
    Ok((url.to_owned(), types))
}

/// Adds an address, or events to one that is known.
pub(super) fn register(books: &mut Books, body: &Map<String, Value>) -> Result<(), Refusal> {
    let (url, types) = wanted(body)?;
    let known = books.rows("webhooks").iter().find(|hook| text(hook, "url") == Some(&url)).cloned();
    match known.as_ref().and_then(|hook| text(hook, "id")) {
        Some(id) => {
            if let Some(Value::Array(old)) =
                books.row_mut("webhooks", id).and_then(|hook| hook.get_mut("types"))
            {
                old.retain(|kind| !types.contains(kind));
                old.extend(types);
            }
        }
        None => drop(books.insert("webhooks", json!({"url": url, "types": types}))),
    }
    Ok(())
}

/// Takes events away from an address, and the address with the last of them.
pub(super) fn unregister(books: &mut Books, body: &Map<String, Value>) -> Result<(), Refusal> {
    let (url, types) = wanted(body)?;
    let known = books.rows("webhooks").iter().find(|hook| text(hook, "url") == Some(&url)).cloned();
    let Some(id) = known.as_ref().and_then(|hook| text(hook, "id")) else {
        return invalid("url", "There is no webhook for this url");
    };
    let mut is_empty = false;
    if let Some(Value::Array(old)) = books.row_mut("webhooks", id).and_then(|hook| hook.get_mut("types")) {
        old.retain(|kind| !types.contains(kind));
        is_empty = old.is_empty();
    }
    if is_empty {
        books.remove("webhooks", id);
    }
    Ok(())
}

/// Tells what has happened to those who asked for it.
pub(super) fn deliver(shared: &Shared, books: &mut Books) {
    for (event, subject) in std::mem::take(&mut books.events) {
        let told: Vec<String> = books
            .rows("webhooks")
            .iter()
            .filter(|hook| {
                let types = hook.get("types").and_then(Value::as_array);
                types.is_some_and(|types| types.iter().any(|kind| kind.as_str() == Some(&event)))
            })
            .filter_map(|hook| text(hook, "url").map(str::to_owned))
            .collect();
        for url in told {
            let body = if books.options.delivers_data {
                json!({"type": event, "data": subject, "meta": {"timestamp": books.stamp()}})
            } else {
                json!({"type": event, "subject": subject, "account": {"type": "account", "id": ACCOUNT}})
            };
            for _ in 0..books.options.deliveries {
                books.deliveries.push(json!({"url": url, "body": body, "status": null}));
                let at = books.deliveries.len() - 1;
                // Only this computer is called; what goes elsewhere stays in the books.
                if let Some(path) = url.strip_prefix("https://localhost:")
                    && let Ok(runtime) = tokio::runtime::Handle::try_current()
                {
                    let address = format!("http://127.0.0.1:{path}");
                    runtime.spawn(post(shared.clone(), at, address, body.to_string()));
                }
            }
        }
    }
}

async fn post(shared: Shared, at: usize, address: String, body: String) {
    crate::http::choose_cryptography();
    let request = reqwest::Client::new()
        .post(address)
        .header("content-type", "application/json")
        .timeout(std::time::Duration::from_secs(10))
        .body(body);
    let status = request.send().await.map_or(0, |response| response.status().as_u16());
    if let Some(delivery) = open(&shared).deliveries.get_mut(at) {
        set(delivery, "status", json!(status));
    }
}

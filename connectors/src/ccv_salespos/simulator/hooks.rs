//! Webhooks: what happened is told to every active hook, signed with its key.

use super::books::{Books, int, map, truth};
use super::server::{Shared, open};
use crate::ccv_salespos::sign;
use crate::record::{Map, Value};

/// Sends what has happened to those who asked for it.
pub(super) fn deliver(shared: &Shared, books: &mut Books) {
    for (event, body) in std::mem::take(&mut books.events) {
        let told: Vec<Map> = books
            .rows("webhooks")
            .filter(|hook| hook.text("event") == Some(event) && truth(hook, "is_active", true))
            .cloned()
            .collect();
        for hook in told {
            let text = Value::Map(body.clone()).to_string();
            let (address, key) =
                (hook.text("address").unwrap_or_default(), hook.text("key").unwrap_or_default());
            let hash = sign::webhook_hash(key, address, text.as_bytes());
            books.deliveries.push(map([
                ("hook", Value::from(int(&hook, "id"))),
                ("event", Value::from(event)),
                ("address", Value::from(address)),
                ("body", Value::from(text.as_str())),
                ("x_hash", Value::from(hash.as_str())),
                ("status", Value::Null),
            ]));
            let at = books.deliveries.len() - 1;
            if let Some(near) = near(address)
                && let Ok(runtime) = tokio::runtime::Handle::try_current()
            {
                runtime.spawn(post(shared.clone(), at, near, text, hash));
            }
        }
    }
}

/// Where to call, for an address on this computer; what goes elsewhere stays in the books.
fn near(address: &str) -> Option<String> {
    if address.starts_with("http://") {
        return Some(address.to_owned());
    }
    address.strip_prefix("https://localhost:").map(|path| format!("http://127.0.0.1:{path}"))
}

async fn post(shared: Shared, at: usize, address: String, body: String, hash: String) {
    crate::http::choose_cryptography();
    let client = reqwest::Client::new();
    let request = client
        .post(address)
        .header(sign::HASH, hash)
        .header("content-type", "application/json")
        .timeout(std::time::Duration::from_secs(10))
        .body(body);
    let status = request.send().await.map_or(0, |response| i64::from(response.status().as_u16()));
    if let Some(delivery) = open(&shared).deliveries.get_mut(at) {
        delivery.set("status", status);
    }
}

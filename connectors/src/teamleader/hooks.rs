//! Webhooks of an account: registering, listing, removing, and reading what is delivered.
//!
//! Deliveries carry no signature and no data: whoever receives one must keep its address
//! secret, and read the record that it names.

use async_trait::async_trait;

use super::wire::{map, skip, text};
use super::writes::stop;
use super::{Conversation, MANIFEST};
use crate::contract::RemoteError;
use crate::record::{Map, Value, read_json};
use crate::webhook::{Delivery, Hook, Incoming, Refused, Webhooks};

/// Resources by the word that events begin with.
const SUBJECTS: [(&str, &str); 6] = [
    ("company", "companies"),
    ("contact", "contacts"),
    ("product", "products"),
    ("deal", "deals"),
    ("invoice", "invoices"),
    ("creditNote", "credit_notes"),
];

#[async_trait]
impl Webhooks for Conversation {
    fn signs(&self) -> bool {
        false
    }

    async fn register(&self, events: &[&str], address: &str) -> Result<(), RemoteError> {
        if let Some(unknown) = events.iter().find(|event| !is_known(event)) {
            return Err(skip(format!("there is no event `{unknown}`")));
        }
        if !address.starts_with("https://") {
            return Err(stop(format!("`{address}` does not start with https://, which Teamleader demands")));
        }
        let there = self.list().await?.into_iter().find(|hook| hook.address == address);
        if let Some(hook) = there {
            let is_same = hook.events.len() == events.len()
                && events.iter().all(|event| hook.events.iter().any(|known| known == event));
            if is_same {
                return Ok(());
            }
            // Whether a second registration adds events or replaces them is not said.
            self.unregister(&hook).await?;
        }
        if events.is_empty() {
            return Ok(());
        }
        self.client.act("webhooks.register", &body(address, events.iter().copied()), true).await
    }

    async fn list(&self) -> Result<Vec<Hook>, RemoteError> {
        let rows = self.client.list("webhooks.list", &Map::new()).await?;
        Ok(rows.iter().filter_map(read).collect())
    }

    async fn unregister(&self, hook: &Hook) -> Result<(), RemoteError> {
        let body = body(&hook.address, hook.events.iter().map(String::as_str));
        self.client.act("webhooks.unregister", &body, true).await
    }

    async fn judge(&self, incoming: &Incoming<'_>) -> Result<Delivery, Refused> {
        told(incoming)
    }
}

/// Reads a delivery in either of the forms that are known.
fn told(incoming: &Incoming<'_>) -> Result<Delivery, Refused> {
    let unreadable = |what: &str| Refused::Unreadable(what.to_owned());
    let Ok(Value::Map(map)) = read_json(incoming.body) else {
        return Err(unreadable("the body is no JSON record"));
    };
    let event = text(&map, "type").ok_or_else(|| unreadable("it names no event"))?;
    if !is_known(event) {
        return Err(unreadable("it names an event that Teamleader is not known to have"));
    }
    let key = text(&map, "subject.id").or_else(|| text(&map, "data.id"));
    let subject = SUBJECTS.iter().find(|(word, _)| event.split('.').next() == Some(word));
    let record = subject.zip(key).map(|((_, resource), key)| ((*resource).to_owned(), key.to_owned()));
    // The short form does not say when: two changes of a record look alike.
    let print = || format!("{event} {:032x}", xxhash_rust::xxh3::xxh3_128(incoming.body));
    let id = text(&map, "meta.timestamp").map(|_| print());
    Ok(Delivery { event: event.to_owned(), record, id })
}

fn is_known(event: &str) -> bool {
    MANIFEST.events.iter().any(|known| known == event)
}

fn body<'a>(url: &str, events: impl Iterator<Item = &'a str>) -> Map {
    let types: Vec<Value> = events.map(Value::from).collect();
    map([("url", Value::from(url)), ("types", Value::List(types))])
}

fn read(wire: &Map) -> Option<Hook> {
    let events = wire.get("types").and_then(Value::as_list).unwrap_or_default();
    Some(Hook {
        id: String::new(),
        address: text(wire, "url")?.to_owned(),
        events: events.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        is_active: true,
    })
}

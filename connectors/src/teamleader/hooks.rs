//! Webhooks of an account: registering, listing, removing, and reading what is delivered.
//!
//! Deliveries carry no signature and no data: whoever receives one must keep its address
//! secret, and read the record that it names.

use super::client::Client;
use super::settings::Settings;
use super::wire::{map, skip, text};
use super::writes::stop;
use super::{Conversation, MANIFEST};
use crate::contract::{Host, RemoteError};
use crate::manifest::Answers;
use crate::record::{Map, Value, read_json};

/// The webhooks of one account.
pub struct Webhooks(Conversation);

/// Where events are delivered, and which.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// Address.
    pub url: String,
    /// Events, some of which may not be among the manifest's.
    pub events: Vec<String>,
}

/// What a delivery tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Event, such as `invoice.booked`.
    pub event: String,
    /// Identifier of the record that it is about.
    pub id: String,
}

impl Webhooks {
    /// The webhooks of the account that these answers name.
    pub fn connect(answers: &Answers, host: &Host) -> Result<Self, RemoteError> {
        Ok(Self(Conversation::new(Client::new(Settings::read(answers)?, host)?)))
    }

    /// All of them, other programs' among them.
    pub async fn list(&self) -> Result<Vec<Webhook>, RemoteError> {
        let rows = self.0.client.list("webhooks.list", &Map::new()).await?;
        Ok(rows.iter().filter_map(read).collect())
    }

    /// Has these events, and no others, delivered to that address.
    pub async fn register(&self, url: &str, events: &[&str]) -> Result<(), RemoteError> {
        if let Some(unknown) = events.iter().find(|event| !MANIFEST.events.iter().any(|known| known == *event)) {
            return Err(skip(format!("there is no event `{unknown}`")));
        }
        if !url.starts_with("https://") {
            return Err(stop(format!("`{url}` does not start with https://, which Teamleader demands")));
        }
        let there = self.list().await?.into_iter().find(|hook| hook.url == url);
        if let Some(hook) = there {
            let is_same = hook.events.len() == events.len()
                && events.iter().all(|event| hook.events.iter().any(|known| known == event));
            if is_same {
                return Ok(());
            }
            // Whether a second registration adds events or replaces them is not said.
            self.remove(&hook).await?;
        }
        self.0.client.act("webhooks.register", &body(url, events.iter().copied()), true).await
    }

    /// Removes a webhook.
    pub async fn remove(&self, hook: &Webhook) -> Result<(), RemoteError> {
        let body = body(&hook.url, hook.events.iter().map(String::as_str));
        self.0.client.act("webhooks.unregister", &body, true).await
    }
}

impl Delivery {
    /// Reads the body of a delivery, in either of the forms that are known.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        let Ok(Value::Map(map)) = read_json(&bytes::Bytes::copy_from_slice(body)) else { return None };
        let id = text(&map, "subject.id").or_else(|| text(&map, "data.id"))?;
        let event = text(&map, "type")?;
        Some(Self { event: event.to_owned(), id: id.to_owned() })
    }
}

fn body<'a>(url: &str, events: impl Iterator<Item = &'a str>) -> Map {
    let types: Vec<Value> = events.map(Value::from).collect();
    map([("url", Value::from(url)), ("types", Value::List(types))])
}

fn read(wire: &Map) -> Option<Webhook> {
    let events = wire.get("types").and_then(Value::as_list).unwrap_or_default();
    Some(Webhook {
        url: text(wire, "url")?.to_owned(),
        events: events.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
    })
}

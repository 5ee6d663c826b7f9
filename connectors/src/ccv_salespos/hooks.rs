//! Webhooks of a shop: registering, listing, removing.

use super::Conversation;
use super::client::Query;
use super::search::{digits, key_text};
use super::wire::{put, skip};
use super::{MANIFEST, TITLE};
use crate::contract::{Advice, Limits, RemoteError};
use crate::manifest::Answers;
use crate::record::{Map, Value};

/// The webhooks of one shop.
pub struct Webhooks(Conversation);

/// A webhook of a shop.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Key in the API.
    pub id: String,
    /// Event, one of the manifest's.
    pub event: String,
    /// Where deliveries go; signed together with the body, so keep it letter for letter.
    pub address: String,
    /// Secret of this hook.
    pub key: String,
    /// Deliveries are made.
    pub is_active: bool,
}

/// Everything but the secret.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "webhook {} on {} to {}", self.id, self.event, self.address)
    }
}

impl Webhooks {
    /// The webhooks of the shop that these answers name.
    pub fn connect(answers: &Answers, limits: &Limits) -> Result<Self, RemoteError> {
        Conversation::new(answers, limits).map(Self)
    }

    /// All of them, other programs' among them.
    pub async fn list(&self) -> Result<Vec<Webhook>, RemoteError> {
        let rows = self.0.client.all("webhooks", &Query::default()).await?;
        Ok(rows.iter().filter_map(read).collect())
    }

    /// The webhook for that event to that address; made unless it is there.
    pub async fn register(&self, event: &str, address: &str) -> Result<Webhook, RemoteError> {
        if !MANIFEST.events.iter().any(|known| known == event) {
            return Err(skip(format!("there is no event `{event}`")));
        }
        if !address.starts_with("https://") {
            return Err(skip(format!("`{address}` does not start with https://, which CCV demands")));
        }
        if let Some(hook) = self.there(event, address).await? {
            return Ok(hook);
        }
        let mut body = Map::new();
        put(&mut body, "event", event.into());
        put(&mut body, "address", address.into());
        put(&mut body, "is_active", true.into());
        let made = self.0.client.post("webhooks", &body).await?;
        if let Some(hook) = made.as_ref().and_then(read) {
            return Ok(hook);
        }
        // Answered without a body.
        let lost = || RemoteError::new(Advice::Unknown, TITLE, "the webhook was made and cannot be found");
        self.there(event, address).await?.ok_or_else(lost)
    }

    /// Removes a webhook; it may be gone already.
    pub async fn remove(&self, id: &str) -> Result<(), RemoteError> {
        let id =
            digits(&Value::from(id)).ok_or_else(|| skip(format!("`{id}` is not the key of a webhook")))?;
        self.0.client.delete(&format!("webhooks/{id}")).await
    }

    async fn there(&self, event: &str, address: &str) -> Result<Option<Webhook>, RemoteError> {
        let hooks = self.list().await?;
        Ok(hooks.into_iter().find(|hook| hook.event == event && hook.address == address && hook.is_active))
    }
}

fn read(wire: &Map) -> Option<Webhook> {
    let text = |name: &str| wire.text(name).map(str::to_owned);
    Some(Webhook {
        id: wire.get("id").and_then(key_text)?,
        event: text("event")?,
        address: text("address")?,
        key: text("key").unwrap_or_default(),
        is_active: wire.get("is_active").and_then(Value::as_bool).unwrap_or(true),
    })
}

//! Webhooks of a shop: registering, listing, removing, and judging what is delivered.
//!
//! The shop has a hook for each event, each with a key of its own that signs its deliveries, and
//! a delivery does not say which event it tells. So each event gets an address of its own below
//! the one that is asked for. The keys are asked from the shop and kept in memory only.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::Conversation;
use super::client::Query;
use super::search::{digits, key_text};
use super::sign::{self, webhook_is_genuine};
use super::wire::{put, skip};
use super::{MANIFEST, TITLE};
use crate::contract::{Advice, RemoteError};
use crate::record::{Map, Value, read_json};
use crate::webhook::{Delivery, Hook, Incoming, Refused, Webhooks};

/// Least time between two looks for hooks that are not known, whatever comes in.
const LOOKS: Duration = Duration::from_mins(1);

/// A hook with its secret, for which reason nothing prints it.
pub(super) struct Keyed {
    hook: Hook,
    key: String,
}

/// The hooks of the shop as they were last read.
#[derive(Default)]
pub(super) struct Known {
    hooks: Vec<Keyed>,
    read_at: Option<Instant>,
}

impl Known {
    /// The event of the hook whose key signed that delivery.
    fn event(&self, incoming: &Incoming<'_>, hash: &str) -> Option<String> {
        let is_it = |known: &&Keyed| {
            known.hook.address == incoming.address
                && webhook_is_genuine(&known.key, incoming.address, incoming.body, hash)
        };
        self.hooks.iter().find(is_it)?.hook.events.first().cloned()
    }
}

impl Conversation {
    async fn hooks(&self) -> Result<Vec<Keyed>, RemoteError> {
        let rows = self.client.all("webhooks", &Query::default()).await?;
        Ok(rows.iter().filter_map(read).collect())
    }

    async fn add_hook(&self, event: &str, address: &str) -> Result<(), RemoteError> {
        let mut body = Map::new();
        put(&mut body, "event", event.into());
        put(&mut body, "address", address.into());
        put(&mut body, "is_active", true.into());
        if self.client.post("webhooks", &body).await?.as_ref().and_then(read).is_some() {
            return Ok(());
        }
        // Answered without a body.
        let is_there = self.hooks().await?.iter().any(|known| known.hook.address == address);
        let lost = || RemoteError::new(Advice::Unknown, TITLE, "the webhook was made and cannot be found");
        is_there.then_some(()).ok_or_else(lost)
    }
}

#[async_trait]
impl Webhooks for Conversation {
    fn signs(&self) -> bool {
        true
    }

    async fn register(&self, events: &[&str], address: &str) -> Result<(), RemoteError> {
        if let Some(unknown) =
            events.iter().find(|event| !MANIFEST.events.iter().any(|known| known == *event))
        {
            return Err(skip(format!("there is no event `{unknown}`")));
        }
        if !address.starts_with("https://") {
            return Err(skip(format!("`{address}` does not start with https://, which CCV demands")));
        }
        let mut wanted: Vec<(&str, String)> =
            events.iter().map(|event| (*event, format!("{address}/{event}"))).collect();
        for Keyed { hook, .. } in self.hooks().await? {
            let right = wanted.iter().position(|(event, below)| {
                hook.is_active && hook.address == *below && hook.events.iter().any(|known| known == event)
            });
            if let Some(right) = right {
                wanted.remove(right);
            } else if hook.goes_to(address) {
                self.unregister(&hook).await?;
            }
        }
        for (event, below) in wanted {
            self.add_hook(event, &below).await?;
        }
        *self.known_hooks.lock().await = Known::default();
        Ok(())
    }

    async fn list(&self) -> Result<Vec<Hook>, RemoteError> {
        Ok(self.hooks().await?.into_iter().map(|known| known.hook).collect())
    }

    async fn unregister(&self, hook: &Hook) -> Result<(), RemoteError> {
        let id = digits(&Value::from(hook.id.as_str()))
            .ok_or_else(|| skip(format!("`{}` is not the key of a webhook", hook.id)))?;
        self.client.delete(&format!("webhooks/{id}")).await
    }

    async fn judge(&self, incoming: &Incoming<'_>) -> Result<Delivery, Refused> {
        let hash = incoming.headers.get(sign::HASH).and_then(|hash| hash.to_str().ok());
        let hash = hash.ok_or(Refused::Forged)?;
        let mut known = self.known_hooks.lock().await;
        let mut event = known.event(incoming, hash);
        if event.is_none() {
            if known.read_at.is_none_or(|at| at.elapsed() >= LOOKS) {
                let hooks = self.hooks().await.map_err(Refused::Later)?;
                *known = Known { hooks, read_at: Some(Instant::now()) };
                event = known.event(incoming, hash);
            } else if !known.hooks.iter().any(|known| known.hook.address == incoming.address) {
                // It may have been registered since.
                let reason = "was asked for its webhooks a moment ago, and had none at this address";
                return Err(Refused::Later(RemoteError::new(Advice::Retry(Some(LOOKS)), TITLE, reason)));
            }
        }
        drop(known);
        told(event.ok_or(Refused::Forged)?, incoming)
    }
}

fn told(event: String, incoming: &Incoming<'_>) -> Result<Delivery, Refused> {
    let Ok(Value::Map(body)) = read_json(incoming.body) else {
        return Err(Refused::Unreadable("the body is no JSON record".to_owned()));
    };
    let resource = event.split('.').next().unwrap_or_default().to_owned();
    let record = body.get("id").and_then(key_text).map(|key| (resource, key));
    // Two that look alike are one only where they say when it happened.
    let print = || format!("{event} {:032x}", xxhash_rust::xxh3::xxh3_128(incoming.body));
    let id = body.text("triggered_at").map(|_| print());
    Ok(Delivery { event, record, id })
}

fn read(wire: &Map) -> Option<Keyed> {
    let text = |name: &str| wire.text(name).map(str::to_owned);
    let hook = Hook {
        id: wire.get("id").and_then(key_text)?,
        address: text("address")?,
        events: vec![text("event")?],
        is_active: wire.get("is_active").and_then(Value::as_bool).unwrap_or(true),
    };
    Some(Keyed { hook, key: text("key").unwrap_or_default() })
}

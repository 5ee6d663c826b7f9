//! Webhooks of the toy: a hook is a record like any other, and without an address once it is
//! taken back.

use async_trait::async_trait;
use connectors::contract::RemoteError;
use connectors::http::{Call, Method};
use connectors::record::{Record, Value, read_json};
use connectors::webhook::{Delivery, Hook, Incoming, Refused, Webhooks};

use super::server::signature;
use super::{Flaw, Talk};

#[async_trait]
impl Webhooks for Talk {
    fn signs(&self) -> bool {
        true
    }

    async fn register(&self, events: &[&str], address: &str) -> Result<(), RemoteError> {
        if Webhooks::list(self).await?.iter().any(|hook| hook.address == address) {
            return Ok(());
        }
        let mut hook = Record::new();
        hook.set("address", address);
        hook.set("event", events.first().copied().unwrap_or_default());
        let call = Call::write(Method::POST, self.url(&["hooks"], &[]), "application/json", hook.to_string());
        self.ask(&call).await.map(drop)
    }

    async fn list(&self) -> Result<Vec<Hook>, RemoteError> {
        let text = |hook: &Record, name: &str| hook.text(name).unwrap_or_default().to_owned();
        let hooks = Talk::list(self, "hooks", &[]).await?;
        Ok(hooks
            .iter()
            .filter(|hook| !text(hook, "address").is_empty())
            .map(|hook| Hook {
                id: text(hook, "id"),
                address: text(hook, "address"),
                events: vec![text(hook, "event")],
                is_active: true,
            })
            .collect())
    }

    async fn unregister(&self, hook: &Hook) -> Result<(), RemoteError> {
        let url = self.url(&["hooks", &hook.id], &[]);
        let call = Call::write(Method::PATCH, url, "application/json", r#"{"address": ""}"#);
        self.ask(&call).await.map(drop)
    }

    async fn judge(&self, incoming: &Incoming<'_>) -> Result<Delivery, Refused> {
        let listed = Webhooks::list(self).await.map_err(Refused::Later)?;
        let is_signed = incoming.headers.get("x-toy").is_some_and(|hash| *hash == *signature(incoming.body));
        let is_ours = listed.iter().any(|hook| hook.address == incoming.address);
        if !(is_signed && is_ours || self.has(Flaw::BelievesEverybody)) {
            return Err(Refused::Forged);
        }
        let Ok(Value::Map(body)) = read_json(incoming.body) else {
            return Err(Refused::Unreadable("no record".to_owned()));
        };
        let text = |name: &str| body.text(name).unwrap_or_default().to_owned();
        let record = Some(("products".to_owned(), text("id")));
        Ok(Delivery { event: text("event"), record, id: None })
    }
}

//! Webhooks of a system that only its documentation knows: a person enters an address for each
//! event, and the address is all that a delivery is believed for.

use async_trait::async_trait;

use super::Conversation;
use crate::contract::RemoteError;
use crate::webhook::{Delivery, Hook, Incoming, Refused, Webhooks};

#[async_trait]
impl Webhooks for Conversation {
    fn signs(&self) -> bool {
        false
    }

    fn is_by_hand(&self) -> bool {
        true
    }

    async fn register(&self, _events: &[&str], _address: &str) -> Result<(), RemoteError> {
        Ok(())
    }

    async fn list(&self) -> Result<Vec<Hook>, RemoteError> {
        Ok(Vec::new())
    }

    async fn unregister(&self, _hook: &Hook) -> Result<(), RemoteError> {
        Ok(())
    }

    /// What stands in the body is not looked at: the flow reads on from its cursor.
    async fn judge(&self, incoming: &Incoming<'_>) -> Result<Delivery, Refused> {
        let event = incoming.address.rsplit('/').next().unwrap_or_default();
        if !self.events.iter().any(|known| known == event) {
            return Err(Refused::Unreadable(
                "its address does not end with an event of the profile".to_owned(),
            ));
        }
        Ok(Delivery { event: event.to_owned(), record: None, id: None })
    }
}

//! Webhooks: how a system is asked to tell what happens, and how what it tells is judged.
//!
//! A delivery is news, not data: it says that something happened, and to which record. What the
//! record holds is read from the system afterwards. Nothing here listens; whoever does gives each
//! delivery to [`Webhooks::judge`] before it believes a word of it.

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::header::HeaderMap;

use crate::contract::RemoteError;

/// How one system tells what happens.
#[async_trait]
pub trait Webhooks: Send + Sync {
    /// Deliveries are signed. Where they are not, an address that nobody can guess is all that
    /// protects it.
    fn signs(&self) -> bool;

    /// The system cannot be asked to deliver: a person enters the addresses in its back office, for
    /// each event the one that ends with it. Nothing is registered or listed then.
    fn is_by_hand(&self) -> bool {
        false
    }

    /// Has exactly these events delivered to that address, or to addresses that begin with it and
    /// a slash. What stands there already stays; what stands there and is not wanted goes.
    async fn register(&self, events: &[&str], address: &str) -> Result<(), RemoteError>;

    /// Everything that is registered, other programs' hooks among them.
    async fn list(&self) -> Result<Vec<Hook>, RemoteError>;

    /// Takes back what [`Webhooks::list`] gave; it may be gone already.
    async fn unregister(&self, hook: &Hook) -> Result<(), RemoteError>;

    /// Whether a delivery comes from the system, and what it says. May have to ask the system
    /// which hooks there are.
    async fn judge(&self, incoming: &Incoming<'_>) -> Result<Delivery, Refused>;
}

/// Where something is delivered, and what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// What the system calls it; empty where the address is its name.
    pub id: String,
    /// Where deliveries go.
    pub address: String,
    /// Events, some of which may not be among the manifest's.
    pub events: Vec<String>,
    /// Deliveries are made.
    pub is_active: bool,
}

impl Hook {
    /// It delivers to that address, or to one below it.
    #[must_use]
    pub fn goes_to(&self, address: &str) -> bool {
        self.address.strip_prefix(address).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// A delivery as it came in.
#[derive(Clone, Copy, Debug)]
pub struct Incoming<'a> {
    /// The address as it was registered, letter for letter: signatures cover it.
    pub address: &'a str,
    /// Headers.
    pub headers: &'a HeaderMap,
    /// Body.
    pub body: &'a Bytes,
}

/// What a delivery says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The event, one of the manifest's.
    pub event: String,
    /// The record that it is about: resource and key.
    pub record: Option<(String, String)>,
    /// Tells this delivery from every other one; the same when the system delivers it again.
    /// `None`: two that look alike may be two.
    pub id: Option<String>,
}

/// Why a delivery is not taken.
#[derive(Clone, Debug)]
pub enum Refused {
    /// It does not come from the system, or not to this address.
    Forged,
    /// It does, and says nothing that can be understood.
    Unreadable(String),
    /// The system has to be asked first, and does not answer.
    Later(RemoteError),
}

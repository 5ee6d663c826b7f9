//! Stand-ins for remote systems: stateful servers that enforce what the real ones enforce,
//! count what they are asked, and fail on demand.
//!
//! A simulator is an [`axum::Router`] over its own books. [`serve`] puts it on a loopback port
//! and, in front of it, the [`Faults`] that a test or a person has switched on.

mod faults;
mod server;

use crate::manifest::Answers;
use crate::record::Record;

pub use faults::{Fault, Faults};
pub use server::{Running, serve};

/// A stand-in for one system.
pub trait Simulator: Send + Sync {
    /// The server, over this simulator's books.
    fn router(&self) -> axum::Router;

    /// Answers for a connection to it at that address, `http://127.0.0.1:PORT`.
    fn answers(&self, address: &str) -> Answers;

    /// Fills the books with a small believable sample: at least 25 records of each resource
    /// that can be fetched, so that paging shows.
    fn fill(&self);

    /// A record that a create of that resource takes, different for each `number`; fields and
    /// types as in the manifest. `None` for resources that cannot be created. What it refers
    /// to is in the books after [`Simulator::fill`].
    fn sample(&self, resource: &str, number: usize) -> Option<Record>;

    /// Changes that an update of that resource takes, with a different effect for each number.
    fn change(&self, resource: &str, number: usize) -> Option<Record>;

    /// The books as JSON, for tests and people: a list for each kind of record.
    fn books(&self) -> serde_json::Value;
}

//! Stand-ins for remote systems: stateful servers that enforce what the real ones enforce,
//! count what they are asked, and fail on demand.
//!
//! A simulator is an [`axum::Router`] over its own books. [`start`] puts it on a loopback port
//! and, in front of it, the [`Faults`] that a test or a person has switched on.

mod faults;
mod only;
mod server;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use axum::http::request::Parts;

use crate::manifest::Answers;
use crate::record::Record;
use crate::sign_in::Token;

pub use faults::{Fault, Faults};
pub use only::Only;
pub use server::{Running, Seen, serve, serve_worded, start};

/// How a system words a fault, when it has words of its own: a SOAP system answers with a
/// fault in an envelope. `None` leaves it to the kit. Asked for [`Fault::Busy`],
/// [`Fault::Down`], [`Fault::Html`] and [`Fault::Expired`].
pub type Wording = Arc<dyn Fn(Fault, &Parts) -> Option<Response<Body>> + Send + Sync>;

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
    /// Lists of what resources hold carry the resource's name.
    fn books(&self) -> serde_json::Value;

    /// Some records of the filled books as a find gives them, for resources that can be
    /// neither fetched nor created.
    fn known(&self, _resource: &str) -> Vec<Record> {
        Vec::new()
    }

    /// What a person's consent left, for systems that are signed in to in a browser.
    fn token(&self) -> Option<Token> {
        None
    }

    /// How the system words a fault.
    fn wording(&self) -> Option<Wording> {
        None
    }

    /// False for systems that are not reached over the network: nothing between Weft and them
    /// can fail, and the router is not asked.
    fn is_remote(&self) -> bool {
        true
    }
}

//! The systems that Weft joins.
//!
//! A connector knows one remote system and no flow: its manifest says what the system offers,
//! its session does it, its simulator stands in for it. Checker, documentation and the
//! conformance suite read manifests; only the engine calls sessions.

pub mod contract;
pub mod files;
pub mod http;
pub mod manifest;
pub mod profile;
pub mod record;
pub mod simulator;

use std::sync::Arc;

use contract::Connector;
use simulator::Simulator;

/// The one list of connectors.
#[must_use]
pub fn all() -> Vec<Arc<dyn Connector>> {
    let files = files::Files::system().map(|files| Arc::new(files) as Arc<dyn Connector>);
    files.into_iter().collect()
}

/// An empty simulator of the system of that name, where there is one.
#[must_use]
pub fn simulator(system: &str) -> Option<Arc<dyn Simulator>> {
    match system {
        _ => None,
    }
}

//! Cases: what a flow or a script is expected to do, beside it in a `*.case.json`, and what it
//! does.
//!
//! A case of a flow says which records the source has, what the target has already and which
//! answers differ; the flow is run by the real engine between two systems that live in memory,
//! made from the manifests of the real ones. A case of a script is a call and what it gives.
//! Nothing here reaches a system, and nothing is written but case files that are accepted.

mod accept;
mod cover;
mod differ;
mod find;
mod memory;
mod past;
mod play;
mod read;
mod script;
mod scrub;
mod suite;
mod trace;
mod tree;

pub(crate) use accept::write_whole;
pub use cover::{Branch, Coverage, FlowCoverage, ScriptCoverage, TableCoverage};
pub use differ::Difference;
pub use find::{CaseFile, Subject, find};
pub use past::{Made, of_past};
pub use suite::{FileReport, Ran, Suite};
pub(crate) use trace::{Trace, Way};
pub(crate) use tree::named;

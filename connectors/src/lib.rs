//! The systems that Weft joins.
//!
//! A connector knows one remote system and no flow: its manifest says what the system offers,
//! its session does it, its simulator stands in for it. Checker, documentation and the
//! conformance suite read manifests; only the engine calls sessions.

pub mod contract;
pub mod manifest;
pub mod record;

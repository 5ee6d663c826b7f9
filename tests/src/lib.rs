//! Harness of the integration tests.
#![allow(missing_docs, reason = "a harness, read beside its tests")]

pub mod demo_catalog;
pub mod openapi;
pub mod specs;
pub mod toy;
pub mod world;

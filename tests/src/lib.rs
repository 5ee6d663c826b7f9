//! Harness.
pub mod demo_catalog;

//! engine

pub mod catalog;
pub mod script;
pub mod store;

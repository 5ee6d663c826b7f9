//! engine

pub mod script;

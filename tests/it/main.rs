//! One binary for all integration tests.

mod flows;
mod script;

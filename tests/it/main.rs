//! One binary for all integration tests.

mod run;
mod script;

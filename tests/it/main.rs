//! One binary for all integration tests.

mod flows;
mod run;
mod script;

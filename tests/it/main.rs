//! One binary for all integration tests.

mod lowering;
mod run;
mod script;

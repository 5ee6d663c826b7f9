//! Runs checked plans: scripts, pipeline, store, and the program `weft`.
//!
//! The only crate with a runtime, a clock and a `main`. It depends on `dsl` and on
//! `connectors`, which know nothing of each other: [`catalog`] is where they meet.

pub mod alert;
pub mod case;
pub mod catalog;
pub mod cli;
pub mod consent;
mod demo;
pub mod doctor;
pub mod draft;
pub mod edition;
pub mod explain;
pub mod flow;
mod init;
pub mod listen;
pub mod load;
mod lsp;
pub mod mapping;
mod measure;
pub mod memory;
mod passing;
pub mod person;
pub mod preview;
pub mod program;
pub mod project;
mod ready;
pub mod retention;
pub mod run;
pub mod script;
pub mod serve;
mod shade;
pub mod speed;
pub mod store;
pub mod tokens;
mod traces;
pub mod trouble;
mod typed;
pub mod vault;
mod words;

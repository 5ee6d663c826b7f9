//! The program `weft` as a person meets it: what it says, how it ends, and what it leaves
//! behind when it is killed.
//!
//! The systems are simulators in this process; the program runs as a child, as everywhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod alerts;
mod backup;
mod broken;
mod cases;
mod changes;
mod check;
mod connect;
#[cfg(unix)]
mod crash;
mod dead;
mod demo;
#[path = "../support/disk.rs"]
mod disk;
mod docs;
mod format;
#[cfg(target_os = "linux")]
mod guides;
mod hooks;
mod init;
mod journal;
mod kill;
mod lsp;
mod manual;
#[cfg(target_os = "linux")]
mod page;
#[cfg(target_os = "linux")]
mod person;
mod plan;
mod postgres;
mod remote;
mod secrecy;
#[cfg(unix)]
mod serve;
#[path = "../support/postgres.rs"]
mod server;
mod store;
mod town;
mod traces;

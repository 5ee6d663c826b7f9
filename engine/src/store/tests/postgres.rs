//! The suite on a store in a PostgreSQL database.

#![allow(clippy::duplicate_mod, reason = "the suite is one, and runs on every database")]

#[path = "crash.rs"]
mod crash;
#[path = "inbox.rs"]
mod inbox;
#[path = "leases.rs"]
mod leases;
#[path = "pages.rs"]
mod pages;
#[path = "people.rs"]
mod people;
#[path = "records.rs"]
mod records;

use super::*;

struct Postgres;

impl Kind for Postgres {
    fn place(_: &Path) -> Option<String> {
        server::place()
    }
}

type Bench = BenchOn<Postgres>;

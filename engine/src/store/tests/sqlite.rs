//! The suite on a store in a file.

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

struct Sqlite;

impl Kind for Sqlite {
    fn place(folder: &Path) -> Option<String> {
        Some(folder.join("weft.db").display().to_string())
    }
}

type Bench = BenchOn<Sqlite>;

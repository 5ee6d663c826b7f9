//! Any bytes: a plan or messages, never a crash. `cargo +nightly fuzz run compile`
//!
//! `tests/corpus/flow/` makes a good start: `cargo fuzz run compile corpus ../tests/corpus/flow/good`.
#![no_main]

#[path = "../../../tests/src/demo_catalog.rs"]
mod demo_catalog;

use std::sync::LazyLock;

use dsl::catalog::Catalog;
use dsl::{Source, compile};
use libfuzzer_sys::fuzz_target;

static CATALOG: LazyLock<Catalog> = LazyLock::new(demo_catalog::demo_catalog);

fuzz_target!(|bytes: &[u8]| {
    let Ok(source) = Source::from_bytes("fuzz.flow", bytes) else { return };
    if let Err(report) = compile(&source, &CATALOG) {
        for problem in report.problems() {
            assert!(source.text().is_empty() || source.text().get(problem.span()).is_some());
        }
    }
});

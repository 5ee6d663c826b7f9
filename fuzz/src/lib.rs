//! Targets of fuzzing: one function for each way in from outside. Each takes any bytes at all and
//! must come to its end, without a panic and with its promises kept.
//!
//! `just fuzz 60` looks for bytes that break one; what it finds is mended, and stays in `found/` as
//! a test.
#![allow(clippy::missing_panics_doc, reason = "a broken promise has to be seen")]

mod expression;
mod flows;
mod scripts;
mod systems;

pub use flows::{checker, layout, parser};
pub use scripts::{lowering, script};
pub use systems::{json, profile, soap};

/// Scripts are held to their memory limit, as in the program itself.
#[global_allocator]
static MEMORY: engine::memory::Allocator = engine::memory::Allocator;

/// A target.
pub type Target = fn(&[u8]);

/// All of them, by name.
pub const TARGETS: [(&str, Target); 8] = [
    ("parser", parser),
    ("checker", checker),
    ("layout", layout),
    ("script", script),
    ("lowering", lowering),
    ("json", json),
    ("profile", profile),
    ("soap", soap),
];

//! What fuzzing found once, and what it starts from, is tried in each test run.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};

fn files(below: &Path, all: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(below) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() { files(&path, all) } else { all.push(path) }
    }
}

/// Files of the repository below a folder.
fn below(folder: &str) -> Vec<PathBuf> {
    let mut all = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder), &mut all);
    all.sort();
    all
}

#[test]
fn what_was_found_stays_mended() {
    for (name, target) in fuzz::TARGETS {
        for path in below(&format!("fuzz/found/{name}")) {
            println!("{}", path.display());
            target(&fs::read(path).unwrap());
        }
    }
}

#[test]
fn every_start_is_taken() {
    for (name, target) in fuzz::TARGETS {
        let starts = below(&format!("fuzz/seeds/{name}"));
        for path in starts {
            println!("{}", path.display());
            target(&fs::read(path).unwrap());
        }
    }
    for path in below("tests/corpus/flow") {
        let bytes = fs::read(path).unwrap();
        fuzz::checker(&bytes);
        fuzz::layout(&bytes);
    }
    for path in below("tests/corpus/profile") {
        fuzz::profile(&fs::read(path).unwrap());
    }
}

#[test]
fn choices_make_expressions_of_every_kind() {
    for seed in 0..400_u32 {
        let bytes: Vec<u8> = (0..60_u32)
            .map(|n| (seed.wrapping_mul(31) ^ n.wrapping_mul(seed + 7)).to_le_bytes()[0])
            .collect();
        fuzz::lowering(&bytes);
    }
}

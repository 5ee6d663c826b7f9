//! Whole flows through the public face.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test may stop at what it did not expect")]

#[path = "../../tests/src/demo_catalog.rs"]
mod demo_catalog;

use std::path::Path;

use demo_catalog::demo_catalog;
use dsl::{Source, compile};

fn corpus(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus/flow").join(folder);
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let flows = files.filter(|path| path.extension().is_some_and(|extension| extension == "flow"));
    flows
        .map(|path| {
            (path.display().to_string(), String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned())
        })
        .collect()
}

#[test]
fn good_flows_compile() {
    for (name, text) in corpus("good") {
        if let Err(report) = compile(&Source::new(&name, text), &demo_catalog()) {
            for problem in report.problems() {
                eprintln!("{name}: {problem:?}");
            }
            panic!("{name}: {report}");
        }
    }
}

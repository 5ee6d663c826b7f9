//! The flows that come with Weft: they compile against the systems as they are, ask every
//! question that they need an answer to, and never run both ways at once.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use connectors::manifest::Manifest;
use dsl::catalog::Catalog;
use dsl::plan::Plan;
use dsl::{Active, Source, two_way};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All that flows may name: every system, and the scripts of the repository.
fn catalog() -> Catalog {
    let systems = files("connectors/src", "toml")
        .into_iter()
        .filter(|(path, _)| path.ends_with("/system.toml"))
        .map(|(path, text)| Manifest::from_toml(&text).unwrap_or_else(|error| panic!("{path}: {error}")))
        .map(|manifest| (manifest.name.clone(), engine::catalog::system(&manifest)))
        .collect();
    let scripts = files("scripts", "rhai")
        .into_iter()
        .map(|(path, text)| {
            let script = engine::script::describe_script(&path, &text);
            (path, script)
        })
        .collect();
    Catalog { systems, scripts, functions: engine::script::catalog_functions() }
}

/// Path and text of the files below a folder, by path.
fn files(folder: &str, ending: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|known| known == ending) {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn compile(path: &str, text: &str, catalog: &Catalog) -> Result<Plan, String> {
    dsl::compile(&Source::new(path, text), catalog).map_err(|report| format!("{:?}", miette::Report::new(report)))
}

fn shipped() -> BTreeMap<String, Plan> {
    let catalog = catalog();
    let mut plans = BTreeMap::new();
    let mut problems = Vec::new();
    for (path, text) in files("flows", "flow") {
        match compile(&path, &text, &catalog) {
            Ok(plan) => {
                plans.insert(path, plan);
            }
            Err(report) => problems.push(report),
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    plans
}

#[test]
fn every_shipped_flow_compiles() {
    assert!(shipped().len() >= 11);
}

#[test]
fn every_setting_and_every_table_asks_a_question() {
    for (path, plan) in shipped() {
        for setting in &plan.settings {
            assert!(setting.ask.is_some(), "{path}: nothing asks for {}", setting.name);
        }
        for table in &plan.tables {
            assert!(table.ask.is_some(), "{path}: nothing asks for {}", table.name);
        }
    }
}

//! The shape of the house: which crate knows which, a page for each code, a head in each file,
//! and no path or command in a text that is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Crates of ours, and what else holds Rust.
const RUST: [&str; 4] = ["dsl", "connectors", "engine", "tests"];

/// Longest file of a crate's `src`.
const LONGEST: usize = 500;

/// Longer ones that are data rather than code.
const TABLES: [&str; 1] = ["connectors/src/ccv_salespos/simulator/tables.rs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// Text files below a folder of the repository, by path, without what is built.
fn texts(below: &str) -> BTreeMap<String, String> {
    fn walk(root: &Path, at: &Path, all: &mut BTreeMap<String, String>) {
        for entry in std::fs::read_dir(at).unwrap().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() {
                let hidden = name.to_string_lossy().starts_with('.') || name == "target";
                if !hidden {
                    walk(root, &path, all);
                }
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                all.insert(path.strip_prefix(root).unwrap().to_string_lossy().into_owned(), text);
            }
        }
    }
    let mut all = BTreeMap::new();
    walk(&root(), &root().join(below), &mut all);
    all
}

/// Every Rust file of ours.
fn rust() -> BTreeMap<String, String> {
    let mut all: BTreeMap<_, _> = RUST.iter().flat_map(|crate_| texts(crate_)).collect();
    all.retain(|path, _| path.ends_with(".rs"));
    assert!(all.len() > 200);
    all
}

/// Pages for people: README, guides, error pages.
fn pages() -> BTreeMap<String, String> {
    let mut all = texts("docs");
    for name in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        // The README may come later than the rest.
        if let Ok(text) = std::fs::read_to_string(root().join(name)) {
            all.insert(name.to_owned(), text);
        }
    }
    all.retain(|path, _| path.ends_with(".md"));
    all
}

#[test]
fn crates_know_only_those_below_them() {
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let ours = |name: &str| -> Vec<String> {
        let packages = metadata["packages"].as_array().unwrap();
        let package = packages.iter().find(|package| package["name"] == name).unwrap();
        let mut ours: Vec<String> = package["dependencies"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|dependency| dependency["name"].as_str())
            .filter(|name| RUST.contains(name))
            .map(str::to_owned)
            .collect();
        ours.sort();
        ours.dedup();
        ours
    };
    assert_eq!(ours("engine"), ["connectors", "dsl"]);
    assert_eq!(ours("dsl"), [""; 0]);
    assert_eq!(ours("connectors"), [""; 0]);
}

/// Codes that stand in quotes in the code.
fn codes(text: &str) -> impl Iterator<Item = String> {
    text.split('"').filter(|part| is_code(part)).map(str::to_owned)
}

fn is_code(text: &str) -> bool {
    let mut letters = text.chars();
    text.len() == 4
        && letters.next().is_some_and(|kind| "FSCR".contains(kind))
        && letters.all(|letter| letter.is_ascii_digit())
}

#[test]
fn each_code_has_a_page_and_each_page_a_code() {
    let code: BTreeSet<String> = rust()
        .iter()
        .filter(|(path, _)| path.contains("/src/") && !path.contains("/tests") && !path.starts_with("tests/"))
        .flat_map(|(_, text)| codes(text).collect::<Vec<_>>())
        .collect();
    let pages = texts("docs/errors");
    let page: BTreeSet<String> = pages
        .keys()
        .map(|path| path.trim_start_matches("docs/errors/").trim_end_matches(".md").to_owned())
        .collect();
    assert_eq!(code.difference(&page).collect::<Vec<_>>(), [""; 0], "codes without a page");
    assert_eq!(page.difference(&code).collect::<Vec<_>>(), [""; 0], "pages without a code");
    for kind in ["F", "S", "C", "R"] {
        assert!(code.iter().any(|code| code.starts_with(kind)), "no code starts with {kind}");
    }
    for (path, text) in &pages {
        let code = path.trim_start_matches("docs/errors/").trim_end_matches(".md");
        assert!(text.starts_with(&format!("# {code}: ")), "{path} begins otherwise");
    }
}

#[test]
fn each_file_says_what_it_is_for() {
    let silent: Vec<String> =
        rust().into_iter().filter(|(_, text)| !text.starts_with("//!")).map(|(path, _)| path).collect();
    assert_eq!(silent, [""; 0]);
}

#[test]
fn no_file_is_too_long_to_read() {
    let long: Vec<String> = rust()
        .into_iter()
        .filter(|(path, text)| {
            path.contains("/src/") && !path.contains("/tests/") && text.lines().count() > LONGEST
        })
        .map(|(path, _)| path)
        .filter(|path| !TABLES.contains(&path.as_str()))
        .collect();
    assert_eq!(long, [""; 0]);
}

#[test]
fn nothing_is_left_to_be_done() {
    // Put together here, so that this file does not find itself.
    let words =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("todo", "!"), concat!("unimple", "mented!")];
    let mut found = Vec::new();
    for (path, text) in rust().into_iter().chain(pages()) {
        for word in words.iter().filter(|word| text.contains(**word)) {
            found.push(format!("{path}: {word}"));
        }
    }
    assert_eq!(found, [""; 0]);
}

#[test]
fn nothing_points_out_of_the_house() {
    let outside = concat!("../", "shared");
    let found: Vec<String> = ["dsl", "connectors", "engine", "tests", "docs", "flows", "scripts"]
        .iter()
        .flat_map(|folder| texts(folder))
        // The one place that looks for vendors' descriptions.
        .filter(|(path, text)| path != "tests/src/specs.rs" && text.contains(outside))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(found, [""; 0]);
}

#[test]
fn the_readme_is_short() {
    if let Some(text) = pages().get("README.md") {
        assert!(text.lines().count() < 150);
    }
}

/// A page without its fenced blocks.
fn prose(text: &str) -> String {
    text.split("\n```").step_by(2).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_path_in_a_page_is_there() {
    let mut missing = Vec::new();
    for (page, text) in pages() {
        let prose = prose(&text);
        let folder = root().join(&page).parent().unwrap().to_owned();
        let links = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.map(|link| link.split('#').next().unwrap()) {
            if !link.is_empty() && !link.contains("://") && !folder.join(link).exists() {
                missing.push(format!("{page}: {link}"));
            }
        }
        for path in prose.split('`').skip(1).step_by(2).filter(|text| is_path(text)) {
            if !root().join(path).exists() && !folder.join(path).exists() {
                missing.push(format!("{page}: {path}"));
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}

/// Text in backticks that means a file of this repository; capitals are placeholders.
fn is_path(text: &str) -> bool {
    let plain =
        |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "_-./".contains(letter);
    let Some((first, _)) = text.split_once('/') else { return false };
    text.chars().all(plain) && ["dsl", "connectors", "engine", "tests", "docs"].contains(&first)
}

/// Commands in backticks, in messages and in pages.
#[test]
fn every_command_that_is_named_exists() {
    let cli = std::fs::read_to_string(root().join("engine/src/cli.rs")).unwrap();
    let (_, list) = cli.split_once("enum Command {").unwrap();
    let (list, _) = list.split_once("\n}").unwrap();
    let known: BTreeSet<String> = list
        .lines()
        .filter_map(|line| line.trim().split_once('(').filter(|_| !line.trim().starts_with("//")))
        .map(|(name, _)| name.to_lowercase())
        .collect();
    assert!(known.contains("run") && known.contains("check"), "{known:?}");
    let mut unknown = Vec::new();
    for (path, text) in rust().into_iter().chain(pages()) {
        for rest in prose(&text).split("`weft ").skip(1) {
            let word: String = rest.chars().take_while(char::is_ascii_lowercase).collect();
            if !word.is_empty() && !known.contains(&word) {
                unknown.push(format!("{path}: weft {word}"));
            }
        }
    }
    assert_eq!(unknown, [""; 0]);
}

//! The scripts that come with Weft: the page that lists them is made from their comments, and
//! what the comments promise is tried.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use engine::script::{Bindings, ScriptFile, ScriptHost};

use crate::script::{files, patient, same, stem};

/// A public function as its file describes it.
struct Described {
    signature: String,
    /// Its comment, in one line.
    comment: String,
}

/// What stands at the head of a script, and its public functions in the order of the text.
fn read(text: &str) -> (String, Vec<Described>) {
    let head: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("//!")).map(str::trim).collect();
    let mut comment: Vec<&str> = Vec::new();
    let mut functions = Vec::new();
    for line in text.lines() {
        if let Some(said) = line.strip_prefix("///") {
            comment.push(said.trim());
            continue;
        }
        if let Some(rest) = line.strip_prefix("fn ") {
            let signature = rest.trim_end_matches('{').trim().to_owned();
            functions.push(Described { signature, comment: comment.join(" ") });
        }
        comment.clear();
    }
    (head.join("\n"), functions)
}

/// The examples of a comment: an expression, and what it gives; between them stands that word.
pub(crate) fn examples<'t>(comment: &'t str, word: &str) -> Vec<(&'t str, &'t str)> {
    let mut found = Vec::new();
    let mut rest = comment;
    while let Some((before, after)) = rest.split_once(&format!("` {word} ")) {
        let call = before.rsplit('`').next().unwrap();
        let (given, left) = match after.strip_prefix('`') {
            Some(quoted) => quoted.split_once('`').expect("a closing back-tick"),
            None if after.starts_with('"') => {
                let end = after[1..].find('"').expect("a closing quote") + 2;
                after.split_at(end)
            }
            None => after.split_at(after.find([',', ' ', '\n']).unwrap_or(after.len())),
        };
        // A comment may stop in the middle of a sentence: `gives 12.10.` ends in a point of its own.
        found.push((call, given.strip_suffix('.').unwrap_or(given)));
        rest = left;
    }
    found
}

#[test]
fn what_the_comments_of_scripts_promise_is_true() {
    let mut tried = 0;
    for path in files("scripts", ".rhai") {
        let (name, text) = (stem(&path), fs::read_to_string(&path).unwrap());
        let script = ScriptFile { alias: name.clone(), path: format!("scripts/{name}.rhai"), text };
        let host = ScriptHost::load(patient(), std::slice::from_ref(&script), &[]).unwrap();
        let value = |text: &str| {
            let expression =
                host.compile_text(text).unwrap_or_else(|error| panic!("{name}: {text}: {error}"));
            host.evaluate(&expression, &Bindings::new())
                .unwrap_or_else(|error| panic!("{name}: {text}: {error}"))
        };
        for function in read(&script.text).1 {
            let (own, _) = function.signature.split_once('(').unwrap();
            let examples = examples(&function.comment, "gives");
            if name != "variants" || own == "options" {
                assert!(!examples.is_empty(), "{name}::{own} has no example");
            }
            for (call, gives) in examples {
                assert!(call.starts_with(&format!("{name}::{own}(")), "{name}::{own}: {call}");
                let (given, told) = (value(call), value(gives));
                assert!(same(&given, &told), "{call} gives {given}, and not {gives}");
                tried += 1;
            }
        }
    }
    assert!(tried > 60, "{tried}");
}

/// `docs/ready-scripts.md` is made from the scripts; `UPDATE_DOCS=1` rewrites it.
#[test]
fn the_page_of_ready_scripts_lists_them_all() {
    let mut made = String::from(
        "# Ready scripts\n\n<!-- made by a test from scripts/*.rhai; UPDATE_DOCS=1 makes it anew -->\n\n\
         What flows need again and again, in `scripts/`. `use \"scripts/address.rhai\" as address` in a \
         flow\nbrings a script in; see [scripts](scripts.md) for writing your own. Each has cases beside it, in \
         `NAME.case.json`,\nand all of them run as native code.\n",
    );
    for path in files("scripts", ".rhai") {
        let (name, text) = (stem(&path), fs::read_to_string(&path).unwrap());
        let (head, functions) = read(&text);
        write!(made, "\n## {name}\n\n{head}\n\n| Function | What it gives |\n|---|---|\n").unwrap();
        for function in functions {
            let cell = |text: &str| text.replace('|', "\\|");
            writeln!(made, "| `{name}::{}` | {} |", function.signature, cell(&function.comment)).unwrap();
        }
    }
    let page: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/ready-scripts.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&page, made).unwrap();
    } else {
        assert_eq!(
            fs::read_to_string(&page).unwrap_or_default(),
            made,
            "run the tests once with UPDATE_DOCS=1"
        );
    }
}

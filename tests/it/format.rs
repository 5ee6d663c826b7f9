//! Layout of the flows that come with Weft: they have it, it comes back however they are
//! dishevelled, and it changes nothing of what they mean.

use std::path::{Path, PathBuf};

use ::dsl::{Source, compile, format};
use tests::demo_catalog::demo_catalog;

fn flows(folder: &str) -> Vec<(PathBuf, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let mut all = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "flow") {
                let text = std::fs::read_to_string(&path).unwrap();
                all.push((path, text));
            }
        }
    }
    all.sort();
    all
}

fn laid(path: &Path, text: &str) -> String {
    let source = Source::new(path.display().to_string(), text);
    format(&source).unwrap_or_else(|report| panic!("{}: {:?}", path.display(), report.problems()))
}

#[test]
fn every_ready_flow_has_its_layout() {
    let flows = flows("flows");
    assert!(flows.len() > 40);
    let otherwise: Vec<_> = flows.iter().filter(|(path, text)| laid(path, text) != *text).collect();
    let otherwise: Vec<_> = otherwise.iter().map(|(path, _)| path.display().to_string()).collect();
    assert_eq!(otherwise, [""; 0], "`weft fmt` lays them out");
}

/// Without indentation and columns, and with blank lines where they were.
fn dishevelled(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let line = line.trim();
        let mut quoted = false;
        let mut blank = false;
        for letter in line.chars() {
            quoted ^= matches!(letter, '"' | '`');
            // Expressions keep their own columns.
            let kept = line.starts_with("//") || line.contains("=>");
            if letter == ' ' && blank && !quoted && !kept {
                continue;
            }
            blank = letter == ' ';
            out.push(letter);
        }
        out.push_str(" \n");
        if line.is_empty() {
            out.push('\n');
        }
    }
    out
}

#[test]
fn the_layout_of_a_ready_flow_comes_back() {
    for (path, text) in flows("flows") {
        assert_eq!(laid(&path, &dishevelled(&text)), text, "{}", path.display());
    }
}

/// A plan in words, without places and without the blanks of expressions.
fn meaning(text: &str) -> Option<String> {
    let plan = compile(&Source::new("a.flow", text), &demo_catalog()).ok()?;
    let words = format!("{plan:?}").replace("\\n", " ").replace("\\r", " ").replace("\\t", " ");
    let mut out = String::new();
    for part in words.split_whitespace() {
        let place = part.split_once("..").is_some_and(|(start, end)| {
            let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count() > 0;
            digits(start) && digits(end)
        });
        out.push_str(if place { "_" } else { part });
    }
    Some(out)
}

#[test]
fn layout_keeps_the_plan() {
    let mut kept = 0;
    for (path, text) in flows("tests/corpus/flow/good") {
        // Templates over lines say what they say, blanks included.
        let Some(before) = meaning(&text) else { continue };
        assert_eq!(meaning(&laid(&path, &text)), Some(before), "{}", path.display());
        kept += 1;
    }
    assert!(kept > 8);
}

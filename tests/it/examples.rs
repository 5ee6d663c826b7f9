//! Examples in the guides: whatever a machine can read is read. Flows are checked in `dsl.rs`,
//! commands are called and terminals played beside the program's own tests, and results are
//! compared in `results.rs`.

use std::path::Path;

use engine::project::Project;
use engine::script::describe_script;
use serde_json::Value;

use crate::flows::pair::files;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What has a block of its own in `weft.toml`.
const PARTS: [&str; 9] =
    ["connections", "flows", "alerts", "listen", "store", "privacy", "limits", "serve", "name"];

/// A fenced block: where it stands, its language, the file that it is, and what it says.
pub(crate) struct Example {
    pub(crate) place: String,
    pub(crate) language: String,
    pub(crate) file: Option<String>,
    pub(crate) text: String,
}

pub(crate) fn examples() -> Vec<Example> {
    let readme = std::fs::read_to_string(Path::new(ROOT).join("README.md")).unwrap();
    let mut all = files("docs", "md");
    all.insert("README.md".to_owned(), readme);
    let mut examples = Vec::new();
    for (page, text) in all {
        let mut open: Option<Example> = None;
        for (number, line) in text.lines().enumerate() {
            match (&mut open, line.trim_start().strip_prefix("```")) {
                (None, Some(head)) => {
                    let language = head.split([' ', ',']).next().unwrap_or_default().to_owned();
                    open = Some(Example {
                        place: format!("{page}:{}", number + 1),
                        language,
                        file: head.split(' ').find_map(|word| word.strip_prefix("file=")).map(str::to_owned),
                        text: String::new(),
                    });
                }
                (Some(_), Some(_)) => examples.extend(open.take()),
                (Some(example), None) => {
                    example.text.push_str(line);
                    example.text.push('\n');
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{page}: a block has no end");
    }
    examples
}

/// Pages of errors show what is wrong.
fn is_good(example: &Example) -> bool {
    !example.place.starts_with("docs/errors")
}

#[test]
fn every_language_of_an_example_is_known_here() {
    let known = [
        "console", "diff", "json", "lua", "rhai", "rust", "sh", "text", "toml", "weft", "xml", "yaml", "html",
    ];
    for example in examples() {
        assert!(known.contains(&example.language.as_str()), "{}: `{}`", example.place, example.language);
    }
}

#[test]
fn json_can_be_read() {
    let mut read = 0;
    for example in examples().iter().filter(|example| example.language == "json" && is_good(example)) {
        // A part of a file is shown without what is around it.
        let part = format!("{{{}}}", example.text.trim().trim_end_matches(','));
        let value = serde_json::from_str::<Value>(&example.text).or_else(|_| serde_json::from_str(&part));
        assert!(value.is_ok(), "{}: {value:?}", example.place);
        read += 1;
    }
    assert!(read >= 6);
}

#[test]
fn scripts_compile() {
    let mut read = 0;
    for example in examples().iter().filter(|example| example.language == "rhai" && is_good(example)) {
        // An expression reads what a flow has named.
        let texts = match example.text.contains("fn ") {
            true => vec![example.text.clone()],
            false => {
                let lines = example.text.lines().filter(|line| !line.trim().is_empty());
                lines.map(|line| format!("fn example(order, line, settings) {{ {line}\n}}")).collect()
            }
        };
        for text in texts {
            assert_eq!(describe_script(&example.place, &text).broken, None, "{}: {text}", example.place);
        }
        read += 1;
    }
    assert!(read >= 2);
}

/// The system that the guide to profiles describes, as far as a project has to know it.
const TULIP: &str = r#"name = "tulip"
title = "Tulip Shop"
about = "Orders of a Tulip web shop."
settings.address.about = "Address of the shop."
settings.api_key = { about = "Key.", secret = true }

[connection]
address = "{settings.address}"
sign_in = { kind = "bearer", token = "{settings.api_key}" }

[resources.orders]
about = "Orders of customers."
key = "id"
fetch.path = "/orders"
fields.id = {}
"#;

/// Parts of `weft.toml` make a project that is read without a word.
#[test]
fn toml_can_be_read_and_projects_are_right() {
    let mut projects = 0;
    for example in examples().iter().filter(|example| example.language == "toml" && is_good(example)) {
        let table: toml::Table =
            example.text.parse().unwrap_or_else(|error| panic!("{}: {error}", example.place));
        let is_project =
            table.keys().all(|key| PARTS.contains(&key.as_str())) && table.keys().any(|key| key != "name");
        if !is_project {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let mut text = String::new();
        for line in example.text.lines() {
            // Variables are not there; a file is as good.
            let line = line.replace("{ env = ", "{ file = ");
            if let Some((_, name)) = line.split_once("{ file = \"") {
                let path = folder.path().join(name.split('"').next().unwrap());
                let text = match example.text.contains("[store]") {
                    true => "postgres://weft@db.voorbeeld.example/weft",
                    false => "https://hook.voorbeeld.example/1",
                };
                std::fs::write(path, text).unwrap();
            }
            text.push_str(&line);
            text.push('\n');
        }
        std::fs::write(folder.path().join("weft.toml"), &text).unwrap();
        std::fs::create_dir(folder.path().join("systems")).unwrap();
        std::fs::write(folder.path().join("systems/tulip.toml"), TULIP).unwrap();
        if let Err(trouble) = Project::open(folder.path()) {
            panic!("{}: {:?}\n{text}", example.place, miette::Report::from(trouble));
        }
        projects += 1;
    }
    assert!(projects >= 12, "{projects}");
}

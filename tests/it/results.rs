//! What the guides say that an expression gives, it gives; and what a page of errors shows as wrong
//! is wrong in the way that the page tells.

use std::path::Path;

use bytes::Bytes;
use connectors::record::{Value, read_json};
use engine::script::{Bindings, ScriptError, ScriptFile, ScriptHost};

use crate::examples::{Example, examples as blocks};
use crate::ready_scripts::examples;
use crate::script::{patient, same};

const PAGES: [&str; 2] = ["docs/scripts.md", "docs/language.md"];

fn page(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)).unwrap()
}

fn json(text: &str) -> Value {
    read_json(&Bytes::from(text.to_owned())).unwrap()
}

fn of_page(name: &str) -> Vec<Example> {
    blocks().into_iter().filter(|example| example.place.starts_with(&format!("{name}:"))).collect()
}

/// The order of the guide, and the first of its lines.
fn order() -> Bindings {
    let all = of_page("docs/scripts.md");
    let shown = all.iter().find(|example| example.file.as_deref() == Some("order.json")).unwrap();
    let order = json(&shown.text);
    let lines = order.as_map().unwrap().get("lines").unwrap();
    let mut bindings = Bindings::new();
    bindings.set("line", lines.as_list().unwrap()[0].clone());
    bindings.set("order", order);
    bindings
}

/// The scripts that a page shows whole.
fn scripts(page: &str) -> Vec<ScriptFile> {
    let shown = of_page(page).into_iter().filter(|example| example.text.contains("fn "));
    let file = |example: Example| {
        let path = example.file?;
        let alias = Path::new(&path).file_stem()?.to_string_lossy().into_owned();
        Some(ScriptFile { alias, path, text: example.text })
    };
    shown.filter_map(file).collect()
}

fn value(host: &ScriptHost, text: &str, bindings: &Bindings) -> Result<Value, ScriptError> {
    host.evaluate(&host.compile_text(text)?, bindings)
}

/// Fails unless the expression gives what is said.
fn check(host: &ScriptHost, bindings: &Bindings, (text, said): (&str, &str)) {
    let given = value(host, text, bindings).unwrap_or_else(|error| panic!("{text}: {error}"));
    let said = value(host, said, bindings).unwrap_or_else(|error| panic!("{text}: {said}: {error}"));
    assert!(
        same(&given, &said) && given.to_string() == said.to_string(),
        "{text} gives {given}, and not {said}"
    );
}

#[test]
fn what_stands_behind_an_expression_is_what_it_gives() {
    let host = ScriptHost::load(patient(), &[], &[]).unwrap();
    let (order, mut tried) = (order(), 0);
    for page in PAGES {
        for example in of_page(page).iter().filter(|example| example.language == "rhai") {
            for (text, said) in example.text.lines().filter_map(|line| line.split_once(" // ")) {
                check(&host, &order, (text.trim(), said));
                tried += 1;
            }
        }
    }
    assert!(tried >= 6, "{tried}");
}

#[test]
fn what_is_said_of_an_expression_is_so() {
    let mut tried = 0;
    for name in PAGES {
        let host = ScriptHost::load(patient(), &scripts(name), &[]).unwrap();
        let order = order();
        let text = page(name).replace("the integer ", "").replace("\\|", "|");
        let is_value = |said: &str| {
            said.starts_with(['"', '-', '('])
                || matches!(said, "true" | "false")
                || said.parse::<f64>().is_ok()
        };
        // A name alone is a word of the language.
        let is_word = |text: &str| text.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
        for word in ["gives", "is"] {
            for said in examples(&text, word) {
                if !is_word(said.0) && is_value(said.1) {
                    check(&host, &order, said);
                    tried += 1;
                }
            }
        }
    }
    assert!(tried >= 12, "{tried}");
}

/// An order on which every mistake of the pages of errors is one.
const ORDER: &str = r#"{"number": "2026-1001", "count": 0, "total": 12.10, "rate": 21, "note": "",
    "created_at": "2026-11-21", "shipping": {"street": "Lindelaan"}, "lines": []}"#;

#[test]
fn pages_of_errors_show_the_error_and_its_cure() {
    let mut bindings = Bindings::new();
    bindings.set("order", json(ORDER));
    let mut tried = 0;
    for number in 1..=17 {
        let code = format!("S{number:03}");
        let all = of_page(&format!("docs/errors/{code}.md"));
        let shown: Vec<&Example> = all.iter().filter(|example| example.language == "rhai").collect();
        for (at, example) in shown.iter().enumerate() {
            // What is left out cannot be tried; nor can what a flow has to give.
            if example.text.contains('…') || example.text.contains('[') && number == 11 {
                continue;
            }
            let file =
                ScriptFile { alias: "it".into(), path: "scripts/it.rhai".into(), text: example.text.clone() };
            let given = match example.text.contains("fn ") {
                true => ScriptHost::load(patient(), &[file], &[]).and_then(|host| {
                    let name = example.text.split_once("fn ").unwrap().1.split_once('(').unwrap();
                    let args = if name.1.starts_with(')') { "" } else { "order" };
                    value(&host, &format!("it::{}({args})", name.0), &bindings)
                }),
                false => ScriptHost::load(patient(), &[], &[])
                    .and_then(|host| value(&host, &example.text, &bindings)),
            };
            match given {
                Err(error) => {
                    assert_eq!((error.code(), at), (code.as_str(), 0), "{}: {error}", example.place)
                }
                Ok(value) => assert_eq!(at, 1, "{}: gives {value}", example.place),
            }
            tried += 1;
        }
    }
    assert!(tried >= 24, "{tried}");
}

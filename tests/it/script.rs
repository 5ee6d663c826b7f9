//! Scripts: the shipped ones do what their cases say, the forbidden ones end in a clear error, and
//! every typical mistake is explained.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use connectors::record::{Value, read_json};
use engine::script::{Bindings, LIBRARY, Limits, ScriptError, ScriptFile, ScriptHost, describe_script};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Files of a folder that end so, in order.
pub(crate) fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(end))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} has no *{end}");
    files
}

pub(crate) fn stem(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().split('.').next().unwrap().to_owned()
}

/// Time enough for a busy machine.
pub(crate) fn patient() -> Limits {
    Limits { time: Duration::from_secs(20), ..Limits::default() }
}

fn json(text: &str) -> Value {
    read_json(&Bytes::from(text.to_owned())).unwrap()
}

/// Values as scripts compare them: 21 is 21.0.
pub(crate) fn same(left: &Value, right: &Value) -> bool {
    left.says_the_same_as(right) && left.is_null() == right.is_null()
}

// shows R86
#[test]
fn shipped_scripts_do_what_their_cases_say() {
    let mut wrong = Vec::new();
    for path in files("scripts", ".rhai") {
        let (name, text) = (stem(&path), fs::read_to_string(&path).unwrap());
        let script = ScriptFile { alias: name.clone(), path: format!("scripts/{name}.rhai"), text };
        let host = ScriptHost::load(patient(), &[script], &[]).unwrap_or_else(|error| panic!("{error}"));
        let cases = fs::read_to_string(path.with_extension("case.json")).unwrap();
        for case in json(&cases).as_list().unwrap() {
            let case = case.as_map().unwrap();
            let mut bindings = Bindings::new();
            let args = case.get("args").and_then(Value::as_list).unwrap();
            for (number, value) in args.iter().enumerate() {
                bindings.set(format!("arg{number}"), value.clone());
            }
            let names: Vec<String> = (0..args.len()).map(|number| format!("arg{number}")).collect();
            let call = format!("{name}::{}({})", case.text("call").unwrap(), names.join(", "));
            let given = host.compile_text(&call).and_then(|call| host.evaluate(&call, &bindings));
            match (given, case.get("gives"), case.text("fails")) {
                (Ok(given), Some(expected), None) if same(&given, expected) => {}
                (Err(error), None, Some(expected)) if error.to_string().contains(expected) => {}
                (Ok(given), ..) => wrong.push(format!("{name}: {case} gives {given}")),
                (Err(error), ..) => wrong.push(format!("{name}: {case} fails: {error}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_function_of_a_shipped_script_is_described_and_has_a_case() {
    for path in files("scripts", ".rhai") {
        let cases = json(&fs::read_to_string(path.with_extension("case.json")).unwrap());
        let called: BTreeSet<&str> =
            cases.as_list().unwrap().iter().filter_map(|case| case.as_map()?.text("call")).collect();
        let script = describe_script(&path.to_string_lossy(), &fs::read_to_string(&path).unwrap());
        assert_eq!(script.broken, None);
        for function in script.functions {
            assert!(!function.about.is_empty(), "{}: {}", path.display(), function.name);
            assert!(called.contains(function.name.as_str()), "{}: {}", path.display(), function.name);
        }
    }
}

fn told(error: &ScriptError) -> String {
    let mut told = format!("{}: {error}\n", error.code());
    if let Some(at) = error.at {
        writeln!(told, "  at {}:{}", at.line, at.column).unwrap();
    }
    if let Some(at) = error.inside.as_ref().and_then(|inside| inside.at) {
        writeln!(told, "  in the script at {}:{}", at.line, at.column).unwrap();
    }
    if let Some(help) = error.help() {
        writeln!(told, "  help: {help}").unwrap();
    }
    told
}

/// Each file is an expression over `order`, or, when it defines functions, a script called by
/// `attack(order)`.
#[test]
fn every_bad_script_is_explained() {
    let order = json(
        r#"{"number": "0042", "total": 12.10, "paid": true, "billing": null, "lines": [{"sku": "a", "price": 1.10}]}"#,
    );
    let mut bindings = Bindings::new();
    bindings.set("order", order);
    insta::glob!("../corpus/script", "bad/*.rhai", |path| {
        let text = fs::read_to_string(path).unwrap();
        let outcome = if text.contains("fn ") {
            let script = ScriptFile { alias: "it".into(), path: "scripts/it.rhai".into(), text };
            ScriptHost::load(patient(), &[script], &[])
                .and_then(|host| host.evaluate(&host.compile_text("it::main(order)")?, &bindings))
        } else {
            let host = ScriptHost::load(patient(), &[], &[]).unwrap();
            host.compile_text(text.trim_end()).and_then(|expression| host.evaluate(&expression, &bindings))
        };
        let error = outcome.expect_err("files in bad/ must fail");
        insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!(told(&error)) });
    });
}

/// `docs/scripts.md` between the two marks is made from the library; `UPDATE_DOCS=1` rewrites it.
#[test]
fn the_reference_lists_the_whole_library() {
    let path = root().join("docs/scripts.md");
    let text = fs::read_to_string(&path).unwrap();
    let (start, end) = ("<!-- library: made by a test -->\n", "<!-- end of library -->");
    let (before, rest) = text.split_once(start).unwrap();
    let (written, after) = rest.split_once(end).unwrap();
    let mut made = String::new();
    for group in LIBRARY {
        write!(made, "\n### {}\n\n| Function | What it gives | Example |\n|---|---|---|\n", group.title)
            .unwrap();
        for function in group.functions {
            let cell = |text: &str| text.replace('|', "\\|");
            writeln!(
                made,
                "| `{}` | {} | `{}` |",
                cell(function.signature),
                cell(function.about),
                cell(function.example)
            )
            .unwrap();
        }
    }
    made.push('\n');
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{before}{start}{made}{end}{after}")).unwrap();
    } else {
        assert_eq!(written, made, "run the tests once with UPDATE_DOCS=1");
    }
}

/// A block with functions is a script; of any other, each line is an expression.
#[test]
fn examples_in_the_docs_compile() {
    let text = fs::read_to_string(root().join("docs/scripts.md")).unwrap();
    let blocks: Vec<&str> =
        text.split("```rhai\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        if block.contains("fn ") {
            let script = describe_script("scripts/example.rhai", block);
            assert_eq!(script.broken, None, "{block}");
        } else {
            let host = ScriptHost::load(patient(), &[], &[]).unwrap();
            for line in block.lines() {
                host.compile_text(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            }
        }
    }
}

#[test]
fn broken_scripts_are_described_with_their_place() {
    let script = describe_script("scripts/x.rhai", "fn a(x) { x }\nfn b(x) {\n    trimm(x)\n}\n");
    let broken = Some(("there is no function `trimm`; did you mean `trim`?".to_owned(), 3, 5));
    assert_eq!(script.broken, broken);
}

#[test]
fn every_script_error_has_its_page() {
    let source = fs::read_to_string(root().join("engine/src/script/error.rs")).unwrap();
    let codes: BTreeSet<&str> =
        source.split('"').filter(|word| word.len() == 4 && word.starts_with('S')).collect();
    assert!(codes.len() > 10);
    let pages: BTreeSet<String> = files("docs/errors", ".md")
        .iter()
        .map(|path| stem(path))
        .filter(|name| name.starts_with('S'))
        .collect();
    assert_eq!(codes.iter().map(|code| (*code).to_owned()).collect::<BTreeSet<_>>(), pages);
}

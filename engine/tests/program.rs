//! The program `weft`, as a person at a terminal meets it: `weft eval`.

#![allow(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

const ORDER: &str = r#"{"number":"0042","lines":[{"price":1.10,"quantity":2},{"price":2,"quantity":1}]}"#;

const SCRIPT: &str = "/// Of a line.
fn amount(line) { line.price * line.quantity }
fn times(order, n) { order.lines.len() * n }
";

/// Exit code, standard output, standard error, in a project with that `weft.toml`.
fn weft_in(project: Option<&str>, args: &[&str], input: &str) -> (i32, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    write("order.json", ORDER);
    write("sums.rhai", SCRIPT);
    if let Some(project) = project {
        write("weft.toml", project);
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_weft"))
        .args(args)
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("weft starts");
    child.stdin.take().expect("piped").write_all(input.as_bytes()).expect("read");
    let output = child.wait_with_output().expect("weft ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code().expect("ended by itself"), text(output.stdout), text(output.stderr))
}

fn weft(args: &[&str], input: &str) -> (i32, String, String) {
    weft_in(None, args, input)
}

#[track_caller]
fn gives(args: &[&str], expected: &str) {
    let (code, told, wrong) = weft(args, "");
    assert_eq!((code, told.trim_end(), wrong.as_str()), (0, expected, ""), "{args:?}");
}

#[track_caller]
fn fails(args: &[&str], expected: &[&str]) {
    let (code, told, wrong) = weft(args, "");
    assert_eq!((code, told.as_str()), (2, ""), "{args:?}: {wrong}");
    for words in expected {
        assert!(wrong.contains(words), "{args:?}: {wrong}");
    }
}

#[test]
fn expressions_see_the_record_under_two_names() {
    gives(&["eval", "-e", "order.lines.len()", "--record", "order.json"], "2");
    gives(&["eval", "-e", "record.number", "--record", "order.json"], "\"0042\"");
    gives(&["eval", "-e", "o.lines[0].price * 2", "--record", "order.json", "--name", "o"], "2.20");
    gives(&["eval", "-e", "1.15 + 2.30"], "3.45");
    let (code, told, _) = weft(&["eval", "-e", "record.a", "--record", "-"], "{\"a\": [1, 2]}");
    assert_eq!((code, told.as_str()), (0, "[1,2]\n"));
}

#[test]
fn functions_get_the_record_then_the_arguments() {
    gives(&["eval", "sums.rhai::times", "--record", "order.json", "--arg", "3"], "6");
    gives(&["eval", "sums.rhai::amount", "--arg", r#"{"price":1.5,"quantity":2}"#], "3.0");
}

#[test]
fn mistakes_are_shown_where_they_were_made() {
    fails(&["eval", "-e", "order.lnes.len()", "--record", "order.json"], &["S005", "expression:1:12"]);
    fails(&["eval", "sums.rhai::amount", "--arg", "{\"price\":\"x\"}"], &["S005", "sums.rhai:2:30"]);
    fails(&["eval", "sums.rhai::amont", "--arg", "1"], &["S002", "did you mean `script::amount`?"]);
    fails(&["eval", "sums.rhai", "--arg", "1"], &["R073"]);
    fails(&["eval", "-e", "record", "--record", "sums.rhai"], &["R074"]);
    fails(&["eval", "-e", "loop {}"], &["S009"]);
}

#[test]
fn programs_are_told_what_it_cost() {
    let (code, told, _) = weft(&["eval", "--json", "--time", "-e", "1 + 1"], "");
    assert_eq!(code, 0);
    assert!(told.starts_with("{\"value\":2,\"operations\":"), "{told}");
}

#[test]
fn limits_of_the_project_hold() {
    let attack = ["eval", "-e", "let n = 0; while n < 100000 { n += 1; } n"];
    let (code, _, told) = weft_in(Some("[limits]\nscript_time_ms = 2\n"), &attack, "");
    assert_eq!(code, 2);
    assert!(told.contains("the script reached its limit of time: 2 ms"), "{told}");
    let patient = "[limits]\nscript_time_ms = 60000\nscript_memory_mib = 8\n";
    assert_eq!(weft_in(Some(patient), &attack, "").1, "100000\n");
    let large = [
        "eval",
        "-e",
        "let r = #{}; let n = 0; loop { r[`f${n}`] = pad_left(\"\", 900000, `${n % 10}`); n += 1; }",
    ];
    let (_, _, told) = weft_in(Some(patient), &large, "");
    assert!(told.contains("the script reached its limit of memory: 8 MiB"), "{told}");
}

#[test]
fn limits_that_make_no_sense_are_told_where_they_stand() {
    let wrong = "[limits]\nscript_time_ms = 0\nscript_memory = 8\nscript_memory_mib = \"8\"\n";
    let (code, _, told) = weft_in(Some(wrong), &["eval", "-e", "1"], "");
    assert_eq!(code, 2);
    for words in ["weft.toml:2:18", "weft.toml:3:1", "weft.toml:4:21", "R070", "R071", "did you mean"] {
        assert!(told.contains(words), "{words}: {told}");
    }
}

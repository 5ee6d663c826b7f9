//! Any words at all as an expression, and any words at all as a flow: nothing panics, and every
//! error has a code. The fuzz targets do the same without end; this is their bounded stand-in.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use connectors::record::{Value, read_json};
use dsl::catalog::Catalog;
use engine::script::{Bindings, Limits, Mistake, ScriptHost, catalog_functions, describe_script, functions};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// Time for each kind of soup.
const TIME: Duration = Duration::from_secs(3);

const WORDS: &[&str] = &[
    "order",
    "order.lines",
    "record",
    "x",
    "y",
    "let",
    "fn f(x)",
    "if",
    "else",
    "for x in",
    "while",
    "loop",
    "break",
    "return",
    "throw",
    "try",
    "catch",
    "switch",
    "=>",
    "_",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "#{",
    "a:",
    ",",
    ";",
    ".",
    "?.",
    "??",
    "::",
    "..",
    "|x|",
    "||",
    "&&",
    "!",
    "+",
    "-",
    "*",
    "/",
    "%",
    "**",
    "==",
    "!=",
    "<",
    ">",
    "=",
    "+=",
    "in",
    "!in",
    "1",
    "0",
    "-1",
    "9223372036854775807",
    "1.5",
    "1e9",
    "\"",
    "\"text\"",
    "`",
    "`${",
    "}`",
    "'a'",
    "()",
    "true",
    "this",
    "global::X",
    "const X = 1;",
    "import",
    "Fn(\"f\")",
    "call",
    "\\u{1F600}",
    "\u{1F600}",
    "é",
    "//",
    "/*",
    "*/",
    "\n",
    "\0",
];

const FLOW: &[&str] = &[
    "flow",
    "setting",
    "table",
    "use",
    "fetch",
    "filter",
    "lookup",
    "all",
    "skip",
    "fail",
    "each",
    "in",
    "when",
    "else",
    "map",
    "create",
    "update",
    "upsert",
    "by",
    "notify",
    "if",
    "unless",
    "since",
    "overlap",
    "from",
    "shop.orders",
    "ledger.items",
    "order",
    "order.number",
    "=",
    "==",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "\"text\"",
    "`${",
    "`",
    "10 minutes",
    "1",
    "1.5",
    ":",
    ",",
    "->",
    "=>",
    "|x|",
    "\n",
    "\n",
    "\n    ",
    "#",
    "//",
    "\t",
    "é",
    "\u{1F600}",
    "\0",
    "boolean",
    "text",
    "otherwise",
];

fn soup(words: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
    let called: Vec<&'static str> = functions().map(|function| function.name).collect();
    let word = prop_oneof![
        8 => prop::sample::select(words).prop_map(str::to_owned),
        1 => prop::sample::select(called).prop_map(|name| format!("{name}(")),
        1 => ".{0,6}",
    ];
    prop::collection::vec(word, 0..most).prop_map(|words| words.join(" "))
}

/// Cases until the time is over.
fn stir(soup: impl Strategy<Value = String>, taste: impl Fn(&str)) {
    let end = Instant::now() + TIME;
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    let mut rounds = 0;
    while Instant::now() < end {
        rounds += 1;
        let outcome = runner.run(&soup, |text| {
            taste(&text);
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
    }
    println!("{} texts", rounds * 64);
}

#[test]
fn expressions_of_any_words() {
    let order = r#"{"number": "0042", "total": 12.10, "lines": [{"sku": "a", "price": 1.10}]}"#;
    let mut bindings = Bindings::new();
    bindings.set("order", read_json(&bytes::Bytes::from_static(order.as_bytes())).unwrap());
    bindings.set("record", Value::Null);
    let host = ScriptHost::load(Limits::default().with_time(Duration::from_millis(20)), &[], &[]).unwrap();
    stir(soup(WORDS, 24), |text| {
        let given = host.compile_text(text).and_then(|compiled| host.evaluate(&compiled, &bindings));
        if let Err(error) = given {
            assert!(!matches!(error.mistake, Mistake::Fault { .. }), "{text}: {error}");
            assert!(error.to_string().len() < 3000, "{text}");
        }
    });
}

#[test]
fn scripts_of_any_words() {
    stir(soup(WORDS, 60), |text| {
        let script = describe_script("scripts/soup.rhai", text);
        if let Some((message, ..)) = script.broken {
            assert!(!message.contains("fault in Weft"), "{text}: {message}");
        }
    });
}

#[test]
fn flows_of_any_words() {
    let manifest = |text| connectors::manifest::Manifest::from_toml(text).unwrap();
    let systems = [("shop", tests::world::SHOP), ("ledger", tests::world::LEDGER)];
    let systems = systems.map(|(name, text)| (name.to_owned(), engine::catalog::system(&manifest(text))));
    let catalog = Catalog {
        systems: systems.into(),
        roles: BTreeMap::new(),
        scripts: BTreeMap::new(),
        functions: catalog_functions(),
    };
    stir(soup(FLOW, 60), |text| {
        if let Ok(source) = dsl::Source::from_bytes("soup.flow", text.as_bytes()) {
            let _ = dsl::compile(&source, &catalog);
        }
    });
}

//! Lowered code gives what Rhai gives: the same values and the same mistakes, at the same place.

mod flows;

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use connectors::record::{Map, Value, read_json};
use dsl::plan::{Constant, Otherwise, SettingType, Table, TableKey, TableRow};
use engine::script::{Bindings, Limits, ScriptError, ScriptFile, ScriptHost, functions};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rust_decimal::Decimal;

const SCRIPT: &str = r#"
const RATE = 21;
const NAMES = ["van", "de", #{ a: 1 }];

fn incl_vat(price) { incl(price, global::RATE) }
fn depth(n) { if n <= 0 { 0 } else { 1 + depth(n - 1) } }
fn fib(n) { if n < 2 { return n; } fib(n - 1) + fib(n - 2) }
fn described(line) { `${line.sku}: ${line.quantity ?? 1} x ${line.price}` }
fn tidy(record) { record.note = trim(record.note ?? ""); record["seen"] = true; record }
fn skus(lines) { let all = []; for line in lines { if line.sku == () { continue; } all.push(line.sku); } all }
fn count_down(n) { let steps = 0; while true { if steps >= n { break; } steps += 1; } steps }
fn kind_of(value) { switch value { 1 => "one", "a" | "b" => "letter", () => "none", true if 1 > 2 => "never", _ => kind(value) } }
fn nested() { let r = #{ a: #{ b: [1, 2, #{ c: 3 }] } }; r.a.b[2].c += 4; r.a.d = global::NAMES; r.a.b[0] = r.a.b[2].c; r }
fn total(lines) { lines.filter(|l| l.quantity != ()).map(|l| l.price * l.quantity).sum() }
fn first_big(lines, least) { lines.find(|l| l.price > least) }
private fn hidden(x) { x }
fn shown(x) { hidden(x) + "" }
"#;

fn patient() -> Limits {
    Limits { time: Duration::from_secs(20), ..Limits::default() }
}

fn json(text: &str) -> Value {
    read_json(&Bytes::from(text.to_owned())).unwrap()
}

fn tables() -> Vec<Table> {
    let table = |name: &str, keys: &[&str], rows, otherwise| Table {
        name: name.into(),
        keys: keys.iter().map(|name| TableKey { name: (*name).into(), kind: None }).collect(),
        value: SettingType::Text,
        ask: None,
        rows,
        otherwise,
        span: 0..0,
    };
    let text = |text: &str| Constant::Text(text.into());
    let row = |keys, value| TableRow { keys, value };
    vec![
        table(
            "method",
            &["key"],
            vec![
                row(vec![Some(text("ideal"))], text("IDEAL")),
                row(vec![Some(text("a"))], text("first")),
                row(vec![Some(text("a"))], text("second")),
                row(vec![Some(Constant::Integer(1))], Constant::List(vec![text("x"), Constant::Nothing])),
            ],
            Otherwise::Fail,
        ),
        table("same", &["key"], vec![row(vec![Some(text("b"))], text("B"))], Otherwise::Keep),
        table(
            "open",
            &["key"],
            vec![
                row(vec![Some(text("a"))], text("A")),
                row(vec![None], text("any")),
                row(vec![Some(text("b"))], text("never")),
            ],
            Otherwise::Fail,
        ),
        table(
            "vat",
            &["country", "rate"],
            vec![
                row(vec![Some(text("NL")), Some(Constant::Integer(21))], Constant::Integer(1)),
                row(vec![Some(text("NL")), None], Constant::Decimal(Decimal::new(25, 1))),
            ],
            Otherwise::Value(Constant::Integer(0)),
        ),
    ]
}

/// A host that lowers, and one that does not.
struct Pair {
    native: ScriptHost,
    rhai: ScriptHost,
}

/// What came of one expression.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    compiled: bool,
    lowered: bool,
    /// Rhai gave a value.
    gave: bool,
    /// Lowered code gave it by itself.
    natively: bool,
}

impl Pair {
    fn new(scripts: &[ScriptFile]) -> Self {
        Self::with(scripts, &tables())
    }

    fn with(scripts: &[ScriptFile], tables: &[Table]) -> Self {
        let host = || ScriptHost::load(patient(), scripts, tables).unwrap_or_else(|error| panic!("{error}"));
        let (mut native, mut rhai) = (host(), host());
        native.set_lowering(true);
        rhai.set_lowering(false);
        Self { native, rhai }
    }

    fn check(&self, text: &str, bindings: &Bindings) -> Seen {
        let (native, rhai) = match (self.native.compile_text(text), self.rhai.compile_text(text)) {
            (Ok(native), Ok(rhai)) => (native, rhai),
            (native, rhai) => {
                assert_eq!(native.err(), rhai.err(), "{text}");
                return Seen::default();
            }
        };
        let expected = self.rhai.evaluate(&rhai, bindings);
        let alone = self.native.evaluate_natively(&native, bindings);
        if let Some(alone) = &alone {
            compare(text, alone, &expected);
        }
        compare(text, &self.native.evaluate(&native, bindings), &expected);
        let (truth, expected_truth) =
            (self.native.truth(&native, bindings), self.rhai.truth(&rhai, bindings));
        assert_eq!(truth, expected_truth, "{text}");
        Seen {
            compiled: true,
            lowered: native.lowered().is_ok(),
            gave: expected.is_ok(),
            natively: alone.is_some_and(|alone| alone.is_ok()),
        }
    }
}

fn compare(text: &str, given: &Result<Value, ScriptError>, expected: &Result<Value, ScriptError>) {
    match (given, expected) {
        (Ok(given), Ok(expected)) => assert_eq!(plain(given), plain(expected), "{text}"),
        (given, expected) => assert_eq!(given, expected, "{text}"),
    }
}

/// With all digits, fields in the order of their names.
fn plain(value: &Value) -> String {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::List(items) => Value::List(items.iter().map(sorted).collect()),
            Value::Map(map) => {
                let mut fields: Vec<_> =
                    map.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
                fields.sort_by(|(left, _), (right, _)| left.cmp(right));
                Value::Map(fields.into_iter().collect::<Map>())
            }
            other => other.clone(),
        }
    }
    format!("{:?}", sorted(value))
}

fn order() -> Value {
    json(
        r#"{
        "number": "0042", "total": 12.10, "count": 3, "paid": true, "billing": null, "note": "",
        "rate": 21.0, "zero": 0, "big": 9223372036854775807, "país": "España",
        "customer": {"company": "", "full_name": " Jan Jansen ", "email": "jan@example.nl", "tags": ["a", "ß", "日本"]},
        "dates": {"day": "2026-11-21", "moment": "2026-11-21T09:30:00+01:00"},
        "lines": [{"sku": "a", "price": 1.10, "quantity": 2}, {"sku": "b", "price": 2.00, "quantity": 1},
                  {"price": 3, "quantity": null, "sku": null}],
        "numbers": [3, 1.5, 2, -1], "words": ["b", "a", "b"], "mixed": [1, "a", null, [1], {"x": 1}, true, 1.0]
    }"#,
    )
}

fn bindings(order: Value) -> Bindings {
    let mut bindings = Bindings::new();
    bindings.set("order", order);
    bindings.set("empty", Value::Null);
    bindings.set("n", 7_i64);
    bindings.set("word", "ideal");
    bindings
}

fn script() -> ScriptFile {
    ScriptFile { alias: "my".into(), path: "scripts/my.rhai".into(), text: SCRIPT.into() }
}

/// Expressions chosen by hand: each road of the lowering at least once.
const CHOSEN: &[&str] = &[
    "order.billing?.street.name ?? \"none\"",
    "order.billing?.map(|x| x / 0)",
    "order.billing?.replace(\"a\", 1 / 0)",
    "order.customer?.tags?[2]",
    "order.lines[-1].quantity",
    "order.lines[3]",
    "order[\"number\"]",
    "order.customer.tags.join(\"|\").to_upper().sub_string(1, 2)",
    "order.lines.map(|l| order.lines.map(|m| (l.quantity ?? 0) * (m.quantity ?? 0)))",
    "let t = 0; for l in order.lines { t += l.price; } t",
    "let t = 0; for (l, i) in order.lines { t += i; if i == 1 { break; } } t",
    "let r = #{ b: 1, a: [] }; r.c = 2; r.a += [1]; r[\"b\"] += 1; r",
    "let r = order; r.number = 1; r.note",
    "let r = order.customer; r.tags[0] = 1; r",
    "let x = [1]; x.push(2); push(x, 3); x",
    "let r = #{}; r.set(\"a\", 1); let gone = r.remove(\"a\"); [r, gone]",
    "let xs = [1, 2]; xs.map(|x| xs.len())",
    "let f = 2; order.numbers.map(|x| x * f)",
    "let f = 2; let g = order.numbers.map(|x| { let y = x * f; y + 1 }); g",
    "let s = 0; order.numbers.map(|x| { s += 1; x }); s",
    "order.numbers.sort()",
    "order.words.sort().unique().reverse()",
    "order.lines.sort(|l| -l.price).map(|l| l.sku)",
    "order.mixed.sort()",
    "order.mixed.filter(|x| kind(x) == \"integer\")",
    "order.numbers.reduce(|a, b| a + b, 0.5)",
    "order.numbers.sum(|x| x * x)",
    "order.numbers.any(|x| x > 2) && order.numbers.all(|x| x > -2)",
    "order.lines.find(|l| l.sku == \"b\")?.price",
    "order.lines.map(|| 1)",
    "order.lines.map(5)",
    "order.lines.filter(|l| l.price)",
    "`${order.lines} ${order.customer} ${order.total} ${order.billing} ${order.paid}`",
    "my::incl_vat(order.total)",
    "my::depth(10)",
    "my::depth(40)",
    "my::fib(12)",
    "order.lines.map(|l| my::described(l))",
    "my::tidy(order.customer)",
    "my::tidy(order)",
    "my::skus(order.lines)",
    "my::count_down(100)",
    "[1, \"a\", (), true, 1.0, [2]].map(|v| my::kind_of(v))",
    "my::nested()",
    "my::total(order.lines)",
    "my::first_big(order.lines, 1.5)",
    "my::shown(order.number)",
    "my::shown(1)",
    "method[word]",
    "method[\"a\"]",
    "method[1.0]",
    "method[\"nope\"]",
    "same[\"zz\"]",
    "same[1.50]",
    "open[\"a\"] + open[\"b\"] + open[1]",
    "vat[[\"NL\", 21.0]]",
    "vat[[\"NL\", 6]]",
    "vat[\"NL\"]",
    "\"ideal\" in method",
    "3 in 1..5",
    "5 !in 1..=5",
    "let t = 0; for i in 0..=3 { t += i; } t",
    "if order.paid { 1 } else if order.note { 2 }",
    "if order.note { 2 }",
    "{ let a = 1; { let a = 2; a } + a }",
    "return 5; 6",
    "throw \"no\"",
    "order.lines.len() == 3 || throw_away",
    "switch order.count { 3 => \"three\", _ => \"many\" }",
    "switch order.total { 12.10 => 1, _ => 2 }",
    "switch n { 1..5 => 1, _ => 2 }",
    "\"abc\"[1]",
    "'a'",
    "9223372036854775807 + 1",
    "-9223372036854775807 - 2",
    "order.big * 2",
    "10 / 4",
    "10 / 0",
    "2 ** 0.5",
    "-order.note",
    "!order.note",
    "#{ b: 1, a: 2 } == #{ a: 2.0, b: 1 }",
    "[1, 2] == [1.0, 2]",
    "order.customer + #{ x: 1 }",
    "1..5",
    "|x| x",
    "method",
    "let order = 5; order",
    "loop { break 3; }",
    "let i = 0; while i < 5 { i += 1; if i == 2 { continue; } } i",
    "let x = [1, 2, 3]; x.push(x); x",
    "let x = []; let i = 0; while i < 100 { x = [x]; i += 1; } kind(x)",
    "let x = []; let i = 0; while i < 20000 { x.push(i); i += 1; } x.len()",
    "let s = \"x\"; let i = 0; while i < 30 { s += s; i += 1; } s.len()",
    "let x = [1]; let i = 0; while i < 20 { x = [x, x]; i += 1; } 1",
    "order.país",
    "order.paid.to_text()",
    "let r = order; r.paid.to_text(); r.number",
    "order.customer.keys().map(|k| order.customer[k])",
    "let x = 1; x + { x = 5; 1 }",
    "let l = [3, 1]; l.sort(); l",
    "const X = 1; X = 2; X",
    "let x; x ?? 1",
    "order.lines.map(|line| { if line.sku == () { return \"none\"; } line.sku })",
];

#[test]
fn chosen_expressions_agree() {
    let pair = Pair::new(&[script()]);
    let bindings = bindings(order());
    let mut left: Vec<&str> = Vec::new();
    for text in CHOSEN {
        let seen = pair.check(text, &bindings);
        if seen.compiled && !seen.lowered {
            left.push(text);
        }
        if seen.lowered && seen.gave && !seen.natively {
            println!("lowered, but run by Rhai: {text}");
        }
    }
    println!("{} of {} are left to Rhai: {left:#?}", left.len(), CHOSEN.len());
    assert!(left.len() * 8 < CHOSEN.len(), "too little is lowered");
}

#[test]
fn cases_of_shipped_scripts_agree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts");
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "rhai") {
            continue;
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let pair = Pair::new(&[ScriptFile { alias: name.clone(), path: name.clone(), text }]);
        assert_eq!(pair.native.not_lowered(), [], "shipped scripts run at full speed");
        let cases = json(&fs::read_to_string(path.with_extension("case.json")).unwrap());
        for case in cases.as_list().unwrap() {
            let case = case.as_map().unwrap();
            let mut bindings = Bindings::new();
            let args = case.get("args").and_then(Value::as_list).unwrap();
            for (number, value) in args.iter().enumerate() {
                bindings.set(format!("arg{number}"), value.clone());
            }
            let names: Vec<String> = (0..args.len()).map(|number| format!("arg{number}")).collect();
            let call = format!("{name}::{}({})", case.text("call").unwrap(), names.join(", "));
            let seen = pair.check(&call, &bindings);
            assert!(seen.lowered, "{call}");
            assert!(seen.natively || !seen.gave, "{call} of {case} was left to Rhai");
        }
    }
}

#[test]
fn examples_of_the_library_agree_and_run_natively() {
    let pair = Pair::new(&[]);
    for function in functions() {
        let (call, _) = function.example.split_once(" → ").unwrap();
        let seen = pair.check(call, &Bindings::new());
        assert!(seen.lowered && seen.natively, "{call}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        2 => Just(Value::Null),
        2 => any::<bool>().prop_map(Value::Bool),
        3 => (-20_i64..20).prop_map(Value::Int),
        1 => any::<i64>().prop_map(Value::Int),
        3 => (-2000_i64..2000, 0_u32..4).prop_map(|(number, scale)| Value::Decimal(Decimal::new(number, scale))),
        3 => prop::sample::select(vec!["", " ", "a", "b", "NL", "ideal", "12,50", "1.234,5", "2026-11-21", "ß日", "Jan Jansen"])
            .prop_map(Value::from),
        1 => ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::vec(
                (prop::sample::select(vec!["sku", "price", "quantity", "x", "a"]), inner),
                0..5
            )
            .prop_map(|fields| Value::Map(fields.into_iter().collect())),
        ]
    })
}

/// A record that is mostly like an order, and in which anything may be anything.
fn any_order() -> impl Strategy<Value = Value> {
    prop::collection::vec(
        (
            prop::sample::select(vec![
                "number", "total", "count", "paid", "billing", "customer", "lines", "numbers", "words",
            ]),
            any_value(),
        ),
        0..4,
    )
    .prop_map(|changes| {
        let Value::Map(mut record) = order() else { unreachable!() };
        for (name, value) in changes {
            record.set(name, value);
        }
        Value::Map(record)
    })
}

fn any_path() -> impl Strategy<Value = String> {
    let roots = vec![
        "order",
        "order.customer",
        "order.lines",
        "order.lines[0]",
        "order.billing",
        "order.mixed",
        "item",
        "v",
    ];
    let steps = vec![
        "",
        "",
        ".number",
        ".total",
        ".count",
        ".paid",
        ".billing",
        "?.street",
        ".customer",
        ".lines",
        ".numbers",
        ".words",
        "?.sku",
        ".price",
        ".quantity",
        "[0]",
        "[-1]",
        "?[1]",
        "[\"sku\"]",
        ".tags",
        ".x",
    ];
    (prop::sample::select(roots), prop::sample::select(steps.clone()), prop::sample::select(steps))
        .prop_map(|(root, first, second)| format!("{root}{first}{second}"))
}

fn any_expression() -> impl Strategy<Value = String> {
    let names: Vec<(&'static str, usize, usize)> = functions()
        .filter(|function| !["push", "set", "remove"].contains(&function.name))
        .map(|function| (function.name, function.arguments.0, function.arguments.1))
        .collect();
    let leaf = prop_oneof![
        4 => any_path(),
        1 => prop::sample::select(vec!["()", "true", "false", "0", "1", "2", "21", "0.5", "1.10", "100", "9223372036854775807"])
            .prop_map(str::to_owned),
        2 => prop::sample::select(vec!["order.total", "order.count", "order.number", "order.numbers", "order.words", "order.lines", "n", "word"])
            .prop_map(str::to_owned),
        1 => prop::sample::select(vec!["\"\"", "\"a\"", "\" \"", "\"NL\"", "\"ideal\"", "\"%d-%m-%Y\"", "\"2026-11-21\"", "\"ß日本\""])
            .prop_map(str::to_owned),
        1 => "[a-zA-Z0-9 ,.é日-]{0,8}".prop_map(|text| format!("{text:?}")),
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        let operators = prop::sample::select(vec![
            "+", "-", "*", "/", "%", "**", "==", "!=", "<", "<=", ">", ">=", "??", "&&", "||", "in", "!in", "..", "..=",
        ]);
        let callers = prop::sample::select(vec!["map", "filter", "find", "any", "all", "sum", "sort"]);
        let mine = prop::sample::select(vec![
            "incl_vat", "depth", "described", "tidy", "skus", "count_down", "kind_of", "total", "shown",
        ]);
        let table = prop::sample::select(vec!["method", "same", "open", "vat"]);
        let two = (inner.clone(), inner.clone());
        let three = (inner.clone(), inner.clone(), inner.clone());
        prop_oneof![
            6 => (inner.clone(), operators, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            4 => (prop::sample::select(names.clone()), prop::collection::vec(inner.clone(), 3)).prop_map(|((name, least, most), args)| {
                let count = if args[0].len() % 2 == 0 { least } else { most };
                format!("{name}({})", args[..count.min(3)].join(", "))
            }),
            4 => (prop::sample::select(names.clone()), prop::collection::vec(inner.clone(), 3)).prop_map(|((name, least, _), args)| {
                format!("({}).{name}({})", args[0], args[1..least.clamp(1, 3)].join(", "))
            }),
            3 => (callers, two.clone()).prop_map(|(name, (list, body))| format!("{list}.{name}(|item| {body})")),
            1 => three.clone().prop_map(|(list, body, start)| format!("reduce({list}, |v, item| {body}, {start})")),
            1 => two.clone().prop_map(|(a, b)| format!("[{a}, {b}]")),
            1 => two.clone().prop_map(|(a, b)| format!("#{{ sku: {a}, price: {b} }}")),
            1 => two.clone().prop_map(|(a, b)| format!("`x ${{{a}}} é ${{{b}}}`")),
            2 => three.clone().prop_map(|(a, b, c)| format!("if {a} {{ {b} }} else {{ {c} }}")),
            1 => three.clone().prop_map(|(a, b, c)| format!("switch {a} {{ 1 => {b}, \"a\" => {c}, _ => 0 }}")),
            2 => (mine, inner.clone()).prop_map(|(name, arg)| format!("my::{name}({arg})")),
            1 => (table.clone(), inner.clone()).prop_map(|(table, key)| format!("{table}[{key}]")),
            1 => (table, inner.clone()).prop_map(|(table, key)| format!("({key} in {table})")),
            1 => (inner.clone(), prop::sample::select(vec![".sku", "?.sku", "[0]", "?.x.y", "[\"a\"]"])).prop_map(|(a, step)| format!("({a}){step}")),
            1 => two.clone().prop_map(|(a, b)| format!("{{ let v = {a}; let w = v; w == v || {b} }}")),
            1 => two.clone().prop_map(|(a, b)| format!("{{ let v = {a}; v = {b}; v }}")),
            1 => two.clone().prop_map(|(a, b)| format!("{{ let v = #{{ b: {a} }}; v.a = {b}; v.b += 1; v }}")),
            1 => two.clone().prop_map(|(a, b)| format!("{{ let v = {a}; v.sku = {b}; v }}")),
            1 => two.clone().prop_map(|(a, b)| format!("{{ let v = {a}; v[0] = {b}; v }}")),
            1 => two.clone().prop_map(|(a, b)| format!("{{ let v = []; for item in {a} {{ v.push({b}); }} v }}")),
            1 => two.clone().prop_map(|(a, b)| format!("{{ let i = 0; let v = 0; while i < 3 {{ i += 1; if {a} {{ continue; }} v += {b}; }} v }}")),
            1 => inner.clone().prop_map(|a| format!("-{a}")),
            1 => inner.prop_map(|a| format!("!{a}")),
        ]
    })
}

/// Expressions whose parts mostly fit each other, so that most of them give a value: a number, a
/// text, a condition, a list, in this order.
fn fitting(depth: u32) -> [BoxedStrategy<String>; 4] {
    let one = |of: &[&str]| {
        prop::sample::select(of.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).boxed()
    };
    let numbers = one(&[
        "order.total",
        "order.count",
        "n",
        "order.rate",
        "1",
        "0.5",
        "order.lines[0].price",
        "21",
        "-3",
        "2.50",
    ]);
    let texts = one(&[
        "order.number",
        "order.customer.full_name",
        "word",
        "\"\"",
        "\" x,y \"",
        "\"ß日\"",
        "order.customer.tags[1]",
        "order.lines[0].sku",
        "(order.billing?.street ?? \"-\")",
        "order.país",
        "\"2026-02-28\"",
        "\"12,50\"",
    ]);
    let conditions = one(&[
        "order.paid",
        "true",
        "false",
        "order.note == \"\"",
        "\"a\" in order.words",
        "is_blank(order.billing)",
    ]);
    let lists =
        one(&["order.numbers", "[1, 2.5, -1]", "order.lines.map(|l| l.price)", "[]", "[n, order.total]"]);
    if depth == 0 {
        return [numbers, texts, conditions, lists];
    }
    let [n, t, c, l] = fitting(depth - 1);
    let number = prop_oneof![
        2 => numbers,
        2 => (n.clone(), one(&["+", "-", "*", "/", "%"]), n.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        1 => (one(&["round", "floor", "ceil", "abs", "to_cents"]), n.clone()).prop_map(|(name, a)| format!("{name}({a})")),
        1 => (one(&["min", "max"]), n.clone(), n.clone()).prop_map(|(name, a, b)| format!("{name}({a}, {b})")),
        1 => (n.clone(), one(&["0", "1", "2", "5"])).prop_map(|(a, digits)| format!("round({a}, {digits})")),
        1 => (one(&["incl", "excl", "vat_in"]), n.clone()).prop_map(|(name, a)| format!("{name}({a}, 21)")),
        1 => t.clone().prop_map(|a| format!("len({a})")),
        1 => l.clone().prop_map(|a| format!("{a}.len()")),
        2 => (l.clone(), n.clone()).prop_map(|(list, a)| format!("{list}.sum(|item| item * {a})")),
        1 => (l.clone(), n.clone()).prop_map(|(list, a)| format!("{list}.reduce(|v, item| v + item, {a})")),
        1 => (l.clone(), n.clone()).prop_map(|(list, a)| format!("(max({list}) ?? {a})")),
        1 => (c.clone(), n.clone(), n.clone()).prop_map(|(a, b, d)| format!("if {a} {{ {b} }} else {{ {d} }}")),
        1 => (l.clone(), n.clone(), c.clone()).prop_map(|(list, a, c)| format!("{{ let t = 0; for item in {list} {{ if {c} {{ t += item; }} else {{ t -= {a}; }} }} t }}")),
        1 => n.clone().prop_map(|a| format!("{{ let i = 0; let r = #{{ v: {a} }}; while i < 4 {{ i += 1; if i == 2 {{ continue; }} r.v += i; }} r.v }}")),
        1 => n.clone().prop_map(|a| format!("my::incl_vat({a})")),
        1 => t.clone().prop_map(|a| format!("(decimal(digits({a})) ?? 0)")),
        1 => t.clone().prop_map(|a| format!("switch {a} {{ \"ideal\" => 1, \"a\" | \"b\" if n > 3 => 2, _ => 3 }}")),
        1 => (t.clone(), n.clone()).prop_map(|(a, b)| format!("vat[[{a}, {b}]]")),
    ];
    let text = prop_oneof![
        2 => texts,
        2 => (t.clone(), t.clone()).prop_map(|(a, b)| format!("({a} + {b})")),
        2 => (t.clone(), n.clone(), c.clone()).prop_map(|(a, b, d)| format!("`${{{a}}} é ${{{b}}}/${{{d}}}`")),
        2 => (one(&["trim", "to_upper", "to_lower", "capitalize", "digits", "to_text"]), t.clone()).prop_map(|(name, a)| format!("{name}({a})")),
        1 => (one(&["trim", "to_upper", "to_lower", "capitalize", "digits", "to_text"]), t.clone()).prop_map(|(name, a)| format!("{a}.{name}()")),
        1 => (t.clone(), one(&["0", "1", "2", "-2", "9"]), one(&["0", "1", "3"])).prop_map(|(a, from, count)| format!("{a}.sub_string({from}, {count})")),
        1 => (t.clone(), one(&["0", "1", "20"])).prop_map(|(a, length)| format!("pad_left(truncate({a}, 5), {length}, \"é\")")),
        1 => (t.clone(), t.clone()).prop_map(|(a, b)| format!("{a}.replace(\"a\", {b})")),
        1 => (t.clone(), one(&["\" \"", "\",\"", "\"é\""])).prop_map(|(a, by)| format!("split({a}, {by}).reverse().join(\"+\")")),
        1 => (n.clone(), one(&["0", "2", "4"])).prop_map(|(a, digits)| format!("fixed({a}, {digits})")),
        1 => n.clone().prop_map(|a| format!("to_text({a})")),
        1 => l.clone().prop_map(|a| format!("{a}.join(\"; \")")),
        1 => l.clone().prop_map(|a| format!("`${{{a}}}`")),
        1 => (t.clone(), t.clone()).prop_map(|(a, b)| format!("(or_nothing({a}) ?? {b})")),
        1 => t.clone().prop_map(|a| format!("same[{a}]")),
        1 => t.clone().prop_map(|a| format!("(open[{a}] + my::shown({a}))")),
        1 => (one(&["1", "-40", "400"]), one(&["add_days", "add_months"])).prop_map(|(by, name)| format!("{name}(order.dates.day, {by})")),
        1 => one(&["%d-%m-%Y", "%H:%M", "%A"]).prop_map(|pattern| format!("format_date(order.dates.moment, \"{pattern}\")")),
        1 => (c.clone(), t.clone(), t.clone()).prop_map(|(a, b, d)| format!("if {a} {{ {b} }} else {{ {d} }}")),
        1 => (t.clone(), t.clone()).prop_map(|(a, b)| format!("{{ let r = #{{ x: {a}, y: [{b}] }}; r.z = r.y[0] + r.x; r.y[0] += r.z; `${{r}}` }}")),
    ];
    let condition = prop_oneof![
        2 => conditions,
        2 => (n.clone(), one(&["<", "<=", ">", ">=", "==", "!="]), n.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        2 => (t.clone(), one(&["<", "==", "!=", ">="]), t.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        1 => (t.clone(), one(&["contains", "starts_with", "ends_with"]), t.clone()).prop_map(|(a, name, b)| format!("{name}({a}, {b})")),
        1 => (c.clone(), one(&["&&", "||"]), c.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
        1 => c.clone().prop_map(|a| format!("!{a}")),
        1 => (l.clone(), c.clone(), n.clone()).prop_map(|(list, a, b)| format!("{list}.any(|item| {a} && item > {b})")),
        1 => (l.clone(), n.clone()).prop_map(|(list, a)| format!("{list}.all(|item| item < {a})")),
        1 => (n.clone(), l.clone()).prop_map(|(a, list)| format!("({a} in {list})")),
        1 => (l.clone(), l.clone()).prop_map(|(a, b)| format!("({a} == {b})")),
        1 => (t.clone(), n.clone()).prop_map(|(a, b)| format!("(#{{ a: {a}, b: {b} }} == #{{ b: {b}, a: {a} }})")),
        1 => t.clone().prop_map(|a| format!("({a} in method)")),
    ];
    let list = prop_oneof![
        2 => lists,
        1 => (n.clone(), n.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
        2 => (l.clone(), n.clone()).prop_map(|(list, a)| format!("{list}.map(|item| item + {a})")),
        2 => (l.clone(), n.clone()).prop_map(|(list, a)| format!("{list}.filter(|item| item >= {a})")),
        1 => (l.clone(), n.clone()).prop_map(|(list, a)| format!("sort({list}, |item| item * {a})")),
        1 => (l.clone(), l.clone()).prop_map(|(a, b)| format!("({a} + {b})")),
        1 => (one(&["sort", "unique", "reverse", "flatten"]), l.clone()).prop_map(|(name, a)| format!("{name}({a})")),
        1 => (l.clone(), one(&["0", "1", "5"])).prop_map(|(a, from)| format!("slice({a}, {from})")),
        1 => (l.clone(), n.clone()).prop_map(|(list, a)| format!("{{ let v = [{a}]; for (item, at) in {list} {{ v.push(item + at); }} v[0] = {a}; v }}")),
        1 => (l.clone(), n.clone()).prop_map(|(list, a)| format!("{{ let by = {a}; let v = {list}; v.map(|item| {{ let w = item * by; w }}) }}")),
    ];
    [number.boxed(), text.boxed(), condition.boxed(), list.boxed()]
}

fn any_fitting() -> impl Strategy<Value = String> {
    let [number, text, condition, list] = fitting(3);
    prop_oneof![
        number.clone(),
        text.clone(),
        condition,
        list,
        (number, text).prop_map(|(a, b)| format!("#{{ sku: {b}, price: {a} }}")),
    ]
}

/// What came of many expressions.
#[derive(Default)]
struct Counts {
    compiled: Cell<u32>,
    lowered: Cell<u32>,
    gave: Cell<u32>,
    after_all: Cell<u32>,
}

impl Counts {
    fn add(&self, text: &str, seen: Seen) {
        let count = |cell: &Cell<u32>, is: bool| cell.set(cell.get() + u32::from(is));
        count(&self.compiled, seen.compiled);
        count(&self.lowered, seen.lowered);
        count(&self.gave, seen.lowered && seen.gave);
        let after_all = seen.lowered && seen.gave && !seen.natively;
        count(&self.after_all, after_all);
        if after_all {
            println!("run by Rhai after all: {text}");
        }
    }

    /// Enough of them gave a value for the test to mean something, and gave it natively.
    fn judge(&self, least_given: u32, most_after_all: u32) {
        let [compiled, lowered, gave, after_all] =
            [&self.compiled, &self.lowered, &self.gave, &self.after_all].map(Cell::get);
        println!(
            "{compiled} compiled, {lowered} lowered, {gave} gave a value, {after_all} by Rhai after all"
        );
        assert!(lowered * 10 > compiled * 9, "{lowered} of {compiled} are lowered");
        assert!(gave * 100 > compiled * least_given, "{gave} of {compiled} gave a value");
        assert!(after_all * 100 <= gave * most_after_all, "{after_all} of {gave} were run by Rhai after all");
    }
}

fn runner() -> TestRunner {
    let cases = std::env::var("LOWERING_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(1000);
    TestRunner::new(Config { cases, failure_persistence: None, max_shrink_iters: 200, ..Config::default() })
}

#[test]
fn random_expressions_agree() {
    let (pair, counts) = (Pair::new(&[script()]), Counts::default());
    let outcome = runner().run(&(any_expression(), any_order(), any_value()), |(text, order, item)| {
        let mut bindings = bindings(order);
        bindings.set("item", item.clone());
        bindings.set("v", item);
        counts.add(&text, pair.check(&text, &bindings));
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{:.1500}", error.to_string()));
    counts.judge(5, 12);
}

#[test]
fn fitting_expressions_agree() {
    let (pair, counts) = (Pair::new(&[script()]), Counts::default());
    let orders = prop_oneof![3 => Just(order()), 1 => any_order()];
    let outcome = runner().run(&(any_fitting(), orders), |(text, order)| {
        counts.add(&text, pair.check(&text, &bindings(order)));
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{:.1500}", error.to_string()));
    counts.judge(40, 1);
}

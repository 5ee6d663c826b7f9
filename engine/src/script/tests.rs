//! What expressions give, and what they refuse.

use std::time::Duration;

use connectors::record::{Value, read_json};
use dsl::plan::{Constant, Otherwise, SettingType, Table, TableKey, TableRow};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::values::{from_dynamic, to_dynamic};
use super::{Bindings, Limits, Mistake, RecordBudget, ScriptError, ScriptFile, ScriptHost, functions};

const ORDER: &str = r#"{
    "number": "0042", "total": 12.10, "count": 3, "paid": true, "billing": null, "note": "",
    "customer": {"company": "", "full_name": "Jan Jansen", "email": "jan@example.nl"},
    "lines": [{"sku": "a", "price": 1.10, "quantity": 2}, {"sku": "b", "price": 2.00, "quantity": 1}]
}"#;

/// Time enough for a busy machine: tests ask what is given, not how fast.
fn patient() -> Limits {
    Limits { time: Duration::from_secs(20), ..Limits::default() }
}

fn table(name: &str, keys: &[&str], rows: Vec<TableRow>, otherwise: Otherwise) -> Table {
    let keys = keys.iter().map(|name| TableKey { name: (*name).into(), kind: None }).collect();
    Table { name: name.into(), keys, value: SettingType::Text, ask: None, rows, otherwise, span: 0..0 }
}

fn text(text: &str) -> Constant {
    Constant::Text(text.into())
}

fn host() -> ScriptHost {
    let pay = vec![
        TableRow { keys: vec![Some(text("ideal"))], value: Constant::Text("IDEAL".into()) },
        TableRow { keys: vec![Some(Constant::Integer(7))], value: Constant::Text("SEVEN".into()) },
    ];
    let vat = vec![
        TableRow { keys: vec![Some(text("NL")), Some(Constant::Integer(21))], value: Constant::Integer(1) },
        TableRow { keys: vec![Some(text("NL")), None], value: Constant::Integer(2) },
    ];
    let tables = [
        table("payment_method", &["key"], pay, Otherwise::Fail),
        table("vat_code", &["country", "rate"], vat, Otherwise::Value(Constant::Integer(0))),
        table("same", &["key"], vec![], Otherwise::Keep),
    ];
    let script = ScriptFile {
        alias: "my".into(),
        path: "scripts/my.rhai".into(),
        text: "const STEP = 2;\n\nfn twice(n) { n * global::STEP }\nfn four_times(n) { twice(twice(n)) }\nfn town(address) {\n    address.town.name\n}\nfn renamed(r) { r.number = \"1\"; r.number + r.note }\nfn total(lines, rate) { lines.map(|line| line.price * rate).sum() }\n".into(),
    };
    ScriptHost::load(patient(), &[script], &tables).expect("the script compiles")
}

fn bindings() -> Bindings {
    let order = read_json(&bytes::Bytes::from_static(ORDER.as_bytes())).expect("JSON");
    let mut bindings = Bindings::new();
    bindings.set("order", order);
    bindings.set("empty", Value::Null);
    bindings
}

fn evaluate(text: &str) -> Result<Value, ScriptError> {
    let host = host();
    host.evaluate(&host.compile_text(text)?, &bindings())
}

#[track_caller]
fn gives(text: &str, expected: &str) {
    let value = evaluate(text).unwrap_or_else(|error| panic!("{text}: {error} {error:?}"));
    assert_eq!(value.to_string(), expected, "{text}");
}

#[track_caller]
fn fails(text: &str, expected: &str) {
    match evaluate(text) {
        Ok(value) => panic!("{text} gives {value}"),
        Err(error) => assert_eq!(error.to_string(), expected, "{text}"),
    }
}

#[test]
fn numbers_are_exact() {
    gives("1.15 + 2.30", "3.45");
    gives("10 / 4", "2.5");
    gives("10 / 5", "2");
    gives("kind(10 / 5)", "\"integer\"");
    gives("10 / 4.0", "2.5");
    gives("1 == 1.0", "true");
    gives("1.0 != 1", "false");
    gives("2 ** 10", "1024");
    gives("1.1 ** 2", "1.21");
    gives("2 ** -1", "0.5");
    gives("-7 % 3", "-1");
    gives("round(2.5)", "3");
    gives("round(-2.5)", "-3");
    gives("(2.345).round(2)", "2.35");
    gives("let x = 7; x /= 2; x", "3.5");
    gives("let x = 1; x += 0.5; x", "1.5");
    fails("1 / 0", "a number cannot be divided by zero");
    fails("1.5 / 0", "a number cannot be divided by zero");
    fails("9223372036854775807 + 1", "the result of `+` is too large");
}

#[test]
fn records_are_read() {
    gives("order.number", "\"0042\"");
    gives("order.total", "12.10");
    gives("order.missing", "null");
    gives("let order = 5; order + 1", "6");
    gives("order.lines.map(|order| order.sku)", "[\"a\",\"b\"]");
    gives(
        "let skus = []; for order in order.lines { skus.push(order.sku); } skus.join(`${order.number}`)",
        "\"a0042b\"",
    );
    gives("if order.paid { let order = 1; if true { order } else { 0 } } else { 0 }", "1");
    gives("[1, 2].map(|a| order.lines.map(|b| a * b.quantity * order.count))", "[[6,3],[12,6]]");
    gives("order.customer.full_name", "\"Jan Jansen\"");
    gives("order[\"number\"]", "\"0042\"");
    gives("order.lines[1].sku", "\"b\"");
    gives("order.lines[-1].sku", "\"b\"");
    gives("order.billing?.street", "null");
    gives("order.billing?.street ?? \"none\"", "\"none\"");
    gives("order.lines.len()", "2");
    gives("order.lines.map(|line| line.price * order.count)", "[3.30,6.00]");
    gives("order.lines.sum(|line| line.price * line.quantity)", "4.20");
    gives("order.lines.filter(|line| line.sku == \"a\").len()", "1");
    gives("`${order.number}: ${order.total} ${order.billing}`", "\"0042: 12.10 \"");
    gives("if order.customer.company == \"\" { \"person\" } else { \"company\" }", "\"person\"");
    gives("order.number in [\"0042\"]", "true");
    gives("order.number !in [\"0042\"]", "false");
    gives("order.customer.keys()", "[\"company\",\"email\",\"full_name\"]");
    gives("order.customer", "{\"company\":\"\",\"full_name\":\"Jan Jansen\",\"email\":\"jan@example.nl\"}");
    gives("let t = 0; for line in order.lines { t += line.quantity; } t", "3");
    gives("#{ a: 1, b: [1, 2] }", "{\"a\":1,\"b\":[1,2]}");
    gives("order.customer == order.customer", "true");
    gives("switch order.count { 3 => \"three\", _ => \"many\" }", "\"three\"");
}

/// Rhai puts a value back after a method was called on it; nothing may come of that.
#[test]
fn methods_change_nothing_behind_the_back() {
    let host = |lowering| {
        let mut host = host();
        host.set_lowering(lowering);
        host
    };
    for host in [host(false), host(true)] {
        for (text, expected) in [
            ("payment_method[\"ideal\"].to_lower()", "\"ideal\""),
            ("same[order.number].len()", "4"),
            ("order.customer.absent.is_blank()", "true"),
            ("order.flags.filter(|flag| flag).len()", "1"),
            ("order.paid.to_text()", "\"true\""),
        ] {
            let mut bindings = bindings();
            let mut order = bindings.get("order").and_then(Value::as_map).cloned().expect("a record");
            order.set("flags", vec![Value::Bool(true), Value::Bool(false)]);
            bindings.set("order", order);
            let value = host.compile_text(text).and_then(|compiled| host.evaluate(&compiled, &bindings));
            assert_eq!(value.map(|value| value.to_string()), Ok(expected.to_owned()), "{text}");
        }
    }
}

#[test]
fn numbers_are_read_from_text() {
    for (text, expected) in [
        ("1,95", "1.95"),
        ("1.95", "1.95"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1.234.567", "1234567"),
        ("1,234,567", "1234567"),
        (" -12,5 ", "-12.5"),
        ("1 234,50", "1234.50"),
        (".5", "0.5"),
        ("+7", "7"),
    ] {
        gives(&format!("decimal(\"{text}\")"), expected);
    }
    gives("decimal(\" \")", "null");
    gives("to_integer(\"42\")", "42");
    gives("to_integer(42.00)", "42");
    fails("to_integer(\"4.2\")", "4.2 is not a whole number");
    for text in ["\u{20ac} 5", "1-2", "-", "--1", "1e5", "0x10"] {
        fails(&format!("decimal(\"{text}\")"), &format!("\"{text}\" is not a number"));
    }
}

#[test]
fn dates_are_moved_and_written() {
    gives("add_days(\"2026-11-21T09:30:00+01:00\", 1)", "\"2026-11-22T09:30:00+01:00\"");
    gives("add_days(\"2026-11-21 09:30:00\", -21)", "\"2026-10-31 09:30:00\"");
    gives("date_part(\"2026-11-21T23:30:00Z\")", "\"2026-11-21\"");
    gives("to_date(\"2026-11-21T23:30:00Z\", \"Europe/Amsterdam\")", "\"2026-11-22\"");
    gives("parse_date(\"21-11-2026 09:30\", \"%d-%m-%Y %H:%M\")", "\"2026-11-21T09:30:00\"");
    gives("format_date(\"2026-11-21T09:30:00Z\", \"%H:%M\")", "\"09:30\"");
    gives("in_zone(\"2026-11-21T09:30:00\", \"Europe/Amsterdam\")", "\"2026-11-21T09:30:00+01:00\"");
    fails("date_part(\"21-11-2026\")", "\"21-11-2026\" is not a date");
    fails("to_utc(\"2026-11-21T09:30:00\")", "\"2026-11-21T09:30:00\" is not a moment with a zone");
}

#[test]
fn scripts_are_called() {
    gives("my::four_times(3)", "12");
    gives("my::renamed(order)", "\"1\"");
    gives("my::total(order.lines, 2)", "6.20");
    fails(
        "my::town(order)",
        "`address.town` has no value, so `name` cannot be read from it (scripts/my.rhai, line 6, in `town`)",
    );
    fails("my::twice(\"a\")", "`*` cannot multiply text and integer (scripts/my.rhai, line 3, in `twice`)");
    fails("my::twise(1)", "there is no function `my::twise`");
    fails("mine::twice(1)", "there is no script `mine`");
    fails("my::twice()", "`my::twice` takes 1 argument, not 0");
}

#[test]
fn tables_are_read() {
    gives("payment_method[\"ideal\"]", "\"IDEAL\"");
    gives("payment_method[7.0]", "\"SEVEN\"");
    gives("vat_code[[\"NL\", 21.0]]", "1");
    gives("vat_code[[\"NL\", 6]]", "2");
    gives("vat_code[[\"BE\", 6]]", "0");
    gives("same[order.number]", "\"0042\"");
    gives("\"ideal\" in payment_method", "true");
    fails("payment_method[\"bitcoin\"]", "table `payment_method` has no row for \"bitcoin\"");
    fails("payment_method[order.billing]", "table `payment_method` has no row for no value");
    fails("vat_code[\"NL\"]", "table `vat_code` is read by 2 keys, not 1");
}

#[test]
fn mistakes_are_told_in_plain_words() {
    fails("order.billing.street", "`order.billing` has no value, so `street` cannot be read from it");
    fails(
        "order.customer.address.street",
        "`order.customer.address` has no value, so `street` cannot be read from it",
    );
    fails("order.lines[0].x.y", "`order.lines[…].x` has no value, so `y` cannot be read from it");
    fails("\"a\" + 1", "`+` cannot add text and integer");
    fails("order.billing + 1", "`+` cannot add nothing and integer");
    fails("order.billing > 1", "`>` cannot compare nothing and integer");
    fails("trim(order.billing)", "`trim` needs a text, and was given nothing");
    fails("ordr.number", "there is no `ordr` here");
    fails("trimm(order.number)", "there is no function `trimm`");
    fails("trim()", "`trim` takes 1 argument, not 0");
    fails("order.lines[5]", "there is no item 5 in a list of 2");
    fails("order.number.x", "a text has no field `x`");
    fails("if order.number { 1 }", "a condition must be true or false, and this is a text");
    fails("order.number = 1", "`order` cannot be changed here");
    fails("throw \"no e-mail\"", "no e-mail");
    fails("sleep(10)", "`sleep` is not available in scripts");
    fails("eval(\"1\")", "`eval` is not available in scripts");
    fails("|x| x", "a function cannot be the value of a field");
    fails(
        "let f = || order.number; f.call()",
        "a function that uses variables around it cannot be kept in a variable or given back",
    );
}

#[test]
fn conditions_hold_or_not() {
    let host = host();
    let truth = |text: &str| host.truth(&host.compile_text(text).expect("compiles"), &bindings());
    assert_eq!(truth("order.paid"), Ok(true));
    assert_eq!(truth("order"), Ok(true));
    assert_eq!(truth("order.billing"), Ok(false));
    assert!(matches!(truth("order.number").map_err(|e| e.mistake), Err(Mistake::NotACondition { .. })));
}

#[test]
fn hosts_serve_many_threads() {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<ScriptHost>();
    is_shared::<super::Compiled>();
    is_shared::<Bindings>();
    let (host, bindings) = (host(), bindings());
    let compiled = host.compile_text("my::total(order.lines, order.count)").expect("compiles");
    std::thread::scope(|scope| {
        let work = || (0..20).map(|_| host.evaluate(&compiled, &bindings)).collect::<Vec<_>>();
        for thread in [scope.spawn(work), scope.spawn(work)] {
            for given in thread.join().expect("no panic") {
                assert_eq!(given.map(|value| value.to_string()), Ok("9.30".to_owned()));
            }
        }
    });
}

#[test]
fn layers_of_bindings_come_and_go() {
    let mut bindings = bindings();
    let mark = bindings.mark();
    bindings.set("empty", 1_i64);
    assert_eq!(bindings.get("empty"), Some(&Value::Int(1)));
    bindings.back_to(mark);
    assert_eq!(bindings.get("empty"), Some(&Value::Null));
}

#[test]
fn what_never_ends_is_ended() {
    for text in ["loop {}", "let x = [1]; while true { x[0] = x; }", "let s = \"x\"; loop { s += s; }"] {
        let host = ScriptHost::load(Limits::default(), &[], &[]).expect("nothing to compile");
        let compiled = host.compile_text(text).expect("compiles");
        let error = host.evaluate(&compiled, &Bindings::new()).expect_err(text);
        assert!(matches!(error.mistake, Mistake::Limit { .. }), "{text}: {error}");
    }
}

#[test]
fn expressions_of_a_record_draw_from_one_budget() {
    let host =
        ScriptHost::load(Limits { operations: 1000, ..patient() }, &[], &[]).expect("nothing to compile");
    let compiled = host.compile_text("let n = 0; while n < 50 { n += 1; } n").expect("compiles");
    let mut alone = Bindings::new();
    for _ in 0..20 {
        assert_eq!(host.evaluate(&compiled, &alone), Ok(Value::Int(50)));
    }
    let budget = RecordBudget::new();
    alone.draw_from(budget.clone());
    let bindings = alone.clone();
    let ended = (0..20).find_map(|_| host.evaluate(&compiled, &bindings).err()).expect("it ends");
    assert_eq!(ended.to_string(), "the script reached its limit of operations: 1000");
    assert!(budget.operations() > 900, "{}", budget.operations());
    let mut next = Bindings::new();
    next.draw_from(RecordBudget::new());
    assert_eq!(host.evaluate(&compiled, &next), Ok(Value::Int(50)));
}

#[test]
fn time_is_that_of_the_processor() {
    let limits = Limits { time: Duration::from_millis(20), ..Limits::default() };
    let host = ScriptHost::load(limits, &[], &[]).expect("nothing to compile");
    let endless = host.compile_text("loop {}").expect("compiles");
    let before = super::clock::thread_time();
    let (used, error) = super::with_room(|| {
        let before = super::clock::thread_time();
        let error = host.evaluate(&endless, &Bindings::new()).expect_err("it ends");
        (super::clock::thread_time().saturating_sub(before), error)
    })
    .expect("a thread");
    assert_eq!(error.to_string(), "the script reached its limit of time: 20 ms");
    assert!(used < Duration::from_millis(30), "{used:?}");
    // This thread only waited.
    assert!(super::clock::thread_time().saturating_sub(before) < Duration::from_millis(10));
}

#[test]
fn threads_with_room_keep_their_work() {
    let thread = || std::thread::current().id();
    let (outer, inner) =
        super::with_room(|| (thread(), super::with_room(thread).expect("no thread"))).expect("a thread");
    assert_eq!(outer, inner);
    assert_ne!(outer, thread());
}

/// Each line `call → result` of the library's examples is what happens.
#[test]
fn examples_of_the_library_are_true() {
    for function in functions() {
        let (call, expected) = function.example.split_once(" → ").expect(function.example);
        let (call, expected) = (evaluate(call), evaluate(expected).expect(expected));
        let given = call.unwrap_or_else(|error| panic!("{}: {error}", function.example));
        assert_eq!(given.to_string(), expected.to_string(), "{}", function.example);
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (any::<i64>(), 0u32..12).prop_map(|(number, scale)| Value::Decimal(Decimal::new(number, scale))),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
            prop::collection::vec(("[a-z]{1,6}", inner), 0..5)
                .prop_map(|fields| Value::Map(fields.into_iter().collect())),
        ]
    })
}

fn any_expression() -> impl Strategy<Value = String> {
    let names: Vec<&'static str> = functions().map(|function| function.name).collect();
    let leaf = prop_oneof![
        Just("order".to_owned()),
        Just("order.lines".to_owned()),
        Just("empty".to_owned()),
        Just("payment_method".to_owned()),
        Just("|x| x".to_owned()),
        "[0-9]{1,18}",
        "[0-9]{1,6}\\.[0-9]{1,6}",
        "[a-z%Y. -]{0,8}".prop_map(|text| format!("{text:?}")),
    ];
    leaf.prop_recursive(4, 24, 3, move |inner| {
        let operators =
            prop::sample::select(vec!["+", "-", "*", "/", "%", "**", "==", "<", "??", "&&", "in", ".."]);
        prop_oneof![
            (inner.clone(), operators, inner.clone()).prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
            (prop::sample::select(names.clone()), prop::collection::vec(inner.clone(), 1..4))
                .prop_map(|(name, args)| format!("{name}({})", args.join(", "))),
            inner.clone().prop_map(|item| format!("[{item}]")),
            inner.prop_map(|item| format!("({item}).sku")),
        ]
    })
}

proptest! {
    #[test]
    fn values_come_back_as_they_went(value in any_value()) {
        let limits = Limits::default();
        let back = from_dynamic(&to_dynamic(&value, &limits).expect("not deep"), &limits).expect("not large");
        prop_assert_eq!(back.to_string(), value.to_string());
        prop_assert_eq!(back, value);
    }

    #[test]
    fn sums_of_money_are_exact(a in -1_000_000_000i64..1_000_000_000, b in -1_000_000_000i64..1_000_000_000) {
        let (a, b) = (Decimal::new(a, 2), Decimal::new(b, 2));
        let host = ScriptHost::load(patient(), &[], &[]).expect("nothing to compile");
        let mut bindings = Bindings::new();
        bindings.set("a", a);
        bindings.set("b", b);
        for (text, expected) in [("a + b", a + b), ("b + a", a + b), ("a - b", a - b), ("a * b", a * b), ("a + b - b", a)] {
            let compiled = host.compile_text(text).expect("compiles");
            prop_assert_eq!(host.evaluate(&compiled, &bindings).map(|v| v.as_decimal()), Ok(Some(expected)));
        }
    }

    #[test]
    fn no_expression_breaks_the_host(text in any_expression()) {
        if let Err(error) = evaluate(&text) {
            prop_assert!(!matches!(error.mistake, Mistake::Fault { .. }), "{}: {}", text, error);
            let told = format!("{error} {}", error.help().unwrap_or_default());
            for rust in ["i64", "&str", "ImmutableString", "Dynamic", "FnPtr", "rhai"] {
                prop_assert!(!told.contains(rust), "{}: {}", text, told);
            }
        }
    }
}

#[test]
fn short_evaluations_are_booked_with_the_time_they_took() {
    let (host, mut bindings, budget) = (host(), bindings(), RecordBudget::new());
    bindings.draw_from(budget.clone());
    for text in ["5", "order.number", "order.lines.map(|line| line.price).sum()"] {
        let compiled = host.compile_text(text).expect("it compiles");
        let (before, start) = (budget.time(), std::time::Instant::now());
        host.evaluate(&compiled, &bindings).expect("a value");
        let (booked, passed) = (budget.time().saturating_sub(before), start.elapsed());
        assert!(Duration::ZERO < booked && booked <= passed, "{text}: {booked:?} of {passed:?}");
    }
}

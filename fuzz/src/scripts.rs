//! Expressions, run by Rhai and natively.

use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use connectors::record::{Map, Value, read_json};
use dsl::plan::{Constant, Otherwise, SettingType, Table, TableKey, TableRow};
use engine::script::{
    Bindings, Limits, Mistake, RecordBudget, ScriptError, ScriptFile, ScriptHost, with_room,
};

use crate::expression::Choices;

/// The record when the bytes bring none.
const ORDER: &str = r#"{"number": "0042", "total": 12.10, "count": 3, "paid": true, "note": "", "nothing": null,
    "customer": {"name": " Jan Jansen ", "tags": ["a", "ß", "日本"]},
    "lines": [{"sku": "a", "price": 1.10, "quantity": 2}, {"sku": "b", "price": 2}, {"sku": null}],
    "numbers": [3, 1.5, 2, -1]}"#;

const SCRIPT: &str = r"
const BY = 2;
fn twice(value) { value * global::BY }
fn sum_to(n) { let t = 0; for i in 0..n { if i > 50 { break; } t += i; } t }
fn names(list) { let all = []; for one in list { if one == () { continue; } all.push(`${one}`); } all }
";

/// A host that lowers, and one that does not.
struct Pair {
    native: ScriptHost,
    rhai: ScriptHost,
}

impl Pair {
    fn new(limits: &Limits) -> Self {
        let row = |key: &str, value: &str| TableRow {
            keys: vec![Some(Constant::Text(key.to_owned()))],
            value: Constant::Text(value.to_owned()),
        };
        let codes = Table {
            name: "codes".to_owned(),
            keys: vec![TableKey { name: "key".to_owned(), kind: None }],
            value: SettingType::Text,
            ask: None,
            rows: vec![row("a", "A"), row("0042", "found")],
            otherwise: Otherwise::Keep,
            span: 0..0,
        };
        let script =
            ScriptFile { alias: "my".to_owned(), path: "my.rhai".to_owned(), text: SCRIPT.to_owned() };
        let host = |lowering| {
            let scripts = std::slice::from_ref(&script);
            let tables = std::slice::from_ref(&codes);
            let mut host = ScriptHost::load(limits.clone(), scripts, tables).expect("the script is good");
            host.set_lowering(lowering);
            host
        };
        engine::memory::watch_scripts();
        Self { native: host(true), rhai: host(false) }
    }
}

/// Every text is worth a try, none a long one.
static SHORT: LazyLock<Pair> =
    LazyLock::new(|| Pair::new(&Limits::default().with_time(Duration::from_millis(20))));

/// Limits that depend on nothing but the expression: time is there for all.
static PATIENT: LazyLock<Pair> = LazyLock::new(|| {
    let limits = Limits { operations: 20_000, memory: 256 << 20, ..Limits::default() };
    Pair::new(&Limits { time: Duration::from_mins(1), ..limits })
});

fn bindings(order: &str) -> Option<Bindings> {
    let order = read_json(&Bytes::copy_from_slice(order.as_bytes())).ok()?;
    let mut bindings = Bindings::new();
    bindings.set("order", order);
    bindings.set("n", 7_i64);
    bindings.set("item", "a");
    bindings.set("v", Value::Null);
    Some(bindings)
}

fn in_room<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    with_room(work).expect("a thread")
}

/// Any text as an expression over one record, natively as far as it can be, and by Rhai: no panic,
/// no fault, an end within the limits.
pub fn script(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let pair = &*SHORT;
    let Some(mut bindings) = bindings(ORDER) else { return };
    for host in [&pair.native, &pair.rhai] {
        let budget = RecordBudget::new();
        bindings.draw_from(budget.clone());
        let given = in_room(|| host.evaluate(&host.compile_text(text)?, &bindings));
        if let Err(error) = given {
            assert!(!matches!(error.mistake, Mistake::Fault { .. }), "{error}");
        }
        assert!(budget.operations() <= host.limits().operations, "operations");
        assert!(budget.peak() <= host.limits().memory, "memory");
    }
}

/// An expression and a record gives natively what it gives in Rhai, value or mistake. Bytes that
/// begin with a blank are taken as they are, the record after a line of `---`; others are choices
/// of which an expression is made.
pub fn lowering(bytes: &[u8]) {
    let written = bytes.first() == Some(&b' ');
    let (text, order) = if written {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let (text, order) = text.split_once("\n---\n").unwrap_or((text, ORDER));
        (text.trim().to_owned(), order)
    } else {
        (Choices::new(bytes).expression(), ORDER)
    };
    let Some(bindings) = bindings(order) else { return };
    in_room(|| agree(&text, &bindings));
}

fn agree(text: &str, bindings: &Bindings) {
    let pair = &*PATIENT;
    let (native, rhai) = match (pair.native.compile_text(text), pair.rhai.compile_text(text)) {
        (Ok(native), Ok(rhai)) => (native, rhai),
        (native, rhai) => {
            assert_eq!(native.err(), rhai.err(), "{text}");
            return;
        }
    };
    if native.lowered().is_err() {
        return;
    }
    let (given, expected) = (pair.native.evaluate(&native, bindings), pair.rhai.evaluate(&rhai, bindings));
    // Lowered code needs fewer operations, and gets further.
    let stopped = |outcome: &Result<Value, ScriptError>| matches!(outcome, Err(error) if matches!(error.mistake, Mistake::Limit { .. }));
    if stopped(&given) || stopped(&expected) {
        return;
    }
    match (&given, &expected) {
        (Ok(given), Ok(expected)) => {
            assert_eq!(format!("{:?}", sorted(given)), format!("{:?}", sorted(expected)), "{text}");
        }
        _ => assert_eq!(given, expected, "{text}"),
    }
    let (truth, expected) = (pair.native.truth(&native, bindings), pair.rhai.truth(&rhai, bindings));
    assert_eq!(truth, expected, "{text}");
}

/// With fields in the order of their names.
fn sorted(value: &Value) -> Value {
    match value {
        Value::List(items) => Value::List(items.iter().map(sorted).collect()),
        Value::Map(map) => {
            let mut fields: Vec<_> = map.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            fields.sort_by(|(left, _), (right, _)| left.cmp(right));
            Value::Map(fields.into_iter().collect::<Map>())
        }
        other => other.clone(),
    }
}

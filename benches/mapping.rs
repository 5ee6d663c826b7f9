//! What it costs to make one record of another: our mapping beside code written by hand.
//!
//! An order of 1.2 KB in, 23 fields and a loop over its lines, about 1 KB out. All roads are taken
//! in turn in every round and give the same record; what counts is the ratio to hand-written code
//! over `serde_json::Value` in the same run. See `docs/performance.md`.
#![allow(missing_docs, reason = "a program for measuring")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a program for measuring"
)]

mod hand;

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use connectors::record::{Value, read_json};
use dsl::plan::{
    Constant, Expr, FieldLine, FieldValue, On, Otherwise, SettingType, Table, TableKey, TableRow,
};
use engine::mapping;
use engine::program::{Line, compile_lines};
use engine::script::{Bindings, Limits, ScriptHost, mark_roomy};

const ORDER: &str = include_str!("order.json").trim_ascii_end();

/// Field, and what it is made from.
const FIELDS: &[(&str, &str)] = &[
    ("external_id", "order.id"),
    ("reference", "`WEB-${order.number}`"),
    ("order_date", "format_date(order.created_at, \"%d-%m-%Y\")"),
    ("state", "if order.status == \"paid\" { \"open\" } else { \"waiting\" }"),
    ("currency", "order.currency ?? \"EUR\""),
    ("customer_number", "order.customer.id"),
    (
        "customer_name",
        "or_nothing(order.customer.company) ?? `${order.customer.first_name} ${order.customer.last_name}`",
    ),
    ("email", "to_lower(order.customer.email)"),
    ("phone", "order.customer.phone.replace(\" \", \"\")"),
    ("language", "to_upper(order.customer.language ?? \"nl\")"),
    ("invoice_street", "`${order.billing.street} ${order.billing.number}${order.billing.suffix ?? \"\"}`"),
    ("invoice_postcode", "to_upper(order.billing.postcode)"),
    ("invoice_city", "order.billing.city"),
    (
        "delivery_street",
        "`${order.shipping.street} ${order.shipping.number}${order.shipping.suffix ?? \"\"}`",
    ),
    ("delivery_postcode", "to_upper(order.shipping.postcode)"),
    ("delivery_city", "order.shipping.city"),
    ("country", "country_code[order.shipping.country]"),
    ("payment_method", "payment_method[order.payment.method]"),
    ("payment_reference", "order.payment?.transaction"),
    ("discount", "order.discount?.amount ?? 0"),
    ("shipping_costs", "order.shipping_costs"),
    ("remark", "trim(order.note ?? \"\")"),
    (
        "total",
        "order.lines.sum(|line| line.price * line.quantity) + order.shipping_costs - (order.discount?.amount ?? 0)",
    ),
];

/// The fields of each line.
const LINE: &[(&str, &str)] = &[
    ("article", "line.sku"),
    ("description", "line.name"),
    ("quantity", "line.quantity"),
    ("price", "line.price"),
    ("vat_code", "vat_code[line.vat]"),
    ("total", "line.price * line.quantity"),
];

fn expr(text: &str) -> Expr {
    Expr { rhai: text.to_owned(), span: 0..0, inserted: Vec::new() }
}

fn line(field: &str, value: FieldValue) -> FieldLine {
    FieldLine { field: field.to_owned(), value, on: On::Always, when: None, span: 0..0 }
}

fn lines(fields: &[(&str, &str)]) -> Vec<FieldLine> {
    fields.iter().map(|(field, text)| line(field, FieldValue::Expr(expr(text)))).collect()
}

fn tables() -> Vec<Table> {
    let text = |text: &str| Constant::Text(text.to_owned());
    let table = |name: &str, rows: &[(Constant, &str)], otherwise| Table {
        name: name.to_owned(),
        keys: vec![TableKey { name: "key".to_owned(), kind: None }],
        value: SettingType::Text,
        ask: None,
        rows: rows
            .iter()
            .map(|(key, value)| TableRow { keys: vec![Some(key.clone())], value: text(value) })
            .collect(),
        otherwise,
        span: 0..0,
    };
    vec![
        table(
            "country_code",
            &[(text("NL"), "528"), (text("BE"), "056"), (text("DE"), "276")],
            Otherwise::Fail,
        ),
        table("payment_method", &[(text("creditcard"), "CC"), (text("ideal"), "IDEAL")], Otherwise::Fail),
        table(
            "vat_code",
            &[(Constant::Integer(21), "H"), (Constant::Integer(9), "L"), (Constant::Integer(0), "N")],
            Otherwise::Fail,
        ),
    ]
}

/// A flow's mapping, lowered or not.
struct Ours {
    host: ScriptHost,
    lines: Vec<Line>,
}

impl Ours {
    fn new(lowering: bool) -> Self {
        let mut host = ScriptHost::load(Limits::default(), &[], &tables()).expect("no scripts");
        host.set_lowering(lowering);
        let mut all = lines(FIELDS);
        let each =
            FieldValue::Each { name: "line".to_owned(), list: expr("order.lines"), fields: lines(LINE) };
        all.push(line("lines", each));
        let lines = compile_lines(&all, &host).expect("the mapping compiles");
        Self { host, lines }
    }

    fn map(&self, page: &Bytes, out: &mut Vec<u8>) {
        let order = read_json(page).expect("JSON");
        let mut bindings = Bindings::new();
        bindings.set("order", order);
        let record = mapping::record(&self.host, &self.lines, &bindings, true).expect("the mapping works");
        record.write_json(out);
    }
}

type Road<'r> = (&'static str, Box<dyn Fn(&mut Vec<u8>) + 'r>);

fn main() {
    mark_roomy();
    let page = Bytes::from_static(ORDER.as_bytes());
    let (lowered, plain) = (Ours::new(true), Ours::new(false));
    let order = read_json(&page).expect("JSON");
    let mut bound = Bindings::new();
    bound.set("order", order.clone());
    let made = mapping::record(&lowered.host, &lowered.lines, &bound, true).expect("the mapping works");
    let roads: Vec<Road<'_>> = vec![
        ("hand-written over serde_json::Value", Box::new(|out| hand::over_values(ORDER.as_bytes(), out))),
        ("hand-written, typed structs", Box::new(|out| hand::typed(ORDER.as_bytes(), out))),
        ("Weft", Box::new(|out| lowered.map(&page, out))),
        ("Weft, WEFT_NO_LOWERING=1", Box::new(|out| plain.map(&page, out))),
        (
            "  only reading, serde_json::Value",
            Box::new(|_| drop(black_box(serde_json::from_slice::<serde_json::Value>(ORDER.as_bytes())))),
        ),
        ("  only reading, Weft", Box::new(|_| drop(black_box(read_json(&page))))),
        (
            "  only mapping, Weft",
            Box::new(|_| {
                drop(black_box(mapping::record(&lowered.host, &lowered.lines, &bound, true)));
            }),
        ),
        ("  only writing, Weft", Box::new(|out| made.write_json(out))),
    ];
    agree(&roads);
    println!("{} bytes in, {} bytes out", ORDER.len(), made.to_string().len());
    if let Some(only) = std::env::args().nth(1).filter(|arg| !arg.starts_with('-')) {
        profile(&roads, &only);
        return;
    }
    measure(&roads);
}

/// All roads make the same record.
fn agree(roads: &[Road<'_>]) {
    let made = |at: usize| {
        let mut out = Vec::new();
        (roads[at].1)(&mut out);
        read_json(&out.into()).expect("JSON")
    };
    let first: Value = made(0);
    for (at, road) in roads.iter().enumerate().take(4) {
        let given = made(at);
        assert!(given.says_the_same_as(&first), "{}:\n{given}\n{first}", road.0);
    }
}

/// Runs one road for a profiler.
fn profile(roads: &[Road<'_>], only: &str) {
    let mut out = Vec::with_capacity(4096);
    let times = std::env::args().nth(2).and_then(|times| times.parse().ok()).unwrap_or(200_000);
    for (_, run) in roads.iter().filter(|(name, _)| name.trim() == only) {
        for _ in 0..times {
            out.clear();
            run(&mut out);
        }
    }
}

/// Time that this thread was running: other programs on the machine do not count.
fn on_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

fn measure(roads: &[Road<'_>]) {
    const ROUNDS: usize = 41;
    let mut out = Vec::with_capacity(4096);
    let mut time = |run: &dyn Fn(&mut Vec<u8>), times: u32| -> Duration {
        let start = on_cpu();
        for _ in 0..times {
            out.clear();
            run(&mut out);
            black_box(&out);
        }
        on_cpu().saturating_sub(start) / times
    };
    for (_, run) in roads {
        time(run, 300);
    }
    let mut taken: Vec<Vec<Duration>> = vec![Vec::new(); roads.len()];
    for _ in 0..ROUNDS {
        for (at, (_, run)) in roads.iter().enumerate() {
            taken[at].push(time(run, 400));
        }
    }
    // The ratio is taken within each round: a busy machine slows both.
    let median = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    };
    println!("{:<40} {:>10} {:>8}", "", "ns", "ratio");
    for (at, (name, _)) in roads.iter().enumerate() {
        let ratios =
            taken[at].iter().zip(&taken[0]).map(|(own, first)| own.as_secs_f64() / first.as_secs_f64());
        let ratio = median(ratios.collect());
        let nanoseconds = median(taken[at].iter().map(Duration::as_secs_f64).collect()) * 1e9;
        println!("{name:<40} {nanoseconds:>10.0} {ratio:>8.2}");
    }
}

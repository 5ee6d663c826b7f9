//! What it costs to map a file of orders into a file of other orders: `weft run` beside code
//! written by hand.
//!
//! Orders of 1.1 KB a line in, 23 fields and a loop over their lines, about 1 KB a line out. Each
//! road is a process of its own, so that processor time and peak memory are those of the whole
//! program, start, ledger and all; the roads take turns, and their outputs are compared record by
//! record. `cargo bench -p benches --bench map_file -- 100000 5`: orders, rounds. The program `weft`
//! of the same profile has to be there. See `docs/performance.md`.
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

use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use serde_json::Value;

const ORDER: &str = include_str!("order.json");

const FLOW: &str = include_str!("map_file.flow");

/// The file that is written, as the project describes it.
const MADE: &str = r#"about = "Orders as the ledger takes them."
file = "made.ndjson"
key = "external_id"

[fields]
external_id = { type = "integer", about = "Number in the shop." }
reference = { type = "text", about = "Number that customers see." }
order_date = { type = "text", about = "Day of the order." }
state = { type = "text", about = "State." }
currency = { type = "text", about = "Currency." }
customer_number = { type = "integer", about = "Customer." }
customer_name = { type = "text", about = "Name." }
email = { type = "text", about = "E-mail." }
phone = { type = "text", about = "Telephone." }
language = { type = "text", about = "Language." }
invoice_street = { type = "text", about = "Street." }
invoice_postcode = { type = "text", about = "Postcode." }
invoice_city = { type = "text", about = "City." }
delivery_street = { type = "text", about = "Street." }
delivery_postcode = { type = "text", about = "Postcode." }
delivery_city = { type = "text", about = "City." }
country = { type = "text", about = "Country." }
payment_method = { type = "text", about = "Method." }
payment_reference = { type = "text", about = "Reference." }
discount = { type = "decimal", about = "Discount." }
shipping_costs = { type = "decimal", about = "Costs." }
remark = { type = "text", about = "Remark." }
total = { type = "decimal", about = "Total." }
lines = { type = "list", about = "Lines." }
"#;

const PROJECT: &str = "[connections.inbox]\nsystem = \"files\"\nfolder = \"in\"\n\n\
    [connections.outbox]\nsystem = \"files\"\nfolder = \"out\"\n\n[flows.map]\nfile = \"map.flow\"\n";

/// A way from one file to the other.
#[derive(Clone, Copy, PartialEq)]
enum Road {
    Value,
    Typed,
    Weft,
}

/// What a process used.
struct Used {
    cpu: f64,
    wall: f64,
    peak: f64,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    match args.first().map(String::as_str) {
        Some("--value") => by_hand(&args[1], &args[2], hand::over_values),
        Some("--typed") => by_hand(&args[1], &args[2], hand::typed),
        // A child of its own, because a process only knows what all its children used together.
        Some("--measure") => measured(&args[1..]),
        first => {
            let orders = first.map_or(100_000, |text| text.parse().expect("a number of orders"));
            let rounds = args.get(1).map_or(5, |text| text.parse().expect("a number of rounds"));
            compare(orders, rounds);
        }
    }
}

fn by_hand(from: &str, to: &str, map: fn(&[u8], &mut Vec<u8>)) {
    let mut from = BufReader::with_capacity(1 << 16, File::open(from).unwrap());
    let mut to = BufWriter::with_capacity(1 << 16, File::create(to).unwrap());
    let (mut line, mut out) = (Vec::new(), Vec::new());
    while from.read_until(b'\n', &mut line).unwrap() > 0 {
        map(&line, &mut out);
        out.push(b'\n');
        to.write_all(&out).unwrap();
        line.clear();
        out.clear();
    }
    // What was written by hand is on the disk as well when it says that it is done.
    to.flush().unwrap();
    to.get_ref().sync_data().unwrap();
}

fn measured(command: &[String]) {
    let begin = Instant::now();
    let done = Command::new(&command[0]).args(&command[1..]).stdout(Stdio::null()).status().unwrap();
    let wall = begin.elapsed().as_secs_f64();
    assert!(done.success(), "{command:?}: {done}");
    let used = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let cpu = used.user_time().num_microseconds() + used.system_time().num_microseconds();
    println!("{cpu} {wall} {}", used.max_rss());
}

/// The program `weft`, built with the profile of this one.
fn weft() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let path = own.parent().and_then(Path::parent).unwrap().join("weft");
    assert!(path.exists(), "build it first: cargo build --release -p engine (looked for {})", path.display());
    path
}

fn run(road: Road, folder: &Path) -> Used {
    let own = std::env::current_exe().unwrap();
    let (from, to) = (folder.join("in/orders.ndjson"), folder.join("out/made.ndjson"));
    let _ = std::fs::remove_dir_all(folder.join("out"));
    let _ = std::fs::remove_dir_all(folder.join(".weft"));
    std::fs::create_dir(folder.join("out")).unwrap();
    std::fs::write(folder.join("out/made.schema.toml"), MADE).unwrap();
    let mut command = Command::new(&own);
    command.arg("--measure");
    match road {
        Road::Value => command.arg(&own).arg("--value").args([&from, &to]),
        Road::Typed => command.arg(&own).arg("--typed").args([&from, &to]),
        Road::Weft => command.arg(weft()).arg("--project").arg(folder).arg("run"),
    };
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let parts: Vec<f64> = text.split_whitespace().map(|part| part.parse().unwrap()).collect();
    assert_eq!(parts.len(), 3, "{}", String::from_utf8_lossy(&output.stderr));
    let unit = 1024.0;
    Used { cpu: parts[0] / 1e6, wall: parts[1], peak: parts[2] / unit }
}

fn compare(orders: usize, rounds: usize) {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("in")).unwrap();
    std::fs::write(folder.join("weft.toml"), PROJECT).unwrap();
    std::fs::write(folder.join("map.flow"), FLOW).unwrap();
    let mut from = BufWriter::new(File::create(folder.join("in/orders.ndjson")).unwrap());
    for number in 0..orders {
        // Seven digits each, as in the order that serves as a pattern.
        let order = ORDER.trim_end().replace("48213", &(10_000_000 + number).to_string());
        writeln!(from, "{order}").unwrap();
    }
    from.flush().unwrap();
    drop(from);
    let roads = [
        (Road::Value, "hand-written over serde_json::Value"),
        (Road::Typed, "hand-written, typed structs"),
        (Road::Weft, "weft run"),
    ];
    let only = std::env::var("ONLY").ok();
    let mut used: Vec<Vec<Used>> = roads.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds {
        for (at, (road, name)) in roads.iter().enumerate() {
            if only.as_deref().is_some_and(|only| !name.contains(only)) {
                continue;
            }
            used[at].push(run(*road, folder));
            if round == 0 {
                keep_or_compare(folder, *road, orders);
            }
        }
    }
    println!("{orders} orders, medians of {rounds} rounds");
    println!("{:<38} {:>9} {:>9} {:>9} {:>9}", "", "CPU µs", "ratio", "wall µs", "peak MiB");
    for (at, (_, name)) in roads.iter().enumerate().filter(|(at, _)| !used[*at].is_empty()) {
        #[expect(clippy::cast_precision_loss, reason = "a number of orders")]
        let each = 1e6 / orders as f64;
        let cpu = median(used[at].iter().map(|used| used.cpu * each));
        let wall = median(used[at].iter().map(|used| used.wall * each));
        let peak = median(used[at].iter().map(|used| used.peak));
        // The ratio is taken within each round: a busy machine slows both.
        let ratio = median(used[at].iter().zip(&used[0]).map(|(own, first)| own.cpu / first.cpu));
        println!("{name:<38} {cpu:>9.2} {ratio:>9.2} {wall:>9.2} {peak:>9.1}");
    }
}

/// All roads make the same records in the same order.
fn keep_or_compare(folder: &Path, road: Road, orders: usize) {
    let (made, first) = (folder.join("out/made.ndjson"), folder.join("first.ndjson"));
    if road == Road::Value {
        std::fs::rename(made, first).unwrap();
        return;
    }
    let lines = |path: &Path| BufReader::new(File::open(path).unwrap()).lines().map(Result::unwrap);
    let mut count = 0;
    if !first.exists() {
        return;
    }
    for (own, other) in lines(&made).zip(lines(&first)) {
        let (own, other): (Value, Value) =
            (serde_json::from_str(&own).unwrap(), serde_json::from_str(&other).unwrap());
        assert!(says_the_same(&own, &other), "{own}\n{other}");
        count += 1;
    }
    assert_eq!(count, orders, "as many records as there are orders");
    assert_eq!(lines(&made).count(), orders, "and no more");
}

/// 5.0 and 5.00 are one number, and nothing is as good as the empty text.
fn says_the_same(own: &Value, other: &Value) -> bool {
    let nothing = |value: &Value| value.is_null() || value == "";
    match (own, other) {
        (Value::Object(own), Value::Object(other)) => {
            let each = |(name, value): (&String, &Value)| {
                says_the_same(value, other.get(name).unwrap_or(&Value::Null))
            };
            own.iter().all(each) && other.iter().all(|(name, value)| own.contains_key(name) || nothing(value))
        }
        (Value::Array(own), Value::Array(other)) => {
            own.len() == other.len() && own.iter().zip(other).all(|(own, other)| says_the_same(own, other))
        }
        (Value::Number(own), Value::Number(other)) => own.as_f64() == other.as_f64(),
        _ => own == other || (nothing(own) && nothing(other)),
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

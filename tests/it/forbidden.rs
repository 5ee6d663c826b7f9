//! Scripts that try to break out, each in a process of its own, with lowering and without: every
//! one ends in a clear error within the limits, leaves nothing behind, and the record after it is
//! evaluated as if nothing had happened.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use connectors::record::{Map, Value, read_json};
use dsl::plan::{Constant, Otherwise, SettingType, Table, TableKey, TableRow};
use engine::memory::taken;
use engine::script::{Bindings, Compiled, Limits, Mistake, ScriptError, ScriptFile, ScriptHost, with_room};
use rust_decimal::Decimal;

/// Names the attack to the process that runs it.
const ATTACK: &str = "WEFT_FORBIDDEN";

/// Tells that process to lower nothing.
const IN_RHAI: &str = "WEFT_NO_LOWERING";

/// The attacks of this class are lowered whole.
const LOWERED: &str = "lowered";

/// Processes side by side.
const TOGETHER: usize = 3;

/// What an attack may take beyond its limit: the operation under way when the limit is reached,
/// which takes several times as long in a build without optimisation.
const SLACK: Duration = Duration::from_millis(if cfg!(debug_assertions) { 80 } else { 5 });

/// How often an attack that took too long is tried: whatever else the machine does only adds to
/// what it takes, so the least is what it took.
const TRIES: usize = 3;

/// How often each attack of a class is tried in one process.
const ROUNDS: usize = 50;

/// KiB by which the process may be larger in the second half of the rounds than in the first.
const MOST_GROWN: i64 = 1024;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/script/forbidden")
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

/// What one attack came to.
#[derive(Debug)]
struct Outcome {
    name: String,
    told: String,
    in_rhai: bool,
    /// Processor time of loading and of running.
    load: Duration,
    run: Duration,
    /// Most KiB resident since the process began its work, beyond what was resident then.
    peak: u64,
    /// Bytes not returned.
    left: i64,
}

impl Outcome {
    fn is_late(&self) -> bool {
        self.load.max(self.run) > Limits::default().time + SLACK
    }
}

#[test]
fn every_attack_ends_within_the_limits() {
    let limits = Limits::default();
    let (mut count, mut all, mut faults) = (0, Vec::new(), String::new());
    for class in sorted(&folder()) {
        let class_name = name(&class);
        let attacks = sorted(&class);
        let (natively, in_rhai) = (run_class(&attacks, false), run_class(&attacks, true));
        let mut golden = String::new();
        // In Rhai the words may be others; what has to hold is the same.
        for one in &natively {
            writeln!(golden, "{}: {}", one.name, one.told).unwrap();
        }
        count += attacks.len();
        let outcomes: Vec<Outcome> = natively.into_iter().chain(in_rhai).collect();
        for one in &outcomes {
            let mut fault = |what: &str| writeln!(faults, "{class_name}/{what}: {one:?}").unwrap();
            if one.is_late() {
                fault("time");
            }
            if one.peak > limits.memory as u64 / 1024 {
                fault("memory");
            }
            if one.left > 64 * 1024 {
                fault("leak");
            }
            if one.told.contains("S099") || one.told.len() > 1200 {
                fault("message");
            }
        }
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!(format!("forbidden_{class_name}"), golden);
        });
        all.extend(outcomes.into_iter().map(|one| (class_name.clone(), one)));
    }
    report("slowest", &mut all, |one| (one.load.max(one.run)).as_millis());
    report("largest", &mut all, |one| one.peak.into());
    report("most left", &mut all, |one| u128::try_from(one.left).unwrap_or(0));
    assert!(faults.is_empty(), "{faults}");
    assert!(count >= 150, "{count} attacks");
}

fn report(what: &str, all: &mut [(String, Outcome)], by: impl Fn(&Outcome) -> u128) {
    all.sort_by_key(|(_, one)| std::cmp::Reverse(by(one)));
    println!("{what}:");
    for (class, one) in all.iter().take(12) {
        println!(
            "  {class}/{}{}: load {:?}, run {:?}, {} KiB, left {}",
            one.name,
            if one.in_rhai { " (in Rhai)" } else { "" },
            one.load,
            one.run,
            one.peak,
            one.left
        );
    }
}

fn run_class(attacks: &[PathBuf], in_rhai: bool) -> Vec<Outcome> {
    let share = attacks.len().div_ceil(TOGETHER);
    std::thread::scope(|scope| {
        let run =
            |attacks: &[PathBuf]| attacks.iter().map(|attack| start(attack, in_rhai)).collect::<Vec<_>>();
        let running: Vec<_> = attacks.chunks(share).map(|part| scope.spawn(move || run(part))).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

fn start(attack: &Path, in_rhai: bool) -> Outcome {
    let once = || {
        let told = child("one_attack", attack, in_rhai);
        parsed(told.lines().find_map(|line| line.strip_prefix("end ")).unwrap(), in_rhai)
    };
    let mut outcome = once();
    for _ in 1..TRIES {
        if !outcome.is_late() {
            break;
        }
        let again = once();
        if again.load.max(again.run) < outcome.load.max(outcome.run) {
            outcome = again;
        }
    }
    outcome
}

/// What a process of its own prints.
fn child(test: &str, attack: &Path, in_rhai: bool) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            format!("forbidden::{test}").as_str(),
            "--exact",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(ATTACK, attack)
        .env(IN_RHAI, if in_rhai { "1" } else { "0" })
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}: the process ended with {}:\n{}",
        attack.display(),
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn parsed(line: &str, in_rhai: bool) -> Outcome {
    let mut parts = line.splitn(6, '\t');
    let mut next = || parts.next().unwrap();
    let micros = |text: &str| Duration::from_micros(text.parse().unwrap());
    Outcome {
        left: next().parse().unwrap(),
        name: next().to_owned(),
        in_rhai,
        load: micros(next()),
        run: micros(next()),
        peak: next().parse().unwrap(),
        told: next().to_owned(),
    }
}

/// What an attack is given: a record, and a table, for those that have use for them.
struct Victim {
    bindings: Bindings,
    tables: Vec<Table>,
}

impl Victim {
    fn new() -> Self {
        let lines: Vec<Value> = (0_i64..500)
            .map(|n| {
                let price = Value::Decimal(Decimal::new(n, 2));
                Value::Map(
                    [("sku", Value::from(format!("row {n}"))), ("price", price), ("quantity", Value::Int(2))]
                        .into_iter()
                        .collect::<Map>(),
                )
            })
            .collect();
        let wide: Map = (0_i64..2000).map(|n| (format!("field_{n}"), Value::Int(n))).collect();
        let order: Map = [
            ("note", Value::from("a fine day for a fair ".repeat(4000))),
            ("lines", Value::List(lines)),
            ("wide", Value::Map(wide)),
        ]
        .into_iter()
        .collect();
        let mut bindings = Bindings::new();
        bindings.set("order", Value::Map(order));
        let row = |n: i64| TableRow {
            keys: vec![Some(Constant::Text(format!("row {n}")))],
            value: Constant::Integer(n),
        };
        let codes = Table {
            name: "codes".into(),
            keys: vec![TableKey { name: "key".into(), kind: None }],
            value: SettingType::Integer,
            ask: None,
            rows: (0..2000).map(row).collect(),
            otherwise: Otherwise::Value(Constant::Integer(0)),
            span: 0..0,
        };
        Self { bindings, tables: vec![codes] }
    }

    /// Loads a script, and the expression that calls its attack with what it takes.
    fn load(&self, path: &Path, limits: Limits) -> Result<(ScriptHost, Compiled), ScriptError> {
        let text = fs::read_to_string(path).unwrap();
        let takes = |arguments: &&str| text.contains(&format!("fn attack({arguments})"));
        let call = format!("it::attack({})", ["order, codes", "order"].into_iter().find(takes).unwrap_or(""));
        let script = ScriptFile { alias: "it".into(), path: name(path), text };
        let host = ScriptHost::load(limits, &[script], &self.tables)?;
        let compiled = host.compile_text(&call)?;
        if path.parent().unwrap().ends_with(LOWERED) && std::env::var(IN_RHAI).as_deref() == Ok("0") {
            assert_eq!(host.not_lowered(), []);
            assert!(compiled.lowered().is_ok(), "{call}");
        }
        Ok((host, compiled))
    }
}

/// What the child does. Not a test of its own: the test above starts it.
#[test]
#[ignore = "started by the test above"]
fn one_attack() {
    let Some(path) = std::env::var_os(ATTACK) else { return };
    with_room(|| {
        engine::memory::watch_scripts();
        calm();
        let bytes = in_use();
        let victim = Victim::new();
        let told = attack(&victim, Path::new(&path), status("VmRSS"));
        // Goes with the record: the form of it that Rhai reads is made when it is first wanted.
        drop(victim);
        let left = in_use() - bytes - i64::try_from(told.capacity()).unwrap();
        println!("\nend {}\t{}", left, told);
        calm();
    })
    .unwrap();
}

fn attack(victim: &Victim, path: &Path, resident: u64) -> String {
    // The peak that is read below begins here.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let time = processor_time();
    let mut loaded = None;
    let outcome = victim.load(path, Limits::default()).and_then(|(host, compiled)| {
        loaded = Some(processor_time());
        host.evaluate(&compiled, &victim.bindings)
    });
    let told = told(outcome, loaded.is_some());
    let loaded = loaded.unwrap_or_else(processor_time);
    format!(
        "{}\t{}\t{}\t{}\t{told}",
        name(path),
        (loaded.checked_sub(time).unwrap()).as_micros(),
        (processor_time().checked_sub(loaded).unwrap()).as_micros(),
        status("VmHWM").saturating_sub(resident),
    )
}

/// Attacks one after the other leave nothing behind with the process, not even pages that the
/// allocator keeps for later: after the first rounds it stays as large as it is.
#[test]
fn repeated_attacks_leave_no_memory() {
    let mut faults = String::new();
    let classes = sorted(&folder());
    let share = classes.len().div_ceil(TOGETHER);
    let told: Vec<String> = std::thread::scope(|scope| {
        let run = |classes: &[PathBuf]| -> Vec<String> {
            let both = classes.iter().flat_map(|class| [(class, false), (class, true)]);
            both.map(|(class, in_rhai)| child("one_class_again_and_again", class, in_rhai)).collect()
        };
        let running: Vec<_> = classes.chunks(share).map(|part| scope.spawn(move || run(part))).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    for line in told.iter().flat_map(|told| told.lines()).filter_map(|line| line.strip_prefix("grown ")) {
        println!("{line}");
        let grown: i64 = line.split_whitespace().next().unwrap().parse().unwrap();
        if grown > MOST_GROWN {
            writeln!(faults, "{line}").unwrap();
        }
    }
    assert!(faults.is_empty(), "KiB grown:\n{faults}");
}

/// What the child does. Not a test of its own: the test above starts it.
#[test]
#[ignore = "started by the test above"]
fn one_class_again_and_again() {
    let Some(class) = std::env::var_os(ATTACK) else { return };
    with_room(|| {
        engine::memory::watch_scripts();
        let (victim, attacks) = (Victim::new(), sorted(Path::new(&class)));
        // Small limits: what counts is how often.
        let limits = Limits::default().with_memory(8 << 20).with_time(Duration::from_millis(1));
        let load = |attack: &PathBuf| victim.load(attack, limits.clone()).map_err(|_| attack.clone());
        let loaded: Vec<_> = attacks.iter().map(load).collect();
        let mut sizes = Vec::new();
        for _ in 0..ROUNDS {
            for attack in &loaded {
                match attack {
                    Ok((host, compiled)) => drop(host.evaluate(compiled, &victim.bindings)),
                    Err(refused) => drop(load(refused)),
                }
            }
            sizes.push(i64::try_from(status("VmRSS")).unwrap());
        }
        let settled = *sizes[..ROUNDS / 2].iter().max().unwrap();
        let end = *sizes[ROUNDS / 2..].iter().min().unwrap();
        println!(
            "\ngrown {} KiB: {} {}, {} KiB after the first round, {settled} at most in the first half, {end} at least in the second",
            end - settled,
            name(Path::new(&class)),
            std::env::var(IN_RHAI).unwrap(),
            sizes[0],
        );
    })
    .unwrap();
}

/// In one line. Which of the limits a running script meets first depends on the machine.
fn told(outcome: Result<Value, ScriptError>, running: bool) -> String {
    match outcome {
        Ok(value) => format!("gives {:.100}", value.to_string()),
        Err(error) if running && matches!(error.mistake, Mistake::Limit { .. }) => {
            assert!(error.to_string().starts_with("the script reached its limit of "));
            format!("{} the script reached a limit", error.code())
        }
        Err(error) => format!("{} {error}", error.code()).replace('\n', " "),
    }
}

/// The record after the attack.
fn calm() {
    let order = br#"{"lines": [{"price": 1.10, "quantity": 2}, {"price": 2, "quantity": 1}]}"#;
    let mut bindings = Bindings::new();
    bindings.set("order", read_json(&bytes::Bytes::from_static(order)).unwrap());
    let host = ScriptHost::load(Limits::default(), &[], &[]).unwrap();
    let compiled = host.compile_text("order.lines.sum(|line| line.price * line.quantity)").unwrap();
    assert_eq!(host.evaluate(&compiled, &bindings).unwrap().to_string(), "4.20");
}

fn in_use() -> i64 {
    let taken = taken();
    i64::try_from(taken.bytes).unwrap() - i64::try_from(taken.returned).unwrap()
}

fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap(), time.tv_nsec.try_into().unwrap())
}

/// KiB, from what Linux tells about this process.
fn status(field: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

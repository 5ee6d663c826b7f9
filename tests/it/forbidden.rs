//! Scripts that try to break out, each in a process of its own: every one ends in a clear error
//! within the limits, leaves nothing behind, and the record after it is evaluated as if nothing
//! had happened.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use connectors::record::{Value, read_json};
use engine::memory::taken;
use engine::script::{Bindings, Limits, Mistake, ScriptError, ScriptFile, ScriptHost, with_room};

/// Names the attack to the process that runs it.
const ATTACK: &str = "WEFT_FORBIDDEN";

/// Processes side by side.
const TOGETHER: usize = 3;

/// What an attack may take beyond its limit: the operation under way when the limit is reached,
/// which takes several times as long in a build without optimisation.
const SLACK: Duration = Duration::from_millis(if cfg!(debug_assertions) { 80 } else { 5 });

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
    /// Processor time of loading and of running.
    load: Duration,
    run: Duration,
    /// Most KiB resident since the process began its work, beyond what was resident then.
    peak: u64,
    /// Bytes not returned.
    left: i64,
}

#[test]
fn every_attack_ends_within_the_limits() {
    let limits = Limits::default();
    let (mut count, mut all, mut faults) = (0, Vec::new(), String::new());
    for class in sorted(&folder()) {
        let class_name = name(&class);
        let outcomes = run_class(&class);
        let mut golden = String::new();
        for one in &outcomes {
            writeln!(golden, "{}: {}", one.name, one.told).unwrap();
            let mut fault = |what: &str| writeln!(faults, "{class_name}/{what}: {one:?}").unwrap();
            if one.run > limits.time + SLACK || one.load > limits.time + SLACK {
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
        count += outcomes.len();
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
            "  {class}/{}: load {:?}, run {:?}, {} KiB, left {}",
            one.name, one.load, one.run, one.peak, one.left
        );
    }
}

fn run_class(class: &Path) -> Vec<Outcome> {
    let attacks = sorted(class);
    let share = attacks.len().div_ceil(TOGETHER);
    std::thread::scope(|scope| {
        let run = |attacks: &[PathBuf]| attacks.iter().map(|attack| start(attack)).collect::<Vec<_>>();
        let running: Vec<_> = attacks.chunks(share).map(|part| scope.spawn(move || run(part))).collect();
        running.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

fn start(attack: &Path) -> Outcome {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["forbidden::one_attack", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(ATTACK, attack)
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
    let told = String::from_utf8_lossy(&output.stdout);
    parsed(told.lines().find_map(|line| line.strip_prefix("end ")).unwrap())
}

fn parsed(line: &str) -> Outcome {
    let mut parts = line.splitn(6, '\t');
    let mut next = || parts.next().unwrap();
    let micros = |text: &str| Duration::from_micros(text.parse().unwrap());
    Outcome {
        name: next().to_owned(),
        load: micros(next()),
        run: micros(next()),
        peak: next().parse().unwrap(),
        left: next().parse().unwrap(),
        told: next().to_owned(),
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
        attack(Path::new(&path), status("VmRSS"));
        calm();
    })
    .unwrap();
}

fn attack(path: &Path, resident: u64) {
    // The peak that is read below begins here.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let (bytes, time) = (in_use(), processor_time());
    let mut loaded = time;
    let told = {
        let text = fs::read_to_string(path).unwrap();
        let script = ScriptFile { alias: "it".into(), path: name(path), text };
        let outcome = ScriptHost::load(Limits::default(), &[script], &[]).and_then(|host| {
            loaded = processor_time();
            host.evaluate(&host.compile_text("it::attack()")?, &Bindings::new())
        });
        let running = loaded != time;
        if !running {
            loaded = processor_time();
        }
        told(outcome, running)
    };
    println!(
        "\nend {}\t{}\t{}\t{}\t{}\t{told}",
        name(path),
        (loaded.checked_sub(time).unwrap()).as_micros(),
        (processor_time().checked_sub(loaded).unwrap()).as_micros(),
        status("VmHWM").saturating_sub(resident),
        in_use() - bytes - i64::try_from(told.capacity()).unwrap(),
    );
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

//! What the product must do, where each part of it lives, and the test that shows it.
//!
//! `docs/requirements.toml` says what and where; a line `// shows R36` above a test says what it
//! shows; the flows say for themselves what they ask. `docs/requirements.md` is made from all
//! three, so nobody has to keep it true by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::flows::files;

const LAST: i64 = 93;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

struct Requirement {
    number: i64,
    says: String,
    /// Pairs that ask for it.
    of: Vec<String>,
    places: Vec<String>,
    /// Why it is no matter of the program.
    outside: Option<String>,
}

struct Group {
    title: String,
    requirements: Vec<Requirement>,
}

/// A test that shows something.
struct Shown {
    file: String,
    test: String,
}

/// What flows have: for each pair, its flows, each with its settings and tables.
type Flows = BTreeMap<String, BTreeMap<String, Vec<(&'static str, String)>>>;

fn texts(value: Option<&toml::Value>) -> Vec<String> {
    let list = value.and_then(toml::Value::as_array).cloned().unwrap_or_default();
    list.iter().map(|one| one.as_str().unwrap().to_owned()).collect()
}

fn requirements() -> (Vec<String>, Vec<Group>) {
    let text = std::fs::read_to_string(root().join("docs/requirements.toml")).unwrap();
    let data: toml::Table = text.parse().unwrap();
    let pairs = texts(data.get("pairs"));
    let requirement = |one: &toml::Value| {
        let of = texts(one.get("of"));
        Requirement {
            number: one["number"].as_integer().unwrap(),
            says: one["says"].as_str().unwrap().to_owned(),
            of: if of.is_empty() { pairs.clone() } else { of },
            places: texts(one.get("where")),
            outside: one.get("outside").map(|why| why.as_str().unwrap().to_owned()),
        }
    };
    let group = |group: &toml::Value| Group {
        title: group["title"].as_str().unwrap().to_owned(),
        requirements: group["requirement"].as_array().unwrap().iter().map(requirement).collect(),
    };
    let groups = data["group"].as_array().unwrap().iter().map(group).collect();
    (pairs, groups)
}

fn flows() -> Flows {
    let mut flows = Flows::new();
    for (path, text) in files("flows", "flow") {
        let (pair, flow) = path.strip_prefix("flows/").unwrap().split_once('/').unwrap();
        let named = |line: &str| {
            ["setting", "table"].into_iter().find_map(|kind| {
                let rest = line.strip_prefix(kind)?.strip_prefix(' ')?;
                Some((kind, rest.split_once(':')?.0.trim().to_owned()))
            })
        };
        let asked = text.lines().filter_map(named).collect();
        flows.entry(pair.to_owned()).or_default().insert(flow.trim_end_matches(".flow").to_owned(), asked);
    }
    flows
}

/// Every `// shows R…` of the repository, by number.
fn shown() -> BTreeMap<i64, Vec<Shown>> {
    let mut found: BTreeMap<i64, Vec<Shown>> = BTreeMap::new();
    for folder in ["connectors", "dsl", "engine", "tests"] {
        for (file, text) in files(folder, "rs") {
            let mut numbers: Vec<i64> = Vec::new();
            let mut is_test = false;
            for line in text.lines().map(str::trim) {
                if let Some(told) = line.strip_prefix("// shows ") {
                    numbers.extend(told.split(", ").map(|number| {
                        let number = number.trim_start_matches('R').parse::<i64>().ok();
                        number.unwrap_or_else(|| panic!("{file}: `{line}` is read as `// shows R1, R2`"))
                    }));
                } else if numbers.is_empty() || line.starts_with("//") {
                    // Nothing is waiting for its test, or it is the test's own comment.
                } else if line.starts_with("#[") {
                    is_test |= line.contains("test");
                } else {
                    let (_, name) = line.split_once("fn ").unwrap_or_else(|| panic!("{file}: {line}"));
                    let test = name.split('(').next().unwrap().to_owned();
                    assert!(is_test, "{file}: `{test}` is said to show something and is no test");
                    for number in numbers.drain(..) {
                        let shown = Shown { file: file.clone(), test: test.clone() };
                        found.entry(number).or_default().push(shown);
                    }
                    is_test = false;
                }
            }
            assert!(numbers.is_empty(), "{file}: no test below the last `// shows`");
        }
    }
    found
}

/// True when a name is as wanted; `*` stands for anything at either end.
fn fits(name: &str, wanted: &str) -> bool {
    match (wanted.strip_prefix('*'), wanted.strip_suffix('*')) {
        (Some(_), Some(_)) => name.contains(wanted.trim_matches('*')),
        (Some(end), None) => name.ends_with(end),
        (None, Some(start)) => name.starts_with(start),
        (None, None) => name == wanted,
    }
}

/// Where a place stands in one pair: `orders`, `orders.statuses`.
fn in_pair(flows: &Flows, pair: &str, place: &str) -> Vec<String> {
    let Some((kind, wanted)) = place.split_once(':') else { return Vec::new() };
    let Some(flows) = flows.get(pair) else { return Vec::new() };
    if kind == "flow" {
        return flows.keys().filter(|flow| fits(flow, wanted)).cloned().collect();
    }
    let asked = |(flow, asked): (&String, &Vec<(&str, String)>)| {
        let has = asked.iter().any(|(known, name)| *known == kind && name == wanted);
        has.then(|| format!("{flow}.{wanted}"))
    };
    flows.iter().filter_map(asked).collect()
}

/// Resources of all systems, as `system.resource`.
fn offered() -> BTreeSet<String> {
    let of = |connector: std::sync::Arc<dyn connectors::contract::Connector>| {
        let manifest = connector.manifest().clone();
        manifest.resources.names().map(|name| format!("{}.{name}", manifest.name)).collect::<Vec<_>>()
    };
    connectors::all().into_iter().flat_map(of).collect()
}

fn list(items: impl IntoIterator<Item = impl std::fmt::Display>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

fn described(requirement: &Requirement, flows: &Flows, shown: &[Shown]) -> String {
    let mut made = format!("\n**R{}** {}\n\n", requirement.number, requirement.says);
    let (by_flow, elsewhere): (Vec<&String>, Vec<&String>) =
        requirement.places.iter().partition(|place| place.contains(':'));
    for pair in flows.keys().filter(|_| !by_flow.is_empty()) {
        let found: BTreeSet<String> = by_flow.iter().flat_map(|place| in_pair(flows, pair, place)).collect();
        if !found.is_empty() {
            writeln!(made, "- {pair}: {}", list(found.iter().map(|one| format!("`{one}`")))).unwrap();
        } else if requirement.of.contains(pair) {
            writeln!(made, "- {pair}: **nothing yet**").unwrap();
        }
    }
    if !elsewhere.is_empty() {
        writeln!(made, "- lives in {}", list(elsewhere.iter().map(|place| format!("`{place}`")))).unwrap();
    }
    if let Some(why) = &requirement.outside {
        writeln!(made, "- no part of the program: {why}").unwrap();
    } else if shown.is_empty() {
        made.push_str("- **missing**: no test shows it\n");
    }
    let mut by_file: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in shown {
        by_file.entry(&one.file).or_default().push(&one.test);
    }
    for (file, tests) in by_file {
        writeln!(made, "- shown in `{file}` by {}", list(tests.iter().map(|test| format!("`{test}`"))))
            .unwrap();
    }
    made
}

fn page() -> String {
    let ((pairs, groups), flows, shown) = (requirements(), flows(), shown());
    let all = || groups.iter().flat_map(|group| &group.requirements);
    let outside = all().filter(|one| one.outside.is_some()).count();
    let is_missing = |one: &&Requirement| one.outside.is_none() && !shown.contains_key(&one.number);
    let missing: Vec<i64> = all().filter(is_missing).map(|one| one.number).collect();
    let mut made = String::from(
        "# Requirements\n\n<!-- made by a test from docs/requirements.toml, the flows and the tests; UPDATE_DOCS=1 makes it anew -->\n\n\
         What Weft must do, where that lives, and the test that shows it. Behind a pair stand its flows, and settings and\n\
         tables as FLOW.NAME.\n\n",
    );
    let total = all().count();
    let there = total - outside - missing.len();
    writeln!(made, "Of {total}, {there} are shown by a test and {outside} are no part of the program.")
        .unwrap();
    if !missing.is_empty() {
        writeln!(made, "Missing: {}.", list(missing.iter().map(|number| format!("R{number}")))).unwrap();
    }
    let absent: Vec<&String> = pairs.iter().filter(|pair| !flows.contains_key(*pair)).collect();
    if !absent.is_empty() {
        writeln!(made, "\nPairs without flows so far: {}.", list(absent)).unwrap();
    }
    for group in &groups {
        writeln!(made, "\n## {}", group.title).unwrap();
        for requirement in &group.requirements {
            let shown = shown.get(&requirement.number).map_or(&[][..], Vec::as_slice);
            made.push_str(&described(requirement, &flows, shown));
        }
    }
    made
}

#[test]
fn each_requirement_is_told_once() {
    let (pairs, groups) = requirements();
    let all: Vec<&Requirement> = groups.iter().flat_map(|group| &group.requirements).collect();
    let numbers: Vec<i64> = all.iter().map(|one| one.number).collect();
    assert_eq!(numbers, (1..=LAST).collect::<Vec<_>>());
    for one in all {
        assert!(one.says.ends_with('.') && one.says.len() > 15, "R{}: {}", one.number, one.says);
        assert!(one.of.iter().all(|pair| pairs.contains(pair)), "R{}: {:?}", one.number, one.of);
    }
    let unknown: Vec<i64> = shown().into_keys().filter(|number| !(1..=LAST).contains(number)).collect();
    assert_eq!(unknown, [0; 0], "tests show what is no requirement");
}

#[test]
fn each_place_that_is_named_is_there() {
    let (flows, offered, groups) = (flows(), offered(), requirements().1);
    let is_there = |place: &str| {
        flows.keys().any(|pair| !in_pair(&flows, pair, place).is_empty())
            || offered.contains(place)
            || place.contains('/') && root().join(place).exists()
            || place.starts_with("LICENSE") && root().join(place).exists()
            || place == "benches"
    };
    let all = groups.iter().flat_map(|group| &group.requirements);
    let absent: Vec<String> = all
        .flat_map(|one| one.places.iter().map(move |place| (one.number, place)))
        .filter(|(_, place)| !is_there(place))
        .map(|(number, place)| format!("R{number}: {place}"))
        .collect();
    assert_eq!(absent, [""; 0], "named in docs/requirements.toml and nowhere to be found");
}

/// `docs/requirements.md` is made; `UPDATE_DOCS=1` rewrites it.
#[test]
fn the_page_of_requirements_is_up_to_date() {
    let (path, made) = (root().join("docs/requirements.md"), page());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, made).unwrap();
    } else {
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(written, made, "run the tests once with UPDATE_DOCS=1");
    }
}

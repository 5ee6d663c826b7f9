//! Every question of every ready flow matters: another answer, and something else is written,
//! left out or refused.
//!
//! What the tests of the pair name has its test there. All else is tried here: both systems are
//! books in memory that hold the samples, as they are and in other lights ([`Light`]). Other
//! answers are tried by the type of the question, until one makes a difference. Where none of them
//! can, because it wants a case that the samples do not have, `corpus/asked/PAIR.toml` says what
//! to try.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use connectors::contract::Connector;
use connectors::manifest::Answers;
use connectors::record::{Record, Value as Any};
use dsl::plan::{Constant, Plan, Setting, SettingType, Table};
use serde::Deserialize;
use tests::toy::Toy;

use super::super::pair::{Party, Shipped, files};
use super::super::shipped;
use super::World;
use super::scenes::Scene;

/// What to try where types alone do not tell.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Hint {
    /// Answers that both runs have: lines of `[settings]`.
    with: String,
    /// Tables that both runs have.
    tables: String,
    /// The other answer, as TOML; of a table, its rows and `otherwise`.
    to: Option<String>,
    /// Records that both runs have besides the sample: role, resource, JSON.
    records: Vec<[String; 3]>,
}

type Hints = BTreeMap<String, BTreeMap<String, Hint>>;

fn hints(pair: &str) -> Hints {
    let path = format!("{}/corpus/asked/{pair}.toml", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    toml::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

type Toys = Vec<(&'static str, Toy)>;

fn copy(toys: &Toys) -> Toys {
    toys.iter().map(|(role, toy)| (*role, toy.copy())).collect()
}

/// What a flow does over these books: its counts, its refusals, every write.
async fn played(scene: &Scene, flow: &str, answers: &str, toys: &Toys) -> Result<String, String> {
    let parties = toys.iter().map(|(role, toy)| {
        Party::of(role, (Arc::new(toy.clone()) as Arc<dyn Connector>, Answers::default()))
    });
    let parties: [Party; 2] = parties.collect::<Vec<_>>().try_into().ok().unwrap();
    let shipped = Shipped::between(scene.pair, flow, answers, parties).await;
    let (counts, refused) = shipped.try_run().await?;
    let mut all: Vec<String> = toys.iter().flat_map(|(_, toy)| toy.writes()).collect();
    all.sort();
    all.extend(refused);
    all.push(counts);
    Ok(all.join("\n"))
}

/// Something that a flow asks.
enum Asked<'p> {
    Setting(&'p Setting),
    Table(&'p Table),
}

impl Asked<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Setting(setting) => &setting.name,
            Self::Table(table) => &table.name,
        }
    }

    /// Other answers, as lines of the settings file: of `[settings]`, and below it.
    fn others(&self, hint: &Hint, words: &[String]) -> Vec<(String, String)> {
        match (self, &hint.to) {
            (Self::Setting(setting), Some(to)) => vec![(format!("{} = {to}", setting.name), String::new())],
            (Self::Table(table), Some(to)) => vec![(String::new(), format!("[tables.{}]\n{to}", table.name))],
            (Self::Setting(setting), None) => {
                let known = setting.default.as_ref().map(written);
                let others = values(&setting.kind)
                    .into_iter()
                    .chain(named(&setting.kind, words))
                    .filter(|other| known.as_ref() != Some(other));
                others.map(|other| (format!("{} = {other}", setting.name), String::new())).collect()
            }
            (Self::Table(table), None) => values(&table.value)
                .into_iter()
                .chain(["\"fail\"".to_owned()])
                .map(|other| {
                    (String::new(), format!("[tables.{}]\nrows = []\notherwise = {other}", table.name))
                })
                .collect(),
        }
    }
}

/// Values of a type, as TOML.
fn values(kind: &SettingType) -> Vec<String> {
    let texts = |texts: &[&str]| texts.iter().map(|text| format!("{text:?}")).collect();
    match kind {
        SettingType::Text => texts(&["BE", "77", "Anders"]),
        SettingType::Integer => vec!["0".into(), "3".into(), "77".into()],
        SettingType::Decimal => texts(&["0", "3", "77.5"]),
        SettingType::Boolean => vec!["true".into(), "false".into()],
        SettingType::Date => texts(&["2999-01-01"]),
        SettingType::Choice(choices) => choices.iter().map(|choice| format!("{choice:?}")).collect(),
        SettingType::List(inner) => {
            let inner = values(inner);
            let all = format!("[{}]", inner.join(", "));
            std::iter::once("[]".to_owned())
                .chain([all])
                .chain(inner.iter().map(|one| format!("[{one}]")))
                .collect()
        }
    }
}

/// Settings that take names take those of the first record.
fn named(kind: &SettingType, words: &[String]) -> Vec<String> {
    match kind {
        SettingType::Text => words.iter().map(|word| format!("{word:?}")).collect(),
        SettingType::List(inner) if **inner == SettingType::Text => vec![format!("{words:?}")],
        _ => Vec::new(),
    }
}

fn written(constant: &Constant) -> String {
    match constant {
        Constant::Text(text) => format!("{text:?}"),
        Constant::Integer(number) => number.to_string(),
        Constant::Decimal(number) => format!("\"{number}\""),
        Constant::Boolean(yes) => yes.to_string(),
        Constant::Nothing => String::new(),
        Constant::List(items) => format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(", ")),
    }
}

/// A settings file: what the scene answers, unless it is answered otherwise.
fn file(base: &str, lines: &[&str], below: &[&str]) -> String {
    let name = |line: &str| line.split_once(" = ").map(|(name, _)| name.to_owned());
    let new: BTreeSet<String> = lines.iter().flat_map(|text| text.lines()).filter_map(name).collect();
    let mut made = String::from("[settings]\n");
    let kept = base.lines().filter(|line| name(line).is_some_and(|name| !new.contains(&name)));
    kept.chain(lines.iter().flat_map(|text| text.lines())).for_each(|line| writeln!(made, "{line}").unwrap());
    below.iter().for_each(|text| writeln!(made, "{text}").unwrap());
    made
}

/// What is different about the books.
#[derive(Clone, Copy, Debug)]
enum Light {
    /// Nothing has been carried yet.
    New,
    /// All has been carried, and somebody has changed it in the target.
    Changed,
    /// Nobody in the source has said where they live.
    NoCountry,
    /// Nobody in the source has an e-mail address.
    NoEmail,
    /// Nothing in the source has a number of another system.
    NoReference,
    /// What is on in the source is off, and what is off is on.
    Turned,
    /// That, after all has been carried.
    TurnedSince,
}

const LIGHTS: [Light; 7] = [
    Light::New,
    Light::Changed,
    Light::NoCountry,
    Light::NoEmail,
    Light::NoReference,
    Light::Turned,
    Light::TurnedSince,
];

/// Books of both systems, before a flow has run and after.
struct Stage<'s> {
    plan: &'s Plan,
    before: Toys,
    after: Toys,
}

impl Stage<'_> {
    fn in_light(&self, light: Light) -> Toys {
        let is_after = matches!(light, Light::Changed | Light::TurnedSince);
        let toys = copy(if is_after { &self.after } else { &self.before });
        let of = |name: &str| &toys.iter().find(|(role, _)| *role == name).unwrap().1;
        let (source, target) = (of(&self.plan.source.name), of(&self.plan.target.name));
        let without = |words: &'static [&'static str]| {
            source.alter(|record| strip(record, &|name| words.iter().any(|word| name.contains(word))));
        };
        match light {
            Light::New => {}
            Light::Changed => target.scribble(),
            Light::NoCountry => without(&["country"]),
            Light::NoEmail => without(&["email"]),
            Light::NoReference => without(&["ext_order_id", "ext_invoice_id", "buyers_order_reference"]),
            Light::Turned | Light::TurnedSince => source.alter(turn),
        }
        toys
    }

    /// Names and keys in the first record: what may be asked for by name.
    fn words(&self) -> Vec<String> {
        fn within(value: &Any, words: &mut BTreeSet<String>) {
            match value {
                Any::Map(map) => {
                    for (name, value) in map.iter() {
                        words.insert(name.to_string());
                        if let Any::Text(text) = value
                            && text.as_str().len() < 30
                        {
                            words.insert(text.to_string());
                        }
                        within(value, words);
                    }
                }
                Any::List(items) => items.iter().for_each(|item| within(item, words)),
                _ => {}
            }
        }
        let source = &self.before.iter().find(|(role, _)| *role == self.plan.source.name).unwrap().1;
        let mut words = BTreeSet::new();
        if let Some(record) = source.first(&self.plan.fetch.resource) {
            within(&Any::Map(record), &mut words);
        }
        words.into_iter().collect()
    }
}

fn strip(record: &mut Record, is_out: &dyn Fn(&str) -> bool) {
    let names: Vec<String> = record.iter().map(|(name, _)| name.to_string()).collect();
    for name in names {
        if is_out(&name) {
            record.remove(&name);
        } else if let Some(Any::Map(inner)) = record.get(&name) {
            let mut inner = inner.clone();
            strip(&mut inner, is_out);
            record.set(name, inner);
        }
    }
}

fn turn(record: &mut Record) {
    let names: Vec<String> = record.iter().map(|(name, _)| name.to_string()).collect();
    for name in names {
        if let Some(Any::Bool(yes)) = record.get(&name) {
            record.set(name, Any::Bool(!yes));
        }
    }
}

async fn matters(
    (scene, flow, base): (&Scene, &str, &str),
    toys: Toys,
    asked: &Asked<'_>,
    hint: &Hint,
    words: &[String],
) -> bool {
    for [role, resource, record] in &hint.records {
        toys.iter().find(|(known, _)| known == role).unwrap().1.put(resource, record);
    }
    let plain = file(base, &[&hint.with], &[&hint.tables]);
    let usual =
        played(scene, flow, &plain, &copy(&toys)).await.unwrap_or_else(|error| panic!("{flow}: {error}"));
    for (lines, below) in asked.others(hint, words) {
        let answers = file(base, &[&hint.with, &lines], &[&hint.tables, &below]);
        // An answer that the flow refuses altogether is no other answer.
        if played(scene, flow, &answers, &copy(&toys)).await.is_ok_and(|other| other != usual) {
            return true;
        }
    }
    false
}

/// Where the tests of a pair are.
const TESTS: &[(&str, &[&str])] = &[
    ("accountview-mpluskassa", &["accountview"]),
    ("ccv_salespos-mpluskassa", &["live", "orders", "products"]),
    ("eaccounting-ccv_salespos", &["eaccounting"]),
    ("mpluskassa-softmaat", &["softmaat"]),
    ("teamleader-mpluskassa", &["teamleader"]),
];

/// Words in the tests of a pair.
fn named_in_tests(pair: &str) -> BTreeSet<String> {
    let (_, names) = TESTS.iter().find(|(known, _)| *known == pair).unwrap();
    let is_of_pair = |path: &str| {
        let rest = path.trim_start_matches("tests/it/flows/");
        names.iter().any(|name| rest.strip_prefix(name).is_some_and(|rest| rest.starts_with(['.', '/'])))
    };
    let texts = files("tests/it/flows", "rs").into_iter().filter(|(path, _)| is_of_pair(path));
    // A line's end within a text is no letter of the next word.
    let words = |text: String| -> Vec<String> {
        let text = text.replace("\\n", " ");
        text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
            .map(str::to_owned)
            .collect()
    };
    texts.flat_map(|(_, text)| words(text)).collect()
}

async fn all_matter(scene: &Scene) {
    let (plans, hints) = (shipped(), hints(scene.pair));
    let toys = World::new(scene.pair, (scene.set)()).await.toys().await;
    let mut idle = Vec::new();
    let named = named_in_tests(scene.pair);
    for (flow, base) in scene.flows {
        let plan: &Plan = &plans[&format!("flows/{}/{flow}.flow", scene.pair)];
        let before = copy(&toys);
        // What it leaves is what the next one begins with.
        let usual = played(scene, flow, base, &toys).await.unwrap();
        let stage = Stage { plan, before, after: copy(&toys) };
        let words = stage.words();
        let settings = plan.settings.iter().map(Asked::Setting);
        for asked in settings.chain(plan.tables.iter().map(Asked::Table)) {
            if named.contains(asked.name()) {
                continue;
            }
            let hint =
                hints.get(*flow).and_then(|hints| hints.get(asked.name())).cloned().unwrap_or_default();
            let mut makes_a_difference = false;
            for light in LIGHTS {
                let toys = stage.in_light(light);
                makes_a_difference |= matters((scene, flow, base), toys, &asked, &hint, &words).await;
                if makes_a_difference {
                    break;
                }
            }
            if !makes_a_difference {
                idle.push(format!("{flow}: {}", asked.name()));
            }
        }
        if idle.last().is_some_and(|last| last.starts_with(&format!("{flow}:"))) {
            let told = usual.lines().rev().take(3).map(|line| line.chars().take(300).collect::<String>());
            idle.push(format!("  usually {}", told.collect::<Vec<_>>().join(" | ")));
        }
    }
    assert!(idle.is_empty(), "no other answer makes a difference:\n{}", idle.join("\n"));
}

macro_rules! asked {
    ($($name:ident: $scene:expr,)*) => {
        $(
            #[tokio::test]
            async fn $name() {
                all_matter(&$scene).await;
            }
        )*
    };
}

asked! {
    shop_to_till: super::scenes::SHOP_TO_TILL,
    till_to_shop: super::scenes::TILL_TO_SHOP,
    accountview_to_till: super::scenes::ACCOUNTVIEW_TO_TILL,
    till_to_accountview: super::scenes::TILL_TO_ACCOUNTVIEW,
    shop_to_eaccounting: super::scenes::SHOP_TO_EACCOUNTING,
    eaccounting_to_shop: super::scenes::EACCOUNTING_TO_SHOP,
    till_to_softmaat: super::scenes::TILL_TO_SOFTMAAT,
    softmaat_to_till: super::scenes::SOFTMAAT_TO_TILL,
    teamleader_to_till: super::scenes::TEAMLEADER_TO_TILL,
    till_to_teamleader: super::scenes::TILL_TO_TEAMLEADER,
}

/// A hint for a question that nobody asks is a mistake.
#[test]
fn every_hint_belongs_to_a_question() {
    let plans = shipped();
    for (path, _) in files("tests/corpus/asked", "toml") {
        let pair = path.trim_start_matches("tests/corpus/asked/").trim_end_matches(".toml").to_owned();
        for (flow, hints) in hints(&pair) {
            let plan = &plans[&format!("flows/{pair}/{flow}.flow")];
            for name in hints.into_keys() {
                let is_asked = plan.settings.iter().any(|setting| setting.name == name)
                    || plan.tables.iter().any(|table| table.name == name);
                assert!(is_asked, "{pair} {flow} asks for no {name}");
            }
        }
    }
}

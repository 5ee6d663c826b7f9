//! Mistakes planted in the ready flows: how many of them `weft check` finds, each where it is.
//!
//! The kinds are what people mistype, forget and mix up. One of each kind is planted in each flow;
//! where, and how it is mistyped, is drawn by a generator that always draws the same. What is not found is listed in the golden file, by kind,
//! and each kind that can be missed has its reason here.

mod kinds;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use dsl::catalog::Catalog;
use dsl::{Source, compile};

use crate::flows::{all_catalog, files};
use kinds::{Flow, KINDS, Planted};
use tokens::tokens;

/// Kinds of which some cannot be found before anything runs, or not where they are, and why.
const MISSED: &[(&str, &str)] = &[
    (
        "field of a record",
        "the list holds records of several shapes, and one of them has such a field or may have any",
    ),
    (
        "field of a record of a script",
        "no flow calls the function with a record whose fields are known, or the script asks whether the field is there",
    ),
    (
        "field that is written",
        "a field of a `map` may be called anything: where several lists are put together, some records may well lack the other",
    ),
    ("number without its quotes", "a number may stand here as well as a text"),
    (
        "question mark before a point left out",
        "no schema says whether a part of a record, such as an address, is always there",
    ),
    ("quotes around a number", "a text may stand here as well as a number"),
    ("text of a choice", "the same text stands where any text may stand, so nothing says that it is wrong"),
    ("type of a setting", "told where its value comes to, which is where it does not fit"),
    ("value of a call left out", "the function can be called without this value"),
];

/// The lines of the problems, `None` when there are none.
fn found(path: &str, text: &str, catalog: &Catalog) -> Option<BTreeMap<usize, String>> {
    let report = compile(&Source::new(path, text), catalog).err()?;
    let line = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
    let mut lines = BTreeMap::new();
    for problem in report.problems() {
        let said = format!("{} {}", problem.code(), problem.message());
        lines.entry(line(problem.span().start)).or_insert(said);
    }
    Some(lines)
}

/// What became of the planted mistakes.
#[derive(Default)]
struct Tally {
    planted: usize,
    found: usize,
    missed: BTreeMap<String, Vec<String>>,
}

impl Tally {
    fn count(
        &mut self,
        what: &str,
        shown: String,
        problems: Option<BTreeMap<usize, String>>,
        lines: &BTreeSet<usize>,
    ) {
        self.planted += 1;
        match problems {
            None => self.missed.entry(what.to_owned()).or_default().push(shown),
            Some(problems) if problems.keys().any(|line| lines.contains(line)) => self.found += 1,
            Some(problems) => {
                let told: Vec<_> =
                    problems.iter().map(|(line, said)| format!("line {line}: {said}")).collect();
                self.missed
                    .entry(what.to_owned())
                    .or_default()
                    .push(format!("{shown}\n    told at {}", told.join("; ")));
            }
        }
    }
}

fn plant(text: &str, planted: &Planted) -> String {
    let Planted { at, new, .. } = planted;
    format!("{}{new}{}", &text[..at.start], &text[at.end..])
}

#[test]
fn planted_mistakes_are_found_where_they_are() {
    let catalog = all_catalog();
    let mut tally = Tally::default();
    for (path, text) in files("flows", "flow") {
        let plan = compile(&Source::new(path.as_str(), text.as_str()), &catalog).expect("a ready flow");
        let system = |name: &str| &catalog.systems[name];
        let flow = Flow {
            text: &text,
            tokens: tokens(&text),
            source: system(&plan.source.system),
            target: system(&plan.target.system),
        };
        // Of each flow by itself, so that a change of one leaves what is planted in the others.
        let mut rng = fastrand::Rng::with_seed(
            path.bytes().fold(7, |sum, byte| sum * 31 % 1_000_003 + u64::from(byte)),
        );
        let drawn: Vec<Planted> = KINDS
            .iter()
            .filter_map(|(_, candidates)| {
                let candidates = candidates(&flow, &mut rng);
                rng.choice(candidates)
            })
            .collect();
        for planted in drawn {
            let mutant = plant(&text, &planted);
            let line = text[..planted.at.start].matches('\n').count() + 1;
            let written = mutant.lines().nth(line - 1).unwrap_or_default().trim();
            let shown = format!("{path}:{line}: {written}");
            tally.count(planted.what, shown, found(&path, &mutant, &catalog), &planted.lines);
        }
    }
    in_scripts(&catalog, &mut tally);
    report(&tally);
}

/// Fields that scripts read, mistyped: found by a flow that calls the function.
fn in_scripts(catalog: &Catalog, tally: &mut Tally) {
    const WHAT: &str = "field of a record of a script";
    let flows = files("flows", "flow");
    for path in
        ["scripts/amounts.rhai", "scripts/variants.rhai", "scripts/ledger.rhai", "scripts/own_fields.rhai"]
    {
        let text = &catalog.scripts[path].text;
        let all = tokens(text);
        let fields = all.iter().enumerate().filter(|(number, token)| {
            *number > 0
                && token.kind == tokens::Kind::Word
                && all[number - 1].is(".")
                && !all.get(number + 1).is_some_and(|next| next.is("("))
        });
        let fields: Vec<_> = fields.map(|(_, token)| token).collect();
        let mut rng = fastrand::Rng::with_seed(path.len() as u64);
        for token in rng.choose_multiple(fields, 3) {
            let mutant = format!("{}{}x{}", &text[..token.at], token.text, &text[token.end()..]);
            let mut changed = catalog.clone();
            changed.scripts.get_mut(path).unwrap().text = mutant;
            let users = flows.iter().filter(|(_, flow)| flow.contains(path));
            let (mut told, mut at_call) = (None, BTreeSet::new());
            for (flow_path, flow) in users {
                let alias =
                    flow.split(&format!("use \"{path}\" as ")).nth(1).unwrap().lines().next().unwrap();
                at_call = (1..)
                    .zip(flow.lines())
                    .filter(|(_, line)| line.contains(&format!("{alias}::")))
                    .map(|(line, _)| line)
                    .collect();
                told = found(flow_path, flow, &changed);
                if told.is_some() {
                    break;
                }
            }
            tally.count(WHAT, format!("{path}:{}: {}x", token.line, token.text), told, &at_call);
        }
    }
}

fn report(tally: &Tally) {
    assert!(tally.planted >= 100, "{}", tally.planted);
    let mut golden = String::new();
    for (what, mutants) in &tally.missed {
        let why = MISSED.iter().find(|(kind, _)| kind == what);
        let (_, why) = why.unwrap_or_else(|| panic!("not found, and nobody says why: {what}: {mutants:#?}"));
        writeln!(golden, "{what}: {why}").unwrap();
        for mutant in mutants {
            writeln!(golden, "  {mutant}").unwrap();
        }
    }
    insta::with_settings!({ description => "planted mistakes that `weft check` does not find", omit_expression => true }, {
        insta::assert_snapshot!("planted_mistakes_not_found", golden);
    });
    let share = tally.found * 100 / tally.planted;
    assert!(share >= 95, "{} of {} planted mistakes were found", tally.found, tally.planted);
}

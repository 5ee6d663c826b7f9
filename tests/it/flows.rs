//! The flows that come with Weft: they compile against the systems as they are, ask for every
//! answer that they need, never run both ways at once, and do what their first lines say.

mod accountview;
mod asked;
mod eaccounting;
mod live;
mod orders;
mod pages;
pub mod pair;
mod products;
mod softmaat;
mod teamleader;
mod weather;

use std::collections::BTreeMap;

use dsl::plan::{Action, Plan, Step};
use dsl::{Active, Source, two_way};

pub(crate) use pair::catalog as all_catalog;
use pair::catalog;
pub(crate) use pair::files;

/// Flows that exclude each other: those that carry something there, and those that carry it back.
const OPPOSITES: &[(&[&str], &[&str])] = &[
    (&["orders"], &["orders_reverse"]),
    (&["customers_to_till"], &["customers_to_shop"]),
    (&["categories_to_shop"], &["categories_to_till"]),
    (&["products_to_shop", "variants_to_shop"], &["products_to_till", "variants_to_till"]),
];

/// The same between MplusKASSA and Softmaat.
const SOFTMAAT_OPPOSITES: &[(&[&str], &[&str])] = &[
    (&["orders"], &["orders_reverse"]),
    (&["products", "variants"], &["products_reverse"]),
    (&["stock"], &["stock_reverse"]),
];

/// What may be on together between MplusKASSA and Softmaat.
const SOFTMAAT_TOGETHER: &[&[&str]] = &[
    &["orders", "customers", "stock", "categories", "products", "variants"],
    &["orders_reverse", "customers", "stock", "categories", "products", "variants"],
    &["orders", "stock_reverse", "products_reverse"],
];

/// Flows that may be on together, as the pair's page says.
const TOGETHER: &[&[&str]] = &[
    &["orders", "customers_to_till", "stock", "categories_to_shop", "products_to_shop", "variants_to_shop"],
    &["orders", "customers_to_till", "stock", "categories_to_till", "products_to_till", "variants_to_till"],
];

fn compile(path: &str, text: &str) -> Result<Plan, String> {
    dsl::compile(&Source::new(path, text), &catalog())
        .map_err(|report| format!("{:?}", miette::Report::new(report)))
}

pub(crate) fn shipped() -> BTreeMap<String, Plan> {
    let (mut plans, mut problems) = (BTreeMap::new(), Vec::new());
    for (path, text) in files("flows", "flow") {
        match compile(&path, &text) {
            Ok(plan) => drop(plans.insert(path, plan)),
            Err(report) => problems.push(report),
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    plans
}

/// Whether a pair of flows is refused when both are on between the same two connections.
fn are_refused(one: &Plan, other: &Plan) -> bool {
    let active = |file, plan: &'_ Plan| (file, plan.source.system.clone(), plan.target.system.clone());
    let (first, second) = (active("first", one), active("second", other));
    !two_way(&[
        Active { file: first.0, plan: one, source: &first.1, target: &first.2 },
        Active { file: second.0, plan: other, source: &second.1, target: &second.2 },
    ])
    .is_empty()
}

#[test]
fn the_flow_of_the_readme_compiles() {
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let flows: Vec<&str> =
        readme.split("```weft\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!flows.is_empty());
    for flow in flows {
        compile("README.md", flow).unwrap_or_else(|report| panic!("{report}"));
    }
}

#[test]
fn every_shipped_flow_compiles() {
    assert!(shipped().len() >= 19);
}

#[test]
fn every_setting_and_every_table_asks_a_question() {
    for (path, plan) in shipped() {
        let settings = plan.settings.iter().map(|setting| (&setting.name, &setting.ask));
        for (name, ask) in settings.chain(plan.tables.iter().map(|table| (&table.name, &table.ask))) {
            let ask = ask.as_deref().unwrap_or_else(|| panic!("{path}: nothing asks for {name}"));
            assert!(!ask.trim().is_empty(), "{path}: the question for {name} is empty");
        }
    }
}

// shows R57, R80
#[test]
fn the_page_of_a_pair_names_every_flow_question_and_table() {
    let pages = files("docs/pairs", "md");
    let mut missing = Vec::new();
    for (path, plan) in shipped() {
        let (pair, flow) = path.strip_prefix("flows/").unwrap().split_once('/').unwrap();
        let Some(page) = pages.get(&format!("docs/pairs/{pair}.md")) else { panic!("{pair} has no page") };
        let settings = plan.settings.iter().map(|setting| &setting.name);
        let names = settings.chain(plan.tables.iter().map(|table| &table.name)).map(String::as_str);
        let names = names.chain([flow.trim_end_matches(".flow")]);
        missing.extend(
            names
                .filter(|name| !page.contains(&format!("`{name}`")))
                .map(|name| format!("{pair} {flow} {name}")),
        );
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

// shows R55
#[test]
fn only_what_nobody_can_guess_must_be_answered() {
    for (path, plan) in shipped() {
        let open = plan.settings.iter().filter(|setting| setting.default.is_none() && !setting.optional);
        for setting in open {
            let known = ["start_date", "turnover_group", "collective_account"];
            assert!(known.contains(&&*setting.name), "{path}: {}", setting.name);
        }
    }
}

// shows R63, R85
#[test]
fn flows_that_carry_the_same_to_and_fro_are_refused() {
    let plans = shipped();
    for (pair, opposites) in
        [("ccv_salespos-mpluskassa", OPPOSITES), ("mpluskassa-softmaat", SOFTMAAT_OPPOSITES)]
    {
        let plan = |name: &str| &plans[&format!("flows/{pair}/{name}.flow")];
        for (there, back) in opposites {
            for (one, other) in there.iter().flat_map(|one| back.iter().map(move |other| (one, other))) {
                assert!(are_refused(plan(one), plan(other)), "{pair}: {one} and {other}");
                assert!(are_refused(plan(other), plan(one)), "{pair}: {other} and {one}");
            }
        }
    }
}

#[test]
fn flows_that_are_meant_to_run_together_may() {
    let plans = shipped();
    for (pair, sets) in [("ccv_salespos-mpluskassa", TOGETHER), ("mpluskassa-softmaat", SOFTMAAT_TOGETHER)] {
        let plan = |name: &str| &plans[&format!("flows/{pair}/{name}.flow")];
        for together in sets {
            for (at, one) in together.iter().enumerate() {
                for other in together.iter().skip(at + 1) {
                    assert!(!are_refused(plan(one), plan(other)), "{pair}: {one} and {other}");
                }
            }
        }
    }
}

// shows R64
#[test]
fn accountview_gives_products_and_takes_none() {
    let mut seen = 0;
    for (path, plan) in shipped() {
        if path.starts_with("flows/accountview-mpluskassa/products") {
            seen += 1;
            assert_eq!((&*plan.source.system, &*plan.target.system), ("accountview", "mpluskassa"), "{path}");
        }
    }
    assert!(seen > 0);
}

// shows R26, R74
#[test]
fn no_flow_carries_pictures() {
    for (path, text) in files("flows", "flow") {
        let words = ["image", "photo", "picture", "thumbnail"];
        let told: Vec<&str> = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .filter(|line| words.iter().any(|word| line.contains(word)))
            .collect();
        assert_eq!(told, [""; 0], "{path}");
    }
}

#[test]
fn every_refusal_names_what_is_wrong() {
    fn walk(path: &str, text: &str, steps: &[Step]) {
        for step in steps {
            match &step.action {
                Action::Fail { reason, .. } | Action::Skip { reason, .. } => {
                    assert!(reason.rhai.len() > 12, "{path}: `{}` says too little", &text[step.span.clone()]);
                }
                Action::Each { steps, .. } => walk(path, text, steps),
                Action::When { then, otherwise, .. } => {
                    walk(path, text, then);
                    walk(path, text, otherwise);
                }
                _ => {}
            }
        }
    }
    let texts = files("flows", "flow");
    for (path, plan) in shipped() {
        walk(&path, &texts[&path], &plan.steps);
    }
}

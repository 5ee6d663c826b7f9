//! What the pages say of ready flows is so: no question is named that no flow asks, and a guide
//! tells of each kind of record that cannot be looked for before it is made.

use dsl::plan::{Action, Step, Verb};

use super::catalog;
use super::pair::files;
use super::shipped;

/// Resources in which a flow makes records.
fn made(steps: &[Step], all: &mut Vec<String>) {
    for step in steps {
        match &step.action {
            Action::Write(write) if !matches!(write.verb, Verb::Update { .. }) => {
                all.push(write.resource.clone());
            }
            Action::Each { steps, .. } => made(steps, all),
            Action::When { then, otherwise, .. } => {
                made(then, all);
                made(otherwise, all);
            }
            _ => {}
        }
    }
}

#[test]
fn what_cannot_be_looked_for_is_told_in_the_guide_of_its_system() {
    let (catalog, guides) = (catalog(), files("docs/systems", "md"));
    let mut seen = 0;
    for (path, plan) in shipped() {
        let (system, mut resources) = (&plan.target.system, Vec::new());
        made(&plan.steps, &mut resources);
        for resource in resources {
            if catalog.systems[system].resources[&resource].find.is_empty() {
                seen += 1;
                let guide = &guides[&format!("docs/systems/{system}.md")];
                let told = guide.lines().any(|line| {
                    line.contains(&format!("`{resource}`")) && line.contains("cannot be read back")
                });
                assert!(told, "{path} makes {resource}, of which the guide of {system} tells nothing");
            }
        }
    }
    assert!(seen > 0, "payments of eAccounting are such");
}

#[test]
fn the_page_of_a_pair_answers_no_question_that_no_flow_asks() {
    let plans = shipped();
    for (path, page) in files("docs/pairs", "md") {
        let pair = path.trim_start_matches("docs/pairs/").trim_end_matches(".md");
        let mut known = Vec::new();
        for (flow, plan) in &plans {
            let Some(name) = flow.strip_prefix(&format!("flows/{pair}/")) else { continue };
            known.push(name.trim_end_matches(".flow"));
            known.extend(plan.settings.iter().map(|setting| setting.name.as_str()));
            known.extend(plan.tables.iter().map(|table| table.name.as_str()));
        }
        // Flows, settings and tables stand in backticks where a row begins.
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
        for (name, _) in rows {
            assert!(known.contains(&name), "{path}: no flow asks for {name}");
        }
    }
}

//! `weft check`: everything that is wrong with a project's flows, at once, before anything
//! runs.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use miette::Report;

use super::Ended;
use super::sarif;
use super::show::{Show, count};
use crate::flow::Flow;
use crate::load::{Loader, Problems};
use crate::project::{FlowEntry, Project};
use crate::script::with_each;
use crate::speed::{Left, left_to_rhai};
use crate::trouble::Trouble;

/// Check flows without touching any system.
#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Flows of the project, by name, or flow files; else all flows of the project
    flows: Vec<String>,
    /// Tell which expressions and script functions do not run as native code, and why
    #[arg(long)]
    explain_speed: bool,
    /// How problems are told
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Check again whenever a file changes, until Ctrl-C
    #[arg(long, conflicts_with_all = ["format", "explain_speed"])]
    watch: bool,
    /// Show the page of an error, such as F020
    #[arg(long, value_name = "CODE", value_parser = a_page, conflicts_with_all = ["flows", "explain_speed"])]
    explain: Option<Page>,
}

/// The page of an error.
#[derive(Clone, Copy, Debug)]
struct Page {
    code: &'static str,
    text: &'static str,
}

fn a_page(code: &str) -> Result<Page, String> {
    crate::explain::page(code).map(|(code, text)| Page { code, text })
}

/// How problems are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Human,
    /// A line of JSON for each problem, as with --json
    Json,
    /// One document of SARIF 2.1.0, for code hosts and editors
    Sarif,
}

/// What was checked, and what was found.
struct Found {
    flows: usize,
    problems: Problems,
}

impl Check {
    pub(crate) async fn run(&self, folder: Option<&Path>, show: &Show) -> Result<Ended, Trouble> {
        if let Some(Page { code, text }) = self.explain {
            let plain = crate::explain::plain(text);
            show.json(&serde_json::json!({ "code": code, "page": plain }));
            show.line(plain);
            return Ok(Ended::Well);
        }
        if self.watch {
            let files = self.flows.iter().map(PathBuf::from).filter(|path| path.is_file()).collect();
            let once = || self.told(folder, show).map(|_| ());
            return super::watch::watch(folder, files, show, once).await;
        }
        match self.format {
            Format::Human => self.told(folder, show),
            Format::Json => self.told(folder, &Show::new(true)),
            Format::Sarif => {
                let found = self.find(folder, &Show::silent());
                let (problems, ended) = match found {
                    Ok(found) if found.problems.is_empty() => (Vec::new(), Ended::Well),
                    Ok(found) => (found.problems, Ended::Wrong),
                    Err(trouble) => (vec![trouble.into()], Ended::Wrong),
                };
                Show::new(true).json(&sarif::document(&problems));
                Ok(ended)
            }
        }
    }

    fn told(&self, folder: Option<&Path>, show: &Show) -> Result<Ended, Trouble> {
        let found = self.find(folder, show)?;
        Ok(tell(show, found.flows, &found.problems))
    }

    fn find(&self, folder: Option<&Path>, show: &Show) -> Result<Found, Trouble> {
        let project = match super::open(folder) {
            Ok(project) => project,
            // A single file can be checked without a project.
            Err(trouble)
                if self.flows.is_empty() || !self.flows.iter().all(|flow| Path::new(flow).exists()) =>
            {
                return Err(trouble);
            }
            Err(_) => Project::bare(&std::path::absolute(".").unwrap_or_else(|_| PathBuf::from("."))),
        };
        super::caveats(&project, show);
        let loader = Loader::new(&project)?;
        let entries = self.entries(&project)?;
        let mut problems = Problems::new();
        let mut plans = Vec::new();
        let checked = with_each(&entries, |entry| one(&project, &loader, entry));
        for (entry, checked) in entries.iter().zip(checked) {
            match checked {
                Ok(plan) => plans.push((entry, plan)),
                Err(mut found) => problems.append(&mut found),
            }
        }
        let pairs: Vec<_> = plans.iter().map(|(entry, plan)| (*entry, plan)).collect();
        problems.append(&mut loader.two_way(&pairs));
        if self.explain_speed && problems.is_empty() {
            for entry in &entries {
                match loader.flow(entry) {
                    Ok(flow) => speed(show, &flow),
                    Err(mut found) => problems.append(&mut found),
                }
            }
        }
        Ok(Found { flows: entries.len(), problems })
    }

    fn entries(&self, project: &Project) -> Result<Vec<FlowEntry>, Trouble> {
        if self.flows.is_empty() {
            return Ok(project.flows.clone());
        }
        let mut entries = Vec::new();
        for flow in &self.flows {
            match project.flow(flow) {
                Ok(entry) => entries.push(entry.clone()),
                Err(_) if Path::new(flow).is_file() => entries.push(FlowEntry {
                    name: flow.clone(),
                    file: std::path::absolute(flow)
                        .map_or_else(|_| flow.clone(), |path| path.to_string_lossy().into_owned()),
                    on: false,
                    roles: std::collections::BTreeMap::new(),
                }),
                Err(trouble) => return Err(trouble),
            }
        }
        Ok(entries)
    }
}

/// Checks one flow, with what the project tells it.
fn one(project: &Project, loader: &Loader<'_>, entry: &FlowEntry) -> Result<dsl::plan::Plan, Problems> {
    if project.flows.contains(entry) {
        // What the flow is told by the project counts as well.
        Ok(loader.flow(entry)?.plan)
    } else {
        Ok(loader.check(entry)?.1)
    }
}

/// Tells what of a flow is left to Rhai.
fn speed(show: &Show, flow: &Flow) {
    let left = left_to_rhai(flow);
    if show.is_json() {
        let left: Vec<_> =
            left.iter().map(|left| serde_json::json!({ "at": left.at, "reason": left.reason })).collect();
        show.json(&serde_json::json!({ "flow": flow.name, "not_lowered": left }));
        return;
    }
    for Left { at, reason } in &left {
        show.line(format!("{at}: {reason}"));
    }
    if left.is_empty() {
        show.line(format!("{} {}: every line is lowered", show.good("✓"), flow.name));
    } else {
        let lines = count(i64::try_from(left.len()).unwrap_or(i64::MAX), "place runs", "places run");
        show.line(format!("{}: {lines} in Rhai, several times slower than native code", flow.name));
    }
}

fn tell(show: &Show, flows: usize, problems: &[Report]) -> Ended {
    for problem in problems {
        show.report(problem);
    }
    show.json(&serde_json::json!({ "checked": flows, "good": problems.is_empty() }));
    let flows = count(i64::try_from(flows).unwrap_or(i64::MAX), "flow", "flows");
    if problems.is_empty() {
        show.line(format!("{} {flows} checked, nothing wrong", show.good("✓")));
        Ended::Well
    } else {
        show.line(format!("{} {flows} checked; mend the above and check again", show.bad("✗")));
        Ended::Wrong
    }
}

//! Plays case files one after the other, and says of each case what came.

use std::path::Path;
use std::sync::Arc;

use connectors::record::Value;
use miette::Report;

use super::accept::{Change, changed, pretty, write_whole};
use super::cover::{Coverage, Gathered, ScriptCoverage};
use super::differ::{Difference, differences};
use super::find::{CaseFile, Subject};
use super::play::{Manifests, play};
use super::read::{FlowCase, Known, Text};
use super::script::Script;
use crate::load::{Loader, Problems};
use crate::passing::Folder;
use crate::project::{FlowEntry, Project, read_text};
use crate::script::describe_script;
use crate::store::Store;
use crate::trouble::Trouble;

/// Plays the cases of a project.
pub struct Suite<'p> {
    project: &'p Project,
    pub(super) loader: Loader<'p>,
    folder: Folder,
    /// Take what comes as what is expected.
    accept: bool,
}

/// What came of the cases of one file.
#[derive(Debug)]
pub struct FileReport {
    /// The case file, from the project's folder.
    pub file: String,
    /// What it is about.
    pub subject: String,
    /// Each case.
    pub cases: Vec<Ran>,
    /// What is wrong with the file, or with what it is about; then nothing was played.
    pub problems: Vec<Report>,
    /// What the cases have tried.
    pub coverage: Option<Coverage>,
    /// Cases whose expectations were rewritten.
    pub accepted: usize,
}

/// What came of one case.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Its name.
    pub name: String,
    /// Line of the file.
    pub line: usize,
    /// What differs; nothing: it passes.
    pub differences: Vec<Difference>,
    /// Why the run could not go on, which is never expected.
    pub ended: Option<String>,
    /// It says nothing of what is expected.
    pub is_bare: bool,
}

impl Ran {
    /// It came as expected.
    #[must_use]
    pub const fn passes(&self) -> bool {
        self.differences.is_empty() && self.ended.is_none() && !self.is_bare
    }
}

impl<'p> Suite<'p> {
    /// Reads the project's scripts and describes its systems.
    pub fn new(project: &'p Project, accept: bool) -> Result<Self, Trouble> {
        Ok(Self { project, loader: Loader::new(project)?, folder: Folder::new()?, accept })
    }

    /// Plays the cases of one file.
    pub async fn play(&self, file: &CaseFile) -> Result<FileReport, Trouble> {
        let text = read_text(&file.path)?;
        let mut told = Text { name: &file.name, content: &text, problems: Vec::new() };
        let mut report = FileReport {
            file: file.name.clone(),
            subject: file.subject.file().to_owned(),
            cases: Vec::new(),
            problems: Vec::new(),
            coverage: None,
            accepted: 0,
        };
        let changes = match &file.subject {
            Subject::Flow(flow) => match self.flow(flow, &mut told, &mut report).await {
                Ok(changes) => changes,
                Err(problems) => {
                    report.problems = problems;
                    Vec::new()
                }
            },
            Subject::Script(script) => self.script(script, &mut told, &mut report)?,
        };
        report.problems.append(&mut told.problems);
        if self.accept && report.problems.is_empty() && !changes.is_empty() {
            report.accepted = changes.len();
            write_whole(&file.path, &changed(&text, changes))?;
        }
        Ok(report)
    }

    fn script(
        &self,
        file: &str,
        told: &mut Text<'_>,
        report: &mut FileReport,
    ) -> Result<Vec<Change>, Trouble> {
        let source = read_text(&self.project.root.join(file))?;
        let script = match Script::load(self.project, file, source.clone()) {
            Ok(script) => script,
            Err(error) => {
                let trouble = Trouble::new(error.code(), error.to_string()).maybe_help(error.help());
                told.problems.push(trouble.into());
                return Ok(Vec::new());
            }
        };
        let mut changes = Vec::new();
        let mut called = Vec::new();
        for node in told.cases().unwrap_or_default() {
            let Some(played) = script.play(&node, told) else { continue };
            called.push(played.function);
            changes.extend(played.accept);
            report.cases.push(Ran {
                name: played.name,
                line: line(told.content, node.span.start),
                differences: played.differences,
                ended: None,
                is_bare: false,
            });
        }
        let functions = describe_script(file, &source).functions;
        let functions = functions.into_iter().map(|function| {
            let is_called = called.contains(&function.name);
            (function.name, is_called)
        });
        report.coverage = Some(Coverage::Script(ScriptCoverage { functions: functions.collect() }));
        Ok(changes)
    }

    /// The flow as the project has it, or by itself.
    fn entry(&self, file: &str) -> FlowEntry {
        let path = self.project.root.join(file);
        let same = |entry: &&FlowEntry| match (
            self.project.root.join(&entry.file).canonicalize(),
            path.canonicalize(),
        ) {
            (Ok(one), Ok(other)) => one == other,
            _ => false,
        };
        self.project.flows.iter().find(same).cloned().unwrap_or_else(|| {
            let name = Path::new(file).file_stem().unwrap_or_default().to_string_lossy().into_owned();
            FlowEntry { name, file: file.to_owned(), on: false, roles: std::collections::BTreeMap::new() }
        })
    }

    /// A new store.
    pub(super) async fn store(&self) -> Result<Arc<dyn Store>, Trouble> {
        Ok(crate::store::open(&self.folder.file()).await?)
    }

    pub(super) fn manifests(&self, entry: &FlowEntry, plan: &dsl::plan::Plan) -> Result<Manifests, Problems> {
        let of = |role: &dsl::plan::Role| {
            // Some systems are what the account makes them.
            if let Ok(connection) = self.project.connection(entry, &role.name, &role.system) {
                return Ok(connection.connector.manifest().clone());
            }
            let system = self.project.systems.get(&role.system);
            system.map(|system| system.manifest().clone()).ok_or_else(|| {
                let message = format!("no system is called `{}`", role.system);
                vec![Report::from(Trouble::new("R009", message))]
            })
        };
        Ok(Manifests { source: of(&plan.source)?, target: of(&plan.target)? })
    }

    async fn flow(
        &self,
        file: &str,
        told: &mut Text<'_>,
        report: &mut FileReport,
    ) -> Result<Vec<Change>, Problems> {
        let entry = self.entry(file);
        let checked = self.loader.check(&entry)?;
        let (source, plan) = (&checked.0, &checked.1);
        let manifests = self.manifests(&entry, plan)?;
        let known = Known { plan, source: &manifests.source, target: &manifests.target };
        let cases: Vec<FlowCase> =
            told.cases().unwrap_or_default().iter().filter_map(|node| told.flow_case(node, &known)).collect();
        if !self.project.flows.contains(&entry) {
            unanswered(plan, &cases, told);
        }
        if !told.problems.is_empty() {
            return Ok(Vec::new());
        }
        let mut changes = Vec::new();
        let mut gathered = Gathered::default();
        let store = self.store().await.map_err(|trouble| vec![trouble.into()])?;
        for (round, case) in cases.iter().enumerate() {
            let played = play(&self.loader, (&entry, &checked), &manifests, case, (&store, round)).await?;
            gathered.add(&played.trace, played.rows, &case.given.tables);
            let expected = case.expects.clone().unwrap_or_default();
            let differences = differences(&expected, &played.came);
            if (case.expects.is_none() || !differences.is_empty()) && played.ended.is_none() {
                changes.push(accept(case, told.content, &Value::Map(played.came)));
            }
            report.cases.push(Ran {
                name: case.name.clone(),
                line: line(told.content, case.at.start),
                differences,
                ended: played.ended,
                is_bare: case.expects.is_none(),
            });
        }
        store.close().await;
        report.coverage = Some(Coverage::Flow(gathered.coverage(plan, source)));
        Ok(changes)
    }
}

/// A flow without a project has its answers from its cases alone.
fn unanswered(plan: &dsl::plan::Plan, cases: &[FlowCase], told: &mut Text<'_>) {
    for case in cases {
        for setting in &plan.settings {
            let needs = setting.default.is_none() && !setting.optional;
            if needs && !case.given.settings.contains_key(&setting.name) {
                let message = format!("setting `{}` has no answer in this case", setting.name);
                let ask = setting.ask.as_deref().unwrap_or("the flow cannot run without it");
                let help = format!("{ask}\nadd it under \"settings\"");
                told.problem(
                    Trouble::new("R122", message).help(help),
                    case.at.start..case.at.start + 1,
                    "this case",
                );
            }
        }
    }
}

/// Puts what came in the place of what was expected.
fn accept(case: &FlowCase, text: &str, came: &Value) -> Change {
    let mut now = String::new();
    pretty(came, 16, 2, &mut now);
    if let Some(at) = &case.expects_at {
        return Change { at: at.clone(), text: now };
    }
    let inside = text.get(case.at.clone()).unwrap_or_default();
    let end = case.at.start + inside.trim_end_matches('}').trim_end().len();
    Change { at: end..end, text: format!(",\n    \"expects\": {now}") }
}

fn line(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or(text).split('\n').count()
}

//! What of a flow or a script its cases have tried.

use std::collections::{BTreeMap, BTreeSet};

use dsl::plan::{Action, Condition, Constant, Otherwise, Plan, Step, Table, TableRow};

use super::trace::{Trace, Way};
use crate::script::ReadRows;

/// What the cases of one file have tried.
#[derive(Clone, Debug)]
pub enum Coverage {
    /// Of a flow.
    Flow(FlowCoverage),
    /// Of a script.
    Script(ScriptCoverage),
}

/// What of a flow was tried.
#[derive(Clone, Debug, Default)]
pub struct FlowCoverage {
    /// Each step: its line, and whether a record came to it.
    pub steps: Vec<(usize, bool)>,
    /// Each way at a step that decides.
    pub branches: Vec<Branch>,
    /// Tables in their order.
    pub tables: Vec<TableCoverage>,
}

/// One way at a step that decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Line of the step.
    pub line: usize,
    /// Such as `filter leaves out`.
    pub way: &'static str,
    /// A record went there.
    pub tried: bool,
}

/// What of a table was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableCoverage {
    /// Its name.
    pub name: String,
    /// Its line.
    pub line: usize,
    /// Each row as it is written, `otherwise` with a value last; and whether it was read.
    pub rows: Vec<(String, bool)>,
}

/// What of a script was called.
#[derive(Clone, Debug, Default)]
pub struct ScriptCoverage {
    /// Each public function, and whether a case calls it.
    pub functions: Vec<(String, bool)>,
}

/// Gathers what the cases of one flow try.
#[derive(Default)]
pub(super) struct Gathered {
    ways: BTreeSet<(usize, Way)>,
    /// Tables as the flow has them outside of cases.
    tables: BTreeMap<String, Table>,
    read: Vec<(String, TableRow)>,
    otherwise: BTreeSet<String>,
}

impl Gathered {
    /// Adds what one case tried; tables that the case has of its own say nothing of the flow's.
    pub(super) fn add(&mut self, trace: &Trace, rows: Vec<ReadRows>, own: &[Table]) {
        self.ways.extend(trace.ways());
        for ReadRows { table, read } in rows {
            if !own.iter().any(|own| own.name == table.name) {
                self.tables.insert(table.name.clone(), table.clone());
            }
            for (row, _) in table.rows.iter().zip(&read).filter(|(_, read)| **read) {
                self.read.push((table.name.clone(), row.clone()));
            }
            if read.last() == Some(&true) {
                self.otherwise.insert(table.name);
            }
        }
    }

    pub(super) fn coverage(&self, plan: &Plan, text: &str) -> FlowCoverage {
        let line = |offset: usize| text.get(..offset).unwrap_or(text).split('\n').count();
        let mut steps = Vec::new();
        collect(&plan.steps, &mut steps);
        let tried = |step: &Step, way: Way| self.ways.contains(&(step.span.start, way));
        let mut coverage = FlowCoverage::default();
        for step in steps {
            let line = line(step.span.start);
            coverage.steps.push((line, tried(step, Way::Reached)));
            for (way, name) in ways(&step.action) {
                coverage.branches.push(Branch { line, way: name, tried: tried(step, way) });
            }
        }
        for table in &plan.tables {
            let line = line(table.span.start);
            let table = self.tables.get(&table.name).unwrap_or(table);
            let read = |row: &TableRow| self.read.contains(&(table.name.clone(), row.clone()));
            let mut rows: Vec<(String, bool)> =
                table.rows.iter().map(|row| (written(row), read(row))).collect();
            if let Otherwise::Value(_) | Otherwise::Keep = table.otherwise {
                rows.push(("otherwise".to_owned(), self.otherwise.contains(&table.name)));
            }
            coverage.tables.push(TableCoverage { name: table.name.clone(), line, rows });
        }
        coverage
    }
}

fn collect<'p>(steps: &'p [Step], all: &mut Vec<&'p Step>) {
    for step in steps {
        all.push(step);
        match &step.action {
            Action::Each { steps, .. } => collect(steps, all),
            Action::When { then, otherwise, .. } => {
                collect(then, all);
                collect(otherwise, all);
            }
            _ => {}
        }
    }
}

/// The ways at a step that decides.
fn ways(action: &Action) -> Vec<(Way, &'static str)> {
    match action {
        Action::Filter(_) => vec![(Way::Yes, "filter passes"), (Way::No, "filter leaves out")],
        Action::Skip { when, .. } => conditional(when, "skip", "skip not taken"),
        Action::Fail { when, .. } => conditional(when, "fail", "fail not taken"),
        Action::When { .. } => vec![(Way::Yes, "when"), (Way::No, "else")],
        _ => Vec::new(),
    }
}

fn conditional(when: &Condition, taken: &'static str, not: &'static str) -> Vec<(Way, &'static str)> {
    let mut ways = vec![(Way::Yes, taken)];
    // One without a condition is always taken.
    if when.expr.rhai.trim() != "true" {
        ways.push((Way::No, not));
    }
    ways
}

/// A row as it is written in a flow.
fn written(row: &TableRow) -> String {
    let keys: Vec<String> =
        row.keys.iter().map(|key| key.as_ref().map_or_else(|| "_".to_owned(), constant)).collect();
    let keys = match keys.as_slice() {
        [only] => only.clone(),
        several => format!("({})", several.join(", ")),
    };
    format!("{keys} -> {}", constant(&row.value))
}

fn constant(constant: &Constant) -> String {
    match constant {
        Constant::Nothing => "()".to_owned(),
        other => crate::script::constant_value(other).to_string(),
    }
}

impl FlowCoverage {
    /// Tried and all: steps, branches, rows of tables.
    #[must_use]
    pub fn counts(&self) -> [(usize, usize); 3] {
        let rows = self.tables.iter().flat_map(|table| &table.rows);
        let of = |all: Vec<bool>| (all.iter().filter(|tried| **tried).count(), all.len());
        [
            of(self.steps.iter().map(|(_, tried)| *tried).collect()),
            of(self.branches.iter().map(|branch| branch.tried).collect()),
            of(rows.map(|(_, read)| *read).collect()),
        ]
    }

    /// What was not tried, in the order of the text: line and what it is.
    #[must_use]
    pub fn missing(&self) -> Vec<(usize, String)> {
        let steps = self.steps.iter().filter(|(_, tried)| !tried).map(|(line, _)| (*line, "step".to_owned()));
        let reached = |line: usize| self.steps.contains(&(line, true));
        let branches = self.branches.iter().filter(|branch| !branch.tried && reached(branch.line));
        let branches = branches.map(|branch| (branch.line, branch.way.to_owned()));
        let rows = self.tables.iter().flat_map(|table| {
            let missing = table.rows.iter().filter(|(_, read)| !read);
            missing.map(|(row, _)| (table.line, format!("{}: {row}", table.name)))
        });
        let mut all: Vec<(usize, String)> = rows.chain(steps).chain(branches).collect();
        all.sort_by_key(|(line, _)| *line);
        all
    }
}

impl ScriptCoverage {
    /// Tried and all.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.functions.iter().filter(|(_, called)| *called).count(), self.functions.len())
    }
}

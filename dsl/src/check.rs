//! Ast + catalog → plan, or every problem there is.
//!
//! The head is read first, so that settings and tables are known wherever they stand; then
//! the steps in their order, so that a name is known from its step on. A mistake never stops
//! the reading: what cannot be known after it is `Any`, of which nothing is said.

mod abilities;
mod advice;
mod bodies;
mod called;
mod compare;
mod deletes;
mod exprs;
mod fields;
mod functions;
mod gives;
mod head;
mod known;
mod library;
mod lookups;
mod names;
mod paths;
mod steps;
mod switch;
mod tables;
mod triggers;
mod values;
mod walk;
mod writes;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use crate::ast::{File, Kind as Line, Node};
use crate::catalog::{Catalog, Resource, System};
use crate::parse::Parsed;
use crate::plan::{Constant, Fetch, Plan, Role, Side, Span};
use crate::problem::{Code, Problem};

pub use exprs::MAX_EXPRESSION_DEPTH;
pub use gives::Gives;

use bodies::Bodies;
use known::Known;
use names::Scope;

/// Checks a file as read. Problems of form are among the result.
pub(crate) fn check(text: &str, parsed: Parsed, catalog: &Catalog) -> Result<Plan, Vec<Problem>> {
    let Parsed { file, masked, problems, hopeless } = parsed;
    if hopeless {
        return Err(problems);
    }
    let mut checker = Checker::new(text, &masked, catalog, problems);
    let fetch = checker.whole(&file);
    let Checker { mut plan, problems, .. } = checker;
    match fetch {
        Some(fetch) if problems.is_empty() => {
            plan.fetch = fetch;
            Ok(plan)
        }
        _ => Err(problems),
    }
}

/// What each expression of a file gives, by its place; also of a file with mistakes.
pub(crate) fn gives(text: &str, parsed: Parsed, catalog: &Catalog) -> Vec<(Span, Gives)> {
    let Parsed { file, masked, problems, hopeless } = parsed;
    if hopeless {
        return Vec::new();
    }
    let mut checker = Checker::new(text, &masked, catalog, problems);
    checker.noted = Some(Vec::new());
    checker.whole(&file);
    gives::of_noted(checker.noted.unwrap_or_default())
}

/// What is gathered while one flow is read.
struct Checker<'c> {
    text: &'c str,
    masked: &'c str,
    catalog: &'c Catalog,
    problems: Vec<Problem>,
    engine: rhai::Engine,
    plan: Plan,
    /// Source and target, when they are known.
    systems: (Option<&'c System>, Option<&'c System>),
    scope: Scope<'c>,
    /// Names that an expression gives itself: `let`, loops, parameters of functions.
    locals: Vec<(String, Known<'c>)>,
    /// Functions of the tree that is followed.
    bodies: Rc<Bodies>,
    /// The function of a script that is followed; empty in expressions.
    function: String,
    /// What `return` has given so far.
    returns: Vec<Known<'c>>,
    /// What is followed decides something: what it names is asked for.
    testing: bool,
    /// Names that some condition so far has asked for.
    tested: HashSet<String>,
    /// Names that are read with `?.`, with the first place.
    doubted: HashMap<String, Span>,
    /// Fields that are read without asking, by name.
    unasked: Vec<(String, Problem)>,
    /// The script whose function is followed.
    within: Option<called::Within>,
    /// Calls within calls.
    depth: usize,
    /// Scripts as read, by path.
    scripts: HashMap<String, Option<Rc<called::Script>>>,
    /// Calls of script functions that were followed, by script and name.
    followed: HashMap<String, Vec<called::Followed<'c>>>,
    /// Defaults of settings, with their places.
    defaults: HashMap<String, (Constant, Span)>,
    /// Rows of the tables, by their place in the plan.
    rows: Vec<lookups::Rows>,
    /// The conditions of the fetch are read: there is no record yet.
    asking: bool,
    /// A line `on delete` is read: the names that can be read elsewhere.
    gone: Option<Scope<'c>>,
    /// What the flow fetches, when it is known.
    fetched: Option<&'c Resource>,
    /// There is no fetch that could be read, so whatever name is unknown may be its.
    fetches_nothing: bool,
    /// Name of the entry while the `when` of a `field each` is read.
    entry: Option<String>,
    /// Blocks around the step that is read.
    nesting: usize,
    /// Number of steps so far.
    steps: usize,
    /// Verb and resource of the writes so far.
    write_ids: Vec<String>,
    /// What values are known to be, by their places, when somebody wants to hear it.
    noted: Option<Vec<(Span, Known<'c>)>>,
}

impl<'c> Checker<'c> {
    fn new(text: &'c str, masked: &'c str, catalog: &'c Catalog, problems: Vec<Problem>) -> Self {
        Self {
            text,
            masked,
            catalog,
            problems,
            engine: exprs::engine(),
            plan: empty_plan(),
            systems: (None, None),
            scope: Scope::default(),
            locals: Vec::new(),
            bodies: Rc::default(),
            function: String::new(),
            returns: Vec::new(),
            testing: false,
            tested: HashSet::new(),
            doubted: HashMap::new(),
            unasked: Vec::new(),
            within: None,
            depth: 0,
            scripts: HashMap::new(),
            followed: HashMap::new(),
            defaults: HashMap::new(),
            rows: Vec::new(),
            asking: false,
            gone: None,
            fetched: None,
            fetches_nothing: false,
            entry: None,
            nesting: 0,
            steps: 0,
            write_ids: Vec::new(),
            noted: None,
        }
    }

    /// Reads the whole file; gives its fetch, when there is one.
    fn whole(&mut self, file: &File) -> Option<Fetch> {
        self.head(file);
        self.triggers(file);
        let fetch = self.steps_of_flow(file);
        self.rows_never_asked();
        self.doubted_elsewhere();
        fetch
    }

    fn report(&mut self, problem: Problem) {
        match &mut self.within {
            None => self.problems.push(problem),
            Some(within) => within.take(problem),
        }
    }

    fn system(&self, side: Side) -> Option<&'c System> {
        match side {
            Side::Source => self.systems.0,
            Side::Target => self.systems.1,
        }
    }

    fn role(&self, side: Side) -> &Role {
        match side {
            Side::Source => &self.plan.source,
            Side::Target => &self.plan.target,
        }
    }

    fn resource(&self, side: Side, name: &str) -> Option<&'c Resource> {
        self.system(side).and_then(|system| system.resources.get(name))
    }
}

/// The lines of the head and the triggers, wherever they stand at the top.
fn top_lines(file: &File) -> impl Iterator<Item = &Node> {
    file.nodes.iter().filter(|node| !matches!(node.kind, Line::Malformed))
}

/// A plan into which the head is filled; it leaves this module only when all of it was.
fn empty_plan() -> Plan {
    let role = || Role { name: String::new(), system: String::new(), span: 0..0 };
    Plan {
        name: String::new(),
        source: role(),
        target: role(),
        uses: Vec::new(),
        settings: Vec::new(),
        tables: Vec::new(),
        triggers: Vec::new(),
        overlapping: crate::plan::Overlapping::default(),
        missed: crate::plan::Missed::default(),
        apart: None,
        fetch: crate::plan::Fetch {
            name: String::new(),
            side: Side::Source,
            resource: String::new(),
            since: None,
            conditions: Vec::new(),
            span: 0..0,
        },
        steps: Vec::new(),
        carries: Vec::new(),
    }
}

/// Two lines where one may stand.
fn repeated(what: &str, first: &Span, second: &Span) -> Problem {
    Problem::new(Code::RepeatedLine, second.clone(), format!("{what} stands twice"))
        .label("here again")
        .also(first.clone(), "first here")
        .help("take one of the two away")
}

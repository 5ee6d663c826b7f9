//! Functions of scripts, followed with what a flow gives them.
//!
//! A function is read anew for other kinds of values, as far as it is plain: variables that change
//! are not followed. What goes wrong within it is told at the call, with the place in the script.

use std::rc::Rc;

use super::Checker;
use super::bodies::Bodies;
use super::known::Known;
use crate::plan::{self, Span};
use crate::problem::{Code, Problem};

/// Calls within calls that are followed.
const DEEPEST: usize = 6;

/// Calls with different values that are remembered of one function.
const REMEMBERED: usize = 24;

/// Mistakes that a function makes with the values that it was given.
const TOLD: &[Code] =
    &[Code::UnknownProperty, Code::WriteOnly, Code::FieldOfList, Code::WrongArgument, Code::WrongOperator];

/// The script whose function is followed.
pub(super) struct Within {
    /// Path of the script.
    pub script: String,
    function: String,
    found: Vec<Problem>,
}

/// A script that was read.
pub(super) struct Script {
    bodies: Rc<Bodies>,
    /// Stands for an expression: see [`in_script`].
    at: plan::Expr,
}

/// Columns of a line of a script that can be told apart.
const COLUMNS: usize = 1 << 12;

/// Where something stands in a script, as line and column in one number: to find the byte for every
/// name that is read would take longer than all the rest.
pub(super) fn in_script(at: &plan::Expr, line: usize, column: usize) -> Option<Span> {
    let place = line.saturating_mul(COLUMNS) + column.min(COLUMNS - 1);
    (at.span.start == usize::MAX).then_some(place..place)
}

/// A call that was followed before.
pub(super) struct Followed<'c> {
    values: Vec<Known<'c>>,
    gives: Known<'c>,
    found: Vec<Problem>,
}

impl<'c> Checker<'c> {
    /// `alias::name(…)`
    pub(super) fn follow(
        &mut self,
        alias: &str,
        name: &str,
        values: Vec<Known<'c>>,
        place: Span,
    ) -> Known<'c> {
        match self.plan.uses.iter().find(|used| used.alias == alias) {
            Some(used) => {
                let path = used.path.clone();
                self.follow_in(&path, name, values, place)
            }
            None => Known::any(),
        }
    }

    /// A function of the script at that path.
    pub(super) fn follow_in(
        &mut self,
        path: &str,
        name: &str,
        values: Vec<Known<'c>>,
        place: Span,
    ) -> Known<'c> {
        let Some(script) = self.script(path) else { return Known::any() };
        let arity = values.len();
        if self.depth >= DEEPEST || script.bodies.function(name, arity).is_none() {
            return Known::any();
        }
        let key = format!("{path} {name}");
        let before = self.followed.get(&key).and_then(|calls| {
            calls.iter().find(|call| {
                call.values.len() == arity && call.values.iter().zip(&values).all(|(a, b)| a.same(b))
            })
        });
        let (gives, found) = if let Some(call) = before {
            (call.gives.clone(), call.found.clone())
        } else {
            if self.followed.get(&key).is_some_and(|calls| calls.len() >= REMEMBERED) {
                return Known::any();
            }
            // A function that comes back to itself finds nothing known here.
            let call = Followed { values: values.clone(), gives: Known::any(), found: Vec::new() };
            let calls = self.followed.entry(key.clone()).or_default();
            let number = calls.len();
            calls.push(call);
            let (gives, found) = self.follow_body(path, &script, name, values);
            if let Some(call) = self.followed.get_mut(&key).and_then(|calls| calls.get_mut(number)) {
                call.gives = gives.clone();
                call.found.clone_from(&found);
            }
            (gives, found)
        };
        for problem in found {
            let problem = problem.moved(place.clone());
            match &mut self.within {
                Some(within) => within.found.push(problem),
                None => self.problems.push(problem),
            }
        }
        gives
    }

    fn follow_body(
        &mut self,
        path: &str,
        script: &Script,
        name: &str,
        values: Vec<Known<'c>>,
    ) -> (Known<'c>, Vec<Problem>) {
        let within = Within { script: path.to_owned(), function: name.to_owned(), found: Vec::new() };
        let outer = self.within.replace(within);
        let locals = std::mem::take(&mut self.locals);
        let bodies = std::mem::replace(&mut self.bodies, script.bodies.clone());
        let function = std::mem::replace(&mut self.function, name.to_owned());
        let returns = std::mem::take(&mut self.returns);
        let testing = std::mem::replace(&mut self.testing, false);
        self.depth += 1;
        let mut gives = Known::any();
        if let Some(body) = script.bodies.function(name, values.len()) {
            for (param, known) in body.params.iter().zip(values) {
                self.give_local(param, Known { absent: None, ..known.without_value() });
            }
            let last = self.statements(&body.statements, &script.at);
            gives = std::mem::take(&mut self.returns).into_iter().fold(last, Known::either).without_value();
        }
        self.depth -= 1;
        self.locals = locals;
        self.bodies = bodies;
        self.function = function;
        self.returns = returns;
        self.testing = testing;
        let found = std::mem::replace(&mut self.within, outer).map_or_else(Vec::new, |within| within.found);
        (gives, found)
    }

    /// A script as read, once a flow.
    fn script(&mut self, path: &str) -> Option<Rc<Script>> {
        if let Some(script) = self.scripts.get(path) {
            return script.clone();
        }
        let text = self.catalog.scripts.get(path).map(|script| script.text.as_str()).unwrap_or_default();
        let ast = if text.is_empty() { None } else { self.engine.compile(text).ok() };
        let script = ast.map(|ast| {
            let at = plan::Expr { rhai: String::new(), span: usize::MAX..usize::MAX, inserted: Vec::new() };
            Rc::new(Script { bodies: Bodies::read(&ast), at })
        });
        self.scripts.insert(path.to_owned(), script.clone());
        script
    }
}

impl Within {
    /// Keeps a problem with its place in the script, when it tells of the values that were given.
    pub(super) fn take(&mut self, problem: Problem) {
        if !TOLD.contains(&problem.code()) {
            return;
        }
        let (line, column) = (problem.span().start / COLUMNS, problem.span().start % COLUMNS);
        let place = format!("{}, line {line}, column {column}, in `{}`", self.script, self.function);
        self.found.push(problem.told_of(&place));
    }
}

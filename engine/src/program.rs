//! A plan with its expressions compiled: what a run walks.
//!
//! The plan says what was meant; a program is the same tree, ready to execute. It is made once
//! when a flow is loaded.

use std::sync::Arc;

use connectors::record::{Text, write_text};
use dsl::plan::{self, Action, FieldValue, MapWith, On, Side, Span, UpsertKey, Verb};

use crate::script::{Compiled, ScriptError, ScriptHost};

/// An expression with its place in the flow.
#[derive(Debug)]
pub struct Script {
    /// What runs.
    pub compiled: Compiled,
    /// What was written, and where.
    pub expr: plan::Expr,
}

/// A compiled plan.
#[derive(Debug)]
pub struct Program {
    /// Conditions that the source applies, by field.
    pub conditions: Vec<(String, Script)>,
    /// What is done with each record.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug)]
pub struct Step {
    /// Where it stands in the flow.
    pub span: Span,
    /// What it does.
    pub action: Act,
}

/// What a step does.
#[derive(Debug)]
pub enum Act {
    /// Leave the record out, quietly.
    Filter(Script),
    /// Look for a record.
    Lookup(Lookup),
    /// Leave the record out, with a reason.
    Skip(Script, Condition),
    /// Refuse the record, with a reason.
    Fail(Script, Condition),
    /// Make a record.
    Map(String, With),
    /// Create, update or upsert.
    Write(Write),
    /// Once for each item.
    Each(String, Script, Vec<Step>),
    /// One way or the other.
    When(Script, Vec<Step>, Vec<Step>),
    /// Tell people.
    Notify(Script, Option<Condition>),
}

/// `if` or `unless`.
#[derive(Debug)]
pub struct Condition {
    /// `unless`.
    pub negated: bool,
    /// What is asked.
    pub script: Script,
}

/// A look-up.
#[derive(Debug)]
pub struct Lookup {
    /// Name of what is found.
    pub name: String,
    /// Bind every match.
    pub all: bool,
    /// Who is asked.
    pub side: Side,
    /// Resource.
    pub resource: Arc<str>,
    /// Fields, in the order of the manifest's set.
    pub by: Arc<[String]>,
    /// Their values, in that order.
    pub values: Vec<Script>,
}

/// How a map makes its record.
#[derive(Debug)]
pub enum With {
    /// From field lines.
    Block(Vec<Line>),
    /// From one expression.
    Script(Script),
}

/// A write.
#[derive(Debug)]
pub struct Write {
    /// Stable name in the ledger.
    pub id: String,
    /// Name of what was written.
    pub name: String,
    /// What it does.
    pub verb: Do,
    /// Resource of the target.
    pub resource: Arc<str>,
    /// Field lines of a record that is there.
    pub lines: Vec<Line>,
    /// Field lines for when the source has deleted its record.
    pub deleted: Vec<Line>,
}

/// The verb of a write.
#[derive(Debug)]
pub enum Do {
    /// Always new.
    Create,
    /// Found by these values.
    Update(Arc<[String]>, Vec<Script>),
    /// Found by one of these sets of its own fields, or new.
    Upsert(Vec<UpsertKey>),
}

/// A field line.
#[derive(Debug)]
pub struct Line {
    /// Field.
    pub field: Text,
    /// Its name as JSON with its colon.
    pub json: Box<[u8]>,
    /// No line before it in its block sets the same field.
    pub is_first: bool,
    /// Value.
    pub value: From,
    /// Only then.
    pub on: On,
    /// Only if.
    pub when: Option<Script>,
}

/// Where a field's value comes from.
#[derive(Debug)]
pub enum From {
    /// An expression.
    Script(Script),
    /// A nested record.
    Record(Vec<Line>),
    /// A record for each item.
    Each(Arc<str>, Script, Vec<Line>),
}

/// Compiles expressions; collects every fault rather than stopping at the first.
struct Compiler<'a> {
    host: &'a ScriptHost,
    sets: &'a dyn Fn(Side, &str) -> Vec<Vec<String>>,
    faults: Vec<(plan::Expr, ScriptError)>,
}

impl Program {
    /// Compiles a plan. `sets` gives the sets of fields that a resource can be found by.
    pub fn compile(
        plan: &plan::Plan,
        host: &ScriptHost,
        sets: &dyn Fn(Side, &str) -> Vec<Vec<String>>,
    ) -> Result<Self, Vec<(plan::Expr, ScriptError)>> {
        let mut compiler = Compiler { host, sets, faults: Vec::new() };
        let conditions: Option<Vec<_>> = plan
            .fetch
            .conditions
            .iter()
            .map(|condition| Some((condition.field.clone(), compiler.script(&condition.value)?)))
            .collect();
        let steps = compiler.steps(&plan.steps);
        match (conditions, steps) {
            (Some(conditions), Some(steps)) if compiler.faults.is_empty() => Ok(Self { conditions, steps }),
            _ => Err(compiler.faults),
        }
    }
}

/// Compiles field lines by themselves: for measuring, and for trying them.
///
/// # Errors
/// Every expression that does not compile.
pub fn compile_lines(
    lines: &[plan::FieldLine],
    host: &ScriptHost,
) -> Result<Vec<Line>, Vec<(plan::Expr, ScriptError)>> {
    let mut compiler = Compiler { host, sets: &|_, _| Vec::new(), faults: Vec::new() };
    compiler.lines(lines).ok_or(compiler.faults)
}

impl Compiler<'_> {
    fn script(&mut self, expr: &plan::Expr) -> Option<Script> {
        match self.host.compile(expr) {
            Ok(compiled) => Some(Script { compiled, expr: expr.clone() }),
            Err(error) => {
                self.faults.push((expr.clone(), error));
                None
            }
        }
    }

    fn steps(&mut self, steps: &[plan::Step]) -> Option<Vec<Step>> {
        // Every step is compiled before the first fault ends the matter.
        let compiled: Vec<_> = steps.iter().map(|step| self.step(step)).collect();
        compiled.into_iter().collect()
    }

    fn step(&mut self, step: &plan::Step) -> Option<Step> {
        let action = match &step.action {
            Action::Filter(expr) => Act::Filter(self.script(expr)?),
            Action::Lookup(lookup) => {
                let (by, values) = self.matches(lookup.side, &lookup.resource, &lookup.by)?;
                Act::Lookup(Lookup {
                    name: lookup.name.clone(),
                    all: lookup.all,
                    side: lookup.side,
                    resource: Arc::from(lookup.resource.as_str()),
                    by,
                    values,
                })
            }
            Action::Skip { reason, when } => {
                let (reason, when) = (self.script(reason), self.condition(when));
                Act::Skip(reason?, when?)
            }
            Action::Fail { reason, when } => {
                let (reason, when) = (self.script(reason), self.condition(when));
                Act::Fail(reason?, when?)
            }
            Action::Map { name, with } => Act::Map(
                name.clone(),
                match with {
                    MapWith::Block(lines) => With::Block(self.lines(lines)?),
                    MapWith::Expr(expr) => With::Script(self.script(expr)?),
                },
            ),
            Action::Write(write) => Act::Write(self.write(write)?),
            Action::Each { name, list, steps } => {
                let (list, steps) = (self.script(list), self.steps(steps));
                Act::Each(name.clone(), list?, steps?)
            }
            Action::When { condition, then, otherwise } => {
                let (condition, then, otherwise) =
                    (self.script(condition), self.steps(then), self.steps(otherwise));
                Act::When(condition?, then?, otherwise?)
            }
            Action::Notify { message, when } => {
                let message = self.script(message);
                let when = match when {
                    Some(when) => Some(self.condition(when)?),
                    None => None,
                };
                Act::Notify(message?, when)
            }
        };
        Some(Step { span: step.span.clone(), action })
    }

    fn condition(&mut self, condition: &plan::Condition) -> Option<Condition> {
        Some(Condition { negated: condition.negated, script: self.script(&condition.expr)? })
    }

    /// Fields and values in the order in which the system's own set names them.
    fn matches(
        &mut self,
        side: Side,
        resource: &str,
        by: &[plan::Match],
    ) -> Option<(Arc<[String]>, Vec<Script>)> {
        let same = |set: &Vec<String>| set.len() == by.len() && by.iter().all(|one| set.contains(&one.field));
        let set = (self.sets)(side, resource)
            .into_iter()
            .find(same)
            .unwrap_or_else(|| by.iter().map(|one| one.field.clone()).collect());
        let values: Vec<_> = set
            .iter()
            .filter_map(|field| by.iter().find(|one| one.field == *field))
            .map(|one| self.script(&one.value))
            .collect();
        Some((set.into(), values.into_iter().collect::<Option<_>>()?))
    }

    fn write(&mut self, write: &plan::Write) -> Option<Write> {
        let verb = match &write.verb {
            Verb::Create => Some(Do::Create),
            Verb::Update { by } => {
                self.matches(write.side, &write.resource, by).map(|(by, values)| Do::Update(by, values))
            }
            Verb::Upsert { by } => Some(Do::Upsert(by.clone())),
        };
        let (deleted, fields): (Vec<_>, Vec<_>) =
            write.fields.iter().cloned().partition(|line| line.on == On::Delete);
        let deleted: Vec<_> =
            deleted.into_iter().map(|line| plan::FieldLine { on: On::Always, ..line }).collect();
        let (lines, deleted) = (self.lines(&fields), self.lines(&deleted));
        Some(Write {
            id: write.id.clone(),
            name: write.name.clone(),
            verb: verb?,
            resource: Arc::from(write.resource.as_str()),
            lines: lines?,
            deleted: deleted?,
        })
    }

    fn lines(&mut self, lines: &[plan::FieldLine]) -> Option<Vec<Line>> {
        let compiled: Vec<_> = lines.iter().map(|line| self.line(line)).collect();
        let mut compiled: Vec<Line> = compiled.into_iter().collect::<Option<_>>()?;
        for at in 0..compiled.len() {
            let (before, rest) = compiled.split_at_mut(at);
            if let Some(line) = rest.first_mut() {
                line.is_first = before.iter().all(|other| other.field != line.field);
            }
        }
        Some(compiled)
    }

    fn line(&mut self, line: &plan::FieldLine) -> Option<Line> {
        let value = match &line.value {
            FieldValue::Expr(expr) => self.script(expr).map(From::Script),
            FieldValue::Record(lines) => self.lines(lines).map(From::Record),
            FieldValue::Each { name, list, fields } => {
                let (list, fields) = (self.script(list), self.lines(fields));
                list.zip(fields).map(|(list, fields)| From::Each(name.as_str().into(), list, fields))
            }
        };
        let when = match &line.when {
            Some(expr) => Some(self.script(expr)?),
            None => None,
        };
        let mut json = Vec::new();
        write_text(&line.field, &mut json);
        json.push(b':');
        Some(Line {
            field: Text::from(line.field.as_str()),
            json: json.into(),
            is_first: true,
            value: value?,
            on: line.on,
            when,
        })
    }
}

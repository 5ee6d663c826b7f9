//! Walks one record through the steps of its flow.
//!
//! A record that is refused leaves its reason and does not stop its neighbours. Nothing here
//! knows a system by name, and nothing is kept: what happened is handed to the page, which
//! settles it.

use std::sync::{Mutex, PoisonError};

use connectors::contract::{Advice, RemoteError};
use connectors::record::{Record, Value};
use dsl::plan::Side;
use futures::future::{BoxFuture, join_all};

use super::finder::Finder;
use super::history::History;
use super::notes::Notes;
use super::outgoing::Gate;
use super::scope::Scope;
use super::{Flow, Sides};
use crate::case::Way;
use crate::mapping::Why;
use crate::program::{Act, Condition, Line, Lookup, Script, Step, With};
use crate::shade::Shade;
use crate::store::{Known, Written};

/// Why a record did not reach its last step.
#[derive(Debug)]
pub(super) enum Stop {
    /// A `filter` left it out.
    Filtered,
    /// A `skip` left it out.
    Skipped(String),
    /// It was refused.
    Failed {
        /// Kind of failure, for grouping.
        class: &'static str,
        /// In plain words.
        reason: String,
    },
    /// A remote system cannot be reached or is busy: later.
    Wait(RemoteError),
    /// No record can succeed.
    Halt(RemoteError),
    /// What it would send is not what somebody agreed to.
    NotAgreed(String),
    /// What comes next depends on what the target makes of a write that only was planned.
    Unforeseen,
}

impl Stop {
    pub(super) fn failed(class: &'static str, reason: impl Into<String>) -> Self {
        Self::Failed { class, reason: reason.into() }
    }
}

/// What a remote system's refusal means for the record.
impl std::convert::From<RemoteError> for Stop {
    fn from(error: RemoteError) -> Self {
        match error.advice {
            Advice::SkipRecord => Self::failed("refused by a system", error.to_string()),
            Advice::Retry(_) => Self::Wait(error),
            Advice::Unknown => Self::failed("outcome unknown", error.to_string()),
            Advice::Reconnect | Advice::StopFlow => Self::Halt(error),
        }
    }
}

/// One record on its way.
pub(super) struct Walk<'a> {
    pub(super) flow: &'a Flow,
    pub(super) sides: &'a Sides,
    pub(super) finder: &'a Finder<'a>,
    /// Sees every write before it leaves.
    pub(super) gate: Option<&'a dyn Gate>,
    /// Keeps what must outlive the process before the record is settled.
    pub(super) notes: &'a dyn Notes,
    /// Key in the source.
    pub(super) key: &'a str,
    /// What the store knows of it.
    pub(super) known: &'a Known,
    pub(super) done: Mutex<Done>,
}

/// What has happened so far.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) history: History,
    pub(super) written: Vec<Written>,
    pub(super) created: bool,
    pub(super) updated: bool,
    /// A create was sent and neither accepted nor refused.
    pub(super) in_doubt: bool,
}

impl Walk<'_> {
    /// Notes something that happened.
    pub(super) fn note(&self, note: impl FnOnce(&mut Done)) {
        note(&mut self.done.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Runs steps in order. `items` is the place within `each` blocks, `0.2.`.
    pub(super) fn steps<'s>(
        &'s self,
        steps: &'s [Step],
        scope: &'s mut Scope<'_>,
        items: &'s str,
    ) -> BoxFuture<'s, Result<(), Stop>> {
        Box::pin(async move {
            for step in steps {
                self.step(step, scope, items).await?;
            }
            Ok(())
        })
    }

    async fn step(&self, step: &Step, scope: &mut Scope<'_>, items: &str) -> Result<(), Stop> {
        self.flow.mark(step, Way::Reached);
        match &step.action {
            Act::Filter(condition) => {
                let passes = self.truth(condition, scope)?;
                self.flow.mark(step, Way::of(passes));
                if !passes {
                    return Err(Stop::Filtered);
                }
            }
            Act::Skip(reason, when) => {
                let holds = self.holds(when, scope)?;
                self.flow.mark(step, Way::of(holds));
                if holds {
                    return Err(Stop::Skipped(self.text(reason, scope)?));
                }
            }
            Act::Fail(reason, when) => {
                let holds = self.holds(when, scope)?;
                self.flow.mark(step, Way::of(holds));
                if holds {
                    return Err(Stop::failed("refused by the flow", self.text(reason, scope)?));
                }
            }
            Act::Lookup(lookup) => self.lookup(lookup, scope).await?,
            Act::Map(name, With::Block(lines)) => {
                let record = self.record(lines, scope, true)?;
                scope.bind(name, Value::Map(record));
            }
            Act::Map(name, With::Script(script)) => {
                let value = self.value(script, scope)?;
                scope.bind(name, value);
            }
            Act::Write(write) => {
                let record = self.write(write, scope, items).await?;
                scope.bind(&write.name, Value::Map(record));
            }
            Act::Each(name, list, steps) => self.each(name, list, steps, scope, items).await?,
            Act::When(condition, then, otherwise) => {
                let holds = self.truth(condition, scope)?;
                self.flow.mark(step, Way::of(holds));
                let (taken, left) = if holds { (then, otherwise) } else { (otherwise, then) };
                // Names of the way not taken can be read later on, and hold nothing.
                for name in names(left) {
                    scope.bind(name, Value::Null);
                }
                self.steps(taken, scope, items).await?;
            }
            Act::Notify(message, when) => {
                let wanted = match when {
                    Some(when) => self.holds(when, scope)?,
                    None => true,
                };
                if wanted {
                    let message = self.text(message, scope)?;
                    let shade = Shade::of(&self.flow.privacy, scope.record_fetched());
                    let message = shade.map_or(message.clone(), |shade| shade.text(&message));
                    tracing::info!(flow = self.flow.name, key = self.key, message, "notice");
                    self.note(|done| done.history.notices.push(message));
                }
            }
        }
        Ok(())
    }

    async fn lookup(&self, lookup: &Lookup, scope: &mut Scope<'_>) -> Result<(), Stop> {
        let mut key = Vec::with_capacity(lookup.values.len());
        for value in &lookup.values {
            key.push(self.value(value, scope)?);
        }
        self.may_look(lookup.side, &lookup.resource, &lookup.by, &key)?;
        let found = self.finder.find(lookup.side, &lookup.resource, &lookup.by, key.clone()).await?;
        self.note(|done| {
            done.history.looked_up(&lookup.resource, &lookup.by, key.clone(), found.len());
        });
        let others = self.unless_own(lookup, &key, &found);
        let found = others.as_ref().map_or(found.as_slice(), Vec::as_slice);
        let value = if lookup.all {
            Value::List(found.iter().cloned().map(Value::Map).collect())
        } else {
            match found {
                [] => Value::Null,
                [only] => Value::Map(only.clone()),
                several => {
                    let asked = Value::List(key);
                    let reason = format!(
                        "{} {} have {} = {asked}, so `{}` is not clear; make it unique, or write `lookup all`",
                        several.len(),
                        lookup.resource,
                        lookup.by.join(" and "),
                        lookup.name
                    );
                    return Err(Stop::failed("ambiguous", reason));
                }
            }
        };
        scope.bind(&lookup.name, value);
        Ok(())
    }

    /// Whether it can be known by now what a look-up finds.
    pub(super) fn may_look(
        &self,
        side: Side,
        resource: &str,
        by: &[String],
        key: &[Value],
    ) -> Result<(), Stop> {
        match self.gate {
            Some(gate) if side == Side::Target && !gate.may_look(self.key, resource, by, key) => {
                Err(Stop::Unforeseen)
            }
            _ => Ok(()),
        }
    }

    async fn each(
        &self,
        name: &str,
        list: &Script,
        steps: &[Step],
        scope: &Scope<'_>,
        items: &str,
    ) -> Result<(), Stop> {
        let list = self.items(list, scope)?;
        let walk_item = |(number, item): (usize, Value)| {
            let mut inner = scope.clone();
            inner.bind(name, item);
            async move { self.steps(steps, &mut inner, &format!("{items}{number}.")).await }
        };
        if writes(steps) {
            for item in list.into_iter().enumerate() {
                walk_item(item).await?;
            }
            return Ok(());
        }
        // Without writes the items may be looked up side by side; the first fault in the
        // order of the list is the one that counts.
        join_all(list.into_iter().enumerate().map(walk_item)).await.into_iter().collect()
    }

    /// The record that field lines make. Lines whose value is `()` are left out.
    pub(super) fn record(&self, lines: &[Line], scope: &Scope<'_>, creating: bool) -> Result<Record, Stop> {
        scope.record(lines, creating).map_err(|failed| match failed.why {
            Why::Script(error) => Stop::failed("script", self.flow.script_reason(failed.script, &error)),
            Why::NoList(kind) => self.no_list(failed.script, kind),
        })
    }

    fn holds(&self, condition: &Condition, scope: &Scope<'_>) -> Result<bool, Stop> {
        Ok(self.truth(&condition.script, scope)? != condition.negated)
    }

    fn truth(&self, script: &Script, scope: &Scope<'_>) -> Result<bool, Stop> {
        scope.truth(script).map_err(|error| Stop::failed("script", self.flow.script_reason(script, &error)))
    }

    pub(super) fn value(&self, script: &Script, scope: &Scope<'_>) -> Result<Value, Stop> {
        scope.value(script).map_err(|error| Stop::failed("script", self.flow.script_reason(script, &error)))
    }

    fn text(&self, script: &Script, scope: &Scope<'_>) -> Result<String, Stop> {
        Ok(self.value(script, scope)?.plain())
    }

    /// The items of a list; nothing counts as an empty list.
    fn items(&self, script: &Script, scope: &Scope<'_>) -> Result<Vec<Value>, Stop> {
        match self.value(script, scope)? {
            Value::List(items) => Ok(items),
            Value::Null => Ok(Vec::new()),
            other => Err(self.no_list(script, other.kind())),
        }
    }

    fn no_list(&self, script: &Script, kind: &str) -> Stop {
        let place = self.flow.place(&script.expr);
        Stop::failed("script", format!("`each` needs a list, but this is {kind} ({place})"))
    }
}

/// Names that steps bind for those that follow them.
fn names(steps: &[Step]) -> Vec<&str> {
    let mut all = Vec::new();
    for step in steps {
        match &step.action {
            Act::Lookup(lookup) => all.push(lookup.name.as_str()),
            Act::Map(name, _) => all.push(name),
            Act::Write(write) => all.push(&write.name),
            Act::When(_, then, otherwise) => {
                all.extend(names(then));
                all.extend(names(otherwise));
            }
            Act::Filter(_) | Act::Skip(..) | Act::Fail(..) | Act::Each(..) | Act::Notify(..) => {}
        }
    }
    all
}

fn writes(steps: &[Step]) -> bool {
    steps.iter().any(|step| match &step.action {
        Act::Write(_) => true,
        Act::Each(_, _, steps) => writes(steps),
        Act::When(_, then, otherwise) => writes(then) || writes(otherwise),
        _ => false,
    })
}

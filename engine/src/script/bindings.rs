//! What an expression can read: names and their values, in layers.

use std::sync::{Arc, OnceLock};

use connectors::record::Value;
use rhai::Dynamic;

use super::budget::RecordBudget;
use super::error::Mistake;
use super::limits::Limits;
use super::values::to_dynamic;

/// Names and values; a later one hides an earlier one of the same name. Cloning costs a counter
/// for each name.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    names: Vec<(Arc<str>, Arc<Bound>)>,
    budget: Option<RecordBudget>,
}

/// How many names there were; see [`Bindings::mark`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark(usize);

#[derive(Debug)]
struct Bound {
    value: Value,
    /// The value as scripts see it, made when the first script reads it.
    dynamic: OnceLock<Result<Dynamic, Mistake>>,
}

impl Bindings {
    /// No names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a name.
    pub fn set(&mut self, name: impl Into<Arc<str>>, value: impl Into<Value>) {
        let bound = Bound { value: value.into(), dynamic: OnceLock::new() };
        self.names.push((name.into(), Arc::new(bound)));
    }

    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.bound(name).map(|bound| &bound.value)
    }

    /// Where a layer starts: names that are set from here on go with [`Bindings::back_to`].
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark(self.names.len())
    }

    /// Forgets the names set since then.
    pub fn back_to(&mut self, mark: Mark) {
        self.names.truncate(mark.0);
    }

    /// Takes back the value of the name that was set last, unless a clone still holds it.
    pub fn take_last(&mut self) -> Option<Value> {
        let (_, bound) = self.names.pop()?;
        Arc::into_inner(bound).map(|bound| bound.value)
    }

    /// Names that can be read, the latest first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().rev().map(|(name, _)| &**name)
    }

    /// What is evaluated over these names, and over clones of them, draws from one budget.
    pub fn draw_from(&mut self, budget: RecordBudget) {
        self.budget = Some(budget);
    }

    pub(super) const fn budget(&self) -> Option<&RecordBudget> {
        self.budget.as_ref()
    }

    pub(super) fn dynamic(&self, name: &str, limits: &Limits) -> Option<Result<Dynamic, Mistake>> {
        let bound = self.bound(name)?;
        Some(bound.dynamic.get_or_init(|| to_dynamic(&bound.value, limits)).clone())
    }

    fn bound(&self, name: &str) -> Option<&Bound> {
        self.names.iter().rev().find(|(known, _)| &**known == name).map(|(_, bound)| &**bound)
    }
}

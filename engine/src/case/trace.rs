//! Which ways the records of a run took through their flow.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// A way at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// A record came to the step.
    Reached,
    /// Its condition held.
    Yes,
    /// Its condition did not hold.
    No,
}

impl Way {
    /// The way of a condition.
    pub(crate) const fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// Ways by the place of the step in the flow.
#[derive(Debug, Default)]
pub(crate) struct Trace(Mutex<BTreeSet<(usize, Way)>>);

impl Trace {
    /// Notes a way.
    pub(crate) fn mark(&self, step: usize, way: Way) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert((step, way));
    }

    /// Everything that was noted.
    pub(super) fn ways(&self) -> BTreeSet<(usize, Way)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

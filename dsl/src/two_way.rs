//! The two-way rule: no two active flows carry one entity in opposite directions.

use crate::plan::{Carries, Plan};

/// An active flow, with the connections that its two sides are bound to.
#[derive(Clone, Copy, Debug)]
pub struct Active<'p> {
    /// What people call it: its file.
    pub file: &'p str,
    /// The flow.
    pub plan: &'p Plan,
    /// Name of the connection that the source is bound to.
    pub source: &'p str,
    /// Name of the connection that the target is bound to.
    pub target: &'p str,
}

/// Two flows that would send the same entity to and fro.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{first}` carries `{}` to `{}`, and `{second}` carries them back: switch one of the two off", carries.from, carries.to)]
pub struct TwoWay {
    /// File of the one.
    pub first: String,
    /// File of the other.
    pub second: String,
    /// What the first carries; the second carries the reverse.
    pub carries: Carries,
}

/// Every pair of active flows that carries one entity in opposite directions between the
/// same two connections, in the order in which they are given.
#[must_use]
pub fn two_way(flows: &[Active<'_>]) -> Vec<TwoWay> {
    let mut found = Vec::new();
    for (number, one) in flows.iter().enumerate() {
        for other in flows.iter().skip(number + 1) {
            if one.source != other.target || one.target != other.source {
                continue;
            }
            let reversed = |carries: &&Carries| {
                other.plan.carries.iter().any(|back| back.from == carries.to && back.to == carries.from)
            };
            if let Some(carries) = one.plan.carries.iter().find(reversed) {
                found.push(TwoWay {
                    first: one.file.to_owned(),
                    second: other.file.to_owned(),
                    carries: carries.clone(),
                });
            }
        }
    }
    found
}

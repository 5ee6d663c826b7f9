//! The right to create records of a kind. Two flows that look for the same record would both find
//! nothing, and both create it: so flows that create in one resource of one connection take turns,
//! whoever runs them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dsl::plan::{Action, Plan, Step, Verb};

use super::{Options, Renewal, Sides, Watcher, claim, keep_lease, release};
use crate::store::{Claim, Lease, Store, StoreError, right_to_create, this_process};

/// How long a run by hand waits before it asks again.
const AGAIN: Duration = Duration::from_millis(500);

/// What a flow creates, each as a name that no flow can have: it stands for a right in the store.
pub(crate) fn creates(plan: &Plan, sides: &Sides) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    collect(&plan.steps, &sides.target.connection, &mut all);
    all
}

fn collect(steps: &[Step], target: &str, all: &mut BTreeSet<String>) {
    for step in steps {
        match &step.action {
            Action::Write(write) if !matches!(write.verb, Verb::Update { .. }) => {
                all.insert(right_to_create(target, &write.resource));
            }
            Action::Each { steps, .. } => collect(steps, target, all),
            Action::When { then, otherwise, .. } => {
                collect(then, target, all);
                collect(otherwise, target, all);
            }
            _ => {}
        }
    }
}

/// Rights that are held.
pub(crate) struct Rights(Vec<(Lease, Renewal)>);

/// What came of asking for them.
pub(crate) enum Asked {
    All(Rights),
    /// None was taken: somebody else has one of them.
    Busy {
        holder: String,
    },
}

impl Rights {
    /// Takes all of them, or none when somebody else has one.
    pub(crate) async fn take(
        store: &Arc<dyn Store>,
        names: &BTreeSet<String>,
        holder: &str,
    ) -> Result<Asked, StoreError> {
        let mut rights = Self(Vec::new());
        // In one order for all, so that no two wait for each other.
        for name in names {
            match claim(&**store, name, holder).await {
                Ok(Claim::Held(lease)) => {
                    let renewal = Renewal(tokio::spawn(keep_lease(Arc::clone(store), lease.clone())));
                    rights.0.push((lease, renewal));
                }
                Ok(Claim::Busy { holder, .. }) => {
                    rights.give_back(store).await?;
                    return Ok(Asked::Busy { holder });
                }
                Err(error) => {
                    // What cannot be given back runs out.
                    let _ = rights.give_back(store).await;
                    return Err(error);
                }
            }
        }
        Ok(Asked::All(rights))
    }

    /// Takes all of them, as soon as nobody else has one. None is held while it waits; told to
    /// stop, it says who was in the way.
    pub(super) async fn wait(
        store: &Arc<dyn Store>,
        names: &BTreeSet<String>,
        options: &Options,
        watcher: &dyn Watcher,
    ) -> Result<Asked, StoreError> {
        let mut told = false;
        loop {
            match Self::take(store, names, &this_process()).await? {
                Asked::Busy { holder } if !options.stop.load(Ordering::Relaxed) => {
                    if !told {
                        watcher.waits(&holder);
                        told = true;
                    }
                    tokio::time::sleep(AGAIN).await;
                }
                asked => return Ok(asked),
            }
        }
    }

    pub(crate) fn leases(&self) -> Vec<Lease> {
        self.0.iter().map(|(lease, _)| lease.clone()).collect()
    }

    /// Others may create such records from here on.
    pub(crate) async fn give_back(self, store: &Arc<dyn Store>) -> Result<(), StoreError> {
        let mut first = Ok(());
        for (lease, renewal) in self.0 {
            drop(renewal);
            let released = store.release(&lease).await;
            if released.as_ref().is_err_and(StoreError::is_temporary) {
                // Else nobody could create such records before the lease runs out.
                tokio::spawn(release::alone(Arc::clone(store), lease));
            }
            first = first.and(released);
        }
        first
    }
}

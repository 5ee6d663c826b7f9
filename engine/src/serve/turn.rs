//! One run of one flow under the daemon: claim it, see that nobody was quicker, run it, say what
//! came of it.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use connectors::contract::{Advice, RemoteError};

use super::board::{End, Start};
use super::clock::Clock;
use super::version::Loaded;
use crate::run::{
    Asked, Claimed, Options, Report, Rights, RunError, Sides, Task, Watcher, claim, release, run_claimed,
};
use crate::store::{Claim, Counts, Lease, RunState, Store, StoreError};

/// All that a run needs.
pub(super) struct Job {
    pub(super) loaded: Arc<Loaded>,
    pub(super) start: Start,
    pub(super) store: Arc<dyn Store>,
    pub(super) clock: Arc<dyn Clock>,
    /// The name of this daemon as a holder of leases.
    pub(super) holder: String,
    pub(super) stop: Arc<AtomicBool>,
    /// The claim, for whoever has to tidy up after a run that did not come to its end.
    pub(super) claimed: Arc<Mutex<Option<Claimed>>>,
    /// The same of its rights to create.
    pub(super) rights: Arc<Mutex<Vec<Lease>>>,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) end: End,
    pub(super) report: Option<Report>,
    /// What the store said, when it could not be used.
    pub(super) store: Option<StoreError>,
}

/// Refusals are in the store, and none of them in the log: they speak of people.
struct Silent;

impl Watcher for Silent {
    fn page(&self, _: &Counts) {}
    fn refused(&self, _: &str, _: &str) {}
    fn waits(&self, _: &str) {}
}

impl From<End> for Outcome {
    fn from(end: End) -> Self {
        Self { end, report: None, store: None }
    }
}

impl From<StoreError> for Outcome {
    fn from(error: StoreError) -> Self {
        match error {
            // Another daemon took the flow over; it does the page again.
            StoreError::Fenced { .. } => End::Elsewhere.into(),
            error if is_trouble(&error) => Self { end: End::Store, report: None, store: Some(error) },
            error => End::Permanent { reason: error.to_string() }.into(),
        }
    }
}

/// The store itself cannot be used; it is not about this run.
pub(super) fn is_trouble(error: &StoreError) -> bool {
    !matches!(
        error,
        StoreError::Fenced { .. }
            | StoreError::NoSuchRun { .. }
            | StoreError::Unreadable { .. }
            | StoreError::Refused { .. }
    )
}

/// No pause mends it: somebody has to look at the store.
pub(super) fn is_final(error: &StoreError) -> bool {
    is_trouble(error) && !error.is_temporary()
}

/// Takes the turn.
pub(super) async fn take(job: &Job) -> Outcome {
    let flow = &job.loaded.flow;
    let lease = match claim(&*job.store, &flow.name, &job.holder).await {
        Ok(Claim::Held(lease)) => lease,
        Ok(Claim::Busy { .. }) => return End::Elsewhere.into(),
        Err(error) => return error.into(),
    };
    let rights = match Rights::take(&job.store, &job.loaded.creates, &job.holder).await {
        Ok(Asked::All(rights)) => rights,
        Ok(Asked::Busy { .. }) => {
            let released = job.store.release(&lease).await;
            return released.map_or_else(Into::into, |()| End::Later.into());
        }
        Err(error) => {
            // Should this fail too, the lease runs out by itself.
            let _ = job.store.release(&lease).await;
            return error.into();
        }
    };
    job.rights.lock().unwrap_or_else(PoisonError::into_inner).extend(rights.leases());
    let outcome = take_claimed(job, lease).await;
    if let Err(error) = rights.give_back(&job.store).await {
        tracing::debug!(flow = flow.name, %error, "the rights to create are not given back yet");
    }
    outcome
}

/// The same with everything that it takes.
async fn take_claimed(job: &Job, lease: Lease) -> Outcome {
    let flow = &job.loaded.flow;
    match job.store.begin_turn(&lease, &job.start.turn, &job.start.known).await {
        Ok(None) => {}
        Ok(Some(theirs)) => {
            let released = job.store.release(&lease).await;
            return released.map_or_else(Into::into, |()| End::Overtaken(Box::new(theirs)).into());
        }
        Err(error) => {
            // Should this fail too, the lease runs out by itself.
            let _ = job.store.release(&lease).await;
            return error.into();
        }
    }
    let claimed = Claimed::new(lease, job.start.part);
    *job.claimed.lock().unwrap_or_else(PoisonError::into_inner) = Some(claimed.clone());
    let options = Options {
        cause: job.start.cause.to_string(),
        full: false,
        refused_again: job.start.refused_again,
        stop: Arc::clone(&job.stop),
    };
    let (lease, id) = (claimed.lease.clone(), claimed.id.clone());
    let ran =
        run_claimed(claimed, flow, &job.loaded.sides, &job.store, &options, Task::default(), &Silent).await;
    let given_back = give_back(job, &lease, &ran).await;
    if given_back.as_ref().is_err_and(StoreError::is_temporary) {
        tokio::spawn(release::later(Arc::clone(&job.store), lease, id));
    }
    match ran {
        Ok(_) if given_back.is_err() => given_back.map_or_else(Into::into, |()| End::Elsewhere.into()),
        Ok(report) => {
            let end = end(&report, &job.loaded).await;
            Outcome { end, report: Some(report), store: None }
        }
        Err(RunError::Store(error)) => error.into(),
        Err(RunError::Busy { .. } | RunError::Waited { .. }) => End::Elsewhere.into(),
    }
}

/// Gives the flow back, and says before that its turn has ended. A run that was told to stop has
/// not ended: the next daemon takes it up.
async fn give_back(job: &Job, lease: &Lease, ran: &Result<Report, RunError>) -> Result<(), StoreError> {
    let ended = ran.as_ref().is_ok_and(|report| report.state != RunState::Stopped);
    let noted = match job.start.turn.started_at {
        Some(started) if ended => {
            let now = job.clock.now().as_millisecond();
            job.store.end_turn(lease, started, now).await
        }
        _ => Ok(()),
    };
    let released = job.store.release(lease).await;
    noted.and(released)
}

/// What to do after a run.
async fn end(report: &Report, loaded: &Loaded) -> End {
    let Some(error) = report.error.as_ref().filter(|_| report.state == RunState::Failed) else {
        return End::Ran(report.state);
    };
    let reason = match &error.help {
        Some(help) => format!("{error}; {help}"),
        None => error.to_string(),
    };
    let after = match error.advice {
        Advice::SkipRecord | Advice::StopFlow => return End::Permanent { reason },
        Advice::Reconnect => {
            let by = culprit(error, loaded).await;
            // A connector does not know what the project calls its connection.
            let named = by.as_ref().map(|name| {
                reason.replace("connect NAME` with the connection's name", &format!("connect {name}`"))
            });
            return End::Reconnect { by, reason: named.unwrap_or(reason) };
        }
        Advice::Retry(after) => after,
        Advice::Unknown => None,
    };
    End::Temporary { by: culprit(error, loaded).await, after, reason }
}

/// The connection that it was. Where both have the same system, the one that does not answer.
async fn culprit(error: &RemoteError, loaded: &Loaded) -> Option<String> {
    let Sides { source, target } = &loaded.sides;
    let is = |title: &str| title == error.system;
    match (is(source.title()), is(target.title())) {
        (true, false) => Some(loaded.source.clone()),
        (false, true) => Some(loaded.target.clone()),
        (false, false) => None,
        (true, true) => {
            for (party, name) in [(source, &loaded.source), (target, &loaded.target)] {
                if party.session.probe().await.is_err() {
                    return Some(name.clone());
                }
            }
            None
        }
    }
}

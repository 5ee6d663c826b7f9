//! One run of one flow: read pages, walk their records, settle them, move the cursor.
//!
//! Everything that must survive is in the store page by page, in the order in which pages were
//! read. A run that is killed leaves at most the few pages in flight to do again, and the ledger
//! and the intents make that do no harm.

mod arrivals;
mod deleted;
mod differ;
mod finder;
mod history;
mod journal;
mod letters;
mod named;
mod notes;
pub(crate) mod outgoing;
mod page;
mod pipeline;
mod reading;
pub(crate) mod release;
mod rights;
mod scope;
mod seen;
mod settle;
mod sides;
mod unfinished;
mod walk;
mod write;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use connectors::contract::{FetchRequest, RemoteError};
use connectors::manifest::Deleted;
use connectors::record::{Record, Value};

use crate::flow::Flow;
use crate::store::{
    Claim, Counts, Fingerprint, Lease, NewRun, RunState, Runs, Store, StoreError, is_dead, this_process,
};
use crate::vault::Sealer;
use crate::words::plain;
use finder::Finder;
pub use letters::{Replay, Take};
pub(crate) use named::{Named, Wanted, rehearse, run_named};
use notes::Notebook;
use outgoing::Gate;
use reading::Reading;
pub(crate) use rights::{Asked, Rights, creates};
pub use sides::{Party, Sides};
use tracing::Instrument as _;

/// How long a claim on a flow holds without being renewed. Longer than any request may take.
const LEASE: Duration = Duration::from_mins(5);

/// Records a page, as far as the source allows.
const PAGE: usize = 100;

/// How a run is to be done.
#[derive(Clone, Debug)]
pub struct Options {
    /// What started it.
    pub cause: String,
    /// Read everything, whatever the cursor and the ledger say.
    pub full: bool,
    /// Take up records again that were refused before: what was missing may be there now.
    pub refused_again: bool,
    /// Set to stop after the page under way.
    pub stop: Arc<AtomicBool>,
}

/// Told how a run gets on.
pub trait Watcher: Send + Sync {
    /// After each page: counts so far.
    fn page(&self, counts: &Counts);
    /// A record was refused.
    fn refused(&self, key: &str, reason: &str);
    /// The run begins once another has ended that creates the same kind of record.
    fn waits(&self, holder: &str);
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its name in the store.
    pub run: String,
    /// How it ended.
    pub state: RunState,
    /// Records by how they ended; they add up to those read.
    pub counts: Counts,
    /// Why it could not go on.
    pub error: Option<RemoteError>,
}

/// Why a run could not be done at all, or its state not be kept.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Somebody else runs the flow.
    #[error("flow `{flow}` is being run by {holder}")]
    Busy {
        /// The flow.
        flow: String,
        /// Who runs it.
        holder: String,
    },
    /// It was told to stop while it waited for its turn to create.
    #[error("flow `{flow}` was stopped while it waited for {holder}")]
    Waited {
        /// The flow.
        flow: String,
        /// Who runs a flow that creates the same kind of record.
        holder: String,
    },
}

/// What is special about a run; nothing: it takes up all that its source has.
#[derive(Clone, Copy, Default)]
pub(crate) struct Task<'a> {
    /// Dead letters to try again, and nothing else.
    letters: Option<&'a Replay>,
    /// Records that somebody has named, and nothing else.
    named: Option<&'a Named>,
    /// Sees every write before it leaves.
    gate: Option<&'a dyn Gate>,
}

/// A run under way.
pub(crate) struct Run<'a> {
    flow: &'a Flow,
    sides: &'a Sides,
    store: &'a dyn Runs,
    watcher: &'a dyn Watcher,
    options: &'a Options,
    task: Task<'a>,
    /// Records that were left as they are, because they are no longer what somebody agreed to.
    turned_away: AtomicUsize,
    lease: Lease,
    id: String,
    counts: Mutex<Counts>,
    /// Records that were taken up again in this run.
    retaken: Mutex<HashSet<String>>,
    /// Records that webhooks have named and that no page has brought yet, and whether they are said
    /// to be deleted.
    wanted: Mutex<HashMap<String, bool>>,
    /// How the source tells what it has deleted.
    deletions: Option<&'a Deleted>,
    finder: Finder<'a>,
    notebook: Notebook,
    /// Present where records were created by the page.
    past: tokio::sync::Mutex<Option<seen::Past>>,
    /// Present where records must not be kept as they are.
    sealer: OnceLock<Sealer>,
}

/// How much of a flow a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Everything.
    Whole,
    /// Only records that had to wait and are due.
    Waiting,
}

/// A claim on a flow, and the run that it is for.
#[derive(Clone, Debug)]
pub(crate) struct Claimed {
    pub(crate) lease: Lease,
    /// The run's name in the store.
    pub(crate) id: String,
    pub(crate) part: Part,
}

impl Claimed {
    /// A run under this lease.
    pub(crate) fn new(lease: Lease, part: Part) -> Self {
        Self { lease, id: uuid::Uuid::now_v7().to_string(), part }
    }
}

/// Asks for the flow, in the name of this holder.
pub(crate) async fn claim(store: &dyn Store, flow: &str, holder: &str) -> Result<Claim, StoreError> {
    store.acquire(flow, holder, LEASE, &is_dead).await
}

/// Runs a flow once.
pub async fn run(
    flow: &Flow,
    sides: &Sides,
    store: &Arc<dyn Store>,
    options: &Options,
    watcher: &dyn Watcher,
) -> Result<Report, RunError> {
    run_as(flow, sides, store, options, Task::default(), watcher).await
}

/// Tries dead letters again, and reads nothing else.
pub async fn replay(
    flow: &Flow,
    sides: &Sides,
    store: &Arc<dyn Store>,
    options: &Options,
    replay: &Replay,
    watcher: &dyn Watcher,
) -> Result<Report, RunError> {
    run_as(flow, sides, store, options, Task { letters: Some(replay), ..Task::default() }, watcher).await
}

async fn run_as(
    flow: &Flow,
    sides: &Sides,
    store: &Arc<dyn Store>,
    options: &Options,
    task: Task<'_>,
    watcher: &dyn Watcher,
) -> Result<Report, RunError> {
    let lease = match claim(&**store, &flow.name, &this_process()).await? {
        Claim::Held(lease) => lease,
        Claim::Busy { holder, .. } => return Err(RunError::Busy { flow: flow.name.clone(), holder }),
    };
    let claimed = Claimed::new(lease.clone(), Part::Whole);
    let id = claimed.id.clone();
    let result = run_with_rights(claimed, flow, sides, store, options, task, watcher).await;
    // Whatever happened, others may claim the flow from here on.
    let released = store.release(&lease).await;
    if released.as_ref().is_err_and(StoreError::is_temporary) {
        tokio::spawn(release::later(Arc::clone(store), lease, id));
    }
    let report = result?;
    released?;
    Ok(report)
}

async fn run_with_rights(
    claimed: Claimed,
    flow: &Flow,
    sides: &Sides,
    store: &Arc<dyn Store>,
    options: &Options,
    task: Task<'_>,
    watcher: &dyn Watcher,
) -> Result<Report, RunError> {
    let waiting = Renewal(tokio::spawn(keep_lease(Arc::clone(store), claimed.lease.clone())));
    let rights = match Rights::wait(store, &creates(&flow.plan, sides), options, watcher).await? {
        Asked::All(rights) => rights,
        Asked::Busy { holder } => return Err(RunError::Waited { flow: flow.name.clone(), holder }),
    };
    drop(waiting);
    let result = run_claimed(claimed, flow, sides, store, options, task, watcher).await;
    let given_back = rights.give_back(store).await;
    let report = result?;
    given_back?;
    Ok(report)
}

/// Runs a flow that has been claimed; whoever claimed it gives it back.
pub(crate) async fn run_claimed(
    claimed: Claimed,
    flow: &Flow,
    sides: &Sides,
    store: &Arc<dyn Store>,
    options: &Options,
    task: Task<'_>,
    watcher: &dyn Watcher,
) -> Result<Report, RunError> {
    let Claimed { lease, id, part } = claimed;
    let renewal = Renewal(tokio::spawn(keep_lease(Arc::clone(store), lease.clone())));
    let run = Run { task, lease, id, ..Run::new(flow, sides, &**store, options, watcher) };
    let result = run.whole(part).instrument(run.span()).await;
    drop(renewal);
    run.end(result).await
}

/// Renews a claim until it is dropped: also when the run is given up, or fails in an unforeseen
/// way.
struct Renewal(tokio::task::JoinHandle<()>);

impl Drop for Renewal {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Holds the claim while the run goes on.
async fn keep_lease(store: Arc<dyn Store>, lease: Lease) {
    loop {
        tokio::time::sleep(LEASE / 4).await;
        if let Err(error) = store.renew(&lease, LEASE).await {
            // The next commit is fenced and ends the run.
            tracing::warn!(flow = lease.flow, %error, "the claim on the flow could not be renewed");
        }
    }
}

/// Why the reading of pages ended early.
enum Ended {
    Stopped,
    Remote(RemoteError),
}

impl<'a> Run<'a> {
    /// A run of everything, that has no name and no claim yet.
    fn new(
        flow: &'a Flow,
        sides: &'a Sides,
        store: &'a dyn Runs,
        options: &'a Options,
        watcher: &'a dyn Watcher,
    ) -> Self {
        Self {
            flow,
            sides,
            store,
            watcher,
            options,
            task: Task::default(),
            turned_away: AtomicUsize::new(0),
            lease: Lease { flow: flow.name.clone(), epoch: 0, holder: String::new(), expires_at: 0 },
            id: String::new(),
            counts: Mutex::default(),
            retaken: Mutex::default(),
            wanted: Mutex::default(),
            deletions: sides.source.deletions(&flow.plan.fetch.resource),
            finder: Finder::new(sides),
            notebook: Notebook::default(),
            past: tokio::sync::Mutex::default(),
            sealer: OnceLock::new(),
        }
    }
}

impl Run<'_> {
    fn span(&self) -> tracing::Span {
        tracing::debug_span!("run", flow = self.flow.name, run = self.id, cause = self.options.cause)
    }

    async fn whole(&self, part: Part) -> Result<Option<Ended>, StoreError> {
        let new = NewRun { id: self.id.clone(), cause: self.options.cause.clone(), plan: self.flow.print };
        self.store.start_run(&self.lease, &new).await?;
        self.store.keep_edition(&self.flow.name, self.flow.print, &self.flow.edition.to_json()).await?;
        if part != Part::Waiting && self.task.letters.is_none() && self.task.named.is_none() {
            self.take_arrivals().await?;
        }
        if let Some(error) = self.take_back().await? {
            return Ok(Some(Ended::Remote(error)));
        }
        if let Some(error) = self.seals().await {
            return Ok(Some(Ended::Remote(error)));
        }
        if let Some(named) = self.task.named {
            return self.take_named(named).await;
        }
        if let Some(replay) = self.task.letters {
            return Ok(self.replay(replay).await?.map(Ended::Remote));
        }
        if let Some(error) = self.due().await? {
            return Ok(Some(Ended::Remote(error)));
        }
        if part == Part::Waiting {
            return Ok(None);
        }
        match self.pages().await? {
            None => self.answer_arrivals().await,
            ended => Ok(ended),
        }
    }

    /// Gets ready to seal, where records must not be kept as they are.
    async fn seals(&self) -> Option<RemoteError> {
        if self.flow.privacy.is_open() {
            return None;
        }
        match self.flow.vault.sealer().await {
            Ok(sealer) => {
                // Set once, here.
                let _ = self.sealer.set(sealer);
                None
            }
            Err(trouble) => Some(letters::unopened(&self.flow.name, &trouble)),
        }
    }

    async fn pages(&self) -> Result<Option<Ended>, StoreError> {
        if let Some(road) = journal::Road::of(self.flow, self.sides) {
            return self.by_the_page(road).await;
        }
        let resource = &self.flow.plan.fetch.resource;
        let Some(fetch) = self.sides.source.session.fetch(resource) else {
            return Ok(Some(Ended::Remote(self.sides.source.cannot("fetch", resource))));
        };
        let kept = self.store.cursor(&self.flow.name).await?.unwrap_or_default();
        let reading = match Reading::begin(self.flow, &kept, self.options.full) {
            Ok(reading) => reading,
            Err(error) => return Ok(Some(Ended::Remote(error))),
        };
        let request = match self.request(&reading) {
            Ok(request) => request,
            Err(error) => return Ok(Some(Ended::Remote(error))),
        };
        pipeline::Pipeline::new(self, fetch, &request, reading).run().await
    }

    fn request(&self, reading: &Reading) -> Result<FetchRequest, RemoteError> {
        let conditions = self.conditions()?;
        let resource = self.flow.plan.fetch.resource.clone();
        Ok(FetchRequest { resource, since: reading.since_with_overlap()?, conditions, size: PAGE })
    }

    /// Fields and the values that records must have to be read at all.
    fn conditions(&self) -> Result<Vec<(String, Value)>, RemoteError> {
        let scope = scope::Scope::new(self.flow, None);
        let mut conditions = Vec::new();
        for (field, script) in &self.flow.program.conditions {
            match scope.value(script) {
                Ok(value) => conditions.push((field.clone(), value)),
                Err(error) => {
                    let reason = self.flow.script_reason(script, &error);
                    let advice = connectors::contract::Advice::StopFlow;
                    return Err(RemoteError::new(advice, self.flow.name.clone(), reason));
                }
            }
        }
        Ok(conditions)
    }

    async fn end(&self, result: Result<Option<Ended>, StoreError>) -> Result<Report, RunError> {
        let counts = *self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = counts.failed + counts.waiting > 0 || self.turned_away.load(Ordering::Relaxed) > 0;
        let (state, error) = match &result {
            Ok(None) if refused => (RunState::Partial, None),
            Ok(None) => (RunState::Succeeded, None),
            Ok(Some(Ended::Stopped)) => (RunState::Stopped, None),
            Ok(Some(Ended::Remote(error))) => (RunState::Failed, Some(self.shaded_end(error))),
            Err(_) => (RunState::Failed, None),
        };
        let text = match &result {
            Err(error) => Some(error.to_string()),
            Ok(_) => error.as_ref().map(ToString::to_string),
        };
        let noted = self.store.end_run(&self.lease, &self.id, state, text.as_deref()).await;
        // The first error is the one that explains.
        result?;
        noted?;
        Ok(Report { run: self.id.clone(), state, counts, error })
    }

    /// What ended a run is kept by the run, the flow and the connection, and told to people. It may
    /// quote a record, and nobody knows which: where something is masked, it names nobody.
    fn shaded_end(&self, error: &RemoteError) -> RemoteError {
        let mut error = error.clone();
        if !self.flow.privacy.is_open() {
            error.reason = plain(&error.reason);
        }
        error
    }
}

/// The fingerprint of a record as it is.
pub(crate) fn fingerprint(record: &Record) -> Fingerprint {
    let mut text = Vec::new();
    record.write_json(&mut text);
    Fingerprint::of(&text)
}

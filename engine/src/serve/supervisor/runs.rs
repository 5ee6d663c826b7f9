//! Runs: started on tasks of their own, and tidied up after whatever became of them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::{Id, JoinError};

use super::Supervisor;
use crate::run::Claimed;
use crate::serve::Cause;
use crate::serve::board::{End, Start, moment};
use crate::serve::health::Ended;
use crate::serve::turn::{Job, Outcome, take};
use crate::store::{Counts, Lease, Millis, RunState, Store};
use crate::words;

/// A run under way.
#[derive(Debug)]
pub(super) struct Running {
    flow: String,
    cause: Cause,
    started_at: Timestamp,
    claimed: Arc<Mutex<Option<Claimed>>>,
    rights: Arc<Mutex<Vec<Lease>>>,
}

impl Running {
    /// Gives back what a run that did not come to its end had taken beside its flow. What cannot
    /// be given back runs out.
    async fn give_back(&self, store: &dyn Store) {
        let rights = std::mem::take(&mut *self.rights.lock().unwrap_or_else(PoisonError::into_inner));
        for lease in rights {
            let _ = store.release(&lease).await;
        }
    }

    fn claimed(&self) -> Option<Claimed> {
        self.claimed.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Supervisor {
    pub(super) fn start(&mut self, start: Start, now: Millis) {
        let Some(loaded) = self.version.flows.get(&start.flow).map(Arc::clone) else {
            let reason = "its files are not loaded".to_owned();
            return self.board.ended(&start.flow, End::Permanent { reason }, now);
        };
        let running = Running {
            flow: start.flow.clone(),
            cause: start.cause.clone(),
            started_at: moment(now).unwrap_or_default(),
            claimed: Arc::default(),
            rights: Arc::default(),
        };
        tracing::debug!(flow = start.flow, cause = %start.cause, "run begins");
        let job = Job {
            loaded,
            start,
            store: Arc::clone(&self.setup.store),
            clock: Arc::clone(&self.setup.clock),
            holder: self.setup.holder.clone(),
            stop: Arc::clone(&self.stop),
            claimed: Arc::clone(&running.claimed),
            rights: Arc::clone(&running.rights),
        };
        let task = self.jobs.spawn(async move { take(&job).await });
        self.running.insert(task.id(), running);
    }

    pub(super) async fn ended(&mut self, done: Result<(Id, Outcome), JoinError>) {
        let now = self.now();
        let (id, outcome) = match done {
            Ok((id, outcome)) => (id, outcome),
            Err(error) => (error.id(), self.broke(&error).await),
        };
        let Some(running) = self.running.remove(&id) else { return };
        self.tell(&running, &outcome, now);
        match &outcome.store {
            Some(error) => self.store_failed(error, now),
            None if outcome.report.is_some() => self.store_is_back(now),
            None => {}
        }
        self.board.ended(&running.flow, outcome.end, now);
    }

    /// A run that failed in an unforeseen way: its claim is given back.
    async fn broke(&mut self, error: &JoinError) -> Outcome {
        let running = self.running.get(&error.id());
        if let Some(running) = running {
            running.give_back(&*self.setup.store).await;
        }
        let claimed = running.and_then(Running::claimed);
        let reason = "the program itself failed in this run; report what the log says";
        if let Some(Claimed { lease, id, .. }) = claimed {
            let noted = self.setup.store.end_run(&lease, &id, RunState::Failed, Some(reason)).await;
            let released = self.setup.store.release(&lease).await;
            if let Err(error) = noted.and(released) {
                tracing::warn!(%error, "the claim on a flow whose run failed was not given back; it runs out");
            }
        }
        End::Permanent { reason: reason.to_owned() }.into()
    }

    /// What has not settled in time is broken off: the next daemon takes it up. Gives how many
    /// runs that were.
    pub(super) async fn break_off(&mut self) -> usize {
        let count = self.jobs.len();
        self.jobs.abort_all();
        while self.jobs.join_next().await.is_some() {}
        for (_, running) in std::mem::take(&mut self.running) {
            tracing::warn!(
                flow = running.flow,
                "run broken off: it did not settle in time; the next start takes it up"
            );
            running.give_back(&*self.setup.store).await;
            if let Some(Claimed { lease, id, .. }) = running.claimed() {
                let reason = "the daemon was stopped, and the run did not settle in time";
                let noted = self.setup.store.end_run(&lease, &id, RunState::Stopped, Some(reason)).await;
                // What cannot be given back runs out.
                let _ = noted.and(self.setup.store.release(&lease).await);
            }
        }
        count
    }

    /// One line about a run that ended, and its place in the sums.
    fn tell(&mut self, running: &Running, outcome: &Outcome, now: Millis) {
        let Running { flow, cause, started_at, .. } = running;
        let ended_at = moment(now).unwrap_or_default();
        let took = i64::try_from(ended_at.duration_since(*started_at).as_millis()).unwrap_or_default();
        let reason = match &outcome.end {
            End::Elsewhere | End::Later | End::Overtaken(_) => {
                return tracing::debug!(flow, cause = %cause, "another process runs it, or just did");
            }
            End::Ran(_) => None,
            End::Temporary { reason, .. } | End::Reconnect { reason, .. } | End::Permanent { reason } => {
                Some(reason.clone())
            }
            End::Store if self.trouble.is_some() => {
                return tracing::debug!(flow, cause = %cause, "the store could not keep the run");
            }
            End::Store => outcome.store.as_ref().map(ToString::to_string),
        };
        let (run, counts, state) = match &outcome.report {
            Some(report) => (report.run.clone(), report.counts, report.state),
            None => (String::new(), Counts::default(), RunState::Failed),
        };
        let Counts { created, updated, unchanged, skipped, failed, waiting } = counts;
        let state_word = state.as_str();
        match &reason {
            None => tracing::info!(
                flow, run, cause = %cause, state = state_word, read = counts.read(), created, updated, unchanged,
                skipped, refused = failed, waiting, took_ms = took, "run ended"
            ),
            Some(reason) => tracing::warn!(
                flow, run, cause = %cause, state = state_word, read = counts.read(), created, updated, unchanged,
                skipped, refused = failed, waiting, took_ms = took, reason = words::plain(reason), "run ended"
            ),
        }
        let ended = Ended { run, state, started_at: *started_at, ended_at, counts, error: reason };
        crate::measure::ran(flow, Duration::from_millis(u64::try_from(took).unwrap_or_default()));
        let (last, totals) = self.lasts.entry(flow.clone()).or_default();
        totals.add(&ended);
        *last = Some(ended);
    }
}

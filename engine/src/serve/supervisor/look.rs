//! What the daemon learns from the store and tells it, and what it does when the store cannot be
//! used.

use std::collections::{BTreeMap, BTreeSet};

use super::{Stage, Supervisor};
use crate::serve::board::Lane;
use crate::serve::turn::{is_final, is_trouble};
use crate::store::{Daemon, Millis, StoreError, is_dead};
use crate::words;

/// How often a daemon says that it is there.
const GREETING: Millis = 30_000;

/// Pauses between two tries of a store that cannot be used: the first, and the longest.
const TRIES: (Millis, Millis) = (1_000, 30_000);

/// Trouble that does not come back for so long is over.
const OVER: Millis = 60_000;

/// Time between two rounds of chores.
const CHORES: Millis = 24 * 3_600_000;

/// How long a run is listed.
const KEEP_RUNS: Millis = 90 * 24 * 3_600_000;

/// The store cannot be used.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) reason: String,
    since: Millis,
    next_try: Millis,
    pause: Millis,
    /// It could be written since then; whether it really can shows when a run ends well.
    back_at: Option<Millis>,
}

impl Supervisor {
    /// Looks at the store, and at the files.
    pub(super) async fn look(&mut self, now: Millis) {
        if self.is_away() {
            self.try_the_store(now).await;
            return;
        }
        if self.trouble.as_ref().and_then(|trouble| trouble.back_at).is_some_and(|at| now - at > OVER) {
            self.store_is_back(now);
        }
        let greets = self.greeted_at.is_none_or(|at| at > now || now - at >= GREETING);
        if greets && let Err(error) = self.greet(now).await {
            return self.store_failed(&error, now);
        }
        if let Err(error) = self.learn(now).await {
            return self.store_failed(&error, now);
        }
        if self.stage == Stage::Serving {
            let changed = self.secrets_changed().await;
            self.reload(changed).await;
            self.chores(now);
        }
    }

    /// Somebody has given a connection another secret since the last look.
    async fn secrets_changed(&mut self) -> bool {
        match self.version.project.opened_now().await {
            Ok(secrets) => std::mem::replace(&mut self.secrets, secrets) != self.secrets,
            Err(error) => {
                tracing::debug!(%error, "the secrets could not be looked at");
                false
            }
        }
    }

    /// Says that this daemon is there. A write, so that it shows whether the disk takes one.
    pub(super) async fn greet(&mut self, now: Millis) -> Result<(), StoreError> {
        let daemon = Daemon {
            holder: self.setup.holder.clone(),
            started_at: self.started_at.as_millisecond(),
            seen_at: now,
            trouble: self.wrong_files.clone(),
        };
        self.setup.store.greet(&daemon).await?;
        self.greeted_at = Some(now);
        Ok(())
    }

    /// Daemons that were killed cannot say that they go.
    pub(super) async fn forget_the_dead(&mut self, now: Millis) -> Result<(), StoreError> {
        for daemon in self.setup.store.daemons().await? {
            if is_dead(&daemon.holder) || now - daemon.seen_at > CHORES {
                self.setup.store.leave(&daemon.holder).await?;
            }
        }
        Ok(())
    }

    /// What other daemons and other commands have done.
    pub(super) async fn learn(&mut self, now: Millis) -> Result<(), StoreError> {
        let store = &self.setup.store;
        // Leases come first: a flow that nobody holds by then has noted that its turn ended.
        let database = store.now().await?;
        let leases = store.leases().await?;
        let turns = store.turns().await?;
        let states = store.connection_states().await?;
        // Waiting records go by the database's clock, schedules by ours.
        let waiting: BTreeMap<String, Millis> =
            store.waiting().await?.into_iter().map(|(flow, at)| (flow, at - database + now)).collect();
        let elsewhere: BTreeSet<String> = leases
            .into_iter()
            .filter(|lease| {
                lease.expires_at > database && lease.holder != self.setup.holder && !is_dead(&lease.holder)
            })
            .map(|lease| lease.flow)
            .collect();
        let reconnected = self.board.learn(&turns, &states, &waiting, &elsewhere, now);
        for connection in reconnected {
            tracing::info!(connection, "signed in again");
            self.renew(&connection);
        }
        Ok(())
    }

    /// Gives the board the flows of the version in use, with what the store knows of them.
    pub(super) async fn adopt(&mut self, now: Millis) -> Result<(), StoreError> {
        let mut known: BTreeMap<String, _> =
            self.setup.store.turns().await?.into_iter().map(|turn| (turn.flow.clone(), turn)).collect();
        let mut specs = Vec::new();
        for spec in self.version.specs() {
            let turn = match known.remove(&spec.name) {
                Some(turn) => turn,
                None if spec.on => self.setup.store.meet(&Lane::fresh(&spec.name, now)).await?,
                None => Lane::fresh(&spec.name, now),
            };
            specs.push((spec, turn));
        }
        let at_once = self.version.project.serve.runs_at_once;
        self.board.adopt(specs, &self.version.connections(), at_once, now);
        Ok(())
    }

    /// Keeps what the board has decided, for other daemons and for the next start.
    pub(super) async fn keep(&mut self, now: Millis) {
        if self.is_away() {
            return;
        }
        let (turns, states) = self.board.take_changes(now);
        for turn in &turns {
            if let Err(error) = self.setup.store.put_turn(turn).await {
                self.board.not_kept(&turns, &states);
                return self.store_failed(&error, now);
            }
        }
        for state in &states {
            if let Err(error) = self.setup.store.put_connection_state(state).await {
                self.board.not_kept(&[], &states);
                return self.store_failed(&error, now);
            }
        }
    }

    /// Nothing is taken up any more until the store can be used again. Said once.
    pub(super) fn store_failed(&mut self, error: &StoreError, now: Millis) {
        if !is_trouble(error) {
            return tracing::error!(%error, "the store refused a note of the daemon");
        }
        let reason = match miette::Diagnostic::help(error) {
            Some(help) => format!("{error}; {help}"),
            None => error.to_string(),
        };
        if is_final(error) {
            self.give_up(error, now);
        }
        if let Some(trouble) = &mut self.trouble {
            // The same trouble again: it is not said twice, and tried less often.
            let pause = if trouble.back_at.take().is_some() { trouble.pause * 2 } else { trouble.pause };
            trouble.pause = pause.min(TRIES.1);
            trouble.next_try = now.saturating_add(trouble.pause);
            trouble.reason = reason;
        } else {
            tracing::error!(
                reason = words::plain(&reason),
                "the store cannot be used: no work is taken up until it can; nothing is lost"
            );
            let next_try = now.saturating_add(TRIES.0);
            self.trouble = Some(Trouble { reason, since: now, next_try, pause: TRIES.0, back_at: None });
        }
        self.next_look = self.trouble.as_ref().map_or(now, |trouble| trouble.next_try);
    }

    /// Nothing is taken up, because the store cannot be used.
    pub(super) fn is_away(&self) -> bool {
        self.trouble.as_ref().is_some_and(|trouble| trouble.back_at.is_none())
    }

    /// A run has kept what it did, or nothing has gone wrong for a while.
    pub(super) fn store_is_back(&mut self, now: Millis) {
        if !self.is_away()
            && let Some(trouble) = self.trouble.take()
        {
            let for_seconds = (now - trouble.since) / 1_000;
            tracing::info!(for_seconds, "the store can be used again: work goes on");
        }
    }

    /// Everything that a daemon needs of the store, room on its disk included.
    async fn use_the_store(&mut self, now: Millis) -> Result<(), StoreError> {
        self.setup.store.ping().await?;
        self.greet(now).await?;
        self.learn(now).await
    }

    /// No pause mends it.
    fn give_up(&mut self, error: &StoreError, now: Millis) {
        let reason = words::plain(&error.to_string());
        tracing::error!(reason, "the store cannot be used any more: the daemon ends");
        self.ruined = Some(error.clone());
        self.stage = Stage::Stopping;
        self.deadline = Some(now);
    }

    async fn try_the_store(&mut self, now: Millis) {
        if self.trouble.as_ref().is_some_and(|trouble| trouble.next_try > now) {
            return;
        }
        let tried = self.use_the_store(now).await;
        if let Err(error) = &tried
            && is_final(error)
        {
            self.give_up(error, now);
        }
        match (tried, self.trouble.take()) {
            (Ok(()), Some(trouble)) => {
                self.trouble = Some(Trouble { back_at: Some(now), ..trouble });
                self.board.missed(now);
            }
            (Err(error), Some(trouble)) => {
                let pause = (trouble.pause * 2).min(TRIES.1);
                let reason = error.to_string();
                self.trouble =
                    Some(Trouble { reason, next_try: now.saturating_add(pause), pause, ..trouble });
            }
            (_, None) => {}
        }
    }

    /// Once a day: what is kept long enough goes, and the file shrinks.
    fn chores(&mut self, now: Millis) {
        if self.next_chores > now && self.next_chores - now <= CHORES {
            return;
        }
        self.next_chores = now.saturating_add(CHORES);
        while self.chores.try_join_next().is_some() {}
        let store = std::sync::Arc::clone(&self.setup.store);
        let project = &self.version.project;
        let kept = |name: &String| i64::try_from(project.privacy.keep(name).as_millis()).unwrap_or(i64::MAX);
        let flows = project.flows.iter().map(|flow| (flow.name.clone(), kept(&flow.name)));
        let flows: Vec<(String, i64)> = flows.collect();
        self.chores.spawn(async move {
            let done = async {
                let now = store.now().await?;
                let mut removed = 0;
                for (flow, kept) in &flows {
                    removed += store.prune(flow, now.saturating_sub(*kept)).await?;
                }
                removed += store.drop_runs(now.saturating_sub(KEEP_RUNS)).await?;
                store.upkeep().await?;
                Ok::<u64, StoreError>(removed)
            };
            match done.await {
                Ok(removed) => tracing::debug!(removed, "old entries of the log were removed"),
                Err(error) => {
                    tracing::warn!(%error, "old entries of the log were not removed; tomorrow again");
                }
            }
        });
    }
}

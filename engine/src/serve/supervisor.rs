//! The loop of the daemon: looks around, starts what is due, takes note of what ended, until it
//! is told to stop.
//!
//! Everything that decides is in the board; everything that a flow does is in its run, on a task
//! of its own. A run that fails in an unforeseen way ends that run and nothing else.

mod files;
mod look;
mod publish;
mod runs;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::board::{Board, moment};
use super::clock::Clock;
use super::files::Files;
use super::health::{Ended, Health, Roster, Stage, Totals};
use super::turn::Outcome;
use super::version::{Talks, Version};
use super::{Around, Seam, Waker, Wish, notify};
use crate::store::{Millis, Store, StoreError};
use crate::vault::Entry;
use look::Trouble;
use runs::Running;

/// So much later than it wanted to, the daemon wakes only when the machine slept or its clock was
/// set.
const SILENCE: SignedDuration = SignedDuration::from_mins(2);

/// What a daemon is told from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Settle what is under way, and stop.
    Stop,
    /// Look at the files now.
    Reload,
}

/// How a daemon that was told to stop did so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stopped {
    /// Runs that did not settle in time and were broken off.
    pub broken_off: usize,
}

/// Where and how a daemon works.
pub struct Setup {
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What must survive.
    pub store: Arc<dyn Store>,
    /// Its name as a holder of leases.
    pub holder: String,
    /// Time between two looks at the store and at the files.
    pub look_every: Duration,
    /// For the jitter of pauses.
    pub seed: u64,
}

/// The daemon.
pub struct Supervisor {
    setup: Setup,
    board: Board,
    version: Arc<Version>,
    files: Files,
    /// Why the files as they are now are not used.
    wrong_files: Option<String>,
    jobs: JoinSet<Outcome>,
    running: HashMap<tokio::task::Id, Running>,
    /// Work on the store that nobody waits for.
    chores: JoinSet<()>,
    next_chores: Millis,
    trouble: Option<Trouble>,
    /// Why the store cannot be used any more.
    ruined: Option<StoreError>,
    next_look: Millis,
    greeted_at: Option<Millis>,
    /// Told to every run when the daemon stops.
    stop: Arc<AtomicBool>,
    stage: Stage,
    /// When what is under way is broken off.
    deadline: Option<Millis>,
    started_at: Timestamp,
    turned_at: Timestamp,
    /// When it was to turn at the latest.
    wakes_at: Timestamp,
    /// What systemd was told last.
    told: String,
    lasts: HashMap<String, (Option<Ended>, Totals)>,
    wishes: mpsc::UnboundedReceiver<Wish>,
    waker: Waker,
    health: watch::Sender<Health>,
    roster: watch::Sender<Roster>,
    talks: watch::Sender<Talks>,
    around: watch::Sender<Around>,
    /// When each secret that the version uses was last replaced.
    secrets: Vec<Entry>,
}

impl Supervisor {
    /// A daemon over a version of a project, which has been checked.
    #[must_use]
    pub(crate) fn new(setup: Setup, version: Version) -> Self {
        let now = setup.clock.now();
        let (waker, wishes) = Waker::new();
        let board = Board::new(version.project.serve.runs_at_once, setup.seed);
        let health = Health {
            stage: Stage::Starting,
            started_at: now,
            looked_at: now,
            store: None,
            files: None,
            flows: Vec::new(),
            connections: Vec::new(),
        };
        Self {
            files: Files::new(&version.project.root),
            setup,
            board,
            roster: watch::Sender::new(version.roster()),
            talks: watch::Sender::new(version.talks()),
            around: watch::Sender::new(version.around()),
            secrets: version.project.opened.clone(),
            version: Arc::new(version),
            wrong_files: None,
            jobs: JoinSet::new(),
            running: HashMap::new(),
            chores: JoinSet::new(),
            next_chores: 0,
            trouble: None,
            ruined: None,
            next_look: 0,
            greeted_at: None,
            stop: Arc::default(),
            stage: Stage::Starting,
            deadline: None,
            started_at: now,
            turned_at: now,
            wakes_at: now,
            told: String::new(),
            lasts: HashMap::new(),
            wishes,
            waker,
            health: watch::Sender::new(health),
        }
    }

    /// What listeners get.
    #[must_use]
    pub fn seam(&self) -> Seam {
        Seam {
            waker: self.waker.clone(),
            roster: self.roster.subscribe(),
            health: self.health.subscribe(),
            sessions: self.talks.subscribe(),
            around: self.around.subscribe(),
        }
    }

    /// Serves until it is told to stop and has settled what was under way.
    pub async fn run(mut self, mut signals: mpsc::Receiver<Signal>) -> Result<Stopped, StoreError> {
        self.begin().await?;
        let mut stopped = Stopped::default();
        loop {
            let now = self.turn().await;
            if self.stage == Stage::Stopping {
                if self.deadline.is_some_and(|deadline| deadline <= now) {
                    stopped.broken_off = self.break_off().await;
                }
                if self.jobs.is_empty() {
                    break;
                }
            }
            let wake = self.wake_at(now);
            self.wakes_at = moment(wake).unwrap_or(Timestamp::MAX);
            let sleep = self.setup.clock.sleep_until(self.wakes_at);
            tokio::select! {
                Some(done) = self.jobs.join_next_with_id() => self.ended(done).await,
                Some(wish) = self.wishes.recv() => self.wished(wish),
                Some(signal) = signals.recv() => self.told(signal).await,
                () = sleep => {}
            }
        }
        self.finish().await;
        self.ruined.map_or(Ok(stopped), Err)
    }

    /// The first look: what the store knows, and what was missed.
    async fn begin(&mut self) -> Result<(), StoreError> {
        let now = self.now();
        self.greet(now).await?;
        self.forget_the_dead(now).await?;
        self.adopt(now).await?;
        self.learn(now).await?;
        self.board.try_again(now);
        self.board.missed(now);
        self.next_look = now.saturating_add(self.look_every());
        self.stage = Stage::Serving;
        let on = self.version.flows.len();
        tracing::info!(flows = self.version.project.flows.len(), on, "serving");
        if on == 0 {
            tracing::warn!("no flow is on; set `on = true` in weft.toml, it is noticed by itself");
        }
        notify::ready(&self.status(now));
        Ok(())
    }

    /// One look around. Gives the time.
    async fn turn(&mut self) -> Millis {
        self.see_the_clock();
        let mut now = self.now();
        if self.next_look <= now {
            self.look(now).await;
            now = self.now();
            self.next_look = now.saturating_add(self.look_every());
        }
        if self.stage == Stage::Serving && !self.is_away() {
            for start in self.board.decide(now) {
                self.start(start, now);
            }
        }
        self.keep(now).await;
        self.publish(now);
        notify::alive();
        let status = self.status(now);
        if self.told != status {
            notify::status(&status);
            self.told = status;
        }
        now
    }

    /// A clock that jumped: what was missed meanwhile is treated as after a stop.
    fn see_the_clock(&mut self) {
        let (before, now) = (self.turned_at, self.setup.clock.now());
        if now.duration_since(self.wakes_at) > SILENCE {
            tracing::info!(from = %before, to = %now, "the machine slept, or its clock was set forward");
            self.board.missed(now.as_millisecond());
        } else if now.duration_since(before) < -SILENCE {
            tracing::warn!(from = %before, to = %now, "the clock was set back");
            self.next_look = 0;
            self.greeted_at = None;
        }
        self.turned_at = now;
    }

    fn wake_at(&self, now: Millis) -> Millis {
        let board = self.board.wake_at(now).filter(|_| self.stage == Stage::Serving && !self.is_away());
        let wake = self.next_look.min(self.deadline.unwrap_or(Millis::MAX));
        wake.min(board.unwrap_or(Millis::MAX)).max(now)
    }

    fn wished(&mut self, first: Wish) {
        let now = self.now();
        let mut next = Some(first);
        while let Some(wish) = next {
            if !self.board.wish(&wish.flow, wish.cause, now) {
                tracing::debug!(flow = wish.flow, "woken, but not a flow that is on");
            }
            next = self.wishes.try_recv().ok();
        }
    }

    async fn told(&mut self, signal: Signal) {
        match signal {
            Signal::Reload => self.reload(true).await,
            Signal::Stop => {
                if self.stage != Stage::Stopping {
                    let within = self.version.project.serve.stop_within;
                    tracing::info!(
                        under_way = self.jobs.len(),
                        ?within,
                        "stopping: what is under way is settled"
                    );
                    self.stage = Stage::Stopping;
                    self.stop.store(true, Ordering::Relaxed);
                    let within = Millis::try_from(within.as_millis()).unwrap_or(Millis::MAX);
                    self.deadline = Some(self.now().saturating_add(within));
                    notify::stopping();
                }
            }
        }
    }

    async fn finish(&mut self) {
        let now = self.now();
        self.keep(now).await;
        self.publish(now);
        self.chores.shutdown().await;
        if let Err(error) = self.setup.store.leave(&self.setup.holder).await {
            tracing::debug!(%error, "the store was not told that the daemon goes");
        }
        self.setup.store.close().await;
        tracing::info!("stopped");
    }

    fn now(&self) -> Millis {
        self.setup.clock.now().as_millisecond()
    }

    fn look_every(&self) -> Millis {
        Millis::try_from(self.setup.look_every.as_millis()).unwrap_or(Millis::MAX)
    }
}

//! How the daemon fares, as plain data: for health pages, metrics and logs.

use std::time::Duration;

use jiff::Timestamp;

use crate::store::{Counts, RunState};

/// Which flows there are, and what starts them from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// Grows by one each time changed files are taken over.
    pub version: u64,
    /// The flows of the project, in the order of `weft.toml`.
    pub flows: Vec<RosterFlow>,
}

/// A flow of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterFlow {
    /// Its name.
    pub name: String,
    /// It runs by itself.
    pub on: bool,
    /// The connection that it reads from.
    pub source: String,
    /// The connection that it writes to.
    pub target: String,
    /// Events that start it.
    pub webhooks: Vec<Webhook>,
}

/// An event of a connection: `on webhook shop "orders.updated"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The connection whose system sends it.
    pub connection: String,
    /// Its name.
    pub event: String,
}

impl Roster {
    /// Flows that are on and that an event starts.
    pub fn started_by<'a>(&'a self, connection: &'a str, event: &'a str) -> impl Iterator<Item = &'a str> {
        self.flows
            .iter()
            .filter(move |flow| {
                flow.on
                    && flow.webhooks.iter().any(|hook| hook.connection == connection && hook.event == event)
            })
            .map(|flow| flow.name.as_str())
    }
}

/// How the daemon fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// How far it is.
    pub stage: Stage,
    /// When the process started.
    pub started_at: Timestamp,
    /// When the daemon last looked around. A daemon that hangs does not look any more.
    pub looked_at: Timestamp,
    /// Why no work is taken up: the store cannot be used.
    pub store: Option<String>,
    /// Why the files as they are now are not used: the version before them goes on.
    pub files: Option<String>,
    /// Flows in the order of `weft.toml`.
    pub flows: Vec<FlowHealth>,
    /// Connections by name.
    pub connections: Vec<ConnectionHealth>,
}

/// How far the daemon is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It has not looked at its flows yet.
    Starting,
    /// It runs what is due.
    Serving,
    /// It takes nothing up any more, and settles what is under way.
    Stopping,
}

/// How a flow fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowHealth {
    /// Its name.
    pub name: String,
    /// What it does now.
    pub state: FlowState,
    /// Its latest run by this daemon.
    pub last: Option<Ended>,
    /// When a line of it is due next.
    pub next_due: Option<Timestamp>,
    /// Sums since the process started.
    pub totals: Totals,
}

/// What a flow does now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowState {
    /// It runs.
    Running {
        /// Since then.
        since: Timestamp,
        /// In another process.
        elsewhere: bool,
    },
    /// Nothing is due.
    Idle,
    /// It is due, and others are before it.
    Queued,
    /// It is left alone for a while.
    Waiting {
        /// Until then.
        until: Timestamp,
        /// Why, in plain words.
        reason: String,
    },
    /// Nothing happens until somebody signs in again.
    ReconnectNeeded {
        /// The connection.
        connection: String,
        /// What its system said.
        reason: String,
    },
    /// It is switched off in `weft.toml`.
    Off,
}

impl FlowState {
    /// The word for it in logs, metrics and `--json`.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Running { .. } => "running",
            Self::Idle => "idle",
            Self::Queued => "queued",
            Self::Waiting { .. } => "waiting",
            Self::ReconnectNeeded { .. } => "reconnect needed",
            Self::Off => "off",
        }
    }
}

/// A run that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Its name in the store; empty when it did not get that far.
    pub run: String,
    /// How it ended.
    pub state: RunState,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// Records by how they ended.
    pub counts: Counts,
    /// Why it could not go on.
    pub error: Option<String>,
}

/// Sums since the process started; they only grow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Runs of which every record was settled well.
    pub succeeded: u64,
    /// Runs that came to their end, with records refused or waiting.
    pub partial: u64,
    /// Runs that could not go on.
    pub failed: u64,
    /// Runs that were told to stop.
    pub stopped: u64,
    /// Time in runs.
    pub busy: Duration,
    /// Records by how they ended.
    pub counts: Counts,
}

/// How a connection fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionHealth {
    /// Its name.
    pub name: String,
    /// Its system.
    pub system: String,
    /// Calls that failed in a row, by whole runs.
    pub failures: u32,
    /// It is left alone until then.
    pub open_until: Option<Timestamp>,
    /// Somebody has to sign in again.
    pub reconnect: bool,
    /// What its system said last, when it did not answer well.
    pub reason: Option<String>,
}

impl Totals {
    /// Adds a run that ended.
    pub fn add(&mut self, ended: &Ended) {
        match ended.state {
            RunState::Succeeded => self.succeeded += 1,
            RunState::Partial => self.partial += 1,
            RunState::Failed => self.failed += 1,
            RunState::Stopped | RunState::Running => self.stopped += 1,
        }
        self.busy += Duration::try_from(ended.ended_at.duration_since(ended.started_at)).unwrap_or_default();
        let (sum, new) = (&mut self.counts, &ended.counts);
        sum.created += new.created;
        sum.updated += new.updated;
        sum.unchanged += new.unchanged;
        sum.skipped += new.skipped;
        sum.failed += new.failed;
        sum.waiting += new.waiting;
    }
}

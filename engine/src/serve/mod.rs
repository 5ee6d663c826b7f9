//! `weft serve`: runs every flow when it is due, for years.
//!
//! What decides is kept apart from what acts, and time comes from a clock that a test can move.
//!
//! # For whoever listens beside it
//!
//! Something that takes webhooks and answers questions about health, started by the daemon, gets
//! a [`Seam`]:
//!
//! - [`Waker::wake`] asks for a run of a flow. It never waits and never fails; wishes that come
//!   while the flow runs become one run after it, and wishes that come at once become one run.
//!   A wish lives in memory only: whoever must not lose an event keeps it on disk, wakes, and
//!   wakes again after a start.
//! - [`Seam::roster`] tells which flows there are, and which events of which connections start
//!   them. It changes when the project's files do; a receiver always has the whole.
//! - [`Seam::health`] is how the daemon fares, as plain data that changes with everything that
//!   happens: states of flows and connections, the latest runs, and totals that only grow since
//!   the process started.

mod board;
mod clock;
pub(crate) mod files;
mod health;
mod notify;
mod schedule;
mod supervisor;
mod turn;
mod version;

pub use clock::{Clock, SystemClock};
pub use health::{
    ConnectionHealth, Ended, FlowHealth, FlowState, Health, Roster, RosterFlow, Stage, Totals, Webhook,
};
pub use supervisor::{Setup, Signal, Stopped, Supervisor};
pub use version::Talks;
pub(crate) use version::{Sessions, Version, bound};

use std::fmt;

use tokio::sync::{mpsc, watch};

use crate::project::{Alerts, Listen};
use crate::store::StoreError;

/// Says why a daemon does not start yet, once for each reason.
pub(crate) fn waiting_for_store() -> impl FnMut(&StoreError) + Send {
    let mut said = String::new();
    move |error| {
        let reason = error.to_string();
        notify::starting("waiting for the store");
        if reason != said {
            tracing::warn!(reason, "the store cannot be used yet; tried again until it can");
            said = reason;
        }
    }
}

/// What started a run; the words that logs, `weft runs` and metrics use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A line `every` or `at` of the flow.
    Schedule,
    /// A system said so.
    Webhook {
        /// The connection whose system it was.
        connection: String,
        /// Name of the event.
        event: String,
    },
    /// A person asked for it.
    ByHand,
    /// The run before could not go on, or its process ended.
    Again,
    /// Records that had to wait are due.
    Waiting,
}

impl Cause {
    /// Somebody, or a system, wants a run from that moment on.
    pub(crate) const fn was_asked(&self) -> bool {
        matches!(self, Self::ByHand | Self::Webhook { .. })
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Schedule => "schedule",
            Self::Webhook { .. } => "webhook",
            Self::ByHand => "by hand",
            Self::Again => "again",
            Self::Waiting => "waiting records",
        })
    }
}

/// What a listener gets from the daemon, and all that it may rely on.
#[derive(Clone, Debug)]
pub struct Seam {
    /// Asks for runs.
    pub waker: Waker,
    /// Which flows there are.
    pub roster: watch::Receiver<Roster>,
    /// How all of it fares.
    pub health: watch::Receiver<Health>,
    /// Conversations with the systems of flows that are on.
    pub sessions: watch::Receiver<Talks>,
    /// What the project says of listening and telling.
    pub around: watch::Receiver<Around>,
}

/// What the project says of those that work beside the daemon. Changes with its files.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// The project.
    pub project: String,
    /// Where it is listened; `None`: nowhere.
    pub listen: Option<Listen>,
    /// Who is told.
    pub alerts: Alerts,
}

/// Asks the daemon for runs of flows.
#[derive(Clone, Debug)]
pub struct Waker(mpsc::UnboundedSender<Wish>);

/// A run that somebody asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The flow.
    pub flow: String,
    /// What started it.
    pub cause: Cause,
}

impl Waker {
    /// A waker and where its wishes arrive.
    #[must_use]
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Wish>) {
        let (sender, wishes) = mpsc::unbounded_channel();
        (Self(sender), wishes)
    }

    /// Asks for a run of a flow as soon as it may run. Flows that are unknown or off are left
    /// alone; a daemon that is stopping takes nothing up.
    pub fn wake(&self, flow: &str, cause: Cause) {
        // Nobody listens any more only when the daemon has stopped.
        let _ = self.0.send(Wish { flow: flow.to_owned(), cause });
    }

    /// The same for every flow that an event of a connection starts. Answers how many those are.
    #[must_use]
    pub fn event(&self, roster: &Roster, connection: &str, event: &str) -> usize {
        let flows: Vec<&str> = roster.started_by(connection, event).collect();
        for flow in &flows {
            let cause = Cause::Webhook { connection: connection.to_owned(), event: event.to_owned() };
            self.wake(flow, cause);
        }
        flows.len()
    }
}

//! What may run now, and when to look again: decided from plain data, without any I/O.
//!
//! The board knows every flow and every connection. It is told what happens (a run ended, a
//! system wishes a run, files changed) and says which runs to start. Of flows that are due the
//! one that has been due for longest comes first, so that none can starve another.

mod lane;
mod link;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub(crate) use lane::{Lane, Spec, moment};
pub(crate) use link::Link;

use super::Cause;
use super::health::FlowState;
use crate::run::Part;
use crate::store::{ConnectionState, Millis, RunState, Turn};

/// First pause after a run that a system broke off; doubles with each, up to an hour.
const TEMPORARY: Millis = 10_000;

/// First pause after a run that will fail again unless somebody does something.
const PERMANENT: Millis = 15 * 60_000;

/// Longest pause.
const LONGEST: Millis = 60 * 60_000;

/// Refused records are taken up again with the first run of a version, and this often.
const REFUSED: Millis = 60 * 60_000;

/// Everything that the daemon looks after.
#[derive(Debug)]
pub(crate) struct Board {
    lanes: Vec<Lane>,
    links: BTreeMap<String, Link>,
    runs_at_once: usize,
    random: fastrand::Rng,
    /// What the store does not know yet.
    changed: Changes,
}

/// Names of what has to be kept.
#[derive(Debug, Default)]
struct Changes {
    flows: BTreeSet<String>,
    connections: BTreeSet<String>,
}

/// A run that is to be started.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    pub(crate) flow: String,
    pub(crate) cause: Cause,
    pub(crate) part: Part,
    pub(crate) refused_again: bool,
    /// The turn as it is once it has begun.
    pub(crate) turn: Turn,
    /// The last one, as far as is known here.
    pub(crate) known: Turn,
}

/// How a run ended, by what to do next.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// Both systems answered.
    Ran(RunState),
    /// A system could not do its part now.
    Temporary { by: Option<String>, after: Option<Duration>, reason: String },
    /// A system refuses the credentials.
    Reconnect { by: Option<String>, reason: String },
    /// It will fail again unless somebody does something.
    Permanent { reason: String },
    /// Another process runs the flow.
    Elsewhere,
    /// Another flow creates the same kind of record in the same system.
    Later,
    /// Another daemon has run it since.
    Overtaken(Box<Turn>),
    /// The store could not keep what happened.
    Store,
}

impl Board {
    pub(crate) fn new(runs_at_once: usize, seed: u64) -> Self {
        Self {
            lanes: Vec::new(),
            links: BTreeMap::new(),
            runs_at_once,
            random: fastrand::Rng::with_seed(seed),
            changed: Changes::default(),
        }
    }

    pub(crate) fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    pub(crate) fn links(&self) -> impl Iterator<Item = &Link> {
        self.links.values()
    }

    /// Takes over the flows and connections of the project as it is now. Flows that are new come
    /// with what the store knows of them; those that are gone run to their end and are forgotten.
    pub(crate) fn adopt(
        &mut self,
        specs: Vec<(Spec, Turn)>,
        connections: &[(String, u128)],
        runs_at_once: usize,
        now: Millis,
    ) {
        self.runs_at_once = runs_at_once;
        let mut old = std::mem::take(&mut self.lanes);
        for (spec, turn) in specs {
            let lane = match old.iter().position(|lane| lane.name() == spec.name) {
                Some(at) => old.swap_remove(at).renewed(spec, now),
                None => Lane::new(spec, turn, now),
            };
            self.changed.flows.insert(lane.name().to_owned());
            self.lanes.push(lane);
        }
        self.lanes.extend(old.into_iter().filter(Lane::is_running).map(Lane::retired));
        let mut links = std::mem::take(&mut self.links);
        for (name, print) in connections {
            let link = links.remove(name).unwrap_or_else(|| Link::new(name));
            if link.print.is_some_and(|old| old != *print) {
                self.changed.connections.insert(name.clone());
            }
            self.links.insert(name.clone(), link.with_print(*print));
        }
    }

    /// Runs that were due while nothing could run: left out where the flow says so.
    pub(crate) fn missed(&mut self, now: Millis) {
        for lane in &mut self.lanes {
            if lane.leave_out_missed(now) {
                self.changed.flows.insert(lane.name().to_owned());
            }
        }
    }

    /// Connections that refused the credentials, and flows that wait for their own sake, are tried
    /// once more: whoever starts a daemon may have mended that. A pause that a system asked for is
    /// kept.
    pub(crate) fn try_again(&mut self, now: Millis) {
        let refused: Vec<String> =
            self.links.values().filter(|link| link.reconnect).map(|link| link.name.clone()).collect();
        for name in refused {
            self.links.get_mut(&name).map(|link| link.answered(now));
            self.changed.connections.insert(name);
        }
        let links = &self.links;
        for lane in &mut self.lanes {
            let blocked =
                lane.links().any(|name| links.get(name).is_some_and(|link| link.blocks(now).is_some()));
            if !blocked && lane.waits(now) {
                lane.relieve(now);
                self.changed.flows.insert(lane.name().to_owned());
            }
        }
    }

    /// Somebody wishes a run. False: there is no such flow, or it is off.
    pub(crate) fn wish(&mut self, flow: &str, cause: Cause, now: Millis) -> bool {
        let lane = self.lanes.iter_mut().find(|lane| lane.name() == flow && lane.is_on());
        lane.map(|lane| lane.wish(now, cause)).is_some()
    }

    /// Takes over what other daemons have done, which records wait, and who runs what. Gives the
    /// connections that somebody has signed in to again.
    pub(crate) fn learn(
        &mut self,
        turns: &[Turn],
        states: &[ConnectionState],
        waiting: &BTreeMap<String, Millis>,
        elsewhere: &BTreeSet<String>,
        now: Millis,
    ) -> Vec<String> {
        for lane in &mut self.lanes {
            let turn = turns.iter().find(|turn| turn.flow == lane.name());
            lane.learn(turn, waiting.get(lane.name()).copied(), elsewhere.contains(lane.name()), now);
        }
        let mut reconnected = Vec::new();
        for state in states {
            let Some(link) = self.links.get_mut(&state.connection) else { continue };
            let was_refused = link.reconnect;
            if link.learn(state) {
                reconnected.extend(was_refused.then(|| state.connection.clone()));
                self.recovered(&state.connection, now);
            }
        }
        reconnected
    }

    /// The runs to start now.
    pub(crate) fn decide(&mut self, now: Millis) -> Vec<Start> {
        let mut due: Vec<(Millis, usize)> = (self.lanes.iter().enumerate())
            .filter_map(|(index, lane)| {
                let since = lane.due_since().filter(|since| *since <= now)?;
                (self.ready_at(lane, now)? <= now).then_some((since, index))
            })
            .collect();
        due.sort_unstable();
        let mut starts = Vec::new();
        for (_, index) in due {
            if self.running() >= self.runs_at_once {
                break;
            }
            // One that was started a moment ago may be the one that tries a connection.
            let ready = self.lanes.get(index).and_then(|lane| self.ready_at(lane, now)).is_some();
            if let Some(lane) = self.lanes.get_mut(index).filter(|_| ready) {
                starts.push(lane.start(now));
            }
        }
        starts
    }

    /// When something may have to be started without anything happening before.
    pub(crate) fn wake_at(&self, now: Millis) -> Option<Millis> {
        self.lanes.iter().filter_map(|lane| self.ready_at(lane, now)).filter(|at| *at > now).min()
    }

    /// A run ended.
    pub(crate) fn ended(&mut self, flow: &str, end: End, now: Millis) {
        self.changed.flows.insert(flow.to_owned());
        let jitter = 0.75 + self.random.f64() / 2.0;
        let Some(lane) = self.lanes.iter_mut().find(|lane| lane.name() == flow) else { return };
        let connections = lane.connections();
        lane.ended(&end, now, jitter);
        if lane.is_retired() {
            self.lanes.retain(|lane| lane.name() != flow);
        }
        match end {
            End::Ran(_) => {
                for name in connections {
                    let closed = self.links.get_mut(&name).is_some_and(|link| link.answered(now));
                    if closed {
                        self.changed.connections.insert(name.clone());
                        self.recovered(&name, now);
                    }
                }
            }
            End::Temporary { by: Some(name), after, reason } => {
                let jitter = 0.75 + self.random.f64() / 2.0;
                if let Some(link) = self.links.get_mut(&name) {
                    link.failed(after, &reason, now, jitter);
                    self.changed.connections.insert(name);
                }
            }
            End::Reconnect { by: Some(name), reason } => {
                if let Some(link) = self.links.get_mut(&name) {
                    link.refused(&reason, now);
                    self.changed.connections.insert(name);
                }
            }
            _ => {}
        }
    }

    /// What has to be kept since the last time this was asked.
    pub(crate) fn take_changes(&mut self, now: Millis) -> (Vec<Turn>, Vec<ConnectionState>) {
        let changed = std::mem::take(&mut self.changed);
        let turns =
            self.lanes.iter().filter(|lane| changed.flows.contains(lane.name()) && !lane.is_running());
        let states = self.links.values().filter(|link| changed.connections.contains(&link.name));
        (turns.map(Lane::turn).collect(), states.map(|link| link.state(now)).collect())
    }

    /// It could not be kept: the next answer holds it again.
    pub(crate) fn not_kept(&mut self, turns: &[Turn], states: &[ConnectionState]) {
        self.changed.flows.extend(turns.iter().map(|turn| turn.flow.clone()));
        self.changed.connections.extend(states.iter().map(|state| state.connection.clone()));
    }

    /// What a flow does now.
    pub(crate) fn state(&self, lane: &Lane, now: Millis) -> FlowState {
        let blocked = lane.links().find_map(|name| self.links.get(name)?.blocks(now));
        lane.state(blocked, now)
    }

    fn running(&self) -> usize {
        self.lanes.iter().filter(|lane| lane.is_running()).count()
    }

    /// When the flow may run, were there room for it; `None`: not before something else happens.
    fn ready_at(&self, lane: &Lane, now: Millis) -> Option<Millis> {
        let mut at = lane.ready_at(now)?;
        for name in lane.links() {
            let Some(link) = self.links.get(name) else { continue };
            if link.reconnect {
                return None;
            }
            at = at.max(link.open_until.unwrap_or(at));
            // One run tries whether the connection answers again; the others wait for its end.
            let tried = || {
                self.lanes.iter().any(|other| other.is_running() && other.links().any(|used| used == name))
            };
            if link.is_failing() && tried() {
                return None;
            }
        }
        // Two flows that look for the same record would both find nothing, and both create it.
        if self.lanes.iter().any(|other| other.is_running() && other.creates_with(lane)) {
            return None;
        }
        Some(at)
    }

    /// A connection answers again: flows that waited for nothing else need not wait.
    fn recovered(&mut self, connection: &str, now: Millis) {
        for lane in &mut self.lanes {
            if lane.forgive(connection, now) {
                self.changed.flows.insert(lane.name().to_owned());
            }
        }
    }
}

/// A pause that doubles with each failure in a row.
fn pause(first: Millis, failures: i64, jitter: f64) -> Millis {
    let doubled = first.saturating_mul(1 << (failures - 1).clamp(0, 20)).min(LONGEST);
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "an hour at most")]
    let pause = (doubled as f64 * jitter) as Millis;
    pause
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

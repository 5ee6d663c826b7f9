//! One flow: when it is due, what it waits for, and how its last runs ended.

use std::collections::BTreeSet;
use std::time::Duration;

use dsl::plan::{Missed, Overlapping};
use jiff::Timestamp;

use super::link::BEYOND;
use super::{End, Link, PERMANENT, REFUSED, Start, TEMPORARY, millis, pause};
use crate::run::Part;
use crate::serve::Cause;
use crate::serve::health::FlowState;
use crate::serve::schedule::Schedule;
use crate::store::{Fingerprint, Millis, RunState, Turn};

/// A due moment so far ahead was written on a clock that has been set back since.
const AHEAD: Millis = 10 * 60_000;

/// Least time between two runs for the sake of records that wait.
const AGAIN: Millis = 60_000;

/// When a flow whose records another flow creates too asks again.
const LATER: Millis = 500;

/// A flow as the project's files have it.
#[derive(Clone, Debug)]
pub(crate) struct Spec {
    pub(crate) name: String,
    pub(crate) on: bool,
    pub(crate) schedule: Schedule,
    pub(crate) overlapping: Overlapping,
    pub(crate) missed: Missed,
    pub(crate) apart: Option<Duration>,
    pub(crate) source: String,
    pub(crate) target: String,
    /// What it creates: resources of its target.
    pub(crate) creates: BTreeSet<String>,
    /// Changes with what the flow does.
    pub(crate) print: Fingerprint,
    /// The lines that say when it runs, to tell whether they changed.
    pub(crate) lines: String,
}

/// A flow with all that decides when it runs next.
#[derive(Debug)]
pub(crate) struct Lane {
    spec: Spec,
    /// What the store knows, or is about to.
    turn: Turn,
    /// When a line of it is due next.
    next: Option<Millis>,
    running: Option<(Millis, Part)>,
    /// What started the run under way.
    cause: Option<Cause>,
    /// Another process runs it.
    elsewhere: bool,
    /// A run that somebody wishes, and from when on.
    wish: Option<(Millis, Cause)>,
    /// When the first of its waiting records is due.
    waiting: Option<Millis>,
    /// When they were last taken up.
    waited_at: Option<Millis>,
    /// The connection for whose sake it waits.
    blamed: Option<String>,
    /// When refused records were last taken up again.
    refused_at: Option<Millis>,
    retired: bool,
}

impl Lane {
    pub(super) fn new(spec: Spec, turn: Turn, now: Millis) -> Self {
        let mut lane = Self {
            spec,
            turn,
            next: None,
            running: None,
            cause: None,
            elsewhere: false,
            wish: None,
            waiting: None,
            waited_at: None,
            blamed: None,
            refused_at: None,
            retired: false,
        };
        lane.settle(now);
        lane
    }

    /// The same flow with changed files: from its next run on.
    pub(super) fn renewed(mut self, spec: Spec, now: Millis) -> Self {
        let changed = self.spec.print != spec.print;
        if self.spec.lines != spec.lines || (spec.on && !self.spec.on) {
            // What was due under other lines is not due under these.
            (self.turn.anchor, self.turn.due_at) = (now, now - 1);
        }
        self.spec = spec;
        self.retired = false;
        if changed {
            self.refused_at = None;
            if self.turn.failures > 0 {
                self.relieve(now);
            }
        }
        self.settle(now);
        self
    }

    pub(super) fn retired(self) -> Self {
        Self { retired: true, ..self }
    }

    pub(super) const fn is_retired(&self) -> bool {
        self.retired && self.running.is_none()
    }

    /// What the store is told of a flow that no daemon has looked after yet: `every` is due at
    /// once, `at` at its next time.
    pub(crate) fn fresh(flow: &str, now: Millis) -> Turn {
        Turn { flow: flow.to_owned(), anchor: now, due_at: now - 1, ..Turn::default() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.spec.name
    }

    pub(crate) const fn is_on(&self) -> bool {
        self.spec.on
    }

    pub(crate) const fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// Both create the same kind of record in the same system.
    pub(super) fn creates_with(&self, other: &Self) -> bool {
        !self.spec.creates.is_disjoint(&other.spec.creates)
    }

    pub(crate) const fn next(&self) -> Option<Millis> {
        self.next
    }

    pub(super) fn connections(&self) -> Vec<String> {
        self.links().map(str::to_owned).collect()
    }

    pub(super) fn links(&self) -> impl Iterator<Item = &str> {
        [self.spec.source.as_str(), self.spec.target.as_str()].into_iter()
    }

    pub(super) fn turn(&self) -> Turn {
        Turn { next_at: self.next.filter(|_| self.spec.on), ..self.turn.clone() }
    }

    pub(super) fn wish(&mut self, now: Millis, cause: Cause) {
        match &mut self.wish {
            // What somebody asked for is not done by a run that another daemon began before.
            Some((at, known)) if *at <= now => {
                if cause.was_asked() && !known.was_asked() {
                    *known = cause;
                }
            }
            wish => *wish = Some((now, cause)),
        }
    }

    /// Since when it is due, or from when on it will be.
    pub(super) fn due_since(&self) -> Option<Millis> {
        let wish = self.wish.as_ref().map(|(at, _)| *at);
        self.next.into_iter().chain(wish).chain(self.waiting).min()
    }

    /// When it may run, as far as it depends on itself alone.
    pub(super) fn ready_at(&self, now: Millis) -> Option<Millis> {
        if !self.spec.on || self.retired || self.running.is_some() || self.elsewhere {
            return None;
        }
        let apart = self.spec.apart.zip(self.turn.ended_at.filter(|ended| *ended <= now));
        let apart = apart.map(|(apart, ended)| ended.saturating_add(millis(apart)));
        let blocked = self.turn.wait_until.into_iter().chain(apart).max();
        self.due_since().map(|since| since.max(blocked.unwrap_or(since)))
    }

    /// It starts now.
    pub(super) fn start(&mut self, now: Millis) -> Start {
        let scheduled = self.next.is_some_and(|next| next <= now);
        let wish = self.wish.take_if(|(at, _)| *at <= now).map(|(_, cause)| cause);
        let (cause, part) = match (scheduled, wish) {
            (_, Some(cause)) => (cause, Part::Whole),
            (true, None) => (Cause::Schedule, Part::Whole),
            (false, None) => (Cause::Waiting, Part::Waiting),
        };
        let refused_again =
            part == Part::Whole && self.refused_at.is_none_or(|at| at > now || now - at >= REFUSED);
        if refused_again {
            self.refused_at = Some(now);
        }
        self.waiting = None;
        self.waited_at = Some(now);
        let known = self.turn.clone();
        self.account(now);
        self.running = Some((now, part));
        self.cause = Some(cause.clone());
        let turn = Turn { started_at: Some(now), ended_at: None, ..self.turn() };
        Start { flow: self.spec.name.clone(), cause, part, refused_again, turn, known }
    }

    /// It ended.
    pub(super) fn ended(&mut self, end: &End, now: Millis, jitter: f64) {
        let (started, part) = self.running.take().unzip();
        match end {
            End::Elsewhere => {
                self.elsewhere = true;
                return self.wish(now, Cause::Again);
            }
            End::Later => {
                let cause = self.cause.take().unwrap_or(Cause::Again);
                return self.wish(now + LATER, cause);
            }
            End::Overtaken(turn) => {
                // One that began before somebody wished this run is not the one they wished.
                if turn.started_at == self.turn.started_at
                    && let Some(cause) = self.cause.take().filter(Cause::was_asked)
                {
                    self.wish(now, cause);
                }
                self.turn = (**turn).clone();
                return self.settle(now);
            }
            // Whether it began is not known; what it did not keep is done again.
            End::Store => return self.wish(now, Cause::Again),
            _ => {}
        }
        self.turn.started_at = started;
        // A run that was told to stop has not ended: the next daemon takes it up.
        self.turn.ended_at = (!matches!(end, End::Ran(RunState::Stopped))).then_some(now);
        match end {
            End::Temporary { by, after, reason } => {
                let own = pause(TEMPORARY, self.turn.failures + 1, jitter);
                self.wait(own.max(after.map_or(0, millis)), reason, now);
                self.blamed.clone_from(by);
            }
            End::Reconnect { by: Some(by), reason } => {
                self.wait(0, reason, now);
                self.blamed = Some(by.clone());
            }
            End::Permanent { reason } | End::Reconnect { by: None, reason } => {
                let own = pause(PERMANENT, self.turn.failures + 1, jitter);
                self.wait(own, reason, now);
                self.blamed = None;
            }
            _ => self.well(),
        }
        // What was due while everything ran is left out; records that waited are not everything.
        if self.spec.overlapping == Overlapping::Skip && part == Some(Part::Whole) {
            self.account(now);
        }
        self.refresh();
    }

    /// Left alone for a while, then tried again whatever its lines say.
    fn wait(&mut self, pause: Millis, reason: &str, now: Millis) {
        let until = now.saturating_add(pause);
        self.turn.failures += 1;
        self.turn.wait_until = Some(until);
        self.turn.reason = Some(reason.to_owned());
        self.wish = Some((until, Cause::Again));
    }

    fn well(&mut self) {
        self.turn.failures = 0;
        self.turn.wait_until = None;
        self.turn.reason = None;
        self.blamed = None;
    }

    /// It is left alone for a while.
    pub(super) fn waits(&self, now: Millis) -> bool {
        self.turn.wait_until.is_some_and(|until| until > now)
    }

    /// It need not wait any more, and is tried at once.
    pub(super) fn relieve(&mut self, now: Millis) {
        self.turn.wait_until = None;
        self.blamed = None;
        self.wish = Some((now, Cause::Again));
    }

    /// A connection answers again. True when the flow had been waiting for that.
    pub(super) fn forgive(&mut self, connection: &str, now: Millis) -> bool {
        let waited = self.blamed.as_deref() == Some(connection) && self.running.is_none();
        if waited {
            self.relieve(now);
        }
        waited
    }

    /// Runs that were due before are left out, where the flow says so. True: something was.
    pub(super) fn leave_out_missed(&mut self, now: Millis) -> bool {
        let before = self.turn.due_at;
        if self.spec.missed == Missed::Skip {
            self.account(now);
        }
        self.turn.due_at != before
    }

    pub(super) fn learn(
        &mut self,
        turn: Option<&Turn>,
        waiting: Option<Millis>,
        elsewhere: bool,
        now: Millis,
    ) {
        if self.running.is_some() {
            return;
        }
        let was_elsewhere = std::mem::replace(&mut self.elsewhere, elsewhere);
        // One that can never be taken up must not keep the daemon busy.
        let least = self.waited_at.filter(|at| *at <= now).map(|at| at.saturating_add(AGAIN));
        self.waiting = waiting.map(|at| at.max(least.unwrap_or(at)));
        let Some(turn) = turn else { return };
        if turn.started_at != self.turn.started_at || turn.ended_at != self.turn.ended_at {
            // Another daemon ran it: what was due here was done there.
            self.wish.take_if(|(_, cause)| *cause == Cause::Again);
            self.turn = turn.clone();
            self.settle(now);
        } else if was_elsewhere && !elsewhere {
            self.settle(now);
        }
    }

    /// Puts moments right that a clock which was set back has left in the future, takes up a run
    /// whose process died, and a pause that another daemon began.
    fn settle(&mut self, now: Millis) {
        if self.turn.due_at > now + AHEAD {
            self.turn.due_at = now;
        }
        if self.turn.wait_until.is_some_and(|until| until > now + BEYOND) {
            self.turn.wait_until = None;
        }
        if self.running.is_none()
            && self.wish.is_none()
            && (self.turn.is_under_way() || self.turn.failures > 0)
        {
            self.wish = Some((self.turn.wait_until.unwrap_or(now).max(now), Cause::Again));
        }
        self.refresh();
    }

    /// Every due moment up to now is accounted for.
    fn account(&mut self, now: Millis) {
        let latest = moment(self.turn.due_at)
            .zip(moment(now))
            .zip(moment(self.turn.anchor))
            .and_then(|((after, until), anchor)| self.spec.schedule.latest(after, until, anchor));
        if let Some(latest) = latest {
            self.turn.due_at = latest.as_millisecond();
        }
        self.refresh();
    }

    fn refresh(&mut self) {
        let (after, anchor) = (moment(self.turn.due_at), moment(self.turn.anchor));
        let next = after.zip(anchor).and_then(|(after, anchor)| self.spec.schedule.next(after, anchor));
        self.next = next.filter(|_| self.spec.on).map(Timestamp::as_millisecond);
    }

    /// What it does now; `blocked` is the connection that keeps it from running.
    pub(super) fn state(&self, blocked: Option<&Link>, now: Millis) -> FlowState {
        if let Some((since, _)) = self.running {
            return FlowState::Running { since: moment(since).unwrap_or_default(), elsewhere: false };
        }
        if !self.spec.on {
            return FlowState::Off;
        }
        if self.elsewhere {
            let since = self.turn.started_at.and_then(moment).unwrap_or_default();
            return FlowState::Running { since, elsewhere: true };
        }
        let reason = |link: &Link| link.reason.clone().unwrap_or_default();
        match blocked {
            Some(link) if link.reconnect => {
                FlowState::ReconnectNeeded { connection: link.name.clone(), reason: reason(link) }
            }
            Some(Link { open_until: Some(until), .. }) => FlowState::Waiting {
                until: moment((*until).max(self.turn.wait_until.unwrap_or(*until))).unwrap_or_default(),
                reason: blocked.map(reason).unwrap_or_default(),
            },
            _ => match self.turn.wait_until.filter(|until| *until > now) {
                Some(until) => FlowState::Waiting {
                    until: moment(until).unwrap_or_default(),
                    reason: self.turn.reason.clone().unwrap_or_default(),
                },
                None if self.due_since().is_some_and(|since| since <= now) => FlowState::Queued,
                None => FlowState::Idle,
            },
        }
    }
}

/// A moment of the store as one of the calendar.
pub(crate) fn moment(millis: Millis) -> Option<Timestamp> {
    Timestamp::from_millisecond(millis).ok()
}

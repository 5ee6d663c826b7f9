//! One connection: whether its system answers. Every flow that uses it depends on that.

use std::time::Duration;

use super::{TEMPORARY, millis, pause};
use crate::store::{ConnectionState, Millis};

/// Runs in a row that a connection may break off before it is left alone.
const PATIENCE: i64 = 3;

/// A moment further away than this was written on a clock that has been set back since.
pub(super) const BEYOND: Millis = 25 * 3_600_000;

/// How a connection fares.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    pub(crate) name: String,
    /// Changes with its settings.
    pub(crate) print: Option<u128>,
    /// Runs in a row that it broke off.
    pub(crate) failures: i64,
    /// It is left alone until then; after that one run tries it.
    pub(crate) open_until: Option<Millis>,
    /// Somebody has to sign in again.
    pub(crate) reconnect: bool,
    /// What its system said last.
    pub(crate) reason: Option<String>,
    /// When any of this last changed.
    updated_at: Millis,
}

impl Link {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            print: None,
            failures: 0,
            open_until: None,
            reconnect: false,
            reason: None,
            updated_at: 0,
        }
    }

    /// With other settings it is another connection, of which nothing is known.
    pub(super) fn with_print(self, print: u128) -> Self {
        let same = self.print.is_none_or(|old| old == print);
        let link = if same { self } else { Self::new(&self.name) };
        Self { print: Some(print), ..link }
    }

    /// It answered. True when it had not done so before.
    pub(super) fn answered(&mut self, now: Millis) -> bool {
        let was_failing = self.failures > 0 || self.open_until.is_some() || self.reconnect;
        if was_failing {
            let print = self.print;
            *self = Self { print, updated_at: now, ..Self::new(&self.name) };
        }
        was_failing
    }

    /// It broke off a run. `after`: its system named a pause.
    pub(super) fn failed(&mut self, after: Option<Duration>, reason: &str, now: Millis, jitter: f64) {
        self.failures += 1;
        self.reason = Some(reason.to_owned());
        self.updated_at = now;
        let own = (self.failures >= PATIENCE).then(|| pause(TEMPORARY, self.failures, jitter));
        let until = own.into_iter().chain(after.map(millis)).max().map(|pause| now.saturating_add(pause));
        self.open_until = until.max(self.open_until.filter(|until| *until > now));
    }

    /// Its system refuses the credentials.
    pub(super) fn refused(&mut self, reason: &str, now: Millis) {
        self.failures += 1;
        self.reconnect = true;
        self.reason = Some(reason.to_owned());
        self.updated_at = now;
    }

    /// It has not answered for so long that one run at a time tries it.
    pub(super) const fn is_failing(&self) -> bool {
        self.failures >= PATIENCE
    }

    /// Why flows that use it cannot run now.
    pub(super) fn blocks(&self, now: Millis) -> Option<&Self> {
        (self.reconnect || self.open_until.is_some_and(|until| until > now)).then_some(self)
    }

    /// Takes over what another process found out later. True when it answers again.
    pub(super) fn learn(&mut self, state: &ConnectionState) -> bool {
        if state.updated_at <= self.updated_at {
            return false;
        }
        let was_failing = self.failures > 0 || self.reconnect;
        self.failures = state.failures;
        self.reconnect = state.reconnect;
        self.reason.clone_from(&state.reason);
        self.updated_at = state.updated_at;
        self.open_until = state.open_until.filter(|until| *until < state.updated_at.saturating_add(BEYOND));
        was_failing && self.failures == 0 && !self.reconnect
    }

    pub(super) fn state(&self, now: Millis) -> ConnectionState {
        ConnectionState {
            connection: self.name.clone(),
            failures: self.failures,
            open_until: self.open_until,
            reconnect: self.reconnect,
            reason: self.reason.clone(),
            updated_at: if self.updated_at == 0 { now } else { self.updated_at },
        }
    }
}

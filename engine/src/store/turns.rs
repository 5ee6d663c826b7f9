//! When flows were due and ran, which connections are left alone, and which daemons are there.
//!
//! Moments are those of the daemons' own clocks: they are compared with schedules, not with
//! leases.

use async_trait::async_trait;

use super::database::{Database, end};
use super::lease::fence;
use super::link::{Arg, Driver, Link, Row, Words};
use super::types::{Lease, Millis};
use super::{StoreError, sql};

/// When a flow was due and ran.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// The flow.
    pub flow: String,
    /// Moment from which `every` counts.
    pub anchor: Millis,
    /// Up to here every due moment is accounted for.
    pub due_at: Millis,
    /// When its last run started.
    pub started_at: Option<Millis>,
    /// When that ended; `None`: it is under way, or its process died.
    pub ended_at: Option<Millis>,
    /// When it is due next; `None`: never by itself.
    pub next_at: Option<Millis>,
    /// Runs in a row that could not go on.
    pub failures: i64,
    /// It is left alone until then.
    pub wait_until: Option<Millis>,
    /// Why.
    pub reason: Option<String>,
}

impl Turn {
    /// Its last run has not ended, or its process died.
    #[must_use]
    pub const fn is_under_way(&self) -> bool {
        self.started_at.is_some() && self.ended_at.is_none()
    }
}

/// A connection that did not answer well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionState {
    /// Its name in the project.
    pub connection: String,
    /// Runs in a row that it broke off.
    pub failures: i64,
    /// It is left alone until then.
    pub open_until: Option<Millis>,
    /// Somebody has to sign in again.
    pub reconnect: bool,
    /// What its system said last.
    pub reason: Option<String>,
    /// When this was written.
    pub updated_at: Millis,
}

/// A daemon that is there, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daemon {
    /// Its process.
    pub holder: String,
    /// When it started.
    pub started_at: Millis,
    /// When it last said that it is there.
    pub seen_at: Millis,
    /// What keeps it from its work, or from changed files.
    pub trouble: Option<String>,
}

/// The part of the store that daemons share.
#[async_trait]
pub trait Turns: Send + Sync {
    /// Every flow that a daemon ever looked after.
    async fn turns(&self) -> Result<Vec<Turn>, StoreError>;

    /// Notes a flow that no daemon has looked after yet; answers what is known of it.
    async fn meet(&self, turn: &Turn) -> Result<Turn, StoreError>;

    /// Begins a turn, unless somebody else began or ended one since `known`: the last turn as the
    /// caller knows it. Answers what the other left in that case.
    async fn begin_turn(&self, lease: &Lease, turn: &Turn, known: &Turn) -> Result<Option<Turn>, StoreError>;

    /// Notes that a turn has ended, before the flow is given back: whoever finds it free finds it
    /// ended too.
    async fn end_turn(&self, lease: &Lease, started_at: Millis, ended_at: Millis) -> Result<(), StoreError>;

    /// Keeps how a turn ended, or what became of the flow without one: no other has begun one
    /// since.
    async fn put_turn(&self, turn: &Turn) -> Result<(), StoreError>;

    /// Removes runs that ended before that moment, on the database's clock, and whose log has
    /// gone; answers how many.
    async fn drop_runs(&self, before: Millis) -> Result<u64, StoreError>;

    /// The earliest moment, on the database's clock, at which a waiting record of each flow is
    /// due.
    async fn waiting(&self) -> Result<Vec<(String, Millis)>, StoreError>;

    /// How many records of each flow were refused and not resolved.
    async fn open_letters(&self) -> Result<Vec<(String, i64)>, StoreError>;

    /// Connections that did not answer well, or did not once.
    async fn connection_states(&self) -> Result<Vec<ConnectionState>, StoreError>;

    /// Keeps how a connection fares.
    async fn put_connection_state(&self, state: &ConnectionState) -> Result<(), StoreError>;

    /// Says that a daemon is there.
    async fn greet(&self, daemon: &Daemon) -> Result<(), StoreError>;

    /// Takes that back.
    async fn leave(&self, holder: &str) -> Result<(), StoreError>;

    /// Daemons that are there, and those that never said that they go.
    async fn daemons(&self) -> Result<Vec<Daemon>, StoreError>;
}

#[async_trait]
impl<D: Driver> Turns for Database<D> {
    async fn turns(&self) -> Result<Vec<Turn>, StoreError> {
        all(&mut *self.driver.read().await?).await
    }

    async fn meet(&self, turn: &Turn) -> Result<Turn, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = meet(&mut *tx, &self.words, turn).await;
        end(tx, done).await
    }

    async fn begin_turn(&self, lease: &Lease, turn: &Turn, known: &Turn) -> Result<Option<Turn>, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = begin(&mut *tx, &self.words, lease, turn, known).await;
        end(tx, done).await
    }

    async fn end_turn(&self, lease: &Lease, started_at: Millis, ended_at: Millis) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = end_it(&mut *tx, &self.words, lease, started_at, ended_at).await;
        end(tx, done).await
    }

    async fn drop_runs(&self, before: Millis) -> Result<u64, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = tx.execute(sql::DROP_RUNS, &[before.into()], false).await;
        end(tx, done).await
    }

    async fn put_turn(&self, turn: &Turn) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = put(&mut *tx, turn).await;
        end(tx, done).await
    }

    async fn waiting(&self) -> Result<Vec<(String, Millis)>, StoreError> {
        numbers(&mut *self.driver.read().await?, sql::WAITING).await
    }

    async fn open_letters(&self) -> Result<Vec<(String, i64)>, StoreError> {
        numbers(&mut *self.driver.read().await?, sql::OPEN_LETTERS).await
    }

    async fn connection_states(&self) -> Result<Vec<ConnectionState>, StoreError> {
        connections(&mut *self.driver.read().await?).await
    }

    async fn put_connection_state(&self, state: &ConnectionState) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = put_connection(&mut *tx, state).await;
        end(tx, done).await
    }

    async fn greet(&self, daemon: &Daemon) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = greet(&mut *tx, daemon).await;
        end(tx, done).await
    }

    async fn leave(&self, holder: &str) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = leave(&mut *tx, holder).await;
        end(tx, done).await
    }

    async fn daemons(&self) -> Result<Vec<Daemon>, StoreError> {
        daemons(&mut *self.driver.read().await?).await
    }
}

fn read_turn(mut row: Row) -> Result<Turn, StoreError> {
    Ok(Turn {
        flow: row.text()?,
        anchor: row.int()?,
        due_at: row.int()?,
        started_at: row.maybe_int()?,
        ended_at: row.maybe_int()?,
        next_at: row.maybe_int()?,
        failures: row.int()?,
        wait_until: row.maybe_int()?,
        reason: row.maybe_text()?,
    })
}

fn args(turn: &Turn) -> [Arg<'_>; 9] {
    [
        (&turn.flow).into(),
        turn.anchor.into(),
        turn.due_at.into(),
        turn.started_at.into(),
        turn.ended_at.into(),
        turn.next_at.into(),
        turn.failures.into(),
        turn.wait_until.into(),
        turn.reason.as_deref().into(),
    ]
}

async fn all(link: &mut dyn Link) -> Result<Vec<Turn>, StoreError> {
    link.fetch(sql::TURNS, &[], true).await?.into_iter().map(read_turn).collect()
}

async fn one(link: &mut dyn Link, words: &Words, flow: &str) -> Result<Option<Turn>, StoreError> {
    let rows = link.fetch(&words.fill(sql::TURN), &[flow.into()], true).await?;
    rows.into_iter().next().map(read_turn).transpose()
}

async fn meet(link: &mut dyn Link, words: &Words, turn: &Turn) -> Result<Turn, StoreError> {
    link.execute(sql::MEET, &args(turn), true).await?;
    Ok(one(link, words, &turn.flow).await?.unwrap_or_else(|| turn.clone()))
}

async fn begin(
    link: &mut dyn Link,
    words: &Words,
    lease: &Lease,
    turn: &Turn,
    known: &Turn,
) -> Result<Option<Turn>, StoreError> {
    fence(link, words, lease).await?;
    let found = one(link, words, &turn.flow).await?;
    // One that looked as if its process had died may have ended well a moment ago.
    let is_other = |found: &Turn| {
        found.started_at != known.started_at || (known.is_under_way() && !found.is_under_way())
    };
    if let Some(found) = found.filter(is_other) {
        return Ok(Some(found));
    }
    link.execute(sql::BEGIN_TURN, &args(turn), true).await?;
    Ok(None)
}

async fn end_it(
    link: &mut dyn Link,
    words: &Words,
    lease: &Lease,
    started_at: Millis,
    ended_at: Millis,
) -> Result<(), StoreError> {
    fence(link, words, lease).await?;
    let args = [(&lease.flow).into(), started_at.into(), ended_at.into()];
    link.execute(sql::END_TURN, &args, true).await?;
    Ok(())
}

async fn put(link: &mut dyn Link, turn: &Turn) -> Result<(), StoreError> {
    link.execute(sql::PUT_TURN, &args(turn), true).await?;
    Ok(())
}

async fn numbers(link: &mut dyn Link, statement: &str) -> Result<Vec<(String, i64)>, StoreError> {
    let rows = link.fetch(statement, &[], true).await?;
    rows.into_iter().map(|mut row| Ok((row.text()?, row.int()?))).collect()
}

async fn connections(link: &mut dyn Link) -> Result<Vec<ConnectionState>, StoreError> {
    let read = |mut row: Row| {
        Ok(ConnectionState {
            connection: row.text()?,
            failures: row.int()?,
            open_until: row.maybe_int()?,
            reconnect: row.int()? != 0,
            reason: row.maybe_text()?,
            updated_at: row.int()?,
        })
    };
    link.fetch(sql::CONNECTION_STATES, &[], true).await?.into_iter().map(read).collect()
}

async fn put_connection(link: &mut dyn Link, state: &ConnectionState) -> Result<(), StoreError> {
    let args = [
        (&state.connection).into(),
        state.failures.into(),
        state.open_until.into(),
        i64::from(state.reconnect).into(),
        state.reason.as_deref().into(),
        state.updated_at.into(),
    ];
    link.execute(sql::PUT_CONNECTION_STATE, &args, true).await?;
    Ok(())
}

async fn greet(link: &mut dyn Link, daemon: &Daemon) -> Result<(), StoreError> {
    let args = [
        (&daemon.holder).into(),
        daemon.started_at.into(),
        daemon.seen_at.into(),
        daemon.trouble.as_deref().into(),
    ];
    link.execute(sql::GREET, &args, true).await?;
    Ok(())
}

async fn leave(link: &mut dyn Link, holder: &str) -> Result<(), StoreError> {
    link.execute(sql::LEAVE, &[holder.into()], true).await?;
    Ok(())
}

async fn daemons(link: &mut dyn Link) -> Result<Vec<Daemon>, StoreError> {
    let read = |mut row: Row| {
        Ok(Daemon {
            holder: row.text()?,
            started_at: row.int()?,
            seen_at: row.int()?,
            trouble: row.maybe_text()?,
        })
    };
    link.fetch(sql::DAEMONS, &[], true).await?.into_iter().map(read).collect()
}

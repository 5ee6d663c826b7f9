//! Connections to the server that takes writes: a bounded number, made when needed, thrown
//! away when anything fails on them, and never waited for without end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row as _};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::super::StoreError;
use super::address::Address;
use super::fault::fault;

/// Connections of one process. A run uses one or two at a time.
const SEATS: usize = 10;

/// A connection that lay unused for longer is asked whether it is still there.
const FRESH: Duration = Duration::from_secs(1);

/// Pause before a server that is starting is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    /// Until a connection to one server stands.
    pub(super) connect: Duration,
    /// Until there is a connection at all: a server that is being started again is waited for.
    pub(super) patience: Duration,
    /// One statement.
    pub(super) statement: Duration,
    /// How long the server holds what a transaction has locked when nothing comes any more.
    pub(super) idle: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            patience: Duration::from_secs(10),
            statement: Duration::from_mins(1),
            idle: Duration::from_secs(30),
        }
    }
}

/// The connections.
#[derive(Debug)]
pub(super) struct Pool {
    place: Arc<str>,
    servers: Vec<PgConnectOptions>,
    /// The server that takes writes, as far as is known.
    primary: Mutex<Option<usize>>,
    /// Since when no server takes writes.
    away_since: Mutex<Option<Instant>>,
    waits: Waits,
    seats: Arc<Semaphore>,
    idle: Mutex<Vec<(PgConnection, Instant)>>,
    closed: AtomicBool,
}

/// A connection in use. Dropped, it is closed, and the server undoes what was not committed.
pub(super) struct Seat {
    pub(super) conn: PgConnection,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(super) fn new(address: &Address, waits: Waits) -> Self {
        Self {
            place: address.to_string().into(),
            servers: address.servers.clone(),
            primary: Mutex::default(),
            away_since: Mutex::default(),
            waits,
            seats: Arc::new(Semaphore::new(SEATS)),
            idle: Mutex::default(),
            closed: AtomicBool::new(false),
        }
    }

    pub(super) fn place(&self) -> &Arc<str> {
        &self.place
    }

    pub(super) fn waits(&self) -> Waits {
        self.waits
    }

    /// A connection that nobody else uses.
    pub(super) async fn seat(&self) -> Result<Seat, StoreError> {
        let permit = timeout(self.waits.patience, Arc::clone(&self.seats).acquire_owned()).await;
        let permit = permit.map_err(|_| StoreError::Busy {
            place: self.place.to_string(),
            cause: format!("all {SEATS} connections of this process are in use"),
        })?;
        let permit = permit.map_err(|_| self.is_closed())?;
        while let Some((mut conn, since)) = self.lying() {
            if since.elapsed() < FRESH || matches!(timeout(self.waits.connect, conn.ping()).await, Ok(Ok(())))
            {
                return Ok(Seat { conn, _permit: permit });
            }
        }
        let conn = self.connect().await?;
        Ok(Seat { conn, _permit: permit })
    }

    /// Keeps a connection on which all went well.
    pub(super) fn give_back(&self, seat: Seat) {
        if !self.closed.load(Ordering::Acquire) {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            idle.push((seat.conn, Instant::now()));
        }
    }

    /// Closes all connections; none is given out afterwards.
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.seats.close();
        while let Some((conn, _)) = self.lying() {
            if let Ok(Err(error)) = timeout(self.waits.connect, conn.close()).await {
                tracing::debug!(%error, "a connection of the store did not close cleanly");
            }
        }
    }

    fn is_closed(&self) -> StoreError {
        StoreError::Refused { place: self.place.to_string(), cause: "it was closed".to_owned() }
    }

    /// The connection that was given back last: those that are not needed grow old.
    fn lying(&self) -> Option<(PgConnection, Instant)> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// A new connection to the server that takes writes; servers that are starting, stopping
    /// or being promoted are asked again for a while. That while is counted from the first
    /// failure: a run that cannot go on is told so once, not after a pause for each of its calls.
    async fn connect(&self) -> Result<PgConnection, StoreError> {
        let started = Instant::now();
        loop {
            let answer = self.connect_once().await;
            let is_away = matches!(answer, Err(StoreError::Unreachable { .. }));
            if self.is_enough(is_away, started) {
                return answer;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Notes whether the server is away; answers whether there is nothing more to wait for.
    fn is_enough(&self, is_away: bool, started: Instant) -> bool {
        let mut since = self.away_since.lock().unwrap_or_else(PoisonError::into_inner);
        if is_away {
            since.get_or_insert(started).elapsed() >= self.waits.patience
        } else {
            *since = None;
            true
        }
    }

    async fn connect_once(&self) -> Result<PgConnection, StoreError> {
        let known = *self.primary.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = known.and_then(|at| self.servers.get(at))
            && let Ok(found) = self.connect_to(server).await
        {
            return Ok(found.conn);
        }
        let all = futures::future::join_all(self.servers.iter().map(|server| self.connect_to(server))).await;
        let mut causes = Vec::new();
        let mut best: Option<(usize, Found)> = None;
        for (at, (answer, server)) in all.into_iter().zip(&self.servers).enumerate() {
            match answer {
                // Of two that take writes, one was a primary before the other was promoted.
                Ok(found) if best.as_ref().is_none_or(|(_, best)| best.timeline < found.timeline) => {
                    best = Some((at, found));
                }
                Ok(_) => {}
                Err(StoreError::Unreachable { cause, .. }) => causes.push((server, cause)),
                // A server that refuses us says more than one that is silent.
                Err(error) if best.is_none() && causes.is_empty() => return Err(error),
                Err(error) => causes.push((server, error.to_string())),
            }
        }
        let mut primary = self.primary.lock().unwrap_or_else(PoisonError::into_inner);
        *primary = best.as_ref().map(|(at, _)| *at);
        match best {
            Some((_, found)) => Ok(found.conn),
            None => {
                Err(StoreError::Unreachable { place: self.place.to_string(), cause: Self::told(&causes) })
            }
        }
    }

    /// Why no server takes writes: each with its name, where there are several.
    fn told(causes: &[(&PgConnectOptions, String)]) -> String {
        let name = |server: &PgConnectOptions| match server.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", server.get_host(), server.get_port()),
        };
        match causes {
            [(_, cause)] => cause.clone(),
            all => all
                .iter()
                .map(|(server, cause)| format!("{}: {cause}", name(server)))
                .collect::<Vec<_>>()
                .join("; "),
        }
    }

    async fn connect_to(&self, server: &PgConnectOptions) -> Result<Found, StoreError> {
        let told = |error: sqlx::Error| fault(&self.place, &error);
        let silent = |_| StoreError::Unreachable {
            place: self.place.to_string(),
            cause: format!("no answer for {} seconds", self.waits.connect.as_secs()),
        };
        let mut conn = timeout(self.waits.connect, server.connect()).await.map_err(silent)?.map_err(told)?;
        let (statement, idle) = (self.waits.statement.as_millis(), self.waits.idle.as_millis());
        // What was committed is on the disk; who is paused, or gone without a word, holds no row
        // for longer than that. A server may promise more, but not less.
        let settings = format!(
            "SELECT CASE WHEN pg_is_in_recovery() THEN NULL
                ELSE SUBSTR(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END,
                set_config('statement_timeout', '{statement}', false),
                set_config('idle_in_transaction_session_timeout', '{idle}', false),
                set_config('synchronous_commit', CASE current_setting('synchronous_commit')
                    WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)"
        );
        let row = sqlx::query(AssertSqlSafe(settings)).persistent(false).fetch_one(&mut conn);
        let row = timeout(self.waits.connect, row).await.map_err(silent)?.map_err(told)?;
        match row.try_get::<Option<String>, _>(0).map_err(told)? {
            Some(timeline) => Ok(Found { conn, timeline }),
            None => Err(StoreError::Unreachable {
                place: self.place.to_string(),
                cause: "this server is a standby, which takes no writes".to_owned(),
            }),
        }
    }

    /// After a failure: has all servers asked again which of them takes writes, and keeps no
    /// connection from before.
    pub(super) fn doubt(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        *self.primary.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// A connection to a server that takes writes.
struct Found {
    conn: PgConnection,
    /// Grows with each promotion; a number of eight digits.
    timeline: String,
}

//! The store in one SQLite file.
//!
//! One connection writes and many read, so that no writer ever meets another of its own
//! process; other processes are waited for. The log (`-wal`) is moved into the file every so
//! many pages and at the end of runs, by us, so that it stays small. A connection on which
//! something failed is thrown away: SQLite may or may not have rolled back by itself, and
//! nobody has to know which.

mod copy;
mod fault;
mod file;
#[cfg(test)]
mod tests;
mod watch;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool,
    SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Decode, Row as _, Sqlite, TypeInfo, ValueRef};
use tokio::sync::{Mutex, OwnedMutexGuard};

pub use self::copy::{Restored, backup, restore};
use self::fault::fault;
use self::watch::Identity;
use super::StoreError;
use super::database::Database;
use super::link::{Arg, Cell, Dialect, Driver, Link, Row, Transaction};
use super::migrate::Migration;

/// How long another process may keep the file to itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections that read.
const READERS: u32 = 4;

/// Settled pages between two rounds of upkeep within a run.
const PAGES: u32 = 512;

/// The log beside the file is cut back to this when it is emptied.
const LOG_LIMIT: &str = "16777216";

/// Pages of 4 KiB that the log may grow by before they are moved into the file: pages of an index
/// that change again and again are moved once.
const LOG_PAGES: &str = "3000";

/// What a connection keeps of the file in memory: negative, so in kibibytes.
const CACHE: &str = "-8192";

/// Statements that a connection keeps prepared: each of those for many rows in all its lengths.
const STATEMENTS: usize = 200;

/// What is written in the head of the file: `Weft`.
const APPLICATION: i64 = 0x5765_6674;

const DIALECT: Dialect = Dialect {
    clock: "CAST((julianday('now') - 2440587.5) * 86400000.0 AS BIGINT)",
    hold: "",
    text: "TEXT",
    bytes: "BLOB",
    keyed: "WITHOUT ROWID",
    alone: "",
};

/// The store in this file, made if it is not there.
pub(super) async fn open(path: &Path, steps: &[Migration]) -> Result<Database<File>, StoreError> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let place: Arc<str> = path.display().to_string().into();
    file::inspect(&path, &place).await?;
    let options = options(&path);
    let readers = SqlitePoolOptions::new()
        .max_connections(READERS)
        .idle_timeout(Duration::from_mins(1))
        .acquire_timeout(PATIENCE)
        .connect_lazy_with(options.clone().pragma("query_only", "ON"));
    let mut file = File {
        path,
        place: Arc::clone(&place),
        options,
        writer: Arc::default(),
        readers,
        pages: AtomicU32::new(0),
        closed: AtomicBool::new(false),
        identity: None,
        is_tight: Arc::default(),
    };
    file.prepare().await?;
    file.identity = Identity::of(&file.path).unwrap_or_default();
    let store = Database::new(file);
    store.migrate(&place, steps).await?;
    Ok(store)
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(PATIENCE)
        .pragma("journal_size_limit", LOG_LIMIT)
        .pragma("wal_autocheckpoint", LOG_PAGES)
        // The upper parts of all indexes, so that a large store is no slower than a small one.
        .pragma("cache_size", CACHE)
        .statement_cache_capacity(STATEMENTS)
        // What was forgotten does not linger in the pages that stay.
        .pragma("secure_delete", "FAST")
        .disable_statement_logging()
}

/// One file and its connections.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    place: Arc<str>,
    options: SqliteConnectOptions,
    /// The connection that writes; `None` before its first use and after a failure.
    writer: Arc<Mutex<Option<SqliteConnection>>>,
    readers: SqlitePool,
    /// Pages settled since the last upkeep.
    pages: AtomicU32,
    closed: AtomicBool,
    /// Which file was opened, whatever lies at its path now.
    identity: Option<Identity>,
    /// There was no room when something was last written.
    is_tight: Arc<AtomicBool>,
}

impl File {
    /// Writes the head of a new file; makes sure that the log can be shared.
    async fn prepare(&self) -> Result<(), StoreError> {
        // Said by the first connection only: it takes the writer's place for a moment, even
        // where it changes nothing.
        let first = self.options.clone().auto_vacuum(SqliteAutoVacuum::Incremental);
        *self.writer.lock().await = Some(self.connect(&first).await?);
        let mut tx = self.begin().await?;
        let mode = tx.fetch("PRAGMA journal_mode", &[], false).await?;
        let mode = mode.into_iter().next().map(|mut row| row.text()).transpose()?;
        if mode.as_deref() != Some("wal") {
            return Err(StoreError::CannotOpen {
                place: self.place.to_string(),
                cause: "this file system does not let processes share memory".to_owned(),
                help: "put the store on a local disk",
            });
        }
        let stamp = tx.fetch("PRAGMA application_id", &[], false).await?;
        let stamp = stamp.into_iter().next().map(|mut row| row.int()).transpose()?;
        if stamp != Some(APPLICATION) {
            tx.script(&format!("PRAGMA application_id = {APPLICATION}")).await?;
        }
        tx.commit().await
    }

    fn fault(&self, error: &sqlx::Error) -> StoreError {
        fault(&self.place, error)
    }

    /// A connection that nobody else uses.
    async fn connect(&self, options: &SqliteConnectOptions) -> Result<SqliteConnection, StoreError> {
        let started = std::time::Instant::now();
        loop {
            match options.connect().await.map_err(|error| self.fault(&error)) {
                // Two processes that make the same new file exclude each other without
                // waiting: only here, where the log is switched on.
                Err(StoreError::Busy { .. }) if started.elapsed() < PATIENCE => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                other => return other,
            }
        }
    }

    fn refuse_if_closed(&self) -> Result<(), StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::Refused {
                place: self.place.to_string(),
                cause: "it was closed".to_owned(),
            });
        }
        Ok(())
    }

    /// A file without a name, or that went elsewhere, takes writes that nobody will read.
    fn refuse_if_replaced(&self) -> Result<(), StoreError> {
        let is_same = match Identity::of(&self.path) {
            Ok(found) => self.identity.is_none() || found == self.identity,
            // What else there is to say about the disk, SQLite says better.
            Err(error) => error.kind() != ErrorKind::NotFound,
        };
        if is_same { Ok(()) } else { Err(StoreError::Replaced { place: self.place.to_string() }) }
    }

    /// The error of a store that could be opened once, and so may be again.
    fn again(error: StoreError) -> StoreError {
        match error {
            StoreError::CannotOpen { place, cause, .. } => StoreError::Disk { place, cause },
            other => other,
        }
    }

    /// After the disk was full: whether that is over.
    async fn make_room(&self) -> Result<(), StoreError> {
        let path = self.path.clone();
        let made = tokio::task::spawn_blocking(move || watch::make_room(&path)).await;
        let made = made.unwrap_or_else(|error| Err(io::Error::other(error)));
        made.map_err(|error| {
            let (place, cause) = (self.place.to_string(), error.to_string());
            match error.kind() {
                ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                    StoreError::ReadOnly { place, cause }
                }
                _ => StoreError::Full { place, cause },
            }
        })?;
        self.is_tight.store(false, Ordering::Relaxed);
        Ok(())
    }
}

#[async_trait]
impl Driver for File {
    fn dialect(&self) -> Dialect {
        DIALECT
    }

    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError> {
        let mut slot = Arc::clone(&self.writer).lock_owned().await;
        self.refuse_if_closed()?;
        self.refuse_if_replaced()?;
        let conn = match slot.take() {
            Some(conn) => conn,
            None => self.connect(&self.options).await.map_err(Self::again)?,
        };
        let (place, is_tight) = (Arc::clone(&self.place), Arc::clone(&self.is_tight));
        let mut writing = Writing { slot, conn, place, is_tight };
        writing.script("BEGIN IMMEDIATE").await?;
        Ok(Box::new(writing))
    }

    async fn read(&self) -> Result<Box<dyn Link>, StoreError> {
        self.refuse_if_closed()?;
        let conn = self.readers.acquire().await.map_err(|error| Self::again(self.fault(&error)))?;
        Ok(Box::new(Reading { conn, place: Arc::clone(&self.place) }))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        if self.is_tight.load(Ordering::Relaxed) {
            self.make_room().await?;
        }
        let mut tx = self.begin().await?;
        // A number in the head of the file that nothing else uses: the least that can be written.
        let rows = tx.fetch("PRAGMA user_version", &[], false).await?;
        let count = rows.into_iter().next().map_or(Ok(0), |mut row| row.int())?;
        tx.script(&format!("PRAGMA user_version = {}", (count + 1) % 1_000)).await?;
        tx.commit().await
    }

    async fn after_page(&self) {
        if self.pages.fetch_add(1, Ordering::Relaxed) + 1 >= PAGES
            && let Err(error) = self.upkeep().await
        {
            tracing::debug!(%error, "upkeep put off");
        }
    }

    async fn upkeep(&self) -> Result<(), StoreError> {
        let slot = self.writer.lock().await;
        self.refuse_if_closed()?;
        self.pages.store(0, Ordering::Relaxed);
        // A connection of its own: what fails here, and how long it waits, touches no page.
        let options = self.options.clone().busy_timeout(Duration::from_millis(200));
        let mut conn = options.connect().await.map_err(|error| self.fault(&error))?;
        for sql in ["PRAGMA incremental_vacuum(4096)", "PRAGMA wal_checkpoint(TRUNCATE)"] {
            fetch(&mut conn, sql, &[], false).await.map_err(|error| self.fault(&error))?;
        }
        drop(slot);
        conn.close().await.map_err(|error| self.fault(&error))
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        let slot = self.writer.lock().await;
        self.refuse_if_closed()?;
        let mut conn = self.connect(&self.options).await?;
        // The file is written anew from what is in use: free pages, and what is left of earlier
        // rows within pages, do not come along.
        fetch(&mut conn, "VACUUM", &[], false).await.map_err(|error| self.fault(&error))?;
        let mut tries = 0;
        loop {
            let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
            let rows = fetch(&mut conn, sql, &[], false).await.map_err(|error| self.fault(&error))?;
            let busy = rows.into_iter().next().map(|mut row| row.int()).transpose()?;
            if busy == Some(0) {
                break;
            }
            // A reader still looks at the old pages.
            tries += 1;
            if tries > 50 {
                let cause = "somebody reads it, so that what was removed is still in its log".to_owned();
                return Err(StoreError::Busy { place: self.place.to_string(), cause });
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        drop(slot);
        conn.close().await.map_err(|error| self.fault(&error))
    }

    async fn backup(&self, schema: i64) -> Result<(), StoreError> {
        let copy = file::backup_path(&self.path, schema).map_err(|error| StoreError::CannotOpen {
            place: self.place.to_string(),
            cause: format!("no copy can be made before the schema is changed: {error}"),
            help: "give the user who runs weft the right to write the folder, and make room on the disk",
        })?;
        let mut conn = self.connect(&self.options).await?;
        let target = copy.display().to_string();
        fetch(&mut conn, "VACUUM INTO $1", &[(&target).into()], false)
            .await
            .map_err(|error| self.fault(&error))?;
        file::sync(&copy);
        tracing::info!(copy = %target, schema, "the store was copied before its schema is changed");
        conn.close().await.map_err(|error| self.fault(&error))
    }

    async fn verify(&self) -> Result<Vec<String>, StoreError> {
        let mut link = self.read().await?;
        let rows = link.fetch("PRAGMA integrity_check(100)", &[], false).await?;
        let lines: Vec<String> = rows.into_iter().map(|mut row| row.text()).collect::<Result<_, _>>()?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }

    async fn close(&self) {
        let mut slot = self.writer.lock().await;
        self.closed.store(true, Ordering::Release);
        self.readers.close().await;
        if let Some(conn) = slot.take()
            && let Err(error) = conn.close().await
        {
            tracing::debug!(%error, "the store's writer did not close cleanly");
        }
    }
}

/// A transaction on the writer, which goes back to its slot only when all went well.
struct Writing {
    slot: OwnedMutexGuard<Option<SqliteConnection>>,
    conn: SqliteConnection,
    place: Arc<str>,
    is_tight: Arc<AtomicBool>,
}

impl Writing {
    fn fault(&self, error: &sqlx::Error) -> StoreError {
        let fault = fault(&self.place, error);
        if matches!(fault, StoreError::Full { .. }) {
            self.is_tight.store(true, Ordering::Relaxed);
        }
        fault
    }
}

#[async_trait]
impl Transaction for Writing {
    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        match self.script("COMMIT").await {
            Ok(()) => {
                let Self { mut slot, conn, .. } = *self;
                *slot = Some(conn);
                Ok(())
            }
            // The log may hold the whole transaction although the disk did not say so.
            Err(StoreError::Disk { place, cause }) => Err(StoreError::Lost { place, cause }),
            Err(error) => Err(error),
        }
    }

    async fn rollback(mut self: Box<Self>) {
        if self.script("ROLLBACK").await.is_ok() {
            let Self { mut slot, conn, .. } = *self;
            *slot = Some(conn);
        }
    }
}

#[async_trait]
impl Link for Writing {
    fn takes_bare(&self) -> bool {
        true
    }

    async fn execute(&mut self, sql: &str, args: &[Arg<'_>], reuse: bool) -> Result<u64, StoreError> {
        let done = bound(sql, args, reuse).execute(&mut self.conn).await;
        done.map(|done| done.rows_affected()).map_err(|error| self.fault(&error))
    }

    async fn fetch(&mut self, sql: &str, args: &[Arg<'_>], reuse: bool) -> Result<Vec<Row>, StoreError> {
        fetch(&mut self.conn, sql, args, reuse).await.map_err(|error| self.fault(&error))
    }

    async fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.conn).await;
        done.map(drop).map_err(|error| self.fault(&error))
    }
}

/// A connection for reading.
struct Reading {
    conn: PoolConnection<Sqlite>,
    place: Arc<str>,
}

#[async_trait]
impl Link for Reading {
    fn takes_bare(&self) -> bool {
        true
    }

    async fn execute(&mut self, sql: &str, args: &[Arg<'_>], reuse: bool) -> Result<u64, StoreError> {
        let done = bound(sql, args, reuse).execute(&mut *self.conn).await;
        done.map(|done| done.rows_affected()).map_err(|error| fault(&self.place, &error))
    }

    async fn fetch(&mut self, sql: &str, args: &[Arg<'_>], reuse: bool) -> Result<Vec<Row>, StoreError> {
        fetch(&mut self.conn, sql, args, reuse).await.map_err(|error| fault(&self.place, &error))
    }

    async fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *self.conn).await;
        done.map(drop).map_err(|error| fault(&self.place, &error))
    }
}

type Query<'q> = sqlx::query::Query<'q, Sqlite, <Sqlite as sqlx::Database>::Arguments>;

fn bound<'q>(sql: &str, args: &[Arg<'_>], reuse: bool) -> Query<'q> {
    let query = sqlx::query(AssertSqlSafe(sql)).persistent(reuse);
    args.iter().fold(query, |query, arg| match *arg {
        Arg::Int(value) => query.bind(value),
        Arg::Text(value) => query.bind(value),
        Arg::Bytes(value) => query.bind(value),
    })
}

async fn fetch(
    conn: &mut SqliteConnection,
    sql: &str,
    args: &[Arg<'_>],
    reuse: bool,
) -> Result<Vec<Row>, sqlx::Error> {
    let rows = bound(sql, args, reuse).fetch_all(conn).await?;
    rows.iter().map(row).collect()
}

/// A row by what its values are, whatever its columns were declared as.
fn row(row: &SqliteRow) -> Result<Row, sqlx::Error> {
    let cell = |index| {
        let value = row.try_get_raw(index)?;
        if value.is_null() {
            return Ok(Cell::Null);
        }
        let kind = value.type_info().name().to_owned();
        let cell = match kind.as_str() {
            "TEXT" => <String as Decode<Sqlite>>::decode(value).map(Cell::Text),
            "BLOB" => <Vec<u8> as Decode<Sqlite>>::decode(value).map(Cell::Bytes),
            _ => <i64 as Decode<Sqlite>>::decode(value).map(Cell::Int),
        };
        cell.map_err(|source| sqlx::Error::ColumnDecode { index: format!("{index}"), source })
    };
    Ok(Row::new((0..row.len()).map(cell).collect::<Result<_, sqlx::Error>>()?))
}

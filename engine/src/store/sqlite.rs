//! The store in one SQLite file.
//!
//! One connection writes and many read, so that no writer ever meets another of its own
//! process; other processes are waited for. The log (`-wal`) is moved into the file every so
//! many pages and at the end of runs, by us, so that it stays small. A connection on which
//! something failed is thrown away: SQLite may or may not have rolled back by itself, and
//! nobody has to know which.
//!
//! Statements run on the thread that asks, see [`connection`]; what waits, or takes long, runs on
//! another one.

mod connection;
mod copy;
mod fault;
mod file;
mod reading;
#[cfg(test)]
mod tests;
mod watch;
mod writing;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::Mutex;

use self::connection::{Options, apart, fetch};
pub use self::copy::{Restored, backup, restore};
use self::fault::{again, fault};
use self::reading::Readers;
use self::watch::Identity;
use self::writing::Writing;
use super::StoreError;
use super::database::Database;
use super::link::{Dialect, Driver, Link, Transaction};
use super::migrate::Migration;

/// How long another process may keep the file to itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// Settled pages between two rounds of upkeep within a run.
const PAGES: u32 = 512;

/// What begins a transaction that writes: it is its turn from here on, not from its first write.
const BEGIN: &str = "BEGIN IMMEDIATE";

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
    let mut file = apart(&place, {
        let place = Arc::clone(&place);
        move || {
            file::inspect(&path, &place)?;
            let mut file = File::new(path, place);
            file.prepare()?;
            Ok(file)
        }
    })
    .await?;
    file.identity = Identity::of(&file.options.path).unwrap_or_default();
    let store = Database::new(file);
    store.migrate(&place, steps).await?;
    Ok(store)
}

/// One file and its connections.
#[derive(Debug)]
pub(super) struct File {
    place: Arc<str>,
    options: Options,
    /// The connection that writes; `None` before its first use and after a failure.
    writer: Arc<Mutex<Option<Connection>>>,
    readers: Readers,
    /// Pages settled since the last upkeep.
    pages: AtomicU32,
    closed: AtomicBool,
    /// Which file was opened, whatever lies at its path now.
    identity: Option<Identity>,
    /// There was no room when something was last written.
    is_tight: Arc<AtomicBool>,
}

impl File {
    fn new(path: PathBuf, place: Arc<str>) -> Self {
        Self {
            place,
            options: Options { path, patience: PATIENCE, pragmas: "" },
            writer: Arc::default(),
            readers: Readers::default(),
            pages: AtomicU32::new(0),
            closed: AtomicBool::new(false),
            identity: None,
            is_tight: Arc::default(),
        }
    }

    /// Writes the head of a new file; makes sure that the log can be shared.
    fn prepare(&mut self) -> Result<(), StoreError> {
        let conn = patiently(&self.place, || self.options.open_first())?;
        let told = |error| self.fault(&error);
        let mode: String = conn.query_row("PRAGMA journal_mode", (), |row| row.get(0)).map_err(told)?;
        if mode != "wal" {
            return Err(StoreError::CannotOpen {
                place: self.place.to_string(),
                cause: "this file system does not let processes share memory".to_owned(),
                help: "put the store on a local disk",
            });
        }
        let stamp: i64 = conn.query_row("PRAGMA application_id", (), |row| row.get(0)).map_err(told)?;
        if stamp != APPLICATION {
            conn.execute_batch(&format!("PRAGMA application_id = {APPLICATION}")).map_err(told)?;
        }
        conn.busy_timeout(Duration::ZERO).map_err(told)?;
        self.writer = Arc::new(Mutex::new(Some(conn)));
        Ok(())
    }

    fn fault(&self, error: &rusqlite::Error) -> StoreError {
        fault(&self.place, error)
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
        let is_same = match Identity::of(&self.options.path) {
            Ok(found) => self.identity.is_none() || found == self.identity,
            // What else there is to say about the disk, SQLite says better.
            Err(error) => error.kind() != ErrorKind::NotFound,
        };
        if is_same { Ok(()) } else { Err(StoreError::Replaced { place: self.place.to_string() }) }
    }

    /// Does something on a thread where waiting holds nobody up.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce(&str) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let place = Arc::clone(&self.place);
        apart(&self.place, move || work(&place)).await
    }

    /// Begins a transaction once no other process writes, on this connection or on a new one.
    async fn wait_for_turn(&self, conn: Option<Connection>) -> Result<Connection, StoreError> {
        let options = self.options.clone();
        self.apart(move |place| {
            let conn = match conn {
                Some(conn) => conn,
                None => connect(&options, place).map_err(again)?,
            };
            let begun = conn
                .busy_timeout(options.patience)
                .and_then(|()| conn.execute_batch(BEGIN))
                .and_then(|()| conn.busy_timeout(Duration::ZERO));
            begun.map_err(|error| fault(place, &error))?;
            Ok(conn)
        })
        .await
    }

    /// After the disk was full: whether that is over.
    async fn make_room(&self) -> Result<(), StoreError> {
        let path = self.options.path.clone();
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
        let (place, is_tight) = (Arc::clone(&self.place), Arc::clone(&self.is_tight));
        let mut free = slot.take();
        if let Some(conn) = &free {
            match conn.execute_batch(BEGIN) {
                Ok(()) => {}
                Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                    free = Some(self.wait_for_turn(free.take()).await?);
                }
                Err(error) => return Err(self.fault(&error)),
            }
        }
        let conn = match free {
            Some(conn) => conn,
            None => self.wait_for_turn(None).await?,
        };
        Ok(Box::new(Writing { slot, conn, place, is_tight }))
    }

    async fn read(&self) -> Result<Box<dyn Link>, StoreError> {
        self.refuse_if_closed()?;
        Ok(Box::new(self.readers.take(&self.options, &self.place).await?))
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
        let slot = Arc::clone(&self.writer).lock_owned().await;
        self.refuse_if_closed()?;
        self.pages.store(0, Ordering::Relaxed);
        // A connection of its own: what fails here, and how long it waits, touches no page.
        let options = Options { patience: Duration::from_millis(200), ..self.options.clone() };
        self.apart(move |place| {
            let conn = options.open().map_err(|error| fault(place, &error))?;
            for sql in ["PRAGMA incremental_vacuum(4096)", "PRAGMA wal_checkpoint(TRUNCATE)"] {
                fetch(&conn, sql, &[], false).map_err(|error| fault(place, &error))?;
            }
            drop(slot);
            Ok(())
        })
        .await
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        let slot = Arc::clone(&self.writer).lock_owned().await;
        self.refuse_if_closed()?;
        let options = self.options.clone();
        self.apart(move |place| {
            let conn = connect(&options, place)?;
            // The file is written anew from what is in use: free pages, and what is left of earlier
            // rows within pages, do not come along.
            let asked = |sql| fetch(&conn, sql, &[], false).map_err(|error| fault(place, &error));
            asked("VACUUM")?;
            for _ in 0..50 {
                let rows = asked("PRAGMA wal_checkpoint(TRUNCATE)")?;
                let busy = rows.into_iter().next().map(|mut row| row.int()).transpose()?;
                if busy == Some(0) {
                    drop(slot);
                    return Ok(());
                }
                // A reader still looks at the old pages.
                std::thread::sleep(Duration::from_millis(200));
            }
            let cause = "somebody reads it, so that what was removed is still in its log".to_owned();
            Err(StoreError::Busy { place: place.to_owned(), cause })
        })
        .await
    }

    async fn backup(&self, schema: i64) -> Result<(), StoreError> {
        let options = self.options.clone();
        self.apart(move |place| {
            let copy = file::backup_path(&options.path, schema).map_err(|error| StoreError::CannotOpen {
                place: place.to_owned(),
                cause: format!("no copy can be made before the schema is changed: {error}"),
                help: "give the user who runs weft the right to write the folder, and make room on the disk",
            })?;
            let conn = connect(&options, place)?;
            let target = copy.display().to_string();
            fetch(&conn, "VACUUM INTO $1", &[(&target).into()], false)
                .map_err(|error| fault(place, &error))?;
            file::sync(&copy);
            tracing::info!(copy = %target, schema, "the store was copied before its schema is changed");
            Ok(())
        })
        .await
    }

    async fn verify(&self) -> Result<Vec<String>, StoreError> {
        self.refuse_if_closed()?;
        let options = self.options.clone();
        self.apart(move |place| {
            let conn = options.reader().map_err(|error| again(fault(place, &error)))?;
            damages(&conn, place)
        })
        .await
    }

    async fn close(&self) {
        let mut slot = self.writer.lock().await;
        self.closed.store(true, Ordering::Release);
        self.readers.close();
        // The last connection that is closed moves the log into the file.
        if let Some(conn) = slot.take() {
            let closed = self.apart(|place| conn.close().map_err(|(_, error)| fault(place, &error))).await;
            if let Err(error) = closed {
                tracing::debug!(%error, "the store's writer did not close cleanly");
            }
        }
    }
}

/// What SQLite finds wrong with a file.
fn damages(conn: &Connection, place: &str) -> Result<Vec<String>, StoreError> {
    let rows =
        fetch(conn, "PRAGMA integrity_check(100)", &[], false).map_err(|error| fault(place, &error))?;
    let lines: Vec<String> = rows.into_iter().map(|mut row| row.text()).collect::<Result<_, _>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

/// A connection that nobody else uses.
fn connect(options: &Options, place: &str) -> Result<Connection, StoreError> {
    patiently(place, || options.open())
}

/// Two processes that make the same new file exclude each other without waiting: only here, where
/// the log is switched on.
fn patiently(place: &str, open: impl Fn() -> rusqlite::Result<Connection>) -> Result<Connection, StoreError> {
    let started = std::time::Instant::now();
    loop {
        match open().map_err(|error| fault(place, &error)) {
            Err(StoreError::Busy { .. }) if started.elapsed() < PATIENCE => {
                std::thread::sleep(Duration::from_millis(50));
            }
            other => return other,
        }
    }
}

//! Copies of a store in a file: made while flows run, and put back.
//!
//! Neither brings a store to the schema of this program: a copy is what the store was, and one that
//! was put back differs by a mark that it was.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use super::super::holder::{holder_in_words, is_dead};
use super::super::lease::{is_right, one};
use super::super::link::Row;
use super::super::migrate::{self, Migration};
use super::super::types::Millis;
use super::super::{StoreError, restored, sql};
use super::connection::{apart, fetch, plain};
use super::fault::fault;
use super::{DIALECT, damages, file};

/// How long other processes may keep a store that is to be replaced.
const PATIENCE: Duration = Duration::from_secs(2);

/// A store that was put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Where the store lies now that was there before.
    pub aside: Option<PathBuf>,
    /// When it last noted that a run began or ended; what was sent later is not known to it.
    pub knows_until: Option<Millis>,
}

/// Copies the store as it is at this moment into a new file, and reads the copy again. Flows may
/// run meanwhile. `to` is there only when all went well.
pub async fn backup(store: &Path, to: &Path) -> Result<(), StoreError> {
    let (store, to) = (store.to_owned(), to.to_owned());
    apart(&shown(&store.clone()), move || backup_now(&store, &to)).await
}

fn backup_now(store: &Path, to: &Path) -> Result<(), StoreError> {
    exists(store)?;
    file::inspect(store, &shown(store))?;
    let part = beside(to, ".part");
    let done = copy(store, &part);
    let done = match done {
        Ok(()) => fs::rename(&part, to).map_err(|error| cannot(to, &error)),
        Err(error) => Err(error),
    };
    if done.is_err() {
        let _ = fs::remove_file(&part);
    }
    sync_folder(to);
    done
}

/// Puts a copy in the place of the store, and the store aside. Refuses, and leaves everything as
/// it was, when the copy is no whole store that this program knows, or anybody uses the store.
pub async fn restore(from: &Path, store: &Path) -> Result<Restored, StoreError> {
    let (from, store) = (from.to_owned(), store.to_owned());
    apart(&shown(&store.clone()), move || restore_known(&from, &store, migrate::MIGRATIONS)).await
}

pub(super) fn restore_known(from: &Path, store: &Path, steps: &[Migration]) -> Result<Restored, StoreError> {
    exists(from)?;
    file::inspect(from, &shown(from))?;
    let part = beside(store, ".part");
    let done = replace(from, &part, store, steps);
    if done.is_err() {
        let _ = fs::remove_file(&part);
    }
    done
}

fn replace(from: &Path, part: &Path, store: &Path, steps: &[Migration]) -> Result<Restored, StoreError> {
    // Copying would leave out of an index what is damaged in it only.
    if let Some(cause) = damages_of(from)?.into_iter().next() {
        return Err(StoreError::Corrupt { place: shown(from), cause });
    }
    copy(from, part)?;
    let (schema, knows_until) = judge(part, from, steps)?;
    mark(part, schema)?;
    let held = match exists(store) {
        Ok(()) => hold(store)?,
        Err(_) => None,
    };
    let aside = put_aside(store, held.is_some()).map_err(|error| cannot(store, &error))?;
    fs::rename(part, store).map_err(|error| cannot(store, &error))?;
    sync_folder(store);
    drop(held);
    Ok(Restored { aside, knows_until })
}

/// A whole and durable copy; what stood at its path before goes.
fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let told = |error: rusqlite::Error| match fault(&shown(from), &error) {
        // Reading needs no room: it is the copy that has none.
        StoreError::Full { cause, .. } => StoreError::Full { place: shown(to), cause },
        StoreError::Disk { cause, .. } => {
            StoreError::Disk { place: format!("{} or {}", shown(from), shown(to)), cause }
        }
        other => other,
    };
    match fs::remove_file(to) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(cannot(to, &error)),
        _ => {}
    }
    file::create(to).map_err(|error| cannot(to, &error))?;
    let conn = plain(from, super::PATIENCE).map_err(told)?;
    let target = to.to_string_lossy();
    fetch(&conn, "VACUUM INTO $1", &[target.as_ref().into()], false).map_err(told)?;
    drop(conn);
    file::sync(to);
    let damaged = damages_of(to)?;
    match damaged.first() {
        None => Ok(()),
        Some(cause) => Err(StoreError::Corrupt { place: shown(from), cause: cause.clone() }),
    }
}

fn asked(conn: &Connection, path: &Path, sql: &str) -> Result<Vec<Row>, StoreError> {
    fetch(conn, sql, &[], false).map_err(|error| fault(&shown(path), &error))
}

fn damages_of(path: &Path) -> Result<Vec<String>, StoreError> {
    let conn = plain(path, super::PATIENCE).map_err(|error| fault(&shown(path), &error))?;
    damages(&conn, &shown(path))
}

/// Refuses a copy that this program cannot go on with; answers its schema, and until when it knows.
fn judge(part: &Path, from: &Path, steps: &[Migration]) -> Result<(i64, Option<Millis>), StoreError> {
    let conn = plain(part, super::PATIENCE).map_err(|error| fault(&shown(from), &error))?;
    let found = one(asked(&conn, from, sql::SCHEMA_VERSION)?)?.int()?;
    let known = steps.iter().map(|step| step.version).max().unwrap_or(0);
    if found > known {
        return Err(StoreError::Newer { place: shown(from), found, known });
    }
    if found == 0 {
        let cause = "nothing was ever kept in it".to_owned();
        return Err(StoreError::NotAStore { place: shown(from), cause });
    }
    let last = "SELECT MAX(COALESCE(ended_at, started_at)) FROM run";
    let until = one(asked(&conn, from, last)?)?.maybe_int()?;
    Ok((found, until))
}

/// Notes in the copy that it is one, in whatever schema it has.
fn mark(part: &Path, schema: i64) -> Result<(), StoreError> {
    let told = |error: rusqlite::Error| fault(&shown(part), &error);
    let table = include_str!("../migrations/0006_restored.sql");
    let conn = plain(part, super::PATIENCE).map_err(told)?;
    let (since, spare) = restored::SPARE_JOURNALS;
    let spare = if schema >= since { spare } else { "" };
    let mark = restored::MARK.replace("{now}", DIALECT.clock);
    for sql in [table, &mark, spare, restored::BEGIN_AGAIN] {
        conn.execute_batch(sql).map_err(told)?;
    }
    drop(conn);
    file::sync(part);
    Ok(())
}

/// Makes sure that nobody uses the store, and keeps it so. `None`: it is so damaged that nobody
/// can.
fn hold(store: &Path) -> Result<Option<Connection>, StoreError> {
    match hold_whole(store) {
        Ok(conn) => Ok(Some(conn)),
        Err(
            StoreError::Corrupt { .. }
            | StoreError::NotAStore { .. }
            | StoreError::Unreadable { .. }
            | StoreError::Refused { .. },
        ) => Ok(None),
        Err(StoreError::Busy { place, .. }) => {
            Err(StoreError::InUse { place, cause: "another process has it open".to_owned() })
        }
        Err(error) => Err(error),
    }
}

fn hold_whole(store: &Path) -> Result<Connection, StoreError> {
    let told = |error: rusqlite::Error| fault(&shown(store), &error);
    file::inspect(store, &shown(store))?;
    let conn = plain(store, PATIENCE).map_err(told)?;
    // Asked first: a name says more than that there is somebody.
    if let Some(cause) = in_use(&conn, store)? {
        return Err(StoreError::InUse { place: shown(store), cause });
    }
    // Possible only for whoever is alone. The log goes into the file, which then is all there is.
    asked(&conn, store, "PRAGMA journal_mode = DELETE")?;
    asked(&conn, store, "BEGIN EXCLUSIVE")?;
    Ok(conn)
}

/// A lease that has not run out, of a process that is not known to be gone.
fn in_use(conn: &Connection, store: &Path) -> Result<Option<String>, StoreError> {
    let now = one(asked(conn, store, &format!("SELECT {}", DIALECT.clock))?)?.int()?;
    for mut row in asked(conn, store, sql::LEASES)? {
        let (flow, _, holder, until) = (row.text()?, row.int()?, row.text()?, row.int()?);
        if until > now && !is_dead(&holder) && !is_right(&flow) {
            return Ok(Some(format!("flow `{flow}` is being run by {}", holder_in_words(&holder))));
        }
    }
    Ok(None)
}

/// Gives the store another name, and its log too where it still has one. A store that is whole
/// keeps its own name until the copy takes it.
fn put_aside(store: &Path, is_whole: bool) -> io::Result<Option<PathBuf>> {
    if !store.try_exists()? {
        return Ok(None);
    }
    let mut aside = beside(store, ".replaced");
    for number in 2..1000 {
        if !aside.try_exists()? {
            break;
        }
        aside = beside(store, &format!(".replaced-{number}"));
    }
    for end in ["-wal", "-shm"] {
        let log = beside(store, end);
        if log.try_exists()? {
            // A log that stayed would be taken for that of the copy.
            fs::rename(&log, beside(&aside, end))?;
        }
    }
    if !is_whole || fs::hard_link(store, &aside).is_err() {
        fs::rename(store, &aside)?;
    }
    Ok(Some(aside))
}

fn exists(path: &Path) -> Result<(), StoreError> {
    fs::metadata(path).map(drop).map_err(|error| cannot(path, &error))
}

fn cannot(path: &Path, error: &io::Error) -> StoreError {
    file::cannot(&shown(path), error)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// A file with a longer name in the same folder.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(end);
    path.with_file_name(name)
}

/// Makes new names durable, as far as the system lets us.
fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        file::sync(folder);
    }
}

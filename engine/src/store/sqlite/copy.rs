//! Copies of a store in a file: made while flows run, and put back.
//!
//! Neither brings a store to the schema of this program: a copy is what the store was, and one that
//! was put back differs by a mark that it was.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::super::holder::{holder_in_words, is_dead};
use super::super::lease::{is_right, one};
use super::super::link::{Arg, Row};
use super::super::migrate::{self, Migration};
use super::super::types::Millis;
use super::super::{StoreError, restored, sql};
use super::fault::fault;
use super::{DIALECT, fetch, file};

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
    exists(store)?;
    file::inspect(store, &shown(store)).await?;
    let part = beside(to, ".part");
    let done = copy(store, &part).await;
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
    restore_known(from, store, migrate::MIGRATIONS).await
}

pub(super) async fn restore_known(
    from: &Path,
    store: &Path,
    steps: &[Migration],
) -> Result<Restored, StoreError> {
    exists(from)?;
    file::inspect(from, &shown(from)).await?;
    let part = beside(store, ".part");
    let done = replace(from, &part, store, steps).await;
    if done.is_err() {
        let _ = fs::remove_file(&part);
    }
    done
}

async fn replace(
    from: &Path,
    part: &Path,
    store: &Path,
    steps: &[Migration],
) -> Result<Restored, StoreError> {
    // Copying would leave out of an index what is damaged in it only.
    if let Some(cause) = damages(from).await?.into_iter().next() {
        return Err(StoreError::Corrupt { place: shown(from), cause });
    }
    copy(from, part).await?;
    let (schema, knows_until) = judge(part, from, steps).await?;
    mark(part, schema).await?;
    let held = match exists(store) {
        Ok(()) => hold(store).await?,
        Err(_) => None,
    };
    let aside = put_aside(store, held.is_some()).map_err(|error| cannot(store, &error))?;
    fs::rename(part, store).map_err(|error| cannot(store, &error))?;
    sync_folder(store);
    if let Some(conn) = held
        && let Err(error) = conn.close().await
    {
        tracing::debug!(%error, "the store that was replaced did not close cleanly");
    }
    Ok(Restored { aside, knows_until })
}

/// A whole and durable copy; what stood at its path before goes.
async fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
    let told = |error: sqlx::Error| match fault(&shown(from), &error) {
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
    let mut conn = reader(from).connect().await.map_err(told)?;
    let target = to.to_string_lossy();
    fetch(&mut conn, "VACUUM INTO $1", &[target.as_ref().into()], false).await.map_err(told)?;
    conn.close().await.map_err(told)?;
    file::sync(to);
    let damaged = damages(to).await?;
    match damaged.first() {
        None => Ok(()),
        Some(cause) => Err(StoreError::Corrupt { place: shown(from), cause: cause.clone() }),
    }
}

fn reader(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).busy_timeout(super::PATIENCE).disable_statement_logging()
}

async fn asked(conn: &mut SqliteConnection, path: &Path, sql: &str) -> Result<Vec<Row>, StoreError> {
    fetch(conn, sql, &[] as &[Arg<'_>], false).await.map_err(|error| fault(&shown(path), &error))
}

/// What SQLite finds wrong with a file.
async fn damages(path: &Path) -> Result<Vec<String>, StoreError> {
    let told = |error: sqlx::Error| fault(&shown(path), &error);
    let mut conn = reader(path).connect().await.map_err(told)?;
    let rows = asked(&mut conn, path, "PRAGMA integrity_check(100)").await?;
    conn.close().await.map_err(told)?;
    let lines: Vec<String> = rows.into_iter().map(|mut row| row.text()).collect::<Result<_, _>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}

/// Refuses a copy that this program cannot go on with; answers its schema, and until when it knows.
async fn judge(part: &Path, from: &Path, steps: &[Migration]) -> Result<(i64, Option<Millis>), StoreError> {
    let mut conn = reader(part).connect().await.map_err(|error| fault(&shown(from), &error))?;
    let found = one(asked(&mut conn, from, sql::SCHEMA_VERSION).await?)?.int()?;
    let known = steps.iter().map(|step| step.version).max().unwrap_or(0);
    if found > known {
        return Err(StoreError::Newer { place: shown(from), found, known });
    }
    if found == 0 {
        let cause = "nothing was ever kept in it".to_owned();
        return Err(StoreError::NotAStore { place: shown(from), cause });
    }
    let last = "SELECT MAX(COALESCE(ended_at, started_at)) FROM run";
    let until = one(asked(&mut conn, from, last).await?)?.maybe_int()?;
    conn.close().await.map_err(|error| fault(&shown(from), &error))?;
    Ok((found, until))
}

/// Notes in the copy that it is one, in whatever schema it has.
async fn mark(part: &Path, schema: i64) -> Result<(), StoreError> {
    let told = |error: sqlx::Error| fault(&shown(part), &error);
    let table = include_str!("../migrations/0006_restored.sql");
    let mut conn = reader(part).connect().await.map_err(told)?;
    let (since, spare) = restored::SPARE_JOURNALS;
    let spare = if schema >= since { spare } else { "" };
    let mark = restored::MARK.replace("{now}", DIALECT.clock);
    for sql in [table, &mark, spare, restored::BEGIN_AGAIN] {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut conn).await.map_err(told)?;
    }
    conn.close().await.map_err(told)?;
    file::sync(part);
    Ok(())
}

/// Makes sure that nobody uses the store, and keeps it so. `None`: it is so damaged that nobody
/// can.
async fn hold(store: &Path) -> Result<Option<SqliteConnection>, StoreError> {
    match hold_whole(store).await {
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

async fn hold_whole(store: &Path) -> Result<SqliteConnection, StoreError> {
    let told = |error: sqlx::Error| fault(&shown(store), &error);
    file::inspect(store, &shown(store)).await?;
    let mut conn = reader(store).busy_timeout(PATIENCE).connect().await.map_err(told)?;
    // Asked first: a name says more than that there is somebody.
    if let Some(cause) = in_use(&mut conn, store).await? {
        return Err(StoreError::InUse { place: shown(store), cause });
    }
    // Possible only for whoever is alone. The log goes into the file, which then is all there is.
    asked(&mut conn, store, "PRAGMA journal_mode = DELETE").await?;
    asked(&mut conn, store, "BEGIN EXCLUSIVE").await?;
    Ok(conn)
}

/// A lease that has not run out, of a process that is not known to be gone.
async fn in_use(conn: &mut SqliteConnection, store: &Path) -> Result<Option<String>, StoreError> {
    let now = one(asked(conn, store, &format!("SELECT {}", DIALECT.clock)).await?)?.int()?;
    for mut row in asked(conn, store, sql::LEASES).await? {
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

//! A connection to the file: how it is opened, statements with values in, rows out.
//!
//! Everything here works on the thread that asks. What SQLite does with a page of records takes
//! less time than handing it to another thread and back, statement by statement; what waits for
//! the disk or for another process goes through [`apart`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OpenFlags, Result, Statement, ToSql};

use super::super::StoreError;
use super::super::link::{Arg, Cell, Row};

/// The log beside the file is cut back to this when it is emptied.
const LOG_LIMIT: u32 = 16 << 20;

/// Pages of 4 KiB that the log may grow by before they are moved into the file: pages of an index
/// that change again and again are moved once.
const LOG_PAGES: u32 = 3000;

/// What a connection keeps of the file in memory, in kibibytes. The upper parts of all indexes fit,
/// so that a large store is no slower than a small one.
const CACHE: u32 = 8192;

/// Statements that a connection keeps prepared.
const STATEMENTS: usize = 200;

/// How connections to a store are made.
#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) path: PathBuf,
    /// How long another process may keep the file to itself.
    pub(super) patience: Duration,
    /// Said to each connection besides.
    pub(super) pragmas: &'static str,
}

impl Options {
    /// A connection to the store, which may write.
    pub(super) fn open(&self) -> Result<Connection> {
        self.said(plain(&self.path, self.patience)?)
    }

    /// The first connection of a process. A new file is made to shrink little by little, which has
    /// to be said before anything is in it; said later it changes nothing, but takes the writer's
    /// place for a moment.
    pub(super) fn open_first(&self) -> Result<Connection> {
        let conn = plain(&self.path, self.patience)?;
        conn.execute_batch("PRAGMA auto_vacuum = INCREMENTAL")?;
        self.said(conn)
    }

    /// What was forgotten does not linger in the pages that stay.
    fn said(&self, conn: Connection) -> Result<Connection> {
        conn.set_prepared_statement_cache_capacity(STATEMENTS);
        conn.execute_batch(&format!(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             PRAGMA journal_size_limit = {LOG_LIMIT}; PRAGMA wal_autocheckpoint = {LOG_PAGES};
             PRAGMA cache_size = -{CACHE}; PRAGMA secure_delete = FAST; {}",
            self.pragmas
        ))?;
        Ok(conn)
    }

    /// A connection that only reads.
    pub(super) fn reader(&self) -> Result<Connection> {
        let conn = plain(&self.path, self.patience)?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS);
        conn.execute_batch(&format!(
            "PRAGMA cache_size = -{CACHE}; PRAGMA query_only = ON; {}",
            self.pragmas
        ))?;
        Ok(conn)
    }
}

/// A connection to any file of SQLite that is there, with nothing said to it.
pub(super) fn plain(path: &Path, patience: Duration) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(patience)?;
    Ok(conn)
}

impl ToSql for Arg<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(match *self {
            Self::Int(Some(value)) => ToSqlOutput::Owned(Value::Integer(value)),
            Self::Text(Some(text)) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Bytes(Some(bytes)) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
            Self::Int(None) | Self::Text(None) | Self::Bytes(None) => ToSqlOutput::Owned(Value::Null),
        })
    }
}

/// A statement as SQLite takes it: its places are `?1`; `$1` would be a name to it, whose place is
/// where it is first met.
fn with_places(sql: &str) -> String {
    sql.replace('$', "?")
}

/// Prepares the statement, or takes it from those that were kept, and lets it be used.
fn prepared<T>(
    conn: &Connection,
    sql: &str,
    reuse: bool,
    work: impl FnOnce(&mut Statement<'_>) -> Result<T>,
) -> Result<T> {
    let sql = with_places(sql);
    if reuse { work(&mut *conn.prepare_cached(&sql)?) } else { work(&mut conn.prepare(&sql)?) }
}

fn bind(statement: &mut Statement<'_>, after: usize, args: &[Arg<'_>]) -> Result<()> {
    args.iter().zip(after + 1..).try_for_each(|(arg, place)| statement.raw_bind_parameter(place, arg))
}

/// Runs a statement; answers how many rows it touched.
pub(super) fn execute(conn: &Connection, sql: &str, args: &[Arg<'_>], reuse: bool) -> Result<u64> {
    prepared(conn, sql, reuse, |statement| {
        bind(statement, 0, args)?;
        Ok(statement.raw_execute()? as u64)
    })
}

/// Runs a statement; answers its rows.
pub(super) fn fetch(conn: &Connection, sql: &str, args: &[Arg<'_>], reuse: bool) -> Result<Vec<Row>> {
    let mut found = Vec::new();
    prepared(conn, sql, reuse, |statement| {
        bind(statement, 0, args)?;
        rows_of(statement, &mut found)
    })?;
    Ok(found)
}

/// Runs a statement once for each row of values, which stand behind those that all rows share;
/// answers how many rows it touched.
pub(super) fn execute_each(
    conn: &Connection,
    sql: &str,
    shared: &[Arg<'_>],
    rows: &[Vec<Arg<'_>>],
) -> Result<u64> {
    let mut touched = 0;
    prepared(conn, sql, true, |statement| {
        bind(statement, 0, shared)?;
        for row in rows {
            bind(statement, shared.len(), row)?;
            touched += statement.raw_execute()? as u64;
        }
        Ok(touched)
    })
}

/// The same; answers all rows that are found.
pub(super) fn fetch_each(
    conn: &Connection,
    sql: &str,
    shared: &[Arg<'_>],
    keys: &[&str],
) -> Result<Vec<Row>> {
    let mut found = Vec::new();
    // Locks are taken and given back once, and all keys are answered from one moment.
    let moment = if conn.is_autocommit() { Some(conn.unchecked_transaction()?) } else { None };
    prepared(conn, sql, true, |statement| {
        bind(statement, 0, shared)?;
        for key in keys {
            bind(statement, shared.len(), &[(*key).into()])?;
            rows_of(statement, &mut found)?;
        }
        Ok(())
    })?;
    if let Some(moment) = moment {
        moment.commit()?;
    }
    Ok(found)
}

fn rows_of(statement: &mut Statement<'_>, found: &mut Vec<Row>) -> Result<()> {
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        let cells = (0..columns).map(|column| row.get_ref(column).map(cell)?);
        found.push(Row::new(cells.collect::<Result<_>>()?));
    }
    Ok(())
}

/// A value by what it is, whatever its column was declared as.
fn cell(value: ValueRef<'_>) -> Result<Cell> {
    Ok(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Int(number),
        // No column holds one; a time that SQLite reckons could come as one.
        #[expect(clippy::cast_possible_truncation, reason = "as SQLite's own CAST does")]
        ValueRef::Real(number) => Cell::Int(number as i64),
        ValueRef::Text(_) => Cell::Text(value.as_str()?.to_owned()),
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
    })
}

/// Does something on a thread where waiting holds nobody up.
pub(super) async fn apart<T: Send + 'static>(
    place: &str,
    work: impl FnOnce() -> std::result::Result<T, StoreError> + Send + 'static,
) -> std::result::Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(ended) => Err(StoreError::Refused { place: place.to_owned(), cause: ended.to_string() }),
        },
    }
}

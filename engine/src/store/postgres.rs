//! The store in a PostgreSQL database, for daemons on several machines.
//!
//! The row of a lease is locked from the fence to the end of a transaction, so that writers of
//! one flow come one after the other and those of different flows side by side. A connection
//! on which something failed is thrown away; the next call makes a new one, to whichever
//! server takes writes then.

mod address;
mod fault;
mod pool;
#[cfg(test)]
mod tests;
mod text;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::{PgConnection, PgRow, Postgres};
use sqlx::{AssertSqlSafe, Decode, Row as _, TypeInfo, ValueRef};
use tokio::time::error::Elapsed;
use tokio::time::timeout;

pub use self::address::Address;
use self::fault::fault;
use self::pool::{Pool, Seat, Waits};
use self::text::{kept, told};
use super::StoreError;
use super::database::Database;
use super::link::{Arg, Cell, Dialect, Driver, Link, Many, Row, Transaction};
use super::migrate::Migration;

/// Oldest server that is known to work, as it numbers itself.
const OLDEST: i64 = 130_000;

/// How long a change of the schema, or reading the whole store, may take.
const LONG: Duration = Duration::from_hours(6);

const DIALECT: Dialect = Dialect {
    clock: "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
    hold: " FOR UPDATE",
    // Letter by letter, as SQLite does: the order of a language changes with the system's library,
    // and an index that was sorted by the old one finds nothing any more.
    text: "TEXT COLLATE \"C\"",
    bytes: "BYTEA",
    keyed: "",
    // `Weft`, twice: whoever changes the schema holds this number.
    alone: "SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(6297280116453402228)",
};

/// The store in this database, made there if it holds nothing yet.
pub(super) async fn open(address: &Address, steps: &[Migration]) -> Result<Database<Server>, StoreError> {
    open_with(address, steps, Waits::default()).await
}

async fn open_with(
    address: &Address,
    steps: &[Migration],
    waits: Waits,
) -> Result<Database<Server>, StoreError> {
    let server = Server { pool: Arc::new(Pool::new(address, waits)) };
    server.inspect().await?;
    let store = Database::new(server);
    store.migrate(&address.to_string(), steps).await?;
    Ok(store)
}

/// One database and the connections to it.
#[derive(Debug)]
pub(super) struct Server {
    pool: Arc<Pool>,
}

impl Server {
    /// Refuses what is not ours, and what could not keep what we give it, without touching it.
    async fn inspect(&self) -> Result<(), StoreError> {
        const ABOUT: &str = "
SELECT current_setting('server_version_num')::BIGINT, current_setting('server_encoding'),
    current_schema()::TEXT,
    (SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema()),
    (SELECT COUNT(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'weft_schema')";
        let rows = self.read().await?.fetch(ABOUT, &[], false).await?;
        let mut row = super::lease::one(rows)?;
        let (version, encoding, schema) = (row.int()?, row.text()?, row.maybe_text()?);
        let (tables, ours) = (row.int()?, row.int()?);
        let place = || self.pool.place().to_string();
        let cannot = |cause: String, help| StoreError::CannotOpen { place: place(), cause, help };
        if version < OLDEST {
            let cause = format!("this is PostgreSQL {}", version / 10_000);
            return Err(cannot(cause, "use PostgreSQL 13 or newer"));
        }
        if encoding != "UTF8" {
            let cause = format!("the database keeps text as {encoding}");
            return Err(cannot(
                cause,
                "make a database with `createdb --encoding UTF8 --template template0`",
            ));
        }
        if schema.is_none() {
            let cause = "none of the schemas in its `search_path` is there".to_owned();
            return Err(cannot(cause, "make the schema first, or correct `options` in the address"));
        }
        if tables > 0 && ours == 0 {
            let cause = "it holds tables of another program".to_owned();
            return Err(StoreError::NotAStore { place: place(), cause });
        }
        Ok(())
    }
}

#[async_trait]
impl Driver for Server {
    fn dialect(&self) -> Dialect {
        DIALECT
    }

    async fn begin(&self) -> Result<Box<dyn Transaction>, StoreError> {
        let mut session = self.session().await?;
        session.say("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE").await?;
        session.has_open_ends = true;
        Ok(Box::new(session))
    }

    async fn read(&self) -> Result<Box<dyn Link>, StoreError> {
        Ok(Box::new(self.session().await?))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        // A transaction with a number of its own is written to the log, and waited for.
        match tx.fetch("SELECT pg_current_xact_id()::TEXT", &[], true).await {
            Ok(_) => tx.commit().await,
            Err(error) => Err(error),
        }
    }

    async fn after_page(&self) {}

    async fn upkeep(&self) -> Result<(), StoreError> {
        // The server looks after its files by itself.
        Ok(())
    }

    async fn backup(&self, schema: i64) -> Result<(), StoreError> {
        // A step that fails is undone by the server; older copies are the business of whoever
        // runs it.
        tracing::info!(store = %self.pool.place(), schema, "the schema of the store is changed");
        Ok(())
    }

    async fn verify(&self) -> Result<Vec<String>, StoreError> {
        const TABLES: &str =
            "SELECT tablename::TEXT FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1";
        let mut damaged = Vec::new();
        let tables = self.read().await?.fetch(TABLES, &[], false).await?;
        for mut row in tables {
            let table = row.text()?;
            let mut session = self.session().await?;
            session.limit = LONG;
            session.has_open_ends = true;
            session.script("BEGIN READ ONLY; SET LOCAL statement_timeout = 0").await?;
            // Every value is put together, also those that lie apart from their row.
            let sql = format!("SELECT COALESCE(SUM(LENGTH(t::TEXT)), 0)::BIGINT FROM \"{table}\" t");
            match session.fetch(&sql, &[], false).await {
                Ok(_) => Box::new(session).rollback().await,
                Err(StoreError::Corrupt { cause, .. } | StoreError::Refused { cause, .. }) => {
                    damaged.push(format!("table {table}: {cause}"));
                }
                Err(other) => return Err(other),
            }
        }
        Ok(damaged)
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

impl Server {
    async fn session(&self) -> Result<Session, StoreError> {
        let seat = self.pool.seat().await?;
        // The server gives up first, and says so; a cable that was cut says nothing.
        let limit = self.pool.waits().statement + self.pool.waits().connect;
        Ok(Session { pool: Arc::clone(&self.pool), seat: Some(seat), limit, has_open_ends: false })
    }
}

/// A connection, inside or outside a transaction. It goes back to the others only when nothing
/// is under way on it and nothing has failed.
struct Session {
    pool: Arc<Pool>,
    seat: Option<Seat>,
    /// The longest that a statement may take.
    limit: Duration,
    /// A statement or a transaction has not come to its end.
    has_open_ends: bool,
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(seat) = self.seat.take()
            && !self.has_open_ends
        {
            self.pool.give_back(seat);
        }
    }
}

/// A connection that is asked something. It is taken out of its session meanwhile: should the
/// caller go away in the middle, it is closed.
struct Asked {
    seat: Seat,
    limit: Duration,
    place: Arc<str>,
}

impl Asked {
    fn conn(&mut self) -> &mut PgConnection {
        &mut self.seat.conn
    }
}

impl Session {
    fn ask(&mut self) -> Result<Asked, StoreError> {
        let place = Arc::clone(self.pool.place());
        match self.seat.take() {
            Some(seat) => Ok(Asked { seat, limit: self.limit, place }),
            None => Err(StoreError::Unreachable {
                place: place.to_string(),
                cause: "the connection was given up after a failure".to_owned(),
            }),
        }
    }

    /// Runs what has no values and belongs to the session itself.
    async fn say(&mut self, sql: &str) -> Result<(), StoreError> {
        let mut asked = self.ask()?;
        let answer = sqlx::raw_sql(AssertSqlSafe(sql)).execute(asked.conn());
        let answer = timeout(self.limit, answer).await;
        self.keep(asked, answer).map(drop)
    }

    /// Takes the connection back when the answer is good.
    fn keep<T>(
        &mut self,
        asked: Asked,
        answer: Result<Result<T, sqlx::Error>, Elapsed>,
    ) -> Result<T, StoreError> {
        let error = match answer {
            Ok(Ok(answer)) => {
                self.seat = Some(asked.seat);
                return Ok(answer);
            }
            Ok(Err(error)) => fault(&asked.place, &error),
            Err(_) => StoreError::Unreachable {
                place: asked.place.to_string(),
                cause: format!("no answer for {} seconds", asked.limit.as_secs()),
            },
        };
        if matches!(error, StoreError::Unreachable { .. }) {
            self.pool.doubt();
        }
        Err(error)
    }
}

#[async_trait]
impl Link for Session {
    async fn execute(&mut self, sql: &str, args: &[Arg<'_>], reuse: bool) -> Result<u64, StoreError> {
        let mut asked = self.ask()?;
        let answer = timeout(asked.limit, bound(sql, args, reuse).execute(asked.conn())).await;
        Ok(self.keep(asked, answer)?.rows_affected())
    }

    async fn fetch(&mut self, sql: &str, args: &[Arg<'_>], reuse: bool) -> Result<Vec<Row>, StoreError> {
        let mut asked = self.ask()?;
        let answer = timeout(asked.limit, bound(sql, args, reuse).fetch_all(asked.conn())).await;
        let rows = self.keep(asked, answer)?;
        rows.iter().map(row).collect::<Result<_, _>>().map_err(|error| fault(self.pool.place(), &error))
    }

    async fn execute_many(
        &mut self,
        many: &Many,
        shared: &[Arg<'_>],
        rows: &[Vec<Arg<'_>>],
    ) -> Result<u64, StoreError> {
        many.execute(self, shared, rows).await
    }

    async fn fetch_many(
        &mut self,
        many: &Many,
        shared: &[Arg<'_>],
        keys: &[&str],
    ) -> Result<Vec<Row>, StoreError> {
        many.fetch(self, shared, keys).await
    }

    async fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        let limit = std::mem::replace(&mut self.limit, LONG);
        let answer = self.say(sql).await;
        self.limit = limit;
        answer
    }
}

#[async_trait]
impl Transaction for Session {
    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        match self.say("COMMIT").await {
            Ok(()) => {
                self.has_open_ends = false;
                Ok(())
            }
            // The server may have done it before it, or the cable, went away.
            Err(StoreError::Unreachable { place, cause } | StoreError::Disk { place, cause }) => {
                Err(StoreError::Lost { place, cause })
            }
            Err(error) => Err(error),
        }
    }

    async fn rollback(mut self: Box<Self>) {
        if self.say("ROLLBACK").await.is_ok() {
            self.has_open_ends = false;
        }
    }
}

type Query<'q> = sqlx::query::Query<'q, Postgres, <Postgres as sqlx::Database>::Arguments>;

fn bound<'q>(sql: &str, args: &[Arg<'_>], reuse: bool) -> Query<'q> {
    let query = sqlx::query(AssertSqlSafe(sql)).persistent(reuse);
    args.iter().fold(query, |query, arg| match *arg {
        Arg::Int(value) => query.bind(value),
        Arg::Text(value) => query.bind(value.map(kept)),
        Arg::Bytes(value) => query.bind(value),
    })
}

fn row(row: &PgRow) -> Result<Row, sqlx::Error> {
    let cell = |index| {
        let value = row.try_get_raw(index)?;
        if value.is_null() {
            return Ok(Cell::Null);
        }
        let kind = value.type_info().name().to_owned();
        let cell = match kind.as_str() {
            "TEXT" => <&str as Decode<Postgres>>::decode(value).map(|text| Cell::Text(told(text))),
            "BYTEA" => <Vec<u8> as Decode<Postgres>>::decode(value).map(Cell::Bytes),
            "INT8" => <i64 as Decode<Postgres>>::decode(value).map(Cell::Int),
            _ => Err(format!("a column of type {kind}").into()),
        };
        cell.map_err(|source| sqlx::Error::ColumnDecode { index: format!("{index}"), source })
    };
    Ok(Row::new((0..row.len()).map(cell).collect::<Result<_, sqlx::Error>>()?))
}

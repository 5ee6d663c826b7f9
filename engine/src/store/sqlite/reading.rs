//! Connections that read: so many at a time, kept for the next who reads.

use std::sync::{Arc, MutexGuard, PoisonError};

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::super::StoreError;
use super::super::link::{Arg, Link, Many, Row};
use super::connection::{Options, execute, execute_each, fetch, fetch_each};
use super::fault::{again, fault};

/// Connections that read at the same time.
const READERS: usize = 4;

/// All of them.
#[derive(Clone, Debug)]
pub(super) struct Readers {
    turns: Arc<Semaphore>,
    idle: Arc<std::sync::Mutex<Vec<Connection>>>,
}

impl Default for Readers {
    fn default() -> Self {
        Self { turns: Arc::new(Semaphore::new(READERS)), idle: Arc::default() }
    }
}

impl Readers {
    /// A connection, once one is free.
    pub(super) async fn take(&self, options: &Options, place: &Arc<str>) -> Result<Reading, StoreError> {
        let busy = || StoreError::Busy {
            place: place.to_string(),
            cause: "every connection that reads is in use".to_owned(),
        };
        let turn = tokio::time::timeout(options.patience, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| busy())?.map_err(|_| busy())?;
        let idle = self.idle().pop();
        let conn = match idle {
            Some(conn) => conn,
            None => options.reader().map_err(|error| again(fault(place, &error)))?,
        };
        Ok(Reading { conn: Some(conn), readers: self.clone(), place: Arc::clone(place), _turn: turn })
    }

    /// Closes those that nobody uses.
    pub(super) fn close(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection for reading. The next who reads gets it, unless something failed on it.
pub(super) struct Reading {
    conn: Option<Connection>,
    readers: Readers,
    place: Arc<str>,
    _turn: OwnedSemaphorePermit,
}

impl Reading {
    fn ask<T>(&mut self, ask: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let conn = self.conn.take().ok_or_else(|| StoreError::Refused {
            place: self.place.to_string(),
            cause: "something failed on this connection before".to_owned(),
        })?;
        let done = ask(&conn).map_err(|error| fault(&self.place, &error))?;
        self.conn = Some(conn);
        Ok(done)
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.readers.idle().extend(self.conn.take());
    }
}

#[async_trait]
impl Link for Reading {
    async fn execute(&mut self, sql: &str, args: &[Arg<'_>], reuse: bool) -> Result<u64, StoreError> {
        self.ask(|conn| execute(conn, sql, args, reuse))
    }

    async fn fetch(&mut self, sql: &str, args: &[Arg<'_>], reuse: bool) -> Result<Vec<Row>, StoreError> {
        self.ask(|conn| fetch(conn, sql, args, reuse))
    }

    async fn execute_many(
        &mut self,
        many: &Many,
        shared: &[Arg<'_>],
        rows: &[Vec<Arg<'_>>],
    ) -> Result<u64, StoreError> {
        self.ask(|conn| execute_each(conn, many.for_one(), shared, rows))
    }

    async fn fetch_many(
        &mut self,
        many: &Many,
        shared: &[Arg<'_>],
        keys: &[&str],
    ) -> Result<Vec<Row>, StoreError> {
        self.ask(|conn| fetch_each(conn, many.for_one(), shared, keys))
    }

    async fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.ask(|conn| conn.execute_batch(sql))
    }
}

//! The connection that writes, in a transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use rusqlite::Connection;
use tokio::sync::OwnedMutexGuard;

use super::super::StoreError;
use super::super::link::{Arg, Link, Many, Row, Transaction};
use super::connection::{apart, execute, execute_each, fetch, fetch_each};
use super::fault::fault;

/// A transaction on the writer, which goes back to its slot only when all went well.
pub(super) struct Writing {
    pub(super) slot: OwnedMutexGuard<Option<Connection>>,
    pub(super) conn: Connection,
    pub(super) place: Arc<str>,
    pub(super) is_tight: Arc<AtomicBool>,
}

impl Writing {
    fn told<T>(&self, done: rusqlite::Result<T>) -> Result<T, StoreError> {
        done.map_err(|error| {
            let fault = fault(&self.place, &error);
            if matches!(fault, StoreError::Full { .. }) {
                self.is_tight.store(true, Ordering::Relaxed);
            }
            fault
        })
    }

    /// Ends it, and gives the connection back.
    fn end(self, sql: &str) -> Result<(), StoreError> {
        self.told(self.conn.execute_batch(sql))?;
        let Self { mut slot, conn, .. } = self;
        *slot = Some(conn);
        Ok(())
    }
}

#[async_trait]
impl Transaction for Writing {
    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        // Where it waits for the disk.
        let place = Arc::clone(&self.place);
        match apart(&place, move || self.end("COMMIT")).await {
            // The log may hold the whole transaction although the disk did not say so.
            Err(StoreError::Disk { place, cause }) => Err(StoreError::Lost { place, cause }),
            ended => ended,
        }
    }

    async fn rollback(self: Box<Self>) {
        // What cannot be rolled back goes with its connection.
        let _ = self.end("ROLLBACK");
    }
}

#[async_trait]
impl Link for Writing {
    async fn execute(&mut self, sql: &str, args: &[Arg<'_>], reuse: bool) -> Result<u64, StoreError> {
        self.told(execute(&self.conn, sql, args, reuse))
    }

    async fn fetch(&mut self, sql: &str, args: &[Arg<'_>], reuse: bool) -> Result<Vec<Row>, StoreError> {
        self.told(fetch(&self.conn, sql, args, reuse))
    }

    async fn execute_many(
        &mut self,
        many: &Many,
        shared: &[Arg<'_>],
        rows: &[Vec<Arg<'_>>],
    ) -> Result<u64, StoreError> {
        self.told(execute_each(&self.conn, many.for_one(), shared, rows))
    }

    async fn fetch_many(
        &mut self,
        many: &Many,
        shared: &[Arg<'_>],
        keys: &[&str],
    ) -> Result<Vec<Row>, StoreError> {
        self.told(fetch_each(&self.conn, many.for_one(), shared, keys))
    }

    async fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        self.told(self.conn.execute_batch(sql))
    }
}

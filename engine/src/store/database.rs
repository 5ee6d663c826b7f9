//! The store over any database that has a driver: transactions around the statements.

use std::time::Duration;

use async_trait::async_trait;

use super::answers::{Found, HistoryRow, Intent, Run};
use super::dead::{self, Drop};
use super::lease;
use super::link::{Driver, Transaction, Words};
use super::migrate::{self, Migration};
use super::person::{self, Forget, Receipt};
use super::records;
use super::retention::{self, Pruned};
use super::types::{Claim, Cursor, Fingerprint, Lease, Millis};
use super::vault::{self, Keep, Keeping, Kept, Reseal, Resealed};
use super::{
    Addressee, Arrival, Store, StoreError, Told, Unanswered, Undone, alerts, editions, inbox, page, restored,
    tally,
};

/// A store over one database.
#[derive(Debug)]
pub(super) struct Database<D> {
    pub(super) driver: D,
    pub(super) words: Words,
}

impl<D: Driver> Database<D> {
    /// The store of this driver, on the database's own clock.
    pub(super) fn new(driver: D) -> Self {
        let dialect = driver.dialect();
        Self { driver, words: Words::new(&dialect) }
    }

    /// Brings the schema up to these steps.
    pub(super) async fn migrate(&self, place: &str, steps: &[Migration]) -> Result<(), StoreError> {
        migrate::run(&self.driver, &self.words, place, steps).await
    }

    /// The same on a clock that the caller sets.
    #[cfg(test)]
    pub(super) fn with_clock(mut self, clock: std::sync::Arc<std::sync::atomic::AtomicI64>) -> Self {
        self.words = self.words.with_clock(clock);
        self
    }

    /// The driver, for tests that know it.
    #[cfg(test)]
    pub(super) fn driver(&self) -> &D {
        &self.driver
    }

    /// The driver, for tests that change it.
    #[cfg(test)]
    pub(super) fn driver_mut(&mut self) -> &mut D {
        &mut self.driver
    }
}

/// Ends the transaction: well, or as if it had never been.
pub(super) async fn end<T>(tx: Box<dyn Transaction>, done: Result<T, StoreError>) -> Result<T, StoreError> {
    match done {
        Ok(value) => tx.commit().await.map(|()| value),
        Err(error) => {
            tx.rollback().await;
            Err(error)
        }
    }
}

#[async_trait]
impl<D: Driver> Store for Database<D> {
    async fn ping(&self) -> Result<(), StoreError> {
        self.driver.ping().await
    }

    async fn acquire(
        &self,
        flow: &str,
        holder: &str,
        ttl: Duration,
        dead: &(dyn for<'a> Fn(&'a str) -> bool + Send + Sync),
    ) -> Result<Claim, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = lease::acquire(&mut *tx, &self.words, flow, holder, ttl, dead).await;
        end(tx, done).await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = lease::renew(&mut *tx, &self.words, lease, ttl).await;
        end(tx, done).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = lease::release(&mut *tx, lease).await;
        end(tx, done).await
    }

    async fn leases(&self) -> Result<Vec<Lease>, StoreError> {
        lease::all(&mut *self.driver.read().await?).await
    }

    async fn run(&self, id: &str) -> Result<Option<Run>, StoreError> {
        lease::run(&mut *self.driver.read().await?, id).await
    }

    async fn runs(&self, flow: Option<&str>, limit: u32) -> Result<Vec<Run>, StoreError> {
        lease::runs(&mut *self.driver.read().await?, flow, limit).await
    }

    async fn set_cursor(&self, lease: &Lease, cursor: &Cursor) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = page::set_cursor(&mut *tx, &self.words, lease, cursor).await;
        end(tx, done).await
    }

    async fn open_intents(&self, flow: &str) -> Result<Vec<Intent>, StoreError> {
        page::open_intents(&mut *self.driver.read().await?, flow).await
    }

    async fn find_records(&self, text: &str, limit: u32) -> Result<Vec<Found>, StoreError> {
        records::find(&mut *self.driver.read().await?, text, limit).await
    }

    async fn records_of_run(&self, run: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        editions::of_run(&mut *self.driver.read().await?, run, limit).await
    }

    async fn edition(&self, flow: &str, print: Fingerprint) -> Result<Option<Vec<u8>>, StoreError> {
        editions::text(&mut *self.driver.read().await?, flow, print).await
    }

    async fn record_history(
        &self,
        flow: &str,
        source_key: &str,
        limit: u32,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        records::history(&mut *self.driver.read().await?, flow, source_key, limit).await
    }

    async fn resolve(&self, flow: &str, source_key: &str) -> Result<bool, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = records::resolve(&mut *tx, &self.words, flow, source_key).await;
        end(tx, done).await
    }

    async fn edit_dead(
        &self,
        flow: &str,
        source_key: &str,
        payload: Option<&[u8]>,
        by: &str,
    ) -> Result<bool, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = dead::edit(&mut *tx, &self.words, [flow, source_key], payload, by).await;
        end(tx, done).await
    }

    async fn drop_dead(&self, drop: &Drop<'_>) -> Result<u64, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = dead::drop_letters(&mut *tx, &self.words, drop).await;
        end(tx, done).await
    }

    async fn forget(&self, forget: &Forget<'_>) -> Result<Receipt, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = person::forget(&mut *tx, &self.words, forget).await;
        end(tx, done).await
    }

    async fn receipts(&self) -> Result<Vec<Receipt>, StoreError> {
        person::receipts(&mut *self.driver.read().await?).await
    }

    async fn mentions(&self, text: &str) -> Result<Vec<(String, String)>, StoreError> {
        if !person::is_address(text) {
            return Ok(Vec::new());
        }
        let mut found = person::in_reasons(&mut *self.driver.read().await?, text).await?;
        let mut search = person::Search::default();
        // A connection for some rows at a time: a long look would hold up the log's upkeep.
        while let Some(more) = person::mentions(&mut *self.driver.read().await?, text, &mut search).await? {
            found.extend(more);
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    async fn search_keys(&self, flow: &str, source_key: &str) -> Result<Vec<String>, StoreError> {
        person::search_keys(&mut *self.driver.read().await?, flow, source_key).await
    }

    async fn scrub(&self) -> Result<(), StoreError> {
        self.driver.scrub().await
    }

    async fn prune(&self, flow: &str, before: Millis) -> Result<u64, StoreError> {
        Ok(self.prune_some(flow, before, u64::MAX).await?.rows)
    }

    async fn prune_some(&self, flow: &str, before: Millis, rows: u64) -> Result<Pruned, StoreError> {
        let mut removed = 0;
        loop {
            let mut tx = self.driver.begin().await?;
            let done = retention::step(&mut *tx, &self.words, flow, before).await;
            let step = end(tx, done).await?;
            removed += step.rows;
            if !step.more || removed >= rows {
                return Ok(Pruned { rows: removed, more: step.more });
            }
        }
    }

    async fn key_mark(&self) -> Result<Option<Vec<u8>>, StoreError> {
        vault::mark(&mut *self.driver.read().await?).await
    }

    async fn keep(&self, secret: &Keep<'_>) -> Result<Keeping, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = vault::keep(&mut *tx, &self.words, secret).await;
        end(tx, done).await
    }

    async fn kept(&self, connection: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        vault::kept(&mut *self.driver.read().await?, connection, name).await
    }

    async fn all_kept(&self) -> Result<Vec<Kept>, StoreError> {
        vault::all(&mut *self.driver.read().await?).await
    }

    async fn drop_kept(&self, connection: &str, name: &str) -> Result<bool, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = vault::remove(&mut *tx, connection, name).await;
        end(tx, done).await
    }

    async fn reset_kept(&self) -> Result<u64, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = vault::reset(&mut *tx).await;
        end(tx, done).await
    }

    async fn reseal(&self, old: &[u8], new: &[u8], each: &Reseal<'_>) -> Result<Resealed, StoreError> {
        let mut tx = self.driver.begin().await?;
        match vault::reseal(&mut *tx, &self.words, old, new, each).await {
            // What could not be finished leaves nothing behind.
            Ok(refused @ (Resealed::OtherKey | Resealed::Unreadable { .. })) => {
                tx.rollback().await;
                Ok(refused)
            }
            done => end(tx, done).await,
        }
    }

    async fn take_guard(
        &self,
        name: &str,
        ticket: &str,
        holder: &str,
        ttl: Duration,
        dead: &(dyn for<'a> Fn(&'a str) -> bool + Send + Sync),
    ) -> Result<bool, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = vault::take_guard(&mut *tx, &self.words, [name, ticket, holder], ttl, dead).await;
        end(tx, done).await
    }

    async fn extend_guard(&self, name: &str, ticket: &str, ttl: Duration) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = vault::extend_guard(&mut *tx, &self.words, name, ticket, ttl).await;
        end(tx, done).await
    }

    async fn end_guard(&self, name: &str, ticket: &str) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = vault::end_guard(&mut *tx, name, ticket).await;
        end(tx, done).await
    }

    async fn arrive(&self, arrival: &Arrival, flows: &[Addressee<'_>]) -> Result<u64, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = inbox::arrive(&mut *tx, &self.words, arrival, flows).await;
        end(tx, done).await
    }

    async fn unanswered(&self) -> Result<Vec<Unanswered>, StoreError> {
        inbox::unanswered(&mut *self.driver.read().await?).await
    }

    async fn prune_arrivals(&self, answered: Duration, never: Duration) -> Result<u64, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = inbox::prune(&mut *tx, &self.words, answered, never).await;
        end(tx, done).await
    }

    async fn hook(&self, connection: &str) -> Result<Option<Vec<u8>>, StoreError> {
        inbox::hook(&mut *self.driver.read().await?, connection).await
    }

    async fn set_hook(&self, connection: &str, token: Option<&[u8]>) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = inbox::set_hook(&mut *tx, &self.words, connection, token).await;
        end(tx, done).await
    }

    async fn undone(&self) -> Result<Vec<Undone>, StoreError> {
        tally::undone(&mut *self.driver.read().await?).await
    }

    async fn last_success(&self, flow: &str) -> Result<Option<Millis>, StoreError> {
        tally::last_success(&mut *self.driver.read().await?, flow).await
    }

    async fn mark_restored(&self) -> Result<i64, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = restored::mark(&mut *tx, &self.words).await;
        end(tx, done).await
    }

    async fn alerts(&self) -> Result<Vec<Told>, StoreError> {
        alerts::told(&mut *self.driver.read().await?).await
    }

    async fn tell_alert(&self, before: Option<&Told>, after: Option<&Told>) -> Result<bool, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = alerts::tell(&mut *tx, before, after).await;
        end(tx, done).await
    }

    async fn upkeep(&self) -> Result<(), StoreError> {
        self.driver.upkeep().await
    }

    async fn verify(&self) -> Result<Vec<String>, StoreError> {
        self.driver.verify().await
    }

    async fn close(&self) {
        self.driver.close().await;
    }
}

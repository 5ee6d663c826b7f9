//! The store over any database that has a driver: transactions around the statements.

use std::time::Duration;

use async_trait::async_trait;

use super::answers::{DeadLetter, DeadQuery, Found, HistoryRow, Intent, Known, Run};
use super::lease;
use super::link::{Driver, Transaction, Words};
use super::migrate::{self, Migration};
use super::records::{self, Pruned};
use super::types::{Claim, Cursor, Journal, JournalKeys, Lease, Millis, NewRun, Page, RunState};
use super::{
    Addressee, Arrival, Arrived, Store, StoreError, Told, Unanswered, Undone, alerts, inbox, journal, page,
    restored, tally,
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
    async fn now(&self) -> Result<Millis, StoreError> {
        lease::now(&mut *self.driver.read().await?, &self.words).await
    }

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

    async fn start_run(&self, lease: &Lease, run: &NewRun) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = lease::start_run(&mut *tx, &self.words, lease, run).await;
        end(tx, done).await
    }

    async fn end_run(
        &self,
        lease: &Lease,
        run: &str,
        state: RunState,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = lease::end_run(&mut *tx, &self.words, lease, run, state, error).await;
        end(tx, done).await?;
        if let Err(error) = self.driver.upkeep().await {
            tracing::debug!(%error, "upkeep put off");
        }
        Ok(())
    }

    async fn run(&self, id: &str) -> Result<Option<Run>, StoreError> {
        lease::run(&mut *self.driver.read().await?, id).await
    }

    async fn runs(&self, flow: Option<&str>, limit: u32) -> Result<Vec<Run>, StoreError> {
        lease::runs(&mut *self.driver.read().await?, flow, limit).await
    }

    async fn cursor(&self, flow: &str) -> Result<Option<Cursor>, StoreError> {
        page::cursor(&mut *self.driver.read().await?, flow).await
    }

    async fn set_cursor(&self, lease: &Lease, cursor: &Cursor) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = page::set_cursor(&mut *tx, &self.words, lease, cursor).await;
        end(tx, done).await
    }

    async fn known(&self, flow: &str, keys: &[&str]) -> Result<Vec<Known>, StoreError> {
        page::known(&mut *self.driver.read().await?, flow, keys).await
    }

    async fn open_intents(&self, flow: &str) -> Result<Vec<Intent>, StoreError> {
        page::open_intents(&mut *self.driver.read().await?, flow).await
    }

    async fn begin_page(&self, lease: &Lease, run: &str, keys: &[&str]) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = page::begin(&mut *tx, &self.words, lease, run, keys).await;
        end(tx, done).await
    }

    async fn settle_page(&self, lease: &Lease, page: &Page) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = page::settle(&mut *tx, &self.words, lease, page).await;
        end(tx, done).await?;
        self.driver.after_page().await;
        Ok(())
    }

    async fn journal(&self, flow: &str) -> Result<Option<Journal>, StoreError> {
        journal::journal(&mut *self.driver.read().await?, flow).await
    }

    async fn set_journal(&self, lease: &Lease, journal: &Journal) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = journal::set(&mut *tx, &self.words, lease, journal).await;
        end(tx, done).await
    }

    async fn journal_keys(&self, flow: &str, after: i64) -> Result<Vec<JournalKeys>, StoreError> {
        journal::keys(&mut *self.driver.read().await?, flow, after).await
    }

    async fn other_keys(&self, flow: &str, after: &str) -> Result<Vec<String>, StoreError> {
        journal::other_keys(&mut *self.driver.read().await?, flow, after).await
    }

    async fn find_records(&self, text: &str, limit: u32) -> Result<Vec<Found>, StoreError> {
        records::find(&mut *self.driver.read().await?, text, limit).await
    }

    async fn record_history(
        &self,
        flow: &str,
        source_key: &str,
        limit: u32,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        records::history(&mut *self.driver.read().await?, flow, source_key, limit).await
    }

    async fn dead_letters(&self, query: &DeadQuery) -> Result<Vec<DeadLetter>, StoreError> {
        records::dead_letters(&mut *self.driver.read().await?, query).await
    }

    async fn dead_letter(&self, flow: &str, source_key: &str) -> Result<Option<DeadLetter>, StoreError> {
        records::dead_letter(&mut *self.driver.read().await?, flow, source_key).await
    }

    async fn due(&self, flow: &str, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
        records::due(&mut *self.driver.read().await?, &self.words, flow, limit).await
    }

    async fn resolve(&self, flow: &str, source_key: &str) -> Result<bool, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = records::resolve(&mut *tx, &self.words, flow, source_key).await;
        end(tx, done).await
    }

    async fn forget(&self, flow: &str, source_key: &str) -> Result<u64, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = records::forget(&mut *tx, flow, source_key).await;
        end(tx, done).await
    }

    async fn prune(&self, flow: &str, before: Millis) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            let mut tx = self.driver.begin().await?;
            let done = records::prune(&mut *tx, &self.words, flow, before).await;
            match end(tx, done).await? {
                Pruned::Some(rows) => removed += rows,
                Pruned::All(rows) => return Ok(removed + rows),
            }
        }
    }

    async fn keep(&self, connection: &str, name: &str, sealed: &[u8]) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = records::keep(&mut *tx, &self.words, connection, name, sealed).await;
        end(tx, done).await
    }

    async fn kept(&self, connection: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        records::kept(&mut *self.driver.read().await?, connection, name).await
    }

    async fn drop_kept(&self, connection: &str) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = records::drop_kept(&mut *tx, connection).await;
        end(tx, done).await
    }

    async fn arrive(&self, arrival: &Arrival, flows: &[Addressee<'_>]) -> Result<u64, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = inbox::arrive(&mut *tx, &self.words, arrival, flows).await;
        end(tx, done).await
    }

    async fn take_arrivals(&self, lease: &Lease, run: &str) -> Result<Vec<Arrived>, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = inbox::take(&mut *tx, &self.words, lease, run).await;
        end(tx, done).await
    }

    async fn answer_arrivals(&self, lease: &Lease, run: &str) -> Result<u64, StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = inbox::answer(&mut *tx, &self.words, lease, run).await;
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

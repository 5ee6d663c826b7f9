//! What a run asks of the store: how far it has read, what is known of its records, and a place
//! for what came of them.
//!
//! A part of its own, so that a plan can have the same run on a store that only looks.

use async_trait::async_trait;

use super::answers::{DeadLetter, DeadQuery, Known};
use super::database::{Database, end};
use super::link::Driver;
use super::types::{
    Cursor, Fingerprint, Journal, JournalKeys, Lease, Millis, NewRun, Page, RunState, Written,
};
use super::{Arrived, StoreError, editions, inbox, journal, lease, page, records};

/// The part of the store that runs use.
#[async_trait]
pub trait Runs: Send + Sync {
    /// The database's clock.
    async fn now(&self) -> Result<Millis, StoreError>;

    /// Begins a run. Runs of the flow that a dead process left under way become `stopped`.
    async fn start_run(&self, lease: &Lease, run: &NewRun) -> Result<(), StoreError>;

    /// Keeps a flow as it is, under its fingerprint, unless it is kept already.
    async fn keep_edition(&self, flow: &str, print: Fingerprint, text: &[u8]) -> Result<(), StoreError>;

    /// Ends a run.
    async fn end_run(
        &self,
        lease: &Lease,
        run: &str,
        state: RunState,
        error: Option<&str>,
    ) -> Result<(), StoreError>;

    /// How far a flow has read; `None`: it never did.
    async fn cursor(&self, flow: &str) -> Result<Option<Cursor>, StoreError>;

    /// What is known of these records, in their order.
    async fn known(&self, flow: &str, keys: &[&str]) -> Result<Vec<Known>, StoreError>;

    /// Notes that the writes of these records are about to begin. Durable when it returns.
    async fn begin_page(&self, lease: &Lease, run: &str, keys: &[&str]) -> Result<(), StoreError>;

    /// Notes what writes are about to do, or have done, each with the key of its record. Durable
    /// when it returns.
    async fn note_writes(
        &self,
        lease: &Lease,
        run: &str,
        writes: &[(String, Written)],
    ) -> Result<(), StoreError>;

    /// Makes a page durable: outcomes, what was sent, log, dead letters, counts, cursor. May be
    /// called again with the same page when it failed.
    async fn settle_page(&self, lease: &Lease, page: &Page) -> Result<(), StoreError>;

    /// How far the target of a flow counts, where it adds pages to a journal or ever did.
    async fn journal(&self, flow: &str) -> Result<Option<Journal>, StoreError>;

    /// Moves that mark before a page is added. Durable when it returns.
    async fn set_journal(&self, lease: &Lease, journal: &Journal) -> Result<(), StoreError>;

    /// Keys of the records that came with pages, a few pages at a time, those after the page of
    /// that number; the first has 1.
    async fn journal_keys(&self, flow: &str, after: i64) -> Result<Vec<JournalKeys>, StoreError>;

    /// Source keys of records that have a line of their own, in the ledger or as an intent; some at
    /// a time, those after that one.
    async fn other_keys(&self, flow: &str, after: &str) -> Result<Vec<String>, StoreError>;

    /// Dead letters, latest first.
    async fn dead_letters(&self, query: &DeadQuery) -> Result<Vec<DeadLetter>, StoreError>;

    /// One dead letter, resolved or not.
    async fn dead_letter(&self, flow: &str, source_key: &str) -> Result<Option<DeadLetter>, StoreError>;

    /// Waiting records of a flow whose moment has come, the longest due first.
    async fn due(&self, flow: &str, limit: u32) -> Result<Vec<DeadLetter>, StoreError>;

    /// Everything that a flow was told and has not answered; this run takes it up.
    async fn take_arrivals(&self, lease: &Lease, run: &str) -> Result<Vec<Arrived>, StoreError>;

    /// The run has done what it took up; answers how many deliveries that were.
    async fn answer_arrivals(&self, lease: &Lease, run: &str) -> Result<u64, StoreError>;
}

#[async_trait]
impl<D: Driver> Runs for Database<D> {
    async fn now(&self) -> Result<Millis, StoreError> {
        lease::now(&mut *self.driver.read().await?, &self.words).await
    }

    async fn start_run(&self, lease: &Lease, run: &NewRun) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = lease::start_run(&mut *tx, &self.words, lease, run).await;
        end(tx, done).await
    }

    async fn keep_edition(&self, flow: &str, print: Fingerprint, text: &[u8]) -> Result<(), StoreError> {
        if editions::is_kept(&mut *self.driver.read().await?, flow, print).await? {
            return Ok(());
        }
        let mut tx = self.driver.begin().await?;
        let done = editions::keep(&mut *tx, &self.words, flow, print, text).await;
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

    async fn cursor(&self, flow: &str) -> Result<Option<Cursor>, StoreError> {
        page::cursor(&mut *self.driver.read().await?, flow).await
    }

    async fn known(&self, flow: &str, keys: &[&str]) -> Result<Vec<Known>, StoreError> {
        page::known(&mut *self.driver.read().await?, flow, keys).await
    }

    async fn begin_page(&self, lease: &Lease, run: &str, keys: &[&str]) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = page::begin(&mut *tx, &self.words, lease, run, keys).await;
        end(tx, done).await
    }

    async fn note_writes(
        &self,
        lease: &Lease,
        run: &str,
        writes: &[(String, Written)],
    ) -> Result<(), StoreError> {
        let mut tx = self.driver.begin().await?;
        let done = page::note_writes(&mut *tx, &self.words, lease, run, writes).await;
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

    async fn dead_letters(&self, query: &DeadQuery) -> Result<Vec<DeadLetter>, StoreError> {
        records::dead_letters(&mut *self.driver.read().await?, query).await
    }

    async fn dead_letter(&self, flow: &str, source_key: &str) -> Result<Option<DeadLetter>, StoreError> {
        records::dead_letter(&mut *self.driver.read().await?, flow, source_key).await
    }

    async fn due(&self, flow: &str, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
        records::due(&mut *self.driver.read().await?, &self.words, flow, limit).await
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
}

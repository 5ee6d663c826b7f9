//! What must survive: who runs which flow, how far it has read, what was sent for each record,
//! what happened, what failed.
//!
//! One narrow trait, [`Store`]; behind it one SQL text for every database. Whoever runs a flow
//! holds its [`Lease`], and every commit shows it: a process that was paused past its lease, and
//! whose flow went to another, commits nothing any more. A page of records is settled whole or
//! not at all.
//!
//! Invariant: of a record whose writes may have reached the target, the store has either the
//! outcome or an open intent. [`Runs::begin_page`] comes before the first request, and
//! [`Runs::settle_page`] takes the intents away in the transaction that brings the outcomes.

mod alerts;
mod answers;
mod compact;
mod database;
mod dead;
mod editions;
mod error;
mod holder;
mod inbox;
mod journal;
mod lease;
mod link;
mod migrate;
mod page;
mod person;
mod place;
mod postgres;
mod records;
mod restored;
mod retention;
mod runs;
mod sql;
mod sqlite;
mod tally;
mod turns;
mod types;
mod vault;
mod wait;

#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use alerts::Told;
pub use answers::{DeadLetter, DeadQuery, Dropped, Edit, Found, HistoryRow, Intent, Known, LedgerRow, Run};
pub use dead::Drop;
pub use error::StoreError;
pub use holder::{holder_in_words, is_dead, this_process};
pub use inbox::{Addressee, Arrival, Arrived, Unanswered};
pub use lease::right_to_create;
pub use person::{Forget, Receipt, Removed};
pub use place::Place;
pub use postgres::Address;
pub use records::masked_key;
pub use retention::Pruned;
pub use runs::Runs;
pub use sqlite::{Restored, backup, restore};
pub use tally::Undone;
pub use turns::{ConnectionState, Daemon, Turn, Turns};
pub use types::{
    Activity, Added, Claim, Counts, Cursor, Fingerprint, Journal, JournalKeys, Lease, Millis, NewRun,
    Outcome, OutcomeWord, Page, RunState, Settled, Written,
};
pub use vault::{Keep, Keeping, Kept, Reseal, Resealed};

pub use wait::{open_and_wait, wait};

/// Opens the store in this file, made if it is not there yet and brought up to the schema of
/// this program. Its folder must exist.
pub async fn open(file: &Path) -> Result<Arc<dyn Store>, StoreError> {
    Ok(Arc::new(sqlite::open(file, migrate::MIGRATIONS).await?))
}

/// Opens the store in this place; a file as [`open`] does, a database brought up to the schema of
/// this program. A server that does not answer is waited for some seconds.
pub async fn open_at(place: &Place) -> Result<Arc<dyn Store>, StoreError> {
    match place {
        Place::File(path) => open(path).await,
        Place::Server(address) => Ok(Arc::new(postgres::open(address, migrate::MIGRATIONS).await?)),
    }
}

/// The same on a clock that a test moves.
#[cfg(test)]
pub(crate) async fn open_on(file: &Path, clock: Arc<std::sync::atomic::AtomicI64>) -> Arc<dyn Store> {
    let store = sqlite::open(file, migrate::MIGRATIONS).await.expect("a store");
    Arc::new(store.with_clock(clock))
}

/// The durable state of all flows.
///
/// A call that is dropped before it answers has done all of its work or nothing of it; only
/// `prune` works in steps. All moments are on the database's clock.
#[async_trait]
pub trait Store: Turns + Runs {
    /// Proves that the store can be read and written: commits next to nothing. After the disk
    /// was full it also asks whether there is room for some pages.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Claims a flow for `ttl`. A lease that has run out is taken over, and so is one whose
    /// holder `dead` knows to be gone, such as [`is_dead`].
    async fn acquire(
        &self,
        flow: &str,
        holder: &str,
        ttl: Duration,
        dead: &(dyn for<'a> Fn(&'a str) -> bool + Send + Sync),
    ) -> Result<Claim, StoreError>;

    /// Holds a flow for `ttl` from now. [`StoreError::Fenced`]: it went to another.
    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease, StoreError>;

    /// Gives a flow back. One that went to another stays with that other.
    async fn release(&self, lease: &Lease) -> Result<(), StoreError>;

    /// Every lease that was not given back, including those that have run out.
    async fn leases(&self) -> Result<Vec<Lease>, StoreError>;

    /// One run.
    async fn run(&self, id: &str) -> Result<Option<Run>, StoreError>;

    /// The latest runs, of one flow or of all, latest first.
    async fn runs(&self, flow: Option<&str>, limit: u32) -> Result<Vec<Run>, StoreError>;

    /// Moves the cursor without settling anything: to read again, or to leave out.
    async fn set_cursor(&self, lease: &Lease, cursor: &Cursor) -> Result<(), StoreError>;

    /// Every record of a flow whose writes may be under way or were when a process died.
    async fn open_intents(&self, flow: &str) -> Result<Vec<Intent>, StoreError>;

    /// Records by business key or source key, whatever the case and the blanks around.
    async fn find_records(&self, text: &str, limit: u32) -> Result<Vec<Found>, StoreError>;

    /// Keys of the records of which a run has left a line in the log.
    async fn records_of_run(&self, run: &str, limit: u32) -> Result<Vec<String>, StoreError>;

    /// A flow as it was: what [`Runs::keep_edition`] kept under that fingerprint.
    async fn edition(&self, flow: &str, print: Fingerprint) -> Result<Option<Vec<u8>>, StoreError>;

    /// The log of a record, latest first.
    async fn record_history(
        &self,
        flow: &str,
        source_key: &str,
        limit: u32,
    ) -> Result<Vec<HistoryRow>, StoreError>;

    /// Closes a dead letter by a person's word; answers whether there was an open one.
    async fn resolve(&self, flow: &str, source_key: &str) -> Result<bool, StoreError>;

    /// Keeps what a person wants tried beside what was read, or forgets it; answers whether there
    /// was an open dead letter, or an edit to forget.
    async fn edit_dead(
        &self,
        flow: &str,
        source_key: &str,
        payload: Option<&[u8]>,
        by: &str,
    ) -> Result<bool, StoreError>;

    /// Closes dead letters for good: such a record is left out until it changes. Answers how many
    /// were open.
    async fn drop_dead(&self, drop: &Drop<'_>) -> Result<u64, StoreError>;

    /// Forgets a person: everything that was read, sent and answered, reasons, dead letters and
    /// search keys of these records, whole or not at all. That the records were handled stays,
    /// under fingerprints of their keys. Copies of the store keep what they have; so do free
    /// pages of a file, until [`Store::scrub`].
    async fn forget(&self, forget: &Forget<'_>) -> Result<Receipt, StoreError>;

    /// Receipts of all who were forgotten, the latest first.
    async fn receipts(&self) -> Result<Vec<Receipt>, StoreError>;

    /// Flows and keys of records that name an address anywhere in the log, in reasons or in dead
    /// letters; of any other text none. Reads the whole log.
    async fn mentions(&self, text: &str) -> Result<Vec<(String, String)>, StoreError>;

    /// What a record is searched by.
    async fn search_keys(&self, flow: &str, source_key: &str) -> Result<Vec<String>, StoreError>;

    /// Sees to it that nothing of what was removed is left in free places of the file or in the
    /// log beside it. Others wait meanwhile.
    async fn scrub(&self) -> Result<(), StoreError>;

    /// Removes the log of runs that ended before this moment, such runs themselves when they
    /// read nothing, what the search index and skipped records say of people of whom the log
    /// says nothing more, and dead letters resolved before it; answers how many rows that were.
    /// Short transactions; runs go on meanwhile.
    async fn prune(&self, flow: &str, before: Millis) -> Result<u64, StoreError>;

    /// The same, and no more once that many rows are gone: the next call goes on from there.
    async fn prune_some(&self, flow: &str, before: Millis, rows: u64) -> Result<Pruned, StoreError>;

    /// The mark of the key that secrets are sealed with; `None`: there are none yet.
    async fn key_mark(&self) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps a sealed secret, durably when it returns.
    async fn keep(&self, secret: &Keep<'_>) -> Result<Keeping, StoreError>;

    /// A sealed secret.
    async fn kept(&self, connection: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// All sealed secrets, by connection and name.
    async fn all_kept(&self) -> Result<Vec<Kept>, StoreError>;

    /// Removes a sealed secret; answers whether it was there.
    async fn drop_kept(&self, connection: &str, name: &str) -> Result<bool, StoreError>;

    /// Removes all sealed secrets and the mark of their key; answers how many rows that were.
    async fn reset_kept(&self) -> Result<u64, StoreError>;

    /// Seals everything anew under another mark, all or nothing.
    async fn reseal(&self, old: &[u8], new: &[u8], each: &Reseal<'_>) -> Result<Resealed, StoreError>;

    /// Takes the guard of that name for `ttl`, unless a living process has it; one that has run
    /// out, or whose holder `dead` knows to be gone, is free. `ticket` is unlike any other.
    async fn take_guard(
        &self,
        name: &str,
        ticket: &str,
        holder: &str,
        ttl: Duration,
        dead: &(dyn for<'a> Fn(&'a str) -> bool + Send + Sync),
    ) -> Result<bool, StoreError>;

    /// Has a guard end `ttl` from now.
    async fn extend_guard(&self, name: &str, ticket: &str, ttl: Duration) -> Result<(), StoreError>;

    /// Gives a guard back. One that went to another stays with that other.
    async fn end_guard(&self, name: &str, ticket: &str) -> Result<(), StoreError>;

    /// Keeps what a system told by a webhook, for these flows; answers for how many of them it is
    /// new. Durable when it returns.
    async fn arrive(&self, arrival: &Arrival, flows: &[Addressee<'_>]) -> Result<u64, StoreError>;

    /// Flows that were told something and have not answered it.
    async fn unanswered(&self) -> Result<Vec<Unanswered>, StoreError>;

    /// Removes deliveries that were answered that long ago, and those that came that long ago and
    /// never were; answers how many.
    async fn prune_arrivals(&self, answered: Duration, never: Duration) -> Result<u64, StoreError>;

    /// Digest of what is secret of the address that a connection's system delivers to.
    async fn hook(&self, connection: &str) -> Result<Option<Vec<u8>>, StoreError>;

    /// Keeps that digest, or removes it.
    async fn set_hook(&self, connection: &str, token: Option<&[u8]>) -> Result<(), StoreError>;

    /// What every flow has left undone; flows that have left nothing are not named.
    async fn undone(&self) -> Result<Vec<Undone>, StoreError>;

    /// When a run of a flow last came to its end.
    async fn last_success(&self, flow: &str) -> Result<Option<Millis>, StoreError>;
    /// Notes that this store was put back: until a flow has read its source to the end once, records
    /// of which nothing is known are taken for records that may have been created. Answers for how
    /// many flows.
    async fn mark_restored(&self) -> Result<i64, StoreError>;

    /// What people have been told by alerts and still holds.
    async fn alerts(&self) -> Result<Vec<Told>, StoreError>;

    /// Puts `after` in the place of `before`; answers whether `before` was still what is kept. Of
    /// several daemons one does it, and tells people.
    async fn tell_alert(&self, before: Option<&Told>, after: Option<&Told>) -> Result<bool, StoreError>;

    /// Gives free space back to the disk; waits for nobody. Worth calling after `prune`; the
    /// end of a run does it too.
    async fn upkeep(&self) -> Result<(), StoreError>;

    /// Reads the whole store; answers what is damaged, one line each.
    async fn verify(&self) -> Result<Vec<String>, StoreError>;

    /// Closes all connections; nothing works afterwards.
    async fn close(&self);
}

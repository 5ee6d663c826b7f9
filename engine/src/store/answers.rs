//! What comes out of the store: plain data.

use super::types::{Counts, Fingerprint, Millis, OutcomeWord, RunState, Written};

/// A record's line in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// The record as it was last read.
    pub source_print: Fingerprint,
    /// The plan that handled it.
    pub plan: Fingerprint,
    /// How it ended.
    pub outcome: OutcomeWord,
    /// Why.
    pub reason: Option<String>,
    /// Times in a row that it failed or had to wait.
    pub attempts: i64,
    /// Run that handled it.
    pub run: String,
    /// When.
    pub updated_at: Millis,
}

/// A record whose writes may have been under way when its process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Key of the record in the source.
    pub source_key: String,
    /// Claim under which it was begun.
    pub epoch: i64,
    /// Run that began it.
    pub run: String,
    /// When.
    pub begun_at: Millis,
}

/// All that the store knows of a record before it is handled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// How it ended the last time.
    pub ledger: Option<LedgerRow>,
    /// What was last sent for it, by write and item.
    pub written: Vec<Written>,
    /// Present: look in the target before creating anything.
    pub intent: Option<Intent>,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// Its name.
    pub id: String,
    /// The flow.
    pub flow: String,
    /// Claim under which it ran.
    pub epoch: i64,
    /// What started it.
    pub cause: String,
    /// The plan it ran.
    pub plan: Fingerprint,
    /// How it fares.
    pub state: RunState,
    /// When it started.
    pub started_at: Millis,
    /// When it ended.
    pub ended_at: Option<Millis>,
    /// Why it failed or was stopped.
    pub error: Option<String>,
    /// Pages settled.
    pub pages: i64,
    /// Records by how they ended.
    pub counts: Counts,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// The run.
    pub run: String,
    /// How the record ended.
    pub outcome: OutcomeWord,
    /// Why.
    pub reason: Option<String>,
    /// The record as it was read.
    pub payload: Option<Vec<u8>>,
    /// Decisions, requests and answers, as JSON.
    pub detail: Option<Vec<u8>>,
    /// When its page was settled.
    pub at: Millis,
}

/// A record that a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The flow.
    pub flow: String,
    /// Key of the record in the source.
    pub source_key: String,
    /// Its line in the ledger, while there is one.
    pub ledger: Option<LedgerRow>,
}

/// Which dead letters to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadQuery {
    /// Only of this flow.
    pub flow: Option<String>,
    /// Only of this class.
    pub class: Option<String>,
    /// Only of this run.
    pub run: Option<String>,
    /// Also those that were resolved.
    pub resolved: bool,
    /// Also those that the engine tries again by itself.
    pub waiting: bool,
    /// At most this many, the latest first.
    pub limit: u32,
}

impl Default for DeadQuery {
    fn default() -> Self {
        Self { flow: None, class: None, run: None, resolved: false, waiting: false, limit: 100 }
    }
}

/// A payload that a person changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is to be tried.
    pub payload: Vec<u8>,
    /// Who changed it.
    pub by: String,
    /// When.
    pub at: Millis,
}

/// A dead letter that a person gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Who.
    pub by: String,
    /// Why.
    pub why: String,
}

/// A record that needs somebody, or another try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// The flow.
    pub flow: String,
    /// Key of the record in the source.
    pub source_key: String,
    /// The record as it was read.
    pub payload: Vec<u8>,
    /// Kind of failure.
    pub class: String,
    /// What was wrong.
    pub reason: String,
    /// Times it has failed since `first_at`.
    pub attempts: i64,
    /// The plan that failed last.
    pub plan: Fingerprint,
    /// Run that failed last.
    pub run: String,
    /// First failure of this row of failures.
    pub first_at: Millis,
    /// Last one.
    pub last_at: Millis,
    /// The engine itself tries again from then on.
    pub retry_at: Option<Millis>,
    /// When a later success or a person closed it.
    pub resolved_at: Option<Millis>,
    /// As somebody wants it tried.
    pub edited: Option<Edit>,
    /// Who gave it up, and why; `None`: nobody did.
    pub dropped: Option<Dropped>,
}

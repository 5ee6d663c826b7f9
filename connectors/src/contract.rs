//! What every connector promises: sessions that do what the manifest says, and errors that
//! say what to do next.
//!
//! A session hands out a trait object for exactly those abilities that its manifest lists for
//! a resource; the conformance suite holds the two together. Records that leave a connector
//! have the fields and types of the manifest: identifiers are text, money is decimal, moments
//! carry a zone, absent values are left out or null, never the empty text. Records that enter
//! it have them too; the connector turns them into the system's own form.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::manifest::{Answers, Manifest};
use crate::record::{Record, Value};
use crate::sign_in::{OAuth, Tokens};
use crate::webhook::Webhooks;

/// A kind of remote system that flows can name.
pub trait Connector: Send + Sync {
    /// What the system offers.
    fn manifest(&self) -> &Manifest;

    /// The system as one account has it, where its resources depend on the account: a folder
    /// with files, for instance. `None`: they do not.
    fn of_account(&self, answers: &Answers) -> Option<Result<Arc<dyn Connector>, RemoteError>> {
        let _ = answers;
        None
    }

    /// A conversation with one account of the system. Opens no connection yet; answers that
    /// are missing or malformed are refused here.
    fn connect(&self, answers: &Answers, host: &Host) -> Result<Arc<dyn Session>, RemoteError>;

    /// How a person lets Weft into the account in a browser, for systems that want it so.
    /// `None`: the answers are all it takes.
    fn consent(&self, answers: &Answers) -> Option<Result<OAuth, RemoteError>> {
        let _ = answers;
        None
    }
}

/// What a session finds where it runs.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// Bounds.
    pub limits: Limits,
    /// Where the tokens of the connection lie between processes.
    pub tokens: Tokens,
}

impl From<Limits> for Host {
    fn from(limits: Limits) -> Self {
        Self { limits, tokens: Tokens::default() }
    }
}

/// Bounds that the engine sets for a session.
#[derive(Clone, Debug)]
pub struct Limits {
    /// One request from start to end, answer included. Shorter than a run's lease.
    pub timeout: Duration,
    /// Times that a call which is safe to repeat is tried, the first included.
    pub tries: u32,
    /// Pause before the second try; doubles from there on, with jitter.
    pub backoff: Duration,
    /// Longest pause that a server's `Retry-After` can ask for within a call; beyond it the
    /// error goes up.
    pub longest_pause: Duration,
    /// Largest answer, in bytes.
    pub largest_answer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            timeout: Duration::from_mins(1),
            tries: 4,
            backoff: Duration::from_millis(500),
            longest_pause: Duration::from_secs(90),
            largest_answer: 64 << 20,
        }
    }
}

/// A live conversation with one account; hands out, for each resource, what the manifest
/// promised.
#[async_trait]
pub trait Session: Send + Sync {
    /// Proves that address and credentials work. Writes nothing. Answers with one line about
    /// the account: its name, the version of the service.
    async fn probe(&self) -> Result<String, RemoteError>;

    /// Reading page by page.
    fn fetch(&self, resource: &str) -> Option<&dyn Fetch>;
    /// Filling in what pages leave out.
    fn detail(&self, resource: &str) -> Option<&dyn Detail>;
    /// Finding single records.
    fn find(&self, resource: &str) -> Option<&dyn Find>;
    /// Creating.
    fn create(&self, resource: &str) -> Option<&dyn Create>;
    /// Updating.
    fn update(&self, resource: &str) -> Option<&dyn Update>;
    /// Adding pages at the end.
    fn journal(&self, resource: &str) -> Option<&dyn Journal> {
        let _ = resource;
        None
    }
    /// Being told what happens; there exactly when the manifest lists events.
    fn webhooks(&self) -> Option<&dyn Webhooks> {
        None
    }
}

/// Reads a resource page by page.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// The page at a position; the first one without. Every record at or after
    /// `request.since` appears in some page, however many times the reading is interrupted.
    async fn page(&self, request: &FetchRequest, position: Option<&str>) -> Result<Page, RemoteError>;

    /// After the last page was read: where a later reading finds only what was added since.
    /// `None`: there is no such place. Should what was read have changed by then, reading from
    /// that place starts over.
    async fn end(&self, request: &FetchRequest) -> Result<Option<String>, RemoteError> {
        let _ = request;
        Ok(None)
    }
}

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct FetchRequest {
    /// Resource.
    pub resource: String,
    /// Field and least value, inclusive. Moments are RFC 3339 texts, markers integers.
    pub since: Option<(String, Value)>,
    /// Fields and the values that they must have; only filters of the manifest.
    pub conditions: Vec<(String, Value)>,
    /// Records a page, as far as the system allows.
    pub size: usize,
}

/// Some records and where the next ones are.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Records.
    pub records: Vec<Record>,
    /// Position of the next page: opaque text that outlives the process. `None`: the end.
    pub next: Option<String>,
}

/// Name of the entry that marks a record which could not be read whole; its value says why, in
/// words for people. The other fields are what could be read. The record is set aside with
/// that reason and its neighbours go on. No field of a manifest can have this name.
pub const UNREADABLE: &str = "!unreadable";

/// Why a record could not be read whole, when it could not.
#[must_use]
pub fn unreadable(record: &Record) -> Option<&str> {
    record.text(UNREADABLE)
}

/// Name of the entry that marks a record which the system has deleted; its value is `true`. Beside
/// it stands the key. No field of a manifest can have this name.
pub const DELETED: &str = "!deleted";

/// A record of which nothing is known but its key, and that the system has deleted it.
#[must_use]
pub fn deleted(key_field: &str, key: &str) -> Record {
    let mut record = Record::new();
    record.set(key_field, key);
    record.set(DELETED, true);
    record
}

/// Fills in the `detail` fields that pages leave out.
#[async_trait]
pub trait Detail: Send + Sync {
    /// The record, whole.
    async fn complete(&self, resource: &str, record: Record) -> Result<Record, RemoteError>;
}

/// Finds single records.
#[async_trait]
pub trait Find: Send + Sync {
    /// For each key, in order, every record that has exactly these values. `by` is one of the
    /// manifest's sets, in its order; there are no more keys than its `batch`.
    async fn find(
        &self,
        resource: &str,
        by: &[String],
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError>;
}

/// Values in the order of the fields that are searched by.
pub type Key = Vec<Value>;

/// Creates a record.
#[async_trait]
pub trait Create: Send + Sync {
    /// Creates it. The same `idempotency_key` is given again when the create is repeated
    /// because its outcome was unknown.
    async fn create(
        &self,
        resource: &str,
        record: &Record,
        idempotency_key: &str,
    ) -> Result<Written, RemoteError>;
}

/// Creates records by the page, at the end of what is there, so that what a process left
/// unfinished can be told from the rest and taken back.
///
/// A *mark* is a place behind whole records: opaque text that outlives the process. `owner` is who
/// adds: of several that add to one resource each takes back only its own.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Adds a record to a page that is being made, in the system's own form. The page is as it
    /// was when the record is refused.
    fn enter(&self, resource: &str, record: &Record, page: &mut Vec<u8>) -> Result<(), RemoteError>;

    /// How a field stands in a line of JSON: a line of such members says what [`Journal::enter`]
    /// would say. `None` where only that knows.
    fn member(&self, _resource: &str, _field: &str) -> Option<Member> {
        None
    }

    /// The end of what is there. A page of this owner that was appended at `known` or behind it is
    /// taken back before: its process died before it could note that it was done.
    async fn end(&self, resource: &str, owner: &str, known: Option<&str>) -> Result<String, RemoteError>;

    /// Appends a page; the mark behind it. All of it is durable on return. `None`, and nothing was
    /// done: the end is no longer at `mark`, because somebody else has added something.
    async fn append(
        &self,
        resource: &str,
        owner: &str,
        mark: &str,
        page: &[u8],
    ) -> Result<Option<String>, RemoteError>;
}

/// Updates a record.
#[async_trait]
pub trait Update: Send + Sync {
    /// Changes the given fields of the record with that key and leaves the others. `current`
    /// is the record as it was found, when it was.
    async fn update(
        &self,
        resource: &str,
        key: &str,
        changes: &Record,
        current: Option<&Record>,
    ) -> Result<Written, RemoteError>;
}

/// How a field stands in a line of a [`Journal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The name, as JSON with its colon.
    pub name: Vec<u8>,
    /// What stands there just as a record has it; any other value is for [`Journal::enter`].
    pub takes: Takes,
    /// No line goes without it.
    pub is_key: bool,
}

/// Kinds of values that a system takes just as a record has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each kind is taken or not, whatever the others")]
pub struct Takes {
    /// Text with at least one letter.
    pub text: bool,
    /// The empty text.
    pub empty: bool,
    /// Integers.
    pub integer: bool,
    /// Decimals.
    pub decimal: bool,
    /// Truth values, lists, records.
    pub other: bool,
}

impl Takes {
    /// All of them.
    pub const ALL: Self = Self { text: true, empty: true, integer: true, decimal: true, other: true };

    /// This one. No value is no value everywhere.
    #[must_use]
    pub fn takes(self, value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::Text(text) if text.is_empty() => self.empty,
            Value::Text(_) => self.text,
            Value::Int(_) => self.integer,
            Value::Decimal(_) => self.decimal,
            Value::Bool(_) | Value::List(_) | Value::Map(_) => self.other,
        }
    }
}

/// What a create or an update did.
#[derive(Clone, Debug, Default)]
pub struct Written {
    /// The record's key in the system, as text.
    pub key: String,
    /// The record as the system now has it, as far as the answer told; what was sent, with
    /// the key, otherwise.
    pub record: Record,
}

/// Why a remote call failed, told by what to do next.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{system}: {reason}")]
pub struct RemoteError {
    /// What to do next.
    pub advice: Advice,
    /// Title of the system.
    pub system: String,
    /// What the system said, or what happened, in plain words; without secrets.
    pub reason: String,
    /// What a person can do about it.
    pub help: Option<String>,
}

/// What to do after a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Temporary, and nothing was changed: try again, not before this time has passed.
    Retry(Option<Duration>),
    /// The answer was lost: a write may or may not have happened. Look before repeating it.
    Unknown,
    /// The system refuses this record; its neighbours may go on.
    SkipRecord,
    /// The system refuses the credentials; a person must reconnect.
    Reconnect,
    /// Wrong address, missing right, unusable answer: no record can succeed.
    StopFlow,
}

impl RemoteError {
    /// An error with that advice.
    #[must_use]
    pub fn new(advice: Advice, system: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { advice, system: system.into(), reason: reason.into(), help: None }
    }

    /// The same with a hint for people.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

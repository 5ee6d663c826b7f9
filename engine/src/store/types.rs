//! What goes into the store: plain data, and the words it is told in.

use std::fmt;

/// Milliseconds since 1970 (UTC), on the database's clock.
pub type Millis = i64;

/// Fingerprint of a record, of a plan or of what was sent.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub [u8; 16]);

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl Fingerprint {
    /// Of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        xxhash_rust::xxh3::xxh3_128(bytes).into()
    }
}

impl From<u128> for Fingerprint {
    fn from(value: u128) -> Self {
        Self(value.to_be_bytes())
    }
}

impl Fingerprint {
    /// That of a source key as the store has it: one that was forgotten has the fingerprint that
    /// it always had.
    #[must_use]
    pub fn of_kept_key(key: &str) -> Self {
        super::person::print_of(key)
    }

    /// That of a source key.
    #[must_use]
    pub fn of_key(key: &str) -> Self {
        Self::of(key.as_bytes())
    }
}

/// How far the target of a flow counts, where it is a journal: see
/// [`connectors::contract::Journal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Journal {
    /// Who adds, as the target knows it.
    pub owner: String,
    /// The create that adds; its stable name in the plan.
    pub write_id: String,
    /// The target's own text for the end of what counts.
    pub mark: String,
}

/// What a page added to a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// The journal behind it.
    pub journal: Journal,
    /// The source keys of the records; counted in [`Page::counted`].
    pub keys: Vec<Fingerprint>,
}

/// Keys of the records that came with one page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalKeys {
    /// Number of the page.
    pub number: i64,
    /// Fingerprints of their source keys.
    pub keys: Vec<Fingerprint>,
}

/// The right to run a flow. Every commit shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The flow.
    pub flow: String,
    /// Grows by one with each claim.
    pub epoch: i64,
    /// Who holds it.
    pub holder: String,
    /// From then on anybody may claim the flow.
    pub expires_at: Millis,
}

/// Answer to a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The flow is ours.
    Held(Lease),
    /// Somebody else runs it.
    Busy {
        /// Who.
        holder: String,
        /// Until when, unless renewed.
        until: Millis,
    },
}

/// How far a flow has read its source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// Marker, as JSON, from which the next pass reads; `None`: from the beginning.
    pub since: Option<String>,
    /// Highest marker seen in the pass under way; becomes `since` at its end.
    pub high: Option<String>,
    /// The source's own text for the next page; `None`: a pass begins.
    pub position: Option<String>,
    /// The plan that the pass was begun with.
    pub plan: Option<Fingerprint>,
}

/// How a record ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Something was created in the target.
    Created,
    /// Something was updated, nothing created.
    Updated,
    /// Nothing had to be sent.
    Unchanged,
    /// Left out by the flow.
    Skipped {
        /// Why, in the flow's words.
        reason: String,
    },
    /// Refused; a person decides what next.
    Failed {
        /// Kind of failure, for grouping: `target refused`, `script`.
        class: String,
        /// What was wrong, in plain words.
        reason: String,
    },
    /// To be tried again by the engine itself.
    Waiting {
        /// Kind of failure.
        class: String,
        /// What was wrong.
        reason: String,
        /// Not before this moment.
        retry_at: Millis,
    },
}

impl Outcome {
    /// The word that the store keeps.
    #[must_use]
    pub fn word(&self) -> OutcomeWord {
        match self {
            Self::Created => OutcomeWord::Created,
            Self::Updated => OutcomeWord::Updated,
            Self::Unchanged => OutcomeWord::Unchanged,
            Self::Skipped { .. } => OutcomeWord::Skipped,
            Self::Failed { .. } => OutcomeWord::Failed,
            Self::Waiting { .. } => OutcomeWord::Waiting,
        }
    }

    /// Why, for those that have a reason.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Created | Self::Updated | Self::Unchanged => None,
            Self::Skipped { reason } | Self::Failed { reason, .. } | Self::Waiting { reason, .. } => {
                Some(reason)
            }
        }
    }
}

/// Gives an enum the words that the store keeps for it.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$each])* $variant,)+ }

        impl $name {
            /// The word in the store, in logs and in `--json`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The variant of a word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// [`Outcome`] without its particulars.
    OutcomeWord {
        /// Something was created in the target.
        Created = "created",
        /// Something was updated, nothing created.
        Updated = "updated",
        /// Nothing had to be sent.
        Unchanged = "unchanged",
        /// Left out by the flow.
        Skipped = "skipped",
        /// Refused.
        Failed = "failed",
        /// To be tried again.
        Waiting = "waiting",
    }
}

words! {
    /// How a run fares.
    RunState {
        /// Under way.
        Running = "running",
        /// Every record was settled well.
        Succeeded = "succeeded",
        /// It came to its end, but some records failed or wait.
        Partial = "partial",
        /// It could not go on.
        Failed = "failed",
        /// It was told to stop, or its process ended.
        Stopped = "stopped",
    }
}

/// What was last sent to the target by one write of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Stable name of the write in the plan: `create orders`.
    pub write_id: String,
    /// Which item, where the write stands inside `each`; empty outside.
    pub item: String,
    /// Key of what was written in the target.
    pub target_key: String,
    /// What was sent.
    pub sent_print: Fingerprint,
    /// The same in full, when the flow keeps it.
    pub sent: Option<Vec<u8>>,
}

impl Written {
    /// Both are of the same write and item, whatever was sent.
    #[must_use]
    pub fn is_same_write(&self, other: &Self) -> bool {
        self.write_id == other.write_id && self.item == other.item
    }
}

/// What the log keeps of a record in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// The record as it was read, when the flow keeps it.
    pub payload: Option<Vec<u8>>,
    /// Decisions, requests and answers, as JSON.
    pub detail: Option<Vec<u8>>,
}

/// A record with its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Key of the record in the source.
    pub source_key: String,
    /// The record as it was read.
    pub source_print: Fingerprint,
    /// How it ended.
    pub outcome: Outcome,
    /// What was written now; writes that sent nothing are left out and stay as they are known.
    pub written: Vec<Written>,
    /// What the log keeps; `None` leaves no row in the log.
    pub activity: Option<Activity>,
    /// Business keys that people search by; in any case, with any blanks around.
    pub search_keys: Vec<String>,
    /// The record as it was read, for the dead letters: needed when it failed or waits.
    pub payload: Vec<u8>,
    /// A write may or may not have reached the target: the intent stays open.
    pub in_doubt: bool,
}

/// Everything that one page leaves behind. Settled whole or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The run.
    pub run: String,
    /// The plan that handled the page.
    pub plan: Fingerprint,
    /// Records that have ended. Should a key come twice, the later one stands.
    pub records: Vec<Settled>,
    /// Records that are counted only, such as those that a `filter` left out.
    pub counted: Counts,
    /// Records that were begun but for which nothing was sent: their intents are withdrawn.
    pub withdrawn: Vec<String>,
    /// Records that were created as a page of a journal.
    pub added: Option<Added>,
    /// Where the cursor is after this page; `None` leaves it.
    pub cursor: Option<Cursor>,
}

/// Records by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Something was created.
    pub created: i64,
    /// Something was updated, nothing created.
    pub updated: i64,
    /// Nothing had to be sent.
    pub unchanged: i64,
    /// Left out by the flow.
    pub skipped: i64,
    /// Refused.
    pub failed: i64,
    /// To be tried again.
    pub waiting: i64,
}

impl Counts {
    /// All of them.
    #[must_use]
    pub const fn read(&self) -> i64 {
        self.written() + self.unchanged + self.skipped + self.failed + self.waiting
    }

    /// Those for which something was sent.
    #[must_use]
    pub const fn written(&self) -> i64 {
        self.created + self.updated
    }

    /// Counts one more.
    pub const fn add(&mut self, outcome: OutcomeWord) {
        match outcome {
            OutcomeWord::Created => self.created += 1,
            OutcomeWord::Updated => self.updated += 1,
            OutcomeWord::Unchanged => self.unchanged += 1,
            OutcomeWord::Skipped => self.skipped += 1,
            OutcomeWord::Failed => self.failed += 1,
            OutcomeWord::Waiting => self.waiting += 1,
        }
    }
}

/// A run that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRun {
    /// Unique; sortable by start.
    pub id: String,
    /// What started it: `schedule`, `webhook`, `by hand`.
    pub cause: String,
    /// The plan it runs.
    pub plan: Fingerprint,
}

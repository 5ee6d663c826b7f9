//! What can go wrong with the store: where, why, and what to do next.

use miette::Diagnostic;
use thiserror::Error;

/// Why the store did not do what it was asked.
///
/// Nothing of what was asked has happened then, except after [`StoreError::Lost`].
#[derive(Clone, Debug, Diagnostic, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum StoreError {
    /// The file or its folder is not there, is not a file, or may not be used.
    #[error("cannot open the store `{place}`: {cause}")]
    #[diagnostic(help("{help}"))]
    CannotOpen {
        /// Path of the store.
        place: String,
        /// What the system said.
        cause: String,
        /// What to do next.
        help: &'static str,
    },

    /// The file belongs to something else. It was not touched.
    #[error("`{place}` is not a store of weft: {cause}")]
    #[diagnostic(help(
        "put back a copy with `weft restore FILE`, or move this file away, and a new store is made; it was left as it is"
    ))]
    NotAStore {
        /// Path that was given.
        place: String,
        /// What it is.
        cause: String,
    },

    /// The store was written by a newer version of the program. It was not touched.
    #[error("the store `{place}` has schema {found}, this program knows schemas up to {known}")]
    #[diagnostic(help(
        "start the newer program again, or put back the copy that it made beside the store before it changed it: `weft restore FILE`"
    ))]
    Newer {
        /// Path of the store.
        place: String,
        /// Schema of the store.
        found: i64,
        /// Highest schema that this program knows.
        known: i64,
    },

    /// The file is damaged.
    #[error("the store `{place}` is damaged: {cause}")]
    #[diagnostic(help(
        "stop weft, check the disk, and put back the last backup: `weft restore FILE` keeps what is there; a database of its own is put back by `pg_restore`"
    ))]
    Corrupt {
        /// Path of the store.
        place: String,
        /// What the database said.
        cause: String,
    },

    /// No room is left.
    #[error("no room left for the store `{place}`: {cause}")]
    #[diagnostic(help("make room on that disk; nothing is lost, and the next run goes on from here"))]
    Full {
        /// Path of the store.
        place: String,
        /// What the database said.
        cause: String,
    },

    /// The file or its folder may be read only.
    #[error("the store `{place}` cannot be written: {cause}")]
    #[diagnostic(help(
        "give the user who runs weft the right to write the file and its folder: two more files stand beside it"
    ))]
    ReadOnly {
        /// Path of the store.
        place: String,
        /// What the database said.
        cause: String,
    },

    /// The disk failed.
    #[error("the disk failed under the store `{place}`: {cause}")]
    #[diagnostic(help("check the disk and the system's log; the page under way can be settled again"))]
    Disk {
        /// Path of the store.
        place: String,
        /// What the database said.
        cause: String,
    },

    /// Another process kept the store to itself for too long.
    #[error("the store `{place}` is busy: {cause}")]
    #[diagnostic(help(
        "try again; if it stays busy, look for another program that has the file open, or for a server with too few connections"
    ))]
    Busy {
        /// Path of the store.
        place: String,
        /// What the database said.
        cause: String,
    },

    /// The file was moved away, removed or replaced while this process had it open.
    #[error("the store `{place}` is not the file any more that was opened")]
    #[diagnostic(help(
        "put the file back if it was moved by mistake, and start weft again; nothing was written since"
    ))]
    Replaced {
        /// Path of the store.
        place: String,
    },

    /// Another process has the store open, or runs a flow with it.
    #[error("the store `{place}` is in use: {cause}")]
    #[diagnostic(help("stop weft there, then try again"))]
    InUse {
        /// Place of the store.
        place: String,
        /// Who uses it.
        cause: String,
    },

    /// The server is not there, is starting or stopping, or takes no writes now.
    #[error("the store `{place}` does not answer: {cause}")]
    #[diagnostic(help(
        "see that the database server runs and can be reached from this machine; nothing is lost, and the next run goes on from here"
    ))]
    Unreachable {
        /// Address of the store, without the password.
        place: String,
        /// What happened.
        cause: String,
    },

    /// The lease went to another holder; what this one had in hand was refused.
    #[error("flow `{flow}` is no longer held under epoch {epoch}: another process has taken it over")]
    #[diagnostic(help("stop this run; the process that took over does the page again"))]
    Fenced {
        /// The flow.
        flow: String,
        /// Epoch of the lease that is over.
        epoch: i64,
    },

    /// A run that is not under way was to be continued or ended.
    #[error("flow `{flow}` has no run `{run}` under way")]
    #[diagnostic(help("start the run before its first page, and settle nothing after its end"))]
    NoSuchRun {
        /// The flow.
        flow: String,
        /// The run.
        run: String,
    },

    /// A row holds what this program never writes.
    #[error("the store holds {what}")]
    #[diagnostic(help(
        "somebody changed the store by hand: put back the last backup, or report this message"
    ))]
    Unreadable {
        /// What was found.
        what: String,
    },

    /// Disk or connection failed while a transaction was being committed: it may have happened.
    #[error("the store `{place}` failed during a commit: {cause}")]
    #[diagnostic(help("read the cursor again before going on: the page may have been settled"))]
    Lost {
        /// Place of the store.
        place: String,
        /// What happened.
        cause: String,
    },

    /// Anything else that the database said.
    #[error("the store `{place}` refused: {cause}")]
    #[diagnostic(help("this is a fault of the program: report it with this message"))]
    Refused {
        /// Place of the store.
        place: String,
        /// What the database said.
        cause: String,
    },
}

impl StoreError {
    /// It passes by itself, or when somebody makes room or starts a server: the same call may
    /// succeed later, on the same store. See [`wait`](super::wait()).
    #[must_use]
    pub const fn is_temporary(&self) -> bool {
        match self {
            Self::Full { .. }
            | Self::ReadOnly { .. }
            | Self::Disk { .. }
            | Self::Busy { .. }
            | Self::Unreachable { .. }
            | Self::Lost { .. } => true,
            Self::CannotOpen { .. }
            | Self::NotAStore { .. }
            | Self::Newer { .. }
            | Self::Corrupt { .. }
            | Self::Replaced { .. }
            | Self::InUse { .. }
            | Self::Fenced { .. }
            | Self::NoSuchRun { .. }
            | Self::Unreadable { .. }
            | Self::Refused { .. } => false,
        }
    }
}

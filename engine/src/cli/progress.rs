//! A run's progress: a moving line on a terminal, a line now and then elsewhere.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::Show;
use crate::run::Watcher;
use crate::store::{Counts, RunState};

/// Time between two plain lines.
const PAUSE: Duration = Duration::from_secs(5);

/// Shows how one flow gets on.
pub(crate) struct Progress {
    flow: String,
    bar: Option<ProgressBar>,
    inner: Mutex<Inner>,
}

struct Inner {
    last: Instant,
    refused: Vec<(String, String)>,
    more: usize,
}

/// Refused records that are remembered for the summary.
const REMEMBERED: usize = 1_000;

impl Progress {
    pub(crate) fn new(flow: &str, terminal: bool) -> Self {
        let bar = terminal.then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) =
                ProgressStyle::with_template("{spinner:.cyan} {prefix:<24} {msg} {elapsed:.dim}")
            {
                bar.set_style(style);
            }
            bar.set_prefix(flow.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        let inner = Inner { last: Instant::now(), refused: Vec::new(), more: 0 };
        Self { flow: flow.to_owned(), bar, inner: Mutex::new(inner) }
    }

    /// Takes the moving line away and gives the refused records: those remembered, and how
    /// many there were beyond them.
    pub(crate) fn finish(self) -> (Vec<(String, String)>, usize) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        let inner = self.inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        (inner.refused, inner.more)
    }
}

impl Watcher for Progress {
    fn page(&self, counts: &Counts) {
        let text = in_words(counts);
        if let Some(bar) = &self.bar {
            bar.set_message(text);
            return;
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.last.elapsed() >= PAUSE && counts.read() > 0 {
            inner.last = Instant::now();
            eprintln!("{}: {text} so far", self.flow);
        }
    }

    fn refused(&self, key: &str, reason: &str) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.refused.len() < REMEMBERED {
            inner.refused.push((key.to_owned(), reason.to_owned()));
        } else {
            inner.more += 1;
        }
    }

    fn waits(&self, holder: &str) {
        let text = format!(
            "waiting for {}, where a flow creates the same kind of record",
            crate::store::holder_in_words(holder)
        );
        match &self.bar {
            Some(bar) => bar.set_message(text),
            None => eprintln!("{}: {text}", self.flow),
        }
    }
}

/// `120 read: 100 created, 20 skipped`
pub(crate) fn in_words(counts: &Counts) -> String {
    let parts: Vec<String> = [
        (counts.created, "created"),
        (counts.updated, "updated"),
        (counts.unchanged, "unchanged"),
        (counts.skipped, "skipped"),
        (counts.failed, "refused"),
        (counts.waiting, "waiting"),
    ]
    .iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, word)| format!("{number} {word}"))
    .collect();
    if parts.is_empty() {
        "nothing to read".to_owned()
    } else {
        format!("{} read: {}", counts.read(), parts.join(", "))
    }
}

/// The same at the end of a run: one that failed early had something to read.
pub(crate) fn outcome_in_words(state: RunState, counts: &Counts) -> String {
    if counts.read() == 0 && state == RunState::Failed {
        "failed before any record was done".to_owned()
    } else {
        in_words(counts)
    }
}

/// A line that says whether something is as it should be.
pub(crate) fn verdict(show: &Show, good: bool, yes: &str, no: &str) {
    show.line(if good { format!("{} {yes}", show.good("✓")) } else { format!("{} {no}", show.bad("✗")) });
}

/// The same for programs.
pub(crate) fn to_json(counts: &Counts) -> serde_json::Value {
    serde_json::json!({
        "read": counts.read(),
        "created": counts.created,
        "updated": counts.updated,
        "unchanged": counts.unchanged,
        "skipped": counts.skipped,
        "failed": counts.failed,
        "waiting": counts.waiting,
    })
}

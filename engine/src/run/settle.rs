//! What a page leaves behind: outcomes for the store, in one transaction with the cursor.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::time::Instant;

use connectors::contract::RemoteError;
use connectors::record::{Record, Value};

use super::page::{PageRun, Walked, WalkedPage};
use super::walk::{Done, Stop};
use crate::measure;
use crate::shade::Shade;
use crate::store::{Activity, Counts, Fingerprint, Outcome, Page, Settled, StoreError};

/// First pause before a waiting record is tried again; doubles with each try, up to the last.
const WAITING: (i64, i64) = (60_000, 3_600_000);

/// How a page ended.
pub(super) struct PageEnd {
    /// No record can succeed: the run ends, the cursor stays before this page.
    pub(super) halted: Option<RemoteError>,
    /// The target was changed.
    pub(super) has_sent: bool,
}

impl<'r> PageRun<'r> {
    /// Keeps what came of a page, the cursor included unless the page, or the one before it,
    /// has to be read again. Pages are settled in the order in which they were read.
    ///
    /// `came` says that the page before changed the target while this one was walked.
    pub(super) async fn settle(
        &self,
        walked: WalkedPage<'r>,
        came: bool,
        may_move: bool,
    ) -> Result<PageEnd, StoreError> {
        let WalkedPage { mut page, walked, cursor } = walked;
        let walked = self.walk_refused(walked, came).await;
        if self.again {
            let mut retaken = self.run.retaken.lock().unwrap_or_else(PoisonError::into_inner);
            retaken.extend(walked.iter().map(|one| one.key.clone()));
        }
        let halted = self.verdict(&walked).await;
        let has_sent = walked.iter().any(Walked::has_sent);
        let waits = walked.iter().any(|one| matches!(one.stop, Some(Stop::Wait(_) | Stop::Halt(_))));
        let now = if waits { self.run.store.now().await? } else { 0 };
        let names: HashMap<String, String> =
            walked.iter().filter(|one| one.stop.is_some()).filter_map(|one| self.name(one)).collect();
        for one in walked {
            self.close(one, halted.is_some(), now, &mut page);
        }
        page.cursor = cursor.filter(|_| may_move && halted.is_none());
        let begin = Instant::now();
        self.run.store.settle_page(&self.run.lease, &page).await?;
        measure::committed(begin.elapsed());
        self.tell(&page, &names);
        self.run.finder.page_ended();
        Ok(PageEnd { halted, has_sent })
    }

    /// Counts the page, and tells whoever watches.
    fn tell(&self, page: &Page, names: &HashMap<String, String>) {
        let mut counts = page.counted;
        for record in &page.records {
            counts.add(record.outcome.word());
            if let Outcome::Failed { reason, .. } = &record.outcome {
                let name = names.get(&record.source_key).unwrap_or(&record.source_key);
                self.run.watcher.refused(name, reason);
            }
        }
        let mut all = self.run.counts.lock().unwrap_or_else(PoisonError::into_inner);
        add(&mut all, &counts);
        self.run.watcher.page(&all);
    }

    /// Whether the run can go on. When every record that got as far as a system has to wait,
    /// the systems are asked whether they are there at all.
    async fn verdict(&self, walked: &[Walked<'_>]) -> Option<RemoteError> {
        let halted = walked.iter().find_map(|one| match &one.stop {
            Some(Stop::Halt(error)) => Some(error.clone()),
            _ => None,
        });
        if halted.is_some() {
            return halted;
        }
        let waits = |one: &Walked<'_>| matches!(one.stop, Some(Stop::Wait(_)));
        let reached = |one: &Walked<'_>| one.stop.is_none();
        if walked.iter().any(waits) && !walked.iter().any(reached) {
            for party in [&self.run.sides.source, &self.run.sides.target] {
                if let Err(error) = party.session.probe().await {
                    return Some(error);
                }
            }
        }
        None
    }

    /// Turns a walked record into its line for the store.
    fn close(&self, one: Walked<'_>, halted: bool, now: i64, page: &mut Page) {
        let name = self.name(&one).map(|(_, name)| name);
        let Walked { key, print, scope, text, known, done, stop } = one;
        // Only a plan stops there: as far as it can be told, the record has come through.
        let stop = stop.filter(|stop| !matches!(stop, Stop::Unforeseen));
        let unsent = done.written.is_empty() && !done.created && !done.updated;
        // What a dead process may have created stays in doubt until the record comes through: this
        // run may have ended before it could look.
        let in_doubt = done.in_doubt
            || known.intent.is_some()
                && matches!(
                    stop,
                    Some(Stop::Failed { .. } | Stop::Wait(_) | Stop::Halt(_) | Stop::NotAgreed(_))
                );
        let outcome = match stop {
            None if done.created => Outcome::Created,
            None if done.updated => Outcome::Updated,
            None => Outcome::Unchanged,
            // One that is taken up again was told of before: that it is left out now closes it.
            Some(Stop::Filtered) if unsent && !self.again && !self.named => {
                page.counted.skipped += 1;
                page.withdrawn.push(key);
                return;
            }
            Some(Stop::Filtered) => Outcome::Skipped { reason: "left out by a filter".to_owned() },
            Some(Stop::Skipped(reason)) => Outcome::Skipped { reason },
            Some(Stop::Failed { class, reason }) => Outcome::Failed { class: class.to_owned(), reason },
            Some(Stop::NotAgreed(reason)) if unsent => {
                if !in_doubt {
                    page.withdrawn.push(key.clone());
                }
                self.run.turn_away(name.as_ref().unwrap_or(&key), &reason);
                return;
            }
            Some(Stop::Unforeseen) => Outcome::Unchanged,
            Some(Stop::NotAgreed(reason)) => Outcome::Failed { class: "not as planned".to_owned(), reason },
            // The run ends and reads this page again: nothing is lost, and nothing is said twice.
            Some(Stop::Halt(_) | Stop::Wait(_)) if halted && unsent && !self.again => {
                if !in_doubt {
                    page.withdrawn.push(key);
                }
                return;
            }
            Some(Stop::Halt(error) | Stop::Wait(error)) => {
                let attempts = known.ledger.as_ref().map_or(0, |ledger| ledger.attempts).clamp(0, 10);
                let pause = (WAITING.0 << attempts).min(WAITING.1);
                let class = "system unavailable".to_owned();
                Outcome::Waiting { class, reason: error.to_string(), retry_at: now + pause }
            }
        };
        let shade = Shade::of(&self.run.flow.privacy, scope.record_fetched());
        let outcome = match &shade {
            Some(shade) => shade.outcome(outcome),
            None => outcome,
        };
        // Nothing new to tell leaves no line in the log.
        let told = known.ledger.as_ref().is_some_and(|ledger| {
            ledger.source_print == print
                && ledger.outcome == outcome.word()
                && ledger.reason.as_deref() == outcome.reason()
                && matches!(outcome, Outcome::Unchanged | Outcome::Skipped { .. })
        });
        let search_keys = self.search_keys(scope.record_fetched(), &done);
        let history = match &shade {
            Some(shade) => done.history.shaded(shade),
            None => done.history,
        };
        // Only what has to be done again is kept with all it takes to do it again.
        let payload = match &outcome {
            Outcome::Failed { .. } | Outcome::Waiting { .. } => text.clone(),
            _ => Vec::new(),
        };
        let activity = (!told).then(|| Activity { payload: Some(text), detail: history.to_json() });
        let settled = Settled {
            source_key: key,
            source_print: print,
            outcome,
            written: done.written,
            activity,
            search_keys,
            payload,
            in_doubt,
        };
        page.records.push(self.shaded(scope.record_fetched(), settled, shade));
    }

    /// As it may be kept.
    pub(super) fn shaded(&self, record: &Record, settled: Settled, shade: Option<Shade<'_>>) -> Settled {
        let Some(shade) = shade else { return settled };
        let flow = &self.run.flow.name;
        shade.settled(record, settled, |key, payload| {
            let sealed = self.run.sealer.get().map(|sealer| sealer.seal(flow, key, payload));
            // A run that cannot seal does not begin.
            sealed.and_then(Result::ok).unwrap_or_default()
        })
    }

    /// What people call a record, where that is not its key.
    fn name(&self, one: &Walked<'_>) -> Option<(String, String)> {
        let field = self.run.sides.source.known_by(&self.run.flow.plan.fetch.resource)?;
        let name = one.scope.record_fetched().at(field)?;
        let name = name.plain();
        (!name.is_empty()).then(|| (one.key.clone(), name))
    }

    /// What people search a record by: everything it can be found by on either side.
    fn search_keys(&self, record: &Record, done: &Done) -> Vec<String> {
        let source = &self.run.sides.source;
        let mut keys: Vec<String> = source
            .find_fields(&self.run.flow.plan.fetch.resource)
            .filter_map(|field| record.at(field))
            .chain(["email", "customer.email", "number"].iter().filter_map(|path| record.at(path)))
            .filter_map(|value| match value {
                Value::Text(text) => Some(text.to_string()),
                Value::Int(number) => Some(number.to_string()),
                _ => None,
            })
            .chain(done.written.iter().map(|written| written.target_key.clone()))
            .filter(|key| !key.is_empty())
            .collect();
        keys.sort();
        keys.dedup();
        keys
    }
}

/// A record that cannot even be begun; it goes by its key where it has one.
pub(super) fn refused(record: &Record, key_field: &str, class: &str, reason: String) -> Settled {
    let mut payload = Vec::new();
    record.write_json(&mut payload);
    let print = Fingerprint::of(&payload);
    let source_key = match record.get(key_field) {
        Some(Value::Text(key)) if !key.is_empty() => key.to_string(),
        _ => format!("without {key_field} {print:?}"),
    };
    Settled {
        source_key,
        source_print: print,
        outcome: Outcome::Failed { class: class.to_owned(), reason },
        written: Vec::new(),
        activity: Some(Activity { payload: Some(payload.clone()), detail: None }),
        search_keys: Vec::new(),
        payload,
        in_doubt: false,
    }
}

pub(super) fn add(total: &mut Counts, counts: &Counts) {
    total.created += counts.created;
    total.updated += counts.updated;
    total.unchanged += counts.unchanged;
    total.skipped += counts.skipped;
    total.failed += counts.failed;
    total.waiting += counts.waiting;
}

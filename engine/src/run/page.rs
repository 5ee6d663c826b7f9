//! One page: what is known of its records, and their walk. What came of it is kept by
//! `settle`.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use connectors::contract::unreadable;
use connectors::record::{Record, Value};
use futures::stream::{FuturesUnordered, StreamExt as _};
use tracing::Instrument as _;

use super::Run;
use super::deleted::is_deleted;
use super::scope::Scope;
use super::settle::refused;
use super::unfinished;
use super::walk::{Done, Stop, Walk};
use crate::case::Way;
use crate::program::{Act, Step};
use crate::shade::Shade;
use crate::store::{Cursor, Fingerprint, Known, OutcomeWord, Page, Settled, StoreError, Written};

/// A change is fresh for so long, in milliseconds: a second of the system, and one for clocks.
const FRESH: i64 = 2_000;

/// A page under way.
#[derive(Clone, Copy)]
pub(super) struct PageRun<'r> {
    pub(super) run: &'r Run<'r>,
    /// These records had to wait; they are not new.
    pub(super) again: bool,
    /// Somebody has named them: they are walked whatever is known of them.
    pub(super) named: bool,
}

/// A page as it was read.
pub(super) struct ReadPage {
    pub(super) records: Vec<Record>,
    /// Where the cursor is once the page is settled; `None` leaves it.
    pub(super) cursor: Option<Cursor>,
}

/// A page whose records have been walked and not settled yet.
pub(super) struct WalkedPage<'r> {
    pub(super) page: Page,
    pub(super) walked: Vec<Walked<'r>>,
    pub(super) cursor: Option<Cursor>,
}

/// A record of the page.
struct Item<'r> {
    key: String,
    print: Fingerprint,
    /// The record as it was read, for expressions and for us.
    scope: Scope<'r>,
    /// The same as JSON.
    text: Vec<u8>,
    known: Known,
}

/// A record after its walk.
pub(super) struct Walked<'r> {
    pub(super) key: String,
    pub(super) print: Fingerprint,
    /// The record, whole.
    pub(super) scope: Scope<'r>,
    /// The same as JSON.
    pub(super) text: Vec<u8>,
    pub(super) known: Known,
    pub(super) done: Done,
    pub(super) stop: Option<Stop>,
}

impl Walked<'_> {
    /// It was refused for want of something that may come.
    fn lacks_something(&self) -> bool {
        matches!(&self.stop, Some(Stop::Failed { class: "refused by the flow" | "not found", .. }))
    }

    /// The target was changed for it.
    pub(super) const fn has_sent(&self) -> bool {
        self.done.created || self.done.updated
    }
}

/// Adds what was written a moment ago to what the store knows.
fn learn(known: &mut Known, written: &[Written]) {
    for new in written {
        known.written.retain(|old| !new.is_same_write(old));
        known.written.push(new.clone());
    }
}

impl<'r> PageRun<'r> {
    /// Notes what is about to be done, and walks the records once.
    pub(super) async fn walk(&self, read: ReadPage) -> Result<WalkedPage<'r>, StoreError> {
        let span = tracing::debug_span!("page", records = read.records.len());
        self.walk_page(read).instrument(span).await
    }

    async fn walk_page(&self, read: ReadPage) -> Result<WalkedPage<'r>, StoreError> {
        let ReadPage { records, cursor } = read;
        let mut page = Page { run: self.run.id.clone(), plan: self.run.flow.print, ..Page::default() };
        let items = self.known(records, &mut page).await?;
        let items = self.gate(items, &mut page);
        // Of a record that is gone nothing is created: there is nothing to be in doubt about.
        let is_there = |item: &&Item<'_>| !self.is_deleted(item.scope.record_fetched());
        let keys: Vec<&str> = items.iter().filter(is_there).map(|item| item.key.as_str()).collect();
        if !keys.is_empty() {
            self.run.store.begin_page(&self.run.lease, &self.run.id, &keys).await?;
        }
        drop(keys);
        let walked = self.walk_all(items).await;
        Ok(WalkedPage { page, walked, cursor })
    }

    /// The keys of a page, to tell whether it has a record in common with another one.
    pub(super) fn keys(&self, records: &[Record]) -> HashSet<String> {
        let key_field = self.run.sides.source.key_field(&self.run.flow.plan.fetch.resource);
        records.iter().filter_map(|record| key_of(record, &key_field)).collect()
    }

    /// Pairs records with what the store knows; those that have not changed end here.
    async fn known(&self, records: Vec<Record>, page: &mut Page) -> Result<Vec<Item<'r>>, StoreError> {
        let flow = self.run.flow;
        let key_field = self.run.sides.source.key_field(&flow.plan.fetch.resource);
        let mut keys = Vec::with_capacity(records.len());
        let mut rest = Vec::with_capacity(records.len());
        for record in records {
            if let Some(reason) = unreadable(&record) {
                let reason = reason.to_owned();
                page.records.push(self.refused(&record, &key_field, "unreadable", reason));
                continue;
            }
            if let Some(key) = key_of(&record, &key_field) {
                keys.push(key);
                rest.push(record);
            } else {
                let reason = format!("the record has no `{key_field}`, by which records are told apart");
                page.records.push(self.refused(&record, &key_field, "no key", reason));
            }
        }
        if !self.again {
            let mut wanted = self.run.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            wanted.retain(|key, _| !keys.contains(key));
        }
        let asked: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut known =
            if asked.is_empty() { Vec::new() } else { self.run.store.known(&flow.name, &asked).await? };
        let by_the_page = self.created_by_the_page(&keys, &mut known).await?;
        let mut items = Vec::with_capacity(rest.len());
        let retaken = self.run.retaken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut longest = 256;
        for ((key, record), known) in keys.into_iter().zip(rest).zip(known) {
            if !by_the_page.is_empty() && by_the_page.contains(&Fingerprint::of_key(&key)) {
                page.counted.unchanged += 1;
                continue;
            }
            let mut text = Vec::with_capacity(longest);
            record.write_json(&mut text);
            longest = longest.max(text.len());
            // A record that is taken up again is no other than the one that was read.
            let print = match &known.ledger {
                Some(ledger) if self.again => ledger.source_print,
                _ => Fingerprint::of(&text),
            };
            // Taken up again a moment ago, and no other since: it has been counted.
            let retaken = !self.again && retaken.contains(&key);
            if retaken && known.ledger.as_ref().is_some_and(|ledger| ledger.source_print == print) {
                continue;
            }
            let is_settled =
                is_settled(&known, print, flow.print) && !self.may_hide_a_change(&record, &known);
            if !self.run.options.full && !self.again && !self.named && is_settled {
                page.counted.unchanged += 1;
                continue;
            }
            items.push(Item { key, print, scope: Scope::new(flow, Some(record)), text, known });
        }
        Ok(items)
    }

    /// Systems tell moments by the second, and pages leave details out: what changed there within
    /// the second in which the record was read looks as it did. So a record that had only just
    /// changed when the run began that handled it is looked at once more.
    fn may_hide_a_change(&self, record: &Record, known: &Known) -> bool {
        let fetch = &self.run.flow.plan.fetch;
        let Some(since) =
            fetch.since.as_ref().filter(|_| !self.run.sides.source.detail_fields(&fetch.resource).is_empty())
        else {
            return false;
        };
        let changed =
            record.at(&since.field).and_then(Value::as_str).and_then(|at| at.parse::<jiff::Timestamp>().ok());
        let begun = known.ledger.as_ref().and_then(|ledger| begun_at(&ledger.run));
        changed.zip(begun).is_some_and(|(changed, begun)| changed.as_millisecond() + FRESH >= begun)
    }

    fn refused(&self, record: &Record, key_field: &str, class: &str, reason: String) -> Settled {
        let settled = refused(record, key_field, class, reason);
        self.shaded(record, settled, Shade::of(&self.run.flow.privacy, record))
    }

    /// Leading filters are asked before anything is noted or sent.
    fn gate(&self, items: Vec<Item<'r>>, page: &mut Page) -> Vec<Item<'r>> {
        let gates = self.gates();
        if gates == 0 || self.again || self.named {
            return items;
        }
        let flow = self.run.flow;
        let mut kept = Vec::with_capacity(items.len());
        for item in items {
            if self.is_deleted(item.scope.record_fetched()) {
                kept.push(item);
                continue;
            }
            // A filter that fails is told by the walk, with its reason.
            let passes = flow.program.steps.iter().take(gates).all(|step| match &step.action {
                Act::Filter(condition) => {
                    let passes = item.scope.truth(condition).unwrap_or(true);
                    if !passes {
                        flow.mark(step, Way::Reached);
                        flow.mark(step, Way::No);
                    }
                    passes
                }
                _ => true,
            });
            if passes {
                kept.push(item);
            } else {
                page.counted.skipped += 1;
                if item.known.intent.is_some() {
                    page.withdrawn.push(item.key);
                }
            }
        }
        kept
    }

    /// The source says that it has deleted the record.
    fn is_deleted(&self, record: &Record) -> bool {
        is_deleted(self.run.deletions, record)
    }

    /// How many leading steps are filters that need no more than the page shows.
    fn gates(&self) -> usize {
        let resource = &self.run.flow.plan.fetch.resource;
        let detail = self.run.sides.source.detail_fields(resource);
        let plain = |step: &&Step| match &step.action {
            Act::Filter(condition) => {
                !detail.iter().any(|field| condition.expr.rhai.contains(&format!(".{field}")))
            }
            _ => false,
        };
        self.run.flow.program.steps.iter().take_while(plain).count()
    }

    /// Walks all records side by side; those of one key one after the other.
    async fn walk_all(&self, items: Vec<Item<'r>>) -> Vec<Walked<'r>> {
        let mut order: HashMap<String, usize> = HashMap::new();
        let mut groups: Vec<Vec<Item<'r>>> = Vec::new();
        for item in items {
            let group = *order.entry(item.key.clone()).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(group) {
                group.push(item);
            }
        }
        let mut under_way: FuturesUnordered<_> =
            groups.into_iter().map(|group| self.walk_group(group)).collect();
        let mut walked = Vec::new();
        while let Some(mut group) = under_way.next().await {
            walked.append(&mut group);
        }
        walked
    }

    /// What a record lacked may have come with its neighbours, a category's parent for
    /// instance: refused records are walked once more, as long as that helps. `came` says that
    /// something came with the page before, which was walked at the same time.
    pub(super) async fn walk_refused(&self, mut walked: Vec<Walked<'r>>, came: bool) -> Vec<Walked<'r>> {
        let mut helps = came || walked.iter().any(Walked::has_sent);
        while helps {
            let (refused, others): (Vec<_>, Vec<_>) = walked.into_iter().partition(Walked::lacks_something);
            let before = refused.len();
            walked = others;
            let mut under_way: FuturesUnordered<_> =
                refused.into_iter().map(|one| self.walk_again(one)).collect();
            while let Some(one) = under_way.next().await {
                walked.push(one);
            }
            helps = walked.iter().filter(|one| one.lacks_something()).count() < before;
        }
        walked
    }

    async fn walk_again(&self, earlier: Walked<'r>) -> Walked<'r> {
        let Walked { key, print, scope, text, mut known, done: earlier, .. } = earlier;
        learn(&mut known, &earlier.written);
        // With a budget of its own.
        let scope = Scope::new(self.run.flow, Some(scope.record_fetched().clone()));
        let (mut done, stop) = self.walk_steps(&key, &scope, &known).await;
        let newer = std::mem::take(&mut done.written);
        done.written = earlier.written;
        done.written.retain(|old| !newer.iter().any(|new| new.is_same_write(old)));
        done.written.extend(newer);
        done.created |= earlier.created;
        done.updated |= earlier.updated;
        Walked { key, print, scope, text, known, done, stop }
    }

    async fn walk_group(&self, group: Vec<Item<'r>>) -> Vec<Walked<'r>> {
        let mut walked: Vec<Walked<'r>> = Vec::new();
        for mut item in group {
            // What an earlier record of the same key has just written is known to this one.
            if let Some(earlier) = walked.last() {
                item.known.written.clone_from(&earlier.known.written);
                learn(&mut item.known, &earlier.done.written);
            }
            walked.push(self.walk_one(item).instrument(tracing::debug_span!("record")).await);
        }
        walked
    }

    async fn walk_one(&self, item: Item<'r>) -> Walked<'r> {
        let Item { key, print, mut scope, mut text, known } = item;
        let resource = &self.run.flow.plan.fetch.resource;
        let is_there = !self.is_deleted(scope.record_fetched());
        if let Some(detail) = self.run.sides.source.session.detail(resource).filter(|_| is_there) {
            match detail.complete(resource, scope.record_fetched().clone()).await {
                Ok(record) => {
                    text.clear();
                    record.write_json(&mut text);
                    scope = Scope::new(self.run.flow, Some(record));
                }
                Err(error) => {
                    let (done, stop) = (Done::default(), Some(error.into()));
                    return Walked { key, print, scope, text, known, done, stop };
                }
            }
        }
        let (done, stop) = self.walk_steps(&key, &scope, &known).await;
        Walked { key, print, scope, text, known, done, stop }
    }

    async fn walk_steps(&self, key: &str, scope: &Scope<'_>, known: &Known) -> (Done, Option<Stop>) {
        let (flow, sides, finder) = (self.run.flow, self.run.sides, &self.run.finder);
        let (gate, notes) = (self.run.task.gate, self.run);
        let walk = Walk { flow, sides, finder, gate, notes, key, known, done: Mutex::default() };
        let mut scope = scope.clone();
        let stop = if self.is_deleted(scope.record_fetched()) {
            walk.deleted(&mut scope).await.err()
        } else {
            walk.steps(&flow.program.steps, &mut scope, "").await.err()
        };
        let mut done = walk.done.into_inner().unwrap_or_else(PoisonError::into_inner);
        unfinished::mark(&mut done, stop.as_ref(), known);
        (done, stop)
    }
}

/// The key of a record as text.
pub(super) fn key_of(record: &Record, key_field: &str) -> Option<String> {
    match record.get(key_field) {
        Some(Value::Text(key)) if !key.is_empty() => Some(key.to_string()),
        Some(Value::Int(number)) => Some(number.to_string()),
        Some(Value::Decimal(number)) => Some(number.to_string()),
        _ => None,
    }
}

/// When a run began, in milliseconds: its name says it.
fn begun_at(run: &str) -> Option<i64> {
    let (seconds, nanos) = run.parse::<uuid::Uuid>().ok()?.get_timestamp()?.to_unix();
    i64::try_from(seconds * 1_000 + u64::from(nanos) / 1_000_000).ok()
}

/// Handled before, by the same plan, to a good end, and unchanged since.
fn is_settled(known: &Known, print: Fingerprint, plan: Fingerprint) -> bool {
    known.intent.is_none()
        && known.ledger.as_ref().is_some_and(|ledger| {
            ledger.source_print == print
                && ledger.plan == plan
                && !matches!(ledger.outcome, OutcomeWord::Failed | OutcomeWord::Waiting)
        })
}

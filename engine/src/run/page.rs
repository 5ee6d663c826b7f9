//! One page: what is known of its records, their walk, and the one transaction that keeps
//! what came of it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use connectors::contract::{RemoteError, unreadable};
use connectors::record::{Record, Value};
use futures::stream::{FuturesUnordered, StreamExt as _};

use super::finder::Finder;
use super::scope::Scope;
use super::walk::{Done, Stop, Walk};
use super::{Run, fingerprint};
use crate::program::{Act, Step};
use crate::script::RecordBudget;
use crate::store::{
    Activity, Counts, Cursor, Fingerprint, Known, Outcome, OutcomeWord, Page, Settled, StoreError, Written,
};

/// First pause before a waiting record is tried again; doubles with each try, up to the last.
const WAITING: (i64, i64) = (60_000, 3_600_000);

/// How a page ended.
pub(super) struct PageEnd {
    /// No record can succeed: the run ends, the cursor stays before this page.
    pub(super) halted: Option<RemoteError>,
}

/// A page under way.
pub(super) struct PageRun<'p, 'r> {
    pub(super) run: &'p mut Run<'r>,
    /// These records had to wait; they are not new.
    pub(super) again: bool,
}

/// A record of the page.
struct Item {
    key: String,
    print: Fingerprint,
    record: Record,
    known: Known,
    /// What its expressions may use together.
    budget: RecordBudget,
}

/// A record after its walk.
struct Walked {
    key: String,
    print: Fingerprint,
    record: Record,
    known: Known,
    done: Done,
    stop: Option<Stop>,
}

impl Walked {
    /// It was refused for want of something that may come.
    fn lacks_something(&self) -> bool {
        matches!(&self.stop, Some(Stop::Failed { class: "refused by the flow" | "not found", .. }))
    }
}

/// Adds what was written a moment ago to what the store knows.
fn learn(known: &mut Known, written: &[Written]) {
    for new in written {
        known.written.retain(|old| !new.is_same_write(old));
        known.written.push(new.clone());
    }
}

impl PageRun<'_, '_> {
    /// Walks the records and keeps what came of them, the cursor included.
    pub(super) async fn settle(
        &mut self,
        records: Vec<Record>,
        cursor: Option<Cursor>,
    ) -> Result<PageEnd, StoreError> {
        let mut page = Page { run: self.run.id.clone(), plan: self.run.flow.print, ..Page::default() };
        let items = self.known(records, &mut page).await?;
        let items = self.gate(items, &mut page);
        let keys: Vec<&str> = items.iter().map(|item| item.key.as_str()).collect();
        if !keys.is_empty() {
            self.run.store.begin_page(&self.run.lease, &self.run.id, &keys).await?;
        }
        drop(keys);
        let walked = self.walk(items).await;
        if self.again {
            self.run.retaken.extend(walked.iter().map(|one| one.key.clone()));
        }
        let halted = self.verdict(&walked).await;
        let now = self.run.store.now().await?;
        let names: HashMap<String, String> = walked.iter().filter_map(|one| self.name(one)).collect();
        for one in walked {
            self.close(one, halted.is_some(), now, &mut page);
        }
        page.cursor = if halted.is_some() { None } else { cursor };
        self.run.store.settle_page(&self.run.lease, &page).await?;
        let mut counts = page.counted;
        for record in &page.records {
            counts.add(record.outcome.word());
            if let Outcome::Failed { reason, .. } = &record.outcome {
                let name = names.get(&record.source_key).unwrap_or(&record.source_key);
                self.run.watcher.refused(name, reason);
            }
        }
        self.run.counted(&counts);
        Ok(PageEnd { halted })
    }

    /// Pairs records with what the store knows; those that have not changed end here.
    async fn known(&mut self, records: Vec<Record>, page: &mut Page) -> Result<Vec<Item>, StoreError> {
        let flow = self.run.flow;
        let key_field = self.run.sides.source.key_field(&flow.plan.fetch.resource);
        let mut keys = Vec::with_capacity(records.len());
        let mut rest = Vec::with_capacity(records.len());
        for record in records {
            if let Some(reason) = unreadable(&record) {
                let reason = reason.to_owned();
                page.records.push(refused(&record, &key_field, "unreadable", reason));
                continue;
            }
            match record.get(&key_field) {
                Some(Value::Text(key)) if !key.is_empty() => keys.push(key.to_string()),
                Some(Value::Int(number)) => keys.push(number.to_string()),
                Some(Value::Decimal(number)) => keys.push(number.to_string()),
                _ => {
                    let reason = format!("the record has no `{key_field}`, by which records are told apart");
                    page.records.push(refused(&record, &key_field, "no key", reason));
                    continue;
                }
            }
            rest.push(record);
        }
        let asked: Vec<&str> = keys.iter().map(String::as_str).collect();
        let mut known =
            if asked.is_empty() { Vec::new() } else { self.run.store.known(&flow.name, &asked).await? };
        let by_the_page = self.created_by_the_page(&keys, &mut known).await?;
        let mut items = Vec::new();
        for ((key, record), known) in keys.into_iter().zip(rest).zip(known) {
            if !by_the_page.is_empty() && by_the_page.contains(&Fingerprint::of_key(&key)) {
                page.counted.unchanged += 1;
                continue;
            }
            // A record that is taken up again is no other than the one that was read.
            let print = match &known.ledger {
                Some(ledger) if self.again => ledger.source_print,
                _ => fingerprint(&record),
            };
            // Taken up again a moment ago, and no other since: it has been counted.
            let retaken = !self.again && self.run.retaken.contains(&key);
            if retaken && known.ledger.as_ref().is_some_and(|ledger| ledger.source_print == print) {
                continue;
            }
            if !self.run.options.full && !self.again && is_settled(&known, print, flow.print) {
                page.counted.unchanged += 1;
                continue;
            }
            items.push(Item { key, print, record, known, budget: RecordBudget::new() });
        }
        Ok(items)
    }

    /// Leading filters are asked before anything is noted or sent.
    fn gate(&self, items: Vec<Item>, page: &mut Page) -> Vec<Item> {
        let gates = self.gates();
        if gates == 0 {
            return items;
        }
        let flow = self.run.flow;
        let mut kept = Vec::with_capacity(items.len());
        for item in items {
            let scope = Scope::new(flow, Some(&item.record), &item.budget);
            // A filter that fails is told by the walk, with its reason.
            let passes = flow.program.steps.iter().take(gates).all(|step| match &step.action {
                Act::Filter(condition) => scope.truth(condition).unwrap_or(true),
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
    async fn walk(&self, items: Vec<Item>) -> Vec<Walked> {
        let finder = Finder::new(self.run.sides);
        let mut order: HashMap<String, usize> = HashMap::new();
        let mut groups: Vec<Vec<Item>> = Vec::new();
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
            groups.into_iter().map(|group| self.walk_group(group, &finder)).collect();
        let mut walked = Vec::new();
        while let Some(mut group) = under_way.next().await {
            walked.append(&mut group);
        }
        self.walk_refused(walked, &finder).await
    }

    /// What a record lacked may have come with its neighbours, a category's parent for
    /// instance: refused records are walked once more, as long as that helps.
    async fn walk_refused(&self, mut walked: Vec<Walked>, finder: &Finder<'_>) -> Vec<Walked> {
        let sent = |one: &Walked| one.done.created || one.done.updated;
        let mut helps = walked.iter().any(sent);
        while helps {
            let (refused, others): (Vec<_>, Vec<_>) = walked.into_iter().partition(Walked::lacks_something);
            let before = refused.len();
            walked = others;
            let mut under_way: FuturesUnordered<_> =
                refused.into_iter().map(|one| self.walk_again(one, finder)).collect();
            while let Some(one) = under_way.next().await {
                walked.push(one);
            }
            helps = walked.iter().filter(|one| one.lacks_something()).count() < before;
        }
        walked
    }

    async fn walk_again(&self, earlier: Walked, finder: &Finder<'_>) -> Walked {
        let Walked { key, print, record, mut known, done: earlier, .. } = earlier;
        learn(&mut known, &earlier.written);
        let budget = RecordBudget::new();
        let (mut done, stop) = self.walk_steps(&key, &record, &known, &budget, finder).await;
        let newer = std::mem::take(&mut done.written);
        done.written = earlier.written;
        done.written.retain(|old| !newer.iter().any(|new| new.is_same_write(old)));
        done.written.extend(newer);
        done.created |= earlier.created;
        done.updated |= earlier.updated;
        Walked { key, print, record, known, done, stop }
    }

    async fn walk_group(&self, group: Vec<Item>, finder: &Finder<'_>) -> Vec<Walked> {
        let mut walked: Vec<Walked> = Vec::new();
        for mut item in group {
            // What an earlier record of the same key has just written is known to this one.
            if let Some(earlier) = walked.last() {
                item.known.written.clone_from(&earlier.known.written);
                learn(&mut item.known, &earlier.done.written);
            }
            walked.push(self.walk_one(item, finder).await);
        }
        walked
    }

    async fn walk_one(&self, item: Item, finder: &Finder<'_>) -> Walked {
        let Item { key, print, record, known, budget } = item;
        let resource = &self.run.flow.plan.fetch.resource;
        let record = match self.run.sides.source.session.detail(resource) {
            None => Ok(record),
            Some(detail) => {
                let whole = detail.complete(resource, record.clone()).await;
                whole.map_err(|error| (record, error))
            }
        };
        let record = match record {
            Ok(record) => record,
            Err((record, error)) => {
                return Walked { key, print, record, known, done: Done::default(), stop: Some(error.into()) };
            }
        };
        let (done, stop) = self.walk_steps(&key, &record, &known, &budget, finder).await;
        Walked { key, print, record, known, done, stop }
    }

    async fn walk_steps(
        &self,
        key: &str,
        record: &Record,
        known: &Known,
        budget: &RecordBudget,
        finder: &Finder<'_>,
    ) -> (Done, Option<Stop>) {
        let (flow, sides) = (self.run.flow, self.run.sides);
        let walk = Walk { flow, sides, finder, key, known, done: Mutex::default() };
        let mut scope = Scope::new(flow, Some(record), budget);
        let stop = walk.steps(&flow.program.steps, &mut scope, "").await.err();
        (walk.done.into_inner().unwrap_or_else(PoisonError::into_inner), stop)
    }

    /// Whether the run can go on. When every record that got as far as a system has to wait,
    /// the systems are asked whether they are there at all.
    async fn verdict(&self, walked: &[Walked]) -> Option<RemoteError> {
        let halted = walked.iter().find_map(|one| match &one.stop {
            Some(Stop::Halt(error)) => Some(error.clone()),
            _ => None,
        });
        if halted.is_some() {
            return halted;
        }
        let waits = |one: &Walked| matches!(one.stop, Some(Stop::Wait(_)));
        let reached = |one: &Walked| one.stop.is_none();
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
    fn close(&self, one: Walked, halted: bool, now: i64, page: &mut Page) {
        let Walked { key, print, record, known, done, stop } = one;
        let unsent = done.written.is_empty() && !done.created && !done.updated;
        let outcome = match stop {
            None if done.created => Outcome::Created,
            None if done.updated => Outcome::Updated,
            None => Outcome::Unchanged,
            Some(Stop::Filtered) if unsent => {
                page.counted.skipped += 1;
                page.withdrawn.push(key);
                return;
            }
            Some(Stop::Filtered) => Outcome::Skipped { reason: "left out by a filter".to_owned() },
            Some(Stop::Skipped(reason)) => Outcome::Skipped { reason },
            Some(Stop::Failed { class, reason }) => Outcome::Failed { class: class.to_owned(), reason },
            // The run ends and reads this page again: nothing is lost, and nothing is said twice.
            Some(Stop::Halt(_) | Stop::Wait(_)) if halted && unsent && !self.again => {
                if !done.in_doubt {
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
        let mut payload = Vec::new();
        record.write_json(&mut payload);
        // Nothing new to tell leaves no line in the log.
        let told = known.ledger.as_ref().is_some_and(|ledger| {
            ledger.source_print == print
                && ledger.outcome == outcome.word()
                && ledger.reason.as_deref() == outcome.reason()
                && matches!(outcome, Outcome::Unchanged | Outcome::Skipped { .. })
        });
        let activity =
            (!told).then(|| Activity { payload: Some(payload.clone()), detail: done.history.to_json() });
        let search_keys = self.search_keys(&record, &done);
        page.records.push(Settled {
            source_key: key,
            source_print: print,
            outcome,
            written: done.written,
            activity,
            search_keys,
            payload,
            in_doubt: done.in_doubt,
        });
    }

    /// What people call a record, where that is not its key.
    fn name(&self, one: &Walked) -> Option<(String, String)> {
        let field = self.run.sides.source.known_by(&self.run.flow.plan.fetch.resource)?;
        let name = one.record.at(field)?;
        let name = name.as_str().map_or_else(|| name.to_string(), str::to_owned);
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

/// Handled before, by the same plan, to a good end, and unchanged since.
fn is_settled(known: &Known, print: Fingerprint, plan: Fingerprint) -> bool {
    known.intent.is_none()
        && known.ledger.as_ref().is_some_and(|ledger| {
            ledger.source_print == print
                && ledger.plan == plan
                && !matches!(ledger.outcome, OutcomeWord::Failed | OutcomeWord::Waiting)
        })
}

/// A record that cannot even be begun; it goes by its key where it has one.
fn refused(record: &Record, key_field: &str, class: &str, reason: String) -> Settled {
    let print = fingerprint(record);
    let mut payload = Vec::new();
    record.write_json(&mut payload);
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

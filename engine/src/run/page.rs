//! One page: what is known of its records, their walk, and the one transaction that keeps
//! what came of it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use connectors::contract::RemoteError;
use connectors::record::{Record, Value};
use futures::stream::{FuturesUnordered, StreamExt as _};

use super::finder::Finder;
use super::scope::Scope;
use super::walk::{Done, Stop, Walk};
use super::{Run, fingerprint};
use crate::program::{Act, Step};
use crate::script::RecordBudget;
use crate::store::{
    Activity, Counts, Cursor, Fingerprint, Known, Outcome, OutcomeWord, Page, Settled, StoreError,
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
        let halted = self.verdict(&walked).await;
        let now = self.run.store.now().await?;
        for one in walked {
            self.close(one, halted.is_some(), now, &mut page);
        }
        page.cursor = if halted.is_some() { None } else { cursor };
        self.run.store.settle_page(&self.run.lease, &page).await?;
        let mut counts = page.counted;
        for record in &page.records {
            counts.add(record.outcome.word());
            if let Outcome::Failed { reason, .. } = &record.outcome {
                self.run.watcher.refused(&record.source_key, reason);
            }
        }
        add(&mut self.run.counts, &counts);
        self.run.watcher.page(&self.run.counts);
        Ok(PageEnd { halted })
    }

    /// Pairs records with what the store knows; those that have not changed end here.
    async fn known(&self, records: Vec<Record>, page: &mut Page) -> Result<Vec<Item>, StoreError> {
        let flow = self.run.flow;
        let key_field = self.run.sides.source.key_field(&flow.plan.fetch.resource);
        let mut keys = Vec::with_capacity(records.len());
        let mut rest = Vec::with_capacity(records.len());
        for record in records {
            match record.get(&key_field) {
                Some(Value::Text(key)) if !key.is_empty() => keys.push(key.to_string()),
                Some(Value::Int(number)) => keys.push(number.to_string()),
                Some(Value::Decimal(number)) => keys.push(number.to_string()),
                _ => {
                    page.records.push(without_key(&record, &key_field));
                    continue;
                }
            }
            rest.push(record);
        }
        let asked: Vec<&str> = keys.iter().map(String::as_str).collect();
        let known =
            if asked.is_empty() { Vec::new() } else { self.run.store.known(&flow.name, &asked).await? };
        let mut items = Vec::new();
        for ((key, record), known) in keys.into_iter().zip(rest).zip(known) {
            let print = fingerprint(&record);
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
        walked
    }

    async fn walk_group(&self, group: Vec<Item>, finder: &Finder<'_>) -> Vec<Walked> {
        let mut walked: Vec<Walked> = Vec::new();
        for mut item in group {
            // What an earlier record of the same key has just written is known to this one.
            if let Some(earlier) = walked.last() {
                item.known.written.clone_from(&earlier.known.written);
                for written in &earlier.done.written {
                    item.known
                        .written
                        .retain(|one| one.write_id != written.write_id || one.item != written.item);
                    item.known.written.push(written.clone());
                }
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
        let (done, stop) = {
            let walk = Walk {
                flow: self.run.flow,
                sides: self.run.sides,
                finder,
                key: &key,
                known: &known,
                done: Mutex::default(),
            };
            let mut scope = Scope::new(self.run.flow, Some(&record), &budget);
            let stop = walk.steps(&self.run.flow.program.steps, &mut scope, "").await.err();
            (walk.done.into_inner().unwrap_or_else(PoisonError::into_inner), stop)
        };
        Walked { key, print, record, known, done, stop }
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

fn without_key(record: &Record, key_field: &str) -> Settled {
    let print = fingerprint(record);
    let mut payload = Vec::new();
    record.write_json(&mut payload);
    let reason = format!("the record has no `{key_field}`, by which records are told apart");
    Settled {
        source_key: format!("without {key_field} {print:?}"),
        source_print: print,
        outcome: Outcome::Failed { class: "no key".to_owned(), reason },
        written: Vec::new(),
        activity: Some(Activity { payload: Some(payload.clone()), detail: None }),
        search_keys: Vec::new(),
        payload,
        in_doubt: false,
    }
}

fn add(total: &mut Counts, counts: &Counts) {
    total.created += counts.created;
    total.updated += counts.updated;
    total.unchanged += counts.unchanged;
    total.skipped += counts.skipped;
    total.failed += counts.failed;
    total.waiting += counts.waiting;
}

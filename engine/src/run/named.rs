//! Runs over records that somebody has named, and runs that only look.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use connectors::contract::{Advice, FetchRequest, RemoteError};
use connectors::record::{Record, Value};
use tracing::Instrument as _;

use super::deleted::is_deleted;
use super::outgoing::Gate;
use super::page::{PageRun, ReadPage, key_of};
use super::{Ended, Options, PAGE, Part, Report, Run, RunError, Sides, Task, Watcher, run_as};
use crate::flow::Flow;
use crate::store::{Runs, Store, StoreError};

/// The source is no longer what somebody agreed to.
const CHANGED: &str = "R112";

/// Records that somebody has named.
#[derive(Clone, Debug, Default)]
pub(crate) struct Named {
    /// In the order in which they are taken up.
    pub(crate) records: Vec<Wanted>,
    /// One after the other: what one of them writes, the next one finds.
    pub(crate) alone: bool,
}

/// A record that somebody has named.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// Its key in the source, or what people know it by.
    pub(crate) key: String,
    /// As it was when somebody agreed to it, whole: it must be the same now.
    pub(crate) agreed: Option<Record>,
    /// As it is taken where the source no longer has it, or cannot be asked for it.
    pub(crate) kept: Option<Record>,
}

/// A run that only looks: neither `store` nor the target of `sides` must take anything.
pub(crate) async fn rehearse(
    flow: &Flow,
    sides: &Sides,
    store: &dyn Runs,
    options: &Options,
    named: Option<&Named>,
    gate: &dyn Gate,
    watcher: &dyn Watcher,
) -> Result<Report, RunError> {
    let task = Task { named, gate: Some(gate), letters: None };
    let run = Run { task, id: "plan".to_owned(), ..Run::new(flow, sides, store, options, watcher) };
    let result = run.whole(Part::Whole).instrument(run.span()).await;
    run.end(result).await
}

/// A run over these records and no others.
pub(crate) async fn run_named(
    flow: &Flow,
    sides: &Sides,
    store: &Arc<dyn Store>,
    options: &Options,
    named: &Named,
    gate: Option<&dyn Gate>,
    watcher: &dyn Watcher,
) -> Result<Report, RunError> {
    let task = Task { named: Some(named), gate, letters: None };
    run_as(flow, sides, store, options, task, watcher).await
}

impl Run<'_> {
    pub(super) async fn take_named(&self, named: &Named) -> Result<Option<Ended>, StoreError> {
        let size = if named.alone { 1 } else { PAGE };
        let mut read = match self.read_named(&named.records).await {
            Ok(read) => read,
            Err(error) => return Ok(Some(Ended::Remote(error))),
        };
        for chunk in named.records.chunks(size) {
            if self.options.stop.load(Ordering::Relaxed) {
                return Ok(Some(Ended::Stopped));
            }
            let mut records = Vec::with_capacity(chunk.len());
            for wanted in chunk {
                match self.as_agreed(wanted, read.remove(&wanted.key)).await {
                    Ok(Ok(record)) => records.push(record),
                    Ok(Err(reason)) => self.turn_away(&self.called(wanted), &reason),
                    Err(error) => return Ok(Some(Ended::Remote(error))),
                }
            }
            if records.is_empty() {
                continue;
            }
            let page = PageRun { run: self, again: false, named: true };
            let walked = page.walk(ReadPage { records, cursor: None }).await?;
            if let Some(error) = page.settle(walked, false, false).await?.halted {
                return Ok(Some(Ended::Remote(error)));
            }
        }
        Ok(None)
    }

    /// What people call a record that somebody has named.
    fn called(&self, wanted: &Wanted) -> String {
        let known_by = self.sides.source.known_by(&self.flow.plan.fetch.resource);
        let name = wanted.agreed.as_ref().zip(known_by).and_then(|(agreed, field)| key_of(agreed, field));
        name.unwrap_or_else(|| wanted.key.clone())
    }

    /// Leaves a record as it is, and says why.
    pub(super) fn turn_away(&self, key: &str, reason: &str) {
        self.turned_away.fetch_add(1, Ordering::Relaxed);
        self.watcher.refused(key, reason);
    }

    /// The record, when it still is what somebody agreed to; else the reason why not.
    async fn as_agreed(
        &self,
        wanted: &Wanted,
        read: Option<Record>,
    ) -> Result<Result<Record, String>, RemoteError> {
        let source = &self.sides.source;
        let resource = &self.flow.plan.fetch.resource;
        let Some(record) = read.or_else(|| wanted.kept.clone()) else {
            let reason = format!("{CHANGED}: {resource} of {} no longer has it", source.title());
            return Ok(Err(reason));
        };
        let Some(agreed) = &wanted.agreed else { return Ok(Ok(record)) };
        let whole = match source.session.detail(resource) {
            Some(detail) if !is_deleted(self.deletions, &record) => {
                detail.complete(resource, record.clone()).await?
            }
            _ => record.clone(),
        };
        Ok(match difference(agreed, &whole) {
            Some(difference) => Err(format!("{CHANGED}: it has changed in {}: {difference}", source.title())),
            None => Ok(record),
        })
    }

    /// What the source has now of these records, by what they were named by.
    async fn read_named(&self, wanted: &[Wanted]) -> Result<HashMap<String, Record>, RemoteError> {
        let source = &self.sides.source;
        let resource = &self.flow.plan.fetch.resource;
        let key_field = source.key_field(resource);
        let keys: Vec<String> = wanted.iter().map(|wanted| wanted.key.clone()).collect();
        let mut read: HashMap<String, Record> = HashMap::new();
        let known_by = source.known_by(resource).map(str::to_owned);
        for field in [Some(key_field), known_by].into_iter().flatten() {
            let missing: Vec<String> = keys.iter().filter(|key| !read.contains_key(*key)).cloned().collect();
            let found = match self.named_by(&field, &missing).await {
                Ok(found) => found,
                // The text cannot be a key of this system.
                Err(error) if error.advice == Advice::SkipRecord => continue,
                Err(error) => return Err(error),
            };
            for record in found {
                if let Some(key) = key_of(&record, &field).filter(|key| missing.contains(key)) {
                    read.insert(key, record);
                }
            }
        }
        let kept = |key: &str| wanted.iter().any(|one| one.key == key && one.kept.is_some());
        let mut missing: HashSet<String> =
            keys.into_iter().filter(|key| !read.contains_key(key) && !kept(key)).collect();
        if !missing.is_empty() {
            self.search_pages(&mut missing, &mut read).await?;
        }
        Ok(read)
    }

    /// Reads everything that the flow reads, until all of them have come by.
    async fn search_pages(
        &self,
        missing: &mut HashSet<String>,
        read: &mut HashMap<String, Record>,
    ) -> Result<(), RemoteError> {
        let source = &self.sides.source;
        let resource = &self.flow.plan.fetch.resource;
        let (key_field, known_by) = (source.key_field(resource), source.known_by(resource));
        let Some(fetch) = source.session.fetch(resource) else {
            return Err(source.cannot("fetch", resource));
        };
        let conditions = self.conditions()?;
        let request = FetchRequest { resource: resource.clone(), since: None, conditions, size: PAGE };
        let mut position = None;
        loop {
            let page = fetch.page(&request, position.as_deref()).await?;
            for record in page.records {
                let names = [key_of(&record, &key_field), known_by.and_then(|field| key_of(&record, field))];
                if let Some(name) = names.into_iter().flatten().find(|name| missing.contains(name)) {
                    missing.remove(&name);
                    read.insert(name, record);
                }
            }
            position = page.next;
            if position.is_none() || missing.is_empty() || self.options.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
        }
    }
}

/// The first field in which two records differ, in words.
fn difference(agreed: &Record, now: &Record) -> Option<String> {
    let names = agreed.iter().chain(now.iter()).map(|(name, _)| name);
    for name in names {
        let [before, after] = [agreed, now].map(|record| record.get(name).unwrap_or(&Value::Null));
        if !before.says_the_same_as(after) {
            return Some(match (before, after) {
                (Value::Map(_) | Value::List(_), _) | (_, Value::Map(_) | Value::List(_)) => {
                    format!("`{name}` is not what it was")
                }
                _ => format!("`{name}` was {before} and is {after}"),
            });
        }
    }
    None
}

//! Flows that only add records to a journal are settled by the page, not by the record.
//!
//! A target that records are only added to, such as a file of lines, is itself the proof of what
//! was written. So a page is mapped, appended as one piece, and settled in one transaction: the
//! cursor, the mark behind the page, and a fingerprint of each record's key. A page that a dead
//! process left behind the mark is taken back before anything else. Whatever is unusual about a
//! record (it was seen before, it is refused, it is left out with a reason) goes the way of other
//! flows, record by record. See `docs/decisions/2026-11-22-journals.md`.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use connectors::contract::{self, RemoteError, unreadable};
use connectors::manifest::Deleted;
use connectors::record::{Record, Value};

use super::deleted::is_deleted;
use super::page::{PageRun, ReadPage};
use super::reading::Reading;
use super::seen::Filter;
use super::settle::{PageEnd, add};
use super::sides::Sides;
use super::{Ended, Run};
use crate::flow::Flow;
use crate::mapping::{self, Template};
use crate::program::{Act, Condition, Do, Step, With, Write};
use crate::script::{Bindings, RecordBudget};
use crate::store::{Added, Counts, Cursor, Fingerprint, Journal, Known, Page, StoreError, Written};

/// Records that are read at once: few enough to stay in the processor's cache until they are
/// mapped.
const READ: usize = 250;

/// Records that are settled together: a few commits weigh little against so many.
const SETTLED: usize = 4_000;

/// Time after which they are settled, however few they are.
const PATIENCE: Duration = Duration::from_secs(1);

/// Times that a page is offered when others keep adding to the target.
const OFFERS: usize = 16;

/// The way of a flow whose target is a journal.
pub(super) struct Road<'a> {
    flow: &'a Flow,
    target: &'a dyn contract::Journal,
    /// The steps before the create: filters and the like.
    steps: &'a [Step],
    write: &'a Write,
    deletions: Option<&'a Deleted>,
    /// How the write's lines become a line of the target, where that takes no record.
    template: Option<Template<'a>>,
    key_field: String,
    /// What every record can read.
    base: Bindings,
    /// The name of a record.
    name: Arc<str>,
    filter: Option<Filter>,
    /// As the store has it.
    noted: Option<Journal>,
    /// Where the target ends, unless that has to be asked.
    end: Option<String>,
}

/// A page that is being made.
#[derive(Default)]
struct Made {
    bytes: Vec<u8>,
    keys: Vec<Fingerprint>,
    counts: Counts,
    /// Records that have to go by themselves.
    odd: Vec<Record>,
    /// Where reading goes on behind them; none before the first page.
    cursor: Option<Cursor>,
}

impl Made {
    /// Records that it stands for.
    fn records(&self) -> usize {
        usize::try_from(self.counts.read()).unwrap_or_default() + self.odd.len()
    }
}

/// What became of a record.
enum Way {
    Entered,
    Filtered,
    Odd,
}

impl<'a> Road<'a> {
    /// The road, when every step of the flow allows it.
    pub(super) fn of(flow: &'a Flow, sides: &'a Sides) -> Option<Self> {
        let source = &flow.plan.fetch.resource;
        let (last, steps) = flow.program.steps.split_last()?;
        let Act::Write(write) = &last.action else { return None };
        let simple = |step: &Step| {
            matches!(step.action, Act::Filter(_) | Act::Skip(..) | Act::Fail(..) | Act::Map(..))
        };
        let allowed = matches!(write.verb, Do::Create)
            && steps.iter().all(simple)
            && sides.source.session.detail(source).is_none();
        let target = sides.target.session.journal(&write.resource).filter(|_| allowed)?;
        let mut base = flow.bindings.clone();
        base.set("creating", true);
        let key_field = sides.source.key_field(source);
        let name = flow.plan.fetch.name.as_str().into();
        let template = Template::of(&write.lines, |field| target.member(&write.resource, field));
        Some(Self {
            flow,
            target,
            steps,
            write,
            deletions: sides.source.deletions(source),
            template,
            key_field,
            base,
            name,
            filter: None,
            noted: None,
            end: None,
        })
    }

    /// Makes the record's line and adds it to the page.
    fn enter(&mut self, record: Record, made: &mut Made) {
        let Some(key) = self.key(&record).filter(|_| !is_deleted(self.deletions, &record)) else {
            return made.odd.push(record);
        };
        let Some(filter) = &mut self.filter else { return made.odd.push(record) };
        if filter.may_have(key) {
            // The one before it on this page is the one that is created.
            if made.keys.contains(&key) {
                made.counts.unchanged += 1;
            } else {
                made.odd.push(record);
            }
            return;
        }
        filter.add(key);
        let mut bindings = std::mem::take(&mut self.base);
        let base = bindings.mark();
        bindings.draw_from(RecordBudget::new());
        bindings.set(Arc::clone(&self.name), record);
        let mark = bindings.mark();
        match self.walk(&mut bindings, &mut made.bytes).unwrap_or(Way::Odd) {
            Way::Entered => {
                made.keys.push(key);
                made.counts.created += 1;
            }
            Way::Filtered => made.counts.skipped += 1,
            Way::Odd => {
                bindings.back_to(mark);
                if let Some(Value::Map(record)) = bindings.take_last() {
                    made.odd.push(record);
                }
            }
        }
        bindings.back_to(base);
        self.base = bindings;
    }

    /// The key of a record that can be read.
    fn key(&self, record: &Record) -> Option<Fingerprint> {
        if unreadable(record).is_some() {
            return None;
        }
        match record.get(&self.key_field)? {
            Value::Text(key) if !key.is_empty() => Some(Fingerprint::of_key(key)),
            Value::Int(number) => Some(Fingerprint::of_key(&number.to_string())),
            Value::Decimal(number) => Some(Fingerprint::of_key(&number.to_string())),
            _ => None,
        }
    }

    /// `None`: something fails, and the way of other flows says what.
    fn walk(&self, bindings: &mut Bindings, page: &mut Vec<u8>) -> Option<Way> {
        let host = &self.flow.host;
        for step in self.steps {
            match &step.action {
                Act::Filter(condition) if !host.truth(&condition.compiled, bindings).ok()? => {
                    return Some(Way::Filtered);
                }
                Act::Skip(_, Condition { negated, script }) | Act::Fail(_, Condition { negated, script })
                    if host.truth(&script.compiled, bindings).ok()? != *negated =>
                {
                    return None;
                }
                Act::Map(name, With::Block(lines)) => {
                    let record = mapping::record(host, lines, bindings, true).ok()?;
                    bindings.set(name.as_str(), record);
                }
                Act::Map(name, With::Script(script)) => {
                    let value = host.evaluate(&script.compiled, bindings).ok()?;
                    bindings.set(name.as_str(), value);
                }
                _ => {}
            }
        }
        if let Some(template) = &self.template {
            let start = page.len();
            if template.write(host, bindings, true, page).is_some() {
                page.push(b'\n');
                return Some(Way::Entered);
            }
            page.truncate(start);
        }
        let record = mapping::record(host, &self.write.lines, bindings, true).ok()?;
        self.target.enter(&self.write.resource, &record, page).ok()?;
        Some(Way::Entered)
    }
}

impl Run<'_> {
    /// Takes back what a process that died has left behind the mark.
    pub(super) async fn take_back(&self) -> Result<Option<RemoteError>, StoreError> {
        let Some(noted) = self.store.journal(&self.flow.name).await? else { return Ok(None) };
        self.past.lock().await.get_or_insert_default();
        let writes = self.flow.program.steps.iter().filter_map(|step| match &step.action {
            Act::Write(write) if write.id == noted.write_id => Some(write),
            _ => None,
        });
        for write in writes {
            if let Some(target) = self.sides.target.session.journal(&write.resource)
                && let Err(error) = target.end(&write.resource, &noted.owner, Some(&noted.mark)).await
            {
                return Ok(Some(error));
            }
        }
        Ok(None)
    }

    /// Reads, maps and appends page by page.
    pub(super) async fn by_the_page(&self, mut road: Road<'_>) -> Result<Option<Ended>, StoreError> {
        let resource = &self.flow.plan.fetch.resource;
        let Some(fetch) = self.sides.source.session.fetch(resource) else {
            return Ok(Some(Ended::Remote(self.sides.source.cannot("fetch", resource))));
        };
        road.noted = self.store.journal(&self.flow.name).await?;
        self.past.lock().await.get_or_insert_default();
        let kept = self.store.cursor(&self.flow.name).await?.unwrap_or_default();
        let begun = Reading::begin(self.flow, &kept, self.options.full)
            .and_then(|reading| Ok((self.request(&reading)?, reading)));
        let (mut request, mut reading) = match begun {
            Ok(begun) => begun,
            Err(error) => return Ok(Some(Ended::Remote(error))),
        };
        request.size = READ;
        let mut made = Made::default();
        let mut settled = Instant::now();
        let mut page = match fetch.page(&request, reading.position.as_deref()).await {
            Ok(page) => page,
            Err(error) => return Ok(Some(Ended::Remote(error))),
        };
        loop {
            reading.seen(&page.records);
            let mut cursor = reading.after(page.next.as_deref());
            if page.next.is_none() && self.flow.plan.fetch.since.is_none() {
                // Without such a place the next run reads everything, and knows it.
                cursor.position = fetch.end(&request).await.ok().flatten();
            }
            let prefetch = async {
                match page.next.as_deref() {
                    Some(position) => Some(fetch.page(&request, Some(position)).await),
                    None => None,
                }
            };
            // Asked first: a source far away answers while this page is mapped.
            let work = self.enter_page(&mut road, std::mem::take(&mut page.records), &mut made);
            let (fetched, entered) = futures::join!(prefetch, work);
            entered?;
            made.cursor = Some(cursor);
            let ended = match fetched {
                None => Some(None),
                Some(_) if self.options.stop.load(Ordering::Relaxed) => Some(Some(Ended::Stopped)),
                Some(Err(error)) => Some(Some(Ended::Remote(error))),
                Some(Ok(next)) => {
                    page = next;
                    None
                }
            };
            if ended.is_some() || made.records() >= SETTLED || settled.elapsed() > PATIENCE {
                let end = self.add_page(&mut road, &mut made).await?;
                if let Some(error) = end.halted {
                    return Ok(Some(Ended::Remote(error)));
                }
                settled = Instant::now();
            }
            if let Some(ended) = ended {
                return Ok(ended);
            }
        }
    }

    async fn enter_page(
        &self,
        road: &mut Road<'_>,
        records: Vec<Record>,
        made: &mut Made,
    ) -> Result<(), StoreError> {
        if road.filter.is_none() && !records.is_empty() {
            road.filter = Some(Filter::load(self.store, &self.flow.name).await?);
        }
        for record in records {
            road.enter(record, made);
        }
        Ok(())
    }

    async fn add_page(&self, road: &mut Road<'_>, made: &mut Made) -> Result<PageEnd, StoreError> {
        let Made { bytes, keys, counts, odd, cursor } = std::mem::take(made);
        if !odd.is_empty() {
            let page = PageRun { run: self, again: false, named: false };
            let walked = page.walk(ReadPage { records: odd, cursor: None }).await?;
            let end = page.settle(walked, false, false).await?;
            if end.halted.is_some() {
                return Ok(end);
            }
            // One of them may have been created by itself.
            road.end = None;
        }
        let mut page =
            Page { run: self.id.clone(), plan: self.flow.print, counted: counts, cursor, ..Page::default() };
        if !keys.is_empty() {
            match self.append(road, &bytes).await? {
                Ok(journal) => page.added = Some(Added { journal, keys }),
                Err(error) => return Ok(PageEnd { halted: Some(error), has_sent: false }),
            }
        }
        self.store.settle_page(&self.lease, &page).await?;
        let has_sent = page.added.is_some();
        if let (Some(added), Some(past)) = (page.added, &mut *self.past.lock().await) {
            past.add(&added.keys);
            road.noted = Some(added.journal);
        }
        let mut all = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        add(&mut all, &page.counted);
        self.watcher.page(&all);
        // The next page takes its room: fresh memory costs the kernel more than the copy into it.
        made.bytes = bytes;
        made.bytes.clear();
        Ok(PageEnd { halted: None, has_sent })
    }

    /// Appends a page at a mark that the store has noted before: what stands behind a mark that
    /// nobody noted could not be told from what others added.
    async fn append(
        &self,
        road: &mut Road<'_>,
        page: &[u8],
    ) -> Result<Result<Journal, RemoteError>, StoreError> {
        let resource = &road.write.resource;
        let owner = road.noted.as_ref().map_or_else(|| self.id.clone(), |noted| noted.owner.clone());
        let journal = |mark: String| Journal { owner: owner.clone(), write_id: road.write.id.clone(), mark };
        for _ in 0..OFFERS {
            let mark = if let Some(mark) = road.end.take() {
                mark
            } else {
                let known = road.noted.as_ref().map(|noted| noted.mark.as_str());
                match road.target.end(resource, &owner, known).await {
                    Ok(mark) => mark,
                    Err(error) => return Ok(Err(error)),
                }
            };
            let begin = journal(mark);
            if road.noted.as_ref() != Some(&begin) {
                self.store.set_journal(&self.lease, &begin).await?;
                road.noted = Some(begin.clone());
            }
            match road.target.append(resource, &owner, &begin.mark, page).await {
                Ok(Some(end)) => {
                    road.end = Some(end.clone());
                    return Ok(Ok(journal(end)));
                }
                Ok(None) => {}
                Err(error) => return Ok(Err(error)),
            }
        }
        let reason = "others keep adding to it, so that no page finds its place";
        Ok(Err(RemoteError::new(contract::Advice::Retry(None), self.sides.target.title(), reason)))
    }
}

impl PageRun<'_> {
    /// Adds what only pages of a journal know. A flow that creates by the page has no more to do
    /// with such a record: it is answered. One that has become another only does not create it
    /// again.
    pub(super) async fn created_by_the_page(
        &self,
        keys: &[String],
        known: &mut [Known],
    ) -> Result<HashSet<Fingerprint>, StoreError> {
        let (flow, store) = (self.run.flow, self.run.store);
        let mut past = self.run.past.lock().await;
        let Some(past) = past.as_mut() else { return Ok(HashSet::new()) };
        let prints: Vec<Fingerprint> = keys
            .iter()
            .zip(&*known)
            .filter(|(_, known)| known.ledger.is_none())
            .map(|(key, _)| Fingerprint::of_key(key))
            .collect();
        let found = past.of(store, &flow.name, &prints).await?;
        if found.is_empty() || Road::of(flow, self.run.sides).is_some() {
            return Ok(found);
        }
        let Some(journal) = store.journal(&flow.name).await? else { return Ok(found) };
        for (key, known) in keys.iter().zip(known) {
            if known.written.is_empty() && found.contains(&Fingerprint::of_key(key)) {
                known.written.push(Written {
                    write_id: journal.write_id.clone(),
                    item: String::new(),
                    target_key: String::new(),
                    sent_print: Fingerprint::default(),
                    sent: None,
                });
            }
        }
        Ok(HashSet::new())
    }
}

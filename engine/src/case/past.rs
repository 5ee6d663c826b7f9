//! A case from what the store keeps of a record: what was read, what was looked up and found,
//! what was written; without the people in it.
//!
//! The store does not keep the records that look-ups found, only by what they were found. They are
//! put together from that, from what a write found before it, and from what comes when the case is
//! played: what was not written in the past was there already.

use std::collections::BTreeMap;
use std::path::PathBuf;

use connectors::contract::DELETED;
use connectors::manifest::Manifest;
use connectors::record::{Record, Value, read_json};
use dsl::plan::{Action, Plan, Side, Step};

use super::accept::{Change, changed, pretty, write_whole};
use super::memory::Books;
use super::play::{Checked, Manifests, Played, told};
use super::read::FlowCase;
use super::scrub::Scrub;
use super::suite::Suite;
use super::tree::read;
use crate::project::{FlowEntry, Given, Project, read_text};
use crate::store::{HistoryRow, Store};
use crate::trouble::Trouble;

/// Lines of the log that are searched for one with the record as it was read.
const LINES: u32 = 100;

/// Times that what was there is put together better.
const ROUNDS: usize = 4;

/// A case that was made.
#[derive(Debug)]
pub struct Made {
    /// Its name.
    pub name: String,
    /// The case, as it is written.
    pub case: Value,
    /// The case file beside the flow, from the project's folder.
    pub file: String,
    /// Where what comes differs from what came then: a line each.
    pub notes: Vec<String>,
    path: PathBuf,
}

/// Makes a case of what happened last to a record.
pub async fn of_past(project: &Project, store: &dyn Store, flow: &str, key: &str) -> Result<Made, Trouble> {
    let entry = project.flow(flow)?;
    let suite = Suite::new(project, false)?;
    let (checked, manifests) = suite.plan(entry)?;
    let plan = &checked.1;
    let history = store.record_history(flow, key, LINES).await?;
    // Of its end nothing is known but that it came: the case is how it was before.
    let as_read = |row: &HistoryRow| match read_json(&row.payload.clone()?.into()) {
        Ok(Value::Map(record)) if record.get(DELETED).is_some() => None,
        other => Some(other),
    };
    let Some((row, read)) = history.iter().find_map(|row| Some((row, as_read(row)?))) else {
        let message = format!("of `{key}` nothing is kept that a case could be made of");
        return Err(Trouble::new("R127", message)
            .help("records are kept for as long as [privacy] in weft.toml says, and not at all with `payloads = false`"));
    };
    let Ok(Value::Map(source)) = read else {
        return Err(Trouble::new("R127", format!("what is kept of `{key}` cannot be read")));
    };
    let mut past = Past { plan, manifests: &manifests, source: Books::new(), target: Books::new() };
    past.put_together(source, row);
    past.scrub();
    let name = format!("a record as it came on {}", day(row.at));
    let mut case = FlowCase {
        name: name.clone(),
        given: Given::default(),
        source: past.source,
        target: past.target,
        deleted: Vec::new(),
        expects: None,
        at: 0..0,
        expects_at: None,
    };
    let then = told(row, &super::play::resources(plan));
    let mut played = suite.once((entry, &checked), &manifests, &case).await?;
    for _ in 0..ROUNDS {
        if !complete(&mut case.target, &manifests.target, &then, &played) {
            break;
        }
        played = suite.once((entry, &checked), &manifests, &case).await?;
    }
    let notes = notes(&then, &played);
    let case = written(&name, &case, played.came);
    let path = project.root.join(&entry.file).with_extension("case.json");
    let file = PathBuf::from(&entry.file).with_extension("case.json").to_string_lossy().into_owned();
    Ok(Made { name, case, file, notes, path })
}

impl Made {
    /// Adds the case to the file beside the flow, or begins that.
    pub fn add(&self) -> Result<(), Trouble> {
        let mut case = String::new();
        pretty(&self.case, 2, 1, &mut case);
        if !self.path.is_file() {
            return write_whole(&self.path, &format!("[\n  {case}\n]\n"));
        }
        let text = read_text(&self.path)?;
        let node = read(&text).ok().filter(|node| node.items().is_some()).ok_or_else(|| {
            Trouble::new("R120", format!("`{}` is no list of cases", self.file))
                .help("mend it; `weft test` says where it is wrong")
        })?;
        let last = node.items().and_then(<[_]>::last);
        let (at, comma) = last.map_or((node.span.start + 1, ""), |last| (last.span.end, ","));
        let end = if last.is_some() { "" } else { "\n" };
        let change = Change { at: at..at, text: format!("{comma}\n  {case}{end}") };
        write_whole(&self.path, &changed(&text, vec![change]))
    }
}

fn day(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at)
        .map_or_else(|_| String::new(), |at| at.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
}

/// What is known of both systems at the time.
struct Past<'a> {
    plan: &'a Plan,
    manifests: &'a Manifests,
    source: Books,
    target: Books,
}

/// A look-up as the log has it.
struct LookedUp {
    resource: String,
    by: Vec<String>,
    key: Vec<Value>,
    found: usize,
}

impl Past<'_> {
    fn put_together(&mut self, source: Record, row: &HistoryRow) {
        self.source.insert(self.plan.fetch.resource.clone(), vec![source]);
        let detail = row.detail.clone().and_then(|detail| read_json(&detail.into()).ok());
        let detail = detail.as_ref().and_then(Value::as_map).cloned().unwrap_or_default();
        let list = |name: &str| detail.get(name).and_then(Value::as_list).unwrap_or_default().to_vec();
        let mut lookups: Vec<LookedUp> =
            list("lookups").iter().filter_map(Value::as_map).map(looked_up).collect();
        let resources = super::play::resources(self.plan);
        for write in list("writes").iter().filter_map(Value::as_map) {
            self.found_by_a_write(write, &resources, &mut lookups);
        }
        for lookup in &lookups {
            for side in sides(self.plan, lookup) {
                self.found(side, lookup);
            }
        }
    }

    /// What an update or an upsert found.
    fn found_by_a_write(
        &mut self,
        write: &Record,
        resources: &BTreeMap<String, String>,
        lookups: &mut Vec<LookedUp>,
    ) {
        let (Some(id), Some(key)) = (write.text("write"), write.text("key")) else { return };
        if write.text("did") == Some("created") {
            return;
        }
        let Some(resource) = resources.get(id) else { return };
        let Some(known) = self.manifests.target.resources.get(resource) else { return };
        let book = self.target.entry(resource.clone()).or_default();
        let at = book.iter().position(|record| record.text(&known.key) == Some(key));
        let at = at.unwrap_or_else(|| {
            book.push([(known.key.as_str(), Value::from(key))].into_iter().collect());
            book.len() - 1
        });
        let Some(record) = book.get_mut(at) else { return };
        let by_it = |lookup: &LookedUp| lookup.resource == *resource && lookup.found == 1;
        if let Some(at) = lookups.iter().position(by_it) {
            let lookup = lookups.remove(at);
            for (field, value) in lookup.by.iter().zip(lookup.key) {
                put(record, field, value);
            }
        }
        for (field, value) in write.get("before").and_then(Value::as_map).into_iter().flat_map(Record::iter) {
            put(record, field, value.clone());
        }
    }

    /// As many records as a look-up found.
    fn found(&mut self, side: Side, lookup: &LookedUp) {
        let (manifest, books) = match side {
            Side::Source => (&self.manifests.source, &mut self.source),
            Side::Target => (&self.manifests.target, &mut self.target),
        };
        let Some(known) = manifest.resources.get(&lookup.resource) else { return };
        let book = books.entry(lookup.resource.clone()).or_default();
        let has = |record: &&Record| {
            lookup
                .by
                .iter()
                .zip(&lookup.key)
                .all(|(field, value)| record.at(field).is_some_and(|there| there.says_the_same_as(value)))
        };
        let there = book.iter().filter(has).count();
        for _ in there..lookup.found {
            let mut record = Record::new();
            if !lookup.by.contains(&known.key) {
                record.set(known.key.as_str(), format!("{}", 801 + book.len()));
            }
            for (field, value) in lookup.by.iter().zip(&lookup.key) {
                put(&mut record, field, value.clone());
            }
            book.push(record);
        }
    }

    fn scrub(&mut self) {
        let mut scrub = Scrub::default();
        for (resource, record) in every(&self.source).chain(every(&self.target)) {
            scrub.learn(resource, record);
        }
        for books in [&mut self.source, &mut self.target] {
            for record in books.values_mut().flatten() {
                *record = scrub.record(record);
            }
        }
    }
}

fn every(books: &Books) -> impl Iterator<Item = (&str, &Record)> {
    books.iter().flat_map(|(resource, book)| book.iter().map(move |record| (resource.as_str(), record)))
}

/// Sets a field, also within a part.
fn put(record: &mut Record, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            record.set(path, value);
        }
        Some((first, rest)) => {
            let mut inner = record.get(first).and_then(Value::as_map).cloned().unwrap_or_default();
            put(&mut inner, rest, value);
            record.set(first, inner);
        }
    }
}

fn looked_up(lookup: &Record) -> LookedUp {
    let by = lookup.text("by").unwrap_or_default().split(" and ").map(str::to_owned).collect();
    LookedUp {
        resource: lookup.text("resource").unwrap_or_default().to_owned(),
        by,
        key: lookup.get("key").and_then(Value::as_list).unwrap_or_default().to_vec(),
        found: lookup
            .get("found")
            .and_then(Value::as_int)
            .and_then(|found| found.try_into().ok())
            .unwrap_or(0),
    }
}

/// Which systems a look-up may have asked: the log does not say.
fn sides(plan: &Plan, lookup: &LookedUp) -> Vec<Side> {
    fn collect(steps: &[Step], lookup: &LookedUp, sides: &mut Vec<Side>) {
        for step in steps {
            match &step.action {
                Action::Lookup(known) if known.resource == lookup.resource => {
                    let same = known.by.len() == lookup.by.len()
                        && known.by.iter().all(|one| lookup.by.contains(&one.field));
                    if same && !sides.contains(&known.side) {
                        sides.push(known.side);
                    }
                }
                Action::Each { steps, .. } => collect(steps, lookup, sides),
                Action::When { then, otherwise, .. } => {
                    collect(then, lookup, sides);
                    collect(otherwise, lookup, sides);
                }
                _ => {}
            }
        }
    }
    let mut sides = Vec::new();
    collect(&plan.steps, lookup, &mut sides);
    // Writes look things up in the target.
    if sides.is_empty() { vec![Side::Target] } else { sides }
}

/// Puts what was not written then, and is written now, among what was there. False when there is
/// nothing to mend.
fn complete(target: &mut Books, manifest: &Manifest, then: &Value, played: &Played) -> bool {
    let mut mended = false;
    for (was, is) in pairs(then, played) {
        // What is created now, and was found then by the key that the store had of it.
        let found = || was.text("unchanged").or_else(|| was.text("update")).is_some();
        let resource = is.text("update").or_else(|| is.text("create").filter(|_| found()));
        let (Some(resource), Some(key)) = (resource, was.text("key").or_else(|| is.text("key"))) else {
            continue;
        };
        let Some(known) = manifest.resources.get(resource) else { continue };
        let Some(fields) = is.get("fields").and_then(Value::as_map) else { continue };
        let written = was.get("fields").and_then(Value::as_map).cloned().unwrap_or_default();
        let book = target.entry(resource.to_owned()).or_default();
        let Some(record) = book.iter_mut().find(|record| record.text(&known.key) == Some(key)) else {
            continue;
        };
        for (field, value) in fields.iter().filter(|(field, _)| written.get(field).is_none()) {
            mended |= record.set(field.as_str(), value.clone()).as_ref() != Some(value);
        }
    }
    mended
}

/// Writes of then and of now, in their order.
fn pairs(then: &Value, played: &Played) -> Vec<(Record, Record)> {
    let writes = |told: Option<&Value>| -> Vec<Record> {
        let writes = told.and_then(Value::as_map).and_then(|told| told.get("writes"));
        let writes = writes.and_then(Value::as_list).unwrap_or_default();
        writes.iter().filter_map(Value::as_map).cloned().collect()
    };
    let now = played.came.iter().next().map(|(_, came)| came);
    writes(Some(then)).into_iter().zip(writes(now)).collect()
}

/// What comes otherwise than it came then, as far as that can be told without the people.
fn notes(then: &Value, played: &Played) -> Vec<String> {
    let outline = |told: Option<&Value>| -> Vec<String> {
        let told = told.and_then(Value::as_map).cloned().unwrap_or_default();
        let mut lines = vec![told.text("outcome").unwrap_or_default().to_owned()];
        for write in told.get("writes").and_then(Value::as_list).unwrap_or_default() {
            let Some(write) = write.as_map() else { continue };
            let fields = write.get("fields").and_then(Value::as_map);
            let mut names: Vec<&str> =
                fields.into_iter().flat_map(Record::iter).map(|(name, _)| name.as_str()).collect();
            names.sort_unstable();
            let first = write.iter().next();
            let (did, what) = first.map_or(("", ""), |(did, what)| (did, what.as_str().unwrap_or_default()));
            lines.push(format!("{did} {what} {}", names.join(", ")).trim_end().to_owned());
        }
        lines
    };
    let (was, is) = (outline(Some(then)), outline(played.came.iter().next().map(|(_, came)| came)));
    let mut notes = Vec::new();
    for at in 0..was.len().max(is.len()) {
        let line = |lines: &[String]| lines.get(at).cloned().unwrap_or_else(|| "nothing".to_owned());
        if was.get(at) != is.get(at) {
            notes.push(format!("then {}, now {}", line(&was), line(&is)));
        }
    }
    notes.extend(played.ended.iter().map(|reason| format!("the run cannot go on: {reason}")));
    notes
}

/// The case as it is written.
fn written(name: &str, case: &FlowCase, came: Record) -> Value {
    let books = |books: &Books| -> Record {
        let kept = books.iter().filter(|(_, book)| !book.is_empty());
        kept.map(|(name, book)| (name.as_str(), Value::List(book.iter().cloned().map(Value::Map).collect())))
            .collect()
    };
    let mut all = Record::new();
    all.set("name", name);
    all.set("source", books(&case.source));
    let target = books(&case.target);
    if !target.is_empty() {
        all.set("target", target);
    }
    all.set("expects", came);
    Value::Map(all)
}

impl Suite<'_> {
    /// A flow that is right, and its systems.
    fn plan(&self, entry: &FlowEntry) -> Result<(Checked, Manifests), Trouble> {
        let message = format!("flow `{}` cannot be loaded", entry.name);
        let several = |problems| Trouble::several(message.clone(), problems);
        let checked = self.loader.check(entry).map_err(several)?;
        let several = |problems| Trouble::several(message.clone(), problems);
        let manifests = self.manifests(entry, &checked.1).map_err(several)?;
        Ok((checked, manifests))
    }

    async fn once(
        &self,
        flow: (&FlowEntry, &Checked),
        manifests: &Manifests,
        case: &FlowCase,
    ) -> Result<Played, Trouble> {
        let store = self.store().await?;
        let played = super::play::play(&self.loader, flow, manifests, case, (&store, 0)).await;
        store.close().await;
        played.map_err(|problems| Trouble::several("the case cannot be played", problems))
    }
}

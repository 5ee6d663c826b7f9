//! Reading the files of a folder, and finding records in them.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use super::folder::{Folder, io_error, matches};
use super::index::Index;
use super::mark::{Mark, Position, generation};
use super::scan::{Format, Item, Scan};
use super::schema::{LINE, MARK, MODIFIED, Table, Which};
use crate::contract::{
    Advice, Create, Detail, Fetch, FetchRequest, Find, Journal, Key, Page, RemoteError, Session, UNREADABLE,
    Update, Written,
};
use crate::profile::form::plain;
use crate::record::{Record, Text, Value};

/// Records a page when nobody says how many.
const PAGE: usize = 500;

/// Bytes of file after which a page is full, however few records it holds.
const PAGE_BYTES: u64 = 4 << 20;

/// A session: the folder on a desk.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) folder: Folder,
    tables: Arc<Vec<Table>>,
    /// What the folder holds besides, for people.
    left_out: Arc<Vec<String>>,
    /// Indexes by resource and fields. Whoever holds them may write, one at a time.
    pub(super) indexes: Arc<Mutex<Indexes>>,
    /// By resource: where its only file ended when it was last read to the end.
    ends: Arc<Mutex<HashMap<String, Position>>>,
}

pub(super) type Indexes = HashMap<(String, Vec<String>), Index>;

/// A record in the terms of its fields, and what could not be read of it.
pub(super) fn record(table: &Table, wire: Value) -> (Record, Option<String>) {
    match (&table.shape, wire) {
        (Some(shape), wire) => shape.read_what_can_be(wire),
        (None, Value::Map(map)) => (map, None),
        (None, other) => (Record::new(), Some(format!("is a {}, not a record", other.kind()))),
    }
}

impl Desk {
    pub(super) fn new(folder: Folder, tables: Vec<Table>, left_out: &[RemoteError]) -> Self {
        let left_out = Arc::new(left_out.iter().map(|error| error.reason.clone()).collect());
        Self { folder, tables: Arc::new(tables), left_out, indexes: Arc::default(), ends: Arc::default() }
    }

    pub(super) fn table(&self, resource: &str) -> Result<&Table, RemoteError> {
        self.known(resource).ok_or_else(|| self.folder.error(format!("there is no file for `{resource}`")))
    }

    fn known(&self, resource: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == resource)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Indexes> {
        self.indexes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Work on the disk, away from the threads that must not wait.
    pub(super) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, RemoteError> + Send + 'static,
    ) -> Result<T, RemoteError> {
        let desk = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&desk)).await;
        done.unwrap_or_else(|error| Err(self.folder.error(format!("reading a file failed: {error}"))))
    }

    /// The same for little work whose result is used at once: handing records from thread to thread,
    /// and so from one processor's cache to another's, costs more than reading them.
    pub(super) fn work_here<T>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, RemoteError>,
    ) -> Result<T, RemoteError> {
        use tokio::runtime::{Handle, RuntimeFlavor};
        match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
            Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(|| work(self)),
            _ => work(self),
        }
    }

    /// Files of a resource; those of a pattern by name, an order that no change disturbs.
    pub(super) fn files(&self, table: &Table) -> Result<Vec<(String, PathBuf)>, RemoteError> {
        match &table.files {
            Which::One(path) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                // A link may have been put in its place since.
                self.folder.path(&path.strip_prefix(self.folder.root()).unwrap_or(path).to_string_lossy())?;
                Ok(vec![(name, path.clone())])
            }
            Which::Pattern(pattern) => {
                let mut files = Vec::new();
                for name in self.folder.list()?.into_iter().filter(|name| matches(pattern, name)) {
                    let path = self.folder.path(&name)?;
                    files.push((name, path));
                }
                Ok(files)
            }
        }
    }

    pub(super) fn open(&self, table: &Table, path: &Path) -> Result<Scan, RemoteError> {
        Scan::open(path, &table.setup).map_err(|fault| self.folder.fault(path, &fault))
    }

    fn read_page(&self, request: &FetchRequest, position: Option<&str>) -> Result<Page, RemoteError> {
        let table = self.table(&request.resource)?;
        let files = self.since(table, self.files(table)?, request);
        let size = if request.size == 0 { PAGE } else { request.size };
        let position = match position {
            Some(text) => Some(
                Position::from_text(text)
                    .ok_or_else(|| self.folder.error(format!("`{text}` is no position")))?,
            ),
            None => None,
        };
        // When the file is gone or no longer begins as it did, reading starts over.
        let mut place = None;
        let mut at = 0;
        if let Some(position) = position
            && let Some(found) = files.iter().position(|(name, _)| *name == position.file)
        {
            at = found;
            let holds = files.get(at).is_some_and(|(_, path)| position.still_holds(path).unwrap_or(false));
            place = holds.then_some(position);
        }
        let now = || Timestamp::now().as_microsecond();
        // The end of an earlier reading is where a new one begins.
        let begun = place.as_ref().filter(|place| place.whole.is_none());
        let started = begun.map_or_else(now, |place| place.started);
        let mut page = Page::default();
        while let Some((name, path)) = files.get(at) {
            let next = self.read_file(
                table,
                (name, path),
                place.take().as_ref(),
                (request, started),
                size,
                &mut page,
            )?;
            if next.is_some() {
                page.next = next.map(|position| position.to_text());
                return Ok(page);
            }
            at += 1;
        }
        Ok(page)
    }

    /// Reads from one file until the page is full; where it goes on, unless the file is done.
    fn read_file(
        &self,
        table: &Table,
        (name, path): (&str, &Path),
        place: Option<&Position>,
        (request, started): (&FetchRequest, i64),
        size: usize,
        page: &mut Page,
    ) -> Result<Option<Position>, RemoteError> {
        if !path.exists() && matches!(table.files, Which::One(_)) {
            return Err(io_error(path, &std::io::ErrorKind::NotFound.into()));
        }
        let mut scan = self.open(table, path)?;
        let io = |error: std::io::Error| io_error(path, &error);
        let generation = generation(path);
        if let Some(place) = place {
            scan.go_to(place.offset, Some(place.line), place.count).map_err(io)?;
        } else if let Some((field, Value::Int(mark))) = &request.since
            && field == MARK
        {
            self.go_to_mark(table, path, Mark::from_int(*mark), generation, &mut scan)?;
        }
        let begin = scan.place().0;
        // What is changed while a run reads is newer than everything that it reads.
        let limit = Timestamp::from_microsecond(started).unwrap_or(Timestamp::MAX);
        let changed = Value::from(modified(path).min(limit).to_string());
        loop {
            let here = scan.place();
            if page.records.len() >= size || here.0 - begin > PAGE_BYTES {
                return Position::new(path, name, here, started).map(Some).map_err(io);
            }
            match scan.next() {
                Ok(None) => {
                    let end = Position::new(path, name, scan.place(), started).map_err(io)?;
                    self.ends().insert(table.name.clone(), end);
                    return Ok(None);
                }
                Ok(Some(item)) => {
                    let record = dressed(table, item, generation, &changed);
                    if is_since(&record, request) {
                        page.records.push(record);
                    }
                }
                // What was good so far goes first; the fault comes again with the next page.
                Err(_) if !page.records.is_empty() => {
                    return Position::new(path, name, here, started).map(Some).map_err(io);
                }
                Err(fault) => return Err(self.folder.fault(path, &fault)),
            }
        }
    }

    fn ends(&self) -> MutexGuard<'_, HashMap<String, Position>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a later reading can go on, with a fingerprint of all that was read.
    fn end_of_reading(&self, resource: &str) -> Result<Option<String>, RemoteError> {
        let table = self.table(resource)?;
        let (Which::One(path), Some(end)) = (&table.files, self.ends().remove(resource)) else {
            return Ok(None);
        };
        // Lists are written anew as a whole.
        if table.setup.format == Format::Array {
            return Ok(None);
        }
        let end = end.with_all(path).map_err(|error| io_error(path, &error))?;
        Ok(Some(end.to_text()))
    }

    /// Goes to the record with that mark, when the file is still the one it was in.
    fn go_to_mark(
        &self,
        table: &Table,
        path: &Path,
        mark: Mark,
        generation: u64,
        scan: &mut Scan,
    ) -> Result<(), RemoteError> {
        let length = path.metadata().map_or(0, |about| about.len());
        let first = scan.place().0;
        if mark.generation != generation || mark.offset >= length || mark.offset <= first {
            return Ok(());
        }
        let mut probe = self.open(table, path)?;
        probe.go_to(mark.offset, Some(1), 0).map_err(|error| io_error(path, &error))?;
        // Anything else than the very record that was there means another file.
        let same = matches!(probe.next(), Ok(Some(item)) if item.start == mark.offset && item.hash & 0x3ff == mark.hash);
        if same {
            scan.go_to(mark.offset, None, 0).map_err(|error| io_error(path, &error))?;
        }
        Ok(())
    }

    /// Files that were changed at or after the moment that the cursor stands at.
    fn since(
        &self,
        table: &Table,
        files: Vec<(String, PathBuf)>,
        request: &FetchRequest,
    ) -> Vec<(String, PathBuf)> {
        let moment = match &request.since {
            Some((field, Value::Text(text))) if field == MODIFIED => text.parse::<Timestamp>().ok(),
            _ => None,
        };
        let (Some(moment), Some(_)) = (moment, self.known(&table.name)) else { return files };
        files.into_iter().filter(|(_, path)| modified(path) >= moment).collect()
    }

    fn find_all(&self, resource: &str, by: &[String], keys: &[Key]) -> Result<Vec<Vec<Record>>, RemoteError> {
        let table = self.table(resource)?;
        let mut answers = vec![Vec::new(); keys.len()];
        for (name, path) in self.files(table)? {
            if !path.exists() {
                continue;
            }
            let slot = (format!("{resource}/{name}"), by.to_vec());
            let mut indexes = self.lock();
            let index = indexes.entry(slot).or_default();
            index.refresh(table, &path, by).map_err(|fault| self.folder.fault(&path, &fault))?;
            let mut scan = None;
            for (key, answer) in keys.iter().zip(&mut answers) {
                for (offset, line, count) in index.places(key) {
                    let scan = match &mut scan {
                        Some(scan) => scan,
                        none => none.insert(self.open(table, &path)?),
                    };
                    scan.go_to(*offset, Some(*line), *count).map_err(|error| io_error(&path, &error))?;
                    let item = scan.next().map_err(|fault| self.folder.fault(&path, &fault))?;
                    let Some(item) = item else { continue };
                    let changed = Value::from(modified(&path).to_string());
                    let record = dressed(table, item, generation(&path), &changed);
                    if has_key(&record, by, key) && record.get(UNREADABLE).is_none() {
                        answer.push(record);
                    }
                }
            }
        }
        Ok(answers)
    }
}

/// A record with the fields that we add, and with what is wrong with it.
fn dressed(table: &Table, item: Item, generation: u64, changed: &Value) -> Record {
    let mark = Mark::new(generation, item.start, item.hash).to_int();
    let number = if table.setup.format == Format::Array { item.count } else { item.line };
    let (mut record, fault) = match item.wire {
        Ok(wire) => {
            let (record, fault) = record(table, wire);
            (record, fault.map(|fault| format!("line {}: {fault}", item.line)))
        }
        Err(reason) => (Record::new(), Some(reason)),
    };
    let fields = &table.resource.fields;
    if table.resource.key == LINE {
        record.set(Text::from_static(LINE), Value::from(number.to_string()));
    }
    if fields.get(MARK).is_some() {
        record.set(Text::from_static(MARK), Value::Int(mark));
    }
    if fields.get(MODIFIED).is_some() {
        record.set(Text::from_static(MODIFIED), changed.clone());
    }
    if let Some(reason) = fault {
        record.set(Text::from_static(UNREADABLE), Value::from(reason));
    }
    record
}

/// True for records at or after what the request starts from.
fn is_since(record: &Record, request: &FetchRequest) -> bool {
    let Some((field, least)) = &request.since else { return true };
    // The mark has already decided where reading starts.
    if field == MARK || field == MODIFIED {
        return true;
    }
    match (record.get(field), least) {
        (Some(Value::Int(value)), Value::Int(least)) => value >= least,
        (Some(Value::Text(value)), Value::Text(least)) => {
            match (value.parse::<Timestamp>(), least.parse::<Timestamp>()) {
                (Ok(value), Ok(least)) => value >= least,
                _ => true,
            }
        }
        _ => true,
    }
}

pub(super) fn has_key(record: &Record, by: &[String], key: &Key) -> bool {
    by.iter().zip(key).all(|(name, wanted)| {
        let found = record.get(name).unwrap_or(&Value::Null);
        !wanted.says_nothing() && (found.says_the_same_as(wanted) || plain(found) == plain(wanted))
    })
}

/// When a file was last changed, to the microsecond.
fn modified(path: &Path) -> Timestamp {
    let changed = path.metadata().and_then(|about| about.modified()).ok();
    changed.and_then(|changed| Timestamp::try_from(changed).ok()).unwrap_or_default()
}

#[async_trait]
impl Session for Desk {
    async fn probe(&self) -> Result<String, RemoteError> {
        let files = self.work(|desk| desk.folder.list()).await?;
        let mut line = format!("Files: {} files in the folder, {} resources", files.len(), self.tables.len());
        if !self.left_out.is_empty() {
            line = format!("{line}; left out: {}", self.left_out.join("; "));
        }
        Ok(line)
    }

    fn fetch(&self, resource: &str) -> Option<&dyn Fetch> {
        self.known(resource).map(|_| self as &dyn Fetch)
    }

    fn detail(&self, _: &str) -> Option<&dyn Detail> {
        None
    }

    fn find(&self, resource: &str) -> Option<&dyn Find> {
        self.known(resource).filter(|table| !table.resource.find.is_empty()).map(|_| self as &dyn Find)
    }

    fn create(&self, resource: &str) -> Option<&dyn Create> {
        self.known(resource)?.resource.create.as_ref().map(|_| self as &dyn Create)
    }

    fn update(&self, resource: &str) -> Option<&dyn Update> {
        self.known(resource)?.resource.update.as_ref().map(|_| self as &dyn Update)
    }

    fn journal(&self, resource: &str) -> Option<&dyn Journal> {
        self.has_journal(resource).then_some(self as &dyn Journal)
    }
}

#[async_trait]
impl Fetch for Desk {
    async fn page(&self, request: &FetchRequest, position: Option<&str>) -> Result<Page, RemoteError> {
        if let Some((field, _)) = request.conditions.first() {
            return Err(self.folder.error(format!("cannot filter by `{field}`")));
        }
        self.work_here(|desk| desk.read_page(request, position))
    }

    async fn end(&self, request: &FetchRequest) -> Result<Option<String>, RemoteError> {
        let resource = request.resource.clone();
        self.work(move |desk| desk.end_of_reading(&resource)).await
    }
}

#[async_trait]
impl Find for Desk {
    async fn find(
        &self,
        resource: &str,
        by: &[String],
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError> {
        let (resource, by, keys) = (resource.to_owned(), by.to_vec(), keys.to_vec());
        self.work(move |desk| desk.find_all(&resource, &by, &keys)).await
    }
}

#[async_trait]
impl Create for Desk {
    async fn create(&self, resource: &str, record: &Record, _: &str) -> Result<Written, RemoteError> {
        let (resource, record) = (resource.to_owned(), record.clone());
        self.work(move |desk| desk.append(&resource, &record)).await
    }
}

#[async_trait]
impl Update for Desk {
    async fn update(
        &self,
        resource: &str,
        key: &str,
        changes: &Record,
        _: Option<&Record>,
    ) -> Result<Written, RemoteError> {
        let (resource, key, changes) = (resource.to_owned(), key.to_owned(), changes.clone());
        self.work(move |desk| desk.rewrite(&resource, &key, &changes)).await
    }
}

/// An error that concerns one record only.
pub(super) fn refuse(reason: impl Into<String>) -> RemoteError {
    RemoteError::new(Advice::SkipRecord, "Files", reason)
}

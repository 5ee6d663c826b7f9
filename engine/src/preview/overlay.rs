//! Systems as they would be: what they answer, with what a plan would have written by then laid
//! over it. Nothing here can write: a [`Looking`] session has no way to the writes of the session
//! that it asks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use connectors::contract::{
    Create, Detail, Fetch, FetchRequest, Find, Key, Page, RemoteError, Session, Update, Written,
};
use connectors::manifest::{Kind, Manifest, Resource};
use connectors::record::{Record, Value};

use super::shelf::{Shelf, fits};

/// Longest name of a record that would be created.
const LONGEST: usize = 60;

/// What would have been written to one account by now.
#[derive(Debug, Default)]
pub(crate) struct Overlay(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// By resource.
    shelves: HashMap<String, Shelf>,
    /// Times that a name was given.
    names: HashMap<String, usize>,
}

impl Inner {
    /// A text that stands for what the target will give; no other one is the same.
    fn placeholder(&mut self, of: &str, name: &str) -> String {
        let times = self.names.entry(format!("{of} {name}")).or_insert(0);
        *times += 1;
        match (*times, name.is_empty()) {
            (times, true) => format!("‹new in {of} {times}›"),
            (1, false) => format!("‹new in {of}: {name}›"),
            (times, false) => format!("‹new in {of}: {name}, {times}›"),
        }
    }
}

/// A text that stands for a key which the target gives only when it creates the record.
pub(crate) fn is_placeholder(text: &str) -> bool {
    text.contains("‹new in ")
}

impl Overlay {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lays what would have been written over what the system answered.
    fn over(
        &self,
        resource: &str,
        key_field: &str,
        by: &[String],
        key: &Key,
        found: Vec<Record>,
    ) -> Vec<Record> {
        let mut inner = self.lock();
        let Some(shelf) = inner.shelves.get_mut(resource) else { return found };
        let mut seen: Vec<Record> = Vec::with_capacity(found.len());
        for record in found {
            let changed = record.get(key_field).and_then(|key| shelf.changed(&key.plain()));
            match changed {
                Some(changed) if !fits(changed, by, key) => {}
                Some(changed) => seen.push(changed.clone()),
                None => seen.push(record),
            }
        }
        for record in shelf.with(by, key) {
            let is_there = seen
                .iter()
                .any(|one| one.get(key_field).map(Value::plain) == record.get(key_field).map(Value::plain));
            if !is_there {
                seen.push(record.clone());
            }
        }
        seen
    }

    /// Whether a record that would be written has these values.
    pub(super) fn has(&self, resource: &str, by: &[String], key: &[Value]) -> bool {
        self.lock().shelves.get_mut(resource).is_some_and(|shelf| !shelf.with(by, key).is_empty())
    }

    fn make(&self, resource: &str, about: Option<&Resource>, record: &Record) -> Written {
        let mut inner = self.lock();
        let key_field = about.map_or("id", |about| about.key.as_str());
        let own = record.get(key_field).filter(|value| !value.says_nothing()).map(Value::plain);
        let name = name(about, record);
        let key = own.unwrap_or_else(|| inner.placeholder(resource, &name));
        let mut answer = record.clone();
        for (field, _) in about.into_iter().flat_map(|about| about.fields.iter()).filter(|(_, one)| one.given)
        {
            if record.get(field).is_none_or(Value::says_nothing) {
                answer.set(field, inner.placeholder(&format!("{resource}.{field}"), &name));
            }
        }
        let mut made = answer.clone();
        made.set(key_field, key.as_str());
        inner.shelves.entry(resource.to_owned()).or_default().make(&key, made);
        Written { key, record: answer }
    }

    fn change(&self, resource: &str, key: &str, changes: &Record, current: Option<&Record>) {
        let mut inner = self.lock();
        inner.shelves.entry(resource.to_owned()).or_default().change(key, changes, current);
    }
}

/// What people would call a record.
fn name(about: Option<&Resource>, record: &Record) -> String {
    let Some(about) = about else { return String::new() };
    let unique = about.find.iter().filter(|find| find.unique).flat_map(|find| &find.by);
    let texts = about.fields.iter().filter(|(_, field)| field.kind == Kind::Text).map(|(name, _)| name);
    let found_by = about.find.iter().flat_map(|find| &find.by);
    let fields = about.known_by.iter().chain(unique).chain(found_by).map(String::as_str).chain(texts);
    let texts = fields.filter_map(|field| record.get(field)).map(Value::plain);
    let name = texts.into_iter().find(|text| !text.is_empty() && !is_placeholder(text)).unwrap_or_default();
    // It stands within texts and within JSON.
    name.chars().filter(|one| !one.is_control() && !"\"\\‹›".contains(*one)).take(LONGEST).collect()
}

/// A conversation that reads, and writes to an [`Overlay`] only.
pub(crate) struct Looking {
    inner: Arc<dyn Session>,
    overlay: Arc<Overlay>,
    manifest: Manifest,
    /// Records that may still be read; `None`: all.
    left: Option<AtomicUsize>,
}

impl Looking {
    /// Asks `inner`; of pages no more than `limit` records.
    pub(crate) fn new(
        inner: Arc<dyn Session>,
        overlay: Arc<Overlay>,
        manifest: Manifest,
        limit: Option<usize>,
    ) -> Self {
        Self { inner, overlay, manifest, left: limit.map(AtomicUsize::new) }
    }

    fn key_field(&self, resource: &str) -> &str {
        self.manifest.resources.get(resource).map_or("id", |about| about.key.as_str())
    }
}

#[async_trait]
impl Session for Looking {
    async fn probe(&self) -> Result<String, RemoteError> {
        self.inner.probe().await
    }

    fn fetch(&self, resource: &str) -> Option<&dyn Fetch> {
        self.inner.fetch(resource).map(|_| self as &dyn Fetch)
    }

    fn detail(&self, resource: &str) -> Option<&dyn Detail> {
        self.inner.detail(resource)
    }

    fn find(&self, resource: &str) -> Option<&dyn Find> {
        self.inner.find(resource).map(|_| self as &dyn Find)
    }

    fn create(&self, resource: &str) -> Option<&dyn Create> {
        self.inner.create(resource).map(|_| self as &dyn Create)
    }

    fn update(&self, resource: &str) -> Option<&dyn Update> {
        self.inner.update(resource).map(|_| self as &dyn Update)
    }
}

#[async_trait]
impl Fetch for Looking {
    async fn page(&self, request: &FetchRequest, position: Option<&str>) -> Result<Page, RemoteError> {
        let Some(fetch) = self.inner.fetch(&request.resource) else { return Ok(Page::default()) };
        let Some(left) = &self.left else { return fetch.page(request, position).await };
        let most = left.load(Ordering::Relaxed);
        if most == 0 {
            return Ok(Page::default());
        }
        let mut page = fetch.page(request, position).await?;
        page.records.truncate(most);
        let rest = most - page.records.len();
        left.store(rest, Ordering::Relaxed);
        if rest == 0 {
            page.next = None;
        }
        Ok(page)
    }
}

#[async_trait]
impl Find for Looking {
    async fn find(
        &self,
        resource: &str,
        by: &[String],
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError> {
        // The system cannot know the key of a record that is not there yet.
        let known = |key: &&Key| !key.iter().any(|value| value.as_str().is_some_and(is_placeholder));
        let asked: Vec<Key> = keys.iter().filter(known).cloned().collect();
        let mut found = match self.inner.find(resource) {
            Some(find) if !asked.is_empty() => find.find(resource, by, &asked).await?,
            _ => Vec::new(),
        }
        .into_iter();
        let key_field = self.key_field(resource);
        let seen = keys.iter().map(|key| {
            let found = if known(&key) { found.next().unwrap_or_default() } else { Vec::new() };
            self.overlay.over(resource, key_field, by, key, found)
        });
        Ok(seen.collect())
    }
}

#[async_trait]
impl Create for Looking {
    async fn create(&self, resource: &str, record: &Record, _: &str) -> Result<Written, RemoteError> {
        Ok(self.overlay.make(resource, self.manifest.resources.get(resource), record))
    }
}

#[async_trait]
impl Update for Looking {
    async fn update(
        &self,
        resource: &str,
        key: &str,
        changes: &Record,
        current: Option<&Record>,
    ) -> Result<Written, RemoteError> {
        self.overlay.change(resource, key, changes, current);
        Ok(Written { key: key.to_owned(), record: changes.clone() })
    }
}

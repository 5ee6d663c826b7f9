//! A system in memory, made from the manifest of a real one: it has its resources, fields, keys
//! and abilities, and refuses what its schema does not allow. Of the rules that a real system has
//! beyond its manifest it knows none.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use connectors::check::check_write;
use connectors::contract::{
    Advice, Create, Detail, Fetch, FetchRequest, Find, Key, Page, RemoteError, Session, Update, Written,
};
use connectors::manifest::{Manifest, Resource};
use connectors::record::{Record, Value};

/// Records by resource, in the order in which they were given.
pub(super) type Books = BTreeMap<String, Vec<Record>>;

/// The number of the first record that a resource makes: told apart from those of a case at a
/// glance.
const FIRST: u32 = 9001;

/// A system in memory.
pub(super) struct Memory {
    manifest: Manifest,
    books: Mutex<Books>,
}

impl Memory {
    /// A system with these records; those without a key are given one.
    pub(super) fn new(manifest: Manifest, books: &Books) -> Self {
        let mut kept = Books::new();
        for (name, records) in books {
            let Some(resource) = manifest.resources.get(name) else { continue };
            let mut book: Vec<Record> = records.clone();
            for at in 0..book.len() {
                let key = next_key(&book, &resource.key);
                if let Some(record) = book.get_mut(at)
                    && record.get(&resource.key).is_none_or(Value::says_nothing)
                {
                    record.set(resource.key.as_str(), key);
                }
            }
            kept.insert(name.clone(), book);
        }
        Self { manifest, books: Mutex::new(kept) }
    }

    /// Takes records out of the books, by key.
    pub(super) fn delete(&self, resource: &str, keys: &[String]) {
        let Some(known) = self.resource(resource) else { return };
        self.with(resource, |book| book.retain(|record| !keys.contains(&plain(record.get(&known.key)))));
    }

    fn resource(&self, name: &str) -> Option<&Resource> {
        self.manifest.resources.get(name)
    }

    fn known(&self, name: &str) -> Result<&Resource, RemoteError> {
        self.resource(name).ok_or_else(|| {
            RemoteError::new(Advice::StopFlow, &self.manifest.title, format!("there is no `{name}`"))
        })
    }

    fn refuses(&self, reason: impl Into<String>) -> RemoteError {
        RemoteError::new(Advice::SkipRecord, &self.manifest.title, reason)
    }

    fn with<T>(&self, resource: &str, work: impl FnOnce(&mut Vec<Record>) -> T) -> T {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        work(books.entry(resource.to_owned()).or_default())
    }

    /// What the schema says of a record that is to be written.
    fn allows(&self, name: &str, record: &Record, creating: bool) -> Result<Record, RemoteError> {
        let record = without_nothing(record);
        let problems = check_write(&self.known(name)?.fields, &record, creating);
        if problems.is_empty() { Ok(record) } else { Err(self.refuses(problems.join("; "))) }
    }
}

/// Fields that say nothing are not sent by any connector.
fn without_nothing(record: &Record) -> Record {
    fn cleaned(value: &Value) -> Value {
        match value {
            Value::Map(record) => Value::Map(without_nothing(record)),
            Value::List(items) => Value::List(items.iter().map(cleaned).collect()),
            other => other.clone(),
        }
    }
    record
        .iter()
        .filter(|(_, value)| value.as_str() != Some(""))
        .map(|(name, value)| (name.clone(), cleaned(value)))
        .collect()
}

/// The next number that no record of the book has as its key.
fn next_key(book: &[Record], field: &str) -> String {
    let taken = |number: &u32| book.iter().any(|record| plain(record.get(field)) == number.to_string());
    // One of the numbers up to there is free: there are more of them than records.
    let last = FIRST.saturating_add(u32::try_from(book.len()).unwrap_or(u32::MAX));
    (FIRST..=last).find(|number| !taken(number)).unwrap_or(FIRST).to_string()
}

/// A value as a key is written.
pub(super) fn plain(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(value) => value.plain(),
    }
}

/// Moments by time whatever their zone, numbers by value, everything else as text.
fn compared(left: &Value, right: &Value) -> Ordering {
    if let (Some(left), Some(right)) = (left.as_decimal(), right.as_decimal()) {
        return left.cmp(&right);
    }
    let moment = |value: &Value| value.as_str()?.parse::<jiff::Timestamp>().ok();
    match (moment(left), moment(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => plain(Some(left)).cmp(&plain(Some(right))),
    }
}

#[async_trait]
impl Session for Memory {
    async fn probe(&self) -> Result<String, RemoteError> {
        Ok("in memory".to_owned())
    }

    fn fetch(&self, resource: &str) -> Option<&dyn Fetch> {
        self.resource(resource)?.fetch.as_ref().map(|_| self as &dyn Fetch)
    }

    fn detail(&self, resource: &str) -> Option<&dyn Detail> {
        let fetch = self.resource(resource)?.fetch.as_ref()?;
        (!fetch.detail.is_empty()).then_some(self as &dyn Detail)
    }

    fn find(&self, resource: &str) -> Option<&dyn Find> {
        (!self.resource(resource)?.find.is_empty()).then_some(self as &dyn Find)
    }

    fn create(&self, resource: &str) -> Option<&dyn Create> {
        self.resource(resource)?.create.as_ref().map(|_| self as &dyn Create)
    }

    fn update(&self, resource: &str) -> Option<&dyn Update> {
        self.resource(resource)?.update.as_ref().map(|_| self as &dyn Update)
    }
}

#[async_trait]
impl Fetch for Memory {
    async fn page(&self, request: &FetchRequest, position: Option<&str>) -> Result<Page, RemoteError> {
        let fetch = self.known(&request.resource)?.fetch.clone().unwrap_or_default();
        let mut wanted = self.with(&request.resource, |book| book.clone());
        if let Some((field, least)) = &request.since {
            wanted.retain(|record| record.get(field).is_some_and(|value| compared(value, least).is_ge()));
            if fetch.ascending {
                let field_of = |record: &Record| record.get(field).cloned().unwrap_or_default();
                wanted.sort_by(|one, other| compared(&field_of(one), &field_of(other)));
            }
        }
        wanted.retain(|record| {
            let has = |(field, value): &(String, Value)| {
                record.at(field).unwrap_or(&Value::Null).says_the_same_as(value)
            };
            request.conditions.iter().all(has)
        });
        let start: usize = position.and_then(|position| position.parse().ok()).unwrap_or(0);
        let end = start.saturating_add(request.size.max(1));
        let next = (end < wanted.len()).then(|| end.to_string());
        let mut records: Vec<Record> = wanted.into_iter().skip(start).take(end - start).collect();
        for record in &mut records {
            for field in &fetch.detail {
                record.remove(field);
            }
        }
        Ok(Page { records, next })
    }
}

#[async_trait]
impl Detail for Memory {
    async fn complete(&self, resource: &str, record: Record) -> Result<Record, RemoteError> {
        let key = &self.known(resource)?.key;
        let wanted = plain(record.get(key));
        let whole =
            self.with(resource, |book| book.iter().find(|whole| plain(whole.get(key)) == wanted).cloned());
        Ok(whole.unwrap_or(record))
    }
}

#[async_trait]
impl Find for Memory {
    async fn find(
        &self,
        resource: &str,
        by: &[String],
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError> {
        let known = self.known(resource)?;
        let first_only = known.find.iter().any(|find| find.by == by && find.first_only);
        let hidden: Vec<&str> =
            known.fields.iter().filter(|(_, field)| field.write_only).map(|(name, _)| name).collect();
        let shown = |record: &Record| {
            let fields = record.iter().filter(|(name, _)| !hidden.contains(&name.as_str()));
            fields.map(|(name, value)| (name.clone(), value.clone())).collect::<Record>()
        };
        self.with(resource, |book| {
            let one = |key: &Key| {
                let has = |record: &&Record| {
                    by.iter().zip(key).all(|(field, value)| {
                        record.at(field).is_some_and(|there| there.says_the_same_as(value))
                    })
                };
                let most = if first_only { 1 } else { usize::MAX };
                book.iter().filter(has).take(most).map(shown).collect()
            };
            Ok(keys.iter().map(one).collect())
        })
    }
}

#[async_trait]
impl Create for Memory {
    async fn create(&self, resource: &str, record: &Record, _: &str) -> Result<Written, RemoteError> {
        let mut record = self.allows(resource, record, true)?;
        let known = self.known(resource)?;
        let unique = known.find.iter().filter(|find| find.unique).map(|find| &find.by);
        let key_field = known.key.as_str();
        self.with(resource, |book| {
            for by in unique {
                let says = |other: &Record, field: &String| {
                    let value = record.at(field).filter(|value| !value.says_nothing());
                    value.is_some_and(|value| other.at(field).is_some_and(|old| old.says_the_same_as(value)))
                };
                if book.iter().any(|other| by.iter().all(|field| says(other, field))) {
                    let fields = by.join(" and ");
                    return Err(self.refuses(format!("{resource} with this {fields} is there already")));
                }
            }
            if record.get(key_field).is_none_or(Value::says_nothing) {
                record.set(key_field, next_key(book, key_field));
            }
            book.push(record.clone());
            Ok(Written { key: plain(record.get(key_field)), record })
        })
    }
}

#[async_trait]
impl Update for Memory {
    async fn update(
        &self,
        resource: &str,
        key: &str,
        changes: &Record,
        _: Option<&Record>,
    ) -> Result<Written, RemoteError> {
        self.allows(resource, changes, false)?;
        let key_field = &self.known(resource)?.key;
        self.with(resource, |book| {
            let Some(record) = book.iter_mut().find(|record| plain(record.get(key_field)) == key) else {
                return Err(self.refuses(format!("no {resource} has {key_field} {key}")));
            };
            for (name, value) in changes.iter() {
                record.set(name, value.clone());
            }
            Ok(Written { key: key.to_owned(), record: record.clone() })
        })
    }
}

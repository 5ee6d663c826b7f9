//! A system in memory, to see exactly what the engine asks and how it takes trouble.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connectors::contract::{
    Advice, Connector, Create, Detail, Fetch, FetchRequest, Find, Host, Key, Page, RemoteError, Session,
    Update, Written,
};
use connectors::manifest::{Answers, Manifest};
use connectors::record::{Record, Value, read_json};

/// A system whose books a test can read and write.
#[derive(Clone)]
pub struct Toy(Arc<Inner>);

struct Inner {
    manifest: Manifest,
    state: Mutex<State>,
    /// Turns that others have before a call is answered.
    turns: AtomicU32,
}

/// Numbers calls over all systems.
static CALLS: AtomicU64 = AtomicU64::new(0);

#[derive(Default)]
struct State {
    books: BTreeMap<String, Vec<Record>>,
    calls: Vec<(u64, String)>,
    troubles: VecDeque<Trouble>,
    says: Option<&'static str>,
    replies: BTreeMap<String, Written>,
    next: i64,
    held: Option<(&'static str, &'static str)>,
}

/// Trouble that the next call of a kind runs into.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// Start of the call, such as `create orders`.
    pub call: &'static str,
    /// What the caller is told.
    pub advice: Advice,
    /// The call is carried out all the same.
    pub applied: bool,
}

/// A record from JSON.
pub fn record(json: &str) -> Record {
    match read_json(&json.to_owned().into()) {
        Ok(Value::Map(map)) => map,
        other => panic!("no record: {other:?}"),
    }
}

impl Toy {
    /// A system with that manifest and empty books.
    pub fn new(manifest: &str) -> Self {
        let manifest = Manifest::from_toml(manifest).expect("the toy's manifest is sound");
        Self(Arc::new(Inner { manifest, state: Mutex::default(), turns: AtomicU32::new(0) }))
    }

    /// Puts a record into the books, or in the place of the one with its key.
    pub fn put(&self, resource: &str, json: &str) {
        let key = self.0.manifest.resources.get(resource).unwrap().key.clone();
        let new = record(json);
        let mut state = self.0.state.lock().unwrap();
        let book = state.books.entry(resource.to_owned()).or_default();
        match book.iter_mut().find(|old| old.get(&key) == new.get(&key)) {
            Some(old) => *old = new,
            None => book.push(new),
        }
    }

    /// Takes a record out of the books.
    pub fn take_away(&self, resource: &str, key: &str) {
        let field = &self.0.manifest.resources.get(resource).unwrap().key;
        let mut state = self.0.state.lock().unwrap();
        let book = state.books.get_mut(resource).unwrap();
        let before = book.len();
        book.retain(|record| record.text(field) != Some(key));
        assert_eq!(book.len() + 1, before, "{resource} has no {key}");
    }

    /// Everything in a book, a line of JSON each.
    pub fn book(&self, resource: &str) -> Vec<String> {
        let state = self.0.state.lock().unwrap();
        state.books.get(resource).into_iter().flatten().map(ToString::to_string).collect()
    }

    /// The calls since the last time this was asked, such as `create orders {…}`.
    pub fn calls(&self) -> Vec<String> {
        self.numbered_calls().into_iter().map(|(_, call)| call).collect()
    }

    /// The same with numbers by which the calls of several systems can be put in order.
    pub fn numbered_calls(&self) -> Vec<(u64, String)> {
        std::mem::take(&mut self.0.state.lock().unwrap().calls)
    }

    /// Puts a record into the books behind all others, even when there is one with its key.
    pub fn put_again(&self, resource: &str, json: &str) {
        let mut state = self.0.state.lock().unwrap();
        state.books.entry(resource.to_owned()).or_default().push(record(json));
    }

    /// A call with the one text in it is answered only after a call with the other one in it has
    /// come, or after some seconds when none comes.
    pub fn hold(&self, held: &'static str, until: &'static str) {
        self.0.state.lock().unwrap().held = Some((held, until));
    }

    async fn wait(&self, call: &str) {
        for _ in 0..5_000 {
            {
                let state = self.0.state.lock().unwrap();
                let Some((held, until)) = state.held else { return };
                if !call.contains(held) || state.calls.iter().any(|(_, call)| call.contains(until)) {
                    return;
                }
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }

    /// From here on calls take their time: others have about as many turns before the answer.
    pub fn slow_down(&self, turns: u32) {
        self.0.turns.store(turns, Ordering::Relaxed);
    }

    /// Not every call takes equally long.
    async fn take_time(&self) {
        let turns = self.0.turns.load(Ordering::Relaxed);
        let longer = u32::try_from(CALLS.load(Ordering::Relaxed) % 5).unwrap();
        for _ in 0..turns + turns * longer / 4 {
            tokio::task::yield_now().await;
        }
    }

    /// Of those, the ones that write.
    pub fn writes(&self) -> Vec<String> {
        self.calls()
            .into_iter()
            .filter(|call| call.starts_with("create") || call.starts_with("update"))
            .collect()
    }

    /// The next call of that kind runs into trouble.
    pub fn trouble(&self, trouble: Trouble) {
        self.0.state.lock().unwrap().troubles.push_back(trouble);
    }

    /// What is said of trouble from now on.
    pub fn says(&self, text: &'static str) {
        self.0.state.lock().unwrap().says = Some(text);
    }

    fn call<T>(
        &self,
        call: String,
        work: impl FnOnce(&mut State) -> Result<T, RemoteError>,
    ) -> Result<T, RemoteError> {
        let mut state = self.0.state.lock().unwrap();
        let at = state.troubles.iter().position(|trouble| call.starts_with(trouble.call));
        let trouble = at.and_then(|at| state.troubles.remove(at));
        state.calls.push((CALLS.fetch_add(1, Ordering::Relaxed), call));
        let Some(trouble) = trouble else { return work(&mut state) };
        if trouble.applied {
            work(&mut state)?;
        }
        let says = state.says.unwrap_or("trouble on demand");
        Err(RemoteError::new(trouble.advice, &self.0.manifest.title, says))
    }
}

impl Connector for Toy {
    fn manifest(&self) -> &Manifest {
        &self.0.manifest
    }

    fn connect(&self, _: &Answers, _: &Host) -> Result<Arc<dyn Session>, RemoteError> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Session for Toy {
    async fn probe(&self) -> Result<String, RemoteError> {
        self.call("probe".into(), |_| Ok("here".into()))
    }

    fn fetch(&self, resource: &str) -> Option<&dyn Fetch> {
        self.0.manifest.resources.get(resource)?.fetch.as_ref().map(|_| self as &dyn Fetch)
    }

    fn detail(&self, resource: &str) -> Option<&dyn Detail> {
        let fetch = self.0.manifest.resources.get(resource)?.fetch.as_ref()?;
        (!fetch.detail.is_empty()).then_some(self as &dyn Detail)
    }

    fn find(&self, resource: &str) -> Option<&dyn Find> {
        (!self.0.manifest.resources.get(resource)?.find.is_empty()).then_some(self as &dyn Find)
    }

    fn create(&self, resource: &str) -> Option<&dyn Create> {
        self.0.manifest.resources.get(resource)?.create.as_ref().map(|_| self as &dyn Create)
    }

    fn update(&self, resource: &str) -> Option<&dyn Update> {
        self.0.manifest.resources.get(resource)?.update.as_ref().map(|_| self as &dyn Update)
    }
}

#[async_trait]
impl Fetch for Toy {
    async fn page(&self, request: &FetchRequest, position: Option<&str>) -> Result<Page, RemoteError> {
        self.take_time().await;
        let start: usize = position.map_or(0, |position| position.parse().unwrap());
        let since = request
            .since
            .as_ref()
            .map_or_else(String::new, |(field, value)| format!(" since {field} {value}"));
        let conditions: String =
            request.conditions.iter().map(|(field, value)| format!(" where {field} {value}")).collect();
        let detail =
            self.0.manifest.resources.get(&request.resource).unwrap().fetch.as_ref().unwrap().detail.clone();
        self.call(format!("fetch {}{since}{conditions} from {start}", request.resource), |state| {
            let book = state.books.get(&request.resource).cloned().unwrap_or_default();
            let wanted: Vec<Record> = book
                .into_iter()
                .filter(|record| {
                    request.since.as_ref().is_none_or(|(field, value)| {
                        let text = |value: &Value| {
                            value.as_str().map_or_else(|| format!("{value:>20}"), str::to_owned)
                        };
                        record.get(field).is_some_and(|there| text(there) >= text(value))
                    })
                })
                .filter(|record| {
                    request.conditions.iter().all(|(field, value)| record.get(field) == Some(value))
                })
                .collect();
            let end = (start + request.size).min(wanted.len());
            let mut records = wanted[start.min(end)..end].to_vec();
            for record in &mut records {
                for field in &detail {
                    record.remove(field);
                }
            }
            Ok(Page { records, next: (end < wanted.len()).then(|| end.to_string()) })
        })
    }
}

#[async_trait]
impl Detail for Toy {
    async fn complete(&self, resource: &str, record: Record) -> Result<Record, RemoteError> {
        let key_field = self.0.manifest.resources.get(resource).unwrap().key.clone();
        let key = record.get(&key_field).cloned().unwrap_or_default();
        self.call(format!("detail {resource} {key}"), |state| {
            let book = state.books.get(resource).unwrap();
            Ok(book.iter().find(|whole| whole.get(&key_field) == Some(&key)).unwrap().clone())
        })
    }
}

#[async_trait]
impl Find for Toy {
    async fn find(
        &self,
        resource: &str,
        by: &[String],
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError> {
        self.take_time().await;
        let asked: Vec<String> = keys.iter().map(|key| Value::List(key.clone()).to_string()).collect();
        self.call(format!("find {resource} by {} {}", by.join("+"), asked.join(" ")), |state| {
            let book = state.books.get(resource).cloned().unwrap_or_default();
            let found = |key: &Key| {
                book.iter()
                    .filter(|record| {
                        by.iter().zip(key).all(|(field, value)| record.get(field) == Some(value))
                    })
                    .cloned()
                    .collect()
            };
            Ok(keys.iter().map(found).collect())
        })
    }
}

#[async_trait]
impl Create for Toy {
    async fn create(
        &self,
        resource: &str,
        record: &Record,
        idempotency_key: &str,
    ) -> Result<Written, RemoteError> {
        self.take_time().await;
        let known = self.0.manifest.resources.get(resource).unwrap();
        let (key_field, idempotent) = (known.key.clone(), known.create.as_ref().unwrap().idempotent);
        let call = format!("create {resource} {record}");
        self.wait(&call).await;
        self.call(call, |state| {
            if idempotent && let Some(reply) = state.replies.get(idempotency_key) {
                return Ok(reply.clone());
            }
            let mut record = record.clone();
            if record.get(&key_field).is_none() {
                state.next += 1;
                record.set(key_field.as_str(), format!("{resource}-{}", state.next));
            }
            let key = record.text(&key_field).unwrap().to_owned();
            state.books.entry(resource.to_owned()).or_default().push(record.clone());
            let written = Written { key, record };
            state.replies.insert(idempotency_key.to_owned(), written.clone());
            Ok(written)
        })
    }
}

#[async_trait]
impl Update for Toy {
    async fn update(
        &self,
        resource: &str,
        key: &str,
        changes: &Record,
        _: Option<&Record>,
    ) -> Result<Written, RemoteError> {
        self.take_time().await;
        let key_field = self.0.manifest.resources.get(resource).unwrap().key.clone();
        self.call(format!("update {resource} {key} {changes}"), |state| {
            let book = state.books.entry(resource.to_owned()).or_default();
            let Some(record) = book.iter_mut().find(|record| record.text(&key_field) == Some(key)) else {
                return Err(RemoteError::new(Advice::SkipRecord, "toy", "no such record"));
            };
            for (name, value) in changes.iter() {
                record.set(name, value.clone());
            }
            Ok(Written { key: key.to_owned(), record: record.clone() })
        })
    }
}

//! Two systems in memory that a test can break: they fail, hold, or panic when they are told to.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connectors::contract::{
    Advice, Connector, Create, Detail, Fetch, FetchRequest, Find, Host, Key, Page, RemoteError, Session,
    Update, Written,
};
use connectors::manifest::{Answers, Manifest};
use connectors::record::{Record, Value, read_json};
use tokio::sync::Semaphore;

const SHOP: &str = r#"
name = "shop"
title = "Shop"
about = "A shop in memory."
[resources.orders]
about = "Orders"
key = "number"
fetch = { since = ["changed_at"] }
[resources.orders.fields]
number = { about = "Order number" }
changed_at = { type = "datetime", about = "Last change" }
"#;

const TILL: &str = r#"
name = "till"
title = "Till"
about = "A till in memory."
[resources.orders]
about = "Orders"
key = "id"
find = [{ by = ["reference"], batch = 50, unique = true }, { by = ["id"] }]
create = {}
update = {}
[resources.orders.fields]
id = { read_only = true, about = "Number in the till" }
reference = { required = true, about = "Number in the shop" }
at = { about = "Last change" }
"#;

/// What the next calls run into.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    /// They fail.
    Fails(Advice),
    /// The program itself fails in them.
    Panics,
}

/// A system whose books a test reads and writes.
#[derive(Clone)]
pub(super) struct System(Arc<Inner>);

struct Inner {
    manifest: Manifest,
    state: Mutex<State>,
    /// Calls take one to be answered, while they are held.
    gate: Semaphore,
}

#[derive(Default)]
struct State {
    orders: BTreeMap<String, Record>,
    trouble: VecDeque<Trouble>,
    always: Option<Advice>,
    create: Option<Advice>,
    held: bool,
    calls: usize,
    sessions: usize,
}

impl System {
    fn new(manifest: &str) -> Self {
        let manifest = Manifest::from_toml(manifest).unwrap();
        Self(Arc::new(Inner { manifest, state: Mutex::default(), gate: Semaphore::new(0) }))
    }

    pub(super) fn shop() -> Self {
        Self::new(SHOP)
    }

    pub(super) fn till() -> Self {
        Self::new(TILL)
    }

    /// An order of the shop, as it is from that moment on.
    pub(super) fn order(&self, number: &str, changed_at: &str) {
        let json = format!(r#"{{"number":"{number}","changed_at":"{changed_at}"}}"#);
        let Ok(Value::Map(record)) = read_json(&json.into()) else { panic!("no record") };
        self.lock().orders.insert(number.to_owned(), record);
    }

    /// What is in the books, by reference.
    pub(super) fn orders(&self) -> BTreeMap<String, Record> {
        self.lock().orders.clone()
    }

    pub(super) fn next(&self, trouble: Trouble) {
        self.lock().trouble.push_back(trouble);
    }

    /// Every call fails, until it is told otherwise.
    pub(super) fn always(&self, advice: Option<Advice>) {
        self.lock().always = advice;
    }

    /// Calls are not answered, until they are let go.
    pub(super) fn hold(&self) {
        self.lock().held = true;
    }

    pub(super) fn let_go(&self) {
        self.lock().held = false;
        self.0.gate.add_permits(1_000);
    }

    /// The next create fails.
    pub(super) fn fail_create(&self, advice: Advice) {
        self.lock().create = Some(advice);
    }

    /// Until so many have called.
    pub(super) async fn until_called(&self, times: usize) {
        while self.calls() < times {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }

    pub(super) fn calls(&self) -> usize {
        self.lock().calls
    }

    pub(super) fn sessions(&self) -> usize {
        self.lock().sessions
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn call<T>(&self, work: impl FnOnce(&mut State) -> T) -> Result<T, RemoteError> {
        let held = {
            let mut state = self.lock();
            state.calls += 1;
            state.held
        };
        if held {
            self.0.gate.acquire().await.unwrap().forget();
        } else {
            tokio::task::yield_now().await;
        }
        let mut state = self.lock();
        let failing = state.always.map(Trouble::Fails).or_else(|| state.trouble.pop_front());
        match failing {
            Some(Trouble::Panics) => {
                drop(state);
                panic!("a fault in the program")
            }
            Some(Trouble::Fails(advice)) => {
                let title = self.0.manifest.title.clone();
                Err(RemoteError::new(advice, title, "the service is down"))
            }
            None => Ok(work(&mut state)),
        }
    }
}

impl Connector for System {
    fn manifest(&self) -> &Manifest {
        &self.0.manifest
    }

    fn connect(&self, _: &Answers, _: &Host) -> Result<Arc<dyn Session>, RemoteError> {
        self.lock().sessions += 1;
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Session for System {
    async fn probe(&self) -> Result<String, RemoteError> {
        self.call(|_| "here".to_owned()).await
    }

    fn fetch(&self, _: &str) -> Option<&dyn Fetch> {
        Some(self)
    }

    fn detail(&self, _: &str) -> Option<&dyn Detail> {
        None
    }

    fn find(&self, _: &str) -> Option<&dyn Find> {
        (self.0.manifest.name == "till").then_some(self)
    }

    fn create(&self, _: &str) -> Option<&dyn Create> {
        Some(self)
    }

    fn update(&self, _: &str) -> Option<&dyn Update> {
        Some(self)
    }
}

#[async_trait]
impl Fetch for System {
    async fn page(&self, request: &FetchRequest, _: Option<&str>) -> Result<Page, RemoteError> {
        let since = request.since.as_ref().and_then(|(_, value)| value.as_str().map(str::to_owned));
        self.call(|state| {
            let is_new = |record: &&Record| {
                since.as_deref().is_none_or(|since| record.text("changed_at").unwrap_or_default() >= since)
            };
            let records = state.orders.values().filter(is_new).cloned().collect();
            Page { records, next: None }
        })
        .await
    }
}

#[async_trait]
impl Find for System {
    async fn find(&self, _: &str, by: &[String], keys: &[Key]) -> Result<Vec<Vec<Record>>, RemoteError> {
        let field = by[0].clone();
        self.call(|state| {
            let of_key = |key: &Key| {
                let same = |record: &&Record| record.get(&field) == key.first();
                state.orders.values().filter(same).cloned().collect()
            };
            keys.iter().map(of_key).collect()
        })
        .await
    }
}

#[async_trait]
impl Create for System {
    async fn create(&self, _: &str, record: &Record, _: &str) -> Result<Written, RemoteError> {
        let record = record.clone();
        if let Some(advice) = self.lock().create.take() {
            return Err(RemoteError::new(advice, "Till", "the service is down"));
        }
        self.call(|state| {
            let key = format!("T{}", state.orders.len() + 1);
            let mut record = record;
            record.set("id", Value::from(key.as_str()));
            let reference = record.text("reference").unwrap().to_owned();
            assert!(state.orders.insert(reference, record.clone()).is_none(), "created twice");
            Written { key, record }
        })
        .await
    }
}

#[async_trait]
impl Update for System {
    async fn update(
        &self,
        _: &str,
        key: &str,
        changes: &Record,
        _: Option<&Record>,
    ) -> Result<Written, RemoteError> {
        let (key, changes) = (key.to_owned(), changes.clone());
        self.call(|state| {
            let record = state.orders.values_mut().find(|record| record.text("id") == Some(&key)).unwrap();
            for (name, value) in changes.iter() {
                record.set(name, value.clone());
            }
            Written { key, record: record.clone() }
        })
        .await
    }
}

//! What is checked, and the bench that it is checked on.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use connectors::contract::{Connector, FetchRequest, Host, Limits, RemoteError, Session};
use connectors::manifest::{Answers, Manifest, Resource};
use connectors::record::Record;
use connectors::sign_in::{Token, Tokens};
use connectors::simulator::{Faults, Running, Simulator, start};

/// Nothing, or what is wrong.
pub(crate) type Outcome = Result<(), String>;
type Work = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// One promise.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) scope: Scope,
    /// Which resources it is about; `None`: the whole system.
    pub(crate) binds: Option<fn(&Resource) -> bool>,
    pub(crate) run: fn(Subject, String) -> Work,
}

/// What a check needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Manifest,
    /// A simulator of any kind.
    Any,
    /// A simulator behind a network that can fail.
    Remote,
}

/// Fails the check unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($words:tt)+) => {
        if !$condition {
            return Err(format!($($words)+));
        }
    };
}
pub(crate) use ensure;

/// A check about the system as a whole, or about the resources that `binds` picks.
macro_rules! check {
    ($scope:ident, $run:ident) => {
        crate::subject::Check {
            name: stringify!($run),
            scope: crate::subject::Scope::$scope,
            binds: None,
            run: |subject, _| Box::pin($run(subject)),
        }
    };
    ($scope:ident, $run:ident, $binds:expr) => {
        crate::subject::Check {
            name: stringify!($run),
            scope: crate::subject::Scope::$scope,
            binds: Some($binds),
            run: |subject, resource| Box::pin($run(subject, resource)),
        }
    };
}
pub(crate) use check;

type Stand = Arc<dyn Fn() -> Option<Arc<dyn Simulator>> + Send + Sync>;

/// A connector and where its simulators come from.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) connector: Arc<dyn Connector>,
    stand: Stand,
}

impl Subject {
    pub(crate) fn new(
        connector: Arc<dyn Connector>,
        stand: impl Fn() -> Option<Arc<dyn Simulator>> + Send + Sync + 'static,
    ) -> Self {
        Self { connector, stand: Arc::new(stand) }
    }

    /// A fresh, empty one.
    pub(crate) fn simulator(&self) -> Option<Arc<dyn Simulator>> {
        (self.stand)()
    }

    /// The connector as the account of that simulator has it, filled.
    pub(crate) fn connector_for(&self, simulator: Option<&dyn Simulator>) -> Arc<dyn Connector> {
        let of_account = simulator.and_then(|simulator| {
            simulator.fill();
            self.connector.of_account(&simulator.answers("http://127.0.0.1:1"))
        });
        match of_account {
            Some(connector) => connector.unwrap(),
            None => Arc::clone(&self.connector),
        }
    }

    /// Runs a check; a panic and a check that never ends are failures too.
    pub(crate) fn run(&self, check: &Check, resource: &str) -> Outcome {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(words)?;
        let work = (check.run)(self.clone(), resource.to_owned());
        runtime.block_on(async {
            match tokio::time::timeout(Duration::from_mins(1), tokio::spawn(work)).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(panic)) => Err(format!("it panicked: {panic}")),
                Err(_) => Err("it did not end within a minute".to_owned()),
            }
        })
    }

    /// A filled simulator and a session with it.
    pub(crate) async fn bench(&self) -> Result<Bench, String> {
        self.bench_with(&tiny()).await
    }

    pub(crate) async fn bench_with(&self, limits: &Limits) -> Result<Bench, String> {
        let simulator = self.simulator().ok_or("there is no simulator")?;
        simulator.fill();
        let running = start(simulator.as_ref(), 0, Faults::default()).await.map_err(words)?;
        running.faults.retry_after(Some(0));
        let answers = simulator.answers(&running.url());
        let connector = match self.connector.of_account(&answers) {
            Some(connector) => connector.map_err(told)?,
            None => Arc::clone(&self.connector),
        };
        let session = connector.connect(&answers, &host(&*simulator, limits)).map_err(told)?;
        let manifest = connector.manifest().clone();
        Ok(Bench { manifest, connector, simulator, running, answers, session })
    }
}

/// A filled simulator that runs, and a session with it.
pub(crate) struct Bench {
    pub(crate) manifest: Manifest,
    connector: Arc<dyn Connector>,
    pub(crate) simulator: Arc<dyn Simulator>,
    pub(crate) running: Running,
    pub(crate) answers: Answers,
    pub(crate) session: Arc<dyn Session>,
}

impl Bench {
    /// Another session with the same account.
    pub(crate) fn again(&self) -> Result<Arc<dyn Session>, String> {
        self.connector.connect(&self.answers, &self.host()).map_err(told)
    }

    /// Short bounds, and a fresh consent where the system wants one.
    pub(crate) fn host(&self) -> Host {
        host(self.simulator.as_ref(), &tiny())
    }

    /// The same with a consent whose token has run out: a secret that only serves to exchange
    /// tokens is needed at once.
    pub(crate) fn stale_host(&self) -> Host {
        let stale = |token: Token| Token { expires_at: Some(jiff::Timestamp::UNIX_EPOCH), ..token };
        let tokens = self.simulator.token().map(stale).map(Tokens::starting_with).unwrap_or_default();
        Host { tokens, ..self.host() }
    }

    pub(crate) fn resource(&self, name: &str) -> Result<&Resource, String> {
        self.manifest.resources.get(name).ok_or_else(|| format!("there is no resource `{name}`"))
    }

    /// Every record, in pages of seven.
    pub(crate) async fn everything(&self, resource: &str) -> Result<Vec<Record>, String> {
        let request = FetchRequest { resource: resource.to_owned(), size: 7, ..FetchRequest::default() };
        let pages = read_from(self.session.as_ref(), &request, None).await?;
        Ok(pages.into_iter().flat_map(|(_, records)| records).collect())
    }

    /// Some records to look for: read, created, or told by the simulator.
    pub(crate) async fn some(&self, resource: &str) -> Result<Vec<Record>, String> {
        if self.session.fetch(resource).is_some() {
            return self.everything(resource).await;
        }
        let mut records = self.simulator.known(resource);
        if let Some(create) = self.session.create(resource).filter(|_| records.is_empty()) {
            for number in 900..905 {
                let sample = self.sample(resource, number)?;
                let written =
                    create.create(resource, &sample, &format!("some-{number}")).await.map_err(told)?;
                let mut record = sample;
                for (name, value) in written.record.iter() {
                    record.set(name, value.clone());
                }
                record.set(self.resource(resource)?.key.as_str(), written.key);
                records.push(record);
            }
        }
        ensure!(!records.is_empty(), "no record of {resource} is at hand: fill the books, or give `known`");
        Ok(records)
    }

    pub(crate) fn sample(&self, resource: &str, number: usize) -> Result<Record, String> {
        let sample = self.simulator.sample(resource, number);
        sample.ok_or_else(|| format!("the simulator has no sample {number} of {resource}"))
    }

    /// How many records the books hold, of whatever kind.
    pub(crate) fn count(&self) -> usize {
        let books = self.simulator.books();
        books
            .as_object()
            .into_iter()
            .flat_map(|kinds| kinds.values())
            .filter_map(|kind| kind.as_array())
            .map(Vec::len)
            .sum()
    }
}

/// The pages from a position on, each with the position that follows it.
pub(crate) async fn read_from(
    session: &dyn Session,
    request: &FetchRequest,
    mut position: Option<String>,
) -> Result<Vec<(Option<String>, Vec<Record>)>, String> {
    let fetch = session.fetch(&request.resource).ok_or("the session cannot fetch")?;
    let mut pages = Vec::new();
    loop {
        let page = fetch.page(request, position.as_deref()).await.map_err(told)?;
        ensure!(page.next.is_none() || page.next != position, "position {position:?} comes after itself");
        pages.push((page.next.clone(), page.records));
        ensure!(pages.len() < 2_000, "the pages do not end");
        position = page.next;
        if position.is_none() {
            return Ok(pages);
        }
    }
}

/// The keys of records, each of which must have one.
pub(crate) fn keys(resource: &Resource, records: &[Record]) -> Result<Vec<String>, String> {
    records.iter().map(|record| key(resource, record)).collect()
}

pub(crate) fn key(resource: &Resource, record: &Record) -> Result<String, String> {
    let key = record.at(&resource.key).and_then(|key| key.as_str()).filter(|key| !key.is_empty());
    key.map(str::to_owned).ok_or_else(|| format!("no text in the key `{}` of {record}", resource.key))
}

/// Those bounds, and the consent of a person where the system wants one.
pub(crate) fn host(simulator: &dyn Simulator, limits: &Limits) -> Host {
    let tokens = simulator.token().map(Tokens::starting_with).unwrap_or_default();
    Host { limits: limits.clone(), tokens }
}

/// Bounds in milliseconds.
pub(crate) fn tiny() -> Limits {
    Limits {
        timeout: Duration::from_secs(5),
        tries: 4,
        backoff: Duration::from_millis(1),
        longest_pause: Duration::from_secs(3),
        largest_answer: 8 << 20,
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is made for `map_err`")]
pub(crate) fn told(error: RemoteError) -> String {
    format!("{error} ({:?})", error.advice)
}

pub(crate) fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

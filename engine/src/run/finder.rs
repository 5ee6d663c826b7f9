//! Look-ups of a page: gathered, asked once, remembered.
//!
//! The records of a page are walked side by side. The first that looks something up waits a
//! moment for the others to reach their look-ups, then asks for all of them, as many keys a
//! call as the system takes. What was found is remembered until the page ends or the resource
//! is written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use connectors::contract::{Advice, Key, RemoteError};
use connectors::record::{Record, Value};
use dsl::plan::Side;
use futures::future::join_all;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, oneshot};

use super::Sides;

/// Records that a look-up found.
pub(super) type Matches = Arc<Vec<Record>>;

/// Answer to everybody who asked for one key.
type Answer = Result<Matches, RemoteError>;

/// Look-ups of one page.
pub(super) struct Finder<'a> {
    sides: &'a Sides,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    known: HashMap<Question, HashMap<String, Matches>>,
    gathering: HashMap<Question, Vec<Asked>>,
    locks: HashMap<String, Arc<AsyncMutex<()>>>,
}

/// A key that somebody waits for.
struct Asked {
    name: String,
    key: Key,
    askers: Vec<oneshot::Sender<Answer>>,
}

/// What is asked: of whom, which resource, by which fields.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Question {
    target: bool,
    resource: Arc<str>,
    by: Arc<[String]>,
}

impl<'a> Finder<'a> {
    pub(super) fn new(sides: &'a Sides) -> Self {
        Self { sides, inner: Mutex::default() }
    }

    /// Every record with these values. A key that says nothing finds nothing, unasked.
    pub(super) async fn find(&self, side: Side, resource: &Arc<str>, by: &Arc<[String]>, key: Key) -> Answer {
        if key.iter().any(Value::says_nothing) {
            return Ok(Arc::default());
        }
        let question =
            Question { target: side == Side::Target, resource: Arc::clone(resource), by: Arc::clone(by) };
        let name = Value::List(key.clone()).to_string();
        let (answer, leads) = {
            let mut inner = self.lock();
            if let Some(found) = inner.known.get(&question).and_then(|known| known.get(&name)) {
                return Ok(Arc::clone(found));
            }
            let (sender, answer) = oneshot::channel();
            let gathering = inner.gathering.entry(question.clone()).or_default();
            let leads = gathering.is_empty();
            match gathering.iter_mut().find(|asked| asked.name == name) {
                Some(asked) => asked.askers.push(sender),
                None => gathering.push(Asked { name, key, askers: vec![sender] }),
            }
            (answer, leads)
        };
        if leads {
            tokio::task::yield_now().await;
            self.ask(side, &question).await;
        }
        answer.await.unwrap_or_else(|_| {
            // Only when the record that asked for all was given up in between.
            Err(RemoteError::new(Advice::Retry(None), resource.to_string(), "the look-up was given up"))
        })
    }

    /// One at a time for each name: two records must not find nothing and both create.
    pub(super) async fn hold(&self, name: String) -> OwnedMutexGuard<()> {
        let lock = Arc::clone(self.lock().locks.entry(name).or_default());
        lock.lock_owned().await
    }

    /// Forgets what was found in a resource that has been written.
    pub(super) fn forget(&self, resource: &str) {
        self.lock().known.retain(|question, _| !question.target || *question.resource != *resource);
    }

    async fn ask(&self, side: Side, question: &Question) {
        let gathered = self.lock().gathering.remove(question).unwrap_or_default();
        let party = self.sides.party(side);
        let batch = party.batch(&question.resource, &question.by);
        let mut calls = Vec::new();
        let mut rest = gathered.into_iter().peekable();
        while rest.peek().is_some() {
            let chunk: Vec<_> = rest.by_ref().take(batch).collect();
            calls.push(async move {
                let keys: Vec<Key> = chunk.iter().map(|asked| asked.key.clone()).collect();
                let answer = match party.session.find(&question.resource) {
                    Some(find) => find.find(&question.resource, &question.by, &keys).await,
                    None => Err(party.cannot("find", &question.resource)),
                };
                self.deliver(question, chunk, answer);
            });
        }
        join_all(calls).await;
    }

    fn deliver(&self, question: &Question, chunk: Vec<Asked>, answer: Result<Vec<Vec<Record>>, RemoteError>) {
        let mut inner = self.lock();
        let known = inner.known.entry(question.clone()).or_default();
        match answer {
            Ok(found) => {
                let mut found = found.into_iter();
                for Asked { name, askers, .. } in chunk {
                    let matches: Matches = Arc::new(found.next().unwrap_or_default());
                    known.insert(name, Arc::clone(&matches));
                    for asker in askers {
                        // Whoever asked may have been given up meanwhile.
                        let _ = asker.send(Ok(Arc::clone(&matches)));
                    }
                }
            }
            Err(error) => {
                for asker in chunk.into_iter().flat_map(|asked| asked.askers) {
                    let _ = asker.send(Err(error.clone()));
                }
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! Look-ups of the pages under way: gathered, asked once, remembered.
//!
//! The records of a page are walked side by side. Where a system takes many keys a call, the
//! first record that looks something up waits a moment for the others to reach their look-ups,
//! then asks for all of them. A key that somebody is asking for is not asked for again. What was
//! found is remembered until the page after it ends, or until the resource is written.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use connectors::contract::{Advice, Key, RemoteError};
use connectors::record::{Record, Value};
use dsl::plan::Side;
use futures::future::join_all;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard, oneshot};

use super::Sides;
use crate::store::Fingerprint;

/// Records that a look-up found.
pub(super) type Matches = Arc<Vec<Record>>;

/// Answer to everybody who asked for one key.
type Answer = Result<Matches, RemoteError>;

/// Look-ups of the pages under way.
pub(super) struct Finder<'a> {
    sides: &'a Sides,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// By question, then by key.
    questions: HashMap<Question, State>,
    locks: HashMap<String, Arc<AsyncMutex<()>>>,
    /// What was created, by the ways to find it; since the page before this one.
    made: HashSet<Fingerprint>,
    made_earlier: HashSet<Fingerprint>,
}

/// How far one question is.
#[derive(Default)]
struct State {
    known: HashMap<String, Matches>,
    /// Found during the page before this one.
    earlier: HashMap<String, Matches>,
    /// Keys that somebody is asking for, or is about to.
    asking: HashMap<String, Arc<Asked>>,
    /// Those of them that nobody has taken up yet.
    gathering: Vec<Arc<Asked>>,
    /// Grows when the resource is written: what was asked before is not remembered.
    writes: u64,
}

/// A key that somebody waits for.
struct Asked {
    name: String,
    key: Key,
    askers: Mutex<Vec<oneshot::Sender<Answer>>>,
}

/// What is asked: of whom, which resource, by which fields.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Question {
    target: bool,
    resource: Arc<str>,
    by: Arc<[String]>,
}

impl Question {
    const fn side(&self) -> Side {
        if self.target { Side::Target } else { Side::Source }
    }
}

impl Asked {
    fn wait(&self) -> oneshot::Receiver<Answer> {
        let (sender, answer) = oneshot::channel();
        self.askers.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        answer
    }

    fn tell(&self, answer: &Answer) {
        for asker in self.askers.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // Whoever asked may have been given up meanwhile.
            let _ = asker.send(answer.clone());
        }
    }
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
            let state = inner.questions.entry(question.clone()).or_default();
            if let Some(found) = state.known.get(&name).or_else(|| state.earlier.get(&name)) {
                return Ok(Arc::clone(found));
            }
            if let Some(asked) = state.asking.get(&name) {
                (asked.wait(), false)
            } else {
                let asked = Arc::new(Asked { name: name.clone(), key, askers: Mutex::default() });
                let leads = state.gathering.is_empty();
                state.asking.insert(name, Arc::clone(&asked));
                let answer = asked.wait();
                state.gathering.push(asked);
                (answer, leads)
            }
        };
        if leads {
            let batch = self.sides.party(side).batch(resource, by);
            if batch > 1 {
                tokio::task::yield_now().await;
            }
            self.ask(&question, batch).await;
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

    /// Forgets what was found in a resource of the target that has been written.
    pub(super) fn forget(&self, resource: &str) {
        for (question, state) in &mut self.lock().questions {
            if question.target && *question.resource == *resource {
                state.known.clear();
                state.earlier.clear();
                state.writes += 1;
                // Whoever looks from here on must not be given an answer from before the write.
                let State { asking, gathering, .. } = state;
                asking.retain(|_, asked| gathering.iter().any(|open| Arc::ptr_eq(open, asked)));
            }
        }
    }

    /// Remembers that something was created that is found in these ways.
    pub(super) fn was_made(&self, ways: &[Fingerprint]) {
        self.lock().made.extend(ways);
    }

    /// Another record on its way has created what is found in one of these ways: a look-up from
    /// before that says nothing any more.
    pub(super) fn is_made(&self, ways: &[Fingerprint]) -> bool {
        let inner = self.lock();
        ways.iter().any(|way| inner.made.contains(way) || inner.made_earlier.contains(way))
    }

    /// A page has ended: what was found before it is forgotten, so that memory is bounded by
    /// pages and answers do not grow old.
    pub(super) fn page_ended(&self) {
        let mut inner = self.lock();
        for state in inner.questions.values_mut() {
            state.earlier = std::mem::take(&mut state.known);
        }
        inner.locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        inner.made_earlier = std::mem::take(&mut inner.made);
    }

    async fn ask(&self, question: &Question, batch: usize) {
        let (gathered, writes) = {
            let mut inner = self.lock();
            let state = inner.questions.entry(question.clone()).or_default();
            (std::mem::take(&mut state.gathering), state.writes)
        };
        if gathered.len() == 1 {
            return self.call(Leading { finder: self, question, asked: gathered }, writes).await;
        }
        let calls = gathered
            .chunks(batch.max(1))
            .map(|chunk| self.call(Leading { finder: self, question, asked: chunk.to_vec() }, writes));
        join_all(calls).await;
    }

    async fn call(&self, leading: Leading<'_, '_>, writes: u64) {
        let question = leading.question;
        let party = self.sides.party(question.side());
        let keys: Vec<Key> = leading.asked.iter().map(|asked| asked.key.clone()).collect();
        let answer = match party.session.find(&question.resource) {
            Some(find) => find.find(&question.resource, &question.by, &keys).await,
            None => Err(party.cannot("find", &question.resource)),
        };
        match answer {
            Ok(found) => {
                let mut found = found.into_iter();
                for asked in &leading.asked {
                    let matches: Matches = Arc::new(found.next().unwrap_or_default());
                    self.remember(question, asked, &matches, writes);
                    asked.tell(&Ok(matches));
                }
            }
            Err(error) => {
                let answer = Err(error);
                for asked in &leading.asked {
                    self.put_away(question, asked);
                    asked.tell(&answer);
                }
            }
        }
    }

    fn remember(&self, question: &Question, asked: &Arc<Asked>, matches: &Matches, writes: u64) {
        let mut inner = self.lock();
        if let Some(state) = inner.questions.get_mut(question) {
            if state.writes == writes {
                state.known.insert(asked.name.clone(), Arc::clone(matches));
            }
            state.put_away(asked);
        }
    }

    fn put_away(&self, question: &Question, asked: &Arc<Asked>) {
        if let Some(state) = self.lock().questions.get_mut(question) {
            state.put_away(asked);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn put_away(&mut self, asked: &Arc<Asked>) {
        if self.asking.get(&asked.name).is_some_and(|there| Arc::ptr_eq(there, asked)) {
            self.asking.remove(&asked.name);
        }
    }
}

/// Keys that one call asks for. Should it be given up halfway, nobody waits for it for ever.
struct Leading<'f, 'a> {
    finder: &'f Finder<'a>,
    question: &'f Question,
    asked: Vec<Arc<Asked>>,
}

impl Drop for Leading<'_, '_> {
    fn drop(&mut self) {
        for asked in &self.asked {
            self.finder.put_away(self.question, asked);
            asked.askers.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }
}

//! The promises of the store, told to every database through the trait: each file of the suite
//! is a module of `sqlite` and one of `postgres`. What is special to a database stands beside
//! its driver.

#[path = "../../tests/support/disk.rs"]
pub(in crate::store) mod disk;
mod postgres;
#[path = "../../tests/support/postgres.rs"]
pub(in crate::store) mod server;
mod sqlite;

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use super::migrate::{MIGRATIONS, Migration};
use super::*;

const FLOW: &str = "orders";
const RUN: &str = "run-1";
const TTL: Duration = Duration::from_secs(30);
const START: Millis = 1_700_000_000_000;

/// A database that the suite runs on.
trait Kind {
    /// Path or address of a store of its own, in this folder if it is a file; `None`: there is no
    /// such database on this machine.
    fn place(folder: &Path) -> Option<String>;
}

/// A store of its own for one test, on a clock that the test moves.
struct BenchOn<K> {
    store: Arc<dyn Store>,
    clock: Arc<AtomicI64>,
    /// Path or address.
    place: String,
    folder: TempDir,
    _kind: PhantomData<K>,
}

impl<K: Kind> BenchOn<K> {
    async fn new() -> Option<Self> {
        let folder = tempfile::tempdir().expect("folder");
        let place = K::place(folder.path())?;
        let clock = Arc::new(AtomicI64::new(START));
        let store = handle(&place, &clock).await;
        Some(Self { store, clock, place, folder, _kind: PhantomData })
    }

    /// A second handle on the same store, as another process would have it.
    async fn another(&self) -> Arc<dyn Store> {
        handle(&self.place, &self.clock).await
    }

    /// The database's clock is set back.
    fn set_back(&self, time: Duration) {
        self.clock.fetch_sub(i64::try_from(time.as_millis()).expect("time"), Ordering::SeqCst);
    }

    fn pass(&self, time: Duration) {
        self.clock.fetch_add(i64::try_from(time.as_millis()).expect("time"), Ordering::SeqCst);
    }

    async fn hold(&self) -> Lease {
        held(self.store.acquire(FLOW, "one", TTL, &nobody).await)
    }

    async fn hold_and_run(&self) -> Lease {
        let lease = self.hold().await;
        self.store.start_run(&lease, &new_run(RUN)).await.expect("run");
        lease
    }

    async fn known(&self, key: &str) -> Known {
        self.store.known(FLOW, &[key]).await.expect("known").remove(0)
    }
}

fn place_of(text: &str) -> Place {
    if text.starts_with("postgres://") {
        Place::server(text).expect("address")
    } else {
        Place::File(text.into())
    }
}

/// Opens the store that the suite runs on.
async fn handle(place: &str, clock: &Arc<AtomicI64>) -> Arc<dyn Store> {
    let clock = Arc::clone(clock);
    match place_of(place) {
        Place::File(path) => {
            Arc::new(super::sqlite::open(&path, MIGRATIONS).await.expect("store").with_clock(clock))
        }
        Place::Server(address) => {
            Arc::new(super::postgres::open(&address, MIGRATIONS).await.expect("store").with_clock(clock))
        }
    }
}

/// Opens it with other steps than this program's.
async fn open_with(place: &str, steps: &[Migration]) -> Result<Arc<dyn Store>, StoreError> {
    Ok(match place_of(place) {
        Place::File(path) => Arc::new(super::sqlite::open(&path, steps).await?),
        Place::Server(address) => Arc::new(super::postgres::open(&address, steps).await?),
    })
}

/// Nobody is known to be dead.
fn nobody(_: &str) -> bool {
    false
}

fn held(claim: Result<Claim, StoreError>) -> Lease {
    match claim.expect("claim") {
        Claim::Held(lease) => lease,
        Claim::Busy { holder, .. } => panic!("held by {holder}"),
    }
}

fn new_run(id: &str) -> NewRun {
    NewRun { id: id.to_owned(), cause: "by hand".to_owned(), plan: Fingerprint::from(7) }
}

fn settled(key: &str, outcome: Outcome) -> Settled {
    Settled {
        source_key: key.to_owned(),
        source_print: Fingerprint::from(1),
        outcome,
        written: Vec::new(),
        activity: Some(Activity { payload: Some(b"{}".to_vec()), detail: None }),
        search_keys: Vec::new(),
        payload: b"{}".to_vec(),
        in_doubt: false,
    }
}

fn written(target: &str) -> Written {
    Written {
        write_id: "create orders".to_owned(),
        item: String::new(),
        target_key: target.to_owned(),
        sent_print: Fingerprint::from(2),
        sent: None,
    }
}

fn failed(reason: &str) -> Outcome {
    Outcome::Failed { class: "refused".to_owned(), reason: reason.to_owned() }
}

fn page_of(records: Vec<Settled>) -> Page {
    Page { run: RUN.to_owned(), plan: Fingerprint::from(7), records, ..Page::default() }
}

fn cursor_at(position: &str) -> Cursor {
    Cursor { position: Some(position.to_owned()), plan: Some(Fingerprint::from(7)), ..Cursor::default() }
}

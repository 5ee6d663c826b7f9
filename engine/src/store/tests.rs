//! The promises of the store, told to any database through the trait; what is special to a
//! file stands beside its driver.

mod crash;
mod leases;
mod pages;
mod people;
mod records;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use super::migrate::MIGRATIONS;
use super::*;

const FLOW: &str = "orders";
const RUN: &str = "run-1";
const TTL: Duration = Duration::from_secs(30);
const START: Millis = 1_700_000_000_000;

/// A store of its own for one test, on a clock that the test moves.
struct Bench {
    store: Arc<dyn Store>,
    clock: Arc<AtomicI64>,
    folder: TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let clock = Arc::new(AtomicI64::new(START));
        let store = handle(&folder, &clock).await;
        Self { store, clock, folder }
    }

    /// A second handle on the same store, as another process would have it.
    async fn another(&self) -> Arc<dyn Store> {
        handle(&self.folder, &self.clock).await
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

/// Opens the store that the suite runs on.
async fn handle(folder: &TempDir, clock: &Arc<AtomicI64>) -> Arc<dyn Store> {
    let store = sqlite::open(&folder.path().join("weft.db"), MIGRATIONS).await.expect("store");
    Arc::new(store.with_clock(Arc::clone(clock)))
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

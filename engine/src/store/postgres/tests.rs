//! What is special to a store in a PostgreSQL database.

mod failures;

use std::sync::atomic::AtomicI64;

use super::super::Runs;
use super::super::migrate::{MIGRATIONS, Migration};
use super::super::tests::server::{self, Cluster};
use super::super::{
    Activity, Claim, Cursor, Fingerprint, Lease, NewRun, Outcome, Page, Settled, Store, lease,
};
use super::*;

const TTL: Duration = Duration::from_mins(5);

fn address(text: &str) -> Address {
    Address::read(text).expect("address")
}

async fn store(text: &str) -> Database<Server> {
    open(&address(text), MIGRATIONS).await.expect("store")
}

async fn hold(store: &dyn Store, holder: &str) -> Lease {
    match store.acquire("orders", holder, TTL, &|_| true).await.expect("claim") {
        Claim::Held(lease) => lease,
        Claim::Busy { holder, .. } => panic!("held by {holder}"),
    }
}

async fn hold_and_run(store: &dyn Store) -> Lease {
    let lease = hold(store, "one").await;
    let run = NewRun { id: "run-1".to_owned(), cause: String::new(), plan: Fingerprint::default() };
    store.start_run(&lease, &run).await.expect("run");
    lease
}

/// The page of that number, which moves the cursor behind it.
fn page(number: usize, payload: usize) -> Page {
    let record = |key: usize| Settled {
        source_key: format!("{number}/{key}"),
        source_print: Fingerprint::default(),
        outcome: Outcome::Created,
        written: Vec::new(),
        activity: Some(Activity { payload: Some(noise(number + key, payload)), detail: None }),
        search_keys: Vec::new(),
        payload: Vec::new(),
        in_doubt: false,
    };
    Page {
        run: "run-1".to_owned(),
        records: (0..20).map(record).collect(),
        cursor: Some(Cursor { position: Some((number + 1).to_string()), ..Cursor::default() }),
        ..Page::default()
    }
}

/// Bytes that cannot be made smaller.
fn noise(seed: usize, length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed as u64);
    (0..length).map(|_| random.u8(..)).collect()
}

async fn position(store: &dyn Store) -> usize {
    let cursor = store.cursor("orders").await.expect("cursor");
    cursor.and_then(|cursor| cursor.position).map_or(0, |position| position.parse().expect("number"))
}

#[tokio::test]
async fn a_paused_transaction_keeps_a_flow_no_longer_than_agreed() {
    let Some(place) = server::place() else { return };
    let waits = Waits { idle: Duration::from_secs(1), ..Waits::default() };
    let one = open_with(&address(&place), MIGRATIONS, waits).await.expect("store");
    let late = hold_and_run(&one).await;
    let words = super::super::link::Words::new(&DIALECT);
    let mut tx = one.driver().begin().await.expect("begun");
    lease::fence(&mut *tx, &words, &late).await.expect("ours");

    // Waits for the row until the server gives it free.
    let two = store(&place).await;
    let next = hold(&two, "two").await;
    assert_eq!(next.epoch, late.epoch + 1);
    let error = tx.commit().await.expect_err("over");
    assert!(error.is_temporary(), "{error:?}");
    let error = one.settle_page(&late, &page(0, 1)).await.expect_err("late");
    assert!(matches!(error, StoreError::Fenced { .. }), "{error:?}");
}

#[tokio::test]
async fn keys_are_sorted_letter_by_letter() {
    let Some(place) = server::place() else { return };
    let store = store(&place).await.with_clock(Arc::new(AtomicI64::new(1_000)));
    let lease = hold_and_run(&store).await;
    store.begin_page(&lease, "run-1", &["ä", "b", "B", "a", "é"]).await.expect("begun");
    let open = store.open_intents("orders").await.expect("open");
    let keys: Vec<&str> = open.iter().map(|intent| intent.source_key.as_str()).collect();
    assert_eq!(keys, ["B", "a", "b", "ä", "é"]);
}

#[tokio::test]
async fn a_connection_that_was_dropped_in_the_middle_is_not_used_again() {
    let Some(place) = server::place() else { return };
    let store = store(&place).await;
    for millis in [1, 5, 20, 50] {
        let mut link = store.driver().read().await.expect("link");
        let slow = link.fetch("SELECT pg_sleep(0.2)::TEXT", &[], false);
        let _ = timeout(Duration::from_millis(millis), slow).await;
        drop(link);
        let rows = store.driver().read().await.expect("link").fetch("SELECT 7::BIGINT", &[], false).await;
        assert_eq!(rows.expect("rows").remove(0).int(), Ok(7));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_make_the_same_store_at_once() {
    let Some(place) = server::place() else { return };
    let openers: Vec<_> = (0..8)
        .map(|_| {
            let address = address(&place);
            tokio::spawn(async move { open(&address, MIGRATIONS).await.map(drop) })
        })
        .collect();
    for opener in openers {
        opener.await.expect("task").expect("opened");
    }
}

#[tokio::test]
async fn more_callers_than_connections_take_turns() {
    let Some(place) = server::place() else { return };
    let store = Arc::new(store(&place).await);
    hold_and_run(&*store).await;
    let callers = (0..60).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.ping().await.and(store.cursor("orders").await) })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await.expect("task").expect("answer");
    }
}

const NEXT: Migration =
    Migration { version: 99, about: "a colour", text: "ALTER TABLE run ADD colour BLOB;" };

fn steps(last: Migration) -> Vec<Migration> {
    MIGRATIONS.iter().copied().chain([last]).collect()
}

#[tokio::test]
async fn a_migration_that_fails_changes_nothing_and_newer_stores_are_refused() {
    let Some(place) = server::place() else { return };
    let first = store(&place).await;
    let lease = hold_and_run(&first).await;
    first.settle_page(&lease, &page(0, 1)).await.expect("settled");
    let broken =
        Migration { text: "ALTER TABLE run ADD colour BLOB; ALTER TABLE nowhere ADD x BLOB;", ..NEXT };
    assert!(open(&address(&place), &steps(broken)).await.is_err());
    let next = open(&address(&place), &steps(NEXT)).await.expect("the column is not there yet");
    assert_eq!(position(&next).await, 1);
    let error = open(&address(&place), MIGRATIONS).await.expect_err("newer");
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_no_store_is_refused_and_left_alone() {
    let Some(place) = server::place() else { return };
    let cluster = server::shared().expect("server");
    let (_, schema) = place.rsplit_once("%3D").expect("schema");
    cluster.sql(&format!("CREATE TABLE {schema}.photos (name TEXT)"));
    let error = open(&address(&place), MIGRATIONS).await.expect_err("refused");
    assert!(error.to_string().ends_with("it holds tables of another program"), "{error}");
    let count = format!("SELECT COUNT(*) FROM pg_tables WHERE schemaname = '{schema}'");
    assert_eq!(cluster.sql(&count), "1");

    let told = async |from: &str, to: &str| {
        let place = place.replacen(from, to, 1);
        open(&address(&place), MIGRATIONS).await.expect_err("refused")
    };
    let cases = [
        (told("/weft?", "/nowhere?").await, "does not exist", "createdb"),
        (told("search_path%3Ds", "search_path%3Dx").await, "none of the schemas", "make the schema first"),
        (told("postgres://weft@", "postgres://nobody@").await, "does not exist", "pg_hba.conf"),
    ];
    for (error, cause, advice) in cases {
        let StoreError::CannotOpen { cause: found, help, .. } = &error else { panic!("{error:?}") };
        assert!(found.contains(cause) && help.contains(advice), "{error}: {help}");
    }
    cluster.sql(
        "CREATE DATABASE letters ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'",
    );
    let error = told("/weft?", "/letters?").await;
    assert!(error.to_string().contains("keeps text as SQL_ASCII"), "{error}");
}

#[tokio::test]
async fn a_database_is_copied_and_put_back_by_its_own_tools() {
    let Some(cluster) = Cluster::start("") else { return };
    let first = store(&cluster.address()).await;
    let lease = hold_and_run(&first).await;
    first.settle_page(&lease, &page(0, 100)).await.expect("settled");
    // The address as it is shown, for that is what people are told to use.
    let shown = address(&cluster.address()).to_string();
    let dump = cluster.folder().join("copy.dump").display().to_string();
    cluster.run("pg_dump", &["--format=custom", "--file", &dump, &shown]);
    first.settle_page(&lease, &page(1, 100)).await.expect("settled");
    first.close().await;
    let restore = ["--clean", "--if-exists", "--single-transaction", "--dbname", &shown, &dump];
    cluster.run("pg_restore", &restore);
    let again = store(&cluster.address()).await;
    assert_eq!(position(&again).await, 1);
    again.settle_page(&lease, &page(1, 100)).await.expect("goes on from there");
}

//! Servers that stop, disappear, fill up and go bad.

use super::super::super::tests::disk::Disk;
use super::super::super::{Place, open_and_wait, wait};
use super::*;

/// Nothing here waits for long.
const WAITS: Waits = Waits {
    connect: Duration::from_secs(2),
    patience: Duration::from_millis(500),
    statement: Duration::from_secs(10),
    idle: Duration::from_secs(10),
};

/// Settles pages as a daemon does, through every trouble that passes; answers what the troubles
/// were.
async fn work(store: Arc<Database<Server>>, lease: Lease, pages: usize) -> Vec<String> {
    let mut troubles = Vec::new();
    let mut number = position(&*store).await;
    while number < pages {
        match store.settle_page(&lease, &page(number, 200)).await {
            Ok(()) => number += 1,
            Err(error) => {
                assert!(error.is_temporary(), "{error:?}");
                troubles.push(error.to_string());
                wait(&*store, |_| {}).await.expect("passes");
                // What was under way may have been settled.
                let found = position(&*store).await;
                assert!(found == number || found == number + 1, "{found} after {number}");
                number = found;
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    troubles
}

/// Every page is there, once.
async fn whole(store: &dyn Store, pages: usize) {
    assert_eq!(position(store).await, pages);
    let run = store.run("run-1").await.expect("read").expect("run");
    let pages = i64::try_from(pages).expect("fits");
    assert_eq!((run.pages, run.counts.created), (pages, pages * 20));
    for number in 0..pages {
        let history = store.record_history("orders", &format!("{number}/0"), 10).await.expect("history");
        assert_eq!(history.len(), 1, "page {number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_started_again_under_load() {
    let Some(cluster) = Cluster::start("") else { return };
    let store = Arc::new(open_with(&address(&cluster.address()), MIGRATIONS, WAITS).await.expect("store"));
    let lease = hold_and_run(&*store).await;
    let worker = tokio::spawn(work(Arc::clone(&store), lease, 300));
    for (after, mode) in [(30, "fast"), (120, "immediate"), (200, "fast")] {
        while position(&*store).await < after {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        cluster.down(mode);
        tokio::time::sleep(Duration::from_millis(700)).await;
        cluster.up();
        wait(&*store, |_| {}).await.expect("passes");
    }
    let troubles = worker.await.expect("worker");
    assert!(troubles.len() >= 3, "{troubles:?}");
    assert!(troubles.iter().all(|one| one.contains(&cluster.folder().display().to_string())), "{troubles:?}");
    whole(&*store, 300).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_primary_is_lost_and_its_synchronous_standby_promoted() {
    let Some(primary) = Cluster::start("max_wal_senders = 4\nwal_level = replica") else { return };
    let standby = primary.standby("");
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
    primary.sql("SELECT pg_reload_conf()");
    let both =
        primary.address().replacen(&primary.host(), &format!("{},{}", standby.host(), primary.host()), 1);
    let store = Arc::new(open_with(&address(&both), MIGRATIONS, WAITS).await.expect("store"));
    let lease = hold_and_run(&*store).await;
    let worker = tokio::spawn(work(Arc::clone(&store), lease, 200));
    while position(&*store).await < 60 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    primary.down("immediate");
    // Whatever was said to be settled until now is on the standby.
    let told = tokio::time::sleep(Duration::from_millis(300));
    told.await;
    standby.promote();
    let troubles = worker.await.expect("worker");
    assert!(!troubles.is_empty());
    whole(&*store, 200).await;

    // Should the old primary wake up, nobody takes it for the primary any more.
    std::fs::write(primary.files().join("postgresql.auto.conf"), "").expect("configuration");
    primary.up();
    for both in [both.clone(), flipped(&both, &primary, &standby)] {
        let later = open_with(&address(&both), MIGRATIONS, WAITS).await.expect("store");
        assert_eq!(position(&later).await, 200);
    }
}

fn flipped(both: &str, primary: &Cluster, standby: &Cluster) -> String {
    let (one, two) = (primary.host(), standby.host());
    both.replacen(&format!("{two},{one}"), &format!("{one},{two}"), 1)
}

#[tokio::test]
async fn a_commit_that_no_standby_confirms_is_not_taken_for_done() {
    let Some(primary) = Cluster::start("max_wal_senders = 4") else { return };
    let standby = primary.standby("");
    primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
    primary.sql("SELECT pg_reload_conf()");
    let waits = Waits { statement: Duration::from_secs(1), ..WAITS };
    let store = open_with(&address(&primary.address()), MIGRATIONS, waits).await.expect("store");
    let lease = hold_and_run(&store).await;
    store.settle_page(&lease, &page(0, 1)).await.expect("settled");
    standby.down("fast");
    // Waiting has an end, and what nobody confirmed is not called done.
    let error = store.settle_page(&lease, &page(1, 1)).await.expect_err("nobody has it");
    assert!(matches!(error, StoreError::Lost { .. }) && error.is_temporary(), "{error:?}");
    standby.up();
    wait(&store, |_| {}).await.expect("passes");
    let number = position(&store).await;
    store.settle_page(&lease, &page(number, 1)).await.expect("settled");
}

#[tokio::test]
async fn a_standby_alone_takes_no_writes_and_says_so() {
    let Some(primary) = Cluster::start("max_wal_senders = 4") else { return };
    let standby = primary.standby("");
    let error = open_with(&address(&standby.address()), MIGRATIONS, WAITS).await.expect_err("refused");
    assert!(error.to_string().ends_with("does not answer: this server is a standby, which takes no writes"));
    standby.down("fast");
    let both =
        standby.address().replacen(&standby.host(), &format!("{},{}", standby.host(), "%2Fnowhere"), 1);
    let error = open_with(&address(&both), MIGRATIONS, WAITS).await.expect_err("refused");
    assert!(error.to_string().contains("/nowhere: there is no such socket"), "{error}");
    assert!(error.is_temporary());
}

#[tokio::test]
async fn a_server_that_comes_up_later_is_waited_for() {
    let Some(cluster) = Cluster::start("") else { return };
    cluster.down("fast");
    let place = Place::server(&cluster.address()).expect("place");
    let (told, mut hears) = tokio::sync::mpsc::unbounded_channel();
    let opening = tokio::spawn(async move {
        open_and_wait(&place, move |error| told.send(error.to_string()).unwrap_or_default()).await
    });
    let first = hears.recv().await.expect("told");
    assert!(first.contains("does not answer"), "{first}");
    cluster.up();
    opening.await.expect("task").expect("opened").ping().await.expect("well");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_whose_run_lost_the_store_is_given_back_when_it_returns() {
    let Some(cluster) = Cluster::start("") else { return };
    let store: Arc<dyn Store> =
        Arc::new(open_with(&address(&cluster.address()), MIGRATIONS, WAITS).await.expect("store"));
    let lease = hold_and_run(&*store).await;
    cluster.down("fast");
    let error = store.release(&lease).await.expect_err("it is not there");
    assert!(error.is_temporary(), "{error:?}");
    let later = tokio::spawn(crate::run::release::later(Arc::clone(&store), lease, "run-1".to_owned()));
    cluster.up();
    later.await.expect("task");
    assert_eq!(store.leases().await, Ok(Vec::new()));
    let run = store.run("run-1").await.expect("read").expect("run");
    assert_eq!(run.state, super::super::super::RunState::Stopped);
    assert_eq!(hold(&*store, "two").await.epoch, 2);
}

#[tokio::test]
async fn a_full_disk_costs_one_page_and_no_more() {
    let Some(cluster) = Cluster::start("") else { return };
    let small = cluster.folder().join("small");
    let Some(disk) = Disk::new(&small, "12m") else { return };
    Cluster::own(&small);
    cluster.sql(&format!("CREATE TABLESPACE small LOCATION '{}'", small.display()));
    let place = format!("{}&options[default_tablespace]=small", cluster.address());
    let store = open_with(&address(&place), MIGRATIONS, WAITS).await.expect("store");
    let lease = hold_and_run(&store).await;
    let mut number = 0;
    let error = loop {
        match store.settle_page(&lease, &page(number, 20_000)).await {
            Ok(()) => number += 1,
            Err(error) => break error,
        }
        assert!(number < 100, "the disk is too large");
    };
    assert!(matches!(error, StoreError::Full { .. }) && error.is_temporary(), "{error:?}");
    assert_eq!(position(&store).await, number);
    assert!(store.known("orders", &[&format!("{number}/0")]).await.expect("known")[0].ledger.is_none());
    disk.remount("size=64m");
    wait(&store, |_| {}).await.expect("there is room");
    store.settle_page(&lease, &page(number, 20_000)).await.expect("the same page again");
    assert_eq!(position(&store).await, number + 1);
    drop(store);
    cluster.down("immediate");
}

#[tokio::test]
async fn a_damaged_page_is_named() {
    let Some(cluster) = Cluster::start("") else { return };
    let first = store(&cluster.address()).await;
    let lease = hold_and_run(&first).await;
    for number in 0..20 {
        first.settle_page(&lease, &page(number, 500)).await.expect("settled");
    }
    assert_eq!(first.verify().await, Ok(Vec::new()));
    first.close().await;
    let file = cluster.sql("SELECT pg_relation_filepath('activity')");
    cluster.down("fast");
    let path = cluster.files().join(file);
    let mut content = std::fs::read(&path).expect("file");
    for byte in content.iter_mut().skip(8192 + 4000).take(64) {
        *byte ^= 0x55;
    }
    std::fs::write(&path, content).expect("file");
    cluster.up();
    let store = store(&cluster.address()).await;
    let damaged = store.verify().await.expect("read");
    assert_eq!(damaged.len(), 1, "{damaged:?}");
    assert!(damaged[0].starts_with("table activity: invalid page in block 1"), "{damaged:?}");
    let history = store.record_history("orders", "9/0", 1).await;
    assert!(matches!(history, Err(StoreError::Corrupt { .. }) | Ok(_)), "{history:?}");
    assert_eq!(position(&store).await, 20, "what is not damaged can be read");
}

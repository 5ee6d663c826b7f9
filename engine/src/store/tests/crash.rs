//! A process that is killed in the middle of its work, and the one that comes after it.

use std::process::{Child, Command, Stdio};

use super::*;

/// Names the store to the process that will be killed.
const STORE: &str = "WEFT_TEST_CRASH";

/// And a folder for what two processes tell each other.
const FOLDER: &str = "WEFT_TEST_FOLDER";

const SIZE: usize = 40;

fn keys(page: usize) -> Vec<String> {
    (0..SIZE).map(|number| format!("{page}/{number}")).collect()
}

fn refs(keys: &[String]) -> Vec<&str> {
    keys.iter().map(String::as_str).collect()
}

/// What the process does that will be killed: pages without end.
#[tokio::test]
#[ignore = "started by the test below, which kills it"]
async fn work_until_killed() {
    let Ok(place) = std::env::var(STORE) else { return };
    let store = open_at(&place_of(&place)).await.expect("store");
    let lease = held(store.acquire(FLOW, &this_process(), Duration::from_hours(1), &is_dead).await);
    let run = format!("run-{}", lease.epoch);
    store.start_run(&lease, &new_run(&run)).await.expect("run");
    let position = store.cursor(FLOW).await.expect("cursor").and_then(|cursor| cursor.position);
    let first: usize = position.map_or(0, |position| position.parse().expect("number"));
    for page in first.. {
        let keys = keys(page);
        store.begin_page(&lease, &run, &refs(&keys)).await.expect("begun");
        let record = |key: &String| Settled { written: vec![written(key)], ..settled(key, Outcome::Created) };
        let page = Page {
            run: run.clone(),
            cursor: Some(cursor_at(&(page + 1).to_string())),
            ..page_of(keys.iter().map(record).collect())
        };
        store.settle_page(&lease, &page).await.expect("settled");
    }
}

/// What the process does that will be paused: a page that it settles when it is told to.
#[tokio::test]
#[ignore = "started by the test below, which pauses it"]
async fn work_until_paused() {
    let (Ok(place), Ok(folder)) = (std::env::var(STORE), std::env::var(FOLDER)) else { return };
    let (folder, place) = (Path::new(&folder), place_of(&place));
    let store = open_at(&place).await.expect("store");
    let lease = held(store.acquire(FLOW, &this_process(), Duration::from_secs(2), &is_dead).await);
    store.start_run(&lease, &new_run(RUN)).await.expect("run");
    store.begin_page(&lease, RUN, &["1"]).await.expect("begun");
    std::fs::write(folder.join("holder"), this_process()).expect("said");
    until(|| folder.join("go on").exists()).await;
    let late = Settled { written: vec![written("late")], ..settled("1", Outcome::Created) };
    let answer = store.settle_page(&lease, &page_of(vec![late])).await;
    std::fs::write(folder.join("answer"), format!("{answer:?}")).expect("said");
}

async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_paused_process_settles_nothing_once_its_flow_went_to_another() {
    let Some(bench) = Bench::new().await else { return };
    let store = open_at(&place_of(&bench.place)).await.expect("store");
    let folder = bench.folder.path();
    let mut child = child("work_until_paused", &bench.place, folder);
    let signal = |name: &str| {
        let done = Command::new("kill").args([name, &child.id().to_string()]).status();
        assert!(done.expect("kill").success());
    };
    until(|| folder.join("holder").exists()).await;
    signal("-STOP");
    let paused = std::fs::read_to_string(folder.join("holder")).expect("holder");
    assert!(!is_dead(&paused), "it may wake up again");
    let lease = loop {
        match store.acquire(FLOW, "two", TTL, &is_dead).await.expect("claim") {
            Claim::Held(lease) => break lease,
            Claim::Busy { holder, .. } => assert_eq!(holder, paused),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let other = || new_run("run-2");
    store.start_run(&lease, &other()).await.expect("run");
    let page = Page { run: other().id, ..page_of(vec![settled("1", Outcome::Unchanged)]) };
    store.settle_page(&lease, &page).await.expect("settled");
    let known = store.known(FLOW, &["1"]).await.expect("known");

    std::fs::write(folder.join("go on"), "").expect("told");
    signal("-CONT");
    child.wait().expect("ended");
    let answer = std::fs::read_to_string(folder.join("answer")).expect("answer");
    assert!(answer.starts_with("Err(Fenced"), "{answer}");
    assert_eq!(store.known(FLOW, &["1"]).await.expect("known"), known);
    assert_eq!(known[0].ledger.as_ref().map(|row| row.outcome), Some(OutcomeWord::Unchanged));
    assert_eq!(
        store.run(RUN).await.expect("read").map(|run| (run.pages, run.state)),
        Some((0, RunState::Stopped))
    );
}

#[tokio::test]
async fn two_processes_work_side_by_side() {
    let Some(bench) = Bench::new().await else { return };
    let store = open_at(&place_of(&bench.place)).await.expect("store");
    let mut child = child("work_until_killed", &bench.place, bench.folder.path());
    while position(&*store).await == 0 {
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    assert!(matches!(store.acquire(FLOW, "two", TTL, &is_dead).await, Ok(Claim::Busy { .. })));
    let lease = held(store.acquire("stock", "two", TTL, &is_dead).await);
    store.start_run(&lease, &new_run("stock-1")).await.expect("run");
    let before = position(&*store).await;
    let mut pages = 0;
    while pages < 20 || position(&*store).await < before + 5 {
        let records = keys(pages).iter().map(|key| settled(key, Outcome::Created)).collect();
        let page = Page { run: "stock-1".to_owned(), ..page_of(records) };
        store.settle_page(&lease, &page).await.expect("settled");
        pages += 1;
    }
    assert!(child.try_wait().expect("child").is_none(), "the child gave up by itself");
    child.kill().expect("killed");
    child.wait().expect("gone");
    let run = store.run("stock-1").await.expect("read").expect("run");
    assert_eq!(run.pages, i64::try_from(pages).expect("fits"));
    assert_eq!(store.verify().await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_killed_process_leaves_whole_pages_and_its_intents() {
    let Some(bench) = Bench::new().await else { return };
    let store = open_at(&place_of(&bench.place)).await.expect("store");
    let mut done = 0;
    for round in 1..=4 {
        let mut child = child("work_until_killed", &bench.place, bench.folder.path());
        let wanted = done + 20;
        while done < wanted {
            assert!(child.try_wait().expect("child").is_none(), "the child gave up by itself");
            tokio::time::sleep(Duration::from_millis(3)).await;
            done = position(&*store).await;
        }
        child.kill().expect("killed");
        child.wait().expect("gone");
        // A database may still be about what the process sent last; a claim comes after it.
        let lease = held(store.acquire(FLOW, &this_process(), TTL, &is_dead).await);
        store.release(&lease).await.expect("released");
        done = position(&*store).await;

        for page in [0, done - 1] {
            let known = store.known(FLOW, &refs(&keys(page))).await.expect("known");
            assert!(known.iter().all(|known| known.ledger.is_some() && known.written.len() == 1));
            assert!(known.iter().all(|known| known.intent.is_none()));
        }
        let next = store.known(FLOW, &refs(&keys(done))).await.expect("known");
        assert!(next.iter().all(|known| known.ledger.is_none() && known.written.is_empty()));
        let open = store.open_intents(FLOW).await.expect("open");
        let begun = next.iter().filter(|known| known.intent.is_some()).count();
        assert_eq!(open.len(), begun, "only the page in flight was begun");
        assert!(begun == 0 || begun == SIZE, "a page is begun whole");

        let runs = store.runs(Some(FLOW), 10).await.expect("runs");
        assert_eq!(runs.iter().map(|run| run.pages).sum::<i64>(), i64::try_from(done).expect("fits"));
        assert_eq!(runs.first().map(|run| run.epoch), Some(2 * round - 1));
    }
    assert_eq!(store.verify().await, Ok(Vec::new()));
    let lease = held(store.acquire(FLOW, &this_process(), TTL, &is_dead).await);
    assert_eq!(lease.epoch, 9, "nobody waited for the hour to pass");
}

/// A step that takes a while, with something at its end that nobody can miss.
fn slow_steps() -> Vec<Migration> {
    let text = "
CREATE TABLE many (number BIGINT NOT NULL, name TEXT NOT NULL);
INSERT INTO many WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 150000)
    SELECT x, 'number ' || x FROM c;
ALTER TABLE run ADD colour BLOB;";
    let slow = Migration { version: 99, about: "many things", text };
    MIGRATIONS.iter().copied().chain([slow]).collect()
}

#[tokio::test]
#[ignore = "started by the test below, which kills it"]
async fn migrate_until_killed() {
    let (Ok(place), Ok(folder)) = (std::env::var(STORE), std::env::var(FOLDER)) else { return };
    std::fs::write(Path::new(&folder).join("begun"), "").expect("said");
    open_with(&place, &slow_steps()).await.expect("migrated");
}

#[tokio::test]
async fn killed_in_the_middle_of_a_migration_a_store_is_what_it_was() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    bench.store.settle_page(&lease, &page_of(vec![settled("1", Outcome::Created)])).await.expect("settled");
    bench.store.close().await;
    let begun = bench.folder.path().join("begun");
    let mut killed = 0;
    for millis in [1, 20, 60, 120] {
        let mut child = child("migrate_until_killed", &bench.place, bench.folder.path());
        until(|| begun.exists()).await;
        tokio::time::sleep(Duration::from_millis(millis)).await;
        child.kill().expect("killed");
        killed += i32::from(!child.wait().expect("gone").success());
        std::fs::remove_file(&begun).expect("removed");
        // The old program goes on, unless the new one was quicker.
        match open_at(&place_of(&bench.place)).await {
            Ok(store) => {
                assert_eq!(store.verify().await, Ok(Vec::new()));
                assert!(store.known(FLOW, &["1"]).await.expect("known")[0].ledger.is_some());
                store.close().await;
            }
            Err(error) => assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error:?}"),
        }
    }
    assert!(killed > 0, "every migration was quicker");
    let store = open_with(&bench.place, &slow_steps()).await.expect("migrated");
    assert_eq!(store.verify().await, Ok(Vec::new()));
    assert!(store.known(FLOW, &["1"]).await.expect("known")[0].ledger.is_some());
    store.close().await;
    let error = open_at(&place_of(&bench.place)).await.err().expect("newer");
    assert!(matches!(error, StoreError::Newer { found: 99, .. }), "{error:?}");
}

/// This program once more, for one of the tests here that work for others.
fn child(test: &str, place: &str, folder: &Path) -> Child {
    let (_, module) = module_path!().split_once("::").expect("module");
    Command::new(std::env::current_exe().expect("program"))
        .args([&format!("{module}::{test}"), "--exact", "--ignored"])
        .env(STORE, place)
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .spawn()
        .expect("child")
}

async fn position(store: &dyn Store) -> usize {
    let cursor = store.cursor(FLOW).await.expect("cursor");
    cursor.and_then(|cursor| cursor.position).map_or(0, |position| position.parse().expect("number"))
}

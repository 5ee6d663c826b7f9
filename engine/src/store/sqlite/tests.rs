//! What is special to a store in a file.

mod bad_disk;
mod copies;

use super::super::Forget;
use super::super::Runs;
use super::super::migrate::{MIGRATIONS, Migration};
use super::super::{
    Activity, Claim, Fingerprint, Lease, NewRun, Outcome, Page, RunState, Settled, Store, open as open_store,
};
use super::*;

async fn store(path: &Path) -> Database<File> {
    open(path, MIGRATIONS).await.expect("store")
}

async fn lease(store: &Database<File>) -> Lease {
    let claim = store.acquire("orders", "one", PATIENCE, &|_| true).await.expect("claim");
    let Claim::Held(lease) = claim else { panic!("busy") };
    let run =
        NewRun { id: format!("run-{}", lease.epoch), cause: String::new(), plan: Fingerprint::default() };
    store.start_run(&lease, &run).await.expect("run");
    lease
}

fn page(lease: &Lease, number: usize, payload: usize) -> Page {
    let record = |key: usize| Settled {
        source_key: format!("{number}/{key}"),
        source_print: Fingerprint::default(),
        outcome: Outcome::Created,
        written: Vec::new(),
        activity: Some(Activity { payload: Some(noise(payload)), detail: None }),
        search_keys: Vec::new(),
        payload: Vec::new(),
        in_doubt: false,
    };
    Page { run: format!("run-{}", lease.epoch), records: (0..100).map(record).collect(), ..Page::default() }
}

/// Bytes that do not get fewer when they are packed.
fn noise(length: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    std::iter::repeat_with(|| random.u8(2..)).take(length).collect()
}

fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |data| data.len())
}

fn log(path: &Path) -> PathBuf {
    path.with_file_name("weft.db-wal")
}

/// Opens a file that is no store; answers the error, having seen that nothing was changed.
async fn refused(content: &[u8]) -> StoreError {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("weft.db");
    std::fs::write(&path, content).expect("file");
    let error = open_store(&path).await.err().expect("refused");
    assert_eq!(std::fs::read(&path).expect("file"), content, "the file was touched");
    let files = std::fs::read_dir(folder.path()).expect("folder").count();
    assert_eq!(files, 1, "something was put beside it");
    error
}

fn foreign(sql: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("other.db");
    let conn = Connection::open(&path).expect("other");
    conn.execute_batch(&format!("{sql}; CREATE TABLE bookmarks (url TEXT)")).expect("made");
    drop(conn);
    std::fs::read(&path).expect("file")
}

#[tokio::test]
async fn what_is_no_store_is_refused_and_left_alone() {
    for content in ["# Shopping list\n".repeat(100).as_bytes(), b"SQLite", &[0; 4096]] {
        let error = refused(content).await;
        assert!(matches!(error, StoreError::NotAStore { .. }), "{error:?}");
        assert!(error.to_string().ends_with("is not a store of weft: it is not a SQLite file"), "{error}");
    }
    for sql in ["PRAGMA application_id = 42", "PRAGMA user_version = 3"] {
        let error = refused(&foreign(sql)).await;
        assert!(error.to_string().ends_with("it is a SQLite file of another program"), "{error}");
    }
}

#[tokio::test]
async fn a_place_that_cannot_be_opened_is_explained() {
    let folder = tempfile::tempdir().expect("folder");
    let error = open_store(folder.path()).await.err().expect("refused");
    assert!(error.to_string().contains("it is a folder"), "{error}");

    let error = open_store(&folder.path().join("no/such/weft.db")).await.err().expect("refused");
    let StoreError::CannotOpen { place, help, .. } = &error else { panic!("{error:?}") };
    assert!(place.ends_with("no/such/weft.db"));
    assert!(help.contains("make the folder first"));
}

#[tokio::test]
#[cfg(unix)]
async fn a_folder_that_may_only_be_read_is_explained() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("weft.db");
    store(&path).await.close().await;
    let allow =
        |mode| std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).expect("mode");
    allow(0o500);
    if std::fs::write(folder.path().join("probe"), "").is_ok() {
        return; // Some users may write everywhere.
    }
    let old = open_store(&path).await.err().expect("refused");
    let new = open_store(&folder.path().join("new.db")).await.err().expect("refused");
    allow(0o700);
    for error in [old, new] {
        let told = matches!(error, StoreError::CannotOpen { .. } | StoreError::ReadOnly { .. });
        assert!(told, "{error:?}");
    }
}

#[tokio::test]
async fn a_damaged_file_is_explained() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("weft.db");
    let first = store(&path).await;
    let held = lease(&first).await;
    first.settle_page(&held, &page(&held, 1, 500)).await.expect("settled");
    assert_eq!(first.verify().await, Ok(Vec::new()));
    first.close().await;
    let mut content = std::fs::read(&path).expect("file");
    for byte in content.iter_mut().skip(4096) {
        *byte = 0x55;
    }
    std::fs::write(&path, content).expect("file");
    let error = open_store(&path).await.err().expect("refused");
    assert!(matches!(error, StoreError::Corrupt { .. }), "{error:?}");
}

#[tokio::test]
async fn a_store_is_there_again_after_it_was_closed() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("weft.db");
    let first = store(&path).await;
    let held = lease(&first).await;
    first.settle_page(&held, &page(&held, 1, 10)).await.expect("settled");
    first.close().await;
    assert!(matches!(first.cursor("orders").await, Err(StoreError::Refused { .. })));
    assert!(matches!(first.release(&held).await, Err(StoreError::Refused { .. })));
    assert!(!log(&path).exists(), "closing empties the log");
    let again = store(&path).await;
    assert_eq!(again.leases().await, Ok(vec![held]));
    assert!(again.known("orders", &["1/99"]).await.expect("known")[0].ledger.is_some());
}

#[tokio::test]
#[cfg(unix)]
async fn only_the_owner_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("weft.db");
    let store = store(&path).await;
    lease(&store).await;
    for file in [&path, &log(&path)] {
        let mode = std::fs::metadata(file).expect("file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", file.display());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_make_the_same_store_at_once() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("weft.db");
    let openers: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn({
                let path = path.clone();
                async move { open_store(&path).await.map(drop) }
            })
        })
        .collect();
    for opener in openers {
        opener.await.expect("task").expect("opened");
    }
}

#[tokio::test]
async fn the_head_of_the_file_is_ours() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("weft.db");
    store(&path).await.close().await;
    let content = std::fs::read(&path).expect("file");
    assert_eq!(&content[68..72], b"Weft");
    assert_eq!(content[64..68], 1_i32.to_be_bytes(), "incremental vacuum");
}

/// The schema of this program.
fn latest() -> i64 {
    MIGRATIONS.iter().map(|step| step.version).max().expect("steps")
}

/// Every step of this program, and one more.
fn steps(text: &'static str) -> Vec<Migration> {
    let next = Migration { version: latest() + 1, about: "a colour", text };
    MIGRATIONS.iter().copied().chain([next]).collect()
}

const COLOUR: &str = "ALTER TABLE run ADD colour BLOB;";

#[tokio::test]
async fn a_store_is_copied_before_its_schema_changes() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("weft.db");
    let first = store(&path).await;
    let held = lease(&first).await;
    first.close().await;
    let second = open(&path, &steps(COLOUR)).await.expect("migrated");
    assert_eq!(second.leases().await, Ok(vec![held.clone()]));
    second.close().await;
    open(&path, &steps(COLOUR)).await.expect("nothing to do").close().await;
    let copies: Vec<_> = std::fs::read_dir(folder.path()).expect("folder").flatten().collect();
    assert_eq!(copies.len(), 2, "one copy beside the store: {copies:?}");

    let error = open_store(&path).await.err().expect("newer");
    let (newer, ours) = (latest() + 1, latest());
    assert!(
        matches!(error, StoreError::Newer { found, known, .. } if (found, known) == (newer, ours)),
        "{error:?}"
    );
    let copy = store(&folder.path().join(format!("weft.db.schema-{ours}"))).await;
    assert_eq!(copy.leases().await, Ok(vec![held]));
}

#[tokio::test]
async fn a_migration_that_fails_changes_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("weft.db");
    store(&path).await.close().await;
    let broken = steps("ALTER TABLE run ADD colour BLOB; ALTER TABLE nowhere ADD x BLOB;");
    assert!(open(&path, &broken).await.is_err());
    let again = open(&path, &steps(COLOUR)).await.expect("the column is not there yet");
    assert_eq!(again.verify().await, Ok(Vec::new()));
    let second = format!("weft.db.schema-{}-2", latest());
    assert!(folder.path().join(second).exists(), "no copy is overwritten");
}

#[tokio::test]
async fn a_full_disk_costs_one_page_and_no_more() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("weft.db");
    let mut store = store(&path).await;
    let held = lease(&store).await;
    let tight = store.driver_mut();
    tight.options.pragmas = "PRAGMA max_page_count = 90";
    tight.writer.lock().await.take();
    let error = store.settle_page(&held, &page(&held, 1, 5_000)).await.expect_err("no room");
    assert!(matches!(error, StoreError::Full { .. }), "{error:?}");
    assert!(store.known("orders", &["1/0"]).await.expect("known")[0].ledger.is_none());
    store.settle_page(&held, &page(&held, 2, 1)).await.expect("what fits goes on");

    let roomy = store.driver_mut();
    roomy.options.pragmas = "";
    roomy.writer.lock().await.take();
    store.settle_page(&held, &page(&held, 1, 5_000)).await.expect("the same page again");
}

#[tokio::test]
async fn another_program_that_keeps_the_file_is_named() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("weft.db");
    let other = store(&path).await;
    let mut store = store(&path).await;
    let driver = store.driver_mut();
    driver.options.patience = Duration::from_millis(20);
    driver.writer.lock().await.take();
    let tx = other.driver().begin().await.expect("begun");
    let error = store.acquire("orders", "two", PATIENCE, &|_| false).await.expect_err("busy");
    assert!(matches!(error, StoreError::Busy { .. }), "{error:?}");
    assert_eq!(store.leases().await, Ok(Vec::new()), "reading goes on");
    drop(tx);
    store.acquire("orders", "two", PATIENCE, &|_| false).await.expect("free again");
}

#[tokio::test]
async fn file_and_log_stay_small() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("weft.db");
    let store = store(&path).await;
    let held = lease(&store).await;
    let mut highest = 0;
    for number in 0..PAGES as usize + 10 {
        store.settle_page(&held, &page(&held, number % 50, 300)).await.expect("settled");
        highest = highest.max(length(&log(&path)));
    }
    assert!(highest < 32 << 20, "the log grew to {highest} bytes");
    store.end_run(&held, "run-1", RunState::Succeeded, None).await.expect("ended");
    assert_eq!(length(&log(&path)), 0, "the end of a run empties the log");

    let full = length(&path);
    store.prune("orders", i64::MAX).await.expect("pruned");
    for _ in 0..4 {
        store.upkeep().await.expect("upkeep");
    }
    let pruned = length(&path);
    assert!(pruned * 4 < full, "from {full} bytes to {pruned} only");
}

#[tokio::test]
async fn what_was_forgotten_is_not_in_the_file() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("weft.db");
    let store = store(&path).await;
    let held = lease(&store).await;
    let mut page = page(&held, 1, 20);
    page.records[50].activity = Some(Activity { payload: Some(b"ann@example.org".to_vec()), detail: None });
    store.settle_page(&held, &page).await.expect("settled");
    store.upkeep().await.expect("upkeep");
    let holds = || std::fs::read(&path).expect("file").windows(15).any(|part| part == b"ann@example.org");
    assert!(holds());
    let records = [("orders".to_owned(), "1/50".to_owned())];
    store.forget(&Forget { text: "ann@example.org", records: &records, by: "bo" }).await.expect("forgotten");
    store.scrub().await.expect("scrubbed");
    assert!(!holds());
}

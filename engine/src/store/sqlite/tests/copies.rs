//! Copies are whole, and put back only where nobody is harmed.

use super::super::super::tests::disk::Disk;
use super::super::copy::restore_known;
use super::*;

/// A store with so many pages, closed.
async fn made(path: &Path, pages: usize) -> Lease {
    let store = store(path).await;
    let held = lease(&store).await;
    for number in 0..pages {
        store.settle_page(&held, &page(&held, number, 100)).await.expect("settled");
    }
    store.end_run(&held, "run-1", RunState::Succeeded, None).await.expect("ended");
    store.release(&held).await.expect("released");
    store.close().await;
    held
}

async fn pages(path: &Path) -> i64 {
    let store = store(path).await;
    assert_eq!(store.verify().await, Ok(Vec::new()));
    let run = store.run("run-1").await.expect("read").expect("run");
    // Each page whole: the counts of the run and the ledger agree.
    for number in 0..run.pages {
        let known = store.known("orders", &[&format!("{number}/0"), &format!("{number}/99")]).await;
        assert!(known.expect("known").iter().all(|known| known.ledger.is_some()), "page {number}");
    }
    store.close().await;
    run.pages
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("folder").flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_made_while_pages_are_settled() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("weft.db");
    let store = Arc::new(store(&path).await);
    let held = lease(&store).await;
    let worker = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for number in 0..200 {
                store.settle_page(&held, &page(&held, number, 100)).await.expect("settled");
            }
        }
    });
    let mut last = -1;
    for number in 0..4 {
        let copy = folder.path().join(format!("copy-{number}.db"));
        backup(&path, &copy).await.expect("copied");
        let found = pages(&copy).await;
        assert!(found >= last, "{found} after {last}");
        last = found;
    }
    worker.await.expect("worker");
    assert_eq!(store.verify().await, Ok(Vec::new()));
    assert!(!names(folder.path()).iter().any(|name| name.contains("part")));
}

#[tokio::test]
#[cfg(unix)]
async fn only_the_owner_may_read_a_copy() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("folder");
    let (path, copy) = (folder.path().join("weft.db"), folder.path().join("copy.db"));
    made(&path, 1).await;
    backup(&path, &copy).await.expect("copied");
    let mode = std::fs::metadata(&copy).expect("file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_copy_that_does_not_fit_leaves_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let (path, small) = (folder.path().join("weft.db"), folder.path().join("small"));
    made(&path, 20).await;
    let error = backup(&path, &folder.path().join("no/such/copy.db")).await.expect_err("no folder");
    assert!(matches!(error, StoreError::CannotOpen { .. }), "{error:?}");
    let Some(_disk) = Disk::new(&small, "400k") else { return };
    let copy = small.join("copy.db");
    let error = backup(&path, &copy).await.expect_err("no room");
    let StoreError::Full { place, .. } = &error else { panic!("{error:?}") };
    assert!(place.starts_with(&copy.display().to_string()), "{place}");
    assert_eq!(names(&small), [""; 0]);
}

#[tokio::test]
async fn a_copy_is_put_back_and_the_store_kept() {
    let folder = tempfile::tempdir().expect("folder");
    let (path, copy) = (folder.path().join("weft.db"), folder.path().join("copy.db"));
    made(&path, 3).await;
    backup(&path, &copy).await.expect("copied");
    let store = store(&path).await;
    let held = lease(&store).await;
    store.settle_page(&held, &page(&held, 9, 1)).await.expect("settled");
    store.release(&held).await.expect("released");
    store.close().await;

    let restored = restore(&copy, &path).await.expect("restored");
    let aside = folder.path().join("weft.db.replaced");
    assert_eq!(restored.aside.as_deref(), Some(aside.as_path()));
    assert!(restored.knows_until.is_some());
    assert_eq!(pages(&path).await, 3);
    assert_eq!(pages(&copy).await, 3, "the copy can be used again");
    let replaced = super::store(&aside).await;
    assert!(replaced.known("orders", &["9/0"]).await.expect("known")[0].ledger.is_some());
    replaced.close().await;

    let again = restore(&copy, &path).await.expect("restored");
    assert_eq!(again.aside, Some(folder.path().join("weft.db.replaced-2")), "nothing is overwritten");
    let new = folder.path().join("new.db");
    assert_eq!(restore(&copy, &new).await.expect("restored").aside, None);
    assert_eq!(pages(&new).await, 3);
}

#[tokio::test]
async fn a_store_in_use_is_not_replaced() {
    let folder = tempfile::tempdir().expect("folder");
    let (path, copy) = (folder.path().join("weft.db"), folder.path().join("copy.db"));
    made(&path, 1).await;
    backup(&path, &copy).await.expect("copied");
    let refused = async |cause: &str| {
        let error = restore(&copy, &path).await.expect_err("in use");
        assert!(matches!(error, StoreError::InUse { .. }), "{error:?}");
        assert!(error.to_string().contains(cause), "{error}");
        assert!(!names(folder.path()).iter().any(|name| name.contains("part") || name.contains("replaced")));
    };
    let open = store(&path).await;
    refused("another process has it open").await;
    let held = lease(&open).await;
    refused("flow `orders` is being run by one").await;
    open.settle_page(&held, &page(&held, 5, 1)).await.expect("work goes on");
    open.close().await;
    // The process is gone, but nothing proves it: the claim has to run out.
    refused("flow `orders` is being run by one").await;
    let open = store(&path).await;
    open.release(&held).await.expect("released");
    open.close().await;
    restore(&copy, &path).await.expect("nobody is left");
}

#[tokio::test]
async fn a_copy_that_is_no_good_replaces_nothing() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("weft.db");
    made(&path, 2).await;
    let before = std::fs::read(&path).expect("file");
    let copy = folder.path().join("copy.db");
    backup(&path, &copy).await.expect("copied");
    let whole = std::fs::read(&copy).expect("copy");

    let steps = [MIGRATIONS[0]];
    let error = restore_known(&copy, &path, &steps).expect_err("newer");
    assert!(matches!(error, StoreError::Newer { .. }), "{error:?}");
    let mut cut = whole.clone();
    cut.truncate(cut.len() / 2);
    let mut torn = whole.clone();
    let middle = torn.len() / 2 / 4096 * 4096;
    torn[middle..middle + 4096].fill(0x55);
    for content in [cut, torn] {
        std::fs::write(&copy, content).expect("written");
        let error = restore(&copy, &path).await.expect_err("damaged");
        let is_told =
            matches!(&error, StoreError::Corrupt { place, .. } if *place == copy.display().to_string());
        assert!(is_told, "{error:?}");
    }
    for content in [&b"# Shopping list\n"[..], b""] {
        std::fs::write(&copy, content).expect("written");
        let error = restore(&copy, &path).await.expect_err("no store");
        assert!(matches!(error, StoreError::NotAStore { .. } | StoreError::Refused { .. }), "{error:?}");
    }
    assert_eq!(std::fs::read(&path).expect("file"), before);
    assert!(!names(folder.path()).iter().any(|name| name.contains("part") || name.contains("replaced")));
}

#[tokio::test]
async fn a_store_that_is_ruined_is_replaced_and_kept() {
    let folder = tempfile::tempdir().expect("folder");
    let (path, copy) = (folder.path().join("weft.db"), folder.path().join("copy.db"));
    made(&path, 2).await;
    backup(&path, &copy).await.expect("copied");
    for (round, ruin) in ["this was a store once", ""].iter().enumerate() {
        std::fs::write(&path, ruin.repeat(500)).expect("ruined");
        std::fs::write(log(&path), "and this was its log").expect("ruined");
        let restored = restore(&copy, &path).await.expect("restored");
        assert_eq!(pages(&path).await, 2, "round {round}");
        let aside = restored.aside.expect("kept");
        assert_eq!(std::fs::read(&aside).expect("file"), ruin.repeat(500).as_bytes());
    }
}

#[tokio::test]
async fn a_copy_of_an_older_schema_is_put_back_and_knows_that_it_was() {
    let folder = tempfile::tempdir().expect("folder");
    let (path, copy) = (folder.path().join("weft.db"), folder.path().join("old.db"));
    let old = open(&copy, &MIGRATIONS[..1]).await.expect("old store");
    old.release(&lease_of(&old).await).await.expect("released");
    old.close().await;
    restore(&copy, &path).await.expect("restored");
    let store = store(&path).await;
    let known = store.known("orders", &["1"]).await.expect("known").remove(0);
    assert!(known.ledger.is_none() && known.intent.is_some(), "{known:?}");
    assert!(store.known("stock", &["1"]).await.expect("known")[0].intent.is_none(), "never ran");
    let whole = super::store(&folder.path().join("weft.db.schema-1")).await;
    assert_eq!(whole.verify().await, Ok(Vec::new()));
}

async fn lease_of(store: &Database<File>) -> Lease {
    let claim = store.acquire("orders", "one", PATIENCE, &|_| true).await.expect("claim");
    let Claim::Held(lease) = claim else { panic!("busy") };
    lease
}

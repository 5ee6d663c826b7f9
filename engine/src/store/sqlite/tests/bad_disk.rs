//! Disks that are full, that may only be read, that forget; files that go away.

use super::super::super::tests::disk::Disk;
use super::super::super::wait;
use super::*;

/// Settles pages until it cannot; answers the page that was refused, and why.
async fn fill(store: &Database<File>, held: &Lease) -> (Page, StoreError) {
    for number in 1.. {
        let page = page(held, number, 2_000);
        if let Err(error) = store.settle_page(held, &page).await {
            return (page, error);
        }
        assert!(number < 100, "the disk is too large");
    }
    unreachable!("the disk is too large")
}

/// The first thing that waiting says; then `mend` is called.
async fn waits(store: &Database<File>, mend: impl Fn() + Send + Sync) -> StoreError {
    let mut first = None;
    wait(store, |error| {
        if first.is_none() {
            first = Some(error.clone());
            mend();
        }
    })
    .await
    .expect("passes");
    first.expect("it was not well at once")
}

#[tokio::test]
async fn work_goes_on_by_itself_when_a_full_disk_has_room_again() {
    let folder = tempfile::tempdir().expect("folder");
    let small = folder.path().join("small");
    let Some(disk) = Disk::new(&small, "3m") else { return };
    let path = small.join("weft.db");
    let store = store(&path).await;
    let held = lease(&store).await;
    let (page, error) = fill(&store, &held).await;
    assert!(error.is_temporary(), "{error:?}");
    let StoreError::Full { place, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*place, path.display().to_string());
    let key = page.records[0].source_key.clone();
    assert!(store.known("orders", &[&key]).await.expect("read")[0].ledger.is_none());
    assert!(store.known("orders", &["1/0"]).await.expect("read")[0].ledger.is_some());

    // The log has a corner left for next to nothing; that is no room for a page.
    let told = waits(&store, || disk.remount("size=40m")).await;
    assert!(matches!(told, StoreError::Full { .. }), "{told:?}");
    store.settle_page(&held, &page).await.expect("the same page again");
    assert_eq!(store.verify().await, Ok(Vec::new()));
    assert!(!small.join("weft.db.room").exists());
    store.close().await;
}

#[tokio::test]
async fn work_goes_on_by_itself_when_a_disk_may_be_written_again() {
    let folder = tempfile::tempdir().expect("folder");
    let disk_folder = folder.path().join("disk");
    let Some(disk) = Disk::new(&disk_folder, "20m") else { return };
    let path = disk_folder.join("weft.db");
    let first = store(&path).await;
    let held = lease(&first).await;
    first.settle_page(&held, &page(&held, 1, 10)).await.expect("settled");
    first.close().await;
    // Files that are open for writing keep a disk from becoming read only.
    disk.remount("ro");
    let error = open_store(&path).await.err().expect("refused");
    let told = error.to_string();
    assert!(told.contains(&path.display().to_string()), "{told}");
    assert!(matches!(error, StoreError::ReadOnly { .. } | StoreError::CannotOpen { .. }), "{error:?}");
    disk.remount("rw");
    let again = store(&path).await;
    again.settle_page(&held, &page(&held, 2, 10)).await.expect("settled");
    again.close().await;
}

#[tokio::test]
async fn a_file_that_was_moved_away_takes_no_more_writes() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("weft.db");
    let open = store(&path).await;
    let held = lease(&open).await;
    for end in ["", "-wal", "-shm"] {
        let from = folder.path().join(format!("weft.db{end}"));
        std::fs::rename(&from, folder.path().join(format!("moved.db{end}"))).expect("moved");
    }
    let error = open.settle_page(&held, &page(&held, 1, 1)).await.expect_err("gone");
    assert_eq!(error, StoreError::Replaced { place: path.display().to_string() });
    assert!(!error.is_temporary(), "waiting does not bring it back");
    // Not even when another one lies there now.
    store(&path).await.close().await;
    assert!(matches!(open.ping().await, Err(StoreError::Replaced { .. })));
    drop(open);
    let moved = store(&folder.path().join("moved.db")).await;
    assert_eq!(moved.leases().await, Ok(vec![held]));
}

#[tokio::test]
async fn a_damaged_page_is_told_and_the_rest_can_be_read() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("weft.db");
    let first = store(&path).await;
    let held = lease(&first).await;
    for number in 1..20 {
        first.settle_page(&held, &page(&held, number, 300)).await.expect("settled");
    }
    first.close().await;
    // Somewhere behind the middle, where no head of a table is.
    let mut content = std::fs::read(&path).expect("file");
    let middle = content.len() / 2 / 4096 * 4096;
    for byte in content.iter_mut().skip(middle).take(4096) {
        *byte = 0x55;
    }
    std::fs::write(&path, content).expect("file");
    let store = store(&path).await;
    let damaged = store.verify().await;
    assert!(!matches!(&damaged, Ok(lines) if lines.is_empty()), "{damaged:?}");
    assert_eq!(store.leases().await, Ok(vec![held]));
    let copy = folder.path().join("copy.db");
    let error = backup(&path, &copy).await.expect_err("damaged");
    assert!(
        matches!(&error, StoreError::Corrupt { place, .. } if *place == path.display().to_string()),
        "{error:?}"
    );
    assert!(!copy.exists() && !folder.path().join("copy.db.part").exists());
}

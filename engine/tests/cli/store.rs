//! A store that cannot be used: left as it is, and said so.

use super::disk::Disk;
use super::town::{CUSTOMERS, Folder, Town, golden};

async fn project() -> (Town, Folder) {
    let town = Town::with_customers(3).await;
    let folder = town.project(&[("customers", CUSTOMERS)]);
    (town, folder)
}

// shows R87
#[tokio::test]
async fn runs_and_records_are_listed() {
    let (town, folder) = project().await;
    golden("nothing_has_run", folder.show(&["runs"]).await);
    golden("first_run", folder.show(&["run"]).await);
    golden("second_run", folder.show(&["run", "--json"]).await);
    golden("runs", folder.show(&["runs"]).await);
    golden("runs_json", folder.show(&["runs", "--json", "--limit", "1"]).await);
    golden("nothing_refused", folder.show(&["records", "--failed"]).await);
    golden("unknown_record", folder.show(&["records", "nobody@voorbeeld.example"]).await);
    let record = folder.show(&["records", "klant2@voorbeeld.example"]).await;
    let relation = town.till.relations()[0].text("relation_number").unwrap().to_owned();
    assert!(
        record.contains("created") && record.contains("email = \"klant2@voorbeeld.example\""),
        "{record}"
    );
    let by_number = folder.weft(&["records", &relation]).await;
    assert_eq!(by_number.code, Some(0), "{}{}", by_number.out, by_number.err);
}

// shows R87
#[tokio::test]
async fn a_refused_record_is_explained_and_taken_up_again() {
    let (town, folder) = project().await;
    let refuse = "fail `${customer.email} is on the black list` if customer.email == \"klant2@voorbeeld.example\"\nupsert";
    folder.put("flows/customers.flow", CUSTOMERS.replace("upsert", refuse));
    golden("one_refused", folder.show(&["run"]).await);
    golden("one_refused_json", folder.show(&["run", "--json"]).await);
    golden("one_refused_listed", folder.show(&["records", "--failed"]).await);
    golden("one_refused_listed_json", folder.show(&["records", "--failed", "--json"]).await);
    golden("one_refused_history", folder.show(&["records", "klant2@voorbeeld.example"]).await);
    assert_eq!(town.till.relations().len(), 2);
    folder.put("flows/customers.flow", CUSTOMERS);
    golden("no_more_refused", folder.show(&["run"]).await);
    let told = folder.weft(&["records", "klant2@voorbeeld.example", "--full"]).await.out;
    for words in ["created", "refused: ", "email = \"klant2", "sent: <?xml", "answer: <?xml", "secret=•••"]
    {
        assert!(told.contains(words), "{words} is missing:\n{told}");
    }
    assert_eq!(town.till.relations().len(), 3);
}

#[tokio::test]
async fn a_full_disk_stops_a_run_and_the_next_goes_on() {
    let town = Town::with_customers(400).await;
    let folder = town.project(&[("customers", CUSTOMERS)]);
    let Some(disk) = Disk::new(&folder.path().join(".weft"), "500k") else { return };
    let told = folder.weft(&["run"]).await;
    assert_eq!(told.code, Some(4), "{}{}", told.out, told.err);
    let place = folder.store().display().to_string();
    for words in ["R030", "no room left for the store", "make room on that disk"] {
        assert!(told.err.contains(words), "{words} is missing in: {}", told.err);
    }
    assert!(told.err.replace(['│', '\n', ' '], "").contains(&place), "{}", told.err);
    let sent = town.till.relations().len();
    assert!(sent < 400, "the disk is too large");
    // Still no room: nothing is sent whose outcome could not be kept.
    let told = folder.weft(&["run"]).await;
    assert_eq!(told.code, Some(4), "{}{}", told.out, told.err);
    assert!(town.till.relations().len() < 400);

    disk.remount("size=40m");
    let told = folder.weft(&["run"]).await;
    assert_eq!(told.code, Some(0), "{}{}", told.out, told.err);
    let mut addresses: Vec<String> =
        town.till.relations().iter().map(|relation| relation.text("email").unwrap().to_owned()).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!((addresses.len(), town.till.relations().len()), (400, 400));
}

#[tokio::test]
async fn not_a_database() {
    let (town, folder) = project().await;
    folder.put(".weft/store.db", "this is no store, but somebody's notes\n".repeat(10));
    let before = std::fs::read(folder.store()).unwrap();
    golden("not_a_database", folder.show(&["run"]).await);
    golden("not_a_database_listed", folder.show(&["runs"]).await);
    assert_eq!(std::fs::read(folder.store()).unwrap(), before);
    assert!(town.till.relations().is_empty(), "nothing may be sent without a store");
}

#[tokio::test]
async fn another_programs_database() {
    let (_town, folder) = project().await;
    folder.put(".weft/other", "");
    let other = rusqlite::Connection::open(folder.store()).unwrap();
    other.execute_batch("CREATE TABLE photos (name TEXT)").unwrap();
    drop(other);
    golden("another_programs_database", folder.show(&["run"]).await);
}

#[tokio::test]
async fn a_store_from_a_newer_version() {
    let (town, folder) = project().await;
    assert_eq!(folder.weft(&["run"]).await.code, Some(0));
    let store = rusqlite::Connection::open(folder.store()).unwrap();
    let newer = "INSERT INTO weft_schema SELECT 99, 'from the future', MAX(applied_at) FROM weft_schema";
    store.execute_batch(newer).unwrap();
    drop(store);
    let (before, asked) = (rows(&folder), town.till_server.requests());
    golden("newer_store", folder.show(&["run"]).await);
    assert_eq!(rows(&folder), before);
    assert_eq!(town.till_server.requests(), asked);
}

/// How many rows each table of the store holds.
fn rows(folder: &Folder) -> Vec<(String, i64)> {
    let store = rusqlite::Connection::open(folder.store()).unwrap();
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
    let mut tables = store.prepare(tables).unwrap();
    let tables: Result<Vec<String>, _> = tables.query_map((), |row| row.get(0)).unwrap().collect();
    let count = |table: String| {
        let count = format!("SELECT COUNT(*) FROM \"{table}\"");
        let rows = store.query_row(&count, (), |row| row.get(0)).unwrap();
        (table, rows)
    };
    tables.unwrap().into_iter().map(count).collect()
}

#[tokio::test]
async fn the_store_is_a_folder() {
    let (_town, folder) = project().await;
    folder.put(".weft/store.db/x", "");
    golden("store_is_a_folder", folder.show(&["run"]).await);
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_may_only_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_town, folder) = project().await;
    let mode = |mode| std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o500);
    if std::fs::write(folder.path().join("probe"), "").is_ok() {
        // Nothing is forbidden to the super user, so there is nothing to see.
        eprintln!("skipped: this user may write everywhere");
    } else {
        golden("folder_is_read_only", folder.show(&["run"]).await);
    }
    mode(0o700);
}

#[tokio::test]
async fn a_flow_that_somebody_else_runs() {
    let (town, folder) = project().await;
    // The first answer is late enough for the second call to find the flow taken.
    town.shop_server.faults.delay(std::time::Duration::from_secs(4));
    town.shop_server.faults.next([connectors::simulator::Fault::Slow]);
    let first = folder.command(&["run"]).spawn().unwrap();
    while town.shop_server.requests() == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    golden("busy_flow", folder.show(&["run"]).await);
    assert_eq!(first.wait_with_output().await.unwrap().status.code(), Some(0));
}

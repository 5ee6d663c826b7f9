//! The program with its store in a PostgreSQL database.

use super::serve::{Daemon, customers};
use super::server;
use super::town::{CUSTOMERS, Folder, Town, golden};

/// Puts the store of a project into the database of that address.
pub(crate) fn in_database(folder: &Folder, address: &str) {
    let main = std::fs::read_to_string(folder.path().join("weft.toml")).unwrap();
    folder.put("weft.toml", format!("{main}\n[store]\nurl = {{ file = \"store.url\" }}\n"));
    folder.put("store.url", format!("{address}\n"));
}

async fn project() -> (Town, Folder) {
    let town = Town::with_customers(3).await;
    let folder = town.project(&[("customers", CUSTOMERS)]);
    (town, folder)
}

#[tokio::test]
async fn a_project_runs_on_postgresql() {
    let Some(address) = server::place() else { return };
    let (town, folder) = project().await;
    in_database(&folder, &address);
    golden("postgres_first_run", folder.show(&["run"]).await);
    golden("postgres_second_run", folder.show(&["run", "--json"]).await);
    golden("postgres_runs", folder.show(&["runs"]).await);
    let record = folder.show(&["records", "klant2@voorbeeld.example"]).await;
    assert!(record.contains("created"), "{record}");
    assert_eq!(town.till.relations().len(), 3);
    assert!(!folder.store().exists(), "no file beside it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_goes_away_in_the_midst_of_a_run_costs_nothing() {
    let Some(cluster) = server::Cluster::start("") else { return };
    let town = Town::with_customers(300).await;
    let folder = town.project(&[("customers", CUSTOMERS)]);
    in_database(&folder, &cluster.address());
    for mode in ["fast", "immediate"] {
        let asked = town.till_server.requests();
        let mut run = folder.command(&["run"]).spawn().unwrap();
        while town.till_server.requests() < asked + 60 {
            assert!(run.try_wait().unwrap().is_none(), "the run was quicker");
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        cluster.down(mode);
        let told = run.wait_with_output().await.unwrap();
        let words = String::from_utf8(told.stderr).unwrap();
        assert_eq!(told.status.code(), Some(4), "{words}");
        assert!(words.contains("R030") && words.contains("next run goes on from here"), "{words}");
        cluster.up();
    }
    let told = folder.weft(&["run"]).await;
    assert_eq!(told.code, Some(0), "{}{}", told.out, told.err);
    arrived_once(&town, 300);
}

/// So many customers are in the till, each once.
fn arrived_once(town: &Town, count: usize) {
    let relations = town.till.relations();
    let mut addresses: Vec<String> =
        relations.iter().map(|relation| relation.text("email").unwrap().to_owned()).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!((addresses.len(), relations.len()), (count, count), "lost or doubled");
}

async fn until_asked(town: &Town, times: u64) {
    while town.till_server.requests() < times {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_goes_on_by_itself_when_the_server_is_back() {
    let Some(cluster) = server::Cluster::start("") else { return };
    let town = Town::with_customers(300).await;
    let folder = town.project(&[("customers", &customers("every 1 hour"))]);
    in_database(&folder, &cluster.address());
    let daemon = Daemon::start(&folder, &[]);
    until_asked(&town, 60).await;
    cluster.down("immediate");
    daemon.until("the store cannot be used", 1).await;
    cluster.up();
    daemon.until("the store can be used again", 1).await;
    // Long before its own claim of the flow would run out.
    daemon.until("state=\"succeeded\"", 1).await;
    let log = daemon.stop().await;
    assert_eq!(log.matches("the store cannot be used").count(), 1, "{log}");
    arrived_once(&town, 300);
}

// shows R90
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_daemons_one_is_killed_and_the_other_takes_its_flow_over() {
    let Some(address) = server::place() else { return };
    let town = Town::with_customers(300).await;
    let folder = town.project(&[("customers", &customers("every 1 hour"))]);
    in_database(&folder, &address);
    town.till_server.faults.delay(std::time::Duration::from_millis(20));
    town.till_server.faults.rate(connectors::simulator::Fault::Slow, 1_000);
    let one = Daemon::start(&folder, &[]);
    until_asked(&town, 20).await;
    let two = Daemon::start(&folder, &[]);
    until_asked(&town, 60).await;
    one.kill().await;
    assert!(town.till.relations().len() < 300, "the first daemon was too quick");
    town.till_server.faults.clear();
    two.until("state=\"succeeded\"", 1).await;
    two.stop().await;
    arrived_once(&town, 300);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named_without_the_password() {
    let (town, folder) = project().await;
    in_database(&folder, "postgres://weft:hunter2@127.0.0.1:1/books?sslmode=disable");
    let told = folder.show(&["run"]).await;
    assert!(!told.contains("hunter2"), "{told}");
    golden("postgres_is_not_there", told);
    assert!(town.till.relations().is_empty(), "nothing may be sent without a store");
}

#[tokio::test]
async fn addresses_that_cannot_be_used() {
    let (_town, folder) = project().await;
    let main = std::fs::read_to_string(folder.path().join("weft.toml")).unwrap();
    let mut all = String::new();
    for store in [
        "url = \"postgres://weft:hunter2@db.example/books\"",
        "url = \"mysql://weft@db.example/books\"",
        "url = \"postgres://weft:hunter2@db.example/books?sslmod=require\"",
        "url = { env = \"WEFT_TEST_NOT_SET\" }",
        "ulr = \"postgres://weft@db.example/books\"",
        "path = \"books.db\"\nurl = \"postgres://weft@db.example/books\"",
    ] {
        folder.put("weft.toml", format!("[store]\n{store}\n\n{main}"));
        all.push_str(&folder.show(&["runs"]).await);
        all.push('\n');
    }
    assert!(!all.contains("hunter2"), "{all}");
    golden("addresses_that_cannot_be_used", all);
}

#[tokio::test]
async fn a_store_may_be_another_file() {
    let (_town, folder) = project().await;
    let main = std::fs::read_to_string(folder.path().join("weft.toml")).unwrap();
    folder.put("weft.toml", format!("[store]\npath = \"books/kept.db\"\n\n{main}"));
    assert_eq!(folder.weft(&["run"]).await.code, Some(0));
    assert!(folder.path().join("books/kept.db").exists() && !folder.store().exists());
}

//! What a daemon takes over while it serves, beside its flows; and what it waits for before it
//! does, and a run by hand before it writes.

use std::net::TcpListener;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use connectors::simulator::Fault;
use tokio::io::AsyncWriteExt as _;

use super::postgres::in_database;
use super::serve::{Daemon, LONG, customers};
use super::server;
use super::town::{CUSTOMERS, Folder, Town};

async fn project(lines: &str) -> (Town, Folder) {
    let town = Town::with_customers(3).await;
    let folder = town.project(&[("customers", &customers(lines))]);
    (town, folder)
}

/// Until that holds.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !holds().await {
        assert!(begin.elapsed() < LONG, "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn set_secret(folder: &Folder, secret: &str) {
    let mut child =
        folder.command(&["secret", "set", "till", "secret"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(secret.as_bytes()).await.unwrap();
    let told = child.wait_with_output().await.unwrap();
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
}

#[tokio::test]
async fn a_secret_that_is_sealed_anew_is_used_from_then_on() {
    let (town, folder) = project("every 1 second").await;
    let main = town.main_file(&[("customers", "")]);
    folder
        .put("weft.toml", main.replace("secret = { file = \"till.secret\" }", "secret = { sealed = true }"));
    set_secret(&folder, "not-the-secret").await;
    let daemon = Daemon::start(&folder, &[]);
    daemon.until("enter ident and secret again", 1).await;
    set_secret(&folder, &town.secret("secret")).await;
    daemon.until("state=\"succeeded\"", 1).await;
    let log = daemon.stop().await;
    // Other daemons replace tokens all the time: only settings count.
    assert_eq!(log.matches("changed files are taken over").count(), 1, "{log}");
    assert_eq!(town.till.relations().len(), 3);
}

fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn listens(port: u16) -> bool {
    reqwest::get(format!("http://127.0.0.1:{port}/healthz")).await.is_ok_and(|answer| answer.status() == 200)
}

#[tokio::test]
async fn it_listens_elsewhere_when_the_project_says_so() {
    connectors::http::choose_cryptography();
    let (town, folder) = project("every 1 hour").await;
    let main = town.main_file(&[("customers", "")]);
    let at = |port: u16| format!("{main}\n[listen]\naddress = \"127.0.0.1:{port}\"\n");
    let daemon = Daemon::start(&folder, &[]);
    daemon.until("run ended", 1).await;
    let (first, second, taken) = (port(), port(), TcpListener::bind("127.0.0.1:0").unwrap());
    folder.put("weft.toml", at(first));
    until("it listens", async || listens(first).await).await;
    // A port that another program has: what listened goes on.
    folder.put("weft.toml", at(taken.local_addr().unwrap().port()));
    daemon.until("another program listens there", 1).await;
    assert!(listens(first).await);
    // The same port under another name is let go first.
    folder.put("weft.toml", at(first).replace("127.0.0.1", "127.0.0.2"));
    until("it listens at the other address", async || !listens(first).await).await;
    folder.put("weft.toml", at(second));
    until("it listens elsewhere", async || listens(second).await).await;
    folder.put("weft.toml", &main);
    until("it listens nowhere", async || !listens(second).await).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_channel_that_is_added_is_told() {
    let (town, folder) = project("every 1 hour").await;
    let daemon = Daemon::start(&folder, &[]);
    daemon.until("run ended", 1).await;
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&told);
    let take = move |body: String| async move { kept.lock().unwrap().push(body) };
    let router = axum::Router::new().route("/chat", axum::routing::post(take));
    let chat =
        connectors::simulator::serve(router, 0, connectors::simulator::Faults::default()).await.unwrap();
    let main = town.main_file(&[("customers", "")]);
    folder.put(
        "weft.toml",
        format!("{main}\n[alerts.chat]\nkind = \"slack\"\nurl = \"{}/chat\"\n", chat.url()),
    );
    daemon.until("changed files are taken over", 1).await;
    folder.put("flows/customers.flow", customers("evry 1 hour"));
    until("somebody is told of the wrong file", async || {
        told.lock().unwrap().iter().any(|text| text.contains("evry"))
    })
    .await;
    daemon.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_not_there_yet_is_waited_for() {
    let Some(cluster) = server::Cluster::start("") else { return };
    let (town, folder) = project("every 1 second").await;
    in_database(&folder, &cluster.address());
    // With secrets in it, it is needed before the flows are even read.
    let main = std::fs::read_to_string(folder.path().join("weft.toml")).unwrap();
    folder
        .put("weft.toml", main.replace("secret = { file = \"till.secret\" }", "secret = { sealed = true }"));
    set_secret(&folder, &town.secret("secret")).await;
    cluster.down("fast");
    // Told to stop before it ever began.
    let daemon = Daemon::start(&folder, &[]);
    daemon.until("the store cannot be used yet", 1).await;
    daemon.stop().await;
    let daemon = Daemon::start(&folder, &[]);
    daemon.until("the store cannot be used yet", 1).await;
    cluster.up();
    daemon.until("state=\"succeeded\"", 1).await;
    let log = daemon.stop().await;
    assert_eq!(log.matches("the store cannot be used yet").count(), 1, "{log}");
    assert_eq!(town.till.relations().len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_by_hand_waits_for_a_flow_that_creates_the_same() {
    let town = Town::with_customers(60).await;
    let by_the_daemon = customers("every 1 hour");
    let flows = [("by_the_daemon", by_the_daemon.as_str()), ("by_hand", CUSTOMERS)];
    let folder = town.project(&flows);
    town.till_server.faults.delay(Duration::from_millis(40));
    town.till_server.faults.rate(Fault::Slow, 1_000);
    let daemon = Daemon::start(&folder, &[]);
    until("the daemon writes", async || town.till_server.requests() > 5).await;
    // Both look for the same customers: at once they would both find nobody.
    let told = folder.weft(&["run", "by_hand"]).await;
    assert_eq!(told.code, Some(0), "{}{}", told.out, told.err);
    assert!(told.err.contains("by_hand: waiting for process"), "the daemon was too quick: {}", told.err);
    town.till_server.faults.clear();
    daemon.stop().await;
    let mut emails: Vec<String> =
        town.till.relations().iter().map(|relation| relation.text("email").unwrap().to_owned()).collect();
    emails.sort();
    emails.dedup();
    assert_eq!((emails.len(), town.till.relations().len()), (60, 60), "none is lost, none is doubled");
}

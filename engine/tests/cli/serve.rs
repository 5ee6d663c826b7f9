//! The daemon as the machine and its operator meet it: started, told, killed, started again.

use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use connectors::simulator::Fault;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::disk::Disk;
use super::postgres::in_database;
use super::server;
use super::town::{CUSTOMERS, Folder, Town, golden};

/// Longer than anything here takes, on a machine that is busy with other things.
pub(crate) const LONG: Duration = Duration::from_mins(3);

/// A daemon under way.
pub(crate) struct Daemon {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Daemon {
    pub(crate) fn start(folder: &Folder, args: &[&str]) -> Self {
        let all: Vec<&str> = ["serve"].iter().chain(args).copied().collect();
        Self::spawn(folder.command(&all))
    }

    fn spawn(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = Arc::clone(&lines);
        let mut reader = BufReader::new(child.stderr.take().unwrap()).lines();
        tokio::spawn(async move {
            while let Ok(Some(line)) = reader.next_line().await {
                kept.lock().unwrap().push(line);
            }
        });
        Self { child, lines }
    }

    /// Everything that it has said so far.
    pub(crate) fn log(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    fn count(&self, words: &str) -> usize {
        self.lines.lock().unwrap().iter().filter(|line| line.contains(words)).count()
    }

    /// Until it has said that so many times.
    pub(crate) async fn until(&self, words: &str, times: usize) {
        let begin = Instant::now();
        while self.count(words) < times {
            assert!(begin.elapsed() < LONG, "never said `{words}` {times} times:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().expect("it runs").to_string();
        let done = std::process::Command::new("kill").args(["-s", name, &pid]).status().unwrap();
        assert!(done.success());
    }

    /// Until it has ended; the exit code.
    async fn end(&mut self) -> Option<i32> {
        let code = tokio::time::timeout(LONG, self.child.wait()).await.expect("it ends").unwrap().code();
        // What it said last may still be on its way.
        tokio::time::sleep(Duration::from_millis(50)).await;
        code
    }

    pub(crate) async fn stop(mut self) -> String {
        self.signal("TERM");
        assert_eq!(self.end().await, Some(0), "{}", self.log());
        self.log()
    }

    pub(crate) async fn kill(mut self) {
        self.child.start_kill().unwrap();
        self.child.wait().await.unwrap();
    }
}

/// The flow of customers with lines that say when it runs.
pub(crate) fn customers(lines: &str) -> String {
    CUSTOMERS.replace("\nfetch", &format!("\n{lines}\n\nfetch"))
}

async fn project(lines: &str) -> (Town, Folder) {
    let town = Town::with_customers(3).await;
    let folder = town.project(&[("customers", &customers(lines))]);
    (town, folder)
}

/// Until the till has been asked something.
async fn until_asked(town: &Town) {
    let begin = Instant::now();
    while town.till_server.requests() == 0 {
        assert!(begin.elapsed() < LONG, "nobody asked");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Runs as the store has them, the latest first.
async fn runs(folder: &Folder) -> Vec<Value> {
    let told = folder.weft(&["runs", "--json", "--limit", "1000"]).await;
    told.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn it_starts_runs_and_stops() {
    let (town, folder) = project("every 1 hour").await;
    let daemon = Daemon::start(&folder, &[]);
    daemon.until("run ended", 1).await;
    golden("daemon_status", folder.show(&["status"]).await);
    golden("daemon_status_json", folder.show(&["status", "--json"]).await);
    golden("daemon_log", daemon.stop().await);
    assert_eq!(town.till.relations().len(), 3);
    golden("daemon_status_stopped", folder.show(&["status"]).await);
}

#[tokio::test]
async fn wrong_files_start_nothing() {
    let (town, folder) = project("evry 1 hour").await;
    golden("daemon_wrong_files", folder.show(&["serve"]).await);
    folder.put("flows/customers.flow", customers("at \"0 6 * * *\" in \"Europe/Utrecht\""));
    golden("daemon_unknown_zone", folder.show(&["serve"]).await);
    let main = folder.path().join("weft.toml");
    let text = std::fs::read_to_string(&main).unwrap();
    folder
        .put("weft.toml", format!("{text}\n[serve]\nrun_at_once = 4\nstop_within = 30\nruns_at_once = 0\n"));
    golden("daemon_wrong_settings", folder.show(&["check"]).await);
    assert_eq!(town.till_server.requests(), 0);
}

#[tokio::test]
async fn the_log_is_for_programs_too_and_names_nobody() {
    let (_town, folder) = project("every 1 second").await;
    let refuse = "fail `${customer.email} is on the black list` if customer.email == \"klant2@voorbeeld.example\"\nupsert";
    folder.put("flows/customers.flow", customers("every 1 second").replace("upsert", refuse));
    let daemon = Daemon::start(&folder, &["--log-format", "json"]);
    daemon.until("run ended", 2).await;
    let log = daemon.stop().await;
    for line in log.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
        if line["message"] == "run ended" {
            assert_eq!((&line["flow"], &line["state"]), (&"customers".into(), &"partial".into()));
            assert_eq!((&line["cause"], &line["refused"]), (&"schedule".into(), &1.into()));
        }
    }
    for person in ["voorbeeld.example", "Sanne", "sk_", "p@ss"] {
        assert!(!log.contains(person), "{person} is in the log:\n{log}");
    }
}

#[tokio::test]
async fn changed_files_are_taken_over_and_wrong_ones_are_not() {
    let (town, folder) = project("every 1 hour").await;
    let daemon = Daemon::start(&folder, &[]);
    daemon.until("run ended", 1).await;
    // Wrong files change nothing.
    folder.put("flows/customers.flow", customers("every 1 hour").replace("customer.email", "customer.mail"));
    daemon.until("the version before goes on", 1).await;
    let status = folder.weft(&["status"]).await.out;
    assert!(status.contains("changed files are wrong and not used"), "{status}");
    // A flow that is new, one that is changed, one that is gone.
    folder.put("flows/again.flow", customers("every 1 hour"));
    folder.put("weft.toml", town.main_file(&[("again", "")]));
    folder.put("flows/customers.flow", customers("every 1 second"));
    daemon.until("changed files are taken over", 1).await;
    daemon.until("flow=\"again\"", 1).await;
    folder.put("weft.toml", town.main_file(&[("customers", "")]));
    daemon.until("changed files are taken over", 2).await;
    daemon.until("flow=\"customers\"", 4).await;
    assert_eq!(daemon.count("flow=\"again\""), 1);
    golden("daemon_status_reloaded", {
        let status = folder.weft(&["status"]).await.out;
        status.lines().map(|line| line.split("  ").next().unwrap()).collect::<Vec<_>>().join("\n")
    });
    daemon.stop().await;
}

#[tokio::test]
async fn a_run_keeps_the_version_that_it_began_with() {
    let (town, folder) = project("every 1 hour").await;
    // The first answer of the till is late: the run is under way while the files change.
    town.till_server.faults.delay(Duration::from_secs(8));
    town.till_server.faults.next([Fault::Slow]);
    let daemon = Daemon::start(&folder, &[]);
    until_asked(&town).await;
    let changed = customers("every 1 hour").replace("customer.full_name", "`new ${customer.full_name}`");
    folder.put("flows/customers.flow", changed);
    daemon.until("changed files are taken over", 1).await;
    assert_eq!(daemon.count("run ended"), 0, "{}", daemon.log());
    daemon.until("run ended", 1).await;
    let names = |town: &Town| -> Vec<String> {
        town.till.relations().iter().map(|row| row.text("name").unwrap().to_owned()).collect()
    };
    assert!(names(&town).iter().all(|name| !name.starts_with("new ")), "{:?}", names(&town));
    let log = daemon.stop().await;
    assert!(log.contains("version=2"), "{log}");
}

#[tokio::test]
async fn killed_in_the_midst_of_a_run_the_next_start_takes_it_up() {
    let (town, folder) = project("at \"0 0 1 1 *\" in \"Europe/Amsterdam\"").await;
    town.till_server.faults.delay(Duration::from_secs(30));
    town.till_server.faults.next([Fault::Slow]);
    // Due once a year; that the files are new starts nothing.
    let daemon = Daemon::start(&folder, &[]);
    daemon.until("serving", 1).await;
    assert_eq!(town.till_server.requests(), 0);
    folder.put("flows/customers.flow", customers("every 1 day"));
    until_asked(&town).await;
    daemon.kill().await;
    town.till_server.faults.clear();
    let daemon = Daemon::start(&folder, &[]);
    daemon.until("run ended", 1).await;
    let log = daemon.stop().await;
    assert!(log.contains("cause=again"), "{log}");
    assert_eq!(town.till.relations().len(), 3);
    let states: Vec<String> = runs(&folder).await.iter().map(|run| run["state"].to_string()).collect();
    assert_eq!(states, ["\"succeeded\"", "\"stopped\""]);
}

#[tokio::test]
async fn told_to_stop_it_settles_first_and_told_twice_it_does_not() {
    for (signals, code) in [(1, 0), (2, 143)] {
        let (town, folder) = project("every 1 hour").await;
        town.till_server.faults.delay(Duration::from_secs(3));
        town.till_server.faults.next([Fault::Slow]);
        let mut daemon = Daemon::start(&folder, &[]);
        until_asked(&town).await;
        daemon.signal("TERM");
        daemon.until("stopping", 1).await;
        if signals == 2 {
            daemon.signal("TERM");
        }
        assert_eq!(daemon.end().await, Some(code), "{}", daemon.log());
        assert_eq!(daemon.count("run ended"), 2 - signals, "{}", daemon.log());
        town.till_server.faults.clear();
        assert_eq!(folder.weft(&["run"]).await.code, Some(0));
        assert_eq!(town.till.relations().len(), 3);
    }
}

// shows R90
#[tokio::test]
async fn two_daemons_share_one_store() {
    share(|_| {}).await;
}

#[tokio::test]
async fn two_daemons_share_one_database() {
    let Some(address) = server::place() else { return };
    share(|folder| in_database(folder, &address)).await;
}

/// Two daemons and four flows that create the same: none is run twice, and nothing is doubled.
async fn share(place: impl FnOnce(&Folder)) {
    let town = Town::with_customers(3).await;
    let names = ["a", "b", "c", "d"];
    // All create the same relations: two at a time would both find nothing, and double them.
    let text = customers("every 2 seconds");
    let flows = names.map(|name| (name, text.as_str()));
    let folder = town.project(&flows);
    place(&folder);
    let begin = Instant::now();
    let (one, two) = (Daemon::start(&folder, &[]), Daemon::start(&folder, &[]));
    while one.count("run ended") + two.count("run ended") < 24 {
        assert!(begin.elapsed() < LONG, "{}\n\n{}", one.log(), two.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let status = folder.weft(&["status"]).await.out;
    assert_eq!(status.matches("served by").count(), 2, "{status}");
    one.stop().await;
    two.stop().await;
    let most = usize::try_from(begin.elapsed().as_secs() / 2).unwrap() + 2;
    let runs = runs(&folder).await;
    for name in names {
        let mut of_flow: Vec<(String, String)> = runs
            .iter()
            .filter(|run| run["flow"] == name)
            .map(|run| {
                let text = |field: &str| run[field].as_str().unwrap_or_default().to_owned();
                (text("started_at"), text("ended_at"))
            })
            .collect();
        of_flow.sort();
        assert!(of_flow.len() <= most, "{name}: {} runs, {most} were due", of_flow.len());
        for pair in of_flow.windows(2) {
            assert!(pair[0].1 <= pair[1].0, "{name} ran twice at a time: {pair:?}");
        }
    }
    assert_eq!(town.till.relations().len(), 3);
}

#[tokio::test]
async fn a_refused_key_waits_for_a_person_and_goes_on_after_connect() {
    let (town, folder) = project("every 1 second").await;
    folder.put("till.secret", "not-the-secret");
    let daemon = Daemon::start(&folder, &[]);
    daemon.until("run ended", 1).await;
    golden("daemon_status_reconnect", folder.show(&["status"]).await);
    let asked = town.till_server.requests();
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(town.till_server.requests(), asked, "a refused key is not tried again and again");
    // The right one: changed settings are another connection.
    folder.put("till.secret", town.secret("secret"));
    daemon.until("state=\"succeeded\"", 1).await;
    // Refused again, and mended on the other side: `weft connect` says so.
    town.till_server.faults.rate(Fault::Expired, 1_000);
    town.shop.add_customer("klant4@voorbeeld.example", ("Jan", "Bos"), "").unwrap();
    daemon.until("enter ident and secret again", 2).await;
    town.till_server.faults.clear();
    assert_eq!(folder.weft(&["connect", "till"]).await.code, Some(0));
    daemon.until("signed in again connection=\"till\"", 1).await;
    daemon.until("created=1", 1).await;
    daemon.stop().await;
    assert_eq!(town.till.relations().len(), 4);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_said_once_and_work_goes_on_when_there_is_room() {
    let town = Town::with_customers(400).await;
    let folder = town.project(&[("customers", &customers("every 1 second"))]);
    let Some(disk) = Disk::new(&folder.path().join(".weft"), "600k") else { return };
    let daemon = Daemon::start(&folder, &[]);
    daemon.until("the store cannot be used", 1).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(daemon.count("the store cannot be used"), 1, "{}", daemon.log());
    let sent = town.till.relations().len();
    assert!(sent < 400, "the disk is too large");
    disk.remount("size=60m");
    daemon.until("the store can be used again", 1).await;
    daemon.until("state=\"succeeded\"", 1).await;
    daemon.stop().await;
    let mut addresses: Vec<String> =
        town.till.relations().iter().map(|relation| relation.text("email").unwrap().to_owned()).collect();
    addresses.sort();
    addresses.dedup();
    assert_eq!((addresses.len(), town.till.relations().len()), (400, 400), "none is lost, none is doubled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_goes_away_is_waited_for() {
    let Some(cluster) = server::Cluster::start("") else { return };
    let (town, folder) = project("every 1 second").await;
    in_database(&folder, &cluster.address());
    let daemon = Daemon::start(&folder, &[]);
    daemon.until("run ended", 1).await;
    for (times, mode) in [(1, "fast"), (2, "immediate")] {
        cluster.down(mode);
        daemon.until("the store cannot be used", times).await;
        town.shop.add_customer(&format!("{mode}@voorbeeld.example"), ("Jan", "Bos"), "").unwrap();
        cluster.up();
        daemon.until("the store can be used again", times).await;
    }
    let begin = Instant::now();
    while town.till.relations().len() < 5 {
        assert!(begin.elapsed() < LONG, "{}", daemon.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    daemon.stop().await;
    assert_eq!(town.till.relations().len(), 5);
}

/// What a service manager is told.
struct Manager {
    socket: UnixDatagram,
    _folder: tempfile::TempDir,
    path: std::path::PathBuf,
}

impl Manager {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        Self { socket, _folder: folder, path }
    }

    /// Everything up to the first message with these words.
    fn until(&self, words: &str) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let mut text = [0; 4096];
            let length = self.socket.recv(&mut text).unwrap_or_else(|_| panic!("no {words}: {all:?}"));
            all.push(String::from_utf8_lossy(&text[..length]).into_owned());
            if all.last().unwrap().contains(words) {
                return all;
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_manager_is_told() {
    let (_town, folder) = project("every 1 hour").await;
    let manager = Manager::new();
    let mut command = folder.command(&["serve"]);
    command.env("NOTIFY_SOCKET", &manager.path).env("WATCHDOG_USEC", "180000000");
    let daemon = Daemon::spawn(command);
    let ready = manager.until("READY=1");
    assert!(ready.last().unwrap().contains("STATUS=1 flows on"), "{ready:?}");
    manager.until("WATCHDOG=1");
    daemon.until("run ended", 1).await;
    daemon.signal("HUP");
    let reloading = manager.until("RELOADING=1");
    assert!(reloading.last().unwrap().contains("MONOTONIC_USEC="), "{reloading:?}");
    manager.until("READY=1");
    daemon.signal("TERM");
    manager.until("STOPPING=1");
}

/// The unit file names what there is, and keeps the daemon to its folder.
#[tokio::test]
async fn the_unit_file_fits() {
    let unit = include_str!("../../../dist/weft.service");
    let value = |key: &str| {
        let line = unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("no {key}"))
    };
    assert_eq!((value("Type"), value("NotifyAccess")), ("notify", "main"));
    let (_, call) = value("ExecStart").split_once("weft ").unwrap();
    let args: Vec<&str> = call.split(' ').chain(["--help"]).collect();
    let told = Folder::new().weft(&args).await;
    assert_eq!(told.code, Some(0), "{call}: {}", told.err);
    // The guide puts things where the unit looks for them.
    let guide = include_str!("../../../docs/operating.md");
    let program = value("ExecStart").split(' ').next().unwrap();
    assert!(guide.contains(&format!("\ninstall -m 755 weft {program}\n")));
    let (folder, file) = value("EnvironmentFile").trim_start_matches('-').rsplit_once('/').unwrap();
    assert!(guide.contains(&format!("mkdir -p {folder} && install -m 600 {file} {folder}/{file}\n")));
    assert!(guide.contains(&format!("The project lies in `{}`.", value("WorkingDirectory"))));
    // Longer than the daemon takes to stop, or systemd would kill it while it settles.
    let seconds = |key: &str| value(key).trim_end_matches('s').parse::<u64>().unwrap();
    assert!(seconds("TimeoutStopSec") > 30 && seconds("WatchdogSec") >= 60);
    for hard in ["NoNewPrivileges=yes", "ProtectSystem=strict", "PrivateTmp=yes", "Restart=on-failure"] {
        assert!(unit.contains(hard), "{hard}");
    }
}

//! PostgreSQL servers that tests start for themselves: from the programs on this machine, in a
//! folder of their own, reached by a socket in it, gone with the process that started them.
//!
//! Where the programs are not installed there is no server, and tests that need one say so and
//! end. Where `CI` is `true` that is a failure.

#![allow(dead_code, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Once, OnceLock};

/// The user that owns everything in the servers.
const OWNER: &str = "weft";

/// For tests that neither stop nor fill their server: nothing of it has to outlive the machine.
const QUICK: &str = "fsync = off\nfull_page_writes = off\nsynchronous_commit = on\n";

/// A server.
pub(crate) struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    /// Ends the server and removes its folder when this end of the pipe is closed, however the
    /// process of the test ends.
    _watch: Child,
}

/// The server that tests of one process share.
pub(crate) fn shared() -> Option<&'static Cluster> {
    static SHARED: OnceLock<Option<Cluster>> = OnceLock::new();
    SHARED.get_or_init(|| Cluster::start(QUICK)).as_ref()
}

/// The address of a schema of its own in the shared server.
pub(crate) fn place() -> Option<String> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let cluster = shared()?;
    let schema = format!("s{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    cluster.sql(&format!("CREATE SCHEMA {schema}"));
    Some(format!("{}&options=-csearch_path%3D{schema}", cluster.address()))
}

/// Where the programs of PostgreSQL are: on the path, or where Debian puts them.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).filter_map(|folder| folder.join("initdb").canonicalize().ok());
    let mut found: Vec<PathBuf> =
        on_path.filter_map(|program| program.parent().map(Path::to_owned)).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        found.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    let found =
        found.into_iter().find(|folder| folder.join("postgres").exists() && folder.join("pg_ctl").exists());
    if found.is_none() {
        static SAID: Once = Once::new();
        SAID.call_once(|| {
            let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
            assert!(!is_ci, "PostgreSQL is not installed, and CI is to test with it");
            // Past the harness, which hides what a test prints that went well.
            let line = "PostgreSQL is not installed here: the tests that need it are SKIPPED\n";
            std::io::stderr().write_all(line.as_bytes()).expect("said");
        });
    }
    found
}

/// A program under a user whom PostgreSQL accepts: it refuses to run as root.
fn command(program: &Path, folder: &Path) -> Command {
    let mut command = match unprivileged() {
        None => Command::new(program),
        Some(user) => {
            let mut command = Command::new("runuser");
            command.args(["-u", user, "--"]).arg(program);
            command
        }
    };
    command.current_dir(folder).stdin(Stdio::null());
    command
}

fn unprivileged() -> Option<&'static str> {
    static USER: OnceLock<Option<&'static str>> = OnceLock::new();
    let id = |args: &[&str]| Command::new("id").args(args).output().expect("id");
    *USER.get_or_init(|| {
        if id(&["-u"]).stdout != b"0\n" {
            return None;
        }
        Some(if id(&["-u", "postgres"]).status.success() { "postgres" } else { "nobody" })
    })
}

fn well(command: &mut Command) {
    let output = command.output().expect("started");
    let told = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}{}", told(&output.stdout), told(&output.stderr));
}

impl Cluster {
    /// A new server with these lines in its configuration.
    pub(crate) fn start(settings: &str) -> Option<Self> {
        let cluster = Self::made(programs()?);
        let data = cluster.files();
        let initdb = || {
            let mut initdb = command(&cluster.programs.join("initdb"), &cluster.folder);
            initdb.args(["--no-sync", "--auth=trust", "--encoding=UTF8", "--data-checksums"]);
            initdb.arg("--username").arg(OWNER).arg("--pgdata").arg(&data);
            initdb
        };
        // Sorted as a language does, where the server can: the store must not depend on it.
        let icu = ["--locale-provider=icu", "--icu-locale=en", "--locale=C"];
        if !initdb().args(icu).output().expect("initdb").status.success() {
            well(initdb().arg("--locale=C"));
        }
        cluster.configure(settings);
        cluster.up();
        cluster.sql_in("postgres", &format!("CREATE DATABASE {OWNER}"));
        Some(cluster)
    }

    /// A standby of this server.
    pub(crate) fn standby(&self, settings: &str) -> Self {
        let standby = Self::made(self.programs.clone());
        let mut copy = command(&self.programs.join("pg_basebackup"), &standby.folder);
        copy.args(["--write-recovery-conf", "--checkpoint=fast", "--username", OWNER, "--pgdata"]);
        copy.arg(standby.files())
            .arg("--dbname")
            .arg(format!("host={} application_name=standby", self.folder.display()));
        well(&mut copy);
        standby.configure(settings);
        standby.up();
        standby
    }

    /// A folder that the user of the server owns, and the one who removes it.
    fn made(programs: PathBuf) -> Self {
        let folder = tempfile::tempdir().expect("folder").keep();
        if let Some(user) = unprivileged() {
            well(Command::new("chown").arg(user).arg(&folder));
        }
        let mut stop = command(&programs.join("pg_ctl"), &folder);
        stop.args(["--mode=immediate", "--silent", "stop", "--pgdata"]).arg(folder.join("data"));
        let words: Vec<&OsStr> = std::iter::once(stop.get_program()).chain(stop.get_args()).collect();
        let watch = Command::new("sh")
            .args(["-c", "trap '' INT TERM HUP; cat; folder=$1; shift; \"$@\"; umount -l \"$folder\"/*; rm -rf \"$folder\"", "watch"])
            .arg(&folder)
            .args(words)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("watch");
        Self { programs, folder, _watch: watch }
    }

    /// Adds lines to the configuration; they hold from the next start on.
    pub(crate) fn configure(&self, settings: &str) {
        let text = format!(
            "listen_addresses = ''\nunix_socket_directories = '{}'\nmax_connections = 200\n{settings}\n",
            self.folder.display()
        );
        // Beside what is there: a standby has the lines of its primary too, and the last one holds.
        let path = self.files().join("postgresql.conf");
        let before = std::fs::read_to_string(&path).expect("configuration");
        std::fs::write(path, format!("{before}{text}")).expect("configuration");
    }

    fn control(&self, args: &[&str]) -> Command {
        let mut control = command(&self.programs.join("pg_ctl"), &self.folder);
        control.args(args).arg("--pgdata").arg(self.files());
        control.arg("--log").arg(self.folder.join("log")).stdout(Stdio::null()).stderr(Stdio::null());
        control
    }

    /// Starts the server; it takes connections when this returns.
    pub(crate) fn up(&self) {
        let status = self.control(&["--wait", "--silent", "start"]).status().expect("pg_ctl");
        let log = || std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(status.success(), "the server does not start:\n{}", log());
    }

    /// Stops the server as a person does (`fast`), or as a failing machine (`immediate`).
    pub(crate) fn down(&self, mode: &str) {
        let status = self.control(&["--wait", "--silent", "--mode", mode, "stop"]).status().expect("pg_ctl");
        assert!(status.success(), "the server does not stop");
    }

    /// Makes a standby the primary.
    pub(crate) fn promote(&self) {
        let status = self.control(&["--wait", "--silent", "promote"]).status().expect("pg_ctl");
        assert!(status.success(), "the standby is not promoted");
    }

    /// How the store names this server.
    pub(crate) fn host(&self) -> String {
        self.folder.display().to_string().replace('/', "%2F")
    }

    /// The address of its database.
    pub(crate) fn address(&self) -> String {
        format!("postgres://{OWNER}@{}/{OWNER}?sslmode=disable", self.host())
    }

    /// Runs statements as the owner; answers what `psql` prints.
    pub(crate) fn sql(&self, sql: &str) -> String {
        self.sql_in(OWNER, sql)
    }

    fn sql_in(&self, database: &str, sql: &str) -> String {
        let output = Command::new(self.programs.join("psql"))
            .args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-U", OWNER, "-d", database, "-c", sql])
            .arg("-h")
            .arg(&self.folder)
            .output()
            .expect("psql");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{sql}: {told}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Its folder: the data, the socket, the log.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of its data, for tests that damage it.
    pub(crate) fn files(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Runs a tool of the server, as its user.
    pub(crate) fn run(&self, tool: &str, args: &[&str]) {
        well(command(&self.programs.join(tool), &self.folder).args(args));
    }

    /// Gives a folder to the user of the server.
    pub(crate) fn own(folder: &Path) {
        if let Some(user) = unprivileged() {
            well(Command::new("chown").arg(user).arg(folder));
        }
    }
}

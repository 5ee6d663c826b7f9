//! What `weft check` takes: a whole project and one long flow, by the program itself, started anew
//! each time; and the same long flow within one process; and what an editor waits for.
//!
//! `cargo build --release && cargo bench -p benches --bench check`. `weft --version` is the yardstick:
//! what any start of the program takes. Times are what passes on the clock, as for whoever waits.
#![allow(missing_docs, reason = "a program for measuring")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a program for measuring"
)]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use engine::load::Loader;
use engine::project::Project;
use serde_json::{Value, json};

/// Lines of the long flow.
const LINES: usize = 5_000;

/// Lines of the flow that is open in an editor.
const EDITED: usize = 500;

/// How often each thing is done.
const ROUNDS: usize = 41;

/// The connections of the project; nobody answers there, and nobody is asked.
const CONNECTIONS: &str = r#"name = "Bench"

[connections.shop]
system = "ccv_salespos"
address = "http://127.0.0.1:9"
public_key = "key"
secret_key = { file = "secret" }

[connections.till]
system = "mpluskassa"
address = "http://127.0.0.1:9"
ident = "ident"
secret = { file = "secret" }
"#;

/// What the flows of the project ask.
const ANSWERS: [(&str, &str); 4] = [
    (
        "orders",
        "[settings]\nstart_date = \"2020-01-01\"\nshipping_article = \"1\"\ncosts_article = \"2\"\ndiscount_article = \"3\"\ndeposit_article = \"4\"\n",
    ),
    ("orders_reverse", "[settings]\nstart_date = \"2020-01-01\"\n"),
    ("products_to_till", "[settings]\nturnover_group = \"1\"\n"),
    ("variants_to_till", "[settings]\nturnover_group = \"1\"\n"),
];

fn main() {
    // `cargo bench` says so; anything else is the name of what a profiler should see.
    let only = std::env::args().nth(1).filter(|arg| !arg.starts_with('-'));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("check");
    project(&root, &folder);
    let project = Project::open(&folder).unwrap_or_else(|error| panic!("{error}"));
    let loader = Loader::new(&project).unwrap_or_else(|error| panic!("{error}"));
    let source = dsl::Source::new("long.flow", fs::read_to_string(folder.join("long.flow")).unwrap());
    let check = || dsl::compile(&source, loader.catalog());
    if let Err(report) = check() {
        panic!("{} problems, first: {}", report.problems().len(), report.problems()[0]);
    }
    if only.as_deref() == Some("long") {
        for _ in 0..ROUNDS {
            check().expect("it was good before");
        }
        return;
    }

    let weft = program();
    let run = |args: &[&str]| {
        let status =
            Command::new(&weft).args(args).current_dir(&folder).stdout(Stdio::null()).status().unwrap();
        assert!(status.success(), "weft {args:?}");
    };
    println!("{:<52} {:>8}", format!("medians of {ROUNDS} runs"), "ms");
    measure("weft --version", || run(&["--version"]));
    measure("weft check, 11 flows and their scripts", || run(&["check"]));
    let all = everything(&folder, &weft);
    measure_after("the same, nothing of it in memory", || all.iter().for_each(forget), || run(&["check"]));
    measure(&format!("weft check long.flow, {LINES} lines"), || run(&["check", "long.flow"]));
    measure("the same within a process", || drop(check()));
    let mut editor = Editor::open(&weft, &folder, "edited.flow");
    measure(&format!("weft lsp, problems after a letter in {EDITED} lines"), || editor.types());
}

/// An editor with one flow, as `weft lsp` meets it.
struct Editor {
    server: Child,
    answers: BufReader<ChildStdout>,
    uri: String,
}

impl Editor {
    fn open(weft: &Path, folder: &Path, name: &str) -> Self {
        let mut server = Command::new(weft)
            .arg("lsp")
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(server.stdout.take().unwrap());
        let root = format!("file://{}", folder.canonicalize().unwrap().display());
        let text = fs::read_to_string(folder.join(name)).unwrap();
        let mut editor = Self { server, answers, uri: format!("{root}/{name}") };
        editor
            .tell(&json!({"id": 1, "method": "initialize", "params": {"rootUri": root, "capabilities": {}}}));
        editor.until("\"id\":1");
        editor.tell(&json!({"method": "initialized", "params": {}}));
        let document = json!({"uri": editor.uri, "languageId": "weft", "version": 1, "text": text});
        editor.tell(&json!({"method": "textDocument/didOpen", "params": {"textDocument": document}}));
        editor.until("publishDiagnostics");
        editor
    }

    /// One letter in the middle, and what the server says of it.
    fn types(&mut self) {
        let at = json!({"line": EDITED / 2, "character": 0});
        let change = json!({"range": {"start": at, "end": at}, "text": " "});
        let document = json!({"uri": self.uri, "version": 2});
        let params = json!({"textDocument": document, "contentChanges": [change]});
        self.tell(&json!({"method": "textDocument/didChange", "params": params}));
        self.until("publishDiagnostics");
    }

    fn tell(&mut self, message: &Value) {
        let mut message = message.clone();
        message["jsonrpc"] = json!("2.0");
        let text = message.to_string();
        let to = self.server.stdin.as_mut().unwrap();
        write!(to, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        to.flush().unwrap();
    }

    fn until(&mut self, wanted: &str) {
        loop {
            let mut length = 0;
            let mut line = String::new();
            while self.answers.read_line(&mut line).unwrap() > 0 && !line.trim().is_empty() {
                if let Some(number) = line.trim().strip_prefix("Content-Length: ") {
                    length = number.parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            self.answers.read_exact(&mut body).unwrap();
            if String::from_utf8(body).unwrap().replace("\": ", "\":").contains(wanted) {
                return;
            }
        }
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn measure(what: &str, run: impl FnMut()) {
    measure_after(what, || (), run);
}

/// The same, with something that has to be done before each time and does not count.
fn measure_after(what: &str, before: impl Fn(), mut run: impl FnMut()) {
    run();
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            before();
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    println!("{what:<52} {:>8.1}", times[ROUNDS / 2].as_secs_f64() * 1e3);
}

/// The program and the files of the project.
fn everything(folder: &Path, program: &Path) -> Vec<PathBuf> {
    let (mut all, mut folders) = (vec![program.to_owned()], vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { all.push(path) }
        }
    }
    all
}

/// Asks the system to keep nothing of a file in memory.
fn forget(path: &PathBuf) {
    let file = fs::File::open(path).unwrap();
    file.sync_all().unwrap();
    rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
}

/// The program that was built with the same options as this.
fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let weft = own.ancestors().nth(2).unwrap().join("weft");
    assert!(weft.is_file(), "there is no {}: build it first, with the same profile", weft.display());
    weft
}

/// A project with all flows and scripts that come with Weft, answered, and the long flow beside.
fn project(root: &Path, folder: &Path) {
    let _ = fs::remove_dir_all(folder);
    for part in ["flows", "scripts", "settings"] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    let mut main_file = CONNECTIONS.to_owned();
    for (from, ending) in [("flows/ccv_salespos-mpluskassa", "flow"), ("scripts", "rhai")] {
        for path in fs::read_dir(root.join(from)).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let Some(stem) = name.strip_suffix(&format!(".{ending}")) else { continue };
            let to = if ending == "flow" { "flows" } else { "scripts" };
            fs::copy(&path, folder.join(to).join(&name)).unwrap();
            if ending == "flow" {
                write!(main_file, "\n[flows.{stem}]\nfile = \"flows/{name}\"\non = false\n").unwrap();
            }
        }
    }
    for (flow, answers) in ANSWERS {
        fs::write(folder.join(format!("settings/{flow}.toml")), answers).unwrap();
    }
    fs::write(folder.join("weft.toml"), main_file).unwrap();
    fs::write(folder.join("secret"), "secret").unwrap();
    let orders = fs::read_to_string(root.join("flows/ccv_salespos-mpluskassa/orders.flow")).unwrap();
    fs::write(folder.join("long.flow"), long(&orders, LINES)).unwrap();
    fs::write(folder.join("edited.flow"), long(&orders, EDITED)).unwrap();
}

/// The order flow with its middle part again and again, each time under other names.
fn long(orders: &str, many: usize) -> String {
    let (head, rest) = orders.split_once("// --- 2.").unwrap();
    let (middle, tail) = rest.split_once("// --- 5.").unwrap();
    let names: BTreeSet<&str> = middle
        .lines()
        .filter_map(|line| {
            line.trim_start().strip_prefix("map ").or(line.trim_start().strip_prefix("lookup "))
        })
        .filter_map(|rest| rest.split(' ').next())
        .collect();
    let mut text = format!("{head}// --- 2.{middle}");
    let lines = |text: &str| text.lines().count();
    let mut copy = 1;
    while lines(&text) + lines(middle) + lines(tail) < many {
        copy += 1;
        text.push_str("// ---");
        text.push_str(&renamed(middle, &names, copy));
    }
    while lines(&text) + lines(tail) < many {
        text.push_str("// filled up\n");
    }
    format!("{text}// --- 5.{tail}")
}

/// With a number behind each of the names, where it is read or given, and not a field's.
fn renamed(text: &str, names: &BTreeSet<&str>, number: usize) -> String {
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        let is_field = line.split_whitespace().nth(1) == Some("=");
        let mut first = true;
        let mut before = ' ';
        let mut rest = line;
        while let Some(letter) = rest.chars().next() {
            let word = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let length = word.max(letter.len_utf8());
            let (part, after) = rest.split_at(if word == 0 { letter.len_utf8() } else { length });
            out.push_str(part);
            let is_name = names.contains(part) && before != '.' && !after.starts_with('[');
            if is_name && !(is_field && first) {
                write!(out, "_{number}").unwrap();
            }
            first &= word == 0;
            before = part.chars().last().unwrap_or(' ');
            rest = after;
        }
    }
    out
}

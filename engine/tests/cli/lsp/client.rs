//! An editor, as far as the server can tell.
#![allow(clippy::needless_pass_by_value, reason = "messages are written where they are sent")]

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use super::Folder;

pub(super) struct Client {
    child: Child,
    input: Option<ChildStdin>,
    messages: Receiver<Value>,
    number: u64,
    version: u64,
    pub(super) legend: Vec<String>,
}

impl Client {
    pub(super) fn start(folder: &Folder) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_weft"))
            .args(["lsp", "--stdio"])
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, messages) = channel();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            loop {
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    if output.read_line(&mut line).unwrap_or(0) == 0 {
                        return;
                    }
                    if let Some(value) = line.strip_prefix("Content-Length: ") {
                        length = value.trim().parse().unwrap();
                    }
                    if line.trim().is_empty() {
                        break;
                    }
                }
                let mut body = vec![0; length];
                output.read_exact(&mut body).unwrap();
                if sender.send(serde_json::from_slice(&body).unwrap()).is_err() {
                    return;
                }
            }
        });
        let input = child.stdin.take();
        Self { child, input, messages, number: 0, version: 0, legend: Vec::new() }
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().unwrap();
        input.write_all(bytes).unwrap();
        input.flush().unwrap();
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        self.raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    pub(super) fn next(&self) -> Value {
        self.messages.recv_timeout(Duration::from_mins(2)).expect("the server answers")
    }

    pub(super) fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// The answer to a request; notices that come before it are passed over.
    pub(super) fn ask(&mut self, method: &str, params: Value) -> Value {
        self.number += 1;
        let id = self.number;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        loop {
            let message = self.next();
            if message["id"] == id {
                return message;
            }
        }
    }

    pub(super) fn hello(&mut self, folder: &Folder) {
        let root = uri(folder, "");
        let answer = self.ask("initialize", json!({ "rootUri": root, "capabilities": {} }));
        let capabilities = &answer["result"]["capabilities"];
        assert_eq!(capabilities["positionEncoding"], "utf-16");
        let legend = &capabilities["semanticTokensProvider"]["legend"]["tokenTypes"];
        self.legend = legend.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect();
        self.tell("initialized", json!({}));
    }

    pub(super) fn open(&mut self, folder: &Folder, name: &str, text: &str) {
        self.version += 1;
        let document =
            json!({ "uri": uri(folder, name), "languageId": "weft", "version": self.version, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
    }

    pub(super) fn change(&mut self, folder: &Folder, name: &str, text: &str) {
        self.edit(folder, name, json!([{ "text": text }]));
    }

    pub(super) fn edit(&mut self, folder: &Folder, name: &str, changes: Value) {
        self.version += 1;
        let document = json!({ "uri": uri(folder, name), "version": self.version });
        self.tell("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
    }

    /// The problems that are told next.
    pub(super) fn problems(&mut self) -> Value {
        loop {
            let message = self.next();
            if message["method"] == "textDocument/publishDiagnostics" {
                return message["params"]["diagnostics"].clone();
            }
        }
    }

    /// A request about a place of the flow.
    pub(super) fn at(&mut self, folder: &Folder, method: &str, place: &Value, more: Value) -> Value {
        let mut params =
            json!({ "textDocument": { "uri": uri(folder, "flows/orders.flow") }, "position": place });
        for (name, value) in more.as_object().unwrap() {
            params[name] = value.clone();
        }
        self.ask(method, params)
    }

    pub(super) fn completion(&mut self, folder: &Folder, text: &str, place: &Value) -> Vec<String> {
        self.open(folder, "flows/orders.flow", text);
        self.problems();
        let answer = self.at(folder, "textDocument/completion", place, json!({}));
        let items = answer["result"]["items"].as_array().cloned().unwrap_or_default();
        items.iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect()
    }

    /// Hangs up and waits for the server to end.
    pub(super) fn end(&mut self) -> Option<i32> {
        self.input = None;
        self.child.wait().unwrap().code()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(super) fn uri(folder: &Folder, name: &str) -> String {
    // A folder may be named by way of a link.
    let root = folder.path().canonicalize().unwrap();
    format!("file://{}", root.join(name).display()).trim_end_matches('/').to_owned()
}

/// A text without its mark, and the place where the mark stood.
pub(super) fn marked(text: &str) -> (String, Value) {
    let at = text.find('§').unwrap();
    let before = text.get(..at).unwrap();
    let line = before.matches('\n').count();
    let character = before.rsplit('\n').next().unwrap().encode_utf16().count();
    (text.replacen('§', "", 1), json!({ "line": line, "character": character }))
}

fn offset(text: &str, place: &Value) -> usize {
    let line = usize::try_from(place["line"].as_u64().unwrap()).unwrap();
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let mut units = place["character"].as_u64().unwrap();
    for (at, letter) in text.get(start..).unwrap().char_indices() {
        if units == 0 {
            return start + at;
        }
        units -= letter.len_utf16() as u64;
    }
    text.len()
}

/// The text with changes made to it.
pub(super) fn applied(text: &str, edits: &Value) -> String {
    let mut edits: Vec<(usize, usize, &str)> = edits
        .as_array()
        .unwrap_or_else(|| panic!("no changes: {edits}"))
        .iter()
        .map(|edit| {
            let at = |edge: &str| offset(text, &edit["range"][edge]);
            (at("start"), at("end"), edit["newText"].as_str().unwrap())
        })
        .collect();
    edits.sort_unstable();
    let mut out = text.to_owned();
    for (start, end, new) in edits.into_iter().rev() {
        out.replace_range(start..end, new);
    }
    out
}

/// Each coloured word with its colour, line by line.
pub(super) fn coloured(text: &str, data: &Value, legend: &[String]) -> String {
    let numbers: Vec<usize> =
        data.as_array().unwrap().iter().map(|one| usize::try_from(one.as_u64().unwrap()).unwrap()).collect();
    let (mut line, mut column) = (0, 0);
    let mut out = String::new();
    for five in numbers.chunks(5) {
        let (down, right, length, kind) = (five[0], five[1], five[2], five[3]);
        column = if down > 0 { right } else { column + right };
        for _ in 0..down {
            out.push('\n');
        }
        line += down;
        let units: Vec<u16> = text.lines().nth(line).unwrap().encode_utf16().collect();
        let word = String::from_utf16(&units[column..column + length]).unwrap();
        write!(out, "{word}:{} ", legend[kind]).unwrap();
    }
    out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

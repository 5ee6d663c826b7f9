//! The conversation: requests to answers, notices to what is known.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Write};
use std::path::PathBuf;
use std::sync::mpsc;

use serde_json::{Value, json};

use super::view::View;
use super::wire::{self, Refusal, fault};
use super::world::{World, path_of};
use super::{actions, completion, definition, diagnostics, folding, hover, rename, semantic};

/// Serves one client, on a thread with room for deep expressions, until it says goodbye or hangs up; `true` when it said goodbye first.
pub(crate) fn serve(mut input: impl BufRead + Send + 'static, output: impl Write) -> io::Result<bool> {
    let (sender, messages) = mpsc::channel();
    let reading = std::thread::Builder::new().name("messages".to_owned());
    reading.spawn(move || {
        while let Ok(Some(body)) = wire::read(&mut input) {
            if sender.send(body).is_err() {
                return;
            }
        }
    })?;
    let mut server = Server { output, world: None, changed: BTreeSet::new(), goodbye: false };
    loop {
        // Problems are told when nothing else waits: while somebody types, the last text counts.
        let body = match messages.try_recv() {
            Ok(body) => body,
            Err(mpsc::TryRecvError::Empty) => {
                server.tell_problems()?;
                match messages.recv() {
                    Ok(body) => body,
                    Err(_) => return Ok(server.goodbye),
                }
            }
            Err(mpsc::TryRecvError::Disconnected) => return Ok(server.goodbye),
        };
        if !server.message(&body)? {
            return Ok(server.goodbye);
        }
    }
}

struct Server<O> {
    output: O,
    /// What is known, once the client has said hello.
    world: Option<World>,
    /// Documents whose problems have to be told again.
    changed: BTreeSet<String>,
    goodbye: bool,
}

impl<O: Write> Server<O> {
    /// Takes one message; `false` ends the conversation.
    fn message(&mut self, body: &[u8]) -> io::Result<bool> {
        let Ok(message) = serde_json::from_slice::<Value>(body) else {
            let refusal = Refusal::new(fault::PARSE, "this is not JSON");
            wire::write(&mut self.output, &wire::answer(&Value::Null, Err(refusal)))?;
            return Ok(true);
        };
        let method = message.get("method").and_then(Value::as_str);
        let params = message.get("params").cloned().unwrap_or(Value::Null);
        tracing::debug!(method, "a message");
        match (method, message.get("id")) {
            (Some("exit"), _) => return Ok(false),
            (Some(method), Some(id)) => {
                let answer = wire::answer(id, self.request(method, &params));
                wire::write(&mut self.output, &answer)?;
            }
            (Some(method), None) => self.notice(method, &params)?,
            // An answer to something that was never asked.
            (None, _) => {}
        }
        Ok(true)
    }

    fn request(&mut self, method: &str, params: &Value) -> Result<Value, Refusal> {
        if self.goodbye {
            return Err(Refusal::new(fault::AFTER_SHUTDOWN, "the client has said goodbye"));
        }
        if method == "initialize" {
            self.world = Some(World::new(root(params)));
            return Ok(json!({
                "capabilities": capabilities(),
                "serverInfo": { "name": "weft", "version": env!("CARGO_PKG_VERSION") },
            }));
        }
        let Some(world) = &mut self.world else {
            return Err(Refusal::new(fault::NOT_INITIALIZED, "`initialize` comes first"));
        };
        if method == "shutdown" {
            self.goodbye = true;
            return Ok(Value::Null);
        }
        let uri = params.pointer("/textDocument/uri").and_then(Value::as_str).unwrap_or_default();
        let answer = match method {
            "textDocument/completion" => at(world, uri, params, completion::items),
            "textDocument/hover" => at(world, uri, params, hover::hover),
            "textDocument/definition" => at(world, uri, params, definition::definition),
            "textDocument/references" => at(world, uri, params, |view, offset| {
                let all = params.pointer("/context/includeDeclaration") != Some(&Value::Bool(false));
                rename::references(view, offset, all)
            }),
            "textDocument/documentHighlight" => at(world, uri, params, rename::highlights),
            "textDocument/prepareRename" => at(world, uri, params, rename::prepare),
            "textDocument/rename" => {
                let name = params.get("newName").and_then(Value::as_str).unwrap_or_default();
                let renamed = at(world, uri, params, |view, offset| rename::rename(view, offset, name));
                return renamed.unwrap_or(Ok(Value::Null));
            }
            "textDocument/formatting" => view(world, uri, |view| {
                let source = dsl::Source::new("", view.text());
                let laid = dsl::format(&source).ok().filter(|laid| laid != view.text());
                laid.map_or(json!([]), |laid| json!([{ "range": view.lines.all(), "newText": laid }]))
            }),
            "textDocument/codeAction" => view(world, uri, |view| actions::actions(view, params)),
            "textDocument/foldingRange" => view(world, uri, folding::ranges),
            "textDocument/semanticTokens/full" => view(world, uri, semantic::tokens),
            _ => return Err(Refusal::new(fault::NO_SUCH_METHOD, format!("`{method}` is not known here"))),
        };
        Ok(answer.unwrap_or(Value::Null))
    }

    fn notice(&mut self, method: &str, params: &Value) -> io::Result<()> {
        let Some(world) = &mut self.world else { return Ok(()) };
        let text = |pointer: &str| params.pointer(pointer).and_then(Value::as_str);
        let uri = text("/textDocument/uri").unwrap_or_default();
        match method {
            "textDocument/didOpen" => {
                world.open(uri, text("/textDocument/text").unwrap_or_default());
                self.changed.insert(uri.to_owned());
            }
            "textDocument/didChange" => {
                let changes = params.get("contentChanges").and_then(Value::as_array);
                world.change(uri, changes.map(Vec::as_slice).unwrap_or_default());
                self.changed.insert(uri.to_owned());
                // Flows call scripts.
                if world.document(uri).is_some_and(super::world::Document::is_script) {
                    self.changed.extend(world.documents().map(|document| document.uri.clone()));
                }
            }
            "textDocument/didClose" => {
                world.close(uri);
                self.changed.remove(uri);
                publish(&mut self.output, uri, &json!([]))?;
            }
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => {
                world.forget();
                self.changed.extend(world.documents().map(|document| document.uri.clone()));
            }
            _ => {}
        }
        Ok(())
    }

    fn tell_problems(&mut self) -> io::Result<()> {
        let Some(world) = &mut self.world else { return Ok(()) };
        for uri in std::mem::take(&mut self.changed) {
            let problems = world.with(&uri, diagnostics::diagnostics);
            if let Some(problems) = problems {
                publish(&mut self.output, &uri, &problems)?;
            }
        }
        Ok(())
    }
}

fn publish(output: &mut impl Write, uri: &str, problems: &Value) -> io::Result<()> {
    let notice = json!({
        "jsonrpc": "2.0",
        "method": "textDocument/publishDiagnostics",
        "params": { "uri": uri, "diagnostics": problems },
    });
    wire::write(output, &notice)
}

/// Does something with a flow as it is understood; `None` for other documents.
fn view<T>(world: &mut World, uri: &str, work: impl FnOnce(&View<'_>) -> T) -> Option<T> {
    world.with(uri, |loader, document| View::with(loader, document, work)).flatten()
}

/// The same with the place that the request is about.
fn at<T>(
    world: &mut World,
    uri: &str,
    params: &Value,
    work: impl FnOnce(&View<'_>, usize) -> T,
) -> Option<T> {
    let position = params.get("position")?;
    view(world, uri, |view| {
        let offset = super::place::offset(view.text(), position)?;
        Some(work(view, offset))
    })
    .flatten()
}

/// The folder that the editor has open.
fn root(params: &Value) -> PathBuf {
    let folder = params.pointer("/workspaceFolders/0/uri").or_else(|| params.get("rootUri"));
    let named = folder.and_then(Value::as_str).and_then(path_of);
    let named = named.or_else(|| params.get("rootPath").and_then(Value::as_str).map(PathBuf::from));
    named.or_else(|| std::env::current_dir().ok()).unwrap_or_else(|| PathBuf::from("."))
}

fn capabilities() -> Value {
    json!({
        "positionEncoding": "utf-16",
        "textDocumentSync": { "openClose": true, "change": 2, "save": true },
        "completionProvider": { "triggerCharacters": [".", ":", "\""] },
        "hoverProvider": true,
        "definitionProvider": true,
        "referencesProvider": true,
        "documentHighlightProvider": true,
        "renameProvider": { "prepareProvider": true },
        "documentFormattingProvider": true,
        "codeActionProvider": { "codeActionKinds": ["quickfix"] },
        "foldingRangeProvider": true,
        "semanticTokensProvider": {
            "legend": { "tokenTypes": semantic::TYPES, "tokenModifiers": [] },
            "full": true,
        },
    })
}

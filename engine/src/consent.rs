//! A person lets Weft into an account: the address to open, the browser that comes back, or the
//! address that the person brings by hand.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;
use connectors::sign_in::OAuth;
use tokio::sync::mpsc;
use url::Url;

use crate::trouble::{Kind, Trouble, why};
use crate::typed;

/// How long a person may take.
const PATIENCE: Duration = Duration::from_mins(10);

/// One consent that is asked for.
pub struct Consent {
    /// The address to open in a browser.
    pub address: Url,
    /// Where the browser comes back to.
    pub redirect: String,
    state: String,
    listener: Option<tokio::net::TcpListener>,
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Code(String),
    Refused(String),
    /// Not an answer to what we asked.
    Stray,
}

impl Consent {
    /// Prepares to ask; listens where the browser will come back to, if that is this machine.
    /// `None` for accounts that no person has to let anybody into.
    pub async fn ask(oauth: &OAuth) -> Option<Self> {
        let state = uuid::Uuid::new_v4().simple().to_string();
        let address = oauth.consent_address(&state)?;
        let redirect = oauth.redirect()?.to_owned();
        let listener = match loopback_port(&redirect) {
            Some(port) => tokio::net::TcpListener::bind(("127.0.0.1", port)).await.ok(),
            None => None,
        };
        Some(Self { address, redirect, state, listener })
    }

    /// The browser can come back here by itself.
    #[must_use]
    pub const fn listens(&self) -> bool {
        self.listener.is_some()
    }

    /// Waits for the browser or for a line on standard input, whichever comes first.
    pub async fn code(self) -> Result<String, Trouble> {
        // One sender stays here: standard input may be closed and the browser still come back.
        let (send, mut answers) = mpsc::channel(4);
        let _open = send.clone();
        if let Some(listener) = self.listener {
            let path =
                Url::parse(&self.redirect).map_or_else(|_| "/".to_owned(), |url| url.path().to_owned());
            let desk = Arc::new(Desk { state: self.state.clone(), send: send.clone() });
            let router = axum::Router::new().route(&path, get(came_back)).with_state(desk);
            tokio::spawn(async move { axum::serve(listener, router).await });
        }
        // A thread of its own: one that waits for a person would hold up the program's end.
        let state = self.state;
        std::thread::spawn(move || read_lines(&state, &send));
        match tokio::time::timeout(PATIENCE, answers.recv()).await {
            Ok(Some(Answer::Code(code))) => Ok(code),
            Ok(Some(Answer::Refused(reason))) => {
                Err(Trouble::new("R045", format!("Weft was not let in: {reason}"))
                    .kind(Kind::Remote)
                    .help("start again and press the button that allows it"))
            }
            Ok(Some(Answer::Stray)) => Err(Trouble::new("R045", "that is not an answer to this sign-in").help(
                "paste the whole address that the browser ends at after you allowed Weft in, or start again",
            )),
            Ok(None) | Err(_) => Err(Trouble::new("R046", "nobody came back from the browser")
                .help("start again; where the browser runs on another machine, paste the address that it ends at")),
        }
    }
}

/// The code in an address that a person brings, or in what is the code itself.
pub fn pasted(text: &str) -> Result<String, Trouble> {
    match understand_text(text, None) {
        Answer::Code(code) => Ok(code),
        Answer::Refused(reason) => Err(Trouble::new("R045", format!("Weft was not let in: {reason}"))
            .kind(Kind::Remote)
            .help("start again and press the button that allows it")),
        Answer::Stray => Err(Trouble::new("R045", "there is no code in that")
            .help("give the whole address that the browser ended at, or the code itself")),
    }
}

struct Desk {
    state: String,
    send: mpsc::Sender<Answer>,
}

async fn came_back(
    State(desk): State<Arc<Desk>>,
    Query(fields): Query<HashMap<String, String>>,
) -> (StatusCode, Html<&'static str>) {
    let answer = understand(&|name| fields.get(name).cloned(), Some(&desk.state));
    let (status, page) = match &answer {
        Answer::Code(_) => (StatusCode::OK, "<h1>Weft is let in.</h1><p>This page can be closed."),
        Answer::Refused(_) => {
            (StatusCode::OK, "<h1>Weft was not let in.</h1><p>The terminal says what to do.")
        }
        // Anybody can open this address; it must not end the waiting.
        Answer::Stray => {
            return (StatusCode::BAD_REQUEST, Html("<h1>This is not the answer that Weft waits for."));
        }
    };
    // Fails when an answer has come already.
    let _ = desk.send.send(answer).await;
    (status, Html(page))
}

fn read_lines(state: &str, send: &mpsc::Sender<Answer>) {
    // What is typed after the browser came back is the answer to somebody else's question.
    while let Some(line) = typed::line(|| !send.is_closed()) {
        if !line.trim().is_empty() && send.blocking_send(understand_text(&line, Some(state))).is_err() {
            return;
        }
    }
}

fn understand_text(text: &str, state: Option<&str>) -> Answer {
    let text = text.trim();
    match Url::parse(text) {
        Ok(url) => understand(
            &|name| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()),
            state,
        ),
        Err(_) if text.is_empty() || text.contains(char::is_whitespace) => Answer::Stray,
        // The code alone, as some systems show it on a page.
        Err(_) => Answer::Code(text.to_owned()),
    }
}

fn understand(field: &dyn Fn(&str) -> Option<String>, state: Option<&str>) -> Answer {
    if state.is_some_and(|state| field("state").as_deref() != Some(state)) {
        return Answer::Stray;
    }
    match (field("code"), field("error_description").or_else(|| field("error"))) {
        (Some(code), None) => Answer::Code(code),
        (_, Some(reason)) => Answer::Refused(reason),
        (None, None) => Answer::Stray,
    }
}

/// The port of an address on this machine that needs no encryption.
fn loopback_port(redirect: &str) -> Option<u16> {
    let url = Url::parse(redirect).ok()?;
    let here = matches!(url.host_str(), Some("127.0.0.1" | "localhost"));
    (url.scheme() == "http" && here).then(|| url.port_or_known_default()).flatten()
}

/// Why a browser could not be opened is of no interest: the address is on the screen.
pub fn open_browser(address: &Url) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let quiet = std::process::Stdio::null;
    let mut command = std::process::Command::new(program);
    for name in crate::vault::VARIABLES {
        command.env_remove(name);
    }
    let opened = command.arg(address.as_str()).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
    if let Err(error) = opened {
        tracing::debug!(reason = why(&error), "no browser was opened");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_pastes() {
        let state = Some("s1");
        let code = |text: &str| Answer::Code(text.to_owned());
        assert_eq!(understand_text("http://localhost:1/cb?code=a%2Fb&state=s1", state), code("a/b"));
        assert_eq!(understand_text("  abc-123 \n", state), code("abc-123"));
        assert_eq!(understand_text("http://localhost:1/cb?code=a&state=s2", state), Answer::Stray);
        assert_eq!(understand_text("two words", state), Answer::Stray);
        assert_eq!(
            understand_text("http://localhost:1/cb?error=access_denied&state=s1", state),
            Answer::Refused("access_denied".to_owned())
        );
    }

    #[test]
    fn where_a_browser_can_come_back_to() {
        assert_eq!(loopback_port("http://127.0.0.1:8914/callback"), Some(8914));
        assert_eq!(loopback_port("http://localhost/callback"), Some(80));
        assert_eq!(loopback_port("https://localhost:8914/callback"), None);
        assert_eq!(loopback_port("http://weft.example/callback"), None);
    }
}

//! The shared way to talk to a remote system: timeouts, repeats, pacing, body limits,
//! redaction, and a record of what was said.
//!
//! A connector builds a [`Call`] and gives a [`Protocol`] that signs each try and judges each
//! reply; everything between belongs here. Repeating is decided by what is known: a call that
//! never left may always be repeated, one whose answer was lost only when it is safe.

mod broken;
mod exchange;
mod pace;
mod redact;
mod send;
#[cfg(test)]
mod tests;
mod watch;

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
pub use reqwest::{Method, StatusCode};
pub use url::Url;

use crate::contract::{Advice, RemoteError};
pub use exchange::{Exchange, recorded};
pub use pace::Pace;
pub use redact::Secrets;
pub use send::{Http, choose_cryptography};
pub use watch::{Watch, watch};

/// Longest pause that a server's wish can stand for.
const LONGEST_WISH: Duration = Duration::from_hours(24);

/// One request, as often as it takes.
#[derive(Clone, Debug)]
pub struct Call {
    /// Verb.
    pub method: Method,
    /// Address with query.
    pub url: Url,
    /// Headers beside those that [`Protocol::prepare`] adds at each try.
    pub headers: HeaderMap,
    /// Body; empty for none.
    pub body: Bytes,
    /// Sending it twice does what sending it once does: reads, and writes that carry an
    /// idempotency key or set absolute values.
    pub repeatable: bool,
    /// The budget it counts against: lane name and calls a minute.
    pub lane: Option<(String, u32)>,
    /// Why it cannot be sent, when that shows while it is built.
    pub problem: Option<String>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body, whole.
    pub body: Bytes,
}

/// What a system adds to plain HTTP.
pub trait Protocol: Send + Sync {
    /// Called before each try: adds what must be fresh, such as a signature over the date.
    fn prepare(&self, request: &mut reqwest::Request) -> Result<(), RemoteError>;

    /// The reply says that the token has run out, of a client that signs in with tokens.
    fn token_refused(&self, reply: &Reply) -> bool {
        reply.status == StatusCode::UNAUTHORIZED
    }

    /// Says what a reply means. `call` is what was asked.
    fn judge(&self, call: &Call, reply: &Reply) -> Verdict;
}

/// What a reply means.
#[derive(Debug)]
pub enum Verdict {
    /// The caller takes it from here.
    Accept,
    /// Temporary. `untouched`: the server surely did nothing, so any call may be repeated.
    Again {
        /// In plain words.
        reason: String,
        /// The server's wish.
        after: Option<Duration>,
        /// Nothing was done.
        untouched: bool,
    },
    /// Repeating would not help.
    Refuse(RemoteError),
}

impl Call {
    /// A read.
    #[must_use]
    pub fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            repeatable: true,
            lane: None,
            problem: None,
        }
    }

    /// A write; not repeatable unless [`Call::repeatable`] says so.
    #[must_use]
    pub fn write(method: Method, url: Url, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(reqwest::header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Self { method, url, headers, body: body.into(), repeatable: false, lane: None, problem: None }
    }

    /// The same, marked as safe to send twice.
    #[must_use]
    pub const fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    /// The same, counted against a budget of calls a minute.
    #[must_use]
    pub fn lane(mut self, name: impl Into<String>, per_minute: u32) -> Self {
        self.lane = Some((name.into(), per_minute));
        self
    }

    /// The same with one more header. A value that no header can carry makes
    /// [`Http::send`] refuse the call.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        } else {
            // The value may be a secret and is not repeated.
            self.problem = Some(format!("the header {name} cannot carry the value that it is given"));
        }
        self
    }
}

impl Reply {
    /// The text of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// `Retry-After` as a pause, from seconds or a date; zero when the date has passed, and
    /// never more than a day.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        if text.starts_with(|letter: char| letter.is_ascii_digit()) {
            // Systems send fractions too, and numbers beyond any clock.
            let whole = text.split('.').next().unwrap_or(text);
            let seconds = whole.parse::<u64>().unwrap_or(if whole.len() > 18 { u64::MAX } else { 0 });
            return Some(Duration::from_secs(seconds).min(LONGEST_WISH));
        }
        let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        let pause = at.duration_since(jiff::Timestamp::now());
        Some(Duration::try_from(pause).unwrap_or_default().min(LONGEST_WISH))
    }

    /// The start of the body on one line, for messages: no markup, no control characters.
    #[must_use]
    pub fn excerpt(&self) -> String {
        let text = String::from_utf8_lossy(self.body.get(..self.body.len().min(2_000)).unwrap_or_default());
        let mut plain = String::new();
        let mut in_tag = false;
        for letter in text.chars() {
            match letter {
                '<' => in_tag = true,
                '>' if in_tag => {
                    in_tag = false;
                    plain.push(' ');
                }
                _ if in_tag => {}
                _ if letter.is_control() => plain.push(' '),
                _ => plain.push(letter),
            }
        }
        let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        words.chars().take(200).collect()
    }
}

/// The verdict that HTTP itself suggests, for systems without error bodies of their own.
#[must_use]
pub fn judge_status(system: &str, reply: &Reply) -> Verdict {
    let status = reply.status.as_u16();
    let said = match reply.excerpt() {
        text if text.is_empty() => format!("answered with status {status}"),
        text => format!("answered with status {status}: {text}"),
    };
    let refuse = |advice| Verdict::Refuse(RemoteError::new(advice, system, said.clone()));
    if let Some(error) = moved(system, reply) {
        return Verdict::Refuse(error);
    }
    match status {
        200..=299 => Verdict::Accept,
        401 => Verdict::Refuse(
            RemoteError::new(Advice::Reconnect, system, said)
                .with_help("check the credentials of the connection, or sign in again"),
        ),
        408 | 425 | 500 | 502 | 504 => {
            Verdict::Again { reason: said, after: reply.retry_after(), untouched: false }
        }
        429 | 503 => Verdict::Again { reason: said, after: reply.retry_after(), untouched: true },
        403..=405 | 501 => refuse(Advice::StopFlow),
        _ => refuse(Advice::SkipRecord),
    }
}

/// A redirect as an error: where credentials and records go is for people to say. The query is
/// left out, for tokens travel in it.
fn moved(system: &str, reply: &Reply) -> Option<RemoteError> {
    if !matches!(reply.status.as_u16(), 300..=303 | 305..=399) {
        return None;
    }
    let to = reply.header("location").and_then(|to| to.split(['?', '#']).next());
    let reason = format!("moved to {}", to.unwrap_or("another address"));
    let help = "put the new address into the connection, if you trust it";
    Some(RemoteError::new(Advice::StopFlow, system, reason).with_help(help))
}

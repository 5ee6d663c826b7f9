//! Asking the service: addresses, queries, answers taken apart.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{ACCEPT, HeaderValue};

use super::settings::Settings;
use super::{MANIFEST, TITLE, faults};
use crate::contract::{Advice, Host, RemoteError};
use crate::http::{Call, Http, Method, Protocol, Reply, Secrets, Url, Verdict};
use crate::record::{Map, Value, read_json};
use crate::sign_in::SignIn;

/// Most records that a page may hold.
pub(super) const LARGEST_PAGE: usize = 1000;

/// What stays as it is in a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A client for one account.
pub(super) struct Client {
    http: Http,
    settings: Settings,
}

/// The options of a list.
#[derive(Clone, Debug, Default)]
pub(super) struct Query {
    pub(super) filter: String,
    pub(super) order: String,
    /// From 1; 0 for a request without pages.
    pub(super) page: usize,
    pub(super) size: usize,
    /// Options beside these.
    pub(super) other: &'static [(&'static str, &'static str)],
}

/// A page of a list.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) rows: Vec<Map>,
    /// There are pages after this one.
    pub(super) more: bool,
}

impl Query {
    fn text(&self) -> String {
        let mut text = String::new();
        let mut add = |name: &str, value: &str| {
            let bar = if text.is_empty() { "" } else { "&" };
            let _ = write!(text, "{bar}{name}={}", utf8_percent_encode(value, PLAIN));
        };
        if !self.filter.is_empty() {
            add("$filter", &self.filter);
        }
        if !self.order.is_empty() {
            add("$orderby", &self.order);
        }
        if self.page > 0 {
            add("$page", &self.page.to_string());
            add("$pagesize", &self.size.clamp(1, LARGEST_PAGE).to_string());
        }
        for (name, value) in self.other {
            add(name, value);
        }
        text
    }
}

impl Client {
    pub(super) fn new(settings: Settings, host: &Host) -> Result<Self, RemoteError> {
        let secrets = Secrets::of([settings.client_secret.as_str()]);
        let source = Arc::new(settings.oauth(&host.limits)?);
        let http = Http::new(TITLE, &host.limits, MANIFEST.concurrency, secrets)?;
        let sign_in = SignIn::new(TITLE, source, host.tokens.clone(), http.secrets().clone());
        Ok(Self { http: http.signed_in(sign_in), settings })
    }

    pub(super) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// One page of a list.
    pub(super) async fn list(&self, path: &str, query: &Query) -> Result<Listing, RemoteError> {
        let reply = self.read(path, query, false).await?;
        let map = Self::map(&reply)?;
        let number = |name: &str| map.at(name).and_then(Value::as_int).unwrap_or(0);
        let Some(Value::List(rows)) = map.get("Data") else {
            return Err(unusable(&reply, "it is not a list"));
        };
        let rows: Vec<Map> = rows.iter().filter_map(|row| row.as_map().cloned()).collect();
        // An empty page is the end, whatever the totals say.
        let more = !rows.is_empty() && number("Meta.CurrentPage") < number("Meta.TotalNumberOfPages");
        Ok(Listing { rows, more })
    }

    /// A whole list, page after page.
    pub(super) async fn all(&self, path: &str, query: &Query) -> Result<Vec<Map>, RemoteError> {
        let mut query = Query { page: 1, size: LARGEST_PAGE, ..query.clone() };
        let mut found = Vec::new();
        loop {
            let listing = self.list(path, &query).await?;
            found.extend(listing.rows);
            if !listing.more {
                return Ok(found);
            }
            query.page += 1;
        }
    }

    /// One record, when it is there.
    pub(super) async fn get(&self, path: &str) -> Result<Option<Map>, RemoteError> {
        let reply = self.read(path, &Query::default(), true).await?;
        if reply.status.is_success() { Self::map(&reply).map(Some) } else { Ok(None) }
    }

    /// Creates a record, or does something with one that must not be done twice.
    pub(super) async fn post(&self, path: &str, body: &Map) -> Result<Map, RemoteError> {
        let reply = self.write(Method::POST, path, json(body), false).await?;
        if reply.body.is_empty() {
            return Ok(Map::new());
        }
        // It is done, whatever the answer is worth.
        Self::map(&reply).map_err(|error| RemoteError { advice: Advice::Unknown, ..error })
    }

    /// Replaces a record. Sets absolute values, so that sending it twice does no harm.
    pub(super) async fn put(&self, path: &str, body: Vec<u8>) -> Result<Option<Map>, RemoteError> {
        let reply = self.write(Method::PUT, path, body, true).await?;
        if reply.body.is_empty() { Ok(None) } else { Self::map(&reply).map(Some) }
    }

    async fn read(&self, path: &str, query: &Query, lenient: bool) -> Result<Reply, RemoteError> {
        let call = self.dressed(Call::get(self.url(path, query)?), path);
        self.http.send(&call, &Talk { path, lenient }).await
    }

    async fn write(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        repeatable: bool,
    ) -> Result<Reply, RemoteError> {
        let url = self.url(path, &Query::default())?;
        let mut call = Call::write(method, url, "application/json", Bytes::from(body));
        call.repeatable = repeatable;
        let call = self.dressed(call, path);
        self.http.send(&call, &Talk { path, lenient: false }).await
    }

    /// The service counts by client and endpoint, which is taken to be the kind of record.
    fn dressed(&self, call: Call, path: &str) -> Call {
        let lane = path.split(['/', '?']).next().unwrap_or_default().to_owned();
        call.lane(lane, self.settings.calls)
    }

    fn url(&self, path: &str, query: &Query) -> Result<Url, RemoteError> {
        let mut url = self
            .settings
            .address
            .join(&format!("v2/{path}"))
            .map_err(|error| stop(&format!("`{path}` makes no address: {error}")))?;
        let text = query.text();
        if !text.is_empty() {
            url.set_query(Some(&text));
        }
        Ok(url)
    }

    fn map(reply: &Reply) -> Result<Map, RemoteError> {
        match read_json(&reply.body) {
            Ok(Value::Map(map)) => Ok(map),
            Ok(other) => Err(unusable(reply, &format!("it is a {}, not a record", other.kind()))),
            Err(error) => Err(unusable(reply, &error.to_string())),
        }
    }
}

/// A record as compact JSON.
pub(super) fn json(record: &Map) -> Vec<u8> {
    let mut out = Vec::new();
    record.write_json(&mut out);
    out
}

pub(super) fn stop(reason: &str) -> RemoteError {
    RemoteError::new(Advice::StopFlow, TITLE, reason)
}

/// An answer that cannot be read: a web page, or half a record.
fn unusable(reply: &Reply, why: &str) -> RemoteError {
    if reply.body.trim_ascii_start().starts_with(b"<") {
        return stop(&format!("answered with a web page instead of data: {}", reply.excerpt()))
            .with_help("check the address of the connection; it is best left empty");
    }
    RemoteError::new(Advice::Retry(None), TITLE, format!("the answer cannot be read: {why}"))
}

/// How one call is dressed and judged.
struct Talk<'a> {
    path: &'a str,
    /// A record that is not there is an answer, not a fault.
    lenient: bool,
}

impl Protocol for Talk<'_> {
    fn prepare(&self, request: &mut reqwest::Request) -> Result<(), RemoteError> {
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
        Ok(())
    }

    fn judge(&self, _: &Call, reply: &Reply) -> Verdict {
        if reply.status.is_success() || (self.lenient && faults::is_absence(reply)) {
            return Verdict::Accept;
        }
        faults::judge(self.path, reply)
    }
}

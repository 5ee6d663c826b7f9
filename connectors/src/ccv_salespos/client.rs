//! Asking the shop: addresses, signatures on both ways, answers taken apart.

use std::fmt::{Display, Write as _};

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{ACCEPT, ACCEPT_LANGUAGE, HeaderValue};

use super::settings::Settings;
use super::sign::{self, Signed};
use super::{MANIFEST, TITLE, faults};
use crate::contract::{Advice, Limits, RemoteError};
use crate::http::{Call, Http, Method, Protocol, Reply, Secrets, Url, Verdict};
use crate::record::{Map, Value, read_json};

/// Where the API lives below the shop's address.
const ROOT: &str = "/api/rest/v1/";

/// Most records that a page may hold.
pub(super) const LARGEST_PAGE: usize = 250;

/// What stays as it is in a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A client for one account.
pub(super) struct Client {
    http: Http,
    settings: Settings,
}

/// Names and values of a query, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Query(pub(super) Vec<(String, String)>);

/// Some records of a list, and the query of the rest.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) items: Vec<Map>,
    pub(super) next: Option<Query>,
}

impl Query {
    /// The query with one more value.
    pub(super) fn with(mut self, name: &str, value: impl Display) -> Self {
        self.set(name, value);
        self
    }

    /// Sets a value, in the place of an older one.
    pub(super) fn set(&mut self, name: &str, value: impl Display) {
        let value = format!("{value}");
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }

    /// The value of that name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Where the page starts.
    pub(super) fn start(&self) -> usize {
        self.get("start").and_then(|text| text.parse().ok()).unwrap_or(0)
    }

    /// Reads the part behind the question mark.
    pub(super) fn parse(text: &str) -> Self {
        Self(url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
    }

    /// The part behind the question mark.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.0 {
            let bar = if text.is_empty() { "" } else { "&" };
            let (name, value) = (utf8_percent_encode(name, PLAIN), utf8_percent_encode(value, PLAIN));
            let _ = write!(text, "{bar}{name}={value}");
        }
        text
    }
}

/// The kind of record that an address is about, which is what limits and rights count by: the
/// last part of the path that is not a key.
pub(super) fn resource_of(path: &str) -> &str {
    path.split('/').rfind(|part| !part.is_empty() && !part.bytes().all(|b| b.is_ascii_digit())).unwrap_or("")
}

impl Client {
    pub(super) fn new(settings: Settings, limits: &Limits) -> Result<Self, RemoteError> {
        let secrets = Secrets::of([settings.secret.as_str()]);
        Ok(Self { http: Http::new(TITLE, limits, MANIFEST.concurrency, secrets)?, settings })
    }

    pub(super) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// One page of a list. A list below a record that is not there is empty.
    pub(super) async fn list(&self, path: &str, query: &Query) -> Result<Listing, RemoteError> {
        // Only a list below a record, or of one, can be missing for the lack of that record.
        let lenient = path.contains('/') || query.0.iter().any(|(name, _)| name.ends_with("_id"));
        let reply = self.read(path, query, lenient).await?;
        if reply.status == 404 {
            return Ok(Listing::default());
        }
        let mut map = Self::map(&reply)?;
        match map.remove("items") {
            Some(Value::List(items)) => {
                let items = items.into_iter().filter_map(|item| match item {
                    Value::Map(item) => Some(item),
                    _ => None,
                });
                // Only the query counts: the link may name another host.
                let next = map.text("next").and_then(|link| link.split_once('?'));
                Ok(Listing { items: items.collect(), next: next.map(|(_, query)| Query::parse(query)) })
            }
            // A path that holds one record answers with the record itself.
            None if map.get("href").is_some() => Ok(Listing { items: vec![map], next: None }),
            _ => Err(unusable(&reply, "the answer is not a list")),
        }
    }

    /// A whole list, page after page.
    pub(super) async fn all(&self, path: &str, query: &Query) -> Result<Vec<Map>, RemoteError> {
        let mut query = query.clone();
        if query.get("size").is_none() {
            query.set("start", 0);
            query.set("size", LARGEST_PAGE);
        }
        let mut found = Vec::new();
        loop {
            let page = self.list(path, &query).await?;
            found.extend(page.items);
            match page.next {
                None => return Ok(found),
                Some(next) if next.start() > query.start() => query = next,
                Some(_) => return Err(self.stop("the list comes back to where it was")),
            }
        }
    }

    /// One record, when it is there.
    pub(super) async fn get(&self, path: &str) -> Result<Option<Map>, RemoteError> {
        let reply = self.read(path, &Query::default(), true).await?;
        if reply.status == 404 { Ok(None) } else { Self::map(&reply).map(Some) }
    }

    /// Creates a record; the record as the shop answers it, when it does.
    pub(super) async fn post(&self, path: &str, body: &Map) -> Result<Option<Map>, RemoteError> {
        let reply = self.write(Method::POST, path, body).await?;
        if reply.body.is_empty() {
            return Ok(None);
        }
        // The record is there, whatever the answer is worth.
        Self::map(&reply).map(Some).map_err(|error| RemoteError { advice: Advice::Unknown, ..error })
    }

    /// Changes a record. Sets absolute values, so that sending it twice does no harm.
    pub(super) async fn patch(&self, path: &str, body: &Map) -> Result<(), RemoteError> {
        self.write(Method::PATCH, path, body).await.map(drop)
    }

    /// Removes a record; it may be gone already.
    pub(super) async fn delete(&self, path: &str) -> Result<(), RemoteError> {
        let mut call = Call::get(self.url(path, &Query::default())?).repeatable();
        call.method = Method::DELETE;
        let call = self.dressed(call, self.settings.writes);
        self.http.send(&call, &Talk { client: self, lenient: true }).await.map(drop)
    }

    async fn read(&self, path: &str, query: &Query, lenient: bool) -> Result<Reply, RemoteError> {
        let call = self.dressed(Call::get(self.url(path, query)?), self.settings.reads);
        self.http.send(&call, &Talk { client: self, lenient }).await
    }

    async fn write(&self, method: Method, path: &str, body: &Map) -> Result<Reply, RemoteError> {
        let mut bytes = Vec::new();
        body.write_json(&mut bytes);
        let url = self.url(path, &Query::default())?;
        let repeatable = method == Method::PATCH;
        let mut call = Call::write(method, url, "application/json", Bytes::from(bytes));
        call.repeatable = repeatable;
        let call = self.dressed(call, self.settings.writes);
        self.http.send(&call, &Talk { client: self, lenient: false }).await
    }

    fn dressed(&self, call: Call, per_minute: u32) -> Call {
        let lane = format!("{} {}", call.method, resource_of(call.url.path()));
        let call = call.lane(lane, per_minute).header(ACCEPT, self.settings.accept);
        match &self.settings.language {
            Some(language) => call.header(ACCEPT_LANGUAGE, language),
            None => call,
        }
    }

    fn url(&self, path: &str, query: &Query) -> Result<Url, RemoteError> {
        let mut url = self
            .settings
            .address
            .join(&format!("{ROOT}{path}"))
            .map_err(|error| self.stop(&format!("`{path}` makes no address: {error}")))?;
        url.set_query(Some(&query.text()).filter(|text| !text.is_empty()).map(String::as_str));
        Ok(url)
    }

    fn map(reply: &Reply) -> Result<Map, RemoteError> {
        match read_json(&reply.body) {
            Ok(Value::Map(map)) => Ok(map),
            Ok(other) => Err(unusable(reply, &format!("the answer is a {}, not a record", other.kind()))),
            Err(error) => Err(unusable(reply, &error.to_string())),
        }
    }

    fn stop(&self, reason: &str) -> RemoteError {
        RemoteError::new(Advice::StopFlow, self.http.system(), reason)
    }

    /// Checks the shop's signature on a success. Refusals are not signed.
    fn verified(&self, call: &Call, reply: &Reply) -> Verdict {
        if !self.settings.verifies || self.is_genuine(call, reply) {
            return Verdict::Accept;
        }
        // An answer that stops halfway is an accident; one that is whole and wrong is not.
        if !reply.body.is_empty() && read_json(&reply.body).is_err() {
            let page = unusable(reply, "");
            return match page.advice {
                Advice::StopFlow if call.repeatable => Verdict::Refuse(page),
                _ => Verdict::Again { reason: page.reason, after: None, untouched: false },
            };
        }
        let advice = if call.repeatable { Advice::StopFlow } else { Advice::Unknown };
        let reason = if reply.header(sign::HASH).is_some() {
            "the signature of the answer is wrong: somebody may have changed it on its way"
        } else {
            "the answer carries no signature"
        };
        Verdict::Refuse(
            RemoteError::new(advice, TITLE, reason)
                .with_help("check that the address is the shop's own and that no proxy changes its answers"),
        )
    }

    fn is_genuine(&self, call: &Call, reply: &Reply) -> bool {
        let (Some(hash), Some(date)) = (reply.header(sign::HASH), reply.header(sign::DATE)) else {
            return false;
        };
        sign::same(hash, &self.hash(call.method.as_str(), &call.url, &reply.body, date))
    }

    fn hash(&self, method: &str, url: &Url, body: &[u8], date: &str) -> String {
        let target = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        Signed { public: &self.settings.public, method, target: &target, body, date }
            .hash(&self.settings.secret)
    }
}

/// An answer that cannot be read: a web page, or half a record.
fn unusable(reply: &Reply, why: &str) -> RemoteError {
    let starts_as_page = reply.body.trim_ascii_start().starts_with(b"<");
    if starts_as_page {
        let reason = format!("answered with a web page instead of data: {}", reply.excerpt());
        return RemoteError::new(Advice::StopFlow, TITLE, reason)
            .with_help("check the address: it must be the shop's own, without anything after the host");
    }
    let reason = if why.is_empty() {
        "the answer stops halfway".to_owned()
    } else {
        format!("the answer cannot be read: {why}")
    };
    RemoteError::new(Advice::Retry(None), TITLE, reason)
}

/// How one call is signed and judged.
struct Talk<'a> {
    client: &'a Client,
    /// A record that is not there is an answer, not a fault.
    lenient: bool,
}

impl Protocol for Talk<'_> {
    fn prepare(&self, request: &mut reqwest::Request) -> Result<(), RemoteError> {
        let date = sign::date(jiff::Timestamp::now());
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        let hash = self.client.hash(request.method().as_str(), request.url(), body, &date);
        let public = self.client.settings.public.as_str();
        for (name, value) in
            [(sign::PUBLIC, public), (sign::DATE, date.as_str()), (sign::HASH, hash.as_str())]
        {
            let value = HeaderValue::from_str(value)
                .map_err(|_| self.client.stop("the public key holds letters that no key has"))?;
            request.headers_mut().insert(name, value);
        }
        Ok(())
    }

    fn judge(&self, call: &Call, reply: &Reply) -> Verdict {
        if reply.status.is_success() {
            return self.client.verified(call, reply);
        }
        if self.lenient && faults::is_absence(reply) {
            return Verdict::Accept;
        }
        faults::judge(call, reply)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_come_back_as_they_went() {
        let query = Query::default().with("productnumber", "A&B +1/é").with("start", 0);
        assert_eq!(query.text(), "productnumber=A%26B%20%2B1%2F%C3%A9&start=0");
        assert_eq!(Query::parse(&query.text()), query);
    }

    #[test]
    fn the_last_word_of_a_path_is_its_resource() {
        assert_eq!(resource_of("/api/rest/v1/orders"), "orders");
        assert_eq!(resource_of("/api/rest/v1/orders/12/"), "orders");
        assert_eq!(resource_of("/api/rest/v1/orders/12/orderrows"), "orderrows");
    }
}

//! Asking Teamleader: every action is a POST with JSON, answers are taken apart, and calls keep
//! within the limit that the server states on each of them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{HeaderName, HeaderValue};
use tokio::time::Instant;

use super::settings::Settings;
use super::{MANIFEST, TITLE, faults};
use crate::contract::{Advice, Host, Limits, RemoteError};
use crate::http::{Call, Http, Method, Protocol, Reply, Secrets, Url, Verdict};
use crate::record::{Map, Value, read_json};
use crate::sign_in::{ClientAuth, Grant, OAuth, SignIn};

/// Most records that a page may hold.
pub(super) const LARGEST_PAGE: usize = 100;

/// The dated version of the interface that this connector speaks.
const VERSION: &str = "2023-09-26";

/// A client for one account.
pub(super) struct Client {
    http: Http,
    settings: Settings,
    /// Until when the server has no room for another call.
    full_until: Mutex<Option<Instant>>,
}

/// How a person lets Weft into the account.
pub(super) fn consent(settings: &Settings, limits: &Limits) -> Result<OAuth, RemoteError> {
    let at = |path: &str| {
        settings.sign_in.join(path).map_err(|error| {
            RemoteError::new(Advice::StopFlow, TITLE, format!("`sign_in_address` makes no address: {error}"))
        })
    };
    Ok(OAuth {
        system: TITLE.to_owned(),
        token_url: at("oauth2/access_token")?,
        client_id: settings.client_id.clone(),
        client_secret: settings.client_secret.clone(),
        // The rights stand at the integration; asking for others is refused.
        scope: None,
        client_auth: ClientAuth::Body,
        grant: Grant::Code {
            authorize_url: at("oauth2/authorize")?,
            redirect: settings.redirect.clone(),
            extra: Vec::new(),
        },
        limits: limits.clone(),
    })
}

/// The action that an address names: `companies.list`.
pub(super) fn action_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

impl Client {
    pub(super) fn new(settings: Settings, host: &Host) -> Result<Self, RemoteError> {
        let secrets = Secrets::of([settings.client_secret.as_str()]);
        let http = Http::new(TITLE, &host.limits, MANIFEST.concurrency, secrets)?;
        let source = Arc::new(consent(&settings, &host.limits)?);
        let sign_in = SignIn::new(TITLE, source, host.tokens.clone(), http.secrets().clone());
        let http = http.signed_in(sign_in);
        Ok(Self { http, settings, full_until: Mutex::default() })
    }

    pub(super) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// One list, or one page of it.
    pub(super) async fn list(&self, action: &str, body: &Map) -> Result<Vec<Map>, RemoteError> {
        Ok(self.list_with_meta(action, body).await?.0)
    }

    /// The same with what the answer says about it.
    pub(super) async fn list_with_meta(
        &self,
        action: &str,
        body: &Map,
    ) -> Result<(Vec<Map>, Option<Map>), RemoteError> {
        let reply = self.send(action, body, true, false).await?;
        let mut answer = Self::map(&reply)?;
        let meta = match answer.remove("meta") {
            Some(Value::Map(meta)) => Some(meta),
            _ => None,
        };
        let Some(Value::List(items)) = answer.remove("data") else {
            return Err(unusable(&reply, "the answer holds no list"));
        };
        let rows: Option<Vec<Map>> = items
            .into_iter()
            .map(|item| match item {
                Value::Map(item) => Some(item),
                _ => None,
            })
            .collect();
        Ok((rows.ok_or_else(|| unusable(&reply, "the list holds something that is no record"))?, meta))
    }

    /// One record, when it is there.
    pub(super) async fn info(&self, action: &str, body: &Map) -> Result<Option<Map>, RemoteError> {
        let reply = self.send(action, body, true, true).await?;
        if reply.status == 404 {
            return Ok(None);
        }
        match Self::map(&reply)?.remove("data") {
            Some(Value::Map(record)) => Ok(Some(record)),
            // The description of credit notes says that one comes as a list.
            Some(Value::List(mut items)) if items.len() == 1 => match items.pop() {
                Some(Value::Map(record)) => Ok(Some(record)),
                _ => Err(unusable(&reply, "the answer holds no record")),
            },
            _ => Err(unusable(&reply, "the answer holds no record")),
        }
    }

    /// Creates a record and gives its identifier.
    pub(super) async fn add(&self, action: &str, body: &Map) -> Result<String, RemoteError> {
        let reply = self.send(action, body, false, false).await?;
        // The record is there, whatever the answer is worth.
        let doubt = |error: RemoteError| RemoteError { advice: Advice::Unknown, ..error };
        let answer = Self::map(&reply).map_err(doubt)?;
        let id = answer.at("data.id").and_then(Value::as_str).filter(|id| !id.is_empty());
        id.map(str::to_owned).ok_or_else(|| doubt(unusable(&reply, "the answer holds no identifier")))
    }

    /// Does something that has no answer. `repeatable`: doing it twice does no harm.
    pub(super) async fn act(&self, action: &str, body: &Map, repeatable: bool) -> Result<(), RemoteError> {
        self.send(action, body, repeatable, false).await.map(drop)
    }

    async fn send(
        &self,
        action: &str,
        body: &Map,
        repeatable: bool,
        lenient: bool,
    ) -> Result<Reply, RemoteError> {
        let url = self.url(action)?;
        let mut bytes = Vec::new();
        body.write_json(&mut bytes);
        let mut call = Call::write(Method::POST, url, "application/json", Bytes::from(bytes))
            .lane("calls", self.settings.per_minute)
            .header(HeaderName::from_static("x-api-version"), VERSION);
        call.headers.insert(reqwest::header::ACCEPT, HeaderValue::from_static("application/json"));
        call.repeatable = repeatable;
        self.wait_for_room().await;
        let reply = self.http.send(&call, &Talk { lenient }).await?;
        self.note_room(&reply);
        Ok(reply)
    }

    /// Waits while the server has said that the minute is full.
    async fn wait_for_room(&self) {
        loop {
            let until = *self.full_until.lock().unwrap_or_else(PoisonError::into_inner);
            match until {
                Some(until) if until > Instant::now() => tokio::time::sleep_until(until).await,
                _ => return,
            }
        }
    }

    /// Takes the server's word on how many calls are left. Others may use the same account, so
    /// its count is worth more than ours.
    fn note_room(&self, reply: &Reply) {
        let left = reply.header("x-ratelimit-remaining").and_then(|text| text.trim().parse::<u32>().ok());
        if left != Some(0) {
            return;
        }
        let pause = faults::until_reset(reply).unwrap_or(Duration::from_secs(1));
        *self.full_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + pause);
    }

    fn url(&self, action: &str) -> Result<Url, RemoteError> {
        self.settings.address.join(action).map_err(|error| {
            RemoteError::new(Advice::StopFlow, TITLE, format!("`{action}` makes no address: {error}"))
        })
    }

    fn map(reply: &Reply) -> Result<Map, RemoteError> {
        match read_json(&reply.body) {
            Ok(Value::Map(map)) => Ok(map),
            Ok(other) => Err(unusable(reply, &format!("the answer is a {}, not a record", other.kind()))),
            Err(error) => Err(unusable(reply, &error.to_string())),
        }
    }
}

/// An answer that cannot be read: a web page, or half a record.
fn unusable(reply: &Reply, why: &str) -> RemoteError {
    if reply.body.trim_ascii_start().starts_with(b"<") {
        let reason = format!("answered with a web page instead of data: {}", reply.excerpt());
        return RemoteError::new(Advice::StopFlow, TITLE, reason)
            .with_help("check the address of the API in the connection");
    }
    RemoteError::new(Advice::Retry(None), TITLE, format!("the answer cannot be read: {why}"))
}

/// How one call is judged.
struct Talk {
    /// A record that is not there is an answer, not a fault.
    lenient: bool,
}

impl Protocol for Talk {
    fn prepare(&self, _: &mut reqwest::Request) -> Result<(), RemoteError> {
        Ok(())
    }

    fn judge(&self, call: &Call, reply: &Reply) -> Verdict {
        if self.lenient && faults::is_absence(reply) {
            return Verdict::Accept;
        }
        faults::judge(call, reply)
    }
}

//! A conversation with one account of a profile's system.

mod find;
mod hooks;
mod read;
mod turn;
mod write;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::dialect::{Bounds, Dialect, Nothing, Probe, SignIn, Ways, segment};
use super::form::plain;
use super::path::Path;
use super::speaker::{Ear, Missing, Speaker};
use super::template::Template;
use crate::contract::{
    Advice, Create, Detail, Fetch, FetchRequest, Find, Host, Limits, RemoteError, Session, Update,
};
use crate::http::{Call, Http, Reply, Secrets, Url};
use crate::manifest::{Answers, Manifest};
use crate::record::{Value, read_json};
use crate::sign_in::{self, TokenSource};
use crate::webhook::Webhooks;

/// A reply, and its body where it has been read already.
struct Heard {
    reply: Reply,
    body: Option<Value>,
}

/// A live conversation.
pub(super) struct Conversation {
    title: String,
    http: Http,
    base: String,
    speaker: Speaker,
    per_minute: Option<u32>,
    nothing: Nothing,
    probe: Option<(Template, Option<Path>)>,
    resources: Vec<(String, Ways)>,
    /// What it tells by webhooks.
    events: Vec<String>,
}

impl Conversation {
    /// Opens no connection yet.
    pub(super) fn open(
        manifest: &Manifest,
        dialect: &Arc<Dialect>,
        answers: &Answers,
        host: &Host,
    ) -> Result<Self, RemoteError> {
        let title = manifest.title.clone();
        for name in manifest.settings.names() {
            if answers.get(manifest, name).is_none() {
                let error = RemoteError::new(
                    Advice::Reconnect,
                    title,
                    format!("the setting `{name}` is not filled in"),
                );
                return Err(error.with_help("fill it in where this connection is set up"));
            }
        }
        let setting = |name: &str| answers.get(manifest, name).unwrap_or_default().trim().to_owned();
        let base = base(&title, &dialect.address.settle(&setting).fill(&|_| String::new()))?;
        let speaker = Speaker::new(&title, dialect, &setting)?;
        let mut secrets = speaker.secrets();
        secrets.extend(
            manifest.settings.iter().filter(|(_, known)| known.secret).map(|(name, _)| setting(name)),
        );
        let secrets = Secrets::of(secrets.iter().map(String::as_str));
        let http = http(&title, &dialect.bounds, &host.limits, manifest.concurrency, secrets, &setting)?;
        let http = match &dialect.sign_in {
            SignIn::OAuth(way) => {
                let source = way.client(&title, &setting, &host.limits)?;
                signed_in(&title, http, Arc::new(source), host)
            }
            SignIn::Login(way) => {
                let source = way.client(&title, &base, dialect, &setting, &http, &host.limits)?;
                signed_in(&title, http, Arc::new(source), host)
            }
            _ => http,
        };
        let probe = dialect
            .probe
            .as_ref()
            .map(|Probe { path, says }| (path.settle(&|name| segment(&setting(name))), says.clone()));
        let resources =
            dialect.resources.iter().map(|(name, ways)| (name.clone(), ways.settle(&setting))).collect();
        let (per_minute, nothing) = (dialect.bounds.per_minute, dialect.nothing);
        let events = manifest.events.clone();
        Ok(Self { title, http, base, speaker, per_minute, nothing, probe, resources, events })
    }

    fn ways(&self, resource: &str) -> Option<&Ways> {
        self.resources.iter().find(|(name, _)| name == resource).map(|(_, ways)| ways)
    }

    /// The address of a call.
    fn url<'p>(
        &self,
        path: &str,
        parameters: impl Iterator<Item = (&'p str, String)>,
    ) -> Result<Url, RemoteError> {
        let mut url = Url::parse(&format!("{}{path}", self.base))
            .map_err(|_| self.error(Advice::StopFlow, format!("`{path}` makes no address")))?;
        let mut parameters = parameters.peekable();
        if parameters.peek().is_some() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        Ok(self.with_key(url))
    }

    /// The address with the key, where that travels in addresses.
    fn with_key(&self, mut url: Url) -> Url {
        if let Some((name, value)) = &self.speaker.parameter {
            url.query_pairs_mut().append_pair(name, value);
        }
        url
    }

    async fn send(&self, mut call: Call, missing: Missing) -> Result<Heard, RemoteError> {
        if let Some(per_minute) = self.per_minute {
            call = call.lane("all", per_minute);
        }
        let ear = Ear { speaker: &self.speaker, missing, body: Mutex::default() };
        let reply = self.http.send(&call, &ear).await?;
        Ok(Heard { reply, body: ear.body.into_inner().unwrap_or_else(PoisonError::into_inner) })
    }

    /// The JSON of a reply to a read. A broken one may be whole next time.
    fn json(&self, heard: Heard) -> Result<Value, RemoteError> {
        match heard.body {
            Some(body) if !body.is_null() => Ok(body),
            _ => read_json(&heard.reply.body)
                .map_err(|fault| self.error(Advice::Retry(None), format!("the answer is not JSON: {fault}"))),
        }
    }

    fn error(&self, advice: Advice, reason: impl Into<String>) -> RemoteError {
        RemoteError::new(advice, self.title.clone(), reason)
    }

    fn unknown(&self, resource: &str) -> RemoteError {
        self.error(Advice::StopFlow, format!("has no resource `{resource}` that can do this"))
    }
}

#[async_trait]
impl Session for Conversation {
    async fn probe(&self) -> Result<String, RemoteError> {
        let mut answer = None;
        if let Some((path, says)) = &self.probe {
            let url = self.url(&path.fill(&|_| String::new()), std::iter::empty())?;
            let heard = self.send(Call::get(url), Missing::Address).await?;
            if let Some(says) = says {
                // Shown to people: a system may repeat the credential that it was asked with.
                let said = says.pick(&self.json(heard)?).map(plain);
                answer = said.map(|said| self.http.secrets().blot(&said));
            }
        } else if let Some((resource, _)) = self.resources.iter().find(|(_, ways)| ways.fetch.is_some()) {
            let request = FetchRequest { resource: resource.clone(), size: 1, ..FetchRequest::default() };
            self.page(&request, None).await?;
        }
        Ok(match answer.filter(|said| !said.is_empty()) {
            Some(said) => format!("{}: {said}", self.title),
            None => format!("{} answers", self.title),
        })
    }

    fn fetch(&self, resource: &str) -> Option<&dyn Fetch> {
        self.ways(resource)?.fetch.as_ref().map(|_| self as &dyn Fetch)
    }

    fn detail(&self, resource: &str) -> Option<&dyn Detail> {
        self.ways(resource).filter(|ways| ways.detail).map(|_| self as &dyn Detail)
    }

    fn find(&self, resource: &str) -> Option<&dyn Find> {
        self.ways(resource).filter(|ways| !ways.finds.is_empty()).map(|_| self as &dyn Find)
    }

    fn create(&self, resource: &str) -> Option<&dyn Create> {
        self.ways(resource)?.create.as_ref().map(|_| self as &dyn Create)
    }

    fn update(&self, resource: &str) -> Option<&dyn Update> {
        self.ways(resource)?.update.as_ref().map(|_| self as &dyn Update)
    }

    fn webhooks(&self) -> Option<&dyn Webhooks> {
        (!self.events.is_empty()).then_some(self as &dyn Webhooks)
    }
}

/// The client with a token on every call.
fn signed_in(title: &str, http: Http, source: Arc<dyn TokenSource>, host: &Host) -> Http {
    let secrets = http.secrets().clone();
    http.signed_in(sign_in::SignIn::new(title, source, host.tokens.clone(), secrets))
}

/// The client, within what the system allows.
fn http(
    title: &str,
    bounds: &Bounds,
    limits: &Limits,
    concurrency: usize,
    secrets: Secrets,
    setting: &dyn Fn(&str) -> String,
) -> Result<Http, RemoteError> {
    let mut limits = limits.clone();
    if let Some(timeout) = bounds.timeout {
        // Never longer than the engine allows: a lease depends on it.
        limits.timeout = limits.timeout.min(timeout);
    }
    let http = Http::new(title, &limits, concurrency, secrets)?;
    let Some(template) = &bounds.per_second else { return Ok(http) };
    let text = template.settle(setting).fill(&|_| String::new());
    match text.parse::<u32>() {
        Ok(most) if most > 0 => Ok(http.spaced(Duration::from_secs(1) / most)),
        _ => Err(RemoteError::new(
            Advice::Reconnect,
            title,
            format!("`{text}` is no number of calls a second"),
        )
        .with_help("fill in a whole number, such as 2")),
    }
}

/// The address without the slash that paths bring along.
fn base(title: &str, address: &str) -> Result<String, RemoteError> {
    let good = Url::parse(address)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host() && url.query().is_none());
    if good {
        return Ok(address.trim_end_matches('/').to_owned());
    }
    Err(RemoteError::new(Advice::Reconnect, title, format!("`{address}` is not the address of a system"))
        .with_help("an address starts with `https://` and names a server, as in `https://api.example.com`"))
}

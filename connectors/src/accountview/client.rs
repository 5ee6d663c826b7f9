//! Asking `AccountView.Net`: addresses, the company that is meant, answers taken apart.

use std::sync::Arc;

use bytes::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{ACCEPT, HeaderName};
use tokio::sync::OnceCell;

use super::settings::Settings;
use super::{MANIFEST, TITLE, faults, wire};
use crate::contract::{Advice, Host, RemoteError};
use crate::http::{Call, Http, Method, Protocol, Reply, Secrets, Url, Verdict};
use crate::record::{Map, Record, Value, read_json};
use crate::sign_in::SignIn;

/// Where rows are read and written.
pub(super) const DATA: &str = "accountviewdata";

/// Where the tables of the system itself are read.
pub(super) const SYSTEM_DATA: &str = "accountviewsystemdata";

/// What stays as it is in a query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A client for one user and one company.
pub(super) struct Client {
    http: Http,
    pub(super) settings: Settings,
    company: OnceCell<String>,
}

/// What stands behind the question mark.
#[derive(Clone, Debug, Default)]
pub(super) struct Question(String);

impl Question {
    /// The question with one more value.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        let bar = if self.0.is_empty() { "" } else { "&" };
        let value = utf8_percent_encode(value, PLAIN);
        self.0 = format!("{}{bar}{name}={value}", self.0);
        self
    }
}

impl Client {
    pub(super) fn new(settings: Settings, host: &Host) -> Result<Self, RemoteError> {
        let secrets = Secrets::of([settings.client_secret.as_str()]);
        let http = Http::new(TITLE, &host.limits, MANIFEST.concurrency, secrets)?;
        let oauth = Arc::new(settings.oauth(&host.limits)?);
        let sign_in = SignIn::new(TITLE, oauth, host.tokens.clone(), http.secrets().clone());
        let http = http.signed_in(sign_in);
        Ok(Self { http, settings, company: OnceCell::new() })
    }

    /// Reads within the company. Nothing found is an empty answer.
    pub(super) async fn read(&self, path: &str, question: &Question) -> Result<Value, RemoteError> {
        let company = self.company().await?;
        let call = Call::get(self.url(path, Some(question))?).header(company_header(), company);
        let reply = self.http.send(&call.header(ACCEPT, "application/json"), &Service).await?;
        if reply.status == 404 {
            return Ok(Map::new().into());
        }
        parsed(&reply, Advice::Retry(None))
    }

    /// Writes within the company; gives the rows of the answer by table.
    pub(super) async fn write(&self, method: Method, body: &Map) -> Result<Map, RemoteError> {
        let company = self.company().await?;
        let url = self.url(DATA, None)?;
        let call =
            Call::write(method, url, "application/json; charset=UTF-8", Value::from(body.clone()).to_json())
                .header(company_header(), company)
                .header(ACCEPT, "application/json");
        let reply = self.http.send(&call, &Service).await?;
        // It was done; what was done is told by looking.
        let Value::Map(answer) = parsed(&reply, Advice::Unknown)? else {
            return Err(unusable(Advice::Unknown, "the answer to a write is no record"));
        };
        Ok(answer)
    }

    /// The companies that the user may open.
    pub(super) async fn companies(&self) -> Result<Vec<Record>, RemoteError> {
        let call = Call::get(self.url("companies", None)?).header(ACCEPT, "application/json");
        let reply = self.http.send(&call, &Service).await?;
        if reply.status == 404 {
            return Ok(Vec::new());
        }
        let rows = match parsed(&reply, Advice::Retry(None))? {
            Value::List(rows) => rows,
            // One row may come as an object.
            one @ Value::Map(_) => vec![one],
            _ => return Err(unusable(Advice::StopFlow, "the list of companies is no list")),
        };
        let company = |row: &Map| {
            let mut record = Record::with_capacity(3);
            for (field, name) in [("id", "Id"), ("code", "Code"), ("description", "Description")] {
                let text = wire::cell(row, name).and_then(wire::text).map(|text| text.trim_end().to_owned());
                if let Some(text) = text.filter(|text| !text.is_empty()) {
                    record.set(field, text);
                }
            }
            record.text("id").is_some().then_some(record)
        };
        Ok(rows.iter().filter_map(Value::as_map).filter_map(company).collect())
    }

    /// The id of the company that the connection names.
    async fn company(&self) -> Result<&str, RemoteError> {
        let id = self.company.get_or_try_init(|| async {
            let known = self.companies().await?;
            let wanted = self.settings.company.as_str();
            let is = |company: &Record, field: &str| {
                company.text(field).is_some_and(|known| known.eq_ignore_ascii_case(wanted))
            };
            let found: Vec<&Record> = match wanted {
                "" => known.iter().collect(),
                _ => known.iter().filter(|company| is(company, "id") || is(company, "code")).collect(),
            };
            match found.as_slice() {
                [one] => Ok(one.text("id").unwrap_or_default().to_owned()),
                _ => Err(unclear(wanted, &known)),
            }
        });
        Ok(id.await?.as_str())
    }

    /// The company of the connection, for people.
    pub(super) async fn introduction(&self) -> Result<String, RemoteError> {
        let id = self.company().await?.to_owned();
        let known = self.companies().await?;
        let name = known.iter().find(|company| company.text("id") == Some(&id)).map(named);
        Ok(name.unwrap_or(id))
    }

    fn url(&self, path: &str, question: Option<&Question>) -> Result<Url, RemoteError> {
        let mut url = self
            .settings
            .address
            .join(&format!("api/v3/{path}"))
            .map_err(|error| unusable(Advice::StopFlow, &format!("the address is of no use: {error}")))?;
        url.set_query(question.map(|question| question.0.as_str()));
        Ok(url)
    }
}

const fn company_header() -> HeaderName {
    HeaderName::from_static("x-company")
}

fn named(company: &Record) -> String {
    let part = |field| company.text(field).unwrap_or_default();
    format!("{} ({})", part("code"), part("description"))
}

fn unclear(wanted: &str, known: &[Record]) -> RemoteError {
    let names = known.iter().take(20).map(named).collect::<Vec<_>>().join(", ");
    let reason = match (wanted, known.is_empty()) {
        (_, true) => "the user may open no company".to_owned(),
        ("", false) => "the user may open several companies, and the connection names none".to_owned(),
        (wanted, false) => format!("there is no company `{wanted}` that the user may open"),
    };
    let help = if known.is_empty() {
        "give the user a company in AccountView and in AccountView.Net".to_owned()
    } else {
        format!("set `company` of the connection to one of {names}")
    };
    RemoteError::new(Advice::StopFlow, TITLE, reason).with_help(help)
}

fn parsed(reply: &Reply, otherwise: Advice) -> Result<Value, RemoteError> {
    let body: &Bytes = &reply.body;
    let value = read_json(body).map_err(|error| {
        unusable(otherwise, &format!("the answer cannot be read: {error}: {}", reply.excerpt()))
    })?;
    match value.as_map().and_then(faults::in_answer) {
        Some(error) => Err(error),
        None => Ok(value),
    }
}

pub(super) fn unusable(advice: Advice, reason: &str) -> RemoteError {
    RemoteError::new(advice, TITLE, reason)
}

/// What `AccountView.Net` adds to plain HTTP.
struct Service;

impl Protocol for Service {
    fn prepare(&self, _request: &mut reqwest::Request) -> Result<(), RemoteError> {
        Ok(())
    }

    fn judge(&self, call: &Call, reply: &Reply) -> Verdict {
        faults::judge(call, reply)
    }
}

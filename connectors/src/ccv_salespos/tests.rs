//! The connector against its simulator, and the simulator against plain HTTP.

#![expect(clippy::needless_pass_by_value, reason = "bodies are written where they are used")]

mod abilities;
mod catalogue;
mod customers;
mod faults;
mod orders;
mod rules;
mod sales;

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use super::sign::{self, Signed};
use super::simulator::{CcvShop, Options};
use super::{CcvSalespos, MANIFEST};
use crate::contract::{Connector as _, FetchRequest, Limits, RemoteError, Session};
use crate::manifest::Answers;
use crate::record::{Record, Value, read_json};
use crate::simulator::{Faults, Running, Simulator as _, serve};

/// A running shop and a session with it.
struct Stage {
    shop: CcvShop,
    running: Running,
    session: Arc<dyn Session>,
    browser: reqwest::Client,
}

fn limits() -> Limits {
    Limits {
        timeout: Duration::from_secs(5),
        tries: 3,
        backoff: Duration::from_millis(1),
        longest_pause: Duration::from_secs(1),
        ..Limits::default()
    }
}

impl Stage {
    async fn empty() -> Self {
        Self::with(|_| ()).await
    }

    async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::default();
        change(&mut options);
        let shop = CcvShop::new(options);
        let running = serve(shop.router(), 0, Faults::default()).await.unwrap();
        let session = CcvSalespos.connect(&shop.answers(&running.url()), &limits().into()).unwrap();
        crate::http::choose_cryptography();
        Self { shop, running, session, browser: reqwest::Client::new() }
    }

    async fn filled() -> Self {
        let stage = Self::empty().await;
        stage.shop.fill();
        stage
    }

    /// A session of its own, with other answers.
    fn session_with(&self, changes: &[(&str, &str)]) -> Result<Arc<dyn Session>, RemoteError> {
        let answers = self.shop.answers(&self.running.url());
        let names: Vec<String> = answers.names().map(str::to_owned).collect();
        let kept =
            names.iter().filter_map(|name| Some((name.clone(), answers.get(&MANIFEST, name)?.to_owned())));
        let given = changes.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        CcvSalespos.connect(&kept.chain(given).collect::<Answers>(), &limits().into())
    }

    async fn all(&self, resource: &str, request: FetchRequest) -> Vec<Record> {
        let request = FetchRequest { resource: resource.to_owned(), ..request };
        let fetch = self.session.fetch(resource).unwrap();
        let (mut records, mut position) = (Vec::new(), None::<String>);
        for _ in 0..1000 {
            let page = fetch.page(&request, position.as_deref()).await.unwrap();
            records.extend(page.records);
            match page.next {
                Some(next) => position = Some(next),
                None => return records,
            }
        }
        panic!("{resource} has no end");
    }

    async fn find(&self, resource: &str, by: &[&str], key: &[&str]) -> Vec<Record> {
        let by: Vec<String> = by.iter().map(|field| (*field).to_owned()).collect();
        let key = key.iter().map(|value| Value::from(*value)).collect();
        self.session.find(resource).unwrap().find(resource, &by, &[key]).await.unwrap().remove(0)
    }

    async fn create(&self, resource: &str, body: Json) -> Result<Record, RemoteError> {
        let create = self.session.create(resource).unwrap();
        create.create(resource, &record(body), "key").await.map(|written| written.record)
    }

    async fn update(&self, resource: &str, key: &str, body: Json) -> Result<Record, RemoteError> {
        let update = self.session.update(resource).unwrap();
        update.update(resource, key, &record(body), None).await.map(|written| written.record)
    }

    /// A signed request without the connector.
    async fn raw(&self, method: &str, target: &str, body: Json) -> Raw {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let date = sign::date(jiff::Timestamp::now());
        let target = format!("/api/rest/v1/{target}");
        let signed =
            Signed { public: "pk_demo_0001", method, target: &target, body: body.as_bytes(), date: &date };
        let hash = signed.hash("sk_demo_secret");
        self.send(
            method,
            &target,
            body,
            &[("x-public", "pk_demo_0001"), ("x-date", &date), ("x-hash", &hash)],
        )
        .await
    }

    async fn get(&self, target: &str) -> Raw {
        self.raw("GET", target, Json::Null).await
    }

    async fn send(&self, method: &str, target: &str, body: String, headers: &[(&str, &str)]) -> Raw {
        let mut request = self
            .browser
            .request(method.parse::<Method>().unwrap(), format!("{}{target}", self.running.url()))
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let header =
            |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (status, date, hash) = (response.status().as_u16(), header("x-date"), header("x-hash"));
        let retry_after = header("retry-after");
        let text = response.text().await.unwrap();
        Raw { status, date, hash, retry_after, body: serde_json::from_str(&text).unwrap_or(Json::Null), text }
    }
}

/// What came back from a request without the connector.
#[derive(Debug)]
struct Raw {
    status: u16,
    date: Option<String>,
    hash: Option<String>,
    retry_after: Option<String>,
    body: Json,
    text: String,
}

impl Raw {
    fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }

    fn items(&self) -> &[Json] {
        self.body["items"].as_array().map(Vec::as_slice).unwrap_or_default()
    }
}

fn record(body: Json) -> Record {
    match read_json(&body.to_string().into()).unwrap() {
        Value::Map(map) => map,
        other => panic!("{other} is no record"),
    }
}

fn request(conditions: &[(&str, Value)], size: usize) -> FetchRequest {
    let conditions = conditions.iter().map(|(field, value)| ((*field).to_owned(), value.clone())).collect();
    FetchRequest { conditions, size, ..FetchRequest::default() }
}

fn shown(record: &Record, path: &str) -> String {
    match record.at(path) {
        Some(Value::Text(text)) => text.as_str().to_owned(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

fn euros(cents: i64) -> Decimal {
    Decimal::new(cents, 2)
}

/// What a new product needs at least, in the API's words.
fn product(package: i64) -> Json {
    json!({"name": "Mok", "price": 10, "discount": 0, "package_id": package, "taxtariff": "normal", "productnumber": "M-1"})
}

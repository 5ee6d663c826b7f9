//! A small system that keeps every promise, or breaks one on purpose.

mod hooks;
mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use connectors::contract::{
    Advice, Connector, Create, Detail, Fetch, FetchRequest, Find, Host, Key, Page, RemoteError, Session,
    Update, Written,
};
use connectors::http::{Call, Http, Method, Protocol, Reply, Secrets, Url, Verdict, judge_status};
use connectors::manifest::{Answers, Manifest};
use connectors::record::{Record, Value, read_json};
use connectors::webhook::Webhooks;

use crate::subject::Subject;

const MANIFEST: &str = include_str!("toy/manifest.toml");

/// One way to break a promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    NamesAFieldThatIsNone,
    OffersLess,
    OffersMore,
    AcceptsMissingAnswers,
    CallsAWrongKeyTemporary,
    GivesUpAtOnce,
    TakesWebPagesForPages,
    PanicsOnGarbage,
    TellsItsKey,
    LosesTheLastPage,
    RepeatsARecord,
    IgnoresTheSize,
    GivesNumbersForText,
    ForgetsPositions,
    SkipsWhatIsAtSince,
    IgnoresSince,
    IgnoresFilters,
    DropsFieldsInDetail,
    FindsOutOfOrder,
    FindsWhatBeginsSo,
    CreatesNothing,
    ForgetsIdempotencyKeys,
    RepeatsLostCreates,
    EmptiesOtherFields,
    StopsAtUnknownKeys,
    TellsNothing,
    BelievesEverybody,
}

/// The toy, whole or with one flaw.
pub(crate) fn subject(flaw: Option<Flaw>) -> Subject {
    let mut text = MANIFEST.to_owned();
    if flaw == Some(Flaw::NamesAFieldThatIsNone) {
        text = text.replace("filters = [\"status\"]", "filters = [\"state\"]");
    }
    let manifest = Manifest::from_toml(&text).unwrap();
    Subject::new(Arc::new(Toy { manifest, flaw }), || Some(Arc::new(server::Shop::default())))
}

struct Toy {
    manifest: Manifest,
    flaw: Option<Flaw>,
}

struct Talk {
    manifest: Manifest,
    http: Http,
    base: Url,
    key: String,
    flaw: Option<Flaw>,
    pages: AtomicUsize,
}

impl Connector for Toy {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn connect(&self, answers: &Answers, host: &Host) -> Result<Arc<dyn Session>, RemoteError> {
        let need = |name: &str| {
            let wrong = || RemoteError::new(Advice::StopFlow, "Toy", format!("`{name}` is not filled in"));
            let answer = answers.get(&self.manifest, name);
            if self.flaw == Some(Flaw::AcceptsMissingAnswers) {
                return Ok(answer.unwrap_or("http://127.0.0.1:1"));
            }
            answer.ok_or_else(wrong)
        };
        let key = need("key")?.to_owned();
        let base = Url::parse(need("address")?)
            .map_err(|error| RemoteError::new(Advice::StopFlow, "Toy", format!("`address`: {error}")))?;
        let mut limits = host.limits.clone();
        if self.flaw == Some(Flaw::GivesUpAtOnce) {
            limits.tries = 1;
        }
        let secrets =
            if self.flaw == Some(Flaw::TellsItsKey) { Secrets::none() } else { Secrets::of([key.as_str()]) };
        let http = Http::new("Toy", &limits, self.manifest.concurrency, secrets)?;
        let (manifest, flaw) = (self.manifest.clone(), self.flaw);
        Ok(Arc::new(Talk { manifest, http, base, key, flaw, pages: AtomicUsize::new(0) }))
    }
}

impl Protocol for Talk {
    fn prepare(&self, request: &mut reqwest::Request) -> Result<(), RemoteError> {
        let key = self.key.parse().map_err(|_| RemoteError::new(Advice::Reconnect, "Toy", "no such key"))?;
        request.headers_mut().insert("x-key", key);
        Ok(())
    }

    fn judge(&self, call: &Call, reply: &Reply) -> Verdict {
        match reply.status.as_u16() {
            401 if self.has(Flaw::CallsAWrongKeyTemporary) => {
                Verdict::Again { reason: "not now".to_owned(), after: None, untouched: true }
            }
            404 if call.method == Method::PATCH && !self.has(Flaw::StopsAtUnknownKeys) => {
                Verdict::Refuse(RemoteError::new(Advice::SkipRecord, "Toy", "there is no such record"))
            }
            _ => judge_status("Toy", reply),
        }
    }
}

impl Talk {
    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    fn url(&self, path: &[&str], query: &[(&str, String)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.clear().extend(path);
        }
        url.query_pairs_mut().extend_pairs(query);
        url
    }

    async fn ask(&self, call: &Call) -> Result<Value, RemoteError> {
        let reply = self.http.send(call, self).await?;
        match read_json(&reply.body) {
            Ok(value) => Ok(value),
            Err(_) if self.has(Flaw::TakesWebPagesForPages) => Ok(Value::List(vec![])),
            Err(error) if self.has(Flaw::PanicsOnGarbage) => panic!("the toy panics on purpose: {error}"),
            // A write was done all the same.
            Err(error) if call.method != Method::GET => Err(self.stop(Advice::Unknown, &error.to_string())),
            Err(error) => Err(self.stop(Advice::StopFlow, &format!("the answer is not JSON: {error}"))),
        }
    }

    async fn list(&self, resource: &str, query: &[(&str, String)]) -> Result<Vec<Record>, RemoteError> {
        let value = self.ask(&Call::get(self.url(&[resource], query))).await?;
        let items = value.as_list().ok_or_else(|| self.stop(Advice::StopFlow, "the answer is no list"))?;
        let record = |item: &Value| item.as_map().cloned();
        let records: Option<Vec<_>> = items.iter().map(record).collect();
        records.ok_or_else(|| self.stop(Advice::StopFlow, "the list holds something else than records"))
    }

    fn stop(&self, advice: Advice, reason: &str) -> RemoteError {
        RemoteError::new(advice, self.http.system(), reason)
    }

    fn written(&self, resource: &str, answer: &Value) -> Result<Written, RemoteError> {
        let record = answer.as_map().ok_or_else(|| self.stop(Advice::Unknown, "the answer is no record"))?;
        let field = self.manifest.resources.get(resource).map_or("id", |resource| resource.key.as_str());
        Ok(Written { key: record.text(field).unwrap_or_default().to_owned(), record: record.clone() })
    }
}

#[async_trait]
impl Session for Talk {
    async fn probe(&self) -> Result<String, RemoteError> {
        let answer = self.ask(&Call::get(self.url(&["hello"], &[]))).await?;
        let name = answer.as_map().and_then(|answer| answer.text("name"));
        name.map(str::to_owned).ok_or_else(|| self.stop(Advice::StopFlow, "this is not a toy shop"))
    }

    fn fetch(&self, resource: &str) -> Option<&dyn Fetch> {
        self.manifest.resources.get(resource)?.fetch.as_ref().map(|_| self as &dyn Fetch)
    }

    fn detail(&self, resource: &str) -> Option<&dyn Detail> {
        (resource == "orders").then_some(self as &dyn Detail)
    }

    fn find(&self, resource: &str) -> Option<&dyn Find> {
        if self.has(Flaw::OffersLess) {
            return None;
        }
        (!self.manifest.resources.get(resource)?.find.is_empty()).then_some(self as &dyn Find)
    }

    fn create(&self, resource: &str) -> Option<&dyn Create> {
        self.manifest.resources.get(resource)?.create.as_ref().map(|_| self as &dyn Create)
    }

    fn update(&self, resource: &str) -> Option<&dyn Update> {
        let offered = self.manifest.resources.get(resource)?.update.is_some();
        (offered || self.has(Flaw::OffersMore)).then_some(self as &dyn Update)
    }

    fn webhooks(&self) -> Option<&dyn Webhooks> {
        (!self.has(Flaw::TellsNothing)).then_some(self as &dyn Webhooks)
    }
}

#[async_trait]
impl Fetch for Talk {
    async fn page(&self, request: &FetchRequest, position: Option<&str>) -> Result<Page, RemoteError> {
        let start: usize = match position {
            _ if self.has(Flaw::ForgetsPositions) => self.pages.fetch_add(request.size, Ordering::Relaxed),
            Some(text) => {
                text.parse().map_err(|_| self.stop(Advice::StopFlow, "the position is not ours"))?
            }
            None => 0,
        };
        let size = if self.has(Flaw::IgnoresTheSize) { 11 } else { request.size };
        let mut query = vec![("start", start.to_string()), ("size", (size + 1).to_string())];
        if let Some((_, value)) = request.since.as_ref().filter(|_| !self.has(Flaw::IgnoresSince)) {
            let word = if self.has(Flaw::SkipsWhatIsAtSince) { "after" } else { "since" };
            query.push((word, value.as_str().unwrap_or_default().to_owned()));
        }
        for (field, value) in request.conditions.iter().filter(|_| !self.has(Flaw::IgnoresFilters)) {
            query.push((field.as_str(), value.as_str().unwrap_or_default().to_owned()));
        }
        let mut records = self.list(&request.resource, &query).await?;
        let mut next = (records.len() > size).then(|| (start + size).to_string());
        records.truncate(size);
        if self.has(Flaw::LosesTheLastPage) && records.len() < size + 1 && start > 14 {
            next = None;
        }
        if let (true, Some(record)) = (self.has(Flaw::RepeatsARecord), records.first().cloned()) {
            records.push(record);
        }
        if self.has(Flaw::GivesNumbersForText) {
            for record in &mut records {
                record.set("status", 7);
            }
        }
        if self.has(Flaw::ForgetsPositions) && next.is_none() {
            self.pages.store(0, Ordering::Relaxed);
        }
        Ok(Page { records, next })
    }
}

#[async_trait]
impl Detail for Talk {
    async fn complete(&self, resource: &str, record: Record) -> Result<Record, RemoteError> {
        let key = record.text("number").unwrap_or_default();
        let whole = self.ask(&Call::get(self.url(&[resource, key], &[]))).await?;
        let lines = whole.as_map().and_then(|whole| whole.get("lines")).cloned();
        let mut record = if self.has(Flaw::DropsFieldsInDetail) { Record::new() } else { record };
        record.set("lines", lines);
        Ok(record)
    }
}

#[async_trait]
impl Find for Talk {
    async fn find(
        &self,
        resource: &str,
        by: &[String],
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError> {
        let text = |key: &Key| key.first().and_then(Value::as_str).unwrap_or_default().to_owned();
        let field = by.first().map(String::as_str).unwrap_or_default();
        let mut found = Vec::new();
        if keys.is_empty() {
            return Ok(found);
        }
        let wanted: Vec<_> = keys.iter().map(text).collect();
        let begins = self.has(Flaw::FindsWhatBeginsSo);
        let word = if begins { "begins" } else { "any" };
        let all = self.list(resource, &[("field", field.to_owned()), (word, wanted.join(","))]).await?;
        for key in &wanted {
            let fits = |record: &&Record| begins || record.text(field) == Some(key);
            found.push(all.iter().filter(fits).cloned().collect());
        }
        if self.has(Flaw::FindsOutOfOrder) {
            found.reverse();
        }
        Ok(found)
    }
}

#[async_trait]
impl Create for Talk {
    async fn create(&self, resource: &str, record: &Record, key: &str) -> Result<Written, RemoteError> {
        if self.has(Flaw::CreatesNothing) {
            return Ok(Written { key: "17".to_owned(), record: record.clone() });
        }
        let body = Bytes::from(record.to_string());
        let call = Call::write(Method::POST, self.url(&[resource], &[]), "application/json", body);
        let idempotent = resource == "products";
        let call = if idempotent && !self.has(Flaw::ForgetsIdempotencyKeys) {
            call.header(reqwest::header::HeaderName::from_static("idempotency-key"), key).repeatable()
        } else if self.has(Flaw::RepeatsLostCreates) {
            call.repeatable()
        } else {
            call
        };
        self.written(resource, &self.ask(&call).await?)
    }
}

#[async_trait]
impl Update for Talk {
    async fn update(
        &self,
        resource: &str,
        key: &str,
        changes: &Record,
        _: Option<&Record>,
    ) -> Result<Written, RemoteError> {
        let mut changes = changes.clone();
        if self.has(Flaw::EmptiesOtherFields) {
            changes.set("stock", Value::Null);
        }
        let url = self.url(&[resource, key], &[]);
        let call = Call::write(Method::PATCH, url, "application/json", changes.to_string()).repeatable();
        self.written(resource, &self.ask(&call).await?)
    }
}

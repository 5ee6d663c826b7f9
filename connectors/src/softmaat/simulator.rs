//! A Softmaat that keeps the assumed contract, over books of its own.
//!
//! It enforces what the contract page says: keys, rights, the budget of calls, pages, required
//! fields, references between records, unique article numbers and references.

mod books;
mod rules;
mod samples;

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::manifest::Answers;
use crate::record::Record;
use crate::simulator::Simulator;
use books::{Books, List};

/// The key that may do everything.
const KEY: &str = "weft-demo-key-1";

/// A key that may only read.
pub const READ_ONLY_KEY: &str = "weft-reader-key-2";

/// A Softmaat in memory.
#[derive(Clone, Default)]
pub struct SoftmaatSimulator {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    books: Mutex<Books>,
    switches: Mutex<Switches>,
}

/// What a test has switched on.
#[derive(Default)]
struct Switches {
    /// Calls that the account may make in a second; none: as many as it likes.
    per_second: Option<usize>,
    starts: VecDeque<Instant>,
    blocked_until: Option<Instant>,
    /// Empty lists come without their `data`.
    leaves_out_data: bool,
}

/// A refusal: status, code, message, and the field that it is about.
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    details: Vec<(String, String)>,
    retry_after: Option<u64>,
}

type Asked = BTreeMap<String, String>;

impl SoftmaatSimulator {
    /// An empty account with the tax codes of three countries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on so many calls a second are allowed; whoever makes more is blocked for a
    /// second, and again for each call that comes meanwhile.
    pub fn allow_per_second(&self, calls: usize) {
        self.switches().per_second = Some(calls);
    }

    /// From now on an empty list is an answer without `data`.
    pub fn leave_out_empty_data(&self) {
        self.switches().leaves_out_data = true;
    }

    /// Puts a record into the books as somebody at Softmaat would; the reason when it breaks a
    /// rule.
    pub fn enter(&self, resource: &str, record: &Value) -> Result<String, String> {
        let list = List::named(resource).ok_or_else(|| format!("there is no list of {resource}"))?;
        let mut books = self.books();
        let created = books.create(list, record.clone()).map_err(|refusal| refusal.in_words())?;
        Ok(created
            .get("id")
            .or_else(|| created.get("sku"))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .into())
    }

    /// Changes a record as somebody at Softmaat would.
    pub fn edit(&self, resource: &str, id: &str, changes: &Value) -> Result<(), String> {
        let list = List::named(resource).ok_or_else(|| format!("there is no list of {resource}"))?;
        self.books().update(list, id, changes.clone()).map(drop).map_err(|refusal| refusal.in_words())
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.inner.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn switches(&self) -> MutexGuard<'_, Switches> {
        self.inner.switches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call against the budget.
    fn pace(&self) -> Result<(), Refusal> {
        let mut switches = self.switches();
        let Some(most) = switches.per_second else { return Ok(()) };
        let now = Instant::now();
        let second = Duration::from_secs(1);
        while switches.starts.front().is_some_and(|start| *start + second <= now) {
            switches.starts.pop_front();
        }
        let blocked = switches.blocked_until.is_some_and(|until| until > now);
        if blocked || switches.starts.len() >= most {
            switches.blocked_until = Some(now + second);
            let refusal = Refusal::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", "too many requests");
            return Err(Refusal { retry_after: Some(1), ..refusal });
        }
        switches.starts.push_back(now);
        Ok(())
    }

    fn answer(
        &self,
        method: &Method,
        path: &str,
        asked: &Asked,
        key: Option<&str>,
        body: &Bytes,
    ) -> Result<(StatusCode, Value), Refusal> {
        match key {
            Some(KEY) => {}
            Some(READ_ONLY_KEY) if method == Method::GET => {}
            Some(READ_ONLY_KEY) => {
                return Err(Refusal::new(StatusCode::FORBIDDEN, "forbidden", "this key may only read"));
            }
            _ => {
                return Err(Refusal::new(
                    StatusCode::UNAUTHORIZED,
                    "unauthorized",
                    "the API key is not known",
                ));
            }
        }
        self.pace()?;
        let rest = path.strip_prefix("/api/v1/").ok_or_else(Refusal::nowhere)?;
        let (name, id) = rest.split_once('/').map_or((rest, None), |(name, id)| (name, Some(id)));
        if name == "ping" && method == Method::GET {
            return Ok((StatusCode::OK, json!({"account": "Demo"})));
        }
        let list = List::at(name).ok_or_else(Refusal::nowhere)?;
        let mut books = self.books();
        if method == Method::GET {
            return match id {
                None => self.list(&books, list, asked).map(|body| (StatusCode::OK, body)),
                Some(id) if list.has_addresses() => books
                    .get(list, &decoded(id))
                    .cloned()
                    .map(|found| (StatusCode::OK, found))
                    .ok_or_else(Refusal::gone),
                Some(_) => Err(Refusal::nowhere()),
            };
        }
        let record = serde_json::from_slice(body)
            .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "bad_request", "the body is not JSON"))?;
        match id {
            None if *method == Method::POST && list.can_be_created() => {
                books.create(list, record).map(|created| (StatusCode::CREATED, created))
            }
            Some(id) if *method == list.update_method() => {
                books.update(list, &decoded(id), record).map(|updated| (StatusCode::OK, updated))
            }
            _ => {
                Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this cannot be done"))
            }
        }
    }

    fn list(&self, books: &Books, list: List, asked: &Asked) -> Result<Value, Refusal> {
        let found = books.search(list, asked)?;
        if list == List::TaxCodes {
            return Ok(Value::Array(found));
        }
        let number = |name: &str, otherwise: usize| -> Result<usize, Refusal> {
            match asked.get(name).map(|text| text.parse::<usize>()) {
                None => Ok(otherwise),
                Some(Ok(number)) if number > 0 => Ok(number),
                Some(_) => Err(Refusal::parameter(name, "has to be a whole number above zero")),
            }
        };
        let (page, size) = (number("page", 1)?, number("per_page", 25)?);
        if size > 100 {
            return Err(Refusal::parameter("per_page", "may be 100 at most"));
        }
        let total = found.len();
        let data: Vec<Value> = found.into_iter().skip((page - 1).saturating_mul(size)).take(size).collect();
        let meta = json!({"page": page, "per_page": size, "total": total});
        if data.is_empty() && self.switches().leaves_out_data {
            return Ok(json!({"meta": meta}));
        }
        Ok(json!({"data": data, "meta": meta}))
    }
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), details: Vec::new(), retry_after: None }
    }

    fn nowhere() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address")
    }

    fn gone() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is no such record")
    }

    fn parameter(name: &str, reason: &str) -> Self {
        Self {
            details: vec![(name.to_owned(), reason.to_owned())],
            ..Self::new(StatusCode::BAD_REQUEST, "bad_request", "the request is not valid")
        }
    }

    fn invalid(details: Vec<(String, String)>) -> Self {
        Self {
            details,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "validation_failed", "the record is not valid")
        }
    }

    fn in_words(&self) -> String {
        let details = self.details.iter().map(|(field, reason)| format!("{field} {reason}"));
        [self.message.clone()].into_iter().chain(details).collect::<Vec<_>>().join("; ")
    }

    fn response(self) -> Response {
        let details: Vec<_> =
            self.details.iter().map(|(field, message)| json!({"field": field, "message": message})).collect();
        let mut error = json!({"code": self.code, "message": self.message});
        if let (false, Some(error)) = (details.is_empty(), error.as_object_mut()) {
            error.insert("details".to_owned(), Value::Array(details));
        }
        let mut response = (self.status, axum::Json(json!({"error": error}))).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// A part of an address as text.
fn decoded(part: &str) -> String {
    percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned()
}

async fn serve(
    State(simulator): State<SoftmaatSimulator>,
    Query(asked): Query<Asked>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let key = headers.get("x-api-key").and_then(|key| key.to_str().ok());
    match simulator.answer(&method, uri.path(), &asked, key, &body) {
        Ok((status, body)) => (status, axum::Json(body)).into_response(),
        Err(refusal) => refusal.response(),
    }
}

impl Simulator for SoftmaatSimulator {
    fn router(&self) -> Router {
        Router::new().fallback(serve).with_state(self.clone())
    }

    fn answers(&self, address: &str) -> Answers {
        // As quick as a test wants it; an account of its own allows two calls a second.
        [("address", address), ("api_key", KEY), ("calls_per_second", "5000")]
            .into_iter()
            .map(|(name, answer)| (name.to_owned(), answer.to_owned()))
            .collect()
    }

    fn fill(&self) {
        samples::fill(&mut self.books());
    }

    fn sample(&self, resource: &str, number: usize) -> Option<Record> {
        samples::sample(resource, number)
    }

    fn change(&self, resource: &str, number: usize) -> Option<Record> {
        samples::change(resource, number)
    }

    fn books(&self) -> Value {
        self.books().to_json()
    }
}

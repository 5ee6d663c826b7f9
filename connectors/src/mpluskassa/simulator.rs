//! A till that answers like the real one, over books of its own.
//!
//! It refuses what the contract says the service refuses, writes its elements under changing
//! prefixes and in shuffled order so that a careless reader is found out, and lets a test or
//! the demo act as the people at the till do (see `counter.rs`).

mod books;
mod catalog;
mod counter;
mod documents;
mod groups;
mod orders;
mod payments;
mod relations;
mod sample;
mod specimens;
mod stock;
mod totals;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::codec::Codec;
use super::operations::{ALL, Operation};
use super::soap::{self, Body, Fault};
use super::xml::{Element, Space};
use crate::manifest::Answers;
use crate::record::Record;
use crate::simulator::Simulator;
use books::Books;
pub use specimens::{Specimen, operations, outlines, specimens};

/// The credentials that it takes.
const IDENT: &str = "weft-demo";
const SECRET: &str = "p@ss/word&1";

/// A MplusKASSA service in memory.
#[derive(Clone, Default)]
pub struct TillSimulator {
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
    /// Requests that fail with a fault of the server, from now on.
    faults: usize,
    /// Operations that this till is too old for.
    forgotten: HashSet<String>,
    /// Requests and replies, while somebody records.
    recorded: Option<Vec<Recorded>>,
    answered: usize,
}

/// One request and its reply, as they went over the wire.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Name of the operation.
    pub operation: String,
    /// Envelope that came.
    pub request: String,
    /// Envelope that went.
    pub reply: String,
}

impl TillSimulator {
    /// A till without articles or customers, with one branch, the Dutch VAT codes, a few
    /// payment and delivery methods and the super user.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next requests fail with a `Server` fault before anything is done.
    pub fn fail_next(&self, requests: usize) {
        self.switches().faults = requests;
    }

    /// From now on the till does not know that operation, as an older one.
    pub fn forget_operation(&self, name: &str) {
        self.switches().forgotten.insert(name.to_owned());
    }

    /// Keeps every request and reply from now on.
    pub fn record(&self) {
        self.switches().recorded = Some(Vec::new());
    }

    /// What was kept since [`TillSimulator::record`].
    #[must_use]
    pub fn recorded(&self) -> Vec<Recorded> {
        self.switches().recorded.clone().unwrap_or_default()
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.inner.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn switches(&self) -> MutexGuard<'_, Switches> {
        self.inner.switches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers an envelope.
    fn answer(&self, page: &Bytes, codec: &Codec) -> Result<(String, String), (String, Fault)> {
        let refuse = |name: &str, text: String| (name.to_owned(), Fault { code: "Client".into(), text });
        let element = match soap::open(page) {
            Ok(Body::Element(element)) => element,
            Ok(Body::Fault(_)) => return Err(refuse("", "a request cannot be a fault".into())),
            Err(malformed) => return Err(refuse("", format!("the request is no SOAP: {malformed}"))),
        };
        let name = element.name.as_str().to_owned();
        if element.space != Space::Ours {
            return Err(refuse(&name, format!("Method '{name}' not implemented: namespace not recognized")));
        }
        let known = ALL.iter().find(|operation| operation.name == name);
        let known = known.filter(|operation| !self.switches().forgotten.contains(operation.name));
        let Some(operation) = known else {
            let text = format!("Method '{name}' not implemented: method name or namespace not recognized");
            return Err(refuse(&name, text));
        };
        let request = asked(operation, &element, codec).map_err(|reason| refuse(&name, reason))?;
        let reply = self.books().handle(operation.name, &request).map_err(|reason| refuse(&name, reason))?;
        let reply = codec.encode(operation.answer, operation.reply, &reply);
        let reply = reply.map_err(|misfit| {
            (name.clone(), Fault { code: "Server".into(), text: format!("the simulator errs: {misfit}") })
        })?;
        let prefix = {
            let mut switches = self.switches();
            switches.answered += 1;
            match switches.answered % 5 {
                3 => "q1",
                4 => "",
                _ => "ns",
            }
        };
        Ok((name, soap::envelope(&reply, prefix)))
    }
}

/// What a request says, read strictly.
fn asked(operation: &Operation, element: &Element, codec: &Codec) -> Result<Record, String> {
    let inside = match operation.wrapper {
        None => element,
        Some(wrapper) => {
            let strange = element.children.iter().find(|child| child.name.as_str() != wrapper);
            if let Some(strange) = strange {
                return Err(format!("{}: is not expected here, `{wrapper}` is", strange.name));
            }
            element.child(wrapper).ok_or_else(|| format!("{wrapper}: is missing"))?
        }
    };
    codec.decode(operation.request, inside).map_err(|misfit| misfit.to_string())
}

fn codec() -> Codec {
    let zone = TimeZone::get("Europe/Amsterdam").unwrap_or(TimeZone::UTC);
    Codec { zone, divisor: Decimal::ONE_HUNDRED, strict: true }
}

async fn serve(
    State(till): State<TillSimulator>,
    Query(query): Query<HashMap<String, String>>,
    method: Method,
    page: Bytes,
) -> Response {
    if method != Method::POST {
        return if query.contains_key("wsdl") || query.contains_key("docs") {
            (StatusCode::OK, "a description of the service would be here").into_response()
        } else {
            (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed").into_response()
        };
    }
    let is = |name: &str, wanted: &str| query.get(name).is_some_and(|given| given == wanted);
    let answer = if is("ident", IDENT) && is("secret", SECRET) {
        let fails = {
            let mut switches = till.switches();
            let fails = switches.faults > 0;
            switches.faults = switches.faults.saturating_sub(1);
            fails
        };
        if fails {
            Err((String::new(), Fault { code: "Server".into(), text: "internal error".into() }))
        } else {
            till.answer(&page, &codec())
        }
    } else {
        let text = "Invalid ident or secret".into();
        Err((String::new(), Fault { code: "Client.Authentication".into(), text }))
    };
    let (status, operation, body) = match answer {
        Ok((operation, body)) => (StatusCode::OK, operation, body),
        Err((operation, fault)) => {
            (StatusCode::INTERNAL_SERVER_ERROR, operation, soap::fault_envelope(&fault))
        }
    };
    if let Some(recorded) = &mut till.switches().recorded {
        let request = String::from_utf8_lossy(&page).into_owned();
        recorded.push(Recorded { operation, request, reply: body.clone() });
    }
    (status, [(header::CONTENT_TYPE, "text/xml; charset=utf-8")], body).into_response()
}

impl Simulator for TillSimulator {
    fn router(&self) -> Router {
        Router::new()
            .fallback(serve)
            .layer(axum::extract::DefaultBodyLimit::max(64 << 20))
            .with_state(self.clone())
    }

    fn answers(&self, address: &str) -> Answers {
        [("address", address), ("ident", IDENT), ("secret", SECRET)]
            .into_iter()
            .map(|(name, answer)| (name.to_owned(), answer.to_owned()))
            .collect()
    }

    fn fill(&self) {
        sample::fill(self);
    }

    fn sample(&self, resource: &str, number: usize) -> Option<Record> {
        sample::record_of(self, resource, number)
    }

    fn change(&self, resource: &str, number: usize) -> Option<Record> {
        sample::change(resource, number)
    }

    fn books(&self) -> serde_json::Value {
        TillSimulator::books(self).to_json()
    }
}

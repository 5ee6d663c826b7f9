//! Calls: addresses, headers, and what the service's answers mean.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{HeaderName, HeaderValue};

use super::TITLE;
use super::codec::{Codec, Misfit};
use super::operations::Operation;
use super::settings::Settings;
use super::soap::{self, Body, Fault};
use super::xml::Element;
use crate::contract::{Advice, Limits, RemoteError};
use crate::http::{Call, Http, Method, Protocol, Reply, Verdict, judge_status};
use crate::record::Record;

/// Beyond this many bytes an answer is no fault.
const LONGEST_FAULT: usize = 4 << 10;

/// A conversation with one till, cheap to clone.
#[derive(Clone)]
pub(super) struct Client {
    http: Http,
    pub(super) settings: Arc<Settings>,
    pub(super) codec: Codec,
}

/// Why a call brought no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// The service does not know the operation: it is older than we hoped.
    UnknownOperation(RemoteError),
    /// Anything else.
    Remote(RemoteError),
}

impl From<Failure> for RemoteError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::UnknownOperation(error) | Failure::Remote(error) => error,
        }
    }
}

impl Client {
    pub(super) fn new(settings: Settings, limits: &Limits, concurrency: usize) -> Result<Self, RemoteError> {
        let http = Http::new(TITLE, limits, concurrency, settings.secrets.clone())?;
        let codec = Codec { zone: settings.zone.clone(), divisor: settings.vat_divisor, strict: false };
        Ok(Self { http, settings: Arc::new(settings), codec })
    }

    /// Asks one operation. Reads are repeated where that may help, writes are not.
    pub(super) async fn call(&self, operation: &Operation, request: &Record) -> Result<Record, RemoteError> {
        Ok(self.try_call(operation, request, operation.read).await?)
    }

    /// The same for a call that the service itself protects against doing it twice.
    pub(super) async fn protected(&self, operation: &Operation, request: &Record) -> Result<Record, Failure> {
        self.try_call(operation, request, true).await
    }

    /// The same, for one of which the reply is wanted as it came, too.
    pub(super) async fn raw(&self, operation: &Operation, request: Element) -> Result<Element, RemoteError> {
        Ok(self.exchange(operation, request, operation.read).await?)
    }

    async fn try_call(
        &self,
        operation: &Operation,
        request: &Record,
        repeatable: bool,
    ) -> Result<Record, Failure> {
        let element = self.element(operation, request).map_err(Failure::Remote)?;
        let reply = self.exchange(operation, element, repeatable).await?;
        self.codec
            .decode(operation.reply, &reply)
            .map_err(|misfit| Failure::Remote(unusable(operation, &misfit)))
    }

    /// The element of a request.
    pub(super) fn element(&self, operation: &Operation, request: &Record) -> Result<Element, RemoteError> {
        let inside = self.codec.children(operation.request, request).map_err(|misfit| refused(&misfit))?;
        let inside = match operation.wrapper {
            Some(wrapper) => vec![Element::branch(wrapper, inside)],
            None => inside,
        };
        Ok(Element::branch(operation.name, inside))
    }

    async fn exchange(
        &self,
        operation: &Operation,
        request: Element,
        repeatable: bool,
    ) -> Result<Element, Failure> {
        let body = soap::envelope(&request, "ns1");
        let mut call = Call::write(Method::POST, self.settings.url.clone(), "text/xml; charset=utf-8", body);
        // The name of an operation is a valid header.
        call = call.header(HeaderName::from_static("soapaction"), operation.name);
        call.repeatable = repeatable;
        let reply = self.http.send(&call, &Soap).await.map_err(Failure::Remote)?;
        let lost = if repeatable { Advice::Retry(None) } else { Advice::Unknown };
        match soap::open(&reply.body) {
            Ok(Body::Element(element)) if element.name.as_str() == operation.answer => Ok(element),
            Ok(Body::Element(element)) => Err(Failure::Remote(RemoteError::new(
                Advice::StopFlow,
                TITLE,
                format!("`{}` was answered with `{}`", operation.name, element.name),
            ))),
            Ok(Body::Fault(fault)) => Err(failure(operation, &fault)),
            Err(malformed) => {
                let reason = format!("the answer to `{}` cannot be read: {malformed}", operation.name);
                Err(Failure::Remote(RemoteError::new(lost, TITLE, reason)))
            }
        }
    }
}

/// What a fault of the `Client` kind means; the others were judged before.
fn failure(operation: &Operation, fault: &Fault) -> Failure {
    let text = fault.text.to_ascii_lowercase();
    let unknown =
        ["not implemented", "not recognized", "unknown operation", "unknown method", "no such operation"]
            .iter()
            .any(|words| text.contains(words));
    if unknown {
        let reason = format!("this till does not know `{}`", operation.name);
        return Failure::UnknownOperation(
            RemoteError::new(Advice::StopFlow, TITLE, reason)
                .with_help("ask MplusKASSA for an update of the till"),
        );
    }
    let advice = if operation.read { Advice::StopFlow } else { Advice::SkipRecord };
    Failure::Remote(RemoteError::new(
        advice,
        TITLE,
        format!("`{}` was refused: {}", operation.name, fault.text),
    ))
}

/// A record that cannot be sent as it is. The element around it in the request is none of
/// the reader's business.
pub(super) fn refused(misfit: &Misfit) -> RemoteError {
    let told = misfit.to_string();
    let outer = ["product, ", "relation, ", "order, ", "invoice, "];
    let told = outer.iter().find_map(|outer| told.strip_prefix(outer)).unwrap_or(&told);
    let error = RemoteError::new(Advice::SkipRecord, TITLE, told);
    if misfit.reason.contains("digits only") {
        error.with_help(
            "numbers of articles, products and relations are digits in MplusKASSA; \
             keep other codes in ext_article_id, plu_number or ext_relation_id",
        )
    } else {
        error
    }
}

fn unusable(operation: &Operation, misfit: &Misfit) -> RemoteError {
    let reason = format!("the answer to `{}` is unusable: {misfit}", operation.name);
    RemoteError::new(Advice::StopFlow, TITLE, reason)
}

/// A write that the service answered with a result other than OK.
pub(super) fn declined(reason: impl Into<String>) -> RemoteError {
    RemoteError::new(Advice::SkipRecord, TITLE, reason)
}

/// The message of an answer, after a colon, when there is one.
pub(super) fn message(reply: &Record) -> String {
    let text = reply.text("error_message").or_else(|| reply.text("message"));
    text.map(|text| format!(": {text}")).unwrap_or_default()
}

/// SOAP over HTTP as this service does it.
struct Soap;

impl Protocol for Soap {
    fn prepare(&self, request: &mut reqwest::Request) -> Result<(), RemoteError> {
        // Only for the vendor's own logs; a fresh one for each try.
        let id = format!("weft_{}", uuid::Uuid::new_v4().simple());
        if let Ok(id) = HeaderValue::from_str(&id) {
            request.headers_mut().insert(HeaderName::from_static("x-request-id"), id);
        }
        Ok(())
    }

    fn judge(&self, _call: &Call, reply: &Reply) -> Verdict {
        let status = reply.status.as_u16();
        if reply.status.is_success() {
            return judge_body(&reply.body, reply);
        }
        match soap::open(&reply.body) {
            Ok(Body::Fault(fault)) => judge_fault(&fault),
            _ if matches!(status, 401 | 403) => {
                Verdict::Refuse(rejected("the till refused ident and secret"))
            }
            _ if matches!(status, 404 | 405) => {
                let reason = format!("there is no MplusKASSA service at this address (status {status})");
                Verdict::Refuse(
                    RemoteError::new(Advice::StopFlow, TITLE, reason)
                        .with_help("check host and port of the connection"),
                )
            }
            _ => judge_status(TITLE, reply),
        }
    }
}

fn judge_body(body: &Bytes, reply: &Reply) -> Verdict {
    if soap::looks_whole(body) {
        // Faults come with status 500; one with 200 is judged all the same.
        return match (body.len() < LONGEST_FAULT).then(|| soap::open(body)) {
            Some(Ok(Body::Fault(fault))) => judge_fault(&fault),
            _ => Verdict::Accept,
        };
    }
    let page =
        String::from_utf8_lossy(body.get(..body.len().min(300)).unwrap_or_default()).to_ascii_lowercase();
    let reason = if page.contains("<html") || page.contains("<!doctype html") {
        format!("answered with a web page instead of data: {}", reply.excerpt())
    } else {
        "the answer was cut off".to_owned()
    };
    Verdict::Again { reason, after: None, untouched: false }
}

fn judge_fault(fault: &Fault) -> Verdict {
    if fault.is_authentication() {
        return Verdict::Refuse(rejected(&fault.text));
    }
    match fault.side() {
        "Client" => Verdict::Accept,
        _ => Verdict::Again {
            reason: format!("the till reports a fault of its own: {}", fault.text),
            after: None,
            untouched: false,
        },
    }
}

fn rejected(reason: &str) -> RemoteError {
    RemoteError::new(Advice::Reconnect, TITLE, reason)
        .with_help("enter ident and secret again; MplusKASSA gives them out, with the port")
}

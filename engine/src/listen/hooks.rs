//! Taking webhooks: known address, right signature, on disk, then the answer, then the run.
//!
//! Whoever knocks without knowing the address learns nothing, and whoever signs wrongly is not
//! told why. What cannot be kept now is refused with a status that makes systems try again.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use connectors::webhook::{Delivery, Incoming, Refused};

use super::{Desk, address};
use crate::serve::{Cause, Roster};
use crate::store::{Addressee, Arrival};

/// Largest body that is read. Deliveries are news and a few kilobytes long.
const LARGEST: usize = 1 << 20;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// Deliveries that are judged and kept at the same time; more are told to come again.
pub(super) const AT_ONCE: usize = 64;

/// When a system that was sent away should come again, in seconds.
const AGAIN: HeaderValue = HeaderValue::from_static("30");

/// What became of a delivery: the word for metrics, and the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is on disk, and flows are on their way.
    Kept,
    /// It was kept before.
    KnownAlready,
    /// No flow that is on wants to know.
    Unwanted,
    /// There is no such address.
    Unknown,
    /// It does not come from the system.
    Forged,
    /// It says nothing that can be understood.
    Unreadable,
    /// It is too large.
    TooLarge,
    /// It did not arrive whole.
    CutOff,
    /// Not now: the store cannot take it, the system cannot be asked, or too many come at once.
    Later,
}

impl Taken {
    pub(super) const ALL: [Self; 9] = [
        Self::Kept,
        Self::KnownAlready,
        Self::Unwanted,
        Self::Unknown,
        Self::Forged,
        Self::Unreadable,
        Self::TooLarge,
        Self::CutOff,
        Self::Later,
    ];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::KnownAlready => "known",
            Self::Unwanted => "unwanted",
            Self::Unknown => "unknown_address",
            Self::Forged => "forged",
            Self::Unreadable => "unreadable",
            Self::TooLarge => "too_large",
            Self::CutOff => "cut_off",
            Self::Later => "later",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Kept | Self::KnownAlready | Self::Unwanted => StatusCode::OK,
            Self::Unknown => StatusCode::NOT_FOUND,
            Self::Forged => StatusCode::FORBIDDEN,
            Self::Unreadable => StatusCode::BAD_REQUEST,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::CutOff => StatusCode::REQUEST_TIMEOUT,
            Self::Later => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// `POST /hooks/CONNECTION/SECRET`
pub(super) async fn plain(
    State(desk): State<Desk>,
    Path((connection, secret)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    desk.answer(&Door { connection, secret, rest: String::new() }, &headers, body).await
}

/// `POST /hooks/CONNECTION/SECRET/EVENT`
pub(super) async fn below(
    State(desk): State<Desk>,
    Path((connection, secret, rest)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    desk.answer(&Door { connection, secret, rest: format!("/{rest}") }, &headers, body).await
}

/// Where somebody knocks.
struct Door {
    connection: String,
    secret: String,
    rest: String,
}

impl Desk {
    async fn answer(&self, door: &Door, headers: &HeaderMap, body: Body) -> Response {
        let taken = match self.slots.try_acquire() {
            Ok(_slot) => self.take(door, headers, body).await,
            Err(_) => Taken::Later,
        };
        // Only names of the project become a label.
        let known = taken != Taken::Unknown;
        self.metrics.delivery(if known { &door.connection } else { "" }, taken);
        let mut response = taken.status().into_response();
        if taken == Taken::Later {
            response.headers_mut().insert(header::RETRY_AFTER, AGAIN);
        }
        response
    }

    async fn take(&self, door: &Door, headers: &HeaderMap, body: Body) -> Taken {
        let connection = door.connection.as_str();
        let session = self.seam.sessions.borrow().get(connection);
        let public_url =
            self.seam.around.borrow().listen.as_ref().and_then(|listen| listen.public_url.clone());
        let Some((public_url, session)) = public_url.zip(session) else {
            return Taken::Unknown;
        };
        let Some(hooks) = session.webhooks() else { return Taken::Unknown };
        match self.store.hook(connection).await {
            Ok(Some(kept)) if address::is_right(&door.secret, &kept) => {}
            Ok(_) => return Taken::Unknown,
            Err(error) => {
                tracing::warn!(connection, %error, "a webhook was sent away: the store cannot be read");
                return Taken::Later;
            }
        }
        let body = match read(body).await {
            Ok(body) => body,
            Err(taken) => return taken,
        };
        let prefix = address::prefix(&public_url, connection);
        let address = format!("{prefix}/{}{}", door.secret, door.rest);
        match hooks.judge(&Incoming { address: &address, headers, body: &body }).await {
            Ok(delivery) => self.keep(connection, delivery).await,
            Err(Refused::Forged) => {
                tracing::warn!(connection, "a webhook was refused: its signature is not right");
                Taken::Forged
            }
            Err(Refused::Unreadable(reason)) => {
                tracing::warn!(connection, reason, "a webhook was refused");
                Taken::Unreadable
            }
            Err(Refused::Later(error)) => {
                tracing::warn!(connection, %error, "a webhook was sent away: the system cannot be asked for its key");
                Taken::Later
            }
        }
    }

    /// Keeps it, then wakes whom it concerns.
    async fn keep(&self, connection: &str, delivery: Delivery) -> Taken {
        let Delivery { event, record, id } = delivery;
        let arrival = Arrival { connection: connection.to_owned(), event, record, id };
        let roster = self.seam.roster.borrow().clone();
        let flows = addressees(&roster, connection, &arrival.event);
        if flows.is_empty() {
            tracing::debug!(connection, event = arrival.event, "no flow that is on wants to know");
            return Taken::Unwanted;
        }
        let new = match self.store.arrive(&arrival, &flows).await {
            Ok(new) => new,
            Err(error) => {
                tracing::warn!(connection, %error, "a webhook was sent away: the store cannot keep it");
                return Taken::Later;
            }
        };
        if new == 0 {
            return Taken::KnownAlready;
        }
        tracing::debug!(connection, event = arrival.event, flows = flows.len(), "a webhook was taken");
        for Addressee { flow, .. } in flows {
            let cause = Cause::Webhook { connection: connection.to_owned(), event: arrival.event.clone() };
            self.seam.waker.wake(flow, cause);
        }
        Taken::Kept
    }
}

/// Flows that are on and that the event starts.
fn addressees<'a>(roster: &'a Roster, connection: &'a str, event: &'a str) -> Vec<Addressee<'a>> {
    let started: Vec<&str> = roster.started_by(connection, event).collect();
    let flows = roster.flows.iter().filter(|flow| started.contains(&flow.name.as_str()));
    flows.map(|flow| Addressee { flow: &flow.name, knows_record: flow.source == connection }).collect()
}

async fn read(body: Body) -> Result<Bytes, Taken> {
    match tokio::time::timeout(PATIENCE, axum::body::to_bytes(body, LARGEST)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(error)) if is_too_large(&error) => Err(Taken::TooLarge),
        Ok(Err(_)) | Err(_) => Err(Taken::CutOff),
    }
}

fn is_too_large(error: &axum::Error) -> bool {
    std::error::Error::source(error)
        .is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>)
}

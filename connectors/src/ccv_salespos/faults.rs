//! What a refusal means. CCV answers many lasting refusals with status 500, so the code in
//! the body counts before the status.

use std::time::Duration;

use super::TITLE;
use crate::contract::{Advice, RemoteError};
use crate::http::{Call, Method, Reply, Verdict};
use crate::record::{Value, read_json};

/// How long a lane rests when a limit was met: three rests and a minute is over.
const REST: Duration = Duration::from_secs(20);

/// A clock that is further off than this is worth a hint.
const CLOCK: u64 = 120;

/// The members of an error body that are known.
#[derive(Debug, Default)]
struct Body {
    code: String,
    message: String,
    is_json: bool,
}

impl Body {
    fn of(reply: &Reply) -> Self {
        let Ok(Value::Map(map)) = read_json(&reply.body) else { return Self::default() };
        let code = match map.get("code") {
            Some(Value::Text(text)) => text.as_str().trim().to_owned(),
            // A code without quotes: 429.10 reads as a number.
            Some(number @ (Value::Int(_) | Value::Decimal(_))) => number.to_string(),
            _ => String::new(),
        };
        let message = map.text("developermessage").or_else(|| map.text("message")).unwrap_or_default();
        Self { code, message: message.chars().take(300).collect(), is_json: true }
    }
}

/// True when the reply says that the record or its parent is not there, and not that the
/// address or the kind of record is wrong.
pub(super) fn is_absence(reply: &Reply) -> bool {
    reply.status == 404 && {
        let body = Body::of(reply);
        body.is_json && body.code != "404.20"
    }
}

/// What a reply that is not a success means.
pub(super) fn judge(call: &Call, reply: &Reply) -> Verdict {
    let body = Body::of(reply);
    let status = reply.status.as_u16();
    let said = said(&body, reply);
    let refuse = |advice, help: &str| {
        let error = RemoteError::new(advice, TITLE, said.clone());
        Verdict::Refuse(if help.is_empty() { error } else { error.with_help(help) })
    };
    let again = |after, untouched| Verdict::Again { reason: said.clone(), after, untouched };
    match body.code.as_str() {
        "429.10" | "429.11" => return again(reply.retry_after().or(Some(REST)), true),
        "404.20" | "405.10" | "500.25" | "500.70" | "501.10" | "501.20" | "501.30" => {
            return refuse(Advice::StopFlow, "this shop does not offer that; see the guide of the connector");
        }
        // The shop failed over its own answer: a write may have been done.
        "500.10" | "500.20" => return again(None, false),
        "500.40" => return refuse(Advice::SkipRecord, "find the record that is there, and update it"),
        "500.50" if call.method != Method::POST => return Verdict::Accept,
        "500.60" => {
            return refuse(
                Advice::SkipRecord,
                "the subscription allows no more active products: switch some off or take a larger one",
            );
        }
        "500.90" => return refuse(Advice::StopFlow, "install the app in the shop's back office"),
        code if code.starts_with("500.") => return refuse(Advice::SkipRecord, ""),
        _ => {}
    }
    match status {
        401 => refuse(Advice::Reconnect, &sign_in_help(reply)),
        403 => refuse(
            Advice::StopFlow,
            &format!("give the API key the right to {} in the shop's back office", right(call)),
        ),
        404 if !body.is_json => refuse(Advice::StopFlow, "check the address of the shop"),
        300..=399 => Verdict::Refuse(
            RemoteError::new(
                Advice::StopFlow,
                TITLE,
                format!("the shop has moved to {}", reply.header("location").unwrap_or("another address")),
            )
            .with_help("put the new address into the connection, if you trust it"),
        ),
        405 | 501 => refuse(Advice::StopFlow, ""),
        429 => again(reply.retry_after().or(Some(REST)), true),
        503 => again(reply.retry_after(), true),
        408 | 425 | 500 | 502 | 504 => again(reply.retry_after(), false),
        _ => refuse(Advice::SkipRecord, ""),
    }
}

fn said(body: &Body, reply: &Reply) -> String {
    let status = reply.status.as_u16();
    let meaning = match body.code.as_str() {
        "404.20" => "does not know this kind of record",
        "405.10" | "500.70" | "501.10" => "does not allow this on this kind of record",
        "429.10" => "allows no more calls for this kind of record this minute",
        "429.11" => "allows no more calls this minute",
        "500.20" => "failed over its own answer",
        "500.21" => "finds the file too large",
        "500.22" => "does not take this kind of file",
        "500.23" => "could not keep the file",
        "500.24" => "cannot find the file",
        "500.25" => "lacks a schema for this kind of record",
        "500.40" => "already has a record with this value",
        "500.60" => "has reached the number of products of its subscription",
        "500.80" => "finds the record too large",
        "500.90" => "lacks an app that this needs",
        "501.20" => "has not built this kind of record",
        "501.30" => "lets this kind of record be read only",
        _ => match status {
            401 => "does not accept the key or the signature",
            403 => "denies this key the right to this",
            404 if !body.is_json => "has nothing at this address",
            404 => "does not have this record",
            429 => "allows no more calls for now",
            400 | 422 => "refuses the record",
            503 => "is down for a moment",
            500..=599 => "failed",
            _ => "refuses",
        },
    };
    let code = if body.code.is_empty() { status.to_string() } else { body.code.clone() };
    match (body.is_json, body.message.as_str(), reply.excerpt()) {
        (true, "", _) => format!("{meaning} ({code})"),
        (true, message, _) => format!("{meaning} ({code}): {message}"),
        (false, _, text) if text.is_empty() => format!("{meaning} (status {code})"),
        (false, _, text) => format!("{meaning} (status {code}): {text}"),
    }
}

/// Signatures carry the time, so a wrong clock looks like a wrong secret.
fn sign_in_help(reply: &Reply) -> String {
    let check = "check the public key and the secret in the connection, \
                 and that the key is still switched on in the shop's back office";
    let off = reply
        .header("date")
        .and_then(|text| jiff::fmt::rfc2822::parse(text).ok())
        .map(|theirs| theirs.timestamp().duration_since(jiff::Timestamp::now()).as_secs().unsigned_abs());
    match off {
        Some(seconds) if seconds > CLOCK => {
            format!("the clock of this computer is {} minutes off: set it; else {check}", seconds / 60)
        }
        _ => check.to_owned(),
    }
}

fn right(call: &Call) -> String {
    let verb = if call.method == Method::GET { "read" } else { "change" };
    format!("{verb} {}", super::client::resource_of(call.url.path()))
}

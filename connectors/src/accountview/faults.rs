//! What a refusal means. AccountView words its refusals in Dutch, may send them with status 200,
//! and numbers them nowhere; so the words decide, and what they do not tell is taken to be
//! about the record that was sent.

use super::TITLE;
use crate::contract::{Advice, RemoteError};
use crate::http::{Call, Method, Reply, Verdict};
use crate::record::{Map, Value, read_json};

/// Beyond this many bytes an answer is no error.
const LONGEST_ERROR: usize = 8 << 10;

/// The front door works, what it passes calls on to does not.
const FAR_END: &str = "answers, but the computer that AccountView runs on does not; see that it is switched on and that \
                       the AccountView.Net service runs";

/// What the far end said went wrong.
#[derive(Debug)]
struct Refusal {
    kind: String,
    message: String,
}

/// The error in an answer, whatever its status.
fn refusal(map: &Map) -> Option<Refusal> {
    let text = |name: &str| {
        let found = map.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| value.as_str()).map(str::trim).unwrap_or_default().to_owned()
    };
    let (kind, message) = (text("ErrorType"), text("ErrorMessage"));
    (!kind.is_empty() || !message.is_empty()).then_some(Refusal { kind, message })
}

/// True when a read found nothing, which some installations say with status 404.
pub(super) fn is_nothing(reply: &Reply) -> bool {
    reply.status == 404
        && match read_json(&reply.body) {
            Ok(Value::Map(map)) => map.is_empty() || refusal(&map).is_some(),
            Ok(Value::List(list)) => list.is_empty(),
            _ => reply.body.is_empty(),
        }
}

/// What a reply means.
pub(super) fn judge(call: &Call, reply: &Reply) -> Verdict {
    let status = reply.status.as_u16();
    let reads = call.method == Method::GET;
    if reads && is_nothing(reply) {
        return Verdict::Accept;
    }
    let parsed = if reply.body.len() < LONGEST_ERROR { read_json(&reply.body).ok() } else { None };
    let refusal = parsed.as_ref().and_then(Value::as_map).and_then(refusal);
    match (status, &refusal) {
        // The front door knows nobody of that name: whoever asks again asks in vain.
        (401, _) => Verdict::Refuse(
            error(Advice::Reconnect, "does not accept the sign-in", refusal.as_ref(), reply)
                .with_help("connect again: the sign-in was withdrawn or has run out"),
        ),
        (429 | 503, _) => Verdict::Again {
            reason: worded("has too much to do for now", refusal.as_ref(), reply),
            after: reply.retry_after(),
            untouched: true,
        },
        (_, Some(refusal)) if status < 500 || refusal.kind == "AccountViewError" => {
            said(call, refusal, reply)
        }
        (200..=299, _) if looks_like_json(reply) => Verdict::Accept,
        (200..=299 | 408 | 425 | 500..=599, _) => Verdict::Again {
            reason: worded(FAR_END, refusal.as_ref(), reply),
            after: reply.retry_after(),
            untouched: false,
        },
        (403, _) => Verdict::Refuse(denied("does not allow this", None, reply)),
        (404 | 405, _) => Verdict::Refuse(
            error(Advice::StopFlow, "has nothing at this address", None, reply)
                .with_help("check the address of the connection"),
        ),
        _ if reads => Verdict::Refuse(error(Advice::StopFlow, "refuses the question", None, reply)),
        _ => Verdict::Refuse(error(Advice::SkipRecord, "refuses the record", None, reply)),
    }
}

/// What an error in AccountView's own words means.
fn said(call: &Call, refusal: &Refusal, reply: &Reply) -> Verdict {
    let words = format!("{} {}", refusal.message, refusal.kind).to_lowercase();
    let has = |some: &[&str]| some.iter().any(|word| words.contains(word));
    let reads = call.method == Method::GET;
    let advice = if reads { Advice::StopFlow } else { Advice::SkipRecord };
    if has(&["in gebruik", "vergrendeld", "bezet", "locked", "in use"]) {
        let reason = worded("is busy with this record", Some(refusal), reply);
        return Verdict::Again { reason, after: reply.retry_after(), untouched: true };
    }
    if has(&[
        "niet bereikbaar",
        "unreachable",
        "not reachable",
        "geen verbinding",
        "time-out",
        "timeout",
        "timed out",
    ]) {
        let reason = worded(FAR_END, Some(refusal), reply);
        return Verdict::Again { reason, after: reply.retry_after(), untouched: false };
    }
    if has(&["x-company", "bedrijf onbekend", "unknown company"]) {
        return Verdict::Refuse(
            error(Advice::StopFlow, "does not know the company", Some(refusal), reply)
                .with_help("set `company` of the connection to a code or id that the user may open"),
        );
    }
    if reply.status == 403
        || has(&["geen recht", "niet bevoegd", "geen toegang", "denied", "permission", "scope"])
    {
        return Verdict::Refuse(denied("does not allow this", Some(refusal), reply));
    }
    if has(&["boekjaar", "boekdatum", "bookdate", "book year"]) {
        return Verdict::Refuse(
            error(advice, "does not take this day", Some(refusal), reply)
                .with_help("open the book year of that day in AccountView, or send a day within an open one"),
        );
    }
    if reads && has(&["kolom", "column", "veld", "field"]) {
        return Verdict::Refuse(error(Advice::StopFlow, "lacks a column", Some(refusal), reply).with_help(
            "columns that differ between installations are settings of the connection, such as ean_column; \
                 leave one empty where there is none",
        ));
    }
    if reads && has(&["business object", "businessobject"]) {
        return Verdict::Refuse(
            error(Advice::StopFlow, "does not offer this kind of record", Some(refusal), reply).with_help(
                "see business_objects for what this installation offers, and price_object in the connection",
            ),
        );
    }
    let meaning = if reads { "refuses the question" } else { "refuses the record" };
    Verdict::Refuse(error(advice, meaning, Some(refusal), reply))
}

/// An error that came with an answer already taken for good.
pub(super) fn in_answer(map: &Map) -> Option<RemoteError> {
    let refusal = refusal(map)?;
    Some(RemoteError::new(Advice::StopFlow, TITLE, format!("refuses: {}", refusal.words())))
}

fn denied(meaning: &str, refusal: Option<&Refusal>, reply: &Reply) -> RemoteError {
    error(Advice::StopFlow, meaning, refusal, reply).with_help(
        "give the user rights on these tables in AccountView, and connect again with the right to change data",
    )
}

fn error(advice: Advice, meaning: &str, refusal: Option<&Refusal>, reply: &Reply) -> RemoteError {
    RemoteError::new(advice, TITLE, worded(meaning, refusal, reply))
}

fn worded(meaning: &str, refusal: Option<&Refusal>, reply: &Reply) -> String {
    match (refusal, reply.excerpt()) {
        (Some(refusal), _) => format!("{meaning}: {}", refusal.words()),
        (None, text) if text.is_empty() => format!("{meaning} (status {})", reply.status.as_u16()),
        (None, text) => format!("{meaning} (status {}): {text}", reply.status.as_u16()),
    }
}

impl Refusal {
    fn words(&self) -> String {
        let text = if self.message.is_empty() { &self.kind } else { &self.message };
        text.chars().take(300).collect()
    }
}

fn looks_like_json(reply: &Reply) -> bool {
    let first = reply.body.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'['))
}

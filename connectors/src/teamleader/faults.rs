//! What a refusal means. Teamleader says that the form of its errors may change, so the status
//! decides and the titles are shown.

use std::time::Duration;

use jiff::Timestamp;

use super::TITLE;
use super::client::action_of;
use crate::contract::{Advice, RemoteError};
use crate::http::{Call, Reply, Verdict};
use crate::record::{Map, Value, read_json};

/// How long everything rests when a limit was met and the server does not say until when.
const REST: Duration = Duration::from_mins(1);

/// True when the reply says that a record is not there, and not that the address is wrong: what
/// never reached the application carries no version.
pub(super) fn is_absence(reply: &Reply) -> bool {
    reply.status == 404 && reply.header("x-api-version").is_some()
}

/// What a reply means.
pub(super) fn judge(call: &Call, reply: &Reply) -> Verdict {
    let errors = errors(reply);
    if reply.status.is_success() && errors.is_empty() {
        return Verdict::Accept;
    }
    // A success that holds errors counts as what they say.
    let status = match reply.status.as_u16() {
        200..=299 => errors.iter().find_map(|error| error.status).unwrap_or(400),
        status => status,
    };
    let said = said(status, &errors, reply);
    let refuse = |advice, help: &str| {
        let error = RemoteError::new(advice, TITLE, said.clone());
        Verdict::Refuse(if help.is_empty() { error } else { error.with_help(help) })
    };
    let again = |after, untouched| Verdict::Again { reason: said.clone(), after, untouched };
    let action = action_of(call.url.path());
    match status {
        401 => refuse(Advice::Reconnect, "sign in again: `weft connect NAME`, with the connection's name"),
        403 => {
            let area = action.split('.').next().unwrap_or_default();
            let help = format!(
                "give the integration the right to {} in the Teamleader Marketplace, and see that the user who signed in may do this; then sign in again",
                scope(area)
            );
            refuse(Advice::StopFlow, &help)
        }
        404 if !is_absence(reply) => {
            refuse(Advice::StopFlow, "check the address of the API in the connection")
        }
        429 => again(reply.retry_after().or_else(|| until_reset(reply)).or(Some(REST)), true),
        503 => again(reply.retry_after(), true),
        408 | 425 | 500 | 502 | 504 => again(reply.retry_after(), false),
        405 | 501 => refuse(Advice::StopFlow, ""),
        _ => refuse(Advice::SkipRecord, ""),
    }
}

/// Time until the oldest call that counts leaves the window, by the server's own clock where it
/// tells it.
pub(super) fn until_reset(reply: &Reply) -> Option<Duration> {
    let reset = moment(reply.header("x-ratelimit-reset")?)?;
    let date = reply.header("date").and_then(|text| jiff::fmt::rfc2822::parse(text).ok());
    let now = date.map_or_else(Timestamp::now, |date| date.timestamp());
    // Its `Date` has no fractions: a little later is late enough.
    let left = Duration::try_from(reset.duration_since(now)).unwrap_or_default();
    Some(left.min(REST + Duration::from_secs(5)))
}

/// `2026-03-02T10:51:23.035+0100`, with or without fractions, and with a colon in the zone.
fn moment(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let at = text.len().checked_sub(5)?;
        let (civil, zone) = text.split_at_checked(at)?;
        let (hours, minutes) = zone.split_at_checked(3)?;
        format!("{civil}{hours}:{minutes}").parse().ok()
    })
}

struct Fault {
    title: String,
    field: Option<String>,
    status: Option<u16>,
}

fn errors(reply: &Reply) -> Vec<Fault> {
    if !reply.body.trim_ascii_start().starts_with(b"{") {
        return Vec::new();
    }
    let Ok(Value::Map(map)) = read_json(&reply.body) else { return Vec::new() };
    let listed = map.get("errors").and_then(Value::as_list).unwrap_or_default();
    listed.iter().filter_map(Value::as_map).map(fault).collect()
}

fn fault(error: &Map) -> Fault {
    let title = error.text("title").unwrap_or("no reason is given");
    Fault {
        title: title.chars().take(300).collect(),
        field: error.at("meta.field").and_then(Value::as_str).map(str::to_owned),
        status: error.get("status").and_then(Value::as_int).and_then(|status| u16::try_from(status).ok()),
    }
}

fn said(status: u16, errors: &[Fault], reply: &Reply) -> String {
    let meaning = match status {
        400 | 422 => "refuses this",
        401 => "does not accept the sign-in",
        403 => "does not allow this",
        404 if is_absence(reply) => "does not have this record",
        404 => "has nothing at this address",
        429 => "allows no more calls this minute",
        503 => "is down for a moment",
        500..=599 => "failed",
        _ => "refuses",
    };
    let titles: Vec<String> = errors
        .iter()
        .map(|error| match &error.field {
            Some(field) if !error.title.contains(field.as_str()) => format!("{} ({field})", error.title),
            _ => error.title.clone(),
        })
        .collect();
    match (titles.is_empty(), reply.excerpt()) {
        (false, _) => format!("{meaning} (status {status}): {}", titles.join("; ")),
        (true, text) if text.is_empty() => format!("{meaning} (status {status})"),
        (true, text) => format!("{meaning} (status {status}): {text}"),
    }
}

/// What a right is called where integrations are built.
fn scope(area: &str) -> &str {
    match area {
        "quotations" => "deals",
        "creditNotes" => "invoices",
        "productCategories" | "unitsOfMeasure" | "priceLists" => "products",
        "taxRates" | "withholdingTaxRates" | "paymentTerms" | "paymentMethods" | "commercialDiscounts" => {
            "invoices"
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_in_several_forms() {
        let wanted: Timestamp = "2026-03-02T09:51:23Z".parse().unwrap_or_default();
        for text in ["2026-03-02T10:51:23+0100", "2026-03-02T10:51:23+01:00", "2026-03-02T09:51:23+00:00"] {
            assert_eq!(moment(text), Some(wanted), "{text}");
        }
        assert!(moment("2026-03-02T10:51:23.035+0100").is_some());
        assert_eq!(moment("1772445083"), None);
    }
}

//! What a refusal means. The number in the body says more than the status.

use std::time::Duration;

use super::TITLE;
use super::layout::{Layout, known};
use crate::contract::{Advice, RemoteError};
use crate::http::{Reply, Verdict};
use crate::record::{Map, Value, read_json};

/// How long to wait when the service does not say for how long.
const REST: Duration = Duration::from_mins(1);

/// A property that lists cannot be filtered by.
const BAD_QUERY: i64 = 6000;

/// Mark in front of an error about a query, so that the caller may go another way.
pub(super) const QUERY_REFUSED: &str = "does not take the query";

/// The members of an error body that are known.
#[derive(Debug, Default)]
struct Body {
    code: i64,
    message: String,
    /// What the vendor's support asks for.
    id: String,
    /// Members that are wrong, and why.
    errors: Vec<(String, String)>,
    is_json: bool,
}

impl Body {
    fn of(reply: &Reply) -> Self {
        let Ok(Value::Map(map)) = read_json(&reply.body) else { return Self::default() };
        // For a time the service wrote names with a small first letter.
        let get = |map: &Map, name: &str| {
            let small: String =
                name.char_indices().map(|(at, c)| if at == 0 { c.to_ascii_lowercase() } else { c }).collect();
            map.get(name).or_else(|| map.get(&small)).cloned()
        };
        let text = |map: &Map, name: &str| {
            get(map, name).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
        };
        let errors = get(&map, "Errors")
            .and_then(|errors| errors.as_list().map(<[Value]>::to_vec))
            .unwrap_or_default();
        Self {
            code: get(&map, "ErrorCode").and_then(|code| code.as_int()).unwrap_or(0),
            message: text(&map, "DeveloperErrorMessage").chars().take(300).collect(),
            id: text(&map, "ErrorId"),
            errors: errors
                .iter()
                .filter_map(Value::as_map)
                .map(|one| (text(one, "Field"), text(one, "Message")))
                .collect(),
            is_json: true,
        }
    }
}

/// True when the reply says that the record is not there, and not that the address is wrong.
pub(super) fn is_absence(reply: &Reply) -> bool {
    let body = Body::of(reply);
    body.is_json && (body.code == 3000 || (reply.status == 404 && body.code == 0))
}

/// What a reply that is not a success means. `path`: what was asked, below `/v2/`.
pub(super) fn judge(path: &str, reply: &Reply) -> Verdict {
    let body = Body::of(reply);
    let status = reply.status.as_u16();
    let layout = layout_of(path);
    let said = said(&body, status, reply, layout);
    let again = |after, untouched| Verdict::Again { reason: said.clone(), after, untouched };
    if status == 429 || body.code == 4010 {
        return again(reply.retry_after().or_else(|| wish(&body.message)).or(Some(REST)), true);
    }
    if status == 503 {
        return again(reply.retry_after(), true);
    }
    if status >= 500 || status == 408 || matches!(body.code, 5000 | 5001) {
        return again(None, false);
    }
    let (advice, help) = advice(&body, status, layout);
    let error = RemoteError::new(advice, TITLE, said);
    Verdict::Refuse(if help.is_empty() { error } else { error.with_help(help) })
}

/// What to do about a refusal, for the engine and for people.
fn advice(body: &Body, status: u16, layout: Option<&Layout>) -> (Advice, String) {
    let help = match body.code {
        2000 | BAD_QUERY | 6001 => return (Advice::SkipRecord, String::new()),
        3000 => "the record, or one that it names, is not there any more",
        3001 => "make the fiscal year in eAccounting, or give a date within one",
        4000 => match layout.map(|layout| layout.resource) {
            Some("articles") => "an article with this number is there already: replay the record",
            _ => "a record with this number is there already: replay the record",
        },
        4001 => "it has been used and cannot be deleted; switch it off instead",
        4008 | 4029 => "correct the registration number of the customer",
        4025 => "correct the VAT number of the customer, with its country code",
        4014 | 4015 | 4017 => "complete the customer: an electronic invoice needs references and an address",
        4023 => "give a date that is not in the future",
        4026 | 4038 => "the period is closed in eAccounting: open it, or give a later date",
        4028 => "the order has a backorder; settle that first",
        4031 => "the order has no line that can be invoiced",
        4035 => "VAT cannot be forced for a customer within the EU",
        5003 | 5004 => "the stock must be zero before stock keeping is switched",
        4002 | 4009 => {
            return stop(
                "this company's subscription or modules do not include that; see the guide of the system",
            );
        }
        4003 => return stop("finish the start-up guide in eAccounting"),
        4004 => return stop("the company is not active in eAccounting"),
        4006 => return stop("sign in again with more rights: see the setting `scope`"),
        4007 | 4011 | 4019 => return stop("the user who signed in may not do that; sign in as one who may"),
        4012 => return stop("accept the licence terms in eAccounting"),
        4024 => return stop("choose a revenue account for the article coding in eAccounting"),
        4005 => return reconnect(),
        _ => match status {
            401 => return reconnect(),
            403 => return stop("the user who signed in, or the subscription, has no right to that"),
            404 | 405 | 501 => return stop("check the address of the connection; it is best left as it is"),
            _ => "",
        },
    };
    (Advice::SkipRecord, help.to_owned())
}

fn stop(help: &str) -> (Advice, String) {
    (Advice::StopFlow, help.to_owned())
}

fn reconnect() -> (Advice, String) {
    (Advice::Reconnect, "sign in again: `weft connect NAME`, with the connection's name".to_owned())
}

/// "Try again in 55 seconds"
fn wish(message: &str) -> Option<Duration> {
    let (_, rest) = message.split_once("gain in ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok().map(Duration::from_secs)
}

/// The layout that a path is about.
fn layout_of(path: &str) -> Option<&'static Layout> {
    let first = path.split(['/', '?']).next().unwrap_or_default();
    let resource = match first {
        "articles" => "articles",
        "customers" => "customers",
        "orders" => "orders",
        "quotes" => "quotes",
        "customerinvoicedrafts" => "invoice_drafts",
        "customerinvoices" if path.ends_with("/payments") => "invoice_payments",
        "customerinvoices" => "invoices",
        _ => return None,
    };
    known(resource).ok().map(|(layout, _)| layout)
}

/// The refusal in words.
fn said(body: &Body, status: u16, reply: &Reply, layout: Option<&Layout>) -> String {
    let meaning = match body.code {
        2000 => "refuses the record",
        3000 => "does not have this record",
        3001 => "has no fiscal year for this date",
        3002 => "has no such account",
        4000 => "already has a record with this number",
        4001 => "cannot delete this record",
        4002 | 4006 | 4007 | 4009 | 4011 | 4019 => "denies the right to this",
        4005 => "does not accept the sign-in",
        4010 => "allows no more calls for now",
        4026 | 4038 => "has closed this period",
        BAD_QUERY | 6001 => QUERY_REFUSED,
        _ => match status {
            401 => "does not accept the sign-in",
            403 => "denies the right to this",
            404 => "has nothing at this address",
            429 => "allows no more calls for now",
            503 => "is down for a moment",
            500..=599 => "failed",
            _ => "refuses",
        },
    };
    if !body.is_json {
        return match reply.excerpt() {
            text if text.is_empty() => format!("{meaning} (status {status})"),
            text => format!("{meaning} (status {status}): {text}"),
        };
    }
    let code = if body.code == 0 { i64::from(status) } else { body.code };
    let wrong: Vec<String> = body
        .errors
        .iter()
        .filter(|(_, message)| !message.is_empty())
        .map(|(field, message)| match layout {
            Some(layout) if !field.is_empty() => format!("`{}`: {message}", layout.ours(field)),
            _ if field.is_empty() => message.clone(),
            _ => format!("`{field}`: {message}"),
        })
        .collect();
    let details = if wrong.is_empty() { body.message.clone() } else { wrong.join("; ") };
    let reference = if body.id.is_empty() { String::new() } else { format!(" [error {}]", body.id) };
    if details.is_empty() {
        format!("{meaning} ({code}){reference}")
    } else {
        format!("{meaning} ({code}): {details}{reference}")
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderMap;

    use super::*;
    use crate::http::StatusCode;

    fn reply(status: u16, body: &str) -> Reply {
        let status = StatusCode::from_u16(status).unwrap();
        Reply { status, headers: HeaderMap::new(), body: body.to_owned().into() }
    }

    fn refused(path: &str, status: u16, body: &str) -> RemoteError {
        match judge(path, &reply(status, body)) {
            Verdict::Refuse(error) => error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_refusal_names_the_fields_as_flows_do() {
        let body = r#"{"ErrorCode":2000,"DeveloperErrorMessage":"DataModelValidationError","ErrorId":"b7f3",
            "Errors":[{"Field":"InvoiceCity","ErrorCode":"Required","Message":"The InvoiceCity field is required."}]}"#;
        let error = refused("customers", 400, body);
        assert_eq!(error.advice, Advice::SkipRecord);
        assert_eq!(
            error.reason,
            "refuses the record (2000): `invoice_city`: The InvoiceCity field is required. [error b7f3]"
        );
    }

    #[test]
    fn a_busy_service_says_for_how_long() {
        let body = r#"{"ErrorCode":4010,"DeveloperErrorMessage":"API calls quota exceeded! maximum admitted 600 per Minute. Try again in 55 seconds."}"#;
        for (body, seconds) in [(body, 55), ("{}", 60)] {
            match judge("orders", &reply(429, body)) {
                Verdict::Again { after, untouched: true, .. } => {
                    assert_eq!(after, Some(Duration::from_secs(seconds)));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn each_kind_of_refusal_has_its_advice() {
        for (status, code, advice) in [
            (401, 4005, Advice::Reconnect),
            (403, 4006, Advice::StopFlow),
            (403, 4009, Advice::StopFlow),
            (409, 4000, Advice::SkipRecord),
            (400, 4000, Advice::SkipRecord),
            (400, 4026, Advice::SkipRecord),
            (400, 4003, Advice::StopFlow),
            (404, 3000, Advice::SkipRecord),
            (405, 0, Advice::StopFlow),
        ] {
            let error = refused("articles", status, &format!("{{\"ErrorCode\":{code}}}"));
            assert_eq!(error.advice, advice, "{status} {code}");
            assert!(error.help.is_some(), "{status} {code}");
        }
        assert!(is_absence(&reply(400, r#"{"ErrorCode":3000}"#)));
        assert!(!is_absence(&reply(404, "<h1>Not found</h1>")));
    }
}

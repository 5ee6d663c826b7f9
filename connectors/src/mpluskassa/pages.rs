//! Reading by sync markers: each change of any record gives it the next number of its kind.
//!
//! A page asks for the lowest markers from a position on; the next position is the highest
//! marker that came, plus one; an empty answer ends the reading. The position is that number
//! as text.

use super::TITLE;
use super::client::Client;
use super::keys::rows;
use super::operations::Operation;
use crate::contract::{Advice, FetchRequest, Page, RemoteError};
use crate::record::{Record, Value};

/// Most records that the service gives in one answer.
const MOST: usize = 1000;

/// The marker that a page starts from.
pub(super) fn start(request: &FetchRequest, position: Option<&str>) -> Result<i64, RemoteError> {
    let stop = |reason: String| RemoteError::new(Advice::StopFlow, TITLE, reason);
    if let Some(position) = position {
        return position.parse().map_err(|_| stop(format!("`{position}` is no position to read from")));
    }
    match &request.since {
        None => Ok(0),
        Some((_, Value::Int(marker))) => Ok((*marker).max(0)),
        Some((_, Value::Text(text))) if text.parse::<i64>().is_ok() => Ok(text.parse().unwrap_or(0)),
        Some((field, value)) => Err(stop(format!("{field}: `{value}` is no marker"))),
    }
}

/// The number of records to ask for.
pub(super) fn limit(request: &FetchRequest) -> i64 {
    i64::try_from(request.size.clamp(1, MOST)).unwrap_or(1)
}

/// One page of a kind of record, and its next position. `filters` are further fields of the
/// request.
pub(super) async fn read(
    client: &Client,
    operation: &Operation,
    list: &str,
    (from, limit): (i64, i64),
    filters: Record,
) -> Result<(Vec<Record>, Option<i64>), RemoteError> {
    let mut request = filters;
    request.set("sync_marker", from);
    request.set("sync_marker_limit", limit);
    let mut records = rows(client.call(operation, &request).await?, list);
    let next = next(operation, records.iter().map(marker), from)?;
    // Within an answer the order is not promised.
    records.sort_by_key(marker);
    Ok((records, next))
}

/// The same as a page.
pub(super) async fn page(
    client: &Client,
    operation: &Operation,
    list: &str,
    request: &FetchRequest,
    position: Option<&str>,
    filters: Record,
) -> Result<Page, RemoteError> {
    let from = start(request, position)?;
    let (records, next) = read(client, operation, list, (from, limit(request)), filters).await?;
    Ok(Page { records, next: next.map(|next| next.to_string()) })
}

/// The position after the highest marker; none after an empty answer.
pub(super) fn next(
    operation: &Operation,
    markers: impl Iterator<Item = i64>,
    from: i64,
) -> Result<Option<i64>, RemoteError> {
    match markers.max() {
        None => Ok(None),
        Some(highest) if highest >= from => Ok(Some(highest.saturating_add(1))),
        Some(_) => Err(RemoteError::new(
            Advice::StopFlow,
            TITLE,
            format!(
                "`{}` gave records without a marker of {from} or above; reading would not end",
                operation.name
            ),
        )),
    }
}

/// The marker of a record.
pub(super) fn marker(record: &Record) -> i64 {
    record.get("sync_marker").and_then(Value::as_int).unwrap_or(-1)
}

/// The filter by relation, when the fetch has it.
pub(super) fn relation_filter(request: &FetchRequest) -> Record {
    let mut filters = Record::new();
    let wanted = request.conditions.iter().find(|(field, _)| field == "relation_number");
    if let Some((_, value)) = wanted {
        filters.set("relation_numbers", vec![value.clone()]);
    }
    filters
}

//! Reading page by page, so that nothing is missed while the company goes on working.
//!
//! The service counts pages by offset, and an offset shifts when a record is changed: it moves
//! to the end of a list by moment of change, and one behind it is skipped. So a page goes on
//! from the last moment of the one before, and pages are counted only among equal moments.
//! Every list is asked for in an order, for without one the service promises none.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Conversation;
use super::client::{LARGEST_PAGE, Query, stop};
use super::faults::QUERY_REFUSED;
use super::layout::{Layout, known};
use super::search::{condition, same};
use super::wire::{self, moment};
use crate::contract::{Advice, Fetch, FetchRequest, Page, RemoteError};
use crate::record::Map;

/// Where a list goes on.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Spot {
    /// Least moment, in whole seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    page: usize,
    /// Keys at that moment that have been handed out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    seen: Vec<String>,
}

impl Spot {
    fn read(position: Option<&str>, since: Option<Timestamp>) -> Result<Self, RemoteError> {
        let Some(position) = position else {
            return Ok(Self { from: since.map(seconds), page: 1, seen: Vec::new() });
        };
        serde_json::from_str(position)
            .map_err(|_| stop("the remembered position is not one of this connector"))
    }

    /// The place after a page that was read from here.
    fn after(self, layout: &Layout, rows: &[Map]) -> Self {
        let Some((_, stamp)) = layout.stamp else { return Self { page: self.page + 1, ..self } };
        let moments: Vec<Option<Timestamp>> = rows.iter().map(|row| stamp_of(row, stamp)).collect();
        // Going on from the last moment is only sound in a list that keeps its order.
        let last = moments.last().copied().flatten().filter(|_| moments.is_sorted()).map(seconds);
        match last.filter(|last| self.from.as_ref().is_none_or(|from| last > from)) {
            Some(from) => {
                let at = |row: &&Map| stamp_of(row, stamp).map(seconds).is_some_and(|moment| moment >= from);
                let seen = rows.iter().filter(at).filter_map(|row| wire::key(layout, row)).collect();
                Self { from: Some(from), page: 1, seen }
            }
            None => Self { page: self.page + 1, ..self },
        }
    }
}

fn stamp_of(row: &Map, stamp: &str) -> Option<Timestamp> {
    row.text(stamp).and_then(moment)
}

/// The second that a moment lies in; filters are inclusive, so nothing is lost by it.
pub(super) fn seconds(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

#[async_trait]
impl Fetch for Conversation {
    async fn page(&self, request: &FetchRequest, position: Option<&str>) -> Result<Page, RemoteError> {
        let (layout, about) = known(&request.resource)?;
        let since = since(request)?;
        let spot = Spot::read(position, since)?;
        let mut conditions = Vec::new();
        for (field, value) in &request.conditions {
            // What the service cannot filter by is filtered below.
            conditions.extend(condition(layout, field, value).filter(|_| self.can_filter(layout, field)));
        }
        if let (Some((_, stamp)), Some(from)) = (layout.stamp, &spot.from) {
            conditions.push(format!("{stamp} ge {from}"));
        }
        let query = Query {
            filter: conditions.join(" and "),
            order: order(layout),
            page: spot.page.max(1),
            size: if request.size == 0 { 500 } else { request.size.min(LARGEST_PAGE) },
            ..Query::default()
        };
        let listing = match self.client.list(layout.path, &query).await {
            Err(error) if error.reason.starts_with(QUERY_REFUSED) => {
                let filtered = |(field, _): &&(String, _)| self.can_filter(layout, field);
                if !request.conditions.iter().any(|condition| filtered(&condition)) {
                    return Err(RemoteError { advice: Advice::StopFlow, ..error });
                }
                request.conditions.iter().for_each(|(field, _)| self.cannot_filter(layout, field));
                return self.page(request, position).await;
            }
            other => other?,
        };
        let mut rows = listing.rows;
        let seen = spot.seen.clone();
        let next = if listing.more { serde_json::to_string(&spot.after(layout, &rows)).ok() } else { None };
        rows.retain(|row| wire::key(layout, row).is_none_or(|key| !seen.contains(&key)));
        if let (Some((_, stamp)), Some(since)) = (layout.stamp, since) {
            rows.retain(|row| stamp_of(row, stamp).is_none_or(|moment| moment >= since));
        }
        let mut records: Vec<_> = rows.iter().map(|row| wire::read(layout, about, row)).collect();
        records.retain(|record| {
            request
                .conditions
                .iter()
                .all(|(field, value)| record.get(field).is_some_and(|found| same(field, found, value)))
        });
        Ok(Page { records, next })
    }
}

/// The order in which a list is asked for.
pub(super) fn order(layout: &Layout) -> String {
    match layout.stamp {
        Some((_, stamp)) => format!("{stamp} asc,{} asc", layout.then),
        None => format!("{} asc", layout.then),
    }
}

fn since(request: &FetchRequest) -> Result<Option<Timestamp>, RemoteError> {
    let Some((field, value)) = &request.since else { return Ok(None) };
    let since = value.as_str().and_then(moment);
    since.map(Some).ok_or_else(|| stop(&format!("`{field}` since `{value}` is not a moment")))
}

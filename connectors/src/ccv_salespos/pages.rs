//! Reading page by page, so that nothing is missed while the shop goes on changing.
//!
//! CCV counts pages by offset, and an offset shifts when a row leaves the list. So pages
//! overlap by a few rows, and lists by moment of creation go on from the last moment instead:
//! a flow that changes the status it filters by does not skip every second page.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::Conversation;
use super::client::{LARGEST_PAGE, Listing, Query};
use super::families::Family;
use super::layout::{Layout, Link, List, Parent, known};
use super::search::{key_text, same};
use super::wire::{Shape, timestamp};
use crate::contract::{Advice, Fetch, FetchRequest, Page, RemoteError};
use crate::record::{Map, Record, Value};

/// Rows that a page repeats of the one before.
const OVERLAP: usize = 3;

/// Most parents a page, when each of them needs a call of its own.
const PARENTS: usize = 10;

/// Rows may stand this far out of order in a list by moment of change.
const MARGIN: jiff::SignedDuration = jiff::SignedDuration::from_mins(2);

/// Where a list by offset goes on.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Spot {
    pub(super) query: String,
    pub(super) seen: Vec<String>,
    /// The last parent and child that were handed out, when the children of this page of
    /// parents did not fit into one page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) done: Option<(String, String)>,
}

/// Where a list by moment of creation goes on.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Mark {
    from: Option<String>,
    start: usize,
    /// Keys at that very moment that have been handed out.
    seen: Vec<String>,
}

impl Spot {
    /// The place after a page, with its last rows to be read again.
    pub(super) fn after(query: &Query, listing: &Listing) -> Result<Option<Self>, RemoteError> {
        let Some(mut next) = listing.next.clone() else { return Ok(None) };
        let (here, there) = (query.start(), next.start());
        if there <= here {
            return Err(confused("the list comes back to where it was"));
        }
        let overlap = OVERLAP.min((there - here) / 2);
        next.set("start", there - overlap);
        let seen = listing.items.iter().rev().take(overlap).filter_map(key_of).collect();
        Ok(Some(Self { query: next.text(), seen, done: None }))
    }

    /// The query of the page, and what to leave out of it.
    pub(super) fn resume(position: Option<&str>, first: Query) -> Result<(Query, Vec<String>), RemoteError> {
        let Some(position) = position else { return Ok((first, Vec::new())) };
        let spot: Self = read(position)?;
        Ok((Query::parse(&spot.query), spot.seen))
    }

    /// The query of the next page.
    pub(super) fn query(&self) -> Query {
        Query::parse(&self.query)
    }

    /// The position as text.
    pub(super) fn text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }
}

impl Mark {
    /// The place after a page that was read from there.
    fn after(&self, from: Option<jiff::Timestamp>, start: usize, rows: &[Map]) -> Result<Self, RemoteError> {
        let moments: Vec<_> = rows.iter().filter_map(created).collect();
        // Going on from the last moment is only sound in a list that keeps its order.
        let is_ascending = moments.is_sorted() && moments.len() == rows.len();
        let keys = |moment| {
            rows.iter().filter(move |row| created(row) == Some(moment)).filter_map(key_of).collect::<Vec<_>>()
        };
        match moments.last().filter(|latest| is_ascending && from.is_none_or(|from| **latest > from)) {
            Some(latest) => Ok(Self { from: Some(latest.to_string()), start: 0, seen: keys(*latest) }),
            None if start <= self.start => Err(confused("the list comes back to where it was")),
            None => {
                let mut seen = self.seen.clone();
                seen.extend(from.map(keys).unwrap_or_default());
                Ok(Self { from: from.map(|from| from.to_string()), start, seen })
            }
        }
    }
}

/// When a row was made.
fn created(row: &Map) -> Option<jiff::Timestamp> {
    row.text("create_date").and_then(timestamp)
}

pub(super) fn read<'a, T: Deserialize<'a>>(position: &'a str) -> Result<T, RemoteError> {
    serde_json::from_str(position)
        .map_err(|_| confused("the remembered position is not one of this connector"))
}

fn confused(reason: &str) -> RemoteError {
    RemoteError::new(Advice::StopFlow, super::TITLE, reason)
}

/// The key of a record of theirs.
pub(super) fn key_of(wire: &Map) -> Option<String> {
    key_text(wire.get("id")?)
}

#[async_trait]
impl Fetch for Conversation {
    async fn page(&self, request: &FetchRequest, position: Option<&str>) -> Result<Page, RemoteError> {
        let (layout, shape) = known(&request.resource)?;
        let mut page = match layout.list {
            List::Plain(_) | List::Modified => self.by_offset(layout, shape, request, position).await?,
            List::Created => self.by_creation(layout, shape, request, position).await?,
            List::Under(parent) => self.below(parent, layout, shape, request, position).await?,
            List::Own => self.stock_page(request, position).await?,
        };
        // A filter that the shop does not know is ignored there, so it is applied here too.
        page.records.retain(|record| {
            request
                .conditions
                .iter()
                .all(|(field, value)| record.get(field).is_none_or(|found| same(field, found, value)))
        });
        Ok(page)
    }
}

impl Conversation {
    fn filtered(layout: &Layout, shape: &Shape, request: &FetchRequest) -> Query {
        let mut query = Query::default();
        for (field, value) in &request.conditions {
            if let Some(filter) = layout.filter(field) {
                query.set(filter, shape.query_text(field, value));
            }
        }
        query
    }

    async fn by_offset(
        &self,
        layout: &Layout,
        shape: &Shape,
        request: &FetchRequest,
        position: Option<&str>,
    ) -> Result<Page, RemoteError> {
        let since = since(request)?;
        let order = match (layout.list, since) {
            (List::Modified, Some(_)) => "modifydate_desc",
            (List::Plain(order), _) => order,
            // Adjustments of prices have no order.
            (List::Under(_), _) => "",
            _ => "id",
        };
        let mut first = Self::filtered(layout, shape, request);
        if !order.is_empty() {
            first.set("orderby", order);
        }
        let first = first.with("start", 0).with("size", size(request));
        let (query, seen) = Spot::resume(position, first)?;
        let listing = self.client.list(layout.path, &query).await?;
        let mut next = Spot::after(&query, &listing)?;
        let mut rows = listing.items;
        if let Some(since) = since {
            let changed = |row: &Map| row.text("modifydate").and_then(timestamp);
            if rows.iter().filter_map(changed).any(|moment| moment < since - MARGIN) {
                next = None;
            }
            rows.retain(|row| changed(row).is_none_or(|moment| moment >= since));
        }
        rows.retain(|row| key_of(row).is_none_or(|key| !seen.contains(&key)));
        let records = self.records(layout, shape, &rows).await?;
        Ok(Page { records, next: next.and_then(|spot| spot.text()) })
    }

    async fn by_creation(
        &self,
        layout: &Layout,
        shape: &Shape,
        request: &FetchRequest,
        position: Option<&str>,
    ) -> Result<Page, RemoteError> {
        let since = since(request)?;
        let mark: Mark = match position {
            None => Mark::default(),
            Some(position) => read(position)?,
        };
        let from = mark.from.as_deref().map_or(since, timestamp);
        let mut query = Self::filtered(layout, shape, request).with("orderby", "create_date");
        if let Some(from) = from {
            query.set("min_create_date", from.strftime("%Y-%m-%dT%H:%M:%SZ"));
        }
        let query = query.with("start", mark.start).with("size", size(request));
        let listing = self.expanded(layout, query).await?;
        let next = match &listing.next {
            Some(next) => Some(mark.after(from, next.start(), &listing.items)?),
            None => None,
        };
        let mut rows = listing.items;
        rows.retain(|row| {
            let is_in_time = created(row).is_none_or(|moment| from.is_none_or(|from| moment >= from));
            is_in_time && key_of(row).is_none_or(|key| !mark.seen.contains(&key))
        });
        let records = self.records(layout, shape, &rows).await?;
        let next = next.and_then(|mark| serde_json::to_string(&mark).ok());
        Ok(Page { records, next })
    }

    async fn below(
        &self,
        parent: &Parent,
        layout: &Layout,
        shape: &Shape,
        request: &FetchRequest,
        position: Option<&str>,
    ) -> Result<Page, RemoteError> {
        if matches!(parent.link, Link::Filter(_)) && !request.conditions.is_empty() {
            return self.by_offset(layout, shape, request, position).await;
        }
        if let Some((_, key)) = request.conditions.iter().find(|(field, _)| field == parent.field) {
            let Some(key) = key_text(key) else { return Ok(Page::default()) };
            let records = self.children(parent, layout, shape, &key).await?;
            return Ok(Page { records, next: None });
        }
        let mut first = Query::default().with("orderby", "id").with("start", 0);
        match parent.link {
            Link::Carried(child) => {
                first.set("expand", child);
                first.set("size", size(request));
            }
            _ => first.set("size", size(request).min(PARENTS)),
        }
        self.families(Family::Children(parent, layout, shape), first, size(request), position).await
    }

    /// All children of a record.
    pub(super) async fn children(
        &self,
        parent: &Parent,
        layout: &Layout,
        shape: &Shape,
        key: &str,
    ) -> Result<Vec<Record>, RemoteError> {
        let rows = match parent.link {
            Link::Carried(child) | Link::Below(child) => {
                self.client.all(&format!("{}/{key}/{child}", parent.path), &Query::default()).await?
            }
            Link::Filter(filter) => self.client.all(layout.path, &Query::default().with(filter, key)).await?,
        };
        let records = self.records(layout, shape, &rows).await?;
        Ok(records.into_iter().map(|child| adopted(child, parent, key)).collect())
    }

    /// A page with its sub-lists, as long as the shop is willing to carry them.
    pub(super) async fn expanded(&self, layout: &Layout, query: Query) -> Result<Listing, RemoteError> {
        use std::sync::atomic::Ordering;
        if layout.expand.is_empty() || !self.expands.load(Ordering::Relaxed) {
            return self.client.list(layout.path, &query).await;
        }
        let whole = self.client.list(layout.path, &query.clone().with("expand", layout.expand)).await;
        let Err(RemoteError { advice: Advice::SkipRecord | Advice::StopFlow, .. }) = &whole else {
            return whole;
        };
        // Only products are documented to carry sub-lists. When the list works without, the
        // shop minds the word and is not asked for it again.
        let bare = self.client.list(layout.path, &query).await?;
        self.expands.store(false, Ordering::Relaxed);
        Ok(bare)
    }
}

/// The children that a page of parents brought along, when it brought all of them.
pub(super) fn carried(row: &Map, link: Link) -> Option<Vec<Map>> {
    let Link::Carried(child) = link else { return None };
    let list = row.get(child)?.as_map()?;
    if list.get("next").is_some_and(|next| !next.says_nothing()) {
        return None;
    }
    let items = list.get("collection")?.as_list()?;
    Some(items.iter().filter_map(Value::as_map).cloned().collect())
}

/// The child with its parent's key, which not every list repeats.
pub(super) fn adopted(mut child: Record, parent: &Parent, key: &str) -> Record {
    if child.get(parent.field).is_none() {
        child.set(parent.field, key);
    }
    child
}

pub(super) fn size(request: &FetchRequest) -> usize {
    if request.size == 0 { LARGEST_PAGE } else { request.size.min(LARGEST_PAGE) }
}

fn since(request: &FetchRequest) -> Result<Option<jiff::Timestamp>, RemoteError> {
    let Some((field, value)) = &request.since else { return Ok(None) };
    let moment = value.as_str().and_then(timestamp);
    moment.map(Some).ok_or_else(|| confused(&format!("`{field}` since `{value}` is not a moment")))
}

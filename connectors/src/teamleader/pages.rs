//! Reading page by page, so that nothing is missed while the account goes on changing.
//!
//! Teamleader counts pages and gives neither a cursor nor a total, so rows shift between pages.
//! Lists that sort by moment of change go on from the last moment instead of the next page; all
//! other lists are read in pages that overlap, and are begun again when the rows of one page
//! are not where they were when the next one comes.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::client::LARGEST_PAGE;
use super::kept::page;
use super::layout::{Filter, Layout, List, known};
use super::search::same;
use super::wire::{Shape, map, put, text};
use super::{Conversation, TITLE};
use crate::contract::{Advice, Detail, Fetch, FetchRequest, Page, RemoteError};
use crate::record::{Map, Record, Value};

/// Whether a list that is asked for changes since a moment includes that moment is not said for
/// every list, and moments are whole seconds: so a little more is asked for.
const MARGIN: SignedDuration = SignedDuration::from_secs(1);

/// Times that a list is begun again because it shifted.
const RESTARTS: u32 = 3;

/// Identifiers at the end of a page that tell where the next one goes on.
const MARKS: usize = 3;

/// Where a list by moment of change goes on.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Mark {
    from: Option<String>,
    number: i64,
    /// Identifiers from that moment on that have been handed out.
    seen: Vec<String>,
}

/// Where a list that shifts goes on.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Spot {
    /// Rows that have been read.
    read: usize,
    /// The last of them.
    last: Vec<String>,
    restarts: u32,
}

impl Mark {
    /// The place after a page, if there is more.
    fn after(&self, from: Option<Timestamp>, size: usize, rows: &[Map]) -> Result<Option<Self>, RemoteError> {
        if rows.len() < size {
            return Ok(None);
        }
        let moments: Vec<_> = rows.iter().filter_map(changed).collect();
        // Going on from the last moment is only sound in a list that keeps its order.
        let is_ascending = moments.is_sorted() && moments.len() == rows.len();
        let keys = |least: Timestamp| {
            let late = rows.iter().filter(move |row| changed(row).is_some_and(|moment| moment >= least));
            late.filter_map(|row| text(row, "id").map(str::to_owned)).collect::<Vec<_>>()
        };
        let start = from.map(|from| from - MARGIN);
        match moments.last().filter(|latest| is_ascending && start.is_none_or(|start| **latest - MARGIN > start)) {
            Some(latest) => {
                Ok(Some(Self { from: Some(latest.to_string()), number: 1, seen: keys(*latest - MARGIN) }))
            }
            // A whole page of one moment: only the next page goes on.
            None if self.number < 10_000 => {
                let mut seen = self.seen.clone();
                seen.extend(rows.iter().filter_map(|row| text(row, "id").map(str::to_owned)));
                Ok(Some(Self { from: from.map(|from| from.to_string()), number: self.number + 1, seen }))
            }
            None => Err(confused("the list does not end")),
        }
    }
}

/// The page that covers the row before the next one and reaches furthest: its size, its number
/// and the row it begins with. Pages begin only at multiples of their size.
fn overlapping(read: usize, size: usize) -> (usize, i64, usize) {
    let before = read.saturating_sub(1);
    let candidates = (size.div_ceil(2).max(1)..=size).rev();
    let place = |size: usize| (size, before / size, (before / size) * size);
    let reaching = candidates.map(place).filter(|(size, _, start)| start + size > read);
    let best = reaching.max_by_key(|(size, _, start)| start + size);
    // With tiny pages it can be that none overlaps and goes on.
    let (size, number, start) = best.unwrap_or((size, read / size.max(1), read));
    (size, i64::try_from(number + 1).unwrap_or(i64::MAX), start)
}

/// When a row last changed.
fn changed(row: &Map) -> Option<Timestamp> {
    text(row, "updated_at").or_else(|| text(row, "added_at"))?.parse().ok()
}

fn read<'a, T: Deserialize<'a>>(position: &'a str) -> Result<T, RemoteError> {
    serde_json::from_str(position)
        .map_err(|_| confused("the remembered position is not one of this connector"))
}

fn confused(reason: &str) -> RemoteError {
    RemoteError::new(Advice::StopFlow, TITLE, reason)
}

/// A moment as the list wants it: without fractions and never a bare date.
fn written(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
}

#[async_trait]
impl Fetch for Conversation {
    async fn page(&self, request: &FetchRequest, position: Option<&str>) -> Result<Page, RemoteError> {
        let (layout, shape) = known(&request.resource)?;
        let mut page = match layout.list {
            List::Ascending => self.by_change(layout, shape, request, position).await?,
            List::Shifting { .. } => self.by_overlap(layout, shape, request, position).await?,
            List::Kept | List::Whole => {
                Page { records: self.all(layout.resource).await?.to_vec(), next: None }
            }
            List::Not => return Err(confused("this kind of record cannot be listed")),
        };
        // What is not understood is ignored there and gives everything, so it is sifted here.
        page.records.retain(|record| {
            request
                .conditions
                .iter()
                .all(|(field, value)| same(field, record.get(field).unwrap_or(&Value::Null), value))
        });
        Ok(page)
    }
}

#[async_trait]
impl Detail for Conversation {
    async fn complete(&self, resource: &str, record: Record) -> Result<Record, RemoteError> {
        let (layout, shape) = known(resource)?;
        if record.get("lines").is_some() {
            return Ok(record);
        }
        let kept = record.clone();
        // One that was removed meanwhile is handed on as it was listed.
        Ok(self.whole(layout, shape, record).await?.unwrap_or(kept))
    }
}

impl Conversation {
    fn filtered(layout: &Layout, request: &FetchRequest) -> Map {
        let mut body = Map::new();
        for (field, value) in &request.conditions {
            match layout.filters.iter().find(|(known, _)| known == field) {
                Some((_, Filter::Plain(name))) => put(&mut body, &format!("filter.{name}"), value.clone()),
                Some((_, Filter::Listed(name))) => {
                    put(&mut body, &format!("filter.{name}"), vec![value.clone()]);
                }
                _ => {}
            }
        }
        if !layout.includes.is_empty() {
            body.set("includes", layout.includes);
        }
        body
    }

    async fn by_change(
        &self,
        layout: &Layout,
        shape: &Shape,
        request: &FetchRequest,
        position: Option<&str>,
    ) -> Result<Page, RemoteError> {
        let since = since(request)?.and_then(|(_, since)| since.as_moment());
        let mark: Mark = match position {
            None => Mark { number: 1, ..Mark::default() },
            Some(position) => read(position)?,
        };
        let from = match &mark.from {
            None => since,
            Some(from) => Some(from.parse().map_err(|_| confused("the remembered position is no moment"))?),
        };
        let mut body = Self::filtered(layout, request);
        if let Some(from) = from {
            put(&mut body, "filter.updated_since", written(from - MARGIN));
        }
        let sort = map([("field", Value::from("updated_at")), ("order", Value::from("asc"))]);
        body.set("sort", vec![Value::Map(sort)]);
        let size = size(request);
        body.set("page", page(size, mark.number));
        let mut rows = self.client.list(&format!("{}.list", layout.area), &body).await?;
        let next = mark.after(from, size, &rows)?;
        rows.retain(|row| {
            let is_due = changed(row).is_none_or(|moment| since.is_none_or(|since| moment >= since));
            is_due && text(row, "id").is_none_or(|id| !mark.seen.iter().any(|seen| seen == id))
        });
        let records = self.records(layout, shape, &rows).await?;
        Ok(Page { records, next: next.and_then(|mark| serde_json::to_string(&mark).ok()) })
    }

    async fn by_overlap(
        &self,
        layout: &Layout,
        shape: &Shape,
        request: &FetchRequest,
        position: Option<&str>,
    ) -> Result<Page, RemoteError> {
        let since = since(request)?;
        let spot: Spot = match position {
            None => Spot::default(),
            Some(position) => read(position)?,
        };
        let mut body = Self::filtered(layout, request);
        if let List::Shifting { since: asks, sort } = layout.list {
            if let Some(moment) = since.as_ref().and_then(|(_, since)| since.as_moment()).filter(|_| asks) {
                put(&mut body, "filter.updated_since", written(moment - MARGIN));
            }
            if !sort.is_empty() {
                let sort = map([("field", Value::from(sort)), ("order", Value::from("asc"))]);
                body.set("sort", vec![Value::Map(sort)]);
            }
        }
        let (asked, number, start) = overlapping(spot.read, size(request));
        body.set("page", page(asked, number));
        let mut rows = self.client.list(&format!("{}.list", layout.area), &body).await?;
        let is_last = rows.len() < asked;
        let read = start + rows.len();
        if spot.read > start {
            let known = |row: &Map| text(row, "id").is_some_and(|id| spot.last.iter().any(|last| last == id));
            match rows.iter().rposition(known) {
                Some(at) => drop(rows.drain(..=at)),
                None => return again(&spot),
            }
        }
        let last = rows.iter().rev().take(MARKS).filter_map(|row| text(row, "id").map(str::to_owned));
        let last: Vec<String> = last.collect();
        if read <= spot.read && !is_last {
            return again(&spot);
        }
        let next = Spot { read, last, restarts: spot.restarts };
        if let Some((field, since)) = &since {
            rows.retain(|row| since.is_met_by(shape, row, field));
        }
        let records = self.records(layout, shape, &rows).await?;
        let next = (!is_last).then(|| serde_json::to_string(&next).ok()).flatten();
        Ok(Page { records, next })
    }
}

/// The list has shifted: it is begun again. What is read twice costs little, what is missed is
/// missed for long.
fn again(spot: &Spot) -> Result<Page, RemoteError> {
    if spot.restarts >= RESTARTS {
        let reason = "the list changes faster than it can be read";
        return Err(RemoteError::new(Advice::Retry(None), TITLE, reason)
            .with_help("let the flow run at a quieter time, or while nobody removes records"));
    }
    let next = Spot { restarts: spot.restarts + 1, ..Spot::default() };
    Ok(Page { records: Vec::new(), next: serde_json::to_string(&next).ok() })
}

fn size(request: &FetchRequest) -> usize {
    if request.size == 0 { LARGEST_PAGE } else { request.size.min(LARGEST_PAGE) }
}

/// The least value of the field that a cursor follows.
#[derive(Clone, Copy)]
enum Since {
    Moment(Timestamp),
    Number(i64),
}

impl Since {
    const fn as_moment(self) -> Option<Timestamp> {
        match self {
            Self::Moment(moment) => Some(moment),
            Self::Number(_) => None,
        }
    }

    fn is_met_by(self, shape: &Shape, row: &Map, field: &str) -> bool {
        match self {
            Self::Moment(since) => changed(row).is_none_or(|moment| moment >= since),
            Self::Number(since) => {
                let record = shape.read(row);
                record.get(field).and_then(Value::as_int).is_none_or(|number| number >= since)
            }
        }
    }
}

fn since(request: &FetchRequest) -> Result<Option<(&str, Since)>, RemoteError> {
    let Some((field, value)) = &request.since else { return Ok(None) };
    let since = match value {
        Value::Int(number) => Some(Since::Number(*number)),
        other => other.as_str().and_then(|text| text.parse().ok()).map(Since::Moment),
    };
    let since = since.ok_or_else(|| confused(&format!("`{field}` since `{value}` is not a place to begin")))?;
    Ok(Some((field, since)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_overlap_and_go_on() {
        for size in [2, 3, 7, 20, 100] {
            let mut read = size;
            for _ in 0..200 {
                let (asked, number, start) = overlapping(read, size);
                assert!(asked <= size && start == (usize::try_from(number).unwrap() - 1) * asked);
                assert!(start < read || (size < 10 && start == read), "size {size}, {read} read: {start}");
                assert!(start + asked > read, "size {size}, {read} read: ends at {}", start + asked);
                read = start + asked;
            }
        }
        assert_eq!(overlapping(0, 100), (100, 1, 0));
        assert_eq!(overlapping(100, 100), (99, 2, 99));
    }
}

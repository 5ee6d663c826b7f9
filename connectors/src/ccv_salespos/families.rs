//! Lists below other records: children, parent by parent.
//!
//! A parent has any number of children, so a page of ours may end within a page of parents,
//! and within a parent. The page of parents is kept until it is done with, so that going on
//! costs no call.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::client::{Listing, Query};
use super::layout::{Layout, Parent};
use super::pages::{Spot, adopted, carried, key_of, read};
use super::wire::Shape;
use super::{Conversation, stock};
use crate::contract::{Page, RemoteError};
use crate::record::{Map, Record};

/// How long a page of parents counts as read.
const KEPT: Duration = Duration::from_mins(1);

/// What is listed below others.
#[derive(Clone, Copy)]
pub(super) enum Family<'a> {
    /// Children of one kind.
    Children(&'a Parent, &'a Layout, &'a Shape),
    /// What can be counted of a product.
    Stock,
}

/// A page of parents whose children were not all handed out.
pub(super) struct Parents {
    query: String,
    read_at: Instant,
    listing: Arc<Listing>,
}

impl Family<'_> {
    const fn name(&self) -> &'static str {
        match self {
            Self::Children(_, layout, _) => layout.resource,
            Self::Stock => stock::RESOURCE,
        }
    }

    const fn path_of_parents(&self) -> &'static str {
        match self {
            Self::Children(parent, ..) => parent.path,
            Self::Stock => "products",
        }
    }
}

impl Conversation {
    /// A page of at most that many children.
    pub(super) async fn families(
        &self,
        family: Family<'_>,
        first: Query,
        most: usize,
        position: Option<&str>,
    ) -> Result<Page, RemoteError> {
        let spot: Spot = match position {
            Some(position) => read(position)?,
            None => Spot { query: first.text(), ..Spot::default() },
        };
        let listing = self.parents(family, &spot).await?;
        let mut rows: Vec<(String, &Map)> =
            listing.items.iter().filter_map(|row| Some((key_of(row)?, row))).collect();
        rows.retain(|(key, _)| !spot.seen.contains(key));
        if let Some((mother, _)) = &spot.done
            && let Some(at) = rows.iter().position(|(key, _)| key == mother)
        {
            rows.drain(..at);
        }
        let mut records: Vec<Record> = Vec::new();
        for (key, row) in rows {
            let mut children = match family {
                Family::Children(parent, layout, shape) => {
                    self.brood(parent, layout, shape, &key, row).await?
                }
                Family::Stock => self.counted(row).await?,
            };
            // When that child is gone meanwhile its family comes again: twice does no harm.
            if let Some((mother, child)) = &spot.done
                && *mother == key
                && let Some(at) = children.iter().position(|known| known.text("id") == Some(child))
            {
                children.drain(..=at);
            }
            let room = most.saturating_sub(records.len());
            if children.len() > room {
                records.extend(children.drain(..room));
                // Without room, no child of this parent was handed out yet.
                let last = records.last().filter(|_| room > 0).and_then(|record| record.text("id"));
                let done = Some((key, last.unwrap_or_default().to_owned()));
                self.keep_parents(family, &spot.query, &listing).await;
                return Ok(Page { records, next: Spot { done, ..spot }.text() });
            }
            records.extend(children);
        }
        let next = Spot::after(&spot.query(), &listing)?;
        Ok(Page { records, next: next.and_then(|spot| spot.text()) })
    }

    /// The page of parents that a position is about.
    async fn parents(&self, family: Family<'_>, spot: &Spot) -> Result<Arc<Listing>, RemoteError> {
        let kept = self.parents.lock().await.remove(family.name());
        if let Some(kept) = kept.filter(|kept| spot.done.is_some() && kept.query == spot.query)
            && kept.read_at.elapsed() < KEPT
        {
            return Ok(kept.listing);
        }
        Ok(Arc::new(self.client.list(family.path_of_parents(), &spot.query()).await?))
    }

    async fn keep_parents(&self, family: Family<'_>, query: &str, listing: &Arc<Listing>) {
        let (query, listing) = (query.to_owned(), Arc::clone(listing));
        let kept = Parents { query, read_at: Instant::now(), listing };
        self.parents.lock().await.insert(family.name(), kept);
    }

    /// The children of one of a page of parents: carried by it, or asked for.
    async fn brood(
        &self,
        parent: &Parent,
        layout: &Layout,
        shape: &Shape,
        key: &str,
        row: &Map,
    ) -> Result<Vec<Record>, RemoteError> {
        let Some(rows) = carried(row, parent.link) else {
            return self.children(parent, layout, shape, key).await;
        };
        let children = self.records(layout, shape, &rows).await?;
        Ok(children.into_iter().map(|child| adopted(child, parent, key)).collect())
    }
}

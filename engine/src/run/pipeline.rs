//! The way of pages through a run: read ahead, walked two at a time, settled one after the
//! other.
//!
//! While a page is settled the next one is walked, and the one after it is read, so that no
//! system waits for the disk, and none for the last slow record of a page. Pages in flight are
//! few, and so is what they hold in memory. Two pages that have a record in common are never
//! walked at the same time: what became of it the first time has to be known.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::Ordering;

use connectors::contract::{Fetch, FetchRequest, Page, RemoteError};
use futures::future::{BoxFuture, Fuse, FusedFuture as _, FutureExt as _};
use futures::stream::{FuturesOrdered, StreamExt as _};

use super::page::{PageRun, ReadPage, WalkedPage};
use super::reading::Reading;
use super::settle::PageEnd;
use super::{Ended, Run};
use crate::store::StoreError;

/// Pages that are walked at the same time.
const WALKING: usize = 2;

/// Pages that were begun and are not settled.
const UNSETTLED: usize = 3;

type Walking<'r> = BoxFuture<'r, Result<WalkedPage<'r>, StoreError>>;
type Settling<'r> = BoxFuture<'r, Result<PageEnd, StoreError>>;
type Fetching<'r> = BoxFuture<'r, Result<Page, RemoteError>>;

/// Pages on their way.
pub(super) struct Pipeline<'r> {
    run: PageRun<'r>,
    fetch: &'r dyn Fetch,
    request: &'r FetchRequest,
    reading: Reading<'r>,
    /// The page that is being read.
    fetching: Fuse<Fetching<'r>>,
    /// The page that was read last and has to wait for its turn.
    read: Option<(ReadPage, HashSet<String>)>,
    /// Where the page after it is.
    next: Option<String>,
    walking: FuturesOrdered<Walking<'r>>,
    walked: VecDeque<WalkedPage<'r>>,
    settling: Fuse<Settling<'r>>,
    /// Keys of pages that are not settled, the oldest first.
    unsettled: VecDeque<HashSet<String>>,
    /// Why no page is begun any more.
    ended: Option<Ended>,
    /// A page before was not done; the cursor stays.
    halted: bool,
    /// The page that was settled last changed the target.
    came: bool,
}

impl<'r> Pipeline<'r> {
    pub(super) fn new(
        run: &'r Run<'r>,
        fetch: &'r dyn Fetch,
        request: &'r FetchRequest,
        reading: Reading<'r>,
    ) -> Self {
        let first = reading.position.clone();
        let mut pipeline = Self {
            run: PageRun { run, again: false, named: false },
            fetch,
            request,
            reading,
            fetching: Fuse::terminated(),
            read: None,
            next: None,
            walking: FuturesOrdered::new(),
            walked: VecDeque::new(),
            settling: Fuse::terminated(),
            unsettled: VecDeque::new(),
            ended: None,
            halted: false,
            came: false,
        };
        pipeline.fetch(first);
        pipeline
    }

    /// Until the last page, or the first reason to stop; pages that were begun are finished.
    pub(super) async fn run(mut self) -> Result<Option<Ended>, StoreError> {
        loop {
            self.begin();
            self.settle();
            tokio::select! {
                page = &mut self.fetching, if !self.fetching.is_terminated() => self.was_read(page),
                Some(walked) = self.walking.next(), if !self.walking.is_empty() => {
                    self.walked.push_back(walked?);
                }
                end = &mut self.settling, if !self.settling.is_terminated() => self.was_settled(end?),
                else => return Ok(self.ended),
            }
        }
    }

    fn fetch(&mut self, position: Option<String>) {
        let (fetch, request) = (self.fetch, self.request);
        self.fetching = async move { fetch.page(request, position.as_deref()).await }.boxed().fuse();
    }

    fn was_read(&mut self, page: Result<Page, RemoteError>) {
        match page {
            Err(error) => self.end(Ended::Remote(error)),
            Ok(page) => {
                self.reading.seen(&page.records);
                let cursor = self.reading.after(page.next.as_deref());
                let keys = self.run.keys(&page.records);
                self.read = Some((ReadPage { records: page.records, cursor: Some(cursor) }, keys));
                self.next = page.next;
            }
        }
    }

    /// Takes the page that was read into its walk, and has the next one read.
    fn begin(&mut self) {
        if self.unsettled.len() >= UNSETTLED || self.walking.len() >= WALKING {
            return;
        }
        let Some((page, keys)) = self.read.take() else { return };
        if self.run.run.options.stop.load(Ordering::Relaxed) {
            return self.end(Ended::Stopped);
        }
        if self.unsettled.iter().any(|others| !others.is_disjoint(&keys)) {
            self.read = Some((page, keys));
            return;
        }
        self.unsettled.push_back(keys);
        let run = self.run;
        self.walking.push_back(async move { run.walk(page).await }.boxed());
        if let Some(next) = self.next.take() {
            self.fetch(Some(next));
        }
    }

    /// Settles the oldest page that was walked, unless another one is being settled.
    fn settle(&mut self) {
        if !self.settling.is_terminated() {
            return;
        }
        let Some(walked) = self.walked.pop_front() else { return };
        let (run, came, may_move) = (self.run, self.came, !self.halted);
        self.settling = async move { run.settle(walked, came, may_move).await }.boxed().fuse();
    }

    fn was_settled(&mut self, end: PageEnd) {
        self.unsettled.pop_front();
        self.came = end.has_sent;
        if let Some(error) = end.halted
            && !self.halted
        {
            self.halted = true;
            // Of the records of this page, not of a page that comes after it.
            self.ended = None;
            self.end(Ended::Remote(error));
        }
    }

    /// No page is begun from here on. The first reason is the one that explains.
    fn end(&mut self, reason: Ended) {
        self.ended = self.ended.take().or(Some(reason));
        self.fetching = Fuse::terminated();
        self.read = None;
    }
}

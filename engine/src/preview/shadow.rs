//! The store as it would be: it is asked, and what a run would keep is kept here.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::store::{
    Arrived, Cursor, DeadLetter, DeadQuery, Fingerprint, Journal, JournalKeys, Known, Lease, LedgerRow,
    Millis, NewRun, Page, RunState, Runs, Settled, StoreError, Written,
};

/// A store that takes nothing.
pub(super) struct Shadow<'a> {
    store: &'a dyn Runs,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// By source key.
    known: HashMap<String, Known>,
    /// Source keys in the order in which they were read.
    read: HashMap<String, usize>,
    settled: Vec<Settled>,
}

impl<'a> Shadow<'a> {
    pub(super) fn of(store: &'a dyn Runs) -> Self {
        Self { store, inner: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that a run would have settled, in the order in which it was read.
    pub(super) fn settled(self) -> Vec<Settled> {
        let Inner { read, mut settled, .. } = self.inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        settled.sort_by_key(|one| read.get(&one.source_key).copied().unwrap_or(usize::MAX));
        settled
    }
}

#[async_trait]
impl Runs for Shadow<'_> {
    async fn now(&self) -> Result<Millis, StoreError> {
        self.store.now().await
    }

    async fn start_run(&self, _: &Lease, _: &NewRun) -> Result<(), StoreError> {
        Ok(())
    }

    async fn keep_edition(&self, _: &str, _: Fingerprint, _: &[u8]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn end_run(&self, _: &Lease, _: &str, _: RunState, _: Option<&str>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn cursor(&self, flow: &str) -> Result<Option<Cursor>, StoreError> {
        self.store.cursor(flow).await
    }

    async fn known(&self, flow: &str, keys: &[&str]) -> Result<Vec<Known>, StoreError> {
        let mut known = self.store.known(flow, keys).await?;
        let mut inner = self.lock();
        for key in keys {
            let next = inner.read.len();
            inner.read.entry((*key).to_owned()).or_insert(next);
        }
        for (key, known) in keys.iter().zip(&mut known) {
            if let Some(now) = inner.known.get(*key) {
                known.ledger.clone_from(&now.ledger);
                for written in &now.written {
                    known.written.retain(|old| !written.is_same_write(old));
                    known.written.push(written.clone());
                }
            }
        }
        Ok(known)
    }

    async fn begin_page(&self, _: &Lease, _: &str, _: &[&str]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn note_writes(&self, _: &Lease, _: &str, _: &[(String, Written)]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn settle_page(&self, _: &Lease, page: &Page) -> Result<(), StoreError> {
        let mut inner = self.lock();
        for settled in &page.records {
            let known = inner.known.entry(settled.source_key.clone()).or_default();
            known.ledger = Some(LedgerRow {
                source_print: settled.source_print,
                plan: page.plan,
                outcome: settled.outcome.word(),
                reason: settled.outcome.reason().map(str::to_owned),
                attempts: 0,
                run: page.run.clone(),
                updated_at: 0,
            });
            known.written.extend(settled.written.iter().cloned());
        }
        inner.settled.extend(page.records.iter().cloned());
        Ok(())
    }

    async fn journal(&self, flow: &str) -> Result<Option<Journal>, StoreError> {
        self.store.journal(flow).await
    }

    async fn set_journal(&self, _: &Lease, _: &Journal) -> Result<(), StoreError> {
        Ok(())
    }

    async fn journal_keys(&self, flow: &str, after: i64) -> Result<Vec<JournalKeys>, StoreError> {
        self.store.journal_keys(flow, after).await
    }

    async fn other_keys(&self, flow: &str, after: &str) -> Result<Vec<String>, StoreError> {
        self.store.other_keys(flow, after).await
    }

    async fn dead_letters(&self, query: &DeadQuery) -> Result<Vec<DeadLetter>, StoreError> {
        self.store.dead_letters(query).await
    }

    async fn dead_letter(&self, flow: &str, source_key: &str) -> Result<Option<DeadLetter>, StoreError> {
        self.store.dead_letter(flow, source_key).await
    }

    async fn due(&self, flow: &str, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
        self.store.due(flow, limit).await
    }

    async fn take_arrivals(&self, _: &Lease, _: &str) -> Result<Vec<Arrived>, StoreError> {
        Ok(Vec::new())
    }

    async fn answer_arrivals(&self, _: &Lease, _: &str) -> Result<u64, StoreError> {
        Ok(0)
    }
}

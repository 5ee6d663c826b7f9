//! What webhooks have told: the run reads from its cursor as always, and takes up besides each
//! record that was named and that it did not come across.
//!
//! A run takes the flow's inbox in hand before it reads anything, so whatever it reads is newer
//! than what it was told. It answers when it has come to its end; until then the inbox is open.

use std::collections::HashSet;
use std::sync::PoisonError;

use connectors::contract::RemoteError;
use connectors::record::{Record, Value};
use dsl::plan::Trigger;

use super::page::{PageRun, ReadPage};
use super::{Ended, PAGE, Run};
use crate::store::StoreError;

impl Run<'_> {
    /// Takes the flow's inbox in hand.
    pub(super) async fn take_arrivals(&self) -> Result<(), StoreError> {
        let listens = |trigger: &Trigger| matches!(trigger, Trigger::Webhook { .. });
        if !self.flow.plan.triggers.iter().any(listens) {
            return Ok(());
        }
        let arrived = self.store.take_arrivals(&self.lease, &self.id).await?;
        let read = &self.flow.plan.fetch.resource;
        let named = arrived.into_iter().filter_map(|one| one.record);
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        *wanted = named.filter(|(resource, _)| resource == read).map(|(_, key)| key).collect();
        Ok(())
    }

    /// Takes up the records that were named and did not come with a page, then answers.
    pub(super) async fn answer_arrivals(&self) -> Result<Option<Ended>, StoreError> {
        let wanted: Vec<String> = {
            let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take::<HashSet<String>>(&mut wanted).into_iter().collect()
        };
        for keys in wanted.chunks(PAGE) {
            let records = match self.named(keys).await {
                Ok(records) => records,
                Err(error) => return Ok(Some(Ended::Remote(error))),
            };
            if records.is_empty() {
                continue;
            }
            let page = PageRun { run: self, again: false, named: false };
            let walked = page.walk(ReadPage { records, cursor: None }).await?;
            if let Some(error) = page.settle(walked, false, false).await?.halted {
                return Ok(Some(Ended::Remote(error)));
            }
        }
        let answered = self.store.answer_arrivals(&self.lease, &self.id).await?;
        if answered > 0 {
            tracing::debug!(flow = self.flow.name, run = self.id, answered, "webhooks answered");
        }
        Ok(None)
    }

    /// The records of these keys that the flow reads at all, where the source finds by key. Where
    /// it does not, reading from the cursor is all that can be done.
    async fn named(&self, keys: &[String]) -> Result<Vec<Record>, RemoteError> {
        let key_field = self.sides.source.key_field(&self.flow.plan.fetch.resource);
        self.named_by(key_field, keys).await
    }

    /// The same by any field that has a value of its own for each record.
    pub(super) async fn named_by(&self, field: String, keys: &[String]) -> Result<Vec<Record>, RemoteError> {
        let source = &self.sides.source;
        let resource = &self.flow.plan.fetch.resource;
        let by = [field];
        let Some(find) = source.session.find(resource).filter(|_| source.finds(resource, &by)) else {
            return Ok(Vec::new());
        };
        let conditions = self.conditions()?;
        let fits = |record: &Record| {
            conditions
                .iter()
                .all(|(field, value)| record.at(field).is_some_and(|there| there.says_the_same_as(value)))
        };
        let mut records = Vec::new();
        for chunk in keys.chunks(source.batch(resource, &by)) {
            let keys: Vec<_> = chunk.iter().map(|key| vec![Value::from(key.as_str())]).collect();
            let found = find.find(resource, &by, &keys).await?;
            records.extend(found.into_iter().filter_map(|found| found.into_iter().next()).filter(fits));
        }
        Ok(records)
    }
}

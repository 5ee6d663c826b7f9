//! What webhooks have told: the run reads from its cursor as always, and takes up besides each
//! record that was named and that it did not come across.
//!
//! A run takes the flow's inbox in hand before it reads anything, so whatever it reads is newer
//! than what it was told. It answers when it has come to its end; until then the inbox is open.

use std::collections::HashMap;
use std::sync::PoisonError;

use connectors::contract::{RemoteError, deleted};
use connectors::manifest::Deleted;
use connectors::record::{Record, Value};
use dsl::plan::Trigger;

use super::page::{PageRun, ReadPage};
use super::{Ended, PAGE, Run};
use crate::store::{Arrived, StoreError};

impl Run<'_> {
    /// Takes the flow's inbox in hand.
    pub(super) async fn take_arrivals(&self) -> Result<(), StoreError> {
        let listens = |trigger: &Trigger| matches!(trigger, Trigger::Webhook { .. });
        if !self.flow.plan.triggers.iter().any(listens) {
            return Ok(());
        }
        let arrived = self.store.take_arrivals(&self.lease, &self.id).await?;
        let read = &self.flow.plan.fetch.resource;
        let tells = |event: String| matches!(self.deletions, Some(Deleted::Event(told)) if *told == event);
        let named = arrived.into_iter().filter_map(|Arrived { event, record, .. }| {
            let (resource, key) = record?;
            (resource == *read).then(|| (key, tells(event)))
        });
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, is_deleted) in named {
            *wanted.entry(key).or_default() |= is_deleted;
        }
        Ok(())
    }

    /// Takes up the records that were named and did not come with a page, then answers.
    pub(super) async fn answer_arrivals(&self) -> Result<Option<Ended>, StoreError> {
        let wanted: Vec<(String, bool)> = {
            let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take::<HashMap<String, bool>>(&mut wanted).into_iter().collect()
        };
        for named in wanted.chunks(PAGE) {
            let records = match self.named(named).await {
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

    /// What webhooks have named, as the source has it now: records that the flow reads at all, and
    /// those that were said to be deleted and are not there. Where the source does not find by key,
    /// reading from the cursor is all that can be done.
    async fn named(&self, named: &[(String, bool)]) -> Result<Vec<Record>, RemoteError> {
        let key_field = self.sides.source.key_field(&self.flow.plan.fetch.resource);
        let keys: Vec<String> = named.iter().map(|(key, _)| key.clone()).collect();
        let Some(found) = self.found_by(&key_field, &keys).await? else { return Ok(Vec::new()) };
        let conditions = self.conditions()?;
        let mut records = Vec::new();
        for ((key, is_deleted), found) in named.iter().zip(found) {
            match found {
                Some(record) if fits(&conditions, &record) => records.push(record),
                None if *is_deleted => records.push(deleted(&key_field, key)),
                _ => {}
            }
        }
        Ok(records)
    }

    /// The records that the flow reads at all, by any field that has a value of its own for each.
    pub(super) async fn named_by(&self, field: &str, keys: &[String]) -> Result<Vec<Record>, RemoteError> {
        let conditions = self.conditions()?;
        let found = self.found_by(field, keys).await?.unwrap_or_default();
        Ok(found.into_iter().flatten().filter(|record| fits(&conditions, record)).collect())
    }

    /// For each key the record that the source has; `None`: it cannot be searched like that.
    async fn found_by(
        &self,
        field: &str,
        keys: &[String],
    ) -> Result<Option<Vec<Option<Record>>>, RemoteError> {
        let source = &self.sides.source;
        let resource = &self.flow.plan.fetch.resource;
        let by = [field.to_owned()];
        let Some(find) = source.session.find(resource).filter(|_| source.finds(resource, &by)) else {
            return Ok(None);
        };
        let mut records = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(source.batch(resource, &by)) {
            let keys: Vec<_> = chunk.iter().map(|key| vec![Value::from(key.as_str())]).collect();
            let found = find.find(resource, &by, &keys).await?;
            records.extend(found.into_iter().map(|found| found.into_iter().next()));
        }
        Ok(Some(records))
    }
}

/// The record has the values that the source was asked for.
fn fits(conditions: &[(String, Value)], record: &Record) -> bool {
    conditions
        .iter()
        .all(|(field, value)| record.at(field).is_some_and(|there| there.says_the_same_as(value)))
}

//! Records that were refused or had to wait, taken up again: before each run, or by a person who
//! names them.

use std::collections::HashMap;

use connectors::contract::{Advice, RemoteError};
use connectors::record::{Record, Value, read_json};

use super::page::{PageRun, ReadPage};
use super::{PAGE, Run};
use crate::store::{DeadLetter, DeadQuery, StoreError};
use crate::trouble::Trouble;

/// Records that are taken up again before new ones are read: those that had to wait, and those
/// that were refused.
const DUE: u32 = 1_000;

/// Dead letters to try again.
#[derive(Clone, Debug)]
pub struct Replay {
    /// Keys of the records in the source.
    pub keys: Vec<String>,
    /// As what they are tried.
    pub take: Take,
}

/// As what a dead letter is tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Take {
    /// As somebody edited it; else as the source has it now; where that cannot be asked, as it
    /// was read.
    #[default]
    Best,
    /// As the source has it now, whatever was edited; where that cannot be asked, as it was read.
    Afresh,
    /// As somebody edited it; else as it was read.
    AsRead,
}

/// Records that must not be kept as they are, and cannot be sealed or opened.
pub(super) fn unopened(flow: &str, trouble: &Trouble) -> RemoteError {
    let error = RemoteError::new(Advice::StopFlow, format!("flow {flow}"), trouble.to_string());
    match miette::Diagnostic::help(trouble) {
        Some(help) => error.with_help(help.to_string()),
        None => error,
    }
}

impl Run<'_> {
    /// Takes up records again that had to wait, or that were refused.
    pub(super) async fn due(&self) -> Result<Option<RemoteError>, StoreError> {
        let mut letters = self.store.due(&self.flow.name, DUE).await?;
        if self.options.refused_again {
            let query = DeadQuery { flow: Some(self.flow.name.clone()), limit: DUE, ..DeadQuery::default() };
            letters.append(&mut self.store.dead_letters(&query).await?);
        }
        self.try_again(letters, Take::Best).await
    }

    /// Tries the dead letters again that a person named; those that were resolved meanwhile are
    /// left alone.
    pub(super) async fn replay(&self, replay: &super::Replay) -> Result<Option<RemoteError>, StoreError> {
        let mut letters = Vec::with_capacity(replay.keys.len());
        for key in &replay.keys {
            let letter = self.store.dead_letter(&self.flow.name, key).await?;
            letters.extend(letter.filter(|letter| letter.resolved_at.is_none()));
        }
        self.try_again(letters, replay.take).await
    }

    async fn try_again(
        &self,
        letters: Vec<DeadLetter>,
        take: Take,
    ) -> Result<Option<RemoteError>, StoreError> {
        let mut letters = letters.into_iter();
        loop {
            let chunk: Vec<DeadLetter> = letters.by_ref().take(PAGE).collect();
            if chunk.is_empty() {
                return Ok(None);
            }
            let records = match self.taken(chunk, take).await {
                Ok(records) => records,
                Err(error) => return Ok(Some(error)),
            };
            let page = PageRun { run: self, again: true, named: false };
            let walked = page.walk(ReadPage { records, cursor: None }).await?;
            if let Some(error) = page.settle(walked, false, false).await?.halted {
                return Ok(Some(error));
            }
        }
    }

    /// The records of dead letters, as they are to be tried.
    async fn taken(&self, letters: Vec<DeadLetter>, take: Take) -> Result<Vec<Record>, RemoteError> {
        let edited = |letter: &DeadLetter| take != Take::Afresh && letter.edited.is_some();
        let asked: Vec<&DeadLetter> =
            letters.iter().filter(|letter| take != Take::AsRead && !edited(letter)).collect();
        let mut now = self.fresh(&asked).await?;
        let mut records = Vec::new();
        for letter in letters {
            let kept = match letter.edited {
                Some(edit) if take != Take::Afresh => edit.payload,
                _ => letter.payload,
            };
            if let Some(record) = now.remove(&letter.source_key) {
                records.push(record);
                continue;
            }
            let opened = self.flow.vault.opened(&self.flow.name, &letter.source_key, kept).await;
            let kept = opened.map_err(|trouble| unopened(&self.flow.name, &trouble))?;
            if let Ok(Value::Map(record)) = read_json(&kept.into()) {
                records.push(record);
            } else {
                let key = letter.source_key;
                tracing::error!(flow = self.flow.name, key, "a kept record is unreadable");
            }
        }
        Ok(records)
    }

    /// What the source has now of these records, where it can be asked.
    async fn fresh(&self, letters: &[&DeadLetter]) -> Result<HashMap<String, Record>, RemoteError> {
        let source = &self.sides.source;
        let resource = &self.flow.plan.fetch.resource;
        let by = [source.key_field(resource)];
        let mut now: HashMap<String, Record> = HashMap::new();
        if let Some(find) = source.session.find(resource).filter(|_| source.finds(resource, &by)) {
            for chunk in letters.chunks(source.batch(resource, &by)) {
                let keys: Vec<_> =
                    chunk.iter().map(|letter| vec![Value::from(letter.source_key.as_str())]).collect();
                for (letter, found) in chunk.iter().zip(find.find(resource, &by, &keys).await?) {
                    if let Some(record) = found.into_iter().next() {
                        now.insert(letter.source_key.clone(), record);
                    }
                }
            }
        }
        Ok(now)
    }
}

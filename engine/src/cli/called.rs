//! What people call a record: by the number that they know, with its key in the source behind it.

use std::collections::HashMap;

use connectors::record::{Record, Value, read_json};

use crate::load::Loader;
use crate::project::Project;
use crate::shade::{BLOT, masked};
use crate::store::DeadLetter;
use crate::trouble::Trouble;

/// `2026-1002 (1364)`; the key alone where that is what people know.
pub(super) fn called(name: Option<&str>, key: &str) -> String {
    name.map_or_else(|| key.to_owned(), |name| format!("{name} ({key})"))
}

/// Finds what people call refused records.
pub(super) struct Names<'p> {
    project: &'p Project,
    loader: Option<Loader<'p>>,
    /// By flow, the field that has it.
    fields: HashMap<String, Option<String>>,
}

impl<'p> Names<'p> {
    pub(super) fn new(project: &'p Project) -> Self {
        Self { project, loader: Loader::new(project).ok(), fields: HashMap::new() }
    }

    /// What people call a record that was refused, where that is not its key. Of one that cannot be
    /// opened, and of a flow that is gone, nobody knows.
    pub(super) async fn of(&mut self, letter: &DeadLetter) -> Option<String> {
        if !self.fields.contains_key(&letter.flow) {
            self.fields.insert(letter.flow.clone(), self.field(&letter.flow));
        }
        let field = self.fields.get(&letter.flow)?.as_deref()?;
        let record = opened(self.project, letter, &letter.payload).await.ok()??;
        let name = record.at(field)?.plain();
        (!name.is_empty() && name != BLOT && name != letter.source_key).then_some(name)
    }

    /// The field that people know the records of a flow by.
    fn field(&self, flow: &str) -> Option<String> {
        let entry = self.project.flow(flow).ok()?;
        let (_, plan) = self.loader.as_ref()?.check(entry).ok()?;
        let source = self.project.connection(entry, &plan.source.name, &plan.source.system).ok()?;
        source.connector.manifest().resources.get(&plan.fetch.resource)?.known_by.clone()
    }
}

/// The record of a payload that may be sealed, with what the project masks masked; [`None`]: it is
/// no record.
pub(super) async fn opened(
    project: &Project,
    letter: &DeadLetter,
    payload: &[u8],
) -> Result<Option<Record>, Trouble> {
    let bytes = project.vault.opened(&letter.flow, &letter.source_key, payload.to_vec()).await?;
    Ok(match read_json(&bytes.into()) {
        Ok(Value::Map(record)) => Some(masked(&record, &project.privacy.mask)),
        _ => None,
    })
}

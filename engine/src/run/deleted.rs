//! Records that the source has deleted: nothing is made of them any more, and what was made of
//! them is written as the lines `on delete` say.
//!
//! What a record holds is not known any more, so no step is done. What was made of it, and where,
//! is in the ledger.

use std::sync::Arc;

use connectors::contract::DELETED;
use connectors::manifest::Deleted;
use connectors::record::{Record, Value};

use super::scope::Scope;
use super::unfinished::is_in_doubt;
use super::walk::{Stop, Walk};
use super::write::Job;
use crate::program::{Act, Step, Write};
use crate::store::Written;

/// The source says of a record that it was deleted; `tells` is how it does.
pub(super) fn is_deleted(tells: Option<&Deleted>, record: &Record) -> bool {
    let field = match tells {
        Some(Deleted::Field(field)) => record.get(field),
        Some(Deleted::Event(_)) | None => None,
    };
    let says_so = field.is_some_and(|value| value.as_bool().unwrap_or(!value.says_nothing()));
    says_so || record.get(DELETED).is_some()
}

impl Walk<'_> {
    /// Takes note of the deletion in the target.
    pub(super) async fn deleted(&self, scope: &mut Scope<'_>) -> Result<(), Stop> {
        let mut writes = Vec::new();
        told(&self.flow.program.steps, &mut writes);
        let mut is_told = false;
        for write in writes {
            for before in self.known.written.iter().filter(|before| before.write_id == write.id) {
                is_told |= self.tell(write, before, scope).await?;
            }
            self.has_no_other(write)?;
        }
        if is_told {
            return Ok(());
        }
        let title = self.sides.source.title();
        Err(match self.known {
            // Never taken up: as if a filter had left it out.
            known if known.ledger.is_none() && known.intent.is_none() => Stop::Filtered,
            known if known.written.is_empty() => {
                Stop::Skipped(format!("it was deleted in {title}, and nothing had been made of it"))
            }
            _ => Stop::Skipped(format!("it was deleted in {title}")),
        })
    }

    /// Writes the lines `on delete` of one write to what it made.
    async fn tell(&self, write: &Write, before: &Written, scope: &Scope<'_>) -> Result<bool, Stop> {
        if is_in_doubt(before) {
            return Err(self.in_doubt(write));
        }
        if before.target_key.is_empty() {
            return Ok(false);
        }
        let wanted = self.record(&write.deleted, scope, false)?;
        let (resource, target) = (&write.resource, &self.sides.target);
        let by: Arc<[String]> = vec![target.key_field(resource)].into();
        let found = self.single(resource, &by, vec![Value::from(before.target_key.as_str())]).await?;
        // What is gone from the target as well needs no word.
        if let Some(found) = found {
            let job = Job { write, item: before.item.clone(), before: Some(before) };
            self.change(&job, &wanted, found).await?;
        }
        Ok(true)
    }

    /// A process that died may have made something that nobody has noted.
    fn has_no_other(&self, write: &Write) -> Result<(), Stop> {
        let is_known = self.known.written.iter().any(|before| before.write_id == write.id);
        if self.known.intent.is_some() && !is_known { Err(self.in_doubt(write)) } else { Ok(()) }
    }

    fn in_doubt(&self, write: &Write) -> Stop {
        self.note(|done| done.in_doubt = true);
        let [source, target] = [self.sides.source.title(), self.sides.target.title()];
        let reason = format!(
            "it was deleted in {source} while it was on its way, and it is not known whether {} was made of it; look in {target} by hand, then drop the record",
            write.resource
        );
        Stop::failed("outcome unknown", reason)
    }
}

/// Writes that have lines `on delete`, in the order of the flow.
fn told<'s>(steps: &'s [Step], writes: &mut Vec<&'s Write>) {
    for step in steps {
        match &step.action {
            Act::Write(write) if !write.deleted.is_empty() => writes.push(write),
            Act::Each(_, _, steps) => told(steps, writes),
            Act::When(_, then, otherwise) => {
                told(then, writes);
                told(otherwise, writes);
            }
            _ => {}
        }
    }
}

//! Records that were begun and did not come to their end.
//!
//! A flow may ask whether something is there before it makes it, and do some things only when it
//! was not: put a new product into its category, pay a new order. When a record has to be taken up
//! again halfway, what it has made itself is there by then, and those things would be left out for
//! ever. So until a walk comes to the write that made it, a look-up does not see it: the record
//! goes its way as if it had never been begun, and each write finds what is done already.
//!
//! What was made for an unfinished record stands among what was written for it, under a
//! fingerprint of its own. A create that was sent and neither accepted nor refused stands there
//! without a key.

use std::sync::Arc;

use connectors::contract::{Advice, RemoteError};
use connectors::record::{Record, Value};
use dsl::plan::{Side, UpsertKey};

use super::walk::{Done, Stop, Walk};
use super::write::Job;
use crate::program::{Act, Do, Lookup, Step, Write};
use crate::store::{Fingerprint, Known, Written};

/// In the place of the fingerprint of what was sent.
const UNFINISHED: Fingerprint = Fingerprint([0xff; 16]);

/// Made for a record that has not come to its end since.
pub(super) fn is_unfinished(written: &Written) -> bool {
    written.sent_print == UNFINISHED
}

/// Sent, and neither accepted nor refused: the key is not known.
pub(super) fn is_in_doubt(written: &Written) -> bool {
    is_unfinished(written) && written.target_key.is_empty()
}

/// A create of that write is sent, and its outcome unknown. What it makes would be found by these
/// fields of what is wanted; they are kept as fingerprints.
pub(super) fn in_doubt(write_id: &str, item: &str, wanted: &Record, sets: &[Arc<[String]>]) -> Written {
    let (write_id, item) = (write_id.to_owned(), item.to_owned());
    let sent = Some(ways(wanted, sets).into_iter().flat_map(|way| way.0).collect());
    Written { write_id, item, target_key: String::new(), sent_print: UNFINISHED, sent }
}

/// The ways to find a record, of those that it has values for.
pub(super) fn ways(record: &Record, sets: &[Arc<[String]>]) -> Vec<Fingerprint> {
    let way = |set: &Arc<[String]>| {
        let values: Option<Vec<Value>> = set.iter().map(|field| record.get(field).cloned()).collect();
        let values = values.filter(|values| !values.iter().any(Value::says_nothing))?;
        Some(found_by(set, &values))
    };
    sets.iter().filter_map(way).collect()
}

/// A way to find a record: fields with their values.
fn found_by(by: &[String], values: &[Value]) -> Fingerprint {
    let mut text = String::new();
    for (field, value) in by.iter().zip(values) {
        text.push_str(field);
        text.push('\0');
        text.push_str(&value.plain().to_lowercase());
        text.push('\0');
    }
    Fingerprint::of(text.as_bytes())
}

/// What was in doubt is found in that way.
fn would_find(written: &Written, way: Fingerprint) -> bool {
    written.sent.as_deref().unwrap_or_default().chunks(way.0.len()).any(|print| print == way.0)
}

/// Marks what was made when the record did not come to its end, and takes the marks away when it
/// did.
pub(super) fn mark(done: &mut Done, stop: Option<&Stop>, known: &Known) {
    if matches!(stop, Some(Stop::Failed { .. } | Stop::Wait(_) | Stop::Halt(_))) {
        let made = |written: &Written| {
            let was_unfinished = |old: &Written| is_unfinished(old) && old.is_same_write(written);
            done.history.writes.iter().any(|wrote| {
                wrote.write == written.write_id
                    && wrote.key.as_deref() == Some(&*written.target_key)
                    && matches!(wrote.did, "created" | "adopted")
            }) || known.written.iter().any(was_unfinished)
        };
        let made: Vec<bool> = done.written.iter().map(made).collect();
        for (written, _) in done.written.iter_mut().zip(made).filter(|(_, made)| *made) {
            written.sent_print = UNFINISHED;
        }
        return;
    }
    // What the walk did not come by again is finished all the same.
    for old in known.written.iter().filter(|old| is_unfinished(old) && !is_in_doubt(old)) {
        if !done.written.iter().any(|new| new.is_same_write(old)) {
            done.written.push(Written { sent_print: Fingerprint::default(), ..old.clone() });
        }
    }
}

impl Walk<'_> {
    /// What a look-up finds, without what this record itself has made and not come to yet.
    /// `None`: all of it.
    pub(super) fn unless_own(&self, lookup: &Lookup, key: &[Value], found: &[Record]) -> Option<Vec<Record>> {
        let mut own = self.known.written.iter().filter(|written| is_unfinished(written)).peekable();
        if lookup.side != Side::Target || found.is_empty() || own.peek().is_none() {
            return None;
        }
        let key_field = self.sides.target.key_field(&lookup.resource);
        let way = found_by(&lookup.by, key);
        let own: Vec<&Written> = own
            .filter(|written| {
                !self.has_come_to(written)
                    && write_of(&self.flow.program.steps, &written.write_id).is_some_and(|write| {
                        write.resource == lookup.resource
                            && (!is_in_doubt(written) || would_find(written, way))
                    })
            })
            .collect();
        let is_own = |record: &Record| {
            own.iter().any(|written| {
                is_in_doubt(written)
                    || record.get(&key_field).map(Value::plain).as_deref() == Some(&*written.target_key)
            })
        };
        Some(found.iter().filter(|record| !is_own(record)).cloned().collect())
    }

    /// The write has done its work in this walk.
    fn has_come_to(&self, written: &Written) -> bool {
        let done = self.done.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        done.history.writes.iter().any(|wrote| {
            wrote.write == written.write_id
                && wrote.did != "refused"
                && (is_in_doubt(written) || wrote.key.as_deref() == Some(&*written.target_key))
        })
    }

    /// Notes that a create is on its way, where the flow asks whether such a record is there and
    /// writes more after it: were the process to die in between, the rest would be left out for
    /// ever.
    pub(super) async fn note_ahead(
        &self,
        job: &Job<'_>,
        wanted: &Record,
        sets: &[Arc<[String]>],
    ) -> Result<(), Stop> {
        let steps = &self.flow.program.steps;
        if !is_followed(steps, job.write) || !self.is_looked_for(steps, job.write) {
            return Ok(());
        }
        let ahead = in_doubt(&job.write.id, &job.item, wanted, sets);
        self.notes.note(self.key, &ahead).await.map_err(|error| {
            let reason = format!("what was to be created could not be noted: {error}");
            Stop::Halt(RemoteError::new(Advice::Retry(None), "the store", reason))
        })
    }

    /// A look-up of the flow may find what this write makes.
    fn is_looked_for(&self, steps: &[Step], write: &Write) -> bool {
        steps.iter().any(|step| match &step.action {
            Act::Lookup(lookup) => {
                lookup.side == Side::Target
                    && lookup.resource == write.resource
                    && self.is_found_by(write, &lookup.by)
            }
            Act::Each(_, _, steps) => self.is_looked_for(steps, write),
            Act::When(_, then, otherwise) => {
                self.is_looked_for(then, write) || self.is_looked_for(otherwise, write)
            }
            _ => false,
        })
    }

    /// The write itself looks by these fields before it makes anything.
    fn is_found_by(&self, write: &Write, by: &[String]) -> bool {
        match &write.verb {
            Do::Create => self.sides.target.unique_sets(&write.resource).iter().any(|set| **set == *by),
            Do::Update(..) => false,
            Do::Upsert(keys) => keys.iter().any(|key| match key {
                UpsertKey::Fields(fields) => fields == by,
                UpsertKey::Setting(name) => {
                    by.len() == 1
                        && self.flow.setting(name).and_then(|value| value.as_str())
                            == by.first().map(String::as_str)
                }
            }),
        }
    }
}

/// Some write may be done after this one.
fn is_followed(steps: &[Step], write: &Write) -> bool {
    fn goes_on(steps: &[Step], write: &Write, passed: &mut bool) -> bool {
        steps.iter().any(|step| match &step.action {
            Act::Write(other) if other.id == write.id => {
                *passed = true;
                false
            }
            Act::Write(_) => *passed,
            // After one item comes the next.
            Act::Each(_, _, steps) => {
                let before = *passed;
                goes_on(steps, write, passed) || *passed != before
            }
            Act::When(_, then, otherwise) => {
                goes_on(then, write, passed) || goes_on(otherwise, write, passed)
            }
            _ => false,
        })
    }
    goes_on(steps, write, &mut false)
}

/// The write of that name.
fn write_of<'s>(steps: &'s [Step], id: &str) -> Option<&'s Write> {
    steps.iter().find_map(|step| match &step.action {
        Act::Write(write) => (write.id == id).then_some(write),
        Act::Each(_, _, steps) => write_of(steps, id),
        Act::When(_, then, otherwise) => write_of(then, id).or_else(|| write_of(otherwise, id)),
        _ => None,
    })
}

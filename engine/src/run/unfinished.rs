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

use connectors::record::Record;
use dsl::plan::{Side, UpsertKey};

use super::walk::{Done, Stop, Walk};
use super::write::plain;
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

/// A create of that write was sent, and its outcome is unknown.
pub(super) fn in_doubt(write_id: &str, item: &str) -> Written {
    let (write_id, item) = (write_id.to_owned(), item.to_owned());
    Written { write_id, item, target_key: String::new(), sent_print: UNFINISHED, sent: None }
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
    pub(super) fn unless_own(&self, lookup: &Lookup, found: &[Record]) -> Option<Vec<Record>> {
        let mut own = self.known.written.iter().filter(|written| is_unfinished(written)).peekable();
        if lookup.side != Side::Target || found.is_empty() || own.peek().is_none() {
            return None;
        }
        let key_field = self.sides.target.key_field(&lookup.resource);
        let own: Vec<&Written> = own
            .filter(|written| {
                !self.has_come_to(written)
                    && write_of(&self.flow.program.steps, &written.write_id).is_some_and(|write| {
                        write.resource == lookup.resource
                            && (!is_in_doubt(written) || self.is_found_by(write, &lookup.by))
                    })
            })
            .collect();
        let is_own = |record: &Record| {
            own.iter().any(|written| {
                is_in_doubt(written)
                    || record.get(&key_field).map(plain).as_deref() == Some(&*written.target_key)
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

/// The write of that name.
fn write_of<'s>(steps: &'s [Step], id: &str) -> Option<&'s Write> {
    steps.iter().find_map(|step| match &step.action {
        Act::Write(write) => (write.id == id).then_some(write),
        Act::Each(_, _, steps) => write_of(steps, id),
        Act::When(_, then, otherwise) => write_of(then, id).or_else(|| write_of(otherwise, id)),
        _ => None,
    })
}

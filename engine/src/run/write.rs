//! Create, update, upsert: never twice, and nothing that the target has already.

use std::sync::Arc;
use std::time::Duration;

use connectors::contract::{Advice, Key, RemoteError, Written as Answer};
use connectors::http::recorded;
use connectors::record::{Record, Value};
use dsl::plan::{Side, UpsertKey};

use super::differ::differences;
use super::fingerprint;
use super::history::Wrote;
use super::outgoing::Outgoing;
use super::scope::Scope;
use super::unfinished::{in_doubt, is_in_doubt, is_unfinished, ways};
use super::walk::{Stop, Walk};
use crate::program::{Do, Write};
use crate::store::{Fingerprint, Written};

/// Times that a create whose outcome is unknown is looked for and repeated.
const RESOLVES: u32 = 4;

/// Pause before a create is looked for whose answer was lost: it may still be under way.
const SETTLING: Duration = Duration::from_millis(200);

/// One write of one record.
pub(super) struct Job<'w> {
    pub(super) write: &'w Write,
    /// Which item, inside `each`: by its key, and by its place only where it has none, for
    /// lists change their order. Empty outside.
    pub(super) item: String,
    /// What was last written for this record by this write.
    pub(super) before: Option<&'w Written>,
}

impl Walk<'_> {
    /// Does a write and gives the record as the target now has it.
    pub(super) async fn write(
        &self,
        write: &Write,
        scope: &mut Scope<'_>,
        item: &str,
    ) -> Result<Record, Stop> {
        match &write.verb {
            Do::Create => self.create_once(write, scope, item).await,
            Do::Update(by, values) => {
                let mut key = Vec::with_capacity(values.len());
                for value in values {
                    key.push(self.value(value, scope)?);
                }
                let asked = Value::List(key.clone());
                let Some(found) = self.single(&write.resource, by, key).await? else {
                    let reason =
                        format!("no {} with {} = {asked} to update", write.resource, by.join(" and "));
                    return Err(Stop::failed("not found", reason));
                };
                let job = self.job(write, item, &asked);
                self.update(&job, scope, found).await
            }
            Do::Upsert(keys) => self.upsert(write, scope, keys, item).await,
        }
    }

    /// What is known of a write of this record; `key` tells the items of a list apart.
    fn job<'w>(&'w self, write: &'w Write, place: &str, key: &Value) -> Job<'w> {
        let item = match key {
            _ if place.is_empty() => String::new(),
            Value::List(values) if !values.iter().any(Value::says_nothing) && !values.is_empty() => {
                key.to_string()
            }
            _ => place.to_owned(),
        };
        let is_same = |one: &&Written| one.write_id == write.id && one.item == item && !is_in_doubt(one);
        let before = self.known.written.iter().find(is_same);
        Job { write, item, before }
    }

    /// A create that this record has made before is not made again.
    async fn create_once(&self, write: &Write, scope: &mut Scope<'_>, item: &str) -> Result<Record, Stop> {
        scope.creating(true);
        let wanted = self.record(&write.lines, scope, true)?;
        let sets = self.sides.target.unique_sets(&write.resource);
        let key = sets.first().map_or(Value::Null, |set| Value::List(values(&wanted, set)));
        let job = &self.job(write, item, &key);
        if let Some(before) = job.before {
            let mut record = wanted;
            // One that was created by the page has told no key but its own.
            let key = Some(before.target_key.as_str()).filter(|key| !key.is_empty());
            if is_unfinished(before) {
                self.link(job, &before.target_key, fingerprint(&record));
            }
            if let Some(key) = key {
                record.set(self.sides.target.key_field(&job.write.resource), key);
            }
            self.wrote(job, "unchanged", key, Vec::new(), Record::new(), Vec::new());
            return Ok(record);
        }
        let ways = ways_of(job, &wanted, &sets);
        // Records that would create the same take turns.
        let name = ways.first().map_or_else(|| self.key.to_owned(), |way| format!("{way:?}"));
        let _turn = self.finder.hold(format!("create {} {name}", job.write.resource)).await;
        // A process may have died while this record was on its way, or another record have been
        // quicker since this one looked: it may be there.
        let look = self.known.intent.is_some() || self.finder.is_made(&ways);
        self.create(job, wanted, &sets, look).await
    }

    async fn upsert(
        &self,
        write: &Write,
        scope: &mut Scope<'_>,
        keys: &[UpsertKey],
        item: &str,
    ) -> Result<Record, Stop> {
        let resource = &write.resource;
        let mut sets: Vec<Arc<[String]>> = Vec::new();
        for key in keys {
            match key {
                UpsertKey::Fields(fields) => sets.push(fields.as_slice().into()),
                UpsertKey::Setting(name) => {
                    let field =
                        self.flow.setting(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                    sets.push(vec![field].into());
                }
            }
        }
        // Key fields stand in the block without conditions, so they are there either way.
        scope.creating(true);
        let wanted = self.record(&write.lines, scope, true)?;
        let key = sets.first().map_or(Value::Null, |set| Value::List(values(&wanted, set)));
        let job = &self.job(write, item, &key);
        let mut turn = None;
        let mut found = None;
        let mut asked = false;
        if let Some(before) = job.before {
            let key_field: Arc<[String]> = vec![self.sides.target.key_field(resource)].into();
            if self.sides.target.finds(resource, &key_field) {
                found =
                    self.single(resource, &key_field, vec![Value::from(before.target_key.as_str())]).await?;
            }
        }
        for set in &sets {
            if found.is_some() {
                break;
            }
            let key = values(&wanted, set);
            if key.iter().any(Value::says_nothing) {
                continue;
            }
            asked = true;
            if turn.is_none() {
                let name = format!("upsert {resource} {}", Value::List(key.clone()));
                turn = Some(self.finder.hold(name).await);
            }
            found = self.single(resource, set, key).await?;
        }
        match found {
            Some(found) => {
                scope.creating(false);
                self.update(job, scope, found).await
            }
            // It was looked for a moment ago, and whoever else wants to create it waits its turn.
            None if asked || job.before.is_some() => self.create(job, wanted, &sets, false).await,
            None => {
                let fields = sets.iter().map(|set| set.join(" and ")).collect::<Vec<_>>().join(" or ");
                let reason = format!("{resource} cannot be matched: {fields} has no value");
                Err(Stop::failed("no key", reason))
            }
        }
    }

    /// The one record with that key, if there is one.
    pub(super) async fn single(
        &self,
        resource: &Arc<str>,
        by: &Arc<[String]>,
        key: Key,
    ) -> Result<Option<Record>, Stop> {
        self.may_look(Side::Target, resource, by, &key)?;
        let found = self.finder.find(Side::Target, resource, by, key.clone()).await?;
        self.note(|done| done.history.looked_up(resource, by, key.clone(), found.len()));
        match found.as_slice() {
            [] => Ok(None),
            [only] => Ok(Some(only.clone())),
            several => {
                let asked = Value::List(key);
                let reason = format!(
                    "{} {resource} have {} = {asked}: which one is meant cannot be told; merge them in {}",
                    several.len(),
                    by.join(" and "),
                    self.sides.target.title()
                );
                Err(Stop::failed("ambiguous", reason))
            }
        }
    }

    async fn update(&self, job: &Job<'_>, scope: &mut Scope<'_>, found: Record) -> Result<Record, Stop> {
        scope.creating(false);
        let wanted = self.record(&job.write.lines, scope, false)?;
        self.change(job, &wanted, found).await
    }

    /// Changes what is there into what is wanted; the record as it is then.
    pub(super) async fn change(
        &self,
        job: &Job<'_>,
        wanted: &Record,
        mut found: Record,
    ) -> Result<Record, Stop> {
        let (resource, target) = (&job.write.resource, &self.sides.target);
        let print = fingerprint(wanted);
        let key_field = target.key_field(resource);
        let Some(key) = found.get(&key_field).map(Value::plain) else {
            let reason = format!("{} gave {resource} without `{key_field}`", target.title());
            return Err(Stop::failed("refused by a system", reason));
        };
        let same_as_sent =
            job.before.is_some_and(|before| before.sent_print == print && before.target_key == key);
        let changes = differences(wanted, &found, target.fields(resource), same_as_sent);
        if changes.is_empty() {
            self.wrote(job, "unchanged", Some(&key), Vec::new(), Record::new(), Vec::new());
            if job.before.is_none_or(is_unfinished) {
                self.link(job, &key, print);
            }
            return Ok(found);
        }
        let before: Record =
            changes.iter().filter_map(|(name, _)| Some((name.clone(), found.get(name)?.clone()))).collect();
        let Some(update) = target.session.update(resource) else {
            return Err(target.cannot("update", resource).into());
        };
        let outgoing = self.outgoing(job, Some(&key), &changes, &before);
        self.may_leave(&outgoing)?;
        let (answer, exchanges) = recorded(update.update(resource, &key, &changes, Some(&found))).await;
        self.finder.forget(resource);
        match answer {
            Ok(_) => {
                self.arrived(&outgoing, &key);
                self.wrote(job, "updated", Some(&key), json(&changes), before, exchanges);
                self.link(job, &key, print);
                self.note(|done| done.updated = true);
                for (name, value) in changes.iter() {
                    found.set(name, value.clone());
                }
                Ok(found)
            }
            Err(error) => {
                self.wrote(job, "refused", Some(&key), json(&changes), before, exchanges);
                // Setting the same values again does no harm: a lost answer is only a delay.
                Err(if error.advice == Advice::Unknown { Stop::Wait(error) } else { error.into() })
            }
        }
    }

    /// Creates a record that is not there, as far as is known. Looks before it repeats.
    ///
    /// `sets` are the fields that it can be found by; `look` asks for it before the first try.
    async fn create(
        &self,
        job: &Job<'_>,
        wanted: Record,
        sets: &[Arc<[String]>],
        look: bool,
    ) -> Result<Record, Stop> {
        let (resource, target) = (&job.write.resource, &self.sides.target);
        let Some(create) = target.session.create(resource) else {
            return Err(target.cannot("create", resource).into());
        };
        let idempotency_key = self.idempotency_key(job);
        let nothing = Record::new();
        let outgoing = self.outgoing(job, None, &wanted, &nothing);
        self.may_leave(&outgoing)?;
        let mut look_first = look;
        let mut lost = None;
        for _ in 0..RESOLVES {
            if look_first && let Some(there) = self.already_there(job, &wanted, sets).await? {
                if let Some(key) = there.get(&target.key_field(resource)).map(Value::plain) {
                    self.arrived(&outgoing, &key);
                }
                return Ok(there);
            }
            self.note_ahead(job, &wanted, sets).await?;
            let (answer, exchanges) = recorded(create.create(resource, &wanted, &idempotency_key)).await;
            self.finder.forget(resource);
            match answer {
                Ok(Answer { key, record }) => {
                    self.arrived(&outgoing, &key);
                    self.finder.was_made(&ways_of(job, &wanted, sets));
                    let sent = json(&wanted);
                    self.link(job, &key, Fingerprint::of(&sent));
                    self.wrote(job, "created", Some(&key), sent, Record::new(), exchanges);
                    self.note(|done| done.created = true);
                    let mut made = wanted;
                    for (name, value) in record {
                        made.set(name, value);
                    }
                    made.set(target.key_field(resource), key.as_str());
                    return Ok(made);
                }
                Err(error) if error.advice == Advice::Unknown => {
                    self.wrote(job, "refused", None, json(&wanted), Record::new(), exchanges);
                    // Whatever comes in between: nothing is created before it was looked for.
                    self.note(|done| {
                        done.in_doubt = true;
                        done.written.push(in_doubt(&job.write.id, &job.item, &wanted, sets));
                    });
                    lost = Some(error);
                    look_first = true;
                    tokio::time::sleep(SETTLING).await;
                }
                Err(error) => {
                    self.wrote(job, "refused", None, json(&wanted), Record::new(), exchanges);
                    self.no_doubt(job);
                    return Err(error.into());
                }
            }
        }
        self.note(|done| done.in_doubt = true);
        let error = lost.unwrap_or_else(|| {
            RemoteError::new(Advice::Retry(None), target.title(), "the create could not be made")
        });
        // It was looked for and is not there; the next run tries again with the intent open.
        Err(Stop::Wait(RemoteError { advice: Advice::Retry(None), ..error }))
    }

    /// A record that an earlier, interrupted try has made. Without a way to tell, the record is
    /// refused: repeating could double it.
    async fn already_there(
        &self,
        job: &Job<'_>,
        wanted: &Record,
        sets: &[Arc<[String]>],
    ) -> Result<Option<Record>, Stop> {
        let (resource, target) = (&job.write.resource, &self.sides.target);
        let usable = |set: &&Arc<[String]>| {
            set.iter().all(|field| wanted.get(field).is_some_and(|value| !value.says_nothing()))
        };
        let Some(set) = sets.iter().find(usable) else {
            if target.is_idempotent(resource) {
                return Ok(None);
            }
            self.note(|done| done.in_doubt = true);
            let reason = format!(
                "it is not known whether {resource} was created, and {} cannot be searched for it; look there by hand, then replay the record",
                target.title()
            );
            return Err(Stop::failed("outcome unknown", reason));
        };
        self.finder.forget(resource);
        let key = values(wanted, set);
        let Some(found) = self.single(resource, set, key).await? else { return Ok(None) };
        let key = found.get(&target.key_field(resource)).map(Value::plain).unwrap_or_default();
        self.wrote(job, "adopted", Some(&key), Vec::new(), Record::new(), Vec::new());
        self.link(job, &key, fingerprint(wanted));
        self.note(|done| done.created = true);
        Ok(Some(found))
    }

    /// The same for every try of one create; another one after it was refused for good.
    fn idempotency_key(&self, job: &Job<'_>) -> String {
        let refused = self.known.ledger.as_ref().map_or(0, |ledger| ledger.attempts);
        let text = format!("{}\0{}\0{}\0{}\0{refused}", self.flow.name, self.key, job.write.id, job.item);
        format!("weft-{:032x}", xxhash_rust::xxh3::xxh3_128(text.as_bytes()))
    }

    fn outgoing<'o>(
        &'o self,
        job: &'o Job<'_>,
        key: Option<&'o str>,
        fields: &'o Record,
        before: &'o Record,
    ) -> Outgoing<'o> {
        let Write { id, resource, .. } = job.write;
        Outgoing { record: self.key, write: id, item: &job.item, resource, key, fields, before }
    }

    fn may_leave(&self, outgoing: &Outgoing<'_>) -> Result<(), Stop> {
        self.gate.map_or(Ok(()), |gate| gate.may_leave(outgoing)).map_err(Stop::NotAgreed)
    }

    fn arrived(&self, outgoing: &Outgoing<'_>, key: &str) {
        if let Some(gate) = self.gate {
            gate.arrived(outgoing, key);
        }
    }

    /// A create that was in doubt is there, or was refused after it had been looked for.
    fn no_doubt(&self, job: &Job<'_>) {
        self.note(|done| {
            done.in_doubt = false;
            done.written
                .retain(|one| !(is_in_doubt(one) && one.write_id == job.write.id && one.item == job.item));
        });
    }

    fn link(&self, job: &Job<'_>, key: &str, sent_print: Fingerprint) {
        self.no_doubt(job);
        let written = Written {
            write_id: job.write.id.clone(),
            item: job.item.clone(),
            target_key: key.to_owned(),
            sent_print,
            sent: None,
        };
        self.note(|done| done.written.push(written));
    }

    fn wrote(
        &self,
        job: &Job<'_>,
        did: &'static str,
        key: Option<&str>,
        sent: Vec<u8>,
        before: Record,
        exchanges: Vec<connectors::http::Exchange>,
    ) {
        let (write, key) = (job.write.id.clone(), key.map(str::to_owned));
        self.note(|done| done.history.writes.push(Wrote { write, did, key, sent, before, exchanges }));
    }
}

fn json(record: &Record) -> Vec<u8> {
    let mut text = Vec::with_capacity(1024);
    record.write_json(&mut text);
    text
}

/// The values of some fields.
fn values(record: &Record, fields: &[String]) -> Key {
    fields.iter().map(|field| record.get(field).cloned().unwrap_or_default()).collect()
}

/// The ways in which what is wanted would be found, each as one number for the resource.
fn ways_of(job: &Job<'_>, wanted: &Record, sets: &[Arc<[String]>]) -> Vec<Fingerprint> {
    let of_resource =
        |way: Fingerprint| Fingerprint::of(&[job.write.resource.as_bytes(), way.0.as_slice()].concat());
    ways(wanted, sets).into_iter().map(of_resource).collect()
}

//! A plan that is carried out: what it holds and nothing else. A record that is no longer what the
//! plan saw, on either side, is left as it is.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use connectors::record::{Record, Value};

use super::overlay::is_placeholder;
use super::{FlowPreview, PlannedWrite, ends, print};
use crate::flow::Flow;
use crate::project::{FlowEntry, Project};
use crate::run::outgoing::{Gate, Outgoing};
use crate::run::{Named, Options, Report, RunError, Sides, Wanted, Watcher, run_named};
use crate::store::Store;
use crate::trouble::Trouble;

/// The target is no longer what the plan saw.
const CHANGED: &str = "R113";

/// The keys that took the place of those that a plan could not know; one for all flows of a plan.
pub type Placeholders = Arc<Mutex<BTreeMap<String, String>>>;

/// What became of a plan's flow.
pub type Applied = Result<Report, RunError>;

/// Why a flow can no longer do what was planned: it or a connection has changed.
#[must_use]
pub fn refusal(planned: &FlowPreview, project: &Project, entry: &FlowEntry, flow: &Flow) -> Option<Trouble> {
    if flow.print != planned.print {
        let message = format!("flow `{}` is no longer what was planned; nothing of it was done", flow.name);
        return Some(
            Trouble::new("R111", message)
                .help("its text, a script, a setting or a table has changed; make the plan again"),
        );
    }
    let now = ends(project, entry, flow);
    planned.ends.iter().zip(now).find_map(|((name, then), now)| {
        let same = now.is_some_and(|now| now.name == *name && print(now) == *then);
        (!same).then(|| {
            let message = format!(
                "connection `{name}` of flow `{}` is no longer what was planned; nothing was done",
                flow.name
            );
            Trouble::new("R115", message).help("it leads somewhere else by now; make the plan again")
        })
    })
}

/// What is carried out.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// What was planned.
    pub planned: &'a FlowPreview,
    /// Keys that are known by now.
    pub keys: &'a Placeholders,
    /// Records that the source no longer has are taken as the plan has them.
    pub as_kept: bool,
}

/// Sends what was planned for one flow, record by record in the order in which they would write.
pub async fn apply(
    order: Order<'_>,
    flow: &Flow,
    sides: &Sides,
    store: &Arc<dyn Store>,
    options: &Options,
    watcher: &dyn Watcher,
) -> Applied {
    let Order { planned, keys, as_kept } = order;
    let mut writing: Vec<_> = planned.records.iter().filter(|record| !record.writes.is_empty()).collect();
    writing.sort_by_key(|record| record.turn);
    let wanted = |record: &super::PlannedRecord| Wanted {
        key: record.key.clone(),
        agreed: Some(record.source.clone()),
        kept: as_kept.then(|| record.source.clone()),
    };
    let named = Named { records: writing.iter().map(|record| wanted(record)).collect(), alone: true };
    let agreed = Agreed {
        writes: Mutex::new(
            writing.iter().map(|record| (record.key.clone(), record.writes.clone())).collect(),
        ),
        keys: Arc::clone(keys),
        target: sides.target.title().to_owned(),
    };
    run_named(flow, sides, store, options, &named, Some(&agreed), watcher).await
}

/// Lets nothing pass but what was agreed to.
pub(crate) struct Agreed {
    /// By source key: what has not been sent yet.
    writes: Mutex<HashMap<String, Vec<PlannedWrite>>>,
    keys: Placeholders,
    target: String,
}

impl Agreed {
    fn compare(&self, planned: &PlannedWrite, write: &Outgoing<'_>) -> Result<(), String> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let target = &self.target;
        let planned_key = resolved_text(&planned.key, &keys);
        let resource = write.resource;
        match (planned.creates, write.key) {
            (true, Some(key)) => {
                return Err(format!(
                    "{CHANGED}: {resource} {key} was to be created, but is in {target} by now"
                ));
            }
            (false, None) => {
                return Err(format!("{CHANGED}: {resource} {planned_key} is no longer in {target}"));
            }
            (false, Some(key)) if planned_key != key => {
                return Err(format!(
                    "{CHANGED}: {resource} {planned_key} was to be changed, and now it would be {key}"
                ));
            }
            _ => {}
        }
        let fields = resolved(&planned.fields, &keys);
        if let Some(change) = differing(&fields, write.fields) {
            return Err(format!("{CHANGED}: {resource}: {change}"));
        }
        let before = resolved(&planned.before, &keys);
        match differing(&before, write.before) {
            Some(change) => {
                Err(format!("{CHANGED}: {resource} {planned_key} has changed in {target}: {change}"))
            }
            None => Ok(()),
        }
    }
}

impl Gate for Agreed {
    fn may_leave(&self, write: &Outgoing<'_>) -> Result<(), String> {
        let writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        let planned = writes.get(write.record).map_or(&[][..], Vec::as_slice);
        let same = |planned: &&PlannedWrite| {
            let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            planned.write == write.write && resolved_text(&planned.item, &keys) == write.item
        };
        let mut why = format!(
            "{CHANGED}: `{}` was not planned; what it depends on was not there, or has changed",
            write.write
        );
        for planned in planned.iter().filter(same) {
            match self.compare(planned, write) {
                Ok(()) => return Ok(()),
                Err(reason) => why = reason,
            }
        }
        Err(why)
    }

    fn arrived(&self, write: &Outgoing<'_>, key: &str) {
        let mut writes = self.writes.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(planned) = writes.get_mut(write.record) else { return };
        let place = planned.iter().position(|planned| {
            let same = {
                let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
                planned.write == write.write && resolved_text(&planned.item, &keys) == write.item
            };
            same && self.compare(planned, write).is_ok()
        });
        if let Some(planned) = place.map(|place| planned.remove(place))
            && is_placeholder(&planned.key)
        {
            let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
            keys.insert(planned.key, key.to_owned());
        }
    }
}

/// The first field in which what would be sent differs from what was planned.
fn differing(planned: &Record, now: &Record) -> Option<String> {
    let names = planned.iter().chain(now.iter()).map(|(name, _)| name);
    names.into_iter().find_map(|name| {
        let [before, after] = [planned, now].map(|record| record.get(name).unwrap_or(&Value::Null));
        if before.to_string() == after.to_string() {
            return None;
        }
        Some(match before {
            Value::Map(_) | Value::List(_) => format!("`{name}` is not what was planned"),
            _ => format!("`{name}` was {before} when it was planned, and is {after}"),
        })
    })
}

/// The record with keys in the place of texts that stand for them.
fn resolved(record: &Record, keys: &BTreeMap<String, String>) -> Record {
    record.iter().map(|(name, value)| (name.clone(), resolved_value(value, keys))).collect()
}

fn resolved_value(value: &Value, keys: &BTreeMap<String, String>) -> Value {
    match value {
        Value::Text(text) if is_placeholder(text) => Value::from(resolved_text(text, keys)),
        Value::List(items) => Value::List(items.iter().map(|item| resolved_value(item, keys)).collect()),
        Value::Map(record) => Value::Map(resolved(record, keys)),
        other => other.clone(),
    }
}

fn resolved_text(text: &str, keys: &BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    if is_placeholder(&text) {
        for (placeholder, key) in keys {
            text = text.replace(placeholder.as_str(), key);
        }
    }
    text
}

impl PlannedWrite {
    /// With keys in the place of texts that stand for them.
    #[must_use]
    pub fn resolved(&self, keys: &BTreeMap<String, String>) -> Self {
        Self {
            item: resolved_text(&self.item, keys),
            key: resolved_text(&self.key, keys),
            fields: resolved(&self.fields, keys),
            before: resolved(&self.before, keys),
            ..self.clone()
        }
    }
}

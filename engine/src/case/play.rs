//! Plays one case of a flow: the real engine, two systems in memory, a name of its own in the store.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use connectors::contract::{self, Session};
use connectors::manifest::Manifest;
use connectors::record::{Record, Value, read_json};
use dsl::plan::{Action, Plan, Role, Step};

use super::memory::{Memory, plain};
use super::read::FlowCase;
use super::trace::Trace;
use crate::flow::Flow;
use crate::load::{Loader, Problems};
use crate::project::{FlowEntry, Privacy};
use crate::run::{Named, Options, Party, Sides, Wanted, Watcher, run, run_named};
use crate::script::ReadRows;
use crate::store::{Counts, HistoryRow, OutcomeWord, Store};
use crate::trouble::Trouble;

/// What came of a case.
pub(super) struct Played {
    /// By key of the source's record, as expectations are written.
    pub(super) came: Record,
    /// Why the run could not go on.
    pub(super) ended: Option<String>,
    pub(super) trace: Arc<Trace>,
    pub(super) rows: Vec<ReadRows>,
}

/// A flow that is right: its text, and what is meant by it.
pub(super) type Checked = (Arc<str>, Plan);

/// The manifests of the systems that a flow joins.
pub(super) struct Manifests {
    pub(super) source: Manifest,
    pub(super) target: Manifest,
}

/// Nobody watches.
struct Quiet;

impl Watcher for Quiet {
    fn page(&self, _: &Counts) {}
    fn refused(&self, _: &str, _: &str) {}
    fn waits(&self, _: &str) {}
}

/// Runs the flow once over the records of the case. The store knows it by another name each
/// `round`, so that no case has a past.
pub(super) async fn play(
    loader: &Loader<'_>,
    (entry, checked): (&FlowEntry, &Checked),
    manifests: &Manifests,
    case: &FlowCase,
    (store, round): (&Arc<dyn Store>, usize),
) -> Result<Played, Problems> {
    let trace = Arc::new(Trace::default());
    let mut flow = loader.flow_below(entry, checked.clone(), &case.given, Some(Arc::clone(&trace)))?;
    flow.name = format!("{}, case {round}", flow.name);
    // Whatever a project keeps of real people: here there are none.
    flow.privacy = Privacy::default();
    let source = Arc::new(Memory::new(manifests.source.clone(), &case.source));
    let target = Arc::new(Memory::new(manifests.target.clone(), &case.target));
    let party = |role: &Role, session: &Arc<Memory>, manifest: &Manifest| {
        Party::new(&role.name, Arc::clone(session) as Arc<dyn Session>, manifest.clone())
    };
    let sides = Sides {
        source: party(&flow.plan.source, &source, &manifests.source),
        target: party(&flow.plan.target, &target, &manifests.target),
    };
    let options = Options {
        cause: "test".to_owned(),
        full: false,
        refused_again: false,
        stop: Arc::new(AtomicBool::new(false)),
    };
    let told = |trouble: Trouble| vec![trouble.into()];
    let report = run(&flow, &sides, store, &options, &Quiet).await;
    let report =
        report.map_err(|error| told(Trouble::new("R126", format!("the case cannot be run: {error}"))))?;
    let mut ended = report.error;
    if !case.deleted.is_empty() && ended.is_none() {
        source.delete(&flow.plan.fetch.resource, &case.deleted);
        let report = run_named(&flow, &sides, store, &options, &deleted(&flow, &sides, case), None, &Quiet)
            .await
            .map_err(|error| told(Trouble::new("R126", format!("the case cannot be run: {error}"))))?;
        ended = report.error;
    }
    let came = came(&**store, &flow, &manifests.source, case).await.map_err(told)?;
    let ended = ended.map(|error| error.to_string());
    Ok(Played { came, ended, trace, rows: flow.host.read_rows() })
}

/// The records that the source of a case deletes.
fn deleted(flow: &Flow, sides: &Sides, case: &FlowCase) -> Named {
    let key_field = sides.source.key_field(&flow.plan.fetch.resource);
    let wanted = |key: &String| Wanted {
        key: key.clone(),
        agreed: None,
        kept: Some(contract::deleted(&key_field, key)),
    };
    Named { records: case.deleted.iter().map(wanted).collect(), alone: false }
}

/// What came of each record, from what the store keeps of it.
async fn came(store: &dyn Store, flow: &Flow, source: &Manifest, case: &FlowCase) -> Result<Record, Trouble> {
    let (plan, file) = (&flow.plan, &flow.file);
    let resources = resources(plan);
    let key_field = source.resources.get(&plan.fetch.resource).map_or("id", |resource| &resource.key);
    let mut came = Record::new();
    for record in case.source.get(&plan.fetch.resource).into_iter().flatten() {
        let Some(key) = record.get(key_field) else { continue };
        let key = plain(Some(key));
        let history = store.record_history(&flow.name, &key, 1).await?;
        let mut row = history.into_iter().next();
        if let Some(reason) = row.as_mut().and_then(|row| row.reason.as_mut()) {
            *reason = placeless(reason, file);
        }
        came.set(key.as_str(), row.map_or_else(filtered, |row| told(&row, &resources)));
    }
    Ok(came)
}

/// A reason without its place in the flow, which moves with every line that is added above.
fn placeless(reason: &str, file: &str) -> String {
    let begin = format!(" ({file}:");
    match reason.split_once(&begin) {
        Some((before, rest)) => {
            let rest = rest.split_once(')').map_or("", |(_, rest)| rest);
            format!("{before}{}", placeless(rest, file))
        }
        None => reason.to_owned(),
    }
}

/// Nothing is kept of a record that a filter leaves out.
fn filtered() -> Value {
    Value::Map([("outcome", Value::from("filtered"))].into_iter().collect())
}

/// A line of the log as expectations are written.
pub(super) fn told(row: &HistoryRow, resources: &BTreeMap<String, String>) -> Value {
    let detail = row.detail.as_ref().and_then(|detail| read_json(&detail.clone().into()).ok());
    let list = |name: &str| {
        let list = detail.as_ref().and_then(Value::as_map).and_then(|detail| detail.get(name));
        list.and_then(Value::as_list).unwrap_or_default().to_vec()
    };
    if row.outcome == OutcomeWord::Skipped && row.reason.as_deref() == Some("left out by a filter") {
        return filtered();
    }
    let mut told = Record::new();
    told.set("outcome", row.outcome.as_str());
    if let Some(reason) = &row.reason {
        told.set("reason", reason.as_str());
    }
    let writes: Vec<Value> =
        list("writes").iter().filter_map(Value::as_map).map(|wrote| write(wrote, resources)).collect();
    let notices = list("notices");
    for (name, list) in [("writes", writes), ("notices", notices)] {
        if !list.is_empty() {
            told.set(name, list);
        }
    }
    Value::Map(told)
}

fn write(wrote: &Record, resources: &BTreeMap<String, String>) -> Value {
    let did = match wrote.text("did").unwrap_or_default() {
        "created" => "create",
        "updated" => "update",
        "adopted" => "adopt",
        other => other,
    };
    let id = wrote.text("write").unwrap_or_default();
    let mut told = Record::new();
    told.set(did, resources.get(id).map_or(id, String::as_str));
    // The key of a new record is the system's to choose.
    if let Some(key) = wrote.text("key").filter(|_| did != "create") {
        told.set("key", key);
    }
    if let Some(sent) = wrote.get("sent") {
        told.set("fields", sent.clone());
    }
    Value::Map(told)
}

/// The resource that each write of a plan is about.
pub(super) fn resources(plan: &Plan) -> BTreeMap<String, String> {
    fn collect(steps: &[Step], all: &mut BTreeMap<String, String>) {
        for step in steps {
            match &step.action {
                Action::Write(write) => {
                    all.insert(write.id.clone(), write.resource.clone());
                }
                Action::Each { steps, .. } => collect(steps, all),
                Action::When { then, otherwise, .. } => {
                    collect(then, all);
                    collect(otherwise, all);
                }
                _ => {}
            }
        }
    }
    let mut all = BTreeMap::new();
    collect(&plan.steps, &mut all);
    all
}

//! What a run would do, without doing it: the same walk as a run, over systems and a store that
//! only look.
//!
//! A plan is not a second engine. The run is the one of [`crate::run`]; its target is a
//! conversation that cannot write, its store one that takes nothing, and every write is noted
//! where it would leave. So what a plan shows is what a run then sends, as long as nobody changes
//! either system in between. What only the target knows it cannot show: what it would refuse, and
//! what it makes of what it is sent.

mod apply;
mod changes;
mod file;
mod overlay;
mod shadow;
mod shelf;

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use connectors::record::{Record, Value, read_json};

use crate::flow::Flow;
use crate::project::{Connection, FlowEntry, Project};
use crate::run::outgoing::{Gate, Outgoing};
use crate::run::{Named, Options, Party, RunError, Sides, Wanted, Watcher, rehearse};
use crate::store::{Counts, Fingerprint, OutcomeWord, Runs, Settled};
use crate::trouble::Trouble;

pub use apply::{Applied, Order, Placeholders, apply, refusal};
pub use changes::{Change, changes};
pub use file::{read, write};
pub(crate) use overlay::{Looking, Overlay};

/// What runs of some flows would do.
#[derive(Clone, Debug, PartialEq)]
pub struct Preview {
    /// The project.
    pub project: String,
    /// When the systems were asked, RFC 3339.
    pub made_at: String,
    /// In the order in which they would run.
    pub flows: Vec<FlowPreview>,
}

/// What a run of one flow would do.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowPreview {
    /// The flow.
    pub flow: String,
    /// Its text, scripts, settings and tables.
    pub print: Fingerprint,
    /// Source and target: the connection and what it is connected to.
    pub ends: [(String, Fingerprint); 2],
    /// Records by how they would end.
    pub counts: Counts,
    /// Why not everything could be looked at.
    pub error: Option<String>,
    /// What can be done about it.
    pub help: Option<String>,
    /// Records of which there is something to tell, in the order in which they were read.
    pub records: Vec<PlannedRecord>,
}

/// What would become of one record.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedRecord {
    /// Its key in the source.
    pub key: String,
    /// What people call it, where that is not its key.
    pub name: Option<String>,
    /// How it would end.
    pub outcome: OutcomeWord,
    /// Why, where it has a reason.
    pub reason: Option<String>,
    /// What `notify` would say.
    pub notices: Vec<String>,
    /// Why no more can be told of it; nothing: this is all.
    pub open: Option<String>,
    /// The record as it was read, whole.
    pub source: Record,
    /// What would be written for it, in this order.
    pub writes: Vec<PlannedWrite>,
    /// Its place among the records that write: what one of them writes, later ones may build upon.
    pub turn: usize,
}

/// One write.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedWrite {
    /// Its name in the flow.
    pub write: String,
    /// Which item, inside `each`.
    pub item: String,
    /// What is written.
    pub resource: String,
    /// It is created; else changed.
    pub creates: bool,
    /// Key in the target. What is to be created and gets its key from the target has a text in its
    /// place, by which later writes name it.
    pub key: String,
    /// What is sent.
    pub fields: Record,
    /// What those fields held before.
    pub before: Record,
}

/// What is asked of a plan.
#[derive(Clone, Debug)]
pub struct Ask {
    /// How the run would be started.
    pub options: Options,
    /// Only these records; none: all that a run would take up.
    pub records: Vec<Pick>,
    /// No more records than these are read of each flow.
    pub limit: Option<usize>,
}

/// A record that is picked out.
#[derive(Clone, Debug, Default)]
pub struct Pick {
    /// Its key in the source, or what people know it by.
    pub key: String,
    /// As it is taken where the source cannot be asked for it.
    pub kept: Option<Record>,
}

/// Makes a plan, flow by flow: what one would write, the next ones find.
pub struct Planner<'p> {
    project: &'p Project,
    /// By connection.
    overlays: BTreeMap<String, Arc<Overlay>>,
}

impl<'p> Planner<'p> {
    /// Nothing has been planned yet.
    #[must_use]
    pub const fn new(project: &'p Project) -> Self {
        Self { project, overlays: BTreeMap::new() }
    }

    /// What a run of this flow would do. Changes neither the store nor any system.
    pub async fn plan(
        &mut self,
        entry: &FlowEntry,
        flow: &mut Flow,
        sides: &Sides,
        store: &dyn Runs,
        ask: &Ask,
        watcher: &dyn Watcher,
    ) -> Result<FlowPreview, RunError> {
        // Nothing is kept, so nothing has to be hidden from what is kept.
        let privacy = std::mem::take(&mut flow.privacy);
        let ends = ends(self.project, entry, flow).map(|end| end.map(|one| (one.name.clone(), print(one))));
        let [source, target] = ends.map(Option::unwrap_or_default);
        let looking = Sides {
            source: self.looking(&sides.source, ask.limit),
            target: self.looking(&sides.target, None),
        };
        let wanted = |pick: &Pick| Wanted { key: pick.key.clone(), agreed: None, kept: pick.kept.clone() };
        let named = Named { records: ask.records.iter().map(wanted).collect(), alone: false };
        let named = (!named.records.is_empty()).then_some(&named);
        let shadow = shadow::Shadow::of(store);
        let overlay = Arc::clone(self.overlays.entry(sides.target.connection.clone()).or_default());
        let noted =
            Noted { target: &sides.target, overlay, writes: Mutex::default(), open: Mutex::default() };
        let report = rehearse(flow, &looking, &shadow, &ask.options, named, &noted, watcher).await;
        flow.privacy = privacy;
        let report = report?;
        Ok(FlowPreview {
            flow: flow.name.clone(),
            print: flow.print,
            ends: [source, target],
            counts: report.counts,
            error: report.error.as_ref().map(ToString::to_string),
            help: report.error.and_then(|error| error.help),
            records: records(flow, &sides.source, shadow.settled(), noted),
        })
    }

    /// What has been planned so far, forgotten.
    pub fn start_over(&mut self) {
        self.overlays.clear();
    }

    fn looking(&mut self, party: &Party, limit: Option<usize>) -> Party {
        let overlay = Arc::clone(self.overlays.entry(party.connection.clone()).or_default());
        let session = Looking::new(Arc::clone(&party.session), overlay, party.manifest.clone(), limit);
        Party::new(party.connection.clone(), Arc::new(session), party.manifest.clone())
    }
}

/// The connections of a flow: source, then target.
pub(crate) fn ends<'p>(project: &'p Project, entry: &FlowEntry, flow: &Flow) -> [Option<&'p Connection>; 2] {
    [&flow.plan.source, &flow.plan.target]
        .map(|role| project.connection(entry, &role.name, &role.system).ok())
}

/// Changes when a connection leads to another account, as far as that can be told without secrets.
pub(crate) fn print(connection: &Connection) -> Fingerprint {
    let manifest = connection.connector.manifest();
    let mut all = connection.system.clone();
    for (name, about) in manifest.settings.iter().filter(|(_, about)| !about.secret) {
        let answer = connection.answers.get(manifest, name).or(about.default.as_deref());
        // Into a text, writing cannot fail.
        let _ = write!(all, "\0{name}\0{}", answer.unwrap_or_default());
    }
    Fingerprint::of(all.as_bytes())
}

/// Takes note of every write.
struct Noted<'a> {
    target: &'a Party,
    overlay: Arc<Overlay>,
    /// By source key, in the order in which they would leave.
    writes: Mutex<Vec<(String, PlannedWrite)>>,
    /// Records of which no more can be told, and why.
    open: Mutex<HashMap<String, String>>,
}

impl Gate for Noted<'_> {
    /// Of a record that only was planned the target may make more than was sent: records of another
    /// kind, which flows cannot create, or which are known by a key that it gives.
    fn may_look(&self, record: &str, resource: &str, by: &[String], key: &[Value]) -> bool {
        let mut texts = key.iter().filter_map(Value::as_str);
        let Some(placeholder) = texts.find(|text| overlay::is_placeholder(text)) else { return true };
        let about = self.target.manifest.resources.get(resource);
        let by_key = about.is_some_and(|about| by == std::slice::from_ref(&about.key));
        let foreseen = about.is_none_or(|about| about.create.is_some()) && !by_key;
        if foreseen || self.overlay.has(resource, by, key) {
            return true;
        }
        let title = self.target.title();
        let why = format!("what comes next depends on the {resource} that {title} makes of {placeholder}");
        self.open.lock().unwrap_or_else(PoisonError::into_inner).insert(record.to_owned(), why);
        false
    }

    fn may_leave(&self, _: &Outgoing<'_>) -> Result<(), String> {
        Ok(())
    }

    fn arrived(&self, write: &Outgoing<'_>, key: &str) {
        let planned = PlannedWrite {
            write: write.write.to_owned(),
            item: write.item.to_owned(),
            resource: write.resource.to_owned(),
            creates: write.key.is_none(),
            key: key.to_owned(),
            fields: write.fields.clone(),
            before: write.before.clone(),
        };
        self.writes.lock().unwrap_or_else(PoisonError::into_inner).push((write.record.to_owned(), planned));
    }
}

/// Brings together how records would end and what would be written for them.
fn records(flow: &Flow, source: &Party, settled: Vec<Settled>, noted: Noted<'_>) -> Vec<PlannedRecord> {
    let known_by = source
        .manifest
        .resources
        .get(&flow.plan.fetch.resource)
        .and_then(|resource| resource.known_by.as_deref());
    let mut order: HashMap<String, usize> = HashMap::new();
    let mut writes: HashMap<String, Vec<PlannedWrite>> = HashMap::new();
    for (key, write) in noted.writes.into_inner().unwrap_or_else(PoisonError::into_inner) {
        let next = order.len();
        order.entry(key.clone()).or_insert(next);
        writes.entry(key).or_default().push(write);
    }
    let mut open = noted.open.into_inner().unwrap_or_else(PoisonError::into_inner);
    let mut records: Vec<PlannedRecord> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for one in settled {
        let mut record = planned(one, known_by, &mut writes);
        record.open = open.remove(&record.key);
        record.turn = order.get(&record.key).copied().unwrap_or_default();
        if let Some(earlier) = places.get(&record.key).and_then(|place| records.get_mut(*place)) {
            // A key that came twice ends as it ended last.
            let writes = std::mem::take(&mut earlier.writes);
            *earlier = PlannedRecord { writes, ..record };
        } else {
            places.insert(record.key.clone(), records.len());
            records.push(record);
        }
    }
    let tells = |record: &PlannedRecord| {
        record.outcome != OutcomeWord::Unchanged || !record.notices.is_empty() || record.open.is_some()
    };
    records.retain(tells);
    records
}

fn planned(
    settled: Settled,
    known_by: Option<&str>,
    writes: &mut HashMap<String, Vec<PlannedWrite>>,
) -> PlannedRecord {
    let activity = settled.activity.unwrap_or_default();
    let source = json(activity.payload.unwrap_or(settled.payload));
    let notices = json(activity.detail.unwrap_or_default());
    let notices = notices.get("notices").and_then(Value::as_list).unwrap_or_default();
    let name = known_by.and_then(|field| source.at(field)).map(Value::plain).filter(|name| !name.is_empty());
    PlannedRecord {
        name: name.filter(|name| *name != settled.source_key),
        outcome: settled.outcome.word(),
        reason: settled.outcome.reason().map(str::to_owned),
        notices: notices.iter().map(Value::plain).collect(),
        open: None,
        turn: 0,
        source,
        writes: writes.remove(&settled.source_key).unwrap_or_default(),
        key: settled.source_key,
    }
}

fn json(text: Vec<u8>) -> Record {
    match read_json(&text.into()) {
        Ok(Value::Map(record)) => record,
        _ => Record::new(),
    }
}

/// A record that was named and that the flow does not read.
#[must_use]
pub fn not_read(flow: &Flow, key: &str) -> Trouble {
    let resource = &flow.plan.fetch.resource;
    Trouble::new("R114", format!("flow `{}` reads no record `{key}` from {resource}", flow.name))
        .help("name it by its key or number in the source; records that `where` leaves out are not read")
}

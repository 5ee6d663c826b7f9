//! `weft replay`: a record once more, with the flow of now or of then. What would be sent is shown
//! first, and only that is sent.

use std::collections::BTreeMap;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use connectors::record::{Record, Value, read_json};

use super::Ended;
use super::plan::{carry_out_one, ended_of, options, tell};
use super::progress::Progress;
use super::run::{load, open_store, run_trouble, stop_on_interrupt, worse};
use super::show::{Show, count};
use crate::edition::Edition;
use crate::flow::Flow;
use crate::load::Loader;
use crate::preview::{Ask, FlowPreview, Order, Pick, Placeholders, Planner};
use crate::project::{FlowEntry, Project};
use crate::run::Sides;
use crate::store::{Fingerprint, Found, Store};
use crate::trouble::Trouble;

/// Records that a text may be known by, and records of a run.
const MOST: u32 = 1_000;

/// Lines of a record's log in which what was read is looked for.
const LINES: u32 = 20;

/// Run records again, after showing what that would do.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Key, order number, e-mail address: anything the record is known by
    #[arg(required_unless_present = "run")]
    text: Option<String>,
    /// The records of this run
    #[arg(long, value_name = "RUN", conflicts_with = "text")]
    run: Option<String>,
    /// Only of this flow
    #[arg(long)]
    flow: Option<String>,
    /// With today's flow, or with the one that handled the record last
    #[arg(long, value_enum, default_value_t = With::Now)]
    with: With,
    /// Do not ask before anything is sent
    #[arg(long)]
    yes: bool,
}

/// Which flow a record is run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum With {
    Now,
    Then,
}

/// Records that are run with one flow, and the edition of it; `None`: as it is now.
type Chosen = BTreeMap<(String, Option<Fingerprint>), Vec<String>>;

impl Replay {
    pub(crate) async fn run(&self, project: &Project, show: &Show) -> Result<Ended, Trouble> {
        if let Some(flow) = &self.flow {
            project.flow(flow)?;
        }
        let store = open_store(project).await?;
        let ended = self.on(project, &store, show).await;
        store.close().await;
        ended
    }

    async fn on(&self, project: &Project, store: &Arc<dyn Store>, show: &Show) -> Result<Ended, Trouble> {
        let mut ended = Ended::Well;
        for ((name, print), keys) in self.chosen(&**store).await? {
            let entry = project.flow(&name)?.clone();
            let (flow, sides) = of_then_or_now(project, &**store, &entry, print, show).await?;
            let one = self.replay(project, &entry, (flow, sides), keys, store, show).await?;
            ended = worse(ended, one);
        }
        Ok(ended)
    }

    async fn chosen(&self, store: &dyn Store) -> Result<Chosen, Trouble> {
        let mut chosen = Chosen::new();
        let edition = |print: Fingerprint| (self.with == With::Then).then_some(print);
        if let Some(id) = &self.run {
            let nothing = |what: String| {
                Trouble::new("R116", what).help("`weft runs --json` has the names of runs; or name a record")
            };
            let Some(run) = store.run(id).await? else {
                return Err(nothing(format!("no run is called `{id}`")));
            };
            let keys = store.records_of_run(id, MOST).await?;
            if keys.is_empty() {
                return Err(nothing(format!("the log says nothing of the records of run `{id}`")));
            }
            chosen.insert((run.flow, edition(run.plan)), keys);
            return Ok(chosen);
        }
        let text = self.text.as_deref().unwrap_or_default();
        let wanted = |found: &Found| self.flow.as_ref().is_none_or(|flow| *flow == found.flow);
        for found in store.find_records(text, MOST).await?.into_iter().filter(wanted) {
            let print = found.ledger.as_ref().map(|ledger| ledger.plan).unwrap_or_default();
            chosen.entry((found.flow, edition(print))).or_default().push(found.source_key);
        }
        if chosen.is_empty() {
            return Err(Trouble::new("R031", format!("no record is known by `{text}`")).help(
                "search by its key or number in either system; a record that no run has handled is run with `weft plan --record`",
            ));
        }
        Ok(chosen)
    }

    async fn replay(
        &self,
        project: &Project,
        entry: &FlowEntry,
        (mut flow, sides): (Flow, Sides),
        keys: Vec<String>,
        store: &Arc<dyn Store>,
        show: &Show,
    ) -> Result<Ended, Trouble> {
        let stop = stop_on_interrupt();
        let mut records = Vec::with_capacity(keys.len());
        for key in keys {
            let kept = kept(&flow, &**store, &key).await?;
            records.push(Pick { key, kept });
        }
        let ask = Ask { options: options(false, &stop), records, limit: None };
        let progress = Progress::new(&flow.name, show.is_terminal());
        let planned = Planner::new(project).plan(entry, &mut flow, &sides, &**store, &ask, &progress).await;
        progress.finish();
        let planned = planned.map_err(run_trouble)?;
        tell(&planned, show);
        let writing = writing(&planned);
        if planned.error.is_some() || writing == 0 {
            return Ok(ended_of(&planned));
        }
        show.confirm(&format!("send this for {}?", count(writing, "record", "records")), self.yes)?;
        let keys = Placeholders::default();
        let order = Order { planned: &planned, keys: &keys, as_kept: true };
        carry_out_one(order, project, entry, (&flow, &sides), store, &stop, show).await
    }
}

fn writing(planned: &FlowPreview) -> i64 {
    let writing = planned.records.iter().filter(|record| !record.writes.is_empty()).count();
    i64::try_from(writing).unwrap_or(i64::MAX)
}

/// The flow as it is on disk, or as it was when it had that fingerprint.
async fn of_then_or_now(
    project: &Project,
    store: &dyn Store,
    entry: &FlowEntry,
    print: Option<Fingerprint>,
    show: &Show,
) -> Result<(Flow, Sides), Trouble> {
    let nothing = |name: &str| {
        Trouble::new("R117", format!("flow `{name}` is not kept as it was then"))
            .help("leave out `--with then` to run the record with the flow as it is now")
    };
    let Some(print) = print else {
        let mut flows = load(project, std::slice::from_ref(entry), show)?;
        return flows.pop().ok_or_else(|| nothing(&entry.name));
    };
    let kept = store.edition(&entry.name, print).await?;
    let Some(edition) = kept.as_deref().and_then(Edition::from_json) else {
        return Err(nothing(&entry.name));
    };
    let loader = Loader::as_of(project, edition)?;
    let flow = loader.flow(entry).map_err(|problems| {
        let headline = format!("flow `{}` as it was then no longer fits the systems", entry.name);
        Trouble::several(headline, problems)
    })?;
    let sides = loader.sides(entry, &flow.plan)?;
    Ok((flow, sides))
}

/// The record as it was last read, for a source that cannot be asked for it. What was masked cannot
/// be sent.
async fn kept(flow: &Flow, store: &dyn Store, key: &str) -> Result<Option<Record>, Trouble> {
    if !flow.privacy.is_open() {
        return Ok(None);
    }
    let lines = store.record_history(&flow.name, key, LINES).await?;
    let payload = lines.into_iter().find_map(|line| line.payload);
    Ok(payload.and_then(|payload| match read_json(&payload.into()) {
        Ok(Value::Map(record)) => Some(record),
        _ => None,
    }))
}

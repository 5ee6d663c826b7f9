//! `weft plan`: what flows would do. Reads both systems, writes nothing, and can be kept in a file
//! for `weft run --plan`.

mod tell;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;

use super::Ended;
use super::progress::Progress;
use super::run::{
    done, load, named, open_store, open_to_look, run_trouble, stop_on_interrupt, tell as tell_run, worse,
};
use super::show::Show;
use crate::flow::Flow;
use crate::preview::{
    Ask, FlowPreview, Order, Pick, Placeholders, Planner, Preview, apply, not_read, read, refusal, write,
};
use crate::project::{FlowEntry, Project};
use crate::run::{Options, Sides};
use crate::store::Store;
use crate::trouble::Trouble;
pub(super) use tell::tell;

/// Records of that name that the store may know.
const KNOWN: u32 = 50;

/// Show what flows would do, without doing it.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// Flows of the project, by name or file; else every flow that is on
    flows: Vec<String>,
    /// Only this record: its key, or anything it is known by
    #[arg(long, value_name = "KEY")]
    record: Option<String>,
    /// Read no more records than this of each flow
    #[arg(long, value_name = "NUMBER", conflicts_with = "record")]
    limit: Option<usize>,
    /// Read everything, as `weft run --full` does
    #[arg(long)]
    full: bool,
    /// Keep the plan in a file, for `weft run --plan FILE`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What the first records of these flows would do.
pub(crate) async fn look(
    project: &Project,
    flows: Vec<String>,
    limit: usize,
    show: &Show,
) -> Result<Ended, Trouble> {
    Plan { flows, record: None, limit: Some(limit), full: false, out: None }.run(project, show).await
}

impl Plan {
    pub(crate) async fn run(&self, project: &Project, show: &Show) -> Result<Ended, Trouble> {
        let entries = named(project, &self.flows)?;
        super::caveats(project, show);
        let mut flows = load(project, &entries, show)?;
        // The folder goes when the store is closed.
        let (store, _folder) = open_to_look(project).await?;
        let made = self.made(project, &entries, &mut flows, &store, show).await;
        store.close().await;
        let (preview, ended) = made?;
        if let Some(path) = &self.out {
            write(path, &preview)?;
            show.line(format!(
                "\nkept in {}; `weft run --plan {}` does exactly this",
                path.display(),
                path.display()
            ));
        }
        Ok(ended)
    }

    async fn made(
        &self,
        project: &Project,
        entries: &[FlowEntry],
        flows: &mut [(Flow, Sides)],
        store: &Arc<dyn Store>,
        show: &Show,
    ) -> Result<(Preview, Ended), Trouble> {
        let stop = stop_on_interrupt();
        let mut planner = Planner::new(project);
        let mut preview = begun(project);
        let mut ended = Ended::Well;
        let mut read = 0;
        for (entry, (flow, sides)) in entries.iter().zip(&mut *flows) {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let records = match &self.record {
                Some(text) => vec![asked(&**store, &flow.name, text).await?],
                None => Vec::new(),
            };
            let ask = Ask { options: options(self.full, &stop), records, limit: self.limit };
            let progress = Progress::new(&flow.name, show.is_terminal());
            let planned = planner.plan(entry, flow, sides, &**store, &ask, &progress).await;
            progress.finish();
            let planned = planned.map_err(run_trouble)?;
            read += planned.counts.read();
            // Where one of several flows has the record, the others are not worth a word.
            if self.record.is_none() || planned.counts.read() > 0 || planned.error.is_some() {
                tell(&planned, show);
            }
            ended = worse(ended, ended_of(&planned));
            preview.flows.push(planned);
        }
        if let (Some(key), 0, Some((flow, _)), Ended::Well) = (&self.record, read, flows.first(), ended) {
            return Err(not_read(flow, key));
        }
        Ok((preview, ended))
    }
}

/// A plan of this project, still without flows.
pub(super) fn begun(project: &Project) -> Preview {
    let made_at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    Preview { project: project.name.clone(), made_at, flows: Vec::new() }
}

/// A run as `weft run` starts it.
pub(super) fn options(full: bool, stop: &Arc<AtomicBool>) -> Options {
    Options { cause: "by hand".to_owned(), full, refused_again: true, stop: Arc::clone(stop) }
}

/// The record that is meant: by its key, by what the store knows it by, or by its name in the source.
async fn asked(store: &dyn Store, flow: &str, text: &str) -> Result<Pick, Trouble> {
    let mut known = store.find_records(text, KNOWN).await?;
    known.retain(|found| found.flow == flow);
    let key = match known.as_slice() {
        [only] => only.source_key.clone(),
        _ => text.to_owned(),
    };
    Ok(Pick { key, kept: None })
}

/// How a command ends that showed this.
pub(super) const fn ended_of(planned: &FlowPreview) -> Ended {
    match (&planned.error, planned.counts.failed + planned.counts.waiting) {
        (Some(_), _) => Ended::Remote,
        (None, 0) => Ended::Well,
        (None, _) => Ended::Partly,
    }
}

/// `weft run --plan`: does what a plan holds.
pub(super) async fn carry_out(path: &Path, project: &Project, show: &Show) -> Result<Ended, Trouble> {
    let preview = read(path)?;
    let mut entries = Vec::new();
    for planned in &preview.flows {
        entries.push(project.flow(&planned.flow)?.clone());
    }
    super::caveats(project, show);
    let flows = load(project, &entries, show)?;
    let store = open_store(project).await?;
    let stop = stop_on_interrupt();
    let mut ended = Ended::Well;
    let keys = Placeholders::default();
    for ((planned, entry), (flow, sides)) in preview.flows.iter().zip(&entries).zip(&flows) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        if planned.records.iter().all(|record| record.writes.is_empty()) {
            continue;
        }
        let order = Order { planned, keys: &keys, as_kept: false };
        let one = carry_out_one(order, project, entry, (flow, sides), &store, &stop, show).await?;
        ended = worse(ended, one);
    }
    store.close().await;
    Ok(ended)
}

/// Does what is planned for one flow, unless the flow has changed.
pub(super) async fn carry_out_one(
    order: Order<'_>,
    project: &Project,
    entry: &FlowEntry,
    (flow, sides): (&Flow, &Sides),
    store: &Arc<dyn Store>,
    stop: &Arc<AtomicBool>,
    show: &Show,
) -> Result<Ended, Trouble> {
    if let Some(refusal) = refusal(order.planned, project, entry, flow) {
        show.report(&refusal.into());
        return Ok(Ended::Wrong);
    }
    let cause = if order.as_kept { "replay" } else { "plan" };
    let options = Options { cause: cause.to_owned(), refused_again: false, ..options(false, stop) };
    let progress = Progress::new(&flow.name, show.is_terminal());
    let applied = apply(order, flow, sides, store, &options, &progress).await;
    let done = done(flow, applied, progress)?;
    tell_run(&done, show);
    Ok(done.ended())
}

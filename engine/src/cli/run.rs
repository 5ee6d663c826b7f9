//! `weft run`: flows, once.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;

use super::Ended;
use super::progress::{Progress, outcome_in_words, to_json};
use super::show::Show;
use crate::flow::Flow;
use crate::load::Loader;
use crate::passing::Folder;
use crate::project::{FlowEntry, Project};
use crate::run::{Options, Report, RunError, Sides, run};
use crate::store::{RunState, Store, StoreError};
use crate::trouble::{Kind, Trouble};

/// Reasons for which records were refused that a summary lists.
const LISTED: usize = 20;

/// Records that are named of those that are refused for one reason.
const NAMED: usize = 3;

/// Run flows once.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Flows of the project, by name or file; else every flow that is on
    flows: Vec<String>,
    /// Read everything again and repair what differs
    #[arg(long)]
    full: bool,
    /// Do what a plan holds and nothing else; what has changed since is left
    #[arg(long, value_name = "FILE", conflicts_with_all = ["flows", "full"])]
    plan: Option<PathBuf>,
}

impl Run {
    pub(crate) async fn run(&self, project: &Project, show: &Show) -> Result<Ended, Trouble> {
        if let Some(plan) = &self.plan {
            return super::plan::carry_out(plan, project, show).await;
        }
        let entries = named(project, &self.flows)?;
        super::caveats(project, show);
        let stop = stop_on_interrupt();
        let mut ended = Ended::Well;
        for done in run_all(project, &entries, self.full, &stop, show).await? {
            ended = worse(ended, done.ended());
        }
        Ok(ended)
    }
}

/// The flows of these names; without names every flow that is on.
pub(super) fn named(project: &Project, names: &[String]) -> Result<Vec<FlowEntry>, Trouble> {
    let entries: Vec<FlowEntry> = if names.is_empty() {
        project.flows.iter().filter(|flow| flow.on).cloned().collect()
    } else {
        names.iter().map(|name| project.flow(name).cloned()).collect::<Result<_, _>>()?
    };
    if entries.is_empty() {
        return Err(none_on(project));
    }
    Ok(entries)
}

/// Nothing to run, and what is missing.
fn none_on(project: &Project) -> Trouble {
    let mut off = project.flows.iter().map(|flow| flow.name.as_str());
    match (off.next(), off.next()) {
        (None, _) => Trouble::new("R026", "the project has no flow yet")
            .help("add `[flows.NAME]` with `file = \"…\"` to weft.toml, for each flow"),
        (Some(only), None) => Trouble::new("R026", format!("flow `{only}` is off")).help(format!(
            "leave out `on = false` under [flows.{only}] in weft.toml, or name the flow: one that is named runs in any case"
        )),
        (Some(_), Some(_)) => Trouble::new("R026", "all flows are off").help(
            "leave out `on = false` in weft.toml for those that are to run, or name one: a flow that is named runs in any case",
        ),
    }
}

/// Set by the first Ctrl-C; the second ends the program as usual.
pub(crate) fn stop_on_interrupt() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            flag.store(true, Ordering::Relaxed);
            eprintln!("stopping after the pages under way; press Ctrl-C again to stop at once");
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(130);
            }
        }
    });
    stop
}

/// A flow that was run.
pub(crate) struct Done {
    pub(crate) flow: String,
    pub(crate) report: Report,
    pub(crate) refused: Vec<(String, String)>,
    pub(crate) more: usize,
}

impl Done {
    pub(crate) const fn ended(&self) -> Ended {
        match self.report.state {
            RunState::Succeeded | RunState::Stopped | RunState::Running => Ended::Well,
            RunState::Partial => Ended::Partly,
            RunState::Failed => Ended::Remote,
        }
    }
}

/// The graver of two ends.
pub(crate) const fn worse(one: Ended, other: Ended) -> Ended {
    match (one, other) {
        (Ended::Remote, _) | (_, Ended::Remote) => Ended::Remote,
        (Ended::Wrong, _) | (_, Ended::Wrong) => Ended::Wrong,
        (Ended::Partly, _) | (_, Ended::Partly) => Ended::Partly,
        _ => Ended::Well,
    }
}

/// Loads all flows, so that nothing runs when one is wrong, then runs them one by one.
pub(crate) async fn run_all(
    project: &Project,
    entries: &[FlowEntry],
    full: bool,
    stop: &Arc<AtomicBool>,
    show: &Show,
) -> Result<Vec<Done>, Trouble> {
    let flows = load(project, entries, show)?;
    let store = open_store(project).await?;
    let mut all = Vec::new();
    for (flow, sides) in &flows {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let done = run_one(flow, sides, &store, full, stop, show).await?;
        tell(&done, show);
        all.push(done);
        // Housekeeping is no reason to call a run that went well a failure.
        if let Err(error) = crate::retention::prune(&*store, &project.privacy, &flow.name).await {
            tracing::warn!(flow = flow.name, %error, "the old log was left for the next run");
        }
    }
    store.close().await;
    Ok(all)
}

/// Flows that can run, with conversations with both of their systems; none when one is wrong.
pub(super) fn load(
    project: &Project,
    entries: &[FlowEntry],
    show: &Show,
) -> Result<Vec<(Flow, Sides)>, Trouble> {
    let loader = Loader::new(project)?;
    let mut flows: Vec<(Flow, Sides)> = Vec::new();
    let mut wrong = 0;
    for entry in entries {
        match loader.flow(entry) {
            Ok(flow) => {
                let sides = loader.sides(entry, &flow.plan)?;
                flows.push((flow, sides));
            }
            Err(problems) => {
                wrong += problems.len();
                for problem in &problems {
                    show.report(problem);
                }
            }
        }
    }
    let pairs: Vec<_> = entries.iter().zip(flows.iter().map(|(flow, _)| &flow.plan)).collect();
    if wrong == 0 {
        for problem in loader.two_way(&pairs) {
            wrong += 1;
            show.report(&problem);
        }
    }
    if wrong > 0 {
        return Err(Trouble::new("R027", "nothing was run")
            .help("mend the problems above; `weft check` shows them again"));
    }
    Ok(flows)
}

async fn run_one(
    flow: &Flow,
    sides: &Sides,
    store: &Arc<dyn Store>,
    full: bool,
    stop: &Arc<AtomicBool>,
    show: &Show,
) -> Result<Done, Trouble> {
    let options = Options { cause: "by hand".to_owned(), full, refused_again: true, stop: Arc::clone(stop) };
    let progress = Progress::new(&flow.name, show.is_terminal());
    let result = run(flow, sides, store, &options, &progress).await;
    done(flow, result, progress)
}

/// A run's end, whatever it was.
pub(super) fn done(
    flow: &Flow,
    result: Result<Report, RunError>,
    progress: Progress,
) -> Result<Done, Trouble> {
    let (refused, more) = progress.finish();
    let report = result.map_err(run_trouble)?;
    Ok(Done { flow: flow.name.clone(), report, refused, more })
}

/// Why a run could not be done.
pub(super) fn run_trouble(error: RunError) -> Trouble {
    match error {
        RunError::Store(error) => store_trouble(&error),
        RunError::Busy { flow, holder } => {
            let who = crate::store::holder_in_words(&holder);
            Trouble::new("R028", format!("flow `{flow}` is being run by {who}"))
                .help("wait until that run has ended, then run it again")
                .kind(Kind::Store)
        }
        RunError::Waited { flow, holder } => {
            let who = crate::store::holder_in_words(&holder);
            let message =
                format!("flow `{flow}` was stopped before it began: {who} creates the same kind of record");
            Trouble::new("R028", message)
                .help("run it again, it goes on when the other run has ended; nothing was read or sent")
                .kind(Kind::Store)
        }
    }
}

/// Opens the project's store, made on first use.
pub(crate) async fn open_store(project: &Project) -> Result<Arc<dyn Store>, Trouble> {
    make_room(project)?;
    let store = crate::store::open_at(&project.store).await.map_err(|error| store_trouble(&error))?;
    project.vault.attach(&store);
    Ok(store)
}

/// The store for what only looks, with the folder that it needs: the project's own; where there is
/// none yet, one that is gone afterwards, so that looking makes nothing.
pub(super) async fn open_to_look(project: &Project) -> Result<(Arc<dyn Store>, Option<Folder>), Trouble> {
    // Tokens that an earlier program kept in files move into the store, and have to stay there.
    let tokens = project.root.join(".weft").join("tokens");
    if project.store.file().is_none_or(|file| file.exists() || tokens.exists()) {
        return Ok((open_store(project).await?, None));
    }
    let folder = Folder::new()?;
    let store = crate::store::open(&folder.file()).await.map_err(|error| store_trouble(&error))?;
    project.vault.attach(&store);
    Ok((store, Some(folder)))
}

/// The project's store, as soon as it can be used; `told` hears why it cannot yet.
pub(super) async fn wait_for_store(
    project: &Project,
    told: impl FnMut(&StoreError) + Send,
) -> Result<Arc<dyn Store>, Trouble> {
    make_room(project)?;
    let opened = crate::store::open_and_wait(&project.store, told).await;
    let store = opened.map_err(|error| store_trouble(&error))?;
    project.vault.attach(&store);
    Ok(store)
}

/// Makes the folder of a store in a file.
fn make_room(project: &Project) -> Result<(), Trouble> {
    if let Some(folder) = project.store.file().and_then(std::path::Path::parent) {
        std::fs::create_dir_all(folder).map_err(|error| {
            Trouble::new("R029", format!("cannot make the folder `{}`: {error}", folder.display()))
                .help("give the user who runs weft the right to write in the project's folder")
                .kind(Kind::Store)
        })?;
    }
    Ok(())
}

pub(crate) fn store_trouble(error: &StoreError) -> Trouble {
    Trouble::of_store(error)
}

/// Refused records by their reason, the most frequent first: which record was first is chance.
fn by_reason(refused: &[(String, String)]) -> Vec<(&str, Vec<&str>)> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, reason) in refused {
        reasons.entry(reason).or_default().push(key);
    }
    let mut reasons: Vec<(&str, Vec<&str>)> = reasons.into_iter().collect();
    for (_, keys) in &mut reasons {
        keys.sort_unstable();
    }
    reasons.sort_by(|(_, one), (_, other)| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    reasons
}

/// A flow's end, in a few lines.
pub(crate) fn tell(done: &Done, show: &Show) {
    let Done { flow, report, refused, more } = done;
    show.json(&serde_json::json!({
        "flow": flow,
        "run": report.run,
        "state": report.state.as_str(),
        "counts": to_json(&report.counts),
        "error": report.error.as_ref().map(ToString::to_string),
        "help": report.error.as_ref().and_then(|error| error.help.clone()),
        "refused": refused.iter().map(|(key, reason)| serde_json::json!({"key": key, "reason": reason})).collect::<Vec<_>>(),
    }));
    let mark = match report.state {
        RunState::Succeeded => show.good("✓"),
        RunState::Failed => show.bad("✗"),
        _ => show.warning("!"),
    };
    show.line(format!(
        "{mark} {}  {}",
        show.strong(&format!("{flow:<24}")),
        outcome_in_words(report.state, &report.counts)
    ));
    let reasons = by_reason(refused);
    for (reason, keys) in reasons.iter().take(LISTED) {
        let named = keys.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let others = match keys.len().saturating_sub(NAMED) {
            0 => String::new(),
            others => format!(" and {others} more"),
        };
        show.line(format!("    {}{others}  {reason}", show.warning(&named)));
    }
    let hidden = reasons.iter().skip(LISTED).map(|(_, keys)| keys.len()).sum::<usize>() + more;
    if hidden > 0 {
        show.line(show.faint(&format!("    and {hidden} more; `weft records --failed` lists them all")));
    }
    if report.state == RunState::Stopped {
        show.line("    stopped; the next run goes on from here");
    }
    if let Some(error) = &report.error {
        show.line(format!("    {}", show.bad(&error.to_string())));
        if let Some(help) = &error.help {
            show.line(format!("    {help}"));
        }
        show.line("    nothing is lost: the next run goes on from here");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_reason_comes_first_whatever_came_first() {
        let refused = [("9", "late"), ("3", "no debtor"), ("2", "late"), ("1", "no article")];
        let refused = refused.map(|(key, reason)| (key.to_owned(), reason.to_owned()));
        let expected = [("late", vec!["2", "9"]), ("no article", vec!["1"]), ("no debtor", vec!["3"])];
        assert_eq!(by_reason(&refused), expected);
    }
}

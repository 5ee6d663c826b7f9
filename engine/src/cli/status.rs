//! `weft status`: what every flow does now, told by the store, from any process.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;

use super::progress::{outcome_in_words, to_json};
use super::run::{open_store, store_trouble};
use super::runs::{moment, utc};
use super::{Ended, Show};
use crate::load::Loader;
use crate::project::{FlowEntry, Project};
use crate::serve::bound;
use crate::store::{ConnectionState, Daemon, Millis, Run, Store, StoreError, Turn, holder_in_words, is_dead};
use crate::trouble::Trouble;

/// A daemon that has not said that it is there for so long is not there.
const SILENT: Millis = 120_000;

/// Show what every flow does now.
#[derive(Debug, Args)]
pub(crate) struct Status {}

/// What the store knows.
struct Known {
    now: Millis,
    turns: BTreeMap<String, Turn>,
    states: BTreeMap<String, ConnectionState>,
    running: BTreeMap<String, String>,
    letters: BTreeMap<String, i64>,
    daemons: Vec<Daemon>,
}

/// A flow, as it is told.
struct Line {
    flow: String,
    state: &'static str,
    until: Option<Millis>,
    reason: Option<String>,
    last: Option<Run>,
    next: Option<Millis>,
    refused: i64,
}

impl Status {
    pub(crate) async fn run(&self, project: &Project, show: &Show) -> Result<Ended, Trouble> {
        let loader = Loader::new(project)?;
        let store = open_store(project).await?;
        let told = lines(project, &loader, &*store).await;
        store.close().await;
        let (known, lines) = told.map_err(|error| store_trouble(&error))?;
        for line in &lines {
            show.json(&line.json());
        }
        if project.flows.is_empty() {
            show.line("weft.toml has no flows yet; docs/operating.md shows how to add one");
            return Ok(Ended::Well);
        }
        let rows: Vec<Vec<String>> = lines.iter().map(Line::row).collect();
        show.table(&["flow", "state", "last run", "records", "next due", "refused"], &rows);
        for line in &lines {
            if let Some(reason) = &line.reason {
                show.line(format!("{} {}: {reason}", show.warning("!"), line.flow));
            }
        }
        daemons(&known, show);
        Ok(Ended::Well)
    }
}

async fn lines(
    project: &Project,
    loader: &Loader<'_>,
    store: &dyn Store,
) -> Result<(Known, Vec<Line>), StoreError> {
    let known = known(store).await?;
    let mut lines = Vec::new();
    for entry in &project.flows {
        let last = store.runs(Some(&entry.name), 1).await?.into_iter().next();
        // A flow that is wrong now is told by `weft check`; here it has no connections.
        let used = loader.check(entry).map(|(_, plan)| bound(entry, &plan)).ok();
        lines.push(line(entry, used, last, &known));
    }
    Ok((known, lines))
}

async fn known(store: &dyn Store) -> Result<Known, StoreError> {
    let database = store.now().await?;
    let leases = store.leases().await?;
    let held = leases.into_iter().filter(|lease| lease.expires_at > database && !is_dead(&lease.holder));
    let running: BTreeMap<String, String> = held.map(|lease| (lease.flow, lease.holder)).collect();
    let now = jiff::Timestamp::now().as_millisecond();
    let is_there = |daemon: &Daemon| now - daemon.seen_at < SILENT && !is_dead(&daemon.holder);
    Ok(Known {
        now,
        turns: store.turns().await?.into_iter().map(|turn| (turn.flow.clone(), turn)).collect(),
        states: store
            .connection_states()
            .await?
            .into_iter()
            .map(|state| (state.connection.clone(), state))
            .collect(),
        running,
        letters: store.open_letters().await?.into_iter().collect(),
        daemons: store.daemons().await?.into_iter().filter(is_there).collect(),
    })
}

fn line(entry: &FlowEntry, used: Option<(String, String)>, last: Option<Run>, known: &Known) -> Line {
    let turn = known.turns.get(&entry.name);
    let used: BTreeSet<String> = used.into_iter().flat_map(|(source, target)| [source, target]).collect();
    let states: Vec<&ConnectionState> = used.iter().filter_map(|name| known.states.get(name)).collect();
    let refused = states.iter().find(|state| state.reconnect);
    let open = states.iter().filter(|state| state.open_until.is_some_and(|until| until > known.now));
    let open = open.max_by_key(|state| state.open_until);
    let waits = turn.filter(|turn| turn.wait_until.is_some_and(|until| until > known.now));
    let (state, until, reason) = if known.running.contains_key(&entry.name) {
        ("running", None, None)
    } else if !entry.on {
        ("off", None, None)
    } else if let Some(state) = refused {
        let help = format!("`weft connect {}` tries it again", state.connection);
        let reason = match &state.reason {
            Some(reason) if reason.contains("weft connect") => reason.clone(),
            Some(reason) => format!("{reason}; {help}"),
            None => help,
        };
        ("reconnect needed", None, Some(reason))
    } else if let Some(state) = open {
        ("waiting", state.open_until, state.reason.clone())
    } else if let Some(turn) = waits {
        ("waiting", turn.wait_until, turn.reason.clone())
    } else {
        ("idle", None, None)
    };
    Line {
        flow: entry.name.clone(),
        state,
        until,
        reason,
        last,
        next: turn.and_then(|turn| turn.next_at).filter(|_| entry.on),
        refused: known.letters.get(&entry.name).copied().unwrap_or_default(),
    }
}

impl Line {
    fn row(&self) -> Vec<String> {
        let state = match self.until {
            Some(until) => format!("{} until {}", self.state, moment(until)),
            None => self.state.to_owned(),
        };
        let last = self.last.as_ref();
        vec![
            self.flow.clone(),
            state,
            last.map_or_else(|| "never".to_owned(), |run| moment(run.started_at)),
            last.map_or_else(String::new, |run| outcome_in_words(run.state, &run.counts)),
            self.next.map_or_else(|| "by hand".to_owned(), moment),
            self.refused.to_string(),
        ]
    }

    fn json(&self) -> serde_json::Value {
        serde_json::json!({
            "flow": self.flow,
            "state": self.state,
            "until": self.until.map(utc),
            "reason": self.reason,
            "last": self.last.as_ref().map(|run| serde_json::json!({
                "run": run.id,
                "state": run.state.as_str(),
                "cause": run.cause,
                "started_at": utc(run.started_at),
                "ended_at": run.ended_at.map(utc),
                "counts": to_json(&run.counts),
                "error": run.error,
            })),
            "next_due": self.next.map(utc),
            "refused": self.refused,
        })
    }
}

/// Who runs flows by itself.
fn daemons(known: &Known, show: &Show) {
    if known.daemons.is_empty() {
        show.line(format!(
            "{} no daemon runs: nothing is run by itself; `weft serve` starts one",
            show.warning("!")
        ));
    }
    for daemon in &known.daemons {
        let who = holder_in_words(&daemon.holder);
        show.line(show.faint(&format!("served by {who} since {}", moment(daemon.started_at))));
        if let Some(trouble) = &daemon.trouble {
            show.line(format!("{} changed files are wrong and not used: {trouble}", show.warning("!")));
        }
    }
}

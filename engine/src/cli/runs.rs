//! `weft runs`: what ran, and how it ended.

use clap::Args;

use super::Ended;
use super::progress::{outcome_in_words, to_json};
use super::run::{open_store, store_trouble};
use super::show::Show;
use crate::project::Project;
use crate::store::{Millis, Run, RunState};
use crate::trouble::Trouble;

/// List runs.
#[derive(Debug, Args)]
pub(crate) struct Runs {
    /// Only of this flow
    #[arg(long)]
    flow: Option<String>,
    /// At most this many, the latest first
    #[arg(long, default_value_t = 20)]
    limit: u32,
}

impl Runs {
    pub(crate) async fn run(&self, project: &Project, show: &Show) -> Result<Ended, Trouble> {
        if let Some(flow) = &self.flow {
            project.flow(flow)?;
        }
        super::caveats(project, show);
        let store = open_store(project).await?;
        let runs =
            store.runs(self.flow.as_deref(), self.limit).await.map_err(|error| store_trouble(&error))?;
        store.close().await;
        for run in &runs {
            show.json(&json(run));
        }
        if runs.is_empty() {
            show.line("nothing has run yet; `weft run` runs every flow that is on");
            return Ok(Ended::Well);
        }
        let rows: Vec<Vec<String>> = runs.iter().map(row).collect();
        show.table(&["started", "took", "flow", "state", "records"], &rows);
        for run in &runs {
            if let (RunState::Failed, Some(error)) = (run.state, &run.error) {
                show.line(format!("{} {}: {}", show.bad("✗"), run.flow, error));
            }
        }
        Ok(Ended::Well)
    }
}

fn row(run: &Run) -> Vec<String> {
    let took = run.ended_at.map_or_else(|| "…".to_owned(), |ended| seconds(ended - run.started_at));
    vec![
        moment(run.started_at),
        took,
        run.flow.clone(),
        run.state.to_string(),
        outcome_in_words(run.state, &run.counts),
    ]
}

fn json(run: &Run) -> serde_json::Value {
    serde_json::json!({
        "run": run.id,
        "flow": run.flow,
        "state": run.state.as_str(),
        "cause": run.cause,
        "started_at": utc(run.started_at),
        "ended_at": run.ended_at.map(utc),
        "pages": run.pages,
        "counts": to_json(&run.counts),
        "error": run.error,
    })
}

fn seconds(millis: i64) -> String {
    let tenths = millis.max(0) / 100;
    format!("{}.{} s", tenths / 10, tenths % 10)
}

/// A moment in the reader's own zone.
pub(crate) fn moment(millis: Millis) -> String {
    jiff::Timestamp::from_millisecond(millis).map_or_else(
        |_| millis.to_string(),
        |moment| moment.to_zoned(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
    )
}

/// A moment for programs.
pub(crate) fn utc(millis: Millis) -> String {
    jiff::Timestamp::from_millisecond(millis).map_or_else(|_| millis.to_string(), |moment| moment.to_string())
}

//! Which dead letters a command is about.

use clap::Args;

use super::super::Ended;
use super::super::called::{Names, called};
use super::super::runs::{moment, utc};
use super::super::show::Show;
use crate::project::Project;
use crate::store::{DeadLetter, DeadQuery, Store};
use crate::trouble::Trouble;

/// Letters that a command looks at.
const MOST: u32 = 10_000;

/// What narrows a list of dead letters.
#[derive(Debug, Args)]
pub(super) struct Filter {
    /// Only of this flow
    #[arg(long)]
    flow: Option<String>,
    /// Only of this kind of failure, as the list shows it
    #[arg(long, value_name = "KIND")]
    class: Option<String>,
    /// Only with this in the reason
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Only those that this run refused
    #[arg(long)]
    run: Option<String>,
}

/// Dead letters that something is to be done with.
#[derive(Debug, Args)]
pub(super) struct Choice {
    /// A record: its key, or anything it is known by
    record: Option<String>,
    #[command(flatten)]
    filter: Filter,
    /// All refused records
    #[arg(long, conflicts_with = "record")]
    all: bool,
}

/// List refused records, the latest first.
#[derive(Debug, Args)]
pub(super) struct List {
    /// A record: its key, or anything it is known by
    record: Option<String>,
    #[command(flatten)]
    filter: Filter,
    /// Also those that are tried again by themselves
    #[arg(long)]
    waiting: bool,
    /// Also those that are done with: came through, or given up
    #[arg(long)]
    closed: bool,
}

impl Filter {
    fn is_empty(&self) -> bool {
        self.flow.is_none() && self.class.is_none() && self.reason.is_none() && self.run.is_none()
    }

    fn fits(&self, letter: &DeadLetter) -> bool {
        let is = |wanted: &Option<String>, has: &str| wanted.as_ref().is_none_or(|wanted| wanted == has);
        let reason = self.reason.as_ref().map(|reason| reason.to_lowercase());
        is(&self.flow, &letter.flow)
            && is(&self.class, &letter.class)
            && is(&self.run, &letter.run)
            && reason.is_none_or(|reason| letter.reason.to_lowercase().contains(&reason))
    }

    fn query(&self) -> DeadQuery {
        let Self { flow, class, run, .. } = self;
        DeadQuery {
            flow: flow.clone(),
            class: class.clone(),
            run: run.clone(),
            limit: MOST,
            ..DeadQuery::default()
        }
    }
}

/// Dead letters of a record, closed ones among them.
pub(super) async fn of_record(store: &dyn Store, text: &str) -> Result<Vec<DeadLetter>, Trouble> {
    let mut letters = Vec::new();
    for found in store.find_records(text, MOST).await? {
        letters.extend(store.dead_letter(&found.flow, &found.source_key).await?);
    }
    Ok(letters)
}

/// Nothing, or not clearly one.
pub(super) fn none(text: &str) -> Trouble {
    Trouble::new("R087", format!("no record that is known by `{text}` is refused")).help(
        "`weft dead list` lists the records that are; `weft records TEXT` shows what became of any record",
    )
}

impl Choice {
    /// Open letters that are meant; at least one.
    pub(super) async fn letters(
        &self,
        project: &Project,
        store: &dyn Store,
    ) -> Result<Vec<DeadLetter>, Trouble> {
        if let Some(flow) = &self.filter.flow {
            project.flow(flow)?;
        }
        if let Some(text) = &self.record {
            let mut letters = of_record(store, text).await?;
            letters.retain(|letter| letter.resolved_at.is_none() && self.filter.fits(letter));
            return if letters.is_empty() { Err(none(text)) } else { Ok(letters) };
        }
        if self.filter.is_empty() && !self.all {
            return Err(Trouble::new("R087", "which records?")
                .help("name one, or say `--flow`, `--class`, `--reason`, `--run` or `--all`"));
        }
        let mut letters = store.dead_letters(&self.filter.query()).await?;
        letters.retain(|letter| self.filter.fits(letter));
        if letters.is_empty() {
            return Err(Trouble::new("R087", "no refused record fits that")
                .help("`weft dead list` lists what is refused, with its kind, reason and run"));
        }
        Ok(letters)
    }
}

impl List {
    pub(super) async fn run(
        &self,
        project: &Project,
        store: &dyn Store,
        show: &Show,
    ) -> Result<Ended, Trouble> {
        if let Some(flow) = &self.filter.flow {
            project.flow(flow)?;
        }
        let letters = if let Some(text) = &self.record {
            of_record(store, text).await?
        } else {
            let (resolved, waiting) = (self.closed, self.waiting);
            store.dead_letters(&DeadQuery { resolved, waiting, ..self.filter.query() }).await?
        };
        let wanted = |letter: &&DeadLetter| {
            self.filter.fits(letter)
                && (self.closed || letter.resolved_at.is_none())
                && (self.waiting || self.record.is_some() || letter.retry_at.is_none())
        };
        let letters: Vec<&DeadLetter> = letters.iter().filter(wanted).collect();
        let (mut names, mut rows) = (Names::new(project), Vec::new());
        for letter in letters {
            let name = names.of(letter).await;
            show.json(&to_json(letter, name.as_deref()));
            rows.push(row(letter, name.as_deref()));
        }
        if rows.is_empty() {
            show.line("no record is refused");
            return Ok(Ended::Well);
        }
        show.table(&["flow", "record", "last tried", "kind", "reason"], &rows);
        Ok(Ended::Well)
    }
}

fn row(letter: &DeadLetter, name: Option<&str>) -> Vec<String> {
    let state = match (letter.resolved_at, &letter.dropped, letter.retry_at) {
        (Some(_), Some(dropped), _) => format!("given up by {}: ", dropped.by),
        (Some(_), None, _) => "done: ".to_owned(),
        (None, _, Some(retry)) => format!("again at {}: ", moment(retry)),
        (None, _, None) if letter.edited.is_some() => "edited: ".to_owned(),
        (None, _, None) => String::new(),
    };
    vec![
        letter.flow.clone(),
        called(name, &letter.source_key),
        moment(letter.last_at),
        letter.class.clone(),
        format!("{state}{}", letter.reason),
    ]
}

/// A letter without its payloads.
pub(super) fn to_json(letter: &DeadLetter, name: Option<&str>) -> serde_json::Value {
    serde_json::json!({
        "flow": letter.flow,
        "key": letter.source_key,
        "name": name,
        "class": letter.class,
        "reason": letter.reason,
        "attempts": letter.attempts,
        "run": letter.run,
        "first_at": utc(letter.first_at),
        "last_at": utc(letter.last_at),
        "retry_at": letter.retry_at.map(utc),
        "resolved_at": letter.resolved_at.map(utc),
        "edited_by": letter.edited.as_ref().map(|edit| edit.by.as_str()),
        "edited_at": letter.edited.as_ref().map(|edit| utc(edit.at)),
        "dropped_by": letter.dropped.as_ref().map(|dropped| dropped.by.as_str()),
        "dropped_why": letter.dropped.as_ref().map(|dropped| dropped.why.as_str()),
    })
}

/// Keys by flow, flows in the order in which they first come.
pub(super) fn by_flow(letters: &[DeadLetter]) -> Vec<(&str, Vec<&str>)> {
    let mut flows: Vec<(&str, Vec<&str>)> = Vec::new();
    for letter in letters {
        match flows.iter_mut().find(|(flow, _)| *flow == letter.flow) {
            Some((_, keys)) => keys.push(&letter.source_key),
            None => flows.push((&letter.flow, vec![&letter.source_key])),
        }
    }
    flows
}

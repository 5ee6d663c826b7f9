//! One dead letter, with everything that is known of it.

use clap::Args;
use connectors::record::Value;

use super::super::Ended;
use super::super::called::{self, Names, called};
use super::super::records::write_detail;
use super::super::runs::{moment, utc};
use super::super::show::Show;
use super::letters::{none, of_record, to_json};
use crate::load::Loader;
use crate::project::Project;
use crate::store::{DeadLetter, Store};
use crate::trouble::Trouble;

/// Show what was read, what was sent, what was answered, and why it was refused.
#[derive(Debug, Args)]
pub(super) struct ShowLetter {
    /// A record: its key, or anything it is known by
    record: String,
    /// Only of this flow
    #[arg(long)]
    flow: Option<String>,
    /// Show requests and answers in full
    #[arg(long)]
    full: bool,
}

impl ShowLetter {
    pub(super) async fn run(
        &self,
        project: &Project,
        store: &dyn Store,
        show: &Show,
    ) -> Result<Ended, Trouble> {
        let mut letters = of_record(store, &self.record).await?;
        letters.retain(|letter| self.flow.as_ref().is_none_or(|flow| *flow == letter.flow));
        if letters.is_empty() {
            return Err(none(&self.record));
        }
        for letter in &letters {
            self.letter(project, store, letter, show).await?;
        }
        Ok(Ended::Well)
    }

    async fn letter(
        &self,
        project: &Project,
        store: &dyn Store,
        letter: &DeadLetter,
        show: &Show,
    ) -> Result<(), Trouble> {
        let history = store.record_history(&letter.flow, &letter.source_key, 1).await?;
        let detail = history.first().and_then(|row| parsed(row.detail.as_deref()?));
        let read = opened(project, letter, &letter.payload).await;
        let edited = match &letter.edited {
            Some(edit) => opened(project, letter, &edit.payload).await,
            None => None,
        };
        let changed = flow_has_changed(project, letter);
        let name = Names::new(project).of(letter).await;
        let mut json = to_json(letter, name.as_deref());
        if let Some(fields) = json.as_object_mut() {
            fields.insert("plan".to_owned(), format!("{:?}", letter.plan).into());
            fields.insert("flow_has_changed".to_owned(), changed.into());
            fields.insert("source".to_owned(), read.clone().unwrap_or_default());
            fields.insert("edited".to_owned(), edited.clone().unwrap_or_default());
            fields.insert("detail".to_owned(), detail.clone().unwrap_or_default());
        }
        show.json(&json);
        head(letter, name.as_deref(), changed, show);
        if let Some(detail) = &detail {
            show.line("  what was done:");
            write_detail(detail, self.full, show);
        }
        body("as read from the source", read.as_ref(), show);
        if let Some(edit) = &letter.edited {
            let title = format!("as {} edited it at {}; this is what is tried", edit.by, moment(edit.at));
            body(&title, edited.as_ref(), show);
        }
        show.line("");
        Ok(())
    }
}

fn head(letter: &DeadLetter, name: Option<&str>, changed: Option<bool>, show: &Show) {
    show.line(show.strong(&format!("{} {}", letter.flow, called(name, &letter.source_key))));
    show.line(format!("  {} ({})", show.bad(&letter.reason), letter.class));
    let times = match letter.attempts {
        1 => "tried once".to_owned(),
        number => format!("tried {number} times"),
    };
    let since =
        format!("  {times}, first at {}, last at {}", moment(letter.first_at), moment(letter.last_at));
    show.line(show.faint(&since));
    show.line(show.faint(&format!("  last by run {}, of {}", letter.run, utc(letter.last_at))));
    match changed {
        Some(true) => show.line("  the flow has changed since: a replay runs it as it is now"),
        Some(false) => show.line(show.faint("  the flow is still the one that refused it")),
        None => show.line("  the flow cannot be loaded now: `weft check` says why"),
    }
    match (letter.resolved_at, &letter.dropped) {
        (Some(at), Some(dropped)) => {
            show.line(format!("  given up by {} at {}: {}", dropped.by, moment(at), dropped.why));
        }
        (Some(at), None) => show.line(format!("  {} at {}", show.good("closed"), moment(at))),
        (None, _) => {}
    }
}

fn body(title: &str, payload: Option<&serde_json::Value>, show: &Show) {
    let Some(payload) = payload else { return };
    show.line(format!("  {title}:"));
    for line in serde_json::to_string_pretty(payload).unwrap_or_default().lines() {
        show.line(show.faint(&format!("    {line}")));
    }
}

/// A payload that may be sealed, with what the project masks masked. One that cannot be opened
/// is told.
async fn opened(project: &Project, letter: &DeadLetter, payload: &[u8]) -> Option<serde_json::Value> {
    match called::opened(project, letter, payload).await {
        Ok(record) => parsed(&Value::Map(record?).to_json()),
        Err(trouble) => Some(trouble.to_string().into()),
    }
}

/// Whether the flow is another one than that which failed; `None`: it cannot be loaded.
fn flow_has_changed(project: &Project, letter: &DeadLetter) -> Option<bool> {
    let entry = project.flow(&letter.flow).ok()?;
    let flow = Loader::new(project).ok()?.flow(entry).ok()?;
    Some(flow.print != letter.plan)
}

fn parsed(bytes: &[u8]) -> Option<serde_json::Value> {
    serde_json::from_slice(bytes).ok()
}

//! `weft dead`: records that were refused. Shown with everything that is known of them, edited,
//! tried again, or given up.

mod edit;
mod letters;
mod replay;
mod show;

use clap::{Args, Subcommand};

use super::Ended;
use super::run::open_store;
use super::show::{Show, count};
use crate::project::Project;
use crate::store::{DeadLetter, Drop, Store};
use crate::trouble::Trouble;
use letters::{Choice, by_flow};

/// Records that were refused: show, edit, try again, give up.
#[derive(Debug, Args)]
pub(crate) struct Dead {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List refused records, the latest first
    List(letters::List),
    /// Show what was read, what was sent, what was answered, and why it was refused
    Show(show::ShowLetter),
    /// Change what is tried, in an editor or field by field
    Edit(edit::Edit),
    /// Try refused records again
    Replay(replay::Replay),
    /// Give refused records up
    Drop(Giving),
}

/// Give refused records up.
#[derive(Debug, Args)]
struct Giving {
    #[command(flatten)]
    choice: Choice,
    /// Why; kept in the history of the record
    #[arg(long, value_name = "TEXT")]
    why: String,
    /// Do not ask where more than one record is given up
    #[arg(long)]
    yes: bool,
}

impl Dead {
    /// It talks to systems.
    pub(crate) const fn is_replay(&self) -> bool {
        matches!(self.what, What::Replay(_))
    }

    pub(crate) async fn run(&self, project: &Project, show: &Show) -> Result<Ended, Trouble> {
        let store = open_store(project).await?;
        let ended = match &self.what {
            What::List(list) => list.run(project, &*store, show).await,
            What::Show(letter) => letter.run(project, &*store, show).await,
            What::Edit(edit) => edit.run(project, &*store, show).await,
            What::Replay(replay) => replay.run(project, &store, show).await,
            What::Drop(giving) => giving.run(project, &*store, show).await,
        };
        store.close().await;
        ended
    }
}

impl Giving {
    async fn run(&self, project: &Project, store: &dyn Store, show: &Show) -> Result<Ended, Trouble> {
        let letters = self.choice.letters(project, store).await?;
        confirm_several(&letters, "give up", self.yes, show)?;
        let by = super::who();
        let mut dropped = 0;
        for (flow, keys) in by_flow(&letters) {
            let drop = Drop { flow, keys: &keys, by: &by, why: self.why.trim() };
            dropped += store.drop_dead(&drop).await?;
            for key in keys {
                show.json(&serde_json::json!({ "flow": flow, "key": key, "dropped_by": by, "why": self.why.trim() }));
            }
        }
        let records = count(i64::try_from(dropped).unwrap_or(i64::MAX), "record is", "records are");
        show.line(format!(
            "{} {records} given up, and left out until the source changes them",
            show.good("✓")
        ));
        Ok(Ended::Well)
    }
}

/// More than one letter is touched only when a person says so.
fn confirm_several(letters: &[DeadLetter], verb: &str, yes: bool, show: &Show) -> Result<(), Trouble> {
    if letters.len() < 2 {
        return Ok(());
    }
    let flows = by_flow(letters).len();
    let of = if flows > 1 { format!(" of {flows} flows") } else { String::new() };
    show.confirm(&format!("{verb} {} records{of}?", letters.len()), yes)
}

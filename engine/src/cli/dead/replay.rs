//! Dead letters, tried again: a run like any other that reads nothing else.

use std::sync::Arc;

use clap::Args;

use super::super::Ended;
use super::super::progress::Progress;
use super::super::run::{done, load, stop_on_interrupt, tell, worse};
use super::super::show::Show;
use super::confirm_several;
use super::letters::{Choice, by_flow};
use crate::project::{FlowEntry, Project};
use crate::run::{Options, Take, replay};
use crate::store::Store;
use crate::trouble::Trouble;

/// Try refused records again.
#[derive(Debug, Args)]
pub(super) struct Replay {
    #[command(flatten)]
    choice: Choice,
    /// As they were read or edited, without asking the source
    #[arg(long)]
    as_read: bool,
    /// As the source has them now, also where somebody edited them
    #[arg(long, conflicts_with = "as_read")]
    afresh: bool,
    /// Do not ask where more than one record is tried
    #[arg(long)]
    yes: bool,
}

impl Replay {
    pub(super) async fn run(
        &self,
        project: &Project,
        store: &Arc<dyn Store>,
        show: &Show,
    ) -> Result<Ended, Trouble> {
        let letters = self.choice.letters(project, &**store).await?;
        confirm_several(&letters, "try again", self.yes, show)?;
        let chosen = by_flow(&letters);
        let entries: Vec<FlowEntry> =
            chosen.iter().map(|(flow, _)| project.flow(flow).cloned()).collect::<Result<_, _>>()?;
        let flows = load(project, &entries, show)?;
        let take = match (self.as_read, self.afresh) {
            (true, _) => Take::AsRead,
            (_, true) => Take::Afresh,
            _ => Take::Best,
        };
        let stop = stop_on_interrupt();
        let mut ended = Ended::Well;
        for ((flow, sides), (_, keys)) in flows.iter().zip(chosen) {
            let keys = keys.into_iter().map(str::to_owned).collect();
            let wanted = crate::run::Replay { keys, take };
            let stop = Arc::clone(&stop);
            let options = Options { cause: "replay".to_owned(), full: false, refused_again: false, stop };
            let progress = Progress::new(&flow.name, show.is_terminal());
            let result = replay(flow, sides, store, &options, &wanted, &progress).await;
            let done = done(flow, result, progress)?;
            tell(&done, show);
            ended = worse(ended, done.ended());
        }
        Ok(ended)
    }
}

//! `weft alert test`: proves that alerts arrive.

use clap::{Args, Subcommand};

use super::{Ended, Show};
use crate::alert::Message;
use crate::project::Project;
use crate::trouble::{Trouble, did_you_mean};

/// Prove that alerts arrive.
#[derive(Debug, Args)]
pub(crate) struct Alert {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Send a message that says that it is a test
    Test {
        /// A channel under [alerts] in weft.toml; all of them when none is named
        channel: Option<String>,
    },
}

impl Alert {
    pub(crate) async fn run(&self, project: &Project, show: &Show) -> Result<Ended, Trouble> {
        let What::Test { channel: wanted } = &self.what;
        let channels = &project.alerts.channels;
        let names = || channels.iter().map(|(name, _)| name.as_str());
        if channels.is_empty() {
            return Err(Trouble::new("R107", "weft.toml does not say who is to be told").help(
                "add `[alerts.NAME]` with `kind = \"mail\"`; docs/alerts.md shows what belongs to it",
            ));
        }
        if let Some(name) = wanted
            && !names().any(|known| known == name)
        {
            let help = did_you_mean(name, names())
                .unwrap_or_else(|| format!("there are {}", names().collect::<Vec<_>>().join(", ")));
            return Err(Trouble::new("R108", format!("no channel is called `{name}`")).help(help));
        }
        let message = Message::test(&project.name, jiff::Timestamp::now());
        let mut ended = Ended::Well;
        for (name, channel) in
            channels.iter().filter(|(name, _)| wanted.as_ref().is_none_or(|one| one == name))
        {
            let outcome = channel.send(&message).await;
            let problem = outcome.as_ref().err();
            show.json(&serde_json::json!({
                "channel": name, "delivered": problem.is_none(),
                "reason": problem.map(|problem| &problem.reason), "help": problem.and_then(|problem| problem.help),
            }));
            let Some(problem) = problem else {
                show.line(format!(
                    "{} {name}  the message was taken; see whether it arrives",
                    show.good("✓")
                ));
                continue;
            };
            ended = Ended::Remote;
            show.line(format!("{} {name}  {}", show.bad("✗"), problem.reason));
            if let Some(help) = problem.help {
                show.line(format!("    {help}"));
            }
        }
        Ok(ended)
    }
}

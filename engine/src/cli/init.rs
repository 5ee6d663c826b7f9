//! `weft init`: from an empty folder to a running project.

use std::path::PathBuf;

use clap::Args;

use super::Ended;
use super::show::Show;
use crate::init::{Told, make, near};
use crate::trouble::Trouble;

/// Make a project, question by question.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The project's folder; it is made when it is not there
    #[arg(default_value = ".")]
    folder: PathBuf,
    /// The two systems, as the folder of their flows is called
    #[arg(long)]
    pair: Option<String>,
    /// What the project is called; else as its folder
    #[arg(long)]
    name: Option<String>,
    /// Flows that are taken
    #[arg(long, value_name = "FLOW,FLOW", value_delimiter = ',')]
    flows: Option<Vec<String>>,
    /// A setting of a connection: shop.address=https://…; secrets stand in no flag
    #[arg(long = "connection", value_name = "NAME.SETTING=VALUE")]
    connections: Vec<String>,
    /// A setting of a flow: orders.start_date=2026-01-01
    #[arg(long = "setting", value_name = "FLOW.SETTING=VALUE")]
    settings: Vec<String>,
    /// A TOML file with answers to any of the questions
    #[arg(long, value_name = "FILE")]
    answers: Option<PathBuf>,
    /// Show what the first ten records of each flow would do; nothing is written
    #[arg(long)]
    look: bool,
    /// Switch the flows on
    #[arg(long, conflicts_with = "off")]
    on: bool,
    /// Leave the flows off
    #[arg(long)]
    off: bool,
    /// Ask every question, also those that have an answer already
    #[arg(long)]
    all: bool,
    /// Ask nothing, also at a terminal: take what is given, and the standard answers
    #[arg(long, conflicts_with = "all")]
    no_questions: bool,
}

impl Init {
    pub(crate) async fn run(self, show: &Show) -> Result<Ended, Trouble> {
        let on = match (self.on, self.off) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        };
        let told = Told {
            folder: self.folder,
            file: self.answers,
            pair: self.pair,
            name: self.name,
            flows: self.flows,
            connections: self.connections,
            settings: self.settings,
            on,
            look: self.look,
            every_question: self.all,
            quiet: self.no_questions,
        };
        let done = make(told, show).await?;
        let folder = near(&done.folder);
        show.json(&serde_json::json!({ "project": folder, "on": done.on, "sign_in": done.to_sign_in }));
        show.line("");
        show.line(format!("{} the project is in {folder}", show.good("✓")));
        let at = if folder == "." { String::new() } else { format!(" --project {folder}") };
        if !done.to_sign_in.is_empty() {
            for name in &done.to_sign_in {
                show.line(format!("next: weft{at} connect {name}"));
            }
            show.line("then call `weft init` again: it goes on from here");
            return Ok(Ended::Well);
        }
        if done.on.is_empty() {
            show.line("no flow is on yet: call `weft init` again, or leave out `on = false` in weft.toml");
        } else {
            show.line(format!("on: {}", done.on.join(", ")));
            show.line(format!("next: weft{at} run      once, by hand"));
            show.line(format!("then: weft{at} serve    whenever a flow is due"));
        }
        Ok(Ended::Well)
    }
}

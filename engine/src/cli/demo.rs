//! `weft demo`: see it work.

use std::path::PathBuf;

use clap::Args;

use super::Ended;
use super::run::stop_on_interrupt;
use super::show::Show;
use crate::demo::{PAIRS, Size, find, play};
use crate::trouble::Trouble;

/// Two systems on this machine, and every flow between them.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// The pair of systems, as the folder of its flows is called
    #[arg(default_value = PAIRS.first().map_or("", |pair| pair.name))]
    pair: String,
    /// Say which pairs there are, and play none
    #[arg(long)]
    list: bool,
    /// Where the demo's project is put; made anew each time
    #[arg(long, default_value = "weft-demo")]
    folder: PathBuf,
    /// Products of the system that owns them
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(12..=100_000))]
    products: u32,
    /// Orders of the system that sells
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    orders: u32,
    /// Seed of chance: the same seed makes the same world
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// When the demo takes place; now unless said
    #[arg(long, hide = true)]
    today: Option<jiff::Timestamp>,
    /// Keep both stand-ins running afterwards, until Ctrl-C
    #[arg(long)]
    stay: bool,
}

impl Demo {
    pub(crate) async fn run(&self, show: &Show) -> Result<Ended, Trouble> {
        if self.list {
            for pair in PAIRS {
                show.line(format!("{:<28} {}", pair.name, pair.about));
                show.json(&serde_json::json!({ "pair": pair.name, "about": pair.about }));
            }
            return Ok(Ended::Well);
        }
        let pair = find(&self.pair)?;
        let many = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let size = Size {
            products: many(self.products),
            orders: many(self.orders),
            seed: self.seed,
            today: self.today.unwrap_or_else(jiff::Timestamp::now),
        };
        let good = play(pair, &self.folder, &size, self.stay, stop_on_interrupt(), show).await?;
        // Refused records are part of the play; books that do not agree are not.
        Ok(if good { Ended::Well } else { Ended::Partly })
    }
}

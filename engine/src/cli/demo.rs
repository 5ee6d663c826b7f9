//! `weft demo`: see it work.

use std::path::PathBuf;

use clap::Args;

use super::Ended;
use super::run::stop_on_interrupt;
use super::show::Show;
use crate::demo::{Size, play};
use crate::trouble::Trouble;

/// A shop and a till on this machine, and every flow between them.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where the demo's project is put; made anew each time
    #[arg(long, default_value = "weft-demo")]
    folder: PathBuf,
    /// Products of the till
    #[arg(long, default_value_t = 400, value_parser = clap::value_parser!(u32).range(12..=100_000))]
    products: u32,
    /// Orders of the shop
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    orders: u32,
    /// Seed of chance: the same seed makes the same shop
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Keep both stand-ins running afterwards, until Ctrl-C
    #[arg(long)]
    stay: bool,
}

impl Demo {
    pub(crate) async fn run(&self, show: &Show) -> Result<Ended, Trouble> {
        let many = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let size = Size { products: many(self.products), orders: many(self.orders), seed: self.seed };
        let good = play(&self.folder, &size, self.stay, stop_on_interrupt(), show).await?;
        // Refused records are part of the play; books that do not agree are not.
        Ok(if good { Ended::Well } else { Ended::Partly })
    }
}

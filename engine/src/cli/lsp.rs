//! `weft lsp`: the server that editors start.

use clap::Args;

use super::Ended;
use crate::trouble::{Trouble, why};

/// Help editors with flows, over the Language Server Protocol on standard input and output.
#[derive(Debug, Args)]
pub(crate) struct Lsp {
    /// Speak over standard input and output; some editors say so, and there is no other way
    #[arg(long)]
    stdio: bool,
}

impl Lsp {
    pub(crate) fn run(&self) -> Result<Ended, Trouble> {
        let Self { stdio: _ } = self;
        let input = std::io::BufReader::new(std::io::stdin());
        match crate::lsp::serve(input, std::io::stdout().lock()) {
            Ok(true) => Ok(Ended::Well),
            // The protocol asks for 1 where the client goes without a word.
            Ok(false) => Ok(Ended::Partly),
            Err(error) => Err(Trouble::new("F141", format!("the editor hung up: {}", why(&error)))
                .help("nothing is lost: the editor holds what is not saved; start it again")),
        }
    }
}

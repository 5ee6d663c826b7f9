//! `weft completions` and `weft man`: what shells and `man` learn of the program, made from the
//! commands themselves.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use super::{Call, Ended, Show};
use crate::trouble::{Trouble, why};

/// Print completions for a shell.
#[derive(Debug, Args)]
#[command(after_help = "For this session: `source <(weft completions bash)`. For good, put what it prints \
where your shell looks:\n  bash  ~/.local/share/bash-completion/completions/weft\n  zsh   a folder of \
$fpath, as _weft\n  fish  ~/.config/fish/completions/weft.fish")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> Result<Ended, Trouble> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Call::command(), "weft", &mut text);
        print(&text)
    }
}

/// Write manual pages, one for each command; without a folder, print that of `weft` itself.
#[derive(Debug, Args)]
#[command(after_help = "`weft man ~/.local/share/man/man1` is enough for `man weft` and `man weft-run`.")]
pub(crate) struct Man {
    /// Where the pages go; made when it is not there
    folder: Option<PathBuf>,
}

impl Man {
    pub(crate) fn run(&self, show: &Show) -> Result<Ended, Trouble> {
        let command = Call::command();
        let Some(folder) = &self.folder else {
            let mut text = Vec::new();
            clap_mangen::Man::new(command)
                .render(&mut text)
                .map_err(|error| unwritten("the page", &error))?;
            return print(&text);
        };
        let failed = |error: std::io::Error| unwritten(&folder.display().to_string(), &error);
        std::fs::create_dir_all(folder).map_err(failed)?;
        clap_mangen::generate_to(command, folder).map_err(failed)?;
        let pages = pages(folder).map_err(failed)?;
        show.json(&serde_json::json!({ "folder": folder, "pages": pages }));
        show.line(format!("{} {pages} manual pages in {}", show.good("✓"), folder.display()));
        Ok(Ended::Well)
    }
}

fn pages(folder: &Path) -> std::io::Result<usize> {
    let ours = |name: &str| name.starts_with("weft") && name.ends_with(".1");
    let names = std::fs::read_dir(folder)?.flatten().map(|entry| entry.file_name());
    Ok(names.filter(|name| name.to_str().is_some_and(ours)).count())
}

fn print(text: &[u8]) -> Result<Ended, Trouble> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        // `weft man | head` has seen enough.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(unwritten("it", &error)),
        _ => Ok(Ended::Well),
    }
}

fn unwritten(what: &str, error: &std::io::Error) -> Trouble {
    Trouble::new("R093", format!("cannot write {what}: {}", why(error)))
        .help("name a folder that you may write in, with room on its disk")
}

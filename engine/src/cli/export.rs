//! `weft export`: what is kept of a person, for that person.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::Ended;
use super::run::open_store;
use super::show::{Show, count};
use crate::person::{export, records_of, unknown};
use crate::project::Project;
use crate::trouble::{Trouble, why};

/// Write out what is kept of a person.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// An e-mail address, or a record's key or number
    text: String,
    /// Into this file, for the owner's eyes only; else to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

impl Export {
    pub(crate) async fn run(&self, project: &Project, show: &Show) -> Result<Ended, Trouble> {
        let store = open_store(project).await?;
        let records = records_of(&*store, &self.text).await?;
        let made = export(project, &*store, &self.text, &records).await;
        store.close().await;
        if records.is_empty() {
            return Err(unknown(&self.text));
        }
        let made = made?;
        let Some(out) = &self.out else {
            if show.is_json() {
                show.json(&made);
            } else {
                show.line(serde_json::to_string_pretty(&made).unwrap_or_default());
            }
            return Ok(Ended::Well);
        };
        write(out, &made).map_err(|error| {
            Trouble::new("R037", format!("cannot write `{}`: {}", out.display(), why(&error)))
                .help("name a file that is not there yet, in a folder that you may write in")
        })?;
        show.json(&serde_json::json!({ "written": out, "records": records.len() }));
        let number = count(i64::try_from(records.len()).unwrap_or(i64::MAX), "record", "records");
        show.line(format!("{} {number} written to {}", show.good("✓"), out.display()));
        Ok(Ended::Well)
    }
}

fn write(path: &std::path::Path, made: &serde_json::Value) -> std::io::Result<()> {
    let mut options = std::fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(serde_json::to_string_pretty(made)?.as_bytes())?;
    file.write_all(b"\n")
}

//! `weft backup` and `weft restore`: copies of the store.

use std::path::{Path, PathBuf};

use clap::Args;

use super::Ended;
use super::run::{open_store, store_trouble};
use super::runs::{moment, utc};
use super::show::{Show, count};
use crate::project::Project;
use crate::store::{self, Address, Place};
use crate::trouble::Trouble;

/// Copy the store into a file, while flows run.
#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// A new file
    file: PathBuf,
}

/// Put a copy in the place of the store; the store that is there is kept aside.
#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// A file that `weft backup` wrote
    #[arg(required_unless_present = "mark")]
    file: Option<PathBuf>,
    /// The store was put back already, by other means: be careful with what it does not know
    #[arg(long, conflicts_with = "file")]
    mark: bool,
}

/// What a mark does.
const CAREFUL: &str =
    "    in its next run each flow looks in the target before it creates what the store does not know";

/// Notes that the store was put back by other means.
async fn mark(project: &Project, show: &Show) -> Result<Ended, Trouble> {
    let store = open_store(project).await?;
    let flows = store.mark_restored().await;
    store.close().await;
    let flows = flows.map_err(|error| store_trouble(&error))?;
    show.json(&serde_json::json!({ "store": project.store.to_string(), "marked": flows }));
    show.line(format!("{} {} marked", show.good("✓"), count(flows, "flow is", "flows are")));
    show.line(CAREFUL);
    Ok(Ended::Well)
}

impl Backup {
    pub(crate) async fn run(&self, project: &Project, show: &Show) -> Result<Ended, Trouble> {
        let path = match &project.store {
            Place::File(path) => path,
            Place::Server(address) => {
                return Err(by_the_server(address, "pg_dump --format=custom --file", &self.file));
            }
        };
        if !path.exists() {
            let message = format!("there is no store yet at `{}`", path.display());
            return Err(Trouble::new("R077", message).help("the first `weft run` makes it"));
        }
        if self.file.exists() {
            let message = format!("`{}` is there already", self.file.display());
            return Err(Trouble::new("R077", message).help("name a new file; a copy never replaces anything"));
        }
        store::backup(path, &self.file).await.map_err(|error| store_trouble(&error))?;
        let bytes = std::fs::metadata(&self.file).map_or(0, |data| data.len());
        show.json(&serde_json::json!({ "store": path, "copy": self.file, "bytes": bytes }));
        show.line(format!(
            "{} the store was copied to {}, and the copy is whole",
            show.good("✓"),
            self.file.display()
        ));
        Ok(Ended::Well)
    }
}

impl Restore {
    pub(crate) async fn run(&self, project: &Project, show: &Show) -> Result<Ended, Trouble> {
        let Some(file) = &self.file else { return mark(project, show).await };
        let path = match &project.store {
            Place::File(path) => path,
            Place::Server(address) => {
                return Err(by_the_server(
                    address,
                    "pg_restore --clean --if-exists --single-transaction --dbname",
                    file,
                ));
            }
        };
        if !file.exists() {
            let message = format!("there is no copy at `{}`", file.display());
            return Err(Trouble::new("R077", message).help("name a file that `weft backup` wrote"));
        }
        if is_same(path, file) {
            let message = format!("`{}` is the store itself", file.display());
            return Err(Trouble::new("R077", message).help("name a file that `weft backup` wrote"));
        }
        if let Some(folder) = path.parent() {
            // Told better by what comes next, if it cannot be made.
            let _ = std::fs::create_dir_all(folder);
        }
        let restored = store::restore(file, path).await.map_err(|error| store_trouble(&error))?;
        show.json(&serde_json::json!({
            "store": path,
            "copy": file,
            "replaced": restored.aside,
            "knows_until": restored.knows_until.map(utc),
        }));
        show.line(format!("{} the store is what {} holds", show.good("✓"), file.display()));
        if let Some(aside) = &restored.aside {
            show.line(format!("    the store that was there is kept as {}", aside.display()));
        }
        if let Some(until) = restored.knows_until {
            let until = moment(until);
            show.line(format!(
                "    it knows what was sent until {until}, and nothing of what was sent since"
            ));
        }
        show.line(CAREFUL);
        Ok(Ended::Well)
    }
}

/// A database is copied by its own tools: they know users, rights and other servers.
fn by_the_server(address: &Address, command: &str, file: &Path) -> Trouble {
    let command = match command.split_once(' ') {
        Some(("pg_dump", _)) => format!("`{command} {} '{address}'`", file.display()),
        _ => format!("`{command} '{address}' {}`, then `weft restore --mark`", file.display()),
    };
    Trouble::new("R077", "the store is a PostgreSQL database, which is copied by the tools of PostgreSQL")
        .help(format!("run {command}; it asks for the password, or takes it from PGPASSWORD or ~/.pgpass"))
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

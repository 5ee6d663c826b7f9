//! A project on disk: `weft.toml`, flows, scripts, profiles, answers.
//!
//! Reading it touches no remote system and no store. Everything wrong with `weft.toml` is
//! told at once.

mod alerts;
mod answers;
mod file;
mod limits;
mod listen;
mod privacy;
mod sealed;
mod serve;
mod store;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use connectors::contract::{self, Connector, Host};
use connectors::manifest::Answers;

use crate::script::Limits;
use crate::store::Place;
use crate::trouble::{Trouble, why};
use crate::vault::{Entry, Vault};

pub use alerts::{Alerts, Rules};
pub use answers::FlowAnswers;
pub(crate) use answers::{Given, constant, in_words, otherwise, row};
pub use listen::Listen;
pub use privacy::Privacy;
pub use sealed::Sealed;
pub use serve::Serve;

/// The name of the project's main file.
pub const MAIN_FILE: &str = "weft.toml";

/// A project.
pub struct Project {
    /// The folder that holds `weft.toml`.
    pub root: PathBuf,
    /// What it is called.
    pub name: String,
    /// Accounts of systems, by name.
    pub connections: BTreeMap<String, Connection>,
    /// Flows in the order of the file.
    pub flows: Vec<FlowEntry>,
    /// Systems that flows may name: built in, and the project's own profiles.
    pub systems: BTreeMap<String, Arc<dyn Connector>>,
    /// What the scripts of one record may use.
    pub limits: Limits,
    /// Where it keeps what must survive.
    pub store: Place,
    /// How the daemon works.
    pub serve: Serve,
    /// Where it listens; `None`: it does not.
    pub listen: Option<Listen>,
    /// Who is told when something needs somebody.
    pub alerts: Alerts,
    /// What the log keeps of records.
    pub privacy: Privacy,
    /// Secrets and tokens.
    pub vault: Vault,
    /// Settings that come from the vault and have not been opened.
    pub sealed: Vec<Sealed>,
    /// Those that have, and when each was last replaced.
    pub opened: Vec<Entry>,
}

/// One account of one system.
#[derive(Clone)]
pub struct Connection {
    /// Its name in the project.
    pub name: String,
    /// The kind of system.
    pub system: String,
    /// Address, keys and the rest.
    pub answers: Answers,
    /// The system as this account has it.
    pub connector: Arc<dyn Connector>,
    /// What the system offers depends on the account.
    pub own_schema: bool,
}

/// A flow of the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowEntry {
    /// Its name: what runs, ledger and commands call it.
    pub name: String,
    /// Its file, relative to the project.
    pub file: String,
    /// It runs when all flows run.
    pub on: bool,
    /// Connections by role; a role without an entry takes the connection of its own name.
    pub roles: BTreeMap<String, String>,
}

impl Project {
    /// The project that a folder lies in: the nearest `weft.toml` upwards.
    pub fn find(from: &Path) -> Result<Self, Trouble> {
        let start = std::path::absolute(from).unwrap_or_else(|_| from.to_owned());
        match start.ancestors().find(|folder| folder.join(MAIN_FILE).is_file()) {
            Some(root) => Self::open(root),
            None => Err(Trouble::new("R001", format!("no {MAIN_FILE} in `{}` or above it", start.display()))
                .help(
                    "change into a project's folder, name one with `--project FOLDER`, or try `weft demo`",
                )),
        }
    }

    /// The project in that folder.
    pub fn open(root: &Path) -> Result<Self, Trouble> {
        file::read(root)
    }

    /// No project: the systems that come with Weft, to check a single file.
    #[must_use]
    pub fn bare(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            name: String::new(),
            connections: BTreeMap::new(),
            flows: Vec::new(),
            systems: file::built_in(),
            limits: Limits::default(),
            store: store::standard(root),
            serve: Serve::default(),
            listen: None,
            alerts: Alerts::default(),
            privacy: Privacy::default(),
            vault: Vault::of(root),
            sealed: Vec::new(),
            opened: Vec::new(),
        }
    }

    /// What a session with a connection finds here.
    #[must_use]
    pub fn host(&self, connection: &Connection) -> Host {
        Host { limits: contract::Limits::default(), tokens: self.vault.tokens(&connection.name) }
    }

    /// The flow of that name, or of that file.
    pub fn flow(&self, name: &str) -> Result<&FlowEntry, Trouble> {
        let wanted = Path::new(name);
        self.flows
            .iter()
            .find(|flow| flow.name == name)
            .or_else(|| self.flows.iter().find(|flow| same_file(&self.root.join(&flow.file), wanted)))
            .ok_or_else(|| {
                let known = self.flows.iter().map(|flow| flow.name.as_str());
                let help = crate::trouble::did_you_mean(name, known.clone())
                    .unwrap_or_else(|| format!("the project has {}", known.collect::<Vec<_>>().join(", ")));
                Trouble::new("R002", format!("the project has no flow `{name}`")).help(help)
            })
    }

    /// The connection that plays a role of a flow.
    pub fn connection(&self, flow: &FlowEntry, role: &str, system: &str) -> Result<&Connection, Trouble> {
        let name = flow.roles.get(role).map_or(role, String::as_str);
        let Some(connection) = self.connections.get(name) else {
            return Err(Trouble::new("R003", format!("flow `{}` needs a connection for `{role}`", flow.name)).help(
                format!(
                    "add `[connections.{name}]` with `system = \"{system}\"` to {MAIN_FILE}, or bind the role to another one: `{role} = \"NAME\"` under `[flows.{}]`",
                    flow.name
                ),
            ));
        };
        if connection.system != system {
            return Err(Trouble::new(
                "R004",
                format!(
                    "role `{role}` of flow `{}` is {system}, but connection `{name}` is {}",
                    flow.name, connection.system
                ),
            )
            .help(format!(
                "bind the role to a {system} connection: `{role} = \"NAME\"` under `[flows.{}]`",
                flow.name
            )));
        }
        Ok(connection)
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// Reads a text file of a project; every way to fail is told with the path.
pub fn read_text(path: &Path) -> Result<String, Trouble> {
    let bytes = std::fs::read(path).map_err(|error| {
        let help = match error.kind() {
            std::io::ErrorKind::NotFound => "check the name; paths count from the project's folder",
            std::io::ErrorKind::PermissionDenied => "give the user who runs weft the right to read it",
            _ => "check that it is a readable file",
        };
        Trouble::new("R005", format!("cannot read `{}`: {}", path.display(), why(&error))).help(help)
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes().get(..good).unwrap_or_default().split(|byte| *byte == b'\n').count();
        Trouble::new("R006", format!("`{}` is not UTF-8 text, from line {line} on", path.display()))
            .help("save it as UTF-8 in your editor")
    })
}

//! The project's files, read and checked as one: a version. A run keeps the version that it
//! began with; conversations with systems go on from version to version, so that their pace holds.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use connectors::contract::{RemoteError, Session};
use dsl::plan::{Plan, Side, Trigger};
use miette::Report;
use tokio::task::{JoinError, spawn_blocking};

use super::Around;
use super::board::Spec;
use super::health::{Roster, RosterFlow, Webhook};
use super::schedule::Schedule;
use crate::flow::Flow;
use crate::load::{Loader, Problems};
use crate::project::{Connection, FlowEntry, Project};
use crate::run::{Party, Sides, creates};
use crate::store::{Fingerprint, Store};
use crate::trouble::Trouble;

/// Conversations by connection, each with what tells whether its settings changed.
pub(crate) type Sessions = BTreeMap<String, (u128, Arc<dyn Session>)>;

/// Conversations by connection, for whoever does not run flows: with the same pace and the same
/// sign-in as runs.
#[derive(Clone, Default)]
pub struct Talks(BTreeMap<String, Arc<dyn Session>>);

impl Talks {
    /// The conversation of a connection that flows use.
    #[must_use]
    pub fn get(&self, connection: &str) -> Option<Arc<dyn Session>> {
        self.0.get(connection).map(Arc::clone)
    }
}

impl FromIterator<(String, Arc<dyn Session>)> for Talks {
    fn from_iter<I: IntoIterator<Item = (String, Arc<dyn Session>)>>(talks: I) -> Self {
        Self(talks.into_iter().collect())
    }
}

/// Their names.
impl std::fmt::Debug for Talks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The project as it was at one time.
pub(crate) struct Version {
    /// Grows by one with each.
    pub(crate) number: u64,
    pub(crate) project: Arc<Project>,
    /// Flows that are on.
    pub(crate) flows: BTreeMap<String, Arc<Loaded>>,
    pub(crate) sessions: Sessions,
}

/// A flow that is ready to run, as often as it is due.
pub(crate) struct Loaded {
    pub(crate) flow: Arc<Flow>,
    pub(crate) sides: Sides,
    /// The connection that it reads from.
    pub(crate) source: String,
    /// The connection that it writes to.
    pub(crate) target: String,
    /// What it creates: resources of its target.
    pub(crate) creates: BTreeSet<String>,
    schedule: Schedule,
}

impl Version {
    /// Reads and checks everything, with the secrets that the vault has; else every problem of every
    /// file.
    pub(crate) async fn load(
        root: PathBuf,
        number: u64,
        sessions: Sessions,
        store: Arc<dyn Store>,
    ) -> Result<Result<Self, Problems>, JoinError> {
        let mut project = match spawn_blocking(move || Project::open(&root)).await? {
            Ok(project) => project,
            Err(trouble) => return Ok(Err(one(trouble))),
        };
        project.vault.attach(&store);
        if let Err(trouble) = project.unseal().await {
            return Ok(Err(one(trouble)));
        }
        spawn_blocking(move || Self::of(project, number, &sessions)).await
    }

    /// The same of a project that has been read.
    pub(crate) fn of(project: Project, number: u64, old: &Sessions) -> Result<Self, Problems> {
        let loader = Loader::new(&project).map_err(one)?;
        let profiles = profiles(&project.root);
        let mut sessions = Sessions::new();
        let mut flows = BTreeMap::new();
        let mut problems = Vec::new();
        for entry in project.flows.iter().filter(|entry| entry.on) {
            match load(&loader, entry, profiles, old, &mut sessions) {
                Ok(loaded) => drop(flows.insert(entry.name.clone(), Arc::new(loaded))),
                Err(mut found) => problems.append(&mut found),
            }
        }
        if problems.is_empty() {
            let on =
                project.flows.iter().filter_map(|entry| Some((entry, &flows.get(&entry.name)?.flow.plan)));
            problems = loader.two_way(&on.collect::<Vec<_>>());
        }
        drop(loader);
        let project = Arc::new(project);
        if problems.is_empty() { Ok(Self { number, project, flows, sessions }) } else { Err(problems) }
    }

    /// The same with a new conversation with one connection: it has been signed in to again.
    pub(crate) fn renewed(&self, name: &str) -> Result<Self, RemoteError> {
        let mut version = Self {
            number: self.number,
            project: Arc::clone(&self.project),
            flows: self.flows.clone(),
            sessions: self.sessions.clone(),
        };
        let Some(connection) = self.project.connections.get(name) else { return Ok(version) };
        let session = connection.connector.connect(&connection.answers, &self.project.host(connection))?;
        if let Some((_, kept)) = version.sessions.get_mut(name) {
            *kept = Arc::clone(&session);
        }
        for loaded in
            version.flows.values_mut().filter(|loaded| loaded.source == name || loaded.target == name)
        {
            *loaded = Arc::new(loaded.with(name, &session));
        }
        Ok(version)
    }

    /// What the board has to know of each flow, in the order of `weft.toml`.
    pub(crate) fn specs(&self) -> Vec<Spec> {
        self.project.flows.iter().map(|entry| self.spec(entry)).collect()
    }

    fn spec(&self, entry: &FlowEntry) -> Spec {
        let Some(loaded) = self.flows.get(&entry.name) else {
            return Spec {
                name: entry.name.clone(),
                on: false,
                schedule: Schedule::default(),
                overlapping: dsl::plan::Overlapping::default(),
                missed: dsl::plan::Missed::default(),
                apart: None,
                source: String::new(),
                target: String::new(),
                creates: BTreeSet::new(),
                print: Fingerprint::default(),
                lines: String::new(),
            };
        };
        let plan = &loaded.flow.plan;
        Spec {
            name: entry.name.clone(),
            on: true,
            schedule: loaded.schedule.clone(),
            overlapping: plan.overlapping,
            missed: plan.missed,
            apart: plan.apart,
            source: loaded.source.clone(),
            target: loaded.target.clone(),
            creates: loaded.creates.clone(),
            print: loaded.flow.print,
            lines: format!("{:?}", plan.triggers),
        }
    }

    /// Connections that flows use, each with what tells whether its settings changed.
    pub(crate) fn connections(&self) -> Vec<(String, u128)> {
        self.sessions.iter().map(|(name, (print, _))| (name.clone(), *print)).collect()
    }

    /// The conversations, for listeners.
    pub(crate) fn talks(&self) -> Talks {
        self.sessions.iter().map(|(name, (_, session))| (name.clone(), Arc::clone(session))).collect()
    }

    /// What the project says of those that work beside the daemon.
    pub(crate) fn around(&self) -> Around {
        let Project { name, listen, alerts, .. } = &*self.project;
        Around { project: name.clone(), listen: listen.clone(), alerts: alerts.clone() }
    }

    /// What listeners are told.
    pub(crate) fn roster(&self) -> Roster {
        let flows = self.project.flows.iter().map(|entry| {
            let loaded = self.flows.get(&entry.name);
            RosterFlow {
                name: entry.name.clone(),
                on: loaded.is_some(),
                source: loaded.map(|loaded| loaded.source.clone()).unwrap_or_default(),
                target: loaded.map(|loaded| loaded.target.clone()).unwrap_or_default(),
                webhooks: loaded.map(|loaded| webhooks(loaded)).unwrap_or_default(),
            }
        });
        Roster { version: self.number, flows: flows.collect() }
    }
}

impl Loaded {
    /// The same flow over another conversation with that connection.
    fn with(&self, name: &str, session: &Arc<dyn Session>) -> Self {
        let party = |used: &str, party: &Party| {
            let session = if used == name { session } else { &party.session };
            Party::new(used, Arc::clone(session), party.manifest.clone())
        };
        Self {
            flow: Arc::clone(&self.flow),
            sides: Sides {
                source: party(&self.source, &self.sides.source),
                target: party(&self.target, &self.sides.target),
            },
            source: self.source.clone(),
            target: self.target.clone(),
            creates: self.creates.clone(),
            schedule: self.schedule.clone(),
        }
    }
}

fn webhooks(loaded: &Loaded) -> Vec<Webhook> {
    let connection = |side: Side| match side {
        Side::Source => loaded.source.clone(),
        Side::Target => loaded.target.clone(),
    };
    let hooks = loaded.flow.plan.triggers.iter().filter_map(|trigger| match trigger {
        Trigger::Webhook { side, event } => {
            Some(Webhook { connection: connection(*side), event: event.clone() })
        }
        _ => None,
    });
    hooks.collect()
}

fn load(
    loader: &Loader<'_>,
    entry: &FlowEntry,
    profiles: u128,
    old: &Sessions,
    sessions: &mut Sessions,
) -> Result<Loaded, Problems> {
    let flow = loader.flow(entry)?;
    let mut session = |connection: &Connection| {
        let print = print(connection, profiles);
        if let Some((_, session)) = sessions.get(&connection.name) {
            return Ok(Arc::clone(session));
        }
        let kept = old.get(&connection.name).filter(|(before, _)| *before == print);
        let session = match kept {
            Some((_, session)) => Arc::clone(session),
            None => loader.connect(connection)?,
        };
        sessions.insert(connection.name.clone(), (print, Arc::clone(&session)));
        Ok(session)
    };
    let sides = loader.sides_by(entry, &flow.plan, &mut session).map_err(one)?;
    let schedule = Schedule::of(&flow.plan).map_err(|zone| {
        one(Trouble::new("R090", format!("no time zone is called `{zone}`"))
            .help("zones are named after a large city in them: `Europe/Amsterdam`"))
    })?;
    let (source, target) = bound(entry, &flow.plan);
    let creates = creates(&flow.plan, &sides);
    Ok(Loaded { flow: Arc::new(flow), sides, source, target, creates, schedule })
}

/// The connections that play the roles of a flow.
pub(crate) fn bound(entry: &FlowEntry, plan: &Plan) -> (String, String) {
    let name = |role: &str| entry.roles.get(role).map_or(role, String::as_str).to_owned();
    (name(&plan.source.name), name(&plan.target.name))
}

fn one(trouble: Trouble) -> Problems {
    vec![Report::from(trouble)]
}

/// Changes with the settings of a connection, and with what is known of its system.
fn print(connection: &Connection, profiles: u128) -> u128 {
    let manifest = connection.connector.manifest();
    let mut text = format!("{}\0{profiles}\0", connection.system);
    for name in connection.answers.names() {
        text.push_str(name);
        text.push('\0');
        text.push_str(connection.answers.get(manifest, name).unwrap_or_default());
        text.push('\0');
    }
    xxhash_rust::xxh3::xxh3_128(text.as_bytes())
}

/// The project's own profiles, as one fingerprint.
fn profiles(root: &Path) -> u128 {
    let mut all = Vec::new();
    for path in super::files::below(&root.join("systems"), "toml", 0) {
        all.extend_from_slice(path.to_string_lossy().as_bytes());
        all.extend(std::fs::read(&path).unwrap_or_default());
    }
    xxhash_rust::xxh3::xxh3_128(&all)
}

//! Both systems of a pair, their flows, and what happens on the wires between them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use connectors::contract::{Connector, Host, Limits, RemoteError, Session};
use connectors::manifest::{Answers, Manifest};
use connectors::sign_in::Tokens;
use connectors::simulator::{Fault, Faults, Only, Running, Simulator};
use engine::load::Loader;
use engine::project::{Connection, FlowEntry, Project};
use engine::run::{Options, run};
use tests::world::{Told, counts};

use super::super::pair::files;
use crate::vendors::Proxy;

/// Runs after which a flow has to have come to rest.
const PATIENCE: usize = 15;

/// One request in five goes wrong. Credentials that run out are refused on every path, and
/// exchanged in peace: when the answer to that is lost, a person has to connect again.
const FOUL: [(Fault, u32); 7] = [
    (Fault::Busy, 50),
    (Fault::Down, 30),
    (Fault::Html, 20),
    (Fault::Reset, 35),
    (Fault::Lost, 30),
    (Fault::Cut, 25),
    (Fault::Expired, 10),
];

/// A system on the stage.
pub(super) struct Actor {
    role: &'static str,
    connector: Arc<dyn Connector>,
    simulator: Arc<dyn Simulator>,
}

impl Actor {
    pub(super) fn new(
        role: &'static str,
        connector: impl Connector + 'static,
        simulator: impl Simulator + 'static,
    ) -> Self {
        Self { role, connector: Arc::new(connector), simulator: Arc::new(simulator) }
    }
}

/// Two systems that can be reached, and the folder of the flows between them.
pub(super) struct World {
    pair: &'static str,
    sides: Vec<Side>,
}

struct Side {
    actor: Actor,
    running: Running,
    tokens: Tokens,
    _proxy: Proxy,
}

/// A connector that tries often and waits little.
struct Hurried {
    inner: Arc<dyn Connector>,
    tokens: Tokens,
}

impl Connector for Hurried {
    fn manifest(&self) -> &Manifest {
        self.inner.manifest()
    }

    fn connect(&self, answers: &Answers, _: &Host) -> Result<Arc<dyn Session>, RemoteError> {
        let limits = Limits { tries: 12, backoff: Duration::from_millis(2), ..Limits::default() };
        self.inner.connect(answers, &Host { limits, tokens: self.tokens.clone() })
    }
}

impl World {
    pub(super) async fn new(pair: &'static str, actors: [Actor; 2]) -> Self {
        let mut sides = Vec::new();
        for (seed, actor) in (31..).zip(actors) {
            let system: &'static str = known(&actor.connector.manifest().name);
            let (proxy, running) = Proxy::start(system, &*actor.simulator, Faults::seeded(seed)).await;
            running.faults.retry_after(Some(0));
            let tokens = actor.simulator.token().map(Tokens::starting_with).unwrap_or_default();
            sides.push(Side { actor, running, tokens, _proxy: proxy });
        }
        Self { pair, sides }
    }

    /// Bad weather from now on.
    pub(super) fn turns_foul(&self) {
        for side in &self.sides {
            for (fault, thousandths) in FOUL {
                let calls = |request: &axum::http::request::Parts| {
                    let path = request.uri.path().to_ascii_lowercase();
                    !path.contains("token") && !path.contains("oauth2")
                };
                side.running.faults.rate_for(Only::any().when(calls), fault, thousandths);
            }
        }
    }

    /// Fair weather from now on.
    pub(super) fn turns_fair(&self) {
        self.sides.iter().for_each(|side| side.running.faults.clear());
    }

    /// Requests that something happened to.
    pub(super) fn struck(&self) -> BTreeMap<String, usize> {
        let mut struck = BTreeMap::new();
        let log = self.sides.iter().flat_map(|side| side.running.log());
        for fault in log.filter_map(|seen| seen.fault) {
            *struck.entry(format!("{fault:?}")).or_default() += 1;
        }
        struck
    }

    /// Requests so far.
    pub(super) fn requests(&self) -> u64 {
        self.sides.iter().map(|side| side.running.requests()).sum()
    }

    /// The connections for the `weft.toml` of that folder; secrets and tokens are put where they
    /// belong.
    pub(super) async fn connections(&self, folder: &Path) -> String {
        let mut text = String::new();
        let file = folder.join(".weft/store.db");
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let store = engine::store::open(&file).await.unwrap();
        let vault = engine::vault::Vault::of(folder);
        vault.attach(&store);
        for side in &self.sides {
            let (manifest, role) = (side.actor.connector.manifest(), side.actor.role);
            text.push_str(&format!("[connections.{role}]\nsystem = \"{}\"\n", manifest.name));
            let answers = side.actor.simulator.answers(&side.running.url());
            for name in answers.names() {
                let value = answers.get(manifest, name).unwrap();
                if manifest.settings.get(name).is_some_and(|setting| setting.secret) {
                    write(&folder.join(format!("{role}.{name}")), value);
                    text.push_str(&format!("{name} = {{ file = \"{role}.{name}\" }}\n"));
                } else {
                    text.push_str(&format!("{name} = {}\n", serde_json::Value::from(value)));
                }
            }
            if let Some(token) = side.actor.simulator.token() {
                vault.tokens(role).save(&token).await.unwrap();
                // Exchanged here: a program that is killed between the answer and the disk has
                // lost its consent, and that is not what this is about.
                let tokens = vault.tokens(role);
                let session = side.actor.connector.connect(&answers, &Host { tokens, ..Host::default() });
                session.unwrap().probe().await.unwrap();
            }
            text.push('\n');
        }
        store.close().await;
        text
    }

    /// The books of both, by the name of the system.
    pub(super) fn books(&self) -> Vec<(String, serde_json::Value)> {
        self.sides
            .iter()
            .map(|side| (side.actor.connector.manifest().name.clone(), side.actor.simulator.books()))
            .collect()
    }

    /// Runs a flow over all records until it finds nothing more to do. Gives what each run told
    /// and why records are refused in the end.
    pub(super) async fn settle(&self, name: &str, answers: &str) -> (Vec<String>, Vec<String>) {
        let flow = self.flow(name, answers).await;
        let (mut told, mut last) = (Vec::new(), Vec::new());
        for _ in 0..PATIENCE {
            let (counts, refused) = flow.run().await;
            let busy = ["created", "updated", "waiting", "stopped"].iter().any(|word| counts.contains(word));
            let is_same = last == refused;
            last = refused;
            told.push(counts);
            if !busy && is_same {
                return (told, last);
            }
        }
        panic!("{} {name} does not come to rest: {told:#?}\n{last:#?}", self.pair);
    }

    async fn flow(&self, name: &str, answers: &str) -> Flow {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files("scripts", "rhai") {
            write(&folder.path().join(path), &text);
        }
        let file = format!("flows/{}/{name}.flow", self.pair);
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        write(&folder.path().join(&file), &std::fs::read_to_string(root.join(&file)).unwrap());
        write(&folder.path().join(format!("settings/{name}.toml")), answers);
        let store = engine::store::open(&folder.path().join("store.db")).await.unwrap();
        let vault = engine::vault::Vault::of(folder.path());
        vault.attach(&store);
        let mut connections = BTreeMap::new();
        let mut systems: BTreeMap<String, Arc<dyn Connector>> = BTreeMap::new();
        for side in &self.sides {
            let inner = Arc::clone(&side.actor.connector);
            let connector: Arc<dyn Connector> = Arc::new(Hurried { inner, tokens: side.tokens.clone() });
            let system = connector.manifest().name.clone();
            systems.insert(system.clone(), Arc::clone(&connector));
            let name = side.actor.role.to_owned();
            let answers = side.actor.simulator.answers(&side.running.url());
            connections
                .insert(name.clone(), Connection { name, system, answers, connector, own_schema: false });
        }
        let project = Project {
            name: "weather".into(),
            connections,
            flows: vec![FlowEntry { name: name.into(), file, on: true, roles: BTreeMap::new() }],
            systems,
            store: engine::store::Place::File(folder.path().join("store.db")),
            vault,
            ..Project::bare(folder.path())
        };
        Flow { store, project, _folder: folder }
    }
}

struct Flow {
    store: Arc<dyn engine::store::Store>,
    project: Project,
    _folder: tempfile::TempDir,
}

impl Flow {
    async fn run(&self) -> (String, Vec<String>) {
        let loader = Loader::new(&self.project).unwrap();
        let entry = &self.project.flows[0];
        let flow = loader.flow(entry).unwrap_or_else(|problems| panic!("{problems:?}"));
        let sides = loader.sides(entry, &flow.plan).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let options = Options { cause: "test".into(), full: true, refused_again: true, stop };
        let told = Told::default();
        match run(&flow, &sides, &self.store, &options, &told).await {
            Ok(report) => {
                let mut refused = told.refused.into_inner().unwrap();
                refused.sort();
                (counts(&report), refused)
            }
            // A run may have to give up; the next one goes on.
            Err(error) => (format!("stopped: {error}"), Vec::new()),
        }
    }
}

/// The name of a system, for as long as the program runs.
fn known(system: &str) -> &'static str {
    let all = ["accountview", "ccv_salespos", "eaccounting", "mpluskassa", "softmaat", "teamleader"];
    all.into_iter().find(|known| *known == system).unwrap_or_else(|| panic!("{system} is a new one"))
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

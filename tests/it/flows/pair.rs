//! CCV SalesPOS and MplusKASSA as books in memory, with their real manifests, and a shipped flow
//! between them, run by the real engine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use connectors::contract::{Connector, Host, Limits};
use connectors::manifest::{Answers, Manifest};
use connectors::sign_in::Token;
use dsl::catalog::Catalog;
use engine::load::Loader;
use engine::project::{Connection, FlowEntry, Project};
use engine::run::{Options, Report, Sides, run};
use engine::store::{Addressee, Arrival, Store};
use tests::toy::Toy;
use tests::world::{Told, counts};

const SHOP: &str = include_str!("../../../connectors/src/ccv_salespos/system.toml");
const TILL: &str = include_str!("../../../connectors/src/mpluskassa/system.toml");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All that flows may name: every system, and the scripts of the repository.
pub fn catalog() -> Catalog {
    let systems = files("connectors/src", "toml")
        .into_iter()
        .filter(|(path, _)| path.ends_with("/system.toml"))
        .map(|(path, text)| Manifest::from_toml(&text).unwrap_or_else(|error| panic!("{path}: {error}")))
        .chain([connectors::softmaat::system().unwrap().manifest().clone()])
        .map(|manifest| (manifest.name.clone(), engine::catalog::system(&manifest)))
        .collect();
    let scripts = files("scripts", "rhai")
        .into_iter()
        .map(|(path, text)| (path.clone(), engine::script::describe_script(&path, &text)))
        .collect();
    let functions = engine::script::catalog_functions();
    Catalog { systems, roles: BTreeMap::new(), scripts, functions }
}

/// Path and text of the files below a folder of the repository.
pub fn files(folder: &str, ending: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|known| known == ending) {
                let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// Books in memory on both sides, and a flow between them.
pub struct Pair {
    pub shop: Toy,
    pub till: Toy,
    flow: Shipped,
}

impl Pair {
    /// A shipped flow with these answers: the text of its settings file.
    pub async fn new(flow: &str, answers: &str) -> Self {
        let (shop, till) = (Toy::new(SHOP), Toy::new(TILL));
        let flow = Shipped::new(
            flow,
            answers,
            (Arc::new(shop.clone()), Answers::default()),
            (Arc::new(till.clone()), Answers::default()),
        )
        .await;
        Self { shop, till, flow }
    }

    /// Other answers from now on.
    pub fn answer(&self, answers: &str) {
        self.flow.answer(answers);
    }

    /// Runs the flow once: its counts, and why records were refused.
    pub async fn run(&self) -> (String, Vec<String>) {
        self.flow.run(false).await
    }

    /// The same over all records, as if none had been seen before.
    pub async fn run_over_all(&self) -> (String, Vec<String>) {
        self.flow.run(true).await
    }
}

/// A shipped flow in a project of its own.
pub struct Shipped {
    store: Arc<dyn Store>,
    project: Project,
    folder: tempfile::TempDir,
    /// Tries often and waits little, for tests with trouble on the way.
    hurries: bool,
}

/// One side of a flow: its role, its system, its account.
pub struct Party {
    pub role: &'static str,
    pub connector: Arc<dyn Connector>,
    pub answers: Answers,
    /// What a person's consent left, where the system wants one.
    pub token: Option<Token>,
}

impl Party {
    /// A side of a system that wants no consent.
    pub fn of(role: &'static str, (connector, answers): (Arc<dyn Connector>, Answers)) -> Self {
        Self { role, connector, answers, token: None }
    }
}

impl From<(&'static str, (Arc<dyn Connector>, Answers))> for Party {
    fn from((role, side): (&'static str, (Arc<dyn Connector>, Answers))) -> Self {
        Self::of(role, side)
    }
}

impl Shipped {
    /// A flow between that shop and that till.
    pub async fn new(
        flow: &str,
        answers: &str,
        shop: (Arc<dyn Connector>, Answers),
        till: (Arc<dyn Connector>, Answers),
    ) -> Self {
        let parties = [Party::of("shop", shop), Party::of("till", till)];
        Self::between("ccv_salespos-mpluskassa", flow, answers, parties).await
    }

    /// A flow of a pair of systems between those parties.
    pub async fn between(pair: &str, flow: &str, answers: &str, parties: [impl Into<Party>; 2]) -> Self {
        let parties = parties.map(Into::into);
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files("scripts", "rhai") {
            write(&folder.path().join(path), &text);
        }
        let file = format!("flows/{pair}/{flow}.flow");
        write(&folder.path().join(&file), &std::fs::read_to_string(root().join(&file)).unwrap());
        let store = engine::store::open(&folder.path().join("store.db")).await.unwrap();
        let vault = engine::vault::Vault::of(folder.path());
        vault.attach(&store);
        let systems = parties
            .iter()
            .map(|party| (party.connector.manifest().name.clone(), Arc::clone(&party.connector)))
            .collect();
        let mut connections = BTreeMap::new();
        for Party { role, connector, answers, token } in parties {
            if let Some(token) = token {
                vault.tokens(role).save(&token).await.unwrap();
            }
            let system = connector.manifest().name.clone();
            let name = role.to_owned();
            connections
                .insert(name.clone(), Connection { name, system, answers, connector, own_schema: false });
        }
        let project = Project {
            name: "test".into(),
            connections,
            flows: vec![FlowEntry { name: flow.into(), file, on: true, roles: BTreeMap::new() }],
            systems,
            store: engine::store::Place::File(folder.path().join("store.db")),
            vault,
            ..Project::bare(folder.path())
        };
        let shipped = Self { store, project, folder, hurries: false };
        shipped.answer(answers);
        shipped
    }

    /// The same, trying often and waiting little.
    pub fn hurried(mut self) -> Self {
        self.hurries = true;
        self
    }

    /// A webhook of a system has named a record of the source.
    pub async fn told(&self, connection: &str, event: &str, resource: &str, key: &str) {
        let arrival = Arrival {
            connection: connection.to_owned(),
            event: event.to_owned(),
            record: Some((resource.to_owned(), key.to_owned())),
            id: None,
        };
        let flow = &self.project.flows[0].name;
        let news = self.store.arrive(&arrival, &[Addressee { flow, knows_record: true }]).await.unwrap();
        assert_eq!(news, 1);
    }

    /// Other answers from now on.
    pub fn answer(&self, answers: &str) {
        let name = format!("settings/{}.toml", self.project.flows[0].name);
        write(&self.folder.path().join(name), answers);
    }

    /// Runs the flow once: its counts, and why records were refused.
    pub async fn run(&self, over_all: bool) -> (String, Vec<String>) {
        self.go(over_all).await.unwrap_or_else(|problems| panic!("{problems}"))
    }

    async fn go(&self, over_all: bool) -> Result<(String, Vec<String>), String> {
        let loader = Loader::new(&self.project).unwrap();
        let entry = &self.project.flows[0];
        let flow = loader.flow(entry).map_err(|problems| format!("{problems:?}"))?;
        let sides = if self.hurries {
            let limits = Limits { backoff: Duration::from_millis(2), tries: 8, ..Limits::default() };
            let party = |role: &str| {
                let connection = &self.project.connections[role];
                let session =
                    connection.connector.connect(&connection.answers, &Host::from(limits.clone())).unwrap();
                engine::run::Party::new(role, session, connection.connector.manifest().clone())
            };
            Sides { source: party(&flow.plan.source.name), target: party(&flow.plan.target.name) }
        } else {
            loader.sides(entry, &flow.plan).unwrap()
        };
        let stop = Arc::new(AtomicBool::new(false));
        let options = Options { cause: "test".into(), full: over_all, refused_again: false, stop };
        let told = Told::default();
        let report: Report = run(&flow, &sides, &self.store, &options, &told).await.unwrap();
        let mut refused = told.refused.into_inner().unwrap();
        refused.sort();
        Ok((counts(&report), refused))
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

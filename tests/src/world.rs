//! Two toy systems and a flow between them, run by the real engine on a real store.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use connectors::contract::Connector;
use connectors::manifest::Answers;
use engine::load::Loader;
use engine::project::{Connection, FlowEntry, Project};
use engine::run::{Options, Replay, Report, RunError, Take, Watcher, replay, run};
use engine::store::{Counts, Store};

use crate::toy::Toy;

/// A shop: where records come from.
pub const SHOP: &str = include_str!("shop.toml");
/// A ledger: where they go.
pub const LEDGER: &str = include_str!("ledger.toml");

/// Everything that a run needs.
pub struct World {
    /// Where records come from.
    pub shop: Toy,
    /// Where they go.
    pub ledger: Toy,
    /// What must survive.
    pub store: Arc<dyn Store>,
    /// Take up refused records again.
    pub refused_again: bool,
    project: Project,
    folder: tempfile::TempDir,
}

/// What a run told while it went on.
#[derive(Default)]
pub struct Told {
    /// Refused records with their reasons.
    pub refused: Mutex<Vec<String>>,
    /// Whom the run had to wait for.
    pub waited: Mutex<Vec<String>>,
}

impl Watcher for Told {
    fn page(&self, _: &Counts) {}

    fn refused(&self, key: &str, reason: &str) {
        self.refused.lock().unwrap().push(format!("{key}: {reason}"));
    }

    fn waits(&self, holder: &str) {
        self.waited.lock().unwrap().push(holder.to_owned());
    }
}

impl World {
    /// A world with that flow; `head` lines are added for source and target.
    pub async fn new(flow: &str) -> Self {
        Self::with(flow, SHOP, LEDGER).await
    }

    /// The same with systems of one's own.
    pub async fn with(flow: &str, shop: &str, ledger: &str) -> Self {
        let (shop, ledger) = (Toy::new(shop), Toy::new(ledger));
        let folder = tempfile::tempdir().unwrap();
        let store = engine::store::open(&folder.path().join("store.db")).await.unwrap();
        let vault = engine::vault::Vault::of(folder.path());
        vault.attach(&store);
        let systems: BTreeMap<String, Arc<dyn Connector>> = [
            ("shop".to_owned(), Arc::new(shop.clone()) as Arc<dyn Connector>),
            ("ledger".to_owned(), Arc::new(ledger.clone()) as Arc<dyn Connector>),
        ]
        .into();
        let connection = |name: &str| {
            let connector = Arc::clone(&systems[name]);
            let (system, answers) = (name.to_owned(), Answers::default());
            (name.to_owned(), Connection { name: name.into(), system, answers, connector, own_schema: false })
        };
        let connections = [connection("shop"), connection("ledger")].into();
        let project = Project {
            store: engine::store::Place::File(folder.path().join("store.db")),
            vault,
            name: "test".into(),
            connections,
            flows: vec![FlowEntry {
                name: "flow".into(),
                file: "test.flow".into(),
                on: true,
                roles: BTreeMap::new(),
            }],
            systems,
            ..Project::bare(folder.path())
        };
        let world = Self { shop, ledger, store, refused_again: false, project, folder };
        world.flow(flow);
        world
    }

    /// The project.
    pub fn project(&mut self) -> &mut Project {
        &mut self.project
    }

    /// Replaces the flow.
    pub fn flow(&self, text: &str) {
        let head = "flow \"Test\"\nsource shop: shop\ntarget ledger: ledger\n";
        std::fs::write(self.root().join("test.flow"), format!("{head}{text}\n")).unwrap();
    }

    /// The project's folder.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// Runs the flow once.
    pub async fn run(&self) -> (Report, Vec<String>) {
        self.run_with(false).await.unwrap()
    }

    /// Tries dead letters again.
    pub async fn replay(&self, keys: &[&str], take: Take) -> (Report, Vec<String>) {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        self.go(false, Some(Replay { keys, take })).await.unwrap()
    }

    /// Runs the flow once, and may read everything again.
    pub async fn run_with(&self, full: bool) -> Result<(Report, Vec<String>), RunError> {
        self.go(full, None).await
    }

    async fn go(&self, full: bool, again: Option<Replay>) -> Result<(Report, Vec<String>), RunError> {
        let loader = Loader::new(&self.project).unwrap();
        let entry = &self.project.flows[0];
        let flow = loader.flow(entry).unwrap_or_else(|problems| panic!("{problems:?}"));
        let sides = loader.sides(entry, &flow.plan).unwrap();
        let options = Options {
            cause: "test".into(),
            full,
            refused_again: self.refused_again,
            stop: Arc::new(AtomicBool::new(false)),
        };
        let told = Told::default();
        let report = match again {
            Some(again) => replay(&flow, &sides, &self.store, &options, &again, &told).await?,
            None => run(&flow, &sides, &self.store, &options, &told).await?,
        };
        let refused = told.refused.into_inner().unwrap();
        Ok((report, refused))
    }
}

/// Counts in few words: `2 created, 1 refused`.
pub fn counts(report: &Report) -> String {
    let counts = &report.counts;
    let parts = [
        (counts.created, "created"),
        (counts.updated, "updated"),
        (counts.unchanged, "unchanged"),
        (counts.skipped, "skipped"),
        (counts.failed, "failed"),
        (counts.waiting, "waiting"),
    ];
    let told: Vec<String> = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    told.join(", ")
}

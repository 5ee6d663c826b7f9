//! CCV SalesPOS and MplusKASSA as books in memory, with their real manifests, and a shipped flow
//! between them, run by the real engine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use connectors::contract::Connector;
use connectors::manifest::{Answers, Manifest};
use dsl::catalog::Catalog;
use engine::load::Loader;
use engine::project::{Connection, FlowEntry, Project};
use engine::run::{Options, Report, run};
use engine::store::Store;
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
        .map(|manifest| (manifest.name.clone(), engine::catalog::system(&manifest)))
        .collect();
    let scripts = files("scripts", "rhai")
        .into_iter()
        .map(|(path, text)| (path.clone(), engine::script::describe_script(&path, &text)))
        .collect();
    Catalog { systems, scripts, functions: engine::script::catalog_functions(), roles: BTreeMap::new() }
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

/// Both systems and a flow between them.
pub struct Pair {
    pub shop: Toy,
    pub till: Toy,
    store: Arc<dyn Store>,
    project: Project,
    folder: tempfile::TempDir,
}

impl Pair {
    /// A shipped flow with these answers: the text of its settings file.
    pub async fn new(flow: &str, answers: &str) -> Self {
        let (shop, till) = (Toy::new(SHOP), Toy::new(TILL));
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files("scripts", "rhai") {
            write(&folder.path().join(path), &text);
        }
        let file = format!("flows/ccv_salespos-mpluskassa/{flow}.flow");
        write(&folder.path().join(&file), &std::fs::read_to_string(root().join(&file)).unwrap());
        let store = engine::store::open(&folder.path().join("store.db")).await.unwrap();
        let systems: BTreeMap<String, Arc<dyn Connector>> = [
            ("ccv_salespos".to_owned(), Arc::new(shop.clone()) as Arc<dyn Connector>),
            ("mpluskassa".to_owned(), Arc::new(till.clone()) as Arc<dyn Connector>),
        ]
        .into();
        let connection = |name: &str, system: &str| {
            let connector = Arc::clone(&systems[system]);
            let (answers, own_schema) = (Answers::default(), false);
            (
                name.to_owned(),
                Connection { name: name.into(), system: system.into(), answers, connector, own_schema },
            )
        };
        let connections = [connection("shop", "ccv_salespos"), connection("till", "mpluskassa")].into();
        let project = Project {
            root: folder.path().to_owned(),
            name: "test".into(),
            connections,
            flows: vec![FlowEntry { name: flow.into(), file, on: true, roles: BTreeMap::new() }],
            systems,
        };
        let pair = Self { shop, till, store, project, folder };
        pair.answer(answers);
        pair
    }

    /// Other answers from now on.
    pub fn answer(&self, answers: &str) {
        let name = format!("settings/{}.toml", self.project.flows[0].name);
        write(&self.folder.path().join(name), answers);
    }

    /// Runs the flow once: its counts, and why records were refused.
    pub async fn run(&self) -> (String, Vec<String>) {
        self.run_with(false).await
    }

    /// The same over all records, as if none had been seen before.
    pub async fn run_over_all(&self) -> (String, Vec<String>) {
        self.run_with(true).await
    }

    async fn run_with(&self, full: bool) -> (String, Vec<String>) {
        let loader = Loader::new(&self.project).unwrap();
        let entry = &self.project.flows[0];
        let flow = loader.flow(entry).unwrap_or_else(|problems| panic!("{problems:?}"));
        let sides = loader.sides(entry, &flow.plan).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let options = Options { cause: "test".into(), full, refused_again: false, stop };
        let told = Told::default();
        let report: Report = run(&flow, &sides, &self.store, &options, &told).await.unwrap();
        (counts(&report), told.refused.into_inner().unwrap())
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

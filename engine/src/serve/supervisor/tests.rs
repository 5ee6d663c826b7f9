//! The daemon on systems in memory, a real store, and a clock that the test moves.

mod faults;
mod retention;
mod soak;
mod systems;

use std::collections::BTreeMap;
use std::path::Path;

use connectors::contract::Connector;
use connectors::manifest::Answers;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use super::*;
use crate::project::{Connection, FlowEntry, Privacy, Project};
use crate::serve::Cause;
use crate::serve::clock::simulated::Simulated;
use crate::serve::health::{FlowHealth, FlowState};
use crate::serve::version::Sessions;
use crate::store::RunState;
use systems::System;

/// A shop, a till, a store and flows between them.
struct World {
    shop: System,
    till: System,
    clock: Simulated,
    flows: Vec<(&'static str, String)>,
    look_every: Duration,
    privacy: Privacy,
    folder: TempDir,
}

/// A daemon that serves.
struct Served {
    clock: Simulated,
    health: watch::Receiver<Health>,
    waker: Waker,
    signals: mpsc::Sender<Signal>,
    task: JoinHandle<Result<Stopped, StoreError>>,
}

/// A flow from the shop to the till.
fn flow(name: &'static str, lines: &str) -> (&'static str, String) {
    let text = format!(
        "flow \"{name}\"\nsource shop: shop\ntarget till: till\n\n{lines}\n\n\
         fetch order from shop.orders since changed_at\n\n\
         upsert sent in till.orders by reference {{\n    reference = `{name} ${{order.number}}`\n    \
         at        = order.changed_at\n}}\n"
    );
    (name, text)
}

impl World {
    fn new(at: &str, flows: Vec<(&'static str, String)>) -> Self {
        Self {
            shop: System::shop(),
            till: System::till(),
            clock: Simulated::at(at),
            flows,
            look_every: Duration::from_hours(1),
            privacy: Privacy::default(),
            folder: roomy(),
        }
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    async fn store(&self) -> Arc<dyn Store> {
        crate::store::open_on(&self.root().join("store.db"), Arc::clone(&self.clock.millis)).await
    }

    fn project(&self) -> Project {
        let systems: BTreeMap<String, Arc<dyn Connector>> = [("shop", &self.shop), ("till", &self.till)]
            .map(|(name, system)| (name.to_owned(), Arc::new(system.clone()) as Arc<dyn Connector>))
            .into();
        let connection = |name: &str| {
            let connector = Arc::clone(&systems[name]);
            let (system, answers) = (name.to_owned(), Answers::default());
            (name.to_owned(), Connection { name: name.into(), system, answers, connector, own_schema: false })
        };
        let mut flows = Vec::new();
        for (name, text) in &self.flows {
            let file = format!("{name}.flow");
            std::fs::write(self.root().join(&file), text).unwrap();
            flows.push(FlowEntry { name: (*name).into(), file, on: true, roles: BTreeMap::new() });
        }
        std::fs::write(self.root().join("weft.toml"), "").unwrap();
        let connections = [connection("shop"), connection("till")].into();
        let privacy = self.privacy.clone();
        Project { connections, flows, systems, privacy, ..Project::bare(self.root()) }
    }

    /// Starts a daemon under that name, and waits until nothing runs there.
    async fn serve(&self, holder: &str) -> Served {
        let served = self.serve_busy(holder).await;
        served.rest().await;
        served
    }

    /// Starts it and lets it run.
    async fn serve_busy(&self, holder: &str) -> Served {
        let version = Version::of(self.project(), 1, &Sessions::new());
        let version = version.unwrap_or_else(|problems| panic!("{problems:?}"));
        let setup = Setup {
            clock: Arc::new(self.clock.clone()),
            store: self.store().await,
            holder: holder.to_owned(),
            look_every: self.look_every,
            seed: 7,
        };
        let supervisor = Supervisor::new(setup, version);
        let Seam { waker, health, .. } = supervisor.seam();
        let (signals, told) = mpsc::channel(8);
        let task = tokio::spawn(supervisor.run(told));
        Served { clock: self.clock.clone(), health, waker, signals, task }
    }
}

/// A folder on a disk that is quick, where there is one.
fn roomy() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

impl Served {
    /// Until nothing runs and the daemon waits for time to pass.
    async fn rest(&self) {
        self.rest_all(1).await;
    }

    /// The same where several daemons are on one clock.
    async fn rest_all(&self, daemons: usize) {
        for _ in 0..60_000 {
            let idle = {
                let health = self.health.borrow();
                let runs =
                    |flow: &FlowHealth| matches!(flow.state, FlowState::Running { elsewhere: false, .. });
                health.stage != Stage::Starting && !health.flows.iter().any(runs)
            };
            if idle && self.clock.sleepers() == daemons {
                return;
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        panic!("it does not come to rest: {:?}", self.health.borrow());
    }

    /// Lets time pass until that moment, from one thing that happens to the next.
    async fn until(&self, moment: Timestamp) {
        loop {
            self.rest().await;
            match self.clock.next() {
                Some(next) if next < moment => self.clock.set(next.max(self.clock.now())),
                _ => break,
            }
        }
        self.clock.set(moment);
        self.rest().await;
    }

    async fn pass(&self, time: Duration) {
        let moment = self.clock.now() + time;
        self.until(moment).await;
    }

    fn flow(&self, name: &str) -> FlowHealth {
        let health = self.health.borrow();
        health.flows.iter().find(|flow| flow.name == name).unwrap().clone()
    }

    async fn stop(self) -> Stopped {
        self.signals.send(Signal::Stop).await.unwrap();
        self.task.await.unwrap().unwrap()
    }
}

/// How often a flow ran, and that every run came to its end.
async fn runs(store: &dyn Store, flow: &str) -> usize {
    let runs = store.runs(Some(flow), 100_000).await.unwrap();
    assert!(runs.iter().all(|run| run.state == RunState::Succeeded), "{runs:?}");
    runs.len()
}

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

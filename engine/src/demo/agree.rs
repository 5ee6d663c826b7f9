//! Plan and run agree: over the ready flows of every pair and worlds made by chance, what a plan
//! shows is exactly what the run after it sends, and the plan itself sends nothing and keeps
//! nothing.
//!
//! `WEFT_AGREE_SEEDS` says how many worlds are tried of each pair.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connectors::contract::{Create, Detail, Fetch, Find, RemoteError, Session, Update, Written};
use connectors::record::Record;
use connectors::simulator::{Faults, Running, start};
use rusqlite::{Connection, OpenFlags};

use super::stage::Size;
use super::{find, project};
use crate::cli::open_store;
use crate::load::Loader;
use crate::preview::{Ask, FlowPreview, PlannedWrite, Planner};
use crate::run::{Options, Party, Sides, Watcher, run};
use crate::store::Counts;

/// What was really sent: verb, resource, key, fields.
type Sent = (&'static str, String, String, String);

/// A conversation whose writes are taken down on their way.
struct Heard {
    inner: Arc<dyn Session>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

#[async_trait]
impl Session for Heard {
    async fn probe(&self) -> Result<String, RemoteError> {
        self.inner.probe().await
    }

    fn fetch(&self, resource: &str) -> Option<&dyn Fetch> {
        self.inner.fetch(resource)
    }

    fn detail(&self, resource: &str) -> Option<&dyn Detail> {
        self.inner.detail(resource)
    }

    fn find(&self, resource: &str) -> Option<&dyn Find> {
        self.inner.find(resource)
    }

    fn create(&self, resource: &str) -> Option<&dyn Create> {
        self.inner.create(resource).map(|_| self as &dyn Create)
    }

    fn update(&self, resource: &str) -> Option<&dyn Update> {
        self.inner.update(resource).map(|_| self as &dyn Update)
    }
}

#[async_trait]
impl Create for Heard {
    async fn create(&self, resource: &str, record: &Record, again: &str) -> Result<Written, RemoteError> {
        let answer = self.inner.create(resource).unwrap().create(resource, record, again).await;
        let key = answer.as_ref().map_or_else(|_| String::new(), |written| written.key.clone());
        self.sent.lock().unwrap().push(("create", resource.to_owned(), key, record.to_string()));
        answer
    }
}

#[async_trait]
impl Update for Heard {
    async fn update(
        &self,
        resource: &str,
        key: &str,
        changes: &Record,
        current: Option<&Record>,
    ) -> Result<Written, RemoteError> {
        self.sent.lock().unwrap().push(("update", resource.to_owned(), key.to_owned(), changes.to_string()));
        self.inner.update(resource).unwrap().update(resource, key, changes, current).await
    }
}

struct Silent;

impl Watcher for Silent {
    fn page(&self, _: &Counts) {}
    fn refused(&self, _: &str, _: &str) {}
    fn waits(&self, _: &str) {}
}

/// What of the plan was not sent, and what was sent without having been planned. Where two records
/// change one thing in the same way, it is chance whether the second finds it done.
fn disagreement(planned: &FlowPreview, mut sent: Vec<Sent>) -> Vec<String> {
    let mut keys = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut done: Vec<Sent> = Vec::new();
    // A record may build upon what one writes that was read after it.
    let mut records: Vec<_> = planned.records.iter().collect();
    records.sort_by_key(|record| record.turn);
    // Where several records write one thing and say different things of it, it is chance which of
    // them comes first, and so what is left for the others to change.
    let mut writers: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for record in &records {
        for write in &record.writes {
            writers.entry((&write.resource, &write.key)).or_default().insert(&record.key);
        }
    }
    let mut shared: BTreeSet<(String, String)> = BTreeSet::new();
    for write in records.into_iter().flat_map(|record| &record.writes) {
        let resolved = write.resolved(&keys);
        let is_shared = writers[&(write.resource.as_str(), write.key.as_str())].len() > 1;
        let verb = if write.creates { "create" } else { "update" };
        let fields = resolved.fields.to_string();
        let place = sent.iter().position(|one| {
            one.0 == verb
                && one.1 == write.resource
                && one.3 == fields
                && (write.creates || one.2 == resolved.key)
        });
        match place {
            Some(place) => {
                let one = sent.remove(place);
                if write.creates {
                    keys.insert(write.key.clone(), one.2);
                } else {
                    done.push(one);
                }
            }
            None if write.creates
                && let Some(place) = same_thing(write, &sent) =>
            {
                keys.insert(write.key.clone(), sent.remove(place).2);
            }
            None if done
                .iter()
                .any(|one| one.1 == write.resource && one.2 == resolved.key && one.3 == fields) => {}
            None if is_shared && !write.creates => {
                shared.insert((write.resource.clone(), resolved.key.clone()));
            }
            None => wrong.push(format!("not sent: {verb} {} {} {fields}", write.resource, resolved.key)),
        }
    }
    sent.retain(|one| !done.contains(one));
    sent.retain(|one| one.0 != "update" || !shared.contains(&(one.1.clone(), one.2.clone())));
    wrong.extend(
        sent.into_iter()
            .map(|(verb, resource, key, fields)| format!("not planned: {verb} {resource} {key} {fields}")),
    );
    wrong
}

/// Something was created that goes by the same name: where two records would create one thing, it
/// is chance which of them does, and later ones only find it.
fn same_thing(write: &PlannedWrite, sent: &[Sent]) -> Option<usize> {
    let name = write.key.split_once(": ")?.1.trim_end_matches('›');
    sent.iter().position(|one| {
        one.0 == "create" && one.1 == write.resource && one.3.contains(&format!("\"{name}\""))
    })
}

/// Requests by method and path, those that only read left out: by their method, or because the
/// system has all of its questions posted.
fn writing(server: &Running) -> BTreeMap<String, u64> {
    let reads = |call: &str| {
        call.starts_with("GET ")
            || call.contains("/oauth")
            || [".list", ".info", "/"].iter().any(|end| call.ends_with(end))
    };
    server.requests_by().into_iter().filter(|(call, _)| !reads(call)).collect()
}

/// All that the store holds, a line a row; how it lies on disk may change by itself. A token that
/// has run out is exchanged by a plan too, and what came of it is kept.
fn kept(folder: &Path) -> Vec<String> {
    let file = folder.join(".weft").join("store.db");
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let asked = |sql: &str, columns: usize| -> Vec<Vec<String>> {
        let mut statement = connection.prepare(sql).unwrap();
        let read = |row: &rusqlite::Row<'_>| (0..columns).map(|column| row.get(column)).collect();
        statement.query_map((), read).unwrap().collect::<Result<_, _>>().unwrap()
    };
    let tables = "SELECT m.name, group_concat('quote(\"' || c.name || '\")', ' || '', '' || ') FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT IN ('kept', 'guard') GROUP BY m.name ORDER BY m.name";
    let tables = asked(tables, 2);
    assert!(tables.len() > 5, "{tables:?}");
    let mut lines = Vec::new();
    for row in tables {
        let [table, columns] = row.as_slice() else { panic!("{row:?}") };
        let rows = format!("SELECT '{table}: ' || {columns} FROM \"{table}\" ORDER BY 1");
        lines.extend(asked(&rows, 1).into_iter().flatten());
    }
    lines
}

/// Plays a pair's acts: each flow is planned, then run. Gives how many writes were planned.
async fn agree(pair: &str, seed: u64) -> usize {
    let pair = find(pair).unwrap();
    let today = "2026-03-28T12:00:00Z".parse().unwrap();
    let size = Size { products: 24, orders: 24, seed, today };
    let play = (pair.open)(&size);
    let [first, second] = play.sides().map(|side| start(side.simulator, 0, Faults::seeded(seed)));
    let servers = [first.await.unwrap(), second.await.unwrap()];
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("project");
    let project = project::write(&root, pair.name, &*play, &servers).await.unwrap();
    let store = open_store(&project).await.unwrap();
    let loader = Loader::new(&project).unwrap();
    let options = |cause: &str| Options {
        cause: cause.to_owned(),
        full: false,
        refused_again: true,
        stop: Arc::new(AtomicBool::new(false)),
    };
    let mut writes = 0;
    for (number, act) in play.acts().iter().enumerate() {
        play.before(number);
        for name in act.flows {
            let place = format!("{} {name}, seed {seed}", pair.name);
            let entry = project.flow(name).unwrap();
            let mut flow = loader.flow(entry).unwrap_or_else(|problems| panic!("{problems:?}"));
            let sides = loader.sides(entry, &flow.plan).unwrap();
            let sent = Arc::new(Mutex::new(Vec::new()));
            let heard = |party: Party| {
                let session = Heard { inner: Arc::clone(&party.session), sent: Arc::clone(&sent) };
                Party::new(party.connection, Arc::new(session), party.manifest)
            };
            let sides = Sides { source: heard(sides.source), target: heard(sides.target) };
            // A token that is exchanged is kept; that is not what this is about.
            sides.source.session.probe().await.unwrap();
            sides.target.session.probe().await.unwrap();
            let books = || play.sides().map(|side| side.books());
            let asked = || servers.iter().map(writing).collect::<Vec<_>>();
            let before = (books(), kept(&root), asked());
            let ask = Ask { options: options("plan"), records: Vec::new(), limit: None };
            let mut planner = Planner::new(&project);
            let planned = planner.plan(entry, &mut flow, &sides, &*store, &ask, &Silent).await.unwrap();
            assert_eq!(planned.error, None, "{place}");
            assert_eq!(*sent.lock().unwrap(), [], "{place}: the plan has written");
            assert_eq!(before.2, asked(), "{place}: the plan has sent more than questions");
            assert!(before.0 == books(), "{place}: the plan has changed the books");
            let after = kept(&root);
            let new: Vec<&String> = after.iter().filter(|row| !before.1.contains(row)).collect();
            assert!(before.1 == after, "{place}: the plan has changed the store: {new:?}");

            let report = run(&flow, &sides, &store, &options("run"), &Silent).await.unwrap();
            assert_eq!(report.error.map(|error| error.to_string()), None, "{place}");
            let sent = std::mem::take(&mut *sent.lock().unwrap());
            writes += sent.len();
            let mut wrong = disagreement(&planned, sent);
            if planned.records.iter().any(|record| record.open.is_some()) {
                // What the plan leaves open, it says; what it says, it says rightly.
                wrong.retain(|line| line.starts_with("not sent"));
            }
            assert!(wrong.is_empty(), "{place}: {} differ\n{}", wrong.len(), wrong.join("\n"));
            assert_eq!(planned.counts.read(), report.counts.read(), "{place}");
        }
    }
    store.close().await;
    writes
}

async fn agree_in_every_world(pair: &str) {
    let seeds = std::env::var("WEFT_AGREE_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(1);
    for seed in 1..=seeds {
        let writes = agree(pair, seed).await;
        assert!(writes > 20, "{pair}, seed {seed}: only {writes} writes");
    }
}

#[tokio::test]
async fn plan_and_run_agree_from_a_shop_to_a_till() {
    agree_in_every_world("ccv_salespos-mpluskassa").await;
}

#[tokio::test]
async fn plan_and_run_agree_from_a_till_to_softmaat() {
    agree_in_every_world("mpluskassa-softmaat").await;
}

#[tokio::test]
async fn plan_and_run_agree_from_an_office_to_a_till() {
    agree_in_every_world("teamleader-mpluskassa").await;
}

#[tokio::test]
async fn plan_and_run_agree_from_accountview_to_a_till() {
    agree_in_every_world("accountview-mpluskassa").await;
}

#[tokio::test]
async fn plan_and_run_agree_from_eaccounting_to_a_shop() {
    agree_in_every_world("eaccounting-ccv_salespos").await;
}

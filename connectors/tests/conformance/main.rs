//! The promises of the contract, held against every connector.
//!
//! Written once: each check binds to what a manifest offers, so that a new connector is tested
//! before it has a test of its own. A trial is called `connector/resource/check`. A toy system
//! goes first and proves the suite: whole it passes, and each way to break it is caught.
#![allow(clippy::unwrap_used, clippy::panic, reason = "everything here is a test")]

mod finding;
mod folder;
mod manifest;
mod proof;
mod reading;
mod session;
mod subject;
mod toy;
mod webhooks;
mod writing;

use std::sync::Arc;

use connectors::simulator::Simulator;
use libtest_mimic::{Arguments, Trial};

use subject::{Check, Scope, Subject};

fn checks() -> impl Iterator<Item = &'static Check> {
    [manifest::CHECKS, session::CHECKS, reading::CHECKS, finding::CHECKS, writing::CHECKS, webhooks::CHECKS]
        .into_iter()
        .flatten()
}

/// Every trial of one connector. Without a simulator only the manifest can be checked; the
/// rest is listed as ignored.
fn trials(subject: &Subject) -> Vec<Trial> {
    let simulator = subject.simulator();
    let connector = subject.connector_for(simulator.as_deref());
    let manifest = connector.manifest();
    let mut trials = Vec::new();
    for check in checks() {
        let runs = match check.scope {
            Scope::Manifest => true,
            Scope::Any => simulator.is_some(),
            Scope::Remote => simulator.as_ref().is_some_and(|simulator| simulator.is_remote()),
        };
        if simulator.is_some() && !runs {
            continue;
        }
        let mut add = |name: String, resource: &str| {
            let (subject, resource) = (subject.clone(), resource.to_owned());
            let trial = Trial::test(name, move || Ok(subject.run(check, &resource)?));
            trials.push(trial.with_ignored_flag(!runs));
        };
        match check.binds {
            None => add(format!("{}/{}", manifest.name, check.name), ""),
            Some(binds) => {
                for (name, _) in manifest.resources.iter().filter(|(_, resource)| binds(resource)) {
                    add(format!("{}/{name}/{}", manifest.name, check.name), name);
                }
            }
        }
    }
    trials
}

/// The simulator of a system; a folder for files.
fn simulator(system: &str) -> Option<Arc<dyn Simulator>> {
    if system == "files" {
        return Some(Arc::new(folder::Folder::new()));
    }
    connectors::simulator(system)
}

fn main() {
    let mut all = trials(&toy::subject(None));
    all.extend(proof::trials());
    for connector in connectors::all() {
        let name = connector.manifest().name.clone();
        all.extend(trials(&Subject::new(connector, move || simulator(&name))));
    }
    libtest_mimic::run(&Arguments::from_args(), all).exit();
}

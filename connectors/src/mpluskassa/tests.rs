//! The connector against its simulator.

mod abilities;
mod faults;
mod rules;
mod writing;

use std::sync::Arc;
use std::time::Duration;

use super::MplusKassa;
use super::simulator::TillSimulator;
use crate::contract::{Connector, FetchRequest, Key, Limits, RemoteError, Session, Written};
use crate::manifest::Answers;
use crate::record::{Record, Value, read_json};
use crate::simulator::{Faults, Running, Simulator, serve};

/// A till on a port, and a session with it.
struct Stand {
    till: TillSimulator,
    running: Running,
    session: Arc<dyn Session>,
}

fn limits() -> Limits {
    Limits {
        timeout: Duration::from_secs(5),
        tries: 3,
        backoff: Duration::from_millis(1),
        ..Limits::default()
    }
}

impl Stand {
    /// With the sample shop.
    async fn filled() -> Self {
        let stand = Self::empty().await;
        stand.till.fill();
        stand
    }

    async fn empty() -> Self {
        let till = TillSimulator::new();
        let running = serve(till.router(), 0, Faults::default()).await.unwrap();
        let session = MplusKassa.connect(&till.answers(&running.url()), &limits().into()).unwrap();
        Self { till, running, session }
    }

    /// The same till, other answers.
    fn with(&self, changed: &[(&str, &str)]) -> Arc<dyn Session> {
        let manifest = MplusKassa;
        let old = self.till.answers(&self.running.url());
        let names = ["address", "ident", "secret"];
        let mut answers: Vec<(String, String)> = names
            .iter()
            .map(|name| ((*name).to_owned(), old.get(manifest.manifest(), name).unwrap().to_owned()))
            .collect();
        answers.retain(|(name, _)| changed.iter().all(|(other, _)| other != name));
        answers.extend(changed.iter().map(|(name, answer)| ((*name).to_owned(), (*answer).to_owned())));
        manifest.connect(&Answers::from_iter(answers), &limits().into()).unwrap()
    }

    /// Everything of a resource, page by page.
    async fn all(&self, resource: &str, size: usize, since: Option<(&str, i64)>) -> Vec<Record> {
        let request = FetchRequest {
            resource: resource.to_owned(),
            since: since.map(|(field, value)| (field.to_owned(), value.into())),
            conditions: Vec::new(),
            size,
        };
        let (mut records, mut position) = (Vec::new(), None);
        loop {
            let fetch = self.session.fetch(resource).unwrap();
            let page = fetch.page(&request, position.as_deref()).await.unwrap();
            records.extend(page.records);
            match page.next {
                Some(next) => position = Some(next),
                None => return records,
            }
        }
    }

    async fn find(&self, resource: &str, by: &[&str], keys: &[&[Value]]) -> Vec<Vec<Record>> {
        let by: Vec<String> = by.iter().map(|field| (*field).to_owned()).collect();
        let keys: Vec<Key> = keys.iter().map(|key| key.to_vec()).collect();
        self.session.find(resource).unwrap().find(resource, &by, &keys).await.unwrap()
    }

    /// The one record that has that value.
    async fn one(&self, resource: &str, field: &str, value: &str) -> Record {
        let mut found = self.find(resource, &[field], &[&[value.into()]]).await.remove(0);
        assert_eq!(found.len(), 1, "{resource} by {field} = {value}");
        found.remove(0)
    }

    async fn create(&self, resource: &str, record: &str, key: &str) -> Result<Written, RemoteError> {
        self.session.create(resource).unwrap().create(resource, &json(record), key).await
    }

    async fn update(&self, resource: &str, key: &str, changes: &str) -> Result<Written, RemoteError> {
        self.session.update(resource).unwrap().update(resource, key, &json(changes), None).await
    }

    /// An article at 12.10 and a relation, with these numbers.
    fn stock(&self, article: u32, relation: u32) {
        let record = format!(
            r#"{{"article_number":"{article}","description":"Muts","vat_code":"1","price_incl":12.10}}"#
        );
        self.till.add_articles([json(&record)]);
        self.till.add_relations([json(&format!(r#"{{"relation_number":"{relation}","name":"Jan"}}"#))]);
    }
}

/// A record from its JSON.
fn json(text: &str) -> Record {
    match read_json(&text.as_bytes().to_vec().into()).unwrap() {
        Value::Map(record) => record,
        other => panic!("{other} is no record"),
    }
}

/// A decimal from its text.
fn euro(text: &str) -> Value {
    Value::Decimal(text.parse().unwrap())
}

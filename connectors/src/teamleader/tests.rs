//! The connector against its simulator: each trap of the service has a test that falls into it
//! unless the connector steps aside.

mod reading;
mod signing;
mod writing;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::simulator::{Office, Options};
use super::{MANIFEST, Teamleader};
use crate::contract::{Connector as _, FetchRequest, Host, Limits, RemoteError, Session};
use crate::record::{Record, Value, read_json};
use crate::sign_in::Tokens;
use crate::simulator::{Faults, Running, Simulator as _, start};
use crate::webhook::{Incoming, Refused};

/// A running account and a session with it.
struct Stage {
    office: Office,
    running: Running,
    session: Arc<dyn Session>,
}

fn limits() -> Limits {
    Limits {
        timeout: Duration::from_secs(5),
        tries: 3,
        backoff: Duration::from_millis(1),
        longest_pause: Duration::from_secs(1),
        ..Limits::default()
    }
}

impl Stage {
    async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let mut options = Options::default();
        change(&mut options);
        let office = Office::new(options);
        let running = start(&office, 0, Faults::default()).await.unwrap();
        let session = session(&office, &running).unwrap();
        Self { office, running, session }
    }

    async fn empty() -> Self {
        Self::with(|_| ()).await
    }

    async fn filled() -> Self {
        let stage = Self::empty().await;
        stage.office.fill();
        stage
    }

    async fn all(&self, resource: &str, request: FetchRequest) -> Vec<Record> {
        let request = FetchRequest { resource: resource.to_owned(), ..request };
        let fetch = self.session.fetch(resource).unwrap();
        let (mut records, mut position) = (Vec::new(), None::<String>);
        for _ in 0..1000 {
            let page = fetch.page(&request, position.as_deref()).await.unwrap();
            records.extend(page.records);
            match page.next {
                Some(next) => position = Some(next),
                None => return records,
            }
        }
        panic!("{resource} has no end");
    }

    async fn find(&self, resource: &str, by: &[&str], key: &[&str]) -> Vec<Record> {
        let by: Vec<String> = by.iter().map(|field| (*field).to_owned()).collect();
        let key = key.iter().map(|value| Value::from(*value)).collect();
        self.session.find(resource).unwrap().find(resource, &by, &[key]).await.unwrap().remove(0)
    }

    async fn create(&self, resource: &str, body: &Json) -> Result<String, RemoteError> {
        let create = self.session.create(resource).unwrap();
        create.create(resource, &record(body), "key").await.map(|written| written.key)
    }

    async fn update(&self, resource: &str, key: &str, body: &Json) -> Result<(), RemoteError> {
        let update = self.session.update(resource).unwrap();
        update.update(resource, key, &record(body), None).await.map(drop)
    }

    fn made(&self, action: &str, body: &Json) -> String {
        self.office.act(action, body).unwrap().unwrap()
    }
}

/// A session with a fresh consent.
fn session(office: &Office, running: &Running) -> Result<Arc<dyn Session>, RemoteError> {
    let tokens = office.token().map(Tokens::starting_with).unwrap_or_default();
    Teamleader.connect(&office.answers(&running.url()), &Host { limits: limits(), tokens })
}

fn record(body: &Json) -> Record {
    match read_json(&body.to_string().into()) {
        Ok(Value::Map(map)) => map,
        other => panic!("no record: {other:?}"),
    }
}

fn names(records: &[Record], field: &str) -> Vec<String> {
    let mut names: Vec<String> =
        records.iter().map(|record| record.text(field).unwrap_or_default().to_owned()).collect();
    names.sort();
    names
}

#[test]
fn the_manifest_reads() {
    assert_eq!(MANIFEST.name, "teamleader");
}

#[tokio::test]
async fn both_forms_of_a_delivery_are_read() {
    let stage = Stage::with(|_| ()).await;
    let hooks = stage.session.webhooks().unwrap();
    let id = "e540fe7e-dce2-459e-bf7e-24e605fc18b3";
    let headers = reqwest::header::HeaderMap::new();
    let told = async |body: Json| {
        let body = bytes::Bytes::from(body.to_string());
        let incoming = Incoming { address: "https://weft.example/h", headers: &headers, body: &body };
        hooks.judge(&incoming).await
    };
    let short = json!({"type": "invoice.booked", "subject": {"type": "invoice", "id": id}});
    let long = json!({"type": "invoice.booked", "data": {"id": id}, "meta": {"timestamp": "2026-03-02T09:15:00+00:00"}});
    for (body, tells_when) in [(short, false), (long, true)] {
        let delivery = told(body).await.unwrap();
        assert_eq!(delivery.event, "invoice.booked");
        assert_eq!(delivery.record, Some(("invoices".to_owned(), id.to_owned())));
        assert_eq!(delivery.id.is_some(), tells_when, "two alike without a moment may be two");
    }
    for body in [json!([]), json!({"type": "order.eaten", "subject": {"id": id}})] {
        assert!(matches!(told(body).await, Err(Refused::Unreadable(_))));
    }
}

//! The connector against its simulator.

mod reading;
mod rules;
mod signing_in;
mod writing;

use std::sync::Arc;
use std::time::Duration;

use super::simulator::AccountViewSimulator;
use super::{AccountView, MANIFEST};
use crate::contract::{
    Advice, Connector as _, FetchRequest, Host, Key, Limits, RemoteError, Session, Written,
};
use crate::manifest::Answers;
use crate::record::{Record, Value, read_json};
use crate::sign_in::{Token, Tokens};
use crate::simulator::{Fault, Faults, Only, Running, Simulator as _, serve};

fn limits() -> Limits {
    Limits {
        timeout: Duration::from_secs(5),
        tries: 3,
        backoff: Duration::from_millis(1),
        ..Limits::default()
    }
}

/// A service on a port, and a session with it.
struct Stage {
    service: AccountViewSimulator,
    running: Running,
    session: Arc<dyn Session>,
}

impl Stage {
    /// With the sample company.
    async fn filled() -> Self {
        let stage = Self::empty().await;
        stage.service.fill();
        stage
    }

    async fn empty() -> Self {
        let service = AccountViewSimulator::new();
        let running = serve(service.router(), 0, Faults::default()).await.unwrap();
        running.faults.retry_after(Some(0));
        let token = service.token_for("readaccountviewdata updateaccountviewdata");
        let session = connect(&service, &running, &[], token).unwrap();
        Self { service, running, session }
    }

    /// The same account with other answers.
    fn with(&self, changes: &[(&str, &str)]) -> Arc<dyn Session> {
        let token = self.service.token_for("readaccountviewdata updateaccountviewdata");
        connect(&self.service, &self.running, changes, token).unwrap()
    }

    async fn all(&self, resource: &str, since: Option<&str>) -> Vec<Record> {
        all(self.session.as_ref(), resource, since, 7).await
    }

    async fn find(&self, resource: &str, field: &str, value: &str) -> Result<Vec<Record>, RemoteError> {
        find(self.session.as_ref(), resource, field, value).await
    }

    async fn create(&self, resource: &str, record: &str) -> Result<Written, RemoteError> {
        self.session.create(resource).unwrap().create(resource, &json(record), "key").await
    }

    async fn update(&self, resource: &str, key: &str, changes: &str) -> Result<Written, RemoteError> {
        self.session.update(resource).unwrap().update(resource, key, &json(changes), None).await
    }
}

fn connect(
    service: &AccountViewSimulator,
    running: &Running,
    changes: &[(&str, &str)],
    token: Token,
) -> Result<Arc<dyn Session>, RemoteError> {
    let answers = service.answers(&running.url());
    let kept: Vec<String> = answers.names().map(str::to_owned).collect();
    let kept = kept.iter().filter_map(|name| Some((name.clone(), answers.get(&MANIFEST, name)?.to_owned())));
    let given = changes.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let host = Host { limits: limits(), tokens: Tokens::starting_with(token) };
    AccountView.connect(&kept.chain(given).collect::<Answers>(), &host)
}

async fn all(session: &dyn Session, resource: &str, since: Option<&str>, size: usize) -> Vec<Record> {
    let since = since.map(|moment| ("changed_at".to_owned(), Value::from(moment)));
    let request = FetchRequest { resource: resource.to_owned(), since, conditions: Vec::new(), size };
    let (mut records, mut position) = (Vec::new(), None);
    loop {
        let page = session.fetch(resource).unwrap().page(&request, position.as_deref()).await.unwrap();
        records.extend(page.records);
        position = page.next;
        if position.is_none() {
            return records;
        }
    }
}

async fn find(
    session: &dyn Session,
    resource: &str,
    field: &str,
    value: &str,
) -> Result<Vec<Record>, RemoteError> {
    let key: Key = vec![value.into()];
    let found = session.find(resource).unwrap().find(resource, &[field.to_owned()], &[key]).await?;
    Ok(found.into_iter().flatten().collect())
}

fn json(text: &str) -> Record {
    match read_json(&text.to_owned().into()) {
        Ok(Value::Map(map)) => map,
        other => panic!("no record: {other:?}"),
    }
}

fn texts<'r>(records: &'r [Record], field: &str) -> Vec<&'r str> {
    records.iter().map(|record| record.text(field).unwrap_or_default()).collect()
}

//! The connector against its simulator: each trap of the service, and what is made of it.

mod documents;
mod reading;
mod signing_in;
mod writing;

use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use super::EAccounting;
use super::simulator::{Company, Options};
use crate::contract::{Connector as _, FetchRequest, Host, Limits, RemoteError, Session, Written};
use crate::manifest::Answers;
use crate::record::{Record, Value, read_json};
use crate::sign_in::{Token, Tokens};
use crate::simulator::{Faults, Running, Simulator as _, start};

struct Bench {
    company: Company,
    running: Running,
    session: Arc<dyn Session>,
}

fn limits() -> Limits {
    Limits {
        timeout: Duration::from_secs(5),
        backoff: Duration::from_millis(1),
        longest_pause: Duration::from_secs(2),
        ..Limits::default()
    }
}

/// A record from JSON.
fn record(value: &Json) -> Record {
    match read_json(&value.to_string().into()) {
        Ok(Value::Map(map)) => map,
        other => panic!("no record: {other:?}"),
    }
}

impl Bench {
    async fn new(options: Options) -> Self {
        let company = Company::new(options);
        let token = company.token().unwrap();
        Self::with(company, token, &[]).await
    }

    /// With a consent and answers of its own.
    async fn with(company: Company, token: Token, changes: &[(&str, &str)]) -> Self {
        let running = start(&company, 0, Faults::default()).await.unwrap();
        let standard = company.answers(&running.url());
        let names: Vec<String> = standard.names().map(str::to_owned).collect();
        let answer = |name: &str| standard.get(&super::MANIFEST, name).unwrap_or_default().to_owned();
        let mut all: Vec<(String, String)> = names.iter().map(|name| (name.clone(), answer(name))).collect();
        for (name, value) in changes {
            all.retain(|(known, _)| known != name);
            all.push(((*name).to_owned(), (*value).to_owned()));
        }
        let host = Host { limits: limits(), tokens: Tokens::starting_with(token) };
        let session = EAccounting.connect(&all.into_iter().collect::<Answers>(), &host).unwrap();
        Self { company, running, session }
    }

    async fn filled() -> Self {
        let bench = Self::new(Options::default()).await;
        bench.company.fill();
        bench
    }

    async fn all(&self, resource: &str, size: usize) -> Vec<Record> {
        let (mut found, mut position) = (Vec::new(), None::<String>);
        loop {
            let request = FetchRequest { resource: resource.into(), size, ..FetchRequest::default() };
            let page =
                self.session.fetch(resource).unwrap().page(&request, position.as_deref()).await.unwrap();
            found.extend(page.records);
            position = page.next;
            if position.is_none() {
                return found;
            }
        }
    }

    async fn find(&self, resource: &str, field: &str, value: &str) -> Vec<Record> {
        let keys = [vec![Value::from(value)]];
        self.session.find(resource).unwrap().find(resource, &[field.into()], &keys).await.unwrap().concat()
    }

    async fn create(&self, resource: &str, body: &Json) -> Result<Written, RemoteError> {
        self.session.create(resource).unwrap().create(resource, &record(body), "key").await
    }

    async fn update(&self, resource: &str, key: &str, body: &Json) -> Result<Written, RemoteError> {
        self.session.update(resource).unwrap().update(resource, key, &record(body), None).await
    }

    fn article(&self, number: &str, net: i64) -> String {
        self.company.add_article(number, "Koffiemok", Decimal::new(net, 2), 21, 10).unwrap()
    }

    fn customer(&self, name: &str, is_private: bool) -> String {
        let terms = self.company.rows("termsofpayments")[2]["Id"].clone();
        let body = json!({"Name": name, "IsPrivatePerson": is_private, "IsActive": true, "InvoiceCity": "Utrecht",
            "InvoicePostalCode": "3511 AB", "TermsOfPaymentId": terms, "EmailAddress": format!("{name}@example.nl")});
        self.company.add("customers", &body).unwrap()
    }
}

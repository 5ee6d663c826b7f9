//! Teamleader Focus: customer relations, quotations and invoices over a JSON interface.
//!
//! This module has the manifest and the session. Every action is a POST (`client`); lists shift
//! while they are read (`pages`); what the account has set up is kept (`kept`); and what is one
//! value to a flow is nested on the wire (`wire`, `parties`, `documents`).

mod client;
mod documents;
mod faults;
mod hooks;
mod kept;
mod layout;
mod links;
mod pages;
mod parties;
mod records;
mod search;
mod settings;
pub mod simulator;
#[cfg(test)]
mod tests;
mod wire;
mod writes;

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;

use crate::contract::{Connector, Create, Detail, Fetch, Find, Host, Limits, RemoteError, Session, Update};
use crate::manifest::{Answers, Manifest, Resource};
use crate::record::Map;
use crate::sign_in::OAuth;
use crate::webhook::Webhooks;
use client::Client;
use settings::Settings;
use wire::text;

/// Name for people.
const TITLE: &str = "Teamleader";

/// What the system offers.
#[expect(clippy::expect_used, reason = "the text is part of the program, and a test reads it")]
static MANIFEST: LazyLock<Manifest> =
    LazyLock::new(|| Manifest::from_toml(include_str!("system.toml")).expect("system.toml is a manifest"));

/// The connector.
#[derive(Clone, Copy, Debug, Default)]
pub struct Teamleader;

impl Connector for Teamleader {
    fn manifest(&self) -> &Manifest {
        &MANIFEST
    }

    fn connect(&self, answers: &Answers, host: &Host) -> Result<Arc<dyn Session>, RemoteError> {
        let client = Client::new(Settings::read(answers)?, host)?;
        Ok(Arc::new(Conversation::new(client)))
    }

    fn consent(&self, answers: &Answers) -> Option<Result<OAuth, RemoteError>> {
        let settings = Settings::read(answers);
        Some(settings.and_then(|settings| client::consent(&settings, &Limits::default())))
    }
}

/// A conversation with one account.
struct Conversation {
    client: Client,
    shelves: kept::Shelves,
}

impl Conversation {
    fn new(client: Client) -> Self {
        Self { client, shelves: kept::Shelves::default() }
    }
}

fn offers(resource: &str, has: impl Fn(&Resource) -> bool) -> bool {
    MANIFEST.resources.get(resource).is_some_and(has)
}

#[async_trait]
impl Session for Conversation {
    async fn probe(&self) -> Result<String, RemoteError> {
        let user = self.client.info("users.me", &Map::new()).await?;
        let user = user.ok_or_else(|| writes::stop("the account does not know who has signed in"))?;
        let name = [text(&user, "first_name"), text(&user, "last_name")];
        let name = name.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let account = text(&user, "account.id").unwrap_or("without a name");
        Ok(format!("account {account}, signed in as {name}"))
    }

    fn fetch(&self, resource: &str) -> Option<&dyn Fetch> {
        offers(resource, |resource| resource.fetch.is_some()).then_some(self as &dyn Fetch)
    }

    fn detail(&self, resource: &str) -> Option<&dyn Detail> {
        let has = |resource: &Resource| resource.fetch.as_ref().is_some_and(|fetch| !fetch.detail.is_empty());
        offers(resource, has).then_some(self as &dyn Detail)
    }

    fn find(&self, resource: &str) -> Option<&dyn Find> {
        offers(resource, |resource| !resource.find.is_empty()).then_some(self as &dyn Find)
    }

    fn create(&self, resource: &str) -> Option<&dyn Create> {
        offers(resource, |resource| resource.create.is_some()).then_some(self as &dyn Create)
    }

    fn update(&self, resource: &str) -> Option<&dyn Update> {
        offers(resource, |resource| resource.update.is_some()).then_some(self as &dyn Update)
    }

    fn webhooks(&self) -> Option<&dyn Webhooks> {
        Some(self)
    }
}

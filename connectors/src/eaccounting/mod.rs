//! Visma eAccounting: bookkeeping, invoicing and a simple stock, over a REST API with OAuth 2.
//!
//! This module has the manifest and the session. The service replaces a record whole when one
//! field of it changes, knows no unique reference for orders, and decides VAT by itself; what
//! follows from that is in `writes` and `documents`.

mod client;
mod company;
mod documents;
mod faults;
mod layout;
mod members;
mod pages;
mod search;
mod settings;
pub mod simulator;
mod wire;
mod writes;

use std::collections::HashSet;
use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;

use crate::contract::{Connector, Create, Detail, Fetch, Find, Host, RemoteError, Session, Update};
use crate::manifest::{Answers, Manifest, Resource};
use crate::record::Record;
use crate::sign_in::OAuth;
use client::Client;
use layout::known;
use settings::Settings;

/// Name for people.
const TITLE: &str = "Visma eAccounting";

/// What the system offers.
#[expect(clippy::expect_used, reason = "the text is part of the program, and a test reads it")]
pub static MANIFEST: LazyLock<Manifest> =
    LazyLock::new(|| Manifest::from_toml(include_str!("system.toml")).expect("system.toml is a manifest"));

pub use members::{Entity, Form, Member, entities};

/// The connector.
#[derive(Clone, Copy, Debug, Default)]
pub struct EAccounting;

impl Connector for EAccounting {
    fn manifest(&self) -> &Manifest {
        &MANIFEST
    }

    fn connect(&self, answers: &Answers, host: &Host) -> Result<Arc<dyn Session>, RemoteError> {
        Ok(Arc::new(Conversation::new(answers, host)?))
    }

    fn consent(&self, answers: &Answers) -> Option<Result<OAuth, RemoteError>> {
        let limits = crate::contract::Limits::default();
        Some(Settings::read(answers).and_then(|settings| settings.oauth(&limits)))
    }
}

/// A conversation with one company.
struct Conversation {
    client: Client,
    company: company::Company,
    /// Properties that the service has refused to filter by: resource and member.
    unfilterable: Mutex<HashSet<(&'static str, String)>>,
}

impl Conversation {
    fn new(answers: &Answers, host: &Host) -> Result<Self, RemoteError> {
        Ok(Self {
            client: Client::new(Settings::read(answers)?, host)?,
            company: company::Company::default(),
            unfilterable: Mutex::default(),
        })
    }
}

fn offers(resource: &str, has: impl Fn(&Resource) -> bool) -> bool {
    MANIFEST.resources.get(resource).is_some_and(has)
}

#[async_trait]
impl Session for Conversation {
    async fn probe(&self) -> Result<String, RemoteError> {
        self.introduction().await
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
}

#[async_trait]
impl Detail for Conversation {
    /// Lists are taken to hold the lines of documents; where one does not, they are asked for.
    async fn complete(&self, resource: &str, record: Record) -> Result<Record, RemoteError> {
        let (layout, about) = known(resource)?;
        if layout.lines.is_none() || record.get("lines").is_some() {
            return Ok(record);
        }
        let Some(id) = record.text("id") else { return Ok(record) };
        let row = self.client.get(&format!("{}/{id}", layout.path)).await?;
        Ok(row.map_or(record, |row| wire::read(layout, about, &row)))
    }
}

//! Visma AccountView: bookkeeping and small ERP on the customer's own computer, reached through
//! the web API of `AccountView.Net`.
//!
//! The service knows tables and columns, not customers and orders: `layout` says which is which,
//! `wire` turns values, `rows` asks and `writing` tells. What is known of the service, and how
//! well, stands in `docs/systems/accountview.md`.

mod client;
mod faults;
mod finding;
mod layout;
mod reading;
mod rows;
mod settings;
pub mod simulator;
#[cfg(test)]
mod tests;
mod wire;
mod writing;

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;

use crate::contract::{
    Advice, Connector, Create, Detail, Fetch, Find, Host, Limits, RemoteError, Session, Update,
};
use crate::manifest::{Answers, Manifest, Resource};
use crate::sign_in::OAuth;
use client::Client;
use layout::Layout;
use rows::Wanted;
use settings::Settings;

/// Name for people.
const TITLE: &str = "AccountView";

/// What the system offers.
#[expect(clippy::expect_used, reason = "the text is part of the program, and a test reads it")]
static MANIFEST: LazyLock<Manifest> =
    LazyLock::new(|| Manifest::from_toml(include_str!("system.toml")).expect("system.toml is a manifest"));

/// The connector.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccountView;

impl Connector for AccountView {
    fn manifest(&self) -> &Manifest {
        &MANIFEST
    }

    fn connect(&self, answers: &Answers, host: &Host) -> Result<Arc<dyn Session>, RemoteError> {
        let settings = Settings::read(answers)?;
        let layouts = layout::layouts(&settings.names);
        Ok(Arc::new(Office { client: Client::new(settings, host)?, layouts }))
    }

    fn consent(&self, answers: &Answers) -> Option<Result<OAuth, RemoteError>> {
        Some(Settings::read(answers).and_then(|settings| settings.oauth(&Limits::default())))
    }
}

/// A conversation with one company.
struct Office {
    client: Client,
    layouts: Vec<Layout>,
}

impl Office {
    fn layout(&self, resource: &str) -> Result<&Layout, RemoteError> {
        let known = self.layouts.iter().find(|layout| layout.resource == resource);
        known.ok_or_else(|| RemoteError::new(Advice::StopFlow, TITLE, format!("`{resource}` cannot do that")))
    }
}

fn offers(resource: &str, has: impl Fn(&Resource) -> bool) -> bool {
    MANIFEST.resources.get(resource).is_some_and(has)
}

#[async_trait]
impl Session for Office {
    /// The front door answers even when the far end is switched off, so a row is asked for.
    async fn probe(&self) -> Result<String, RemoteError> {
        let company = self.client.introduction().await?;
        let debtors = self.layout("debtors")?;
        let wanted = Wanted { size: 1, ..Wanted::default() };
        self.rows(debtors, &wanted).await?;
        Ok(format!("AccountView, company {company}"))
    }

    fn fetch(&self, resource: &str) -> Option<&dyn Fetch> {
        offers(resource, |resource| resource.fetch.is_some()).then_some(self as &dyn Fetch)
    }

    fn detail(&self, _resource: &str) -> Option<&dyn Detail> {
        None
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

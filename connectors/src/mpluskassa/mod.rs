//! MplusKASSA: a Dutch point of sale, spoken to over SOAP.
//!
//! Here are the manifest and the session; the files beside it hold one layer or one resource
//! each. What is known of the service, and how well, is told in `about.md`.

mod article_groups;
mod articles;
mod client;
mod codec;
mod invoices;
mod keys;
mod operations;
mod orders;
mod pages;
mod payments;
mod products;
mod receipts;
mod reference;
mod relations;
mod settings;
mod shapes;
pub mod simulator;
mod soap;
mod stock;
mod xml;

#[cfg(test)]
mod tests;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::contract::{
    Connector, Create, Detail, Fetch, FetchRequest, Find, Host, Key, Page, RemoteError, Session, Update,
    Written,
};
use crate::manifest::{Answers, Manifest, Resource};
use crate::record::Record;
use client::Client;

/// What the system offers.
#[expect(clippy::expect_used, reason = "the text is ours, and every test reads it")]
pub static MANIFEST: LazyLock<Manifest> =
    LazyLock::new(|| Manifest::from_toml(include_str!("system.toml")).expect("system.toml is a manifest"));

/// What an envelope holds, read as each reply and each request that has the name of its element:
/// for trying envelopes that no till would send.
#[doc(hidden)]
#[must_use]
pub fn decode_envelope(page: &bytes::Bytes) -> Vec<Record> {
    let Ok(soap::Body::Element(element)) = soap::open(page) else { return Vec::new() };
    let decode = |shape, strict| {
        let zone = jiff::tz::TimeZone::UTC;
        let codec = codec::Codec { zone, divisor: rust_decimal::Decimal::ONE_HUNDRED, strict };
        codec.decode(shape, &element).ok()
    };
    let name = element.name.as_str();
    let replies = operations::ALL.iter().filter(|operation| operation.answer == name);
    let requests = operations::ALL.iter().filter(|operation| operation.name == name);
    let replies = replies.filter_map(|operation| decode(operation.reply, false));
    replies.chain(requests.filter_map(|operation| decode(operation.request, true))).collect()
}

/// Name for people, in errors.
const TITLE: &str = "MplusKASSA";

/// The connector.
#[derive(Clone, Copy, Debug, Default)]
pub struct MplusKassa;

impl Connector for MplusKassa {
    fn manifest(&self) -> &Manifest {
        &MANIFEST
    }

    fn connect(&self, answers: &Answers, host: &Host) -> Result<Arc<dyn Session>, RemoteError> {
        let client = Client::new(settings::Settings::read(answers)?, &host.limits, MANIFEST.concurrency)?;
        Ok(Arc::new(Till {
            client,
            article_index: Mutex::default(),
            group_index: Mutex::default(),
            is_old: AtomicBool::new(false),
        }))
    }
}

/// A conversation with one account.
struct Till {
    client: Client,
    article_index: Mutex<articles::Index>,
    group_index: Mutex<article_groups::Index>,
    /// The service does not know `createOrderV3`.
    is_old: AtomicBool,
}

#[async_trait]
impl Session for Till {
    async fn probe(&self) -> Result<String, RemoteError> {
        reference::probe(self).await
    }

    fn fetch(&self, resource: &str) -> Option<&dyn Fetch> {
        offered(resource)?.fetch.as_ref().map(|_| self as &dyn Fetch)
    }

    fn detail(&self, _resource: &str) -> Option<&dyn Detail> {
        None
    }

    fn find(&self, resource: &str) -> Option<&dyn Find> {
        (!offered(resource)?.find.is_empty()).then_some(self as &dyn Find)
    }

    fn create(&self, resource: &str) -> Option<&dyn Create> {
        offered(resource)?.create.as_ref().map(|_| self as &dyn Create)
    }

    fn update(&self, resource: &str) -> Option<&dyn Update> {
        offered(resource)?.update.as_ref().map(|_| self as &dyn Update)
    }
}

fn offered(resource: &str) -> Option<&'static Resource> {
    MANIFEST.resources.get(resource)
}

/// A resource that the manifest does not have; the engine does not ask for one.
fn unknown(resource: &str) -> RemoteError {
    RemoteError::new(crate::contract::Advice::StopFlow, TITLE, format!("`{resource}` cannot do that"))
}

#[async_trait]
impl Fetch for Till {
    async fn page(&self, request: &FetchRequest, position: Option<&str>) -> Result<Page, RemoteError> {
        match request.resource.as_str() {
            "products" => products::page(self, request, position).await,
            "articles" => articles::page(self, request, position).await,
            "article_groups" => article_groups::page(self, request, position).await,
            "stock" => stock::page(self, request).await,
            "relations" => relations::page(self, request, position).await,
            "orders" => orders::page(self, request, position).await,
            "invoices" => invoices::page(self, request, position).await,
            "receipts" => receipts::page(self, request, position).await,
            "employees" => reference::employees(self, request, position).await,
            other => reference::page(self, other).await,
        }
    }
}

#[async_trait]
impl Find for Till {
    async fn find(
        &self,
        resource: &str,
        by: &[String],
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError> {
        match resource {
            "products" => products::find(self, by, keys).await,
            "articles" => articles::find(self, by, keys).await,
            "article_groups" => article_groups::find(self, by, keys).await,
            "article_group_products" => article_groups::find_membership(self, by, keys).await,
            "stock" => stock::find(self, by, keys).await,
            "relations" => relations::find(self, by, keys).await,
            "orders" => orders::find(self, by, keys).await,
            "invoices" => invoices::find(self, by, keys).await,
            "receipts" => receipts::find(self, by, keys).await,
            other => reference::find(self, other, by, keys).await,
        }
    }
}

#[async_trait]
impl Create for Till {
    async fn create(
        &self,
        resource: &str,
        record: &Record,
        idempotency_key: &str,
    ) -> Result<Written, RemoteError> {
        match resource {
            "products" => products::create(self, record).await,
            "articles" => articles::create(self, record).await,
            "article_groups" => article_groups::create(self, record).await,
            "article_group_products" => article_groups::create_membership(self, record).await,
            "relations" => relations::create(self, record).await,
            "orders" => orders::create(self, record, idempotency_key).await,
            "order_payments" => payments::pay_order(self, record, idempotency_key).await,
            "invoices" => invoices::create(self, record).await,
            "invoice_payments" => payments::pay_invoice(self, record, idempotency_key).await,
            other => Err(unknown(other)),
        }
    }
}

#[async_trait]
impl Update for Till {
    async fn update(
        &self,
        resource: &str,
        key: &str,
        changes: &Record,
        current: Option<&Record>,
    ) -> Result<Written, RemoteError> {
        match resource {
            "products" => products::update(self, key, changes, current).await,
            "articles" => articles::update(self, key, changes, current).await,
            "article_groups" => article_groups::update(self, key, changes).await,
            "stock" => stock::update(self, key, changes).await,
            "relations" => relations::update(self, key, changes).await,
            "orders" => orders::update(self, key, changes).await,
            other => Err(unknown(other)),
        }
    }
}

//! CCV SalesPOS and CCV Shop: the till and the web shop share one REST API.
//!
//! This module has the manifest and the session. Requests and answers are signed (`sign`),
//! lists overlap (`pages`), and what CCV cannot find by is found in lists that were read
//! (`shelf`).

mod amounts;
mod client;
mod families;
mod faults;
mod hooks;
mod layout;
mod names;
mod order_body;
mod pages;
mod search;
mod settings;
mod shelf;
mod shop;
mod sign;
pub mod simulator;
mod stock;
#[cfg(test)]
mod tests;
mod wire;
mod writes;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use tokio::sync::Mutex;

use crate::contract::{Connector, Create, Detail, Fetch, Find, Host, Limits, RemoteError, Session, Update};
use crate::manifest::{Answers, Manifest, Resource};
use crate::record::{Map, Record, Value};
use crate::webhook::Webhooks;
use client::{Client, Query};
use layout::{Layout, known};
use search::digits;
use settings::Settings;
use wire::Shape;

pub use sign::{webhook_hash, webhook_is_genuine};

/// Key above categories at the top; the shop has none for it.
const TOP: &str = "0";

/// Name for people.
const TITLE: &str = "CCV SalesPOS";

/// What the system offers.
#[expect(clippy::expect_used, reason = "the text is part of the program, and a test reads it")]
static MANIFEST: LazyLock<Manifest> =
    LazyLock::new(|| Manifest::from_toml(include_str!("system.toml")).expect("system.toml is a manifest"));

/// The connector.
#[derive(Clone, Copy, Debug, Default)]
pub struct CcvSalespos;

impl Connector for CcvSalespos {
    fn manifest(&self) -> &Manifest {
        &MANIFEST
    }

    fn connect(&self, answers: &Answers, host: &Host) -> Result<Arc<dyn Session>, RemoteError> {
        Ok(Arc::new(Conversation::new(answers, &host.limits)?))
    }
}

/// A conversation with one shop.
struct Conversation {
    client: Client,
    shop: shop::Shop,
    shelves: shelf::Shelves,
    everything: Mutex<stock::Everything>,
    known_hooks: Mutex<hooks::Known>,
    /// Pages of parents that are not done with, by what is listed below them.
    parents: Mutex<HashMap<&'static str, families::Parents>>,
    /// The shop takes `expand` on lists that are not documented to.
    expands: AtomicBool,
}

impl Conversation {
    fn new(answers: &Answers, limits: &Limits) -> Result<Self, RemoteError> {
        Ok(Self {
            client: Client::new(Settings::read(answers)?, limits)?,
            shop: shop::Shop::default(),
            shelves: shelf::Shelves::default(),
            everything: Mutex::default(),
            known_hooks: Mutex::default(),
            parents: Mutex::default(),
            expands: AtomicBool::new(true),
        })
    }

    /// Records in our words, with what they do not say by themselves.
    async fn records(
        &self,
        layout: &Layout,
        shape: &Shape,
        rows: &[Map],
    ) -> Result<Vec<Record>, RemoteError> {
        let prices = match layout.resource {
            "products" if !rows.is_empty() => self.shop.prices_include_vat(&self.client).await?,
            _ => None,
        };
        Ok(rows.iter().map(|row| finished(layout, shape, row, prices)).collect())
    }

    /// An order or invoice with its lines.
    async fn with_lines(&self, resource: &str, mut record: Record) -> Result<Record, RemoteError> {
        let (layout, shape) = known(resource)?;
        let Some(id) = record.get("id").and_then(digits) else { return Ok(record) };
        let child = if resource == "orders" { "orderrows" } else { "invoicerows" };
        let rows = self.client.all(&format!("{}/{id}/{child}", layout.path), &Query::default()).await?;
        let mut lines = shape.read_items("lines", &rows);
        let rows: Vec<&Map> = rows.iter().collect();
        amounts::finish_lines(&mut lines, &rows, lines_include_vat(&record));
        record.set("lines", lines.into_iter().map(Value::Map).collect::<Vec<_>>());
        Ok(record)
    }
}

fn lines_include_vat(record: &Record) -> bool {
    record.get("lines_include_vat").and_then(Value::as_bool).unwrap_or(true)
}

/// One record in our words. `prices`: product prices are with VAT, where that is known.
fn finished(layout: &Layout, shape: &Shape, row: &Map, prices: Option<bool>) -> Record {
    let mut record = shape.read(row);
    match layout.resource {
        "orders" => {
            amounts::finish_order(&mut record, row);
            finish_carried_lines(&mut record, row, "orderrows");
        }
        "invoices" => {
            amounts::finish_shipping(&mut record, row);
            finish_carried_lines(&mut record, row, "invoicerows");
            if let Some(order) = row.get("order").and_then(key_in_link) {
                record.set("order_id", order);
            }
        }
        "products" => finish_prices(&mut record, prices),
        // Said, so that a category at the top can be found by its place as any other.
        "categories" if record.get("parent_id").is_none() => drop(record.set("parent_id", TOP)),
        "variants" => {
            if let Some(options) = options_of(row) {
                record.set("options", options);
            }
            if let Some(values) = value_ids_of(&record) {
                record.set("value_ids", values);
            }
        }
        _ => {}
    }
    if let Some(parent) = layout.parent()
        && record.get(parent.field).is_none()
        && let Some(key) = parent_key(row, parent)
    {
        record.set(parent.field, key);
    }
    record
}

/// The parent's key of a record that tells it only by a link, or under the plain name.
fn parent_key(row: &Map, parent: &layout::Parent) -> Option<String> {
    let link = row
        .at("parent.href")
        .filter(|link| link.as_str().is_some_and(|link| link.contains(&format!("/{}/", parent.path))));
    link.and_then(key_in_link).or_else(|| row.get(parent.field).and_then(digits))
}

/// Lines that came with the page, when all of them came.
fn finish_carried_lines(record: &mut Record, row: &Map, child: &'static str) {
    let Some(rows) = pages::carried(row, layout::Link::Carried(child)) else {
        record.remove("lines");
        return;
    };
    let Some(Value::List(lines)) = record.remove("lines") else { return };
    let mut lines: Vec<Record> = lines
        .into_iter()
        .filter_map(|line| match line {
            Value::Map(line) => Some(line),
            _ => None,
        })
        .collect();
    amounts::finish_lines(&mut lines, &rows.iter().collect::<Vec<_>>(), lines_include_vat(record));
    record.set("lines", lines.into_iter().map(Value::Map).collect::<Vec<_>>());
}

fn finish_prices(record: &mut Record, prices: Option<bool>) {
    let number = |name: &str| record.get(name).and_then(Value::as_decimal);
    let both = number("price")
        .zip(number("vat_rate"))
        .zip(prices)
        .and_then(|((price, rate), includes_vat)| amounts::Amount::new(price, rate, includes_vat));
    if let Some(both) = both {
        record.set("price_incl", both.incl);
        record.set("price_excl", both.excl);
    }
}

/// `Kleur=Rood, Maat=L`
fn options_of(variant: &Map) -> Option<String> {
    let choices = variant.get("combination")?.as_list()?.iter().filter_map(Value::as_map);
    amounts::joined(choices.filter_map(|choice| {
        Some((choice.at("attribute.name")?.as_str()?, choice.at("attribute_value.name")?.as_str()?))
    }))
}

fn value_ids_of(variant: &Record) -> Option<String> {
    let choices = variant.get("choices")?.as_list()?.iter().filter_map(Value::as_map);
    let mut ids: Vec<u64> = choices.filter_map(|choice| choice.text("value_id")?.parse().ok()).collect();
    ids.sort_unstable();
    Some(ids.iter().map(u64::to_string).collect::<Vec<_>>().join(",")).filter(|text| !text.is_empty())
}

/// The key at the end of a link, which comes bare or as a record with `href`.
fn key_in_link(link: &Value) -> Option<String> {
    let text = link.as_str().or_else(|| link.as_map()?.text("href"))?;
    let last = text.trim_end_matches('/').rsplit('/').next()?;
    digits(&Value::from(last))
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

    fn webhooks(&self) -> Option<&dyn Webhooks> {
        Some(self)
    }
}

#[async_trait]
impl Detail for Conversation {
    async fn complete(&self, resource: &str, record: Record) -> Result<Record, RemoteError> {
        match resource {
            "orders" | "invoices" if record.get("lines").is_none() => self.with_lines(resource, record).await,
            "shops" if record.get("prices_include_vat").is_none() => self.with_settings(record).await,
            _ => Ok(record),
        }
    }
}

//! What a session must know of the shop as a whole; read when first needed, and once.

use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Conversation;
use super::client::{Client, Query};
use super::layout::known;
use super::wire::decimal;
use crate::contract::{Advice, RemoteError};
use crate::record::{Map, Record, Value};

/// How long the shop's settings count as read.
const KEPT: Duration = Duration::from_mins(30);

/// Facts about the shop.
#[derive(Default)]
pub(super) struct Shop {
    prices: Mutex<Option<(Instant, Option<bool>)>>,
    rates: Mutex<Option<(Instant, Arc<Vec<Record>>)>>,
    package: Mutex<Option<String>>,
}

impl Shop {
    /// Whether product prices are with VAT; none when the key may not know.
    pub(super) async fn prices_include_vat(&self, client: &Client) -> Result<Option<bool>, RemoteError> {
        let mut slot = self.prices.lock().await;
        if let Some((read_at, known)) = *slot
            && read_at.elapsed() < KEPT
        {
            return Ok(known);
        }
        let known = match settings(client).await {
            Ok(settings) => settings.and_then(|settings| settings.get("prices_include_vat")?.as_bool()),
            // Prices with and without VAT are an extra; products can be read without.
            Err(RemoteError { advice: Advice::StopFlow | Advice::SkipRecord, .. }) => None,
            Err(error) => return Err(error),
        };
        *slot = Some((Instant::now(), known));
        Ok(known)
    }

    /// VAT percentages by country and tariff.
    pub(super) async fn vat_rates(&self, client: &Client) -> Result<Arc<Vec<Record>>, RemoteError> {
        let mut slot = self.rates.lock().await;
        if let Some((read_at, rates)) = slot.as_ref()
            && read_at.elapsed() < KEPT
        {
            return Ok(Arc::clone(rates));
        }
        let mut rates = Vec::new();
        if let Some(id) = first_shop(client).await? {
            for country in client.all(&format!("webshops/{id}/geozonecountries"), &Query::default()).await? {
                rates.extend(tariffs(&country));
            }
        }
        let rates = Arc::new(rates);
        *slot = Some((Instant::now(), Arc::clone(&rates)));
        Ok(rates)
    }

    /// The package of products that name none.
    pub(super) async fn package(&self, client: &Client) -> Result<Option<String>, RemoteError> {
        if let Some(package) = &client.settings().package {
            return Ok(Some(package.clone()));
        }
        let mut slot = self.package.lock().await;
        if slot.is_none() {
            let query = Query::default().with("start", 0).with("size", 1);
            let first = client.list("packages", &query).await?.items;
            *slot = first.first().and_then(super::pages::key_of);
        }
        Ok(slot.clone())
    }
}

async fn first_shop(client: &Client) -> Result<Option<String>, RemoteError> {
    let shops = client.list("webshops", &Query::default()).await?;
    Ok(shops.items.first().and_then(super::pages::key_of))
}

async fn settings(client: &Client) -> Result<Option<Map>, RemoteError> {
    match first_shop(client).await? {
        Some(id) => client.get(&format!("webshops/{id}/settings")).await,
        None => Ok(None),
    }
}

/// VAT percentages of a country, as the shop has it.
pub(super) fn tariffs(country: &Map) -> Vec<Record> {
    let Some(code) = country.text("code") else { return Vec::new() };
    let tariffs = country.get("tariffs").and_then(Value::as_list).unwrap_or_default();
    let rate = |tariff: &Value| {
        let tariff = tariff.as_map()?;
        let kind = tariff.text("type")?;
        let percentage: Decimal = decimal(tariff.get("percentage")?)?;
        let mut record = Record::with_capacity(4);
        record.set("id", format!("{code}/{kind}"));
        record.set("country", code);
        record.set("tariff", kind);
        record.set("percentage", percentage);
        Some(record)
    };
    tariffs.iter().filter_map(rate).collect()
}

impl Conversation {
    /// The shop with its settings.
    pub(super) async fn with_settings(&self, mut record: Record) -> Result<Record, RemoteError> {
        let (_, shape) = known("shops")?;
        let Some(id) = record.text("id") else { return Ok(record) };
        if let Some(settings) = self.client.get(&format!("webshops/{id}/settings")).await? {
            let mut wire = Map::new();
            wire.set("settings", settings);
            for (name, value) in shape.read(&wire).iter() {
                record.set(name, value.clone());
            }
        }
        Ok(record)
    }

    /// One line about the shop.
    pub(super) async fn introduction(&self) -> Result<String, RemoteError> {
        let shops = self.client.list("webshops", &Query::default()).await?;
        let Some(shop) = shops.items.first() else {
            return Err(RemoteError::new(Advice::StopFlow, super::TITLE, "this key belongs to no shop"));
        };
        let name = shop.text("name").unwrap_or("a shop without a name");
        let kind = if shop.get("is_salespos").and_then(Value::as_bool) == Some(true) {
            "till and web shop"
        } else {
            "web shop"
        };
        let left = match shop.get("product_limit_left").and_then(Value::as_int) {
            Some(left) if left >= 0 => format!(", room for {left} more products"),
            _ => String::new(),
        };
        Ok(format!("{name}: {kind}{left}"))
    }
}

//! What is the same for all records of a company, asked once a session: its settings, the names
//! of its labels, the keys of its articles.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::client::{Query, stop};
use super::wire::text;
use super::{Conversation, TITLE};
use crate::contract::{Advice, Find as _, RemoteError};
use crate::record::{Map, Value};

/// What is known so far.
#[derive(Default)]
pub(super) struct Company {
    settings: Mutex<Option<Map>>,
    /// Keys of labels by path and name, of articles by number.
    keys: Mutex<HashMap<(&'static str, String), String>>,
}

/// Modules and variants, as the service numbers them.
const VARIANTS: &[&str] =
    &["", "Standard", "Invoicing", "Bookkeeping", "Solo", "Pro", "Invoicing (collaboration)"];

impl Company {
    fn settings(&self) -> Option<Map> {
        self.settings.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, settings: &Map) {
        *self.settings.lock().unwrap_or_else(PoisonError::into_inner) = Some(settings.clone());
    }

    fn key(&self, kind: &'static str, name: &str) -> Option<String> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.get(&(kind, name.to_owned())).cloned()
    }

    fn learn(&self, kind: &'static str, name: String, key: String) {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).insert((kind, name), key);
    }
}

impl Conversation {
    /// One line about the company.
    pub(super) async fn introduction(&self) -> Result<String, RemoteError> {
        let settings = self.read_settings().await?;
        let name = settings.text("Name").unwrap_or("a company without a name");
        let variant =
            settings.get("ProductVariant").and_then(Value::as_int).and_then(|at| usize::try_from(at).ok());
        let variant = variant.and_then(|at| VARIANTS.get(at)).filter(|name| !name.is_empty());
        let country = settings.text("CountryCode").unwrap_or("?");
        let currency = settings.text("CurrencyCode").unwrap_or("?");
        Ok(match variant {
            Some(variant) => format!("{name} ({country}, {currency}, {variant})"),
            None => format!("{name} ({country}, {currency})"),
        })
    }

    async fn read_settings(&self) -> Result<Map, RemoteError> {
        let settings =
            self.client.get("companysettings").await?.filter(|settings| settings.get("Name").is_some());
        let settings = settings.ok_or_else(|| stop("the answer is not the settings of a company"))?;
        self.company.keep(&settings);
        Ok(settings)
    }

    /// The company's settings.
    pub(super) async fn company_settings(&self) -> Result<Map, RemoteError> {
        match self.company.settings() {
            Some(settings) => Ok(settings),
            None => self.read_settings().await,
        }
    }

    /// Whether prices on documents of that customer are with VAT.
    pub(super) async fn prices_include_vat(&self, customer: &str) -> Result<bool, RemoteError> {
        let settings = self.company_settings().await?;
        if settings.get("ShowPricesExclVatPC").and_then(Value::as_bool) != Some(true) {
            return Ok(false);
        }
        let found = self.client.get(&format!("customers/{customer}")).await?;
        Ok(found.and_then(|row| row.get("IsPrivatePerson").and_then(Value::as_bool)).unwrap_or(false))
    }

    /// The keys of labels by name; a name that is not there is refused.
    pub(super) async fn label_keys(
        &self,
        path: &'static str,
        names: &[Value],
    ) -> Result<Vec<Value>, RemoteError> {
        let mut labels = Vec::with_capacity(names.len());
        for name in names.iter().filter_map(Value::as_str) {
            let mut key = self.company.key(path, name);
            if key.is_none() {
                for row in
                    self.client.all(path, &Query { order: "Id asc".to_owned(), ..Query::default() }).await?
                {
                    if let (Some(name), Some(key)) = (row.text("Name"), row.get("Id").and_then(text)) {
                        self.company.learn(path, name.to_owned(), key);
                    }
                }
                key = self.company.key(path, name);
            }
            let Some(key) = key else {
                let reason = format!("`labels`: there is no label `{name}`");
                return Err(RemoteError::new(Advice::SkipRecord, TITLE, reason)
                    .with_help("make the label first, by the flow for categories or by hand"));
            };
            let label: Map = [("Id", Value::from(key)), ("Name", name.into())].into_iter().collect();
            labels.push(label.into());
        }
        Ok(labels)
    }

    /// The keys of articles by number; a number that is not there is refused.
    pub(super) async fn learn_articles(&self, numbers: &[String]) -> Result<(), RemoteError> {
        let mut unknown: Vec<&String> =
            numbers.iter().filter(|number| self.company.key("articles", number).is_none()).collect();
        unknown.sort();
        unknown.dedup();
        let by = ["number".to_owned()];
        for chunk in unknown.chunks(super::search::BATCH) {
            let keys: Vec<_> = chunk.iter().map(|number| vec![Value::from(number.as_str())]).collect();
            let found = self.find("articles", &by, &keys).await?;
            for (number, records) in chunk.iter().zip(found) {
                let Some(id) = records.first().and_then(|record| record.text("id")) else {
                    let reason = format!("`lines`: there is no article {number}");
                    return Err(RemoteError::new(Advice::SkipRecord, TITLE, reason)
                        .with_help("add the article in eAccounting, then replay the record"));
                };
                self.company.learn("articles", (*number).clone(), id.to_owned());
            }
        }
        Ok(())
    }

    /// The key of an article that was looked up before.
    pub(super) fn article_key(&self, number: &str) -> Option<String> {
        self.company.key("articles", number)
    }
}

//! Creating and updating. An update replaces the record whole: it is read, changed, and sent
//! back, so that what it does not name stays.

use async_trait::async_trait;
use rust_decimal::Decimal;

use super::client::json;
use super::layout::{Default, Layout, known};
use super::search::path_of;
use super::wire::{self, sent_back};
use super::{Conversation, TITLE};
use crate::contract::{Advice, Create, RemoteError, Update, Written};
use crate::manifest::Resource;
use crate::record::{Map, Record, Value};

#[async_trait]
impl Create for Conversation {
    async fn create(&self, resource: &str, record: &Record, _: &str) -> Result<Written, RemoteError> {
        let (layout, about) = known(resource)?;
        match resource {
            "prices" => return self.put_price(layout, about, record).await,
            "invoice_payments" => return self.pay(layout, about, record).await,
            "invoices" if given(record, "created_from_draft_id").is_some() => {
                return self.book(layout, about, record).await;
            }
            _ => {}
        }
        let mut body = Map::new();
        for (name, value) in layout.defaults {
            body.set(*name, standard(*value));
        }
        // What says nothing is left out, so that the service fills it in.
        for (name, value) in wire::write(layout, about, record).iter().filter(|(_, value)| !value.is_null()) {
            body.set(name.clone(), value.clone());
        }
        if resource == "orders" && body.get("CurrencyCode").is_none() {
            let currency = self.company_settings().await?.get("CurrencyCode").cloned();
            body.set("CurrencyCode", currency);
        }
        self.add_lists(layout, record, &mut body, "").await?;
        let reply = self.client.post(layout.path, &body).await?;
        written(layout, about, &reply, record)
    }
}

#[async_trait]
impl Update for Conversation {
    async fn update(
        &self,
        resource: &str,
        key: &str,
        changes: &Record,
        _: Option<&Record>,
    ) -> Result<Written, RemoteError> {
        let (layout, about) = known(resource)?;
        let path = path_of(layout, key).ok_or_else(|| gone(key))?;
        // Read afresh: what was found before may be old by now, and would be put back.
        let row = self.client.get(&path).await?.ok_or_else(|| gone(key))?;
        if resource == "prices" {
            let mut record = wire::read(layout, about, &row);
            changes.iter().for_each(|(name, value)| drop(record.set(name.clone(), value.clone())));
            return self.put_price(layout, about, &record).await;
        }
        let moves = layout.words("status").is_some();
        let wanted = if moves { given(changes, "status").and_then(Value::as_str) } else { None };
        let mut reply = row.clone();
        if !moves || changes.iter().any(|(name, _)| name.as_str() != "status") {
            let body = self.changed(layout, about, &row, changes).await?;
            reply = self.client.put(&path, json(&body)).await?.unwrap_or(body);
        }
        if let Some(wanted) = wanted {
            let read = wire::read(layout, about, &row);
            self.advance(layout, key, read.text("status").unwrap_or_default(), wanted).await?;
            reply = self.client.get(&path).await?.ok_or_else(|| gone(key))?;
        }
        let mut record = wire::read(layout, about, &reply);
        for field in ["stock_balance", "balance"] {
            kept(&record, changes, field)?;
        }
        record.set("id", key);
        Ok(Written { key: key.to_owned(), record })
    }
}

impl Conversation {
    /// The record with its changes, as it is sent back.
    async fn changed(
        &self,
        layout: &Layout,
        about: &Resource,
        row: &Map,
        changes: &Record,
    ) -> Result<Map, RemoteError> {
        let mut body = sent_back(layout, row);
        let mut sent = wire::write(layout, about, changes);
        if layout.words("status").is_some() {
            // Stages are changed by steps of their own.
            sent.remove("Status");
        }
        if layout.entity == "ArticleApi" {
            let (net, gross) = (sent.get("NetPrice").is_some(), sent.get("GrossPrice").is_some());
            // Both must agree with the VAT rate, so that only the one that is meant is sent.
            if net || sent.get("CodingId").is_some() && !gross {
                body.remove("GrossPrice");
            } else if gross {
                body.remove("NetPrice");
            }
        }
        for (name, value) in sent.iter() {
            body.set(name.clone(), value.clone());
        }
        let customer = body.text("CustomerId").unwrap_or_default().to_owned();
        self.add_lists(layout, changes, &mut body, &customer).await?;
        Ok(body)
    }

    /// Labels and lines.
    async fn add_lists(
        &self,
        layout: &Layout,
        record: &Record,
        body: &mut Map,
        customer: &str,
    ) -> Result<(), RemoteError> {
        if let Some(names) = record.get("labels") {
            let (member, path) = if layout.resource == "customers" {
                ("CustomerLabels", "customerlabels")
            } else {
                ("ArticleLabels", "articlelabels")
            };
            body.set(member, self.label_keys(path, names.as_list().unwrap_or_default()).await?);
        }
        if let Some(lines) = record.get("lines").filter(|_| layout.lines.is_some()) {
            let customer = body.text("CustomerId").unwrap_or(customer).to_owned();
            let rows = self.rows(layout, &customer, lines).await?;
            body.set("Rows", rows);
        }
        Ok(())
    }

    /// Sets a price in a price list; the service makes no difference between new and changed.
    async fn put_price(
        &self,
        layout: &Layout,
        about: &Resource,
        record: &Record,
    ) -> Result<Written, RemoteError> {
        let list = needed(record, "price_list_id")?;
        let article = needed(record, "article_id")?;
        let price: Map = [
            ("ArticleId", Value::from(article.as_str())),
            ("NetPrice", record.get("net_price").cloned().unwrap_or_default()),
        ]
        .into_iter()
        .collect();
        let body = Value::List(vec![price.into()]).to_json();
        self.client.put(&format!("salespricelists/{list}/prices"), body).await?;
        let key = format!("{list}/{article}");
        let row = self.client.get(&format!("{}/{key}", layout.path)).await?;
        let record = row.map_or_else(|| record.clone(), |row| wire::read(layout, about, &row));
        Ok(Written { key, record })
    }

    async fn pay(&self, layout: &Layout, about: &Resource, record: &Record) -> Result<Written, RemoteError> {
        let invoice = needed(record, "invoice_id")?;
        let mut body = wire::write(layout, about, record);
        for (name, value) in layout.defaults {
            if body.get(name).is_none() {
                body.set(*name, standard(*value));
            }
        }
        let reply = self.client.post(&format!("customerinvoices/{invoice}/payments"), &body).await?;
        let mut read = wire::read(layout, about, &reply);
        read.set("invoice_id", invoice.as_str());
        let key = read.text("id").map_or(invoice, str::to_owned);
        Ok(Written { key, record: read })
    }

    /// Books a draft. A total that is given guards it: with another one nothing is booked.
    async fn book(&self, layout: &Layout, about: &Resource, record: &Record) -> Result<Written, RemoteError> {
        let draft = needed(record, "created_from_draft_id")?;
        let mut body = Map::new();
        if let Some(total) = given(record, "total_incl") {
            body.set("TotalAmountInvoiceCurrency", total.clone());
        }
        let path = format!("customerinvoicedrafts/{draft}/convert?keepOriginalDraftDate=true");
        let reply = self.client.post(&path, &body).await?;
        written(layout, about, &reply, record)
    }

    /// Takes a document from one stage to another, step by step.
    async fn advance(&self, layout: &Layout, key: &str, from: &str, to: &str) -> Result<(), RemoteError> {
        if from == to {
            return Ok(());
        }
        let steps: &[&str] = match (layout.resource, from, to) {
            ("orders", "draft", "ongoing") => &["converteddrafttoorder"],
            ("orders", "draft", "shipped") => &["converteddrafttoorder", "completed"],
            ("orders", "draft", "invoiced") => &["converteddrafttoorder", "completed", "convert"],
            ("orders", "ongoing", "shipped") => &["completed"],
            ("orders", "ongoing", "invoiced") => &["completed", "convert"],
            ("orders", "shipped", "ongoing") => &["voided"],
            ("orders", "shipped", "invoiced") => &["convert"],
            ("quotes", "ongoing", "approved") => &["accept"],
            ("quotes", "ongoing" | "approved", "order_created") => &["converttoorder"],
            ("quotes", "ongoing" | "approved", "invoiced") => &["converttocustomerinvoice"],
            _ => {
                let reason = format!("`status`: what is {from} cannot become {to}");
                return Err(RemoteError::new(Advice::SkipRecord, TITLE, reason));
            }
        };
        for step in steps {
            let path = format!("{}/{key}/{step}", layout.path);
            if *step == "accept" {
                self.client.put(&path, Vec::new()).await?;
                continue;
            }
            let mut body = Map::new();
            if *step == "converttoorder" {
                // 1: an order, not the draft of one.
                body.set("Type", 1);
            }
            self.client.post(&path, &body).await?;
        }
        Ok(())
    }
}

const fn standard(value: Default) -> Value {
    match value {
        Default::No => Value::Bool(false),
        Default::Number(number) => Value::Int(number),
    }
}

fn given<'a>(record: &'a Record, field: &str) -> Option<&'a Value> {
    record.get(field).filter(|value| !value.says_nothing())
}

fn needed(record: &Record, field: &str) -> Result<String, RemoteError> {
    given(record, field)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or_else(|| RemoteError::new(Advice::SkipRecord, TITLE, format!("`{field}` is missing")))
}

fn gone(key: &str) -> RemoteError {
    RemoteError::new(Advice::SkipRecord, TITLE, format!("there is no record with the key {key}"))
}

fn written(layout: &Layout, about: &Resource, reply: &Map, sent: &Record) -> Result<Written, RemoteError> {
    let key = wire::key(layout, reply).ok_or_else(|| {
        // It was made, and nothing says under which key.
        RemoteError::new(Advice::Unknown, TITLE, "the answer does not name the key of the new record")
    })?;
    let mut record = wire::read(layout, about, reply);
    for (name, value) in sent.iter().filter(|(name, _)| name.as_str() != "lines") {
        if record.get(name).is_none() {
            record.set(name.clone(), value.clone());
        }
    }
    Ok(Written { key, record })
}

/// A figure that the stock module keeps is ignored without a word; that is said here.
fn kept(record: &Record, changes: &Record, field: &str) -> Result<(), RemoteError> {
    let number = |record: &Record| record.get(field).and_then(Value::as_decimal);
    let Some(wanted) = number(changes) else { return Ok(()) };
    match number(record) {
        Some(there) if there == wanted => Ok(()),
        there => {
            let there = there.unwrap_or(Decimal::ZERO);
            let reason =
                format!("`{field}` was to be {wanted} and stays {there}: the stock module keeps the figure");
            Err(RemoteError::new(Advice::SkipRecord, TITLE, reason)
                .with_help("with the stock module on, stock moves by orders, invoices and stock-taking only"))
        }
    }
}

//! Rows of theirs as whole records of ours: names beside identifiers, fields of the account by
//! their labels, what only the deal of a document knows.

use super::Conversation;
use super::kept::with_vat;
use super::layout::{Layout, detail, known};
use super::parties;
use super::wire::{Shape, decimal, map, plain, put, skip, text};
use crate::contract::RemoteError;
use crate::record::{Map, Record, Value};

impl Conversation {
    /// One row as a record.
    pub(super) async fn record(
        &self,
        layout: &Layout,
        shape: &Shape,
        row: &Map,
    ) -> Result<Record, RemoteError> {
        let mut record = shape.read(row);
        if layout.context.is_some() {
            let fields = self.read_custom_fields(row).await?;
            if !fields.is_empty() {
                record.set("custom_fields", fields);
            }
        }
        match layout.resource {
            "companies" | "contacts" => parties::read(layout.resource, &mut record, row),
            "products" => self.finish_product(&mut record, row).await?,
            "quotations" | "orders" | "invoices" | "credit_notes" if row.get("grouped_lines").is_some() => {
                record.set("lines", self.read_lines(shape, row).await?);
            }
            _ => {}
        }
        Ok(record)
    }

    /// Rows as records.
    pub(super) async fn records(
        &self,
        layout: &Layout,
        shape: &Shape,
        rows: &[Map],
    ) -> Result<Vec<Record>, RemoteError> {
        let mut records = Vec::with_capacity(rows.len());
        for row in rows {
            records.push(self.record(layout, shape, row).await?);
        }
        Ok(records)
    }

    /// A record of theirs by its identifier, when it is there.
    pub(super) async fn info(&self, layout: &Layout, id: &str) -> Result<Option<Map>, RemoteError> {
        let mut body = map([("id", Value::from(id))]);
        if layout.resource == "orders" {
            body.set("includes", "custom_fields");
        }
        self.client.info(&format!("{}.info", layout.area), &body).await
    }

    /// A record from a list with what only its own address tells; `None` when it is gone.
    pub(super) async fn whole(
        &self,
        layout: &Layout,
        shape: &Shape,
        mut record: Record,
    ) -> Result<Option<Record>, RemoteError> {
        let Some(id) = text(&record, "id").map(str::to_owned) else { return Ok(Some(record)) };
        let fields = detail(layout.resource);
        let Some(row) = self.info(layout, &id).await? else { return Ok(None) };
        let mut told = self.record(layout, shape, &row).await?;
        self.add_deal(layout.resource, &mut told).await?;
        for field in fields {
            if let Some(value) = told.remove(field) {
                record.set(field.as_str(), value);
            }
        }
        Ok(Some(record))
    }

    /// A record by its identifier, whole, when it is there.
    pub(super) async fn one(&self, resource: &str, id: &str) -> Result<Option<Record>, RemoteError> {
        let (layout, shape) = known(resource)?;
        let Some(row) = self.info(layout, id).await? else { return Ok(None) };
        let mut record = self.record(layout, shape, &row).await?;
        self.add_deal(resource, &mut record).await?;
        Ok(Some(record))
    }

    /// Quotations and orders name no customer: their deal does.
    async fn add_deal(&self, resource: &str, record: &mut Record) -> Result<(), RemoteError> {
        if !matches!(resource, "quotations" | "orders") {
            return Ok(());
        }
        let Some(deal) = text(record, "deal_id") else { return Ok(()) };
        let (layout, shape) = known("deals")?;
        let Some(row) = self.info(layout, deal).await? else { return Ok(()) };
        let deal = shape.read(&row);
        let mut fields = vec!["customer_type", "customer_id", "contact_person_id", "reference"];
        if resource == "quotations" {
            fields.extend(["title", "department_id"]);
        }
        for field in fields {
            if let Some(value) = deal.get(field) {
                record.set(field, value.clone());
            }
        }
        Ok(())
    }

    async fn finish_product(&self, record: &mut Record, row: &Map) -> Result<(), RemoteError> {
        for (resource, id, name) in [
            ("units_of_measure", "unit_of_measure_id", "unit_of_measure"),
            ("product_categories", "product_category_id", "product_category"),
        ] {
            let Some(id) = text(record, id) else { continue };
            let found = self.kept(resource, id).await?;
            if let Some(label) = found.as_ref().and_then(|found| text(found, "name")) {
                record.set(name, label);
            }
        }
        self.add_tax_rate(record).await?;
        let price = record.get("selling_price").and_then(Value::as_decimal);
        let rate = record.get("vat_rate").and_then(Value::as_decimal);
        if let Some(price) = price.zip(rate).and_then(|(price, rate)| with_vat(price, rate)) {
            record.set("selling_price_incl", plain(price));
        }
        let prices = row.get("price_list_prices").and_then(Value::as_list).unwrap_or_default();
        let prices: Vec<Value> = prices.iter().filter_map(list_price).collect();
        if !prices.is_empty() {
            record.set("price_list_prices", prices);
        }
        Ok(())
    }

    /// The account's own fields of a record of theirs, by label.
    async fn read_custom_fields(&self, row: &Map) -> Result<Record, RemoteError> {
        let mut fields = Record::new();
        let given = row.get("custom_fields").and_then(Value::as_list).unwrap_or_default();
        for field in given.iter().filter_map(Value::as_map) {
            let value = field.get("value").filter(|value| !value.says_nothing());
            let is_empty_list = value.and_then(Value::as_list).is_some_and(<[Value]>::is_empty);
            let (Some(id), Some(value)) = (text(field, "definition.id"), value.filter(|_| !is_empty_list)) else {
                continue;
            };
            let definition = self.kept("custom_field_definitions", id).await?;
            let label = definition.as_ref().and_then(|one| text(one, "label")).unwrap_or(id);
            // Of two fields with one label, the second goes by its identifier.
            let name = if fields.get(label).is_none() { label } else { id };
            let number = value.as_decimal().map(plain);
            fields.set(name, number.unwrap_or_else(|| value.clone()));
        }
        Ok(fields)
    }

    /// The same for writing; labels that the account does not have are refused.
    pub(super) async fn write_custom_fields(
        &self,
        context: &str,
        fields: &Record,
    ) -> Result<Vec<Value>, RemoteError> {
        let mut given = Vec::new();
        for (label, value) in fields.iter() {
            let id = self.custom_field(context, label).await?;
            given.push(Value::Map(map([("id", Value::from(id)), ("value", value.clone())])));
        }
        Ok(given)
    }

    async fn custom_field(&self, context: &str, label: &str) -> Result<String, RemoteError> {
        let all = self.all("custom_field_definitions").await?;
        let has = |name: &str| {
            let of_context = all.iter().filter(|one| one.text("context") == Some(context));
            of_context.filter(|one| one.text(name) == Some(label)).collect::<Vec<_>>()
        };
        let found = match has("id") {
            by_id if by_id.is_empty() => has("label"),
            by_id => by_id,
        };
        match found.as_slice() {
            [only] => Ok(only.text("id").unwrap_or_default().to_owned()),
            [] => Err(skip(format!("there is no custom field `{label}` for a {context}"))
                .with_help("make it in Teamleader's settings, or correct the name")),
            _ => Err(skip(format!("several custom fields of a {context} are called `{label}`"))
                .with_help("name the field by its identifier, see custom_field_definitions")),
        }
    }
}

/// A price of a price list. The description of replies is loose here, so several forms are
/// understood.
fn list_price(price: &Value) -> Option<Value> {
    let price = price.as_map()?;
    let id = text(price, "price_list.id").or_else(|| text(price, "price_list_id"))?;
    let amount = price.at("price.amount").or_else(|| price.get("price")).or_else(|| price.get("amount"));
    let mut record = Record::new();
    record.set("price_list_id", id);
    record.set("price", plain(amount.and_then(decimal)?));
    let currency = text(price, "price.currency").or_else(|| text(price, "currency"));
    if let Some(currency) = currency {
        put(&mut record, "currency", currency);
    }
    Some(Value::Map(record))
}

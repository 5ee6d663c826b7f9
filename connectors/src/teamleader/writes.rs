//! Creating and updating. Teamleader knows neither idempotency keys nor upserts, an update
//! leaves out what it does not change, and a step such as booking is an action of its own.

use async_trait::async_trait;
use rust_decimal::Decimal;

use super::documents::write_head;
use super::layout::{Layout, known};
use super::links::payment_key;
use super::parties;
use super::settings::is_uuid;
use super::wire::{Shape, decimal, map, money, plain, put, skip, text};
use super::{Conversation, TITLE};
use crate::contract::{Advice, Create, RemoteError, Update, Written};
use crate::record::{Map, Record, Value};

/// The currency of amounts that name none.
const EURO: &str = "EUR";

#[async_trait]
impl Create for Conversation {
    async fn create(&self, resource: &str, record: &Record, _: &str) -> Result<Written, RemoteError> {
        let (layout, shape) = known(resource)?;
        match resource {
            "company_contacts" => return self.link(record).await,
            "invoice_payments" => return self.pay(record).await,
            _ => {}
        }
        let mut body = self.body(layout, shape, record, None, &Record::new()).await?;
        match resource {
            "invoices" => self.complete_invoice(record, &mut body).await?,
            "deals" if body.get("department_id").is_none() => {
                // The account's own choice is good enough where it has several.
                if let Ok(department) = self.department().await {
                    body.set("department_id", department);
                }
            }
            "quotations" if body.get("grouped_lines").is_none() && body.get("text").is_none() => {
                return Err(skip("a quotation needs `lines` or a `text`"));
            }
            _ => {}
        }
        prune(&mut body);
        let id = self.client.add(layout.create, &body).await?;
        let mut made = record.clone();
        made.set("id", id.as_str());
        Ok(Written { key: id, record: made })
    }
}

#[async_trait]
impl Update for Conversation {
    async fn update(
        &self,
        resource: &str,
        key: &str,
        changes: &Record,
        current: Option<&Record>,
    ) -> Result<Written, RemoteError> {
        let (layout, shape) = known(resource)?;
        if resource == "company_contacts" {
            self.change_link(key, changes).await?;
        } else {
            if !is_uuid(key) {
                return Err(skip(format!("`{key}` is not an identifier of Teamleader")));
            }
            match resource {
                "invoices" => self.change_invoice(layout, shape, key, changes).await?,
                "quotations" => self.change_quotation(layout, shape, key, changes).await?,
                _ => self.change(layout, shape, key, changes).await?,
            }
        }
        let mut record = current.cloned().unwrap_or_default();
        changes.iter().for_each(|(name, value)| drop(record.set(name.clone(), value.clone())));
        record.set("id", key);
        Ok(Written { key: key.to_owned(), record })
    }
}

impl Conversation {
    /// Their body of a record of ours. `there`: the record on the wire as it is now, when it is
    /// changed; `known`: the same in our words.
    async fn body(
        &self,
        layout: &Layout,
        shape: &Shape,
        record: &Record,
        there: Option<&Map>,
        known: &Record,
    ) -> Result<Map, RemoteError> {
        let mut body = match layout.resource {
            "companies" | "contacts" => parties::write(shape, record, there)?,
            _ => shape.write(record)?,
        };
        match layout.resource {
            "products" => self.product_body(record, known, &mut body).await?,
            "deals" => deal_body(record, known, &mut body)?,
            "quotations" | "invoices" => self.document_body(layout, shape, record, known, &mut body).await?,
            _ => {}
        }
        if let (Some(context), Some(Value::Map(fields))) = (layout.context, record.get("custom_fields")) {
            body.set("custom_fields", self.write_custom_fields(context, fields).await?);
            if there.is_some() {
                // Without this, fields that are not named would be emptied.
                body.set("custom_fields_update_strategy", "partial");
            }
        }
        Ok(body)
    }

    async fn product_body(&self, record: &Record, known: &Record, body: &mut Map) -> Result<(), RemoteError> {
        for (field, currency) in
            [("selling_price", "selling_currency"), ("purchase_price", "purchase_currency")]
        {
            let price = match (record.get(field), record.get(currency)) {
                (None, None) => continue,
                (Some(price), _) => decimal(price),
                // Another currency for the price that is there.
                (None, Some(_)) => known.get(field).and_then(decimal),
            };
            let code = text(record, currency).or_else(|| text(known, currency)).unwrap_or(EURO);
            body.set(field, price.map_or(Value::Null, |price| money(price, code)));
        }
        if let Some(stock) = record.get("stock") {
            put(body, "stock.amount", decimal(stock).map(plain));
        }
        if let Some(minimum) = record.get("stock_minimum") {
            match decimal(minimum) {
                Some(minimum) => {
                    put(body, "configuration.stock_threshold.minimum", plain(minimum));
                    put(body, "configuration.stock_threshold.action", "notify");
                }
                None => body.set("configuration", Value::Null).map_or((), drop),
            }
        }
        if let Some(Value::List(prices)) = record.get("price_list_prices") {
            let price = |price: &Value| {
                let price = price.as_map()?;
                let amount = price.get("price").and_then(decimal)?;
                let amount = money(amount, text(price, "currency").unwrap_or(EURO));
                Some(Value::Map(map([
                    ("price_list_id", price.get("price_list_id")?.clone()),
                    ("price", amount),
                ])))
            };
            body.set("price_list_prices", prices.iter().filter_map(price).collect::<Vec<_>>());
        }
        for (resource, id, name) in [
            ("units_of_measure", "unit_of_measure_id", "unit_of_measure"),
            ("product_categories", "product_category_id", "product_category"),
        ] {
            if text(record, id).is_none()
                && let Some(name) = text(record, name)
            {
                body.set(id, self.id_by_name(resource, name).await?);
            }
        }
        if record.get("tax_rate").is_some() || record.get("vat_rate").is_some() {
            let department = self.department().await?;
            if let Some(rate) = self.tax_rate(record, &department, "").await? {
                body.set("tax_rate_id", rate);
            }
        }
        Ok(())
    }

    async fn document_body(
        &self,
        layout: &Layout,
        shape: &Shape,
        record: &Record,
        known: &Record,
        body: &mut Map,
    ) -> Result<(), RemoteError> {
        write_head(record, body);
        if let Some(Value::List(lines)) = record.get("lines") {
            let department = match text(record, "department_id").or_else(|| text(known, "department_id")) {
                Some(department) => department.to_owned(),
                None => self.department_of(layout, record).await?,
            };
            body.set("grouped_lines", self.write_lines(shape, lines, &department).await?);
        }
        if layout.resource == "quotations" {
            if let Some(day) = record.get("expires_after") {
                put(body, "expiry.expires_after", day.clone());
                put(body, "expiry.action_after_expiry", "none");
            }
            if let Some(action) = text(record, "expiry_action") {
                put(body, "expiry.action_after_expiry", action);
            }
            return Ok(());
        }
        if record.get("customer_type").is_some() || record.get("customer_id").is_some() {
            put(body, "invoicee.customer", customer(record, known)?);
        }
        let attention = match (text(record, "contact_id"), text(record, "for_attention_of")) {
            (Some(contact), _) => Some(map([("contact_id", Value::from(contact))])),
            (None, Some(name)) => Some(map([("name", Value::from(name))])),
            (None, None) => None,
        };
        if let Some(attention) = attention {
            if body.get("invoicee").is_none() {
                put(body, "invoicee.customer", customer(record, known)?);
            }
            put(body, "invoicee.for_attention_of", attention);
        }
        Ok(())
    }

    /// The department whose VAT rates a document takes: a quotation's is that of its deal.
    async fn department_of(&self, layout: &Layout, record: &Record) -> Result<String, RemoteError> {
        if layout.resource == "quotations"
            && let Some(deal) = text(record, "deal_id").filter(|id| is_uuid(id))
        {
            let (deals, shape) = known("deals")?;
            if let Some(row) = self.info(deals, deal).await?
                && let Some(department) = text(&shape.read(&row), "department_id")
            {
                return Ok(department.to_owned());
            }
        }
        self.department().await
    }

    /// Adds to a new invoice what Teamleader demands and the flow need not know.
    async fn complete_invoice(&self, record: &Record, body: &mut Map) -> Result<(), RemoteError> {
        if text(record, "status").is_some_and(|status| status != "draft") {
            return Err(skip("a new invoice is a draft")
                .with_help("leave `status` out of the create, and book it with an update that sets `status`"));
        }
        if body.get("department_id").is_none() {
            body.set("department_id", self.department().await?);
        }
        if body.get("payment_term").is_none() {
            body.set("payment_term", self.standard_term().await?);
        }
        Ok(())
    }

    /// An update of what has no steps of its own.
    async fn change(
        &self,
        layout: &Layout,
        shape: &Shape,
        key: &str,
        changes: &Record,
    ) -> Result<(), RemoteError> {
        // Lists are replaced whole, and two halves of one value are written together: what is
        // there is read now, for it may have changed since it was found.
        let needs_there = parties::touches_lists(changes) || layout.resource == "deals" || layout.resource == "products";
        let there = if needs_there { Some(self.there(layout, key).await?) } else { None };
        let known = there.as_ref().map(|there| shape.read(there)).unwrap_or_default();
        let marker = there.unwrap_or_default();
        let mut body = self.body(layout, shape, changes, Some(&marker), &known).await?;
        let phase = if layout.resource == "deals" { body.remove("phase_id") } else { None };
        if !body.is_empty() {
            body.set("id", key);
            self.client.act(&format!("{}.update", layout.area), &body, true).await?;
        }
        if let Some(phase) = phase {
            // An update would drop it without a word.
            let body = map([("id", Value::from(key)), ("phase_id", phase)]);
            self.client.act("deals.move", &body, true).await?;
        }
        Ok(())
    }

    async fn there(&self, layout: &Layout, key: &str) -> Result<Map, RemoteError> {
        self.info(layout, key).await?.ok_or_else(|| skip(format!("does not have the record {key} any more")))
    }

    async fn change_invoice(
        &self,
        layout: &Layout,
        shape: &Shape,
        key: &str,
        changes: &Record,
    ) -> Result<(), RemoteError> {
        let there = self.there(layout, key).await?;
        let is_draft = text(&there, "status") == Some("draft");
        let wanted = text(changes, "status");
        let others: Record = changes
            .iter()
            .filter(|(name, _)| name.as_str() != "status")
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if !others.is_empty() {
            let known = shape.read(&there);
            let mut body = self.body(layout, shape, &others, Some(&there), &known).await?;
            body.remove("department_id");
            body.set("id", key);
            let action = if is_draft { "invoices.update" } else { "invoices.updateBooked" };
            self.client.act(action, &body, true).await?;
        }
        match wanted {
            None => Ok(()),
            Some("outstanding") if is_draft => {
                let day = text(changes, "invoice_date").or_else(|| text(&there, "invoice_date"));
                let day = day.map_or_else(|| jiff::Zoned::now().date().to_string(), str::to_owned);
                let body = map([("id", Value::from(key)), ("on", Value::from(day))]);
                self.client.act("invoices.book", &body, false).await
            }
            Some(status) if text(&there, "status") == Some(status) => Ok(()),
            // Paid already, which is further than booked.
            Some("outstanding") => Ok(()),
            Some(status) => Err(skip(format!("an invoice cannot be set to `{status}`"))
                .with_help("`outstanding` books a draft; a payment is a record of invoice_payments")),
        }
    }

    async fn change_quotation(
        &self,
        layout: &Layout,
        shape: &Shape,
        key: &str,
        changes: &Record,
    ) -> Result<(), RemoteError> {
        let there = self.there(layout, key).await?;
        let mut body = self.body(layout, shape, changes, Some(&there), &shape.read(&there)).await?;
        body.remove("deal_id");
        if !body.is_empty() {
            body.set("id", key);
            self.client.act("quotations.update", &body, true).await?;
        }
        match text(changes, "status") {
            None => Ok(()),
            Some(status) if text(&there, "status") == Some(status) => Ok(()),
            Some("accepted") => {
                let body = map([("id", Value::from(key))]);
                self.client.act("quotations.accept", &body, false).await
            }
            Some(status) => Err(skip(format!("a quotation cannot be set to `{status}`"))
                .with_help("only `accepted` can be set; everything else is done in Teamleader")),
        }
    }

    async fn link(&self, record: &Record) -> Result<Written, RemoteError> {
        let (Some(contact), Some(company)) = (text(record, "contact_id"), text(record, "company_id")) else {
            return Err(skip("`contact_id` and `company_id` must both be given"));
        };
        let body = link_body(contact, company, record);
        self.client.act("contacts.linkToCompany", &body, false).await?;
        let key = format!("{contact}/{company}");
        let mut made = record.clone();
        made.set("id", key.as_str());
        Ok(Written { key, record: made })
    }

    async fn change_link(&self, key: &str, changes: &Record) -> Result<(), RemoteError> {
        let both = key.split_once('/').filter(|(contact, company)| is_uuid(contact) && is_uuid(company));
        let Some((contact, company)) = both else {
            return Err(skip(format!("`{key}` is not a contact and a company")));
        };
        for (field, given) in [("contact_id", contact), ("company_id", company)] {
            if text(changes, field).is_some_and(|other| other != given) {
                return Err(skip(format!("`{field}` of a link cannot be changed; make another one")));
            }
        }
        let body = link_body(contact, company, changes);
        self.client.act("contacts.updateCompanyLink", &body, true).await
    }

    async fn pay(&self, record: &Record) -> Result<Written, RemoteError> {
        let amount = record.get("amount").and_then(decimal);
        let (Some(invoice), Some(paid_at), Some(amount)) =
            (text(record, "invoice_id"), text(record, "paid_at"), amount)
        else {
            return Err(skip("`invoice_id`, `paid_at` and `amount` must all be given"));
        };
        let at: jiff::Timestamp =
            paid_at.parse().map_err(|_| skip(format!("`paid_at` is `{paid_at}`, not a moment")))?;
        let at = at.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string();
        let mut body = map([
            ("id", Value::from(invoice)),
            ("payment", money(amount, text(record, "currency").unwrap_or(EURO))),
            ("paid_at", Value::from(at.as_str())),
        ]);
        if let Some(method) = text(record, "payment_method_id") {
            body.set("payment_method_id", method);
        }
        self.client.act("invoices.registerPayment", &body, false).await?;
        let key = payment_key(invoice, &at, &plain(amount));
        let mut made = record.clone();
        made.set("id", key.as_str());
        Ok(Written { key, record: made })
    }
}

fn link_body(contact: &str, company: &str, record: &Record) -> Map {
    let mut body = map([("id", Value::from(contact)), ("company_id", Value::from(company))]);
    for name in ["position", "decision_maker"] {
        if let Some(value) = record.get(name).filter(|value| !value.says_nothing()) {
            body.set(name, value.clone());
        }
    }
    body
}

/// The customer of a document: both halves, wherever they stand.
fn customer(record: &Record, known: &Record) -> Result<Map, RemoteError> {
    let part = |name: &'static str| {
        let value = text(record, name).or_else(|| text(known, name));
        value.ok_or_else(|| skip(format!("`{name}` is missing")))
    };
    Ok(map([
        ("type", Value::from(part("customer_type")?)),
        ("id", Value::from(part("customer_id")?)),
    ]))
}

fn deal_body(record: &Record, known: &Record, body: &mut Map) -> Result<(), RemoteError> {
    let touches = |name: &str| record.get(name).is_some_and(|value| !value.says_nothing());
    if touches("customer_type") || touches("customer_id") || touches("contact_person_id") {
        put(body, "lead.customer", customer(record, known)?);
        if let Some(contact) = text(record, "contact_person_id") {
            put(body, "lead.contact_person_id", contact);
        }
    }
    let value = match (record.get("estimated_value"), record.get("currency")) {
        (None, None) => return Ok(()),
        (Some(value), _) => decimal(value),
        (None, Some(_)) => known.get("estimated_value").and_then(decimal),
    };
    let code = text(record, "currency").or_else(|| text(known, "currency")).unwrap_or(EURO);
    let value: Option<Decimal> = value;
    if value.is_some() || record.get("estimated_value").is_some() {
        body.set("estimated_value", value.map_or(Value::Null, |value| money(value, code)));
    }
    Ok(())
}

/// Leaves out what says nothing: nothing is created with empty values.
fn prune(body: &mut Map) {
    let silent: Vec<_> =
        body.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.clone()).collect();
    for name in silent {
        body.remove(&name);
    }
}

/// For errors that no record can avoid.
pub(super) fn stop(reason: impl Into<String>) -> RemoteError {
    RemoteError::new(Advice::StopFlow, TITLE, reason)
}

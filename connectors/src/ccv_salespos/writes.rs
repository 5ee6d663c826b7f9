//! Creating and updating: bodies in the shop's form, answers without a body, natural keys.

use async_trait::async_trait;

use super::layout::{Layout, Link, known};
use super::search::digits;
use super::wire::{Shape, plain, skip};
use super::{Conversation, MANIFEST, TITLE, stock};
use crate::contract::{Advice, Create, Find as _, Key, RemoteError, Update, Written};
use crate::record::{Map, Record, Value};

/// Where a resource keeps addresses, as the path of its person on the wire.
fn person_of(resource: &str) -> Option<&'static str> {
    match resource {
        "orders" => Some("customer"),
        "customers" => Some("userinfo"),
        _ => None,
    }
}

/// The two addresses of a person.
const ADDRESSES: [&str; 2] = ["billingaddress", "deliveryaddress"];

#[async_trait]
impl Create for Conversation {
    async fn create(&self, resource: &str, record: &Record, _: &str) -> Result<Written, RemoteError> {
        let (layout, shape) = known(resource)?;
        let mut body = shape.write(record)?;
        self.complete(resource, record, &mut body).await?;
        // Nothing is created with empty values: absent says the same, and is always allowed.
        prune(&mut body);
        let path = address_of_new(layout, record, &body)?;
        let answer = match self.client.post(&path, &body).await {
            Err(error) => {
                // Somebody else may have made it meanwhile: look afresh next time.
                self.shelves.forget(resource).await;
                return Err(error);
            }
            Ok(answer) => answer,
        };
        let written = match answer.filter(|answer| answer.get("id").is_some()) {
            Some(answer) => self.told(layout, shape, record, &answer).await?,
            None => self.found_again(layout, record).await?,
        };
        self.shelves.note(layout, &written.record).await;
        if resource == "product_attribute_values" {
            self.shelves.forget("variants").await;
        }
        Ok(written)
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
        if resource == stock::RESOURCE {
            return self.stock_update(key, changes).await;
        }
        let (layout, shape) = known(resource)?;
        let id =
            digits(&Value::from(key)).ok_or_else(|| skip(format!("`{key}` is not a key of the shop")))?;
        let mut body = shape.write(changes)?;
        match resource {
            "orders" => self.order_body(changes, &mut body, false).await?,
            "products" => choose(&mut body),
            _ => {}
        }
        if let Some(person) = person_of(resource) {
            self.whole_addresses(layout, shape, person, &id, changes, current, &mut body).await?;
        }
        if !body.is_empty() {
            self.client.patch(&layout.one(&id), &body).await?;
        }
        let mut record = current.cloned().unwrap_or_default();
        overlay(&mut record, changes);
        record.set("id", id.as_str());
        self.shelves.note(layout, &record).await;
        Ok(Written { key: id, record })
    }
}

impl Conversation {
    /// Adds to a new record what the shop demands and the flow need not know.
    async fn complete(&self, resource: &str, record: &Record, body: &mut Map) -> Result<(), RemoteError> {
        match resource {
            "orders" => {
                self.order_body(record, body, true).await?;
                if body.get("customer").is_none() {
                    return Err(skip("`customer` is missing: an order needs one"));
                }
            }
            "products" => {
                default(body, "discount", Value::Int(0));
                if empty(body, "package_id") {
                    let package = self.shop.package(&self.client).await?;
                    let package =
                        package.and_then(|package| package.parse::<i64>().ok()).ok_or_else(|| {
                            skip("`package_id` is missing, and the shop has no package").with_help(
                                "make a package in the shop's back office: it decides the shipping cost",
                            )
                        })?;
                    body.set("package_id", package);
                }
                choose(body);
                if empty(body, "taxtariff") && empty(body, "vatrate") {
                    return Err(skip("`tax_tariff` and `vat_rate` are missing: a product needs one of them"));
                }
            }
            "customers" => {
                if let (true, Some(email)) = (empty(body, "username"), record.text("email")) {
                    body.set("username", email);
                }
                if empty(body, "password") {
                    // Nobody knows it; the customer asks for a new one.
                    body.set("password", format!("W{}q", uuid::Uuid::new_v4().simple()));
                }
            }
            "attribute_values" => default(body, "default_price", Value::Int(0)),
            "product_attribute_values" => default(body, "price", Value::Int(0)),
            "staggered_prices" => default(body, "discount", Value::Int(0)),
            _ => {}
        }
        if let Some(person) = person_of(resource) {
            one_form_of_address(body, person);
        }
        Ok(())
    }

    /// What the answer to a create tells.
    async fn told(
        &self,
        layout: &Layout,
        shape: &Shape,
        sent: &Record,
        answer: &Map,
    ) -> Result<Written, RemoteError> {
        // The record is there: what else goes wrong must not make it look as if it were not.
        let mut record = match self.records(layout, shape, std::slice::from_ref(answer)).await {
            Ok(mut records) => records.pop().unwrap_or_default(),
            Err(_) => shape.read(answer),
        };
        let fields = MANIFEST.resources.get(layout.resource).map(|resource| &resource.fields);
        for (name, value) in sent.iter() {
            let is_readable =
                fields.and_then(|fields| fields.get(name)).is_some_and(|field| !field.write_only);
            if is_readable && record.get(name).is_none() && !matches!(value, Value::Map(_) | Value::List(_)) {
                record.set(name, value.clone());
            }
        }
        let key = record.text("id").unwrap_or_default().to_owned();
        Ok(Written { key, record })
    }

    /// A create may be answered without a body: the record is found by what is its own.
    async fn found_again(&self, layout: &Layout, record: &Record) -> Result<Written, RemoteError> {
        let unknown = || {
            let reason = "the record was created, but the answer did not say under which key, \
                          and it cannot be found again";
            RemoteError::new(Advice::Unknown, TITLE, reason)
        };
        let sets = MANIFEST.resources.get(layout.resource).map(|r| r.find.as_slice()).unwrap_or_default();
        let given = |field: &String| record.get(field).is_some_and(|value| !value.says_nothing());
        // A category at the top has no parent, and that is a value too.
        let usable = |by: &[String]| by.iter().all(|field| given(field) || field == "parent_id");
        let set = sets.iter().find(|set| usable(&set.by)).ok_or_else(unknown)?;
        let key: Key = set.by.iter().map(|field| record.get(field).cloned().unwrap_or_default()).collect();
        self.shelves.kept_is_old(layout.resource).await;
        let mut found = self
            .find(layout.resource, &set.by, &[key])
            .await
            .map_err(|error| RemoteError { advice: Advice::Unknown, ..error })?;
        let newest = found
            .pop()
            .unwrap_or_default()
            .into_iter()
            .max_by_key(|record| record.text("id").and_then(|id| id.parse::<u64>().ok()));
        let record = newest.ok_or_else(unknown)?;
        Ok(Written { key: record.text("id").unwrap_or_default().to_owned(), record })
    }

    /// Sends an address whole when a part of it changes: whether the shop would keep the parts
    /// that are not sent is not documented.
    #[expect(clippy::too_many_arguments, reason = "one update's parts, named by its caller")]
    async fn whole_addresses(
        &self,
        layout: &Layout,
        shape: &Shape,
        person: &'static str,
        id: &str,
        changes: &Record,
        current: Option<&Record>,
        body: &mut Map,
    ) -> Result<(), RemoteError> {
        let touched = body.get(person).and_then(Value::as_map).cloned().unwrap_or_default();
        if !ADDRESSES.iter().any(|name| touched.get(name).is_some()) {
            return Ok(());
        }
        let mut whole = match current {
            Some(current) => current.clone(),
            None => self.one(layout, shape, id).await?.unwrap_or_default(),
        };
        overlay(&mut whole, changes);
        if layout.resource == "orders" {
            // The rest of an order is not the person's, and need not be writable.
            let own = ["customer", "billing", "shipping"];
            whole = own.iter().filter_map(|name| Some((*name, whole.get(name)?.clone()))).collect();
        }
        let complete = shape.write(&whole)?;
        for name in ADDRESSES {
            let address = complete.get(person).and_then(|person| person.as_map()?.get(name)?.as_map());
            let change = touched.get(name).and_then(Value::as_map);
            if let (Some(change), Some(address), Some(Value::Map(to))) =
                (change, address, body.get_mut(person))
            {
                let mut address = address.clone();
                if empty(change, "street") && !empty(change, "address_line_1") {
                    // The new form takes the place of the old one.
                    address.remove("street");
                }
                to.set(name, address);
            }
        }
        one_form_of_address(body, person);
        Ok(())
    }
}

/// Where a new record is sent.
fn address_of_new(layout: &Layout, record: &Record, body: &Map) -> Result<String, RemoteError> {
    let (parent, field, child) = match (layout.resource, layout.parent()) {
        ("invoices", _) => ("orders", "order_id", "invoices"),
        (_, Some(parent)) => match parent.link {
            // Where the parent's key is part of the body, the list stands by itself.
            Link::Carried(child) | Link::Below(child) if body.get(parent.field).is_none() => {
                (parent.path, parent.field, child)
            }
            _ => return Ok(layout.path.to_owned()),
        },
        _ => return Ok(layout.path.to_owned()),
    };
    let key = record.get(field).and_then(digits);
    let key = key.ok_or_else(|| skip(format!("`{field}` is missing, or not a key of the shop")))?;
    Ok(format!("{parent}/{key}/{child}"))
}

fn empty(body: &Map, name: &str) -> bool {
    body.get(name).is_none_or(Value::says_nothing)
}

fn default(body: &mut Map, name: &'static str, value: Value) {
    if empty(body, name) {
        body.set(name, value);
    }
}

/// Of two ways to say one thing, the shop wants one.
fn choose(body: &mut Map) {
    for (kept, dropped) in [("taxtariff", "vatrate"), ("brand_id", "brand"), ("condition_id", "condition")] {
        if !empty(body, kept) {
            body.remove(dropped);
        }
    }
}

/// An address is sent as street and number or as lines, never both.
fn one_form_of_address(body: &mut Map, person: &str) {
    let Some(Value::Map(person)) = body.get_mut(person) else { return };
    for name in ADDRESSES {
        let Some(Value::Map(address)) = person.get_mut(name) else { continue };
        let spare: &[&str] = if empty(address, "street") {
            &["street", "housenumber", "housenumber_suffix"]
        } else {
            &["address_line_1", "address_line_2"]
        };
        if empty(address, "street") && empty(address, "address_line_1") {
            continue;
        }
        for name in spare {
            address.remove(name);
        }
    }
}

/// Leaves out what says nothing.
fn prune(body: &mut Map) {
    for (_, value) in body.iter_mut() {
        match value {
            Value::Map(inner) => prune(inner),
            Value::List(items) => items.iter_mut().for_each(|item| {
                if let Value::Map(inner) = item {
                    prune(inner);
                }
            }),
            Value::Decimal(number) => *value = plain(*number),
            _ => {}
        }
    }
    let silent: Vec<_> =
        body.iter().filter(|(_, value)| value.says_nothing()).map(|(name, _)| name.clone()).collect();
    for name in silent {
        body.remove(&name);
    }
}

/// Puts changes over a record, records within records too.
fn overlay(record: &mut Record, changes: &Record) {
    for (name, value) in changes.iter() {
        match (record.get_mut(name), value) {
            (Some(Value::Map(old)), Value::Map(new)) => overlay(old, new),
            _ => drop(record.set(name, value.clone())),
        }
    }
}

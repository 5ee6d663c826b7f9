//! A stand-in for CCV SalesPOS: a shop in memory that signs, limits, refuses and counts as the
//! real one does, as far as that is known. Where it is not, [`Options`] has a switch.

mod books;
mod effects;
mod fill;
mod hooks;
mod lists;
mod options;
mod rules;
mod sales;
mod samples;
mod server;
mod tables;
mod variants;

use std::sync::{Arc, Mutex, MutexGuard};

use rust_decimal::Decimal;
use serde_json::json;

use super::shop::tariffs;
use crate::manifest::Answers;
use crate::record::{Map, Record, Value};
use crate::simulator::Simulator;
use books::{Books, Refusal, map};
use server::{Shared, open};
use tables::table;

pub use options::{CallLimits, Expand, Options, PostAnswer};

/// A simulated shop. Clones share their books.
#[derive(Clone)]
pub struct CcvShop {
    books: Shared,
}

impl Default for CcvShop {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

/// An order to put into the books.
#[derive(Clone, Debug, Default)]
pub struct NewOrder<'a> {
    /// E-mail address of the customer.
    pub email: &'a str,
    /// First and last name.
    pub name: (&'a str, &'a str),
    /// Company; empty for a person.
    pub company: &'a str,
    /// Article numbers of products or variants, and how many.
    pub lines: &'a [(&'a str, i64)],
    /// Status, 1 to 14; 0 for new.
    pub status: i64,
    /// Paid in full.
    pub is_paid: bool,
}

impl CcvShop {
    /// An empty shop: settings, a package, payment methods, a customer group, nothing to sell.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self { books: Arc::new(Mutex::new(Books::new(options))) }
    }

    fn open(&self) -> MutexGuard<'_, Books> {
        open(&self.books)
    }

    /// Turns switches, also while it runs.
    pub fn configure(&self, change: impl FnOnce(&mut Options)) {
        change(&mut self.open().options);
    }

    /// Changes the shop's settings as its owner would, such as `prices_include_vat`.
    pub fn set(&self, setting: &str, value: &serde_json::Value) {
        let value = fill::json(&json!({"value": value})).remove("value").unwrap_or_default();
        self.open().settings.set(setting, value);
    }

    /// The next requests are refused with these codes, one each: `500.10`.
    pub fn refuse_next<'a>(&self, codes: impl IntoIterator<Item = &'a str>) {
        let refusals = codes.into_iter().map(|code| {
            let status = code.split('.').next().and_then(|status| status.parse().ok()).unwrap_or(500);
            (status, code.to_owned())
        });
        self.open().refusals.extend(refusals);
    }

    /// Adds a record as a POST to that path would (`products`, `categories`, `brands` …).
    pub fn add(&self, path: &str, body: &serde_json::Value) -> Result<i64, String> {
        let table = table(path).ok_or_else(|| format!("there is no `{path}`"))?;
        let mut books = self.open();
        if !table.allows('C') {
            return Ok(books.insert(table.name, fill::json(body)));
        }
        let key = effects::create(&mut books, table, None, &fill::json(body)).map_err(Refusal::text)?;
        hooks::deliver(&self.books, &mut books);
        Ok(key)
    }

    /// Adds a record below another, as a POST to `products/12/productphotos` would.
    pub fn add_below(
        &self,
        path: &str,
        key: i64,
        child: &str,
        body: &serde_json::Value,
    ) -> Result<i64, String> {
        let parent = table(path).ok_or_else(|| format!("there is no `{path}`"))?;
        let found = parent.below.iter().find(|(name, _)| *name == child);
        let (child, member) = found.ok_or_else(|| format!("there is no `{child}` below `{path}`"))?;
        let table = table(child).ok_or_else(|| format!("there is no `{child}`"))?;
        let mut books = self.open();
        effects::create(&mut books, table, Some((*member, key)), &fill::json(body)).map_err(Refusal::text)
    }

    /// Changes a record as the shop's owner would, in the words of the API; webhooks are told.
    pub fn update(&self, path: &str, key: i64, body: &serde_json::Value) -> Result<(), String> {
        let table = table(path).ok_or_else(|| format!("there is no `{path}`"))?;
        let mut books = self.open();
        effects::patch(&mut books, table, key, &fill::json(body)).map_err(Refusal::text)?;
        hooks::deliver(&self.books, &mut books);
        Ok(())
    }

    /// Removes a record.
    pub fn remove(&self, path: &str, key: i64) -> Result<(), String> {
        let table = table(path).ok_or_else(|| format!("there is no `{path}`"))?;
        let mut books = self.open();
        effects::remove(&mut books, table, key).map_err(Refusal::text)?;
        hooks::deliver(&self.books, &mut books);
        Ok(())
    }

    /// Number of records of a kind.
    #[must_use]
    pub fn count(&self, path: &str) -> usize {
        self.open().count(path)
    }

    /// The key of the record whose member has that value: `products`, `productnumber`, `100045`.
    /// The member may be a dotted path.
    #[must_use]
    pub fn key_by(&self, path: &str, member: &str, value: &str) -> Option<i64> {
        samples::key_by(&self.open(), path, member, value)
    }

    /// A record as the books have it.
    #[must_use]
    pub fn get(&self, path: &str, key: i64) -> Option<serde_json::Value> {
        let row = self.open().row(path, key).cloned()?;
        serde_json::from_slice(&Value::Map(row).to_json()).ok()
    }

    /// Calls that were answered, by verb and kind of record: `("GET orders", 3)`.
    #[must_use]
    pub fn calls(&self) -> Vec<(String, u64)> {
        self.open().calls.iter().map(|(name, count)| (name.clone(), *count)).collect()
    }

    /// Adds a simple product at the normal VAT tariff.
    pub fn add_product(&self, sku: &str, name: &str, price: Decimal, stock: i64) -> Result<i64, String> {
        let package = fill::nth(&self.open(), "packages", 0);
        let body = json!({
            "productnumber": sku, "name": name, "price": 0, "discount": 0, "taxtariff": "normal",
            "package_id": package, "stock": stock, "stockenabled": true,
        });
        let key = self.add("products", &body)?;
        let mut books = self.open();
        if let Some(mut product) = books.row("products", key).cloned() {
            product.set("price", price);
            product.set("sellprice", price);
            books.replace("products", product);
        }
        Ok(key)
    }

    /// Makes a product vary: each attribute with its values. Variants get the product's number
    /// and their values as article number (`100046-Rood-L`), and that stock.
    pub fn add_variants(&self, product: i64, menus: &[(&str, &[&str])], stock: i64) -> Vec<i64> {
        let mut books = self.open();
        for (name, values) in menus {
            for value in fill::menu(&mut books, name, values) {
                let body = map([("optionvalue", value.into()), ("price", 0.into()), ("stock", stock.into())]);
                fill::add(&mut books, "productattributevalues", Some(("product_id", product)), &body);
            }
        }
        let number =
            books.row("products", product).and_then(|row| row.text("productnumber")).unwrap_or_default();
        let number = number.to_owned();
        let variants: Vec<Map> =
            books.below("attributecombinations", "product_id", product).into_iter().cloned().collect();
        let mut keys = Vec::new();
        for mut variant in variants {
            let choices = variant.get("combination").and_then(Value::as_list).unwrap_or_default();
            let values: Vec<String> = choices
                .iter()
                .filter_map(|choice| choice.as_map()?.at("attribute_value.name")?.as_str().map(str::to_owned))
                .collect();
            variant.set("sku_number", format!("{number}-{}", values.join("-")));
            keys.extend(books::int(&variant, "id"));
            books.replace("attributecombinations", variant);
        }
        keys
    }

    /// Adds a customer with an account.
    pub fn add_customer(&self, email: &str, name: (&str, &str), company: &str) -> Result<i64, String> {
        self.add(
            "users",
            &json!({"username": email, "password": "Wq7-tijdelijk-91x", "userinfo": person(email, name, company)}),
        )
    }

    /// Adds an order as if it was just placed; webhooks are told.
    pub fn add_order(&self, order: &NewOrder<'_>) -> Result<i64, String> {
        let row = |(sku, count): &(&str, i64)| {
            if let Some(product) = self.key_by("products", "productnumber", sku) {
                return Ok(json!({"product_id": product, "count": count}));
            }
            let variant = self.key_by("attributecombinations", "sku_number", sku);
            let variant = variant.ok_or_else(|| format!("there is no article {sku}"))?;
            let product =
                self.get("attributecombinations", variant).and_then(|row| row.get("product_id").cloned());
            Ok(json!({"product_id": product, "attribute_combination_id": variant, "count": count}))
        };
        let rows = order.lines.iter().map(row).collect::<Result<Vec<_>, String>>()?;
        self.add(
            "orders",
            &json!({
                "orderrows": rows,
                "customer": person(order.email, order.name, order.company),
                "paid": order.is_paid,
                "status": if order.status == 0 { 1 } else { order.status },
            }),
        )
    }

    /// Adds that many orders of products in the books, one an hour until now; webhooks are not
    /// told. Quick enough for thousands.
    pub fn add_orders(&self, count: usize) {
        let mut books = self.open();
        let first = i64::try_from(books.count("orders")).unwrap_or(0);
        let count = i64::try_from(count).unwrap_or(0);
        fill::at_hours(&mut books, count, |books, number| {
            let body = fill::order(books, first + number);
            fill::add(books, "orders", None, &body);
        });
        books.events.clear();
    }

    /// Adds that many products of the sample's catalogue; webhooks are not told.
    pub fn add_products(&self, count: usize) {
        let mut books = self.open();
        let first = 1000 + i64::try_from(books.count("products")).unwrap_or(0);
        for number in 0..i64::try_from(count).unwrap_or(0) {
            fill::add_product(&mut books, first + number);
        }
        books.events.clear();
    }
}

fn person(email: &str, (first, last): (&str, &str), company: &str) -> serde_json::Value {
    json!({
        "email": email,
        "customertype": if company.is_empty() { "b2c" } else { "b2b" },
        "billingaddress": {
            "first_name": first, "last_name": last, "company": company, "street": "Lindelaan", "housenumber": 14,
            "zipcode": "3511 AB", "city": "Utrecht", "country_code": "NL", "telephone": "0301234567",
        },
    })
}

impl Refusal {
    fn text(self) -> String {
        format!("{}: {}", self.code, self.message)
    }
}

impl Simulator for CcvShop {
    fn router(&self) -> axum::Router {
        axum::Router::new().fallback(server::answer).with_state(Arc::clone(&self.books))
    }

    fn answers(&self, address: &str) -> Answers {
        let books = self.open();
        let options = &books.options;
        let pace = |limit: Option<u32>| limit.unwrap_or(1_000_000).to_string();
        [
            ("address", address.to_owned()),
            ("public_key", options.public_key.clone()),
            ("secret_key", options.secret_key.clone()),
            ("reads_per_minute", pace(options.limits.reads)),
            ("writes_per_minute", pace(options.limits.writes)),
        ]
        .into_iter()
        .map(|(name, answer)| (name.to_owned(), answer))
        .collect()
    }

    fn fill(&self) {
        fill::shelves(&mut self.open());
    }

    fn sample(&self, resource: &str, number: usize) -> Option<Record> {
        samples::new(&self.open(), resource, number)
    }

    fn change(&self, resource: &str, number: usize) -> Option<Record> {
        samples::changed(resource, number)
    }

    fn books(&self) -> serde_json::Value {
        self.open().to_json()
    }

    fn known(&self, resource: &str) -> Vec<Record> {
        match resource {
            "vat_rates" => self.open().countries.iter().flat_map(tariffs).collect(),
            _ => Vec::new(),
        }
    }
}

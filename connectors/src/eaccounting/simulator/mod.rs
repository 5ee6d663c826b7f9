//! A stand-in for Visma eAccounting: a company in memory that signs in, limits, refuses and
//! reckons as the real service does, as far as that is known. Where it is not, [`Options`] has a
//! switch.

mod books;
mod company;
mod fill;
mod filter;
mod goods;
mod identity;
mod lists;
mod options;
mod rules;
mod sales;
mod samples;
mod server;
mod totals;

use std::sync::{Arc, Mutex, MutexGuard};

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value as Json, json};

use crate::manifest::Answers;
use crate::record::{Map, Record, Value};
use crate::sign_in::Token;
use crate::simulator::Simulator;
pub use books::Recorded;
use books::{Books, KINDS, Refusal, known};
pub use options::Options;
use server::{Shared, open};

/// A simulated company. Clones share its books.
#[derive(Clone)]
pub struct Company {
    books: Shared,
}

impl std::default::Default for Company {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

/// Resources and the tables that they are kept in, where the names differ.
const NAMES: &[(&str, &str)] = &[
    ("customer_labels", "customerlabels"),
    ("article_labels", "articlelabels"),
    ("article_codings", "articleaccountcodings"),
    ("price_lists", "salespricelists"),
    ("discount_agreements", "discountagreements"),
    ("invoice_drafts", "customerinvoicedrafts"),
    ("invoices", "customerinvoices"),
    ("terms_of_payment", "termsofpayments"),
    ("delivery_methods", "deliverymethods"),
    ("delivery_terms", "deliveryterms"),
    ("vat_codes", "vatcodes"),
    ("bank_accounts", "bankaccounts"),
];

impl Company {
    /// A company with settings, VAT rates, terms and accounts; nothing to sell and nobody to
    /// sell to.
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

    /// Changes one of the company's settings, such as `ShowPricesExclVatPC`.
    pub fn set(&self, setting: &str, value: &Json) {
        let value = company::map(&json!({"value": value})).remove("value").unwrap_or_default();
        self.open().settings.set(setting, value);
    }

    /// The next calls are refused with this status and code.
    pub fn refuse_next(&self, refusals: impl IntoIterator<Item = (u16, i64)>) {
        self.open().refusals.extend(refusals);
    }

    /// Every access token is worth nothing from now on; refresh tokens are.
    pub fn expire_tokens(&self) {
        self.open().identity.expire();
    }

    /// The person withdraws the consent: no token is worth anything.
    pub fn withdraw_consent(&self) {
        self.open().identity.withdraw();
    }

    /// The sign-in service's clock goes ahead by that many seconds.
    pub fn pass_time(&self, seconds: i64) {
        self.open().identity.ahead += seconds;
    }

    /// A consent with these rights.
    #[must_use]
    pub fn consent(&self, scope: &str) -> Token {
        let mut books = self.open();
        let options = books.options.clone();
        let (access, refresh, lasts) = books.identity.grant(scope, None, &options);
        let expires_at = Timestamp::now().checked_add(jiff::SignedDuration::from_secs(lasts)).ok();
        Token { access, refresh, expires_at }
    }

    /// Keeps every request below `/v2` and its reply from now on.
    pub fn record(&self) {
        self.open().recorded = Some(Vec::new());
    }

    /// What was kept since [`Company::record`].
    #[must_use]
    pub fn recorded(&self) -> Vec<Recorded> {
        self.open().recorded.clone().unwrap_or_default()
    }

    /// Adds a record as a POST to that path would; its key. An error says why it is refused.
    pub fn add(&self, path: &str, body: &Json) -> Result<String, String> {
        let mut books = self.open();
        let kind = known(path).ok_or_else(|| format!("there is no `{path}`"))?;
        let given = company::map(body);
        let options = books.options.clone();
        let row = rules::taken(kind.entity, &given, &options).map_err(Refusal::text)?;
        let row = match path {
            "articles" => goods::article(&books, &given, row, None).map_err(Refusal::text)?,
            "customers" => goods::customer(&mut books, row, None).map_err(Refusal::text)?,
            "orders" | "quotes" | "customerinvoicedrafts" | "customerinvoices" => {
                sales::document(&mut books, kind, row, None).map_err(Refusal::text)?
            }
            _ => row,
        };
        let row = if path == "customerinvoices" {
            sales::book(&mut books, kind, row, true).map_err(Refusal::text)?
        } else {
            books.insert(kind, row)
        };
        Ok(row.text("Id").unwrap_or_default().to_owned())
    }

    /// Adds an article of goods at a VAT rate, sold by the piece.
    pub fn add_article(&self, number: &str, name: &str, net: Decimal, rate: i64, stock: i64) -> Result<String, String> {
        let (coding, unit) = {
            let books = self.open();
            (fill::coding_of(&books, rate.into()), fill::key_at(&books, "units", 0))
        };
        let key = self.add(
            "articles",
            &json!({"Number": number, "Name": name, "IsActive": true, "CodingId": coding, "UnitId": unit, "StockBalance": stock}),
        )?;
        let mut books = self.open();
        let factor = Decimal::ONE + Decimal::from(rate) / Decimal::ONE_HUNDRED;
        if let Some(row) = books.row_mut("articles", &key) {
            row.set("NetPrice", net);
            row.set("NetPriceWithDiscount", net);
            row.set("GrossPrice", company::cents(net * factor));
        }
        Ok(key)
    }

    /// Changes members of a record as somebody at a screen would.
    pub fn change(&self, path: &str, key: &str, changes: &Json) {
        let mut books = self.open();
        let Some((kind, mut row)) = known(path).zip(books.row(path, key).cloned()) else { return };
        for (name, value) in company::map(changes).iter() {
            row.set(name.clone(), value.clone());
        }
        books.replace(kind, row);
    }

    /// Takes an order or a quote to its next stage: `completed`, `accept` …
    pub fn step(&self, path: &str, key: &str, name: &str) -> Result<(), String> {
        sales::step(&mut self.open(), path, key, name).map(drop).map_err(Refusal::text)
    }

    /// Removes a record.
    pub fn remove(&self, path: &str, key: &str) {
        self.open().remove(path, key);
    }

    /// The records of a kind, as the service has them.
    #[must_use]
    pub fn rows(&self, path: &str) -> Vec<Json> {
        let books = self.open();
        let shown = |row: &Map| if path == "articles" { goods::with_stock(&books, row.clone()) } else { row.clone() };
        books.rows(path).iter().map(|row| to_json(&shown(row))).collect()
    }

    /// The record whose member has that value.
    #[must_use]
    pub fn by(&self, path: &str, member: &str, value: &str) -> Option<Json> {
        self.rows(path).into_iter().find(|row| row[member] == value)
    }
}

impl Refusal {
    fn text(self) -> String {
        let fields: Vec<_> = self.errors.iter().map(|(field, _, _)| field.as_str()).collect();
        format!("{}: {} {}", self.code, self.message, fields.join(", "))
    }
}

fn to_json(row: &Map) -> Json {
    serde_json::from_slice(&Value::Map(row.clone()).to_json()).unwrap_or_default()
}

impl Simulator for Company {
    fn router(&self) -> axum::Router {
        axum::Router::new().fallback(server::answer).with_state(Arc::clone(&self.books))
    }

    fn answers(&self, address: &str) -> Answers {
        let calls = self.open().options.calls_per_minute.unwrap_or(1_000_000).to_string();
        [
            ("address", address),
            ("identity_address", address),
            ("client_id", identity::CLIENT),
            ("client_secret", identity::SECRET),
            ("calls_per_minute", calls.as_str()),
        ]
        .into_iter()
        .map(|(name, answer)| (name.to_owned(), answer.to_owned()))
        .collect()
    }

    /// The access token has just run out, so that each session exchanges it first.
    fn token(&self) -> Option<Token> {
        let mut books = self.open();
        let options = Options { token_seconds: 0, ..books.options.clone() };
        let (access, refresh, _) = books.identity.grant(identity::SCOPE, None, &options);
        Some(Token { access, refresh, expires_at: None })
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

    fn books(&self) -> Json {
        let books = self.open();
        let named = |path: &str| NAMES.iter().find(|(_, table)| *table == path).map_or_else(|| path.to_owned(), |(name, _)| (*name).to_owned());
        let tables = KINDS.iter().map(|kind| (named(kind.path), Json::from(books.rows(kind.path).iter().map(to_json).collect::<Vec<_>>())));
        let mut all: serde_json::Map<String, Json> = tables.collect();
        all.insert("invoice_payments".to_owned(), books.payments.iter().map(to_json).collect::<Vec<_>>().into());
        all.into()
    }
}

//! A stand-in for `AccountView.Net` and the installation behind it, over books of its own.
//!
//! It signs people in as the front door does, answers by tables and columns, refuses what the
//! dictionary and the program refuse, and shows on demand the ways in which installations differ.

mod books;
mod dictionary;
mod doors;
mod reading;
mod rules;
mod sample;
mod serving;
mod specimens;
mod writing;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use jiff::civil::Date;

use crate::manifest::Answers;
use crate::record::{Map, Record, Value};
use crate::sign_in::Token;
use crate::simulator::Simulator;
use books::Company;
use doors::Doors;
use serving::{Refused, serve};

/// A service with two companies, in memory.
#[derive(Clone)]
pub struct AccountViewSimulator {
    state: Arc<Mutex<Books>>,
}

struct Books {
    doors: Doors,
    companies: Vec<Company>,
    switches: Switches,
}

/// How this installation differs from the plain one.
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
#[derive(Clone, Debug)]
pub struct Switches {
    /// Refusals come with status 200 instead of 400.
    pub errors_are_200: bool,
    /// A question without an answer is a 404.
    pub nothing_is_404: bool,
    /// A single row comes as an object, not as a list of one.
    pub one_is_an_object: bool,
    /// A text equals all texts that begin with it.
    pub equal_is_begins_with: bool,
    /// The front door answers, the computer behind it does not.
    pub far_end_is_off: bool,
    /// Answers to writes leave out the record number.
    pub writes_tell_no_key: bool,
    /// Days of the open book years.
    pub open: (Date, Date),
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            errors_are_200: false,
            nothing_is_404: false,
            one_is_an_object: false,
            equal_is_begins_with: false,
            far_end_is_off: false,
            writes_tell_no_key: false,
            open: (Date::constant(2020, 1, 1), Date::constant(2039, 12, 31)),
        }
    }
}

impl Default for AccountViewSimulator {
    fn default() -> Self {
        Self::new()
    }
}

impl AccountViewSimulator {
    /// Two companies with ledger, VAT codes and journals, and without customers and articles.
    #[must_use]
    pub fn new() -> Self {
        let mut companies = vec![
            Company::new("5f0c7a10-0001-4a51-9d0b-5c0c8a3b2f10", "DEMO", "Demo BV"),
            Company::new("5f0c7a10-0002-4a51-9d0b-5c0c8a3b2f10", "ANDER", "Andere Holding BV"),
        ];
        for company in &mut companies {
            sample::set_up(company);
        }
        let books = Books { doors: Doors::default(), companies, switches: Switches::default() };
        Self { state: Arc::new(Mutex::new(books)) }
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes how the installation behaves from now on.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.lock().switches);
    }

    /// The application is registered with another address to come back to.
    pub fn comes_back_to(&self, address: &str) {
        address.clone_into(&mut self.lock().doors.redirect);
    }

    /// How long new access tokens last.
    pub fn tokens_last(&self, lifetime: Duration) {
        self.lock().doors.lifetime = lifetime;
    }

    /// Every access token runs out now.
    pub fn expire_tokens(&self) {
        self.lock().doors.expire();
    }

    /// The consent is withdrawn: no token works any more.
    pub fn withdraw_consent(&self) {
        self.lock().doors.withdraw();
    }

    /// Tokens of a consent to these scopes.
    #[must_use]
    pub fn token_for(&self, scope: &str) -> Token {
        let handed = self.lock().doors.hand_out(scope.to_owned());
        Token { access: handed.access, refresh: Some(handed.refresh), expires_at: None }
    }

    /// Adds rows to a table of the first company, as people at the screen do: columns and values.
    pub fn add(&self, table: &str, rows: impl IntoIterator<Item = Record>) {
        if let Some(company) = self.lock().companies.first_mut() {
            for row in rows {
                company.insert(table, row);
            }
        }
    }

    /// Changes columns of the row with that key, as people at the screen do.
    pub fn change_row(&self, table: &str, key: &str, changes: &Record) {
        if let Some(company) = self.lock().companies.first_mut() {
            let column = dictionary::key_of(table);
            let Some(mut row) = company.row(table, column, key).cloned() else { return };
            for (name, value) in changes.iter() {
                row.set(name.clone(), value.clone());
            }
            company.stamp(&mut row);
            if let Some(there) = company.row_mut(table, column, key) {
                *there = row;
            }
        }
    }

    /// The rows of a table of a company, by its code.
    #[must_use]
    pub fn rows(&self, company: &str, table: &str) -> Vec<Record> {
        let books = self.lock();
        let found = books.companies.iter().find(|known| known.code == company);
        found.map(|company| company.rows(table).to_vec()).unwrap_or_default()
    }

    /// The orders of the first company, each with its `lines`.
    #[must_use]
    pub fn orders(&self) -> Vec<Record> {
        self.with_details("SO_HDR", "SO_LINE")
    }

    /// The journal pages of the first company, each with its `lines`.
    #[must_use]
    pub fn journal_pages(&self) -> Vec<Record> {
        self.with_details("DJ_PAGE", "DJ_LINE")
    }

    fn with_details(&self, table: &str, detail: &str) -> Vec<Record> {
        let books = self.lock();
        let Some(company) = books.companies.first() else { return Vec::new() };
        let whole = |row: &Map| {
            let mut row = row.clone();
            let lines: Vec<Value> =
                company.details(detail, &row).into_iter().cloned().map(Value::from).collect();
            row.set("lines", lines);
            row
        };
        company.rows(table).iter().map(whole).collect()
    }
}

impl Simulator for AccountViewSimulator {
    fn router(&self) -> Router {
        Router::new().fallback(serve).with_state(self.clone())
    }

    fn answers(&self, address: &str) -> Answers {
        let redirect = self.lock().doors.redirect.clone();
        let answers = [
            ("address", address),
            ("client_id", doors::CLIENT),
            ("client_secret", doors::SECRET),
            ("redirect_address", &redirect),
            ("company", "DEMO"),
            ("article_columns", "K1_PROD, K1_COLOUR, K1_SIZE, K1_ORIGIN, K1_DAYS"),
            ("debtor_columns", "K1_LOYAL"),
        ];
        answers.into_iter().map(|(name, answer)| (name.to_owned(), answer.to_owned())).collect()
    }

    fn fill(&self) {
        let mut books = self.lock();
        for (at, company) in books.companies.iter_mut().enumerate() {
            sample::fill(company, at);
        }
    }

    fn sample(&self, resource: &str, number: usize) -> Option<Record> {
        specimens::record_of(resource, number)
    }

    fn change(&self, resource: &str, number: usize) -> Option<Record> {
        specimens::change(resource, number)
    }

    fn books(&self) -> serde_json::Value {
        let books = self.lock();
        let first = books.companies.first().map(specimens::as_json).unwrap_or_default();
        serde_json::from_slice(&Value::from(first).to_json()).unwrap_or_default()
    }

    fn known(&self, resource: &str) -> Vec<Record> {
        if resource != "companies" {
            return Vec::new();
        }
        let record = |company: &Company| {
            let fields =
                [("id", &company.id), ("code", &company.code), ("description", &company.description)];
            fields.into_iter().map(|(name, text)| (name, Value::from(text.as_str()))).collect()
        };
        self.lock().companies.iter().map(record).collect()
    }

    /// The access token has just run out, so that each session exchanges it first.
    fn token(&self) -> Option<Token> {
        let mut books = self.lock();
        let lifetime = std::mem::replace(&mut books.doors.lifetime, Duration::ZERO);
        let handed = books.doors.hand_out("readaccountviewdata updateaccountviewdata".to_owned());
        books.doors.lifetime = lifetime;
        Some(Token { access: handed.access, refresh: Some(handed.refresh), expires_at: None })
    }
}

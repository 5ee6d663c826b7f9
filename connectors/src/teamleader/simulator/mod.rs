//! A stand-in for Teamleader Focus: an account in memory that signs in, limits, refuses, ignores
//! and counts as the real one does, as far as that is known. Where it is not, [`Options`] has a
//! switch.

mod books;
mod crm;
mod fill;
mod grants;
mod hooks;
mod lists;
mod options;
mod rules;
mod sales;
mod samples;
mod server;
mod totals;

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Map, Value};

use super::wire::text as text_at;
use super::{MANIFEST, layout};
use crate::manifest::Answers;
use crate::record::{self, Record};
use crate::sign_in::Token;
use crate::simulator::{Fault, Simulator, Wording};
use books::{Books, Refusal};
use server::{Shared, open};

pub use options::Options;

/// A simulated account. Clones share their books.
#[derive(Clone)]
pub struct Office {
    books: Shared,
}

impl Default for Office {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl Office {
    /// An account with nothing but what every account has set up.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let mut books = Books::new(options);
        fill::set_up(&mut books);
        Self { books: Arc::new(Mutex::new(books)) }
    }

    fn open(&self) -> MutexGuard<'_, Books> {
        open(&self.books)
    }

    /// Turns switches, also while it runs.
    pub fn configure(&self, change: impl FnOnce(&mut Options)) {
        change(&mut self.open().options);
    }

    /// All access tokens run out at once.
    pub fn expire_tokens(&self) {
        self.open().grants.expire();
    }

    /// The integration is removed from the account: no token is worth anything.
    pub fn revoke(&self) {
        self.open().grants.revoke();
    }

    /// Codes that were handed out count as that much older.
    pub fn age_codes(&self, by: Duration) {
        self.open().grants.age_codes(by);
    }

    /// Does what a call to that action with that body would do, as a person in the account
    /// would; webhooks are told. Gives the identifier of what was made.
    pub fn act(&self, action: &str, body: &Value) -> Result<Option<String>, String> {
        let body: Map<String, Value> = body.as_object().cloned().unwrap_or_default();
        let mut books = self.open();
        let done = server::act(&mut books, action, &body).map_err(Refusal::text)?;
        hooks::deliver(&self.books, &mut books);
        Ok(done)
    }

    /// Puts a row into the books as it is, for what nobody can do over the interface: tax
    /// rates, categories, departments, custom fields.
    #[expect(clippy::must_use_candidate, reason = "it is there for what it puts in")]
    pub fn insert(&self, resource: &str, row: &Value) -> Option<String> {
        let (layout, _) = layout::known(resource).ok()?;
        Some(self.open().insert(layout.resource, row.clone()))
    }

    /// The row of a resource whose member has that value.
    #[must_use]
    pub fn row_by(&self, resource: &str, member: &str, value: &str) -> Option<Value> {
        let books = self.open();
        books.rows(resource).iter().find(|row| books::text(row, member) == Some(value)).cloned()
    }

    /// The rows of a resource, oldest first.
    #[must_use]
    pub fn rows(&self, resource: &str) -> Vec<Value> {
        self.open().rows(resource).to_vec()
    }

    /// Changes a row as nobody can over the interface.
    pub fn overwrite(&self, resource: &str, id: &str, member: &str, value: &Value) {
        if let Some(row) = self.open().row_mut(resource, id) {
            books::set(row, member, value.clone());
        }
    }

    /// Names in bodies, filters and sorts that meant nothing and were ignored, as the real
    /// service ignores them.
    #[must_use]
    pub fn ignored(&self) -> Vec<String> {
        self.open().ignored.clone()
    }

    /// What webhooks were told.
    #[must_use]
    pub fn deliveries(&self) -> Vec<Value> {
        self.open().deliveries.clone()
    }
}

impl Refusal {
    fn text(self) -> String {
        self.title
    }
}

impl Simulator for Office {
    fn router(&self) -> axum::Router {
        axum::Router::new().fallback(server::answer).with_state(Arc::clone(&self.books))
    }

    fn answers(&self, address: &str) -> Answers {
        let books = self.open();
        let options = &books.options;
        [
            ("client_id", options.client_id.clone()),
            ("client_secret", options.client_secret.clone()),
            ("redirect_address", options.redirect.clone()),
            ("department_id", fill::DEPARTMENT.to_owned()),
            ("calls_per_minute", options.limit.unwrap_or(1_000_000).to_string()),
            ("address", address.to_owned()),
            ("sign_in_address", address.to_owned()),
        ]
        .into_iter()
        .map(|(name, answer)| (name.to_owned(), answer))
        .collect()
    }

    fn fill(&self) {
        fill::fill(&mut self.open());
    }

    fn sample(&self, resource: &str, number: usize) -> Option<Record> {
        samples::new(&self.open(), resource, number)
    }

    fn change(&self, resource: &str, number: usize) -> Option<Record> {
        samples::changed(&self.open(), resource, number)
    }

    fn books(&self) -> Value {
        self.open().to_json()
    }

    fn known(&self, resource: &str) -> Vec<Record> {
        if MANIFEST.resources.get(resource).is_none_or(|known| known.create.is_some()) {
            return Vec::new();
        }
        let Ok((_, shape)) = layout::known(resource) else { return Vec::new() };
        let books = self.open();
        let read = |row: &Value| {
            let wire = record::read_json(&row.to_string().into()).ok()?;
            let wire = wire.as_map()?;
            let mut record = shape.read(wire);
            if resource == "commercial_discounts" {
                let department = text_at(wire, "department.id").unwrap_or_default();
                record.set("id", format!("{department}/{}", text_at(wire, "name").unwrap_or_default()));
            }
            Some(record)
        };
        books.rows(resource).iter().filter_map(read).collect()
    }

    fn token(&self) -> Option<Token> {
        let mut books = self.open();
        let seconds = books.options.token_seconds;
        let (access, refresh) = books.grants.issue(seconds);
        let expires_at = jiff::Timestamp::now().checked_add(Duration::from_secs(seconds)).ok();
        Some(Token { access, refresh: Some(refresh), expires_at })
    }

    fn wording(&self) -> Option<Wording> {
        Some(Arc::new(|fault, _| match fault {
            Fault::Down => Some(server::fault(503, "Service temporarily unavailable")),
            Fault::Expired => Some(server::fault(401, "The access token has expired")),
            _ => None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_account_knows_its_departments() {
        let office = Office::default();
        assert_eq!(office.rows("departments").len(), 1);
        assert!(office.act("companies.add", &json!({})).is_err());
    }
}

//! What an account lists that a question may be about: payment methods, VAT codes, ledger
//! accounts. Read live; where nothing can be read, the answer is typed.

use std::sync::Arc;

use connectors::contract::{FetchRequest, Session};
use connectors::manifest::{Manifest, Resource};
use connectors::record::{Record, Value};

use super::ask::Choice;

/// Values that are offered; beyond that people rather type.
const MOST: usize = 200;

/// Fields that say what a record is.
const ABOUT: [&str; 7] =
    ["description", "name", "label", "title", "number_of_days", "percentage", "vat_percentage"];

/// One side of a flow.
pub(super) struct Account {
    pub(super) manifest: Manifest,
    pub(super) session: Option<Arc<dyn Session>>,
}

impl Account {
    /// What can be chosen for a setting or a table of that name; nothing where the system does not
    /// list it.
    pub(super) async fn choices(&self, name: &str) -> Vec<Choice> {
        let Some(session) = &self.session else { return Vec::new() };
        let Some((resource, known)) = self.listed(name) else { return Vec::new() };
        let Some(fetch) = session.fetch(resource) else { return Vec::new() };
        let request = FetchRequest { resource: resource.to_owned(), size: 100, ..FetchRequest::default() };
        let Ok(page) = fetch.page(&request, None).await else { return Vec::new() };
        let field = value_field(name, known);
        let mut choices: Vec<Choice> = Vec::new();
        for record in &page.records {
            let Some(value) = plain(record.get(field)) else { continue };
            if choices.len() < MOST && !choices.iter().any(|choice| choice.value == value) {
                choices.push(Choice { about: about(record, name, field), value });
            }
        }
        choices
    }

    /// The resource that a name is about: `payment_method` is about `payment_methods`.
    fn listed(&self, name: &str) -> Option<(&str, &Resource)> {
        let plural = |word: &str| [format!("{word}s"), format!("{word}es"), word.to_owned()];
        let mut word = name;
        loop {
            let found = self.manifest.resources.iter().find(|(resource, known)| {
                let is_named = plural(word).iter().any(|plural| plural == resource);
                is_named && known.fetch.as_ref().is_some_and(|_| is_short(resource))
            });
            if found.is_some() {
                return found;
            }
            // `revenue_account` is an account, as long as what is left still says something.
            word = word.split_once('_')?.1;
        }
    }
}

/// Lists of things that an account sets up once, and not of what it deals in.
fn is_short(resource: &str) -> bool {
    const LONG: [&str; 12] = [
        "orders",
        "invoices",
        "products",
        "articles",
        "variants",
        "customers",
        "relations",
        "debtors",
        "contacts",
        "companies",
        "stock",
        "prices",
    ];
    !LONG.contains(&resource)
}

/// The field that flows name such a record by.
fn value_field<'r>(name: &'r str, resource: &'r Resource) -> &'r str {
    if resource.key != "id" {
        return &resource.key;
    }
    let known = resource.known_by.as_deref();
    let candidates = [Some(name), known, Some("code"), Some("number"), Some("name")];
    candidates
        .into_iter()
        .flatten()
        .find(|field| resource.fields.get(field).is_some())
        .unwrap_or(&resource.key)
}

fn about(record: &Record, name: &str, field: &str) -> String {
    let own = [format!("{name}_name"), format!("{name}_description")];
    let fields = ABOUT.iter().copied().chain(own.iter().map(String::as_str));
    fields.filter(|about| *about != field).find_map(|about| plain(record.get(about))).unwrap_or_default()
}

fn plain(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Text(text) if !text.is_empty() => Some(text.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::Decimal(number) => Some(number.to_string()),
        _ => None,
    }
}

//! What the account has set up, read when first needed and kept for a while: VAT rates, units,
//! categories, terms, custom fields. Names are turned into identifiers here, and back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rust_decimal::Decimal;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::Conversation;
use super::client::LARGEST_PAGE;
use super::layout::{List, known};
use super::wire::{map, plain, skip, text};
use crate::contract::{Advice, RemoteError};
use crate::record::{Map, Record, Value};

/// How long a list counts as read.
const KEPT: Duration = Duration::from_mins(10);

/// Most pages of a list that is kept.
const PAGES: i64 = 200;

type Shelf = HashMap<String, (Instant, Arc<Vec<Record>>)>;

/// Lists that were read.
#[derive(Default)]
pub(super) struct Shelves(Mutex<Shelf>);

impl Conversation {
    /// All records of something that the account has set up.
    pub(super) async fn all(&self, resource: &str) -> Result<Arc<Vec<Record>>, RemoteError> {
        self.shelf(resource, "", false).await
    }

    /// The legal forms of a country.
    pub(super) async fn business_types(&self, country: &str) -> Result<Arc<Vec<Record>>, RemoteError> {
        self.shelf("business_types", country, false).await
    }

    async fn shelf(
        &self,
        resource: &str,
        country: &str,
        afresh: bool,
    ) -> Result<Arc<Vec<Record>>, RemoteError> {
        let place = format!("{resource} {country}");
        // Asked before the shelf is held: it stands on the same shelf.
        let department = match resource {
            "product_categories" => Box::pin(self.department()).await.ok(),
            _ => None,
        };
        // Held while it is read, so that one call serves everybody who waits.
        let mut shelf = self.shelves.0.lock().await;
        if let Some((read_at, records)) = shelf.get(&place)
            && read_at.elapsed() < KEPT
            && !afresh
        {
            return Ok(Arc::clone(records));
        }
        let records = Arc::new(self.read_all(resource, country, department.as_deref()).await?);
        shelf.insert(place, (Instant::now(), Arc::clone(&records)));
        Ok(records)
    }

    async fn read_all(
        &self,
        resource: &str,
        country: &str,
        department: Option<&str>,
    ) -> Result<Vec<Record>, RemoteError> {
        let (layout, shape) = known(resource)?;
        let action = format!("{}.list", layout.area);
        let mut rows = Vec::new();
        let mut default = None;
        if matches!(layout.list, List::Kept) {
            for number in 1..=PAGES {
                let page = map([("page", Value::Map(page(LARGEST_PAGE, number)))]);
                let more = self.client.list(&action, &page).await?;
                let is_last = more.len() < LARGEST_PAGE;
                rows.extend(more);
                if is_last {
                    break;
                }
            }
        } else {
            let mut body = Map::new();
            if !country.is_empty() {
                body.set("country", country);
            }
            let (all, meta) = self.client.list_with_meta(&action, &body).await?;
            default = meta.and_then(|meta| text(&meta, "default").map(str::to_owned));
            rows = all;
        }
        let finish = |row: &Map| {
            let mut record = shape.read(row);
            match resource {
                "payment_terms" => drop(record.set("is_default", default.as_deref() == text(row, "id"))),
                // Fields of deals may call themselves fields of a sale.
                "custom_field_definitions" if record.text("context") == Some("sale") => {
                    record.set("context", "deal");
                }
                "departments" => super::parties::read_email(&mut record, row),
                "commercial_discounts" => {
                    let id = [record.text("department_id"), record.text("name")];
                    let id = id.map(Option::unwrap_or_default).join("/");
                    record.set("id", id);
                }
                "product_categories" => {
                    let account = department.and_then(|department| ledger(&record, department));
                    if let Some(account) = account {
                        record.set("ledger_account_number", account);
                    }
                }
                _ => {}
            }
            record
        };
        Ok(rows
            .iter()
            .filter(|row| row.get("name").is_some() || row.get("id").is_some())
            .map(finish)
            .collect())
    }

    /// The department of everything that names none.
    pub(super) async fn department(&self) -> Result<String, RemoteError> {
        if let Some(department) = &self.client.settings().department {
            return Ok(department.clone());
        }
        let all = self.all("departments").await?;
        let active: Vec<&Record> = all.iter().filter(|one| one.text("status") != Some("archived")).collect();
        match active.as_slice() {
            [only] => Ok(only.text("id").unwrap_or_default().to_owned()),
            [] => {
                Err(RemoteError::new(Advice::StopFlow, super::TITLE, "the account has no department in use"))
            }
            several => {
                let names: Vec<String> = several
                    .iter()
                    .map(|one| {
                        let part = |name| one.text(name).unwrap_or_default();
                        format!("{} ({})", part("name"), part("id"))
                    })
                    .collect();
                let reason = format!("the account has several departments: {}", names.join(", "));
                Err(RemoteError::new(Advice::StopFlow, super::TITLE, reason)
                    .with_help("put the identifier of one of them into `department_id` of the connection"))
            }
        }
    }

    /// The record of that kind with that identifier; a new one is looked for once.
    pub(super) async fn kept(&self, resource: &str, id: &str) -> Result<Option<Record>, RemoteError> {
        let pick = |all: &[Record]| all.iter().find(|one| one.text("id") == Some(id)).cloned();
        if let Some(found) = pick(&self.all(resource).await?) {
            return Ok(Some(found));
        }
        Ok(pick(&self.shelf(resource, "", true).await?))
    }

    /// The identifier of the record with that name.
    pub(super) async fn id_by_name(&self, resource: &str, name: &str) -> Result<String, RemoteError> {
        let pick = |all: &[Record]| -> Vec<String> {
            let with_name = all.iter().filter(|one| one.text("name") == Some(name));
            with_name.filter_map(|one| one.text("id").map(str::to_owned)).collect()
        };
        let mut found = pick(&self.all(resource).await?);
        if found.is_empty() {
            found = pick(&self.shelf(resource, "", true).await?);
        }
        let what = resource.replace('_', " ");
        match found.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(skip(format!("`{name}` is not among the {what} of the account"))
                .with_help("make it in Teamleader: it cannot be made from here")),
            _ => Err(skip(format!(
                "{} {what} are called `{name}`: which is meant cannot be told",
                found.len()
            ))
            .with_help("give one of them another name in Teamleader")),
        }
    }

    /// The identifier of a VAT rate: given, or told by its name or percentage in a department.
    pub(super) async fn tax_rate(
        &self,
        given: &Record,
        department: &str,
        place: &str,
    ) -> Result<Option<String>, RemoteError> {
        if let Some(id) = text(given, "tax_rate_id") {
            return Ok(Some(id.to_owned()));
        }
        let name = text(given, "tax_rate");
        let rate = given.get("vat_rate").and_then(super::wire::decimal);
        if name.is_none() && rate.is_none() {
            return Ok(None);
        }
        let fits = |one: &&Record| {
            one.text("department_id") == Some(department)
                && match name {
                    Some(name) => one.text("description") == Some(name),
                    None => one.get("vat_rate").and_then(Value::as_decimal) == rate,
                }
        };
        let all = self.all("tax_rates").await?;
        let found: Vec<&Record> = all.iter().filter(fits).collect();
        let asked = name.map_or_else(
            || format!("{} %", rate.unwrap_or_default().normalize()),
            |name| format!("called `{name}`"),
        );
        match found.as_slice() {
            [only] => Ok(only.text("id").map(str::to_owned)),
            [] => Err(skip(format!("{place}the department has no VAT rate {asked}"))
                .with_help("see the VAT rates of the department in Teamleader's settings")),
            several => {
                let names: Vec<&str> = several.iter().filter_map(|one| one.text("description")).collect();
                let reason =
                    format!("{place}the department has several VAT rates {asked}: {}", names.join(", "));
                Err(skip(reason).with_help("say which one is meant by its name, in `tax_rate`"))
            }
        }
    }

    /// What is known of a VAT rate, put into a record that refers to it.
    pub(super) async fn add_tax_rate(&self, record: &mut Record) -> Result<(), RemoteError> {
        let Some(id) = text(record, "tax_rate_id") else { return Ok(()) };
        let Some(rate) = self.kept("tax_rates", id).await? else { return Ok(()) };
        for (from, to) in [("description", "tax_rate"), ("vat_rate", "vat_rate")] {
            if let Some(value) = rate.get(from) {
                record.set(to, value.clone());
            }
        }
        Ok(())
    }

    /// The account's standard payment term, as a record of theirs.
    pub(super) async fn standard_term(&self) -> Result<Map, RemoteError> {
        let all = self.all("payment_terms").await?;
        let standard = all.iter().find(|one| one.get("is_default").and_then(Value::as_bool) == Some(true));
        let standard = standard.ok_or_else(|| {
            skip("`payment_term` is missing, and the account has no standard term")
                .with_help("choose a standard payment term in Teamleader's settings")
        })?;
        Ok(term(standard))
    }
}

/// A payment term as it is written: a term of cash has no days.
pub(super) fn term(term: &Record) -> Map {
    let kind = term.text("type").unwrap_or_default();
    let mut wire = map([("type", Value::from(kind))]);
    if let Some(days) = term.get("days").and_then(Value::as_decimal)
        && kind != "cash"
    {
        wire.set("days", plain(days));
    }
    wire
}

/// A page of a list.
pub(super) fn page(size: usize, number: i64) -> Map {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    map([("size", Value::Int(size)), ("number", Value::Int(number))])
}

fn ledger(category: &Record, department: &str) -> Option<String> {
    let ledgers = category.get("ledgers")?.as_list()?.iter().filter_map(Value::as_map);
    let mut own = ledgers.filter(|ledger| ledger.text("department_id") == Some(department));
    own.find_map(|ledger| ledger.text("ledger_account_number").map(str::to_owned))
}

/// A price with VAT, rounded to cents as people do.
pub(super) fn with_vat(price: Decimal, rate: Decimal) -> Option<Decimal> {
    let factor = Decimal::ONE_HUNDRED.checked_add(rate)?;
    let price = price.checked_mul(factor)?.checked_div(Decimal::ONE_HUNDRED)?;
    Some(price.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero).normalize())
}

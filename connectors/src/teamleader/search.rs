//! Finding single records. No filter of Teamleader's is relied upon to be exact: terms find
//! parts, and what is not understood finds everything. So every hit is compared again.

use async_trait::async_trait;

use super::Conversation;
use super::client::LARGEST_PAGE;
use super::kept::page;
use super::layout::{Layout, List, known};
use super::links;
use super::settings::is_uuid;
use super::wire::{Shape, map, put, text};
use crate::contract::{Find, Key, RemoteError};
use crate::record::{Map, Record, Value};

/// Most pages of hits that are looked through.
const PAGES: i64 = 50;

#[async_trait]
impl Find for Conversation {
    async fn find(
        &self,
        resource: &str,
        by: &[String],
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError> {
        let (layout, shape) = known(resource)?;
        let by: Vec<&str> = by.iter().map(String::as_str).collect();
        if resource != "business_types" && matches!(layout.list, List::Kept | List::Whole) {
            return Ok(pick(&self.all(resource).await?, &by, keys));
        }
        if by.as_slice() == ["id"] && matches!(resource, "companies" | "contacts") {
            return self.by_ids(layout, shape, keys).await;
        }
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            let hits = self.hits(layout, shape, &by, key).await?;
            found.push(hits.into_iter().filter(|record| matches(record, &by, key)).collect());
        }
        Ok(found)
    }
}

impl Conversation {
    /// Records among which those with that key are, whole.
    async fn hits(
        &self,
        layout: &Layout,
        shape: &Shape,
        by: &[&str],
        key: &Key,
    ) -> Result<Vec<Record>, RemoteError> {
        let words: Option<Vec<&str>> =
            key.iter().map(|value| value.as_str().filter(|text| !text.trim().is_empty())).collect();
        match (layout.resource, by, words.as_deref()) {
            ("company_contacts", ..) => self.links(by, key).await,
            ("invoice_payments", ..) => self.payments(key).await,
            ("business_types", ["country", _], Some([country, _])) => {
                Ok(self.business_types(country).await?.to_vec())
            }
            (_, ["id"], Some([id])) => {
                Ok(if is_uuid(id) { self.one(layout.resource, id).await?.into_iter().collect() } else { Vec::new() })
            }
            ("quotations", ["deal_id"], Some([deal])) => self.quotations_of(deal).await,
            ("credit_notes", ["invoice_id"], Some([invoice])) if !is_uuid(invoice) => Ok(Vec::new()),
            (_, _, Some(words)) => {
                let mut body = Map::new();
                match (layout.resource, by) {
                    ("companies" | "contacts", ["email"]) => {
                        put(&mut body, "filter.email.type", "primary");
                        put(&mut body, "filter.email.email", words.first().copied().map(str::trim));
                    }
                    ("contacts", ["full_name"]) => {
                        // The term knows one name at a time; the longest word leaves the fewest hits.
                        let longest = words.first().and_then(|name| name.split_whitespace().max_by_key(|w| w.len()));
                        put(&mut body, "filter.term", longest.map(Value::from));
                    }
                    ("companies", ["vat_number" | "national_identification_number"])
                    | ("credit_notes", ["invoice_id"])
                    | ("invoices", _) => {
                        for (field, word) in by.iter().zip(words) {
                            put(&mut body, &format!("filter.{field}"), *word);
                        }
                    }
                    _ => put(&mut body, "filter.term", words.first().copied()),
                }
                self.sifted(layout, shape, body, by, key).await
            }
            _ => Ok(Vec::new()),
        }
    }

    /// What a filtered list holds of that key, whole.
    async fn sifted(
        &self,
        layout: &Layout,
        shape: &Shape,
        body: Map,
        by: &[&str],
        key: &Key,
    ) -> Result<Vec<Record>, RemoteError> {
        let mut found = Vec::new();
        for row in self.rows(layout, body).await? {
            let record = self.record(layout, shape, &row).await?;
            if matches(&record, by, key)
                && let Some(whole) = self.whole(layout, shape, record).await?
            {
                found.push(whole);
            }
        }
        Ok(found)
    }

    /// Companies or contacts by their identifiers: one list for many, then each by itself for
    /// what lists leave out.
    async fn by_ids(
        &self,
        layout: &Layout,
        shape: &Shape,
        keys: &[Key],
    ) -> Result<Vec<Vec<Record>>, RemoteError> {
        let ids: Vec<Value> = keys
            .iter()
            .filter_map(|key| key.first().filter(|id| id.as_str().is_some_and(is_uuid)).cloned())
            .collect();
        let rows = if ids.is_empty() {
            Vec::new()
        } else {
            let mut body = Map::new();
            put(&mut body, "filter.ids", ids);
            self.rows(layout, body).await?
        };
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            let wanted = key.first().and_then(Value::as_str);
            let row = rows.iter().find(|row| wanted.is_some() && text(row, "id") == wanted);
            let record = match row {
                Some(row) => {
                    let record = self.record(layout, shape, row).await?;
                    self.whole(layout, shape, record).await?
                }
                None => None,
            };
            found.push(record.into_iter().collect());
        }
        Ok(found)
    }

    /// All rows that a filter leaves.
    async fn rows(&self, layout: &Layout, mut body: Map) -> Result<Vec<Map>, RemoteError> {
        if !layout.includes.is_empty() {
            body.set("includes", layout.includes);
        }
        let mut rows: Vec<Map> = Vec::new();
        for number in 1..=PAGES {
            body.set("page", page(LARGEST_PAGE, number));
            let more = self.client.list(&format!("{}.list", layout.area), &body).await?;
            let is_last = more.len() < LARGEST_PAGE;
            rows.extend(more);
            if is_last {
                break;
            }
        }
        Ok(rows)
    }

    /// Rows that hold a term.
    pub(super) async fn rows_by_term(&self, resource: &str, term: &str) -> Result<Vec<Map>, RemoteError> {
        let (layout, _) = known(resource)?;
        let mut body = Map::new();
        put(&mut body, "filter.term", term);
        self.rows(layout, body).await
    }

    /// The quotations of a deal: only the deal knows them.
    async fn quotations_of(&self, deal: &str) -> Result<Vec<Record>, RemoteError> {
        if !is_uuid(deal) {
            return Ok(Vec::new());
        }
        let (layout, _) = known("deals")?;
        let Some(row) = self.info(layout, deal).await? else { return Ok(Vec::new()) };
        let quotations = row.get("quotations").and_then(Value::as_list).unwrap_or_default();
        let mut found = Vec::new();
        for id in quotations.iter().filter_map(|one| text(one.as_map()?, "id")) {
            found.extend(self.one("quotations", id).await?);
        }
        Ok(found)
    }

    /// Who works for which company.
    async fn links(&self, by: &[&str], key: &Key) -> Result<Vec<Record>, RemoteError> {
        let value = |name: &str| {
            let at = by.iter().position(|field| *field == name)?;
            key.get(at)?.as_str().filter(|id| is_uuid(id))
        };
        if let Some(contact) = value("contact_id") {
            let (layout, _) = known("contacts")?;
            let Some(row) = self.info(layout, contact).await? else { return Ok(Vec::new()) };
            return Ok(links::of_contact(contact, &row));
        }
        let Some(company) = value("company_id") else { return Ok(Vec::new()) };
        let body = map([("id", Value::from(company)), ("includes", Value::from("related_contacts"))]);
        let row = self.client.info("companies.info", &body).await?;
        Ok(row.map(|row| links::of_company(company, &row)).unwrap_or_default())
    }

    /// Payments of an invoice.
    async fn payments(&self, key: &Key) -> Result<Vec<Record>, RemoteError> {
        let Some(invoice) = key.first().and_then(Value::as_str).filter(|id| is_uuid(id)) else {
            return Ok(Vec::new());
        };
        let (layout, _) = known("invoices")?;
        let row = self.info(layout, invoice).await?;
        Ok(row.map(|row| links::payments(invoice, &row)).unwrap_or_default())
    }
}

/// The records of a list that have the values of each key.
fn pick(records: &[Record], by: &[&str], keys: &[Key]) -> Vec<Vec<Record>> {
    keys.iter()
        .map(|key| records.iter().filter(|record| matches(record, by, key)).cloned().collect())
        .collect()
}

/// True when the record has every value of the key.
fn matches(record: &Record, by: &[&str], key: &Key) -> bool {
    by.len() == key.len()
        && by.iter().zip(key).all(|(field, value)| {
            !value.says_nothing() && same(field, record.get(field).unwrap_or(&Value::Null), value)
        })
}

/// True when two values of a field name the same thing. People type addresses in any case and
/// VAT numbers with any dots.
pub(super) fn same(field: &str, left: &Value, right: &Value) -> bool {
    if left.says_the_same_as(right) {
        return true;
    }
    let (Some(left), Some(right)) = (left.as_str(), right.as_str()) else { return false };
    let bare = |text: &str| text.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>().to_uppercase();
    match field {
        "email" => left.trim().to_lowercase() == right.trim().to_lowercase(),
        "vat_number" => !bare(left).is_empty() && bare(left) == bare(right),
        "paid_at" => match (left.parse::<jiff::Timestamp>(), right.parse::<jiff::Timestamp>()) {
            (Ok(left), Ok(right)) => left.as_second() == right.as_second(),
            _ => false,
        },
        _ => false,
    }
}

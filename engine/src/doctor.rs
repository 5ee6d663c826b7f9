//! Trying a system item by item: does it do what its manifest promises, with this account?
//!
//! Reads only, unless somebody hands over a record to create.

use connectors::check::{check_read, check_write};
use connectors::contract::{FetchRequest, RemoteError, Session};
use connectors::http::{Exchange, recorded};
use connectors::manifest::{Kind, Manifest, Resource};
use connectors::record::{Map, Record, Value};

/// Records a page while trying.
const PAGE: usize = 10;

/// One thing that was tried.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Item {
    /// Resource; empty for the connection itself.
    pub resource: String,
    /// What was tried.
    pub item: String,
    /// How it ended.
    pub result: Verdict,
    /// In words.
    pub note: String,
    /// What was said, when it did not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<Exchange>,
}

/// How an item ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is as promised.
    Pass,
    /// It is not.
    Fail,
    /// This account does not show it: no records, one page only.
    Unknown,
}

/// What was found: how it ended and a note, or why the system refused.
type Found = Result<(Verdict, String), RemoteError>;

/// Tries one account.
pub struct Doctor<'a> {
    session: &'a dyn Session,
    manifest: &'a Manifest,
    items: Vec<Item>,
}

impl<'a> Doctor<'a> {
    /// Has tried nothing yet.
    #[must_use]
    pub const fn new(session: &'a dyn Session, manifest: &'a Manifest) -> Self {
        Self { session, manifest, items: Vec::new() }
    }

    /// What was tried, in order.
    #[must_use]
    pub fn items(self) -> Vec<Item> {
        self.items
    }

    /// Address and credentials. False: nothing else makes sense.
    pub async fn connection(&mut self) -> bool {
        let probe = async { Ok((Verdict::Pass, self.session.probe().await?)) };
        let tried = recorded(probe).await;
        self.keep("", "sign in", tried);
        self.items.last().is_some_and(|item| item.result == Verdict::Pass)
    }

    /// Everything of one resource that only reads.
    pub async fn resource(&mut self, name: &str) {
        let Some(resource) = self.manifest.resources.get(name) else { return };
        let mut first = None;
        if self.session.fetch(name).is_some() {
            let (tried, trace) = recorded(self.read(name, resource)).await;
            let outcome = tried.map(|(verdict, note, record)| {
                first = record;
                (verdict, note)
            });
            self.keep(name, "read", (outcome, trace));
            let tried = recorded(self.pages(name, resource)).await;
            self.keep(name, "next page", tried);
            for field in resource.fetch.iter().flat_map(|fetch| &fetch.since) {
                let tried = recorded(self.since(name, field, first.as_ref())).await;
                self.keep(name, &format!("since {field}"), tried);
            }
        }
        for find in &resource.find {
            let tried = recorded(self.find(name, resource, &find.by, first.as_ref())).await;
            self.keep(name, &format!("find by {}", find.by.join(", ")), tried);
        }
    }

    /// Creates that record, reads it back and compares, then writes it once more.
    pub async fn create(&mut self, name: &str, record: &Record) {
        let Some(resource) = self.manifest.resources.get(name) else { return };
        let wrong = check_write(&resource.fields, record, true);
        if !wrong.is_empty() {
            self.keep(name, "create", (Ok((Verdict::Fail, told(&wrong))), Vec::new()));
            return;
        }
        let mut key = None;
        let (tried, trace) = recorded(self.round_trip(name, resource, record)).await;
        let outcome = tried.map(|(verdict, note, written)| {
            key = written;
            (verdict, note)
        });
        self.keep(name, "create and read back", (outcome, trace));
        if let (Some(key), Some(update)) = (key, self.session.update(name)) {
            let again = async {
                let changes = writable(resource, record);
                update.update(name, &key, &changes, None).await?;
                Ok((Verdict::Pass, "the same values were taken once more".to_owned()))
            };
            let tried = recorded(again).await;
            self.keep(name, "update", tried);
        }
    }

    fn keep(&mut self, resource: &str, item: &str, (found, trace): (Found, Vec<Exchange>)) {
        let (result, note) = match found {
            Ok(found) => found,
            Err(error) => {
                let help = error.help.map(|help| format!(" ({help})")).unwrap_or_default();
                (Verdict::Fail, format!("{}{help}", error.reason))
            }
        };
        let trace = if result == Verdict::Fail { trace } else { Vec::new() };
        let (resource, item) = (resource.to_owned(), item.to_owned());
        self.items.push(Item { resource, item, result, note, trace });
    }

    async fn page(
        &self,
        name: &str,
        since: Option<(String, Value)>,
        at: Option<&str>,
    ) -> Result<connectors::contract::Page, RemoteError> {
        let request =
            FetchRequest { resource: name.to_owned(), since, size: PAGE, ..FetchRequest::default() };
        match self.session.fetch(name) {
            Some(fetch) => fetch.page(&request, at).await,
            None => Ok(connectors::contract::Page::default()),
        }
    }

    async fn read(
        &self,
        name: &str,
        resource: &Resource,
    ) -> Result<(Verdict, String, Option<Record>), RemoteError> {
        let page = self.page(name, None, None).await?;
        let Some(first) = page.records.first().cloned() else {
            return Ok((Verdict::Unknown, "the account has none".to_owned(), None));
        };
        let needs_detail = resource.fetch.as_ref().is_some_and(|fetch| !fetch.detail.is_empty());
        let whole = match self.session.detail(name).filter(|_| needs_detail) {
            Some(detail) => detail.complete(name, first).await?,
            None => first,
        };
        let mut wrong = check_read(&resource.fields, &whole);
        wrong.extend(page.records.iter().flat_map(|record| check_read(&resource.fields, record)));
        if whole.text(&resource.key).is_none() {
            wrong.push(format!("{}: the key is missing", resource.key));
        }
        wrong.sort();
        wrong.dedup();
        if !wrong.is_empty() {
            return Ok((Verdict::Fail, told(&wrong), Some(whole)));
        }
        let note = format!(
            "{} as described",
            crate::cli::count(signed(page.records.len()), "record is", "records are")
        );
        Ok((Verdict::Pass, note, Some(whole)))
    }

    async fn pages(&self, name: &str, resource: &Resource) -> Found {
        let page = self.page(name, None, None).await?;
        let Some(next) = page.next else {
            return Ok((Verdict::Unknown, "there is one page only".to_owned()));
        };
        let second = self.page(name, None, Some(&next)).await?;
        let key = |record: &Record| record.text(&resource.key).map(str::to_owned);
        let first: Vec<_> = page.records.iter().filter_map(key).collect();
        let repeated = second.records.iter().filter_map(key).filter(|key| first.contains(key)).count();
        if !first.is_empty() && repeated == first.len() {
            return Ok((Verdict::Fail, "the second page is the first one again".to_owned()));
        }
        Ok((Verdict::Pass, format!("{} more", second.records.len())))
    }

    async fn since(&self, name: &str, field: &str, sample: Option<&Record>) -> Found {
        let Some(from) = sample.and_then(|record| record.get(field)).cloned() else {
            return Ok((Verdict::Unknown, format!("no record with `{field}` at hand")));
        };
        let page = self.page(name, Some((field.to_owned(), from.clone())), None).await?;
        let older = page.records.iter().filter(|record| before(record.get(field), &from)).count();
        if page.records.is_empty() {
            return Ok((Verdict::Fail, format!("a record of {} is left out", plain(&from))));
        }
        if older > 0 {
            let note = format!("{older} records are older than {}: the filter is ignored", plain(&from));
            return Ok((Verdict::Fail, note));
        }
        Ok((Verdict::Pass, format!("from {} on", plain(&from))))
    }

    async fn find(&self, name: &str, resource: &Resource, by: &[String], sample: Option<&Record>) -> Found {
        let Some(find) = self.session.find(name) else {
            return Ok((Verdict::Fail, "it cannot be searched".to_owned()));
        };
        let values =
            |record: &Record| by.iter().map(|field| record.get(field).cloned()).collect::<Option<Vec<_>>>();
        let Some(key) = sample.and_then(values) else {
            return Ok((Verdict::Unknown, "no record to look for at hand".to_owned()));
        };
        let wanted = sample.and_then(|record| record.text(&resource.key));
        let found = find.find(name, by, std::slice::from_ref(&key)).await?;
        let records = found.into_iter().next().unwrap_or_default();
        let hits = records.iter().filter(|record| record.text(&resource.key) == wanted).count();
        if hits == 0 {
            let shown: Vec<String> = key.iter().map(plain).collect();
            return Ok((Verdict::Fail, format!("{} is there and was not found", shown.join(", "))));
        }
        // One that cannot be there; not of digits, where only digits are taken.
        let free = |field: &String| {
            resource.fields.get(field).is_some_and(|field| {
                field.kind == Kind::Text
                    && !field.digits_only
                    && field.values.is_empty()
                    && field.max_length.is_none_or(|most| most >= 20)
            })
        };
        if by.iter().all(free) {
            let none: Vec<Value> = by.iter().map(|_| Value::from("weft-no-such-thing")).collect();
            let found = find.find(name, by, &[none]).await?;
            if found.into_iter().next().is_some_and(|records| !records.is_empty()) {
                return Ok((Verdict::Fail, "finds something for a key that nobody has".to_owned()));
            }
        }
        Ok((
            Verdict::Pass,
            format!("{} found", crate::cli::count(signed(records.len()), "record", "records")),
        ))
    }

    async fn round_trip(
        &self,
        name: &str,
        resource: &Resource,
        record: &Record,
    ) -> Result<(Verdict, String, Option<String>), RemoteError> {
        let Some(create) = self.session.create(name) else {
            return Ok((Verdict::Fail, "it cannot be created".to_owned(), None));
        };
        let written = create.create(name, record, &uuid::Uuid::new_v4().to_string()).await?;
        let mut whole = record.clone();
        whole.set(resource.key.as_str(), written.key.as_str());
        let sets = resource.find.iter().filter(|set| set.unique);
        let set = sets.map(|set| &set.by).find(|by| by.iter().all(|field| whole.get(field).is_some()));
        let (Some(by), Some(find)) = (set, self.session.find(name)) else {
            let note = format!("created as {}; it cannot be read back", written.key);
            return Ok((Verdict::Unknown, note, Some(written.key)));
        };
        let key: Vec<Value> = by.iter().filter_map(|field| whole.get(field).cloned()).collect();
        let found = find.find(name, by, &[key]).await?.into_iter().next().unwrap_or_default();
        let Some(read) = found.first() else {
            return Ok((
                Verdict::Fail,
                format!("created as {} and not found", written.key),
                Some(written.key),
            ));
        };
        let other: Vec<String> = differences(&writable(resource, record), read);
        if other.is_empty() {
            return Ok((Verdict::Pass, format!("created as {}", written.key), Some(written.key)));
        }
        Ok((Verdict::Fail, format!("created as {}; {}", written.key, told(&other)), Some(written.key)))
    }
}

/// The fields of a record that can be read back.
fn writable(resource: &Resource, record: &Record) -> Map {
    let fields = record.iter().filter(|(name, _)| {
        resource.fields.get(name).is_some_and(|field| !field.read_only && !field.write_only)
    });
    fields.map(|(name, value)| (name, value.clone())).collect()
}

fn differences(sent: &Map, read: &Map) -> Vec<String> {
    let other =
        sent.iter().filter(|(name, value)| read.get(name).is_some_and(|read| !read.says_the_same_as(value)));
    other
        .map(|(name, value)| {
            format!("{name}: sent {}, read {}", plain(value), read.get(name).map(plain).unwrap_or_default())
        })
        .collect()
}

/// A value as people write it; numbers without zeros that say nothing.
fn plain(value: &Value) -> String {
    match value {
        Value::Decimal(number) => number.normalize().to_string(),
        Value::Text(text) => text.as_str().to_owned(),
        other => {
            let mut json = Vec::new();
            other.write_json(&mut json);
            String::from_utf8_lossy(&json).into_owned()
        }
    }
}

fn before(value: Option<&Value>, from: &Value) -> bool {
    let (Some(value), moment) = (value, |value: &Value| value.as_str()?.parse::<jiff::Timestamp>().ok())
    else {
        return false;
    };
    match (value, from) {
        (Value::Int(one), Value::Int(other)) => one < other,
        _ => moment(value).zip(moment(from)).is_some_and(|(one, other)| one < other),
    }
}

fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The first few of some problems.
fn told(problems: &[String]) -> String {
    const SHOWN: usize = 3;
    let shown: Vec<&str> = problems.iter().take(SHOWN).map(String::as_str).collect();
    let rest = problems.len().saturating_sub(SHOWN);
    let more = if rest > 0 { format!("; and {rest} more") } else { String::new() };
    format!("{}{more}", shown.join("; "))
}

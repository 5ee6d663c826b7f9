//! The books of a company: tables, keys, moments, and what a refusal looks like.

use std::collections::{BTreeMap, HashMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::identity::Identity;
use super::options::Options;
use crate::record::{Map, Value};

/// A kind of record and how it is reached.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) path: &'static str,
    pub(super) entity: &'static str,
    /// Moments that each write sets.
    pub(super) stamps: &'static [&'static str],
    /// L list, G get, C create, U replace, D delete.
    pub(super) verbs: &'static str,
    /// Rights, one of which reads and writes.
    pub(super) area: Area,
}

/// Which rights a kind of record wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Area {
    Sales,
    Accounting,
    Purchase,
    /// Readable with any of them.
    Shared,
}

const CHANGED: &[&str] = &["ChangedUtc"];
const MODIFIED: &[&str] = &["ModifiedUtc"];

pub(super) static KINDS: &[Kind] = &[
    kind("articles", "ArticleApi", CHANGED, "LGCU", Area::Sales),
    kind("articlelabels", "ArticleLabelApi", &[], "LGCUD", Area::Sales),
    kind("articleaccountcodings", "ArticleAccountCodingApi", CHANGED, "LG", Area::Sales),
    kind("units", "UnitApi", &[], "LG", Area::Sales),
    kind("customers", "CustomerApi", CHANGED, "LGCUD", Area::Sales),
    kind("customerlabels", "CustomerLabelApi", &[], "LGCUD", Area::Sales),
    kind("orders", "OrderApi", MODIFIED, "LGCUD", Area::Sales),
    kind("quotes", "QuoteApi", MODIFIED, "LGCUD", Area::Sales),
    kind("customerinvoicedrafts", "CustomerInvoiceDraftApi", &[], "LGCUD", Area::Sales),
    kind("customerinvoices", "CustomerInvoiceApi", MODIFIED, "LGC", Area::Sales),
    kind("salespricelists", "SalesPriceListApi", CHANGED, "LGCUD", Area::Sales),
    kind("prices", "SalesPriceListRowApi", CHANGED, "LG", Area::Sales),
    kind("discountagreements", "DiscountAgreementApi", CHANGED, "LG", Area::Sales),
    kind("termsofpayments", "TermsOfPaymentApi", &[], "LG", Area::Shared),
    kind("deliverymethods", "DeliveryMethodApi", &[], "LGC", Area::Sales),
    kind("deliveryterms", "DeliveryTermApi", &[], "LGC", Area::Sales),
    kind("vatcodes", "VatCodeApi", &[], "LG", Area::Accounting),
    kind("accounts", "AccountApi", MODIFIED, "LG", Area::Accounting),
    kind("fiscalyears", "FiscalYearApi", &[], "LG", Area::Shared),
    kind("bankaccounts", "BankAccountApi", MODIFIED, "LG", Area::Purchase),
    kind("currencies", "CurrencyApi", &[], "L", Area::Shared),
    kind("countries", "CountryApi", &[], "L", Area::Sales),
    kind("partnerresourcelinks", "PartnerResourceLinkApi", &[], "LGCUD", Area::Sales),
];

const fn kind(
    path: &'static str,
    entity: &'static str,
    stamps: &'static [&'static str],
    verbs: &'static str,
    area: Area,
) -> Kind {
    Kind { path, entity, stamps, verbs, area }
}

/// The kind of record at a path.
pub(super) fn known(path: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.path == path)
}

/// Why the service says no.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: i64,
    pub(super) message: String,
    /// Member, code, message.
    pub(super) errors: Vec<(String, String, String)>,
    pub(super) seconds: Option<u64>,
}

pub(super) fn refuse(status: u16, code: i64, message: &str) -> Refusal {
    Refusal { status, code, message: message.to_owned(), errors: Vec::new(), seconds: None }
}

/// One wrong member.
pub(super) fn wrong(member: &str, code: &str, message: &str) -> Refusal {
    invalid(vec![(member.to_owned(), code.to_owned(), message.to_owned())])
}

/// Wrong members.
pub(super) fn invalid(errors: Vec<(String, String, String)>) -> Refusal {
    let message = errors.first().map_or("", |(_, _, message)| message.as_str());
    let message = format!("DataModelValidationError - {message}");
    Refusal { errors, ..refuse(400, 2000, &message) }
}

/// A request and its reply, as they went over the wire.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Verb.
    pub method: String,
    /// Path below `/v2`, with the query.
    pub path: String,
    /// Body that came.
    pub request: String,
    /// Status that went.
    pub status: u16,
    /// Body that went.
    pub reply: String,
}

/// All that the company keeps.
pub(super) struct Books {
    pub(super) options: Options,
    pub(super) identity: Identity,
    pub(super) settings: Map,
    pub(super) tables: BTreeMap<&'static str, Vec<Map>>,
    pub(super) payments: Vec<Map>,
    pub(super) recorded: Option<Vec<Recorded>>,
    /// Calls of the last minute by kind of record.
    pub(super) calls: HashMap<String, VecDeque<Instant>>,
    /// The next calls are refused so.
    pub(super) refusals: VecDeque<(u16, i64)>,
    /// The moment that writes happen at, while the books are being filled.
    pub(super) clock: Option<Timestamp>,
    last: Timestamp,
    keys: u64,
    pub(super) lists: u64,
}

impl Books {
    pub(super) fn new(options: Options) -> Self {
        let identity = Identity::default();
        let mut books = Self {
            options,
            identity,
            settings: Map::new(),
            tables: BTreeMap::new(),
            payments: Vec::new(),
            recorded: None,
            calls: HashMap::new(),
            refusals: VecDeque::new(),
            clock: None,
            last: Timestamp::UNIX_EPOCH,
            keys: 0,
            lists: 0,
        };
        super::company::found(&mut books);
        books
    }

    /// The records of a kind.
    pub(super) fn rows(&self, path: &str) -> &[Map] {
        self.tables.get(path).map_or(&[], Vec::as_slice)
    }

    /// The record with that key.
    pub(super) fn row(&self, path: &str, id: &str) -> Option<&Map> {
        self.rows(path).iter().find(|row| row.text("Id").is_some_and(|known| known.eq_ignore_ascii_case(id)))
    }

    pub(super) fn row_mut(&mut self, path: &str, id: &str) -> Option<&mut Map> {
        let rows = self.tables.get_mut(path)?;
        rows.iter_mut().find(|row| row.text("Id").is_some_and(|known| known.eq_ignore_ascii_case(id)))
    }

    /// The record whose member has that value.
    pub(super) fn by(&self, path: &str, member: &str, value: &str) -> Option<&Map> {
        self.rows(path).iter().find(|row| row.text(member) == Some(value))
    }

    /// Adds a record, which gets a key and its moments.
    pub(super) fn insert(&mut self, kind: &Kind, mut row: Map) -> Map {
        if crate::eaccounting::members::entity(kind.entity).is_some_and(|known| known.member("Id").is_some())
        {
            row.set("Id", self.guid());
        }
        let now = self.now();
        for stamp in kind.stamps.iter().chain(&["CreatedUtc"]).filter(|stamp| has(kind, stamp)) {
            row.set(*stamp, now.to_string());
        }
        self.tables.entry(kind.path).or_default().push(row.clone());
        row
    }

    /// Puts a record in the place of the one with its key.
    pub(super) fn replace(&mut self, kind: &Kind, mut row: Map) -> Map {
        let now = self.now();
        for stamp in kind.stamps {
            row.set(*stamp, now.to_string());
        }
        let id = row.text("Id").unwrap_or_default().to_owned();
        if let Some(old) = self.row_mut(kind.path, &id) {
            *old = row.clone();
        }
        row
    }

    pub(super) fn remove(&mut self, path: &str, id: &str) {
        if let Some(rows) = self.tables.get_mut(path) {
            rows.retain(|row| row.text("Id") != Some(id));
        }
    }

    /// Keys without a pattern that could be guessed at, and the same ones each time.
    pub(super) fn guid(&mut self) -> String {
        self.keys += 1;
        let high = xxhash_rust::xxh3::xxh3_64_with_seed(b"key", self.keys);
        let low = xxhash_rust::xxh3::xxh3_64_with_seed(b"low", self.keys);
        uuid::Builder::from_random_bytes(((u128::from(high) << 64) | u128::from(low)).to_be_bytes())
            .into_uuid()
            .to_string()
    }

    /// Now, later than any moment before it.
    pub(super) fn now(&mut self) -> Timestamp {
        let now = self.clock.unwrap_or_else(Timestamp::now);
        let after = self.last.saturating_add(SignedDuration::from_millis(1)).unwrap_or(now);
        self.last = now.max(after);
        self.last
    }

    /// Takes the next number of a sequence in the company's settings.
    pub(super) fn number(&mut self, setting: &str) -> i64 {
        let number = self.settings.get(setting).and_then(Value::as_int).unwrap_or(1);
        self.settings.set(setting, number + 1);
        number
    }

    /// The company has switched that module on.
    pub(super) fn has_module(&self, name: &str) -> bool {
        let modules = self.settings.get("ActivatedModules").and_then(Value::as_list).unwrap_or_default();
        modules.iter().any(|module| module.as_str() == Some(name))
    }

    pub(super) fn absence(&self) -> Refusal {
        refuse(if self.options.absences_are_400 { 400 } else { 404 }, 3000, "ResourceNotFound")
    }

    pub(super) fn conflict(&self, message: &str) -> Refusal {
        refuse(if self.options.conflicts_are_409 { 409 } else { 400 }, 4000, message)
    }
}

fn has(kind: &Kind, member: &str) -> bool {
    crate::eaccounting::members::entity(kind.entity).is_some_and(|entity| entity.member(member).is_some())
}

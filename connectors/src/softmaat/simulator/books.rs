//! What the account holds, and how it is searched.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::{Asked, Refusal, rules};
use axum::http::{Method, StatusCode};

/// A list of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Products,
    Stock,
    Customers,
    Orders,
    Categories,
    TaxCodes,
}

impl List {
    const ALL: [(&'static str, &'static str, Self); 6] = [
        ("products", "products", Self::Products),
        ("stock", "stock", Self::Stock),
        ("customers", "customers", Self::Customers),
        ("orders", "orders", Self::Orders),
        ("categories", "categories", Self::Categories),
        ("tax_codes", "tax-codes", Self::TaxCodes),
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, ..)| *known == name).map(|(.., list)| *list)
    }

    pub(super) fn at(address: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == address).map(|(.., list)| *list)
    }

    pub(super) const fn can_be_created(self) -> bool {
        matches!(self, Self::Products | Self::Customers | Self::Orders | Self::Categories)
    }

    /// Single records have an address that can be read.
    pub(super) const fn has_addresses(self) -> bool {
        matches!(self, Self::Products | Self::Customers | Self::Orders)
    }

    pub(super) fn update_method(self) -> Method {
        match self {
            Self::Stock => Method::PUT,
            Self::Products | Self::Customers | Self::Categories => Method::PATCH,
            // None that is ever asked with.
            Self::Orders | Self::TaxCodes => Method::TRACE,
        }
    }

    const fn letter(self) -> &'static str {
        match self {
            Self::Products => "p",
            Self::Customers => "c",
            Self::Orders => "o",
            _ => "k",
        }
    }

    /// What a list can be narrowed by.
    const fn filters(self) -> &'static [&'static str] {
        match self {
            Self::Products | Self::Stock => &["sku"],
            Self::Customers => &["email"],
            Self::Orders => &["reference", "status"],
            Self::Categories | Self::TaxCodes => &[],
        }
    }

    /// What no two records may share.
    const fn unique(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Products => Some(("sku", "duplicate_sku")),
            Self::Orders => Some(("reference", "duplicate_reference")),
            Self::Categories => Some(("code", "duplicate_code")),
            _ => None,
        }
    }
}

/// The books.
pub(super) struct Books {
    pub(super) products: Vec<Value>,
    pub(super) stock: Vec<Value>,
    pub(super) customers: Vec<Value>,
    pub(super) orders: Vec<Value>,
    pub(super) categories: Vec<Value>,
    pub(super) tax_codes: Vec<Value>,
    /// Each write is a minute later than the one before.
    writes: i64,
    given: u64,
}

impl Default for Books {
    fn default() -> Self {
        let code = |code: &str, percentage: &str, country: &str| json!({"code": code, "percentage": percentage, "country": country});
        let tax_codes = vec![
            code("NL21", "21", "NL"),
            code("NL9", "9", "NL"),
            code("NL0", "0", "NL"),
            code("BE21", "21", "BE"),
            code("BE6", "6", "BE"),
            code("DE19", "19", "DE"),
            code("DE7", "7", "DE"),
            code("ICL", "0", ""),
        ];
        Self {
            products: Vec::new(),
            stock: Vec::new(),
            customers: Vec::new(),
            orders: Vec::new(),
            categories: Vec::new(),
            tax_codes,
            writes: 0,
            given: 0,
        }
    }
}

/// The text of a member.
pub(super) fn text<'v>(record: &'v Value, name: &str) -> &'v str {
    record.get(name).and_then(Value::as_str).unwrap_or_default()
}

impl Books {
    pub(super) const fn of(&self, list: List) -> &Vec<Value> {
        match list {
            List::Products => &self.products,
            List::Stock => &self.stock,
            List::Customers => &self.customers,
            List::Orders => &self.orders,
            List::Categories => &self.categories,
            List::TaxCodes => &self.tax_codes,
        }
    }

    const fn of_mut(&mut self, list: List) -> &mut Vec<Value> {
        match list {
            List::Products => &mut self.products,
            List::Stock => &mut self.stock,
            List::Customers => &mut self.customers,
            List::Orders => &mut self.orders,
            List::Categories => &mut self.categories,
            List::TaxCodes => &mut self.tax_codes,
        }
    }

    pub(super) fn get(&self, list: List, id: &str) -> Option<&Value> {
        let key = if list == List::Stock { "sku" } else { "id" };
        self.of(list).iter().find(|record| text(record, key) == id)
    }

    /// Records in the order of their last change.
    pub(super) fn search(&self, list: List, asked: &Asked) -> Result<Vec<Value>, Refusal> {
        let since = match asked.get("updated_since") {
            None => None,
            Some(text) => Some(text.parse::<Timestamp>().map_err(|_| {
                Refusal::parameter("updated_since", "has to be a moment with a zone")
            })?),
        };
        let moment = |record: &Value| text(record, "updated_at").parse::<Timestamp>().unwrap_or_default();
        let mut found: Vec<Value> = self
            .of(list)
            .iter()
            .filter(|record| since.is_none_or(|since| moment(record) >= since))
            .filter(|record| {
                list.filters().iter().all(|name| {
                    asked.get(*name).is_none_or(|wanted| text(record, name).to_lowercase() == wanted.to_lowercase())
                })
            })
            .cloned()
            .collect();
        found.sort_by_key(|record| (moment(record), text(record, "id").to_owned()));
        Ok(found)
    }

    pub(super) fn create(&mut self, list: List, record: Value) -> Result<Value, Refusal> {
        let record = rules::members(record)?;
        rules::check(self, list, &record, true)?;
        if let Some((name, code)) = list.unique() {
            let wanted = record.get(name).and_then(Value::as_str).unwrap_or_default();
            if self.of(list).iter().any(|known| text(known, name) == wanted) {
                let message = format!("there is a record with the {name} {wanted} already");
                return Err(Refusal::new(StatusCode::CONFLICT, code, message));
            }
        }
        self.given += 1;
        let mut whole = Map::new();
        whole.insert("id".to_owned(), json!(format!("{}_{}", list.letter(), 300 + self.given)));
        merge(&mut whole, record);
        let whole = self.stamped(whole);
        if list == List::Products {
            let quantity = whole.get("quantity").cloned().unwrap_or_else(|| json!("0"));
            let mut stock = Map::new();
            stock.insert("sku".to_owned(), json!(text(&whole, "sku")));
            stock.insert("quantity".to_owned(), quantity);
            stock.insert("reserved".to_owned(), json!("0"));
            stock.insert("managed".to_owned(), json!(true));
            let stock = self.stamped(stock);
            self.stock.push(stock);
        }
        self.of_mut(list).push(whole.clone());
        Ok(whole)
    }

    /// Changes the fields that are given; the stock is replaced as a whole.
    pub(super) fn update(&mut self, list: List, id: &str, changes: Value) -> Result<Value, Refusal> {
        let changes = rules::members(changes)?;
        let Some(known) = self.get(list, id).and_then(Value::as_object).cloned() else { return Err(Refusal::gone()) };
        let mut whole = known.clone();
        if list == List::Stock {
            whole.insert("quantity".to_owned(), json!("0"));
            whole.insert("managed".to_owned(), json!(false));
        }
        rules::check(self, list, &changes, false)?;
        merge(&mut whole, changes);
        if let Some((name, code)) = list.unique() {
            let wanted = whole.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            if self.of(list).iter().any(|other| text(other, name) == wanted && text(other, "id") != id) {
                let message = format!("there is another record with the {name} {wanted}");
                return Err(Refusal::new(StatusCode::CONFLICT, code, message));
            }
        }
        let whole = self.stamped(whole);
        let key = if list == List::Stock { "sku" } else { "id" };
        if let Some(place) = self.of_mut(list).iter_mut().find(|record| text(record, key) == id) {
            *place = whole.clone();
        }
        Ok(whole)
    }

    /// The record as of now.
    fn stamped(&mut self, mut record: Map<String, Value>) -> Value {
        self.writes += 1;
        let start: Timestamp = "2026-01-05T08:00:00Z".parse().unwrap_or_default();
        let now = start.saturating_add(SignedDuration::from_mins(self.writes)).unwrap_or(start);
        let zone = TimeZone::get("Europe/Amsterdam").unwrap_or(TimeZone::UTC);
        let text = now.display_with_offset(zone.to_offset(now)).to_string();
        record.insert("updated_at".to_owned(), json!(text));
        Value::Object(record)
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "products": self.products, "stock": self.stock, "customers": self.customers,
            "orders": self.orders, "categories": self.categories, "tax_codes": self.tax_codes,
        })
    }
}

/// Objects are merged, but for those whose names are values; everything else is replaced.
fn merge(whole: &mut Map<String, Value>, changes: Map<String, Value>) {
    for (name, value) in changes {
        match (whole.get_mut(&name), value) {
            (Some(Value::Object(inner)), Value::Object(changes))
                if !matches!(name.as_str(), "attributes" | "features") =>
            {
                merge(inner, changes);
            }
            (_, value) => {
                whole.insert(name, value);
            }
        }
    }
}

//! Everything that the till knows, and which operation asks for what.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::super::keys::record;
use crate::record::{Record, Value};

/// Records that the service gives at most in one answer.
const MOST: usize = 1000;

/// The books; records have the fields that the connector's have.
pub(super) struct Books {
    pub(super) branches: Vec<Record>,
    pub(super) vat_codes: Vec<Record>,
    pub(super) payment_methods: Vec<Record>,
    pub(super) delivery_methods: Vec<Record>,
    pub(super) order_categories: Vec<Record>,
    pub(super) price_groups: Vec<Record>,
    pub(super) turnover_groups: Vec<Record>,
    pub(super) sales_price_lists: Vec<Record>,
    pub(super) employees: BTreeMap<i64, Record>,
    /// Products without their articles.
    pub(super) products: BTreeMap<i64, Record>,
    /// Articles with the number of their product.
    pub(super) articles: BTreeMap<i64, (i64, Record)>,
    /// Numbers of the articles of each product.
    pub(super) articles_of: BTreeMap<i64, BTreeSet<i64>>,
    pub(super) groups: BTreeMap<i64, Record>,
    pub(super) stock: BTreeMap<(i64, i64), Stock>,
    pub(super) relations: BTreeMap<i64, Record>,
    pub(super) orders: Documents,
    pub(super) invoices: Documents,
    pub(super) receipts: Documents,
    /// Answers under idempotency keys.
    pub(super) answers: HashMap<String, Record>,
    pub(super) markers: HashMap<&'static str, i64>,
    pub(super) random: fastrand::Rng,
    pub(super) zone: TimeZone,
}

/// Stock of an article in a branch.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stock {
    pub(super) id: i64,
    pub(super) physical: Decimal,
    pub(super) reserved: Decimal,
    pub(super) incoming: Decimal,
}

/// Orders, invoices or receipts in the order in which they were made.
#[derive(Default)]
pub(super) struct Documents {
    pub(super) all: Vec<Record>,
    by_id: HashMap<String, usize>,
    by_ext_id: HashMap<String, usize>,
}

impl Documents {
    pub(super) fn add(&mut self, id: &str, ext_id: Option<&str>, document: Record) {
        self.by_id.insert(id.to_owned(), self.all.len());
        if let Some(ext_id) = ext_id {
            self.by_ext_id.insert(ext_id.to_owned(), self.all.len());
        }
        self.all.push(document);
    }

    pub(super) fn get(&self, id: &str) -> Option<&Record> {
        self.all.get(*self.by_id.get(id)?)
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut Record> {
        self.all.get_mut(*self.by_id.get(id)?)
    }

    pub(super) fn by_ext_id(&self, ext_id: &str) -> Option<&Record> {
        self.all.get(*self.by_ext_id.get(ext_id)?)
    }
}

impl Default for Books {
    fn default() -> Self {
        let mut books = Self {
            branches: Vec::new(),
            vat_codes: Vec::new(),
            payment_methods: Vec::new(),
            delivery_methods: Vec::new(),
            order_categories: Vec::new(),
            price_groups: Vec::new(),
            turnover_groups: Vec::new(),
            sales_price_lists: Vec::new(),
            employees: BTreeMap::new(),
            products: BTreeMap::new(),
            articles: BTreeMap::new(),
            articles_of: BTreeMap::new(),
            groups: BTreeMap::new(),
            stock: BTreeMap::new(),
            relations: BTreeMap::new(),
            orders: Documents::default(),
            invoices: Documents::default(),
            receipts: Documents::default(),
            answers: HashMap::new(),
            markers: HashMap::new(),
            random: fastrand::Rng::with_seed(7),
            zone: TimeZone::get("Europe/Amsterdam").unwrap_or(TimeZone::UTC),
        };
        super::sample::furnish(&mut books);
        books
    }
}

impl Books {
    /// Answers one operation. An error is a `Client` fault.
    pub(super) fn handle(&mut self, operation: &str, request: &Record) -> Result<Record, String> {
        let rows = |rows: &[Record]| Ok(record([("rows", list(rows.to_vec()))]));
        match operation {
            "getApiVersion" => Ok(version()),
            "getBranches" => rows(&self.branches),
            "getVatGroupList" => rows(&self.vat_codes),
            "getTurnoverGroups" => rows(&self.turnover_groups),
            "getPaymentMethodsV2" => rows(&self.payment_methods_of(request)),
            "getDeliveryMethodsV2" => rows(&self.delivery_methods_of(request)),
            "getOrderCategories" => rows(&self.order_categories),
            "getPriceGroupList" => rows(&self.price_groups),
            "getSalesPriceList" => rows(&self.sales_price_lists),
            "getEmployees" => Ok(self.get_employees(request)),
            "getProducts" => Ok(self.get_products(request)),
            "createProduct" => Ok(self.create_product(request)),
            "updateProduct" => Ok(self.update_product(request)),
            "getArticleGroupChanges" => Ok(self.get_group_changes(request)),
            "newArticleGroup" => Ok(self.new_group(request)),
            "updateArticleGroup" => Ok(self.update_group(request)),
            "addProductsToArticleGroup" => Ok(self.add_to_group(request)),
            "getStock" => Ok(self.get_stock(request)),
            "setStock" => Ok(self.set_stock_call(request)),
            "getRelations" => Ok(self.get_relations(request)),
            "findRelationV2" => Ok(self.find_relation(request)),
            "createRelation" => Ok(self.create_relation(request)),
            "updateRelation" => Ok(self.update_relation(request)),
            "getOrders" => Ok(self.get_orders(request)),
            "getOrdersByExtOrderIds" => Ok(self.get_orders_by_ext_ids(request)),
            "findOrder" => Ok(found("order", self.orders.by_ext_id(text(request, "ext_order_id")))),
            "getOrder" => Ok(found("order", self.orders.get(text(request, "order_id")))),
            "createOrderV2" => Ok(self.create_order(request)),
            "createOrderV3" => self.once("createOrderV3", request, Self::create_order),
            "updateOrderV2" => Ok(self.update_order(request)),
            "cancelOrderV2" => Ok(self.cancel_order(request)),
            "payOrderV2" => self.once("payOrderV2", request, Self::pay_order),
            "getInvoices" => Ok(self.get_invoices(request)),
            "findInvoice" => Ok(found("invoice", self.invoices.by_ext_id(text(request, "ext_invoice_id")))),
            "saveInvoice" => Ok(self.save_invoice(request)),
            "payInvoice" => Ok(self.pay_invoice(request)),
            "getReceipts" => Ok(self.get_receipts(request)),
            other => Err(format!("Method '{other}' not implemented")),
        }
    }

    /// Answers a repeated idempotency key as it was answered before.
    fn once(
        &mut self,
        operation: &str,
        request: &Record,
        work: impl FnOnce(&mut Self, &Record) -> Record,
    ) -> Result<Record, String> {
        let key = text(request, "idempotency_key");
        if key.is_empty() {
            return Err("idempotencyKey: is empty".into());
        }
        let key = format!("{operation} {key}");
        if let Some(answer) = self.answers.get(&key) {
            let mut answer = answer.clone();
            answer.set("idempotency_result", "replay_response");
            return Ok(answer);
        }
        let mut answer = work(self, request);
        answer.set("idempotency_result", "original_response");
        self.answers.insert(key, answer.clone());
        Ok(answer)
    }

    fn payment_methods_of(&self, request: &Record) -> Vec<Record> {
        let types = request.get("types").and_then(Value::as_list).unwrap_or_default();
        let wanted = |method: &&Record| {
            types.is_empty() || method.get("type").is_some_and(|kind| types.contains(kind))
        };
        self.payment_methods.iter().filter(wanted).cloned().collect()
    }

    fn delivery_methods_of(&self, request: &Record) -> Vec<Record> {
        let enabled_only = truth(request, "only_enabled") == Some(true);
        let wanted = |method: &&Record| !enabled_only || truth(method, "enabled") == Some(true);
        self.delivery_methods.iter().filter(wanted).cloned().collect()
    }

    fn get_employees(&mut self, request: &Record) -> Record {
        let wanted = numbers(request, "employee_numbers");
        let chosen: Vec<Record> = self
            .employees
            .iter()
            .filter(|(number, _)| wanted.is_empty() || wanted.contains(number))
            .map(|(_, employee)| employee.clone())
            .collect();
        record([("employees", self.marked(chosen, request))])
    }

    /// The lowest markers from the asked one on, as many as asked for, in no order.
    pub(super) fn marked(&mut self, mut chosen: Vec<Record>, request: &Record) -> Value {
        let mut limit = MOST;
        if let Some(from) = int(request, "sync_marker") {
            chosen.retain(|row| marker(row) >= from);
            chosen.sort_by_key(marker);
            let asked = int(request, "sync_marker_limit").and_then(|limit| usize::try_from(limit).ok());
            limit = asked.unwrap_or(MOST).clamp(1, MOST);
        }
        chosen.truncate(limit);
        self.random.shuffle(&mut chosen);
        list(chosen)
    }

    /// The next marker of a kind of record.
    pub(super) fn bump(&mut self, kind: &'static str) -> i64 {
        let marker = self.markers.entry(kind).or_insert(0);
        *marker += 1;
        *marker
    }

    /// An identifier as the till makes them.
    pub(super) fn uuid(&mut self) -> String {
        uuid::Builder::from_random_bytes(self.random.u128(..).to_be_bytes()).into_uuid().to_string()
    }

    /// This moment on the till's clock.
    pub(super) fn now(&self) -> String {
        jiff::Timestamp::now().to_zoned(self.zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// Today on the till's clock.
    pub(super) fn today(&self) -> String {
        jiff::Timestamp::now().to_zoned(self.zone.clone()).date().to_string()
    }

    /// The percentage of a VAT code in a branch.
    pub(super) fn vat(&self, branch: &str, code: &str) -> Option<Decimal> {
        let row = self
            .vat_codes
            .iter()
            .find(|row| text(row, "branch_number") == branch && text(row, "vat_code") == code);
        row?.get("vat_percentage")?.as_decimal()
    }

    /// The first branch is the one that everything belongs to that says nothing else.
    pub(super) fn default_branch(&self) -> String {
        self.branches.first().map(|branch| text(branch, "branch_number").to_owned()).unwrap_or_default()
    }

    pub(super) fn has_branch(&self, number: &str) -> bool {
        self.branches.iter().any(|branch| text(branch, "branch_number") == number)
    }

    /// The books for tests and people.
    pub(super) fn to_json(&self) -> serde_json::Value {
        let json = |records: Vec<Record>| serde_json::to_value(records).unwrap_or_default();
        let articles = self.articles.values().map(|(product, article)| {
            let mut row = article.clone();
            row.set("product_number", product.to_string());
            row
        });
        let members = self.products.iter().flat_map(|(product, known)| {
            let row = move |group: i64| {
                record([
                    ("group_number", group.to_string().into()),
                    ("product_number", product.to_string().into()),
                ])
            };
            numbers(known, "group_numbers").into_iter().map(row)
        });
        let payments = |documents: &Documents, id: &'static str| -> Vec<Record> {
            let of = |document: &Record| {
                let of = document.get(id).cloned().unwrap_or_default();
                let own = maps(document, "payments").into_iter().cloned();
                own.map(move |mut payment| {
                    payment.set(id, of.clone());
                    payment
                })
                .collect::<Vec<_>>()
            };
            documents.all.iter().flat_map(of).collect()
        };
        serde_json::json!({
            "article_group_products": json(members.collect()),
            "order_payments": json(payments(&self.orders, "order_id")),
            "invoice_payments": json(payments(&self.invoices, "invoice_id")),
            "branches": json(self.branches.clone()),
            "employees": json(self.employees.values().cloned().collect()),
            "vat_codes": json(self.vat_codes.clone()),
            "payment_methods": json(self.payment_methods.clone()),
            "delivery_methods": json(self.delivery_methods.clone()),
            "order_categories": json(self.order_categories.clone()),
            "price_groups": json(self.price_groups.clone()),
            "turnover_groups": json(self.turnover_groups.clone()),
            "sales_price_lists": json(self.sales_price_lists.clone()),
            "products": json(self.products.values().cloned().collect()),
            "articles": json(articles.collect()),
            "article_groups": json(self.groups.values().cloned().collect()),
            "stock": json(self.stock.iter().map(|(place, stock)| stock.row(*place)).collect()),
            "relations": json(self.relations.values().cloned().collect()),
            "orders": json(self.orders.all.clone()),
            "invoices": json(self.invoices.all.clone()),
            "receipts": json(self.receipts.all.clone()),
        })
    }
}

fn version() -> Record {
    record([
        ("major", 1.into()),
        ("minor", 0.into()),
        ("revision", 0.into()),
        ("service_major", 67.into()),
        ("service_minor", 1.into()),
        ("service_revision", 3.into()),
        ("in_debug_mode", false.into()),
    ])
}

/// The answer to a search for one document.
fn found(name: &'static str, document: Option<&Record>) -> Record {
    match document {
        Some(document) => record([("result", "ok".into()), (name, document.clone().into())]),
        None => record([("result", "not_found".into())]),
    }
}

/// Records as a value.
pub(super) fn list(records: Vec<Record>) -> Value {
    records.into_iter().map(Value::Map).collect::<Vec<_>>().into()
}

/// The text of a field, or none.
pub(super) fn text<'a>(record: &'a Record, field: &str) -> &'a str {
    record.text(field).unwrap_or_default()
}

pub(super) fn int(record: &Record, field: &str) -> Option<i64> {
    record.get(field)?.as_int()
}

pub(super) fn truth(record: &Record, field: &str) -> Option<bool> {
    record.get(field)?.as_bool()
}

pub(super) fn decimal(record: &Record, field: &str) -> Option<Decimal> {
    record.get(field)?.as_decimal()
}

/// The number in a text field.
pub(super) fn number(record: &Record, field: &str) -> Option<i64> {
    record.text(field)?.parse().ok()
}

/// The numbers in a list of texts.
pub(super) fn numbers(record: &Record, field: &str) -> Vec<i64> {
    texts(record, field).iter().filter_map(|text| text.parse().ok()).collect()
}

pub(super) fn texts<'a>(record: &'a Record, field: &str) -> Vec<&'a str> {
    let items = record.get(field).and_then(Value::as_list).unwrap_or_default();
    items.iter().filter_map(Value::as_str).collect()
}

/// The records in a list.
pub(super) fn maps<'a>(record: &'a Record, field: &str) -> Vec<&'a Record> {
    let items = record.get(field).and_then(Value::as_list).unwrap_or_default();
    items.iter().filter_map(Value::as_map).collect()
}

pub(super) fn marker(record: &Record) -> i64 {
    int(record, "sync_marker").unwrap_or(0)
}

/// Puts changes over a record: an empty value takes a field away, a field that is left out
/// stays.
pub(super) fn merge(record: &mut Record, changes: &Record) {
    for (field, value) in changes.iter() {
        if value.says_nothing() {
            record.remove(field);
        } else {
            record.set(field, value.clone());
        }
    }
}

/// A refusal.
pub(super) fn refusal(result: &'static str, reason: impl Into<String>) -> Record {
    record([("result", result.into()), ("error_message", reason.into().into())])
}

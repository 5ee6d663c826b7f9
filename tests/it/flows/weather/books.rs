//! What both books say, without what depends on when and in which order it was written: keys
//! that systems count up stand for what they point to.

use std::collections::BTreeMap;

use serde_json::Value;

/// How the books of a system are compared.
struct Shape {
    system: &'static str,
    /// Lists whose keys depend on the order: name, field of the key, fields that say who it is.
    keyed: &'static [(&'static str, &'static str, &'static [&'static str])],
    /// Fields that hold such a key: field, list. `*`: any field whose value is one.
    refer: &'static [(&'static str, &'static str)],
    /// Moments, counters, and what follows from the order: fields of any record, or `list.field`.
    apart: &'static [&'static str],
    /// Lists that tell what was asked.
    unread: &'static [&'static str],
}

const SHAPES: &[Shape] = &[
    Shape {
        system: "mpluskassa",
        keyed: &[
            ("relations", "relation_number", &["email", "name"]),
            ("article_groups", "group_number", &["name"]),
            ("orders", "order_id", &["ext_order_id"]),
            ("invoices", "invoice_id", &["ext_invoice_id"]),
        ],
        refer: &[
            ("relation_number", "relations"),
            ("group_number", "article_groups"),
            ("parent_group_number", "article_groups"),
            ("group_numbers", "article_groups"),
            ("order_id", "orders"),
            ("invoice_id", "invoices"),
        ],
        apart: &[
            "sync_marker",
            "product_number",
            "change_counter",
            "version_number",
            "create_timestamp",
            "change_timestamp",
            "entry_timestamp",
            "order_number",
            "invoice_number",
            "payment_id",
            "line_id",
            "stock_id",
        ],
        unread: &[],
    },
    Shape {
        system: "ccv_salespos",
        keyed: &[
            ("categories", "id", &["name"]),
            ("products", "id", &["productnumber"]),
            ("attributes", "id", &["name"]),
            ("attributevalues", "id", &["name"]),
            ("customers", "id", &["email"]),
        ],
        refer: &[
            ("product_id", "products"),
            ("category_id", "categories"),
            ("attribute_id", "attributes"),
            ("optionid", "attributes"),
            ("optionvalue_id", "attributevalues"),
        ],
        apart: &["id", "createdate", "modifydate", "deeplink", "categories.position"],
        unread: &["deliveries"],
    },
    Shape {
        system: "teamleader",
        keyed: &[
            ("companies", "id", &["name"]),
            ("contacts", "id", &["emails"]),
            ("products", "id", &["code"]),
            ("deals", "id", &["title"]),
            ("invoices", "id", &["purchase_order_number"]),
        ],
        refer: &[("*", "companies"), ("*", "contacts"), ("*", "products"), ("*", "deals"), ("*", "invoices")],
        apart: &[
            "id",
            "added_at",
            "created_at",
            "updated_at",
            "closed_at",
            "paid_at",
            "on_hold_since",
            "web_url",
            "deals.reference",
            "quotations.name",
            // What the latest order says, and chance decides which one is the latest.
            "companies.addresses",
        ],
        unread: &["deliveries"],
    },
    Shape {
        system: "eaccounting",
        keyed: &[("customers", "Id", &["EmailAddress", "Name"]), ("articles", "Id", &["Number"])],
        refer: &[("*", "customers"), ("*", "articles")],
        apart: &["Id", "ChangedUtc", "CreatedUtc", "ModifiedUtc", "CustomerNumber", "orders.Number"],
        unread: &[],
    },
    Shape {
        system: "accountview",
        keyed: &[
            ("orders", "EXT_KEY", &["COMMENT1"]),
            ("delivery_addresses", "REC_ID", &["ADDRESS1", "MAIL_BUS"]),
            ("debtors", "SUB_NR", &["MAIL_BUS"]),
        ],
        refer: &[
            ("header", "orders"),
            ("DEL_CODE", "delivery_addresses"),
            ("SUB_NR", "debtors"),
            ("RPL_INV", "debtors"),
            ("RPL_DEL", "debtors"),
        ],
        apart: &["CNG_DATE", "INP_DATE", "EXT_KEY", "REC_ID", "SO_NR"],
        unread: &[],
    },
    Shape {
        system: "softmaat",
        keyed: &[("customers", "id", &["email"])],
        refer: &[("customer_id", "customers")],
        apart: &["id", "updated_at"],
        unread: &[],
    },
];

type Names = BTreeMap<(&'static str, String), String>;

/// A line for each row of both books, in an order of their own.
pub(super) fn state(books: &[(String, Value)]) -> Vec<String> {
    let mut lines = Vec::new();
    for (system, books) in books {
        let shape = SHAPES.iter().find(|shape| shape.system == system).unwrap();
        let names = names(shape, books);
        for (list, rows) in books.as_object().unwrap() {
            if shape.unread.contains(&list.as_str()) {
                continue;
            }
            for row in rows.as_array().into_iter().flatten() {
                let mut row = row.clone();
                let own = shape
                    .apart
                    .iter()
                    .filter_map(|field| field.strip_prefix(list.as_str())?.strip_prefix('.'));
                own.for_each(|field| drop(row.as_object_mut().unwrap().remove(field)));
                lines.push(format!("{system} {list} {}", bare(shape, &names, &row)));
            }
        }
    }
    lines.sort();
    lines
}

fn names(shape: &Shape, books: &Value) -> Names {
    let mut names = Names::new();
    for (list, key, who) in shape.keyed {
        for row in books[*list].as_array().into_iter().flatten() {
            let told: Vec<String> = who.iter().map(|field| word(&row[*field])).collect();
            names.insert((list, word(&row[*key])), told.join(" "));
        }
    }
    names
}

fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn bare(shape: &Shape, names: &Names, value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter(|(name, _)| !shape.apart.contains(&name.as_str()));
            kept.map(|(name, value)| (name.clone(), named(shape, names, name, value))).collect()
        }
        Value::Array(items) => items.iter().map(|item| bare(shape, names, item)).collect(),
        Value::String(text) => {
            let any = shape.refer.iter().filter(|(field, _)| *field == "*");
            let found = any.filter_map(|(_, list)| names.get(&(*list, text.clone()))).next();
            found.map_or_else(|| value.clone(), |name| Value::from(name.clone()))
        }
        other => other.clone(),
    }
}

/// A field's value, with what it points to in the place of a key.
fn named(shape: &Shape, names: &Names, field: &str, value: &Value) -> Value {
    let Some((_, list)) = shape.refer.iter().find(|(known, _)| *known == field) else {
        return bare(shape, names, value);
    };
    let one = |value: &Value| {
        let name = names.get(&(*list, word(value)));
        name.map_or_else(|| value.clone(), |name| Value::from(name.clone()))
    };
    match value {
        Value::Array(items) => {
            let mut named: Vec<Value> = items.iter().map(one).collect();
            named.sort_by_key(word);
            named.into()
        }
        other => one(other),
    }
}

//! What a create, a change or a removal does to the books.

use super::books::{Books, Refusal, int, map, num, refuse, truth};
use super::rules::{check, check_person, merged_person, refers};
use super::tables::{Table, Type};
use super::{sales, variants};
use crate::record::{Map, Text, Value};

/// VAT tariffs and what they are in the Netherlands.
const TARIFFS: [(&str, i64); 5] = [("normal", 21), ("low a", 9), ("low b", 6), ("extra low", 0), ("zero", 0)];

/// Creates a record, below a parent where it has one.
pub(super) fn create(
    books: &mut Books,
    table: &Table,
    parent: Option<(&'static str, i64)>,
    body: &Map,
) -> Result<i64, Refusal> {
    check(books, table.columns, body, true)?;
    match table.name {
        "orders" => return sales::create_order(books, body),
        "invoices" => {
            let order = parent.map(|(_, order)| order).unwrap_or_default();
            return sales::create_invoice(books, order, body);
        }
        _ => {}
    }
    let mut record = Map::new();
    // The real service sends every member, with the empty text for none.
    for column in table.columns {
        if let (Type::Text(_), false) = (column.kind, is_written_only(column.name)) {
            record.set(column.name, "");
        }
    }
    if let Some((member, key)) = parent {
        record.set(member, key);
    }
    standards(books, table, &mut record);
    apply(books, table, &mut record, body, true)?;
    unique(books, table, &record, None)?;
    let key = books.insert(table.name, record);
    settle(books, table, key, body);
    announce(books, table.name, "created", key);
    Ok(key)
}

/// Changes a record; false when nothing changed.
pub(super) fn patch(books: &mut Books, table: &Table, key: i64, body: &Map) -> Result<bool, Refusal> {
    let Some(old) = books.row(table.name, key).cloned() else {
        return refuse("404.10", format!("No {} has the id {key}.", table.name));
    };
    if table.name == "webhooks" && body.get("event").is_some() {
        return refuse("400.10", "The event of a webhook cannot change.");
    }
    check(books, table.columns, body, false)?;
    if let Some(name) = body.iter().map(|(name, _)| name).find(|name| {
        table.name == "products" && books.options.read_only_members.iter().any(|known| known == name.as_str())
    }) {
        return refuse("403.10", format!("Property {name} is read-only in a connected shop."));
    }
    if table.name == "orders" {
        return sales::patch_order(books, &old, body);
    }
    let mut record = old.clone();
    apply(books, table, &mut record, body, false)?;
    unique(books, table, &record, Some(key))?;
    if record == old {
        return Ok(false);
    }
    let only_stock = body.iter().all(|(name, _)| name.as_str() == "stock");
    if table.name == "products" && (!only_stock || books.options.stock_moves_modifydate) {
        record.set("modifydate", books.now());
    }
    books.replace(table.name, record);
    announce(books, table.name, "updated", key);
    Ok(true)
}

/// Removes a record and what hangs on it.
pub(super) fn remove(books: &mut Books, table: &Table, key: i64) -> Result<(), Refusal> {
    announce(books, table.name, "deleted", key);
    let Some(old) = books.remove(table.name, key) else {
        return refuse("404.10", format!("No {} has the id {key}.", table.name));
    };
    if table.name == "productattributevalues"
        && let Some(product) = int(&old, "product_id")
    {
        variants::regenerate(books, product, None);
    }
    Ok(())
}

/// Members that are sent and never shown.
fn is_written_only(name: &str) -> bool {
    matches!(
        name,
        "password" | "brand" | "condition" | "source" | "photo_source" | "photo_file_type" | "file_type"
    )
}

fn standards(books: &mut Books, table: &Table, record: &mut Map) {
    let now = books.now();
    let given: &[(&'static str, Value)] = match table.name {
        "products" => &[
            ("is_active", Value::Bool(true)),
            ("createdate", Value::from(now.clone())),
            ("modifydate", Value::from(now)),
            ("is_multishop_product", Value::Bool(false)),
            ("multishop_href", Value::Null),
            ("purchaseprice", Value::Int(0)),
            ("stockenabled", Value::Bool(true)),
            ("stocktype", Value::from("product")),
            ("stock", Value::Int(0)),
            ("ordering_without_stock", Value::from("global_setting")),
            ("weight", Value::Int(0)),
            ("minimal_order_amount", Value::Int(1)),
            ("is_visible", Value::Bool(true)),
            ("can_be_ordered", Value::Bool(true)),
            ("amount_sold", Value::Int(0)),
        ],
        "users" => &[
            ("status", Value::Bool(true)),
            ("approval_status", Value::from("accepted")),
            ("product_in_category_discount", Value::from("highest")),
        ],
        "usergroups" => &[
            ("discount", Value::Int(0)),
            ("default", Value::Bool(false)),
            ("product_in_category_discount", Value::from("highest")),
        ],
        "categories" => &[
            ("show_on_website", Value::Bool(true)),
            ("orderby", Value::from("position")),
            ("items_per_page", Value::Int(24)),
        ],
        "webhooks" => {
            let number = books.key();
            &[
                ("createdate", Value::from(now)),
                ("key", Value::from(format!("wh_key_{number}"))),
                ("is_active", Value::Bool(true)),
            ]
        }
        "cashups" => &[("create_date", Value::from(now)), ("status", Value::from("OPEN"))],
        "fiscaltransactionsignatures" | "ordernotes" => &[("create_date", Value::from(now))],
        _ => &[],
    };
    for (name, value) in given {
        record.set(*name, value.clone());
    }
}

/// Writes a body into a record, under the names that reading uses.
fn apply(
    books: &mut Books,
    table: &Table,
    record: &mut Map,
    body: &Map,
    is_new: bool,
) -> Result<(), Refusal> {
    match table.name {
        "products" => return product(books, record, body, is_new),
        "users" => return user(books, record, body, is_new),
        "productattributevalues" => return variants::offered_value(books, record, body),
        _ => {}
    }
    for (member, other) in [
        ("product_id", "products"),
        ("category_id", "categories"),
        ("usergroup_id", "usergroups"),
        ("user_id", "users"),
        ("staggeredprice_id", "productstaggeredprices"),
        ("parentcategory_id", "categories"),
    ] {
        refers(books, body, member, other)?;
    }
    for (name, value) in body.iter() {
        match name.as_str() {
            "parentcategory_id" => {
                let parent = value.as_int().map(|key| map([("id", Value::Int(key))]));
                record.set("parentcategory", parent);
            }
            "source" | "file_type" | "photo_source" | "photo_file_type" => {}
            _ => drop(record.set(name.clone(), value.clone())),
        }
    }
    match table.name {
        "productstaggeredprices" => {
            record.set("sellprice", num(record, "price") - num(record, "discount"));
        }
        "productphotos" => {
            let number = books.key();
            record.set("filename", format!("photo_{number}.jpg"));
            record.set("deeplink", format!("https://koffiehuis.ccvshop.nl/photos/photo_{number}.jpg"));
        }
        "webhooks" => {
            let address = record.text("address").unwrap_or_default();
            let is_near = address.starts_with("http://127.0.0.1") || address.starts_with("http://localhost");
            let is_fine = address.starts_with("https://") || is_near && books.options.allows_loopback_hooks;
            if !is_fine {
                return refuse("400.10", "The address must start with https.");
            }
        }
        _ => {}
    }
    let is_product_price = matches!(table.name, "usergroupproductadjustments" | "userproductadjustments");
    let has = |name: &str| record.get(name).is_some_and(|value| !value.is_null());
    if is_product_price && has("discount") && !has("price") {
        return refuse("400.10", "The discount must be null when the price is null.");
    }
    Ok(())
}

fn product(books: &mut Books, record: &mut Map, body: &Map, is_new: bool) -> Result<(), Refusal> {
    let has = |name: &str| body.get(name).is_some_and(|value| !value.says_nothing());
    if is_new && !has("taxtariff") && !has("vatrate") {
        return refuse("400.10", "Property taxtariff is required.");
    }
    for (member, table) in [
        ("package_id", "packages"),
        ("brand_id", "brands"),
        ("supplier_id", "suppliers"),
        ("condition_id", "conditions"),
    ] {
        refers(books, body, member, table)?;
    }
    for (name, value) in body.iter() {
        match name.as_str() {
            "active" => drop(record.set("is_active", value.clone())),
            "package_id" => drop(record.set("package", map([("id", value.clone())]))),
            "supplier_id" => drop(record.set("supplier", map([("id", value.clone())]))),
            "color_id" => drop(record.set("color", map([("id", value.clone())]))),
            "brand" | "condition" => {
                let table = if name.as_str() == "brand" { "brands" } else { "conditions" };
                let named = named(books, table, value.as_str().unwrap_or_default());
                record.set(name.clone(), named);
            }
            "brand_id" | "condition_id" => {
                let (table, member) = if name.as_str() == "brand_id" {
                    ("brands", "brand")
                } else {
                    ("conditions", "condition")
                };
                let text =
                    value.as_int().and_then(|key| books.row(table, key)?.text("name")).map(str::to_owned);
                record.set(member, map([("id", value.clone()), ("name", Value::from(text))]));
            }
            "taxtariff" => {
                let rate = TARIFFS.iter().find(|(known, _)| Some(*known) == value.as_str());
                record.set("taxtariff", value.clone());
                record.set("vatrate", rate.map(|(_, rate)| *rate));
            }
            "vatrate" => {
                let tariff = TARIFFS.iter().find(|(_, rate)| value.as_decimal() == Some((*rate).into()));
                record.set("vatrate", value.clone());
                record.set("taxtariff", tariff.map(|(known, _)| *known));
            }
            _ => drop(record.set(name.clone(), value.clone())),
        }
    }
    record.set("sellprice", num(record, "price") - num(record, "discount"));
    let limit = books.options.product_limit;
    let was_active = int(record, "id")
        .and_then(|key| books.row("products", key))
        .is_some_and(|row| truth(row, "is_active", true));
    if limit >= 0
        && truth(record, "is_active", true)
        && !was_active
        && books.rows("products").filter(|row| truth(row, "is_active", true)).count()
            >= usize::try_from(limit).unwrap_or(usize::MAX)
    {
        return refuse("500.60", "The maximum number of products is reached.");
    }
    Ok(())
}

/// The record of that name; made unless it is there.
fn named(books: &mut Books, table: &str, name: &str) -> Value {
    if name.is_empty() {
        return Value::Null;
    }
    let known = books.rows(table).find(|row| row.text("name") == Some(name)).and_then(|row| int(row, "id"));
    let key = known.unwrap_or_else(|| books.insert(table, map([("name", Value::from(name))])));
    Value::Map(map([("id", Value::Int(key)), ("name", Value::from(name))]))
}

fn user(books: &Books, record: &mut Map, body: &Map, is_new: bool) -> Result<(), Refusal> {
    refers(books, body, "group_id", "usergroups")?;
    if body.get("approval_status").is_some_and(|status| Some(status) != record.get("approval_status"))
        && !is_new
        && record.text("approval_status") != Some("pending")
    {
        return refuse("400.10", "Only a pending user can be accepted or rejected.");
    }
    for (name, value) in body.iter() {
        match (name.as_str(), value) {
            ("password", _) => {}
            ("userinfo", Value::Map(new)) => {
                check_person(books, new)?;
                let old = record.get("userinfo").and_then(Value::as_map);
                let merged = merged_person(books, old, new);
                record.set("userinfo", merged);
            }
            _ => drop(record.set(name.clone(), value.clone())),
        }
    }
    Ok(())
}

/// Values that no two records may share.
fn unique(books: &Books, table: &Table, record: &Map, own: Option<i64>) -> Result<(), Refusal> {
    let members: &[&str] = match table.name {
        "users" => &["username"],
        "producttocategories" => &["product_id", "category_id"],
        "productattributevalues" => &["product_id", "optionvalue_id"],
        "usergroupproductadjustments" => &["usergroup_id", "product_id"],
        "userproductadjustments" => &["user_id", "product_id"],
        "usergroupcategoryadjustments" => &["usergroup_id", "category_id"],
        "usercategoryadjustments" => &["user_id", "category_id"],
        "usergroupstaggeredpriceadjustments" => &["usergroup_id", "staggeredprice_id"],
        "userstaggeredpriceadjustments" => &["user_id", "staggeredprice_id"],
        "products" if !books.options.allows_equal_numbers => &["productnumber"],
        _ => return Ok(()),
    };
    let same = |row: &Map| {
        int(row, "id") != own
            && members.iter().all(|member| {
                row.get(member) == record.get(member)
                    && row.get(member).is_some_and(|value| !value.says_nothing())
            })
    };
    // Pairs below a product are few; the rest is short or indexed by nobody.
    let is_taken = match int(record, "product_id") {
        Some(product) if table.parents().any(|member| member == "product_id") => {
            books.below(table.name, "product_id", product).into_iter().any(same)
        }
        _ => books.rows(table.name).any(same),
    };
    if is_taken {
        return refuse("500.40", format!("Property {} already exists.", members.join(", ")));
    }
    Ok(())
}

/// What follows from a new record.
fn settle(books: &mut Books, table: &Table, key: i64, body: &Map) {
    let set = |books: &mut Books, member: &'static str, value: Value| {
        if let Some(mut record) = books.row(table.name, key).cloned() {
            record.set(member, value);
            books.replace(table.name, record);
        }
    };
    match table.name {
        "products" => {
            set(books, "deeplink", Value::from(format!("https://koffiehuis.ccvshop.nl/product/{key}")));
        }
        "categories" => {
            set(books, "deeplink", Value::from(format!("https://koffiehuis.ccvshop.nl/category/{key}")));
            if body.get("position").is_none() {
                let last = i64::try_from(books.count("categories")).unwrap_or(i64::MAX);
                set(books, "position", Value::Int(last));
            }
        }
        "productattributevalues" => {
            let product = books.row(table.name, key).and_then(|row| int(row, "product_id"));
            if let Some(product) = product {
                variants::regenerate(books, product, body.get("stock"));
            }
        }
        _ => {}
    }
}

/// Tells webhooks of products and categories.
fn announce(books: &mut Books, table: &str, what: &str, key: i64) {
    let event = match (table, what) {
        ("products", "created") => "products.created",
        ("products", "updated") => "products.updated",
        ("products", "deleted") => "products.deleted",
        ("categories", "created") => "categories.created",
        ("categories", "updated") => "categories.updated",
        ("categories", "deleted") => "categories.deleted",
        _ => return,
    };
    let Some(row) = books.row(table, key) else { return };
    let mut body = map([
        ("triggered_at", Value::from(books.now())),
        ("href", Value::from(format!("https://koffiehuis.ccvshop.nl/api/rest/v1/{table}/{key}/"))),
        ("id", Value::Int(key)),
    ]);
    for name in ["name", "productnumber"] {
        if let Some(value) = row.get(name) {
            body.set(Text::from_static(name), value.clone());
        }
    }
    books.events.push((event, body));
}

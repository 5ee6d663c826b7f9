//! Orders and invoices: rows from the catalogue, totals, numbers, stock.

use rust_decimal::Decimal;

use super::books::{Books, Refusal, int, map, num, refuse, truth};
use super::rules::{check, check_person, completed_person, merged_person, refers};
use super::tables::ROW;
use crate::record::{Map, Text, Value};

/// Shipping cost below and from an order of fifty euros.
const SHIPPING: Decimal = Decimal::from_parts(495, 0, 0, false, 2);

/// Makes an order.
pub(super) fn create_order(books: &mut Books, body: &Map) -> Result<i64, Refusal> {
    check_status(body)?;
    refers(books, body, "user_id", "users")?;
    let customer = customer_of(books, body)?;
    let rows = rows_of(books, body)?;
    let prices_include_vat = truth(&books.settings, "prices_include_vat", true);
    let mut order = map([
        ("ordernumber_prefix", Value::Null),
        ("ordernumber", Value::Null),
        ("ordernumber_full", Value::Null),
        ("invoicenumber", Value::Null),
        ("transaction_id", Value::from("")),
        ("create_date", Value::from(books.now())),
        ("deliver_method", Value::from("shipping")),
        ("deliver_date", Value::Null),
        ("orderedinlng", Value::from("nl")),
        ("status", Value::Int(1)),
        ("is_completed", Value::Bool(true)),
        ("paid", Value::Bool(false)),
        ("paymethod_id", Value::Int(3)),
        ("paymethod", Value::from("BankTransfer")),
        ("paymethod_label", Value::from("Vooraf overmaken")),
        ("taxes_included", Value::Bool(prices_include_vat)),
        ("order_row_taxes_included", Value::Bool(prices_include_vat)),
        ("shipping_taxes_included", Value::Bool(true)),
        ("shipping_tax_percentage", Value::Int(21)),
        ("is_intra_community_order", Value::Bool(false)),
        ("is_platform_sale", Value::Bool(false)),
        ("currency", Value::from("EUR")),
        ("paymethod_costs", Value::Int(0)),
        ("extra_costs", Value::Int(0)),
        ("extra_costs_description", Value::from("")),
        ("track_and_trace_code", Value::from("")),
        ("track_and_trace_carrier", Value::Null),
        ("reservationnumber", Value::from("")),
    ]);
    for (name, value) in body.iter() {
        if !matches!(name.as_str(), "orderrows" | "customer" | "user_id" | "mail" | "note" | "takeoutslot") {
            order.set(name.clone(), value.clone());
        }
    }
    order.set("user", user_link(int(body, "user_id")));
    order.set("customer", completed_person(customer));
    order.set("_rows", rows);
    let is_completed = truth(&order, "is_completed", true);
    if !is_completed {
        order.set("basket_href", "https://koffiehuis.ccvshop.nl/basket");
        order.set("checkout_href", "https://koffiehuis.ccvshop.nl/checkout");
    }
    total(&mut order, body);
    let key = books.insert("orders", order);
    if is_completed {
        complete_order(books, key);
        tell(books, "orders.created", key, None);
    }
    Ok(key)
}

/// Changes an order; false when nothing changed.
pub(super) fn patch_order(books: &mut Books, old: &Map, body: &Map) -> Result<bool, Refusal> {
    check_status(body)?;
    refers(books, body, "user_id", "users")?;
    let mut order = old.clone();
    for (name, value) in body.iter() {
        match (name.as_str(), value) {
            ("customer", Value::Map(new)) => {
                check_person(books, new)?;
                let merged = merged_person(books, old.get("customer").and_then(Value::as_map), new);
                order.set("customer", merged);
            }
            ("user_id", _) => drop(order.set("user", user_link(value.as_int()))),
            ("orderrows", _) => drop(order.set("_rows", rows_of(books, body)?)),
            ("mail" | "note" | "takeoutslot", _) => {}
            _ => drop(order.set(name.clone(), value.clone())),
        }
    }
    total(&mut order, body);
    let same = order.iter().all(|(name, value)| {
        name.as_str().starts_with('_') || old.get(name).is_some_and(|old| old.says_the_same_as(value))
    });
    if same && body.get("orderrows").is_none() {
        return Ok(false);
    }
    let key = int(old, "id").unwrap_or_default();
    let completes = truth(&order, "is_completed", true) && !truth(old, "is_completed", true);
    books.replace("orders", order.clone());
    if completes {
        complete_order(books, key);
        tell(books, "orders.created", key, None);
    }
    for (member, event) in [
        ("status", "orders.updated.status"),
        ("paid", "orders.updated.ispaid"),
        ("track_and_trace_code", "orders.updated.trackandtrace"),
    ] {
        if order.get(member) != old.get(member) {
            tell(books, event, key, int(old, "status"));
        }
    }
    Ok(true)
}

fn check_status(body: &Map) -> Result<(), Refusal> {
    match int(body, "status") {
        Some(status) if !(1..=14).contains(&status) => {
            refuse("400.10", format!("Value {status} of status is not in the enumeration."))
        }
        _ => Ok(()),
    }
}

fn user_link(user: Option<i64>) -> Map {
    map([("id", Value::from(user)), ("discount_percentage", Value::Int(0))])
}

/// The customer as given, over what the account says.
fn customer_of(books: &Books, body: &Map) -> Result<Map, Refusal> {
    let Some(given) = body.get("customer").and_then(Value::as_map) else {
        return refuse("400.10", "Property customer is required.");
    };
    check_person(books, given)?;
    let user = int(body, "user_id").and_then(|key| books.row("users", key));
    let mut customer = user.and_then(|user| user.get("userinfo")?.as_map()).cloned().unwrap_or_default();
    given.iter().for_each(|(name, value)| drop(customer.set(name.clone(), value.clone())));
    Ok(customer)
}

fn rows_of(books: &mut Books, body: &Map) -> Result<Vec<Value>, Refusal> {
    let rows = body.get("orderrows").and_then(Value::as_list).unwrap_or_default();
    if rows.is_empty() {
        return refuse("400.10", "Property orderrows needs at least one row.");
    }
    rows.iter()
        .map(|row| {
            let Value::Map(row) = row else { return refuse("400.10", "A row of orderrows is no object.") };
            row_of(books, row).map(Value::Map)
        })
        .collect()
}

fn row_of(books: &mut Books, given: &Map) -> Result<Map, Refusal> {
    check(books, ROW, given, true)?;
    refers(books, given, "product_id", "products")?;
    refers(books, given, "package_id", "packages")?;
    refers(books, given, "attribute_combination_id", "attributecombinations")?;
    let product = int(given, "product_id").and_then(|key| books.row("products", key)).cloned();
    let variant = int(given, "attribute_combination_id")
        .and_then(|key| books.row("attributecombinations", key))
        .cloned();
    let has = |name: &str| given.get(name).is_some_and(|value| !value.says_nothing());
    if product.is_none() {
        for name in ["product_name", "product_number", "price", "discount", "tax", "package_id"] {
            if !has(name) {
                return refuse("400.10", format!("Property {name} of a row without product_id is required."));
            }
        }
    }
    let of_product = |name: &str| product.as_ref().and_then(|product| product.at(name)).cloned();
    let of_variant = |name: &str| variant.as_ref().and_then(|variant| variant.get(name)).cloned();
    let empty = || Value::from("");
    let extra = variant.as_ref().map(|variant| num(variant, "netto_extra_price")).unwrap_or_default();
    let mut row = map([
        ("id", Value::Int(books.key())),
        ("order_id", Value::Null),
        ("product_type", Value::from("product")),
        ("product_id", Value::from(int(given, "product_id"))),
        ("product_number", of_product("productnumber").unwrap_or_else(empty)),
        ("sub_product_number", of_variant("product_number").unwrap_or_else(empty)),
        ("sub_sku_number", of_variant("sku_number").unwrap_or_else(empty)),
        ("sub_ean_number", of_variant("ean_number").unwrap_or_else(empty)),
        ("product_name", of_product("name").unwrap_or_else(empty)),
        ("price", of_product("price").unwrap_or_default()),
        ("discount", of_product("discount").unwrap_or(Value::Int(0))),
        ("tax", of_product("vatrate").unwrap_or_default()),
        ("unit", of_product("unit").unwrap_or_else(empty)),
        ("weight", of_product("weight").unwrap_or(Value::Int(0))),
        ("memo", empty()),
        ("package_id", of_product("package.id").unwrap_or_default()),
        ("custom_price", Value::Bool(has("price"))),
        ("attributes", options_of(variant.as_ref())),
        ("uploads", Value::List(Vec::new())),
    ]);
    for (name, value) in given.iter() {
        if !matches!(name.as_str(), "attribute_combination_id" | "auto_create_deposit_rows") {
            row.set(name.clone(), value.clone());
        }
    }
    row.set("_variant", int(given, "attribute_combination_id"));
    row.set("_extra", extra);
    reckon_row(&mut row);
    Ok(row)
}

fn options_of(variant: Option<&Map>) -> Value {
    let choices = variant.and_then(|variant| variant.get("combination")?.as_list()).unwrap_or_default();
    let option = |choice: &Value| {
        let choice = choice.as_map()?;
        Some(Value::Map(map([
            ("id", Value::from(int(choice, "attribute_value.id"))),
            ("option_name", choice.at("attribute.name").cloned().unwrap_or_default()),
            ("value_name", choice.at("attribute_value.name").cloned().unwrap_or_default()),
            ("price", choice.get("extra_price").cloned().unwrap_or_default()),
        ])))
    };
    Value::List(choices.iter().filter_map(option).collect())
}

/// Works out the sums of a row.
fn reckon_row(row: &mut Map) {
    let (price, discount, count) = (num(row, "price"), num(row, "discount"), num(row, "count"));
    let (selling, extra) = (price - discount, num(row, "_extra"));
    row.set("original_price", price);
    row.set("price_without_discount", price);
    row.set("selling_price", selling);
    row.set("total_price", selling * count);
    row.set("total_extra_option_price", extra);
    row.set("price_with_attributes", selling + extra);
    row.set("total_price_with_attributes", (selling + extra) * count);
}

/// Works out the sums of an order: VAT over rows and shipping, rounded at the end.
fn total(order: &mut Map, body: &Map) {
    let rows = order.get("_rows").and_then(Value::as_list).unwrap_or_default();
    let rows: Vec<Map> = rows.iter().filter_map(Value::as_map).cloned().collect();
    let rows_include = truth(order, "order_row_taxes_included", true);
    let is_untaxed =
        truth(order, "is_intra_community_order", false) || truth(order, "is_platform_sale", false);
    let sum = |name: &str| rows.iter().map(|row| num(row, name)).sum::<Decimal>();
    let lines = sum("total_price_with_attributes");
    let shipping = match body.get("total_shipping").and_then(Value::as_decimal) {
        Some(given) => given,
        None if order.get("total_shipping").is_some() && body.get("orderrows").is_none() => {
            num(order, "total_shipping")
        }
        None if order.text("deliver_method") == Some("pickup") || lines >= Decimal::from(50) => Decimal::ZERO,
        None => SHIPPING,
    };
    let part = |amount: Decimal, rate: Decimal, includes: bool| {
        let hundred = Decimal::ONE_HUNDRED;
        if is_untaxed {
            Decimal::ZERO
        } else if includes {
            amount * rate / (hundred + rate)
        } else {
            amount * rate / hundred
        }
    };
    let shipping_includes = truth(order, "shipping_taxes_included", true);
    let shipping_vat = part(shipping, num(order, "shipping_tax_percentage"), shipping_includes);
    let lines_vat: Decimal = rows
        .iter()
        .map(|row| part(num(row, "total_price_with_attributes"), num(row, "tax"), rows_include))
        .sum();
    let vat = (lines_vat + shipping_vat).round_dp(2);
    let added = if rows_include { Decimal::ZERO } else { lines_vat }
        + if shipping_includes { Decimal::ZERO } else { shipping_vat };
    let whole = lines + shipping + num(order, "paymethod_costs") + num(order, "extra_costs") + added;
    let discounts: Decimal = rows.iter().map(|row| num(row, "discount") * num(row, "count")).sum();
    let weight: Decimal = rows.iter().map(|row| num(row, "weight") * num(row, "count")).sum();
    for (name, amount) in [
        ("total_orderrow_price", lines),
        ("total_shipping", shipping),
        ("total_discounts", discounts),
        ("total_tax", vat),
        ("total_price", whole.round_dp(2)),
        ("total_weight", weight),
    ] {
        order.set(name, amount.normalize());
    }
}

/// Checks out: numbers are given, stock goes down, an invoice is made.
fn complete_order(books: &mut Books, key: i64) {
    let Some(mut order) = books.row("orders", key).cloned() else { return };
    let year = books.options.now().strftime("%Y").to_string();
    let number = books.next_order;
    books.next_order += 1;
    order.set("ordernumber_prefix", year.as_str());
    order.set("ordernumber", number);
    order.set("ordernumber_full", format!("{year}-{number}"));
    let invoice = int(&order, "invoicenumber").unwrap_or_else(|| {
        books.next_invoice += 1;
        books.next_invoice - 1
    });
    order.set("invoicenumber", invoice);
    let mut rows = Vec::new();
    for row in order.get("_rows").and_then(Value::as_list).unwrap_or_default() {
        let Value::Map(mut row) = row.clone() else { continue };
        row.set("order_id", key);
        lower_stock(books, &row);
        rows.push(Value::Map(row));
    }
    order.set("_rows", rows);
    books.replace("orders", order.clone());
    add_invoice(books, &order, invoice, num(&order, "total_price"), num(&order, "total_tax"));
}

fn lower_stock(books: &mut Books, row: &Map) {
    let (table, key) = match (int(row, "_variant"), int(row, "product_id")) {
        (Some(variant), _) => ("attributecombinations", variant),
        (None, Some(product)) => ("products", product),
        (None, None) => return,
    };
    let Some(mut owner) = books.row(table, key).cloned() else { return };
    if truth(&owner, "stockenabled", true) {
        owner.set("stock", (num(&owner, "stock") - num(row, "count")).normalize());
        books.replace(table, owner);
    }
}

/// Makes an invoice of what has not been invoiced of an order.
pub(super) fn create_invoice(books: &mut Books, order: i64, body: &Map) -> Result<i64, Refusal> {
    let Some(order) = books.row("orders", order).cloned() else {
        return refuse("404.10", format!("No orders has the id {order}."));
    };
    let key = int(&order, "id").unwrap_or_default();
    let done = books.below("invoices", "order_id", key);
    let sum = |name: &str| done.iter().map(|invoice| num(invoice, name)).sum::<Decimal>();
    let total = num(&order, "total_price") - sum("total_price");
    let vat = num(&order, "total_tax") - sum("total_tax");
    let number = books.next_invoice;
    books.next_invoice += 1;
    let invoice = add_invoice(books, &order, number, total, vat);
    if let Some(mut record) = books.row("invoices", invoice).cloned() {
        body.iter().for_each(|(name, value)| drop(record.set(name.clone(), value.clone())));
        books.replace("invoices", record);
    }
    Ok(invoice)
}

fn add_invoice(books: &mut Books, order: &Map, number: i64, total: Decimal, vat: Decimal) -> i64 {
    let same = |name: &str| order.get(name).cloned().unwrap_or_default();
    let year = order.text("ordernumber_prefix").unwrap_or_default().to_owned();
    let is_paid = truth(order, "paid", false);
    let record = map([
        ("order_id", same("id")),
        ("invoicenumber_prefix", Value::from(year.as_str())),
        ("invoicenumber", Value::Int(number)),
        ("invoicenumber_full", Value::from(format!("{year}-{number}"))),
        ("ordernumber_prefix", same("ordernumber_prefix")),
        ("ordernumber", same("ordernumber")),
        ("ordernumber_full", same("ordernumber_full")),
        ("create_date", Value::from(books.now())),
        ("status", Value::from(if is_paid { "paid" } else { "unpaid" })),
        ("status_name", Value::from(if is_paid { "Betaald" } else { "Onbetaald" })),
        ("type", Value::from(if total.is_sign_negative() { "credit" } else { "debit" })),
        ("taxes_included", same("taxes_included")),
        ("invoice_row_taxes_included", same("order_row_taxes_included")),
        ("shipping_taxes_included", same("shipping_taxes_included")),
        ("shipping_tax_percentage", same("shipping_tax_percentage")),
        ("total_shipping", same("total_shipping")),
        ("total_discounts", same("total_discounts")),
        ("total_price_inc_tax", Value::Decimal(total)),
        ("total_price_exc_tax", Value::Decimal(total - vat)),
        ("total_price", Value::Decimal(total)),
        ("total_tax", Value::Decimal(vat)),
        ("currency", same("currency")),
        ("external_reference", Value::from("")),
        ("user", same("user")),
        ("_rows", same("_rows")),
    ]);
    let key = books.insert("invoices", record);
    if let Some(mut record) = books.row("invoices", key).cloned() {
        record.set("deeplink", format!("https://koffiehuis.ccvshop.nl/invoice/{key}"));
        books.replace("invoices", record);
    }
    key
}

/// Changes one row of an order that is not checked out.
pub(super) fn patch_row(books: &mut Books, key: i64, body: &Map) -> Result<bool, Refusal> {
    let is_it = |row: &Value| row.as_map().and_then(|row| int(row, "id")) == Some(key);
    let rows_of = |order: &Map| order.get("_rows").and_then(Value::as_list).unwrap_or_default().to_vec();
    let Some(mut order) = books.rows("orders").find(|order| rows_of(order).iter().any(is_it)).cloned() else {
        return refuse("404.10", format!("No orderrows has the id {key}."));
    };
    if truth(&order, "is_completed", true) {
        return refuse("403.10", "The rows of a completed order cannot change.");
    }
    let mut rows = rows_of(&order);
    for row in rows.iter_mut().filter(|row| is_it(row)) {
        if let Value::Map(row) = row {
            body.iter().for_each(|(name, value)| drop(row.set(name.clone(), value.clone())));
            reckon_row(row);
        }
    }
    order.set("_rows", rows);
    total(&mut order, &Map::new());
    books.replace("orders", order);
    Ok(true)
}

/// One row, wherever it is.
pub(super) fn row(books: &Books, table: &str, key: i64) -> Option<Map> {
    let parents = if table == "orderrows" { "orders" } else { "invoices" };
    books.rows(parents).find_map(|parent| {
        let rows = parent.get("_rows").and_then(Value::as_list).unwrap_or_default();
        rows.iter().filter_map(Value::as_map).find(|row| int(row, "id") == Some(key)).cloned()
    })
}

/// Tells webhooks of an order, in few words.
fn tell(books: &mut Books, event: &'static str, key: i64, before: Option<i64>) {
    let Some(order) = books.row("orders", key) else { return };
    let same = |name: &str| order.get(name).cloned().unwrap_or_default();
    let mut body = map([
        ("triggered_at", Value::from(books.now())),
        ("href", Value::from(format!("https://koffiehuis.ccvshop.nl/api/rest/v1/orders/{key}/"))),
        ("id", Value::Int(key)),
        ("order_number", same("ordernumber")),
        ("ordernumber_prefix", same("ordernumber_prefix")),
        ("ordernumber_full", same("ordernumber_full")),
        ("total_price", same("total_price")),
        ("track_and_trace_code", same("track_and_trace_code")),
        ("track_and_trace_carrier", same("track_and_trace_carrier")),
        ("customer_email", order.at("customer.email").cloned().unwrap_or_default()),
        ("customer_mobile", order.at("customer.billingaddress.mobile").cloned().unwrap_or_default()),
    ]);
    if event == "orders.updated.status" {
        body.set(Text::from_static("previous_status"), before);
        body.set(Text::from_static("status"), same("status"));
    }
    books.events.push((event, body));
}

//! What a record has to be before the account takes it.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::Refusal;
use super::books::{Books, List, text};
use axum::http::StatusCode;

type Details = Vec<(String, String)>;

/// A record has to be an object.
pub(super) fn members(record: Value) -> Result<Map<String, Value>, Refusal> {
    match record {
        Value::Object(map) => Ok(map),
        _ => Err(Refusal::new(StatusCode::BAD_REQUEST, "bad_request", "the body has to be an object")),
    }
}

/// Every rule that the record breaks, at once.
pub(super) fn check(
    books: &Books,
    list: List,
    record: &Map<String, Value>,
    creating: bool,
) -> Result<(), Refusal> {
    let mut details = Details::new();
    for name in required(list) {
        let given = record.get(*name);
        let is_empty = given.is_none_or(|value| value.is_null() || value.as_str() == Some(""));
        if is_empty && (creating || given.is_some()) {
            details.push(((*name).to_owned(), "is required".to_owned()));
        }
    }
    for (name, value) in record {
        if !fields(list).contains(&name.as_str()) {
            details.push((name.clone(), "is not known".to_owned()));
        }
        let longest = longest(list, name);
        if value.as_str().is_some_and(|text| text.chars().count() > longest) {
            details.push((name.clone(), format!("may have {longest} characters at most")));
        }
        let is_amount = matches!(name.as_str(), "price" | "quantity" | "shipping_cost" | "discount");
        if is_amount && !value.is_null() && !is_number(value) {
            details.push((name.clone(), "has to be a number".to_owned()));
        }
    }
    match list {
        List::Products => product(books, record, &mut details),
        List::Orders => order(books, record, &mut details),
        List::Categories => category(books, record, &mut details),
        List::Customers => customer(record, &mut details),
        List::Stock | List::TaxCodes => {}
    }
    if details.is_empty() { Ok(()) } else { Err(Refusal::invalid(details)) }
}

const fn required(list: List) -> &'static [&'static str] {
    match list {
        List::Products => &["sku", "name"],
        List::Customers => &["email"],
        List::Orders => &["reference"],
        List::Categories => &["code", "name"],
        List::Stock => &["quantity"],
        List::TaxCodes => &[],
    }
}

const fn fields(list: List) -> &'static [&'static str] {
    match list {
        List::Products => &[
            "sku",
            "name",
            "description",
            "short_description",
            "price",
            "price_includes_tax",
            "tax_code",
            "ean",
            "currency",
            "quantity",
            "category_codes",
            "type",
            "parent_sku",
            "attributes",
            "features",
        ],
        List::Stock => &["quantity", "managed"],
        List::Customers => &[
            "type",
            "company_name",
            "first_name",
            "last_name",
            "email",
            "phone",
            "vat_number",
            "billing",
            "shipping",
            "contacts",
            "payment_term",
        ],
        List::Orders => &[
            "reference",
            "order_date",
            "status",
            "currency",
            "customer_id",
            "billing",
            "shipping",
            "payment_method",
            "payment_term",
            "shipping_method",
            "shipping_cost",
            "discount",
            "lines",
        ],
        List::Categories => &["code", "name", "parent_code"],
        List::TaxCodes => &[],
    }
}

fn longest(list: List, name: &str) -> usize {
    match (list, name) {
        (List::Products, "sku") => 40,
        (List::Products, "name") => 120,
        (List::Products, "ean") => 14,
        _ => usize::MAX,
    }
}

/// A number, or a text that is one.
fn is_number(value: &Value) -> bool {
    match value {
        Value::Number(_) => true,
        Value::String(text) => text.parse::<Decimal>().is_ok(),
        _ => false,
    }
}

fn given<'r>(record: &'r Map<String, Value>, name: &str) -> Option<&'r str> {
    record.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

fn tax_code(books: &Books, code: Option<&str>, place: &str, details: &mut Details) {
    if let Some(code) = code.filter(|code| !books.tax_codes.iter().any(|known| text(known, "code") == *code))
    {
        details.push((place.to_owned(), format!("{code} is not a tax code")));
    }
}

fn product(books: &Books, record: &Map<String, Value>, details: &mut Details) {
    tax_code(books, given(record, "tax_code"), "tax_code", details);
    for code in record.get("category_codes").and_then(Value::as_array).into_iter().flatten() {
        let code = code.as_str().unwrap_or_default();
        if !books.categories.iter().any(|known| text(known, "code") == code) {
            details.push(("category_codes".to_owned(), format!("{code} is not a category")));
        }
    }
    let kind = given(record, "type");
    if kind.is_some_and(|kind| !["simple", "configurable", "variant"].contains(&kind)) {
        details.push(("type".to_owned(), "is none of simple, configurable, variant".to_owned()));
    }
    let parent = given(record, "parent_sku");
    if kind == Some("variant") && parent.is_none() {
        details.push(("parent_sku".to_owned(), "is required for a variant".to_owned()));
    }
    if let Some(parent) = parent
        && !books.products.iter().any(|known| text(known, "sku") == parent)
    {
        details.push(("parent_sku".to_owned(), format!("there is no product {parent}")));
    }
}

fn order(books: &Books, record: &Map<String, Value>, details: &mut Details) {
    if let Some(id) = given(record, "customer_id")
        && !books.customers.iter().any(|known| text(known, "id") == id)
    {
        details.push(("customer_id".to_owned(), format!("there is no customer {id}")));
    }
    for (at, line) in record.get("lines").and_then(Value::as_array).into_iter().flatten().enumerate() {
        let sku = text(line, "sku");
        if !books.products.iter().any(|known| text(known, "sku") == sku) {
            details.push((format!("lines[{at}].sku"), format!("there is no product {sku}")));
        }
        if !line.get("quantity").is_some_and(is_number) {
            details.push((format!("lines[{at}].quantity"), "has to be a number".to_owned()));
        }
        tax_code(
            books,
            line.get("tax_code").and_then(Value::as_str),
            &format!("lines[{at}].tax_code"),
            details,
        );
    }
}

fn category(books: &Books, record: &Map<String, Value>, details: &mut Details) {
    if let Some(parent) = given(record, "parent_code")
        && !books.categories.iter().any(|known| text(known, "code") == parent)
    {
        details.push(("parent_code".to_owned(), format!("there is no category {parent}")));
    }
}

fn customer(record: &Map<String, Value>, details: &mut Details) {
    if given(record, "email").is_some_and(|email| !email.contains('@')) {
        details.push(("email".to_owned(), "is no e-mail address".to_owned()));
    }
    if given(record, "type").is_some_and(|kind| !["company", "person"].contains(&kind)) {
        details.push(("type".to_owned(), "is neither company nor person".to_owned()));
    }
}

//! What a body must look like. Names that are not known are dropped without a word, as the
//! real service does; everything else that is wrong is refused by name.

use serde_json::{Map, Value, json};

use super::books::{Books, Refusal, invalid};

/// A member of a body.
pub(super) struct Field {
    pub(super) name: &'static str,
    kind: Kind,
    required: bool,
    nullable: bool,
}

/// What a member may hold.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Number,
    Truth,
    Day,
    Moment,
    Money,
    Words(&'static [&'static str]),
    /// The identifier of a row of that table.
    Of(&'static str),
    Object(&'static [Field]),
    List(&'static [Field]),
    Texts,
    Customer,
    CustomFields,
}

pub(super) const CURRENCIES: &[&str] = &[
    "BAM", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EUR", "GBP", "INR", "ISK", "JPY", "MAD", "MXN",
    "NOK", "PEN", "PLN", "RON", "SEK", "TRY", "USD", "ZAR",
];

/// May be left out, and be null.
pub(super) const fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false, nullable: true }
}

/// May be left out, not be null.
const fn some(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: false, nullable: false }
}

/// Must be there.
pub(super) const fn must(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true, nullable: false }
}

/// Must be there, if only as null.
const fn told(name: &'static str, kind: Kind) -> Field {
    Field { name, kind, required: true, nullable: true }
}

const ADDRESS: &[Field] = &[
    must("type", Kind::Words(&["primary", "invoicing", "delivery", "visiting"])),
    must(
        "address",
        Kind::Object(&[
            told("line_1", Kind::Text),
            told("postal_code", Kind::Text),
            told("city", Kind::Text),
            must("country", Kind::Text),
            may("area_level_two_id", Kind::Text),
            may("addressee", Kind::Text),
        ]),
    ),
];

pub(super) const COMPANY: &[Field] = &[
    must("name", Kind::Text),
    may("business_type_id", Kind::Of("business_types")),
    may("vat_number", Kind::Text),
    may("national_identification_number", Kind::Text),
    some("emails", Kind::List(&[must("type", Kind::Words(&["primary", "invoicing"])), must("email", Kind::Text)])),
    some("telephones", Kind::List(&[must("type", Kind::Words(&["phone", "fax"])), must("number", Kind::Text)])),
    may("website", Kind::Text),
    some("addresses", Kind::List(ADDRESS)),
    may("iban", Kind::Text),
    may("bic", Kind::Text),
    may("language", Kind::Text),
    may("responsible_user_id", Kind::Of("users")),
    may("remarks", Kind::Text),
    some("tags", Kind::Texts),
    some("custom_fields", Kind::CustomFields),
    some("marketing_mails_consent", Kind::Truth),
    may("preferred_currency", Kind::Words(CURRENCIES)),
];

pub(super) const CONTACT: &[Field] = &[
    must("last_name", Kind::Text),
    may("first_name", Kind::Text),
    may("salutation", Kind::Text),
    some("emails", Kind::List(&[must("type", Kind::Words(&["primary"])), must("email", Kind::Text)])),
    some(
        "telephones",
        Kind::List(&[must("type", Kind::Words(&["phone", "mobile", "fax"])), must("number", Kind::Text)]),
    ),
    may("website", Kind::Text),
    some("addresses", Kind::List(ADDRESS)),
    may("language", Kind::Text),
    may("gender", Kind::Words(&["female", "male", "non_binary", "prefers_not_to_say", "unknown"])),
    may("birthdate", Kind::Day),
    may("iban", Kind::Text),
    may("bic", Kind::Text),
    may("national_identification_number", Kind::Text),
    may("remarks", Kind::Text),
    some("tags", Kind::Texts),
    some("custom_fields", Kind::CustomFields),
    some("marketing_mails_consent", Kind::Truth),
];

pub(super) const LINK: &[Field] = &[
    must("id", Kind::Of("contacts")),
    must("company_id", Kind::Of("companies")),
    some("position", Kind::Text),
    some("decision_maker", Kind::Truth),
];

pub(super) const PRODUCT: &[Field] = &[
    some("name", Kind::Text),
    some("code", Kind::Text),
    may("description", Kind::Text),
    may("purchase_price", Kind::Money),
    may("selling_price", Kind::Money),
    may("unit_of_measure_id", Kind::Of("units_of_measure")),
    some(
        "price_list_prices",
        Kind::List(&[must("price_list_id", Kind::Of("price_lists")), must("price", Kind::Money)]),
    ),
    some("stock", Kind::Object(&[may("amount", Kind::Number)])),
    may(
        "configuration",
        Kind::Object(&[may(
            "stock_threshold",
            Kind::Object(&[must("minimum", Kind::Number), must("action", Kind::Words(&["notify"]))]),
        )]),
    ),
    may("department_id", Kind::Of("departments")),
    may("product_category_id", Kind::Of("product_categories")),
    may("tax_rate_id", Kind::Of("tax_rates")),
    some("custom_fields", Kind::CustomFields),
];

pub(super) const DEAL: &[Field] = &[
    must(
        "lead",
        Kind::Object(&[must("customer", Kind::Customer), some("contact_person_id", Kind::Of("contacts"))]),
    ),
    must("title", Kind::Text),
    may("summary", Kind::Text),
    may("source_id", Kind::Of("deal_sources")),
    may("department_id", Kind::Of("departments")),
    may("responsible_user_id", Kind::Of("users")),
    some("phase_id", Kind::Of("deal_phases")),
    may("estimated_value", Kind::Money),
    may("estimated_probability", Kind::Number),
    may("estimated_closing_date", Kind::Day),
    some("custom_fields", Kind::CustomFields),
    some(
        "currency",
        Kind::Object(&[must("code", Kind::Words(CURRENCIES)), must("exchange_rate", Kind::Number)]),
    ),
];

const PRICE: &[Field] = &[must("amount", Kind::Number), must("tax", Kind::Words(&["excluding"]))];
const DISCOUNT: &[Field] = &[must("value", Kind::Number), must("type", Kind::Words(&["percentage"]))];
const DISCOUNTS: &[Field] = &[
    some("type", Kind::Words(&["percentage"])),
    some("value", Kind::Number),
    some("description", Kind::Text),
];
const SECTION: Field = some("section", Kind::Object(&[must("title", Kind::Text)]));
const CURRENCY: Field = some(
    "currency",
    Kind::Object(&[must("code", Kind::Words(CURRENCIES)), some("exchange_rate", Kind::Number)]),
);

const QUOTATION_LINES: &[Field] = &[
    SECTION,
    must(
        "line_items",
        Kind::List(&[
            must("quantity", Kind::Number),
            must("description", Kind::Text),
            some("extended_description", Kind::Text),
            may("unit_of_measure_id", Kind::Of("units_of_measure")),
            must("unit_price", Kind::Object(PRICE)),
            must("tax_rate_id", Kind::Of("tax_rates")),
            some("discount", Kind::Object(DISCOUNT)),
            some("product_id", Kind::Of("products")),
            may("purchase_price", Kind::Money),
        ]),
    ),
];

pub(super) const QUOTATION: &[Field] = &[
    must("deal_id", Kind::Of("deals")),
    CURRENCY,
    some("grouped_lines", Kind::List(QUOTATION_LINES)),
    some("discounts", Kind::List(DISCOUNTS)),
    may("text", Kind::Text),
    some("document_template_id", Kind::Text),
    some(
        "expiry",
        Kind::Object(&[may("expires_after", Kind::Day), must("action_after_expiry", Kind::Words(&["lock", "none"]))]),
    ),
];

const INVOICE_LINES: &[Field] = &[
    SECTION,
    must(
        "line_items",
        Kind::List(&[
            must("quantity", Kind::Number),
            must("description", Kind::Text),
            may("extended_description", Kind::Text),
            may("unit_of_measure_id", Kind::Of("units_of_measure")),
            must("unit_price", Kind::Object(PRICE)),
            must("tax_rate_id", Kind::Of("tax_rates")),
            some("discount", Kind::Object(DISCOUNT)),
            some("product_id", Kind::Of("products")),
            some("withholding_tax_rate_id", Kind::Of("withholding_tax_rates")),
            some("product_category_id", Kind::Of("product_categories")),
        ]),
    ),
];

pub(super) const INVOICE: &[Field] = &[
    must(
        "invoicee",
        Kind::Object(&[
            must("customer", Kind::Customer),
            some("for_attention_of", Kind::Object(&[some("name", Kind::Text), some("contact_id", Kind::Of("contacts"))])),
        ]),
    ),
    must("department_id", Kind::Of("departments")),
    must(
        "payment_term",
        Kind::Object(&[
            must("type", Kind::Words(&["cash", "end_of_month", "after_invoice_date"])),
            some("days", Kind::Number),
        ]),
    ),
    CURRENCY,
    some("project_id", Kind::Text),
    some("purchase_order_number", Kind::Text),
    must("grouped_lines", Kind::List(INVOICE_LINES)),
    some("invoice_date", Kind::Day),
    some("discounts", Kind::List(DISCOUNTS)),
    may("note", Kind::Text),
    may(
        "expected_payment_method",
        Kind::Object(&[
            must(
                "method",
                Kind::Words(&[
                    "sepa_direct_debit", "direct_debit", "credit_card", "cash", "cheque", "bankers_draft",
                    "bank_transfer", "payment_card",
                ]),
            ),
            may("reference", Kind::Text),
        ]),
    ),
    some("custom_fields", Kind::CustomFields),
    some("document_template_id", Kind::Text),
    may("delivery_date", Kind::Day),
];

pub(super) const BOOK: &[Field] = &[must("on", Kind::Day)];
pub(super) const PAYMENT: &[Field] = &[
    must("payment", Kind::Money),
    must("paid_at", Kind::Moment),
    some("payment_method_id", Kind::Of("payment_methods")),
];
pub(super) const MOVE: &[Field] = &[must("phase_id", Kind::Of("deal_phases"))];
pub(super) const CREDIT: &[Field] = &[some("credit_note_date", Kind::Day)];

/// What is left of a body, checked. Updates need nothing but what they say.
pub(super) fn check(
    books: &mut Books,
    fields: &[Field],
    body: &Map<String, Value>,
    is_new: bool,
    free: &[&str],
) -> Result<Map<String, Value>, Refusal> {
    within(books, fields, body, is_new, "", free)
}

fn within(
    books: &mut Books,
    fields: &[Field],
    body: &Map<String, Value>,
    is_new: bool,
    place: &str,
    free: &[&str],
) -> Result<Map<String, Value>, Refusal> {
    for name in body.keys() {
        let is_known = fields.iter().any(|field| field.name == name) || free.contains(&name.as_str());
        if !is_known {
            books.ignored.push(format!("{place}{name}"));
        }
    }
    let mut clean = Map::new();
    for field in fields {
        let path = format!("{place}{}", field.name);
        match body.get(field.name) {
            None if field.required && is_new => return invalid(&path, format!("{path} must not be empty")),
            None => {}
            Some(Value::Null) if field.nullable => drop(clean.insert(field.name.to_owned(), Value::Null)),
            Some(Value::Null) => return invalid(&path, format!("{path} must not be empty")),
            Some(value) => {
                let value = fits(books, field.kind, value, &path)?;
                clean.insert(field.name.to_owned(), value);
            }
        }
    }
    Ok(clean)
}

fn fits(books: &mut Books, kind: Kind, value: &Value, path: &str) -> Result<Value, Refusal> {
    let wrong = || invalid::<Value>(path, format!("{path} must be valid"));
    let kept = |is_right: bool| if is_right { Ok(value.clone()) } else { wrong() };
    match kind {
        Kind::Text => match value.as_str() {
            Some("") => invalid(path, format!("{path} must not be empty")),
            Some(_) => Ok(value.clone()),
            None => wrong(),
        },
        Kind::Number => kept(value.is_number()),
        Kind::Truth => kept(value.is_boolean()),
        Kind::Day => kept(value.as_str().is_some_and(|day| day.len() == 10 && day.parse::<jiff::civil::Date>().is_ok())),
        Kind::Moment => kept(value.as_str().is_some_and(is_moment)),
        Kind::Words(words) => kept(value.as_str().is_some_and(|word| words.contains(&word))),
        Kind::Of(table) => match value.as_str() {
            Some(id) if books.row(table, id).is_some() => Ok(value.clone()),
            _ => wrong(),
        },
        Kind::Texts => kept(value.as_array().is_some_and(|items| items.iter().all(Value::is_string))),
        Kind::Money => {
            let amount = value.get("amount").is_some_and(Value::is_number);
            let currency = value.get("currency").and_then(Value::as_str);
            kept(amount && currency.is_some_and(|code| CURRENCIES.contains(&code)))
        }
        Kind::Customer => {
            let table = match value.get("type").and_then(Value::as_str) {
                Some("company") => "companies",
                Some("contact") => "contacts",
                _ => return wrong(),
            };
            let id = value.get("id").and_then(Value::as_str).unwrap_or_default();
            kept(books.row(table, id).is_some())
        }
        Kind::Object(fields) => match value.as_object() {
            Some(map) => Ok(Value::Object(within(books, fields, map, true, &format!("{path}."), &[])?)),
            None => wrong(),
        },
        Kind::List(fields) => {
            let Some(items) = value.as_array() else { return wrong() };
            let mut clean = Vec::with_capacity(items.len());
            for item in items {
                let Some(map) = item.as_object() else { return wrong() };
                clean.push(Value::Object(within(books, fields, map, true, &format!("{path}."), &[])?));
            }
            Ok(Value::Array(clean))
        }
        Kind::CustomFields => custom_fields(books, value, path),
    }
}

/// Fields of the account: the definition must be there, and a choice is given by its words.
fn custom_fields(books: &Books, value: &Value, path: &str) -> Result<Value, Refusal> {
    let Some(items) = value.as_array() else { return invalid(path, format!("{path} must be valid")) };
    let mut clean = Vec::with_capacity(items.len());
    for item in items {
        let id = item.get("id").and_then(Value::as_str).unwrap_or_default();
        let value = item.get("value").cloned().unwrap_or(Value::Null);
        let Some(definition) = books.row("custom_field_definitions", id) else {
            return invalid(path, format!("The custom field with id {id} does not exist"));
        };
        let options = definition.pointer("/configuration/options").and_then(Value::as_array);
        let is_choice = |text: &str| {
            options.is_none_or(|all| all.iter().any(|one| one.get("value").and_then(Value::as_str) == Some(text)))
        };
        let is_right = match definition.get("type").and_then(Value::as_str) {
            _ if value.is_null() => true,
            Some("single_select") => value.as_str().is_some_and(is_choice),
            Some("multi_select") => {
                value.as_array().is_some_and(|all| all.iter().all(|one| one.as_str().is_some_and(is_choice)))
            }
            Some("integer" | "number" | "money") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            _ => value.is_string(),
        };
        if !is_right {
            return invalid(path, format!("The custom field with id {id} has an invalid value"));
        }
        clean.push(json!({"definition": {"type": "customFieldDefinition", "id": id}, "value": value}));
    }
    Ok(Value::Array(clean))
}

/// A moment with a zone; a bare date is none.
pub(super) fn is_moment(text: &str) -> bool {
    text.as_bytes().get(10) == Some(&b'T') && text.parse::<jiff::Timestamp>().is_ok()
}

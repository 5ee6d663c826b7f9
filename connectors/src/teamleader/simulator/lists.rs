//! Lists: filters, order, pages, and what a list leaves out.

use serde_json::{Map, Value, json};

use super::books::{Books, Refusal, at, invalid, set, text};
use super::rules::is_moment;

/// How a table is listed.
pub(super) struct Listed {
    pub(super) table: &'static str,
    pub(super) filters: &'static [&'static str],
    /// What it can be sorted by; the first is how it stands by itself when that is not the
    /// order of making.
    pub(super) sorts: &'static [&'static str],
    /// Has pages.
    pub(super) paged: bool,
    /// What only the record itself tells.
    pub(super) omits: &'static [&'static str],
    /// What has to be asked for.
    pub(super) includes: &'static [&'static str],
}

const fn plain(table: &'static str, filters: &'static [&'static str], paged: bool) -> Listed {
    Listed { table, filters, sorts: &[], paged, omits: &[], includes: &[] }
}

const PARTY_OMITS: &[&str] = &["addresses", "remarks", "vat_number_of_contact", "companies"];
const DOCUMENT: &[&str] = &["grouped_lines", "discounts", "text", "currency", "document_template"];

/// The list behind an area.
#[expect(clippy::too_many_lines, reason = "a table of data")]
pub(super) fn listed(area: &str) -> Option<Listed> {
    const PARTY: &[&str] = &[
        "email",
        "ids",
        "term",
        "updated_since",
        "tags",
        "vat_number",
        "national_identification_number",
        "status",
        "marketing_mails_consent",
    ];
    Some(match area {
        "companies" => Listed {
            table: "companies",
            filters: PARTY,
            sorts: &["name", "added_at", "updated_at"],
            paged: true,
            omits: PARTY_OMITS,
            includes: &["custom_fields", "price_list"],
        },
        "contacts" => Listed {
            table: "contacts",
            filters: &[
                "email",
                "ids",
                "company_id",
                "term",
                "updated_since",
                "tags",
                "status",
                "marketing_mails_consent",
            ],
            sorts: &["name", "added_at", "updated_at"],
            paged: true,
            omits: PARTY_OMITS,
            includes: &["custom_fields", "price_list"],
        },
        "products" => Listed {
            table: "products",
            filters: &["ids", "term", "updated_since"],
            sorts: &[],
            paged: true,
            omits: &[
                "purchase_price",
                "selling_price",
                "tax",
                "custom_fields",
                "price_list_prices",
                "product_category",
                "suppliers",
            ],
            includes: &[],
        },
        "deals" => Listed {
            table: "deals",
            filters: &[
                "ids",
                "term",
                "customer",
                "phase_id",
                "responsible_user_id",
                "updated_since",
                "status",
                "pipeline_ids",
            ],
            sorts: &["created_at", "weighted_value"],
            paged: true,
            omits: &["quotations", "phase_history"],
            includes: &["custom_fields"],
        },
        "quotations" => Listed { omits: DOCUMENT, ..plain("quotations", &["ids"], true) },
        "orders" => Listed {
            omits: &["grouped_lines"],
            includes: &["custom_fields"],
            ..plain("orders", &["ids"], true)
        },
        "invoices" => Listed {
            table: "invoices",
            filters: &[
                "ids",
                "term",
                "invoice_number",
                "department_id",
                "deal_id",
                "status",
                "updated_since",
                "purchase_order_number",
                "payment_reference",
                "customer",
                "invoice_date_after",
                "invoice_date_before",
            ],
            sorts: &["invoice_number", "invoice_date"],
            paged: true,
            omits: &[
                "grouped_lines",
                "discounts",
                "currency",
                "document_template",
                "payment_term",
                "payments",
                "note",
                "expected_payment_method",
                "on_hold_since",
                "custom_fields",
                "peppol_status",
            ],
            includes: &[],
        },
        "creditNotes" => Listed {
            omits: DOCUMENT,
            ..plain(
                "credit_notes",
                &["ids", "department_id", "updated_since", "invoice_id", "customer"],
                true,
            )
        },
        "productCategories" => plain("product_categories", &["department_id"], false),
        "departments" => plain("departments", &["ids", "status"], false),
        "taxRates" => plain("tax_rates", &["department_id"], true),
        "withholdingTaxRates" => plain("withholding_tax_rates", &["department_id"], false),
        "paymentTerms" => plain("payment_terms", &[], false),
        "paymentMethods" => plain("payment_methods", &["ids", "status"], true),
        "unitsOfMeasure" => plain("units_of_measure", &[], false),
        "priceLists" => plain("price_lists", &["ids"], false),
        "commercialDiscounts" => {
            Listed { omits: &["id"], ..plain("commercial_discounts", &["department_id"], false) }
        }
        "customFieldDefinitions" => plain("custom_field_definitions", &["ids", "context"], true),
        "users" => plain("users", &["ids", "term", "status"], true),
        "businessTypes" => plain("business_types", &[], false),
        "dealPhases" => plain("deal_phases", &["ids"], true),
        "dealSources" => plain("deal_sources", &["ids"], true),
        _ => return None,
    })
}

/// Answers a list.
pub(super) fn answer(books: &mut Books, list: &Listed, body: &Map<String, Value>) -> Result<Value, Refusal> {
    for name in body
        .keys()
        .filter(|name| !matches!(name.as_str(), "filter" | "page" | "sort" | "includes" | "country"))
    {
        books.ignored.push(name.clone());
    }
    let filter = body.get("filter").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut rows: Vec<Value> = books.rows(list.table).to_vec();
    if let Some(country) = body.get("country").and_then(Value::as_str) {
        rows.retain(|row| text(row, "country") == Some(country));
    }
    for (name, wanted) in &filter {
        if !list.filters.contains(&name.as_str()) {
            // The trap: the filter is not known and everything is given.
            books.ignored.push(format!("filter.{name}"));
            continue;
        }
        check_filter(name, wanted)?;
        let exclusive = books.options.since_is_exclusive;
        let links: Vec<Value> = books.rows("company_contacts").to_vec();
        rows.retain(|row| passes(row, name, wanted, exclusive, &links));
    }
    sort(list, body, &mut rows);
    let rows = if list.paged { paged(books, body, rows)? } else { rows };
    let includes = body.get("includes").and_then(Value::as_str).unwrap_or_default();
    let shown: Vec<Value> = rows.into_iter().map(|row| show(list, row, includes)).collect();
    let mut reply = json!({"data": shown});
    if list.table == "payment_terms" {
        let standard = books.rows("payment_terms").iter().find(|row| row.get("days") == Some(&json!(30)));
        set(&mut reply, "meta", json!({"default": standard.and_then(|row| text(row, "id"))}));
    }
    Ok(reply)
}

fn check_filter(name: &str, wanted: &Value) -> Result<(), Refusal> {
    let is_right = match name {
        "updated_since" => wanted.as_str().is_some_and(is_moment),
        "ids" | "tags" | "pipeline_ids" => wanted.is_array(),
        "status" => match wanted {
            Value::String(word) => matches!(word.as_str(), "active" | "deactivated"),
            Value::Array(words) => words.iter().all(|word| {
                word.as_str().is_some_and(|word| {
                    ["new", "open", "won", "lost", "draft", "outstanding", "matched", "active", "archived"]
                        .contains(&word)
                })
            }),
            _ => false,
        },
        "email" => {
            wanted.get("type").and_then(Value::as_str) == Some("primary") && wanted.get("email").is_some()
        }
        "customer" => wanted.get("type").is_some() && wanted.get("id").is_some(),
        _ => wanted.is_string() || wanted.is_boolean(),
    };
    if is_right { Ok(()) } else { invalid(name, format!("{name} must be valid")) }
}

fn bare(text: &str) -> String {
    text.chars().filter(|letter| letter.is_alphanumeric()).collect::<String>().to_uppercase()
}

fn passes(row: &Value, name: &str, wanted: &Value, exclusive: bool, links: &[Value]) -> bool {
    let word = wanted.as_str().unwrap_or_default();
    match name {
        "ids" => wanted.as_array().is_some_and(|ids| ids.iter().any(|id| id.as_str() == text(row, "id"))),
        "updated_since" => {
            let (since, changed) =
                (word.parse::<jiff::Timestamp>(), text(row, "updated_at").unwrap_or_default());
            match (since, changed.parse::<jiff::Timestamp>()) {
                (Ok(since), Ok(changed)) if exclusive => changed > since,
                (Ok(since), Ok(changed)) => changed >= since,
                _ => false,
            }
        }
        "email" => {
            let wanted = wanted.get("email").and_then(Value::as_str).unwrap_or_default().to_lowercase();
            entries(row, "emails").any(|entry| {
                text(entry, "type") == Some("primary")
                    && text(entry, "email").is_some_and(|email| email.to_lowercase() == wanted)
            })
        }
        "term" => has_term(row, &word.to_lowercase()),
        "vat_number" => text(row, "vat_number").is_some_and(|number| bare(number) == bare(word)),
        "company_id" => links.iter().any(|link| {
            text(link, "company_id") == Some(word) && text(link, "contact_id") == text(row, "id")
        }),
        "customer" => {
            let id = wanted.get("id").and_then(Value::as_str);
            at(row, "/lead/customer/id").or_else(|| at(row, "/invoicee/customer/id")) == id
        }
        "department_id" => {
            let listed = entries(row, "ledgers").any(|ledger| at(ledger, "/department/id") == Some(word));
            listed || at(row, "/department/id") == Some(word)
        }
        "invoice_id" => at(row, "/invoice/id") == Some(word),
        "deal_id" => at(row, "/deal/id") == Some(word),
        "phase_id" => at(row, "/current_phase/id") == Some(word),
        "invoice_date_after" => text(row, "invoice_date").is_some_and(|day| day >= word),
        "invoice_date_before" => text(row, "invoice_date").is_some_and(|day| day <= word),
        "tags" => {
            let has = |tag: &Value| {
                row.get("tags").and_then(Value::as_array).is_some_and(|tags| tags.contains(tag))
            };
            wanted.as_array().is_some_and(|tags| tags.iter().all(has))
        }
        _ => match wanted {
            Value::Array(words) => words.iter().any(|word| row.get(name) == Some(word)),
            other => row.get(name) == Some(other),
        },
    }
}

fn entries<'a>(row: &'a Value, list: &str) -> impl Iterator<Item = &'a Value> {
    row.get(list).and_then(Value::as_array).into_iter().flatten()
}

/// Terms find parts of whatever people look for.
fn has_term(row: &Value, term: &str) -> bool {
    const NAMES: [&str; 9] = [
        "name",
        "code",
        "title",
        "reference",
        "vat_number",
        "first_name",
        "last_name",
        "invoice_number",
        "purchase_order_number",
    ];
    let holds = |text: Option<&str>| text.is_some_and(|text| text.to_lowercase().contains(term));
    NAMES.iter().any(|name| holds(text(row, name)))
        || entries(row, "emails").any(|entry| holds(text(entry, "email")))
        || entries(row, "telephones").any(|entry| holds(text(entry, "number")))
}

fn sort(list: &Listed, body: &Map<String, Value>, rows: &mut [Value]) {
    let order = body.get("sort").and_then(|sort| sort.get(0));
    let asked = order.and_then(|order| text(order, "field")).filter(|field| list.sorts.contains(field));
    let (field, descends) = match (asked, list.table) {
        (Some(field), _) => (field, order.and_then(|order| text(order, "order")) == Some("desc")),
        (None, "deals") => ("created_at", true),
        (None, "invoices") => ("invoice_number", true),
        (None, _) => return,
    };
    rows.sort_by_key(|row| match field {
        "name" => text(row, "name").or_else(|| text(row, "last_name")).unwrap_or_default().to_lowercase(),
        // Drafts come first when the numbers descend.
        "invoice_number" => {
            let number = text(row, "invoice_number").map(|number| {
                let (year, count) = number.split_once(" / ").unwrap_or((number, ""));
                format!("{year}{count:0>8}")
            });
            number.unwrap_or_else(|| "~".to_owned())
        }
        field => text(row, field).unwrap_or_default().to_owned(),
    });
    if descends {
        rows.reverse();
    }
}

fn paged(books: &Books, body: &Map<String, Value>, rows: Vec<Value>) -> Result<Vec<Value>, Refusal> {
    let page = body.get("page");
    let number = |name: &str, standard: u64| match page.and_then(|page| page.get(name)) {
        None => Ok(standard),
        Some(value) => match value.as_u64() {
            Some(number) if number > 0 => Ok(number),
            _ => invalid(&format!("page.{name}"), format!("page.{name} must be valid")),
        },
    };
    let (mut size, place) = (number("size", 20)?, number("number", 1)?);
    if size > 100 {
        if !books.options.clamps_pages {
            return invalid("page.size", "page.size must be less than or equal to 100");
        }
        size = 100;
    }
    let size = usize::try_from(size).unwrap_or(20);
    let start = usize::try_from(place - 1).unwrap_or(0).saturating_mul(size);
    Ok(rows.into_iter().skip(start).take(size).collect())
}

/// A row as a list shows it.
fn show(list: &Listed, mut row: Value, includes: &str) -> Value {
    let primary = entries(&row, "addresses")
        .find(|entry| text(entry, "type") == Some("primary"))
        .and_then(|entry| entry.get("address"))
        .cloned();
    if let Some(map) = row.as_object_mut() {
        if matches!(list.table, "companies" | "contacts") {
            let mut primary = primary.unwrap_or(Value::Null);
            if let Some(address) = primary.as_object_mut() {
                address.remove("addressee");
            }
            map.insert("primary_address".to_owned(), primary);
        }
        if list.table == "contacts" {
            map.remove("vat_number");
        }
        if let Some(invoicee) = map.get_mut("invoicee").and_then(Value::as_object_mut) {
            invoicee.remove("email");
            invoicee.remove("national_identification_number");
        }
        for name in list.omits {
            map.remove(*name);
        }
        for name in list.includes {
            if !includes.split(',').any(|wanted| wanted.trim() == *name) {
                map.remove(*name);
            }
        }
    }
    row
}

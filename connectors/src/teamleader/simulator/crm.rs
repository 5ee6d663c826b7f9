//! What happens to companies, contacts, their links, and products.

use serde_json::{Map, Value, json};

use super::books::{Books, Refusal, at, invalid, missing, reference, set, text};
use super::rules::{self, check};

type Body = Map<String, Value>;

fn get(body: &Body, name: &str) -> Value {
    body.get(name).cloned().unwrap_or_default()
}

/// A list that a reply always has.
fn list(body: &Body, name: &str) -> Value {
    match body.get(name) {
        Some(Value::Array(items)) => Value::Array(items.clone()),
        _ => json!([]),
    }
}

pub(super) fn kind_of(table: &str) -> &'static str {
    match table {
        "companies" => "company",
        "contacts" => "contact",
        "deals" => "deal",
        _ => "product",
    }
}

/// Adds a company or a contact.
pub(super) fn add_party(books: &mut Books, table: &'static str, body: &Body) -> Result<String, Refusal> {
    let fields = if table == "companies" { rules::COMPANY } else { rules::CONTACT };
    let body = check(books, fields, body, true, &[])?;
    let stamp = books.stamp();
    let mut row = json!({
        "status": "active",
        "emails": [], "telephones": [], "addresses": [], "tags": [], "custom_fields": [],
        "website": null, "iban": null, "bic": null, "language": "nl", "remarks": null,
        "national_identification_number": null,
        "payment_term": {"type": "after_invoice_date", "days": 30},
        "invoicing_preferences": {"electronic_invoicing_address": null},
        "marketing_mails_consent": false, "price_list": null,
        "added_at": stamp, "updated_at": stamp,
    });
    if table == "companies" {
        for (name, value) in [
            ("name", Value::Null),
            ("business_type", Value::Null),
            ("vat_number", Value::Null),
            ("preferred_currency", json!("EUR")),
            ("responsible_user", Value::Null),
        ] {
            set(&mut row, name, value);
        }
    } else {
        for name in ["first_name", "last_name", "salutation", "vat_number", "gender", "birthdate"] {
            set(&mut row, name, Value::Null);
        }
    }
    put_party(&mut row, &body);
    let id = books.insert(table, row);
    let page = kind_of(table);
    let url = format!("https://focus.teamleader.eu/{page}_detail.php?id={id}");
    if let Some(row) = books.row_mut(table, &id) {
        set(row, "web_url", json!(url));
    }
    books.tell(&format!("{page}.added"), page, &id);
    Ok(id)
}

fn put_party(row: &mut Value, body: &Body) {
    for (name, value) in body {
        match name.as_str() {
            "business_type_id" => set(row, "business_type", reference("businessType", value.as_str())),
            "responsible_user_id" => set(row, "responsible_user", reference("user", value.as_str())),
            "addresses" => set(row, "addresses", addresses(value)),
            "custom_fields" => set(row, "custom_fields", value.clone()),
            _ => set(row, name, value.clone()),
        }
    }
}

fn addresses(given: &Value) -> Value {
    let shown = given.as_array().into_iter().flatten().map(|entry| {
        let part = |name: &str| entry.pointer(&format!("/address/{name}")).cloned().unwrap_or_default();
        json!({"type": entry.get("type"), "address": {
            "line_1": part("line_1"), "postal_code": part("postal_code"), "city": part("city"),
            "country": part("country"), "addressee": part("addressee"),
            "area_level_two": reference("levelTwoArea", at(entry, "/address/area_level_two_id")),
        }})
    });
    Value::Array(shown.collect())
}

/// Puts new values of the account's own fields over the old ones, or in their place.
pub(super) fn merge_custom_fields(row: &Value, body: &mut Body, raw: &Body) {
    let partial = raw.get("custom_fields_update_strategy").and_then(Value::as_str) == Some("partial");
    let Some(Value::Array(new)) = body.get_mut("custom_fields") else { return };
    if partial {
        let old = row.get("custom_fields").and_then(Value::as_array).cloned().unwrap_or_default();
        for field in old {
            let id = at(&field, "/definition/id");
            if !new.iter().any(|other| at(other, "/definition/id") == id) {
                new.push(field);
            }
        }
    }
    new.retain(|field| field.get("value").is_some_and(|value| !value.is_null()));
}

/// Changes a company, a contact or a product.
pub(super) fn update(books: &mut Books, table: &'static str, id: &str, raw: &Body) -> Result<(), Refusal> {
    let fields = match table {
        "companies" => rules::COMPANY,
        "contacts" => rules::CONTACT,
        _ => rules::PRODUCT,
    };
    let mut body = check(books, fields, raw, false, &["id", "custom_fields_update_strategy"])?;
    let Some(mut row) = books.row(table, id).cloned() else {
        return Err(missing(&format!("{table}.update"), id));
    };
    merge_custom_fields(&row, &mut body, raw);
    if table == "products" {
        put_product(books, &mut row, &body);
    } else {
        put_party(&mut row, &body);
    }
    if let Some(place) = books.row_mut(table, id) {
        *place = row;
    }
    books.touch(table, id);
    let kind = kind_of(table);
    books.tell(&format!("{kind}.updated"), kind, id);
    Ok(())
}

/// Links a contact with a company, or changes the link.
pub(super) fn link(books: &mut Books, body: &Body, is_new: bool) -> Result<(), Refusal> {
    let body = check(books, rules::LINK, body, true, &[])?;
    let (contact, company) = (get(&body, "id"), get(&body, "company_id"));
    let is_it =
        |row: &&Value| row.get("contact_id") == Some(&contact) && row.get("company_id") == Some(&company);
    let found =
        books.rows("company_contacts").iter().find(is_it).and_then(|row| text(row, "id")).map(str::to_owned);
    let contact_id = contact.as_str().unwrap_or_default().to_owned();
    match found {
        Some(_) if is_new && books.options.refuses_second_link => {
            return invalid("company_id", "The contact is already linked to the company");
        }
        None if !is_new => return invalid("company_id", "The contact is not linked to the company"),
        Some(id) => {
            for name in ["position", "decision_maker"] {
                if let (Some(value), Some(row)) = (body.get(name), books.row_mut("company_contacts", &id)) {
                    set(row, name, value.clone());
                }
            }
        }
        None => {
            let row = json!({
                "contact_id": contact, "company_id": company, "position": get(&body, "position"),
                "decision_maker": body.get("decision_maker").cloned().unwrap_or(json!(false)),
            });
            books.insert("company_contacts", row);
        }
    }
    books.touch("contacts", &contact_id);
    let event = if is_new { "contact.linkedToCompany" } else { "contact.updatedLinkToCompany" };
    books.tell(event, "contact", &contact_id);
    Ok(())
}

/// Takes a link away.
pub(super) fn unlink(books: &mut Books, body: &Body) -> Result<(), Refusal> {
    let body = check(books, rules::LINK, body, true, &[])?;
    let is_it = |row: &&Value| {
        row.get("contact_id") == body.get("id") && row.get("company_id") == body.get("company_id")
    };
    let found =
        books.rows("company_contacts").iter().find(is_it).and_then(|row| text(row, "id")).map(str::to_owned);
    let Some(id) = found else { return invalid("company_id", "The contact is not linked to the company") };
    books.remove("company_contacts", &id);
    Ok(())
}

/// Companies of a contact, as the contact tells them.
pub(super) fn companies_of(books: &Books, contact: &str) -> Value {
    let links = books.rows("company_contacts").iter().filter(|row| text(row, "contact_id") == Some(contact));
    let shown = links.map(|link| {
        json!({
            "position": link.get("position"), "secondary_position": null, "division": null,
            "decision_maker": link.get("decision_maker"),
            "company": {"type": "company", "id": link.get("company_id")},
        })
    });
    Value::Array(shown.collect())
}

/// Contacts of a company, as the company tells them.
pub(super) fn contacts_of(books: &Books, company: &str) -> Value {
    let links = books.rows("company_contacts").iter().filter(|row| text(row, "company_id") == Some(company));
    let shown = links.map(|link| {
        json!({
            "type": "contact", "id": link.get("contact_id"), "position": link.get("position"),
            "secondary_position": null, "division": null, "is_decision_maker": link.get("decision_maker"),
        })
    });
    Value::Array(shown.collect())
}

/// Adds a product.
pub(super) fn add_product(books: &mut Books, body: &Body) -> Result<String, Refusal> {
    let body = check(books, rules::PRODUCT, body, true, &[])?;
    if body.get("name").is_none() && body.get("code").is_none() {
        return invalid("name", "name must not be empty");
    }
    let stamp = books.stamp();
    let mut row = json!({
        "name": null, "code": null, "description": null, "purchase_price": null, "selling_price": null,
        "unit": null, "tax": null, "custom_fields": [], "price_list_prices": [], "product_category": null,
        "stock": {"amount": null}, "configuration": null, "added_at": stamp, "updated_at": stamp,
    });
    put_product(books, &mut row, &body);
    let id = books.insert("products", row);
    books.tell("product.added", "product", &id);
    Ok(id)
}

fn put_product(books: &Books, row: &mut Value, body: &Body) {
    for (name, value) in body {
        let id = value.as_str();
        match name.as_str() {
            "unit_of_measure_id" => set(row, "unit", reference("unitOfMeasure", id)),
            "product_category_id" => set(row, "product_category", reference("productCategory", id)),
            "tax_rate_id" => set(row, "tax", reference("taxRate", id)),
            "department_id" => {}
            "price_list_prices" => {
                let flat = books.options.flat_list_prices;
                let shown = list(body, "price_list_prices");
                let shown = shown.as_array().into_iter().flatten().map(|price| {
                    let (id, price) = (price.get("price_list_id"), price.get("price"));
                    if flat {
                        return json!({"price_list_id": id, "amount": price.and_then(|price| price.get("amount"))});
                    }
                    json!({"price_list": {"type": "priceList", "id": id}, "price": price})
                });
                set(row, "price_list_prices", Value::Array(shown.collect()));
            }
            _ => set(row, name, value.clone()),
        }
    }
}

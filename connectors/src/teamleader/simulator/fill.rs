//! A small believable account: what it has set up, customers, products, and some months of
//! sales.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::books::{Books, set, text};
use super::{crm, sales};

/// The main department of the sample.
pub(super) const DEPARTMENT: &str = "67c576e7-7e6f-465d-b6ab-a864f6e5e95b";

/// Records of each kind that can be read.
const MANY: i64 = 30;

/// VAT rates of the main department: name, fraction.
const RATES: [(&str, f64); 8] = [
    ("21%", 0.21), ("9%", 0.09), ("6%", 0.06), ("12%", 0.12), ("0%", 0.0), ("Intra-community 0%", 0.0),
    ("Export 0%", 0.0), ("19% DE", 0.19),
];

const UNITS: [&str; 26] = [
    "piece", "hour", "day", "week", "month", "km", "m", "m²", "m³", "kg", "g", "ton", "l", "cl", "box", "pallet",
    "pack", "pair", "set", "roll", "sheet", "bottle", "bag", "can", "tube", "stop",
];

const CATEGORIES: [(&str, &str); 26] = [
    ("Coffee", "700100"), ("Tea", "700110"), ("Machines", "700200"), ("Grinders", "700210"), ("Cups", "700300"),
    ("Filters", "700310"), ("Parts", "700320"), ("Cleaning", "700330"), ("Chocolate", "700120"),
    ("Biscuits", "700130"), ("Sugar", "700140"), ("Milk", "700150"), ("Syrups", "700160"), ("Books", "700400"),
    ("Courses", "700500"), ("Rental", "700600"), ("Repairs", "700610"), ("Gifts", "700700"), ("Subscriptions", "700800"),
    ("Water", "700170"), ("Juice", "700180"), ("Glass", "700340"), ("Textile", "700350"), ("Furniture", "700900"),
    ("Transport", "700990"), ("Other", "700999"),
];

const TERMS: [i64; 13] = [0, 7, 8, 10, 14, 15, 21, 30, 45, 60, 75, 90, 120];

/// Names of people in the sample.
pub(super) const PEOPLE: [(&str, &str); 10] = [
    ("Sanne", "de Boer"), ("Wim", "Peeters"), ("Lotte", "Maes"), ("Joris", "Jacobs"), ("Anke", "Mertens"),
    ("Ruben", "Bakker"), ("Fleur", "Willems"), ("Koen", "Claes"), ("Eva", "Goossens"), ("Daan", "Visser"),
];

/// Fields that the account has added: context, label, kind.
pub(super) const OWN_FIELDS: [(&str, &str, &str); 7] = [
    ("company", "Web shop number", "single_line"), ("contact", "Web shop number", "single_line"),
    ("product", "EAN", "single_line"), ("product", "Weight", "number"), ("invoice", "Web order", "single_line"),
    ("deal", "Origin", "single_select"), ("company", "Segments", "multi_select"),
];

fn body(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The nth identifier of a table, around and around.
pub(super) fn nth(books: &Books, table: &str, number: i64) -> Option<String> {
    let rows = books.rows(table);
    let count = i64::try_from(rows.len()).ok().filter(|count| *count > 0)?;
    let at = usize::try_from(number.rem_euclid(count)).ok()?;
    rows.get(at).and_then(|row| text(row, "id")).map(str::to_owned)
}

/// The identifier of the row whose member has that value.
pub(super) fn id_by(books: &Books, table: &str, member: &str, value: &str) -> Option<String> {
    books.rows(table).iter().find(|row| text(row, member) == Some(value)).and_then(|row| text(row, "id")).map(str::to_owned)
}

/// What every account has, however empty.
pub(super) fn set_up(books: &mut Books) {
    books.insert("departments", json!({
        "id": DEPARTMENT, "name": "Koffiehuis BV", "vat_number": "BE0899623035", "currency": "EUR",
        "emails": [{"type": "primary", "email": "info@koffiehuis.example"}], "status": "active",
    }));
    books.insert("users", user("Karel", "Koning", 0));
    for (description, rate) in RATES {
        books.insert("tax_rates", tax_rate(description, rate, DEPARTMENT));
    }
    for days in TERMS {
        let kind = if days == 0 { "cash" } else { "after_invoice_date" };
        let days = if days == 0 { Value::Null } else { json!(days) };
        books.insert("payment_terms", json!({"type": kind, "days": days}));
    }
    for name in ["Cash", "Bank transfer", "Card"] {
        books.insert("payment_methods", json!({"name": name, "status": "active"}));
    }
    for name in UNITS {
        books.insert("units_of_measure", json!({"name": name}));
    }
    for name in ["New", "Contacted", "Offer sent", "Accepted"] {
        books.insert("deal_phases", json!({
            "name": name, "actions": [], "requires_attention_after": {"amount": 7, "unit": "days"}, "probability": 0.5,
        }));
    }
    for name in ["Web shop", "Fair", "Telephone"] {
        books.insert("deal_sources", json!({"name": name}));
    }
    for (context, label, kind) in OWN_FIELDS {
        let options = match kind {
            "single_select" => json!({"options": [{"id": "o-1", "value": "Web shop"}, {"id": "o-2", "value": "Till"}], "extra_option_allowed": false}),
            "multi_select" => json!({"options": [{"id": "o-3", "value": "Horeca"}, {"id": "o-4", "value": "Office"}], "extra_option_allowed": false}),
            _ => Value::Null,
        };
        books.insert("custom_field_definitions", definition(context, label, kind, options));
    }
    for (name, country) in [("BV", "BE"), ("NV", "BE"), ("VOF", "NL"), ("BV", "NL"), ("GmbH", "DE")] {
        books.insert("business_types", json!({"name": name, "country": country}));
    }
}

fn user(first: &str, last: &str, number: i64) -> Value {
    json!({
        "account": {"type": "account", "id": "0a1f4a3c-8e0a-4b3b-9a55-2f6f5b0d9a11"}, "first_name": first,
        "last_name": last, "email": format!("{}{number}@koffiehuis.example", first.to_lowercase()),
        "telephones": [], "language": "nl", "function": "Sales", "status": "active", "teams": [],
    })
}

fn tax_rate(description: &str, rate: f64, department: &str) -> Value {
    json!({"description": description, "rate": rate, "department": {"type": "department", "id": department}})
}

fn definition(context: &str, label: &str, kind: &str, configuration: Value) -> Value {
    let configuration = if configuration.is_null() { json!({}) } else { configuration };
    json!({
        "context": context, "type": kind, "label": label, "group": "Weft", "required": false,
        "configuration": configuration,
    })
}

/// Fills the books.
pub(super) fn fill(books: &mut Books) {
    let end = books.options.clock.unwrap_or_else(Timestamp::now);
    books.now = Some(end - SignedDuration::from_hours(24 * 60));
    more_set_up(books);
    for number in 0..MANY {
        books.wait(SignedDuration::from_mins(37));
        drop(crm::add_party(books, "companies", &company(books, number)));
        books.wait(SignedDuration::from_mins(11));
        drop(crm::add_party(books, "contacts", &contact(books, number)));
        let link = json!({
            "id": nth(books, "contacts", number), "company_id": nth(books, "companies", number),
            "position": "Buyer", "decision_maker": number % 2 == 0,
        });
        drop(crm::link(books, &body(link), true));
        books.wait(SignedDuration::from_mins(5));
        drop(crm::add_product(books, &product(books, number)));
    }
    for number in 0..MANY {
        books.wait(SignedDuration::from_mins(53));
        trade(books, number);
    }
    finish(books);
    books.events.clear();
    books.now = None;
}

fn more_set_up(books: &mut Books) {
    let filial = "88d576e7-7e6f-465d-b6ab-a864f6e5e95c";
    books.insert("departments", json!({
        "id": filial, "name": "Koffiehuis Duitsland", "vat_number": "DE811907980", "currency": "EUR",
        "emails": [], "status": "archived",
    }));
    for number in 0..20 {
        let rate = f64::from(number) / 100.0;
        books.insert("tax_rates", tax_rate(&format!("Old {number}%"), rate, filial));
    }
    for (name, account) in CATEGORIES {
        let ledgers = json!([{"department": {"type": "department", "id": DEPARTMENT}, "ledger_account_number": account}]);
        books.insert("product_categories", json!({"name": name, "ledgers": ledgers}));
    }
    for days in TERMS.iter().skip(1) {
        books.insert("payment_terms", json!({"type": "end_of_month", "days": days}));
    }
    books.insert("withholding_tax_rates", json!({
        "description": "IRPF 15%", "rate": 0.15, "department": {"type": "department", "id": DEPARTMENT},
    }));
    for name in ["Horeca", "Friends"] {
        books.insert("price_lists", json!({"name": name, "calculation_method": "manual"}));
    }
    for name in ["Quantity", "Loyalty"] {
        books.insert("commercial_discounts", json!({"name": name, "department": {"type": "department", "id": DEPARTMENT}}));
    }
    for number in 0..25 {
        books.insert("custom_field_definitions", definition("ticket", &format!("Question {number}"), "single_line", Value::Null));
    }
    for (number, (first, last)) in (1..=MANY).zip(PEOPLE.iter().cycle()) {
        books.insert("users", user(first, last, number));
    }
}

fn address(number: i64) -> Value {
    json!({"line_1": format!("Lindelaan {}", 10 + number), "postal_code": "9000", "city": "Gent", "country": "BE"})
}

/// The body of a company.
pub(super) fn company(books: &Books, number: i64) -> Map<String, Value> {
    let own = id_by(books, "custom_field_definitions", "label", "Web shop number");
    body(json!({
        "name": format!("Houthandel {number} BV"), "vat_number": format!("BE08996230{:02}", number % 100),
        "national_identification_number": format!("08996230{:02}", number % 100),
        "emails": [{"type": "primary", "email": format!("info{number}@houthandel.example")},
                   {"type": "invoicing", "email": format!("ap{number}@houthandel.example")}],
        "telephones": [{"type": "phone", "number": format!("+329298{number:04}")}],
        "website": "https://houthandel.example",
        "addresses": [{"type": "primary", "address": address(number)}, {"type": "invoicing", "address": address(number + 1)},
                      {"type": "delivery", "address": address(number + 2)}, {"type": "visiting", "address": address(number + 3)}],
        "language": "nl", "remarks": "Pays well", "tags": ["wood"],
        "custom_fields": [{"id": own, "value": format!("W-{number}")}],
    }))
}

/// The body of a contact.
pub(super) fn contact(books: &Books, number: i64) -> Map<String, Value> {
    let at = usize::try_from(number.rem_euclid(10)).unwrap_or_default();
    let (first, last) = PEOPLE.get(at).copied().unwrap_or(("Sanne", "de Boer"));
    let own = books.rows("custom_field_definitions").iter().find(|row| text(row, "context") == Some("contact"));
    let own = own.and_then(|row| text(row, "id"));
    body(json!({
        "first_name": format!("{first}{number}"), "last_name": last,
        "emails": [{"type": "primary", "email": format!("{}{number}@mail.example", first.to_lowercase())}],
        "telephones": [{"type": "phone", "number": "+3292980615"}, {"type": "mobile", "number": "+32470123456"}],
        "addresses": [{"type": "primary", "address": address(number)}, {"type": "invoicing", "address": address(number + 1)},
                      {"type": "delivery", "address": address(number + 2)}, {"type": "visiting", "address": address(number + 3)}],
        "gender": "unknown", "birthdate": "1980-04-12", "remarks": "Met at the fair", "tags": ["fair"],
        "custom_fields": [{"id": own, "value": format!("C-{number}")}],
    }))
}

/// The body of a product.
pub(super) fn product(books: &Books, number: i64) -> Map<String, Value> {
    let own = id_by(books, "custom_field_definitions", "label", "EAN");
    body(json!({
        "name": format!("Coffee no. {number}"), "code": format!("{}", 100_100 + number), "description": "Roasted **slowly**",
        "purchase_price": {"amount": 4.1, "currency": "EUR"},
        "selling_price": {"amount": f64::from(u32::try_from(number).unwrap_or_default()) + 7.25, "currency": "EUR"},
        "unit_of_measure_id": nth(books, "units_of_measure", 0), "tax_rate_id": nth(books, "tax_rates", number % 2),
        "product_category_id": nth(books, "product_categories", number % 5),
        "stock": {"amount": 10 + number},
        "price_list_prices": [{"price_list_id": nth(books, "price_lists", 0), "price": {"amount": 6.5, "currency": "EUR"}}],
        "custom_fields": [{"id": own, "value": format!("54123456789{:02}", number % 100)}],
    }))
}

fn line(books: &Books, number: i64) -> Value {
    json!({
        "quantity": 1 + number % 3, "description": format!("Coffee no. {number}"), "extended_description": "Whole beans",
        "unit_price": {"amount": 12.4, "tax": "excluding"}, "tax_rate_id": nth(books, "tax_rates", number % 2),
        "product_id": nth(books, "products", number), "discount": {"type": "percentage", "value": 5},
    })
}

/// A deal with its quotation, most of which are accepted, and an invoice.
fn trade(books: &mut Books, number: i64) {
    let customer = if number % 3 == 0 {
        json!({"type": "contact", "id": nth(books, "contacts", number)})
    } else {
        json!({"type": "company", "id": nth(books, "companies", number)})
    };
    let deal = body(json!({
        "lead": {"customer": customer, "contact_person_id": nth(books, "contacts", number)},
        "title": format!("Shop fitting {number}"), "summary": "As talked about",
        "department_id": DEPARTMENT, "estimated_value": {"amount": 250, "currency": "EUR"},
        "estimated_probability": 0.5, "source_id": nth(books, "deal_sources", number),
    }));
    let Ok(deal) = sales::create_deal(books, &deal) else { return };
    books.wait(SignedDuration::from_mins(4));
    let groups = json!([
        {"section": {"title": "Goods"}, "line_items": [line(books, number), line(books, number + 1)]},
        {"line_items": [{
            "quantity": 1, "description": "Transport", "unit_price": {"amount": 9.5, "tax": "excluding"},
            "tax_rate_id": nth(books, "tax_rates", 0),
        }]},
    ]);
    let quotation = body(json!({
        "deal_id": deal, "grouped_lines": groups, "text": "Dear customer", "currency": {"code": "EUR"},
        "discounts": [{"type": "percentage", "value": 2, "description": "Loyalty"}],
    }));
    let Ok(quotation) = sales::create_quotation(books, &quotation) else { return };
    books.wait(SignedDuration::from_mins(9));
    // The first stays open, for what can only be done to open ones.
    if number > 0 {
        drop(sales::accept(books, &quotation));
    }
    let invoice = body(json!({
        "invoicee": {"customer": customer, "for_attention_of": {"contact_id": nth(books, "contacts", number)}},
        "department_id": DEPARTMENT, "payment_term": {"type": "after_invoice_date", "days": 30},
        "currency": {"code": "EUR"}, "purchase_order_number": format!("PO-{}", 5000 + number),
        "invoice_date": books.today(), "grouped_lines": groups, "note": "Thank you",
        "discounts": [{"type": "percentage", "value": 2, "description": "Loyalty"}],
        "expected_payment_method": {"method": "sepa_direct_debit", "reference": format!("M-{number}")},
        "custom_fields": [{"id": id_by(books, "custom_field_definitions", "label", "Web order"), "value": format!("{number}")}],
    }));
    let Ok(invoice) = sales::draft(books, &invoice) else { return };
    let on = body(json!({"on": books.today()}));
    // The first stays a draft, for what can only be done to drafts.
    if number > 0 {
        drop(sales::book(books, &invoice, &on));
        books.wait(SignedDuration::from_mins(2));
        drop(sales::credit(books, &invoice, &Map::new()));
    }
    if number % 4 == 1 {
        let payment = body(json!({"payment": {"amount": 20, "currency": "EUR"}, "paid_at": books.stamp()}));
        drop(sales::pay(books, &invoice, &payment));
    }
}

/// What no action can set.
fn finish(books: &mut Books) {
    let list = nth(books, "price_lists", 0);
    for table in ["companies", "contacts"] {
        let ids: Vec<String> = books.rows(table).iter().filter_map(|row| text(row, "id").map(str::to_owned)).collect();
        for (at, id) in ids.iter().enumerate() {
            let Some(row) = books.row_mut(table, id) else { continue };
            if at % 2 == 0 {
                set(row, "price_list", json!({"type": "priceList", "id": list}));
            }
            if table == "contacts" {
                set(row, "vat_number", json!("BE0123456789"));
            }
            if at % 7 == 6 {
                set(row, "status", json!("deactivated"));
            }
        }
    }
    let ids: Vec<String> = books.rows("invoices").iter().filter_map(|row| text(row, "id").map(str::to_owned)).collect();
    for id in ids {
        let template = books.new_id();
        let stamp = books.stamp();
        if let Some(row) = books.row_mut("invoices", &id) {
            set(row, "document_template", json!({"type": "documentTemplate", "id": template}));
            set(row, "on_hold_since", json!(stamp));
            set(row, "peppol_status", json!("sent"));
        }
    }
}

//! What happens to deals, quotations, orders, invoices and credit notes.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::books::{Books, Refusal, at, invalid, missing, money, number, reference, set, text};
use super::crm::merge_custom_fields;
use super::rules::{self, check};
use super::totals::{Paper, currency_of, lines, simple_total, totals};

type Body = Map<String, Value>;

fn department(books: &Books, given: Option<&str>) -> Option<String> {
    let first = || books.rows("departments").first().and_then(|row| text(row, "id"));
    given.or_else(first).map(str::to_owned)
}

fn rate(code: &str, given: Option<&Value>) -> Value {
    json!({"from": "EUR", "to": code, "rate": given.cloned().unwrap_or(json!(1))})
}

/// Makes a deal.
pub(super) fn create_deal(books: &mut Books, raw: &Body) -> Result<String, Refusal> {
    let body = check(books, rules::DEAL, raw, true, &[])?;
    let stamp = books.stamp();
    let year = stamp.get(..4).unwrap_or_default().to_owned();
    let number = books.rows("deals").len() + 1;
    let department = department(books, body.get("department_id").and_then(Value::as_str));
    let phase = books.rows("deal_phases").first().and_then(|row| text(row, "id")).map(str::to_owned);
    let mut row = json!({
        "reference": format!("{year}/{number}"), "status": "open", "summary": null, "title": null,
        "department": reference("department", department.as_deref()),
        "estimated_value": null, "estimated_closing_date": null, "estimated_probability": null,
        "weighted_value": null, "purchase_order_number": null,
        "current_phase": reference("dealPhase", phase.as_deref()),
        "responsible_user": null, "closed_at": null, "source": null, "phase_history": [],
        "quotations": [], "lost_reason": null, "custom_fields": [], "pipeline": null,
        "currency_exchange_rate": rate("EUR", None),
        "created_at": stamp, "updated_at": stamp,
    });
    put_deal(&mut row, &body);
    let id = books.insert("deals", row);
    let url = format!("https://focus.teamleader.eu/sale_detail.php?id={id}");
    if let Some(row) = books.row_mut("deals", &id) {
        set(row, "web_url", json!(url));
    }
    books.tell("deal.created", "deal", &id);
    Ok(id)
}

fn put_deal(row: &mut Value, body: &Body) {
    for (name, value) in body {
        let id = value.as_str();
        match name.as_str() {
            "lead" => {
                let contact = reference("contact", at(value, "/contact_person_id"));
                set(row, "lead", json!({"customer": value.get("customer"), "contact_person": contact}));
            }
            "department_id" => set(row, "department", reference("department", id)),
            "source_id" => set(row, "source", reference("dealSource", id)),
            "responsible_user_id" => set(row, "responsible_user", reference("user", id)),
            "phase_id" => set(row, "current_phase", reference("dealPhase", id)),
            "currency" => {}
            _ => set(row, name, value.clone()),
        }
    }
}

/// Changes a deal; its phase only moves by `deals.move`.
pub(super) fn update_deal(books: &mut Books, id: &str, raw: &Body) -> Result<(), Refusal> {
    let mut body = check(books, rules::DEAL, raw, false, &["id", "custom_fields_update_strategy"])?;
    body.remove("phase_id");
    let Some(row) = books.row("deals", id).cloned() else { return Err(missing("deals.update", id)) };
    merge_custom_fields(&row, &mut body, raw);
    if let Some(row) = books.row_mut("deals", id) {
        put_deal(row, &body);
    }
    books.touch("deals", id);
    books.tell("deal.updated", "deal", id);
    Ok(())
}

/// Moves a deal to another phase.
pub(super) fn move_deal(books: &mut Books, id: &str, raw: &Body) -> Result<(), Refusal> {
    let body = check(books, rules::MOVE, raw, true, &["id"])?;
    let Some(row) = books.row_mut("deals", id) else { return Err(missing("deals.move", id)) };
    set(row, "current_phase", reference("dealPhase", body.get("phase_id").and_then(Value::as_str)));
    books.touch("deals", id);
    books.tell("deal.moved", "deal", id);
    Ok(())
}

/// Wins or loses a deal.
pub(super) fn close_deal(books: &mut Books, id: &str, status: &str) -> Result<(), Refusal> {
    let stamp = books.stamp();
    let Some(row) = books.row_mut("deals", id) else { return Err(missing(&format!("deals.{status}"), id)) };
    set(row, "status", json!(status));
    set(row, "closed_at", json!(stamp));
    books.touch("deals", id);
    books.tell(&format!("deal.{status}"), "deal", id);
    Ok(())
}

/// Makes a quotation.
pub(super) fn create_quotation(books: &mut Books, raw: &Body) -> Result<String, Refusal> {
    let body = check(books, rules::QUOTATION, raw, true, &[])?;
    if body.get("grouped_lines").is_none() && body.get("text").is_none() {
        return invalid("grouped_lines", "grouped_lines must not be empty");
    }
    let stamp = books.stamp();
    let deal = body.get("deal_id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut row = json!({
        "deal": {"type": "deal", "id": deal}, "grouped_lines": [], "text": null, "discounts": [],
        "status": "open", "document_template": null, "expiry": {"expires_after": null, "action_after_expiry": "none"},
        "name": format!("Quotation {}", books.rows("quotations").len() + 1),
        "created_at": stamp, "updated_at": stamp,
    });
    put_quotation(books, &mut row, &body)?;
    let id = books.insert("quotations", row);
    if let Some(Value::Array(quotations)) =
        books.row_mut("deals", &deal).and_then(|row| row.get_mut("quotations"))
    {
        quotations.push(json!({"type": "quotation", "id": id}));
    }
    books.touch("deals", &deal);
    Ok(id)
}

fn put_quotation(books: &Books, row: &mut Value, body: &Body) -> Result<(), Refusal> {
    let currency = match body.get("currency") {
        None => text(row, "currency").unwrap_or("EUR").to_owned(),
        Some(_) => currency_of(body),
    };
    set(row, "currency", json!(currency));
    let given = body.get("currency").and_then(|one| one.get("exchange_rate"));
    if given.is_some() || row.get("currency_exchange_rate").is_none() {
        set(row, "currency_exchange_rate", rate(&currency, given));
    }
    if let Some(groups) = body.get("grouped_lines") {
        let department = at(row, "/deal/id")
            .and_then(|deal| books.row("deals", deal))
            .and_then(|deal| at(deal, "/department/id"))
            .map(str::to_owned);
        set(row, "grouped_lines", lines(books, groups, &currency, department.as_deref(), Paper::Quotation)?);
    }
    for name in ["discounts", "text", "expiry"] {
        if let Some(value) = body.get(name) {
            set(row, name, value.clone());
        }
    }
    let groups = row.get("grouped_lines").cloned().unwrap_or_default();
    let discounts = row.get("discounts").cloned().unwrap_or_default();
    let sum = totals(books, &groups, &discounts, &currency);
    set(row, "total", simple_total(&sum, &currency, Paper::Quotation));
    Ok(())
}

/// Changes a quotation.
pub(super) fn update_quotation(books: &mut Books, id: &str, raw: &Body) -> Result<(), Refusal> {
    let body = check(books, rules::QUOTATION, raw, false, &["id"])?;
    let Some(mut row) = books.row("quotations", id).cloned() else {
        return Err(missing("quotations.update", id));
    };
    if text(&row, "status") != Some("open") {
        return invalid("id", "The quotation can no longer be changed");
    }
    put_quotation(books, &mut row, &body)?;
    if let Some(place) = books.row_mut("quotations", id) {
        *place = row;
    }
    books.touch("quotations", id);
    Ok(())
}

/// Accepts a quotation: its deal is won, and an order may come of it.
pub(super) fn accept(books: &mut Books, id: &str) -> Result<(), Refusal> {
    let Some(row) = books.row_mut("quotations", id) else { return Err(missing("quotations.accept", id)) };
    if text(row, "status") == Some("accepted") {
        return invalid("id", "The quotation is already accepted");
    }
    set(row, "status", json!("accepted"));
    let row = row.clone();
    books.touch("quotations", id);
    let deal = at(&row, "/deal/id").unwrap_or_default().to_owned();
    close_deal(books, &deal, "won")?;
    if books.options.accepting_orders {
        order(books, &row, &deal);
    }
    Ok(())
}

fn order(books: &mut Books, quotation: &Value, deal: &str) {
    let deal = books.row("deals", deal).cloned().unwrap_or_default();
    let number = books.rows("orders").len() + 1;
    let currency = text(quotation, "currency").unwrap_or("EUR").to_owned();
    let mut groups = quotation.get("grouped_lines").cloned().unwrap_or_default();
    for group in groups.as_array_mut().into_iter().flatten() {
        for item in group.get_mut("line_items").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(item) = item.as_object_mut() {
                item.remove("purchase_price");
                item.remove("periodicity");
                item.insert("product_category".to_owned(), Value::Null);
                if let Some(price) = item.get_mut("unit_price").and_then(Value::as_object_mut) {
                    price.remove("currency");
                }
            }
        }
    }
    let discounts = quotation.get("discounts").cloned().unwrap_or_default();
    let sum = totals(books, &groups, &discounts, &currency);
    let row = json!({
        "name": deal.get("title"), "order_number": number, "order_date": books.today(), "delivery_date": null,
        "payment_term": {"type": "after_invoice_date", "days": 30}, "grouped_lines": groups,
        "total": simple_total(&sum, &currency, Paper::Order), "supplier": null,
        "department": deal.get("department"), "deal": {"type": "deal", "id": deal.get("id")},
        "project": null, "assignee": null, "custom_fields": deal.get("custom_fields"),
        "web_url": "https://focus.teamleader.eu/order_detail.php",
    });
    books.insert("orders", row);
}

/// Makes a draft of an invoice.
pub(super) fn draft(books: &mut Books, raw: &Body) -> Result<String, Refusal> {
    let body = check(books, rules::INVOICE, raw, true, &[])?;
    let stamp = books.stamp();
    let mut row = json!({
        "department": reference("department", body.get("department_id").and_then(Value::as_str)),
        "invoice_number": null, "invoice_date": null, "status": "draft", "due_on": null, "paid": false,
        "paid_at": null, "sent": false, "purchase_order_number": null, "payment_reference": null,
        "discounts": [], "note": null, "delivery_date": null, "expected_payment_method": null, "file": null,
        "deal": null, "project": null, "on_hold_since": null, "custom_fields": [], "document_template": null,
        "peppol_status": null, "created_at": stamp, "updated_at": stamp,
    });
    put_invoice(books, &mut row, &body)?;
    let id = books.insert("invoices", row);
    let url = format!("https://focus.teamleader.eu/invoice_detail.php?id={id}");
    if let Some(row) = books.row_mut("invoices", &id) {
        set(row, "web_url", json!(url));
    }
    books.tell("invoice.drafted", "invoice", &id);
    Ok(id)
}

fn put_invoice(books: &Books, row: &mut Value, body: &Body) -> Result<(), Refusal> {
    let currency = match body.get("currency") {
        None => text(row, "currency").unwrap_or("EUR").to_owned(),
        Some(_) => currency_of(body),
    };
    set(row, "currency", json!(currency));
    let given = body.get("currency").and_then(|one| one.get("exchange_rate"));
    if given.is_some() || row.get("currency_exchange_rate").is_none() {
        set(row, "currency_exchange_rate", rate(&currency, given));
    }
    for (name, value) in body {
        match name.as_str() {
            "invoicee" => set(row, "invoicee", invoicee(books, value)),
            "grouped_lines" => {
                let department = at(row, "/department/id").map(str::to_owned);
                set(
                    row,
                    "grouped_lines",
                    lines(books, value, &currency, department.as_deref(), Paper::Invoice)?,
                );
            }
            "document_template_id" => {
                set(row, "document_template", reference("documentTemplate", value.as_str()));
            }
            "project_id" => set(row, "project", reference("project", value.as_str())),
            "department_id" | "currency" => {}
            _ => set(row, name, value.clone()),
        }
    }
    add_up(books, row, &currency);
    Ok(())
}

fn add_up(books: &Books, row: &mut Value, currency: &str) {
    let groups = row.get("grouped_lines").cloned().unwrap_or_default();
    let discounts = row.get("discounts").cloned().unwrap_or_default();
    let sum = totals(books, &groups, &discounts, currency);
    let before = totals(books, &groups, &Value::Null, currency);
    let due = sum.inclusive - paid(books, text(row, "id").unwrap_or_default());
    let total = json!({
        "tax_exclusive": money(sum.exclusive, currency),
        "tax_exclusive_before_discount": money(before.exclusive, currency),
        "tax_inclusive": money(sum.inclusive, currency),
        "tax_inclusive_before_discount": money(before.inclusive, currency),
        "taxes": sum.taxes, "withheld_taxes": [], "payable": money(sum.inclusive, currency),
        "due": money(due, currency),
    });
    set(row, "total", total);
}

fn invoicee(books: &Books, given: &Value) -> Value {
    let (kind, id) =
        (at(given, "/customer/type").unwrap_or_default(), at(given, "/customer/id").unwrap_or_default());
    let table = if kind == "company" { "companies" } else { "contacts" };
    let party = books.row(table, id).cloned().unwrap_or_default();
    let names = [text(&party, "first_name"), text(&party, "last_name")];
    let name = text(&party, "name")
        .map_or_else(|| names.into_iter().flatten().collect::<Vec<_>>().join(" "), str::to_owned);
    let attention = given.get("for_attention_of").map(
        |one| json!({"name": one.get("name"), "contact": reference("contact", text(one, "contact_id"))}),
    );
    json!({
        "name": name, "vat_number": party.get("vat_number"), "customer": {"type": kind, "id": id},
        "for_attention_of": attention, "email": party.pointer("/emails/0/email"),
        "national_identification_number": party.get("national_identification_number"),
    })
}

/// Changes a draft, or what is left to change of an invoice that is booked.
pub(super) fn update_invoice(books: &mut Books, id: &str, raw: &Body, booked: bool) -> Result<(), Refusal> {
    let mut body = check(books, rules::INVOICE, raw, false, &["id", "custom_fields_update_strategy"])?;
    let Some(mut row) = books.row("invoices", id).cloned() else {
        return Err(missing("invoices.update", id));
    };
    let is_draft = text(&row, "status") == Some("draft");
    if is_draft == booked || (booked && !books.options.booked_can_change) {
        return invalid("id", "The invoice can not be changed in its present state");
    }
    body.remove("department_id");
    merge_custom_fields(&row, &mut body, raw);
    put_invoice(books, &mut row, &body)?;
    if let Some(place) = books.row_mut("invoices", id) {
        *place = row;
    }
    books.touch("invoices", id);
    books.tell("invoice.updated", "invoice", id);
    Ok(())
}

/// Books a draft: it gets its number, and that for good.
pub(super) fn book(books: &mut Books, id: &str, raw: &Body) -> Result<(), Refusal> {
    let body = check(books, rules::BOOK, raw, true, &["id"])?;
    let day = body.get("on").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(mut row) = books.row("invoices", id).cloned() else { return Err(missing("invoices.book", id)) };
    if text(&row, "status") != Some("draft") {
        return invalid("id", "The invoice is already booked");
    }
    let year = day.get(..4).unwrap_or_default().to_owned();
    let same_book = |other: &&Value| {
        let number = text(other, "invoice_number");
        number.is_some_and(|number| number.starts_with(&year))
            && other.get("department") == row.get("department")
    };
    let count = books.rows("invoices").iter().filter(same_book).count() + 1;
    let due = due_on(&day, row.get("payment_term"));
    set(&mut row, "invoice_number", json!(format!("{year} / {count}")));
    set(&mut row, "invoice_date", json!(day));
    set(&mut row, "status", json!("outstanding"));
    set(&mut row, "due_on", json!(due));
    set(
        &mut row,
        "payment_reference",
        json!(format!("+++{:0>3}/{:0>4}/{:0>5}+++", count % 1000, count, count * 97)),
    );
    if let Some(place) = books.row_mut("invoices", id) {
        *place = row;
    }
    books.touch("invoices", id);
    books.tell("invoice.booked", "invoice", id);
    Ok(())
}

fn due_on(day: &str, term: Option<&Value>) -> String {
    let date: Date = day.parse().unwrap_or_default();
    let days = term.and_then(|term| term.get("days")).and_then(Value::as_i64).unwrap_or(0);
    let start = match term.and_then(|term| text(term, "type")) {
        Some("end_of_month") => date.last_of_month(),
        _ => date,
    };
    start.checked_add(jiff::Span::new().days(days)).unwrap_or(start).to_string()
}

/// Takes a draft or the last booked invoice away.
pub(super) fn delete_invoice(books: &mut Books, id: &str) -> Result<(), Refusal> {
    let Some(row) = books.row("invoices", id) else { return Err(missing("invoices.delete", id)) };
    let number = text(row, "invoice_number").unwrap_or_default().to_owned();
    let last = books.rows("invoices").iter().filter_map(|row| text(row, "invoice_number")).next_back();
    if !number.is_empty() && last != Some(number.as_str()) {
        return invalid("id", "Only the last booked invoice can be deleted");
    }
    books.remove("invoices", id);
    books.tell("invoice.deleted", "invoice", id);
    Ok(())
}

fn paid(books: &Books, invoice: &str) -> Decimal {
    let payments =
        books.rows("invoice_payments").iter().filter(|row| text(row, "invoice_id") == Some(invoice));
    payments.filter_map(|row| number(row.pointer("/payment/amount")?)).sum()
}

/// Payments of an invoice, as it tells them.
pub(super) fn payments_of(books: &Books, invoice: &str) -> Value {
    let payments =
        books.rows("invoice_payments").iter().filter(|row| text(row, "invoice_id") == Some(invoice));
    Value::Array(
        payments.map(|row| json!({"paid_at": row.get("paid_at"), "payment": row.get("payment")})).collect(),
    )
}

/// Notes a payment; the invoice is matched when all is paid.
pub(super) fn pay(books: &mut Books, id: &str, raw: &Body) -> Result<(), Refusal> {
    let body = check(books, rules::PAYMENT, raw, true, &["id"])?;
    let Some(row) = books.row("invoices", id).cloned() else {
        return Err(missing("invoices.registerPayment", id));
    };
    if text(&row, "status") == Some("draft") {
        return invalid("id", "A draft can not be paid");
    }
    let paid_at = body.get("paid_at").cloned().unwrap_or_default();
    books.insert(
        "invoice_payments",
        json!({
            "invoice_id": id, "paid_at": paid_at, "payment": body.get("payment"),
        }),
    );
    let mut row = row;
    let currency = text(&row, "currency").unwrap_or("EUR").to_owned();
    add_up(books, &mut row, &currency);
    let due = row.pointer("/total/due/amount").and_then(number).unwrap_or_default();
    if due <= Decimal::ZERO {
        set(&mut row, "status", json!("matched"));
        set(&mut row, "paid", json!(true));
        set(&mut row, "paid_at", paid_at);
    }
    if let Some(place) = books.row_mut("invoices", id) {
        *place = row;
    }
    books.touch("invoices", id);
    books.tell("invoice.paymentRegistered", "invoice", id);
    Ok(())
}

/// Credits an invoice whole.
pub(super) fn credit(books: &mut Books, id: &str, raw: &Body) -> Result<String, Refusal> {
    let body = check(books, rules::CREDIT, raw, true, &["id"])?;
    let Some(row) = books.row("invoices", id).cloned() else { return Err(missing("invoices.credit", id)) };
    if text(&row, "status") == Some("draft") {
        return invalid("id", "A draft can not be credited");
    }
    let day =
        body.get("credit_note_date").and_then(Value::as_str).map_or_else(|| books.today(), str::to_owned);
    let stamp = books.stamp();
    let count = books.rows("credit_notes").len() + 1;
    let currency = text(&row, "currency").unwrap_or("EUR").to_owned();
    let mut groups = row.get("grouped_lines").cloned().unwrap_or_default();
    for group in groups.as_array_mut().into_iter().flatten() {
        for item in group.get_mut("line_items").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(item) = item.as_object_mut() {
                item.remove("withheld_tax");
                if let Some(price) = item.get_mut("unit_price") {
                    set(price, "currency", json!(currency));
                }
            }
        }
    }
    let discounts = row.get("discounts").cloned().unwrap_or_default();
    let sum = totals(books, &groups, &discounts, &currency);
    let mut invoicee = row.get("invoicee").cloned().unwrap_or_default();
    if let Some(invoicee) = invoicee.as_object_mut() {
        invoicee.remove("for_attention_of");
    }
    let made = json!({
        "department": row.get("department"), "credit_note_number": format!("{}/{count}", day.get(..4).unwrap_or_default()),
        "credit_note_date": day, "status": "booked", "invoice": {"type": "invoice", "id": id}, "paid": false,
        "paid_at": null, "invoicee": invoicee, "discounts": discounts, "grouped_lines": groups,
        "total": simple_total(&sum, &currency, Paper::CreditNote), "currency": currency,
        "currency_exchange_rate": row.get("currency_exchange_rate"), "created_at": stamp, "updated_at": stamp,
        "document_template": null, "peppol_status": null,
    });
    let id = books.insert("credit_notes", made);
    books.tell("creditNote.booked", "creditNote", &id);
    Ok(id)
}

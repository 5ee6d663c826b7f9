//! Traps of writing: lists that are replaced whole, steps that updates drop, titles that may
//! not be empty, names that have to become identifiers.

use serde_json::json;

use super::*;
use crate::contract::Advice;

fn company(stage: &Stage) -> String {
    stage.made("companies.add", &json!({
        "name": "Firm", "emails": [{"type": "primary", "email": "info@firm.example"}, {"type": "invoicing", "email": "ap@firm.example"}],
        "telephones": [{"type": "phone", "number": "+3290000001"}, {"type": "phone", "number": "+3290000002"}],
        "addresses": [{"type": "primary", "address": {"line_1": "Kade 1", "postal_code": "9000", "city": "Gent", "country": "BE"}},
                      {"type": "visiting", "address": {"line_1": "Kade 2", "postal_code": "9000", "city": "Gent", "country": "BE"}}],
        "custom_fields": [{"id": stage.office.row_by("custom_field_definitions", "label", "Web shop number").unwrap()["id"], "value": "W-1"}],
    }))
}

#[tokio::test]
async fn a_change_of_one_entry_keeps_the_others_of_its_list() {
    let stage = Stage::empty().await;
    let id = company(&stage);
    stage
        .update(
            "companies",
            &id,
            &json!({"email": "new@firm.example", "delivery_address": {"city": "Brugge", "country": "BE"}}),
        )
        .await
        .unwrap();
    let firm = stage.find("companies", &["id"], &[&id]).await.remove(0);
    assert_eq!(
        (firm.text("email"), firm.text("invoicing_email")),
        (Some("new@firm.example"), Some("ap@firm.example"))
    );
    for (path, wanted) in [
        ("delivery_address.city", "Brugge"),
        ("visiting_address.line_1", "Kade 2"),
        ("primary_address.line_1", "Kade 1"),
    ] {
        assert_eq!(firm.at(path), Some(&Value::from(wanted)), "{path}");
    }
    let row = stage.office.row_by("companies", "id", &id).unwrap();
    assert_eq!(row["telephones"].as_array().unwrap().len(), 2, "numbers were not touched");
    stage.update("companies", &id, &json!({"invoicing_email": null})).await.unwrap();
    assert_eq!(stage.office.row_by("companies", "id", &id).unwrap()["emails"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn own_fields_that_are_not_named_stay() {
    let stage = Stage::empty().await;
    let id = company(&stage);
    stage.update("companies", &id, &json!({"custom_fields": {"Segments": ["Horeca"]}})).await.unwrap();
    let firm = stage.find("companies", &["id"], &[&id]).await.remove(0);
    assert_eq!(firm.at("custom_fields.Web shop number"), Some(&Value::from("W-1")));
    assert_eq!(firm.at("custom_fields.Segments"), Some(&Value::List(vec![Value::from("Horeca")])));
    let error =
        stage.update("companies", &id, &json!({"custom_fields": {"Colour": "red"}})).await.unwrap_err();
    assert!(error.reason.contains("no custom field `Colour` for a company"), "{error}");
    let choice =
        stage.update("companies", &id, &json!({"custom_fields": {"Segments": ["o-3"]}})).await.unwrap_err();
    assert_eq!(choice.advice, Advice::SkipRecord, "a choice goes by its words");
}

#[tokio::test]
async fn a_phase_moves_though_an_update_drops_it() {
    let stage = Stage::filled().await;
    let phase = stage.find("deal_phases", &["name"], &["Offer sent"]).await.remove(0);
    let deal = stage.all("deals", FetchRequest::default()).await.remove(0);
    let id = deal.text("id").unwrap();
    stage.update("deals", id, &json!({"phase_id": phase.text("id").unwrap(), "summary": "x"})).await.unwrap();
    let after = stage.find("deals", &["id"], &[id]).await.remove(0);
    assert_eq!((after.get("phase_id"), after.text("summary")), (phase.get("id"), Some("x")));
}

#[tokio::test]
async fn a_line_names_its_product_and_its_rate_as_people_do() {
    let stage = Stage::filled().await;
    let customer = stage.office.rows("companies")[0]["id"].clone();
    let invoice = |lines: Json| json!({"customer_type": "company", "customer_id": customer, "purchase_order_number": "X", "lines": lines});
    let line = |more: Json| {
        let mut line = json!({"description": "Coffee", "quantity": 2, "unit_price": 7.5});
        more.as_object().unwrap().iter().for_each(|(name, value)| line[name] = value.clone());
        line
    };
    let lines = json!([
        line(json!({"sku": "100101", "vat_rate": 9})),
        line(json!({"tax_rate": "Export 0%", "section": "Abroad"}))
    ]);
    let id = stage.create("invoices", &invoice(lines)).await.unwrap();
    let made = stage.find("invoices", &["id"], &[&id]).await.remove(0);
    let first = made.get("lines").unwrap().as_list().unwrap()[0].as_map().unwrap().clone();
    assert_eq!(
        (first.text("sku"), first.text("tax_rate"), first.text("section")),
        (Some("100101"), Some("9%"), None)
    );
    assert_eq!(made.get("total_incl").unwrap().to_string(), "31.35");
    assert_eq!(made.at("payment_term.days"), Some(&Value::Int(30)), "the account's own term");
    for (lines, words) in [
        (json!([line(json!({"vat_rate": 0}))]), "several VAT rates 0 %: 0%, Intra-community 0%, Export 0%"),
        (json!([line(json!({"vat_rate": 7}))]), "no VAT rate 7 %"),
        (json!([line(json!({"tax_rate": "21%", "sku": "nope"}))]), "no product with the code `nope`"),
        (json!([line(json!({}))]), "`lines[0].tax_rate_id` is missing"),
    ] {
        let error = stage.create("invoices", &invoice(lines)).await.unwrap_err();
        assert!(error.reason.contains(words), "{error}");
    }
}

#[tokio::test]
async fn a_draft_is_booked_once_and_paid() {
    let stage = Stage::filled().await;
    let customer = stage.office.rows("companies")[0]["id"].clone();
    let lines = json!([{"description": "Coffee", "quantity": 1, "unit_price": 100, "tax_rate": "21%"}]);
    let invoice = json!({"customer_type": "company", "customer_id": customer, "purchase_order_number": "B-1", "invoice_date": "2026-11-20", "lines": lines});
    let mut early = invoice.clone();
    early["status"] = json!("outstanding");
    assert!(stage.create("invoices", &early).await.unwrap_err().reason.contains("a new invoice is a draft"));
    let id = stage.create("invoices", &invoice).await.unwrap();
    for _ in 0..2 {
        stage.update("invoices", &id, &json!({"status": "outstanding"})).await.unwrap();
    }
    let booked = stage.find("invoices", &["purchase_order_number"], &["B-1"]).await.remove(0);
    assert_eq!(
        (booked.text("status"), booked.text("invoice_date"), booked.text("due_on")),
        (Some("outstanding"), Some("2026-11-20"), Some("2026-12-20"))
    );
    let error = stage.update("invoices", &id, &json!({"note": "late"})).await.unwrap_err();
    assert_eq!(error.advice, Advice::SkipRecord);
    let payment = json!({"invoice_id": id, "paid_at": "2026-11-21T10:00:00+01:00", "amount": 121});
    stage.create("invoice_payments", &payment).await.unwrap();
    let found = stage.find("invoice_payments", &["invoice_id"], &[&id]).await;
    assert_eq!(found[0].text("paid_at"), Some("2026-11-21T09:00:00+00:00"));
    let paid = stage.find("invoices", &["id"], &[&id]).await.remove(0);
    assert_eq!((paid.text("status"), paid.get("is_paid")), (Some("matched"), Some(&Value::Bool(true))));
    assert!(stage.update("invoices", &id, &json!({"status": "draft"})).await.is_err());
}

#[tokio::test]
async fn a_quotation_that_is_accepted_wins_its_deal() {
    let stage = Stage::filled().await;
    let deal = stage.create("deals", &json!({
        "title": "W-9", "customer_type": "company", "customer_id": stage.office.rows("companies")[0]["id"],
    })).await.unwrap();
    let line = json!([{"description": "Coffee", "quantity": 1, "unit_price": 10, "tax_rate": "21%", "discount": 10}]);
    let id = stage.create("quotations", &json!({"deal_id": deal, "lines": line})).await.unwrap();
    stage.update("quotations", &id, &json!({"status": "accepted"})).await.unwrap();
    assert_eq!(stage.find("deals", &["title"], &["W-9"]).await[0].text("status"), Some("won"));
    let quotation = stage.find("quotations", &["deal_id"], &[&deal]).await.remove(0);
    assert_eq!((quotation.text("status"), quotation.text("title")), (Some("accepted"), Some("W-9")));
    assert_eq!(quotation.get("total_excl").unwrap().to_string(), "9");
    let order = stage.office.rows("orders").pop().unwrap();
    assert_eq!(order["name"], "W-9");
}

#[tokio::test]
async fn names_that_the_account_does_not_have_are_refused_in_words() {
    let stage = Stage::filled().await;
    for (body, words) in [
        (json!({"name": "x", "product_category": "Cars"}), "`Cars` is not among the product categories"),
        (json!({"name": "x", "unit_of_measure": "mile"}), "`mile` is not among the units of measure"),
        (json!({"name": "x", "colour": "red"}), "there is no field `colour`"),
    ] {
        let error = stage.create("products", &body).await.unwrap_err();
        assert_eq!(error.advice, Advice::SkipRecord);
        assert!(error.reason.contains(words), "{error}");
    }
}

#[tokio::test]
async fn webhooks_are_registered_once_and_told() {
    let stage = Stage::empty().await;
    let hooks = stage.session.webhooks().unwrap();
    let url = "https://weft.example/hooks/8f2k";
    hooks.register(&["company.added", "company.updated"], url).await.unwrap();
    hooks.register(&["company.added"], url).await.unwrap();
    let listed = hooks.list().await.unwrap();
    assert_eq!((listed.len(), listed[0].events.clone()), (1, vec!["company.added".to_owned()]));
    assert!(hooks.register(&["company.added"], "http://weft.example").await.is_err());
    assert!(hooks.register(&["order.created"], url).await.is_err());
    let id = company(&stage);
    stage.office.act("companies.update", &json!({"id": id, "name": "Other"})).unwrap();
    let told = stage.office.deliveries();
    assert_eq!(told.len(), 1);
    let body = bytes::Bytes::from(told[0]["body"].to_string());
    let headers = reqwest::header::HeaderMap::new();
    let delivery = hooks.judge(&Incoming { address: url, headers: &headers, body: &body }).await.unwrap();
    assert_eq!((delivery.event.as_str(), delivery.record.unwrap().1), ("company.added", id));
    hooks.register(&[], url).await.unwrap();
    assert!(hooks.list().await.unwrap().is_empty());
}

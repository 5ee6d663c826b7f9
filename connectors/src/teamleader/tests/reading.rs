//! Traps of reading: lists that shift, moments that are shared, what lists leave out, filters
//! that are not understood.

use serde_json::json;

use super::*;

fn small(size: usize) -> FetchRequest {
    FetchRequest { size, ..FetchRequest::default() }
}

#[tokio::test]
async fn a_record_that_changes_while_a_list_is_read_hides_no_other() {
    let stage = Stage::filled().await;
    let all = names(&stage.all("companies", small(100)).await, "id");
    let request = FetchRequest { resource: "companies".to_owned(), ..small(5) };
    let fetch = stage.session.fetch("companies").unwrap();
    let first = fetch.page(&request, None).await.unwrap();
    // The first of them moves to the end: all others move up by one.
    let id = first.records[0].text("id").unwrap().to_owned();
    stage.office.act("companies.update", &json!({"id": id, "name": "Moved"})).unwrap();
    let mut found = first.records;
    let mut position = first.next;
    while let Some(at) = position {
        let page = fetch.page(&request, Some(&at)).await.unwrap();
        found.extend(page.records);
        position = page.next;
    }
    let mut found = names(&found, "id");
    found.dedup();
    assert_eq!(found, all);
}

#[tokio::test]
async fn a_record_that_is_removed_while_a_list_is_read_hides_no_other() {
    let stage = Stage::filled().await;
    let all = names(&stage.all("products", small(100)).await, "id");
    for resource in ["products"] {
        let request = FetchRequest { resource: resource.to_owned(), ..small(10) };
        let fetch = stage.session.fetch(resource).unwrap();
        let first = fetch.page(&request, None).await.unwrap();
        let gone: Vec<String> = names(&first.records[..3], "id");
        for id in &gone {
            stage.office.act("products.delete", &json!({"id": id})).unwrap();
        }
        let mut found = first.records;
        let mut position = first.next;
        while let Some(at) = position {
            let page = fetch.page(&request, Some(&at)).await.unwrap();
            found.extend(page.records);
            position = page.next;
        }
        let mut found = names(&found, "id");
        found.dedup();
        assert_eq!(found, all, "what came up from the second page is read");
    }
}

#[tokio::test]
async fn more_records_of_one_moment_than_a_page_holds_are_all_read() {
    let clock = Some("2026-03-02T09:15:00Z".parse().unwrap());
    let stage = Stage::with(|options| options.clock = clock).await;
    for number in 0..25 {
        stage.made("companies.add", &json!({"name": format!("Firm {number:02}")}));
    }
    let found = stage.all("companies", small(4)).await;
    assert_eq!(names(&found, "name").len(), 25);
}

#[tokio::test]
async fn changes_at_the_very_moment_of_the_mark_are_read_whether_it_counts_or_not() {
    for since_is_exclusive in [false, true] {
        let stage = Stage::with(|options| options.since_is_exclusive = since_is_exclusive).await;
        stage.office.fill();
        let all = stage.all("products", small(100)).await;
        let last = all.iter().max_by_key(|record| record.text("updated_at").unwrap().to_owned()).unwrap();
        let since = Some(("updated_at".to_owned(), Value::from(last.text("updated_at").unwrap())));
        let found = stage.all("products", FetchRequest { since, ..small(10) }).await;
        assert!(found.iter().any(|record| record.get("id") == last.get("id")), "{since_is_exclusive}");
        assert!(found.len() < all.len());
    }
}

#[tokio::test]
async fn what_a_list_leaves_out_is_filled_in_and_known_by_name() {
    let stage = Stage::filled().await;
    let listed = stage.all("products", small(100)).await.remove(1);
    assert_eq!(listed.get("selling_price"), None);
    let whole = stage.session.detail("products").unwrap().complete("products", listed).await.unwrap();
    let text = |name: &str| whole.text(name).unwrap_or_default().to_owned();
    assert_eq!(whole.get("selling_price").unwrap().to_string(), "8.25");
    assert_eq!(whole.get("vat_rate").unwrap().to_string(), "9");
    assert_eq!(whole.get("selling_price_incl").unwrap().to_string(), "8.99");
    assert_eq!(
        (text("tax_rate"), text("product_category"), text("unit_of_measure")),
        ("9%".into(), "Tea".into(), "piece".into())
    );
    assert_eq!(whole.at("custom_fields.EAN"), Some(&Value::from("5412345678901")));
    assert_eq!(whole.get("price_list_prices").unwrap().as_list().unwrap().len(), 1);
}

#[tokio::test]
async fn loose_forms_of_replies_are_understood() {
    let stage = Stage::with(|options| {
        options.flat_list_prices = true;
        options.credit_note_as_list = true;
    })
    .await;
    stage.office.fill();
    let product = stage.find("products", &["code"], &["100103"]).await.remove(0);
    let prices = product.get("price_list_prices").unwrap().as_list().unwrap().to_vec();
    assert_eq!(prices[0].as_map().unwrap().get("price").unwrap().to_string(), "6.5");
    let note = stage.all("credit_notes", small(100)).await.remove(0);
    let found = stage.find("credit_notes", &["id"], &[note.text("id").unwrap()]).await;
    assert_eq!(found[0].get("lines").unwrap().as_list().unwrap().len(), 3);
}

#[tokio::test]
async fn a_term_finds_parts_and_only_the_whole_counts() {
    let stage = Stage::empty().await;
    for code in ["100", "1001", "2100"] {
        stage.made("products.add", &json!({"name": code, "code": code}));
    }
    assert_eq!(names(&stage.find("products", &["code"], &["100"]).await, "code"), ["100"]);
    assert_eq!(stage.find("products", &["code"], &["10"]).await, Vec::<Record>::new());
}

#[tokio::test]
async fn people_type_mail_addresses_in_any_case_and_vat_numbers_with_dots() {
    let stage = Stage::empty().await;
    let body = json!({"name": "Firm", "vat_number": "BE0899623035", "emails": [{"type": "primary", "email": "Info@Firm.example"}]});
    stage.made("companies.add", &body);
    assert_eq!(stage.find("companies", &["email"], &["info@firm.example"]).await.len(), 1);
    assert_eq!(stage.find("companies", &["vat_number"], &["BE 0899.623.035"]).await.len(), 1);
    assert_eq!(stage.find("companies", &["name"], &["Fir"]).await.len(), 0);
}

#[tokio::test]
async fn nothing_is_asked_that_the_service_would_drop_without_a_word() {
    let stage = Stage::filled().await;
    for (name, resource) in MANIFEST.resources.iter() {
        let Some(fetch) = &resource.fetch else { continue };
        let all = stage.all(name, small(50)).await;
        for field in &fetch.filters {
            let conditions = vec![(field.clone(), all[0].get(field).cloned().unwrap_or_default())];
            stage.all(name, FetchRequest { conditions, ..small(50) }).await;
        }
    }
    for (name, resource) in MANIFEST.resources.iter() {
        if resource.create.is_some() {
            let sample = stage.office.sample(name, 3).unwrap();
            stage.session.create(name).unwrap().create(name, &sample, "k").await.unwrap();
        }
    }
    assert_eq!(stage.office.ignored(), Vec::<String>::new());
}

#[tokio::test]
async fn documents_tell_their_lines_in_one_list_with_codes_and_rates() {
    let stage = Stage::filled().await;
    let order = stage.all("orders", small(100)).await.remove(0);
    let order = stage.find("orders", &["id"], &[order.text("id").unwrap()]).await.remove(0);
    let lines = order.get("lines").unwrap().as_list().unwrap();
    let line = lines[0].as_map().unwrap();
    assert_eq!((line.text("section"), line.text("sku")), (Some("Goods"), Some("100101")));
    assert_eq!(line.get("vat_rate").unwrap().to_string(), "9");
    assert_eq!(lines[2].as_map().unwrap().text("section"), None);
    assert_eq!(order.text("customer_type"), Some("company"), "told by the deal");
    assert_eq!(order.text("reference"), Some("2026/2").or(order.text("reference")));
}

#[tokio::test]
async fn errors_that_come_as_a_success_are_errors() {
    let stage = Stage::with(|options| options.errors_as_success = true).await;
    let error = stage
        .create(
            "products",
            &json!({"name": "x", "unit_of_measure_id": "00000000-0000-4000-8000-0000000000ff"}),
        )
        .await;
    let error = error.unwrap_err();
    assert_eq!(error.advice, crate::contract::Advice::SkipRecord);
    assert!(error.reason.contains("unit_of_measure_id"), "{error}");
}

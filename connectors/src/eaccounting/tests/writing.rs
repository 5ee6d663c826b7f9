//! Replacing records whole, without losing what is not meant.

use super::*;
use crate::contract::Advice;

#[tokio::test]
async fn an_update_keeps_what_it_does_not_know() {
    // What is read-only may come back, and must not be sent as if it were a change.
    let bench = Bench::new(Options { refuses_unknown_members: true, ..Options::default() }).await;
    let id = bench.customer("Klant", true);
    let there = json!({"PropertyReference": "A-12", "GLN": "8712345000004", "Iban": "NL91ABNA0417164300"});
    bench.company.change("customers", &id, &there);
    bench.update("customers", &id, &json!({"note": "Belt graag"})).await.unwrap();
    let row = bench.company.by("customers", "Id", &id).unwrap();
    for (name, value) in there.as_object().unwrap() {
        assert_eq!(&row[name], value, "{name}");
    }
    assert_eq!(row["Note"], "Belt graag");
}

#[tokio::test]
async fn an_update_sends_only_what_the_service_lets_write() {
    let bench = Bench::filled().await;
    bench.company.record();
    for (resource, entity) in [
        ("customers", "CustomerApi"),
        ("articles", "ArticleApi"),
        ("stock", "ArticleApi"),
        ("quotes", "QuoteApi"),
        ("orders", "OrderApi"),
        ("invoice_drafts", "CustomerInvoiceDraftApi"),
        ("price_lists", "SalesPriceListApi"),
    ] {
        let first = bench.all(resource, 500).await.remove(0);
        let change = crate::simulator::Simulator::change(&bench.company, resource, 1).unwrap();
        let key = first.text("id").unwrap();
        bench.session.update(resource).unwrap().update(resource, key, &change, None).await.unwrap();
        let members = &super::super::entities()[entity];
        let sent = bench.company.recorded().into_iter().rfind(|one| one.method == "PUT").unwrap();
        let sent: Json = serde_json::from_str(&sent.request).unwrap();
        for name in sent.as_object().unwrap().keys() {
            assert!(!members.member(name).unwrap().read, "{resource}: {name} is read-only");
        }
    }
}

#[tokio::test]
async fn prices_agree_with_the_rate_whatever_changes() {
    let bench = Bench::new(Options::default()).await;
    let id = bench.article("100045", 1000);
    let number = |row: &Json, name: &str| row[name].as_f64().unwrap();
    bench.update("articles", &id, &json!({"net_price": 20})).await.unwrap();
    let row = bench.company.by("articles", "Id", &id).unwrap();
    assert!((number(&row, "GrossPrice") - 24.2).abs() < 0.001);
    bench.update("articles", &id, &json!({"gross_price": 12.10})).await.unwrap();
    let row = bench.company.by("articles", "Id", &id).unwrap();
    assert!((number(&row, "NetPrice") - 10.0).abs() < 0.001);
    let low = bench.company.by("articleaccountcodings", "Name", "Goederen 9 %").unwrap();
    bench.update("articles", &id, &json!({"coding_id": low["Id"]})).await.unwrap();
    let row = bench.company.by("articles", "Id", &id).unwrap();
    assert!((number(&row, "GrossPrice") - 10.9).abs() < 0.001);
    let both = json!({"net_price": 10, "gross_price": 12.10});
    let error = bench.update("articles", &id, &both).await.unwrap_err();
    assert_eq!(error.advice, Advice::SkipRecord);
    assert!(error.reason.contains("`gross_price`"), "{error}");
}

#[tokio::test]
async fn a_stock_that_the_module_keeps_is_not_taken_for_written() {
    let bench = Bench::new(Options::default()).await;
    let id = bench.article("100045", 1000);
    let written = bench.update("stock", &id, &json!({"balance": 4})).await.unwrap();
    assert_eq!(written.record.get("available").unwrap().as_decimal(), Some(Decimal::from(4)));
    bench.company.set("ActivatedModules", &json!(["stock"]));
    let error = bench.update("stock", &id, &json!({"balance": 7})).await.unwrap_err();
    assert_eq!(error.advice, Advice::SkipRecord);
    assert!(error.reason.contains("`balance` was to be 7 and stays 4"), "{error}");
}

#[tokio::test]
async fn numbers_are_unique_and_labels_must_be_there() {
    for conflicts_are_409 in [false, true] {
        let bench = Bench::new(Options { conflicts_are_409, ..Options::default() }).await;
        bench.article("100045", 1000);
        let row = bench.company.rows("articles").remove(0);
        let twin = json!({"number": "100045", "name": "Mok", "is_active": true, "coding_id": row["CodingId"], "unit_id": row["UnitId"]});
        let error = bench.create("articles", &twin).await.unwrap_err();
        assert_eq!(error.advice, Advice::SkipRecord);
        assert!(error.reason.contains("already has a record") && error.reason.contains("[error "), "{error}");
        let mut labelled = twin.clone();
        (labelled["number"], labelled["labels"]) = (json!("100046"), json!(["Koffie"]));
        let error = bench.create("articles", &labelled).await.unwrap_err();
        assert!(error.reason.contains("there is no label `Koffie`"), "{error}");
        bench.create("article_labels", &json!({"name": "Koffie"})).await.unwrap();
        let made = bench.create("articles", &labelled).await.unwrap();
        assert_eq!(made.record.get("labels").unwrap().to_string(), "[\"Koffie\"]");
    }
}

#[tokio::test]
async fn customers_are_checked_as_the_service_does() {
    let bench = Bench::new(Options::default()).await;
    let terms = bench.company.rows("termsofpayments")[0]["Id"].clone();
    let good = json!({"name": "De Linde BV", "is_private_person": false, "is_active": true, "terms_of_payment_id": terms,
        "invoice_postal_code": "3511 AB", "invoice_city": "Utrecht", "vat_number": "NL800000000B01"});
    let made = bench.create("customers", &good).await.unwrap();
    assert_eq!(made.record.text("number"), Some("1001"));
    for (field, value, words) in [
        ("invoice_city", json!(null), "`invoice_city`"),
        ("name", json!("x".repeat(51)), "`name`"),
        ("vat_number", json!("800000000"), "VAT number"),
        ("force_bookkeep_vat", json!(true), "4035"),
        ("number", json!("1001"), "already has a record"),
        ("price_list_id", json!("11111111-1111-4111-8111-111111111111"), "denies the right"),
        ("terms_of_payment_id", json!("11111111-1111-4111-8111-111111111111"), "`terms_of_payment_id`"),
    ] {
        let mut bad = good.clone();
        bad[field] = value;
        let error = bench.create("customers", &bad).await.unwrap_err();
        assert!(error.reason.contains(words), "{field}: {error}");
    }
    assert_eq!(bench.company.rows("customers").len(), 1);
}

#[tokio::test]
async fn a_price_of_a_list_is_set_however_often_it_is_said() {
    let bench = Bench::filled().await;
    let (list, article) = (
        bench.company.rows("salespricelists")[3]["Id"].clone(),
        bench.company.rows("articles")[2]["Id"].clone(),
    );
    let price = json!({"price_list_id": list, "article_id": article, "net_price": 7.5});
    let before = bench.company.rows("prices").len();
    for _ in 0..2 {
        let written = bench.create("prices", &price).await.unwrap();
        assert_eq!(written.key, format!("{}/{}", list.as_str().unwrap(), article.as_str().unwrap()));
    }
    assert_eq!(bench.company.rows("prices").len(), before + 1);
}

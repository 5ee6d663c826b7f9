//! What single resources promise beyond the common abilities.

use super::*;
use crate::contract::Advice;

const LINE: &str = r#""lines":[{"article_number":"100","quantity":2,"price":12.10}]"#;

fn order(ext: &str, more: &str) -> String {
    format!(r#"{{"ext_order_id":"{ext}","relation_number":"7",{LINE}{more}}}"#)
}

async fn small() -> Stand {
    let stand = Stand::empty().await;
    stand.stock(100, 7);
    stand
}

// shows R67
#[tokio::test]
async fn numbers_that_are_no_digits_are_refused_before_they_are_sent() {
    let stand = small().await;
    let before = stand.running.requests();
    for (resource, record, field) in [
        ("articles", r#"{"article_number":"AB-1"}"#.to_owned(), "article_number"),
        (
            "products",
            r#"{"articles":[{"description":"a"},{"article_number":"AB-1"}]}"#.to_owned(),
            "articles, 2, article_number",
        ),
        ("orders", order("A", "").replace("\"100\"", "\"AB-1\""), "lines, 1, article_number"),
        ("orders", order("A", "").replace("\"7\"", "\"0\""), "relation_number"),
        ("orders", order("A", r#","employee_number":"0""#), "employee_number"),
        ("orders", order("A", "").replace("12.10", "12.105"), "lines, 1, price"),
        ("orders", order("A", r#","vat_method":"sometimes""#), "vat_method"),
        ("orders", order("A", r#","delivery_date":"soon""#), "delivery_date"),
        ("orders", r#"{"ext_order_id":"A","relation_number":"7","lines":[]}"#.to_owned(), "lines"),
        ("orders", format!(r#"{{"relation_number":"7",{LINE}}}"#), "ext_order_id"),
        ("orders", format!(r#"{{"ext_order_id":"A",{LINE}}}"#), "relation_number"),
        (
            "orders",
            r#"{"ext_order_id":"A","relation_number":"7","lines":[{"article_number":"100"}]}"#.to_owned(),
            "lines, 1, quantity",
        ),
        ("relations", r#"{"relation_number":"12a"}"#.to_owned(), "relation_number"),
    ] {
        let error = stand.create(resource, &record, "k").await.unwrap_err();
        assert_eq!(error.advice, Advice::SkipRecord, "{error}");
        assert!(error.reason.starts_with(field), "{field}: {error}");
        if record.contains("AB-1") {
            assert!(error.reason.contains("`AB-1`") && error.reason.contains("digits only"), "{error}");
            assert!(error.help.unwrap().contains("ext_article_id"));
        }
    }
    assert_eq!(stand.update("articles", "AB-1", "{}").await.unwrap_err().advice, Advice::SkipRecord);
    assert_eq!(stand.running.requests(), before, "nothing was sent");
}

#[tokio::test]
async fn an_order_gets_what_the_flow_did_not_say() {
    let stand = small().await;
    let written = stand.create("orders", &order("A", ""), "k").await.unwrap();
    let made = &stand.till.orders()[0];
    for (field, value) in [
        ("employee_number", "999999"),
        ("entry_branch_number", "1"),
        ("financial_branch_number", "1"),
        ("workplace_number", "1"),
        ("vat_method", "inclusive"),
        ("order_type", "sales_order"),
    ] {
        assert_eq!(made.text(field), Some(value), "{field}");
    }
    assert_eq!(made.get("total_incl_amount"), Some(&euro("24.20")));
    assert_eq!(written.record.text("order_number"), made.text("order_number"));
    assert_eq!(
        written.record.at("lines").unwrap().as_list().unwrap()[0].as_map().unwrap().get("position"),
        Some(&1.into())
    );
}

#[tokio::test]
async fn an_order_number_that_was_used_is_taken_as_done_unless_it_was_cancelled() {
    let stand = small().await;
    let first = stand.create("orders", &order("A", ""), "k").await.unwrap();
    let again = stand.create("orders", &order("A", ""), "another key").await.unwrap();
    assert_eq!((first.key.clone(), 1), (again.key, stand.till.orders().len()));
    stand.till.cancel_order(&first.key);
    let error = stand.create("orders", &order("A", ""), "a third key").await.unwrap_err();
    assert!(error.advice == Advice::SkipRecord && error.reason.contains("cancelled"), "{error}");
}

#[tokio::test]
async fn a_refusal_does_not_stick_to_its_key() {
    let stand = Stand::empty().await;
    stand.till.add_relations([json(r#"{"relation_number":"7","name":"Jan"}"#)]);
    for _ in 0..3 {
        let error = stand.create("orders", &order("A", ""), "k").await.unwrap_err();
        assert!(error.reason.contains("Article 100 does not exist"), "{error}");
    }
    stand.stock(100, 8);
    let made = stand.create("orders", &order("A", ""), "k").await.unwrap();
    let again = stand.create("orders", &order("A", ""), "k").await.unwrap();
    assert_eq!((made.key, 1), (again.key, stand.till.orders().len()));
}

#[tokio::test]
async fn payments_follow_the_connection() {
    let paid = r#","payments":[{"method":"IDEAL","amount":24.20}]"#;
    for (setting, prepaid, state, invoices) in [
        ("deposit", "24.20", "nothing", 0),
        ("finish", "24.20", "complete", 1),
        ("ignore", "0", "nothing", 0),
    ] {
        let stand = small().await;
        let session = stand.with(&[("payments", setting)]);
        session.create("orders").unwrap().create("orders", &json(&order("A", paid)), "k").await.unwrap();
        let made = &stand.till.orders()[0];
        assert_eq!(made.get("prepaid_amount"), Some(&euro(prepaid)), "{setting}");
        assert_eq!(made.text("complete_state"), Some(state), "{setting}");
        assert_eq!(stand.till.invoices().len(), invoices, "{setting}");
    }
    let stand = small().await;
    let error =
        stand.create("orders", &order("A", &paid.replace("IDEAL", "SCHELPEN")), "k").await.unwrap_err();
    assert!(error.reason.contains("payment") && error.reason.contains("SCHELPEN"), "{error}");
    let short = order("A", r#","prepay":false,"payments":[{"method":"PIN","amount":1}]"#);
    assert!(
        stand.create("orders", &short, "k2").await.unwrap_err().reason.contains("less than the open amount")
    );
    assert!(stand.till.orders().is_empty());
}

#[tokio::test]
async fn an_older_till_gets_orders_in_the_older_way() {
    let stand = small().await;
    stand.till.forget_operation("createOrderV3");
    let paid = r#","payments":[{"method":"IDEAL","amount":24.20}]"#;
    stand.create("orders", &order("A", paid), "k").await.unwrap();
    assert_eq!(stand.till.orders()[0].get("fully_paid"), Some(&true.into()));
    let before = stand.running.requests();
    stand.create("orders", &order("B", ""), "k2").await.unwrap();
    assert_eq!(stand.running.requests(), before + 1, "it is not asked again whether the till is newer");
    stand.till.forget_operation("createOrderV2");
    let error = stand.create("orders", &order("C", ""), "k3").await.unwrap_err();
    assert!(error.advice == Advice::StopFlow && error.reason.contains("createOrderV2"), "{error}");
}

#[tokio::test]
async fn an_order_is_changed_as_it_is_now() {
    let stand = small().await;
    let id = stand.create("orders", &order("A", ""), "k").await.unwrap().key;
    stand.till.edit_order(&id, json(r#"{"reference":"by hand"}"#));
    let line = stand.till.orders()[0].at("lines").unwrap().as_list().unwrap()[0].clone();
    let line = line.as_map().unwrap().text("line_id").unwrap().to_owned();
    let changes =
        r#"{"order_category_number":"1","lines":[{"article_number":"100","quantity":5,"price":12.10}]}"#;
    let written = stand.update("orders", &id, changes).await.unwrap();
    let now = &stand.till.orders()[0];
    assert_eq!(now.text("reference"), Some("by hand"), "what somebody else changed stays");
    assert_eq!(now.text("order_category_description"), Some("Nieuw"));
    assert_eq!(now.get("total_incl_amount"), Some(&euro("60.50")));
    let lines = now.at("lines").unwrap().as_list().unwrap();
    assert_eq!(lines[0].as_map().unwrap().text("line_id"), Some(line.as_str()), "the same line");
    assert_eq!(written.record.get("total_incl_amount"), Some(&euro("60.50")));
    let counter = now.get("change_counter").cloned();
    stand.update("orders", &id, r#"{"reference":"by hand"}"#).await.unwrap();
    assert_eq!(stand.till.orders()[0].get("change_counter").cloned(), counter, "no changes is fine");
    let error = stand.update("orders", &id, r#"{"payments":[]}"#).await.unwrap_err();
    assert!(error.reason.contains("order_payments"), "{error}");
}

#[tokio::test]
async fn an_order_is_cancelled_once() {
    let stand = small().await;
    let id = stand.create("orders", &order("A", ""), "k").await.unwrap().key;
    for _ in 0..3 {
        stand.update("orders", &id, r#"{"cancel_state":"complete"}"#).await.unwrap();
        assert_eq!(stand.till.orders()[0].text("cancel_state"), Some("complete"), "and not brought back");
        assert_eq!(stand.till.orders()[0].get("change_counter"), Some(&2.into()), "nor touched again");
    }
    let error = stand.update("orders", &id, r#"{"cancel_state":"nothing"}"#).await.unwrap_err();
    assert_eq!(error.advice, Advice::SkipRecord);
    assert_eq!(stand.till.stock(1, 100).get("amount_reserved"), Some(&euro("0")));
}

#[tokio::test]
async fn articles_are_found_by_foreign_number_and_barcode_also_after_changes() {
    let stand = Stand::filled().await;
    let found = stand.one("articles", "ext_article_id", "TX-200001-1").await;
    assert_eq!(found.text("article_number"), Some("200002"));
    stand.till.edit_article("200002", json(r#"{"barcode":"8712345678906","ext_article_id":"NEW"}"#));
    assert_eq!(
        stand.one("articles", "barcode", "8712345678906").await.text("article_number"),
        Some("200002")
    );
    let old = stand.find("articles", &["ext_article_id"], &[&["TX-200001-1".into()], &["NEW".into()]]).await;
    assert_eq!((old[0].len(), old[1].len()), (0, 1));
    let before = stand.running.requests();
    stand.one("articles", "barcode", "8712345678906").await;
    assert!(stand.running.requests() - before <= 2, "one look for changes, one for the article");
}

#[tokio::test]
async fn variants_join_their_product() {
    let stand = small().await;
    let product =
        stand.one("articles", "article_number", "100").await.text("product_number").unwrap().to_owned();
    let variant = format!(
        r#"{{"article_number":"101","product_number":"{product}","size":"L","vat_code":"1","price_excl":10}}"#
    );
    stand.create("articles", &variant, "k").await.unwrap();
    let whole = stand.one("products", "product_number", &product).await;
    assert_eq!(whole.get("articles").unwrap().as_list().unwrap().len(), 2);
    assert_eq!(stand.one("articles", "article_number", "101").await.get("price_incl"), Some(&euro("12.10")));
    let moved = stand.update("articles", "101", r#"{"product_number":"9"}"#).await.unwrap_err();
    assert!(moved.reason.contains("product_number"), "{moved}");
    let taken = stand.create("articles", r#"{"article_number":"101"}"#, "k").await.unwrap_err();
    assert!(taken.reason.contains("already taken"), "{taken}");
    stand.update("articles", "101", r#"{"size":null}"#).await.unwrap();
    assert_eq!(
        stand.one("articles", "article_number", "101").await.get("size"),
        None,
        "nothing clears a text"
    );
}

#[tokio::test]
async fn a_known_article_of_a_product_is_not_added_again() {
    let stand = small().await;
    let product = r#"{"description":"Trui","articles":[{"ext_article_id":"T-1","size":"S"},{"ext_article_id":"T-2","size":"M"}]}"#;
    let key = stand.create("products", product, "k").await.unwrap().key;
    let current = stand.one("products", "product_number", &key).await;
    let changes =
        json(r#"{"articles":[{"ext_article_id":"T-2","size":"XL"},{"ext_article_id":"T-3","size":"M"}]}"#);
    stand
        .session
        .update("products")
        .unwrap()
        .update("products", &key, &changes, Some(&current))
        .await
        .unwrap();
    let now = stand.one("products", "product_number", &key).await;
    let sizes = now
        .get("articles")
        .unwrap()
        .as_list()
        .unwrap()
        .iter()
        .map(|article| article.as_map().unwrap().text("size").unwrap());
    let mut sizes: Vec<&str> = sizes.collect();
    sizes.sort_unstable();
    assert_eq!(sizes, ["M", "S", "XL"]);
}

#[tokio::test]
async fn relations_are_told_apart_by_more_than_capitals() {
    let stand = small().await;
    stand
        .create("relations", r#"{"name":"A","ext_relation_id":"k-1","email":"Jan@Example.com"}"#, "k")
        .await
        .unwrap();
    assert_eq!(stand.one("relations", "email", "jan@example.COM").await.text("name"), Some("A"));
    assert!(stand.find("relations", &["ext_relation_id"], &[&["K-1".into()]]).await[0].is_empty());
    assert!(stand.find("relations", &["email"], &[&["n@example.com".into()]]).await[0].is_empty());
    let firm = stand
        .create("relations", r#"{"name":"B","company_name":"B B.V.","kind":"person"}"#, "k")
        .await
        .unwrap();
    assert_eq!(stand.one("relations", "relation_number", &firm.key).await.text("kind"), Some("company"));
    let long = format!(r#"{{"name":"C","relation_code":"{}"}}"#, "x".repeat(129));
    assert!(stand.create("relations", &long, "k").await.unwrap_err().reason.contains("128"));
}

#[tokio::test]
async fn stock_is_told_by_branch() {
    let stand = small().await;
    stand.till.add_branch(2, "De Koog");
    stand.update("stock", "2:100", r#"{"amount_free":12.5,"reference":"count"}"#).await.unwrap();
    stand.create("orders", &order("A", ""), "k").await.unwrap();
    let by = ["article_number", "branch_number"];
    let rows = stand.find("stock", &by, &[&["100".into(), "2".into()], &["100".into(), "1".into()]]).await;
    assert_eq!(rows[0][0].get("amount_free"), Some(&euro("12.5")));
    assert_eq!(rows[0][0].text("id"), Some("2:100"));
    let here = stand.one("stock", "article_number", "100").await;
    assert_eq!((here.get("available"), here.get("amount_physical")), (Some(&euro("-2")), Some(&euro("0"))));
    let request = FetchRequest {
        resource: "stock".into(),
        conditions: vec![("branch_number".into(), "2".into())],
        size: 10,
        ..FetchRequest::default()
    };
    let page = stand.session.fetch("stock").unwrap().page(&request, None).await.unwrap();
    assert_eq!(page.records.len(), 1);
}

#[tokio::test]
async fn orders_are_filtered_by_relation() {
    let stand = Stand::filled().await;
    let mut other = stand.till.sample("orders", 99).unwrap();
    other.set("relation_number", "5");
    stand.till.place_order(other).unwrap();
    for (resource, expected) in [("orders", 1), ("invoices", 0)] {
        let request = FetchRequest {
            resource: resource.into(),
            conditions: vec![("relation_number".into(), "5".into())],
            size: 10,
            ..FetchRequest::default()
        };
        let page = stand.session.fetch(resource).unwrap().page(&request, None).await.unwrap();
        assert_eq!(page.records.len(), expected, "{resource}");
    }
}

#[tokio::test]
async fn groups_move_up_and_products_join_them() {
    let stand = small().await;
    let top = stand.create("article_groups", r#"{"name":"Kleding"}"#, "k").await.unwrap().key;
    let below = format!(r#"{{"name":"Mutsen","parent_group_number":"{top}"}}"#);
    let below = stand.create("article_groups", &below, "k").await.unwrap().key;
    let by = ["name", "parent_group_number"];
    let keys: [&[Value]; 2] = [&["Mutsen".into(), top.as_str().into()], &["Mutsen".into(), "0".into()]];
    let found = stand.find("article_groups", &by, &keys).await;
    assert_eq!((found[0].len(), found[1].len()), (1, 0));
    stand.update("article_groups", &below, r#"{"parent_group_number":null}"#).await.unwrap();
    let found = stand.find("article_groups", &by, &keys).await;
    assert_eq!((found[0].len(), found[1].len()), (0, 1));
    let product =
        stand.one("articles", "article_number", "100").await.text("product_number").unwrap().to_owned();
    let member = format!(r#"{{"group_number":"{below}","product_number":"{product}"}}"#);
    stand.create("article_group_products", &member, "k").await.unwrap();
    let found = stand
        .find(
            "article_group_products",
            &["group_number", "product_number"],
            &[&[below.as_str().into(), product.as_str().into()]],
        )
        .await;
    assert_eq!(found[0][0].text("id"), Some(format!("{below}:{product}").as_str()));
    assert_eq!(
        stand.one("article_groups", "group_number", &below).await.get("product_numbers"),
        Some(&vec![Value::from(product)].into())
    );
}

// shows R34
#[tokio::test]
async fn thousands_are_read_in_pages() {
    let stand = Stand::empty().await;
    stand.till.add_articles((1..=2_500).map(|n| {
        json(&format!(r#"{{"article_number":"{n}","ext_article_id":"E{n}","vat_code":"1","price_incl":1}}"#))
    }));
    assert_eq!(stand.all("articles", 1000, None).await.len(), 2_500);
    assert_eq!(stand.one("articles", "ext_article_id", "E2499").await.text("article_number"), Some("2499"));
    let keys: Vec<Vec<Value>> = (1..=100).map(|n| vec![Value::from(n.to_string())]).collect();
    let keys: Vec<&[Value]> = keys.iter().map(Vec::as_slice).collect();
    let before = stand.running.requests();
    assert!(stand.find("articles", &["article_number"], &keys).await.iter().all(|found| found.len() == 1));
    assert_eq!(stand.running.requests() - before, 1, "a hundred keys in one call");
}

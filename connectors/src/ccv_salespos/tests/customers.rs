//! Customers: the index by e-mail, addresses, accounts; and webhooks.

use super::*;
use crate::contract::Advice;

#[tokio::test]
async fn the_index_is_read_once_and_topped_up() {
    let stage = Stage::empty().await;
    for number in 0..60 {
        stage.shop.add_customer(&format!("k{number}@b.example"), ("A", "B"), "").unwrap();
    }
    assert_eq!(stage.find("customers", &["email"], &["k7@b.example"]).await.len(), 1);
    let asked = stage.running.requests();
    assert_eq!(stage.find("customers", &["email"], &["K8@B.example"]).await.len(), 1);
    assert_eq!(stage.running.requests() - asked, 1, "only the customer itself");
    stage.shop.add_customer("nieuw@b.example", ("A", "B"), "").unwrap();
    assert_eq!(
        stage.find("customers", &["email"], &["nieuw@b.example"]).await.len(),
        1,
        "newer than the index"
    );
    let made =
        stage.create("customers", json!({"email": "zelf@b.example", "reference": "DEB-1"})).await.unwrap();
    let asked = stage.running.requests();
    assert_eq!(stage.find("customers", &["reference"], &["DEB-1"]).await.len(), 1);
    assert_eq!(stage.running.requests() - asked, 1, "the index knows what was written");
    stage.update("customers", &shown(&made, "id"), json!({"email": "anders@b.example"})).await.unwrap();
    assert!(stage.find("customers", &["email"], &["zelf@b.example"]).await.is_empty(), "read afresh");
    assert_eq!(stage.find("customers", &["email"], &["anders@b.example"]).await.len(), 1);
}

#[tokio::test]
async fn a_new_account_gets_a_name_and_a_password() {
    let stage = Stage::empty().await;
    let made = stage.create("customers", json!({"email": "a@b.example"})).await.unwrap();
    assert_eq!(shown(&made, "username"), "a@b.example");
    assert!(made.get("password").is_none());
    let error = stage.create("customers", json!({"email": "a@b.example"})).await.unwrap_err();
    assert_eq!(error.advice, Advice::SkipRecord);
    assert!(error.reason.contains("already has a record with this value"), "{error}");
}

#[tokio::test]
async fn an_address_is_sent_whole() {
    for replaces in [false, true] {
        let stage = Stage::with(|options| options.patch_replaces_addresses = replaces).await;
        let body = json!({
            "email": "a@b.example", "company": "Bakkerij", "first_name": "Sanne",
            "billing": {"street": "Kade", "number": "1", "suffix": "b", "city": "Delft", "country": "NL"},
        });
        let key = shown(&stage.create("customers", body).await.unwrap(), "id");
        stage.update("customers", &key, json!({"billing": {"number": "2"}, "phone": "015"})).await.unwrap();
        let read = stage.find("customers", &["id"], &[&key]).await.remove(0);
        for (path, text) in [
            ("billing.number", "2"),
            ("billing.suffix", "b"),
            ("billing.street", "Kade"),
            ("billing.city", "Delft"),
            ("company", "Bakkerij"),
            ("full_name", "Sanne"),
            ("phone", "015"),
        ] {
            assert_eq!(shown(&read, path), text, "{path}, replaces: {replaces}");
        }
        let lines = json!({"billing": {"address_line_1": "Kade 3"}});
        stage.update("customers", &key, lines).await.unwrap();
        let read = stage.find("customers", &["id"], &[&key]).await.remove(0);
        assert_eq!(
            (shown(&read, "billing.address_line_1"), shown(&read, "billing.street")),
            ("Kade 3".into(), String::new())
        );
    }
}

#[tokio::test]
async fn a_house_number_is_a_number() {
    let stage = Stage::empty().await;
    let error = stage
        .create("customers", json!({"email": "a@b.example", "billing": {"street": "Kade", "number": "1b"}}))
        .await
        .unwrap_err();
    assert_eq!(error.advice, Advice::SkipRecord);
    assert!(error.reason.contains("`billing.number` is `1b`, not a number"), "{error}");
}

#[tokio::test]
async fn webhooks_are_registered_once_and_removed() {
    let stage = Stage::empty().await;
    let hooks = stage.session.webhooks().unwrap();
    let address = "https://hooks.example.com/ccv";
    stage
        .shop
        .add("webhooks", &json!({"event": "orders.created", "address": "https://other.example.com"}))
        .unwrap();
    hooks.register(&["orders.created"], address).await.unwrap();
    let listed = hooks.list().await.unwrap();
    assert_eq!(listed[1].address, "https://hooks.example.com/ccv/orders.created");
    hooks.register(&["orders.created"], address).await.unwrap();
    assert_eq!(hooks.list().await.unwrap(), listed, "what is there stays");
    assert!(hooks.register(&["orders.eaten"], address).await.is_err());
    assert!(hooks.register(&["orders.created"], "http://hooks.example.com").await.is_err());
    stage.shop.configure(|options| options.post_answer = crate::ccv_salespos::simulator::PostAnswer::Empty);
    hooks.register(&["products.updated"], address).await.unwrap();
    let ours: Vec<_> = hooks.list().await.unwrap().into_iter().filter(|hook| hook.goes_to(address)).collect();
    assert_eq!(ours.len(), 1, "what is not wanted goes");
    assert_eq!(ours[0].events, ["products.updated"]);
    hooks.unregister(&ours[0]).await.unwrap();
    hooks.unregister(&ours[0]).await.unwrap();
    assert_eq!(hooks.list().await.unwrap(), listed[..1], "other programs' hooks are left alone");
}

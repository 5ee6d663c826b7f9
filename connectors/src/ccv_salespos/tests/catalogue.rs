//! Products, variants, stock, categories, prices.

use super::*;
use crate::ccv_salespos::simulator::Expand;
use crate::contract::{Advice, Key};

#[tokio::test]
async fn products_say_prices_on_both_footings() {
    let stage = Stage::empty().await;
    stage.shop.add_product("M-1", "Mok", euros(1210), 3).unwrap();
    let read = async || stage.session_with(&[]).unwrap();
    for (includes, incl, excl) in [(true, "12.10", "10"), (false, "14.641", "12.10")] {
        stage.shop.set("prices_include_vat", &json!(includes));
        let session = read().await;
        let by = ["sku".to_owned()];
        let found =
            session.find("products").unwrap().find("products", &by, &[vec!["M-1".into()]]).await.unwrap();
        assert_eq!(
            (shown(&found[0][0], "price_incl"), shown(&found[0][0], "price_excl")),
            (incl.into(), excl.into())
        );
        assert_eq!(shown(&found[0][0], "price"), "12.10");
    }
    stage.shop.configure(|options| options.forbidden = vec!["webshops".to_owned()]);
    let session = read().await;
    let by = ["sku".to_owned()];
    let found = session.find("products").unwrap().find("products", &by, &[vec!["M-1".into()]]).await.unwrap();
    assert_eq!(shown(&found[0][0], "price_incl"), "", "left out when the key may not know");
}

#[tokio::test]
async fn changed_products_come_first_and_the_reading_stops() {
    let stage = Stage::empty().await;
    stage.shop.configure(|options| options.clock = Some("2026-05-01T12:00:00Z".parse().unwrap()));
    stage.shop.add_products(60);
    stage.shop.configure(|options| options.clock = Some("2026-05-02T12:00:00Z".parse().unwrap()));
    for number in [3, 30, 57] {
        let key = stage.shop.key_by("products", "productnumber", &(101_000 + number).to_string()).unwrap();
        stage.shop.update("products", key, &json!({"name": format!("Anders {number}")})).unwrap();
    }
    let since = |moment: &str| FetchRequest {
        since: Some(("modified_at".to_owned(), moment.into())),
        size: 10,
        ..FetchRequest::default()
    };
    stage.find("products", &["sku"], &["x"]).await;
    let asked = stage.running.requests();
    let changed = stage.all("products", since("2026-05-02T12:00:00Z")).await;
    assert_eq!(changed.len(), 3);
    assert!(
        stage.running.requests() - asked <= 3,
        "the old ones are not read: {}",
        stage.running.requests() - asked
    );
    assert_eq!(stage.all("products", since("2026-05-01T12:00:00Z")).await.len(), 60);
    assert!(stage.all("products", since("2026-05-03T00:00:00Z")).await.is_empty());
}

#[tokio::test]
async fn rows_that_leave_do_not_hide_their_neighbours() {
    let stage = Stage::empty().await;
    stage.shop.add_products(30);
    let request = FetchRequest { resource: "products".to_owned(), size: 10, ..FetchRequest::default() };
    let fetch = stage.session.fetch("products").unwrap();
    let first = fetch.page(&request, None).await.unwrap();
    let mut seen: Vec<String> = first.records.iter().map(|record| shown(record, "sku")).collect();
    stage.shop.remove("products", shown(&first.records[4], "id").parse().unwrap()).unwrap();
    let mut position = first.next;
    while let Some(at) = position {
        let page = fetch.page(&request, Some(&at)).await.unwrap();
        seen.extend(page.records.iter().map(|record| shown(record, "sku")));
        position = page.next;
    }
    assert_eq!(seen.len(), 30);
}

#[tokio::test]
async fn loose_filters_do_not_find_neighbours() {
    let stage = Stage::with(|options| options.filters_are_loose = true).await;
    for sku in ["M-1", "M-10", "AM-1"] {
        stage.shop.add_product(sku, "Mok", euros(100), 1).unwrap();
    }
    assert_eq!(stage.find("products", &["sku"], &["M-1"]).await.len(), 1);
    stage.shop.add_product("M-1", "Nog een mok", euros(100), 1).unwrap();
    assert_eq!(stage.find("products", &["sku"], &["M-1"]).await.len(), 2, "the shop allows it");
}

#[tokio::test]
async fn a_new_product_needs_little() {
    let stage = Stage::empty().await;
    let least = json!({"sku": "M-1", "name": "Mok", "price": 9.95, "tax_tariff": "low a"});
    let made = stage.create("products", least.clone()).await.unwrap();
    assert_eq!((shown(&made, "vat_rate"), shown(&made, "discount")), ("9".into(), "0".into()));
    assert!(!shown(&made, "package_id").is_empty());
    let mut without = least.clone();
    without.as_object_mut().unwrap().remove("tax_tariff");
    let error = stage.create("products", without).await.unwrap_err();
    assert!(error.reason.contains("`tax_tariff` and `vat_rate` are missing"), "{error}");
    let mut both = least;
    both["vat_rate"] = json!(9);
    both["brand"] = json!("Keramiek Noord");
    let made = stage.create("products", both).await.unwrap();
    assert_eq!(shown(&made, "brand"), "Keramiek Noord");
    let key = shown(&made, "id");
    stage
        .update("products", &key, json!({"description": null, "brand": "Zuid", "is_active": false}))
        .await
        .unwrap();
    let read = stage.find("products", &["id"], &[&key]).await.remove(0);
    assert_eq!((shown(&read, "brand"), shown(&read, "is_active")), ("Zuid".into(), "false".into()));
}

#[tokio::test]
async fn a_full_plan_and_a_chain_say_so() {
    let stage = Stage::with(|options| options.product_limit = 0).await;
    let least = json!({"sku": "M-1", "name": "Mok", "price": 9.95, "tax_tariff": "normal"});
    let error = stage.create("products", least).await.unwrap_err();
    assert_eq!(error.advice, Advice::SkipRecord);
    assert!(error.help.unwrap().contains("subscription"));
    assert_eq!(
        stage.session.probe().await.unwrap(),
        "Koffiehuis: till and web shop, room for 0 more products"
    );
    stage.shop.configure(|options| {
        options.product_limit = -1;
        options.read_only_members = vec!["name".to_owned()];
    });
    let key = stage.shop.add_product("M-1", "Mok", euros(100), 1).unwrap().to_string();
    let error = stage.update("products", &key, json!({"name": "Kop"})).await.unwrap_err();
    assert!(error.reason.contains("name is read-only"), "{error}");
}

#[tokio::test]
async fn a_configurable_product_is_built_step_by_step() {
    let stage = Stage::empty().await;
    let product = stage
        .create("products", json!({"sku": "T-1", "name": "Trui", "price": 49.95, "tax_tariff": "normal"}))
        .await
        .unwrap();
    let product = shown(&product, "id");
    assert!(stage.find("variants", &["sku"], &["T-1-M"]).await.is_empty(), "the index is read before");
    for (name, values) in [("Maat", ["S", "M"].as_slice()), ("Kleur", &["Rood"])] {
        let attribute =
            stage.create("attributes", json!({"name": name, "type": "option_menu"})).await.unwrap();
        let attribute = shown(&attribute, "id");
        assert_eq!(stage.find("attributes", &["name"], &[name]).await.len(), 1);
        for value in values {
            let body = json!({"attribute_id": attribute, "name": value});
            let value = shown(&stage.create("attribute_values", body).await.unwrap(), "id");
            let offered = json!({"product_id": product, "value_id": value, "price": 1.5, "stock": 2});
            stage.create("product_attribute_values", offered).await.unwrap();
            assert_eq!(
                stage
                    .find("product_attribute_values", &["product_id", "value_id"], &[&product, &value])
                    .await
                    .len(),
                1
            );
        }
    }
    let variant =
        stage.find("variants", &["product_id", "options"], &[&product, "Kleur=Rood, Maat=M"]).await.remove(0);
    assert_eq!((shown(&variant, "extra_price"), shown(&variant, "stock")), ("3.0".into(), "2".into()));
    let same = stage
        .find("variants", &["product_id", "value_ids"], &[&product, &shown(&variant, "value_ids")])
        .await;
    assert_eq!(same.len(), 1);
    let key = shown(&variant, "id");
    stage
        .update("variants", &key, json!({"sku": "T-1-M", "ean": "8712345678913", "stock": 7}))
        .await
        .unwrap();
    let found = stage.find("variants", &["sku"], &["T-1-M"]).await;
    assert_eq!((found.len(), shown(&found[0], "stock")), (1, "7".into()), "the index knows what was written");
    let counted = stage.find("stock", &["sku"], &["T-1-M"]).await;
    assert_eq!(
        (shown(&counted[0], "id"), shown(&counted[0], "name")),
        (format!("variant:{key}"), "Trui (Kleur=Rood, Maat=M)".into())
    );
    assert!(stage.find("stock", &["sku"], &["T-1"]).await.is_empty(), "counted by variant");
}

async fn stock_by(stage: &Stage, skus: &[&str]) -> Vec<Vec<Record>> {
    let keys: Vec<Key> = skus.iter().map(|sku| vec![Value::from(*sku)]).collect();
    stage.session.find("stock").unwrap().find("stock", &["sku".to_owned()], &keys).await.unwrap()
}

#[tokio::test]
async fn stock_is_found_by_number_and_set() {
    for expand in [Expand::Honoured, Expand::Ignored] {
        let stage = Stage::with(|options| options.products_expand = expand).await;
        stage.shop.add_products(8);
        let shirt = stage.shop.add_product("T-1", "Trui", euros(4995), 0).unwrap();
        stage.shop.add_variants(shirt, &[("Maat", &["S", "M"])], 5);
        let few = stock_by(&stage, &["101001", "T-1-M", "none"]).await;
        assert_eq!(few.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 0], "{expand:?}");
        let skus = ["101000", "101001", "101002", "101003", "T-1-S", "T-1-M", "none"];
        let many = stock_by(&stage, &skus).await;
        assert_eq!(many.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 1, 1, 1, 1, 0], "{expand:?}");
        assert_eq!(many[1], few[0], "both ways find the same");
        let asked = stage.running.requests();
        stock_by(&stage, &skus).await;
        assert_eq!(stage.running.requests(), asked, "the list is kept");
        for (found, stock) in [(&many[1][0], 77), (&many[5][0], 78)] {
            let key = shown(found, "id");
            stage.update("stock", &key, json!({"stock": stock})).await.unwrap();
            assert_eq!(shown(&stage.find("stock", &["id"], &[&key]).await[0], "stock"), stock.to_string());
        }
        let again = stock_by(&stage, &skus).await;
        assert_eq!((shown(&again[1][0], "stock"), shown(&again[5][0], "stock")), ("77".into(), "78".into()));
    }
}

#[tokio::test]
async fn categories_are_told_apart_by_their_parents() {
    let stage = Stage::empty().await;
    let top = shown(&stage.create("categories", json!({"name": "Koffie"})).await.unwrap(), "id");
    let below = stage.create("categories", json!({"name": "Koffie", "parent_id": top})).await.unwrap();
    let by: Vec<String> = ["name", "parent_id"].map(str::to_owned).to_vec();
    let keys: [Key; 2] = [vec!["Koffie".into(), Value::Null], vec!["Koffie".into(), top.as_str().into()]];
    let found = stage.session.find("categories").unwrap().find("categories", &by, &keys).await.unwrap();
    assert_eq!(shown(&found[0][0], "id"), top);
    assert_eq!(shown(&found[1][0], "id"), shown(&below, "id"));
    assert_eq!(stage.find("categories", &["name"], &["Koffie"]).await.len(), 2);
}

#[tokio::test]
async fn prices_of_one_group_are_listed_without_the_others() {
    let stage = Stage::filled().await;
    let group = stage.shop.key_by("usergroups", "groupname", "Klantengroep 07").unwrap().to_string();
    let product = stage.shop.key_by("products", "productnumber", "100003").unwrap().to_string();
    let price = json!({"group_id": group, "product_id": product, "price": 9.5});
    let made = stage.create("group_prices", price).await.unwrap();
    let listed = stage.all("group_prices", request(&[("group_id", group.as_str().into())], 5)).await;
    assert_eq!(listed.len(), 1);
    let listed = stage.all("group_prices", request(&[("product_id", product.as_str().into())], 5)).await;
    assert_eq!(listed.len(), 2, "of every group");
    stage
        .update("group_prices", &shown(&made, "id"), json!({"price": 8.5, "is_hidden": true}))
        .await
        .unwrap();
    let found = stage.find("group_prices", &["group_id", "product_id"], &[&group, &product]).await;
    assert_eq!((shown(&found[0], "price"), shown(&found[0], "is_hidden")), ("8.5".into(), "true".into()));
}

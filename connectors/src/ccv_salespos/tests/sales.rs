//! What the simulator enforces on records, by plain HTTP; and what it tells webhooks.

use std::sync::Mutex;

use super::*;

async fn refused(stage: &Stage, method: &str, target: &str, body: Json, code: &str) {
    let answer = stage.raw(method, target, body.clone()).await;
    assert_eq!(answer.code(), code, "{method} {target} {body}: {}", answer.text);
}

async fn made(stage: &Stage, target: &str, body: Json) -> i64 {
    let answer = stage.raw("POST", target, body).await;
    assert_eq!(answer.status, 201, "{target}: {}", answer.text);
    answer.body["id"].as_i64().unwrap()
}

fn without(mut body: Json, name: &str) -> Json {
    body.as_object_mut().unwrap().remove(name);
    body
}

fn with(mut body: Json, name: &str, value: Json) -> Json {
    body[name] = value;
    body
}

#[tokio::test]
async fn products_must_be_whole_and_in_bounds() {
    let stage = Stage::empty().await;
    let package = stage.get("packages").await.items()[0]["id"].as_i64().unwrap();
    let whole = product(package);
    for name in ["name", "price", "discount", "package_id", "taxtariff"] {
        refused(&stage, "POST", "products", without(whole.clone(), name), "400.10").await;
    }
    for (name, value) in [
        ("name", json!("x".repeat(201))),
        ("productnumber", json!("x".repeat(51))),
        ("shortdescription", json!("x".repeat(256))),
        ("description", json!("x".repeat(65_537))),
        ("price", json!("10")),
        ("taxtariff", json!("high")),
        ("active", json!("yes")),
        ("unicorn", json!(1)),
        ("package_id", json!(1)),
        ("brand_id", json!(1)),
    ] {
        refused(&stage, "POST", "products", with(whole.clone(), name, value), "400.10").await;
    }
    made(&stage, "products", whole.clone()).await;
    made(&stage, "products", with(without(whole.clone(), "taxtariff"), "vatrate", json!(9))).await;
    stage.shop.configure(|options| options.allows_equal_numbers = false);
    refused(&stage, "POST", "products", whole.clone(), "500.40").await;
    stage.shop.configure(|options| options.product_limit = 2);
    let another = with(whole, "productnumber", json!("M-2"));
    refused(&stage, "POST", "products", another.clone(), "500.60").await;
    made(&stage, "products", with(another, "active", json!(false))).await;
}

#[tokio::test]
async fn reading_uses_other_names_than_writing() {
    let stage = Stage::empty().await;
    let package = stage.get("packages").await.items()[0]["id"].as_i64().unwrap();
    let body = with(with(product(package), "active", json!(false)), "brand", json!("Keramiek Noord"));
    let key = made(&stage, "products", body).await;
    let read = stage.get(&format!("products/{key}")).await.body;
    assert_eq!(read["is_active"], false);
    assert_eq!(read["brand"]["name"], "Keramiek Noord");
    assert_eq!(read["package"]["id"], package);
    assert!(read["active"].is_null() && read["package_id"].is_null());
    assert_eq!(read["vatrate"], 21);
    assert_eq!(read["eannumber"], "", "no text is the empty text");
    assert_eq!(stage.raw("DELETE", &format!("products/{key}"), Json::Null).await.status, 204);
    assert_eq!(stage.get(&format!("products/{key}")).await.status, 404);
}

#[tokio::test]
async fn variants_are_made_by_the_shop_alone() {
    let stage = Stage::empty().await;
    let key = stage.shop.add_product("M-1", "Mok", euros(1995), 3).unwrap();
    let mut values = Vec::new();
    for (name, kind, names) in [
        ("Maat", "option_menu", ["S", "L"].as_slice()),
        ("Kleur", "option_menu_required", &["Rood"]),
        ("Tekst", "text", &["x"]),
    ] {
        let attribute = made(&stage, "attributes", json!({"name": name, "type": kind})).await;
        for name in names {
            let body = json!({"name": name, "default_price": 0});
            values.push(made(&stage, &format!("attributes/{attribute}/attributevalues"), body).await);
        }
    }
    refused(&stage, "POST", "attributes", json!({"name": "Maat", "type": "menu"}), "400.10").await;
    let target = format!("products/{key}/productattributevalues");
    let combinations = format!("products/{key}/attributecombinations");
    let mut offered = Vec::new();
    for (value, price) in values.iter().zip([0.0, 2.5, -1.0, 0.0]) {
        offered.push(made(&stage, &target, json!({"optionvalue": value, "price": price, "stock": 4})).await);
    }
    let variants = stage.get(&combinations).await;
    assert_eq!(variants.items().len(), 2, "two sizes, one colour; texts make none");
    let extra: Vec<f64> =
        variants.items().iter().map(|item| item["netto_extra_price"].as_f64().unwrap()).collect();
    assert_eq!(extra, [-1.0, 1.5]);
    assert_eq!(variants.items()[0]["stock"], 4);
    refused(&stage, "POST", &target, json!({"optionvalue": values[0], "price": 0}), "500.40").await;
    refused(&stage, "POST", &target, json!({"optionvalue": 1, "price": 0}), "400.10").await;
    refused(&stage, "POST", &combinations, json!({}), "405.10").await;
    let variant = variants.items()[0]["id"].as_i64().unwrap();
    let patch = json!({"sku_number": "M-1-S", "stock": 9});
    assert_eq!(stage.raw("PATCH", &format!("attributecombinations/{variant}"), patch).await.status, 204);
    let scanned = stage.get("productqueries?skunumber=M-1-S").await;
    assert_eq!(scanned.items()[0]["attributecombinations"]["collection"].as_array().unwrap().len(), 1);
    assert_eq!(stage.get("productqueries?skunumber=a&eannumber=b").await.status, 400);
    let gone = format!("productattributevalues/{}", offered[1]);
    assert_eq!(stage.raw("DELETE", &gone, Json::Null).await.status, 204);
    let left = stage.get(&combinations).await;
    assert_eq!(left.items().len(), 1);
    assert_eq!(left.items()[0]["sku_number"], "M-1-S", "what stays keeps its number");
}

#[tokio::test]
async fn accounts_and_memberships_are_unique() {
    let stage = Stage::filled().await;
    let account = json!({"username": "a@b.example", "password": "x"});
    made(&stage, "users", account.clone()).await;
    refused(&stage, "POST", "users", account.clone(), "500.40").await;
    refused(&stage, "POST", "users", without(account.clone(), "password"), "400.10").await;
    let both = json!({"billingaddress": {"street": "Kade", "housenumber": 1, "address_line_1": "Kade 1"}});
    refused(&stage, "POST", "users", with(account.clone(), "userinfo", both), "400.10").await;
    let typed = json!({"billingaddress": {"street": "Kade", "housenumber": "1"}});
    refused(&stage, "POST", "users", with(account.clone(), "userinfo", typed), "400.10").await;
    refused(&stage, "POST", "users", with(account, "group_id", json!(1)), "400.10").await;
    let member = stage.shop.books()["producttocategories"][0].clone();
    let pair = json!({"product_id": member["product_id"], "category_id": member["category_id"]});
    refused(&stage, "POST", "producttocategories", pair.clone(), "500.40").await;
    refused(&stage, "POST", "producttocategories", with(pair, "category_id", json!(1)), "400.10").await;
    refused(&stage, "POST", "categories", json!({"name": "x".repeat(256)}), "400.10").await;
    refused(&stage, "POST", "categories", json!({"name": "x", "parentcategory_id": 1}), "400.10").await;
    let user = stage.shop.key_by("users", "username", "a@b.example").unwrap();
    refused(&stage, "PATCH", &format!("users/{user}"), json!({"approval_status": "rejected"}), "400.10")
        .await;
}

#[tokio::test]
async fn prices_for_groups_have_their_rules() {
    let stage = Stage::filled().await;
    for kind in ["usergroupproductadjustments", "userproductadjustments", "usercategoryadjustments"] {
        assert_eq!(stage.get(kind).await.status, 400, "{kind} needs a parent");
    }
    let group = stage.shop.key_by("usergroups", "groupname", "Klantengroep 05").unwrap();
    let product = stage.shop.key_by("products", "productnumber", "100003").unwrap();
    let price = json!({"usergroup_id": group, "product_id": product, "price": 9, "discount": 0});
    refused(&stage, "POST", "usergroupproductadjustments", without(price.clone(), "price"), "400.10").await;
    refused(
        &stage,
        "POST",
        "usergroupproductadjustments",
        with(price.clone(), "product_id", json!(1)),
        "400.10",
    )
    .await;
    let key = made(&stage, "usergroupproductadjustments", price.clone()).await;
    refused(&stage, "POST", "usergroupproductadjustments", price, "500.40").await;
    let target = format!("usergroupproductadjustments/{key}");
    refused(&stage, "PATCH", &target, json!({"price": null}), "400.10").await;
    assert_eq!(
        stage.get(&format!("usergroupproductadjustments?usergroup_id={group}")).await.items().len(),
        1
    );
}

fn order(rows: Json) -> Json {
    json!({"orderrows": rows, "customer": {"email": "a@b.example"}})
}

#[tokio::test]
async fn orders_must_be_whole() {
    let stage = Stage::empty().await;
    let key = stage.shop.add_product("M-1", "Mok", euros(1000), 10).unwrap();
    let package = stage.get("packages").await.items()[0]["id"].clone();
    let whole = order(json!([{"product_id": key, "count": 2}]));
    for body in [
        without(whole.clone(), "orderrows"),
        without(whole.clone(), "customer"),
        order(json!([])),
        order(json!([{"product_id": key}])),
        order(json!([{"product_id": 1, "count": 1}])),
        with(whole.clone(), "status", json!(15)),
        with(whole.clone(), "deliver_method", json!("pigeon")),
        with(whole.clone(), "user_id", json!(1)),
    ] {
        refused(&stage, "POST", "orders", body, "400.10").await;
    }
    let free = json!({"product_name": "Graveren", "product_number": "D-1", "count": 1, "price": 7.5, "discount": 0, "tax": 21, "package_id": package});
    for name in ["product_name", "product_number", "price", "discount", "tax", "package_id"] {
        refused(&stage, "POST", "orders", order(json!([without(free.clone(), name)])), "400.10").await;
    }
    made(&stage, "orders", order(json!([free]))).await;
}

#[tokio::test]
async fn orders_are_numbered_reckoned_and_taken_from_stock() {
    let stage = Stage::empty().await;
    let key = stage.shop.add_product("M-1", "Mok", euros(1995), 10).unwrap();
    let row = json!([{"product_id": key, "count": 2, "discount": 2}]);
    let basket = made(&stage, "orders", with(order(row.clone()), "is_completed", json!(false))).await;
    let first = made(&stage, "orders", order(row)).await;
    let read = stage.get(&format!("orders/{first}")).await.body;
    assert_eq!(read["total_orderrow_price"], 35.9);
    assert_eq!(read["total_shipping"], 4.95, "left out, so the shop works it out");
    assert_eq!((&read["total_price"], &read["total_tax"]), (&json!(40.85), &json!(7.09)));
    assert_eq!(stage.shop.get("products", key).unwrap()["stock"], 8);
    let unfinished = stage.get(&format!("orders/{basket}")).await.body;
    assert!(unfinished["ordernumber"].is_null() && unfinished["checkout_href"].is_string());
    assert_eq!(stage.get("orders").await.items().len(), 1, "baskets are hidden");
    assert_eq!(stage.get("orders?is_completed=false").await.items().len(), 1);
    let rows = stage.get(&format!("orders/{basket}/orderrows")).await;
    let line = format!("orderrows/{}", rows.items()[0]["id"]);
    assert_eq!(stage.raw("PATCH", &line, json!({"count": 1})).await.status, 204);
    assert_eq!(stage.get(&format!("orders/{basket}")).await.body["total_orderrow_price"], 17.95);
    let finished = stage.raw("PATCH", &format!("orders/{basket}"), json!({"is_completed": true})).await;
    assert_eq!(finished.status, 204);
    let second = stage.get(&format!("orders/{basket}")).await.body;
    assert_eq!(second["ordernumber"].as_i64().unwrap(), read["ordernumber"].as_i64().unwrap() + 1);
    assert_eq!(stage.shop.get("products", key).unwrap()["stock"], 7);
    refused(&stage, "PATCH", &line, json!({"count": 5}), "403.10").await;
    let none = with(order(json!([{"product_id": key, "count": 1}])), "total_shipping", json!(0));
    let third = made(&stage, "orders", none).await;
    assert_eq!(stage.get(&format!("orders/{third}")).await.body["total_shipping"], 0);
}

#[tokio::test]
async fn invoices_cover_what_is_not_yet_invoiced() {
    let stage = Stage::empty().await;
    let key = stage.shop.add_product("M-1", "Mok", euros(1000), 10).unwrap();
    let order_key = made(&stage, "orders", order(json!([{"product_id": key, "count": 6}]))).await;
    let invoices = format!("orders/{order_key}/invoices");
    assert_eq!(stage.get(&invoices).await.items()[0]["total_price"], 60);
    let fewer = json!({"orderrows": [{"product_id": key, "count": 5}], "total_shipping": 0});
    assert_eq!(stage.raw("PATCH", &format!("orders/{order_key}"), fewer).await.status, 204);
    let credit = stage.raw("POST", &invoices, json!({"external_reference": "VF-1"})).await.body;
    assert_eq!((&credit["total_price"], &credit["type"]), (&json!(-10), &json!("credit")));
    assert_eq!(credit["external_reference"], "VF-1");
    refused(&stage, "POST", &invoices, json!({"status": "lost"}), "400.10").await;
    let replaced = stage
        .raw("PUT", &format!("orders/{order_key}/orderrows"), json!([{"product_id": key, "count": 1}]))
        .await;
    assert_eq!(replaced.status, 204);
}

#[tokio::test]
async fn webhooks_are_told_in_few_words_and_signed() {
    let stage = Stage::empty().await;
    let heard: Arc<Mutex<Vec<(String, String)>>> = Arc::default();
    let ear = Arc::clone(&heard);
    let router = axum::Router::new().fallback(move |headers: axum::http::HeaderMap, body: String| {
        let hash = headers["x-hash"].to_str().unwrap().to_owned();
        ear.lock().unwrap().push((hash, body));
        async {}
    });
    let listener = serve(router, 0, Faults::default()).await.unwrap();
    let address = format!("{}/ccv", listener.url());
    refused(&stage, "POST", "webhooks", json!({"event": "orders.created"}), "400.10").await;
    refused(&stage, "POST", "webhooks", json!({"event": "x", "address": "http://example.com"}), "400.10")
        .await;
    let hook = stage
        .raw(
            "POST",
            "webhooks",
            json!({"event": "orders.updated.status", "address": address, "is_active": true}),
        )
        .await;
    assert_eq!(hook.status, 201, "{}", hook.text);
    let (id, key) = (hook.body["id"].clone(), hook.body["key"].as_str().unwrap().to_owned());
    let product = stage.shop.add_product("M-1", "Mok", euros(1000), 10).unwrap();
    let order = made(&stage, "orders", order(json!([{"product_id": product, "count": 1}]))).await;
    stage.raw("PATCH", &format!("orders/{order}"), json!({"status": 5})).await;
    for _ in 0..200 {
        if !heard.lock().unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let (hash, body) = heard.lock().unwrap()[0].clone();
    assert!(crate::ccv_salespos::webhook_is_genuine(&key, &address, body.as_bytes(), &hash));
    let told: Json = serde_json::from_str(&body).unwrap();
    assert_eq!(
        (&told["id"], &told["previous_status"], &told["status"]),
        (&json!(order), &json!(1), &json!(5))
    );
    assert!(told["orderrows"].is_null(), "few words");
    refused(&stage, "PATCH", &format!("webhooks/{id}"), json!({"event": "orders.created"}), "400.10").await;
    assert_eq!(stage.raw("PATCH", &format!("webhooks/{id}"), json!({"is_active": false})).await.status, 204);
    stage.raw("PATCH", &format!("orders/{order}"), json!({"status": 7})).await;
    let books = stage.shop.books();
    assert_eq!(books["deliveries"].as_array().unwrap().len(), 1, "an inactive hook is silent");
}

#[tokio::test]
async fn thousands_of_orders_are_made_at_once() {
    let shop = CcvShop::default();
    shop.add_products(200);
    shop.add_orders(2000);
    assert_eq!((shop.count("products"), shop.count("orders")), (200, 2000));
    let product = shop.add_product("T-1", "Trui", euros(4995), 0).unwrap();
    let variants = shop.add_variants(product, &[("Maat", &["S", "M"]), ("Kleur", &["Rood", "Blauw"])], 5);
    assert_eq!(variants.len(), 4);
    let lines = [("T-1-M-Rood", 2), ("101000", 1)];
    let order = crate::ccv_salespos::simulator::NewOrder {
        email: "a@b.example",
        lines: &lines,
        ..Default::default()
    };
    shop.add_order(&order).unwrap();
    let variant = shop.key_by("attributecombinations", "sku_number", "T-1-M-Rood").unwrap();
    assert_eq!(shop.get("attributecombinations", variant).unwrap()["stock"], 3);
}

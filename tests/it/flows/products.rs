//! Products, categories and stock, in both directions; and customers, who travel with them.

use serde_json::{Value, json};

use super::pair::Pair;
use tests::toy::Toy;

fn put(toy: &Toy, book: &str, records: &[Value]) {
    for record in records {
        toy.put(book, &record.to_string());
    }
}

fn book(toy: &Toy, name: &str) -> Vec<Value> {
    toy.book(name).iter().map(|text| serde_json::from_str(text).unwrap()).collect()
}

fn shown(values: &[Value]) -> String {
    values.iter().map(|value| serde_json::to_string_pretty(value).unwrap()).collect::<Vec<_>>().join("\n")
}

/// One run that refuses nothing.
async fn runs(pair: &Pair) -> String {
    let (counts, refused) = pair.run().await;
    assert_eq!(refused, Vec::<String>::new());
    counts
}

/// A run over all records once more finds nothing to do.
async fn is_at_rest(pair: &Pair) {
    pair.shop.calls();
    pair.till.calls();
    let (_, refused) = pair.run_over_all().await;
    assert_eq!(refused, Vec::<String>::new());
    assert_eq!((pair.shop.writes(), pair.till.writes()), (vec![], vec![]));
}

fn mug(changes: Value) -> Value {
    let mut mug = json!({
        "article_number": "100045", "sync_marker": 7, "product_number": "1204", "active": true,
        "discontinued": false, "webshop": true, "description": "Koffiemok blauw", "invoice_text": "Mok van steengoed",
        "extra_text": "<p>300 ml</p>", "barcode": "8712345678906", "brand_name": "Keramiek Noord",
        "vat_percentage": 21, "price_incl": 19.95, "price_excl": 16.49, "stock_article": true,
        "group_numbers": ["31"], "custom_fields": [
            {"name": "Herkomst", "value": "Portugal"}, {"name": "Levertijd", "value": "2 dagen"}],
    });
    for (name, value) in changes.as_object().unwrap() {
        mug[name] = value.clone();
    }
    mug
}

// shows R21, R27, R28, R66, R71, R72, R73, R75, R76
#[tokio::test]
async fn an_article_becomes_a_product_with_content_offer_and_category() {
    let pair = Pair::new(
        "products_to_shop",
        "[settings]\nfeatures = [\"Herkomst\"]\ndelivery_time_field = \"Levertijd\"\n",
    )
    .await;
    put(&pair.till, "articles", &[mug(json!({}))]);
    put(&pair.till, "stock", &[json!({"id": "1:100045", "article_number": "100045", "amount_free": 12})]);
    put(
        &pair.till,
        "article_groups",
        &[json!({"group_number": "31", "name": "Mokken", "parent_group_number": "0"})],
    );
    put(
        &pair.shop,
        "categories",
        &[
            json!({"id": "8", "name": "Mokken", "parent_id": "1"}),
            json!({"id": "9", "name": "Mokken", "parent_id": "0"}),
        ],
    );
    assert_eq!(runs(&pair).await, "1 created");
    insta::assert_snapshot!(shown(&book(&pair.shop, "products")));
    assert_eq!(book(&pair.shop, "product_categories")[0]["category_id"], "9");
    is_at_rest(&pair).await;
}

// shows R22, R68
#[tokio::test]
async fn what_was_made_nicer_in_the_shop_stays_unless_its_box_is_ticked() {
    let pair = Pair::new("products_to_shop", "").await;
    let nice = json!({"id": "5", "sku": "100045", "name": "De mooiste mok", "ean": "1", "price": 18, "is_active": false,
        "tax_tariff": "normal", "brand": "Keramiek Noord"});
    put(&pair.shop, "products", &[nice]);
    put(&pair.till, "articles", &[mug(json!({"group_numbers": []}))]);
    assert_eq!(runs(&pair).await, "1 updated");
    let product = &book(&pair.shop, "products")[0];
    assert_eq!((&product["name"], &product["ean"]), (&json!("De mooiste mok"), &json!("8712345678906")));
    assert_eq!((&product["price"], &product["is_active"]), (&json!(19.95), &json!(true)));
    pair.answer("[settings]\nalso_on_update = [\"name\"]\n");
    assert_eq!(runs(&pair).await, "1 updated");
    assert_eq!(book(&pair.shop, "products")[0]["name"], "Koffiemok blauw");
}

// shows R24, R25
#[tokio::test]
async fn content_and_offer_have_a_switch_each() {
    let pair = Pair::new("products_to_shop", "[settings]\ncreate_content = false\n").await;
    put(&pair.shop, "products", &[json!({"id": "5", "sku": "100045", "name": "Mok"})]);
    put(&pair.till, "articles", &[mug(json!({})), mug(json!({"article_number": "100046"}))]);
    assert_eq!(runs(&pair).await, "1 updated, 1 skipped");
    assert_eq!(
        pair.shop.book("products"),
        [r#"{"id":"5","sku":"100045","name":"Mok","price":19.95,"tax_tariff":"normal","is_active":true}"#]
    );

    let pair = Pair::new("products_to_shop", "[settings]\ncreate_offer = false\n").await;
    put(&pair.till, "articles", &[mug(json!({"group_numbers": []}))]);
    assert_eq!(runs(&pair).await, "1 created");
    assert_eq!(book(&pair.shop, "products")[0]["is_active"], false);
}

// shows R23
#[tokio::test]
async fn filters_choose_articles_and_those_that_leave_go_off_sale() {
    let answers = "[settings]\nbrands = [\"Keramiek Noord\"]\nfilter_field = \"Herkomst\"\nfilter_value = \"Portugal\"\n";
    let pair = Pair::new("products_to_shop", answers).await;
    put(
        &pair.till,
        "articles",
        &[
            mug(json!({"group_numbers": []})),
            mug(json!({"article_number": "2", "brand_name": "Zuid"})),
            mug(json!({"article_number": "3", "webshop": false})),
            mug(json!({"article_number": "4", "custom_fields": []})),
            mug(json!({"article_number": "5", "size": "L"})),
        ],
    );
    assert_eq!(runs(&pair).await, "1 created, 4 skipped");
    put(&pair.till, "articles", &[mug(json!({"webshop": false, "sync_marker": 9}))]);
    assert_eq!(runs(&pair).await, "1 updated, 3 unchanged, 1 skipped");
    assert_eq!(book(&pair.shop, "products")[0]["is_active"], false);
}

fn coat(articles: &[Value]) -> Value {
    json!({"product_number": "1204", "sync_marker": 48211, "description": "Regenjas Texel",
        "extra_text": "Waterdicht", "group_numbers": ["31"], "articles": articles})
}

fn in_size(number: &str, colour: &str, size: &str, place: u8, price: f64) -> Value {
    json!({"article_number": number, "active": true, "webshop": true, "colour": colour, "size": size,
        "colour_sequence_number": 1, "size_sequence_number": place, "vat_percentage": 21, "price_incl": price,
        "barcode": format!("87{number}"), "brand_name": "Waddenwear"})
}

/// What the shop makes by itself of colours and sizes.
fn combinations(options: &[&str]) -> Vec<Value> {
    let one = |(at, options): (usize, &&str)| json!({"id": format!("v{at}"), "product_id": "products-1", "options": options, "is_active": true});
    options.iter().enumerate().map(one).collect()
}

// shows R28, R69, R71, R72
#[tokio::test]
async fn colours_and_sizes_become_a_configurable_product() {
    let pair = Pair::new("variants_to_shop", "").await;
    let sizes = [
        in_size("200145", "Blauw", "M", 1, 79.95),
        in_size("200146", "Blauw", "L", 2, 84.95),
        in_size("200147", "Rood", "M", 1, 79.95),
    ];
    put(&pair.till, "products", &[coat(&sizes)]);
    put(&pair.till, "stock", &[json!({"id": "1:200146", "article_number": "200146", "amount_free": 4})]);
    put(
        &pair.shop,
        "variants",
        &combinations(&[
            "Kleur=Blauw, Maat=M",
            "Kleur=Blauw, Maat=L",
            "Kleur=Rood, Maat=M",
            "Kleur=Rood, Maat=L",
        ]),
    );
    assert_eq!(runs(&pair).await, "1 created");
    let made = ["products", "attributes", "attribute_values", "product_attribute_values", "variants"]
        .map(|name| format!("{name}\n{}", pair.shop.book(name).join("\n")));
    insta::assert_snapshot!(made.join("\n\n"));
    is_at_rest(&pair).await;
}

#[tokio::test]
async fn prices_that_no_surcharge_gives_are_refused() {
    let pair = Pair::new("variants_to_shop", "").await;
    let sizes = [
        in_size("1", "Blauw", "M", 1, 20.0),
        in_size("2", "Blauw", "L", 2, 22.0),
        in_size("3", "Rood", "M", 1, 20.0),
        in_size("4", "Rood", "L", 2, 25.0),
    ];
    put(&pair.till, "products", &[coat(&sizes)]);
    let (_, refused) = pair.run().await;
    insta::assert_snapshot!(refused.join("\n"));
    assert_eq!(pair.shop.writes(), Vec::<String>::new());
}

/// A size that comes in before another must not take its place.
#[tokio::test]
async fn a_new_size_renames_no_other() {
    let pair = Pair::new("variants_to_shop", "").await;
    put(&pair.till, "products", &[coat(&[in_size("2", "Blauw", "L", 2, 20.0)])]);
    put(&pair.shop, "variants", &combinations(&["Kleur=Blauw, Maat=L", "Kleur=Blauw, Maat=M"]));
    assert_eq!(runs(&pair).await, "1 created");
    let mut both = coat(&[in_size("1", "Blauw", "M", 1, 20.0), in_size("2", "Blauw", "L", 2, 20.0)]);
    both["sync_marker"] = json!(48212);
    put(&pair.till, "products", &[both]);
    runs(&pair).await;
    let names: Vec<Value> =
        book(&pair.shop, "attribute_values").iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["Blauw", "L", "M"]);
    assert_eq!(book(&pair.shop, "product_attribute_values").len(), 3);
}

// shows R66, R67
#[tokio::test]
async fn a_product_becomes_an_article() {
    let pair = Pair::new("products_to_till", "[settings]\nturnover_group = \"1\"\n").await;
    let product = json!({"id": "5", "sku": "100045", "name": "Koffiemok", "ean": "8712345678906", "is_active": true,
        "brand": "Keramiek Noord", "modified_at": "2026-03-14T09:00:00Z", "price": 19.95, "price_incl": 19.95,
        "discount": 2.00, "vat_rate": 21, "is_stock_tracked": true, "description": "<p>Mok</p>"});
    let mut bad = product.clone();
    (bad["id"], bad["sku"]) = (json!("6"), json!("AB-1"));
    put(&pair.shop, "products", &[product, bad]);
    put(&pair.shop, "product_categories", &[json!({"id": "70", "product_id": "5", "category_id": "9"})]);
    put(&pair.shop, "categories", &[json!({"id": "9", "name": "Mokken", "parent_id": "0"})]);
    put(
        &pair.till,
        "article_groups",
        &[json!({"group_number": "31", "name": "Mokken", "parent_group_number": "0"})],
    );
    let (counts, refused) = pair.run().await;
    assert_eq!(counts, "1 created, 1 failed");
    assert_eq!(
        refused,
        ["AB-1: product Koffiemok: article number AB-1 must be digits only; the till takes no other"]
    );
    insta::assert_snapshot!(shown(&book(&pair.till, "articles")));
}

// shows R69, R71
#[tokio::test]
async fn options_become_articles_in_colours_and_sizes() {
    let pair = Pair::new("variants_to_till", "[settings]\nturnover_group = \"1\"\n").await;
    put(
        &pair.shop,
        "products",
        &[json!({"id": "5", "sku": "P1", "name": "Regenjas", "is_active": true,
        "modified_at": "2026-03-14T09:00:00Z", "price": 79.95, "price_incl": 79.95, "vat_rate": 21})],
    );
    let variant = |id: &str, sku: &str, size: &str, extra: f64| {
        json!({"id": id, "product_id": "5", "sku": sku,
        "is_active": true, "extra_price": extra, "options": format!("Maat={size}"), "choices": [
            {"attribute": "Maat", "value": size}]})
    };
    put(&pair.shop, "variants", &[variant("v1", "200145", "M", 0.0), variant("v2", "200146", "L", 5.0)]);
    assert_eq!(runs(&pair).await, "1 created");
    insta::assert_snapshot!(shown(&book(&pair.till, "articles")));
    is_at_rest(&pair).await;
}

// shows R4, R16, R61
#[tokio::test]
async fn the_shop_shows_what_is_free_to_sell() {
    let stock = |branch: &str, free: f64| {
        json!({"id": format!("{branch}:100045"), "branch_number": branch,
        "article_number": "100045", "stock_id": 771_204, "amount_free": free, "amount_reserved": 2, "amount_incoming": 24})
    };
    let shelf = |id: &str, sku: &str| json!({"id": id, "sku": sku, "stock": 1, "is_stock_tracked": true, "product_id": "5"});
    let figures = [
        ("", 10.0, json!(10.0)),
        ("calculation = \"available\"", 10.0, json!(12.0)),
        ("calculation = \"available minus reservations plus incoming\"", 10.0, json!(34.0)),
        ("calculation = \"available plus incoming\"", 10.0, json!(36.0)),
        ("keep_back = 3", 10.0, json!(7.0)),
        ("", -2.0, json!(0)),
        ("below_zero = true", -2.0, json!(-2.0)),
    ];
    for (answers, free, expected) in figures {
        let pair = Pair::new("stock", &format!("[settings]\n{answers}\n")).await;
        // The till tells the stock of the connection's own branch, whichever that is.
        put(&pair.till, "stock", &[stock("2", free)]);
        put(&pair.till, "articles", &[mug(json!({}))]);
        put(&pair.shop, "stock", &[shelf("product:5", "100045"), shelf("product:6", "7")]);
        assert_eq!(runs(&pair).await, "1 updated", "{answers}");
        assert_eq!(book(&pair.shop, "stock")[0]["stock"].as_f64(), expected.as_f64(), "{answers}");
    }
}

// shows R62
#[tokio::test]
async fn a_shop_that_manages_no_stock_sells_without_limit() {
    let pair = Pair::new("stock", "[settings]\nmanage_stock = \"no\"\n").await;
    put(
        &pair.till,
        "stock",
        &[
            json!({"id": "1:100045", "branch_number": "1", "article_number": "100045", "stock_id": 1, "amount_free": 3}),
        ],
    );
    put(
        &pair.shop,
        "stock",
        &[
            json!({"id": "product:5", "sku": "100045", "stock": 1, "is_stock_tracked": true, "product_id": "5"}),
        ],
    );
    put(&pair.shop, "products", &[json!({"id": "5", "sku": "100045", "is_stock_tracked": true})]);
    runs(&pair).await;
    assert_eq!(book(&pair.shop, "products")[0]["is_stock_tracked"], false);
    assert_eq!(book(&pair.shop, "stock")[0]["stock"], 1);
}

// shows R73
#[tokio::test]
async fn groups_become_categories_below_their_parents() {
    let pair = Pair::new("categories_to_shop", "").await;
    put(
        &pair.till,
        "article_groups",
        &[
            json!({"group_number": "3", "name": "Kleding", "parent_group_number": "0"}),
            json!({"group_number": "31", "name": "Jassen", "parent_group_number": "3"}),
            json!({"group_number": "32", "name": "Jassen", "parent_group_number": "31"}),
        ],
    );
    // Parents go before their children, however many runs it takes.
    for _ in 0..3 {
        pair.run().await;
    }
    insta::assert_snapshot!(pair.shop.book("categories").join("\n"));
    is_at_rest(&pair).await;
}

// shows R73
#[tokio::test]
async fn categories_become_groups_below_their_parents() {
    let pair = Pair::new("categories_to_till", "").await;
    put(
        &pair.shop,
        "categories",
        &[
            json!({"id": "1", "name": "Kleding", "parent_id": "0", "is_visible": true}),
            json!({"id": "2", "name": "Jassen", "parent_id": "1", "is_visible": true}),
            json!({"id": "3", "name": "Magazijn", "parent_id": "0", "is_visible": false}),
        ],
    );
    for _ in 0..2 {
        pair.run().await;
    }
    insta::assert_snapshot!(pair.till.book("article_groups").join("\n"));
    is_at_rest(&pair).await;
}

// shows R18, R58, R59
#[tokio::test]
async fn customers_become_relations_and_relations_become_customers() {
    let pair = Pair::new("customers_to_till", "").await;
    let firm = json!({"id": "9", "email": "Inkoop@DeLinde.example", "company": "De Linde", "full_name": "Sanne de Boer",
        "is_active": true, "approval_status": "accepted", "phone": "030",
        "billing": {"street": "Lindelaan", "number": "14", "suffix": "a", "city": "Antwerpen", "country": "BE"}});
    let pending = json!({"id": "10", "email": "new@example.nl", "approval_status": "pending"});
    put(&pair.shop, "customers", &[firm, pending]);
    assert_eq!(runs(&pair).await, "1 created, 1 skipped");
    let there = shown(&book(&pair.till, "relations"));
    is_at_rest(&pair).await;

    let pair = Pair::new("customers_to_shop", "").await;
    put(
        &pair.till,
        "relations",
        &[
            json!({"relation_number": "681", "sync_marker": 3, "active": true, "email": "jan@example.nl",
            "name": "Jan van der Berg", "address": "Dorpsstraat 12b", "zipcode": "1791ab", "city": "Den Burg", "country": "Nederland"}),
            json!({"relation_number": "682", "sync_marker": 4, "active": true, "name": "Zonder mail"}),
        ],
    );
    assert_eq!(runs(&pair).await, "1 created, 1 skipped");
    let back = shown(&book(&pair.shop, "customers"));
    is_at_rest(&pair).await;
    insta::assert_snapshot!(format!("{there}\n\n{back}"));
}

// shows R17, R19, R20
#[tokio::test]
async fn new_customers_get_what_their_country_and_kind_ask_for() {
    let answers =
        "[settings]\ngroup_field = \"Klantgroep\"\n[tables.price_group]\nrows = [[\"BE\", \"7\"]]\n";
    let pair = Pair::new("customers_to_till", answers).await;
    let customer = |id: &str, country: &str, company: &str| {
        json!({"id": id, "email": format!("{id}@example.nl"), "company": company, "full_name": "Jan", "is_active": true,
        "group_id": "12", "billing": {"country": country}})
    };
    let three = [customer("1", "BE", "De Linde"), customer("2", "NL", "De Linde"), customer("3", "BE", "")];
    put(&pair.shop, "customers", &three);
    assert_eq!(runs(&pair).await, "3 created");
    let got = |one: &Value| (one["default_vat_method"].clone(), one["price_group_number"].clone());
    let mut relations = book(&pair.till, "relations");
    relations.sort_by_key(|one| one["email"].to_string());
    assert_eq!(
        relations.iter().map(got).collect::<Vec<_>>(),
        [(json!("shifted"), json!("7")), (json!("exclusive"), Value::Null), (json!("inclusive"), json!("7"))]
    );
    assert_eq!(relations[0]["custom_fields"], json!([{"name": "Klantgroep", "value": "12"}]));
}

// shows R1
#[tokio::test]
async fn orders_of_the_till_can_go_to_the_shop() {
    let pair = Pair::new("orders_reverse", "[settings]\nstart_date = \"2026-01-01\"\n").await;
    let order = json!({"order_id": "5b0a", "order_number": "2026.311", "sync_marker": 9035, "order_type": "sales_order",
        "entry_timestamp": "2026-03-14T10:00:00+01:00", "relation_number": "681", "vat_method": "inclusive",
        "fully_paid": true, "delivery_state": "nothing", "cancel_state": "nothing", "delivery_method": "AFHALEN",
        "invoice_address": {"name": "Jan van der Berg", "address": "Dorpsstraat 12", "zipcode": "1791 AB", "city": "Den Burg", "country": "Nederland"},
        "lines": [{"position": 1, "article_number": "100045", "text": "Mok", "quantity": 2, "price": 19.95, "vat_percentage": 21}]});
    let mut from_elsewhere = order.clone();
    (from_elsewhere["order_id"], from_elsewhere["ext_order_id"]) = (json!("6c1b"), json!("2026-1187"));
    put(&pair.till, "orders", &[order, from_elsewhere]);
    put(
        &pair.till,
        "relations",
        &[json!({"relation_number": "681", "email": "jan@example.nl", "name": "Jan van der Berg"})],
    );
    put(&pair.shop, "stock", &[json!({"id": "product:5", "sku": "100045", "product_id": "5"})]);
    assert_eq!(runs(&pair).await, "1 created, 1 skipped");
    insta::assert_snapshot!(shown(&book(&pair.shop, "orders")));
    is_at_rest(&pair).await;
}

//! Articles, article groups, stock, customers and prices of AccountView in the till.

use super::*;

const GROUP: &str = "[settings]\nturnover_group = \"10\"\n";

async fn run(town: &Town, flow: &str, answers: &str) -> (String, Vec<String>) {
    town.flow(flow, answers).await.run(false).await
}

// shows R65, R84
#[tokio::test]
async fn the_whole_sample_goes_to_the_till_and_stays_as_it_is() {
    let town = Town::filled().await;
    town.till.add_price_group(2, "Horeca");
    let variants = format!(
        "{GROUP}product_column = \"K1_PROD\"\ncolour_column = \"K1_COLOUR\"\nsize_column = \"K1_SIZE\"\n\
        features = [\"K1_ORIGIN\", \"K1_DAYS\"]\n"
    );
    let mut told = Vec::new();
    for (name, answers) in [
        ("categories", ""),
        ("products", variants.as_str()),
        ("stock", ""),
        ("customers", ""),
        ("prices", ""),
        ("customer_prices", ""),
    ] {
        let flow = town.flow(name, answers).await;
        let (counts, refused) = flow.run(false).await;
        // Lines of one article are read side by side: how many find it written is chance.
        let counts = if name == "prices" { "settled".to_owned() } else { counts };
        told.push(format!("{name}: {counts}"));
        told.extend(refused);
        let before = (town.office.books(), town.till.books());
        let (again, _) = flow.run(true).await;
        assert!(!again.contains("created") && !again.contains("updated"), "{name} once more: {again}");
        assert!(before == (town.office.books(), town.till.books()), "{name} once more changes something");
    }
    insta::assert_snapshot!(told.join("\n"));
}

// shows R4, R16, R21, R27, R28, R61, R62, R66, R71, R73, R76
#[tokio::test]
async fn an_article_arrives_with_price_stock_and_group() {
    let town = Town::new().await;
    town.office.add("ART_GRP", [record(&json!({"AG_CODE": "JAS", "AG_DESC": "Jassen"}))]);
    town.office.add("ARTICLE", [record(&json!({
        "ART_CODE": "100245", "ART_DESC1": "Regenjas maat M", "AG_CODE": "JAS", "PX_SELL": 49.5, "COST_PX": 21.3,
        "QTY_TECH": 14, "QTY_AVAIL": 11, "QTY_FREE2": 10, "QTY_BESTEL": 5, "STK_ART": true, "VAT_CODE": "4",
        "EAN_CODE": "8710000000017", "K1_ORIGIN": "Portugal",
    }))]);
    assert_eq!(run(&town, "categories", "").await.0, "1 created");
    let flow = town.flow("products", &format!("{GROUP}features = [\"K1_ORIGIN\"]\n")).await;
    assert_eq!(settles(&flow).await, "1 created");
    let article = town.article("100245");
    for (field, value) in [
        ("description", json!("Regenjas maat M")),
        ("vat_code", json!("1")),
        ("active", json!(true)),
        ("stock_article", json!(true)),
        ("turnover_group", json!("10")),
        ("barcode", json!("8710000000017")),
    ] {
        assert_eq!(article[field], value, "{field}");
    }
    assert_eq!(
        (number(&article["price_excl"]), number(&article["price_incl"])),
        ("49.50".parse().unwrap(), "59.90".parse().unwrap())
    );
    assert_eq!(article["custom_fields"][0]["value"], "Portugal");
    let groups = town.till.books();
    assert!(groups["article_groups"].to_string().contains("Jassen"));

    // The office owns the stock; each way of counting gives its own figure.
    for (answers, shown) in [
        ("", 11),
        ("calculation = \"physical\"\n", 14),
        ("calculation = \"free\"\n", 10),
        ("calculation = \"available minus reservations plus incoming\"\n", 16),
        ("keep_back = 4\n", 7),
        ("keep_back = 20\n", 0),
        ("keep_back = 20\nbelow_zero = true\n", -9),
    ] {
        let flow = town.flow("stock", &format!("[settings]\n{answers}")).await;
        settles(&flow).await;
        assert_eq!(
            town.till.stock(1, 100_245).get("amount_free").unwrap().to_string(),
            shown.to_string(),
            "{answers}"
        );
    }
    // Without stock nothing is counted.
    assert_eq!(run(&town, "stock", "[settings]\nmanage_stock = \"no\"\n").await.0, "1 skipped");
    assert_eq!(town.article("100245")["stock_article"], false);
    assert_eq!(
        run(&town, "stock", "[settings]\nmanage_stock = \"as the till has it\"\n").await.0,
        "1 skipped"
    );
    run(&town, "stock", "[settings]\nmanage_stock = \"yes\"\nbranch = \"1\"\nreference = \"Nacht\"\n").await;
    assert_eq!(town.article("100245")["stock_article"], true);
}

#[tokio::test]
async fn the_tills_own_reservations_are_taken_off_when_its_orders_stay_there() {
    let town = Town::new().await;
    town.office_article("100245", "Regenjas", 49.5);
    town.till_article("100245", "Regenjas", 59.9, "1");
    town.till.add_relations([record(&json!({"relation_number": "7", "name": "Jan"}))]);
    town.till.count_stock(1, 100_245, Decimal::from(20));
    let order = json!({"ext_order_id": "K-1", "relation_number": "7", "employee_number": "999999", "lines": [{"article_number": "100245", "quantity": 3, "price": 59.9}]});
    town.till.place_order(record(&order)).unwrap();
    for (answers, free) in [("till_orders_are_sent = false\n", "17"), ("", "20")] {
        let flow = town.flow("stock", &format!("[settings]\n{answers}")).await;
        settles(&flow).await;
        assert_eq!(town.till.stock(1, 100_245).get("amount_free").unwrap().to_string(), free);
    }
}

// shows R22, R68
#[tokio::test]
async fn what_was_enriched_in_the_till_survives() {
    let town = Town::new().await;
    town.office_article("100245", "Regenjas", 49.5);
    run(&town, "products", GROUP).await;
    town.till.edit_article(
        "100245",
        record(&json!({"description": "Regenjas Texel, waterdicht", "receipt_text": "Jas"})),
    );
    town.office.change_row("ARTICLE", "100245", &record(&json!({"ART_DESC1": "Regenjas 2", "PX_SELL": 55})));
    let kept = town.flow("products", &format!("{GROUP}also_on_update = []\n")).await;
    assert_eq!(settles(&kept).await, "1 updated");
    let article = town.article("100245");
    assert_eq!(
        (&article["description"], number(&article["price_excl"])),
        (&json!("Regenjas Texel, waterdicht"), 55.into())
    );
    let sent =
        town.flow("products", &format!("{GROUP}also_on_update = [\"name\", \"receipt_text\"]\n")).await;
    settles(&sent).await;
    assert_eq!(
        (&town.article("100245")["description"], &town.article("100245")["receipt_text"]),
        (&json!("Regenjas 2"), &json!("Regenjas 2"))
    );
}

// shows R24, R25
#[tokio::test]
async fn content_and_offer_are_two_switches() {
    let town = Town::new().await;
    town.office_article("100245", "Regenjas", 49.5);
    assert_eq!(run(&town, "products", &format!("{GROUP}create_content = false\n")).await.0, "1 skipped");
    let content = town.flow("products", &format!("{GROUP}create_offer = false\n")).await;
    assert_eq!(settles(&content).await, "1 created");
    assert_eq!(town.article("100245")["active"], false, "content alone is not for sale");
    let offer = town.flow("products", &format!("{GROUP}create_content = false\n")).await;
    assert_eq!(settles(&offer).await, "1 updated");
    assert_eq!(town.article("100245")["active"], true);
    town.office.change_row("ARTICLE", "100245", &record(&json!({"REC_BLK": true})));
    assert_eq!(run(&town, "products", &format!("{GROUP}switch_off = false\n")).await.0, "1 skipped");
    assert_eq!(run(&town, "products", GROUP).await.0, "1 updated");
    assert_eq!(town.article("100245")["active"], false);
}

// shows R69, R72
#[tokio::test]
async fn colours_and_sizes_join_one_product() {
    let town = Town::new().await;
    for (code, colour, size) in [("100301", "Blauw", "M"), ("100302", "Blauw", "L"), ("100303", "Rood", "M")]
    {
        town.office_article(code, &format!("Jas {colour} {size}"), 49.5);
        town.office.change_row(
            "ARTICLE",
            code,
            &record(&json!({"K1_PROD": "100301", "K1_COLOUR": colour, "K1_SIZE": size})),
        );
    }
    let answers = format!(
        "{GROUP}product_column = \"K1_PROD\"\ncolour_column = \"K1_COLOUR\"\nsize_column = \"K1_SIZE\"\n"
    );
    let flow = town.flow("products", &answers).await;
    // Those that come before the first of their product are refused, and follow.
    flow.run(false).await;
    settles(&town.flow("products", &answers).await).await;
    let of = |code: &str| town.article(code)["product_number"].clone();
    let products: Vec<Value> = town.till.books()["products"].as_array().unwrap().clone();
    assert_eq!(products.len(), 1, "{products:?}");
    assert_eq!((of("100301"), of("100302")), (of("100303"), of("100303")));
    assert_eq!(
        (&town.article("100303")["colour"], &town.article("100302")["size"]),
        (&json!("Rood"), &json!("L"))
    );
}

// shows R23, R67
#[tokio::test]
async fn articles_are_chosen_and_codes_are_digits() {
    let town = Town::new().await;
    for code in ["100245", "200245", "TEX-M"] {
        town.office_article(code, code, 10.0);
    }
    town.office.change_row("ARTICLE", "100245", &record(&json!({"AG_CODE": "JAS", "K1_ORIGIN": "Portugal"})));
    for answers in [
        "groups = [\"JAS\"]\n",
        "code_starts_with = \"1\"\n",
        "filter_column = \"K1_ORIGIN\"\nfilter_value = \"Portugal\"\n",
    ] {
        let flow = town.flow("products", &format!("{GROUP}{answers}")).await;
        let (counts, _) = flow.run(false).await;
        assert!(counts.contains("2 skipped"), "{answers}: {counts}");
    }
    let strict = town.flow("products", &format!("{GROUP}skip_other_codes = false\n")).await;
    let (_, refused) = strict.run(false).await;
    assert!(
        refused.len() == 1 && refused[0].contains("article code TEX-M must be digits only"),
        "{refused:?}"
    );
}

// shows R75, R76
#[tokio::test]
async fn texts_brands_barcodes_and_turnover_groups_have_their_settings() {
    let town = Town::new().await;
    town.office_article("100245", "Regenjas", 10.0);
    town.office.change_row("ARTICLE", "100245", &record(&json!({
        "AG_CODE": "JAS", "K1_ORIGIN": "Waddenwear", "K1_COLOUR": "Lange tekst", "EAN_CODE": "871", "COST_PX": 5,
    })));
    town.till.add_turnover_group(12, "Jassen");
    let answers = format!(
        "{GROUP}brand_column = \"K1_ORIGIN\"\ndescription_column = \"K1_COLOUR\"\nkeep_bad_barcodes = true\ncategories_below = \"0\"\n\
        [tables.turnover_group_of]\nrows = [[\"JAS\", \"12\"]]\n"
    );
    run(&town, "products", &answers).await;
    let article = town.article("100245");
    assert_eq!(
        (&article["brand_name"], &article["extra_text"], &article["barcode"], &article["turnover_group"]),
        (&json!("Waddenwear"), &json!("Lange tekst"), &json!("871"), &json!("12"))
    );
    assert_eq!(number(&article["purchase_price"]), 5.into());
    let other = Town::new().await;
    other.office_article("100245", "Regenjas", 10.0);
    other.office.change_row("ARTICLE", "100245", &record(&json!({"EAN_CODE": "871"})));
    run(&other, "products", GROUP).await;
    assert_eq!(other.article("100245")["barcode"], Value::Null, "a wrong check digit is left out");
}

#[tokio::test]
async fn categories_are_chosen_and_stand_where_they_should() {
    let town = Town::new().await;
    for (code, name) in [("JAS", "Jassen"), ("BROEK", "Broeken"), ("INT", "Intern")] {
        town.office.add("ART_GRP", [record(&json!({"AG_CODE": code, "AG_DESC": name}))]);
    }
    let top = town.till.add_article_group(0, "Kleding");
    let answers = format!(
        "[settings]\nbelow = \"{top}\"\nonly_groups = [\"JAS\", \"BROEK\", \"INT\"]\nleave_out = [\"INT\"]\nalso_on_update = [\"text\"]\n"
    );
    let flow = town.flow("categories", &answers).await;
    assert_eq!(flow.run(false).await.0, "2 created, 1 skipped");
    assert!(!flow.run(true).await.0.contains("updated"));
    assert!(!town.till.books()["article_groups"].to_string().contains("Intern"));
}

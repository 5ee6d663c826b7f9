//! Customers and B2B prices of AccountView in the till.

use super::*;

fn company(changes: &Value) -> Record {
    let mut row = json!({
        "SUB_NR": "10043", "kind": "D", "ACCT_NR": "1210", "ACCT_NAME": "Bakkerij Jansen BV", "SRC_CODE": "JANSEN",
        "MAIN_CONT": "Jan Jansen", "MAIL_BUS": "Info@Jansen.example", "ADDRESS1": "Dorpsstraat 12",
        "POST_CODE": "3511 AB", "CITY": "Utrecht", "BOX_CITY": "Utrecht", "CNT_CODE": "NL", "TEL_BUS": "030",
        "VAT_NR": "NL001234567B01", "COC_CODE": "30123456", "IBAN_NR": "NL01BANK0123456789", "DISC_CODE": "14",
        "CRED_LIM": 5000, "APX_LIST": "HOR", "RPL_GRP": "HORECA", "DISC_PCT": 2.5, "K1_LOYAL": "GOUD",
    });
    for (name, value) in changes.as_object().unwrap() {
        row[name] = value.clone();
    }
    record(&row)
}

// shows R19, R20, R43, R44, R58, R59
#[tokio::test]
async fn a_company_comes_with_its_contact_and_a_person_without() {
    let town = Town::new().await;
    town.office.add("CONTACT", [
        company(&json!({})),
        company(&json!({"SUB_NR": "10044", "ACCT_NAME": "Sanne de Boer", "MAIN_CONT": "", "MAIL_BUS": "sanne@example.nl", "VAT_NR": "", "COC_CODE": ""})),
    ]);
    let flow = town.flow("customers", "[settings]\ncustom_field_columns = [\"K1_LOYAL\"]\n").await;
    assert_eq!(settles(&flow).await, "2 created");
    let company = town.relation("info@jansen.example");
    for (field, value) in [
        ("name", json!("Bakkerij Jansen BV")),
        ("company_name", json!("Bakkerij Jansen BV")),
        ("contact", json!("Jan Jansen")),
        ("ext_relation_id", json!("10043")),
        ("address", json!("Dorpsstraat 12")),
        ("country", json!("Nederland")),
        ("default_vat_method", json!("exclusive")),
        ("payment_within_days", json!(14)),
    ] {
        assert_eq!(company[field], value, "{field}");
    }
    assert!(company["custom_fields"].to_string().contains("GOUD"));
    let person = town.relation("sanne@example.nl");
    assert_eq!(
        (&person["company_name"], &person["contact"], &person["default_vat_method"]),
        (&Value::Null, &Value::Null, &json!("inclusive"))
    );
}

// shows R18, R68
#[tokio::test]
async fn boxes_decide_what_is_sent_again() {
    let town = Town::new().await;
    town.office.add("CONTACT", [company(&json!({}))]);
    let flow = town.flow("customers", "[settings]\nalso_on_update = [\"phone\"]\n").await;
    settles(&flow).await;
    town.office.change_row(
        "CONTACT",
        "10043",
        &record(&json!({"ACCT_NAME": "Jansen en Zoon", "TEL_BUS": "031", "DISC_CODE": "30"})),
    );
    assert_eq!(settles(&flow).await, "1 updated");
    let relation = town.relation("info@jansen.example");
    assert_eq!(
        (&relation["name"], &relation["telephone"], &relation["payment_within_days"]),
        (&json!("Bakkerij Jansen BV"), &json!("031"), &json!(14))
    );
    let terms =
        town.flow("customers", "[settings]\nalso_on_update = [\"payment_terms\", \"bank_account\"]\n").await;
    settles(&terms).await;
    assert_eq!(town.relation("info@jansen.example")["payment_within_days"], 30);
}

#[tokio::test]
async fn debtors_are_matched_and_chosen_as_the_settings_say() {
    let town = Town::new().await;
    town.office.add("CONTACT", [company(&json!({"MAIL_BUS": ""}))]);
    for (answers, counts) in [
        ("", "1 skipped"),
        ("customer_groups = [\"RETAIL\"]\nwithout_email = true\n", "1 skipped"),
        ("without_email = true\n", "1 created"),
    ] {
        let flow = town.flow("customers", &format!("[settings]\n{answers}")).await;
        assert_eq!(flow.run(false).await.0, counts, "{answers}");
    }
    let numbers = Town::new().await;
    numbers.office.add("CONTACT", [company(&json!({}))]);
    settles(
        &numbers
            .flow(
                "customers",
                "[settings]\nmatch_customers_by = \"relation_number\"\nhome_country = \"BE\"\n",
            )
            .await,
    )
    .await;
    assert_eq!(numbers.relation("info@jansen.example")["relation_number"], "10043");
    let blocked = Town::new().await;
    blocked.office.add("CONTACT", [company(&json!({"REC_BLK": true}))]);
    assert_eq!(blocked.flow("customers", "").await.run(false).await.0, "1 skipped");
    settles(&blocked.flow("customers", "[settings]\nskip_blocked = false\n").await).await;
    assert_eq!(blocked.relation("info@jansen.example")["active"], false);
    let external = Town::new().await;
    external.office.add("CONTACT", [company(&json!({}))]);
    external
        .till
        .add_relations([record(&json!({"relation_number": "7", "name": "Oud", "ext_relation_id": "10043"}))]);
    assert_eq!(
        settles(&external.flow("customers", "[settings]\nmatch_customers_by = \"ext_relation_id\"\n").await)
            .await,
        "1 updated"
    );
    assert_eq!(external.relation("info@jansen.example")["relation_number"], "7");
}

fn line(list: &str, article: &str, from: i64, price: f64) -> Record {
    record(&json!({"APX_LIST": list, "ART_CODE": article, "QTY_FROM": from, "ART_PX": price}))
}

// shows R30, R31, R32
#[tokio::test]
async fn tiers_of_a_price_list_become_prices_of_a_group() {
    let town = Town::new().await;
    town.till.add_price_group(2, "Horeca");
    town.till.add_price_group(5, "Personeel");
    town.office_article("100245", "Regenjas", 49.5);
    town.office.change_row("ARTICLE", "100245", &record(&json!({"K1_ORIGIN": "doos van 6"})));
    town.till_article("100245", "Regenjas", 59.9, "1");
    town.till.edit_article(
        "100245",
        record(
            &json!({"price_groups": [{"price_group_number": "5", "price_incl": 30.0, "price_excl": 24.79}]}),
        ),
    );
    town.office.add("ART_PX", [
        line("HOR", "100245", 10, 42.0),
        line("HOR", "100245", 1, 44.0),
        line("XXX", "100245", 1, 1.0),
        record(&json!({"APX_LIST": "HOR", "ART_CODE": "100245", "QTY_FROM": 50, "ART_PX": 40, "BEG_DATE": "2026-01-01T00:00:00"})),
    ]);
    let flow = town.flow("prices", "[settings]\nattribute_columns = [\"K1_ORIGIN\"]\n").await;
    // Lines of one article are read side by side; each writes the same.
    assert!(settles(&flow).await.ends_with("1 skipped"));
    let article = town.article("100245");
    let prices: Vec<(String, Decimal, Decimal)> = article["price_groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["price_group_number"].as_str().unwrap().to_owned(),
                number(&one["minimum_amount"]),
                number(&one["price_excl"]),
            )
        })
        .collect();
    let price = |text: &str| text.parse::<Decimal>().unwrap();
    assert_eq!(
        prices,
        [
            ("5".to_owned(), 0.into(), price("24.79")),
            ("2".to_owned(), 0.into(), price("44.0")),
            ("2".to_owned(), 10.into(), price("42.0")),
        ]
    );
    assert_eq!(
        number(&article["price_groups"][1]["price_incl"]),
        price("53.24"),
        "the till works out the other price"
    );
    assert_eq!(article["custom_fields"][0]["value"], "doos van 6");
    // A list that is not to be sent, and lines for some days.
    let none = town.flow("prices", "[settings]\nprice_lists = [\"ZZZ\"]\n").await;
    assert_eq!(none.run(false).await.0, "4 skipped");
    let dated = town.flow("prices", "[settings]\ndated_lines = true\n").await;
    dated.run(false).await;
    assert_eq!(town.article("100245")["price_groups"].as_array().unwrap().len(), 4);
}

// shows R29, R31, R33
#[tokio::test]
async fn relations_get_the_group_and_the_discount_of_their_debtor() {
    for (answers, changes, group, discount) in [
        ("", json!({}), Some("2"), "2.5"),
        ("group_by = \"customer_group\"\n", json!({}), Some("2"), "2.5"),
        ("group_by = \"price_list\"\n", json!({}), Some("9"), "2.5"),
        ("send_discount = false\n", json!({}), Some("2"), "1"),
        ("", json!({"PCT_LIST": "A5"}), Some("2"), "5"),
    ] {
        let town = Town::new().await;
        for (number, name) in [(2, "Horeca"), (9, "Oud")] {
            town.till.add_price_group(number, name);
        }
        town.office.add(
            "CONTACT",
            [company(&changes), company(&json!({"SUB_NR": "10099", "MAIL_BUS": "niet@inkassa.example"}))],
        );
        town.till.add_relations([record(&json!({
            "relation_number": "7", "name": "Jansen", "email": "info@jansen.example", "ext_relation_id": "10043",
            "price_group_number": "9", "discount_percentage": 1,
        }))]);
        let flow = town.flow("customer_prices", &format!("[settings]\n{answers}")).await;
        assert_eq!(settles(&flow).await, "1 updated, 1 skipped", "{answers}");
        let relation = town.relation("info@jansen.example");
        assert_eq!(relation["price_group_number"].as_str(), group, "{answers}");
        assert_eq!(number(&relation["discount_percentage"]), discount.parse().unwrap(), "{answers}");
    }
}

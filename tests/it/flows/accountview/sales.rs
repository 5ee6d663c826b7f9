//! Orders and invoices of the till in AccountView.

use super::*;

const ANSWERS: &str =
    "[settings]\nstart_date = \"2020-01-01\"\ncollective_account = \"1210\"\nrounding_article = \"902\"\n";

/// A town where a company has ordered two mugs and a bag of beans, delivered elsewhere:
/// 2 × 19.95 at 21 % and 3 × 12.99 at 9 %.
async fn town() -> Town {
    let town = Town::new().await;
    for (code, name, price, vat) in
        [("100045", "Koffiemok", 19.95, "1"), ("100050", "Koffiebonen", 12.99, "2")]
    {
        town.till_article(code, name, price, vat);
        town.office_article(code, name, price);
    }
    town.office_article("902", "Afronding", 0.01);
    town.till.add_relations([record(&json!({
        "relation_number": "681", "name": "Bakkerij De Linde", "company_name": "Bakkerij De Linde",
        "contact": "Sanne de Boer", "email": "Inkoop@DeLinde.example", "address": "Lindelaan 14 a",
        "zipcode": "3511ab", "city": "Utrecht", "country": "Nederland", "telephone": "0301234567",
        "vat_number": "NL001234567B01", "commerce_number": "12345678", "payment_within_days": 14,
    }))]);
    town
}

fn order(changes: &Value) -> Record {
    let mut order = json!({
        "ext_order_id": "K-1", "relation_number": "681", "employee_number": "999999", "entry_timestamp": "2026-03-13T19:04:11+01:00",
        "financial_date": "2026-03-13", "payment_method": "PIN", "reference": "Balie 2",
        "lines": [
            {"article_number": "100045", "quantity": 2, "price": 19.95},
            {"article_number": "100050", "quantity": 3, "price": 12.99},
        ],
    });
    for (name, value) in changes.as_object().unwrap() {
        order[name] = value.clone();
    }
    record(&order)
}

/// Runs one order with these answers; gives it as it is in AccountView, with its total.
async fn arrives(town: &Town, answers: &str, changes: &Value) -> (Value, Decimal) {
    town.till.place_order(order(changes)).unwrap();
    let flow = town.flow("orders", &format!("{ANSWERS}{answers}")).await;
    assert_eq!(settles(&flow).await, "1 created");
    let orders = town.office.orders();
    assert_eq!(orders.len(), 1);
    (serde_json::from_str(&orders[0].to_string()).unwrap(), lines_total(&orders[0]))
}

async fn refused(town: &Town, answers: &str, changes: &Value) -> String {
    town.till.place_order(order(changes)).unwrap();
    let flow = town.flow("orders", &format!("{ANSWERS}{answers}")).await;
    let reason = refusal(&flow).await;
    assert!(town.office.orders().is_empty() && town.office.journal_pages().is_empty());
    assert_eq!(town.office.rows("DEMO", "CONTACT"), [], "a refused order leaves no customer behind");
    reason
}

fn stable(mut order: Value) -> Value {
    let unstable = ["CNG_DATE", "INP_DATE", "EXT_KEY", "CNG_NR", "CNG_USR", "INP_USR", "header", "kind"];
    match &mut order {
        Value::Object(map) => {
            unstable.iter().for_each(|name| drop(map.remove(*name)));
            map.values_mut().for_each(|value| *value = stable(value.take()));
        }
        Value::Array(list) => list.iter_mut().for_each(|value| *value = stable(value.take())),
        _ => {}
    }
    order
}

// shows R1, R3, R37, R38, R39, R41, R43, R56
#[tokio::test]
async fn an_order_of_a_company_arrives_with_all_that_belongs_to_it() {
    let town = town().await;
    let (order, total) = arrives(&town, "", &json!({})).await;
    let there = &town.till.orders()[0];
    assert_eq!(total, number(&json!(there.get("total_excl_amount").unwrap().to_string())));
    insta::assert_snapshot!(pretty(&stable(order)));
    insta::assert_snapshot!(pretty(&stable(town.row("CONTACT", "SUB_NR", "10043"))));
}

// shows R45, R47
#[tokio::test]
async fn an_order_can_become_an_invoice_or_a_direct_invoice() {
    for (answer, switch) in
        [("order", Value::Null), ("invoice", json!(false)), ("direct invoice", json!(true))]
    {
        let town = town().await;
        let (order, _) = arrives(&town, &format!("send_as = \"{answer}\"\n"), &json!({})).await;
        assert_eq!(order["AIS_SOC"], switch, "{answer}");
    }
}

// shows R5, R12, R47, R53
#[tokio::test]
async fn an_order_can_become_a_financial_mutation_to_the_cent() {
    for booking in ["by VAT rate", "by line"] {
        let town = town().await;
        town.till.place_order(order(&json!({}))).unwrap();
        let answers = format!(
            "{ANSWERS}send_as = \"financial mutation\"\njournal = \"710\"\nbooking = \"{booking}\"\n"
        );
        let flow = town.flow("orders", &answers).await;
        assert_eq!(settles(&flow).await, "1 created");
        let page: Value = serde_json::from_str(&town.office.journal_pages()[0].to_string()).unwrap();
        let lines = page["lines"].as_array().unwrap();
        let total: Decimal =
            lines.iter().map(|line| number(&line["AMOUNT"]) + number(&line["VAT_AMT"])).sum();
        assert_eq!(total, "78.87".parse().unwrap(), "39.90 and 38.97");
        if booking == "by VAT rate" {
            insta::assert_snapshot!(pretty(&stable(page)));
        }
        assert!(town.office.orders().is_empty());
    }
}

#[tokio::test]
async fn prices_can_be_with_vat() {
    let town = town().await;
    let (order, total) = arrives(&town, "prices_with_vat = true\n", &json!({})).await;
    assert_eq!((total, order["lines"].as_array().unwrap().len()), ("78.87".parse().unwrap(), 2));
}

// shows R8, R11
#[tokio::test]
async fn cents_of_rounding_get_a_line_of_their_own() {
    // 3 × 19.95 is 59.85 with VAT, 49.46 without, and 3 × 16.49 is 49.47.
    let lines = json!({"lines": [{"article_number": "100045", "quantity": 3, "price": 19.95}]});
    let two = town().await;
    let (order, total) = arrives(&two, "", &lines).await;
    assert_eq!(total, "49.46".parse().unwrap());
    assert_eq!(
        (&order["lines"][1]["ART_CODE"], number(&order["lines"][1]["ART_PX"])),
        (&json!("902"), "-0.01".parse().unwrap())
    );
    let four = town().await;
    let (order, total) = arrives(&four, "price_decimals = 4\n", &lines).await;
    assert_eq!((total, order["lines"].as_array().unwrap().len()), ("49.46".parse().unwrap(), 1));
}

// shows R14, R54
#[tokio::test]
async fn one_debtor_can_stand_for_all_and_a_known_one_is_kept() {
    let one = town().await;
    one.office.add("CONTACT", [debtor("77", "Kasklant", "")]);
    assert_eq!(arrives(&one, "default_debtor = \"77\"\n", &json!({})).await.0["RPL_INV"], "77");
    assert_eq!(one.office.rows("DEMO", "CONTACT").len(), 1);
    let two = town().await;
    two.office.add("CONTACT", [debtor("10005", "De Linde (vip)", "inkoop@delinde.example")]);
    assert_eq!(arrives(&two, "update_customers = false\n", &json!({})).await.0["RPL_INV"], "10005");
    assert_eq!(two.row("CONTACT", "SUB_NR", "10005")["ACCT_NAME"], "De Linde (vip)");
    let three = town().await;
    three.office.add("CONTACT", [debtor("10005", "De Linde (vip)", "inkoop@delinde.example")]);
    arrives(&three, "", &json!({})).await;
    assert_eq!(three.row("CONTACT", "SUB_NR", "10005")["ACCT_NAME"], "Bakkerij De Linde");
}

fn debtor(number: &str, name: &str, email: &str) -> Record {
    record(
        &json!({"SUB_NR": number, "kind": "D", "ACCT_NR": "1210", "ACCT_NAME": name, "SRC_CODE": name, "MAIL_BUS": email}),
    )
}

// shows R42
#[tokio::test]
async fn customers_can_be_matched_by_the_debtor_number() {
    let town = town().await;
    town.office.add("CONTACT", [debtor("10005", "De Linde", "oud@delinde.example")]);
    town.till.edit_relation("681", record(&json!({"ext_relation_id": "10005"})));
    let (order, _) = arrives(&town, "match_customers_by = \"debtor_number\"\n", &json!({})).await;
    assert_eq!(order["RPL_INV"], "10005");
    assert_eq!(town.row("CONTACT", "SUB_NR", "10005")["MAIL_BUS"], "inkoop@delinde.example");
}

// shows R44
#[tokio::test]
async fn a_person_is_no_company() {
    let town = town().await;
    town.till.add_relations([record(&json!({
        "relation_number": "700", "name": "Jan Jansen", "email": "jan@example.nl", "address": "Markt 1",
        "zipcode": "3511 AB", "city": "Utrecht",
    }))]);
    arrives(&town, "", &json!({"relation_number": "700"})).await;
    let debtor = town.row("CONTACT", "SUB_NR", "10043");
    assert_eq!((&debtor["ACCT_NAME"], &debtor["MAIN_CONT"]), (&json!("Jan Jansen"), &Value::Null));
}

#[tokio::test]
async fn customers_without_a_mail_address_go_to_one_debtor() {
    let town = town().await;
    town.office.add("CONTACT", [debtor("1", "Balie", "")]);
    town.till.add_relations([record(&json!({"relation_number": "700", "name": "Balie"}))]);
    let (order, _) = arrives(&town, "anonymous_debtor = \"1\"\n", &json!({"relation_number": "700"})).await;
    assert_eq!(order["RPL_INV"], "1");
}

#[tokio::test]
async fn goods_that_go_elsewhere_get_an_address_once() {
    let town = town().await;
    let away = json!({"delivery_address": {"name": "Magazijn", "address": "Havenweg 3", "zipcode": "3542ac", "city": "Utrecht", "country": "Nederland"}});
    town.till.place_order(order(&away)).unwrap();
    let mut second = away.clone();
    second["ext_order_id"] = json!("K-2");
    let flow = town.flow("orders", ANSWERS).await;
    assert_eq!(settles(&flow).await, "1 created");
    town.till.place_order(order(&second)).unwrap();
    assert_eq!(flow.run(false).await.0, "1 created, 1 unchanged");
    let places = town.office.rows("DEMO", "DEL_ADDR");
    assert_eq!(places.len(), 1);
    let orders = town.office.orders();
    assert!(orders.iter().all(|order| order.text("DEL_CODE") == places[0].text("REC_ID")));
    let off = super::sales::town().await;
    arrives(&off, "delivery_addresses = false\n", &away).await;
    assert_eq!(off.office.rows("DEMO", "DEL_ADDR"), []);
}

// shows R5, R6, R9, R12, R15, R17, R19, R52
#[tokio::test]
async fn tax_and_revenue_follow_the_country_and_terms_the_method() {
    let town = town().await;
    town.till.edit_relation("681", record(&json!({"country": "België", "vat_number": "BE0123456789"})));
    town.till.edit_relation("681", record(&json!({"payment_within_days": 30})));
    let tables = "remark = \"reference\"\nreference_column = \"A8_INV_NR\"\ncurrency = \"USD\"\n\
        [tables.debtor_vat_code]\nrows = [[\"BE\", \"company\", \"7\"]]\n\
        [tables.debtor_revenue_account]\nrows = [[\"BE\", \"8100\"]]\n\
        [tables.payment_condition]\nrows = [[\"PIN\", 30, \"P3\"]]\n\
        [tables.employee]\nrows = [[\"999999\", \"KAS\"]]\n\
        [tables.article_code]\nrows = [[\"100050\", \"BONEN\"]]\n";
    town.office_article("BONEN", "Koffiebonen", 10.0);
    let (order, _) = arrives(&town, tables, &json!({})).await;
    let debtor = town.row("CONTACT", "SUB_NR", "10043");
    for (column, value) in [
        ("CNT_CODE", "BE"),
        ("VAT_CODE", "7"),
        ("LNK_ACCT", "8100"),
        ("DISC_CODE", "P3"),
        ("CUR_CODE", "USD"),
    ] {
        assert_eq!(debtor[column], value, "{column}");
    }
    assert_eq!(
        (&order["COMMENT2"], &order["A8_INV_NR"], &order["EMP_NR"]),
        (&json!("Balie 2"), &json!("Balie 2"), &json!("KAS"))
    );
    assert_eq!(order["lines"][1]["ART_CODE"], "BONEN");
}

// shows R7, R15, R75
#[tokio::test]
async fn shipping_methods_have_a_column_of_the_installations_own() {
    let town = town().await;
    let answers = "shipping_method_column = \"A8_INV_NR\"\nremark = \"nothing\"\n";
    let (order, _) = arrives(&town, answers, &json!({"delivery_method": "VERZENDEN"})).await;
    assert_eq!((&order["A8_INV_NR"], &order["COMMENT2"]), (&json!("POST"), &Value::Null));
}

// shows R13, R36
#[tokio::test]
async fn orders_wait_until_they_are_as_far_as_they_should_be() {
    let town = town().await;
    town.till.place_order(order(&json!({}))).unwrap();
    let id = town.till.orders()[0].text("order_id").unwrap().to_owned();
    let paid = town.flow("orders", &format!("{ANSWERS}send_when = \"paid\"\n")).await;
    assert_eq!(paid.run(false).await.0, "1 skipped");
    let delivered = town.flow("orders", &format!("{ANSWERS}send_when = \"delivered\"\n")).await;
    assert_eq!(delivered.run(false).await.0, "1 skipped");
    town.till.deliver_order(&id);
    assert_eq!(delivered.run(false).await.0, "1 created");
    let late = town.flow("orders", &ANSWERS.replace("2020-01-01", "2030-01-01")).await;
    assert_eq!(late.run(false).await.0, "1 skipped");
    let kinds = town.flow("orders", &format!("{ANSWERS}order_types = [\"repeat_sales_order\"]\n")).await;
    assert_eq!(kinds.run(false).await.0, "1 skipped");
    let status = town.flow("orders", &format!("{ANSWERS}order_categories = [\"3\"]\n")).await;
    assert_eq!(status.run(false).await.0, "1 skipped");
    // Another prefix is another order.
    let prefix = town.flow("orders", &format!("{ANSWERS}number_prefix = \"B\"\n")).await;
    assert_eq!(prefix.run(false).await.0, "1 created");
    assert_eq!(town.office.orders().len(), 2);
}

#[tokio::test]
async fn what_is_there_already_or_was_cancelled_stays_out() {
    let town = town().await;
    arrives(&town, "", &json!({})).await;
    let again = town.flow("orders", ANSWERS).await;
    assert_eq!(again.run(false).await.0, "1 skipped");
    let id = town.till.place_order(order(&json!({"ext_order_id": "K-2"}))).unwrap();
    town.till.cancel_order(&id);
    assert_eq!(again.run(false).await.0, "1 unchanged, 1 skipped");
    assert_eq!(town.office.orders().len(), 1);
}

// shows R40
#[tokio::test]
async fn each_refusal_says_what_to_do() {
    let mut reasons = Vec::new();
    for (answers, changes) in [
        ("send_as = \"financial mutation\"\n", json!({})),
        ("send_as = \"financial mutation\"\njournal = \"700\"\n", json!({})),
        ("send_as = \"financial mutation\"\njournal = \"999\"\n", json!({})),
        ("send_as = \"financial mutation\"\njournal = \"710\"\nnumber_prefix = \"KASSA-NL-\"\n", json!({})),
        (
            "send_as = \"financial mutation\"\njournal = \"710\"\nhome_country = \"FR\"\n[tables.country_code]\nrows = [[\"Nederland\", \"FR\"]]\n",
            json!({}),
        ),
        ("[tables.article_code]\nrows = [[\"100050\", \"WEG\"]]\n", json!({})),
        (
            "rounding_limit = 0.00\n",
            json!({"lines": [{"article_number": "100045", "quantity": 3, "price": 19.95}]}),
        ),
    ] {
        reasons.push(refused(&town().await, answers, &changes).await);
    }
    let nobody = town().await;
    nobody.till.add_relations([record(&json!({"relation_number": "700", "name": "Balie"}))]);
    reasons.push(refused(&nobody, "", &json!({"relation_number": "700"})).await);
    let abroad = town().await;
    abroad.till.edit_relation("681", record(&json!({"country": "Atlantis"})));
    reasons.push(refused(&abroad, "", &json!({})).await);
    let blocked = town().await;
    blocked.office.change_row("ARTICLE", "100045", &record(&json!({"REC_BLK": true})));
    reasons.push(refused(&blocked, "", &json!({})).await);
    let twice = town().await;
    twice.till.place_order(order(&json!({}))).unwrap();
    for number in ["1", "2"] {
        twice.office.add("CONTACT", [debtor(number, "De Linde", "inkoop@delinde.example")]);
    }
    reasons.push(refusal(&twice.flow("orders", ANSWERS).await).await);
    insta::assert_snapshot!(reasons.join("\n"));
}

async fn invoiced(town: &Town, changes: &Value) {
    let mut order = json!({
        "ext_invoice_id": "F-1", "relation_number": "681", "employee_number": "999999", "financial_date": "2026-03-14", "due_date": "2026-03-28",
        "lines": [{"article_number": "100045", "quantity": 2, "price": 19.95}, {"article_number": "100050", "quantity": 3, "price": 12.99}],
        "payments": [{"method": "PIN", "amount": 78.87}],
    });
    for (name, value) in changes.as_object().unwrap() {
        order[name] = value.clone();
    }
    let session = connectors::contract::Connector::connect(
        &MplusKassa,
        &town.till.answers(&format!("http://{}", town.servers[1].address)),
        &connectors::contract::Host::default(),
    );
    let session = session.unwrap();
    session.create("invoices").unwrap().create("invoices", &record(&order), "key").await.unwrap();
}

// shows R2, R46, R47
#[tokio::test]
async fn an_invoice_arrives_once_in_every_form() {
    for (answers, pages) in [
        ("send_when = \"made\"\n", 0),
        ("send_when = \"paid\"\nsend_as = \"direct invoice\"\n", 0),
        (
            "send_when = \"made\"\nsend_as = \"financial mutation\"\njournal = \"710\"\nnumber_prefix = \"F\"\n",
            1,
        ),
    ] {
        let town = town().await;
        invoiced(&town, &json!({})).await;
        let flow = town.flow("invoices", &format!("{ANSWERS}{answers}")).await;
        assert_eq!(settles(&flow).await, "1 created");
        assert_eq!((town.office.orders().len(), town.office.journal_pages().len()), (1 - pages, pages));
        if pages == 0 {
            let total = town.till.invoices()[0].get("total_excl_amount").unwrap().to_string();
            assert_eq!(lines_total(&town.office.orders()[0]), total.parse().unwrap());
        } else {
            let page: Value = serde_json::from_str(&town.office.journal_pages()[0].to_string()).unwrap();
            insta::assert_snapshot!(pretty(&stable(page)));
        }
    }
}

#[tokio::test]
async fn kinds_of_invoice_and_their_days_are_chosen() {
    let town = town().await;
    invoiced(&town, &json!({})).await;
    for answers in ["invoice_types = [\"credit_invoice\"]\nsend_when = \"made\"\n", "send_when = \"final\"\n"]
    {
        let flow = town.flow("invoices", &format!("{ANSWERS}{answers}")).await;
        let expected =
            if answers.contains("final") && town.till.invoices()[0].get("finalized") == Some(&true.into()) {
                "1 created"
            } else {
                "1 skipped"
            };
        assert_eq!(flow.run(false).await.0, expected, "{answers}");
    }
    let late = town
        .flow("invoices", &format!("{}send_when = \"made\"\n", ANSWERS.replace("2020-01-01", "2026-03-15")))
        .await;
    assert_eq!(late.run(false).await.0, "1 skipped");
}

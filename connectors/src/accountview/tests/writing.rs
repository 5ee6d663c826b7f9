//! The traps of writing: positions, padding, answers that get lost, days without a year.

use super::*;

const ORDER: &str = r#"{"reference":"MP-1","invoice_debtor":"10001","order_date":"2026-05-03",
    "lines":[{"article_code":"100201","quantity":2,"price":49.50},{"article_code":"100202","quantity":1,"price":6.95}]}"#;

#[tokio::test]
async fn an_order_arrives_with_its_lines() {
    let stage = Stage::filled().await;
    let written = stage.create("orders", ORDER).await.unwrap();
    assert_eq!(written.record.text("order_number"), Some("2400031"));
    let found = stage.find("orders", "reference", "MP-1").await.unwrap();
    assert_eq!(found[0].text("id"), Some(written.key.as_str()));
    assert_eq!(
        found[0].get("lines").unwrap().to_string(),
        r#"[{"article_code":"100201","quantity":2,"price":49.50,"position":1},{"article_code":"100202","quantity":1,"price":6.95,"position":2}]"#
    );
    assert_eq!(found[0].text("delivery_debtor"), Some("10001"), "the goods go where the invoice goes");
    assert_eq!(found[0].text("order_date"), Some("2026-05-03"));
}

#[tokio::test]
async fn kinds_of_order_differ_by_one_switch() {
    let stage = Stage::filled().await;
    for (number, given, kept) in [
        ("A", "", None),
        ("B", r#","direct_invoice":false"#, Some(false)),
        ("C", r#","direct_invoice":true"#, Some(true)),
    ] {
        let order = ORDER.replace("MP-1", number).replacen('}', &format!("}}{given}"), 0);
        let order =
            order.replace(r#""order_date":"2026-05-03""#, &format!(r#""order_date":"2026-05-03"{given}"#));
        stage.create("orders", &order).await.unwrap();
        let there =
            stage.service.orders().into_iter().find(|order| order.text("COMMENT1") == Some(number)).unwrap();
        assert_eq!(there.get("AIS_SOC").and_then(Value::as_bool), kept);
    }
}

#[tokio::test]
async fn an_answer_without_a_record_number_is_looked_up() {
    let stage = Stage::filled().await;
    stage.service.switch(|switches| switches.writes_tell_no_key = true);
    let written = stage.create("orders", ORDER).await.unwrap();
    let found = stage.find("orders", "reference", "MP-1").await.unwrap();
    assert_eq!(found[0].text("id"), Some(written.key.as_str()));
    let address = r#"{"debtor_number":"10001","name":"A","address":"Kade 1"}"#;
    assert_eq!(stage.create("delivery_addresses", address).await.unwrap_err().advice, Advice::Unknown);
}

#[tokio::test]
async fn a_lost_answer_is_a_doubt_and_not_a_second_order() {
    let stage = Stage::filled().await;
    let posts = Only::any().method("POST").path("/api/v3/accountviewdata");
    stage.running.faults.next_for(&posts, [Fault::Lost]);
    assert_eq!(stage.create("orders", ORDER).await.unwrap_err().advice, Advice::Unknown);
    assert_eq!(stage.find("orders", "reference", "MP-1").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_price_that_one_line_leaves_out_is_not_sent_as_nothing() {
    let stage = Stage::filled().await;
    let some = ORDER.replace(r#","price":6.95"#, "");
    let error = stage.create("orders", &some).await.unwrap_err();
    assert_eq!(
        (error.advice, error.reason.as_str()),
        (Advice::SkipRecord, "lines[1]: ART_PX (N) is given on other lines and not on this one")
    );
    // On none of them, AccountView takes its own.
    let none = some.replace(r#","price":49.50"#, "");
    stage.create("orders", &none).await.unwrap();
    let found = stage.find("orders", "reference", "MP-1").await.unwrap();
    assert!(found[0].get("lines").unwrap().to_string().contains(r#""price":22.45"#), "{}", found[0]);
}

#[tokio::test]
async fn a_debtor_is_tidied_before_it_goes() {
    let stage = Stage::filled().await;
    let debtor = r#"{"name":"Bakkerij De Linde","collective_account":"1210","postcode":"3511ab","city":"Utrecht","country":"nl","email":""}"#;
    let written = stage.create("debtors", debtor).await.unwrap();
    assert_eq!(written.key, "10043", "AccountView gives the number");
    let found = stage.find("debtors", "debtor_number", "10043").await.unwrap();
    for (field, kept) in [
        ("search_code", Some("BAKKERIJDE")),
        ("postcode", Some("3511 AB")),
        ("city", Some("Utrecht")),
        ("country", Some("NL")),
        ("email", None),
    ] {
        assert_eq!(found[0].text(field), kept, "{field}");
    }
    let sent = stage
        .service
        .rows("DEMO", "CONTACT")
        .into_iter()
        .find(|row| row.text("SUB_NR") == Some("10043"))
        .unwrap();
    assert_eq!((sent.text("CITY"), sent.text("BOX_CITY")), (Some("Utrecht"), Some("Utrecht")));
}

#[tokio::test]
async fn leading_zeros_of_a_number_stay() {
    let stage = Stage::filled().await;
    let debtor = r#"{"debtor_number":"00005","name":"Kas","collective_account":"1210"}"#;
    assert_eq!(stage.create("debtors", debtor).await.unwrap().key, "00005");
    assert_eq!(stage.find("debtors", "debtor_number", "5").await.unwrap(), []);
    stage.update("debtors", "00005", r#"{"phone":"030"}"#).await.unwrap();
    assert_eq!(stage.find("debtors", "debtor_number", "00005").await.unwrap()[0].text("phone"), Some("030"));
}

#[tokio::test]
async fn an_update_sends_only_what_changes() {
    let stage = Stage::filled().await;
    let before = stage.find("debtors", "debtor_number", "10001").await.unwrap();
    stage
        .update("debtors", "10001", r#"{"phone":null,"blocked_for_orders":true,"credit_limit":10}"#)
        .await
        .unwrap();
    let after = stage.find("debtors", "debtor_number", "10001").await.unwrap();
    assert_eq!((after[0].get("phone"), after[0].get("blocked_for_orders")), (None, Some(&true.into())));
    assert_eq!(after[0].text("name"), before[0].text("name"));
    let number = |records: &[Record]| records[0].get("change_number").and_then(Value::as_int).unwrap();
    assert_eq!(number(&after), number(&before) + 1);
    let error = stage.update("debtors", "10001", r#"{"debtor_number":"10002"}"#).await.unwrap_err();
    assert_eq!(error.reason, "debtor_number: cannot be changed from 10001 to \"10002\"");
}

#[tokio::test]
async fn own_columns_are_written_by_their_kind() {
    let stage = Stage::filled().await;
    let debtor = r#"{"name":"A","collective_account":"1210","custom_fields":[
        {"name":"k1_loyal","value":"GOUD"},{"name":"K1_SINCE","value":"2026-01-31"}]}"#;
    let key = stage.create("debtors", debtor).await.unwrap().key;
    let row = stage
        .service
        .rows("DEMO", "CONTACT")
        .into_iter()
        .find(|row| row.text("SUB_NR") == Some(&key))
        .unwrap();
    assert_eq!((row.text("K1_LOYAL"), row.text("K1_SINCE")), (Some("GOUD"), Some("2026-01-31T00:00:00")));
    let twice = debtor.replace("k1_loyal", "ACCT_NAME");
    let error = stage.create("debtors", &twice).await.unwrap_err();
    assert_eq!(error.reason, "custom_fields: ACCT_NAME is a field already");
    let bad = debtor.replace("k1_loyal", "K1 LOYAL");
    assert_eq!(stage.create("debtors", &bad).await.unwrap_err().advice, Advice::SkipRecord);
}

#[tokio::test]
async fn a_journal_page_carries_its_documents() {
    let stage = Stage::filled().await;
    let page = r#"{"journal":"710","invoice_number":"MP90211","date":"2026-05-03","description":"Kassa","debtor_number":"10001",
        "lines":[{"account":"8000","amount":99.00,"vat_code":"4","vat_amount":20.79}],
        "attachments":[{"file_name":"bon.pdf","content":"JVBERi0=","description":"Bon"}]}"#;
    let written = stage.create("journal_pages", page).await.unwrap();
    assert_eq!(written.record.text("page_number"), Some("24"));
    assert_eq!(stage.service.rows("DEMO", "USR_LINK")[0].text("LINK_FILE"), Some("bon.pdf"));
    let found = stage.find("journal_pages", "invoice_number", "MP90211").await.unwrap();
    assert_eq!(found[0].get("lines").unwrap().as_list().unwrap().len(), 1);
    assert!(stage.session.update("journal_pages").is_none(), "a page cannot be changed afterwards");
}

#[tokio::test]
async fn the_day_of_what_is_written_picks_the_book_year() {
    let stage = Stage::filled().await;
    let year = (jiff::civil::date(2026, 1, 1), jiff::civil::date(2026, 12, 31));
    stage.service.switch(|switches| switches.open = year);
    let error = stage.create("orders", &ORDER.replace("2026-05-03", "2025-12-31")).await.unwrap_err();
    assert_eq!(error.advice, Advice::SkipRecord);
    assert!(error.help.unwrap().contains("open the book year"));
    stage.create("orders", ORDER).await.unwrap();
    // A debtor has no day of its own.
    let fixed = stage.with(&[("book_date", "2026-06-30")]);
    let debtor = json(r#"{"name":"A","collective_account":"1210"}"#);
    fixed.create("debtors").unwrap().create("debtors", &debtor, "key").await.unwrap();
    let closed = stage.with(&[("book_date", "2019-06-30")]);
    closed.create("debtors").unwrap().create("debtors", &debtor, "key").await.unwrap_err();
}

#[tokio::test]
async fn refusals_come_with_any_status_and_with_advice() {
    for errors_are_200 in [false, true] {
        let stage = Stage::filled().await;
        stage.service.switch(|switches| switches.errors_are_200 = errors_are_200);
        for (resource, record, words) in [
            ("debtors", r#"{"name":"A","collective_account":"9999"}"#, "Grootboekrekening 9999 bestaat niet"),
            ("orders", &ORDER.replace("100201", "999"), "Artikel 999 bestaat niet"),
            ("orders", &ORDER.replace("10001", "999"), "Debiteur 999 bestaat niet"),
        ] {
            let error = stage.create(resource, record).await.unwrap_err();
            assert_eq!(error.advice, Advice::SkipRecord, "{error}");
            assert_eq!(error.reason, format!("refuses the record: {words}"));
        }
    }
}

//! The traps of reading: days instead of moments, padding, answers of other shapes.

use super::*;

#[tokio::test]
async fn a_moment_is_asked_for_by_its_day() {
    let stage = Stage::filled().await;
    let all_of_them = stage.all("articles", None).await;
    let some = stage.all("articles", Some("2026-03-12T23:59:59+01:00")).await;
    assert!(some.len() < all_of_them.len());
    let that_day = |record: &&Record| record.text("changed_at").unwrap().starts_with("2026-03-12");
    assert_eq!(
        some.iter().filter(that_day).count(),
        all_of_them.iter().filter(that_day).count(),
        "the whole day is read again"
    );
    // An hour before midnight in UTC is the next day in Amsterdam.
    let evening = stage.all("articles", Some("2026-03-11T23:30:00Z")).await;
    assert_eq!(evening.len(), some.len());
}

#[tokio::test]
async fn what_is_not_since_the_day_is_sent_as_a_foxpro_day() {
    let stage = Stage::filled().await;
    stage.all("articles", Some("2026-03-12T10:00:00+01:00")).await;
    let asked = stage.running.log().into_iter().find(|seen| seen.path.contains("CNG_DATE&")).unwrap();
    assert!(asked.path.contains("FilterOperator1=DateOnOrAfterDate&FilterValueType1=T"), "{}", asked.path);
    assert!(asked.path.contains("FilterValue1=%7B%5E2026-03-12%7D&FilterIsListOfValues1=false"));
}

#[tokio::test]
async fn pages_follow_the_last_key_and_not_a_number() {
    let stage = Stage::filled().await;
    let fetch = stage.session.fetch("debtors").unwrap();
    let request = FetchRequest { resource: "debtors".to_owned(), size: 10, ..FetchRequest::default() };
    let first = fetch.page(&request, None).await.unwrap();
    // A row that comes before the border moves nobody across it.
    stage.service.add("CONTACT", [json(r#"{"SUB_NR":"10000","kind":"D","ACCT_NAME":"Nieuw"}"#)]);
    let second = fetch.page(&request, first.next.as_deref()).await.unwrap();
    let mut keys = texts(&first.records, "debtor_number");
    keys.extend(texts(&second.records, "debtor_number"));
    assert_eq!(keys.len(), 20);
    assert_eq!((keys[9], keys[10]), ("10010", "10011"));
}

#[tokio::test]
async fn installations_answer_in_other_shapes() {
    let stage = Stage::filled().await;
    let plain = stage.all("orders", None).await;
    stage.service.switch(|switches| switches.one_is_an_object = true);
    let one = stage.find("orders", "reference", "WEB-1000").await.unwrap();
    assert_eq!(one, [plain[0].clone()]);
    assert_eq!(one[0].get("lines").unwrap().as_list().unwrap().len(), 1);
    stage.service.switch(|switches| switches.nothing_is_404 = true);
    assert_eq!(stage.find("orders", "reference", "WEB-999").await.unwrap(), []);
    assert_eq!(stage.all("articles", Some("2030-01-01T00:00:00Z")).await, []);
}

#[tokio::test]
async fn equal_may_mean_begins_with_and_still_finds_exactly() {
    let stage = Stage::filled().await;
    stage.service.switch(|switches| switches.equal_is_begins_with = true);
    assert_eq!(stage.find("orders", "reference", "WEB-10").await.unwrap(), []);
    assert_eq!(
        texts(&stage.find("articles", "article_code", "100201").await.unwrap(), "article_code"),
        ["100201"]
    );
}

#[tokio::test]
async fn mail_addresses_are_found_however_they_are_typed() {
    let stage = Stage::filled().await;
    let found = stage.find("debtors", "email", "Klant3@Voorbeeld.example").await.unwrap();
    assert_eq!(texts(&found, "debtor_number"), ["10004"]);
    // Two of them are told both, so that nobody picks one.
    stage.service.add(
        "CONTACT",
        [json(r#"{"SUB_NR":"10999","kind":"D","ACCT_NAME":"Dubbel","MAIL_BUS":"klant3@voorbeeld.example"}"#)],
    );
    assert_eq!(stage.find("debtors", "email", "klant3@voorbeeld.example").await.unwrap().len(), 2);
}

#[tokio::test]
async fn debtors_and_creditors_share_a_table_and_not_a_list() {
    let stage = Stage::filled().await;
    let debtors = stage.all("debtors", None).await;
    let creditors = stage.all("creditors", None).await;
    assert!(debtors.iter().all(|one| one.text("debtor_number").unwrap().starts_with('1')));
    assert!(
        creditors.iter().any(|one| one.text("creditor_number") == Some("10010")),
        "also shown as creditor"
    );
    assert_eq!(stage.all("relations", None).await.len(), 60);
}

#[tokio::test]
async fn each_company_has_its_own_records() {
    let stage = Stage::filled().await;
    let other = stage.with(&[("company", "ander")]);
    assert_eq!(texts(&all(other.as_ref(), "articles", None, 7).await, "article_code"), ["777001"]);
    let by_id = stage.with(&[("company", "5f0c7a10-0001-4a51-9d0b-5c0c8a3b2f10")]);
    assert_eq!(by_id.probe().await.unwrap(), "AccountView, company DEMO (Demo BV)");
    for (answer, words) in [("", "several companies"), ("GONE", "no company `GONE`")] {
        let error = stage.with(&[("company", answer)]).probe().await.unwrap_err();
        assert!(error.advice == Advice::StopFlow && error.reason.contains(words), "{error}");
        assert!(error.help.unwrap().contains("DEMO (Demo BV), ANDER (Andere Holding BV)"));
    }
}

#[tokio::test]
async fn own_columns_are_custom_fields_and_missing_ones_are_named() {
    let stage = Stage::filled().await;
    let found = stage.find("articles", "article_code", "100201").await.unwrap();
    let fields = found[0].get("custom_fields").unwrap().to_string();
    assert!(fields.contains(r#"{"name":"K1_COLOUR","value":"Blauw"}"#), "{fields}");
    let error = find(stage.with(&[("ean_column", "EAN13")]).as_ref(), "articles", "article_code", "1").await;
    let error = error.unwrap_err();
    assert_eq!(error.advice, Advice::StopFlow);
    assert!(error.reason.contains("EAN13") && error.help.unwrap().contains("ean_column"));
    let without = stage.with(&[("ean_column", ""), ("stock_column", ""), ("vat_column", "")]);
    let found = find(without.as_ref(), "articles", "article_code", "100201").await.unwrap();
    assert_eq!((found[0].get("ean"), found[0].get("stock_article")), (None, None));
}

#[tokio::test]
async fn pictures_stay_where_they_are() {
    let stage = Stage::filled().await;
    stage.all("articles", None).await;
    assert!(
        stage.running.log().iter().all(|seen| !seen.path.contains("IMG_") && !seen.path.contains("Fields=*"))
    );
}

#[tokio::test]
async fn stock_is_told_in_every_way_of_counting() {
    let stage = Stage::empty().await;
    stage.service.add(
        "ARTICLE",
        [json(
            r#"{"ART_CODE":"7","QTY_TECH":10,"QTY_AVAIL":7,"QTY_FREE2":6.5,"QTY_BESTEL":4,"STK_ART":true}"#,
        )],
    );
    assert_eq!(
        stage.all("stock", None).await[0].to_string(),
        r#"{"article_code":"7","blocked":false,"available":7,"physical":10,"free":6.5,"on_order":4,"stock_article":true,"economic":11,"reserved":3}"#
    );
}

#[tokio::test]
async fn prices_of_a_list_have_keys_of_their_own() {
    let stage = Stage::filled().await;
    let found = stage.find("price_list_lines", "article_code", "100200").await.unwrap();
    assert_eq!(texts(&found, "id"), ["HOR/100200/1/2026-01-01", "HOR/100200/10/"]);
    let one = stage.find("price_list_lines", "id", "HOR/100200/10/").await.unwrap();
    assert_eq!(one, [found[1].clone()]);
    let error = stage.with(&[("price_table", "PX_LINE")]);
    let error = find(error.as_ref(), "price_list_lines", "article_code", "100200").await.unwrap_err();
    assert!(error.reason.contains("no table PX_LINE, but ART_PX"), "{error}");
}

#[tokio::test]
async fn the_dictionary_tells_what_is_the_installations_own() {
    let stage = Stage::empty().await;
    let found = stage.find("columns", "id", "CONTACT.SUB_NR").await.unwrap();
    assert_eq!(
        found[0].to_string(),
        r#"{"table":"CONTACT","column":"SUB_NR","type":"C","length":10,"mandatory":false,"not_writable":false,"own":false,"upper_case":true,"id":"CONTACT.SUB_NR"}"#
    );
    // `VAT` is part of no other table's name, but padded it is not `VAT` either.
    let columns = stage.find("columns", "table", "VAT").await.unwrap();
    assert!(columns.len() > 5 && columns.iter().all(|column| column.text("table") == Some("VAT")));
}

// shows R92
#[tokio::test]
async fn the_far_end_may_be_switched_off_while_the_front_door_answers() {
    let stage = Stage::filled().await;
    stage.service.switch(|switches| switches.far_end_is_off = true);
    let error = stage.session.probe().await.unwrap_err();
    assert_eq!(error.advice, Advice::Retry(None));
    assert!(error.reason.contains("see that it is switched on"), "{error}");
    let create = stage.create("debtors", r#"{"name":"A","collective_account":"1210"}"#).await.unwrap_err();
    assert_eq!(create.advice, Advice::Unknown, "a relay that gives up may have passed it on");
}

//! What the simulator enforces, row by row of the contract, at the wire: each test fails when
//! its rule is gone.

use axum::body::{Body, to_bytes};
use axum::http::Request;
use tower::ServiceExt as _;

use super::*;

const DEMO: &str = "5f0c7a10-0001-4a51-9d0b-5c0c8a3b2f10";

async fn send(service: &AccountViewSimulator, request: Request<Body>) -> (u16, String) {
    let response = service.router().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn filled() -> AccountViewSimulator {
    let service = AccountViewSimulator::new();
    service.fill();
    service
}

async fn get(service: &AccountViewSimulator, path: &str) -> (u16, String) {
    let token = service.token_for("readaccountviewdata").access;
    let request =
        Request::get(path).header("authorization", format!("Bearer {token}")).header("x-company", DEMO);
    send(service, request.body(Body::empty()).unwrap()).await
}

async fn read(service: &AccountViewSimulator, query: &str) -> (u16, String) {
    get(service, &format!("/api/v3/accountviewdata?{query}")).await
}

async fn write(service: &AccountViewSimulator, method: &str, body: &str) -> (u16, String) {
    let token = service.token_for("readaccountviewdata updateaccountviewdata").access;
    let request = Request::builder().method(method).uri("/api/v3/accountviewdata");
    let request = request.header("authorization", format!("Bearer {token}")).header("x-company", DEMO);
    send(service, request.body(Body::from(body.to_owned())).unwrap()).await
}

/// A refusal in the shape of three members that says this.
fn refused((status, body): (u16, String), words: &str) {
    assert_eq!(status, 400, "{body}");
    let error: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert!(error["ErrorType"] == "AccountViewError" && error["ErrorNumbers"].is_null(), "{body}");
    assert!(error["ErrorMessage"].as_str().unwrap().contains(words), "{body}");
}

async fn token(service: &AccountViewSimulator, kind: &str, form: &str) -> (u16, String) {
    let request = Request::post("/api/v3/token").header("content-type", kind);
    send(service, request.body(Body::from(form.to_owned())).unwrap()).await
}

#[tokio::test]
async fn tokens_are_handed_out_by_the_rules() {
    let service = filled();
    let form = "application/x-www-form-urlencoded";
    let client = "client_id=weft-demo&client_secret=av%2Fs3cret%2B1%3D";
    let refresh = service.token_for("readaccountviewdata").refresh.unwrap();
    let exchange = format!("grant_type=refresh_token&refresh_token={refresh}&{client}");
    assert!(token(&service, "application/json", &exchange).await.1.contains("invalid_request"));
    for (bad, word) in [
        (exchange.replace("weft-demo", "other"), "invalid_client"),
        (exchange.replace("s3cret", "secret"), "invalid_client"),
        (exchange.replace(&refresh, "rt-none"), "invalid_grant"),
        (exchange.replace("refresh_token&", "password&"), "unsupported_grant_type"),
        (
            format!(
                "grant_type=authorization_code&code=none&redirect_uri=http%3A%2F%2Flocalhost%3A8914%2Fcallback&{client}"
            ),
            "invalid_grant",
        ),
    ] {
        let (status, body) = token(&service, form, &bad).await;
        assert!(status == 400 && body == format!(r#"{{"error":"{word}"}}"#), "{bad}: {body}");
    }
    let (status, body) = token(&service, form, &exchange).await;
    assert!(status == 200 && body.contains(r#""token_type":"bearer","expires_in":3600"#), "{body}");
    assert!(!body.contains(&refresh), "the refresh token is another one");
    assert_eq!(token(&service, form, &exchange).await.0, 400, "the old one works no more");
}

#[tokio::test]
async fn the_door_opens_to_the_registered_application_only() {
    let service = filled();
    let good = "client_id=weft-demo&redirect_uri=http%3A%2F%2Flocalhost%3A8914%2Fcallback&response_type=code&scope=readaccountviewdata&state=1";
    let open = async |query: &str| {
        let request = Request::get(format!("/AMS/Authorize.aspx?{query}")).body(Body::empty()).unwrap();
        send(&service, request).await.0
    };
    assert_eq!(open(good).await, 302);
    for (from, to) in
        [("weft-demo", "x"), ("callback", "callback%2F"), ("code&", "token&"), ("scope=read", "scope=eat")]
    {
        assert_eq!(open(&good.replace(from, to)).await, 400, "{to}");
    }
}

#[tokio::test]
async fn nobody_comes_in_without_a_token_that_lives() {
    let service = filled();
    let bare = Request::get("/api/v3/companies").body(Body::empty()).unwrap();
    assert_eq!(send(&service, bare).await.0, 401);
    service.tokens_last(Duration::ZERO);
    assert_eq!(get(&service, "/api/v3/companies").await.0, 401);
}

#[tokio::test]
async fn the_company_must_be_named_for_data_and_not_for_companies() {
    let service = filled();
    for (company, path, words) in [
        ("", "/api/v3/accountviewdata?BusinessObject=AR1", "x-company"),
        ("other", "/api/v3/accountviewdata?BusinessObject=AR1", "x-company other"),
        ("", "/API/v3/Companies", r#""Code":"DEMO""#),
    ] {
        let token = service.token_for("readaccountviewdata").access;
        let request = Request::get(path).header("authorization", format!("Bearer {token}"));
        let request = request.header("x-company", company).body(Body::empty()).unwrap();
        let (_, body) = send(&service, request).await;
        assert!(body.contains(words), "{body}");
    }
}

#[tokio::test]
async fn questions_are_read_strictly_whatever_their_capitals() {
    let service = filled();
    let (status, body) =
        get(&service, "/api/V3/AccountViewData?businessobject=ak1&PAGESIZE=1&fields=article.art_code").await;
    assert_eq!(
        (status, body.as_str()),
        (200, r#"{"ARTICLE":[{"ART_CODE":"100200","EXT_KEY":603,"ARTICLE_Id":0}]}"#)
    );
    let filter = "BusinessObject=AK1&FilterControlSource1=ART_CODE&FilterOperator1=Equal&FilterValueType1=C&FilterValue1=100201";
    assert!(read(&service, filter).await.1.contains("100201"));
    for (from, to, words) in [
        ("AK1", "ZZ9", "Business object ZZ9"),
        ("AK1", "AK1&Fields=ART_CODE,NOPE", "Kolom NOPE"),
        ("=ART_CODE", "=NOPE", "Kolom NOPE"),
        ("Equal", "IsLike", "Filteroperator islike"),
        ("FilterValueType1=C", "x=C", "Filtertype"),
        ("AK1", "AK1&BookDate=2019-12-31", "Boekdatum"),
    ] {
        refused(read(&service, &filter.replace(from, to)).await, words);
    }
}

#[tokio::test]
async fn filters_are_all_of_them_unless_told_otherwise() {
    let service = filled();
    let count = async |query: &str| {
        let (_, body) = read(&service, &format!("BusinessObject=AK1&Fields=ART_CODE&{query}")).await;
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        body["ARTICLE"].as_array().unwrap().len()
    };
    let two = "FilterControlSource1=ART_CODE&FilterOperator1=Equal&FilterValueType1=C&FilterValue1=100201&\
               FilterControlSource2=ART_CODE&FilterOperator2=Equal&FilterValueType2=C&FilterValue2=100202";
    assert_eq!(count(two).await, 0);
    assert_eq!(count(&format!("{two}&MatchAnyFilter=true")).await, 2);
    let list = "FilterControlSource1=ART_CODE&FilterOperator1=Equal&FilterValueType1=C&FilterValue1=100201,100202&FilterIsListOfValues1=true";
    assert_eq!(count(list).await, 2);
    let day = "FilterControlSource1=CNG_DATE&FilterOperator1=DateOnOrAfterDate&FilterValueType1=T&FilterValue1=%7B%5E2026-03-28%2013:00:00%7D";
    assert_eq!(count(day).await, 3, "the time of day is not looked at");
    for (page, rows) in [
        ("PageSize=20", 20),
        ("PageSize=20&PageNumber=2", 10),
        ("PageSize=20&LastKey=100219", 10),
        ("PageSize=5000", 30),
    ] {
        assert_eq!(count(page).await, rows, "{page}");
    }
}

fn debtor(changes: &[(&str, &str)]) -> String {
    let body = r#"{"BookDate":"2026-05-03T00:00:00.000Z","BusinessObject":"AR1","Table":{"Definition":{"Name":"CONTACT","Fields":[
        {"Name":"RowId","FieldType":"C"},{"Name":"ACCT_NR","FieldType":"C"},{"Name":"Acct_Name","FieldType":"C"},
        {"Name":"SRC_CODE","FieldType":"C"},{"Name":"CRED_LIM","FieldType":"I"}]}},
        "TableData":{"Data":{"Rows":[{"Values":["1","1210","Café","kroon",5]}]}}}"#
        .to_owned();
    changes.iter().fold(body, |body, (from, to)| {
        assert!(body.contains(from), "{from}");
        body.replace(from, to)
    })
}

#[tokio::test]
async fn values_are_held_against_the_dictionary() {
    let service = filled();
    let (status, body) = write(&service, "POST", &debtor(&[])).await;
    assert!(
        status == 200
            && body.contains(r#""SRC_CODE":"KROON     ""#)
            && body.contains(r#""SUB_NR":"10043     ""#),
        "{body}"
    );
    for (from, to, words) in [
        (r#""kroon",5"#, r#""kroon""#, "4 waarden voor 5 velden"),
        (r#""kroon",5"#, r#""kroon",5.5"#, "Waarde 5.5"),
        (r#""FieldType":"I""#, r#""FieldType":"L""#, "Type L"),
        ("Café", "een naam die veel te lang is om te passen", "meer dan 40 tekens"),
        ("CRED_LIM", "EXT_KEY", "mag niet worden gewijzigd"),
        ("CRED_LIM", "NOPE", "CONTACT.NOPE bestaat niet"),
        ("CONTACT", "ARTICLE", "hoort niet bij AR1"),
        ("RowId", "RowAction", "RowId ontbreekt"),
        ("1210", "9999", "Grootboekrekening 9999"),
        ("kroon", "", "Veld SRC_CODE is verplicht"),
        (r#""Café""#, r#""""#, "Veld ACCT_NAME is verplicht"),
        ("2026-05-03", "2019-05-03", "Boekdatum"),
    ] {
        refused(write(&service, "POST", &debtor(&[(from, to)])).await, words);
    }
    let taken =
        [("CRED_LIM", "SUB_NR"), (r#""FieldType":"I""#, r#""FieldType":"C""#), (",5]", r#","10001"]"#)];
    refused(write(&service, "POST", &debtor(&taken)).await, "Debiteur 10001 bestaat al");
}

#[tokio::test]
async fn changes_need_a_row_that_is_there() {
    let service = filled();
    let with_id = |id: &str| debtor(&[(r#"{"BookDate""#, &format!(r#"{{"id":"{id}","BookDate""#))]);
    refused(write(&service, "PUT", &debtor(&[])).await, "id ontbreekt");
    refused(write(&service, "PUT", &with_id("777")).await, "777 bestaat niet");
    assert_eq!(write(&service, "PUT", &with_id("10001")).await.0, 200);
    let page =
        r#"{"BookDate":"2026-05-03","BusinessObject":"DJ2","id":"0000000411","Table":{},"TableData":{}}"#;
    refused(write(&service, "PUT", page).await, "DJ2: wijzigen is niet toegestaan");
    refused(write(&service, "DELETE", &with_id("10001")).await, "niet toegestaan");
}

fn order(changes: &[(&str, &str)]) -> String {
    let body = r#"{"BookDate":"2026-05-03","BusinessObject":"SO1","Table":{"Definition":{"Name":"SO_HDR","Fields":[
        {"Name":"RowId","FieldType":"C"},{"Name":"RPL_INV","FieldType":"C"},{"Name":"COMMENT1","FieldType":"C"}]},
        "DetailDefinitions":[{"Name":"SO_LINE","Fields":[{"Name":"RowId","FieldType":"C"},{"Name":"HeaderId","FieldType":"C"},
        {"Name":"ART_CODE","FieldType":"C"},{"Name":"ORD_QTY","FieldType":"N"}]}]},
        "TableData":{"Data":{"Rows":[{"Values":["1","10001","MP-1"]}]},"DetailData":[{"Rows":[{"Values":["1","1","100201",2]}]}]}}"#;
    changes.iter().fold(body.to_owned(), |body, (from, to)| {
        assert!(body.contains(from), "{from}");
        body.replace(from, to)
    })
}

#[tokio::test]
async fn orders_are_taken_by_the_rules_and_twice_if_sent_twice() {
    let service = filled();
    for number in ["10002", "10003"] {
        let column = if number == "10002" { "REC_BLK" } else { "BLK_SP" };
        service.change_row("CONTACT", number, &json(&format!(r#"{{"{column}":true}}"#)));
    }
    for (from, to, words) in [
        ("10001", "999", "Debiteur 999 bestaat niet"),
        ("10001", "10002", "geblokkeerd"),
        ("10001", "10003", "geblokkeerd"),
        ("100201", "999", "Artikel 999"),
        (r#"["1","1","100201""#, r#"["1","2","100201""#, "HeaderId 2"),
        (r#"{"Values":["1","1","100201",2]}"#, "", "minstens één regel"),
        ("SO_LINE", "DJ_LINE", "Detailtabel DJ_LINE"),
    ] {
        refused(write(&service, "POST", &order(&[(from, to)])).await, words);
    }
    assert_eq!(service.orders().len(), 30);
    for _ in 0..2 {
        assert_eq!(write(&service, "POST", &order(&[])).await.0, 200);
    }
    assert_eq!(service.orders().len(), 32, "nobody but the sender knows that it is the same order");
    let article = service
        .rows("DEMO", "ARTICLE")
        .into_iter()
        .find(|row| row.text("ART_CODE") == Some("100201"))
        .unwrap();
    assert_eq!(article.get("QTY_AVAIL").unwrap().to_string(), "6", "both are reserved");
}

#[tokio::test]
async fn journal_pages_are_taken_by_the_rules() {
    let stage = Stage::filled().await;
    let page = r#"{"journal":"710","invoice_number":"MP1","date":"2026-05-03","description":"Kassa","lines":[{"account":"8000","amount":1}]}"#;
    for (from, to, words) in [
        ("710", "999", "Dagboek 999"),
        ("8000", "9999", "Grootboekrekening 9999"),
        (r#""amount":1"#, r#""amount":1,"vat_code":"99""#, "BTW-code 99"),
    ] {
        let error = stage.create("journal_pages", &page.replace(from, to)).await.unwrap_err();
        assert!(error.reason.contains(words), "{error}");
    }
    stage.create("journal_pages", &page.replace("710", "700")).await.unwrap();
    let own = stage.service.journal_pages().pop().unwrap();
    assert_eq!(own.text("INV_NR"), Some("20260001"), "journal 700 numbers its invoices by itself");
}

#[tokio::test]
async fn rows_carry_their_bookkeeping() {
    let service = filled();
    let (_, body) = read(&service, "BusinessObject=SO1&PageSize=2&Fields=*").await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    for (at, row) in body["SO_HDR"].as_array().unwrap().iter().enumerate() {
        assert_eq!(row["SO_HDR_Id"], at);
        assert!(row["EXT_KEY"].is_i64() && row["CNG_NR"] == 1 && row["CNG_DATE"].is_string(), "{row}");
        assert_eq!(
            (&row["DEL_DATE"], row["COMMENT1"].as_str()),
            (&"".into(), Some(format!("WEB-{}", 1000 + at).as_str()))
        );
    }
    assert_eq!(body["SO_LINE"].as_array().unwrap().len(), 3);
}

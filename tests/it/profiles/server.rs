//! Good profiles against servers of our own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use connectors::contract::{Advice, Connector as _, FetchRequest, Limits, Session, unreadable};
use connectors::http::recorded;
use connectors::manifest::Answers;
use connectors::profile::Profile;
use connectors::record::{Record, Value, read_json};
use connectors::simulator::{Fault, Faults, Running, serve};
use serde_json::{Value as Json_, json};

type Asked = BTreeMap<String, String>;

/// Books of the shop and of the ledger, and what was asked of them.
#[derive(Clone, Default)]
struct Books {
    records: Arc<Mutex<Vec<Json_>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
    bodies: Arc<Mutex<Vec<Json_>>>,
    keys: Arc<Mutex<BTreeMap<String, Json_>>>,
}

impl Books {
    fn note(&self, asked: &Asked) {
        self.asked.lock().unwrap().push(asked.clone());
    }
    fn last_asked(&self) -> Asked {
        self.asked.lock().unwrap().last().unwrap().clone()
    }
    fn last_body(&self) -> Json_ {
        self.bodies.lock().unwrap().last().unwrap().clone()
    }
}

fn refused(status: u16, code: &str, message: &str) -> Response {
    let body = json!({"error": {"code": code, "message": message}});
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}

fn signed_in(headers: &HeaderMap) -> bool {
    headers.get("x-api-key").is_some_and(|key| key == "s3cret-key")
}

fn shop(books: Books) -> Router {
    let list =
        async |State(books): State<Books>, headers: HeaderMap, Query(asked): Query<Asked>| -> Response {
            if !signed_in(&headers) {
                return refused(401, "key", "this key is not known");
            }
            books.note(&asked);
            let records = books.records.lock().unwrap().clone();
            let page: usize = asked.get("page").map_or(1, |page| page.parse().unwrap());
            let size: usize = asked.get("per_page").map_or(10, |size| size.parse().unwrap());
            let wanted: Option<Vec<&str>> =
                asked.get("filter[reference]").map(|wanted| wanted.split(',').collect());
            let since: i64 = asked.get("updated_since").map_or(0, |since| since.parse().unwrap());
            let found: Vec<_> = records
                .into_iter()
                .filter(|order| order["updated"].as_i64().unwrap() >= since)
                .filter(|order| asked.get("filter[status]").is_none_or(|status| order["status"] == *status))
                // As many systems do, it searches for what begins so.
                .filter(|order| {
                    wanted.as_ref().is_none_or(|wanted| {
                        wanted.iter().any(|wanted| order["reference"].as_str().unwrap().starts_with(wanted))
                    })
                })
                .skip((page - 1) * size)
                .take(size)
                .collect();
            Json(json!({"data": found})).into_response()
        };
    let one = async |State(books): State<Books>, Path(id): Path<String>| -> Response {
        let records = books.records.lock().unwrap();
        match records.iter().find(|order| order["id"].as_i64() == id.parse().ok()) {
            Some(order) => Json(json!({"data": order})).into_response(),
            None => refused(404, "unknown", "no such order"),
        }
    };
    let create =
        async |State(books): State<Books>, headers: HeaderMap, Json(body): Json<Json_>| -> Response {
            let key = headers.get("idempotency-key").unwrap().to_str().unwrap().to_owned();
            books.bodies.lock().unwrap().push(body.clone());
            if let Some(done) = books.keys.lock().unwrap().get(&key) {
                return Json(json!({"data": done})).into_response();
            }
            let mut records = books.records.lock().unwrap();
            let mut order = body["order"].clone();
            if records.iter().any(|known| known["reference"] == order["reference"]) {
                return refused(422, "duplicate", "there is an order with this reference");
            }
            order["id"] = json!(records.len() + 1000);
            order["updated"] = json!(1_760_000_000);
            records.push(order.clone());
            books.keys.lock().unwrap().insert(key, order.clone());
            (StatusCode::CREATED, Json(json!({"data": order}))).into_response()
        };
    let update =
        async |State(books): State<Books>, Path(id): Path<String>, Json(body): Json<Json_>| -> Response {
            books.bodies.lock().unwrap().push(body.clone());
            let mut records = books.records.lock().unwrap();
            let Some(order) = records.iter_mut().find(|order| order["id"].as_i64() == id.parse().ok()) else {
                return refused(404, "unknown", "no such order");
            };
            for (name, value) in body["order"].as_object().unwrap() {
                order[name] = value.clone();
            }
            Json(json!({"data": order})).into_response()
        };
    Router::new()
        .route("/api/v1/orders", get(list).post(create))
        .route("/api/v1/orders/{id}", get(one).patch(update))
        .route("/api/v1/shop", get(async || Json(json!({"data": {"name": "Bakery Bloem"}}))))
        .with_state(books)
}

fn order(number: usize) -> Json_ {
    json!({
        "id": number, "reference": format!("R{number}"), "status": if number.is_multiple_of(2) { "paid" } else { "new" },
        "updated": 1_750_000_000 + number, "is_paid": if number.is_multiple_of(2) { "Y" } else { "N" },
        "total_cents": number * 100 + 5, "customer": {"email": format!("c{number}@example.com"), "vat": null},
        "lines": [{"sku": format!("A{number}"), "quantity": 2}, {"sku": "B", "quantity": "1.50"}], "unknown": {"deep": [1]},
    })
}

pub(super) fn quick() -> Limits {
    Limits { backoff: Duration::from_millis(1), timeout: Duration::from_secs(5), ..Limits::default() }
}

fn load(name: &str) -> Profile {
    let text = std::fs::read_to_string(format!("corpus/profile/good/{name}.toml")).unwrap();
    Profile::load(name, &text).unwrap()
}

pub(super) fn answers(pairs: &[(&str, &str)]) -> Answers {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

async fn open_shop(orders: usize) -> (Running, Books, Arc<dyn Session>) {
    let books = Books::default();
    *books.records.lock().unwrap() = (1..=orders).map(order).collect();
    let running = serve(shop(books.clone()), 0, Faults::default()).await.unwrap();
    let answers = answers(&[("address", &running.url()), ("api_key", "s3cret-key")]);
    let session = load("webshop").connect(&answers, &quick().into()).unwrap();
    (running, books, session)
}

pub(super) async fn read_all(session: &dyn Session, request: &FetchRequest) -> Vec<Record> {
    let fetch = session.fetch(&request.resource).unwrap();
    let (mut records, mut position) = (Vec::new(), None::<String>);
    loop {
        let page = fetch.page(request, position.as_deref()).await.unwrap();
        records.extend(page.records);
        position = page.next;
        if position.is_none() {
            return records;
        }
    }
}

pub(super) fn request(resource: &str) -> FetchRequest {
    FetchRequest { resource: resource.into(), size: 100, ..FetchRequest::default() }
}

pub(super) fn record(json: &str) -> Record {
    let Value::Map(map) = read_json(&json.to_owned().into()).unwrap() else { panic!("a record") };
    map
}

#[tokio::test]
async fn a_shop_is_read_page_by_page() {
    let (running, books, session) = open_shop(25).await;
    assert_eq!(session.probe().await.unwrap(), "Example Web Shop: Bakery Bloem");
    let records = read_all(&*session, &request("orders")).await;
    assert_eq!(records.len(), 25);
    assert_eq!(running.requests(), 4, "one probe and three pages: the last one is short");
    assert_eq!(
        records[1].to_string(),
        record(
            r#"{"number":"2","reference":"R2","status":"paid","modified_at":"2025-06-15T15:06:42Z","is_paid":true,
                "total_incl":2.05,"email":"c2@example.com","first_sku":"A2",
                "lines":[{"sku":"A2","quantity":2},{"sku":"B","quantity":1.50}]}"#
        )
        .to_string()
    );
    assert_eq!(books.last_asked()["include"], "lines");
}

#[tokio::test]
async fn a_cursor_and_filters_are_sent() {
    let (_running, books, session) = open_shop(25).await;
    let since = Some(("modified_at".into(), Value::from("2025-06-15T17:06:50+02:00")));
    let conditions = vec![("status".into(), Value::from("paid"))];
    let records = read_all(&*session, &FetchRequest { since, conditions, ..request("orders") }).await;
    assert_eq!(records.len(), 8, "10, 12 … 24");
    let asked = books.last_asked();
    assert_eq!((asked["updated_since"].as_str(), asked["sort"].as_str()), ("1750000010", "updated"));
}

#[tokio::test]
async fn records_are_found_by_address_and_many_at_once() {
    let (running, _books, session) = open_shop(25).await;
    let find = session.find("orders").unwrap();
    let keys =
        [vec![Value::from("7")], vec![Value::from("9999")], vec![Value::from("")], vec![Value::from("..")]];
    let found = find.find("orders", &["number".into()], &keys).await.unwrap();
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [1, 0, 0, 0]);
    assert_eq!(found[0][0].text("reference"), Some("R7"));
    let before = running.requests();
    let keys: Vec<_> = ["R1", "R22", "R3", "R1", "R,4"].map(|key| vec![Value::from(key)]).to_vec();
    let found = find.find("orders", &["reference".into()], &keys).await.unwrap();
    let sizes: Vec<_> = found.iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, 1, 1, 1, 0], "R1 is not R10, whatever the server thinks");
    assert_eq!(
        running.requests() - before,
        5,
        "two pages for most keys, three for the one with a comma, alone"
    );
}

#[tokio::test]
async fn orders_are_created_once_and_changed() {
    let (running, books, session) = open_shop(2).await;
    let new = record(
        r#"{"reference":"N1","status":"new","is_paid":true,"total_incl":19.95,"email":"n@example.com","lines":[{"sku":"A","quantity":1.5}]}"#,
    );
    let create = session.create("orders").unwrap();
    running.faults.next([Fault::Lost, Fault::Busy]);
    let written = create.create("orders", &new, "key-1").await.unwrap();
    assert_eq!(books.records.lock().unwrap().len(), 3, "created once, though the answer was lost");
    assert_eq!(written.key, "1002");
    assert_eq!(written.record.get("total_incl"), Some(&Value::Decimal("19.95".parse().unwrap())));
    assert_eq!(
        books.last_body(),
        json!({"order": {"reference": "N1", "status": "new", "is_paid": "Y", "total_cents": 1995,
            "customer": {"email": "n@example.com"}, "lines": [{"sku": "A", "quantity": 1.5}]}, "meta": {"source": "weft"}})
    );
    let error = create.create("orders", &new, "key-2").await.unwrap_err();
    assert_eq!(error.advice, Advice::SkipRecord);
    assert_eq!(error.reason, "there is an order with this reference");
    assert_eq!(error.help.as_deref(), Some("correct the record and send it again"));

    let update = session.update("orders").unwrap();
    let changes = record(r#"{"email":"new@example.com","status":null}"#);
    let written = update.update("orders", "1002", &changes, None).await.unwrap();
    assert_eq!((written.key.as_str(), written.record.text("email")), ("1002", Some("new@example.com")));
    assert_eq!(books.last_body()["order"], json!({"customer": {"email": "new@example.com"}, "status": null}));
    let error = update.update("orders", "77", &changes, None).await.unwrap_err();
    assert_eq!((error.advice, error.reason.as_str()), (Advice::SkipRecord, "no such order (status 404)"));
    let wrong = record(r#"{"total_incl":1.005}"#);
    let error = update.update("orders", "1002", &wrong, None).await.unwrap_err();
    assert_eq!(error.reason, "field `total_incl` is 1.005, which has more than 2 decimals");
}

#[tokio::test]
async fn refusals_and_bad_answers_say_what_to_do() {
    let (running, _books, session) = open_shop(3).await;
    let fetch = session.fetch("orders").unwrap();
    let ask = request("orders");
    // A passing fault is not noticed at all.
    running.faults.next([Fault::Html, Fault::Reset, Fault::Cut]);
    assert_eq!(fetch.page(&ask, None).await.unwrap().records.len(), 3);
    running.faults.rate(Fault::Down, 1000);
    assert!(matches!(fetch.page(&ask, None).await.unwrap_err().advice, Advice::Retry(_)));
    running.faults.clear();
    running.faults.next([Fault::Expired]);
    let error = fetch.page(&ask, None).await.unwrap_err();
    assert_eq!(error.advice, Advice::Reconnect);
    assert!(error.help.is_some());
    assert_eq!(fetch.page(&ask, Some("nonsense")).await.unwrap_err().advice, Advice::StopFlow);

    let answers = answers(&[("address", &running.url()), ("api_key", "wrong-key-value")]);
    let session = load("webshop").connect(&answers, &quick().into()).unwrap();
    let (result, exchanges) = recorded(session.fetch("orders").unwrap().page(&ask, None)).await;
    assert_eq!(result.unwrap_err().reason, "this key is not known (status 401)");
    assert!(!format!("{exchanges:?}").contains("wrong-key-value"));
}

/// A server that answers everything with the same text.
async fn parrot(status: u16, body: &'static str) -> Running {
    let answer = move || async move { (StatusCode::from_u16(status).unwrap(), body) };
    serve(Router::new().fallback(answer), 0, Faults::default()).await.unwrap()
}

async fn asked_of(
    running: &Running,
) -> Result<connectors::contract::Page, connectors::contract::RemoteError> {
    let answers = answers(&[("address", &running.url()), ("api_key", "key-123")]);
    let session = load("webshop").connect(&answers, &quick().into()).unwrap();
    session.fetch("orders").unwrap().page(&request("orders"), None).await
}

#[tokio::test]
async fn answers_that_are_none_are_told_apart() {
    for (status, body, advice, reason) in [
        (200, "<html>Login</html>", Advice::Retry(None), "answered with a web page instead of JSON: Login"),
        (200, "{\"data\": [", Advice::Retry(None), "the answer is not JSON: "),
        (
            200,
            r#"{"error":{"code":"maintenance","message":"back at noon"}}"#,
            Advice::Retry(None),
            "back at noon",
        ),
        (
            403,
            r#"{"error":{"message":"no right to read orders"}}"#,
            Advice::StopFlow,
            "no right to read orders (status 403)",
        ),
        (422, r#"{"error":{"code":"other","message":"odd"}}"#, Advice::SkipRecord, "odd (status 422)"),
        (302, "", Advice::StopFlow, "moved to another address"),
    ] {
        let error = asked_of(&parrot(status, body).await).await.unwrap_err();
        assert_eq!((error.advice, error.reason.starts_with(reason)), (advice, true), "{body}: {error}");
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_says_so_and_its_neighbours_stay() {
    let body = r#"{"data":[{"id":1,"updated":"soon","total_cents":5},{"id":2,"updated":1750000000},{"id":3,"lines":[{"quantity":"two"}]},7]}"#;
    let page = asked_of(&parrot(200, body).await).await.unwrap();
    assert_eq!(page.records.len(), 4);
    assert_eq!(unreadable(&page.records[0]), Some("field `modified_at` is `soon`, not a date and time"));
    assert_eq!(page.records[0].text("number"), Some("1"));
    assert_eq!(unreadable(&page.records[1]), None);
    assert_eq!(
        unreadable(&page.records[2]),
        Some("field `lines` field `quantity` is `two`, not a number (item 1)")
    );
    assert_eq!(unreadable(&page.records[3]), Some("`7` stands where a record should"));
}

#[tokio::test]
async fn a_system_that_does_not_heed_paging_is_noticed() {
    let records: Vec<_> = (1..=10).map(order).collect();
    let body = json!({"data": records}).to_string();
    let running = parrot(200, body.leak()).await;
    let answers = answers(&[("address", &running.url()), ("api_key", "key-123")]);
    let session = load("webshop").connect(&answers, &quick().into()).unwrap();
    let fetch = session.fetch("orders").unwrap();
    let first = fetch.page(&request("orders"), None).await.unwrap();
    let error = fetch.page(&request("orders"), first.next.as_deref()).await.unwrap_err();
    assert_eq!(error.advice, Advice::StopFlow);
    assert_eq!(error.reason, "gave the same page twice, at page 2");
}

#[tokio::test]
async fn missing_and_unusable_answers_are_refused_at_once() {
    let profile = load("webshop");
    let refused = |pairs: &[(&str, &str)]| match profile.connect(&answers(pairs), &quick().into()) {
        Ok(_) => panic!("connected"),
        Err(error) => (error.advice, error.reason),
    };
    let (advice, reason) = refused(&[("address", "https://x.example")]);
    assert_eq!((advice, reason.as_str()), (Advice::Reconnect, "the setting `api_key` is not filled in"));
    let (_, reason) = refused(&[("address", "x.example"), ("api_key", "key-123")]);
    assert_eq!(reason, "`x.example/api/v1` is not the address of a system");
    let (_, reason) = refused(&[("address", "https://x.example"), ("api_key", "k\ney")]);
    assert!(reason.contains("`api_key` cannot be sent"), "{reason}");
    assert!(!reason.contains("k\ney"));
}

fn ledger(books: Books) -> Router {
    let list =
        async |State(books): State<Books>, headers: HeaderMap, Query(asked): Query<Asked>| -> Response {
            if headers.get("authorization").is_none_or(|value| value != "Bearer t0ken") {
                return StatusCode::UNAUTHORIZED.into_response();
            }
            books.note(&asked);
            let records = books.records.lock().unwrap();
            let number = |name: &str, otherwise: usize| {
                asked.get(name).map_or(otherwise, |number| number.parse().unwrap())
            };
            let after = number("after", 0);
            let found: Vec<_> = records
                .iter()
                .filter(|debtor| usize::try_from(debtor["row_version"].as_i64().unwrap()).unwrap() > after)
                .filter(|debtor| asked.get("search").is_none_or(|text| debtor.to_string().contains(text)))
                .collect();
            // Whatever is asked, it gives five at most.
            let page: Vec<Json_> = found
                .iter()
                .skip(number("$skip", 0))
                .take(number("$top", 5).min(5))
                .map(|debtor| {
                    let mut debtor = (*debtor).clone();
                    debtor.as_object_mut().unwrap().remove("Notes");
                    debtor
                })
                .collect();
            Json(json!({"value": page, "count": found.len()})).into_response()
        };
    let one = async |State(books): State<Books>, Path(code): Path<String>| -> Response {
        let records = books.records.lock().unwrap();
        let found = records.iter().find(|debtor| debtor["code"] == *code).cloned();
        found.map_or(StatusCode::NOT_FOUND.into_response(), |debtor| Json(debtor).into_response())
    };
    let create = async |State(books): State<Books>, Json(body): Json<Json_>| -> Response {
        books.bodies.lock().unwrap().push(body.clone());
        Json(json!({"created": {"code": body["code"]}})).into_response()
    };
    let replace = async |State(books): State<Books>, Json(body): Json<Json_>| -> Response {
        books.bodies.lock().unwrap().push(body);
        StatusCode::NO_CONTENT.into_response()
    };
    Router::new()
        .route("/debtors", get(list).merge(post(create)))
        .route("/debtors/{code}", get(one).put(replace))
        .with_state(books)
}

async fn open_ledger() -> (Running, Books, Arc<dyn Session>) {
    let books = Books::default();
    *books.records.lock().unwrap() = (1..=23)
        .map(|number| {
            json!({"code": format!("{number:04}"), "Name": format!("Debtor {number}"), "Email": format!("d{number}@example.com"),
                "Street": "Kade 1", "City": "Zwolle", "Notes": format!("note {number}"), "row_version": number})
        })
        .collect();
    let running = serve(ledger(books.clone()), 0, Faults::default()).await.unwrap();
    let answers = answers(&[("address", &running.url()), ("token", "t0ken")]);
    (running, books, load("ledger").connect(&answers, &quick().into()).unwrap())
}

#[tokio::test]
async fn a_ledger_is_read_by_offset_and_completed() {
    let (running, books, session) = open_ledger().await;
    let records = read_all(&*session, &request("debtors")).await;
    assert_eq!(records.len(), 23, "though the server gives fewer than were asked");
    assert_eq!(running.requests(), 5);
    assert_eq!(
        records[0].to_string(),
        r#"{"code":"0001","name":"Debtor 1","email":"d1@example.com","row_version":1,"address":{"street":"Kade 1","city":"Zwolle"}}"#
    );
    let whole = session.detail("debtors").unwrap().complete("debtors", records[0].clone()).await.unwrap();
    assert_eq!(whole.text("notes"), Some("note 1"));
    let since = Some(("row_version".into(), Value::Int(20)));
    let records = read_all(&*session, &FetchRequest { since, ..request("debtors") }).await;
    assert_eq!((records.len(), books.last_asked()["after"].as_str()), (4, "19"), "20 itself is in it");
}

#[tokio::test]
async fn a_ledger_takes_whole_records() {
    let (_running, books, session) = open_ledger().await;
    let find = session.find("debtors").unwrap();
    let found =
        find.find("debtors", &["email".into()], &[vec![Value::from("d2@example.com")]]).await.unwrap();
    assert_eq!(found[0].len(), 1, "d22 has another address");
    let changes = record(r#"{"name":"New","address":{"city":"Assen"}}"#);
    let update = session.update("debtors").unwrap();
    let written = update.update("debtors", "0002", &changes, None).await.unwrap();
    assert_eq!(written.key, "0002");
    assert_eq!(
        books.last_body(),
        json!({"code": "0002", "Name": "New", "Email": "d2@example.com", "Notes": "note 2", "City": "Assen"})
    );
    let error = update.update("debtors", "9999", &changes, None).await.unwrap_err();
    assert_eq!(error.advice, Advice::SkipRecord);
    let new = record(r#"{"code":"0100","name":"Hundred"}"#);
    let written = session.create("debtors").unwrap().create("debtors", &new, "k").await.unwrap();
    assert_eq!((written.key.as_str(), written.record.text("name")), ("0100", Some("Hundred")));
}

#[tokio::test]
async fn a_create_without_idempotency_is_not_repeated_when_its_answer_is_lost() {
    let (running, books, session) = open_ledger().await;
    running.faults.next([Fault::Lost]);
    let new = record(r#"{"code":"0100"}"#);
    let error = session.create("debtors").unwrap().create("debtors", &new, "k").await.unwrap_err();
    assert_eq!((error.advice, books.bodies.lock().unwrap().len()), (Advice::Unknown, 1));
}

#[tokio::test]
async fn basic_sign_in_and_a_key_in_the_address() {
    for (sign_in, wanted) in [
        (
            r#"{ kind = "basic", user = "{settings.user}", password = "{settings.secret}" }"#,
            "Basic dTpw4oKs - 1",
        ),
        (r#"{ kind = "api_key", parameter = "key", value = "{settings.secret}" }"#, "- p€ 1"),
    ] {
        let text = format!(
            r#"
            name = "echo"
            title = "Echo"
            about = "Says what it hears."
            settings.address.about = "Address."
            settings.user = {{ about = "User.", default = "u" }}
            settings.secret = {{ about = "Secret.", secret = true }}
            connection = {{ address = "{{settings.address}}/", sign_in = {sign_in}, headers = {{ X-Shop = "{{settings.shop}}" }} }}
            settings.shop = {{ about = "Number of the shop.", default = "1" }}
            [resources.heard]
            about = "What was heard."
            key = "said"
            fetch = {{ path = "/echo?fixed=1", records = "$" }}
            fields.said = {{}}
            "#
        );
        let profile =
            Profile::load("echo.toml", &text).unwrap_or_else(|report| panic!("{}", super::render(&report)));
        let echo = async |headers: HeaderMap, Query(asked): Query<Asked>| {
            let header =
                |name: &str| headers.get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
            let key = asked.get("key").map_or("-", String::as_str);
            assert_eq!(asked["fixed"], "1");
            Json(json!({"said": format!("{} {key} {}", header("authorization"), header("x-shop"))}))
        };
        let running = serve(Router::new().route("/echo", get(echo)), 0, Faults::default()).await.unwrap();
        let answers = answers(&[("address", &running.url()), ("secret", "p€")]);
        let session = profile.connect(&answers, &quick().into()).unwrap();
        let (page, exchanges) = recorded(session.fetch("heard").unwrap().page(&request("heard"), None)).await;
        assert_eq!(page.unwrap().records[0].text("said"), Some(wanted));
        assert!(!format!("{exchanges:?}").contains("p%E2%82%AC"), "the key is blotted out: {exchanges:?}");
    }
}

/// A list of so many records that tells its end in every way at once.
fn counted(total: usize, first: usize) -> Router {
    let list = async move |Query(asked): Query<Asked>| -> Response {
        let size: usize = asked["size"].parse().unwrap();
        let skip = match (asked.get("page"), asked.get("offset")) {
            (Some(page), _) => (page.parse::<usize>().unwrap() - first) * size,
            (_, Some(offset)) => offset.parse().unwrap(),
            _ => panic!("no paging in {asked:?}"),
        };
        if skip >= total && total > 0 && asked.contains_key("strict") {
            return StatusCode::NOT_FOUND.into_response();
        }
        let items: Vec<_> = (0..total).skip(skip).take(size).map(|id| json!({"id": id})).collect();
        let more = skip + size < total;
        Json(json!({"items": items, "total": total, "pages": total.div_ceil(size), "more": more,
            "next": if more { json!("/list?after=x") } else { json!(null) }}))
        .into_response()
    };
    Router::new().route("/list", get(list))
}

#[tokio::test]
async fn every_way_of_paging_brings_every_record_once() {
    for (paging, first, empty_on_404) in [
        (r#"kind = "page""#, 1, false),
        (r#"kind = "page", first = 0, pages = "$.pages""#, 0, false),
        (r#"kind = "page", more = "$.more""#, 1, false),
        (r#"kind = "page", more = "$.next""#, 1, false),
        (r#"kind = "page", end = "empty""#, 1, true),
        (r#"kind = "offset", total = "$.total""#, 0, false),
        (r#"kind = "offset""#, 0, false),
    ] {
        for total in [0, 1, 6, 7, 8, 14, 20] {
            let strict = if empty_on_404 { "?strict=1" } else { "" };
            let text = format!(
                r#"
                name = "counted"
                title = "Counted"
                about = "So many records."
                settings.address.about = "Address."
                connection.address = "{{settings.address}}"
                [resources.items]
                about = "Items."
                key = "id"
                fields.id = {{}}
                [resources.items.fetch]
                path = "/list{strict}"
                records = "$.items[*]"
                empty_on_404 = {empty_on_404}
                paging = {{ size = 7, size_parameter = "size", {paging} }}
                "#
            );
            let profile = Profile::load("counted.toml", &text)
                .unwrap_or_else(|report| panic!("{}", super::render(&report)));
            let running = serve(counted(total, first), 0, Faults::default()).await.unwrap();
            let session = profile.connect(&answers(&[("address", &running.url())]), &quick().into()).unwrap();
            for size in [0, 3, 100] {
                let records = read_all(&*session, &FetchRequest { size, ..request("items") }).await;
                let ids: Vec<_> =
                    records.iter().map(|record| record.text("id").unwrap().to_owned()).collect();
                let wanted: Vec<_> = (0..total).map(|id| id.to_string()).collect();
                assert_eq!(ids, wanted, "{paging} with {total} records, {size} a page");
            }
        }
    }
}

/// The walk-through of the guide, held against the answer that it shows.
#[tokio::test]
async fn the_walk_through_works() {
    let guide = std::fs::read_to_string("../docs/profiles.md").unwrap();
    let block = |kind: &str, at: usize| -> String {
        let start = format!("```{kind}\n");
        guide.split(&start).nth(at + 1).unwrap().split("```").next().unwrap().to_owned()
    };
    let (answer, whole, rest) = (block("json", 0), block("toml", 0), block("toml", 1));
    // What stands before the fields stays there: tables may come in any order.
    let profile = Profile::load("tulip.toml", &format!("{whole}\n{rest}"))
        .unwrap_or_else(|report| panic!("{}", super::render(&report)));
    let running = parrot(200, answer.leak()).await;
    let session = profile
        .connect(&answers(&[("address", &running.url()), ("api_key", "key-123")]), &quick().into())
        .unwrap();
    let page = session.fetch("orders").unwrap().page(&request("orders"), None).await.unwrap();
    assert_eq!(
        page.records[0].to_string(),
        r#"{"id":"1001","reference":"W-17","status":"paid","modified_at":"2026-11-21T09:30:00Z","total_incl":19.95,"email":"sanne@example.com"}"#
    );
    // Each way to sign in is one that a profile takes.
    let ways: Vec<&str> = guide.lines().filter(|line| line.starts_with("sign_in = ")).collect();
    assert!(ways.len() >= 5);
    for way in ways {
        let head: String = whole
            .lines()
            .map(|line| if line.starts_with("sign_in") { way } else { line })
            .flat_map(|line| [line, "\n"])
            .collect();
        let settings = "[settings.token]\nabout = \"T.\"\nsecret = true\n[settings.user]\nabout = \"U.\"\n[settings.password]\nabout = \"P.\"\nsecret = true\n";
        Profile::load("tulip.toml", &format!("{head}\n{settings}"))
            .unwrap_or_else(|report| panic!("{}", super::render(&report)));
    }
}

#[tokio::test]
async fn a_wrong_address_is_not_taken_for_nothing_found() {
    let look = async |body: &'static str, by: &str| {
        let running = parrot(404, body).await;
        let answers = answers(&[("address", &running.url()), ("api_key", "key-123")]);
        let session = load("webshop").connect(&answers, &quick().into()).unwrap();
        session.find("orders").unwrap().find("orders", &[by.to_owned()], &[vec![Value::from("7")]]).await
    };
    assert_eq!(look("{}", "number").await.unwrap(), [vec![]]);
    assert_eq!(look("", "number").await.unwrap(), [vec![]]);
    let error = look("<html>Not here</html>", "number").await.unwrap_err();
    assert_eq!(error.advice, Advice::StopFlow);
    let error = look("{}", "reference").await.unwrap_err();
    assert_eq!(error.advice, Advice::StopFlow, "a list that is not there");
}

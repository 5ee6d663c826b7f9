//! The stand-in holds to each rule of the assumed contract, and the profile to the stand-in.

use axum::body::Body;
use axum::http::{Request, Response};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use super::simulator::{READ_ONLY_KEY, SoftmaatSimulator};
use crate::contract::{Advice, Connector as _, Limits, RemoteError, Session};
use crate::manifest::Answers;
use crate::record::{Record, Value as Any, read_json};
use crate::simulator::{Fault, Faults, Running, Simulator as _, start};

const KEY: &str = "weft-demo-key-1";

async fn raw(softmaat: &SoftmaatSimulator, key: &str, call: &str, body: Value) -> Response<Body> {
    let (method, path) = call.split_once(' ').unwrap();
    let request = Request::builder()
        .method(method)
        .uri(format!("/api/v1{path}"))
        .header("x-api-key", key)
        .body(Body::from(if body.is_null() { String::new() } else { body.to_string() }))
        .unwrap();
    softmaat.router().oneshot(request).await.unwrap()
}

async fn say(softmaat: &SoftmaatSimulator, call: &str, body: Value) -> (u16, Value) {
    let response = raw(softmaat, KEY, call, body).await;
    let status = response.status().as_u16();
    let bytes = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or_default())
}

fn filled() -> SoftmaatSimulator {
    let softmaat = SoftmaatSimulator::new();
    softmaat.fill();
    softmaat
}

fn record(value: &Value) -> Record {
    match read_json(&value.to_string().into()) {
        Ok(Any::Map(map)) => map,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_profile_loads_and_says_that_it_is_assumed() {
    let system = super::system().unwrap_or_else(|report| panic!("{report:?}"));
    assert_eq!(system.manifest().full_title(), "Softmaat (assumed contract, not verified)");
}

#[tokio::test]
async fn keys_are_checked() {
    let softmaat = filled();
    for (key, call, wanted) in [
        ("", "GET /products", 401),
        ("wrong", "GET /products", 401),
        (READ_ONLY_KEY, "GET /products", 200),
        (READ_ONLY_KEY, "POST /products", 403),
        (KEY, "GET /nowhere", 404),
        (KEY, "DELETE /products/p_1", 405),
    ] {
        let status = raw(&softmaat, key, call, json!({})).await.status().as_u16();
        assert_eq!(status, wanted, "{key} {call}");
    }
}

#[tokio::test]
async fn records_that_break_a_rule_are_refused_with_details() {
    let softmaat = filled();
    let fields = async |call: &str, body: Value| -> (u16, String) {
        let before = softmaat.books();
        let (status, answer) = say(&softmaat, call, body).await;
        assert_eq!(softmaat.books(), before, "{call}: nothing is stored");
        let details = answer["error"]["details"].as_array().cloned().unwrap_or_default();
        let mut fields: Vec<_> =
            details.iter().map(|one| one["field"].as_str().unwrap().to_owned()).collect();
        fields.sort();
        (status, fields.join(" "))
    };
    for (call, body, status, about) in [
        ("POST /products", json!({}), 422, "name sku"),
        ("POST /products", json!({"sku": "x".repeat(41), "name": "n".repeat(121)}), 422, "name sku"),
        (
            "POST /products",
            json!({"sku": "X", "name": "N", "tax_code": "?", "category_codes": ["?"]}),
            422,
            "category_codes tax_code",
        ),
        ("POST /products", json!({"sku": "X", "name": "N", "type": "variant"}), 422, "parent_sku"),
        (
            "POST /products",
            json!({"sku": "X", "name": "N", "type": "variant", "parent_sku": "?"}),
            422,
            "parent_sku",
        ),
        (
            "POST /products",
            json!({"sku": "X", "name": "N", "price": "cheap", "colour": "red"}),
            422,
            "colour price",
        ),
        ("POST /products", json!({"sku": "1001", "name": "N"}), 409, ""),
        ("POST /orders", json!({"reference": "SM-5001"}), 409, ""),
        (
            "POST /orders",
            json!({"reference": "R", "customer_id": "?", "lines": [{"sku": "?", "quantity": 1}]}),
            422,
            "customer_id lines[0].sku",
        ),
        ("POST /customers", json!({"email": "nobody"}), 422, "email"),
        ("POST /categories", json!({"code": "C", "name": "N", "parent_code": "?"}), 422, "parent_code"),
        ("GET /products?per_page=101", json!(null), 400, "per_page"),
        ("GET /products?page=0", json!(null), 400, "page"),
        ("GET /products?updated_since=yesterday", json!(null), 400, "updated_since"),
        ("PATCH /products/nobody", json!({"name": "N"}), 404, ""),
    ] {
        assert_eq!(fields(call, body).await, (status, about.to_owned()), "{call}");
    }
}

#[tokio::test]
async fn two_customers_may_share_an_address_and_capitals_do_not_count() {
    let softmaat = SoftmaatSimulator::new();
    for name in ["A", "B"] {
        softmaat.enter("customers", &json!({"email": "Info@Example.com", "company_name": name})).unwrap();
    }
    let (_, answer) = say(&softmaat, "GET /customers?email=info@example.com", Value::Null).await;
    assert_eq!(answer["meta"]["total"], 2);
}

#[tokio::test]
async fn what_changes_while_pages_are_read_comes_with_the_next_reading() {
    let softmaat = filled();
    let (_, first) = say(&softmaat, "GET /products?per_page=10", Value::Null).await;
    let last = first["data"][9]["updated_at"].as_str().unwrap().to_owned();
    let id = first["data"][0]["id"].as_str().unwrap().to_owned();
    let (_, changed) = say(&softmaat, &format!("PATCH /products/{id}"), json!({"name": "New"})).await;
    assert_eq!(
        (&changed["name"], &changed["sku"]),
        (&json!("New"), &first["data"][0]["sku"]),
        "the rest stays"
    );
    let since = last.replace('+', "%2B");
    let (_, next) =
        say(&softmaat, &format!("GET /products?per_page=100&updated_since={since}"), Value::Null).await;
    let data = next["data"].as_array().unwrap();
    assert!(data.iter().any(|one| one["id"] == id.as_str()), "every write counts as a change");
    assert!(data.iter().any(|one| one["updated_at"] == last.as_str()), "the moment itself is in it");
    assert_eq!((data.len(), &next["meta"]["total"]), (28, &json!(28)));
}

#[tokio::test]
async fn more_calls_than_allowed_are_blocked_for_longer() {
    let softmaat = filled();
    softmaat.allow_per_second(2);
    for wanted in [200, 200, 429, 429] {
        let response = raw(&softmaat, KEY, "GET /ping", Value::Null).await;
        assert_eq!(response.status().as_u16(), wanted);
        assert_eq!(response.headers().contains_key("retry-after"), wanted == 429);
    }
}

async fn open(
    softmaat: &SoftmaatSimulator,
    changes: &[(&str, &str)],
) -> (Running, std::sync::Arc<dyn Session>) {
    let running = start(softmaat, 0, Faults::default()).await.unwrap();
    running.faults.retry_after(Some(0));
    let system = super::system().unwrap();
    let given = softmaat.answers(&running.url());
    let answers: Answers = given
        .names()
        .map(|name| {
            let own = changes.iter().find(|(changed, _)| *changed == name).map(|(_, value)| *value);
            (name.to_owned(), own.or_else(|| given.get(system.manifest(), name)).unwrap().to_owned())
        })
        .collect();
    let limits = Limits { backoff: std::time::Duration::from_millis(1), ..Limits::default() };
    let session = system.connect(&answers, &limits.into()).unwrap();
    (running, session)
}

async fn create(session: &dyn Session, resource: &str, value: &Value) -> Result<String, RemoteError> {
    let create = session.create(resource).unwrap();
    create.create(resource, &record(value), "key").await.map(|written| written.key)
}

#[tokio::test]
async fn the_profile_words_what_softmaat_refuses() {
    let softmaat = filled();
    let (_running, session) = open(&softmaat, &[]).await;
    let error =
        create(&*session, "products", &json!({"sku": "X", "name": "N", "tax_code": "?"})).await.unwrap_err();
    let wanted = "the record is not valid: tax_code: ? is not a tax code (status 422)";
    assert_eq!((error.advice, error.reason.as_str()), (Advice::SkipRecord, wanted));
    let error = create(&*session, "products", &json!({"sku": "1001", "name": "N"})).await.unwrap_err();
    assert_eq!(error.advice, Advice::SkipRecord);
    let (_running, reader) = open(&softmaat, &[("api_key", READ_ONLY_KEY)]).await;
    assert_eq!(reader.probe().await.unwrap(), "Softmaat: Demo");
    let error = create(&*reader, "categories", &json!({"code": "Z", "name": "Z"})).await.unwrap_err();
    assert_eq!((error.advice, error.reason.as_str()), (Advice::StopFlow, "this key may only read"));
    assert!(error.help.unwrap().contains("right to write"));
}

#[tokio::test]
async fn the_profile_keeps_to_the_budget_and_takes_lists_without_data() {
    let softmaat = filled();
    softmaat.leave_out_empty_data();
    softmaat.allow_per_second(20);
    let (running, session) = open(&softmaat, &[("calls_per_second", "18")]).await;
    let find = session.find("products").unwrap();
    for number in 0..24 {
        let found = find
            .find("products", &["sku".to_owned()], &[vec![Any::from(format!("none-{number}"))]])
            .await
            .unwrap();
        assert_eq!(found, [vec![]]);
    }
    let refused = running.log().iter().filter(|seen| seen.status == Some(429)).count();
    assert_eq!((refused, running.requests()), (0, 24), "nothing was asked too early");
}

#[tokio::test]
async fn a_lost_answer_is_in_doubt_and_found_again() {
    let softmaat = filled();
    let (running, session) = open(&softmaat, &[]).await;
    running.faults.next([Fault::Lost]);
    let error = create(&*session, "orders", &json!({"reference": "R1"})).await.unwrap_err();
    assert_eq!(error.advice, Advice::Unknown);
    let find = session.find("orders").unwrap();
    let found = find.find("orders", &["reference".to_owned()], &[vec![Any::from("R1")]]).await.unwrap();
    assert_eq!(found[0].len(), 1);
}

//! What the connector makes of everything that goes wrong.

use super::*;
use crate::ccv_salespos::simulator::PostAnswer;
use crate::contract::Advice;
use crate::simulator::Fault;

async fn fetch(stage: &Stage) -> Result<usize, RemoteError> {
    let fetch = stage.session.fetch("brands").unwrap();
    let request = FetchRequest { resource: "brands".to_owned(), ..FetchRequest::default() };
    fetch.page(&request, None).await.map(|page| page.records.len())
}

async fn create(stage: &Stage) -> Result<Record, RemoteError> {
    let sample =
        json!({"sku": "N-1", "name": "Mok", "price": 1, "tax_tariff": "normal", "package_id": "1007"});
    let package = stage.shop.key_by("packages", "name", "Kartonnen doos").unwrap();
    let mut sample = record(sample);
    sample.set("package_id", package.to_string());
    let create = stage.session.create("products").unwrap();
    create.create("products", &sample, "key").await.map(|written| written.record)
}

#[tokio::test]
async fn each_code_gets_its_advice() {
    let again = Some(Duration::from_secs(20));
    for (code, reading, creating) in [
        ("404.20", Advice::StopFlow, Advice::StopFlow),
        ("405.10", Advice::StopFlow, Advice::StopFlow),
        ("429.10", Advice::Retry(again), Advice::Retry(again)),
        ("429.11", Advice::Retry(again), Advice::Retry(again)),
        ("500.10", Advice::Retry(None), Advice::Unknown),
        ("500.20", Advice::Retry(None), Advice::Unknown),
        ("500.21", Advice::SkipRecord, Advice::SkipRecord),
        ("500.22", Advice::SkipRecord, Advice::SkipRecord),
        ("500.23", Advice::SkipRecord, Advice::SkipRecord),
        ("500.24", Advice::SkipRecord, Advice::SkipRecord),
        ("500.25", Advice::StopFlow, Advice::StopFlow),
        ("500.40", Advice::SkipRecord, Advice::SkipRecord),
        ("500.60", Advice::SkipRecord, Advice::SkipRecord),
        ("500.70", Advice::StopFlow, Advice::StopFlow),
        ("500.80", Advice::SkipRecord, Advice::SkipRecord),
        ("500.90", Advice::StopFlow, Advice::StopFlow),
        ("501.10", Advice::StopFlow, Advice::StopFlow),
        ("501.20", Advice::StopFlow, Advice::StopFlow),
        ("501.30", Advice::StopFlow, Advice::StopFlow),
        ("400.10", Advice::SkipRecord, Advice::SkipRecord),
        ("403.10", Advice::StopFlow, Advice::StopFlow),
        ("500.99", Advice::SkipRecord, Advice::SkipRecord),
    ] {
        // A conversation that was told to pause keeps to it, so each code gets a new one.
        let stage = Stage::empty().await;
        stage.shop.refuse_next([code; 3]);
        let error = fetch(&stage).await.unwrap_err();
        assert_eq!(error.advice, reading, "{code} while reading: {error}");
        let stage = Stage::empty().await;
        stage.shop.refuse_next([code; 3]);
        let error = create(&stage).await.unwrap_err();
        assert_eq!(error.advice, creating, "{code} while creating: {error}");
        assert!(error.reason.contains(code), "{error}");
        assert_eq!(stage.shop.count("products"), 0);
    }
}

#[tokio::test]
async fn a_passing_failure_is_tried_again() {
    let stage = Stage::empty().await;
    stage.shop.refuse_next(["500.10", "500.20"]);
    assert_eq!(fetch(&stage).await.unwrap(), 0);
    stage.shop.add_product("M-1", "Mok", euros(100), 1).unwrap();
    let key = stage.shop.key_by("products", "productnumber", "M-1").unwrap().to_string();
    stage.shop.refuse_next(["500.10"]);
    stage.update("products", &key, json!({"stock": 5})).await.unwrap();
}

#[tokio::test]
async fn the_same_value_again_is_a_success() {
    let stage = Stage::with(|options| options.refuses_no_change = true).await;
    let key = stage.shop.add_product("M-1", "Mok", euros(100), 5).unwrap().to_string();
    stage.update("products", &key, json!({"stock": 5})).await.unwrap();
    stage.update("stock", &format!("product:{key}"), json!({"stock": 5})).await.unwrap();
}

#[tokio::test]
async fn a_lost_create_is_unknown_and_can_be_found() {
    let stage = Stage::empty().await;
    stage.find("products", &["sku"], &["N-1"]).await;
    for fault in [Fault::Lost, Fault::Cut] {
        let package = stage.shop.count("products");
        stage.running.faults.next([fault]);
        let error = create(&stage).await.unwrap_err();
        assert_eq!(error.advice, Advice::Unknown, "{fault:?}: {error}");
        assert_eq!(stage.shop.count("products"), package + 1, "it was done all the same");
        let found = stage.find("products", &["sku"], &["N-1"]).await;
        assert_eq!(found.len(), package + 1);
    }
    let sample = stage.shop.sample("customers", 1).unwrap();
    stage.find("customers", &["email"], &["nieuw1@voorbeeld.example"]).await;
    stage.running.faults.next([Fault::Lost]);
    let create = stage.session.create("customers").unwrap();
    assert_eq!(create.create("customers", &sample, "key").await.unwrap_err().advice, Advice::Unknown);
    assert_eq!(stage.find("customers", &["email"], &["Nieuw1@voorbeeld.example"]).await.len(), 1);
}

#[tokio::test]
async fn a_create_that_never_left_is_made_once() {
    let stage = Stage::empty().await;
    stage.running.faults.next([Fault::Down, Fault::Down]);
    create(&stage).await.unwrap();
    assert_eq!(stage.shop.count("products"), 1);
}

#[tokio::test]
async fn cut_and_lost_answers_are_read_again() {
    let stage = Stage::filled().await;
    for fault in [Fault::Lost, Fault::Cut, Fault::Reset, Fault::Html, Fault::Down] {
        stage.running.faults.next([fault]);
        assert!(fetch(&stage).await.unwrap() >= 25, "{fault:?}");
    }
}

#[tokio::test]
async fn a_wrong_secret_asks_for_the_right_one() {
    let stage = Stage::empty().await;
    for setting in ["public_key", "secret_key"] {
        let session = stage.session_with(&[(setting, "wrong")]).unwrap();
        let error = session.probe().await.unwrap_err();
        assert_eq!(error.advice, Advice::Reconnect);
        assert!(error.reason.contains("does not accept the key or the signature"), "{error}");
        assert!(error.help.unwrap().contains("check the public key and the secret"));
    }
    stage.running.faults.next([Fault::Expired]);
    assert_eq!(stage.session.probe().await.unwrap_err().advice, Advice::Reconnect);
}

#[tokio::test]
async fn the_secret_is_never_told() {
    let stage = Stage::empty().await;
    stage.shop.refuse_next(["500.40"]);
    let (outcome, exchanges) = crate::http::recorded(create(&stage)).await;
    let told = format!("{outcome:?} {}", serde_json::to_string(&exchanges).unwrap());
    assert!(!told.contains("sk_demo_secret"));
    assert!(told.contains("500.40"));
}

#[tokio::test]
async fn a_missing_right_is_named() {
    let stage = Stage::with(|options| options.forbidden = vec!["brands".to_owned()]).await;
    let error = fetch(&stage).await.unwrap_err();
    assert_eq!(error.advice, Advice::StopFlow);
    assert!(error.help.unwrap().contains("read brands"));
}

#[tokio::test]
async fn tampered_answers_are_refused() {
    let stage = Stage::empty().await;
    for change in
        [|options: &mut Options| options.signs_rightly = false, |options: &mut Options| options.signs = false]
    {
        stage.shop.configure(change);
        let error = fetch(&stage).await.unwrap_err();
        assert_eq!(error.advice, Advice::StopFlow);
        assert!(error.reason.contains("signature"), "{error}");
        assert_eq!(create(&stage).await.unwrap_err().advice, Advice::Unknown, "the record is there");
        let trusting = stage.session_with(&[("verify_answers", "no")]).unwrap();
        trusting.probe().await.unwrap();
    }
}

/// A server that answers everything with this text, signed or not.
async fn answering(body: &'static str, is_signed: bool) -> (Running, Arc<dyn Session>) {
    let router = axum::Router::new().fallback(move |request: axum::extract::Request| async move {
        let target = request.uri().path_and_query().unwrap().as_str().to_owned();
        let date = sign::date(jiff::Timestamp::now());
        let hash = Signed {
            public: "pk",
            method: request.method().as_str(),
            target: &target,
            body: body.as_bytes(),
            date: &date,
        }
        .hash("sk");
        let hash = if is_signed { hash } else { String::new() };
        ([("x-date", date), ("x-hash", hash)], body)
    });
    let running = serve(router, 0, Faults::default()).await.unwrap();
    let answers =
        [("address", running.url()), ("public_key", "pk".to_owned()), ("secret_key", "sk".to_owned())];
    let answers = answers.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    let session = CcvSalespos.connect(&answers, &limits().into()).unwrap();
    (running, session)
}

#[tokio::test]
async fn web_pages_and_half_answers_are_told_apart() {
    let (_server, session) = answering("<!doctype html><title>Inloggen</title><p>Log in", false).await;
    let error = session.probe().await.unwrap_err();
    assert_eq!(error.advice, Advice::StopFlow);
    assert!(error.reason.contains("a web page instead of data: Inloggen Log in"), "{error}");
    let (_server, session) = answering(r#"{"items":[{"id":1,"name":"Mok"#, false).await;
    let error = session.probe().await.unwrap_err();
    assert_eq!(error.advice, Advice::Retry(None));
    assert!(error.reason.contains("stops halfway"), "{error}");
    let (server, session) = answering(r#"{"items":[{"id":1,"name":"Mok"#, true).await;
    let error = session.probe().await.unwrap_err();
    assert_eq!((error.advice, server.requests()), (Advice::Retry(None), 1), "signed so: {error}");
    let (_server, session) = answering("[]", true).await;
    assert!(session.probe().await.unwrap_err().reason.contains("is a list, not a record"));
    let (_server, session) = answering(r#"{"items":[]}"#, true).await;
    assert!(session.probe().await.unwrap_err().reason.contains("belongs to no shop"));
}

#[tokio::test]
async fn a_create_without_an_answer_is_found_by_its_own() {
    let stage = Stage::filled().await;
    stage.shop.configure(|options| options.post_answer = PostAnswer::Empty);
    for (name, resource) in MANIFEST.resources.iter() {
        let Some(sample) = stage.shop.sample(name, 4) else { continue };
        let written = stage.session.create(name).unwrap().create(name, &sample, "key").await;
        let is_findable =
            resource.find.iter().any(|find| find.by.iter().all(|field| sample.get(field).is_some()));
        match written {
            Ok(written) => assert!(!written.key.is_empty(), "{name}"),
            Err(error) => {
                assert!(!is_findable && name != "categories", "{name}: {error}");
                assert_eq!(error.advice, Advice::Unknown, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn the_pace_keeps_within_the_limits() {
    let stage = Stage::with(|options| options.limits.reads = Some(40)).await;
    let session = stage.session_with(&[("reads_per_minute", "40")]).unwrap();
    for _ in 0..40 {
        session.probe().await.unwrap();
    }
    let more = tokio::time::timeout(Duration::from_millis(50), session.probe()).await;
    assert!(more.is_err(), "the next one waits for its minute");
    assert!(!stage.shop.calls().iter().any(|(name, count)| name == "GET webshops" && *count > 40));
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let stage = Stage::empty().await;
    assert!(stage.find("orders", &["id"], &["999"]).await.is_empty());
    assert!(stage.find("orders", &["id"], &["../users/1"]).await.is_empty(), "no key, no request");
    assert!(stage.find("products", &["sku"], &[""]).await.is_empty(), "nothing is not everything");
    assert!(stage.find("group_prices", &["group_id", "product_id"], &["999", "998"]).await.is_empty());
    assert!(stage.find("attribute_values", &["attribute_id", "name"], &["999", "L"]).await.is_empty());
    let page = stage.all("variants", request(&[("product_id", "999".into())], 50)).await;
    assert!(page.is_empty());
    let error = stage.update("products", "999", json!({"stock": 1})).await.unwrap_err();
    assert_eq!(error.advice, Advice::SkipRecord, "{error}");
}

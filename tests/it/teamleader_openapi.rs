//! Everything that goes to and comes from Teamleader obeys the vendor's own OpenAPI document,
//! in its strict form: a name that the real service would drop without a word is a violation.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use connectors::contract::{Connector, FetchRequest, Host, Limits, Session};
use connectors::manifest::Manifest;
use connectors::record::{Record, Value as Any, read_json};
use connectors::sign_in::Tokens;
use connectors::simulator::{Faults, Simulator, serve};
use connectors::teamleader::Teamleader;
use connectors::teamleader::simulator::Office;
use serde_json::json;
use tests::openapi::{Exchange, OpenApi, Tap};

use crate::vendors::{TEAMLEADER, violations};

/// Every page of everything, each record whole, and every way to find.
async fn read_and_find(session: &Arc<dyn Session>, manifest: &Manifest) {
    for (name, resource) in manifest.resources.iter() {
        let mut records = Vec::new();
        if let Some(fetch) = session.fetch(name) {
            let filters = resource.fetch.iter().flat_map(|fetch| &fetch.filters);
            let request = FetchRequest { resource: name.to_owned(), size: 9, ..FetchRequest::default() };
            let mut position = None::<String>;
            loop {
                let page = fetch.page(&request, position.as_deref()).await.unwrap();
                records.extend(page.records);
                position = page.next;
                if position.is_none() {
                    break;
                }
            }
            for field in filters {
                let Some(value) = records.iter().find_map(|record| record.get(field)) else { continue };
                let conditions = vec![(field.clone(), value.clone())];
                fetch.page(&FetchRequest { conditions, ..request.clone() }, None).await.unwrap();
            }
            for field in resource.fetch.iter().flat_map(|fetch| &fetch.since) {
                let since = records[0].get(field).map(|value| (field.clone(), value.clone()));
                fetch.page(&FetchRequest { since, ..request.clone() }, None).await.unwrap();
            }
        }
        if let Some(detail) = session.detail(name) {
            for record in records.iter_mut().take(3) {
                *record = detail.complete(name, record.clone()).await.unwrap();
            }
        }
        for find in &resource.find {
            let key = |record: &Record| find.by.iter().map(|field| record.get(field).cloned()).collect();
            let key: Option<Vec<Any>> = records.iter().find_map(key);
            let Some(key) = key else { continue };
            session.find(name).unwrap().find(name, &find.by, &[key]).await.unwrap();
        }
    }
}

/// Every create and update, and the steps that are updates too.
async fn write(session: &Arc<dyn Session>, office: &Office, manifest: &Manifest) {
    let mut keys = std::collections::BTreeMap::new();
    for (name, _) in manifest.resources.iter() {
        if let Some(create) = session.create(name) {
            let made = create.create(name, &office.sample(name, 5).unwrap(), "key").await.unwrap();
            keys.insert(name.to_owned(), made.key);
        }
        if let Some(update) = session.update(name) {
            update
                .update(name, &keys[name], &Simulator::change(office, name, 4).unwrap(), None)
                .await
                .unwrap();
        }
    }
    for (name, change) in [
        (
            "companies",
            json!({"custom_fields": {"Web shop number": "7", "Segments": ["Horeca"]}, "phone": null}),
        ),
        (
            "products",
            json!({"price_list_prices": [], "custom_fields": {"EAN": "5412345678908", "Weight": 2.5}}),
        ),
        ("products", json!({"vat_rate": 9, "unit_of_measure": "hour", "stock_minimum": 2})),
        ("deals", json!({"estimated_value": 90.5, "contact_person_id": null, "title": "Other"})),
        (
            "quotations",
            json!({"discounts": [{"percentage": 3, "description": "Loyalty"}], "status": "accepted"}),
        ),
        ("invoices", json!({"purchase_order_number": "P-1", "custom_fields": {"Web order": "P-1"}})),
        ("invoices", json!({"status": "outstanding"})),
    ] {
        session.update(name).unwrap().update(name, &keys[name], &record(&change), None).await.unwrap();
    }
    let payment =
        json!({"invoice_id": keys["invoices"], "paid_at": "2026-11-21T10:00:00+01:00", "amount": 3.5});
    session
        .create("invoice_payments")
        .unwrap()
        .create("invoice_payments", &record(&payment), "p")
        .await
        .unwrap();
}

/// What Teamleader says no to.
async fn refusals(session: &Arc<dyn Session>) {
    let nobody = "00000000-0000-4000-8000-0000000000ff";
    let product = record(&json!({"name": "x", "unit_of_measure_id": nobody}));
    assert!(session.create("products").unwrap().create("products", &product, "r").await.is_err());
    let change = record(&json!({"name": "x"}));
    assert!(session.update("companies").unwrap().update("companies", nobody, &change, None).await.is_err());
    let by = ["id".to_owned()];
    let found = session.find("deals").unwrap().find("deals", &by, &[vec![Any::from(nobody)]]).await.unwrap();
    assert!(found[0].is_empty());
}

fn record(value: &serde_json::Value) -> Record {
    match read_json(&value.to_string().into()).unwrap() {
        Any::Map(record) => record,
        other => panic!("{other} is no record"),
    }
}

fn problems(document: &OpenApi, exchanges: &[Exchange]) -> BTreeSet<String> {
    let api = exchanges.iter().filter(|exchange| !exchange.path.starts_with("/oauth2"));
    api.flat_map(|exchange| violations("teamleader", document, exchange)).collect()
}

#[tokio::test]
async fn everything_that_goes_to_and_comes_from_teamleader_is_described() {
    let Some(document) = OpenApi::load(TEAMLEADER, "") else { return };
    let (office, tap) = (Office::default(), Tap::default());
    office.fill();
    let running = serve(tap.on(office.router()), 0, Faults::default()).await.unwrap();
    let limits = Limits { timeout: Duration::from_secs(5), tries: 1, ..Limits::default() };
    let tokens = office.token().map(Tokens::starting_with).unwrap_or_default();
    let session = Teamleader.connect(&office.answers(&running.url()), &Host { limits, tokens }).unwrap();
    session.probe().await.unwrap();
    read_and_find(&session, Teamleader.manifest()).await;
    write(&session, &office, Teamleader.manifest()).await;
    refusals(&session).await;
    let exchanges = tap.take();
    assert_eq!(problems(&document, &exchanges), BTreeSet::new());
    let actions: BTreeSet<_> = exchanges.iter().map(|exchange| exchange.path.as_str()).collect();
    assert!(actions.len() >= 40, "{actions:?}");
}

#[test]
fn the_check_refuses_what_the_document_refuses() {
    let Some(document) = OpenApi::load(TEAMLEADER, "") else { return };
    let json_type = || Some("application/json".to_owned());
    let exchange = |path: &str, request: &str, status: u16, reply: &str| Exchange {
        method: "POST".to_owned(),
        path: path.to_owned(),
        query: String::new(),
        request_type: json_type(),
        request: request.to_owned().into(),
        status,
        reply_type: json_type(),
        reply: reply.to_owned().into(),
    };
    let made = r#"{"data":{"type":"company","id":"4784189d-610b-4488-b3a5-5f324f752417"}}"#;
    let good = exchange("/companies.add", r#"{"name":"x"}"#, 201, made);
    assert_eq!(document.check(&good), Vec::<String>::new());
    for bad in [
        exchange("/companies.add", r#"{"name":"x","nmae":"y"}"#, 201, made),
        exchange("/companies.add", r#"{"vat_number":"x"}"#, 201, made),
        exchange("/companies.add", r#"{"name":7}"#, 201, made),
        exchange("/companies.add", r#"{"name":"x","emails":[{"type":"work","email":"a"}]}"#, 201, made),
        exchange("/companies.add", r#"{"name":"x"}"#, 200, made),
        exchange("/companies.add", r#"{"name":"x"}"#, 201, "{}"),
        exchange("/companies.add", r#"{"name":"x"}"#, 400, "{}"),
        exchange("/companies.list", r#"{"filter":{"name":"x"}}"#, 200, r#"{"data":[]}"#),
        exchange("/companies.list", r#"{"include":"custom_fields"}"#, 200, r#"{"data":[]}"#),
        exchange("/companies.list", "{}", 200, r#"{"data":[{"name":7}]}"#),
        exchange("/companies.invent", "{}", 200, "{}"),
    ] {
        assert!(!document.check(&bad).is_empty(), "{bad:?}");
    }
}

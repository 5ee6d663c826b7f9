//! Everything that goes to and comes from eAccounting fits the vendor's own description of it.

use std::collections::BTreeSet;

use connectors::contract::{Connector, FetchRequest, Host, Limits, Session};
use connectors::eaccounting::simulator::{Company, Options};
use connectors::eaccounting::{EAccounting, Form, MANIFEST, entities};
use connectors::record::{Record, Value as Any, read_json};
use connectors::sign_in::Tokens;
use connectors::simulator::{Faults, Simulator, serve};
use serde_json::{Value, json};
use std::sync::Arc;
use tests::openapi::{OpenApi, Tap};

use crate::vendors::{EACCOUNTING, violations};

fn record(value: &Value) -> Record {
    match read_json(&value.to_string().into()) {
        Ok(Any::Map(map)) => map,
        other => panic!("no record: {other:?}"),
    }
}

async fn read_and_find(session: &Arc<dyn Session>) {
    for (name, resource) in MANIFEST.resources.iter() {
        let Some(fetch) = session.fetch(name) else { continue };
        let request = FetchRequest { resource: name.to_owned(), size: 20, ..FetchRequest::default() };
        let (mut records, mut position) = (Vec::new(), None::<String>);
        loop {
            let page = fetch.page(&request, position.as_deref()).await.unwrap();
            records.extend(page.records);
            position = page.next;
            if position.is_none() {
                break;
            }
        }
        for since in resource.fetch.iter().flat_map(|fetch| &fetch.since) {
            let since = Some((since.clone(), records[3].get(since).cloned().unwrap()));
            fetch.page(&FetchRequest { since, ..request.clone() }, None).await.unwrap();
        }
        for filter in resource.fetch.iter().flat_map(|fetch| &fetch.filters) {
            let conditions = vec![(filter.clone(), records[0].get(filter).cloned().unwrap())];
            fetch.page(&FetchRequest { conditions, ..request.clone() }, None).await.unwrap();
        }
        for find in &resource.find {
            let keys =
                records.iter().find_map(|one| find.by.iter().map(|field| one.get(field).cloned()).collect());
            if let Some(keys) = keys {
                session.find(name).unwrap().find(name, &find.by, &[keys]).await.unwrap();
            }
        }
    }
}

async fn write(session: &Arc<dyn Session>, company: &Company) {
    for (name, resource) in MANIFEST.resources.iter() {
        if let Some(create) = session.create(name) {
            create.create(name, &company.sample(name, 5).unwrap(), "key").await.unwrap();
        }
        if let Some(update) = session.update(name) {
            let request = FetchRequest { resource: name.to_owned(), size: 9, ..FetchRequest::default() };
            let page = session.fetch(name).unwrap().page(&request, None).await.unwrap();
            let key = page.records[0].text(&resource.key).unwrap();
            let change = Simulator::change(company, name, 4).unwrap();
            update.update(name, key, &change, None).await.unwrap();
        }
    }
    let order = company.rows("orders")[0]["Id"].as_str().unwrap().to_owned();
    for status in ["shipped", "ongoing", "invoiced"] {
        let change = record(&json!({"status": status}));
        session.update("orders").unwrap().update("orders", &order, &change, None).await.unwrap();
    }
    for (at, status) in [(1, "approved"), (2, "order_created"), (3, "invoiced")] {
        let quote = company.rows("quotes")[at]["Id"].as_str().unwrap().to_owned();
        let change = record(&json!({"status": status}));
        session.update("quotes").unwrap().update("quotes", &quote, &change, None).await.unwrap();
    }
    let draft = company.rows("customerinvoicedrafts").remove(0);
    let book = record(
        &json!({"customer_id": draft["CustomerId"], "created_from_draft_id": draft["Id"], "total_incl": draft["TotalAmount"]}),
    );
    session.create("invoices").unwrap().create("invoices", &book, "key").await.unwrap();
}

/// What the service says no to.
async fn refusals(session: &Arc<dyn Session>, company: &Company) {
    let nobody = "11111111-1111-4111-8111-111111111111";
    for (name, body) in [
        ("customers", json!({"name": "x"})),
        (
            "articles",
            json!({"number": company.rows("articles")[0]["Number"], "name": "x", "is_active": true, "coding_id": nobody, "unit_id": nobody}),
        ),
        ("orders", json!({"customer_id": nobody, "lines": [{"text": "x"}]})),
        ("invoices", json!({"customer_id": nobody, "created_from_draft_id": nobody})),
    ] {
        assert!(
            session.create(name).unwrap().create(name, &record(&body), "refused").await.is_err(),
            "{name}"
        );
    }
    for name in ["customers", "articles", "orders", "quotes", "invoice_drafts"] {
        let change = Simulator::change(company, name, 1).unwrap();
        assert!(session.update(name).unwrap().update(name, nobody, &change, None).await.is_err(), "{name}");
    }
    company.expire_tokens();
    session.probe().await.unwrap();
}

#[tokio::test]
async fn everything_that_goes_over_the_wire_fits_the_description() {
    let Some(document) = OpenApi::load(EACCOUNTING, "/v2") else { return };
    let company = Company::new(Options { calls_per_minute: None, ..Options::default() });
    company.fill();
    let tap = Tap::default();
    let running = serve(tap.on(company.router()), 0, Faults::default()).await.unwrap();
    let host = Host {
        limits: Limits { tries: 1, ..Limits::default() },
        tokens: Tokens::starting_with(company.token().unwrap()),
    };
    let session = EAccounting.connect(&company.answers(&running.url()), &host).unwrap();
    session.probe().await.unwrap();
    read_and_find(&session).await;
    write(&session, &company).await;
    refusals(&session, &company).await;

    let exchanges = tap.take();
    let (mut problems, mut seen) = (Vec::new(), BTreeSet::new());
    for exchange in exchanges.iter().filter(|one| one.path.starts_with("/v2")) {
        // What was refused was meant to be wrong; the refusal itself has to fit.
        let is_refused = |problem: &str| exchange.status >= 400 && problem.contains(": request :");
        let found = violations("eaccounting", &document, exchange).into_iter();
        problems.extend(found.filter(|problem| !is_refused(problem)));
        if let Some((template, _)) = document.operation(&exchange.method, &exchange.path) {
            seen.insert(format!("{} {template}", exchange.method));
        }
    }
    problems.sort();
    problems.dedup();
    assert!(
        problems.is_empty(),
        "{} problems\n{}",
        problems.len(),
        problems.iter().take(40).cloned().collect::<Vec<_>>().join("\n")
    );
    assert!(seen.len() >= 60, "{} operations: {seen:?}", seen.len());
}

#[test]
fn our_list_of_members_is_the_vendors() {
    let Some(text) = tests::specs::text(EACCOUNTING) else { return };
    let document: Value = serde_json::from_str(&text).unwrap();
    let schemas = document["components"]["schemas"].clone();
    for (name, entity) in entities() {
        let schema = &schemas[*name];
        let properties =
            schema["properties"].as_object().unwrap_or_else(|| panic!("{name} is not described"));
        let ours: BTreeSet<&str> = entity.members.iter().map(|member| member.name).collect();
        let theirs: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
        assert_eq!(ours, theirs, "{name}");
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        for member in &entity.members {
            let property = &properties[member.name];
            let place = format!("{name}.{}", member.name);
            assert_eq!(member.read, property["readOnly"] == true, "{place}");
            assert_eq!(member.must, required.contains(&member.name), "{place}");
            if member.form == Form::Text {
                assert_eq!(member.most.map(|most| most as u64), property["maxLength"].as_u64(), "{place}");
            }
        }
    }
}

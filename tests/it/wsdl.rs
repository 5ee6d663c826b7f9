//! Everything that goes to and comes from a MplusKASSA till obeys the vendor's own schema.
//! Whole flows are held against the same schema in `vendors.rs`.

pub(crate) mod schema;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use connectors::contract::{Connector, FetchRequest, Limits, Session};
use connectors::mpluskassa::simulator::{TillSimulator, operations, outlines, specimens};
use connectors::mpluskassa::{MANIFEST, MplusKassa};
use connectors::record::{Record, Value, read_json};
use connectors::simulator::{Faults, Simulator, serve};
use schema::{Node, Schema, nodes};
use tests::openapi::Exchange;

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";

/// The vendor's schema, where it is at hand.
pub(crate) fn schema() -> Option<Schema> {
    tests::specs::text("mplusqapi.wsdl").map(|text| Schema::of_wsdl(&text))
}

/// The one element in the body of an envelope.
fn body(envelope: &str) -> Node {
    let mut envelope = nodes(envelope);
    assert_eq!((envelope.space.as_str(), envelope.name.as_str()), (SOAP, "Envelope"));
    let mut body = envelope.children.pop().unwrap();
    assert_eq!((body.space.as_str(), body.name.as_str()), (SOAP, "Body"));
    assert_eq!(body.children.len(), 1);
    body.children.remove(0)
}

fn check(schema: &Schema, operation: &str, is_reply: bool, envelope: &str) {
    let body = body(envelope);
    let (request, reply) = &schema.operations[operation];
    assert_eq!(&body.name, if is_reply { reply } else { request }, "{operation}");
    if let Err(error) = schema.check(&body) {
        panic!("{operation}: {error}\n{envelope}");
    }
}

/// What is wrong with what was asked and answered once, if anything.
pub(crate) fn problem(schema: &Schema, exchange: &Exchange) -> Option<String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let asked = body(&text(&exchange.request));
    let Some((operation, (_, reply))) = schema.operations.iter().find(|(_, (name, _))| *name == asked.name)
    else {
        return Some(format!("{}: no such operation", asked.name));
    };
    if let Err(error) = schema.check(&asked) {
        return Some(format!("{operation}, request: {error}"));
    }
    let answered = body(&text(&exchange.reply));
    if (answered.space.as_str(), answered.name.as_str()) == (SOAP, "Fault") {
        return None;
    }
    if answered.name != *reply {
        return Some(format!("{operation} is answered by {}", answered.name));
    }
    schema.check(&answered).err().map(|error| format!("{operation}, reply: {error}"))
}

#[test]
fn every_body_that_we_can_build_is_valid() {
    let Some(schema) = schema() else { return };
    let specimens = specimens();
    for specimen in &specimens {
        check(&schema, specimen.operation, specimen.is_reply, &specimen.body);
    }
    let covered: BTreeSet<_> =
        specimens.iter().map(|specimen| (specimen.operation, specimen.is_reply)).collect();
    assert_eq!(covered.len(), operations().len() * 2, "a request and a reply of each");
}

#[test]
fn our_tables_know_the_schemas_names_in_its_order() {
    let Some(schema) = schema() else { return };
    for (path, ours) in outlines() {
        let theirs = schema.parts_at(&path).unwrap_or_else(|| panic!("{path} is not in the schema"));
        let mut rest = theirs.iter();
        for name in &ours {
            assert!(
                rest.any(|part| part.name == *name),
                "{path}: `{name}` is not there, or not in that place"
            );
        }
    }
}

#[test]
fn the_check_refuses_what_the_schema_refuses() {
    let Some(schema) = schema() else { return };
    let specimens = specimens();
    let order = specimens.iter().rfind(|one| one.operation == "createOrderV3" && !one.is_reply).unwrap();
    let good = &order.body;
    for (from, to) in [
        ("ns:orderId", "ns:orderIdentity"),
        ("<ns:orderId>Text &amp; &lt;more&gt;</ns:orderId>", ""),
        ("ORDER-TYPE-", "ORDER-KIND-"),
        ("<ns:amount>1995<", "<ns:amount>19.95<"),
        ("<ns:quantity>53<", "<ns:quantity><"),
        ("<ns:prepay>true</ns:prepay>", "<ns:prepay>yes</ns:prepay>"),
        ("xmlns:ns=\"urn:mplusqapi\"", "xmlns:ns=\"urn:other\""),
        ("<ns:day>21</ns:day><ns:mon>11</ns:mon>", "<ns:mon>11</ns:mon><ns:day>21</ns:day>"),
        ("<ns:order>", "<ns:order x='1'>"),
        ("</ns:lineList>", "text</ns:lineList>"),
        ("</ns:request>", "</ns:request><ns:request/>"),
    ] {
        assert!(good.contains(from), "{from}");
        assert!(schema.check(&body(&good.replace(from, to))).is_err(), "{from} → {to}");
    }
}

#[tokio::test]
async fn everything_that_really_goes_over_the_wire_is_valid() {
    let Some(schema) = schema() else { return };
    let till = TillSimulator::new();
    till.fill();
    till.record();
    let running = serve(till.router(), 0, Faults::default()).await.unwrap();
    let limits = Limits { timeout: Duration::from_secs(5), tries: 1, ..Limits::default() };
    let session = MplusKassa.connect(&till.answers(&running.url()), &limits.into()).unwrap();
    session.probe().await.unwrap();
    read_and_find(&session).await;
    write(&session, &till).await;
    refusals(&session, &till).await;
    till.forget_operation("createOrderV3");
    let order = till.sample("orders", 77).unwrap();
    session.create("orders").unwrap().create("orders", &order, "old").await.unwrap();

    let recorded = till.recorded();
    let mut seen = BTreeSet::new();
    for exchange in &recorded {
        check(&schema, &exchange.operation, false, &exchange.request);
        if !exchange.reply.contains(":Fault>") {
            check(&schema, &exchange.operation, true, &exchange.reply);
            seen.insert(exchange.operation.as_str());
        }
    }
    let missing: Vec<_> = operations().into_iter().filter(|name| !seen.contains(name)).collect();
    assert!(missing.is_empty(), "never answered: {missing:?}");
}

/// Every page of everything, and every way to find.
async fn read_and_find(session: &Arc<dyn Session>) {
    for (name, resource) in MANIFEST.resources.iter() {
        let Some(fetch) = session.fetch(name) else { continue };
        let request = FetchRequest { resource: name.to_owned(), size: 9, ..FetchRequest::default() };
        let (mut records, mut position) = (Vec::new(), None::<String>);
        loop {
            let page = fetch.page(&request, position.as_deref()).await.unwrap();
            records.extend(page.records);
            position = page.next;
            if position.is_none() {
                break;
            }
        }
        for find in &resource.find {
            let key =
                find.by.iter().map(|field| records[0].get(field).cloned().unwrap_or_default()).collect();
            session.find(name).unwrap().find(name, &find.by, &[key]).await.unwrap();
        }
    }
}

/// Every create and update.
async fn write(session: &Arc<dyn Session>, till: &TillSimulator) {
    for (name, resource) in MANIFEST.resources.iter() {
        if let Some(create) = session.create(name) {
            create.create(name, &till.sample(name, 5).unwrap(), &format!("key of {name}")).await.unwrap();
        }
        if let Some(update) = session.update(name) {
            let request = FetchRequest { resource: name.to_owned(), size: 9, ..FetchRequest::default() };
            let page = session.fetch(name).unwrap().page(&request, None).await.unwrap();
            let key = page.records[0].text(&resource.key).unwrap();
            update.update(name, key, &till.change(name, 4).unwrap(), None).await.unwrap();
        }
    }
    let order = till.orders().remove(3).text("order_id").unwrap().to_owned();
    let change = json(r#"{"cancel_state":"complete","lines":[{"article_number":"200001","quantity":0.53}]}"#);
    session.update("orders").unwrap().update("orders", &order, &change, None).await.unwrap();
}

/// What the till says no to.
async fn refusals(session: &Arc<dyn Session>, till: &TillSimulator) {
    let taken = till.orders().remove(0).text("ext_order_id").unwrap().to_owned();
    let line = r#""lines":[{"article_number":"200001","quantity":1}]"#;
    let creates = [
        ("products", r#"{"product_number":"1001"}"#.to_owned()),
        ("products", r#"{"articles":[{"turnover_group":"1000"}]}"#.to_owned()),
        ("articles", r#"{"article_number":"200001"}"#.to_owned()),
        ("articles", r#"{"product_number":"1004","article_number":"200001"}"#.to_owned()),
        ("articles", r#"{"product_number":"9999"}"#.to_owned()),
        ("article_groups", r#"{"name":"x","parent_group_number":"999"}"#.to_owned()),
        ("article_group_products", r#"{"group_number":"999","product_number":"1001"}"#.to_owned()),
        ("relations", r#"{"relation_number":"1","name":"x"}"#.to_owned()),
        ("orders", format!(r#"{{"ext_order_id":"R1","relation_number":"9999",{line}}}"#)),
        (
            "orders",
            format!(
                r#"{{"ext_order_id":"R2","relation_number":"1",{line},"payments":[{{"method":"X","amount":1}}]}}"#
            ),
        ),
        ("order_payments", r#"{"order_id":"none","method":"PIN","amount":1}"#.to_owned()),
        ("invoices", format!(r#"{{"ext_invoice_id":"R3","relation_number":"9999",{line}}}"#)),
        ("invoice_payments", r#"{"invoice_id":"none","method":"PIN","amount":1}"#.to_owned()),
    ];
    for (name, record) in creates {
        let answer = session.create(name).unwrap().create(name, &json(&record), "refused").await;
        assert!(answer.is_err(), "{name}: {record}");
    }
    let again = format!(r#"{{"ext_order_id":"{taken}","relation_number":"1",{line}}}"#);
    session.create("orders").unwrap().create("orders", &json(&again), "again").await.unwrap();
    for (name, key) in [
        ("products", "9999"),
        ("articles", "9999"),
        ("article_groups", "9999"),
        ("stock", "99:200001"),
        ("stock", "1:999"),
        ("relations", "9999"),
        ("orders", "none"),
    ] {
        let change = till.change(name, 1).unwrap();
        assert!(
            session.update(name).unwrap().update(name, key, &change, None).await.is_err(),
            "{name} {key}"
        );
    }
}

fn json(text: &str) -> Record {
    match read_json(&text.as_bytes().to_vec().into()).unwrap() {
        Value::Map(record) => record,
        other => panic!("{other} is no record"),
    }
}

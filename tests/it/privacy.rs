//! What is kept of people: less where the project says so, nothing once they are forgotten, and
//! never a record twice for it.

use std::path::Path;

use connectors::contract::Advice;
use engine::person::{export, forget, records_of};
use engine::project::Privacy;
use engine::run::Take;
use tests::toy::Trouble;
use tests::world::{LEDGER, SHOP, World, counts};

const FLOW: &str = r#"
fetch order from shop.orders since changed_at
lookup known in ledger.customers by email = order.email
fail `${order.email} has no name` if order.name == ()
upsert customer in ledger.customers by email {
    email = order.email
    name  = order.name
}
create booked in ledger.orders {
    reference = order.number
    note      = `for ${order.name}, ${order.email}`
    total     = order.total
}
notify `booked for ${order.name}` if order.total > 100
"#;

const PEOPLE: [&str; 4] = ["sanne@example.org", "Sanne de Boer", "jo@example.org", "4711.25"];

fn order(number: u32, email: &str, name: &str, total: &str) -> String {
    format!(
        r#"{{"number":"{number}","changed_at":"2026-03-{:02}T10:00:00Z","status":"paid","email":"{email}","name":{name},"total":{total}}}"#,
        number % 28 + 1
    )
}

async fn world() -> World {
    let find = r#"fetch = { since = ["changed_at"] }
find = [{ by = ["number"], unique = true }]"#;
    let with = r#"fetch = { since = ["changed_at"], filters = ["status"], detail = ["lines"] }"#;
    let world = World::with(FLOW, &SHOP.replace(with, find), LEDGER).await;
    world.shop.put("orders", &order(1, PEOPLE[0], r#""Sanne de Boer""#, "4711.25"));
    world.shop.put("orders", &order(2, PEOPLE[2], "null", "1"));
    world.shop.put("orders", &order(3, "kim@example.org", r#""Kim""#, "1"));
    world
}

fn mask(world: &mut World, fields: &[&str]) {
    let mask = fields.iter().map(|field| (*field).to_owned()).collect();
    world.project().privacy = Privacy { mask, ..Privacy::default() };
}

/// The bytes of the store, the log beside it included.
fn bytes(folder: &Path) -> Vec<u8> {
    let names = ["store.db", "store.db-wal"];
    names.iter().flat_map(|name| std::fs::read(folder.join(name)).unwrap_or_default()).collect()
}

fn has(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part.eq_ignore_ascii_case(text.as_bytes()))
}

/// All that the store says of some records.
async fn told(world: &mut World, keys: &[&str]) -> String {
    let records: Vec<_> = keys.iter().map(|key| ("flow".to_owned(), (*key).to_owned())).collect();
    let store = std::sync::Arc::clone(&world.store);
    export(world.project(), &*store, "", &records).await.unwrap().to_string()
}

#[tokio::test]
async fn masked_fields_are_nowhere_in_the_store() {
    let mut world = world().await;
    mask(&mut world, &["email", "name", "total"]);
    assert_eq!(counts(&world.run().await.0), "2 created, 1 failed");
    world.store.upkeep().await.unwrap();
    // What is deflated shows no text: what it says is looked at too, dead letters excepted,
    // which are sealed.
    let history = world.store.record_history("flow", "1", 9).await.unwrap();
    let detail = String::from_utf8(history[0].detail.clone().unwrap()).unwrap();
    let payload = String::from_utf8(history[0].payload.clone().unwrap()).unwrap();
    assert!(detail.contains("create orders") && detail.contains("•••"), "{detail}");
    assert!(payload.contains(r#""email":"•••""#) && payload.contains(r#""number":"1""#), "{payload}");
    let letter = world.store.dead_letter("flow", "2").await.unwrap().unwrap();
    assert_eq!(letter.reason, "••• has no name");
    let file = bytes(world.root());
    for text in PEOPLE {
        assert!(!has(&file, text) && !detail.contains(text) && !payload.contains(text), "{text}");
        assert!(!has(&letter.payload, text), "{text}");
    }
    for person in [PEOPLE[0], PEOPLE[2]] {
        assert_eq!(records_of(&*world.store, person).await.unwrap().len(), 1, "who knows it finds it");
    }
}

#[tokio::test]
async fn what_ends_a_run_names_nobody_where_something_is_masked() {
    let said = "the customer sanne@example.org (0612345678) is on the list";
    for (masked, kept) in [(&["email"][..], "Ledger: the customer … … is on the list"), (&[], said)] {
        let mut world = world().await;
        mask(&mut world, masked);
        world.ledger.says(said);
        world.ledger.trouble(Trouble { call: "create", advice: Advice::StopFlow, applied: false });
        let (report, _) = world.run().await;
        let run = world.store.run(&report.run).await.unwrap().unwrap();
        for text in [run.error.unwrap(), report.error.unwrap().to_string()] {
            assert!(text.contains(kept), "{text}");
        }
    }
}

#[tokio::test]
async fn a_masked_record_is_tried_again_whole() {
    let mut world = world().await;
    mask(&mut world, &["email", "name"]);
    world.run().await;
    let named = FLOW
        .replace("fail `${order.email} has no name` if order.name == ()", "")
        .replace("order.name", "order.email");
    world.flow(&named);
    assert_eq!(counts(&world.replay(&["2"], Take::AsRead).await.0), "1 created");
    let booked = world.ledger.book("orders");
    assert!(booked[2].contains("for jo@example.org, jo@example.org"), "{booked:?}");
}

// shows R91
#[tokio::test]
async fn payloads_are_kept_only_where_they_may_be() {
    let mut world = world().await;
    world.project().privacy = Privacy { payloads: false, ..Privacy::default() };
    assert_eq!(counts(&world.run().await.0), "2 created, 1 failed");
    let history = world.store.record_history("flow", "1", 9).await.unwrap();
    assert_eq!(history[0].payload, None);
    let detail = String::from_utf8(history[0].detail.clone().unwrap()).unwrap();
    assert!(detail.contains(r#""did":"created""#) && !detail.contains("sanne@"), "{detail}");
    assert_eq!(counts(&world.replay(&["2"], Take::AsRead).await.0), "1 failed", "it can be tried again");
    assert!(told(&mut world, &["2"]).await.contains(r#""email":"jo@example.org""#));
}

#[tokio::test]
async fn a_record_that_was_sealed_is_told_when_the_key_is_gone() {
    let mut world = world().await;
    mask(&mut world, &["email"]);
    world.run().await;
    std::fs::remove_file(world.root().join(".weft/key")).unwrap();
    let vault = engine::vault::Vault::of(world.root());
    vault.attach(&world.store);
    world.project().vault = vault;
    let (report, _) = world.replay(&["2"], Take::AsRead).await;
    let error = report.error.as_ref().expect("the run stops");
    assert!(error.reason.contains("sealed with key"), "{error}");
    assert_eq!(counts(&report), "");
}

// shows R91
#[tokio::test]
async fn a_person_is_forgotten_in_file_and_log_and_nothing_is_created_twice() {
    let mut world = world().await;
    assert_eq!(counts(&world.run().await.0), "2 created, 1 failed");
    let store = std::sync::Arc::clone(&world.store);
    assert!(has(&bytes(world.root()), PEOPLE[0]));
    assert!(told(&mut world, &["1"]).await.contains("Sanne de Boer"));
    for person in [PEOPLE[0], PEOPLE[2]] {
        let records = records_of(&*store, person).await.unwrap();
        assert_eq!(records.len(), 1);
        let (receipt, left) = forget(world.project(), &*store, person, &records, "bo").await.unwrap();
        assert!(receipt.is_of(person) && left.copies.is_empty() && left.running.is_empty());
        assert_eq!(records_of(&*store, person).await.unwrap(), []);
    }
    let file = bytes(world.root());
    for text in PEOPLE {
        assert!(!has(&file, text), "{text} is still there");
    }
    assert!(has(&file, "kim@example.org"));
    // The same records again, unchanged: nothing is sent, and nothing is kept of the one that is
    // settled.
    let (report, _) = world.run_with(true).await.unwrap();
    assert!(!counts(&report).contains("created"), "{}", counts(&report));
    assert_eq!(world.ledger.book("orders").len(), 2);
    // Changed in the source: it is known again, and is not created again.
    world.shop.put("orders", &order(1, PEOPLE[0], r#""Sanne Visser""#, "4711.25"));
    world.run_with(true).await.unwrap();
    assert_eq!((world.ledger.book("orders").len(), world.ledger.book("customers").len()), (2, 2));
}

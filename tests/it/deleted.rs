//! Records that the source has deleted: what was made of them is switched off where the flow says
//! so, nothing is made of them any more, and nothing is guessed.

use connectors::contract::Advice;
use engine::store::{Addressee, Arrival, HistoryRow, RunState};
use tests::toy::Trouble;
use tests::world::{LEDGER, SHOP, World, counts};

const FLOW: &str = "flow";

const ITEMS: &str = r#"
on webhook shop "orders.updated"
on webhook shop "orders.deleted"
setting note: text = "gone"
fetch order from shop.orders since changed_at
filter order.status == "paid"
upsert item in ledger.items by code {
    code  = order.number
    price = order.total
    name  = "kept"
    text  = settings.note on delete
    price = 0             on delete when settings.note != "leave"
}
"#;

/// A shop that tells what it deletes, and finds orders by their number.
fn shop() -> String {
    let head = "about = \"A shop in memory.\"\nevents = [\"orders.updated\", \"orders.deleted\"]\n";
    let found = "find = [{ by = [\"number\"], batch = 2, unique = true }]\ndeleted = { event = \"orders.deleted\" }\n\n[resources.orders.fields]";
    SHOP.replace("about = \"A shop in memory.\"\n", head).replace("\n[resources.orders.fields]", found)
}

/// A shop that marks what it deletes.
fn marking_shop() -> String {
    let marked = "marker = { type = \"integer\", about = \"Rises with each change\" }\nis_deleted = { type = \"boolean\", about = \"Is gone\" }";
    SHOP.replace("marker = { type = \"integer\", about = \"Rises with each change\" }", marked)
        .replace("key = \"sku\"\n", "key = \"sku\"\ndeleted = { field = \"is_deleted\" }\n")
}

fn order(number: u32) -> String {
    format!(
        r#"{{"number":"{number}","changed_at":"2026-03-{number:02}T10:00:00Z","status":"paid","total":10,"lines":[]}}"#
    )
}

async fn world(flow: &str) -> World {
    let world = World::with(flow, &shop(), LEDGER).await;
    for number in 1..=3 {
        world.shop.put("orders", &order(number));
    }
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "3 created");
    world.shop.calls();
    world.ledger.calls();
    world
}

async fn tell(world: &World, event: &str, number: u32) {
    let arrival = Arrival {
        connection: "shop".to_owned(),
        event: event.to_owned(),
        record: Some(("orders".to_owned(), number.to_string())),
        id: None,
    };
    world.store.arrive(&arrival, &[Addressee { flow: FLOW, knows_record: true }]).await.unwrap();
}

async fn delete(world: &World, number: u32) {
    world.shop.take_away("orders", &number.to_string());
    tell(world, "orders.deleted", number).await;
}

async fn last(world: &World, key: &str) -> HistoryRow {
    world.store.record_history(FLOW, key, 1).await.unwrap().into_iter().next().unwrap()
}

#[tokio::test]
async fn what_was_made_of_a_deleted_record_is_written_as_the_flow_says() {
    let world = world(ITEMS).await;
    delete(&world, 2).await;
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 updated, 1 unchanged");
    assert_eq!(world.ledger.writes(), [r#"update items 2 {"text":"gone","price":0}"#]);
    let row = last(&world, "2").await;
    let payload = String::from_utf8(row.payload.unwrap()).unwrap();
    assert_eq!(payload, r#"{"number":"2","!deleted":true}"#);
    // Told again, it is known.
    tell(&world, "orders.deleted", 2).await;
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "2 unchanged");
    assert_eq!(world.ledger.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_record_that_comes_back_is_carried_as_ever() {
    let world = world(ITEMS).await;
    delete(&world, 3).await;
    world.run().await;
    world.ledger.calls();
    world.shop.put("orders", &order(3));
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 updated");
    assert_eq!(world.ledger.writes(), [r#"update items 3 {"price":10}"#]);
}

#[tokio::test]
async fn a_condition_decides_by_the_settings() {
    let world = world(&ITEMS.replace("\"gone\"", "\"leave\"")).await;
    delete(&world, 1).await;
    world.run().await;
    assert_eq!(world.ledger.writes(), [r#"update items 1 {"text":"leave"}"#]);
}

#[tokio::test]
async fn news_of_a_deletion_is_believed_only_when_the_source_has_no_such_record() {
    let world = world(ITEMS).await;
    tell(&world, "orders.deleted", 2).await;
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "2 unchanged");
    // Nor is a record deleted because it cannot be found: that must be said.
    world.shop.take_away("orders", "1");
    tell(&world, "orders.updated", 1).await;
    world.run().await;
    assert_eq!(world.ledger.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn of_a_record_that_was_never_carried_nothing_is_made_and_nothing_kept() {
    let world = world(ITEMS).await;
    tell(&world, "orders.deleted", 77).await;
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 unchanged, 1 skipped");
    assert_eq!(world.ledger.writes(), Vec::<String>::new());
    assert!(world.store.record_history(FLOW, "77", 1).await.unwrap().is_empty());
}

#[tokio::test]
async fn without_such_lines_the_flow_leaves_it_be_and_says_why() {
    let lines: Vec<&str> = ITEMS.lines().filter(|line| !line.contains("on delete")).collect();
    let world = world(&lines.join("\n")).await;
    delete(&world, 2).await;
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 unchanged, 1 skipped");
    assert_eq!(world.ledger.writes(), Vec::<String>::new());
    assert_eq!(last(&world, "2").await.reason.as_deref(), Some("it was deleted in Shop"));
}

#[tokio::test]
async fn what_is_gone_from_the_target_as_well_needs_no_word() {
    let world = world(ITEMS).await;
    world.ledger.take_away("items", "2");
    delete(&world, 2).await;
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "2 unchanged");
    assert_eq!(world.ledger.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_target_that_is_away_is_told_later() {
    let world = world(ITEMS).await;
    delete(&world, 2).await;
    world.ledger.trouble(Trouble { call: "update", advice: Advice::Retry(None), applied: false });
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 unchanged, 1 waiting");
    world.ledger.calls();
    let (report, _) = world.replay(&["2"], engine::run::Take::Best).await;
    assert_eq!(counts(&report), "1 updated");
    assert_eq!(world.ledger.writes(), [r#"update items 2 {"text":"gone","price":0}"#]);
}

#[tokio::test]
async fn every_item_of_a_list_is_told() {
    let flow = r#"
on webhook shop "orders.deleted"
fetch order from shop.orders since changed_at
each line in order.lines {
    create sent in ledger.orders {
        reference = `${order.number}-${line.sku}`
        note      = "cancelled" on delete
    }
}
"#;
    let world = World::with(flow, &shop(), LEDGER).await;
    world.shop.put(
        "orders",
        r#"{"number":"1","changed_at":"2026-03-01T10:00:00Z","lines":[{"sku":"a"},{"sku":"b"}]}"#,
    );
    world.run().await;
    world.ledger.calls();
    delete(&world, 1).await;
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 updated");
    let mut writes = world.ledger.writes();
    writes.sort();
    assert_eq!(writes.len(), 2, "{writes:?}");
    assert!(writes.iter().all(|write| write.ends_with(r#"{"note":"cancelled"}"#)), "{writes:?}");
}

#[tokio::test]
async fn a_create_in_doubt_is_not_guessed_about() {
    let flow = r#"
on webhook shop "orders.deleted"
fetch order from shop.orders since changed_at
create sent in ledger.orders {
    reference = order.number
    note      = "cancelled" on delete
}
"#;
    let world = World::with(flow, &shop(), LEDGER).await;
    world.shop.put("orders", &order(1));
    for _ in 0..4 {
        world.ledger.trouble(Trouble { call: "create", advice: Advice::Unknown, applied: false });
    }
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 waiting");
    world.ledger.calls();
    delete(&world, 1).await;
    let (report, refused) = world.run().await;
    assert_eq!((counts(&report).as_str(), report.state), ("1 failed", RunState::Partial));
    assert_eq!(
        refused,
        [
            "1: it was deleted in Shop while it was on its way, and it is not known whether orders was made of it; look in Ledger by hand, then drop the record"
        ]
    );
    assert_eq!(world.ledger.writes(), Vec::<String>::new());
}

const PRODUCTS: &str = r#"
fetch product from shop.products since marker
filter product.price > 0
upsert item in ledger.items by code {
    code = product.sku
    name = product.name
    text = "no longer sold" on delete
}
"#;

#[tokio::test]
async fn a_record_that_is_marked_as_deleted_is_told_whatever_filters_say() {
    let world = World::with(PRODUCTS, &marking_shop(), LEDGER).await;
    world.shop.put("products", r#"{"sku":"A","marker":1,"name":"Mug","price":2}"#);
    world.shop.put("products", r#"{"sku":"B","marker":2,"name":"Jug","price":2,"is_deleted":false}"#);
    world.shop.put("products", r#"{"sku":"C","marker":3,"name":"Old","price":2,"is_deleted":true}"#);
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "2 created, 1 skipped");
    world.ledger.calls();
    world.shop.put("products", r#"{"sku":"A","marker":4,"is_deleted":true}"#);
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 updated, 1 skipped");
    assert_eq!(world.ledger.writes(), [r#"update items A {"text":"no longer sold"}"#]);
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 unchanged");
}

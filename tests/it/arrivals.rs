//! What a run does about webhooks: it reads on from its cursor, and takes up what was named.

use connectors::contract::Advice;
use engine::store::{Addressee, Arrival, RunState};
use tests::toy::Trouble;
use tests::world::{LEDGER, SHOP, World, counts};

const FLOW: &str = "flow";

/// Orders are read from the day on which they were placed: a change of an old one does not show.
const ORDERS: &str = r#"
on webhook shop "orders.updated"
fetch order from shop.orders since changed_at where status = "paid"
upsert item in ledger.items by code {
    code  = order.number
    price = order.total
}
"#;

fn order(number: u32, status: &str, total: &str) -> String {
    format!(
        r#"{{"number":"{number}","changed_at":"2026-03-{number:02}T10:00:00Z","status":"{status}","total":{total},"lines":[]}}"#
    )
}

/// A shop that tells what happens, and finds orders by their number.
fn shop() -> String {
    let head = "about = \"A shop in memory.\"\nevents = [\"orders.updated\"]\n";
    let found = "find = [{ by = [\"number\"], batch = 2, unique = true }]\n\n[resources.orders.fields]";
    SHOP.replace("about = \"A shop in memory.\"\n", head).replace("\n[resources.orders.fields]", found)
}

async fn world(shop: &str) -> World {
    let world = World::with(ORDERS, shop, LEDGER).await;
    for number in 1..=3 {
        world.shop.put("orders", &order(number, "paid", "10"));
    }
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "3 created");
    world.shop.calls();
    world
}

async fn tell(world: &World, number: u32) {
    let arrival = Arrival {
        connection: "shop".to_owned(),
        event: "orders.updated".to_owned(),
        record: Some(("orders".to_owned(), number.to_string())),
        id: None,
    };
    let flows = [Addressee { flow: FLOW, knows_record: true }];
    world.store.arrive(&arrival, &flows).await.unwrap();
}

async fn open(world: &World) -> i64 {
    world.store.unanswered().await.unwrap().iter().map(|flow| flow.open).sum()
}

#[tokio::test]
async fn a_record_that_was_named_is_taken_up_though_its_marker_did_not_move() {
    let world = world(&shop()).await;
    world.shop.put("orders", &order(1, "paid", "12"));
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 unchanged", "the last one, which is read again");
    tell(&world, 1).await;
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 updated, 1 unchanged");
    assert!(world.ledger.book("items")[0].contains("12"), "{:?}", world.ledger.book("items"));
    assert_eq!(open(&world).await, 0);
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 unchanged", "once");
}

#[tokio::test]
async fn a_record_that_a_page_brought_is_not_asked_for_again() {
    let world = world(&shop()).await;
    world.shop.put("orders", &order(3, "paid", "12"));
    world.shop.calls();
    tell(&world, 3).await;
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 updated");
    let calls = world.shop.calls();
    assert!(!calls.iter().any(|call| call.starts_with("find")), "{calls:?}");
    assert_eq!(open(&world).await, 0);
}

#[tokio::test]
async fn many_that_were_named_are_one_run_and_few_calls() {
    let world = world(&shop()).await;
    for _ in 0..50 {
        for number in 1..=3 {
            tell(&world, number).await;
        }
    }
    assert_eq!(open(&world).await, 3);
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "3 unchanged");
    let finds = world.shop.calls().iter().filter(|call| call.starts_with("find")).count();
    assert_eq!(finds, 1, "the two that no page brought, two a call");
}

#[tokio::test]
async fn what_the_flow_does_not_read_is_left_alone() {
    let world = world(&shop()).await;
    world.shop.put("orders", &order(1, "open", "12"));
    tell(&world, 1).await;
    tell(&world, 99).await;
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 unchanged", "neither the one that is not paid nor the one that is gone");
    assert_eq!(open(&world).await, 0);
}

#[tokio::test]
async fn a_source_that_finds_nothing_by_key_is_read_from_the_cursor() {
    let world = world(&shop().replace("by = [\"number\"]", "by = [\"email\"]")).await;
    tell(&world, 1).await;
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 unchanged");
    assert_eq!(open(&world).await, 0);
}

#[tokio::test]
async fn a_run_that_could_not_go_on_leaves_the_inbox_open() {
    let world = world(&shop()).await;
    world.shop.put("orders", &order(1, "paid", "12"));
    tell(&world, 1).await;
    for call in ["fetch orders", "find orders"] {
        world.shop.trouble(Trouble { call, advice: Advice::Retry(None), applied: false });
        let (report, _) = world.run().await;
        assert_eq!(report.state, RunState::Failed, "{call}");
        assert_eq!(open(&world).await, 1, "{call}");
    }
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 updated, 1 unchanged");
    assert_eq!(open(&world).await, 0);
}

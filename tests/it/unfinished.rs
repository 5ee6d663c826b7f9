//! Records that are taken up again halfway: they end as if nothing had come in between.

use connectors::contract::Advice;
use tests::toy::Trouble;
use tests::world::{World, counts};

/// A customer is noted down when it is a new one, as a product is put into its category.
const NEW_ONES: &str = r#"
fetch order from shop.orders since changed_at
lookup there in ledger.items by code = order.number
upsert item in ledger.items by code {
    code = order.number
    name = order.name
}
when there == () {
    create booked in ledger.orders {
        reference = `new ${order.number}`
        customer  = item.code
    }
}
"#;

/// An order, and what it was paid with.
const PAID: &str = r#"
fetch order from shop.orders since changed_at
lookup sent in ledger.orders by reference = order.number
skip "already in the ledger" if sent
create booked in ledger.orders {
    reference = order.number
    note      = order.name
}
create paid in ledger.items {
    code = `payment of ${booked.reference}`
}
"#;

fn order(name: &str) -> String {
    format!(r#"{{"number":"7","changed_at":"2026-03-02T10:00:00Z","name":"{name}"}}"#)
}

async fn world(flow: &str, trouble: Trouble) -> World {
    let world = World::new(flow).await;
    world.shop.put("orders", &order("Jan"));
    world.ledger.trouble(trouble);
    world
}

fn fails(call: &'static str, advice: Advice) -> Trouble {
    Trouble { call, advice, applied: false }
}

#[tokio::test]
async fn what_is_done_for_new_ones_only_is_not_left_out_the_second_time() {
    for advice in [Advice::Retry(None), Advice::SkipRecord, Advice::StopFlow] {
        let mut world = world(NEW_ONES, fails("create orders", advice)).await;
        world.refused_again = true;
        world.run().await;
        assert_eq!(world.ledger.book("items").len(), 1, "{advice:?}");
        assert_eq!(world.ledger.book("orders"), [""; 0], "{advice:?}");
        world.run_with(true).await.unwrap();
        assert_eq!(world.ledger.book("orders").len(), 1, "{advice:?}");
        assert_eq!(world.ledger.book("items").len(), 1, "{advice:?}");
        // From now on it is there, as one that others have made: a change notes nothing down.
        world.shop.put("orders", &order("Piet"));
        assert_eq!(counts(&world.run_with(true).await.unwrap().0), "1 updated", "{advice:?}");
        assert_eq!(world.ledger.book("orders").len(), 1, "{advice:?}");
    }
}

#[tokio::test]
async fn what_others_have_made_is_seen_however_often_a_record_is_taken_up() {
    let world = world(NEW_ONES, fails("update items", Advice::Retry(None))).await;
    world.ledger.put("items", r#"{"code":"7","name":"As somebody called it"}"#);
    world.run().await;
    assert_eq!(counts(&world.run_with(true).await.unwrap().0), "1 updated");
    assert_eq!(world.ledger.book("orders"), [""; 0], "it was there before");
}

#[tokio::test]
async fn a_create_in_doubt_that_arrived_counts_as_made_by_the_record() {
    for applied in [true, false] {
        // The answer is lost again and again, until the record has to wait.
        let world = world(NEW_ONES, Trouble { call: "create items", advice: Advice::Unknown, applied }).await;
        for _ in 0..3 {
            world.ledger.trouble(fails("create items", Advice::Unknown));
        }
        world.ledger.trouble(fails("create orders", Advice::Retry(None)));
        world.run().await;
        world.run_with(true).await.unwrap();
        world.run_with(true).await.unwrap();
        assert_eq!((world.ledger.book("items").len(), world.ledger.book("orders").len()), (1, 1));
    }
}

#[tokio::test]
async fn an_order_that_was_made_halfway_is_paid_all_the_same() {
    for advice in [Advice::Retry(None), Advice::SkipRecord] {
        let mut world = world(PAID, fails("create items", advice)).await;
        world.refused_again = true;
        world.run().await;
        assert_eq!((world.ledger.book("orders").len(), world.ledger.book("items").len()), (1, 0));
        world.run_with(true).await.unwrap();
        assert_eq!((world.ledger.book("orders").len(), world.ledger.book("items").len()), (1, 1));
        assert_eq!(counts(&world.run_with(true).await.unwrap().0), "1 skipped");
    }
}

/// Between the lost answer and the look in the target the connection is gone altogether.
#[tokio::test]
async fn a_create_in_doubt_stays_in_doubt_when_it_cannot_be_looked_for() {
    for applied in [true, false] {
        let flow = "fetch order from shop.orders since changed_at\ncreate booked in ledger.orders {\n reference = order.number\n}";
        let doubt = Trouble { call: "create orders", advice: Advice::Unknown, applied };
        let world = world(flow, doubt).await;
        world.ledger.trouble(fails("find orders", Advice::Retry(None)));
        world.run().await;
        world.run_with(true).await.unwrap();
        assert_eq!(world.ledger.book("orders").len(), 1, "applied: {applied}");
    }
}

//! What pages leave out, and what can change there without a trace on the page.

use tests::world::{World, counts};

const FLOW: &str = r#"
fetch order from shop.orders since changed_at overlap 10 minutes
upsert booked in ledger.orders by reference {
    reference = order.number
    lines each line in order.lines {
        item     = line.sku
        quantity = line.quantity
    }
}
"#;

fn order(changed_at: &str, quantity: u32) -> String {
    format!(r#"{{"number":"7","changed_at":"{changed_at}","lines":[{{"sku":"A","quantity":{quantity}}}]}}"#)
}

/// The system tells moments by the second; the second line came within the one that was told.
#[tokio::test]
async fn a_change_within_the_second_of_reading_is_found_by_the_next_run() {
    // Of whatever day the run is: this record had only just changed.
    let world = World::new(FLOW).await;
    world.shop.put("orders", &order("2999-01-01T10:00:00Z", 1));
    assert_eq!(counts(&world.run().await.0), "1 created");
    world.shop.put("orders", &order("2999-01-01T10:00:00Z", 2));
    assert_eq!(counts(&world.run().await.0), "1 updated");
    assert!(world.ledger.book("orders")[0].contains(r#""quantity":2"#));
}

#[tokio::test]
async fn what_changed_long_before_it_was_read_is_not_looked_at_again() {
    let world = World::new(FLOW).await;
    world.shop.put("orders", &order("2020-01-01T10:00:00Z", 1));
    assert_eq!(counts(&world.run().await.0), "1 created");
    world.shop.calls();
    assert_eq!(counts(&world.run().await.0), "1 unchanged");
    assert!(world.shop.calls().iter().all(|call| !call.starts_with("detail")));
}

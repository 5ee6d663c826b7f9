//! How pages follow each other through a run: what overlaps, what waits, and how far reading
//! gets ahead.

use engine::store::RunState;
use tests::world::{World, counts};

const ITEMS: &str = r"
fetch product from shop.products since marker
upsert item in ledger.items by code {
    code  = product.sku
    name  = product.name
}
";

const NOTES: &str = r"
fetch product from shop.products since marker
create note in ledger.notes { text = product.name }
";

const LINES: &str = r#"
fetch order from shop.orders
each line in order.lines {
    lookup item in ledger.items by code = line.sku
    fail "no such item" unless item
}
create note in ledger.notes { text = order.number }
"#;

const PARENTS: &str = r#"
fetch product from shop.products since marker
when product.text != "" {
    lookup parent in ledger.items by code = product.text
    fail "its parent is missing" unless parent
}
create item in ledger.items { code = product.sku }
"#;

/// Records a page.
const PAGE: usize = 100;

fn product(sku: &str, marker: usize, name: &str, text: &str) -> String {
    format!(r#"{{"sku":"{sku}","marker":{marker},"name":"{name}","text":"{text}"}}"#)
}

/// A world with slow systems and that many products.
async fn world(flow: &str, products: usize) -> World {
    let world = World::new(flow).await;
    for number in 1..=products {
        world.shop.put_again("products", &product(&number.to_string(), number, "Mug", ""));
    }
    world.shop.slow_down(10);
    world.ledger.slow_down(30);
    world
}

#[tokio::test]
async fn pages_overlap_and_reading_does_not_run_away() {
    let world = world(ITEMS, 12 * PAGE).await;
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1200 created");
    let fetched: Vec<u64> = world.shop.numbered_calls().into_iter().map(|(at, _)| at).collect();
    let calls = world.ledger.numbered_calls();
    let created: Vec<u64> =
        calls.iter().filter(|(_, call)| call.starts_with("create")).map(|(at, _)| *at).collect();
    assert_eq!((fetched.len(), created.len()), (12, 1200));
    for (page, at) in fetched.iter().enumerate() {
        let done = created.iter().filter(|create| *create < at).count();
        // Three pages are under way at most while one more is read.
        assert!(done >= page.saturating_sub(3) * PAGE, "page {page} was read after {done} creates");
    }
    let second_page = calls.iter().find(|(_, call)| call.contains(r#"["101"]"#)).expect("it is looked up");
    assert!(second_page.0 < created[PAGE - 1], "the second page waits for the last record of the first");
}

#[tokio::test]
async fn a_record_on_two_pages_is_not_done_twice() {
    let world = world(NOTES, 2 * PAGE - 1).await;
    // As when a record changes while it is read: it comes again at the end.
    world.shop.put_again("products", &product("5", 2 * PAGE, "Cup", ""));
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "199 created, 1 unchanged");
    assert_eq!(world.ledger.book("notes").len(), 2 * PAGE - 1);
}

#[tokio::test]
async fn a_key_that_is_being_asked_for_is_not_asked_for_again() {
    let world = World::new(LINES).await;
    world.ledger.put("items", r#"{"code":"A","name":"Mug"}"#);
    for number in 1..=PAGE {
        let lines = r#"[{"sku":"A","quantity":1},{"sku":"A","quantity":2}]"#;
        world.shop.put("orders", &format!(r#"{{"number":"{number}","status":"paid","lines":{lines}}}"#));
    }
    world.shop.slow_down(3);
    world.ledger.slow_down(30);
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "100 created");
    let asked = world.ledger.calls().into_iter().filter(|call| call.starts_with("find")).count();
    assert_eq!(asked, 1, "200 lines of one article");
}

#[tokio::test]
async fn what_comes_with_an_earlier_page_is_found() {
    let world = world(PARENTS, PAGE).await;
    // Each of the second page needs one of the first.
    for number in 1..=PAGE {
        let sku = (PAGE + number).to_string();
        world.shop.put_again("products", &product(&sku, PAGE + number, "Mug", &number.to_string()));
    }
    let (report, refused) = world.run().await;
    assert_eq!((report.state, counts(&report).as_str()), (RunState::Succeeded, "200 created"));
    assert!(refused.is_empty(), "{refused:?}");
}

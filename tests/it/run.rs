//! The promises of a run, seen from both systems.

use connectors::contract::Advice;
use engine::store::RunState;
use tests::toy::Trouble;
use tests::world::{LEDGER, SHOP, World, counts};

const ORDERS: &str = r#"
fetch order from shop.orders since changed_at overlap 10 minutes
filter order.status == "paid"
lookup sent in ledger.orders by reference = order.number
skip "already in the ledger" if sent
each line in order.lines {
    lookup item in ledger.items by code = line.sku
    fail `line with ${line.sku}: not in the ledger` unless item
}
upsert customer in ledger.customers by email {
    email = order.email
    name  = order.name
}
create booked in ledger.orders {
    reference = order.number
    customer  = customer.id
    total     = order.total
    lines each line in order.lines {
        item     = line.sku
        quantity = line.quantity
    }
}
"#;

const PRODUCTS: &str = r"
setting update_texts: boolean = false
fetch product from shop.products since marker
upsert item in ledger.items by code {
    code  = product.sku
    name  = product.name
    price = product.price
    text  = product.text    when creating || settings.update_texts
}
";

fn order(number: u32, email: &str, total: &str) -> String {
    format!(
        r#"{{"number":"{number}","changed_at":"2026-03-{:02}T10:00:00Z","status":"paid","email":"{email}","name":"N{number}","total":{total},"lines":[{{"sku":"A","quantity":2}}]}}"#,
        number % 28 + 1
    )
}

fn product(sku: &str, marker: u32, name: &str, price: &str) -> String {
    format!(r#"{{"sku":"{sku}","marker":{marker},"name":"{name}","price":{price},"text":"T"}}"#)
}

async fn orders() -> World {
    let world = World::new(ORDERS).await;
    world.ledger.put("items", r#"{"code":"A","name":"Mug"}"#);
    world
}

// shows R39
#[tokio::test]
async fn an_order_arrives_with_its_customer() {
    let world = orders().await;
    world.shop.put("orders", &order(1, "a@example.com", "12.50"));
    let (report, _) = world.run().await;
    assert_eq!((report.state, counts(&report).as_str()), (RunState::Succeeded, "1 created"));
    assert_eq!(
        world.ledger.book("orders"),
        [
            r#"{"reference":"1","customer":"customers-1","total":12.50,"lines":[{"item":"A","quantity":2}],"id":"orders-2"}"#
        ]
    );
    assert_eq!(
        world.ledger.book("customers"),
        [r#"{"email":"a@example.com","name":"N1","id":"customers-1"}"#]
    );
}

// shows R38
#[tokio::test]
async fn a_second_run_sends_nothing_and_asks_nothing() {
    let world = orders().await;
    for number in 1..=20 {
        world.shop.put("orders", &order(number, "a@example.com", "1"));
    }
    world.run().await;
    world.ledger.calls();
    world.shop.calls();
    let (report, _) = world.run().await;
    assert_eq!(report.state, RunState::Succeeded);
    assert_eq!(world.ledger.calls(), [""; 0]);
    // The newest order is read again within the overlap, and nothing is asked about it.
    assert_eq!(world.shop.calls(), [r#"fetch orders since changed_at "2026-03-21T09:50:00Z" from 0"#]);
    assert_eq!(counts(&report), "1 unchanged");
}

#[tokio::test]
async fn orders_of_one_new_customer_create_it_once() {
    let world = orders().await;
    for number in 1..=30 {
        world.shop.put("orders", &order(number, "same@example.com", "1"));
    }
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "30 created");
    assert_eq!(world.ledger.book("customers").len(), 1);
    assert_eq!(world.ledger.book("orders").len(), 30);
}

#[tokio::test]
async fn look_ups_of_a_page_are_asked_together() {
    let world = orders().await;
    for number in 1..=50 {
        world.shop.put("orders", &order(number, &format!("{number}@example.com"), "1"));
    }
    world.run().await;
    let calls = world.ledger.calls();
    let asked = |what: &str| calls.iter().filter(|call| call.starts_with(what)).count();
    assert_eq!(asked("find orders by reference"), 1, "50 numbers, 50 a call");
    assert_eq!(asked("find items by code"), 1, "one product in all lines");
    assert_eq!(asked("find customers by email"), 50, "one at a time is all that customers offer");
}

#[tokio::test]
async fn a_refused_record_leaves_its_neighbours_alone_and_is_taken_up_again() {
    let world = orders().await;
    world.shop.put("orders", &order(1, "a@example.com", "1"));
    world.shop.put("orders", &order(2, "b@example.com", "1").replace("\"sku\":\"A\"", "\"sku\":\"B\""));
    let (report, refused) = world.run().await;
    assert_eq!((report.state, counts(&report).as_str()), (RunState::Partial, "1 created, 1 failed"));
    assert_eq!(refused, ["2: line with B: not in the ledger"]);
    assert_eq!(world.ledger.book("customers").len(), 1, "nothing was written for the refused order");
    world.ledger.put("items", r#"{"code":"B","name":"Cup"}"#);
    let (report, refused) = world.run().await;
    assert_eq!((counts(&report).as_str(), refused.len()), ("1 created", 0));
    assert_eq!(world.ledger.book("orders").len(), 2);
}

#[tokio::test]
async fn what_a_filter_leaves_out_costs_nothing() {
    let world = orders().await;
    world.shop.put("orders", &order(1, "a@example.com", "1").replace("paid", "new"));
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 skipped");
    assert_eq!(world.ledger.calls(), [""; 0]);
    assert_eq!(world.shop.calls(), ["fetch orders from 0"], "its details are not read");
    world.shop.put("orders", &order(1, "a@example.com", "1"));
    assert_eq!(counts(&world.run().await.0), "1 created");
}

// shows R84
#[tokio::test]
async fn an_edit_changes_exactly_that_record_and_field() {
    let world = World::new(PRODUCTS).await;
    for number in 0..5 {
        world.shop.put("products", &product(&number.to_string(), number + 1, "Mug", "10.00"));
    }
    world.run().await;
    world.ledger.calls();
    world.shop.put("products", &product("3", 9, "Mug", "11.00"));
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 updated, 1 unchanged");
    assert_eq!(world.ledger.writes(), [r#"update items 3 {"price":11.00}"#]);
}

// shows R68
#[tokio::test]
async fn what_was_enriched_in_the_target_survives_unless_a_box_says_otherwise() {
    let world = World::new(PRODUCTS).await;
    world.shop.put("products", &product("1", 1, "Mug", "10.00"));
    world.run().await;
    world.ledger.put("items", r#"{"code":"1","name":"Mug","price":10,"text":"Lovely"}"#);
    world.shop.put("products", &product("1", 2, "Mug", "10.00"));
    assert_eq!(counts(&world.run().await.0), "1 unchanged");
    assert!(world.ledger.book("items")[0].contains("Lovely"));
    std::fs::create_dir_all(world.root().join("settings")).unwrap();
    std::fs::write(world.root().join("settings/flow.toml"), "[settings]\nupdate_texts = true\n").unwrap();
    assert_eq!(counts(&world.run().await.0), "1 updated");
    assert!(world.ledger.book("items")[0].contains(r#""text":"T""#));
}

#[tokio::test]
async fn a_full_run_repairs_what_was_changed_behind_our_back() {
    let world = World::new(PRODUCTS).await;
    for number in 1..=3 {
        world.shop.put("products", &product(&number.to_string(), number, "Mug", "10.00"));
    }
    world.run().await;
    world.ledger.put("items", r#"{"code":"2","name":"Mug","price":99,"text":"T"}"#);
    assert_eq!(counts(&world.run().await.0), "1 unchanged");
    let (report, _) = world.run_with(true).await.unwrap();
    assert_eq!(counts(&report), "1 updated, 2 unchanged");
    assert!(world.ledger.book("items")[1].contains("10.00"));
}

#[tokio::test]
async fn a_create_whose_answer_was_lost_is_looked_for_before_it_is_repeated() {
    for applied in [true, false] {
        let world = orders().await;
        world.shop.put("orders", &order(1, "a@example.com", "1"));
        world.ledger.trouble(Trouble { call: "create orders", advice: Advice::Unknown, applied });
        let (report, refused) = world.run().await;
        assert_eq!((counts(&report).as_str(), refused.len()), ("1 created", 0), "applied: {applied}");
        assert_eq!(world.ledger.book("orders").len(), 1, "applied: {applied}");
    }
}

#[tokio::test]
async fn what_cannot_be_searched_is_refused_rather_than_doubled() {
    let flow =
        "fetch order from shop.orders since changed_at\ncreate note in ledger.notes {\n text = order.note\n}";
    let world = World::new(flow).await;
    world
        .shop
        .put("orders", &order(1, "a@example.com", "1").replace("\"total\"", "\"note\":\"x\",\"total\""));
    world.ledger.trouble(Trouble { call: "create notes", advice: Advice::Unknown, applied: true });
    let (report, refused) = world.run().await;
    assert_eq!(counts(&report), "1 failed");
    assert!(refused[0].contains("it is not known whether notes was created"), "{refused:?}");
    assert_eq!(world.ledger.book("notes").len(), 1);
    // Nor does a later run repeat it by itself.
    let (report, _) = world.run().await;
    assert_eq!((counts(&report).as_str(), world.ledger.book("notes").len()), ("1 failed", 1));
}

#[tokio::test]
async fn an_idempotent_create_is_simply_repeated() {
    let ledger = LEDGER.replacen("create = {}", "create = { idempotent = true }", 1);
    let world = World::with(ORDERS, SHOP, &ledger).await;
    world.ledger.put("items", r#"{"code":"A"}"#);
    world.shop.put("orders", &order(1, "a@example.com", "1"));
    world.ledger.trouble(Trouble { call: "create orders", advice: Advice::Unknown, applied: true });
    assert_eq!(counts(&world.run().await.0), "1 created");
    assert_eq!(world.ledger.book("orders").len(), 1);
}

#[tokio::test]
async fn a_record_on_its_way_when_a_process_died_is_looked_for_first() {
    let world = on_its_way().await;
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 created");
    assert_eq!(world.ledger.book("orders").len(), 1, "adopted, not repeated");
}

#[tokio::test]
async fn a_record_on_its_way_is_still_looked_for_after_a_run_that_did_not_come_that_far() {
    for (probe, advice) in
        [(false, Advice::Retry(None)), (true, Advice::Retry(None)), (false, Advice::SkipRecord)]
    {
        let world = on_its_way().await;
        world.ledger.trouble(Trouble { call: "find items", advice, applied: false });
        if probe {
            world.ledger.trouble(Trouble { call: "probe", advice: Advice::Retry(None), applied: false });
        }
        let (report, _) = world.run().await;
        assert_ne!(report.state, RunState::Succeeded, "{advice:?}");
        let (report, _) = world.run_with(true).await.unwrap();
        assert_eq!(counts(&report), "1 created", "{advice:?}");
        assert_eq!(world.ledger.book("orders").len(), 1, "adopted, not repeated: {advice:?}");
    }
}

#[tokio::test]
async fn what_a_store_that_was_put_back_does_not_know_is_looked_for_first() {
    let world = orders().await;
    world.shop.put("orders", &order(1, "a@example.com", "1"));
    let flow = ORDERS.replace(
        "lookup sent in ledger.orders by reference = order.number\nskip \"already in the ledger\" if sent\n",
        "",
    );
    world.flow(&flow);
    assert_eq!(counts(&world.run().await.0), "1 created");
    // Two more were sent, and one came since; of these three the store knows nothing.
    world.ledger.put("orders", r#"{"reference":"2","id":"orders-77"}"#);
    world.ledger.put("orders", r#"{"reference":"3","id":"orders-78"}"#);
    for number in 2..=4 {
        world.shop.put("orders", &order(number, "a@example.com", "1"));
    }
    world.store.mark_restored().await.unwrap();
    assert_eq!(world.run().await.0.counts.created, 3);
    assert_eq!(world.ledger.book("orders").len(), 4, "two adopted, one created");
    // From then on nothing is asked that a flow does not ask for.
    world.ledger.calls();
    world.shop.put("orders", &order(5, "a@example.com", "1"));
    assert_eq!(world.run().await.0.counts.created, 1);
    assert!(!world.ledger.calls().iter().any(|call| call.starts_with("find orders")));
}

/// A process noted its intent, created the order, and died.
async fn on_its_way() -> World {
    let world = orders().await;
    world.shop.put("orders", &order(1, "a@example.com", "1"));
    let engine::store::Claim::Held(lease) =
        world.store.acquire("flow", "gone", std::time::Duration::from_millis(1), &|_| true).await.unwrap()
    else {
        panic!("nobody else holds it")
    };
    let new = engine::store::NewRun { id: "0".into(), cause: "test".into(), plan: 0.into() };
    world.store.start_run(&lease, &new).await.unwrap();
    world.store.begin_page(&lease, "0", &["1"]).await.unwrap();
    world.store.release(&lease).await.unwrap();
    let flow = ORDERS.replace(
        "lookup sent in ledger.orders by reference = order.number\nskip \"already in the ledger\" if sent\n",
        "",
    );
    world.flow(&flow);
    world.ledger.put("orders", r#"{"reference":"1","id":"orders-77"}"#);
    world
}

#[tokio::test]
async fn a_system_that_is_down_stops_the_run_before_anything_is_passed_over() {
    let world = orders().await;
    world.shop.put("orders", &order(1, "a@example.com", "1"));
    world.ledger.trouble(Trouble { call: "find orders", advice: Advice::Retry(None), applied: false });
    world.ledger.trouble(Trouble { call: "probe", advice: Advice::Retry(None), applied: false });
    let (report, _) = world.run().await;
    assert_eq!((report.state, report.counts.read()), (RunState::Failed, 0));
    assert!(report.error.unwrap().to_string().contains("Ledger: trouble on demand"));
    let (report, _) = world.run().await;
    assert_eq!((report.state, counts(&report).as_str()), (RunState::Succeeded, "1 created"));
}

#[tokio::test]
async fn one_record_that_has_to_wait_does_not_stop_the_others() {
    let world = orders().await;
    for number in 1..=3 {
        world.shop.put("orders", &order(number, &format!("{number}@example.com"), "1"));
    }
    world.ledger.trouble(Trouble { call: "create orders", advice: Advice::Retry(None), applied: false });
    let (report, _) = world.run().await;
    assert_eq!((report.state, counts(&report).as_str()), (RunState::Partial, "2 created, 1 waiting"));
}

#[tokio::test]
async fn refused_credentials_stop_the_run() {
    let world = orders().await;
    world.shop.put("orders", &order(1, "a@example.com", "1"));
    world.ledger.trouble(Trouble { call: "find orders", advice: Advice::Reconnect, applied: false });
    let (report, _) = world.run().await;
    assert_eq!((report.state, report.counts.read()), (RunState::Failed, 0));
    assert_eq!(counts(&world.run().await.0), "1 created");
}

// shows R34, R84
#[tokio::test]
async fn pages_add_up_and_every_record_arrives_once() {
    let world = World::new(PRODUCTS).await;
    for number in 0..457 {
        world.shop.put("products", &product(&number.to_string(), number + 1, "Mug", "1"));
    }
    let (report, _) = world.run().await;
    assert_eq!((counts(&report).as_str(), report.counts.read()), ("457 created", 457));
    assert_eq!(world.ledger.book("items").len(), 457);
    assert_eq!(world.shop.calls().len(), 5);
}

#[tokio::test]
async fn an_interrupted_pass_goes_on_where_it_stopped() {
    let world = World::new(PRODUCTS).await;
    for number in 0..250 {
        world.shop.put("products", &product(&number.to_string(), number + 1, "Mug", "1"));
    }
    world.shop.trouble(Trouble {
        call: "fetch products from 200",
        advice: Advice::Retry(None),
        applied: false,
    });
    let (report, _) = world.run().await;
    assert_eq!((report.state, counts(&report).as_str()), (RunState::Failed, "200 created"));
    world.shop.calls();
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "50 created");
    assert_eq!(world.shop.calls(), ["fetch products from 200"]);
    world.run().await;
    assert_eq!(world.shop.calls(), ["fetch products since marker 250 from 0"]);
}

#[tokio::test]
async fn a_run_that_lost_its_claim_commits_nothing() {
    let world = orders().await;
    let _claim = world
        .store
        .acquire("flow", "another daemon", std::time::Duration::from_secs(60), &|_| false)
        .await
        .unwrap();
    let error = world.run_with(false).await.unwrap_err();
    assert_eq!(error.to_string(), "flow `flow` is being run by another daemon");
}

#[tokio::test]
async fn a_record_without_a_key_is_told_apart_and_refused() {
    let world = World::new(PRODUCTS).await;
    world.shop.put("products", r#"{"sku":"","marker":1,"name":"Nameless"}"#);
    world.shop.put("products", &product("1", 2, "Mug", "1"));
    let (report, refused) = world.run().await;
    assert_eq!(counts(&report), "1 created, 1 failed");
    assert!(refused[0].ends_with("the record has no `sku`, by which records are told apart"), "{refused:?}");
}

#[tokio::test]
async fn two_that_answer_to_one_key_are_not_guessed_between() {
    let world = orders().await;
    world.ledger.put("customers", r#"{"id":"1","email":"a@example.com"}"#);
    world.ledger.put("customers", r#"{"id":"2","email":"a@example.com"}"#);
    world.shop.put("orders", &order(1, "a@example.com", "1"));
    let (report, refused) = world.run().await;
    assert_eq!(counts(&report), "1 failed");
    assert!(refused[0].contains("2 customers have email"), "{refused:?}");
}

#[tokio::test]
async fn a_script_fault_names_its_place_in_the_flow() {
    let flow = "fetch order from shop.orders since changed_at\ncreate note in ledger.notes {\n text = `${1 / (order.total - order.total)}`\n}";
    let world = World::new(flow).await;
    world.shop.put("orders", &order(1, "a@example.com", "1"));
    let (_, refused) = world.run().await;
    assert!(refused[0].contains("test.flow:6:"), "{refused:?}");
}

#[tokio::test]
async fn a_changed_customer_keeps_its_link_when_the_key_changes() {
    let flow = "fetch order from shop.orders since changed_at\nupsert customer in ledger.customers by email {\n email = order.email\n name = order.name\n}";
    let world = World::new(flow).await;
    world.shop.put("orders", &order(1, "old@example.com", "1"));
    world.run().await;
    world.shop.put("orders", &order(1, "new@example.com", "1"));
    assert_eq!(counts(&world.run().await.0), "1 updated");
    assert_eq!(
        world.ledger.book("customers"),
        [r#"{"email":"new@example.com","name":"N1","id":"customers-1"}"#]
    );
}

#[tokio::test]
async fn branches_maps_and_notices_do_what_they_say() {
    let flow = r#"
setting big: decimal = 10
fetch order from shop.orders since changed_at
map whom {
    email = order.email.to_lower()
}
when order.total > settings.big {
    notify `a big one: ${order.number}`
    upsert customer in ledger.customers by email {
        email = whom.email
        phone = "call" on create
    }
} else {
    skip "small" if true
}
create booked in ledger.orders {
    reference = order.number
    customer  = customer.id
    note      = "big" when order.total > 100
}
"#;
    let world = World::new(flow).await;
    world.shop.put("orders", &order(1, "A@Example.com", "11"));
    world.shop.put("orders", &order(2, "b@example.com", "9.99"));
    let (report, _) = world.run().await;
    assert_eq!(counts(&report), "1 created, 1 skipped");
    assert_eq!(
        world.ledger.book("customers"),
        [r#"{"email":"a@example.com","phone":"call","id":"customers-1"}"#]
    );
    assert_eq!(
        world.ledger.book("orders"),
        [r#"{"reference":"1","customer":"customers-1","id":"orders-2"}"#]
    );
    let history = world.store.record_history("flow", "1", 10).await.unwrap();
    let detail = String::from_utf8(history[0].detail.clone().unwrap()).unwrap();
    assert!(detail.contains("a big one: 1"), "{detail}");
}

#[tokio::test]
async fn a_refused_record_comes_back_by_hand_even_when_the_source_does_not_show_it_again() {
    let flow = r#"
fetch product from shop.products since marker
lookup item in ledger.items by code = product.sku
fail "not in the ledger" unless item
create note in ledger.notes {
    text = product.name
}
"#;
    let mut world = World::new(flow).await;
    world.shop.put("products", &product("1", 1, "Mug", "1"));
    world.shop.put("products", &product("2", 2, "Cup", "1"));
    world.ledger.put("items", r#"{"code":"2"}"#);
    assert_eq!(counts(&world.run().await.0), "1 created, 1 failed");
    world.ledger.put("items", r#"{"code":"1"}"#);
    assert_eq!(counts(&world.run().await.0), "1 unchanged");
    world.refused_again = true;
    assert_eq!(counts(&world.run().await.0), "1 created, 1 unchanged");
    assert_eq!(counts(&world.run().await.0), "1 unchanged", "and only once");
}

#[tokio::test]
async fn entries_of_a_list_are_told_apart_by_their_keys_not_by_their_places() {
    let flow = r#"
fetch order from shop.orders since changed_at
each line in order.lines {
    upsert item in ledger.items by code {
        code = line.sku
        name = `Item ${line.sku}`
    }
    create booked in ledger.orders {
        reference = line.sku
    }
}
"#;
    let world = World::new(flow).await;
    let one = order(1, "a@example.com", "1");
    world.shop.put("orders", &one.replace(r#"{"sku":"A","quantity":2}"#, r#"{"sku":"A"},{"sku":"B"}"#));
    assert_eq!(world.run().await.1, [""; 0]);
    world.ledger.calls();
    let later = one.replace("10:00:00", "11:00:00");
    let lines = r#"{"sku":"B"},{"sku":"C"},{"sku":"A"}"#;
    world.shop.put("orders", &later.replace(r#"{"sku":"A","quantity":2}"#, lines));
    assert_eq!(world.run().await.1, [""; 0]);
    assert_eq!(
        world.ledger.writes(),
        [r#"create items {"code":"C","name":"Item C"}"#, r#"create orders {"reference":"C"}"#]
    );
}

#[tokio::test]
async fn what_a_record_lacks_may_come_with_its_neighbours() {
    let flow = r#"
fetch product from shop.products since marker
when product.text != "none" {
    lookup above in ledger.items by code = product.text
    fail `${product.text} is not there yet` unless above
}
upsert item in ledger.items by code {
    code = product.sku
}
"#;
    let world = World::new(flow).await;
    for (marker, (sku, parent)) in
        [("d", "c"), ("c", "b"), ("b", "a"), ("a", "none"), ("x", "y")].iter().enumerate()
    {
        world.shop.put("products", &format!(r#"{{"sku":"{sku}","marker":{marker},"text":"{parent}"}}"#));
    }
    let (report, refused) = world.run().await;
    assert_eq!(counts(&report), "4 created, 1 failed");
    assert_eq!(refused, ["x: y is not there yet"]);
    assert_eq!(world.ledger.book("items").len(), 4);
}

/// An expression that stays within the limits, once and twenty times a record.
#[tokio::test]
async fn limits_hold_for_a_record_and_its_neighbours_go_on() {
    let skip = "skip \"never\" if { let n = 0; while n < product.price { n += 1; } n < 0 }\n";
    for (times, expected) in [(1, "2 created"), (20, "1 created, 1 failed")] {
        let world = World::new(&format!(
            "fetch product from shop.products since marker\n{}upsert item in ledger.items by code {{\n  code = product.sku\n  name = product.name\n  price = product.price\n}}\n",
            skip.repeat(times)
        ))
        .await;
        world.shop.put("products", &product("A", 1, "Mug", "10000"));
        world.shop.put("products", &product("B", 2, "Cup", "2"));
        let (report, refused) = world.run().await;
        assert_eq!(counts(&report), expected, "{refused:?}");
        let told = refused.iter().any(|reason| reason.contains("the script reached its limit of"));
        assert_eq!(told, times > 1, "{refused:?}");
    }
}

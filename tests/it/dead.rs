//! Refused records in the hands of a person: tried again alone, edited, given up; never written
//! twice.

use connectors::contract::Advice;
use engine::run::Take;
use engine::store::{DeadLetter, DeadQuery, Drop};
use tests::toy::Trouble;
use tests::world::{LEDGER, SHOP, World, counts};

const FLOW: &str = r#"
fetch product from shop.products since marker
filter product.name != "hidden"
lookup item in ledger.items by code = product.sku
fail `${product.name} is not in the ledger` unless item
create booked in ledger.orders {
    reference = product.sku
    note      = product.name
}
"#;

fn product(sku: &str, marker: u32, name: &str) -> String {
    format!(r#"{{"sku":"{sku}","marker":{marker},"name":"{name}","price":12.50,"text":"T"}}"#)
}

/// Two products that are refused; the source can or cannot be asked for a single one.
async fn refused(can_be_asked: bool) -> World {
    let find =
        "fetch = { since = [\"marker\"], ascending = true }\nfind = [{ by = [\"sku\"], unique = true }]";
    let shop = match can_be_asked {
        true => SHOP.replace("fetch = { since = [\"marker\"], ascending = true }", find),
        false => SHOP.to_owned(),
    };
    let world = World::with(FLOW, &shop, LEDGER).await;
    world.shop.put("products", &product("1", 1, "Mug"));
    world.shop.put("products", &product("2", 2, "Cup"));
    assert_eq!(counts(&world.run().await.0), "2 failed");
    world.shop.calls();
    world
}

fn stock(world: &World) {
    world.ledger.put("items", r#"{"code":"1"}"#);
    world.ledger.put("items", r#"{"code":"2"}"#);
}

async fn edit(world: &World, key: &str, name: &str) {
    let edited = product(key, 1, name);
    assert!(world.store.edit_dead("flow", key, Some(edited.as_bytes()), "ann").await.unwrap());
}

async fn open(world: &World) -> Vec<String> {
    let letters = world.store.dead_letters(&DeadQuery::default()).await.unwrap();
    let mut keys: Vec<String> = letters.into_iter().map(|letter| letter.source_key).collect();
    keys.sort();
    keys
}

async fn letter(world: &World, key: &str) -> DeadLetter {
    world.store.dead_letter("flow", key).await.unwrap().unwrap()
}

fn notes(world: &World) -> Vec<String> {
    world.ledger.writes().into_iter().filter(|call| call.starts_with("create")).collect()
}

#[tokio::test]
async fn one_is_tried_alone_and_closes_when_it_comes_through() {
    let world = refused(false).await;
    stock(&world);
    let (report, refused) = world.replay(&["1"], Take::Best).await;
    assert_eq!((counts(&report).as_str(), refused.len()), ("1 created", 0));
    assert_eq!(open(&world).await, ["2"]);
    assert!(letter(&world, "1").await.resolved_at.is_some());
    assert_eq!(world.shop.calls(), [""; 0], "nothing is read");
    let run = world.store.run(&report.run).await.unwrap().unwrap();
    assert_eq!((run.counts.read(), run.counts.created), (1, 1));
}

#[tokio::test]
async fn what_is_closed_is_not_tried_again() {
    let world = refused(false).await;
    stock(&world);
    world.replay(&["1", "2", "nobody"], Take::AsRead).await;
    assert_eq!(notes(&world).len(), 2);
    assert_eq!(counts(&world.replay(&["1", "2"], Take::AsRead).await.0), "");
    assert_eq!(counts(&world.run().await.0), "1 unchanged");
    assert_eq!(world.ledger.book("orders").len(), 2, "nothing is written twice");
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_is_looked_for_before_it_is_repeated() {
    let world = refused(false).await;
    stock(&world);
    world.ledger.trouble(Trouble { call: "create orders", advice: Advice::Unknown, applied: true });
    let (report, _) = world.replay(&["1"], Take::AsRead).await;
    // Whether it arrived was looked up at once, or is when it is tried again.
    assert!(
        ["1 created", "1 unchanged", "1 failed"].contains(&counts(&report).as_str()),
        "{}",
        counts(&report)
    );
    world.replay(&["1"], Take::AsRead).await;
    assert_eq!(world.ledger.book("orders").len(), 1);
    assert_eq!(open(&world).await, ["2"]);
}

#[tokio::test]
async fn the_source_is_asked_afresh_unless_it_is_not_to_be() {
    for (take, note) in [(Take::Best, "New"), (Take::Afresh, "New"), (Take::AsRead, "Mug")] {
        let world = refused(true).await;
        stock(&world);
        world.shop.put("products", &product("1", 1, "New"));
        assert_eq!(counts(&world.replay(&["1"], take).await.0), "1 created");
        assert_eq!(
            notes(&world),
            [format!(r#"create orders {{"reference":"1","note":"{note}"}}"#)],
            "{take:?}"
        );
    }
}

#[tokio::test]
async fn what_was_edited_is_tried_and_the_original_stays_beside_it() {
    for (take, note) in [(Take::Best, "Edited"), (Take::AsRead, "Edited"), (Take::Afresh, "Mug")] {
        let world = refused(true).await;
        edit(&world, "1", "Edited").await;
        let (_, refused) = world.replay(&["1"], take).await;
        assert_eq!(refused, [format!("1: {note} is not in the ledger")]);
        let letter = letter(&world, "1").await;
        assert_eq!(letter.payload, product("1", 1, "Mug").into_bytes());
        assert_eq!(letter.edited.unwrap().by, "ann");
        stock(&world);
        assert_eq!(counts(&world.replay(&["1"], take).await.0), "1 created");
        assert_eq!(
            notes(&world),
            [format!(r#"create orders {{"reference":"1","note":"{note}"}}"#)],
            "{take:?}"
        );
    }
}

#[tokio::test]
async fn a_run_tries_what_was_edited_and_the_source_is_not_taken_for_changed() {
    let mut world = refused(true).await;
    stock(&world);
    edit(&world, "1", "Edited").await;
    world.refused_again = true;
    assert_eq!(counts(&world.run().await.0), "2 created");
    assert_eq!(notes(&world)[0], r#"create orders {"reference":"1","note":"Edited"}"#);
    assert_eq!(counts(&world.run().await.0), "1 unchanged");
}

#[tokio::test]
async fn an_edit_is_out_of_date_once_the_source_changes_the_record() {
    let world = refused(true).await;
    edit(&world, "1", "Edited").await;
    world.shop.put("products", &product("1", 3, "Other"));
    let (_, refused) = world.run().await;
    assert!(refused.contains(&"1: Other is not in the ledger".to_owned()), "{refused:?}");
    assert_eq!(letter(&world, "1").await.edited, None);
}

#[tokio::test]
async fn one_that_a_filter_leaves_out_by_now_is_closed() {
    let world = refused(true).await;
    world.shop.put("products", &product("1", 1, "hidden"));
    assert_eq!(counts(&world.replay(&["1"], Take::Best).await.0), "1 skipped");
    assert_eq!(open(&world).await, ["2"]);
}

#[tokio::test]
async fn one_that_was_given_up_stays_so_until_it_changes() {
    let mut world = refused(true).await;
    world.refused_again = true;
    let drop = Drop { flow: "flow", keys: &["2"], by: "ann", why: "a test" };
    assert_eq!(world.store.drop_dead(&drop).await.unwrap(), 1);
    stock(&world);
    assert_eq!(counts(&world.run().await.0), "1 created, 1 unchanged");
    assert_eq!(counts(&world.replay(&["2"], Take::Best).await.0), "");
    world.shop.put("products", &product("2", 4, "Cup of tea"));
    assert_eq!(counts(&world.run().await.0), "1 created");
    assert_eq!(world.ledger.book("orders").len(), 2);
}

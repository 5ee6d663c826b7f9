//! Every ready flow of every pair, over everything that the samples hold, in fair weather and in
//! foul: one request in five goes wrong on both sides, and both books end as if none had.
//!
//! Between connectors and simulators stands what the vendors publish of their interfaces; a
//! request or an answer that they do not describe fails these tests.

mod books;
mod killed;
mod scenes;
mod world;

use std::collections::BTreeSet;

use super::pair::files;
use scenes::Scene;
use world::World;

/// How it ended: both books, and what was refused in the end.
#[derive(PartialEq)]
struct End {
    books: Vec<String>,
    refused: Vec<String>,
}

/// What a refusal says, without its place in the flow.
fn reason(refusal: &str) -> String {
    match refusal.split_once(" (flows/") {
        Some((reason, place)) => format!("{reason}{}", place.split_once(')').unwrap().1),
        None => refusal.to_owned(),
    }
}

async fn fair(scene: &Scene) -> End {
    let world = World::new(scene.pair, (scene.set)()).await;
    let mut refused = Vec::new();
    for (name, answers) in scene.flows {
        let (told, last) = world.settle(name, answers).await;
        println!("{} {name}: {told:?}", scene.pair);
        refused.extend(last.iter().map(|one| format!("{name}: {}", reason(one))));
    }
    End { books: books::state(&world.books()), refused }
}

async fn foul(scene: &Scene) -> End {
    let world = World::new(scene.pair, (scene.set)()).await;
    let mut refused = Vec::new();
    for (name, answers) in scene.flows {
        world.turns_foul();
        world.settle(name, answers).await;
        world.turns_fair();
        // What chance has left over is done when the weather is good again.
        let (_, last) = world.settle(name, answers).await;
        refused.extend(last.iter().map(|one| format!("{name}: {}", reason(one))));
    }
    let struck = world.struck();
    assert!(struck.values().sum::<usize>() > 20, "hardly anything went wrong: {struck:?}");
    End { books: books::state(&world.books()), refused }
}

/// Lines that only one of two ends has.
fn differ(fair: &[String], foul: &[String]) -> String {
    let lost = fair.iter().filter(|line| !foul.contains(line)).map(|line| format!("- {line}"));
    let new = foul.iter().filter(|line| !fair.contains(line)).map(|line| format!("+ {line}"));
    let all: Vec<String> = lost.chain(new).collect();
    let some: Vec<&str> = all.iter().take(3000).map(String::as_str).collect();
    format!("{} lines differ\n{}", all.len(), some.join("\n"))
}

async fn ends_alike(scene: &Scene) {
    let (fair, foul) = (fair(scene).await, foul(scene).await);
    assert!(fair.refused == foul.refused, "refused: {}", differ(&fair.refused, &foul.refused));
    assert!(fair.books == foul.books, "{}", differ(&fair.books, &foul.books));
    assert_eq!(fair.books.len(), foul.books.len(), "something is doubled or lost");
}

macro_rules! weather {
    ($($name:ident: $scene:expr,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                ends_alike(&$scene).await;
            }
        )*
        const SCENES: &[&Scene] = &[$(&$scene),*];
    };
}

weather! {
    shop_to_till: scenes::SHOP_TO_TILL,
    till_to_shop: scenes::TILL_TO_SHOP,
    accountview_to_till: scenes::ACCOUNTVIEW_TO_TILL,
    till_to_accountview: scenes::TILL_TO_ACCOUNTVIEW,
    shop_to_eaccounting: scenes::SHOP_TO_EACCOUNTING,
    eaccounting_to_shop: scenes::EACCOUNTING_TO_SHOP,
    till_to_softmaat: scenes::TILL_TO_SOFTMAAT,
    softmaat_to_till: scenes::SOFTMAAT_TO_TILL,
    teamleader_to_till: scenes::TEAMLEADER_TO_TILL,
    till_to_teamleader: scenes::TILL_TO_TEAMLEADER,
}

/// No ready flow stays at home.
#[test]
fn every_ready_flow_goes_through_the_weather() {
    let played: BTreeSet<String> = SCENES
        .iter()
        .flat_map(|scene| scene.flows.iter().map(|(name, _)| format!("flows/{}/{name}.flow", scene.pair)))
        .collect();
    assert_eq!(files("flows", "flow").into_keys().collect::<BTreeSet<_>>(), played);
}

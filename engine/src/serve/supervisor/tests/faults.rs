//! What goes wrong while the daemon serves, and what becomes of it.

use connectors::contract::Advice;

use super::systems::Trouble;
use super::*;

const START: &str = "2026-11-22T10:00:30Z";

fn two() -> World {
    let world = World::new(START, vec![flow("orders", "every 5 minutes"), flow("copies", "every 5 minutes")]);
    world.shop.order("1", "2026-11-22T09:00:00Z");
    world
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flows_run_on_their_beat_and_share_what_they_talk_to() {
    let world = two();
    let served = world.serve("one").await;
    served.pass(minutes(14)).await;
    assert_eq!(served.flow("orders").totals.succeeded, 3);
    assert_eq!(served.flow("copies").totals.succeeded, 3);
    assert_eq!(world.till.orders().len(), 2);
    assert_eq!((world.shop.sessions(), world.till.sessions()), (1, 1), "one conversation for both flows");
    assert_eq!(served.stop().await, Stopped::default());
    let store = world.store().await;
    assert!(store.daemons().await.unwrap().is_empty() && store.leases().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_in_which_the_program_fails_ends_that_run_and_nothing_else() {
    let world = two();
    let served = world.serve("one").await;
    world.shop.next(Trouble::Panics);
    served.pass(minutes(6)).await;
    let failed: Vec<FlowHealth> = ["orders", "copies"].map(|name| served.flow(name)).into_iter().collect();
    let broken = failed.iter().find(|flow| flow.totals.failed == 1).expect("one of them failed");
    assert!(matches!(&broken.state, FlowState::Waiting { reason, .. } if reason.contains("program itself")));
    // The claim was given back, and it is tried again.
    assert!(world.store().await.leases().await.unwrap().is_empty());
    served.pass(minutes(30)).await;
    assert!(served.flow(&broken.name).totals.succeeded >= 2);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_system_that_is_down_silences_its_flows_and_is_found_when_it_is_back() {
    let world = two();
    let served = world.serve("one").await;
    world.till.always(Some(Advice::Retry(None)));
    world.shop.order("2", "2026-11-22T10:01:00Z");
    served.pass(minutes(60)).await;
    let called = world.till.calls();
    assert!(called < 120, "left alone for most of the time: {called} calls");
    for name in ["orders", "copies"] {
        let FlowState::Waiting { reason, .. } = served.flow(name).state else {
            panic!("{:?}", served.flow(name))
        };
        assert_eq!(reason, "Till: the service is down");
    }
    let told = served.health.borrow().clone();
    let till = told.connections.iter().find(|connection| connection.name == "till").unwrap();
    assert!(till.open_until.is_some() && till.failures >= 3, "{till:?}");
    world.till.always(None);
    served.pass(minutes(61)).await;
    assert_eq!(world.till.orders().len(), 4, "nothing is lost");
    assert!(served.health.borrow().connections.iter().all(|connection| connection.failures == 0));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_credentials_wait_for_a_person() {
    let mut world = two();
    world.look_every = minutes(1);
    let served = world.serve("one").await;
    world.shop.always(Some(Advice::Reconnect));
    served.pass(minutes(6)).await;
    let calls = world.shop.calls();
    served.pass(minutes(24 * 60)).await;
    assert_eq!(world.shop.calls(), calls, "a refused key is not tried again and again");
    let state = served.flow("orders").state;
    assert!(
        matches!(&state, FlowState::ReconnectNeeded { connection, .. } if connection == "shop"),
        "{state:?}"
    );
    // What `weft connect shop` does.
    world.shop.always(None);
    let store = world.store().await;
    let updated_at = world.clock.now().as_millisecond() + 1;
    let said = crate::store::ConnectionState { connection: "shop".into(), updated_at, ..Default::default() };
    store.put_connection_state(&said).await.unwrap();
    served.clock.set(served.clock.now() + Duration::from_millis(5));
    served.pass(minutes(3)).await;
    assert!(served.flow("orders").totals.succeeded >= 1, "{:?}", served.flow("orders"));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_under_way_is_settled_when_it_stops() {
    let world = two();
    world.till.hold();
    let served = world.serve_busy("one").await;
    world.till.until_called(2).await;
    served.signals.send(Signal::Stop).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!served.task.is_finished());
    world.till.let_go();
    assert_eq!(served.task.await.unwrap().unwrap(), Stopped::default());
    assert!(!world.till.orders().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_settle_in_time_is_broken_off_and_taken_up_by_the_next_start() {
    let world = two();
    world.till.hold();
    let served = world.serve_busy("one").await;
    world.till.until_called(2).await;
    served.signals.send(Signal::Stop).await.unwrap();
    while !served.task.is_finished() {
        served.clock.set(served.clock.now() + Duration::from_secs(31));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(served.task.await.unwrap().unwrap(), Stopped { broken_off: 2 });
    world.till.let_go();
    let store = world.store().await;
    let states: Vec<RunState> = store.runs(None, 9).await.unwrap().iter().map(|run| run.state).collect();
    assert_eq!(states, [RunState::Stopped, RunState::Stopped]);
    assert!(store.leases().await.unwrap().is_empty());
    // Long before the next five minutes.
    let served = world.serve("two").await;
    assert_eq!(world.till.orders().len(), 2);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_daemons_share_the_flows_and_run_none_twice() {
    let names = ["a", "b", "c", "d"];
    let mut world = World::new(START, names.map(|name| flow(name, "every 5 minutes")).to_vec());
    world.look_every = Duration::from_secs(20);
    world.shop.order("1", "2026-11-22T09:00:00Z");
    let one = world.serve("one").await;
    let two = world.serve_busy("two").await;
    two.rest_all(2).await;
    for _ in 0..60 * 60 / 5 {
        world.clock.set(world.clock.now() + Duration::from_secs(5));
        one.rest_all(2).await;
        two.rest_all(2).await;
    }
    let store = world.store().await;
    for name in names {
        // An hour, every five minutes.
        let ran = runs(&*store, name).await;
        assert!((11..=13).contains(&ran), "{name}: {ran}");
    }
    let ran = |served: &Served| names.iter().map(|name| served.flow(name).totals.succeeded).sum::<u64>();
    assert!(ran(&one) + ran(&two) <= 52, "{} and {}", ran(&one), ran(&two));
    assert_eq!(world.till.orders().len(), 4);
    one.stop().await;
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wish_is_followed_at_once() {
    let world = World::new(START, vec![flow("orders", "at \"0 6 * * *\" in \"Europe/Amsterdam\"")]);
    let served = world.serve("one").await;
    assert_eq!(served.flow("orders").totals.succeeded, 0);
    served.waker.wake("orders", Cause::ByHand);
    served.waker.wake("unknown", Cause::ByHand);
    while served.flow("orders").totals.succeeded == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let run = world.store().await.runs(None, 1).await.unwrap().remove(0);
    assert_eq!(run.cause, "by hand");
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_had_to_wait_is_taken_up_when_it_is_due() {
    let mut world = World::new(START, vec![flow("orders", "at \"0 6 * * *\" in \"Europe/Amsterdam\"")]);
    world.look_every = Duration::from_secs(10);
    world.shop.order("1", "2026-11-22T09:00:00Z");
    world.shop.order("2", "2026-11-22T09:00:00Z");
    let served = world.serve("one").await;
    // The look-up of both goes well; of the creates the first one does not.
    world.till.fail_create(Advice::Retry(None));
    served.waker.wake("orders", Cause::ByHand);
    while world.till.orders().is_empty() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    served.pass(minutes(3)).await;
    assert_eq!(world.till.orders().len(), 2);
    let causes: Vec<String> =
        world.store().await.runs(None, 9).await.unwrap().into_iter().map(|run| run.cause).collect();
    assert_eq!(causes, ["waiting records", "by hand"]);
    served.stop().await;
}

//! What is old goes by itself, also of flows that do not run any more.

use super::*;

fn days(days: u64) -> Duration {
    Duration::from_hours(days * 24)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_a_flow_that_does_not_run_goes_when_its_time_is_over() {
    let mut world = World::new("2026-11-22T10:00:00Z", vec![flow("short", ""), flow("long", "")]);
    world.shop.order("1", "2026-11-22T09:00:00Z");
    world.privacy.flows.insert("short".to_owned(), days(2));
    let served = world.serve("one").await;
    for name in ["short", "long"] {
        served.waker.wake(name, Cause::ByHand);
    }
    served.rest().await;
    let store = world.store().await;
    let kept = async || {
        let mut kept = Vec::new();
        for name in ["short", "long"] {
            kept.push(store.record_history(name, "1", 9).await.unwrap().len());
        }
        kept
    };
    // Wishes are taken up a moment later.
    for _ in 0..5_000 {
        if kept().await == [1, 1] {
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // Both looks at the log wait until the chores of that day are done.
    for (passed, left) in [(1, [1, 1]), (3, [0, 1]), (12, [0, 0])] {
        served.pass(days(passed)).await;
        for _ in 0..5_000 {
            if kept().await == left {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(kept().await, left, "{passed} days later");
    }
    assert_eq!(runs(&*store, "short").await, 1, "that it ran is known for longer");
    // What was done is known for good: nothing is created again.
    served.waker.wake("short", Cause::ByHand);
    served.pass(days(80)).await;
    assert_eq!(world.till.orders().len(), 2);
    assert_eq!(runs(&*store, "long").await, 0, "runs of last season are not listed");
    served.stop().await;
}

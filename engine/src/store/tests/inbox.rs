//! What systems tell: kept once, taken up by the next run, known again for a while.

use super::*;

const DAY: Duration = Duration::from_hours(24);

fn arrival(id: Option<&str>, key: &str) -> Arrival {
    Arrival {
        connection: "shop".to_owned(),
        event: "orders.created".to_owned(),
        record: Some(("orders".to_owned(), key.to_owned())),
        id: id.map(str::to_owned),
    }
}

const fn to(flow: &str) -> Addressee<'_> {
    Addressee { flow, knows_record: true }
}

fn keys(arrived: &[Arrived]) -> Vec<&str> {
    arrived.iter().filter_map(|one| Some(one.record.as_ref()?.1.as_str())).collect()
}

#[tokio::test]
async fn a_delivery_is_kept_once_for_each_flow() {
    let Some(bench) = Bench::new().await else { return };
    let both = [to(FLOW), to("stock")];
    assert_eq!(bench.store.arrive(&arrival(Some("d1"), "7"), &both).await, Ok(2));
    assert_eq!(bench.store.arrive(&arrival(Some("d1"), "7"), &both).await, Ok(0), "delivered again");
    assert_eq!(bench.store.arrive(&arrival(Some("d2"), "7"), &both).await, Ok(2));
    let open = bench.another().await.unanswered().await.expect("open");
    let told: Vec<_> = open.iter().map(|flow| (flow.flow.as_str(), flow.open, flow.untaken)).collect();
    assert_eq!(told, [(FLOW, 2, 2), ("stock", 2, 2)]);
    assert_eq!(open[0].since, START);
}

#[tokio::test]
async fn what_a_run_did_not_answer_is_taken_up_by_the_next() {
    let Some(bench) = Bench::new().await else { return };
    bench.store.arrive(&arrival(Some("d1"), "7"), &[to(FLOW)]).await.expect("kept");
    let lease = bench.hold_and_run().await;
    let taken = bench.store.take_arrivals(&lease, RUN).await.expect("taken");
    assert_eq!(keys(&taken), ["7"]);
    assert_eq!((taken[0].event.as_str(), taken[0].received_at), ("orders.created", START));
    // The process dies here; what comes now is for the next run, and so is what was taken.
    bench.store.arrive(&arrival(Some("d2"), "8"), &[to(FLOW)]).await.expect("kept");
    bench.pass(TTL);
    let next = held(bench.another().await.acquire(FLOW, "two", TTL, &nobody).await);
    let store = bench.another().await;
    assert_eq!(keys(&store.take_arrivals(&next, "run-2").await.expect("taken")), ["7", "8"]);
    let fenced = StoreError::Fenced { flow: FLOW.to_owned(), epoch: 1 };
    assert_eq!(bench.store.answer_arrivals(&lease, RUN).await, Err(fenced), "the flow went to another");
    assert_eq!(store.answer_arrivals(&next, "run-2").await, Ok(2));
    assert_eq!(store.unanswered().await, Ok(Vec::new()));
    assert_eq!(store.arrive(&arrival(Some("d1"), "7"), &[to(FLOW)]).await, Ok(0), "still known");
}

#[tokio::test]
async fn what_comes_while_a_run_is_under_way_is_not_answered_by_it() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    // The system does not tell deliveries apart: one that waits will do for those like it.
    assert_eq!(bench.store.arrive(&arrival(None, "7"), &[to(FLOW)]).await, Ok(1));
    assert_eq!(bench.store.arrive(&arrival(None, "7"), &[to(FLOW)]).await, Ok(0));
    assert_eq!(bench.store.arrive(&arrival(None, "8"), &[to(FLOW)]).await, Ok(1));
    assert_eq!(keys(&bench.store.take_arrivals(&lease, RUN).await.expect("taken")), ["7", "8"]);
    // The run may have read the record already.
    assert_eq!(bench.store.arrive(&arrival(None, "7"), &[to(FLOW)]).await, Ok(1));
    assert_eq!(bench.store.answer_arrivals(&lease, RUN).await, Ok(2));
    assert_eq!(keys(&bench.store.take_arrivals(&lease, "run-2").await.expect("taken")), ["7"]);
}

#[tokio::test]
async fn a_record_of_the_target_is_no_record_of_the_source() {
    let Some(bench) = Bench::new().await else { return };
    let flows = [Addressee { flow: FLOW, knows_record: false }];
    bench.store.arrive(&arrival(Some("d1"), "7"), &flows).await.expect("kept");
    let lease = bench.hold_and_run().await;
    let taken = bench.store.take_arrivals(&lease, RUN).await.expect("taken");
    assert_eq!((taken.len(), taken[0].record.as_ref()), (1, None));
}

#[tokio::test]
async fn the_inbox_is_pruned_and_forgets() {
    let Some(bench) = Bench::new().await else { return };
    bench.store.arrive(&arrival(Some("d1"), "7"), &[to(FLOW), to("off")]).await.expect("kept");
    let lease = bench.hold_and_run().await;
    bench.store.take_arrivals(&lease, RUN).await.expect("taken");
    bench.store.answer_arrivals(&lease, RUN).await.expect("answered");
    bench.pass(DAY * 8);
    assert_eq!(bench.store.prune_arrivals(DAY * 9, DAY * 30).await, Ok(0));
    assert_eq!(bench.store.prune_arrivals(DAY * 7, DAY * 30).await, Ok(1));
    assert_eq!(bench.store.unanswered().await.expect("open").len(), 1, "what nobody answered stays longer");
    let records = [("off".to_owned(), "7".to_owned())];
    let forget = Forget { text: "7", records: &records, by: "bo" };
    bench.store.forget(&forget).await.expect("forgotten");
    assert_eq!(bench.store.unanswered().await, Ok(Vec::new()));
}

#[tokio::test]
async fn what_is_secret_of_an_address_is_kept_as_a_digest() {
    let Some(bench) = Bench::new().await else { return };
    assert_eq!(bench.store.hook("shop").await, Ok(None));
    bench.store.set_hook("shop", Some(b"one")).await.expect("kept");
    bench.store.set_hook("shop", Some(b"two")).await.expect("kept");
    assert_eq!(bench.another().await.hook("shop").await, Ok(Some(b"two".to_vec())));
    bench.store.set_hook("shop", None).await.expect("removed");
    assert_eq!(bench.store.hook("shop").await, Ok(None));
}

//! Who may run a flow, and what becomes of runs.

use super::*;

#[tokio::test]
async fn a_held_flow_is_busy_until_it_is_given_back() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold().await;
    assert_eq!((lease.epoch, lease.expires_at), (1, START + 30_000));
    let other = bench.another().await;
    let busy = Claim::Busy { holder: "one".to_owned(), until: START + 30_000 };
    assert_eq!(other.acquire(FLOW, "two", TTL, &nobody).await, Ok(busy.clone()));
    assert_eq!(other.acquire(FLOW, "one", TTL, &nobody).await, Ok(busy), "not even by the same process");
    assert_eq!(bench.store.leases().await, Ok(vec![lease.clone()]));

    bench.store.release(&lease).await.expect("release");
    assert_eq!(bench.store.leases().await, Ok(Vec::new()));
    assert_eq!(held(other.acquire(FLOW, "two", TTL, &nobody).await).epoch, 2);
}

#[tokio::test]
async fn flows_are_held_apart() {
    let Some(bench) = Bench::new().await else { return };
    bench.hold().await;
    assert_eq!(held(bench.store.acquire("stock", "two", TTL, &nobody).await).epoch, 1);
}

#[tokio::test]
async fn a_lease_that_ran_out_goes_to_the_next() {
    let Some(bench) = Bench::new().await else { return };
    let first = bench.hold().await;
    bench.pass(TTL);
    let second = held(bench.store.acquire(FLOW, "two", TTL, &nobody).await);
    assert_eq!(second.epoch, first.epoch + 1);
    let fenced = StoreError::Fenced { flow: FLOW.to_owned(), epoch: 1 };
    assert_eq!(bench.store.renew(&first, TTL).await, Err(fenced));
    bench.store.release(&first).await.expect("harmless");
    assert_eq!(bench.store.leases().await, Ok(vec![second]));
}

#[tokio::test]
async fn a_renewed_lease_stays() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold().await;
    bench.pass(TTL / 2);
    let lease = bench.store.renew(&lease, TTL).await.expect("renewed");
    bench.pass(TTL / 2);
    assert!(matches!(bench.store.acquire(FLOW, "two", TTL, &nobody).await, Ok(Claim::Busy { .. })));
    assert_eq!(lease.expires_at, START + 45_000);
}

#[tokio::test]
async fn a_late_holder_keeps_what_nobody_claimed() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    bench.pass(TTL * 2);
    bench.store.settle_page(&lease, &page_of(Vec::new())).await.expect("still ours");
    bench.store.renew(&lease, TTL).await.expect("still ours");
}

#[tokio::test]
async fn a_dead_holder_is_not_waited_for() {
    let Some(bench) = Bench::new().await else { return };
    let first = bench.hold().await;
    let dead = |holder: &str| holder == "one";
    assert_eq!(held(bench.store.acquire(FLOW, "two", TTL, &dead).await).epoch, 2);
    assert!(matches!(bench.store.renew(&first, TTL).await, Err(StoreError::Fenced { .. })));
    assert!(matches!(bench.store.acquire(FLOW, "three", TTL, &dead).await, Ok(Claim::Busy { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_contenders_one_wins() {
    let Some(bench) = Bench::new().await else { return };
    let mut contenders = Vec::new();
    for number in 0..4 {
        let store = bench.another().await;
        contenders.push(tokio::spawn(async move {
            store.acquire(FLOW, &format!("holder {number}"), TTL, &nobody).await
        }));
    }
    let mut won = 0;
    for contender in contenders {
        won += i32::from(matches!(contender.await.expect("task").expect("answer"), Claim::Held(_)));
    }
    assert_eq!(won, 1);
}

#[tokio::test]
async fn the_database_has_a_clock() {
    let Some(bench) = Bench::new().await else { return };
    let store = open_at(&place_of(&bench.place)).await.expect("store");
    let here = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let here = i64::try_from(here.as_millis()).expect("fits");
    assert!((store.now().await.expect("now") - here).abs() < 5_000);
}

#[tokio::test]
async fn a_run_is_started_counted_and_ended() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    bench.pass(Duration::from_secs(1));
    let mut page = page_of(vec![settled("1", Outcome::Created), settled("2", failed("no such product"))]);
    page.counted.skipped = 3;
    bench.store.settle_page(&lease, &page).await.expect("settled");
    bench.store.end_run(&lease, RUN, RunState::Partial, None).await.expect("ended");

    let run = bench.store.run(RUN).await.expect("read").expect("run");
    assert_eq!((run.state, run.pages, run.started_at), (RunState::Partial, 1, START));
    assert_eq!(run.ended_at, Some(START + 1_000));
    assert_eq!(run.counts, Counts { created: 1, failed: 1, skipped: 3, ..Counts::default() });
    assert_eq!((run.counts.read(), run.counts.written()), (5, 1));
    assert_eq!(bench.store.runs(Some(FLOW), 10).await, Ok(vec![run.clone()]));
    assert_eq!(bench.store.runs(None, 10).await, Ok(vec![run]));
    assert_eq!(bench.store.runs(Some("stock"), 10).await, Ok(Vec::new()));
}

#[tokio::test]
async fn an_ended_run_takes_no_more_pages() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    bench.store.end_run(&lease, RUN, RunState::Succeeded, None).await.expect("ended");
    let refused = StoreError::NoSuchRun { flow: FLOW.to_owned(), run: RUN.to_owned() };
    let page = page_of(vec![settled("1", Outcome::Created)]);
    assert_eq!(bench.store.settle_page(&lease, &page).await, Err(refused.clone()));
    assert_eq!(bench.store.end_run(&lease, RUN, RunState::Failed, None).await, Err(refused));
    assert_eq!(bench.known("1").await, Known::default());
}

#[tokio::test]
async fn a_run_whose_process_died_is_stopped_by_the_next() {
    let Some(bench) = Bench::new().await else { return };
    bench.hold_and_run().await;
    bench.pass(TTL);
    let lease = held(bench.store.acquire(FLOW, "two", TTL, &nobody).await);
    bench.store.start_run(&lease, &new_run("run-2")).await.expect("run");
    let runs = bench.store.runs(Some(FLOW), 10).await.expect("runs");
    assert_eq!(runs.iter().map(|run| run.state).collect::<Vec<_>>(), [RunState::Running, RunState::Stopped]);
    assert!(runs[1].error.is_some() && runs[1].ended_at.is_some());
}

#[tokio::test]
async fn a_turn_is_begun_only_by_whoever_knows_the_last_one() {
    let Some(bench) = Bench::new().await else { return };
    let fresh = bench.store.meet(&Turn { flow: FLOW.to_owned(), ..Turn::default() }).await.expect("met");
    let turn = |started_at| Turn { started_at: Some(started_at), ..fresh.clone() };
    let lease = bench.hold().await;
    assert_eq!(bench.store.begin_turn(&lease, &turn(10), &fresh).await, Ok(None));
    // Somebody who saw it begin, and took it for one whose process had died.
    let seen = turn(10);
    bench.store.end_turn(&lease, 10, 12).await.expect("ended");
    bench.store.release(&lease).await.expect("released");
    let lease = held(bench.store.acquire(FLOW, "two", TTL, &nobody).await);
    let ended = Turn { ended_at: Some(12), ..turn(10) };
    for late in [&fresh, &seen] {
        assert_eq!(bench.store.begin_turn(&lease, &turn(20), late).await, Ok(Some(ended.clone())));
    }
    assert_eq!(bench.store.begin_turn(&lease, &turn(20), &ended).await, Ok(None));
    // Its process dies, and the next one takes it up.
    assert_eq!(bench.store.begin_turn(&lease, &turn(30), &turn(20)).await, Ok(None));
}

#[tokio::test]
async fn a_clock_that_is_set_back_loses_and_doubles_nothing() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    let begin = page_of(vec![settled("1", failed("first")), settled("2", waiting(START + 1_000))]);
    bench.store.settle_page(&lease, &begin).await.expect("settled");
    bench.set_back(Duration::from_hours(2));

    // The holder goes on, nobody else gets in, and its claim counts from the new time on.
    assert!(matches!(bench.store.acquire(FLOW, "two", TTL, &nobody).await, Ok(Claim::Busy { .. })));
    let lease = bench.store.renew(&lease, TTL).await.expect("still ours");
    assert_eq!(lease.expires_at, START - 7_200_000 + 30_000);
    let page = page_of(vec![settled("1", failed("second")), settled("3", Outcome::Created)]);
    bench.store.settle_page(&lease, &page).await.expect("settled");
    let letter = bench.store.dead_letter(FLOW, "1").await.expect("read").expect("letter");
    assert_eq!((letter.attempts, letter.reason.as_str()), (2, "second"));
    assert_eq!(bench.store.due(FLOW, 10).await, Ok(Vec::new()), "it waits a little longer");
    bench.store.end_run(&lease, RUN, RunState::Partial, None).await.expect("ended");
    let run = bench.store.run(RUN).await.expect("read").expect("run");
    assert_eq!((run.pages, run.counts.read()), (2, 4));

    // One that died with its claim in the future: known to be gone, or the time comes.
    bench.pass(Duration::from_hours(2));
    let lost = bench.store.renew(&lease, TTL).await.expect("ours");
    bench.set_back(Duration::from_hours(2));
    let next = held(bench.store.acquire(FLOW, "two", TTL, &|holder| holder == "one").await);
    assert_eq!(next.epoch, lost.epoch + 1);
    bench.set_back(Duration::from_hours(1));
    assert!(matches!(bench.store.settle_page(&lost, &page).await, Err(StoreError::Fenced { .. })));
}

fn waiting(retry_at: Millis) -> Outcome {
    Outcome::Waiting { class: "busy".to_owned(), reason: "the till is closed".to_owned(), retry_at }
}

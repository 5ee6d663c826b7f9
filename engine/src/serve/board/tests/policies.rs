//! Schedules, overlaps, missed runs, wishes, fairness.

use super::*;
use proptest::prelude::*;

#[test]
fn every_runs_at_once_and_then_on_its_beat() {
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, vec![flow("orders", &[every(5)])]);
    assert_eq!(bench.starts(), ["orders (schedule)"]);
    assert_eq!(bench.pass(MINUTE).well("orders").starts(), [""; 0]);
    assert_eq!(bench.wait(), 4 * MINUTE);
    assert_eq!(bench.starts(), ["orders (schedule)"]);
    bench.pass(MINUTE).well("orders");
    assert_eq!(bench.wait(), 4 * MINUTE, "a run that takes time does not move the beat");
}

#[test]
fn at_waits_for_its_time() {
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, vec![flow("night", &[at("0 6 * * *")])]);
    assert_eq!(bench.starts(), [""; 0]);
    assert_eq!(bench.word("night"), "idle");
    assert_eq!(bench.wait(), 19 * HOUR);
    assert_eq!(bench.starts(), ["night (schedule)"]);
}

#[test]
fn a_flow_that_is_off_or_has_no_line_waits_for_nobody() {
    let flows = vec![flow("off", &[every(5)]).off(), flow("by_hand", &[])];
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, flows);
    assert_eq!(bench.starts(), [""; 0]);
    assert_eq!(bench.board.wake_at(bench.now), None);
    assert!(!bench.board.wish("off", Cause::ByHand, bench.now));
    assert!(!bench.board.wish("unknown", Cause::ByHand, bench.now));
    assert!(bench.board.wish("by_hand", Cause::ByHand, bench.now));
    assert_eq!(bench.starts(), ["by_hand (by hand)"]);
}

#[test]
fn a_run_that_is_due_during_a_run_is_left_out_or_waits() {
    let flows = vec![flow("skips", &[every(5)]), flow("queues", &[every(5)]).queue()];
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, flows);
    bench.starts();
    // Twelve minutes: two times it was due.
    bench.pass(12 * MINUTE);
    assert_eq!(bench.starts(), [""; 0]);
    bench.well("skips").well("queues");
    assert_eq!(bench.starts(), ["queues (schedule)"], "one waits, however many were due");
    assert_eq!(bench.pass(MINUTE).well("queues").starts(), [""; 0]);
    assert_eq!(bench.wait(), 2 * MINUTE);
    assert_eq!(bench.starts(), ["skips (schedule)", "queues (schedule)"]);
}

#[test]
fn what_was_missed_is_made_up_for_once_or_left_out() {
    let turn = |name: &str, due_at: &str| Turn {
        flow: name.to_owned(),
        anchor: millis_of("2026-11-01T00:00:00Z"),
        due_at: millis_of(due_at),
        started_at: Some(millis_of(due_at)),
        ended_at: Some(millis_of(due_at) + MINUTE),
        ..Turn::default()
    };
    let flows = vec![
        flow("once", &[at("0 6 * * *")]),
        flow("leaves_out", &[at("0 6 * * *")]).leaves_out_missed(),
        flow("often", &[every(5)]),
        flow("often_leaves_out", &[every(5)]).leaves_out_missed(),
    ];
    let turns = ["once", "leaves_out", "often", "often_leaves_out"];
    let turns = turns.iter().map(|name| turn(name, "2026-11-19T05:00:00Z")).collect();
    // Three days later, two minutes past the hour.
    let mut bench = Bench::with("2026-11-22T10:02:00Z", 4, flows, turns);
    assert_eq!(bench.starts(), ["often (schedule)", "once (schedule)"]);
    bench.well("often").well("once");
    assert_eq!(bench.wait(), 3 * MINUTE);
    assert_eq!(bench.starts(), ["often (schedule)", "often_leaves_out (schedule)"]);
}

#[test]
fn a_run_whose_process_died_is_taken_up_at_once() {
    let now = millis_of("2026-11-22T10:02:00Z");
    let turn = Turn {
        flow: "night".to_owned(),
        anchor: now - 24 * HOUR,
        due_at: millis_of("2026-11-22T05:00:00Z"),
        started_at: Some(millis_of("2026-11-22T05:00:00Z")),
        ..Turn::default()
    };
    let mut bench =
        Bench::with("2026-11-22T10:02:00Z", 4, vec![flow("night", &[at("0 6 * * *")])], vec![turn]);
    assert_eq!(bench.starts(), ["night (again)"]);
    assert_eq!(bench.well("night").starts(), [""; 0]);
}

#[test]
fn an_event_during_a_run_is_followed_by_a_run() {
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, vec![flow("orders", &[every(60)])]);
    bench.starts();
    let hook = || Cause::Webhook { connection: "shop".into(), event: "orders.updated".into() };
    for _ in 0..3 {
        bench.pass(1_000);
        bench.board.wish("orders", hook(), bench.now);
    }
    assert_eq!(bench.starts(), [""; 0]);
    assert_eq!(bench.well("orders").starts(), ["orders (webhook)"], "three events, one run");
    assert_eq!(bench.well("orders").starts(), [""; 0]);
}

#[test]
fn runs_keep_apart() {
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, vec![flow("orders", &[]).apart(10)]);
    bench.board.wish("orders", Cause::ByHand, bench.now);
    assert_eq!(bench.starts(), ["orders (by hand)"]);
    bench.pass(MINUTE).well("orders").pass(MINUTE);
    bench.board.wish("orders", Cause::ByHand, bench.now);
    assert_eq!(bench.starts(), [""; 0]);
    assert_eq!(bench.wait(), 9 * MINUTE, "ten minutes after the end of the run before");
    assert_eq!(bench.starts(), ["orders (by hand)"]);
}

#[test]
fn the_flow_that_is_due_for_longest_comes_first() {
    let flows = vec![flow("a", &[every(10)]), flow("b", &[every(10)]), flow("c", &[every(10)])];
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 1, flows);
    assert_eq!(bench.starts(), ["a (schedule)"]);
    assert_eq!(bench.word("b"), "queued");
    // `a` is wanted again and again; the others have waited longer.
    bench.pass(1_000);
    bench.board.wish("a", Cause::ByHand, bench.now);
    assert_eq!(bench.well("a").starts(), ["b (schedule)"]);
    bench.pass(1_000);
    assert_eq!(bench.well("b").starts(), ["c (schedule)"]);
    assert_eq!(bench.well("c").starts(), ["a (by hand)"]);
}

#[test]
fn flows_that_create_the_same_take_turns() {
    let flows = vec![
        flow("customers", &[every(60)]).creates("till/relations"),
        flow("orders", &[every(60)]).creates("till/orders").creates("till/relations"),
        flow("stock", &[every(60)]).creates("shop/stock"),
    ];
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, flows);
    assert_eq!(bench.starts(), ["customers (schedule)", "stock (schedule)"]);
    assert_eq!(bench.word("orders"), "queued");
    assert_eq!(bench.well("customers").starts(), ["orders (schedule)"]);
    // In another process a third one creates them: it asks again in a moment.
    bench.end("orders", End::Later);
    assert_eq!(bench.starts(), [""; 0]);
    assert_eq!(bench.wait(), 500);
    assert_eq!(bench.starts(), ["orders (schedule)"]);
}

#[test]
fn a_flow_that_always_runs_starves_no_other() {
    let flows = vec![
        flow("greedy", &[every(1)]).queue(),
        flow("greedy_too", &[every(1)]).queue(),
        flow("modest", &[every(10)]),
        flow("rare", &[at("0 * * * *")]),
    ];
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 1, flows);
    // Each run takes as long as the time between two of them.
    let counts = bench.live(24 * HOUR, MINUTE);
    assert!(counts["modest"] >= 140 && counts["rare"] >= 23, "{counts:?}");
    assert!(counts["greedy"].abs_diff(counts["greedy_too"]) < 30, "{counts:?}");
}

#[test]
fn records_that_wait_are_taken_up_without_the_rest() {
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, vec![flow("night", &[at("0 6 * * *")])]);
    let due = bench.now + 90_000;
    let learn = |bench: &mut Bench, waiting: BTreeMap<String, Millis>| {
        let turns: Vec<Turn> = bench.board.lanes().iter().map(Lane::turn).collect();
        bench.board.learn(&turns, &[], &waiting, &BTreeSet::new(), bench.now);
    };
    learn(&mut bench, [("night".to_owned(), due)].into());
    assert_eq!(bench.starts(), [""; 0]);
    assert_eq!(bench.wait(), 90_000);
    let starts = bench.board.decide(bench.now);
    assert_eq!((starts[0].part, starts[0].cause.to_string()), (Part::Waiting, "waiting records".to_owned()));
    assert!(!starts[0].refused_again);
    // One that is due for ever is tried once a minute.
    bench.well("night");
    let at = bench.now;
    learn(&mut bench, [("night".to_owned(), at)].into());
    assert_eq!(bench.starts(), [""; 0]);
    assert_eq!(bench.wait(), MINUTE);
    assert_eq!(bench.starts(), ["night (waiting records)"]);
    // The night's run comes all the same.
    bench.well("night");
    learn(&mut bench, BTreeMap::new());
    bench.wait();
    assert_eq!(bench.starts(), ["night (schedule)"]);
}

#[test]
fn refused_records_are_taken_up_again_once_an_hour() {
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, vec![flow("orders", &[every(25)])]);
    let mut again = Vec::new();
    for _ in 0..6 {
        again.extend(bench.board.decide(bench.now).iter().map(|start| start.refused_again));
        bench.well("orders").wait();
    }
    assert_eq!(again, [true, false, false, true, false, false]);
    // What was missing may be there with other files.
    bench.adopt(vec![flow("orders", &[every(25)]).print(2)]);
    assert!(bench.board.decide(bench.now)[0].refused_again);
}

#[test]
fn another_daemon_that_was_quicker_is_believed() {
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, vec![flow("orders", &[every(5)])]);
    let start = bench.board.decide(bench.now).remove(0);
    // The lease was free again, but the turn had been taken.
    let theirs = Turn { ended_at: Some(bench.now + 10), ..start.turn };
    bench.pass(20).end("orders", End::Overtaken(Box::new(theirs)));
    assert_eq!(bench.starts(), [""; 0]);
    assert_eq!(bench.wait(), 5 * MINUTE - 20);
    assert_eq!(bench.starts(), ["orders (schedule)"]);
}

#[test]
fn a_wish_outlives_a_run_that_began_before_it() {
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, vec![flow("orders", &[every(5)])]);
    let begun = bench.board.decide(bench.now).remove(0).turn;
    let ended = Turn { ended_at: Some(bench.now + 10), ..begun.clone() };
    // Another daemon runs it, and looks as if it had died; then it turns out that it had not.
    for (wish, again) in [(Some(Cause::ByHand), &["orders (by hand)"][..]), (None, &[])] {
        let spec = vec![flow("orders", &[every(5)])];
        let mut bench = Bench::with("2026-11-22T10:00:00.020Z", 4, spec, vec![begun.clone()]);
        if let Some(cause) = wish {
            bench.board.wish("orders", cause, bench.now);
        }
        assert_eq!(bench.starts().len(), 1);
        bench.end("orders", End::Overtaken(Box::new(ended.clone())));
        assert_eq!(bench.starts(), again);
    }
}

#[test]
fn a_flow_that_runs_elsewhere_is_left_alone_until_it_ended() {
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, vec![flow("orders", &[every(5)])]);
    let start = bench.board.decide(bench.now).remove(0);
    bench.end("orders", End::Elsewhere);
    assert!(matches!(bench.state("orders"), FlowState::Running { elsewhere: true, .. }));
    assert_eq!(bench.board.wake_at(bench.now), None);
    let ended = Turn { ended_at: Some(bench.now + 10), ..start.turn };
    bench.pass(2_000);
    bench.board.learn(&[ended], &[], &BTreeMap::new(), &BTreeSet::new(), bench.now);
    assert_eq!(bench.starts(), [""; 0], "it was done there");
    assert_eq!(bench.wait(), 5 * MINUTE - 2_000);
}

#[test]
fn changed_lines_count_from_now_on() {
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, vec![flow("orders", &[at("0 6 * * *")])]);
    bench.adopt(vec![flow("orders", &[at("0 9 * * *")])]);
    assert_eq!(bench.starts(), [""; 0], "nine o'clock is over, and was never promised");
    bench.adopt(vec![flow("orders", &[every(5)])]);
    assert_eq!(bench.starts(), ["orders (schedule)"]);
    // A flow that is gone runs to its end, and is forgotten then.
    bench.adopt(vec![flow("other", &[every(5)])]);
    assert_eq!(bench.board.lanes().len(), 2);
    assert_eq!(bench.well("orders").starts(), ["other (schedule)"]);
    assert_eq!(bench.board.lanes().len(), 1);
}

#[test]
fn a_clock_that_is_set_back_silences_nobody() {
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, vec![flow("orders", &[every(5)])]);
    bench.starts();
    bench.well("orders");
    let turns: Vec<Turn> = bench.board.lanes().iter().map(Lane::turn).collect();
    // A day back, and a new start.
    let mut later = Bench::with("2026-11-21T10:01:00Z", 4, vec![flow("orders", &[every(5)])], turns);
    assert!(later.wait() <= 5 * MINUTE);
    assert_eq!(later.starts(), ["orders (schedule)"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever happens: no flow runs twice at a time, no more run than may, and each is run as
    /// often as it was promised, but for those left out while it ran.
    #[test]
    fn promises_hold(seed in any::<u64>(), at_once in 1_usize..4, takes in 1_000_i64..400_000) {
        let mut random = fastrand::Rng::with_seed(seed);
        let periods: Vec<u64> = (0..5).map(|_| random.u64(2..30)).collect();
        let flows = periods.iter().enumerate().map(|(number, period)| {
            let flow = flow(&format!("f{number}"), &[every(*period)]);
            if number % 2 == 0 { flow.queue() } else { flow }
        });
        let mut bench = Bench::new("2026-03-28T20:00:00Z", at_once, flows.collect());
        let day = 24 * HOUR;
        let counts = bench.live(day, takes);
        for (number, period) in periods.iter().enumerate() {
            let promised = day / (Millis::try_from(*period).unwrap() * MINUTE);
            let ran = Millis::try_from(counts[&format!("f{number}")]).unwrap();
            prop_assert!(ran <= promised + 1, "f{number}: {ran} of {promised}");
            // Room for all: nothing is left out.
            if takes < 60_000 && at_once == 3 {
                prop_assert!(ran >= promised - 1, "f{number}: {ran} of {promised}");
            }
            prop_assert!(ran >= 1);
        }
    }
}

//! Pauses, connections that are left alone, and how they come back.

use super::*;

fn two() -> Vec<Flow> {
    vec![
        flow("orders", &[every(60)]),
        flow("stock", &[every(60)]).between("till", "shop"),
        flow("files", &[every(60)]).between("folder", "archive"),
    ]
}

#[test]
fn a_flow_that_fails_is_tried_again_after_growing_pauses() {
    let mut bench = Bench::new("2026-11-22T06:00:00Z", 4, vec![flow("night", &[at("0 7 * * *")])]);
    assert_eq!(bench.starts(), ["night (schedule)"]);
    let mut pauses = Vec::new();
    for _ in 0..14 {
        bench.fails("night", "shop");
        assert_eq!(bench.word("night"), "waiting");
        pauses.push(bench.wait() / 1_000);
        assert_eq!(bench.starts(), ["night (again)"]);
    }
    for (number, pause) in pauses.iter().enumerate() {
        let plain = (10 << number.min(20)).min(3_600);
        assert!(*pause >= plain * 3 / 4 && *pause <= plain * 5 / 4, "{pauses:?}");
    }
    // It answers: the night's run is done, and the next one is tomorrow's.
    bench.well("night");
    assert_eq!(bench.word("night"), "idle");
    assert!(bench.wait() > HOUR);
    assert_eq!(bench.starts(), ["night (schedule)"]);
}

#[test]
fn a_connection_that_fails_thrice_is_left_alone_by_all_its_flows() {
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, two());
    assert_eq!(bench.starts().len(), 3);
    bench.well("stock").well("files").fails("orders", "shop");
    assert_eq!(bench.word("stock"), "idle", "once may be chance");
    for _ in 0..2 {
        bench.wait();
        assert_eq!(bench.starts(), ["orders (again)"]);
        bench.fails("orders", "shop");
    }
    let FlowState::Waiting { reason, .. } = bench.state("stock") else {
        panic!("{:?}", bench.state("stock"))
    };
    assert_eq!(
        (reason.as_str(), bench.word("orders"), bench.word("files")),
        ("it is down", "waiting", "idle")
    );
    bench.board.wish("stock", Cause::ByHand, bench.now);
    assert_eq!(bench.starts(), [""; 0]);
    // When the time is over one run tries, and the other waits for what comes of it.
    bench.wait();
    bench.pass(HOUR);
    let tried = bench.starts();
    let tried: Vec<&str> = tried.iter().map(|start| start.split(' ').next().unwrap()).collect();
    assert_eq!(tried, ["stock", "files"], "files uses other connections");
    bench.fails("stock", "shop");
    assert_eq!(bench.starts(), [""; 0]);
    bench.wait();
    bench.pass(HOUR);
    assert_eq!(bench.starts().len(), 1);
    bench.well("files");
    let runs = bench.board.lanes().iter().find(|lane| lane.is_running()).unwrap().name().to_owned();
    bench.well(&runs);
    // It answers: everybody goes on at once.
    let other = if runs == "stock" { "orders" } else { "stock" };
    assert!(bench.starts().iter().any(|start| start.starts_with(other)));
    assert!(bench.board.links().all(|link| link.failures == 0));
}

#[test]
fn the_pause_that_a_system_asks_for_is_kept() {
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, two());
    bench.starts();
    bench.well("stock").well("files");
    let (after, reason) = (Some(Duration::from_mins(40)), "too many requests".to_owned());
    bench.end("orders", End::Temporary { by: Some("shop".to_owned()), after, reason });
    bench.board.wish("stock", Cause::ByHand, bench.now);
    bench.board.wish("orders", Cause::ByHand, bench.now);
    assert_eq!(bench.starts(), [""; 0]);
    assert_eq!(bench.wait(), 40 * MINUTE);
    assert_eq!(bench.starts().len(), 2);
}

#[test]
fn refused_credentials_stop_the_flows_until_somebody_signs_in() {
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, two());
    bench.starts();
    bench.well("stock").well("files");
    let reason = "the key is not valid".to_owned();
    bench.end("orders", End::Reconnect { by: Some("shop".to_owned()), reason });
    bench.board.wish("orders", Cause::ByHand, bench.now);
    bench.board.wish("stock", Cause::ByHand, bench.now);
    bench.pass(48 * HOUR);
    assert_eq!(bench.starts(), ["files (schedule)"]);
    assert_eq!((bench.word("orders"), bench.word("stock")), ("reconnect needed", "reconnect needed"));
    // `weft connect shop`, in another process.
    let said = ConnectionState { connection: "shop".into(), updated_at: bench.now + 1, ..Default::default() };
    let turns: Vec<Turn> = bench.board.lanes().iter().map(Lane::turn).collect();
    let again = bench.board.learn(&turns, &[said], &BTreeMap::new(), &BTreeSet::new(), bench.now);
    assert_eq!(again, ["shop"]);
    assert_eq!(bench.starts().len(), 2);
}

#[test]
fn whoever_starts_a_daemon_may_have_mended_the_credentials() {
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, two());
    let refused = ConnectionState {
        connection: "shop".into(),
        failures: 1,
        reconnect: true,
        updated_at: bench.now - HOUR,
        ..Default::default()
    };
    bench.board.learn(&[], std::slice::from_ref(&refused), &BTreeMap::new(), &BTreeSet::new(), bench.now);
    assert_eq!(bench.starts(), ["files (schedule)"]);
    bench.board.try_again(bench.now);
    let (_, states) = bench.board.take_changes(bench.now);
    assert!(states.iter().any(|state| state.connection == "shop" && !state.reconnect));
    assert_eq!(bench.starts().len(), 2);
    // What the store says is older.
    bench.board.learn(&[], &[refused], &BTreeMap::new(), &BTreeSet::new(), bench.now);
    assert!(bench.board.links().all(|link| !link.reconnect));
}

#[test]
fn what_only_a_person_can_mend_is_tried_seldom_and_at_once_when_files_change() {
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, vec![flow("orders", &[every(1)])]);
    bench.starts();
    bench.end("orders", End::Permanent { reason: "no right to read orders".to_owned() });
    let pause = bench.wait();
    assert!(pause >= 11 * MINUTE, "{pause}");
    bench.starts();
    bench.end("orders", End::Permanent { reason: "no right to read orders".to_owned() });
    bench.adopt(vec![flow("orders", &[every(1)]).print(2)]);
    assert_eq!(bench.starts(), ["orders (schedule)"].map(|_| "orders (again)".to_owned()));
}

#[test]
fn pauses_and_refusals_outlive_the_process() {
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, two());
    bench.starts();
    let (after, reason) = (Some(Duration::from_mins(40)), "too many requests".to_owned());
    bench.end("orders", End::Temporary { by: Some("shop".to_owned()), after, reason });
    bench.well("files");
    let (turns, states) = bench.board.take_changes(bench.now);
    let turns = ["orders", "stock", "files"].map(|name| {
        turns.iter().find(|turn| turn.flow == name).cloned().unwrap_or_else(|| Lane::fresh(name, bench.now))
    });
    // Five minutes later, in another process.
    let mut later = Bench::with("2026-11-22T10:05:00Z", 4, two(), turns.to_vec());
    later.board.learn(&turns, &states, &BTreeMap::new(), &BTreeSet::new(), later.now);
    assert_eq!(later.starts(), [""; 0]);
    assert_eq!(later.wait(), 35 * MINUTE);
}

#[test]
fn trouble_of_the_store_counts_against_nobody() {
    let mut bench = Bench::new("2026-11-22T10:00:00Z", 4, two());
    bench.starts();
    bench.end("orders", End::Store);
    assert_eq!(bench.starts(), ["orders (again)"]);
    assert!(bench.board.links().all(|link| link.failures == 0));
}

//! Search, history, dead letters, forgetting, pruning, sealed secrets.

use proptest::prelude::*;

use super::*;

fn waiting(retry_at: Millis) -> Outcome {
    Outcome::Waiting { class: "busy".to_owned(), reason: "the till is closed".to_owned(), retry_at }
}

#[tokio::test]
async fn records_are_found_by_business_key_and_by_their_own() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    let mut record = settled("77", Outcome::Created);
    record.search_keys =
        vec![" Ann@Example.org ".to_owned(), "W-1001".to_owned(), "w-1001".to_owned(), " ".to_owned()];
    bench.store.settle_page(&lease, &page_of(vec![record])).await.expect("settled");
    for text in ["ann@example.org", "ANN@example.org ", "W-1001", "77"] {
        let found = bench.store.find_records(text, 10).await.expect("found");
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!((found[0].flow.as_str(), found[0].source_key.as_str()), (FLOW, "77"));
        assert_eq!(found[0].ledger.as_ref().map(|row| row.outcome), Some(OutcomeWord::Created));
    }
    for text in ["", " ", "ann", "78"] {
        assert_eq!(bench.store.find_records(text, 10).await, Ok(Vec::new()), "{text}");
    }
}

#[tokio::test]
async fn the_history_of_a_record_is_told_latest_first() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    for outcome in [failed("no such product"), Outcome::Created] {
        let mut record = settled("1", outcome);
        record.activity = Some(Activity { payload: Some(vec![0, 255]), detail: Some(b"[]".to_vec()) });
        bench.store.settle_page(&lease, &page_of(vec![record])).await.expect("settled");
        bench.pass(Duration::from_secs(1));
    }
    let quiet = Settled { activity: None, ..settled("1", Outcome::Unchanged) };
    bench.store.settle_page(&lease, &page_of(vec![quiet])).await.expect("settled");
    let history = bench.store.record_history(FLOW, "1", 10).await.expect("history");
    let last = HistoryRow {
        run: RUN.to_owned(),
        outcome: OutcomeWord::Created,
        reason: None,
        payload: Some(vec![0, 255]),
        detail: Some(b"[]".to_vec()),
        at: START + 1_000,
    };
    assert_eq!(history[0], last);
    assert_eq!(history[1].reason.as_deref(), Some("no such product"));
    assert_eq!(history.len(), 2);
    assert_eq!(bench.store.record_history(FLOW, "1", 1).await.expect("history").len(), 1);
}

#[tokio::test]
async fn a_failed_record_is_a_dead_letter_until_it_comes_through() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    for reason in ["first", "second"] {
        bench.store.settle_page(&lease, &page_of(vec![settled("1", failed(reason))])).await.expect("settled");
        bench.pass(Duration::from_secs(1));
    }
    let letter = DeadLetter {
        flow: FLOW.to_owned(),
        source_key: "1".to_owned(),
        payload: b"{}".to_vec(),
        class: "refused".to_owned(),
        reason: "second".to_owned(),
        attempts: 2,
        plan: Fingerprint::from(7),
        run: RUN.to_owned(),
        first_at: START,
        last_at: START + 1_000,
        retry_at: None,
        resolved_at: None,
        edited: None,
        dropped: None,
    };
    assert_eq!(bench.store.dead_letters(&DeadQuery::default()).await, Ok(vec![letter.clone()]));

    bench.store.settle_page(&lease, &page_of(vec![settled("1", Outcome::Created)])).await.expect("settled");
    assert_eq!(bench.store.dead_letters(&DeadQuery::default()).await, Ok(Vec::new()));
    let resolved = DeadLetter { resolved_at: Some(START + 2_000), ..letter };
    assert_eq!(bench.store.dead_letter(FLOW, "1").await, Ok(Some(resolved)));

    bench.store.settle_page(&lease, &page_of(vec![settled("1", failed("third"))])).await.expect("settled");
    let anew = bench.store.dead_letter(FLOW, "1").await.expect("read").expect("letter");
    assert_eq!((anew.attempts, anew.first_at, anew.resolved_at), (1, START + 2_000, None));
}

#[tokio::test]
async fn dead_letters_are_listed_by_flow_class_and_run() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    let records = vec![settled("1", failed("a")), settled("2", failed("b")), settled("3", waiting(START))];
    bench.store.settle_page(&lease, &page_of(records)).await.expect("settled");
    assert_eq!(bench.store.resolve(FLOW, "1").await, Ok(true));
    assert_eq!(bench.store.resolve(FLOW, "1").await, Ok(false), "already");
    assert_eq!(bench.store.resolve(FLOW, "x").await, Ok(false), "never there");

    let keys = async |query: DeadQuery| {
        let letters = bench.store.dead_letters(&query).await.expect("letters");
        letters.into_iter().map(|letter| letter.source_key).collect::<Vec<_>>().join(" ")
    };
    let all = DeadQuery { resolved: true, waiting: true, ..DeadQuery::default() };
    assert_eq!(keys(DeadQuery::default()).await, "2");
    assert_eq!(keys(all.clone()).await, "1 2 3");
    assert_eq!(keys(DeadQuery { limit: 2, ..all.clone() }).await, "1 2");
    assert_eq!(keys(DeadQuery { class: Some("busy".to_owned()), ..all.clone() }).await, "3");
    assert_eq!(keys(DeadQuery { flow: Some("stock".to_owned()), ..all.clone() }).await, "");
    assert_eq!(keys(DeadQuery { run: Some(RUN.to_owned()), ..all }).await, "1 2 3");
}

#[tokio::test]
async fn a_waiting_record_falls_due() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    let records = vec![settled("late", waiting(START + 2_000)), settled("soon", waiting(START + 1_000))];
    bench.store.settle_page(&lease, &page_of(records)).await.expect("settled");
    assert_eq!(bench.store.due(FLOW, 10).await, Ok(Vec::new()));
    bench.pass(Duration::from_secs(5));
    let due = bench.store.due(FLOW, 10).await.expect("due");
    assert_eq!(due.iter().map(|letter| letter.source_key.as_str()).collect::<Vec<_>>(), ["soon", "late"]);
    bench
        .store
        .settle_page(&lease, &page_of(vec![settled("soon", Outcome::Created)]))
        .await
        .expect("settled");
    assert_eq!(bench.store.due(FLOW, 10).await.expect("due").len(), 1);
}

#[tokio::test]
async fn pruning_takes_the_old_log_and_leaves_the_ledger() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold().await;
    for (run, pages) in [("run-1", 50), ("run-2", 0), ("run-3", 1)] {
        bench.store.start_run(&lease, &new_run(run)).await.expect("run");
        for _ in 0..pages {
            let page = Page { run: run.to_owned(), ..page_of(vec![settled("1", Outcome::Created)]) };
            bench.store.settle_page(&lease, &page).await.expect("settled");
        }
        bench.store.end_run(&lease, run, RunState::Succeeded, None).await.expect("ended");
        bench.pass(Duration::from_hours(1));
    }
    let before = START + 2 * 3_600_000;
    assert_eq!(bench.store.prune(FLOW, before).await, Ok(51), "50 lines and a run that read nothing");
    assert_eq!(bench.store.prune(FLOW, before).await, Ok(0));
    assert_eq!(bench.store.record_history(FLOW, "1", 100).await.expect("history").len(), 1);
    let runs = bench.store.runs(Some(FLOW), 10).await.expect("runs");
    assert_eq!(runs.iter().map(|run| run.id.as_str()).collect::<Vec<_>>(), ["run-3", "run-1"]);
    assert!(bench.known("1").await.ledger.is_some());
}

#[tokio::test]
async fn an_edit_stays_beside_the_payload_until_the_source_has_another_record() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    let bury = async |payload: &str, print: u128| {
        let payload = payload.as_bytes().to_vec();
        let record = Settled { payload, source_print: print.into(), ..settled("1", failed("a")) };
        bench.store.settle_page(&lease, &page_of(vec![record])).await.expect("settled");
        bench.store.dead_letter(FLOW, "1").await.expect("read").expect("letter")
    };
    bury("read", 1).await;
    assert_eq!(bench.store.edit_dead(FLOW, "2", Some(b"x"), "ann").await, Ok(false));
    assert_eq!(bench.store.edit_dead(FLOW, "1", Some(b"edited"), "ann").await, Ok(true));
    // It was tried as edited, and failed again.
    let letter = bury("edited", 1).await;
    let edit = Edit { payload: b"edited".to_vec(), by: "ann".to_owned(), at: START };
    assert_eq!((letter.payload.as_slice(), letter.edited), (b"read".as_slice(), Some(edit)));
    let letter = bury("another", 2).await;
    assert_eq!((letter.payload.as_slice(), letter.edited), (b"another".as_slice(), None));
    bench.store.edit_dead(FLOW, "1", Some(b"edited"), "ann").await.expect("edited");
    assert_eq!(bench.store.edit_dead(FLOW, "1", None, "ann").await, Ok(true));
    assert_eq!(bench.store.edit_dead(FLOW, "1", None, "ann").await, Ok(false));
    // One that came through and fails anew begins anew.
    bench.store.edit_dead(FLOW, "1", Some(b"edited"), "ann").await.expect("edited");
    bench.store.settle_page(&lease, &page_of(vec![settled("1", Outcome::Created)])).await.expect("settled");
    assert_eq!(bench.store.edit_dead(FLOW, "1", Some(b"late"), "ann").await, Ok(false));
    assert_eq!(bury("read", 1).await.edited, None);
}

#[tokio::test]
async fn a_letter_that_is_dropped_is_told_in_the_history_and_ages_like_the_rest() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    let records = vec![settled("1", failed("a")), settled("2", failed("b"))];
    bench.store.settle_page(&lease, &page_of(records)).await.expect("settled");
    bench.pass(Duration::from_millis(1));
    let drop = Drop { flow: FLOW, keys: &["1", "3"], by: "ann", why: "a test order" };
    assert_eq!(bench.store.drop_dead(&drop).await, Ok(1));
    assert_eq!(bench.store.drop_dead(&drop).await, Ok(0));
    let letter = bench.store.dead_letter(FLOW, "1").await.expect("read").expect("letter");
    let dropped = Dropped { by: "ann".to_owned(), why: "a test order".to_owned() };
    assert_eq!((letter.resolved_at, letter.dropped), (Some(START + 1), Some(dropped)));
    let ledger = bench.known("1").await.ledger.expect("ledger");
    assert_eq!((ledger.outcome, ledger.attempts), (OutcomeWord::Skipped, 0));
    let history = bench.store.record_history(FLOW, "1", 9).await.expect("history");
    assert_eq!(history[0].reason.as_deref(), Some("dropped by ann: a test order"));
    let run = bench.store.run(&history[0].run).await.expect("read").expect("run");
    assert_eq!((run.cause.as_str(), run.counts.read(), run.counts.skipped), ("dropped by hand", 1, 1));
    assert_eq!(bench.store.runs(None, 9).await.expect("runs").len(), 2);
    assert_eq!(bench.store.prune(FLOW, START + 2).await, Ok(2), "its line in the log, and itself");
    assert!(bench.store.dead_letter(FLOW, "2").await.expect("read").is_some());
}

#[tokio::test]
async fn pruning_takes_dead_letters_only_once_resolved() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    let records = vec![settled("1", failed("a")), settled("2", failed("b"))];
    bench.store.settle_page(&lease, &page_of(records)).await.expect("settled");
    bench.store.resolve(FLOW, "1").await.expect("resolved");
    assert_eq!(bench.store.prune(FLOW, START + 1).await, Ok(1));
    assert_eq!(bench.store.dead_letter(FLOW, "1").await, Ok(None));
    assert!(bench.store.dead_letter(FLOW, "2").await.expect("read").is_some());
}

#[tokio::test]
async fn sealed_secrets_are_kept_replaced_and_dropped() {
    let Some(bench) = Bench::new().await else { return };
    let keep = async |connection: &str, sealed: &[u8], only_new| {
        let secret = Keep { mark: b"mark", connection, name: "token", sealed, only_new };
        bench.store.keep(&secret).await.expect("kept")
    };
    assert_eq!(bench.store.kept("till", "token").await, Ok(None));
    assert_eq!(bench.store.key_mark().await, Ok(None));
    assert_eq!(keep("till", &[1], false).await, Keeping::Done);
    assert_eq!(keep("till", &[2, 0, 255], false).await, Keeping::Done);
    assert_eq!(keep("till", &[9], true).await, Keeping::Present);
    assert_eq!(keep("shop", &[3], true).await, Keeping::Done);
    assert_eq!(bench.store.kept("till", "token").await, Ok(Some(vec![2, 0, 255])));
    assert_eq!(bench.store.drop_kept("till", "token").await, Ok(true));
    assert_eq!(bench.store.drop_kept("till", "token").await, Ok(false));
    assert_eq!(bench.store.kept("till", "token").await, Ok(None));
    assert_eq!(bench.store.all_kept().await.expect("all").len(), 1);
    assert_eq!(bench.store.kept("shop", "token").await, Ok(Some(vec![3])));
}

fn any_outcome() -> impl Strategy<Value = Outcome> {
    let text = || "(?s:.){0,12}";
    prop_oneof![
        Just(Outcome::Created),
        Just(Outcome::Updated),
        Just(Outcome::Unchanged),
        text().prop_map(|reason| Outcome::Skipped { reason }),
        (text(), text()).prop_map(|(class, reason)| Outcome::Failed { class, reason }),
        (text(), text(), any::<i64>()).prop_map(|(class, reason, retry_at)| Outcome::Waiting {
            class,
            reason,
            retry_at
        }),
    ]
}

prop_compose! {
    fn any_record()(
        source_key in "(?s:.){0,20}",
        source_print in any::<u128>(),
        outcome in any_outcome(),
        target_key in "(?s:.){0,20}",
        item in "(?s:.){0,5}",
        sent in any::<Option<Vec<u8>>>(),
        payload in any::<Vec<u8>>(),
        detail in any::<Option<Vec<u8>>>(),
    ) -> Settled {
        let activity = Some(Activity { payload: Some(payload.clone()), detail });
        let written = vec![Written { item, sent, ..written(&target_key) }];
        let source_print = Fingerprint::from(source_print);
        Settled { source_key, source_print, outcome, written, activity, search_keys: Vec::new(), payload, in_doubt: false }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn what_goes_in_comes_out(record in any_record()) {
        tokio::runtime::Runtime::new().expect("runtime").block_on(async {
            let Some(bench) = Bench::new().await else { return Ok(()) };
            let lease = bench.hold_and_run().await;
            bench.store.settle_page(&lease, &page_of(vec![record.clone()])).await.expect("settled");
            let known = bench.known(&record.source_key).await;
            let ledger = known.ledger.expect("row");
            prop_assert_eq!(ledger.source_print, record.source_print);
            prop_assert_eq!(ledger.outcome, record.outcome.word());
            prop_assert_eq!(ledger.reason.as_deref(), record.outcome.reason());
            prop_assert_eq!(&known.written, &record.written);
            let history = bench.store.record_history(FLOW, &record.source_key, 1).await.expect("history").remove(0);
            let activity = Activity { payload: history.payload, detail: history.detail };
            prop_assert_eq!(Some(activity), record.activity);
            let letter = bench.store.dead_letter(FLOW, &record.source_key).await.expect("letter");
            prop_assert_eq!(letter.is_some(), matches!(record.outcome, Outcome::Failed { .. } | Outcome::Waiting { .. }));
            prop_assert_eq!(letter.map_or(record.payload.clone(), |letter| letter.payload), record.payload);
            Ok(())
        })?;
    }
}

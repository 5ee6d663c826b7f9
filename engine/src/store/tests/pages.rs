//! A page is settled whole or not at all, and read back as it was.

use super::*;

#[tokio::test]
async fn a_new_record_is_unknown() {
    let Some(bench) = Bench::new().await else { return };
    assert_eq!(bench.store.known(FLOW, &["1", "2"]).await, Ok(vec![Known::default(); 2]));
    assert_eq!(bench.store.known(FLOW, &[]).await, Ok(Vec::new()));
    assert_eq!(bench.store.cursor(FLOW).await, Ok(None));
}

#[tokio::test]
async fn what_is_settled_is_known() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    let mut record = settled("1", Outcome::Created);
    record.written = vec![
        Written { sent: Some(b"{\"a\":1}".to_vec()), ..written("t-1") },
        Written { write_id: "create lines".to_owned(), item: "2".to_owned(), ..written("t-2") },
    ];
    let page = Page { cursor: Some(cursor_at("p2")), ..page_of(vec![record.clone()]) };
    bench.store.settle_page(&lease, &page).await.expect("settled");

    let known = bench.known("1").await;
    let expected = LedgerRow {
        source_print: Fingerprint::from(1),
        plan: Fingerprint::from(7),
        outcome: OutcomeWord::Created,
        reason: None,
        attempts: 0,
        run: RUN.to_owned(),
        updated_at: START,
    };
    assert_eq!(known.ledger, Some(expected));
    assert_eq!(known.written, [record.written[1].clone(), record.written[0].clone()]);
    assert_eq!(known.intent, None);
    assert_eq!(bench.store.cursor(FLOW).await, Ok(Some(cursor_at("p2"))));
    assert_eq!(bench.store.known("stock", &["1"]).await, Ok(vec![Known::default()]), "another flow");
}

#[tokio::test]
async fn known_answers_in_the_order_of_the_question() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    let page = page_of(vec![settled("b", Outcome::Created), settled("a", Outcome::Unchanged)]);
    bench.store.settle_page(&lease, &page).await.expect("settled");
    let known = bench.store.known(FLOW, &["a", "x", "b", "a"]).await.expect("known");
    let words: Vec<_> = known.iter().map(|known| known.ledger.as_ref().map(|row| row.outcome)).collect();
    let (made, same) = (Some(OutcomeWord::Created), Some(OutcomeWord::Unchanged));
    assert_eq!(words, [same, None, made, same]);
}

#[tokio::test]
async fn a_write_that_sent_nothing_stays_known() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    let first = Settled { written: vec![written("t-1")], ..settled("1", Outcome::Created) };
    bench.store.settle_page(&lease, &page_of(vec![first])).await.expect("settled");
    bench.store.settle_page(&lease, &page_of(vec![settled("1", Outcome::Unchanged)])).await.expect("settled");
    assert_eq!(bench.known("1").await.written, [written("t-1")]);
    let again = Settled { written: vec![written("t-9")], ..settled("1", Outcome::Updated) };
    bench.store.settle_page(&lease, &page_of(vec![again])).await.expect("settled");
    assert_eq!(bench.known("1").await.written, [written("t-9")]);
}

#[tokio::test]
async fn intents_last_until_the_outcome() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    bench.store.begin_page(&lease, RUN, &["1", "2", "3", "4", "1"]).await.expect("begun");
    let intent = Intent { source_key: "1".to_owned(), epoch: 1, run: RUN.to_owned(), begun_at: START };
    assert_eq!(bench.known("1").await.intent, Some(intent));

    let mut page = page_of(vec![settled("1", Outcome::Created), settled("2", failed("no"))]);
    page.withdrawn = vec!["3".to_owned()];
    bench.store.settle_page(&lease, &page).await.expect("settled");
    let open = bench.store.open_intents(FLOW).await.expect("open");
    assert_eq!(open.into_iter().map(|intent| intent.source_key).collect::<Vec<_>>(), ["4"]);
}

#[tokio::test]
async fn an_intent_in_doubt_outlives_the_outcome() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    bench.store.begin_page(&lease, RUN, &["1"]).await.expect("begun");
    let doubtful = Settled { in_doubt: true, ..settled("1", failed("nobody knows")) };
    bench.store.settle_page(&lease, &page_of(vec![doubtful])).await.expect("settled");
    assert!(bench.known("1").await.intent.is_some());
    bench.store.settle_page(&lease, &page_of(vec![settled("1", Outcome::Created)])).await.expect("settled");
    assert_eq!(bench.known("1").await.intent, None);
}

#[tokio::test]
async fn after_a_store_was_put_back_what_is_unknown_is_in_doubt_for_a_whole_pass() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    let page = Page { cursor: Some(cursor_at("p2")), ..page_of(vec![settled("1", Outcome::Created)]) };
    bench.store.settle_page(&lease, &page).await.expect("settled");
    assert_eq!(bench.store.mark_restored().await, Ok(1));
    assert_eq!(bench.store.mark_restored().await, Ok(1), "again");
    let position = bench.store.cursor(FLOW).await.expect("cursor").and_then(|cursor| cursor.position);
    assert_eq!(position, None, "the pass under way begins again");
    let doubt = Intent { source_key: "2".to_owned(), epoch: 0, run: String::new(), begun_at: START };
    assert_eq!(bench.known("1").await.intent, None);
    assert_eq!(bench.known("2").await.intent, Some(doubt));
    assert_eq!(bench.store.open_intents(FLOW).await, Ok(Vec::new()), "nothing is under way");

    // One that was looked for is known; one that could not be looked for stays in doubt.
    bench.store.begin_page(&lease, RUN, &["2", "3"]).await.expect("begun");
    let doubtful = Settled { in_doubt: true, ..settled("3", failed("nobody knows")) };
    let page = page_of(vec![settled("2", Outcome::Created), doubtful]);
    bench.store.settle_page(&lease, &page).await.expect("settled");
    let page = Page { cursor: Some(cursor_at("p2")), ..page_of(Vec::new()) };
    bench.store.settle_page(&lease, &page).await.expect("settled");
    bench.store.end_run(&lease, RUN, RunState::Stopped, None).await.expect("ended");
    assert!(bench.known("4").await.intent.is_some(), "not all of the source has been seen");

    bench.store.start_run(&lease, &new_run("run-2")).await.expect("run");
    let end = Page { run: "run-2".to_owned(), cursor: Some(Cursor::default()), ..page_of(Vec::new()) };
    bench.store.settle_page(&lease, &end).await.expect("settled");
    assert_eq!(bench.known("4").await, Known::default());
    assert_eq!(bench.known("2").await.intent, None);
    assert!(bench.known("3").await.intent.is_some());
}

#[tokio::test]
async fn a_flow_that_adds_to_a_journal_needs_no_doubt() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    let journal =
        Journal { owner: "w".to_owned(), write_id: "create lines".to_owned(), mark: "9".to_owned() };
    bench.store.set_journal(&lease, &journal).await.expect("set");
    assert_eq!(bench.store.mark_restored().await, Ok(0));
    assert_eq!(bench.known("1").await, Known::default());
}

#[tokio::test]
async fn a_fenced_page_leaves_nothing_behind() {
    let Some(bench) = Bench::new().await else { return };
    let late = bench.hold_and_run().await;
    bench.store.begin_page(&late, RUN, &["1"]).await.expect("begun");
    let before = bench.known("1").await;
    bench.pass(TTL);
    let other = bench.another().await;
    held(other.acquire(FLOW, "two", TTL, &nobody).await);

    let mut record = settled("1", failed("no"));
    record.written = vec![written("t-1")];
    record.search_keys = vec!["order 5".to_owned()];
    let page = Page { cursor: Some(cursor_at("p2")), ..page_of(vec![record]) };
    let fenced = Err(StoreError::Fenced { flow: FLOW.to_owned(), epoch: 1 });
    assert_eq!(bench.store.settle_page(&late, &page).await, fenced);
    assert_eq!(bench.store.begin_page(&late, RUN, &["9"]).await, fenced);
    assert_eq!(bench.store.set_cursor(&late, &cursor_at("p3")).await, fenced);
    assert_eq!(bench.store.start_run(&late, &new_run("run-2")).await, fenced);
    assert_eq!(bench.store.end_run(&late, RUN, RunState::Succeeded, None).await, fenced);

    assert_eq!(bench.known("1").await, before);
    assert_eq!(bench.known("9").await, Known::default());
    assert_eq!(bench.store.cursor(FLOW).await, Ok(None));
    assert_eq!(bench.store.find_records("order 5", 10).await, Ok(Vec::new()));
    assert_eq!(bench.store.record_history(FLOW, "1", 10).await, Ok(Vec::new()));
    assert_eq!(bench.store.dead_letters(&DeadQuery::default()).await, Ok(Vec::new()));
    let run = bench.store.run(RUN).await.expect("read").expect("run");
    assert_eq!((run.pages, run.counts), (0, Counts::default()));
}

#[tokio::test]
async fn a_page_that_fails_midway_leaves_nothing_behind() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold().await; // No run was started: counting the page fails.
    let page = Page { cursor: Some(cursor_at("p2")), ..page_of(vec![settled("1", Outcome::Created)]) };
    assert!(matches!(bench.store.settle_page(&lease, &page).await, Err(StoreError::NoSuchRun { .. })));
    assert_eq!(bench.known("1").await, Known::default());
    bench.store.start_run(&lease, &new_run(RUN)).await.expect("run");
    bench.store.settle_page(&lease, &page).await.expect("the same page again");
    assert_eq!(bench.store.cursor(FLOW).await, Ok(Some(cursor_at("p2"))));
}

#[tokio::test]
async fn pages_of_any_size_are_settled() {
    for size in [0, 1, 99, 100, 101, 1_000] {
        let Some(bench) = Bench::new().await else { return };
        let lease = bench.hold_and_run().await;
        let keys: Vec<String> = (0..size).map(|number| format!("key {number:04}")).collect();
        let refs: Vec<&str> = keys.iter().map(String::as_str).collect();
        bench.store.begin_page(&lease, RUN, &refs).await.expect("begun");
        let records = keys
            .iter()
            .map(|key| Settled {
                written: vec![written(key), Written { item: "1".to_owned(), ..written(key) }],
                search_keys: vec![key.clone(), "all".to_owned()],
                ..settled(key, if key.ends_with('7') { failed("seven") } else { Outcome::Created })
            })
            .collect();
        bench.store.settle_page(&lease, &page_of(records)).await.expect("settled");

        let known = bench.store.known(FLOW, &refs).await.expect("known");
        assert!(known.iter().all(|known| known.ledger.is_some() && known.written.len() == 2));
        assert!(known.iter().all(|known| known.intent.is_none()));
        let run = bench.store.run(RUN).await.expect("read").expect("run");
        assert_eq!(run.counts.read(), i64::from(size));
        let found = bench.store.find_records("all", 2_000).await.expect("found");
        assert_eq!(found.len(), keys.len());
    }
}

#[tokio::test]
async fn a_record_twice_in_a_page_stands_as_it_came_last() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    let first = Settled { written: vec![written("t-1")], ..settled("1", Outcome::Created) };
    let page = page_of(vec![first, settled("2", Outcome::Unchanged), settled("1", failed("later"))]);
    bench.store.settle_page(&lease, &page).await.expect("settled");
    let known = bench.known("1").await;
    assert_eq!(known.ledger.map(|row| row.outcome), Some(OutcomeWord::Failed));
    assert_eq!(known.written, [written("t-1")], "it was sent");
    assert_eq!(bench.store.record_history(FLOW, "1", 10).await.expect("history").len(), 2);
    let run = bench.store.run(RUN).await.expect("read").expect("run");
    assert_eq!(run.counts.read(), 3);
}

#[tokio::test]
async fn attempts_count_failures_in_a_row() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    let mut seen = Vec::new();
    for outcome in [failed("a"), failed("b"), Outcome::Updated, failed("c")] {
        bench.store.settle_page(&lease, &page_of(vec![settled("1", outcome)])).await.expect("settled");
        seen.push(bench.known("1").await.ledger.expect("row").attempts);
    }
    assert_eq!(seen, [1, 2, 0, 1]);
}

#[tokio::test]
async fn the_cursor_moves_by_itself_too() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold().await;
    let cursor =
        Cursor { since: Some("\"2026-01-01\"".to_owned()), high: Some("7".to_owned()), ..Cursor::default() };
    bench.store.set_cursor(&lease, &cursor).await.expect("moved");
    assert_eq!(bench.store.cursor(FLOW).await, Ok(Some(cursor)));
    bench.store.set_cursor(&lease, &Cursor::default()).await.expect("reset");
    assert_eq!(bench.store.cursor(FLOW).await, Ok(Some(Cursor::default())));
}

#[tokio::test]
async fn a_call_that_is_dropped_leaves_all_or_nothing() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    let records = (0..500).map(|number| settled(&format!("{number}"), Outcome::Created)).collect();
    let page = Page { cursor: Some(cursor_at("p2")), ..page_of(records) };
    for micros in [0, 50, 200, 500, 1_000, 2_000, 4_000, 8_000] {
        let _ =
            tokio::time::timeout(Duration::from_micros(micros), bench.store.settle_page(&lease, &page)).await;
        // A database may still be at work on what nobody waits for any more; this comes after it.
        bench.store.renew(&lease, TTL).await.expect("ours");
        let known = bench.store.known(FLOW, &["0", "499"]).await.expect("known");
        let moved = bench.store.cursor(FLOW).await.expect("cursor").is_some();
        assert!(known.iter().all(|known| known.ledger.is_some() == moved), "after {micros} µs");
    }
    bench.store.settle_page(&lease, &page).await.expect("the store is well");
}

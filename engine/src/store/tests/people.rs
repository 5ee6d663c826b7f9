//! People: found wherever they are named, forgotten everywhere, and not created twice for it.

use super::*;

const ANN: &str = "ann@example.org";

fn forget<'a>(records: &'a [(String, String)], text: &'a str) -> Forget<'a> {
    Forget { text, records, by: "bo" }
}

fn record(key: &str, who: &str) -> Settled {
    let payload = format!(r#"{{"email":"{who}"}}"#).into_bytes();
    Settled {
        written: vec![Written { sent: Some(payload.clone()), ..written("t1") }],
        search_keys: vec![who.to_owned(), format!("no {key}")],
        activity: Some(Activity { payload: Some(payload.clone()), detail: None }),
        payload,
        ..settled(key, failed(&format!("{who} is on the black list")))
    }
}

async fn of(bench: &Bench, text: &str) -> Vec<String> {
    let found = bench.store.find_records(text, 10).await.expect("found");
    found.into_iter().map(|found| found.source_key).collect()
}

async fn two_people() -> Option<(Bench, Lease)> {
    let bench = Bench::new().await?;
    let lease = bench.hold_and_run().await;
    let records = vec![record("1", ANN), record("2", "joann@example.org")];
    bench.store.begin_page(&lease, RUN, &["1", "2"]).await.expect("begun");
    bench.store.settle_page(&lease, &page_of(records)).await.expect("settled");
    Some((bench, lease))
}

fn one(key: &str) -> [(String, String); 1] {
    [(FLOW.to_owned(), key.to_owned())]
}

#[tokio::test]
async fn a_person_is_gone_and_the_neighbour_is_not() {
    let Some((bench, _)) = two_people().await else { return };
    let receipt = bench.store.forget(&forget(&one("1"), ANN)).await.expect("forgotten");
    let removed = Removed { records: 1, log: 1, dead: 1, search: 2 };
    assert_eq!(receipt.removed, [(FLOW.to_owned(), removed)].into());
    assert_eq!((receipt.by.as_str(), receipt.at), ("bo", START));
    assert_eq!(bench.store.record_history(FLOW, "1", 10).await, Ok(Vec::new()));
    assert_eq!(bench.store.dead_letter(FLOW, "1").await, Ok(None));
    assert_eq!(of(&bench, ANN).await, [""; 0]);
    assert_eq!(of(&bench, "1").await, [""; 0]);
    assert_eq!(of(&bench, "joann@example.org").await, ["2"]);
    assert_eq!(bench.store.receipts().await, Ok(vec![receipt.clone()]));
    assert!(receipt.is_of(" Ann@Example.org ") && !receipt.is_of("joann@example.org"));
    let again = bench.store.forget(&forget(&one("1"), ANN)).await.expect("forgotten");
    assert_ne!(again.who, receipt.who, "two receipts do not show that they are about one person");
}

#[tokio::test]
async fn what_was_written_stays_known_without_a_word_about_the_person() {
    let Some((bench, lease)) = two_people().await else { return };
    bench.store.forget(&forget(&one("1"), ANN)).await.expect("forgotten");
    let known = bench.known("1").await;
    let ledger = known.ledger.expect("its line");
    assert_eq!((ledger.outcome, ledger.reason), (OutcomeWord::Failed, None));
    assert_eq!(known.written, [Written { sent: None, ..written("t1") }]);
    // The source shows it again, changed: it is the same record, and goes by its key again.
    bench.store.begin_page(&lease, RUN, &["1", "2", "3"]).await.expect("begun");
    assert_eq!(of(&bench, "1").await, ["1"]);
    let unsent = Settled { written: Vec::new(), ..settled("1", Outcome::Updated) };
    bench.store.settle_page(&lease, &page_of(vec![unsent])).await.expect("settled");
    let known = bench.known("1").await;
    assert_eq!(known.written.len(), 1, "what was written before it was forgotten");
    assert_eq!(known.ledger.expect("its line").outcome, OutcomeWord::Updated);
    bench.store.forget(&forget(&one("1"), ANN)).await.expect("forgotten again");
    assert_eq!(bench.known("1").await.written.len(), 1);
}

#[tokio::test]
async fn an_open_intent_outlives_being_forgotten() {
    let Some((bench, lease)) = two_people().await else { return };
    bench.store.begin_page(&lease, RUN, &["1"]).await.expect("begun");
    bench.store.forget(&forget(&one("1"), ANN)).await.expect("forgotten");
    assert!(bench.known("1").await.intent.is_some(), "look in the target before creating anything");
}

#[tokio::test]
async fn an_address_is_found_wherever_it_is_named() {
    let Some((bench, lease)) = two_people().await else { return };
    let detail = br#"{"exchanges":[{"sent":"mail=ann%40example.org&x=1"}]}"#.to_vec();
    let quiet = |key: &str| Settled { activity: None, ..settled(key, Outcome::Created) };
    let records = vec![
        Settled { activity: Some(Activity { payload: None, detail: Some(detail) }), ..quiet("deep") },
        Settled { outcome: Outcome::Skipped { reason: format!("{ANN}, again") }, ..quiet("reason") },
        quiet("nobody"),
    ];
    bench.store.settle_page(&lease, &page_of(records)).await.expect("settled");
    let found = bench.store.mentions("Ann@Example.org").await.expect("searched");
    let keys: Vec<&str> = found.iter().map(|(_, key)| key.as_str()).collect();
    assert_eq!(keys, ["1", "deep", "reason"]);
    assert_eq!(bench.store.mentions("1").await, Ok(Vec::new()), "a number may be anything");
}

#[tokio::test]
async fn a_search_for_mentions_reads_everything_once() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    for page in 0..12 {
        let record = |key: usize| {
            let who = if key == 99 { ANN } else { "x" };
            let payload = format!(r#"{{"email":"{who}"}}"#).into_bytes();
            let activity = Some(Activity { payload: Some(payload), detail: None });
            Settled { activity, ..settled(&format!("{page}/{key}"), failed("no")) }
        };
        let records = (0..100).map(record).collect();
        bench.store.settle_page(&lease, &page_of(records)).await.expect("settled");
    }
    assert_eq!(bench.store.mentions(ANN).await.expect("searched").len(), 12);
}

#[tokio::test]
async fn addresses_leave_the_index_with_the_log_and_numbers_stay() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    let well = |key: &str, who: &str| {
        let outcome = Outcome::Skipped { reason: format!("{who} was sent before") };
        let masked = masked_key("secret@example.org");
        let search_keys = vec![who.to_owned(), format!("no {key}"), masked];
        Settled { outcome, search_keys, ..record(key, who) }
    };
    let records = vec![well("1", ANN), record("2", "jo@example.org")];
    bench.store.settle_page(&lease, &page_of(records)).await.expect("settled");
    bench.store.end_run(&lease, RUN, RunState::Succeeded, None).await.expect("ended");
    assert_eq!(of(&bench, "Secret@example.org").await, ["1"], "who knows it finds it");
    bench.store.prune(FLOW, START + 1).await.expect("pruned");
    for gone in [ANN, "secret@example.org"] {
        assert_eq!(of(&bench, gone).await, [""; 0], "{gone}");
    }
    assert_eq!(of(&bench, "no 1").await, ["1"]);
    assert_eq!(bench.known("1").await.ledger.expect("its line").reason, None);
    assert_eq!(of(&bench, "jo@example.org").await, ["2"], "somebody has to come back to it");
}

#[tokio::test]
async fn pruning_stops_where_it_is_told_to() {
    let Some(bench) = Bench::new().await else { return };
    let lease = bench.hold_and_run().await;
    for _ in 0..60 {
        bench
            .store
            .settle_page(&lease, &page_of(vec![settled("1", Outcome::Created)]))
            .await
            .expect("settled");
    }
    bench.store.end_run(&lease, RUN, RunState::Succeeded, None).await.expect("ended");
    let some = async || bench.store.prune_some(FLOW, START + 1, 20).await.expect("pruned");
    assert_eq!(some().await, Pruned { rows: 20, more: true });
    assert_eq!(some().await, Pruned { rows: 20, more: true });
    assert_eq!(some().await, Pruned { rows: 20, more: true });
    assert_eq!(some().await, Pruned { rows: 0, more: false });
}

//! Alerts from what is the case to what arrives: golden messages, one for each cause and no more,
//! and channels that fail in every way.

mod mail;

use std::sync::Mutex;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::*;
use crate::project::{Alerts, Rules};
use crate::serve::{ConnectionHealth, FlowHealth, FlowState, Health, Roster, Talks, Totals, Waker};
use crate::store::{Activity, Claim, Fingerprint, NewRun, Outcome, Page, RunState, Settled, this_process};

const FLOW: &str = "orders";

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn start() -> Timestamp {
    moment("2026-11-22T05:00:00Z")
}

fn message(kind: Kind, cause: Cause, reason: Option<&str>) -> Message {
    Message {
        project: "Koffiehuis".to_owned(),
        kind,
        cause: Some(cause),
        since: start(),
        reason: reason.map(str::to_owned),
        records: Vec::new(),
    }
}

fn examples() -> Vec<Message> {
    let flow = || FLOW.to_owned();
    let failing = Cause::Failing { flow: flow() };
    let reason = Some("MplusKASSA: did not answer within 60 s; tried 4 times");
    let refused = Message {
        records: vec![
            ("2026-1001".to_owned(), "line 1: product A&B <1> is not in the till".to_owned()),
            ("2026-1002".to_owned(), "the customer has no e-mail address".to_owned()),
        ],
        ..message(Kind::First, Cause::Refused { flow: flow() }, Some("12 records are refused"))
    };
    let silent = Some("it was due at 2026-11-22 04:00 UTC and has not run since");
    let reconnect = Cause::Reconnect { connection: "office".to_owned() };
    vec![
        message(Kind::First, failing.clone(), reason),
        message(Kind::Still, failing.clone(), reason),
        message(Kind::Over, failing, None),
        message(Kind::First, Cause::Silent { flow: flow() }, silent),
        refused,
        message(Kind::First, reconnect.clone(), Some("Teamleader: the token has been withdrawn")),
        message(Kind::Over, reconnect, None),
        message(Kind::First, Cause::Store, Some("no room left for the store `.weft/store.db`")),
        message(Kind::First, Cause::Files, Some("flows/orders.flow:3:1: unknown step")),
        Message::test("Koffiehuis", start()),
    ]
}

#[test]
fn every_message_says_what_is_wrong_and_what_to_do() {
    let texts: Vec<String> = examples().iter().map(Message::text).collect();
    insta::assert_snapshot!(texts.join("\n---\n\n"));
}

#[test]
fn chats_and_programs_get_their_own_shapes() {
    let refused = &examples()[4];
    let shapes = [refused.json(), refused.slack(), refused.teams()];
    let texts: Vec<String> =
        shapes.iter().map(|shape| serde_json::to_string_pretty(shape).unwrap()).collect();
    insta::assert_snapshot!(texts.join("\n\n"));
}

/// Somebody who takes messages, with that status.
struct Receiver {
    url: url::Url,
    heard: Arc<Mutex<Vec<Value>>>,
}

impl Receiver {
    async fn new(status: StatusCode) -> Self {
        let heard: Arc<Mutex<Vec<Value>>> = Arc::default();
        let hear = move |State(heard): State<Arc<Mutex<Vec<Value>>>>, body: String| async move {
            heard.lock().unwrap().push(serde_json::from_str(&body).unwrap());
            (status, "no, thanks")
        };
        let router = Router::new().fallback(hear).with_state(Arc::clone(&heard));
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(socket, router).await });
        Self { url: format!("http://{address}/secret-7f3a").parse().unwrap(), heard }
    }

    fn channel(&self) -> Channel {
        Channel::Post(Post { url: self.url.clone(), shape: Shape::Plain })
    }

    fn subjects(&self) -> Vec<String> {
        let heard = self.heard.lock().unwrap();
        heard.iter().map(|one| one["subject"].as_str().unwrap().to_owned()).collect()
    }
}

/// A store, and daemons on it.
struct Bench {
    store: Arc<dyn Store>,
    health: watch::Sender<Health>,
    receiver: Receiver,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = crate::store::open(&folder.path().join("store.db")).await.unwrap();
        let flow = FlowHealth {
            name: FLOW.to_owned(),
            state: FlowState::Idle,
            last: None,
            next_due: None,
            totals: Totals::default(),
        };
        let office = ConnectionHealth {
            name: "office".to_owned(),
            system: "teamleader".to_owned(),
            failures: 0,
            open_until: None,
            reconnect: false,
            reason: None,
        };
        let health = Health {
            stage: Stage::Serving,
            started_at: start(),
            looked_at: start(),
            store: None,
            files: None,
            flows: vec![flow],
            connections: vec![office],
        };
        let receiver = Receiver::new(StatusCode::OK).await;
        Self { store, health: watch::Sender::new(health), receiver, _folder: folder }
    }

    fn desk(&self, after: Duration) -> Desk {
        let (waker, _) = Waker::new();
        let around = Around {
            project: "Koffiehuis".to_owned(),
            listen: None,
            alerts: Alerts {
                rules: Rules { after, refused_above: 0 },
                channels: vec![("chat".to_owned(), self.receiver.channel())],
            },
        };
        let seam = Seam {
            waker,
            roster: watch::Sender::new(Roster::default()).subscribe(),
            health: self.health.subscribe(),
            sessions: watch::Sender::new(Talks::default()).subscribe(),
            around: watch::Sender::new(around).subscribe(),
        };
        Desk { seam, store: Arc::clone(&self.store), memory: BTreeMap::new(), letters: JoinSet::new() }
    }

    /// Looks, and waits until everything is delivered; all that has been heard so far.
    async fn turn(&self, desk: &mut Desk, minute: i64) -> Vec<String> {
        desk.turn(start() + jiff::SignedDuration::from_mins(minute)).await;
        while desk.letters.join_next().await.is_some() {}
        self.receiver.subjects()
    }

    async fn run(&self, id: &str, state: RunState, error: Option<&str>, refused: &[(&str, &str)]) {
        let ttl = Duration::from_mins(1);
        let claim = self.store.acquire(FLOW, &this_process(), ttl, &|_: &str| false).await.unwrap();
        let Claim::Held(lease) = claim else { panic!("busy") };
        let new = NewRun { id: id.to_owned(), cause: "schedule".to_owned(), plan: Fingerprint::from(1) };
        self.store.start_run(&lease, &new).await.unwrap();
        let settled = |(key, reason): &(&str, &str)| Settled {
            source_key: (*key).to_owned(),
            source_print: Fingerprint::from(1),
            outcome: Outcome::Failed { class: "refused".to_owned(), reason: (*reason).to_owned() },
            written: Vec::new(),
            activity: Some(Activity::default()),
            search_keys: Vec::new(),
            payload: b"{}".to_vec(),
            in_doubt: false,
        };
        let records = refused.iter().map(settled).collect();
        let page = Page { run: id.to_owned(), plan: Fingerprint::from(1), records, ..Page::default() };
        self.store.settle_page(&lease, &page).await.unwrap();
        self.store.end_run(&lease, id, state, error).await.unwrap();
        self.store.release(&lease).await.unwrap();
    }
}

#[tokio::test]
async fn a_flow_that_fails_is_told_once_whoever_looks() {
    let bench = Bench::new().await;
    let (mut one, mut other) = (bench.desk(Duration::ZERO), bench.desk(Duration::ZERO));
    assert!(bench.turn(&mut one, 0).await.is_empty());
    bench.run("r1", RunState::Failed, Some("MplusKASSA: did not answer"), &[]).await;
    let first = "Koffiehuis: flow orders fails";
    assert_eq!(bench.turn(&mut one, 1).await, [first]);
    assert_eq!(bench.turn(&mut one, 2).await, [first]);
    assert_eq!(bench.turn(&mut other, 3).await, [first], "another daemon on the same store");
    bench.run("r2", RunState::Failed, Some("MplusKASSA: did not answer"), &[]).await;
    let mut again = bench.desk(Duration::ZERO);
    assert_eq!(bench.turn(&mut again, 4).await, [first], "after a restart");
    let still = "Koffiehuis: flow orders still fails";
    assert_eq!(bench.turn(&mut other, 61).await, [first, still]);
    assert_eq!(bench.turn(&mut again, 62).await, [first, still]);
    bench.run("r3", RunState::Partial, None, &[]).await;
    let over = "Koffiehuis: flow orders runs again";
    assert_eq!(bench.turn(&mut again, 63).await, [first, still, over]);
    assert_eq!(bench.turn(&mut one, 64).await.len(), 3);
    let told = bench.receiver.heard.lock().unwrap()[0].clone();
    assert_eq!(told["reason"], "MplusKASSA: did not answer");
    assert_eq!(told["since"], "2026-11-22T05:01:00Z");
}

// shows R89
#[tokio::test]
async fn what_passes_by_itself_is_not_told_and_what_does_not_is_told_at_once() {
    let bench = Bench::new().await;
    let mut desk = bench.desk(Duration::from_mins(5));
    bench.run("r1", RunState::Failed, Some("busy"), &[]).await;
    assert!(bench.turn(&mut desk, 1).await.is_empty());
    bench.run("r2", RunState::Succeeded, None, &[]).await;
    assert!(bench.turn(&mut desk, 10).await.is_empty());
    bench.health.send_modify(|health| {
        health.connections[0].reconnect = true;
        health.connections[0].reason = Some("the token has been withdrawn".to_owned());
        health.flows[0].state =
            FlowState::ReconnectNeeded { connection: "office".to_owned(), reason: String::new() };
    });
    bench.run("r3", RunState::Failed, Some("the token has been withdrawn"), &[]).await;
    let reconnect = "Koffiehuis: connection office has to be signed in again";
    assert_eq!(bench.turn(&mut desk, 11).await, [reconnect]);
    assert_eq!(bench.turn(&mut desk, 30).await, [reconnect], "not told of its flows besides");
}

// shows R89
#[tokio::test]
async fn refused_records_are_named_with_their_reasons() {
    let bench = Bench::new().await;
    let mut desk = bench.desk(Duration::ZERO);
    bench.run("r1", RunState::Partial, None, &[("1001", "no such article"), ("1002", "no VAT code")]).await;
    assert_eq!(bench.turn(&mut desk, 1).await, ["Koffiehuis: flow orders has refused records"]);
    let told = bench.receiver.heard.lock().unwrap()[0].clone();
    assert_eq!(told["reason"], "2 records are refused");
    let mut keys: Vec<&str> =
        told["records"].as_array().unwrap().iter().map(|record| record["key"].as_str().unwrap()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["1001", "1002"]);
    bench.store.resolve(FLOW, "1001").await.unwrap();
    bench.store.resolve(FLOW, "1002").await.unwrap();
    assert_eq!(bench.turn(&mut desk, 2).await[1..], ["Koffiehuis: flow orders: what was refused is done"]);
}

// shows R89
#[tokio::test]
async fn a_flow_that_does_not_run_when_it_is_due_is_told() {
    let bench = Bench::new().await;
    let mut desk = bench.desk(Duration::ZERO);
    bench.health.send_modify(|health| health.flows[0].next_due = Some(start()));
    assert!(bench.turn(&mut desk, 14).await.is_empty(), "it may be waiting for its turn");
    assert_eq!(bench.turn(&mut desk, 16).await, ["Koffiehuis: flow orders has not run"]);
    bench.health.send_modify(|health| health.flows.clear());
    assert_eq!(bench.turn(&mut desk, 17).await.len(), 1, "of a flow that is gone nobody wants to hear");
    assert_eq!(bench.store.alerts().await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_store_that_is_gone_is_told_all_the_same() {
    let bench = Bench::new().await;
    let mut desk = bench.desk(Duration::ZERO);
    bench.store.close().await;
    bench.health.send_modify(|health| health.store = Some("no room left".to_owned()));
    assert_eq!(bench.turn(&mut desk, 1).await, ["Koffiehuis: the store cannot be used"]);
    bench.health.send_modify(|health| health.store = None);
    assert_eq!(bench.turn(&mut desk, 2).await[1..], ["Koffiehuis: the store can be used again"]);
}

#[tokio::test]
async fn a_channel_that_fails_says_why_and_keeps_its_secret() {
    let message = &examples()[0];
    for (status, may_pass) in [(StatusCode::BAD_GATEWAY, true), (StatusCode::NOT_FOUND, false)] {
        let receiver = Receiver::new(status).await;
        let undelivered = receiver.channel().send(message).await.unwrap_err();
        let told = format!("127.0.0.1 answered with status {}: no, thanks", status.as_u16());
        assert_eq!((undelivered.reason.as_str(), undelivered.may_pass), (told.as_str(), may_pass));
    }
    let nobody: url::Url = "http://127.0.0.1:1/secret-7f3a".parse().unwrap();
    let channel = Channel::Post(Post { url: nobody, shape: Shape::Slack });
    let undelivered = channel.send(message).await.unwrap_err();
    assert!(undelivered.may_pass && undelivered.reason.starts_with("127.0.0.1 does not answer"));
    let shown = format!("{undelivered:?}{channel:?}");
    assert!(!shown.contains("secret-7f3a"), "{shown}");
}

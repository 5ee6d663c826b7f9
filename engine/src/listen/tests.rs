//! The listener over real HTTP, with a stand-in that signs and one that does not.

use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use connectors::contract::{Connector, Host, Limits, Session};
use connectors::sign_in::Tokens;
use connectors::simulator::{Fault, Faults, Running, Simulator, start as simulate};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use super::*;
use crate::project::Listen;
use crate::serve::{
    Around, Cause, ConnectionHealth, Ended, FlowHealth, FlowState, Health, Roster, RosterFlow, Stage, Talks,
    Totals, Waker, Webhook, Wish,
};
use crate::store::{Arrived, Claim, Counts, Fingerprint, NewRun, RunState, this_process};

const EVENT: &str = "orders.updated.status";

/// A daemon that does nothing but listen, and a system that tells it things.
struct Bench {
    simulated: Running,
    session: Arc<dyn Session>,
    store: Arc<dyn Store>,
    listen: Listen,
    health: watch::Sender<Health>,
    roster: watch::Sender<Roster>,
    sessions: watch::Sender<Talks>,
    around: watch::Sender<Around>,
    waker: Waker,
    wishes: UnboundedReceiver<Wish>,
    listener: Listener,
    folder: tempfile::TempDir,
    secret: String,
}

fn flow(name: &str, source: &str, target: &str, event: &str) -> RosterFlow {
    let webhooks = vec![Webhook { connection: "shop".to_owned(), event: event.to_owned() }];
    let (name, source, target) = (name.to_owned(), source.to_owned(), target.to_owned());
    RosterFlow { name, on: true, source, target, webhooks }
}

fn health() -> Health {
    let now = Timestamp::now();
    Health {
        stage: Stage::Serving,
        started_at: now,
        looked_at: now,
        store: None,
        files: None,
        flows: Vec::new(),
        connections: Vec::new(),
    }
}

/// A port that was free a moment ago, each only once in this process.
async fn port() -> u16 {
    static LAST: AtomicU16 = AtomicU16::new(0);
    loop {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        if LAST.swap(port, Ordering::SeqCst) != port {
            return port;
        }
    }
}

fn quick() -> Limits {
    Limits {
        timeout: Duration::from_secs(5),
        tries: 2,
        backoff: Duration::from_millis(1),
        longest_pause: Duration::from_millis(50),
        ..Limits::default()
    }
}

impl Bench {
    async fn new(connector: &dyn Connector, simulator: &dyn Simulator) -> Self {
        connectors::http::choose_cryptography();
        let simulated = simulate(simulator, 0, Faults::default()).await.unwrap();
        let tokens = simulator.token().map(Tokens::starting_with).unwrap_or_default();
        let host = Host { tokens, ..Host::from(quick()) };
        let session = connector.connect(&simulator.answers(&simulated.url()), &host).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = crate::store::open(&folder.path().join("store.db")).await.unwrap();
        let port = port().await;
        let listen = Listen {
            address: ([127, 0, 0, 1], port).into(),
            public_url: Some(format!("https://localhost:{port}")),
        };
        let around = watch::Sender::new(Around { listen: Some(listen.clone()), ..Around::default() });
        let (waker, wishes) = Waker::new();
        let flows = vec![flow("orders", "shop", "till", EVENT), flow("back", "till", "shop", EVENT)];
        let roster = watch::Sender::new(Roster { version: 1, flows });
        let talks: Talks = [("shop".to_owned(), Arc::clone(&session))].into_iter().collect();
        let (health, sessions) = (watch::Sender::new(health()), watch::Sender::new(talks));
        let seam = Seam {
            waker: waker.clone(),
            roster: roster.subscribe(),
            health: health.subscribe(),
            sessions: sessions.subscribe(),
            around: around.subscribe(),
        };
        let secret = address::secret();
        store.set_hook("shop", Some(&address::digest(&secret))).await.unwrap();
        let listener = start(listen.address, seam, Arc::clone(&store)).await.unwrap();
        Self {
            simulated,
            session,
            store,
            listen,
            health,
            roster,
            sessions,
            around,
            waker,
            wishes,
            listener,
            folder,
            secret,
        }
    }

    async fn shop() -> (Self, connectors::ccv_salespos::simulator::CcvShop) {
        let shop = connectors::ccv_salespos::simulator::CcvShop::default();
        shop.fill();
        (Self::new(&connectors::ccv_salespos::CcvSalespos, &shop).await, shop)
    }

    fn hook(&self) -> String {
        let url = self.listen.public_url.clone().unwrap();
        format!("{}/{}", address::prefix(&url, "shop"), self.secret)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.listener.address)
    }

    fn path(&self) -> String {
        format!("/hooks/shop/{}", self.secret)
    }

    async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> reqwest::Response {
        reqwest::Client::new().post(self.url(path)).body(body).send().await.unwrap()
    }

    async fn status(&self, path: &str, body: impl Into<reqwest::Body>) -> u16 {
        self.post(path, body).await.status().as_u16()
    }

    async fn get(&self, path: &str) -> (u16, String) {
        let response = reqwest::get(self.url(path)).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    /// The next wish, which must come.
    async fn wish(&mut self) -> Wish {
        tokio::time::timeout(Duration::from_secs(10), self.wishes.recv()).await.unwrap().unwrap()
    }

    async fn open(&self) -> i64 {
        self.store.unanswered().await.unwrap().iter().map(|flow| flow.open).sum()
    }

    /// What a run of that flow takes up.
    async fn take(&self, flow: &str) -> Vec<Arrived> {
        let ttl = Duration::from_mins(1);
        let claim = self.store.acquire(flow, &this_process(), ttl, &|_: &str| false).await.unwrap();
        let Claim::Held(lease) = claim else { panic!("busy") };
        let run =
            NewRun { id: format!("run of {flow}"), cause: "webhook".to_owned(), plan: Fingerprint::from(1) };
        self.store.start_run(&lease, &run).await.unwrap();
        self.store.take_arrivals(&lease, &run.id).await.unwrap()
    }
}

#[tokio::test]
async fn what_happens_in_a_shop_wakes_its_flows() {
    let (mut bench, shop) = Bench::shop().await;
    let hooks = bench.session.webhooks().unwrap();
    hooks.register(&[EVENT], &bench.hook()).await.unwrap();
    let order = shop.books()["orders"][0].clone();
    let status = if order["status"] == 5 { 7 } else { 5 };
    let order = order["id"].as_i64().unwrap();
    shop.update("orders", order, &json!({"status": status})).unwrap();
    let wished = [bench.wish().await, bench.wish().await];
    let cause = Cause::Webhook { connection: "shop".to_owned(), event: EVENT.to_owned() };
    assert_eq!(wished.each_ref().map(|wish| wish.flow.as_str()), ["orders", "back"]);
    assert!(wished.iter().all(|wish| wish.cause == cause));
    let taken = bench.take("orders").await;
    assert_eq!(taken[0].record, Some(("orders".to_owned(), order.to_string())));
    let taken = bench.take("back").await;
    assert_eq!((taken.len(), taken[0].record.as_ref()), (1, None), "no record of what this flow reads");
}

#[tokio::test]
async fn nobody_else_is_believed_and_nobody_learns_why() {
    let (mut bench, _shop) = Bench::shop().await;
    bench.session.webhooks().unwrap().register(&[EVENT], &bench.hook()).await.unwrap();
    let path = bench.path();
    let below = format!("{path}/{EVENT}");
    for (what, path, status) in [
        ("no signature", below.as_str(), 403),
        ("another event's address", path.as_str(), 403),
        ("another secret", "/hooks/shop/0123456789abcdef0123456789abcdef", 404),
        ("a connection that tells nothing", &path.replace("shop", "till"), 404),
        ("nothing there", "/hooks/shop", 404),
    ] {
        let response = bench.post(path, "{}").await;
        assert_eq!(response.status().as_u16(), status, "{what}");
        assert_eq!(response.text().await.unwrap(), "", "{what}");
    }
    let client = reqwest::Client::new();
    let wrong = client.post(bench.url(&below)).header("x-hash", "00").body("{}").send().await.unwrap();
    assert_eq!(wrong.status().as_u16(), 403);
    assert_eq!(bench.status(&below, vec![b' '; (1 << 20) + 1]).await, 413);
    assert_eq!(bench.get(&below).await.0, 405);
    assert_eq!(bench.open().await, 0);
    assert!(bench.wishes.try_recv().is_err());
}

#[tokio::test]
async fn a_shop_that_cannot_be_asked_is_told_to_come_again() {
    let (bench, _shop) = Bench::shop().await;
    bench.simulated.faults.rate(Fault::Down, 1000);
    let path = format!("{}/{EVENT}", bench.path());
    let client = reqwest::Client::new();
    let response = client.post(bench.url(&path)).header("x-hash", "00").body("{}").send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()),
        (503, "30")
    );
}

/// A system that signs nothing: the address is all that protects it.
async fn office() -> (Bench, String) {
    let office = connectors::teamleader::simulator::Office::default();
    let bench = Bench::new(&connectors::teamleader::Teamleader, &office).await;
    bench.roster.send_modify(|roster| roster.flows = vec![flow("orders", "shop", "till", "company.updated")]);
    let path = bench.path();
    (bench, path)
}

fn told(id: &str) -> String {
    json!({"type": "company.updated", "subject": {"type": "company", "id": id}}).to_string()
}

#[tokio::test]
async fn a_delivery_that_comes_again_is_kept_once() {
    let (mut bench, path) = office().await;
    let dated = json!({"type": "company.updated", "data": {"id": "7"}, "meta": {"timestamp": "2026-03-02T09:15:00Z"}});
    for _ in 0..3 {
        assert_eq!(bench.status(&path, dated.to_string()).await, 200);
    }
    assert_eq!(bench.wish().await.flow, "orders");
    assert!(bench.wishes.try_recv().is_err(), "one run for all three");
    assert_eq!(bench.take("orders").await.len(), 1);
    assert_eq!(bench.status(&path, dated.to_string()).await, 200);
    assert_eq!(bench.open().await, 1, "known though a run has it in hand");
    assert_eq!(bench.status(&path, told("7")).await, 200);
    assert_eq!(bench.open().await, 2, "without a moment it may be news");
}

#[tokio::test]
async fn what_no_flow_waits_for_is_answered_and_dropped() {
    let (mut bench, path) = office().await;
    let added = told("7").replace("updated", "added");
    assert_eq!(bench.status(&path, added).await, 200);
    bench.roster.send_modify(|roster| roster.flows[0].on = false);
    assert_eq!(bench.status(&path, told("7")).await, 200);
    assert_eq!(bench.status(&path, "what?").await, 400);
    assert_eq!(bench.open().await, 0);
    assert!(bench.wishes.try_recv().is_err());
}

#[tokio::test]
async fn what_cannot_be_kept_is_not_taken() {
    let (mut bench, path) = office().await;
    // The sweep has looked once; from here on the store is gone.
    bench.store.close().await;
    let response = bench.post(&path, told("7")).await;
    assert_eq!(
        (response.status().as_u16(), response.headers()["retry-after"].to_str().unwrap()),
        (503, "30")
    );
    assert!(bench.wishes.try_recv().is_err());
    let (status, body) = bench.get("/readyz").await;
    assert_eq!((status, body.contains("\"ok\":false")), (503, true), "{body}");
}

#[tokio::test]
async fn what_was_kept_and_never_run_wakes_its_flow_after_a_start() {
    let (mut bench, path) = office().await;
    for id in ["7", "8", "9"] {
        assert_eq!(bench.status(&path, told(id)).await, 200);
        assert_eq!(bench.wish().await.flow, "orders");
    }
    // The process dies before the run; another one starts on the same store.
    bench.listener.stop().await;
    let store = crate::store::open(&bench.folder.path().join("store.db")).await.unwrap();
    let seam = Seam {
        waker: bench.waker.clone(),
        roster: bench.roster.subscribe(),
        health: bench.health.subscribe(),
        sessions: bench.sessions.subscribe(),
        around: bench.around.subscribe(),
    };
    bench.listener = start(bench.listen.address, seam, store).await.unwrap();
    assert_eq!(bench.wish().await, Wish { flow: "orders".to_owned(), cause: Cause::Again });
    assert_eq!(bench.take("orders").await.len(), 3);
}

#[tokio::test]
async fn a_port_that_is_taken_is_said() {
    let (bench, _) = office().await;
    let seam = Seam {
        waker: bench.waker.clone(),
        roster: bench.roster.subscribe(),
        health: bench.health.subscribe(),
        sessions: bench.sessions.subscribe(),
        around: bench.around.subscribe(),
    };
    let trouble = start(bench.listen.address, seam, Arc::clone(&bench.store)).await.unwrap_err();
    let (place, text) = (bench.listen.address, trouble.to_string());
    assert_eq!(text, format!("cannot listen on {place}: another program listens there"));
}

#[tokio::test]
async fn alive_and_ready_are_two_things() {
    let (bench, _) = office().await;
    let ok = |body: &str| serde_json::from_str::<Value>(body).unwrap()["ok"].clone();
    for (stage, alive, ready) in
        [(Stage::Starting, 200, 503), (Stage::Serving, 200, 200), (Stage::Stopping, 200, 503)]
    {
        bench.health.send_modify(|health| health.stage = stage);
        for (path, status) in [("/healthz", alive), ("/readyz", ready)] {
            let (found, body) = bench.get(path).await;
            assert_eq!((found, ok(&body)), (status, json!(status == 200)), "{stage:?} {path}");
        }
    }
    bench.health.send_modify(|health| {
        health.stage = Stage::Serving;
        health.looked_at = Timestamp::now() - jiff::SignedDuration::from_mins(3);
    });
    assert_eq!(bench.get("/healthz").await.0, 503, "its loop hangs");
    bench.health.send_modify(|health| health.store = Some("no room left".to_owned()));
    let (status, body) = bench.get("/readyz").await;
    assert_eq!((status, body.contains("no room left")), (503, true), "{body}");
}

#[tokio::test]
async fn metrics_are_told_in_the_form_that_prometheus_reads() {
    let (bench, path) = office().await;
    let moment: Timestamp = "2026-11-22T05:00:00Z".parse().unwrap();
    let counts = Counts { created: 3, updated: 2, unchanged: 10, skipped: 1, failed: 1, waiting: 2 };
    let ended = Ended {
        run: "r1".to_owned(),
        state: RunState::Partial,
        started_at: moment,
        ended_at: moment + jiff::SignedDuration::from_millis(2500),
        counts,
        error: None,
    };
    let mut totals = Totals { succeeded: 4, ..Totals::default() };
    totals.add(&ended);
    let orders = FlowHealth {
        name: "orders".to_owned(),
        state: FlowState::Waiting { until: moment, reason: "the till does not answer".to_owned() },
        last: Some(ended),
        next_due: None,
        totals,
    };
    let off = FlowHealth {
        name: "stock".to_owned(),
        state: FlowState::Off,
        last: None,
        next_due: None,
        totals: Totals::default(),
    };
    let till = ConnectionHealth {
        name: "till".to_owned(),
        system: "mpluskassa".to_owned(),
        failures: 3,
        open_until: Some(moment),
        reconnect: false,
        reason: Some("no answer".to_owned()),
    };
    bench.health.send_modify(|health| {
        health.started_at = moment;
        health.flows = vec![orders, off];
        health.connections = vec![till];
    });
    assert_eq!(bench.status(&path, told("7")).await, 200);
    assert_eq!(bench.status(&path, told("7")).await, 200);
    assert_eq!(bench.status("/hooks/other/secret", told("7")).await, 404);
    let (status, text) = bench.get("/metrics").await;
    assert_eq!(status, 200);
    // Other tests of this process make requests and commits too.
    let shared = ["weft_request", "weft_store_commit", "weft_run_duration"];
    let ours = |line: &&str| line.starts_with('#') || !shared.iter().any(|name| line.starts_with(name));
    let text: Vec<&str> = text.lines().filter(ours).collect();
    insta::assert_snapshot!(text.join("\n").replace(env!("CARGO_PKG_VERSION"), "VERSION"));
}

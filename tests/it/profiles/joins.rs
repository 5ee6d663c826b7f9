//! Two systems that nobody wrote Rust for: the profile decides. One of them joins a pair, as the
//! source and as the target of a till, by nothing but a file in the project.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use connectors::contract::{Advice, Connector as _, Host, Limits, Session};
use connectors::http::Url;
use connectors::mpluskassa::simulator::TillSimulator;
use connectors::profile::Profile;
use connectors::record::{Record, Value as Any, read_json};
use connectors::simulator::{Fault, Faults, Running, Simulator as _, serve, start};
use engine::load::Loader;
use engine::project::Project;
use engine::run::{Options, Party, Sides, run};
use engine::store::Store;
use serde_json::{Value, json};
use tests::world::{Told, counts};

use super::render;
use super::server::{answers, quick, read_all, record, request};

fn load(name: &str) -> Profile {
    let text = std::fs::read_to_string(format!("corpus/profile/good/{name}.toml")).unwrap();
    Profile::load(name, &text).unwrap_or_else(|report| panic!("{}", render(&report)))
}

/// What a fixture holds.
#[derive(Clone, Default)]
struct Shelf {
    goods: Arc<Mutex<Vec<Value>>>,
    tokens: Arc<Mutex<usize>>,
}

fn asked(uri: &Uri) -> BTreeMap<String, String> {
    let url = Url::parse(&format!("http://here{uri}")).unwrap();
    url.query_pairs().into_owned().collect()
}

fn xml(status: u16, code: &str, text: &str) -> Response {
    let body = format!("<?xml version=\"1.0\"?><error><code>{code}</code><text>{text}</text></error>");
    (StatusCode::from_u16(status).unwrap(), [(header::CONTENT_TYPE, "text/xml")], body).into_response()
}

/// Basic sign-in, pages by offset, refusals in XML.
async fn warehouse(shelf: Shelf, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    // `jan:s3cret-pass`
    if headers.get("authorization").is_none_or(|given| given != "Basic amFuOnMzY3JldC1wYXNz") {
        return xml(401, "who", "unknown user");
    }
    let mut goods = shelf.goods.lock().unwrap();
    let one = uri.path().strip_prefix("/rest/goods/");
    let place = one.and_then(|code| goods.iter().position(|known| known["code"] == code));
    match (method, one, place) {
        (Method::GET, None, _) => {
            let asked = asked(&uri);
            let number = |name: &str| asked[name].parse::<usize>().unwrap();
            let page: Vec<_> =
                goods.iter().skip(number("from")).take(number("count").min(10)).cloned().collect();
            axum::Json(json!({"goods": page})).into_response()
        }
        (Method::GET, Some(_), Some(place)) => axum::Json(goods[place].clone()).into_response(),
        (Method::POST, None, _) => {
            let new: Value = serde_json::from_slice(&body).unwrap();
            if goods.iter().any(|known| known["code"] == new["code"]) {
                return xml(400, "dup", "There are goods with this code");
            }
            goods.push(new.clone());
            (StatusCode::CREATED, axum::Json(new)).into_response()
        }
        (Method::PUT, Some(_), Some(place)) => {
            goods[place] = serde_json::from_slice(&body).unwrap();
            axum::Json(goods[place].clone()).into_response()
        }
        _ => xml(404, "none", "There are no such goods"),
    }
}

fn said(status: &str, rest: Value) -> Response {
    let mut body = rest;
    body["status"] = json!(status);
    axum::Json(body).into_response()
}

/// A login, pages by cursor, every answer with status 200.
async fn courier(shelf: Shelf, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let given: Value = serde_json::from_slice(&body).unwrap_or_default();
    if uri.path() == "/session" {
        if given["user"] != "jan" || given["password"] != "s3cret-pass" {
            return said("refused", json!({"problem": {"title": "unknown user"}}));
        }
        let mut tokens = shelf.tokens.lock().unwrap();
        *tokens += 1;
        return said("ok", json!({"token": format!("token-{tokens}")}));
    }
    let latest = format!("Bearer token-{}", shelf.tokens.lock().unwrap());
    if headers.get("authorization").is_none_or(|token| token != latest.as_str()) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let mut goods = shelf.goods.lock().unwrap();
    let one = uri.path().strip_prefix("/goods/").and_then(|id| id.parse::<i64>().ok());
    match (method, uri.path(), one) {
        (Method::GET, "/goods", _) => {
            let asked = asked(&uri);
            let since = asked.get("changed_since").map_or(0, |since| since.parse::<i64>().unwrap());
            let start =
                asked.get("cursor").map_or(0, |at| at.trim_start_matches("after-").parse::<usize>().unwrap());
            let size = asked["limit"].parse::<usize>().unwrap().min(8);
            let found: Vec<_> =
                goods.iter().filter(|one| one["changed_at"].as_i64().unwrap() >= since).collect();
            let page: Vec<_> = found.iter().skip(start).take(size).collect();
            let more = start + page.len() < found.len();
            let next = if more { json!(format!("after-{}", start + page.len())) } else { json!(null) };
            said("ok", json!({"result": {"goods": page}, "paging": {"next": next}}))
        }
        (Method::POST, "/goods/search", _) => {
            let found: Vec<_> = goods.iter().filter(|one| one["code"] == given["where"]["code"]).collect();
            said("ok", json!({"result": {"goods": found}}))
        }
        (Method::POST, "/goods", _) => {
            let mut new = given["goods"].clone();
            if goods.iter().any(|known| known["code"] == new["code"]) {
                return said(
                    "refused",
                    json!({"problem": {"title": "there is one already", "field": "code"}}),
                );
            }
            new["id"] = json!(goods.len() + 1);
            new["changed_at"] = json!(1_760_000_000 + goods.len());
            goods.push(new.clone());
            said("ok", json!({"result": new}))
        }
        (Method::PATCH, _, Some(id)) => {
            let changed_at = goods.iter().map(|one| one["changed_at"].as_i64().unwrap()).max().unwrap() + 60;
            let Some(known) = goods.iter_mut().find(|one| one["id"] == id) else {
                return said("refused", json!({"problem": {"title": "there is no such record"}}));
            };
            merge(known, &given["goods"]);
            known["changed_at"] = json!(changed_at);
            said("ok", json!({"result": known}))
        }
        _ => said("refused", json!({"problem": {"title": "nothing is here"}})),
    }
}

fn merge(known: &mut Value, changes: &Value) {
    for (name, value) in changes.as_object().unwrap() {
        if known[name].is_object() && value.is_object() {
            merge(&mut known[name], value);
        } else {
            known[name] = value.clone();
        }
    }
}

async fn stand(which: &str, shelf: &Shelf) -> Running {
    let (shelf, is_warehouse) = (shelf.clone(), which == "warehouse");
    let router = Router::new().fallback(move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
        let shelf = shelf.clone();
        async move {
            if is_warehouse {
                warehouse(shelf, method, uri, headers, body).await
            } else {
                courier(shelf, method, uri, headers, body).await
            }
        }
    });
    let running = serve(router, 0, Faults::seeded(11)).await.unwrap();
    running.faults.retry_after(Some(0));
    running
}

async fn open(which: &str, shelf: &Shelf) -> (Running, Arc<dyn Session>) {
    let running = stand(which, shelf).await;
    let answers = answers(&[("address", &running.url()), ("user", "jan"), ("password", "s3cret-pass")]);
    let session = load(which).connect(&answers, &quick().into()).unwrap();
    (running, session)
}

#[tokio::test]
async fn a_system_of_the_old_kind_is_read_and_written() {
    let shelf = Shelf::default();
    *shelf.goods.lock().unwrap() = (1..=23)
        .map(|number| json!({"code": number.to_string(), "description": {"short": format!("Kist {number}")}, "cents": 100 * number + 5, "sold": if number == 1 { "J" } else { "N" }}))
        .collect();
    let (running, session) = open("warehouse", &shelf).await;
    let records = read_all(&*session, &request("goods")).await;
    assert_eq!((records.len(), running.requests()), (23, 3));
    assert_eq!(records[0].to_string(), r#"{"code":"1","name":"Kist 1","price":1.05,"is_sold":true}"#);

    let find = session.find("goods").unwrap();
    let keys = [vec![Any::from("7")], vec![Any::from("99")]];
    let found = find.find("goods", &["code".to_owned()], &keys).await.unwrap();
    assert_eq!((found[0].len(), found[1].len()), (1, 0), "a refusal in XML says that there is none");

    let create = session.create("goods").unwrap();
    let twice = create.create("goods", &record(r#"{"code":"7","name":"Kist"}"#), "k").await.unwrap_err();
    assert_eq!(twice.advice, Advice::SkipRecord);
    assert!(twice.reason.ends_with("dup There are goods with this code"), "{}", twice.reason);
    create.create("goods", &record(r#"{"code":"24","name":"Kist 24","is_sold":false}"#), "k").await.unwrap();
    let update = session.update("goods").unwrap();
    update.update("goods", "24", &record(r#"{"price":3.10}"#), None).await.unwrap();
    let wanted = json!({"code": "24", "description": {"short": "Kist 24"}, "cents": 310, "sold": "N"});
    assert_eq!(shelf.goods.lock().unwrap()[23], wanted, "the whole record goes");

    let wrong = answers(&[("address", &running.url()), ("user", "jan"), ("password", "another")]);
    let session = load("warehouse").connect(&wrong, &quick().into()).unwrap();
    assert_eq!(session.probe().await.unwrap_err().advice, Advice::Reconnect);
}

#[tokio::test]
async fn a_system_of_the_modern_kind_is_read_and_written() {
    let shelf = Shelf::default();
    *shelf.goods.lock().unwrap() = (1..=20).map(goods).collect();
    let (running, session) = open("courier", &shelf).await;
    let records = read_all(&*session, &request("goods")).await;
    assert_eq!((records.len(), running.requests()), (20, 4), "a login and three pages");
    assert_eq!(
        records[0].to_string(),
        r#"{"id":"1","code":"100001","name":"Pakket 1","price":1.95,"currency":"EUR","changed_at":"2025-10-09T08:53:21Z"}"#
    );
    let new = record(r#"{"code":"100001","name":"Nog een"}"#);
    let refused = session.create("goods").unwrap().create("goods", &new, "k").await.unwrap_err();
    assert_eq!(
        (refused.advice, refused.reason.as_str()),
        (Advice::SkipRecord, "there is one already: code (status 200)")
    );
    // The token runs out between two calls, and nobody sees it.
    *shelf.tokens.lock().unwrap() += 1;
    let keys = [vec![Any::from("100002")], vec![Any::from("1")]];
    let found = session.find("goods").unwrap().find("goods", &["code".to_owned()], &keys).await.unwrap();
    assert_eq!((found[0].len(), found[1].len()), (1, 0));
    let wrong = answers(&[("address", &running.url()), ("user", "jan"), ("password", "another")]);
    let error = load("courier").connect(&wrong, &quick().into()).unwrap().probe().await.unwrap_err();
    assert_eq!(
        (error.advice, error.reason.as_str()),
        (Advice::Reconnect, "the login is refused: unknown user")
    );
}

fn goods(number: usize) -> Value {
    json!({"id": number, "code": (100_000 + number).to_string(), "title": format!("Pakket {number}"),
        "price": {"amount": format!("{number}.95"), "currency": "EUR"}, "changed_at": 1_760_000_000 + number})
}

const TO_TILL: &str = r#"
flow "Goods: courier to till"
source courier: courier
target till: mpluskassa
fetch goods from courier.goods since changed_at overlap 1 minute
upsert article in till.articles by article_number {
    article_number = goods.code
    description    = goods.name
    price_incl     = goods.price
    vat_code       = "1"    on create
    turnover_group = "10"   on create
    active         = true   on create
}
"#;

const TO_COURIER: &str = r#"
flow "Articles: till to courier"
source till: mpluskassa
target courier: courier
fetch article from till.articles since sync_marker
upsert goods in courier.goods by code {
    code     = article.article_number
    name     = article.description
    price    = article.price_incl
    currency = "EUR"    on create
}
"#;

/// A project with a profile of its own, between a fixture and a till.
struct Town {
    shelf: Shelf,
    till: TillSimulator,
    servers: [Running; 2],
    store: Arc<dyn Store>,
    folder: tempfile::TempDir,
}

impl Town {
    async fn new() -> Self {
        let (shelf, till) = (Shelf::default(), TillSimulator::new());
        let servers = [stand("courier", &shelf).await, start(&till, 0, Faults::seeded(12)).await.unwrap()];
        servers[1].faults.retry_after(Some(0));
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("systems/courier.toml", &std::fs::read_to_string("corpus/profile/good/courier.toml").unwrap());
        write("flows/to_till.flow", TO_TILL);
        write("flows/to_courier.flow", TO_COURIER);
        let till_at = till.answers(&servers[1].url());
        let manifest = connectors::mpluskassa::MplusKassa;
        let of_till = |name: &str| till_at.get(manifest.manifest(), name).unwrap().to_owned();
        let main = format!(
            "name = \"town\"\n[connections.courier]\nsystem = \"courier\"\naddress = \"{}\"\nuser = \"jan\"\npassword = {{ file = \"password.txt\" }}\n\
             [connections.till]\nsystem = \"mpluskassa\"\naddress = \"{}\"\nident = \"{}\"\nsecret = {{ file = \"secret.txt\" }}\n\
             [flows.to_till]\nfile = \"flows/to_till.flow\"\n[flows.to_courier]\nfile = \"flows/to_courier.flow\"\non = false\n",
            servers[0].url(),
            of_till("address"),
            of_till("ident")
        );
        write("password.txt", "s3cret-pass");
        write("secret.txt", &of_till("secret"));
        write("weft.toml", &main);
        let store = engine::store::open(&folder.path().join("store.db")).await.unwrap();
        Self { shelf, till, servers, store, folder }
    }

    /// Runs a flow once: its counts, and why records were refused.
    async fn run(&self, flow: &str) -> (String, Vec<String>) {
        let project = Project::open(self.folder.path()).unwrap_or_else(|trouble| panic!("{trouble:?}"));
        let loader = Loader::new(&project).unwrap();
        let entry = project.flow(flow).unwrap();
        let flow = loader.flow(entry).unwrap_or_else(|problems| panic!("{problems:?}"));
        // As the loader's own, but for the patience.
        let limits = Limits { backoff: std::time::Duration::from_millis(2), tries: 8, ..Limits::default() };
        let party = |name: &str| {
            let connection = &project.connections[name];
            let session =
                connection.connector.connect(&connection.answers, &Host::from(limits.clone())).unwrap();
            Party::new(name, session, connection.connector.manifest().clone())
        };
        let sides = Sides { source: party(&flow.plan.source.name), target: party(&flow.plan.target.name) };
        let stop = Arc::default();
        let options = Options { cause: "test".into(), full: false, refused_again: true, stop };
        let told = Told::default();
        let report = run(&flow, &sides, &self.store, &options, &told).await.unwrap();
        let refused = told.refused.into_inner().unwrap();
        (counts(&report), refused)
    }

    /// One out of five calls goes wrong, on both sides.
    fn trouble(&self) {
        for running in &self.servers {
            for (fault, thousandths) in [
                (Fault::Busy, 60),
                (Fault::Down, 40),
                (Fault::Reset, 40),
                (Fault::Cut, 30),
                (Fault::Lost, 30),
            ] {
                running.faults.rate(fault, thousandths);
            }
        }
    }

    /// Number, name and price of what both sides hold.
    fn books(&self) -> [Vec<(String, String, String)>; 2] {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let price =
            |value: &Value| text(value).parse::<rust_decimal::Decimal>().unwrap().normalize().to_string();
        let mut courier: Vec<_> = self
            .shelf
            .goods
            .lock()
            .unwrap()
            .iter()
            .map(|one| (text(&one["code"]), text(&one["title"]), price(&one["price"]["amount"])))
            .collect();
        let books = self.till.articles();
        let mut till: Vec<_> = books
            .iter()
            .map(|one| {
                (
                    one.text("article_number").unwrap().to_owned(),
                    one.text("description").unwrap().to_owned(),
                    price(&json!(one.get("price_incl").unwrap().to_string())),
                )
            })
            .collect();
        courier.sort();
        till.sort();
        [courier, till]
    }
}

#[tokio::test]
async fn a_system_joins_a_pair_by_a_file() {
    let town = Town::new().await;
    *town.shelf.goods.lock().unwrap() = (1..=20).map(goods).collect();
    assert_eq!(town.run("to_till").await, ("20 created".to_owned(), vec![]));
    let [courier, till] = town.books();
    assert_eq!(courier, till);
    let asked = town.servers[1].requests();
    assert_eq!(town.run("to_till").await.1, Vec::<String>::new());
    assert_eq!(town.servers[1].requests(), asked, "the second run asks nothing of the till");

    let changes = json!({"title": "Groot pakket", "price": {"amount": "7.50"}});
    {
        let mut goods = town.shelf.goods.lock().unwrap();
        merge(&mut goods[4], &changes);
        goods[4]["changed_at"] = json!(1_760_000_900);
    }
    let (counts, refused) = town.run("to_till").await;
    assert!(counts.contains("1 updated") && refused.is_empty(), "{counts} {refused:?}");
    let [courier, till] = town.books();
    assert_eq!(courier, till);
}

#[tokio::test]
async fn trouble_on_both_sides_changes_nothing_in_the_end() {
    for flow in ["to_till", "to_courier"] {
        let town = Town::new().await;
        if flow == "to_till" {
            *town.shelf.goods.lock().unwrap() = (1..=40).map(goods).collect();
        } else {
            town.till.add_articles((1..=40).map(|number| article(200_000 + number)));
        }
        town.trouble();
        let mut last = Vec::new();
        // A run may end early, and its records wait: the next one takes them up.
        for _ in 0..6 {
            last.push(town.run(flow).await);
        }
        town.servers.iter().for_each(|running| running.faults.clear());
        last.push(town.run(flow).await);
        let [courier, till] = town.books();
        assert_eq!(courier.len(), 40, "{flow}: nothing lost, nothing doubled: {last:?}");
        assert_eq!(courier, till, "{flow}: {last:?}");
    }
}

fn article(number: usize) -> Record {
    let text = json!({"article_number": number.to_string(), "description": format!("Artikel {number}"), "price_incl": 4.95,
        "vat_code": "1", "turnover_group": "10", "active": true});
    match read_json(&text.to_string().into()).unwrap() {
        Any::Map(map) => map,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_assumed_is_said_and_what_was_checked_says_by_whom() {
    let told = |name: &str| load(name).manifest().full_title();
    assert_eq!(told("courier"), "Example Courier (assumed contract, not verified)");
    assert_eq!(
        told("warehouse"),
        "Example Warehouse (assumed contract, verified on 2026-11-20 by J. Jansen)"
    );
    assert_eq!(told("ledger"), "Example Ledger");
}

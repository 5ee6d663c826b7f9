//! Every kind of paging, sign-in and question that a profile can name, against servers that
//! insist on it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::Query;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use connectors::contract::{Advice, Connector as _, FetchRequest, Host, RemoteError, Session};
use connectors::http::recorded;
use connectors::profile::Profile;
use connectors::record::Value;
use connectors::sign_in::{Token, Tokens};
use connectors::simulator::{Faults, Running, serve};
use serde_json::{Value as Json_, json};

use super::render;
use super::server::{answers, quick, read_all, record, request};

type Asked = BTreeMap<String, String>;

/// A profile of things, with these lines in its connection, its fetch and behind them.
fn things(connection: &str, fetch: &str, rest: &str) -> Profile {
    let text = format!(
        r#"
        name = "things"
        title = "Things"
        about = "Things."
        settings.address.about = "Address."
        settings.user = {{ about = "User.", default = "u" }}
        settings.secret = {{ about = "Secret.", secret = true, default = "" }}
        [connection]
        address = "{{settings.address}}"
        {connection}
        [resources.things]
        about = "Things."
        key = "id"
        [resources.things.fetch]
        path = "/things"
        records = "$.data[*]"
        {fetch}
        {rest}
        [resources.things.fields]
        id = {{}}
        name = {{}}
        status = {{}}
        changed_at = {{ type = "datetime" }}
        count = {{ type = "integer" }}
        "#
    );
    let text = text.replace(", default = \"\"", "");
    Profile::load("things.toml", &text).unwrap_or_else(|report| panic!("{}", render(&report)))
}

async fn open(profile: &Profile, router: Router) -> (Running, Arc<dyn Session>) {
    let running = serve(router, 0, Faults::default()).await.unwrap();
    let answers = answers(&[("address", &running.url()), ("secret", "s3cret-word")]);
    let session = profile.connect(&answers, &quick().into()).unwrap();
    (running, session)
}

fn thing(id: usize) -> Json_ {
    json!({"id": id, "name": format!("Thing {id}"), "status": if id.is_multiple_of(2) { "even" } else { "odd" }})
}

/// So many things in pages of seven, which lead on in every way at once.
fn paged(total: usize) -> Router {
    let list = async move |uri: Uri, Query(asked): Query<Asked>| -> Response {
        assert_eq!(asked.get("fixed").map(String::as_str), Some("1"), "{uri}");
        let after = |name: &str| asked.get(name).map(|at| at.trim_start_matches("c-").parse::<usize>().unwrap());
        let start = after("cursor").or_else(|| after("after")).or_else(|| after("at")).unwrap_or(0);
        let data: Vec<Json_> = (start + 1..=total).take(7).map(thing).collect();
        let more = start + 7 < total;
        let next = format!("/things?fixed=1&at={}", start + 7);
        let cursor = if more { json!(format!("c-{}", start + 7)) } else { json!("") };
        let body = Json(json!({"data": data, "next": if more { json!(next) } else { json!(null) }, "cursor": cursor}));
        if !more {
            return body.into_response();
        }
        let link = format!("</things?fixed=1&at=0>; rel=\"first\", <{next}>; rel=\"next\"");
        ([("link", link)], body).into_response()
    };
    Router::new().route("/things", get(list))
}

#[tokio::test]
async fn pages_are_followed_by_cursor_by_last_key_and_by_address() {
    for paging in [
        r#"{ kind = "cursor", next = "$.cursor" }"#,
        r#"{ kind = "keyset", last = "$.id", parameter = "after", size = 7 }"#,
        r#"{ kind = "next_url", next = "$.next" }"#,
        r#"{ kind = "link_header" }"#,
    ] {
        for total in [0, 1, 7, 8, 21] {
            let profile = things("", &format!("parameters = {{ fixed = \"1\" }}\npaging = {paging}"), "");
            let (_running, session) = open(&profile, paged(total)).await;
            let records = read_all(&*session, &request("things")).await;
            let ids: Vec<_> = records.iter().map(|one| one.text("id").unwrap().parse::<usize>().unwrap()).collect();
            assert_eq!(ids, (1..=total).collect::<Vec<_>>(), "{paging} with {total}");
        }
    }
}

async fn first_error(session: &dyn Session) -> RemoteError {
    let fetch = session.fetch("things").unwrap();
    let mut position = None::<String>;
    for _ in 0..20 {
        match fetch.page(&request("things"), position.as_deref()).await {
            Err(error) => return error,
            Ok(page) => position = Some(page.next.expect("it ends without an error")),
        }
    }
    panic!("it does not end")
}

#[tokio::test]
async fn systems_that_lead_in_circles_or_elsewhere_are_not_followed() {
    let answer = |body: Json_| {
        Router::new().route("/things", get(async move || Json(body)))
    };
    let same = json!({"data": [{"id": 1}], "cursor": "again", "next": "/things?page=2"});
    for (paging, reason) in [
        (r#"{ kind = "cursor", next = "$.cursor" }"#, "gave the same page twice, at cursor again"),
        (r#"{ kind = "next_url", next = "$.next" }"#, "gave the same page twice"),
    ] {
        let (_running, session) = open(&things("", &format!("paging = {paging}"), ""), answer(same.clone())).await;
        let error = first_error(&*session).await;
        assert_eq!((error.advice, error.reason.as_str()), (Advice::StopFlow, reason));
    }
    // No record to tell pages apart by: the cursor that comes again does.
    let empty = json!({"data": [], "cursor": "again"});
    let paging = r#"paging = { kind = "cursor", next = "$.cursor" }"#;
    let (_running, session) = open(&things("", paging, ""), answer(empty)).await;
    assert_eq!(first_error(&*session).await.advice, Advice::StopFlow);

    let elsewhere = json!({"data": [{"id": 1}], "next": "https://evil.example/things?page=2"});
    let paging = r#"paging = { kind = "next_url", next = "$.next" }"#;
    let (_running, session) = open(&things("", paging, ""), answer(elsewhere)).await;
    let error = first_error(&*session).await;
    assert_eq!(error.reason, "says that its next page is at evil.example");
    let capped = r#"paging = { kind = "link_header", most_pages = 2 }"#;
    let profile = things("", &format!("parameters = {{ fixed = \"1\" }}\n{capped}"), "");
    let (_running, session) = open(&profile, paged(100)).await;
    assert_eq!(first_error(&*session).await.reason, "still has more after 2 pages");
}

#[tokio::test]
async fn a_key_in_addresses_stays_out_of_positions() {
    let list = async |uri: Uri, Query(asked): Query<Asked>| -> Response {
        assert_eq!(asked.get("key").map(String::as_str), Some("s3cret-word"));
        assert_eq!(uri.query().unwrap().matches("key=").count(), 1, "{uri}");
        let data = [thing(if asked.contains_key("p") { 2 } else { 1 })];
        let next = if asked.contains_key("p") { json!(null) } else { json!(format!("{uri}&p=2")) };
        Json(json!({"data": data, "next": next})).into_response()
    };
    let profile = things(
        r#"sign_in = { kind = "api_key", parameter = "key", value = "{settings.secret}" }"#,
        r#"paging = { kind = "next_url", next = "$.next" }"#,
        "",
    );
    let (_running, session) = open(&profile, Router::new().route("/things", get(list))).await;
    let first = session.fetch("things").unwrap().page(&request("things"), None).await.unwrap();
    assert!(!first.next.unwrap().contains("s3cret"), "positions lie in the store");
    assert_eq!(read_all(&*session, &request("things")).await.len(), 2);
}

#[tokio::test]
async fn questions_are_put_by_post_with_their_parameters_in_the_body() {
    let bodies: Arc<Mutex<Vec<Json_>>> = Arc::default();
    let seen = Arc::clone(&bodies);
    let search = move |Json(body): Json<Json_>| {
        let seen = Arc::clone(&seen);
        async move {
            seen.lock().unwrap().push(body.clone());
            let start = body["page"]["number"].as_u64().map_or(0, |page| (page - 1) * 2);
            let ids: Vec<u64> = match body["filter"]["ids"].as_array() {
                Some(ids) => ids.iter().map(|id| id.as_str().unwrap().parse().unwrap()).collect(),
                None => (1..=3).collect(),
            };
            let data: Vec<Json_> = ids.iter().skip(usize::try_from(start).unwrap()).take(2).map(|id| thing(usize::try_from(*id).unwrap())).collect();
            Json(json!({"data": data}))
        }
    };
    let profile = things(
        "",
        r#"
        method = "POST"
        body = { options = { archived = false, tags = ["a", "{settings.user}"] }, limit = 2 }
        filters = { status = "filter.status" }
        since = { changed_at = "filter.changed_since" }
        paging = { kind = "page", parameter = "page.number", size = 2 }
        "#,
        r#"
        [[resources.things.find]]
        by = ["id"]
        batch = 10
        body = { filter = { ids = "{id}" } }
        paging = { kind = "none" }
        "#,
    );
    let (_running, session) = open(&profile, Router::new().route("/things", post(search))).await;
    let since = Some(("changed_at".to_owned(), Value::from("2026-01-01T00:00:00Z")));
    let conditions = vec![("status".to_owned(), Value::from("odd"))];
    let records = read_all(&*session, &FetchRequest { since, conditions, ..request("things") }).await;
    assert_eq!(records.len(), 3);
    assert_eq!(
        bodies.lock().unwrap().last().unwrap(),
        &json!({"options": {"archived": false, "tags": ["a", "u"]}, "limit": 2,
            "filter": {"status": "odd", "changed_since": "2026-01-01T00:00:00Z"}, "page": {"number": 2}})
    );
    let keys = [vec![Value::from("2")], vec![Value::from("1")]];
    let found = session.find("things").unwrap().find("things", &["id".to_owned()], &keys).await.unwrap();
    assert_eq!((found[0][0].text("name"), found[1][0].text("name")), (Some("Thing 2"), Some("Thing 1")));
    assert_eq!(bodies.lock().unwrap().last().unwrap()["filter"]["ids"], json!(["2", "1"]));
}

#[tokio::test]
async fn filters_are_expressions_and_cursors_start_a_little_earlier() {
    let asked: Arc<Mutex<Asked>> = Arc::default();
    let seen = Arc::clone(&asked);
    let list = move |Query(query): Query<Asked>| {
        let seen = Arc::clone(&seen);
        async move {
            *seen.lock().unwrap() = query;
            Json(json!({"data": []}))
        }
    };
    let profile = things(
        "",
        r#"
        join = " and "
        quote = "'"
        parameters = { "$filter" = "Kind eq 'thing'" }
        filters = { status = { parameter = "$filter", value = "Status eq '{value}'" } }
        since = { changed_at = { parameter = "$filter", value = "ChangedUtc ge {since}", overlap = "10m" } }
        "#,
        "",
    );
    let (_running, session) = open(&profile, Router::new().route("/things", get(list))).await;
    let since = Some(("changed_at".to_owned(), Value::from("2026-01-01T12:00:00Z")));
    let conditions = vec![("status".to_owned(), Value::from("'s nachts"))];
    read_all(&*session, &FetchRequest { since, conditions, ..request("things") }).await;
    let asked = asked.lock().unwrap().clone();
    let wanted = "Kind eq 'thing' and Status eq '''s nachts' and ChangedUtc ge 2026-01-01T11:50:00Z";
    assert_eq!(asked["$filter"], wanted);
}

#[tokio::test]
async fn a_good_status_can_be_a_refusal() {
    let answers = [
        (json!({"ok": true, "data": [{"id": 1}]}), None),
        (json!({"ok": false, "error": {"text": "no rights", "field": "shop"}}), Some((Advice::SkipRecord, "no rights: shop (status 200)"))),
        (json!({"ok": false, "error": {"text": "busy", "code": 17}}), Some((Advice::Retry(None), "busy; tried 4 times"))),
    ];
    for (body, wanted) in answers {
        let profile = things(
            r#"
            ok_when = "$.ok"
            reason = ["$.error.text", "$.error.field"]
            [[connection.errors]]
            body = "$.error.code"
            is = 17
            advice = "retry"
            "#,
            "",
            "",
        );
        let (_running, session) = open(&profile, Router::new().route("/things", get(async move || Json(body)))).await;
        let page = session.fetch("things").unwrap().page(&request("things"), None).await;
        match (page, wanted) {
            (Ok(page), None) => assert_eq!(page.records.len(), 1),
            (Err(error), Some(wanted)) => assert_eq!((error.advice, error.reason.as_str()), wanted),
            (page, wanted) => panic!("{page:?}, not {wanted:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_not_json_is_judged_by_its_text() {
    let list = async || (StatusCode::CONFLICT, [("content-type", "text/xml")], "<fault><text>Record LOCKED by Jan</text></fault>");
    let profile = things(
        r#"
        [[connection.errors]]
        status = 409
        contains = "locked by"
        advice = "retry"
        "#,
        "",
        "",
    );
    let (_running, session) = open(&profile, Router::new().route("/things", get(list))).await;
    let error = session.fetch("things").unwrap().page(&request("things"), None).await.unwrap_err();
    assert_eq!(error.advice, Advice::Retry(None));
    assert!(error.reason.contains("Record LOCKED by Jan"), "{error}");
}

#[tokio::test]
async fn a_connection_says_once_how_everything_is_written() {
    let bodies: Arc<Mutex<Vec<Json_>>> = Arc::default();
    let seen = Arc::clone(&bodies);
    let write = move |Json(body): Json<Json_>| {
        let seen = Arc::clone(&seen);
        async move {
            seen.lock().unwrap().push(body.clone());
            StatusCode::NO_CONTENT
        }
    };
    let text = r#"
        name = "ledger"
        title = "Ledger"
        about = "A ledger with habits of its own."
        settings.address.about = "Address."
        [connection]
        address = "{settings.address}"
        formats = { datetime = "%d-%m-%Y %H:%M:%S", date = "%d-%m-%Y", zone = "Europe/Amsterdam", decimal = "comma", integer = "text", boolean = ["J", "N"], nothing = "empty" }
        [resources.debtors]
        about = "Debtors."
        key = "code"
        fetch = { path = "/debtors" }
        update = { path = "/debtors/{code}" }
        [[resources.debtors.find]]
        by = ["code"]
        reads_all = true
        any_case = true
        batch = 100
        [resources.debtors.fields]
        code = {}
        name = {}
        balance = { type = "decimal", follows = ["limit"] }
        limit = { type = "decimal", wire = "number" }
        days = { type = "integer" }
        is_blocked = { type = "boolean" }
        since = { type = "date" }
        changed_at = { type = "datetime" }
        labels = { type = "list", wire = "map", fields = { name = {}, value = { type = "integer" } } }
        address = { type = "record", fields = { city = {} } }
    "#;
    let profile = Profile::load("ledger.toml", text).unwrap_or_else(|report| panic!("{}", render(&report)));
    assert_eq!(profile.manifest().resources.get("debtors").unwrap().fields.get("balance").unwrap().follows, ["limit"]);
    let debtors = json!([
        {"code": "Ab1", "name": "", "balance": "1.234,50", "limit": 10, "days": "14", "is_blocked": "J", "since": "31-12-2025",
            "changed_at": "05-01-2026 09:00:00", "labels": {"b": "2", "a": 1, "c": ""}},
        {"code": "Cd2", "labels": []},
    ]);
    let router = Router::new().route("/debtors", get(async move || Json(debtors))).route("/debtors/{code}", axum::routing::patch(write));
    let running = serve(router, 0, Faults::default()).await.unwrap();
    let session = profile.connect(&answers(&[("address", &running.url())]), &quick().into()).unwrap();
    let whole = r#"{"code":"Ab1","balance":1234.50,"limit":10,"days":14,"is_blocked":true,"since":"2025-12-31","changed_at":"2026-01-05T09:00:00+01:00","labels":[{"name":"a","value":1},{"name":"b","value":2}]}"#;
    let records = read_all(&*session, &request("debtors")).await;
    assert_eq!((records[0].to_string(), records[1].to_string()), (whole.to_owned(), r#"{"code":"Cd2"}"#.to_owned()));

    let before = running.requests();
    let keys = [vec![Value::from("cd2")], vec![Value::from("AB1")], vec![Value::from("x")]];
    let found = session.find("debtors").unwrap().find("debtors", &["code".to_owned()], &keys).await.unwrap();
    assert_eq!((found[0][0].text("code"), found[1][0].text("code"), found[2].len()), (Some("Cd2"), Some("Ab1"), 0));
    assert_eq!(running.requests() - before, 1, "one reading serves every key");

    let mut changes = record(whole);
    changes.set("name", Value::Null);
    changes.set("address", Value::Map(record(r#"{"city":null}"#)));
    session.update("debtors").unwrap().update("debtors", "Ab1", &changes, None).await.unwrap();
    assert_eq!(
        bodies.lock().unwrap()[0],
        json!({"code": "Ab1", "name": "", "balance": "1234,50", "limit": 10, "days": "14", "is_blocked": "J", "since": "31-12-2025",
            "changed_at": "05-01-2026 09:00:00", "labels": {"a": "1", "b": "2"}, "address": {"city": ""}})
    );
}

#[tokio::test]
async fn a_page_without_records_is_told_from_an_empty_one() {
    let list = async || Json(json!({"data": ["a", "b"]}));
    let (_running, session) = open(&things("", "", ""), Router::new().route("/things", get(list))).await;
    let error = session.fetch("things").unwrap().page(&request("things"), None).await.unwrap_err();
    assert_eq!((error.advice, error.reason.as_str()), (Advice::StopFlow, "its page holds `a` where records should stand"));
}

/// A server whose tokens are `t-1`, `t-2` …; each lasts for two calls.
#[derive(Clone, Default)]
struct Gate {
    forms: Arc<Mutex<Vec<String>>>,
    left: Arc<Mutex<usize>>,
}

impl Gate {
    fn router(&self, path: &'static str, answer: fn(usize) -> Json_, header: &'static str, prefix: &'static str) -> Router {
        let (gate, door) = (self.clone(), self.clone());
        let login = move |body: Bytes| {
            let gate = gate.clone();
            async move {
                let text = String::from_utf8(body.to_vec()).unwrap();
                let is_known = text.contains("s3cret-word");
                let mut forms = gate.forms.lock().unwrap();
                forms.push(text);
                if !is_known {
                    return (StatusCode::FORBIDDEN, Json(json!({"message": "unknown user"})));
                }
                *gate.left.lock().unwrap() = 2;
                (StatusCode::OK, Json(answer(forms.len())))
            }
        };
        let list = move |headers: HeaderMap| {
            let gate = door.clone();
            async move {
                let number = gate.forms.lock().unwrap().len();
                let mut left = gate.left.lock().unwrap();
                let given = headers.get(header).and_then(|value| value.to_str().ok());
                if given != Some(&format!("{prefix}t-{number}")) || *left == 0 {
                    return StatusCode::UNAUTHORIZED.into_response();
                }
                *left -= 1;
                Json(json!({"data": [thing(1)]})).into_response()
            }
        };
        Router::new().route(path, post(login)).route("/things", get(list))
    }
}

#[tokio::test]
async fn a_login_gives_a_token_that_is_renewed_unseen() {
    let gate = Gate::default();
    let login = r#"sign_in = { kind = "login", path = "/login", body = { user = "{settings.user}", password = "{settings.secret}" }, token = "$.session.token", expires_in = "$.seconds", header = "X-Session" }"#;
    let profile = things(login, "", "");
    let router = gate.router("/login", |number| json!({"session": {"token": format!("t-{number}")}, "seconds": 3600}), "x-session", "");
    let (running, session) = open(&profile, router).await;
    let (_, exchanges) = recorded(async {
        for _ in 0..5 {
            assert_eq!(read_all(&*session, &request("things")).await.len(), 1);
        }
    })
    .await;
    assert_eq!(gate.forms.lock().unwrap().len(), 3, "five calls, two to a token");
    assert_eq!(gate.forms.lock().unwrap()[0], r#"{"password":"s3cret-word","user":"u"}"#);
    let kept = format!("{exchanges:?}");
    assert!(!kept.contains("s3cret-word") && !kept.contains("t-1\\\""), "{kept}");

    // A token that lies in the store is used, and one that is new lies there.
    let tokens = Tokens::starting_with(Token { access: "t-3".to_owned(), refresh: None, expires_at: None });
    let host = Host { tokens, ..Host::from(quick()) };
    let answers_ = answers(&[("address", &running.url()), ("secret", "s3cret-word")]);
    let session = profile.connect(&answers_, &host).unwrap();
    read_all(&*session, &request("things")).await;
    assert_eq!(gate.forms.lock().unwrap().len(), 3, "the token of before is still good for a call");
    read_all(&*session, &request("things")).await;
    assert_eq!(host.tokens.load().await.unwrap().unwrap().access, "t-4");

    let wrong = answers(&[("address", &running.url()), ("secret", "another-word")]);
    let session = profile.connect(&wrong, &quick().into()).unwrap();
    let error = session.fetch("things").unwrap().page(&request("things"), None).await.unwrap_err();
    assert_eq!((error.advice, error.reason.as_str()), (Advice::Reconnect, "the login is refused: status 403"));
}

#[tokio::test]
async fn a_client_signs_in_with_rights_of_its_own() {
    let gate = Gate::default();
    let sign_in = r#"sign_in = { kind = "oauth2_client_credentials", token_address = "{settings.address}/token", client_id = "{settings.user}", client_secret = "{settings.secret}", scope = "read" }"#;
    let router = gate.router("/token", |number| json!({"access_token": format!("t-{number}"), "expires_in": 600}), "authorization", "Bearer ");
    let (_running, session) = open(&things(sign_in, "", ""), router).await;
    for _ in 0..3 {
        read_all(&*session, &request("things")).await;
    }
    let forms = gate.forms.lock().unwrap();
    assert_eq!(*forms, ["grant_type=client_credentials&scope=read&client_id=u&client_secret=s3cret-word"; 2]);
}

#[tokio::test]
async fn a_person_signs_in_once() {
    let gate = Gate::default();
    let sign_in = r#"sign_in = { kind = "oauth2_authorization_code", authorize_address = "{settings.address}/authorize", token_address = "{settings.address}/token", client_id = "{settings.user}", client_secret = "{settings.secret}", extra = { prompt = "login" } }"#;
    let profile = things(sign_in, "", "");
    let router = gate.router("/token", |number| json!({"access_token": format!("t-{number}"), "refresh_token": format!("r-{number}")}), "authorization", "Bearer ");
    let (running, session) = open(&profile, router).await;
    let error = session.fetch("things").unwrap().page(&request("things"), None).await.unwrap_err();
    assert_eq!((error.advice, error.reason.as_str()), (Advice::Reconnect, "nobody has signed in to this account yet"));

    let answers_ = answers(&[("address", &running.url()), ("secret", "s3cret-word")]);
    let client = profile.consent(&answers_).unwrap().unwrap();
    let address = client.consent_address("state-1").unwrap();
    assert!(address.as_str().contains("prompt=login") && address.path() == "/authorize", "{address}");
    let host = Host { tokens: Tokens::starting_with(client.redeem("code-1").await.unwrap()), ..Host::from(quick()) };
    let session = profile.connect(&answers_, &host).unwrap();
    for _ in 0..3 {
        read_all(&*session, &request("things")).await;
    }
    assert!(gate.forms.lock().unwrap()[1].contains("refresh_token=r-1"), "{:?}", gate.forms.lock().unwrap());
    assert!(things("", "", "").consent(&answers_).is_none());
}

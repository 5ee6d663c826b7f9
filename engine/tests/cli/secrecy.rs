//! Looks for secrets in everything that the program leaves behind: what it prints, what it logs,
//! the store and the log beside it, copies. The systems repeat every credential in every way
//! they can think of.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// With every letter that some writing spells otherwise.
const KEY: &str = "Key/of+the=Shop&\"quoted\"<7391>";
const PASSWORD: &str = "Pass~word of/the+Till%4711";
const TOKEN: &str = "Token-of.the_Till+91827364/=";

const SHOP: &str = r#"
name = "echo_shop"
title = "Echo Shop"
about = "Repeats its key."
[settings.address]
about = "Address."
[settings.api_key]
about = "Key."
secret = true
[connection]
address = "{settings.address}"
reason = "$.error"
sign_in = { kind = "api_key", header = "X-Api-Key", value = "{settings.api_key}" }
probe = { path = "/me", says = "$.name" }
[resources.orders]
about = "Orders."
key = "number"
[resources.orders.fetch]
path = "/orders"
records = "$.data[*]"
[resources.orders.fields]
number = { read_only = true, about = "Number." }
email = { about = "Address." }
"#;

const TILL: &str = r#"
name = "echo_till"
title = "Echo Till"
about = "Repeats its token."
[settings.address]
about = "Address."
[settings.password]
about = "Password."
secret = true
[connection]
address = "{settings.address}"
reason = "$.error"
sign_in = { kind = "login", path = "/login", body = { password = "{settings.password}" }, token = "$.token" }
probe = { path = "/me", says = "$.name" }
[resources.things]
about = "Things."
key = "id"
[[resources.things.find]]
by = ["code"]
unique = true
path = "/things/{code}"
records = "$.data[*]"
[resources.things.create]
path = "/things"
record = "$.data"
[resources.things.fields]
id = { read_only = true, about = "Key." }
code = { about = "Code." }
email = { about = "Address." }
"#;

const FLOW: &str = r#"flow "Orders"
source shop: echo_shop
target till: echo_till
fetch order from shop.orders
create thing in till.things {
    code  = order.number
    email = order.email
}
"#;

/// Every byte as hexadecimal digits with something before it.
fn digits(before: &str, secret: &str) -> String {
    let bytes: Vec<String> = secret.bytes().map(|byte| format!("{before}{byte:02x}")).collect();
    bytes.concat()
}

/// What a system makes of a credential: as it came, in base64, alone and within a pair, as
/// digits, in an address.
fn echo(secret: &str) -> String {
    let (percent, hex) = (digits("%", secret), digits("", secret));
    let (plain, pair) = (STANDARD.encode(secret), STANDARD.encode(format!("weft:{secret}")));
    format!("{secret} | {plain} | {pair} | {hex} | {percent} refused")
}

/// Every way that a secret is looked for.
fn needles(secret: &str) -> Vec<String> {
    let upper = |text: &str| text.to_uppercase();
    let (percent, hex) = (digits("%", secret), digits("", secret));
    let usual: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let json = json!(secret).to_string();
    let mut all =
        vec![secret.to_owned(), json.trim_matches('"').to_owned(), usual, percent, upper(&hex), hex];
    for before in 0..3 {
        let text = [vec![b'x'; before], secret.as_bytes().to_vec()].concat();
        // Without what the neighbours decide.
        all.push(STANDARD.encode(&text).trim_end_matches('=').chars().skip(4).take(secret.len()).collect());
    }
    all
}

async fn shop(request: Request) -> Response {
    let key =
        request.headers().get("x-api-key").map(|key| key.to_str().unwrap().to_owned()).unwrap_or_default();
    match request.uri().path() {
        "/orders" => {
            let orders: Vec<Value> =
                (1..=12).map(|number| json!({"number": number.to_string(), "email": format!("{number}@example.com"), "echo": echo(&key)})).collect();
            Json(json!({ "data": orders })).into_response()
        }
        _ => Json(json!({ "name": echo(&key) })).into_response(),
    }
}

async fn till(State(calls): State<Arc<AtomicUsize>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let body = String::from_utf8_lossy(&body).into_owned();
    let token = parts.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let token = token.unwrap_or_default().replace("Bearer ", "");
    let said = echo(&token);
    match (parts.method.as_str(), parts.uri.path(), calls.fetch_add(1, Ordering::SeqCst) % 7) {
        ("POST", "/login", 3) => (StatusCode::SERVICE_UNAVAILABLE, body).into_response(),
        ("POST", "/login", _) => Json(json!({ "token": TOKEN, "you_said": body })).into_response(),
        (_, _, 2) => (StatusCode::UNAUTHORIZED, Json(json!({ "error": said }))).into_response(),
        ("POST", _, 0 | 5) => {
            (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({ "error": said }))).into_response()
        }
        ("POST", _, 4) => (StatusCode::BAD_GATEWAY, format!("<html>{said}</html>")).into_response(),
        ("POST", _, number) => {
            let sent: Value = serde_json::from_str(&body).unwrap();
            Json(json!({ "data": { "id": format!("t{number}-{}", sent["code"]), "code": sent["code"], "note": said } }))
                .into_response()
        }
        (_, "/me", _) => Json(json!({ "name": said })).into_response(),
        _ => Json(json!({ "data": [] })).into_response(),
    }
}

async fn serve(router: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// A project, and everything that was ever printed about it.
struct Bench {
    folder: tempfile::TempDir,
    told: BTreeMap<String, Vec<u8>>,
}

impl Bench {
    fn put(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weft"));
        command.args(args).current_dir(self.folder.path()).env("WEFT_LOG", "trace").env_remove("WEFT_KEY");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program; answers its exit code.
    fn weft(&mut self, args: &[&str], input: &str) -> i32 {
        let mut child = self.command(args).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let told = [output.stdout, output.stderr].concat();
        self.told.insert(format!("{}. weft {}", self.told.len(), args.join(" ")), told);
        output.status.code().unwrap_or(-1)
    }

    fn all(&self) -> String {
        self.told.values().map(|told| String::from_utf8_lossy(told)).collect()
    }

    /// Fails where a secret is found.
    fn search(&self) {
        let mut places = self.told.clone();
        files(self.folder.path(), &mut places);
        for name in ["/.weft/store.db", "/copy-of-store.db"] {
            assert!(places.keys().any(|place| place.ends_with(name)), "{:?}", places.keys());
        }
        for secret in [KEY, PASSWORD, TOKEN] {
            for needle in needles(secret) {
                for (place, bytes) in &places {
                    let found = bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
                    assert!(!found, "`{needle}` is in {place}");
                }
            }
        }
    }
}

fn files(folder: &Path, all: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        if entry.path().is_dir() {
            files(&entry.path(), all);
        } else {
            all.insert(entry.path().display().to_string(), std::fs::read(entry.path()).unwrap());
        }
    }
}

async fn bench() -> Bench {
    let shop = serve(axum::Router::new().fallback(shop)).await;
    let till = serve(axum::Router::new().fallback(till).with_state(Arc::default())).await;
    let bench = Bench { folder: tempfile::tempdir().unwrap(), told: BTreeMap::new() };
    bench.put("systems/echo_shop.toml", SHOP);
    bench.put("systems/echo_till.toml", TILL);
    bench.put("flows/orders.flow", FLOW);
    bench.put(
        "weft.toml",
        &format!(
            "[connections.shop]\nsystem = \"echo_shop\"\naddress = \"{shop}\"\napi_key = {{ sealed = true }}\n\
             [connections.till]\nsystem = \"echo_till\"\naddress = \"{till}\"\npassword = {{ sealed = true }}\n\
             [flows.orders]\nfile = \"flows/orders.flow\"\n"
        ),
    );
    bench
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_anything_that_is_printed_logged_or_kept() {
    let mut bench = bench().await;
    assert_eq!(bench.weft(&["check"], ""), 0, "{}", bench.all());
    assert!(!bench.folder.path().join(".weft").exists(), "checking needs no store and no key");
    assert_ne!(bench.weft(&["run"], ""), 0);
    assert!(bench.all().contains("weft secret set shop api_key"), "{}", bench.all());
    assert_eq!(bench.weft(&["secret", "set", "shop", "api_key"], KEY), 0, "{}", bench.all());
    assert_eq!(bench.weft(&["secret", "set", "till", "password"], &format!("{PASSWORD}\n")), 0);
    assert_eq!(bench.weft(&["secret", "set", "till", "address"], PASSWORD), 2);
    assert_eq!(bench.weft(&["connect"], ""), 0, "{}", bench.all());
    bench.weft(&["doctor", "till"], "");
    assert_eq!(bench.weft(&["run"], ""), 1, "{}", bench.all());
    bench.weft(&["--json", "run", "--full"], "");
    bench.weft(&["secret", "list"], "");
    assert_eq!(bench.weft(&["secret", "rotate"], ""), 0);
    bench.weft(&["run"], "");
    for json in [&[][..], &["--json"]] {
        let asked = [
            &["runs"][..],
            &["records", "--failed"],
            &["records", "1", "--full"],
            &["dead", "list"],
            &["dead", "show", "4@example.com", "--full"],
            &["dead", "replay", "--all", "--yes"],
            &["export", "1@example.com"],
        ];
        for args in asked {
            bench.weft(&[args, json].concat(), "");
        }
    }
    // Killed on its way, so that the log beside the store is left as it was.
    let mut child = bench.command(&["run", "--full"]).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(400));
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    bench.told.insert("killed".to_owned(), [output.stdout, output.stderr].concat());
    assert_eq!(bench.weft(&["backup", "copy-of-store.db"], ""), 0, "{}", bench.all());
    // The daemon says everything that it can say, and is killed too.
    bench.put("flows/orders.flow", &FLOW.replacen("\nfetch ", "\nevery 1 second\n\nfetch ", 1));
    let mut daemon = bench.command(&["serve", "--log-format", "json"]).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_secs(4));
    let _ = daemon.kill();
    let output = daemon.wait_with_output().unwrap();
    let told = [output.stdout, output.stderr].concat();
    assert!(String::from_utf8_lossy(&told).contains("run ended"), "{}", String::from_utf8_lossy(&told));
    bench.told.insert("daemon".to_owned(), told);
    let all = bench.all();
    assert!(all.contains("•••"), "the systems did repeat their credentials: {all}");
    assert!(all.contains("12 records") || all.contains("refused"), "{all}");
    bench.search();
}

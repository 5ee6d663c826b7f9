//! The whole way of a webhook: registered at the shop, delivered to the daemon, and what it tells
//! about arrives in the till. Nothing here is due by the clock.

use std::time::Duration;

use connectors::ccv_salespos::simulator::NewOrder;
use connectors::simulator::Simulator as _;
use serde_json::Value;

use super::docs::blocks;
use super::town::{Folder, Town, golden};

const BUYERS: &str = r#"flow "Who has ordered"
source shop: ccv_salespos
target till: mpluskassa

on webhook shop "orders.created"

fetch order from shop.orders since created_at
upsert relation in till.relations by email {
    email = order.customer.email
    name  = order.customer.full_name
}
"#;

/// A port that was free a moment ago.
fn port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn project(town: &Town, port: u16) -> Folder {
    let folder = town.project(&[("buyers", BUYERS)]);
    let listen =
        format!("\n[listen]\naddress = \"127.0.0.1:{port}\"\npublic_url = \"https://localhost:{port}\"\n");
    folder.put("weft.toml", town.main_file(&[("buyers", BUYERS)]) + listen.as_str());
    folder
}

fn emails(town: &Town) -> Vec<String> {
    let books = town.till.books();
    let relations = books["relations"].as_array().unwrap();
    relations.iter().filter_map(|row| row["email"].as_str().map(str::to_owned)).collect()
}

fn order(town: &Town, email: &str) {
    let lines = [("M-1", 1)];
    let order = NewOrder { email, name: ("Sanne", "de Boer"), lines: &lines, ..NewOrder::default() };
    town.shop.add_order(&order).unwrap();
}

/// Until that holds.
async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..1_200 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{what} within half a minute");
}

async fn status(port: u16, path: &str) -> Option<u16> {
    let response = reqwest::get(format!("http://127.0.0.1:{port}{path}")).await.ok()?;
    Some(response.status().as_u16())
}

#[tokio::test]
async fn an_order_is_in_the_till_because_the_shop_told_of_it() {
    connectors::http::choose_cryptography();
    let town = Town::new().await;
    town.shop.add_product("M-1", "Mok", "9.95".parse().unwrap(), 10).unwrap();
    let port = port();
    let folder = project(&town, port);
    let shown = async |args: &[&str]| folder.show(args).await.replace(&port.to_string(), "PORT");
    let before = shown(&["webhooks", "list"]).await;
    let registered = shown(&["webhooks", "register"]).await;
    let again = folder.weft(&["webhooks", "register", "--json"]).await;
    assert_eq!(again.code, Some(0), "{}", again.err);
    let hooks = town.shop.books()["webhooks"].as_array().unwrap().clone();
    assert_eq!(hooks.len(), 1, "registering twice changes nothing: {hooks:?}");

    let mut daemon = folder.command(&["serve"]).spawn().unwrap();
    until("the daemon is ready", async || status(port, "/readyz").await == Some(200)).await;
    order(&town, "sanne@voorbeeld.example");
    until("the order is told of", async || emails(&town) == ["sanne@voorbeeld.example"]).await;

    // It is killed; what happens meanwhile is found by reading on, once the next event comes.
    daemon.kill().await.unwrap();
    order(&town, "piet@voorbeeld.example");
    let mut daemon = folder.command(&["serve"]).spawn().unwrap();
    until("the daemon is ready", async || status(port, "/readyz").await == Some(200)).await;
    order(&town, "anna@voorbeeld.example");
    until("both orders are there", async || emails(&town).len() == 3).await;
    let told: Value = serde_json::from_str(
        &reqwest::get(format!("http://127.0.0.1:{port}/healthz")).await.unwrap().text().await.unwrap(),
    )
    .unwrap();
    assert_eq!(told["stage"], "serving");
    until("the run is measured", async || {
        let metrics = reqwest::get(format!("http://127.0.0.1:{port}/metrics")).await.unwrap();
        metrics.text().await.unwrap().contains("weft_run_duration_seconds_count{flow=\"buyers\"}")
    })
    .await;
    daemon.kill().await.unwrap();

    let removed = shown(&["webhooks", "remove"]).await;
    assert!(town.shop.books()["webhooks"].as_array().unwrap().is_empty());
    let tells_nothing = shown(&["webhooks", "list", "till"]).await;
    golden("webhooks", [before, registered, removed, tells_nothing].join("\n\n"));
}

/// What the guide says: its `[listen]`, its commands, and proxies that let deliveries through.
#[tokio::test]
async fn the_guides_commands_register_what_its_proxies_let_through() {
    let guide = include_str!("../../../docs/webhooks.md");
    let blocks = blocks(guide);
    let find = |head: &str, begin: &str| {
        let mut found = blocks.iter().filter(|(one, body)| *one == head && body.starts_with(begin));
        found.next().unwrap_or_else(|| panic!("no block of {head} begins with {begin}")).1
    };
    let (listen, calls) = (find("toml", "[listen]"), find("sh", "weft webhooks register"));
    let town = Town::new().await;
    let folder = town.project(&[("buyers", BUYERS)]);
    let main = town.main_file(&[("buyers", BUYERS)]);
    folder.put("weft.toml", [main.as_str(), "\n", listen].concat());
    let mut calls = calls.lines();
    let mut call = async || {
        let call = calls.next().unwrap();
        let told = folder.weft(&call.split(' ').skip(1).collect::<Vec<_>>()).await;
        assert_eq!(told.code, Some(0), "{call}: {}{}", told.out, told.err);
        told.out
    };
    call().await;
    let hooks = town.shop.books()["webhooks"].as_array().unwrap().clone();
    let address = hooks[0]["address"].as_str().unwrap();
    let table: toml::Table = listen.parse().unwrap();
    let here = table["listen"]["address"].as_str().unwrap();
    let there = table["listen"]["public_url"].as_str().unwrap();
    let path = address.strip_prefix(there).unwrap_or_else(|| panic!("{address}"));
    assert!(path.starts_with("/hooks/"), "{address}");
    let caddy = find("text", there.strip_prefix("https://").unwrap());
    assert!(caddy.contains(&format!("reverse_proxy /hooks/* {here}\n")), "{caddy}");
    let nginx = find("text", "server {");
    assert!(
        nginx.contains("location /hooks/ {") && nginx.contains(&format!("proxy_pass http://{here};")),
        "{nginx}"
    );
    let listed = call().await;
    assert!(listed.contains("orders.created"), "{listed}");
    call().await;
    assert!(town.shop.books()["webhooks"].as_array().unwrap().is_empty());
}

const CATALOGUE: &str = r#"flow "Products"
source shop: ccv_salespos
target till: mpluskassa

on webhook shop "products.created"
on webhook shop "products.deleted"

fetch product from shop.products since modified_at
upsert article in till.articles by article_number {
    article_number = product.sku
    description    = product.name
    turnover_group = "10"  on create
    vat_code       = "1"   on create
    active         = true  on create
    active         = false on delete
}
"#;

#[tokio::test]
async fn a_product_that_the_shop_deletes_is_switched_off_in_the_till() {
    connectors::http::choose_cryptography();
    let town = Town::new().await;
    let port = port();
    let flows = [("products", CATALOGUE)];
    let folder = town.project(&flows);
    let listen =
        format!("\n[listen]\naddress = \"127.0.0.1:{port}\"\npublic_url = \"https://localhost:{port}\"\n");
    folder.put("weft.toml", town.main_file(&flows) + listen.as_str());
    assert_eq!(folder.weft(&["webhooks", "register"]).await.code, Some(0));
    let mut daemon = folder.command(&["serve"]).spawn().unwrap();
    until("the daemon is ready", async || status(port, "/readyz").await == Some(200)).await;
    let key = town.shop.add_product("100", "Mok", "9.95".parse().unwrap(), 10).unwrap();
    let active = || -> Vec<bool> {
        town.till.articles().iter().filter_map(|one| one.get("active")?.as_bool()).collect()
    };
    until("the product is told of", async || active() == [true]).await;
    town.shop.remove("products", key).unwrap();
    until("its deletion is told of", async || active() == [false]).await;
    until("it is settled", async || {
        let row = folder.weft(&["records", &key.to_string(), "--json"]).await;
        row.out.contains("\"!deleted\"")
    })
    .await;
    daemon.kill().await.unwrap();
    let key = key.to_string();
    let told = folder.show(&["records", "show", &key]).await;
    let listed = folder.show(&["records", &key]).await;
    golden("deleted", [told, listed].join("\n\n"));
}

#[tokio::test]
async fn what_listen_says_is_checked() {
    let town = Town::new().await;
    let folder = project(&town, 1);
    let main = town.main_file(&[("buyers", BUYERS)]);
    folder.put("weft.toml", &main);
    let nowhere = folder.show(&["webhooks", "list"]).await;
    let wrong = "\n[listen]\nadress = \"127.0.0.1:8787\"\naddress = \"localhost\"\npublic_url = \"weft.example.com\"\n";
    folder.put("weft.toml", main.clone() + wrong);
    let wrong = folder.show(&["check"]).await;
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = format!("\n[listen]\naddress = \"{}\"\n", socket.local_addr().unwrap());
    folder.put("weft.toml", main.clone() + listen.as_str());
    let taken = folder.show(&["serve"]).await;
    let taken: Vec<&str> = taken.lines().filter(|line| !line.contains("INFO")).collect();
    folder.put(
        "weft.toml",
        [main, listen.replace("[listen]\n", "[listen]\npublic_url = \"https://x.example\"\n")].concat(),
    );
    folder.put("flows/buyers.flow", BUYERS.replace("on webhook shop \"orders.created\"", "every 5 minutes"));
    let none = folder.show(&["webhooks", "list"]).await;
    golden("listen", [nowhere, wrong, taken.join("\n"), none].join("\n\n"));
}

const TULIP: &str = r#"name = "tulip"
title = "Tulip Shop"
about = "Orders of a Tulip web shop."
events = ["orders.placed", "orders.paid"]

[settings.address]
about = "Address of the shop."

[connection]
address = "{settings.address}"

[resources.orders]
about = "Orders of customers."
key = "id"

[resources.orders.fetch]
path = "/orders"
records = "$.data[*]"

[resources.orders.fields]
id = { read_only = true, about = "Order number." }
email = { about = "Who has ordered." }
"#;

const TULIPS: &str = r#"flow "Who has ordered"
source shop: tulip
target till: mpluskassa

on webhook shop "orders.placed"

fetch order from shop.orders
upsert relation in till.relations by email {
    email = order.email
    name  = order.email
}
"#;

#[tokio::test]
async fn a_system_of_ones_own_tells_at_an_address_that_is_entered_by_hand() {
    connectors::http::choose_cryptography();
    let town = Town::new().await;
    let orders = axum::Router::new().route(
        "/orders",
        axum::routing::get(|| async { r#"{"data": [{"id": "1", "email": "tulp@voorbeeld.example"}]}"# }),
    );
    let shop =
        connectors::simulator::serve(orders, 0, connectors::simulator::Faults::default()).await.unwrap();
    let port = port();
    let folder = town.project(&[("buyers", TULIPS)]);
    let main = town.main_file(&[("buyers", TULIPS)]).replace("connections.shop", "connections.old_shop");
    let more = format!(
        "\n[connections.shop]\nsystem = \"tulip\"\naddress = \"{}\"\n\n[listen]\naddress = \"127.0.0.1:{port}\"\n\
         public_url = \"https://weft.example\"\n",
        shop.url()
    );
    folder.put("systems/tulip.toml", TULIP).put("weft.toml", main + more.as_str());
    let before = folder.show(&["webhooks", "list"]).await;
    let shown = folder.show(&["webhooks", "register"]).await;
    let address = shown.lines().find(|line| line.ends_with("/orders.placed")).unwrap().trim().to_owned();
    let secret = address.split('/').nth(5).unwrap();
    let again = folder.show(&["webhooks", "register"]).await;
    let mut daemon = folder.command(&["serve"]).spawn().unwrap();
    until("the daemon is ready", async || status(port, "/readyz").await == Some(200)).await;
    let path = address.strip_prefix("https://weft.example").unwrap();
    let client = reqwest::Client::new();
    let post = async |path: &str| {
        let sent = client.post(format!("http://127.0.0.1:{port}{path}")).body("tulips").send().await;
        sent.unwrap().status().as_u16()
    };
    assert_eq!(post(&path.replace("orders.placed", "orders.eaten")).await, 400);
    assert_eq!(post(&path.replace(secret, "00000000000000000000000000000000")).await, 404);
    assert!(emails(&town).is_empty());
    assert_eq!(post(path).await, 200);
    until("the order is told of", async || emails(&town) == ["tulp@voorbeeld.example"]).await;
    daemon.kill().await.unwrap();
    let removed = folder.show(&["webhooks", "remove"]).await;
    golden("webhooks_by_hand", [before, shown, again, removed].join("\n\n").replace(secret, "SECRET"));
}

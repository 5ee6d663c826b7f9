//! The guides, played: every terminal that they show is one that was sat at, see `page.rs`.

use std::collections::BTreeSet;

use connectors::accountview::simulator::AccountViewSimulator;
use connectors::ccv_salespos::simulator::NewOrder;
use connectors::simulator::{Fault, Running};

use super::connect::{callback, get, office_of};
use super::docs::{FLOW, blocks, guides};
use super::page::{Reader, free_ports};
use super::serve::{Daemon, customers as due};
use super::town::{CUSTOMERS, Folder, Town};

/// Each page that shows a terminal, and what makes the world ready for whoever follows it.
macro_rules! pages {
    ($($page:literal is $ready:ident),* $(,)?) => {
        const PLAYED: &[&str] = &[$($page),*];
        mod played {
            $(#[tokio::test]
            async fn $ready() {
                let Some(mut reader) = super::Reader::at($page) else { return };
                let _world = super::$ready(&mut reader).await;
                reader.plays().await;
            })*
        }
    };
}

pages! {
    "tutorial.md" is tutorial,
    "getting-started.md" is getting_started,
    "scripts.md" is scripts,
    "plan.md" is plan,
    "testing.md" is testing,
    "secrets.md" is secrets,
    "privacy.md" is privacy,
    "operating.md" is operating,
    "monitoring.md" is monitoring,
}

async fn tutorial(reader: &mut Reader) {
    let [shop, till] = free_ports();
    reader.has("8301", &shop.to_string());
    reader.has("8302", &till.to_string());
}

/// What it shows of `weft init` is taken from the tutorial.
async fn getting_started(_: &mut Reader) {}

const ORDERS: &str = r#"flow "Orders"
source shop: ccv_salespos
target till: mpluskassa

table payment_method: text -> text
    "Ideal" -> "IDEAL"
    otherwise fail

fetch order from shop.orders
lookup known in till.articles by article_number = "100001"
fail "product 100001 is not in the till" unless known
notify order.number
"#;

async fn scripts(reader: &mut Reader) {
    let address = format!("{}/../scripts/address.rhai", env!("CARGO_MANIFEST_DIR"));
    let main = "[connections.shop]\nsystem = \"ccv_salespos\"\naddress = \"https://www.koffiehuis.example\"\n\
                public_key = \"pk_1234\"\nsecret_key = { sealed = true }\n\n\
                [connections.till]\nsystem = \"mpluskassa\"\naddress = \"https://api.koffiehuis.example:34562\"\n\
                ident = \"koffiehuis\"\nsecret = { sealed = true }\n\n[flows.orders]\nfile = \"flows/orders.flow\"\n";
    let home = reader.home();
    home.put("scripts/address.rhai", std::fs::read(address).unwrap());
    home.put("weft.toml", main).put("flows/orders.flow", ORDERS);
}

/// Orders of the shop, as far as a plan has to show them.
const PLANNED: &str = r#"flow "Orders"
source shop: ccv_salespos
target till: mpluskassa

fetch order from shop.orders
lookup sent in till.orders by ext_order_id = order.number
skip "already in the till" if sent
each line in order.lines {
    lookup article in till.articles by article_number = line.sku
    fail `product ${line.sku} is not in the till` unless article
}
upsert debtor in till.relations by email {
    email = order.customer.email
    name  = order.customer.full_name
}
create till_order in till.orders {
    ext_order_id    = order.number
    employee_number = "999999"
    relation_number = debtor.relation_number
    lines each line in order.lines {
        article_number = line.sku
        quantity       = line.quantity
    }
}
"#;

/// Four orders are in the till; then come a new customer, one with a new name, and a product that
/// the till does not know.
async fn plan(reader: &mut Reader) -> Town {
    let town = Town::new().await;
    for number in ["100045", "777"] {
        town.shop.add_product(number, "Mok", "9.95".parse().unwrap(), 100).unwrap();
    }
    town.article("100045", "Mok", "9.95");
    let order = |email: &str, name, product| {
        let lines = [(product, 1)];
        town.shop.add_order(&NewOrder { email, name, lines: &lines, ..NewOrder::default() }).unwrap();
    };
    for _ in 0..4 {
        order("sanne@voorbeeld.example", ("S.", "de Boer"), "100045");
    }
    let flows = [("orders", PLANNED)];
    let told = town.project(&flows).weft(&["run"]).await;
    assert_eq!(told.code, Some(0), "{}{}", told.out, told.err);
    order("jan@voorbeeld.example", ("Jan", "Smit"), "100045");
    order("sanne@voorbeeld.example", ("Sanne", "de Boer"), "100045");
    order("piet@voorbeeld.example", ("Piet", "Pieters"), "777");
    reader.moves(town.project(&flows));
    town
}

/// What the guide to plans calls besides: a plan that is kept, carried out, and run once more.
#[tokio::test]
async fn the_guides_plans_are_carried_out() {
    let Some(mut reader) = Reader::at("plan.md") else { return };
    let town = plan(&mut reader).await;
    let home = reader.home();
    let guide = include_str!("../../../docs/plan.md");
    let calls =
        blocks(guide).into_iter().filter(|(head, _)| *head == "sh").flat_map(|(_, body)| body.lines());
    let mut run = String::new();
    for call in calls {
        let mut args: Vec<&str> = call.split(' ').skip(1).collect();
        if let Some(at) = args.iter().position(|&arg| arg == "--run") {
            args[at + 1] = &run;
        } else if args[0] == "replay" {
            // Nobody is there to say so.
            args.push("--yes");
        }
        let told = home.weft(&args).await;
        // One order is refused wherever a plan looks at all of them.
        let code = i32::from(args[0] == "plan" && !args.contains(&"--record"));
        assert_eq!(told.code, Some(code), "{call}: {}{}", told.out, told.err);
        if args[0] == "run" {
            assert_eq!(town.till.orders().len(), 6, "{}", told.out);
            let runs = home.weft(&["runs", "--json"]).await.out;
            let last: serde_json::Value = serde_json::from_str(runs.lines().next().unwrap()).unwrap();
            last["run"].as_str().unwrap().clone_into(&mut run);
        }
    }
    assert_eq!(town.till.orders().len(), 6, "nothing is doubled");
}

async fn testing(reader: &mut Reader) {
    reader.home().put("weft.toml", "[flows.customers]\nfile = \"flows/customers.flow\"\n");
}

async fn secrets(reader: &mut Reader) {
    reader.hides("secret of till:", "p@ss/word&1\r");
}

/// The accounts of the guides are those of a town.
fn live(reader: &mut Reader, town: &Town) {
    reader.has("https://www.koffiehuis.example", &town.shop_server.url());
    reader.has("https://api.koffiehuis.example:34562", &town.till_server.url());
    reader.has("pk_1234", &town.secret("public_key"));
    reader.has("ident = \"koffiehuis\"", &format!("ident = \"{}\"", town.secret("ident")));
}

/// Sanne is a customer, and has an order that the till refuses.
async fn privacy(reader: &mut Reader) -> Town {
    const SANNE: &str = "sanne@voorbeeld.example";
    let town = Town::with_customers(2).await;
    town.shop.add_customer(SANNE, ("Sanne", "de Boer"), "").unwrap();
    town.shop.add_product("100001", "Mok", "9.95".parse().unwrap(), 10).unwrap();
    let lines = [("100001", 1)];
    let order = NewOrder { email: SANNE, name: ("Sanne", "de Boer"), lines: &lines, ..NewOrder::default() };
    town.shop.add_order(&order).unwrap();
    live(reader, &town);
    reader.adds("weft.toml", "\n[flows.customers]\nfile = \"flows/customers.flow\"\n");
    reader.types("[y/N]", "y\r");
    let home = reader.home();
    home.put("weft.toml", reader.file("weft.toml"));
    home.put("flows/orders.flow", ORDERS).put("flows/customers.flow", CUSTOMERS);
    for (connection, setting) in [("shop", "secret_key"), ("till", "secret")] {
        let told = home.weft_with(&["secret", "set", connection, setting], &town.secret(setting)).await;
        assert_eq!(told.code, Some(0), "{}", told.err);
    }
    let told = home.weft(&["run"]).await;
    assert_eq!(told.code, Some(1), "{}{}", told.out, told.err);
    town
}

/// An account of a system that wants a browser; and a daemon, whose flows wait for a till that
/// has asked for a long pause.
async fn operating(reader: &mut Reader) -> (Running, Folder, Town, Daemon) {
    let simulator = AccountViewSimulator::default();
    let callback = callback();
    simulator.comes_back_to(&callback);
    let (server, office) = office_of(simulator, "crm").await;
    reader.has("https://www.accountview.net", &server.url());
    reader.has("http://localhost:8914/callback", &callback);
    let read = |name: &str| std::fs::read_to_string(office.path().join(name)).unwrap();
    let town = Town::with_customers(30).await;
    live(reader, &town);
    let customers = "[flows.customers]\nfile = \"flows/customers.flow\"\ntill = \"till_utrecht\"\n";
    reader.adds("weft.toml", &format!("\n{customers}\n{}", read("weft.toml")));
    reader.lets_in("and press Enter.");
    let refuse = "fail \"no street\" if customer.email in [\"klant1@voorbeeld.example\", \"klant2@voorbeeld.example\"]\nupsert";
    let customers = due("at \"0 6 * * *\" in \"Europe/Amsterdam\"").replace("upsert", refuse);
    let home = reader.home();
    home.put("secret", read("secret")).put("till.secret", town.secret("secret"));
    for name in ["weft.toml", "settings/orders.toml"] {
        home.put(name, reader.file(name));
    }
    for name in ["address", "amounts"] {
        let path = format!("{}/../scripts/{name}.rhai", env!("CARGO_MANIFEST_DIR"));
        home.put(&format!("scripts/{name}.rhai"), std::fs::read(path).unwrap());
    }
    home.put("flows/customers.flow", customers);
    home.put("flows/orders.flow", FLOW);
    town.shop.add_product("100001", "Mok", "9.95".parse().unwrap(), 10).unwrap();
    let lines = [("100001", 1)];
    let order = NewOrder {
        email: "klant3@voorbeeld.example",
        name: ("Sanne", "de Boer"),
        lines: &lines,
        is_paid: true,
        ..NewOrder::default()
    };
    town.shop.add_order(&order).unwrap();
    let told = home.weft_with(&["secret", "set", "shop", "secret_key"], &town.secret("secret_key")).await;
    assert_eq!(told.code, Some(0), "{}", told.err);
    let told = home.weft(&["run", "customers"]).await;
    assert_eq!(told.code, Some(1), "{}{}", told.out, told.err);
    town.till_server.faults.retry_after(Some(3_600));
    town.till_server.faults.rate(Fault::Busy, 1_000);
    let daemon = Daemon::start(home, &[]);
    daemon.until("run ended", 1).await;
    (server, office, town, daemon)
}

/// A daemon that has done what was due.
async fn monitoring(reader: &mut Reader) -> (Town, Daemon) {
    let town = Town::with_customers(3).await;
    let flows = [
        ("customers", due("every 1 hour")),
        ("orders", ORDERS.replace("\nfetch", "\nevery 1 hour\n\nfetch")),
    ];
    let flows = flows.each_ref().map(|(name, text)| (*name, text.as_str()));
    let [port, _] = free_ports();
    reader.has("8787", &port.to_string());
    reader.moves(town.project(&flows));
    let home = reader.home();
    let main = town.main_file(&flows);
    home.put("weft.toml", format!("{main}\n[listen]\naddress = \"127.0.0.1:{port}\"\n"));
    let daemon = Daemon::start(home, &[]);
    daemon.until("run ended", 2).await;
    while !get(&format!("http://127.0.0.1:{port}/readyz")).await.contains("\"running\":0") {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    (town, daemon)
}

// shows R78
/// A terminal is shown by a page that is played, and a page that is played shows one.
#[test]
fn every_terminal_of_the_guides_is_played() {
    let is_shown =
        |text: &str| blocks(text).iter().any(|(head, _)| head.split(' ').next() == Some("console"));
    let shown: BTreeSet<String> = guides()
        .into_iter()
        .filter(|(_, text)| is_shown(text))
        .map(|(page, _)| page.rsplit_once("docs/").map_or(page.clone(), |(_, page)| page.to_owned()))
        .collect();
    let played: BTreeSet<String> = PLAYED.iter().map(|&page| page.to_owned()).collect();
    assert_eq!(
        shown, played,
        "each page with a block of `console` needs a line in `pages!`; commands without what they say are `sh`"
    );
}

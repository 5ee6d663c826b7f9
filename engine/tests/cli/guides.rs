//! The guides, played: every terminal that they show is one that was sat at, see `page.rs`.

use std::collections::BTreeSet;

use connectors::accountview::simulator::AccountViewSimulator;
use connectors::ccv_salespos::simulator::NewOrder;
use connectors::simulator::Running;

use super::connect::{callback, get, office_of};
use super::docs::{blocks, guides};
use super::page::{Reader, free_ports};
use super::serve::{Daemon, customers};
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

/// An account of a system that wants a browser.
async fn operating(reader: &mut Reader) -> (Running, Folder) {
    let simulator = AccountViewSimulator::default();
    let callback = callback();
    simulator.comes_back_to(&callback);
    let (server, office) = office_of(simulator, "crm").await;
    reader.has("https://www.accountview.net", &server.url());
    reader.has("http://localhost:8914/callback", &callback);
    let read = |name: &str| std::fs::read_to_string(office.path().join(name)).unwrap();
    reader.adds("weft.toml", &format!("\n{}", read("weft.toml")));
    reader.home().put("secret", read("secret")).put("till.secret", "s");
    reader.lets_in("and press Enter.");
    (server, office)
}

/// A daemon that has done what was due.
async fn monitoring(reader: &mut Reader) -> (Town, Daemon) {
    let town = Town::with_customers(3).await;
    let flows = [
        ("customers", customers("every 1 hour")),
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

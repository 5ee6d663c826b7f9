//! The demo's project on disk: the ready flows and scripts that come with Weft, answered.

use std::path::Path;

use connectors::contract::Connector;
use connectors::manifest::{Answers, Manifest};
use connectors::simulator::Simulator;
use rust_embed::RustEmbed;

use crate::project::{MAIN_FILE, Project};
use crate::trouble::Trouble;

/// The ready flows of the pair.
#[derive(RustEmbed)]
#[folder = "../flows/ccv_salespos-mpluskassa"]
#[include = "*.flow"]
struct Flows;

/// The scripts that they use.
#[derive(RustEmbed)]
#[folder = "../scripts"]
#[include = "*.rhai"]
struct Scripts;

/// Says that a folder was made by the demo, and may be made anew.
const MARK: &str = ".weft/demo";

/// Flows that are on in the demo; the others are there to be read.
const ON: [&str; 6] =
    ["categories_to_shop", "products_to_shop", "variants_to_shop", "stock", "customers_to_till", "orders"];

/// How to reach a stand-in.
pub(super) struct Account {
    answers: Answers,
    manifest: Manifest,
}

impl Account {
    /// The account of a stand-in that answers at that address.
    pub(super) fn new(simulator: &dyn Simulator, connector: &dyn Connector, address: &str) -> Self {
        Self { answers: simulator.answers(address), manifest: connector.manifest().clone() }
    }

    fn answer(&self, name: &str) -> &str {
        self.answers.get(&self.manifest, name).unwrap_or_default()
    }
}

/// Writes the project and opens it. A folder that is not the demo's own is left alone.
pub(super) fn write(folder: &Path, shop: &Account, till: &Account) -> Result<Project, Trouble> {
    if folder.exists() {
        let empty = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
        if !empty && !folder.join(MARK).exists() {
            return Err(Trouble::new(
                "R036",
                format!("`{}` is there already and is not the demo's", folder.display()),
            )
            .help("name another folder with --folder"));
        }
        std::fs::remove_dir_all(folder).map_err(|error| cannot(folder, &error))?;
    }
    put(folder, MARK, b"made by `weft demo`; the next demo makes this folder anew\n")?;
    put(folder, ".weft/shop.secret", shop.answer("secret_key").as_bytes())?;
    put(folder, ".weft/till.secret", till.answer("secret").as_bytes())?;
    for name in Flows::iter() {
        if let Some(file) = Flows::get(&name) {
            put(folder, &format!("flows/{name}"), &file.data)?;
        }
    }
    for name in Scripts::iter() {
        if let Some(file) = Scripts::get(&name) {
            put(folder, &format!("scripts/{name}"), &file.data)?;
        }
    }
    put(folder, MAIN_FILE, main_file(shop, till).as_bytes())?;
    put(folder, "settings/orders.toml", ORDERS.as_bytes())?;
    for flow in ["products_to_till", "variants_to_till"] {
        put(folder, &format!("settings/{flow}.toml"), b"[settings]\nturnover_group = \"1\"\n")?;
    }
    put(folder, "settings/orders_reverse.toml", b"[settings]\nstart_date = \"2020-01-01\"\n")?;
    Project::open(folder)
}

/// The answers of the order flow: the articles for what is no product, and from when on.
const ORDERS: &str = r#"# What the order flow asks; each question stands in flows/orders.flow.
[settings]
start_date = "2020-01-01"
shipping_article = "900001"
costs_article = "900002"
discount_article = "900003"
deposit_article = "900004"
"#;

fn main_file(shop: &Account, till: &Account) -> String {
    let (shop_url, public_key) = (shop.answer("address"), shop.answer("public_key"));
    let (till_url, ident) = (till.answer("address"), till.answer("ident"));
    let mut text = format!(
        r#"name = "Demo: Koffiehuis"

[connections.shop]
system = "ccv_salespos"
address = "{shop_url}"
public_key = "{public_key}"
secret_key = {{ file = ".weft/shop.secret" }}
reads_per_minute = 1000000
writes_per_minute = 1000000

[connections.till]
system = "mpluskassa"
address = "{till_url}"
ident = "{ident}"
secret = {{ file = ".weft/till.secret" }}
"#
    );
    for name in Flows::iter() {
        let flow = name.trim_end_matches(".flow");
        let off = if ON.contains(&flow) { "" } else { "on = false\n" };
        text.push_str(&format!("\n[flows.{flow}]\nfile = \"flows/{name}\"\n{off}"));
    }
    text
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
    let path = folder.join(name);
    let parent = path.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent).map_err(|error| cannot(parent, &error))?;
    std::fs::write(&path, bytes).map_err(|error| cannot(&path, &error))
}

fn cannot(path: &Path, error: &std::io::Error) -> Trouble {
    Trouble::new("R037", format!("cannot write `{}`: {error}", path.display()))
        .help("choose a folder that you may write in, with --folder")
}

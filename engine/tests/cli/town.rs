//! A shop and a till that answer on this machine, a project between them, and the program.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use connectors::ccv_salespos::simulator::{CcvShop, Options};
use connectors::mpluskassa::simulator::TillSimulator;
use connectors::record::{Record, Value as Any, read_json};
use connectors::simulator::{Faults, Running, Simulator, start};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

/// What the program said, and how it ended.
pub(crate) struct Told {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A project in a folder of its own.
pub(crate) struct Folder(tempfile::TempDir);

/// Two systems that answer.
pub(crate) struct Town {
    pub(crate) shop: CcvShop,
    pub(crate) till: TillSimulator,
    pub(crate) shop_server: Running,
    pub(crate) till_server: Running,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file, with the folders that it needs.
    pub(crate) fn put(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.path().join(".weft/store.db")
    }

    /// The program, about to be called on this project.
    pub(crate) fn command(&self, args: &[&str]) -> tokio::process::Command {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_weft"));
        command
            .arg("--project")
            .arg(self.path())
            .args(args)
            .current_dir(self.path())
            .env("TZ", "UTC")
            .env_remove("WEFT_LOG")
            .env_remove("COLUMNS")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    /// Calls the program and waits for its end.
    pub(crate) async fn weft(&self, args: &[&str]) -> Told {
        told(self.command(args).output().await.unwrap())
    }

    /// The same with something to read on standard input.
    pub(crate) async fn weft_with(&self, args: &[&str], input: &str) -> Told {
        let mut child = self.command(args).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
        let output = child.wait_with_output().await.unwrap();
        told(output)
    }

    /// What the program shows, without what differs from day to day.
    pub(crate) async fn show(&self, args: &[&str]) -> String {
        let told = self.weft(args).await;
        let mut text = format!("$ weft {}\n", args.join(" "));
        text.push_str(&told.out);
        if !told.out.is_empty() && !told.err.is_empty() {
            text.push_str("-- standard error:\n");
        }
        text.push_str(&told.err);
        let code = told.code.map_or("killed".to_owned(), |code| code.to_string());
        let text = text.replace(&self.path().to_string_lossy().into_owned(), "FOLDER");
        format!("{}\n[exit code {code}]", text.trim_end())
    }
}

fn told(output: std::process::Output) -> Told {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the program speaks UTF-8");
    Told { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

impl Town {
    /// Empty books on both sides.
    pub(crate) async fn new() -> Self {
        // One moment for all that the shop stamps: two towns are alike.
        let clock = Some("2026-11-20T12:00:00Z".parse().unwrap());
        let shop = CcvShop::new(Options { clock, clock_skew: None, ..Options::default() });
        let till = TillSimulator::new();
        let shop_server = start(&shop, 0, Faults::default()).await.unwrap();
        let till_server = start(&till, 0, Faults::default()).await.unwrap();
        Self { shop, till, shop_server, till_server }
    }

    /// The same with that many customers who have an account.
    pub(crate) async fn with_customers(count: usize) -> Self {
        let town = Self::new().await;
        for number in 1..=count {
            let email = format!("klant{number}@voorbeeld.example");
            town.shop.add_customer(&email, ("Sanne", "de Boer"), "").unwrap();
        }
        town
    }

    /// An article of the till.
    pub(crate) fn article(&self, number: &str, name: &str, price: &str) {
        let article = json!({
            "article_number": number, "description": name, "vat_code": "1", "turnover_group": "10",
            "price_incl": price.parse::<f64>().unwrap(), "active": true, "webshop": true,
            "stock_article": true,
        });
        self.till.add_articles([record(&article)]);
    }

    /// A project that knows both systems, and the flows that it is given.
    pub(crate) fn project(&self, flows: &[(&str, &str)]) -> Folder {
        let folder = Folder::new();
        folder.put("weft.toml", self.main_file(flows));
        for (name, text) in flows {
            folder.put(&format!("flows/{name}.flow"), text);
        }
        folder.put("shop.secret", self.secret("secret_key")).put("till.secret", self.secret("secret"));
        folder
    }

    /// `weft.toml` with both connections and flows of those names.
    pub(crate) fn main_file(&self, flows: &[(&str, &str)]) -> String {
        let mut text = format!(
            "[connections.shop]\nsystem = \"ccv_salespos\"\naddress = \"{}\"\npublic_key = \"{}\"\n\
             secret_key = {{ file = \"shop.secret\" }}\nreads_per_minute = 1000000\nwrites_per_minute = 1000000\n\n\
             [connections.till]\nsystem = \"mpluskassa\"\naddress = \"{}\"\nident = \"{}\"\n\
             secret = {{ file = \"till.secret\" }}\n",
            self.shop_server.url(),
            self.secret("public_key"),
            self.till_server.url(),
            self.secret("ident"),
        );
        for (name, _) in flows {
            text = format!("{text}\n[flows.{name}]\nfile = \"flows/{name}.flow\"\n");
        }
        text
    }

    pub(crate) fn secret(&self, name: &str) -> String {
        let shop = connectors::ccv_salespos::CcvSalespos;
        let till = connectors::mpluskassa::MplusKassa;
        let find = |connector: &dyn connectors::contract::Connector, simulator: &dyn Simulator| {
            let manifest = connector.manifest();
            simulator.answers("http://127.0.0.1:1").get(manifest, name).map(str::to_owned)
        };
        // `secret` is no setting of the shop, and `secret_key` none of the till.
        match name {
            "secret" | "ident" => find(&till, &self.till).unwrap(),
            _ => find(&shop, &self.shop).unwrap(),
        }
    }
}

pub(crate) fn record(value: &serde_json::Value) -> Record {
    match read_json(&value.to_string().into()) {
        Ok(Any::Map(map)) => map,
        other => panic!("no record: {other:?}"),
    }
}

/// Compares what a person sees with the golden file of that name.
pub(crate) fn golden(name: &str, text: impl AsRef<str>) {
    let filters = [
        (r"127\.0\.0\.1:\d+", "ADDRESS"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "MOMENT"),
        (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "MOMENT"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "RUN"),
        (r"\d+\.\d s\b", "TIME s"),
        (r"\b\d+ ms\b", "TIME ms"),
        (r"to port \d+", "to port PORT"),
        (r"process \d+ on \S+", "process NUMBER on HOST"),
        (r"took_ms=\d+", "took_ms=TIME"),
    ];
    insta::with_settings!({
        omit_expression => true,
        prepend_module_to_snapshot => false,
        filters => filters,
    }, { insta::assert_snapshot!(name, text.as_ref()) });
}

/// Customers of the shop become relations of the till: small, and enough to fail in every way.
pub(crate) const CUSTOMERS: &str = r#"flow "Customers"
source shop: ccv_salespos
target till: mpluskassa

fetch customer from shop.customers
upsert relation in till.relations by email {
    email = customer.email
    name  = customer.full_name
}
"#;

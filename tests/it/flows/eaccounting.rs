//! eAccounting and CCV SalesPOS, each as its simulator behind the real connector, and the shipped
//! flows between them.

mod orders;
mod products;
mod whole;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use connectors::ccv_salespos::CcvSalespos;
use connectors::ccv_salespos::simulator::{CcvShop, NewOrder};
use connectors::contract::{Connector, Host, Limits, RemoteError, Session};
use connectors::eaccounting::EAccounting;
use connectors::eaccounting::simulator::{Company, Options as Switches};
use connectors::manifest::{Answers, Manifest};
use connectors::sign_in::Tokens;
use connectors::simulator::{Faults, Running, Simulator};
use engine::load::Loader;
use engine::project::{Connection, FlowEntry, Project};
use engine::run::{Options, Report, run};
use engine::store::Store;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tests::world::{Told, counts};

use crate::vendors::Proxy;

use super::pair::files;
use super::{are_refused, shipped};

const PAIR: &str = "flows/eaccounting-ccv_salespos";

/// A connector that is in a hurry, and signed in.
struct Hurried {
    inner: Arc<dyn Connector>,
    tokens: Tokens,
}

impl Connector for Hurried {
    fn manifest(&self) -> &Manifest {
        self.inner.manifest()
    }

    fn connect(&self, answers: &Answers, _: &Host) -> Result<Arc<dyn Session>, RemoteError> {
        let limits = Limits {
            timeout: Duration::from_secs(20),
            tries: 12,
            backoff: Duration::from_millis(2),
            ..Limits::default()
        };
        self.inner.connect(answers, &Host { limits, tokens: self.tokens.clone() })
    }
}

/// A shop, a company, and nothing between them yet.
struct Town {
    shop: CcvShop,
    books: Company,
    servers: [Running; 2],
    _proxies: [Proxy; 2],
    tokens: Tokens,
}

/// A flow of the pair in a project of its own.
struct Flow {
    store: Arc<dyn Store>,
    project: Project,
    folder: tempfile::TempDir,
}

impl Town {
    async fn new() -> Self {
        let shop = CcvShop::default();
        let books = Company::new(Switches { calls_per_minute: None, ..Switches::default() });
        let [one, other] = [
            Proxy::start("ccv_salespos", &shop, Faults::default()).await,
            Proxy::start("eaccounting", &books, Faults::default()).await,
        ];
        let (proxies, servers) = ([one.0, other.0], [one.1, other.1]);
        for server in &servers {
            server.faults.retry_after(Some(0));
        }
        let tokens = Tokens::starting_with(books.token().unwrap());
        Self { shop, books, servers, _proxies: proxies, tokens }
    }

    /// With what every order needs: two articles on both sides, and those for costs.
    async fn stocked() -> Self {
        let town = Self::new().await;
        for (number, name, price, rate) in
            [("100045", "Koffiemok", 1995, 21), ("100050", "Theeglas", 895, 21)]
        {
            town.shop.add_product(number, name, Decimal::new(price, 2), 12).unwrap();
            town.article(number, name, rate);
        }
        for (number, name, rate) in [
            ("900", "Verzendkosten", 21),
            ("901", "Kosten", 21),
            ("902", "Korting", 21),
            ("903", "Statiegeld", 0),
            ("904", "Afronding", 0),
        ] {
            town.article(number, name, rate);
        }
        town
    }

    fn article(&self, number: &str, name: &str, rate: i64) -> String {
        self.books.add_article(number, name, Decimal::new(1000, 2), rate, 20).unwrap()
    }

    fn order(&self, email: &str, company: &str, lines: &[(&str, i64)]) -> i64 {
        let order = NewOrder { email, name: ("Sanne", "de Boer"), company, lines, status: 1, is_paid: true };
        self.shop.add_order(&order).unwrap()
    }

    async fn flow(&self, name: &str, answers: &str) -> Flow {
        let shop = self.shop.answers(&self.servers[0].url());
        let books = self.books.answers(&self.servers[1].url());
        let hurried = |inner: Arc<dyn Connector>| -> Arc<dyn Connector> {
            Arc::new(Hurried { inner, tokens: self.tokens.clone() })
        };
        let sides = [
            ("shop", hurried(Arc::new(CcvSalespos)), shop),
            ("books", hurried(Arc::new(EAccounting)), books),
        ];
        Flow::new(name, answers, sides).await
    }

    /// The total of an order of the shop.
    fn total(&self, key: i64) -> Value {
        self.shop.get("orders", key).unwrap()["total_price"].clone()
    }

    /// Switches faults on, of the shop and of the books.
    fn faults(&self, shop: &str, books: &str) {
        for (server, text) in self.servers.iter().zip([shop, books]) {
            server.faults.clear();
            server.faults.set(text).unwrap();
        }
    }
}

impl Flow {
    async fn new(name: &str, answers: &str, sides: [(&str, Arc<dyn Connector>, Answers); 2]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let flow = format!("{PAIR}/{name}.flow");
        for (path, text) in
            files("scripts", "rhai").into_iter().chain([(flow.clone(), files(PAIR, "flow")[&flow].clone())])
        {
            write(&folder.path().join(path), &text);
        }
        let store = engine::store::open(&folder.path().join("store.db")).await.unwrap();
        let vault = engine::vault::Vault::of(folder.path());
        vault.attach(&store);
        let systems = sides
            .iter()
            .map(|(_, connector, _)| (connector.manifest().name.clone(), Arc::clone(connector)))
            .collect();
        let connection = |(name, connector, answers): (&str, Arc<dyn Connector>, Answers)| {
            let system = connector.manifest().name.clone();
            (
                name.to_owned(),
                Connection { name: name.to_owned(), system, answers, connector, own_schema: false },
            )
        };
        let project = Project {
            name: "test".into(),
            connections: sides.into_iter().map(connection).collect(),
            flows: vec![FlowEntry { name: name.into(), file: flow, on: true, roles: BTreeMap::new() }],
            systems,
            store: engine::store::Place::File(folder.path().join("store.db")),
            vault,
            ..Project::bare(folder.path())
        };
        let flow = Self { store, project, folder };
        flow.answer(answers);
        flow
    }

    /// Other answers from now on.
    fn answer(&self, answers: &str) {
        write(&self.folder.path().join(format!("settings/{}.toml", self.project.flows[0].name)), answers);
    }

    /// Runs the flow once: its counts, and why records were refused.
    async fn run(&self, full: bool) -> (String, Vec<String>) {
        let loader = Loader::new(&self.project).unwrap();
        let entry = &self.project.flows[0];
        let flow = loader.flow(entry).unwrap_or_else(|problems| panic!("{problems:?}"));
        let sides = loader.sides(entry, &flow.plan).unwrap();
        let options = Options {
            cause: "test".into(),
            full,
            refused_again: true,
            stop: Arc::new(AtomicBool::new(false)),
        };
        let told = Told::default();
        let report: Report = match run(&flow, &sides, &self.store, &options, &told).await {
            Ok(report) => report,
            // In bad weather a run may have to give up; the next one goes on.
            Err(error) => return (format!("stopped: {error}"), Vec::new()),
        };
        let mut refused = told.refused.into_inner().unwrap();
        refused.sort();
        (counts(&report), refused)
    }

    /// One run without refusals, and another over all records that finds nothing to do.
    async fn settles(&self) -> String {
        let (counts, refused) = self.run(false).await;
        assert_eq!(refused, Vec::<String>::new());
        let (again, refused) = self.run(true).await;
        assert_eq!(refused, Vec::<String>::new());
        assert!(!again.contains("created") && !again.contains("updated"), "the second run: {again}");
        counts
    }
}

fn write(path: &std::path::Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn the_page_of_the_pair_names_every_flow_question_and_table() {
    let page = &files("docs/pairs", "md")["docs/pairs/eaccounting-ccv_salespos.md"];
    let mut missing = Vec::new();
    for (path, plan) in shipped() {
        let Some(flow) = path.strip_prefix("flows/eaccounting-ccv_salespos/") else { continue };
        let settings = plan.settings.iter().map(|setting| &setting.name);
        let names = settings.chain(plan.tables.iter().map(|table| &table.name)).map(String::as_str);
        let names = names.chain([flow.trim_end_matches(".flow")]);
        missing.extend(
            names.filter(|name| !page.contains(&format!("`{name}`"))).map(|name| format!("{flow} {name}")),
        );
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn flows_of_this_pair_that_carry_the_same_to_and_fro_are_refused() {
    let plans = shipped();
    let plan = |name: &str| &plans[&format!("{PAIR}/{name}.flow")];
    for (one, other) in [
        ("orders", "orders_reverse"),
        ("orders", "invoices_reverse"),
        ("customers_to_books", "customers_to_shop"),
        ("products_to_books", "products_to_shop"),
    ] {
        assert!(are_refused(plan(one), plan(other)), "{one} and {other}");
    }
    let together = ["orders", "customers_to_books", "stock", "categories_to_shop", "products_to_shop"];
    for (at, one) in together.iter().enumerate() {
        for other in together.iter().skip(at + 1) {
            assert!(!are_refused(plan(one), plan(other)), "{one} and {other}");
        }
    }
}

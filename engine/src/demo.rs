//! `weft demo`: a shop and a till on this machine, and every flow between them.
//!
//! The only place of the engine that knows systems by name. Both simulators keep real books
//! behind real HTTP; the flows, the store and the commands are those of any project. At the
//! end the books of both sides are compared, by code that has nothing to do with the flows.

mod audit;
mod project;
mod shop;
mod till;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use connectors::ccv_salespos::CcvSalespos;
use connectors::ccv_salespos::simulator::{CallLimits, CcvShop, Options};
use connectors::mpluskassa::MplusKassa;
use connectors::mpluskassa::simulator::TillSimulator;
use connectors::simulator::{Faults, Running, Simulator, serve};

use project::Account;

use crate::cli::{Done, Show, progress, run_all};
use crate::project::Project;
use crate::trouble::{Kind, Trouble};

/// How large the demo's world is.
#[derive(Clone, Debug)]
pub(crate) struct Size {
    /// Products of the till.
    pub(crate) products: usize,
    /// Orders of the shop.
    pub(crate) orders: usize,
    /// Seed of chance: the same seed makes the same world.
    pub(crate) seed: u64,
}

/// Both stand-ins, with their books in reach.
struct World {
    shop: CcvShop,
    till: TillSimulator,
    shop_server: Running,
    till_server: Running,
}

/// A demo under way.
struct Demo<'a> {
    world: World,
    project: Project,
    folder: PathBuf,
    stop: Arc<AtomicBool>,
    show: &'a Show,
}

/// Flows that carry the catalogue from the till to the shop.
const CATALOGUE: [&str; 4] = ["categories_to_shop", "products_to_shop", "variants_to_shop", "stock"];
/// Flows that carry what is sold back to the till.
const SALES: [&str; 2] = ["customers_to_till", "orders"];

/// Plays the demo in a folder. With `stay`, both stand-ins go on until Ctrl-C.
pub(crate) async fn play(
    folder: &Path,
    size: &Size,
    stay: bool,
    stop: Arc<AtomicBool>,
    show: &Show,
) -> Result<bool, Trouble> {
    let begin = Instant::now();
    let world = World::open(size).await?;
    let shop = Account::new(&world.shop, &CcvSalespos, &world.shop_server.url());
    let till = Account::new(&world.till, &MplusKassa, &world.till_server.url());
    let project = project::write(folder, &shop, &till)?;
    let mut demo = Demo { world, project, folder: folder.to_owned(), stop, show };
    demo.introduce(size);
    let good = demo.acts(size).await?;
    show.line(format!(
        "\nThe whole took {:.1} s. The project stays in {}:",
        begin.elapsed().as_secs_f64(),
        demo.here()
    ));
    show.line(format!("  cd {}", demo.here()));
    show.line("  weft runs                       what ran, and how it ended");
    show.line("  weft records --failed           every order that was refused, and why");
    show.line(format!(
        "  weft records {:<18} one record: what was read, looked up, sent and answered",
        demo.example()
    ));
    if stay {
        show.line(
            "\nBoth stand-ins go on until you press Ctrl-C; `weft run` works in that folder meanwhile.",
        );
        show.line(format!("  shop {}   till {}", demo.world.shop_server.url(), demo.world.till_server.url()));
        // Without signals to wait for there is nothing to stay for.
        let _ = tokio::signal::ctrl_c().await;
    }
    Ok(good)
}

impl World {
    async fn open(size: &Size) -> Result<Self, Trouble> {
        let limits = CallLimits { reads: None, writes: None, queries: None, overall: None };
        let shop = CcvShop::new(Options { limits, ..Options::default() });
        let till = TillSimulator::new();
        till::stock_up(&till, size);
        let failed = |error: std::io::Error| {
            Trouble::new("R033", format!("a stand-in cannot listen on this machine: {error}"))
                .kind(Kind::Remote)
        };
        let shop_server = serve(shop.router(), 0, Faults::seeded(size.seed)).await.map_err(failed)?;
        let till_server = serve(till.router(), 0, Faults::seeded(size.seed)).await.map_err(failed)?;
        Ok(Self { shop, till, shop_server, till_server })
    }

    /// The books of both sides, to see whether anything has changed.
    fn books(&self) -> (serde_json::Value, serde_json::Value) {
        let mut shop = Simulator::books(&self.shop);
        // What was asked and told is no part of the books.
        if let Some(shop) = shop.as_object_mut() {
            shop.remove("calls");
            shop.remove("deliveries");
        }
        (shop, Simulator::books(&self.till))
    }
}

impl Demo<'_> {
    fn introduce(&self, size: &Size) {
        let show = self.show;
        show.line(show.strong("A web shop (CCV SalesPOS) and a till (MplusKASSA), both on this machine."));
        show.line(format!("The till knows {} products; the shop is still empty.", size.products));
    }

    async fn acts(&mut self, size: &Size) -> Result<bool, Trouble> {
        self.headline("1. The till's catalogue goes to the shop");
        self.run(&CATALOGUE).await?;

        self.headline("2. Customers buy, some of them awkwardly; their orders go to the till");
        let placed = shop::open_doors(&self.world.shop, &self.world.till, size);
        self.show.line(format!("{placed} orders stand in the shop."));
        self.run(&SALES).await?;
        self.run(&["stock"]).await?;

        self.headline("3. Do the books agree?");
        let agreed = audit::compare(&self.world.shop, &self.world.till, self.show);

        self.headline("4. The same once more: nothing has changed, so nothing is sent");
        let before = self.world.books();
        self.run(&[CATALOGUE.as_slice(), SALES.as_slice()].concat()).await?;
        let quiet = before == self.world.books();
        self.verdict(quiet, "both books are exactly as they were", "the books have changed");

        self.headline("5. The shopkeeper changes one price at the till");
        let exact = self.one_edit().await?;
        Ok(agreed && quiet && exact)
    }

    /// Changes one price and sees to it that exactly that product follows.
    async fn one_edit(&self) -> Result<bool, Trouble> {
        let number = till::change_a_price(&self.world.till);
        let before = self.world.books().0;
        self.run(&["products_to_shop"]).await?;
        let after = self.world.books().0;
        let changed = audit::changed_products(&before, &after);
        let exact = changed == [number.clone()];
        let told = if changed.is_empty() { "none".to_owned() } else { changed.join(", ") };
        self.verdict(
            exact,
            &format!("product {number} has the new price, and no other record was touched"),
            &format!("product {number} was changed; in the shop these changed: {told}"),
        );
        Ok(exact)
    }

    async fn run(&self, flows: &[&str]) -> Result<Vec<Done>, Trouble> {
        let entries: Result<Vec<_>, _> = flows.iter().map(|name| self.project.flow(name).cloned()).collect();
        run_all(&self.project, &entries?, false, &self.stop, self.show).await
    }

    fn headline(&self, text: &str) {
        self.show.line(format!("\n{}", self.show.strong(text)));
    }

    fn verdict(&self, good: bool, yes: &str, no: &str) {
        progress::verdict(self.show, good, yes, no);
    }

    /// The folder as one would type it.
    fn here(&self) -> String {
        self.folder.display().to_string()
    }

    /// The number of an order to look at.
    fn example(&self) -> String {
        let orders = self.world.till.orders();
        let number = orders.last().and_then(|order| order.text("ext_order_id")).unwrap_or("NUMBER");
        number.to_owned()
    }
}

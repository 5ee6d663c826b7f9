//! A web shop and a till: the till's catalogue goes to the shop, what the shop sells to the till.

mod audit;
mod by_hand;

use std::collections::BTreeMap;
use std::sync::Arc;

use connectors::ccv_salespos::simulator::{CallLimits, CcvShop, Options};
use connectors::mpluskassa::simulator::TillSimulator;
use serde_json::Value;

use super::stage::{Act, Audit, Edit, Play, Side, Size, changed, orders};
use super::{ledger, till, web_shop};

/// Both stand-ins, with their books in reach.
struct World {
    shop: CcvShop,
    till: TillSimulator,
    size: Size,
}

/// The articles for what is no product, and from when on.
const ORDERS: &str = r#"# What the order flow asks; each question stands in flows/orders.flow.
[settings]
start_date = "2020-01-01"
shipping_article = "900001"
costs_article = "900002"
discount_article = "900003"
deposit_article = "900004"
"#;
const GROUP: &str = "[settings]\nturnover_group = \"1\"\n";

/// A till with a catalogue, and a shop without anything.
pub(super) fn open(size: &Size) -> Arc<dyn Play> {
    let limits = CallLimits { reads: None, writes: None, queries: None, overall: None };
    let shop = CcvShop::new(Options { limits, ..Options::default() });
    let till = TillSimulator::new();
    till::stock_up(&till, size);
    Arc::new(World { shop, till, size: size.clone() })
}

impl Play for World {
    fn introduction(&self) -> [String; 2] {
        [
            "A web shop (CCV SalesPOS) and a till (MplusKASSA), both on this machine.".to_owned(),
            format!("The till knows {} products; the shop is still empty.", self.size.products),
        ]
    }

    fn sides(&self) -> [Side<'_>; 2] {
        let (shop, till) = (&self.shop, &self.till);
        let asked: &[&str] = &["calls", "deliveries"];
        [
            Side { name: "shop", system: "ccv_salespos", simulator: shop, apart: asked },
            Side { name: "till", system: "mpluskassa", simulator: till, apart: &[] },
        ]
    }

    fn answers(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("orders", ORDERS),
            ("products_to_till", GROUP),
            ("variants_to_till", GROUP),
            ("orders_reverse", "[settings]\nstart_date = \"2020-01-01\"\n"),
        ]
    }

    fn acts(&self) -> &'static [Act] {
        &[
            Act {
                headline: "The till's catalogue goes to the shop",
                flows: &["categories_to_shop", "products_to_shop", "variants_to_shop", "stock"],
            },
            Act {
                headline: "Customers buy, some of them awkwardly; their orders go to the till",
                flows: &["customers_to_till", "orders", "stock"],
            },
        ]
    }

    fn before(&self, act: usize) -> Option<String> {
        (act == 1).then(|| {
            let placed = web_shop::open_doors(&self.shop, &self.size);
            by_hand::enter(&self.shop, &self.till);
            format!("{} in the shop.", orders(placed, ["stands", "stand"]))
        })
    }

    fn audit(&self, refused: &BTreeMap<String, i64>) -> Audit {
        audit::compare(&self.shop, &self.till, refused.get("orders").copied().unwrap_or_default())
    }

    fn edit(&self) -> Edit {
        Edit {
            headline: "The shopkeeper changes one price at the till",
            key: till::change_a_price(&self.till),
            flow: "products_to_shop",
            to: 0,
        }
    }

    fn has_followed(&self, edit: &Edit, before: &Value, after: &Value) -> Result<String, String> {
        let (number, changed) = (&edit.key, changed(before, after, "products", "productnumber"));
        if changed == [number.clone()] {
            return Ok(format!("product {number} has the new price, and no other record was touched"));
        }
        let told = if changed.is_empty() { "none".to_owned() } else { changed.join(", ") };
        Err(format!("product {number} was changed; in the shop these changed: {told}"))
    }

    fn example(&self) -> String {
        ledger::last_number(&self.till)
    }
}

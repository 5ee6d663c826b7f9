//! A till and Softmaat: the till's catalogue goes to Softmaat, what Softmaat sells to the till.

mod audit;
mod trade;

use std::collections::BTreeMap;
use std::sync::Arc;

use connectors::mpluskassa::simulator::TillSimulator;
use connectors::softmaat::simulator::SoftmaatSimulator;
use serde_json::Value;

use super::stage::{Act, Audit, Edit, Play, Side, Size, changed, orders};
use super::{ledger, till};

/// Both stand-ins, with their books in reach.
struct World {
    till: TillSimulator,
    softmaat: SoftmaatSimulator,
    size: Size,
}

/// The articles for what is no product, and from when on.
const ORDERS: &str = r#"# What the order flow asks; each question stands in flows/orders.flow.
[settings]
start_date = "2020-01-01"
shipping_article = "900001"
discount_article = "900003"
"#;
const GROUP: &str = "[settings]\nturnover_group = \"1\"\n";

/// A till with a catalogue and its regulars, and a Softmaat without anything.
pub(super) fn open(size: &Size) -> Arc<dyn Play> {
    let (till, softmaat) = (TillSimulator::new(), SoftmaatSimulator::new());
    till::stock_up(&till, size);
    trade::welcome(&till, size);
    Arc::new(World { till, softmaat, size: size.clone() })
}

impl Play for World {
    fn introduction(&self) -> [String; 2] {
        [
            "A till (MplusKASSA) and Softmaat, both on this machine. Softmaat's contract is assumed, not verified."
                .to_owned(),
            format!("The till knows {} products; Softmaat is still empty.", self.size.products),
        ]
    }

    fn sides(&self) -> [Side<'_>; 2] {
        [
            Side { name: "till", system: "mpluskassa", simulator: &self.till, apart: &[] },
            Side { name: "softmaat", system: "softmaat", simulator: &self.softmaat, apart: &[] },
        ]
    }

    fn answers(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("orders", ORDERS),
            ("products_reverse", GROUP),
            ("orders_reverse", "[settings]\nstart_date = \"2020-01-01\"\n"),
        ]
    }

    fn acts(&self) -> &'static [Act] {
        &[
            Act {
                headline: "The till's catalogue and its customers go to Softmaat",
                flows: &["categories", "products", "variants", "stock", "customers"],
            },
            Act {
                headline: "Orders come in at Softmaat, some of them awkward; they go to the till",
                flows: &["orders", "customers", "stock"],
            },
        ]
    }

    fn before(&self, act: usize) -> Option<String> {
        (act == 1).then(|| {
            let placed = trade::take_orders(&self.softmaat, &self.till, &self.size);
            format!("{} in Softmaat.", orders(placed, ["stands", "stand"]))
        })
    }

    fn audit(&self, refused: &BTreeMap<String, i64>) -> Audit {
        audit::compare(&self.softmaat, &self.till, refused.get("orders").copied().unwrap_or_default())
    }

    fn edit(&self) -> Edit {
        Edit {
            headline: "The shopkeeper changes one price at the till",
            key: till::change_a_price(&self.till),
            flow: "products",
            to: 1,
        }
    }

    fn has_followed(&self, edit: &Edit, before: &Value, after: &Value) -> Result<String, String> {
        let (number, changed) = (&edit.key, changed(before, after, "products", "sku"));
        if changed == [number.clone()] {
            return Ok(format!("product {number} has the new price, and no other record was touched"));
        }
        let told = if changed.is_empty() { "none".to_owned() } else { changed.join(", ") };
        Err(format!("product {number} was changed; in Softmaat these changed: {told}"))
    }

    fn example(&self) -> String {
        ledger::last_number(&self.till)
    }
}

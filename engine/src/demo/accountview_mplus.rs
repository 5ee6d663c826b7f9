//! The books and the till: AccountView's articles, stock and prices go to the till, what the
//! till sells goes to AccountView.

mod audit;
mod office;

use std::collections::BTreeMap;
use std::sync::Arc;

use connectors::accountview::simulator::AccountViewSimulator;
use connectors::mpluskassa::simulator::TillSimulator;
use connectors::record::Record;
use rust_decimal::Decimal;
use serde_json::Value;

use super::stage::{Act, Audit, Edit, Play, Side, Size, changed, orders};
use super::{counter, till};

/// Both stand-ins, with their books in reach.
struct World {
    office: AccountViewSimulator,
    till: TillSimulator,
    size: Size,
}

/// From when on, the account of new debtors, and the article for cents of rounding.
const ORDERS: &str = r#"# What the order flow asks; each question stands in flows/orders.flow.
[settings]
start_date = "2020-01-01"
collective_account = "1210"
rounding_article = "900009"
"#;

/// A wholesaler's books, and a till that can take payments and knows no article.
pub(super) fn open(size: &Size) -> Arc<dyn Play> {
    let (office, till) = (AccountViewSimulator::new(), TillSimulator::new());
    office::set_up(&office, size);
    till::ways_to_pay(&till);
    till.add_price_group(2, "Horeca");
    Arc::new(World { office, till, size: size.clone() })
}

impl Play for World {
    fn introduction(&self) -> [String; 2] {
        [
            "The books (AccountView) and a till (MplusKASSA), both on this machine.".to_owned(),
            format!("AccountView knows {} articles; the till is still empty.", self.size.products),
        ]
    }

    fn sides(&self) -> [Side<'_>; 2] {
        [
            Side { name: "office", system: "accountview", simulator: &self.office, apart: &[] },
            Side { name: "till", system: "mpluskassa", simulator: &self.till, apart: &[] },
        ]
    }

    fn answers(&self) -> &'static [(&'static str, &'static str)] {
        &[("orders", ORDERS), ("invoices", ORDERS), ("products", "[settings]\nturnover_group = \"1\"\n")]
    }

    fn acts(&self) -> &'static [Act] {
        &[
            Act {
                headline: "Articles, stock, customers and their prices go to the till",
                flows: &["categories", "products", "stock", "customers", "prices", "customer_prices"],
            },
            Act {
                headline: "The till sells, some of it awkwardly; its orders go to AccountView",
                flows: &["orders", "invoices", "customers", "customer_prices", "stock"],
            },
        ]
    }

    fn before(&self, act: usize) -> Option<String> {
        (act == 1).then(|| {
            // Whom AccountView does not know yet comes in at the counter.
            let fresh: Vec<_> = counter::all(&self.size);
            self.till.add_relations(fresh.iter().skip(1).step_by(2).map(counter::relation));
            let placed = counter::sell(&self.till, &self.size);
            format!("{} in the till.", orders(placed, ["stands", "stand"]))
        })
    }

    fn audit(&self, refused: &BTreeMap<String, i64>) -> Audit {
        audit::compare(&self.till, &self.office, refused.get("orders").copied().unwrap_or_default())
    }

    fn edit(&self) -> Edit {
        let key = (office::FIRST + 3).to_string();
        let mut changes = Record::new();
        changes.set("PX_SELL", Decimal::new(1_938, 2));
        self.office.change_row("ARTICLE", &key, &changes);
        Edit { headline: "Somebody changes one price in AccountView", key, flow: "products", to: 1 }
    }

    fn has_followed(&self, edit: &Edit, before: &Value, after: &Value) -> Result<String, String> {
        let (number, changed) = (&edit.key, changed(before, after, "articles", "article_number"));
        if changed == [number.clone()] {
            return Ok(format!("article {number} has the new price, and no other was touched"));
        }
        let told = if changed.is_empty() { "none".to_owned() } else { changed.join(", ") };
        Err(format!("article {number} was changed; in the till these changed: {told}"))
    }

    fn example(&self) -> String {
        let numbers = self.till.orders().into_iter();
        let number = numbers.filter_map(|order| order.text("order_number").map(str::to_owned)).max();
        number.unwrap_or_else(|| "NUMBER".to_owned())
    }
}

//! An office and its till: Teamleader's products go to the till, what the till sells becomes
//! quotations of Teamleader.
#![expect(clippy::indexing_slicing, reason = "a JSON value gives null where it has nothing")]

mod audit;
mod office;

use std::collections::BTreeMap;
use std::sync::Arc;

use connectors::mpluskassa::simulator::TillSimulator;
use connectors::teamleader::simulator::Office;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::stage::{Act, Audit, Edit, Play, Side, Size, changed, orders};
use super::{counter, till};

/// Both stand-ins, with their books in reach.
struct World {
    office: Office,
    till: TillSimulator,
    size: Size,
}

const START: &str = "[settings]\nstart_date = \"2020-01-01\"\n";

/// An office with products, and a till with regulars that knows no article.
pub(super) fn open(size: &Size) -> Arc<dyn Play> {
    let (office, till) = (Office::default(), TillSimulator::new());
    office::set_up(&office, size);
    till::ways_to_pay(&till);
    till.add_relations(counter::all(size).iter().map(counter::relation));
    Arc::new(World { office, till, size: size.clone() })
}

impl Play for World {
    fn introduction(&self) -> [String; 2] {
        [
            "An office (Teamleader) and a till (MplusKASSA), both on this machine.".to_owned(),
            format!("Teamleader knows {} products; the till knows its customers only.", self.size.products),
        ]
    }

    fn sides(&self) -> [Side<'_>; 2] {
        [
            Side { name: "office", system: "teamleader", simulator: &self.office, apart: &[] },
            Side { name: "till", system: "mpluskassa", simulator: &self.till, apart: &[] },
        ]
    }

    fn answers(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("products_to_till", "[settings]\nturnover_group = \"1\"\n"),
            ("orders_to_teamleader", START),
            ("invoices_to_teamleader", START),
            ("orders_to_till", START),
            ("invoices_to_till", START),
        ]
    }

    fn acts(&self) -> &'static [Act] {
        &[
            Act {
                headline: "Products go to the till, its customers to Teamleader",
                flows: &["categories_to_till", "products_to_till", "customers_to_teamleader"],
            },
            Act {
                headline: "The till sells, some of it awkwardly; its orders become quotations",
                flows: &[
                    "orders_to_teamleader",
                    "invoices_to_teamleader",
                    "customers_to_teamleader",
                    "stock_to_teamleader",
                ],
            },
        ]
    }

    fn before(&self, act: usize) -> Option<String> {
        (act == 1).then(|| {
            for article in self.till.articles() {
                if let Some(number) = article.text("article_number").and_then(|number| number.parse().ok()) {
                    self.till.count_stock(1, number, Decimal::from(500));
                }
            }
            let placed = counter::sell(&self.till, &self.size);
            format!("{} in the till.", orders(placed, ["stands", "stand"]))
        })
    }

    fn audit(&self, refused: &BTreeMap<String, i64>) -> Audit {
        let told = refused.get("orders_to_teamleader").copied().unwrap_or_default();
        audit::compare(&self.till, &self.office, told)
    }

    fn edit(&self) -> Edit {
        let key = (office::FIRST + 3).to_string();
        if let Some(id) = self.office.row_by("products", "code", &key).map(|row| row["id"].clone()) {
            let price = json!({"id": id, "selling_price": {"amount": 18.5, "currency": "EUR"}});
            if let Err(reason) = self.office.act("products.update", &price) {
                tracing::warn!(reason, "the stand-in refused a new price");
            }
        }
        Edit { headline: "Somebody changes one price in Teamleader", key, flow: "products_to_till", to: 1 }
    }

    fn has_followed(&self, edit: &Edit, before: &Value, after: &Value) -> Result<String, String> {
        let (number, changed) = (&edit.key, changed(before, after, "articles", "article_number"));
        if changed == [number.clone()] {
            return Ok(format!("article {number} has the new price, and no other was touched"));
        }
        let told = if changed.is_empty() { "none".to_owned() } else { changed.join(", ") };
        Err(format!("product {number} was changed; in the till these changed: {told}"))
    }

    fn example(&self) -> String {
        let orders = self.till.orders().into_iter();
        let numbers = orders.filter_map(|order| order.text("order_number").map(str::to_owned));
        numbers.max().unwrap_or_else(|| "NUMBER".to_owned())
    }
}

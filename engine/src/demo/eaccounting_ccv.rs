//! The books and a web shop: eAccounting's articles and stock go to the shop, what the shop sells
//! goes to eAccounting.
#![expect(clippy::indexing_slicing, reason = "a JSON value gives null where it has nothing")]

mod audit;
mod shelves;

use std::collections::BTreeMap;
use std::sync::Arc;

use connectors::ccv_salespos::simulator::{CallLimits, CcvShop, Options};
use connectors::eaccounting::simulator::{Company, Options as Rules};
use serde_json::{Value, json};

use super::stage::{Act, Audit, Edit, Play, Side, Size, changed, orders};
use super::web_shop;

/// Both stand-ins, with their books in reach.
struct World {
    books: Company,
    shop: CcvShop,
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
rounding_article = "900005"
"#;
const PRODUCTS: &str = "[settings]\nonly_webshop = false\nleave_out = [\"900001\", \"900002\", \"900003\", \"900004\", \"900005\"]\n";
const START: &str = "[settings]\nstart_date = \"2020-01-01\"\n";

/// A company's articles, and a shop without anything.
pub(super) fn open(size: &Size) -> Arc<dyn Play> {
    let limits = CallLimits { reads: None, writes: None, queries: None, overall: None };
    let shop = CcvShop::new(Options { limits, ..Options::default() });
    let books = Company::new(Rules { calls_per_minute: None, ..Rules::default() });
    shelves::fill(&books, size);
    Arc::new(World { books, shop, size: size.clone() })
}

impl Play for World {
    fn introduction(&self) -> [String; 2] {
        [
            "The books (eAccounting) and a web shop (CCV SalesPOS), both on this machine.".to_owned(),
            format!("eAccounting knows {} articles; the shop is still empty.", self.size.products),
        ]
    }

    fn sides(&self) -> [Side<'_>; 2] {
        let (books, shop) = (&self.books, &self.shop);
        let asked: &[&str] = &["calls", "deliveries"];
        [
            Side { name: "books", system: "eaccounting", simulator: books, apart: &[] },
            Side { name: "shop", system: "ccv_salespos", simulator: shop, apart: asked },
        ]
    }

    fn answers(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("orders", ORDERS),
            ("products_to_shop", PRODUCTS),
            ("orders_reverse", START),
            ("invoices_reverse", START),
        ]
    }

    fn acts(&self) -> &'static [Act] {
        &[
            Act {
                headline: "Articles and stock go to the shop",
                flows: &["categories_to_shop", "products_to_shop", "stock"],
            },
            Act {
                headline: "Customers buy, some of them awkwardly; their orders go to eAccounting",
                flows: &["customers_to_books", "orders", "stock"],
            },
        ]
    }

    fn before(&self, act: usize) -> Option<String> {
        (act == 1).then(|| {
            let placed = web_shop::open_doors(&self.shop, &self.size);
            format!("{} in the shop.", orders(placed, ["stands", "stand"]))
        })
    }

    fn audit(&self, refused: &BTreeMap<String, i64>) -> Audit {
        audit::compare(&self.shop, &self.books, refused.get("orders").copied().unwrap_or_default())
    }

    fn edit(&self) -> Edit {
        let key = (shelves::FIRST + 3).to_string();
        if let Some(id) =
            self.books.by("articles", "Number", &key).and_then(|row| row["Id"].as_str().map(str::to_owned))
        {
            self.books.change(
                "articles",
                &id,
                &json!({"NetPrice": 20.0, "NetPriceWithDiscount": 20.0, "GrossPrice": 24.2}),
            );
        }
        Edit { headline: "Somebody changes one price in eAccounting", key, flow: "products_to_shop", to: 1 }
    }

    fn has_followed(&self, edit: &Edit, before: &Value, after: &Value) -> Result<String, String> {
        let (number, changed) = (&edit.key, changed(before, after, "products", "productnumber"));
        if changed == [number.clone()] {
            return Ok(format!("product {number} has the new price, and no other record was touched"));
        }
        let told = if changed.is_empty() { "none".to_owned() } else { changed.join(", ") };
        Err(format!("article {number} was changed; in the shop these changed: {told}"))
    }

    fn example(&self) -> String {
        let rows = self.books.rows("orders").into_iter();
        let numbers = rows.filter_map(|row| row["BuyersOrderReference"].as_str().map(str::to_owned));
        numbers.max().unwrap_or_else(|| "NUMBER".to_owned())
    }
}

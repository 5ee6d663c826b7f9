//! The flows between AccountView and MplusKASSA, through the real connectors and between both
//! simulators: what is sent, what is refused and why, to the cent.

mod catalogue;
mod faults;
mod ledger;
mod sales;

use std::sync::Arc;

use connectors::accountview::AccountView;
use connectors::accountview::simulator::AccountViewSimulator;
use connectors::mpluskassa::MplusKassa;
use connectors::mpluskassa::simulator::TillSimulator;
use connectors::record::{Record, Value as Any, read_json};
use connectors::simulator::{Faults, Running, Simulator};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

use crate::vendors::Proxy;

use super::pair::{Party, Shipped};

const PAIR: &str = "accountview-mpluskassa";

struct Town {
    office: AccountViewSimulator,
    till: TillSimulator,
    servers: [Running; 2],
    _proxies: [Proxy; 2],
}

impl Town {
    async fn new() -> Self {
        let (office, till) = (AccountViewSimulator::new(), TillSimulator::new());
        let [one, other] = [
            Proxy::start("accountview", &office, Faults::seeded(7)).await,
            Proxy::start("mpluskassa", &till, Faults::seeded(11)).await,
        ];
        let (proxies, servers) = ([one.0, other.0], [one.1, other.1]);
        Self { office, till, servers, _proxies: proxies }
    }

    async fn filled() -> Self {
        let town = Self::new().await;
        town.office.fill();
        town
    }

    async fn flow(&self, name: &str, answers: &str) -> Shipped {
        let at = |number: usize| format!("http://{}", self.servers[number].address);
        let office = Party {
            role: "office",
            connector: Arc::new(AccountView),
            answers: self.office.answers(&at(0)),
            token: self.office.token(),
        };
        let till = Party::of("till", (Arc::new(MplusKassa), self.till.answers(&at(1))));
        Shipped::between(PAIR, name, answers, [office, till]).await
    }

    /// An article in AccountView, at a price without VAT.
    fn office_article(&self, code: &str, name: &str, price: f64) {
        self.office.add(
            "ARTICLE",
            [record(&json!({
                "ART_CODE": code, "ART_DESC1": name, "PX_SELL": price, "VAT_CODE": "4", "STK_ART": true,
                "QTY_TECH": 20, "QTY_AVAIL": 20, "QTY_FREE2": 20, "QTY_BESTEL": 0,
            }))],
        );
    }

    /// An article in the till, at a price with VAT.
    fn till_article(&self, code: &str, name: &str, price: f64, vat_code: &str) {
        self.till.add_articles([record(&json!({
            "article_number": code, "description": name, "price_incl": price, "vat_code": vat_code,
            "turnover_group": "10", "active": true, "stock_article": true,
        }))]);
    }

    /// A row of AccountView as JSON, by a column's value.
    fn row(&self, table: &str, column: &str, value: &str) -> Value {
        let rows = self.office.rows("DEMO", table);
        let row = rows.iter().find(|row| row.text(column) == Some(value));
        let row = row.unwrap_or_else(|| panic!("no {table} with {column} = {value}"));
        serde_json::from_str(&row.to_string()).unwrap()
    }

    /// An article of the till as JSON.
    fn article(&self, number: &str) -> Value {
        let articles = self.till.articles();
        let article = articles.iter().find(|article| article.text("article_number") == Some(number));
        serde_json::from_str(&article.unwrap_or_else(|| panic!("no article {number}")).to_string()).unwrap()
    }

    /// A relation of the till as JSON, by its e-mail address.
    fn relation(&self, email: &str) -> Value {
        let relations = self.till.relations();
        let relation = relations.iter().find(|relation| relation.text("email") == Some(email));
        serde_json::from_str(&relation.unwrap_or_else(|| panic!("no relation {email}")).to_string()).unwrap()
    }
}

fn record(value: &Value) -> Record {
    match read_json(&value.to_string().into()) {
        Ok(Any::Map(map)) => map,
        other => panic!("no record: {other:?}"),
    }
}

/// One run without refusals, and another over all records that finds nothing to do.
async fn settles(flow: &Shipped) -> String {
    let (counts, refused) = flow.run(false).await;
    assert_eq!(refused, Vec::<String>::new());
    let (again, refused) = flow.run(true).await;
    assert_eq!(refused, Vec::<String>::new());
    assert!(!again.contains("created") && !again.contains("updated"), "the second run: {again}");
    counts
}

/// The reason of the only refusal, without its place in the flow.
async fn refusal(flow: &Shipped) -> String {
    let (counts, refused) = flow.run(false).await;
    assert_eq!((counts.as_str(), refused.len()), ("1 failed", 1), "{refused:?}");
    match refused[0].split_once(" (flows/") {
        Some((reason, place)) => format!("{reason}{}", place.split_once(')').unwrap().1),
        None => refused[0].clone(),
    }
}

fn number(value: &Value) -> Decimal {
    match value {
        Value::Null => Decimal::ZERO,
        Value::String(text) => text.parse().unwrap(),
        other => other.to_string().parse().unwrap(),
    }
}

fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

/// What the lines of an order in AccountView add up to.
fn lines_total(order: &Record) -> Decimal {
    let order: Value = serde_json::from_str(&order.to_string()).unwrap();
    let lines = order["lines"].as_array().unwrap();
    lines.iter().map(|line| cents(number(&line["ORD_QTY"]) * number(&line["ART_PX"]))).sum()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

// shows R64, R88
#[test]
fn the_flows_may_all_be_on_together() {
    let plans = super::shipped();
    let names =
        ["orders", "invoices", "products", "categories", "stock", "customers", "prices", "customer_prices"];
    let plan = |name: &str| &plans[&format!("flows/{PAIR}/{name}.flow")];
    for (at, one) in names.iter().enumerate() {
        for other in names.iter().skip(at + 1) {
            assert!(!super::are_refused(plan(one), plan(other)), "{one} and {other}");
        }
    }
    let to_office: Vec<&str> =
        names.into_iter().filter(|name| plan(name).target.system == "accountview").collect();
    assert_eq!(to_office, ["orders", "invoices"], "products, stock and customers go one way");
    let here = plans.keys().filter(|path| path.starts_with(&format!("flows/{PAIR}/"))).count();
    assert_eq!(here, names.len());
}

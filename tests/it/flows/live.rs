//! The flows between both simulators, through the real connectors: what the systems themselves
//! say to what is sent.

use connectors::ccv_salespos::CcvSalespos;
use connectors::ccv_salespos::simulator::{CcvShop, NewOrder};
use connectors::mpluskassa::MplusKassa;
use connectors::mpluskassa::simulator::TillSimulator;
use connectors::record::{Record, Value as Any, read_json};
use connectors::simulator::{Faults, Running, Simulator};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::sync::Arc;

use crate::vendors::Proxy;

use super::pair::Shipped;

struct Town {
    shop: CcvShop,
    till: TillSimulator,
    servers: [Running; 2],
    _proxies: [Proxy; 2],
}

impl Town {
    async fn new() -> Self {
        let (shop, till) = (CcvShop::default(), TillSimulator::new());
        let [one, other] = [
            Proxy::start("ccv_salespos", &shop, Faults::default()).await,
            Proxy::start("mpluskassa", &till, Faults::default()).await,
        ];
        let (proxies, servers) = ([one.0, other.0], [one.1, other.1]);
        Self { shop, till, servers, _proxies: proxies }
    }

    async fn flow(&self, name: &str, answers: &str) -> Shipped {
        let at = |number: usize| format!("http://{}", self.servers[number].address);
        let shop = self.shop.answers(&at(0));
        let till = self.till.answers(&at(1));
        Shipped::new(name, answers, (Arc::new(CcvSalespos), shop), (Arc::new(MplusKassa), till)).await
    }

    /// An article of the till, on sale in the web shop.
    fn article(&self, number: &str, name: &str, price: &str) {
        self.till.add_articles([record(&json!({
            "article_number": number, "description": name, "price_incl": price.parse::<f64>().unwrap(), "vat_code": "1",
            "turnover_group": "10", "active": true, "webshop": true, "stock_article": true, "barcode": format!("87{number}"),
        }))]);
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

// shows R1, R4, R65
#[tokio::test]
async fn products_then_stock_then_orders() {
    let town = Town::new().await;
    town.article("100045", "Koffiemok", "19.95");
    town.article("100050", "Koffiebonen", "24.95");
    town.article("900", "Verzendkosten", "4.95");
    for number in [100_045, 100_050] {
        town.till.count_stock(1, number, Decimal::from(12));
    }

    let products = town.flow("products_to_shop", "").await;
    assert_eq!(settles(&products).await, "3 created");
    let key = town.shop.key_by("products", "productnumber", "100045").unwrap();
    let product = town.shop.get("products", key).unwrap();
    assert_eq!(
        (&product["price"], &product["stock"], &product["is_active"]),
        (&json!(19.95), &json!(12), &json!(true))
    );

    town.till.count_stock(1, 100_045, Decimal::from(9));
    let stock = town.flow("stock", "").await;
    assert_eq!(stock.run(false).await, ("1 updated, 1 unchanged".to_owned(), vec![]));
    assert_eq!(town.shop.get("products", key).unwrap()["stock"], 9);

    town.shop
        .add_order(&NewOrder {
            email: "inkoop@delinde.example",
            name: ("Sanne", "de Boer"),
            company: "De Linde",
            lines: &[("100045", 2), ("100050", 1)],
            status: 1,
            is_paid: true,
        })
        .unwrap();
    let orders =
        town.flow("orders", "[settings]\nstart_date = \"2020-01-01\"\nshipping_article = \"900\"\n").await;
    assert_eq!(settles(&orders).await, "1 created");
    let order = &town.till.orders()[0];
    let total: Value = serde_json::from_str(&town.shop.books().to_string()).unwrap();
    let shop_total = &total["orders"][0]["total_price"];
    assert_eq!(
        order.get("total_incl_amount").unwrap().to_string().parse::<f64>().unwrap(),
        shop_total.as_f64().unwrap()
    );
    // The order reserves the goods; what is free to sell goes back to the shop.
    assert_eq!(stock.run(false).await.1, Vec::<String>::new());
    assert_eq!(town.shop.get("products", key).unwrap()["stock"], 7);
}

#[tokio::test]
async fn an_article_is_switched_off_when_its_product_is_deleted() {
    let town = Town::new().await;
    let keys = ["100045", "100050"].map(|sku| town.shop.add_product(sku, "Mok", Decimal::ONE, 3).unwrap());
    let flow = town.flow("products_to_till", GROUP).await;
    let (_, refused) = flow.run(false).await;
    assert_eq!(refused, Vec::<String>::new());
    let active = |town: &Town| -> Vec<bool> {
        town.till.articles().iter().map(|one| one.get("active").unwrap().as_bool().unwrap()).collect()
    };
    assert_eq!(active(&town), [true, true]);
    town.shop.remove("products", keys[0]).unwrap();
    flow.told("shop", "products.deleted", "products", &keys[0].to_string()).await;
    let (counts, refused) = flow.run(false).await;
    assert_eq!((counts.as_str(), refused), ("1 updated, 1 unchanged", Vec::new()));
    assert_eq!(active(&town), [false, true]);
    // Not when it is not wanted.
    flow.answer(&format!("{GROUP}switch_off = false\n"));
    town.shop.remove("products", keys[1]).unwrap();
    flow.told("shop", "products.deleted", "products", &keys[1].to_string()).await;
    let (_, refused) = flow.run(false).await;
    assert_eq!(refused, Vec::<String>::new());
    assert_eq!(active(&town), [false, true]);
}

#[tokio::test]
async fn a_category_is_hidden_when_its_group_is_removed() {
    let town = Town::new().await;
    let group = town.till.add_article_group(0, "Koffie");
    let flow = town.flow("categories_to_shop", "").await;
    assert_eq!(flow.run(false).await.0, "1 created");
    let key = town.shop.key_by("categories", "name", "Koffie").unwrap();
    let shown = |town: &Town| town.shop.get("categories", key).unwrap()["show_on_website"].clone();
    let before = shown(&town);
    town.till.remove_article_group(&group);
    let (counts, refused) = flow.run(false).await;
    assert_eq!((counts.as_str(), refused), ("1 updated", Vec::new()));
    assert_eq!((before, shown(&town)), (true.into(), false.into()));
    assert_eq!(flow.run(false).await.0, "1 unchanged");
}

/// Records that differ, with what they were and what they are.
fn changes(before: &Value, after: &Value) -> Vec<String> {
    let rows = |books: &Value, name: &str| books[name].as_array().cloned().unwrap_or_default();
    let mut changes = Vec::new();
    for name in after.as_object().unwrap().keys() {
        let (old, new) = (rows(before, name), rows(after, name));
        if old.len() != new.len() {
            changes.push(format!("{name}: {} became {}", old.len(), new.len()));
        }
        let differ = old.iter().zip(&new).filter(|(old, new)| old != new);
        changes.extend(differ.map(|(old, new)| format!("{name}: {old}\nbecame {new}")));
    }
    changes
}

/// Runs flows one after the other, twice each: the second time, over all records once more,
/// neither system changes. Gives what the first runs told.
async fn all_settle(town: &Town, flows: &[(&str, &str)]) -> Vec<String> {
    let mut told = Vec::new();
    for (name, answers) in flows {
        let flow = town.flow(name, answers).await;
        let (mut counts, mut refused) = flow.run(false).await;
        if name.starts_with("categories") {
            // Children follow their parents: how many wait for the second run is chance.
            (_, refused) = flow.run(true).await;
            counts = "settled".to_owned();
        }
        told.push(format!("{name}: {counts}"));
        told.extend(refused);
        let before = (town.shop.books(), town.till.books());
        flow.run(true).await;
        let changed =
            [changes(&before.0, &town.shop.books()), changes(&before.1, &town.till.books())].concat();
        assert!(changed.is_empty(), "{name} once more:\n{}", changed.join("\n"));
    }
    told
}

const COSTS: &str = "[settings]\nstart_date = \"2020-01-01\"\nonly_paid = false\nshipping_article = \"900\"\ncosts_article = \"901\"\ndiscount_article = \"902\"\ndeposit_article = \"903\"\n";
const GROUP: &str = "[settings]\nturnover_group = \"10\"\n";

// shows R60, R65
#[tokio::test]
async fn the_whole_sample_of_the_shop_goes_to_the_till() {
    let town = Town::new().await;
    town.shop.fill();
    for number in ["900", "901", "902", "903"] {
        town.article(number, "Kosten", "1");
    }
    let flows = [
        ("categories_to_till", ""),
        ("products_to_till", GROUP),
        ("variants_to_till", GROUP),
        ("customers_to_till", ""),
        ("orders", COSTS),
    ];
    insta::assert_snapshot!(all_settle(&town, &flows).await.join("\n"));

    let books = town.shop.books();
    let orders = town.till.orders();
    assert!(orders.len() > 20);
    for order in orders {
        let number = order.text("ext_order_id").unwrap();
        let same =
            books["orders"].as_array().unwrap().iter().find(|one| one["ordernumber_full"] == number).unwrap();
        let total: f64 = order.get("total_incl_amount").unwrap().to_string().parse().unwrap();
        assert_eq!(same["total_price"].as_f64(), Some(total), "order {number}");
    }
}

#[tokio::test]
async fn the_whole_sample_of_the_till_goes_to_the_shop() {
    let town = Town::new().await;
    town.till.fill();
    let flows = [
        ("categories_to_shop", ""),
        ("products_to_shop", ""),
        ("variants_to_shop", ""),
        ("stock", ""),
        ("customers_to_shop", ""),
        (
            "orders_reverse",
            "[settings]\nstart_date = \"2020-01-01\"\nfallback_email = \"kassa@example.nl\"\n",
        ),
    ];
    insta::assert_snapshot!(all_settle(&town, &flows).await.join("\n"));
}

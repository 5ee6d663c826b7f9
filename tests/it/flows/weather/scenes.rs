//! What each pair is played with, in each direction.

use connectors::accountview::AccountView;
use connectors::accountview::simulator::AccountViewSimulator;
use connectors::ccv_salespos::CcvSalespos;
use connectors::ccv_salespos::simulator::CcvShop;
use connectors::eaccounting::EAccounting;
use connectors::eaccounting::simulator::{Company, Options};
use connectors::mpluskassa::MplusKassa;
use connectors::mpluskassa::simulator::TillSimulator;
use connectors::record::{Record, Value as Any, read_json};
use connectors::simulator::Simulator as _;
use connectors::softmaat::simulator::SoftmaatSimulator;
use connectors::teamleader::Teamleader;
use connectors::teamleader::simulator::Office;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::world::Actor;

/// A pair, what its systems hold at first, and the flows in their order.
pub(super) struct Scene {
    pub(super) pair: &'static str,
    pub(super) set: fn() -> [Actor; 2],
    pub(super) flows: &'static [(&'static str, &'static str)],
}

const GROUP: &str = "[settings]\nturnover_group = \"10\"\n";

pub(super) const SHOP_TO_TILL: Scene = Scene {
    pair: "ccv_salespos-mpluskassa",
    set: || {
        let (shop, till) = (CcvShop::default(), TillSimulator::new());
        shop.fill();
        sells(&till, &["900", "901", "902", "903"]);
        [Actor::new("shop", CcvSalespos, shop), Actor::new("till", MplusKassa, till)]
    },
    flows: &[
        ("categories_to_till", ""),
        ("products_to_till", GROUP),
        ("variants_to_till", GROUP),
        ("customers_to_till", ""),
        (
            "orders",
            "[settings]\nstart_date = \"2020-01-01\"\nonly_paid = false\nshipping_article = \"900\"\n\
                costs_article = \"901\"\ndiscount_article = \"902\"\ndeposit_article = \"903\"\n",
        ),
    ],
};

pub(super) const TILL_TO_SHOP: Scene = Scene {
    pair: "ccv_salespos-mpluskassa",
    set: || {
        let (shop, till) = (CcvShop::default(), TillSimulator::new());
        till.fill();
        [Actor::new("shop", CcvSalespos, shop), Actor::new("till", MplusKassa, till)]
    },
    flows: &[
        ("categories_to_shop", ""),
        ("products_to_shop", ""),
        ("variants_to_shop", ""),
        ("stock", ""),
        ("customers_to_shop", ""),
        (
            "orders_reverse",
            "[settings]\nstart_date = \"2020-01-01\"\nfallback_email = \"kassa@example.nl\"\n",
        ),
    ],
};

pub(super) const ACCOUNTVIEW_TO_TILL: Scene = Scene {
    pair: "accountview-mpluskassa",
    set: || {
        let (office, till) = (AccountViewSimulator::new(), TillSimulator::new());
        office.fill();
        till.add_price_group(2, "Horeca");
        [Actor::new("office", AccountView, office), Actor::new("till", MplusKassa, till)]
    },
    flows: &[
        ("categories", ""),
        (
            "products",
            "[settings]\nturnover_group = \"10\"\nproduct_column = \"K1_PROD\"\ncolour_column = \"K1_COLOUR\"\n\
                size_column = \"K1_SIZE\"\nfeatures = [\"K1_ORIGIN\", \"K1_DAYS\"]\n",
        ),
        ("stock", ""),
        ("customers", ""),
        ("prices", ""),
        ("customer_prices", ""),
    ],
};

const TO_ACCOUNTVIEW: &str =
    "[settings]\nstart_date = \"2020-01-01\"\ncollective_account = \"1210\"\nrounding_article = \"AFROND\"\n";

pub(super) const TILL_TO_ACCOUNTVIEW: Scene = Scene {
    pair: "accountview-mpluskassa",
    set: || {
        let (office, till) = (AccountViewSimulator::new(), TillSimulator::new());
        till.fill();
        for article in till.articles().iter().filter_map(|article| article.text("article_number")) {
            office.add("ARTICLE", [goods(article)]);
        }
        office.add("ARTICLE", [goods("AFROND")]);
        [Actor::new("office", AccountView, office), Actor::new("till", MplusKassa, till)]
    },
    flows: &[("orders", TO_ACCOUNTVIEW), ("invoices", TO_ACCOUNTVIEW)],
};

pub(super) const SHOP_TO_EACCOUNTING: Scene = Scene {
    pair: "eaccounting-ccv_salespos",
    set: || {
        let (shop, books) = (CcvShop::default(), company());
        shop.fill();
        for (number, rate) in [("900", 21), ("901", 21), ("902", 21), ("903", 0), ("904", 0)] {
            books.add_article(number, "Kosten", Decimal::TEN, rate, 20).unwrap();
        }
        [Actor::new("shop", CcvSalespos, shop), Actor::new("books", EAccounting, books)]
    },
    flows: &[
        ("products_to_books", "[settings]\nonly_active = false\n"),
        ("customers_to_books", ""),
        (
            "orders",
            "[settings]\nstart_date = \"2020-01-01\"\nonly_paid = false\nshipping_article = \"900\"\n\
                costs_article = \"901\"\ndiscount_article = \"902\"\ndeposit_article = \"903\"\nrounding_article = \"904\"\n",
        ),
    ],
};

pub(super) const EACCOUNTING_TO_SHOP: Scene = Scene {
    pair: "eaccounting-ccv_salespos",
    set: || {
        let (shop, books) = (CcvShop::default(), company());
        books.fill();
        [Actor::new("shop", CcvSalespos, shop), Actor::new("books", EAccounting, books)]
    },
    flows: &[
        ("categories_to_shop", ""),
        ("products_to_shop", ""),
        ("stock", ""),
        ("customers_to_shop", ""),
        ("orders_reverse", "[settings]\nstart_date = \"2020-01-01\"\n"),
        ("invoices_reverse", "[settings]\nstart_date = \"2020-01-01\"\n"),
    ],
};

pub(super) const TILL_TO_SOFTMAAT: Scene = Scene {
    pair: "mpluskassa-softmaat",
    set: || {
        let (softmaat, till) = (SoftmaatSimulator::new(), TillSimulator::new());
        till.fill();
        [softmaat_actor(softmaat), Actor::new("till", MplusKassa, till)]
    },
    flows: &[
        ("categories", ""),
        ("products", ""),
        ("variants", ""),
        ("customers", ""),
        ("stock", ""),
        (
            "orders_reverse",
            "[settings]\nstart_date = \"2020-01-01\"\nonly_own = false\nfallback_email = \"kassa@example.nl\"\n",
        ),
    ],
};

pub(super) const SOFTMAAT_TO_TILL: Scene = Scene {
    pair: "mpluskassa-softmaat",
    set: || {
        let (softmaat, till) = (SoftmaatSimulator::new(), TillSimulator::new());
        softmaat.fill();
        sells(&till, &["900", "901"]);
        [softmaat_actor(softmaat), Actor::new("till", MplusKassa, till)]
    },
    flows: &[
        ("products_reverse", GROUP),
        ("stock_reverse", ""),
        (
            "orders",
            "[settings]\nstart_date = \"2020-01-01\"\nshipping_article = \"900\"\ndiscount_article = \"901\"\n",
        ),
    ],
};

const TO_TILL: &str =
    "[settings]\nstart_date = \"2020-01-01\"\ntext_article = \"900\"\ndiscount_article = \"902\"\n";

pub(super) const TEAMLEADER_TO_TILL: Scene = Scene {
    pair: "teamleader-mpluskassa",
    set: || {
        let (office, till) = (Office::default(), TillSimulator::new());
        office.fill();
        sells(&till, &["900", "902"]);
        [Actor::new("office", Teamleader, office), Actor::new("till", MplusKassa, till)]
    },
    flows: &[
        ("categories_to_till", ""),
        ("products_to_till", GROUP),
        ("customers_to_till", ""),
        ("orders_to_till", TO_TILL),
        ("invoices_to_till", TO_TILL),
    ],
};

const SINCE: &str = "[settings]\nstart_date = \"2020-01-01\"\n";

pub(super) const TILL_TO_TEAMLEADER: Scene = Scene {
    pair: "teamleader-mpluskassa",
    set: || {
        let (office, till) = (Office::default(), TillSimulator::new());
        till.fill();
        [Actor::new("office", Teamleader, office), Actor::new("till", MplusKassa, till)]
    },
    flows: &[
        ("products_to_teamleader", ""),
        ("customers_to_teamleader", ""),
        ("orders_to_teamleader", SINCE),
        ("invoices_to_teamleader", SINCE),
        ("stock_to_teamleader", ""),
    ],
};

fn company() -> Company {
    Company::new(Options { calls_per_minute: None, ..Options::default() })
}

fn softmaat_actor(simulator: SoftmaatSimulator) -> Actor {
    Actor::new("softmaat", connectors::softmaat::system().unwrap(), simulator)
}

/// Articles of the till for costs and the like.
fn sells(till: &TillSimulator, numbers: &[&str]) {
    till.add_articles(numbers.iter().map(|number| {
        record(&json!({"article_number": number, "description": "Kosten", "price_incl": 1, "vat_code": "1",
            "turnover_group": "10", "active": true}))
    }));
}

/// An article of AccountView.
fn goods(code: &str) -> Record {
    record(&json!({"ART_CODE": code, "ART_DESC1": "Artikel", "PX_SELL": 1, "VAT_CODE": "4"}))
}

fn record(value: &Value) -> Record {
    match read_json(&value.to_string().into()) {
        Ok(Any::Map(map)) => map,
        other => panic!("no record: {other:?}"),
    }
}

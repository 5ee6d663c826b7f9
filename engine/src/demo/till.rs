//! The demo's till: a household shop with a catalogue that a real one could have.

use connectors::mpluskassa::simulator::TillSimulator;
use connectors::record::{Record, Value};
use rust_decimal::Decimal;

use super::stage::Size;

/// Kinds of goods: group, name, price in cents, VAT code (1: 21 %, 2: 9 %).
const GOODS: [(&str, &str, i64, &str); 16] = [
    ("Servies", "Koffiemok", 1295, "1"),
    ("Servies", "Theeglas", 795, "1"),
    ("Servies", "Ontbijtbord", 1450, "1"),
    ("Servies", "Schaal", 2495, "1"),
    ("Pannen", "Koekenpan", 3995, "1"),
    ("Pannen", "Steelpan", 3450, "1"),
    ("Messen", "Koksmes", 6995, "1"),
    ("Messen", "Broodmes", 4295, "1"),
    ("Koffie", "Koffiebonen 1 kg", 1899, "2"),
    ("Koffie", "Espresso 250 g", 649, "2"),
    ("Thee", "Groene thee", 475, "2"),
    ("Thee", "Kruidenthee", 425, "2"),
    ("Boeken", "Bakboek", 2999, "2"),
    ("Textiel", "Theedoek", 995, "1"),
    ("Textiel", "Ovenwant", 1195, "1"),
    ("Textiel", "Tafelkleed", 3499, "1"),
];

const MAKERS: [&str; 12] = [
    "Texel",
    "Waddenwear",
    "Keramiek Noord",
    "De Linde",
    "Zoë & Zn.",
    "Ångström",
    "Café Brûlé",
    "Maas",
    "Zilt",
    "Het Anker",
    "Ömer",
    "Vlieland",
];

const COLOURS: [&str; 3] = ["Blauw", "Rood", "Groen"];
const SIZES: [&str; 3] = ["S", "M", "L"];

/// The one whose price the shopkeeper changes.
const FIRST: i64 = 100_000;

/// Sets up the till: groups, what is sold, what is in stock, and how one pays.
pub(super) fn stock_up(till: &TillSimulator, size: &Size) {
    for (method, name) in [
        ("BANK", "Overboeking"),
        ("IDEAL", "iDEAL"),
        ("CREDITCARD", "Creditcard"),
        ("PAYPAL", "PayPal"),
        ("CONTANT", "Contant"),
        ("PIN", "Pin"),
    ] {
        till.add_payment_method(method, name);
    }
    for (method, name) in [("VERZENDEN", "Verzenden"), ("BEZORGEN", "Bezorgen"), ("AFHALEN", "Afhalen")] {
        till.add_delivery_method(method, name);
    }
    till.add_turnover_group(1, "Winkel");
    let groups = add_groups(till);
    let mut random = fastrand::Rng::with_seed(size.seed);
    let variants = size.products / 12;
    let plain = size.products.saturating_sub(variants);
    let articles: Vec<Record> = (0..plain).map(|number| article(number, &groups, &mut random)).collect();
    till.add_articles(articles);
    for number in 0..variants {
        till.add_product(varied(number, &groups));
    }
    for (number, name) in
        [(900_001, "Verzendkosten"), (900_002, "Kosten"), (900_003, "Kortingen"), (900_004, "Statiegeld")]
    {
        let mut cost = fields(number, name, 0, "1");
        cost.set("webshop", false);
        cost.set("stock_article", false);
        till.add_articles([cost]);
    }
    for article in till.articles() {
        if let Some(number) = article.text("article_number").and_then(|number| number.parse().ok()) {
            till.count_stock(1, number, Decimal::from(random.i64(0..250)));
        }
    }
}

/// Groups three deep; gives the numbers of those that goods are in, by name.
fn add_groups(till: &TillSimulator) -> Vec<(&'static str, String)> {
    let number = |text: String| text.parse::<i64>().unwrap_or_default();
    let kitchen = number(till.add_article_group(0, "Keuken"));
    let pantry = number(till.add_article_group(0, "Voorraadkast"));
    let tools = number(till.add_article_group(kitchen, "Gereedschap"));
    [
        ("Servies", kitchen),
        ("Textiel", kitchen),
        ("Pannen", tools),
        ("Messen", tools),
        ("Koffie", pantry),
        ("Thee", pantry),
        ("Boeken", 0),
    ]
    .into_iter()
    .map(|(name, parent)| (name, till.add_article_group(parent, name)))
    .collect()
}

fn article(number: usize, groups: &[(&'static str, String)], random: &mut fastrand::Rng) -> Record {
    let (group, name, cents, vat) = GOODS.get(number % GOODS.len()).copied().unwrap_or(GOODS[0]);
    let maker = MAKERS.get(number / GOODS.len() % MAKERS.len()).copied().unwrap_or_default();
    let series = number / GOODS.len() / MAKERS.len();
    let title =
        if series == 0 { format!("{name} {maker}") } else { format!("{name} {maker} {}", series + 1) };
    let offset = i64::try_from(number).unwrap_or_default();
    let mut article = fields(FIRST + offset, &title, cents + random.i64(0..40) * 5, vat);
    article.set("brand_name", maker);
    article.set("extra_text", format!("{title}: met zorg gemaakt, jaren plezier."));
    article.set("group_numbers", in_group(groups, group));
    article
}

/// A product in three colours and three sizes, the largest a little dearer.
fn varied(number: usize, groups: &[(&'static str, String)]) -> Record {
    let maker = MAKERS.get(number % MAKERS.len()).copied().unwrap_or_default();
    let title =
        format!("Schort {maker}{}", if number < MAKERS.len() { String::new() } else { format!(" {number}") });
    let mut articles = Vec::new();
    for (at, (colour, size)) in
        COLOURS.iter().flat_map(|colour| SIZES.iter().map(move |size| (colour, size))).enumerate()
    {
        let own = 500_000 + i64::try_from(number * 20 + at).unwrap_or_default();
        let cents = if *size == "L" { 3495 } else { 3295 };
        let mut article = fields(own, &format!("{title} {colour} {size}"), cents, "1");
        article.set("colour", *colour);
        article.set("size", *size);
        articles.push(Value::Map(article));
    }
    let mut product = Record::new();
    product.set("description", title.as_str());
    product.set("extra_text", format!("{title}: katoen, wasbaar op 60 graden."));
    product.set("group_numbers", in_group(groups, "Textiel"));
    product.set("articles", articles);
    product
}

fn fields(number: i64, title: &str, cents: i64, vat: &str) -> Record {
    let mut article = Record::new();
    article.set("article_number", number.to_string());
    article.set("description", title);
    article.set("active", true);
    article.set("webshop", true);
    article.set("stock_article", true);
    article.set("turnover_group", "1");
    article.set("vat_code", vat);
    article.set("price_incl", Decimal::new(cents, 2));
    article.set("barcode", ean(number));
    article
}

fn in_group(groups: &[(&'static str, String)], name: &str) -> Value {
    let number = groups.iter().find(|(known, _)| *known == name).map(|(_, number)| number.clone());
    Value::List(number.into_iter().map(Value::from).collect())
}

/// A bar code with its check digit.
fn ean(number: i64) -> String {
    let body = format!("87{number:010}");
    let sum: u32 = body
        .chars()
        .rev()
        .filter_map(|digit| digit.to_digit(10))
        .enumerate()
        .map(|(at, digit)| if at % 2 == 0 { digit * 3 } else { digit })
        .sum();
    format!("{body}{}", (10 - sum % 10) % 10)
}

/// Raises the price of one article; gives its number.
pub(super) fn change_a_price(till: &TillSimulator) -> String {
    let number = (FIRST + 3).to_string();
    let mut changes = Record::new();
    changes.set("price_incl", Decimal::new(2_345, 2));
    till.edit_article(&number, changes);
    number
}

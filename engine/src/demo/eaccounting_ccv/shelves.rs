//! What the demo's company sells.

use connectors::eaccounting::simulator::Company;
use rust_decimal::Decimal;

use crate::demo::stage::Size;

/// Names, prices in cents without VAT, and rates in percent.
const GOODS: [(&str, i64, i64); 8] = [
    ("Koffiemok", 1_070, 21),
    ("Theeglas", 657, 21),
    ("Koekenpan", 3_302, 21),
    ("Koksmes", 5_781, 21),
    ("Koffiebonen 1 kg", 1_742, 9),
    ("Groene thee", 436, 9),
    ("Bakboek", 2_751, 9),
    ("Theedoek", 822, 21),
];
const MAKERS: [&str; 6] = ["Texel", "Keramiek Noord", "Zoë & Zn.", "Ångström", "Café Brûlé", "Vlieland"];

/// Number of the first article.
pub(super) const FIRST: i64 = 100_000;

/// Puts the articles into the books, those for costs and discounts among them.
pub(super) fn fill(books: &Company, size: &Size) {
    let mut random = fastrand::Rng::with_seed(size.seed);
    for number in 0..size.products {
        let (name, cents, rate) = GOODS.get(number % GOODS.len()).copied().unwrap_or(GOODS[0]);
        let maker = MAKERS.get(number / GOODS.len() % MAKERS.len()).copied().unwrap_or_default();
        let series = number / GOODS.len() / MAKERS.len() + 1;
        let price = Decimal::new(cents + random.i64(0..60) * 5, 2);
        let own = FIRST + i64::try_from(number).unwrap_or_default();
        article(books, own, &format!("{name} {maker} {series}"), price, rate, random.i64(20..250));
    }
    for (number, name, rate) in [
        (900_001, "Verzendkosten", 21),
        (900_002, "Kosten", 21),
        (900_003, "Kortingen", 21),
        (900_004, "Statiegeld", 0),
        (900_005, "Afronding", 0),
    ] {
        article(books, number, name, Decimal::ZERO, rate, 0);
    }
}

fn article(books: &Company, number: i64, name: &str, price: Decimal, rate: i64, stock: i64) {
    if let Err(reason) = books.add_article(&number.to_string(), name, price, rate, stock) {
        tracing::warn!(number, reason, "the stand-in refused an article of the demo");
    }
}

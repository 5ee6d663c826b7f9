//! The demo's wholesaler: articles, customers and a price list in AccountView.

use connectors::accountview::simulator::AccountViewSimulator;
use connectors::record::{Record, Value};
use rust_decimal::Decimal;

use crate::demo::counter;
use crate::demo::people::Customer;
use crate::demo::stage::Size;

/// Kinds of goods: group, name, price in cents without VAT, VAT code (4: 21 %, 2: 9 %).
const GOODS: [(&str, &str, i64, &str); 8] = [
    ("JAS", "Regenjas", 6_607, "4"),
    ("BROEK", "Regenbroek", 3_301, "4"),
    ("LAARS", "Laars", 2_475, "4"),
    ("TAS", "Rugtas", 4_127, "4"),
    ("BOEK", "Wandelgids", 1_834, "2"),
    ("BOEK", "Kaart van het wad", 1_142, "2"),
    ("TAS", "Heuptas", 1_649, "4"),
    ("JAS", "Windjack", 5_776, "4"),
];
const PLACES: [&str; 8] =
    ["Texel", "Vlieland", "Zoutkamp", "Ängelholm", "Café Brûlé", "Łeba", "Den Burg", "Maas"];
const GROUPS: [(&str, &str); 5] =
    [("JAS", "Jassen"), ("BROEK", "Broeken"), ("LAARS", "Laarzen"), ("TAS", "Tassen"), ("BOEK", "Boeken")];

/// Number of the first article.
pub(super) const FIRST: i64 = 100_000;

fn row<const N: usize>(columns: [(&'static str, Value); N]) -> Record {
    columns.into_iter().collect()
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or_default()
}

/// Everything that AccountView knows at the start.
pub(super) fn set_up(office: &AccountViewSimulator, size: &Size) {
    let groups = GROUPS.map(|(code, name)| row([("AG_CODE", code.into()), ("AG_DESC", name.into())]));
    office.add("ART_GRP", groups);
    let mut random = fastrand::Rng::with_seed(size.seed);
    let articles: Vec<Record> = (0..size.products).map(|number| article(number, &mut random)).collect();
    office.add("ARTICLE", articles);
    let rounding = [
        ("ART_CODE", Value::from("900009")),
        ("ART_DESC1", "Afronding".into()),
        ("PX_SELL", Decimal::ZERO.into()),
        ("VAT_CODE", "4".into()),
        ("STK_ART", false.into()),
    ];
    office.add("ARTICLE", [row(rounding)]);
    let regulars = counter::all(size);
    office.add("CONTACT", regulars.iter().step_by(2).enumerate().map(|(at, one)| debtor(at, one)));
    let lines = (0..size.products.min(20)).flat_map(|number| [(number, 1, 90), (number, 10, 80)]);
    office.add("ART_PX", lines.map(|(number, from, percent)| price(number, from, percent)));
}

fn article(number: usize, random: &mut fastrand::Rng) -> Record {
    let (group, name, cents, vat) = GOODS.get(number % GOODS.len()).copied().unwrap_or(GOODS[0]);
    let place = PLACES.get(number / GOODS.len() % PLACES.len()).copied().unwrap_or_default();
    let series = number / GOODS.len() / PLACES.len() + 1;
    let stock = random.i64(20..300);
    row([
        ("ART_CODE", (FIRST + whole(number)).to_string().into()),
        ("ART_DESC1", format!("{name} {place} {series}").into()),
        ("AG_CODE", group.into()),
        ("PX_SELL", Decimal::new(cents + random.i64(0..400), 2).into()),
        ("COST_PX", Decimal::new(cents / 2, 2).into()),
        ("QTY_TECH", stock.into()),
        ("QTY_AVAIL", stock.into()),
        ("QTY_FREE2", stock.into()),
        ("QTY_BESTEL", 0.into()),
        ("VAT_CODE", vat.into()),
        ("STK_ART", true.into()),
        ("REC_BLK", (number % 31 == 30).into()),
    ])
}

fn debtor(at: usize, customer: &Customer) -> Record {
    let person = format!("{} {}", customer.first, customer.last);
    let mut row = row([
        ("kind", Value::from("D")),
        ("SUB_NR", (10_001 + at).to_string().into()),
        ("ACCT_NR", "1210".into()),
        ("ACCT_NAME", customer.company.as_deref().unwrap_or(&person).into()),
        ("ADDRESS1", format!("{} {}", customer.street, customer.number).into()),
        ("POST_CODE", customer.city.0.into()),
        ("CITY", customer.city.1.into()),
        ("CNT_CODE", "NL".into()),
        ("MAIL_BUS", customer.email.as_str().into()),
        ("VAT_CODE", "4".into()),
        ("DISC_CODE", "14".into()),
        ("CUR_CODE", "EUR".into()),
    ]);
    if customer.company.is_some() {
        row.set("MAIN_CONT", person);
        row.set("COC_CODE", format!("30123{at:03}"));
        row.set("APX_LIST", "HOR");
    }
    row
}

/// A line of the caterers' price list, for that many and more.
fn price(number: usize, from: i64, percent: i64) -> Record {
    let (_, _, cents, _) = GOODS.get(number % GOODS.len()).copied().unwrap_or(GOODS[0]);
    row([
        ("APX_LIST", Value::from("HOR")),
        ("ART_CODE", (FIRST + whole(number)).to_string().into()),
        ("QTY_FROM", from.into()),
        ("ART_PX", Decimal::new(cents * percent / 100, 2).into()),
    ])
}

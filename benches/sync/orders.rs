//! The orders of the stand-in shop: made from their number, so that a million cost no memory.

use std::fmt::Write as _;

/// One order in four is not paid.
pub(crate) const fn is_paid(number: u64) -> bool {
    number % 4 != 3
}

/// Who ordered. One order in sixteen comes from somebody who ordered two pages earlier.
pub(crate) const fn customer(number: u64) -> u64 {
    if number % 8 == 6 && (number / 200) % 2 == 1 { number - 200 } else { number }
}

/// Every other customer is in the till already, with an old telephone number.
pub(crate) const fn is_known(customer: u64) -> bool {
    customer.is_multiple_of(2)
}

/// Address of a customer.
pub(crate) fn email(customer: u64) -> String {
    format!("customer{customer:07}@example.com")
}

/// The number in the address of a customer.
pub(crate) fn customer_of(email: &str) -> Option<u64> {
    email.strip_prefix("customer")?.strip_suffix("@example.com")?.parse().ok()
}

/// Seconds between two orders.
const EVERY: u64 = 61;

/// When the first order was placed: 1 January 2020.
const BEGIN: u64 = 1_577_836_800;

fn moment(number: u64) -> String {
    let at = jiff::Timestamp::from_second(i64::try_from(BEGIN + number * EVERY).unwrap()).unwrap();
    at.to_string()
}

/// The first order at or after a moment.
pub(crate) fn first_since(moment: &str) -> u64 {
    let at: jiff::Timestamp = moment.parse().unwrap();
    u64::try_from(at.as_second()).unwrap().saturating_sub(BEGIN).div_ceil(EVERY)
}

const COUNTRIES: [&str; 3] = ["NL", "BE", "DE"];
const RATES: [[u64; 3]; 3] = [[21, 9, 0], [21, 6, 0], [19, 7, 0]];
const STREETS: [&str; 4] = ["Lindelaan", "Keizersgracht", "Rue de la Loi", "Hauptstraße"];
const CITIES: [&str; 4] = ["Utrecht", "Amsterdam", "Antwerpen", "Köln"];
const GOODS: [&str; 5] = [
    "Mok Delfts blauw, 300 ml, vaatwasserbestendig",
    "Theedoek katoen, set van drie, naturel",
    "Kookboek De Wereldkeuken, gebonden, 320 pagina's",
    "Cadeaubon voor een workshop koffiezetten",
    "Koffiebonen Huismelange, donker gebrand, 1 kg",
];

fn pick<'a>(from: &[&'a str], number: u64) -> &'a str {
    from[usize::try_from(number).unwrap() % from.len()]
}

/// Appends an order as the shop gives it, about 1.5 KB of JSON.
pub(crate) fn write(number: u64, out: &mut String) {
    let who = customer(number);
    let at = moment(number);
    let country = usize::try_from(who % 3).unwrap();
    let status = if is_paid(number) { "paid" } else { "open" };
    let company = if who.is_multiple_of(5) { format!("Bedrijf {who} B.V.") } else { String::new() };
    let code = COUNTRIES[country];
    let (street, city) = (pick(&STREETS, who), pick(&CITIES, who));
    write!(
        out,
        r#"{{"id":{number},"number":"2026-{number:07}","created_at":"{at}","modified_at":"{at}","status":"{status}","currency":"EUR","customer":{{"id":{who},"email":"{}","first_name":"Sanne","last_name":"de Boer {who}","company":"{company}","phone":"+31 6 {:08}","language":"nl","vat_number":null,"newsletter":true}},"billing":{{"street":"{street}","number":"{}","suffix":"a","postcode":"{:04} ab","city":"{city}","region":null,"country":"{code}"}},"shipping":{{"street":"{}","number":"{}","suffix":null,"postcode":"{:04} CD","city":"{}","region":null,"country":"{code}"}},"payment":{{"method":"{}","transaction":"tr_8sFh2kLp9{number}","paid_at":"{at}","provider":"psp"}},"discount":{},"shipping_costs":4.95,"note":"  Graag bij de buren afgeven als er niemand thuis is  ","lines":["#,
        email(who),
        who % 100_000_000,
        who % 300,
        who % 9000 + 1000,
        pick(&STREETS, who + 1),
        who % 200,
        who % 8000 + 1000,
        pick(&CITIES, who + 1),
        if number.is_multiple_of(3) { "ideal" } else { "creditcard" },
        if number.is_multiple_of(4) { r#"{"code":"WELKOM","amount":5.00}"# } else { "null" },
    )
    .unwrap();
    for position in 0..number % 4 + 2 {
        let seed = number + position;
        write!(
            out,
            r#"{}{{"position":{},"sku":"87123456{:05}","name":"{}","quantity":{},"price":{}.{:02},"vat":{},"weight_grams":{},"backorder":false}}"#,
            if position > 0 { "," } else { "" },
            position + 1,
            seed % 99_991,
            pick(&GOODS, seed),
            seed % 5 + 1,
            seed % 60 + 1,
            seed % 100,
            RATES[country][usize::try_from(seed % 3).unwrap()],
            seed % 1000 + 50,
        )
        .unwrap();
    }
    write!(
        out,
        r#"],"tags":["web","nieuwsbrief"],"ip":"192.0.2.{}","user_agent":"Mozilla/5.0"}}"#,
        number % 250
    )
    .unwrap();
}

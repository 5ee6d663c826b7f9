//! Who buys in the demos: companies and people, with names and addresses as they come.

const FIRST_NAMES: [&str; 14] = [
    "Sanne", "Daan", "Emma", "Lucas", "Zoë", "Łukasz", "Søren", "Fleur", "José", "Noor", "小龍", "Ali",
    "Maud", "Gülşen",
];
const LAST_NAMES: [&str; 14] = [
    "de Boer",
    "van den Berg",
    "Jansen",
    "Çelik",
    "Żółw",
    "Åse",
    "O'Brien",
    "Müller-Lüdenscheidt",
    "Peña",
    "李",
    "El Idrissi",
    "Visser",
    "’t Hooft",
    "Smit",
];
const STREETS: [&str; 6] =
    ["Lindelaan", "Havenweg", "Grote Markt", "Plein 1944", "Jan van Galenstraat", "’s-Gravendijkwal"];
const CITIES: [(&str, &str); 5] = [
    ("3511 AB", "Utrecht"),
    ("1791 AB", "Den Burg"),
    ("6511 KC", "Nijmegen"),
    ("8911 AA", "Leeuwarden"),
    ("9712 HX", "Groningen"),
];

/// Somebody who buys.
pub(super) struct Customer {
    pub(super) email: String,
    pub(super) first: &'static str,
    pub(super) last: &'static str,
    pub(super) company: Option<String>,
    pub(super) street: &'static str,
    pub(super) number: i64,
    /// Postcode and name.
    pub(super) city: (&'static str, &'static str),
}

/// So many customers; each fifth is a company.
pub(super) fn customers(count: usize, random: &mut fastrand::Rng) -> Vec<Customer> {
    (0..count).map(|number| customer(number, random)).collect()
}

fn customer(number: usize, random: &mut fastrand::Rng) -> Customer {
    let pick = |random: &mut fastrand::Rng, names: &[&'static str]| {
        names.get(random.usize(0..names.len())).copied().unwrap_or_default()
    };
    let (first, last) = (pick(random, &FIRST_NAMES), pick(random, &LAST_NAMES));
    let company = number
        .is_multiple_of(5)
        .then(|| format!("{} {last} B.V.", pick(random, &["Bakkerij", "Hotel", "Café", "Bureau"])));
    let city = CITIES.get(random.usize(0..CITIES.len())).copied().unwrap_or(("", ""));
    Customer {
        email: format!("klant{number}@voorbeeld.example"),
        first,
        last,
        company,
        street: pick(random, &STREETS),
        number: random.i64(1..220),
        city,
    }
}

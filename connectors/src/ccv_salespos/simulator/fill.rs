//! The shop's furniture, and a believable sample of everything that is sold in it.

use std::sync::LazyLock;
use std::time::Duration;

use rust_decimal::Decimal;

use super::books::{Books, int, map};
use super::effects;
use super::options::Options;
use super::tables::table;
use crate::record::{Map, Value, read_json};

/// Records of each kind in the sample.
const MANY: i64 = 28;

const GOODS: [(&str, i64); 10] = [
    ("Koffiemok blauw", 1995),
    ("Espressokopje wit", 895),
    ("Filterkoffie Ethiopië 250 g", 1150),
    ("Bonen Colombia 1 kg", 2495),
    ("Melkkan rvs", 1795),
    ("Handmolen", 6450),
    ("Papieren filters 100 st.", 425),
    ("Theepot gietijzer", 5495),
    ("Reisbeker 0,4 l", 2250),
    ("Koffieschep", 695),
];
const STREETS: [&str; 6] =
    ["Lindelaan", "Havenweg", "Dorpsstraat", "Kerkplein", "Molenweg", "Stationsstraat"];
const CITIES: [(&str, &str); 5] = [
    ("3511 AB", "Utrecht"),
    ("1012 JS", "Amsterdam"),
    ("9712 HN", "Groningen"),
    ("6211 CV", "Maastricht"),
    ("5611 EM", "Eindhoven"),
];
const FIRST: [&str; 7] = ["Sanne", "Daan", "Emma", "Sem", "Julia", "Bram", "Lotte"];
const LAST: [&str; 6] = ["de Boer", "Jansen", "van den Berg", "Visser", "Smit", "Bakker"];

/// A record from JSON; nothing else is asked of it.
pub(super) fn json(value: &serde_json::Value) -> Map {
    match read_json(&value.to_string().into()) {
        Ok(Value::Map(map)) => map,
        _ => Map::new(),
    }
}

fn at<T: Copy>(list: &[T], number: i64) -> Option<T> {
    let length = i64::try_from(list.len()).ok()?;
    list.get(usize::try_from(number.rem_euclid(length)).ok()?).copied()
}

/// The shop itself: settings, countries, one package, payment methods.
pub(super) fn shop(books: &mut Books) {
    books.settings = json(&serde_json::json!({
        "currency": "EUR",
        "prices_include_vat": true,
        "default_vat_rat": 21,
        "languages": ["nl", "en"],
        "stock": true,
        "ordering_without_stock": "allowed",
        "stock_level_warnings": {"low_threshold": 3, "high_threshold": 50},
        "order_status": (1..=14).map(|id| serde_json::json!({"id": id, "status": id, "status_name": format!("Status {id}"), "color": "#336699"})).collect::<Vec<_>>(),
        "invoice_status": [{"id": 1, "status": "paid", "status_name": "Betaald"}, {"id": 2, "status": "unpaid", "status_name": "Onbetaald"}],
        "return_status": [{"id": 1, "status": "new", "status_name": "Aangemeld"}],
        "multishop_readonly_properties": [],
    }));
    let country = |name: &str, code: &str, rates: [i64; 3]| {
        let tariff = |(kind, rate): (&str, i64)| serde_json::json!({"type": kind, "percentage": rate});
        let tariffs: Vec<_> = ["normal", "low a", "zero"].into_iter().zip(rates).map(tariff).collect();
        json(
            &serde_json::json!({"country": name, "code": code, "geozone_id": 1, "geozone_name": "EU", "tariffs": tariffs}),
        )
    };
    books.countries = vec![
        country("Nederland", "NL", [21, 9, 0]),
        country("België", "BE", [21, 6, 0]),
        country("Duitsland", "DE", [19, 7, 0]),
    ];
    webshop(books, "Koffiehuis", false);
    books.insert("packages", map([("name", Value::from("Kartonnen doos"))]));
    for (psp, method, label) in
        [("Mollie", "ideal", "iDEAL"), ("CCV", "pin", "Pinnen"), ("", "BankTransfer", "Vooraf overmaken")]
    {
        paymethod(books, psp, method, label);
    }
    let group = serde_json::json!({"groupname": "Particulieren", "default": true});
    add(books, "usergroups", None, &json(&group));
}

fn webshop(books: &mut Books, name: &str, is_chain: bool) {
    books.insert(
        "webshops",
        map([
            ("name", Value::from(name)),
            ("is_multishop_system", Value::Bool(is_chain)),
            ("is_salespos", Value::Bool(true)),
            ("api_root", Value::from("https://koffiehuis.ccvshop.nl")),
        ]),
    );
}

fn paymethod(books: &mut Books, psp: &str, method: &str, label: &str) {
    books.insert(
        "paymethods",
        map([
            ("psp", Value::from(psp)),
            ("method", Value::from(method)),
            ("combined_name", Value::from(format!("{psp}{method}"))),
            ("label", Value::from(label)),
            ("extra_costs", Value::Bool(false)),
            ("extra_costs_fixed", Value::Int(0)),
            ("extra_costs_percentage", Value::Int(0)),
        ]),
    );
}

/// Adds a record as the API would; 0 when the shop refuses it.
pub(super) fn add(books: &mut Books, name: &str, parent: Option<(&'static str, i64)>, body: &Map) -> i64 {
    table(name).map_or(0, |table| effects::create(books, table, parent, body).unwrap_or(0))
}

/// The key of a record by its place in the books; from the first on again after the last.
pub(super) fn nth(books: &Books, table: &str, number: i64) -> i64 {
    let count = i64::try_from(books.count(table)).unwrap_or(1).max(1);
    let place = usize::try_from(number.rem_euclid(count)).unwrap_or(0);
    books.rows(table).nth(place).and_then(|row| int(row, "id")).unwrap_or(0)
}

/// A customer or a guest.
pub(super) fn person(number: i64) -> serde_json::Value {
    let (first, last) = (at(&FIRST, number).unwrap_or_default(), at(&LAST, number).unwrap_or_default());
    let (zipcode, city) = at(&CITIES, number).unwrap_or_default();
    let is_company = number % 3 == 0;
    serde_json::json!({
        "email": format!("klant{number}@voorbeeld.example"),
        "customertype": if is_company { "b2b" } else { "b2c" },
        "btw": if is_company { format!("NL{number:09}B01") } else { String::new() },
        "kvk": "",
        "reference": format!("DEB-{number:05}"),
        "billingaddress": {
            "first_name": first,
            "last_name": last,
            "company": if is_company { format!("{last} Horeca B.V.") } else { String::new() },
            "street": at(&STREETS, number).unwrap_or_default(),
            "housenumber": 1 + number % 90,
            "housenumber_suffix": if number % 4 == 0 { "a" } else { "" },
            "zipcode": zipcode,
            "city": city,
            "country_code": "NL",
            "telephone": format!("030{number:07}"),
        },
    })
}

/// A product of the catalogue; numbers start at 100000.
pub(super) fn product(books: &Books, number: i64) -> serde_json::Value {
    let (name, cents) = at(&GOODS, number).unwrap_or_default();
    let kind = number / 10;
    serde_json::json!({
        "productnumber": (100_000 + number).to_string(),
        "eannumber": format!("87{:011}", 12_345_600 + number),
        "mpnnumber": format!("KN-{:04}", 400 + number),
        "name": if kind == 0 { name.to_owned() } else { format!("{name} nr. {kind}") },
        "shortdescription": format!("{name}, uit eigen branderij"),
        "price": cents,
        "discount": 0,
        "taxtariff": if number % 10 == 2 || number % 10 == 3 { "low a" } else { "normal" },
        "package_id": nth(books, "packages", 0),
        "active": true,
        "stockenabled": true,
        "stock": 5 + number * 7 % 60,
        "weight": 0.35,
        "brand": "Keramiek Noord",
    })
}

/// Adds a product of the catalogue.
pub(super) fn add_product(books: &mut Books, number: i64) -> i64 {
    let mut body = json(&product(books, number));
    let cents = body.get("price").and_then(Value::as_int).unwrap_or(0);
    body.set("price", Decimal::new(cents, 2));
    add(books, "products", None, &body)
}

/// A body of an order for some products.
pub(super) fn order(books: &Books, number: i64) -> Map {
    let row = |place: i64| serde_json::json!({"product_id": nth(books, "products", number * 3 + place), "count": 1 + (number + place) % 3});
    let rows: Vec<_> = (0..=number % 3).map(row).collect();
    json(&serde_json::json!({
        "orderrows": rows,
        "customer": person(number),
        "reservationnumber": if number % 5 == 0 { format!("KASSA-{number:06}") } else { String::new() },
        "paid": number % 2 == 0,
        "status": if number % 4 == 0 { 5 } else { 1 },
    }))
}

/// The sample in books of the standard kind: made once, copied from then on.
static SAMPLE: LazyLock<(Books, Books)> = LazyLock::new(|| {
    let new = Books::new(Options::default());
    let mut filled = new.clone();
    everything(&mut filled);
    (new, filled)
});

/// Fills the books with a believable sample, the same each time.
pub(super) fn shelves(books: &mut Books) {
    let (new, filled) = &*SAMPLE;
    if books.are_new(new) {
        *books = filled.clone();
    } else {
        everything(books);
    }
}

fn everything(books: &mut Books) {
    for number in 0..MANY {
        for (name, table) in [
            ("Doos", "packages"),
            ("Merk", "brands"),
            ("Leverancier", "suppliers"),
            ("Klantengroep", "usergroups"),
        ] {
            let member = if table == "usergroups" { "groupname" } else { "name" };
            let record = map([(member, Value::from(format!("{name} {number:02}")))]);
            if matches!(table, "brands" | "suppliers") {
                books.insert(table, record);
            } else {
                add(books, table, None, &record);
            }
        }
        let place = CITIES.get(usize::try_from(number).unwrap_or(0) % 5).map_or("", |(_, city)| city);
        webshop(books, &format!("Koffiehuis {place} {number:02}"), true);
        paymethod(books, "Psp", &format!("methode{number:02}"), &format!("Betaalwijze {number}"));
        let parent = (number >= 6).then(|| nth(books, "categories", number % 6));
        let category =
            serde_json::json!({"name": format!("Categorie {number:02}"), "parentcategory_id": parent});
        add(books, "categories", None, &json(&category));
    }
    at_hours(books, MANY + 12, |books, number| {
        add_product(books, number);
    });
    attributes(books);
    for number in 0..MANY + 2 {
        account(books, number);
    }
    below_products(books);
    at_hours(books, MANY + 12, |books, number| {
        let body = order(books, number);
        add(books, "orders", None, &body);
    });
    till(books);
    books.events.clear();
}

/// Lets something happen each hour until now.
pub(super) fn at_hours(books: &mut Books, times: i64, mut happen: impl FnMut(&mut Books, i64)) {
    let (clock, now) = (books.options.clock, books.options.now());
    for number in 0..times {
        let before = Duration::from_secs(u64::try_from(times - number).unwrap_or(0) * 3600);
        books.options.clock = now.checked_sub(before).ok();
        happen(books, number);
    }
    books.options.clock = clock;
}

fn account(books: &mut Books, number: i64) {
    let person = person(number);
    let group = nth(books, "usergroups", 0);
    add(
        books,
        "users",
        None,
        &json(&serde_json::json!({
            "username": person.get("email"),
            "password": "Wq7-tijdelijk-91x",
            "group_id": group,
            "status": true,
            "userinfo": person,
        })),
    );
}

/// Sizes and colours, other attributes, and products that vary by them.
fn attributes(books: &mut Books) {
    let mut menus = Vec::new();
    for (name, values) in [("Kleur", ["Blauw", "Rood"].as_slice()), ("Maat", &["S", "M", "L"])] {
        menus.extend(menu(books, name, values));
    }
    for number in 0..MANY {
        menu(books, &format!("Kenmerk {number:02}"), &["Ja"]);
    }
    for number in 0..8 {
        let product = add_product(books, 500 + number);
        for value in &menus {
            let body = serde_json::json!({"optionvalue": value, "price": 0, "stock": 4 + number});
            add(books, "productattributevalues", Some(("product_id", product)), &json(&body));
        }
        let variants: Vec<Map> =
            books.below("attributecombinations", "product_id", product).into_iter().cloned().collect();
        for (place, mut variant) in variants.into_iter().enumerate() {
            let sku = format!("{}-{place}", 100_500 + number);
            variant.set("sku_number", sku.as_str());
            variant.set("product_number", sku);
            variant.set(
                "ean_number",
                format!("87{:011}", 99_000_000 + number * 10 + i64::try_from(place).unwrap_or(0)),
            );
            books.replace("attributecombinations", variant);
        }
    }
}

/// An attribute with its values; their keys.
pub(super) fn menu(books: &mut Books, name: &str, values: &[&str]) -> Vec<i64> {
    let body = map([("name", Value::from(name)), ("type", Value::from("option_menu"))]);
    let attribute = add(books, "attributes", None, &body);
    let value = |value: &&str| {
        let body = map([("name", Value::from(*value)), ("default_price", Value::Int(0))]);
        add(books, "attributevalues", Some(("attribute_id", attribute)), &body)
    };
    values.iter().map(value).collect()
}

/// Memberships, photos, prices.
fn below_products(books: &mut Books) {
    let (group, user, category) =
        (nth(books, "usergroups", 1), nth(books, "users", 0), nth(books, "categories", 0));
    for number in 0..MANY {
        let product = nth(books, "products", number);
        let below = Some(("product_id", product));
        let of = |name: &str, owner: i64, other: &str, key: i64| {
            json(&serde_json::json!({(name): owner, (other): key, "discount": 1}))
        };
        let member = serde_json::json!({"product_id": product, "category_id": category, "position": number});
        add(books, "producttocategories", None, &json(&member));
        let photo = serde_json::json!({"file_type": "jpg", "source": "/9j/4A==", "alttext": "Voorkant", "is_mainphoto": true});
        add(books, "productphotos", below, &json(&photo));
        add(
            books,
            "producttaxtariffexceptions",
            below,
            &json(&serde_json::json!({"country": "DE", "taxtariff": "low a"})),
        );
        let staggered = serde_json::json!({"quantity": 10, "price": 8 + number, "discount": 0});
        let staggered = add(books, "productstaggeredprices", below, &json(&staggered));
        for (table, name, owner) in [
            ("usergroupproductadjustments", "usergroup_id", group),
            ("userproductadjustments", "user_id", user),
        ] {
            let price =
                serde_json::json!({(name): owner, "product_id": product, "price": 7 + number, "discount": 0});
            add(books, table, None, &json(&price));
        }
        for (table, name, owner) in [
            ("usergroupstaggeredpriceadjustments", "usergroup_id", group),
            ("userstaggeredpriceadjustments", "user_id", user),
        ] {
            let mut body = of(name, owner, "staggeredprice_id", staggered);
            body.set("price", 6 + number);
            add(books, table, None, &body);
        }
        let category = nth(books, "categories", number);
        add(books, "usergroupcategoryadjustments", None, &of("usergroup_id", group, "category_id", category));
        add(books, "usercategoryadjustments", None, &of("user_id", user, "category_id", category));
    }
}

/// What only the till has, and returns.
fn till(books: &mut Books) {
    at_hours(books, MANY, |books, number| {
        let now = books.now();
        let moment = || Value::from(now.as_str());
        let order =
            books.rows("orders").nth(usize::try_from(number).unwrap_or(0)).cloned().unwrap_or_default();
        books.insert(
            "returns",
            map([
                ("returnnumber", Value::Int(300 + number)),
                ("returnnumber_full", Value::from(format!("R-{}", 300 + number))),
                ("ordernumber_full", order.get("ordernumber_full").cloned().unwrap_or_default()),
                ("create_date", moment()),
                ("status", Value::from("new")),
            ]),
        );
        books.insert(
            "cashups",
            map([
                ("number_full", Value::from(format!("Z-{number:04}"))),
                ("create_date", moment()),
                ("start_period", moment()),
                ("end_period", moment()),
                ("status", Value::from("CLOSED")),
                (
                    "balances",
                    Value::List(vec![Value::Map(map([
                        ("method", Value::from("pin")),
                        ("total", Value::Int(250 + number)),
                    ]))]),
                ),
                (
                    "vat_totals",
                    Value::List(vec![Value::Map(map([
                        ("percentage", Value::Int(21)),
                        ("total", Value::Int(43)),
                    ]))]),
                ),
            ]),
        );
        books.insert(
            "fiscaltransactionsignatures",
            map([
                ("create_date", moment()),
                ("signature_identifier", Value::from(format!("SIG-{number}"))),
                ("type", Value::from("sale")),
                ("signature_data", Value::from("MEUCIQ==")),
            ]),
        );
    });
}

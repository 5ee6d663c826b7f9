//! A small believable shop on an island.

use rust_decimal::Decimal;

use super::super::keys::record;
use super::TillSimulator;
use super::books::{Books, text};
use crate::record::{Record, Value};

const BRANCHES: [&str; 25] = [
    "Den Burg",
    "De Koog",
    "Oudeschild",
    "De Cocksdorp",
    "Oosterend",
    "De Waal",
    "Den Hoorn",
    "Den Helder",
    "Schagen",
    "Alkmaar",
    "Hoorn",
    "Enkhuizen",
    "Medemblik",
    "Heerhugowaard",
    "Castricum",
    "Purmerend",
    "Edam",
    "Zaandam",
    "Haarlem",
    "Leiden",
    "Delft",
    "Gouda",
    "Utrecht",
    "Amersfoort",
    "Zwolle",
];
const GOODS: [&str; 10] = [
    "Regenjas",
    "Trui",
    "Muts",
    "Sjaal",
    "Laars",
    "Rugzak",
    "Verrekijker",
    "Paraplu",
    "Drinkfles",
    "Wandelstok",
];
const MODELS: [&str; 6] = ["Texel", "Duin", "Slufter", "Wad", "Vuurtoren", "Zeehond"];
const FIRST: [&str; 8] = ["Sanne", "Jan", "Marije", "Pieter", "Aafke", "Klaas", "Lotte", "Willem"];
const LAST: [&str; 7] = ["de Vries", "Bakker", "Eelman", "Kuip", "Dros", "Visser", "van der Werf"];
const STREETS: [&str; 5] = ["Dorpsstraat", "Weverstraat", "Zeeweg", "Parkstraat", "Kogerstraat"];

/// What every till has before anything is added.
pub(super) fn furnish(books: &mut Books) {
    books.add_branch(1, "Den Burg");
    for (method, name) in
        [("CONTANT", "Contant"), ("PIN", "Pin"), ("IDEAL", "iDEAL webshop"), ("BANK", "Op rekening")]
    {
        books.add_payment_method(method, name);
    }
    for (method, name) in [("AFHALEN", "Afhalen"), ("VERZENDEN", "Verzenden")] {
        books.add_delivery_method(method, name);
    }
    books.add_order_category(1, "Nieuw");
    for (number, name) in [(1, "Winkel"), (2, "Wederverkopers")] {
        books.add_price_group(number, name);
    }
    for (number, name) in [(10, "Kleding"), (12, "Buitensport"), (90, "Verzendkosten")] {
        books.add_turnover_group(number, name);
    }
    books.add_employee(999_999, "Super user");
}

/// The `nth` word of a list, round and round.
fn pick<'a>(words: &[&'a str], nth: usize) -> &'a str {
    words.get(nth % words.len().max(1)).copied().unwrap_or_default()
}

fn euros(cents: usize) -> Decimal {
    Decimal::new(i64::try_from(cents).unwrap_or(0), 2)
}

/// At least 25 of everything.
pub(super) fn fill(till: &TillSimulator) {
    {
        let mut books = till.books();
        for (number, name) in (2..).zip(BRANCHES.iter().skip(1)) {
            books.add_branch(number, name);
        }
        for number in 1_u32..=25 {
            let nth = usize::try_from(number).unwrap_or(0);
            books.add_payment_method(&format!("METHODE{number}"), &format!("Betaalwijze {number}"));
            books.add_delivery_method(&format!("ROUTE{number}"), &format!("Bezorgroute {number}"));
            books.add_order_category(number + 1, &format!("Status {number}"));
            books.add_price_group(number + 2, &format!("Klantgroep {number}"));
            books.add_turnover_group(number + 100, &format!("{} {number}", pick(&GOODS, nth)));
            books.add_employee(number.into(), &format!("{} {}", pick(&FIRST, nth), pick(&LAST, nth)));
            books.sales_price_lists.push(record([
                ("sales_price_number", number.to_string().into()),
                ("description", format!("Actie {number}").into()),
                ("start_date", "2026-11-01".into()),
                ("end_date", "2026-12-31".into()),
            ]));
        }
    }
    for nth in 0..26 {
        till.add_article_group(i64::from(nth > 12), &format!("{} {nth}", pick(&GOODS, nth)));
    }
    for nth in 0..30 {
        till.add_product(product(nth, 1001 + nth, 200_001 + nth * 10));
    }
    till.add_relations((0..30).map(relation));
    let articles = till.books().some_articles();
    for (article, free) in articles.iter().zip((3..40).cycle()) {
        till.count_stock(1, *article, Decimal::from(free));
    }
    let line = |nth: usize| {
        let article = articles.get(nth % articles.len().max(1)).copied().unwrap_or(0);
        Books::line(article, i64::try_from(nth % 3).unwrap_or(0) + 1, None)
    };
    for nth in 0..30 {
        till.sell(vec![line(nth), line(nth + 7)], "PIN");
        // The books refuse nothing of this; were it otherwise, the counts would show it.
        let _ = till.place_order(order(till, nth, &format!("W{}", 10_000 + nth)));
        let invoice = invoice(till, nth, &format!("F{}", 500 + nth));
        till.books().save_invoice(&record([("invoice", invoice.into())]));
    }
}

/// A product; every third one in three sizes.
fn product(nth: usize, number: usize, first_article: usize) -> Record {
    let name = format!("{} {}", pick(&GOODS, nth), pick(&MODELS, nth / 2));
    let sizes: &[&str] = if nth.is_multiple_of(3) { &["S", "M", "L"] } else { &[""] };
    let article = |(at, size): (usize, &&str)| {
        let mut article = record([
            ("article_number", (first_article + at).to_string().into()),
            ("ext_article_id", format!("TX-{first_article}-{at}").into()),
            ("plu_number", (first_article + at).to_string().into()),
            ("description", format!("{name} {size}").trim().to_owned().into()),
            ("barcode", format!("87{:011}", first_article + at).into()),
            ("brand_name", "Waddenwear".into()),
            ("turnover_group", "12".into()),
            ("vat_code", "1".into()),
            ("purchase_price", euros(900 + nth * 35).into()),
            ("price_incl", euros(1995 + nth * 50).into()),
            ("webshop", true.into()),
            ("stock_article", true.into()),
        ]);
        if !size.is_empty() {
            article.set("size", *size);
        }
        Value::Map(article)
    };
    let articles: Vec<Value> = sizes.iter().enumerate().map(article).collect();
    record([
        ("product_number", number.to_string().into()),
        ("description", name.clone().into()),
        ("group_numbers", vec![Value::from((nth % 26 + 1).to_string())].into()),
        ("articles", articles.into()),
    ])
}

fn relation(nth: usize) -> Record {
    let (first, last) = (pick(&FIRST, nth), pick(&LAST, nth));
    let mut relation = record([
        ("ext_relation_id", format!("K{}", 1000 + nth).into()),
        ("name", format!("{first} {last}").into()),
        ("address", format!("{} {}", pick(&STREETS, nth), nth + 1).into()),
        ("zipcode", format!("179{} AB", nth % 10).into()),
        ("city", pick(&BRANCHES, nth % 7).into()),
        ("country", "Nederland".into()),
        ("telephone", format!("0222-{:06}", 310_000 + nth).into()),
        ("email", format!("klant{nth}@example.com").into()),
    ]);
    if nth.is_multiple_of(4) {
        let firm = format!("{last} Handel B.V.");
        relation.set("contact", format!("{first} {last}"));
        relation.set("name", firm.as_str());
        relation.set("company_name", firm);
        relation.set("vat_number", format!("NL{:09}B01", 1000 + nth));
        relation.set("price_group_number", "2");
    }
    relation
}

fn order(till: &TillSimulator, nth: usize, number: &str) -> Record {
    let books = till.books();
    let articles = books.some_articles();
    let article = |at: usize| articles.get(at % articles.len().max(1)).copied().unwrap_or(0);
    record([
        ("ext_order_id", number.into()),
        ("relation_number", books.first_relation().into()),
        ("employee_number", "999999".into()),
        ("entry_branch_number", "1".into()),
        ("financial_branch_number", "1".into()),
        ("workplace_number", "1".into()),
        ("financial_date", "2026-11-20".into()),
        ("reference", format!("Web {number}").into()),
        ("delivery_method", "VERZENDEN".into()),
        (
            "delivery_address",
            record([
                ("name", format!("{} {}", pick(&FIRST, nth), pick(&LAST, nth)).into()),
                ("address", format!("{} {}", pick(&STREETS, nth), nth + 1).into()),
                ("zipcode", "1791 AB".into()),
                ("city", "Den Burg".into()),
                ("country", "Nederland".into()),
            ])
            .into(),
        ),
        (
            "lines",
            vec![
                Value::Map(Books::line(article(nth), 2, Some(euros(1995 + nth * 50)))),
                Value::Map(Books::line(article(nth + 5), 1, Some(euros(495)))),
            ]
            .into(),
        ),
    ])
}

fn invoice(till: &TillSimulator, nth: usize, number: &str) -> Record {
    let mut invoice = order(till, nth, number);
    for field in ["ext_order_id", "delivery_method"] {
        invoice.remove(field);
    }
    invoice.set("ext_invoice_id", number);
    invoice.set("due_date", "2026-12-20");
    invoice
}

/// A record that a create takes.
pub(super) fn record_of(till: &TillSimulator, resource: &str, number: usize) -> Option<Record> {
    Some(match resource {
        "products" => product(number * 3 + 1, 70_001 + number, 700_001 + number * 10),
        "articles" => {
            let product = product(1, 0, 800_001 + number);
            let article = product.get("articles")?.as_list()?.first()?.as_map()?;
            article.clone()
        }
        "article_groups" => record([
            ("name", format!("Groep {number}").into()),
            ("text", format!("Groep {number}").into()),
            ("sort_order", i64::try_from(number).ok()?.into()),
        ]),
        "article_group_products" => {
            let (group, product) = till.books().free_membership(number)?;
            record([
                ("group_number", group.to_string().into()),
                ("product_number", product.to_string().into()),
            ])
        }
        "relations" => {
            let mut relation = relation(number);
            relation.set("ext_relation_id", format!("S{number}"));
            relation.set("email", format!("nieuw{number}@example.com"));
            relation
        }
        "orders" => order(till, number, &format!("S{number}")),
        "order_payments" => {
            let order = text(till.books().open_order(number)?, "order_id").to_owned();
            record([
                ("order_id", order.into()),
                ("method", "PIN".into()),
                ("amount", euros(100 + number).into()),
                ("prepay", true.into()),
            ])
        }
        "invoices" => invoice(till, number, &format!("SF{number}")),
        "invoice_payments" => {
            let books = till.books();
            let open: Vec<&Record> =
                books.invoices.all.iter().filter(|invoice| text(invoice, "state") == "outstanding").collect();
            let invoice = text(open.get(number.checked_rem(open.len())?)?, "invoice_id").to_owned();
            record([("invoice_id", invoice.into()), ("method", "BANK".into()), ("amount", euros(1).into())])
        }
        _ => return None,
    })
}

/// Changes that an update takes.
pub(super) fn change(resource: &str, number: usize) -> Option<Record> {
    Some(match resource {
        "products" => record([("description", format!("Product {number}").into())]),
        "articles" => record([
            ("description", format!("Artikel {number}").into()),
            ("price_incl", euros(1000 + number).into()),
        ]),
        "article_groups" => record([("name", format!("Groep {number} nieuw").into())]),
        "stock" => record([("amount_free", Decimal::from(number + 1).into())]),
        "relations" => record([("city", format!("Stad {number}").into())]),
        "orders" => record([("reference", format!("Referentie {number}").into())]),
        _ => return None,
    })
}

//! A believable sample: a small Dutch company that sells coffee and what belongs to it.

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde_json::json;

use super::books::{Books, known};
use super::company::{add, coding, map, term};
use super::goods;
use super::rules::taken;
use super::sales;
use crate::record::{Map, Value};

/// Records of each kind.
pub(super) const EACH: i64 = 27;

const GOODS: &[(&str, i64, i64)] = &[
    ("Koffiebonen Brazilië 1 kg", 1595, 9),
    ("Koffiebonen Ethiopië 1 kg", 1895, 9),
    ("Koffiemok wit", 649, 21),
    ("Theeglas dubbelwandig", 895, 21),
    ("Melkkan 0,5 l", 1750, 21),
    ("Filterpapier nr. 4", 325, 21),
    ("Thee Earl Grey 100 g", 475, 9),
    ("Handmolen keramisch", 3995, 21),
    ("Espressokopje", 550, 21),
];

const PEOPLE: &[(&str, &str, &str)] = &[
    ("Sanne de Boer", "Utrecht", "3511 AB"),
    ("Jan van der Berg", "Den Burg", "1791 AB"),
    ("Fatima el Idrissi", "Rotterdam", "3011 WC"),
    ("Piet Jansen", "Groningen", "9711 LM"),
    ("Marieke Visser", "Zwolle", "8011 PK"),
];

/// Runs `work` as if it happened in the past: one hour after the other until now.
fn at_hours(books: &mut Books, count: i64, mut work: impl FnMut(&mut Books, i64)) {
    let now = Timestamp::now();
    for number in 0..count {
        let ago = SignedDuration::from_hours(count - number);
        books.clock = now.checked_sub(ago).ok();
        work(books, number);
    }
    books.clock = None;
}

/// Fills the books.
pub(super) fn shelves(books: &mut Books) {
    if !books.rows("orders").is_empty() {
        return;
    }
    books.settings.set("ProductVariant", 5);
    at_hours(books, EACH, |books, number| {
        term(books, &format!("Termijn {} dagen", 31 + number), 31 + number, 0);
        coding(books, &format!("Goederen 21 % groep {}", number + 1), false, 21, 8200 + number * 10);
        let name = format!("Eenheid {}", number + 1);
        add(
            books,
            "units",
            &json!({"Name": name, "Code": format!("E{number:02}"), "Abbreviation": format!("e{number}")}),
        );
        for path in ["articlelabels", "customerlabels"] {
            let word = if path == "articlelabels" { "Groep" } else { "Kring" };
            add(books, path, &json!({"Name": format!("{word} {}", number + 1), "Description": "Voorbeeld"}));
        }
        for (path, word, code) in
            [("deliverymethods", "Vervoerder", "V"), ("deliveryterms", "Voorwaarde", "W")]
        {
            add(
                books,
                path,
                &json!({"Name": format!("{word} {}", number + 1), "Code": format!("{code}{number:02}")}),
            );
        }
        let rate = [21, 9, 0].get(usize::try_from(number % 3).unwrap_or(0)).copied().unwrap_or(0);
        add(
            books,
            "vatcodes",
            &json!({"Code": format!("X{number:02}"), "Description": "Voorbeeld", "VatRate": rate}),
        );
        add(
            books,
            "bankaccounts",
            &json!({"Name": format!("Bank {}", number + 2), "BankAccountType": 1, "LedgerAccountNumber": 1120 + number, "IsActive": true, "Iban": "NL91ABNA0417164300"}),
        );
        add(
            books,
            "discountagreements",
            &json!({"Name": format!("Afspraak {}", number + 1), "Number": number + 1, "IsActive": true, "Notes": "Voorbeeld"}),
        );
        add(
            books,
            "salespricelists",
            &json!({"Name": format!("Prijslijst {}", number + 1), "Number": number + 1, "CurrencyCode": "EUR", "IsActive": true}),
        );
        let year =
            books.rows("fiscalyears").last().and_then(|year| year.get("Id").cloned()).unwrap_or_default();
        let row = json!({"Name": format!("Rekening {}", 8000 + number), "Number": (8000 + number).to_string(), "FiscalYearId": year.as_str(), "IsActive": true, "Type": 3, "TypeDescription": "Opbrengsten"});
        add(books, "accounts", &row);
    });
    at_hours(books, EACH, |books, number| {
        add_article(books, &sample_article(books, number));
        add_customer(books, &sample_customer(books, number));
    });
    at_hours(books, EACH, |books, number| {
        put_price(books, 0, number);
        for path in ["quotes", "orders", "customerinvoicedrafts", "customerinvoices"] {
            let body = sample_sale(books, path, number);
            add_sale(books, path, &body);
        }
    });
}

fn pick<T: Copy>(list: &[T], number: i64) -> Option<T> {
    let at = usize::try_from(number).unwrap_or(0) % list.len().max(1);
    list.get(at).copied()
}

/// The key of the record at a place of a table.
pub(super) fn key_at(books: &Books, path: &str, number: i64) -> String {
    let rows = books.rows(path);
    let at = usize::try_from(number).unwrap_or(0) % rows.len().max(1);
    rows.get(at).and_then(|row| row.text("Id")).unwrap_or_default().to_owned()
}

/// The coding of goods at that rate.
pub(super) fn coding_of(books: &Books, rate: Decimal) -> String {
    let fits = |row: &&Map| {
        row.get("VatRatePercent").and_then(Value::as_decimal) == Some(rate)
            && row.text("Type") == Some("Goods")
    };
    books
        .rows("articleaccountcodings")
        .iter()
        .find(fits)
        .and_then(|row| row.text("Id"))
        .unwrap_or_default()
        .to_owned()
}

fn sample_article(books: &Books, number: i64) -> serde_json::Value {
    let (name, cents, rate) = pick(GOODS, number).unwrap_or(("Artikel", 100, 21));
    json!({
        "Number": (100_001 + number).to_string(), "Name": format!("{name} {}", number / 9 + 1), "IsActive": number % 9 != 8,
        "CodingId": coding_of(books, rate.into()), "UnitId": key_at(books, "units", 0),
        "NetPrice": f64::from(i32::try_from(cents).unwrap_or(0)) / 100.0, "StockBalance": 10 + number,
        "Barcodes": [{"Barcode": format!("87123450{number:05}"), "BarcodeType": 0}],
        "ArticleLabels": [{"Id": key_at(books, "articlelabels", number % 4), "Name": format!("Groep {}", number % 4 + 1)}], "Note": "Voorbeeld",
    })
}

fn sample_customer(books: &Books, number: i64) -> serde_json::Value {
    let (name, city, code) = pick(PEOPLE, number).unwrap_or(("Jan", "Utrecht", "3511 AB"));
    let is_company = number % 3 == 0;
    let named =
        if is_company { format!("De Linde {} BV", number + 1) } else { format!("{name} {}", number + 1) };
    json!({
        "Name": named, "IsPrivatePerson": !is_company, "IsActive": true, "InvoiceAddress1": format!("Lindelaan {}", number + 1),
        "InvoicePostalCode": code, "InvoiceCity": city, "InvoiceCountryCode": "NL", "EmailAddress": format!("klant{}@example.nl", number + 1),
        "TermsOfPaymentId": key_at(books, "termsofpayments", 2), "Telephone": "030 123 45 67",
        "ContactPersonName": if is_company { Some(name) } else { None },
        "CorporateIdentityNumber": if is_company { Some(format!("{}", 30_000_000 + number)) } else { None },
        "VatNumber": if is_company { Some(format!("NL{:09}B01", 800_000_000 + number)) } else { None },
    })
}

/// A document of one of the sample's customers.
pub(super) fn sample_sale(books: &Books, path: &str, number: i64) -> serde_json::Value {
    let price = |at: i64| {
        let id = key_at(books, "articles", at);
        let net = books.row("articles", &id).and_then(|row| row.get("NetPrice").and_then(Value::as_decimal));
        (id, net.unwrap_or_default().to_string().parse::<f64>().unwrap_or(0.0))
    };
    let line = |at: i64, quantity: i64, place: i64| {
        let (id, price) = price(at);
        let mut line =
            json!({"ArticleId": id, "Quantity": quantity, "UnitPrice": price, "DiscountPercentage": 0});
        if let Some(line) = line.as_object_mut() {
            if path == "orders" {
                line.extend([
                    ("IsWorkCost".to_owned(), json!(false)),
                    ("EligibleForReverseChargeOnVat".to_owned(), json!(false)),
                ]);
            }
            if matches!(path, "orders" | "customerinvoicedrafts") {
                line.extend([
                    ("LineNumber".to_owned(), json!(place)),
                    ("IsTextRow".to_owned(), json!(false)),
                ]);
            }
            if path == "customerinvoicedrafts" {
                line.insert("ReversedConstructionServicesVatFree".to_owned(), json!(false));
            }
        }
        line
    };
    let mut body = json!({
        "CustomerId": key_at(books, "customers", number), "EuThirdParty": false, "RotReducedInvoicingType": 0,
        "BuyersOrderReference": format!("{}-{}", path.to_uppercase().chars().take(4).collect::<String>(), 2000 + number),
        "Rows": [line(number, 1 + number % 3, 1), line(number + 4, 2, 2)],
    });
    if let (Some(body), "orders") = (body.as_object_mut(), path) {
        body.extend([
            ("CurrencyCode".to_owned(), json!("EUR")),
            ("ReverseChargeOnConstructionServices".to_owned(), json!(false)),
            ("Status".to_owned(), json!(if number % 5 == 4 { 1 } else { 2 })),
        ]);
    }
    body
}

/// Adds an article; the reason when the service would refuse it.
pub(super) fn add_article(books: &mut Books, body: &serde_json::Value) -> Option<Map> {
    let body = map(body);
    let row = taken("ArticleApi", &body, &books.options.clone()).ok()?;
    let row = goods::article(books, &body, row, None).ok()?;
    Some(books.insert(known("articles")?, row))
}

pub(super) fn add_customer(books: &mut Books, body: &serde_json::Value) -> Option<Map> {
    let row = taken("CustomerApi", &map(body), &books.options.clone()).ok()?;
    let row = goods::customer(books, row, None).ok()?;
    Some(books.insert(known("customers")?, row))
}

pub(super) fn add_sale(books: &mut Books, path: &str, body: &serde_json::Value) -> Option<Map> {
    let kind = known(path)?;
    let row = taken(kind.entity, &map(body), &books.options.clone()).ok()?;
    let row = sales::document(books, kind, row, None).ok()?;
    if path == "customerinvoices" {
        return sales::book(books, kind, row, true).ok();
    }
    Some(books.insert(kind, row))
}

/// A price of an article in a list.
fn put_price(books: &mut Books, list: i64, article: i64) {
    let list = key_at(books, "salespricelists", list);
    let entry = map(&json!({"ArticleId": key_at(books, "articles", article), "NetPrice": 5 + article}));
    let row =
        books.row("salespricelists", &list).cloned().and_then(|list| goods::price(books, &list, &entry).ok());
    if let Some(mut row) = row {
        let now = books.now();
        row.set("ChangedUtc", now.to_string());
        books.tables.entry("prices").or_default().push(row);
    }
}

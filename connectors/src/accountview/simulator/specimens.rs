//! Records that may be written, and the books as people read them.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::books::{Company, KIND};
use crate::record::{Map, Record, Value};

fn amount(text: &str) -> Value {
    text.parse::<Decimal>().unwrap_or_default().into()
}

/// A record that a create takes.
pub(super) fn record_of(resource: &str, number: usize) -> Option<Record> {
    let number = i64::try_from(number).ok()?;
    Some(match resource {
        "debtors" => [
            ("name", Value::from(format!("Café De Kroon {number}"))),
            ("collective_account", "1210".into()),
            ("search_code", format!("KROON{number}").into()),
            ("address", format!("Markt {number}").into()),
            ("postcode", "3511 AB".into()),
            ("city", "Utrecht".into()),
            ("country", "NL".into()),
            ("email", format!("kroon{number}@voorbeeld.example").into()),
            ("phone", "0301234567".into()),
            ("discount_percentage", amount("2.5")),
            ("blocked_for_orders", false.into()),
        ]
        .into_iter()
        .collect(),
        "delivery_addresses" => [
            ("debtor_number", Value::from("10001")),
            ("name", format!("Loods {number}").into()),
            ("address", format!("Kade {number}").into()),
            ("postcode", "3542 AC".into()),
            ("city", "Utrecht".into()),
            ("country", "NL".into()),
        ]
        .into_iter()
        .collect(),
        "orders" => {
            let line =
                [("article_code", Value::from("100201")), ("quantity", 2.into()), ("price", amount("49.50"))];
            [
                ("reference", Value::from(format!("MP-{}", 90_000 + number))),
                ("invoice_debtor", "10001".into()),
                ("order_date", Date::constant(2026, 5, 3).to_string().into()),
                ("remark", "Kassa 1".into()),
                ("direct_invoice", (number % 2 == 1).into()),
                ("lines", vec![line.into_iter().collect::<Map>().into()].into()),
            ]
            .into_iter()
            .collect()
        }
        "journal_pages" => {
            let line = [
                ("account", Value::from("8000")),
                ("description", "Omzet hoog".into()),
                ("amount", amount("99.00")),
                ("vat_code", "4".into()),
                ("vat_amount", amount("20.79")),
            ];
            [
                ("journal", Value::from("710")),
                ("debtor_number", "10001".into()),
                ("invoice_number", format!("MP{}", 90_000 + number).into()),
                ("date", "2026-05-03".into()),
                ("description", format!("Kassa MP{}", 90_000 + number).into()),
                ("amounts_include_vat", false.into()),
                ("lines", vec![line.into_iter().collect::<Map>().into()].into()),
            ]
            .into_iter()
            .collect()
        }
        _ => return None,
    })
}

/// Changes that an update takes.
pub(super) fn change(resource: &str, number: usize) -> Option<Record> {
    let changes = [
        ("phone", Value::from(format!("06123456{number:02}"))),
        ("city", format!("Utrecht {number}").into()),
        ("credit_limit", i64::try_from(1000 + number).unwrap_or(1000).into()),
        ("blocked_for_orders", number.is_multiple_of(2).into()),
    ];
    (resource == "debtors").then(|| changes.into_iter().collect())
}

/// The books, a list for each kind of record.
pub(super) fn as_json(company: &Company) -> Map {
    let rows = |table: &str| -> Value {
        company.rows(table).iter().cloned().map(Value::from).collect::<Vec<_>>().into()
    };
    let some = |table: &str, kind: &str| -> Value {
        let rows =
            company.rows(table).iter().filter(|row| row.text(KIND).is_some_and(|kinds| kinds.contains(kind)));
        rows.cloned().map(Value::from).collect::<Vec<_>>().into()
    };
    [
        ("articles", rows("ARTICLE")),
        ("article_groups", rows("ART_GRP")),
        ("debtors", some("CONTACT", "D")),
        ("creditors", some("CONTACT", "C")),
        ("delivery_addresses", rows("DEL_ADDR")),
        ("orders", rows("SO_HDR")),
        ("order_lines", rows("SO_LINE")),
        ("journal_pages", rows("DJ_PAGE")),
        ("journal_lines", rows("DJ_LINE")),
        ("attachments", rows("USR_LINK")),
        ("price_list_lines", rows("ART_PX")),
        ("vat_codes", rows("VAT")),
        ("ledger_accounts", rows("LEDGER")),
        ("journals", rows("DAILY")),
    ]
    .into_iter()
    .collect()
}

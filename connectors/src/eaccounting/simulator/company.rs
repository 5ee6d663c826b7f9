//! The company itself: settings, VAT rates, terms, accounts; what every company has from its
//! first day.

use rust_decimal::Decimal;
use serde_json::json;

use super::books::{Books, KINDS, known};
use super::rules::taken;
use crate::eaccounting::members::entity;
use crate::record::{Map, Value, read_json};

/// A record from JSON.
pub(super) fn map(value: &serde_json::Value) -> Map {
    match read_json(&value.to_string().into()) {
        Ok(Value::Map(map)) => map,
        _ => Map::new(),
    }
}

/// Fills empty books with what a company cannot be without.
pub(super) fn found(books: &mut Books) {
    for kind in KINDS {
        books.tables.insert(kind.path, Vec::new());
    }
    books.settings = settings();
    let terms: [(&str, i64, i64); 6] = [
        ("Direct", 0, 2),
        ("7 dagen", 7, 0),
        ("14 dagen", 14, 0),
        ("30 dagen", 30, 0),
        ("Kaart", 0, 3),
        ("iDEAL", 0, 5),
    ];
    for (name, days, kind) in terms {
        term(books, name, days, kind);
    }
    for (name, code) in [("Stuk", "C62"), ("Kilogram", "KGM"), ("Uur", "HUR")] {
        add(
            books,
            "units",
            &json!({"Name": name, "Code": code, "Abbreviation": short(name), "AbbreviationEnglish": short(name)}),
        );
    }
    for (name, service, rate, account) in [
        ("Goederen 21 %", false, 21, 8000),
        ("Goederen 9 %", false, 9, 8010),
        ("Goederen 0 %", false, 0, 8020),
        ("Diensten 21 %", true, 21, 8100),
    ] {
        coding(books, name, service, rate, account);
    }
    for (code, description, rate) in
        [("1a", "Hoog tarief", 21), ("1b", "Laag tarief", 9), ("1e", "Nul tarief", 0)]
    {
        add(books, "vatcodes", &json!({"Code": code, "Description": description, "VatRate": rate}));
    }
    let year = jiff::Zoned::now().year();
    for year in [year - 1, year] {
        let row = json!({"StartDate": format!("{year}-01-01"), "EndDate": format!("{year}-12-31")});
        add(books, "fiscalyears", &row);
    }
    for (name, ledger) in [("Bank", 1100), ("Kas", 1000), ("Mollie", 1110)] {
        let row =
            json!({"Name": name, "BankAccountType": 1, "LedgerAccountNumber": ledger, "IsActive": true});
        let mut row = add(books, "bankaccounts", &row);
        row.set("CurrencyCode", "EUR");
        if let Some(kind) = known("bankaccounts") {
            books.replace(kind, row);
        }
    }
    for code in ["EUR", "SEK", "NOK", "USD", "GBP"] {
        add(books, "currencies", &json!({"Code": code}));
    }
    for (code, name, eu) in [
        ("NL", "Nederland", true),
        ("BE", "België", true),
        ("DE", "Duitsland", true),
        ("NO", "Noorwegen", false),
        ("GB", "Verenigd Koninkrijk", false),
    ] {
        add(books, "countries", &json!({"Code": code, "Name": name, "NameEnglish": name, "IsEuMember": eu}));
    }
}

fn short(name: &str) -> String {
    name.chars().take(2).collect::<String>().to_lowercase()
}

/// Adds a record whose members the service writes by itself.
pub(super) fn add(books: &mut Books, path: &str, value: &serde_json::Value) -> Map {
    let Some(kind) = known(path) else { return Map::new() };
    let body = map(value);
    let mut row = taken(kind.entity, &body, &books.options.clone()).unwrap_or_default();
    // Members that are read-only for others.
    let members = entity(kind.entity);
    for (name, value) in
        body.iter().filter(|(name, _)| members.is_some_and(|known| known.member(name).is_some()))
    {
        if row.get(name).is_none_or(|old| old.is_null() || *old == Value::Int(0) || *old == Value::from("")) {
            row.set(name.clone(), value.clone());
        }
    }
    books.insert(kind, row)
}

pub(super) fn term(books: &mut Books, name: &str, days: i64, kind: i64) {
    add(
        books,
        "termsofpayments",
        &json!({"Name": name, "NameEnglish": name, "NumberOfDays": days, "TermsOfPaymentTypeId": kind,
                "AvailableForSales": true, "AvailableForPurchase": true}),
    );
}

pub(super) fn coding(books: &mut Books, name: &str, service: bool, rate: i64, account: i64) {
    add(
        books,
        "articleaccountcodings",
        &json!({"Name": name, "NameEnglish": name, "Type": if service { "Service" } else { "Goods" },
                "VatRate": format!("VAT{rate}"), "IsActive": true, "VatRatePercent": rate,
                "DomesticSalesSubjectToVatAccountNumber": account,
                "ForeignSalesSubjectToVatWithinEuAccountNumber": account + 1,
                "ForeignSalesVatExemptWithinEuAccountNumber": account + 2,
                "ForeignSalesVatExemptOutsideEuAccountNumber": account + 3}),
    );
}

fn settings() -> Map {
    let mut settings = Map::new();
    if let Some(known) = entity("CompanySettingsApi") {
        // As any other record, with what only the service writes.
        let body = map(
            &json!({"Name": "Koffiehuis", "Address1": "Lindelaan 1", "CountryCode": "NL", "PostalCode": "3511 AB", "City": "Utrecht"}),
        );
        settings = taken("CompanySettingsApi", &body, &super::Options::default()).unwrap_or_default();
        let own = map(&json!({
            "CurrencyCode": "EUR", "ProductVariant": 1, "ActivatedModules": ["api_standard", "order", "webshop"],
            "NextCustomerNumber": 1001, "NextSupplierNumber": 1, "NextCustomerInvoiceNumber": 1, "NextQuoteNumber": 1,
            "NextOrderNumber": 1, "NextArticleNumber": 1, "CompanyStatus": 1, "CompanyIdentifier": "koffiehuis",
        }));
        for (name, value) in own.iter().filter(|(name, _)| known.member(name).is_some()) {
            settings.set(name.clone(), value.clone());
        }
    }
    settings
}

/// Whether a country is in the European Union.
pub(super) fn is_eu(country: &str) -> bool {
    const EU: &[&str] = &[
        "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT",
        "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
    ];
    EU.contains(&country)
}

/// Two decimals, a half away from zero.
pub(super) fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
}

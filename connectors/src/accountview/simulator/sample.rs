//! A small believable company: a wholesaler of rain clothes, with its customers and orders.

use jiff::civil::DateTime;
use rust_decimal::Decimal;

use super::books::{Company, HEADER, KIND};
use crate::record::{Map, Value};

/// Records of each kind.
const MANY: i64 = 30;

fn row<const N: usize>(columns: [(&'static str, Value); N]) -> Map {
    columns.into_iter().collect()
}

fn amount(text: &str) -> Value {
    text.parse::<Decimal>().unwrap_or_default().into()
}

fn cents(number: i64) -> Value {
    Decimal::new(number, 2).into()
}

/// Ledger, VAT codes and journals.
pub(super) fn set_up(company: &mut Company) {
    company.at = Some(moment(0));
    let ledger = [
        ("1210", "Debiteuren", false, ""),
        ("1500", "Af te dragen BTW", false, ""),
        ("8000", "Omzet hoog", true, "4"),
        ("8010", "Omzet laag", true, "2"),
        ("8020", "Omzet nul", true, "0"),
        ("8100", "Omzet België", true, "4"),
        ("8500", "Verzendkosten", true, "4"),
        ("8600", "Kortingen", true, "4"),
    ];
    for (number, name, sells, vat) in ledger {
        let kind = if sells { 3 } else { 1 };
        let columns = [
            ("ACCT_NR", number.into()),
            ("ACCT_NAME", name.into()),
            ("ACCT_TYPE", kind.into()),
            ("STAT_SELL", sells.into()),
            ("VAT_CODE", vat.into()),
        ];
        company.insert("LEDGER", row(columns));
    }
    for (code, name, rate, reverse) in [
        ("0", "BTW nul", "0", false),
        ("2", "BTW laag 9%", "9", false),
        ("4", "BTW hoog 21%", "21", false),
        ("7", "BTW verlegd EU", "0", true),
        ("B4", "BTW België 21%", "21", false),
    ] {
        let columns = [
            ("VAT_CODE", code.into()),
            ("VAT_NAME", name.into()),
            ("VAT_PCT", amount(rate)),
            ("VAT_TYPE", 1.into()),
            ("VAT_ACCT", "1500".into()),
            ("IS_REVERSE", reverse.into()),
        ];
        company.insert("VAT", row(columns));
    }
    for (code, name, kind, automatic) in
        [("700", "Verkoopboek", 1, true), ("710", "Kassaboek", 1, false), ("100", "Bank", 4, false)]
    {
        let columns = [
            ("DJ_CODE", code.into()),
            ("DJ_NAME", name.into()),
            ("DJ_TYPE", kind.into()),
            ("NUM_AUTO", automatic.into()),
        ];
        company.insert("DAILY", row(columns));
    }
    company.at = None;
}

/// Days and hours of an ordinary spring.
fn moment(number: i64) -> DateTime {
    let day = i8::try_from(1 + number % 28).unwrap_or(1);
    let month = i8::try_from(3 + (number / 28) % 3).unwrap_or(3);
    let hour = i8::try_from(8 + number % 10).unwrap_or(8);
    DateTime::constant(2026, 3, 1, 8, 0, 0, 0)
        .with()
        .month(month)
        .day(day)
        .hour(hour)
        .build()
        .unwrap_or_default()
}

fn day(number: i64) -> String {
    format!("{}T00:00:00", moment(number).date())
}

/// The sample. The second company has other, fewer records.
pub(super) fn fill(company: &mut Company, at: usize) {
    if at > 0 {
        company.at = Some(moment(1));
        let columns = [
            ("ART_CODE", Value::from("777001")),
            ("ART_DESC1", "Van een ander".into()),
            ("PX_SELL", amount("7")),
        ];
        company.insert("ARTICLE", row(columns));
        company.at = None;
        return;
    }
    set_up_more(company);
    for number in 0..MANY {
        company.at = Some(moment(number));
        group(company, number);
        article(company, number);
        relation(company, number);
    }
    for number in 0..MANY {
        company.at = Some(moment(number));
        address(company, number);
        order(company, number);
        page(company, number);
        price(company, number);
    }
    company.at = None;
}

/// So many that reading them takes more than one page.
fn set_up_more(company: &mut Company) {
    company.at = Some(moment(0));
    for number in 0..MANY {
        let columns = [
            ("ACCT_NR", Value::from((4000 + number).to_string())),
            ("ACCT_NAME", format!("Kosten {number}").into()),
            ("ACCT_TYPE", 2.into()),
            ("STAT_SELL", false.into()),
        ];
        company.insert("LEDGER", row(columns));
        let columns = [
            (
                "VAT_CODE",
                Value::from(format!("X{}", char::from(b'A' + u8::try_from(number % 26).unwrap_or(0)))),
            ),
            ("VAT_NAME", format!("BTW bijzonder {number}").into()),
            ("VAT_PCT", amount("0")),
        ];
        if number < 26 {
            company.insert("VAT", row(columns));
        }
        let columns = [
            ("DJ_CODE", Value::from((720 + number).to_string())),
            ("DJ_NAME", format!("Dagboek {number}").into()),
            ("DJ_TYPE", 3.into()),
            ("NUM_AUTO", false.into()),
        ];
        company.insert("DAILY", row(columns));
    }
}

fn group(company: &mut Company, number: i64) {
    let name = ["Jassen", "Broeken", "Laarzen"]
        .get(usize::try_from(number).unwrap_or(9))
        .map_or_else(|| format!("Groep {number}"), |name| (*name).to_owned());
    let code = ["JAS", "BROEK", "LAARS"]
        .get(usize::try_from(number).unwrap_or(9))
        .map_or_else(|| format!("GRP{number:02}"), |code| (*code).to_owned());
    company.insert("ART_GRP", row([("AG_CODE", code.into()), ("AG_DESC", name.into())]));
}

fn article(company: &mut Company, number: i64) {
    let code = 100_200 + number;
    let physical = 10 + number;
    let sized = number % 5 < 3;
    let mut columns = row([
        ("ART_CODE", code.to_string().into()),
        ("ART_DESC1", format!("Regenjas Texel {number}").into()),
        (
            "AG_CODE",
            ["JAS", "BROEK", "LAARS"]
                .get(usize::try_from(number % 3).unwrap_or(0))
                .copied()
                .unwrap_or("JAS")
                .into(),
        ),
        ("PX_SELL", cents(1995 + 250 * number)),
        ("COST_PX", cents(900 + 100 * number)),
        ("L_COSTPX", cents(905 + 100 * number)),
        ("B_COSTPX", cents(890 + 100 * number)),
        ("QTY_TECH", physical.into()),
        ("QTY_AVAIL", (physical - number % 4).into()),
        ("QTY_FREE2", (physical - number % 4).into()),
        ("QTY_BESTEL", (number % 6).into()),
        ("EAN_CODE", format!("87100000{code}").into()),
        ("VAT_CODE", if number % 7 == 0 { "2" } else { "4" }.into()),
        ("STK_ART", (number % 9 != 8).into()),
        ("REC_BLK", (number == 11).into()),
        ("K1_ORIGIN", "Portugal".into()),
    ]);
    if number < 15 && sized {
        columns.set("K1_PROD", (code - number % 5).to_string());
        columns.set("K1_COLOUR", "Blauw");
        columns.set(
            "K1_SIZE",
            ["S", "M", "L"].get(usize::try_from(number % 5).unwrap_or(0)).copied().unwrap_or("S"),
        );
    }
    if number % 4 == 0 {
        columns.set("K1_DAYS", 2 + number % 3);
    }
    company.insert("ARTICLE", columns);
}

fn relation(company: &mut Company, number: i64) {
    let firm = number % 3 != 2;
    let supplier = number % 10 == 9;
    let name = if firm { format!("Bakkerij Jansen {number} BV") } else { format!("Sanne de Boer {number}") };
    let mut columns = contact(10_001 + number, &name, &format!("klant{number}@voorbeeld.example"));
    columns.set(KIND, if supplier { "DC" } else { "D" });
    if firm {
        columns.set("VAT_NR", format!("NL0012345{number:02}B01"));
        columns.set("COC_CODE", format!("301234{number:02}"));
        columns.set("MAIN_CONT", format!("Jan Jansen {number}"));
        columns.set("MC_MAILB", format!("jan{number}@voorbeeld.example"));
        columns.set("APX_LIST", if number % 2 == 0 { "HOR" } else { "" });
        columns.set("RPL_GRP", "HORECA");
        columns.set("DISC_PCT", amount(if number % 4 == 0 { "2.5" } else { "0" }));
    }
    company.insert("CONTACT", columns);
    let mut columns =
        contact(20_001 + number, &format!("Leverancier {number}"), &format!("verkoop{number}@lever.example"));
    columns.set(KIND, "C");
    company.insert("CONTACT", columns);
}

fn contact(number: i64, name: &str, email: &str) -> Map {
    row([
        ("SUB_NR", number.to_string().into()),
        ("ACCT_NR", "1210".into()),
        ("ACCT_NAME", name.into()),
        ("SRC_CODE", format!("ZOEK{number}").into()),
        ("ADDRESS1", format!("Dorpsstraat {}", number % 100).into()),
        ("POST_CODE", format!("{} AB", 3500 + number % 100).into()),
        ("CITY", "Utrecht".into()),
        ("BOX_CITY", "Utrecht".into()),
        ("CNT_CODE", if number % 8 == 0 { "BE" } else { "NL" }.into()),
        ("MAIL_BUS", email.into()),
        ("TEL_BUS", format!("03012345{:02}", number % 100).into()),
        ("VAT_CODE", "4".into()),
        ("DISC_CODE", "14".into()),
        ("CUR_CODE", "EUR".into()),
        ("CRED_LIM", 5000.into()),
    ])
}

fn address(company: &mut Company, number: i64) {
    let columns = [
        ("SUB_NR", Value::from((10_001 + number).to_string())),
        ("DEL_NAME", format!("Magazijn {number}").into()),
        ("ADDRESS1", format!("Havenweg {number}").into()),
        ("POST_CODE", "3542 AC".into()),
        ("CITY", "Utrecht".into()),
        ("CNT_CODE", "NL".into()),
    ];
    company.insert("DEL_ADDR", row(columns));
}

fn order(company: &mut Company, number: i64) {
    let debtor = Value::from((10_001 + number).to_string());
    let columns = [
        ("SO_NR", Value::from(company.number("SO_NR", 2_400_001).to_string())),
        ("RPL_INV", debtor.clone()),
        ("RPL_DEL", debtor),
        ("ORD_DATE", day(number).into()),
        ("COMMENT1", format!("WEB-{}", 1000 + number).into()),
        ("AIS_SOC", (number % 2 == 0).into()),
        ("PD_AMT", cents(if number % 5 == 0 { 250 } else { 0 })),
    ];
    let header = company.insert("SO_HDR", row(columns));
    for line in 0..=number % 3 {
        let columns = [
            (HEADER, header.get("EXT_KEY").cloned().unwrap_or_default()),
            ("ART_CODE", (100_200 + (number + line) % MANY).to_string().into()),
            ("ORD_QTY", (1 + line).into()),
            ("ART_PX", cents(1995 + 250 * line)),
        ];
        company.insert("SO_LINE", row(columns));
    }
}

fn page(company: &mut Company, number: i64) {
    let columns = [
        ("PAGE_NR", Value::from((number + 1).to_string())),
        ("DJ_CODE", "710".into()),
        ("SUB_NR", (10_001 + number).to_string().into()),
        ("INV_NR", format!("KAS{}", 5000 + number).into()),
        ("TRN_DATE", day(number).into()),
        ("PERIOD", (3 + number / 28).into()),
        ("HDR_DESC", format!("Kassa KAS{}", 5000 + number).into()),
    ];
    let header = company.insert("DJ_PAGE", row(columns));
    let columns = [
        (HEADER, header.get("EXT_KEY").cloned().unwrap_or_default()),
        ("ACCT_NR", "8000".into()),
        ("TRN_DESC", "Omzet hoog".into()),
        ("AMOUNT", cents(9900)),
        ("VAT_CODE", "4".into()),
        ("VAT_AMT", cents(2079)),
    ];
    company.insert("DJ_LINE", row(columns));
}

fn price(company: &mut Company, number: i64) {
    let tier = 1 + 9 * (number % 2);
    let columns = [
        ("APX_LIST", Value::from("HOR")),
        ("ART_CODE", (100_200 + number / 2).to_string().into()),
        ("QTY_FROM", tier.into()),
        ("ART_PX", cents(1795 + 200 * (number / 2) - 100 * (number % 2))),
        ("BEG_DATE", if number % 6 == 0 { "2026-01-01T00:00:00" } else { "" }.into()),
    ];
    company.insert("ART_PX", row(columns));
}

//! Quotes, orders, drafts, invoices: prices, stages, booking.

use super::*;
use crate::contract::Advice;

fn sale(customer: &str) -> Json {
    json!({"customer_id": customer, "buyers_order_reference": "WEB-1", "lines": [
        {"article_number": "100045", "quantity": 2, "price_excl": 10, "price_incl": 12.10, "discount_percentage": 5},
        {"text": "Bedankt"},
    ]})
}

#[tokio::test]
async fn prices_stand_on_the_footing_of_the_customer() {
    let bench = Bench::new(Options::default()).await;
    bench.article("100045", 1000);
    let (person, firm) = (bench.customer("Anna", true), bench.customer("Firma", false));
    let price =
        |key: &str| bench.company.by("orders", "Id", key).unwrap()["Rows"][0]["UnitPrice"].as_f64().unwrap();
    let order = bench.create("orders", &sale(&person)).await.unwrap();
    assert!((price(&order.key) - 10.0).abs() < 0.001);
    assert_eq!(order.record.get("total_incl").unwrap().as_decimal(), Some(Decimal::new(2299, 2)));

    bench.company.set("ShowPricesExclVatPC", &json!(true));
    let again = Bench::with(bench.company.clone(), bench.company.token().unwrap(), &[]).await;
    for (customer, expected) in [(&person, 12.10), (&firm, 10.0)] {
        let order = again.create("orders", &sale(customer)).await.unwrap();
        assert!((price(&order.key) - expected).abs() < 0.001, "{expected}");
        assert_eq!(order.record.get("total_incl").unwrap().as_decimal(), Some(Decimal::new(2299, 2)));
    }
    let mut bare = sale(&person);
    bare["lines"][0].as_object_mut().unwrap().remove("price_incl");
    let error = again.create("orders", &bare).await.unwrap_err();
    assert_eq!(error.advice, Advice::SkipRecord);
    assert!(error.reason.contains("`lines[0]` has no `price_incl`"), "{error}");
}

#[tokio::test]
async fn an_article_that_is_not_there_is_named() {
    let bench = Bench::new(Options::default()).await;
    let customer = bench.customer("Anna", true);
    let error = bench.create("orders", &sale(&customer)).await.unwrap_err();
    assert_eq!(error.reason, "`lines`: there is no article 100045");
    bench.article("100045", 1000);
    let mut empty = sale(&customer);
    empty["lines"][1] = json!({"quantity": 1});
    let error = bench.create("orders", &empty).await.unwrap_err();
    assert_eq!(error.reason, "`lines[1]` has neither an article nor a text");
    let mut fine = sale(&customer);
    fine["lines"][0]["price_excl"] = json!(10.005);
    let error = bench.create("orders", &fine).await.unwrap_err();
    assert!(error.reason.contains("`lines[0].unit_price`: UnitPrice allows 2 decimals"), "{error}");
}

#[tokio::test]
async fn an_order_goes_from_stage_to_stage_and_draws_the_stock() {
    let bench = Bench::new(Options::default()).await;
    bench.article("100045", 1000);
    let customer = bench.customer("Anna", true);
    let order = bench.create("orders", &sale(&customer)).await.unwrap().key;
    let stock = async || {
        let found = bench.find("stock", "number", "100045").await.remove(0);
        ["balance", "reserved", "available"].map(|name| found.get(name).unwrap().to_string())
    };
    assert_eq!(stock().await, ["10", "2", "8"]);
    let status = async |wanted: &str| bench.update("orders", &order, &json!({"status": wanted})).await;
    assert_eq!(status("shipped").await.unwrap().record.text("status"), Some("shipped"));
    assert_eq!(stock().await, ["8", "0", "8"]);
    status("shipped").await.unwrap();
    assert_eq!(status("ongoing").await.unwrap().record.text("status"), Some("ongoing"));
    assert_eq!(stock().await, ["10", "2", "8"]);
    let whole = json!({"status": "invoiced", "your_reference": "Anna Ek"});
    let done = bench.update("orders", &order, &whole).await.unwrap();
    assert_eq!(
        (done.record.text("status"), done.record.text("your_reference")),
        (Some("invoiced"), Some("Anna Ek"))
    );
    assert_eq!(bench.company.rows("customerinvoices").len(), 1);
    let error = status("draft").await.unwrap_err();
    assert_eq!(error.reason, "`status`: what is invoiced cannot become draft");
}

#[tokio::test]
async fn a_quote_becomes_an_order() {
    let bench = Bench::new(Options::default()).await;
    bench.article("100045", 1000);
    let customer = bench.customer("Anna", true);
    let terms = bench.company.rows("termsofpayments")[3]["Id"].clone();
    let mut quote = sale(&customer);
    quote["terms_of_payment_id"] = terms.clone();
    let quote = bench.create("quotes", &quote).await.unwrap();
    assert_eq!(quote.record.text("terms_of_payment_id"), terms.as_str());
    let approved = bench.update("quotes", &quote.key, &json!({"status": "approved"})).await.unwrap();
    assert_eq!(approved.record.text("status"), Some("approved"));
    bench.update("quotes", &quote.key, &json!({"status": "order_created"})).await.unwrap();
    let order = bench.company.rows("orders").remove(0);
    assert_eq!(
        (&order["CreatedFromQuoteId"], &order["BuyersOrderReference"]),
        (&json!(quote.key), &json!("WEB-1"))
    );
}

#[tokio::test]
async fn a_draft_is_booked_only_at_the_total_that_is_meant() {
    let bench = Bench::new(Options::default()).await;
    bench.article("100045", 1000);
    let customer = bench.customer("Anna", true);
    let draft = bench.create("invoice_drafts", &sale(&customer)).await.unwrap().key;
    let book =
        |total: f64| json!({"customer_id": customer, "created_from_draft_id": draft, "total_incl": total});
    let error = bench.create("invoices", &book(22.98)).await.unwrap_err();
    assert_eq!(error.advice, Advice::SkipRecord);
    assert_eq!(
        (bench.company.rows("customerinvoicedrafts").len(), bench.company.rows("customerinvoices").len()),
        (1, 0)
    );
    let invoice = bench.create("invoices", &book(22.99)).await.unwrap();
    assert_eq!(
        (bench.company.rows("customerinvoicedrafts").len(), bench.company.rows("customerinvoices").len()),
        (0, 1)
    );
    assert_eq!(
        (invoice.record.text("number"), invoice.record.text("payment_status")),
        (Some("1"), Some("unpaid"))
    );
    assert_eq!(bench.find("invoices", "buyers_order_reference", "WEB-1").await.len(), 1);

    let bank = bench.company.rows("bankaccounts")[0]["Id"].clone();
    let pay = |amount: f64, day: &str| json!({"invoice_id": invoice.key, "bank_account_id": bank, "amount": amount, "currency_code": "EUR", "payment_date": day});
    let today = jiff::Zoned::now().date();
    let error = bench.create("invoice_payments", &pay(22.99, "2099-01-01")).await.unwrap_err();
    assert!(error.help.unwrap().contains("not in the future"));
    assert!(bench.create("invoice_payments", &pay(23.0, &today.to_string())).await.is_err());
    bench.create("invoice_payments", &pay(22.99, &today.to_string())).await.unwrap();
    let paid = bench.find("invoices", "number", "1").await.remove(0);
    assert_eq!(paid.text("payment_status"), Some("paid"));
}

#[tokio::test]
async fn nothing_is_booked_on_days_that_are_closed() {
    let bench = Bench::new(Options::default()).await;
    bench.article("100045", 1000);
    let customer = bench.customer("Anna", true);
    bench.company.set("AccountingLockedTo", &json!("2098-12-31T00:00:00Z"));
    let mut invoice = sale(&customer);
    let error = bench.create("invoices", &invoice).await.unwrap_err();
    assert!(error.reason.contains("has closed this period"), "{error}");
    for day in ["2099-01-01", "2001-01-01"] {
        invoice["invoice_date"] = json!(day);
        assert_eq!(bench.create("invoices", &invoice).await.unwrap_err().advice, Advice::SkipRecord);
    }
    assert!(bench.company.rows("customerinvoices").is_empty());
}

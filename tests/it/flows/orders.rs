//! Orders of the shop in the till: what is sent, what is refused and why, to the cent.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::pair::Pair;

const ANSWERS: &str = r#"
[settings]
start_date = "2026-01-01"
shipping_article = "900"
costs_article = "901"
discount_article = "902"
deposit_article = "903"
anonymous_debtor = "1"
"#;

/// An order of a company with two mugs at 19.95 less 2.00, a bag of beans by weight, and 4.95
/// for shipping: 35.90 + 6.86 + 4.95 = 47.71.
fn order() -> Value {
    json!({
        "id": "501", "number": "2026-1187", "created_at": "2026-03-13T19:04:11Z", "status": "new",
        "is_completed": true, "is_paid": true, "transaction_id": "tr_8Gk2mQ", "shipping_method": "shipping",
        "lines_include_vat": true, "totals_include_vat": true, "shipping_includes_vat": true,
        "is_intra_community": false, "total_incl": 47.71, "total_excl": 40.05, "shipping_cost_incl": 4.95,
        "shipping_cost_excl": 4.09, "shipping_vat_rate": 21, "payment_cost": 0, "extra_cost": 0,
        "payment": {"method": "BankTransfer", "label": "Vooraf overmaken"}, "customer_id": "24464274",
        "customer": {"email": "Inkoop@DeLinde.example", "type": "b2b", "company": "Bakkerij De Linde",
            "full_name": "Sanne de Boer", "vat_number": "NL001234567B01", "registration_number": "12345678",
            "phone": "0301234567"},
        "billing": {"street": "Lindelaan", "number": "14", "suffix": "a", "postcode": "3511 AB",
            "city": "Utrecht", "country": "NL"},
        "shipping": {"full_name": "Magazijn De Linde", "company": "Bakkerij De Linde", "street": "Havenweg",
            "number": "2", "postcode": "3542 AC", "city": "Utrecht", "country": "NL"},
        "lines": [
            {"position": 1, "kind": "product", "sku": "100045", "description": "Koffiemok", "quantity": 2,
                "options": "Kleur=Blauw", "total_incl": 35.90, "total_excl": 29.67, "vat_rate": 21},
            {"position": 2, "kind": "product", "sku": "100050", "description": "Koffiebonen", "quantity": 0.53,
                "total_incl": 6.86, "total_excl": 6.29, "vat_rate": 9},
            {"position": 3, "kind": "product", "sku": "100051", "description": "Vervallen", "quantity": 0,
                "total_incl": 0, "total_excl": 0, "vat_rate": 21},
        ],
    })
}

/// The order with some of its fields changed.
fn with(changes: &Value) -> Value {
    let mut order = order();
    for (name, value) in changes.as_object().unwrap() {
        order[name] = value.clone();
    }
    order
}

async fn pair(answers: &str) -> Pair {
    let pair = Pair::new("orders", &format!("{ANSWERS}{answers}")).await;
    for number in ["100045", "100050", "900", "901", "902", "903"] {
        pair.till.put("articles", &json!({"article_number": number}).to_string());
    }
    pair
}

/// Runs one order, which must arrive; gives what was created in a book of the till.
async fn arrives(pair: &Pair, order: &Value, book: &str) -> Value {
    pair.shop.put("orders", &order.to_string());
    assert_eq!(pair.run().await, ("1 created".to_owned(), vec![]));
    let booked = pair.till.book(book);
    assert_eq!(booked.len(), 1, "{booked:?}");
    serde_json::from_str(&booked[0]).unwrap()
}

/// Runs one order, which must be refused; gives the reason.
async fn refused(pair: &Pair, order: &Value) -> String {
    pair.shop.put("orders", &order.to_string());
    let (counts, refused) = pair.run().await;
    assert_eq!((counts.as_str(), refused.len()), ("1 failed", 1), "{refused:?}");
    assert_eq!(pair.till.writes(), Vec::<String>::new());
    // Where it stands in the flow is told as well; that is not what these tests are about.
    match refused[0].split_once(" (flows/") {
        Some((reason, place)) => format!("{reason}{}", place.split_once(')').unwrap().1),
        None => refused[0].clone(),
    }
}

/// What the lines add up to.
fn total(order: &Value, price: &str) -> Decimal {
    let number = |value: &Value| value.to_string().parse::<Decimal>().unwrap();
    order["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            (number(&line["quantity"]) * number(&line[price]))
                .round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
        })
        .sum()
}

fn euros(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

// shows R1, R3, R5, R7, R10, R37, R43, R51, R52, R53, R56
#[tokio::test]
async fn an_order_of_a_company_arrives_with_all_that_belongs_to_it() {
    let pair = pair("").await;
    let booked = arrives(&pair, &order(), "orders").await;
    assert_eq!(total(&booked, "price"), euros("47.71"));
    insta::assert_snapshot!(pretty(&booked));
    insta::assert_snapshot!(pretty(&serde_json::from_str(&pair.till.book("relations")[0]).unwrap()));
}

// shows R38
#[tokio::test]
async fn the_same_order_goes_once_however_often_it_is_read() {
    let pair = pair("").await;
    arrives(&pair, &order(), "orders").await;
    pair.till.calls();
    assert_eq!(pair.run().await.0, "1 unchanged");
    pair.shop.put("orders", &with(&json!({"status": "sent"})).to_string());
    assert_eq!(pair.run().await.0, "1 skipped");
    assert_eq!(pair.till.writes(), Vec::<String>::new());
}

// shows R36
#[tokio::test]
async fn an_order_that_is_paid_weeks_later_still_goes() {
    let pair = pair("").await;
    pair.shop.put("orders", &with(&json!({"is_paid": false, "status": "waiting_for_payment"})).to_string());
    let newer = with(&json!({"id": "502", "number": "2026-1200", "created_at": "2026-04-01T08:00:00Z"}));
    pair.shop.put("orders", &newer.to_string());
    assert_eq!(pair.run().await.0, "1 created, 1 skipped");
    pair.shop.put("orders", &order().to_string());
    assert_eq!(pair.run().await.0, "1 created, 1 unchanged");
}

// shows R13, R36
#[tokio::test]
async fn older_and_cancelled_orders_stay_out() {
    let pair = pair("").await;
    pair.shop.put("orders", &with(&json!({"created_at": "2025-12-31T22:59:59Z"})).to_string());
    pair.shop.put("orders", &with(&json!({"id": "502", "status": "cancelled"})).to_string());
    // An hour before midnight in UTC is the first of January in Amsterdam.
    let first = with(&json!({"id": "503", "number": "2026-1", "created_at": "2025-12-31T23:00:00Z"}));
    pair.shop.put("orders", &first.to_string());
    assert_eq!(pair.run().await.0, "1 created, 2 skipped");
}

#[tokio::test]
async fn a_guest_without_address_or_mail_goes_to_the_anonymous_debtor() {
    let pair = pair("").await;
    let counter = with(&json!({
        "customer": {"full_name": "Balie"}, "billing": null, "shipping": null, "customer_id": null,
        "shipping_method": null, "payment": null, "shipping_cost_incl": 0, "total_incl": 42.76,
    }));
    let booked = arrives(&pair, &counter, "orders").await;
    assert_eq!(booked["relation_number"], "1");
    assert_eq!(pair.till.book("relations"), Vec::<String>::new());
    assert_eq!(booked["payments"], Value::Null);
    assert_eq!(booked["lines"].as_array().unwrap().len(), 2);
}

// shows R39, R42, R44
#[tokio::test]
async fn a_person_is_no_company_and_keeps_what_the_till_knows() {
    let pair = pair("update_customers = false\n").await;
    pair.till
        .put("relations", r#"{"relation_number":"681","email":"jan@example.nl","name":"J. Jansen (vip)"}"#);
    let customer = json!({"email": "Jan@example.nl", "full_name": "Jan Jansen", "phone": "06"});
    let person = with(&json!({"customer": customer, "shipping": null}));
    let booked = arrives(&pair, &person, "orders").await;
    assert_eq!(booked["relation_number"], "681");
    assert_eq!(booked["invoice_address"]["name"], "Jan Jansen");
    assert_eq!(booked["invoice_address"]["company_name"], Value::Null);
    assert_eq!(booked["delivery_address"]["address"], "Lindelaan 14a");
    assert!(pair.till.book("relations")[0].contains("vip"));
}

// shows R42
#[tokio::test]
async fn customers_can_be_matched_by_the_relation_number() {
    let pair = pair("match_customers_by = \"relation_number\"\n").await;
    pair.till.put("relations", r#"{"relation_number":"681","email":"old@example.nl","name":"De Linde"}"#);
    let mut known = order();
    known["customer"]["reference"] = json!("681");
    assert_eq!(arrives(&pair, &known, "orders").await["relation_number"], "681");
    assert!(pair.till.book("relations")[0].contains("inkoop@delinde.example"));
}

// shows R14, R54
#[tokio::test]
async fn one_debtor_can_stand_for_all() {
    let pair = pair("default_debtor = \"77\"\n").await;
    assert_eq!(arrives(&pair, &order(), "orders").await["relation_number"], "77");
    assert_eq!(pair.till.book("relations"), Vec::<String>::new());
}

// shows R2, R9, R45, R46, R52
#[tokio::test]
async fn an_order_can_become_an_invoice() {
    let pair = pair("send_as = \"invoice\"\n").await;
    let booked = arrives(&pair, &order(), "invoices").await;
    assert_eq!((&booked["ext_invoice_id"], &booked["due_date"]), (&json!("2026-1187"), &json!("2026-03-27")));
    assert_eq!(pair.till.book("orders"), Vec::<String>::new());
    // Whoever changes the answer later does not get what has been sent once more.
    pair.answer(ANSWERS);
    assert_eq!(pair.run().await.0, "1 skipped");
}

// shows R8, R11
#[tokio::test]
async fn deposits_costs_and_coupons_become_lines() {
    let pair = pair("").await;
    let mut order = with(&json!({
        "payment_cost": 0.50, "extra_cost": 2.00, "discount_code": "LENTE", "discount_coupon": 5,
        "total_incl": 46.71,
    }));
    let deposit = json!({"position": 4, "kind": "deposit", "description": "Statiegeld", "quantity": 6,
        "total_incl": 1.50, "total_excl": 1.50, "vat_rate": 0});
    order["lines"].as_array_mut().unwrap().push(deposit);
    let booked = arrives(&pair, &order, "orders").await;
    assert_eq!(total(&booked, "price"), euros("46.71"));
    insta::assert_snapshot!(pretty(&booked["lines"]));
}

#[tokio::test]
async fn prices_without_vat_stay_without_vat() {
    let pair = pair("").await;
    // 3 × 8.2645 = 24.7935: a till of whole cents books 3 × 8.26 and a cent for the rounding.
    let order = with(&json!({
        "lines_include_vat": false, "shipping_cost_incl": 0, "shipping_cost_excl": 0,
        "total_excl": 24.79, "total_incl": 30.00,
        "lines": [{"position": 1, "kind": "product", "sku": "100045", "description": "Mok", "quantity": 3,
            "total_excl": 24.7935, "total_incl": 30.00, "vat_rate": 21}],
    }));
    let booked = arrives(&pair, &order, "orders").await;
    assert_eq!(booked["vat_method"], "exclusive");
    assert_eq!(total(&booked, "price_excl"), euros("24.79"));
    assert_eq!(booked["lines"].as_array().unwrap().len(), 2);
}

// shows R6
#[tokio::test]
async fn vat_is_shifted_to_companies_in_other_countries() {
    let pair = pair("").await;
    let order = with(&json!({
        "is_intra_community": true, "total_incl": 10.00, "total_excl": 10.00, "shipping_cost_incl": 0,
        "shipping_cost_excl": 0, "shipping": {"country": "BE"},
        "lines": [{"position": 1, "kind": "product", "sku": "100045", "description": "Mok", "quantity": 1,
            "total_excl": 10.00, "total_incl": 10.00, "vat_rate": 0}],
    }));
    let booked = arrives(&pair, &order, "orders").await;
    assert_eq!(booked["vat_method"], "shifted");
    assert_eq!(booked["lines"][0]["vat_code"], "3");
    assert_eq!(total(&booked, "price_excl"), euros("10"));
}

// shows R6, R12
#[tokio::test]
async fn turnover_and_vat_follow_the_country() {
    let tables = "[tables.turnover_group]\nrows = [[\"BE\", \"20\"]]\n\
        [tables.vat_code]\nrows = [[\"BE\", 21, \"4\"], [\"BE\", 9, \"5\"], [\"NL\", 21, \"1\"], [\"NL\", 9, \"2\"]]\n";
    for (country, vat, group) in [("BE", "4", json!("20")), ("NL", "1", Value::Null)] {
        let booked =
            arrives(&pair(tables).await, &with(&json!({"shipping": {"country": country}})), "orders").await;
        let line = &booked["lines"][0];
        assert_eq!((&line["vat_code"], &line["turnover_group"]), (&json!(vat), &group), "{country}");
    }
}

// shows R40, R41, R53, R67
#[tokio::test]
async fn each_refusal_says_what_to_do() {
    let mut reasons = Vec::new();
    let line = |changes: Value| {
        let mut order = order();
        for (name, value) in changes.as_object().unwrap() {
            order["lines"][0][name] = value.clone();
        }
        order
    };
    let orders = [
        line(json!({"sku": "AB-1"})),
        line(json!({"sku": null})),
        line(json!({"sku": "100099"})),
        line(json!({"vat_rate": 6})),
        with(&json!({"payment": {"method": "Bitcoin"}})),
        with(&json!({"total_incl": 57.71})),
        with(&json!({"total_incl": 37.71})),
    ];
    for order in orders {
        reasons.push(refused(&pair("").await, &order).await);
    }
    reasons.push(refused(&unanswered().await, &order()).await);
    let anonymous = json!({"customer": {"full_name": "Balie"}, "shipping_cost_incl": 0, "total_incl": 42.76});
    reasons.push(refused(&unanswered().await, &with(&anonymous)).await);
    insta::assert_snapshot!(reasons.join("\n"));
}

/// A pair whose settings name no articles and no debtor.
async fn unanswered() -> Pair {
    let pair = Pair::new("orders", "[settings]\nstart_date = \"2026-01-01\"\n").await;
    for number in ["100045", "100050"] {
        pair.till.put("articles", &json!({"article_number": number}).to_string());
    }
    pair
}

//! One request in five goes wrong, and the books end as if none had.

use connectors::simulator::{Fault, Only};

use super::*;

const ORDERS: &str =
    "[settings]\nstart_date = \"2020-01-01\"\ncollective_account = \"1210\"\nprices_with_vat = true\n";

/// Everything that one run of all flows carries.
async fn town() -> Town {
    let town = Town::new().await;
    town.office.add("ART_GRP", [record(&json!({"AG_CODE": "JAS", "AG_DESC": "Jassen"}))]);
    for at in 0..5 {
        town.office_article(&format!("10020{at}"), &format!("Regenjas {at}"), 20.0 + f64::from(at));
        town.office.change_row("ARTICLE", &format!("10020{at}"), &record(&json!({"AG_CODE": "JAS"})));
    }
    for at in 0..3 {
        town.till.add_relations([record(&json!({
            "relation_number": (600 + at).to_string(), "name": format!("Klant {at}"), "email": format!("klant{at}@example.nl"),
            "address": format!("Markt {at}"), "zipcode": "3511 AB", "city": "Utrecht", "country": "Nederland",
        }))]);
    }
    town
}

fn place_orders(town: &Town) {
    for at in 0..4 {
        let order = json!({
            "ext_order_id": format!("K-{at}"), "employee_number": "999999", "relation_number": (600 + at % 3).to_string(),
            "entry_timestamp": "2026-03-13T19:04:11+01:00", "financial_date": "2026-03-13",
            "delivery_address": {"name": "Magazijn", "address": format!("Havenweg {}", at % 2), "zipcode": "3542 AC", "city": "Utrecht"},
            "lines": [{"article_number": format!("10020{at}"), "quantity": at + 1, "price": 10.50}],
        });
        town.till.place_order(record(&order)).unwrap();
    }
}

/// Runs all flows, in order, until they find nothing to do.
async fn run_all(town: &Town) {
    for (name, answers) in
        [("categories", ""), ("products", "[settings]\nturnover_group = \"10\"\n"), ("stock", "")]
    {
        settle(town, name, answers).await;
    }
    town.servers.iter().for_each(|server| server.faults.clear());
    place_orders(town);
    town.servers.iter().for_each(strain);
    settle(town, "orders", ORDERS).await;
}

async fn settle(town: &Town, name: &str, answers: &str) {
    let flow = town.flow(name, answers).await;
    for _ in 0..12 {
        let (counts, refused) = flow.run(true).await;
        let busy = ["created", "updated", "failed", "waiting"].iter().any(|word| counts.contains(word));
        if !busy && refused.is_empty() {
            return;
        }
    }
    panic!("{name} does not settle");
}

/// One request in five goes wrong. Tokens are exchanged in peace: when the answer to that is
/// lost, a person has to connect again.
fn strain(server: &Running) {
    let tokens = |request: &axum::http::request::Parts| !request.uri.path().ends_with("/token");
    for (fault, share) in [
        (Fault::Busy, 40),
        (Fault::Down, 40),
        (Fault::Html, 30),
        (Fault::Reset, 30),
        (Fault::Lost, 30),
        (Fault::Cut, 30),
    ] {
        server.faults.rate_for(Only::any().when(tokens), fault, share);
    }
    server.faults.retry_after(Some(0));
}

/// What the books say, without numbers that chance gives.
fn state(town: &Town) -> Vec<String> {
    let mut state = Vec::new();
    let debtors = town.office.rows("DEMO", "CONTACT");
    let email = |number: &str| {
        let debtor = debtors.iter().find(|debtor| debtor.text("SUB_NR") == Some(number));
        debtor.and_then(|debtor| debtor.text("MAIL_BUS")).unwrap_or("nobody").to_owned()
    };
    for order in town.office.orders() {
        let told: Value = serde_json::from_str(&order.to_string()).unwrap();
        let lines: Vec<String> = told["lines"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| format!("{} x {} at {}", line["ORD_QTY"], line["ART_CODE"], line["ART_PX"]))
            .collect();
        let place = order.text("DEL_CODE").unwrap_or_default();
        let place = town
            .office
            .rows("DEMO", "DEL_ADDR")
            .iter()
            .find(|row| row.text("REC_ID") == Some(place))
            .map(|row| row.text("ADDRESS1").unwrap_or_default().to_owned());
        state.push(format!(
            "order {} of {} to {place:?}: {lines:?}",
            order.text("COMMENT1").unwrap(),
            email(order.text("RPL_INV").unwrap())
        ));
    }
    state.extend(
        debtors.iter().map(|debtor| {
            format!("debtor {} {:?}", debtor.text("MAIL_BUS").unwrap(), debtor.text("ADDRESS1"))
        }),
    );
    state.extend(
        town.office.rows("DEMO", "DEL_ADDR").iter().map(|row| {
            format!("address {:?} of {}", row.text("ADDRESS1"), email(row.text("SUB_NR").unwrap()))
        }),
    );
    for article in town.till.articles() {
        let number = article.text("article_number").unwrap().to_owned();
        let stock = town.till.stock(1, number.parse().unwrap());
        let free = stock.get("amount_free").map(ToString::to_string);
        let price = article.get("price_excl").map(ToString::to_string);
        state.push(format!("article {number} {:?} {price:?} {free:?}", article.text("description")));
    }
    state.sort();
    state
}

#[tokio::test]
async fn the_books_end_as_if_nothing_had_gone_wrong() {
    let calm = town().await;
    for (name, answers) in
        [("categories", ""), ("products", "[settings]\nturnover_group = \"10\"\n"), ("stock", "")]
    {
        settle(&calm, name, answers).await;
    }
    place_orders(&calm);
    settle(&calm, "orders", ORDERS).await;
    let rough = town().await;
    rough.servers.iter().for_each(strain);
    run_all(&rough).await;
    let struck = rough.servers.iter().flat_map(Running::log).filter(|seen| seen.fault.is_some()).count();
    assert!(struck > 10, "only {struck} requests went wrong");
    assert_eq!(state(&rough), state(&calm));
    assert_eq!(calm.office.orders().len(), 4);
}

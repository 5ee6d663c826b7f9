//! What goes on at a till that sells: regulars, passers-by, and their orders.

use connectors::mpluskassa::simulator::TillSimulator;
use connectors::record::{Record, Value};
use rust_decimal::Decimal;

use super::people::{Customer, customers};
use super::stage::Size;

/// All who buy, the same for the same seed.
pub(super) fn all(size: &Size) -> Vec<Customer> {
    let mut random = fastrand::Rng::with_seed(size.seed.wrapping_add(1));
    customers((size.orders / 3).max(12), &mut random)
}

/// A customer as the till knows one.
pub(super) fn relation(customer: &Customer) -> Record {
    let person = format!("{} {}", customer.first, customer.last);
    let mut relation = Record::new();
    relation.set("email", customer.email.as_str());
    relation.set("name", customer.company.as_deref().unwrap_or(&person));
    if let Some(company) = &customer.company {
        relation.set("company_name", company.as_str());
        relation.set("contact", person.as_str());
    }
    relation.set("address", format!("{} {}", customer.street, customer.number));
    relation.set("zipcode", customer.city.0);
    relation.set("city", customer.city.1);
    relation.set("country", "Nederland");
    relation.set("active", true);
    relation
}

/// Takes orders of the till's relations, and of a passer-by without an e-mail address; gives how
/// many stand in the till afterwards. Some have an article that only the till knows.
pub(super) fn sell(till: &TillSimulator, size: &Size) -> usize {
    let mut wares: Vec<String> = till
        .articles()
        .iter()
        .filter(|article| article.get("active").and_then(Value::as_bool) != Some(false))
        .filter(|article| amount(article, "price_incl") > Decimal::ZERO)
        .filter_map(|article| article.text("article_number").map(str::to_owned))
        .collect();
    wares.sort();
    till.add_articles([bag()]);
    let mut passer_by = Record::new();
    passer_by.set("name", "Passant");
    till.add_relations([passer_by]);
    let mut relations: Vec<String> = till
        .relations()
        .iter()
        .filter_map(|relation| relation.text("relation_number").map(str::to_owned))
        .collect();
    relations.sort();
    let mut random = fastrand::Rng::with_seed(size.seed.wrapping_add(2));
    for number in 0..size.orders {
        let Some(relation) = relations.get(random.usize(0..relations.len().max(1))) else { continue };
        let mut lines = Vec::new();
        for _ in 0..random.usize(1..5) {
            if let Some(ware) = wares.get(random.usize(0..wares.len().max(1))) {
                lines.push(line(ware, random.i64(1..4)));
            }
        }
        if number % 41 == 7 {
            lines.push(line("888001", 1));
        }
        let mut order = Record::new();
        order.set("ext_order_id", format!("KASSA-{}", 1_001 + number));
        order.set("employee_number", "999999");
        order.set("relation_number", relation.as_str());
        order.set("entry_timestamp", size.today.to_string());
        order.set("lines", lines);
        if let Err(reason) = till.place_order(order) {
            tracing::warn!(number, reason, "the stand-in refused an order of the demo");
        }
    }
    till.orders().len()
}

/// Sold at the counter, and known nowhere else.
fn bag() -> Record {
    let mut bag = Record::new();
    for (field, value) in [
        ("article_number", "888001"),
        ("description", "Draagtas"),
        ("turnover_group", "1"),
        ("vat_code", "1"),
    ] {
        bag.set(field, value);
    }
    bag.set("price_incl", Decimal::new(25, 2));
    bag.set("active", true);
    bag
}

fn line(article: &str, quantity: i64) -> Value {
    let mut line = Record::new();
    line.set("article_number", article);
    line.set("quantity", quantity);
    Value::Map(line)
}

fn amount(record: &Record, field: &str) -> Decimal {
    record.get(field).and_then(Value::as_decimal).unwrap_or_default()
}

//! The customers of the web shop: companies and people, tidy and untidy, over three weeks.

use connectors::ccv_salespos::simulator::CcvShop;
use connectors::record::{Record, Value, read_json};
use connectors::simulator::Simulator;
use jiff::SignedDuration;
use rust_decimal::Decimal;
use serde_json::json;

use super::people::{Customer, customers};
use super::stage::{Size, list};

/// The shop's number for cancelled orders.
const CANCELLED: i64 = 8;

/// Lets customers in; gives the number of orders that stand in the shop afterwards.
pub(super) fn open_doors(shop: &CcvShop, size: &Size) -> usize {
    let mut random = fastrand::Rng::with_seed(size.seed.wrapping_add(1));
    let customers = customers((size.orders / 3).max(12), &mut random);
    // Only some of them have an account; the others are guests.
    for customer in customers.iter().step_by(4) {
        let person = person(customer, false);
        // A refusal leaves a guest, which is as good for the demo.
        let _ = shop.add(
            "users",
            &json!({"username": customer.email, "password": "Wq7-tijdelijk-91x", "userinfo": person}),
        );
    }
    let wares = wares(shop);
    // Two things that the till does not know, one of them with a number that it cannot know.
    let gift = shop.add_product("GIFT-25", "Cadeaubon 25 euro", Decimal::new(2500, 2), 999);
    let set = shop.add_product("777001", "Kerstpakket (alleen webshop)", Decimal::new(4995, 2), 40);
    let unknown: Vec<i64> = [gift, set].into_iter().flatten().collect();
    let end = size.today;
    for number in 0..size.orders {
        let back =
            i64::try_from((size.orders - number) * 20 * 24 * 60 / size.orders.max(1)).unwrap_or_default();
        let moment = end.checked_sub(SignedDuration::from_mins(back)).unwrap_or(end);
        shop.configure(|options| options.clock = Some(moment));
        let Some(customer) = customers.get(random.usize(0..customers.len())) else { continue };
        place(shop, number, customer, &wares, &unknown, &mut random);
    }
    shop.configure(|options| options.clock = None);
    shop.count("orders")
}

/// The shop's own words for somebody; `bare` leaves out what hasty people leave out.
fn person(customer: &Customer, bare: bool) -> serde_json::Value {
    let mut address = json!({
        "first_name": customer.first,
        "last_name": customer.last,
        "company": customer.company.as_deref().unwrap_or_default(),
        "city": customer.city.1,
        "country_code": "NL",
    });
    if !bare && let Some(address) = address.as_object_mut() {
        address.insert("street".into(), json!(customer.street));
        address.insert("housenumber".into(), json!(customer.number));
        address.insert("zipcode".into(), json!(customer.city.0));
        address.insert("telephone".into(), json!("0301234567"));
    }
    json!({
        "email": customer.email,
        "customertype": if customer.company.is_some() { "b2b" } else { "b2c" },
        "billingaddress": address,
    })
}

/// What can be bought: product, and combination where there are some.
fn wares(shop: &CcvShop) -> Vec<(i64, Option<i64>)> {
    let books = Simulator::books(shop);
    let rows = |name: &str| list(&books, name);
    // The stand-in numbers what comes first lower, and what comes first is chance.
    let mut products = rows("products");
    products.sort_by_key(|row| row["productnumber"].as_str().map(str::to_owned));
    let place = |product: i64| products.iter().position(|row| row["id"] == json!(product));
    let mut varied: Vec<(i64, i64)> = rows("attributecombinations")
        .iter()
        .filter(|row| row["active"] != json!(false))
        .filter_map(|row| Some((row["product_id"].as_i64()?, row["id"].as_i64()?)))
        .collect();
    varied.sort_by_key(|(product, combination)| (place(*product), *combination));
    let mut wares: Vec<(i64, Option<i64>)> =
        varied.iter().map(|(product, combination)| (*product, Some(*combination))).collect();
    wares.extend(products.iter().filter_map(|row| {
        let product = row["id"].as_i64()?;
        (!varied.iter().any(|(known, _)| *known == product)).then_some((product, None))
    }));
    wares
}

/// One order; every so often an awkward one.
fn place(
    shop: &CcvShop,
    number: usize,
    customer: &Customer,
    wares: &[(i64, Option<i64>)],
    unknown: &[i64],
    random: &mut fastrand::Rng,
) {
    let mut rows = Vec::new();
    for _ in 0..random.usize(1..5) {
        let Some((product, combination)) = wares.get(random.usize(0..wares.len().max(1))) else { continue };
        let mut row = json!({"product_id": product, "count": random.i64(1..4)});
        if let (Some(combination), Some(row)) = (combination, row.as_object_mut()) {
            row.insert("attribute_combination_id".into(), json!(combination));
        }
        rows.push(row);
    }
    if number % 61 == 7
        && let Some(product) = unknown.get(number / 61 % unknown.len().max(1))
    {
        rows.push(json!({"product_id": product, "count": 1}));
    }
    if number % 47 == 11
        && let Some(row) = rows.first_mut().and_then(serde_json::Value::as_object_mut)
        && number > 11
    {
        row.insert("count".into(), json!(0));
        // The last of the wares is a plain product.
        rows.extend(wares.last().map(|(product, _)| json!({"product_id": product, "count": 2})));
    }
    let mut buyer = person(customer, number % 29 == 3);
    if number % 83 == 5
        && let Some(buyer) = buyer.as_object_mut()
    {
        buyer.remove("email");
    }
    let order = json!({
        "orderrows": rows,
        "customer": buyer,
        "paid": number % 9 != 4,
        "status": if number % 37 == 9 { CANCELLED } else { 1 },
        "is_completed": number % 53 != 13,
        "deliver_method": if number.is_multiple_of(6) { "pickup" } else { "shipping" },
        "total_shipping": if number.is_multiple_of(6) { json!(0) } else { json!(4.95) },
    });
    if let Err(reason) = shop.add("orders", &order) {
        tracing::warn!(number, reason, "the stand-in refused an order of the demo");
    }
}

/// The shop's orders, numbers read exactly.
pub(super) fn orders(shop: &CcvShop) -> Vec<Record> {
    let text = serde_json::Value::Array(list(&shop.books(), "orders")).to_string();
    match read_json(&text.into()) {
        Ok(Value::List(orders)) => orders.into_iter().filter_map(|order| order.as_map().cloned()).collect(),
        _ => Vec::new(),
    }
}

/// Paid, complete and not cancelled: such an order has to go over.
pub(super) fn is_wanted(order: &Record) -> bool {
    let flag = |name: &str| order.get(name).and_then(Value::as_bool) == Some(true);
    flag("paid") && flag("is_completed") && order.get("status").and_then(Value::as_int) != Some(CANCELLED)
}

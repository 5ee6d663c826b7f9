//! The same work as one writes it by hand: tokio, reqwest and `serde_json::Value`, 32 orders at
//! once. No ledger, no log, no cursor: when it is stopped it begins again.

use futures::stream::{self, TryStreamExt as _};
use reqwest::Client;
use serde_json::{Map, Value, json};

/// Orders under way at once.
const AT_ONCE: usize = 32;

type Failed = Box<dyn std::error::Error + Send + Sync>;

/// Carries all orders over; without look-ups when `stream`.
pub(crate) fn run(address: &str, stream: bool) {
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let done = runtime.block_on(carry(address, stream)).unwrap();
    println!("{done} booked");
}

async fn carry(address: &str, stream: bool) -> Result<usize, Failed> {
    let client = Client::new();
    let pages = stream::try_unfold(1_u64, |page| {
        let (client, url) = (client.clone(), format!("{address}/shop/orders"));
        async move {
            let query = [("page", page), ("per_page", 100)];
            let mut body: Value = client.get(url).query(&query).send().await?.json().await?;
            let Value::Array(orders) = body["data"].take() else { return Err(Failed::from("no orders")) };
            let orders: Vec<Result<Value, Failed>> = orders.into_iter().map(Ok).collect();
            Ok::<_, Failed>((!orders.is_empty()).then_some((stream::iter(orders), page + 1)))
        }
    });
    pages
        .try_flatten()
        .try_filter(|order| std::future::ready(order["status"] == "paid"))
        .map_ok(|order| {
            let client = client.clone();
            async move {
                let customer = if stream {
                    Value::Null
                } else {
                    if is_there(&client, address, &order).await? {
                        return Ok(0);
                    }
                    customer(&client, address, &order).await?
                };
                let made = map(&order, &customer);
                let answer = client.post(format!("{address}/till/orders")).json(&made).send().await?;
                let booked: Value = answer.error_for_status()?.json().await?;
                Ok(usize::from(booked["id"].is_string()))
            }
        })
        .try_buffer_unordered(AT_ONCE)
        .try_fold(0, async |all, one| Ok(all + one))
        .await
}

async fn is_there(client: &Client, address: &str, order: &Value) -> Result<bool, Failed> {
    let query = [("reference", text(order, "number"))];
    let answer = client.get(format!("{address}/till/orders")).query(&query).send().await?;
    let found: Value = answer.error_for_status()?.json().await?;
    Ok(found["data"].as_array().is_some_and(|found| !found.is_empty()))
}

/// The key of the order's customer, created or brought up to date.
async fn customer(client: &Client, address: &str, order: &Value) -> Result<Value, Failed> {
    let wanted = json!({
        "email": order["customer"]["email"],
        "name": name(&order["customer"]),
        "phone": text(&order["customer"], "phone").replace(' ', ""),
        "language": text(&order["customer"], "language").to_uppercase(),
    });
    let query = [("email", text(&order["customer"], "email"))];
    let url = format!("{address}/till/customers");
    let answer = client.get(&url).query(&query).send().await?;
    let found: Value = answer.error_for_status()?.json().await?;
    let Some(known) = found["data"].get(0) else {
        let made: Value = client.post(&url).json(&wanted).send().await?.error_for_status()?.json().await?;
        return Ok(made["id"].clone());
    };
    let wanted = wanted.as_object().unwrap();
    let changes: Map<String, Value> = wanted
        .iter()
        .filter(|(name, value)| known[name.as_str()] != **value)
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let id = known["id"].clone();
    if !changes.is_empty() {
        let url = format!("{url}/{}", id.as_str().unwrap());
        let _: Value = client.patch(url).json(&changes).send().await?.error_for_status()?.json().await?;
    }
    Ok(id)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn name(customer: &Value) -> String {
    match text(customer, "company") {
        "" => format!("{} {}", text(customer, "first_name"), text(customer, "last_name")),
        company => company.to_owned(),
    }
}

fn cents(amount: f64) -> f64 {
    (amount * 100.0).round() / 100.0
}

fn vat_code(country: &str, rate: i64) -> &'static str {
    match (country, rate) {
        ("NL", 21) => "H",
        ("NL", 9) => "L",
        ("NL", 0) => "N",
        ("BE", 21) => "BH",
        ("BE", 6) => "BL",
        ("BE", 0) => "BN",
        ("DE", 19) => "DH",
        ("DE", 7) => "DL",
        ("DE", 0) => "DN",
        other => panic!("no row for {other:?}"),
    }
}

fn map(order: &Value, key: &Value) -> Value {
    let (customer, billing, shipping) = (&order["customer"], &order["billing"], &order["shipping"]);
    let created = text(order, "created_at");
    let street = |at: &Value| format!("{} {}{}", text(at, "street"), text(at, "number"), text(at, "suffix"));
    let country = text(billing, "country");
    let mut goods = 0.0;
    let mut lines = Vec::new();
    for line in order["lines"].as_array().unwrap() {
        let amount = line["price"].as_f64().unwrap() * line["quantity"].as_f64().unwrap();
        goods += amount;
        lines.push(json!({
            "article": line["sku"],
            "description": line["name"],
            "quantity": line["quantity"],
            "price": line["price"],
            "vat_code": vat_code(country, line["vat"].as_i64().unwrap()),
            "total": cents(amount),
        }));
    }
    let discount = order["discount"]["amount"].as_f64().unwrap_or(0.0);
    let costs = order["shipping_costs"].as_f64().unwrap();
    json!({
        "reference": order["number"],
        "order_date": format!("{}-{}-{}", &created[8..10], &created[5..7], &created[0..4]),
        "state": if order["status"] == "paid" { "open" } else { "waiting" },
        "currency": order.get("currency").and_then(Value::as_str).unwrap_or("EUR"),
        "customer": key,
        "customer_name": name(customer),
        "email": text(customer, "email").to_lowercase(),
        "phone": text(customer, "phone").replace(' ', ""),
        "language": customer.get("language").and_then(Value::as_str).unwrap_or("nl").to_uppercase(),
        "invoice_street": street(billing),
        "invoice_postcode": text(billing, "postcode").to_uppercase(),
        "invoice_city": billing["city"],
        "delivery_street": street(shipping),
        "delivery_postcode": text(shipping, "postcode").to_uppercase(),
        "delivery_city": shipping["city"],
        "country": match country { "NL" => "528", "BE" => "056", "DE" => "276", other => panic!("{other}") },
        "payment_method": match text(&order["payment"], "method") {
            "ideal" => "IDEAL",
            "creditcard" => "CC",
            other => panic!("{other}"),
        },
        "payment_reference": order["payment"]["transaction"],
        "discount": discount,
        "shipping_costs": costs,
        "goods": cents(goods),
        "total": cents(goods + costs - discount),
        "remark": text(order, "note").trim(),
        "channel": "web",
        "lines": lines,
    })
}

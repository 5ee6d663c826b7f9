//! The mapping of the benchmark as one would write it by hand: over `serde_json::Value`, and over
//! structs.

use std::borrow::Cow;
use std::io::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn cents(amount: f64) -> f64 {
    (amount * 100.0).round() / 100.0
}

fn date(moment: &str) -> String {
    format!("{}-{}-{}", &moment[8..10], &moment[5..7], &moment[0..4])
}

fn country(code: &str) -> &'static str {
    match code {
        "NL" => "528",
        "BE" => "056",
        "DE" => "276",
        other => panic!("no row for {other}"),
    }
}

fn method(method: &str) -> &'static str {
    match method {
        "creditcard" => "CC",
        "ideal" => "IDEAL",
        other => panic!("no row for {other}"),
    }
}

fn vat(rate: i64) -> &'static str {
    match rate {
        21 => "H",
        9 => "L",
        0 => "N",
        other => panic!("no row for {other}"),
    }
}

/// Over `serde_json::Value`, in and out.
pub(crate) fn over_values(order: &[u8], out: &mut Vec<u8>) {
    let order: Value = serde_json::from_slice(order).unwrap();
    let (customer, billing, shipping) = (&order["customer"], &order["billing"], &order["shipping"]);
    let mut made = Map::new();
    let mut set = |name: &str, value: Value| made.insert(name.to_owned(), value);
    set("external_id", order["id"].clone());
    set("reference", format!("WEB-{}", text(&order, "number")).into());
    set("order_date", date(text(&order, "created_at")).into());
    set("state", if text(&order, "status") == "paid" { "open" } else { "waiting" }.into());
    set("currency", order.get("currency").and_then(Value::as_str).unwrap_or("EUR").into());
    set("customer_number", customer["id"].clone());
    let company = text(customer, "company");
    let name = if company.trim().is_empty() {
        format!("{} {}", text(customer, "first_name"), text(customer, "last_name"))
    } else {
        company.to_owned()
    };
    set("customer_name", name.into());
    set("email", text(customer, "email").to_lowercase().into());
    set("phone", text(customer, "phone").replace(' ', "").into());
    set("language", customer.get("language").and_then(Value::as_str).unwrap_or("nl").to_uppercase().into());
    let street = |at: &Value| format!("{} {}{}", text(at, "street"), text(at, "number"), text(at, "suffix"));
    set("invoice_street", street(billing).into());
    set("invoice_postcode", text(billing, "postcode").to_uppercase().into());
    set("invoice_city", billing["city"].clone());
    set("delivery_street", street(shipping).into());
    set("delivery_postcode", text(shipping, "postcode").to_uppercase().into());
    set("delivery_city", shipping["city"].clone());
    set("country", country(text(shipping, "country")).into());
    set("payment_method", method(text(&order["payment"], "method")).into());
    set("payment_reference", order["payment"]["transaction"].clone());
    let discount = order["discount"]["amount"].as_f64().unwrap_or(0.0);
    set("discount", discount.into());
    let costs = order["shipping_costs"].as_f64().unwrap();
    set("shipping_costs", costs.into());
    set("remark", text(&order, "note").trim().into());
    let mut total = 0.0;
    let mut lines = Vec::new();
    for line in order["lines"].as_array().unwrap() {
        let amount = line["price"].as_f64().unwrap() * line["quantity"].as_f64().unwrap();
        total += amount;
        lines.push(json!({
            "article": line["sku"],
            "description": line["name"],
            "quantity": line["quantity"],
            "price": line["price"],
            "vat_code": vat(line["vat"].as_i64().unwrap()),
            "total": cents(amount),
        }));
    }
    set("total", cents(total + costs - discount).into());
    set("lines", lines.into());
    serde_json::to_writer(out, &made).unwrap();
}

#[derive(Deserialize)]
struct Order<'a> {
    id: i64,
    number: &'a str,
    created_at: &'a str,
    status: &'a str,
    currency: Option<&'a str>,
    #[serde(borrow)]
    customer: Customer<'a>,
    #[serde(borrow)]
    billing: Address<'a>,
    #[serde(borrow)]
    shipping: Address<'a>,
    #[serde(borrow)]
    payment: Payment<'a>,
    discount: Option<Discount>,
    shipping_costs: f64,
    #[serde(borrow)]
    note: Option<Cow<'a, str>>,
    #[serde(borrow)]
    lines: Vec<Line<'a>>,
}

#[derive(Deserialize)]
struct Customer<'a> {
    id: i64,
    email: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    company: &'a str,
    phone: &'a str,
    language: Option<&'a str>,
}

#[derive(Deserialize)]
struct Address<'a> {
    street: &'a str,
    number: &'a str,
    suffix: Option<&'a str>,
    postcode: &'a str,
    city: &'a str,
    country: &'a str,
}

#[derive(Deserialize)]
struct Payment<'a> {
    method: &'a str,
    transaction: Option<&'a str>,
}

#[derive(Deserialize)]
struct Discount {
    amount: f64,
}

#[derive(Deserialize)]
struct Line<'a> {
    sku: &'a str,
    #[serde(borrow)]
    name: Cow<'a, str>,
    quantity: i64,
    price: f64,
    vat: i64,
}

#[derive(Serialize)]
struct Made<'a> {
    external_id: i64,
    reference: String,
    order_date: String,
    state: &'a str,
    currency: &'a str,
    customer_number: i64,
    customer_name: Cow<'a, str>,
    email: String,
    phone: String,
    language: String,
    invoice_street: String,
    invoice_postcode: String,
    invoice_city: &'a str,
    delivery_street: String,
    delivery_postcode: String,
    delivery_city: &'a str,
    country: &'a str,
    payment_method: &'a str,
    payment_reference: Option<&'a str>,
    discount: f64,
    shipping_costs: f64,
    remark: &'a str,
    total: f64,
    lines: Vec<MadeLine<'a>>,
}

#[derive(Serialize)]
struct MadeLine<'a> {
    article: &'a str,
    description: &'a str,
    quantity: i64,
    price: f64,
    vat_code: &'a str,
    total: f64,
}

/// Over structs, borrowed from the text.
#[expect(clippy::cast_precision_loss, reason = "as one writes it by hand")]
pub(crate) fn typed(order: &[u8], out: &mut Vec<u8>) {
    let order: Order<'_> = serde_json::from_slice(order).unwrap();
    let street = |at: &Address<'_>| format!("{} {}{}", at.street, at.number, at.suffix.unwrap_or(""));
    let discount = order.discount.as_ref().map_or(0.0, |discount| discount.amount);
    let lines: Vec<MadeLine<'_>> = order
        .lines
        .iter()
        .map(|line| MadeLine {
            article: line.sku,
            description: &line.name,
            quantity: line.quantity,
            price: line.price,
            vat_code: vat(line.vat),
            total: cents(line.price * line.quantity as f64),
        })
        .collect();
    let total: f64 = order.lines.iter().map(|line| line.price * line.quantity as f64).sum();
    let customer = &order.customer;
    let made = Made {
        external_id: order.id,
        reference: format!("WEB-{}", order.number),
        order_date: date(order.created_at),
        state: if order.status == "paid" { "open" } else { "waiting" },
        currency: order.currency.unwrap_or("EUR"),
        customer_number: customer.id,
        customer_name: if customer.company.trim().is_empty() {
            format!("{} {}", customer.first_name, customer.last_name).into()
        } else {
            customer.company.into()
        },
        email: customer.email.to_lowercase(),
        phone: customer.phone.replace(' ', ""),
        language: customer.language.unwrap_or("nl").to_uppercase(),
        invoice_street: street(&order.billing),
        invoice_postcode: order.billing.postcode.to_uppercase(),
        invoice_city: order.billing.city,
        delivery_street: street(&order.shipping),
        delivery_postcode: order.shipping.postcode.to_uppercase(),
        delivery_city: order.shipping.city,
        country: country(order.shipping.country),
        payment_method: method(order.payment.method),
        payment_reference: order.payment.transaction,
        discount,
        shipping_costs: order.shipping_costs,
        remark: order.note.as_deref().unwrap_or("").trim(),
        total: cents(total + order.shipping_costs - discount),
        lines,
    };
    serde_json::to_writer(&mut *out, &made).unwrap();
    out.flush().unwrap();
}

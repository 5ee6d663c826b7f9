//! Orders: reading while the shop goes on selling, lines, writing, finding again.

use super::*;
use crate::ccv_salespos::simulator::Expand;
use crate::contract::Advice;

fn since(moment: &str, size: usize) -> FetchRequest {
    FetchRequest { since: Some(("created_at".to_owned(), moment.into())), size, ..FetchRequest::default() }
}

fn numbers(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| shown(record, "number")).collect()
}

async fn selling() -> Stage {
    let stage = Stage::empty().await;
    stage.shop.add_product("M-1", "Koffiemok blauw", euros(1995), 100).unwrap();
    stage
}

#[tokio::test]
async fn an_order_reads_as_it_was_placed() {
    let stage = selling().await;
    let product = stage.shop.key_by("products", "productnumber", "M-1").unwrap();
    let body = json!({
        "status": 2, "paid": true, "reservationnumber": "MAG-1", "total_shipping": 4.95,
        "orderrows": [{"product_id": product, "count": 2, "discount": 2}],
        "customer": {
            "email": "inkoop@bakkerij.example", "customertype": "b2b", "btw": "NL001234567B01",
            "billingaddress": {"first_name": "Sanne", "last_name": "de Boer", "company": "Bakkerij", "street": "Lindelaan", "housenumber": 14, "housenumber_suffix": "a", "zipcode": "3511 AB", "city": "Utrecht", "country_code": "NL", "telephone": "0301234567"},
            "deliveryaddress": {"full_name": "Magazijn", "street": "Havenweg", "housenumber": 2, "zipcode": "3542 AC", "city": "Utrecht", "country_code": "NL"},
        },
    });
    let key = stage.shop.add("orders", &body).unwrap().to_string();
    let order = stage.all("orders", request(&[], 0)).await.remove(0);
    for (path, text) in [
        ("id", key.as_str()),
        ("status", "in_process"),
        ("is_paid", "true"),
        ("reservation", "MAG-1"),
        ("total_incl", "40.85"),
        ("total_excl", "33.76"),
        ("total_vat", "7.09"),
        ("shipping_cost_incl", "4.95"),
        ("shipping_cost_excl", "4.0909"),
        ("payment.method", "BankTransfer"),
        ("customer.email", "inkoop@bakkerij.example"),
        ("customer.type", "b2b"),
        ("customer.company", "Bakkerij"),
        ("customer.full_name", "Sanne de Boer"),
        ("customer.phone", "0301234567"),
        ("customer.vat_number", "NL001234567B01"),
        ("billing.street", "Lindelaan"),
        ("billing.number", "14"),
        ("billing.suffix", "a"),
        ("billing.postcode", "3511 AB"),
        ("billing.country", "NL"),
        ("shipping.full_name", "Magazijn"),
        ("shipping.suffix", ""),
        ("customer_id", ""),
        ("track_and_trace_code", ""),
    ] {
        assert_eq!(shown(&order, path), text, "{path}");
    }
    assert!(shown(&order, "number").ends_with("-1001"));
    let line = order.get("lines").unwrap().as_list().unwrap()[0].as_map().unwrap();
    for (path, text) in [
        ("position", "1"),
        ("sku", "M-1"),
        ("description", "Koffiemok blauw"),
        ("quantity", "2"),
        ("price_incl", "19.95"),
        ("price_excl", "16.4876"),
        ("discount", "2"),
        ("selling_price_incl", "17.95"),
        ("total_incl", "35.90"),
        ("vat_rate", "21"),
    ] {
        assert_eq!(shown(line, path), text, "{path}");
    }
}

#[tokio::test]
async fn lines_come_with_the_page_or_with_a_closer_look() {
    for expand in [Expand::Honoured, Expand::Ignored, Expand::Refused] {
        let stage = Stage::with(|options| options.orders_expand = expand).await;
        stage.shop.add_products(4);
        stage.shop.add_orders(6);
        let orders = stage.all("orders", request(&[], 4)).await;
        assert_eq!(orders.len(), 6, "{expand:?}");
        assert_eq!(orders[0].get("lines").is_some(), expand == Expand::Honoured, "{expand:?}");
        let asked = stage.running.requests();
        let whole =
            stage.session.detail("orders").unwrap().complete("orders", orders[2].clone()).await.unwrap();
        assert_eq!(stage.running.requests() - asked, u64::from(expand != Expand::Honoured));
        let lines = whole.get("lines").unwrap().as_list().unwrap();
        assert_eq!(lines.len(), 3, "{expand:?}");
        let found = stage.find("orders", &["number"], &[&shown(&whole, "number")]).await;
        assert_eq!(found[0].get("lines").unwrap().as_list().unwrap().len(), 3, "{expand:?}");
    }
}

#[tokio::test]
async fn a_refused_word_is_not_said_twice() {
    let stage = Stage::with(|options| options.orders_expand = Expand::Refused).await;
    stage.shop.add_products(1);
    stage.shop.add_orders(9);
    stage.all("orders", request(&[], 3)).await;
    let calls = stage.shop.calls().into_iter().find(|(name, _)| name == "GET orders").unwrap().1;
    let pages = stage.running.requests();
    stage.all("orders", request(&[], 3)).await;
    assert_eq!(stage.running.requests() - pages, calls - 1);
}

#[tokio::test]
async fn a_flow_that_changes_its_own_filter_misses_nothing() {
    let stage = selling().await;
    stage.shop.add_orders(60);
    let condition = [("status", Value::from("new"))];
    let expected = stage.all("orders", request(&condition, 0)).await.len();
    let request = FetchRequest { resource: "orders".to_owned(), ..request(&condition, 10) };
    let fetch = stage.session.fetch("orders").unwrap();
    let (mut count, mut position) = (0, None::<String>);
    loop {
        let page = fetch.page(&request, position.as_deref()).await.unwrap();
        for order in &page.records {
            count += 1;
            stage.update("orders", &shown(order, "id"), json!({"status": "in_process"})).await.unwrap();
        }
        match page.next {
            Some(next) => position = Some(next),
            None => break,
        }
    }
    assert_eq!((count, expected), (45, 45));
    assert!(stage.all("orders", request_of(&condition)).await.is_empty());
}

fn request_of(conditions: &[(&str, Value)]) -> FetchRequest {
    request(conditions, 0)
}

#[tokio::test]
async fn since_is_inclusive_in_every_reading_of_dates() {
    for by_day in [false, true] {
        let stage = Stage::with(|options| options.dates_count_by_day = by_day).await;
        stage.shop.add_products(1);
        stage.shop.add_orders(70);
        let all = stage.all("orders", request(&[], 0)).await;
        assert_eq!(all.len(), 70);
        for (size, from) in [(5, 30), (7, 0), (250, 69)] {
            let read = stage.all("orders", since(&shown(&all[from], "created_at"), size)).await;
            assert_eq!(numbers(&read), numbers(&all[from..]), "by day: {by_day}, size {size}");
        }
    }
}

#[tokio::test]
async fn many_orders_of_one_second_are_all_read() {
    for by_day in [false, true] {
        let moment = "2026-05-01T12:00:00Z".parse().unwrap();
        let stage = Stage::with(|options| {
            options.clock = Some(moment);
            options.dates_count_by_day = by_day;
        })
        .await;
        stage.shop.add_product("M-1", "Mok", euros(1000), 1000).unwrap();
        let order = crate::ccv_salespos::simulator::NewOrder {
            email: "a@b.example",
            lines: &[("M-1", 1)],
            ..Default::default()
        };
        for at in 0..45 {
            if at == 33 {
                stage.shop.configure(|options| options.clock = Some("2026-05-01T12:00:01Z".parse().unwrap()));
            }
            stage.shop.add_order(&order).unwrap();
        }
        for size in [2, 10, 33] {
            let read = numbers(&stage.all("orders", since("2026-05-01T14:00:00+02:00", size)).await);
            assert_eq!(read.len(), 45, "by day: {by_day}, size {size}");
            assert!(read.is_sorted());
        }
    }
}

#[tokio::test]
async fn links_may_name_another_host() {
    let stage = Stage::with(|options| options.link_host = Some("https://elders.example".to_owned())).await;
    stage.shop.fill();
    assert_eq!(stage.all("brands", request(&[], 9)).await.len(), stage.shop.count("brands"));
    assert_eq!(stage.all("orders", request(&[], 9)).await.len(), 40);
}

#[tokio::test]
async fn user_keys_may_come_as_text() {
    for as_text in [false, true] {
        let stage = Stage::with(|options| options.user_id_is_text = as_text).await;
        let product = stage.shop.add_product("M-1", "Mok", euros(1000), 9).unwrap();
        let user = stage.shop.add_customer("a@b.example", ("Sanne", "de Boer"), "").unwrap();
        let body = json!({"user_id": user, "customer": {"email": "a@b.example"}, "orderrows": [{"product_id": product, "count": 1}]});
        stage.shop.add("orders", &body).unwrap();
        let order = stage.all("orders", request(&[], 0)).await.remove(0);
        assert_eq!(shown(&order, "customer_id"), user.to_string());
        assert_eq!(shown(&order, "billing.street"), "Lindelaan", "from the account");
    }
}

fn sale(lines: Json) -> Json {
    json!({"reservation": "MAG-7", "customer": {"email": "a@b.example", "first_name": "Sanne"}, "billing": {"street": "Kade", "number": "1", "country": "NL"}, "lines": lines})
}

fn line_of(stage: &Stage, order: &Record) -> Json {
    let key = shown(order, "id").parse().unwrap();
    let order = stage.shop.get("orders", key).unwrap();
    let mut line = order["_rows"][0].clone();
    line["includes"] = order["order_row_taxes_included"].clone();
    line
}

#[tokio::test]
async fn prices_go_on_the_footing_they_are_given_on() {
    let stage = selling().await;
    let product = stage.shop.key_by("products", "productnumber", "M-1").unwrap().to_string();
    let check = async |line: Json, extra: Json, price: f64, discount: f64, includes: bool| {
        let mut line = line;
        line["product_id"] = json!(product);
        line["quantity"] = json!(1);
        let mut body = sale(json!([line]));
        for (name, value) in extra.as_object().unwrap() {
            body[name] = value.clone();
        }
        let order = stage.create("orders", body).await.unwrap();
        let line = line_of(&stage, &order);
        assert_eq!((line["price"].as_f64(), line["discount"].as_f64()), (Some(price), Some(discount)));
        assert_eq!(line["includes"], includes);
    };
    check(json!({"price_incl": 12.1, "discount": 1.21}), json!({}), 12.1, 1.21, true).await;
    check(json!({"price_excl": 10, "discount_excl": 1}), json!({}), 10.0, 1.0, false).await;
    check(
        json!({"price_incl": 12.1, "discount": 1.21, "vat_rate": 21}),
        json!({"lines_include_vat": false}),
        10.0,
        1.0,
        false,
    )
    .await;
    check(json!({"price_excl": 10, "vat_rate": 21}), json!({"lines_include_vat": true}), 12.1, 0.0, true)
        .await;
    check(json!({}), json!({}), 19.95, 0.0, true).await;
    let unclear = sale(
        json!([{"product_id": product, "quantity": 1, "price_incl": 1}, {"product_id": product, "quantity": 1, "price_excl": 1}]),
    );
    let error = stage.create("orders", unclear).await.unwrap_err();
    assert_eq!(error.advice, Advice::SkipRecord);
    assert!(error.reason.contains("lines[1]") && error.reason.contains("vat_rate"), "{error}");
}

#[tokio::test]
async fn free_lines_are_completed_or_refused_by_name() {
    let stage = selling().await;
    let free =
        json!({"sku": "D-1", "description": "Graveren", "quantity": 1, "price_incl": 7.5, "vat_rate": 21});
    stage.create("orders", sale(json!([free]))).await.unwrap();
    for name in ["sku", "description", "price_incl", "vat_rate"] {
        let mut line = free.clone();
        line.as_object_mut().unwrap().remove(name);
        let error = stage.create("orders", sale(json!([line]))).await.unwrap_err();
        assert!(error.reason.contains(&format!("lines[0].{name}")), "{error}");
    }
    let error = stage.create("orders", sale(json!([]))).await.unwrap_err();
    assert!(error.reason.contains("`lines` is empty"), "{error}");
    let error = stage.create("orders", json!({"lines": [free]})).await.unwrap_err();
    assert!(error.reason.contains("`customer` is missing"), "{error}");
}

#[tokio::test]
async fn an_order_is_found_again_by_its_reservation() {
    let stage = selling().await;
    let free =
        json!([{"sku": "D-1", "description": "Graveren", "quantity": 1, "price_incl": 7.5, "vat_rate": 21}]);
    assert!(stage.find("orders", &["reservation"], &["MAG-7"]).await.is_empty());
    stage.running.faults.next([crate::simulator::Fault::Lost]);
    // The package comes first, so the create itself is the second call of a fresh session.
    let lost = stage.create("orders", sale(free.clone())).await;
    if lost.is_ok() {
        stage.running.faults.next([crate::simulator::Fault::Lost]);
        let mut another = sale(free.clone());
        another["reservation"] = json!("MAG-8");
        assert_eq!(stage.create("orders", another).await.unwrap_err().advice, Advice::Unknown);
        assert_eq!(stage.find("orders", &["reservation"], &["MAG-8"]).await.len(), 1);
    }
    assert_eq!(stage.find("orders", &["reservation"], &["MAG-7"]).await.len(), 1);
    let mut basket = sale(free);
    basket["reservation"] = json!("MAG-9");
    basket["is_completed"] = json!(false);
    stage.create("orders", basket).await.unwrap();
    let fresh = stage.session_with(&[]).unwrap();
    let by = ["reservation".to_owned()];
    let found = fresh.find("orders").unwrap().find("orders", &by, &[vec!["MAG-9".into()]]).await.unwrap();
    assert_eq!(found[0].len(), 1, "unfinished orders too");
}

#[tokio::test]
async fn an_order_is_changed_in_part() {
    let stage = Stage::with(|options| options.patch_replaces_addresses = true).await;
    let product = stage.shop.add_product("M-1", "Mok", euros(1000), 9).unwrap();
    let order = crate::ccv_salespos::simulator::NewOrder {
        email: "a@b.example",
        name: ("Sanne", "de Boer"),
        lines: &[("M-1", 2)],
        ..Default::default()
    };
    let key = stage.shop.add_order(&order).unwrap().to_string();
    let change = json!({"status": "sent", "track_and_trace_code": "3S1", "billing": {"city": "Delft"}, "notify_customer": true, "notify_text": "Onderweg"});
    stage.update("orders", &key, change).await.unwrap();
    let read = stage.find("orders", &["id"], &[&key]).await.remove(0);
    assert_eq!((shown(&read, "status"), shown(&read, "track_and_trace_code")), ("sent".into(), "3S1".into()));
    assert_eq!(
        (shown(&read, "billing.city"), shown(&read, "billing.street")),
        ("Delft".into(), "Lindelaan".into())
    );
    assert_eq!(read.get("lines").unwrap().as_list().unwrap().len(), 1, "lines stay");
    stage
        .update("orders", &key, json!({"lines": [{"product_id": product.to_string(), "quantity": 1}]}))
        .await
        .unwrap();
    let read = stage.find("orders", &["id"], &[&key]).await.remove(0);
    assert_eq!(shown(read.get("lines").unwrap().as_list().unwrap()[0].as_map().unwrap(), "quantity"), "1");
    let error = stage.update("orders", &key, json!({"status": "lost"})).await.unwrap_err();
    assert!(error.reason.contains("`status` is `lost`, not one of new, in_process"), "{error}");
}

#[tokio::test]
async fn invoices_know_their_order() {
    let stage = selling().await;
    stage.shop.add_orders(3);
    let invoice = stage.all("invoices", request(&[], 2)).await.remove(1);
    let order = stage.find("orders", &["id"], &[&shown(&invoice, "order_id")]).await.remove(0);
    assert_eq!(shown(&order, "number"), shown(&invoice, "order_number"));
    assert_eq!(shown(&order, "total_incl"), shown(&invoice, "total_incl"));
    let whole =
        stage.session.detail("invoices").unwrap().complete("invoices", invoice.clone()).await.unwrap();
    assert!(!whole.get("lines").unwrap().as_list().unwrap().is_empty());
    stage
        .update("invoices", &shown(&invoice, "id"), json!({"external_reference": "VF-1", "status": "paid"}))
        .await
        .unwrap();
    let found = stage.find("invoices", &["number"], &[&shown(&invoice, "number")]).await.remove(0);
    assert_eq!(
        (shown(&found, "external_reference"), shown(&found, "status")),
        ("VF-1".into(), "paid".into())
    );
}

//! What the simulator enforces at its door and in its lists, by plain HTTP.

use super::*;
use crate::ccv_salespos::simulator::{CallLimits, PostAnswer};

const DATE: &str = "2025-03-14T09:26:53+00:00";

fn hash(public: &str, method: &str, target: &str, body: &str, date: &str) -> String {
    Signed { public, method, target, body: body.as_bytes(), date }.hash("sk_demo_secret")
}

async fn status(stage: &Stage, target: &str, public: &str, date: &str, hash: &str) -> u16 {
    let headers = [("x-public", public), ("x-date", date), ("x-hash", hash)];
    let given: Vec<_> = headers.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    stage.send("GET", target, String::new(), &given).await.status
}

#[tokio::test]
async fn signatures_are_checked_to_the_letter() {
    let stage = Stage::with(|options| options.clock_skew = None).await;
    let target = "/api/rest/v1/orders?start=0&size=50&min_create_date=2025-03-01";
    let right = hash("pk_demo_0001", "GET", target, "", DATE);
    assert!(right.starts_with("0e35ac3ea8f98c7e"), "the example of the contract");
    let cases = [
        ("right", target, "pk_demo_0001", DATE, right.clone(), 200),
        ("no key", target, "", DATE, right.clone(), 401),
        ("no date", target, "pk_demo_0001", "", right.clone(), 401),
        ("no hash", target, "pk_demo_0001", DATE, String::new(), 401),
        ("unknown key", target, "pk", DATE, hash("pk", "GET", target, "", DATE), 401),
        ("upper case", target, "pk_demo_0001", DATE, right.to_uppercase(), 401),
        ("another query", "/api/rest/v1/orders?start=0", "pk_demo_0001", DATE, right.clone(), 401),
        ("another verb", target, "pk_demo_0001", DATE, hash("pk_demo_0001", "POST", target, "", DATE), 401),
        ("another body", target, "pk_demo_0001", DATE, hash("pk_demo_0001", "GET", target, "{}", DATE), 401),
        ("another date", target, "pk_demo_0001", "2025-03-14T09:26:54+00:00", right, 401),
    ];
    for (name, target, public, date, hash, expected) in cases {
        assert_eq!(status(&stage, target, public, date, &hash).await, expected, "{name}");
    }
}

#[tokio::test]
async fn dates_are_read_leniently_and_not_too_old() {
    let stage = Stage::empty().await;
    let target = "/api/rest/v1/webshops/";
    let now = jiff::Timestamp::now();
    let forms = [
        now.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string(),
        now.strftime("%Y-%m-%dT%H:%M:%S+0000").to_string(),
        now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    ];
    for date in &forms {
        let right = hash("pk_demo_0001", "GET", target, "", date);
        assert_eq!(status(&stage, target, "pk_demo_0001", date, &right).await, 200, "{date}");
    }
    let old = sign::date(now - jiff::SignedDuration::from_mins(16));
    for date in [old.as_str(), "yesterday", "2025-03-14 09:26"] {
        let right = hash("pk_demo_0001", "GET", target, "", date);
        assert_eq!(status(&stage, target, "pk_demo_0001", date, &right).await, 401, "{date}");
    }
}

#[tokio::test]
async fn every_success_is_signed_empty_ones_too() {
    let stage = Stage::empty().await;
    let key = stage.shop.add_product("M-1", "Mok", euros(1995), 3).unwrap();
    let read = stage.get(&format!("products/{key}/")).await;
    let target = format!("/api/rest/v1/products/{key}/");
    assert_eq!(read.hash.unwrap(), hash("pk_demo_0001", "GET", &target, &read.text, &read.date.unwrap()));
    let changed = stage.raw("PATCH", &format!("products/{key}"), json!({"stock": 4})).await;
    let target = format!("/api/rest/v1/products/{key}");
    assert_eq!((changed.status, changed.text.as_str()), (204, ""));
    assert_eq!(changed.hash.unwrap(), hash("pk_demo_0001", "PATCH", &target, "", &changed.date.unwrap()));
    let refused = stage.get("nothing").await;
    assert!(refused.hash.is_none(), "refusals are not signed");
}

#[tokio::test]
async fn addresses_lead_where_they_should() {
    let stage = Stage::filled().await;
    let with = stage.get("orders/").await;
    let without = stage.get("orders").await;
    assert_eq!(with.items().len(), without.items().len());
    let order = with.items()[0]["id"].as_i64().unwrap();
    for (method, target, status, code) in [
        ("GET", "unicorns".to_owned(), 404, "404.20"),
        ("GET", format!("orders/{order}/unicorns"), 404, "404.20"),
        ("GET", "orders/1".to_owned(), 404, "404.10"),
        ("GET", "orders/1/orderrows".to_owned(), 404, "404.10"),
        ("DELETE", format!("orders/{order}"), 405, "405.10"),
        ("POST", "attributecombinations".to_owned(), 405, "405.10"),
        ("POST", "paymethods".to_owned(), 405, "405.10"),
        ("GET", "orderrows".to_owned(), 405, "405.10"),
        ("POST", "invoices".to_owned(), 405, "405.10"),
    ] {
        let body = if method == "POST" { json!({}) } else { Json::Null };
        let answer = stage.raw(method, &target, body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{method} {target}");
        assert!(!answer.body["developermessage"].as_str().unwrap().is_empty());
    }
    assert!(stage.get("").await.items().iter().any(|item| item["title"] == "products"));
    assert_eq!(stage.get("categorytree").await.items().len(), 6);
    stage.shop.configure(|options| options.forbidden = vec!["users".to_owned()]);
    let forbidden = stage.get("users").await;
    assert_eq!((forbidden.status, forbidden.code()), (403, "403.10"));
}

#[tokio::test]
async fn pages_have_bounds_and_absolute_links() {
    let stage = Stage::filled().await;
    assert_eq!(stage.get("products").await.items().len(), 48, "fifty a page, unless told otherwise");
    for target in ["products?size=0", "products?size=251", "products?start=-1", "products?size=many"] {
        assert_eq!(stage.get(target).await.status, 400, "{target}");
    }
    stage.shop.configure(|options| options.clamps_pages = true);
    assert_eq!(stage.get("products?size=0&start=-5").await.items().len(), 1);
    let page = stage.get("products?orderby=id_desc&active=true&start=10&size=10").await;
    let next = page.body["next"].as_str().unwrap();
    assert!(next.starts_with(&format!("{}/api/rest/v1/products/?", stage.running.url())), "{next}");
    for kept in ["orderby=id_desc", "active=true", "start=20", "size=10"] {
        assert!(next.contains(kept), "{next}");
    }
    assert!(page.body["previous"].as_str().unwrap().contains("start=0"));
    let last = stage.get("products?start=40&size=10").await;
    assert!(last.body["next"].is_null());
    assert!(stage.get("products").await.body["previous"].is_null());
}

#[tokio::test]
async fn filters_and_orders_work_and_unknown_ones_are_ignored() {
    let stage = Stage::filled().await;
    let count = |target: &'static str| async { stage.get(target).await.items().len() };
    assert_eq!(count("products?productnumber=100003").await, 1);
    assert_eq!(count("products?productname=koffiemok&size=250").await, 5);
    assert_eq!(count("products?minprice=60&size=250").await, 5);
    assert_eq!(count("products?unicorn=1&size=250").await, 48);
    assert_eq!(count("orders?is_completed=false").await, 0);
    assert_eq!(count("orders?status=5&size=250").await, 10);
    assert_eq!(count("orders?is_paid=true&size=250").await, 20);
    assert_eq!(count("orders?min_create_date=2100-01-01").await, 0);
    assert_eq!(count("orders?max_create_date=2000-01-01").await, 0);
    assert_eq!(stage.get("products?productname=ko").await.status, 400, "three letters at least");
    let ids =
        |answer: &Raw| answer.items().iter().map(|item| item["id"].as_i64().unwrap()).collect::<Vec<_>>();
    let descending = ids(&stage.get("orders?orderby=create_date_desc").await);
    assert!(descending.is_sorted_by(|a, b| a > b));
    let names = stage.get("products?orderby=name&size=250").await;
    assert!(names.items().iter().map(|item| item["name"].as_str().unwrap()).is_sorted());
    let loose = Stage::with(|options| options.filters_are_loose = true).await;
    loose.shop.fill();
    assert!(loose.get("products?productnumber=10000").await.items().len() > 1);
}

#[tokio::test]
async fn sub_lists_come_on_demand() {
    let stage = Stage::filled().await;
    let plain = stage.get("products?start=40&size=1").await;
    assert!(plain.items()[0]["attributecombinations"]["href"].is_string());
    assert!(plain.items()[0]["attributecombinations"]["collection"].is_null());
    let expanded =
        stage.get("products?start=40&size=1&expand=attributecombinations,producttocategories").await;
    let product = &expanded.items()[0];
    assert_eq!(product["attributecombinations"]["collection"].as_array().unwrap().len(), 6);
    assert!(product["producttocategories"]["collection"].is_array());
    assert!(product["productphotos"]["collection"].is_null(), "not asked for");
}

#[tokio::test]
async fn the_salespos_schemas_have_more_links() {
    let stage = Stage::filled().await;
    assert!(stage.get("orders?size=1").await.items()[0]["terminalreceipts"].is_null());
    let target = "/api/rest/v1/orders?size=1";
    let date = sign::date(jiff::Timestamp::now());
    let right = hash("pk_demo_0001", "GET", target, "", &date);
    let headers = [
        ("accept", "application/vnd.verto.salespos+json"),
        ("x-public", "pk_demo_0001"),
        ("x-date", date.as_str()),
        ("x-hash", right.as_str()),
    ];
    let answer = stage.send("GET", target, String::new(), &headers).await;
    for link in ["terminalreceipts", "fiscaltransactionsignatures"] {
        assert!(answer.items()[0][link]["href"].is_string(), "{link}");
    }
}

#[tokio::test]
async fn limits_are_counted_by_verb_and_kind() {
    let stage = Stage::with(|options| options.limits = CallLimits::published()).await;
    let package = stage.get("packages").await.items()[0]["id"].clone();
    for _ in 0..150 {
        assert_eq!(stage.get("brands").await.status, 200);
    }
    let refused = stage.get("brands").await;
    assert_eq!((refused.status, refused.code()), (429, "429.10"));
    assert!(refused.retry_after.is_none());
    assert_eq!(stage.get("suppliers").await.status, 200, "another kind has its own");
    let target = format!("packages/{package}");
    for _ in 0..100 {
        assert_eq!(stage.raw("PATCH", &target, json!({"name": "Doos"})).await.status, 204);
    }
    assert_eq!(stage.raw("PATCH", &target, json!({"name": "Doos"})).await.code(), "429.10");
    for _ in 0..30 {
        assert_eq!(stage.get("productqueries?eannumber=1").await.status, 200);
    }
    assert_eq!(stage.get("productqueries?eannumber=1").await.code(), "429.10");
    let stage = Stage::with(|options| options.limits.overall = Some(3)).await;
    let mut codes = Vec::new();
    for kind in ["orders", "users", "invoices", "returns"] {
        codes.push(stage.get(kind).await.code().to_owned());
    }
    assert_eq!(codes, ["", "", "", "429.11"]);
}

#[tokio::test]
async fn posts_are_answered_as_told() {
    let stage = Stage::empty().await;
    for (answer, status, has_body) in
        [(PostAnswer::Created, 201, true), (PostAnswer::Ok, 200, true), (PostAnswer::Empty, 204, false)]
    {
        stage.shop.configure(|options| options.post_answer = answer);
        let made = stage.raw("POST", "packages", json!({"name": "Doos"})).await;
        assert_eq!((made.status, made.body["id"].is_i64()), (status, has_body));
        assert!(made.hash.is_some());
    }
}

#[tokio::test]
async fn changes_without_effect_are_fine_or_refused() {
    let stage = Stage::empty().await;
    let key = stage.shop.add_product("M-1", "Mok", euros(1995), 3).unwrap();
    let target = format!("products/{key}");
    assert_eq!(stage.raw("PATCH", &target, json!({"stock": 3})).await.status, 204);
    stage.shop.configure(|options| options.refuses_no_change = true);
    let refused = stage.raw("PATCH", &target, json!({"stock": 3})).await;
    assert_eq!((refused.status, refused.code()), (500, "500.50"));
    assert_eq!(stage.raw("PATCH", &target, json!({"stock": 4})).await.status, 204);
}

#[tokio::test]
async fn refusals_come_on_demand() {
    let stage = Stage::empty().await;
    stage.shop.refuse_next(["500.20", "429.11"]);
    assert_eq!(stage.get("brands").await.code(), "500.20");
    assert_eq!(stage.get("brands").await.status, 429);
    assert_eq!(stage.get("brands").await.status, 200);
}

#[tokio::test]
async fn the_books_tell_what_was_asked() {
    let stage = Stage::empty().await;
    stage.get("brands").await;
    stage.get("brands/").await;
    assert!(stage.shop.calls().contains(&("GET brands".to_owned(), 2)));
    assert!(stage.shop.calls().contains(&("GET brands".to_owned(), 2)));
}

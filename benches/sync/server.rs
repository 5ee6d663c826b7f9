//! The two systems: a shop that gives pages of orders, and a till with customers and orders. One
//! process, one thread, nothing on the disk, so that what is measured is the program in between.

use std::cell::RefCell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Map, Value, json};

use super::orders;

/// What the two systems hold, and what they were asked.
#[derive(Default)]
struct Books {
    /// Orders that the shop has.
    orders: u64,
    delay: Duration,
    customers: Vec<Vec<u8>>,
    customer_by_email: HashMap<String, usize>,
    /// Checksum and place of each order by its reference.
    booked: HashMap<String, (u64, usize)>,
    doubled: u64,
    requests: u64,
    connections: u64,
    most_at_once: u64,
    at_once: u64,
}

type Shared = Rc<RefCell<Books>>;
type Reply = Response<Full<Bytes>>;

/// Serves until the process is ended; prints its port first.
pub(crate) fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap().port());
        let books = Shared::default();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let books = Rc::clone(&books);
            books.borrow_mut().connections += 1;
            tokio::task::spawn_local(async move {
                let service = service_fn(|request| answer(Rc::clone(&books), request));
                // Clients come and go.
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    });
}

async fn answer(books: Shared, request: Request<Incoming>) -> Result<Reply, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let query: HashMap<String, String> =
        url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let path = parts.uri.path();
    if let Some(what) = path.strip_prefix("/control/") {
        return Ok(control(&mut books.borrow_mut(), what, &query));
    }
    let delay = {
        let mut books = books.borrow_mut();
        books.requests += 1;
        books.at_once += 1;
        books.most_at_once = books.most_at_once.max(books.at_once);
        books.delay
    };
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let mut books = books.borrow_mut();
    books.at_once -= 1;
    let places: Vec<&str> = path.trim_matches('/').split('/').collect();
    Ok(match (&parts.method, places.as_slice()) {
        (&Method::GET, ["shop", "orders"]) => page(&books, &query),
        (&Method::GET, ["till", "orders"]) => {
            let found = books.booked.get(&query["reference"]);
            let found: Vec<Value> = found
                .map(|(_, place)| json!({"id": format!("o{place}"), "reference": query["reference"]}))
                .into_iter()
                .collect();
            say(StatusCode::OK, json!({"data": found}).to_string())
        }
        (&Method::GET, ["till", "customers"]) => find_customer(&mut books, &query["email"]),
        (&Method::POST, ["till", "customers"]) => create_customer(&mut books, &body),
        (&Method::PATCH, ["till", "customers", id]) => update_customer(&mut books, id, &body),
        (&Method::POST, ["till", "orders"]) => create_order(&mut books, &body),
        _ => say(StatusCode::NOT_FOUND, "{}".to_owned()),
    })
}

fn say(status: StatusCode, body: String) -> Reply {
    Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .body(Full::new(body.into()))
        .unwrap()
}

fn page(books: &Books, query: &HashMap<String, String>) -> Reply {
    let number = |name: &str| query[name].parse::<u64>().unwrap();
    let (page, size) = (number("page"), number("per_page"));
    let first = query.get("since").map_or(0, |since| orders::first_since(since)) + (page - 1) * size;
    let mut body = String::with_capacity(200_000);
    body.push_str(r#"{"data":["#);
    for number in first..(first + size).min(books.orders) {
        if number > first {
            body.push(',');
        }
        orders::write(number, &mut body);
    }
    body.push_str("]}");
    say(StatusCode::OK, body)
}

fn add_customer(books: &mut Books, mut record: Map<String, Value>) -> usize {
    let place = books.customers.len();
    record.insert("id".to_owned(), format!("c{place}").into());
    let email = record["email"].as_str().unwrap().to_owned();
    books.customers.push(serde_json::to_vec(&record).unwrap());
    if books.customer_by_email.insert(email, place).is_some() {
        books.doubled += 1;
    }
    place
}

fn find_customer(books: &mut Books, email: &str) -> Reply {
    let place = books.customer_by_email.get(email).copied().or_else(|| {
        orders::customer_of(email).filter(|number| orders::is_known(*number))?;
        let old = json!({"email": email, "name": "Sanne", "phone": "0", "language": "NL"});
        let Value::Object(old) = old else { unreachable!() };
        Some(add_customer(books, old))
    });
    let mut body = br#"{"data":["#.to_vec();
    if let Some(place) = place {
        body.extend_from_slice(&books.customers[place]);
    }
    body.extend_from_slice(b"]}");
    say(StatusCode::OK, String::from_utf8(body).unwrap())
}

fn create_customer(books: &mut Books, body: &[u8]) -> Reply {
    let place = add_customer(books, serde_json::from_slice(body).unwrap());
    say(StatusCode::CREATED, String::from_utf8(books.customers[place].clone()).unwrap())
}

fn update_customer(books: &mut Books, id: &str, body: &[u8]) -> Reply {
    let place: usize = id[1..].parse().unwrap();
    let mut record: Map<String, Value> = serde_json::from_slice(&books.customers[place]).unwrap();
    let changes: Map<String, Value> = serde_json::from_slice(body).unwrap();
    record.extend(changes);
    books.customers[place] = serde_json::to_vec(&record).unwrap();
    say(StatusCode::OK, String::from_utf8(books.customers[place].clone()).unwrap())
}

fn create_order(books: &mut Books, body: &[u8]) -> Reply {
    let mut record: Map<String, Value> = serde_json::from_slice(body).unwrap();
    let reference = record["reference"].as_str().unwrap().to_owned();
    // Keys differ from run to run, people do not.
    if let Some(Value::String(id)) = record.remove("customer") {
        let place: usize = id[1..].parse().unwrap();
        let customer: Value = serde_json::from_slice(&books.customers[place]).unwrap();
        record.insert("customer".to_owned(), customer["email"].clone());
    }
    let place = books.booked.len();
    let sum = checksum(&Value::Object(record));
    if books.booked.insert(reference.clone(), (sum, place)).is_some() {
        books.doubled += 1;
    }
    say(StatusCode::CREATED, format!(r#"{{"id":"o{place}","reference":"{reference}"}}"#))
}

/// Alike for records that say the same: fields in any order, 12.50 as 12.5, null as nothing.
fn checksum(value: &Value) -> u64 {
    fn add(value: &Value, text: &mut String) {
        match value {
            Value::Object(map) => {
                let mut fields: Vec<_> = map.iter().filter(|(_, value)| !value.is_null()).collect();
                fields.sort_by_key(|(name, _)| *name);
                for (name, value) in fields {
                    text.push_str(name);
                    add(value, text);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| add(item, text)),
            Value::Number(number) => {
                write!(text, "{:.4};", number.as_f64().unwrap()).unwrap();
            }
            other => text.push_str(&other.to_string()),
        }
    }
    let mut text = String::with_capacity(1024);
    add(value, &mut text);
    xxhash_rust::xxh3::xxh3_64(text.as_bytes())
}

fn control(books: &mut Books, what: &str, query: &HashMap<String, String>) -> Reply {
    let number = |name: &str| query.get(name).map_or(0, |text| text.parse().unwrap());
    match what {
        "reset" => {
            let delay = Duration::from_millis(number("delay"));
            *books = Books { orders: number("orders"), delay, ..Books::default() };
        }
        "recount" => (books.requests, books.connections, books.most_at_once) = (0, 0, 0),
        _ => {}
    }
    let customers = books.customers.iter().map(|record| {
        let mut record: Map<String, Value> = serde_json::from_slice(record).unwrap();
        record.remove("id");
        checksum(&Value::Object(record))
    });
    let told = if what == "books" {
        json!({
            "orders": books.booked.len(),
            "customers": books.customers.len(),
            "orders_sum": books.booked.values().fold(0_u64, |sum, (own, _)| sum.wrapping_add(*own)),
            "customers_sum": customers.fold(0_u64, u64::wrapping_add),
            "doubled": books.doubled,
            "requests": books.requests,
            "connections": books.connections,
            "most_at_once": books.most_at_once,
        })
    } else {
        Value::Null
    };
    say(StatusCode::OK, told.to_string())
}

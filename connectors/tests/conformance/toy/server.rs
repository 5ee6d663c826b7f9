//! The toy shop itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use connectors::manifest::Answers;
use connectors::record::{Record, read_json};
use connectors::simulator::Simulator;
use serde_json::{Map, Value, json};

const KEY: &str = "toy-k3y-0815";

#[derive(Clone, Default)]
pub(crate) struct Shop(Arc<Mutex<Books>>);

#[derive(Default)]
struct Books {
    kinds: BTreeMap<String, Vec<Map<String, Value>>>,
    idempotency: BTreeMap<String, Value>,
}

impl Shop {
    fn books<T>(&self, work: impl FnOnce(&mut Books) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shop {
    /// Tells whoever wants to know that a product was made.
    async fn tell(&self, product: &Value) {
        let hooks = self.books(|books| books.kinds.get("hooks").cloned().unwrap_or_default());
        let body = json!({"event": "products.created", "id": product["id"]}).to_string();
        let addresses = hooks.iter().filter_map(|hook| hook.get("address")?.as_str());
        for path in addresses.filter_map(|address| address.strip_prefix("https://localhost:")) {
            let request = reqwest::Client::new().post(format!("http://127.0.0.1:{path}"));
            let _ = request.header("x-toy", signature(body.as_bytes())).body(body.clone()).send().await;
        }
    }
}

/// What the shop puts beside a delivery.
pub(super) fn signature(body: &[u8]) -> String {
    format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&[KEY.as_bytes(), body].concat()))
}

fn record(value: &Value) -> Record {
    read_json(&value.to_string().into_bytes().into()).unwrap().as_map().unwrap().clone()
}

impl Simulator for Shop {
    fn router(&self) -> Router {
        Router::new()
            .route("/{kind}", get(list).post(create))
            .route("/{kind}/{key}", get(one).patch(update))
            .with_state(self.clone())
    }

    fn answers(&self, address: &str) -> Answers {
        [("address".to_owned(), address.to_owned()), ("key".to_owned(), KEY.to_owned())].into_iter().collect()
    }

    fn fill(&self) {
        let items =
            |make: fn(u32) -> Value| (0..31).filter_map(|n| make(n).as_object().cloned()).collect::<Vec<_>>();
        let orders = items(|n| {
            let status = if n % 3 == 0 { "open" } else { "paid" };
            json!({"number": format!("{}", 1000 + n), "status": status, "total_incl": 12.5,
                "modified_at": format!("2026-11-{:02}T09:30:00Z", 1 + n / 2),
                "lines": [{"sku": "A", "quantity": n}]})
        });
        let products = items(|n| json!({"id": format!("{}", 50 + n), "sku": format!("SKU-{n}"), "stock": n}));
        self.books(|books| {
            books.kinds.insert("orders".to_owned(), orders);
            books.kinds.insert("products".to_owned(), products);
            books.kinds.insert("notes".to_owned(), vec![]);
        });
    }

    fn sample(&self, resource: &str, number: usize) -> Option<Record> {
        match resource {
            "products" => Some(record(&json!({"sku": format!("NEW-{number}"), "price": 9.95, "stock": 4}))),
            "notes" => Some(record(&json!({"text": format!("note {number}")}))),
            _ => None,
        }
    }

    fn change(&self, resource: &str, number: usize) -> Option<Record> {
        (resource == "products").then(|| record(&json!({"price": number})))
    }

    fn books(&self) -> Value {
        Shop::books(self, |books| json!(books.kinds))
    }
}

fn refused(headers: &HeaderMap) -> Option<Response> {
    let known = headers.get("x-key").is_some_and(|key| key == KEY);
    (!known).then(|| (StatusCode::UNAUTHORIZED, "no such key").into_response())
}

async fn list(
    State(shop): State<Shop>,
    Path(kind): Path<String>,
    Query(query): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = refused(&headers) {
        return refusal;
    }
    if kind == "hello" {
        return Json(json!({"name": "Toy shop"})).into_response();
    }
    let number = |name: &str, or: usize| query.get(name).and_then(|text| text.parse().ok()).unwrap_or(or);
    let text = |item: &Map<String, Value>, name: &str| {
        item.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let fits = |item: &&Map<String, Value>| {
        let at = text(item, "modified_at");
        let searched = query.get("field").map(|field| text(item, field));
        query.get("since").is_none_or(|since| at >= *since)
            && query.get("after").is_none_or(|since| at > *since)
            && query.get("status").is_none_or(|status| text(item, "status") == *status)
            && query.get("any").is_none_or(|any| any.split(',').any(|one| searched.as_deref() == Some(one)))
            && query.get("begins").is_none_or(|any| {
                any.split(',').any(|one| searched.as_ref().is_some_and(|text| text.starts_with(one)))
            })
    };
    let page: Vec<_> = shop.books(|books| {
        let items = books.kinds.get(&kind).into_iter().flatten().filter(fits);
        let page = items.skip(number("start", 0)).take(number("size", 1000)).cloned();
        page.map(|mut item| {
            item.remove("lines");
            item
        })
        .collect()
    });
    Json(page).into_response()
}

async fn one(
    State(shop): State<Shop>,
    Path((kind, key)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = refused(&headers) {
        return refusal;
    }
    let found = shop.books(|books| {
        let items = books.kinds.get(&kind)?;
        items.iter().find(|item| item.get("number").is_some_and(|number| *number == key)).cloned()
    });
    found.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |item| Json(item).into_response())
}

async fn create(
    State(shop): State<Shop>,
    Path(kind): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refusal) = refused(&headers) {
        return refusal;
    }
    let Ok(mut item) = serde_json::from_slice::<Map<String, Value>>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let idempotency = headers.get("idempotency-key").and_then(|key| key.to_str().ok()).map(str::to_owned);
    let told = (kind == "products").then(|| shop.clone());
    let answer = shop.books(|books| {
        if let Some(known) = idempotency.as_ref().and_then(|key| books.idempotency.get(key)) {
            return known.clone();
        }
        let items = books.kinds.entry(kind).or_default();
        item.insert("id".to_owned(), json!(format!("{}", 500 + items.len())));
        items.push(item.clone());
        let answer = Value::Object(item);
        if let Some(key) = idempotency {
            books.idempotency.insert(key, answer.clone());
        }
        answer
    });
    if let Some(shop) = told {
        shop.tell(&answer).await;
    }
    (StatusCode::CREATED, Json(answer)).into_response()
}

async fn update(
    State(shop): State<Shop>,
    Path((kind, key)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(refusal) = refused(&headers) {
        return refusal;
    }
    let Ok(changes) = serde_json::from_slice::<Map<String, Value>>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let answer = shop.books(|books| {
        let items = books.kinds.get_mut(&kind)?;
        let item = items.iter_mut().find(|item| item.get("id").is_some_and(|id| *id == key))?;
        item.extend(changes);
        Some(item.clone())
    });
    answer.map_or_else(|| StatusCode::NOT_FOUND.into_response(), |item| Json(item).into_response())
}

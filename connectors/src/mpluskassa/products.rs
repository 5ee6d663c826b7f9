//! Products: what groups articles.

use super::client::{declined, message};
use super::keys::{self, record, rows, sorted_by_key};
use super::operations::{CREATE_PRODUCT, GET_PRODUCTS, UPDATE_PRODUCT};
use super::pages::{self, marker};
use super::{Till, client};
use crate::contract::{FetchRequest, Key, Page, RemoteError, Written};
use crate::record::{Map, Record, Value};

/// Products with changed articles, each with all of its articles. The markers that count are
/// those of the articles, and only the changed ones tell how far the reading is; so the whole
/// products are asked for in a second call.
pub(super) async fn page(
    till: &Till,
    request: &FetchRequest,
    position: Option<&str>,
) -> Result<Page, RemoteError> {
    let from = pages::start(request, position)?;
    let changed = changed(till, from, pages::limit(request)).await?;
    let next = pages::next(&GET_PRODUCTS, changed.iter().map(|(marker, _)| *marker), from)?;
    let numbers: Vec<Value> =
        changed.iter().filter_map(|(_, product)| product.get("product_number").cloned()).collect();
    let mut records =
        if numbers.is_empty() { Vec::new() } else { by_number(till, "product_numbers", numbers).await? };
    for product in &mut records {
        let number = product.get("product_number").cloned().unwrap_or_default();
        let seen = changed.iter().find(|(_, changed)| changed.get("product_number") == Some(&number));
        if let Some((marker, _)) = seen {
            product.set("sync_marker", *marker);
        }
    }
    records.sort_by_key(marker);
    Ok(Page { records, next: next.map(|next| next.to_string()) })
}

/// Products with their changed articles only, each under its highest changed marker.
pub(super) async fn changed(till: &Till, from: i64, limit: i64) -> Result<Vec<(i64, Record)>, RemoteError> {
    let request = record([("sync_marker", from.into()), ("sync_marker_limit", limit.into())]);
    let products = rows(till.client.call(&GET_PRODUCTS, &request).await?, "products");
    Ok(products.into_iter().map(|product| (highest(&product), product)).collect())
}

fn highest(product: &Record) -> i64 {
    let articles = product.get("articles").and_then(Value::as_list).unwrap_or_default();
    let markers = articles.iter().filter_map(Value::as_map).map(marker).max().filter(|highest| *highest >= 0);
    markers.unwrap_or_else(|| marker(product))
}

/// Products by a list of numbers, with all of their articles.
pub(super) async fn by_number(
    till: &Till,
    list: &'static str,
    numbers: Vec<Value>,
) -> Result<Vec<Record>, RemoteError> {
    let request = record([(list, numbers.into()), ("include_all_articles", true.into())]);
    Ok(rows(till.client.call(&GET_PRODUCTS, &request).await?, "products"))
}

pub(super) async fn find(till: &Till, by: &[String], keys: &[Key]) -> Result<Vec<Vec<Record>>, RemoteError> {
    let numbers = keys::numbers(keys);
    let found =
        if numbers.is_empty() { Vec::new() } else { by_number(till, "product_numbers", numbers).await? };
    Ok(sorted_by_key(&found, by, keys))
}

pub(super) async fn create(till: &Till, record: &Record) -> Result<Written, RemoteError> {
    let mut product = keys::writable("products", record, true);
    if let Some(Value::List(articles)) = product.get_mut("articles") {
        for article in articles {
            if let Value::Map(article) = article {
                active_by_default(article);
            }
        }
    }
    let reply = send_new(till, product.clone()).await?;
    let key = reply.get("product_number").and_then(keys::text).unwrap_or_default();
    if let Some(marker) = reply.get("sync_marker") {
        product.set("sync_marker", marker.clone());
    }
    Ok(Written { record: keys::with_key(product, "product_number", &key), key })
}

/// A new article is for sale unless the flow says otherwise.
pub(super) fn active_by_default(article: &mut Map) {
    if article.get("active").is_none() {
        article.set("active", true);
    }
}

/// Sends `createProduct`.
pub(super) async fn send_new(till: &Till, product: Record) -> Result<Record, RemoteError> {
    let reply = till.client.call(&CREATE_PRODUCT, &record([("product", product.into())])).await?;
    let why = message(&reply);
    match reply.text("result") {
        Some("ok") => Ok(reply),
        Some("failed_product_number_already_taken") => {
            Err(declined(format!("the product number is already taken{why}")))
        }
        Some("failed_article_number_already_taken") => {
            Err(declined(format!("the article number is already taken{why}")))
        }
        _ => Err(declined(format!("the till refused the product{why}"))),
    }
}

pub(super) async fn update(
    till: &Till,
    key: &str,
    changes: &Record,
    current: Option<&Record>,
) -> Result<Written, RemoteError> {
    let key = keys::numeric_key("product_number", key)?;
    let mut product = keys::writable("products", changes, false);
    keys::keep_identity(&mut product, "product_number", &key)?;
    if let (Some(Value::List(articles)), Some(current)) = (product.get_mut("articles"), current) {
        number_known(articles, current);
    }
    let product = keys::with_key(product, "product_number", &key);
    send_changed(till, product.clone()).await?;
    Ok(Written { key, record: product })
}

/// An article without a number would be added; one that the product has under the same
/// foreign identifier is meant to be changed.
fn number_known(articles: &mut [Value], current: &Record) {
    let known = current.get("articles").and_then(Value::as_list).unwrap_or_default();
    let known: Vec<&Map> = known.iter().filter_map(Value::as_map).collect();
    for article in articles {
        let Value::Map(article) = article else { continue };
        if article.get("article_number").is_some_and(|number| !number.says_nothing()) {
            continue;
        }
        let Some(foreign) = article.get("ext_article_id").filter(|foreign| !foreign.says_nothing()) else {
            continue;
        };
        let same = known.iter().find(|known| known.get("ext_article_id") == Some(foreign));
        if let Some(number) = same.and_then(|same| same.get("article_number")) {
            article.set("article_number", number.clone());
        }
    }
}

/// Sends `updateProduct`.
pub(super) async fn send_changed(till: &Till, product: Record) -> Result<Record, RemoteError> {
    let number = product.text("product_number").unwrap_or_default().to_owned();
    let reply = till.client.call(&UPDATE_PRODUCT, &record([("product", product.into())])).await?;
    let why = client::message(&reply);
    match reply.text("result") {
        Some("ok") => Ok(reply),
        Some("not_found") => Err(declined(format!("product {number} is not in the till{why}"))),
        Some("not_allowed") => Err(declined(format!("product {number} may not be changed{why}"))),
        Some("failed_article_number_already_taken") => {
            Err(declined(format!("the article number is already taken{why}")))
        }
        _ => Err(declined(format!("the till refused the change of product {number}{why}"))),
    }
}

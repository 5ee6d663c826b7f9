//! Articles, one row each: what is sold, stocked and put on lines.
//!
//! The service cannot search by barcode or foreign identifier. The session keeps an index of
//! both; before each search it reads what has changed since the last one, so the index is
//! never behind.

use std::collections::{HashMap, HashSet};

use super::Till;
use super::client::{declined, refused};
use super::keys::{self, record, rows, sorted_by_key};
use super::operations::GET_PRODUCTS;
use super::pages::{self, marker};
use super::products::{self, changed};
use super::shapes::article::ARTICLE;
use crate::contract::{FetchRequest, Key, Page, RemoteError, Written};
use crate::record::{Record, Text, Value};

/// Articles that the index reads in one call.
const INDEX_PAGE: i64 = 1000;

/// Numbers of articles by barcode and by foreign identifier.
#[derive(Debug, Default)]
pub(super) struct Index {
    next: i64,
    by_value: HashMap<(&'static str, Text), HashSet<Text>>,
    values: HashMap<Text, Vec<(&'static str, Text)>>,
}

impl Index {
    fn put(&mut self, article: &Record) {
        let Some(Value::Text(number)) = article.get("article_number") else { return };
        for old in self.values.remove(number).unwrap_or_default() {
            if let Some(numbers) = self.by_value.get_mut(&old) {
                numbers.remove(number);
            }
        }
        let mut values = Vec::new();
        for field in ["ext_article_id", "barcode"] {
            // A copy: a slice would keep the whole page alive.
            let Some(value) = article.text(field).map(Text::from) else { continue };
            self.by_value.entry((field, value.clone())).or_default().insert(Text::from(number.as_str()));
            values.push((field, value));
        }
        self.values.insert(Text::from(number.as_str()), values);
    }
}

/// A row for each article of a product.
fn flat(mut product: Record) -> Vec<Record> {
    let (number, name, groups) =
        (product.remove("product_number"), product.remove("description"), product.remove("group_numbers"));
    let mut articles = rows(product, "articles");
    for article in &mut articles {
        for (field, value) in
            [("product_number", &number), ("product_description", &name), ("group_numbers", &groups)]
        {
            if let Some(value) = value {
                article.set(field, value.clone());
            }
        }
    }
    articles
}

pub(super) async fn page(
    till: &Till,
    request: &FetchRequest,
    position: Option<&str>,
) -> Result<Page, RemoteError> {
    let from = pages::start(request, position)?;
    let changed = changed(till, from, pages::limit(request)).await?;
    let mut records: Vec<Record> = changed.into_iter().flat_map(|(_, product)| flat(product)).collect();
    let next = pages::next(&GET_PRODUCTS, records.iter().map(marker), from)?;
    records.sort_by_key(marker);
    Ok(Page { records, next: next.map(|next| next.to_string()) })
}

pub(super) async fn find(till: &Till, by: &[String], keys: &[Key]) -> Result<Vec<Vec<Record>>, RemoteError> {
    let field = by.first().map_or("", String::as_str);
    let (list, wanted) = match field {
        "article_number" => ("article_numbers", keys::numbers(keys)),
        "plu_number" => ("plu_numbers", keys::texts(keys)),
        _ => ("article_numbers", indexed(till, field, keys).await?),
    };
    if wanted.is_empty() {
        return Ok(vec![Vec::new(); keys.len()]);
    }
    let request = record([(list, wanted.into())]);
    let products = rows(till.client.call(&GET_PRODUCTS, &request).await?, "products");
    let found: Vec<Record> = products.into_iter().flat_map(flat).collect();
    Ok(sorted_by_key(&found, by, keys))
}

/// Numbers of the articles that have one of the keys, from the index brought up to date.
async fn indexed(till: &Till, field: &str, keys: &[Key]) -> Result<Vec<Value>, RemoteError> {
    let field = if field == "barcode" { "barcode" } else { "ext_article_id" };
    let mut index = till.article_index.lock().await;
    loop {
        let from = index.next;
        let changed = changed(till, from, INDEX_PAGE).await?;
        let next = pages::next(&GET_PRODUCTS, changed.iter().map(|(marker, _)| *marker), from)?;
        for article in changed.into_iter().flat_map(|(_, product)| flat(product)) {
            index.put(&article);
        }
        match next {
            Some(next) => index.next = next,
            None => break,
        }
    }
    let numbers = keys
        .iter()
        .filter_map(|key| keys::text(key.first()?))
        .filter_map(|value| index.by_value.get(&(field, Text::from(value))));
    let numbers: HashSet<&Text> = numbers.flatten().collect();
    Ok(numbers.into_iter().map(|number| Value::Text(number.clone())).collect())
}

pub(super) async fn create(till: &Till, record: &Record) -> Result<Written, RemoteError> {
    let sent = keys::writable("articles", record, true);
    let (mut article, mut product) = split(sent.clone());
    products::active_by_default(&mut article);
    check(till, &article)?;
    let joins = product.get("product_number").is_some();
    if !joins && let Some(name) = article.get("description") {
        product.set("description", name.clone());
    }
    product.set("articles", vec![Value::Map(article)]);
    let reply = if joins {
        products::send_changed(till, product).await?
    } else {
        products::send_new(till, product).await?
    };
    let lists = ["article_numbers", "new_article_numbers", "existing_article_numbers"];
    let number = lists.iter().find_map(|list| reply.get(list)?.as_list()?.first().and_then(keys::text));
    let key = number
        .or_else(|| sent.get("article_number").and_then(keys::text))
        .ok_or_else(|| declined("the till did not tell the number of the new article"))?;
    let mut made = keys::with_key(sent, "article_number", &key);
    for field in ["product_number", "sync_marker"] {
        if let Some(value) = reply.get(field) {
            made.set(field, value.clone());
        }
    }
    Ok(Written { key, record: made })
}

pub(super) async fn update(
    till: &Till,
    key: &str,
    changes: &Record,
    current: Option<&Record>,
) -> Result<Written, RemoteError> {
    let key = keys::numeric_key("article_number", key)?;
    let mut sent = keys::writable("articles", changes, false);
    keys::keep_identity(&mut sent, "article_number", &key)?;
    let product = match current.and_then(|current| current.get("product_number")).and_then(keys::number) {
        Some(product) => product,
        None => product_of(till, &key).await?,
    };
    keys::keep_identity(&mut sent, "product_number", &product)?;
    let (article, outer) = split(sent.clone());
    check(till, &article)?;
    let mut outer = keys::with_key(outer, "product_number", &product);
    outer.set("articles", vec![Value::Map(keys::with_key(article, "article_number", &key))]);
    products::send_changed(till, outer).await?;
    Ok(Written { record: keys::with_key(sent, "article_number", &key), key })
}

/// Refuses a row that cannot be sent, in words about the row instead of its product.
fn check(till: &Till, article: &Record) -> Result<(), RemoteError> {
    till.client.codec.children(&ARTICLE, article).map(|_| ()).map_err(|misfit| refused(&misfit))
}

/// What belongs to the article, and what to its product.
fn split(mut record: Record) -> (Record, Record) {
    let mut product = Record::new();
    for field in ["product_number", "group_numbers"] {
        if let Some(value) = record.remove(field) {
            product.set(field, value);
        }
    }
    (record, product)
}

async fn product_of(till: &Till, number: &str) -> Result<String, RemoteError> {
    let request = record([("article_numbers", vec![Value::from(number)].into())]);
    let products = rows(till.client.call(&GET_PRODUCTS, &request).await?, "products");
    let product = products.first().and_then(|product| product.get("product_number")).and_then(keys::number);
    product.ok_or_else(|| declined(format!("article {number} is not in the till")))
}

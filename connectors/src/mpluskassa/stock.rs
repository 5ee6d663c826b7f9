//! Stock by branch and article.

use std::collections::BTreeMap;

use super::Till;
use super::client::declined;
use super::keys::{self, record, rows, sorted_by_key};
use super::operations::{GET_STOCK, SET_STOCK};
use crate::contract::{FetchRequest, Key, Page, RemoteError, Written};
use crate::record::{Record, Value};

/// Everything that changed, in one page: the service has no limit here.
pub(super) async fn page(till: &Till, request: &FetchRequest) -> Result<Page, RemoteError> {
    let asked = request.conditions.iter().find(|(field, _)| field == "branch_number");
    let branch = asked.and_then(|(_, value)| keys::number(value));
    let branch = branch.unwrap_or_else(|| till.client.settings.branch_number.clone());
    let since = request.since.as_ref().and_then(|(_, value)| value.as_int()).unwrap_or(0);
    // One less: whether the marker itself is included is not told for stock.
    let mut records = read(till, &branch, Vec::new(), (since > 1).then(|| since - 1)).await?;
    let id = |row: &Record| row.get("stock_id").and_then(Value::as_int).unwrap_or(0);
    records.retain(|row| id(row) >= since);
    records.sort_by_key(id);
    Ok(Page { records, next: None })
}

async fn read(
    till: &Till,
    branch: &str,
    articles: Vec<Value>,
    since: Option<i64>,
) -> Result<Vec<Record>, RemoteError> {
    let mut request = record([("branch_number", branch.into()), ("article_numbers", articles.into())]);
    if let Some(since) = since {
        request.set("stock_id", since);
    }
    let found = rows(till.client.call(&GET_STOCK, &request).await?, "rows");
    Ok(found.into_iter().map(|row| whole(row, branch)).collect())
}

fn whole(mut row: Record, asked: &str) -> Record {
    row.remove("is_day_stock_article");
    let branch = row.text("branch_number").unwrap_or(asked).to_owned();
    let article = row.text("article_number").unwrap_or_default().to_owned();
    let amount = |field| row.get(field).and_then(Value::as_decimal).unwrap_or_default();
    let (free, reserved) = (amount("amount_free"), amount("amount_reserved"));
    row.set("id", format!("{branch}:{article}"));
    row.set("branch_number", branch);
    row.set("available", free);
    row.set("amount_physical", free + reserved);
    row
}

pub(super) async fn find(till: &Till, by: &[String], keys: &[Key]) -> Result<Vec<Vec<Record>>, RemoteError> {
    let mut wanted: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for key in keys {
        let at = |name: &str| by.iter().position(|field| field == name).and_then(|at| key.get(at));
        let place = if let Some(id) = at("id") {
            keys::text(id).and_then(|id| place(&id))
        } else {
            let own = || Some(till.client.settings.branch_number.clone());
            let branch = at("branch_number").map_or_else(own, keys::number);
            branch.zip(at("article_number").and_then(keys::number))
        };
        if let Some((branch, article)) = place {
            wanted.entry(branch).or_default().push(article.into());
        }
    }
    let mut found = Vec::new();
    for (branch, articles) in wanted {
        found.extend(read(till, &branch, articles, None).await?);
    }
    Ok(sorted_by_key(&found, by, keys))
}

/// Branch and article of an identifier.
fn place(id: &str) -> Option<(String, String)> {
    let (branch, article) = id.split_once(':')?;
    keys::number(&branch.into()).zip(keys::number(&article.into()))
}

pub(super) async fn update(till: &Till, key: &str, changes: &Record) -> Result<Written, RemoteError> {
    let (branch, article) =
        place(key).ok_or_else(|| declined(format!("`{key}` is no branch and article")))?;
    let mut sent = keys::writable("stock", changes, false);
    keys::keep_identity(&mut sent, "branch_number", &branch)?;
    let mut written = keys::with_key(sent.clone(), "id", key);
    let Some(amount) = sent.get("amount_free").filter(|amount| !amount.says_nothing()) else {
        return Ok(Written { key: key.to_owned(), record: written });
    };
    let mut request = record([
        ("branch_number", branch.as_str().into()),
        ("article_number", article.as_str().into()),
        ("amount", amount.clone()),
        ("employee_number", till.client.settings.employee_number.as_str().into()),
    ]);
    if let Some(reference) = sent.get("reference").filter(|reference| !reference.says_nothing()) {
        request.set("reference", reference.clone());
    }
    let reply = till.client.call(&SET_STOCK, &request).await?;
    match reply.text("result") {
        Some("ok") => {
            if let Some(id) = reply.get("stock_id") {
                written.set("stock_id", id.clone());
            }
            Ok(Written { key: key.to_owned(), record: written })
        }
        Some("branch_not_found") => Err(declined(format!("branch {branch} is not in the till"))),
        Some("article_not_found") => Err(declined(format!("article {article} is not in the till"))),
        Some("no_stock_article") => Err(declined(format!("article {article} keeps no stock in the till"))
            .with_help("switch on stock for the article, in the till or with stock_article = true")),
        _ => Err(declined(format!("the till refused the stock of article {article}"))),
    }
}

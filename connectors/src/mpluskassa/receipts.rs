//! Receipts: what was sold at the tills. Read only.

use super::keys::{self, record, rows, sorted_by_key};
use super::operations::GET_RECEIPTS;
use super::orders::whole;
use super::{Till, pages};
use crate::contract::{FetchRequest, Key, Page, RemoteError};
use crate::record::Record;

pub(super) async fn page(
    till: &Till,
    request: &FetchRequest,
    position: Option<&str>,
) -> Result<Page, RemoteError> {
    let mut filters = pages::relation_filter(request);
    filters.set("include_lines", true);
    filters.set("include_orders", true);
    let mut page = pages::page(&till.client, &GET_RECEIPTS, "receipts", request, position, filters).await?;
    page.records = page.records.into_iter().map(whole).collect();
    Ok(page)
}

pub(super) async fn find(till: &Till, by: &[String], keys: &[Key]) -> Result<Vec<Vec<Record>>, RemoteError> {
    let wanted = keys::texts(keys);
    if wanted.is_empty() {
        return Ok(vec![Vec::new(); keys.len()]);
    }
    let request = record([
        ("receipt_ids", wanted.into()),
        ("include_lines", true.into()),
        ("include_orders", true.into()),
    ]);
    let found: Vec<Record> =
        rows(till.client.call(&GET_RECEIPTS, &request).await?, "receipts").into_iter().map(whole).collect();
    Ok(sorted_by_key(&found, by, keys))
}

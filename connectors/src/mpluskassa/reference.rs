//! What the merchant set up: branches, VAT codes, payment methods and the like. Short lists
//! that come whole.

use super::keys::{self, record, rows, sorted_by_key};
use super::operations::{
    GET_API_VERSION, GET_BRANCHES, GET_DELIVERY_METHODS, GET_EMPLOYEES, GET_ORDER_CATEGORIES,
    GET_PAYMENT_METHODS, GET_PRICE_GROUPS, GET_SALES_PRICE_LISTS, GET_TURNOVER_GROUPS, GET_VAT_CODES,
    Operation,
};
use super::{TITLE, Till, pages, unknown};
use crate::contract::{Advice, FetchRequest, Key, Page, RemoteError};
use crate::record::{Record, Value};

fn operation(resource: &str) -> Result<&'static Operation, RemoteError> {
    Ok(match resource {
        "branches" => &GET_BRANCHES,
        "vat_codes" => &GET_VAT_CODES,
        "payment_methods" => &GET_PAYMENT_METHODS,
        "delivery_methods" => &GET_DELIVERY_METHODS,
        "order_categories" => &GET_ORDER_CATEGORIES,
        "price_groups" => &GET_PRICE_GROUPS,
        "turnover_groups" => &GET_TURNOVER_GROUPS,
        "sales_price_lists" => &GET_SALES_PRICE_LISTS,
        other => return Err(unknown(other)),
    })
}

async fn all(till: &Till, resource: &str) -> Result<Vec<Record>, RemoteError> {
    let mut rows = rows(till.client.call(operation(resource)?, &Record::new()).await?, "rows");
    for row in &mut rows {
        match resource {
            "vat_codes" => {
                let part = |field| row.text(field).unwrap_or_default();
                let id = format!("{}:{}", part("branch_number"), part("vat_code"));
                row.set("id", id);
            }
            "branches" => drop(row.remove("country_code")),
            _ => {}
        }
    }
    Ok(rows)
}

pub(super) async fn page(till: &Till, resource: &str) -> Result<Page, RemoteError> {
    Ok(Page { records: all(till, resource).await?, next: None })
}

pub(super) async fn find(
    till: &Till,
    resource: &str,
    by: &[String],
    keys: &[Key],
) -> Result<Vec<Vec<Record>>, RemoteError> {
    if resource == "employees" {
        return find_employees(till, by, keys).await;
    }
    Ok(sorted_by_key(&all(till, resource).await?, by, keys))
}

pub(super) async fn employees(
    till: &Till,
    request: &FetchRequest,
    position: Option<&str>,
) -> Result<Page, RemoteError> {
    pages::page(&till.client, &GET_EMPLOYEES, "employees", request, position, Record::new()).await
}

async fn find_employees(till: &Till, by: &[String], keys: &[Key]) -> Result<Vec<Vec<Record>>, RemoteError> {
    let numbers = keys::numbers(keys);
    if numbers.is_empty() {
        return Ok(vec![Vec::new(); keys.len()]);
    }
    let request = record([("employee_numbers", numbers.into())]);
    let found = rows(till.client.call(&GET_EMPLOYEES, &request).await?, "employees");
    Ok(sorted_by_key(&found, by, keys))
}

/// Version of the service, and the branch that is written to.
pub(super) async fn probe(till: &Till) -> Result<String, RemoteError> {
    let version = till.client.call(&GET_API_VERSION, &Record::new()).await?;
    let number = |field| version.get(field).and_then(Value::as_int).unwrap_or(0);
    let branches = all(till, "branches").await?;
    let wanted = &till.client.settings.branch_number;
    let branch =
        branches.iter().find(|branch| branch.text("branch_number") == Some(wanted)).ok_or_else(|| {
            let known: Vec<String> = branches
                .iter()
                .map(|branch| {
                    let part = |field| branch.text(field).unwrap_or_default();
                    format!("{} ({})", part("branch_number"), part("branch_name"))
                })
                .collect();
            RemoteError::new(Advice::StopFlow, TITLE, format!("branch {wanted} is not in the till"))
                .with_help(format!("set branch_number to one of {}", known.join(", ")))
        })?;
    Ok(format!(
        "MplusKASSA {}.{}.{}, branch {wanted}: {}",
        number("service_major"),
        number("service_minor"),
        number("service_revision"),
        branch.text("branch_name").unwrap_or_default()
    ))
}

//! Lists: filters, order, pages, links, and sub-lists on demand.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::books::{Books, Refusal, int, map, refuse, truth};
use super::options::Expand;
use super::tables::{Table, Test};
use crate::record::{Map, Text, Value};

/// Names and values of a query.
pub(super) type Parameters = [(String, String)];

/// How records are shown to one caller.
pub(super) struct View<'a> {
    /// Scheme and host of links.
    pub(super) host: &'a str,
    /// The caller asked for the SalesPOS schemas.
    pub(super) is_salespos: bool,
    pub(super) query: &'a Parameters,
}

pub(super) fn parameter<'a>(query: &'a Parameters, name: &str) -> Option<&'a str> {
    query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

impl View<'_> {
    fn link(&self, path: &str) -> Value {
        Value::from(format!("{}/api/rest/v1/{path}/", self.host))
    }

    /// Sub-lists that are asked for.
    fn wanted(&self) -> impl Iterator<Item = &str> {
        parameter(self.query, "expand").into_iter().flat_map(|text| text.split(','))
    }

    /// A page of a list.
    pub(super) fn list(
        &self,
        books: &Books,
        table: &Table,
        below: Option<(&str, i64)>,
        path: &str,
    ) -> Result<Map, Refusal> {
        self.may_expand(books, table)?;
        let mut rows = match below {
            Some((member, parent)) if matches!(table.name, "orderrows" | "invoicerows") => {
                return self.page(books, table, &own_rows(books, member, parent), path);
            }
            Some((member, parent)) => books.below(table.name, member, parent),
            None => books.rows(table.name).collect(),
        };
        if table.needs_filter && !table.filters.iter().any(|(name, ..)| parameter(self.query, name).is_some())
        {
            return refuse("400.10", format!("A list of {} needs a filter on a parent.", table.name));
        }
        for (name, member, test) in table.filters {
            if let Some(text) = parameter(self.query, name) {
                if *test == Test::Contains && text.chars().count() < 3 {
                    return refuse("400.10", format!("{name} needs three characters."));
                }
                rows.retain(|row| passes(books, row.at(member), text, *test));
            }
        }
        // Baskets are hidden unless asked for.
        if table.name == "orders" && below.is_none() && parameter(self.query, "is_completed").is_none() {
            rows.retain(|row| row.get("is_completed").and_then(Value::as_bool) == Some(true));
        }
        self.sort(table, &mut rows);
        self.page(books, table, &rows, path)
    }

    fn may_expand(&self, books: &Books, table: &Table) -> Result<(), Refusal> {
        let expand =
            if table.name == "orders" { books.options.orders_expand } else { books.options.products_expand };
        if expand == Expand::Refused && self.wanted().next().is_some() {
            return refuse("400.10", "The parameter expand is not supported here.");
        }
        Ok(())
    }

    fn sort(&self, table: &Table, rows: &mut [&Map]) {
        let Some(order) = parameter(self.query, "orderby") else { return };
        let (field, descends) = match order.strip_suffix("_desc") {
            Some(field) => (field, true),
            None => (order, false),
        };
        if !table.orders.contains(&field) {
            return;
        }
        let path = match (table.name, field) {
            ("users", "first_name") => "userinfo.billingaddress.first_name",
            ("users", "last_name") => "userinfo.billingaddress.last_name",
            ("returns" | "invoices", "total_price") => "total_price",
            _ => field,
        };
        rows.sort_by(|left, right| {
            let order = compare(left.at(path), right.at(path)).then(int(left, "id").cmp(&int(right, "id")));
            if descends { order.reverse() } else { order }
        });
    }

    fn page(&self, books: &Books, table: &Table, rows: &[&Map], path: &str) -> Result<Map, Refusal> {
        let number = |name: &str, standard: i64| match parameter(self.query, name) {
            None => Ok(standard),
            Some(text) => {
                text.parse::<i64>().or_else(|_| refuse("400.10", format!("{name} must be a number.")))
            }
        };
        let standard = i64::try_from(books.options.standard_size).unwrap_or(50);
        let (mut start, mut size) = (number("start", 0)?, number("size", standard)?);
        if books.options.clamps_pages {
            (start, size) = (start.max(0), size.clamp(1, 250));
        } else if start < 0 || !(1..=250).contains(&size) {
            return refuse("400.10", "start must not be negative, size must be from 1 to 250.");
        }
        let count = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let (from, length) = (usize::try_from(start).unwrap_or(0), usize::try_from(size).unwrap_or(0));
        let items = rows.iter().skip(from).take(length).map(|row| Value::Map(self.show(books, table, row)));
        let at = |start: i64| Value::from(self.page_link(path, start, size));
        Ok(map([
            ("start", Value::Int(start)),
            ("size", Value::Int(size)),
            ("href", at(start)),
            ("first", at(0)),
            ("previous", if start > 0 { at((start - size).max(0)) } else { Value::Null }),
            ("next", if start + size < count { at(start + size) } else { Value::Null }),
            ("items", Value::List(items.collect())),
        ]))
    }

    fn page_link(&self, path: &str, start: i64, size: i64) -> String {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.query.iter().filter(|(name, _)| name != "start" && name != "size") {
            query.append_pair(name, value);
        }
        query.append_pair("start", &start.to_string()).append_pair("size", &size.to_string());
        format!("{}/api/rest/v1/{path}/?{}", self.host, query.finish())
    }

    /// A record as the caller sees it.
    pub(super) fn show(&self, books: &Books, table: &Table, row: &Map) -> Map {
        let mut shown = Map::with_capacity(row.len() + table.below.len() + 1);
        let key = int(row, "id").unwrap_or(0);
        let own = format!("{}/{key}", table.name);
        shown.push(Text::from_static("href"), self.link(&own));
        for (name, value) in row.iter().filter(|(name, _)| !name.as_str().starts_with('_')) {
            shown.push(name.clone(), value.clone());
        }
        if table.name == "orders"
            && books.options.user_id_is_text
            && let Some(Value::Map(user)) = shown.get_mut("user")
            && let Some(key) = int(user, "id")
        {
            user.set("id", key.to_string());
        }
        for (child, member) in table.below {
            let is_for_tills = matches!(*child, "terminalreceipts" | "fiscaltransactionsignatures");
            if is_for_tills && !self.is_salespos {
                continue;
            }
            let path = format!("{own}/{child}");
            let mut list = map([("href", self.link(&path))]);
            if self.wanted().any(|wanted| wanted == *child)
                && carries(books, table)
                && let Some(table) = super::tables::table(child)
            {
                let rows = match *child {
                    "orderrows" | "invoicerows" => own_rows(books, member, key),
                    _ => books.below(child, member, key),
                };
                let bare = View { host: self.host, is_salespos: self.is_salespos, query: &[] };
                let items = rows.iter().map(|row| Value::Map(bare.show(books, table, row)));
                list.set("collection", items.collect::<Vec<_>>());
            }
            shown.set(*child, list);
        }
        if table.name == "webshops" {
            let limit = books.options.product_limit;
            let active = books.rows("products").filter(|row| truth(row, "is_active", true)).count();
            let left = limit - i64::try_from(active).unwrap_or(i64::MAX);
            shown.set("product_limit", limit);
            shown.set("product_limit_left", if limit < 0 { -1 } else { left.max(0) });
            shown.set("settings", map([("href", self.link(&format!("{own}/settings")))]));
        }
        if let ("attributevalues", Some(attribute)) = (table.name, int(row, "attribute_id")) {
            shown.remove("attribute_id");
            shown.set("parent", map([("href", self.link(&format!("attributes/{attribute}")))]));
        }
        if let ("invoices", Some(order)) = (table.name, int(row, "order_id")) {
            shown.remove("order_id");
            shown.set("order", self.link(&format!("orders/{order}")));
        }
        shown
    }
}

fn carries(books: &Books, table: &Table) -> bool {
    match table.name {
        "orders" => books.options.orders_expand == Expand::Honoured,
        "products" => books.options.products_expand == Expand::Honoured,
        _ => true,
    }
}

/// Rows that live within their order or invoice.
fn own_rows<'a>(books: &'a Books, member: &str, parent: i64) -> Vec<&'a Map> {
    let table = if member == "order_id" { "orders" } else { "invoices" };
    let rows = books.row(table, parent).and_then(|row| row.get("_rows")).and_then(Value::as_list);
    rows.unwrap_or_default().iter().filter_map(Value::as_map).collect()
}

fn passes(books: &Books, value: Option<&Value>, wanted: &str, test: Test) -> bool {
    let Some(value) = value else { return false };
    if let (Some(number), Ok(bound)) = (value.as_decimal(), wanted.parse::<Decimal>()) {
        return match test {
            Test::AtLeast => number >= bound,
            Test::AtMost => number <= bound,
            _ => number == bound,
        };
    }
    match value {
        Value::Bool(truth) => *truth == matches!(wanted, "true" | "1"),
        Value::Text(found) => {
            let (found, is_exact) = (found.as_str(), !books.options.filters_are_loose);
            // Moments are all in UTC and written alike, so their texts sort as they do.
            let wanted = if books.options.dates_count_by_day && test != Test::Equal {
                wanted.get(..10).unwrap_or(wanted)
            } else {
                wanted
            };
            match test {
                Test::Equal if is_exact => found == wanted,
                Test::Equal | Test::Contains => found.to_lowercase().contains(&wanted.to_lowercase()),
                Test::AtLeast => found >= wanted,
                Test::AtMost => found <= wanted || found.starts_with(wanted),
            }
        }
        _ => false,
    }
}

fn compare(left: Option<&Value>, right: Option<&Value>) -> Ordering {
    let (left, right) = (left.unwrap_or(&Value::Null), right.unwrap_or(&Value::Null));
    match (left.as_decimal(), right.as_decimal()) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => left.as_str().unwrap_or_default().cmp(right.as_str().unwrap_or_default()),
    }
}

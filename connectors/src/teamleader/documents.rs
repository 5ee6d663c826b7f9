//! Lines, discounts and terms of quotations, orders, invoices and credit notes: sections of
//! lines on the wire, one list of lines here.

use rust_decimal::Decimal;

use super::Conversation;
use super::kept::term;
use super::wire::{Shape, decimal, map, money, plain, put, skip, text};
use crate::contract::RemoteError;
use crate::record::{Map, Record, Value};

/// Most products that one call is asked for.
const PRODUCTS: usize = 100;

impl Conversation {
    /// The lines of a document of theirs, in one list.
    pub(super) async fn read_lines(&self, shape: &Shape, row: &Map) -> Result<Vec<Value>, RemoteError> {
        let groups = row.get("grouped_lines").and_then(Value::as_list).unwrap_or_default();
        let mut lines: Vec<Record> = Vec::new();
        for group in groups.iter().filter_map(Value::as_map) {
            let title = text(group, "section.title");
            let items = group.get("line_items").and_then(Value::as_list).unwrap_or_default();
            for item in items.iter().filter_map(Value::as_map) {
                let mut line = shape.read_item("lines", item);
                line.set("position", i64::try_from(lines.len() + 1).unwrap_or(i64::MAX));
                if let Some(title) = title {
                    line.set("section", title);
                }
                lines.push(line);
            }
        }
        let codes = self.codes(&lines).await?;
        for line in &mut lines {
            self.add_tax_rate(line).await?;
            let code = text(line, "product_id").and_then(|id| codes.iter().find(|(known, _)| known == id));
            if let Some((_, code)) = code {
                line.set("sku", code.as_str());
            }
        }
        Ok(lines.into_iter().map(Value::Map).collect())
    }

    /// Identifiers and codes of the products on some lines.
    async fn codes(&self, lines: &[Record]) -> Result<Vec<(String, String)>, RemoteError> {
        let mut ids: Vec<Value> = Vec::new();
        for id in lines.iter().filter_map(|line| line.get("product_id")) {
            if !ids.contains(id) {
                ids.push(id.clone());
            }
        }
        let mut codes = Vec::new();
        for ids in ids.chunks(PRODUCTS) {
            let mut body = Map::new();
            put(&mut body, "filter.ids", ids.to_vec());
            body.set("page", super::kept::page(PRODUCTS, 1));
            for row in self.client.list("products.list", &body).await? {
                if let (Some(id), Some(code)) = (text(&row, "id"), text(&row, "code")) {
                    codes.push((id.to_owned(), code.to_owned()));
                }
            }
        }
        Ok(codes)
    }

    /// Lines of ours as their sections: neighbours with the same title stand together.
    pub(super) async fn write_lines(
        &self,
        shape: &Shape,
        lines: &[Value],
        department: &str,
    ) -> Result<Value, RemoteError> {
        let mut groups: Vec<(Option<String>, Vec<Value>)> = Vec::new();
        for (at, line) in lines.iter().enumerate() {
            let place = format!("lines[{at}].");
            let Value::Map(line) = line else {
                return Err(skip(format!("`lines[{at}]` is {}, not a record", line.kind())));
            };
            let item = self.write_line(shape, line, department, &place).await?;
            let section = text(line, "section").map(str::to_owned);
            match groups.last_mut() {
                Some((title, items)) if *title == section => items.push(Value::Map(item)),
                _ => groups.push((section, vec![Value::Map(item)])),
            }
        }
        let group = |(title, items): (Option<String>, Vec<Value>)| {
            let mut group = Map::new();
            // A section without a title is refused.
            if let Some(title) = title {
                put(&mut group, "section.title", title);
            }
            group.set("line_items", items);
            Value::Map(group)
        };
        Ok(Value::List(groups.into_iter().map(group).collect()))
    }

    async fn write_line(
        &self,
        shape: &Shape,
        line: &Record,
        department: &str,
        place: &str,
    ) -> Result<Map, RemoteError> {
        let mut item = shape.write_item("lines", line, place)?;
        for name in ["description", "quantity", "unit_price"] {
            if item.get(name).is_none_or(Value::says_nothing) {
                return Err(skip(format!("`{place}{name}` is missing")));
            }
        }
        put(&mut item, "unit_price.tax", "excluding");
        let Some(rate) = self.tax_rate(line, department, place).await? else {
            return Err(skip(format!("`{place}tax_rate_id` is missing"))
                .with_help("give it, or the name of the rate in `tax_rate`, or its percentage in `vat_rate`"));
        };
        item.set("tax_rate_id", rate);
        if text(line, "product_id").is_none()
            && let Some(sku) = text(line, "sku")
        {
            let id = self.product_by_code(sku).await?.ok_or_else(|| {
                skip(format!("{place}there is no product with the code `{sku}`"))
                    .with_help("make it in Teamleader, or let the product flow bring it")
            })?;
            item.set("product_id", id);
        }
        if let Some(discount) = line.get("discount").and_then(decimal).filter(|discount| !discount.is_zero()) {
            item.set("discount", percentage(discount, None));
        }
        if let Some(price) = line.get("purchase_price").and_then(decimal) {
            item.set("purchase_price", money(price, "EUR"));
        }
        // What says nothing is left out: most of these may not be null.
        let silent: Vec<_> =
            item.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name.clone()).collect();
        for name in silent {
            item.remove(&name);
        }
        Ok(item)
    }

    /// The identifier of the product with that code.
    pub(super) async fn product_by_code(&self, code: &str) -> Result<Option<String>, RemoteError> {
        let rows = self.rows_by_term("products", code).await?;
        let mut found = rows.iter().filter(|row| row.text("code") == Some(code));
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err(skip(format!("several products have the code `{code}`"))
                .with_help("give them different codes in Teamleader")),
            (row, _) => Ok(row.and_then(|row| text(row, "id")).map(str::to_owned)),
        }
    }
}

/// A discount of theirs.
pub(super) fn percentage(value: Decimal, description: Option<&str>) -> Value {
    let mut discount = map([("type", Value::from("percentage")), ("value", plain(value))]);
    if let Some(description) = description {
        discount.set("description", description);
    }
    Value::Map(discount)
}

/// Discounts on the whole document.
pub(super) fn discounts(record: &Record) -> Option<Value> {
    let discounts = record.get("discounts")?.as_list()?.iter().filter_map(Value::as_map);
    let one = |discount: &Map| {
        let value = discount.get("percentage").and_then(decimal)?;
        Some(percentage(value, text(discount, "description")))
    };
    Some(Value::List(discounts.filter_map(one).collect()))
}

/// What a document says of currency, customer, discounts and term, put into a body of theirs.
pub(super) fn write_head(record: &Record, body: &mut Map) {
    if let Some(code) = text(record, "currency") {
        put(body, "currency.code", code);
        if let Some(rate) = record.get("exchange_rate").and_then(decimal) {
            put(body, "currency.exchange_rate", plain(rate));
        }
    }
    if let Some(discounts) = discounts(record) {
        body.set("discounts", discounts);
    }
    if let Some(Value::Map(given)) = record.get("payment_term") {
        body.set("payment_term", term(given));
    }
    if let Some(method) = text(record, "expected_payment_method") {
        put(body, "expected_payment_method.method", method);
        if let Some(reference) = text(record, "expected_payment_reference") {
            put(body, "expected_payment_method.reference", reference);
        }
    }
}

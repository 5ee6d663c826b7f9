//! The lines of quotes, orders and invoices: articles by number, prices on the footing that the
//! service wants for the customer.

use super::layout::{Layout, Lines};
use super::wire::write_line;
use super::{Conversation, TITLE};
use crate::contract::{Advice, RemoteError};
use crate::record::{Map, Record, Value};

impl Conversation {
    /// The lines of a document in the service's words.
    pub(super) async fn rows(
        &self,
        layout: &Layout,
        customer: &str,
        lines: &Value,
    ) -> Result<Vec<Value>, RemoteError> {
        let Some(form) = layout.lines else { return Ok(Vec::new()) };
        let lines: Vec<&Record> =
            lines.as_list().unwrap_or_default().iter().filter_map(Value::as_map).collect();
        let by_number = |line: &&Record| given(line, "article_id").is_none();
        let numbers: Vec<String> = lines
            .iter()
            .filter(|line| by_number(line))
            .filter_map(|line| given(line, "article_number").and_then(Value::as_str).map(str::to_owned))
            .collect();
        self.learn_articles(&numbers).await?;
        let has_prices = lines
            .iter()
            .any(|line| given(line, "price_excl").is_some() || given(line, "price_incl").is_some());
        let with_vat = has_prices && self.prices_include_vat(customer).await?;
        let mut rows = Vec::with_capacity(lines.len());
        for (at, line) in lines.into_iter().enumerate() {
            rows.push(self.row(form, line, at, with_vat)?.into());
        }
        Ok(rows)
    }

    fn row(&self, form: Lines, line: &Record, at: usize, with_vat: bool) -> Result<Map, RemoteError> {
        let number = given(line, "article_number").and_then(Value::as_str);
        let article = match (given(line, "article_id"), number) {
            (Some(id), _) => Some(id.clone()),
            (None, Some(number)) => self.article_key(number).map(Value::from),
            (None, None) => None,
        };
        let mut row = write_line(&form, line);
        if form.numbered {
            row.set("LineNumber", i64::try_from(at).unwrap_or(0) + 1);
            row.set("IsTextRow", article.is_none());
        }
        for name in form.defaults {
            row.set(*name, false);
        }
        let Some(article) = article else {
            if given(line, "text").is_none() {
                return Err(refused(at, "has neither an article nor a text"));
            }
            for sold in ["Quantity", "DiscountPercentage"] {
                row.remove(sold);
            }
            return Ok(row);
        };
        row.set("ArticleId", article);
        let (wanted, other) =
            if with_vat { ("price_incl", "price_excl") } else { ("price_excl", "price_incl") };
        match (given(line, wanted), given(line, other)) {
            (Some(price), _) => drop(row.set("UnitPrice", price.clone())),
            (None, Some(_)) => {
                let why = if with_vat { "takes prices with VAT" } else { "takes prices without VAT" };
                return Err(refused(
                    at,
                    &format!("has no `{wanted}`, and a document of this customer {why}"),
                ));
            }
            (None, None) => {}
        }
        Ok(row)
    }
}

/// A value that says something.
fn given<'a>(line: &'a Record, field: &str) -> Option<&'a Value> {
    line.get(field).filter(|value| !value.says_nothing())
}

fn refused(at: usize, why: &str) -> RemoteError {
    RemoteError::new(Advice::SkipRecord, TITLE, format!("`lines[{at}]` {why}"))
}

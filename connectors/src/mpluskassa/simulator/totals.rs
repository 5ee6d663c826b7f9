//! What a document comes to: lines, VAT by code, totals. Exact; money is rounded half up to
//! cents, once for each line and once for each VAT code.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::super::keys::record;
use super::books::{Books, decimal, list, maps, number, text};
use super::catalog::cents;
use crate::record::Record;

/// Sums of one VAT code.
#[derive(Default)]
struct Sums {
    percentage: Decimal,
    incl: Decimal,
    excl: Decimal,
}

impl Books {
    /// Fills in what lines leave to their articles, and all totals.
    pub(super) fn count_up(&mut self, document: &mut Record) {
        let branch = text(document, "financial_branch_number").to_owned();
        let method = document.text("vat_method").unwrap_or("inclusive").to_owned();
        let untaxed = matches!(method.as_str(), "shifted" | "none");
        let mut lines: Vec<Record> = maps(document, "lines").into_iter().cloned().collect();
        let mut codes: BTreeMap<String, Sums> = BTreeMap::new();
        for line in &mut lines {
            if line.get("line_id").is_none() {
                line.set("line_id", self.uuid());
            }
            self.complete_line(line, &branch);
            let rate = decimal(line, "vat_percentage").unwrap_or_default();
            let (incl, excl) = line_totals(line, rate, &method);
            line.set("total_incl_amount", incl);
            line.set("total_excl_amount", excl);
            let sums = codes.entry(text(line, "vat_code").to_owned()).or_default();
            sums.percentage = if untaxed { Decimal::ZERO } else { rate };
            sums.incl += incl;
            sums.excl += excl;
        }
        let (mut incl, mut excl, mut groups) = (Decimal::ZERO, Decimal::ZERO, Vec::new());
        for (code, sums) in codes {
            let gross = gross(sums.percentage);
            let (of_incl, of_excl) = match method.as_str() {
                "inclusive" => (sums.incl, cents(sums.incl / gross)),
                "exclusive" => (cents(sums.excl * gross), sums.excl),
                _ => (sums.excl, sums.excl),
            };
            incl += of_incl;
            excl += of_excl;
            groups.push(record([
                ("vat_code", code.into()),
                ("vat_percentage", sums.percentage.into()),
                ("excl_amount", of_excl.into()),
                ("vat_amount", (of_incl - of_excl).into()),
            ]));
        }
        document.set("lines", list(lines));
        document.set("vat_groups", list(groups));
        document.set("total_incl_amount", incl);
        document.set("total_excl_amount", excl);
    }

    fn complete_line(&self, line: &mut Record, branch: &str) {
        let article = number(line, "article_number").and_then(|own| self.articles.get(&own));
        if let Some((_, article)) = article {
            for (own, of_article) in
                [("text", "description"), ("vat_code", "vat_code"), ("turnover_group", "turnover_group")]
            {
                if line.get(own).is_none_or(crate::record::Value::says_nothing)
                    && let Some(value) = article.get(of_article)
                {
                    line.set(own, value.clone());
                }
            }
            if decimal(line, "price").is_none() && decimal(line, "price_excl").is_none() {
                for (own, of_article) in [("price", "price_incl"), ("price_excl", "price_excl")] {
                    if let Some(price) = decimal(article, of_article) {
                        line.set(own, price);
                    }
                }
            }
        }
        if line.get("vat_code").is_none() {
            line.set("vat_code", "0");
        }
        let rate = self.vat(branch, text(line, "vat_code")).unwrap_or_default();
        line.set("vat_percentage", rate);
        for field in ["delivered_quantity", "cancelled_quantity"] {
            if line.get(field).is_none() {
                line.set(field, Decimal::ZERO);
            }
        }
    }
}

fn gross(percentage: Decimal) -> Decimal {
    Decimal::ONE + percentage / Decimal::ONE_HUNDRED
}

/// The price that the method asks for decides; the other one serves when it is missing.
fn line_totals(line: &Record, rate: Decimal, method: &str) -> (Decimal, Decimal) {
    let gross = gross(rate);
    let (price, price_excl) = (decimal(line, "price"), decimal(line, "price_excl"));
    let amount = |field| decimal(line, field).unwrap_or_default();
    let share = Decimal::ONE - amount("discount_percentage") / Decimal::ONE_HUNDRED;
    let quantity = amount("quantity") * share;
    if method == "inclusive" {
        let price = price.or_else(|| price_excl.map(|price| price * gross)).unwrap_or_default();
        let incl = cents(quantity * price - amount("discount_amount"));
        return (incl, cents(incl / gross));
    }
    let discount = decimal(line, "discount_amount_excl").unwrap_or_else(|| amount("discount_amount") / gross);
    let price = price_excl.or_else(|| price.map(|price| price / gross)).unwrap_or_default();
    let excl = cents(quantity * price - discount);
    if method == "exclusive" { (cents(excl * gross), excl) } else { (excl, excl) }
}

//! Stock by branch and article.

use rust_decimal::Decimal;

use super::super::keys::record;
use super::books::{Books, Stock, decimal, int, list, maps, number, numbers, text, truth};
use crate::record::Record;

impl Stock {
    pub(super) fn row(&self, (branch, article): (i64, i64)) -> Record {
        record([
            ("branch_number", branch.to_string().into()),
            ("article_number", article.to_string().into()),
            ("stock_id", self.id.into()),
            ("amount_free", (self.physical - self.reserved).into()),
            ("amount_reserved", self.reserved.into()),
            ("amount_incoming", self.incoming.into()),
            ("is_day_stock_article", false.into()),
        ])
    }
}

impl Books {
    /// An article that keeps stock and never had any shows with zeros when it is asked for.
    pub(super) fn get_stock(&mut self, request: &Record) -> Record {
        let branch = number(request, "branch_number").unwrap_or(0);
        let wanted = numbers(request, "article_numbers");
        let since = int(request, "stock_id").unwrap_or(0);
        let mut rows: Vec<Record> = if wanted.is_empty() {
            let own = self.stock.iter().filter(|((of, _), stock)| *of == branch && stock.id >= since);
            own.map(|(place, stock)| stock.row(*place)).collect()
        } else {
            let kept = wanted
                .into_iter()
                .filter(|article| self.keeps_stock(*article) && self.has_branch(&branch.to_string()));
            let known = kept.map(|article| {
                self.stock.get(&(branch, article)).copied().unwrap_or_default().row((branch, article))
            });
            known.filter(|row| int(row, "stock_id").unwrap_or(0) >= since).collect()
        };
        self.random.shuffle(&mut rows);
        record([("rows", list(rows))])
    }

    pub(super) fn set_stock_call(&mut self, request: &Record) -> Record {
        let refused = |result: &'static str| record([("result", result.into())]);
        if !self.has_branch(text(request, "branch_number")) {
            return refused("branch_not_found");
        }
        let article = number(request, "article_number").unwrap_or(0);
        if !self.articles.contains_key(&article) {
            return refused("article_not_found");
        }
        if !self.keeps_stock(article) {
            return refused("no_stock_article");
        }
        let branch = number(request, "branch_number").unwrap_or(0);
        let amount = decimal(request, "amount").unwrap_or_default();
        let id = self.set_free(branch, article, amount);
        record([("result", "ok".into()), ("stock_id", id.into())])
    }

    fn keeps_stock(&self, article: i64) -> bool {
        self.articles.get(&article).is_some_and(|(_, article)| truth(article, "stock_article") == Some(true))
    }

    /// Sets what is free to sell; what is reserved stays.
    pub(super) fn set_free(&mut self, branch: i64, article: i64, free: Decimal) -> i64 {
        self.change_stock(branch, article, |stock| stock.physical = free + stock.reserved)
    }

    pub(super) fn change_stock(&mut self, branch: i64, article: i64, change: impl FnOnce(&mut Stock)) -> i64 {
        let id = self.bump("stock");
        let stock = self.stock.entry((branch, article)).or_default();
        change(stock);
        stock.id = id;
        id
    }

    /// Reserves the lines of an order; a negative factor releases them.
    pub(super) fn reserve(&mut self, order: &Record, factor: Decimal) {
        self.move_stock(order, |stock, quantity| stock.reserved += quantity * factor);
    }

    /// The goods of a document leave the branch, reserved or not.
    pub(super) fn hand_over(&mut self, document: &Record, was_reserved: bool) {
        self.move_stock(document, |stock, quantity| {
            stock.physical -= quantity;
            if was_reserved {
                stock.reserved -= quantity;
            }
        });
    }

    fn move_stock(&mut self, document: &Record, change: impl Fn(&mut Stock, Decimal)) {
        let branch = number(document, "financial_branch_number").unwrap_or(1);
        for line in maps(document, "lines") {
            let article = number(line, "article_number").unwrap_or(0);
            let quantity = decimal(line, "quantity").unwrap_or_default();
            if self.keeps_stock(article) {
                self.change_stock(branch, article, |stock| change(stock, quantity));
            }
        }
    }
}

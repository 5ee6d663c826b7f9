//! Products and articles.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

use super::super::keys::record;
use super::books::{Books, decimal, int, list, maps, marker, merge, number, numbers, text, texts, truth};
use crate::record::{Record, Value};

/// Fields that only the till sets.
const READ_ONLY: [&str; 6] = [
    "sync_marker",
    "change_timestamp",
    "create_timestamp",
    "vat_percentage",
    "average_purchase_price",
    "supplier_relation_name",
];

/// Why a write was refused: the result code, and words.
type Refused = (&'static str, String);

impl Books {
    /// By numbers or by marker. The limit counts articles and splits no product: products
    /// come in the order of their highest marker until the next one would not fit.
    pub(super) fn get_products(&mut self, request: &Record) -> Record {
        let (articles, products) = (numbers(request, "article_numbers"), numbers(request, "product_numbers"));
        let (plus, groups) = (texts(request, "plu_numbers"), texts(request, "group_numbers"));
        let from = int(request, "sync_marker");
        let filtered = [articles.is_empty(), products.is_empty(), plus.is_empty()].contains(&false);
        let chosen = |number: i64, product: i64, article: &Record| {
            (!filtered
                || articles.contains(&number)
                || products.contains(&product)
                || article.text("plu_number").is_some_and(|plu| plus.contains(&plu)))
                && from.is_none_or(|from| marker(article) >= from)
                && (truth(request, "only_active") != Some(true) || truth(article, "active") == Some(true))
                && (truth(request, "only_webshop") != Some(true) || truth(article, "webshop") == Some(true))
        };
        let mut found: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for (number, (product, article)) in &self.articles {
            if chosen(*number, *product, article) {
                found.entry(*product).or_default().push(*number);
            }
        }
        if !groups.is_empty() {
            found.retain(|product, _| {
                let own = self.products.get(product).map(|product| texts(product, "group_numbers"));
                own.unwrap_or_default().iter().any(|group| groups.contains(group))
            });
        }
        // Products without articles can only be asked for by number.
        for product in products {
            if self.products.contains_key(&product) {
                found.entry(product).or_default();
            }
        }
        let whole = truth(request, "include_all_articles") == Some(true);
        let limit = from.and(int(request, "sync_marker_limit"));
        let limit = limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(1000).clamp(1, 1000);
        let highest = |numbers: &[i64]| {
            numbers
                .iter()
                .filter_map(|number| self.articles.get(number))
                .map(|(_, article)| marker(article))
                .max()
        };
        let mut order: Vec<(Option<i64>, i64)> =
            found.iter().map(|(product, numbers)| (highest(numbers), *product)).collect();
        order.sort_unstable();
        let mut count = 0;
        let mut answer = Vec::new();
        for (highest, product) in order {
            let numbers = found.remove(&product).unwrap_or_default();
            count += numbers.len();
            if from.is_some() && count > limit && !answer.is_empty() {
                break;
            }
            answer.push(self.whole_product(product, &numbers, whole, highest));
        }
        self.random.shuffle(&mut answer);
        record([("products", list(answer))])
    }

    fn whole_product(&self, product: i64, chosen: &[i64], whole: bool, highest: Option<i64>) -> Record {
        let mut record = self.products.get(&product).cloned().unwrap_or_default();
        let mut articles: Vec<Record> = self
            .articles_of(product)
            .filter(|(number, _)| whole || chosen.contains(number))
            .map(|(_, article)| article)
            .collect();
        articles.reverse();
        if let Some(highest) = highest {
            record.set("sync_marker", highest);
        }
        record.set("articles", list(articles));
        record
    }

    pub(super) fn create_product(&mut self, request: &Record) -> Record {
        let product = request.get("product").and_then(Value::as_map).cloned().unwrap_or_default();
        match self.make_product(&product) {
            Ok((number, articles, marker)) => record([
                ("result", "ok".into()),
                ("product_number", number.to_string().into()),
                (
                    "article_numbers",
                    articles.iter().map(|n| Value::from(n.to_string())).collect::<Vec<_>>().into(),
                ),
                ("change_timestamp", self.now().into()),
                ("sync_marker", marker.into()),
            ]),
            Err((result, reason)) => record([
                ("result", result.into()),
                ("product_number", "0".into()),
                ("error_message", reason.into()),
            ]),
        }
    }

    fn make_product(&mut self, sent: &Record) -> Result<(i64, Vec<i64>, i64), Refused> {
        let product = match number(sent, "product_number") {
            Some(taken) if self.products.contains_key(&taken) => {
                let reason = format!("Product number {taken} is already taken");
                return Err(("failed_product_number_already_taken", reason));
            }
            Some(free) => free,
            None => self.products.last_key_value().map_or(1001, |(last, _)| last + 1),
        };
        self.check_groups(sent)?;
        let mut made = Vec::new();
        let mut next = self.articles.last_key_value().map_or(200_001, |(last, _)| last + 1);
        for article in maps(sent, "articles") {
            let own = number(article, "article_number").unwrap_or(next);
            next = next.max(own + 1);
            if self.articles.contains_key(&own) || made.iter().any(|(other, _)| *other == own) {
                let reason = format!("Article number {own} is already taken");
                return Err(("failed_article_number_already_taken", reason));
            }
            made.push((own, self.new_article(own, article)?));
        }
        let mut record = Record::new();
        merge(&mut record, sent);
        record.remove("articles");
        record.set("product_number", product.to_string());
        self.products.insert(product, record);
        let numbers = made.iter().map(|(number, _)| *number).collect();
        for (number, article) in made {
            self.put_article(product, number, article);
        }
        self.touch_groups(product);
        Ok((product, numbers, self.markers.get("article").copied().unwrap_or(0)))
    }

    /// A new article, whole and checked.
    fn new_article(&self, number: i64, sent: &Record) -> Result<Record, Refused> {
        let mut article = Record::new();
        article.set("article_number", number.to_string());
        article.set("create_timestamp", self.now());
        for (field, value) in
            [("active", true), ("webshop", false), ("stock_article", true), ("discontinued", false)]
        {
            article.set(field, value);
        }
        self.changed_article(article, sent)
    }

    /// An article with changes, checked; the price that was not given follows the other.
    fn changed_article(&self, mut article: Record, sent: &Record) -> Result<Record, Refused> {
        let mut sent = sent.clone();
        for field in READ_ONLY {
            sent.remove(field);
        }
        merge(&mut article, &sent);
        if number(&article, "turnover_group").is_some_and(|group| group > 999) {
            let group = text(&article, "turnover_group");
            return Err(("failed", format!("Turnover group {group} is not between 0 and 999")));
        }
        let percentage = match article.text("vat_code") {
            None => None,
            Some(code) => {
                let known = self.vat(&self.default_branch(), code);
                let known = known.ok_or_else(|| ("failed", format!("VAT code {code} does not exist")))?;
                article.set("vat_percentage", known);
                Some(known)
            }
        };
        let gross = Decimal::ONE + percentage.unwrap_or_default() / Decimal::ONE_HUNDRED;
        let (incl, excl) = (decimal(&sent, "price_incl"), decimal(&sent, "price_excl"));
        match (incl, excl) {
            (Some(incl), None) => drop(article.set("price_excl", cents(incl / gross))),
            (None, Some(excl)) => drop(article.set("price_incl", cents(excl * gross))),
            (None, None) if sent.get("vat_code").is_some() => {
                if let Some(incl) = decimal(&article, "price_incl") {
                    article.set("price_excl", cents(incl / gross));
                }
            }
            _ => {}
        }
        if sent.get("price_groups").is_some() {
            article.set("price_groups", self.priced_groups(&sent, gross)?);
        }
        Ok(article)
    }

    /// Prices for groups of customers, each with VAT and without.
    fn priced_groups(&self, sent: &Record, gross: Decimal) -> Result<Value, Refused> {
        let mut groups: Vec<Record> = maps(sent, "price_groups").into_iter().cloned().collect();
        for group in &mut groups {
            let number = text(group, "price_group_number");
            if !self.price_groups.iter().any(|known| text(known, "price_group_number") == number) {
                return Err(("failed", format!("Price group {number} does not exist")));
            }
            match (decimal(group, "price_incl"), decimal(group, "price_excl")) {
                (Some(incl), None) => drop(group.set("price_excl", cents(incl / gross))),
                (None, Some(excl)) => drop(group.set("price_incl", cents(excl * gross))),
                _ => {}
            }
        }
        Ok(list(groups))
    }

    fn articles_of(&self, product: i64) -> impl Iterator<Item = (i64, Record)> {
        let numbers = self.articles_of.get(&product).into_iter().flatten();
        numbers.filter_map(|number| Some((*number, self.articles.get(number)?.1.clone())))
    }

    fn put_article(&mut self, product: i64, number: i64, mut article: Record) {
        article.set("change_timestamp", self.now());
        article.set("sync_marker", self.bump("article"));
        self.articles.insert(number, (product, article));
        self.articles_of.entry(product).or_default().insert(number);
    }

    pub(super) fn update_product(&mut self, request: &Record) -> Record {
        let product = request.get("product").and_then(Value::as_map).cloned().unwrap_or_default();
        let names = |numbers: Vec<i64>| -> Value {
            numbers.into_iter().map(|number| Value::from(number.to_string())).collect::<Vec<_>>().into()
        };
        match self.change_product(&product) {
            Ok((existing, new)) => record([
                ("result", "ok".into()),
                ("existing_article_numbers", names(existing)),
                ("new_article_numbers", names(new)),
                ("change_timestamp", self.now().into()),
                ("sync_marker", self.markers.get("article").copied().unwrap_or(0).into()),
            ]),
            Err((result, reason)) => super::books::refusal(result, reason),
        }
    }

    /// Numbers of the articles that were changed, and of those that were added.
    fn change_product(&mut self, sent: &Record) -> Result<(Vec<i64>, Vec<i64>), Refused> {
        let product = number(sent, "product_number").filter(|number| self.products.contains_key(number));
        let product = product.ok_or_else(|| {
            (
                "not_found",
                format!("Product {} does not exist", sent.text("product_number").unwrap_or("without number")),
            )
        })?;
        self.check_groups(sent)?;
        let (mut existing, mut new, mut staged) = (Vec::new(), Vec::new(), Vec::new());
        let mut next = self.articles.last_key_value().map_or(200_001, |(last, _)| last + 1);
        for article in maps(sent, "articles") {
            let own = number(article, "article_number").unwrap_or(next);
            next = next.max(own + 1);
            match self.articles.get(&own) {
                Some((of, known)) if *of == product => {
                    existing.push(own);
                    staged.push((own, self.changed_article(known.clone(), article)?));
                }
                Some(_) => {
                    let reason = format!("Article number {own} belongs to another product");
                    return Err(("failed_article_number_already_taken", reason));
                }
                None => {
                    new.push(own);
                    staged.push((own, self.new_article(own, article)?));
                }
            }
        }
        let mut outer = sent.clone();
        outer.remove("articles");
        outer.remove("sync_marker");
        if let Some(record) = self.products.get_mut(&product) {
            merge(record, &outer);
        }
        // Only articles have markers that count, so a change of the product shows on them.
        if staged.is_empty() {
            staged = self.articles_of(product).collect();
        }
        for (number, article) in staged {
            self.put_article(product, number, article);
        }
        if sent.get("group_numbers").is_some() {
            self.touch_groups(product);
        }
        Ok((existing, new))
    }

    fn check_groups(&self, product: &Record) -> Result<(), Refused> {
        let missing =
            numbers(product, "group_numbers").into_iter().find(|group| !self.groups.contains_key(group));
        missing.map_or(Ok(()), |group| Err(("failed", format!("Article group {group} does not exist"))))
    }
}

/// Half up, as the till rounds money.
pub(super) fn cents(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(2, RoundingStrategy::MidpointAwayFromZero)
}

//! What the people at the till do, for tests and the demo: set up the shop, change prices,
//! sell, deliver. Records have the fields of the connector's resources; numbers are digits.

use rust_decimal::Decimal;

use super::super::keys::record;
use super::TillSimulator;
use super::books::{Books, text};
use super::payments::show_state;
use crate::record::{Record, Value};

impl TillSimulator {
    /// Adds a branch with one workplace and the Dutch VAT codes: 1 is 21 %, 2 is 9 %, 3 is 0 %.
    pub fn add_branch(&self, number: u32, name: &str) {
        self.books().add_branch(number, name);
    }

    /// Adds a VAT code to a branch, or changes its percentage.
    pub fn set_vat_code(&self, branch: u32, code: u32, percentage: Decimal) {
        self.books().set_vat_code(branch, code, percentage);
    }

    /// Adds a payment method.
    pub fn add_payment_method(&self, method: &str, description: &str) {
        self.books().add_payment_method(method, description);
    }

    /// Adds a delivery method.
    pub fn add_delivery_method(&self, method: &str, description: &str) {
        self.books().add_delivery_method(method, description);
    }

    /// Adds an order category, the merchant's own order status.
    pub fn add_order_category(&self, number: u32, description: &str) {
        self.books().add_order_category(number, description);
    }

    /// Adds a price group.
    pub fn add_price_group(&self, number: u32, description: &str) {
        self.books().add_price_group(number, description);
    }

    /// Adds a turnover group.
    pub fn add_turnover_group(&self, number: u32, name: &str) {
        self.books().add_turnover_group(number, name);
    }

    /// Adds an employee.
    pub fn add_employee(&self, number: u32, name: &str) {
        self.books().add_employee(number.into(), name);
    }

    /// Adds an article group and gives its number; parent 0 is the top.
    #[expect(clippy::must_use_candidate, reason = "done for its effect")]
    pub fn add_article_group(&self, parent: i64, name: &str) -> String {
        let request = record([
            ("parent_group_number", parent.to_string().into()),
            ("name", name.into()),
            ("text", name.into()),
        ]);
        text(&self.books().new_group(&request), "group_number").to_owned()
    }

    /// Removes an article group with all that are below it.
    pub fn remove_article_group(&self, number: &str) {
        self.books().remove_group(number.parse().unwrap_or(0));
    }

    /// Adds articles, each as a product of its own, and gives their numbers. Fields as of
    /// `articles`; the product is called as the article.
    pub fn add_articles(&self, articles: impl IntoIterator<Item = Record>) -> Vec<String> {
        let mut books = self.books();
        let add = |mut article: Record| {
            let mut product = Record::new();
            if let Some(groups) = article.remove("group_numbers") {
                product.set("group_numbers", groups);
            }
            product.set("description", text(&article, "description").to_owned());
            product.set("articles", vec![Value::Map(article)]);
            let reply = books.create_product(&record([("product", product.into())]));
            reply
                .get("article_numbers")
                .and_then(|numbers| numbers.as_list()?.first()?.as_str().map(str::to_owned))
        };
        articles.into_iter().filter_map(add).collect()
    }

    /// Adds a product with its articles and gives its number. Fields as of `products`.
    #[expect(clippy::must_use_candidate, reason = "done for its effect")]
    pub fn add_product(&self, product: Record) -> String {
        let reply = self.books().create_product(&record([("product", product.into())]));
        text(&reply, "product_number").to_owned()
    }

    /// Changes an article as a person in the back office does.
    pub fn edit_article(&self, number: &str, changes: Record) {
        let mut books = self.books();
        let own = number.parse().unwrap_or(0);
        let Some(product) = books.articles.get(&own).map(|(product, _)| *product) else { return };
        let mut article = changes;
        article.set("article_number", number);
        let product = record([
            ("product_number", product.to_string().into()),
            ("articles", vec![Value::Map(article)].into()),
        ]);
        books.update_product(&record([("product", product.into())]));
    }

    /// Adds relations and gives their numbers. Fields as of `relations`.
    pub fn add_relations(&self, relations: impl IntoIterator<Item = Record>) -> Vec<String> {
        let mut books = self.books();
        let add = |relation: Record| {
            text(&books.create_relation(&record([("relation", relation.into())])), "relation_number")
                .to_owned()
        };
        relations.into_iter().map(add).collect()
    }

    /// Changes a relation as a person in the back office does.
    pub fn edit_relation(&self, number: &str, changes: Record) {
        let mut relation = changes;
        relation.set("relation_number", number);
        self.books().update_relation(&record([("relation", relation.into())]));
    }

    /// Counts stock: what is free to sell from now on.
    pub fn count_stock(&self, branch: i64, article: i64, free: Decimal) {
        self.books().set_free(branch, article, free);
    }

    /// Puts goods on order at the supplier.
    pub fn expect_stock(&self, branch: i64, article: i64, incoming: Decimal) {
        self.books().change_stock(branch, article, |stock| stock.incoming = incoming);
    }

    /// Sells at the counter of branch 1, paid at once, and gives the receipt's identifier.
    /// Lines as of `receipts`: article number, quantity and, where it differs, price.
    #[expect(clippy::must_use_candidate, reason = "done for its effect")]
    pub fn sell(&self, lines: Vec<Record>, method: &str) -> String {
        self.books().sell(lines, method)
    }

    /// Enters an order at the till and gives its identifier, or why not. Fields as of `orders`.
    pub fn place_order(&self, order: Record) -> Result<String, String> {
        let reply = self.books().create_order(&record([("order", order.into())]));
        match reply.text("result") {
            Some("ok") => {
                Ok(reply.at("info.order_id").and_then(Value::as_str).unwrap_or_default().to_owned())
            }
            _ => Err(text(&reply, "error_message").to_owned()),
        }
    }

    /// Changes an order as somebody at the till does; its counters rise.
    pub fn edit_order(&self, id: &str, changes: Record) {
        let mut books = self.books();
        let Some(current) = books.orders.get(id).cloned() else { return };
        let mut order = changes;
        for field in ["order_id", "change_counter", "version_number"] {
            order.set(field, current.get(field).cloned().unwrap_or_default());
        }
        books.update_order(&record([("order", order.into())]));
    }

    /// Delivers an order: its goods leave the branch.
    pub fn deliver_order(&self, id: &str) {
        let mut books = self.books();
        let Some(order) = books.orders.get(id).cloned() else { return };
        if text(&order, "delivery_state") == "nothing" && text(&order, "cancel_state") == "nothing" {
            books.hand_over(&order, true);
            books.touch_order(id, &[("delivery_state", "complete".into())]);
        }
    }

    /// Cancels an order at the till.
    pub fn cancel_order(&self, id: &str) {
        let mut books = self.books();
        let known = books.orders.get(id).is_some_and(|order| text(order, "cancel_state") == "nothing");
        if known {
            let request = record([
                ("workplace", record([("branch_number", books.default_branch().into())]).into()),
                ("employee", record([("employee_number", "999999".into())]).into()),
                ("order_id", id.into()),
            ]);
            books.cancel_order(&request);
        }
    }

    /// The order under a foreign number.
    #[must_use]
    pub fn order(&self, ext_order_id: &str) -> Option<Record> {
        self.books().orders.by_ext_id(ext_order_id).cloned()
    }

    /// All orders, in the order in which they were made.
    #[must_use]
    pub fn orders(&self) -> Vec<Record> {
        self.books().orders.all.clone()
    }

    /// All invoices.
    #[must_use]
    pub fn invoices(&self) -> Vec<Record> {
        self.books().invoices.all.clone()
    }

    /// All relations, by number.
    #[must_use]
    pub fn relations(&self) -> Vec<Record> {
        self.books().relations.values().cloned().collect()
    }

    /// All articles, by number, with the number of their product.
    #[must_use]
    pub fn articles(&self) -> Vec<Record> {
        let books = self.books();
        let row = |(product, article): &(i64, Record)| {
            let mut article = article.clone();
            article.set("product_number", product.to_string());
            article
        };
        books.articles.values().map(row).collect()
    }

    /// Stock of an article in a branch; fields as of `stock`.
    #[must_use]
    pub fn stock(&self, branch: i64, article: i64) -> Record {
        self.books().stock.get(&(branch, article)).copied().unwrap_or_default().row((branch, article))
    }
}

impl Books {
    pub(super) fn add_branch(&mut self, number: u32, name: &str) {
        let workplace = record([
            ("workplace_number", "1".into()),
            ("workplace_name", "Kassa 1".into()),
            ("is_mobile", false.into()),
        ]);
        self.branches.push(record([
            ("branch_number", number.to_string().into()),
            ("branch_name", name.into()),
            ("abbreviation", name.chars().take(3).collect::<String>().to_uppercase().into()),
            ("workplaces", vec![Value::Map(workplace)].into()),
            ("country_code", 528.into()),
            ("country_iso3", "NLD".into()),
            ("country_name", "Nederland".into()),
        ]));
        for (code, percentage) in [(1, 21), (2, 9), (3, 0)] {
            self.set_vat_code(number, code, percentage.into());
        }
    }

    pub(super) fn set_vat_code(&mut self, branch: u32, code: u32, percentage: Decimal) {
        let (branch, code) = (branch.to_string(), code.to_string());
        self.vat_codes.retain(|row| text(row, "branch_number") != branch || text(row, "vat_code") != code);
        self.vat_codes.push(record([
            ("branch_number", branch.into()),
            ("country_iso3", "NLD".into()),
            ("vat_code", code.into()),
            ("vat_percentage", percentage.into()),
        ]));
    }

    pub(super) fn add_payment_method(&mut self, method: &str, description: &str) {
        self.payment_methods.push(record([
            ("method", method.into()),
            ("description", description.into()),
            ("button_text", description.into()),
            ("allow_negative_amount", true.into()),
            ("active", true.into()),
            ("type", "payment".into()),
        ]));
    }

    pub(super) fn add_delivery_method(&mut self, method: &str, description: &str) {
        self.delivery_methods.push(record([
            ("delivery_method", method.into()),
            ("description", description.into()),
            ("button_text", description.into()),
            ("enabled", true.into()),
        ]));
    }

    pub(super) fn add_order_category(&mut self, number: u32, description: &str) {
        self.order_categories.push(record([
            ("order_category_number", number.to_string().into()),
            ("order_category_description", description.into()),
            ("allow_cancel", true.into()),
            ("allow_process", true.into()),
        ]));
    }

    pub(super) fn add_price_group(&mut self, number: u32, description: &str) {
        let row = [("price_group_number", number.to_string().into()), ("description", description.into())];
        self.price_groups.push(record(row));
    }

    pub(super) fn add_turnover_group(&mut self, number: u32, name: &str) {
        self.turnover_groups.push(record([
            ("turnover_group_type", "turnover".into()),
            ("turnover_group", number.to_string().into()),
            ("turnover_group_name", name.into()),
            ("default_vat_code", "1".into()),
        ]));
    }

    pub(super) fn add_employee(&mut self, number: i64, name: &str) {
        let employee = record([
            ("employee_number", number.to_string().into()),
            ("name", name.into()),
            ("active", true.into()),
            ("sync_marker", self.bump("employee").into()),
        ]);
        self.employees.insert(number, employee);
    }

    pub(super) fn sell(&mut self, lines: Vec<Record>, method: &str) -> String {
        let id = self.uuid();
        let branch = self.default_branch();
        let employee = self
            .employees
            .first_key_value()
            .map(|(number, employee)| (*number, text(employee, "name").to_owned()));
        let (number_of, name) = employee.unwrap_or_default();
        let mut receipt = record([
            ("receipt_id", id.as_str().into()),
            ("receipt_number", format!("{branch}.1.{}", self.next_number("receipt_number")).into()),
            ("sync_marker", self.bump("receipt").into()),
            ("receipt_type", "receipt".into()),
            ("employee_number", number_of.to_string().into()),
            ("employee_name", name.into()),
            ("entry_timestamp", self.now().into()),
            ("financial_date", self.today().into()),
            ("financial_branch_number", branch.into()),
            ("workplace_number", "1".into()),
            ("vat_method", "inclusive".into()),
            ("lines", lines.into_iter().map(Value::Map).collect::<Vec<_>>().into()),
        ]);
        self.count_up(&mut receipt);
        let total = receipt.get("total_incl_amount").cloned().unwrap_or_default();
        let payment = record([("method", method.into()), ("amount", total)]);
        let payments = self.booked(vec![payment]);
        receipt.set("payments", super::books::list(payments));
        show_state(&mut receipt);
        self.hand_over(&receipt, false);
        self.receipts.add(&id, None, receipt);
        id
    }

    /// Numbers of the articles that the books have, lowest first.
    pub(super) fn some_articles(&self) -> Vec<i64> {
        self.articles.keys().copied().take(200).collect()
    }

    /// An order that can still be paid.
    pub(super) fn open_order(&self, nth: usize) -> Option<&Record> {
        let open: Vec<&Record> = self
            .orders
            .all
            .iter()
            .filter(|order| {
                text(order, "complete_state") == "nothing" && text(order, "cancel_state") == "nothing"
            })
            .collect();
        open.get(nth.checked_rem(open.len())?).copied()
    }

    /// A product and an article group that it is not in, different for each number.
    pub(super) fn free_membership(&self, nth: usize) -> Option<(i64, i64)> {
        let free = self.groups.keys().flat_map(|group| {
            let outside = self
                .products
                .iter()
                .filter(move |(_, product)| !super::books::numbers(product, "group_numbers").contains(group));
            outside.map(move |(product, _)| (*group, *product))
        });
        let free: Vec<(i64, i64)> = free.collect();
        free.get(nth.checked_rem(free.len())?).copied()
    }

    /// The relation with the lowest number.
    pub(super) fn first_relation(&self) -> String {
        self.relations.first_key_value().map(|(number, _)| number.to_string()).unwrap_or_default()
    }

    /// Lines of a document, as records.
    pub(super) fn line(article: i64, quantity: i64, price: Option<Decimal>) -> Record {
        let mut line = record([
            ("article_number", article.to_string().into()),
            ("quantity", Decimal::from(quantity).into()),
        ]);
        if let Some(price) = price {
            line.set("price", price);
            line.set("vat_code", "1");
        }
        line
    }
}

//! Orders: making, changing, cancelling.

use rust_decimal::Decimal;

use super::super::keys::record;
use super::books::{Books, decimal, int, maps, merge, number, refusal, text, texts, truth};
use crate::record::{Record, Value};

/// Fields that only the till sets.
const READ_ONLY: [&str; 17] = [
    "sync_marker",
    "employee_name",
    "relation_name",
    "relation_vat_number",
    "total_incl_amount",
    "total_excl_amount",
    "vat_groups",
    "change_counter",
    "version_number",
    "prepaid_amount",
    "fully_paid",
    "delivery_state",
    "cancel_state",
    "complete_state",
    "order_number",
    "order_barcode",
    "order_category_description",
];

/// Fields of a line that only the till sets.
const READ_ONLY_OF_LINES: [&str; 6] = [
    "plu_number",
    "delivered_quantity",
    "cancelled_quantity",
    "vat_percentage",
    "total_incl_amount",
    "total_excl_amount",
];

impl Books {
    pub(super) fn get_orders(&mut self, request: &Record) -> Record {
        let (ids, numbers) = (texts(request, "order_ids"), texts(request, "order_numbers"));
        let relations = texts(request, "relation_numbers");
        let has = |wanted: &[&str], value: &str| wanted.is_empty() || wanted.contains(&value);
        let chosen = self.orders.all.iter().filter(|order| {
            has(&ids, text(order, "order_id"))
                && has(&numbers, text(order, "order_number"))
                && has(&relations, text(order, "relation_number"))
                && !matches!(text(order, "order_type"), "table_order" | "cafeteria_order")
        });
        let mut chosen: Vec<Record> = chosen.cloned().collect();
        if truth(request, "include_lines") == Some(false) {
            for order in &mut chosen {
                order.remove("lines");
            }
        }
        record([("orders", self.marked(chosen, request))])
    }

    pub(super) fn get_orders_by_ext_ids(&mut self, request: &Record) -> Record {
        let wanted = texts(request, "ext_order_ids");
        let chosen = wanted.iter().filter_map(|id| self.orders.by_ext_id(id)).cloned().collect();
        record([("orders", self.marked(chosen, request))])
    }

    pub(super) fn create_order(&mut self, request: &Record) -> Record {
        let sent = request.get("order").and_then(Value::as_map).cloned().unwrap_or_default();
        let info = |id: &str, name: &str| {
            record([("order_id", id.into()), ("order_string", name.into()), ("order_queued", false.into())])
        };
        let refused = |result: &'static str, reason: String| {
            let mut reply = refusal(result, reason);
            reply.set("info", info("", ""));
            reply
        };
        let ext_id = text(&sent, "ext_order_id").to_owned();
        if ext_id.is_empty() {
            return refused("failed", "An external order needs an extOrderId".into());
        }
        if self.orders.by_ext_id(&ext_id).is_some() {
            return refused("ext_order_id_already_exists", format!("extOrderId {ext_id} already exists"));
        }
        let mut order = Record::new();
        merge(&mut order, &without(&sent, &READ_ONLY));
        order.remove("payments");
        clean_lines(&mut order);
        if let Err(reason) = self.check_order(&mut order) {
            return refused("failed", reason);
        }
        let id = self.uuid();
        order.set("order_id", id.as_str());
        self.count_up(&mut order);
        let payments: Vec<Record> = maps(request, "payments").into_iter().cloned().collect();
        let prepay = truth(request, "prepay") == Some(true);
        let total = decimal(&order, "total_incl_amount").unwrap_or_default();
        if !payments.is_empty()
            && let Err((result, reason)) = self.check_payments(&payments, total, prepay)
        {
            let mut reply = refused("payment_failed", reason);
            reply.set("pay_result", result);
            return reply;
        }
        let number = self.next_number("order_number");
        for (field, value) in [
            ("order_number", Value::from(number.as_str())),
            ("entry_timestamp", order.get("entry_timestamp").cloned().unwrap_or_else(|| self.now().into())),
            ("change_counter", 1.into()),
            ("version_number", 1.into()),
            ("delivery_state", "nothing".into()),
            ("cancel_state", "nothing".into()),
            ("complete_state", "nothing".into()),
            ("sync_marker", self.bump("order").into()),
        ] {
            order.set(field, value);
        }
        show_paid(&mut order);
        self.reserve(&order, Decimal::ONE);
        self.orders.add(&id, Some(&ext_id), order);
        let mut reply = record([("result", "ok".into()), ("info", info(&id, &number).into())]);
        if !payments.is_empty() {
            let invoice = self.book_payments(&id, payments, prepay);
            reply.set("pay_result", "ok");
            if let Some(invoice) = invoice {
                reply.set("invoice_id", invoice);
            }
        }
        reply.set("order", self.orders.get(&id).cloned().unwrap_or_default());
        reply
    }

    /// What an order must refer to; fills in the names that it shows.
    pub(super) fn check_order(&self, order: &mut Record) -> Result<(), String> {
        let entry = order.text("entry_branch_number").map_or_else(|| self.default_branch(), str::to_owned);
        for branch in [entry.as_str(), order.text("financial_branch_number").unwrap_or(&entry)] {
            if !self.has_branch(branch) {
                return Err(format!("Branch {branch} does not exist"));
            }
        }
        if entry != self.default_branch() && order.text("workplace_number").is_none() {
            return Err(format!("A workplace number is needed for branch {entry}"));
        }
        let financial = order.text("financial_branch_number").unwrap_or(&entry).to_owned();
        self.check_people(order)?;
        let has = |rows: &[Record], field: &str, value: Option<&str>| {
            value.is_none_or(|value| rows.iter().any(|row| text(row, field) == value))
        };
        if !has(&self.delivery_methods, "delivery_method", order.text("delivery_method")) {
            return Err(format!("Delivery method {} does not exist", text(order, "delivery_method")));
        }
        if !has(&self.payment_methods, "method", order.text("payment_method")) {
            return Err(format!("Payment method {} does not exist", text(order, "payment_method")));
        }
        let category = order.text("order_category_number").map(str::to_owned);
        if !has(&self.order_categories, "order_category_number", category.as_deref()) {
            return Err(format!("Order category {} does not exist", category.unwrap_or_default()));
        }
        let row =
            self.order_categories.iter().find(|row| row.text("order_category_number") == category.as_deref());
        if let Some(name) = row.and_then(|row| row.get("order_category_description")) {
            order.set("order_category_description", name.clone());
        }
        order.set("entry_branch_number", entry);
        order.set("financial_branch_number", financial);
        if order.get("order_type").is_none() {
            order.set("order_type", "sales_order");
        }
        self.check_lines(order)
    }

    /// Relation and employee of an order or invoice.
    pub(super) fn check_people(&self, document: &mut Record) -> Result<(), String> {
        let relation = number(document, "relation_number").and_then(|own| self.relations.get(&own));
        let relation = relation.ok_or_else(|| match document.text("relation_number") {
            Some(own) => format!("Relation {own} does not exist"),
            None => "A relation is required".to_owned(),
        })?;
        let employee = number(document, "employee_number").and_then(|own| self.employees.get(&own));
        let employee = employee.ok_or_else(|| match document.text("employee_number") {
            Some(own) => format!("Employee {own} does not exist"),
            None => "An employee is required".to_owned(),
        })?;
        for (field, value) in [
            ("relation_name", relation.get("name")),
            ("relation_vat_number", relation.get("vat_number")),
            ("employee_name", employee.get("name")),
        ] {
            if let Some(value) = value {
                document.set(field, value.clone());
            }
        }
        for (field, default) in [("vat_method", "inclusive".to_owned()), ("financial_date", self.today())] {
            if document.get(field).is_none() {
                document.set(field, default);
            }
        }
        Ok(())
    }

    pub(super) fn check_lines(&self, document: &Record) -> Result<(), String> {
        let branch =
            document.text("financial_branch_number").map_or_else(|| self.default_branch(), str::to_owned);
        for line in maps(document, "lines") {
            let article = number(line, "article_number").unwrap_or(0);
            if !self.articles.contains_key(&article) {
                return Err(format!("Article {article} does not exist"));
            }
            if let Some(code) = line.text("vat_code")
                && self.vat(&branch, code).is_none()
            {
                return Err(format!("VAT code {code} does not exist in branch {branch}"));
            }
        }
        Ok(())
    }

    pub(super) fn update_order(&mut self, request: &Record) -> Record {
        let sent = request.get("order").and_then(Value::as_map).cloned().unwrap_or_default();
        let id = text(&sent, "order_id").to_owned();
        let info = record([("order_id", id.as_str().into()), ("order_string", "".into())]);
        let answer = |result: &'static str, reason: &str| {
            let mut reply = refusal(result, reason);
            reply.set("info", info.clone());
            reply
        };
        let Some(current) = self.orders.get(&id).cloned() else {
            return answer("not_found", "The order does not exist");
        };
        let counters = ["change_counter", "version_number"];
        if counters.iter().any(|field| int(&sent, field) != int(&current, field)) {
            return answer("order_has_changed", "The order has been changed by someone else");
        }
        if text(&current, "cancel_state") == "complete" || text(&current, "complete_state") == "complete" {
            return answer("failed", "The order can no longer be changed");
        }
        let mut changes = without(&sent, &READ_ONLY);
        changes.remove("ext_order_id");
        changes.remove("payments");
        clean_lines(&mut changes);
        let mut after = current.clone();
        merge(&mut after, &changes);
        if let Err(reason) = self.check_order(&mut after) {
            return answer("failed", &reason);
        }
        self.count_up(&mut after);
        if after == current {
            return answer("no_changes", "Order not saved because there were no changes in the order.");
        }
        let counted = |field: &str| int(&current, field).unwrap_or(0) + 1;
        after.set("change_counter", counted("change_counter"));
        if after.get("lines") != current.get("lines") {
            after.set("version_number", counted("version_number"));
        }
        after.set("sync_marker", self.bump("order"));
        show_paid(&mut after);
        self.reserve(&current, Decimal::NEGATIVE_ONE);
        self.reserve(&after, Decimal::ONE);
        if let Some(order) = self.orders.get_mut(&id) {
            order.clone_from(&after);
        }
        record([("result", "ok".into()), ("order", after.into()), ("info", info.into())])
    }

    /// Cancels an order; cancelling it again brings it back.
    pub(super) fn cancel_order(&mut self, request: &Record) -> Record {
        let answer = |result: &'static str, reason: &str| {
            record([("result", result.into()), ("message", reason.into())])
        };
        let at = |path: &str| request.at(path).and_then(Value::as_str).unwrap_or_default().to_owned();
        let employee = at("employee.employee_number").parse().unwrap_or(0);
        if !self.has_branch(&at("workplace.branch_number")) || !self.employees.contains_key(&employee) {
            return answer("failed", "The workplace or the employee does not exist");
        }
        let Some(order) = self.orders.get(text(request, "order_id")).cloned() else {
            return answer("not_found", "The order does not exist");
        };
        if text(&order, "complete_state") == "complete" {
            return answer("failed", "The order is finished");
        }
        let undo = text(&order, "cancel_state") == "complete";
        self.reserve(&order, if undo { Decimal::ONE } else { Decimal::NEGATIVE_ONE });
        let state = if undo { "nothing" } else { "complete" };
        self.touch_order(text(request, "order_id"), &[("cancel_state", state.into())]);
        answer(if undo { "undo_cancel_ok" } else { "ok" }, "")
    }

    /// Changes fields of an order and counts the change.
    pub(super) fn touch_order(&mut self, id: &str, fields: &[(&'static str, Value)]) {
        let marker = self.bump("order");
        let Some(order) = self.orders.get_mut(id) else { return };
        let counter = int(order, "change_counter").unwrap_or(0) + 1;
        for (field, value) in fields {
            order.set(*field, value.clone());
        }
        order.set("change_counter", counter);
        order.set("sync_marker", marker);
        show_paid(order);
    }

    /// Year and the next number of a kind of document.
    pub(super) fn next_number(&mut self, kind: &'static str) -> String {
        let year = self.today().get(..4).unwrap_or("2026").to_owned();
        format!("{year}.{}", self.bump(kind))
    }
}

/// What was paid, and whether that is all.
pub(super) fn show_paid(order: &mut Record) {
    let paid: Decimal =
        maps(order, "payments").into_iter().filter_map(|payment| decimal(payment, "amount")).sum();
    let total = decimal(order, "total_incl_amount").unwrap_or_default();
    order.set("prepaid_amount", paid);
    order.set("fully_paid", paid >= total);
}

/// The record without fields that only the till sets.
pub(super) fn without(sent: &Record, read_only: &[&str]) -> Record {
    sent.iter()
        .filter(|(field, _)| !read_only.contains(&field.as_str()))
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect()
}

pub(super) fn clean_lines(document: &mut Record) {
    let Some(Value::List(lines)) = document.get_mut("lines") else { return };
    for line in lines {
        if let Value::Map(line) = line {
            *line = without(line, &READ_ONLY_OF_LINES);
            let empty: Vec<_> =
                line.iter().filter(|(_, v)| v.says_nothing()).map(|(field, _)| field.clone()).collect();
            for field in empty {
                line.remove(&field);
            }
        }
    }
}

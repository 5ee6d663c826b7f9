//! Payments on orders and invoices, and what a paid order becomes.

use rust_decimal::Decimal;

use super::super::keys::record;
use super::books::{Books, decimal, list, maps, refusal, text, truth};
use crate::record::{Record, Value};

impl Books {
    /// Every method must exist; without `prepay` the whole must be covered.
    pub(super) fn check_payments(
        &self,
        payments: &[Record],
        open: Decimal,
        prepay: bool,
    ) -> Result<(), (&'static str, String)> {
        for payment in payments {
            let method = text(payment, "method");
            if !self.payment_methods.iter().any(|known| text(known, "method") == method) {
                return Err(("failed", format!("Payment method {method} does not exist")));
            }
        }
        let paid = sum(payments);
        if !prepay && paid < open {
            return Err(("payment_insufficient", format!("{paid} is less than the open amount {open}")));
        }
        Ok(())
    }

    pub(super) fn pay_order(&mut self, request: &Record) -> Record {
        let Some(order) = self.orders.get(text(request, "order_id")).cloned() else {
            return refusal("failed", "The order does not exist");
        };
        if text(&order, "complete_state") == "complete" {
            return refusal("order_already_invoiced", "The order is invoiced already");
        }
        if text(&order, "cancel_state") == "complete" {
            return refusal("failed", "The order is cancelled");
        }
        let payments: Vec<Record> = maps(request, "payments").into_iter().cloned().collect();
        let prepay = truth(request, "prepay") == Some(true);
        let amount = |field| decimal(&order, field).unwrap_or_default();
        let open = amount("total_incl_amount") - amount("prepaid_amount");
        if let Err((result, reason)) = self.check_payments(&payments, open, prepay) {
            return refusal(result, reason);
        }
        let invoice = self.book_payments(text(&order, "order_id"), payments, prepay);
        let mut reply = record([("result", "ok".into())]);
        if let Some(invoice) = invoice {
            reply.set("invoice_id", invoice);
        }
        reply
    }

    /// Books payments that were checked. Without `prepay` the order becomes a sale: its goods
    /// leave, and an invoice is made.
    pub(super) fn book_payments(
        &mut self,
        order: &str,
        payments: Vec<Record>,
        prepay: bool,
    ) -> Option<String> {
        let payments = self.booked(payments);
        let mut all: Vec<Record> =
            self.orders.get(order).map(|order| maps(order, "payments").into_iter().cloned().collect())?;
        all.extend(payments);
        self.touch_order(order, &[("payments", list(all))]);
        (!prepay).then(|| self.finish(order))
    }

    /// Payments with what the till adds.
    pub(super) fn booked(&mut self, payments: Vec<Record>) -> Vec<Record> {
        let today = self.today();
        let mut booked = Vec::new();
        for mut payment in payments {
            payment.set("payment_id", self.uuid());
            payment.set("financial_date", today.as_str());
            let method = text(&payment, "method").to_owned();
            let known = self.payment_methods.iter().find(|known| text(known, "method") == method);
            if let Some(name) = known.and_then(|known| known.get("description")) {
                payment.set("description", name.clone());
            }
            booked.push(payment);
        }
        booked
    }

    /// The order becomes a sale; answers with its invoice.
    pub(super) fn finish(&mut self, id: &str) -> String {
        let order = self.orders.get(id).cloned().unwrap_or_default();
        self.hand_over(&order, true);
        self.touch_order(id, &[("complete_state", "complete".into()), ("delivery_state", "complete".into())]);
        let mut invoice = order.clone();
        for field in [
            "order_id",
            "ext_order_id",
            "order_number",
            "order_type",
            "order_category_number",
            "order_category_description",
            "delivery_method",
            "payment_method",
        ] {
            invoice.remove(field);
        }
        invoice.set("order_ids", vec![Value::from(id)]);
        invoice.set("ext_order_ids", vec![order.get("ext_order_id").cloned().unwrap_or_default()]);
        let payments = order.get("payments").cloned().unwrap_or_default();
        self.book_invoice(invoice, None, payments)
    }

    pub(super) fn pay_invoice(&mut self, request: &Record) -> Record {
        let id = text(request, "invoice_id").to_owned();
        let Some(mut invoice) = self.invoices.get(&id).cloned() else {
            return refusal("failed", "The invoice does not exist");
        };
        let payments: Vec<Record> = maps(request, "payments").into_iter().cloned().collect();
        if let Err((_, reason)) = self.check_payments(&payments, Decimal::ZERO, true) {
            return refusal("failed", reason);
        }
        let amount = |field| decimal(&invoice, field).unwrap_or_default();
        let open = amount("total_incl_amount") - amount("paid_amount");
        if sum(&payments) > open {
            return refusal("payment_too_high", "Payment exceeds outstanding amount");
        }
        let mut all: Vec<Record> = maps(&invoice, "payments").into_iter().cloned().collect();
        all.extend(self.booked(payments));
        invoice.set("payments", list(all));
        invoice.set("sync_marker", self.bump("invoice"));
        show_state(&mut invoice);
        if let Some(known) = self.invoices.get_mut(&id) {
            *known = invoice;
        }
        record([("result", "ok".into())])
    }
}

fn sum(payments: &[Record]) -> Decimal {
    payments.iter().filter_map(|payment| decimal(payment, "amount")).sum()
}

/// What was paid of an invoice or receipt, and what that makes it.
pub(super) fn show_state(document: &mut Record) {
    let paid: Decimal =
        maps(document, "payments").into_iter().filter_map(|payment| decimal(payment, "amount")).sum();
    let total = decimal(document, "total_incl_amount").unwrap_or_default();
    document.set("paid_amount", paid);
    document.set(
        "state",
        match paid {
            _ if total.is_sign_negative() && !total.is_zero() => "outstanding_credit",
            paid if paid >= total => "paid",
            paid if paid.is_zero() => "outstanding",
            _ => "partly_paid",
        },
    );
}

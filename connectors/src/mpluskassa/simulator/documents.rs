//! Invoices and receipts.

use super::super::keys::record;
use super::books::{Books, merge, refusal, text, texts, truth};
use super::orders::{clean_lines, without};
use super::payments::show_state;
use crate::record::{Record, Value};

/// Fields of an invoice that only the till sets.
const READ_ONLY: [&str; 13] = [
    "sync_marker",
    "invoice_number",
    "employee_name",
    "relation_name",
    "relation_vat_number",
    "total_incl_amount",
    "total_excl_amount",
    "vat_groups",
    "change_counter",
    "version_number",
    "paid_amount",
    "state",
    "finalized",
];

impl Books {
    pub(super) fn get_invoices(&mut self, request: &Record) -> Record {
        let chosen = chosen(
            &self.invoices.all,
            request,
            ["invoice_id", "invoice_ids"],
            ["invoice_number", "invoice_numbers"],
        );
        record([("invoices", self.marked(chosen, request))])
    }

    pub(super) fn get_receipts(&mut self, request: &Record) -> Record {
        let mut chosen = chosen(&self.receipts.all, request, ["receipt_id", "receipt_ids"], ["", ""]);
        if truth(request, "include_orders") != Some(true) {
            for receipt in &mut chosen {
                receipt.remove("order_ids");
                receipt.remove("ext_order_ids");
            }
        }
        record([("receipts", self.marked(chosen, request))])
    }

    pub(super) fn save_invoice(&mut self, request: &Record) -> Record {
        let sent = request.get("invoice").and_then(Value::as_map).cloned().unwrap_or_default();
        let refused = |result: &'static str, reason: String| {
            let mut reply = refusal(result, reason);
            reply.set("info", record([("invoice_id", "".into()), ("invoice_string", "".into())]));
            reply
        };
        if !text(&sent, "invoice_id").is_empty() {
            return refused("not_found", "This till changes no invoices".into());
        }
        let ext_id = sent.text("ext_invoice_id").filter(|id| !id.is_empty()).map(str::to_owned);
        if ext_id.as_ref().is_some_and(|id| self.invoices.by_ext_id(id).is_some()) {
            return refused("ext_invoice_id_already_exists", "extInvoiceId already exists".into());
        }
        let mut invoice = Record::new();
        merge(&mut invoice, &without(&sent, &READ_ONLY));
        invoice.remove("payments");
        clean_lines(&mut invoice);
        let default = self.default_branch();
        let branch = invoice.text("financial_branch_number").unwrap_or(&default).to_owned();
        if !self.has_branch(&branch) {
            return refused("failed", format!("Branch {branch} does not exist"));
        }
        invoice.set("financial_branch_number", branch);
        let checked = self.check_people(&mut invoice).and_then(|()| self.check_lines(&invoice));
        if let Err(reason) = checked {
            return refused("failed", reason);
        }
        self.count_up(&mut invoice);
        self.hand_over(&invoice, false);
        let id = self.book_invoice(invoice, ext_id.as_deref(), Value::Null);
        let number = self.invoices.get(&id).map(|invoice| text(invoice, "invoice_number").to_owned());
        let number = number.unwrap_or_default();
        let info = record([
            ("invoice_id", id.into()),
            ("invoice_string", number.as_str().into()),
            ("invoice_number", number.as_str().into()),
        ]);
        record([("result", "ok".into()), ("info", info.into())])
    }

    /// Puts an invoice that was checked and counted up into the books.
    pub(super) fn book_invoice(
        &mut self,
        mut invoice: Record,
        ext_id: Option<&str>,
        payments: Value,
    ) -> String {
        let id = self.uuid();
        let number = self.next_number("invoice_number");
        for (field, value) in [
            ("invoice_id", Value::from(id.as_str())),
            ("invoice_number", number.into()),
            ("invoice_type", invoice.get("invoice_type").cloned().unwrap_or_else(|| "invoice".into())),
            ("entry_timestamp", self.now().into()),
            ("change_counter", 1.into()),
            ("version_number", 1.into()),
            ("finalized", true.into()),
            ("sync_marker", self.bump("invoice").into()),
        ] {
            invoice.set(field, value);
        }
        if !payments.is_null() {
            invoice.set("payments", payments);
        }
        show_state(&mut invoice);
        self.invoices.add(&id, ext_id, invoice);
        id
    }
}

/// Documents by their identifiers, numbers and relations, as far as asked.
fn chosen(all: &[Record], request: &Record, id: [&str; 2], number: [&str; 2]) -> Vec<Record> {
    let relations = texts(request, "relation_numbers");
    let has = |[field, list]: [&str; 2], row: &Record| {
        let wanted = texts(request, list);
        wanted.is_empty() || wanted.contains(&text(row, field))
    };
    let mut chosen: Vec<Record> = all
        .iter()
        .filter(|row| {
            has(id, row)
                && has(number, row)
                && (relations.is_empty() || relations.contains(&text(row, "relation_number")))
        })
        .cloned()
        .collect();
    if truth(request, "include_lines") == Some(false) {
        for row in &mut chosen {
            row.remove("lines");
        }
    }
    chosen
}

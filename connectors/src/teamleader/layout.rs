//! Where each kind of record lives and how it is listed: a table, read by the code that
//! fetches, finds and writes.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::wire::{Name, Shape};
use super::{MANIFEST, TITLE};
use crate::contract::{Advice, RemoteError};

/// How one resource is reached.
#[derive(Debug)]
pub(super) struct Layout {
    /// Our name of the resource.
    pub(super) resource: &'static str,
    /// What its actions begin with: `companies` of `companies.list`.
    pub(super) area: &'static str,
    names: &'static [Name],
    pub(super) list: List,
    /// What is embedded in a list on request.
    pub(super) includes: &'static str,
    /// Fields that the list filters by.
    pub(super) filters: &'static [(&'static str, Filter)],
    /// The action that creates.
    pub(super) create: &'static str,
    /// What has custom fields of that context.
    pub(super) context: Option<&'static str>,
}

/// How a resource is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    /// In pages, ascending by moment of change.
    Ascending,
    /// In pages, in an order that says nothing about changes.
    Shifting {
        /// The list can be asked for what changed since a moment.
        since: bool,
        /// What to sort by, where anything is understood.
        sort: &'static str,
    },
    /// In pages of things that hardly change, all of which are kept.
    Kept,
    /// Without pages, and kept too.
    Whole,
    /// Not at all.
    Not,
}

/// How the value of a filter is written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Filter {
    /// As it is, under that name.
    Plain(&'static str),
    /// As a list of one.
    Listed(&'static str),
    /// Teamleader has no such filter: what it lists is filtered here.
    Here,
}

const PLAIN: Layout = Layout {
    resource: "",
    area: "",
    names: &[],
    list: List::Not,
    includes: "",
    filters: &[],
    create: "",
    context: None,
};

/// What the account has set up: small lists that are kept.
const fn kept(resource: &'static str, area: &'static str, list: List, names: &'static [Name]) -> Layout {
    Layout { resource, area, names, list, ..PLAIN }
}

const DEPARTMENT: Name = Name::reference("department_id", "department");

/// Fields of a document's lines.
macro_rules! with_lines {
    ($($name:expr),* $(,)?) => {
        &[
            Name::own("lines"),
            Name::reference("lines.product_id", "product"),
            Name::own("lines.sku"),
            Name::own("lines.section"),
            Name::own("lines.position"),
            Name::reference("lines.unit_of_measure_id", "unit"),
            Name::split("lines.unit_price", "unit_price", "unit_price.amount"),
            Name::reference("lines.tax_rate_id", "tax"),
            Name::own("lines.tax_rate"),
            Name::own("lines.vat_rate"),
            Name::read("lines.discount", "discount.value"),
            Name::reference("lines.product_category_id", "product_category"),
            Name::reference("lines.withholding_tax_rate_id", "withheld_tax"),
            Name::read("lines.purchase_price", "purchase_price"),
            Name::read("lines.total_excl", "total.tax_exclusive"),
            Name::read("lines.total_incl", "total.tax_inclusive"),
            Name::read("lines.total_excl_before_discount", "total.tax_exclusive_before_discount"),
            Name::read("lines.total_incl_before_discount", "total.tax_inclusive_before_discount"),
            Name::read("discounts", "discounts"),
            Name::split("discounts.percentage", "value", "value"),
            Name::read("total_excl", "total.tax_exclusive"),
            Name::read("total_incl", "total.tax_inclusive"),
            Name::read("taxes", "total.taxes"),
            Name::read("taxes.vat_rate", "rate").percent(),
            DEPARTMENT,
            $($name),*
        ]
    };
}

/// What companies and contacts share.
const PARTY: &[Name] = &[
    Name::own("full_name"),
    Name::own("email"),
    Name::own("invoicing_email"),
    Name::own("phone"),
    Name::own("mobile"),
    Name::own("fax"),
    Name::own("primary_address"),
    Name::own("invoicing_address"),
    Name::own("delivery_address"),
    Name::own("visiting_address"),
    Name::own("custom_fields"),
    Name::reference("business_type_id", "business_type"),
    Name::reference("responsible_user_id", "responsible_user"),
    Name::read("electronic_invoicing_address", "invoicing_preferences.electronic_invoicing_address"),
    Name::read("price_list_id", "price_list"),
    Name::read("companies.company_id", "company"),
];

const DEALS: &[Name] = &[
    Name::own("custom_fields"),
    Name::read("customer_type", "lead.customer.type"),
    Name::read("customer_id", "lead.customer.id"),
    Name::read("contact_person_id", "lead.contact_person"),
    DEPARTMENT,
    Name::reference("source_id", "source"),
    Name::reference("phase_id", "current_phase"),
    Name::read("pipeline_id", "pipeline"),
    Name::reference("responsible_user_id", "responsible_user"),
    Name::read("estimated_value", "estimated_value"),
    Name::read("currency", "estimated_value.currency"),
    Name::read("quotation_ids", "quotations"),
];

const PRODUCTS: &[Name] = &[
    Name::own("custom_fields"),
    Name::own("selling_price_incl"),
    Name::read("selling_price", "selling_price"),
    Name::read("selling_currency", "selling_price.currency"),
    Name::read("purchase_price", "purchase_price"),
    Name::read("purchase_currency", "purchase_price.currency"),
    Name::own("price_list_prices"),
    Name::read("stock", "stock.amount"),
    Name::read("stock_minimum", "configuration.stock_threshold.minimum"),
    Name::reference("unit_of_measure_id", "unit"),
    Name::own("unit_of_measure"),
    Name::reference("product_category_id", "product_category"),
    Name::own("product_category"),
    Name::reference("tax_rate_id", "tax"),
    Name::own("tax_rate"),
    Name::own("vat_rate"),
];

/// Every resource that is a list or a record of its own.
const LAYOUTS: &[Layout] = &[
    Layout {
        resource: "companies",
        area: "companies",
        names: PARTY,
        list: List::Ascending,
        includes: "custom_fields,price_list",
        filters: &[("status", Filter::Plain("status"))],
        create: "companies.add",
        context: Some("company"),
    },
    Layout {
        resource: "contacts",
        area: "contacts",
        names: PARTY,
        list: List::Ascending,
        includes: "custom_fields,price_list",
        filters: &[("status", Filter::Plain("status"))],
        create: "contacts.add",
        context: Some("contact"),
    },
    Layout {
        resource: "products",
        area: "products",
        names: PRODUCTS,
        list: List::Shifting { since: true, sort: "" },
        create: "products.add",
        context: Some("product"),
        ..PLAIN
    },
    Layout {
        resource: "deals",
        area: "deals",
        names: DEALS,
        list: List::Shifting { since: true, sort: "created_at" },
        includes: "custom_fields",
        filters: &[("status", Filter::Listed("status"))],
        create: "deals.create",
        context: Some("deal"),
    },
    Layout {
        resource: "quotations",
        area: "quotations",
        names: with_lines![
            Name::reference("deal_id", "deal"),
            Name::own("reference"),
            Name::own("title"),
            Name::own("customer_type"),
            Name::own("customer_id"),
            Name::own("contact_person_id"),
            Name::read("status", "status"),
            Name::read("currency", "total.tax_exclusive.currency"),
            Name::read("exchange_rate", "currency_exchange_rate.rate"),
            Name::read("expires_after", "expiry.expires_after"),
            Name::read("expiry_action", "expiry.action_after_expiry"),
        ],
        list: List::Shifting { since: false, sort: "" },
        filters: &[("status", Filter::Here)],
        create: "quotations.create",
        ..PLAIN
    },
    Layout {
        resource: "orders",
        area: "orders",
        names: with_lines![
            Name::read("number", "order_number"),
            Name::read("sequence", "order_number"),
            Name::read("deal_id", "deal"),
            Name::read("project_id", "project"),
            Name::read("supplier_type", "supplier.type"),
            Name::read("supplier_id", "supplier.id"),
            Name::read("currency", "total.tax_exclusive.currency"),
            Name::own("reference"),
            Name::own("customer_type"),
            Name::own("customer_id"),
            Name::own("contact_person_id"),
            Name::own("custom_fields"),
        ],
        list: List::Shifting { since: false, sort: "" },
        includes: "custom_fields",
        // Orders have the custom fields of the deals that they come from.
        context: Some("deal"),
        ..PLAIN
    },
    Layout {
        resource: "invoices",
        area: "invoices",
        names: with_lines![
            Name::own("custom_fields"),
            Name::read("status", "status"),
            Name::read("customer_type", "invoicee.customer.type"),
            Name::read("customer_id", "invoicee.customer.id"),
            Name::read("contact_id", "invoicee.for_attention_of.contact"),
            Name::read("for_attention_of", "invoicee.for_attention_of.name"),
            Name::read("customer_name", "invoicee.name"),
            Name::read("customer_vat_number", "invoicee.vat_number"),
            Name::read("email", "invoicee.email"),
            Name::read("payment_term", "payment_term"),
            Name::read("expected_payment_method", "expected_payment_method.method"),
            Name::read("expected_payment_reference", "expected_payment_method.reference"),
            Name::read("is_paid", "paid"),
            Name::read("is_sent", "sent"),
            Name::read("currency", "currency"),
            Name::read("exchange_rate", "currency_exchange_rate.rate"),
            Name::reference("project_id", "project"),
            Name::read("deal_id", "deal"),
            Name::reference("document_template_id", "document_template"),
            Name::read("total_payable", "total.payable"),
            Name::read("total_due", "total.due"),
            Name::read("payments.amount", "payment"),
            Name::read("payments.currency", "payment.currency"),
        ],
        list: List::Shifting { since: true, sort: "" },
        filters: &[("status", Filter::Listed("status")), ("department_id", Filter::Plain("department_id"))],
        create: "invoices.draft",
        context: Some("invoice"),
        ..PLAIN
    },
    Layout {
        resource: "credit_notes",
        area: "creditNotes",
        names: with_lines![
            Name::read("invoice_id", "invoice"),
            Name::read("customer_type", "invoicee.customer.type"),
            Name::read("customer_id", "invoicee.customer.id"),
            Name::read("customer_name", "invoicee.name"),
            Name::read("customer_vat_number", "invoicee.vat_number"),
            Name::read("is_paid", "paid"),
        ],
        list: List::Shifting { since: true, sort: "" },
        filters: &[
            ("invoice_id", Filter::Plain("invoice_id")),
            ("department_id", Filter::Plain("department_id")),
        ],
        ..PLAIN
    },
    kept("product_categories", "productCategories", List::Whole, &[
        Name::own("ledger_account_number"),
        Name::read("ledgers.department_id", "department"),
    ]),
    kept("departments", "departments", List::Whole, &[Name::own("email")]),
    kept("tax_rates", "taxRates", List::Kept, &[DEPARTMENT, Name::read("vat_rate", "rate").percent()]),
    kept("withholding_tax_rates", "withholdingTaxRates", List::Whole, &[
        DEPARTMENT,
        Name::read("rate", "rate").percent(),
    ]),
    kept("payment_terms", "paymentTerms", List::Whole, &[]),
    kept("payment_methods", "paymentMethods", List::Kept, &[]),
    kept("units_of_measure", "unitsOfMeasure", List::Whole, &[]),
    kept("price_lists", "priceLists", List::Whole, &[]),
    kept("commercial_discounts", "commercialDiscounts", List::Whole, &[DEPARTMENT]),
    kept("custom_field_definitions", "customFieldDefinitions", List::Kept, &[Name::read(
        "options",
        "configuration.options",
    )]),
    kept("users", "users", List::Kept, &[]),
    kept("deal_phases", "dealPhases", List::Kept, &[]),
    kept("deal_sources", "dealSources", List::Kept, &[]),
    kept("business_types", "businessTypes", List::Not, &[]),
    kept("company_contacts", "contacts", List::Not, &[]),
    kept("invoice_payments", "invoices", List::Not, &[]),
];

type Known = HashMap<&'static str, (&'static Layout, Shape)>;

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let shape = |layout: &Layout| {
        let fields = &MANIFEST.resources.get(layout.resource)?.fields;
        Some(Shape::new(fields, layout.names))
    };
    LAYOUTS.iter().filter_map(|layout| Some((layout.resource, (layout, shape(layout)?)))).collect()
});

/// The layout and shape of a resource.
pub(super) fn known(resource: &str) -> Result<(&'static Layout, &'static Shape), RemoteError> {
    let found = KNOWN.get(resource).map(|(layout, shape)| (*layout, shape));
    found.ok_or_else(|| {
        RemoteError::new(Advice::StopFlow, TITLE, format!("there is no kind of record called `{resource}`"))
    })
}

/// The fields that only a record's own address tells.
pub(super) fn detail(resource: &str) -> &'static [String] {
    let fetch = MANIFEST.resources.get(resource).and_then(|resource| resource.fetch.as_ref());
    fetch.map(|fetch| fetch.detail.as_slice()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resource_has_a_place() {
        for (name, _) in MANIFEST.resources.iter() {
            assert!(known(name).is_ok(), "{name}");
        }
        assert_eq!(MANIFEST.resources.iter().len(), LAYOUTS.len());
    }
}

//! Where each kind of record lives in the API, and what it is called there.
//!
//! Names follow a rule: `invoice_address_1` is `InvoiceAddress1`. The tables here hold what does
//! not follow it.

use super::{MANIFEST, TITLE};
use crate::contract::{Advice, RemoteError};
use crate::manifest::Resource;

/// A kind of record in the API.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) resource: &'static str,
    /// Below `/v2/`.
    pub(super) path: &'static str,
    /// Its members, in `members.txt`.
    pub(super) entity: &'static str,
    /// The member that says when it was changed; lists are read in its order.
    pub(super) stamp: Option<(&'static str, &'static str)>,
    /// What settles the order among equal stamps.
    pub(super) then: &'static str,
    pub(super) key: Keys,
    /// Names that do not follow the rule: ours, theirs. A dot leads into a nested record.
    pub(super) names: &'static [(&'static str, &'static str)],
    /// Numbers that stand for words.
    pub(super) words: &'static [(&'static str, Words)],
    /// Members that are not sent back in an update although the vendor calls them writable.
    pub(super) kept_out: &'static [&'static str],
    pub(super) lines: Option<Lines>,
    /// What a create must give and flows need not say.
    pub(super) defaults: &'static [(&'static str, Default)],
}

pub(super) type Words = &'static [(i64, &'static str)];

/// How records are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// By GUID.
    Guid,
    /// By two members, which make two parts of the path.
    Pair(&'static str, &'static str),
}

/// A value of a member that a flow did not give.
#[derive(Clone, Copy, Debug)]
pub(super) enum Default {
    No,
    Number(i64),
}

/// The lines of a document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines {
    pub(super) entity: &'static str,
    /// The member with the line's amount without VAT.
    pub(super) total: &'static str,
    pub(super) defaults: &'static [&'static str],
    /// The sender numbers the lines and says which are text.
    pub(super) numbered: bool,
}

const COMMON: &[(&str, &str)] =
    &[("changed_at", "ChangedUtc"), ("modified_at", "ModifiedUtc"), ("created_at", "CreatedUtc")];

/// Names within lines.
pub(super) const LINE_NAMES: &[(&str, &str)] = &[("position", "LineNumber"), ("is_text", "IsTextRow")];

const ORDER_STATUS: Words = &[(1, "draft"), (2, "ongoing"), (3, "shipped"), (4, "invoiced")];
const QUOTE_STATUS: Words =
    &[(0, "draft"), (1, "ongoing"), (2, "approved"), (3, "invoiced"), (4, "order_created")];
const PAYMENT_STATUS: Words = &[(0, "paid"), (1, "unpaid"), (2, "overdue")];
const SEND_TYPE: Words = &[(0, "none"), (1, "electronic"), (2, "print"), (3, "consumer"), (4, "kivra")];
const PAYMENT_TYPE: Words = &[(1, "partial"), (2, "complete"), (3, "rounding"), (4, "bank_charge")];
const TERMS_TYPE: Words = &[
    (0, "normal"),
    (1, "current_month"),
    (2, "cash"),
    (3, "card"),
    (4, "digital_wallet"),
    (5, "payment_service_provider"),
];

const CHANGED: Option<(&str, &str)> = Some(("changed_at", "ChangedUtc"));
const MODIFIED: Option<(&str, &str)> = Some(("modified_at", "ModifiedUtc"));

const PLAIN: Layout = Layout {
    resource: "",
    path: "",
    entity: "",
    stamp: None,
    then: "Id",
    key: Keys::Guid,
    names: &[],
    words: &[],
    kept_out: &[],
    lines: None,
    defaults: &[],
};

const SALE: &[(&str, Default)] =
    &[("EuThirdParty", Default::No), ("RotReducedInvoicingType", Default::Number(0))];

static LAYOUTS: &[Layout] = &[
    Layout {
        resource: "customers",
        path: "customers",
        entity: "CustomerApi",
        stamp: CHANGED,
        names: &[
            ("number", "CustomerNumber"),
            ("email", "EmailAddress"),
            ("price_list_id", "SalesPriceListId"),
            ("language", "SalesDocumentLanguage"),
            ("gln", "GLN"),
        ],
        // The terms go by their key; the record beside it would contradict a new one.
        kept_out: &["TermsOfPayment"],
        ..PLAIN
    },
    Layout { resource: "customer_labels", path: "customerlabels", entity: "CustomerLabelApi", ..PLAIN },
    Layout {
        resource: "articles",
        path: "articles",
        entity: "ArticleApi",
        stamp: CHANGED,
        names: &[
            ("stock_reserved", "StockBalanceReserved"),
            ("stock_available", "StockBalanceAvailable"),
            ("stock_location", "StockLocationReference"),
        ],
        // Worked out from the others, and wrong once they change.
        kept_out: &["NetPriceWithDiscount", "DiscountPercentage"],
        ..PLAIN
    },
    Layout {
        resource: "stock",
        path: "articles",
        entity: "ArticleApi",
        names: &[
            ("balance", "StockBalance"),
            ("reserved", "StockBalanceReserved"),
            ("available", "StockBalanceAvailable"),
        ],
        kept_out: &["NetPriceWithDiscount", "DiscountPercentage"],
        ..PLAIN
    },
    Layout { resource: "article_labels", path: "articlelabels", entity: "ArticleLabelApi", ..PLAIN },
    Layout {
        resource: "article_codings",
        path: "articleaccountcodings",
        entity: "ArticleAccountCodingApi",
        stamp: CHANGED,
        names: &[("vat_rate", "VatRatePercent"), ("vat_rate_code", "VatRate")],
        ..PLAIN
    },
    Layout { resource: "units", path: "units", entity: "UnitApi", ..PLAIN },
    Layout {
        resource: "price_lists",
        path: "salespricelists",
        entity: "SalesPriceListApi",
        stamp: CHANGED,
        ..PLAIN
    },
    Layout {
        resource: "prices",
        path: "salespricelists/prices",
        entity: "SalesPriceListRowApi",
        stamp: CHANGED,
        then: "ArticleId",
        key: Keys::Pair("SalesPriceListId", "ArticleId"),
        names: &[("price_list_id", "SalesPriceListId")],
        ..PLAIN
    },
    Layout {
        resource: "discount_agreements",
        path: "discountagreements",
        entity: "DiscountAgreementApi",
        stamp: CHANGED,
        ..PLAIN
    },
    Layout {
        resource: "quotes",
        path: "quotes",
        entity: "QuoteApi",
        stamp: MODIFIED,
        names: &[
            ("our_reference", "CompanyReference"),
            ("your_reference", "CustomerReference"),
            ("terms_of_payment_id", "TermsOfPayment.Id"),
            ("total_incl", "TotalAmount"),
            ("total_vat", "VatAmount"),
            ("total_rounding", "RoundingsAmount"),
        ],
        words: &[("status", QUOTE_STATUS)],
        lines: Some(Lines { entity: "QuoteRowApi", total: "Amount", defaults: &[], numbered: false }),
        defaults: SALE,
        ..PLAIN
    },
    Layout {
        resource: "orders",
        path: "orders",
        entity: "OrderApi",
        stamp: MODIFIED,
        names: &[("total_incl", "Amount"), ("total_vat", "VatAmount"), ("total_rounding", "RoundingsAmount")],
        words: &[("status", ORDER_STATUS)],
        lines: Some(Lines {
            entity: "OrderRowApi",
            total: "Amount",
            defaults: &["IsWorkCost", "EligibleForReverseChargeOnVat"],
            numbered: true,
        }),
        defaults: &[
            ("EuThirdParty", Default::No),
            ("RotReducedInvoicingType", Default::Number(0)),
            ("ReverseChargeOnConstructionServices", Default::No),
            ("Status", Default::Number(2)),
        ],
        ..PLAIN
    },
    Layout {
        resource: "invoice_drafts",
        path: "customerinvoicedrafts",
        entity: "CustomerInvoiceDraftApi",
        stamp: Some(("created_at", "CreatedUtc")),
        names: &[
            ("currency_code", "InvoiceCurrencyCode"),
            ("total_incl", "TotalAmount"),
            ("total_vat", "TotalVatAmount"),
            ("total_rounding", "TotalRoundings"),
        ],
        lines: Some(Lines {
            entity: "CustomerInvoiceDraftRowApi",
            total: "Amount",
            defaults: &["ReversedConstructionServicesVatFree"],
            numbered: true,
        }),
        defaults: SALE,
        ..PLAIN
    },
    Layout {
        resource: "invoices",
        path: "customerinvoices",
        entity: "CustomerInvoiceApi",
        stamp: MODIFIED,
        names: &[
            ("number", "InvoiceNumber"),
            ("total_incl", "TotalAmountInvoiceCurrency"),
            ("total_vat", "TotalVatAmountInvoiceCurrency"),
            ("total_rounding", "TotalRoundings"),
            ("remaining_amount", "RemainingAmountInvoiceCurrency"),
        ],
        words: &[("payment_status", PAYMENT_STATUS), ("send_type", SEND_TYPE)],
        lines: Some(Lines {
            entity: "CustomerInvoiceRowApi",
            total: "AmountNoVat",
            defaults: &[],
            numbered: false,
        }),
        defaults: SALE,
        ..PLAIN
    },
    Layout {
        resource: "invoice_payments",
        path: "customerinvoices",
        entity: "InvoicePaymentApi",
        names: &[
            ("id", "BankTransactionId"),
            ("bank_account_id", "CompanyBankAccountId"),
            ("amount", "PaymentAmount"),
            ("currency_code", "PaymentCurrency"),
            ("type", "PaymentType"),
        ],
        words: &[("type", PAYMENT_TYPE)],
        defaults: &[("PaymentType", Default::Number(2))],
        ..PLAIN
    },
    Layout {
        resource: "terms_of_payment",
        path: "termsofpayments",
        entity: "TermsOfPaymentApi",
        names: &[("type", "TermsOfPaymentTypeId")],
        words: &[("type", TERMS_TYPE)],
        ..PLAIN
    },
    Layout { resource: "delivery_methods", path: "deliverymethods", entity: "DeliveryMethodApi", ..PLAIN },
    Layout { resource: "delivery_terms", path: "deliveryterms", entity: "DeliveryTermApi", ..PLAIN },
    Layout { resource: "vat_codes", path: "vatcodes", entity: "VatCodeApi", ..PLAIN },
    Layout {
        resource: "accounts",
        path: "accounts",
        entity: "AccountApi",
        stamp: MODIFIED,
        then: "Number",
        key: Keys::Pair("FiscalYearId", "Number"),
        ..PLAIN
    },
    Layout {
        resource: "bank_accounts",
        path: "bankaccounts",
        entity: "BankAccountApi",
        stamp: MODIFIED,
        ..PLAIN
    },
];

/// The layout of a resource, with what the manifest says of it.
pub(super) fn known(resource: &str) -> Result<(&'static Layout, &'static Resource), RemoteError> {
    LAYOUTS
        .iter()
        .find(|layout| layout.resource == resource)
        .zip(MANIFEST.resources.get(resource))
        .ok_or_else(|| {
            RemoteError::new(Advice::StopFlow, TITLE, format!("there is no kind of record `{resource}`"))
        })
}

impl Layout {
    /// What a field is called in the API.
    pub(super) fn theirs(&self, field: &str) -> String {
        let special = self.names.iter().chain(COMMON).find(|(ours, _)| *ours == field);
        special.map_or_else(|| pascal(field), |(_, theirs)| (*theirs).to_owned())
    }

    /// What a member is called here: `Rows[0].UnitPrice` is `lines[0].unit_price`.
    pub(super) fn ours(&self, member: &str) -> String {
        let plain = |name: &str| {
            let special =
                self.names.iter().chain(COMMON).chain(LINE_NAMES).find(|(_, theirs)| *theirs == name);
            match special {
                Some((ours, _)) => (*ours).to_owned(),
                None if name.starts_with("Rows") => name.replacen("Rows", "lines", 1),
                None => snake(name),
            }
        };
        member.split('.').map(plain).collect::<Vec<_>>().join(".")
    }

    /// The words that a field's numbers stand for.
    pub(super) fn words(&self, field: &str) -> Option<Words> {
        self.words.iter().find(|(name, _)| *name == field).map(|(_, words)| *words)
    }
}

/// `invoice_address_1` → `InvoiceAddress1`
pub(super) fn pascal(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for word in name.split('_') {
        let mut letters = word.chars();
        out.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        out.push_str(letters.as_str());
    }
    out
}

/// `InvoiceAddress1` → `invoice_address_1`
fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut before = '_';
    for letter in name.chars() {
        let starts = letter.is_ascii_uppercase() || (letter.is_ascii_digit() && before.is_ascii_alphabetic());
        if starts && before.is_ascii_alphanumeric() && !before.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
        before = letter;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::members::{Form, entity};
    use super::*;
    use crate::manifest::Kind;

    /// Fields that the code reads and writes by itself.
    const OWN: &[&str] = &["id", "labels", "barcode", "lines", "invoice_id", "price_excl", "price_incl"];

    #[test]
    fn names_follow_the_rule() {
        for (ours, theirs) in [
            ("invoice_address_1", "InvoiceAddress1"),
            ("eu_third_party", "EuThirdParty"),
            ("cost_center_item_id_2", "CostCenterItemId2"),
        ] {
            assert_eq!(pascal(ours), theirs);
            assert_eq!(snake(theirs), ours);
        }
        let (orders, _) = known("orders").unwrap();
        assert_eq!(orders.ours("Rows[0].UnitPrice"), "lines[0].unit_price");
        assert_eq!(orders.ours("Amount"), "total_incl");
    }

    #[test]
    fn every_field_of_the_manifest_is_a_member() {
        for (name, resource) in MANIFEST.resources.iter() {
            let (layout, _) = known(name).unwrap();
            let members = entity(layout.entity).unwrap();
            for (field, about) in resource.fields.iter().filter(|(field, _)| !OWN.contains(field)) {
                let theirs = layout.theirs(field);
                let first = theirs.split('.').next().unwrap_or_default();
                let member = members.member(first).unwrap_or_else(|| panic!("{name}.{field}: no {theirs}"));
                let longest = about.max_length.unwrap_or(usize::MAX);
                assert!(
                    member.most.is_none_or(|most| longest <= most || member.read || about.read_only),
                    "{name}.{field} is too long"
                );
                if about.kind == Kind::Boolean {
                    assert_eq!(member.form, Form::Boolean, "{name}.{field}");
                }
            }
            if let Some(lines) = layout.lines {
                let members = entity(lines.entity).unwrap();
                let fields = &resource.fields.get("lines").unwrap().fields;
                for (field, _) in fields.iter().filter(|(field, _)| !OWN.contains(field)) {
                    let special = LINE_NAMES.iter().find(|(ours, _)| *ours == field);
                    let theirs = special.map_or_else(|| pascal(field), |(_, theirs)| (*theirs).to_owned());
                    let theirs = if field == "total_excl" { lines.total } else { &theirs };
                    assert!(members.member(theirs).is_some(), "{name}.lines.{field}: no {theirs}");
                }
            }
        }
    }
}

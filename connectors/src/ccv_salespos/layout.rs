//! Where each kind of record lives and how it is listed: a table, read by the code that
//! fetches, finds and writes.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::wire::{Name, Shape};
use super::{MANIFEST, TITLE, names};
use crate::contract::{Advice, RemoteError};

/// How one resource is reached.
#[derive(Debug)]
pub(super) struct Layout {
    /// Our name of the resource.
    pub(super) resource: &'static str,
    /// Its path.
    pub(super) path: &'static str,
    names: &'static [Name],
    /// How it is listed.
    pub(super) list: List,
    /// Fields that the list filters by, and what the filters are called.
    pub(super) filters: &'static [(&'static str, &'static str)],
    /// Has an address for each record.
    pub(super) single: bool,
    /// How records are found by fields that no filter knows.
    pub(super) scan: Scan,
    /// Sub-lists that a page can carry, for the `expand` of the API.
    pub(super) expand: &'static str,
}

/// How a resource is listed.
#[derive(Clone, Copy, Debug)]
pub(super) enum List {
    /// By itself, in that order.
    Plain(&'static str),
    /// By itself and by moment of creation, ascending.
    Created,
    /// By itself and by moment of change, the latest first.
    Modified,
    /// Below another resource.
    Under(&'static Parent),
    /// By code of its own.
    Own,
}

/// The resource that another one is listed below.
#[derive(Debug)]
pub(super) struct Parent {
    /// Its path.
    pub(super) path: &'static str,
    /// Our field that holds its key.
    pub(super) field: &'static str,
    /// How its children are asked for.
    pub(super) link: Link,
}

/// How the children of a record are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// By a path below it, which a page of parents can carry.
    Carried(&'static str),
    /// By a path below it.
    Below(&'static str),
    /// By a filter on their own list.
    Filter(&'static str),
}

/// How records are found by fields that no filter knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scan {
    /// Not at all.
    No,
    /// The whole list is read and kept for a short while.
    Keep,
    /// The whole list is read, keys are kept, and what is found is read afresh.
    Index,
}

const PLAIN: Layout = Layout {
    resource: "",
    path: "",
    names: &[],
    list: List::Plain("id"),
    filters: &[],
    single: true,
    scan: Scan::No,
    expand: "",
};

/// A list below a parent.
macro_rules! under {
    ($path:literal, $field:literal, $link:expr) => {
        List::Under(&Parent { path: $path, field: $field, link: $link })
    };
}

/// Adjustments of prices: listed for at least one of two parents.
macro_rules! adjustment {
    ($resource:literal, $path:literal, $parent:literal, $field:literal, $filter:literal, $other:expr) => {
        Layout {
            resource: $resource,
            path: $path,
            names: names::ADJUSTMENTS,
            list: under!($parent, $field, Link::Filter($filter)),
            filters: &[($field, $filter), $other],
            ..PLAIN
        }
    };
}

const PRODUCT: (&str, &str) = ("product_id", "product_id");
const CATEGORY: (&str, &str) = ("category_id", "category_id");
const STAGGERED: (&str, &str) = ("staggered_price_id", "staggeredprice_id");

/// Every resource that is read and written in the common way, and `stock` and `vat_rates`,
/// which are not.
const LAYOUTS: &[Layout] = &[
    Layout {
        resource: "orders",
        path: "orders",
        names: names::ORDERS,
        list: List::Created,
        filters: &[
            ("number", "ordernumber"),
            ("status", "status"),
            ("is_paid", "is_paid"),
            ("is_completed", "is_completed"),
            ("delivery_date", "deliver_date"),
            ("payment_method_id", "paymethod_id"),
            ("transaction_id", "transaction_id"),
        ],
        expand: "orderrows",
        ..PLAIN
    },
    Layout {
        resource: "order_notes",
        path: "ordernotes",
        names: names::ORDER_NOTES,
        list: under!("orders", "order_id", Link::Below("ordernotes")),
        single: false,
        ..PLAIN
    },
    Layout {
        resource: "invoices",
        path: "invoices",
        names: names::INVOICES,
        list: List::Created,
        filters: &[
            ("number", "invoicenumber_full"),
            ("order_number", "ordernumber_full"),
            ("status", "status"),
        ],
        ..PLAIN
    },
    Layout {
        resource: "returns",
        path: "returns",
        names: names::RETURNS,
        list: List::Created,
        filters: &[("number", "returnnumber"), ("status", "status")],
        ..PLAIN
    },
    Layout { resource: "cash_ups", path: "cashups", names: names::CASH_UPS, ..PLAIN },
    Layout {
        resource: "fiscal_signatures",
        path: "fiscaltransactionsignatures",
        names: names::FISCAL_SIGNATURES,
        ..PLAIN
    },
    Layout {
        resource: "products",
        path: "products",
        names: names::PRODUCTS,
        list: List::Modified,
        filters: &[
            ("sku", "productnumber"),
            ("ean", "eannumber"),
            ("mpn", "mpnnumber"),
            ("is_active", "active"),
        ],
        ..PLAIN
    },
    Layout {
        resource: "variants",
        path: "attributecombinations",
        names: names::VARIANTS,
        list: under!("products", "product_id", Link::Carried("attributecombinations")),
        scan: Scan::Index,
        ..PLAIN
    },
    Layout { resource: "stock", path: "products", list: List::Own, single: false, ..PLAIN },
    Layout { resource: "attributes", path: "attributes", scan: Scan::Keep, ..PLAIN },
    Layout {
        resource: "attribute_values",
        path: "attributevalues",
        names: names::ATTRIBUTE_VALUES,
        list: under!("attributes", "attribute_id", Link::Below("attributevalues")),
        ..PLAIN
    },
    Layout {
        resource: "product_attribute_values",
        path: "productattributevalues",
        names: names::PRODUCT_ATTRIBUTE_VALUES,
        list: under!("products", "product_id", Link::Below("productattributevalues")),
        single: false,
        ..PLAIN
    },
    Layout {
        resource: "categories",
        path: "categories",
        names: names::CATEGORIES,
        scan: Scan::Keep,
        ..PLAIN
    },
    Layout {
        resource: "product_categories",
        path: "producttocategories",
        names: names::PRODUCT_CATEGORIES,
        list: under!("products", "product_id", Link::Carried("producttocategories")),
        single: false,
        ..PLAIN
    },
    Layout {
        resource: "product_photos",
        path: "productphotos",
        names: names::PRODUCT_PHOTOS,
        list: under!("products", "product_id", Link::Carried("productphotos")),
        single: false,
        ..PLAIN
    },
    Layout {
        resource: "tax_exceptions",
        path: "producttaxtariffexceptions",
        names: names::TAX_EXCEPTIONS,
        list: under!("products", "product_id", Link::Carried("producttaxtariffexceptions")),
        single: false,
        ..PLAIN
    },
    Layout { resource: "brands", path: "brands", scan: Scan::Keep, ..PLAIN },
    Layout { resource: "suppliers", path: "suppliers", scan: Scan::Keep, ..PLAIN },
    Layout { resource: "packages", path: "packages", scan: Scan::Keep, single: false, ..PLAIN },
    Layout {
        resource: "customers",
        path: "users",
        names: names::CUSTOMERS,
        filters: &[("approval_status", "approval_status")],
        scan: Scan::Index,
        ..PLAIN
    },
    Layout {
        resource: "customer_groups",
        path: "usergroups",
        names: names::CUSTOMER_GROUPS,
        scan: Scan::Keep,
        ..PLAIN
    },
    adjustment!(
        "group_prices",
        "usergroupproductadjustments",
        "usergroups",
        "group_id",
        "usergroup_id",
        PRODUCT
    ),
    adjustment!("customer_prices", "userproductadjustments", "users", "customer_id", "user_id", PRODUCT),
    adjustment!(
        "group_category_discounts",
        "usergroupcategoryadjustments",
        "usergroups",
        "group_id",
        "usergroup_id",
        CATEGORY
    ),
    adjustment!(
        "customer_category_discounts",
        "usercategoryadjustments",
        "users",
        "customer_id",
        "user_id",
        CATEGORY
    ),
    Layout {
        resource: "staggered_prices",
        path: "productstaggeredprices",
        names: names::STAGGERED_PRICES,
        list: under!("products", "product_id", Link::Carried("productstaggeredprices")),
        single: false,
        ..PLAIN
    },
    adjustment!(
        "group_staggered_prices",
        "usergroupstaggeredpriceadjustments",
        "usergroups",
        "group_id",
        "usergroup_id",
        STAGGERED
    ),
    adjustment!(
        "customer_staggered_prices",
        "userstaggeredpriceadjustments",
        "users",
        "customer_id",
        "user_id",
        STAGGERED
    ),
    Layout {
        resource: "payment_methods",
        path: "paymethods",
        names: names::PAYMENT_METHODS,
        list: List::Plain(""),
        scan: Scan::Keep,
        single: false,
        ..PLAIN
    },
    Layout {
        resource: "shops",
        path: "webshops",
        names: names::SHOPS,
        list: List::Plain(""),
        scan: Scan::Keep,
        single: false,
        ..PLAIN
    },
    Layout { resource: "vat_rates", path: "webshops", list: List::Own, single: false, ..PLAIN },
];

static SHAPES: LazyLock<HashMap<&'static str, Shape>> = LazyLock::new(|| {
    let shape = |layout: &Layout| {
        let fields = &MANIFEST.resources.get(layout.resource)?.fields;
        Some((layout.resource, Shape::new(fields, layout.names)))
    };
    LAYOUTS.iter().filter_map(shape).collect()
});

/// The layout of a resource and the shape of its records, by a name that the engine handed in.
pub(super) fn known(resource: &str) -> Result<(&'static Layout, &'static Shape), RemoteError> {
    let unknown = || RemoteError::new(Advice::StopFlow, TITLE, format!("there is no resource `{resource}`"));
    of(resource).ok_or_else(unknown)
}

fn of(resource: &str) -> Option<(&'static Layout, &'static Shape)> {
    let layout = LAYOUTS.iter().find(|layout| layout.resource == resource)?;
    Some((layout, SHAPES.get(layout.resource)?))
}

impl Layout {
    /// What the filter for a field is called.
    pub(super) fn filter(&self, field: &str) -> Option<&'static str> {
        self.filters.iter().find(|(ours, _)| *ours == field).map(|(_, theirs)| *theirs)
    }

    /// The parent that records are listed below.
    pub(super) const fn parent(&self) -> Option<&'static Parent> {
        match self.list {
            List::Under(parent) => Some(parent),
            _ => None,
        }
    }

    /// Its records have lines, which lists leave out.
    pub(super) fn list_has_lines(&self) -> bool {
        matches!(self.resource, "orders" | "invoices")
    }

    /// The address of one record.
    pub(super) fn one(&self, key: &str) -> String {
        format!("{}/{key}", self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_resource_has_its_layout() {
        for (name, _) in MANIFEST.resources.iter() {
            assert!(of(name).is_some(), "{name}");
        }
        assert_eq!(MANIFEST.resources.iter().len(), LAYOUTS.len());
    }
}

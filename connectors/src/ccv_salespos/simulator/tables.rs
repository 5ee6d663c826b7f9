//! The kinds of record that the simulator knows: what can be done with them, what goes in,
//! how they are listed.

use Type::{Any, Bool, Int, List, Num, Object, Text, Words};

/// One kind of record.
#[derive(Debug)]
pub(super) struct Table {
    /// Path.
    pub(super) name: &'static str,
    /// What can be done: `L`ist, list `B`elow another record only, `G`et, `C`reate, `P`atch, `D`elete.
    pub(super) can: &'static str,
    /// Members of a body.
    pub(super) columns: &'static [Column],
    /// Filters of the list: name, path in the record, how to compare.
    pub(super) filters: &'static [(&'static str, &'static str, Test)],
    /// Words for `orderby`.
    pub(super) orders: &'static [&'static str],
    /// Kinds of record that can be listed below one: path, and their member with its key.
    pub(super) below: &'static [(&'static str, &'static str)],
    /// A list needs one of its filters.
    pub(super) needs_filter: bool,
}

/// A member of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Type,
    pub(super) required: bool,
}

/// What a member holds.
#[derive(Clone, Copy, Debug)]
pub(super) enum Type {
    Int,
    Num,
    Bool,
    /// Text of at most so many characters.
    Text(usize),
    /// One of these texts.
    Words(&'static [&'static str]),
    Object,
    List,
    Any,
}

/// How a filter compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Test {
    Equal,
    Contains,
    AtLeast,
    AtMost,
}

const fn may(name: &'static str, kind: Type) -> Column {
    Column { name, kind, required: false }
}

const fn must(name: &'static str, kind: Type) -> Column {
    Column { name, kind, required: true }
}

const READ: Table = Table {
    name: "",
    can: "LG",
    columns: &[],
    filters: &[],
    orders: &["id"],
    below: &[],
    needs_filter: false,
};

const TARIFFS: &[&str] = &["normal", "low a", "low b", "extra low", "zero"];
const SHORT: Type = Text(255);
const LONG: Type = Text(65_536);

pub(super) const PRODUCT: &[Column] = &[
    must("name", Text(200)),
    must("price", Num),
    must("discount", Num),
    must("package_id", Int),
    may("taxtariff", Words(TARIFFS)),
    may("vatrate", Num),
    may("productnumber", Text(50)),
    may("eannumber", Text(50)),
    may("mpnnumber", Text(50)),
    may("active", Bool),
    may("shortdescription", SHORT),
    may("description", LONG),
    may("purchaseprice", Num),
    may("container_deposit_price", Num),
    may("safety_deposit_price", Num),
    may("unit", SHORT),
    may("stockenabled", Bool),
    may("stocktype", Words(&["product", "attribute"])),
    may("stock", Num),
    may("stocklocation", SHORT),
    may("ordering_without_stock", Text(50)),
    may("weight", Num),
    may("brand", SHORT),
    may("brand_id", Int),
    may("condition", SHORT),
    may("condition_id", Int),
    may("supplier_id", Int),
    may("color_id", Int),
    may("minimal_order_amount", Num),
    may("decimal_amount", Int),
    may("stock_delivery_number", Int),
    may(
        "stock_delivery_type",
        Words(&[
            "days",
            "weeks",
            "months",
            "quarters",
            "years",
            "outofstock",
            "temporarilysoldout",
            "ordered",
            "onrequest",
            "unknown",
        ]),
    ),
    may("stock_delivery_standard", SHORT),
    may("fixed_staggered_prices", Bool),
    may("maincategory", SHORT),
    may("subcategory", SHORT),
    may("meta_description", LONG),
    may("meta_keywords", LONG),
    may("page_title", SHORT),
    may("alias", SHORT),
    may("no_index", Bool),
    may("no_follow", Bool),
    may("show_order_button", Words(&["Y", "QUOTATION", "N"])),
    may("product_layout", Int),
    may("photo_size", Words(&["NONE", "SMALL", "BIG"])),
    may("hide_without_category", Words(&["YES", "NO_DIRECTLINK", "NO_SEARCHRESULTS"])),
    may("memo", LONG),
    may("is_included_for_export_feed", Bool),
    may("google_shopping_category", SHORT),
];

pub(super) const ORDER: &[Column] = &[
    must("orderrows", List),
    must("customer", Object),
    may("user_id", Int),
    may("is_completed", Bool),
    may("paid", Bool),
    may("status", Int),
    may("total_shipping", Num),
    may("paymethod_costs", Num),
    may("extra_costs", Num),
    may("extra_costs_description", SHORT),
    may("taxes_included", Bool),
    may("order_row_taxes_included", Bool),
    may("shipping_taxes_included", Bool),
    may("is_intra_community_order", Bool),
    may("is_platform_sale", Bool),
    may("currency", Text(3)),
    may("orderedinlng", Text(2)),
    may("invoicenumber", Int),
    may("reservationnumber", SHORT),
    may("deliver_method", Words(&["shipping", "delivery", "pickup"])),
    may("deliver_date", Text(30)),
    may("takeoutslot", Any),
    may("track_and_trace_code", SHORT),
    may("track_and_trace_carrier", SHORT),
    may("safety_deposit_returned", Num),
    may("mail", Bool),
    may("note", LONG),
];

pub(super) const ROW: &[Column] = &[
    must("count", Num),
    may("product_id", Int),
    may("attribute_combination_id", Int),
    may("product_name", Text(200)),
    may("product_number", Text(50)),
    may("price", Num),
    may("discount", Num),
    may("tax", Num),
    may("package_id", Int),
    may("unit", SHORT),
    may("weight", Num),
    may("memo", LONG),
    may("product_purchase_price", Num),
    may("product_type", Text(50)),
    may("auto_create_deposit_rows", Bool),
];

pub(super) const PERSON: &[Column] = &[
    may("email", SHORT),
    may("customertype", Words(&["b2c", "b2b"])),
    may("btw", SHORT),
    may("kvk", SHORT),
    may("reference", SHORT),
    may("costcentre", SHORT),
    may("reservationnumber", SHORT),
    may("iban", SHORT),
    may("bic", SHORT),
    may("bankaccount", SHORT),
    may("bankname", SHORT),
    may("website", SHORT),
    may("birthdate", SHORT),
    may("branch", SHORT),
    may("cardnumber", SHORT),
    may("billingaddress", Object),
    may("deliveryaddress", Object),
];

pub(super) const ADDRESS: &[Column] = &[
    may("gender", SHORT),
    may("initials", SHORT),
    may("first_name", SHORT),
    may("last_name", SHORT),
    may("full_name", SHORT),
    may("company", SHORT),
    may("address_line_1", SHORT),
    may("address_line_2", SHORT),
    may("street", SHORT),
    may("housenumber", Int),
    may("housenumber_suffix", SHORT),
    may("zipcode", SHORT),
    may("city", SHORT),
    may("province", SHORT),
    may("country_code", Text(2)),
    may("telephone", SHORT),
    may("mobile", SHORT),
    may("fax", SHORT),
    may("comment", LONG),
];

const CATEGORY: &[Column] = &[
    must("name", SHORT),
    may("description", LONG),
    may("description_bottom", LONG),
    may("parentcategory_id", Int),
    may("position", Int),
    may("show_on_website", Bool),
    may(
        "orderby",
        Words(&[
            "position",
            "productname",
            "productnumber",
            "createdate",
            "price",
            "price_desc",
            "discount_desc",
        ]),
    ),
    may("items_per_page", Int),
    may("photo_source", LONG),
    may("photo_file_type", SHORT),
    may("searchwords", LONG),
];

const HOOK: &[Column] = &[must("event", SHORT), must("address", SHORT), may("is_active", Bool)];
const ACCUMULATION: Type = Words(&["highest", "lowest"]);

/// Adjustments of prices for a group or a customer.
macro_rules! adjustment {
    ($name:literal, $owner:literal, $other:literal, [$($more:expr),*]) => {
        Table {
            name: $name,
            can: "LGCPD",
            columns: &[must($owner, Int), must($other, Int), may("discount", Num), $($more),*],
            filters: &[($owner, $owner, Test::Equal), ($other, $other, Test::Equal)],
            orders: &[],
            needs_filter: true,
            ..READ
        }
    };
}

/// A list below products.
macro_rules! of_product {
    ($name:literal, $can:literal, [$($column:expr),*]) => {
        Table { name: $name, can: $can, columns: &[$($column),*], ..READ }
    };
}

const DATES: [(&str, &str, Test); 2] =
    [("min_create_date", "create_date", Test::AtLeast), ("max_create_date", "create_date", Test::AtMost)];

/// Everything.
pub(super) const TABLES: &[Table] = &[
    Table {
        name: "orders",
        can: "LGCP",
        columns: ORDER,
        filters: &[
            ("ordernumber", "ordernumber", Test::Equal),
            ("status", "status", Test::Equal),
            ("is_paid", "paid", Test::Equal),
            ("is_completed", "is_completed", Test::Equal),
            DATES[0],
            DATES[1],
            ("deliver_date", "deliver_date", Test::Equal),
            ("paymethod_id", "paymethod_id", Test::Equal),
            ("transaction_id", "transaction_id", Test::Equal),
        ],
        orders: &["id", "ordernumber", "create_date", "deliver_date"],
        below: &[
            ("orderrows", "order_id"),
            ("ordernotes", "order_id"),
            ("ordermessages", "order_id"),
            ("ordernotifications", "order_id"),
            ("invoices", "order_id"),
            ("terminalreceipts", "order_id"),
            ("fiscaltransactionsignatures", "order_id"),
        ],
        ..READ
    },
    Table {
        name: "orderrows",
        can: "BGP",
        columns: &[may("count", Num), may("price", Num), may("discount", Num)],
        ..READ
    },
    Table { name: "ordernotes", can: "BC", columns: &[must("note", LONG)], ..READ },
    Table { name: "ordermessages", can: "BC", columns: &[must("message", LONG)], ..READ },
    Table { name: "ordernotifications", can: "C", columns: &[must("type", SHORT)], ..READ },
    Table {
        name: "invoices",
        can: "LGCP",
        columns: &[
            may("status", Words(&["paid", "unpaid", "reimbursed"])),
            may("payment_link_sent", Bool),
            may("external_reference", SHORT),
        ],
        filters: &[
            ("invoicenumber", "invoicenumber", Test::Equal),
            ("invoicenumber_full", "invoicenumber_full", Test::Equal),
            ("ordernumber", "ordernumber", Test::Equal),
            ("ordernumber_full", "ordernumber_full", Test::Equal),
            ("status", "status", Test::Equal),
            DATES[0],
            DATES[1],
        ],
        orders: &["id", "create_date", "invoicenumber", "total_price"],
        below: &[("invoicerows", "invoice_id"), ("invoicenotifications", "invoice_id")],
        ..READ
    },
    Table { name: "invoicerows", can: "BG", ..READ },
    Table { name: "invoicenotifications", can: "C", columns: &[must("type", SHORT)], ..READ },
    Table {
        name: "returns",
        filters: &[
            ("returnnumber", "returnnumber", Test::Equal),
            ("status", "status", Test::Equal),
            DATES[0],
            DATES[1],
        ],
        orders: &["id", "create_date", "returnnumber"],
        ..READ
    },
    Table {
        name: "products",
        can: "LGCPD",
        columns: PRODUCT,
        filters: &[
            ("productnumber", "productnumber", Test::Equal),
            ("eannumber", "eannumber", Test::Equal),
            ("mpnnumber", "mpnnumber", Test::Equal),
            ("productname", "name", Test::Contains),
            ("minprice", "price", Test::AtLeast),
            ("maxprice", "price", Test::AtMost),
            ("mindiscount", "discount", Test::AtLeast),
            ("maxdiscount", "discount", Test::AtMost),
            ("minsellprice", "sellprice", Test::AtLeast),
            ("maxsellprice", "sellprice", Test::AtMost),
            ("stock", "stock", Test::Equal),
            ("minstock", "stock", Test::AtLeast),
            ("maxstock", "stock", Test::AtMost),
            ("active", "is_active", Test::Equal),
            ("brand_id", "brand.id", Test::Equal),
        ],
        orders: &["id", "name", "createdate", "modifydate"],
        below: &[
            ("attributecombinations", "product_id"),
            ("productattributevalues", "product_id"),
            ("productphotos", "product_id"),
            ("productstaggeredprices", "product_id"),
            ("producttaxtariffexceptions", "product_id"),
            ("producttocategories", "product_id"),
        ],
        ..READ
    },
    Table {
        name: "attributecombinations",
        can: "BGP",
        columns: &[
            may("product_number", Text(50)),
            may("ean_number", Text(50)),
            may("sku_number", Text(50)),
            may("stock", Num),
            may("note", SHORT),
            may("active", Bool),
            may("delivery_time", Int),
            may("delivery_time_type", SHORT),
            may("delivery_default_text", SHORT),
        ],
        ..READ
    },
    of_product!(
        "productattributevalues",
        "BCD",
        [must("optionvalue", Int), must("price", Num), may("position", Int), may("stock", Num)]
    ),
    of_product!(
        "productphotos",
        "BCD",
        [must("file_type", SHORT), must("source", LONG), may("alttext", SHORT), may("is_mainphoto", Bool)]
    ),
    of_product!(
        "productstaggeredprices",
        "BCPD",
        [must("quantity", Num), must("price", Num), must("discount", Num)]
    ),
    of_product!(
        "producttaxtariffexceptions",
        "BCD",
        [must("country", Text(2)), must("taxtariff", Words(TARIFFS))]
    ),
    of_product!(
        "producttocategories",
        "BCD",
        [must("product_id", Int), must("category_id", Int), may("position", Int)]
    ),
    Table {
        name: "attributes",
        can: "LGCPD",
        columns: &[
            must("name", SHORT),
            must("type", Words(&["option_menu", "option_menu_required", "text", "text_required"])),
        ],
        below: &[("attributevalues", "attribute_id")],
        ..READ
    },
    Table {
        name: "attributevalues",
        can: "BGCPD",
        columns: &[must("name", SHORT), must("default_price", Num)],
        ..READ
    },
    Table {
        name: "categories",
        can: "LGCPD",
        columns: CATEGORY,
        below: &[("categories", "parentcategory.id"), ("producttocategories", "category_id")],
        ..READ
    },
    Table { name: "brands", below: &[("products", "brand.id")], ..READ },
    Table { name: "suppliers", below: &[("products", "supplier.id")], ..READ },
    Table { name: "conditions", below: &[("products", "condition.id")], ..READ },
    Table { name: "packages", can: "LCP", columns: &[must("name", SHORT)], ..READ },
    Table {
        name: "users",
        can: "LGCPD",
        columns: &[
            must("username", SHORT),
            must("password", SHORT),
            may("group_id", Int),
            may("status", Bool),
            may("product_in_category_discount", ACCUMULATION),
            may("approval_status", Words(&["accepted", "rejected"])),
            may("userinfo", Object),
        ],
        filters: &[("approval_status", "approval_status", Test::Equal)],
        orders: &["id", "first_name", "last_name"],
        ..READ
    },
    Table {
        name: "usergroups",
        can: "LGCPD",
        columns: &[
            must("groupname", SHORT),
            may("discount", Num),
            may("default", Bool),
            may("product_in_category_discount", ACCUMULATION),
        ],
        orders: &["id", "groupname"],
        below: &[("users", "group_id")],
        ..READ
    },
    adjustment!(
        "usergroupproductadjustments",
        "usergroup_id",
        "product_id",
        [may("price", Num), may("hidden", Bool)]
    ),
    adjustment!("userproductadjustments", "user_id", "product_id", [may("price", Num), may("hidden", Bool)]),
    adjustment!(
        "usergroupcategoryadjustments",
        "usergroup_id",
        "category_id",
        [may("hidden", Bool), may("include_sub_categories", Bool)]
    ),
    adjustment!(
        "usercategoryadjustments",
        "user_id",
        "category_id",
        [may("hidden", Bool), may("include_sub_categories", Bool)]
    ),
    adjustment!(
        "usergroupstaggeredpriceadjustments",
        "usergroup_id",
        "staggeredprice_id",
        [may("price", Num)]
    ),
    adjustment!("userstaggeredpriceadjustments", "user_id", "staggeredprice_id", [may("price", Num)]),
    Table { name: "paymethods", ..READ },
    Table { name: "webshops", ..READ },
    Table { name: "webhooks", can: "LGCPD", columns: HOOK, ..READ },
    Table { name: "cashups", can: "LGCP", columns: &[may("status", SHORT)], ..READ },
    Table { name: "terminalreceipts", can: "LC", columns: &[may("receipt", Any)], ..READ },
    Table {
        name: "fiscaltransactionsignatures",
        can: "LGCP",
        columns: &[may("signature_identifier", SHORT), may("type", SHORT), may("signature_data", LONG)],
        ..READ
    },
];

impl Table {
    /// True when that can be done.
    pub(super) fn allows(&self, letter: char) -> bool {
        self.can.contains(letter)
    }

    /// True for what is made below another record only.
    pub(super) fn is_made_below(&self) -> bool {
        matches!(
            self.name,
            "ordernotes"
                | "ordermessages"
                | "ordernotifications"
                | "invoices"
                | "invoicenotifications"
                | "terminalreceipts"
                | "fiscaltransactionsignatures"
                | "productattributevalues"
                | "productphotos"
                | "productstaggeredprices"
                | "producttaxtariffexceptions"
                | "attributevalues"
        )
    }

    /// Members of this kind of record that hold the key of a parent.
    pub(super) fn parents(&self) -> impl Iterator<Item = &'static str> {
        let name = self.name;
        TABLES
            .iter()
            .flat_map(|table| table.below)
            .filter(move |(child, path)| *child == name && !path.contains('.'))
            .map(|(_, path)| *path)
    }
}

/// The kind of record at that path.
pub(super) fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

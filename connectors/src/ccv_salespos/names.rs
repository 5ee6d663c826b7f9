//! What CCV calls the fields whose names differ from ours.

use super::wire::Name;

/// Order statuses, from 1.
pub(super) const STATUSES: &[&str] = &[
    "new",
    "in_process",
    "waiting_for_manufacturer",
    "waiting_for_payment",
    "sent",
    "delivered",
    "completed",
    "cancelled",
    "waiting_for_supplier",
    "being_packed",
    "ready_for_collection",
    "being_assembled",
    "backorder",
    "reserved",
];

/// Not read or written as it is; the resource's own code works it out.
const fn own(ours: &'static str) -> Name {
    Name::of(ours, "")
}

pub(super) const ORDERS: &[Name] = &[
    Name::of("number", "ordernumber_full"),
    Name::of("sequence", "ordernumber"),
    Name::of("invoice_number", "invoicenumber").number(),
    Name::of("created_at", "create_date"),
    Name::of("status", "status").words(STATUSES),
    Name::of("is_paid", "paid"),
    Name::of("reservation", "reservationnumber"),
    Name::of("language", "orderedinlng"),
    Name::of("shipping_method", "deliver_method"),
    Name::of("delivery_date", "deliver_date"),
    Name::of("pickup_from", "take_out_window.start"),
    Name::of("pickup_until", "take_out_window.end"),
    Name::of("payment_method_id", "paymethod_id").number(),
    own("total_incl"),
    own("total_excl"),
    Name::of("total_vat", "total_tax"),
    Name::of("total_lines", "total_orderrow_price"),
    Name::of("total_discount", "total_discounts"),
    Name::of("shipping_cost", "total_shipping"),
    own("shipping_cost_incl"),
    own("shipping_cost_excl"),
    Name::of("shipping_vat_rate", "shipping_tax_percentage"),
    Name::of("payment_cost", "paymethod_costs"),
    Name::of("extra_cost", "extra_costs"),
    Name::of("extra_cost_description", "extra_costs_description"),
    Name::of("discount_code", "discountcoupon.code"),
    Name::of("discount_coupon", "discountcoupon.discount"),
    Name::of("lines_include_vat", "order_row_taxes_included"),
    Name::of("totals_include_vat", "taxes_included"),
    Name::of("shipping_includes_vat", "shipping_taxes_included"),
    Name::of("is_intra_community", "is_intra_community_order"),
    Name::of("track_and_trace_link", "track_and_trace_deeplink"),
    Name::split("customer_id", "user.id", "user_id").number(),
    Name::of("customer_discount", "user.discount_percentage"),
    Name::of("notify_customer", "mail"),
    Name::of("notify_text", "note"),
    Name::of("payment.method", "paymethod"),
    Name::of("payment.label", "paymethod_label"),
    Name::of("customer.type", "customer.customertype"),
    Name::of("customer.company", "customer.billingaddress.company"),
    Name::of("customer.full_name", "customer.billingaddress.full_name"),
    Name::of("customer.first_name", "customer.billingaddress.first_name"),
    Name::of("customer.last_name", "customer.billingaddress.last_name"),
    Name::of("customer.gender", "customer.billingaddress.gender"),
    Name::of("customer.initials", "customer.billingaddress.initials"),
    Name::of("customer.phone", "customer.billingaddress.telephone"),
    Name::of("customer.mobile", "customer.billingaddress.mobile"),
    Name::of("customer.vat_number", "customer.btw"),
    Name::of("customer.registration_number", "customer.kvk"),
    Name::of("customer.cost_centre", "customer.costcentre"),
    Name::of("customer.reservation_number", "customer.reservationnumber"),
    Name::of("customer.bank_account", "customer.bankaccount"),
    Name::of("customer.bank_name", "customer.bankname"),
    Name::of("customer.birth_date", "customer.birthdate"),
    Name::of("customer.card_number", "customer.cardnumber"),
    Name::of("billing", "customer.billingaddress"),
    Name::of("billing.number", "customer.billingaddress.housenumber").number(),
    Name::of("billing.suffix", "customer.billingaddress.housenumber_suffix"),
    Name::of("billing.postcode", "customer.billingaddress.zipcode"),
    Name::of("billing.country", "customer.billingaddress.country_code"),
    Name::of("billing.phone", "customer.billingaddress.telephone"),
    Name::of("shipping", "customer.deliveryaddress"),
    Name::of("shipping.number", "customer.deliveryaddress.housenumber").number(),
    Name::of("shipping.suffix", "customer.deliveryaddress.housenumber_suffix"),
    Name::of("shipping.postcode", "customer.deliveryaddress.zipcode"),
    Name::of("shipping.country", "customer.deliveryaddress.country_code"),
    Name::of("shipping.phone", "customer.deliveryaddress.telephone"),
    Name::split("lines", "orderrows.collection", "orderrows"),
    own("lines.position"),
    Name::of("lines.kind", "product_type"),
    Name::of("lines.product_id", "product_id").number(),
    Name::of("lines.variant_id", "attribute_combination_id").number(),
    Name::split("lines.sku", "", "product_number"),
    Name::of("lines.product_sku", "product_number"),
    Name::of("lines.ean", "sub_ean_number"),
    Name::of("lines.description", "product_name"),
    Name::of("lines.quantity", "count"),
    own("lines.price_incl"),
    own("lines.price_excl"),
    own("lines.discount"),
    own("lines.discount_excl"),
    own("lines.selling_price_incl"),
    own("lines.selling_price_excl"),
    own("lines.total_incl"),
    own("lines.total_excl"),
    Name::of("lines.vat_rate", "tax"),
    Name::of("lines.package_id", "package_id").number(),
    Name::of("lines.purchase_price", "product_purchase_price"),
    Name::of("lines.create_deposits", "auto_create_deposit_rows"),
    own("lines.options"),
];

pub(super) const INVOICES: &[Name] = &[
    Name::of("number", "invoicenumber_full"),
    own("order_id"),
    Name::of("order_number", "ordernumber_full"),
    Name::of("created_at", "create_date"),
    Name::of("customer_id", "user.id"),
    Name::of("total_incl", "total_price_inc_tax"),
    Name::of("total_excl", "total_price_exc_tax"),
    Name::of("total_vat", "total_tax"),
    Name::of("total_discount", "total_discounts"),
    Name::of("shipping_cost", "total_shipping"),
    own("shipping_cost_incl"),
    own("shipping_cost_excl"),
    Name::of("shipping_vat_rate", "shipping_tax_percentage"),
    Name::of("shipping_includes_vat", "shipping_taxes_included"),
    Name::of("lines_include_vat", "invoice_row_taxes_included"),
    Name::of("link", "deeplink"),
    Name::split("lines", "invoicerows.collection", ""),
    own("lines.position"),
    Name::of("lines.kind", "product_type"),
    own("lines.sku"),
    Name::of("lines.product_sku", "product_number"),
    Name::of("lines.ean", "sub_ean_number"),
    Name::of("lines.description", "product_name"),
    Name::of("lines.quantity", "count"),
    own("lines.price_incl"),
    own("lines.price_excl"),
    own("lines.discount"),
    own("lines.discount_excl"),
    own("lines.selling_price_incl"),
    own("lines.selling_price_excl"),
    own("lines.total_incl"),
    own("lines.total_excl"),
    Name::of("lines.vat_rate", "tax"),
    Name::of("lines.purchase_price", "product_purchase_price"),
    own("lines.options"),
];

pub(super) const RETURNS: &[Name] = &[
    Name::of("number", "returnnumber_full"),
    Name::of("order_number", "ordernumber_full"),
    Name::of("created_at", "create_date"),
];

pub(super) const CASH_UPS: &[Name] = &[
    Name::of("number", "number_full"),
    Name::of("created_at", "create_date"),
    Name::of("start_at", "start_period"),
    Name::of("end_at", "end_period"),
];

pub(super) const FISCAL_SIGNATURES: &[Name] = &[Name::of("created_at", "create_date")];

pub(super) const PRODUCTS: &[Name] = &[
    Name::of("sku", "productnumber"),
    Name::of("ean", "eannumber"),
    Name::of("mpn", "mpnnumber"),
    Name::of("short_description", "shortdescription"),
    own("price_incl"),
    own("price_excl"),
    Name::of("purchase_price", "purchaseprice"),
    Name::of("tax_tariff", "taxtariff"),
    Name::of("vat_rate", "vatrate"),
    Name::split("is_active", "is_active", "active"),
    Name::of("is_stock_tracked", "stockenabled"),
    Name::of("stock_type", "stocktype"),
    Name::of("stock_location", "stocklocation"),
    Name::split("brand", "brand.name", "brand"),
    Name::split("brand_id", "brand.id", "brand_id").number(),
    Name::split("condition", "condition.name", "condition"),
    Name::split("condition_id", "condition.id", "condition_id").number(),
    Name::split("supplier_id", "supplier.id", "supplier_id").number(),
    Name::split("color_id", "color.id", "color_id").number(),
    Name::split("package_id", "package.id", "package_id").number(),
    Name::of("container_deposit", "container_deposit_price"),
    Name::of("safety_deposit", "safety_deposit_price"),
    Name::of("minimum_quantity", "minimal_order_amount"),
    Name::of("quantity_decimals", "decimal_amount"),
    Name::of("delivery_number", "stock_delivery_number"),
    Name::of("delivery_type", "stock_delivery_type"),
    Name::of("delivery_text", "stock_delivery_standard"),
    Name::of("has_fixed_staggered_prices", "fixed_staggered_prices"),
    Name::of("main_category", "maincategory"),
    Name::of("sub_category", "subcategory"),
    Name::of("order_button", "show_order_button"),
    Name::of("layout", "product_layout"),
    Name::of("in_export_feed", "is_included_for_export_feed"),
    Name::of("google_category", "google_shopping_category"),
    Name::of("created_at", "createdate"),
    Name::of("modified_at", "modifydate"),
    Name::of("is_from_multishop", "is_multishop_product"),
    Name::of("link", "deeplink"),
];

pub(super) const VARIANTS: &[Name] = &[
    Name::of("sku", "sku_number"),
    Name::of("ean", "ean_number"),
    Name::of("is_active", "active"),
    Name::of("extra_price", "netto_extra_price"),
    own("options"),
    own("value_ids"),
    Name::of("delivery_text", "delivery_default_text"),
    Name::of("choices", "combination"),
    Name::of("choices.attribute_id", "attribute.id"),
    Name::of("choices.attribute", "attribute.name"),
    Name::of("choices.value_id", "attribute_value.id"),
    Name::of("choices.value", "attribute_value.name"),
];

pub(super) const ATTRIBUTE_VALUES: &[Name] = &[Name::split("attribute_id", "attribute.id", "")];

pub(super) const PRODUCT_ATTRIBUTE_VALUES: &[Name] = &[
    Name::split("product_id", "product_id", ""),
    Name::split("value_id", "optionvalue_id", "optionvalue").number(),
    Name::of("value", "optionvalue_name"),
    Name::of("attribute_id", "optionid"),
    Name::of("attribute", "optionname"),
];

pub(super) const CATEGORIES: &[Name] = &[
    Name::split("parent_id", "parentcategory.id", "parentcategory_id").number(),
    Name::of("is_visible", "show_on_website"),
    Name::of("order_by", "orderby"),
    Name::of("search_words", "searchwords"),
    Name::of("link", "deeplink"),
];

pub(super) const PRODUCT_CATEGORIES: &[Name] =
    &[Name::of("product_id", "product_id").number(), Name::of("category_id", "category_id").number()];

pub(super) const PRODUCT_PHOTOS: &[Name] = &[
    Name::split("product_id", "product_id", ""),
    Name::of("alt_text", "alttext"),
    Name::of("is_main", "is_mainphoto"),
    Name::of("file_name", "filename"),
    Name::of("link", "deeplink"),
];

pub(super) const TAX_EXCEPTIONS: &[Name] =
    &[Name::split("product_id", "product_id", ""), Name::of("tax_tariff", "taxtariff")];

pub(super) const ORDER_NOTES: &[Name] = &[Name::split("order_id", "order_id", "")];

pub(super) const CUSTOMERS: &[Name] = &[
    Name::of("email", "userinfo.email"),
    Name::of("type", "userinfo.customertype"),
    Name::of("company", "userinfo.billingaddress.company"),
    Name::of("full_name", "userinfo.billingaddress.full_name"),
    Name::of("first_name", "userinfo.billingaddress.first_name"),
    Name::of("last_name", "userinfo.billingaddress.last_name"),
    Name::of("gender", "userinfo.billingaddress.gender"),
    Name::of("initials", "userinfo.billingaddress.initials"),
    Name::of("phone", "userinfo.billingaddress.telephone"),
    Name::of("mobile", "userinfo.billingaddress.mobile"),
    Name::of("vat_number", "userinfo.btw"),
    Name::of("registration_number", "userinfo.kvk"),
    Name::of("reference", "userinfo.reference"),
    Name::of("cost_centre", "userinfo.costcentre"),
    Name::of("reservation_number", "userinfo.reservationnumber"),
    Name::of("iban", "userinfo.iban"),
    Name::of("bic", "userinfo.bic"),
    Name::of("bank_account", "userinfo.bankaccount"),
    Name::of("bank_name", "userinfo.bankname"),
    Name::of("website", "userinfo.website"),
    Name::of("birth_date", "userinfo.birthdate"),
    Name::of("branch", "userinfo.branch"),
    Name::of("card_number", "userinfo.cardnumber"),
    Name::of("group_id", "group_id").number(),
    Name::of("is_active", "status"),
    Name::of("category_discount", "product_in_category_discount"),
    Name::of("billing", "userinfo.billingaddress"),
    Name::of("billing.number", "userinfo.billingaddress.housenumber").number(),
    Name::of("billing.suffix", "userinfo.billingaddress.housenumber_suffix"),
    Name::of("billing.postcode", "userinfo.billingaddress.zipcode"),
    Name::of("billing.country", "userinfo.billingaddress.country_code"),
    Name::of("shipping", "userinfo.deliveryaddress"),
    Name::of("shipping.number", "userinfo.deliveryaddress.housenumber").number(),
    Name::of("shipping.suffix", "userinfo.deliveryaddress.housenumber_suffix"),
    Name::of("shipping.postcode", "userinfo.deliveryaddress.zipcode"),
    Name::of("shipping.country", "userinfo.deliveryaddress.country_code"),
    Name::of("shipping.phone", "userinfo.deliveryaddress.telephone"),
];

pub(super) const CUSTOMER_GROUPS: &[Name] = &[
    Name::of("name", "groupname"),
    Name::of("is_default", "default"),
    Name::of("category_discount", "product_in_category_discount"),
];

/// Names of all adjustments of prices; each has some of them.
pub(super) const ADJUSTMENTS: &[Name] = &[
    Name::of("group_id", "usergroup_id").number(),
    Name::of("customer_id", "user_id").number(),
    Name::of("product_id", "product_id").number(),
    Name::of("category_id", "category_id").number(),
    Name::of("staggered_price_id", "staggeredprice_id").number(),
    Name::of("is_hidden", "hidden"),
];

pub(super) const STAGGERED_PRICES: &[Name] =
    &[Name::split("product_id", "product_id", ""), Name::of("selling_price", "sellprice")];

pub(super) const PAYMENT_METHODS: &[Name] = &[
    Name::of("name", "combined_name"),
    Name::of("provider", "psp"),
    Name::of("has_extra_cost", "extra_costs"),
    Name::of("extra_cost_fixed", "extra_costs_fixed"),
    Name::of("extra_cost_percentage", "extra_costs_percentage"),
];

pub(super) const SHOPS: &[Name] = &[
    Name::of("is_chain", "is_multishop_system"),
    Name::of("address", "api_root"),
    Name::of("currency", "settings.currency"),
    Name::of("prices_include_vat", "settings.prices_include_vat"),
    // Spelt so by CCV.
    Name::of("default_vat_rate", "settings.default_vat_rat"),
    Name::of("languages", "settings.languages"),
    Name::of("stock", "settings.stock"),
    Name::of("ordering_without_stock", "settings.ordering_without_stock"),
    Name::of("low_stock", "settings.stock_level_warnings.low_threshold"),
    Name::of("high_stock", "settings.stock_level_warnings.high_threshold"),
    Name::of("order_statuses", "settings.order_status"),
    Name::of("order_statuses.status", "status").words(STATUSES),
    Name::of("order_statuses.name", "status_name"),
    Name::of("invoice_statuses", "settings.invoice_status"),
    Name::of("invoice_statuses.name", "status_name"),
    Name::of("return_statuses", "settings.return_status"),
    Name::of("return_statuses.name", "status_name"),
    Name::of("read_only_fields", "settings.multishop_readonly_properties"),
];

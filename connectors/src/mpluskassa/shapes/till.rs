//! The till itself, its article groups and its stock.

use super::super::codec::{Form, Item, Part, Shape, part, unused};
use super::article::{PRICE_GROUP, SALES_PRICE};
use super::{NUMBERS, TEXTS};

const INT: Form = Form::INT;

pub(in super::super) static API_VERSION: Shape = Shape {
    parts: &[
        part("majorNumber", "major", INT).required(),
        part("minorNumber", "minor", INT).required(),
        part("revisionNumber", "revision", INT).required(),
        unused("databaseMajorNumber"),
        unused("databaseMinorNumber"),
        unused("databaseRevisionNumber"),
        part("serviceMajorNumber", "service_major", INT),
        part("serviceMinorNumber", "service_minor", INT),
        part("serviceRevisionNumber", "service_revision", INT),
        unused("serviceBuildNumber"),
        unused("serviceDate"),
        unused("serviceDateTime"),
        unused("serviceProcessId"),
        unused("serviceHostname"),
        unused("serviceIpAddresses"),
        unused("serviceMinWorkerThreads"),
        unused("serviceMaxWorkerThreads"),
        unused("serverMajorNumber"),
        unused("serverMinorNumber"),
        unused("serverRevisionNumber"),
        unused("serverDate"),
        unused("serverDateTime"),
        part("inDebugMode", "in_debug_mode", Form::Bool).required(),
    ],
};

pub(in super::super) static BRANCHES: Shape =
    Shape { parts: &[part("branches", "rows", Form::List("branch", Item::Record(&BRANCH))).required()] };

static BRANCH: Shape = Shape {
    parts: &[
        part("branchNumber", "branch_number", Form::SMALL).required(),
        part("branchName", "branch_name", Form::Text).required(),
        part("relationNumber", "relation_number", Form::NUMBER),
        part("abbreviation", "abbreviation", Form::Text).required(),
        part("extBranchId", "ext_branch_id", Form::Text),
        unused("isFullSlave"),
        part("priceGroupNumber", "price_group_number", Form::SMALL),
        part("workplaces", "workplaces", Form::List("workplace", Item::Record(&WORKPLACE))),
        part("countryCode", "country_code", INT).required(),
        part("countryIso3", "country_iso3", Form::Text).required(),
        part("countryName", "country_name", Form::Text).required(),
    ],
};

static WORKPLACE: Shape = Shape {
    parts: &[
        part("workplaceNumber", "workplace_number", Form::SMALL).required(),
        part("workplaceName", "workplace_name", Form::Text).required(),
        part("isMobile", "is_mobile", Form::Bool).required(),
        unused("workplaceType"),
        unused("isSlave"),
        unused("lastSlaveSync"),
        unused("priceGroupNumber"),
        unused("extWorkplaceId"),
    ],
};

pub(in super::super) static GET_EMPLOYEES: Shape = Shape {
    parts: &[
        part("employeeNumbers", "employee_numbers", Form::Repeat(Item::NUMBER)),
        part("syncMarker", "sync_marker", Form::LONG),
        part("syncMarkerLimit", "sync_marker_limit", INT),
    ],
};

pub(in super::super) static EMPLOYEES: Shape = Shape {
    parts: &[part("employeeList", "employees", Form::List("employee", Item::Record(&EMPLOYEE))).required()],
};

static EMPLOYEE: Shape = Shape {
    parts: &[
        part("employeeNumber", "employee_number", Form::NUMBER),
        part("extEmployeeId", "ext_employee_id", Form::Text),
        part("syncMarker", "sync_marker", Form::LONG),
        unused("createTimestamp"),
        unused("changeTimestamp"),
        part("name", "name", Form::Text),
        unused("username"),
        unused("password"),
        unused("birthDate"),
        unused("phoneWork"),
        unused("phoneHome"),
        unused("phoneMobile"),
        part("email", "email", Form::Text),
        unused("bankAccountNumber"),
        unused("bankName"),
        unused("rfid"),
        unused("extraText"),
        part("active", "active", Form::Bool),
    ],
};

pub(in super::super) static VAT_CODES: Shape =
    Shape { parts: &[part("vatGroup", "rows", Form::Repeat(Item::Record(&VAT_GROUP)))] };

static VAT_GROUP: Shape = Shape {
    parts: &[
        part("branchNumber", "branch_number", Form::SMALL),
        unused("extBranchId"),
        unused("countryCode"),
        part("countryIso3", "country_iso3", Form::Text),
        part("vatCode", "vat_code", Form::CODE).required(),
        part("vatPercentage", "vat_percentage", Form::Percent).required(),
        unused("exclAmount"),
        unused("vatAmount"),
        part("accountNumber", "account_number", Form::SMALL),
    ],
};

pub(in super::super) static GET_TURNOVER_GROUPS: Shape =
    Shape { parts: &[part("onlyActive", "only_active", Form::Bool)] };

pub(in super::super) static TURNOVER_GROUPS: Shape = Shape {
    parts: &[part("turnoverGroupList", "rows", Form::List("turnoverGroup", Item::Record(&TURNOVER_GROUP)))
        .required()],
};

static TURNOVER_GROUP: Shape = Shape {
    parts: &[
        part(
            "turnoverGroupType",
            "turnover_group_type",
            Form::Choice(
                "TURNOVER-GROUP-TYPE-",
                &[
                    "turnover",
                    "payment",
                    "suspense",
                    "cash_inflow",
                    "cash_outflow",
                    "balance_upgrade",
                    "unknown",
                    "refundable_deposit",
                ],
            ),
        )
        .required(),
        part("turnoverGroup", "turnover_group", Form::CODE).required(),
        part("turnoverGroupName", "turnover_group_name", Form::Text).required(),
        unused("inclAmount"),
        unused("exclAmount"),
        unused("defaultAccountNumber"),
        part("accountNumber", "account_number", Form::SMALL),
        unused("allowPointsDistribution"),
        unused("allowPointsPayment"),
        unused("allowDiscount"),
        unused("branchAccountNumberList"),
        unused("defaultPurchaseAccountNumber"),
        unused("purchaseAccountNumber"),
        unused("defaultStockAccountNumber"),
        unused("stockAccountNumber"),
        part("defaultVatCode", "default_vat_code", Form::CODE),
    ],
};

/// Kinds of payment method.
pub(in super::super) const PAYMENT_TYPES: (&str, &[&str]) = (
    "PAYMENT-METHOD-TYPE-",
    &[
        "payment",
        "eft",
        "suspense",
        "deposit",
        "auto_deposit",
        "bpe",
        "bpe_no_stock",
        "voucher_bpe",
        "voucher_book_bpe",
    ],
);

pub(in super::super) static GET_PAYMENT_METHODS: Shape = Shape {
    parts: &[
        part("accountNumber", "account_number", Form::SMALL),
        part("paymentMethodTypes", "types", Form::Repeat(Item::Choice(PAYMENT_TYPES.0, PAYMENT_TYPES.1))),
        unused("includeBpeConfiguration"),
        unused("includeGiftcardType"),
    ],
};

pub(in super::super) static PAYMENT_METHODS: Shape = Shape {
    parts: &[part("paymentMethodList", "rows", Form::List("paymentMethod", Item::Record(&PAYMENT_METHOD)))
        .required()],
};

static PAYMENT_METHOD: Shape = Shape {
    parts: &[
        part("method", "method", Form::Text).required(),
        part("description", "description", Form::Text).required(),
        part("buttonText", "button_text", Form::Text).required(),
        part("allowNegativeAmount", "allow_negative_amount", Form::Bool).required(),
        part("active", "active", Form::Bool),
        part("type", "type", Form::Choice(PAYMENT_TYPES.0, PAYMENT_TYPES.1)),
        part("accountNumber", "account_number", Form::SMALL),
    ],
};

pub(in super::super) static GET_DELIVERY_METHODS: Shape =
    Shape { parts: &[part("onlyEnabled", "only_enabled", Form::Bool)] };

pub(in super::super) static DELIVERY_METHODS: Shape = Shape {
    parts: &[part(
        "deliveryMethodList",
        "rows",
        Form::List("deliveryMethod", Item::Record(&DELIVERY_METHOD)),
    )
    .required()],
};

static DELIVERY_METHOD: Shape = Shape {
    parts: &[
        part("deliveryMethod", "delivery_method", Form::Text).required(),
        part("description", "description", Form::Text).required(),
        part("buttonText", "button_text", Form::Text).required(),
        part("enabled", "enabled", Form::Bool),
    ],
};

pub(in super::super) static ORDER_CATEGORIES: Shape =
    Shape { parts: &[part("orderCategory", "rows", Form::Repeat(Item::Record(&ORDER_CATEGORY)))] };

static ORDER_CATEGORY: Shape = Shape {
    parts: &[
        part("orderCategoryNumber", "order_category_number", Form::SMALL).required(),
        part("orderCategoryDescription", "order_category_description", Form::Text).required(),
        part(
            "orderCategoryDependencyNumbers",
            "order_category_dependency_numbers",
            Form::Repeat(Item::SMALL),
        ),
        part("allowCancel", "allow_cancel", Form::Bool).required(),
        part("allowProcess", "allow_process", Form::Bool).required(),
    ],
};

pub(in super::super) static PRICE_GROUPS: Shape =
    Shape { parts: &[part("priceGroup", "rows", Form::Repeat(Item::Record(&PRICE_GROUP)))] };

pub(in super::super) static SALES_PRICE_LISTS: Shape =
    Shape { parts: &[part("salesPrice", "rows", Form::Repeat(Item::Record(&SALES_PRICE)))] };

// --- article groups ---------------------------------------------------------------------------

pub(in super::super) static GET_GROUP_CHANGES: Shape = Shape {
    parts: &[
        part("syncMarker", "sync_marker", Form::LONG),
        part("syncMarkerLimit", "sync_marker_limit", INT),
        part("groupNumbers", "group_numbers", Form::Repeat(Item::SMALL)),
    ],
};

pub(in super::super) static GROUP_CHANGES: Shape = Shape {
    parts: &[part(
        "changedArticleGroupList",
        "groups",
        Form::List("changedArticleGroups", Item::Record(&GROUP)),
    )
    .required()],
};

static GROUP: Shape = Shape {
    parts: &[
        part("groupNumber", "group_number", Form::SMALL).required(),
        part("parentGroupNumber", "parent_group_number", Form::SMALL),
        part("syncMarker", "sync_marker", Form::LONG),
        part("name", "name", Form::Text).required(),
        part("text", "text", Form::Text).required(),
        unused("subGroupNumbers"),
        part("sortOrder", "sort_order", INT).required(),
        part("productNumbers", "product_numbers", NUMBERS),
        unused("image"),
        part("isDeleted", "is_deleted", Form::Bool),
    ],
};

const PARENT: Part = part("parentGroupNumber", "parent_group_number", Form::CODE);

pub(in super::super) static NEW_GROUP: Shape = Shape {
    parts: &[
        PARENT.required(),
        part("name", "name", Form::Text).required(),
        part("text", "text", Form::Text).required(),
        part("sortOrder", "sort_order", INT),
        unused("imageId"),
    ],
};

pub(in super::super) static GROUP_CREATED: Shape = Shape {
    parts: &[
        part(
            "result",
            "result",
            Form::Choice("NEW-ARTICLE-GROUP-RESULT-", &["ok", "parent_notfound", "failed"]),
        )
        .required(),
        part("groupNumber", "group_number", Form::CODE).required(),
    ],
};

pub(in super::super) static UPDATE_GROUP: Shape = Shape {
    parts: &[
        part("groupNumber", "group_number", Form::SMALL).required(),
        part("name", "name", Form::Text),
        part("text", "text", Form::Text),
        part("sortOrder", "sort_order", INT),
        unused("imageId"),
        PARENT,
    ],
};

pub(in super::super) static GROUP_UPDATED: Shape = Shape {
    parts: &[part(
        "result",
        "result",
        Form::Choice("SAVE-ARTICLE-GROUP-RESULT-", &["ok", "not_found", "failed"]),
    )
    .required()],
};

pub(in super::super) static ADD_TO_GROUP: Shape = Shape {
    parts: &[
        part("groupNumber", "group_number", Form::SMALL).required(),
        part("position", "position", INT),
        part("productNumbers", "product_numbers", NUMBERS).required(),
    ],
};

pub(in super::super) static ADDED_TO_GROUP: Shape = Shape {
    parts: &[part(
        "result",
        "result",
        Form::Choice("ADD-PRODUCTS-TO-ARTICLE-GROUP-RESULT-", &["ok", "not_found", "failed"]),
    )
    .required()],
};

// --- stock ------------------------------------------------------------------------------------

pub(in super::super) static GET_STOCK: Shape = Shape {
    parts: &[
        part("branchNumber", "branch_number", Form::SMALL).required(),
        part("articleNumbers", "article_numbers", Form::List("articleNumbers", Item::NUMBER)).required(),
        part("stockId", "stock_id", Form::LONG),
        unused("dayStockOnlyFilter"),
        unused("branchNumbers"),
    ],
};

pub(in super::super) static STOCK: Shape =
    Shape { parts: &[part("articleStocks", "rows", Form::Repeat(Item::Record(&ARTICLE_STOCK)))] };

static ARTICLE_STOCK: Shape = Shape {
    parts: &[
        part("branchNumber", "branch_number", Form::SMALL),
        part("articleNumber", "article_number", Form::NUMBER).required(),
        part("changeTimestamp", "change_timestamp", Form::Moment),
        part("stockId", "stock_id", Form::LONG).required(),
        part("amountFree", "amount_free", Form::Scaled("decimalPlacesFree")).required(),
        part("amountReserved", "amount_reserved", Form::Scaled("decimalPlacesReserved")).required(),
        part("amountIncoming", "amount_incoming", Form::Scaled("decimalPlacesIncoming")).required(),
        unused("ownAmountFree"),
        unused("ownAmountReserved"),
        unused("ownAmountIncoming"),
        unused("subArticle"),
        part("isDayStockArticle", "is_day_stock_article", Form::Bool).required(),
    ],
};

pub(in super::super) static SET_STOCK: Shape = Shape {
    parts: &[
        part("branchNumber", "branch_number", Form::SMALL).required(),
        part("articleNumber", "article_number", Form::NUMBER).required(),
        part("amount", "amount", Form::Scaled("decimalPlaces")).required(),
        part("employeeNumber", "employee_number", Form::NUMBER),
        part("reference", "reference", Form::Text),
    ],
};

pub(in super::super) static STOCK_SET: Shape = Shape {
    parts: &[
        part(
            "result",
            "result",
            Form::Choice(
                "SET-STOCK-RESULT-",
                &["ok", "branch_not_found", "article_not_found", "no_stock_article", "failed"],
            ),
        )
        .required(),
        part("stockId", "stock_id", Form::LONG),
    ],
};

/// Kept here because both lists of documents ask for it.
pub(in super::super) const PLU_FILTER: Part =
    part("articlePluNumbers", "article_plu_numbers", TEXTS).required();
/// As above.
pub(in super::super) const BARCODE_FILTER: Part =
    part("articleBarcodes", "article_barcodes", TEXTS).required();

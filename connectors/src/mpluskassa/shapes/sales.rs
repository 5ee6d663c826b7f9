//! Orders, invoices and receipts: what they share, and the requests around them.

mod documents;

use super::super::codec::{Form, Item, Part, Shape, part, unused};
use super::till::{BARCODE_FILTER, PLU_FILTER};
use super::{IDS, YEAR_NUMBER};

pub(in super::super) use documents::{INVOICE, ORDER, RECEIPT};

static ADDRESS: Shape = Shape {
    parts: &[
        part("addressId", "address_id", Form::Text),
        part("name", "name", Form::Text),
        part("contact", "contact", Form::Text),
        part("address", "address", Form::Text),
        part("zipcode", "zipcode", Form::Text),
        part("city", "city", Form::Text),
        part("country", "country", Form::Text),
        part("label", "label", Form::Text),
        part("companyName", "company_name", Form::Text),
        unused("supplierInformation"),
    ],
};

static VAT_TOTAL: Shape = Shape {
    parts: &[
        unused("branchNumber"),
        unused("extBranchId"),
        unused("countryCode"),
        unused("countryIso3"),
        part("vatCode", "vat_code", Form::CODE).required(),
        part("vatPercentage", "vat_percentage", Form::Percent).required(),
        part("exclAmount", "excl_amount", Form::Cents),
        part("vatAmount", "vat_amount", Form::Cents),
        unused("accountNumber"),
    ],
};

const DELIVERY_ADDRESS: Part = part("deliveryAddress", "delivery_address", Form::Record(&ADDRESS));
const INVOICE_ADDRESS: Part = part("invoiceAddress", "invoice_address", Form::Record(&ADDRESS));
const VAT_GROUPS: Part = part("vatGroupList", "vat_groups", Form::List("vatGroup", Item::Record(&VAT_TOTAL)));
const LINES: Part = part("lineList", "lines", Form::List("line", Item::Record(&LINE)));
const PAYMENTS: Part = part("paymentList", "payments", Form::List("payment", Item::Record(&PAYMENT)));

static LINE: Shape = Shape {
    parts: &[
        part("lineId", "line_id", Form::Text),
        unused("employeeNumber"),
        part("articleNumber", "article_number", Form::NUMBER).required(),
        part("pluNumber", "plu_number", Form::Text),
        part("text", "text", Form::Text),
        unused("supplierRelationNumber"),
        unused("supplierRelationName"),
        unused("supplierArticleNumber"),
        part("data", "", Form::Inline(&LINE_DATA)),
        unused("courseNumber"),
        unused("menuHash"),
        unused("menuDescription"),
        unused("menuAmount"),
        unused("salePromotionData"),
        unused("webhookData"),
        unused("lineType"),
        unused("preparationList"),
        unused("suppressDisposableComponent"),
        unused("tempId"),
        unused("retourReason"),
        unused("sequenceNumber"),
        unused("contractLines"),
        unused("uncondensedLines"),
        unused("tempLineId"),
        unused("subLineType"),
        unused("articleAlterationId"),
        unused("lineKind"),
        unused("salesOrderLineId"),
    ],
};

static LINE_DATA: Shape = Shape {
    parts: &[
        part("quantity", "quantity", Form::Scaled("decimalPlaces")).required(),
        part("deliveredQuantity", "delivered_quantity", Form::Scaled("deliveredDecimalPlaces")),
        part("cancelledQuantity", "cancelled_quantity", Form::Scaled("cancelledDecimalPlaces")),
        part("price", "price", Form::Cents),
        part("priceExcl", "price_excl", Form::Cents),
        part("originalPrice", "original_price", Form::Cents),
        part("originalPriceExcl", "original_price_excl", Form::Cents),
        unused("purchasePrice"),
        unused("averagePurchasePrice"),
        unused("exchangeRateBuyPrice"),
        unused("exchangeRateBuyPriceDecimalPlaces"),
        unused("exchangeRateSellPrice"),
        unused("exchangeRateSellPriceDecimalPlaces"),
        unused("exchangeRateMultiplier"),
        part("turnoverGroup", "turnover_group", Form::CODE),
        unused("turnoverGroupName"),
        unused("turnoverGroupType"),
        unused("turnoverGroupAccountNumber"),
        unused("turnoverGroupCostCenter"),
        part("vatCode", "vat_code", Form::CODE),
        part("vatPercentage", "vat_percentage", Form::Percent),
        unused("pricePerQuantity"),
        unused("siUnit"),
        unused("discountType"),
        part("discountPercentage", "discount_percentage", Form::Percent),
        part("discountAmount", "discount_amount", Form::Cents),
        part("discountAmountExcl", "discount_amount_excl", Form::Cents),
        unused("bpeId"),
        unused("bpeDescription"),
        unused("bpeAmount"),
        unused("bpeAmountExcl"),
        unused("menuId"),
        unused("menuLinesId"),
        part("totalInclAmount", "total_incl_amount", Form::Cents),
        part("totalExclAmount", "total_excl_amount", Form::Cents),
        unused("priceType"),
        unused("purchaseAccountNumber"),
        unused("stockAccountNumber"),
        unused("bpeAccordationEmployeeNumber"),
        unused("redeemedVoucherIssuanceId"),
        unused("pendingVoucherIssuanceStartTs"),
    ],
};

static PAYMENT: Shape = Shape {
    parts: &[
        part("paymentId", "payment_id", Form::Text),
        part("financialDate", "financial_date", Form::Date),
        unused("entryTimestamp"),
        unused("branchNumber"),
        unused("extBranchId"),
        unused("workplaceNumber"),
        unused("employeeNumber"),
        unused("employeeName"),
        part("method", "method", Form::Text).required(),
        part("description", "description", Form::Text),
        part("amount", "amount", Form::Cents).required(),
        unused("paymentMethodType"),
        unused("accountNumber"),
        unused("branchAccountNumberList"),
        unused("eftTransactionDetails"),
        unused("giftcardNumber"),
        unused("externalPaymentId"),
        unused("externalPaymentTransactionDetails"),
        part("externalReference", "external_reference", Form::Text),
    ],
};

const KEY: Part = part("idempotencyKey", "idempotency_key", Form::Text).required();
const REPLAY: Part = part(
    "idempotencyResult",
    "idempotency_result",
    Form::Choice("IDEMPOTENCY-RESULT-", &["original_response", "replay_response"]),
)
.required();
const PAY_RESULT: Form = Form::Choice(
    "PAY-ORDER-RESULT-",
    &["ok", "failed", "order_has_changed", "payment_insufficient", "order_already_invoiced"],
);
const CREATE_RESULT: Part = part(
    "result",
    "result",
    Form::Choice("CREATE-ORDER-RESULT-", &["ok", "ext_order_id_already_exists", "failed", "payment_failed"]),
)
.required();
const ONE_ORDER: Part = part("order", "order", Form::Record(&ORDER));
const ERROR: Part = part("errorMessage", "error_message", Form::Text);

static ORDER_INFO: Shape = Shape {
    parts: &[
        part("orderId", "order_id", Form::Text).required(),
        part("orderString", "order_string", Form::Text).required(),
        part("orderQueued", "order_queued", Form::Bool),
    ],
};

pub(in super::super) static CREATE_ORDER_V3: Shape = Shape {
    parts: &[
        KEY,
        ONE_ORDER.required(),
        part("applySalesAndActions", "apply_sales_and_actions", Form::Bool),
        part("applySalesPrices", "apply_sales_prices", Form::Bool),
        part("applyPriceGroups", "apply_price_groups", Form::Bool),
        unused("scannedVoucherIssuanceCodes"),
        part("prepay", "prepay", Form::Bool),
        PAYMENTS,
    ],
};

pub(in super::super) static ORDER_CREATED_V3: Shape = Shape {
    parts: &[
        REPLAY,
        CREATE_RESULT,
        ONE_ORDER,
        ERROR,
        part("info", "info", Form::Record(&ORDER_INFO)).required(),
        part("payResult", "pay_result", PAY_RESULT),
        part("invoiceId", "invoice_id", Form::Text),
    ],
};

pub(in super::super) static CREATE_ORDER_V2: Shape = Shape {
    parts: &[
        ONE_ORDER.required(),
        part("applySalesAndActions", "apply_sales_and_actions", Form::Bool),
        part("applySalesPrices", "apply_sales_prices", Form::Bool),
        part("applyPriceGroups", "apply_price_groups", Form::Bool),
    ],
};

pub(in super::super) static ORDER_CREATED_V2: Shape = Shape {
    parts: &[CREATE_RESULT, ONE_ORDER, ERROR, part("info", "info", Form::Record(&ORDER_INFO)).required()],
};

pub(in super::super) static ORDER_UPDATED: Shape = Shape {
    parts: &[
        part(
            "result",
            "result",
            Form::Choice(
                "UPDATE-ORDER-RESULT-",
                &["ok", "not_found", "order_has_changed", "no_changes", "failed"],
            ),
        )
        .required(),
        ONE_ORDER,
        ERROR,
        part("info", "info", Form::Record(&ORDER_INFO)).required(),
    ],
};

pub(in super::super) static FIND_ORDER: Shape =
    Shape { parts: &[part("extOrderId", "ext_order_id", Form::Text).required()] };

pub(in super::super) static GET_ORDER: Shape =
    Shape { parts: &[part("orderId", "order_id", Form::Text).required()] };

pub(in super::super) static ORDER_FOUND: Shape = Shape {
    parts: &[
        part("result", "result", Form::Choice("GET-ORDER-RESULT-", &["ok", "not_found"])).required(),
        ONE_ORDER,
    ],
};

const MARKER: Part = part("syncMarker", "sync_marker", Form::LONG);
const LIMIT: Part = part("syncMarkerLimit", "sync_marker_limit", Form::INT);
const RELATIONS: Part = part("relationNumbers", "relation_numbers", Form::Repeat(Item::NUMBER));
const WITH_LINES: Part = part("includeLineList", "include_lines", Form::Bool);

pub(in super::super) static ORDERS_BY_EXT_IDS: Shape =
    Shape { parts: &[MARKER, LIMIT, part("extOrderIds", "ext_order_ids", IDS)] };

pub(in super::super) static GET_ORDERS: Shape = Shape {
    parts: &[
        MARKER,
        LIMIT,
        unused("fromFinancialDate"),
        unused("throughFinancialDate"),
        unused("branchNumbers"),
        unused("employeeNumbers"),
        RELATIONS,
        unused("supplierRelationNumbers"),
        unused("articleNumbers"),
        unused("articleTurnoverGroups"),
        PLU_FILTER,
        BARCODE_FILTER,
        unused("activityId"),
        unused("orderTypeList"),
        part("orderIds", "order_ids", Form::Repeat(Item::Text)),
        part("orderNumbers", "order_numbers", Form::Repeat(Item::Dotted(&["year", "number"]))),
        unused("ownerFilter"),
        unused("branchGroupFilter"),
        WITH_LINES,
    ],
};

pub(in super::super) static ORDERS: Shape =
    Shape { parts: &[part("orderList", "orders", Form::List("order", Item::Record(&ORDER))).required()] };

static WORKPLACE_KEY: Shape = Shape {
    parts: &[
        part("branchNumber", "branch_number", Form::SMALL).required(),
        part("workplaceNumber", "workplace_number", Form::SMALL).required(),
    ],
};

static EMPLOYEE_KEY: Shape =
    Shape { parts: &[part("employeeNumber", "employee_number", Form::NUMBER).required()] };

pub(in super::super) static CANCEL_ORDER: Shape = Shape {
    parts: &[
        part("workplace", "workplace", Form::Record(&WORKPLACE_KEY)).required(),
        part("employee", "employee", Form::Record(&EMPLOYEE_KEY)).required(),
        part("orderId", "order_id", Form::Text).required(),
    ],
};

pub(in super::super) static ORDER_CANCELLED: Shape = Shape {
    parts: &[
        part(
            "result",
            "result",
            Form::Choice(
                "CANCEL-ORDER-RESULT-",
                &["ok", "failed", "not_found", "pending", "already_cancelled", "undo_cancel_ok"],
            ),
        )
        .required(),
        part("message", "message", Form::Text).required(),
    ],
};

pub(in super::super) static PAY_ORDER: Shape = Shape {
    parts: &[
        KEY,
        part("orderId", "order_id", Form::Text).required(),
        part("prepay", "prepay", Form::Bool).required(),
        PAYMENTS.required(),
    ],
};

pub(in super::super) static ORDER_PAID: Shape = Shape {
    parts: &[
        REPLAY,
        part("result", "result", PAY_RESULT).required(),
        part("invoiceId", "invoice_id", Form::Text),
        part("errorMessage", "error_message", Form::Text).required(),
    ],
};

// --- invoices and receipts ----------------------------------------------------------------------

pub(in super::super) static GET_INVOICES: Shape = Shape {
    parts: &[
        MARKER,
        LIMIT,
        unused("fromFinancialDate"),
        unused("throughFinancialDate"),
        unused("branchNumbers"),
        unused("employeeNumbers"),
        RELATIONS,
        unused("supplierRelationNumbers"),
        unused("articleNumbers"),
        unused("articleTurnoverGroups"),
        PLU_FILTER,
        BARCODE_FILTER,
        unused("activityId"),
        unused("finalizeInvoices"),
        part("invoiceIds", "invoice_ids", Form::Repeat(Item::Text)),
        part("invoiceNumbers", "invoice_numbers", Form::Repeat(Item::Dotted(&["year", "number"]))),
        unused("ownerFilter"),
        unused("branchGroupFilter"),
        WITH_LINES,
    ],
};

pub(in super::super) static INVOICES: Shape = Shape {
    parts: &[part("invoiceList", "invoices", Form::List("invoice", Item::Record(&INVOICE))).required()],
};

pub(in super::super) static FIND_INVOICE: Shape =
    Shape { parts: &[part("extInvoiceId", "ext_invoice_id", Form::Text).required()] };

pub(in super::super) static INVOICE_FOUND: Shape = Shape {
    parts: &[
        part("result", "result", Form::Choice("GET-INVOICE-RESULT-", &["ok", "not_found"])).required(),
        part("invoice", "invoice", Form::Record(&INVOICE)),
    ],
};

pub(in super::super) static SAVE_INVOICE: Shape =
    Shape { parts: &[part("invoice", "invoice", Form::Record(&INVOICE)).required()] };

static INVOICE_INFO: Shape = Shape {
    parts: &[
        part("invoiceId", "invoice_id", Form::Text).required(),
        part("invoiceString", "invoice_string", Form::Text).required(),
        part("invoiceNumber", "invoice_number", YEAR_NUMBER),
        part("invoiceBarcode", "invoice_barcode", Form::Text),
    ],
};

pub(in super::super) static INVOICE_SAVED: Shape = Shape {
    parts: &[
        part(
            "result",
            "result",
            Form::Choice(
                "SAVE-INVOICE-RESULT-",
                &["ok", "not_found", "invoice_has_changed", "failed", "ext_invoice_id_already_exists"],
            ),
        )
        .required(),
        part("info", "info", Form::Record(&INVOICE_INFO)).required(),
        part("errorMessage", "error_message", Form::Text).required(),
    ],
};

pub(in super::super) static PAY_INVOICE: Shape =
    Shape { parts: &[part("invoiceId", "invoice_id", Form::Text).required(), PAYMENTS.required()] };

pub(in super::super) static INVOICE_PAID: Shape = Shape {
    parts: &[
        part("result", "result", Form::Choice("PAY-INVOICE-RESULT-", &["ok", "failed", "payment_too_high"]))
            .required(),
        part("errorMessage", "error_message", Form::Text).required(),
    ],
};

pub(in super::super) static GET_RECEIPTS: Shape = Shape {
    parts: &[
        MARKER,
        LIMIT,
        unused("fromFinancialDate"),
        unused("throughFinancialDate"),
        unused("branchNumbers"),
        unused("employeeNumbers"),
        RELATIONS,
        unused("supplierRelationNumbers"),
        unused("articleNumbers"),
        unused("articleTurnoverGroups"),
        PLU_FILTER,
        BARCODE_FILTER,
        unused("activityId"),
        part("includeOrderReferences", "include_orders", Form::Bool),
        unused("ownerFilter"),
        unused("branchGroupFilter"),
        part("receiptIds", "receipt_ids", Form::Repeat(Item::Text)),
        WITH_LINES,
    ],
};

pub(in super::super) static RECEIPTS: Shape = Shape {
    parts: &[part("receiptList", "receipts", Form::List("receipt", Item::Record(&RECEIPT))).required()],
};

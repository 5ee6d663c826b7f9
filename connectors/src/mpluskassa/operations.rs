//! The operations that are used: what is asked, what is answered.

use super::codec::Shape;
use super::shapes::NOTHING;
use super::shapes::article as a;
use super::shapes::relation as r;
use super::shapes::sales as s;
use super::shapes::till as t;

/// One operation of the service.
#[derive(Debug)]
pub(super) struct Operation {
    /// Name of the operation and of its element.
    pub(super) name: &'static str,
    /// Element within it that holds what is asked, when there is one.
    pub(super) wrapper: Option<&'static str>,
    pub(super) request: &'static Shape,
    /// Name of the element in the reply; some start with a small letter, some are shared.
    pub(super) answer: &'static str,
    pub(super) reply: &'static Shape,
    /// It changes nothing.
    pub(super) read: bool,
}

const fn read(
    name: &'static str,
    request: &'static Shape,
    answer: &'static str,
    reply: &'static Shape,
) -> Operation {
    Operation { name, wrapper: Some("request"), request, answer, reply, read: true }
}

const fn write(
    name: &'static str,
    request: &'static Shape,
    answer: &'static str,
    reply: &'static Shape,
) -> Operation {
    Operation { name, wrapper: Some("request"), request, answer, reply, read: false }
}

impl Operation {
    /// The same, with what is asked directly in its element.
    const fn bare(self) -> Self {
        Self { wrapper: None, ..self }
    }
}

macro_rules! operations {
    ($($id:ident = $operation:expr;)*) => {
        $(pub(super) static $id: Operation = $operation;)*

        /// All of them.
        pub(super) static ALL: &[&Operation] = &[$(&$id),*];
    };
}

operations! {
    GET_API_VERSION = read("getApiVersion", &NOTHING, "getApiVersionResponse", &t::API_VERSION).bare();
    GET_BRANCHES = read("getBranches", &NOTHING, "getBranchesResponse", &t::BRANCHES).bare();
    GET_EMPLOYEES = read("getEmployees", &t::GET_EMPLOYEES, "GetEmployeesResponse", &t::EMPLOYEES);
    GET_VAT_CODES = read("getVatGroupList", &NOTHING, "getVatGroupListResponse", &t::VAT_CODES).bare();
    GET_TURNOVER_GROUPS =
        read("getTurnoverGroups", &t::GET_TURNOVER_GROUPS, "GetTurnoverGroupsResponse", &t::TURNOVER_GROUPS);
    GET_PAYMENT_METHODS = read(
        "getPaymentMethodsV2",
        &t::GET_PAYMENT_METHODS,
        "GetPaymentMethodsResponse",
        &t::PAYMENT_METHODS,
    );
    GET_DELIVERY_METHODS = read(
        "getDeliveryMethodsV2",
        &t::GET_DELIVERY_METHODS,
        "GetDeliveryMethodsV2Response",
        &t::DELIVERY_METHODS,
    );
    GET_ORDER_CATEGORIES =
        read("getOrderCategories", &NOTHING, "GetOrderCategoriesResponse", &t::ORDER_CATEGORIES).bare();
    GET_PRICE_GROUPS = read("getPriceGroupList", &NOTHING, "getPriceGroupListResponse", &t::PRICE_GROUPS).bare();
    GET_SALES_PRICE_LISTS =
        read("getSalesPriceList", &NOTHING, "getSalesPriceListResponse", &t::SALES_PRICE_LISTS).bare();

    GET_PRODUCTS = read("getProducts", &a::GET_PRODUCTS, "GetProductsResponse", &a::PRODUCTS);
    CREATE_PRODUCT =
        write("createProduct", &a::WRITE_PRODUCT, "CreateProductResponse", &a::PRODUCT_CREATED).bare();
    UPDATE_PRODUCT =
        write("updateProduct", &a::WRITE_PRODUCT, "UpdateProductResponse", &a::PRODUCT_UPDATED).bare();

    GET_GROUP_CHANGES = read(
        "getArticleGroupChanges",
        &t::GET_GROUP_CHANGES,
        "GetArticleGroupChangesResponse",
        &t::GROUP_CHANGES,
    );
    NEW_GROUP = write("newArticleGroup", &t::NEW_GROUP, "NewArticleGroupResponse", &t::GROUP_CREATED);
    UPDATE_GROUP = write("updateArticleGroup", &t::UPDATE_GROUP, "UpdateArticleGroupResponse", &t::GROUP_UPDATED);
    ADD_TO_GROUP = write(
        "addProductsToArticleGroup",
        &t::ADD_TO_GROUP,
        "AddProductsToArticleGroupResponse",
        &t::ADDED_TO_GROUP,
    );

    GET_STOCK = read("getStock", &t::GET_STOCK, "GetStockResponse", &t::STOCK);
    SET_STOCK = write("setStock", &t::SET_STOCK, "SetStockResponse", &t::STOCK_SET);

    GET_RELATIONS = read("getRelations", &r::GET_RELATIONS, "GetRelationsResponse", &r::RELATIONS);
    FIND_RELATION = read("findRelationV2", &r::FIND_RELATION, "FindRelationV2Response", &r::RELATION_FOUND);
    CREATE_RELATION =
        write("createRelation", &r::WRITE_RELATION, "CreateRelationResponse", &r::RELATION_CREATED).bare();
    UPDATE_RELATION =
        write("updateRelation", &r::WRITE_RELATION, "UpdateRelationResponse", &r::RELATION_UPDATED).bare();

    GET_ORDERS = read("getOrders", &s::GET_ORDERS, "GetOrdersResponse", &s::ORDERS);
    GET_ORDERS_BY_EXT_IDS = read(
        "getOrdersByExtOrderIds",
        &s::ORDERS_BY_EXT_IDS,
        "GetOrdersByExtOrderIdsResponse",
        &s::ORDERS,
    );
    FIND_ORDER = read("findOrder", &s::FIND_ORDER, "GetOrderResponse", &s::ORDER_FOUND).bare();
    GET_ORDER = read("getOrder", &s::GET_ORDER, "GetOrderResponse", &s::ORDER_FOUND).bare();
    CREATE_ORDER_V3 =
        write("createOrderV3", &s::CREATE_ORDER_V3, "CreateOrderV3Response", &s::ORDER_CREATED_V3);
    CREATE_ORDER_V2 =
        write("createOrderV2", &s::CREATE_ORDER_V2, "CreateOrderV2Response", &s::ORDER_CREATED_V2);
    UPDATE_ORDER = write("updateOrderV2", &s::CREATE_ORDER_V2, "UpdateOrderV2Response", &s::ORDER_UPDATED);
    CANCEL_ORDER = write("cancelOrderV2", &s::CANCEL_ORDER, "CancelOrderResponse", &s::ORDER_CANCELLED);
    PAY_ORDER = write("payOrderV2", &s::PAY_ORDER, "PayOrderV2Response", &s::ORDER_PAID);

    GET_INVOICES = read("getInvoices", &s::GET_INVOICES, "GetInvoicesResponse", &s::INVOICES);
    FIND_INVOICE = read("findInvoice", &s::FIND_INVOICE, "GetInvoiceResponse", &s::INVOICE_FOUND).bare();
    SAVE_INVOICE = write("saveInvoice", &s::SAVE_INVOICE, "SaveInvoiceResponse", &s::INVOICE_SAVED).bare();
    PAY_INVOICE = write("payInvoice", &s::PAY_INVOICE, "PayInvoiceResponse", &s::INVOICE_PAID);
    GET_RECEIPTS = read("getReceipts", &s::GET_RECEIPTS, "GetReceiptsResponse", &s::RECEIPTS);
}

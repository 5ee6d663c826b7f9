//! Relations.

use super::super::codec::{Form, Item, Shape, part, unused};
use super::{CATEGORY_IDS, CUSTOM_FIELDS, VAT_METHOD};

pub(in super::super) static RELATION: Shape = Shape {
    parts: &[
        part("relationNumber", "relation_number", Form::NUMBER),
        part("extRelationId", "ext_relation_id", Form::Text),
        part("syncMarker", "sync_marker", Form::LONG),
        part("createTimestamp", "create_timestamp", Form::Moment),
        part("changeTimestamp", "change_timestamp", Form::Moment),
        part("active", "active", Form::Bool),
        part("name", "name", Form::Text),
        part("address", "address", Form::Text),
        part("zipcode", "zipcode", Form::Text),
        part("city", "city", Form::Text),
        part("country", "country", Form::Text),
        part("deliveryAddress", "delivery_address", Form::Text),
        part("deliveryZipcode", "delivery_zipcode", Form::Text),
        part("deliveryCity", "delivery_city", Form::Text),
        part("deliveryCountry", "delivery_country", Form::Text),
        part("contact", "contact", Form::Text),
        part("telephone", "telephone", Form::Text),
        part("mobile", "mobile", Form::Text),
        part("email", "email", Form::Text),
        part("website", "website", Form::Text),
        part("birthDate", "birth_date", Form::Date),
        part("relationCode", "relation_code", Form::Text),
        part("points", "points", Form::INT),
        part("balance", "balance", Form::Cents),
        part("priceGroupNumber", "price_group_number", Form::SMALL),
        part("discountPercentage", "discount_percentage", Form::Percent),
        unused("categoryId"),
        CATEGORY_IDS,
        part("cardNumber", "card_number", Form::Text),
        part("bankAccountNumber", "bank_account_number", Form::Text),
        part("creditLimit", "credit_limit", Form::Cents),
        part("paymentWithinDays", "payment_within_days", Form::INT),
        part("vatNumber", "vat_number", Form::Text),
        part("commerceNumber", "commerce_number", Form::Text),
        part("extraText", "extra_text", Form::Text),
        part("defaultVatMethod", "default_vat_method", VAT_METHOD),
        unused("neverPrintOrEmailReceipt"),
        unused("alwaysPrintReceipt"),
        unused("alwaysPrintLargeFormatReceipt"),
        unused("alwaysEmailReceipt"),
        unused("condenseCombinedInvoice"),
        unused("imageList"),
        CUSTOM_FIELDS,
        unused("contactList"),
        unused("relationArticleDiscountList"),
        part("companyName", "company_name", Form::Text),
        unused("branchesNonPurchasable"),
        unused("cardNumbers"),
        unused("invoiceCredit"),
        unused("accountBalance"),
        unused("salePromotionIds"),
        part("directDebit", "direct_debit", Form::Bool),
        part("reminderEmail", "reminder_email", Form::Text),
        unused("canEarnPoints"),
        unused("canRedeemPoints"),
        unused("cantRedeemPointsReason"),
    ],
};

pub(in super::super) static GET_RELATIONS: Shape = Shape {
    parts: &[
        part("relationNumbers", "relation_numbers", Form::Repeat(Item::NUMBER)),
        unused("categoryId"),
        part("syncMarker", "sync_marker", Form::LONG),
        part("syncMarkerLimit", "sync_marker_limit", Form::INT),
    ],
};

pub(in super::super) static RELATIONS: Shape = Shape {
    parts: &[part("relationList", "relations", Form::List("relation", Item::Record(&RELATION))).required()],
};

pub(in super::super) static FIND_RELATION: Shape = Shape {
    parts: &[
        part("relation", "relation", Form::Record(&RELATION)).required(),
        part("exactMatch", "exact_match", Form::Bool),
    ],
};

pub(in super::super) static RELATION_FOUND: Shape = Shape {
    parts: &[
        part("result", "result", Form::Choice("FIND-RELATION-RESULT-", &["ok", "not_found"])).required(),
        part("relation", "relation", Form::Record(&RELATION)),
    ],
};

pub(in super::super) static WRITE_RELATION: Shape =
    Shape { parts: &[part("relation", "relation", Form::Record(&RELATION))] };

pub(in super::super) static RELATION_CREATED: Shape = Shape {
    parts: &[
        part(
            "result",
            "result",
            Form::Choice(
                "CREATE-RELATION-RESULT-",
                &["ok", "failed", "failed_relation_number_already_taken"],
            ),
        )
        .required(),
        part("relationNumber", "relation_number", Form::Number { most: i64::MAX, zero: true }).required(),
        part("changeTimestamp", "change_timestamp", Form::Moment),
        part("syncMarker", "sync_marker", Form::LONG),
        part("errorMessage", "error_message", Form::Text).required(),
    ],
};

pub(in super::super) static RELATION_UPDATED: Shape = Shape {
    parts: &[
        part("result", "result", Form::Choice("UPDATE-RELATION-RESULT-", &["ok", "not_found", "failed"]))
            .required(),
        part("errorMessage", "error_message", Form::Text).required(),
        part("changeTimestamp", "change_timestamp", Form::Moment),
        part("syncMarker", "sync_marker", Form::LONG),
    ],
};

//! Products and articles.

use super::super::codec::{Form, Item, Part, Shape, part, unused};
use super::{CATEGORY_IDS, CUSTOM_FIELDS, TEXTS};

pub(in super::super) static PRODUCT: Shape = Shape {
    parts: &[
        part("productNumber", "product_number", Form::NUMBER),
        part("syncMarker", "sync_marker", Form::LONG),
        part("description", "description", Form::Text),
        part("extraText", "extra_text", Form::Text),
        part("articleList", "articles", Form::List("article", Item::Record(&ARTICLE))),
        part("groupNumbers", "group_numbers", Form::Repeat(Item::SMALL)),
        unused("sortOrderGroupList"),
    ],
};

pub(in super::super) static ARTICLE: Shape = Shape {
    parts: &[
        part("articleNumber", "article_number", Form::NUMBER),
        part("extArticleId", "ext_article_id", Form::Text),
        part("pluNumber", "plu_number", Form::Text),
        part("syncMarker", "sync_marker", Form::LONG),
        part("changeTimestamp", "change_timestamp", Form::Moment),
        part("createTimestamp", "create_timestamp", Form::Moment),
        part("active", "active", Form::Bool),
        part("description", "description", Form::Text),
        part("colour", "colour", Form::Text),
        part("colourSequenceNumber", "colour_sequence_number", Form::INT),
        part("size", "size", Form::Text),
        part("sizeSequenceNumber", "size_sequence_number", Form::INT),
        part("invoiceText", "invoice_text", Form::Text),
        part("receiptText", "receipt_text", Form::Text),
        part("displayText", "display_text", Form::Text),
        part("barcode", "barcode", Form::Text),
        part("barcodeDate", "barcode_date", Form::Date),
        part("contentUnit", "content_unit", Form::Text),
        part("contentQuantity", "content_quantity", Form::Scaled("contentQuantityDecimalPlaces")),
        part("brandName", "brand_name", Form::Text),
        part("extraText", "extra_text", Form::Text),
        part("turnoverGroup", "turnover_group", Form::CODE),
        part("vatCode", "vat_code", Form::CODE),
        part("vatPercentage", "vat_percentage", Form::Percent),
        unused("vatCodeAlternative"),
        unused("vatPercentageAlternative"),
        part("averagePurchasePrice", "average_purchase_price", Form::Cents),
        part("purchasePrice", "purchase_price", Form::Cents),
        part("priceIncl", "price_incl", Form::Cents),
        part("priceExcl", "price_excl", Form::Cents),
        part("siUnit", "si_unit", Form::Text),
        part("unit", "unit", Form::Text),
        part("orderQuantityValue", "order_quantity", Form::Scaled("orderQuantityDecimalPlaces")),
        part("supplierRelationNumber", "supplier_relation_number", Form::NUMBER),
        part("supplierRelationName", "supplier_relation_name", Form::Text),
        part("supplierArticleNumber", "supplier_article_number", Form::Text),
        part("webshop", "webshop", Form::Bool),
        unused("categoryId"),
        CATEGORY_IDS,
        part("stockArticle", "stock_article", Form::Bool),
        part("articleDiscountGroupNumber", "article_discount_group_number", Form::SMALL),
        part("articleDiscountGroupName", "article_discount_group_name", Form::Text),
        unused("course"),
        SPECIAL_PRICE,
        unused("showPreparationMethodsDirectly"),
        unused("showPreparationMethodsPerGroup"),
        unused("exchangeRateBuyPrice"),
        unused("exchangeRateBuyPriceDecimalPlaces"),
        unused("exchangeRateSellPrice"),
        unused("exchangeRateSellPriceDecimalPlaces"),
        unused("exchangeRateMultiplier"),
        unused("imageList"),
        CUSTOM_FIELDS,
        part("salesPriceList", "sales_prices", Form::List("salesPrice", Item::Record(&SALES_PRICE))),
        part("priceGroupList", "price_groups", Form::List("priceGroup", Item::Record(&PRICE_GROUP))),
        unused("preparationMethodList"),
        unused("componentArticleList"),
        unused("linkedArticleList"),
        part("barcodeList", "barcodes", Form::List("barcode", Item::Record(&BARCODE))),
        unused("relationArticleDiscountList"),
        unused("askFor"),
        unused("nutritionalCharacteristics"),
        part("discontinued", "discontinued", Form::Bool),
        unused("stockSiUnit"),
        unused("specialBehaviour"),
        part("ageCheckMinimumAge", "age_check_minimum_age", Form::INT),
        unused("oldestBestBeforeDate"),
        unused("shelfLifeInDays"),
        unused("shelfLifeInHours"),
        unused("priceDeviationMin"),
        unused("priceDeviationMax"),
        unused("availableForInterbranchOrdering"),
    ],
};

const SPECIAL_PRICE: Part = part(
    "specialPrice",
    "special_price",
    Form::Choice(
        "PRICE-",
        &[
            "normal",
            "free",
            "ask_positive",
            "ask_negative",
            "ask_positive_no_popup",
            "ask_negative_no_popup",
            "not_for_sale",
            "barcode_price",
            "not_set",
            "not_for_sale_visible",
        ],
    ),
);

pub(in super::super) static SALES_PRICE: Shape = Shape {
    parts: &[
        part("salesPriceNumber", "sales_price_number", Form::SMALL).required(),
        part("description", "description", Form::Text),
        part("startDate", "start_date", Form::Date),
        part("endDate", "end_date", Form::Date),
        part("priceIncl", "price_incl", Form::Cents),
        part("priceExcl", "price_excl", Form::Cents),
        part("discountPercentage", "discount_percentage", Form::Percent),
        part("minimumAmount", "minimum_amount", Form::INT),
    ],
};

pub(in super::super) static PRICE_GROUP: Shape = Shape {
    parts: &[
        part("priceGroupNumber", "price_group_number", Form::SMALL).required(),
        part("description", "description", Form::Text),
        part("priceIncl", "price_incl", Form::Cents),
        part("priceExcl", "price_excl", Form::Cents),
        part("discountPercentage", "discount_percentage", Form::Percent),
        part("minimumAmount", "minimum_amount", Form::INT),
    ],
};

static BARCODE: Shape = Shape {
    parts: &[
        unused("barcodeId"),
        part("description", "description", Form::Text),
        part("barcode", "barcode", Form::Text),
        unused("barcodeDate"),
        part("quantity", "quantity", Form::Scaled("decimalPlaces")),
        unused("contentUnit"),
        unused("contentQuantity"),
        unused("contentQuantityDecimalPlaces"),
        unused("purchasePrice"),
        part("priceIncl", "price_incl", Form::Cents),
        part("priceExcl", "price_excl", Form::Cents),
        unused("isCurrent"),
    ],
};

pub(in super::super) static GET_PRODUCTS: Shape = Shape {
    parts: &[
        part("articleNumbers", "article_numbers", Form::Repeat(Item::NUMBER)),
        part("groupNumbers", "group_numbers", Form::Repeat(Item::SMALL)),
        part("pluNumbers", "plu_numbers", TEXTS).required(),
        part("onlyWebshop", "only_webshop", Form::Bool),
        part("onlyActive", "only_active", Form::Bool),
        part("syncMarker", "sync_marker", Form::LONG),
        part("syncMarkerLimit", "sync_marker_limit", Form::INT),
        unused("syncMarkerExcludePreparationMethods"),
        unused("changedSinceTimestamp"),
        unused("changedSinceBranchNumber"),
        part("includeAllArticlesOfSelectedProducts", "include_all_articles", Form::Bool),
        part("productNumbers", "product_numbers", Form::Repeat(Item::NUMBER)),
    ],
};

pub(in super::super) static PRODUCTS: Shape = Shape {
    parts: &[part("productList", "products", Form::List("product", Item::Record(&PRODUCT))).required()],
};

pub(in super::super) static WRITE_PRODUCT: Shape =
    Shape { parts: &[part("product", "product", Form::Record(&PRODUCT)).required()] };

pub(in super::super) static PRODUCT_CREATED: Shape = Shape {
    parts: &[
        part(
            "result",
            "result",
            Form::Choice(
                "CREATE-PRODUCT-RESULT-",
                &[
                    "ok",
                    "failed",
                    "failed_product_number_already_taken",
                    "failed_article_number_already_taken",
                ],
            ),
        )
        .required(),
        part("productNumber", "product_number", Form::Number { most: i64::MAX, zero: true }).required(),
        part("articleNumbers", "article_numbers", Form::Repeat(Item::NUMBER)),
        part("changeTimestamp", "change_timestamp", Form::Moment),
        part("syncMarker", "sync_marker", Form::LONG),
        part("errorMessage", "error_message", Form::Text).required(),
    ],
};

pub(in super::super) static PRODUCT_UPDATED: Shape = Shape {
    parts: &[
        part(
            "result",
            "result",
            Form::Choice(
                "UPDATE-PRODUCT-RESULT-",
                &["ok", "not_found", "not_allowed", "failed", "failed_article_number_already_taken"],
            ),
        )
        .required(),
        part("existingArticleNumbers", "existing_article_numbers", Form::Repeat(Item::NUMBER)),
        part("newArticleNumbers", "new_article_numbers", Form::Repeat(Item::NUMBER)),
        part("changeTimestamp", "change_timestamp", Form::Moment),
        part("syncMarker", "sync_marker", Form::LONG),
        part("errorMessage", "error_message", Form::Text).required(),
    ],
};

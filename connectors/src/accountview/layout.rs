//! Which table and which columns stand behind each resource.
//!
//! One line a field: its name here, its column there, and the kind of value. Objects that share
//! a table share its lines; columns that installations name differently come from the settings.

use super::client::{DATA, SYSTEM_DATA};
use super::settings::Names;

/// What a column holds, and how it travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Text of fixed width.
    Text,
    /// Text that the server puts in capitals.
    Upper,
    /// A Dutch postcode has a space in it.
    Postcode,
    Decimal,
    Integer,
    Logical,
    Date,
    /// Local time without a zone.
    Moment,
    /// Long text.
    Memo,
}

/// A field and its column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) field: String,
    pub(super) read: String,
    /// Where it differs from what is read: `CITY` comes back as `BOX_CITY`.
    pub(super) write: String,
    pub(super) holds: Holds,
}

/// A table with its columns.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// The installation's own columns that are read as custom fields.
    pub(super) custom: Vec<String>,
}

/// A resource that is rows of a business object.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) resource: &'static str,
    /// Path that answers: the company's tables, or those of the system.
    pub(super) path: &'static str,
    /// Object that is read.
    pub(super) object: String,
    /// Object that is written, where it is another.
    pub(super) written: &'static str,
    pub(super) table: Table,
    /// Field that identifies a record.
    pub(super) key: &'static str,
    /// Fields that the key is made of, where it is no column, and what stands between them.
    pub(super) key_parts: (&'static [&'static str], &'static str),
    /// Column that pages follow.
    pub(super) keyset: String,
    /// Field and table of the detail rows.
    pub(super) details: Option<(&'static str, Table)>,
}

type Lines = &'static [(&'static str, &'static str, Holds)];

use Holds::{Date, Decimal, Integer, Logical, Memo, Moment, Postcode, Text, Upper};

const BOOKKEEPING: Lines = &[
    ("created_at", "INP_DATE", Moment),
    ("changed_at", "CNG_DATE", Moment),
    ("change_number", "CNG_NR", Integer),
];

const CONTACT: Lines = &[
    ("name", "ACCT_NAME", Text),
    ("collective_account", "ACCT_NR", Text),
    ("search_code", "SRC_CODE", Upper),
    ("address", "ADDRESS1", Text),
    ("postcode", "POST_CODE", Postcode),
    ("city", "BOX_CITY", Text),
    ("country", "CNT_CODE", Upper),
    ("email", "MAIL_BUS", Text),
    ("phone", "TEL_BUS", Text),
    ("mobile", "TEL_MOB", Text),
    ("website", "WWW_URL", Text),
    ("vat_number", "VAT_NR", Text),
    ("coc_number", "COC_CODE", Text),
    ("iban", "IBAN_NR", Text),
    ("payment_condition", "DISC_CODE", Text),
    ("currency", "CUR_CODE", Text),
    ("blocked", "REC_BLK", Logical),
];

const DEBTOR: Lines = &[
    ("street", "ST_STREET", Text),
    ("number", "ST_NR", Text),
    ("suffix", "ST_EXTRA", Text),
    ("region", "ST_REGION", Text),
    ("country_name", "COUNTRY", Text),
    ("vat_code", "VAT_CODE", Text),
    ("discount_percentage", "DISC_PCT", Decimal),
    ("revenue_account", "LNK_ACCT", Text),
    ("shipping_method", "SHIP_MTH", Text),
    ("language", "LNG_CODE", Text),
    ("employee_number", "EMP_NR", Text),
    ("article_price_list", "APX_LIST", Text),
    ("percentage_list", "PCT_LIST", Text),
    ("partner_discount_list", "MRN_LIST", Text),
    ("price_list", "QD_CODE", Text),
    ("customer_group", "RPL_GRP", Text),
    ("main_contact_code", "MAIN_PP", Text),
    ("main_contact", "MAIN_CONT", Text),
    ("main_contact_email", "MC_MAILB", Text),
    ("admin_contact_code", "ADMIN_PP", Text),
    ("admin_contact", "ADMIN_CONT", Text),
    ("invoice_debtor", "RPL_INV", Upper),
    ("credit_limit", "CRED_LIM", Integer),
    ("blocked_for_orders", "BLK_SP", Logical),
];

const ARTICLE: Lines = &[
    ("article_code", "ART_CODE", Text),
    ("description", "ART_DESC1", Text),
    ("article_group", "AG_CODE", Text),
    ("sales_price", "PX_SELL", Decimal),
    ("cost_price", "COST_PX", Decimal),
    ("last_cost_price", "L_COSTPX", Decimal),
    ("base_cost_price", "B_COSTPX", Decimal),
    ("blocked", "REC_BLK", Logical),
    ("stock_available", "QTY_AVAIL", Decimal),
    ("stock_physical", "QTY_TECH", Decimal),
    ("stock_free", "QTY_FREE2", Decimal),
    ("stock_on_order", "QTY_BESTEL", Decimal),
];

const STOCK: Lines = &[
    ("article_code", "ART_CODE", Text),
    ("description", "ART_DESC1", Text),
    ("blocked", "REC_BLK", Logical),
    ("available", "QTY_AVAIL", Decimal),
    ("physical", "QTY_TECH", Decimal),
    ("free", "QTY_FREE2", Decimal),
    ("on_order", "QTY_BESTEL", Decimal),
];

const GROUP: Lines = &[("group_code", "AG_CODE", Text), ("description", "AG_DESC", Text)];

const DELIVERY_ADDRESS: Lines = &[
    ("id", "REC_ID", Text),
    ("debtor_number", "SUB_NR", Upper),
    ("name", "DEL_NAME", Text),
    ("address", "ADDRESS1", Text),
    ("postcode", "POST_CODE", Postcode),
    ("city", "CITY", Text),
    ("country", "CNT_CODE", Upper),
    ("email", "MAIL_BUS", Text),
    ("phone", "TEL_BUS", Text),
];

const ORDER: Lines = &[
    ("id", "REC_ID", Text),
    ("remark", "COMMENT2", Text),
    ("invoice_debtor", "RPL_INV", Upper),
    ("delivery_debtor", "RPL_DEL", Upper),
    ("order_date", "ORD_DATE", Date),
    ("delivery_date", "DEL_DATE", Date),
    ("invoice_date", "INV_DATE", Date),
    ("email", "TO_EMAIL", Text),
    ("delivery_code", "DEL_CODE", Text),
    ("employee_number", "EMP_NR", Text),
    ("article_price_list", "APX_LIST", Text),
    ("discount_amount", "PD_AMT", Decimal),
    ("direct_invoice", "AIS_SOC", Logical),
];

const ORDER_LINE: Lines = &[
    ("article_code", "ART_CODE", Text),
    ("quantity", "ORD_QTY", Decimal),
    ("price", "ART_PX", Decimal),
    ("delivery_date", "DEL_DATE", Date),
];

const PAGE: Lines = &[
    ("id", "REC_ID", Text),
    ("page_number", "PAGE_NR", Text),
    ("journal", "DJ_CODE", Text),
    ("debtor_number", "SUB_NR", Upper),
    ("invoice_number", "INV_NR", Text),
    ("date", "TRN_DATE", Date),
    ("period", "PERIOD", Integer),
    ("description", "HDR_DESC", Text),
    ("amounts_include_vat", "GROSS_FLG", Logical),
    ("currency", "CUR_CODE", Text),
    ("credit_days", "CRED_DAYS", Integer),
    ("payment_condition", "DISC_CODE", Text),
    ("discount_percentage", "PD_PCT", Decimal),
    ("payment_method", "PAY_TYPE", Text),
    ("payment_reference", "EXT_DESC", Text),
    ("remark", "COMMENT1", Memo),
];

const PAGE_LINE: Lines = &[
    ("account", "ACCT_NR", Text),
    ("description", "TRN_DESC", Text),
    ("amount", "AMOUNT", Decimal),
    ("vat_code", "VAT_CODE", Text),
    ("vat_amount", "VAT_AMT", Decimal),
    ("base_amount", "BASE_AMT", Decimal),
    ("quantity", "TRN_QTY", Decimal),
    ("cost_centre", "COST_CODE", Text),
    ("project", "PROJ_CODE", Text),
];

/// The attachments of a page; they are sent, not read.
pub(super) const ATTACHMENT: Lines =
    &[("file_name", "LINK_FILE", Text), ("content", "FILE_DATA", Memo), ("description", "DOC_DESC", Text)];

const VAT: Lines = &[
    ("vat_code", "VAT_CODE", Text),
    ("name", "VAT_NAME", Text),
    ("vat_percentage", "VAT_PCT", Decimal),
    ("account", "VAT_ACCT", Text),
    ("linked_code", "VAT_LINK", Text),
    ("is_reverse", "IS_REVERSE", Logical),
];

const LEDGER: Lines = &[
    ("account", "ACCT_NR", Text),
    ("name", "ACCT_NAME", Text),
    ("type", "ACCT_TYPE", Integer),
    ("is_turnover", "STAT_SELL", Logical),
    ("vat_code", "VAT_CODE", Text),
];

const JOURNAL: Lines = &[
    ("journal", "DJ_CODE", Text),
    ("name", "DJ_NAME", Text),
    ("type", "DJ_TYPE", Integer),
    ("numbers_invoices", "NUM_AUTO", Logical),
];

/// A business object, in a list that is no table.
pub(super) const OBJECT: Lines = &[
    ("code", "Code", Text),
    ("description", "Description", Text),
    ("insert_allowed", "InsertAllowed", Logical),
    ("update_allowed", "UpdateAllowed", Logical),
    ("delete_allowed", "DeleteAllowed", Logical),
];

const DICTIONARY: Lines = &[
    ("table", "DBF_NAME", Text),
    ("column", "FIELD_NAME", Text),
    ("type", "FIELD_TYPE", Text),
    ("length", "FIELD_LEN", Integer),
    ("mandatory", "INP_MAND", Logical),
    ("format", "FLD_FMT", Text),
    ("not_writable", "COM_BLK", Logical),
    ("own", "REC_CUST", Logical),
];

impl Table {
    /// A table of those lines.
    pub(super) fn of(name: &str, lines: &[Lines]) -> Self {
        let columns = lines.iter().copied().flatten().map(|(field, column, holds)| Column {
            field: (*field).to_owned(),
            read: (*column).to_owned(),
            // A city may be that of the post box, which is not ours to write.
            write: if *column == "BOX_CITY" { "CITY" } else { column }.to_owned(),
            holds: *holds,
        });
        Self { name: name.to_owned(), columns: columns.collect(), custom: Vec::new() }
    }

    /// One more column; none when it has no name.
    fn with(mut self, field: &str, column: &str, holds: Holds) -> Self {
        if !column.is_empty() {
            let (field, column) = (field.to_owned(), column.to_owned());
            self.columns.push(Column { field, read: column.clone(), write: column, holds });
        }
        self
    }

    fn custom(mut self, columns: &[String]) -> Self {
        self.custom = columns.to_vec();
        self
    }

    /// The column of a field.
    pub(super) fn column(&self, field: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.field == field)
    }
}

/// Every resource that is rows, as this installation names them.
pub(super) fn layouts(names: &Names) -> Vec<Layout> {
    let plain = |resource, object: &str, table: Table, key, keyset: &str| Layout {
        resource,
        path: DATA,
        object: object.to_owned(),
        written: "",
        table,
        key,
        key_parts: (&[], ""),
        keyset: keyset.to_owned(),
        details: None,
    };
    let relation = |field| {
        let number: Lines = match field {
            "debtor_number" => &[("debtor_number", "SUB_NR", Upper)],
            "creditor_number" => &[("creditor_number", "SUB_NR", Upper)],
            _ => &[("relation_number", "SUB_NR", Upper)],
        };
        Table::of("CONTACT", &[number, CONTACT, BOOKKEEPING])
    };
    let mut debtors = relation("debtor_number").custom(&names.debtor_columns);
    debtors.columns.extend(Table::of("CONTACT", &[DEBTOR]).columns);
    let articles = Table::of("ARTICLE", &[ARTICLE, BOOKKEEPING])
        .with("ean", &names.ean, Text)
        .with("vat_code", &names.vat, Text)
        .with("stock_article", &names.stock, Logical)
        .custom(&names.article_columns);
    let stock = Table::of("ARTICLE", &[STOCK]).with("stock_article", &names.stock, Logical);
    let orders = Table::of("SO_HDR", &[ORDER, BOOKKEEPING])
        .with("reference", &names.order_reference, Text)
        .with("order_number", &names.order_number, Text);
    let [list, item, quantity, price, first, last] = &names.price_columns;
    let prices = Table::of(&names.price_table, &[BOOKKEEPING])
        .with("article_price_list", list, Text)
        .with("article_code", item, Text)
        .with("quantity_from", quantity, Decimal)
        .with("price", price, Decimal)
        .with("first_day", first, Date)
        .with("last_day", last, Date);
    vec![
        plain("articles", "AK1", articles, "article_code", "ART_CODE"),
        plain("stock", "AK1", stock, "article_code", "ART_CODE"),
        plain("article_groups", "AG1", Table::of("ART_GRP", &[GROUP, BOOKKEEPING]), "group_code", "AG_CODE"),
        Layout { written: "AR1", ..plain("debtors", "AR1", debtors, "debtor_number", "SUB_NR") },
        plain("creditors", "AP1", relation("creditor_number"), "creditor_number", "SUB_NR"),
        plain("relations", "CON", relation("relation_number"), "relation_number", "SUB_NR"),
        Layout {
            written: "ADDR",
            ..plain(
                "delivery_addresses",
                "ADDR",
                Table::of("DEL_ADDR", &[DELIVERY_ADDRESS, BOOKKEEPING]),
                "id",
                "REC_ID",
            )
        },
        Layout {
            written: "SO1",
            details: Some(("lines", Table::of("SO_LINE", &[ORDER_LINE]))),
            ..plain("orders", "SO1", orders, "id", "REC_ID")
        },
        Layout {
            written: "DJ2",
            details: Some(("lines", Table::of("DJ_LINE", &[PAGE_LINE]))),
            ..plain("journal_pages", "DJ2P", Table::of("DJ_PAGE", &[PAGE, BOOKKEEPING]), "id", "REC_ID")
        },
        Layout {
            key_parts: (&["article_price_list", "article_code", "quantity_from", "first_day"], "/"),
            ..plain("price_list_lines", &names.price_object, prices, "id", "REC_ID")
        },
        plain("vat_codes", "VA1", Table::of("VAT", &[VAT]), "vat_code", "VAT_CODE"),
        plain("ledger_accounts", "GL1", Table::of("LEDGER", &[LEDGER]), "account", "ACCT_NR"),
        plain("journals", "DJ1", Table::of("DAILY", &[JOURNAL]), "journal", "DJ_CODE"),
        Layout {
            path: SYSTEM_DATA,
            key_parts: (&["table", "column"], "."),
            ..plain("columns", "fld", Table::of("DCT_FLD", &[DICTIONARY]), "id", "DCT_FLD_Id")
        },
    ]
}

//! The data dictionary of the simulated installation: objects, tables, columns.

/// A column.
#[expect(clippy::struct_excessive_bools, reason = "independent facts of the dictionary")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: &'static str,
    /// Letter of its type.
    pub(super) letter: char,
    /// Most characters of a text.
    pub(super) length: usize,
    /// Kept in capitals.
    pub(super) upper: bool,
    pub(super) mandatory: bool,
    /// Not writable.
    pub(super) blocked: bool,
    /// Of this installation only.
    pub(super) own: bool,
}

/// A business object.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object {
    pub(super) code: &'static str,
    pub(super) description: &'static str,
    pub(super) table: &'static str,
    pub(super) detail: Option<&'static str>,
    pub(super) insert: bool,
    pub(super) update: bool,
}

/// `NAME type length flags`: `!` capitals, `*` mandatory, `-` not writable, `+` own.
type Lines = &'static [&'static str];

const CONTACT: Lines = &[
    "SUB_NR C10!",
    "ACCT_NR C10*",
    "ACCT_NAME C40*",
    "SRC_CODE C10!*",
    "ADDRESS1 C80",
    "ST_STREET C60",
    "ST_NR C10",
    "ST_EXTRA C10",
    "ST_REGION C40",
    "POST_CODE C10!",
    "CITY C35",
    "BOX_CITY C35-",
    "CNT_CODE C2!",
    "COUNTRY C30",
    "MAIL_BUS C50",
    "TEL_BUS C20",
    "TEL_MOB C20",
    "WWW_URL C60",
    "VAT_NR C14",
    "COC_CODE C15",
    "IBAN_NR C34",
    "VAT_CODE C2",
    "DISC_CODE C2",
    "DISC_PCT N7",
    "LNK_ACCT C10",
    "SHIP_MTH C10",
    "CUR_CODE C3",
    "LNG_CODE C5",
    "EMP_NR C10",
    "APX_LIST C5",
    "PCT_LIST C5",
    "MRN_LIST C5",
    "QD_CODE C5",
    "RPL_GRP C10",
    "MAIN_PP C10",
    "MAIN_CONT C40",
    "MC_MAILB C50-",
    "ADMIN_PP C10",
    "ADMIN_CONT C40",
    "RPL_INV C10!",
    "REC_BLK L",
    "BLK_SP L",
    "CRED_LIM I10",
    "K1_LOYAL C10+",
    "K1_SINCE D8+",
];
const DEL_ADDR: Lines = &[
    "REC_ID C10-",
    "SUB_NR C10!*",
    "DEL_NAME C40",
    "ADDRESS1 C80",
    "POST_CODE C10!",
    "CITY C35",
    "CNT_CODE C2!",
    "MAIL_BUS C50",
    "TEL_BUS C20",
];
const ARTICLE: Lines = &[
    "ART_CODE C20",
    "ART_DESC1 C40",
    "AG_CODE C10",
    "PX_SELL N12",
    "COST_PX N12",
    "L_COSTPX N12",
    "B_COSTPX N12",
    "REC_BLK L",
    "QTY_AVAIL N12",
    "QTY_TECH N12",
    "QTY_FREE2 N12",
    "QTY_BESTEL N12",
    "EAN_CODE C20",
    "VAT_CODE C2",
    "STK_ART L",
    "IMG_MEDIUM C60",
    "IMG_M_DATA M0",
    "K1_PROD C20+",
    "K1_COLOUR C20+",
    "K1_SIZE C10+",
    "K1_ORIGIN C20+",
    "K1_DAYS N4+",
];
const ART_GRP: Lines = &["AG_CODE C10", "AG_DESC C40"];
const SO_HDR: Lines = &[
    "REC_ID C10-",
    "SO_NR C10-",
    "RPL_INV C10!*",
    "RPL_DEL C10!",
    "ORD_DATE T8",
    "DEL_DATE T8",
    "INV_DATE T8",
    "COMMENT1 C50",
    "COMMENT2 C50",
    "TO_EMAIL C50",
    "DEL_CODE C10",
    "EMP_NR C10",
    "APX_LIST C5",
    "PD_AMT N12",
    "AIS_SOC L",
    "A8_INV_NR C20+",
];
const SO_LINE: Lines = &["ART_CODE C20*", "ORD_QTY N12", "ART_PX N12", "DEL_DATE T8", "K1_TEXT C40+"];
const DAILY: Lines = &["DJ_CODE C3", "DJ_NAME C40", "DJ_TYPE I2", "NUM_AUTO L"];
const DJ_PAGE: Lines = &[
    "REC_ID C10-",
    "PAGE_NR C10-",
    "DJ_CODE C3*",
    "SUB_NR C10!",
    "INV_NR C12",
    "TRN_DATE T8",
    "PERIOD N2",
    "HDR_DESC C40*",
    "GROSS_FLG L",
    "CUR_CODE C3",
    "CRED_DAYS N3",
    "DISC_CODE C2",
    "PD_PCT N7",
    "PAY_TYPE C25",
    "EXT_DESC C40",
    "COMMENT1 M0",
];
const DJ_LINE: Lines = &[
    "ACCT_NR C10*",
    "TRN_DESC C40",
    "AMOUNT N12",
    "VAT_CODE C2",
    "VAT_AMT N12",
    "BASE_AMT N12",
    "TRN_QTY N12",
    "COST_CODE C10",
    "PROJ_CODE C10",
];
const USR_LINK: Lines = &["LINK_FILE C80*", "FILE_DATA M0", "DOC_DESC C80", "IS_EXTERN L"];
const LEDGER: Lines = &["ACCT_NR C10", "ACCT_NAME C40", "ACCT_TYPE I2", "STAT_SELL L", "VAT_CODE C2"];
const VAT: Lines = &[
    "VAT_CODE C2",
    "VAT_NAME C40",
    "VAT_PCT N7",
    "VAT_ACCT C10",
    "VAT_LINK C2",
    "IS_REVERSE L",
    "VAT_TYPE I2",
];
const ART_PX: Lines = &[
    "REC_ID C10-",
    "APX_LIST C5",
    "ART_CODE C20",
    "QTY_FROM N12",
    "ART_PX N12",
    "BEG_DATE D8",
    "END_DATE D8",
];
const DCT_FLD: Lines = &[
    "FIELD_NAME C10",
    "DBF_NAME C8",
    "FIELD_TYPE C1",
    "FIELD_LEN N4",
    "INP_MAND L",
    "FLD_FMT C10",
    "COM_BLK L",
    "REC_CUST L",
];
const DCT_FILE: Lines = &["DBF_NAME C8", "NO_INSERT L", "NO_UPDATE L", "NO_DELETE L", "NO_XML_UPD L"];
/// Columns that every row has.
const BOOKKEEPING: Lines =
    &["INP_DATE T8-", "CNG_DATE T8-", "INP_USR C10-", "CNG_USR C10-", "CNG_NR I8-", "EXT_KEY I8-"];

/// Tables with their columns and key.
const TABLES: &[(&str, Lines, &str)] = &[
    ("CONTACT", CONTACT, "SUB_NR"),
    ("DEL_ADDR", DEL_ADDR, "REC_ID"),
    ("ARTICLE", ARTICLE, "ART_CODE"),
    ("ART_GRP", ART_GRP, "AG_CODE"),
    ("SO_HDR", SO_HDR, "REC_ID"),
    ("SO_LINE", SO_LINE, ""),
    ("DAILY", DAILY, "DJ_CODE"),
    ("DJ_PAGE", DJ_PAGE, "REC_ID"),
    ("DJ_LINE", DJ_LINE, ""),
    ("USR_LINK", USR_LINK, ""),
    ("LEDGER", LEDGER, "ACCT_NR"),
    ("VAT", VAT, "VAT_CODE"),
    ("ART_PX", ART_PX, "REC_ID"),
    ("DCT_FLD", DCT_FLD, "DCT_FLD_Id"),
    ("DCT_FILE", DCT_FILE, "DCT_FILE_Id"),
];

const fn object(code: &'static str, description: &'static str, table: &'static str) -> Object {
    Object { code, description, table, detail: None, insert: false, update: false }
}

const fn written(object: Object, update: bool) -> Object {
    Object { insert: true, update, ..object }
}

const fn with(object: Object, detail: &'static str) -> Object {
    Object { detail: Some(detail), ..object }
}

/// Business objects. Those without a table are listed and cannot be read here.
pub(super) const OBJECTS: &[Object] = &[
    written(object("AR1", "Debiteuren", "CONTACT"), true),
    object("AP1", "Crediteuren", "CONTACT"),
    object("CON", "Relaties", "CONTACT"),
    written(object("ADDR", "Afleveradressen", "DEL_ADDR"), true),
    object("AK1", "Artikelen", "ARTICLE"),
    object("AG1", "Artikelgroepen", "ART_GRP"),
    with(written(object("SO1", "Verkooporders", "SO_HDR"), false), "SO_LINE"),
    object("DJ1", "Dagboeken", "DAILY"),
    with(written(object("DJ2", "Dagboekbladen", "DJ_PAGE"), false), "DJ_LINE"),
    with(object("DJ2P", "Dagboekbladen, lezen", "DJ_PAGE"), "DJ_LINE"),
    object("GL1", "Grootboekrekeningen", "LEDGER"),
    object("VA1", "BTW-codes", "VAT"),
    object("APX", "Artikelprijslijsten", "ART_PX"),
    object("PCK", "Artikelverpakkingen", ""),
    object("AKH", "Artikelhistorie", ""),
    object("ALH", "Orderregelhistorie", ""),
    object("GJ1", "Journaalposten", ""),
    object("CC1", "Kostenplaatsen", ""),
    object("PJ1", "Projecten", ""),
    object("PER", "Perioden", ""),
    object("CMP1", "Bedrijven", ""),
    object("ADL", "Administraties", ""),
    object("K11", "Spaarpunten", ""),
    object("K12", "Herkomst", ""),
    object("K13", "Keurmerken", ""),
    object("K14", "Bezorgroutes", ""),
];

/// The object of that code.
pub(super) fn object_of(code: &str) -> Option<&'static Object> {
    OBJECTS.iter().find(|object| object.code.eq_ignore_ascii_case(code))
}

/// The columns of a table.
pub(super) fn columns(table: &str) -> Vec<Column> {
    let lines =
        TABLES.iter().find(|(name, ..)| *name == table).map(|(_, lines, _)| *lines).unwrap_or_default();
    lines.iter().chain(BOOKKEEPING).filter_map(|line| column(line)).collect()
}

/// A column of a table, by its name in any case.
pub(super) fn column_of(table: &str, name: &str) -> Option<Column> {
    columns(table).into_iter().find(|column| column.name.eq_ignore_ascii_case(name))
}

/// The column that pages of a table follow.
pub(super) fn key_of(table: &str) -> &'static str {
    TABLES.iter().find(|(name, ..)| *name == table).map_or("EXT_KEY", |(.., key)| *key)
}

/// Every table with its columns, in the order of the dictionary.
pub(super) fn everything() -> impl Iterator<Item = (&'static str, Column)> {
    TABLES
        .iter()
        .filter(|(name, ..)| !name.starts_with("DCT_"))
        .flat_map(|(name, ..)| columns(name).into_iter().map(move |column| (*name, column)))
}

/// Names of the tables that hold a company's data.
pub(super) fn tables() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|(name, ..)| *name).filter(|name| !name.starts_with("DCT_"))
}

fn column(line: &'static str) -> Option<Column> {
    let (name, rest) = line.split_once(' ')?;
    let letter = rest.chars().next()?;
    let length: String = rest.chars().filter(char::is_ascii_digit).collect();
    let has = |flag: char| rest.contains(flag);
    Some(Column {
        name,
        letter,
        length: length.parse().unwrap_or(1),
        upper: has('!'),
        mandatory: has('*'),
        blocked: has('-'),
        own: has('+'),
    })
}

//! The codec: the contract's examples by the letter, and whatever else there may be.

use std::sync::LazyLock;

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::super::shapes::article::ARTICLE;
use super::super::shapes::relation::RELATION;
use super::super::shapes::sales::{INVOICE, ORDER, RECEIPT};
use super::super::xml::{self, Element};
use super::*;
use crate::record::{Map, Value};

static CODEC: LazyLock<Codec> = LazyLock::new(|| Codec {
    zone: TimeZone::get("Europe/Amsterdam").unwrap(),
    divisor: Decimal::ONE_HUNDRED,
    strict: false,
});

/// An element from what is in it.
fn element(inside: &str) -> Element {
    let text = format!("<x xmlns='urn:mplusqapi'>{inside}</x>");
    xml::read(&text.into_bytes()).unwrap()
}

fn text(element: &Element) -> String {
    let mut out = String::new();
    element.write("", &mut out);
    out
}

/// These elements are this record, in both directions.
fn both(shape: &Shape, inside: &str, record: &str) {
    let record = match crate::record::read_json(&record.as_bytes().to_vec().into()).unwrap() {
        Value::Map(record) => record,
        other => panic!("{other}"),
    };
    assert_eq!(CODEC.decode(shape, &element(inside)).unwrap(), record, "{inside}");
    assert_eq!(text(&CODEC.encode("x", shape, &record).unwrap()), format!("<x>{inside}</x>"));
}

#[test]
fn values_travel_as_the_contract_says() {
    both(&ARTICLE, "<priceIncl>1995</priceIncl>", r#"{"price_incl":19.95}"#);
    both(&ARTICLE, "<articleNumber>200145</articleNumber>", r#"{"article_number":"200145"}"#);
    both(
        &ARTICLE,
        "<vatCode>0</vatCode><vatPercentage>2100</vatPercentage>",
        r#"{"vat_code":"0","vat_percentage":21.0}"#,
    );
    both(
        &ARTICLE,
        "<contentQuantity>53</contentQuantity><contentQuantityDecimalPlaces>2</contentQuantityDecimalPlaces>",
        r#"{"content_quantity":0.53}"#,
    );
    both(
        &ARTICLE,
        "<barcodeDate><day>14</day><mon>3</mon><year>2025</year></barcodeDate>",
        r#"{"barcode_date":"2025-03-14"}"#,
    );
    both(
        &ARTICLE,
        "<specialPrice>PRICE-ASK-POSITIVE-NO-POPUP</specialPrice>",
        r#"{"special_price":"ask_positive_no_popup"}"#,
    );
    both(
        &ARTICLE,
        "<categoryIds><category>4</category><category>5</category></categoryIds>",
        r#"{"category_ids":["4","5"]}"#,
    );
    both(&RELATION, "<discountPercentage>1250</discountPercentage>", r#"{"discount_percentage":12.5}"#);
    both(
        &ORDER,
        "<orderId>a</orderId><orderNumber><year>2025</year><number>311</number></orderNumber>",
        r#"{"order_id":"a","order_number":"2025.311"}"#,
    );
    both(
        &ORDER,
        "<orderId>a</orderId><lineList><line><articleNumber>5</articleNumber><data><quantity>2</quantity>\
         <decimalPlaces>0</decimalPlaces><price>7995</price></data></line></lineList>",
        r#"{"order_id":"a","lines":[{"article_number":"5","quantity":2.0,"price":79.95}]}"#,
    );
}

#[test]
fn moments_are_the_tills_clock() {
    let at = |inside: &str| {
        let article = element(&format!("<changeTimestamp>{inside}</changeTimestamp>"));
        let record = CODEC.decode(&ARTICLE, &article).unwrap();
        record.text("change_timestamp").map(str::to_owned)
    };
    let clock = |hour: i64, day: i64, mon: i64, rest: &str| {
        format!(
            "<sec>12</sec><min>4</min><hour>{hour}</hour><day>{day}</day><mon>{mon}</mon><year>2025</year>{rest}"
        )
    };
    let winter = "<isdst>false</isdst><timezone>60</timezone>";
    let summer = "<isdst>false</isdst><timezone>120</timezone>";
    assert_eq!(at(&clock(16, 3, 3, winter)).unwrap(), "2025-03-03T16:04:12+01:00");
    assert_eq!(at(&clock(16, 3, 7, summer)).unwrap(), "2025-07-03T16:04:12+02:00");
    // The hour that comes twice: the offset tells which.
    assert_eq!(at(&clock(2, 26, 10, summer)).unwrap(), "2025-10-26T02:04:12+02:00");
    assert_eq!(at(&clock(2, 26, 10, winter)).unwrap(), "2025-10-26T02:04:12+01:00");
    let told_otherwise = "<isdst>true</isdst><timezone>60</timezone>";
    assert_eq!(at(&clock(2, 26, 10, told_otherwise)).unwrap(), "2025-10-26T02:04:12+02:00");
    // The hour that never was, and no date at all.
    assert_eq!(at(&clock(2, 30, 3, winter)).unwrap(), "2025-03-30T03:04:12+02:00");
    assert_eq!(at(&clock(0, 0, 0, winter)), None);
    let sent = CODEC.encode(
        "x",
        &ARTICLE,
        &super::super::keys::record([("change_timestamp", "2025-07-03T14:04:12Z".into())]),
    );
    assert!(text(&sent.unwrap()).contains(&clock(16, 3, 7, summer)));
}

#[test]
fn no_value_is_no_value() {
    let empty = "<extArticleId/><priceIncl/><barcodeDate><day>0</day><mon>0</mon><year>0</year></barcodeDate>\
                 <supplierRelationNumber>0</supplierRelationNumber><changeTimestamp/><newField>1</newField>";
    assert!(CODEC.decode(&ARTICLE, &element(empty)).unwrap().is_empty());
    let cleared = super::super::keys::record([
        ("description", Value::Null),
        ("price_incl", Value::Null),
        ("unit", "".into()),
    ]);
    assert_eq!(text(&CODEC.encode("x", &ARTICLE, &cleared).unwrap()), "<x><description/><unit/></x>");
}

#[test]
fn the_divisor_is_the_connections() {
    let codec = Codec { divisor: Decimal::ONE, ..CODEC.clone() };
    let read = codec.decode(&ARTICLE, &element("<vatPercentage>21</vatPercentage>")).unwrap();
    assert_eq!(read.get("vat_percentage").and_then(Value::as_decimal), Some(21.into()));
}

#[test]
fn what_cannot_be_read_is_named() {
    for (inside, words) in [
        ("<priceIncl>12.10</priceIncl>", "priceIncl: `12.10` is no whole number"),
        ("<active>maybe</active>", "active: `maybe`"),
        ("<barcodeDate><day>31</day><mon>2</mon><year>2025</year></barcodeDate>", "barcodeDate: is no date"),
        (
            "<salesPriceList><salesPrice><priceIncl>x</priceIncl></salesPrice></salesPriceList>",
            "salesPriceList, salesPrice, priceIncl",
        ),
        (
            "<contentQuantity>1</contentQuantity><contentQuantityDecimalPlaces>99</contentQuantityDecimalPlaces>",
            "contentQuantityDecimalPlaces",
        ),
    ] {
        let misfit = CODEC.decode(&ARTICLE, &element(inside)).unwrap_err();
        assert!(misfit.to_string().contains(words), "{inside}: {misfit}");
    }
    let new = CODEC.decode(&ARTICLE, &element("<specialPrice>PRICE-ON-TUESDAYS</specialPrice>")).unwrap();
    assert_eq!(new.text("special_price"), Some("on_tuesdays"), "new choices come without notice");
}

// --- whatever there may be ----------------------------------------------------------------------

fn some_text() -> impl Strategy<Value = String> {
    "[ -~\n\t\u{a0}-\u{d7ff}]{1,10}"
}

fn number(most: i64) -> impl Strategy<Value = Value> {
    (1..=most).prop_map(|number| Value::from(number.to_string()))
}

fn days() -> impl Strategy<Value = String> {
    (1990i16..2090, 1i8..=12, 1i8..=28).prop_map(|(y, m, d)| format!("{y:04}-{m:02}-{d:02}"))
}

fn moments() -> impl Strategy<Value = String> {
    (0i64..4_000_000_000).prop_map(|second| {
        let at = jiff::Timestamp::from_second(second).unwrap().to_zoned(CODEC.zone.clone());
        at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    })
}

fn dotted(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::collection::vec(1i64..1_000_000, names.len())
        .prop_map(|pieces| pieces.iter().map(i64::to_string).collect::<Vec<_>>().join(".").into())
}

fn custom() -> BoxedStrategy<Value> {
    let value = prop_oneof![
        some_text().prop_map(|text| ("string", Value::from(text))),
        any::<i64>().prop_map(|number| ("int", number.into())),
        (any::<i64>(), 0u32..9).prop_map(|(n, scale)| ("decimal", Decimal::new(n, scale).into())),
        any::<bool>().prop_map(|truth| ("bool", truth.into())),
        days().prop_map(|day| ("date", day.into())),
        moments().prop_map(|at| ("datetime", at.into())),
        prop::collection::vec(1i64..1000, 1..4).prop_map(|list| {
            ("multiselectint", list.into_iter().map(Value::from).collect::<Vec<_>>().into())
        }),
    ];
    let field = (some_text(), value).prop_map(|(name, (kind, value))| {
        super::super::keys::record([("name", name.into()), ("type", kind.into()), ("value", value)])
    });
    field.prop_map(Value::Map).boxed()
}

fn items(item: Item) -> BoxedStrategy<Value> {
    match item {
        Item::Record(shape) => records(shape).prop_map(Value::Map).boxed(),
        Item::Text | Item::Nested(_) => some_text().prop_map(Value::from).boxed(),
        Item::Number { most } => number(most).boxed(),
        Item::Dotted(names) => dotted(names).boxed(),
        Item::Choice(_, names) => prop::sample::select(names).prop_map(Value::from).boxed(),
        Item::Custom => custom(),
    }
}

fn values(form: Form) -> Option<BoxedStrategy<Value>> {
    let list = |item| prop::collection::vec(items(item), 1..3).prop_map(Value::from).boxed();
    Some(match form {
        Form::Text => some_text().prop_map(Value::from).boxed(),
        Form::Number { most, .. } => number(most).boxed(),
        Form::Integer { most } => (-most..=most).prop_map(Value::from).boxed(),
        Form::Cents | Form::Percent => any::<i64>().prop_map(|n| Decimal::new(n, 2).into()).boxed(),
        Form::Scaled(_) => {
            (any::<i64>(), 0u32..=18).prop_map(|(n, scale)| Decimal::new(n, scale).into()).boxed()
        }
        Form::Bool => any::<bool>().prop_map(Value::from).boxed(),
        Form::Date => days().prop_map(Value::from).boxed(),
        Form::Moment => moments().prop_map(Value::from).boxed(),
        Form::Dotted(names) => dotted(names).boxed(),
        Form::Choice(_, names) => prop::sample::select(names).prop_map(Value::from).boxed(),
        // A record without fields is no value.
        Form::Record(shape) => {
            records(shape).prop_filter("empty", |record| !record.is_empty()).prop_map(Value::Map).boxed()
        }
        Form::List(_, item) | Form::Repeat(item) => list(item),
        Form::Inline(_) | Form::Unused => return None,
    })
}

/// Records of a shape: every demanded field, some of the others.
fn records(shape: &'static Shape) -> BoxedStrategy<Map> {
    let mut fields: BoxedStrategy<Map> = Just(Map::new()).boxed();
    for part in shape.parts {
        let add: BoxedStrategy<Map> = match (part.form, values(part.form)) {
            (Form::Inline(inner), _) => records(inner),
            (_, Some(values)) => {
                let name = part.field;
                let one = if part.required {
                    values.prop_map(Some).boxed()
                } else {
                    prop::option::weighted(0.3, values).boxed()
                };
                one.prop_map(move |value| value.into_iter().map(|value| (name, value)).collect()).boxed()
            }
            _ => continue,
        };
        fields = (fields, add)
            .prop_map(|(mut all, more)| {
                for (field, value) in more.iter() {
                    all.set(field, value.clone());
                }
                all
            })
            .boxed();
    }
    fields
}

fn tags() -> impl Strategy<Value = String> {
    let names = prop::sample::select(vec![
        "articleNumber",
        "priceIncl",
        "barcodeDate",
        "day",
        "mon",
        "year",
        "customFieldList",
        "customField",
        "intValue",
        "decimalPlaces",
        "lineList",
        "line",
        "data",
        "quantity",
        "changeTimestamp",
        "orderNumber",
        "number",
        "categoryIds",
    ]);
    let leaf = "[0-9a-z.-]{0,20}".prop_map(String::from);
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop::collection::vec((names.clone(), inner), 0..5).prop_map(|children| {
            let tags = children.into_iter().map(|(name, inside)| format!("<{name}>{inside}</{name}>"));
            tags.collect::<Vec<_>>().concat()
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn articles_come_back_as_they_went(record in records(&ARTICLE)) { there_and_back(&ARTICLE, &record)?; }

    #[test]
    fn relations_come_back_as_they_went(record in records(&RELATION)) { there_and_back(&RELATION, &record)?; }

    #[test]
    fn orders_come_back_as_they_went(record in records(&ORDER)) { there_and_back(&ORDER, &record)?; }

    #[test]
    fn invoices_come_back_as_they_went(record in records(&INVOICE)) { there_and_back(&INVOICE, &record)?; }

    #[test]
    fn receipts_come_back_as_they_went(record in records(&RECEIPT)) { there_and_back(&RECEIPT, &record)?; }

    #[test]
    fn any_elements_are_read_or_refused(inside in tags()) {
        let element = element(&inside);
        for shape in [&ARTICLE, &RELATION, &ORDER, &RECEIPT] {
            for strict in [false, true] {
                let _ = Codec { strict, ..CODEC.clone() }.decode(shape, &element);
            }
        }
    }

    #[test]
    fn any_value_is_sent_or_refused(field in prop::sample::select(vec!["article_number", "price_incl", "active", "barcode_date",
            "content_quantity", "special_price", "custom_fields", "category_ids", "vat_percentage", "change_timestamp"]),
            text in ".{0,12}", number in any::<i64>(), scale in 0u32..20) {
        for value in [Value::from(text.as_str()), number.into(), Decimal::new(number, scale).into(),
                vec![Value::from(text.as_str())].into(), Map::new().into(), Value::Null, true.into()] {
            let _ = CODEC.encode("x", &ARTICLE, &super::super::keys::record([(field, value)]));
        }
    }
}

/// Through text, leniently and strictly.
fn there_and_back(shape: &'static Shape, record: &Map) -> Result<(), TestCaseError> {
    let sent = CODEC.encode("x", shape, record).map_err(|misfit| TestCaseError::fail(misfit.to_string()))?;
    let mut out = String::new();
    sent.write("p", &mut out);
    let out = out.replacen("<p:x", "<p:x xmlns:p='urn:mplusqapi'", 1);
    let came = xml::read(&out.into_bytes()).map_err(|error| TestCaseError::fail(error.to_string()))?;
    for strict in [false, true] {
        let read = Codec { strict, ..CODEC.clone() }.decode(shape, &came);
        let read = read.map_err(|misfit| TestCaseError::fail(misfit.to_string()))?;
        prop_assert_eq!(&read, record);
    }
    Ok(())
}

//! What is read and written, and what a layout remembers.

use super::*;
use proptest::prelude::*;

fn read(text: &str) -> Result<Value, ReadError> {
    read_json(&Bytes::copy_from_slice(text.as_bytes()))
}

#[test]
fn what_a_layout_remembers_changes_nothing() {
    let texts = [
        r#"{"a":1,"b":{"x":1,"y":[{"n":1},{"n":2,"m":3}]},"c":3}"#,
        r#"{"a":1,"c":"#,
        r#"{"a":1,"c":2,"c":3}"#,
        r#"{"a":1,"a":2,"c":3}"#,
        r#"{"a":1}"#,
        r#"{"a":1,"b":{"x":1,"x":2},"c":[[{"n":1}],{"n":2,"n":3}]}"#,
    ];
    let mut layout = Layout::default();
    for text in texts.iter().chain(texts.iter().rev()).chain(&texts) {
        let alike = read_json_text(text, &mut layout).map_err(|error| error.to_string());
        assert_eq!(alike, read(text).map_err(|error| error.to_string()), "{text}");
    }
    let value = read_json_text(texts[2], &mut layout).unwrap();
    assert_eq!(value.to_string(), r#"{"a":1,"c":3}"#);
}

fn places(place: &Place) -> usize {
    1 + place.within.iter().map(places).sum::<usize>()
}

#[test]
fn a_layout_stays_small() {
    let mut layout = Layout::default();
    for round in 0..50 {
        let inner: Vec<String> =
            (0..60).map(|at| format!(r#""f{round}_{at}":{{"x":[{{"y":{{}}}}]}}"#)).collect();
        let text = format!("{{{}}}", inner.join(","));
        let text = format!(r#"{{"r{round}":{text},"s":{text},"t":[{text}]}}"#);
        assert_eq!(read_json_text(&text, &mut layout).unwrap(), read(&text).unwrap());
    }
    assert!(places(&layout.top) <= MOST_PLACES + 1, "{}", places(&layout.top));
}

#[test]
fn numbers_keep_every_digit() {
    for text in ["1.10", "9007199254740993", "9223372036854775808", "79228162514264337593543950335", "-0.5"] {
        assert_eq!(read(text).unwrap().to_string(), text);
    }
    assert_eq!(read("12").unwrap(), Value::Int(12));
    assert_eq!(read("1e3").unwrap().as_decimal(), Some(Decimal::from(1000)));
    let long = "123456789012345678901234567890123456789";
    assert_eq!(read(long).unwrap(), Value::from(long), "too long for a decimal: text, whole");
}

#[test]
fn numbers_are_written_with_all_digits() {
    let numbers = [0, 1, -1, 9, 10, 105, -1050, i64::MAX, i64::MIN];
    for number in numbers {
        assert_eq!(Value::Int(number).to_string(), number.to_string());
        for scale in [0, 1, 2, 3, 5, 18, 19, 20, 27, 28] {
            let number = Decimal::from_i128_with_scale(number.into(), scale);
            assert_eq!(Value::Decimal(number).to_string(), number.to_string(), "{number:?} {scale}");
        }
    }
    for number in [Decimal::MAX, Decimal::MIN, -Decimal::ZERO, Decimal::new(-5, 1)] {
        assert_eq!(Value::Decimal(number).to_string(), number.to_string());
    }
}

#[test]
fn long_texts_are_shared_and_short_ones_lie_in_their_record() {
    let value = read(r#"{"name":"Sanne de Boer","note":"Graag bij de buren op nummer 12 afgeven"}"#).unwrap();
    let (record, copy) = (value.as_map().unwrap(), value.clone());
    let copy = copy.as_map().unwrap();
    let same = |name: &str| record.text(name).unwrap().as_ptr() == copy.text(name).unwrap().as_ptr();
    assert!(same("note"), "no copy was made");
    assert!(!same("name"), "there is nothing to count");
}

#[test]
fn the_last_of_two_equal_names_counts() {
    assert_eq!(read(r#"{"a":1,"b":2,"a":3}"#).unwrap().to_string(), r#"{"b":2,"a":3}"#);
}

#[test]
fn faults_name_their_place() {
    let fault = read("{\n  \"a\": 1,\n  \"b\" 2\n}").unwrap_err();
    assert_eq!((fault.line, fault.reason.contains("expected")), (3, true), "{fault}");
    assert!(read("").is_err());
    assert!(read("{} x").is_err());
    let fault = read_json(&Bytes::from_static(b"{\"a\":\n\"\xff\"}")).unwrap_err();
    assert_eq!((fault.line, fault.column), (2, 2));
    assert!(read(&"[".repeat(100_000)).unwrap_err().reason.contains("nested"));
}

#[test]
fn lines_are_read_one_after_the_other() {
    let lines = read_json_lines(&Bytes::from_static(b"\xef\xbb\xbf{\"a\":1}\n{\"a\":2}\r\n\n")).unwrap();
    assert_eq!(lines.len(), 2);
}

#[test]
fn serde_prints_decimals_as_numbers() {
    let value = read(r#"{"price":19.90,"lines":[1,null,"x"]}"#).unwrap();
    assert_eq!(serde_json::to_string(&value).unwrap(), r#"{"price":19.90,"lines":[1,null,"x"]}"#);
}

/// What the quick reader makes of a text, after it has seen another one; the other reader agrees.
fn quickly(text: &str, before: &str) -> Option<Value> {
    let mut layout = Layout::default();
    let _ = quick::read(before, &mut layout);
    let value = quick::read(text, &mut layout);
    if let Some(value) = &value {
        assert_eq!(read_with_care(text, &mut Layout::default()).as_ref(), Ok(value), "{text}");
    }
    value
}

#[test]
fn the_quick_reader_reads_what_is_as_it_should_be() {
    let before = r#"{"id":1,"name":"Sanne","lines":[{"n":1}]}"#;
    for text in [
        before,
        r#"{"id":2,"name":"","lines":[]}"#,
        " { \"id\" : -20.50 ,\r\n\t\"name\" : null , \"lines\" : [ true , false , { } ] } ",
        r#"{"name":"a name that takes more than eight and more than twenty-three bytes, é ✓ 𝄞","id":0}"#,
        r#"{"\u0069d":0.10,"n\\ame":"\"\\\/\b\f\n\r\t\u00e9\ud834\udd1e and more of it","id":1,"id":2}"#,
        "[123456789012345678,0.1234567890123456]",
    ] {
        assert!(quickly(text, before).is_some(), "{text}");
        assert!(quickly(text, text).is_some(), "{text}");
    }
}

#[test]
fn the_quick_reader_leaves_what_is_odd() {
    let before = r#"{"a":1,"a\"b":2,"c\\d":3}"#;
    for text in [
        "",
        "{",
        "[",
        "[1,]",
        "[1 2]",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "{}x",
        "nul",
        "nulL",
        "truefalse",
        "01",
        "-01",
        "1.",
        ".5",
        "-",
        "+1",
        "1e3",
        "1.5E2",
        "1234567890123456789",
        "-0.0",
        "--1",
        "\"",
        "\"a",
        "\"\t\"",
        "\"\u{0}\"",
        r#""\x""#,
        r#""\u12""#,
        r#""\u+123""#,
        r#""\ud834""#,
        r#""\ud834\u0041""#,
        r#""\udd1e""#,
        r#"{"a"b":1}"#,
        r#"{"a":1,"a"b":2}"#,
        "NaN",
        "Infinity",
        "'a'",
    ] {
        assert_eq!(quickly(text, before), None, "{text}");
    }
    // Letter for letter this is a name that was seen, but not what it says.
    let name = quickly(r#"{"a":1,"x":2,"c\d":3}"#, before);
    assert_eq!(name, None);
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(quickly(&deep(DEEPEST + 1), "").is_some());
    assert_eq!(quickly(&deep(DEEPEST + 2), ""), None);
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (any::<i64>(), 1u32..20)
            .prop_map(|(digits, scale)| Value::Decimal(Decimal::from_i128_with_scale(digits.into(), scale))),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            prop::collection::vec((".*", inner), 0..6)
                .prop_map(|fields| Value::Map(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back(value in any_value()) {
        prop_assert_eq!(read_json(&value.to_json().into()).unwrap(), value);
    }

    #[test]
    fn the_quick_reader_agrees(value in any_value(), before in any_value(), at: usize, byte in 0_u8..128) {
        let (text, before) = (value.to_string(), before.to_string());
        quickly(&text, &text);
        quickly(&text, &before);
        quickly(&serde_json::to_string_pretty(&value).unwrap(), &text);
        // One byte of it is another one.
        let mut bytes = text.clone().into_bytes();
        let length = bytes.len();
        bytes[at % length] = byte;
        if let Ok(changed) = String::from_utf8(bytes) {
            quickly(&changed, &text);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_json(&bytes.into());
    }
}

//! JSON text to values and back, without a detour through floats.

use std::collections::HashMap;
use std::io::Write as _;

use bytes::Bytes;
use jiter::{Jiter, JiterError, Peek};
use rust_decimal::Decimal;

use super::{Map, Text, Value};

/// Deepest nesting of lists and records that is read.
const DEEPEST: usize = 100;

/// Above this many fields a record's names are compared by hash, not one by one.
const MANY_FIELDS: usize = 24;

/// Depths for which the number of fields is remembered, and the most that room is made for.
const DEPTHS: usize = 6;
const MOST_LIKELY: usize = 64;

/// Why a text is not JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at line {line} column {column}")]
pub struct ReadError {
    /// What is wrong, in plain words.
    pub reason: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

/// Reads one JSON value.
pub fn read_json(page: &Bytes) -> Result<Value, ReadError> {
    read_json_text(utf8(page)?)
}

/// Reads one JSON value.
pub(crate) fn read_json_text(text: &str) -> Result<Value, ReadError> {
    let mut reader = Reader::new(text);
    let value = reader.next(0)?;
    reader.jiter.finish().map_err(|error| reader.explain(&error))?;
    Ok(value)
}

/// Reads JSON values that stand one after the other, usually one a line (NDJSON).
pub fn read_json_lines(page: &Bytes) -> Result<Vec<Value>, ReadError> {
    let mut reader = Reader::new(utf8(page)?);
    let mut values = Vec::new();
    while reader.jiter.finish().is_err() {
        values.push(reader.next(0)?);
    }
    Ok(values)
}

fn utf8(page: &[u8]) -> Result<&str, ReadError> {
    let page = page.strip_prefix(b"\xef\xbb\xbf").unwrap_or(page);
    std::str::from_utf8(page).map_err(|error| {
        let good = page.get(..error.valid_up_to()).unwrap_or_default();
        let line = good.split(|byte| *byte == b'\n').count();
        let column = good.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        ReadError { reason: "the text is not UTF-8".into(), line, column }
    })
}

struct Reader<'j> {
    jiter: Jiter<'j>,
    /// Number of fields of the record that was last read at each depth: the next one is
    /// mostly like it.
    fields: [usize; DEPTHS],
}

impl<'j> Reader<'j> {
    fn new(text: &'j str) -> Self {
        Self { jiter: Jiter::new(text.as_bytes()), fields: [8; DEPTHS] }
    }

    fn next(&mut self, depth: usize) -> Result<Value, ReadError> {
        match self.jiter.peek() {
            Ok(peek) => self.value(peek, depth),
            Err(error) => Err(self.explain(&error)),
        }
    }

    fn value(&mut self, peek: Peek, depth: usize) -> Result<Value, ReadError> {
        if depth > DEEPEST {
            return Err(self.here(&format!("lists and records are nested deeper than {DEEPEST} levels")));
        }
        let read = match peek {
            Peek::Null => self.jiter.known_null().map(|()| Value::Null),
            Peek::True | Peek::False => self.jiter.known_bool(peek).map(Value::Bool),
            Peek::String => self.jiter.known_str().map(|text| Value::Text(Text::from(text))),
            Peek::Array => return self.list(depth),
            Peek::Object => return self.map(depth),
            _ => self.jiter.known_number_bytes(peek).map(number),
        };
        read.map_err(|error| self.explain(&error))
    }

    fn list(&mut self, depth: usize) -> Result<Value, ReadError> {
        let mut items = Vec::new();
        let mut next = self.jiter.known_array().map_err(|error| self.explain(&error))?;
        while let Some(peek) = next {
            items.push(self.value(peek, depth + 1)?);
            next = self.jiter.array_step().map_err(|error| self.explain(&error))?;
        }
        Ok(Value::List(items))
    }

    fn map(&mut self, depth: usize) -> Result<Value, ReadError> {
        let likely = self.fields.get(depth).copied().unwrap_or_default();
        let mut entries: Vec<(Text, Value)> = Vec::with_capacity(likely);
        let mut next = self.jiter.known_object().map(|key| key.map(Text::from));
        loop {
            match next {
                Err(error) => return Err(self.explain(&error)),
                Ok(None) => break,
                Ok(Some(name)) => {
                    let value = self.next(depth + 1)?;
                    entries.push((name, value));
                }
            }
            next = self.jiter.next_key().map(|key| key.map(Text::from));
        }
        if let Some(likely) = self.fields.get_mut(depth) {
            *likely = entries.len().min(MOST_LIKELY);
        }
        Ok(Value::Map(Map { entries: last_of_each_name(entries) }))
    }

    fn explain(&self, error: &JiterError) -> ReadError {
        let place = self.jiter.error_position(error.index);
        ReadError { reason: error.error_type.to_string(), line: place.line, column: place.column.max(1) }
    }

    fn here(&self, reason: &str) -> ReadError {
        let place = self.jiter.current_position();
        ReadError { reason: reason.into(), line: place.line, column: place.column.max(1) }
    }
}

/// JSON allows a name twice; as everywhere, the last one counts.
fn last_of_each_name(mut entries: Vec<(Text, Value)>) -> Vec<(Text, Value)> {
    let unique = if entries.len() <= MANY_FIELDS {
        are_different(&entries)
    } else {
        entries.iter().map(|(name, _)| name).collect::<std::collections::HashSet<_>>().len() == entries.len()
    };
    if unique {
        return entries;
    }
    let last: HashMap<Text, usize> =
        entries.iter().enumerate().map(|(at, (name, _))| (name.clone(), at)).collect();
    let mut at = 0;
    entries.retain(|(name, _)| {
        at += 1;
        last.get(name) == Some(&(at - 1))
    });
    entries
}

/// Names are compared only when their marks meet.
fn are_different(entries: &[(Text, Value)]) -> bool {
    let mut marks = 0_u64;
    entries.iter().enumerate().all(|(at, (name, _))| {
        let bytes = name.as_bytes();
        let letter = |at: usize| u32::from(bytes.get(at).copied().unwrap_or_default());
        let length = u32::try_from(bytes.len()).unwrap_or_default();
        let sum = length.wrapping_mul(11)
            + letter(0) * 5
            + letter(bytes.len() / 2) * 3
            + letter(bytes.len().saturating_sub(1));
        let mark = 1_u64 << (sum % 64);
        let is_new = marks & mark == 0;
        marks |= mark;
        is_new || entries.iter().take(at).all(|(other, _)| other != name)
    })
}

/// A plain number of up to 18 digits, with or without a point.
fn plain_number(digits: &[u8]) -> Option<Value> {
    let (negative, digits) = match digits.split_first() {
        Some((b'-', rest)) => (true, rest),
        _ => (false, digits),
    };
    if digits.len() > 18 {
        return None;
    }
    let (mut number, mut scale) = (0_i64, None);
    for digit in digits {
        match digit {
            b'0'..=b'9' => {
                number = number * 10 + i64::from(digit - b'0');
                scale = scale.map(|scale| scale + 1);
            }
            b'.' if scale.is_none() => scale = Some(0),
            _ => return None,
        }
    }
    let signed = if negative { -number } else { number };
    match scale {
        None => Some(Value::Int(signed)),
        // A zero has no sign in an integer.
        Some(_) if negative && number == 0 => None,
        Some(scale) => Some(Value::Decimal(Decimal::new(signed, scale))),
    }
}

/// Integers stay integers, everything else becomes a decimal; what fits neither stays text.
fn number(digits: &[u8]) -> Value {
    if let Some(number) = plain_number(digits) {
        return number;
    }
    let text = String::from_utf8_lossy(digits);
    if let Ok(number) = text.parse::<i64>() {
        return Value::Int(number);
    }
    let decimal = if text.contains(['e', 'E']) {
        Decimal::from_scientific(&text)
    } else {
        Decimal::from_str_exact(&text)
    };
    decimal.map_or_else(|_| Value::Text(Text::from(text.as_ref())), Value::Decimal)
}

impl Map {
    /// Appends compact JSON to `out`.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (at, (name, value)) in self.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            write_text(name, out);
            out.push(b':');
            write_value(value, out);
        }
        out.push(b'}');
    }
}

impl Value {
    /// Appends compact JSON to `out`.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        write_value(self, out);
    }

    /// Compact JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write_value(self, &mut out);
        out
    }
}

pub(super) fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(number) => {
            if number.is_negative() {
                out.push(b'-');
            }
            write_digits(number.unsigned_abs(), 0, out);
        }
        Value::Decimal(number) => match u64::try_from(number.mantissa().unsigned_abs()) {
            Ok(digits) => {
                if number.is_sign_negative() {
                    out.push(b'-');
                }
                write_digits(digits, number.scale() as usize, out);
            }
            // Writing to a `Vec` cannot fail.
            Err(_) => drop(write!(out, "{number}")),
        },
        Value::Text(text) => write_text(text, out),
        Value::List(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_value(item, out);
            }
            out.push(b']');
        }
        Value::Map(map) => map.write_json(out),
    }
}

/// Digits, the last `scale` of them behind a point.
fn write_digits(mut digits: u64, scale: usize, out: &mut Vec<u8>) {
    // The longest: 28 zeros behind the point, or 20 digits.
    let mut text = [b'0'; 32];
    let mut at = text.len();
    let mut left = scale;
    for place in text.iter_mut().rev() {
        if left == 0 && scale > 0 && at + scale == 32 {
            *place = b'.';
        } else {
            *place = b'0' + u8::try_from(digits % 10).unwrap_or_default();
            digits /= 10;
            left = left.saturating_sub(1);
        }
        at -= 1;
        let whole_begun = scale == 0 || at + scale + 1 < 32;
        if digits == 0 && left == 0 && whole_begun {
            break;
        }
    }
    out.extend_from_slice(text.get(at..).unwrap_or_default());
}

/// Appends a text as JSON to `out`.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    let plain = text.bytes().all(|byte| byte >= b' ' && byte != b'"' && byte != b'\\');
    if plain {
        out.reserve(text.len() + 2);
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // serde_json knows the escapes; a text always serialises and a `Vec` always takes it.
        let _ = serde_json::to_writer(out, text);
    }
}

impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => to.serialize_unit(),
            Self::Bool(truth) => to.serialize_bool(*truth),
            Self::Int(number) => to.serialize_i64(*number),
            Self::Decimal(number) => match serde_json::value::RawValue::from_string(number.to_string()) {
                Ok(digits) => digits.serialize(to),
                Err(_) => to.collect_str(number),
            },
            Self::Text(text) => to.serialize_str(text),
            Self::List(items) => to.collect_seq(items),
            Self::Map(map) => map.serialize(to),
        }
    }
}

impl serde::Serialize for Map {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter().map(|(name, value)| (name.as_str(), value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Value, ReadError> {
        read_json(&Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn numbers_keep_every_digit() {
        for text in
            ["1.10", "9007199254740993", "9223372036854775808", "79228162514264337593543950335", "-0.5"]
        {
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
    fn texts_share_the_page() {
        let page = Bytes::from_static(br#"{"name": "Sanne de Boer"}"#);
        let value = read_json(&page).unwrap();
        let name = value.as_map().unwrap().text("name").unwrap();
        assert!(page.as_ptr_range().contains(&name.as_ptr()), "no copy was made");
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

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            (any::<i64>(), 1u32..20).prop_map(|(digits, scale)| Value::Decimal(
                Decimal::from_i128_with_scale(digits.into(), scale)
            )),
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
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_json(&bytes.into());
        }
    }
}

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

/// Fields of a record that a layout remembers, and records within each other.
const MOST_LIKELY: usize = 64;
const MOST_PLACES: usize = 500;

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
    read_json_text(utf8(page)?, &mut Layout::default())
}

/// Reads one JSON value of many that are alike.
pub(crate) fn read_json_text(text: &str, layout: &mut Layout) -> Result<Value, ReadError> {
    let mut reader = Reader { places: layout.places, ..Reader::new(text) };
    let value = reader.next(0, &mut layout.top, 0);
    layout.places = reader.places;
    let value = value?;
    reader.jiter.finish().map_err(|error| reader.explain(&error))?;
    Ok(value)
}

/// Reads JSON values that stand one after the other, usually one a line (NDJSON).
pub fn read_json_lines(page: &Bytes) -> Result<Vec<Value>, ReadError> {
    let (mut reader, mut layout) = (Reader::new(utf8(page)?), Layout::default());
    let mut values = Vec::new();
    while reader.jiter.finish().is_err() {
        values.push(reader.next(0, &mut layout.top, 0)?);
    }
    Ok(values)
}

/// How the records read so far were laid out: the next one mostly has the same fields in the same
/// order, and then its names need not be made again, nor compared with each other.
#[derive(Debug, Default)]
pub(crate) struct Layout {
    top: Place,
    /// Places in it.
    places: usize,
}

/// A place where records stand: the top, a field, the items of a list.
#[derive(Debug, Default)]
struct Place {
    /// The names of the record that was read here last, as far as they are remembered.
    names: Vec<Text>,
    /// They are different.
    are_different: bool,
    /// Places within, by the number of the field.
    within: Vec<Self>,
}

impl Place {
    /// The name of a field, and whether it is the remembered one.
    #[inline]
    fn name(&mut self, at: usize, name: &str) -> (Text, bool) {
        if let Some(known) = self.names.get(at).filter(|known| known.as_str() == name) {
            return (known.clone(), true);
        }
        let name = Text::from(name);
        // Also when this record comes to no end.
        self.are_different = false;
        if let Some(known) = self.names.get_mut(at) {
            *known = name.clone();
        } else if at < MOST_LIKELY {
            self.names.push(name.clone());
        }
        (name, false)
    }

    /// Names of the record that was just read: those before the first one that differed were known.
    fn settle(&mut self, entries: Vec<(Text, Value)>, all_known: bool) -> Vec<(Text, Value)> {
        if all_known && self.are_different {
            return entries;
        }
        let length = entries.len();
        self.names.truncate(length);
        let entries = last_of_each_name(entries);
        self.are_different = entries.len() == length;
        entries
    }
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
    /// Places in the layout.
    places: usize,
}

impl<'j> Reader<'j> {
    fn new(text: &'j str) -> Self {
        Self { jiter: Jiter::new(text.as_bytes()), places: 0 }
    }

    /// Reads what stands at a number of a place.
    fn next(&mut self, depth: usize, around: &mut Place, at: usize) -> Result<Value, ReadError> {
        match self.jiter.peek() {
            Ok(peek) => self.value(peek, depth, around, at),
            Err(error) => Err(self.explain(&error)),
        }
    }

    fn value(&mut self, peek: Peek, depth: usize, around: &mut Place, at: usize) -> Result<Value, ReadError> {
        if depth > DEEPEST {
            return Err(self.here(&format!("lists and records are nested deeper than {DEEPEST} levels")));
        }
        let read = match peek {
            Peek::Null => self.jiter.known_null().map(|()| Value::Null),
            Peek::True | Peek::False => self.jiter.known_bool(peek).map(Value::Bool),
            Peek::String => self.jiter.known_str().map(|text| Value::Text(Text::from(text))),
            Peek::Array => return self.list(depth, around, at),
            Peek::Object => return self.within(depth, around, at),
            _ => self.jiter.known_number_bytes(peek).map(number),
        };
        read.map_err(|error| self.explain(&error))
    }

    fn list(&mut self, depth: usize, around: &mut Place, at: usize) -> Result<Value, ReadError> {
        let mut items = Vec::new();
        let mut next = self.jiter.known_array().map_err(|error| self.explain(&error))?;
        while let Some(peek) = next {
            items.push(self.value(peek, depth + 1, around, at)?);
            next = self.jiter.array_step().map_err(|error| self.explain(&error))?;
        }
        Ok(Value::List(items))
    }

    /// Reads a record at the place within another one.
    fn within(&mut self, depth: usize, around: &mut Place, at: usize) -> Result<Value, ReadError> {
        while around.within.len() <= at && at < MOST_LIKELY && self.places < MOST_PLACES {
            around.within.push(Place::default());
            self.places += 1;
        }
        match around.within.get_mut(at) {
            Some(place) => self.map(depth, place),
            None => self.map(depth, &mut Place::default()),
        }
    }

    fn map(&mut self, depth: usize, place: &mut Place) -> Result<Value, ReadError> {
        let mut entries: Vec<(Text, Value)> = Vec::with_capacity(place.names.len());
        let mut all_known = true;
        let mut next = self.jiter.known_object();
        loop {
            let name = match next {
                Err(error) => return Err(self.explain(&error)),
                Ok(None) => break,
                Ok(Some(name)) => name,
            };
            let (name, is_known) = place.name(entries.len(), name);
            all_known &= is_known;
            let value = self.next(depth + 1, place, entries.len())?;
            entries.push((name, value));
            next = self.jiter.next_key();
        }
        Ok(Value::Map(Map { entries: place.settle(entries, all_known) }))
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
    // Every byte is looked at, so that many can be looked at together.
    let is_odd = |byte: u8| u8::from(byte < b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\');
    let plain = text.bytes().fold(0, |odd, byte| odd | is_odd(byte)) == 0;
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
        fn places(place: &Place) -> usize {
            1 + place.within.iter().map(places).sum::<usize>()
        }
        assert!(places(&layout.top) <= MOST_PLACES + 1, "{}", places(&layout.top));
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

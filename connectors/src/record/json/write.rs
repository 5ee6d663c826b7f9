//! Values as JSON text.

use std::io::Write as _;

use crate::record::{Map, Value};

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

pub(in crate::record) fn write_value(value: &Value, out: &mut Vec<u8>) {
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

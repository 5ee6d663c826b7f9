//! JSON text to values and back, without a detour through floats.

use std::collections::HashMap;

use bytes::Bytes;
use jiter::{Jiter, JiterError, Peek};
use rust_decimal::Decimal;

use super::{Map, Text, Value};
pub use write::write_text;
pub(super) use write::write_value;

mod quick;
mod write;

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
    if let Some(value) = quick::read(text, layout) {
        return Ok(value);
    }
    read_with_care(text, layout)
}

/// The same for whatever is odd; says what is wrong.
fn read_with_care(text: &str, layout: &mut Layout) -> Result<Value, ReadError> {
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
    names: Vec<Known>,
    /// They are different.
    are_different: bool,
    /// Places within, by the number of the field.
    within: Vec<Self>,
}

/// A name that is remembered.
#[derive(Debug)]
struct Known {
    name: Text,
    /// It stands in JSON letter for letter.
    is_plain: bool,
}

impl Known {
    fn new(name: &Text) -> Self {
        Self { name: name.clone(), is_plain: name.bytes().all(quick::is_plain) }
    }
}

impl Place {
    /// The name of a field, and whether it is the remembered one.
    #[inline]
    fn name(&mut self, at: usize, name: &str) -> (Text, bool) {
        if let Some(known) = self.names.get(at).filter(|known| known.name.as_str() == name) {
            return (known.name.clone(), true);
        }
        let name = Text::from(name);
        // Also when this record comes to no end.
        self.are_different = false;
        if let Some(known) = self.names.get_mut(at) {
            *known = Known::new(&name);
        } else if at < MOST_LIKELY {
            self.names.push(Known::new(&name));
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

/// The place at a number of another one, unless there are too many.
fn within<'p>(places: &mut usize, around: &'p mut Place, at: usize) -> Option<&'p mut Place> {
    while around.within.len() <= at && at < MOST_LIKELY && *places < MOST_PLACES {
        around.within.push(Place::default());
        *places += 1;
    }
    around.within.get_mut(at)
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
        match within(&mut self.places, around, at) {
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

#[cfg(test)]
mod tests;

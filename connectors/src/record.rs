//! Records as they travel.
//!
//! A page is read once. Names and short texts lie in the record itself, longer ones are shared by
//! all that hold them, so that taking a record apart, keeping it or handing it on copies next to
//! nothing, and a record that is kept does not keep the page that it came with. Numbers are read
//! from their digits: nothing passes through a binary float.

mod json;

use std::fmt;
use std::ops::Deref;

use rust_decimal::Decimal;
use smol_str::SmolStr;

pub(crate) use json::{Layout, read_json_text};
pub use json::{ReadError, read_json, read_json_lines, write_text};

/// A value of a record. Its tag takes a whole word, so that it is moved in whole words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[repr(u64)]
pub enum Value {
    /// No value: JSON's `null`, a script's `()`.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// Exact integer.
    Int(i64),
    /// Exact decimal number of up to 28 digits; keeps its written scale, so 1.10 stays 1.10.
    Decimal(Decimal),
    /// Text, and numbers too long for a decimal.
    Text(Text),
    /// List.
    List(Vec<Value>),
    /// Nested record.
    Map(Map),
}

/// Text that is cheap to clone: up to 23 bytes lie in the value itself, longer texts are shared.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Text(SmolStr);

/// Fields in the order in which they were read or set; names are unique.
#[derive(Clone, Default, Eq)]
pub struct Map {
    entries: Vec<(Text, Value)>,
}

/// A record is a map.
pub type Record = Map;

impl Text {
    /// The text of a static string, without a copy.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        Self(SmolStr::new_static(text))
    }

    /// A part of this text; shared when it is all of it.
    #[must_use]
    pub fn part(&self, part: &str) -> Self {
        let is_all = part.len() == self.len() && part.as_ptr() == self.as_ptr();
        if is_all { self.clone() } else { Self::from(part) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Map {
    /// No fields.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: Vec::new() }
    }

    /// Room for that many fields.
    #[must_use]
    pub fn with_capacity(fields: usize) -> Self {
        Self { entries: Vec::with_capacity(fields) }
    }

    /// The value of a field; absent fields and `null` are different things here.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.entries.iter().find(|(field, _)| field.as_str() == name).map(|(_, value)| value)
    }

    /// A field and its place, when it is likely to be at `place`, where it was in the last record.
    #[must_use]
    pub fn get_near(&self, name: &str, place: usize) -> Option<(usize, &Value)> {
        match self.entries.get(place) {
            Some((field, value)) if field.as_str() == name => Some((place, value)),
            _ => self
                .entries
                .iter()
                .enumerate()
                .find(|(_, (field, _))| field.as_str() == name)
                .map(|(at, (_, value))| (at, value)),
        }
    }

    /// The value of a field, to change.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.entries.iter_mut().find(|(field, _)| field.as_str() == name).map(|(_, value)| value)
    }

    /// The value at a dotted path, `billing.street`.
    #[must_use]
    pub fn at(&self, path: &str) -> Option<&Value> {
        match path.split_once('.') {
            None => self.get(path),
            Some((first, rest)) => match self.get(first)? {
                Value::Map(inner) => inner.at(rest),
                _ => None,
            },
        }
    }

    /// The text of a field, when it is text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// Sets a field and gives back what it held.
    pub fn set(&mut self, name: impl Into<Text>, value: impl Into<Value>) -> Option<Value> {
        let (name, value) = (name.into(), value.into());
        if let Some(old) = self.get_mut(name.as_str()) {
            return Some(std::mem::replace(old, value));
        }
        self.entries.push((name, value));
        None
    }

    /// Adds a field that is known to be new; cheaper than [`Map::set`].
    pub fn push(&mut self, name: Text, value: Value) {
        debug_assert!(self.get(name.as_str()).is_none(), "field names are unique");
        self.entries.push((name, value));
    }

    /// Takes a field out.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let at = self.entries.iter().position(|(field, _)| field.as_str() == name)?;
        Some(self.entries.remove(at).1)
    }

    /// Fields in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &Value)> {
        self.entries.iter().map(|(name, value)| (name, value))
    }

    /// Fields in order, values to change.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&Text, &mut Value)> {
        self.entries.iter_mut().map(|(name, value)| (&*name, value))
    }

    /// Number of fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True without fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Maps are equal when they hold the same fields, in whatever order.
impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(name, value)| other.get(name.as_str()) == Some(value))
    }
}

impl Value {
    /// The text, when it is text.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// The integer, when it is one.
    #[must_use]
    pub const fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The exact number, when it is an integer or a decimal.
    #[must_use]
    pub fn as_decimal(&self) -> Option<Decimal> {
        match self {
            Self::Int(number) => Some(Decimal::from(*number)),
            Self::Decimal(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth value, when it is one.
    #[must_use]
    pub const fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    /// The list, when it is one.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The nested record, when it is one.
    #[must_use]
    pub const fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// True for no value.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// As people write it: a text without quotation marks, everything else as JSON.
    #[must_use]
    pub fn plain(&self) -> String {
        self.as_str().map_or_else(|| self.to_string(), str::to_owned)
    }

    /// True when both say the same to a remote system: 12 equals 12.00, a list equals a list
    /// item by item, an absent field equals `null` and the empty text.
    #[must_use]
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(left), Self::List(right)) => {
                left.len() == right.len() && left.iter().zip(right).all(|(a, b)| a.says_the_same_as(b))
            }
            (Self::Map(left), Self::Map(right)) => {
                left.iter().all(|(name, value)| {
                    value.says_the_same_as(right.get(name.as_str()).unwrap_or(&Self::Null))
                }) && right
                    .iter()
                    .all(|(name, value)| left.get(name.as_str()).is_some() || value.says_nothing())
            }
            _ => match (self.as_decimal(), other.as_decimal()) {
                (Some(left), Some(right)) => left == right,
                _ => self == other || (self.says_nothing() && other.says_nothing()),
            },
        }
    }

    /// True for `null` and for the empty text, which many systems send for "no value".
    #[must_use]
    pub fn says_nothing(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.as_str().is_empty(),
            _ => false,
        }
    }

    /// A word for messages: `text`, `integer`, `list` …
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Decimal(_) => "decimal",
            Self::Text(_) => "text",
            Self::List(_) => "list",
            Self::Map(_) => "record",
        }
    }
}

/// Compact JSON.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        json::write_value(self, &mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

/// Compact JSON.
impl fmt::Display for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = Vec::new();
        self.write_json(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(SmolStr::from(text))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(SmolStr::from(text))
    }
}

impl From<&Self> for Text {
    fn from(text: &Self) -> Self {
        text.clone()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<Decimal> for Value {
    fn from(number: Decimal) -> Self {
        Self::Decimal(number)
    }
}

impl From<Vec<Self>> for Value {
    fn from(items: Vec<Self>) -> Self {
        Self::List(items)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl IntoIterator for Map {
    type Item = (Text, Value);
    type IntoIter = std::vec::IntoIter<(Text, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<N: Into<Text>> FromIterator<(N, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(fields: I) -> Self {
        let mut map = Self::new();
        for (name, value) in fields {
            map.set(name, value);
        }
        map
    }
}

//! Values of lowered code: borrowed from the record as long as nothing new is made of them.

use std::rc::Rc;

use connectors::record::{Map, Text, Value};
use rust_decimal::Decimal;

use super::tree::Closure;
use crate::script::table::TableValue;

/// A value; `'a` is how long the record and the tree live.
///
/// The tag takes a whole word, as it does in [`Value`]: what follows a tag of one byte is moved in
/// pieces that overlap, and each piece that is read again waits until all of them are in the cache.
#[derive(Clone, Debug)]
#[repr(u64)]
pub(in crate::script) enum Val<'a> {
    Nothing,
    Bool(bool),
    Int(i64),
    Decimal(Decimal),
    Text(&'a Text),
    Made(Text),
    List(&'a [Value]),
    MadeList(Rc<List<'a>>),
    Record(&'a Map),
    MadeRecord(Rc<Fields<'a>>),
    Table(&'a TableValue),
    Range { from: i64, to: i64, inclusive: bool },
    Function(&'a Closure),
}

/// A list that a script made.
#[derive(Clone, Debug, Default)]
pub(in crate::script) struct List<'a> {
    pub(super) items: Vec<Val<'a>>,
    pub(super) size: Size,
}

/// A record that a script made; its fields stand in the order of their names.
#[derive(Clone, Debug, Default)]
pub(in crate::script) struct Fields<'a> {
    pub(super) fields: Vec<(Text, Val<'a>)>,
    pub(super) size: Size,
}

/// How large a made value is, all that is in it included.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::script) struct Size {
    pub(super) items: usize,
    pub(super) fields: usize,
    pub(super) bytes: usize,
    pub(super) depth: usize,
}

impl Size {
    /// Counts a value that is put into the one of this size.
    pub(super) fn add(&mut self, inner: Self) {
        self.items = self.items.saturating_add(inner.items);
        self.fields = self.fields.saturating_add(inner.fields);
        self.bytes = self.bytes.saturating_add(inner.bytes);
        self.depth = self.depth.max(inner.depth + 1);
    }
}

impl<'a> List<'a> {
    pub(super) fn new(items: Vec<Val<'a>>) -> Self {
        let mut size = Size { items: items.len(), depth: 1, ..Size::default() };
        for item in &items {
            size.add(item.size());
        }
        Self { items, size }
    }
}

impl<'a> Fields<'a> {
    /// Of fields in the order of their names, each name once.
    pub(super) fn new(fields: Vec<(Text, Val<'a>)>) -> Self {
        let mut size = Size { fields: fields.len(), depth: 1, ..Size::default() };
        for (_, value) in &fields {
            size.add(value.size());
        }
        Self { fields, size }
    }

    pub(super) fn get(&self, name: &str) -> Option<&Val<'a>> {
        let at = self.fields.binary_search_by(|(field, _)| field.as_str().cmp(name)).ok()?;
        self.fields.get(at).map(|(_, value)| value)
    }

    /// The place for a field's value; a new field holds nothing yet.
    pub(super) fn entry(&mut self, name: &str) -> Option<&mut Val<'a>> {
        let at = match self.fields.binary_search_by(|(field, _)| field.as_str().cmp(name)) {
            Ok(at) => at,
            Err(at) => {
                self.fields.insert(at, (Text::from(name), Val::Nothing));
                at
            }
        };
        self.fields.get_mut(at).map(|(_, value)| value)
    }
}

impl<'a> Val<'a> {
    #[inline]
    pub(super) fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Nothing,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Int(number) => Self::Int(*number),
            Value::Decimal(number) => Self::Decimal(*number),
            Value::Text(text) => Self::Text(text),
            Value::List(items) => Self::List(items),
            Value::Map(map) => Self::Record(map),
        }
    }

    /// How large it is. Records from outside count as one value, as they do in Rhai.
    pub(super) fn size(&self) -> Size {
        match self {
            Self::Text(text) => Size { bytes: text.len(), ..Size::default() },
            Self::Made(text) => Size { bytes: text.len(), ..Size::default() },
            Self::List(items) => Size { items: items.len(), depth: 1, ..Size::default() },
            Self::MadeList(list) => list.size,
            Self::MadeRecord(record) => record.size,
            _ => Size::default(),
        }
    }

    /// A record as one that can be changed.
    pub(super) fn to_fields(map: &'a Map) -> Fields<'a> {
        let mut fields: Vec<_> = map.iter().map(|(name, value)| (name.clone(), Self::of(value))).collect();
        fields.sort_by(|(left, _), (right, _)| left.cmp(right));
        Fields::new(fields)
    }

    #[inline]
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()),
            Self::Made(text) => Some(text.as_str()),
            _ => None,
        }
    }
}

/// The items of a list.
#[derive(Clone, Debug)]
pub(in crate::script) enum Items<'a> {
    Given(std::slice::Iter<'a, Value>),
    Made(Rc<List<'a>>, usize, usize),
}

impl<'a> Iterator for Items<'a> {
    type Item = Val<'a>;

    #[inline]
    fn next(&mut self) -> Option<Val<'a>> {
        match self {
            Self::Given(items) => items.next().map(Val::of),
            Self::Made(_, at, end) if *at >= *end => None,
            Self::Made(list, at, _) => {
                *at += 1;
                list.items.get(*at - 1).cloned()
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = match self {
            Self::Given(items) => items.len(),
            Self::Made(_, at, end) => end - at,
        };
        (left, Some(left))
    }
}

impl DoubleEndedIterator for Items<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        match self {
            Self::Given(items) => items.next_back().map(Val::of),
            Self::Made(_, at, end) if *at >= *end => None,
            Self::Made(list, _, end) => {
                *end -= 1;
                list.items.get(*end).cloned()
            }
        }
    }
}

impl ExactSizeIterator for Items<'_> {}

impl From<bool> for Val<'_> {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<i64> for Val<'_> {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<Decimal> for Val<'_> {
    fn from(number: Decimal) -> Self {
        Self::Decimal(number)
    }
}

impl From<&str> for Val<'_> {
    fn from(text: &str) -> Self {
        Self::Made(Text::from(text))
    }
}

impl From<String> for Val<'_> {
    fn from(text: String) -> Self {
        Self::Made(Text::from(text.as_str()))
    }
}

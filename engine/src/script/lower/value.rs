//! Values of lowered code: borrowed from the record as long as nothing new is made of them.

use std::borrow::Cow;
use std::rc::Rc;

use connectors::record::{Map, Text, Value};
use rust_decimal::Decimal;

use super::tree::Closure;
use crate::script::error::Mistake;
use crate::script::library::Operand;
use crate::script::table::TableValue;

/// A value; `'a` is how long the record and the tree live.
#[derive(Clone, Debug)]
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
    fn text(&self) -> Option<&str> {
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

impl<'a> Operand for Val<'a> {
    type Text<'t>
        = Cow<'t, str>
    where
        Self: 't;
    type Items<'i>
        = Items<'a>
    where
        Self: 'i;

    fn nothing() -> Self {
        Self::Nothing
    }

    fn of_str(text: &str) -> Self {
        Self::Made(Text::from(text))
    }

    fn of_text(text: Cow<'_, str>) -> Self {
        Self::of_str(&text)
    }

    fn of_list(items: Vec<Self>) -> Self {
        Self::MadeList(Rc::new(List::new(items)))
    }

    fn part(&self, part: &str) -> Self {
        match self {
            Self::Text(text) if text.len() == part.len() => Self::Text(text),
            Self::Text(text) => Self::Made(text.part(part)),
            Self::Made(text) => Self::Made(text.part(part)),
            _ => Self::of_str(part),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Bool(_) => "boolean",
            Self::Int(_) => "integer",
            Self::Decimal(_) => "decimal",
            Self::Text(_) | Self::Made(_) => "text",
            Self::List(_) | Self::MadeList(_) => "list",
            Self::Record(_) | Self::MadeRecord(_) => "record",
            Self::Table(_) => "table",
            Self::Range { .. } => "range",
            Self::Function(_) => "function",
        }
    }

    #[inline]
    fn is_nothing(&self) -> bool {
        matches!(self, Self::Nothing)
    }

    #[inline]
    fn is_text(&self) -> bool {
        self.text().is_some()
    }

    #[inline]
    fn boolean(&self) -> Option<bool> {
        match self {
            Self::Bool(truth) => Some(*truth),
            _ => None,
        }
    }

    #[inline]
    fn int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => None,
        }
    }

    #[inline]
    fn exact(&self) -> Option<Decimal> {
        match self {
            Self::Decimal(number) => Some(*number),
            _ => None,
        }
    }

    #[inline]
    fn as_text(&self) -> Option<Cow<'_, str>> {
        self.text().map(Cow::Borrowed)
    }

    fn items(&self) -> Option<Items<'a>> {
        match self {
            Self::List(items) => Some(Items::Given(items.iter())),
            Self::MadeList(list) => Some(Items::Made(list.clone(), 0, list.items.len())),
            _ => None,
        }
    }

    fn written(&self) -> Result<Cow<'_, str>, Mistake> {
        Ok(match self {
            Self::Nothing => Cow::Borrowed(""),
            Self::Text(text) => Cow::Borrowed(text.as_str()),
            Self::Made(text) => Cow::Borrowed(text.as_str()),
            Self::Bool(truth) => Cow::Borrowed(if *truth { "true" } else { "false" }),
            Self::Int(number) => Cow::Owned(number.to_string()),
            Self::Decimal(number) => Cow::Owned(number.to_string()),
            Self::Table(_) | Self::Range { .. } | Self::Function(_) => Cow::Borrowed(self.kind()),
            // What Rhai would refuse to write is left to it.
            _ => Cow::Owned(super::out::to_json(self).ok_or_else(|| Mistake::limit("result", ""))?),
        })
    }

    fn each_item(&self, work: &mut dyn FnMut(&Self) -> Result<(), Mistake>) -> Option<Result<(), Mistake>> {
        match self {
            Self::List(items) => Some(items.iter().try_for_each(|item| work(&Self::of(item)))),
            Self::MadeList(list) => Some(list.items.iter().try_for_each(work)),
            _ => None,
        }
    }

    fn same_items(
        &self,
        other: &Self,
        same: &mut dyn FnMut(&Self, &Self) -> Result<bool, Mistake>,
    ) -> Option<Result<bool, Mistake>> {
        let (left, right) = (self.items()?, other.items()?);
        if left.len() != right.len() {
            return Some(Ok(false));
        }
        for (left, right) in left.zip(right) {
            match same(&left, &right) {
                Ok(true) => {}
                other => return Some(other),
            }
        }
        Some(Ok(true))
    }

    fn each_field(
        &self,
        work: &mut dyn FnMut(&str, &Self) -> Result<(), Mistake>,
    ) -> Option<Result<(), Mistake>> {
        match self {
            Self::Record(map) => Some(map.iter().try_for_each(|(name, value)| work(name, &Self::of(value)))),
            Self::MadeRecord(record) => {
                Some(record.fields.iter().try_for_each(|(name, value)| work(name, value)))
            }
            _ => None,
        }
    }

    fn search(&self) -> usize {
        match self {
            Self::Record(map) => map.len(),
            _ => 0,
        }
    }

    fn field_count(&self) -> Option<usize> {
        match self {
            Self::Record(map) => Some(map.len()),
            Self::MadeRecord(record) => Some(record.fields.len()),
            _ => None,
        }
    }

    fn field(&self, name: &str) -> Option<Self> {
        match self {
            Self::Record(map) => map.get(name).map(Self::of),
            Self::MadeRecord(record) => record.get(name).cloned(),
            _ => None,
        }
    }

    fn fields(&self) -> Vec<(String, Self)> {
        let pair = |(name, value): (Text, Self)| (name.to_string(), value);
        match self {
            Self::Record(map) => Self::to_fields(map).fields.into_iter().map(pair).collect(),
            Self::MadeRecord(record) => record.fields.iter().cloned().map(pair).collect(),
            _ => Vec::new(),
        }
    }

    fn of_fields(fields: Vec<(String, Self)>) -> Self {
        let mut record = Fields::default();
        for (name, value) in fields {
            if let Some(place) = record.entry(&name) {
                *place = value;
            }
        }
        Self::MadeRecord(Rc::new(Fields::new(record.fields)))
    }

    fn holds(&self, value: &Self) -> Option<Result<bool, Mistake>> {
        match (self, value) {
            (Self::Table(table), _) => Some(table.has(value)),
            (Self::Range { from, to, inclusive }, Self::Int(number)) => {
                Some(Ok(number >= from && if *inclusive { number <= to } else { number < to }))
            }
            _ => None,
        }
    }
}

//! Values of lowered code, as library functions and operators see them.

use std::borrow::Cow;
use std::rc::Rc;

use connectors::record::Text;
use rust_decimal::Decimal;

use super::value::{Fields, Items, List, Val};
use crate::script::error::Mistake;
use crate::script::library::Operand;

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

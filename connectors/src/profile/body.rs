//! The body of a question that is put by POST: JSON with holes.
//!
//! A text that is nothing but one hole becomes the value itself, in the form that the wire has
//! for that field; a hole within a text becomes part of it.

use toml::Spanned;
use toml::de::DeValue;

use super::form::plain;
use super::reader::{Table, Word, whole};
use super::template::{Part, Template};
use crate::record::{Map, Text, Value};

/// A compiled body, or a part of one.
#[derive(Clone, Debug)]
pub(super) enum Body {
    Fixed(Value),
    /// The value of a field.
    Hole(String),
    Text(Template),
    List(Vec<Self>),
    Map(Vec<(Text, Self)>),
}

impl Body {
    pub(super) const fn empty() -> Self {
        Self::Map(Vec::new())
    }

    /// The table of that key.
    pub(super) fn read(
        table: &Table<'_, '_>,
        key: &'static str,
        settings: &[&str],
        holes: &[&str],
    ) -> Option<Self> {
        let value = table.value(key)?;
        if value.get_ref().as_table().is_none() {
            return table.wrong_kind(key, value, "a table");
        }
        Self::part(table, key, value, settings, holes)
    }

    fn part(
        table: &Table<'_, '_>,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        settings: &[&str],
        holes: &[&str],
    ) -> Option<Self> {
        Some(match value.get_ref() {
            DeValue::String(text) => {
                let word = Word { text, at: value.span() };
                let template = Template::read(table.reader, &word, settings, holes);
                match template.parts() {
                    [Part::Field(name)] => Self::Hole(name.clone()),
                    _ => Self::Text(template),
                }
            }
            DeValue::Boolean(truth) => Self::Fixed(Value::Bool(*truth)),
            DeValue::Integer(_) => Self::Fixed(Value::Int(whole(value)?)),
            DeValue::Array(items) => Self::List(
                items.iter().filter_map(|item| Self::part(table, key, item, settings, holes)).collect(),
            ),
            DeValue::Table(entries) => {
                let parts = entries.iter().filter_map(|(name, value)| {
                    let part = Self::part(table, name.get_ref(), value, settings, holes)?;
                    Some((Text::from(name.get_ref().as_ref()), part))
                });
                Self::Map(parts.collect())
            }
            _ => {
                return table.wrong_kind(
                    key,
                    value,
                    "text, a whole number, a truth value, a list or a table",
                );
            }
        })
    }

    /// Fields that it names.
    pub(super) fn names(&self, field: &str) -> bool {
        match self {
            Self::Fixed(_) => false,
            Self::Hole(name) => name == field,
            Self::Text(template) => template.fields().any(|name| name == field),
            Self::List(parts) => parts.iter().any(|part| part.names(field)),
            Self::Map(parts) => parts.iter().any(|(_, part)| part.names(field)),
        }
    }

    /// Fills in the settings.
    pub(super) fn settle(&mut self, setting: &dyn Fn(&str) -> String) {
        match self {
            Self::Fixed(_) | Self::Hole(_) => {}
            Self::Text(template) => *template = template.settle(setting),
            Self::List(parts) => parts.iter_mut().for_each(|part| part.settle(setting)),
            Self::Map(parts) => parts.iter_mut().for_each(|(_, part)| part.settle(setting)),
        }
    }

    /// The body with these values.
    pub(super) fn fill(&self, field: &dyn Fn(&str) -> Value) -> Value {
        match self {
            Self::Fixed(value) => value.clone(),
            Self::Hole(name) => field(name),
            Self::Text(template) => Value::from(template.fill(&|name| plain(&field(name)))),
            Self::List(parts) => Value::List(parts.iter().map(|part| part.fill(field)).collect()),
            Self::Map(parts) => {
                let mut map = Map::with_capacity(parts.len());
                for (name, part) in parts {
                    map.set(name, part.fill(field));
                }
                Value::Map(map)
            }
        }
    }
}

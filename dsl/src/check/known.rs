//! What the checker knows of a value: as much as schemas, settings and constants say, and no
//! more. Of what is not certain nothing is ever said.

use std::rc::Rc;

use crate::catalog::{Field, Type};
use crate::plan::{Constant, SettingType};

/// What is known of a value.
#[derive(Clone, Debug)]
pub(super) struct Known<'c> {
    pub kind: Kind<'c>,
    /// The value itself, when it stands in the flow.
    pub constant: Option<Constant>,
}

/// The type of a value.
#[derive(Clone, Debug)]
pub(super) enum Kind<'c> {
    /// Not known: the checker stays silent.
    Any,
    /// `()`
    Nothing,
    Text,
    /// One of these texts.
    Options(Rc<[String]>),
    Integer,
    Decimal,
    Boolean,
    Date,
    DateTime,
    Record(Shape<'c>),
    List(Box<Kind<'c>>),
    /// A table, by its place in the plan.
    Table(usize),
    /// `settings` itself.
    Settings,
}

/// The fields of a record.
#[derive(Clone, Debug)]
pub(super) enum Shape<'c> {
    /// As a schema says.
    Schema { fields: &'c [Field], whose: Rc<str> },
    /// As a `map` block makes it.
    Made { fields: Rc<Vec<(String, Kind<'c>)>>, whose: Rc<str> },
}

impl Known<'_> {
    /// Nothing is known.
    pub(super) fn any() -> Self {
        Kind::Any.into()
    }

    /// A value that stands in the flow.
    pub(super) fn constant(constant: Constant) -> Self {
        let kind = match &constant {
            Constant::Text(_) => Kind::Text,
            Constant::Integer(_) => Kind::Integer,
            Constant::Decimal(_) => Kind::Decimal,
            Constant::Boolean(_) => Kind::Boolean,
            Constant::Nothing => Kind::Nothing,
            Constant::List(_) => Kind::List(Box::new(Kind::Any)),
        };
        Self { kind, constant: Some(constant) }
    }
}

impl<'c> From<Kind<'c>> for Known<'c> {
    fn from(kind: Kind<'c>) -> Self {
        Self { kind, constant: None }
    }
}

impl<'c> Kind<'c> {
    /// The type that a schema gives a field; `whose` names a nested record.
    pub(super) fn of(kind: &'c Type, whose: &str) -> Self {
        match kind {
            Type::Text => Self::Text,
            Type::Enum(options) => Self::Options(options.as_slice().into()),
            Type::Integer => Self::Integer,
            Type::Decimal => Self::Decimal,
            Type::Boolean => Self::Boolean,
            Type::Date => Self::Date,
            Type::DateTime => Self::DateTime,
            Type::Record(fields) => Self::Record(Shape::Schema { fields, whose: whose.into() }),
            Type::List(item) => Self::List(Box::new(Self::of(item, whose))),
            Type::Any => Self::Any,
        }
    }

    /// The type of an answer or of a table's value.
    pub(super) fn of_setting(kind: &SettingType) -> Self {
        match kind {
            SettingType::Text => Self::Text,
            SettingType::Integer => Self::Integer,
            SettingType::Decimal => Self::Decimal,
            SettingType::Boolean => Self::Boolean,
            SettingType::Date => Self::Date,
            SettingType::Choice(options) => Self::Options(options.as_slice().into()),
            SettingType::List(item) => Self::List(Box::new(Self::of_setting(item))),
        }
    }

    /// What a writer would call it; `None` for what is not known.
    pub(super) fn name(&self) -> Option<&'static str> {
        Some(match self {
            Self::Any | Self::Nothing => return None,
            Self::Text => "text",
            Self::Options(_) => "one of a few texts",
            Self::Integer => "an integer",
            Self::Decimal => "a decimal number",
            Self::Boolean => "true or false",
            Self::Date => "a date",
            Self::DateTime => "a moment in time",
            Self::Record(_) => "a record",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Settings => "all settings",
        })
    }

    /// The kind of a value that is this or that.
    pub(super) fn either(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, kind) | (kind, Self::Nothing) => kind,
            (Self::Text | Self::Options(_), Self::Text | Self::Options(_)) => Self::Text,
            (Self::Integer, Self::Integer) => Self::Integer,
            (Self::Integer | Self::Decimal, Self::Integer | Self::Decimal) => Self::Decimal,
            (Self::Boolean, Self::Boolean) => Self::Boolean,
            (Self::Date, Self::Date) => Self::Date,
            (Self::DateTime, Self::DateTime) => Self::DateTime,
            (Self::List(a), Self::List(b)) => Self::List(Box::new(a.either(*b))),
            _ => Self::Any,
        }
    }

    /// What a field of that name holds: the field's kind, or its absence when that is certain.
    pub(super) fn field(&self, name: &str) -> Option<FieldOf<'c>> {
        let Self::Record(shape) = self else { return None };
        Some(match shape {
            Shape::Schema { fields, whose } => match fields.iter().find(|field| field.name == name) {
                Some(field) => FieldOf::Found {
                    kind: Kind::of(&field.kind, &format!("{whose}.{name}")),
                    write_only: field.write_only,
                },
                None => FieldOf::Absent,
            },
            Shape::Made { fields, .. } => match fields.iter().find(|(field, _)| field == name) {
                Some((_, kind)) => FieldOf::Found { kind: kind.clone(), write_only: false },
                None => FieldOf::Absent,
            },
        })
    }
}

/// What is known of one field of a record.
pub(super) enum FieldOf<'c> {
    Found { kind: Kind<'c>, write_only: bool },
    Absent,
}

impl Shape<'_> {
    /// Whose fields they are: `shop.orders`, `shop.orders.customer`, `map address`.
    pub(super) fn whose(&self) -> &str {
        match self {
            Self::Schema { whose, .. } | Self::Made { whose, .. } => whose,
        }
    }

    /// Names of the fields that can be read.
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::Schema { fields, .. } => {
                fields.iter().filter(|field| !field.write_only).map(|field| field.name.as_str()).collect()
            }
            Self::Made { fields, .. } => fields.iter().map(|(name, _)| name.as_str()).collect(),
        }
    }
}

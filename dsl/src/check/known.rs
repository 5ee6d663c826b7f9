//! What the checker knows of a value: as much as schemas, settings and constants say, and no
//! more. Of what is not certain nothing is ever said.

use std::rc::Rc;

use crate::catalog::{Field, Type};
use crate::plan::{Constant, SettingType, Span};

/// Most values of one expression that are looked at one by one.
const MOST_VALUES: usize = 200;

/// Most kinds of records that are told apart in one value.
const MOST_SHAPES: usize = 24;

/// What is known of a value.
#[derive(Clone, Debug)]
pub(super) struct Known<'c> {
    pub kind: Kind<'c>,
    /// The value itself, when it stands in the flow.
    pub constant: Option<Constant>,
    /// Values that it can be, each with the place where it stands: branches of an `if`, rows of
    /// a table, the default of a setting.
    pub values: Rc<[(Constant, Span)]>,
    /// That there may be no value, and what would have to be asked to be sure of one.
    pub absent: Option<Rc<[Rc<str>]>>,
}

/// The type of a value.
#[derive(Clone, Debug)]
pub(super) enum Kind<'c> {
    /// Not known: the checker stays silent.
    Any,
    /// `()`
    Nothing,
    /// There is no value: the function was left, or the record was refused.
    Never,
    Text,
    /// One of these texts.
    Options(Rc<[String]>),
    Integer,
    Decimal,
    Boolean,
    Date,
    DateTime,
    Record(Shape<'c>),
    List(Rc<Known<'c>>),
    /// One of these, which have nothing in common.
    OneOf(Rc<[Kind<'c>]>),
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
    Made { fields: Rc<Vec<Made<'c>>>, whose: Rc<str> },
    /// One of several.
    Either(Rc<[Shape<'c>]>, Rc<str>),
}

/// A field of a record that a flow makes.
#[derive(Clone, Debug)]
pub(super) struct Made<'c> {
    pub name: String,
    pub known: Known<'c>,
    /// Where it is named.
    pub at: Span,
}

impl<'c> Known<'c> {
    /// Nothing is known.
    pub(super) fn any() -> Self {
        Kind::Any.into()
    }

    /// A value that stands in the flow.
    pub(super) fn constant(constant: Constant, at: Span) -> Self {
        let kind = match &constant {
            Constant::Text(_) => Kind::Text,
            Constant::Integer(_) => Kind::Integer,
            Constant::Decimal(_) => Kind::Decimal,
            Constant::Boolean(_) => Kind::Boolean,
            Constant::Nothing => Kind::Nothing,
            Constant::List(_) => Kind::List(Rc::new(Self::any())),
        };
        let mut known = Self::from(kind);
        if constant == Constant::Nothing {
            known.absent = Some(Rc::new([]));
        }
        known.values = Rc::new([(constant.clone(), at)]);
        known.constant = Some(constant);
        known
    }

    /// A list of such items.
    pub(super) fn list_of(item: Self) -> Self {
        Kind::List(Rc::new(item)).into()
    }

    /// The same value, which may be missing.
    pub(super) fn or_absent(mut self, unless: &[Rc<str>]) -> Self {
        let mut names: Vec<Rc<str>> = self.absent.as_deref().unwrap_or_default().to_vec();
        names.extend(unless.iter().filter(|name| !names.contains(name)).cloned().collect::<Vec<_>>());
        self.absent = Some(names.into());
        self
    }

    /// What is known without the value itself: after it went through a function.
    pub(super) fn without_value(self) -> Self {
        Self { constant: None, values: Rc::new([]), ..self }
    }

    /// What the items of a list are; nothing is known when it is no list.
    pub(super) fn item(&self) -> Self {
        match &self.kind {
            Kind::List(item) => (**item).clone(),
            _ => Self::any(),
        }
    }

    /// A value that is this or that.
    pub(super) fn either(self, other: Self) -> Self {
        if matches!(self.kind, Kind::Never) {
            return other;
        }
        if matches!(other.kind, Kind::Never) {
            return self;
        }
        let kind = self.kind_of_text().either(other.kind_of_text());
        let absent = match (self.absent, other.absent) {
            (Some(left), Some(right)) => {
                Some(left.iter().chain(right.iter().filter(|name| !left.contains(name))).cloned().collect())
            }
            (left, right) => left.or(right),
        };
        let constant = if self.constant == other.constant { self.constant } else { None };
        let values: Rc<[_]> = match (&*self.values, &*other.values) {
            ([], _) => other.values,
            (_, []) => self.values,
            (left, right) => left.iter().chain(right).take(MOST_VALUES).cloned().collect(),
        };
        Self { kind, constant, values, absent }
    }

    /// A text that stands in the flow is one of a few: itself.
    fn kind_of_text(&self) -> Kind<'c> {
        match &self.constant {
            Some(Constant::Text(text)) => Kind::Options(Rc::new([text.clone()])),
            _ => self.kind.clone(),
        }
    }

    /// As good as the same for a function that is given it.
    pub(super) fn same(&self, other: &Self) -> bool {
        self.constant == other.constant && self.kind.same(&other.kind)
    }
}

impl<'c> From<Kind<'c>> for Known<'c> {
    fn from(kind: Kind<'c>) -> Self {
        Self { kind, constant: None, values: Rc::new([]), absent: None }
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
            Type::List(item) => Self::List(Rc::new(Self::of(item, whose).into())),
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
            SettingType::List(item) => Self::List(Rc::new(Self::of_setting(item).into())),
        }
    }

    /// What a writer would call it; `None` for what is not known.
    pub(super) fn name(&self) -> Option<&'static str> {
        Some(match self {
            Self::OneOf(_) => return self.class(),
            Self::Any | Self::Nothing | Self::Never => return None,
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

    /// Text, and nothing else.
    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Options(_))
    }

    /// A number, and nothing else.
    pub(super) fn is_number(&self) -> bool {
        self.class() == Some("a number")
    }

    /// An integer or a decimal number, and nobody knows which.
    pub(super) fn number() -> Self {
        Self::OneOf(Rc::new([Self::Integer, Self::Decimal]))
    }

    /// What it is made of: values of different classes are never equal and are not put together.
    pub(super) fn class(&self) -> Option<&'static str> {
        Some(match self {
            Self::Text | Self::Options(_) | Self::Date | Self::DateTime => "a text",
            Self::Integer | Self::Decimal => "a number",
            Self::Boolean => "true or false",
            Self::List(_) => "a list",
            Self::Record(_) => "a record",
            Self::OneOf(kinds) => {
                let (first, rest) = kinds.split_first()?;
                let class = first.class()?;
                return rest.iter().all(|kind| kind.class() == Some(class)).then_some(class);
            }
            _ => return None,
        })
    }

    /// The kind of a value that is this or that.
    pub(super) fn either(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing | Self::Never, kind) | (kind, Self::Nothing | Self::Never) => kind,
            (Self::Options(a), Self::Options(b)) if a.len() + b.len() > MOST_VALUES => Self::Text,
            (Self::Options(a), Self::Options(b)) => Self::Options(
                a.iter().chain(b.iter().filter(|option| !a.contains(option))).cloned().collect(),
            ),
            (Self::Text | Self::Options(_), Self::Text | Self::Options(_)) => Self::Text,
            (Self::Integer, Self::Integer) => Self::Integer,
            (Self::Integer | Self::Decimal, Self::Integer | Self::Decimal) => Self::Decimal,
            (Self::Boolean, Self::Boolean) => Self::Boolean,
            (Self::Date, Self::Date) => Self::Date,
            (Self::DateTime, Self::DateTime) => Self::DateTime,
            (Self::List(a), Self::List(b)) if Rc::ptr_eq(&a, &b) => Self::List(a),
            (Self::List(a), Self::List(b)) => Self::List(Rc::new((*a).clone().either((*b).clone()))),
            (Self::Record(a), Self::Record(b)) => a.or(b).map_or(Self::Any, Self::Record),
            (Self::Any, _) | (_, Self::Any) => Self::Any,
            (a, b) => {
                let mut all: Vec<Self> = Vec::new();
                for kind in [a, b] {
                    match kind {
                        Self::OneOf(kinds) => all.extend(kinds.iter().cloned()),
                        kind => all.push(kind),
                    }
                }
                all.dedup_by(|b, a| a.same(b));
                Self::OneOf(all.into())
            }
        }
    }

    /// What a field of that name holds: the field's kind, or its absence when that is certain.
    pub(super) fn field(&self, name: &str) -> Option<FieldOf<'c>> {
        let Self::Record(shape) = self else { return None };
        Some(shape.field(name))
    }

    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Options(a), Self::Options(b)) => a == b,
            (Self::List(a), Self::List(b)) => Rc::ptr_eq(a, b) || a.same(b),
            (Self::Record(a), Self::Record(b)) => a.same(b),
            (Self::Table(a), Self::Table(b)) => a == b,
            (Self::OneOf(a), Self::OneOf(b)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.same(b))
            }
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        }
    }
}

/// What is known of one field of a record.
pub(super) enum FieldOf<'c> {
    Found { known: Known<'c>, write_only: bool },
    Absent,
}

impl<'c> Shape<'c> {
    /// Whose fields they are: `shop.orders`, `shop.orders.customer`, `map address`.
    pub(super) fn whose(&self) -> &str {
        match self {
            Self::Schema { whose, .. } | Self::Made { whose, .. } | Self::Either(_, whose) => whose,
        }
    }

    /// Names of the fields that can be read.
    pub(super) fn names(&self) -> Vec<&str> {
        match self {
            Self::Schema { fields, .. } => {
                fields.iter().filter(|field| !field.write_only).map(|field| field.name.as_str()).collect()
            }
            Self::Made { fields, .. } => fields.iter().map(|made| made.name.as_str()).collect(),
            Self::Either(shapes, _) => shapes.iter().flat_map(Self::names).collect(),
        }
    }

    fn field(&self, name: &str) -> FieldOf<'c> {
        match self {
            Self::Schema { fields, whose } => match fields.iter().find(|field| field.name == name) {
                Some(field) => FieldOf::Found {
                    known: Kind::of(&field.kind, &format!("{whose}.{name}")).into(),
                    write_only: field.write_only,
                },
                None => FieldOf::Absent,
            },
            Self::Made { fields, .. } => {
                let found = fields.iter().filter(|made| made.name == name).map(|made| made.known.clone());
                match found.reduce(Known::either) {
                    Some(known) => FieldOf::Found { known, write_only: false },
                    None => FieldOf::Absent,
                }
            }
            Self::Either(shapes, _) => {
                let mut found: Option<(Known<'c>, bool)> = None;
                let mut everywhere = true;
                for shape in shapes.iter() {
                    match shape.field(name) {
                        FieldOf::Found { known, write_only } => {
                            found = Some(match found {
                                Some((before, hidden)) => (before.either(known), hidden && write_only),
                                None => (known, write_only),
                            });
                        }
                        FieldOf::Absent => everywhere = false,
                    }
                }
                match found {
                    Some((known, write_only)) => {
                        // Where the other record lacks it, it reads as no value: what it is then
                        // compared with or put into is not for the checker to say.
                        let known = if everywhere { known } else { known.without_value() };
                        FieldOf::Found { known, write_only }
                    }
                    None => FieldOf::Absent,
                }
            }
        }
    }

    /// One or the other; nothing is known of too many.
    fn or(self, other: Self) -> Option<Self> {
        if self.same(&other) {
            return Some(self);
        }
        let mut shapes = Vec::new();
        for shape in [self, other] {
            match shape {
                Self::Either(inner, _) => shapes.extend(inner.iter().cloned()),
                shape => shapes.push(shape),
            }
        }
        let mut kept: Vec<Self> = Vec::new();
        for shape in shapes {
            if !kept.iter().any(|other| other.same(&shape)) {
                kept.push(shape);
            }
        }
        let mut names: Vec<&str> = kept.iter().map(Self::whose).collect();
        names.dedup();
        let whose = names.join("` or `").into();
        (kept.len() <= MOST_SHAPES).then(|| Self::Either(kept.into(), whose))
    }

    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Schema { fields: a, whose: x }, Self::Schema { fields: b, whose: y }) => {
                std::ptr::eq(*a, *b) && x == y
            }
            (Self::Made { fields: a, .. }, Self::Made { fields: b, .. }) => Rc::ptr_eq(a, b),
            (Self::Either(a, _), Self::Either(b, _)) => {
                a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.same(b))
            }
            _ => false,
        }
    }
}

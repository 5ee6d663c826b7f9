//! What is known of values, for those who ask outside of the check, such as an editor.

use super::Checker;
use super::known::{Kind, Known, Shape};
use crate::catalog::{Field, Type};
use crate::plan::Span;

/// What an expression gives, as far as the checker knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gives {
    /// The types that it can have; none where nothing is known.
    pub types: Vec<Type>,
    /// There may be no value.
    pub perhaps_nothing: bool,
}

impl<'c> Checker<'c> {
    /// Keeps what is known of the value that stands there, when somebody wants to hear it. Within
    /// a script nobody points at it.
    pub(super) fn note(&mut self, place: Span, known: &Known<'c>) {
        if self.within.is_some() {
            return;
        }
        let is_asked = known.absent.as_deref().is_some_and(|absent| self.is_asked(absent));
        if let Some(noted) = &mut self.noted {
            let absent = if is_asked { None } else { known.absent.clone() };
            noted.push((place, Known { absent, ..known.clone() }));
        }
    }
}

/// By their places, each once: a function that is called with several values is read for each.
pub(super) fn of_noted(mut noted: Vec<(Span, Known<'_>)>) -> Vec<(Span, Gives)> {
    noted.sort_by_key(|(place, _)| (place.start, place.end));
    let mut all: Vec<(Span, Known<'_>)> = Vec::new();
    for (place, known) in noted {
        match all.pop() {
            Some((last, before)) if last == place => all.push((place, before.either(known))),
            other => {
                all.extend(other);
                all.push((place, known));
            }
        }
    }
    all.into_iter().map(|(place, known)| (place, gives(&known))).collect()
}

fn gives(known: &Known<'_>) -> Gives {
    let perhaps_nothing = known.absent.is_some() || matches!(known.kind, Kind::Nothing);
    Gives { types: types(&known.kind), perhaps_nothing }
}

fn types(kind: &Kind<'_>) -> Vec<Type> {
    let kind = match kind {
        Kind::Any | Kind::Nothing | Kind::Never | Kind::Table(_) | Kind::Settings => return Vec::new(),
        Kind::OneOf(kinds) => return kinds.iter().flat_map(types).collect(),
        Kind::Text => Type::Text,
        Kind::Options(options) => Type::Enum(options.to_vec()),
        Kind::Integer => Type::Integer,
        Kind::Decimal => Type::Decimal,
        Kind::Boolean => Type::Boolean,
        Kind::Date => Type::Date,
        Kind::DateTime => Type::DateTime,
        Kind::Record(shape) => Type::Record(fields(shape)),
        Kind::List(item) => Type::List(Box::new(only(types(&item.kind)))),
    };
    vec![kind]
}

/// The one type that there is; anything where there are several or none.
fn only(mut types: Vec<Type>) -> Type {
    if types.len() == 1 { types.pop().unwrap_or(Type::Any) } else { Type::Any }
}

fn fields(shape: &Shape<'_>) -> Vec<Field> {
    match shape {
        Shape::Schema { fields, .. } => fields.to_vec(),
        Shape::Made { fields, .. } => {
            fields.iter().map(|made| Field::plain(&made.name, only(types(&made.known.kind)))).collect()
        }
        Shape::Either(shapes, _) => {
            let mut all: Vec<Field> = Vec::new();
            for field in shapes.iter().flat_map(fields) {
                match all.iter_mut().find(|known| known.name == field.name) {
                    Some(known) if known.kind != field.kind => known.kind = Type::Any,
                    Some(_) => {}
                    None => all.push(field),
                }
            }
            all
        }
    }
}

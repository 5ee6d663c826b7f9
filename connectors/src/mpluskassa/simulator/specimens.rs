//! Bodies with everything in them, and the names that we know, for a check against the
//! vendor's schema.

use rust_decimal::Decimal;

use super::super::codec::{Codec, Form, Item, Shape};
use super::super::operations::{ALL, Operation};
use super::super::soap::envelope;
use super::super::xml::Element;
use crate::record::{Map, Value};

/// A body as it could go over the wire.
#[derive(Clone, Debug)]
pub struct Specimen {
    /// Name of the operation.
    pub operation: &'static str,
    /// An answer; otherwise a request.
    pub is_reply: bool,
    /// The envelope.
    pub body: String,
}

/// Names of the elements of all operations.
#[must_use]
pub fn operations() -> Vec<&'static str> {
    ALL.iter().map(|operation| operation.name).collect()
}

/// For each operation, bodies with all of its elements, with every choice in turn, and with
/// the least that is allowed.
#[must_use]
pub fn specimens() -> Vec<Specimen> {
    let codec = super::codec();
    let mut all = Vec::new();
    for operation in ALL {
        for turn in std::iter::once(None).chain((0..14).map(Some)) {
            for is_reply in [false, true] {
                if let Some(element) = body(&codec, operation, is_reply, turn) {
                    let body = envelope(&element, "ns");
                    all.push(Specimen { operation: operation.name, is_reply, body });
                }
            }
        }
    }
    all
}

fn body(codec: &Codec, operation: &Operation, is_reply: bool, turn: Option<usize>) -> Option<Element> {
    let (name, wrapper, shape) = if is_reply {
        (operation.answer, None, operation.reply)
    } else {
        (operation.name, operation.wrapper, operation.request)
    };
    let inside = codec.children(shape, &record(shape, turn)).ok()?;
    Some(match wrapper {
        Some(wrapper) => Element::branch(name, vec![Element::branch(wrapper, inside)]),
        None => Element::branch(name, inside),
    })
}

/// A record with every field, or with the demanded ones only.
fn record(shape: &Shape, turn: Option<usize>) -> Map {
    let mut record = Map::new();
    for part in shape.parts.iter().filter(|part| turn.is_some() || part.required) {
        if let Form::Inline(inner) = part.form {
            for (field, value) in self::record(inner, turn).iter() {
                record.set(field, value.clone());
            }
        } else if let Some(value) = value(part.form, turn) {
            record.set(part.field, value);
        }
    }
    record
}

fn value(form: Form, turn: Option<usize>) -> Option<Value> {
    let money = Value::Decimal(Decimal::new(1995, 2));
    Some(match form {
        Form::Text => "Text & <more>".into(),
        Form::Number { most, .. } => most.to_string().into(),
        Form::Integer { most } => most.into(),
        Form::Cents | Form::Percent => money,
        Form::Scaled(_) => Value::Decimal(Decimal::new(530, 3)),
        Form::Bool => true.into(),
        Form::Date => "2026-11-21".into(),
        Form::Moment => "2026-07-01T09:30:00+02:00".into(),
        Form::Dotted(names) => vec!["1"; names.len()].join(".").into(),
        Form::Choice(_, names) => choice(names, turn)?,
        Form::Record(shape) => record(shape, turn).into(),
        Form::List(_, item) | Form::Repeat(item) if turn.is_some() => {
            (0..2).filter_map(|_| self::item(item, turn)).collect::<Vec<_>>().into()
        }
        Form::List(..) | Form::Repeat(_) | Form::Inline(_) | Form::Unused => return None,
    })
}

fn choice(names: &[&str], turn: Option<usize>) -> Option<Value> {
    names.get(turn.unwrap_or(0) % names.len().max(1)).map(|name| Value::from(*name))
}

fn item(item: Item, turn: Option<usize>) -> Option<Value> {
    Some(match item {
        Item::Record(shape) => record(shape, turn).into(),
        Item::Text | Item::Nested(_) => "Text".into(),
        Item::Number { most } => most.to_string().into(),
        Item::Dotted(names) => vec!["1"; names.len()].join(".").into(),
        Item::Choice(_, names) => choice(names, turn)?,
        Item::Custom => custom(turn.unwrap_or(0)).into(),
    })
}

fn custom(turn: usize) -> Map {
    let (kind, value): (&str, Value) = match turn % 7 {
        0 => ("string", "Text".into()),
        1 => ("int", 7.into()),
        2 => ("decimal", Decimal::new(125, 1).into()),
        3 => ("bool", true.into()),
        4 => ("date", "2026-11-21".into()),
        5 => ("datetime", "2026-11-21T09:30:00+01:00".into()),
        _ => ("multiselectint", vec![Value::Int(1), Value::Int(2)].into()),
    };
    super::super::keys::record([("name", "field".into()), ("type", kind.into()), ("value", value)])
}

/// For each element that has children, its path from the body's element on, and the names of
/// the children that we know, used or not, in our order.
#[must_use]
pub fn outlines() -> Vec<(String, Vec<&'static str>)> {
    let mut all = Vec::new();
    for operation in ALL {
        let path = match operation.wrapper {
            Some(wrapper) => {
                all.push((operation.name.to_owned(), vec![wrapper]));
                format!("{}/{wrapper}", operation.name)
            }
            None => operation.name.to_owned(),
        };
        outline(&path, operation.request, &mut all);
        outline(operation.answer, operation.reply, &mut all);
    }
    all
}

fn outline(path: &str, shape: &Shape, all: &mut Vec<(String, Vec<&'static str>)>) {
    let mut names = Vec::new();
    for part in shape.parts {
        names.push(part.wire);
        let path = format!("{path}/{}", part.wire);
        match part.form {
            Form::Scaled(companion) => names.push(companion),
            Form::Record(inner) | Form::Inline(inner) | Form::Repeat(Item::Record(inner)) => {
                outline(&path, inner, all);
            }
            Form::List(item, kind) => {
                all.push((path.clone(), vec![item]));
                if let Item::Record(inner) = kind {
                    outline(&format!("{path}/{item}"), inner, all);
                }
            }
            _ => {}
        }
    }
    all.push((path.to_owned(), names));
}

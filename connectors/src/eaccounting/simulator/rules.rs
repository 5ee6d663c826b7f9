//! What a body may hold: required members, lengths, types; and the record it becomes.

use super::books::{Refusal, invalid, wrong};
use super::options::Options;
use crate::eaccounting::members::{Entity, Form, Member, entity};
use crate::eaccounting::wire::moment;
use crate::record::{Map, Value};

type Errors = Vec<(String, String, String)>;

/// Checks a body, and gives the record that it makes: read-only and unknown members left out,
/// those that are missing at their standard value.
pub(super) fn taken(kind: &str, body: &Map, options: &Options) -> Result<Map, Refusal> {
    let entity = entity(kind).ok_or_else(|| wrong("", "Unknown", "no such entity"))?;
    let mut errors = Errors::new();
    check(entity, body, "", options, &mut errors);
    if errors.is_empty() { Ok(shaped(entity, body)) } else { Err(invalid(errors)) }
}

fn check(entity: &Entity, body: &Map, prefix: &str, options: &Options, errors: &mut Errors) {
    let mut say = |name: &str, code: &str, message: String| {
        errors.push((format!("{prefix}{name}"), code.to_owned(), message));
    };
    for member in entity.members.iter().filter(|member| !member.read) {
        let name = member.name;
        match body.get(name) {
            None | Some(Value::Null) if member.must => {
                say(name, "Required", format!("The {name} field is required."));
            }
            Some(Value::Null) if !member.null && !matches!(member.form, Form::Record(_)) => {
                say(name, "Invalid", format!("{name} cannot be null."));
            }
            None | Some(Value::Null) => {}
            Some(value) => {
                if let Some((code, message)) = fault(member, value) {
                    say(name, code, message);
                }
            }
        }
    }
    if options.refuses_unknown_members {
        for (name, _) in body.iter().filter(|(name, _)| entity.member(name).is_none()) {
            say(name, "Unknown", format!("Could not find member '{name}' on object."));
        }
    }
    for member in entity.members.iter().filter(|member| !member.read) {
        let Form::List(of) = member.form else { continue };
        let Some(inner) = crate::eaccounting::members::entity(of) else { continue };
        for (at, item) in
            body.get(member.name).and_then(Value::as_list).unwrap_or_default().iter().enumerate()
        {
            if let Some(item) = item.as_map() {
                check(inner, item, &format!("{prefix}{}[{at}].", member.name), options, errors);
            }
        }
    }
}

fn fault(member: &Member, value: &Value) -> Option<(&'static str, String)> {
    let name = member.name;
    let is_fit = match member.form {
        Form::Guid => value.as_str().is_some_and(|text| uuid::Uuid::try_parse(text).is_ok()),
        Form::Text => value.as_str().is_some(),
        Form::Moment => value.as_str().is_some_and(|text| moment(text).is_some()),
        Form::Integer => value.as_int().is_some(),
        Form::Number => value.as_decimal().is_some(),
        Form::Boolean => value.as_bool().is_some(),
        Form::Record(_) => value.as_map().is_some(),
        Form::List(_) => value.as_list().is_some(),
    };
    if !is_fit {
        return Some(("Invalid", format!("The value of {name} cannot be read.")));
    }
    if let (Some(most), Some(text)) = (member.most, value.as_str())
        && text.chars().count() > most
    {
        return Some((
            "MaxLength",
            format!("The field {name} must be a string with a maximum length of {most}."),
        ));
    }
    if member.must && value.as_str().is_some_and(str::is_empty) {
        return Some(("Required", format!("The {name} field is required.")));
    }
    if let (Some((least, most)), Some(number)) = (member.range, value.as_decimal())
        && (number < least.into() || number > most.into())
    {
        return Some(("Range", format!("The field {name} must be between {least} and {most}.")));
    }
    None
}

/// The record with all of its members.
fn shaped(entity: &Entity, body: &Map) -> Map {
    let mut row = Map::with_capacity(entity.members.len());
    for member in &entity.members {
        let given = body.get(member.name).filter(|_| !member.read).filter(|value| !value.is_null());
        let value = match (given, member.form) {
            (Some(Value::List(items)), Form::List(of)) => {
                let inner = crate::eaccounting::members::entity(of);
                let items = items.iter().map(|item| match (inner, item.as_map()) {
                    (Some(inner), Some(item)) => Value::Map(with_key(inner, item)),
                    _ => item.clone(),
                });
                Value::List(items.collect())
            }
            (Some(Value::Text(text)), Form::Moment) => {
                moment(text).map_or(Value::Null, |moment| moment.to_string().into())
            }
            (Some(value), _) => value.clone(),
            (None, _) => standard(member),
        };
        // Nested records that are not there are left out: they cannot be null.
        if !(value.is_null() && matches!(member.form, Form::Record(_))) {
            row.push(member.name.into(), value);
        }
    }
    row
}

/// A nested record; the key by which it names another one is kept.
fn with_key(entity: &Entity, item: &Map) -> Map {
    let mut row = shaped(entity, item);
    if let Some(id) = item.get("Id") {
        row.set("Id", id.clone());
    }
    row
}

fn standard(member: &Member) -> Value {
    match member.form {
        Form::List(_) => Value::List(Vec::new()),
        _ if member.null => Value::Null,
        Form::Boolean => Value::Bool(false),
        Form::Integer | Form::Number => Value::Int(0),
        Form::Text => Value::from(""),
        Form::Moment => Value::from("0001-01-01T00:00:00Z"),
        Form::Guid => Value::from("00000000-0000-0000-0000-000000000000"),
        Form::Record(_) => Value::Null,
    }
}

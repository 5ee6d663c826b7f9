//! Reads how records are created and updated.

use toml::de::DeValue;

use super::dialect::{FetchWay, Returns, WriteWay};
use super::fields::path;
use super::load::header;
use super::path::Path;
use super::problem::{Code, Problem};
use super::reader::{Table, whole};
use super::resource::Around;
use super::template::Template;
use crate::http::Method;
use crate::record::{Text, Value};

/// A create (with its promise of idempotency) or an update.
pub(super) fn read(
    table: Table<'_, '_>,
    around: &Around<'_>,
    fetch: Option<&FetchWay>,
    idempotent: Option<bool>,
) -> WriteWay {
    let creating = idempotent.is_some();
    let methods = [("POST", Method::POST), ("PUT", Method::PUT), ("PATCH", Method::PATCH)];
    let known: Vec<(&str, usize)> = methods.iter().enumerate().map(|(at, (name, _))| (*name, at)).collect();
    let method =
        table.choice("method", &known).and_then(|at| methods.get(at)).map(|(_, method)| method.clone());
    let holes: &[&str] = if creating { &[] } else { &[around.key] };
    if fetch.is_none() {
        table.need(
            "path",
            &format!("as in `path = \"/{}{}\"`", around.resource, if creating { "" } else { "/{id}" }),
        );
    }
    let word = table.text("path");
    let path_template =
        word.as_ref().map(|word| Template::read(table.reader, word, &around.known.settings, holes));
    if let (false, Some(word), Some(template)) = (creating, &word, &path_template)
        && template.fields().next().is_none()
        && !word.text.contains('{')
    {
        table.reader.report(
            Problem::new(Code::PathWithoutKey, word.at.clone(), "this update does not say which record")
                .label(format!("`{{{}}}` is not in it", around.key))
                .help(format!("as in `path = \"{}/{{{}}}\"`", word.text.trim_end_matches('/'), around.key)),
        );
    }
    let header_name = table.text("idempotency_header");
    let idempotency_header = header_name.and_then(|word| header(&table, &word));
    if idempotent == Some(true) && !table.has("idempotency_header") {
        table.reader.report(
            Problem::new(
                Code::NoIdempotencyHeader,
                table.key_span("idempotent"),
                "nothing tells the system that a create is a repeat",
            )
            .label("promised, but no header carries the key")
            .help("add `idempotency_header = \"Idempotency-Key\"`, if the system knows one"),
        );
    }
    let whole =
        !creating && table.choice("sends", &[("changes", false), ("whole", true)]).unwrap_or_default();
    let way = WriteWay {
        method: method.unwrap_or(if creating {
            Method::POST
        } else if whole {
            Method::PUT
        } else {
            Method::PATCH
        }),
        path: path_template.or_else(|| fetch.map(|way| way.ask.path.clone())).unwrap_or_default(),
        wrap: table
            .text("wrap")
            .map(|word| word.text.split('.').map(Text::from).collect())
            .unwrap_or_default(),
        fixed: fixed(&table),
        returns: returns(&table, around, creating),
        idempotency_header,
        whole,
    };
    table.finish();
    way
}

/// Values that every body carries.
fn fixed(table: &Table<'_, '_>) -> Vec<(Vec<Text>, Value)> {
    let Some(inner) = table.table("fixed") else { return Vec::new() };
    inner
        .entries()
        .filter_map(|(name, value)| {
            let fixed = match value.get_ref() {
                DeValue::String(text) => Value::from(text.as_ref()),
                DeValue::Boolean(truth) => Value::Bool(*truth),
                DeValue::Integer(_) => Value::Int(whole(value)?),
                _ => return inner.wrong_kind(name.text, value, "text, a whole number or a truth value"),
            };
            Some((name.text.split('.').map(Text::from).collect(), fixed))
        })
        .collect()
}

fn returns(table: &Table<'_, '_>, around: &Around<'_>, creating: bool) -> Returns {
    let id = table.text("id");
    let record = table.text("record");
    let said = table.choice("returns", &[("record", 'r'), ("id", 'i'), ("nothing", 'n')]);
    let key = around.fields.get(around.key);
    match said {
        Some('n') => {
            if creating && key.is_some_and(|key| key.read_only) {
                table.reader.report(
                    Problem::new(
                        Code::KeyNotTold,
                        table.key_span("returns"),
                        format!("nobody learns the `{}` of what was created", around.key),
                    )
                    .label("the answer says nothing, and the system chooses the key itself")
                    .help("say where the answer has it: `id = \"$.id\"`"),
                );
            }
            Returns::Nothing
        }
        Some('i') if id.is_none() => {
            table.need("id", "where the answer has the key: `id = \"$.id\"`");
            Returns::Nothing
        }
        _ => match (id, record) {
            (Some(word), None) => Returns::Id(path(table, &word)),
            (_, Some(word)) => Returns::Record(path(table, &word)),
            (None, None) => {
                if creating && key.is_some_and(|key| key.write_only) {
                    table.reader.report(
                        Problem::new(
                            Code::KeyNotTold,
                            table.at.clone(),
                            format!("nobody learns the `{}` of what was created", around.key),
                        )
                        .label("it cannot be read from the answer")
                        .help("say where the answer has it: `id = \"$.id\"`"),
                    );
                }
                Returns::Record(Path::Plain([].into()))
            }
        },
    }
}

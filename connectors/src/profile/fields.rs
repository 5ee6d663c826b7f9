//! Reads the fields of a resource: what flows know of them, and where the wire has them.

use toml::Spanned;
use toml::de::DeValue;

use super::form::{Form, Money};
use super::formats::{Formats, MONEY, moment, truth, zone};
use super::path::Path;
use super::problem::{Code, Problem};
use super::reader::{Table, Word};
use super::shape::{Member, Shape};
use crate::manifest::{Field, Kind, Named};
use crate::record::Text;

const KINDS: [(&str, Kind); 9] = [
    ("text", Kind::Text),
    ("integer", Kind::Integer),
    ("decimal", Kind::Decimal),
    ("boolean", Kind::Boolean),
    ("date", Kind::Date),
    ("datetime", Kind::Datetime),
    ("record", Kind::Record),
    ("list", Kind::List),
    ("any", Kind::Any),
];

/// The fields of a table `…fields`.
pub(super) fn read(table: &Table<'_, '_>, formats: &Formats) -> (Named<Field>, Shape) {
    let mut fields = Vec::new();
    let mut members: Vec<Member> = Vec::new();
    for (name, value) in table.entries() {
        snake_case(table, &name, "a field");
        let (field, member) = match table.named_one(name.text) {
            Some((_, entry)) => one(&name, entry, formats),
            None => no_table(table, &name, value),
        };
        if let Some(other) = members.iter().find(|other| clashes(other, &member)) {
            table.reader.report(
                Problem::new(
                    Code::SamePlace,
                    name.at.clone(),
                    format!("`{}` is written to the same place as `{}`", name.text, other.name),
                )
                .label("one of the two would be lost")
                .help("give one of them `read_only = true`, or a `from` of its own"),
            );
        }
        fields.push((name.text.to_owned(), field));
        members.push(member);
    }
    for (name, _) in table.entries() {
        let Some((_, entry)) = table.named_one(name.text) else { continue };
        let listed = entry.value("follows").and_then(|value| value.get_ref().as_array());
        let words = listed.into_iter().flat_map(|items| items.iter());
        for word in words.filter_map(|item| Some(Word { text: item.get_ref().as_str()?, at: item.span() })) {
            if !fields.iter().any(|(known, _)| known == word.text) {
                table.reader.report(
                    Problem::new(
                        Code::UnknownField,
                        word.at.clone(),
                        format!("`{}` cannot follow `{}`, which is no field", name.text, word.text),
                    )
                    .label("not among the fields beside it")
                    .suggest(word.text, fields.iter().map(|(known, _)| known.as_str())),
                );
            }
        }
    }
    (fields.into_iter().collect(), Shape::new(members))
}

/// A field that is not a table stays known, so that only this is wrong with it.
fn no_table(table: &Table<'_, '_>, name: &Word<'_>, value: &Spanned<DeValue<'_>>) -> (Field, Member) {
    let written = value.get_ref().as_str().filter(|word| KINDS.iter().any(|(known, _)| known == word));
    let problem =
        Problem::new(Code::WrongKind, value.span(), format!("the field `{}` has to be a table", name.text))
            .label("this is none");
    table.reader.report(match written {
        Some(kind) => problem.help(format!("write `{} = {{ type = \"{kind}\" }}`", name.text)),
        None => {
            problem.help(format!("write `{} = {{}}`, with what is known of it between the braces", name.text))
        }
    });
    let field = Field {
        kind: Kind::Any,
        about: String::new(),
        required: false,
        read_only: true,
        given: false,
        write_only: false,
        max_length: None,
        digits_only: false,
        follows: Vec::new(),
        values: Vec::new(),
        fields: Named::default(),
        items: None,
    };
    let from = Path::Plain([Text::from(name.text)].into());
    let member =
        Member { name: Text::from(name.text), from, form: Form::Any, readable: true, writable: false };
    (field, member)
}

/// Two fields that a write would put in one place.
fn clashes(left: &Member, right: &Member) -> bool {
    let place = |member: &Member| match (&member.form, member.from.members()) {
        // Records that lie flat in their parent share its object on purpose.
        (_, None | Some([])) => None,
        (_, Some(place)) if member.writable => Some(place.to_vec()),
        _ => None,
    };
    place(left).is_some_and(|left| Some(left) == place(right))
}

/// Names have to be words that flows can spell.
pub(super) fn snake_case(table: &Table<'_, '_>, name: &Word<'_>, what: &str) {
    let good = name.text.starts_with(|first: char| first.is_ascii_lowercase())
        && name
            .text
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if !good {
        let proposed = snake(name.text);
        let problem =
            Problem::new(Code::BadName, name.at.clone(), format!("{what} cannot be called `{}`", name.text))
                .label("small letters, digits and `_`");
        table.reader.report(match proposed {
            Some(proposed) => problem.help(format!("call it `{proposed}`")),
            None => problem,
        });
    }
}

/// `orderLines`, `Order-Lines` → `order_lines`.
fn snake(name: &str) -> Option<String> {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        match letter.to_ascii_lowercase() {
            letter if letter.is_ascii_alphanumeric() => out.push(letter),
            _ if out.ends_with('_') => {}
            _ => out.push('_'),
        }
    }
    let out = out.trim_matches('_').to_owned();
    out.starts_with(|first: char| first.is_ascii_lowercase()).then_some(out)
}

fn one(name: &Word<'_>, table: Table<'_, '_>, formats: &Formats) -> (Field, Member) {
    let kind = table.choice("type", &KINDS).unwrap_or_default();
    let items = table.choice("items", &KINDS);
    let inner = table.table("fields");
    let (fields, shape) = match &inner {
        Some(inner) => read(inner, formats),
        None => (Named::default(), Shape::default()),
    };
    let field = Field {
        kind,
        about: table.text("about").map_or_else(String::new, |about| about.text.to_owned()),
        required: table.flag("required"),
        read_only: table.flag("read_only"),
        given: false,
        write_only: table.flag("write_only"),
        max_length: table
            .number("max_length", 1, i64::from(u32::MAX))
            .and_then(|most| usize::try_from(most).ok()),
        digits_only: table.flag("digits_only"),
        follows: table.words("follows").into_iter().map(|word| word.text.to_owned()).collect(),
        values: table.words("values").into_iter().map(|word| word.text.to_owned()).collect(),
        fields,
        items,
    };
    let from = table
        .text("from")
        .map_or_else(|| Path::Plain([Text::from(name.text)].into()), |word| place(&table, &word));
    if from.members().is_none() && !field.read_only {
        table.reader.report(
            Problem::new(
                Code::NotWritable,
                table.key_span("from"),
                format!("`{}` can be read but not put back", name.text),
            )
            .label("this path picks values, it does not name one place")
            .help("add `read_only = true`, or name the place: `from = \"customer.email\"`"),
        );
    }
    let form = form(&table, &field, shape, formats);
    misplaced(&table, name, &field);
    let member = Member {
        name: Text::from(name.text),
        from,
        form,
        readable: !field.write_only,
        writable: !field.read_only,
    };
    table.finish();
    (field, member)
}

fn place(table: &Table<'_, '_>, word: &Word<'_>) -> Path {
    if word.text.starts_with('$') {
        return path(table, word);
    }
    if word.text.split('.').any(str::is_empty) {
        table.reader.report(
            Problem::new(Code::BadPath, word.at.clone(), format!("`{}` names no place", word.text))
                .label("a name is missing")
                .help("names are joined by dots, as in `customer.email`"),
        );
    }
    Path::dotted(word.text)
}

/// A JSONPath, or the problem with it.
pub(super) fn path(table: &Table<'_, '_>, word: &Word<'_>) -> Path {
    Path::json(word.text).unwrap_or_else(|bad| {
        let place = table.reader.within(word, bad.at);
        let problem = Problem::new(Code::BadPath, place, format!("`{}` is not a JSONPath", word.text))
            .label(bad.reason);
        table.reader.report(if word.text.starts_with('$') {
            problem.help("a path looks like `$.data[*]` or `$.customer.email`")
        } else {
            problem.help(format!("write `$.{}`", word.text))
        });
        Path::Plain([].into())
    })
}

fn form(table: &Table<'_, '_>, field: &Field, shape: Shape, formats: &Formats) -> Form {
    let is_map = matches!(field.kind, Kind::List) && wire(table, false, &[("list", false), ("map", true)]);
    match field.kind {
        Kind::Text => Form::Text { as_number: wire(table, false, &[("text", false), ("number", true)]) },
        Kind::Integer => Form::Integer {
            as_text: wire(table, formats.integer_as_text, &[("number", false), ("text", true)]),
        },
        Kind::Decimal => {
            let money = wire(table, formats.money, MONEY);
            let scale = table.number("scale", 1, 9).and_then(|scale| u32::try_from(scale).ok());
            Form::Decimal(scale.map_or(money, Money::Units))
        }
        Kind::Boolean => Form::Boolean(truth(table, "wire", &formats.truth)),
        Kind::Date => Form::Date(moment(table, &formats.date)),
        Kind::Datetime => Form::Datetime(moment(table, &formats.moment), zone(table, &formats.zone)),
        Kind::Record if field.fields.is_empty() => Form::Any,
        Kind::Record => Form::Record(Box::new(shape)),
        Kind::List if is_map => entries(table, &field.fields, shape),
        Kind::List if !field.fields.is_empty() => Form::List(Box::new(Form::Record(Box::new(shape)))),
        Kind::List => Form::List(Box::new(match field.items {
            Some(Kind::Text) => Form::Text { as_number: false },
            Some(Kind::Integer) => Form::Integer { as_text: formats.integer_as_text },
            Some(Kind::Decimal) => Form::Decimal(formats.money),
            Some(Kind::Boolean) => Form::Boolean(formats.truth.clone()),
            Some(Kind::Date) => Form::Date(formats.date.clone()),
            Some(Kind::Datetime) => Form::Datetime(formats.moment.clone(), formats.zone.clone()),
            _ => Form::Any,
        })),
        Kind::Any => Form::Any,
    }
}

/// An object whose names are values: `{"size": "M"}` is a list of a name and a value.
fn entries(table: &Table<'_, '_>, fields: &Named<Field>, shape: Shape) -> Form {
    if fields.iter().len() != 2 {
        table.reader.report(
            Problem::new(
                Code::MisplacedTrait,
                table.key_span("wire"),
                "an object becomes a list of a name and a value",
            )
            .label("needs two `fields`: the first for names, the second for values")
            .help("as in `fields = { name = {}, value = {} }`"),
        );
    }
    Form::Entries(Box::new(shape))
}

/// The form named by `wire`.
fn wire<T: Copy>(table: &Table<'_, '_>, standard: T, known: &[(&str, T)]) -> T {
    table.choice("wire", known).unwrap_or(standard)
}

/// Traits that say nothing on a field of this type.
fn misplaced(table: &Table<'_, '_>, name: &Word<'_>, field: &Field) {
    let date = matches!(field.kind, Kind::Date | Kind::Datetime);
    let nested = matches!(field.kind, Kind::Record | Kind::List);
    let wired = matches!(field.kind, Kind::Text | Kind::Integer | Kind::Decimal | Kind::Boolean | Kind::List);
    let rules: [(&'static str, bool, &str); 9] = [
        ("max_length", field.kind == Kind::Text, "text"),
        ("digits_only", field.kind == Kind::Text, "text"),
        ("values", field.kind == Kind::Text, "text"),
        ("fields", nested, "a record or a list"),
        ("items", field.kind == Kind::List, "a list"),
        ("scale", field.kind == Kind::Decimal, "a decimal"),
        ("format", date, "a date or datetime"),
        ("zone", field.kind == Kind::Datetime, "a datetime"),
        ("wire", wired, "text, a number, a boolean or a list"),
    ];
    for (trait_name, fits, wanted) in rules {
        let there = table.value(trait_name).is_some();
        if there && !fits {
            let problem = Problem::new(
                Code::MisplacedTrait,
                table.key_span(trait_name),
                format!("`{}` cannot have `{trait_name}`", name.text),
            )
            .label(format!("only {wanted} has it"));
            let typed = table.has("type");
            table.reader.report(if typed { problem } else { problem.help("a field without `type` is text") });
        }
    }
    let both = [
        ("read_only", "write_only", field.read_only && field.write_only),
        ("fields", "items", table.has("fields") && table.has("items")),
        ("read_only", "required", field.read_only && field.required),
        ("scale", "wire", field.kind == Kind::Decimal && table.has("scale") && table.has("wire")),
    ];
    for (left, right, clash) in both {
        if clash {
            table.reader.report(
                Problem::new(
                    Code::MisplacedTrait,
                    table.key_span(right),
                    format!("`{}` cannot have both `{left}` and `{right}`", name.text),
                )
                .label("one of the two has to go"),
            );
        }
    }
}

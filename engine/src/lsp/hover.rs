//! What a word means: the type and the description of a field, a setting, a table, a function, a
//! system.

use dsl::ast::Kind;
use dsl::catalog::{Field, Function, Resource, System};
use dsl::plan::{Side, Span};
use serde_json::{Value, json};

use super::names::{Binding, What, shapes};
use super::view::{View, resource_text};
use crate::script::functions;

pub(super) fn hover(view: &View<'_>, offset: usize) -> Value {
    let Some(index) = view.token_at(offset) else { return Value::Null };
    let Some(span) = view.names.tokens.get(index).map(|token| token.span.clone()) else { return Value::Null };
    match words(view, index, &span, offset) {
        Some(text) => json!({
            "contents": { "kind": "markdown", "value": text },
            "range": view.lines.range(&span),
        }),
        None => Value::Null,
    }
}

fn words(view: &View<'_>, index: usize, span: &Span, offset: usize) -> Option<String> {
    let names = &view.names;
    if let Some((binding, _)) = names.at(offset).filter(|(_, place)| place == span) {
        return Some(of_binding(view, names.bindings.get(binding)?));
    }
    let field = names.fields.iter().find(|(place, _)| place == span).map(|(_, field)| field);
    let given = names.given.iter().find(|(place, _)| place == span);
    let given = given.and_then(|(_, value)| shapes::gives(names.gives(value)?));
    match (field, given) {
        (Some(field), Some(given)) => return Some(format!("{}\n\ngiven here: {given}", of_field(field))),
        (Some(field), None) => return Some(of_field(field)),
        (None, Some(given)) => return Some(format!("**{}**: {given}", view.token(index))),
        (None, None) => {}
    }
    if let Some(found) = of_structure(view, span) {
        return Some(found);
    }
    if let Some(field) = names.field_at(index) {
        return Some(of_field(&field));
    }
    let name = view.token(index);
    let before = names.before(index);
    if before.is_some_and(|at| view.token(at) == "::") {
        let alias = before.and_then(|at| names.before(at)).map_or("", |at| view.token(at));
        let (_, script) = view.script(alias)?;
        let function = script?.functions.iter().find(|function| function.name == name)?;
        return Some(of_function(function));
    }
    // `if` and `switch` stand for what they give.
    if matches!(name, "if" | "switch") {
        return Some(format!("**{name}**: gives {}", shapes::gives(names.gives(span)?)?));
    }
    let called = names.after(index).is_some_and(|at| view.token(at) == "(");
    called.then(|| of_library(name)).flatten()
}

/// Systems and resources where a line names them.
fn of_structure(view: &View<'_>, span: &Span) -> Option<String> {
    let around = view.lines_around(span.start);
    let node = around.last()?;
    if let Kind::Role(_, name, system) = &node.kind
        && system.span == *span
    {
        return view.names.catalog.system(&name.text, &system.text).map(of_system);
    }
    let resource = resource_text(node).filter(|resource| resource.resource.span == *span)?;
    view.names.resource(resource).map(of_resource)
}

pub(super) fn of_binding(view: &View<'_>, binding: &Binding) -> String {
    let line = view.names.written(&binding.line);
    let given = binding.value.as_ref().and_then(|value| shapes::gives(view.names.gives(value)?));
    let kind = given.unwrap_or_else(|| shapes::words(&binding.shape));
    let name = &binding.name;
    match binding.what {
        What::Role(side) => {
            let side = if side == Side::Source { "source" } else { "target" };
            match view.names.system(name) {
                Some(system) => format!("**{name}**: the {side}\n\n{}", of_system(system)),
                None => format!("**{name}**: the {side}"),
            }
        }
        What::Script => match view.script(name) {
            Some((path, Some(script))) => {
                let all: Vec<String> =
                    script.functions.iter().map(|one| format!("- {}", brief(one))).collect();
                format!("**{name}**: `{path}`\n\n{}", all.join("\n"))
            }
            _ => format!("**{name}**: a script"),
        },
        What::Setting => format!("**{name}**: setting, {kind}{}\n\n{}", asked(view, binding), code(line)),
        What::Table => format!("**{name}**: table, gives {kind}{}\n\n{}", asked(view, binding), code(line)),
        What::Record => format!("**{name}**: {kind}\n\n{}", code(line)),
        What::Local => format!("**{name}**: {kind}"),
    }
}

/// The question of a setting or table.
fn asked(view: &View<'_>, binding: &Binding) -> String {
    let nodes = &view.names.file.nodes;
    let at = nodes.iter().position(|node| node.span == binding.line);
    let inline = at.and_then(|at| nodes.get(at)).and_then(|node| match &node.kind {
        Kind::Setting { ask, .. } | Kind::Table { ask, .. } => ask.as_ref(),
        _ => None,
    });
    let below = at.and_then(|at| nodes.get(at + 1)).and_then(|node| match &node.kind {
        Kind::Ask(text) => Some(text),
        _ => None,
    });
    inline.or(below).map(|text| format!("\n\n{}", text.value)).unwrap_or_default()
}

fn code(line: &str) -> String {
    format!("```weft\n{line}\n```")
}

pub(super) fn of_field(field: &Field) -> String {
    let mut notes = Vec::new();
    if field.required {
        notes.push("a new record needs it".to_owned());
    }
    if field.read_only {
        notes.push("cannot be written".to_owned());
    }
    if field.write_only {
        notes.push("cannot be read".to_owned());
    }
    if let Some(length) = field.max_length {
        notes.push(format!("at most {length} letters"));
    }
    if field.digits_only {
        notes.push("digits only".to_owned());
    }
    let mut text = format!("**{}**: {}", field.name, shapes::words(&field.kind));
    for part in [field.about.clone(), notes.join(", ")] {
        if !part.is_empty() {
            text.push_str("\n\n");
            text.push_str(&part);
        }
    }
    text
}

pub(super) fn of_resource(resource: &Resource) -> String {
    let mut can = Vec::new();
    if resource.fetch.is_some() {
        can.push("fetch".to_owned());
    }
    for set in &resource.find {
        can.push(format!("lookup by {}", set.join(" and ")));
    }
    if resource.create {
        can.push("create".to_owned());
    }
    if resource.update {
        can.push("update".to_owned());
    }
    format!("**{}**\n\n{}\n\n{}", resource.name, resource.about, can.join(", "))
}

pub(super) fn of_system(system: &System) -> String {
    let all: Vec<&str> = system.resources.keys().map(String::as_str).collect();
    format!("**{}** (`{}`)\n\nresources: {}", system.title, system.name, all.join(", "))
}

pub(super) fn of_function(function: &Function) -> String {
    format!("**{}**\n\n{}", function.name, function.about)
}

fn brief(function: &Function) -> String {
    if function.about.is_empty() {
        format!("`{}`", function.name)
    } else {
        format!("`{}`: {}", function.name, function.about)
    }
}

pub(super) fn of_library(name: &str) -> Option<String> {
    let function = functions().find(|function| function.name == name)?;
    Some(format!("```rhai\n{}\n```\n\n{}\n\n`{}`", function.signature, function.about, function.example))
}

//! All places of a name, and another name in all of them.

use serde_json::{Value, json};

use super::names::{Binding, What, is_keyword};
use super::view::View;
use super::wire::{Refusal, fault};

/// Where a name is read, and with `all` where it is given as well.
pub(super) fn references(view: &View<'_>, offset: usize, all: bool) -> Value {
    let Some((binding, _)) = view.names.at(offset) else { return Value::Null };
    let places = view.names.places(binding).into_iter().skip(usize::from(!all));
    places.map(|span| json!({ "uri": view.document.uri, "range": view.lines.range(&span) })).collect()
}

/// The same within the file, for the editor to mark them.
pub(super) fn highlights(view: &View<'_>, offset: usize) -> Value {
    let Some((binding, _)) = view.names.at(offset) else { return Value::Null };
    view.names.places(binding).iter().map(|span| json!({ "range": view.lines.range(span) })).collect()
}

/// Whether there is a name that can be changed.
pub(super) fn prepare(view: &View<'_>, offset: usize) -> Value {
    match view.names.at(offset) {
        Some((_, span)) => {
            json!({ "range": view.lines.range(&span), "placeholder": view.names.written(&span) })
        }
        None => Value::Null,
    }
}

/// Another name in every place.
pub(super) fn rename(view: &View<'_>, offset: usize, new: &str) -> Result<Value, Refusal> {
    let refuse = |message: String| Err(Refusal::new(fault::REFUSED, message));
    let Some((index, _)) = view.names.at(offset) else {
        return refuse("no name of the flow stands here".to_owned());
    };
    let Some(binding) = view.names.bindings.get(index) else { return Ok(Value::Null) };
    let mut letters = new.chars();
    let starts = letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
    if !starts || !letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
        return Err(Refusal::new(
            fault::WRONG_PARAMS,
            format!("`{new}` is no name: names are letters, digits and `_`, and do not start with a digit"),
        ));
    }
    if is_keyword(new) || matches!(new, "settings" | "creating") {
        return refuse(format!("`{new}` means something already"));
    }
    let expressive = |what: What| matches!(what, What::Record | What::Local | What::Table);
    let alike = |what: What| {
        expressive(what) && expressive(binding.what)
            || std::mem::discriminant(&what) == std::mem::discriminant(&binding.what)
    };
    let touches = |other: &Binding| {
        other.scope.start <= binding.scope.end && binding.scope.start <= other.scope.end
            || other.scope.contains(&binding.span.start)
    };
    let taken = |other: &&Binding| other.name == new && alike(other.what) && touches(other);
    if new != binding.name && view.names.bindings.iter().any(|other| taken(&other)) {
        return refuse(format!("`{new}` is taken in this flow"));
    }
    if let Some(reason) = outside(view, binding) {
        return refuse(reason);
    }
    let edits = view.names.places(index).into_iter();
    let edits: Vec<Value> =
        edits.map(|span| json!({ "range": view.lines.range(&span), "newText": new })).collect();
    Ok(json!({ "changes": { (view.document.uri.as_str()): edits } }))
}

/// Why a name cannot be changed in the flow alone: files of the project call it so.
fn outside(view: &View<'_>, binding: &Binding) -> Option<String> {
    let project = view.loader.project();
    let name = &binding.name;
    let (file, found) = match binding.what {
        What::Role(_) => {
            let bound = view.entry.roles.contains_key(name) || project.connections.contains_key(name);
            ("weft.toml".to_owned(), bound)
        }
        What::Setting | What::Table => {
            let file = format!("settings/{}.toml", view.entry.name);
            let text = std::fs::read_to_string(project.root.join(&file)).unwrap_or_default();
            let table: toml::Table = text.parse().unwrap_or_default();
            let has = |value: &toml::Value| value.as_table().is_some_and(|table| table.contains_key(name));
            (file, table.contains_key(name) || table.values().any(has))
        }
        _ => return None,
    };
    found.then(|| format!("`{name}` stands in {file} as well: change it there first, then here"))
}

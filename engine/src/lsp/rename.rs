//! All places of a name, and another name in all of them.

use serde_json::{Value, json};

use super::elsewhere;
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
    let mut changes = match elsewhere::edits(view, binding, new) {
        Ok(changes) => changes,
        Err(reason) => return refuse(reason),
    };
    let edits = view.names.places(index).into_iter();
    let edits: Vec<Value> =
        edits.map(|span| json!({ "range": view.lines.range(&span), "newText": new })).collect();
    changes.insert(view.document.uri.clone(), Value::Array(edits));
    Ok(json!({ "changes": changes }))
}

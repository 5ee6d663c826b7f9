//! Where a name comes from: a line of the flow, a script, a function in it, a profile.

use std::path::Path;

use dsl::ast::Kind;
use serde_json::{Value, json};

use super::names::What;
use super::place::Lines;
use super::view::{View, resource_text};
use super::world::uri_of;

pub(super) fn definition(view: &View<'_>, offset: usize) -> Value {
    place(view, offset).unwrap_or(Value::Null)
}

fn place(view: &View<'_>, offset: usize) -> Option<Value> {
    let names = &view.names;
    let index = view.token_at(offset)?;
    if names.before(index).is_some_and(|at| view.token(at) == "::") {
        let alias = names.before(names.before(index)?)?;
        let (path, _) = view.script(view.token(alias))?;
        return function(view, path, view.token(index));
    }
    if let Some((binding, span)) = names.at(offset) {
        let binding = names.bindings.get(binding)?;
        // A name of a script leads on to the script itself.
        if binding.what == What::Script {
            let (path, _) = view.script(&binding.name)?;
            return file(&view.loader.project().root.join(path))
                .filter(|_| binding.span != span || !path.is_empty());
        }
        let range = view.lines.range(&binding.span);
        return Some(json!({ "uri": view.document.uri, "range": range }));
    }
    let node = *view.lines_around(offset).last()?;
    let within = |span: &std::ops::Range<usize>| span.start <= offset && offset <= span.end;
    match &node.kind {
        Kind::Use(path, _) if within(&path.span) => file(&view.loader.project().root.join(&path.value)),
        Kind::Role(_, _, system) if within(&system.span) => profile(view, &system.text, None),
        _ => {
            let resource = resource_text(node).filter(|resource| within(&resource.resource.span))?;
            let system = names.system(&resource.role.text)?;
            profile(view, &system.name, Some(&resource.resource.text))
        }
    }
}

/// The start of a file.
fn file(path: &Path) -> Option<Value> {
    let zero = json!({ "line": 0, "character": 0 });
    path.is_file().then(|| json!({ "uri": uri_of(path), "range": { "start": zero, "end": zero } }))
}

/// A function where its script writes it.
fn function(view: &View<'_>, path: &str, name: &str) -> Option<Value> {
    let text = view.loader.scripts().get(path)?;
    let all = dsl::tokens::tokens(text);
    let at = all.windows(2).find_map(|pair| {
        let [word, given] = pair else { return None };
        let is = |span: &std::ops::Range<usize>, wanted: &str| text.get(span.clone()) == Some(wanted);
        (is(&word.span, "fn") && is(&given.span, name)).then(|| given.span.clone())
    })?;
    let uri = uri_of(&view.loader.project().root.join(path));
    Some(json!({ "uri": uri, "range": Lines::new(text).range(&at) }))
}

/// A system that the project describes itself, or one of its resources.
fn profile(view: &View<'_>, system: &str, resource: Option<&str>) -> Option<Value> {
    let folder = view.loader.project().root.join("systems");
    let is_it = |text: &str| {
        let table: Option<toml::Table> = text.parse().ok();
        table.and_then(|table| Some(table.get("name")?.as_str()? == system)).unwrap_or_default()
    };
    for path in crate::serve::files::below(&folder, "toml", 0) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        if !is_it(&text) {
            continue;
        }
        let heading = resource.map(|resource| format!("[resources.{resource}]"));
        let at = heading.and_then(|heading| Some((text.find(&heading)?, heading.len())));
        let (at, length) = at.unwrap_or((0, 0));
        return Some(json!({ "uri": uri_of(&path), "range": Lines::new(&text).range(&(at..at + length)) }));
    }
    None
}

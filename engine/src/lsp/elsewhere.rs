//! Names of a flow that other files of the project have as well: answers to its questions, the
//! connections that play its roles, its cases. They are changed with the flow.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use serde_spanned::Spanned;

use super::names::{Binding, What};
use super::place::Lines;
use super::view::View;
use super::world::uri_of;
use crate::project::MAIN_FILE;

type Keys = BTreeMap<Spanned<String>, toml::Value>;

/// `settings/FLOW.toml`, as far as names go.
#[derive(Default, Deserialize)]
struct Answers {
    #[serde(default)]
    settings: Keys,
    #[serde(default)]
    tables: Keys,
}

/// `weft.toml`, as far as flows go.
#[derive(Deserialize)]
struct Main {
    #[serde(default)]
    flows: BTreeMap<String, BTreeMap<Spanned<String>, Spanned<toml::Value>>>,
}

/// The changes in other files by their address, or why they cannot be made.
pub(super) fn edits(view: &View<'_>, binding: &Binding, new: &str) -> Result<Map<String, Value>, String> {
    let mut all = Map::new();
    let mut change = |path: &Path, text: &str, edits: Vec<(Range<usize>, String)>| {
        let lines = Lines::new(text);
        let edits: Vec<Value> = edits
            .into_iter()
            .map(|(span, text)| json!({ "range": lines.range(&span), "newText": text }))
            .collect();
        if let (Some(uri), false) = (uri_of(path), edits.is_empty()) {
            all.insert(uri, Value::Array(edits));
        }
    };
    let section = match binding.what {
        What::Role(_) => {
            let (path, text, edit) = role(view, &binding.name, new)?;
            change(&path, &text, edit.into_iter().collect());
            return Ok(all);
        }
        What::Setting => "settings",
        What::Table => "tables",
        _ => return Ok(all),
    };
    let name = format!("settings/{}.toml", view.entry.name);
    let path = view.loader.project().root.join(&name);
    let text = read(&path);
    let answers: Answers = toml::from_str(&text)
        .map_err(|_| format!("{name} cannot be read: mend it first, then change the name"))?;
    let keys = if section == "settings" { &answers.settings } else { &answers.tables };
    if keys.keys().any(|key| key.get_ref() == new) {
        return Err(format!("`{new}` stands in {name} already"));
    }
    let found = keys.keys().find(|key| *key.get_ref() == binding.name);
    change(&path, &text, found.map(|key| (key.span(), new.to_owned())).into_iter().collect());
    let path = view.document.path.with_extension("case.json");
    let text = read(&path);
    let found = crate::case::named(&text, section, &binding.name).into_iter();
    change(&path, &text, found.map(|span| (span, format!("\"{new}\""))).collect());
    Ok(all)
}

/// What binds a role in `weft.toml`: its own line, or the connection that has its name.
#[expect(clippy::type_complexity, reason = "used once")]
fn role(
    view: &View<'_>,
    name: &str,
    new: &str,
) -> Result<(PathBuf, String, Option<(Range<usize>, String)>), String> {
    let project = view.loader.project();
    let path = project.root.join(MAIN_FILE);
    let text = read(&path);
    let main: Main = toml::from_str(&text).unwrap_or(Main { flows: BTreeMap::new() });
    let Some(entries) = main.flows.get(&view.entry.name) else {
        // A flow that the project does not run is bound by nothing but the name itself.
        return if project.connections.contains_key(name) {
            Err(format!(
                "connection `{name}` of {MAIN_FILE} plays this role by its name, and the flow is not in {MAIN_FILE}"
            ))
        } else {
            Ok((path, text, None))
        };
    };
    if matches!(new, "file" | "on") || entries.keys().any(|key| key.get_ref() == new) {
        return Err(format!(
            "`{new}` means something under [flows.{}] in {MAIN_FILE} already",
            view.entry.name
        ));
    }
    let bound = entries.keys().find(|key| key.get_ref() == name).map(|key| (key.span(), new.to_owned()));
    let edit = bound.or_else(|| {
        // The connection of that name plays the role; from now on a line has to say so.
        project.connections.contains_key(name).then_some(())?;
        let (_, file) = entries.iter().find(|(key, _)| key.get_ref() == "file")?;
        let end = file.span().end;
        let end = text.get(end..)?.find('\n').map_or(text.len(), |more| end + more);
        Some((end..end, format!("\n{new} = \"{name}\"")))
    });
    Ok((path, text, edit))
}

/// What is not there, or no text, names nothing.
fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

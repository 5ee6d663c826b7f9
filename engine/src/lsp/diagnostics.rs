//! Problems, as `weft check` finds them, in the text as it stands in the editor.

use std::path::Path;

use miette::Severity;
use serde_json::{Value, json};

use super::place::Lines;
use super::world::{Document, entry, uri_of};
use crate::cli::{Told, told};
use crate::load::Loader;
use crate::script::describe_script;

/// The problems of a document.
pub(super) fn diagnostics(loader: &Loader<'_>, document: &Document) -> Value {
    let lines = Lines::new(&document.text);
    if document.is_script() {
        return script(document, &lines);
    }
    if !document.is_flow() {
        return json!([]);
    }
    let one = |told: &Told| diagnostic(told, &lines, &document.path);
    problems(loader, document).iter().map(one).collect()
}

/// What is wrong with a flow.
pub(super) fn problems(loader: &Loader<'_>, document: &Document) -> Vec<Told> {
    let entry = entry(loader.project(), &document.path);
    let source = dsl::Source::new(&entry.file, document.text.as_str());
    match loader.check_text(&entry, &source) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.iter().flat_map(told).collect(),
    }
}

/// One problem in the words of the protocol.
pub(super) fn diagnostic(told: &Told, lines: &Lines<'_>, path: &Path) -> Value {
    let (at, label) = told.at.clone().unwrap_or((0..0, String::new()));
    let mut message = told.message.clone();
    if !label.is_empty() {
        message = format!("{message}: {label}");
    }
    if let Some(help) = &told.help {
        message = format!("{message}\n{help}");
    }
    let severity = match told.severity {
        Severity::Error => 1,
        Severity::Warning => 2,
        Severity::Advice => 3,
    };
    let mut all = json!({
        "range": lines.range(&at),
        "severity": severity,
        "source": "weft",
        "message": message,
    });
    let Some(object) = all.as_object_mut() else { return all };
    if let Some(code) = &told.code {
        object.insert("code".into(), json!(code));
    }
    if let (Some(uri), false) = (uri_of(path), told.others.is_empty()) {
        let related = told.others.iter().map(|(span, label)| {
            json!({ "location": { "uri": uri, "range": lines.range(span) }, "message": label })
        });
        object.insert("relatedInformation".into(), related.collect());
    }
    all
}

fn script(document: &Document, lines: &Lines<'_>) -> Value {
    let path = document.path.to_string_lossy();
    let Some((message, line, column)) = describe_script(&path, &document.text).broken else {
        return json!([]);
    };
    let start = document.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
    let rest = document.text.get(start..).unwrap_or_default();
    let within = rest.char_indices().nth(column.saturating_sub(1)).map_or(0, |(at, _)| at);
    let at = start + within;
    let word = document.text.get(at..).unwrap_or_default();
    let length = word.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(word.len()).max(1);
    let end = (at + length).min(document.text.len());
    json!([{ "range": lines.range(&(at..end)), "severity": 1, "source": "weft", "message": message }])
}

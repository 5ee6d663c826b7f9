//! Colours by meaning: what each word is, in flows and in the Rhai within them.

use std::collections::HashMap;

use dsl::ast::{Kind as Line, Node};
use dsl::plan::Span;
use dsl::tokens::Kind;
use serde_json::{Value, json};

use super::names::{What, is_keyword};
use super::view::{View, resource_text};

/// The kinds of words, as the protocol calls them; numbers in the answer count from the first.
pub(super) const TYPES: [&str; 11] = [
    "keyword",
    "variable",
    "parameter",
    "property",
    "function",
    "namespace",
    "type",
    "string",
    "number",
    "comment",
    "class",
];

const KEYWORD: usize = 0;
const VARIABLE: usize = 1;
const PARAMETER: usize = 2;
const PROPERTY: usize = 3;
const FUNCTION: usize = 4;
const NAMESPACE: usize = 5;
const TYPE: usize = 6;
const STRING: usize = 7;
const NUMBER: usize = 8;
const COMMENT: usize = 9;
const CLASS: usize = 10;

pub(super) fn tokens(view: &View<'_>) -> Value {
    let mut known: HashMap<usize, usize> = HashMap::new();
    structure(&view.names.file.nodes, &mut known);
    for binding in &view.names.bindings {
        known.insert(binding.span.start, of(binding.what));
    }
    for one in &view.names.uses {
        let what = view.names.bindings.get(one.binding).map_or(What::Record, |binding| binding.what);
        known.insert(one.span.start, of(what));
    }
    let mut data: Vec<usize> = Vec::new();
    let mut last = (0, 0);
    for (index, token) in view.names.tokens.iter().enumerate() {
        let kind = match token.kind {
            Kind::Word => {
                known.get(&token.span.start).copied().unwrap_or_else(|| word(view, index, &token.span)).into()
            }
            Kind::Number => Some(NUMBER),
            Kind::Text | Kind::Template => Some(STRING),
            Kind::Comment => Some(COMMENT),
            Kind::Mark | Kind::Break => None,
        };
        let Some(kind) = kind else { continue };
        // A token ends with its line.
        let mut start = token.span.start;
        for part in view.names.written(&token.span).split_inclusive('\n') {
            let length = part.trim_end_matches(['\r', '\n']).encode_utf16().count();
            let (line, column) = view.lines.at(start);
            start += part.len();
            if length == 0 {
                continue;
            }
            let shift = if line == last.0 { column.saturating_sub(last.1) } else { column };
            data.extend([line.saturating_sub(last.0), shift, length, kind, 0]);
            last = (line, column);
        }
    }
    json!({ "data": data })
}

const fn of(what: What) -> usize {
    match what {
        What::Role(_) | What::Script => NAMESPACE,
        What::Local => PARAMETER,
        What::Setting => PROPERTY,
        What::Table | What::Record => VARIABLE,
    }
}

/// A word that is no name of the flow.
fn word(view: &View<'_>, index: usize, span: &Span) -> usize {
    let written = view.token(index);
    let mark = |at: Option<usize>| at.map_or("", |at| view.token(at));
    if !view.in_expression(span) {
        let is_type = matches!(written, "text" | "integer" | "decimal" | "boolean" | "date");
        let fits = matches!(mark(view.names.before(index)), ":" | "->" | "of");
        return if is_type && fits { TYPE } else { KEYWORD };
    }
    let (before, after) = (mark(view.names.before(index)), mark(view.names.after(index)));
    match (before, after) {
        (_, "(") if !is_keyword(written) => FUNCTION,
        ("." | "?.", _) | (_, ":") => PROPERTY,
        (_, "::") => NAMESPACE,
        _ if is_keyword(written) || written == "creating" => KEYWORD,
        _ => VARIABLE,
    }
}

/// Names that stand in the lines themselves: fields, resources, systems, types.
fn structure(nodes: &[Node], known: &mut HashMap<usize, usize>) {
    for node in nodes {
        if let Some(resource) = resource_text(node) {
            known.insert(resource.role.span.start, NAMESPACE);
            known.insert(resource.resource.span.start, CLASS);
        }
        match &node.kind {
            Line::Role(_, _, system) => drop(known.insert(system.span.start, CLASS)),
            Line::Field { name, .. } | Line::FieldBlock(name) | Line::FieldEach { name, .. } => {
                known.insert(name.span.start, PROPERTY);
            }
            Line::Setting { kind, .. } | Line::Table { value: kind, .. } => {
                known.insert(kind.span.start, TYPE);
            }
            Line::Fetch { since, conditions, .. } => {
                known.extend(since.iter().map(|(name, _)| (name.span.start, PROPERTY)));
                known.extend(conditions.iter().map(|one| (one.field.span.start, PROPERTY)));
            }
            Line::Lookup { by, .. } | Line::Write(dsl::ast::WriteVerb::Update(by), ..) => {
                known.extend(by.iter().map(|one| (one.field.span.start, PROPERTY)));
            }
            Line::Write(dsl::ast::WriteVerb::Upsert(keys), ..) => {
                for key in keys {
                    if let dsl::ast::KeyText::Fields(names) = key {
                        known.extend(names.iter().map(|name| (name.span.start, PROPERTY)));
                    }
                }
            }
            _ => {}
        }
        if let Some(block) = &node.block {
            structure(&block.nodes, known);
        }
    }
}

//! What can be written at a place.

mod items;
mod words;

use dsl::ast::{Kind, Node};
use dsl::catalog::{Field, Type};
use dsl::tokens;
use serde_json::{Value, json};

use super::names::{What, shapes};
use super::view::View;
use items::Items;

/// Where the word begins that is being written, and what stands before it on its line.
struct Context<'v> {
    view: &'v View<'v>,
    /// The place of the cursor.
    at: usize,
    /// Index of the first token that is not before the word being written.
    first: usize,
    /// Index of the first token of the line of text, or of the statement that goes on in it.
    start: usize,
}

pub(super) fn items(view: &View<'_>, offset: usize) -> Value {
    let all = &view.names.tokens;
    let end = all.partition_point(|token| token.span.end < offset);
    let holds = all.get(end).filter(|token| token.span.start < offset);
    let mut found = Items::default();
    match holds.map(|token| token.kind) {
        Some(tokens::Kind::Comment | tokens::Kind::Number) => return json!([]),
        Some(tokens::Kind::Text) => {
            Context { view, at: offset, first: end, start: line_start(view, end) }.within_quotes(&mut found);
            return found.done();
        }
        Some(tokens::Kind::Template)
            if !view.token(end).ends_with("${") || holds.is_some_and(|token| token.span.end > offset) =>
        {
            return json!([]);
        }
        _ => {}
    }
    let word = holds.is_some_and(|token| token.kind == tokens::Kind::Word);
    let first = if word { end } else { all.partition_point(|token| token.span.start < offset) };
    Context { view, at: offset, first, start: line_start(view, first) }.complete(&mut found);
    found.done()
}

/// The first token of the line of text that a token stands in.
fn line_start(view: &View<'_>, index: usize) -> usize {
    let breaks =
        |at: &usize| view.names.tokens.get(*at).is_some_and(|token| token.kind == tokens::Kind::Break);
    (0..index).rev().find(breaks).map_or(0, |at| at + 1)
}

impl Context<'_> {
    /// The token so many before the word being written, on the same line.
    fn back(&self, steps: usize) -> &str {
        match self.first.checked_sub(steps).filter(|at| *at >= self.start) {
            Some(at) => self.view.token(at),
            None => "",
        }
    }

    /// The first word of the line.
    fn verb(&self) -> &str {
        if self.start < self.first { self.view.token(self.start) } else { "" }
    }

    fn complete(&self, found: &mut Items) {
        let names = &self.view.names;
        match self.back(1) {
            "." | "?." => return self.behind_a_dot(found),
            "::" => {
                let functions = self.view.script(self.back(2)).and_then(|(_, script)| script);
                for function in functions.map(|script| script.functions.as_slice()).unwrap_or_default() {
                    found.function(function);
                }
                return;
            }
            _ => {}
        }
        match (self.verb(), self.back(1)) {
            ("source" | "target", ":") => {
                for system in names.catalog.systems.values() {
                    found.system(system);
                }
            }
            ("setting", ":") | ("table", "->" | ":") => found.words(&words::TYPES),
            ("fetch", "from") | ("lookup" | "create" | "update" | "upsert", "in") | ("on", "webhook") => {
                for binding in names.bindings.iter().filter(|binding| matches!(binding.what, What::Role(_))) {
                    found.binding(self.view, binding);
                }
            }
            ("fetch" | "since" | "where", "since" | "where" | "and")
            | ("lookup" | "update" | "upsert" | "by" | "else", "by" | "and" | "else") => self.keys(found),
            ("", _) => self.start_of_line(found),
            (verb, _) => {
                self.expression(found);
                found.words(words::clauses(verb));
                if self.field_line() {
                    found.words(&words::BEHIND_A_VALUE);
                }
            }
        }
    }

    /// The line writes a field.
    fn field_line(&self) -> bool {
        self.start + 1 < self.first && self.view.token(self.start + 1) == "="
    }

    fn behind_a_dot(&self, found: &mut Items) {
        let names = &self.view.names;
        let Some(dot) = self.first.checked_sub(1) else { return };
        let structural = matches!(self.back(3), "from" | "in")
            && matches!(self.verb(), "fetch" | "lookup" | "create" | "update" | "upsert");
        if structural {
            let system = names.system(self.back(2));
            for resource in system.map(|system| system.resources.values()).into_iter().flatten() {
                found.resource(resource);
            }
            return;
        }
        let settings = self.back(2) == "settings" && !matches!(self.back(3), "." | "?.");
        if settings {
            for binding in names.bindings.iter().filter(|binding| binding.what == What::Setting) {
                found.binding(self.view, binding);
            }
            return;
        }
        let shape = names.chain_before(dot).unwrap_or(Type::Any);
        match &shape {
            Type::Record(fields) => {
                fields.iter().filter(|field| !field.write_only).for_each(|field| found.field(field, ""));
            }
            _ => found.library(),
        }
    }

    /// Fields by which the resource of the line can be asked.
    fn keys(&self, found: &mut Items) {
        let Some(node) = self.statement() else { return };
        let Some(resource) = self.view.resource_of(node).or_else(|| self.resource_of_words()) else { return };
        let wanted: Vec<&String> = match (&resource.fetch, self.verb(), self.back(1)) {
            (Some(fetch), "fetch" | "since" | "where", "since") => fetch.since.iter().collect(),
            (Some(fetch), "fetch" | "since" | "where", _) => fetch.filters.iter().collect(),
            _ => resource.find.iter().flatten().collect(),
        };
        for field in resource.fields.iter().filter(|field| wanted.contains(&&field.name)) {
            found.field(field, "");
        }
        if self.verb() == "upsert" {
            found.words(&["settings"]);
        }
    }

    /// The statement that the cursor is in, or behind.
    fn statement(&self) -> Option<&Node> {
        let around = self.view.lines_around(self.at);
        let before = self.view.names.tokens.get(self.start).map_or(self.at, |token| token.span.start);
        around.last().copied().or_else(|| self.view.lines_around(before).last().copied())
    }

    /// The resource by the words before the cursor, while the line cannot be read yet.
    fn resource_of_words(&self) -> Option<&dsl::catalog::Resource> {
        let words: Vec<&str> = (self.start..self.first).map(|at| self.view.token(at)).collect();
        let dot = words.iter().position(|word| *word == ".")?;
        let role = words.get(dot.checked_sub(1)?)?;
        self.view.names.system(role)?.resources.get(*words.get(dot + 1)?)
    }

    /// The fields that the block around the cursor takes.
    fn fields(&self) -> Option<(Vec<Field>, &[Node])> {
        let mut fields: Option<Vec<Field>> = None;
        let mut nodes: &[Node] = &[];
        let around = self.view.lines_around(self.at);
        for node in around.iter().copied() {
            let Some(block) = &node.block else { continue };
            let inner = |name: &str, fields: &Option<Vec<Field>>| {
                let field = fields.as_ref()?.iter().find(|field| field.name == name)?;
                Some(shapes::fields(&field.kind)?.to_vec())
            };
            fields = match &node.kind {
                Kind::Write(..) => Some(
                    self.view.resource_of(node).map(|resource| resource.fields.clone()).unwrap_or_default(),
                ),
                Kind::FieldBlock(name) | Kind::FieldEach { name, .. } => {
                    Some(inner(&name.text, &fields).unwrap_or_default())
                }
                Kind::Map(_, None) => Some(Vec::new()),
                _ => None,
            };
            nodes = &block.nodes;
        }
        fields.map(|fields| (fields, nodes))
    }

    fn start_of_line(&self, found: &mut Items) {
        let Some((fields, given)) = self.fields() else {
            let nested = self.view.lines_around(self.at).iter().any(|node| node.block.is_some());
            if !nested {
                found.words(&words::HEAD);
            }
            found.words(&words::STEPS);
            return;
        };
        let is_given = |field: &&Field| {
            given.iter().any(|node| match &node.kind {
                Kind::Field { name, .. } | Kind::FieldBlock(name) | Kind::FieldEach { name, .. } => {
                    name.text == field.name
                }
                _ => false,
            })
        };
        for field in fields.iter().filter(|field| !field.read_only && !is_given(field)) {
            let tail = match field.kind {
                Type::Record(_) => " {",
                Type::List(ref item) if matches!(**item, Type::Record(_)) => " each ",
                _ => " = ",
            };
            found.field(field, tail);
        }
    }

    fn expression(&self, found: &mut Items) {
        let names = &self.view.names;
        for binding in names.readable(self.at) {
            found.binding(self.view, binding);
        }
        found.words(&["settings", "if", "true", "false", "()"]);
        if self.view.lines_around(self.at).iter().any(|node| matches!(node.kind, Kind::Write(..))) {
            found.words(&["creating"]);
        }
        found.library();
    }

    /// Scripts, events, and values of which there is a list.
    fn within_quotes(&self, found: &mut Items) {
        let names = &self.view.names;
        match (self.verb(), self.back(2), self.back(1)) {
            ("use", ..) => names.catalog.scripts.keys().for_each(|path| found.value(path)),
            ("on", "webhook", role) => {
                let system = names.system(role);
                system
                    .map(|system| system.events.as_slice())
                    .unwrap_or_default()
                    .iter()
                    .for_each(|event| found.value(event));
            }
            (_, _, "==" | "!=") => {
                let Some(compared) = self.first.checked_sub(2) else { return };
                let shape = names.field_at(compared).map(|field| field.kind);
                let shape = shape.or_else(|| self.setting(compared));
                if let Some(Type::Enum(values)) = shape {
                    for value in &values {
                        found.value(value);
                    }
                }
            }
            (name, _, "=") => {
                let fields = self.fields().map(|(fields, _)| fields).unwrap_or_default();
                let field = fields.into_iter().find(|field| field.name == name);
                if let Some(Type::Enum(values)) = field.map(|field| field.kind) {
                    for value in &values {
                        found.value(value);
                    }
                }
            }
            _ => {}
        }
    }

    fn setting(&self, index: usize) -> Option<Type> {
        let span = &self.view.names.tokens.get(index)?.span;
        let (binding, _) = self.view.names.at(span.start)?;
        self.view.names.bindings.get(binding).map(|binding| binding.shape.clone())
    }
}

//! One flow as it is understood at the moment.

use dsl::ast::{File, Kind, Node, ResourceText};
use dsl::catalog::{Resource, Script};
use dsl::plan::Span;
use dsl::tokens;

use super::names::Names;
use super::place::Lines;
use super::world::{Document, entry};
use crate::load::Loader;
use crate::project::FlowEntry;

/// What features look at.
pub(super) struct View<'a> {
    pub(super) document: &'a Document,
    pub(super) loader: &'a Loader<'a>,
    pub(super) entry: &'a FlowEntry,
    pub(super) names: Names<'a>,
    pub(super) lines: Lines<'a>,
}

impl View<'_> {
    /// Reads a flow and does something with it; `None` when the document is none.
    pub(super) fn with<T>(
        loader: &Loader<'_>,
        document: &Document,
        work: impl FnOnce(&View<'_>) -> T,
    ) -> Option<T> {
        if !document.is_flow() {
            return None;
        }
        let text = document.text.as_str();
        let (file, _): (File, _) = dsl::parse(&dsl::Source::new("", text));
        let entry = entry(loader.project(), &document.path);
        let catalog = loader.catalog_of(&entry);
        let names = Names::new(text, &file, &catalog);
        Some(work(&View { document, loader, entry: &entry, names, lines: Lines::new(text) }))
    }

    pub(super) fn text(&self) -> &str {
        self.names.text
    }

    /// The token that a place is in, or stands at the end of.
    pub(super) fn token_at(&self, offset: usize) -> Option<usize> {
        let all = &self.names.tokens;
        let at = all.partition_point(|token| token.span.end < offset);
        let holds = |index: &usize| all.get(*index).is_some_and(|token| token.span.start <= offset);
        let word = |index: &usize| all.get(*index).is_some_and(|token| token.kind == tokens::Kind::Word);
        // Between a word and a mark the word is meant.
        [at, at + 1].into_iter().filter(holds).find(word).or_else(|| Some(at).filter(holds))
    }

    pub(super) fn token(&self, index: usize) -> &str {
        self.names.tokens.get(index).map_or("", |token| self.names.written(&token.span))
    }

    /// The lines around a place, the outermost first: those whose block holds it, and its own.
    pub(super) fn lines_around(&self, offset: usize) -> Vec<&Node> {
        fn walk<'n>(nodes: &'n [Node], offset: usize, end: usize, all: &mut Vec<&'n Node>) {
            for node in nodes {
                if node.span.start <= offset && offset <= node.span.end {
                    all.push(node);
                    return;
                }
                let Some(block) = &node.block else { continue };
                let close = block.close.unwrap_or(end);
                if block.open < offset && offset <= close {
                    all.push(node);
                    walk(&block.nodes, offset, close, all);
                    return;
                }
            }
        }
        let mut all = Vec::new();
        walk(&self.names.file.nodes, offset, self.text().len(), &mut all);
        all
    }

    /// The script behind a name of `use`, with its path.
    pub(super) fn script(&self, alias: &str) -> Option<(&str, Option<&Script>)> {
        self.names.file.nodes.iter().find_map(|node| match &node.kind {
            Kind::Use(path, name) if name.text == alias => {
                Some((path.value.as_str(), self.names.catalog.scripts.get(&path.value)))
            }
            _ => None,
        })
    }

    /// The resource that a line speaks of.
    pub(super) fn resource_of(&self, node: &Node) -> Option<&Resource> {
        resource_text(node).and_then(|resource| self.names.resource(resource))
    }

    /// A place is within an expression.
    pub(super) fn in_expression(&self, span: &Span) -> bool {
        self.names.expressions.iter().any(|expr| expr.start <= span.start && span.end <= expr.end)
    }
}

pub(super) fn resource_text(node: &Node) -> Option<&ResourceText> {
    match &node.kind {
        Kind::Fetch { from, .. } | Kind::Lookup { from, .. } | Kind::Write(_, _, from) => Some(from),
        _ => None,
    }
}

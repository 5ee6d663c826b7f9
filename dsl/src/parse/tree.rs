//! Lines → blocks.
//!
//! A forgotten brace is looked for where it was forgotten: where a step stands among fields
//! further to the left, or where a closing brace stands further to the left than its block.

use crate::ast::{Block, Kind, Node};
use crate::plan::Span;
use crate::problem::{Code, Problem};
use crate::scan::{Line, MAX_DEPTH, too_deep};

/// Puts the lines into their blocks.
pub(super) fn build(lines: Vec<(&Line, Option<(Kind, bool)>)>, problems: &mut Vec<Problem>) -> Vec<Node> {
    let indents: Vec<usize> = lines
        .iter()
        .map(|(line, _)| match line {
            Line::Text { indent, .. } => *indent,
            Line::Close { .. } => 0,
        })
        .collect();
    let mut tree = Tree { top: Vec::new(), open: Vec::new(), suspect: None, problems };
    for (number, (line, kind)) in lines.into_iter().enumerate() {
        match (line, kind) {
            (Line::Close { at, indent }, _) => tree.close(*at, *indent),
            (Line::Text { span, indent, opens, .. }, Some((kind, faulty))) => {
                let node = Node { span: span.clone(), kind, block: None, faulty };
                let next_is_deeper = indents.get(number + 1).is_some_and(|next| next > indent);
                tree.line(node, *indent, *opens, next_is_deeper);
            }
            (Line::Text { .. }, None) => {}
        }
        if tree.open.len() > MAX_DEPTH {
            let at = tree.open.last().map_or(0, |frame| frame.block.open);
            tree.problems.clear();
            tree.problems.push(too_deep(at, "blocks"));
            return Vec::new();
        }
    }
    tree.finish()
}

struct Frame {
    node: Node,
    block: Block,
    indent: usize,
    /// Its first line stands further to the right: indentation means something here.
    indented: Option<bool>,
    /// The writer forgot `{`, and it has been said.
    implied: bool,
}

struct Tree<'p> {
    top: Vec<Node>,
    open: Vec<Frame>,
    /// The block whose closing brace is probably the missing one.
    suspect: Option<(usize, Span)>,
    problems: &'p mut Vec<Problem>,
}

impl Tree<'_> {
    fn line(&mut self, mut node: Node, indent: usize, opens: Option<usize>, next_is_deeper: bool) {
        if let Some(frame) = self.open.last_mut() {
            frame.indented.get_or_insert(indent > frame.indent);
        }
        self.end_forgotten(&node, indent);
        let wants = wants_block(&node.kind);
        match opens {
            Some(open) => {
                if wants == Some(false) && !node.faulty {
                    self.problems.push(
                        Problem::new(Code::WrongBlock, open..open + 1, "this line takes no block")
                            .label("a block starts here")
                            .help("take the braces away; a block stands after `when`, `each`, `map`, `create`, `update`, `upsert` and a nested field"),
                    );
                    node.faulty = true;
                }
                let block = Block { open, nodes: Vec::new(), close: None };
                self.open.push(Frame { node, block, indent, indented: None, implied: false });
            }
            None if wants == Some(true) => {
                let end = node.span.end;
                self.problems.push(
                    Problem::new(Code::WrongBlock, end.saturating_sub(1)..end, "a block must follow")
                        .label("expected `{` after this")
                        .help("put `{` at the end of the line, and `}` on a line of its own where the block ends"),
                );
                node.faulty = true;
                if next_is_deeper {
                    let block = Block { open: end, nodes: Vec::new(), close: None };
                    self.open.push(Frame { node, block, indent, indented: None, implied: true });
                } else {
                    self.add(node);
                }
            }
            None => self.add(node),
        }
    }

    fn add(&mut self, node: Node) {
        match self.open.last_mut() {
            Some(frame) => frame.block.nodes.push(node),
            None => self.top.push(node),
        }
    }

    /// A step or a head line that stands left of a block of fields ends it.
    fn end_forgotten(&mut self, node: &Node, indent: usize) {
        let mut first = true;
        while let Some(frame) = self.open.last() {
            let ends = (holds_fields(&frame.node.kind) && is_step(&node.kind) || is_head(&node.kind))
                && indent <= frame.indent
                && frame.indented == Some(true);
            if !ends {
                return;
            }
            if first && !frame.implied {
                let problem = match self.suspect.take() {
                    Some((open, line)) => unclosed_at(open, line),
                    None => unclosed(frame),
                };
                self.problems.push(problem.also(node.span.clone(), "this line belongs to it no more"));
            }
            first = false;
            self.pop(None);
        }
    }

    fn close(&mut self, at: usize, indent: Option<usize>) {
        let Some(frame) = self.open.last() else {
            self.problems.push(
                Problem::new(Code::StrayBrace, at..at + 1, "`}` closes nothing")
                    .label("no block is open here")
                    .help("take it away, or look above for a block that was closed too early"),
            );
            return;
        };
        if self.suspect.is_none() && indent.is_some_and(|indent| indent < frame.indent) {
            self.suspect = Some((frame.block.open, frame.node.span.clone()));
        }
        self.pop(Some(at));
    }

    fn pop(&mut self, close: Option<usize>) {
        if let Some(frame) = self.open.pop() {
            let mut node = frame.node;
            node.block = Some(Block { close, ..frame.block });
            self.add(node);
        }
    }

    fn finish(mut self) -> Vec<Node> {
        if !self.open.is_empty() {
            match self.suspect.take() {
                Some((open, line)) if self.open.iter().any(|frame| !frame.implied) => {
                    self.problems.push(unclosed_at(open, line));
                }
                _ => {
                    let found: Vec<Problem> =
                        self.open.iter().filter(|frame| !frame.implied).map(unclosed).collect();
                    self.problems.extend(found);
                }
            }
        }
        while !self.open.is_empty() {
            self.pop(None);
        }
        self.top
    }
}

fn unclosed(frame: &Frame) -> Problem {
    unclosed_at(frame.block.open, frame.node.span.clone())
}

fn unclosed_at(open: usize, line: Span) -> Problem {
    Problem::new(Code::UnclosedBlock, line.start..open + 1, "this block is not closed")
        .label("opened here")
        .help("put `}` on a line of its own where the block ends")
}

/// Whether a block must follow; `None` when that is not known.
fn wants_block(kind: &Kind) -> Option<bool> {
    match kind {
        Kind::Malformed => None,
        Kind::Write(..)
        | Kind::Each(..)
        | Kind::When(_)
        | Kind::ElseWhen(_)
        | Kind::Else
        | Kind::FieldEach { .. }
        | Kind::FieldBlock(_)
        | Kind::Map(_, None) => Some(true),
        _ => Some(false),
    }
}

/// The block of the line holds field lines.
pub(crate) fn holds_fields(kind: &Kind) -> bool {
    matches!(kind, Kind::Write(..) | Kind::Map(..) | Kind::FieldEach { .. } | Kind::FieldBlock(_))
}

/// The line is a step of the flow.
pub(crate) fn is_step(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Fetch { .. }
            | Kind::Filter(_)
            | Kind::Lookup { .. }
            | Kind::Skip(..)
            | Kind::Fail(..)
            | Kind::Notify(..)
            | Kind::Map(..)
            | Kind::Write(..)
            | Kind::Each(..)
            | Kind::When(_)
            | Kind::ElseWhen(_)
            | Kind::Else
    )
}

/// The line belongs to the head of the flow, or says when it runs.
pub(crate) fn is_head(kind: &Kind) -> bool {
    matches!(
        kind,
        Kind::Flow(_)
            | Kind::Role(..)
            | Kind::Use(..)
            | Kind::Setting { .. }
            | Kind::Table { .. }
            | Kind::Ask(_)
            | Kind::Row(..)
            | Kind::Otherwise(_)
            | Kind::Every(_)
            | Kind::At(..)
            | Kind::Webhook(..)
            | Kind::Overlapping(_)
            | Kind::Missed(_)
            | Kind::Apart(_)
    )
}

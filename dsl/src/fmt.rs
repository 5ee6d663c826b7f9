//! The one canonical layout of a flow: `weft fmt`.
//!
//! Only blanks and line breaks are changed, never a letter: what stands in quotes, in templates
//! and in comments stays as it is, and so do line breaks within a statement. A file that cannot be
//! read is not laid out; its problems are told. The rules are in `docs/formatting.md`.

mod columns;
mod line;

use crate::ast::{Block, File, Kind, Node};
use crate::plan::Span;
use crate::problem::Report;
use crate::source::Source;
use crate::tokens::{self, Token, tokens};
use columns::Columns;
use line::{Laid, Piece, STEP};

/// Lays out a flow. What cannot be read is told, and nothing is laid out.
pub fn format(source: &Source) -> Result<String, Report> {
    let parsed = crate::parse::parse(source);
    if !parsed.problems.is_empty() {
        return Err(Report::new(source, parsed.problems));
    }
    let text = source.text();
    let mut printer =
        Printer { text, tokens: tokens(text), rows: Vec::new(), end: 0, sections: vec![0], count: 0 };
    let events = events(&parsed.file);
    for (number, event) in events.iter().enumerate() {
        let mut rest = events.iter().skip(number + 1);
        printer.event(event, rest.find(|next| !matches!(next, Event::Comment(_))));
    }
    let out = printer.finish();
    // Invariant: nothing but blanks changes. Should that ever fail, the file stays as it is.
    Ok(if letters(&out).eq(letters(text)) { out } else { text.to_owned() })
}

fn letters(text: &str) -> impl Iterator<Item = char> {
    text.trim_start_matches('\u{feff}').chars().filter(|letter| !letter.is_whitespace())
}

/// What stands in a file, one after the other.
enum Event<'f> {
    Line(&'f Node, usize),
    Open(usize),
    Close(usize, usize, What),
    Comment(Span),
}

impl Event<'_> {
    fn start(&self) -> usize {
        match self {
            Self::Line(node, _) => node.span.start,
            Self::Open(at) | Self::Close(at, ..) => *at,
            Self::Comment(span) => span.start,
        }
    }
}

/// Lines, braces and the comments between them, in the order of the text.
/// `else` belongs to it.
const fn is_branch(kind: &Kind) -> bool {
    matches!(kind, Kind::When(_) | Kind::ElseWhen(_))
}

/// Its block holds steps.
const fn holds_steps(kind: &Kind) -> bool {
    matches!(kind, Kind::When(_) | Kind::ElseWhen(_) | Kind::Else | Kind::Each(..))
}

fn events(file: &File) -> Vec<Event<'_>> {
    // `steps`: no block around it holds anything but steps, so that `} else {` can be read.
    fn walk<'f>(nodes: &'f [Node], depth: usize, steps: bool, all: &mut Vec<Event<'f>>) {
        for node in nodes {
            all.push(Event::Line(node, depth));
            if let Some(Block { open, nodes, close }) = &node.block {
                all.push(Event::Open(*open));
                walk(nodes, depth + 1, steps && holds_steps(&node.kind), all);
                let what = if steps && is_branch(&node.kind) { What::Branch } else { What::Close };
                all.extend(close.map(|at| Event::Close(at, depth, what)));
            }
        }
    }
    let mut all = Vec::new();
    walk(&file.nodes, 0, true, &mut all);
    let lines: Vec<Span> = all
        .iter()
        .filter_map(|event| match event {
            Event::Line(node, _) => Some(node.span.clone()),
            _ => None,
        })
        .collect();
    let within = |comment: &Span| {
        let after = lines.partition_point(|line| line.start <= comment.start);
        after.checked_sub(1).and_then(|at| lines.get(at)).is_some_and(|line| comment.end <= line.end)
    };
    all.extend(file.comments.iter().filter(|comment| !within(comment)).cloned().map(Event::Comment));
    all.sort_by_key(Event::start);
    all
}

/// One line as it will be written, with what belongs to it.
struct Row {
    indent: usize,
    laid: Laid,
    columns: Columns,
    /// Lines of one block between two blank lines.
    section: usize,
    /// A blank line stands above it.
    spaced: bool,
    /// Comments behind it.
    trailing: String,
    what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Line,
    Opened,
    Close,
    /// The end of a block that `else` may continue.
    Branch,
    Comment,
}

struct Printer<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    rows: Vec<Row>,
    /// Where the last event ended.
    end: usize,
    /// The section of each block that is open, and how many there were.
    sections: Vec<usize>,
    count: usize,
}

impl Printer<'_> {
    fn event(&mut self, event: &Event<'_>, next: Option<&Event<'_>>) {
        let breaks = self.between(event.start()).matches('\n').count();
        let spaced = breaks > 1 && self.rows.last().is_some_and(|row| row.what != What::Opened);
        let begins = matches!(event, Event::Line(node, _) if matches!(node.kind, Kind::Table { .. }));
        if spaced || begins {
            self.sections.pop();
            self.section();
        }
        match event {
            Event::Line(node, depth) => {
                self.line(node, *depth, spaced);
                self.end = node.span.end;
            }
            Event::Open(at) => {
                self.open();
                self.section();
                self.end = at + 1;
            }
            Event::Close(at, depth, what) => {
                self.sections.pop();
                self.push(depth * STEP, one("}"), Columns::None, false, *what);
                self.end = at + 1;
            }
            Event::Comment(span) => {
                let written = self.text.get(span.clone()).unwrap_or_default().trim_end();
                match self.rows.last_mut() {
                    Some(row) if breaks == 0 => {
                        if !row.trailing.is_empty() {
                            row.trailing.push(' ');
                        }
                        row.trailing.push_str(written);
                    }
                    _ => {
                        let indent = self.indent_before(next);
                        self.push(indent, one(written), Columns::None, spaced, What::Comment);
                    }
                }
                self.end = span.start + written.len();
            }
        }
    }

    fn section(&mut self) {
        self.count += 1;
        self.sections.push(self.count);
    }

    /// What stands between the last event and there.
    fn between(&self, start: usize) -> &str {
        self.text.get(self.end..start).unwrap_or_default()
    }

    /// A comment stands above what it speaks of.
    fn indent_before(&self, next: Option<&Event<'_>>) -> usize {
        match next {
            Some(Event::Line(node, depth)) => indent(node, *depth),
            Some(Event::Close(_, depth, _)) => (depth + 1) * STEP,
            // A brace on a line of its own opens the block of the line above.
            Some(Event::Open(_)) => self.rows.last().map_or(0, |row| row.indent),
            Some(Event::Comment(_)) | None => 0,
        }
    }

    fn push(&mut self, indent: usize, laid: Laid, columns: Columns, spaced: bool, what: What) {
        let section = self.sections.last().copied().unwrap_or_default();
        self.rows.push(Row { indent, laid, columns, section, spaced, trailing: String::new(), what });
    }

    fn line(&mut self, node: &Node, depth: usize, spaced: bool) {
        let from = self.tokens.partition_point(|token| token.span.start < node.span.start);
        let till = self.tokens.partition_point(|token| token.span.start < node.span.end);
        let all = self.tokens.get(from..till).unwrap_or_default();
        let (columns, starts) = self.columns(node, all);
        let mut laid = line::lay(self.text, all, &line::kept(&node.kind), &starts);
        let continues = matches!(node.kind, Kind::Else | Kind::ElseWhen(_));
        let closed = self.rows.last().is_some_and(|row| row.what == What::Branch && row.trailing.is_empty());
        if continues && closed {
            self.rows.pop();
            if let Some(first) = laid.lines.first_mut() {
                first.text.insert_str(0, "} ");
            }
            self.push(depth * STEP, laid, columns, false, What::Line);
        } else {
            self.push(indent(node, depth), laid, columns, spaced, What::Line);
        }
    }

    /// Where the columns of a line begin.
    fn columns(&self, node: &Node, all: &[Token]) -> (Columns, Vec<usize>) {
        let is = |token: &&Token, mark: &str| {
            token.kind == tokens::Kind::Mark && self.text.get(token.span.clone()) == Some(mark)
        };
        match &node.kind {
            Kind::Field { name, value, .. } => {
                let equals = all.iter().find(|token| token.span.start >= name.span.end && is(token, "="));
                let rest = all
                    .iter()
                    .find(|token| token.span.start >= value.span.end && token.kind != tokens::Kind::Break);
                let starts = [equals, rest].into_iter().flatten().map(|token| token.span.start);
                (Columns::Fields, starts.collect())
            }
            Kind::Row(_, value) => {
                let arrow = all.iter().rfind(|token| token.span.end <= value.span.start && is(token, "->"));
                (Columns::Rows, arrow.map(|token| token.span.start).into_iter().collect())
            }
            _ => (Columns::None, Vec::new()),
        }
    }

    /// A brace opens the block of the line before.
    fn open(&mut self) {
        let Some(row) = self.rows.last_mut() else { return };
        let fits = row.what == What::Line && !row.trailing.starts_with("//");
        if !fits {
            let indent = self.rows.iter().rfind(|row| row.what == What::Line).map_or(0, |row| row.indent);
            self.push(indent, one("{"), Columns::None, false, What::Opened);
            return;
        }
        let trailing = std::mem::take(&mut row.trailing);
        if let Some(last) = row.laid.lines.last_mut() {
            if !trailing.is_empty() {
                last.text.push(' ');
                last.text.push_str(&trailing);
            }
            last.text.push_str(" {");
        }
        row.what = What::Opened;
    }

    /// The first line ends as Windows has it. Ends of lines within a text say nothing: they stay.
    fn is_of_windows(&self) -> bool {
        let first = self.tokens.iter().find(|token| token.kind == tokens::Kind::Break && !token.within);
        let line = first.and_then(|token| self.text.get(token.span.start..)).unwrap_or_default();
        let before = first.and_then(|token| self.text.get(..token.span.start)).unwrap_or_default();
        line.starts_with("\r\n") || (line.starts_with('\n') && before.ends_with('\r'))
    }

    fn finish(mut self) -> String {
        columns::set(&mut self.rows);
        columns::set_comments(&mut self.rows);
        let line_end = if self.is_of_windows() { "\r\n" } else { "\n" };
        let mut out = String::with_capacity(self.text.len() + self.text.len() / 8);
        for row in &self.rows {
            if row.spaced {
                out.push_str(line_end);
            }
            for (number, piece) in row.laid.lines.iter().enumerate() {
                if number > 0 {
                    out.push_str(if piece.raw { "\n" } else { line_end });
                }
                if !piece.raw && !piece.text.is_empty() {
                    out.push_str(&" ".repeat(row.indent + piece.indent));
                }
                out.push_str(&piece.text);
            }
            if !row.trailing.is_empty() {
                out.push_str("  ");
                out.push_str(&row.trailing);
            }
            out.push_str(line_end);
        }
        out
    }
}

#[cfg(test)]
mod tests;

fn indent(node: &Node, depth: usize) -> usize {
    let belongs = matches!(node.kind, Kind::Ask(_) | Kind::Row(..) | Kind::Otherwise(_));
    (depth + usize::from(belongs)) * STEP
}

/// A line of one piece.
fn one(text: &str) -> Laid {
    let mut lines = text.split('\n');
    let first = Piece { text: lines.next().unwrap_or_default().to_owned(), ..Piece::default() };
    let rest = lines.map(|line| Piece { text: line.to_owned(), raw: true, indent: 0 });
    Laid { lines: std::iter::once(first).chain(rest).collect(), cuts: Vec::new() }
}

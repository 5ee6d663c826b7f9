//! One logical line → lines of text: blanks set, line breaks as they were, each continuation
//! indented by the bracket that it stands in.

use crate::ast::OtherwiseText;
use crate::ast::{ConditionText, Expr, Kind, MatchText, Value, WriteVerb};
use crate::plan::Span;
use crate::tokens::{self, Token};

/// Blanks of one step to the right.
pub(super) const STEP: usize = 4;

/// A logical line as it will be written.
#[derive(Debug, Default)]
pub(super) struct Laid {
    /// Its lines of text, the first without indentation.
    pub lines: Vec<Piece>,
    /// Where its columns begin: the line and the byte in its text.
    pub cuts: Vec<(usize, usize)>,
}

/// One line of text.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// Blanks before it, counted from where the logical line starts.
    pub indent: usize,
    /// What it says.
    pub text: String,
    /// It starts within a template, where every blank counts.
    pub raw: bool,
}

/// Parts of a line in which blanks stay as they are: expressions and constants.
pub(super) fn kept(kind: &Kind) -> Vec<Span> {
    let mut all = Vec::new();
    let matches = |all: &mut Vec<Span>, list: &[MatchText]| {
        all.extend(list.iter().map(|one| one.value.span.clone()));
    };
    let optional = |all: &mut Vec<Span>, expr: Option<&Expr>| all.extend(expr.map(|expr| expr.span.clone()));
    let value = |all: &mut Vec<Span>, value: &Value| all.push(value.span.clone());
    match kind {
        Kind::Setting { default, .. } => all.extend(default.iter().map(|value| value.span.clone())),
        Kind::Row(_, given) | Kind::Otherwise(OtherwiseText::Value(given)) => value(&mut all, given),
        Kind::Fetch { conditions, .. } => matches(&mut all, conditions),
        Kind::Lookup { by, .. } | Kind::Write(WriteVerb::Update(by), ..) => matches(&mut all, by),
        Kind::Filter(expr) | Kind::Each(_, expr) | Kind::When(expr) | Kind::ElseWhen(expr) => {
            optional(&mut all, Some(expr));
        }
        Kind::Skip(message, condition)
        | Kind::Fail(message, condition)
        | Kind::Notify(message, condition) => {
            optional(&mut all, Some(message));
            optional(&mut all, condition.as_ref().map(|ConditionText { expr, .. }| expr));
        }
        Kind::Map(_, with) => optional(&mut all, with.as_ref()),
        Kind::Field { value, when, .. } => {
            optional(&mut all, Some(value));
            all.extend(when.iter().map(|expr| expr.span.clone()));
        }
        Kind::FieldEach { list, when, .. } => {
            optional(&mut all, Some(list));
            optional(&mut all, when.as_ref());
        }
        _ => {}
    }
    all
}

/// Lays out the tokens of one logical line. `kept` are parts whose blanks stay; a column begins
/// with the first token at or behind each of `columns`.
pub(super) fn lay(text: &str, all: &[Token], kept: &[Span], columns: &[usize]) -> Laid {
    let mut laid = Laid { lines: vec![Piece::default()], cuts: Vec::new() };
    let mut brackets = Brackets::default();
    let mut columns = columns.iter().copied().peekable();
    let mut before: Option<&Token> = None;
    let mut blank_lines = 0;
    for token in all {
        if token.kind == tokens::Kind::Break && !token.within {
            blank_lines += 1;
            continue;
        }
        if blank_lines > 0 {
            if blank_lines > 1 {
                laid.lines.push(Piece::default());
            }
            brackets.line(text, token);
            laid.lines.push(Piece { indent: brackets.indent, ..Piece::default() });
            blank_lines = 0;
        } else if let Some(before) = before {
            let gap = gap(text, before, token, kept);
            laid.text().push_str(&gap);
        }
        if columns.next_if(|column| token.span.start >= *column).is_some() {
            let line = laid.lines.len() - 1;
            let at = laid.text().len();
            laid.cuts.push((line, at));
        }
        laid.say(text.get(token.span.clone()).unwrap_or_default());
        brackets.token(text, token);
        before = Some(token);
    }
    laid
}

impl Laid {
    /// The line that is written at the moment.
    fn text(&mut self) -> &mut String {
        if self.lines.is_empty() {
            self.lines.push(Piece::default());
        }
        // There is one by now.
        let last = self.lines.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "the list is not empty")]
        &mut self.lines[last].text
    }

    /// Writes a token; templates and comments may hold line breaks.
    fn say(&mut self, token: &str) {
        let mut lines = token.split('\n');
        let first = lines.next().unwrap_or_default();
        self.text().push_str(first);
        for line in lines {
            self.lines.push(Piece { indent: 0, text: line.to_owned(), raw: true });
        }
    }
}

/// What stands between two tokens of one line of text.
fn gap(text: &str, before: &Token, token: &Token, kept: &[Span]) -> String {
    let written = text.get(before.span.end..token.span.start).unwrap_or_default();
    let together = kept.iter().any(|part| part.start <= before.span.start && token.span.end <= part.end);
    if together || token.within {
        return written.to_owned();
    }
    let of = |token: &Token| text.get(token.span.clone()).unwrap_or_default();
    let begins = kept.iter().any(|part| part.start == token.span.start);
    let is_mark = |token: &Token| token.kind == tokens::Kind::Mark;
    let tight = is_mark(token) && !begins && matches!(of(token), ":" | "," | ")" | "]" | "?" | ".")
        || is_mark(before)
            && matches!(of(before), "(" | "[" | "." | "-")
            && !kept.iter().any(|part| part.end == before.span.end);
    if tight { String::new() } else { " ".to_owned() }
}

/// The brackets that are open, and how far to the right a line in them stands.
#[derive(Default)]
struct Brackets {
    /// Indentation of the line that opened each.
    open: Vec<usize>,
    /// Indentation of the line that is read.
    indent: usize,
}

impl Brackets {
    /// A line of text begins with that token.
    fn line(&mut self, text: &str, first: &Token) {
        let rest = text.get(first.span.start..).unwrap_or_default();
        let closing = rest.chars().take_while(|c| matches!(c, ')' | ']' | '}')).count();
        self.indent = if first.within {
            0
        } else if closing > 0 {
            let outermost = self.open.len().saturating_sub(closing);
            self.open.get(outermost).copied().unwrap_or_default()
        } else {
            let leads = ["??", "?.", "||", "&&", "+", "*", "%", "==", "!=", "<=", ">=", "- ", "."];
            let leads = leads.iter().any(|mark| rest.starts_with(mark)) && !rest.starts_with("..");
            match self.open.last() {
                Some(line) if leads && !self.open.is_empty() => line + 2 * STEP,
                Some(line) => line + STEP,
                None => STEP,
            }
        };
    }

    fn token(&mut self, text: &str, token: &Token) {
        if token.kind != tokens::Kind::Mark {
            return;
        }
        match text.get(token.span.clone()) {
            Some("(" | "[" | "{") => self.open.push(self.indent),
            Some(")" | "]" | "}") => drop(self.open.pop()),
            _ => {}
        }
    }
}

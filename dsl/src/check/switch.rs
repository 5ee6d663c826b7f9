//! `switch`: what it gives, and cases that its value never is.
//!
//! Rhai keeps the hashes of cases and not their values, so these are read from the text.

use rhai::{Expr, Position};

use super::Checker;
use super::known::{Kind, Known};
use crate::plan::{self, Span};
use crate::problem::{Code, Problem, did_you_mean};
use crate::tokens::{self, Token, tokens};

impl<'c> Checker<'c> {
    pub(super) fn switch(
        &mut self,
        switch: &(Expr, rhai::SwitchCasesCollection),
        position: Position,
        at: &plan::Expr,
    ) -> Known<'c> {
        let (expr, cases) = switch;
        let value = self.ask(expr, at);
        if let Kind::Options(options) = &value.kind {
            for (text, place) in written_cases(at, position) {
                if options.is_empty() || text.is_empty() || options.contains(&text) {
                    continue;
                }
                let help = did_you_mean(&text, options.iter().map(String::as_str), "it is one of");
                self.report(
                    Problem::new(Code::NotAnOption, place, format!("the value is never `{text}`"))
                        .label("not one of its values")
                        .maybe_help(help),
                );
            }
        }
        let mut gives: Option<Known<'c>> = None;
        for case in &cases.expressions {
            self.ask(&case.lhs, at);
            let known = self.walk(&case.rhs, at);
            gives = Some(match gives {
                Some(gives) => gives.either(known),
                None => known,
            });
        }
        let gives = gives.unwrap_or_else(Known::any);
        if cases.def_case.is_some() { gives } else { gives.or_absent(&[]) }
    }
}

/// What is being read of a `switch`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// What it looks at.
    Value,
    Case,
    /// `if` behind a case.
    Condition,
    /// Behind `=>`.
    Result,
}

/// The texts that stand as cases of the `switch` that begins there, and their places in the file.
fn written_cases(at: &plan::Expr, position: Position) -> Vec<(String, Span)> {
    let begin =
        position.line().zip(position.position()).and_then(|(line, column)| offset(&at.rhai, line, column));
    let Some(begin) = begin else { return Vec::new() };
    let text = at.rhai.get(begin..).unwrap_or_default();
    // Of a function of a script, the text is not here.
    if !text.starts_with("switch") {
        return Vec::new();
    }
    let all: Vec<Token> = tokens(text)
        .into_iter()
        .filter(|token| !matches!(token.kind, tokens::Kind::Comment | tokens::Kind::Break))
        .collect();
    let written = |token: &Token| text.get(token.span.clone()).unwrap_or_default();
    let mut cases = Vec::new();
    let (mut depth, mut part) = (0_usize, Part::Value);
    for (index, token) in all.iter().enumerate() {
        match written(token) {
            "{" if depth == 0 => (depth, part) = (1, Part::Case),
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth = depth.saturating_sub(1);
                match (written(token), depth, part) {
                    ("}", 0, _) => return cases,
                    // A block needs no comma behind it.
                    ("}", 1, Part::Result) => part = Part::Case,
                    _ => {}
                }
            }
            "," if depth == 1 => part = Part::Case,
            "if" if depth == 1 && part == Part::Case => part = Part::Condition,
            "=>" if depth == 1 => part = Part::Result,
            case if depth == 1 && part == Part::Case && token.kind == tokens::Kind::Text => {
                let is_case =
                    all.get(index + 1).is_some_and(|next| matches!(written(next), "=>" | "|" | "if"));
                let plain = case.strip_prefix('"').and_then(|case| case.strip_suffix('"'));
                if let (Some(plain), true) = (plain.filter(|plain| !plain.contains('\\')), is_case)
                    && let Some((line, column)) = line_and_column(&at.rhai, begin + token.span.start)
                {
                    let place = Checker::span_of(at, Position::new(line, column), case.len());
                    cases.push((plain.to_owned(), place));
                }
            }
            _ => {}
        }
    }
    cases
}

/// The byte at a line and a column, both from one; columns in characters.
fn offset(text: &str, line: usize, column: usize) -> Option<usize> {
    let start = text.split_inclusive('\n').take(line - 1).map(str::len).sum::<usize>();
    let (within, _) = text.get(start..)?.char_indices().nth(column - 1)?;
    Some(start + within)
}

fn line_and_column(text: &str, offset: usize) -> Option<(u16, u16)> {
    let before = text.get(..offset)?;
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Some((line.try_into().ok()?, column.try_into().ok()?))
}

//! Names within expressions: the heads of paths, settings, tables, scripts, and what an
//! expression gives itself.

use dsl::catalog::{Field, Type};
use dsl::plan::Span;
use dsl::tokens::{Kind, Token};
use dsl::{Gives, Source};

use super::{Binding, Names, Use, What, shapes};

/// Words that Rhai keeps for itself.
const KEYWORDS: [&str; 22] = [
    "if", "else", "switch", "for", "in", "while", "loop", "do", "until", "let", "const", "return", "throw",
    "break", "continue", "true", "false", "try", "catch", "fn", "this", "_",
];

/// Functions that give the list, or an item of it, that they are called on.
const SAME: [&str; 6] = ["filter", "sort", "sorted", "reverse", "unique", "take"];
const ITEM: [&str; 5] = ["find", "first", "last", "min_by", "max_by"];

/// A word that Rhai keeps for itself.
pub(in crate::lsp) fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(&word)
}

impl Names<'_> {
    fn token(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| self.written(&token.span))
    }

    fn is_word(&self, index: usize) -> bool {
        self.tokens.get(index).is_some_and(|token| token.kind == Kind::Word)
    }

    /// The token before that one, comments and line ends aside.
    pub(in crate::lsp) fn before(&self, index: usize) -> Option<usize> {
        let quiet = |token: &Token| matches!(token.kind, Kind::Comment | Kind::Break);
        (0..index).rev().find(|at| self.tokens.get(*at).is_some_and(|token| !quiet(token)))
    }

    pub(in crate::lsp) fn after(&self, index: usize) -> Option<usize> {
        let quiet = |token: &Token| matches!(token.kind, Kind::Comment | Kind::Break);
        (index + 1..self.tokens.len()).find(|at| self.tokens.get(*at).is_some_and(|token| !quiet(token)))
    }

    fn mark_before(&self, index: usize) -> &str {
        self.before(index).map_or("", |at| self.token(at))
    }

    fn mark_after(&self, index: usize) -> &str {
        self.after(index).map_or("", |at| self.token(at))
    }

    /// Notes the names that an expression reads.
    pub(super) fn expression(&mut self, span: &Span) {
        self.expressions.push(span.clone());
        let from = self.tokens.partition_point(|token| token.span.start < span.start);
        let till = self.tokens.partition_point(|token| token.span.start < span.end);
        self.locals(from, till, span);
        for index in from..till {
            if !self.is_word(index) {
                continue;
            }
            if let Some(found) = self.head_of(index, from) {
                let Some(token) = self.tokens.get(index) else { continue };
                self.uses.push(Use { span: token.span.clone(), binding: found });
            }
        }
    }

    /// What the word at that token stands for, when it is a name of the flow.
    fn head_of(&self, index: usize, from: usize) -> Option<usize> {
        let (word, at) = (self.token(index), self.tokens.get(index)?.span.start);
        let before = if index > from { self.mark_before(index) } else { "" };
        let after = self.mark_after(index);
        if matches!(before, "." | "?.") {
            let head = self.before(self.before(index)?)?;
            let is_settings = self.token(head) == "settings" && !matches!(self.mark_before(head), "." | "?.");
            return self.find(word, at, |what| what == What::Setting).filter(|_| is_settings);
        }
        if after == "::" {
            return self.find(word, at, |what| what == What::Script);
        }
        if before == "::" || is_keyword(word) || (after == ":" && before != "?") {
            return None;
        }
        let found = self.find(word, at, |what| matches!(what, What::Record | What::Local | What::Table))?;
        // Where it is given is no reading of it.
        (self.bindings.get(found)?.span.start != at).then_some(found)
    }

    /// Names that the expression gives itself.
    fn locals(&mut self, from: usize, till: usize, span: &Span) {
        let mut index = from;
        while index < till {
            let starts_value = index == from
                || matches!(
                    self.mark_before(index),
                    "(" | "," | "=" | "{" | "[" | "=>" | ":" | "return" | "&&" | "||" | "??"
                );
            match self.token(index) {
                "|" if starts_value => {
                    let mut end = index + 1;
                    while end < till && self.token(end) != "|" {
                        end += 1;
                    }
                    let scope = self.tokens.get(end).map_or(span.end, |token| token.span.end);
                    let scope = scope..self.end_of_value(end + 1, till, span.end);
                    let shape = self.shape_of_item(index);
                    for word in index + 1..end {
                        if self.is_word(word) {
                            let shape = if word == index + 1 { shape.clone() } else { Type::Any };
                            self.local(word, scope.clone(), shape);
                        }
                    }
                    index = end;
                }
                "let" | "const" | "for" if self.is_word(index) => {
                    let mut word = index + 1;
                    while word < till && (self.is_word(word) || matches!(self.token(word), "(" | "," | ")")) {
                        if self.token(word) == "in" {
                            break;
                        }
                        if self.is_word(word) {
                            let start = self.tokens.get(word).map_or(span.end, |token| token.span.end);
                            let scope = start..self.end_of_block(word, till, span.end);
                            self.local(word, scope, self.given_at(word));
                        }
                        word += 1;
                    }
                }
                _ => {}
            }
            index += 1;
        }
    }

    fn local(&mut self, index: usize, scope: Span, shape: Type) {
        let Some(span) = self.tokens.get(index).map(|token| token.span.clone()) else { return };
        let name = self.token(index).to_owned();
        let value = Some(span.clone());
        self.bindings.push(Binding {
            name,
            line: span.clone(),
            span,
            what: What::Local,
            scope,
            shape,
            value,
        });
    }

    /// Where the value ends that begins at that token: at the comma or bracket around it.
    fn end_of_value(&self, from: usize, till: usize, end: usize) -> usize {
        self.end_where(from, till, end, |mark| mark == "," || mark == ";")
    }

    fn end_of_block(&self, from: usize, till: usize, end: usize) -> usize {
        self.end_where(from, till, end, |_| false)
    }

    fn end_where(&self, from: usize, till: usize, end: usize, stops: impl Fn(&str) -> bool) -> usize {
        let mut open = 0_usize;
        for index in from..till {
            let Some(token) = self.tokens.get(index) else { break };
            if token.kind == Kind::Template {
                // `${` opens and `}` closes.
                let written = self.written(&token.span);
                if written.starts_with('}') {
                    if open == 0 {
                        return token.span.start;
                    }
                    open -= 1;
                }
                open += usize::from(written.ends_with("${"));
                continue;
            }
            match self.token(index) {
                "(" | "[" | "{" => open += 1,
                ")" | "]" | "}" => {
                    if open == 0 {
                        return token.span.start;
                    }
                    open -= 1;
                }
                mark if open == 0 && stops(mark) => return token.span.start,
                _ => {}
            }
        }
        end
    }

    /// What a closure's parameter stands for: `order.lines.filter(|line| …)`.
    fn shape_of_item(&self, bar: usize) -> Type {
        let shape = || {
            let open = self.before(bar).filter(|at| self.token(*at) == "(")?;
            let function = self.before(open).filter(|at| self.is_word(*at))?;
            let dot = self.before(function).filter(|at| matches!(self.token(*at), "." | "?."))?;
            Some(shapes::item(self.chain_before(dot)?))
        };
        shape().unwrap_or(Type::Any)
    }

    /// What is known of the path that ends before that dot.
    pub(in crate::lsp) fn chain_before(&self, dot: usize) -> Option<Type> {
        let mut head = self.before(dot)?;
        loop {
            if matches!(self.token(head), ")" | "]") {
                let open = self.opening(head)?;
                let before = self.before(open);
                // A call has no blank before its bracket; `with (…)` is none.
                let joined = |at: usize| {
                    self.tokens.get(at).map(|word| word.span.end)
                        == self.tokens.get(open).map(|open| open.span.start)
                };
                let called = before.is_some_and(|at| self.is_word(at) && joined(at));
                if !called {
                    // `(order.lines ?? [])` stands for itself.
                    head = open;
                    break;
                }
                head = before?;
            }
            if !self.is_word(head) {
                return None;
            }
            match self.before(head) {
                Some(before) if matches!(self.token(before), "." | "?.") => head = self.before(before)?,
                _ => break,
            }
        }
        let (shape, end) = self.chain(head, dot)?;
        (end == dot).then_some(shape)
    }

    fn opening(&self, close: usize) -> Option<usize> {
        let mut open = 0_usize;
        for index in (0..=close).rev() {
            match self.token(index) {
                ")" | "]" | "}" => open += 1,
                "(" | "[" | "{" => {
                    open = open.checked_sub(1)?;
                    if open == 0 {
                        return Some(index);
                    }
                }
                _ => {}
            }
        }
        None
    }

    fn closing(&self, start: usize, till: usize) -> Option<usize> {
        let mut open = 0_usize;
        for index in start..till {
            match self.token(index) {
                "(" | "[" | "{" => open += 1,
                ")" | "]" | "}" => {
                    open = open.checked_sub(1)?;
                    if open == 0 {
                        return Some(index);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// What is known of the path whose first word, or bracket, is there, and the token behind it.
    fn chain(&self, head: usize, till: usize) -> Option<(Type, usize)> {
        let at = self.tokens.get(head)?.span.start;
        let word = self.token(head);
        let mut index = head + 1;
        let mut shape = if word == "settings" {
            self.settings()
        } else if word == "(" {
            let close = self.closing(head, till)?;
            index = close + 1;
            let last = self.before(close).filter(|last| *last > head)?;
            let inner = self.tokens.get(head + 1)?.span.start..self.tokens.get(last)?.span.end;
            self.shape_of(&inner)
        } else {
            let found =
                self.find(word, at, |what| matches!(what, What::Record | What::Local | What::Table))?;
            let binding = self.bindings.get(found)?;
            if binding.what == What::Table {
                if self.token(index) != "[" {
                    return None;
                }
                index = self.closing(index, till)? + 1;
            }
            binding.shape.clone()
        };
        while index < till {
            match self.token(index) {
                "[" => {
                    index = self.closing(index, till)? + 1;
                    shape = shapes::item(shape);
                }
                "." | "?." if self.is_word(index + 1) => {
                    let name = self.token(index + 1);
                    index += 2;
                    if self.token(index) == "(" {
                        index = self.closing(index, till)? + 1;
                        shape = match name {
                            name if SAME.contains(&name) => shape,
                            name if ITEM.contains(&name) => shapes::item(shape),
                            _ => Type::Any,
                        };
                    } else {
                        let Type::Record(fields) = &shape else { return Some((Type::Any, index)) };
                        let field = fields.iter().find(|field| field.name == name);
                        shape = field.map_or(Type::Any, |field| field.kind.clone());
                    }
                }
                _ => {
                    let quiet = self.tokens.get(index).map(|token| token.kind);
                    if matches!(quiet, Some(Kind::Break | Kind::Comment)) {
                        index += 1;
                    } else {
                        break;
                    }
                }
            }
        }
        Some((shape, index))
    }

    fn settings(&self) -> Type {
        let all = self.bindings.iter().filter(|binding| binding.what == What::Setting);
        Type::Record(all.map(|setting| Field::plain(&setting.name, setting.shape.clone())).collect())
    }

    /// What is known of an expression as a whole: of a plain path, or of the first of several that
    /// are joined by `??`, also while the flow is half written; else what the checker knows.
    pub(super) fn shape_of(&self, span: &Span) -> Type {
        let from = self.tokens.partition_point(|token| token.span.start < span.start);
        let till = self.tokens.partition_point(|token| token.span.start < span.end);
        match self.chain(from, till) {
            Some((shape, end)) if end >= till || self.token(end) == "??" => shape,
            _ => shapes::only(self.gives(span)),
        }
    }

    /// The type of a name that an expression gives itself.
    fn given_at(&self, index: usize) -> Type {
        let token = self.tokens.get(index);
        shapes::only(token.and_then(|token| self.gives(&token.span)))
    }

    /// What the checker knows of the value that stands there.
    pub(in crate::lsp) fn gives(&self, span: &Span) -> Option<&Gives> {
        let all = self.checked.get_or_init(|| dsl::gives(&Source::new("", self.text), self.catalog));
        let at = all.binary_search_by_key(&(span.start, span.end), |(place, _)| (place.start, place.end));
        all.get(at.ok()?).map(|(_, gives)| gives)
    }

    /// The field that the word at that token reads, when it is one: `order.customer.email`.
    pub(in crate::lsp) fn field_at(&self, index: usize) -> Option<Field> {
        let dot = self.before(index).filter(|at| matches!(self.token(*at), "." | "?."))?;
        let Type::Record(fields) = self.chain_before(dot)? else { return None };
        fields.into_iter().find(|field| field.name == self.token(index))
    }
}

//! Expressions: Rhai text is cut out, table look-ups by several keys are rewritten, and Rhai
//! itself says whether it understands the rest.

use rhai::{OptimizationLevel, ParseErrorType};

use super::Checker;
use super::advice;
use super::known::{Kind, Known};
use crate::ast;
use crate::plan::{self, Span};
use crate::problem::{Code, Problem};

/// Deepest nesting of one expression that Rhai is asked to read. Whoever compiles a plan's
/// expressions must allow at least as much.
pub const MAX_EXPRESSION_DEPTH: usize = 96;

/// Longest single expression, in bytes.
const MAX_EXPRESSION: usize = 16 << 10;

/// The Rhai that reads expressions: it never runs one.
pub(super) fn engine() -> rhai::Engine {
    let mut engine = rhai::Engine::new_raw();
    engine.set_optimization_level(OptimizationLevel::None);
    engine.set_max_expr_depths(MAX_EXPRESSION_DEPTH, MAX_EXPRESSION_DEPTH);
    engine
}

/// What an expression is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Its value is used.
    Value,
    /// It decides; a record counts as true, `()` as false.
    Condition,
}

/// A checked expression with what is known of its value.
pub(super) struct Checked<'c> {
    pub expr: plan::Expr,
    pub known: Known<'c>,
}

impl<'c> Checker<'c> {
    /// Checks an expression. `faulty` lines have had their problem: nothing is said of them.
    pub(super) fn expr(&mut self, written: &ast::Expr, purpose: Purpose, faulty: bool) -> Checked<'c> {
        let span = written.span.clone();
        let text = self.text.get(span.clone()).unwrap_or_default().to_owned();
        let expr = self.rewrite(&text, &span);
        if faulty {
            return Checked { expr, known: Known::any() };
        }
        if text.is_empty() {
            self.report(
                Problem::new(Code::MissingExpression, span, "nothing stands here")
                    .label("expected an expression"),
            );
            return Checked { expr, known: Known::any() };
        }
        let known = self.compile(&expr, &text, purpose);
        self.note(expr.span.clone(), &known);
        if purpose == Purpose::Condition {
            self.check_condition(&known, &expr);
        }
        Checked { expr, known }
    }

    fn compile(&mut self, expr: &plan::Expr, text: &str, purpose: Purpose) -> Known<'c> {
        if text.len() > MAX_EXPRESSION {
            self.report(too_deep(expr.span.clone(), "this expression is too long"));
            return Known::any();
        }
        if let Some(mark) = text.strip_suffix([';', ',']).map(str::len) {
            let place = expr.span.start + mark..expr.span.end;
            let written = text.get(mark..).unwrap_or_default();
            self.report(
                Problem::new(Code::Statement, place, format!("a line ends without `{written}`"))
                    .label("too much")
                    .help("take it away"),
            );
            return Known::any();
        }
        if let Some(problem) = advice::of_other_languages(text, &expr.span, purpose) {
            self.report(problem);
            return Known::any();
        }
        let ast = match self.engine.compile(&expr.rhai) {
            Ok(ast) => ast,
            Err(error) => {
                let (line, column) = (error.1.line().unwrap_or(1), error.1.position().unwrap_or(1));
                let at = if error.1.is_none() { expr.span.end } else { expr.place(line, column) };
                self.report(match *error.0 {
                    ParseErrorType::ExprTooDeep => {
                        too_deep(expr.span.clone(), "this expression is nested too deep")
                    }
                    ref kind => advice::of_rhai(kind, at, text, &expr.span),
                });
                return Known::any();
            }
        };
        self.locals.clear();
        let known = self.walk_ast(&ast, expr, purpose);
        self.locals.clear();
        known
    }

    fn check_condition(&mut self, known: &Known<'c>, expr: &plan::Expr) {
        let help = match known.kind {
            Kind::Any | Kind::Nothing | Kind::Never | Kind::OneOf(_) | Kind::Boolean | Kind::Record(_) => {
                return;
            }
            Kind::List(_) => "ask how many there are: `NAME.len() > 0`".to_owned(),
            Kind::Text | Kind::Options(_) => {
                "compare it with something: `… == \"paid\"`, or `… != \"\"`".to_owned()
            }
            Kind::Integer | Kind::Decimal => "compare it with something: `… > 0`".to_owned(),
            _ => "compare it with something, or with `()` to ask whether it is there".to_owned(),
        };
        let what = known.kind.name().unwrap_or("this");
        self.report(
            Problem::new(Code::NotACondition, expr.span.clone(), "a condition is true or false")
                .label(format!("this is {what}"))
                .help(help),
        );
    }

    /// `vat_code[a, b]` is no Rhai: it becomes `vat_code[[a, b]]`.
    fn rewrite(&mut self, text: &str, span: &Span) -> plan::Expr {
        let mut at = Vec::new();
        if self.plan.tables.iter().any(|table| text.contains(table.name.as_str())) {
            let code = advice::code_mask(text);
            for (open, close) in brackets_with_commas(text, &code, |name| {
                self.plan.tables.iter().any(|table| table.name == name)
            }) {
                at.extend([(open + 1, '['), (close, ']')]);
            }
        }
        at.sort_by_key(|(place, bracket)| (*place, *bracket == '['));
        let mut rhai = String::with_capacity(text.len() + at.len());
        let mut inserted = Vec::new();
        let mut done = 0;
        for (place, bracket) in at {
            rhai.push_str(text.get(done..place).unwrap_or_default());
            inserted.push((rhai.len(), 1));
            rhai.push(bracket);
            done = place;
        }
        rhai.push_str(text.get(done..).unwrap_or_default());
        plan::Expr { rhai, span: span.clone(), inserted }
    }
}

fn too_deep(at: Span, message: &str) -> Problem {
    Problem::new(Code::TooDeep, at, message)
        .label("too much for one expression")
        .help("give parts of it a name with `map`, or move it into a script function")
}

/// Brackets right behind a name that `is_table`, with a comma of their own in them.
fn brackets_with_commas(text: &str, code: &[bool], is_table: impl Fn(&str) -> bool) -> Vec<(usize, usize)> {
    struct Open {
        at: usize,
        table: bool,
        commas: bool,
    }
    let mut open: Vec<Open> = Vec::new();
    let mut found = Vec::new();
    for (at, byte) in text.bytes().enumerate() {
        if !code.get(at).copied().unwrap_or_default() {
            continue;
        }
        match byte {
            b'(' | b'{' => open.push(Open { at, table: false, commas: false }),
            b'[' => open.push(Open { at, table: is_table(name_before(text, at)), commas: false }),
            b',' => {
                if let Some(last) = open.last_mut() {
                    last.commas = true;
                }
            }
            b')' | b'}' | b']' => {
                if let Some(Open { at: start, table: true, commas: true }) = open.pop() {
                    found.push((start, at));
                }
            }
            _ => {}
        }
    }
    found
}

/// The name that ends at `at`, unless it is a field of something.
fn name_before(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    let start = before.rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(0, |index| index + 1);
    let name = before.get(start..).unwrap_or_default();
    let is_field = before.get(..start).unwrap_or_default().trim_end().ends_with('.');
    if is_field { "" } else { name }
}

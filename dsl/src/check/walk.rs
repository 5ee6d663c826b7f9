//! Rhai's own tree of an expression, followed statement by statement: what each name stands for,
//! and what comes out.

use std::rc::Rc;

use rhai::{Expr, Position, Stmt, StmtBlock};

use super::Checker;
use super::bodies::Bodies;
use super::exprs::Purpose;
use super::known::{Kind, Known, Made, Shape};
use crate::plan::{self, Constant, Span};
use crate::problem::{Code, Problem};

impl<'c> Checker<'c> {
    /// Follows the whole expression; gives what is known of its value.
    pub(super) fn walk_ast(&mut self, ast: &rhai::AST, at: &plan::Expr, purpose: Purpose) -> Known<'c> {
        self.bodies = Bodies::read(ast);
        self.testing = purpose == Purpose::Condition;
        let known = match ast.statements() {
            [only] => self.statement_of_expression(only, at, purpose),
            [] => Known::any(),
            [_, second, ..] => {
                let place = Self::span_of(at, second.position(), 1);
                self.report(
                    Problem::new(Code::Statement, place, "an expression is one value")
                        .label("a second statement starts here")
                        .help("put braces around: `{ let x = …; x + 1 }`, or move it into a script function"),
                );
                Known::any()
            }
        };
        self.testing = false;
        known
    }

    fn statement_of_expression(&mut self, statement: &Stmt, at: &plan::Expr, purpose: Purpose) -> Known<'c> {
        let refused = match statement {
            Stmt::Assignment(..) if purpose == Purpose::Condition => {
                Some((Code::AssignmentInCondition, "a condition compares with `==`", "write `==`"))
            }
            Stmt::Assignment(..) => Some((
                Code::Statement,
                "a value is wanted, not an assignment",
                "compare with `==`; a value that is used twice gets its name with `map`",
            )),
            Stmt::Var(..) => Some((
                Code::Statement,
                "a value is wanted, not `let`",
                "put braces around: `{ let x = …; x + 1 }`, or give it a name with `map`",
            )),
            Stmt::While(..) | Stmt::Do(..) | Stmt::For(..) => Some((
                Code::Statement,
                "a value is wanted, not a loop",
                "use `each` in the flow, or move the loop into a script function",
            )),
            Stmt::Return(..) | Stmt::BreakLoop(..) => Some((
                Code::Statement,
                "a value is wanted, not a jump",
                "use `skip` or `fail` to leave a record out",
            )),
            Stmt::Import(..) | Stmt::Export(..) => Some((
                Code::Statement,
                "scripts are brought in by the head of the flow",
                "write `use \"scripts/NAME.rhai\" as NAME` above",
            )),
            _ => None,
        };
        if let Some((code, message, help)) = refused {
            let place = Self::span_of(at, statement.position(), 1);
            self.report(Problem::new(code, place, message).label("not a value").help(help));
            return Known::any();
        }
        self.statement(statement, at)
    }

    /// Where a position of Rhai stands in the file.
    pub(super) fn span_of(at: &plan::Expr, position: Position, length: usize) -> Span {
        if position.is_none() {
            return at.span.clone();
        }
        let (line, column) = (position.line().unwrap_or(1), position.position().unwrap_or(1));
        if let Some(place) = super::called::in_script(at, line, column) {
            return place;
        }
        let start = at.place(line, column);
        start..(start + length.max(1)).min(at.span.end.max(start + 1))
    }

    fn block(&mut self, block: &StmtBlock, at: &plan::Expr) -> Known<'c> {
        let known = self.statements(block.statements(), at);
        if block.is_empty() { Known::constant(Constant::Nothing, at.span.clone()) } else { known }
    }

    /// Follows statements; what they give is what the last of them gives.
    pub(super) fn statements(&mut self, statements: &[Stmt], at: &plan::Expr) -> Known<'c> {
        let depth = self.locals.len();
        let mut last = Known::any();
        for (number, statement) in statements.iter().enumerate() {
            // What a condition asks is what its last statement says.
            let testing = self.testing && number + 1 == statements.len();
            let testing = std::mem::replace(&mut self.testing, testing);
            last = self.statement(statement, at);
            self.testing = testing;
        }
        self.locals.truncate(depth);
        last
    }

    fn statement(&mut self, statement: &Stmt, at: &plan::Expr) -> Known<'c> {
        match statement {
            Stmt::Expr(expr) => return self.walk(expr, at),
            Stmt::FnCall(call, position) => return self.call(call, *position, at),
            Stmt::Block(block) => return self.block(block, at),
            Stmt::If(flow, position) => {
                let condition = self.ask(&flow.expr, at);
                self.refuse_record(&condition, &flow.expr, at, "if");
                let then = self.block(&flow.body, at);
                let other = self.block(&flow.branch, at);
                let known = then.either(other);
                self.note(Self::span_of(at, *position, "if".len()), &known);
                return known;
            }
            Stmt::Switch(switch, position) => {
                let known = self.switch(switch, *position, at);
                self.note(Self::span_of(at, *position, "switch".len()), &known);
                return known;
            }
            Stmt::While(flow, _) | Stmt::Do(flow, ..) => {
                self.ask(&flow.expr, at);
                self.block(&flow.body, at);
            }
            Stmt::For(parts, _) => {
                let (name, counter, flow) = &**parts;
                let item = self.walk(&flow.expr, at).item();
                let depth = self.locals.len();
                self.note(Self::span_of(at, name.pos, name.name.len()), &item);
                self.give_local(&name.name, item);
                if let Some(counter) = counter {
                    self.give_local(&counter.name, Kind::Integer.into());
                }
                self.block(&flow.body, at);
                self.locals.truncate(depth);
            }
            Stmt::Var(parts, ..) => {
                let (name, value, _) = &**parts;
                let known = self.walk(value, at);
                let known = self.give_local(&name.name, known);
                self.note(Self::span_of(at, name.pos, name.name.len()), &known);
            }
            Stmt::Assignment(parts) => {
                self.walk(&parts.1.lhs, at);
                self.walk(&parts.1.rhs, at);
                return Kind::Nothing.into();
            }
            Stmt::TryCatch(flow, _) => {
                let known = self.block(&flow.body, at);
                let depth = self.locals.len();
                if let Expr::Variable(variable, ..) = &flow.expr {
                    self.give_local(&variable.1, Known::any());
                }
                let other = self.block(&flow.branch, at);
                self.locals.truncate(depth);
                return known.either(other);
            }
            Stmt::Return(value, flags, _) => {
                let known = value.as_ref().map_or_else(
                    || Known::constant(Constant::Nothing, at.span.clone()),
                    |value| self.walk(value, at),
                );
                // `throw` is told apart by a flag.
                if !flags.intersects(rhai::ASTFlags::BREAK) {
                    self.returns.push(known);
                }
                return Kind::Never.into();
            }
            Stmt::BreakLoop(Some(expr), ..) => drop(self.walk(expr, at)),
            _ => {}
        }
        Known::any()
    }

    /// Follows an expression that decides something.
    pub(super) fn ask(&mut self, expr: &Expr, at: &plan::Expr) -> Known<'c> {
        let before = std::mem::replace(&mut self.testing, true);
        let known = self.walk(expr, at);
        self.testing = before;
        known
    }

    /// A name that the expression gives itself; gives what is known of it.
    pub(super) fn give_local(&mut self, name: &str, known: Known<'c>) -> Known<'c> {
        let known = if self.bodies.is_changed(&self.function, name) { Known::any() } else { known };
        self.locals.push((name.to_owned(), known.clone()));
        known
    }

    /// Follows one expression.
    pub(super) fn walk(&mut self, expr: &Expr, at: &plan::Expr) -> Known<'c> {
        let constant = |constant: Constant, length: usize| {
            Known::constant(constant, Self::span_of(at, expr.start_position(), length))
        };
        match expr {
            Expr::BoolConstant(value, _) => constant(Constant::Boolean(*value), 4),
            Expr::IntegerConstant(value, _) => constant(Constant::Integer(*value), value.to_string().len()),
            Expr::StringConstant(value, _) => constant(Constant::Text(value.to_string()), value.len() + 2),
            Expr::CharConstant(..) => Kind::Text.into(),
            Expr::DynamicConstant(value, _) => match value.as_decimal() {
                Ok(decimal) => constant(Constant::Decimal(decimal), decimal.to_string().len()),
                Err(_) => self.kept_function(expr, at),
            },
            Expr::Unit(_) => constant(Constant::Nothing, 2),
            Expr::InterpolatedString(parts, _) => {
                for part in parts {
                    self.walk(part, at);
                }
                Kind::Text.into()
            }
            Expr::Array(items, _) => {
                let items: Vec<_> = items.iter().map(|item| self.walk(item, at)).collect();
                Known::list_of(items.into_iter().reduce(Known::either).unwrap_or(Kind::Never.into()))
            }
            Expr::Map(entries, _) => {
                let fields = entries.0.iter().map(|(name, value)| Made {
                    name: name.name.to_string(),
                    known: self.walk(value, at),
                    at: Self::span_of(at, name.pos, name.name.len()),
                });
                let fields: Vec<_> = fields.collect();
                Kind::Record(Shape::Made { fields: Rc::new(fields), whose: "#{…}".into() }).into()
            }
            Expr::Variable(variable, _, position) => self.variable(&variable.1, &variable.2, *position, at),
            Expr::Stmt(_) if super::bodies::closure(expr).is_some() => self.kept_function(expr, at),
            Expr::Stmt(block) => self.block(block, at),
            Expr::FnCall(call, position) | Expr::MethodCall(call, position) => self.call(call, *position, at),
            Expr::Dot(..) | Expr::Index(..) => self.path(expr, at),
            Expr::And(items, _) | Expr::Or(items, _) => {
                let operator = if matches!(expr, Expr::And(..)) { "&&" } else { "||" };
                for item in items.iter() {
                    let known = self.ask(item, at);
                    self.refuse_record(&known, item, at, operator);
                }
                Kind::Boolean.into()
            }
            Expr::Coalesce(items, _) => self.coalesce(items, at),
            _ => Known::any(),
        }
    }

    /// `a ?? b`: there is no value only when the last has none.
    fn coalesce(&mut self, items: &[Expr], at: &plan::Expr) -> Known<'c> {
        let mut all: Option<Known<'c>> = None;
        for item in items {
            let known = self.walk(item, at);
            all = Some(match all {
                None => known,
                Some(before) => {
                    let absent = known.absent.clone();
                    Known { absent, ..before.either(known) }
                }
            });
        }
        all.unwrap_or_else(Known::any)
    }

    /// A function that is not called at once: nothing is known of what it will be given.
    fn kept_function(&mut self, expr: &Expr, at: &plan::Expr) -> Known<'c> {
        if let Some(closure) = super::bodies::closure(expr) {
            self.closure(&closure, &[], at);
        }
        Known::any()
    }

    fn variable(
        &mut self,
        name: &str,
        namespace: &rhai::Namespace,
        position: Position,
        at: &plan::Expr,
    ) -> Known<'c> {
        if let Some(module) = namespace.path.first() {
            let place = Self::span_of(at, module.pos, module.name.len());
            self.check_module(&module.name, place);
            return Known::any();
        }
        if let Some((_, known)) = self.locals.iter().rev().find(|(local, _)| local == name) {
            return known.clone();
        }
        if self.within.is_some() {
            return Known::any();
        }
        if self.testing {
            self.tested.insert(name.to_owned());
        }
        if name == "settings" {
            return Kind::Settings.into();
        }
        if let Some(binding) = self.scope.get(name) {
            return binding.known.clone();
        }
        if let Some(table) = self.plan.tables.iter().position(|table| table.name == name) {
            return Kind::Table(table).into();
        }
        let place = Self::span_of(at, position, name.len());
        self.unknown_name(name, place);
        Known::any()
    }

    /// Records are true or false in the conditions of the flow, not within Rhai.
    pub(super) fn refuse_record(&mut self, known: &Known<'c>, expr: &Expr, at: &plan::Expr, operator: &str) {
        let Kind::Record(_) = known.kind else { return };
        let (name, is_lookup) = match expr {
            Expr::Variable(variable, ..) => {
                let name = variable.1.as_str();
                (name.to_owned(), self.scope.get(name).is_some_and(|binding| binding.is_lookup))
            }
            _ => return,
        };
        let place = Self::span_of(at, expr.start_position(), name.len());
        let absent = if is_lookup { "found" } else { "there" };
        let help = if operator == "!" {
            format!("write `{name} == ()` for \"not {absent}\"; or use `unless {name}` in `skip` and `fail`")
        } else {
            format!("write `{name} != ()` for \"{absent}\", `{name} == ()` for \"not {absent}\"")
        };
        self.report(
            Problem::new(
                Code::RecordAsBoolean,
                place,
                format!("`{operator}` takes true or false, and `{name}` is a record"),
            )
            .label("a record, or `()` when there is none")
            .help(help),
        );
    }
}

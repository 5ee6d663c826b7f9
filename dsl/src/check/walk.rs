//! Rhai's own tree of an expression, followed as far as plain field paths go.
//!
//! Names that an expression gives itself (`let`, loops, parameters) are not followed: of them
//! nothing is known and nothing is said.

use rhai::{ASTFlags, ASTNode, Expr, FnCallExpr, Position, Stmt, StmtBlock};

use super::Checker;
use super::exprs::Purpose;
use super::known::{Kind, Known, Shape};
use crate::plan::{self, Constant, Span};
use crate::problem::{Code, Problem};

/// One step of a path: `.name`, `.name(…)`, `[…]`.
pub(super) enum Link<'e> {
    Field(&'e str, Position),
    Call(&'e FnCallExpr, Position),
    Index(&'e Expr),
    Other(&'e Expr),
}

impl<'c> Checker<'c> {
    /// Follows the whole expression; gives what is known of its value.
    pub(super) fn walk_ast(&mut self, ast: &rhai::AST, at: &plan::Expr, purpose: Purpose) -> Known<'c> {
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
        if ast.has_functions() {
            self.closures(ast, at);
        }
        known
    }

    /// Bodies of closures: their calls are looked at, their names are not.
    fn closures(&mut self, ast: &rhai::AST, at: &plan::Expr) {
        ast.clone_functions_only().walk(&mut |path: &[ASTNode<'_>]| {
            if let Some(
                ASTNode::Expr(Expr::FnCall(call, position)) | ASTNode::Stmt(Stmt::FnCall(call, position)),
            ) = path.last()
            {
                self.check_call(call, call.args.len(), *position, at);
            }
            true
        });
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
        let start = at.place(position.line().unwrap_or(1), position.position().unwrap_or(1));
        start..(start + length.max(1)).min(at.span.end.max(start + 1))
    }

    fn block(&mut self, block: &StmtBlock, at: &plan::Expr) -> Known<'c> {
        let depth = self.locals.len();
        let mut last = Known::any();
        for statement in block.iter() {
            last = self.statement(statement, at);
        }
        self.locals.truncate(depth);
        if block.is_empty() { Known::from(Kind::Nothing) } else { last }
    }

    fn statement(&mut self, statement: &Stmt, at: &plan::Expr) -> Known<'c> {
        match statement {
            Stmt::Expr(expr) => return self.walk(expr, at),
            Stmt::FnCall(call, position) => return self.call(call, *position, at),
            Stmt::Block(block) => return self.block(block, at),
            Stmt::If(flow, _) => {
                let condition = self.walk(&flow.expr, at);
                self.refuse_record(&condition, &flow.expr, at, "if");
                let then = self.block(&flow.body, at);
                let other = self.block(&flow.branch, at);
                return then.kind.either(other.kind).into();
            }
            Stmt::Switch(switch, _) => {
                let (expr, cases) = &**switch;
                self.walk(expr, at);
                let mut kind = Kind::Nothing;
                for case in &cases.expressions {
                    self.walk(&case.lhs, at);
                    kind = kind.either(self.walk(&case.rhs, at).kind);
                }
                return if matches!(kind, Kind::Nothing) { Known::any() } else { kind.into() };
            }
            Stmt::While(flow, _) | Stmt::Do(flow, ..) => {
                self.walk(&flow.expr, at);
                self.block(&flow.body, at);
            }
            Stmt::For(parts, _) => {
                let (name, counter, flow) = &**parts;
                self.walk(&flow.expr, at);
                let depth = self.locals.len();
                self.locals.push(name.name.to_string());
                self.locals.extend(counter.as_ref().map(|counter| counter.name.to_string()));
                self.block(&flow.body, at);
                self.locals.truncate(depth);
            }
            Stmt::Var(parts, ..) => {
                self.walk(&parts.1, at);
                self.locals.push(parts.0.name.to_string());
            }
            Stmt::Assignment(parts) => {
                self.walk(&parts.1.lhs, at);
                self.walk(&parts.1.rhs, at);
            }
            Stmt::TryCatch(flow, _) => {
                self.block(&flow.body, at);
                let depth = self.locals.len();
                if let Expr::Variable(variable, ..) = &flow.expr {
                    self.locals.push(variable.1.to_string());
                }
                self.block(&flow.branch, at);
                self.locals.truncate(depth);
            }
            Stmt::BreakLoop(Some(expr), ..) | Stmt::Return(Some(expr), ..) => drop(self.walk(expr, at)),
            _ => {}
        }
        Known::any()
    }

    /// Follows one expression.
    pub(super) fn walk(&mut self, expr: &Expr, at: &plan::Expr) -> Known<'c> {
        match expr {
            Expr::BoolConstant(value, _) => Known::constant(Constant::Boolean(*value)),
            Expr::IntegerConstant(value, _) => Known::constant(Constant::Integer(*value)),
            Expr::StringConstant(value, _) => Known::constant(Constant::Text(value.to_string())),
            Expr::CharConstant(..) => Kind::Text.into(),
            Expr::DynamicConstant(value, _) => value
                .as_decimal()
                .map_or_else(|_| Known::any(), |decimal| Known::constant(Constant::Decimal(decimal))),
            Expr::Unit(_) => Known::constant(Constant::Nothing),
            Expr::InterpolatedString(parts, _) => {
                for part in parts {
                    self.walk(part, at);
                }
                Kind::Text.into()
            }
            Expr::Array(items, _) => {
                let kinds: Vec<_> = items.iter().map(|item| self.walk(item, at).kind).collect();
                let kind = kinds.into_iter().reduce(Kind::either).unwrap_or(Kind::Any);
                Kind::List(Box::new(kind)).into()
            }
            Expr::Map(entries, _) => {
                let fields =
                    entries.0.iter().map(|(name, value)| (name.name.to_string(), self.walk(value, at).kind));
                let fields: Vec<_> = fields.collect();
                Kind::Record(Shape::Made { fields: fields.into(), whose: "#{…}".into() }).into()
            }
            Expr::Variable(variable, _, position) => self.variable(&variable.1, &variable.2, *position, at),
            Expr::Stmt(block) => self.block(block, at),
            Expr::FnCall(call, position) | Expr::MethodCall(call, position) => self.call(call, *position, at),
            Expr::Dot(..) | Expr::Index(..) => self.path(expr, at),
            Expr::And(items, _) | Expr::Or(items, _) => {
                let operator = if matches!(expr, Expr::And(..)) { "&&" } else { "||" };
                for item in items.iter() {
                    let known = self.walk(item, at);
                    self.refuse_record(&known, item, at, operator);
                }
                Kind::Boolean.into()
            }
            Expr::Coalesce(items, _) => {
                let kinds: Vec<_> = items.iter().map(|item| self.walk(item, at).kind).collect();
                kinds.into_iter().reduce(Kind::either).unwrap_or(Kind::Any).into()
            }
            _ => Known::any(),
        }
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
        if self.locals.iter().any(|local| local == name) {
            return Known::any();
        }
        if name == "settings" {
            return Kind::Settings.into();
        }
        if let Some(binding) = self.scope.get(name) {
            return binding.kind.clone().into();
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

    fn path(&mut self, expr: &Expr, at: &plan::Expr) -> Known<'c> {
        let mut links = Vec::new();
        let base = match expr {
            Expr::Dot(parts, ..) => {
                rest_of_path(&parts.rhs, &mut links);
                &parts.lhs
            }
            Expr::Index(parts, flags, _) => {
                index_of_path(&parts.rhs, *flags, &mut links);
                &parts.lhs
            }
            _ => return Known::any(),
        };
        let mut known = self.walk(base, at);
        for link in links {
            known = match link {
                Link::Field(name, position) => {
                    self.field_of(&known.kind, name, Self::span_of(at, position, name.len()))
                }
                Link::Index(index) => self.index_of(&known.kind, index, at),
                Link::Call(call, position) => self.method(&known.kind, call, position, at),
                Link::Other(expr) => {
                    self.walk(expr, at);
                    Known::any()
                }
            };
        }
        known
    }
}

/// What follows a dot, down to the end of the path.
fn rest_of_path<'e>(expr: &'e Expr, links: &mut Vec<Link<'e>>) {
    match expr {
        Expr::Dot(parts, ..) => {
            links.push(link(&parts.lhs));
            rest_of_path(&parts.rhs, links);
        }
        Expr::Index(parts, flags, _) => {
            links.push(link(&parts.lhs));
            index_of_path(&parts.rhs, *flags, links);
        }
        other => links.push(link(other)),
    }
}

/// What follows `[`: the index alone, or the index with the rest of the path behind it.
fn index_of_path<'e>(expr: &'e Expr, flags: ASTFlags, links: &mut Vec<Link<'e>>) {
    match expr {
        Expr::Dot(parts, ..) if !flags.intersects(ASTFlags::BREAK) => {
            links.push(Link::Index(&parts.lhs));
            rest_of_path(&parts.rhs, links);
        }
        Expr::Index(parts, inner, _) if !flags.intersects(ASTFlags::BREAK) => {
            links.push(Link::Index(&parts.lhs));
            index_of_path(&parts.rhs, *inner, links);
        }
        index => links.push(Link::Index(index)),
    }
}

fn link(expr: &Expr) -> Link<'_> {
    match expr {
        Expr::Property(property, position) => Link::Field(&property.2, *position),
        Expr::MethodCall(call, position) | Expr::FnCall(call, position) => Link::Call(call, *position),
        other => Link::Other(other),
    }
}

//! Rhai's syntax tree to ours. What has no counterpart is refused, with the reason.

use std::collections::BTreeMap;

use connectors::record::{Text, Value};
use rhai::{AST, ASTFlags, Expr, Position, Stmt};

use super::NotLowered;
use super::callee::{Body, Callee, Source};
use super::names::Names;
use super::tree::{Function, Node, Program};
use crate::script::syntax::place;

/// Most variables of one function; Rhai counts them while it runs.
const MOST_SLOTS: usize = 200;

/// Nodes within each other.
const MOST_DEPTH: usize = 200;

pub(super) type Lowered<T> = Result<T, NotLowered>;

pub(super) fn refuse<T>(reason: impl Into<String>, at: Position) -> Lowered<T> {
    Err(NotLowered { reason: reason.into(), at: place(at), inside: None })
}

/// A variable that can be seen.
#[derive(Clone, Debug)]
pub(super) struct Var {
    pub(super) name: String,
    pub(super) slot: usize,
    /// May be changed.
    pub(super) free: bool,
}

/// Lowers one expression, or one function.
pub(in crate::script) struct Lowerer<'s> {
    pub(super) source: &'s Source,
    pub(super) callees: &'s [Callee],
    /// The script that the function stands in; none for an expression.
    pub(super) own: Option<&'s str>,
    constants: &'s BTreeMap<String, Value>,
    pub(super) vars: Vec<Var>,
    /// Variables before this one may not be changed here: their change would be seen too late,
    /// or by a copy.
    pub(super) floor: usize,
    pub(super) next: usize,
    slots: usize,
    /// Numbers of the names from outside.
    names: &'s Names,
    pub(super) calls: Vec<usize>,
    depth: usize,
    deepest: usize,
}

impl<'s> Lowerer<'s> {
    pub(in crate::script) const fn new(
        source: &'s Source,
        callees: &'s [Callee],
        own: Option<&'s str>,
        constants: &'s BTreeMap<String, Value>,
        names: &'s Names,
    ) -> Self {
        Self {
            source,
            callees,
            own,
            constants,
            vars: Vec::new(),
            floor: 0,
            next: 0,
            slots: 0,
            names,
            calls: Vec::new(),
            depth: 0,
            deepest: 0,
        }
    }

    /// An expression, and the numbers of the functions that it calls.
    pub(in crate::script) fn expression(mut self, ast: &AST) -> Lowered<(Program, Vec<usize>)> {
        let body = self.body(ast.statements())?;
        Ok((Program { slots: self.slots, body }, self.calls))
    }

    /// A function of a script.
    pub(in crate::script) fn function(mut self, body: &Body) -> Lowered<Function> {
        for name in &body.params {
            self.declare(name, true, Position::NONE)?;
        }
        let node = self.body(&body.statements)?;
        Ok(Function {
            name: body.name.clone(),
            params: body.params.len(),
            slots: self.slots,
            body: node,
            depth: self.deepest,
            calls: self.calls,
        })
    }

    /// Statements with variables of their own.
    pub(super) fn body(&mut self, statements: &[Stmt]) -> Lowered<Node> {
        let (vars, next) = (self.vars.len(), self.next);
        let mut nodes = Vec::with_capacity(statements.len());
        for statement in statements {
            nodes.push(self.statement(statement)?);
        }
        self.vars.truncate(vars);
        self.next = next;
        Ok(match nodes.len() {
            0 => Node::Nothing,
            1 => nodes.swap_remove(0),
            _ => Node::Block(nodes.into()),
        })
    }

    pub(super) fn declare(&mut self, name: &str, free: bool, at: Position) -> Lowered<usize> {
        let slot = self.next;
        self.next += 1;
        self.slots = self.slots.max(self.next);
        if self.slots > MOST_SLOTS {
            return refuse("so many variables are left to Rhai", at);
        }
        self.vars.push(Var { name: name.to_owned(), slot, free });
        Ok(slot)
    }

    /// The latest variable of that name, and its place among all.
    pub(super) fn variable(&self, name: &str) -> Option<(usize, &Var)> {
        self.vars.iter().enumerate().rfind(|(_, var)| var.name == name)
    }

    /// A variable that is about to be changed.
    pub(super) fn changeable(&self, name: &str, at: Position) -> Lowered<usize> {
        match self.variable(name) {
            Some((place, var)) if var.free && place >= self.floor => Ok(var.slot),
            Some((_, Var { free: true, .. })) => {
                refuse(format!("`{name}` is changed inside an expression or function that reads it"), at)
            }
            _ => refuse(format!("`{name}` is no variable that can be changed"), at),
        }
    }

    pub(super) fn boxed(&mut self, expr: &Expr) -> Lowered<Box<Node>> {
        self.expr(expr).map(Box::new)
    }

    pub(super) fn all<'e>(&mut self, exprs: impl IntoIterator<Item = &'e Expr>) -> Lowered<Box<[Node]>> {
        exprs.into_iter().map(|expr| self.expr(expr)).collect()
    }

    /// An expression whose value is used.
    pub(super) fn expr(&mut self, expr: &Expr) -> Lowered<Node> {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        if self.depth > MOST_DEPTH {
            return refuse("so much nesting is left to Rhai", expr.start_position());
        }
        let node = self.any(expr);
        self.depth -= 1;
        node
    }

    fn any(&mut self, expr: &Expr) -> Lowered<Node> {
        Ok(match expr {
            Expr::Unit(_) => Node::Nothing,
            Expr::BoolConstant(truth, _) => Node::Bool(*truth),
            Expr::IntegerConstant(number, _) => Node::Int(*number),
            Expr::StringConstant(text, _) => Node::Constant(Value::from(text.as_str())),
            Expr::CharConstant(_, at) => return refuse("a letter in single quotes is left to Rhai", *at),
            Expr::DynamicConstant(value, at) => match value.as_decimal() {
                Ok(number) => Node::Constant(Value::Decimal(number)),
                Err(_) if value.is_fnptr() => {
                    return refuse("a function that is kept, not called at once, is left to Rhai", *at);
                }
                Err(_) => return refuse("this constant is left to Rhai", *at),
            },
            Expr::InterpolatedString(parts, _) => Node::Interpolated(self.all(parts.iter())?),
            Expr::Array(items, _) => Node::List(self.all(items.iter())?),
            Expr::Map(fields, _) => {
                let mut nodes = Vec::with_capacity(fields.0.len());
                for (name, value) in &fields.0 {
                    nodes.push((Text::from(name.name.as_str()), self.expr(value)?));
                }
                nodes.sort_by(|(left, _), (right, _)| left.cmp(right));
                Node::Record(nodes.into())
            }
            Expr::Variable(variable, _, at) => {
                let (_, name, namespace, _) = &**variable;
                if namespace.is_empty() { self.name(name, *at)? } else { self.constant(expr, name, *at)? }
            }
            Expr::And(all, _) => Node::And(self.all(all.iter())?),
            Expr::Or(any, _) => Node::Or(self.all(any.iter())?),
            Expr::Coalesce(values, _) => Node::Coalesce(self.all(values.iter())?),
            Expr::Dot(..) | Expr::Index(..) => self.chain(expr)?,
            Expr::FnCall(call, at) => self.call(call, *at)?,
            Expr::Stmt(block) => {
                let floor = std::mem::replace(&mut self.floor, self.vars.len());
                let node = self.body(block.statements())?;
                self.floor = floor;
                node
            }
            Expr::ThisPtr(at) => return refuse("`this` is left to Rhai", *at),
            other => return refuse("this is left to Rhai", other.start_position()),
        })
    }

    fn name(&mut self, name: &str, at: Position) -> Lowered<Node> {
        if let Some((_, var)) = self.variable(name) {
            return Ok(Node::Slot(var.slot));
        }
        if self.own.is_some() {
            return refuse(format!("`{name}` is no variable of the function"), at);
        }
        Ok(Node::Input(Box::new(self.names.input(name))))
    }

    /// `global::RATE`.
    fn constant(&self, expr: &Expr, name: &str, at: Position) -> Lowered<Node> {
        let Expr::Variable(variable, ..) = expr else { return refuse("this is left to Rhai", at) };
        match self.constants.get(name).filter(|_| variable.2.root() == "global") {
            Some(value) => Ok(Node::Constant(value.clone())),
            None => refuse(format!("the constant `{name}` is left to Rhai"), at),
        }
    }

    fn statement(&mut self, statement: &Stmt) -> Lowered<Node> {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        if self.depth > MOST_DEPTH {
            return refuse("so much nesting is left to Rhai", statement.position());
        }
        let node = self.one(statement);
        self.depth -= 1;
        node
    }

    fn one(&mut self, statement: &Stmt) -> Lowered<Node> {
        Ok(match statement {
            Stmt::Noop(_) => Node::Nothing,
            Stmt::Expr(expr) => self.expr(expr)?,
            Stmt::FnCall(call, at) => self.call(call, *at)?,
            Stmt::Block(block) => self.body(block.statements())?,
            Stmt::If(parts, _) => {
                let condition = self.expr(&parts.expr)?;
                let then = self.body(parts.body.statements())?;
                let otherwise = self.body(parts.branch.statements())?;
                Node::If(Box::new((condition, then, otherwise)))
            }
            Stmt::Var(parts, flags, at) => {
                let (name, value, _) = &**parts;
                let value = self.boxed(value)?;
                let free = !flags.intersects(ASTFlags::CONSTANT);
                Node::Let(self.declare(&name.name, free, *at)?, value)
            }
            Stmt::Assignment(assignment) => {
                let (how, sides) = &**assignment;
                self.assignment(how, &sides.lhs, &sides.rhs)?
            }
            Stmt::While(parts, _) => {
                let condition = match &parts.expr {
                    Expr::Unit(_) => Node::Bool(true),
                    expr => self.expr(expr)?,
                };
                Node::While(Box::new((condition, self.body(parts.body.statements())?)))
            }
            Stmt::For(parts, at) => self.each(parts, *at)?,
            Stmt::BreakLoop(value, flags, at) => {
                let value = value.as_deref().map(|value| self.boxed(value)).transpose()?;
                match (flags.intersects(ASTFlags::BREAK), value) {
                    (true, value) => Node::Break(value),
                    (false, None) => Node::Continue,
                    (false, Some(_)) => return refuse("this is left to Rhai", *at),
                }
            }
            Stmt::Return(value, flags, at) => {
                if flags.intersects(ASTFlags::BREAK) {
                    return self.throw(value.as_deref(), *at);
                }
                Node::Return(value.as_deref().map(|value| self.boxed(value)).transpose()?)
            }
            Stmt::Switch(parts, at) => self.switch(&parts.0, &parts.1, *at)?,
            Stmt::TryCatch(_, at) => return refuse("`try` is left to Rhai", *at),
            Stmt::Do(_, _, at) => return refuse("`do` is left to Rhai; `while` is not", *at),
            other => return refuse("this statement is left to Rhai", other.position()),
        })
    }
}

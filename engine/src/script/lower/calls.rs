//! Lowers calls, chains, assignments and loops.

use rhai::{ASTFlags, Expr, FnCallExpr, Ident, OpAssignment, Position, Stmt};

use super::compile::{Lowered, Lowerer, refuse};
use super::tree::{Call, Closure, Field, For, Link, Native, Node, Path, SetIn, Step};
use crate::script::library::{self, Operator};

/// Library functions that change the variable they are called on.
const CHANGERS: &[&str] = &["push", "set", "remove"];

/// Library functions that call a function.
const CALLERS: &[&str] = &["map", "filter", "find", "any", "all", "sum", "reduce", "sort"];

impl Lowerer<'_> {
    pub(super) fn call(&mut self, call: &FnCallExpr, at: Position) -> Lowered<Node> {
        let (name, args) = (call.name.as_str(), call.args.as_slice());
        if call.is_qualified() {
            return self.script_call(call.namespace.root(), name, args, at);
        }
        match (name, args) {
            (".." | "..=", [from, to]) if !matches!((from, to), (Expr::Unit(_), _) | (_, Expr::Unit(_))) => {
                return Ok(Node::Range(Box::new((self.expr(from)?, self.expr(to)?)), name == "..="));
            }
            (_, [left, right]) if call.is_operator_call() => {
                if let Some(operator) = Operator::of(name) {
                    return Ok(Node::Binary(operator, Box::new((self.expr(left)?, self.expr(right)?))));
                }
            }
            ("-", [value]) if call.is_operator_call() => {
                return self.unary("-", |call| library::negative(call), value);
            }
            ("+", [value]) if call.is_operator_call() => {
                return self.unary("+", |call| library::positive(call), value);
            }
            ("!", [value]) if call.is_operator_call() => {
                return self.unary("!", |call| library::not(call), value);
            }
            _ => {}
        }
        if let Some(own) = self.own
            && self.callees.iter().any(|callee| callee.alias == own && callee.name == name)
        {
            return self.script_call(own, name, args, at);
        }
        if CHANGERS.contains(&name) {
            let Some((Expr::Variable(variable, ..), rest)) = args.split_first() else {
                return refuse(format!("`{name}` on something else than a variable is left to Rhai"), at);
            };
            return self.change(&variable.1, name, rest, at);
        }
        let receiver = args.first();
        Ok(Node::Call(Box::new(self.native(name, 0, receiver, args, at)?)))
    }

    fn unary(&mut self, name: &'static str, run: Native, value: &Expr) -> Lowered<Node> {
        let args = Box::new([self.expr(value)?]);
        Ok(Node::Call(Box::new(Call { name, run, args })))
    }

    fn script_call(&mut self, alias: &str, name: &str, args: &[Expr], at: Position) -> Lowered<Node> {
        let number = self
            .callees
            .iter()
            .position(|callee| callee.alias == alias && callee.name == name && callee.arity == args.len());
        let Some(number) = number else {
            return refuse(format!("`{name}` is left to Rhai"), at);
        };
        if !self.calls.contains(&number) {
            self.calls.push(number);
        }
        Ok(Node::Script(number, self.all(args)?))
    }

    fn change(&mut self, variable: &str, name: &str, args: &[Expr], at: Position) -> Lowered<Node> {
        let slot = self.changeable(variable, at)?;
        let call = self.native(name, 1, None, args, at)?;
        Ok(Node::Change(slot, Box::new(call)))
    }

    /// A call of a library function; `before` arguments stand before `args`.
    fn native(
        &mut self,
        name: &str,
        before: usize,
        receiver: Option<&Expr>,
        args: &[Expr],
        at: Position,
    ) -> Lowered<Call> {
        let given = before + args.len();
        let function = library::functions().find(|function| {
            function.name == name && (function.arguments.0..=function.arguments.1).contains(&given)
        });
        let Some(function) = function else { return refuse(format!("`{name}` is left to Rhai"), at) };
        let mut nodes = Vec::with_capacity(args.len());
        for (place, arg) in args.iter().enumerate() {
            let called = before + place == 1 && CALLERS.contains(&name);
            nodes.push(match self.closure(arg, called.then_some(receiver).flatten())? {
                Some(closure) if called => Node::Function(Box::new(closure)),
                Some(_) => {
                    return refuse("a function that is kept, not called at once, is left to Rhai", at);
                }
                None => self.expr(arg)?,
            });
        }
        Ok(Call { name: function.name, run: function.lowered, args: nodes.into() })
    }

    /// The function that an argument is, if it is one.
    fn closure(&mut self, arg: &Expr, receiver: Option<&Expr>) -> Lowered<Option<Closure>> {
        let (pointer, captured): (&rhai::Dynamic, &[Expr]) = match arg {
            Expr::DynamicConstant(value, _) if value.is_fnptr() => (value, &[]),
            // Rhai shares the variables, then gives them to the function as first arguments.
            Expr::Stmt(block) => match block.statements() {
                [Stmt::Share(_), Stmt::FnCall(call, _)] => match curried(call) {
                    Some(found) => found,
                    None => return Ok(None),
                },
                [Stmt::Share(_), Stmt::Expr(expr)] => match &**expr {
                    Expr::FnCall(call, _) => match curried(call) {
                        Some(found) => found,
                        None => return Ok(None),
                    },
                    _ => return Ok(None),
                },
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        let at = arg.start_position();
        let Some(name) = pointer.read_lock::<rhai::FnPtr>().map(|pointer| String::from(pointer.fn_name()))
        else {
            return Ok(None);
        };
        let source = self.source;
        let Some(body) = source.closure(&name).filter(|_| name.starts_with("anon$")) else {
            return refuse("a function by its name is left to Rhai", at);
        };
        if let Some(root) = receiver.and_then(root_of)
            && self.variable(root).is_some()
            && captured.iter().any(|captured| root_of(captured) == Some(root))
        {
            return refuse(format!("a function that reads `{root}` while it is gone through"), at);
        }
        let Some(own) = body.params.get(captured.len()..) else {
            return refuse("this function is left to Rhai", at);
        };
        let (vars, next) = (self.vars.len(), self.next);
        let floor = std::mem::replace(&mut self.floor, vars);
        for param in own {
            self.declare(param, true, at)?;
        }
        let node = self.body(&body.statements)?;
        self.floor = floor;
        self.vars.truncate(vars);
        self.next = next;
        Ok(Some(Closure { first: next, params: own.len(), body: node }))
    }

    /// `a.b?.c[d].e()`.
    pub(super) fn chain(&mut self, expr: &Expr) -> Lowered<Node> {
        let (Expr::Dot(sides, flags, _) | Expr::Index(sides, flags, _)) = expr else {
            return self.expr(expr);
        };
        let root_expr = &sides.lhs;
        let mut links = Vec::new();
        let mut root = None;
        let mut dotted = matches!(expr, Expr::Dot(..));
        let (mut rest, mut flags) = (&sides.rhs, *flags);
        loop {
            let optional = flags.intersects(ASTFlags::NEGATED);
            let (step, next) = match rest {
                Expr::Dot(inner, next, _) | Expr::Index(inner, next, _)
                    if !flags.intersects(ASTFlags::BREAK) =>
                {
                    (&inner.lhs, Some((&inner.rhs, *next, matches!(rest, Expr::Dot(..)))))
                }
                step => (step, None),
            };
            match (step, dotted) {
                (Expr::MethodCall(call, at), true)
                    if links.is_empty() && CHANGERS.contains(&call.name.as_str()) =>
                {
                    let Expr::Variable(variable, ..) = root_expr else {
                        return refuse(format!("`{}` on something else than a variable", call.name), *at);
                    };
                    root = Some(self.change(&variable.1, &call.name, &call.args, *at)?);
                }
                _ => links.push(Link { optional, step: self.step(step, dotted, root_expr)? }),
            }
            match next {
                Some((inner, next, is_dot)) => (rest, flags, dotted) = (inner, next, is_dot),
                None => break,
            }
        }
        let root = match root {
            Some(root) => root,
            None => self.expr(root_expr)?,
        };
        if links.is_empty() {
            return Ok(root);
        }
        Ok(Node::Path(Box::new(Path { root, links: links.into() })))
    }

    fn step(&mut self, step: &Expr, dotted: bool, root: &Expr) -> Lowered<Step> {
        match step {
            _ if !dotted => self.expr(step).map(Step::Index),
            Expr::Property(names, _) => Ok(Step::Field(Field::new(&names.2))),
            Expr::MethodCall(call, at) => {
                let name = call.name.as_str();
                let is_own =
                    |own| self.callees.iter().any(|callee| callee.alias == own && callee.name == name);
                if self.own.is_some_and(is_own) {
                    return refuse("a function of the script, called as a method, is left to Rhai", *at);
                }
                if CHANGERS.contains(&name) {
                    return refuse(format!("`{name}` on something else than a variable"), *at);
                }
                self.native(name, 1, Some(root), &call.args, *at).map(Step::Call)
            }
            other => refuse("this is left to Rhai", other.start_position()),
        }
    }

    pub(super) fn assignment(&mut self, how: &OpAssignment, target: &Expr, value: &Expr) -> Lowered<Node> {
        let at = how.position();
        let operator = match how.get_op_assignment_info() {
            None => None,
            Some((.., sign)) => match Operator::of(sign) {
                Some(operator) => Some(operator),
                None => return refuse(format!("`{sign}=` is left to Rhai"), at),
            },
        };
        if let Expr::Variable(variable, ..) = target {
            let slot = self.changeable(&variable.1, at)?;
            return Ok(Node::Set(slot, operator, self.boxed(value)?));
        }
        let (Expr::Dot(sides, flags, _) | Expr::Index(sides, flags, _)) = target else {
            return refuse("this assignment is left to Rhai", at);
        };
        let Expr::Variable(variable, ..) = &sides.lhs else {
            return refuse("this assignment is left to Rhai", at);
        };
        let slot = self.changeable(&variable.1, at)?;
        let mut dotted = matches!(target, Expr::Dot(..));
        let (mut rest, mut flags) = (&sides.rhs, *flags);
        let mut steps = Vec::new();
        loop {
            if flags.intersects(ASTFlags::NEGATED) {
                return refuse("this assignment is left to Rhai", at);
            }
            let (step, next) = match rest {
                Expr::Dot(inner, next, _) | Expr::Index(inner, next, _)
                    if !flags.intersects(ASTFlags::BREAK) =>
                {
                    (&inner.lhs, Some((&inner.rhs, *next, matches!(rest, Expr::Dot(..)))))
                }
                step => (step, None),
            };
            steps.push(match step {
                Expr::Property(names, _) if dotted => Node::Constant(names.2.as_str().into()),
                _ if dotted => return refuse("this assignment is left to Rhai", at),
                index => self.expr(index)?,
            });
            match next {
                Some((inner, next, is_dot)) => (rest, flags, dotted) = (inner, next, is_dot),
                None => break,
            }
        }
        let value = self.expr(value)?;
        Ok(Node::SetIn(Box::new(SetIn { slot, steps: steps.into(), operator, value })))
    }

    pub(super) fn each(
        &mut self,
        parts: &(Ident, Option<Ident>, rhai::FlowControl),
        at: Position,
    ) -> Lowered<Node> {
        let (name, counter, flow) = parts;
        let list = self.expr(&flow.expr)?;
        let (vars, next) = (self.vars.len(), self.next);
        let counter = match counter {
            Some(counter) => Some(self.declare(&counter.name, true, at)?),
            None => None,
        };
        let slot = self.declare(&name.name, true, at)?;
        let body = self.body(flow.body.statements())?;
        self.vars.truncate(vars);
        self.next = next;
        Ok(Node::For(Box::new(For { slot, counter, list, body })))
    }

    /// What is thrown is told by Rhai.
    pub(super) fn throw(&mut self, value: Option<&Expr>, _: Position) -> Lowered<Node> {
        if let Some(value) = value {
            self.expr(value)?;
        }
        Ok(Node::Throw)
    }
}

/// The function and the variables of a call of `curry` that Rhai made.
fn curried(call: &FnCallExpr) -> Option<(&rhai::Dynamic, &[Expr])> {
    match call.args.split_first() {
        Some((Expr::DynamicConstant(value, _), captured)) if call.name == "curry" && value.is_fnptr() => {
            Some((value, captured))
        }
        _ => None,
    }
}

/// The variable that a path starts with.
fn root_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Variable(variable, ..) => Some(variable.1.as_str()),
        Expr::Dot(sides, ..) | Expr::Index(sides, ..) => root_of(&sides.lhs),
        _ => None,
    }
}

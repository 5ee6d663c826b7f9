//! Functions as Rhai parsed them: closures of an expression, and functions of a script.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use rhai::{AST, ASTNode, Expr, FnCallExpr, FnPtr, Position, Stmt};

/// Functions that change the variable they are called on.
const CHANGERS: &[&str] = &["push", "set", "remove"];

/// Functions that ask whether there is a value, or put something in its place.
pub(super) const ASKERS: &[&str] = &["is_blank", "is_nothing", "or_nothing", "kind", "to_text"];

/// A function: its parameters and what it does.
#[derive(Debug)]
pub(super) struct Body {
    pub name: String,
    pub params: Vec<String>,
    pub statements: Vec<Stmt>,
    start: Position,
    end: Position,
}

/// All functions of a syntax tree, and what is to be known before one is followed.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    functions: Vec<Body>,
    /// Variables that get another value than the one they were made with, by the name of the
    /// function around, which is empty outside of all.
    changed: BTreeMap<String, BTreeSet<String>>,
    /// Fields that are asked for, so that a record may lack them.
    asked: BTreeSet<String>,
}

impl Bodies {
    /// Rhai hands out the statements of all functions in one row: each belongs to the innermost
    /// function around it.
    pub(super) fn read(ast: &AST) -> Rc<Self> {
        let mut found = Self::default();
        if ast.has_functions() {
            let functions = ast.shared_lib().iter_script_fn_info();
            found.functions = functions
                .map(|(_, _, _, _, function)| Body {
                    name: function.name.to_string(),
                    params: function.params.iter().map(ToString::to_string).collect(),
                    statements: Vec::new(),
                    start: function.body.start_position(),
                    end: function.body.end_position(),
                })
                .collect();
        }
        let mut outside = ast.statements().len();
        let mut around = String::new();
        ast.walk(&mut |path: &[ASTNode<'_>]| {
            if let [ASTNode::Stmt(statement)] = path {
                around.clear();
                if outside > 0 {
                    outside -= 1;
                } else if let Some(body) = found.innermost(statement.position()) {
                    body.statements.push((*statement).clone());
                    around.push_str(&body.name);
                }
            }
            if let Some(last) = path.last() {
                found.note(last, &around);
            }
            true
        });
        Rc::new(found)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Body> {
        self.functions.iter().find(|body| body.name == name)
    }

    /// A function that has a name, by the number of its arguments.
    pub(super) fn function(&self, name: &str, arity: usize) -> Option<&Body> {
        self.functions.iter().find(|body| body.name == name && body.params.len() == arity)
    }

    /// Whether a variable of a function gets another value; closures change those around them.
    pub(super) fn is_changed(&self, function: &str, name: &str) -> bool {
        self.changed.iter().any(|(around, names)| {
            (around == function || around.starts_with("anon$")) && names.contains(name)
        })
    }

    /// Whether some function asks for the field before it relies on it.
    pub(super) fn is_asked(&self, field: &str) -> bool {
        self.asked.contains(field)
    }

    fn innermost(&mut self, at: Position) -> Option<&mut Body> {
        let around = self.functions.iter_mut().filter(|body| body.holds(at));
        around.max_by_key(|body| (place(body.start), body.end.is_none()))
    }

    fn note(&mut self, node: &ASTNode<'_>, around: &str) {
        match node {
            ASTNode::Stmt(Stmt::Assignment(sides)) => self.change(&sides.1.lhs, around),
            ASTNode::Stmt(Stmt::FnCall(call, _)) | ASTNode::Expr(Expr::FnCall(call, _)) => {
                self.note_call(call, around);
            }
            ASTNode::Expr(Expr::Dot(sides, ..)) => self.note_dot(&sides.lhs, &sides.rhs, around),
            ASTNode::Expr(Expr::Coalesce(items, _)) => {
                for item in items.iter() {
                    self.ask(item);
                }
            }
            _ => {}
        }
    }

    fn note_call(&mut self, call: &FnCallExpr, around: &str) {
        let compares_with_nothing = matches!(call.name.as_str(), "==" | "!=")
            && call.args.iter().any(|arg| matches!(arg, Expr::Unit(_)));
        if compares_with_nothing || ASKERS.contains(&call.name.as_str()) {
            for arg in &call.args {
                self.ask(arg);
            }
        }
        if CHANGERS.contains(&call.name.as_str())
            && let Some(first) = call.args.first()
        {
            self.change(first, around);
        }
    }

    fn note_dot(&mut self, left: &Expr, right: &Expr, around: &str) {
        let method = match right {
            Expr::MethodCall(call, _) => call,
            Expr::Dot(sides, ..) | Expr::Index(sides, ..) => return self.note_dot(left, &sides.lhs, around),
            _ => return,
        };
        if CHANGERS.contains(&method.name.as_str()) {
            self.change(left, around);
        }
        if ASKERS.contains(&method.name.as_str()) {
            self.ask(left);
        }
    }

    fn change(&mut self, target: &Expr, around: &str) {
        if let Some(root) = root_of(target) {
            self.changed.entry(around.to_owned()).or_default().insert(root.to_owned());
        }
    }

    fn ask(&mut self, expr: &Expr) {
        if let Some(name) = last_field(expr) {
            self.asked.insert(name.to_owned());
        }
    }
}

impl Body {
    /// A body without braces is a single statement, and has no end.
    fn holds(&self, at: Position) -> bool {
        match (place(self.start), place(self.end), place(at)) {
            (Some(start), Some(end), Some(at)) => start <= at && at <= end,
            (start, None, at) => start == at,
            _ => false,
        }
    }
}

fn place(at: Position) -> Option<(usize, usize)> {
    Some((at.line()?, at.position().unwrap_or(0)))
}

/// The variable at the start of a path.
pub(super) fn root_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Variable(variable, ..) => Some(variable.1.as_str()),
        Expr::Dot(sides, ..) | Expr::Index(sides, ..) => root_of(&sides.lhs),
        _ => None,
    }
}

/// The field at the end of a path.
fn last_field(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Property(property, _) => Some(property.2.as_str()),
        Expr::Dot(sides, ..) => last_field(&sides.rhs),
        _ => None,
    }
}

/// The function that an argument is: its name in the tree, and how many variables of the code
/// around it are given to it first.
pub(super) fn closure(arg: &Expr) -> Option<(String, usize)> {
    let (pointer, captured) = match arg {
        Expr::DynamicConstant(value, _) if value.is_fnptr() => (&**value, 0),
        Expr::Stmt(block) => match block.statements() {
            [Stmt::Share(_), Stmt::FnCall(call, _)] => curried(call)?,
            [Stmt::Share(_), Stmt::Expr(expr)] => match &**expr {
                Expr::FnCall(call, _) => curried(call)?,
                _ => return None,
            },
            _ => return None,
        },
        _ => return None,
    };
    let name = pointer.read_lock::<FnPtr>().map(|pointer| pointer.fn_name().to_owned())?;
    name.starts_with("anon$").then_some((name, captured))
}

fn curried(call: &FnCallExpr) -> Option<(&rhai::Dynamic, usize)> {
    match call.args.split_first() {
        Some((Expr::DynamicConstant(value, _), rest)) if call.name == "curry" && value.is_fnptr() => {
            Some((value, rest.len()))
        }
        _ => None,
    }
}

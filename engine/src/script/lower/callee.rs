//! What lowered code can call: functions of scripts by number, and what Rhai parsed of them.

use std::collections::HashMap;

use connectors::record::Value;
use rhai::{AST, ASTNode, Engine, Position, Stmt};

use super::choose::literals;
use crate::script::syntax::place;

/// A function as Rhai parsed it.
#[derive(Debug)]
pub(in crate::script) struct Body {
    pub(in crate::script) name: String,
    pub(super) params: Vec<String>,
    pub(super) statements: Vec<Stmt>,
    start: Position,
    end: Position,
}

/// The functions of a syntax tree, closures included.
#[derive(Debug, Default)]
pub(in crate::script) struct Source {
    bodies: Vec<Body>,
    /// Values of `switch`, by Rhai's hash.
    pub(super) literals: HashMap<u64, Value>,
}

/// A function of a script, as it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::script) struct Callee {
    pub(in crate::script) alias: String,
    pub(in crate::script) name: String,
    pub(in crate::script) arity: usize,
}

impl Source {
    /// Rhai hands out the statements of all functions in one row: each belongs to the innermost
    /// function around it.
    pub(in crate::script) fn read(ast: &AST, text: &str, engine: &Engine) -> Self {
        let mut bodies: Vec<Body> = ast
            .shared_lib()
            .iter_script_fn_info()
            .map(|(_, _, _, _, function)| Body {
                name: function.name.to_string(),
                params: function.params.iter().map(ToString::to_string).collect(),
                statements: Vec::new(),
                start: function.body.start_position(),
                end: function.body.end_position(),
            })
            .collect();
        let mut outside = ast.statements().len();
        ast.walk(&mut |path: &[ASTNode<'_>]| {
            if let [ASTNode::Stmt(statement)] = path {
                if outside > 0 {
                    outside -= 1;
                } else {
                    let at = statement.position();
                    let around = bodies.iter_mut().filter(|body| body.holds(at));
                    if let Some(body) = around.max_by_key(|body| (place(body.start), body.end.is_none())) {
                        body.statements.push((*statement).clone());
                    }
                }
            }
            true
        });
        Self { bodies, literals: literals(text, engine) }
    }

    /// Functions that have a name.
    pub(in crate::script) fn named(&self) -> impl Iterator<Item = &Body> {
        self.bodies.iter().filter(|body| !body.name.starts_with("anon$"))
    }

    pub(super) fn closure(&self, name: &str) -> Option<&Body> {
        self.bodies.iter().find(|body| body.name == name)
    }
}

impl Body {
    /// Number of arguments.
    pub(in crate::script) const fn arity(&self) -> usize {
        self.params.len()
    }

    /// A body without braces is a single statement, and has no end.
    fn holds(&self, at: Position) -> bool {
        match (place(self.start), place(self.end), place(at)) {
            (Some(start), Some(end), Some(at)) => start <= at && at <= end,
            (start, None, at) => start == at,
            _ => false,
        }
    }
}

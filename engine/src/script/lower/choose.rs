//! `switch`.

use std::collections::HashMap;

use connectors::record::Value;
use rhai::{Engine, Expr, Position, Stmt, SwitchCasesCollection};

use super::compile::{Lowered, Lowerer, refuse};
use super::machine::{Machine, Ran};
use super::tree::Node;
use super::value::Val;
use crate::script::budget;

/// A choice by value.
#[derive(Debug)]
pub(super) struct Switch {
    value: Node,
    cases: Box<[Case]>,
    otherwise: Node,
}

/// One value, what else has to hold, and what is given then.
#[derive(Debug)]
struct Case {
    value: Value,
    condition: Node,
    gives: Node,
}

impl Lowerer<'_> {
    pub(super) fn switch(
        &mut self,
        value: &Expr,
        cases: &SwitchCasesCollection,
        at: Position,
    ) -> Lowered<Node> {
        if !cases.ranges.is_empty() {
            return refuse("`switch` by ranges is left to Rhai; `if` is not", at);
        }
        let value = self.expr(value)?;
        let mut lowered = Vec::new();
        for (hash, case) in &cases.cases {
            let Some(constant) = self.source.literals.get(hash) else {
                return refuse("`switch` by anything but texts and integers is left to Rhai", at);
            };
            for block in case.blocks.iter().filter_map(|block| cases.expressions.get(*block)) {
                let (condition, gives) = (self.expr(&block.lhs)?, self.expr(&block.rhs)?);
                lowered.push(Case { value: constant.clone(), condition, gives });
            }
        }
        let otherwise = match cases.def_case.and_then(|block| cases.expressions.get(block)) {
            Some(block) => self.expr(&block.rhs)?,
            None => Node::Nothing,
        };
        Ok(Node::Switch(Box::new(Switch { value, cases: lowered.into(), otherwise })))
    }
}

impl<'a> Machine<'a> {
    pub(super) fn choose(&self, switch: &'a Switch) -> Ran<'a> {
        budget::step()?;
        let value = self.eval(&switch.value)?;
        for case in &switch.cases {
            if is(&case.value, &value) && self.condition(&case.condition)? {
                return self.eval(&case.gives);
            }
        }
        self.eval(&switch.otherwise)
    }
}

/// The same value of the same kind: 21 is not 21.0 here.
fn is(case: &Value, value: &Val<'_>) -> bool {
    match (case, value) {
        (Value::Null, Val::Nothing) => true,
        (Value::Bool(case), Val::Bool(value)) => case == value,
        (Value::Int(case), Val::Int(value)) => case == value,
        (Value::Text(case), Val::Text(value)) => case == *value,
        (Value::Text(case), Val::Made(value)) => case == value,
        _ => false,
    }
}

/// Rhai keeps of each `switch` value its hash only. These are the hashes of all literals in a
/// text, as Rhai itself makes them.
pub(super) fn literals(text: &str, engine: &Engine) -> HashMap<u64, Value> {
    let mut found = HashMap::new();
    if !text.contains("switch") {
        return found;
    }
    for literal in candidates(text) {
        let value = match literal.as_str() {
            "()" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            number if number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') => {
                match number.parse() {
                    Ok(number) => Value::Int(number),
                    Err(_) => continue,
                }
            }
            text => match engine.compile(text).as_ref().map(rhai::AST::statements) {
                Ok([Stmt::Expr(expr)]) => match &**expr {
                    Expr::StringConstant(text, _) => Value::from(text.as_str()),
                    _ => continue,
                },
                _ => continue,
            },
        };
        let probe = engine.compile(format!("switch 0 {{ {literal} => 0 }}"));
        if let Ok([Stmt::Switch(parts, _)]) = probe.as_ref().map(rhai::AST::statements)
            && let Some(hash) = parts.1.cases.keys().next()
        {
            found.insert(*hash, value);
        }
    }
    found
}

/// Words of a text that look like literals; some may be parts of something else, which does no
/// harm.
fn candidates(text: &str) -> Vec<String> {
    let mut found = vec!["()".to_owned(), "true".to_owned(), "false".to_owned()];
    let mut letters = text.char_indices().peekable();
    while let Some((start, letter)) = letters.next() {
        if letter == '"' {
            let mut escaped = false;
            for (at, letter) in letters.by_ref() {
                if letter == '"' && !escaped {
                    found.extend(text.get(start..=at).map(str::to_owned));
                    break;
                }
                escaped = letter == '\\' && !escaped;
            }
        } else if letter.is_ascii_digit() || letter == '-' {
            let mut end = start + 1;
            while let Some((at, _)) = letters.next_if(|(_, letter)| letter.is_ascii_digit()) {
                end = at + 1;
            }
            found.extend(text.get(start..end).filter(|number| *number != "-").map(str::to_owned));
        }
    }
    found.sort();
    found.dedup();
    found
}

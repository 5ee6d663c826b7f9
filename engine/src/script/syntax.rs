//! What a syntax tree tells before it runs: names it reads, functions it calls, what it may not do.
//!
//! Refused here rather than at run time:
//! - functions that do not exist, with the nearest name that does;
//! - `import`, `export` and what else stays out of scripts;
//! - functions that capture variables, unless they stand where a library function calls them.
//!   Kept in variables, they could be chained to each other without end, and the program would
//!   not survive dropping the chain.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

use super::error::{Mistake, Place};
use super::library;

/// What was found in a tree.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    /// Variables that must be given.
    pub(super) names: BTreeSet<String>,
    /// Loops, callbacks or script functions: values can grow deep.
    pub(super) needs_room: bool,
    /// Functions of scripts are called: a place may be one in a script.
    pub(super) calls_scripts: bool,
    /// What stands before each `.`: for messages about reading a field of nothing.
    pub(super) paths: BTreeMap<Place, String>,
}

/// A mistake and its place in the text.
pub(super) type Found = (Mistake, Option<Place>);

/// Functions that call a function they are given, and keep it no longer than that.
const CALLERS: &[&str] = &["map", "filter", "find", "any", "all", "sum", "reduce", "sort"];

/// Functions that Rhai itself has.
const BUILT_IN: &[&str] = &["call", "Fn", "is_def_var", "is_def_fn"];

/// A function that can be called by its bare name or through an alias.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// Alias of its script, when it is called through one.
    pub(super) alias: Option<String>,
    pub(super) name: String,
    pub(super) arity: usize,
}

/// Reads a tree; `known` are the functions of scripts that it may call.
pub(super) fn examine(ast: &AST, known: &[Known], expression: bool) -> Result<Facts, Found> {
    let mut facts = Facts::default();
    let mut found = None;
    ast.walk(&mut |path| {
        found = node(path, known, expression, &mut facts).err();
        found.is_none()
    });
    match found {
        Some(found) => Err(found),
        None => Ok(facts),
    }
}

fn node(path: &[ASTNode<'_>], known: &[Known], expression: bool, facts: &mut Facts) -> Result<(), Found> {
    let Some((last, above)) = path.split_last() else { return Ok(()) };
    match last {
        ASTNode::Stmt(Stmt::Import(_, at) | Stmt::Export(_, at)) => {
            let word = if matches!(last, ASTNode::Stmt(Stmt::Import(..))) { "import" } else { "export" };
            return Err((library::refusal(word), place(*at)));
        }
        ASTNode::Stmt(Stmt::Share(names)) => {
            facts.needs_room = true;
            let at = names.first().and_then(|(name, _)| place(name.pos));
            if !is_argument_of_caller(above) {
                return Err((kept_function(), at));
            }
        }
        ASTNode::Stmt(Stmt::While(..) | Stmt::Do(..) | Stmt::For(..)) => facts.needs_room = true,
        ASTNode::Stmt(Stmt::Assignment(assignment)) if expression => {
            let (_, sides) = &**assignment;
            if let Some(name) = free_root(&sides.lhs) {
                let help = format!("`=` sets a value; to compare, write `{name} == …`");
                return Err((Mistake::Unchangeable { name, help }, place(sides.lhs.start_position())));
            }
        }
        ASTNode::Stmt(Stmt::FnCall(call, at)) | ASTNode::Expr(Expr::FnCall(call, at)) => {
            check_call(call, *at, 0, known, facts)?;
        }
        ASTNode::Expr(Expr::MethodCall(call, at)) => check_call(call, *at, 1, known, facts)?,
        ASTNode::Expr(Expr::DynamicConstant(value, _)) if value.is_fnptr() => facts.needs_room = true,
        ASTNode::Expr(Expr::Variable(variable, index, _)) => {
            let (at, name, namespace, _) = &**variable;
            let given = namespace.is_empty() && at.is_none() && index.is_none();
            if given && !facts.names.contains(name.as_str()) {
                facts.names.insert(name.to_string());
            }
        }
        ASTNode::Expr(Expr::Dot(sides, _, at) | Expr::Index(sides, _, at)) => {
            chain(label(&sides.lhs), &sides.rhs, *at, &mut facts.paths);
        }
        _ => {}
    }
    Ok(())
}

fn check_call(
    call: &FnCallExpr,
    at: Position,
    receivers: usize,
    known: &[Known],
    facts: &mut Facts,
) -> Result<(), Found> {
    let name = call.name.as_str();
    let given = call.args.len() + receivers;
    if call.is_operator_call() || is_capture(call) {
        return Ok(());
    }
    if call.is_qualified() {
        facts.needs_room = true;
        facts.calls_scripts = true;
        let alias = call.namespace.root();
        return qualified(alias, name, given, known).map_err(|mistake| (mistake, place(at)));
    }
    if library::refused(name).is_some() {
        return Err((library::refusal(name), place(at)));
    }
    let own: Vec<usize> =
        known.iter().filter(|f| f.alias.is_none() && f.name == name).map(|f| f.arity).collect();
    facts.needs_room |= !own.is_empty() || name == "call";
    // A method that a script itself defines takes what it is called on as `this`.
    if own.contains(&given) || own.contains(&call.args.len()) || BUILT_IN.contains(&name) {
        return Ok(());
    }
    if let Some(function) = library::functions().find(|function| function.name == name) {
        let (least, most) = function.arguments;
        if (least..=most).contains(&given) {
            return Ok(());
        }
        return Err((wrong_count(name, least, most, given), place(at)));
    }
    if let (Some(least), Some(most)) = (own.iter().min(), own.iter().max()) {
        return Err((wrong_count(name, *least, *most, given), place(at)));
    }
    Err((unknown_function(name, known), place(at)))
}

fn qualified(alias: &str, name: &str, given: usize, known: &[Known]) -> Result<(), Mistake> {
    let of_script: Vec<&Known> = known.iter().filter(|f| f.alias.as_deref() == Some(alias)).collect();
    if of_script.is_empty() {
        let aliases = known.iter().filter_map(|f| f.alias.as_deref());
        return Err(Mistake::UnknownScript { alias: alias.to_owned(), suggestion: nearest(alias, aliases) });
    }
    let arities: Vec<usize> = of_script.iter().filter(|f| f.name == name).map(|f| f.arity).collect();
    match (arities.iter().min(), arities.iter().max()) {
        _ if arities.contains(&given) => Ok(()),
        (Some(least), Some(most)) => Err(wrong_count(&format!("{alias}::{name}"), *least, *most, given)),
        _ => Err(Mistake::UnknownFunction {
            name: format!("{alias}::{name}"),
            suggestion: nearest(name, of_script.iter().map(|f| f.name.as_str()))
                .map(|near| format!("{alias}::{near}")),
        }),
    }
}

/// The mistake of calling a function that is not there.
pub(super) fn unknown_function(name: &str, known: &[Known]) -> Mistake {
    if let Some(Known { alias: Some(alias), .. }) = known.iter().find(|f| f.name == name) {
        return Mistake::UnknownFunction {
            name: name.to_owned(),
            suggestion: Some(format!("{alias}::{name}")),
        };
    }
    let own = known.iter().filter(|f| f.alias.is_none()).map(|f| f.name.as_str());
    let names = library::functions().map(|function| function.name).chain(own);
    let suggestion = elsewhere(name).map(str::to_owned).or_else(|| nearest(name, names));
    Mistake::UnknownFunction { name: name.to_owned(), suggestion }
}

/// What functions of other languages, and of Rhai's own library, are called here.
fn elsewhere(name: &str) -> Option<&'static str> {
    Some(match name {
        "upper" | "uppercase" | "toUpperCase" | "make_upper" => "to_upper",
        "lower" | "lowercase" | "toLowerCase" | "make_lower" => "to_lower",
        "to_string" | "str" | "string" | "toString" => "to_text",
        "parse_int" | "to_int" | "int" | "parseInt" | "Number" => "to_integer",
        "parse_decimal" | "to_decimal" | "parse_float" | "to_float" | "float" | "parseFloat" => "decimal",
        "length" | "size" | "count" => "len",
        "substring" | "substr" | "sub" => "sub_string",
        "includes" | "has" => "contains",
        "some" | "exists" => "any",
        "every" => "all",
        "strip" => "trim",
        "ceiling" => "ceil",
        "order" | "order_by" | "sort_by" | "sorted" => "sort",
        "dedup" | "distinct" => "unique",
        "extract" => "slice",
        "pad_start" | "padStart" | "lpad" => "pad_left",
        "pad_end" | "padEnd" | "rpad" => "pad_right",
        _ => return None,
    })
}

/// Nothing is near to a longer name, and finding that out would take its time.
const LONGEST_NAME: usize = 100;

/// The nearest of some names, when one is near.
pub(super) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    names
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, known)| *distance <= 2.min(known.len() / 2))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known.to_owned())
}

pub(super) fn wrong_count(name: &str, least: usize, most: usize, given: usize) -> Mistake {
    let takes = match (least, most) {
        (0, 0) => "no arguments".to_owned(),
        (1, 1) => "1 argument".to_owned(),
        (least, most) if least == most => format!("{least} arguments"),
        (least, most) if least + 1 == most => format!("{least} or {most} arguments"),
        (least, most) => format!("{least} to {most} arguments"),
    };
    Mistake::WrongCount { name: name.to_owned(), takes, given }
}

fn kept_function() -> Mistake {
    let help = "write it where it is used, `lines.map(|line| line.price * rate)`, or give it all it needs as arguments";
    let message =
        "a function that uses variables around it cannot be kept in a variable or given back".to_owned();
    Mistake::Syntax { message, help: Some(help.to_owned()) }
}

/// The call that Rhai makes of `|x| x + outer`: not the writer's.
fn is_capture(call: &FnCallExpr) -> bool {
    call.name == "curry"
        && matches!(call.args.first(), Some(Expr::DynamicConstant(value, _)) if value.is_fnptr())
}

/// True when a capturing function is the very argument that the call above it only calls.
fn is_argument_of_caller(above: &[ASTNode<'_>]) -> bool {
    let [.., call, ASTNode::Expr(function @ Expr::Stmt(_))] = above else { return false };
    let (call, at) = match call {
        ASTNode::Expr(Expr::FnCall(call, _)) | ASTNode::Stmt(Stmt::FnCall(call, _)) => (call, 1),
        ASTNode::Expr(Expr::MethodCall(call, _)) => (call, 0),
        _ => return false,
    };
    let is_there = call.args.get(at).is_some_and(|argument| std::ptr::eq(argument, *function));
    is_there && !call.is_qualified() && CALLERS.contains(&call.name.as_str())
}

/// The variable that an assignment would change, when it is one that was given.
fn free_root(target: &Expr) -> Option<String> {
    match target {
        Expr::Dot(sides, ..) | Expr::Index(sides, ..) => free_root(&sides.lhs),
        Expr::Variable(variable, index, _) => {
            let (at, name, _, _) = &**variable;
            (at.is_none() && index.is_none()).then(|| name.to_string())
        }
        _ => None,
    }
}

/// Notes what stands before each step of `a.b.c`.
fn chain(before: String, step: &Expr, at: Position, paths: &mut BTreeMap<Place, String>) {
    if let Expr::Dot(sides, _, next) | Expr::Index(sides, _, next) = step {
        let joined = joined(&before, &sides.lhs);
        chain(before, &sides.lhs, at, paths);
        chain(joined, &sides.rhs, *next, paths);
        return;
    }
    // Longer chains come first, and know more of what stands before.
    for at in [at, step.position()].into_iter().filter_map(place) {
        paths.entry(at).or_insert_with(|| before.clone());
    }
}

fn joined(before: &str, step: &Expr) -> String {
    match step {
        Expr::Property(..) | Expr::MethodCall(..) => format!("{before}.{}", label(step)),
        _ => format!("{before}[…]"),
    }
}

fn label(expr: &Expr) -> String {
    match expr {
        Expr::Variable(variable, ..) => variable.1.to_string(),
        Expr::Property(names, _) => names.2.to_string(),
        Expr::MethodCall(call, _) | Expr::FnCall(call, _) => format!("{}(…)", call.name),
        Expr::ThisPtr(_) => "this".to_owned(),
        _ => "(…)".to_owned(),
    }
}

/// A place that Rhai knows.
pub(super) fn place(at: Position) -> Option<Place> {
    at.line().map(|line| Place { line, column: at.position().unwrap_or(1) })
}

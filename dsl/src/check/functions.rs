//! Calls, operators, and the steps of a path: what exists, and what comes out.

use rhai::{FnCallExpr, Position};

use super::Checker;
use super::bodies;
use super::known::{Kind, Known};
use crate::plan::{self, Span};
use crate::problem::{Code, Problem, closest, did_you_mean, list};

/// Functions that Rhai brings along, of which any may be registered.
const RHAI: &str = "abs acos acosh all append as_string asin asinh atan atanh bits blob bytes call ceil ceiling chars chop \
    chunks clear contains copy cos cosh crop curry debug dedup drain ends_with eval exclusive exit exp extract fill_with filter \
    find find_map floor for_each get get_bit get_bits get_fn_metadata_list hypot inclusive index_of insert int is_anonymous \
    is_decimal is_def_fn is_def_var is_empty is_even is_exclusive is_finite is_inclusive is_infinite is_nan is_odd is_shared \
    is_zero iter keys len ln log make_lower make_upper map max min mixin name order_by pad parse_be_int parse_decimal \
    parse_float parse_int parse_le_int parse_json pop pow print push range reduce reduce_rev remove replace retain reverse \
    round round_down round_half_down round_half_up round_up rsplit set set_bit set_bits set_tag shift sign sin sinh some sort \
    sort_by sort_desc splice split split_at split_rev sqrt start starts_with step sub_string tag take tan tanh timestamp \
    to_array to_binary to_blob to_char to_chars to_debug to_decimal to_degrees to_float to_hex to_int to_json to_lower to_octal \
    to_radians to_string to_upper trim truncate type_of values write write_ascii write_be write_le write_utf8 zip Fn sleep end \
    fraction index_of_rev is_unit fill_with + - * / % ** << >> & | ^ < <= > >= == != ! in";

/// A function that is written in place: its name in the tree, and how many of its parameters are
/// variables of the code around it.
pub(super) type Closure = (String, usize);

fn is_rhai(name: &str) -> bool {
    RHAI.split_ascii_whitespace().any(|known| known == name)
}

/// Functions that Rhai itself has, whatever is registered.
const BUILT_IN: &[&str] = &["call", "curry", "Fn", "is_def_var", "is_def_fn"];

impl<'c> Checker<'c> {
    /// A call that is not behind a dot: a function or an operator.
    pub(super) fn call(&mut self, call: &FnCallExpr, position: Position, at: &plan::Expr) -> Known<'c> {
        if call.op_token.is_some() {
            let values: Vec<Known<'c>> = call.args.iter().map(|arg| self.walk(arg, at)).collect();
            return self.operator(call, &values, position, at);
        }
        self.called(None, call, position, at)
    }

    /// A call behind a dot; what stands before counts as its first value.
    pub(super) fn method(
        &mut self,
        on: Known<'c>,
        call: &FnCallExpr,
        position: Position,
        at: &plan::Expr,
    ) -> Known<'c> {
        if let Kind::Table(table) = on.kind {
            for arg in &call.args {
                self.walk(arg, at);
            }
            self.table_not_indexed(table, Self::span_of(at, position, call.name.len()));
            return Known::any();
        }
        self.called(Some(on), call, position, at)
    }

    fn called(
        &mut self,
        on: Option<Known<'c>>,
        call: &FnCallExpr,
        position: Position,
        at: &plan::Expr,
    ) -> Known<'c> {
        let mut places = vec![Self::span_of(at, position, call.name.len())];
        places.truncate(usize::from(on.is_some()));
        let mut values: Vec<Known<'c>> = on.into_iter().collect();
        let mut function: Option<Closure> = None;
        for arg in &call.args {
            let closure = bodies::closure(arg);
            values.push(if closure.is_some() { Known::any() } else { self.walk(arg, at) });
            places.push(Self::span_of(at, arg.start_position(), 1));
            function = function.or(closure);
        }
        let is_known = self.check_call(call, values.len(), position, at);
        if let Some(module) = call.namespace.path.first() {
            if let Some(function) = function {
                self.closure(&function, &[], at);
            }
            let start = if module.pos.is_none() { position } else { module.pos };
            let length = module.name.len() + 2 + call.name.len();
            let place = Self::span_of(at, start, length);
            return if is_known {
                self.follow(&module.name, &call.name, values, place)
            } else {
                Known::any()
            };
        }
        if let Some(own) = self.within.as_ref().map(|within| within.script.clone())
            && self.bodies.function(&call.name, values.len()).is_some()
        {
            let place = Self::span_of(at, position, call.name.len());
            return self.follow_in(&own, &call.name, values, place);
        }
        self.library_call(&call.name, &values, &places, function.as_ref(), at)
    }

    /// Follows a function that is written in place, with what its first parameters are.
    pub(super) fn closure(&mut self, closure: &Closure, given: &[Known<'c>], at: &plan::Expr) -> Known<'c> {
        let bodies = self.bodies.clone();
        let Some(body) = bodies.get(&closure.0) else { return Known::any() };
        let depth = self.locals.len();
        let returns = std::mem::take(&mut self.returns);
        // The first parameters are variables of the code around it, under their own names.
        for (number, name) in body.params.iter().skip(closure.1).enumerate() {
            let known = given.get(number).cloned().unwrap_or_else(Known::any);
            self.give_local(name, known);
        }
        let last = self.statements(&body.statements, at);
        let known = std::mem::replace(&mut self.returns, returns).into_iter().fold(last, Known::either);
        self.locals.truncate(depth);
        known
    }

    /// Whether there is such a function, with so many values.
    fn check_call(&mut self, call: &FnCallExpr, arity: usize, position: Position, at: &plan::Expr) -> bool {
        let name = call.name.as_str();
        if let Some(module) = call.namespace.path.first() {
            let place = Self::span_of(
                at,
                if module.pos.is_none() { position } else { module.pos },
                module.name.len(),
            );
            return self.check_module_call(&module.name, name, arity, place, at);
        }
        let place = Self::span_of(at, position, name.len());
        if let Some(table) = self.plan.tables.iter().position(|table| table.name == name) {
            self.table_not_indexed(table, place);
            return false;
        }
        if name.starts_with("anon$")
            || BUILT_IN.contains(&name)
            || !self.is_strict() && is_rhai(name)
            || self.within.is_some()
            || self.locals.iter().any(|(local, _)| local == name)
        {
            return true;
        }
        let arities: Vec<usize> = self
            .catalog
            .functions
            .iter()
            .filter(|function| function.name == name)
            .map(|function| function.arity)
            .collect();
        if arities.contains(&arity) {
            return true;
        }
        if !arities.is_empty() {
            self.wrong_arity(name, &arities, arity, place);
        } else if !self.catalog.functions.is_empty() || self.function_of_script(name).is_some() {
            self.unknown_function(name, place);
        }
        false
    }

    /// The catalog tells all functions there are, not only those beside Rhai's own.
    fn is_strict(&self) -> bool {
        self.catalog.functions.iter().any(|function| !function.signature.is_empty())
    }

    fn function_of_script(&self, name: &str) -> Option<String> {
        let uses = self.plan.uses.iter();
        let mut found = uses.filter(|used| {
            let script = self.catalog.scripts.get(&used.path);
            script.is_some_and(|script| script.functions.iter().any(|function| function.name == name))
        });
        found.next().map(|used| format!("{}::{name}", used.alias))
    }

    fn unknown_function(&mut self, name: &str, place: Span) {
        let problem = Problem::new(Code::UnknownFunction, place, format!("there is no function `{name}`"))
            .label("not a function");
        let help = if let Some(full) = self.function_of_script(name) {
            Some(format!("write `{full}(…)`: functions of a script are called by the script's name"))
        } else if let Some(ours) = foreign(name) {
            Some(ours.to_owned())
        } else {
            let ours = self.catalog.functions.iter().map(|function| function.name.as_str());
            let strict = self.is_strict();
            let rhai = RHAI.split_ascii_whitespace().filter(|name| !strict && name.len() > 2);
            closest(name, ours.chain(rhai)).map(|name| format!("did you mean `{name}`?"))
        };
        self.report(problem.maybe_help(help));
    }

    fn wrong_arity(&mut self, name: &str, arities: &[usize], given: usize, place: Span) {
        let takes: Vec<String> = arities.iter().map(ToString::to_string).collect();
        let values = if takes.len() == 1 && arities.first() == Some(&1) { "value" } else { "values" };
        self.report(
            Problem::new(
                Code::WrongArity,
                place,
                format!("`{name}` takes {} {values}, and is given {given}", takes.join(" or ")),
            )
            .label(format!("{given} given")),
        );
    }

    fn check_module_call(
        &mut self,
        module: &str,
        name: &str,
        arity: usize,
        place: Span,
        at: &plan::Expr,
    ) -> bool {
        if !self.check_module(module, place.clone()) {
            return false;
        }
        let used = self.plan.uses.iter().find(|used| used.alias == module);
        let Some(script) = used.and_then(|used| self.catalog.scripts.get(&used.path)) else { return false };
        if script.broken.is_some() {
            return false;
        }
        let start = self
            .text
            .get(place.start..at.span.end)
            .and_then(|rest| rest.find(name))
            .map_or(place.start, |index| place.start + index);
        let place = start..start + name.len();
        let arities: Vec<usize> = script
            .functions
            .iter()
            .filter(|function| function.name == name)
            .map(|function| function.arity)
            .collect();
        if arities.is_empty() {
            let names = script.functions.iter().map(|function| function.name.as_str());
            let help = did_you_mean(name, names, "its functions are");
            self.report(
                Problem::new(
                    Code::UnknownFunction,
                    place,
                    format!("the script `{module}` has no function `{name}`"),
                )
                .label("not in this script")
                .maybe_help(help),
            );
            return false;
        }
        if !arities.contains(&arity) {
            self.wrong_arity(&format!("{module}::{name}"), &arities, arity, place);
            return false;
        }
        true
    }

    /// Whether `use` gave the name; says so when not.
    pub(super) fn check_module(&mut self, module: &str, place: Span) -> bool {
        if self.plan.uses.iter().any(|used| used.alias == module) || matches!(module, "global" | "this") {
            return true;
        }
        let aliases = self.plan.uses.iter().map(|used| used.alias.as_str());
        let help = did_you_mean(module, aliases, "the scripts in use are")
            .unwrap_or_else(|| format!("bring it in above: `use \"scripts/{module}.rhai\" as {module}`"));
        self.report(
            Problem::new(Code::UnknownModule, place, format!("no script is called `{module}`"))
                .label("not brought in by `use`")
                .help(help),
        );
        false
    }

    /// A resource that the system does not have.
    pub(super) fn unknown_resource(&mut self, system: &crate::catalog::System, name: &str, place: Span) {
        let names = system.resources.keys().map(String::as_str);
        let help = closest(name, names.clone())
            .map(|name| format!("did you mean `{name}`?"))
            .or_else(|| Some(format!("`{}` offers {}", system.name, list(names, "and"))));
        self.report(
            Problem::new(Code::UnknownResource, place, format!("`{}` has no resource `{name}`", system.name))
                .label(format!("not offered by `{}`", system.name))
                .maybe_help(help),
        );
    }
}

/// What functions of spreadsheets, SQL and programming languages are called here.
fn foreign(name: &str) -> Option<&'static str> {
    Some(match name.to_lowercase().as_str() {
        "concat" | "concatenate" => "texts are put together with `+`, or in one text in backticks",
        "if" | "iif" | "ifelse" | "case" => "write `if CONDITION { … } else { … }`",
        "coalesce" | "nvl" | "ifnull" | "isnull" | "isblank" | "default" => {
            "write `a ?? b`: `b` when there is no `a`"
        }
        "upper" | "ucase" | "uppercase" | "touppercase" | "toupper" => "write `.to_upper()`",
        "lower" | "lcase" | "lowercase" | "tolowercase" | "tolower" => "write `.to_lower()`",
        "left" | "right" | "mid" | "substr" | "substring" => "write `.sub_string(START, LENGTH)`",
        "length" | "count" | "size" => "write `.len()`",
        "str" | "string" | "tostring" | "to_string" | "text" => "write `to_text(…)`",
        "number" | "parseint" | "parse_int" | "to_int" | "toint" | "cint" => "write `to_integer(…)`",
        "float" | "parsefloat" | "parse_float" | "parse_decimal" | "to_decimal" | "double" => {
            "write `decimal(…)`"
        }
        "now" | "today" | "date" | "getdate" => "an expression knows no clock: take a date of the record",
        "includes" | "instr" => "write `.contains(…)`",
        "startswith" => "write `.starts_with(…)`",
        "endswith" => "write `.ends_with(…)`",
        _ => return None,
    })
}

//! Calls, operators, and the steps of a path: what exists, and what comes out.

use rhai::{Expr, FnCallExpr, Position};

use super::Checker;
use super::known::{Kind, Known};
use crate::plan::{self, Constant, Span};
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

fn is_rhai(name: &str) -> bool {
    RHAI.split_ascii_whitespace().any(|known| known == name)
}

impl<'c> Checker<'c> {
    /// A call that is not behind a dot: a function or an operator.
    pub(super) fn call(&mut self, call: &FnCallExpr, position: Position, at: &plan::Expr) -> Known<'c> {
        let values: Vec<Known<'c>> = call.args.iter().map(|arg| self.walk(arg, at)).collect();
        if call.op_token.is_some() {
            return self.operator(call, &values, at);
        }
        self.check_call(call, call.args.len(), position, at);
        of_function(&call.name)
    }

    /// A call behind a dot; what stands before counts as its first value.
    pub(super) fn method(
        &mut self,
        on: &Kind<'c>,
        call: &FnCallExpr,
        position: Position,
        at: &plan::Expr,
    ) -> Known<'c> {
        for arg in &call.args {
            self.walk(arg, at);
        }
        if let Kind::Table(table) = on {
            self.table_not_indexed(*table, Self::span_of(at, position, call.name.len()));
            return Known::any();
        }
        self.check_call(call, call.args.len() + 1, position, at);
        of_function(&call.name)
    }

    fn operator(&mut self, call: &FnCallExpr, values: &[Known<'c>], at: &plan::Expr) -> Known<'c> {
        match (call.name.as_str(), values, &*call.args) {
            ("==" | "!=", [left, right], [left_expr, right_expr]) => {
                self.check_option(left, right, right_expr, at);
                self.check_option(right, left, left_expr, at);
                self.check_comparable(left, right, right_expr, at);
                Kind::Boolean.into()
            }
            ("!", [only], [expr]) => {
                self.refuse_record(only, expr, at, "!");
                Kind::Boolean.into()
            }
            ("<" | "<=" | ">" | ">=" | "contains" | "in" | "!in" | "==" | "!=" | "!", ..) => {
                Kind::Boolean.into()
            }
            ("+", [left, right], _) => match (&left.kind, &right.kind) {
                (Kind::Text | Kind::Options(_), _) | (_, Kind::Text | Kind::Options(_)) => Kind::Text.into(),
                (left, right) => number(left, right),
            },
            ("&" | "|", [left, right], _) => {
                let is_text = |known: &Known<'c>| matches!(known.kind, Kind::Text | Kind::Options(_));
                if is_text(left) || is_text(right) {
                    let place = at.span.clone();
                    self.report(
                        Problem::new(Code::WordOperator, place, format!("`{}` does not join texts", call.name))
                            .label("a text on one side")
                            .help("write `+` to put texts together, or one text in backticks: `order ${order.number}`"),
                    );
                }
                Known::any()
            }
            ("-" | "*" | "/" | "%" | "**", [left, right], _) => number(&left.kind, &right.kind),
            ("-" | "+", [only], _) => match (&only.constant, call.name.as_str()) {
                (Some(Constant::Integer(value)), "-") => {
                    Known::constant(Constant::Integer(value.wrapping_neg()))
                }
                (Some(Constant::Decimal(value)), "-") => Known::constant(Constant::Decimal(-*value)),
                _ => number(&only.kind, &only.kind),
            },
            _ => Known::any(),
        }
    }

    /// A text and a number are never equal, whatever they say.
    fn check_comparable(&mut self, left: &Known<'c>, right: &Known<'c>, expr: &Expr, at: &plan::Expr) {
        let is_text = |known: &Known<'c>| matches!(known.kind, Kind::Text | Kind::Options(_));
        let is_number = |known: &Known<'c>| matches!(known.kind, Kind::Integer | Kind::Decimal);
        if !(is_text(left) && is_number(right) || is_number(left) && is_text(right)) {
            return;
        }
        let help = match (&right.constant, &left.constant) {
            (Some(Constant::Text(text)), _) if text.parse::<rust_decimal::Decimal>().is_ok() => {
                format!("leave the quotes away: `{text}`")
            }
            (Some(number @ (Constant::Integer(_) | Constant::Decimal(_))), _) => {
                format!("put the number in quotes: `\"{}\"`", number.written())
            }
            _ => "make both of one type: `(…).to_string()`, or `parse_int(…)`".to_owned(),
        };
        let place = Self::span_of(at, expr.start_position(), 1);
        let is = right.kind.name().unwrap_or("another type");
        self.report(
            Problem::new(Code::WrongType, place, "a text and a number are never equal")
                .label(format!("this is {is}"))
                .help(help),
        );
    }

    /// A choice is compared with a text that it can never be.
    fn check_option(&mut self, choice: &Known<'c>, with: &Known<'c>, expr: &Expr, at: &plan::Expr) {
        let (Kind::Options(options), Some(Constant::Text(text))) = (&choice.kind, &with.constant) else {
            return;
        };
        if options.is_empty() || options.contains(text) || text.is_empty() {
            return;
        }
        let place = Self::span_of(at, expr.position(), text.len() + 2);
        let help = did_you_mean(text, options.iter().map(String::as_str), "it is one of");
        self.report(
            Problem::new(Code::NotAnOption, place, format!("the value is never `{text}`"))
                .label("not one of its values")
                .maybe_help(help),
        );
    }

    /// Whether there is such a function, with so many values.
    pub(super) fn check_call(
        &mut self,
        call: &FnCallExpr,
        arity: usize,
        position: Position,
        at: &plan::Expr,
    ) {
        let name = call.name.as_str();
        if call.op_token.is_some() {
            return;
        }
        if let Some(module) = call.namespace.path.first() {
            let place = Self::span_of(
                at,
                if module.pos.is_none() { position } else { module.pos },
                module.name.len(),
            );
            self.check_module_call(&module.name, name, arity, place, at);
            return;
        }
        let place = Self::span_of(at, position, name.len());
        if let Some(table) = self.plan.tables.iter().position(|table| table.name == name) {
            self.table_not_indexed(table, place);
            return;
        }
        if name.starts_with("anon$") || is_rhai(name) || self.locals.iter().any(|local| local == name) {
            return;
        }
        let arities: Vec<usize> = self
            .catalog
            .functions
            .iter()
            .filter(|function| function.name == name)
            .map(|function| function.arity)
            .collect();
        if arities.contains(&arity) {
            return;
        }
        if !arities.is_empty() {
            self.wrong_arity(name, &arities, arity, place);
        } else if !self.catalog.functions.is_empty() || self.function_of_script(name).is_some() {
            self.unknown_function(name, place);
        }
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
            let names = ours.chain(RHAI.split_ascii_whitespace().filter(|name| name.len() > 2));
            closest(name, names).map(|name| format!("did you mean `{name}`?"))
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

    fn check_module_call(&mut self, module: &str, name: &str, arity: usize, place: Span, at: &plan::Expr) {
        if !self.check_module(module, place.clone()) {
            return;
        }
        let used = self.plan.uses.iter().find(|used| used.alias == module);
        let Some(script) = used.and_then(|used| self.catalog.scripts.get(&used.path)) else { return };
        if script.broken.is_some() {
            return;
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
        } else if !arities.contains(&arity) {
            self.wrong_arity(&format!("{module}::{name}"), &arities, arity, place);
        }
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

/// The result of arithmetic, where it is certain.
fn number<'c>(left: &Kind<'c>, right: &Kind<'c>) -> Known<'c> {
    match (left, right) {
        (Kind::Integer, Kind::Integer) => Kind::Integer.into(),
        (Kind::Integer | Kind::Decimal, Kind::Integer | Kind::Decimal) => Kind::Decimal.into(),
        _ => Known::any(),
    }
}

/// The result of a function of Rhai, where it is certain.
fn of_function<'c>(name: &str) -> Known<'c> {
    match name {
        "to_string" | "to_upper" | "to_lower" | "sub_string" | "to_json" | "to_hex" => Kind::Text.into(),
        "len" | "to_int" | "parse_int" => Kind::Integer.into(),
        "to_decimal" | "parse_decimal" => Kind::Decimal.into(),
        "is_empty" | "contains" | "starts_with" | "ends_with" | "is_even" | "is_odd" | "is_zero" => {
            Kind::Boolean.into()
        }
        _ => Known::any(),
    }
}

/// What functions of spreadsheets, SQL and programming languages are called here.
fn foreign(name: &str) -> Option<&'static str> {
    Some(match name.to_lowercase().as_str() {
        "concat" | "concatenate" | "join" => "texts are put together with `+`, or in one text in backticks",
        "if" | "iif" | "ifelse" | "case" => "write `if CONDITION { … } else { … }`",
        "coalesce" | "nvl" | "ifnull" | "isnull" | "isblank" | "default" => {
            "write `a ?? b`: `b` when there is no `a`"
        }
        "upper" | "ucase" | "uppercase" | "touppercase" | "toupper" => "write `.to_upper()`",
        "lower" | "lcase" | "lowercase" | "tolowercase" | "tolower" => "write `.to_lower()`",
        "left" | "right" | "mid" | "substr" | "substring" => "write `.sub_string(START, LENGTH)`",
        "length" | "count" | "size" => "write `.len()`",
        "str" | "string" | "tostring" | "text" => "write `.to_string()`",
        "number" | "parseint" | "toint" | "cint" => "write `parse_int(…)`",
        "decimal" | "float" | "parsefloat" | "double" => "write `parse_decimal(…)`",
        "now" | "today" | "date" | "getdate" => "an expression knows no clock: take a date of the record",
        "includes" | "instr" => "write `.contains(…)`",
        "startswith" => "write `.starts_with(…)`",
        "endswith" => "write `.ends_with(…)`",
        _ => return None,
    })
}

//! Operators: what they cannot work on, comparisons that can never be true, and what comes out.

use rhai::{Expr, FnCallExpr, Position};

use super::Checker;
use super::known::{Kind, Known};
use crate::plan::{self, Constant, Span};
use crate::problem::{Code, Problem, did_you_mean};

impl<'c> Checker<'c> {
    pub(super) fn operator(
        &mut self,
        call: &FnCallExpr,
        values: &[Known<'c>],
        position: Position,
        at: &plan::Expr,
    ) -> Known<'c> {
        match (call.name.as_str(), values, &*call.args) {
            ("==" | "!=", [left, right], [left_expr, right_expr]) => {
                self.check_option(left, right, right_expr, at);
                self.check_option(right, left, left_expr, at);
                self.check_comparable(left, right, Self::span_of(at, right_expr.start_position(), 1));
                Kind::Boolean.into()
            }
            ("<" | "<=" | ">" | ">=", [left, right], [_, right_expr]) => {
                self.check_comparable(left, right, Self::span_of(at, right_expr.start_position(), 1));
                Kind::Boolean.into()
            }
            ("contains", [list, item], [_, item_expr]) => {
                self.check_in(list, item, item_expr, at);
                Kind::Boolean.into()
            }
            ("!", [only], [expr]) => {
                self.refuse_record(only, expr, at, "!");
                Kind::Boolean.into()
            }
            ("!" | "contains", ..) => Kind::Boolean.into(),
            (".." | "..=", [Known { kind: Kind::Integer, .. }, Known { kind: Kind::Integer, .. }], _) => {
                Known::list_of(Kind::Integer.into())
            }
            ("+", [left, right], [_, right_expr]) => self.plus(left, right, right_expr, position, at),
            ("&" | "|", [left, right], _) => {
                if left.kind.is_text() || right.kind.is_text() {
                    let place = at.span.clone();
                    self.report(
                        Problem::new(Code::WordOperator, place, format!("`{}` does not join texts", call.name))
                            .label("a text on one side")
                            .help("write `+` to put texts together, or one text in backticks: `order ${order.number}`"),
                    );
                }
                Known::any()
            }
            (sign @ ("-" | "*" | "/" | "%" | "**"), [left, right], _) => {
                for known in [left, right] {
                    if let Some(is) = known.kind.class().filter(|class| *class != "a number") {
                        self.cannot_reckon(sign, is, known, position, at);
                        return Known::any();
                    }
                }
                number(&left.kind, &right.kind, sign)
            }
            ("-" | "+", [only], _) => match (&only.constant, call.name.as_str()) {
                (Some(Constant::Integer(value)), "-") => {
                    Known::constant(Constant::Integer(value.wrapping_neg()), Self::span_of(at, position, 1))
                }
                (Some(Constant::Decimal(value)), "-") => {
                    Known::constant(Constant::Decimal(-*value), Self::span_of(at, position, 1))
                }
                _ => number(&only.kind, &only.kind, "+"),
            },
            _ => Known::any(),
        }
    }

    /// `+` adds numbers, and puts texts, lists and records together; it never mixes them.
    fn plus(
        &mut self,
        left: &Known<'c>,
        right: &Known<'c>,
        right_expr: &Expr,
        position: Position,
        at: &plan::Expr,
    ) -> Known<'c> {
        let (a, b) = (left.kind.class(), right.kind.class());
        if let (Some(a), Some(b)) = (a, b)
            && (a != b || a == "true or false")
        {
            let help = match (a, b) {
                ("a text", "a number") | ("a number", "a text") => {
                    "write one text in backticks: `` `order ${order.number}` ``; to add, make the text a number: `decimal(…)`"
                }
                ("a list", _) | (_, "a list") => "put it into a list as well: `[…]`",
                _ => "write one text in backticks: `` `order ${order.number}` ``",
            };
            let place = Self::span_of(
                at,
                if right_expr.start_position().is_none() { position } else { right_expr.start_position() },
                1,
            );
            self.report(
                Problem::new(Code::WrongOperator, place, format!("`+` does not join {a} and {b}"))
                    .label(format!("this is {b}"))
                    .help(help),
            );
            return Known::any();
        }
        match (&left.kind, &right.kind) {
            (Kind::List(_), Kind::List(_)) => {
                let kind = left.kind.clone().either(right.kind.clone());
                kind.into()
            }
            (left, right) if left.is_text() || right.is_text() => Kind::Text.into(),
            (left, right) => number(left, right, "+"),
        }
    }

    fn cannot_reckon(
        &mut self,
        sign: &str,
        is: &str,
        known: &Known<'c>,
        position: Position,
        at: &plan::Expr,
    ) {
        let help = match known.kind {
            Kind::Text | Kind::Options(_) => Some("make it a number: `decimal(…)`, or `to_integer(…)`"),
            Kind::List(_) => Some("add up a list with `.sum(|item| item.FIELD)`, count it with `.len()`"),
            Kind::Record(_) => Some("name one of its fields: `….FIELD`"),
            Kind::Date | Kind::DateTime => {
                Some("`days_between(a, b)` counts days, `add_days(date, 14)` adds some")
            }
            _ => None,
        };
        self.report(
            Problem::new(
                Code::WrongOperator,
                Self::span_of(at, position, sign.len()),
                format!("`{sign}` reckons with numbers"),
            )
            .label(format!("{is} on one side"))
            .maybe_help(help.map(str::to_owned)),
        );
    }

    /// Values of different kinds are never equal, and have no order.
    pub(super) fn check_comparable(&mut self, left: &Known<'c>, right: &Known<'c>, place: Span) {
        let (Some(a), Some(b)) = (left.kind.class(), right.kind.class()) else { return };
        if a == b {
            return;
        }
        let constants = match (&right.constant, &left.constant) {
            (Some(constant), _) | (None, Some(constant)) => Some(constant),
            _ => None,
        };
        let help = match (a, b, constants) {
            ("a text", "a number", Some(number @ (Constant::Integer(_) | Constant::Decimal(_)))) => {
                format!("put the number in quotes: `\"{}\"`", number.written())
            }
            ("a number", "a text", Some(Constant::Text(text)))
                if text.parse::<rust_decimal::Decimal>().is_ok() =>
            {
                format!("leave the quotes away: `{text}`")
            }
            ("a text" | "a number", "a text" | "a number", Some(Constant::Text(text)))
                if text.parse::<rust_decimal::Decimal>().is_ok() =>
            {
                format!("leave the quotes away: `{text}`")
            }
            (
                "a text" | "a number",
                "a text" | "a number",
                Some(number @ (Constant::Integer(_) | Constant::Decimal(_))),
            ) => {
                format!("put the number in quotes: `\"{}\"`", number.written())
            }
            ("a text" | "a number", "a text" | "a number", _) => {
                "make both of one type: `to_text(…)`, or `to_integer(…)`".to_owned()
            }
            ("true or false", _, _) | (_, "true or false", _) => {
                "write `true` or `false`, without quotes".to_owned()
            }
            ("a list", _, _) => {
                "ask whether the list holds it: `value in list`, or how long it is: `.len()`".to_owned()
            }
            (_, "a list", _) => "ask whether the list holds it: `value in list`".to_owned(),
            _ => "name one of its fields: `….FIELD`, or ask whether it is there: `… != ()`".to_owned(),
        };
        let is = right.kind.name().unwrap_or("another type");
        let (a, b) = if a == "a number" && b == "a text" { (b, a) } else { (a, b) };
        self.report(
            Problem::new(Code::WrongType, place, format!("{a} and {b} are never equal"))
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

    /// `item in list`
    fn check_in(&mut self, list: &Known<'c>, item: &Known<'c>, item_expr: &Expr, at: &plan::Expr) {
        let Kind::List(of) = &list.kind else { return };
        match (&of.kind, &item.kind, &item.constant) {
            // A text that no list of these choices holds.
            (Kind::Options(options), _, Some(Constant::Text(text)))
                if !options.is_empty() && !options.contains(text) =>
            {
                let place = Self::span_of(at, item_expr.start_position(), text.len() + 2);
                let help = did_you_mean(text, options.iter().map(String::as_str), "it is one of");
                self.report(
                    Problem::new(Code::NotAnOption, place, format!("the list never holds `{text}`"))
                        .label("not one of its values")
                        .maybe_help(help),
                );
            }
            (_, Kind::Options(options), None) if !options.is_empty() => {
                for (value, place) in of.values.iter() {
                    let Constant::Text(text) = value else { continue };
                    if options.contains(text) || text.is_empty() {
                        continue;
                    }
                    let help = did_you_mean(text, options.iter().map(String::as_str), "it is one of");
                    self.report(
                        Problem::new(
                            Code::NotAnOption,
                            place.clone(),
                            format!("the value is never `{text}`"),
                        )
                        .label("not one of its values")
                        .maybe_help(help),
                    );
                }
                if let Kind::Options(listed) = &of.kind
                    && !listed.iter().any(|one| options.contains(one))
                {
                    let place = Self::span_of(at, item_expr.start_position(), 1);
                    self.report(
                        Problem::new(Code::NotAnOption, place, "the list never holds this value")
                            .label("none of its values is in the list"),
                    );
                }
            }
            _ => {
                let (a, b) = (of.kind.clone(), item.kind.clone());
                if a.is_text() && b.is_number() || a.is_number() && b.is_text() {
                    let place = Self::span_of(at, item_expr.start_position(), 1);
                    self.check_comparable(&Known { constant: None, ..(**of).clone() }, item, place);
                }
            }
        }
    }
}

/// The result of arithmetic, where it is certain.
fn number<'c>(left: &Kind<'c>, right: &Kind<'c>, sign: &str) -> Known<'c> {
    match (left, right) {
        // `10 / 4` is 2.5, and `10 / 5` an integer.
        (Kind::Integer, Kind::Integer) if sign == "/" || sign == "**" => Kind::number().into(),
        (Kind::Integer, Kind::Integer) => Kind::Integer.into(),
        (Kind::Integer | Kind::Decimal, Kind::Integer | Kind::Decimal) => Kind::Decimal.into(),
        (left, right) if left.is_number() && right.is_number() => Kind::number().into(),
        // Everything else than numbers is refused.
        _ if sign != "+" => Kind::number().into(),
        _ => Known::any(),
    }
}

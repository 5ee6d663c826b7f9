//! Calls of the script library: whether a function can work with what it is given, and what it
//! gives. Signatures come with the catalog; what depends on the items of a list stands here.

use rhai::Stmt;

use super::Checker;
use super::functions::Closure;
use super::known::{FieldOf, Kind, Known};
use crate::plan::{self, Constant, Span};
use crate::problem::{Code, Problem};

/// What a function takes and gives, read from `round(number, digits: integer) -> number`.
struct Signature<'s> {
    takes: Vec<Vec<&'s str>>,
    gives: &'s str,
}

/// The signature for so many values; one text may hold several.
fn signature<'s>(text: &'s str, name: &str, arity: usize) -> Option<Signature<'s>> {
    let mut rest = text;
    let mut found = None;
    while let Some((_, after)) = rest.split_once(&format!("{name}(")) {
        let (takes, after) = after.split_once(')')?;
        let takes: Vec<Vec<&str>> = takes
            .split(',')
            .map(str::trim)
            .filter(|one| !one.is_empty())
            .map(|one| {
                let kinds = one.split_once(':').map_or(one, |(_, kinds)| kinds);
                kinds.split('|').map(str::trim).collect()
            })
            .collect();
        let gives = after.trim_start().strip_prefix("->").unwrap_or_default();
        let gives = gives.split(',').next().unwrap_or_default().trim();
        let fits = takes.len() >= arity;
        if fits {
            let signature = Signature { takes, gives };
            // The shortest that has room is meant.
            let better =
                found.as_ref().is_none_or(|other: &Signature<'_>| other.takes.len() > signature.takes.len());
            if better {
                found = Some(signature);
            }
        }
        rest = after;
    }
    found
}

/// Whether a value of that kind may be what a word of a signature names.
fn takes(word: &str, kind: &Kind<'_>) -> bool {
    match (word, kind) {
        (_, Kind::Any | Kind::Never | Kind::OneOf(_)) => true,
        ("text", Kind::Text | Kind::Options(_) | Kind::Date | Kind::DateTime)
        | ("integer" | "number" | "decimal", Kind::Integer | Kind::Decimal)
        | ("boolean", Kind::Boolean)
        | ("list", Kind::List(_))
        | ("record", Kind::Record(_) | Kind::Settings)
        | ("table", Kind::Table(_)) => true,
        ("text" | "integer" | "number" | "decimal" | "boolean" | "list" | "record" | "table", _) => false,
        // `value`, `function`, and what the checker does not know.
        _ => true,
    }
}

fn with_article(word: &str) -> &str {
    match word {
        "text" => "a text",
        "integer" => "an integer",
        "number" | "decimal" => "a number",
        "boolean" => "true or false",
        "list" => "a list",
        "record" => "a record",
        "table" => "a table",
        other => other,
    }
}

impl<'c> Checker<'c> {
    pub(super) fn library_call(
        &mut self,
        name: &str,
        values: &[Known<'c>],
        places: &[Span],
        function: Option<&Closure>,
        at: &plan::Expr,
    ) -> Known<'c> {
        let catalog = self.catalog;
        let entry = catalog
            .functions
            .iter()
            .find(|entry| entry.name == name && entry.arity == values.len() && !entry.signature.is_empty());
        let signature = entry.and_then(|entry| signature(&entry.signature, name, values.len()));
        if let Some(signature) = &signature {
            self.check_values(name, signature, values, places);
        }
        let gives = signature.map_or("", |signature| signature.gives);
        self.given_by(name, gives, values, places, function, at)
    }

    /// Values that the function will refuse whatever they hold.
    fn check_values(&mut self, name: &str, signature: &Signature<'_>, values: &[Known<'c>], places: &[Span]) {
        for (number, (known, words)) in values.iter().zip(&signature.takes).enumerate() {
            if words.iter().any(|word| takes(word, &known.kind)) {
                continue;
            }
            let wanted: Vec<&str> = words.iter().map(|word| with_article(word)).collect();
            let wanted = wanted.join(" or ");
            let is = match &known.kind {
                Kind::Nothing => "no value",
                kind => kind.name().unwrap_or("another type"),
            };
            let ordinal = if number == 0 { String::new() } else { format!(" as value {}", number + 1) };
            let help = match (words.first().copied(), &known.kind) {
                (Some("text"), Kind::Integer | Kind::Decimal | Kind::Boolean) => {
                    Some("make it a text: `to_text(…)`".to_owned())
                }
                (Some("integer" | "number" | "decimal"), kind) if kind.is_text() => {
                    Some("make it a number: `decimal(…)`, or `to_integer(…)`".to_owned())
                }
                (Some("text" | "number" | "integer"), Kind::Record(_)) => {
                    Some("name one of its fields: `….FIELD`".to_owned())
                }
                (Some("text" | "number" | "integer"), Kind::List(_)) => {
                    Some("take one item, `[0]` is the first, or do it for each: `.map(|item| …)`".to_owned())
                }
                (Some("list"), _) => Some("put it into a list: `[…]`".to_owned()),
                _ => None,
            };
            let Some(place) = places.get(number) else { continue };
            self.report(
                Problem::new(Code::WrongArgument, place.clone(), format!("`{name}` takes {wanted}{ordinal}"))
                    .label(format!("this is {is}"))
                    .maybe_help(help),
            );
        }
    }

    /// A function that answers true or false, and gives a value instead.
    fn check_assignment(&mut self, function: &Closure, at: &plan::Expr) {
        let bodies = self.bodies.clone();
        let last = bodies.get(&function.0).and_then(|body| body.statements.last());
        if let Some(Stmt::Assignment(sides)) = last {
            let place = Self::span_of(at, sides.0.position(), 1);
            self.report(
                Problem::new(Code::AssignmentInCondition, place, "a condition compares with `==`")
                    .label("one `=` gives a value")
                    .help("write `==`"),
            );
        }
    }

    /// What a function of the library gives.
    fn given_by(
        &mut self,
        name: &str,
        gives: &str,
        values: &[Known<'c>],
        places: &[Span],
        function: Option<&Closure>,
        at: &plan::Expr,
    ) -> Known<'c> {
        let first = values.first().cloned().unwrap_or_else(Known::any);
        let item = first.item();
        if let ("min" | "max", [left, right], Some(place)) = (name, values, places.get(1)) {
            self.check_comparable(left, right, place.clone());
        }
        let called = function.map(|function| {
            // Of `reduce` nothing is known of what comes out of the item before.
            let given = if name == "reduce" { vec![Known::any(), item.clone()] } else { vec![item.clone()] };
            let asks = matches!(name, "filter" | "find" | "any" | "all");
            if asks {
                self.check_assignment(function, at);
            }
            let testing = self.testing;
            self.testing |= asks;
            let known = self.closure(function, &given, at);
            self.testing = testing;
            known
        });
        let plain = |known: Known<'c>| known.without_value();
        match (name, values) {
            ("filter" | "sort" | "reverse" | "unique" | "slice", _) => match first.kind {
                Kind::List(_) => first.kind.into(),
                _ => Known::any(),
            },
            ("find", _) => plain(item).or_absent(&[]),
            // Whether the list is empty is known to the flow, not to the checker.
            ("first" | "last", _) => plain(item),
            ("map", _) => Known::list_of(called.unwrap_or_else(Known::any)),
            ("flatten", _) => Known::list_of(item.item()),
            ("sum", _) => match called.unwrap_or(item).kind {
                kind if kind.is_number() => kind.into(),
                _ => Kind::number().into(),
            },
            ("min" | "max", [left, right]) => plain(left.clone().either(right.clone())),
            ("min" | "max", [_]) => plain(item),
            ("or_nothing", _) => Known { constant: None, ..first }.or_absent(&[]),
            ("get", [record, Known { constant: Some(Constant::Text(field)), .. }]) => {
                match record.kind.field(field) {
                    Some(FieldOf::Found { known, .. }) => plain(known),
                    _ => Known::any(),
                }
            }
            ("keys" | "split" | "letters", _) => Known::list_of(Kind::Text.into()),
            ("index_of", _) => Known::from(Kind::Integer).or_absent(&[]),
            ("round", [_]) => Kind::Integer.into(),
            ("round", [Known { kind: Kind::Decimal, .. }, _]) => Kind::Decimal.into(),
            ("abs", _) if first.kind.is_number() => first.kind.into(),
            // They change the variable that they are called on.
            ("push" | "set", _) => Kind::Nothing.into(),
            ("remove", _) => Known::any(),
            _ => of_word(gives, name),
        }
    }
}

/// What a word behind the arrow of a signature promises; functions without one are Rhai's own.
fn of_word<'c>(gives: &str, name: &str) -> Known<'c> {
    match (gives, name) {
        ("text", _) | ("", "to_string" | "to_upper" | "to_lower" | "sub_string" | "to_json" | "to_hex") => {
            Kind::Text.into()
        }
        ("integer", _) | ("", "len" | "to_int" | "parse_int") => Kind::Integer.into(),
        ("decimal", _) | ("", "to_decimal" | "parse_decimal") => Kind::Decimal.into(),
        ("boolean", _)
        | (
            "",
            "is_empty" | "contains" | "starts_with" | "ends_with" | "is_even" | "is_odd" | "is_zero" | "any"
            | "all",
        ) => Kind::Boolean.into(),
        ("number", _) => Kind::number().into(),
        ("list", _) => Known::list_of(Known::any()),
        _ => Known::any(),
    }
}

#[cfg(test)]
mod tests {
    use super::signature;

    #[test]
    fn a_signature_is_read_for_the_number_of_values() {
        let text = "min(a, b) -> value, min(list) -> value";
        assert_eq!(signature(text, "min", 1).unwrap().takes, [["list"]]);
        assert_eq!(signature(text, "min", 2).unwrap().takes, [["a"], ["b"]]);
        let round = signature("round(number, digits: integer) -> number", "round", 1).unwrap();
        assert_eq!((round.takes, round.gives), (vec![vec!["number"], vec!["integer"]], "number"));
        let contains = signature("contains(text | list, value) -> boolean", "contains", 2).unwrap();
        assert_eq!(contains.takes, [vec!["text", "list"], vec!["value"]]);
        assert_eq!(signature("push(list, item)", "push", 2).unwrap().gives, "");
    }
}

//! Whether a value fits a field; only what is certain is refused.

use super::Checker;
use super::abilities::unknown_field;
use super::known::{Kind, Known, Shape};
use crate::answers::is_date;
use crate::catalog::{Field, Type};
use crate::plan::{Constant, Span};
use crate::problem::{Code, Problem, did_you_mean};

impl<'c> Checker<'c> {
    /// Says so when the value cannot be one of the field.
    pub(super) fn check_value(&mut self, field: &Field, whose: &str, known: &Known<'c>, at: &Span) {
        if let Some(constant) = &known.constant {
            match self.check_constant(field, whose, constant, at) {
                Judged::Refused | Judged::Fits => return,
                Judged::Undecided => {}
            }
        }
        let (fits, given, can_be) = worst(&field.kind, &known.kind);
        let Fit::Never(help) = fits else {
            let told = self.problems.len();
            self.check_each(field, whose, known, at);
            // A value that was told where it stands is not told again where it comes to.
            if self.problems.len() == told {
                self.check_options(field, whose, known, at);
            }
            self.check_made(field, whose, known, at);
            return;
        };
        // Where the value of that kind stands, when it stands in the flow.
        let stands = known.values.iter().find(|(value, place)| {
            can_be
                && matches!(
                    fit(&field.kind, &Known::constant(value.clone(), place.clone()).kind),
                    Fit::Never(_)
                )
        });
        let is = given.name().unwrap_or("another type");
        let message = format!("`{whose}.{}` takes {}", field.name, wanted(&field.kind));
        let is = if can_be { format!("this can be {is}") } else { format!("this is {is}") };
        self.report(
            match stands {
                Some((value, place)) => {
                    let known = Known::constant(value.clone(), place.clone());
                    Problem::new(Code::WrongType, place.clone(), message)
                        .also(at.clone(), "it comes here")
                        .label(format!("this is {}", known.kind.name().unwrap_or("another type")))
                }
                None => Problem::new(Code::WrongType, at.clone(), message).label(is),
            }
            .maybe_help(help.map(str::to_owned)),
        );
    }

    fn check_constant(&mut self, field: &Field, whose: &str, constant: &Constant, at: &Span) -> Judged {
        let Constant::Text(text) = constant else { return Judged::Undecided };
        let name = format!("{whose}.{}", field.name);
        let problem = match &field.kind {
            Type::Enum(options) if !options.is_empty() && !text.is_empty() && !options.contains(text) => {
                let help = did_you_mean(text, options.iter().map(String::as_str), "it may be");
                Problem::new(Code::NotAnOption, at.clone(), format!("`{name}` is never `{text}`"))
                    .label("not one of its values")
                    .maybe_help(help)
            }
            Type::Text if field.max_length.is_some_and(|max| text.chars().count() > max) => {
                let max = field.max_length.unwrap_or_default();
                Problem::new(Code::TooLong, at.clone(), format!("`{name}` takes at most {max} characters"))
                    .label(format!("{} characters", text.chars().count()))
                    .help(format!(
                        "shorten it; a value that comes from a record is cut with `.sub_string(0, {max})`"
                    ))
            }
            Type::Text
                if field.digits_only
                    && !text.is_empty()
                    && !text.bytes().all(|byte| byte.is_ascii_digit()) =>
            {
                Problem::new(Code::NotDigits, at.clone(), format!("`{name}` takes digits only"))
                    .label("holds other characters")
            }
            Type::Date if !is_date(text) => {
                Problem::new(Code::WrongType, at.clone(), format!("`{name}` takes a date"))
                    .label("this is no date")
                    .help("a date is written `\"2026-11-21\"`")
            }
            Type::Text | Type::Enum(_) | Type::Date => return Judged::Fits,
            _ => return Judged::Undecided,
        };
        self.report(problem);
        Judged::Refused
    }

    /// Values that the expression can have: branches, rows of a table, defaults.
    fn check_each(&mut self, field: &Field, whose: &str, known: &Known<'c>, at: &Span) {
        for (value, place) in known.values.iter() {
            let is_blank = matches!(value, Constant::Text(text) if text.is_empty());
            if is_blank || matches!(value, Constant::Nothing) {
                continue;
            }
            let told = self.problems.len();
            self.check_constant(field, whose, value, place);
            // A value that stands elsewhere is shown with the line that it comes to.
            if !at.contains(&place.start)
                && let Some(problem) = self.problems.get_mut(told)
            {
                *problem = problem.clone().also(at.clone(), "it comes here");
            }
        }
    }

    /// A record that was made above, or a list of such, is written as it is: so its fields are those
    /// of the target.
    fn check_made(&mut self, field: &Field, whose: &str, known: &Known<'c>, at: &Span) {
        let whose = format!("{whose}.{}", field.name);
        match (&field.kind, &known.kind) {
            (Type::Record(fields), Kind::Record(shape)) => self.check_shape(fields, &whose, shape, at),
            (Type::List(item), Kind::List(entry)) => {
                if let (Type::Record(fields), Kind::Record(shape)) = (&**item, &entry.kind) {
                    self.check_shape(fields, &whose, shape, at);
                }
            }
            _ => {}
        }
    }

    fn check_shape(&mut self, fields: &[Field], whose: &str, shape: &Shape<'c>, at: &Span) {
        let made = match shape {
            Shape::Either(shapes, _) => {
                return shapes.iter().for_each(|shape| self.check_shape(fields, whose, shape, at));
            }
            Shape::Made { fields, .. } => fields,
            // What comes from a system is as that system has it.
            Shape::Schema { .. } => return,
        };
        // A record whose fields are not listed may hold any.
        if fields.is_empty() {
            return;
        }
        for one in made.iter() {
            if let Some(field) = fields.iter().find(|field| field.name == one.name) {
                self.check_value(field, whose, &one.known, &one.at);
                continue;
            }
            let writable = fields.iter().filter(|field| !field.read_only);
            let help = did_you_mean(&one.name, writable.map(|field| field.name.as_str()), "its fields are");
            let mut problem = unknown_field(whose, &one.name, one.at.clone()).maybe_help(help);
            if !at.contains(&one.at.start) {
                problem = problem.also(at.clone(), "written here");
            }
            self.report(problem);
        }
    }

    /// Says so when a field that a new record needs may get no value.
    pub(super) fn check_given(&mut self, field: &Field, whose: &str, known: &Known<'c>, at: &Span) {
        let Some(absent) = &known.absent else { return };
        if self.is_asked(absent) {
            return;
        }
        let help = match absent.first() {
            Some(name) => format!(
                "give another value in its place: `… ?? VALUE`, or leave such records out first: `fail \"…\" if {name} == ()`"
            ),
            None => {
                "give another value in its place: `… ?? VALUE`, or leave such records out first".to_owned()
            }
        };
        self.report(
            Problem::new(
                Code::PerhapsMissing,
                at.clone(),
                format!("a new record of `{whose}` always needs `{}`", field.name),
            )
            .label("there may be no value here")
            .help(help),
        );
    }

    /// A choice may hold a text that the field does not know.
    fn check_options(&mut self, field: &Field, whose: &str, known: &Known<'c>, at: &Span) {
        let (Type::Enum(wanted), Kind::Options(given)) = (&field.kind, &known.kind) else { return };
        let Some(stranger) = given.iter().find(|option| !wanted.contains(option)) else { return };
        if wanted.is_empty() {
            return;
        }
        let help = did_you_mean(stranger, wanted.iter().map(String::as_str), "it may be");
        self.report(
            Problem::new(
                Code::NotAnOption,
                at.clone(),
                format!("`{whose}.{}` is never `{stranger}`", field.name),
            )
            .label(format!("can be `{stranger}`"))
            .maybe_help(help),
        );
    }
}

enum Judged {
    Fits,
    Refused,
    Undecided,
}

/// Whether two kinds go together.
enum Fit {
    /// They do, or it is not known.
    Well,
    /// They certainly do not; with advice where there is some.
    Never(Option<&'static str>),
}

/// How a value fits that may be of several kinds: as badly as the worst of them, which is told.
fn worst<'k, 'c>(wanted: &Type, given: &'k Kind<'c>) -> (Fit, &'k Kind<'c>, bool) {
    if let Kind::OneOf(kinds) = given {
        // Which number it is nobody knows.
        if matches!(wanted, Type::Integer) && given.is_number() {
            return (Fit::Well, given, false);
        }
        let bad = kinds.iter().find_map(|kind| match fit(wanted, kind) {
            Fit::Never(help) => Some((Fit::Never(help), kind, true)),
            Fit::Well => None,
        });
        return bad.unwrap_or((Fit::Well, given, false));
    }
    (fit(wanted, given), given, false)
}

fn fit(wanted: &Type, given: &Kind<'_>) -> Fit {
    let text = matches!(given, Kind::Text | Kind::Options(_));
    let advice = match (wanted, given) {
        (_, Kind::Any | Kind::Nothing | Kind::Never | Kind::OneOf(_))
        | (Type::Any, _)
        | (Type::Record(_), Kind::Record(_))
        | (Type::List(_), Kind::List(_)) => return Fit::Well,
        (_, Kind::Settings) => "name one: `settings.NAME`",
        (_, Kind::Table(_)) => "read it with a key: `TABLE[key]`",
        (Type::Text, Kind::Integer | Kind::Decimal | Kind::Boolean) => {
            "make it a text: `to_text(…)`, or put the number in quotes"
        }
        (Type::Enum(_), Kind::Integer | Kind::Decimal | Kind::Boolean) => {
            "it is one of a few texts; a `table` translates"
        }
        (Type::Integer, _) if text => "take the quotes away, or make it a number: `to_integer(…)`",
        (Type::Integer, Kind::Decimal) => "round it first: `round(…)`",
        (Type::Decimal, _) if text => "take the quotes away, or make it a number: `decimal(…)`",
        (Type::Integer | Type::Decimal, Kind::Boolean) => "write `if … { 1 } else { 0 }`",
        (Type::Boolean, _) if text => "compare it with something: `… == \"yes\"`",
        (Type::Boolean, Kind::Integer | Kind::Decimal) => {
            "compare it with something: `… > 0`, or write `true` or `false`"
        }
        (Type::Boolean, Kind::Date | Kind::DateTime) => "ask whether it is there: `… != ()`",
        (Type::Integer | Type::Decimal, Kind::Date | Kind::DateTime)
        | (Type::Date | Type::DateTime, Kind::Integer | Kind::Decimal | Kind::Boolean) => {
            return Fit::Never(None);
        }
        (Type::Record(_), _) => "give its fields in a block: `field { … }`",
        (Type::List(_), _) => "write a list: `[…]`, or one entry a record: `field each NAME in LIST { … }`",
        (_, Kind::Record(_)) => "name one of its fields: `….FIELD`",
        (_, Kind::List(_)) => "take one item: `[0]` is the first",
        _ => return Fit::Well,
    };
    Fit::Never(Some(advice))
}

fn wanted(kind: &Type) -> &'static str {
    match kind {
        Type::Text => "text",
        Type::Enum(_) => "one of a few texts",
        Type::Integer => "an integer",
        Type::Decimal => "a decimal number",
        Type::Boolean => "true or false",
        Type::Date => "a date",
        Type::DateTime => "a moment in time",
        Type::Record(_) => "a record",
        Type::List(_) => "a list",
        Type::Any => "anything",
    }
}

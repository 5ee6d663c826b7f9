//! Look-ups in tables: their keys, and what comes out.

use std::collections::BTreeSet;
use std::rc::Rc;

use rhai::Expr;

use super::Checker;
use super::known::{Kind, Known};
use crate::plan::{self, Constant, Otherwise, SettingType, Span};
use crate::problem::{Code, Problem, did_you_mean};

/// What the writer of a table wrote, with places; the plan keeps the values only.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// The keys of each row.
    pub keys: Vec<Vec<(Option<Constant>, Span)>>,
    /// What rows and `otherwise` give.
    pub values: Rc<[(Constant, Span)]>,
    /// By column: the texts that were asked for, `None` when some look-up may ask for any.
    asked: Vec<Option<BTreeSet<String>>>,
    /// By column: what was asked for, `None` when some look-up may ask for anything.
    classes: Vec<Option<Vec<Class>>>,
}

/// What a key is made of, as far as it decides whether two keys can be equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Text,
    Number,
    Boolean,
}

impl Class {
    fn name(self) -> &'static str {
        match self {
            Self::Text => "texts",
            Self::Number => "numbers",
            Self::Boolean => "true or false",
        }
    }

    fn of(kind: &Kind<'_>) -> Option<Self> {
        Some(match kind.class()? {
            "a text" => Self::Text,
            "a number" => Self::Number,
            "true or false" => Self::Boolean,
            _ => return None,
        })
    }

    fn of_constant(constant: &Constant) -> Option<Self> {
        Some(match constant {
            Constant::Text(_) => Self::Text,
            Constant::Integer(_) | Constant::Decimal(_) => Self::Number,
            Constant::Boolean(_) => Self::Boolean,
            Constant::Nothing | Constant::List(_) => return None,
        })
    }
}

impl<'c> Checker<'c> {
    /// `TABLE[key]`, `TABLE[key, key]`
    pub(super) fn table_look_up(&mut self, table: usize, index: &Expr, at: &plan::Expr) -> Known<'c> {
        let (keys, place) = match index {
            Expr::Array(items, position) => (items.as_slice(), *position),
            other => (std::slice::from_ref(other), other.start_position()),
        };
        let given: Vec<Known<'c>> = keys.iter().map(|key| self.walk(key, at)).collect();
        let Some(found) = self.plan.tables.get(table) else { return Known::any() };
        if found.keys.len() == given.len() {
            for (column, (known, key)) in given.iter().zip(keys).enumerate() {
                self.check_key(table, column, known, Self::span_of(at, key.start_position(), 1));
            }
        } else {
            let names: Vec<&str> = found.keys.iter().map(|key| key.name.as_str()).collect();
            let (name, wants, first) = (found.name.clone(), found.keys.len(), found.span.clone());
            let (form, given) = (names.join(", "), given.len());
            let place = Self::span_of(at, place, 1);
            self.report(
                Problem::new(
                    Code::WrongKeyCount,
                    place,
                    format!("the table `{name}` takes {wants}, and is given {given}"),
                )
                .label(format!("{given} given"))
                .also(first, "the table stands here")
                .help(format!("write `{name}[{form}]`")),
            );
        }
        self.value_of(table, &given)
    }

    /// What a look-up gives.
    fn value_of(&self, table: usize, given: &[Known<'c>]) -> Known<'c> {
        let Some(found) = self.plan.tables.get(table) else { return Known::any() };
        let mut known = Known::from(Kind::of_setting(&found.value));
        if let Some(rows) = self.rows.get(table) {
            known.values = rows.values.clone();
            if rows.values.iter().any(|(value, _)| *value == Constant::Nothing) {
                known = known.or_absent(&[found.name.as_str().into()]);
            }
        }
        if let (Otherwise::Keep, [key]) = (&found.otherwise, given) {
            let values = known.values.clone();
            known = Known { values, ..known.either(key.clone()) };
        }
        known
    }

    /// A key that no row of the table can ever be equal to.
    fn check_key(&mut self, table: usize, column: usize, known: &Known<'c>, place: Span) {
        let Some(found) = self.plan.tables.get(table) else { return };
        let declared = found.keys.get(column).and_then(|key| key.kind.as_ref());
        if let Some(rows) = self.rows.get_mut(table) {
            rows.note(column, known);
        }
        let wanted = match declared {
            Some(kind) => Class::of(&Kind::of_setting(kind)),
            None => self.rows.get(table).and_then(|rows| rows.class(column)),
        };
        let (name, first) = (found.name.clone(), found.span.clone());
        if let (Some(SettingType::Choice(options)), Some(Constant::Text(text))) = (declared, &known.constant)
            && !options.contains(text)
        {
            let help = did_you_mean(text, options.iter().map(String::as_str), "its keys are");
            self.report(
                Problem::new(Code::NotAnOption, place, format!("a key of `{name}` is never `{text}`"))
                    .label("not one of its keys")
                    .also(first, "the table stands here")
                    .maybe_help(help),
            );
            return;
        }
        let (Some(wanted), given) = (wanted, Class::of(&known.kind)) else { return };
        let is_other = match (given, &known.kind) {
            (Some(given), _) => given != wanted,
            (None, Kind::List(_) | Kind::Record(_)) => true,
            _ => false,
        };
        if !is_other {
            return;
        }
        let is = known.kind.name().unwrap_or("another type");
        let help = match (wanted, given) {
            (Class::Text, Some(Class::Number)) => "make it a text: `to_text(…)`",
            (Class::Number, Some(Class::Text)) => "make it a number: `to_integer(…)`, or `decimal(…)`",
            _ if matches!(known.kind, Kind::Record(_)) => "name one of its fields: `….FIELD`",
            _ => "no row fits it",
        };
        self.report(
            Problem::new(Code::WrongKey, place, format!("the keys of `{name}` are {}", wanted.name()))
                .label(format!("this is {is}"))
                .also(first, "the table stands here")
                .help(help),
        );
    }

    /// Rows whose key is none of the texts that the flow can ever look up.
    pub(super) fn rows_never_asked(&mut self) {
        let mut problems = Vec::new();
        for rows in &self.rows {
            for (column, asked) in rows.asked.iter().enumerate() {
                let Some(asked) = asked.as_ref().filter(|asked| !asked.is_empty()) else { continue };
                for key in rows.keys.iter().filter_map(|row| row.get(column)) {
                    if let (Some(Constant::Text(text)), at) = key
                        && !text.is_empty()
                        && !asked.contains(text)
                    {
                        let help = did_you_mean(text, asked.iter().map(String::as_str), "it is one of");
                        problems.push(
                            Problem::new(
                                Code::NotAnOption,
                                at.clone(),
                                format!("what is looked up here is never `{text}`"),
                            )
                            .label("this row never counts")
                            .maybe_help(help),
                        );
                    }
                }
            }
        }
        for (table, rows) in self.plan.tables.iter().zip(&self.rows) {
            let untyped = table.keys.iter().enumerate().filter(|(_, key)| key.kind.is_none());
            for (column, _) in untyped {
                // When all rows are of another type the look-up is told.
                let (Some(meant), None) = (rows.meant(column), rows.class(column)) else { continue };
                for (key, at) in rows.keys.iter().filter_map(|row| row.get(column)) {
                    let Some(class) = key.as_ref().and_then(Class::of_constant) else { continue };
                    if class != meant {
                        problems.push(
                            Problem::new(
                                Code::WrongKey,
                                at.clone(),
                                format!("the keys of `{}` are {} here", table.name, meant.name()),
                            )
                            .label("no value is ever equal to this one")
                            .help(if meant == Class::Text {
                                "put it in quotes"
                            } else {
                                "take the quotes away"
                            }),
                        );
                    }
                }
            }
        }
        for problem in problems {
            self.report(problem);
        }
    }
}

impl Rows {
    /// A table as it was written.
    pub(super) fn new(columns: usize) -> Self {
        Self {
            keys: Vec::new(),
            values: Rc::new([]),
            asked: vec![Some(BTreeSet::new()); columns],
            classes: vec![Some(Vec::new()); columns],
        }
    }

    /// What all keys of a column are, when they are all of one class.
    fn class(&self, column: usize) -> Option<Class> {
        let mut keys = self.keys.iter().filter_map(|row| row.get(column)?.0.as_ref());
        let first = Class::of_constant(keys.next()?)?;
        keys.all(|key| Class::of_constant(key) == Some(first)).then_some(first)
    }

    /// What keys of a column are meant to be: what is asked for, or what most of them are.
    fn meant(&self, column: usize) -> Option<Class> {
        if let Some(Some(classes)) = self.classes.get(column)
            && let [first, rest @ ..] = classes.as_slice()
            && rest.iter().all(|class| class == first)
        {
            return Some(*first);
        }
        let keys = self.keys.iter().filter_map(|row| Class::of_constant(row.get(column)?.0.as_ref()?));
        let mut counts: Vec<(usize, Class)> = Vec::new();
        for class in keys {
            match counts.iter_mut().find(|(_, other)| *other == class) {
                Some((count, _)) => *count += 1,
                None => counts.push((1, class)),
            }
        }
        counts.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        match counts.as_slice() {
            [(most, class), (next, _), ..] if most > next => Some(*class),
            _ => None,
        }
    }

    fn note(&mut self, column: usize, known: &Known<'_>) {
        if let Some(classes) = self.classes.get_mut(column) {
            match (Class::of(&known.kind), classes.as_mut()) {
                (Some(class), Some(classes)) => classes.push(class),
                _ => *classes = None,
            }
        }
        let Some(asked) = self.asked.get_mut(column) else { return };
        match (&known.kind, asked.as_mut()) {
            (Kind::Options(options), Some(asked)) if !options.is_empty() => {
                asked.extend(options.iter().cloned());
            }
            _ => *asked = None,
        }
    }
}

//! Names that steps give, and where they can be read.

use std::collections::HashMap;

use super::Checker;
use super::known::{Kind, Known};
use crate::ast::Name;
use crate::plan::Span;
use crate::problem::{Code, Problem};

/// Names that expressions may read at one place.
#[derive(Debug, Default)]
pub(super) struct Scope<'c> {
    bound: Vec<Binding<'c>>,
    /// Where each name stands among them, the latest last: long flows give many names, and read
    /// them more often.
    places: HashMap<String, Vec<usize>>,
    /// Names that were given in a block which has ended.
    ended: Vec<(String, Span)>,
    /// Names that later steps give.
    later: Vec<(String, Span)>,
}

/// A name and what it stands for.
#[derive(Clone, Debug)]
pub(super) struct Binding<'c> {
    pub name: String,
    pub known: Known<'c>,
    pub span: Span,
    /// Bound by a lookup: absent records are `()`.
    pub is_lookup: bool,
    /// Perhaps given by a line that could not be read.
    pub is_guess: bool,
}

/// Words that mean something in every expression.
const RESERVED: &[&str] = &[
    "settings",
    "creating",
    "true",
    "false",
    "let",
    "const",
    "if",
    "else",
    "switch",
    "for",
    "while",
    "loop",
    "do",
    "until",
    "in",
    "fn",
    "return",
    "throw",
    "try",
    "catch",
    "this",
    "import",
    "export",
    "break",
    "continue",
    "private",
    "is",
    "var",
    "global",
    "static",
    "shared",
    "with",
    "goto",
    "exit",
    "match",
    "case",
    "public",
    "protected",
    "new",
    "use",
    "module",
    "package",
    "super",
    "thread",
    "spawn",
    "go",
    "await",
    "async",
    "sync",
    "yield",
    "default",
    "void",
    "null",
    "nil",
    "eval",
    "call",
    "curry",
    "is_shared",
    "is_def_var",
    "is_def_fn",
    "type_of",
    "print",
    "debug",
    "Fn",
];

impl<'c> Scope<'c> {
    pub(super) fn get(&self, name: &str) -> Option<&Binding<'c>> {
        self.bound.get(*self.places.get(name)?.last()?)
    }

    fn give(&mut self, binding: Binding<'c>) {
        match self.places.get_mut(&binding.name) {
            Some(places) => places.push(self.bound.len()),
            None => drop(self.places.insert(binding.name.clone(), vec![self.bound.len()])),
        }
        self.bound.push(binding);
    }

    fn take(&mut self) -> Option<Binding<'c>> {
        let binding = self.bound.pop()?;
        if let Some(places) = self.places.get_mut(&binding.name) {
            places.pop();
        }
        Some(binding)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.bound.iter().filter(|binding| !binding.is_guess).map(|binding| binding.name.as_str())
    }

    /// Some step gives that name, wherever it can be read.
    fn is_given(&self, name: &str) -> bool {
        self.get(name).is_some() || self.ended(name).is_some() || self.later(name).is_some()
    }

    pub(super) fn ended(&self, name: &str) -> Option<&Span> {
        self.ended.iter().rev().find(|(ended, _)| ended == name).map(|(_, span)| span)
    }

    pub(super) fn later(&self, name: &str) -> Option<&Span> {
        self.later.iter().find(|(later, _)| later == name).map(|(_, span)| span)
    }

    pub(super) fn announce(&mut self, names: Vec<(String, Span)>) {
        self.later = names;
    }

    pub(super) fn depth(&self) -> usize {
        self.bound.len()
    }

    /// Forgets names that were never the writer's.
    pub(super) fn forget(&mut self, depth: usize) {
        while self.bound.len() > depth {
            self.take();
        }
    }

    /// Forgets the names given since then: their block has ended.
    pub(super) fn end(&mut self, depth: usize) {
        let first = self.ended.len();
        while self.bound.len() > depth {
            let taken = self.take();
            self.ended.extend(taken.map(|binding| (binding.name, binding.span)));
        }
        // In the order in which they were given.
        self.ended.get_mut(first..).unwrap_or_default().reverse();
    }
}

impl<'c> Checker<'c> {
    /// Gives a name; says so when it is taken or means something else.
    pub(super) fn bind(&mut self, name: &Name, known: Known<'c>, is_lookup: bool) {
        self.check_name(name);
        let taken = self
            .scope
            .get(&name.text)
            .filter(|binding| !binding.is_guess)
            .map(|binding| binding.span.clone());
        // Which of the two is meant further on nobody knows: nothing is said of either.
        let known = if taken.is_some() { Known::any() } else { known };
        // Whoever asks for the name is sure of a value as well.
        let known = match known.absent {
            Some(_) => known.or_absent(&[name.text.as_str().into()]),
            None => known,
        };
        if let Some(taken) = taken {
            self.report(taken_twice(name, &taken));
        }
        self.scope.give(Binding {
            name: name.text.clone(),
            known,
            span: name.span.clone(),
            is_lookup,
            is_guess: false,
        });
    }

    /// Binds for the walk of one expression or block without a check.
    pub(super) fn bind_quietly(&mut self, name: &str, kind: Kind<'c>, span: Span) {
        self.scope.give(Binding {
            name: name.to_owned(),
            known: kind.into(),
            span,
            is_lookup: false,
            is_guess: false,
        });
    }

    /// A line that could not be read may have given any of its first words as a name.
    pub(super) fn bind_guesses(&mut self, line: &Span) {
        let text = self.masked.get(line.clone()).unwrap_or_default();
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        for word in words.take(3) {
            if self.scope.get(word).is_none() {
                let name = word.to_owned();
                self.scope.give(Binding {
                    name,
                    known: Known::any(),
                    span: line.clone(),
                    is_lookup: false,
                    is_guess: true,
                });
            }
        }
    }

    /// A name of a step must not be a word of expressions, a setting's home or a table.
    pub(super) fn check_name(&mut self, name: &Name) {
        if RESERVED.contains(&name.text.as_str()) {
            self.report(
                Problem::new(
                    Code::ReservedName,
                    name.span.clone(),
                    format!("`{}` means something already", name.text),
                )
                .label("cannot be used as a name")
                .help("take another name; it may end in `_`, or say more: `sent_order`"),
            );
        } else if let Some(table) = self.plan.tables.iter().find(|table| table.name == name.text) {
            let first = table.span.clone();
            self.report(taken_twice(name, &first));
        }
    }

    /// Nothing of that name can be read here.
    pub(super) fn unknown_name(&mut self, name: &str, at: Span) {
        if self.asking && (self.scope.later(name).is_some() || name == "creating") {
            self.report(
                Problem::new(Code::OutOfReach, at, "the source is asked before there is a record")
                    .label("not known yet")
                    .help("`where` reads `settings` and constants only; what a record says is asked with `filter` below"),
            );
            return;
        }
        if let Some(elsewhere) = &self.gone
            && (name == "creating" || elsewhere.is_given(name))
        {
            self.report(
                Problem::new(Code::OutOfReach, at, "of a deleted record nothing is known but that it is gone")
                    .label("not known any more")
                    .help("a line `on delete` reads `settings`, tables and constants only: `active = false on delete`"),
            );
            return;
        }
        if self.fetches_nothing {
            return;
        }
        if self.entry.as_deref() == Some(name) && self.scope.get(name).is_none() {
            self.report(
                Problem::new(
                    Code::OutOfReach,
                    at,
                    "this `when` decides about the whole list, not about each entry",
                )
                .label("no entry is known yet")
                .help(format!("choose the entries themselves: `each {name} in LIST.filter(|{name}| …) {{`")),
            );
            return;
        }
        if let Some(given) = self.scope.ended(name).cloned() {
            self.report(
                Problem::new(Code::OutOfReach, at, format!("`{name}` can be read within its block only"))
                    .label("its block has ended")
                    .also(given, "given here")
                    .help("read it within the block of the `each`, or look it up again here"),
            );
            return;
        }
        if let Some(given) = self.scope.later(name).cloned() {
            self.report(
                Problem::new(Code::OutOfReach, at, format!("`{name}` is given further down"))
                    .label("not known yet")
                    .also(given, "given here")
                    .help("move the step that gives it above this one"),
            );
            return;
        }
        let problem = Problem::new(Code::UnknownName, at.clone(), format!("nothing is called `{name}`"));
        if self.plan.settings.iter().any(|setting| setting.name == name) {
            self.report(problem.label("a setting").help(format!("settings are read with `settings.{name}`")));
            return;
        }
        let fetched = self.scope.bound.first().filter(|fetched| {
            matches!(fetched.known.kind.field(name), Some(super::known::FieldOf::Found { .. }))
        });
        if let Some(fetched) = fetched {
            let help = format!("did you mean `{}.{name}`?", fetched.name);
            self.report(problem.label("a field of the record that is fetched").help(help));
            return;
        }
        let help = match name {
            "null" | "nil" | "None" | "NULL" | "undefined" | "empty" => {
                Some("no value is written `()`".to_owned())
            }
            "True" | "TRUE" | "yes" | "False" | "FALSE" | "no" => Some("write `true` or `false`".to_owned()),
            "setting" => Some("did you mean `settings`?".to_owned()),
            _ => {
                let tables = self.plan.tables.iter().map(|table| table.name.as_str());
                let names = self.scope.names().chain(tables).chain(["settings"]);
                crate::problem::did_you_mean(name, names, "names that can be read here")
            }
        };
        self.report(problem.label("not known here").maybe_help(help));
    }
}

pub(super) fn taken_twice(name: &Name, first: &Span) -> Problem {
    Problem::new(Code::NameTaken, name.span.clone(), format!("`{}` is taken", name.text))
        .label("the same name again")
        .also(first.clone(), "given here first")
        .help("give one of the two another name")
}

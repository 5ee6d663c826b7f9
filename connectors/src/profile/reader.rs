//! Reads a TOML text table by table and remembers everything that is wrong with it.
//!
//! A table knows which keys it was asked for; what is left over is a key that nobody knows,
//! and the asked ones are what the writer may have meant.

use std::cell::RefCell;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Code, Problem, Span};

/// A profile's text and the problems found in it so far.
pub(super) struct Reader<'t> {
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
}

/// A text with its place.
#[derive(Clone, Debug)]
pub(super) struct Word<'r> {
    pub(super) text: &'r str,
    pub(super) at: Span,
}

/// A table with its place.
pub(super) struct Table<'r, 't> {
    pub(super) reader: &'r Reader<'t>,
    entries: &'r DeTable<'t>,
    /// What to underline when something is missing.
    pub(super) at: Span,
    /// How messages call it: `resources.orders.fetch`.
    pub(super) name: String,
    asked: RefCell<Vec<&'static str>>,
}

impl<'t> Reader<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text, problems: RefCell::new(Vec::new()) }
    }

    pub(super) fn report(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    /// Problems so far.
    pub(super) fn count(&self) -> usize {
        self.problems.borrow().len()
    }

    pub(super) fn into_problems(self) -> Vec<Problem> {
        self.problems.into_inner()
    }

    pub(super) fn is_clean(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    pub(super) fn root<'r>(&'r self, entries: &'r DeTable<'t>) -> Table<'r, 't> {
        let first = self.text.len() - self.text.trim_start().len();
        let line = self.text.get(first..).and_then(|text| text.lines().next()).map_or(0, str::len);
        Table {
            reader: self,
            entries,
            at: first..first + line,
            name: String::new(),
            asked: RefCell::default(),
        }
    }

    /// Part of a text value, in bytes of the file; the whole value when it is written with
    /// escapes, so that its letters are not where they seem.
    pub(super) fn within(&self, word: &Word<'_>, part: Span) -> Span {
        let raw = self.text.get(word.at.clone()).unwrap_or_default();
        match raw.find(word.text) {
            Some(start) if !word.text.is_empty() => {
                word.at.start + start + part.start..word.at.start + start + part.end
            }
            _ => word.at.clone(),
        }
    }
}

impl<'r, 't> Table<'r, 't> {
    /// The value of a key.
    pub(super) fn value(&self, key: &'static str) -> Option<&'r Spanned<DeValue<'t>>> {
        self.asked.borrow_mut().push(key);
        self.entries.get(key)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    pub(super) fn text(&self, key: &'static str) -> Option<Word<'r>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(Word { text, at: value.span() }),
            _ => self.wrong_kind(key, value, "text"),
        }
    }

    pub(super) fn need_text(&self, key: &'static str, help: &str) -> Option<Word<'r>> {
        self.need(key, help);
        self.text(key)
    }

    pub(super) fn flag(&self, key: &'static str) -> bool {
        let Some(value) = self.value(key) else { return false };
        match value.get_ref() {
            DeValue::Boolean(flag) => *flag,
            _ => self.wrong_kind(key, value, "`true` or `false`").unwrap_or_default(),
        }
    }

    /// A whole number of at least `least` and at most `most`.
    pub(super) fn number(&self, key: &'static str, least: i64, most: i64) -> Option<i64> {
        let value = self.value(key)?;
        let Some(number) = whole(value) else { return self.wrong_kind(key, value, "a whole number") };
        if (least..=most).contains(&number) {
            return Some(number);
        }
        self.reader.report(
            Problem::new(Code::OutOfBounds, value.span(), format!("`{key}` cannot be {number}"))
                .label(format!("from {least} to {most}")),
        );
        None
    }

    pub(super) fn words(&self, key: &'static str) -> Vec<Word<'r>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            return self.wrong_kind(key, value, "a list of texts").unwrap_or_default();
        };
        items
            .iter()
            .filter_map(|item| match item.get_ref() {
                DeValue::String(text) => Some(Word { text, at: item.span() }),
                _ => self.wrong_kind(key, item, "text in this list"),
            })
            .collect()
    }

    pub(super) fn table(&self, key: &'static str) -> Option<Table<'r, 't>> {
        let value = self.value(key)?;
        let Some(entries) = value.get_ref().as_table() else {
            return self.wrong_kind(key, value, "a table");
        };
        Some(self.inner(key, self.key_span(key), entries))
    }

    /// The tables of a list, `[[…]]`.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Table<'r, 't>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(items) = value.get_ref().as_array() else {
            return self.wrong_kind(key, value, "a list of tables").unwrap_or_default();
        };
        items
            .iter()
            .filter_map(|item| match item.get_ref().as_table() {
                Some(entries) => Some(self.inner(key, item.span(), entries)),
                None => self.wrong_kind(key, item, "a table in this list"),
            })
            .collect()
    }

    /// Names and their values, in order.
    pub(super) fn entries(&self) -> impl Iterator<Item = (Word<'r>, &'r Spanned<DeValue<'t>>)> {
        self.entries.iter().map(|(name, value)| (Word { text: name.get_ref(), at: name.span() }, value))
    }

    /// Names and the tables that they stand for, in order; other values are refused.
    pub(super) fn named(&self) -> Vec<(Word<'r>, Table<'r, 't>)> {
        self.entries()
            .filter_map(|(name, value)| match value.get_ref().as_table() {
                Some(entries) => {
                    let table = self.inner(name.text, name.at.clone(), entries);
                    Some((name, table))
                }
                None => self.wrong_kind(name.text, value, "a table"),
            })
            .collect()
    }

    /// The table that a name stands for.
    pub(super) fn named_one(&self, name: &str) -> Option<(Word<'r>, Self)> {
        let (key, value) = self.entries.get_key_value(name)?;
        let entries = value.get_ref().as_table()?;
        Some((Word { text: key.get_ref(), at: key.span() }, self.inner(name, key.span(), entries)))
    }

    /// Names and the texts that they stand for, in order; other values are refused.
    pub(super) fn named_texts(&self) -> Vec<(Word<'r>, Word<'r>)> {
        self.entries()
            .filter_map(|(name, value)| match value.get_ref() {
                DeValue::String(text) => Some((name, Word { text, at: value.span() })),
                _ => self.wrong_kind(name.text, value, "text"),
            })
            .collect()
    }

    /// One of some words.
    pub(super) fn choice<T: Copy>(&self, key: &'static str, known: &[(&str, T)]) -> Option<T> {
        let word = self.text(key)?;
        self.among(key, &word, known)
    }

    pub(super) fn among<T: Copy>(&self, key: &str, word: &Word<'_>, known: &[(&str, T)]) -> Option<T> {
        let found = known.iter().find(|(name, _)| *name == word.text).map(|(_, value)| *value);
        if found.is_none() {
            self.reader.report(
                Problem::new(
                    Code::UnknownWord,
                    word.at.clone(),
                    format!("`{key}` cannot be `{}`", word.text),
                )
                .label("not known here")
                .suggest(word.text, known.iter().map(|(name, _)| *name)),
            );
        }
        found
    }

    /// Reports a key that is not there.
    pub(super) fn need(&self, key: &'static str, help: &str) {
        if !self.has(key) {
            let place = if self.name.is_empty() { "the profile".into() } else { format!("`{}`", self.name) };
            self.reader.report(
                Problem::new(Code::MissingKey, self.at.clone(), format!("{place} has no `{key}`"))
                    .label(format!("`{key}` is missing"))
                    .help(help),
            );
        }
    }

    /// Reports a value of the wrong kind.
    pub(super) fn wrong_kind<T>(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) -> Option<T> {
        let found = match value.get_ref() {
            DeValue::String(_) => "text",
            DeValue::Integer(_) | DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "a truth value",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let problem =
            Problem::new(Code::WrongKind, value.span(), format!("`{key}` has to be {wanted}, not {found}"))
                .label(format!("this is {found}"));
        self.reader.report(problem);
        None
    }

    /// Where a key is written, to underline it rather than its value.
    pub(super) fn key_span(&self, key: &str) -> Span {
        self.entries.get_key_value(key).map_or_else(|| self.at.clone(), |(name, _)| name.span())
    }

    /// Reports the keys that nobody asked for.
    pub(super) fn finish(self) {
        let asked = self.asked.borrow();
        for (name, _) in self.entries() {
            if !asked.contains(&name.text) {
                let place =
                    if self.name.is_empty() { "a profile".into() } else { format!("`{}`", self.name) };
                self.reader.report(
                    Problem::new(Code::UnknownKey, name.at, format!("{place} has no key `{}`", name.text))
                        .label("not known here")
                        .suggest(name.text, asked.iter().copied()),
                );
            }
        }
    }

    fn inner(&self, key: &str, at: Span, entries: &'r DeTable<'t>) -> Self {
        let name = if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) };
        Table { reader: self.reader, entries, at, name, asked: RefCell::default() }
    }
}

/// The value of a whole number.
pub(super) fn whole(value: &Spanned<DeValue<'_>>) -> Option<i64> {
    let number = value.get_ref().as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

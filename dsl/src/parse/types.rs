//! Types as written: `text`, `list of text`, `"a" | "b"`, `integer?`.

use pest::iterators::Pair;

use super::Rule;
use super::convert::Convert;
use crate::ast::{KeyColumn, Name, TypeText};
use crate::plan::{SettingType, Span};
use crate::problem::{Code, Problem, closest};

/// Names of the plain types.
pub(super) const TYPES: &[&str] = &["text", "integer", "decimal", "boolean", "date"];

/// The plain type of that name.
pub(super) fn plain(word: &str) -> Option<SettingType> {
    Some(match word {
        "text" => SettingType::Text,
        "integer" => SettingType::Integer,
        "decimal" => SettingType::Decimal,
        "boolean" => SettingType::Boolean,
        "date" => SettingType::Date,
        _ => return None,
    })
}

/// What other languages call a type.
fn foreign(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().as_str() {
        "string" | "str" | "varchar" | "char" => "text",
        "int" | "number" | "long" | "whole" => "integer",
        "float" | "double" | "money" | "amount" | "numeric" => "decimal",
        "bool" | "yesno" | "flag" | "checkbox" => "boolean",
        "datetime" | "timestamp" | "day" => "date",
        "array" | "strings" | "texts" => "list of text",
        _ => return None,
    })
}

impl Convert<'_> {
    /// `kind`
    pub(super) fn kind(&mut self, pair: Pair<'_, Rule>) -> TypeText {
        let span = self.span(&pair);
        let mut optional = false;
        let mut kind = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::optional => optional = true,
                Rule::list_of => {
                    let of =
                        part.into_inner().find(|part| matches!(part.as_rule(), Rule::word | Rule::choice));
                    kind = of.and_then(|of| self.simple(&of)).map(|of| SettingType::List(Box::new(of)));
                }
                _ => kind = self.simple(&part),
            }
        }
        TypeText { kind, optional, span }
    }

    fn simple(&mut self, part: &Pair<'_, Rule>) -> Option<SettingType> {
        let span = self.span(part);
        if part.as_rule() == Rule::choice {
            return Some(SettingType::Choice(self.options(part)));
        }
        let word = part.as_str();
        let kind = plain(word);
        if kind.is_none() {
            self.problems.push(unknown_type(word, span));
        }
        kind
    }

    fn options(&mut self, choice: &Pair<'_, Rule>) -> Vec<String> {
        let mut options: Vec<String> = Vec::new();
        for text in choice.clone().into_inner().filter(|part| part.as_rule() == Rule::text) {
            let option = self.text(&text);
            if options.contains(&option.value) {
                self.problems.push(
                    Problem::new(
                        Code::RepeatedOption,
                        option.span,
                        format!("the option `{}` stands twice", option.value),
                    )
                    .label("named before")
                    .help("take one of the two away"),
                );
            } else {
                options.push(option.value);
            }
        }
        options
    }

    /// The key columns of a table: `country`, `text`, `(country, rate: integer)`.
    pub(super) fn table_keys(&mut self, pair: &Pair<'_, Rule>) -> Vec<KeyColumn> {
        let span = self.span(pair);
        let text = self.original(&span).trim().to_owned();
        let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
        let Some(inner) = inner else { return vec![self.key_column(&text, &span)] };
        let mut at = span.start + 1;
        let mut keys = Vec::new();
        for part in inner.split(',') {
            let start = at + (part.len() - part.trim_start().len());
            keys.push(self.key_column(part.trim(), &(start..start + part.trim().len().max(1))));
            at += part.len() + 1;
        }
        keys
    }

    fn key_column(&mut self, written: &str, span: &Span) -> KeyColumn {
        let name_of =
            |text: &str| Name { text: text.to_owned(), span: span.start..span.start + text.len().max(1) };
        if let Some((name, kind)) = written.split_once(':') {
            let kind = kind.trim();
            let found = plain(kind);
            if found.is_none() {
                let start = span.end.saturating_sub(kind.len());
                self.problems.push(unknown_type(kind, start..span.end));
            }
            return (Some(name_of(name.trim())), found);
        }
        if let Some(kind) = plain(written) {
            return (None, Some(kind));
        }
        let is_name = written.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && written.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !is_name {
            self.problems.push(
                Problem::new(Code::Unexpected, span.clone(), format!("`{written}` is no name of a key"))
                    .label("expected a name or a type")
                    .help("keys are named like this: `table vat_code: (country, rate) -> integer`"),
            );
        }
        (Some(name_of(written)), None)
    }
}

fn unknown_type(word: &str, span: Span) -> Problem {
    let help = match foreign(word).or_else(|| closest(word, TYPES.iter().copied())) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "the types are `text`, `integer`, `decimal`, `boolean`, `date`, `list of …` and options such as `\"a\" | \"b\"`".to_owned(),
    };
    Problem::new(Code::UnknownType, span, format!("there is no type `{word}`")).label("not a type").help(help)
}

//! Tables: keys, rows, and what other keys give.

use std::collections::HashMap;

use super::lookups::Rows;
use super::{Checker, names, repeated};
use crate::ast::{KeyColumn, Kind as Line, Name, Node, OtherwiseText, TypeText, Value};
use crate::plan::{Constant, Otherwise, SettingType, Span, Table, TableKey, TableRow};
use crate::problem::{Code, Problem, did_you_mean};

/// The rows so far with their places: by which of their keys are no wildcards, then by those
/// keys. So a long table costs no walk through all its rows for each of them.
#[derive(Default)]
struct Taken {
    by_mask: HashMap<Vec<bool>, HashMap<Vec<Option<String>>, Span>>,
    /// A row of nothing but wildcards.
    every_key: Option<Span>,
}

impl Checker<'_> {
    pub(super) fn take_table(
        &mut self,
        name: &Name,
        keys: &[KeyColumn],
        value: &TypeText,
        ask: Option<String>,
        under: &[Node],
        span: &Span,
    ) {
        if let Some(first) = self.plan.tables.iter().find(|table| table.name == name.text) {
            let first = first.span.clone();
            self.report(names::taken_twice(name, &first));
            return;
        }
        if let (true, Some(_)) = (value.optional, &value.kind) {
            self.report(
                Problem::new(
                    Code::UnknownType,
                    value.span.clone(),
                    "the value of a table cannot be left empty",
                )
                .label("no `?` here")
                .help("take the `?` away; `otherwise ()` gives no value for other keys"),
            );
        }
        self.check_name(name);
        let keys: Vec<TableKey> = keys
            .iter()
            .map(|(name, kind)| TableKey {
                name: name.as_ref().map_or_else(|| "key".to_owned(), |name| name.text.clone()),
                kind: kind.clone(),
            })
            .collect();
        let (rows, otherwise, written) = self.rows(&keys, value, under, span);
        self.rows.push(written);
        self.plan.tables.push(Table {
            name: name.text.clone(),
            keys,
            value: value.kind.clone().unwrap_or(SettingType::Text),
            ask,
            rows,
            otherwise,
            span: span.clone(),
        });
    }

    fn rows(
        &mut self,
        keys: &[TableKey],
        value: &TypeText,
        under: &[Node],
        table: &Span,
    ) -> (Vec<TableRow>, Otherwise, Rows) {
        let mut written = Rows::new(keys.len());
        let mut values = Vec::new();
        let mut taken = Taken::default();
        let mut rows = Vec::new();
        let mut otherwise: Option<(Otherwise, Span)> = None;
        for node in under {
            match &node.kind {
                Line::Ask(_) | Line::Malformed => {}
                Line::Row(row, to) => {
                    if let Some((_, first)) = &otherwise {
                        let first = first.clone();
                        self.report(
                            Problem::new(
                                Code::UnreachableRow,
                                node.span.clone(),
                                "a row stands below `otherwise`",
                            )
                            .label("rows come first")
                            .also(first, "`otherwise` stands here")
                            .help("move the row above `otherwise`"),
                        );
                    }
                    if self.row(keys, value, row, to, &node.span, table) {
                        let given: Vec<Option<Constant>> = row.iter().map(|(key, _)| key.clone()).collect();
                        self.reachable(&mut taken, &given, &node.span);
                        written.keys.push(row.clone());
                        values.push((to.value.clone(), to.span.clone()));
                        rows.push(TableRow { keys: given, value: to.value.clone() });
                    }
                }
                Line::Otherwise(what) => {
                    if let Some((_, first)) = &otherwise {
                        let first = first.clone();
                        self.report(repeated("`otherwise`", &first, &node.span));
                        continue;
                    }
                    if let OtherwiseText::Value(given) = what {
                        values.push((given.value.clone(), given.span.clone()));
                    }
                    otherwise = Some((self.otherwise(keys, value, what, &node.span), node.span.clone()));
                }
                _ => break,
            }
        }
        if let (Some(first), Some((_, second))) = (taken.every_key, &otherwise) {
            let second = second.clone();
            self.report(
                Problem::new(Code::UnreachableRow, second, "`otherwise` is never reached")
                    .label("no key is left for it")
                    .also(first, "this row fits every key")
                    .help("take one of the two away"),
            );
        }
        written.values = values.into();
        (rows, otherwise.map_or(Otherwise::Fail, |(otherwise, _)| otherwise), written)
    }

    /// Whether the row has the right number of keys; wrong types are said on the way.
    fn row(
        &mut self,
        keys: &[TableKey],
        value: &TypeText,
        row: &[(Option<Constant>, Span)],
        to: &Value,
        at: &Span,
        table: &Span,
    ) -> bool {
        if let Some(kind) = &value.kind {
            self.check_row_value(kind, &to.value, &to.span, &value.span);
        }
        if row.len() != keys.len() {
            let (has, wants) = (count(row.len()), count(keys.len()));
            let place = row
                .first()
                .zip(row.last())
                .map_or(at.clone(), |((_, first), (_, last))| first.start..last.end);
            self.report(
                Problem::new(
                    Code::WrongKeyCount,
                    place,
                    format!("the row has {has}, the table takes {wants}"),
                )
                .label(has)
                .also(table.clone(), format!("{wants} here"))
                .help("several keys stand in brackets: `(\"NL\", 21) -> 1`; `_` stands for any key"),
            );
            return false;
        }
        for ((key, span), column) in row.iter().zip(keys) {
            if let (Some(key), Some(kind)) = (key, &column.kind) {
                self.check_row_value(kind, key, span, table);
            }
        }
        true
    }

    fn check_row_value(&mut self, kind: &SettingType, value: &Constant, at: &Span, declared: &Span) {
        if kind.accepts(value) || matches!(value, Constant::Nothing) {
            return;
        }
        let help = match (kind, value) {
            (SettingType::Choice(options), Constant::Text(text)) => {
                did_you_mean(text, options.iter().map(String::as_str), "the options are")
            }
            (SettingType::Text, value) => Some(format!("a text stands in quotes: `\"{}\"`", value.written())),
            (SettingType::Integer | SettingType::Decimal, Constant::Text(text))
                if text.parse::<rust_decimal::Decimal>().is_ok() =>
            {
                Some(format!("leave the quotes away: `{text}`"))
            }
            _ => None,
        };
        self.report(
            Problem::new(
                Code::WrongRow,
                at.clone(),
                format!("`{}` is not of the type `{}`", value.written(), kind.written()),
            )
            .label("does not fit")
            .also(declared.clone(), "the type stands here")
            .maybe_help(help),
        );
    }

    fn reachable(&mut self, taken: &mut Taken, row: &[Option<Constant>], at: &Span) {
        let keys: Vec<Option<String>> = row.iter().map(|key| key.as_ref().map(by_value)).collect();
        let mask: Vec<bool> = keys.iter().map(Option::is_some).collect();
        let covering = taken
            .by_mask
            .iter()
            .filter(|(other, _)| other.iter().zip(&mask).all(|(other, mask)| !other || *mask));
        let found = covering.filter_map(|(other, rows)| {
            let projected: Vec<Option<String>> =
                keys.iter().zip(other).map(|(key, fixed)| key.clone().filter(|_| *fixed)).collect();
            rows.get(&projected).map(|first| (first.clone(), *other == mask))
        });
        let first = found.min_by_key(|(first, _)| first.start);
        if let Some((first, is_same)) = first {
            let problem = if is_same {
                Problem::new(Code::RepeatedRow, at.clone(), "two rows name the same key")
                    .label("never used")
                    .also(first, "this row comes first")
                    .help("take one of the two away, or mend its key")
            } else {
                Problem::new(Code::UnreachableRow, at.clone(), "this row is never reached")
                    .label("never used")
                    .also(first, "this row above it fits first")
                    .help("rows are tried from the top: put the rows with `_` last")
            };
            self.report(problem);
        }
        if mask.iter().all(|fixed| !fixed) {
            taken.every_key.get_or_insert(at.clone());
        }
        taken.by_mask.entry(mask).or_default().entry(keys).or_insert_with(|| at.clone());
    }

    fn otherwise(
        &mut self,
        keys: &[TableKey],
        value: &TypeText,
        what: &OtherwiseText,
        at: &Span,
    ) -> Otherwise {
        match what {
            OtherwiseText::Fail => Otherwise::Fail,
            OtherwiseText::Keep => {
                let other_type = match (keys.first().and_then(|key| key.kind.as_ref()), &value.kind) {
                    (Some(key), Some(value)) => key != value,
                    _ => false,
                };
                if keys.len() > 1 || other_type {
                    let message = if keys.len() > 1 {
                        "`keep` needs a table of one key"
                    } else {
                        "`keep` needs a key of the type of the value"
                    };
                    self.report(
                        Problem::new(Code::WrongKeep, at.clone(), message)
                            .label("which key should be kept?")
                            .help("write a value: `otherwise \"…\"`, or `otherwise fail`"),
                    );
                }
                Otherwise::Keep
            }
            OtherwiseText::Value(constant) => {
                if let Some(kind) = &value.kind {
                    self.check_row_value(kind, &constant.value, &constant.span, &value.span);
                }
                Otherwise::Value(constant.value.clone())
            }
        }
    }
}

fn count(keys: usize) -> String {
    if keys == 1 { "1 key".to_owned() } else { format!("{keys} keys") }
}

/// A key such that equal values are equal texts: `21` and `21.0` are.
fn by_value(key: &Constant) -> String {
    match key {
        Constant::Decimal(decimal) => decimal.normalize().to_string(),
        other => other.written(),
    }
}

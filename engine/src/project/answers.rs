//! `settings/FLOW.toml`: the answers to a flow's questions and the rows of its tables.

use std::collections::BTreeMap;
use std::path::Path;

use dsl::plan::{Constant, Otherwise, Plan, SettingType, Table, TableRow};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_spanned::Spanned;

use super::read_text;
use crate::trouble::{Trouble, did_you_mean};

/// Typed answers and final tables of one flow.
#[derive(Clone, Debug)]
pub struct FlowAnswers {
    /// Every setting of the flow: answered, by default, or nothing.
    pub settings: Vec<(String, Constant)>,
    /// Every table of the flow, rows replaced where the project has its own.
    pub tables: Vec<Table>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    settings: BTreeMap<Spanned<String>, Spanned<toml::Value>>,
    #[serde(default)]
    tables: BTreeMap<Spanned<String>, TableFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TableFile {
    rows: Option<Vec<Spanned<Vec<toml::Value>>>>,
    otherwise: Option<Spanned<toml::Value>>,
}

impl FlowAnswers {
    /// The answers for a flow: its defaults, and the project's file where there is one; and the text
    /// of that file.
    pub fn read(root: &Path, flow: &str, plan: &Plan) -> Result<(Self, String), Trouble> {
        Self::read_below(root, flow, plan, &Given::default())
    }

    /// The same below answers that count more.
    pub(crate) fn read_below(
        root: &Path,
        flow: &str,
        plan: &Plan,
        given: &Given,
    ) -> Result<(Self, String), Trouble> {
        let path = root.join("settings").join(format!("{flow}.toml"));
        let text = if path.exists() { read_text(&path)? } else { String::new() };
        Ok((Self::of_text_below(&text, flow, plan, given)?, text))
    }

    /// The same from the text of that file.
    pub fn of_text(text: &str, flow: &str, plan: &Plan) -> Result<Self, Trouble> {
        Self::of_text_below(text, flow, plan, &Given::default())
    }

    fn of_text_below(text: &str, flow: &str, plan: &Plan, given: &Given) -> Result<Self, Trouble> {
        let name = format!("settings/{flow}.toml");
        let file: File = toml::from_str(text).map_err(|error| {
            Trouble::new("R017", format!("{name} cannot be read: {}", error.message().replace('\n', ", ")))
                .at(&name, text, error.span().unwrap_or(0..0), "here")
                .help("docs/operating.md shows the form of this file; texts stand in double quotes")
        })?;
        let mut reader = Reader { name: &name, text, above: given, troubles: Vec::new() };
        let settings = reader.settings(&file, plan, flow);
        let tables = reader.tables(&file, plan);
        if reader.troubles.is_empty() {
            Ok(Self { settings, tables })
        } else {
            let headline = format!("{name} has {} problems", reader.troubles.len());
            Err(Trouble::several(headline, reader.troubles.into_iter().map(Into::into).collect()))
        }
    }
}

/// Answers that count more than those of the project, of the types that the flow asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    /// By setting.
    pub(crate) settings: BTreeMap<String, Constant>,
    /// In the place of the tables of these names.
    pub(crate) tables: Vec<Table>,
}

struct Reader<'a> {
    name: &'a str,
    text: &'a str,
    above: &'a Given,
    troubles: Vec<Trouble>,
}

impl Reader<'_> {
    fn trouble(&mut self, trouble: Trouble, at: std::ops::Range<usize>, label: &str) {
        self.troubles.push(trouble.at(self.name, self.text, at, label));
    }

    fn settings(&mut self, file: &File, plan: &Plan, flow: &str) -> Vec<(String, Constant)> {
        for key in file.settings.keys() {
            if !plan.settings.iter().any(|setting| setting.name == *key.get_ref()) {
                let names = plan.settings.iter().map(|setting| setting.name.as_str());
                let known = names.clone().collect::<Vec<_>>().join(", ");
                let help = did_you_mean(key.get_ref(), names).or_else(|| {
                    Some(if known.is_empty() {
                        "the flow asks nothing; leave this line out".to_owned()
                    } else {
                        format!("it asks for {known}")
                    })
                });
                let message = format!("flow `{flow}` has no setting `{}`", key.get_ref());
                self.trouble(
                    Trouble::new("R018", message).maybe_help(help),
                    key.span(),
                    "not asked by the flow",
                );
            }
        }
        let mut settings = Vec::new();
        for setting in &plan.settings {
            if let Some(answer) = self.above.settings.get(&setting.name) {
                settings.push((setting.name.clone(), answer.clone()));
                continue;
            }
            let given = file.settings.iter().find(|(key, _)| *key.get_ref() == setting.name);
            let answer = match given {
                None => setting.default.clone(),
                Some((_, value)) if value.get_ref().as_str() == Some("") && setting.optional => {
                    Some(Constant::Nothing)
                }
                Some((_, value)) => {
                    let answer = constant(value.get_ref(), &setting.kind);
                    if answer.is_none() {
                        let message = format!("`{}` takes {}", setting.name, in_words(&setting.kind));
                        let trouble = Trouble::new("R019", message).maybe_help(setting.ask.clone());
                        self.trouble(trouble, value.span(), "not that");
                        continue;
                    }
                    answer
                }
            };
            match answer {
                Some(answer) => settings.push((setting.name.clone(), answer)),
                None if setting.optional => settings.push((setting.name.clone(), Constant::Nothing)),
                None => {
                    let ask = setting.ask.as_deref().unwrap_or("the flow cannot run without it");
                    self.troubles.push(
                        Trouble::new(
                            "R020",
                            format!("setting `{}` of flow `{flow}` has no answer", setting.name),
                        )
                        .help(format!("{ask}\nadd it under [settings] in {}", self.name)),
                    );
                }
            }
        }
        settings
    }

    fn tables(&mut self, file: &File, plan: &Plan) -> Vec<Table> {
        for key in file.tables.keys() {
            if !plan.tables.iter().any(|table| table.name == *key.get_ref()) {
                let help = did_you_mean(key.get_ref(), plan.tables.iter().map(|table| table.name.as_str()));
                let message = format!("the flow has no table `{}`", key.get_ref());
                self.trouble(Trouble::new("R021", message).maybe_help(help), key.span(), "not in the flow");
            }
        }
        let mut tables = plan.tables.clone();
        for table in &mut tables {
            let given = file.tables.iter().find(|(key, _)| *key.get_ref() == table.name);
            if let Some((_, given)) = given {
                self.table(table, given);
            }
            if let Some(above) = self.above.tables.iter().find(|above| above.name == table.name) {
                table.clone_from(above);
            }
        }
        tables
    }

    fn table(&mut self, table: &mut Table, given: &TableFile) {
        if let Some(rows) = &given.rows {
            table.rows.clear();
            for row in rows {
                match self::row(table, row.get_ref()) {
                    Ok(row) => table.rows.push(row),
                    Err(message) => self.trouble(Trouble::new("R022", message), row.span(), "this row"),
                }
            }
        }
        if let Some(given) = &given.otherwise {
            match otherwise(table, given.get_ref()) {
                Ok(otherwise) => table.otherwise = otherwise,
                Err(message) => self.trouble(Trouble::new("R022", message), given.span(), "not that"),
            }
        }
    }
}

/// What a table says of keys that no row names: `"fail"`, `"keep"`, or a value.
pub(crate) fn otherwise(table: &Table, given: &toml::Value) -> Result<Otherwise, String> {
    match given.as_str() {
        Some("fail") => Ok(Otherwise::Fail),
        Some("keep") if table.keys.len() == 1 => Ok(Otherwise::Keep),
        _ => constant(given, &table.value)
            .map(Otherwise::Value)
            .ok_or_else(|| format!("`otherwise` takes \"fail\", \"keep\" or {}", in_words(&table.value))),
    }
}

/// `["NL", 21, 1]`: the keys, then the value; `"_"` stands for any key.
pub(crate) fn row(table: &Table, cells: &[toml::Value]) -> Result<TableRow, String> {
    let Some((value, keys)) = cells.split_last().filter(|(_, keys)| keys.len() == table.keys.len()) else {
        return Err(format!(
            "a row of table `{}` has {} cells: {}, then the value",
            table.name,
            table.keys.len() + 1,
            table.keys.iter().map(|key| key.name.as_str()).collect::<Vec<_>>().join(", ")
        ));
    };
    let mut row = TableRow { keys: Vec::new(), value: Constant::Nothing };
    for (key, column) in keys.iter().zip(&table.keys) {
        row.keys.push(match (key.as_str(), &column.kind) {
            (Some("_"), _) => None,
            // As everywhere, an empty text is no value.
            (Some(""), _) => Some(Constant::Nothing),
            (_, Some(kind)) => {
                Some(constant(key, kind).ok_or_else(|| format!("`{key}` is not {}", in_words(kind)))?)
            }
            (_, None) => Some(untyped(key).ok_or_else(|| format!("`{key}` cannot be a key"))?),
        });
    }
    if value.as_str() == Some("") {
        return Ok(row);
    }
    row.value = constant(value, &table.value)
        .ok_or_else(|| format!("`{value}` is not {}", in_words(&table.value)))?;
    Ok(row)
}

/// A TOML value as a constant of that type.
pub(crate) fn constant(value: &toml::Value, kind: &SettingType) -> Option<Constant> {
    Some(match (kind, value) {
        (SettingType::Text | SettingType::Date, toml::Value::String(text)) => Constant::Text(text.clone()),
        (SettingType::Date, toml::Value::Datetime(date)) => Constant::Text(date.to_string()),
        (SettingType::Choice(options), toml::Value::String(text)) if options.contains(text) => {
            Constant::Text(text.clone())
        }
        (SettingType::Integer, toml::Value::Integer(number)) => Constant::Integer(*number),
        (SettingType::Decimal, toml::Value::Integer(number)) => Constant::Decimal(Decimal::from(*number)),
        // Exact decimals are written as text: a TOML float would have been rounded already.
        (SettingType::Decimal, toml::Value::String(text)) => {
            Constant::Decimal(Decimal::from_str_exact(text).ok()?)
        }
        (SettingType::Decimal, toml::Value::Float(number)) => {
            Constant::Decimal(Decimal::from_str_exact(&number.to_string()).ok()?)
        }
        (SettingType::Boolean, toml::Value::Boolean(truth)) => Constant::Boolean(*truth),
        (SettingType::List(inner), toml::Value::Array(items)) => {
            Constant::List(items.iter().map(|item| constant(item, inner)).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}

fn untyped(value: &toml::Value) -> Option<Constant> {
    Some(match value {
        toml::Value::String(text) => Constant::Text(text.clone()),
        toml::Value::Integer(number) => Constant::Integer(*number),
        toml::Value::Float(number) => Constant::Decimal(Decimal::from_str_exact(&number.to_string()).ok()?),
        toml::Value::Boolean(truth) => Constant::Boolean(*truth),
        _ => return None,
    })
}

pub(crate) fn in_words(kind: &SettingType) -> String {
    match kind {
        SettingType::Text => "text".into(),
        SettingType::Integer => "a whole number".into(),
        SettingType::Decimal => "a number, such as \"19.95\"".into(),
        SettingType::Boolean => "true or false".into(),
        SettingType::Date => "a date such as \"2026-11-21\"".into(),
        SettingType::Choice(options) => {
            format!(
                "one of {}",
                options.iter().map(|option| format!("\"{option}\"")).collect::<Vec<_>>().join(", ")
            )
        }
        SettingType::List(inner) => format!("a list, each of it {}", in_words(inner)),
    }
}

//! What the chosen flows ask: settings and tables, with what the accounts list to choose from.
//! Each answer is in `settings/FLOW.toml` before the next question is asked.

use std::fmt::Write as _;

use connectors::record::Value;
use dsl::plan::{Constant, Otherwise, Plan, Setting, SettingType, Table};

use super::Work;
use super::ask::Choice;
use super::choices::Account;
use super::given::{Given, Values, shown};
use crate::load::Loader;
use crate::project::{FlowEntry, Project, constant, in_words, read_text};
use crate::script::constant_value;
use crate::trouble::Trouble;

/// More keys than these are not gone through one by one.
const MANY: usize = 30;

/// A flow whose questions are asked.
struct Asked<'a> {
    entry: &'a FlowEntry,
    plan: &'a Plan,
    accounts: &'a [Option<Account>; 2],
    /// What the file has so far.
    settings: toml::Table,
    tables: toml::Table,
}

impl Work<'_> {
    /// Asks what the flows ask.
    pub(super) async fn answers(&self, flows: &[FlowEntry]) -> Result<(), Trouble> {
        let project = self.project().await?;
        let loader = Loader::new(&project)?;
        for entry in flows {
            let several = |problems| Trouble::several(format!("flow `{}` is wrong", entry.name), problems);
            let (_, plan) = loader.check(entry).map_err(several)?;
            let accounts = if self.asker.is_there() {
                super::accounts(&project, &loader, entry, &plan)
            } else {
                [None, None]
            };
            let file = kept(&project, &entry.name)?;
            let section =
                |name: &str| file.get(name).and_then(toml::Value::as_table).cloned().unwrap_or_default();
            let (settings, tables) = (section("settings"), section("tables"));
            self.flow(&mut Asked { entry, plan: &plan, accounts: &accounts, settings, tables }).await?;
        }
        Ok(())
    }

    async fn flow(&self, asked: &mut Asked<'_>) -> Result<(), Trouble> {
        let (name, plan) = (&asked.entry.name, asked.plan);
        let given = self.given.settings.get(name).cloned().unwrap_or_default();
        let tables = self.given.tables.get(name).cloned().unwrap_or_default();
        let known: Vec<String> = plan.settings.iter().map(|setting| setting.name.clone()).collect();
        Given::strangers(&format!("setting of flow {name}"), given.keys(), &known)?;
        let known: Vec<String> = plan.tables.iter().map(|table| table.name.clone()).collect();
        Given::strangers(&format!("table of flow {name}"), tables.keys(), &known)?;
        self.take(asked, &given, &tables)?;
        let needs = |setting: &&Setting| setting.default.is_none() && !setting.optional;
        let open: Vec<&Setting> =
            plan.settings.iter().filter(|setting| !asked.settings.contains_key(&setting.name)).collect();
        if self.asker.is_there() && !open.is_empty() {
            self.show.line(format!("\n{}", self.show.strong(&format!("Flow {name}: {}", plan.name))));
        }
        for setting in open.iter().filter(|setting| needs(setting)) {
            self.setting(asked, setting).await?;
        }
        if !self.asker.is_there() {
            return Ok(());
        }
        let others: Vec<&Setting> = open.into_iter().filter(|setting| !needs(setting)).collect();
        let question = format!("Go through the {} settings that have an answer?", others.len());
        if !others.is_empty() && (self.every_question || self.asker.yes(&question, false)?) {
            for setting in others {
                self.setting(asked, setting).await?;
            }
        }
        for table in &plan.tables {
            if !asked.tables.contains_key(&table.name) {
                self.table(asked, table).await?;
            }
        }
        Ok(())
    }

    /// Takes what was given beforehand.
    fn take(&self, asked: &mut Asked<'_>, given: &Values, tables: &Values) -> Result<(), Trouble> {
        if given.is_empty() && tables.is_empty() {
            return Ok(());
        }
        for setting in &asked.plan.settings {
            let Some(value) = given.get(&setting.name) else { continue };
            let typed = match value {
                // A flag knows texts only.
                toml::Value::String(text) => typed(text, setting),
                other => constant(other, &setting.kind).map(|_| other.clone()),
            };
            let Some(value) = typed else {
                let message = format!(
                    "`{}` of flow {} takes {}",
                    setting.name,
                    asked.entry.name,
                    in_words(&setting.kind)
                );
                return Err(Trouble::new("R132", message).maybe_help(setting.ask.clone()));
            };
            asked.settings.insert(setting.name.clone(), value);
        }
        for (name, table) in tables {
            asked.tables.insert(name.clone(), table.clone());
        }
        self.keep(asked)
    }

    async fn setting(&self, asked: &mut Asked<'_>, setting: &Setting) -> Result<(), Trouble> {
        let question = setting.ask.clone().unwrap_or_else(|| setting.name.clone());
        let how = format!(
            "--setting {}.{}=VALUE, or under [settings.{}] in the file of --answers",
            asked.entry.name, setting.name, asked.entry.name
        );
        let now = setting.default.as_ref().and_then(written);
        let value = match &setting.kind {
            SettingType::Boolean if self.asker.is_there() => {
                let standard = setting.default == Some(Constant::Boolean(true));
                Some(toml::Value::from(self.asker.yes(&question, standard)?))
            }
            SettingType::Choice(options) => {
                let at = self.asker.choose(&question, options, &how)?;
                options.get(at).map(|option| toml::Value::from(option.as_str()))
            }
            SettingType::List(inner) if matches!(**inner, SettingType::Choice(_)) => {
                self.several(setting, inner, &question, &how)?
            }
            _ => self.typed(asked, setting, &question, now.as_deref(), &how).await?,
        };
        if let Some(value) = value {
            asked.settings.insert(setting.name.clone(), value);
            self.keep(asked)?;
        }
        Ok(())
    }

    fn several(
        &self,
        setting: &Setting,
        inner: &SettingType,
        question: &str,
        how: &str,
    ) -> Result<Option<toml::Value>, Trouble> {
        let SettingType::Choice(options) = inner else { return Ok(None) };
        let now = match &setting.default {
            Some(Constant::List(items)) => items.clone(),
            _ => Vec::new(),
        };
        let chosen: Vec<bool> =
            options.iter().map(|option| now.contains(&Constant::Text(option.clone()))).collect();
        let chosen = self.asker.several(question, options, &chosen, how)?;
        let values = chosen
            .into_iter()
            .filter_map(|at| options.get(at))
            .map(|option| toml::Value::from(option.as_str()));
        Ok(Some(toml::Value::Array(values.collect())))
    }

    async fn typed(
        &self,
        asked: &Asked<'_>,
        setting: &Setting,
        question: &str,
        now: Option<&str>,
        how: &str,
    ) -> Result<Option<toml::Value>, Trouble> {
        let choices = asked.choices(&setting.name).await;
        let text = if choices.is_empty() || matches!(setting.kind, SettingType::List(_)) {
            let fits = |text: &str| match typed(text, setting) {
                Some(_) => Ok(()),
                None => Err(format!("this takes {}", in_words(&setting.kind))),
            };
            let question = match setting.kind {
                SettingType::List(_) => format!("{question} (with commas between)"),
                _ => question.to_owned(),
            };
            let may_be_empty = setting.optional || matches!(setting.kind, SettingType::List(_));
            shown(&self.asker.text(&question, now, may_be_empty, how, fits)?)
        } else {
            self.asker.one_of(question, &choices, now, setting.optional, how)?
        };
        match text {
            Some(text) => Ok(typed(&text, setting)),
            None if setting.optional => Ok(Some(toml::Value::from(""))),
            None => Ok(typed("", setting)),
        }
    }

    /// A table: kept as it is, or its rows gone through.
    async fn table(&self, asked: &mut Asked<'_>, table: &Table) -> Result<(), Trouble> {
        let question = table.ask.clone().unwrap_or_else(|| table.name.clone());
        self.show.line(format!("\n{question}"));
        for row in &table.rows {
            let keys: Vec<String> = row.keys.iter().map(|one| key(one.as_ref())).collect();
            let value = written(&row.value).unwrap_or_else(|| "nothing".to_owned());
            self.show.line(format!("    {} → {value}", keys.join(", ")));
        }
        let otherwise = match &table.otherwise {
            Otherwise::Fail => "the record is refused".to_owned(),
            Otherwise::Keep => "itself".to_owned(),
            Otherwise::Value(value) => written(value).unwrap_or_else(|| "nothing".to_owned()),
        };
        self.show.line(format!("    anything else → {otherwise}"));
        if self.asker.yes("Is that right?", true)? {
            return Ok(());
        }
        let values = asked.target(&table.name).await;
        let sources = if table.keys.len() == 1 { asked.source(&table.name).await } else { Vec::new() };
        let mut rows = Vec::new();
        for keys in all_keys(table, &sources) {
            let old = table.rows.iter().find(|row| key_values(&row.keys) == keys);
            let now = old.and_then(|row| written(&row.value));
            let shown_key = |key: &toml::Value| match key.as_str() {
                Some("") => "nothing".to_owned(),
                Some("_") => "anything".to_owned(),
                Some(text) => text.to_owned(),
                None => key.to_string(),
            };
            let shown_keys: Vec<String> = keys.iter().map(shown_key).collect();
            let question = format!("{} →", shown_keys.join(", "));
            let how = format!("under [tables.{}.{}] in the file of --answers", asked.entry.name, table.name);
            let chosen = match &table.value {
                SettingType::Choice(options) => {
                    let at = self.asker.choose(&question, options, &how)?;
                    options.get(at).cloned()
                }
                _ if values.is_empty() => {
                    let fits = |text: &str| match value_of(text, &table.value) {
                        Some(_) => Ok(()),
                        None => Err(format!("this takes {}", in_words(&table.value))),
                    };
                    shown(&self.asker.text(&question, now.as_deref(), true, &how, fits)?)
                }
                _ => self.asker.one_of(&question, &values, now.as_deref(), true, &how)?,
            };
            // An empty text stands for no value.
            let value = chosen.and_then(|text| value_of(&text, &table.value));
            let mut row = keys;
            row.push(value.unwrap_or_else(|| toml::Value::from("")));
            rows.push(toml::Value::Array(row));
        }
        let mut answer = toml::Table::new();
        answer.insert("rows".to_owned(), toml::Value::Array(rows));
        asked.tables.insert(table.name.clone(), toml::Value::Table(answer));
        self.keep(asked)
    }

    /// Writes what was answered so far.
    fn keep(&self, asked: &Asked<'_>) -> Result<(), Trouble> {
        let mut text =
            format!("# What flow {} asks; each question stands in {}.\n", asked.entry.name, asked.entry.file);
        text.push_str("[settings]\n");
        for (name, value) in &asked.settings {
            // Into a text, writing cannot fail.
            let _ = writeln!(text, "{name} = {value}");
        }
        for (name, table) in &asked.tables {
            let _ = write!(text, "\n[tables.{name}]\n");
            for (part, value) in table.as_table().into_iter().flatten() {
                match value.as_array().filter(|rows| !rows.is_empty()) {
                    Some(rows) => {
                        let _ = writeln!(text, "{part} = [");
                        for row in rows {
                            let _ = writeln!(text, "    {row},");
                        }
                        text.push_str("]\n");
                    }
                    None => {
                        let _ = writeln!(text, "{part} = {value}");
                    }
                }
            }
        }
        self.write(&format!("settings/{}.toml", asked.entry.name), &text)
    }
}

impl Asked<'_> {
    /// What either account lists under that name; a setting is mostly about the target.
    async fn choices(&self, name: &str) -> Vec<Choice> {
        let found = self.target(name).await;
        if found.is_empty() { self.source(name).await } else { found }
    }

    async fn source(&self, name: &str) -> Vec<Choice> {
        match &self.accounts[0] {
            Some(account) => account.choices(name).await,
            None => Vec::new(),
        }
    }

    async fn target(&self, name: &str) -> Vec<Choice> {
        match &self.accounts[1] {
            Some(account) => account.choices(name).await,
            None => Vec::new(),
        }
    }
}

/// The answers that the project has already.
fn kept(project: &Project, flow: &str) -> Result<toml::Table, Trouble> {
    let name = format!("settings/{flow}.toml");
    let path = project.root.join(&name);
    let text = if path.exists() { read_text(&path)? } else { String::new() };
    text.parse().map_err(|error: toml::de::Error| {
        Trouble::new("R017", format!("{name} cannot be read: {}", error.message().replace('\n', ", "))).at(
            &name,
            &text,
            error.span().unwrap_or(0..0),
            "here",
        )
    })
}

/// A text that somebody typed, as the setting's type; empty is nothing where that may be.
fn typed(text: &str, setting: &Setting) -> Option<toml::Value> {
    if text.is_empty() && setting.optional {
        return Some(toml::Value::from(""));
    }
    value_of(text, &setting.kind)
}

fn value_of(text: &str, kind: &SettingType) -> Option<toml::Value> {
    let text = text.trim();
    let value = match kind {
        SettingType::Integer => toml::Value::from(text.parse::<i64>().ok()?),
        SettingType::Boolean => match text {
            "true" | "yes" => toml::Value::from(true),
            "false" | "no" => toml::Value::from(false),
            _ => return None,
        },
        SettingType::List(inner) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            toml::Value::Array(parts.map(|part| value_of(part, inner)).collect::<Option<_>>()?)
        }
        SettingType::Date => {
            text.parse::<jiff::civil::Date>().ok()?;
            toml::Value::from(text)
        }
        _ => toml::Value::from(text),
    };
    constant(&value, kind).map(|_| value)
}

/// A constant as it would be typed; `None`: nothing.
fn written(constant: &Constant) -> Option<String> {
    match constant {
        Constant::Nothing => None,
        Constant::List(items) => Some(items.iter().filter_map(written).collect::<Vec<_>>().join(", ")),
        other => Some(match constant_value(other) {
            Value::Text(text) => text.to_string(),
            value => value.to_string(),
        }),
    }
}

fn key(key: Option<&Constant>) -> String {
    match key {
        None => "anything".to_owned(),
        Some(key) => written(key).unwrap_or_else(|| "nothing".to_owned()),
    }
}

/// The keys of a row as answers are written.
fn key_values(keys: &[Option<Constant>]) -> Vec<toml::Value> {
    keys.iter()
        .map(|key| match key {
            None => toml::Value::from("_"),
            Some(Constant::Integer(number)) => toml::Value::from(*number),
            Some(Constant::Boolean(truth)) => toml::Value::from(*truth),
            // A key of no value is an empty text.
            Some(other) => toml::Value::from(written(other).unwrap_or_default()),
        })
        .collect()
}

/// The rows that are gone through: those of the source where it lists a few, else those that are
/// there, and always the one of no value.
fn all_keys(table: &Table, sources: &[Choice]) -> Vec<Vec<toml::Value>> {
    let lists = !sources.is_empty() && sources.len() <= MANY;
    let known = table.rows.iter().filter(|row| !lists || row.keys == [Some(Constant::Nothing)]);
    let listed =
        sources.iter().filter(|_| lists).map(|choice| vec![toml::Value::from(choice.value.as_str())]);
    listed.chain(known.map(|row| key_values(&row.keys))).collect()
}

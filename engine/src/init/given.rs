//! Answers that were given beforehand: by flags, or in a file.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::project::read_text;
use crate::trouble::{Trouble, did_you_mean};

/// Values by name.
pub(super) type Values = BTreeMap<String, toml::Value>;

/// Everything that was answered beforehand.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    /// The folder of ready flows: `ccv_salespos-mpluskassa`.
    pub(super) pair: Option<String>,
    /// What the project is called.
    pub(super) name: Option<String>,
    /// Flows that are taken.
    pub(super) flows: Option<Vec<String>>,
    /// Whether they are switched on at the end.
    pub(super) on: Option<bool>,
    /// Settings of connections.
    #[serde(default)]
    pub(super) connections: BTreeMap<String, Values>,
    /// Settings of flows.
    #[serde(default)]
    pub(super) settings: BTreeMap<String, Values>,
    /// Tables of flows, as in `settings/FLOW.toml`.
    #[serde(default)]
    pub(super) tables: BTreeMap<String, Values>,
}

impl Given {
    /// Reads a file of answers.
    pub(super) fn read(path: &Path) -> Result<Self, Trouble> {
        let text = read_text(path)?;
        toml::from_str(&text).map_err(|error| {
            let name = path.display().to_string();
            let message = error.message().replace('\n', ", ");
            Trouble::new("R132", format!("`{name}` cannot be read: {message}"))
                .at(&name, &text, error.span().unwrap_or(0..0), "here")
                .help("docs/getting-started.md shows the form of a file of answers")
        })
    }

    /// Adds `shop.address=VALUE` of a flag.
    pub(super) fn add(values: &mut BTreeMap<String, Values>, flag: &str, text: &str) -> Result<(), Trouble> {
        let parts = text.split_once('=').and_then(|(path, value)| Some((path.split_once('.')?, value)));
        let Some(((first, second), value)) = parts else {
            return Err(Trouble::new("R132", format!("`{text}` is no answer"))
                .help(format!("write {flag} NAME.SETTING=VALUE")));
        };
        values.entry(first.to_owned()).or_default().insert(second.to_owned(), toml::Value::from(value));
        Ok(())
    }

    /// Adds `SETTING=VALUE` of a flag to what was answered for a connection.
    pub(super) fn add_to(
        values: &mut BTreeMap<String, Values>,
        connection: &str,
        text: &str,
    ) -> Result<(), Trouble> {
        let Some((name, value)) = text.split_once('=') else {
            return Err(
                Trouble::new("R132", format!("`{text}` is no answer")).help("write --setting SETTING=VALUE")
            );
        };
        let of_it = values.entry(connection.to_owned()).or_default();
        of_it.insert(name.to_owned(), toml::Value::from(value));
        Ok(())
    }

    /// Says of answers that nobody asks for that it is so.
    pub(super) fn strangers<'k>(
        what: &str,
        given: impl Iterator<Item = &'k String>,
        known: &[String],
    ) -> Result<(), Trouble> {
        for name in given {
            if !known.contains(name) {
                let help = did_you_mean(name, known.iter().map(String::as_str))
                    .unwrap_or_else(|| format!("there are {}", known.join(", ")));
                return Err(Trouble::new("R132", format!("no {what} is called `{name}`")).help(help));
            }
        }
        Ok(())
    }
}

/// A text; `None` when it is empty.
pub(super) fn shown(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

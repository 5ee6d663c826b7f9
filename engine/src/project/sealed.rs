//! Settings of connections that the vault has: `secret = { sealed = true }`.
//!
//! Reading a project opens nothing, so that it can be checked without its store and its key.

use connectors::manifest::Answers;

use super::{Connection, Project};
use crate::trouble::{Kind, Trouble};
use crate::vault::Entry;

/// What stands in the place of a secret until it is opened; nothing is sent with it.
pub(super) const PLACE: &str = "sealed";

/// A setting that the vault has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The connection.
    pub connection: String,
    /// The setting.
    pub setting: String,
}

impl Sealed {
    fn is(&self, entry: &Entry) -> bool {
        self.connection == entry.connection && self.setting == entry.name
    }
}

/// `{ sealed = true }`
pub(super) fn is_one(value: &toml::Value) -> bool {
    value.as_table().is_some_and(|table| {
        table.len() == 1 && table.get("sealed").and_then(toml::Value::as_bool) == Some(true)
    })
}

/// Whether a refusal is about a setting that nobody has seen yet.
pub(super) fn is_meant(sealed: &[Sealed], connection: &str, reason: &str) -> bool {
    sealed.iter().any(|one| one.connection == connection && reason.contains(&format!("`{}`", one.setting)))
}

impl Project {
    /// Opens the secrets of all connections; the store is attached to the vault. What the vault
    /// does not have stays sealed: a connection without it cannot be used, and all others can.
    pub async fn unseal(&mut self) -> Result<(), Trouble> {
        // Asked first: one that is replaced in between counts as replaced.
        let kept = self.vault.list().await?;
        for sealed in std::mem::take(&mut self.sealed) {
            let Some(text) = self.vault.get(&sealed.connection, &sealed.setting).await? else {
                self.sealed.push(sealed);
                continue;
            };
            let Some(connection) = self.connections.get_mut(&sealed.connection) else { continue };
            let text = std::str::from_utf8(&text).map_err(|_| no_text(&sealed))?;
            connection.answers = answered(connection, &sealed.setting, text);
            self.opened.extend(kept.iter().find(|entry| sealed.is(entry)).cloned());
        }
        Ok(())
    }

    /// When each secret that was opened was last replaced, as it is in the store now.
    pub(crate) async fn opened_now(&self) -> Result<Vec<Entry>, Trouble> {
        if self.opened.is_empty() {
            return Ok(Vec::new());
        }
        let mut kept = self.vault.list().await?;
        let is_one = |entry: &Entry, opened: &Entry| {
            (&entry.connection, &entry.name) == (&opened.connection, &opened.name)
        };
        kept.retain(|entry| self.opened.iter().any(|opened| is_one(entry, opened)));
        Ok(kept)
    }

    /// Refuses a connection whose secrets were not opened.
    pub fn usable(&self, connection: &Connection) -> Result<(), Trouble> {
        let Some(sealed) = self.sealed.iter().find(|sealed| sealed.connection == connection.name) else {
            return Ok(());
        };
        let Sealed { connection, setting } = sealed;
        let message =
            format!("`{setting}` of connection `{connection}` is to be sealed in the store and is not there");
        let help = format!("`weft secret set {connection} {setting}` asks for it and keeps it");
        Err(Trouble::new("R080", message).help(help))
    }
}

fn no_text(sealed: &Sealed) -> Trouble {
    let Sealed { connection, setting } = sealed;
    Trouble::new("R083", format!("`{setting}` of connection `{connection}` is no text"))
        .kind(Kind::Store)
        .help(format!("set it again: `weft secret set {connection} {setting}`"))
}

fn answered(connection: &Connection, setting: &str, text: &str) -> Answers {
    let manifest = connection.connector.manifest();
    let others = connection.answers.names().filter(|name| *name != setting);
    let others =
        others.filter_map(|name| Some((name.to_owned(), connection.answers.get(manifest, name)?.to_owned())));
    others.chain([(setting.to_owned(), text.to_owned())]).collect()
}

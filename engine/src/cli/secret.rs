//! `weft secret`: secrets of connections, sealed in the store. None ever comes from the command
//! line, where others can read it, and none is ever printed.

use std::io::{IsTerminal as _, Read as _};

use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use super::Ended;
use super::connect::named;
use super::run::open_store;
use super::runs::{moment, utc};
use super::show::{Show, count};
use crate::project::{Connection, MAIN_FILE, Project};
use crate::tokens;
use crate::trouble::{Trouble, did_you_mean};

/// Longest secret, in bytes: a private key and more.
const LONGEST: u64 = 64 * 1024;

/// Keep secrets of connections sealed in the store.
#[derive(Debug, Args)]
pub(crate) struct Secret {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Keep a secret: asked for, or read from standard input
    Set {
        /// A connection of weft.toml
        connection: String,
        /// The setting that it is for
        setting: String,
    },
    /// List what is kept: names and dates
    List,
    /// Remove a secret, or all of a connection
    Remove {
        /// The connection
        connection: String,
        /// The setting, or `sign-in` for the token of the account; else all of them
        setting: Option<String>,
    },
    /// Seal everything with a new key
    Rotate,
    /// Remove everything that is sealed, when the key is lost
    Reset {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

impl Secret {
    pub(crate) async fn run(&self, project: &Project, show: &Show) -> Result<Ended, Trouble> {
        let store = open_store(project).await?;
        let ended = self.done(project, show).await;
        store.close().await;
        ended
    }

    async fn done(&self, project: &Project, show: &Show) -> Result<Ended, Trouble> {
        match &self.what {
            What::Set { connection, setting } => set(project, connection, setting, show).await,
            What::List => list(project, show).await,
            What::Remove { connection, setting } => {
                remove(project, connection, setting.as_deref(), show).await
            }
            What::Rotate => rotate(project, show).await,
            What::Reset { yes } => reset(project, *yes, show).await,
        }
    }
}

async fn set(project: &Project, connection: &str, setting: &str, show: &Show) -> Result<Ended, Trouble> {
    let connection = named(project, connection)?;
    fits(connection, setting)?;
    let text = ask(&format!("{setting} of {}: ", connection.name))?;
    project.vault.put(&connection.name, setting, text.as_bytes()).await?;
    show.json(&serde_json::json!({ "connection": connection.name, "setting": setting, "kept": true }));
    show.line(format!("{} `{setting}` of {} is kept, sealed", show.good("✓"), connection.name));
    let is_used =
        project.sealed.iter().any(|one| one.connection == connection.name && one.setting == setting);
    if !is_used {
        show.line(format!(
            "write `{setting} = {{ sealed = true }}` under [connections.{}] in {MAIN_FILE}, so that it is used",
            connection.name
        ));
    }
    Ok(Ended::Well)
}

/// Only a setting of the system that is a secret belongs here.
fn fits(connection: &Connection, setting: &str) -> Result<(), Trouble> {
    let manifest = connection.connector.manifest();
    if manifest.settings.get(setting).is_some_and(|about| about.secret) {
        return Ok(());
    }
    let secret: Vec<&str> =
        manifest.settings.iter().filter(|(_, about)| about.secret).map(|(name, _)| name).collect();
    let message = match manifest.settings.get(setting) {
        Some(_) => format!("`{setting}` of {} is no secret", manifest.title),
        None => format!("{} has no setting `{setting}`", manifest.title),
    };
    let help = match did_you_mean(setting, secret.iter().copied()) {
        Some(help) => help,
        None if secret.is_empty() => format!("{} has no secrets to keep", manifest.title),
        None => format!("its secrets are {}", secret.join(", ")),
    };
    Err(Trouble::new("R084", message).help(help))
}

/// A secret that a person types unseen, or that another program hands over.
pub(super) fn ask(prompt: &str) -> Result<Zeroizing<String>, Trouble> {
    let unreadable = |error: &std::io::Error| {
        Trouble::new("R084", format!("the secret cannot be read: {error}"))
            .help("type it where it is asked for, or hand it over: `weft secret set … < FILE`")
    };
    let text = if std::io::stdin().is_terminal() {
        Zeroizing::new(rpassword::prompt_password(prompt).map_err(|error| unreadable(&error))?)
    } else {
        let mut text = Zeroizing::new(String::new());
        std::io::stdin().take(LONGEST + 1).read_to_string(&mut text).map_err(|error| unreadable(&error))?;
        text
    };
    // The end of a line is the shell's, not the secret's.
    let text = Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned());
    if text.is_empty() {
        return Err(Trouble::new("R084", "no secret was given").help("nothing was changed"));
    }
    if text.len() as u64 > LONGEST {
        return Err(
            Trouble::new("R084", "the secret is longer than 64 kilobytes").help("nothing was changed")
        );
    }
    Ok(text)
}

async fn list(project: &Project, show: &Show) -> Result<Ended, Trouble> {
    let entries = project.vault.list().await?;
    for entry in &entries {
        show.json(&serde_json::json!({
            "connection": entry.connection, "setting": entry.name, "updated_at": utc(entry.updated_at),
        }));
    }
    if entries.is_empty() {
        show.line("nothing is sealed");
        return Ok(Ended::Well);
    }
    let rows: Vec<Vec<String>> = entries
        .into_iter()
        .map(|entry| vec![entry.connection, entry.name, moment(entry.updated_at)])
        .collect();
    show.table(&["connection", "setting", "last replaced"], &rows);
    Ok(Ended::Well)
}

async fn remove(
    project: &Project,
    connection: &str,
    setting: Option<&str>,
    show: &Show,
) -> Result<Ended, Trouble> {
    // The connection may be gone from the project already.
    let mut names = project.vault.list().await?;
    names.retain(|entry| {
        entry.connection == connection && setting.is_none_or(|setting| entry.name == setting)
    });
    if names.is_empty() {
        let what = setting.map_or_else(|| "nothing".to_owned(), |setting| format!("no `{setting}`"));
        return Err(Trouble::new("R084", format!("{what} of connection `{connection}` is kept"))
            .help("`weft secret list` shows what is"));
    }
    for entry in names {
        project.vault.remove(connection, &entry.name).await?;
        show.json(&serde_json::json!({ "connection": connection, "setting": entry.name, "removed": true }));
        let next = if entry.name == tokens::NAME {
            format!("; `weft connect {connection}` signs in again")
        } else {
            String::new()
        };
        show.line(format!("{} `{}` of {connection} is removed{next}", show.good("✓"), entry.name));
    }
    Ok(Ended::Well)
}

async fn rotate(project: &Project, show: &Show) -> Result<Ended, Trouble> {
    let done = project.vault.rotate().await?;
    let number = i64::try_from(done.secrets).unwrap_or(i64::MAX);
    show.json(&serde_json::json!({ "sealed_anew": number, "to_do": done.to_do }));
    let secrets = count(number, "secret is", "secrets are");
    show.line(format!("{} {secrets} sealed with a new key", show.good("✓")));
    match &done.to_do {
        Some(to_do) => show.line(format!("{} now {to_do}", show.warning("!"))),
        None => {
            show.line("copies of the store made before need the old key, which is gone: make a new backup");
        }
    }
    Ok(Ended::Well)
}

async fn reset(project: &Project, yes: bool, show: &Show) -> Result<Ended, Trouble> {
    let entries = project.vault.list().await?;
    let question = format!(
        "remove {} that nobody can bring back?",
        count(i64::try_from(entries.len()).unwrap_or(i64::MAX), "secret", "secrets")
    );
    show.confirm(&question, yes)?;
    project.vault.reset().await?;
    for entry in entries {
        let next = if entry.name == tokens::NAME {
            format!("weft connect {}", entry.connection)
        } else {
            format!("weft secret set {} {}", entry.connection, entry.name)
        };
        show.json(&serde_json::json!({
            "connection": entry.connection, "setting": entry.name, "removed": true, "next": next,
        }));
        show.line(format!("`{}` of {} is removed: `{next}`", entry.name, entry.connection));
    }
    Ok(Ended::Well)
}

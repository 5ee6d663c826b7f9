//! `weft connect`: let Weft into an account, and prove that it is in.

use std::io::IsTerminal as _;
use std::path::PathBuf;

use clap::Args;
use connectors::sign_in::OAuth;

use super::Ended;
use super::run::open_store;
use super::show::Show;
use crate::consent::{Consent, open_browser, pasted};
use crate::draft;
use crate::init::{Wanted, add};
use crate::project::{Connection, MAIN_FILE, Project, Sealed};
use crate::store::ConnectionState;
use crate::trouble::{Kind, Trouble, did_you_mean};

/// Sign in to an account and prove that it answers.
#[derive(Debug, Default, Args)]
pub(crate) struct Connect {
    /// A connection of weft.toml, or a new one that is asked for; all of them when none is named
    name: Option<String>,
    /// The system of a new connection
    #[arg(long, requires = "name", value_name = "SYSTEM")]
    system: Option<String>,
    /// Of a new connection: a setting that is no secret
    #[arg(long = "setting", requires = "name", value_name = "SETTING=VALUE")]
    settings: Vec<String>,
    /// Of a new connection: a file of answers, secrets by where they are; see `weft init`
    #[arg(long, requires = "name", value_name = "FILE")]
    answers: Option<PathBuf>,
    /// Sign in anew, also where the last sign-in still holds
    #[arg(long, requires = "name")]
    again: bool,
    /// The address that the browser ended at, or the code in it: no waiting
    #[arg(long, requires = "name", value_name = "ADDRESS")]
    code: Option<String>,
    /// Do not open a browser; print the address only
    #[arg(long)]
    no_browser: bool,
    /// Draft a profile of a system that Weft does not know: systems/NAME.toml
    #[arg(long, value_name = "NAME", conflicts_with_all = ["name", "again", "code", "system", "settings", "answers"])]
    new: Option<String>,
    /// With --new: an answer of the system to a list, as a JSON file; its fields are taken over
    #[arg(long, requires = "new", value_name = "FILE")]
    answer: Option<PathBuf>,
}

impl Connect {
    /// The name of a connection that is to be added to `weft.toml`.
    pub(crate) fn is_new(&self, project: &Project, show: &Show) -> Result<bool, Trouble> {
        let Some(name) = &self.name else { return Ok(false) };
        let given = self.system.is_some() || self.answers.is_some() || !self.settings.is_empty();
        if project.connections.contains_key(name) {
            if given {
                return Err(Trouble::new("R132", format!("{MAIN_FILE} has a connection `{name}` already"))
                    .help("change it there, or take another name for another one"));
            }
            return Ok(false);
        }
        let looks_misspelt = did_you_mean(name, project.connections.keys().map(String::as_str)).is_some();
        let asks = show.is_terminal() && std::io::stdin().is_terminal();
        Ok(given || asks && !looks_misspelt)
    }

    /// Asks for the connection, tries it and writes it down.
    pub(crate) async fn add(self, project: &Project, show: &Show) -> Result<Ended, Trouble> {
        let name = self.name.unwrap_or_default();
        let wanted =
            Wanted { name: name.clone(), system: self.system, file: self.answers, settings: self.settings };
        let signed_in = add(project, wanted, show).await?;
        show.json(&serde_json::json!({ "connection": name, "added": true, "signed_in": signed_in }));
        show.line(format!("{} connection `{name}` is in {MAIN_FILE}", show.good("✓")));
        Ok(Ended::Well)
    }

    /// Asks for secrets of the connection that are to be sealed and are not there yet, where there
    /// is somebody to ask.
    pub(crate) async fn ask(&self, project: &mut Project, show: &Show) -> Result<(), Trouble> {
        let of_it = |sealed: &Sealed| self.name.as_ref() == Some(&sealed.connection);
        let missing: Vec<Sealed> = project.sealed.iter().filter(|sealed| of_it(sealed)).cloned().collect();
        if missing.is_empty() || !show.is_terminal() || !std::io::stdin().is_terminal() {
            return Ok(());
        }
        let store = open_store(project).await?;
        for Sealed { connection, setting } in missing {
            let text = super::secret::ask(&format!("{setting} of {connection}: "))?;
            project.vault.put(&connection, &setting, text.as_bytes()).await?;
        }
        project.unseal().await?;
        store.close().await;
        Ok(())
    }

    pub(crate) async fn run(&self, project: &Project, show: &Show) -> Result<Ended, Trouble> {
        if let Some(name) = &self.new {
            let path = draft::profile(project, name, self.answer.as_deref())?;
            show.json(&serde_json::json!({ "profile": path }));
            show.line(format!("{} {path}", show.good("drafted")));
            show.line(
                "fill in what is marked with `?`, see docs/profiles.md, then `weft check` until it is quiet",
            );
            return Ok(Ended::Well);
        }
        let store = open_store(project).await?;
        let ended = self.connect(project, show).await;
        store.close().await;
        ended
    }

    async fn connect(&self, project: &Project, show: &Show) -> Result<Ended, Trouble> {
        let Some(name) = &self.name else { return all(project, show).await };
        let connection = named(project, name)?;
        project.usable(connection)?;
        if let Some(oauth) = connection.connector.consent(&connection.answers) {
            let oauth = oauth.map_err(|error| refused(connection, &error))?;
            self.sign_in(project, connection, &oauth, show).await?;
        }
        prove(project, connection, show).await
    }

    async fn sign_in(
        &self,
        project: &Project,
        connection: &Connection,
        oauth: &OAuth,
        show: &Show,
    ) -> Result<(), Trouble> {
        let tokens = project.host(connection).tokens;
        let kept = |reason: String| {
            Trouble::new("R047", reason).help(
                "nothing was lost that was kept before; docs/secrets.md says where secrets and their key lie",
            )
        };
        // A token that cannot be read is no reason not to sign in anew.
        let is_asked = self.again || self.code.is_some();
        if !is_asked && tokens.load().await.map_err(kept)?.is_some() {
            return Ok(());
        }
        let code = match &self.code {
            Some(text) => pasted(text)?,
            None => self.wait(connection, oauth, show).await?,
        };
        // Not while a person is waited for: others may have to exchange a token meanwhile.
        let lock = tokens.lock().await.map_err(kept)?;
        let token = oauth.redeem(&code).await.map_err(|error| refused(connection, &error))?;
        tokens.save(&token).await.map_err(kept)?;
        drop(lock);
        show.line(format!("{} signed in; the token is kept in the store, sealed", show.good("✓")));
        Ok(())
    }

    async fn wait(&self, connection: &Connection, oauth: &OAuth, show: &Show) -> Result<String, Trouble> {
        let Some(consent) = Consent::ask(oauth).await else {
            return Err(Trouble::new("R045", format!("`{}` needs no sign-in in a browser", connection.name)));
        };
        let title = &connection.connector.manifest().title;
        show.json(&serde_json::json!({ "open": consent.address.as_str() }));
        show.line(format!("Open this address in a browser and let Weft into {title}:\n"));
        show.line(format!("  {}\n", show.strong(consent.address.as_str())));
        if consent.listens() {
            show.line(format!("Waiting for the browser to come back to {}", consent.redirect));
            show.line(
                "Where it runs on another machine: paste the address that it ends at, and press Enter.",
            );
        } else {
            show.line(format!("The browser ends at {} …", consent.redirect));
            show.line("Paste that whole address here, and press Enter.");
        }
        if !self.no_browser && show.is_terminal() {
            open_browser(&consent.address);
        }
        consent.code().await
    }
}

/// Lets Weft into an account in a browser, with a person at the terminal, and proves that it answers.
pub(crate) async fn sign_in(project: &Project, name: &str, show: &Show) -> Result<Ended, Trouble> {
    let name = Some(name.to_owned());
    let call = Connect { name, ..Connect::default() };
    call.run(project, show).await
}

/// The connection of that name.
pub(super) fn named<'p>(project: &'p Project, name: &str) -> Result<&'p Connection, Trouble> {
    project.connections.get(name).ok_or_else(|| {
        let known = project.connections.keys().map(String::as_str);
        let help = did_you_mean(name, known.clone()).unwrap_or_else(|| {
            let known = known.collect::<Vec<_>>().join(", ");
            let adds = format!("`weft connect {name} --system SYSTEM` adds it");
            if known.is_empty() { adds } else { format!("weft.toml has {known}; {adds}") }
        });
        Trouble::new("R048", format!("the project has no connection `{name}`")).help(help)
    })
}

/// The system's title, with what is to be said of its contract.
pub(super) fn title(connection: &Connection) -> String {
    connection.connector.manifest().full_title()
}

/// What a system's refusal is to a command.
pub(super) fn refused(connection: &Connection, error: &connectors::contract::RemoteError) -> Trouble {
    Trouble::new("R049", format!("connection `{}`: {}", connection.name, error.reason))
        .kind(Kind::Remote)
        .maybe_help(error.help.as_ref().map(|help| with_name(help, connection)))
}

/// A connector does not know what the project calls its connection.
pub(super) fn with_name(text: &str, connection: &Connection) -> String {
    text.replace("connect NAME` with the connection's name", &format!("connect {}`", connection.name))
}

async fn prove(project: &Project, connection: &Connection, show: &Show) -> Result<Ended, Trouble> {
    let said = probe(project, connection).await?;
    show.json(&serde_json::json!({
        "connection": connection.name, "system": connection.system, "answers": true, "account": said,
    }));
    show.line(format!("{} {}: {said}", show.good("✓"), title(connection)));
    tell_daemons(project, &connection.name).await;
    Ok(Ended::Well)
}

/// The connection answers: daemons that had given it up try it again.
async fn tell_daemons(project: &Project, connection: &str) {
    if project.store.file().is_some_and(|file| !file.exists()) {
        return;
    }
    let told = async {
        let store = crate::store::open_at(&project.store).await?;
        let states = store.connection_states().await?;
        let updated_at = jiff::Timestamp::now().as_millisecond();
        let connection = connection.to_owned();
        if states.iter().any(|state| state.connection == connection && state.failures > 0) {
            let answers = ConnectionState { connection, updated_at, ..ConnectionState::default() };
            store.put_connection_state(&answers).await?;
        }
        store.close().await;
        Ok::<(), crate::store::StoreError>(())
    };
    if let Err(error) = told.await {
        // What was asked for is done; the daemon notices at its next start.
        tracing::warn!(%error, "the daemon could not be told that the connection answers");
    }
}

async fn probe(project: &Project, connection: &Connection) -> Result<String, Trouble> {
    project.usable(connection)?;
    let session = connection.connector.connect(&connection.answers, &project.host(connection));
    let session = session.map_err(|error| refused(connection, &error))?;
    session.probe().await.map_err(|error| refused(connection, &error))
}

/// Every connection, one line each.
async fn all(project: &Project, show: &Show) -> Result<Ended, Trouble> {
    if project.connections.is_empty() {
        show.line("weft.toml has no connections yet; `weft connect NAME` adds one");
        return Ok(Ended::Well);
    }
    let mut ended = Ended::Well;
    for connection in project.connections.values() {
        let outcome = probe(project, connection).await;
        let (account, problem) = match &outcome {
            Ok(said) => (Some(said.as_str()), None),
            Err(trouble) => (None, Some(trouble.to_string())),
        };
        show.json(&serde_json::json!({
            "connection": connection.name, "system": connection.system,
            "answers": account.is_some(), "account": account, "problem": problem,
        }));
        match outcome {
            Ok(said) => {
                show.line(format!("{} {}  {}: {said}", show.good("✓"), connection.name, title(connection)));
                tell_daemons(project, &connection.name).await;
            }
            Err(trouble) => {
                ended = Ended::Remote;
                show.line(format!("{} {}  {}", show.bad("✗"), connection.name, title(connection)));
                show.trouble(&trouble);
            }
        }
    }
    Ok(ended)
}

//! A connection: its settings asked, the account tried at once, its secrets sealed in the store.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use connectors::contract::{self, Connector, Host};
use connectors::manifest::{Answers, Setting};
use zeroize::Zeroizing;

use super::Work;
use super::ask::listed;
use super::given::{Given, Values};
use super::pair::Role;
use crate::cli::open_store;
use crate::project::{MAIN_FILE, Project, read_text};
use crate::trouble::{Kind, Trouble};

/// What was answered of one connection.
#[derive(Default)]
struct Answered {
    /// Written to `weft.toml`.
    open: BTreeMap<String, String>,
    /// Sealed.
    secret: BTreeMap<String, Zeroizing<String>>,
}

impl Answered {
    fn answers(&self) -> Answers {
        let open = self.open.iter().map(|(name, value)| (name.clone(), value.clone()));
        open.chain(self.secret.iter().map(|(name, value)| (name.clone(), value.to_string()))).collect()
    }
}

impl Work<'_> {
    /// Makes sure of a connection. False: somebody has to sign in to it in a browser yet.
    pub(super) async fn connection(&self, role: &Role) -> Result<bool, Trouble> {
        let project = Project::open(&self.folder)?;
        let Some(connector) = project.systems.get(&role.system).cloned() else {
            return Err(Trouble::new("R009", format!("no system is called `{}`", role.system)));
        };
        let known: Vec<String> = connector.manifest().settings.names().map(str::to_owned).collect();
        let given = self.given.connections.get(&role.name).cloned().unwrap_or_default();
        Given::strangers(&format!("setting of {}", role.system), given.keys(), &known)?;
        if project.connections.contains_key(&role.name) {
            return self.known(role).await;
        }
        let title = connector.manifest().full_title();
        self.show.line(format!("\n{}", self.show.strong(&format!("{title}, called `{}` here", role.name))));
        let mut answered = Answered::default();
        loop {
            answered = self.ask_settings(role, &connector, &given, &answered)?;
            match self.tried(role, &connector, &answered).await? {
                Some(true) => return Ok(true),
                Some(false) => return self.sign_in(role).await,
                None => {}
            }
        }
    }

    /// One that was made before: asked whether it still answers.
    async fn known(&self, role: &Role) -> Result<bool, Trouble> {
        let project = self.project().await?;
        let Some(connection) = project.connections.get(&role.name) else { return Ok(false) };
        project.usable(connection)?;
        let store = open_store(&project).await?;
        let needs_consent = connection.connector.consent(&connection.answers).is_some();
        let signed_in =
            !needs_consent || project.host(connection).tokens.load().await.is_ok_and(|token| token.is_some());
        store.close().await;
        if !signed_in {
            return self.sign_in(role).await;
        }
        self.show.line(format!("{} {} is connected", self.show.good("✓"), role.name));
        Ok(true)
    }

    /// Has a person let Weft in, where one is there. False: it is left for later.
    async fn sign_in(&self, role: &Role) -> Result<bool, Trouble> {
        if !self.asker.is_there() {
            let title = format!("somebody has to let Weft in: `weft connect {}`", role.name);
            self.show.line(format!("{} {title}", self.show.warning("!")));
            return Ok(false);
        }
        let project = self.project().await?;
        match crate::cli::sign_in(&project, &role.name, self.show).await {
            Ok(_) => Ok(true),
            Err(trouble) => {
                self.show.trouble(&trouble);
                Ok(false)
            }
        }
    }

    fn ask_settings(
        &self,
        role: &Role,
        connector: &Arc<dyn Connector>,
        given: &Values,
        before: &Answered,
    ) -> Result<Answered, Trouble> {
        let manifest = connector.manifest();
        let mut answered = Answered::default();
        let mut optional: Vec<(&str, &Setting)> = Vec::new();
        for (name, setting) in manifest.settings.iter() {
            match given.get(name) {
                Some(value) if setting.secret => {
                    answered.secret.insert(name.to_owned(), self.secret(role, name, value)?);
                }
                Some(value) => {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    answered.open.insert(name.to_owned(), text);
                }
                None if setting.secret && setting.default.is_none() => {
                    answered.secret.insert(name.to_owned(), self.ask_secret(role, name, setting)?);
                }
                None if setting.default.is_none() => {
                    let how = format!("{}: --connection {}.{name}=VALUE", setting.about, role.name);
                    let now = before.open.get(name).map(String::as_str);
                    self.explain(setting);
                    let text = self.asker.text(name, now, false, &how, not_empty)?;
                    answered.open.insert(name.to_owned(), text);
                }
                None => optional.push((name, setting)),
            }
        }
        self.ask_optional(role, &optional, &mut answered)?;
        Ok(answered)
    }

    fn ask_optional(
        &self,
        role: &Role,
        optional: &[(&str, &Setting)],
        answered: &mut Answered,
    ) -> Result<(), Trouble> {
        if optional.is_empty() || !self.asker.is_there() {
            return Ok(());
        }
        let names: Vec<&str> = optional.iter().map(|(name, _)| *name).collect();
        if !self.every_question {
            self.show.line(self.show.faint(&listed("Others have an answer:", &names)));
        }
        let ask = format!("Change one of these {}?", names.len());
        if !self.every_question && !self.asker.yes(&ask, false)? {
            return Ok(());
        }
        for (name, setting) in optional {
            let how = format!("--connection {}.{name}=VALUE", role.name);
            let standard = setting.default.as_deref();
            if setting.secret {
                self.explain(setting);
                let text = self.asker.secret(name, true)?;
                if !text.is_empty() {
                    answered.secret.insert((*name).to_owned(), text);
                }
                continue;
            }
            self.explain(setting);
            let text = self.asker.text(name, standard, true, &how, |_| Ok(()))?;
            if Some(text.as_str()) != standard && !text.is_empty() {
                answered.open.insert((*name).to_owned(), text);
            }
        }
        Ok(())
    }

    /// A secret that was given: where it stands, never itself.
    fn secret(&self, role: &Role, name: &str, value: &toml::Value) -> Result<Zeroizing<String>, Trouble> {
        let place = format!("`{name}` of connection `{}`", role.name);
        let single = value.as_table().filter(|table| table.len() == 1).and_then(|table| table.iter().next());
        let text = match single {
            Some((kind, toml::Value::String(variable))) if kind == "env" => {
                std::env::var(variable).map_err(|_| {
                    Trouble::new("R132", format!("{place}: the variable `{variable}` is not set"))
                        .help("set it where weft is called")
                })?
            }
            Some((kind, toml::Value::String(path))) if kind == "file" => read_text(&self.folder.join(path))?,
            _ => {
                return Err(Trouble::new("R132", format!("{place} is a secret, and secrets are not written down"))
                    .help(format!("name where it is: {name} = {{ env = \"NAME\" }} or {{ file = \"PATH\" }} in the file of --answers")));
            }
        };
        Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    fn ask_secret(&self, role: &Role, name: &str, setting: &Setting) -> Result<Zeroizing<String>, Trouble> {
        if !self.asker.is_there() {
            let message = format!("nobody is there to answer: `{name}` of connection `{}`", role.name);
            let help = format!(
                "under [connections.{}] in the file of --answers: {name} = {{ env = \"NAME\" }} or {{ file = \"PATH\" }}; what was answered before is kept",
                role.name
            );
            return Err(Trouble::new("R130", message).help(help));
        }
        self.explain(setting);
        self.asker.secret(name, false)
    }

    /// Says what a setting is, above its question: what is asked has to fit on a line.
    fn explain(&self, setting: &Setting) {
        if self.asker.is_there() {
            self.show.line(self.show.faint(&setting.about));
        }
    }

    /// Tries the account, and keeps the connection when it answers. `None`: it does not, and the
    /// settings are to be asked again.
    async fn tried(
        &self,
        role: &Role,
        connector: &Arc<dyn Connector>,
        answered: &Answered,
    ) -> Result<Option<bool>, Trouble> {
        let project = Project::open(&self.folder)?;
        let store = open_store(&project).await?;
        let ended = self.tried_over(role, connector, answered, &project).await;
        store.close().await;
        ended
    }

    async fn tried_over(
        &self,
        role: &Role,
        connector: &Arc<dyn Connector>,
        answered: &Answered,
        project: &Project,
    ) -> Result<Option<bool>, Trouble> {
        let answers = answered.answers();
        let needs_consent = connector.consent(&answers).is_some();
        if !needs_consent {
            let host = Host { limits: contract::Limits::default(), tokens: project.vault.tokens(&role.name) };
            let said = match connector.connect(&answers, &host) {
                Ok(session) => session.probe().await,
                Err(error) => Err(error),
            };
            match said {
                Ok(said) => self.show.line(format!("{} {said}", self.show.good("✓"))),
                Err(error) => {
                    let trouble =
                        Trouble::new("R049", format!("connection `{}`: {}", role.name, error.reason))
                            .kind(Kind::Remote)
                            .maybe_help(error.help.clone());
                    if !self.asker.is_there() {
                        return Err(trouble);
                    }
                    self.show.trouble(&trouble);
                    return Ok(None);
                }
            }
        }
        for (name, text) in &answered.secret {
            project.vault.put(&role.name, name, text.as_bytes()).await?;
        }
        self.append(&block(role, answered))?;
        Ok(Some(!needs_consent))
    }
}

/// The lines of `weft.toml`.
fn block(role: &Role, answered: &Answered) -> String {
    let mut text = format!("[connections.{}]\nsystem = \"{}\"\n", role.name, role.system);
    for (name, value) in &answered.open {
        // Into a text, writing cannot fail.
        let _ = writeln!(text, "{name} = {}", toml::Value::from(value.as_str()));
    }
    for name in answered.secret.keys() {
        let _ = writeln!(text, "{name} = {{ sealed = true }}");
    }
    text
}

fn not_empty(text: &str) -> Result<(), String> {
    if text.trim().is_empty() { Err(format!("{MAIN_FILE} needs it")) } else { Ok(()) }
}

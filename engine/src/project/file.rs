//! `weft.toml` and what lies around it, read and checked.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use connectors::contract::{Connector, Host};
use connectors::manifest::{Answers, Contract, Manifest};
use connectors::profile::Profile;
use miette::Report;
use serde::Deserialize;
use serde_spanned::Spanned;

use super::{Connection, FlowEntry, MAIN_FILE, Project, Sealed, read_text, sealed};
use crate::trouble::{Trouble, did_you_mean};
use crate::vault::Vault;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    #[serde(default)]
    connections: toml::map::Map<String, toml::Value>,
    #[serde(default)]
    flows: toml::map::Map<String, toml::Value>,
    #[serde(default)]
    limits: toml::map::Map<String, toml::Value>,
    #[serde(default)]
    store: toml::map::Map<String, toml::Value>,
    #[serde(default)]
    serve: toml::map::Map<String, toml::Value>,
    #[serde(default)]
    listen: toml::map::Map<String, toml::Value>,
    #[serde(default)]
    alerts: toml::map::Map<String, toml::Value>,
    #[serde(default)]
    privacy: toml::map::Map<String, toml::Value>,
}

/// Entries again, with their places; `File` above has proven the shape.
#[derive(Deserialize)]
struct Places {
    #[serde(default)]
    connections: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<toml::Value>>>,
    #[serde(default)]
    flows: BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Spanned<toml::Value>>>,
    #[serde(default)]
    limits: Entries,
    #[serde(default)]
    store: Entries,
    #[serde(default)]
    serve: Entries,
    listen: Option<Entries>,
    #[serde(default)]
    alerts: Entries,
    #[serde(default)]
    privacy: Entries,
}

pub(super) type Entries = BTreeMap<Spanned<String>, Spanned<toml::Value>>;

/// Reads the project in `root`.
pub(super) fn read(root: &Path) -> Result<Project, Trouble> {
    let path = root.join(MAIN_FILE);
    let text = read_text(&path)?;
    let syntax = |error: &toml::de::Error| {
        let span = error.span().unwrap_or(0..0);
        Trouble::new("R007", format!("{MAIN_FILE} cannot be read: {}", error.message().replace('\n', ", ")))
            .at(MAIN_FILE, &text, span, "here")
            .help("docs/operating.md shows the form of this file; texts stand in double quotes")
    };
    let file: File = toml::from_str(&text).map_err(|error| syntax(&error))?;
    let places: Places = toml::from_str(&text).map_err(|error| syntax(&error))?;
    let mut reader = Reader {
        root,
        text: &text,
        troubles: Vec::new(),
        problems: Vec::new(),
        systems: built_in(),
        sealed: Vec::new(),
        keep: BTreeMap::new(),
    };
    reader.profiles();
    let connections = reader.connections(&places);
    let flows = reader.flows(&file, &places, &connections);
    let limits = reader.limits(&places.limits);
    let store = reader.store(&places.store);
    let serve = reader.serve(&places.serve);
    let listen = reader.listen(places.listen.as_ref());
    let alerts = reader.alerts(&places.alerts);
    let mut privacy = reader.privacy(&places.privacy);
    privacy.flows = std::mem::take(&mut reader.keep);
    let Reader { troubles, mut problems, systems, sealed, .. } = reader;
    problems.extend(troubles.into_iter().map(Report::from));
    if !problems.is_empty() {
        return Err(Trouble::several(format!("the project has {} problems", problems.len()), problems));
    }
    drop((file.connections, file.limits, file.privacy, file.store, file.serve, file.listen, file.alerts));
    let name = file.name.unwrap_or_else(|| {
        root.file_name().map_or_else(|| "project".to_owned(), |name| name.to_string_lossy().into_owned())
    });
    let vault = Vault::of(root);
    let root = root.to_owned();
    Ok(Project {
        root,
        name,
        connections,
        flows,
        systems,
        limits,
        store,
        serve,
        listen,
        alerts,
        privacy,
        vault,
        sealed,
        opened: Vec::new(),
    })
}

/// Systems that come with Weft.
pub(super) fn built_in() -> BTreeMap<String, Arc<dyn Connector>> {
    connectors::all().into_iter().map(|connector| (connector.manifest().name.clone(), connector)).collect()
}

pub(super) struct Reader<'a> {
    pub(super) root: &'a Path,
    text: &'a str,
    troubles: Vec<Trouble>,
    /// Those of other files than the main one.
    problems: Vec<Report>,
    systems: BTreeMap<String, Arc<dyn Connector>>,
    /// Settings that the vault has.
    sealed: Vec<Sealed>,
    /// How long the log of flows is kept that say so.
    keep: BTreeMap<String, Duration>,
}

impl Reader<'_> {
    pub(super) fn trouble(
        &mut self,
        code: &'static str,
        message: String,
        at: Range<usize>,
        label: &str,
        help: Option<String>,
    ) {
        self.troubles.push(Trouble::new(code, message).at(MAIN_FILE, self.text, at, label).maybe_help(help));
    }

    /// The same without the line of the file, which may hold a secret.
    pub(super) fn unshown(&mut self, code: &'static str, message: &str, line: usize, help: &str) {
        let message = format!("{message} ({MAIN_FILE}, line {line})");
        self.troubles.push(Trouble::new(code, message).help(help));
    }

    /// The line of the file that a place lies in, counted from 1.
    pub(super) fn line(&self, at: &Range<usize>) -> usize {
        1 + self.text.bytes().take(at.start).filter(|letter| *letter == b'\n').count()
    }

    /// The project's folder.
    pub(super) const fn root(&self) -> &Path {
        self.root
    }

    /// The project's own systems: one TOML profile each.
    fn profiles(&mut self) {
        let Ok(entries) = std::fs::read_dir(self.root.join("systems")) else { return };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        paths.sort();
        let mut own = Vec::new();
        for path in paths {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            let name = format!("systems/{file}");
            let text = match read_text(&path) {
                Ok(text) => text,
                Err(trouble) => {
                    self.problems.push(trouble.into());
                    continue;
                }
            };
            match Profile::load(&name, &text) {
                Err(report) => self.problems.push(report.into()),
                Ok(profile) => {
                    let system = profile.manifest().name.clone();
                    // An assumption that comes with Weft gives way to what the customer's own
                    // documentation says; a published interface does not.
                    let known = self.systems.get(&system).map(|known| known.manifest().contract);
                    if own.contains(&system) || known == Some(Contract::Published) {
                        let trouble = Trouble::new(
                            "R035",
                            format!("{name} describes `{system}`, which is known already"),
                        )
                        .help("give the profile another `name`");
                        self.problems.push(trouble.into());
                        continue;
                    }
                    own.push(system.clone());
                    self.systems.insert(system, Arc::new(profile));
                }
            }
        }
    }

    fn connections(&mut self, places: &Places) -> BTreeMap<String, Connection> {
        let mut connections = BTreeMap::new();
        for (name, entries) in &places.connections {
            let Some(system) = entries.iter().find(|(key, _)| key.get_ref() == "system") else {
                let known = self.systems.keys().cloned().collect::<Vec<_>>().join(", ");
                self.trouble(
                    "R008",
                    format!("connection `{}` does not say which system it is", name.get_ref()),
                    name.span(),
                    "no `system` here",
                    Some(format!("add `system = \"NAME\"`, one of {known}")),
                );
                continue;
            };
            let system_name = system.1.get_ref().as_str().unwrap_or_default().to_owned();
            let Some(connector) = self.systems.get(&system_name).cloned() else {
                let help = did_you_mean(&system_name, self.systems.keys().map(String::as_str))
                    .unwrap_or_else(|| {
                        format!(
                            "known systems: {}",
                            self.systems.keys().cloned().collect::<Vec<_>>().join(", ")
                        )
                    });
                self.trouble(
                    "R009",
                    format!("no system is called `{system_name}`"),
                    system.1.span(),
                    "not known",
                    Some(help),
                );
                continue;
            };
            let before = self.troubles.len();
            let answers = self.answers(connector.manifest(), name, entries);
            if self.troubles.len() > before {
                continue;
            }
            let (connector, own_schema) = match connector.of_account(&answers) {
                None => (connector, false),
                Some(Ok(own)) => (own, true),
                Some(Err(error)) => {
                    let message = format!("connection `{}`: {}", name.get_ref(), error.reason);
                    self.trouble("R023", message, name.span(), "cannot be used", error.help);
                    continue;
                }
            };
            // Nothing is sent: settings that make no sense are found here, with their place.
            if let Err(error) = connector.connect(&answers, &Host::default())
                && !sealed::is_meant(&self.sealed, name.get_ref(), &error.reason)
            {
                let message = format!("connection `{}`: {}", name.get_ref(), error.reason);
                // The reason names the setting; else the whole connection is meant.
                let named = |key: &Spanned<String>| error.reason.contains(&format!("`{}`", key.get_ref()));
                let at =
                    entries.iter().find(|(key, _)| named(key)).map_or(name.span(), |(_, value)| value.span());
                self.trouble("R023", message, at, "cannot be used", error.help);
                continue;
            }
            let name = name.get_ref().clone();
            let connection =
                Connection { name: name.clone(), system: system_name, answers, connector, own_schema };
            connections.insert(name, connection);
        }
        connections
    }

    fn answers(&mut self, manifest: &Manifest, name: &Spanned<String>, entries: &Entries) -> Answers {
        let mut answers = Vec::new();
        let mut misspelt = Vec::new();
        for (key, value) in entries.iter().filter(|(key, _)| key.get_ref() != "system") {
            let Some(setting) = manifest.settings.get(key.get_ref()) else {
                let names: Vec<&str> = manifest.settings.iter().map(|(name, _)| name).collect();
                let near = did_you_mean(key.get_ref(), names.iter().copied());
                misspelt.extend(near.clone());
                let help = near.unwrap_or_else(|| format!("{} takes {}", manifest.title, names.join(", ")));
                self.trouble(
                    "R010",
                    format!("{} has no setting `{}`", manifest.title, key.get_ref()),
                    key.span(),
                    "not a setting of this system",
                    Some(help),
                );
                continue;
            };
            if setting.secret && value.get_ref().is_str() {
                self.trouble(
                    "R011",
                    format!("`{}` is a secret and must not stand in {MAIN_FILE}", key.get_ref()),
                    key.span(),
                    "in plain text",
                    Some(format!(
                        "write `{0} = {{ sealed = true }}` and give it to `weft secret set {1} {0}`, or put it into an environment variable, `{{ env = \"NAME\" }}`, or into a file, `{{ file = \"PATH\" }}`",
                        key.get_ref(), name.get_ref()
                    )),
                );
                continue;
            }
            if sealed::is_one(value.get_ref()) {
                let (connection, setting) = (name.get_ref().clone(), key.get_ref().clone());
                answers.push((setting.clone(), sealed::PLACE.to_owned()));
                self.sealed.push(Sealed { connection, setting });
                continue;
            }
            match self.answer(value.get_ref()) {
                Ok(answer) if setting.path => {
                    let path = self.root.join(answer).to_string_lossy().into_owned();
                    answers.push((key.get_ref().clone(), path));
                }
                Ok(answer) => answers.push((key.get_ref().clone(), answer)),
                Err((message, help)) => {
                    self.trouble("R012", message, value.span(), "no value from here", Some(help));
                }
            }
        }
        for (setting, about) in manifest.settings.iter() {
            // A misspelt name has been told already.
            let is_told = misspelt.iter().any(|near| near.contains(&format!("`{setting}`")));
            if about.default.is_none() && !is_told && !entries.keys().any(|key| key.get_ref() == setting) {
                let value = if about.secret { "{ sealed = true }" } else { "\"…\"" };
                self.trouble(
                    "R013",
                    format!("connection `{}` has no `{setting}`", name.get_ref()),
                    name.span(),
                    "incomplete",
                    Some(format!("add `{setting} = {value}`: {}", about.about)),
                );
            }
        }
        answers.into_iter().collect()
    }

    /// The value of a setting; else what is wrong, and what to do next.
    pub(super) fn answer(&self, value: &toml::Value) -> Result<String, (String, String)> {
        const FORMS: &str =
            "write it as text, or `{ env = \"NAME\" }`, `{ file = \"PATH\" }` or `{ sealed = true }`";
        match value {
            toml::Value::String(text) => Ok(text.clone()),
            toml::Value::Integer(number) => Ok(number.to_string()),
            toml::Value::Boolean(truth) => Ok(truth.to_string()),
            toml::Value::Table(table) => {
                let text = |key| table.get(key).and_then(toml::Value::as_str);
                match (text("env"), text("file"), table.len()) {
                    (Some(name), None, 1) => std::env::var(name).map_err(|_| {
                        let message = format!("the environment variable `{name}` is not set, or not text");
                        (message, format!("set `{name}` where weft is started, or correct the name"))
                    }),
                    (None, Some(path), 1) => read_text(&self.root.join(path))
                        .map(|text| text.trim_end_matches(['\r', '\n']).to_owned())
                        .map_err(|error| {
                            let help = "put the value into that file, or correct the path: it counts from the project's folder";
                            (error.to_string(), help.to_owned())
                        }),
                    _ => Err(("this is no value of a setting".to_owned(), FORMS.to_owned())),
                }
            }
            _ => Err(("a setting takes text, a whole number, true or false".to_owned(), FORMS.to_owned())),
        }
    }

    fn flows(
        &mut self,
        file: &File,
        places: &Places,
        connections: &BTreeMap<String, Connection>,
    ) -> Vec<FlowEntry> {
        let mut flows = Vec::new();
        // The order of the text, which `places` has lost.
        for name in file.flows.keys() {
            let Some((place, entries)) = places.flows.iter().find(|(place, _)| place.get_ref() == name)
            else {
                continue;
            };
            let mut flow =
                FlowEntry { name: name.clone(), file: String::new(), on: true, roles: BTreeMap::new() };
            for (key, value) in entries {
                match (key.get_ref().as_str(), value.get_ref()) {
                    ("file", toml::Value::String(path)) => flow.file.clone_from(path),
                    ("on", toml::Value::Boolean(on)) => flow.on = *on,
                    ("keep", _) => {
                        let keep = self.keep(value);
                        self.keep.extend(keep.map(|keep| (name.clone(), keep)));
                    }
                    ("file" | "on", _) => self.trouble(
                        "R014",
                        format!("`{}` has a value of the wrong type", key.get_ref()),
                        value.span(),
                        "`file` takes text, `on` true or false",
                        None,
                    ),
                    (role, toml::Value::String(connection)) if connections.contains_key(connection) => {
                        flow.roles.insert(role.to_owned(), connection.clone());
                    }
                    // It is there, and what is wrong with it is told where it stands.
                    (_, toml::Value::String(connection))
                        if places.connections.iter().any(|(name, _)| name.get_ref() == connection) => {}
                    (role, _) => {
                        let given = value.get_ref().as_str().unwrap_or_default().to_owned();
                        let help = did_you_mean(&given, connections.keys().map(String::as_str));
                        self.trouble(
                            "R015",
                            format!("`{role}` does not name a connection"),
                            value.span(),
                            "no such connection",
                            help.or_else(|| Some(format!("add `[connections.{given}]`"))),
                        );
                    }
                }
            }
            if flow.file.is_empty() {
                self.trouble(
                    "R016",
                    format!("flow `{name}` does not name its file"),
                    place.span(),
                    "no `file` here",
                    Some("add `file = \"flows/NAME.flow\"`".to_owned()),
                );
            }
            flows.push(flow);
        }
        flows
    }
}

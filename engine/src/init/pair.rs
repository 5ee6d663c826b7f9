//! Which pair of systems, and which of its flows.

use std::fmt::Write as _;

use super::Work;
use crate::load::Loader;
use crate::project::{FlowEntry, MAIN_FILE, Project};
use crate::ready;
use crate::trouble::{Trouble, did_you_mean};

/// A pair of systems and its flows.
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) flows: Vec<ReadyFlow>,
}

/// A flow that comes with Weft.
pub(super) struct ReadyFlow {
    pub(super) name: String,
    text: String,
}

/// A side of flows: `source shop: ccv_salespos`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) name: String,
    pub(super) system: String,
}

impl Pair {
    fn of(name: &str) -> Self {
        let flows = ready::flows(name).into_iter().map(|file| ReadyFlow {
            name: file.name.trim_end_matches(".flow").to_owned(),
            text: String::from_utf8_lossy(&file.text).into_owned(),
        });
        Self { name: name.to_owned(), flows: flows.collect() }
    }

    /// The sides of its flows, in the order of its name.
    pub(super) fn roles(&self) -> Vec<Role> {
        let mut roles: Vec<Role> = Vec::new();
        for flow in &self.flows {
            for line in flow.text.lines() {
                let side = line.strip_prefix("source ").or_else(|| line.strip_prefix("target "));
                let Some((name, system)) = side.and_then(|side| side.split_once(':')) else { continue };
                let role = Role { name: name.trim().to_owned(), system: system.trim().to_owned() };
                if !roles.contains(&role) {
                    roles.push(role);
                }
            }
        }
        // In the order in which the pair names them.
        roles.sort_by_key(|role| self.name.split('-').position(|system| system == role.system));
        roles
    }
}

impl ReadyFlow {
    /// What it does: the first sentence of its head.
    fn about(&self) -> String {
        let comment = self.text.lines().map_while(|line| line.strip_prefix("//"));
        let text = comment.take_while(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("");
        let text = text.trim();
        text.split_once(". ").map_or(text, |(first, _)| first).trim_end_matches('.').to_owned()
    }
}

impl Work<'_> {
    /// The pair that the project joins: as it was begun, as it was given, or as somebody says.
    pub(super) fn pair(&self) -> Result<Pair, Trouble> {
        let known = ready::pairs();
        if self.folder.join(MAIN_FILE).is_file() {
            let has = |pair: &&String| {
                let flows = ready::flows(pair);
                flows.iter().any(|flow| self.folder.join("flows").join(pair).join(&flow.name).is_file())
            };
            if let Some(pair) = known.iter().find(has) {
                return Ok(Pair::of(pair));
            }
            let message = format!("`{}` is a project already, and was not begun here", self.folder.display());
            return Err(Trouble::new("R133", message).help(
                "name another folder; docs/operating.md says how connections and flows are added by hand",
            ));
        }
        let name = match &self.given.pair {
            Some(pair) if known.contains(pair) => pair.clone(),
            Some(pair) => {
                let help = did_you_mean(pair, known.iter().map(String::as_str))
                    .unwrap_or_else(|| format!("there are {}", known.join(", ")));
                return Err(Trouble::new("R132", format!("no pair is called `{pair}`")).help(help));
            }
            None => self.two_systems(&known)?,
        };
        let pair = Pair::of(&name);
        self.begin(&pair)?;
        Ok(pair)
    }

    /// Two systems, one after the other.
    fn two_systems(&self, known: &[String]) -> Result<String, Trouble> {
        let how = format!("--pair PAIR: {}", known.join(", "));
        let titles: Vec<(String, String)> = connectors::all()
            .iter()
            .map(|connector| (connector.manifest().name.clone(), connector.manifest().full_title()))
            .collect();
        let title = |system: &str| {
            let found = titles.iter().find(|(name, _)| name == system);
            found.map_or_else(|| system.to_owned(), |(_, title)| title.clone())
        };
        let mut systems: Vec<&str> =
            known.iter().filter_map(|pair| pair.split_once('-')).flat_map(|(a, b)| [a, b]).collect();
        systems.sort_unstable();
        systems.dedup();
        let shown: Vec<String> = systems.iter().map(|system| title(system)).collect();
        let first = self.asker.choose("Which system is to be joined …", &shown, &how)?;
        let first = systems.get(first).copied().unwrap_or_default();
        let other = |pair: &String| {
            let (one, two) = pair.split_once('-')?;
            let other = if one == first { two } else { one };
            (one == first || two == first).then(|| (pair.clone(), other.to_owned()))
        };
        let others: Vec<(String, String)> = known.iter().filter_map(other).collect();
        let shown: Vec<String> = others.iter().map(|(_, system)| title(system)).collect();
        let second = self.asker.choose("… with which other one?", &shown, &how)?;
        Ok(others.get(second).map(|(pair, _)| pair.clone()).unwrap_or_default())
    }

    /// Puts the flows and scripts down, and the main file last: from there on it is a project.
    fn begin(&self, pair: &Pair) -> Result<(), Trouble> {
        for flow in &pair.flows {
            self.put(&format!("flows/{}/{}.flow", pair.name, flow.name), &flow.text)?;
        }
        for script in ready::scripts() {
            self.put(&format!("scripts/{}", script.name), &String::from_utf8_lossy(&script.text))?;
        }
        let standard = self
            .folder
            .file_name()
            .map_or_else(|| "project".to_owned(), |name| name.to_string_lossy().into_owned());
        let name = match &self.given.name {
            Some(name) => name.clone(),
            None if self.asker.is_there() => self.asker.text(
                "What is the project called?",
                Some(&standard),
                false,
                "--name NAME",
                |_| Ok(()),
            )?,
            None => standard,
        };
        let text = format!("name = {}\n", toml::Value::from(name));
        self.write(MAIN_FILE, &text)
    }

    /// A file that is there already is somebody's own.
    fn put(&self, name: &str, text: &str) -> Result<(), Trouble> {
        if self.folder.join(name).exists() { Ok(()) } else { self.write(name, text) }
    }

    /// The flows that are taken: as the project has them, as they were given, or as somebody says.
    pub(super) fn flows(&self, pair: &Pair) -> Result<Vec<FlowEntry>, Trouble> {
        let project = Project::open(&self.folder)?;
        if !project.flows.is_empty() {
            return Ok(project.flows);
        }
        loop {
            let names = match &self.given.flows {
                Some(names) => names.clone(),
                None => self.chosen(pair)?,
            };
            let entries: Vec<FlowEntry> = pair
                .flows
                .iter()
                .filter(|flow| names.contains(&flow.name))
                .map(|flow| FlowEntry {
                    name: flow.name.clone(),
                    file: format!("flows/{}/{}.flow", pair.name, flow.name),
                    on: true,
                    roles: std::collections::BTreeMap::new(),
                })
                .collect();
            match agree(&project, &entries) {
                Ok(()) => {
                    let mut part = String::new();
                    for entry in &entries {
                        // Into a text, writing cannot fail.
                        let _ =
                            write!(part, "[flows.{}]\nfile = \"{}\"\non = false\n\n", entry.name, entry.file);
                    }
                    self.append(&part)?;
                    return Ok(Project::open(&self.folder)?.flows);
                }
                Err(trouble) if self.given.flows.is_some() || !self.asker.is_there() => return Err(trouble),
                Err(trouble) => self.show.trouble(&trouble),
            }
        }
    }

    fn chosen(&self, pair: &Pair) -> Result<Vec<String>, Trouble> {
        let known: Vec<&str> = pair.flows.iter().map(|flow| flow.name.as_str()).collect();
        let width = known.iter().map(|name| name.len()).max().unwrap_or_default();
        let shown: Vec<String> =
            pair.flows.iter().map(|flow| format!("{:<width$}  {}", flow.name, flow.about())).collect();
        let how = format!("--flows NAME,NAME: {}", known.join(", "));
        loop {
            let chosen = self.asker.several("Which flows?", &shown, &vec![false; shown.len()], &how)?;
            if !chosen.is_empty() {
                return Ok(chosen
                    .into_iter()
                    .filter_map(|at| known.get(at))
                    .map(|name| (*name).to_owned())
                    .collect());
            }
        }
    }
}

/// No two flows may carry one thing in opposite directions.
fn agree(project: &Project, entries: &[FlowEntry]) -> Result<(), Trouble> {
    if entries.is_empty() {
        return Err(Trouble::new("R132", "no flow was chosen").help("--flows NAME,NAME"));
    }
    let loader = Loader::new(project)?;
    let mut plans = Vec::new();
    for entry in entries {
        let several = |problems| Trouble::several("a ready flow is wrong here", problems);
        plans.push((entry, loader.check(entry).map_err(several)?.1));
    }
    let pairs: Vec<_> = plans.iter().map(|(entry, plan)| (*entry, plan)).collect();
    let problems = loader.two_way(&pairs);
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Trouble::several("these flows exclude each other", problems))
    }
}

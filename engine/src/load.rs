//! From a project's files to flows that can run: scripts described, text checked, answers
//! read, expressions compiled.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use connectors::contract::Session;
use connectors::record::Record;
use dsl::catalog::Catalog;
use dsl::plan::{Plan, Side, Trigger};
use jiff::tz::TimeZone;
use miette::Report;

use crate::case::Trace;
use crate::edition::Edition;
use crate::flow::Flow;
use crate::program::Program;
use crate::project::{Connection, FlowAnswers, FlowEntry, Given, Project, read_text};
use crate::run::{Party, Sides};
use crate::script::{
    Bindings, ScriptError, ScriptFile, ScriptHost, catalog_functions, constant_value, describe_script,
    with_each,
};
use crate::trouble::{Trouble, why};

/// Folders that hold no scripts of a project.
pub(crate) const NOT_SEARCHED: [&str; 3] = [".weft", ".git", "target"];

/// How deep folders are searched for scripts.
const DEEPEST: usize = 8;

/// Checks and loads the flows of a project.
pub struct Loader<'p> {
    project: &'p Project,
    catalog: Catalog,
    scripts: BTreeMap<String, String>,
    /// The flow that is loaded as it was, and not as it lies on disk.
    then: Option<Edition>,
}

/// What a loader has read from disk.
pub(crate) struct Parts {
    catalog: Catalog,
    scripts: BTreeMap<String, String>,
}

/// Gives a conversation with a connection.
pub(crate) type Converse<'c> = dyn FnMut(&Connection) -> Result<Arc<dyn Session>, Trouble> + 'c;

/// Problems that each can be shown to a person.
pub type Problems = Vec<Report>;

impl<'p> Loader<'p> {
    /// Reads the project's scripts and describes its systems for the checker.
    pub fn new(project: &'p Project) -> Result<Self, Trouble> {
        let mut scripts = BTreeMap::new();
        find_scripts(&project.root, Path::new(""), DEEPEST, &mut scripts)?;
        let systems = project
            .systems
            .iter()
            .map(|(name, connector)| (name.clone(), crate::catalog::system(connector.manifest())))
            .collect();
        let texts: Vec<(&String, &String)> = scripts.iter().collect();
        let described = with_each(&texts, |(path, text)| describe_script(path, text));
        let described = texts.into_iter().map(|(path, _)| path.clone()).zip(described).collect();
        let functions = catalog_functions();
        let catalog = Catalog { systems, roles: BTreeMap::new(), scripts: described, functions };
        Ok(Self { project, catalog, scripts, then: None })
    }

    /// The same for one flow as it was.
    pub fn as_of(project: &'p Project, then: Edition) -> Result<Self, Trouble> {
        let mut loader = Self::new(project)?;
        for (path, text) in &then.scripts {
            loader.put_script(path, text);
        }
        loader.then = Some(then);
        Ok(loader)
    }

    /// What the checker knows.
    #[must_use]
    pub const fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The same with the text of a script that is not the one on disk.
    pub(crate) fn put_script(&mut self, path: &str, text: &str) {
        self.catalog.scripts.insert(path.to_owned(), describe_script(path, text));
        self.scripts.insert(path.to_owned(), text.to_owned());
    }

    /// The project.
    pub(crate) const fn project(&self) -> &'p Project {
        self.project
    }

    /// The texts of the project's scripts, by path.
    pub(crate) const fn scripts(&self) -> &BTreeMap<String, String> {
        &self.scripts
    }

    /// What was read from disk, to be used again with [`Loader::again`].
    pub(crate) fn take_apart(self) -> Parts {
        Parts { catalog: self.catalog, scripts: self.scripts }
    }

    /// A loader from what another one has read.
    pub(crate) fn again(project: &'p Project, parts: Parts) -> Self {
        Self { project, catalog: parts.catalog, scripts: parts.scripts, then: None }
    }

    /// What the checker knows when it reads a flow of the project: some systems are what the
    /// flow's connections make them.
    pub(crate) fn catalog_of(&self, entry: &FlowEntry) -> Cow<'_, Catalog> {
        let own = |connection: &Connection| {
            connection.own_schema.then(|| crate::catalog::system(connection.connector.manifest()))
        };
        let by_name = self.project.connections.iter();
        let bound =
            entry.roles.iter().filter_map(|(role, name)| Some((role, self.project.connections.get(name)?)));
        let roles: BTreeMap<String, _> = by_name
            .chain(bound)
            .filter_map(|(role, connection)| Some((role.clone(), own(connection)?)))
            .collect();
        if roles.is_empty() {
            return Cow::Borrowed(&self.catalog);
        }
        Cow::Owned(Catalog { roles, ..self.catalog.clone() })
    }

    /// Checks the text of a flow file.
    pub fn check(&self, entry: &FlowEntry) -> Result<(Arc<str>, Plan), Problems> {
        let file = &entry.file;
        let path = self.project.root.join(file);
        let kept = self.then.as_ref().map(|then| Ok(then.text.clone().into_bytes()));
        let bytes = kept.unwrap_or_else(|| std::fs::read(&path)).map_err(|error| {
            let name = &entry.name;
            let help = format!(
                "paths count from the project's folder; correct `file` under [flows.{name}] in weft.toml"
            );
            vec![Trouble::new("R005", format!("cannot read `{file}`: {}", why(&error))).help(help).into()]
        })?;
        let source = dsl::Source::from_bytes(file, &bytes).map_err(|report| vec![report.into()])?;
        Ok((Arc::from(source.text()), self.check_text(entry, &source)?))
    }

    /// Checks a flow whose text is not, or not yet, what its file says.
    pub(crate) fn check_text(&self, entry: &FlowEntry, source: &dsl::Source) -> Result<Plan, Problems> {
        match dsl::compile(source, &self.catalog_of(entry)) {
            Ok(plan) => {
                let mut problems = strangers(entry, &plan);
                problems.extend(unknown_zones(entry, source.text(), &plan));
                if problems.is_empty() { Ok(plan) } else { Err(problems) }
            }
            Err(report) => Err(vec![report.into()]),
        }
    }

    /// A flow of the project, ready to run.
    pub fn flow(&self, entry: &FlowEntry) -> Result<Flow, Problems> {
        self.flow_below(entry, self.check(entry)?, &Given::default(), None)
    }

    /// A flow as it was checked, below answers that count more than the project's; with a trace
    /// it notes which ways its records take.
    pub(crate) fn flow_below(
        &self,
        entry: &FlowEntry,
        (text, plan): (Arc<str>, Plan),
        given: &Given,
        trace: Option<Arc<Trace>>,
    ) -> Result<Flow, Problems> {
        let trouble = |trouble: Trouble| vec![Report::from(trouble)];
        let answers = match &self.then {
            Some(then) => FlowAnswers::of_text(&then.answers, &entry.name, &plan)
                .map(|answers| (answers, then.answers.clone())),
            None => FlowAnswers::read_below(&self.project.root, &entry.name, &plan, given),
        };
        let (answers, answers_text) = answers.map_err(trouble)?;
        let files: Vec<ScriptFile> = plan
            .uses
            .iter()
            .map(|script| ScriptFile {
                alias: script.alias.clone(),
                path: script.path.clone(),
                text: self.scripts.get(&script.path).cloned().unwrap_or_default(),
            })
            .collect();
        let fault = |span: std::ops::Range<usize>, error: &ScriptError| {
            Trouble::new(error.code(), error.to_string())
                .at(&entry.file, &text, span, "in this expression")
                .maybe_help(error.help())
        };
        let mut host = ScriptHost::load(self.project.limits.clone(), &files, &answers.tables)
            .map_err(|error| trouble(fault(0..0, &error)))?;
        if trace.is_some() {
            host.mark_rows();
        }
        let catalog = self.catalog_of(entry);
        let sets = |side: Side, resource: &str| sets(&catalog, &plan, side, resource);
        let program = Program::compile(&plan, &host, &sets).map_err(|faults| {
            faults.iter().map(|(expr, error)| fault(expr.span.clone(), error).into()).collect::<Problems>()
        })?;
        let settings: Record =
            answers.settings.iter().map(|(name, answer)| (name.as_str(), constant_value(answer))).collect();
        let mut bindings = Bindings::new();
        bindings.set("settings", settings.clone());
        let print = self.print(&text, &plan, &settings, &answers);
        let edition = Edition {
            text: text.to_string(),
            scripts: files.into_iter().map(|file| (file.path, file.text)).collect(),
            answers: answers_text,
        };
        Ok(Flow {
            name: entry.name.clone(),
            file: entry.file.clone(),
            text,
            plan,
            program,
            host,
            settings,
            bindings,
            print,
            edition,
            privacy: self.project.privacy.clone(),
            vault: self.project.vault.clone(),
            trace,
        })
    }

    /// Changes with everything that decides what the flow does: its text, the scripts it uses,
    /// its answers, its tables.
    fn print(
        &self,
        text: &str,
        plan: &Plan,
        settings: &Record,
        answers: &FlowAnswers,
    ) -> crate::store::Fingerprint {
        let mut all = text.as_bytes().to_vec();
        for script in &plan.uses {
            all.extend_from_slice(self.scripts.get(&script.path).map_or(&[], |text| text.as_bytes()));
        }
        settings.write_json(&mut all);
        all.extend_from_slice(format!("{:?}", answers.tables).as_bytes());
        xxhash_rust::xxh3::xxh3_128(&all).into()
    }

    /// Conversations with both systems of a flow.
    pub fn sides(&self, entry: &FlowEntry, plan: &Plan) -> Result<Sides, Trouble> {
        self.sides_by(entry, plan, &mut |connection| self.connect(connection))
    }

    /// The same over conversations that the caller keeps.
    pub(crate) fn sides_by(
        &self,
        entry: &FlowEntry,
        plan: &Plan,
        session: &mut Converse<'_>,
    ) -> Result<Sides, Trouble> {
        let mut party = |role: &dsl::plan::Role| -> Result<Party, Trouble> {
            let connection = self.project.connection(entry, &role.name, &role.system)?;
            Ok(Party::new(&*connection.name, session(connection)?, connection.connector.manifest().clone()))
        };
        Ok(Sides { source: party(&plan.source)?, target: party(&plan.target)? })
    }

    /// A conversation with a connection.
    pub(crate) fn connect(&self, connection: &Connection) -> Result<Arc<dyn Session>, Trouble> {
        self.project.usable(connection)?;
        let host = self.project.host(connection);
        connection.connector.connect(&connection.answers, &host).map_err(|error| {
            Trouble::new("R023", format!("connection `{}`: {}", connection.name, error.reason))
                .maybe_help(error.help.clone())
        })
    }

    /// Two flows that are on must not carry one entity in opposite directions.
    #[must_use]
    pub fn two_way(&self, flows: &[(&FlowEntry, &Plan)]) -> Problems {
        let on: Vec<_> = flows.iter().filter(|(entry, _)| entry.on).collect();
        let bound = |entry: &FlowEntry, role: &dsl::plan::Role| {
            entry.roles.get(&role.name).cloned().unwrap_or_else(|| role.name.clone())
        };
        let names: Vec<(String, String)> =
            on.iter().map(|(entry, plan)| (bound(entry, &plan.source), bound(entry, &plan.target))).collect();
        let active: Vec<dsl::Active<'_>> = on
            .iter()
            .zip(&names)
            .map(|((entry, plan), (source, target))| dsl::Active { file: &entry.name, plan, source, target })
            .collect();
        dsl::two_way(&active)
            .into_iter()
            .map(|clash| {
                let help =
                    "each would undo the other's changes: set `on = false` for one of them in weft.toml";
                Trouble::new("R024", clash.to_string()).help(help).into()
            })
            .collect()
    }
}

/// Roles that the project binds and the flow does not have.
fn strangers(entry: &FlowEntry, plan: &Plan) -> Problems {
    let (source, target) = (plan.source.name.as_str(), plan.target.name.as_str());
    entry
        .roles
        .keys()
        .filter(|role| *role != source && *role != target)
        .map(|role| {
            let message = format!("flow `{}` has no role `{role}`", entry.name);
            let help = format!(
                "its roles are `{source}` and `{target}`; correct `{role}` under [flows.{}] in weft.toml",
                entry.name
            );
            Trouble::new("R038", message).help(help).into()
        })
        .collect()
}

/// Zones that have the form of one, and that nobody here knows.
fn unknown_zones(entry: &FlowEntry, text: &str, plan: &Plan) -> Problems {
    let zones = plan.triggers.iter().filter_map(|trigger| match trigger {
        Trigger::At { zone, .. } if TimeZone::get(zone).is_err() => Some(zone),
        _ => None,
    });
    zones
        .map(|zone| {
            let start = text.find(&format!("\"{zone}\"")).unwrap_or_default();
            Trouble::new("R090", format!("no time zone is called `{zone}`"))
                .at(&entry.file, text, start..start + zone.len() + 2, "not in the list of zones")
                .help("zones are named after a large city in them: `Europe/Amsterdam`, `America/New_York`")
                .into()
        })
        .collect()
}

/// The sets of fields that a resource can be found by.
fn sets(catalog: &Catalog, plan: &Plan, side: Side, resource: &str) -> Vec<Vec<String>> {
    let role = match side {
        Side::Source => &plan.source,
        Side::Target => &plan.target,
    };
    let system = catalog.system(&role.name, &role.system);
    system.and_then(|system| system.resources.get(resource)).map_or_else(Vec::new, |found| found.find.clone())
}

fn find_scripts(
    root: &Path,
    below: &Path,
    depth: usize,
    scripts: &mut BTreeMap<String, String>,
) -> Result<(), Trouble> {
    let Ok(entries) = std::fs::read_dir(root.join(below)) else { return Ok(()) };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| below.join(entry.file_name())).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let full = root.join(&path);
        if full.is_dir() {
            if depth > 0 && !NOT_SEARCHED.contains(&name.as_str()) {
                find_scripts(root, &path, depth - 1, scripts)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "rhai") {
            let key = path.to_string_lossy().replace('\\', "/");
            scripts.insert(key, read_text(&full)?);
        }
    }
    Ok(())
}

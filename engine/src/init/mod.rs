//! `weft init`: from an empty folder to a running project, question by question.
//!
//! What was answered stands in the project's own files at once, each written whole: whoever stops
//! halfway goes on where it was left. Secrets go to the store, sealed, and nowhere else.

mod answers;
mod ask;
mod choices;
mod connection;
mod given;
mod one;
mod pair;

use std::path::{Path, PathBuf};

use crate::case::write_whole;
use crate::cli::{Show, open_store};
use crate::load::{Loader, Problems};
use crate::project::{FlowEntry, MAIN_FILE, Project};
use crate::trouble::{Trouble, why};
use ask::Asker;
use choices::Account;
use given::Given;
pub(crate) use one::{Wanted, add};

/// Records of each flow that are looked at before it is switched on.
const FIRST: usize = 10;

/// What `weft init` was told beforehand.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// The project's folder.
    pub(crate) folder: PathBuf,
    /// A file of answers.
    pub(crate) file: Option<PathBuf>,
    /// The pair of systems.
    pub(crate) pair: Option<String>,
    /// What the project is called.
    pub(crate) name: Option<String>,
    /// Flows that are taken.
    pub(crate) flows: Option<Vec<String>>,
    /// `shop.address=…`
    pub(crate) connections: Vec<String>,
    /// `orders.start_date=…`
    pub(crate) settings: Vec<String>,
    /// Switch the flows on.
    pub(crate) on: Option<bool>,
    /// Show what the first records would do.
    pub(crate) look: bool,
    /// Ask every question, also those that have an answer.
    pub(crate) every_question: bool,
    /// Ask nothing.
    pub(crate) quiet: bool,
}

/// How far a project came.
#[derive(Debug)]
pub(crate) struct Done {
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// Flows that are on.
    pub(crate) on: Vec<String>,
    /// Connections that somebody has to sign in to yet.
    pub(crate) to_sign_in: Vec<String>,
}

/// A project that is being made.
struct Work<'a> {
    folder: PathBuf,
    given: Given,
    asker: Asker,
    every_question: bool,
    look: bool,
    show: &'a Show,
}

/// Makes a project, or goes on with one.
pub(crate) async fn make(told: Told, show: &Show) -> Result<Done, Trouble> {
    let mut given = match &told.file {
        Some(file) => Given::read(file)?,
        None => Given::default(),
    };
    for text in &told.connections {
        Given::add(&mut given.connections, "--connection", text)?;
    }
    for text in &told.settings {
        Given::add(&mut given.settings, "--setting", text)?;
    }
    given.pair = told.pair.or(given.pair);
    given.name = told.name.or(given.name);
    given.flows = told.flows.or(given.flows);
    given.on = told.on.or(given.on);
    let folder = std::path::absolute(&told.folder).unwrap_or(told.folder);
    std::fs::create_dir_all(&folder).map_err(|error| {
        Trouble::new("R125", format!("cannot make `{}`: {}", folder.display(), why(&error)))
            .help("name a folder that you may write in")
    })?;
    let asker = Asker::new(!told.quiet && !show.is_json());
    let (every_question, look) = (told.every_question, told.look);
    Work { folder, given, asker, every_question, look, show }.whole().await
}

impl Work<'_> {
    async fn whole(&self) -> Result<Done, Trouble> {
        let pair = self.pair()?;
        let roles = pair.roles();
        let names: Vec<String> = roles.iter().map(|role| role.name.clone()).collect();
        Given::strangers("connection", self.given.connections.keys(), &names)?;
        let all: Vec<String> = pair.flows.iter().map(|flow| flow.name.clone()).collect();
        Given::strangers("flow", self.given.flows.iter().flatten(), &all)?;
        Given::strangers("flow", self.given.settings.keys().chain(self.given.tables.keys()), &all)?;
        let mut to_sign_in = Vec::new();
        for role in &roles {
            if !self.connection(role).await? {
                to_sign_in.push(role.name.clone());
            }
        }
        let chosen = self.flows(&pair)?;
        self.answers(&chosen).await?;
        let on = self.switch_on(&chosen, &to_sign_in).await?;
        Ok(Done { folder: self.folder.clone(), on, to_sign_in })
    }

    /// The project as its files have it now, with its secrets.
    async fn project(&self) -> Result<Project, Trouble> {
        let mut project = Project::open(&self.folder)?;
        if !project.sealed.is_empty() {
            let store = open_store(&project).await?;
            let opened = project.unseal().await;
            store.close().await;
            opened?;
        }
        Ok(project)
    }

    fn main_text(&self) -> Result<String, Trouble> {
        crate::project::read_text(&self.folder.join(MAIN_FILE))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Trouble> {
        let path = self.folder.join(name);
        let parent = path.parent().unwrap_or(&self.folder);
        std::fs::create_dir_all(parent).map_err(|error| {
            Trouble::new("R125", format!("cannot make `{}`: {}", parent.display(), why(&error)))
                .help("give the user who runs weft the right to write there")
        })?;
        write_whole(&path, text)
    }

    /// Adds a part to `weft.toml`, behind what stands there.
    fn append(&self, part: &str) -> Result<(), Trouble> {
        let text = self.main_text()?;
        self.write(MAIN_FILE, &format!("{}\n\n{}\n", text.trim_end(), part.trim_end()))
    }

    /// Shows what the first records of the flows would do; nothing is written.
    async fn first_records(&self, chosen: &[FlowEntry]) -> Result<(), Trouble> {
        let question = format!("See what the first {FIRST} records of each would do? Nothing is written");
        if !(self.look || self.asker.is_there() && self.asker.yes(&question, true)?) {
            return Ok(());
        }
        let project = self.project().await?;
        let names = chosen.iter().map(|flow| flow.name.clone()).collect();
        if let Err(trouble) = crate::cli::look(&project, names, FIRST, self.show).await {
            // The project is whole all the same, and a run would say it again.
            self.show.trouble(&trouble);
        }
        Ok(())
    }

    /// Switches flows on that are right; one that is wrong is told.
    async fn switch_on(&self, chosen: &[FlowEntry], to_sign_in: &[String]) -> Result<Vec<String>, Trouble> {
        let project = Project::open(&self.folder)?;
        let already: Vec<String> =
            project.flows.iter().filter(|flow| flow.on).map(|flow| flow.name.clone()).collect();
        if chosen.iter().all(|flow| already.contains(&flow.name)) || !to_sign_in.is_empty() {
            return Ok(already);
        }
        let loader = Loader::new(&project)?;
        let mut problems = Problems::new();
        for entry in chosen {
            if let Err(mut found) = loader.flow(entry) {
                problems.append(&mut found);
            }
        }
        if !problems.is_empty() {
            return Err(Trouble::several("the flows cannot be switched on", problems));
        }
        self.first_records(chosen).await?;
        let names: Vec<&str> = chosen.iter().map(|flow| flow.name.as_str()).collect();
        let question = format!("Switch on {}?", names.join(", "));
        let wanted = match self.given.on {
            Some(on) => on,
            None if self.asker.is_there() => self.asker.yes(&question, true)?,
            None => false,
        };
        if !wanted {
            return Ok(already);
        }
        let mut text = self.main_text()?;
        for name in &names {
            text = switched_on(&text, name);
        }
        self.write(MAIN_FILE, &text)?;
        Ok(Project::open(&self.folder)?
            .flows
            .into_iter()
            .filter(|flow| flow.on)
            .map(|flow| flow.name)
            .collect())
    }
}

/// Both sides of a flow, to ask what their accounts list.
fn accounts(
    project: &Project,
    loader: &Loader<'_>,
    entry: &FlowEntry,
    plan: &dsl::plan::Plan,
) -> [Option<Account>; 2] {
    [&plan.source, &plan.target].map(|role| {
        let connection = project.connection(entry, &role.name, &role.system).ok()?;
        // Where nobody answers, there is nothing to choose from.
        let session = loader.connect(connection).ok();
        Some(Account { manifest: connection.connector.manifest().clone(), session })
    })
}

/// The text of `weft.toml` without the line that keeps a flow off.
fn switched_on(text: &str, flow: &str) -> String {
    let head = format!("[flows.{flow}]");
    let mut within = false;
    let kept = text.split_inclusive('\n').filter(|line| {
        let line = line.trim();
        if line.starts_with('[') {
            within = line == head;
        }
        let said = line.split('#').next().unwrap_or_default();
        !(within && said.split_whitespace().collect::<String>() == "on=false")
    });
    kept.collect()
}

/// The same path, shown from here when it lies below.
pub(crate) fn near(path: &Path) -> String {
    let here = std::path::absolute(".").unwrap_or_default();
    match path.strip_prefix(&here) {
        Ok(below) if below.as_os_str().is_empty() => ".".to_owned(),
        Ok(below) => below.display().to_string(),
        Err(_) => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_flow_that_is_meant_is_switched_on() {
        let text = "name = \"x\"\n\n[flows.a]\nfile = \"a.flow\"\non = false\n\n[flows.b]\nfile = \"b.flow\"\non  =  false\n";
        let on = switched_on(text, "b");
        assert_eq!(
            on,
            "name = \"x\"\n\n[flows.a]\nfile = \"a.flow\"\non = false\n\n[flows.b]\nfile = \"b.flow\"\n"
        );
        assert_eq!(switched_on(&on, "b"), on);
        assert_eq!(switched_on("[flows.a]\non = false  # not yet\n", "a"), "[flows.a]\n");
    }
}

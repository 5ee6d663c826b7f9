//! `weft connect NAME` where `weft.toml` has no such connection yet: asked for, tried and written
//! down as `weft init` does it.

use std::path::PathBuf;

use super::Work;
use super::ask::Asker;
use super::given::Given;
use super::pair::Role;
use crate::cli::Show;
use crate::project::Project;
use crate::trouble::{Trouble, did_you_mean};

/// The connection that is wanted.
pub(crate) struct Wanted {
    /// What the project will call it.
    pub(crate) name: String,
    /// Which system it is.
    pub(crate) system: Option<String>,
    /// A file of answers, as `weft init` takes it.
    pub(crate) file: Option<PathBuf>,
    /// `address=…`
    pub(crate) settings: Vec<String>,
}

/// Adds a connection to a project. False: somebody has to let Weft in with a browser yet.
pub(crate) async fn add(project: &Project, wanted: Wanted, show: &Show) -> Result<bool, Trouble> {
    let Wanted { name, system, file, settings } = wanted;
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
    if name.is_empty() || !name.chars().all(is_plain) {
        return Err(Trouble::new("R132", format!("`{name}` is no name for a connection"))
            .help("take letters, digits, `_` and `-`: `shop`, `till_utrecht`"));
    }
    let mut given = match &file {
        Some(file) => Given::read(file)?,
        None => Given::default(),
    };
    for text in &settings {
        Given::add_to(&mut given.connections, &name, text)?;
    }
    let asker = Asker::new(!show.is_json());
    let system = match system {
        Some(system) if project.systems.contains_key(&system) => system,
        Some(system) => {
            let known = project.systems.keys().map(String::as_str);
            let help = did_you_mean(&system, known.clone())
                .unwrap_or_else(|| format!("there are {}", known.collect::<Vec<_>>().join(", ")));
            return Err(Trouble::new("R009", format!("no system is called `{system}`")).help(help));
        }
        None => {
            let known: Vec<&String> = project.systems.keys().collect();
            let titles: Vec<String> =
                project.systems.values().map(|system| system.manifest().full_title()).collect();
            let names = known.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
            let how = format!("--system SYSTEM: {names}");
            let at = asker.choose(&format!("Which system is `{name}`?"), &titles, &how)?;
            known.get(at).map(|name| (*name).clone()).unwrap_or_default()
        }
    };
    let folder = project.root.clone();
    let work = Work { folder, given, asker, every_question: false, look: false, show };
    work.connection(&Role { name, system }).await
}

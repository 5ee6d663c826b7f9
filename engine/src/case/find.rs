//! Finds case files, and what each of them is about.

use std::path::{Path, PathBuf};

use crate::load::NOT_SEARCHED;
use crate::project::Project;
use crate::trouble::Trouble;

/// How case files end.
const END: &str = ".case.json";

/// How deep folders are searched.
const DEEPEST: usize = 8;

/// A file of cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFile {
    /// The file.
    pub path: PathBuf,
    /// The same from the project's folder, for messages.
    pub name: String,
    /// What it is about.
    pub subject: Subject,
}

/// What cases are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A flow, by its file from the project's folder.
    Flow(String),
    /// A script, by its file from the project's folder.
    Script(String),
}

impl Subject {
    /// Its file.
    #[must_use]
    pub fn file(&self) -> &str {
        match self {
            Self::Flow(file) | Self::Script(file) => file,
        }
    }
}

/// The case files in these places: folders, case files, flows and scripts by their files, flows
/// by their names; without any, all of the project.
pub fn find(project: &Project, places: &[String]) -> Result<Vec<CaseFile>, Trouble> {
    let mut paths = Vec::new();
    if places.is_empty() {
        search(&project.root, DEEPEST, &mut paths);
    }
    for place in places {
        let path = Path::new(place);
        let beside = |path: &Path| path.with_extension("case.json");
        if path.is_dir() {
            search(&absolute(path), DEEPEST, &mut paths);
        } else if place.ends_with(END) {
            paths.push(absolute(path));
        } else if path.is_file() {
            paths.push(beside(&absolute(path)));
        } else {
            let entry = project.flow(place)?;
            paths.push(beside(&project.root.join(&entry.file)));
        }
    }
    paths.sort();
    paths.dedup();
    let files: Vec<CaseFile> =
        paths.into_iter().map(|path| about(project, path)).collect::<Result<_, _>>()?;
    if files.is_empty() {
        let message = "there are no cases here";
        return Err(Trouble::new("R124", message)
            .help("put NAME.case.json beside NAME.flow or NAME.rhai; docs/testing.md shows how"));
    }
    Ok(files)
}

fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.canonicalize().unwrap_or(path)
}

fn about(project: &Project, path: PathBuf) -> Result<CaseFile, Trouble> {
    let root = absolute(&project.root);
    let shown = |path: &Path| path.strip_prefix(&root).unwrap_or(path).to_string_lossy().replace('\\', "/");
    let name = shown(&path);
    if !path.is_file() {
        let message = format!("`{name}` is not there");
        return Err(Trouble::new("R124", message)
            .help("a case file lies beside its flow or script; docs/testing.md shows how to begin one"));
    }
    let stem = path.to_string_lossy();
    let stem = stem.strip_suffix(END).unwrap_or(&stem);
    let beside = |end: &str| PathBuf::from(format!("{stem}{end}"));
    let (flow, script) = (beside(".flow"), beside(".rhai"));
    let subject = if flow.is_file() {
        Subject::Flow(shown(&flow))
    } else if script.is_file() {
        Subject::Script(shown(&script))
    } else {
        let message = format!("beside `{name}` is neither a flow nor a script of its name");
        let help = format!("name it after what it is about, as in {} or {}", shown(&flow), shown(&script));
        return Err(Trouble::new("R124", message).help(help));
    };
    Ok(CaseFile { path, name, subject })
}

fn search(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if path.is_dir() {
            if depth > 0 && !NOT_SEARCHED.contains(&&*name) {
                search(&path, depth - 1, found);
            }
        } else if name.ends_with(END) {
            found.push(absolute(&path));
        }
    }
}

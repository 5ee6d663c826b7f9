//! What the server knows: open documents over the files on disk, and the projects around them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;
use url::Url;

use super::place;
use crate::load::{Loader, Parts};
use crate::project::{FlowEntry, MAIN_FILE, Project};

/// Longest document that is kept.
const LONGEST: usize = 8 << 20;

/// An open document.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) uri: String,
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl Document {
    fn has(&self, extension: &str) -> bool {
        self.path.extension().is_some_and(|own| own == extension)
    }

    pub(super) fn is_flow(&self) -> bool {
        self.has("flow")
    }

    pub(super) fn is_script(&self) -> bool {
        self.has("rhai")
    }
}

/// A project as it was read from disk.
struct Known {
    project: Project,
    parts: Option<Parts>,
}

/// Everything that is known.
pub(super) struct World {
    root: PathBuf,
    documents: BTreeMap<String, Document>,
    projects: BTreeMap<PathBuf, Known>,
}

impl World {
    /// The folder that the editor has open.
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, documents: BTreeMap::new(), projects: BTreeMap::new() }
    }

    pub(super) fn document(&self, uri: &str) -> Option<&Document> {
        self.documents.get(uri)
    }

    pub(super) fn documents(&self) -> impl Iterator<Item = &Document> {
        self.documents.values()
    }

    pub(super) fn open(&mut self, uri: &str, text: &str) {
        let path = path_of(uri).unwrap_or_else(|| PathBuf::from(uri));
        let text = text.get(..text.len().min(LONGEST)).unwrap_or_default().to_owned();
        self.documents.insert(uri.to_owned(), Document { uri: uri.to_owned(), path, text });
        self.scripts_changed(uri);
    }

    pub(super) fn close(&mut self, uri: &str) {
        if self.documents.remove(uri).is_some_and(|document| document.is_script()) {
            // What is on disk counts again.
            self.forget();
        }
    }

    /// Takes changes over; those that make no sense are passed over.
    pub(super) fn change(&mut self, uri: &str, changes: &[Value]) {
        let Some(document) = self.documents.get_mut(uri) else { return };
        for change in changes {
            let Some(new) = change.get("text").and_then(Value::as_str) else { continue };
            let place = change.get("range").and_then(|range| {
                let at = |name: &str| place::offset(&document.text, range.get(name)?);
                Some((at("start")?, at("end")?))
            });
            match (change.get("range"), place) {
                (None, _) => new.clone_into(&mut document.text),
                (Some(_), Some((start, end))) if start <= end => document.text.replace_range(start..end, new),
                _ => {}
            }
            if document.text.len() > LONGEST {
                document.text.clear();
            }
        }
        self.scripts_changed(uri);
    }

    /// Files on disk may have changed.
    pub(super) fn forget(&mut self) {
        self.projects.clear();
    }

    fn scripts_changed(&mut self, uri: &str) {
        let Some(document) = self.documents.get(uri).filter(|document| document.is_script()) else { return };
        for (root, known) in &mut self.projects {
            let Ok(path) = document.path.strip_prefix(root) else { continue };
            if let Some(parts) = known.parts.take() {
                let mut loader = Loader::again(&known.project, parts);
                loader.put_script(&path.to_string_lossy().replace('\\', "/"), &document.text);
                known.parts = Some(loader.take_apart());
            }
        }
    }

    /// The folder of the project that a file belongs to.
    pub(super) fn root_of(&self, path: &Path) -> PathBuf {
        let found = path.ancestors().skip(1).find(|folder| folder.join(MAIN_FILE).is_file());
        found.map_or_else(|| self.root.clone(), Path::to_owned)
    }

    /// Does something with the loader of the project around a document.
    pub(super) fn with<T>(&mut self, uri: &str, work: impl FnOnce(&Loader<'_>, &Document) -> T) -> Option<T> {
        let root = self.root_of(&self.documents.get(uri)?.path);
        if !self.projects.contains_key(&root) {
            let known = self.read(&root);
            self.projects.insert(root.clone(), known);
        }
        let document = self.documents.get(uri)?;
        let known = self.projects.get_mut(&root)?;
        let loader = match known.parts.take() {
            Some(parts) => Loader::again(&known.project, parts),
            None => Loader::new(&known.project).ok()?,
        };
        let done = work(&loader, document);
        known.parts = Some(loader.take_apart());
        Some(done)
    }

    fn read(&self, root: &Path) -> Known {
        // A project that cannot be read is told by `weft check`; flows are checked all the same.
        let project = Project::open(root).unwrap_or_else(|_| Project::bare(root));
        let parts = Loader::new(&project).ok().map(|mut loader| {
            for document in self.documents.values().filter(|document| document.is_script()) {
                if let Ok(path) = document.path.strip_prefix(root) {
                    loader.put_script(&path.to_string_lossy().replace('\\', "/"), &document.text);
                }
            }
            loader.take_apart()
        });
        Known { project, parts }
    }
}

/// The flow of the project that a file is, or a flow of its own.
pub(super) fn entry(project: &Project, path: &Path) -> FlowEntry {
    let known = project.flows.iter().find(|flow| project.root.join(&flow.file) == path);
    known.cloned().unwrap_or_else(|| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let file = path.to_string_lossy().into_owned();
        FlowEntry { name, file, on: false, roles: BTreeMap::new() }
    })
}

pub(super) fn path_of(uri: &str) -> Option<PathBuf> {
    Url::parse(uri).ok()?.to_file_path().ok()
}

pub(super) fn uri_of(path: &Path) -> Option<String> {
    Url::from_file_path(path).ok().map(String::from)
}

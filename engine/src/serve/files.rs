//! Whether the project's files have changed: looked at every few seconds, which works on every
//! disk and asks for no rights.
//!
//! A change is taken up once two looks have seen the same, so that a file which is being written
//! is not read half.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::project::MAIN_FILE;

/// How deep folders of scripts are.
const DEEPEST: usize = 4;

/// Files that a project is made of.
#[derive(Debug)]
pub(crate) struct Files {
    root: PathBuf,
    /// Folders that count with all flows, scripts, cases and answers in them.
    folders: Vec<PathBuf>,
    /// Files that are looked at beside those of the project.
    more: Vec<PathBuf>,
    /// Fingerprints of contents, with what tells that they still hold.
    known: BTreeMap<PathBuf, (SystemTime, u64, u128)>,
    /// What was taken up last.
    taken: u128,
    /// What the last look saw, when it was something else.
    seen: Option<u128>,
}

impl Files {
    /// The files as they are now are those that are in use.
    pub(crate) fn new(root: &Path) -> Self {
        Self::of(root.to_owned(), Vec::new(), Vec::new())
    }

    /// The same with some that are not of the project.
    pub(crate) fn with(root: &Path, more: Vec<PathBuf>) -> Self {
        Self::of(root.to_owned(), Vec::new(), more)
    }

    /// Every flow, script, case and file of answers in these folders, whoever names it.
    pub(crate) fn below(folders: &[PathBuf]) -> Self {
        Self::of(folders.first().cloned().unwrap_or_default(), folders.to_vec(), Vec::new())
    }

    fn of(root: PathBuf, folders: Vec<PathBuf>, more: Vec<PathBuf>) -> Self {
        let mut files = Self { root, folders, more, known: BTreeMap::new(), taken: 0, seen: None };
        files.taken = files.print();
        files
    }

    /// True once after each change.
    pub(crate) fn changed(&mut self) -> bool {
        let print = self.print();
        if print == self.taken {
            self.seen = None;
            return false;
        }
        if self.seen.replace(print) != Some(print) {
            return false;
        }
        self.taken = print;
        self.seen = None;
        true
    }

    /// The files as they are now are taken up, whether they changed or not.
    pub(crate) fn take(&mut self) {
        self.taken = self.print();
        self.seen = None;
    }

    /// The files as they are now were not taken up after all.
    pub(crate) fn forget(&mut self) {
        self.taken = 0;
    }

    fn print(&mut self) -> u128 {
        let mut all = Vec::new();
        let mut known = BTreeMap::new();
        for path in self.paths() {
            all.extend_from_slice(path.to_string_lossy().as_bytes());
            if let Some(entry) = self.content(&path) {
                all.extend_from_slice(&entry.2.to_be_bytes());
                known.insert(path, entry);
            }
        }
        self.known = known;
        xxhash_rust::xxh3::xxh3_128(&all)
    }

    /// The fingerprint of a file, read only when something about it has changed.
    fn content(&self, path: &Path) -> Option<(SystemTime, u64, u128)> {
        let about = std::fs::metadata(path).ok()?;
        let (modified, length) = (about.modified().ok()?, about.len());
        if let Some(known) = self.known.get(path).filter(|known| (known.0, known.1) == (modified, length)) {
            return Some(*known);
        }
        let bytes = std::fs::read(path).ok()?;
        Some((modified, length, xxhash_rust::xxh3::xxh3_128(&bytes)))
    }

    /// Every file that decides what runs. Read from `weft.toml` as it is, however wrong it is.
    fn paths(&self) -> Vec<PathBuf> {
        let main = self.root.join(MAIN_FILE);
        let text = std::fs::read_to_string(&main).unwrap_or_default();
        let table: toml::Table = text.parse().unwrap_or_default();
        let mut paths = vec![main];
        paths.extend(self.more.iter().cloned());
        let mut named = Vec::new();
        for section in ["connections", "flows"] {
            if let Some(section) = table.get(section) {
                named_files(section, &mut named);
            }
        }
        let mut folders = vec![self.root.join("scripts")];
        for name in named {
            let path = self.root.join(name);
            if path.extension().is_some_and(|extension| extension == "flow") {
                folders.extend(path.parent().map(Path::to_owned));
                paths.extend(used_scripts(&path).into_iter().map(|script| self.root.join(script)));
            }
            paths.push(path);
        }
        folders.sort();
        folders.dedup();
        for folder in folders {
            paths.extend(below(&folder, "rhai", DEEPEST));
        }
        for folder in &self.folders {
            for extension in ["flow", "rhai", "json"] {
                paths.extend(below(folder, extension, DEEPEST));
            }
        }
        for folder in ["settings", "systems"] {
            paths.extend(below(&self.root.join(folder), "toml", 0));
        }
        paths.sort();
        paths.dedup();
        paths
    }
}

/// Scripts that a flow file names: `use "scripts/address.rhai" as address`.
fn used_scripts(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("use"));
    lines.filter_map(|line| line.split('"').nth(1)).map(str::to_owned).collect()
}

/// Texts that stand behind `file =`, however deep.
fn named_files(value: &toml::Value, all: &mut Vec<String>) {
    let Some(table) = value.as_table() else { return };
    for (key, value) in table {
        match value {
            toml::Value::String(path) if key == "file" => all.push(path.clone()),
            other => named_files(other, all),
        }
    }
}

/// Files of a folder with that extension, and of its folders so many levels down, in order.
pub(crate) fn below(folder: &Path, extension: &str, depth: usize) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        if path.extension().is_some_and(|found| found == extension) {
            all.push(path);
        } else if depth > 0 && path.is_dir() {
            all.extend(below(&path, extension, depth - 1));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "[connections.shop]\nsystem = \"x\"\nkey = { file = \"key.secret\" }\n\
                        [flows.orders]\nfile = \"flows/orders.flow\"\n";

    #[test]
    fn each_file_that_decides_counts_once_it_rests() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("weft.toml", MAIN);
        put("flows/orders.flow", "flow");
        let mut files = Files::new(folder.path());
        assert!(!files.changed());
        for (name, text) in [
            ("flows/orders.flow", "flow!"),
            ("key.secret", "one"),
            ("key.secret", "four"),
            ("settings/orders.toml", ""),
            ("systems/own.toml", ""),
            ("scripts/deep/er/a.rhai", ""),
            ("flows/b.rhai", ""),
            ("weft.toml", "name = "),
            ("weft.toml", MAIN),
        ] {
            put(name, text);
            assert!(!files.changed(), "{name} may be half written");
            assert!(files.changed(), "{name}");
            assert!(!files.changed(), "{name} was taken up");
        }
        std::fs::remove_file(folder.path().join("key.secret")).unwrap();
        files.changed();
        assert!(files.changed());
        for other in [".weft/store.db", "README.md", "flows/notes.txt"] {
            put(other, "x");
            assert!(!files.changed() && !files.changed(), "{other} decides nothing");
        }
    }
}

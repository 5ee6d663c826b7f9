//! The folder of a connection, and nothing outside it.

use std::io;
use std::path::{Component, Path, PathBuf};

use super::json::Fault;
use super::text::TextFault;
use crate::contract::{Advice, RemoteError};

/// How errors call this system.
const TITLE: &str = "Files";

/// A folder.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    root: PathBuf,
}

impl Folder {
    pub(super) fn open(folder: &str) -> Result<Self, RemoteError> {
        let root = Path::new(folder).canonicalize().map_err(|error| io_error(Path::new(folder), &error))?;
        if root.is_dir() {
            return Ok(Self { root });
        }
        Err(RemoteError::new(Advice::StopFlow, TITLE, format!("`{folder}` is a file, not a folder"))
            .with_help("name the folder that the file is in"))
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Names of the files in the folder, in order; hidden ones and links that lead out of it
    /// are left alone.
    pub(super) fn list(&self) -> Result<Vec<String>, RemoteError> {
        let entries = self.root.read_dir().map_err(|error| io_error(&self.root, &error))?;
        let mut names: Vec<String> = entries
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| !name.starts_with('.'))
            .filter(|name| self.path(name).is_ok_and(|path| path.is_file()))
            .collect();
        names.sort();
        Ok(names)
    }

    /// The path of a file in the folder, which need not exist.
    pub(super) fn path(&self, name: &str) -> Result<PathBuf, RemoteError> {
        let relative = Path::new(name);
        let plain =
            !name.is_empty() && relative.components().all(|part| matches!(part, Component::Normal(_)));
        let outside = || {
            RemoteError::new(
                Advice::StopFlow,
                TITLE,
                format!("`{name}` lies outside the folder of this connection"),
            )
            .with_help("put the file into the folder, or connect the folder that it is in")
        };
        if !plain {
            return Err(outside());
        }
        let path = self.root.join(relative);
        // What a link leads to counts, not where it stands.
        let real = match path.canonicalize() {
            Ok(real) => real,
            Err(_) if path.is_symlink() => return Err(outside()),
            Err(_) => path
                .parent()
                .and_then(|parent| parent.canonicalize().ok())
                .unwrap_or_else(|| self.root.clone()),
        };
        if real.starts_with(&self.root) { Ok(path) } else { Err(outside()) }
    }

    pub(super) fn read(&self, name: &str) -> Result<String, RemoteError> {
        let path = self.path(name)?;
        std::fs::read_to_string(&path).map_err(|error| io_error(&path, &error))
    }

    #[expect(clippy::unused_self, reason = "reads as what it is: an error of this folder")]
    pub(super) fn error(&self, reason: String) -> RemoteError {
        RemoteError::new(Advice::StopFlow, TITLE, reason)
    }

    /// What is wrong with a file, for people.
    pub(super) fn fault(&self, path: &Path, fault: &Fault) -> RemoteError {
        let name = path.strip_prefix(&self.root).unwrap_or(path).display();
        match fault {
            Fault::Text(TextFault::Io(error)) => io_error(path, error),
            Fault::Text(fault @ TextFault::NotUtf8 { .. }) => RemoteError::new(
                Advice::StopFlow,
                TITLE,
                format!("{name}: {fault}"),
            )
            .with_help(
                "set `encoding` to what the file is written in, often `windows-1252`, or save it as UTF-8",
            ),
            Fault::CutOff(line) => RemoteError::new(
                Advice::Retry(None),
                TITLE,
                format!("{name}: stops in the middle of a record, at line {line}"),
            )
            .with_help("it is still being written, or whoever wrote it was stopped: write it again"),
            Fault::NoList(line) => RemoteError::new(
                Advice::StopFlow,
                TITLE,
                format!("{name}: no list of records at line {line}"),
            )
            .with_help("name the members that lead to the list in the schema: `list = \"data.orders\"`"),
            Fault::TooLarge(line) => RemoteError::new(
                Advice::StopFlow,
                TITLE,
                format!("{name}: the record at line {line} is larger than 64 MiB"),
            ),
        }
    }
}

/// What a failure of the disk means.
pub(super) fn io_error(path: &Path, error: &io::Error) -> RemoteError {
    let path = path.display();
    let stop = |reason: String| RemoteError::new(Advice::StopFlow, TITLE, reason);
    match error.kind() {
        io::ErrorKind::NotFound => {
            stop(format!("`{path}` does not exist")).with_help("correct the name, or create it")
        }
        io::ErrorKind::PermissionDenied => stop(format!("no permission for `{path}`"))
            .with_help("give the user that runs Weft the right to read and write it"),
        io::ErrorKind::StorageFull => {
            RemoteError::new(Advice::Retry(None), TITLE, format!("no room left on the disk for `{path}`"))
                .with_help("make room; nothing was written")
        }
        _ => RemoteError::new(Advice::Retry(None), TITLE, format!("`{path}`: {error}")),
    }
}

/// True when a name fits a pattern in which `*` stands for any letters and `?` for one.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let mut letters = pattern.chars();
    match letters.next() {
        None => name.is_empty(),
        Some('*') => {
            let rest = letters.as_str();
            matches(rest, name)
                || name
                    .char_indices()
                    .any(|(at, letter)| matches(rest, name.get(at + letter.len_utf8()..).unwrap_or_default()))
        }
        Some(letter) => {
            let mut name = name.chars();
            name.next().is_some_and(|found| letter == '?' || letter == found)
                && matches(letters.as_str(), name.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names() {
        assert!(
            matches("orders-*.csv", "orders-2026-11-21.csv") && matches("*", "") && matches("a?c", "abc")
        );
        assert!(!matches("orders-*.csv", "orders.csv") && !matches("a?c", "ac"));
    }
}

//! Files in a folder as a system: CSV, JSON and NDJSON, to read from and to write to.
//!
//! Files are read piece by piece, never whole, and what is wrong with one record costs that
//! record. What the folder offers depends on what is in it: [`Files::open`] looks.

mod csv;
mod folder;
mod index;
mod journal;
mod json;
mod lines;
mod mark;
mod names;
mod note;
mod scan;
mod schema;
mod session;
mod text;
mod write;

use std::sync::Arc;

use crate::contract::{Advice, Connector, Host, RemoteError, Session};
use crate::manifest::{Answers, Manifest};

use folder::Folder;
use scan::{Format, Setup};
use schema::Table;
use text::Coding;

/// Files in a folder.
#[derive(Clone, Debug)]
pub struct Files {
    manifest: Manifest,
    tables: Arc<Vec<Table>>,
    left_out: Vec<RemoteError>,
}

impl Files {
    /// The system before a folder is chosen: it has settings and no resources yet.
    pub fn system() -> Result<Self, RemoteError> {
        let manifest = Manifest::from_toml(include_str!("files/system.toml"))
            .map_err(|error| RemoteError::new(Advice::StopFlow, "Files", error.to_string()))?;
        Ok(Self { manifest, tables: Arc::default(), left_out: Vec::new() })
    }

    /// The system with one resource for each file of the folder that the answers name.
    pub fn open(answers: &Answers) -> Result<Self, RemoteError> {
        let mut files = Self::system()?;
        let (_, tables, left_out) = files.look(answers)?;
        files.left_out = left_out;
        files.manifest.resources =
            tables.iter().map(|table| (table.name.clone(), table.resource.clone())).collect();
        files.tables = Arc::new(tables);
        Ok(files)
    }

    /// Files of the folder that are no resource because they cannot be read, and why.
    #[must_use]
    pub fn left_out(&self) -> &[RemoteError] {
        &self.left_out
    }

    fn look(&self, answers: &Answers) -> Result<(Folder, Vec<Table>, Vec<RemoteError>), RemoteError> {
        let answer = |name: &str| answers.get(&self.manifest, name).unwrap_or_default().trim();
        let refuse = |reason: String| RemoteError::new(Advice::StopFlow, "Files", reason);
        if answer("folder").is_empty() {
            return Err(RemoteError::new(
                Advice::Reconnect,
                "Files",
                "the setting `folder` is not filled in",
            )
            .with_help("name the folder that the files are in"));
        }
        let coding = Coding::named(answer("encoding")).ok_or_else(|| {
            refuse(format!("no encoding `{}` is known", answer("encoding")))
                .with_help("usual ones are `utf-8` and `windows-1252`")
        })?;
        let header = match answer("header") {
            "yes" | "true" => true,
            "no" | "false" => false,
            other => return Err(refuse(format!("`header` cannot be `{other}`")).with_help("say yes or no")),
        };
        let setup = Setup {
            format: Format::Csv,
            coding,
            separator: separator(answer("separator")).map_err(refuse)?,
            header,
            comma: decimal_comma(answer("decimal")).map_err(refuse)?,
            list: None,
        };
        let folder = Folder::open(answer("folder"))?;
        let (tables, left_out) = schema::tables(&folder, &setup)?;
        Ok((folder, tables, left_out))
    }
}

impl Connector for Files {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn of_account(&self, answers: &Answers) -> Option<Result<Arc<dyn Connector>, RemoteError>> {
        Some(Self::open(answers).map(|files| Arc::new(files) as Arc<dyn Connector>))
    }

    fn connect(&self, answers: &Answers, _: &Host) -> Result<Arc<dyn Session>, RemoteError> {
        let (folder, tables, left_out) = self.look(answers)?;
        // A manifest that was given out is kept, whatever came into the folder since.
        let known = |table: &Table| self.tables.iter().any(|old| old.name == table.name);
        let mut all: Vec<Table> = self.tables.as_ref().clone();
        all.extend(tables.into_iter().filter(|table| !known(table)));
        Ok(Arc::new(session::Desk::new(folder, all, &left_out)))
    }
}

/// A separator by name or by letter; `None` for `auto`.
fn separator(word: &str) -> Result<Option<u8>, String> {
    match word {
        "auto" => Ok(None),
        "comma" | "," => Ok(Some(b',')),
        "semicolon" | ";" => Ok(Some(b';')),
        "tab" | "\t" => Ok(Some(b'\t')),
        "pipe" | "|" => Ok(Some(b'|')),
        other => Err(format!("`separator` cannot be `{other}`, but auto, comma, semicolon, tab or pipe")),
    }
}

fn decimal_comma(word: &str) -> Result<bool, String> {
    match word {
        "point" | "." => Ok(false),
        "comma" | "," => Ok(true),
        other => Err(format!("`decimal` cannot be `{other}`, but point or comma")),
    }
}

//! `weft fmt`: flows in their one layout.
//!
//! A file that cannot be read as a flow is left as it is, and its problems are told. A file is
//! replaced as a whole or not at all.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use similar::{ChangeTag, TextDiff};

use super::Ended;
use super::show::{Show, count};
use crate::project::Project;
use crate::serve::files::below;
use crate::trouble::{Trouble, why};

/// How deep folders of flows are.
const DEEPEST: usize = 8;

/// Lay out flow files.
#[derive(Debug, Args)]
pub(crate) struct Fmt {
    /// Flow files, folders of them, or flows of the project by name; else all flows of the project
    paths: Vec<String>,
    /// Change nothing, show what would change, and end with 1 if something would
    #[arg(long)]
    check: bool,
    /// Read a flow from the standard input and write it to the standard output
    #[arg(long, conflicts_with = "paths")]
    stdin: bool,
}

/// What is done with one file.
struct Laid {
    name: String,
    before: String,
    after: String,
}

impl Fmt {
    pub(crate) fn run(&self, folder: Option<&Path>, show: &Show) -> Result<Ended, Trouble> {
        if self.stdin {
            return self.stdin(show);
        }
        let files = self.files(folder)?;
        let (mut changed, mut wrong) = (0, 0);
        for (name, path) in &files {
            let bytes = std::fs::read(path).map_err(|error| cannot_read(name, &error))?;
            let Some(laid) = lay(name, &bytes, show) else {
                wrong += 1;
                continue;
            };
            if laid.before == laid.after {
                show.json(&json!({ "file": name, "changed": false }));
                continue;
            }
            changed += 1;
            if self.check {
                tell(show, &laid);
            } else {
                write(path, &laid.after).map_err(|error| cannot_write(name, &error))?;
                show.json(&json!({ "file": name, "changed": true }));
                show.line(name);
            }
        }
        Ok(self.end(show, files.len(), changed, wrong))
    }

    fn end(&self, show: &Show, files: usize, changed: usize, wrong: usize) -> Ended {
        let number = |files: usize| i64::try_from(files).unwrap_or(i64::MAX);
        show.json(&json!({ "files": files, "changed": changed, "wrong": wrong, "written": !self.check }));
        let all = count(number(files), "flow", "flows");
        if wrong > 0 {
            let them =
                count(number(wrong), "of them cannot be read and is", "of them cannot be read and are");
            show.line(format!("{} {all}: {them} left as before; mend the above", show.bad("✗")));
            Ended::Wrong
        } else if changed > 0 && self.check {
            let them = count(number(changed), "is laid out otherwise", "are laid out otherwise");
            show.line(format!("{} {all}: {them}; `weft fmt` changes that", show.bad("✗")));
            Ended::Partly
        } else if changed > 0 {
            let them = count(number(changed), "has a new layout", "have a new layout");
            show.line(format!("{} {all}: {them}", show.good("✓")));
            Ended::Well
        } else {
            show.line(format!("{} {all}: nothing to change", show.good("✓")));
            Ended::Well
        }
    }

    fn stdin(&self, show: &Show) -> Result<Ended, Trouble> {
        let mut bytes = Vec::new();
        let read = std::io::stdin().read_to_end(&mut bytes);
        read.map_err(|error| cannot_read("standard input", &error))?;
        let Some(laid) = lay("standard input", &bytes, show) else { return Ok(Ended::Wrong) };
        if self.check {
            let differs = laid.before != laid.after;
            if differs {
                tell(show, &laid);
            }
            return Ok(if differs { Ended::Partly } else { Ended::Well });
        }
        if show.is_json() {
            show.json(&json!({ "changed": laid.before != laid.after, "text": laid.after }));
        } else {
            // A closed pipe is no fault of ours.
            let _ = std::io::stdout().write_all(laid.after.as_bytes());
        }
        Ok(Ended::Well)
    }

    /// The files that are meant, by the names that are shown.
    fn files(&self, folder: Option<&Path>) -> Result<Vec<(String, PathBuf)>, Trouble> {
        let mut files = Vec::new();
        if self.paths.is_empty() {
            let project = super::open(folder)?;
            for flow in &project.flows {
                files.push((flow.file.clone(), project.root.join(&flow.file)));
            }
        }
        let mut project: Option<Project> = None;
        for name in &self.paths {
            let path = Path::new(name);
            if path.is_dir() {
                let all = below(path, "flow", DEEPEST);
                files.extend(all.into_iter().map(|path| (path.to_string_lossy().into_owned(), path)));
            } else if path.is_file() {
                files.push((name.clone(), path.to_owned()));
            } else {
                let project = match &mut project {
                    Some(project) => project,
                    none => none.insert(super::open(folder)?),
                };
                let flow = project.flow(name)?;
                files.push((flow.file.clone(), project.root.join(&flow.file)));
            }
        }
        files.sort();
        files.dedup();
        Ok(files)
    }
}

/// The layout of one file; its problems are told.
fn lay(name: &str, bytes: &[u8], show: &Show) -> Option<Laid> {
    let laid = dsl::Source::from_bytes(name, bytes).and_then(|source| {
        let after = dsl::format(&source)?;
        Ok(Laid { name: name.to_owned(), before: source.text().to_owned(), after })
    });
    match laid {
        Ok(laid) => Some(laid),
        Err(report) => {
            show.report(&report.into());
            None
        }
    }
}

/// What would change, line by line.
fn tell(show: &Show, laid: &Laid) {
    let difference = TextDiff::from_lines(&laid.before, &laid.after);
    let unified = difference.unified_diff().header(&laid.name, &laid.name).to_string();
    show.json(&json!({ "file": laid.name, "changed": true, "difference": unified }));
    show.line(show.strong(&laid.name));
    for hunk in difference.unified_diff().context_radius(2).iter_hunks() {
        show.line(show.faint(&hunk.header().to_string()));
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches(['\r', '\n']);
            show.line(match change.tag() {
                ChangeTag::Delete => show.bad(&format!("-{line}")),
                ChangeTag::Insert => show.good(&format!("+{line}")),
                ChangeTag::Equal => format!(" {line}"),
            });
        }
    }
}

/// Puts the text in the place of the file, whole or not at all, with the rights that the file had.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let path = path.canonicalize()?;
    let part = path.with_extension(format!("{}.tmp", uuid::Uuid::new_v4().simple()));
    let done = std::fs::File::create_new(&part).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.set_permissions(std::fs::metadata(&path)?.permissions())?;
        file.sync_all()?;
        std::fs::rename(&part, &path)
    });
    if done.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    done
}

fn cannot_read(name: &str, error: &std::io::Error) -> Trouble {
    Trouble::new("R005", format!("cannot read `{name}`: {}", why(error)))
        .help("check that it is a readable file; files before it have their layout already")
}

fn cannot_write(name: &str, error: &std::io::Error) -> Trouble {
    Trouble::new("F140", format!("cannot write `{name}`: {}", why(error)))
        .help("give the user who runs weft the right to write the file and its folder; the file is as it was")
}

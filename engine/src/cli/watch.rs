//! Doing something again whenever a file of the project changes, until Ctrl-C.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Ended;
use super::show::Show;
use crate::project::MAIN_FILE;
use crate::serve::files::Files;
use crate::trouble::Trouble;

/// How often files are looked at.
const EVERY: Duration = Duration::from_millis(300);

/// Does it now and after each change of the project's files, or of `more`. What goes wrong is told
/// and does not end the watch.
pub(super) async fn watch(
    folder: Option<&Path>,
    more: Vec<PathBuf>,
    show: &Show,
    mut once: impl FnMut() -> Result<(), Trouble>,
) -> Result<Ended, Trouble> {
    let more = more.into_iter().map(|path| std::path::absolute(&path).unwrap_or(path)).collect();
    let mut files = Files::with(&root(folder), more);
    let mut stop = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        show.clear();
        if let Err(trouble) = once() {
            show.trouble(&trouble);
        }
        show.line(show.faint("watching; Ctrl-C ends"));
        loop {
            tokio::select! {
                _ = &mut stop => return Ok(Ended::Well),
                () = tokio::time::sleep(EVERY) => {}
            }
            if files.changed() {
                break;
            }
        }
    }
}

/// The folder of the project, as it is looked for everywhere; without one, where we are.
fn root(folder: Option<&Path>) -> PathBuf {
    let start = folder.unwrap_or(Path::new("."));
    let start = std::path::absolute(start).unwrap_or_else(|_| start.to_owned());
    let found = start.ancestors().find(|folder| folder.join(MAIN_FILE).is_file()).map(Path::to_owned);
    found.unwrap_or(start)
}

//! Changed files: checked first, taken over from the next run on, or reported and left.

use std::sync::Arc;

use super::Supervisor;
use crate::cli::in_lines;
use crate::serve::notify;
use crate::serve::version::{Sessions, Version};

impl Supervisor {
    /// Takes over changed files when there are any; `asked` looks at them in any case.
    pub(super) async fn reload(&mut self, asked: bool) {
        if asked {
            self.files.take();
        } else if !self.files.changed() {
            return;
        }
        notify::reloading();
        let sessions = self.version.sessions.clone();
        self.load(sessions).await;
        // Whoever asks for the status is told at once.
        if let Err(error) = self.greet(self.now()).await {
            self.store_failed(&error, self.now());
        }
        notify::ready(&self.status(self.now()));
    }

    /// A connection has been signed in to again: the next conversation with it is a new one.
    pub(super) fn renew(&mut self, connection: &str) {
        match self.version.renewed(connection) {
            Ok(version) => self.version = Arc::new(version),
            // Its settings have made a conversation before.
            Err(error) => tracing::warn!(connection, %error, "no new conversation"),
        }
    }

    async fn load(&mut self, sessions: Sessions) {
        let (root, number) = (self.version.project.root.clone(), self.version.number + 1);
        let store = Arc::clone(&self.setup.store);
        let loaded = Version::load(root, number, sessions, store).await;
        let now = self.now();
        match loaded {
            Ok(Ok(version)) => {
                let before = std::mem::replace(&mut self.version, Arc::new(version));
                if let Err(error) = self.adopt(now).await {
                    self.version = before;
                    // The files count as changed until they have been taken over.
                    self.files.forget();
                    return self.store_failed(&error, now);
                }
                self.wrong_files = None;
                // Nobody listens to the roster where nothing listens.
                self.roster.send_replace(self.version.roster());
                self.talks.send_replace(self.version.talks());
                self.around.send_replace(self.version.around());
                let on = self.version.flows.len();
                tracing::info!(
                    version = number,
                    flows = self.version.project.flows.len(),
                    on,
                    "changed files are taken over, from the next run of each flow on"
                );
            }
            Ok(Err(problems)) => {
                let lines: Vec<String> = problems.iter().flat_map(in_lines).collect();
                for line in &lines {
                    tracing::error!("{line}");
                }
                tracing::error!(
                    problems = lines.len(),
                    "the changed files are wrong: the version before goes on; `weft check` shows them"
                );
                self.wrong_files = Some(lines.join("; "));
            }
            Err(error) => {
                tracing::error!(%error, "the changed files could not be read: the program itself failed");
            }
        }
    }
}

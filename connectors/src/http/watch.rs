//! Telling whoever watches over the process how requests fare.

use std::sync::OnceLock;
use std::time::Duration;

/// Somebody who wants to know about every request of the process.
pub trait Watch: Send + Sync {
    /// A request was answered with that status, or came to nothing, in that time. `system` is the
    /// title of the system.
    fn answered(&self, system: &str, status: Option<u16>, took: Duration);
}

static WATCH: OnceLock<Box<dyn Watch>> = OnceLock::new();

/// From here on every request is told to `watch`. The first one to ask stays.
pub fn watch(watch: Box<dyn Watch>) {
    // Fails only when somebody watches already.
    let _ = WATCH.set(watch);
}

pub(super) fn tell(system: &str, status: Option<u16>, took: Duration) {
    if let Some(watch) = WATCH.get() {
        watch.answered(system, status, took);
    }
}

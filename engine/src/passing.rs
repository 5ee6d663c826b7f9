//! A folder for stores that nobody needs afterwards.

use std::path::PathBuf;

use crate::trouble::{Trouble, why};

/// A folder for stores, gone when this is dropped.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Result<Self, Trouble> {
        let path = std::env::temp_dir().join(format!("weft-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&path).map_err(|error| {
            Trouble::new("R126", format!("cannot make `{}`: {}", path.display(), why(&error)))
                .help("a store that is needed for a moment only lies in a temporary folder; name another one in TMPDIR")
        })?;
        Ok(Self(path))
    }

    /// A file for a new store.
    pub(crate) fn file(&self) -> PathBuf {
        self.0.join(format!("{}.db", uuid::Uuid::new_v4().simple()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind is in the folder of things that may go.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

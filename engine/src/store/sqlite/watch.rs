//! Whether the file is still the one that was opened, and whether there is room beside it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Room that a few pages of records need, with their log.
const ROOM: usize = 4 << 20;

/// What tells a file from another one of the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Identity(u64, u64);

impl Identity {
    /// That of the file at this path; `None` where the system has no such thing.
    #[cfg(unix)]
    pub(super) fn of(path: &Path) -> io::Result<Option<Self>> {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(path).map(|data| Some(Self(data.dev(), data.ino())))
    }

    /// That of the file at this path; `None` where the system has no such thing.
    #[cfg(not(unix))]
    pub(super) fn of(_: &Path) -> io::Result<Option<Self>> {
        Ok(None)
    }
}

/// Writes a file beside the store and removes it again: only writing tells of quotas, rights and
/// a disk that was mounted anew.
pub(super) fn make_room(store: &Path) -> io::Result<()> {
    let mut name = store.file_name().unwrap_or_default().to_owned();
    name.push(".room");
    let path = store.with_file_name(name);
    let mut options = OpenOptions::new();
    let written = options.write(true).create(true).truncate(true).open(&path).and_then(|mut file| {
        file.write_all(&vec![0x55; ROOM])?;
        file.sync_all()
    });
    let removed = fs::remove_file(&path);
    written.and(removed)
}

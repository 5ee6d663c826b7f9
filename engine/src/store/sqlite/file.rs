//! The file itself: what it is before SQLite sees it, and copies of it.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::super::StoreError;
use super::fault::fault;
use super::{APPLICATION, PATIENCE, connection};

/// How every SQLite file begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Refuses what is not ours without touching it; makes the file when there is none, for the
/// owner's eyes only.
pub(super) fn inspect(path: &Path, place: &str) -> Result<(), StoreError> {
    let not_ours = |cause: &str| StoreError::NotAStore { place: place.to_owned(), cause: cause.to_owned() };
    if path.is_dir() {
        return Err(not_ours("it is a folder"));
    }
    let head = match read_head(path) {
        Ok(head) => head,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return create(path).map_err(|e| cannot(place, &e));
        }
        Err(error) => return Err(cannot(place, &error)),
    };
    if head.is_empty() {
        return Ok(());
    }
    if !head.starts_with(MAGIC) {
        return Err(not_ours("it is not a SQLite file"));
    }
    match stamp(&head) {
        Some(APPLICATION) => Ok(()),
        Some(0) => look_inside(path, place),
        _ => Err(not_ours("it is a SQLite file of another program")),
    }
}

/// Up to 100 bytes: the head of a SQLite file.
fn read_head(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(100);
    File::open(path)?.take(100).read_to_end(&mut head)?;
    Ok(head)
}

/// The number by which programs mark their files.
fn stamp(head: &[u8]) -> Option<i64> {
    let bytes: [u8; 4] = head.get(68..72)?.try_into().ok()?;
    Some(i64::from(i32::from_be_bytes(bytes)))
}

/// An unmarked file is ours when a crash cut its first use short: it then has no tables, or
/// the mark is still in the log.
fn look_inside(path: &Path, place: &str) -> Result<(), StoreError> {
    let sql =
        "SELECT COUNT(*), COALESCE(MAX(name = 'weft_schema'), 0) FROM sqlite_master WHERE type = 'table'";
    let found: rusqlite::Result<(i64, i64)> = connection::plain(path, PATIENCE)
        .and_then(|conn| conn.query_row(sql, (), |row| Ok((row.get(0)?, row.get(1)?))));
    let (tables, ours) = found.map_err(|error| fault(place, &error))?;
    if tables > 0 && ours == 0 {
        let cause = "it is a SQLite file of another program".to_owned();
        return Err(StoreError::NotAStore { place: place.to_owned(), cause });
    }
    Ok(())
}

pub(super) fn create(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn cannot(place: &str, error: &io::Error) -> StoreError {
    let help = match error.kind() {
        ErrorKind::NotFound => "make the folder first, or correct the path",
        ErrorKind::PermissionDenied => {
            "give the user who runs weft the right to read and write the file and its folder"
        }
        ErrorKind::ReadOnlyFilesystem => "name a file on a disk that can be written",
        _ => "correct the path, or look into the disk",
    };
    StoreError::CannotOpen { place: place.to_owned(), cause: error.to_string(), help }
}

/// An empty file beside the store for a copy of it: `weft.db.schema-1`, or with a number after
/// it when there is one already. A copy is never overwritten.
pub(super) fn backup_path(path: &Path, schema: i64) -> io::Result<PathBuf> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".schema-{schema}"));
    let mut copy = path.with_file_name(&name);
    for number in 2..1000 {
        if !copy.try_exists()? {
            break;
        }
        let mut numbered = name.clone();
        numbered.push(format!("-{number}"));
        copy = path.with_file_name(numbered);
    }
    create(&copy)?;
    Ok(copy)
}

/// Makes a copy durable, as far as the system lets us.
pub(super) fn sync(path: &Path) {
    if let Err(error) = File::open(path).and_then(|file| file.sync_all()) {
        tracing::warn!(%error, path = %path.display(), "the copy may not be on the disk yet");
    }
}

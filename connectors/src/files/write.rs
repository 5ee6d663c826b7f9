//! Writing records into files, so that a crash leaves no half a line.
//!
//! Beside a file that we append to lies a hidden note, `.orders.csv.weft`: how long the file was
//! when our last record was safely in it, and what stood just before that place. It is locked
//! while somebody writes. Whatever half record a crash left behind it is ours, and is moved into
//! `orders.csv.torn` before the next one is written.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use super::csv;
use super::folder::io_error;
use super::index::Stamp;
use super::journal::take_back_parts;
use super::note::Note;
use super::scan::{Format, Item, Scan};
use super::schema::Table;
use super::session::{Desk, refuse};
use crate::contract::{Advice, RemoteError, Written};
use crate::profile::form::plain;
use crate::record::{Map, Record, Text, Value};

/// Bytes before the end of our last record that tell whether the file is still ours.
const TAIL: u64 = 64;

impl Desk {
    /// Adds a record at the end of its file.
    pub(super) fn append(&self, resource: &str, record: &Record) -> Result<Written, RemoteError> {
        let table = self.table(resource)?;
        let key = record.get(&table.resource.key).map(plain).unwrap_or_default();
        if key.is_empty() {
            return Err(refuse(format!("the record has no `{}`", table.resource.key)));
        }
        let path = self.target(table)?;
        let wire = wire(table, record)?;
        let mut indexes = self.lock();
        let before = Stamp::of(&path);
        let note = Note::take(&path).map_err(|error| io_error(&path, &error))?;
        if table.setup.format == Format::Array {
            append_to_list(&path, &wire)?;
        } else {
            append_line(table, &path, note, &wire)?;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let slot = format!("{resource}/{name}");
        for ((known, by), index) in indexes.iter_mut().filter(|((known, _), _)| *known == slot) {
            debug_assert_eq!(*known, slot, "only indexes of this file");
            // An index that cannot follow is made anew at the next find.
            let grown = table.setup.format != Format::Array && index.grow(table, &path, by, before).is_ok();
            if !grown {
                *index = super::index::Index::default();
            }
        }
        Ok(Written { key, record: record.clone() })
    }

    /// Changes fields of the record with that key; the file is written anew beside the old one
    /// and takes its place in one step.
    pub(super) fn rewrite(
        &self,
        resource: &str,
        key: &str,
        changes: &Record,
    ) -> Result<Written, RemoteError> {
        let table = self.table(resource)?;
        let path = self.target(table)?;
        let io = |error: io::Error| io_error(&path, &error);
        let mut indexes = self.lock();
        let mut note = Note::take(&path).map_err(io)?;
        let (item, columns) = self.item(table, &path, key)?;
        let Ok(Value::Map(mut whole)) = item.wire else {
            return Err(refuse(format!("the record with `{}` {key} cannot be read", table.resource.key)));
        };
        for (name, value) in wire(table, changes)?.iter() {
            whole.set(name, value.clone());
        }
        let line = encoded(table, &columns, &whole)?;
        let mut old = File::open(&path).map_err(io)?;
        let (temporary, mut new) = beside(&path).map_err(io)?;
        let copied = (|| {
            io::copy(&mut (&old).take(item.start), &mut new)?;
            new.write_all(if table.setup.format == Format::Array { line.trim_ascii_end() } else { &line })?;
            old.seek(SeekFrom::Start(item.end))?;
            io::copy(&mut old, &mut new)?;
            settle(&temporary, &path, &new)
        })();
        copied.map_err(|error| {
            let _ = std::fs::remove_file(&temporary);
            io(error)
        })?;
        indexes.clear();
        let end = path.metadata().map_or(0, |about| about.len());
        let _ =
            File::open(&path).and_then(|mut file| tail(&mut file, end)).and_then(|tail| note.keep(end, tail));
        let (record, _) = super::session::record(table, Value::Map(whole));
        Ok(Written { key: key.to_owned(), record })
    }

    fn item(&self, table: &Table, path: &Path, key: &str) -> Result<(Item, Vec<Text>), RemoteError> {
        let mut scan = self.open(table, path)?;
        let by = std::slice::from_ref(&table.resource.key);
        let wanted = vec![Value::from(key)];
        while let Some(item) = scan.next().map_err(|fault| self.folder.fault(path, &fault))? {
            let Ok(wire) = &item.wire else { continue };
            let (record, _) = super::session::record(table, wire.clone());
            if super::session::has_key(&record, by, &wanted) {
                return Ok((item, scan.columns));
            }
        }
        Err(refuse(format!("there is no record with `{}` {key}", table.resource.key)))
    }

    pub(super) fn target(&self, table: &Table) -> Result<PathBuf, RemoteError> {
        let files = self.files(table)?;
        let first = files.into_iter().next().map(|(_, path)| path);
        first.ok_or_else(|| self.folder.error(format!("`{}` has no file to write to", table.name)))
    }
}

/// A record in the terms of the file.
fn wire(table: &Table, record: &Record) -> Result<Map, RemoteError> {
    match &table.shape {
        Some(shape) => shape.write(record).map_err(refuse),
        None => Ok(record
            .iter()
            .filter(|(name, _)| !ours(name))
            .map(|(name, value)| (name, value.clone()))
            .collect()),
    }
}

/// Fields that we add when reading.
pub(super) fn ours(name: &str) -> bool {
    [super::schema::MARK, super::schema::MODIFIED, super::schema::LINE].contains(&name)
}

/// A record as bytes with its line break.
fn encoded(table: &Table, columns: &[Text], wire: &Map) -> Result<Vec<u8>, RemoteError> {
    let mut text = if table.setup.format == Format::Csv {
        if let Some((name, _)) = wire.iter().find(|(name, value)| !columns.contains(name) && !value.is_null())
        {
            return Err(refuse(format!("the file has no column `{name}`")));
        }
        let cells: Vec<String> =
            columns.iter().map(|name| wire.get(name).map(plain).unwrap_or_default()).collect();
        csv::write(cells.iter().map(String::as_str), table.setup.separator.unwrap_or(b','))
    } else {
        wire.to_string()
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    table
        .setup
        .coding
        .encode(&text)
        .map_err(|letter| refuse(format!("`{letter}` cannot be written in the encoding of this file")))
}

/// Adds a line to a file that may end in half of one.
fn append_line(table: &Table, path: &Path, mut note: Note, wire: &Map) -> Result<(), RemoteError> {
    let io = |error: io::Error| io_error(path, &error);
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(io)?;
    mend(table, path, &mut file, &mut note)?;
    let length = file.metadata().map_err(io)?.len();
    if note.last.is_none() {
        // So that half of our very first record is known for ours too.
        let tail = tail(&mut file, length).map_err(io)?;
        note.keep(length, tail).and_then(|()| note.sync()).map_err(io)?;
    }
    let mut columns = table.columns.clone();
    if length > 0 && table.setup.format == Format::Csv {
        let scan = Scan::open(path, &table.setup);
        columns = scan.map(|scan| scan.columns).unwrap_or(columns);
    }
    let mut line = Vec::new();
    if length == 0 && table.setup.format == Format::Csv && table.setup.header {
        let header: Map = columns.iter().map(|name| (name.clone(), Value::Text(name.clone()))).collect();
        line = encoded(table, &columns, &header)?;
    }
    line.extend(encoded(table, &columns, wire)?);
    if let Err(error) = file.write_all(&line) {
        // The half that was written goes again; if that fails too, the next writer mends it.
        let _ = file.set_len(length);
        return Err(io(error));
    }
    file.sync_data().map_err(|error| RemoteError::new(Advice::Unknown, "Files", error.to_string()))?;
    let end = length + u64::try_from(line.len()).unwrap_or_default();
    // A note that is too old only makes the next writer look further back.
    let _ = note.keep(end, tail(&mut file, end).unwrap_or_default());
    Ok(())
}

/// Moves half a record of our own away, and ends a last line that somebody left open.
pub(super) fn mend(table: &Table, path: &Path, file: &mut File, note: &mut Note) -> Result<(), RemoteError> {
    let io = |error: io::Error| io_error(path, &error);
    take_back_parts(path, file, note).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    if let Some((end, known)) = note.last
        && end < length
        && tail(file, end).is_ok_and(|tail| tail == known)
    {
        let whole = whole_until(table, path, end).unwrap_or(length);
        if whole < length {
            set_aside(path, file, whole).map_err(io)?;
        }
    }
    let length = file.metadata().map_err(io)?.len();
    if length > 0 {
        let mut last = [0];
        file.seek(SeekFrom::Start(length - 1)).and_then(|_| file.read_exact(&mut last)).map_err(io)?;
        if last != *b"\n" && last != *b"\r" {
            file.write_all(b"\n").map_err(io)?;
        }
    }
    Ok(())
}

/// Moves what stands behind a place into the file for torn records.
pub(super) fn set_aside(path: &Path, file: &mut File, whole: u64) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let torn = path.with_file_name(format!("{name}.torn"));
    let mut aside = OpenOptions::new().append(true).create(true).open(torn)?;
    file.seek(SeekFrom::Start(whole))?;
    let bytes = io::copy(file, &mut aside)?;
    aside.sync_data()?;
    file.set_len(whole)?;
    tracing::warn!(file = %path.display(), bytes, "an unfinished end was moved aside");
    Ok(())
}

/// The end of the last whole record after that place.
fn whole_until(table: &Table, path: &Path, end: u64) -> Option<u64> {
    let mut scan = Scan::open(path, &table.setup).ok()?;
    let mut bytes = File::open(path).ok()?;
    let head = scan.place().0;
    if head > end && tail_byte(&mut bytes, head)? != b'\n' {
        // Half a header.
        return Some(end);
    }
    scan.go_to(end.max(head), Some(1), 0).ok()?;
    let mut whole = scan.place().0;
    while let Ok(Some(item)) = scan.next() {
        // What we write always ends in a line break, and is never broken.
        if item.wire.is_err() || tail_byte(&mut bytes, item.end)? != b'\n' {
            break;
        }
        whole = item.end;
    }
    Some(whole)
}

/// The byte before a place.
fn tail_byte(file: &mut File, end: u64) -> Option<u8> {
    let mut last = [0];
    file.seek(SeekFrom::Start(end.checked_sub(1)?)).ok()?;
    file.read_exact(&mut last).ok()?;
    let [last] = last;
    Some(last)
}

/// Adds a record to a file that is one JSON list: everything but the closing bracket is copied.
fn append_to_list(path: &Path, wire: &Map) -> Result<(), RemoteError> {
    let io = |error: io::Error| io_error(path, &error);
    let (temporary, mut new) = beside(path).map_err(io)?;
    let written = (|| {
        let length = path.metadata().map_or(0, |about| about.len());
        if length == 0 {
            new.write_all(b"[\n")?;
        } else {
            let mut old = File::open(path)?;
            let (end, first) = closing(&mut old, length)?;
            old.seek(SeekFrom::Start(0))?;
            io::copy(&mut old.take(end), &mut new)?;
            new.write_all(if first { b"\n" } else { b",\n" })?;
        }
        let mut record = Vec::new();
        wire.write_json(&mut record);
        record.extend_from_slice(b"\n]\n");
        new.write_all(&record)?;
        settle(&temporary, path, &new)
    })();
    written.map_err(|error| {
        let _ = std::fs::remove_file(&temporary);
        if error.kind() == io::ErrorKind::InvalidData {
            return RemoteError::new(
                Advice::StopFlow,
                "Files",
                format!("`{}` does not end in a JSON list", path.display()),
            );
        }
        io(error)
    })
}

/// Where the last record of a list ends, and whether there is none.
fn closing(file: &mut File, length: u64) -> io::Result<(u64, bool)> {
    let mut end = None;
    let mut at = length;
    let mut byte = [0];
    while at > 0 {
        at -= 1;
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut byte)?;
        match byte {
            [blank] if blank.is_ascii_whitespace() => {}
            [b']'] if end.is_none() => end = Some(at),
            [last] if end.is_some() => return Ok((at + 1, last == b'[')),
            _ => break,
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// A new file in the same folder, so that it can take the old one's place.
pub(super) fn beside(path: &Path) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{:016x}.new", fastrand::u64(..)));
    let file = OpenOptions::new().write(true).create_new(true).open(&temporary)?;
    Ok((temporary, file))
}

/// Puts the new file in the old one's place, for good.
pub(super) fn settle(temporary: &Path, path: &Path, new: &File) -> io::Result<()> {
    if let Ok(about) = path.metadata() {
        new.set_permissions(about.permissions())?;
    }
    new.sync_all()?;
    std::fs::rename(temporary, path)?;
    if let Some(folder) = path.parent() {
        // Some systems cannot open folders; the rename is done all the same.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}

/// Fingerprint of what stands before a place.
pub(super) fn tail(file: &mut File, end: u64) -> io::Result<u64> {
    let start = end.saturating_sub(TAIL);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    (&*file).take(end - start).read_to_end(&mut bytes)?;
    Ok(xxh3_64(&bytes))
}

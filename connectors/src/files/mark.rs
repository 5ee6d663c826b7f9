//! Where reading stands, in a form that survives the process and a change of the file.
//!
//! A *position* belongs to one run: the next record of one file, with a fingerprint of how the
//! file begins. A *mark* belongs to a record and is what a cursor follows from run to run: one
//! integer that grows with the file, and that tells whether the file is still the one it was.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::time::UNIX_EPOCH;

use xxhash_rust::xxh3::Xxh3;

use super::text::PIECE;

/// 2020-01-01T00:00:00Z; generations are counted from here.
const BEGINNING: u64 = 1_577_836_800;

/// Bytes of a file's start that tell it from another.
const HEAD: u64 = 256;

/// Hour in which a file was made, offset of a record, fingerprint of the record, in 18, 35 and
/// 10 bits. A newer file has greater marks than an older one, a later record than an earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) generation: u64,
    pub(super) offset: u64,
    pub(super) hash: u64,
}

impl Mark {
    pub(super) const fn new(generation: u64, offset: u64, hash: u64) -> Self {
        Self { generation: generation & 0x3_ffff, offset, hash: hash & 0x3ff }
    }

    /// As a field has it. Beyond 32 GiB marks stop growing, and reading starts over.
    pub(super) fn to_int(self) -> i64 {
        let offset = self.offset.min((1 << 35) - 1);
        i64::try_from(self.generation << 45 | offset << 10 | self.hash).unwrap_or(i64::MAX)
    }

    pub(super) fn from_int(mark: i64) -> Self {
        let mark = mark.unsigned_abs();
        Self { generation: mark >> 45, offset: mark >> 10 & ((1 << 35) - 1), hash: mark & 0x3ff }
    }
}

/// The hour in which a file was made; 0 where the disk does not tell.
pub(super) fn generation(path: &Path) -> u64 {
    let made = path.metadata().and_then(|about| about.created());
    let seconds =
        made.ok().and_then(|made| made.duration_since(UNIX_EPOCH).ok()).map_or(0, |age| age.as_secs());
    seconds.saturating_sub(BEGINNING) / 3600
}

/// The next record of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) file: String,
    pub(super) offset: u64,
    pub(super) line: u64,
    pub(super) count: u64,
    /// When the run began, in microseconds: what is changed later is for the next one.
    pub(super) started: i64,
    head: (u64, u64),
    /// Fingerprint of everything before the offset, where reading came to an end.
    pub(super) whole: Option<u64>,
}

impl Position {
    pub(super) fn new(
        path: &Path,
        file: &str,
        (offset, line, count): (u64, u64, u64),
        started: i64,
    ) -> io::Result<Self> {
        let length = HEAD.min(offset);
        let head = (length, head(path, length)?);
        Ok(Self { file: file.to_owned(), offset, line, count, started, head, whole: None })
    }

    /// The same as the end of all there was.
    pub(super) fn with_all(self, path: &Path) -> io::Result<Self> {
        Ok(Self { whole: Some(head(path, self.offset)?), ..self })
    }

    /// True when the file still begins as it did and reaches this far.
    pub(super) fn still_holds(&self, path: &Path) -> io::Result<bool> {
        let same = path.metadata()?.len() >= self.offset && head(path, self.head.0)? == self.head.1;
        match self.whole {
            Some(whole) if same => Ok(head(path, self.offset)? == whole),
            _ => Ok(same),
        }
    }

    pub(super) fn to_text(&self) -> String {
        let Self { file, offset, line, count, started, head: (length, hash), whole } = self;
        let place = format!("{offset} {line} {count} {length} {hash:x} {started} {file}");
        whole.map_or_else(|| place.clone(), |whole| format!("all {whole:x} {place}"))
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        let (whole, text) = match text.strip_prefix("all ").and_then(|rest| rest.split_once(' ')) {
            Some((whole, place)) => (Some(u64::from_str_radix(whole, 16).ok()?), place),
            None => (None, text),
        };
        let mut parts = text.splitn(7, ' ');
        let mut number = || parts.next()?.parse().ok();
        let (offset, line, count, length) = (number()?, number()?, number()?, number()?);
        let hash = u64::from_str_radix(parts.next()?, 16).ok()?;
        let started = parts.next()?.parse().ok()?;
        Some(Self {
            offset,
            line,
            count,
            started,
            head: (length, hash),
            whole,
            file: parts.next()?.to_owned(),
        })
    }
}

fn head(path: &Path, length: u64) -> io::Result<u64> {
    let mut start = File::open(path)?.take(length);
    let mut hash = Xxh3::new();
    let mut piece = vec![0; usize::try_from(length).unwrap_or(PIECE).min(PIECE)];
    loop {
        match start.read(&mut piece)? {
            0 => return Ok(hash.digest()),
            read => hash.update(piece.get(..read).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_grow_with_the_file_and_with_its_age() {
        let early = Mark::new(51_000, 4_000_000, 0xffff);
        let late = Mark::new(51_000, 4_000_001, 0);
        let newer = Mark::new(51_001, 0, 0);
        assert!(early.to_int() < late.to_int() && late.to_int() < newer.to_int());
        assert_eq!(Mark::from_int(early.to_int()), early);
    }
}

//! The hidden note beside a file that we append to, `.orders.csv.weft`, locked while it is held.
//!
//! Its first line says how long the file was when our last record was safely in it, and what stood
//! just before that place. Each further line is a page that somebody appended last: where it
//! starts, how long it is, and its fingerprint. Whether such a page counts is not known here; the
//! one who appended it knows.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// The note beside a file.
pub(super) struct Note {
    file: File,
    /// End of our last record, and the fingerprint of what stands before it.
    pub(super) last: Option<(u64, u64)>,
    /// The last page of each owner.
    pub(super) pages: Vec<Appended>,
}

/// A page that was appended, or was about to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Appended {
    pub(super) owner: u64,
    pub(super) start: u64,
    pub(super) length: u64,
    pub(super) print: u64,
}

impl Appended {
    pub(super) const fn end(&self) -> u64 {
        self.start.saturating_add(self.length)
    }

    fn read(line: &str) -> Option<Self> {
        let mut parts = line.strip_prefix("page ")?.split(' ');
        let mut number = |radix| u64::from_str_radix(parts.next()?, radix).ok();
        Some(Self { owner: number(16)?, start: number(10)?, length: number(10)?, print: number(16)? })
    }
}

impl Note {
    pub(super) fn take(path: &Path) -> io::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let note = path.with_file_name(format!(".{name}.weft"));
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(note)?;
        file.lock()?;
        let mut text = String::new();
        file.read_to_string(&mut text)?;
        let mut lines = text.lines();
        let last = lines
            .next()
            .and_then(|line| line.split_once(' '))
            .and_then(|(end, hash)| Some((end.parse().ok()?, u64::from_str_radix(hash, 16).ok()?)));
        Ok(Self { file, last, pages: lines.filter_map(Appended::read).collect() })
    }

    /// Keeps the end of our last record.
    pub(super) fn keep(&mut self, end: u64, hash: u64) -> io::Result<()> {
        self.last = Some((end, hash));
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(self.first_line().as_bytes())
    }

    /// Keeps a page in the place of the owner's last one.
    pub(super) fn keep_page(&mut self, page: Appended) -> io::Result<()> {
        self.pages.retain(|other| other.owner != page.owner);
        self.pages.push(page);
        self.keep_all()
    }

    /// Forgets a page that was taken back.
    pub(super) fn drop_page(&mut self, page: &Appended) -> io::Result<()> {
        self.pages.retain(|other| other != page);
        self.keep_all()
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Always as long, so that it can be written over by itself.
    fn first_line(&self) -> String {
        match self.last {
            Some((end, hash)) => format!("{end:020} {hash:016x}\n"),
            None => format!("{:37}\n", "-"),
        }
    }

    fn keep_all(&mut self) -> io::Result<()> {
        let mut text = self.first_line();
        for Appended { owner, start, length, print } in &self.pages {
            let _ = writeln!(text, "page {owner:016x} {start} {length} {print:016x}");
        }
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(text.as_bytes())?;
        self.file.set_len(u64::try_from(text.len()).unwrap_or_default())
    }
}

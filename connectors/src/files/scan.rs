//! Records of one file, one after the other, each with its place.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use bytes::Bytes;
use xxhash_rust::xxh3::xxh3_64;

use super::csv::{self, Step};
use super::json::{self, Fault};
use super::text::{Coding, TextReader};
use crate::record::{Layout, Map, ReadError, Text, Value, read_json};

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    /// A JSON record a line.
    Lines,
    /// One JSON list of records.
    Array,
}

/// How files of a resource are written.
#[derive(Clone, Debug)]
pub(super) struct Setup {
    pub(super) format: Format,
    pub(super) coding: Coding,
    /// `None`: found out.
    pub(super) separator: Option<u8>,
    pub(super) header: bool,
    /// Numbers have a decimal comma.
    pub(super) comma: bool,
    /// Members that lead to the list of a JSON file.
    pub(super) list: Option<Vec<String>>,
}

/// A file that is being read.
pub(super) struct Scan {
    pub(super) reader: TextReader,
    format: Format,
    pub(super) separator: u8,
    /// Names of a CSV file's columns, each once.
    pub(super) columns: Vec<Text>,
    pub(super) count: u64,
    /// Whole lines that were read at once, and how far they have been used.
    pub(super) lines: (String, usize),
    /// How the records before were laid out.
    pub(super) layout: Layout,
    /// There are no records, so none has to be looked for.
    empty: bool,
}

/// What the file says next, and its length.
type Found = Option<(Result<Value, String>, usize)>;

/// A record and where it stands.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) line: u64,
    /// Its number in the file, from 1, as far as reading began at the start.
    pub(super) count: u64,
    pub(super) hash: u64,
    /// What the file says, or why it says nothing.
    pub(super) wire: Result<Value, String>,
}

impl Scan {
    /// Opens a file before its first record.
    pub(super) fn open(path: &Path, setup: &Setup) -> Result<Self, Fault> {
        let reader = TextReader::open(path, setup.coding).map_err(|error| Fault::Text(error.into()))?;
        let separator = setup.separator.unwrap_or(b',');
        let mut scan = Self {
            reader,
            format: setup.format,
            separator,
            columns: Vec::new(),
            count: 0,
            lines: (String::new(), 0),
            layout: Layout::default(),
            empty: false,
        };
        match setup.format {
            Format::Csv => scan.head(setup)?,
            Format::Array => scan.empty = !json::enter(&mut scan.reader, setup.list.as_deref())?,
            Format::Lines => {}
        }
        Ok(scan)
    }

    fn head(&mut self, setup: &Setup) -> Result<(), Fault> {
        self.reader.more()?;
        if setup.separator.is_none() {
            self.separator = csv::separator(self.reader.text(), self.reader.ended());
        }
        loop {
            match csv::row(self.reader.text(), self.separator, self.reader.ended()) {
                Step::More => self.reader.more()?,
                Step::Blank(0) => return Ok(()),
                Step::Blank(length) | Step::Broken(_, length) => self.reader.consume(length),
                Step::Row(cells, length) => {
                    self.columns = if setup.header { unique(&cells) } else { numbered(cells.len()) };
                    if setup.header {
                        self.reader.consume(length);
                    }
                    return Ok(());
                }
            }
        }
    }

    /// Goes on where a record starts.
    pub(super) fn go_to(&mut self, offset: u64, line: Option<u64>, count: u64) -> io::Result<()> {
        self.count = count;
        self.lines = (String::new(), 0);
        self.reader.go_to(offset, line)
    }

    /// Where the next record starts, its line, and how many came before.
    pub(super) const fn place(&self) -> (u64, u64, u64) {
        (self.reader.offset(), self.reader.line(), self.count)
    }

    pub(super) const fn coding(&self) -> Coding {
        self.reader.coding()
    }

    #[cfg(test)]
    const fn taken(&self) -> u64 {
        self.reader.taken()
    }

    #[cfg(test)]
    const fn held(&self) -> usize {
        self.reader.held()
    }

    /// The next record.
    pub(super) fn next(&mut self) -> Result<Option<Item>, Fault> {
        if self.empty {
            return Ok(None);
        }
        if self.format == Format::Lines
            && let Some(item) = self.next_whole_line().map_err(|error| Fault::Text(error.into()))?
        {
            return Ok(Some(item));
        }
        let found = match self.format {
            Format::Csv => self.next_row()?,
            Format::Lines => self.next_line()?,
            Format::Array => json::item(&mut self.reader)?.map(|length| {
                let wire = parse(self.reader.text().get(..length).unwrap_or_default());
                (wire, length)
            }),
        };
        let Some((wire, length)) = found else { return Ok(None) };
        self.count += 1;
        let hash = xxh3_64(self.reader.text().get(..length).unwrap_or_default().trim_end().as_bytes());
        let (start, line, count) = self.place();
        self.reader.consume(length);
        let wire = wire.map_err(|reason| format!("line {line}: {reason}"));
        Ok(Some(Item { start, end: self.reader.offset(), line, count, hash, wire }))
    }

    fn next_row(&mut self) -> Result<Found, Fault> {
        loop {
            match csv::row(self.reader.text(), self.separator, self.reader.ended()) {
                Step::More => self.reader.more()?,
                Step::Blank(0) => return Ok(None),
                Step::Blank(length) => self.reader.consume(length),
                Step::Broken(reason, length) => return Ok(Some((Err(reason.to_owned()), length))),
                Step::Row(cells, length) => return Ok(Some((self.row(&cells), length))),
            }
        }
    }

    fn row(&self, cells: &[Cow<'_, str>]) -> Result<Value, String> {
        let (found, wanted) = (cells.len(), self.columns.len());
        // A separator at the end of each row is a habit of some programs.
        let spare = cells.get(wanted.min(found)..).unwrap_or_default();
        if found < wanted || !spare.iter().all(|cell| cell.is_empty()) {
            let columns = if found == 1 { "column" } else { "columns" };
            return Err(format!("has {found} {columns} instead of {wanted}"));
        }
        let mut map = Map::with_capacity(wanted);
        for (name, cell) in self.columns.iter().zip(cells) {
            map.push(name.clone(), Value::Text(Text::from(cell.as_ref())));
        }
        Ok(Value::Map(map))
    }

    fn next_line(&mut self) -> Result<Found, Fault> {
        let mut scanned = 0;
        loop {
            let text = self.reader.text();
            let found = text.get(scanned..).and_then(|rest| rest.find('\n'));
            let length = match found {
                Some(at) => scanned + at + 1,
                None if self.reader.ended() => text.len(),
                None => {
                    scanned = text.len();
                    self.reader.more()?;
                    continue;
                }
            };
            let line = text.get(..length).unwrap_or_default();
            if length == 0 {
                return Ok(None);
            }
            if line.trim().is_empty() {
                self.reader.consume(length);
                scanned = 0;
                continue;
            }
            let read = parse(line);
            if found.is_none() && read.is_err() {
                // Somebody is writing it, or stopped halfway.
                return Err(Fault::CutOff(self.reader.line()));
            }
            return Ok(Some((read, length)));
        }
    }
}

fn parse(text: &str) -> Result<Value, String> {
    a_record(read_json(&Bytes::copy_from_slice(text.as_bytes())))
}

pub(super) fn a_record(read: Result<Value, ReadError>) -> Result<Value, String> {
    match read {
        Ok(value @ Value::Map(_)) => Ok(value),
        Ok(other) => Err(format!("is a {}, not a record", other.kind())),
        Err(fault) => Err(format!("is not JSON: {} at column {}", fault.reason, fault.column)),
    }
}

/// Names of columns as they stand in the file; nameless ones numbered, doubled ones too.
fn unique(cells: &[Cow<'_, str>]) -> Vec<Text> {
    let mut names: Vec<Text> = Vec::with_capacity(cells.len());
    for (at, cell) in cells.iter().enumerate() {
        let plain = match cell.trim() {
            "" => format!("column {}", at + 1),
            name => name.to_owned(),
        };
        let mut name = plain.clone();
        let mut number = 2;
        while names.iter().any(|known| known.as_str() == name) {
            name = format!("{plain} {number}");
            number += 1;
        }
        names.push(Text::from(name));
    }
    names
}

fn numbered(columns: usize) -> Vec<Text> {
    (1..=columns).map(|number| Text::from(format!("column {number}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::super::text::PIECE;
    use super::*;
    use std::fmt::Write as _;

    fn setup(format: Format) -> Setup {
        Setup { format, coding: Coding::Utf8, separator: None, header: true, comma: false, list: None }
    }

    #[test]
    fn a_long_file_is_read_piece_by_piece() {
        let folder = tempfile::tempdir().unwrap();
        for (format, name) in [(Format::Csv, "a.csv"), (Format::Lines, "a.ndjson"), (Format::Array, "a.json")]
        {
            let mut text = String::from(match format {
                Format::Csv => "id,name\n",
                Format::Lines => "",
                Format::Array => "[\n",
            });
            for number in 0..100_000 {
                let _ = match format {
                    Format::Csv => writeln!(text, "{number},\"name of {number}\""),
                    Format::Lines => writeln!(text, "{{\"id\":{number},\"name\":\"name of {number}\"}}"),
                    Format::Array if number == 0 => writeln!(text, "{{\"id\":{number}}}"),
                    Format::Array => writeln!(text, ",{{\"id\":{number}}}"),
                };
            }
            if format == Format::Array {
                text.push_str("]\n");
            }
            let path = folder.path().join(name);
            std::fs::write(&path, &text).unwrap();
            let mut scan = Scan::open(&path, &setup(format)).unwrap();
            let mut count = 0;
            while let Some(item) = scan.next().unwrap() {
                count += 1;
                assert!(item.wire.is_ok());
                let ahead = scan.taken() - item.end;
                assert!(ahead <= 2 * u64::try_from(PIECE).unwrap(), "never more than a piece ahead: {ahead}");
                assert!(scan.held() <= 3 * PIECE, "no more is held: {}", scan.held());
            }
            assert_eq!(count, 100_000);
        }
    }

    #[test]
    fn places_are_bytes_in_every_encoding() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let text = "naam;plaats\r\nZoë;Curaçao\r\nAndré;\"Sint\r\nMaarten\"\r\nJan;Oss\r\n";
        let utf16 = Coding::Utf16 { big_endian: false };
        let with_mark = [vec![0xff, 0xfe], utf16.encode(text).unwrap()].concat();
        let latin = Coding::named("windows-1252").unwrap();
        for (bytes, coding) in [
            (text.as_bytes().to_vec(), Coding::Utf8),
            ([b"\xef\xbb\xbf", text.as_bytes()].concat(), latin),
            (latin.encode(text).unwrap(), latin),
            (with_mark, Coding::Utf8),
        ] {
            std::fs::write(&path, bytes).unwrap();
            let setup = Setup { coding, ..setup(Format::Csv) };
            let mut scan = Scan::open(&path, &setup).unwrap();
            assert_eq!(scan.columns, ["naam".into(), "plaats".into()]);
            let mut items = Vec::new();
            while let Some(item) = scan.next().unwrap() {
                items.push(item);
            }
            assert_eq!(items.iter().map(|item| item.line).collect::<Vec<_>>(), [2, 3, 5]);
            for item in items {
                scan.go_to(item.start, None, 0).unwrap();
                let again = scan.next().unwrap().unwrap();
                assert_eq!((again.wire, again.end, again.hash), (item.wire, item.end, item.hash));
            }
        }
    }
}

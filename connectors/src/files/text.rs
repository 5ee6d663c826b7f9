//! A file as text, piece by piece: decoding, byte order marks, and where in the file a letter
//! stands.
//!
//! No more of a file is held than the record that is being read and one piece beyond it.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use encoding_rs::Encoding;

/// Bytes that are read at once.
pub(super) const PIECE: usize = 64 << 10;

/// How letters are written in a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Coding {
    Utf8,
    /// One byte a letter, as in Windows-1252.
    Single(&'static Encoding),
    Utf16 {
        big_endian: bool,
    },
}

/// A file that is read as text.
pub(super) struct TextReader {
    file: File,
    coding: Coding,
    /// Bytes that were read and do not yet make a letter.
    undecoded: Vec<u8>,
    text: String,
    /// Start of what has not been consumed.
    start: usize,
    offset: u64,
    line: u64,
    ended: bool,
    broken: bool,
    taken: u64,
}

/// Why a text cannot be read on.
#[derive(Debug, thiserror::Error)]
pub(super) enum TextFault {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("line {line} is not UTF-8 (byte {byte} of the file)")]
    NotUtf8 { line: u64, byte: u64 },
}

impl Coding {
    /// The coding of that name.
    pub(super) fn named(name: &str) -> Option<Self> {
        let encoding = Encoding::for_label(name.trim().as_bytes())?;
        if encoding == encoding_rs::UTF_8 {
            Some(Self::Utf8)
        } else if encoding == encoding_rs::UTF_16LE || encoding == encoding_rs::UTF_16BE {
            Some(Self::Utf16 { big_endian: encoding == encoding_rs::UTF_16BE })
        } else {
            encoding.is_single_byte().then_some(Self::Single(encoding))
        }
    }

    /// The coding that a byte order mark gives away, and the length of the mark.
    pub(super) fn of_mark(start: &[u8]) -> Option<(Self, u64)> {
        match start {
            [0xef, 0xbb, 0xbf, ..] => Some((Self::Utf8, 3)),
            [0xff, 0xfe, ..] => Some((Self::Utf16 { big_endian: false }, 2)),
            [0xfe, 0xff, ..] => Some((Self::Utf16 { big_endian: true }, 2)),
            _ => None,
        }
    }

    /// Bytes that a text takes in the file.
    fn length(self, text: &str) -> u64 {
        let length = match self {
            Self::Utf8 => text.len(),
            Self::Single(_) => text.chars().count(),
            Self::Utf16 { .. } => text.chars().map(char::len_utf16).sum::<usize>() * 2,
        };
        u64::try_from(length).unwrap_or(u64::MAX)
    }

    /// The bytes of a text; the first letter that cannot be written, otherwise.
    pub(super) fn encode(self, text: &str) -> Result<Vec<u8>, char> {
        match self {
            Self::Utf8 => Ok(text.as_bytes().to_vec()),
            Self::Single(encoding) => {
                let (bytes, _, lost) = encoding.encode(text);
                if !lost {
                    return Ok(bytes.into_owned());
                }
                let odd = |letter: &char| encoding.encode(letter.encode_utf8(&mut [0; 4])).2;
                Err(text.chars().find(odd).unwrap_or('\u{fffd}'))
            }
            Self::Utf16 { big_endian } => Ok(text
                .encode_utf16()
                .flat_map(|unit| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() })
                .collect()),
        }
    }
}

impl TextReader {
    /// Opens a file at its first letter. A byte order mark outdoes the setting.
    pub(super) fn open(path: &Path, standard: Coding) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut first = Vec::with_capacity(4);
        file.by_ref().take(4).read_to_end(&mut first)?;
        let (coding, skip) = Coding::of_mark(&first).unwrap_or((standard, 0));
        file.seek(SeekFrom::Start(skip))?;
        Ok(Self {
            file,
            coding,
            undecoded: Vec::new(),
            text: String::new(),
            start: 0,
            offset: skip,
            line: 1,
            ended: false,
            broken: false,
            taken: 0,
        })
    }

    /// Goes on at a place where a record starts; its line when that is known, else it is counted.
    pub(super) fn go_to(&mut self, offset: u64, line: Option<u64>) -> io::Result<()> {
        self.line = match line {
            Some(line) => line,
            None => self.count_lines(offset)?,
        };
        self.file.seek(SeekFrom::Start(offset))?;
        self.offset = offset;
        self.text.clear();
        self.undecoded.clear();
        (self.start, self.ended, self.broken) = (0, false, false);
        Ok(())
    }

    fn count_lines(&mut self, offset: u64) -> io::Result<u64> {
        self.file.seek(SeekFrom::Start(0))?;
        let mut head = self.file.by_ref().take(offset);
        let mut piece = vec![0; PIECE];
        let mut line = 1;
        loop {
            let read = head.read(&mut piece)?;
            if read == 0 {
                return Ok(line);
            }
            line += breaks(piece.get(..read).unwrap_or_default());
        }
    }

    /// What has been read and not consumed.
    pub(super) fn text(&self) -> &str {
        self.text.get(self.start..).unwrap_or_default()
    }

    /// True when no more will come.
    pub(super) const fn ended(&self) -> bool {
        self.ended
    }

    /// Where the text stands in the file.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Its line, from 1.
    pub(super) const fn line(&self) -> u64 {
        self.line
    }

    pub(super) const fn coding(&self) -> Coding {
        self.coding
    }

    /// Bytes read from the disk so far.
    #[cfg(test)]
    pub(super) const fn taken(&self) -> u64 {
        self.taken
    }

    /// Bytes of text and of undecoded file that are held.
    #[cfg(test)]
    pub(super) const fn held(&self) -> usize {
        self.text.len() + self.undecoded.len()
    }

    /// Whole lines from here on, all of them text, as one piece; `None` where only [`Self::more`]
    /// knows what comes: the last line, what is not UTF-8, other encodings.
    pub(super) fn lines(&mut self) -> io::Result<Option<String>> {
        let waiting = !self.text().is_empty() || !self.undecoded.is_empty();
        if waiting || self.coding != Coding::Utf8 || self.ended || self.broken {
            return Ok(None);
        }
        let mut bytes = Vec::with_capacity(PIECE);
        let end = loop {
            let before = bytes.len();
            let read = self.file.by_ref().take(PIECE as u64).read_to_end(&mut bytes)?;
            let new = bytes.get(before..).unwrap_or_default();
            match new.iter().rposition(|byte| *byte == b'\n') {
                Some(at) => break before + at + 1,
                None if read == 0 => break 0,
                None => {}
            }
        };
        let read = bytes.len();
        bytes.truncate(end);
        let lines = String::from_utf8(bytes).ok();
        let kept = lines.as_ref().map_or(0, String::len);
        // The next piece begins with the line that is not whole yet.
        self.file.seek_relative(-i64::try_from(read - kept).unwrap_or_default())?;
        self.taken += u64::try_from(kept).unwrap_or_default();
        Ok(lines.filter(|lines| !lines.is_empty()))
    }

    /// Goes past a line that [`Self::lines`] gave.
    pub(super) fn pass(&mut self, line: &str) {
        self.offset += u64::try_from(line.len()).unwrap_or_default();
        self.line += 1;
    }

    /// Goes past that much of the text.
    pub(super) fn consume(&mut self, length: usize) {
        let gone = self.text.get(self.start..self.start + length).unwrap_or_default();
        self.offset += self.coding.length(gone);
        self.line += breaks(gone.as_bytes());
        self.start += length;
    }

    /// Reads one more piece. What is good of a broken text comes first, the fault after it.
    pub(super) fn more(&mut self) -> Result<(), TextFault> {
        if self.broken {
            let line = self.line + breaks(self.text().as_bytes());
            return Err(TextFault::NotUtf8 { line, byte: self.offset + self.coding.length(self.text()) + 1 });
        }
        if self.start >= PIECE {
            self.text.drain(..self.start);
            self.start = 0;
        }
        let before = self.undecoded.len();
        self.undecoded.resize(before + PIECE, 0);
        let read = loop {
            match self.file.read(self.undecoded.get_mut(before..).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.undecoded.truncate(before + *read.as_ref().unwrap_or(&0));
        let read = read?;
        self.taken += u64::try_from(read).unwrap_or_default();
        self.ended = read == 0;
        self.decode();
        Ok(())
    }

    fn decode(&mut self) {
        let bytes = std::mem::take(&mut self.undecoded);
        let used = match self.coding {
            Coding::Utf8 => {
                let (good, fault) = match std::str::from_utf8(&bytes) {
                    Ok(text) => (text, None),
                    Err(error) => {
                        let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
                        (std::str::from_utf8(good).unwrap_or_default(), Some(error))
                    }
                };
                self.text.push_str(good);
                // Half a letter at the end of a piece is whole after the next one.
                self.broken = fault.is_some_and(|fault| fault.error_len().is_some() || self.ended);
                good.len()
            }
            Coding::Single(encoding) => {
                self.text.push_str(&encoding.decode_without_bom_handling(&bytes).0);
                bytes.len()
            }
            Coding::Utf16 { big_endian } => self.decode_utf16(&bytes, big_endian),
        };
        self.ended = self.ended && !self.broken;
        self.undecoded = bytes;
        self.undecoded.drain(..used);
    }

    fn decode_utf16(&mut self, bytes: &[u8], big_endian: bool) -> usize {
        let mut units: Vec<u16> = bytes
            .chunks_exact(2)
            .filter_map(|pair| <[u8; 2]>::try_from(pair).ok())
            .map(|pair| if big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
            .collect();
        // The first half of a letter waits for the second.
        if !self.ended && units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
            units.pop();
        }
        let letters = char::decode_utf16(units.iter().copied()).map(|letter| letter.unwrap_or('\u{fffd}'));
        self.text.extend(letters);
        units.len() * 2
    }
}

/// Line breaks among these bytes.
fn breaks(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |breaks, byte| breaks + u64::from(*byte == b'\n'))
}

//! Finding the records in JSON text that is not all there yet.
//!
//! Only brackets and quotes are looked at here; whether a record is good JSON is for the one who
//! reads it.

use super::text::{TextFault, TextReader};

/// Largest record, in bytes.
const LARGEST: usize = 64 << 20;

/// Why there is no next record.
#[derive(Debug)]
pub(super) enum Fault {
    Text(TextFault),
    /// The file stops in the middle, at that line.
    CutOff(u64),
    /// There is no list where one should be.
    NoList(u64),
    TooLarge(u64),
}

impl From<TextFault> for Fault {
    fn from(fault: TextFault) -> Self {
        Self::Text(fault)
    }
}

/// How far into a value a text goes.
#[derive(Default)]
struct Depth {
    open: usize,
    in_text: bool,
    escaped: bool,
    /// A number or a word, which only what follows it ends.
    bare: bool,
}

impl Depth {
    /// The end of the value, when it is in these bytes.
    fn end(&mut self, bytes: &[u8]) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            if self.in_text {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.in_text = false;
                        if self.open == 0 {
                            return Some(at + 1);
                        }
                    }
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_text = true,
                b'{' | b'[' => self.open += 1,
                b',' | b'}' | b']' if self.open == 0 => return Some(at),
                b'}' | b']' => {
                    self.open -= 1;
                    if self.open == 0 {
                        return Some(at + 1);
                    }
                }
                byte if byte.is_ascii_whitespace() && self.open == 0 && self.bare => return Some(at),
                _ => self.bare |= self.open == 0,
            }
        }
        None
    }
}

/// The next byte that is not blank.
fn peek(reader: &mut TextReader) -> Result<Option<u8>, TextFault> {
    loop {
        let text = reader.text();
        let blank = text.len() - text.trim_start().len();
        let next = text.as_bytes().get(blank).copied();
        reader.consume(blank);
        if next.is_some() || reader.ended() {
            return Ok(next);
        }
        reader.more()?;
    }
}

/// The length of the value that starts here, which is then all in the reader's text.
fn value(reader: &mut TextReader) -> Result<usize, Fault> {
    let mut depth = Depth::default();
    let mut scanned = 0;
    loop {
        let text = reader.text();
        if let Some(end) = depth.end(text.as_bytes().get(scanned..).unwrap_or_default()) {
            return Ok(scanned + end);
        }
        scanned = text.len();
        if reader.ended() {
            let whole = depth.open == 0 && !depth.in_text && scanned > 0;
            return if whole { Ok(scanned) } else { Err(Fault::CutOff(reader.line())) };
        }
        if scanned > LARGEST {
            return Err(Fault::TooLarge(reader.line()));
        }
        reader.more()?;
    }
}

/// Goes past a value without holding it, or past the rest of one with so many open brackets.
fn skip(reader: &mut TextReader, open: usize) -> Result<(), Fault> {
    let mut depth = Depth { open, ..Depth::default() };
    loop {
        let text = reader.text();
        if let Some(end) = depth.end(text.as_bytes()) {
            reader.consume(end);
            return Ok(());
        }
        let length = text.len();
        reader.consume(length);
        if reader.ended() {
            return Err(Fault::CutOff(reader.line()));
        }
        reader.more()?;
    }
}

/// Goes to the first record: into the list at the path, or without one into the list that the
/// file is, or into the first list of records among its members. False: there are none.
pub(super) fn enter(reader: &mut TextReader, path: Option<&[String]>) -> Result<bool, Fault> {
    let Some(path) = path else { return guess(reader) };
    for name in path {
        if peek(reader)? != Some(b'{') {
            return Err(Fault::NoList(reader.line()));
        }
        reader.consume(1);
        loop {
            match member(reader)? {
                None => return Err(Fault::NoList(reader.line())),
                Some(found) if found == *name => break,
                Some(_) => skip(reader, 0)?,
            }
        }
    }
    if peek(reader)? != Some(b'[') {
        return Err(Fault::NoList(reader.line()));
    }
    reader.consume(1);
    Ok(true)
}

fn guess(reader: &mut TextReader) -> Result<bool, Fault> {
    match peek(reader)? {
        None => return Ok(false),
        Some(b'[') => {
            reader.consume(1);
            return Ok(true);
        }
        Some(b'{') => reader.consume(1),
        Some(_) => return Err(Fault::NoList(reader.line())),
    }
    let mut lists = false;
    while member(reader)?.is_some() {
        if peek(reader)? != Some(b'[') {
            skip(reader, 0)?;
            continue;
        }
        reader.consume(1);
        if peek(reader)? == Some(b'{') {
            return Ok(true);
        }
        // An empty list of errors before the list of orders, for example.
        skip(reader, 1)?;
        lists = true;
    }
    if lists { Ok(false) } else { Err(Fault::NoList(reader.line())) }
}

/// Goes to the value of the next member and gives its name; `None` after the last one.
fn member(reader: &mut TextReader) -> Result<Option<String>, Fault> {
    loop {
        match peek(reader)? {
            Some(b',') => reader.consume(1),
            Some(b'"') => break,
            Some(b'}') => return Ok(None),
            None => return Err(Fault::CutOff(reader.line())),
            Some(_) => return Err(Fault::NoList(reader.line())),
        }
    }
    let length = value(reader)?;
    let name = reader.text().get(1..length.saturating_sub(1)).unwrap_or_default().to_owned();
    reader.consume(length);
    if peek(reader)? == Some(b':') {
        reader.consume(1);
    }
    peek(reader)?;
    Ok(Some(name))
}

/// Goes to the next record of the list and gives its length; `None` at the end of the list.
pub(super) fn item(reader: &mut TextReader) -> Result<Option<usize>, Fault> {
    loop {
        match peek(reader)? {
            Some(b',') => reader.consume(1),
            Some(b']') => return Ok(None),
            None => return Err(Fault::CutOff(reader.line())),
            Some(b'}') => return Err(Fault::NoList(reader.line())),
            Some(_) => return value(reader).map(Some),
        }
    }
}

//! Rows of separated values as they are found in the wild.
//!
//! Quotes may hold line breaks and doubled quotes; a quote that stands where none belongs is
//! taken as text; a quote that is never closed costs its line and not the file.

use std::borrow::Cow;

/// Longest row, in bytes: beyond it a quote was surely never closed.
const LONGEST: usize = 4 << 20;

/// What stands at the start of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<'t> {
    /// A row, and its length with the line break.
    Row(Vec<Cow<'t, str>>, usize),
    /// An empty line.
    Blank(usize),
    /// A line that is no row.
    Broken(&'static str, usize),
    /// Not enough text to tell.
    More,
}

/// A field and what comes after it.
enum Cell<'t> {
    Closed(Cow<'t, str>, usize),
    Broken,
    More,
}

/// The row at the start of a text. `ended`: there is no more text to come.
pub(super) fn row(text: &str, separator: u8, ended: bool) -> Step<'_> {
    if text.is_empty() {
        return if ended { Step::Blank(0) } else { Step::More };
    }
    let mut cells = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let (cell, length) = match cell(rest, separator, ended) {
            Cell::Closed(cell, length) => (cell, length),
            Cell::Broken => return broken(text, ended),
            Cell::More if text.len() > LONGEST => return broken(text, ended),
            Cell::More => return Step::More,
        };
        at += length;
        let quoted = length > cell.len();
        cells.push(cell);
        match text.as_bytes().get(at) {
            Some(byte) if *byte == separator => at += 1,
            Some(b'\r') => match text.as_bytes().get(at + 1) {
                None if !ended => return Step::More,
                next => return finished(cells, quoted, at + 1 + usize::from(next == Some(&b'\n'))),
            },
            Some(_) => return finished(cells, quoted, at + 1),
            None => return finished(cells, quoted, at),
        }
    }
}

fn finished(cells: Vec<Cow<'_, str>>, quoted: bool, length: usize) -> Step<'_> {
    match cells.as_slice() {
        [only] if only.trim().is_empty() && !quoted => Step::Blank(length),
        _ => Step::Row(cells, length),
    }
}

fn broken(text: &str, ended: bool) -> Step<'_> {
    let line = text.find('\n').map(|at| at + 1);
    match line {
        Some(length) => Step::Broken("a quote is opened and never closed", length),
        None if ended || text.len() > LONGEST => {
            Step::Broken("a quote is opened and never closed", text.len())
        }
        None => Step::More,
    }
}

/// A field and its length, up to the separator or line break after it.
fn cell(text: &str, separator: u8, ended: bool) -> Cell<'_> {
    let bytes = text.as_bytes();
    let ends = |byte: &u8| *byte == separator || *byte == b'\n' || *byte == b'\r';
    if bytes.first() != Some(&b'"') {
        return match bytes.iter().position(ends) {
            Some(end) => Cell::Closed(Cow::Borrowed(text.get(..end).unwrap_or_default()), end),
            None if ended => Cell::Closed(Cow::Borrowed(text), text.len()),
            None => Cell::More,
        };
    }
    let (mut from, mut at, mut stray) = (1, 1, false);
    let mut value = Cow::Borrowed("");
    loop {
        let Some(quote) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'"')) else {
            return if ended || stray && text.get(at..).is_some_and(|rest| rest.contains('\n')) {
                Cell::Broken
            } else {
                Cell::More
            };
        };
        let quote = at + quote;
        if stray && text.get(1..quote).is_some_and(|inner| inner.contains('\n')) {
            // A quote in the middle and a line break: most likely two rows, not one field.
            return Cell::Broken;
        }
        let after = bytes.get(quote + 1..).unwrap_or_default();
        let blanks = after.iter().take_while(|byte| **byte == b' ').count();
        match after.get(blanks) {
            None if !ended => return Cell::More,
            None => {}
            Some(byte) if ends(byte) => {}
            Some(_) => {
                let doubled = after.first() == Some(&b'"');
                value += text.get(from..=quote).unwrap_or_default();
                stray |= !doubled;
                at = quote + 1 + usize::from(doubled);
                from = at;
                continue;
            }
        }
        value += text.get(from..quote).unwrap_or_default();
        return Cell::Closed(value, quote + 1 + blanks);
    }
}

/// The separator of a text: the one that cuts its first rows into the most equal pieces.
pub(super) fn separator(text: &str, ended: bool) -> u8 {
    let columns = |separator: u8| {
        let (mut rest, mut widths) = (text, Vec::new());
        while widths.len() < 10 {
            let length = match row(rest, separator, ended) {
                Step::Row(cells, length) => {
                    widths.push(cells.len());
                    length
                }
                Step::Blank(length) | Step::Broken(_, length) => length,
                Step::More => break,
            };
            rest = rest.get(length..).unwrap_or_default();
            if rest.is_empty() || length == 0 {
                break;
            }
        }
        let first = widths.first().copied().unwrap_or_default();
        let alike = widths.iter().filter(|width| **width == first).count();
        if first > 1 { (alike * 100 / widths.len().max(1), first) } else { (0, 0) }
    };
    // Of equals the last one wins: the comma.
    [b'|', b'\t', b';', b','].into_iter().max_by_key(|separator| columns(*separator)).unwrap_or(b',')
}

/// A row as text, with its line break; quotes only where they are needed.
pub(super) fn write<'c>(cells: impl IntoIterator<Item = &'c str>, separator: u8) -> String {
    let mut out = String::new();
    let mut alone = true;
    for (at, cell) in cells.into_iter().enumerate() {
        if at > 0 {
            out.push(char::from(separator));
            alone = false;
        }
        let odd = |letter: char| matches!(letter, '"' | '\n' | '\r') || letter == char::from(separator);
        if cell.contains(odd) || cell.starts_with(' ') || cell.ends_with(' ') {
            out.push('"');
            out.push_str(&cell.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(cell);
        }
    }
    if alone && out.is_empty() {
        // A row of one empty field would be an empty line.
        out.push_str("\"\"");
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(text: &str) -> Vec<Result<Vec<String>, usize>> {
        let (mut rest, mut rows) = (text, Vec::new());
        while !rest.is_empty() {
            let length = match row(rest, b',', true) {
                Step::Row(cells, length) => {
                    rows.push(Ok(cells.into_iter().map(Cow::into_owned).collect()));
                    length
                }
                Step::Blank(length) => length,
                Step::Broken(_, length) => {
                    rows.push(Err(length));
                    length
                }
                Step::More => panic!("all text is there"),
            };
            rest = rest.get(length..).unwrap();
        }
        rows
    }

    fn row_of(cells: &[&str]) -> Vec<String> {
        cells.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn rows_of_the_wild_are_read() {
        assert_eq!(
            rows("a,b\r\n\r\n1,\"x,\"\"y\"\"\"\n"),
            [Ok(row_of(&["a", "b"])), Ok(row_of(&["1", "x,\"y\""]))]
        );
        assert_eq!(rows("a,\"two\nlines\",c"), [Ok(row_of(&["a", "two\nlines", "c"]))]);
        assert_eq!(rows("5\" pipe,\"5\" pipe\",x"), [Ok(row_of(&["5\" pipe", "5\" pipe", "x"]))]);
        assert_eq!(rows("\"a\" ,b"), [Ok(row_of(&["a", "b"]))]);
        assert_eq!(rows("a,\n,b\n"), [Ok(row_of(&["a", ""])), Ok(row_of(&["", "b"]))]);
    }

    #[test]
    fn an_open_quote_costs_its_line_only() {
        assert_eq!(rows("\"open,1\n2,3\n"), [Err(8), Ok(row_of(&["2", "3"]))]);
        assert_eq!(rows("\"a\"b,1\n\"x\",2\n"), [Err(7), Ok(row_of(&["x", "2"]))]);
    }

    #[test]
    fn separators_are_recognised() {
        for (text, found) in [
            ("a;b;c\n1,5;2;3\n", b';'),
            ("a\tb\n", b'\t'),
            ("a,b\n1,2\n", b','),
            ("a\n1\n", b','),
            ("a|b\n1|2\n", b'|'),
        ] {
            assert_eq!(separator(text, true), found, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(table in prop::collection::vec(prop::collection::vec("[a-z\",;\n\r é]{0,8}", 1..5), 1..5)) {
            let text: String = table.iter().map(|row| write(row.iter().map(String::as_str), b',')).collect();
            let read: Vec<Vec<String>> = rows(&text).into_iter().map(|row| row.expect("well-formed")).collect();
            prop_assert_eq!(read, table);
        }

        #[test]
        fn any_text_is_cut_into_rows(text in "[a\",\n\r ;]{0,60}", ended in any::<bool>()) {
            let mut rest = text.as_str();
            while !rest.is_empty() {
                let length = match row(rest, b',', ended) {
                    Step::Row(_, length) | Step::Blank(length) | Step::Broken(_, length) => length,
                    Step::More => { prop_assert!(!ended); break }
                };
                prop_assert!(length > 0);
                rest = rest.get(length..).unwrap();
            }
        }

        #[test]
        fn a_row_is_the_same_however_much_comes_after(text in "[a\",\n\r ]{1,30}", more in "[a\",\n]{0,10}") {
            if let Step::Row(cells, length) = row(&text, b',', false) {
                let longer = format!("{text}{more}");
                prop_assert_eq!(row(&longer, b',', false), Step::Row(cells, length));
            }
        }

        #[test]
        fn it_agrees_with_the_csv_crate(table in prop::collection::vec(prop::collection::vec("[a-z\", \n;é]{0,8}", 3), 1..5)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            for row in &table {
                writer.write_record(row).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let read: Vec<Vec<String>> = rows(&text).into_iter().map(|row| row.expect("well-formed")).collect();
            prop_assert_eq!(read, table);
        }
    }
}

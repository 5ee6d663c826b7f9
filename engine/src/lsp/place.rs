//! Places as editors count them: lines from 0, and within a line in units of UTF-16.

use std::ops::Range;

use serde_json::{Value, json};

/// The byte that a position means; past the end of a line it is the line's end.
pub(super) fn offset(text: &str, position: &Value) -> Option<usize> {
    let number = |name: &str| usize::try_from(position.get(name)?.as_u64()?).ok();
    let (line, character) = (number("line")?, number("character")?);
    let mut start = 0;
    for _ in 0..line {
        match text.get(start..).and_then(|rest| rest.find('\n')) {
            Some(end) => start += end + 1,
            None => return Some(text.len()),
        }
    }
    let rest = text.get(start..).unwrap_or_default();
    let mut units = 0;
    for (at, letter) in rest.char_indices() {
        if units >= character || letter == '\n' || rest.get(at..).is_some_and(|rest| rest.starts_with("\r\n"))
        {
            return Some(start + at);
        }
        units += letter.len_utf16();
    }
    Some(text.len())
}

/// Line starts of a text, to tell many places of it.
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Self { text, starts: std::iter::once(0).chain(breaks).collect() }
    }

    /// Line and unit within the line.
    pub(super) fn at(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or_default();
        let before = self.text.get(start..offset.min(self.text.len())).unwrap_or_default();
        (line, before.encode_utf16().count())
    }

    pub(super) fn position(&self, offset: usize) -> Value {
        let (line, character) = self.at(offset);
        json!({ "line": line, "character": character })
    }

    pub(super) fn range(&self, span: &Range<usize>) -> Value {
        json!({ "start": self.position(span.start), "end": self.position(span.end) })
    }

    /// The whole of the text.
    pub(super) fn all(&self) -> Value {
        self.range(&(0..self.text.len()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Lines, offset};

    #[test]
    fn places_count_in_units_of_utf_16() {
        let text = "é = \"😀x\"\r\nb\n";
        let lines = Lines::new(text);
        for (at, _) in text.char_indices().filter(|(_, letter)| *letter != '\n') {
            assert_eq!(offset(text, &lines.position(at)), Some(at), "{at}");
        }
        let at = text.find('x').unwrap();
        assert_eq!(lines.at(at), (0, 7));
        assert_eq!(offset(text, &json!({ "line": 0, "character": 999 })), text.find("\r\n"));
        assert_eq!(offset(text, &json!({ "line": 99, "character": 0 })), Some(text.len()));
        assert_eq!(offset(text, &json!({ "line": -1 })), None);
        assert_eq!(lines.at(text.len()), (2, 0));
    }
}

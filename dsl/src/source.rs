//! The text of one flow file and its name.
//!
//! Bytes come in here and nowhere else, so that a file which is not text is a problem like
//! any other. Nothing is read from disk.

use crate::problem::{Code, Problem, Report};

/// Longest flow file that is read, in bytes.
pub const MAX_BYTES: usize = 1 << 20;

/// One flow file: what messages call it, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
}

impl Source {
    /// A file whose text is known to be text.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// A file as it came from disk. Text in another encoding than UTF-8 is refused, with the
    /// first place that shows it.
    pub fn from_bytes(name: impl Into<String>, bytes: &[u8]) -> Result<Self, Report> {
        let name = name.into();
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Self::new(name, text)),
            Err(fault) => {
                let at = fault.valid_up_to();
                // Shown with a stand-in for what cannot be read; up to `at` the offsets agree.
                let shown = Self::new(name, String::from_utf8_lossy(bytes));
                let problem = Problem::new(Code::NotUtf8, at..at + 3, "the file is not written in UTF-8")
                    .label("this is not a character of UTF-8 text")
                    .help("save the file again with the encoding `UTF-8`; in most editors: File, Save with encoding");
                Err(Report::new(&shown, vec![problem]))
            }
        }
    }

    /// What messages call the file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Line and column of an offset in bytes, both counted from 1, columns in characters.
    #[must_use]
    pub fn line_and_column(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset.min(self.text.len())).unwrap_or(&self.text);
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        (line, before.get(start..).unwrap_or_default().chars().count() + 1)
    }

    /// What the file says.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn columns_count_characters() {
        let source = Source::new("a.flow", "é = 1\nx = é!\n");
        assert_eq!(source.line_and_column(0), (1, 1));
        assert_eq!(source.line_and_column(3), (1, 3));
        assert_eq!(source.line_and_column(13), (2, 6));
        assert_eq!(source.line_and_column(1_000), (3, 1));
    }
}

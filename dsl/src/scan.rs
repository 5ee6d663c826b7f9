//! Text → logical lines, and a copy of the text in which the grammar cannot lose its way.
//!
//! In the copy ("masked") comments are blank, and what stands within quotes and brackets is
//! `_`, byte for byte; so no word within them is taken for a word of the language, no nesting
//! reaches the grammar, and every place in the copy is the place in the file. A logical line
//! goes on over line breaks while brackets or a template are open, and where the next line
//! can only be its continuation. Faults are noted, and reading goes on with the next line.

mod group;
mod words;

pub(crate) use group::too_deep;

use crate::plan::Span;
use crate::problem::{Code, Problem};

/// Deepest nesting of brackets, and of blocks.
pub(crate) const MAX_DEPTH: usize = 64;

/// What the scanner made of the text.
#[derive(Debug, Default)]
pub(crate) struct Scanned {
    /// The copy for the grammar, as long as the text.
    pub masked: String,
    /// Logical lines and closing braces in the order of the text.
    pub lines: Vec<Line>,
    /// What was wrong with quotes, brackets and characters.
    pub problems: Vec<Problem>,
    /// Where comments stand.
    pub comments: Vec<Span>,
}

/// A logical line, or a brace that closes a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Text to be parsed.
    Text {
        /// From the first to the last letter, without the brace that opens a block.
        span: Span,
        /// Columns before it.
        indent: usize,
        /// Where the brace stands that opens a block.
        opens: Option<usize>,
        /// The scanner found a fault in it, so that no more should be said of it.
        faulty: bool,
    },
    /// `}`
    Close {
        /// Where it stands.
        at: usize,
        /// Columns before it, when it is the first of its line.
        indent: Option<usize>,
    },
}

/// Reads all lines of the text.
pub(crate) fn scan(text: &str) -> Scanned {
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        masked: text.as_bytes().to_vec(),
        at: if text.starts_with('\u{feff}') { 3 } else { 0 },
        faulty: false,
        hopeless: false,
        out: Scanned::default(),
    };
    scanner.blank(0..scanner.at);
    while scanner.at < scanner.bytes.len() && !scanner.hopeless {
        scanner.line();
    }
    scanner.control_characters();
    // To the grammar every blank is a blank.
    for byte in &mut scanner.masked {
        if matches!(byte, b'\t' | b'\r') {
            *byte = b' ';
        }
    }
    let masked = std::mem::take(&mut scanner.masked);
    // Whole characters only were replaced; should that ever fail, the text itself still serves.
    scanner.out.masked = String::from_utf8(masked).unwrap_or_else(|_| text.to_owned());
    scanner.out
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    masked: Vec<u8>,
    at: usize,
    /// Something in this line is wrong.
    faulty: bool,
    /// Nothing sensible can be said of the rest of the file.
    hopeless: bool,
    out: Scanned,
}

/// How braces at the top of a line are to be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Braces {
    /// The first one opens a block.
    Block,
    /// They belong to an expression.
    Expression,
    /// The line starts with an unknown word: a brace at its end opens a block.
    Guess,
}

impl Scanner<'_> {
    /// Control characters are refused everywhere, within texts and comments as well.
    fn control_characters(&mut self) {
        let known: Vec<usize> = self.out.problems.iter().map(|problem| problem.span().start).collect();
        let strange =
            self.text.char_indices().filter(|(_, c)| c.is_control() && !matches!(c, '\t' | '\r' | '\n'));
        for (at, character) in strange.take(crate::problem::MAX_PROBLEMS) {
            if !known.contains(&at) {
                self.out.problems.push(invisible(character, at..at + character.len_utf8()));
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn ahead(&self, by: usize) -> Option<u8> {
        self.bytes.get(self.at + by).copied()
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn replace(&mut self, span: Span, with: u8) {
        if let Some(bytes) = self.masked.get_mut(span) {
            bytes.fill(with);
        }
    }

    fn blank(&mut self, span: Span) {
        self.replace(span, b' ');
    }

    /// End of the line of text that holds `from`, before its line break.
    fn line_end(&self, from: usize) -> usize {
        let rest = self.bytes.get(from..).unwrap_or_default();
        from + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
    }

    fn report(&mut self, problem: Problem) {
        self.faulty = true;
        self.out.problems.push(problem);
    }

    /// One logical line, or one closing brace, or nothing but blanks.
    fn line(&mut self) {
        let first_of_line = self.skip_blanks();
        let Some(byte) = self.peek() else { return };
        let indent = first_of_line.map(|start| self.columns(start));
        if byte == b'}' {
            self.out.lines.push(Line::Close { at: self.at, indent });
            self.at += 1;
            return;
        }
        if byte == b'{' {
            self.lone_brace();
            return;
        }
        self.faulty = false;
        let start = self.at;
        let opens = self.line_body(start);
        let end = opens.unwrap_or(self.at);
        if opens.is_some() {
            self.at += 1;
        }
        let length = self.masked.get(start..end).unwrap_or_default().trim_ascii_end().len();
        if length > 0 {
            let indent = indent.unwrap_or_default();
            self.out.lines.push(Line::Text {
                span: start..start + length,
                indent,
                opens,
                faulty: self.faulty,
            });
        }
    }

    /// A brace on a line of its own opens the block of the line before.
    fn lone_brace(&mut self) {
        let at = self.at;
        self.at += 1;
        match self.out.lines.last_mut() {
            Some(Line::Text { opens: opens @ None, .. }) => *opens = Some(at),
            _ => self.out.lines.push(Line::Text {
                span: at..at + 1,
                indent: 0,
                opens: Some(at),
                faulty: false,
            }),
        }
    }

    /// Columns between the line break at `start` and here.
    fn columns(&self, start: usize) -> usize {
        let blanks = self.bytes.get(start..self.at).unwrap_or_default();
        blanks.iter().map(|byte| if *byte == b'\t' { 4 } else { 1 }).sum()
    }

    /// Skips blanks, line breaks and comments; gives where the line started, when nothing but
    /// blanks stands before.
    fn skip_blanks(&mut self) -> Option<usize> {
        let mut start = (self.at == 0 || self.bytes.get(self.at - 1) == Some(&b'\n')).then_some(self.at);
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => {
                    self.at += 1;
                    start = Some(self.at);
                }
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'/' if matches!(self.ahead(1), Some(b'/' | b'*')) => self.comment(),
                _ => break,
            }
        }
        start
    }

    /// Reads on to the end of the logical line; gives the brace that opens a block.
    fn line_body(&mut self, start: usize) -> Option<usize> {
        let braces = words::braces(self.rest());
        while let Some(byte) = self.peek() {
            match byte {
                b'\n' => {
                    if !words::goes_on(self.masked.get(start..self.at).unwrap_or_default(), self.rest()) {
                        return None;
                    }
                    self.blank(self.at..self.at + 1);
                    self.at += 1;
                }
                b'}' => return None,
                b'{' if braces == Braces::Block => return Some(self.at),
                b'{' if braces == Braces::Guess && self.ends_line(self.at + 1) => return Some(self.at),
                b'(' | b'[' | b'{' | b'`' => {
                    if !self.group() {
                        return None;
                    }
                }
                b')' | b']' => self.stray_bracket(),
                b'#' if self.ahead(1) == Some(b'{') => {
                    self.at += 1;
                    if !self.group() {
                        return None;
                    }
                }
                b'/' if matches!(self.ahead(1), Some(b'/' | b'*')) => self.comment(),
                b'"' => self.text_literal(b'_'),
                b'\'' => self.single_quoted(),
                _ => self.plain(),
            }
        }
        None
    }

    /// Nothing but blanks and a comment stand between here and the line break.
    fn ends_line(&self, from: usize) -> bool {
        let rest = self.text.get(from..self.line_end(from)).unwrap_or_default().trim();
        rest.is_empty() || rest.starts_with("//")
    }

    fn stray_bracket(&mut self) {
        let at = self.at;
        let which = if self.peek() == Some(b')') { ')' } else { ']' };
        let problem = Problem::new(Code::StrayBracket, at..at + 1, format!("`{which}` closes nothing"))
            .label("no bracket is open here")
            .help("take it away, or put the opening bracket where it belongs");
        self.report(problem);
        self.at += 1;
    }

    /// `// to the end of the line` or `/* … */`, which may stand within one another.
    fn comment(&mut self) {
        let start = self.at;
        if self.ahead(1) == Some(b'/') {
            self.at = self.line_end(start);
        } else {
            let mut open = 0_usize;
            loop {
                match (self.peek(), self.ahead(1)) {
                    (Some(b'/'), Some(b'*')) => (open, self.at) = (open + 1, self.at + 2),
                    (Some(b'*'), Some(b'/')) => (open, self.at) = (open - 1, self.at + 2),
                    (Some(_), _) => self.at += 1,
                    (None, _) => {
                        self.report(
                            Problem::new(Code::UnclosedComment, start..start + 2, "this comment has no end")
                                .label("opened here")
                                .help("put `*/` where it ends, or start each of its lines with `//`"),
                        );
                        break;
                    }
                }
                if open == 0 {
                    break;
                }
            }
        }
        self.blank(start..self.at);
        self.out.comments.push(start..self.at);
    }

    /// `"…"` on one line; within it the copy gets `fill`.
    fn text_literal(&mut self, fill: u8) {
        let start = self.at;
        let end = self.line_end(start);
        self.at += 1;
        while self.at < end {
            match self.peek() {
                Some(b'"') => {
                    self.replace(start + 1..self.at, fill);
                    self.at += 1;
                    return;
                }
                Some(b'\\') => self.at = (self.at + 2).min(end),
                _ => self.at += 1,
            }
        }
        self.at = end;
        self.replace(start + 1..end, fill);
        let shown = self.text.get(start..end).map_or(end, |line| start + line.trim_end().len());
        self.report(
            Problem::new(Code::UnclosedText, start..shown, "this text has no closing quote")
                .label("opened here, and the line ends")
                .help("put `\"` where the text ends; a text over several lines stands in backticks: `…`"),
        );
    }

    /// `'x'` is a character in Rhai; anything longer is text in the wrong quotes.
    fn single_quoted(&mut self) {
        let start = self.at;
        let line = self.text.get(start + 1..self.line_end(start)).unwrap_or_default();
        let Some(length) = line.find('\'') else {
            self.at += 1;
            return;
        };
        let inner = line.get(..length).unwrap_or_default();
        let end = start + length + 2;
        if inner.chars().count() != 1 && !inner.starts_with('\\') {
            let mended = format!("\"{}\"", inner.replace('"', "\\\""));
            self.report(
                Problem::new(Code::SingleQuotes, start..end, "text stands in double quotes")
                    .label("single quotes")
                    .help(format!("write `{mended}`")),
            );
        }
        self.replace(start + 1..end - 1, b'_');
        // The grammar knows text in double quotes only.
        self.replace(start..start + 1, b'"');
        self.replace(end - 1..end, b'"');
        self.at = end;
    }

    /// Any other character, of which some are refused.
    fn plain(&mut self) {
        let Some(character) = self.rest().chars().next() else { return };
        let span = self.at..self.at + character.len_utf8();
        self.at = span.end;
        match character {
            '“' | '”' | '„' | '‟' | '«' | '»' | '″' => self.curly(span),
            '‘' | '’' | '‚' | '′' => {
                self.blank(span.clone());
                self.report(
                    Problem::new(Code::CurlyQuotes, span, "this is a quote of a word processor")
                        .label("curly quote")
                        .help("text stands in straight double quotes: `\"…\"`"),
                );
            }
            '\t' | '\r' | '\n' => {}
            strange if strange.is_control() || is_invisible(strange) => {
                self.blank(span.clone());
                self.report(invisible(strange, span));
            }
            _ => {}
        }
    }

    /// “Text” with curly quotes: read as text, so that the rest of the line makes sense.
    fn curly(&mut self, open: Span) {
        let line = self.text.get(open.end..self.line_end(open.end)).unwrap_or_default();
        let close =
            line.char_indices().find(|(_, c)| matches!(c, '“' | '”' | '„' | '‟' | '«' | '»' | '″' | '"'));
        let end = close.map_or(open.end, |(index, c)| open.end + index + c.len_utf8());
        let inner = close.and_then(|(index, _)| line.get(..index)).unwrap_or("…").to_owned();
        self.replace(open.start..end, b'_');
        self.replace(open.start..open.start + 1, b'"');
        if close.is_some() {
            self.replace(end - 1..end, b'"');
        }
        self.at = end;
        self.report(
            Problem::new(Code::CurlyQuotes, open.start..end, "these are the quotes of a word processor")
                .label("curly quotes")
                .help(format!("write `\"{inner}\"` with straight quotes")),
        );
    }
}

fn invisible(character: char, at: Span) -> Problem {
    let message = format!("an invisible character (U+{:04X}) stands here", u32::from(character));
    Problem::new(Code::StrangeCharacter, at, message)
        .label("it cannot be seen, and means nothing")
        .help("delete it; it often comes along when text is copied from a web page or a PDF")
}

/// Characters of no width, and blanks that are no blanks.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{a0}' | '\u{ad}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{3000}')
}

#[cfg(test)]
mod tests {
    use super::{Line, scan};

    fn lines(text: &str) -> Vec<String> {
        let scanned = scan(text);
        assert_eq!(scanned.masked.len(), text.len());
        scanned
            .lines
            .iter()
            .map(|line| match line {
                Line::Text { span, opens, .. } => {
                    let shown = scanned.masked.get(span.clone()).unwrap().to_owned();
                    if opens.is_some() { format!("{shown} {{") } else { shown }
                }
                Line::Close { .. } => "}".to_owned(),
            })
            .collect()
    }

    #[test]
    fn words_within_quotes_and_brackets_are_out_of_sight() {
        assert_eq!(lines("skip \"a if b\" if f(x if y)"), ["skip \"______\" if f(______)"]);
        assert_eq!(lines("a = `x ${\"}\"} y` // when"), ["a = `__________`"]);
    }

    #[test]
    fn lines_go_on_where_they_can_only_go_on() {
        assert_eq!(lines("a = b\n  ?? c\nd = e"), ["a = b   ?? c", "d = e"]);
        assert_eq!(lines("a = f(\n  b,\n c)\nd = e"), ["a = f(________)", "d = e"]);
        assert_eq!(
            lines("fetch o from shop.orders\n since x\n where y = 1"),
            ["fetch o from shop.orders  since x  where y = 1"]
        );
    }

    #[test]
    fn lines_that_go_on_are_no_fault() {
        for text in [
            "a = f(\n  b,\n c)",
            "a = `x\ny`",
            "a = if b {\n c\n} else {\n d\n}",
            "a = b\r\n\t?? c",
            "a = b // c\n + d",
        ] {
            assert_eq!(scan(text).problems, [], "{text}");
        }
    }

    #[test]
    fn braces_open_blocks_in_headers_and_belong_to_expressions_elsewhere() {
        assert_eq!(
            lines("when a { skip \"x\" } else { b = 1 }"),
            ["when a {", "skip \"_\"", "}", "else {", "b = 1", "}"]
        );
        assert_eq!(lines("a = if b { c } else { d }"), ["a = if b {___} else {___}"]);
        assert_eq!(lines("address {\n x = #{a: 1}\n}"), ["address {", "x = #{____}", "}"]);
        assert_eq!(lines("foreach a in b {\n}"), ["foreach a in b {", "}"]);
    }

    #[test]
    fn an_open_bracket_costs_one_line() {
        let text = "a = f(b\nc = d\n";
        assert_eq!(lines(text), ["a = f(_", "c = d"]);
        assert_eq!(scan(text).problems.len(), 1);
    }
}

//! Text → tokens: words, numbers, texts, templates, comments, marks.
//!
//! Flows and the Rhai in them are cut the same way, whatever is wrong with them: this serves
//! layout, colours and finding the name under a cursor, and judges nothing.

use crate::plan::Span;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name, or a word of the language.
    Word,
    /// `12`, `2.50`
    Number,
    /// `"…"`, `'x'`
    Text,
    /// Text of a template, with its backtick, `${` and `}`.
    Template,
    /// `// …`, `/* … */`
    Comment,
    /// `=`, `->`, `(`
    Mark,
    /// The end of a line of text.
    Break,
}

/// A token and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it stands.
    pub span: Span,
    /// It stands between the backticks of a template, where blanks may mean something.
    pub within: bool,
}

/// Marks of more than one letter, the longer first.
const MARKS: [&str; 20] = [
    "===", "!==", "..=", "->", "=>", "==", "!=", "<=", ">=", "&&", "||", "??", "?.", "::", "..", "**", "+=",
    "-=", "*=", "/=",
];

/// All tokens of a text, in its order. Blanks are what is between them.
#[must_use]
pub fn tokens(text: &str) -> Vec<Token> {
    let mut reader = Reader { text, at: 0, open: Vec::new(), all: Vec::new() };
    while let Some(next) = reader.rest().chars().next() {
        reader.token(next);
    }
    reader.all
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// `true` for a template's code, `false` for braces within such code.
    open: Vec<bool>,
    all: Vec<Token>,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn push(&mut self, kind: Kind, length: usize, within: bool) {
        let span = self.at..(self.at + length).min(self.text.len());
        self.at = span.end;
        self.all.push(Token { kind, span, within });
    }

    fn token(&mut self, next: char) {
        let within = !self.open.is_empty();
        let rest = self.rest();
        match next {
            '\n' => self.push(Kind::Break, 1, within),
            '/' if rest.starts_with("//") => {
                let length = rest.find('\n').unwrap_or(rest.len());
                let length = rest.get(..length).map_or(length, |line| line.trim_end().len());
                self.push(Kind::Comment, length, within);
            }
            '/' if rest.starts_with("/*") => {
                let length = block_comment(rest);
                self.push(Kind::Comment, length, within);
            }
            '"' | '\'' => {
                let length = quoted(rest, next);
                let kind = if length == 1 { Kind::Mark } else { Kind::Text };
                self.push(kind, length, within);
            }
            '`' => self.template(1, within),
            '}' if self.open.last() == Some(&true) => {
                self.open.pop();
                let within = !self.open.is_empty();
                self.template(1, within);
            }
            '}' | '{' if within => {
                if next == '{' {
                    self.open.push(false);
                } else {
                    self.open.pop();
                }
                self.push(Kind::Mark, 1, true);
            }
            letter if letter.is_alphabetic() || letter == '_' => {
                let word = |c: char| !c.is_alphanumeric() && c != '_';
                let length = rest.find(word).unwrap_or(rest.len());
                self.push(Kind::Word, length, within);
            }
            digit if digit.is_ascii_digit() => {
                let length = number(rest);
                self.push(Kind::Number, length, within);
            }
            blank if blank.is_whitespace() || blank == '\u{feff}' => self.at += blank.len_utf8(),
            other => {
                let mark = MARKS.iter().find(|mark| rest.starts_with(**mark));
                let length = mark.map_or(other.len_utf8(), |mark| mark.len());
                self.push(Kind::Mark, length, within);
            }
        }
    }

    /// Text of a template from here on, to its backtick or to the next `${`.
    fn template(&mut self, opening: usize, within: bool) {
        let rest = self.rest();
        let text = rest.get(opening..).unwrap_or_default();
        let close = text.find('`');
        let code = text.find("${").filter(|code| close.is_none_or(|close| *code < close));
        let length = match (code, close) {
            (Some(code), _) => opening + code + 2,
            (None, Some(close)) => opening + close + 1,
            (None, None) => rest.len(),
        };
        if code.is_some() {
            self.open.push(true);
        }
        self.push(Kind::Template, length, within);
    }
}

fn block_comment(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut open, mut at) = (0_usize, 0);
    while let Some(byte) = bytes.get(at) {
        match (byte, bytes.get(at + 1)) {
            (b'/', Some(b'*')) => (open, at) = (open + 1, at + 2),
            (b'*', Some(b'/')) => (open, at) = (open - 1, at + 2),
            _ => at += 1,
        }
        if open == 0 {
            return at;
        }
    }
    text.len()
}

/// Length of a text in quotes; 1 when it has no end on its line.
fn quoted(text: &str, quote: char) -> usize {
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\n' => return 1,
            '\\' => drop(letters.next()),
            letter if letter == quote => return at + 1,
            _ => {}
        }
    }
    1
}

fn number(text: &str) -> usize {
    let till = |text: &str, belongs: fn(char) -> bool| text.find(|c| !belongs(c)).unwrap_or(text.len());
    if text.starts_with("0x") || text.starts_with("0b") || text.starts_with("0o") {
        return till(text, |c| c.is_ascii_alphanumeric() || c == '_');
    }
    let digits = |at: usize| {
        let rest = text.get(at..).unwrap_or_default();
        if rest.starts_with(|c: char| c.is_ascii_digit()) {
            till(rest, |c| c.is_ascii_digit() || c == '_')
        } else {
            0
        }
    };
    let mut length = digits(0);
    if text.get(length..).is_some_and(|rest| rest.starts_with('.')) && digits(length + 1) > 0 {
        length += 1 + digits(length + 1);
    }
    if text.get(length..).is_some_and(|rest| rest.starts_with('e')) && digits(length + 1) > 0 {
        length += 1 + digits(length + 1);
    }
    length
}

#[cfg(test)]
mod tests {
    use super::{Kind, tokens};

    fn cut(text: &str) -> Vec<&str> {
        tokens(text).into_iter().map(|token| text.get(token.span).unwrap()).collect()
    }

    #[test]
    fn everything_between_blanks_is_a_token() {
        assert_eq!(
            cut("a.b_1 ?? \"x \\\" y\" -> 2.50 // c \n }"),
            ["a", ".", "b_1", "??", "\"x \\\" y\"", "->", "2.50", "// c", "\n", "}"]
        );
        assert_eq!(
            cut("5minutes 1e9 1..2 é /* a /* b */ c */ 'x' ' "),
            ["5", "minutes", "1e9", "1", "..", "2", "é", "/* a /* b */ c */", "'x'", "'"]
        );
        assert_eq!(cut("\"open\n/* open"), ["\"", "open", "\n", "/* open"]);
    }

    #[test]
    fn templates_show_their_code() {
        let text = "`a ${b + `c ${#{d: {}}} e`} f` g";
        assert_eq!(
            cut(text),
            ["`a ${", "b", "+", "`c ${", "#", "{", "d", ":", "{", "}", "}", "} e`", "} f`", "g"]
        );
        let all = tokens(text);
        assert!(
            all.iter()
                .filter(|token| token.kind == Kind::Word)
                .map(|token| token.within)
                .eq([true, true, false])
        );
    }
}

//! Brackets and templates: what belongs together over line breaks.

use super::{MAX_DEPTH, Scanner, words};
use crate::problem::{Code, Problem};

/// Most lines of text that one pair of brackets may hold; an open bracket must not cost a
/// walk to the end of the file on every line.
const MAX_LINES: usize = 200;

/// Something that was opened and waits for its partner.
#[derive(Clone, Copy)]
struct Open {
    /// `(`, `[`, `{`, a backtick, or `$` for `${` within a template.
    what: u8,
    at: usize,
}

impl Open {
    fn closes_with(self) -> u8 {
        match self.what {
            b'(' => b')',
            b'[' => b']',
            b'`' => b'`',
            _ => b'}',
        }
    }
}

impl Scanner<'_> {
    /// Reads from an opening bracket or backtick past its partner. When there is none, notes
    /// the problem, gives `false` and stands at the end of the line of text.
    pub(super) fn group(&mut self) -> bool {
        let start = self.at;
        let mut open: Vec<Open> = Vec::new();
        let mut breaks = 0;
        while let Some(byte) = self.peek() {
            let within = open.last().map_or(0, |open| open.what);
            if byte == b'\n' {
                breaks += 1;
                let next = self.text.get(self.at + 1..).unwrap_or_default();
                if breaks > MAX_LINES || (within != b'{' && words::starts_statement(next)) {
                    break;
                }
            }
            match byte {
                _ if within == b'`' => match (byte, self.ahead(1)) {
                    (b'`', _) => {
                        open.pop();
                        self.at += 1;
                    }
                    (b'$', Some(b'{')) => {
                        open.push(Open { what: b'$', at: self.at });
                        self.at += 2;
                    }
                    _ => self.at += 1,
                },
                b'(' | b'[' | b'{' | b'`' => {
                    open.push(Open { what: byte, at: self.at });
                    self.at += 1;
                }
                b')' | b']' | b'}' => {
                    if open.last().is_none_or(|last| last.closes_with() != byte) {
                        break;
                    }
                    open.pop();
                    self.at += 1;
                }
                b'/' if matches!(self.ahead(1), Some(b'/' | b'*')) => self.comment(),
                b'"' => self.text_literal(b'_'),
                b'\'' => self.single_quoted(),
                _ => self.plain(),
            }
            if open.len() > MAX_DEPTH {
                self.too_deep();
                return false;
            }
            if open.is_empty() {
                self.replace(start + 1..self.at - 1, b'_');
                return true;
            }
        }
        self.unclosed(start, open.last().copied());
        false
    }

    fn unclosed(&mut self, start: usize, last: Option<Open>) {
        let open = last.unwrap_or(Open { what: b'(', at: start });
        let length = if open.what == b'$' { 2 } else { 1 };
        let place = open.at..open.at + length;
        let problem = match open.what {
            b'`' => Problem::new(Code::UnclosedTemplate, place, "this text has no closing backtick")
                .label("opened here")
                .help("put a backtick where the text ends"),
            what => {
                let written = if what == b'$' { "${".to_owned() } else { char::from(what).to_string() };
                let partner = char::from(open.closes_with());
                Problem::new(Code::UnclosedBracket, place, format!("`{written}` is not closed"))
                    .label("opened here")
                    .help(format!("put `{partner}` where it ends"))
            }
        };
        self.report(problem);
        // From the opening on nothing of this line can be relied on; the next line can. A
        // comment may have been blanked beyond it, and is read again.
        let end = self.line_end(open.at);
        let text = self.text.as_bytes().get(end..).unwrap_or_default().to_vec();
        if let Some(masked) = self.masked.get_mut(end..) {
            masked.copy_from_slice(&text);
        }
        self.out.comments.retain(|comment| comment.start < end);
        self.replace(start + 1..end, b'_');
        self.at = end;
    }

    fn too_deep(&mut self) {
        let at = self.at.saturating_sub(1);
        self.out.problems.clear();
        self.report(too_deep(at, "brackets"));
        self.hopeless = true;
        self.at = self.bytes.len();
    }
}

/// What is said of brackets and of blocks alike.
pub(crate) fn too_deep(at: usize, what: &str) -> Problem {
    Problem::new(
        Code::TooDeep,
        at..at + 1,
        format!("{what} stand more than {MAX_DEPTH} deep within one another"),
    )
    .label("one too many")
    .help("split it: give a part a name with `map`, or move it into a script function")
}

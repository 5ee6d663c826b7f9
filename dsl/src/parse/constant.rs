//! Constants: what may stand as a default, as an option and in the rows of a table.
//!
//! A number with a fraction is an exact decimal; nothing here passes through a float.

use rust_decimal::Decimal;

use crate::ast::Value;
use crate::plan::{Constant, Span};
use crate::problem::{Code, Problem};

/// Reads the constant that fills `span` of the text.
pub(super) fn read(text: &str, span: &Span) -> Result<Value, Problem> {
    let mut reader = Reader { text, at: span.start, end: span.end };
    let value = reader.value()?;
    let end = reader.at;
    reader.blanks();
    if reader.at < span.end {
        let rest = reader.at..span.end;
        let digits = reader
            .rest()
            .strip_prefix(',')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        if digits && matches!(value, Constant::Integer(_)) {
            let written = text.get(span.clone()).unwrap_or_default();
            return Err(Problem::new(Code::NotAConstant, span.clone(), "a fraction is written with a point")
                .label("a comma")
                .help(format!("write `{}`", written.replacen(',', ".", 1))));
        }
        return Err(Problem::new(Code::NotAConstant, rest, "the value ends before this")
            .label("not part of a constant")
            .help("a default, a row and `otherwise` take a constant: a text in quotes, a number, `true`, `false`, `()` or a list; what is worked out belongs in a step"));
    }
    Ok(Value { value, span: span.start..end })
}

/// One key of a row: its constant, `None` for the wildcard, and its place.
pub(super) type Key = (Option<Constant>, Span);

/// Reads the keys of a row: one constant or `_`, or several in brackets.
pub(super) fn read_keys(text: &str, span: &Span) -> Result<Vec<Key>, Problem> {
    let mut reader = Reader { text, at: span.start, end: span.end };
    let written = text.get(span.clone()).unwrap_or_default().trim();
    if written == "()" || !written.starts_with('(') {
        return Ok(vec![reader.key(span.end)?]);
    }
    reader.at += 1;
    let mut keys = Vec::new();
    let close = span.start + written.len() - 1;
    reader.end = close;
    loop {
        reader.blanks();
        if reader.at >= close {
            return Ok(keys);
        }
        keys.push(reader.key(close)?);
        reader.blanks();
        if reader.peek() == Some(b',') {
            reader.at += 1;
        } else if reader.at < close {
            return Err(Problem::new(Code::Unexpected, reader.at..close, "expected `,` between two keys")
                .label("a key has ended before this"));
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    end: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..self.end).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.rest().bytes().next()
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        for (open, close) in [("//", "\n"), ("/*", "*/")] {
            if self.rest().starts_with(open) {
                let length = self.rest().find(close).map_or(self.rest().len(), |at| at + close.len());
                self.at += length;
                self.blanks();
            }
        }
    }

    fn key(&mut self, end: usize) -> Result<Key, Problem> {
        self.blanks();
        let start = self.at;
        let length = self.word_length();
        if length == 1 && self.peek() == Some(b'_') {
            self.at += 1;
            return Ok((None, start..self.at));
        }
        let value = self.value()?;
        let span = start..self.at;
        self.blanks();
        if self.at < end && self.peek() != Some(b',') {
            return Err(Problem::new(Code::NotAConstant, self.at..end, "the key ends before this")
                .label("not part of a key")
                .help("several keys stand in brackets with a comma between them: `(\"NL\", 21) -> 1`"));
        }
        Ok((Some(value), span))
    }

    fn word_length(&self) -> usize {
        self.rest().find(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').unwrap_or(self.rest().len())
    }

    fn value(&mut self) -> Result<Constant, Problem> {
        self.blanks();
        match self.peek() {
            Some(b'"' | b'`') => self.text(),
            Some(b'[') => self.list(),
            Some(b'(') if self.rest().starts_with("()") => {
                self.at += 2;
                Ok(Constant::Nothing)
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => self.bare(),
        }
    }

    fn text(&mut self) -> Result<Constant, Problem> {
        let start = self.at;
        let quote = if self.peek() == Some(b'`') { '`' } else { '"' };
        let mut value = String::new();
        let mut escaped = false;
        for (index, character) in self.rest().char_indices().skip(1) {
            match character {
                _ if escaped => {
                    value.push(match character {
                        'n' => '\n',
                        't' => '\t',
                        'r' => '\r',
                        other => other,
                    });
                    escaped = false;
                }
                '\\' if quote == '"' => escaped = true,
                c if c == quote => {
                    self.at = start + index + 1;
                    if quote == '`' && value.contains("${") {
                        return Err(Problem::new(Code::NotAConstant, start..self.at, "this text has parts to fill in")
                            .label("not a constant")
                            .help("a constant is known before the first record is read; write the text in double quotes"));
                    }
                    return Ok(Constant::Text(value));
                }
                other => value.push(other),
            }
        }
        let end = self.end;
        self.at = end;
        Err(Problem::new(Code::UnclosedText, start..end, "this text has no closing quote")
            .label("opened here"))
    }

    fn number(&mut self) -> Result<Constant, Problem> {
        let start = self.at;
        let sign = usize::from(self.peek() == Some(b'-'));
        let digits = self.rest().get(sign..).unwrap_or_default();
        let length = digits
            .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '_'))
            .unwrap_or(digits.len());
        self.at += sign + length;
        let written = self.text.get(start..self.at).unwrap_or_default();
        let plain = written.replace('_', "");
        if let Ok(integer) = plain.parse::<i64>() {
            return Ok(Constant::Integer(integer));
        }
        let is_number = plain.trim_start_matches('-').chars().all(|c| c.is_ascii_digit() || c == '.');
        if let (true, Ok(decimal)) = (is_number && !plain.ends_with('.'), Decimal::from_str_exact(&plain)) {
            return Ok(Constant::Decimal(decimal));
        }
        let help = format!(
            "a text stands in quotes: `\"{written}\"`; a number has digits and at most one point, and no more than 28 digits"
        );
        Err(Problem::new(
            Code::NotAConstant,
            start..self.at.max(start + 1),
            format!("`{written}` is not a number"),
        )
        .label("neither a number nor a text")
        .help(help))
    }

    fn list(&mut self) -> Result<Constant, Problem> {
        let start = self.at;
        self.at += 1;
        let mut values = Vec::new();
        loop {
            self.blanks();
            match self.peek() {
                Some(b']') => {
                    self.at += 1;
                    return Ok(Constant::List(values));
                }
                Some(b',') if !values.is_empty() => {
                    self.at += 1;
                    self.blanks();
                    if self.peek() == Some(b']') {
                        continue;
                    }
                    values.push(self.value()?);
                }
                Some(_) if values.is_empty() => values.push(self.value()?),
                _ => {
                    return Err(Problem::new(
                        Code::NotAConstant,
                        start..self.end,
                        "this list cannot be read",
                    )
                    .label("a list is written `[\"a\", \"b\"]`"));
                }
            }
        }
    }

    fn bare(&mut self) -> Result<Constant, Problem> {
        let start = self.at;
        let length = self.word_length();
        let word = self.rest().get(..length).unwrap_or_default().to_owned();
        self.at += length;
        let constant = match word.as_str() {
            "true" => Some(Constant::Boolean(true)),
            "false" => Some(Constant::Boolean(false)),
            _ => None,
        };
        if let Some(constant) = constant {
            return Ok(constant);
        }
        let span = start..self.at.max(start + 1);
        Err(match word.to_lowercase().as_str() {
            "" => Problem::new(Code::NotAConstant, span, "a constant must stand here")
                .label("neither a text nor a number")
                .help("write a text in quotes, a number, `true`, `false`, `()` or a list `[…]`"),
            "yes" | "on" | "ja" | "no" | "off" | "nee" | "true" | "false" => {
                let mended = matches!(word.to_lowercase().as_str(), "yes" | "on" | "ja" | "true");
                Problem::new(Code::NotAConstant, span, format!("`{word}` is no value"))
                    .label("not a constant")
                    .help(format!("write `{mended}`, or `\"{word}\"` when it is a text"))
            }
            "null" | "nil" | "none" | "empty" | "nothing" => {
                Problem::new(Code::NotAConstant, span, format!("`{word}` is no value"))
                    .label("not a constant")
                    .help("no value is written `()`")
            }
            _ if word.contains('.') => Problem::new(Code::NotAConstant, span, "a constant must stand here")
                .label("not known before the first record is read")
                .help("write a text in quotes, a number, `true`, `false`, `()` or a list; what comes from a record belongs in a step"),
            _ => {
                let whole = self.text.get(start..self.end).unwrap_or_default().trim_end();
                let is_words = whole.chars().all(|c| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-'));
                let (shown, end) = if is_words { (whole, start + whole.len()) } else { (word.as_str(), self.at) };
                Problem::new(Code::MissingQuotes, start..end, format!("`{shown}` is a text without quotes"))
                    .label("quotes are missing")
                    .help(format!("write `\"{shown}\"`"))
            }
        })
    }
}

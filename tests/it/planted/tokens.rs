//! Words, texts and marks of a flow, as far as planting mistakes needs them: comments, questions
//! and titles are left out, code within templates is not.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Word,
    Number,
    /// With its quotes.
    Text,
    Mark,
}

/// One token of a flow.
#[derive(Clone, Debug)]
pub struct Token {
    pub kind: Kind,
    pub text: String,
    /// Where it starts, in bytes.
    pub at: usize,
    /// Number of its line, from 1.
    pub line: usize,
    /// It is the first of its line.
    pub first: bool,
}

impl Token {
    pub fn is(&self, text: &str) -> bool {
        self.text == text
    }

    pub fn end(&self) -> usize {
        self.at + self.text.len()
    }
}

/// Marks of more than one letter.
const MARKS: [&str; 12] = ["??", "?.", "==", "!=", "<=", ">=", "&&", "||", "::", "->", "=>", "${"];

/// The tokens of a flow.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut offset = 0;
    let mut in_list = false;
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let said = line.trim_start();
        let is_prose = ["//", "ask ", "flow "].iter().any(|start| said.starts_with(start));
        if !is_prose {
            let first = found.len();
            of_line(line, offset, number + 1, &mut found);
            if let Some(token) = found.get_mut(first).filter(|_| !in_list) {
                token.first = true;
            }
            in_list = found.last().is_some_and(|last| [",", "|", "["].contains(&last.text.as_str()));
        }
        offset += line.len();
    }
    found
}

fn of_line(line: &str, offset: usize, number: usize, found: &mut Vec<Token>) {
    let mut at = 0;
    // Braces within a template: at the last of them its text goes on.
    let mut templates: Vec<usize> = Vec::new();
    let mut in_text = false;
    while let Some(letter) = line[at..].chars().next() {
        let rest = &line[at..];
        if in_text {
            if letter == '`' {
                in_text = false;
                templates.pop();
            } else if rest.starts_with("${") {
                in_text = false;
                *templates.last_mut().unwrap() = 1;
                at += 2;
                continue;
            }
            at += letter.len_utf8();
            continue;
        }
        if rest.starts_with("//") {
            return;
        }
        let (kind, length) = match letter {
            letter if letter.is_whitespace() => {
                at += letter.len_utf8();
                continue;
            }
            '`' => {
                templates.push(0);
                in_text = true;
                at += 1;
                continue;
            }
            '"' => (Kind::Text, rest[1..].find('"').map_or(rest.len(), |end| end + 2)),
            letter if letter.is_ascii_digit() => {
                (Kind::Number, rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len()))
            }
            letter if letter.is_alphabetic() || letter == '_' => {
                (Kind::Word, rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()))
            }
            _ => match MARKS.iter().find(|mark| rest.starts_with(**mark)) {
                Some(mark) => (Kind::Mark, mark.len()),
                None => (Kind::Mark, letter.len_utf8()),
            },
        };
        let text = &rest[..length];
        match (text, templates.last_mut()) {
            ("{", Some(open)) => *open += 1,
            ("}", Some(open)) => {
                *open -= 1;
                if *open == 0 {
                    in_text = true;
                    at += 1;
                    continue;
                }
            }
            _ => {}
        }
        found.push(Token { kind, text: text.to_owned(), at: offset + at, line: number, first: false });
        at += length;
    }
}

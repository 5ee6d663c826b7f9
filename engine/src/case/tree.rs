//! JSON as a tree that knows where each part stands, so that a mistake is shown in its place.

use std::ops::Range;

use bytes::Bytes;
use connectors::record::{ReadError, Value, read_json};

/// A value with its place in the text.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) parts: Parts,
}

/// What a value is made of.
#[derive(Clone, Debug)]
pub(super) enum Parts {
    /// A text, a number, `true`, `false` or `null`.
    Single,
    List(Vec<Node>),
    Map(Vec<Member>),
}

/// A member of a map.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: String,
    /// Where its name stands.
    pub(super) at: Range<usize>,
    pub(super) node: Node,
}

/// Reads a text whole.
pub(super) fn read(text: &str) -> Result<Node, ReadError> {
    // Whatever the scanner meets from here on is sound.
    read_json(&Bytes::from(text.to_owned()))?;
    Ok(Scanner { text, at: 0 }.node())
}

/// Where the cases of a file name a setting or a table, quotes and all; none where it is no file of
/// cases.
pub(crate) fn named(text: &str, section: &str, name: &str) -> Vec<Range<usize>> {
    let Ok(file) = read(text) else { return Vec::new() };
    let cases = file.items().unwrap_or_default().iter();
    let found = cases.filter_map(|case| Some(case.member(section)?.node.member(name)?.at.clone()));
    found.collect()
}

impl Node {
    /// Its value.
    pub(super) fn value(&self, text: &str) -> Value {
        let part = text.get(self.span.clone()).unwrap_or_default();
        read_json(&Bytes::from(part.to_owned())).unwrap_or_default()
    }

    /// Its members, when it is a map.
    pub(super) fn members(&self) -> Option<&[Member]> {
        match &self.parts {
            Parts::Map(members) => Some(members),
            _ => None,
        }
    }

    /// Its items, when it is a list.
    pub(super) fn items(&self) -> Option<&[Self]> {
        match &self.parts {
            Parts::List(items) => Some(items),
            _ => None,
        }
    }

    /// The member of that name.
    pub(super) fn member(&self, name: &str) -> Option<&Member> {
        self.members()?.iter().find(|member| member.name == name)
    }

    /// Where a path such as `lines[2].sku` stands: the name of its last part when that is asked
    /// for, else its value. What is not there is where it would be.
    pub(super) fn place(&self, path: &str, name: bool) -> Range<usize> {
        let (first, rest) = match path.find(['.', '[']) {
            Some(0) => match path.get(1..).and_then(|inner| inner.split_once(']')) {
                Some((number, rest)) if path.starts_with('[') => {
                    let at = number.parse().unwrap_or(usize::MAX);
                    let item = self.items().and_then(|items| items.get(at));
                    return item.map_or(self.span.clone(), |item| item.place(rest, name));
                }
                _ => (path.get(1..).unwrap_or_default(), ""),
            },
            Some(end) => path.split_at(end),
            None => (path, ""),
        };
        if first.is_empty() {
            return self.span.clone();
        }
        if path.starts_with('.') {
            return self.place(first, name);
        }
        match self.member(first) {
            Some(member) if rest.is_empty() && name => member.at.clone(),
            Some(member) => member.node.place(rest, name),
            None => self.span.start..self.span.start + 1,
        }
    }
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
}

impl Scanner<'_> {
    fn peek(&mut self) -> u8 {
        while self.text.as_bytes().get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.text.as_bytes().get(self.at).copied().unwrap_or(b']')
    }

    /// True when that sign stands here; it is passed.
    fn takes(&mut self, sign: u8) -> bool {
        let is = self.peek() == sign;
        self.at += usize::from(is);
        is
    }

    fn node(&mut self) -> Node {
        let first = self.peek();
        let start = self.at;
        let parts = match first {
            b'{' => {
                let mut members = Vec::new();
                self.at += 1;
                while self.at < self.text.len() && !self.takes(b'}') {
                    let at = self.single();
                    let quoted = self.text.get(at.clone()).unwrap_or_default();
                    let name = serde_json::from_str(quoted).unwrap_or_default();
                    self.takes(b':');
                    members.push(Member { name, at, node: self.node() });
                    self.takes(b',');
                }
                Parts::Map(members)
            }
            b'[' => {
                let mut items = Vec::new();
                self.at += 1;
                while self.at < self.text.len() && !self.takes(b']') {
                    items.push(self.node());
                    self.takes(b',');
                }
                Parts::List(items)
            }
            _ => {
                self.single();
                Parts::Single
            }
        };
        Node { span: start..self.at, parts }
    }

    /// A text, a number or a word.
    fn single(&mut self) -> Range<usize> {
        let is_text = self.peek() == b'"';
        let start = self.at;
        let rest = self.text.as_bytes().get(start..).unwrap_or_default();
        let length = if is_text {
            let mut escaped = false;
            let end = rest.iter().skip(1).position(|byte| {
                let ends = *byte == b'"' && !escaped;
                escaped = *byte == b'\\' && !escaped;
                ends
            });
            end.map_or(rest.len(), |end| end + 2)
        } else {
            let ends = |byte: &u8| byte.is_ascii_whitespace() || b",:]}".contains(byte);
            rest.iter().position(ends).unwrap_or(rest.len()).max(1)
        };
        self.at = start + length;
        start..self.at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#" {"a": 1.50, "ké": [ {"x\"}": "]\\"}, [], true ], "e": {}} "#;

    #[test]
    fn each_part_stands_where_it_stands() {
        let node = read(TEXT).unwrap();
        let shown = |path: &str, name: bool| TEXT.get(node.place(path, name)).unwrap();
        assert_eq!(shown("a", false), "1.50");
        assert_eq!(shown("a", true), "\"a\"");
        assert_eq!(shown("ké[1]", false), "[]");
        assert_eq!(shown("ké[2]", false), "true");
        assert_eq!(shown("e", false), "{}");
        assert_eq!(shown("nowhere.at", false), "{");
        let item = &node.member("ké").unwrap().node.items().unwrap()[0];
        assert_eq!(item.members().unwrap()[0].name, "x\"}");
        assert_eq!(item.value(TEXT).to_string(), r#"{"x\"}":"]\\"}"#);
        assert_eq!(node.value(TEXT).to_string(), read_json(&Bytes::from(TEXT)).unwrap().to_string());
    }

    #[test]
    fn what_is_no_json_is_told_with_its_line() {
        assert_eq!(read("[1,\n 2,,]").unwrap_err().line, 2);
    }
}

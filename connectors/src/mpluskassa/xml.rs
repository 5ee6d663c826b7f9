//! XML as a small tree, as far as SOAP needs it: elements, their namespace, their text.
//!
//! Attributes, comments and processing instructions carry nothing here and are dropped; a
//! document type is refused, as SOAP demands.

use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

use crate::record::Text;

/// The system's own namespace.
pub(super) const OURS: &str = "urn:mplusqapi";
/// The namespace of SOAP 1.1 envelopes.
pub(super) const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";

/// Deepest nesting of elements that is read; the vendor's deepest is about fifteen.
const DEEPEST: usize = 60;

/// Whose element it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Space {
    /// Of the system.
    #[default]
    Ours,
    /// Of the envelope.
    Soap,
    /// Of somebody else, or of nobody.
    Other,
}

/// An element; prefixes are gone, names are compared within their namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) space: Space,
    pub(super) name: Text,
    /// Text between the tags; what stands between children is dropped.
    pub(super) text: Text,
    pub(super) children: Vec<Self>,
}

/// Why a text is not XML that we read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Malformed(pub(super) String);

impl Element {
    /// An element of the system with text.
    pub(super) fn leaf(name: &'static str, text: impl Into<Text>) -> Self {
        Self { name: Text::from_static(name), text: text.into(), ..Self::default() }
    }

    /// An element of the system with children.
    pub(super) fn branch(name: &'static str, children: Vec<Self>) -> Self {
        Self { name: Text::from_static(name), children, ..Self::default() }
    }

    /// The first child of that name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name.as_str() == name)
    }

    /// Appends the element as XML, its names under `prefix`.
    pub(super) fn write(&self, prefix: &str, out: &mut String) {
        let colon = if prefix.is_empty() { "" } else { ":" };
        let name = self.name.as_str();
        out.extend(["<", prefix, colon, name]);
        if self.children.is_empty() && self.text.is_empty() {
            out.push_str("/>");
            return;
        }
        out.push('>');
        write_text(&self.text, out);
        for child in &self.children {
            child.write(prefix, out);
        }
        out.extend(["</", prefix, colon, name, ">"]);
    }
}

/// Escapes what XML reserves and leaves out what it cannot hold.
fn write_text(text: &str, out: &mut String) {
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // A reader turns a bare one into a line feed.
            '\r' => out.push_str("&#13;"),
            '\t' | '\n' => out.push(letter),
            '\u{fffe}' | '\u{ffff}' => {}
            _ if letter < ' ' => {}
            _ => out.push(letter),
        }
    }
}

/// Reads one document.
pub(super) fn read(page: &[u8]) -> Result<Element, Malformed> {
    let page = page.strip_prefix(b"\xef\xbb\xbf").unwrap_or(page);
    let page = std::str::from_utf8(page).map_err(|_| Malformed("the text is not UTF-8".into()))?;
    let mut reader = NsReader::from_str(page);
    let mut tree = Tree::default();
    loop {
        let (space, event) = reader.read_resolved_event().map_err(|error| Malformed(error.to_string()))?;
        let space = match space {
            ResolveResult::Bound(Namespace(OURS)) => Space::Ours,
            ResolveResult::Bound(Namespace(SOAP)) => Space::Soap,
            _ => Space::Other,
        };
        match event {
            Event::Start(tag) => tree.start(&tag, space)?,
            Event::Empty(tag) => {
                tree.start(&tag, space)?;
                tree.end()?;
            }
            Event::End(_) => tree.end()?,
            Event::Text(text) => tree.text(&text.xml10_content())?,
            Event::CData(text) => tree.text(&text.xml10_content())?,
            Event::GeneralRef(entity) => tree.entity(&entity)?,
            Event::DocType(_) => return Err(Malformed("a document type is not allowed".into())),
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    if let Some(open) = tree.open.last() {
        return Err(Malformed(format!("the text ends within `{}`", open.name)));
    }
    tree.root.ok_or_else(|| Malformed("there is no element".into()))
}

/// A document while it is read.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
}

impl Tree {
    fn start(&mut self, tag: &BytesStart<'_>, space: Space) -> Result<(), Malformed> {
        if self.open.len() >= DEEPEST {
            return Err(Malformed(format!("elements are nested deeper than {DEEPEST} levels")));
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err(Malformed("there is more than one outer element".into()));
        }
        let name = Text::from(tag.local_name().into_inner());
        self.open.push(Element { space, name, ..Element::default() });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Malformed> {
        let mut done = self.open.pop().ok_or_else(|| Malformed("an end without a start".into()))?;
        if !done.children.is_empty() {
            done.text = Text::default();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(done),
            None => self.root = Some(done),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Malformed> {
        let Some(open) = self.open.last_mut() else {
            if text.trim().is_empty() {
                return Ok(());
            }
            return Err(Malformed("there is text outside of the elements".into()));
        };
        open.text =
            if open.text.is_empty() { Text::from(text) } else { Text::from(format!("{}{text}", open.text)) };
        Ok(())
    }

    fn entity(&mut self, entity: &BytesRef<'_>) -> Result<(), Malformed> {
        if let Some(letter) = entity.resolve_char_ref().map_err(|error| Malformed(error.to_string()))? {
            return self.text(letter.encode_utf8(&mut [0; 4]));
        }
        match quick_xml::escape::resolve_xml_entity(entity) {
            Some(text) => self.text(text),
            None => Err(Malformed(format!("`&{};` is not known", &**entity))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_text(text: &str) -> Result<Element, Malformed> {
        read(text.as_bytes())
    }

    #[test]
    fn names_are_compared_by_namespace() {
        for text in [
            r#"<a:x xmlns:a="urn:mplusqapi"><a:y>1</a:y></a:x>"#,
            r#"<x xmlns="urn:mplusqapi"><y>1</y></x>"#,
            r#"<x xmlns="urn:mplusqapi" xmlns:b="urn:mplusqapi"> <b:y>1</b:y> </x>"#,
        ] {
            let expected = Element::branch("x", vec![Element::leaf("y", "1")]);
            assert_eq!(read_text(text), Ok(expected), "{text}");
        }
        assert_eq!(read_text("<x/>").unwrap().space, Space::Other);
    }

    #[test]
    fn texts_are_put_together() {
        let text = "<x xmlns='urn:mplusqapi'>a &amp; b<![CDATA[ <c> ]]>&#233;&#x20AC;</x>";
        assert_eq!(read_text(text).unwrap().text.as_str(), "a & b <c> é€");
    }

    #[test]
    fn what_is_not_xml_is_refused() {
        for text in [
            "",
            "no XML",
            "<a><b></a>",
            "<a>",
            "<a/><b/>",
            "<a/>x",
            "<a>&nbsp;</a>",
            "<!DOCTYPE a><a/>",
            "<html><body><br></body></html>",
        ] {
            assert!(read_text(text).is_err(), "{text}");
        }
        assert!(read_text(&"<a>".repeat(100_000)).unwrap_err().0.contains("nested"));
    }

    fn any_element() -> impl Strategy<Value = Element> {
        let text = "[ -~\t\n\r\u{a0}-\u{d7ff}]{0,12}";
        let leaf = text.prop_map(|text| Element::leaf("leaf", text));
        leaf.prop_recursive(4, 30, 5, |inner| {
            prop::collection::vec(inner, 1..5).prop_map(|children| Element::branch("branch", children))
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(element in any_element()) {
            let mut text = String::new();
            element.write("p", &mut text);
            let text = text.replacen("<p:", "<p:outer xmlns:p='urn:mplusqapi'><p:", 1) + "</p:outer>";
            prop_assert_eq!(read_text(&text).unwrap().children, vec![element]);
        }

        #[test]
        fn any_text_is_written_as_xml(text in ".*") {
            let mut out = String::from("<x>");
            write_text(&text, &mut out);
            out.push_str("</x>");
            prop_assert!(read_text(&out).is_ok());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes);
        }

        #[test]
        fn any_tags_are_read_or_refused(text in "(<a>|</a>|<b x='1'/>|<a:|&|;|<!|\\]\\]>|x| ){0,40}") {
            let _ = read_text(&text);
        }
    }
}

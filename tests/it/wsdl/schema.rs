//! As much of XML Schema as the vendor's WSDL uses, read from the WSDL itself: sequences,
//! extensions, enumerations and a dozen basic types. Anything else in it fails the test, so
//! that nothing is passed over.

use std::collections::HashMap;

use quick_xml::NsReader;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};

const XSD: &str = "http://www.w3.org/2001/XMLSchema";

/// An element with its namespace, attributes (those that declare namespaces left out), text
/// and children.
#[derive(Debug, Default)]
pub struct Node {
    pub space: String,
    pub name: String,
    pub attributes: HashMap<String, String>,
    pub text: String,
    pub children: Vec<Node>,
}

/// Reads XML into nodes.
pub fn nodes(text: &str) -> Node {
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
    let mut open = vec![Node::default()];
    loop {
        let (space, event) = reader.read_resolved_event().unwrap();
        let space =
            if let ResolveResult::Bound(Namespace(space)) = space { space.to_owned() } else { String::new() };
        match event {
            Event::Start(tag) => open.push(node(&tag, space)),
            Event::Empty(tag) => open.last_mut().unwrap().children.push(node(&tag, space)),
            Event::End(_) => {
                let done = open.pop().unwrap();
                open.last_mut().unwrap().children.push(done);
            }
            Event::Text(text) => open.last_mut().unwrap().text.push_str(&text),
            Event::GeneralRef(_) => open.last_mut().unwrap().text.push('?'),
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(open.len(), 1, "everything is closed");
    open.remove(0).children.remove(0)
}

fn node(tag: &BytesStart<'_>, space: String) -> Node {
    let attributes = tag
        .attributes()
        .map(Result::unwrap)
        .map(|attribute| (attribute.key.into_inner().to_owned(), attribute.value.to_string()));
    let attributes = attributes.filter(|(name, _)| !name.starts_with("xmlns")).collect();
    Node { space, name: tag.local_name().into_inner().to_owned(), attributes, ..Node::default() }
}

impl Node {
    pub fn child(&self, name: &str) -> Option<&Node> {
        self.children.iter().find(|child| child.name == name)
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// A reference without its prefix.
    fn reference(&self, name: &str) -> Option<String> {
        Some(self.attribute(name)?.rsplit(':').next()?.to_owned())
    }
}

/// An element of a type.
#[derive(Clone, Debug)]
pub struct Part {
    pub name: String,
    kind: String,
    least: usize,
    most: usize,
}

/// The types, elements and operations of a WSDL.
#[derive(Debug, Default)]
pub struct Schema {
    pub space: String,
    complex: HashMap<String, Vec<Part>>,
    simple: HashMap<String, Vec<String>>,
    elements: HashMap<String, String>,
    /// Element of the request and of the reply, by operation.
    pub operations: HashMap<String, (String, String)>,
}

impl Schema {
    pub fn of_wsdl(text: &str) -> Self {
        let wsdl = nodes(text);
        let schema = wsdl.child("types").unwrap().child("schema").unwrap();
        assert_eq!(schema.space, XSD);
        assert_eq!(schema.attribute("elementFormDefault"), Some("qualified"));
        let mut read =
            Self { space: schema.attribute("targetNamespace").unwrap().to_owned(), ..Self::default() };
        let complex: HashMap<String, &Node> = of_kind(schema, "complexType").collect();
        for name in complex.keys() {
            let parts = parts(complex[name], &complex);
            read.complex.insert(name.clone(), parts);
        }
        for (name, node) in of_kind(schema, "simpleType") {
            let values = node.child("restriction").unwrap().children.iter().map(|value| {
                assert_eq!(value.name, "enumeration");
                value.attribute("value").unwrap().to_owned()
            });
            read.simple.insert(name, values.collect());
        }
        for (name, node) in of_kind(schema, "element") {
            let kind = node.reference("type").unwrap_or_else(|| {
                let anonymous = format!("element {name}");
                let inner = node.child("complexType").unwrap();
                read.complex.insert(anonymous.clone(), parts(inner, &complex));
                anonymous
            });
            read.elements.insert(name, kind);
        }
        let known = ["import", "complexType", "simpleType", "element"];
        assert!(schema.children.iter().all(|child| known.contains(&child.name.as_str())));
        read.operations(&wsdl);
        read
    }

    fn operations(&mut self, wsdl: &Node) {
        let messages: HashMap<String, String> = of_kind(wsdl, "message")
            .map(|(name, message)| {
                assert_eq!(message.children.len(), 1, "one part a message");
                (name, message.children[0].reference("element").unwrap())
            })
            .collect();
        let port = wsdl.child("portType").unwrap();
        for (name, operation) in of_kind(port, "operation") {
            let element =
                |side| messages[&operation.child(side).unwrap().reference("message").unwrap()].clone();
            self.operations.insert(name, (element("input"), element("output")));
        }
    }

    /// The parts of the type at a path of element names, from a top element on.
    pub fn parts_at(&self, path: &str) -> Option<&[Part]> {
        let mut names = path.split('/');
        let mut kind = self.elements.get(names.next()?)?.clone();
        for name in names {
            kind = self.complex.get(&kind)?.iter().find(|part| part.name == name)?.kind.clone();
        }
        self.complex.get(&kind).map(Vec::as_slice)
    }

    /// What is wrong with an element, if anything.
    pub fn check(&self, node: &Node) -> Result<(), String> {
        let kind = self.elements.get(&node.name).ok_or_else(|| format!("{}: no such element", node.name))?;
        self.check_as(node, kind)
    }

    fn check_as(&self, node: &Node, kind: &str) -> Result<(), String> {
        let wrong = |what: String| Err(format!("{} as {kind}: {what}", node.name));
        if node.space != self.space {
            return wrong(format!("namespace {}", node.space));
        }
        if !node.attributes.is_empty() {
            return wrong("attributes".into());
        }
        if let Some(values) = self.simple.get(kind) {
            let is_known = values.contains(&node.text) && node.children.is_empty();
            return if is_known { Ok(()) } else { wrong(format!("`{}` is not listed", node.text)) };
        }
        let Some(parts) = self.complex.get(kind) else {
            return match node.children.is_empty() && fits(kind, &node.text) {
                true => Ok(()),
                false => wrong(format!("`{}`", node.text)),
            };
        };
        if !node.text.trim().is_empty() {
            return wrong(format!("text `{}`", node.text));
        }
        let mut children = node.children.iter().peekable();
        for part in parts {
            let mut count = 0;
            while let Some(child) = children.next_if(|child| child.name == part.name && count < part.most) {
                self.check_as(child, &part.kind).map_err(|error| format!("{} / {error}", node.name))?;
                count += 1;
            }
            if count < part.least {
                return wrong(format!("`{}` is missing", part.name));
            }
        }
        match children.next() {
            Some(child) => wrong(format!("`{}` is not expected there", child.name)),
            None => Ok(()),
        }
    }
}

fn of_kind<'n>(node: &'n Node, kind: &'n str) -> impl Iterator<Item = (String, &'n Node)> {
    let of_kind = node.children.iter().filter(move |child| child.name == kind);
    of_kind.map(|child| (child.attribute("name").unwrap().to_owned(), child))
}

/// The parts of a type, those of its base first.
fn parts(node: &Node, all: &HashMap<String, &Node>) -> Vec<Part> {
    let mut found = Vec::new();
    for child in &node.children {
        match child.name.as_str() {
            "annotation" => {}
            "sequence" => {
                found.extend(child.children.iter().filter(|part| part.name != "annotation").map(part))
            }
            "complexContent" => {
                assert_eq!(child.children.len(), 1);
                let extension = &child.children[0];
                assert_eq!(extension.name, "extension");
                found.extend(parts(all[&extension.reference("base").unwrap()], all));
                found.extend(parts(extension, all));
            }
            other => panic!("`{other}` in a type is not understood"),
        }
    }
    found
}

fn part(node: &Node) -> Part {
    assert_eq!(node.name, "element");
    let known = ["name", "type", "minOccurs", "maxOccurs", "nillable"];
    assert!(node.attributes.keys().all(|name| known.contains(&name.as_str())), "{node:?}");
    Part {
        name: node.attribute("name").unwrap().to_owned(),
        kind: node.reference("type").unwrap(),
        least: node.attribute("minOccurs").map_or(1, |least| least.parse().unwrap()),
        most: match node.attribute("maxOccurs") {
            Some("unbounded") => usize::MAX,
            most => most.map_or(1, |most| most.parse().unwrap()),
        },
    }
}

/// Basic types.
fn fits(kind: &str, text: &str) -> bool {
    let within =
        |least: i128, most: i128| text.parse::<i128>().is_ok_and(|number| (least..=most).contains(&number));
    match kind {
        "string" => true,
        "boolean" => matches!(text, "true" | "false" | "1" | "0"),
        "long" => within(i64::MIN.into(), i64::MAX.into()),
        "int" => within(i32::MIN.into(), i32::MAX.into()),
        "short" => within(i16::MIN.into(), i16::MAX.into()),
        "unsignedByte" => within(0, u8::MAX.into()),
        "unsignedShort" => within(0, u16::MAX.into()),
        "unsignedInt" => within(0, u32::MAX.into()),
        "unsignedLong" => within(0, u64::MAX.into()),
        "decimal" => text.parse::<rust_decimal::Decimal>().is_ok(),
        other => panic!("the basic type `{other}` is not understood"),
    }
}

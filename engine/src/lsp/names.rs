//! The names of a flow: where each is given, where it is read, and what is known of its value.
//!
//! Works on whatever is there, however wrong: an editor asks while something is being typed.

mod expressions;
pub(super) mod shapes;

use std::cell::OnceCell;
use std::ops::Range;

use dsl::Gives;
use dsl::ast::{File, KeyText, Kind, MatchText, Node, ResourceText, WriteVerb};
use dsl::catalog::{Catalog, Field, Resource, System, Type};
use dsl::plan::{Side, Span};
use dsl::tokens::{Token, tokens};

pub(super) use expressions::is_keyword;

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// `source shop: …`
    Role(Side),
    /// `use … as address`
    Script,
    /// `setting …`
    Setting,
    /// `table …`
    Table,
    /// A step gives it.
    Record,
    /// An expression gives it to itself: parameters of closures, `let`, `for`.
    Local,
}

/// A name where it is given.
#[derive(Clone, Debug)]
pub(super) struct Binding {
    pub(super) name: String,
    pub(super) span: Span,
    pub(super) what: What,
    /// Where it can be read.
    pub(super) scope: Span,
    /// What is known of its value.
    pub(super) shape: Type,
    /// The line that gives it.
    pub(super) line: Span,
    /// Where the value stands that it is given, when the checker can say what that is.
    pub(super) value: Option<Span>,
}

/// A name where it is read.
#[derive(Clone, Debug)]
pub(super) struct Use {
    pub(super) span: Span,
    pub(super) binding: usize,
}

/// All names of a flow.
pub(super) struct Names<'a> {
    pub(super) text: &'a str,
    pub(super) file: &'a File,
    pub(super) catalog: &'a Catalog,
    pub(super) tokens: Vec<Token>,
    pub(super) bindings: Vec<Binding>,
    pub(super) uses: Vec<Use>,
    /// Expressions, which are Rhai.
    pub(super) expressions: Vec<Span>,
    /// Field names of resources where they are written, with what is known of them.
    pub(super) fields: Vec<(Span, Field)>,
    /// Names of field lines, each with the place of its value.
    pub(super) given: Vec<(Span, Span)>,
    /// What the checker knows of values, once somebody has asked.
    checked: OnceCell<Vec<(Span, Gives)>>,
}

impl<'a> Names<'a> {
    pub(super) fn new(text: &'a str, file: &'a File, catalog: &'a Catalog) -> Self {
        let mut names = Self {
            text,
            file,
            catalog,
            tokens: tokens(text),
            bindings: Vec::new(),
            uses: Vec::new(),
            expressions: Vec::new(),
            fields: Vec::new(),
            given: Vec::new(),
            checked: OnceCell::new(),
        };
        let whole = 0..text.len();
        for node in &file.nodes {
            names.head(node, &whole);
        }
        names.steps(&file.nodes, text.len());
        names.uses.sort_by_key(|one| one.span.start);
        names
    }

    /// The binding and the place of the name that stands there.
    pub(super) fn at(&self, offset: usize) -> Option<(usize, Span)> {
        let holds = |span: &Span| span.start <= offset && offset <= span.end;
        let given = self.bindings.iter().position(|binding| holds(&binding.span));
        let read = || self.uses.iter().find(|one| holds(&one.span));
        match given {
            Some(index) => Some((index, self.bindings.get(index)?.span.clone())),
            None => read().map(|one| (one.binding, one.span.clone())),
        }
    }

    /// Every place of a name, where it is given first.
    pub(super) fn places(&self, binding: usize) -> Vec<Span> {
        let given = self.bindings.get(binding).map(|binding| binding.span.clone());
        let read = self.uses.iter().filter(|one| one.binding == binding).map(|one| one.span.clone());
        given.into_iter().chain(read).collect()
    }

    /// The name of that kind that can be read there.
    pub(super) fn find(&self, name: &str, at: usize, fits: impl Fn(What) -> bool) -> Option<usize> {
        let reach = |binding: &Binding| binding.scope.start <= at && at <= binding.scope.end;
        self.bindings.iter().rposition(|binding| binding.name == name && fits(binding.what) && reach(binding))
    }

    /// Names that expressions can read there, the nearest first.
    pub(super) fn readable(&self, at: usize) -> impl Iterator<Item = &Binding> {
        let reach = move |binding: &&Binding| {
            let fits = matches!(binding.what, What::Record | What::Local | What::Table | What::Script);
            fits && binding.scope.start <= at && at <= binding.scope.end
        };
        self.bindings.iter().rev().filter(reach)
    }

    /// The system that plays a role.
    pub(super) fn system(&self, role: &str) -> Option<&'a System> {
        self.file.nodes.iter().find_map(|node| match &node.kind {
            Kind::Role(_, name, system) if name.text == role => self.catalog.system(role, &system.text),
            _ => None,
        })
    }

    pub(super) fn resource(&self, written: &ResourceText) -> Option<&'a Resource> {
        self.system(&written.role.text)?.resources.get(&written.resource.text)
    }

    pub(super) fn written(&self, span: &Span) -> &'a str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    fn give(&mut self, name: &dsl::ast::Name, what: What, scope: Span, shape: Type, line: &Span) {
        self.bindings.push(Binding {
            name: name.text.clone(),
            span: name.span.clone(),
            what,
            scope,
            shape,
            line: line.clone(),
            value: None,
        });
    }

    fn head(&mut self, node: &Node, whole: &Range<usize>) {
        let line = &node.span;
        match &node.kind {
            Kind::Role(side, name, _) => self.give(name, What::Role(*side), whole.clone(), Type::Any, line),
            Kind::Use(_, alias) => self.give(alias, What::Script, whole.clone(), Type::Any, line),
            Kind::Setting { name, kind, .. } => {
                let shape = kind.kind.as_ref().map_or(Type::Any, shapes::of_setting);
                self.give(name, What::Setting, whole.clone(), shape, line);
            }
            Kind::Table { name, value, .. } => {
                let shape = value.kind.as_ref().map_or(Type::Any, shapes::of_setting);
                self.give(name, What::Table, whole.clone(), shape, line);
            }
            _ => {}
        }
    }

    /// Lines of a block; what they give can be read to `end`.
    fn steps(&mut self, nodes: &'a [Node], end: usize) {
        for node in nodes {
            self.step(node, end);
        }
    }

    fn step(&mut self, node: &'a Node, end: usize) {
        let after = node.block.as_ref().map_or(node.span.end, |block| block.close.unwrap_or(end));
        let line = &node.span;
        match &node.kind {
            Kind::Webhook(role, _) => self.role(role),
            Kind::Fetch { name, from, since, conditions } => {
                self.from(from);
                let resource = self.resource(from);
                for (field, _) in since {
                    self.field(field, resource);
                }
                self.matches(conditions, resource);
                self.record(name, resource, node.span.end..end, line);
            }
            Kind::Lookup { name, all, from, by } => {
                self.from(from);
                let resource = self.resource(from);
                self.matches(by, resource);
                let one = shapes::of_resource(resource);
                let shape = if *all { Type::List(Box::new(one)) } else { one };
                self.give(name, What::Record, node.span.end..end, shape, line);
            }
            Kind::Write(verb, name, to) => {
                self.from(to);
                let resource = self.resource(to);
                self.keys(verb, resource);
                if let Some(block) = &node.block {
                    self.entries(&block.nodes, resource.map(|resource| resource.fields.as_slice()), end);
                }
                self.record(name, resource, after..end, line);
            }
            Kind::Filter(expr) | Kind::When(expr) | Kind::ElseWhen(expr) => self.expression(&expr.span),
            Kind::Skip(message, condition)
            | Kind::Fail(message, condition)
            | Kind::Notify(message, condition) => {
                self.expression(&message.span);
                if let Some(condition) = condition {
                    self.expression(&condition.expr.span);
                }
            }
            Kind::Map(name, with) => {
                let mut shape = Type::Any;
                if let Some(with) = with {
                    self.expression(&with.span);
                    shape = self.shape_of(&with.span);
                } else if let Some(block) = &node.block {
                    self.entries(&block.nodes, None, end);
                    shape = Type::Record(self.made(&block.nodes));
                }
                self.give(name, What::Record, after..end, shape, line);
                if let (Some(with), Some(binding)) = (with, self.bindings.last_mut()) {
                    binding.value = Some(with.span.clone());
                }
            }
            Kind::Each(name, list) => {
                self.expression(&list.span);
                let shape = shapes::item(self.shape_of(&list.span));
                self.give(name, What::Record, node.span.end..after, shape, line);
            }
            _ => {}
        }
        match (&node.kind, &node.block) {
            (Kind::Each(..), Some(block)) => self.steps(&block.nodes, after),
            (Kind::When(_) | Kind::ElseWhen(_) | Kind::Else, Some(block)) => self.steps(&block.nodes, end),
            (Kind::Malformed, Some(block)) => self.steps(&block.nodes, end),
            _ => {}
        }
    }

    fn record(&mut self, name: &dsl::ast::Name, resource: Option<&Resource>, scope: Span, line: &Span) {
        self.give(name, What::Record, scope, shapes::of_resource(resource), line);
    }

    /// Field lines of a block.
    fn entries(&mut self, nodes: &'a [Node], fields: Option<&[Field]>, end: usize) {
        for node in nodes {
            let known = |name: &str| fields.and_then(|fields| fields.iter().find(|field| field.name == name));
            let inner = |name: &str| known(name).and_then(|field| shapes::fields(&field.kind));
            let close = node.block.as_ref().and_then(|block| block.close).unwrap_or(end);
            match &node.kind {
                Kind::Field { name, value, when, .. } => {
                    self.fields.extend(known(&name.text).map(|field| (name.span.clone(), field.clone())));
                    self.expression(&value.span);
                    self.given.push((name.span.clone(), value.span.clone()));
                    for when in when {
                        self.expression(&when.span);
                    }
                }
                Kind::FieldBlock(name) => {
                    self.fields.extend(known(&name.text).map(|field| (name.span.clone(), field.clone())));
                    if let Some(block) = &node.block {
                        self.entries(&block.nodes, inner(&name.text), close);
                    }
                }
                Kind::FieldEach { name, item, list, when } => {
                    self.fields.extend(known(&name.text).map(|field| (name.span.clone(), field.clone())));
                    self.expression(&list.span);
                    if let Some(when) = when {
                        self.expression(&when.span);
                    }
                    let shape = shapes::item(self.shape_of(&list.span));
                    self.give(item, What::Record, node.span.end..close, shape, &node.span);
                    if let Some(block) = &node.block {
                        self.entries(&block.nodes, inner(&name.text), close);
                    }
                }
                _ => {}
            }
        }
    }

    /// The fields that a block of `map` makes.
    fn made(&self, nodes: &[Node]) -> Vec<Field> {
        let mut fields = Vec::new();
        for node in nodes {
            let inner = || {
                let made = node.block.as_ref().map(|block| self.made(&block.nodes));
                Type::Record(made.unwrap_or_default())
            };
            let (name, kind) = match &node.kind {
                Kind::Field { name, value, .. } => (name, self.shape_of(&value.span)),
                Kind::FieldBlock(name) => (name, inner()),
                Kind::FieldEach { name, .. } => (name, Type::List(Box::new(inner()))),
                _ => continue,
            };
            if fields.iter().all(|field: &Field| field.name != name.text) {
                fields.push(Field::plain(&name.text, kind));
            }
        }
        fields
    }

    fn role(&mut self, name: &dsl::ast::Name) {
        let found = self.find(&name.text, name.span.start, |what| matches!(what, What::Role(_)));
        self.uses.extend(found.map(|binding| Use { span: name.span.clone(), binding }));
    }

    fn from(&mut self, resource: &ResourceText) {
        self.role(&resource.role);
    }

    fn field(&mut self, name: &dsl::ast::Name, resource: Option<&Resource>) {
        let found = resource.and_then(|resource| resource.field(&name.text));
        self.fields.extend(found.map(|field| (name.span.clone(), field.clone())));
    }

    fn matches(&mut self, all: &[MatchText], resource: Option<&Resource>) {
        for one in all {
            self.field(&one.field, resource);
            self.expression(&one.value.span);
        }
    }

    fn keys(&mut self, verb: &WriteVerb, resource: Option<&Resource>) {
        match verb {
            WriteVerb::Create => {}
            WriteVerb::Update(by) => self.matches(by, resource),
            WriteVerb::Upsert(keys) => {
                for key in keys {
                    match key {
                        KeyText::Fields(names) => {
                            for name in names {
                                self.field(name, resource);
                            }
                        }
                        KeyText::Setting(name) => {
                            let found = self.find(&name.text, name.span.start, |what| what == What::Setting);
                            self.uses.extend(found.map(|binding| Use { span: name.span.clone(), binding }));
                        }
                    }
                }
            }
        }
    }
}

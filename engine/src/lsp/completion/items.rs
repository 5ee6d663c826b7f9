//! Things to choose from, each with what it is.

use std::collections::BTreeSet;

use dsl::catalog::{Field, Function, Resource, System};
use serde_json::{Value, json};

use crate::lsp::hover;
use crate::lsp::names::{Binding, What, shapes};
use crate::lsp::view::View;
use crate::script::functions;

/// Numbers of the protocol for kinds of things.
mod kind {
    pub(super) const FUNCTION: u8 = 3;
    pub(super) const FIELD: u8 = 5;
    pub(super) const VARIABLE: u8 = 6;
    pub(super) const CLASS: u8 = 7;
    pub(super) const MODULE: u8 = 9;
    pub(super) const VALUE: u8 = 12;
    pub(super) const KEYWORD: u8 = 14;
}

#[derive(Default)]
pub(super) struct Items {
    all: Vec<Value>,
    labels: BTreeSet<String>,
}

impl Items {
    pub(super) fn done(self) -> Value {
        json!({ "isIncomplete": false, "items": self.all })
    }

    /// The nearest thing of a name counts; those that were added first stand first.
    fn push(&mut self, label: &str, kind: u8, detail: &str, about: &str, insert: Option<String>) {
        if !self.labels.insert(label.to_owned()) {
            return;
        }
        let mut item = json!({ "label": label, "kind": kind, "sortText": format!("{:05}", self.all.len()) });
        if let Some(all) = item.as_object_mut() {
            if !detail.is_empty() {
                all.insert("detail".into(), json!(detail));
            }
            if !about.is_empty() {
                all.insert("documentation".into(), json!({ "kind": "markdown", "value": about }));
            }
            if let Some(insert) = insert {
                all.insert("insertText".into(), json!(insert));
            }
        }
        self.all.push(item);
    }

    pub(super) fn words(&mut self, words: &[&str]) {
        for word in words {
            self.push(word, kind::KEYWORD, "", "", None);
        }
    }

    pub(super) fn value(&mut self, value: &str) {
        self.push(value, kind::VALUE, "", "", None);
    }

    pub(super) fn field(&mut self, field: &Field, tail: &str) {
        let insert = (!tail.is_empty()).then(|| format!("{}{tail}", field.name));
        let detail = shapes::words(&field.kind);
        self.push(&field.name, kind::FIELD, &detail, &hover::of_field(field), insert);
    }

    pub(super) fn system(&mut self, system: &System) {
        self.push(&system.name, kind::MODULE, &system.title, &hover::of_system(system), None);
    }

    pub(super) fn resource(&mut self, resource: &Resource) {
        self.push(&resource.name, kind::CLASS, "", &hover::of_resource(resource), None);
    }

    pub(super) fn binding(&mut self, view: &View<'_>, binding: &Binding) {
        let kind = match binding.what {
            What::Role(_) | What::Script => kind::MODULE,
            What::Setting => kind::FIELD,
            What::Table | What::Record | What::Local => kind::VARIABLE,
        };
        let about = hover::of_binding(view, binding);
        self.push(&binding.name, kind, &shapes::words(&binding.shape), &about, None);
    }

    pub(super) fn function(&mut self, function: &Function) {
        self.push(&function.name, kind::FUNCTION, "", &function.about, None);
    }

    /// Every function of the library.
    pub(super) fn library(&mut self) {
        for function in functions() {
            let about = hover::of_library(function.name).unwrap_or_default();
            self.push(function.name, kind::FUNCTION, function.signature, &about, None);
        }
    }
}

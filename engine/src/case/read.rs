//! The cases of a flow, read from their file: every mistake in its place.

use std::collections::BTreeMap;
use std::ops::Range;

use connectors::check::check_read;
use connectors::manifest::{Field, Manifest, Named, Resource};
use connectors::record::{Record, Value};
use dsl::plan::{Constant, Plan, Setting, SettingType, Table};
use miette::Report;
use rust_decimal::Decimal;

use super::memory::{Books, plain};
use super::tree::{Member, Node, Parts, read};
use crate::project::{Given, constant, in_words, otherwise, row};
use crate::trouble::{Trouble, did_you_mean};

/// Members of a case, in the order in which they are written.
const MEMBERS: [&str; 7] = ["name", "settings", "tables", "source", "target", "deleted", "expects"];

/// Members of what is expected of a record.
const EXPECTS: [&str; 4] = ["outcome", "reason", "writes", "notices"];

/// How a record can end.
const OUTCOMES: [&str; 7] = ["created", "updated", "unchanged", "skipped", "filtered", "failed", "waiting"];

/// What a write can do.
const WRITES: [&str; 5] = ["create", "update", "unchanged", "adopt", "refused"];

/// A case of a flow.
#[derive(Clone, Debug)]
pub(super) struct FlowCase {
    pub(super) name: String,
    pub(super) given: Given,
    pub(super) source: Books,
    pub(super) target: Books,
    /// Keys of records that the source deletes, and says so, once the flow has run.
    pub(super) deleted: Vec<String>,
    /// What is expected, by key of the source's record; `None`: the case does not say.
    pub(super) expects: Option<Record>,
    /// Where the case stands.
    pub(super) at: Range<usize>,
    /// Where its expectations stand.
    pub(super) expects_at: Option<Range<usize>>,
}

/// What a case is read against.
pub(super) struct Known<'a> {
    pub(super) plan: &'a Plan,
    pub(super) source: &'a Manifest,
    pub(super) target: &'a Manifest,
}

/// The text of a case file, and what is wrong with it.
pub(super) struct Text<'a> {
    pub(super) name: &'a str,
    pub(super) content: &'a str,
    pub(super) problems: Vec<Report>,
}

impl Text<'_> {
    pub(super) fn problem(&mut self, trouble: Trouble, at: Range<usize>, label: &str) {
        self.problems.push(trouble.at(self.name, self.content, at, label).into());
    }

    /// The cases of the file; `None`: it is no list of cases.
    pub(super) fn cases(&mut self) -> Option<Vec<Node>> {
        const HELP: &str = "a case file is a list of cases: [{ … }, { … }]; docs/testing.md shows one";
        match read(self.content) {
            Err(error) => {
                let before: usize =
                    self.content.split_inclusive('\n').take(error.line - 1).map(str::len).sum();
                let line = self.content.get(before..).unwrap_or_default();
                let within: usize =
                    line.chars().take(error.column.saturating_sub(1)).map(char::len_utf8).sum();
                let at = (before + within).min(self.content.len().saturating_sub(1));
                let message = format!("`{}` is not JSON: {}", self.name, error.reason);
                self.problem(Trouble::new("R120", message).help(HELP), at..at + 1, "here");
                None
            }
            Ok(Node { parts: Parts::List(cases), .. }) => Some(cases),
            Ok(node) => {
                let message = format!("`{}` is no list of cases", self.name);
                let end = (node.span.start + 1).min(node.span.end);
                self.problem(Trouble::new("R120", message).help(HELP), node.span.start..end, "not a list");
                None
            }
        }
    }

    /// Says of each member that is not known that it is not.
    pub(super) fn members(&mut self, members: &[Member], known: &[&str], of: &str) {
        for member in members.iter().filter(|member| !known.contains(&member.name.as_str())) {
            let help = did_you_mean(&member.name, known.iter().copied())
                .unwrap_or_else(|| format!("{of} has {}", known.join(", ")));
            let message = format!("{of} has no `{}`", member.name);
            self.problem(Trouble::new("R121", message).help(help), member.at.clone(), "not known");
        }
    }

    pub(super) fn shape(&mut self, node: &Node, message: impl Into<String>, help: &str) {
        let end = node.span.end.min(node.span.start + 40);
        self.problem(Trouble::new("R121", message).help(help), node.span.start..end, "not that");
    }

    /// A case of a flow; what cannot be read of it is left out, and told.
    pub(super) fn flow_case(&mut self, node: &Node, known: &Known<'_>) -> Option<FlowCase> {
        let Some(members) = node.members() else {
            self.shape(node, "a case is an object", "write { \"name\": …, \"source\": …, \"expects\": … }");
            return None;
        };
        self.members(members, &MEMBERS, "a case");
        let name =
            node.member("name").and_then(|name| name.node.value(self.content).as_str().map(str::to_owned));
        if name.is_none() {
            let message = "a case needs a name";
            self.shape(node, message, "add \"name\": \"what this case shows\"");
        }
        let given = self.given(node, known.plan);
        let source = self.books(node, "source", known.source);
        let target = self.books(node, "target", known.target);
        self.needs_key(node, known);
        let deleted = self.deleted(node, known);
        let expects = node.member("expects").map(|member| &member.node);
        if let Some(expects) = expects {
            self.expects(expects, known);
        }
        Some(FlowCase {
            name: name.unwrap_or_default(),
            given,
            source,
            target,
            deleted,
            expects: expects.and_then(|node| node.value(self.content).as_map().cloned()),
            at: node.span.clone(),
            expects_at: expects.map(|node| node.span.clone()),
        })
    }

    fn given(&mut self, node: &Node, plan: &Plan) -> Given {
        let mut given = Given::default();
        for member in self.map(node, "settings") {
            let Some(setting) = plan.settings.iter().find(|setting| setting.name == member.name) else {
                let names = plan.settings.iter().map(|setting| setting.name.as_str());
                self.stranger(&member, "setting", names);
                continue;
            };
            if let Some(answer) = answer(&member.node.value(self.content), setting) {
                given.settings.insert(setting.name.clone(), answer);
            } else {
                let message = format!("`{}` takes {}", setting.name, in_words(&setting.kind));
                let trouble = Trouble::new("R122", message).maybe_help(setting.ask.clone());
                self.problem(trouble, member.node.span.clone(), "not that");
            }
        }
        for member in self.map(node, "tables") {
            match plan.tables.iter().find(|table| table.name == member.name) {
                Some(table) => given.tables.push(self.table(table.clone(), &member.node)),
                None => {
                    self.stranger(&member, "table", plan.tables.iter().map(|table| table.name.as_str()));
                }
            }
        }
        given
    }

    fn table(&mut self, mut table: Table, node: &Node) -> Table {
        self.members(node.members().unwrap_or_default(), &["rows", "otherwise"], "a table");
        if let Some(rows) = node.member("rows") {
            table.rows.clear();
            for one in rows.node.items().unwrap_or_default() {
                let cells = one.value(self.content);
                let cells: Vec<toml::Value> =
                    cells.as_list().unwrap_or_default().iter().filter_map(to_toml).collect();
                match row(&table, &cells) {
                    Ok(row) => table.rows.push(row),
                    Err(message) => {
                        self.problem(Trouble::new("R122", message), one.span.clone(), "this row");
                    }
                }
            }
        }
        if let Some(member) = node.member("otherwise") {
            let given = to_toml(&member.node.value(self.content)).unwrap_or_else(|| toml::Value::from(""));
            match otherwise(&table, &given) {
                Ok(otherwise) => table.otherwise = otherwise,
                Err(message) => {
                    self.problem(Trouble::new("R122", message), member.node.span.clone(), "not that");
                }
            }
        }
        table
    }

    fn stranger<'n>(&mut self, member: &Member, what: &str, known: impl Iterator<Item = &'n str> + Clone) {
        let list = known.clone().collect::<Vec<_>>().join(", ");
        let help = did_you_mean(&member.name, known).unwrap_or_else(|| format!("it has {list}"));
        let message = format!("the flow has no {what} `{}`", member.name);
        self.problem(Trouble::new("R122", message).help(help), member.at.clone(), "not in the flow");
    }

    /// The members of a map within a case.
    fn map(&mut self, node: &Node, name: &str) -> Vec<Member> {
        let Some(member) = node.member(name) else { return Vec::new() };
        if let Some(members) = member.node.members() {
            return members.to_vec();
        }
        self.shape(&member.node, format!("`{name}` is an object"), "names stand before their values");
        Vec::new()
    }

    /// The records of one side, held against its schema.
    fn books(&mut self, node: &Node, side: &str, manifest: &Manifest) -> Books {
        let mut books = BTreeMap::new();
        for member in self.map(node, side) {
            let Some(resource) = manifest.resources.get(&member.name) else {
                let known = manifest.resources.names().collect::<Vec<_>>().join(", ");
                let help = did_you_mean(&member.name, manifest.resources.names())
                    .unwrap_or_else(|| format!("it has {known}"));
                let message = format!("{} has no resource `{}`", manifest.title, member.name);
                self.problem(Trouble::new("R123", message).help(help), member.at.clone(), "not offered");
                continue;
            };
            let Some(items) = member.node.items() else {
                self.shape(&member.node, format!("`{}` is a list of records", member.name), "write [{ … }]");
                continue;
            };
            let records = items.iter().filter_map(|item| self.record(item, resource, manifest)).collect();
            books.insert(member.name.clone(), records);
        }
        books
    }

    fn record(&mut self, node: &Node, resource: &Resource, manifest: &Manifest) -> Option<Record> {
        let Value::Map(record) = node.value(self.content) else {
            self.shape(node, "a record is an object", "write { \"field\": value }");
            return None;
        };
        for problem in check_read(&resource.fields, &record) {
            let (path, what) = problem.split_once(": ").unwrap_or(("", &problem));
            let is_strange = what.starts_with("is not a field");
            let message = if is_strange {
                format!("{} has no field `{path}` here", manifest.title)
            } else {
                format!("`{path}` {what}")
            };
            let help = if is_strange { field_like(&resource.fields, path) } else { None };
            let trouble = Trouble::new("R123", message).maybe_help(help);
            self.problem(trouble, node.place(path, is_strange), "against the schema");
        }
        Some(record)
    }

    /// Records of the source are told apart by their key, here as everywhere.
    fn needs_key(&mut self, node: &Node, known: &Known<'_>) {
        let name = &known.plan.fetch.resource;
        let Some(resource) = known.source.resources.get(name) else { return };
        let Some(book) = node.member("source").and_then(|source| source.node.member(name)) else {
            let has_source = node.member("source").map_or(node, |source| &source.node);
            let message = format!("the case has no records that the flow reads: `{name}` of the source");
            return self.shape(has_source, message, "add them under \"source\"");
        };
        let mut keys: Vec<String> = Vec::new();
        for item in book.node.items().unwrap_or_default() {
            let key = item.member(&resource.key).map(|member| member.node.value(self.content));
            match key {
                Some(key) if !key.says_nothing() && !keys.contains(&key.to_string()) => {
                    keys.push(key.to_string());
                }
                Some(key) if !key.says_nothing() => {
                    self.shape(
                        item,
                        format!("two records have the {} {key}", resource.key),
                        "give each its own",
                    );
                }
                _ => {
                    let message = format!("a record of `{name}` needs its `{}`", resource.key);
                    self.shape(item, message, "records are told apart by it");
                }
            }
        }
    }

    /// Keys of records that the source has, and that tell of their end.
    fn deleted(&mut self, node: &Node, known: &Known<'_>) -> Vec<String> {
        let Some(member) = node.member("deleted") else { return Vec::new() };
        let name = &known.plan.fetch.resource;
        let Some(resource) = known.source.resources.get(name) else { return Vec::new() };
        if resource.deleted.is_none() {
            let message = format!("{} does not tell what is deleted from `{name}`", known.source.title);
            let end = member.node.span.end;
            let trouble = Trouble::new("R123", message).help("take the member away");
            self.problem(trouble, member.at.start..end, "never happens");
            return Vec::new();
        }
        let book = node.member("source").and_then(|source| source.node.member(name));
        let records = book.and_then(|book| book.node.items()).unwrap_or_default();
        let keys: Vec<String> = records
            .iter()
            .filter_map(|record| record.member(&resource.key))
            .map(|key| plain(Some(&key.node.value(self.content))))
            .collect();
        let Some(items) = member.node.items() else {
            self.shape(&member.node, "`deleted` is a list of keys", "write [\"KEY\"]");
            return Vec::new();
        };
        let mut deleted = Vec::new();
        for item in items {
            let key = plain(Some(&item.value(self.content)));
            if keys.contains(&key) {
                deleted.push(key);
            } else {
                let message = format!("no record of `{name}` has the {} {key}", resource.key);
                let help = did_you_mean(&key, keys.iter().map(String::as_str))
                    .unwrap_or_else(|| "name one that the source of the case has".to_owned());
                self.shape(item, message, &help);
            }
        }
        deleted
    }

    fn expects(&mut self, node: &Node, known: &Known<'_>) {
        let Some(records) = node.members() else {
            let help = "write { \"KEY\": { \"outcome\": \"created\", \"writes\": […] } }";
            return self.shape(node, "`expects` is an object: what comes of each record, by its key", help);
        };
        for record in records {
            let members = record.node.members().unwrap_or_default();
            self.members(members, &EXPECTS, "what is expected of a record");
            let outcome = record.node.member("outcome");
            let word = outcome.map(|outcome| outcome.node.value(self.content));
            let word = word.as_ref().and_then(Value::as_str).unwrap_or_default();
            if !OUTCOMES.contains(&word) {
                let help = did_you_mean(word, OUTCOMES)
                    .unwrap_or_else(|| format!("a record ends as {}", OUTCOMES.join(", ")));
                let at = outcome.map_or(&record.node, |outcome| &outcome.node);
                self.shape(at, format!("`{word}` is no outcome"), &help);
            }
            let writes = record.node.member("writes").and_then(|writes| writes.node.items());
            for write in writes.unwrap_or_default() {
                self.write(write, known.target);
            }
        }
    }

    fn write(&mut self, node: &Node, manifest: &Manifest) {
        let members = node.members().unwrap_or_default();
        let Some((first, rest)) = members.split_first() else {
            return self.shape(
                node,
                "a write is an object",
                "write { \"create\": \"orders\", \"fields\": { … } }",
            );
        };
        self.members(std::slice::from_ref(first), &WRITES, "a write");
        self.members(rest, &["key", "fields"], "a write");
        let value = first.node.value(self.content);
        let name = value.as_str().unwrap_or_default();
        let Some(resource) = manifest.resources.get(name) else {
            let help = did_you_mean(name, manifest.resources.names());
            let message = format!("{} has no resource `{name}`", manifest.title);
            let trouble = Trouble::new("R123", message).maybe_help(help);
            return self.problem(trouble, first.node.span.clone(), "not offered");
        };
        let Some(fields) = node.member("fields").and_then(|fields| fields.node.members()) else { return };
        for field in fields.iter().filter(|field| resource.fields.get(&field.name).is_none()) {
            let message = format!("{} has no field `{}` in {name}", manifest.title, field.name);
            let trouble = Trouble::new("R123", message).maybe_help(field_like(&resource.fields, &field.name));
            self.problem(trouble, field.at.clone(), "not in the schema");
        }
    }
}

/// The field that was meant by the last part of a path.
fn field_like(fields: &Named<Field>, path: &str) -> Option<String> {
    match path.split_once('.') {
        Some((first, rest)) => {
            let first = first.split('[').next().unwrap_or(first);
            field_like(&fields.get(first)?.fields, rest)
        }
        None => did_you_mean(path, fields.names()),
    }
}

/// An answer in JSON, of the type that the flow asks for.
fn answer(value: &Value, setting: &Setting) -> Option<Constant> {
    if value.is_null() || (setting.optional && value.says_nothing()) {
        return setting.optional.then_some(Constant::Nothing);
    }
    // JSON keeps every digit, unlike TOML.
    if let (SettingType::Decimal, Some(number)) = (&setting.kind, value.as_decimal()) {
        return Some(Constant::Decimal(number));
    }
    constant(&to_toml(value)?, &setting.kind)
}

/// As answers are written in a project's files; decimals as texts, which keep every digit.
fn to_toml(value: &Value) -> Option<toml::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(truth) => toml::Value::from(*truth),
        Value::Int(number) => toml::Value::from(*number),
        Value::Decimal(number) => decimal(*number),
        Value::Text(text) => toml::Value::from(text.as_str()),
        Value::List(items) => toml::Value::Array(items.iter().map(to_toml).collect::<Option<_>>()?),
        Value::Map(_) => return None,
    })
}

/// A key of a table is a number or a text; a value may be a decimal as text.
fn decimal(number: Decimal) -> toml::Value {
    let text = number.to_string();
    text.parse::<f64>()
        .ok()
        .filter(|float| float.to_string() == text)
        .map_or_else(|| toml::Value::from(text), toml::Value::from)
}

//! What a step asks of a system, and whether the system offers it.

use super::Checker;
use super::exprs::Purpose;
use super::known::{Kind, Shape};
use crate::ast::{MatchText, Name, ResourceText};
use crate::catalog::{Field, Resource};
use crate::plan::{Match, Side, Span};
use crate::problem::{Code, Problem, did_you_mean, list};

/// A resource that a step names, as far as it is known.
pub(super) struct Remote<'c> {
    pub side: Option<Side>,
    pub resource: Option<&'c Resource>,
    /// `till.orders`, as the writer calls it.
    pub called: String,
    pub name: String,
}

impl<'c> Remote<'c> {
    /// What a record of it looks like.
    pub(super) fn kind(&self) -> Kind<'c> {
        match self.resource {
            Some(resource) => {
                Kind::Record(Shape::Schema { fields: &resource.fields, whose: self.called.as_str().into() })
            }
            None => Kind::Any,
        }
    }
}

impl<'c> Checker<'c> {
    /// The resource that `role.resource` names.
    pub(super) fn remote(&mut self, written: &ResourceText) -> Remote<'c> {
        let called = format!("{}.{}", written.role.text, written.resource.text);
        let name = written.resource.text.clone();
        let side = self.side(&written.role);
        let system = side.and_then(|side| self.system(side));
        let resource = side.and_then(|side| self.resource(side, &name));
        if let (Some(system), None) = (system, resource) {
            self.unknown_resource(system, &name, written.resource.span.clone());
        }
        Remote { side, resource, called, name }
    }

    /// A field that a clause names: `by`, `where`, `since`.
    pub(super) fn clause_field(&mut self, remote: &Remote<'c>, name: &Name) -> Option<&'c Field> {
        let resource = remote.resource?;
        let found = resource.field(&name.text);
        if found.is_none() {
            let fields = resource.fields.iter().map(|field| field.name.as_str());
            let help = did_you_mean(&name.text, fields, "its fields are");
            self.report(unknown_field(&remote.called, &name.text, name.span.clone()).maybe_help(help));
        }
        found
    }

    /// `field = value and field = value`
    pub(super) fn matches(&mut self, remote: &Remote<'c>, written: &[MatchText], faulty: bool) -> Vec<Match> {
        let mut matches = Vec::new();
        for (number, one) in written.iter().enumerate() {
            let field = self.clause_field(remote, &one.field);
            let before = written.iter().take(number).find(|other| other.field.text == one.field.text);
            if let Some(before) = before {
                self.report(
                    Problem::new(
                        Code::RepeatedField,
                        one.field.span.clone(),
                        format!("`{}` stands twice", one.field.text),
                    )
                    .label("here again")
                    .also(before.field.span.clone(), "first here"),
                );
            }
            let checked = self.expr(&one.value, Purpose::Value, faulty);
            if let Some(field) = field {
                self.check_value(field, &remote.called, &checked.known, &one.value.span);
            }
            let span = one.field.span.start..one.value.span.end;
            matches.push(Match { field: one.field.text.clone(), value: checked.expr, span });
        }
        matches
    }

    /// Whether records can be found by exactly these fields.
    pub(super) fn check_find(&mut self, remote: &Remote<'c>, fields: &[Name]) {
        let Some(resource) = remote.resource else { return };
        if fields.iter().any(|field| resource.field(&field.text).is_none()) {
            return;
        }
        let mut wanted: Vec<&str> = fields.iter().map(|field| field.text.as_str()).collect();
        wanted.sort_unstable();
        wanted.dedup();
        let is_offered = resource.find.iter().any(|set| {
            let mut set: Vec<&str> = set.iter().map(String::as_str).collect();
            set.sort_unstable();
            set == wanted
        });
        if is_offered {
            return;
        }
        let Some((first, last)) = fields.first().zip(fields.last()) else { return };
        let by = wanted.join("` and `");
        let help = if resource.find.is_empty() {
            format!("`{}` offers no way to find a single record", remote.called)
        } else {
            let sets: Vec<String> =
                resource.find.iter().map(|set| format!("`{}`", set.join(" and "))).collect();
            format!("it can be found by {}", sets.join(", or by "))
        };
        self.report(
            Problem::new(
                Code::CannotFind,
                first.span.start..last.span.end,
                format!("`{}` cannot be found by `{by}`", remote.called),
            )
            .label("the system offers no such search")
            .help(help),
        );
    }

    /// The fetch: read from the source, by fields that the source knows.
    pub(super) fn check_fetch(
        &mut self,
        remote: &Remote<'c>,
        from: &ResourceText,
        since: &[(Name, Option<std::time::Duration>)],
        conditions: &[MatchText],
    ) {
        if remote.side == Some(Side::Target) {
            let help = format!("a flow fetches from its source: `{}.…`", self.plan.source.name);
            self.report(
                Problem::new(
                    Code::WrongSide,
                    from.role.span.clone(),
                    format!("`{}` is the target of this flow", from.role.text),
                )
                .label("records are not fetched from here")
                .help(help),
            );
            return;
        }
        let Some(resource) = remote.resource else { return };
        let Some(fetch) = &resource.fetch else {
            let others = remote.side.and_then(|side| self.system(side)).map(|system| {
                let names = system.resources.values().filter(|other| other.fetch.is_some());
                list(names.map(|other| other.name.as_str()), "and")
            });
            self.report(
                Problem::new(
                    Code::CannotFetch,
                    from.resource.span.clone(),
                    format!("`{}` cannot be fetched", remote.called),
                )
                .label("can be looked up or written only")
                .maybe_help(
                    others
                        .filter(|names| !names.is_empty())
                        .map(|names| format!("what can be fetched: {names}")),
                ),
            );
            return;
        };
        for (field, _) in since {
            if self.clause_field(remote, field).is_some() && !fetch.since.contains(&field.text) {
                let help = match fetch.since.as_slice() {
                    [] => {
                        "leave `since` away: every run then reads everything, and sends only what has changed"
                            .to_owned()
                    }
                    fields => {
                        format!("it can be fetched since {}", list(fields.iter().map(String::as_str), "or"))
                    }
                };
                self.report(
                    Problem::new(
                        Code::CannotSince,
                        field.span.clone(),
                        format!("`{}` cannot be fetched since `{}`", remote.called, field.text),
                    )
                    .label("the system cannot select by this moment")
                    .help(help),
                );
            }
        }
        for condition in conditions {
            let name = &condition.field.text;
            if resource.field(name).is_some() && !fetch.filters.contains(name) {
                let help = match fetch.filters.as_slice() {
                    [] => "use a step `filter …` below".to_owned(),
                    fields => format!(
                        "use a step `filter …` below; the system itself selects by {}",
                        list(fields.iter().map(String::as_str), "and")
                    ),
                };
                let message = format!("`{}` cannot be selected by `{name}`", remote.called);
                self.report(
                    Problem::new(Code::CannotFilter, condition.field.span.clone(), message)
                        .label("the system offers no such selection")
                        .help(help),
                );
            }
        }
    }

    /// Writes go to the target, to resources that can be written so.
    pub(super) fn check_write(
        &mut self,
        remote: &Remote<'c>,
        written: &ResourceText,
        creates: bool,
        updates: bool,
        line: &Span,
    ) {
        if remote.side == Some(Side::Source) {
            let help = format!(
                "a flow writes to its target: `{}.…`; a flow in the other direction is a file of its own",
                self.plan.target.name
            );
            self.report(
                Problem::new(
                    Code::WrongSide,
                    written.role.span.clone(),
                    format!("`{}` is the source of this flow", written.role.text),
                )
                .label("nothing is written here")
                .help(help),
            );
            return;
        }
        let Some(resource) = remote.resource else { return };
        let verb = self
            .text
            .get(line.clone())
            .and_then(|line| line.split_whitespace().next())
            .unwrap_or("write")
            .to_owned();
        if creates && !resource.create {
            let help = if resource.update {
                "its records can be changed with `update`"
            } else {
                "it can be read only"
            };
            self.report(
                Problem::new(
                    Code::CannotCreate,
                    written.resource.span.clone(),
                    format!("`{}` cannot be created", remote.called),
                )
                .label(format!("`{verb}` needs a resource that can be created"))
                .help(help),
            );
        }
        if updates && !resource.update {
            let help = if resource.create {
                "its records can be made with `create`; look one up first, and `skip` when it is there"
            } else {
                "it can be read only"
            };
            self.report(
                Problem::new(
                    Code::CannotUpdate,
                    written.resource.span.clone(),
                    format!("`{}` cannot be updated", remote.called),
                )
                .label(format!("`{verb}` needs a resource that can be updated"))
                .help(help),
            );
        }
    }
}

pub(super) fn unknown_field(whose: &str, name: &str, at: Span) -> Problem {
    Problem::new(Code::UnknownField, at, format!("`{whose}` has no field `{name}`"))
        .label("not a field of this resource")
}

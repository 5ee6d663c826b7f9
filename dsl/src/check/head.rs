//! The head: title, roles, scripts, settings. Tables have a file of their own.

use super::{Checker, names, repeated, top_lines};
use crate::ast::{File, Kind as Line, Name, Text, TypeText, Value};
use crate::parse::is_step;
use crate::plan::{Role, Setting, SettingType, Side, Span, Use};
use crate::problem::{Code, Problem, did_you_mean};

impl Checker<'_> {
    /// Reads all lines of the head, and what belongs under them.
    pub(super) fn head(&mut self, file: &File) {
        let mut title: Option<Span> = None;
        let mut steps_since: Option<Span> = None;
        let mut fault_before = false;
        for (number, node) in file.nodes.iter().enumerate() {
            if matches!(node.kind, Line::Malformed) {
                fault_before = true;
                continue;
            }
            if is_step(&node.kind) && steps_since.is_none() {
                steps_since = Some(node.span.clone());
            }
            let under = file.nodes.get(number + 1..).unwrap_or_default();
            match &node.kind {
                Line::Flow(text) => {
                    if let Some(first) = &title {
                        self.report(repeated("`flow`", first, &node.span));
                    } else {
                        title = Some(node.span.clone());
                        self.title(text);
                    }
                }
                Line::Role(side, name, system) => self.take_role(*side, name, system, &node.span),
                Line::Use(path, alias) => self.take_use(path, alias, &node.span),
                Line::Setting { name, kind, default, ask } => {
                    let ask = self.question(ask.as_ref(), under);
                    self.take_setting(name, kind, default.as_ref(), ask, &node.span);
                }
                Line::Table { name, keys, value, ask } => {
                    let ask = self.question(ask.as_ref(), under);
                    self.take_table(name, keys, value, ask, under, &node.span);
                }
                Line::Ask(_) | Line::Row(..) | Line::Otherwise(_) => {
                    let before = file.nodes.get(..number).unwrap_or_default();
                    if !fault_before {
                        self.orphan(node, before);
                    }
                }
                _ => {}
            }
            if !matches!(node.kind, Line::Ask(_) | Line::Row(..) | Line::Otherwise(_)) {
                fault_before = false;
            }
            self.order(node, steps_since.as_ref());
        }
        self.nothing_missing(file, title.is_some());
    }

    fn order(&mut self, node: &crate::ast::Node, steps_since: Option<&Span>) {
        let is_head = matches!(
            node.kind,
            Line::Flow(_) | Line::Role(..) | Line::Use(..) | Line::Setting { .. } | Line::Table { .. }
        );
        if let (true, Some(first)) = (is_head, steps_since) {
            self.report(
                Problem::new(Code::HeadAfterSteps, node.span.clone(), "this line belongs above the steps")
                    .label("part of the head")
                    .also(first.clone(), "the steps start here")
                    .help("move it up: title, systems, scripts, settings and tables come first"),
            );
        }
    }

    fn title(&mut self, text: &Text) {
        if text.value.trim().is_empty() {
            self.report(
                Problem::new(Code::MissingHead, text.span.clone(), "the flow has an empty title")
                    .label("nothing stands here")
                    .help("say what it carries from where to where: `flow \"Orders: shop to till\"`"),
            );
        }
        self.plan.name.clone_from(&text.value);
    }

    fn take_role(&mut self, side: Side, name: &Name, system: &Name, span: &Span) {
        let word = if side == Side::Source { "source" } else { "target" };
        let known = self.catalog.system(&name.text, &system.text);
        if known.is_none() {
            let systems = self.catalog.systems.keys().map(String::as_str);
            self.report(
                Problem::new(
                    Code::UnknownSystem,
                    system.span.clone(),
                    format!("there is no system `{}`", system.text),
                )
                .label("not a system that Weft knows")
                .maybe_help(did_you_mean(&system.text, systems, "the systems are")),
            );
        }
        if !self.role(side).name.is_empty() {
            let first = self.role(side).span.clone();
            self.report(repeated(&format!("`{word}`"), &first, span));
            return;
        }
        let other = if side == Side::Source { &self.plan.target } else { &self.plan.source };
        if other.name == name.text {
            let first = other.span.clone();
            self.report(names::taken_twice(name, &first));
        }
        let role = Role { name: name.text.clone(), system: system.text.clone(), span: span.clone() };
        match side {
            Side::Source => (self.plan.source, self.systems.0) = (role, known),
            Side::Target => (self.plan.target, self.systems.1) = (role, known),
        }
    }

    fn take_use(&mut self, path: &Text, alias: &Name, span: &Span) {
        match self.catalog.scripts.get(&path.value) {
            None => {
                let scripts = self.catalog.scripts.keys().map(String::as_str);
                self.report(
                    Problem::new(
                        Code::UnknownScript,
                        path.span.clone(),
                        format!("there is no script `{}`", path.value),
                    )
                    .label("not a file of this project")
                    .maybe_help(
                        did_you_mean(&path.value, scripts, "the scripts are").or_else(|| {
                            Some(
                                "scripts stand in the project's folder `scripts/` and end in `.rhai`"
                                    .to_owned(),
                            )
                        }),
                    ),
                );
            }
            Some(script) => {
                if let Some((message, line, column)) = &script.broken {
                    self.report(
                        Problem::new(
                            Code::BrokenScript,
                            path.span.clone(),
                            format!("the script `{}` does not compile", path.value),
                        )
                        .label(format!("line {line}, column {column}: {message}"))
                        .help("mend the script first; `weft check` shows the place in it"),
                    );
                }
            }
        }
        if let Some(first) = self.plan.uses.iter().find(|used| used.alias == alias.text) {
            let first = first.span.clone();
            self.report(names::taken_twice(alias, &first));
            return;
        }
        self.plan.uses.push(Use { path: path.value.clone(), alias: alias.text.clone(), span: span.clone() });
    }

    fn take_setting(
        &mut self,
        name: &Name,
        kind: &TypeText,
        default: Option<&Value>,
        ask: Option<String>,
        span: &Span,
    ) {
        if let Some(first) = self.plan.settings.iter().find(|setting| setting.name == name.text) {
            let first = first.span.clone();
            self.report(names::taken_twice(name, &first));
            return;
        }
        if let (Some(default), Some(kind_of)) = (default, &kind.kind) {
            self.check_default(kind, kind_of, default);
        }
        if let Some(default) = default {
            self.defaults.insert(name.text.clone(), (default.value.clone(), default.span.clone()));
        }
        self.plan.settings.push(Setting {
            name: name.text.clone(),
            // Where no type could be read a problem has been said, and no plan leaves.
            kind: kind.kind.clone().unwrap_or(SettingType::Text),
            optional: kind.optional,
            default: default.map(|default| default.value.clone()),
            ask,
            span: span.clone(),
        });
    }

    fn check_default(&mut self, kind: &TypeText, of: &SettingType, default: &Value) {
        let is_empty = matches!(default.value, crate::plan::Constant::Nothing);
        if of.accepts(&default.value) || (is_empty && kind.optional) {
            return;
        }
        let problem = Problem::new(
            Code::WrongDefault,
            default.span.clone(),
            format!("the default `{}` is not of the type `{}`", default.value.written(), of.written()),
        )
        .label("does not fit")
        .also(kind.span.clone(), "the type stands here");
        let help = match (of, &default.value) {
            (_, crate::plan::Constant::Nothing) => {
                Some("put `?` after the type of a setting that may stay empty".to_owned())
            }
            (SettingType::Choice(options), crate::plan::Constant::Text(text)) => {
                did_you_mean(text, options.iter().map(String::as_str), "the options are")
            }
            (SettingType::List(item), value) if item.accepts(value) => {
                Some(format!("write a list: `[{}]`", value.written()))
            }
            (SettingType::Text, value) => Some(format!("a text stands in quotes: `\"{}\"`", value.written())),
            (SettingType::Date, _) => Some("a date is written `\"2026-11-21\"`".to_owned()),
            (SettingType::Integer | SettingType::Decimal, crate::plan::Constant::Text(text))
                if text.parse::<rust_decimal::Decimal>().is_ok() =>
            {
                Some(format!("leave the quotes away: `{text}`"))
            }
            (SettingType::Integer, crate::plan::Constant::Decimal(_)) => {
                Some("a number with a fraction is a `decimal`".to_owned())
            }
            _ => None,
        };
        self.report(problem.maybe_help(help));
    }

    /// The question: on the same line, or as the line below.
    fn question(&mut self, same_line: Option<&Text>, under: &[crate::ast::Node]) -> Option<String> {
        let below = match under.first().map(|node| &node.kind) {
            Some(Line::Ask(text)) => Some(text),
            _ => None,
        };
        if let (Some(first), Some(second)) = (same_line, below) {
            self.report(repeated("the question", &first.span, &second.span));
        }
        same_line.or(below).map(|text| text.value.clone())
    }

    /// `ask`, a row or `otherwise` that stands under nothing it could belong to.
    fn orphan(&mut self, node: &crate::ast::Node, before: &[crate::ast::Node]) {
        let owner = before
            .iter()
            .rev()
            .find(|node| !matches!(node.kind, Line::Ask(_) | Line::Row(..) | Line::Otherwise(_)));
        let problem = match (&node.kind, owner.map(|owner| &owner.kind)) {
            (_, Some(Line::Table { .. } | Line::Malformed)) => return,
            (Line::Ask(_), Some(Line::Setting { .. })) => {
                let is_second = before.last().is_some_and(|node| matches!(node.kind, Line::Ask(_)));
                if !is_second {
                    return;
                }
                Problem::new(Code::RepeatedLine, node.span.clone(), "the setting has a question already")
                    .label("a second one")
            }
            (Line::Ask(_), _) => {
                Problem::new(Code::Orphan, node.span.clone(), "this question belongs to no setting")
                    .label("no setting or table stands above")
                    .help("`ask` stands on the line below its `setting` or `table`")
            }
            (_, _) => Problem::new(Code::Orphan, node.span.clone(), "this row belongs to no table")
                .label("no table stands above")
                .help("rows stand right below their `table NAME: KEY -> TYPE`"),
        };
        self.report(problem);
    }

    fn nothing_missing(&mut self, file: &File, has_title: bool) {
        // A line that could not be read may be the one that seems missing.
        if file.nodes.iter().any(|node| matches!(node.kind, Line::Malformed))
            && top_lines(file).count() < file.nodes.len()
        {
            let malformed = |word: &str| {
                file.nodes.iter().any(|node| {
                    matches!(node.kind, Line::Malformed)
                        && self.text.get(node.span.clone()).is_some_and(|line| {
                            crate::problem::closest(
                                line.split_whitespace().next().unwrap_or_default(),
                                [word],
                            )
                            .is_some()
                        })
                })
            };
            let (flow, source, target) = (malformed("flow"), malformed("source"), malformed("target"));
            self.missing(has_title || flow, source, target);
        } else {
            self.missing(has_title, false, false);
        }
    }

    fn missing(&mut self, has_title: bool, source_excused: bool, target_excused: bool) {
        let start = self.text.len() - self.text.trim_start().len();
        let length = self.text.get(start..).and_then(|text| text.lines().next()).map_or(0, str::len);
        let first_line = start..start + length;
        if !has_title {
            self.report(
                Problem::new(Code::MissingHead, first_line.clone(), "the flow has no title")
                    .label("expected `flow \"title\"` first")
                    .help("say what it carries from where to where: `flow \"Orders: shop to till\"`"),
            );
        }
        for (side, word, excused) in
            [(Side::Source, "source", source_excused), (Side::Target, "target", target_excused)]
        {
            if self.role(side).name.is_empty() && !excused {
                self.report(
                    Problem::new(Code::MissingHead, first_line.clone(), format!("the flow has no {word}"))
                        .label(format!("expected a line `{word} NAME: SYSTEM` below"))
                        .help(format!(
                            "name the side and its system: `{word} {}`",
                            if word == "source" { "shop: ccv_salespos" } else { "till: mpluskassa" }
                        )),
                );
            }
        }
    }
}

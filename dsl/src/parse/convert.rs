//! Pairs of pest → lines of the ast.

use std::time::Duration;

use pest::iterators::{Pair, Pairs};

use super::{Rule, constant};
use crate::ast::{
    ConditionText, Expr, KeyText, Kind, MatchText, Name, OtherwiseText, ResourceText, Text, Value, WriteVerb,
};
use crate::plan::{Constant, Missed, On, Overlapping, Side, Span};
use crate::problem::{Code, Problem};

/// Turns the pairs of one line into the ast.
pub(super) struct Convert<'a> {
    text: &'a str,
    /// Where the line starts in the file.
    base: usize,
    /// What is wrong with parts that could be read.
    pub(super) problems: Vec<Problem>,
}

/// The parts of one pair, taken in order by rule.
struct Parts<'i>(Vec<Pair<'i, Rule>>);

impl<'i> Parts<'i> {
    fn of(pair: Pair<'i, Rule>) -> Self {
        Self(pair.into_inner().collect())
    }

    /// The first part of that rule, which is taken out.
    fn take(&mut self, rule: Rule) -> Option<Pair<'i, Rule>> {
        let index = self.0.iter().position(|part| part.as_rule() == rule)?;
        Some(self.0.remove(index))
    }

    fn all(&mut self, rule: Rule) -> Vec<Pair<'i, Rule>> {
        let (matching, rest) =
            std::mem::take(&mut self.0).into_iter().partition(|part| part.as_rule() == rule);
        self.0 = rest;
        matching
    }

    fn has(&self, rule: Rule) -> bool {
        self.0.iter().any(|part| part.as_rule() == rule)
    }
}

impl<'a> Convert<'a> {
    pub(super) fn new(text: &'a str, base: usize) -> Self {
        Self { text, base, problems: Vec::new() }
    }

    /// What the line says. The grammar promises the parts, so a missing one, which cannot be,
    /// makes the line malformed instead of a panic.
    pub(super) fn line(&mut self, pairs: Pairs<'_, Rule>) -> Kind {
        let statement = pairs.flat_map(Pair::into_inner).find(|pair| pair.as_rule() != Rule::EOI);
        statement.and_then(|pair| self.statement(pair)).unwrap_or(Kind::Malformed)
    }

    fn statement(&mut self, pair: Pair<'_, Rule>) -> Option<Kind> {
        let rule = pair.as_rule();
        let mut parts = Parts::of(pair);
        match rule {
            Rule::fetch | Rule::lookup | Rule::upsert | Rule::create | Rule::update => {
                self.remote_step(rule, &mut parts)
            }
            Rule::filter
            | Rule::skip
            | Rule::fail
            | Rule::notify
            | Rule::map
            | Rule::each
            | Rule::when
            | Rule::otherwise_when
            | Rule::otherwise_block => self.local_step(rule, &mut parts),
            Rule::field | Rule::field_each | Rule::field_block => self.field_line(rule, &mut parts),
            _ => self.head(rule, &mut parts),
        }
    }

    fn head(&mut self, rule: Rule, parts: &mut Parts<'_>) -> Option<Kind> {
        Some(match rule {
            Rule::flow => Kind::Flow(self.text_of(parts)?),
            Rule::source => Kind::Role(Side::Source, self.name_of(parts)?, self.name_of(parts)?),
            Rule::target => Kind::Role(Side::Target, self.name_of(parts)?, self.name_of(parts)?),
            Rule::uses => Kind::Use(self.text_of(parts)?, self.name_of(parts)?),
            Rule::ask => Kind::Ask(self.text_of(parts)?),
            Rule::setting => Kind::Setting {
                name: self.name_of(parts)?,
                kind: parts.take(Rule::kind).map(|pair| self.kind(pair))?,
                default: parts.take(Rule::constant).and_then(|pair| self.constant(&pair)),
                ask: self.inline_ask(parts),
            },
            Rule::table => Kind::Table {
                name: self.name_of(parts)?,
                keys: parts.take(Rule::table_keys).map(|pair| self.table_keys(&pair))?,
                value: parts.take(Rule::kind).map(|pair| self.kind(pair))?,
                ask: self.inline_ask(parts),
            },
            Rule::row => {
                let span = self.span(&parts.take(Rule::row_keys)?);
                let keys = match constant::read_keys(self.text, &span) {
                    Ok(keys) => keys,
                    Err(problem) => {
                        self.problems.push(problem);
                        return None;
                    }
                };
                Kind::Row(keys, parts.take(Rule::constant).and_then(|pair| self.constant(&pair))?)
            }
            Rule::otherwise if parts.has(Rule::fail_only) => Kind::Otherwise(OtherwiseText::Fail),
            Rule::otherwise if parts.has(Rule::keep_only) => Kind::Otherwise(OtherwiseText::Keep),
            Rule::otherwise => {
                let value = parts.take(Rule::constant).and_then(|pair| self.constant(&pair))?;
                Kind::Otherwise(OtherwiseText::Value(value))
            }
            Rule::every => Kind::Every(self.duration_of(parts)),
            Rule::at => Kind::At(self.text_of(parts)?, self.text_of(parts)?),
            Rule::webhook => Kind::Webhook(self.name_of(parts)?, self.text_of(parts)?),
            Rule::overlapping if parts.has(Rule::queue_word) => Kind::Overlapping(Overlapping::Queue),
            Rule::overlapping => Kind::Overlapping(Overlapping::Skip),
            Rule::missed if parts.has(Rule::skip_word) => Kind::Missed(Missed::Skip),
            Rule::missed => Kind::Missed(Missed::Once),
            Rule::apart => Kind::Apart(self.duration_of(parts)),
            _ => return None,
        })
    }

    fn remote_step(&mut self, rule: Rule, parts: &mut Parts<'_>) -> Option<Kind> {
        let name = self.name_of(parts)?;
        let resource = self.resource(parts.take(Rule::resource)?)?;
        let by: Vec<MatchText> =
            parts.all(Rule::r#match).into_iter().filter_map(|pair| self.match_text(pair)).collect();
        Some(match rule {
            Rule::fetch => {
                let mut since = Vec::new();
                for pair in parts.all(Rule::since) {
                    let mut inner = Parts::of(pair);
                    let field = self.name_of(&mut inner)?;
                    since.push((field, self.duration_of(&mut inner)));
                }
                let lists = parts.all(Rule::where_list).into_iter().flat_map(Pair::into_inner);
                let matches: Vec<_> = lists.filter(|pair| pair.as_rule() == Rule::r#match).collect();
                let conditions = matches.into_iter().filter_map(|pair| self.match_text(pair)).collect();
                Kind::Fetch { name, from: resource, since, conditions }
            }
            Rule::lookup => Kind::Lookup { name, all: parts.has(Rule::all), from: resource, by },
            Rule::create => Kind::Write(WriteVerb::Create, name, resource),
            Rule::update => Kind::Write(WriteVerb::Update(by), name, resource),
            _ => {
                let keys = parts.all(Rule::key).into_iter().filter_map(|pair| self.key(pair)).collect();
                Kind::Write(WriteVerb::Upsert(keys), name, resource)
            }
        })
    }

    fn local_step(&mut self, rule: Rule, parts: &mut Parts<'_>) -> Option<Kind> {
        Some(match rule {
            Rule::filter => Kind::Filter(self.expr_of(parts, Rule::rest)?),
            Rule::skip => Kind::Skip(self.expr_of(parts, Rule::message)?, self.condition(parts)),
            Rule::fail => Kind::Fail(self.expr_of(parts, Rule::message)?, self.condition(parts)),
            Rule::notify => Kind::Notify(self.expr_of(parts, Rule::message)?, self.condition(parts)),
            Rule::map => Kind::Map(self.name_of(parts)?, self.expr_of(parts, Rule::rest)),
            Rule::each => Kind::Each(self.name_of(parts)?, self.expr_of(parts, Rule::rest)?),
            Rule::when => Kind::When(self.expr_of(parts, Rule::rest)?),
            Rule::otherwise_when => Kind::ElseWhen(self.expr_of(parts, Rule::rest)?),
            _ => Kind::Else,
        })
    }

    fn field_line(&mut self, rule: Rule, parts: &mut Parts<'_>) -> Option<Kind> {
        let mut when = Vec::new();
        for pair in parts.all(Rule::field_when) {
            when.extend(self.expr_of(&mut Parts::of(pair), Rule::field_value));
        }
        Some(match rule {
            Rule::field => {
                let on = parts.0.iter().filter_map(|pair| {
                    let on = match pair.as_rule() {
                        Rule::on_create => On::Create,
                        Rule::on_update => On::Update,
                        Rule::on_delete => On::Delete,
                        _ => return None,
                    };
                    Some((on, self.span(pair)))
                });
                let on = on.collect();
                let name = self.path_of(parts)?;
                Kind::Field { name, value: self.expr_of(parts, Rule::field_value)?, on, when }
            }
            Rule::field_each => Kind::FieldEach {
                name: self.name_of(parts)?,
                item: self.name_of(parts)?,
                list: self.expr_of(parts, Rule::field_value)?,
                when: when.pop(),
            },
            _ => Kind::FieldBlock(self.path_of(parts)?),
        })
    }

    /// Where the pair stands in the file, without blanks at its end.
    pub(super) fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let span = pair.as_span();
        let written = pair.as_str().trim_end();
        let lead = written.len() - written.trim_start().len();
        let start = self.base + span.start() + lead;
        start..(self.base + span.start() + written.len()).max(start)
    }

    /// What really stands there; the pairs come from the masked text.
    pub(super) fn original(&self, span: &Span) -> &str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    fn name(&self, pair: &Pair<'_, Rule>) -> Name {
        let span = self.span(pair);
        Name { text: self.original(&span).to_owned(), span }
    }

    fn name_of(&self, parts: &mut Parts<'_>) -> Option<Name> {
        parts.take(Rule::name).map(|pair| self.name(&pair))
    }

    fn path_of(&self, parts: &mut Parts<'_>) -> Option<Name> {
        parts.take(Rule::path).map(|pair| self.name(&pair))
    }

    /// A text in quotes, its escapes resolved.
    pub(super) fn text(&mut self, pair: &Pair<'_, Rule>) -> Text {
        let span = self.span(pair);
        let value = match constant::read(self.text, &span) {
            Ok(Value { value: Constant::Text(text), .. }) => text,
            // The scanner has said what is wrong with the quotes.
            _ => self.original(&span).trim_matches(['"', '\'']).to_owned(),
        };
        Text { value, span }
    }

    fn text_of(&mut self, parts: &mut Parts<'_>) -> Option<Text> {
        parts.take(Rule::text).map(|pair| self.text(&pair))
    }

    fn inline_ask(&mut self, parts: &mut Parts<'_>) -> Option<Text> {
        parts.take(Rule::ask).and_then(|pair| self.text_of(&mut Parts::of(pair)))
    }

    fn constant(&mut self, pair: &Pair<'_, Rule>) -> Option<Value> {
        match constant::read(self.text, &self.span(pair)) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    fn expr_of(&self, parts: &mut Parts<'_>, rule: Rule) -> Option<Expr> {
        parts.take(rule).map(|pair| Expr { span: self.span(&pair) })
    }

    fn condition(&self, parts: &mut Parts<'_>) -> Option<ConditionText> {
        let mut inner = Parts::of(parts.take(Rule::condition)?);
        Some(ConditionText {
            negated: inner.has(Rule::unless_word),
            expr: self.expr_of(&mut inner, Rule::rest)?,
        })
    }

    fn resource(&self, pair: Pair<'_, Rule>) -> Option<ResourceText> {
        let mut parts = Parts::of(pair);
        Some(ResourceText { role: self.name_of(&mut parts)?, resource: self.name_of(&mut parts)? })
    }

    fn match_text(&mut self, pair: Pair<'_, Rule>) -> Option<MatchText> {
        let mut parts = Parts::of(pair);
        if let Some(equals) =
            parts.0.iter().find(|part| part.as_rule() == Rule::match_equals && part.as_str() == "==")
        {
            let span = self.span(equals);
            self.problems.push(
                Problem::new(Code::WrongEquals, span, "a field to find by takes one `=`")
                    .label("two are for conditions")
                    .help("write `field = value`"),
            );
        }
        Some(MatchText {
            field: self.path_of(&mut parts)?,
            value: self.expr_of(&mut parts, Rule::match_value)?,
        })
    }

    fn key(&mut self, pair: Pair<'_, Rule>) -> Option<KeyText> {
        let mut parts = Parts::of(pair);
        if let Some(setting) = parts.take(Rule::setting_key) {
            return self.name_of(&mut Parts::of(setting)).map(KeyText::Setting);
        }
        let mut names = Vec::new();
        for field in parts.all(Rule::key_field) {
            let span = self.span(&field);
            let mut inner = Parts::of(field);
            let name = self.path_of(&mut inner)?;
            if inner.has(Rule::match_value) {
                self.problems.push(
                    Problem::new(
                        Code::Unexpected,
                        span,
                        "an upsert takes the values to find by from its block",
                    )
                    .label("only the field stands here")
                    .help(format!("write `by {0}`, and `{0} = …` in the block", name.text)),
                );
            }
            names.push(name);
        }
        Some(KeyText::Fields(names))
    }

    fn duration_of(&mut self, parts: &mut Parts<'_>) -> Option<Duration> {
        let pair = parts.take(Rule::duration)?;
        let span = self.span(&pair);
        let mut inner = Parts::of(pair);
        let number = inner.take(Rule::number).map(|pair| pair.as_str().to_owned()).unwrap_or_default();
        let unit = inner.take(Rule::word).map(|pair| self.name(&pair));
        match duration(&number, unit.as_ref(), &span) {
            Ok(duration) => Some(duration),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }
}

const UNITS: &[(&str, u64)] =
    &[("second", 1), ("minute", 60), ("hour", 3600), ("day", 86_400), ("week", 604_800)];

fn duration(number: &str, unit: Option<&Name>, span: &Span) -> Result<Duration, Problem> {
    let Some(unit) = unit else {
        return Err(Problem::new(Code::WrongDuration, span.clone(), "the unit is missing")
            .label("how many of what?")
            .help(format!(
                "write `{number} minutes`; the units are seconds, minutes, hours, days and weeks"
            )));
    };
    let singular = unit.text.strip_suffix('s').unwrap_or(&unit.text);
    let Some((_, seconds)) = UNITS.iter().find(|(name, _)| *name == singular) else {
        let lower = unit.text.to_lowercase();
        let meant = UNITS.iter().find(|(name, _)| {
            let short = lower.trim_end_matches('s');
            !short.is_empty() && name.starts_with(short)
                || strsim::levenshtein(name, short) <= 2
                || lower == "hrs" && *name == "hour"
        });
        let help = match meant {
            Some((name, _)) => format!("write `{number} {name}{}`", if number == "1" { "" } else { "s" }),
            None => "the units are seconds, minutes, hours, days and weeks".to_owned(),
        };
        return Err(Problem::new(
            Code::WrongDuration,
            unit.span.clone(),
            format!("`{}` is no unit of time", unit.text),
        )
        .label("not a unit")
        .help(help));
    };
    let problem = |message: &str, help: &str| {
        Problem::new(Code::WrongDuration, span.clone(), message).label("not a length of time").help(help)
    };
    if number.contains('.') {
        return Err(problem(
            "a length of time is a whole number",
            "take a smaller unit: `90 seconds` for one and a half minutes",
        ));
    }
    match number.parse::<u64>().ok().and_then(|number| number.checked_mul(*seconds)) {
        Some(0) => Err(problem(
            "a length of time is at least one second",
            "leave the line away, or write a length such as `5 minutes`",
        )),
        // Ten years: beyond is a slip of the keyboard, and clocks need not reckon with it.
        Some(seconds) if seconds <= 315_360_000 => Ok(Duration::from_secs(seconds)),
        _ if number.starts_with('-') => {
            Err(problem("a length of time is not negative", "take the minus away"))
        }
        _ => Err(problem("a length of time is at most ten years", "write a shorter one")),
    }
}

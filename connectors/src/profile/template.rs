//! Texts with holes: `{settings.address}/orders/{number}`.
//!
//! A hole names a setting of the connection or a field of the record that is looked for.
//! Two braces stand for one.

use super::problem::{Code, Problem};
use super::reader::{Reader, Word};

/// A compiled text with holes.
#[derive(Clone, Debug, Default)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Part {
    Text(String),
    Setting(String),
    Field(String),
}

impl Template {
    /// Reads a text whose holes may name these settings and fields, and reports what is wrong.
    pub(super) fn read(reader: &Reader<'_>, word: &Word<'_>, settings: &[&str], fields: &[&str]) -> Self {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = word.text;
        while let Some(at) = rest.find(['{', '}']) {
            let offset = word.text.len() - rest.len() + at;
            let (before, brace) = rest.split_at(at);
            plain.push_str(before);
            if brace.starts_with("{{") || brace.starts_with("}}") {
                plain.push_str(brace.get(..1).unwrap_or_default());
                rest = brace.get(2..).unwrap_or_default();
                continue;
            }
            let Some(close) = brace.find('}').filter(|close| *close > 0) else {
                let lone = brace.get(..1).unwrap_or_default();
                reader.report(
                    Problem::new(
                        Code::BadTemplate,
                        reader.within(word, offset..offset + 1),
                        format!("this `{lone}` has no partner"),
                    )
                    .help("a brace that is meant as text is written twice"),
                );
                plain.push_str(lone);
                rest = brace.get(1..).unwrap_or_default();
                continue;
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            let hole = brace.get(1..close).unwrap_or_default();
            let place = reader.within(word, offset + 1..offset + close);
            parts.extend(Self::hole(reader, hole, place, settings, fields));
            rest = brace.get(close + 1..).unwrap_or_default();
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Self { parts }
    }

    fn hole(
        reader: &Reader<'_>,
        hole: &str,
        place: std::ops::Range<usize>,
        settings: &[&str],
        fields: &[&str],
    ) -> Option<Part> {
        if let Some(setting) = hole.strip_prefix("settings.") {
            if settings.contains(&setting) {
                return Some(Part::Setting(setting.to_owned()));
            }
            let place = place.start + "settings.".len().min(place.len())..place.end;
            reader.report(
                Problem::new(Code::UnknownSetting, place, format!("there is no setting `{setting}`"))
                    .label("not among `settings`")
                    .suggest(setting, settings.iter().copied()),
            );
        } else if fields.contains(&hole) {
            return Some(Part::Field(hole.to_owned()));
        } else if settings.contains(&hole) {
            reader.report(
                Problem::new(Code::BadTemplate, place, format!("`{{{hole}}}` names nothing"))
                    .label("a setting is named with `settings.` before it")
                    .help(format!("write `{{settings.{hole}}}`")),
            );
        } else if fields.is_empty() {
            reader.report(
                Problem::new(Code::BadTemplate, place, format!("`{{{hole}}}` names nothing"))
                    .label("only settings can be named here")
                    .help("write `{settings.NAME}`"),
            );
        } else {
            reader.report(
                Problem::new(
                    Code::UnknownField,
                    place,
                    format!("`{{{hole}}}` is no field that is known here"),
                )
                .label("not known here")
                .suggest(hole, fields.iter().copied()),
            );
        }
        None
    }

    pub(super) const fn empty() -> Self {
        Self { parts: Vec::new() }
    }

    /// The same with a text before it.
    pub(super) fn before(text: &str, mut rest: Self) -> Self {
        rest.parts.insert(0, Part::Text(text.to_owned()));
        rest
    }

    /// Fills in the settings, which do not change while a connection lives.
    pub(super) fn settle(&self, setting: &dyn Fn(&str) -> String) -> Self {
        let mut parts: Vec<Part> = Vec::with_capacity(self.parts.len());
        for part in &self.parts {
            let next = match part {
                Part::Setting(name) => Part::Text(setting(name)),
                other => other.clone(),
            };
            match (parts.last_mut(), next) {
                (Some(Part::Text(text)), Part::Text(more)) => text.push_str(&more),
                (_, next) => parts.push(next),
            }
        }
        Self { parts }
    }

    /// The whole text. Settings have been filled in by [`Template::settle`].
    pub(super) fn fill(&self, field: &dyn Fn(&str) -> String) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Field(name) => text.push_str(&field(name)),
                Part::Setting(_) => {}
            }
        }
        text
    }

    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Fields that it names.
    pub(super) fn fields(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Field(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Settings that it names.
    pub(super) fn settings(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Setting(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

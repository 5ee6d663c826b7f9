//! One mistake in a flow file, and the report that carries all of a file's mistakes.
//!
//! A [`Problem`] is made where the mistake is found, in the words of the one who wrote the
//! flow; its [`Code`] names the kind. What each code means at length stands in
//! `docs/errors/`, one page a code.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use thiserror::Error;

use crate::plan::Span;
use crate::source::Source;

pub use crate::codes::Code;

/// Most problems that one report holds: whoever has more mends these first.
pub(crate) const MAX_PROBLEMS: usize = 100;

/// One mistake in a flow file, in the writer's words, with the place it was made.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{message}")]
pub struct Problem {
    code: Code,
    message: String,
    at: Span,
    label: String,
    elsewhere: Option<Box<(Span, String)>>,
    help: Option<String>,
}

impl Problem {
    /// A problem of that kind at that place.
    pub(crate) fn new(code: Code, at: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), at, label: String::new(), elsewhere: None, help: None }
    }

    /// What stands under the place.
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// A second place that explains the first: where the block was opened, the name taken.
    pub(crate) fn also(mut self, at: Span, label: impl Into<String>) -> Self {
        self.elsewhere = Some(Box::new((at, label.into())));
        self
    }

    /// What to do next.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What to do next, when that is known.
    pub(crate) fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    /// The same problem, found within a script: what it says of places in the flow is gone.
    pub(crate) fn told_of(mut self, script: &str) -> Self {
        self.message = format!("{} ({script})", self.message);
        "with what this call gives it".clone_into(&mut self.label);
        self.elsewhere = None;
        self
    }

    /// The same problem at another place.
    pub(crate) fn moved(mut self, at: Span) -> Self {
        self.at = at;
        self
    }

    /// Its kind.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// Where it was made, in bytes of the file.
    #[must_use]
    pub fn span(&self) -> Span {
        self.at.clone()
    }

    /// What is wrong, in one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What stands under the place; empty when the message says it all.
    #[must_use]
    pub fn caption(&self) -> &str {
        &self.label
    }

    /// A second place that explains the first, with what stands under it.
    #[must_use]
    pub fn elsewhere(&self) -> Option<(Span, &str)> {
        self.elsewhere.as_deref().map(|(at, label)| (at.clone(), label.as_str()))
    }

    /// What to do next, when that is known.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl Diagnostic for Problem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = (!self.label.is_empty()).then(|| self.label.clone());
        let main = LabeledSpan::new_primary_with_span(label, self.at.clone());
        let other = self
            .elsewhere
            .as_deref()
            .map(|(at, label)| LabeledSpan::new_with_span(Some(label.clone()), at.clone()));
        Some(Box::new(other.into_iter().chain([main])))
    }
}

/// All problems of one file, in the order of the text, with the text they speak of.
#[derive(Debug, Error)]
#[error("{} in `{name}`", count(problems.len(), *left_out))]
pub struct Report {
    name: String,
    text: Box<NamedSource<String>>,
    problems: Vec<Problem>,
    left_out: bool,
}

impl Report {
    /// Sorts the problems, leaves out repetitions, and makes sure that each place can be shown.
    pub(crate) fn new(source: &Source, mut problems: Vec<Problem>) -> Self {
        for problem in &mut problems {
            problem.at = on_text(source.text(), &problem.at);
            for text in [&mut problem.message, &mut problem.label].into_iter().chain(&mut problem.help) {
                *text = printable(text);
            }
        }
        problems.sort_by_key(|problem| (problem.at.start, problem.code));
        problems.dedup_by(|next, first| next.at == first.at && next.message == first.message);
        let left_out = problems.len() > MAX_PROBLEMS;
        problems.truncate(MAX_PROBLEMS);
        Self {
            name: source.name().to_owned(),
            text: Box::new(NamedSource::new(printable(source.name()), printable(source.text()))),
            problems,
            left_out,
        }
    }

    /// The problems, in the order of the text.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Name of the file.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.name
    }
}

impl Diagnostic for Report {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&*self.text)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.problems.iter().map(|problem| problem as &dyn Diagnostic)))
    }
}

fn count(problems: usize, left_out: bool) -> String {
    match (problems, left_out) {
        (_, true) => format!("more than {MAX_PROBLEMS} problems"),
        (1, false) => "1 problem".to_owned(),
        (many, false) => format!("{many} problems"),
    }
}

/// Text that does nothing to a terminal: control characters and those that turn the direction
/// of writing are replaced by others of the same length in bytes.
fn printable(text: &str) -> String {
    let stand_in = |c: char| match c {
        '\n' | '\t' | '\r' => c,
        '\u{0}'..='\u{1f}' | '\u{7f}' => '?',
        '\u{80}'..='\u{9f}' => '·',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' => '\u{fffd}',
        _ => c,
    };
    text.chars().map(stand_in).collect()
}

/// A place on characters of the text: at the end of the file the last letter stands in, an
/// empty place takes the character after it, and no place starts or ends within a character.
fn on_text(text: &str, at: &Span) -> Span {
    let floor = |mut index: usize| {
        index = index.min(text.len());
        while !text.is_char_boundary(index) {
            index -= 1;
        }
        index
    };
    let written = text.trim_end().len();
    let mut start = floor(at.start);
    if start >= written {
        start = floor(written.saturating_sub(1));
    }
    let mut end = floor(at.end.max(start));
    if end <= start {
        let next = text.get(start..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        end = start + next;
    }
    start..end
}

/// Of some names, the one that was probably meant.
pub(crate) fn closest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = wrong.to_lowercase();
    let fits = |name: &str| {
        let allowed = match wrong.chars().count() {
            0..=2 => 1,
            3..=5 => 2,
            _ => 3,
        };
        let distance = strsim::damerau_levenshtein(&lower, &name.to_lowercase());
        // Parts of compound names count: `debtor` for `default_debtor`.
        let part = lower.len() >= 4 && name.len() >= 4 && (name.contains(&lower) || lower.contains(name));
        match (distance <= allowed && distance < wrong.chars().count().max(1), part) {
            (true, _) => Some(distance),
            (false, true) => Some(allowed + distance),
            _ => None,
        }
    };
    names
        .into_iter()
        .filter_map(|name| fits(name).map(|distance| (distance, name)))
        .min()
        .map(|(_, name)| name)
}

/// ``did you mean `x`?``, or the names there are when none is close.
pub(crate) fn did_you_mean<'a>(
    wrong: &str,
    names: impl IntoIterator<Item = &'a str> + Clone,
    there_are: &str,
) -> Option<String> {
    if let Some(name) = closest(wrong, names.clone()) {
        return Some(format!("did you mean `{name}`?"));
    }
    let all = list(names, "and");
    (!all.is_empty()).then(|| format!("{there_are}: {all}"))
}

/// `a`, `b` and `c`; long lists are cut.
pub(crate) fn list<'a>(names: impl IntoIterator<Item = &'a str>, last_word: &str) -> String {
    const SHOWN: usize = 12;
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) if names.len() <= SHOWN => format!("{} {last_word} {last}", rest.join(", ")),
        Some(_) => {
            let shown: Vec<String> = names.iter().take(SHOWN).cloned().collect();
            format!("{}, … ({} in all)", shown.join(", "), names.len())
        }
    }
}

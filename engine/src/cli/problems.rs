//! Problems as they are shown: each by itself, with its place, without headlines around
//! headlines.

use std::fmt;
use std::ops::Range;

use miette::{Diagnostic, LabeledSpan, Report, Severity, SourceCode};
use serde_json::{Value, json};

/// One problem, with the text that a headline around it may hold.
pub(super) struct Problem<'d> {
    inner: &'d dyn Diagnostic,
    source: Option<&'d dyn SourceCode>,
}

/// The problems of a diagnostic: itself, or those that it is the headline of.
pub(super) fn problems(diagnostic: &dyn Diagnostic) -> Vec<Problem<'_>> {
    let mut all = Vec::new();
    collect(diagnostic, None, &mut all);
    all
}

/// A problem as an editor shows it.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) code: Option<String>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    pub(crate) severity: Severity,
    /// Where it stands, in bytes, and what stands under the place.
    pub(crate) at: Option<(Range<usize>, String)>,
    /// Other places that explain it.
    pub(crate) others: Vec<(Range<usize>, String)>,
}

/// The problems of a report, with their places in bytes.
pub(crate) fn told(report: &Report) -> Vec<Told> {
    let span = |label: &LabeledSpan| {
        let start = label.offset();
        (start..start + label.len(), label.label().unwrap_or_default().to_owned())
    };
    let one = |problem: Problem<'_>| {
        let (code, message, help) = problem.words();
        let main = problem.label();
        let others =
            problem.inner.labels().into_iter().flatten().filter(|label| Some(label) != main.as_ref());
        Told {
            code,
            message,
            help,
            severity: problem.inner.severity().unwrap_or(Severity::Error),
            at: main.as_ref().map(span),
            others: others.map(|label| span(&label)).collect(),
        }
    };
    problems(report.as_ref()).into_iter().map(one).collect()
}

/// The problems of a report, one line each: `orders.flow:3:9: what is wrong (F020); what to do`.
pub(crate) fn in_lines(report: &Report) -> Vec<String> {
    let line = |problem: Problem<'_>| {
        let all = problem.to_json();
        let text = |name: &str| all.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let number = |name: &str| all.get(name).and_then(Value::as_u64).unwrap_or_default();
        let mut line = String::new();
        if all.get("file").is_some() {
            line = format!("{}:{}:{}: ", text("file"), number("line"), number("column"));
        }
        line.push_str(&text("message"));
        if !text("code").is_empty() {
            line = format!("{line} ({})", text("code"));
        }
        if !text("help").is_empty() {
            line = format!("{line}; {}", text("help"));
        }
        line.replace('\n', " ")
    };
    problems(report.as_ref()).into_iter().map(line).collect()
}

fn collect<'d>(inner: &'d dyn Diagnostic, around: Option<&'d dyn SourceCode>, all: &mut Vec<Problem<'d>>) {
    let source = inner.source_code().or(around);
    let is_headline = inner.code().is_none() && inner.labels().is_none();
    match inner.related() {
        Some(related) if is_headline => related.for_each(|one| collect(one, source, all)),
        _ => all.push(Problem { inner, source }),
    }
}

/// Where a problem stands; lines and columns count from one, columns in characters.
pub(super) struct Place {
    pub(super) file: String,
    pub(super) start: (usize, usize),
    pub(super) end: (usize, usize),
    pub(super) label: Option<String>,
}

impl Problem<'_> {
    /// The place of the mistake itself; others only explain it.
    fn label(&self) -> Option<LabeledSpan> {
        let all: Vec<LabeledSpan> = self.inner.labels()?.collect();
        all.iter().find(|label| label.primary()).or(all.first()).cloned()
    }

    /// The place of the mistake, and those that explain it.
    pub(super) fn places(&self) -> (Option<Place>, Vec<Place>) {
        let main = self.label();
        let others = self.inner.labels().into_iter().flatten().filter(|label| Some(label) != main.as_ref());
        let others = others.filter_map(|label| self.place(&label)).collect();
        (main.and_then(|label| self.place(&label)), others)
    }

    fn place(&self, label: &LabeledSpan) -> Option<Place> {
        let source = self.source?;
        let file = source.read_span(label.inner(), 0, 0).ok()?.name()?.to_owned();
        let at = |offset: usize| {
            let before = source.read_span(&(0, offset).into(), 0, 0).ok()?;
            let before = String::from_utf8_lossy(before.data().get(..offset)?).into_owned();
            let line = before.matches('\n').count() + 1;
            Some((line, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1))
        };
        let (start, end) = (at(label.offset())?, at(label.offset() + label.len())?);
        Some(Place { file, start, end, label: label.label().map(str::to_owned) })
    }

    /// Its code, its message and what to do next.
    pub(super) fn words(&self) -> (Option<String>, String, Option<String>) {
        let text = |part: Option<Box<dyn fmt::Display + '_>>| part.map(|part| part.to_string());
        (text(self.inner.code()), self.inner.to_string(), text(self.inner.help()))
    }

    /// What stands there and what was meant, where the help says it whole.
    pub(super) fn fix(&self) -> Option<(String, String)> {
        let label = self.label()?;
        let (_, message, help) = self.words();
        let at = label.offset()..label.offset() + label.len();
        let until = self.source?.read_span(&(0, at.end).into(), 0, 0).ok()?;
        let text = String::from_utf8_lossy(until.data().get(..at.end)?);
        let written = text.get(at.clone())?.to_owned();
        Some((written, dsl::fix(&text, &at, &message, &help?)?))
    }

    /// The same for programs; lines and columns count from one.
    pub(super) fn to_json(&self) -> Value {
        let text = |part: Option<Box<dyn fmt::Display + '_>>| part.map(|part| part.to_string());
        let mut all = json!({
            "code": text(self.inner.code()),
            "message": self.inner.to_string(),
            "help": text(self.inner.help()),
        });
        if let (Some(label), Some(source), Some(all)) = (self.label(), self.source, all.as_object_mut())
            && let Ok(place) = source.read_span(label.inner(), 0, 0)
        {
            all.insert("file".into(), json!(place.name()));
            all.insert("line".into(), json!(place.line() + 1));
            all.insert("column".into(), json!(place.column() + 1));
            all.insert("label".into(), json!(label.label()));
        }
        all
    }
}

impl fmt::Debug for Problem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.inner, f)
    }
}

impl fmt::Display for Problem<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.inner, f)
    }
}

impl std::error::Error for Problem<'_> {}

impl Diagnostic for Problem<'_> {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.inner.code()
    }

    fn severity(&self) -> Option<Severity> {
        self.inner.severity()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.inner.help()
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.inner.labels()
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        self.inner.related()
    }
}

//! Problems as they are shown: each by itself, with its place, without headlines around
//! headlines.

use std::fmt;

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

impl Problem<'_> {
    /// The same for programs; lines and columns count from one.
    pub(super) fn to_json(&self) -> Value {
        let text = |part: Option<Box<dyn fmt::Display + '_>>| part.map(|part| part.to_string());
        let mut all = json!({
            "code": text(self.inner.code()),
            "message": self.inner.to_string(),
            "help": text(self.inner.help()),
        });
        let label = self.inner.labels().and_then(|mut labels| labels.next());
        if let (Some(label), Some(source), Some(all)) = (label, self.source, all.as_object_mut())
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

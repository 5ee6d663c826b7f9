//! What goes wrong outside a flow file, told as a flow's problems are: place, reason, next
//! step.

use std::fmt;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, Report, SourceCode};

use crate::store::StoreError;

/// One mistake or mishap, for people.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.message)]
pub struct Trouble(Box<Inner>);

#[derive(Debug, Default)]
struct Inner {
    message: String,
    code: Option<&'static str>,
    help: Option<String>,
    file: Option<NamedSource<Arc<str>>>,
    label: Option<LabeledSpan>,
    related: Vec<Report>,
    kind: Kind,
}

/// What a script that called `weft` may want to know; decides the exit code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// A file of the project is wrong, or the call was.
    #[default]
    Project,
    /// A remote system refuses us or does not answer.
    Remote,
    /// The store cannot be used.
    Store,
}

impl Trouble {
    /// Trouble of that kind.
    #[must_use]
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { message: message.into(), code: Some(code), ..Inner::default() }))
    }

    /// The same with a next step.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// The same with a next step, when there is one.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        if help.is_some() {
            self.0.help = help;
        }
        self
    }

    /// The same with its place in a file.
    #[must_use]
    pub fn at(mut self, file: &str, text: &str, span: std::ops::Range<usize>, label: &str) -> Self {
        // A span past the last letter would draw no arrow.
        let end = span.end.min(text.len());
        let start = span.start.min(end);
        self.0.file = Some(NamedSource::new(file, Arc::from(text)));
        self.0.label = Some(LabeledSpan::new(Some(label.to_owned()), start, end - start));
        self
    }

    /// The same, of another kind.
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Several at once, under one headline.
    #[must_use]
    pub fn several(message: impl Into<String>, mut related: Vec<Report>) -> Self {
        if related.len() == 1
            && let Some(only) = related.pop()
        {
            return match only.downcast() {
                Ok(trouble) => trouble,
                Err(other) => {
                    let message = other.to_string();
                    Self(Box::new(Inner { message, related: vec![other], ..Inner::default() }))
                }
            };
        }
        Self(Box::new(Inner { message: message.into(), related, ..Inner::default() }))
    }

    /// The exit code of a program that ends with this.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.0.kind {
            Kind::Project => 2,
            Kind::Remote => 3,
            Kind::Store => 4,
        }
    }
}

impl Diagnostic for Trouble {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.code.map(|code| Box::new(code) as Box<dyn fmt::Display>)
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0.file.as_ref().map(|file| file as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.0.label.clone().map(|label| Box::new(std::iter::once(label)) as Box<dyn Iterator<Item = _>>)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        (!self.0.related.is_empty())
            .then(|| Box::new(self.0.related.iter().map(AsRef::as_ref)) as Box<dyn Iterator<Item = _>>)
    }
}

impl Trouble {
    /// What the store says.
    #[must_use]
    pub fn of_store(error: &StoreError) -> Self {
        let help = error.help().map(|help| help.to_string());
        Self::new("R030", error.to_string()).maybe_help(help).kind(Kind::Store)
    }
}

impl std::convert::From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::of_store(&error)
    }
}

/// Closest of some names, as a question for a help line.
#[must_use]
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    known
        .into_iter()
        .map(|other| (strsim::damerau_levenshtein(name, other), other))
        .filter(|(distance, other)| *distance <= 1 + name.len().max(other.len()) / 4)
        .min()
        .map(|(_, other)| format!("did you mean `{other}`?"))
}

/// Why a file cannot be used, without the system's numbers for it.
#[must_use]
pub fn why(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "it is not there".to_owned(),
        std::io::ErrorKind::PermissionDenied => "this user may not".to_owned(),
        std::io::ErrorKind::AlreadyExists => "it is there already".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        std::io::ErrorKind::NotADirectory => "part of its path is no folder".to_owned(),
        std::io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        std::io::ErrorKind::ReadOnlyFilesystem => "the disk can only be read".to_owned(),
        _ => error.to_string(),
    }
}

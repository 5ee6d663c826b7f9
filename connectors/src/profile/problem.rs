//! One mistake in a profile, and the report that carries all of a profile's mistakes.
//!
//! A code is never reused, and each has a page `docs/errors/CODE.md`.

use std::fmt;
use std::ops::Range;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// Bytes of the profile's text.
pub type Span = Range<usize>;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// Kind of a problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every kind there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code as printed: `C001`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }
        }
    };
}

codes! {
    /// The text is not TOML.
    NotToml = "C001",
    /// A key that profiles do not have.
    UnknownKey = "C002",
    /// A key that has to be there is not.
    MissingKey = "C003",
    /// A value of another kind than the key takes.
    WrongKind = "C004",
    /// A word that is none of the words that the key takes.
    UnknownWord = "C005",
    /// A setting that the profile does not declare.
    UnknownSetting = "C006",
    /// A text with `{…}` that cannot be read.
    BadTemplate = "C007",
    /// A JSONPath that cannot be read.
    BadPath = "C008",
    /// A field that the resource does not declare.
    UnknownField = "C009",
    /// A name that flows could not spell.
    BadName = "C010",
    /// Paging that does not know how long a page is.
    PagingWithoutSize = "C011",
    /// A resource that can do nothing.
    NoAbility = "C012",
    /// An address that does not name the record.
    PathWithoutKey = "C013",
    /// A trait that a field of this type cannot have.
    MisplacedTrait = "C014",
    /// A secret that stands in the file, or would be shown.
    BareSecret = "C015",
    /// A field that can be read but not put back.
    NotWritable = "C016",
    /// Two fields that are written to one place.
    SamePlace = "C017",
    /// A field that a cursor cannot follow.
    BadSince = "C018",
    /// An error rule that never or always applies.
    EmptyRule = "C019",
    /// A create after which nobody knows the key.
    KeyNotTold = "C020",
    /// A promise of safe repeats without the header that keeps it.
    NoIdempotencyHeader = "C021",
    /// A number outside its bounds.
    OutOfBounds = "C022",
    /// A find that does not send what it looks for.
    FindSendsNothing = "C023",
    /// Many keys in one call where only one fits.
    BatchDoesNotFit = "C024",
    /// An address that is not an address.
    BadAddress = "C025",
    /// A header name that HTTP does not allow.
    BadHeader = "C026",
    /// A way to write dates that cannot be read.
    BadFormat = "C027",
    /// Detail that no find can fetch.
    DetailWithoutFind = "C028",
    /// A span of time that cannot be read.
    BadSpan = "C029",
    /// A field that does not say whether a record was deleted.
    NotWhether = "C030",
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One mistake in a profile, in the writer's words, with the place it was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    code: Code,
    message: String,
    at: Span,
    label: String,
    help: Option<String>,
}

impl Problem {
    pub(super) fn new(code: Code, at: Span, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), at, label: String::new(), help: None }
    }

    pub(super) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Proposes the known word that looks most like the one that was written, else lists a few.
    pub(super) fn suggest<'a>(self, word: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known: Vec<_> = known.into_iter().collect();
        known.sort_unstable();
        known.dedup();
        if let Some(near) = nearest(word, &known) {
            return self.help(format!("did you mean `{near}`?"));
        }
        if known.is_empty() || known.len() > 16 {
            return self;
        }
        let listed: Vec<_> = known.iter().map(|word| format!("`{word}`")).collect();
        match listed.as_slice() {
            [only] => self.help(format!("there is only {only}")),
            _ => self.help(format!("there are {}", listed.join(", "))),
        }
    }

    /// Its kind.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// Where it was made, in bytes of the text.
    #[must_use]
    pub fn span(&self) -> Span {
        self.at.clone()
    }

    /// What is wrong, in one line.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
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
        Some(Box::new(std::iter::once(LabeledSpan::new_primary_with_span(label, self.at.clone()))))
    }
}

/// All problems of one profile, in the order of the text, with the text they speak of.
#[derive(Debug, thiserror::Error)]
#[error("{} in `{name}`", match problems.len() { 1 => "1 problem".to_owned(), many => format!("{many} problems") })]
pub struct ProfileReport {
    name: String,
    text: NamedSource<String>,
    problems: Vec<Problem>,
}

impl ProfileReport {
    pub(super) fn new(name: &str, text: &str, mut problems: Vec<Problem>) -> Self {
        for problem in &mut problems {
            problem.at = shown(text, &problem.at);
        }
        problems.sort_by_key(|problem| (problem.at.start, problem.code));
        problems.dedup();
        Self { name: name.to_owned(), text: NamedSource::new(name, text.to_owned()), problems }
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

impl Diagnostic for ProfileReport {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.text)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.problems.iter().map(|problem| problem as &dyn Diagnostic)))
    }
}

/// A place that can be underlined: not empty, and on text rather than past its end.
fn shown(text: &str, at: &Span) -> Span {
    let end = text.trim_end().len();
    if at.start >= end {
        let last = text.get(..end).and_then(|text| text.chars().next_back()).map_or(0, char::len_utf8);
        return end - last..end;
    }
    if at.is_empty() {
        let letter = text.get(at.start..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
        return at.start..at.start + letter;
    }
    at.start..at.end.min(text.len())
}

/// What other languages call the types of fields, and what we do.
const OTHER_WORDS: [(&str, &str); 18] = [
    ("string", "text"),
    ("str", "text"),
    ("varchar", "text"),
    ("char", "text"),
    ("int", "integer"),
    ("long", "integer"),
    ("number", "decimal"),
    ("numeric", "decimal"),
    ("float", "decimal"),
    ("double", "decimal"),
    ("money", "decimal"),
    ("bool", "boolean"),
    ("timestamp", "datetime"),
    ("time", "datetime"),
    ("object", "record"),
    ("map", "record"),
    ("array", "list"),
    ("json", "any"),
];

/// The known word that a misspelt one most likely stands for.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let word = word.to_lowercase();
    // Words of other languages, where one of ours is known here.
    let ours = OTHER_WORDS.iter().find(|(other, _)| *other == word).map(|(_, ours)| *ours);
    if let Some(ours) = ours.and_then(|ours| known.iter().find(|known| **known == ours)) {
        return Some(ours);
    }
    let (near, distance) = known
        .iter()
        .map(|known| (*known, strsim::damerau_levenshtein(&word, known)))
        .min_by_key(|(_, distance)| *distance)?;
    (distance <= (word.chars().count() / 3).max(1)).then_some(near)
}

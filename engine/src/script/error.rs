//! What can go wrong in a script, in the writer's words.

use std::fmt;

use thiserror::Error;

/// One mistake: what is wrong and, in [`Mistake::help`], what to do about it.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mistake {
    /// The text is not Rhai.
    #[error("{message}")]
    Syntax {
        /// What is wrong.
        message: String,
        /// What to do.
        help: Option<String>,
    },
    /// No function of that name.
    #[error("there is no function `{name}`")]
    UnknownFunction {
        /// Name as written.
        name: String,
        /// The nearest name that exists.
        suggestion: Option<String>,
    },
    /// A function of that name, with other arguments.
    #[error("`{name}` takes {takes}, not {given}")]
    WrongCount {
        /// Name as written.
        name: String,
        /// `1 argument`, `2 or 3 arguments`.
        takes: String,
        /// Number given.
        given: usize,
    },
    /// No variable of that name.
    #[error("there is no `{name}` here")]
    UnknownVariable {
        /// Name as written.
        name: String,
        /// The nearest name that exists.
        suggestion: Option<String>,
    },
    /// A value of another kind than the operation works on.
    #[error("{message}")]
    WrongKind {
        /// What is wrong.
        message: String,
        /// What to do.
        help: Option<String>,
    },
    /// A field of nothing was read.
    #[error("`{path}` has no value, so `{field}` cannot be read from it")]
    NoValue {
        /// What has no value: `order.billing`.
        path: String,
        /// What was read from it.
        field: String,
    },
    /// Numbers that do not compute.
    #[error("{message}")]
    Arithmetic {
        /// What is wrong.
        message: String,
    },
    /// An item or a letter that is not there.
    #[error("there is no item {index} in a {kind} of {length}")]
    OutOfBounds {
        /// Index as used, from 0.
        index: i64,
        /// `list` or `text`.
        kind: &'static str,
        /// Number of items.
        length: usize,
    },
    /// The script used more than it may.
    #[error("the script reached its limit of {what}: {most}")]
    Limit {
        /// Which limit.
        what: String,
        /// Its value.
        most: String,
    },
    /// `throw`.
    #[error("{message}")]
    Thrown {
        /// The writer's own words.
        message: String,
    },
    /// A table without a row for the key.
    #[error("table `{table}` has no row for {key}")]
    NoRow {
        /// Name of the table.
        table: String,
        /// The key as shown to people: `"bitcoin"`, `"NL", 21`.
        key: String,
    },
    /// Something that scripts do not have.
    #[error("`{what}` is not available in scripts")]
    Refused {
        /// Word as written.
        what: String,
        /// What to do instead.
        help: String,
    },
    /// Something that is neither true nor false where a condition stands.
    #[error("a condition must be true or false, and this is {kind}")]
    NotACondition {
        /// `a text`, `an integer`.
        kind: String,
        /// What to write.
        help: String,
    },
    /// A result that no record can hold.
    #[error("{what} cannot be the value of a field")]
    NotAValue {
        /// `a function`, `a range`.
        what: String,
    },
    /// A record of the flow was to be changed.
    #[error("`{name}` cannot be changed here")]
    Unchangeable {
        /// Name as written.
        name: String,
        /// What to do.
        help: String,
    },
    /// An argument that a library function cannot use.
    #[error("{message}")]
    BadArgument {
        /// What is wrong.
        message: String,
        /// What to do.
        help: Option<String>,
    },
    /// No `use` line with that name.
    #[error("there is no script `{alias}`")]
    UnknownScript {
        /// Name before `::`.
        alias: String,
        /// The nearest name that exists.
        suggestion: Option<String>,
    },
    /// Weft itself failed; the record is refused and the program goes on.
    #[error("the script stopped on a fault in Weft itself: {message}")]
    Fault {
        /// What was caught.
        message: String,
    },
}

impl Mistake {
    /// The code of its page in `docs/errors/`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "S001",
            Self::UnknownFunction { .. } => "S002",
            Self::WrongCount { .. } => "S003",
            Self::UnknownVariable { .. } => "S004",
            Self::WrongKind { .. } => "S005",
            Self::NoValue { .. } => "S006",
            Self::Arithmetic { .. } => "S007",
            Self::OutOfBounds { .. } => "S008",
            Self::Limit { .. } => "S009",
            Self::Thrown { .. } => "S010",
            Self::NoRow { .. } => "S011",
            Self::Refused { .. } => "S012",
            Self::NotACondition { .. } => "S013",
            Self::NotAValue { .. } => "S014",
            Self::Unchangeable { .. } => "S015",
            Self::BadArgument { .. } => "S016",
            Self::UnknownScript { .. } => "S017",
            Self::Fault { .. } => "S099",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Syntax { help, .. } | Self::WrongKind { help, .. } | Self::BadArgument { help, .. } => {
                help.clone()
            }
            Self::UnknownVariable { suggestion: None, .. } => Some(
                "an expression reads what the steps before it have named; a function reads its arguments"
                    .into(),
            ),
            Self::UnknownFunction { suggestion, .. }
            | Self::UnknownVariable { suggestion, .. }
            | Self::UnknownScript { suggestion, .. } => {
                suggestion.as_ref().map(|name| format!("did you mean `{name}`?"))
            }
            Self::NoValue { path, field } => {
                Some(format!("write `{path}?.{field}` to get no value when `{path}` has none"))
            }
            Self::OutOfBounds { kind: "list", .. } => {
                Some("`first` and `last` give no value for an empty list; `len` tells its length".into())
            }
            Self::OutOfBounds { .. } => Some("`sub_string` takes what is there".into()),
            Self::Limit { .. } => {
                Some("work on less at once: a script is meant for one record, in a blink".into())
            }
            Self::NoRow { table, .. } => {
                Some(format!("add the row to `{table}`, or let it end in `otherwise` with a value"))
            }
            Self::Refused { help, .. }
            | Self::NotACondition { help, .. }
            | Self::Unchangeable { help, .. } => Some(help.clone()),
            Self::Fault { .. } => Some("please report it, with the script".into()),
            Self::WrongCount { .. }
            | Self::Arithmetic { .. }
            | Self::Thrown { .. }
            | Self::NotAValue { .. } => None,
        }
    }

    /// The same with long words cut: a script can call a function by a name of a million letters.
    #[must_use]
    pub(super) fn brief(mut self) -> Self {
        match &mut self {
            Self::Syntax { message, .. }
            | Self::WrongKind { message, .. }
            | Self::Arithmetic { message }
            | Self::Thrown { message }
            | Self::BadArgument { message, .. }
            | Self::Fault { message } => cut(message),
            Self::UnknownFunction { name, .. }
            | Self::WrongCount { name, .. }
            | Self::UnknownVariable { name, .. }
            | Self::Unchangeable { name, .. }
            | Self::UnknownScript { alias: name, .. }
            | Self::Refused { what: name, .. }
            | Self::NoRow { key: name, .. } => cut(name),
            Self::NoValue { path, field } => {
                cut(path);
                cut(field);
            }
            Self::OutOfBounds { .. }
            | Self::Limit { .. }
            | Self::NotACondition { .. }
            | Self::NotAValue { .. } => {}
        }
        self
    }

    pub(super) fn limit(what: &str, most: impl Into<String>) -> Self {
        Self::Limit { what: what.to_owned(), most: most.into() }
    }

    pub(super) fn wrong_kind(message: impl Into<String>, help: Option<&str>) -> Self {
        Self::WrongKind { message: message.into(), help: help.map(str::to_owned) }
    }

    pub(super) fn bad_argument(message: impl Into<String>) -> Self {
        Self::BadArgument { message: message.into(), help: None }
    }

    pub(super) fn arithmetic(message: impl Into<String>) -> Self {
        Self::Arithmetic { message: message.into() }
    }
}

/// Letters of a message, and of a word in one.
const LONGEST: usize = 1000;

fn cut(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
        text.shrink_to_fit();
    }
}

/// Where something stands in a Rhai text; both counted from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

/// Where something stands in a script file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inside {
    /// Path of the script, as in the `use` line.
    pub script: String,
    /// The function that was running, when it is known.
    pub function: Option<String>,
    /// Line and column in that file, when they are known.
    pub at: Option<Place>,
}

/// A mistake with the place where it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// What is wrong.
    pub mistake: Mistake,
    /// Where in the expression; see `dsl::plan::Expr::place` for its place in the flow.
    pub at: Option<Place>,
    /// Where in a script file, when the expression called one.
    pub inside: Option<Box<Inside>>,
}

impl ScriptError {
    /// The code of its page in `docs/errors/`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.mistake.code()
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        self.mistake.help()
    }
}

impl From<Mistake> for ScriptError {
    fn from(mistake: Mistake) -> Self {
        Self { mistake, at: None, inside: None }
    }
}

impl std::error::Error for ScriptError {}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.mistake)?;
        if let Some(inside) = &self.inside {
            write!(f, " ({}", inside.script)?;
            if let Some(at) = inside.at {
                write!(f, ", line {}", at.line)?;
            }
            if let Some(function) = &inside.function {
                write!(f, ", in `{function}`")?;
            }
            f.write_str(")")?;
        }
        Ok(())
    }
}

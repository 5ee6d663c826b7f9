//! What the checker may ask about systems and scripts: plain data, handed in by the caller.
//!
//! Nothing here is fetched; the engine fills a [`Catalog`] from the connectors' manifests and
//! from the scripts of the project before it calls [`crate::compile`].

use std::collections::BTreeMap;

/// Everything a flow may refer to outside its own text.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    /// Systems by name, as written after `source x:` and `target x:`.
    pub systems: BTreeMap<String, System>,
    /// Systems by role, for roles whose connection decides what its system offers: they come
    /// before those of the same system in `systems`.
    pub roles: BTreeMap<String, System>,
    /// Scripts by path, as written after `use`.
    pub scripts: BTreeMap<String, Script>,
    /// Functions that every expression may call: the script library's native part.
    pub functions: Vec<Function>,
}

/// One kind of remote system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct System {
    /// Name in flow files: `mpluskassa`.
    pub name: String,
    /// Name for people: `MplusKASSA`.
    pub title: String,
    /// Resources by name.
    pub resources: BTreeMap<String, Resource>,
    /// Names of the webhook events that `on webhook` may name.
    pub events: Vec<String>,
}

/// One kind of record that a system offers, and what can be done with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// Name in flow files: `orders`.
    pub name: String,
    /// One sentence for help texts.
    pub about: String,
    /// The field that identifies a record for ever.
    pub key: String,
    /// Fields by name, in the order of the manifest.
    pub fields: Vec<Field>,
    /// How records are read page by page, when they can be.
    pub fetch: Option<Fetch>,
    /// Sets of fields by which single records are found.
    pub find: Vec<Vec<String>>,
    /// Records can be created.
    pub create: bool,
    /// Records can be updated.
    pub update: bool,
    /// How it is told that a record was deleted, when it is.
    pub deleted: Option<Deleted>,
}

/// How a system tells that a record was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// It is read as others are, and this field says so.
    Field(String),
    /// This webhook event names it.
    Event(String),
}

/// What a fetch may be narrowed by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fetch {
    /// Fields that `where` may name.
    pub filters: Vec<String>,
    /// Fields that `since` may name.
    pub since: Vec<String>,
}

/// One field of a record.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a plain fact of the schema, independent of the others"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name in flow files.
    pub name: String,
    /// Type of its value.
    pub kind: Type,
    /// One sentence for help texts.
    pub about: String,
    /// A create must give it.
    pub required: bool,
    /// It can be read, not written.
    pub read_only: bool,
    /// It can be written, not read.
    pub write_only: bool,
    /// Longest text, in characters.
    pub max_length: Option<usize>,
    /// Text of digits only, such as an article number.
    pub digits_only: bool,
}

impl Field {
    /// A field of which only the type is known.
    #[must_use]
    pub fn plain(name: &str, kind: Type) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            about: String::new(),
            required: false,
            read_only: false,
            write_only: false,
            max_length: None,
            digits_only: false,
        }
    }
}

/// The type of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Unicode text; identifiers are text even when they look like numbers.
    Text,
    /// One of a fixed set of texts.
    Enum(Vec<String>),
    /// Exact integer, 64 bit.
    Integer,
    /// Exact decimal number; all money is decimal.
    Decimal,
    /// True or false.
    Boolean,
    /// Calendar date, `2026-11-21`.
    Date,
    /// Moment with a zone, `2026-11-21T09:30:00+01:00`.
    DateTime,
    /// A nested record.
    Record(Vec<Field>),
    /// A list of values of one type.
    List(Box<Type>),
    /// Not known to the schema; anything goes, and the checker says nothing.
    Any,
}

/// A Rhai script that `use` may name.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// Its functions.
    pub functions: Vec<Function>,
    /// What it says; functions of an empty text are not followed.
    pub text: String,
    /// Why it does not compile, when it does not: message, line and column (both from 1).
    pub broken: Option<(String, usize, usize)>,
}

/// A function that expressions may call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Function {
    /// Its name, without module.
    pub name: String,
    /// Number of arguments.
    pub arity: usize,
    /// One sentence for help texts.
    pub about: String,
    /// What it takes and gives: `round(number, digits: integer) -> number`. Words that name a type
    /// are checked; empty where nothing is promised.
    pub signature: String,
}

impl Catalog {
    /// The system behind a role.
    #[must_use]
    pub fn system(&self, role: &str, system: &str) -> Option<&System> {
        self.roles.get(role).filter(|found| found.name == system).or_else(|| self.systems.get(system))
    }
}

impl Resource {
    /// The field of that name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

//! What a system offers, as data: settings, resources, fields, abilities.
//!
//! A manifest is a TOML text beside the connector's code, or the descriptive part of a REST
//! profile. Checker, documentation and conformance suite read it; the code has to keep what
//! it promises.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A system, as its connector describes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name in flow files: `mpluskassa`.
    pub name: String,
    /// Name for people: `MplusKASSA`.
    pub title: String,
    /// One sentence.
    pub about: String,
    /// How far the contract is known.
    #[serde(default)]
    pub contract: Contract,
    /// The day on which a verified contract was held against the system; else empty.
    #[serde(default)]
    pub verified_on: String,
    /// Who did so; else empty.
    #[serde(default)]
    pub verified_by: String,
    /// What a connection must be told.
    #[serde(default)]
    pub settings: Named<Setting>,
    /// Webhook events that it can send.
    #[serde(default)]
    pub events: Vec<String>,
    /// Requests that may be under way at once.
    #[serde(default = "one")]
    pub concurrency: usize,
    /// Kinds of record.
    #[serde(default)]
    pub resources: Named<Resource>,
}

const fn one() -> usize {
    1
}

/// How far the contract of a system is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Contract {
    /// From the vendor's published interface.
    #[default]
    Published,
    /// Assumed; said wherever the system is named.
    Assumed,
    /// Assumed first, then held against a real account.
    Verified,
}

/// A setting of a connection.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// What to fill in and where to find it.
    pub about: String,
    /// Never shown, never stored in the clear.
    #[serde(default)]
    pub secret: bool,
    /// A path of this machine; a relative one counts from the project's folder.
    #[serde(default)]
    pub path: bool,
    /// The value when none is given; without one the setting is required.
    pub default: Option<String>,
}

/// A kind of record and what can be done with it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resource {
    /// One sentence.
    pub about: String,
    /// The field that identifies a record for ever.
    pub key: String,
    /// The field that people know a record by, where that is not its key.
    pub known_by: Option<String>,
    /// Reading page by page.
    pub fetch: Option<Fetch>,
    /// Finding single records.
    #[serde(default)]
    pub find: Vec<Find>,
    /// Creating.
    pub create: Option<Create>,
    /// Updating by `key`.
    pub update: Option<Update>,
    /// How it is told that a record was deleted; `None`: it is not.
    pub deleted: Option<Deleted>,
    /// Fields, in the order of the text.
    pub fields: Named<Field>,
}

/// Reading page by page.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetch {
    /// Fields that the system can filter by.
    #[serde(default)]
    pub filters: Vec<String>,
    /// Fields that a cursor can follow.
    #[serde(default)]
    pub since: Vec<String>,
    /// Records come in ascending order of the `since` field, so that the cursor may follow
    /// page by page; otherwise it moves when everything has been read.
    #[serde(default)]
    pub ascending: bool,
    /// Fields that only [`crate::contract::Detail`] fills in.
    #[serde(default)]
    pub detail: Vec<String>,
}

/// Finding records by one set of fields.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Find {
    /// The fields.
    pub by: Vec<String>,
    /// Keys that one call can ask for.
    #[serde(default = "one")]
    pub batch: usize,
    /// At most one record has a given key, for ever.
    #[serde(default)]
    pub unique: bool,
    /// The system tells one record a key, also when more records have it.
    #[serde(default)]
    pub first_only: bool,
}

/// Creating records.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Create {
    /// The system keeps the idempotency key that a create carries: repeating a create whose
    /// answer was lost is safe.
    #[serde(default)]
    pub idempotent: bool,
    /// Whole pages can be added at the end, and taken back: [`crate::contract::Journal`].
    #[serde(default)]
    pub journal: bool,
}

/// Updating records.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {}

/// How a system tells that a record was deleted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase")]
pub enum Deleted {
    /// It is read as others are, and this field is true, or says when.
    Field(String),
    /// This event names it.
    Event(String),
}

/// A field of a record.
#[expect(clippy::struct_excessive_bools, reason = "independent facts, read from data")]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Type of its value.
    #[serde(rename = "type", default)]
    pub kind: Kind,
    /// One sentence.
    #[serde(default)]
    pub about: String,
    /// A create must give it.
    #[serde(default)]
    pub required: bool,
    /// It can be read, not written.
    #[serde(default)]
    pub read_only: bool,
    /// The system gives it a value when a record is created without one.
    #[serde(default)]
    pub given: bool,
    /// It can be written, not read.
    #[serde(default)]
    pub write_only: bool,
    /// Longest text, in characters.
    pub max_length: Option<usize>,
    /// Text of digits only.
    #[serde(default)]
    pub digits_only: bool,
    /// Fields that the system works this one out of: when one of them is written, this one
    /// may change with it.
    #[serde(default)]
    pub follows: Vec<String>,
    /// The texts that it may hold; none: any.
    #[serde(default)]
    pub values: Vec<String>,
    /// Fields of a `record` or of each record of a `list`.
    #[serde(default)]
    pub fields: Named<Field>,
    /// Type of the items of a `list` without `fields`.
    pub items: Option<Kind>,
}

/// The type of a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Unicode text; identifiers are text.
    #[default]
    Text,
    /// Exact 64-bit integer.
    Integer,
    /// Exact decimal number; all money.
    Decimal,
    /// True or false.
    Boolean,
    /// `2026-11-21`
    Date,
    /// `2026-11-21T09:30:00+01:00`; the zone is always there.
    Datetime,
    /// Nested record with `fields`.
    Record,
    /// List of records with `fields`, or of `items`.
    List,
    /// Anything.
    Any,
}

/// Values by name, in the order of the text.
#[derive(Clone, Debug)]
pub struct Named<T>(Vec<(String, T)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Named<T> {
    /// The value of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Names and values in order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// True without values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> FromIterator<(String, T)> for Named<T> {
    fn from_iter<I: IntoIterator<Item = (String, T)>>(entries: I) -> Self {
        Self(entries.into_iter().collect())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> serde::de::Visitor<'de> for Visitor<T> {
            type Value = Named<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Named(entries))
            }
        }
        from.deserialize_map(Visitor(std::marker::PhantomData))
    }
}

impl Manifest {
    /// What has to be said beside the name of a system whose contract is not the vendor's.
    #[must_use]
    pub fn caveat(&self) -> Option<String> {
        match self.contract {
            Contract::Published => None,
            Contract::Assumed => Some("assumed contract, not verified".to_owned()),
            Contract::Verified => {
                Some(format!("assumed contract, verified on {} by {}", self.verified_on, self.verified_by))
            }
        }
    }

    /// The title, with the caveat where there is one: `Softmaat (assumed contract, not verified)`.
    #[must_use]
    pub fn full_title(&self) -> String {
        match self.caveat() {
            Some(caveat) => format!("{} ({caveat})", self.title),
            None => self.title.clone(),
        }
    }

    /// Reads a manifest.
    pub fn from_toml(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }
}

/// The answers to a connection's settings, secrets among them; never printed.
#[derive(Clone, Default)]
pub struct Answers(BTreeMap<String, String>);

impl Answers {
    /// The answer, or the setting's default.
    #[must_use]
    pub fn get<'a>(&'a self, manifest: &'a Manifest, name: &str) -> Option<&'a str> {
        self.0.get(name).map(String::as_str).or_else(|| manifest.settings.get(name)?.default.as_deref())
    }

    /// Names that were answered.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Answers {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(answers: I) -> Self {
        Self(answers.into_iter().collect())
    }
}

/// Names only: values may be secrets.
impl std::fmt::Debug for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

//! Records to elements and back, by tables.
//!
//! A [`Shape`] lists the elements of one of the vendor's types in the order that its schema
//! demands, and says of each which field of a record it is and how its value travels. The
//! connector encodes requests and decodes replies with it; the simulator does the reverse, and
//! strictly.

mod decode;
mod encode;
mod moment;

use jiff::tz::TimeZone;
use rust_decimal::Decimal;

/// One of the vendor's types, as far as it is used.
#[derive(Debug)]
pub(super) struct Shape {
    /// Elements in the order of the schema.
    pub(super) parts: &'static [Part],
}

/// An element of a type.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// Name of the element.
    pub(super) wire: &'static str,
    /// Name of the field.
    pub(super) field: &'static str,
    pub(super) form: Form,
    /// The schema demands it.
    pub(super) required: bool,
}

/// How a value travels.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    /// Text as it is; no text is no value.
    Text,
    /// A whole number that is a name, so text in records; up to that number. `zero`: 0 is a
    /// name too, otherwise it means none.
    Number { most: i64, zero: bool },
    /// A whole number that counts.
    Integer { most: i64 },
    /// Money: whole cents, decimal in records.
    Cents,
    /// A whole number and, in the element of that name right after it, how many of its
    /// digits are decimals.
    Scaled(&'static str),
    /// A percentage times the connection's divisor.
    Percent,
    /// `true` and `false`.
    Bool,
    /// Day, month and year.
    Date,
    /// The till's clock.
    Moment,
    /// Whole numbers in elements of these names; joined by dots in records.
    Dotted(&'static [&'static str]),
    /// One of the names that the schema lists, without their common beginning; small letters
    /// in records.
    Choice(&'static str, &'static [&'static str]),
    /// A nested record.
    Record(&'static Shape),
    /// An element whose children are fields of the outer record.
    Inline(&'static Shape),
    /// One element that holds the items, each in an element of that name.
    List(&'static str, Item),
    /// An element for each item.
    Repeat(Item),
    /// An element that is known and not used; kept so that the order is known.
    Unused,
}

/// An item of a list.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item {
    /// A record.
    Record(&'static Shape),
    /// A text.
    Text,
    /// A text within one more element of that name.
    Nested(&'static str),
    /// A whole number that is a name.
    Number { most: i64 },
    /// Whole numbers, as in [`Form::Dotted`].
    Dotted(&'static [&'static str]),
    /// One of a few names, as in [`Form::Choice`].
    Choice(&'static str, &'static [&'static str]),
    /// One of the merchant's own fields.
    Custom,
}

const LONG: i64 = i64::MAX;
const INT: i64 = i32::MAX as i64;

/// An element that a record may go without.
pub(super) const fn part(wire: &'static str, field: &'static str, form: Form) -> Part {
    Part { wire, field, form, required: false }
}

/// An element that is known and not used.
pub(super) const fn unused(wire: &'static str) -> Part {
    part(wire, "", Form::Unused)
}

impl Part {
    /// The same, demanded by the schema.
    pub(super) const fn required(self) -> Self {
        Self { required: true, ..self }
    }
}

impl Form {
    /// Number of a record: of 64 bits, never 0.
    pub(super) const NUMBER: Self = Self::Number { most: LONG, zero: false };
    /// Number of a small thing: of 32 bits, never 0.
    pub(super) const SMALL: Self = Self::Number { most: INT, zero: false };
    /// Code of 32 bits that may be 0.
    pub(super) const CODE: Self = Self::Number { most: INT, zero: true };
    /// Marker or another 64-bit count.
    pub(super) const LONG: Self = Self::Integer { most: LONG };
    /// Count of 32 bits.
    pub(super) const INT: Self = Self::Integer { most: INT };
}

impl Item {
    pub(super) const NUMBER: Self = Self::Number { most: LONG };
    pub(super) const SMALL: Self = Self::Number { most: INT };
}

/// What translation depends on.
#[derive(Clone, Debug)]
pub(super) struct Codec {
    /// Zone of the till's clock.
    pub(super) zone: TimeZone,
    /// What percentages are multiplied by.
    pub(super) divisor: Decimal,
    /// Refuse unknown, misplaced, missing and malformed elements, keep empty ones as `null`
    /// and 0 as a number: the simulator's way. A client is lenient.
    pub(super) strict: bool,
}

/// A value that cannot travel, or that came in a form nobody can read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {reason}")]
pub(super) struct Misfit {
    /// Where, from the outside in: `lines, 2, article_number`.
    pub(super) path: String,
    /// What is wrong, in plain words.
    pub(super) reason: String,
}

impl Misfit {
    pub(super) fn new(at: &str, reason: impl Into<String>) -> Self {
        Self { path: at.to_owned(), reason: reason.into() }
    }

    fn within(mut self, outer: &str) -> Self {
        self.path = format!("{outer}, {}", self.path);
        self
    }
}

/// `ORDER-TYPE-SALES-ORDER` as `sales_order`.
fn choice_from_wire(prefix: &str, text: &str) -> String {
    text.strip_prefix(prefix).unwrap_or(text).to_ascii_lowercase().replace('-', "_")
}

/// `sales_order` as `ORDER-TYPE-SALES-ORDER`.
fn choice_to_wire(prefix: &str, name: &str) -> String {
    format!("{prefix}{}", name.to_ascii_uppercase().replace('_', "-"))
}

#[cfg(test)]
mod tests;

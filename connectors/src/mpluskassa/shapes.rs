//! The vendor's types, as far as they are used: elements in the order of the schema, and the
//! fields that they are in records.

pub(super) mod article;
pub(super) mod relation;
pub(super) mod sales;
pub(super) mod till;

use super::codec::{Form, Item, Part, Shape, part};

/// Types of the merchant's own fields.
pub(super) const CUSTOM_FIELDS: Part =
    part("customFieldList", "custom_fields", Form::List("customField", Item::Custom));

/// Categories of articles, relations or employees.
pub(super) const CATEGORY_IDS: Part =
    part("categoryIds", "category_ids", Form::List("category", Item::SMALL));

pub(super) const VAT_METHOD: Form =
    Form::Choice("VAT-METHOD-", &["inclusive", "exclusive", "shifted", "none"]);

/// A list of identifiers.
pub(super) const IDS: Form = Form::List("id", Item::Text);

/// A list of numbers.
pub(super) const NUMBERS: Form = Form::List("number", Item::NUMBER);

/// A list of texts, each in an element within an element.
pub(super) const TEXTS: Form = Form::List("text", Item::Nested("text"));

/// Year and number.
pub(super) const YEAR_NUMBER: Form = Form::Dotted(&["year", "number"]);

pub(super) static NOTHING: Shape = Shape { parts: &[] };

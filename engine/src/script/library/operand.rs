//! What library functions and operators ask of a value, whoever holds it: Rhai, or lowered code.

use std::ops::Deref;

use rust_decimal::Decimal;

use crate::script::error::Mistake;

/// A value that library functions work on. They are written once over this, and compiled twice:
/// for Rhai's values and for those of lowered code.
pub(in crate::script) trait Operand:
    Clone + From<bool> + From<i64> + From<Decimal> + From<&'static str> + From<String>
{
    /// A text that is being read.
    type Text<'t>: Deref<Target = str>
    where
        Self: 't;

    /// The items of a list, one by one.
    type Items<'i>: ExactSizeIterator<Item = Self> + DoubleEndedIterator
    where
        Self: 'i;

    /// No value.
    fn nothing() -> Self;
    /// A text, copied.
    fn of_str(text: &str) -> Self;
    /// A text that was read.
    fn of_text(text: Self::Text<'_>) -> Self;
    /// A list.
    fn of_list(items: Vec<Self>) -> Self;
    /// A part of this text, as a value.
    fn part(&self, part: &str) -> Self;

    /// A word for messages.
    fn kind(&self) -> &'static str;
    fn is_nothing(&self) -> bool;
    fn is_text(&self) -> bool;
    fn boolean(&self) -> Option<bool>;
    fn int(&self) -> Option<i64>;
    /// The number of a decimal; integers are none.
    fn exact(&self) -> Option<Decimal>;
    /// A text, or a single letter as text.
    fn as_text(&self) -> Option<Self::Text<'_>>;
    /// A list to read.
    fn items(&self) -> Option<Self::Items<'_>>;
    /// As [`super::shown`], not measured.
    fn written(&self) -> Result<Self::Text<'_>, Mistake>;

    /// Does something with each item of a list, until it fails; `None` for anything else.
    fn each_item(&self, work: &mut dyn FnMut(&Self) -> Result<(), Mistake>) -> Option<Result<(), Mistake>>;
    /// Whether two lists of one length hold what is the same by a comparison; `None` when one of
    /// them is no list.
    fn same_items(
        &self,
        other: &Self,
        same: &mut dyn FnMut(&Self, &Self) -> Result<bool, Mistake>,
    ) -> Option<Result<bool, Mistake>>;
    /// Does something with each field of a record, until it fails; `None` for anything else.
    fn each_field(
        &self,
        work: &mut dyn FnMut(&str, &Self) -> Result<(), Mistake>,
    ) -> Option<Result<(), Mistake>>;

    /// Number of fields of a record.
    fn field_count(&self) -> Option<usize>;
    /// What finding a field may cost, in bytes read.
    fn search(&self) -> usize;
    /// A field of a record.
    fn field(&self, name: &str) -> Option<Self>;
    /// Names and values of a record's fields, by name.
    fn fields(&self) -> Vec<(String, Self)>;
    /// A record of these fields; of two with one name the last one counts.
    fn of_fields(fields: Vec<(String, Self)>) -> Self;

    /// Whether a table has a row for a value, a range the number: what `in` asks of anything but
    /// lists, texts and records.
    fn holds(&self, value: &Self) -> Option<Result<bool, Mistake>>;

    /// A number, whichever of the two kinds.
    #[inline]
    fn number(&self) -> Option<Decimal> {
        match self.int() {
            Some(number) => Some(Decimal::from(number)),
            None => self.exact(),
        }
    }
}

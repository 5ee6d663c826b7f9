//! Any value as text, measured before it is made.

use super::operand::Operand;
use super::text::TEXT;
use crate::script::budget;
use crate::script::error::Mistake;

/// Any value as text of at most so many bytes: text as it is, nothing as the empty text, numbers
/// with all their digits, lists and records as JSON.
pub(in crate::script) fn shown<V: Operand>(value: &V, most: usize) -> Result<V::Text<'_>, Mistake> {
    if let Some(text) = value.as_text() {
        return Ok(text);
    }
    if value.each_item(&mut |_| Ok(())).is_some() || value.field_count().is_some() {
        let (mut values, mut bytes) = (0, 0);
        measure(value, most, &mut values, &mut bytes)?;
        budget::make(values * TEXT + 2 * bytes)?;
    }
    value.written()
}

/// Counts what a value would come to as text, and refuses it where that is too much.
fn measure<V: Operand>(value: &V, most: usize, values: &mut usize, bytes: &mut usize) -> Result<(), Mistake> {
    budget::step()?;
    *values += 1;
    *bytes += 2 + value.as_text().map_or(0, |text| text.len());
    if *bytes > most {
        return Err(Mistake::limit("text length", format!("{most} bytes")));
    }
    if let Some(done) = value.each_item(&mut |item| measure(item, most, values, bytes)) {
        return done;
    }
    let fields = value.each_field(&mut |name, value| {
        *bytes += name.len();
        measure(value, most, values, bytes)
    });
    fields.unwrap_or(Ok(()))
}

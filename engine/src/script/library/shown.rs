//! Any value as text, measured before it is made.

use rhai::{Dynamic, ImmutableString};

use super::call::Fields;
use super::text::{TEXT, of};
use crate::script::budget;
use crate::script::error::Mistake;
use crate::script::limits::Limits;
use crate::script::values::{from_dynamic, kind};

/// Any value as text of at most so many bytes: text as it is, nothing as the empty text, numbers
/// with all their digits, lists and records as JSON.
pub(in crate::script) fn shown(value: &Dynamic, most: usize) -> Result<ImmutableString, Mistake> {
    if let Some(text) = of(value) {
        return Ok(text);
    }
    if let Some(mistake) = value.read_lock::<Mistake>() {
        return Ok(mistake.to_string().into());
    }
    if value.is_unit() {
        return Ok(ImmutableString::new());
    }
    let (mut values, mut bytes) = (0, 0);
    measure(value, most, &mut values, &mut bytes)?;
    budget::make(values * TEXT + 2 * bytes)?;
    Ok(match from_dynamic(value, &Limits { result_size: values, ..Limits::default() }) {
        Ok(value) => value.to_string().into(),
        Err(limit @ Mistake::Limit { .. }) => return Err(limit),
        Err(_) => kind(value).into(),
    })
}

/// Counts what a value would come to as text, and refuses it where that is too much.
fn measure(value: &Dynamic, most: usize, values: &mut usize, bytes: &mut usize) -> Result<(), Mistake> {
    budget::step()?;
    *values += 1;
    *bytes += 2 + value.as_immutable_string_ref().map_or(0, |text| text.len());
    if *bytes > most {
        return Err(Mistake::limit("text length", format!("{most} bytes")));
    }
    if let Ok(items) = value.as_array_ref() {
        return items.iter().try_for_each(|item| measure(item, most, values, bytes));
    }
    if let Some(fields) = Fields::of(value) {
        return fields.each(|name, value| {
            *bytes += name.len();
            measure(value, most, values, bytes)
        });
    }
    Ok(())
}

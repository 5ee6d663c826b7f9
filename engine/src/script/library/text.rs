//! Text: trimming, searching, cutting, padding.

use super::LibraryFunction;
use super::call::{Call, Given};
use super::operand::Operand;
use super::operators::equal;
use super::shown::shown;
use crate::script::budget;
use crate::script::error::Mistake;

macro_rules! function {
    ($name:literal, $arguments:expr, $signature:literal, $about:literal, $example:literal, $run:expr) => {
        $crate::script::library::LibraryFunction {
            name: $name,
            signature: $signature,
            about: $about,
            example: $example,
            arguments: $arguments,
            run: $run,
            lowered: $run,
        }
    };
}
pub(super) use function;

pub(super) const FUNCTIONS: &[LibraryFunction] = &[
    function!(
        "trim",
        (1, 1),
        "trim(text) -> text",
        "Without white space at both ends.",
        "trim(\"  Jan \") → \"Jan\"",
        |call| {
            let text = call.text(0)?;
            call.room_for_text(text.len())?;
            Ok(call.value(0).part(text.trim()))
        }
    ),
    function!(
        "to_upper",
        (1, 1),
        "to_upper(text) -> text",
        "In capitals.",
        "to_upper(\"nl\") → \"NL\"",
        |call| {
            let text = call.text(0)?;
            call.room_for_text(cased(&text, char::to_uppercase))?;
            Ok(text.to_uppercase().into())
        }
    ),
    function!(
        "to_lower",
        (1, 1),
        "to_lower(text) -> text",
        "In small letters.",
        "to_lower(\"Info@Shop.NL\") → \"info@shop.nl\"",
        |call| {
            let text = call.text(0)?;
            call.room_for_text(cased(&text, char::to_lowercase))?;
            Ok(text.to_lowercase().into())
        }
    ),
    function!(
        "capitalize",
        (1, 1),
        "capitalize(text) -> text",
        "With a capital first letter.",
        "capitalize(\"lindelaan\") → \"Lindelaan\"",
        |call| {
            let text = call.text(0)?;
            call.room_for_text(text.len())?;
            let mut letters = text.chars();
            let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
            Ok((first + letters.as_str()).into())
        }
    ),
    function!(
        "contains",
        (2, 2),
        "contains(text | list | record | table, value) -> boolean",
        "True when the text holds the part, the list the item, the record the field, the table a row; `value in list` is the same.",
        "contains([\"paid\", \"sent\"], \"paid\") → true",
        |call| contains(call)
    ),
    function!(
        "starts_with",
        (2, 2),
        "starts_with(text, start: text) -> boolean",
        "True when the text begins so.",
        "starts_with(\"NL123\", \"NL\") → true",
        |call| Ok(call.text(0)?.starts_with(&*call.text(1)?).into())
    ),
    function!(
        "ends_with",
        (2, 2),
        "ends_with(text, end: text) -> boolean",
        "True when the text ends so.",
        "ends_with(\"a.pdf\", \".pdf\") → true",
        |call| Ok(call.text(0)?.ends_with(&*call.text(1)?).into())
    ),
    function!(
        "replace",
        (3, 3),
        "replace(text, old: text, new: text) -> text",
        "With every `old` replaced by `new`.",
        "replace(\"1.234\", \".\", \"\") → \"1234\"",
        |call| replace(call)
    ),
    function!(
        "split",
        (1, 3),
        "split(text, separator: text, most: integer) -> list",
        "The parts between separators (white space when none is given), at most that many.",
        "split(\"Jan;Piet\", \";\") → [\"Jan\", \"Piet\"]",
        |call| split(call)
    ),
    function!(
        "sub_string",
        (2, 3),
        "sub_string(text, start: integer, length: integer) -> text",
        "The part from a letter on, counted from 0, from the end when negative; to the end without a length.",
        "sub_string(\"1234AB\", 4) → \"AB\"",
        |call| sub_string(call)
    ),
    function!(
        "truncate",
        (2, 2),
        "truncate(text, length: integer) -> text",
        "The first letters, at most that many.",
        "truncate(\"Keizersgracht\", 6) → \"Keizer\"",
        |call| {
            let text = call.text(0)?;
            let most = call.size(1)?;
            let part = letters(&text, 0, most);
            call.room_for_text(part.len())?;
            Ok(call.value(0).part(part))
        }
    ),
    function!(
        "pad_left",
        (3, 3),
        "pad_left(text, length: integer, letter: text) -> text",
        "Filled up at the start until it is that long.",
        "pad_left(\"42\", 5, \"0\") → \"00042\"",
        |call| pad(call, true)
    ),
    function!(
        "pad_right",
        (3, 3),
        "pad_right(text, length: integer, letter: text) -> text",
        "Filled up at the end until it is that long.",
        "pad_right(\"42\", 5, \".\") → \"42...\"",
        |call| pad(call, false)
    ),
    function!(
        "digits",
        (1, 1),
        "digits(text) -> text",
        "Its digits only.",
        "digits(\"+31 (0)20-123\") → \"31020123\"",
        |call| {
            let text = call.text(0)?;
            let count = text.bytes().filter(u8::is_ascii_digit).count();
            call.room_for_text(count)?;
            let mut digits = String::with_capacity(count);
            digits.extend(text.split(|letter: char| !letter.is_ascii_digit()));
            Ok(digits.into())
        }
    ),
    function!(
        "is_digits",
        (1, 1),
        "is_digits(text) -> boolean",
        "True for digits only, and at least one.",
        "is_digits(\"8712345\") → true",
        |call| {
            let text = call.text(0)?;
            Ok((!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).into())
        }
    ),
    function!(
        "is_blank",
        (1, 1),
        "is_blank(value) -> boolean",
        "True for no value and for text of white space only.",
        "is_blank(\"  \") → true",
        |call| {
            let value = call.value(0);
            Ok((value.is_nothing() || (value.is_text() && call.text(0)?.trim().is_empty())).into())
        }
    ),
    function!(
        "or_nothing",
        (1, 1),
        "or_nothing(value) -> value",
        "The value, or `()` when it is blank text; for use with `??`.",
        "or_nothing(\"\") ?? \"none\" → \"none\"",
        |call| {
            let blank = call.value(0).is_text() && call.text(0)?.trim().is_empty();
            Ok(if blank { Operand::nothing() } else { call.owned(0) })
        }
    ),
    function!(
        "index_of",
        (2, 2),
        "index_of(text | list, value) -> integer",
        "Where the part or item first stands, counted from 0; `()` when it is not there.",
        "index_of(\"Lindelaan 14\", \" \") → 9",
        |call| index_of(call)
    ),
    function!(
        "letters",
        (1, 1),
        "letters(text) -> list",
        "Its letters, one by one.",
        "letters(\"abc\") → [\"a\", \"b\", \"c\"]",
        |call| {
            let text = call.text(0)?;
            let letters = text.chars().count();
            call.room_for_items(letters)?;
            budget::make(letters * TEXT)?;
            Ok(Operand::of_list(text.chars().map(|letter| letter.to_string().into()).collect()))
        }
    ),
    function!(
        "to_text",
        (1, 1),
        "to_text(value) -> text",
        "The value as text, as `${value}` between back-ticks writes it; `()` becomes the empty text.",
        "to_text(12.50) → \"12.50\"",
        |call| { Ok(Operand::of_text(shown(call.value(0), call.most().text)?)) }
    ),
];

/// What a small text takes beside its letters.
pub(super) const TEXT: usize = 48;

/// Bytes of a text in other letters: a capital can be three times as long.
fn cased<L: Iterator<Item = char>>(text: &str, cased: impl Fn(char) -> L) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().flat_map(cased).map(char::len_utf8).sum() }
}

fn contains<C: Call>(call: &mut C) -> Given<C> {
    let (within, value) = (call.value(0), call.value(1));
    if within.items().is_some() {
        for item in call.list(0)? {
            if equal(&item, value)? {
                return Ok(true.into());
            }
        }
        return Ok(false.into());
    }
    if let Some(holds) = within.holds(value) {
        return Ok(holds?.into());
    }
    if within.is_text() {
        return Ok(call.text(0)?.contains(&*call.text(1)?).into());
    }
    match within.field_count() {
        Some(_) => Ok(within.field(&call.text(1)?).is_some().into()),
        None => Err(call.wrong(0, "a list, a text, a record or a table").into()),
    }
}

fn replace<C: Call>(call: &mut C) -> Given<C> {
    let (text, old, new) = (call.text(0)?, call.text(1)?, call.text(2)?);
    if old.is_empty() {
        return Err(Mistake::bad_argument(
            "`replace` needs something to look for: its second argument is empty",
        )
        .into());
    }
    let found = text.matches(&*old).count();
    let length = text.len() - found * old.len() + found.saturating_mul(new.len());
    call.room_for_text(length)?;
    Ok(text.replace(&*old, &new).into())
}

fn split<C: Call>(call: &mut C) -> Given<C> {
    let (value, text) = (call.value(0), call.text(0)?);
    if call.count() == 1 {
        let parts = text.split_whitespace().count();
        call.room_for_items(parts)?;
        budget::make(text.len() + parts * TEXT)?;
        return Ok(Operand::of_list(text.split_whitespace().map(|part| value.part(part)).collect()));
    }
    let separator = call.text(1)?;
    if separator.is_empty() {
        return Err(Mistake::bad_argument("`split` needs a separator; `letters` gives the letters").into());
    }
    let most = if call.count() == 3 { call.size(2)?.max(1) } else { usize::MAX };
    let parts = text.splitn(most, &*separator).count();
    call.room_for_items(parts)?;
    budget::make(text.len() + parts * TEXT)?;
    Ok(Operand::of_list(text.splitn(most, &*separator).map(|part| value.part(part)).collect()))
}

fn sub_string<C: Call>(call: &mut C) -> Given<C> {
    let text = call.text(0)?;
    let start = match call.integer(1)? {
        from_end if from_end < 0 => {
            let letters = text.chars().count();
            letters.saturating_sub(usize::try_from(from_end.unsigned_abs()).unwrap_or(usize::MAX))
        }
        start => usize::try_from(start).unwrap_or(usize::MAX),
    };
    let length = if call.count() == 3 { call.size(2)? } else { usize::MAX };
    let part = letters(&text, start, length);
    call.room_for_text(part.len())?;
    Ok(call.value(0).part(part))
}

/// So many letters of a text, from one on.
fn letters(text: &str, start: usize, length: usize) -> &str {
    let rest = text.get(place_of(text, start)..).unwrap_or_default();
    rest.get(..place_of(rest, length)).unwrap_or_default()
}

/// Where a letter begins, counted from 0; the end of the text when it is shorter.
fn place_of(text: &str, letter: usize) -> usize {
    if text.is_ascii() {
        return letter.min(text.len());
    }
    text.char_indices().nth(letter).map_or(text.len(), |(at, _)| at)
}

fn pad<C: Call>(call: &mut C, left: bool) -> Given<C> {
    let (text, length, fill) = (call.text(0)?, call.size(1)?, call.text(2)?);
    let missing = length.saturating_sub(text.chars().count());
    let mut letters = fill.chars();
    let (Some(letter), None) = (letters.next(), letters.next()) else {
        return Err(Mistake::bad_argument("the third argument of a pad function is a single letter").into());
    };
    call.room_for_text(text.len().saturating_add(missing.saturating_mul(letter.len_utf8())))?;
    let padding = String::from(letter).repeat(missing);
    let text = &*text;
    Ok(if left { format!("{padding}{text}") } else { format!("{text}{padding}") }.into())
}

fn index_of<C: Call>(call: &mut C) -> Given<C> {
    if call.value(0).is_text() {
        let (text, part) = (call.text(0)?, call.text(1)?);
        let found = text.split_once(&*part).map(|(before, _)| before.chars().count());
        return Ok(position(found));
    }
    for (at, item) in call.list(0)?.enumerate() {
        if equal(&item, call.value(1))? {
            return Ok(position(Some(at)));
        }
    }
    Ok(Operand::nothing())
}

fn position<V: Operand>(at: Option<usize>) -> V {
    at.and_then(|at| i64::try_from(at).ok()).map_or_else(V::nothing, V::from)
}

//! Lists: counting, picking, transforming, adding up.

use std::cmp::Ordering;

use rhai::{Array, Dynamic, FnPtr, ImmutableString};
use rust_decimal::Decimal;

use super::LibraryFunction;
use super::call::{Call, Fields, Outcome};
use super::operators::{compare, equal};
use super::shown::shown;
use super::text::{self, function};
use crate::script::budget;
use crate::script::error::Mistake;
use crate::script::values::{kind, with_article};

pub(super) const FUNCTIONS: &[LibraryFunction] = &[
    function!(
        "len",
        (1, 1),
        "len(list | text | record) -> integer",
        "Number of items, letters or fields.",
        "len([1, 2, 3]) → 3",
        len
    ),
    function!(
        "is_empty",
        (1, 1),
        "is_empty(list | text | record) -> boolean",
        "True when nothing is in it; true for `()`.",
        "is_empty([]) → true",
        |call| { Ok((call.value(0).is_unit() || len(call)?.as_int() == Ok(0)).into()) }
    ),
    function!(
        "first",
        (1, 1),
        "first(list) -> value",
        "The first item; `()` for an empty list.",
        "first([7, 8]) → 7",
        |call| Ok(call.list(0)?.first().cloned().unwrap_or(Dynamic::UNIT))
    ),
    function!(
        "last",
        (1, 1),
        "last(list) -> value",
        "The last item; `()` for an empty list.",
        "last([7, 8]) → 8",
        |call| Ok(call.list(0)?.last().cloned().unwrap_or(Dynamic::UNIT))
    ),
    function!(
        "map",
        (2, 2),
        "map(list, function) -> list",
        "What the function makes of each item.",
        "[1, 2].map(|n| n * 10) → [10, 20]",
        map
    ),
    function!(
        "filter",
        (2, 2),
        "filter(list, function) -> list",
        "The items for which the function is true.",
        "[1, 2, 3].filter(|n| n > 1) → [2, 3]",
        filter
    ),
    function!(
        "find",
        (2, 2),
        "find(list, function) -> value",
        "The first item for which the function is true; `()` when there is none.",
        "[1, 2, 3].find(|n| n > 1) → 2",
        |call| {
            let function = call.function(1)?;
            for item in call.list(0)?.iter() {
                if call.ask(&function, item)? {
                    return Ok(item.clone());
                }
            }
            Ok(Dynamic::UNIT)
        }
    ),
    function!(
        "any",
        (2, 2),
        "any(list, function) -> boolean",
        "True when the function is true for at least one item.",
        "[1, 2].any(|n| n > 1) → true",
        |call| decide(call, true)
    ),
    function!(
        "all",
        (2, 2),
        "all(list, function) -> boolean",
        "True when the function is true for every item.",
        "[1, 2].all(|n| n > 1) → false",
        |call| decide(call, false)
    ),
    function!(
        "sum",
        (1, 2),
        "sum(list, function) -> number",
        "All items added up, or what the function makes of each; 0 for an empty list.",
        "[1.10, 2].sum() → 3.10",
        sum
    ),
    function!(
        "reduce",
        (3, 3),
        "reduce(list, function, start) -> value",
        "Starts with a value, and lets the function make the next from it and each item.",
        "[1, 2, 3].reduce(|total, n| total + n, 0) → 6",
        |call| {
            let function = call.function(1)?;
            let mut value = call.owned(2);
            for item in call.list(0)?.iter() {
                value = call.invoke(&function, [value, item.clone()])?;
            }
            Ok(value)
        }
    ),
    function!(
        "join",
        (2, 2),
        "join(list, separator) -> text",
        "The items as one text; items without value are left out.",
        "join([\"a\", (), \"b\"], \", \") → \"a, b\"",
        join
    ),
    function!(
        "unique",
        (1, 1),
        "unique(list) -> list",
        "Each item once, where it first stands.",
        "unique([1, 2, 1]) → [1, 2]",
        unique
    ),
    function!(
        "sort",
        (1, 2),
        "sort(list, function) -> list",
        "In ascending order, or in the order of what the function makes of each item. The list itself stays as it is.",
        "sort([3, 1, 2]) → [1, 2, 3]",
        sort
    ),
    function!(
        "reverse",
        (1, 1),
        "reverse(list) -> list",
        "In opposite order. The list itself stays as it is.",
        "reverse([1, 2]) → [2, 1]",
        |call| {
            let list = call.list(0)?;
            call.room_for_items(list.len())?;
            Ok(list.iter().rev().cloned().collect::<Array>().into())
        }
    ),
    function!(
        "slice",
        (2, 3),
        "slice(list, start, length) -> list",
        "The items from a place on, counted from 0; to the end without a length.",
        "slice([1, 2, 3], 1) → [2, 3]",
        |call| {
            let start = call.size(1)?;
            let length = if call.count() == 3 { call.size(2)? } else { usize::MAX };
            let list = call.list(0)?;
            call.room_for_items(list.len())?;
            Ok(list.iter().skip(start).take(length).cloned().collect::<Array>().into())
        }
    ),
    function!(
        "flatten",
        (1, 1),
        "flatten(list) -> list",
        "The items of the lists in a list, as one list.",
        "flatten([[1], [2, 3]]) → [1, 2, 3]",
        flatten
    ),
    function!(
        "push",
        (2, 2),
        "push(list, item)",
        "Adds an item at the end of a list variable.",
        "let l = [1]; l.push(2); l → [1, 2]",
        push
    ),
];

fn len(call: &mut Call<'_, '_>) -> Outcome {
    let value = call.value(0);
    let length = if let Some(text) = text::of(value) {
        budget::read(text.len())?;
        text.chars().count()
    } else if value.is_array() {
        call.items(0)?
    } else {
        Fields::of(value).ok_or_else(|| call.wrong(0, "a list, a text or a record"))?.len()
    };
    Ok(Dynamic::from_int(i64::try_from(length).unwrap_or(i64::MAX)))
}

fn map(call: &mut Call<'_, '_>) -> Outcome {
    let function = call.function(1)?;
    let list = call.list(0)?;
    call.room_for_items(list.len())?;
    let made: Outcome<Array> = list.iter().map(|item| call.invoke(&function, [item.clone()])).collect();
    Ok(made?.into())
}

fn filter(call: &mut Call<'_, '_>) -> Outcome {
    let function = call.function(1)?;
    let list = call.list(0)?;
    call.room_for_items(list.len())?;
    let mut kept = Array::new();
    for item in list.iter() {
        if call.ask(&function, item)? {
            kept.push(item.clone());
        }
    }
    Ok(kept.into())
}

/// `any` stops at the first true, `all` at the first false.
fn decide(call: &mut Call<'_, '_>, stop_at: bool) -> Outcome {
    let function = call.function(1)?;
    for item in call.list(0)?.iter() {
        if call.ask(&function, item)? == stop_at {
            return Ok(stop_at.into());
        }
    }
    Ok((!stop_at).into())
}

fn sum(call: &mut Call<'_, '_>) -> Outcome {
    let function = if call.count() == 2 { Some(call.function(1)?) } else { None };
    let list = call.list(0)?;
    let (mut total, mut whole) = (Decimal::ZERO, true);
    for item in list.iter() {
        let item = match &function {
            Some(function) => call.invoke(function, [item.clone()])?,
            None => item.clone(),
        };
        whole &= item.is_int();
        let number = super::call::number(&item).ok_or_else(|| {
            let given = with_article(kind(&item));
            Mistake::wrong_kind(
                format!("`sum` adds numbers, and one of the items is {given}"),
                Some("name the number to add: `lines.sum(|line| line.price)`; `?? 0` stands in for nothing"),
            )
        })?;
        total = total.checked_add(number).ok_or_else(|| Mistake::arithmetic("the sum is too large"))?;
    }
    match i64::try_from(total) {
        Ok(total) if whole => Ok(Dynamic::from_int(total)),
        _ => Ok(total.into()),
    }
}

fn join(call: &mut Call<'_, '_>) -> Outcome {
    let separator = call.text(1)?;
    let list = call.list(0)?;
    let mut parts: Vec<ImmutableString> = Vec::with_capacity(list.len());
    let mut length = 0;
    for item in list.iter().filter(|item| !item.is_unit()) {
        let part = shown(item, call.most_text())?;
        length += part.len() + separator.len();
        call.fits_text(length)?;
        parts.push(part);
    }
    call.room_for_text(length)?;
    Ok(parts.iter().map(ImmutableString::as_str).collect::<Vec<_>>().join(&separator).into())
}

fn unique(call: &mut Call<'_, '_>) -> Outcome {
    let list = call.list(0)?;
    let mut kept = Array::new();
    'items: for item in list.iter() {
        for other in &kept {
            if equal(item, other)? {
                continue 'items;
            }
        }
        kept.push(item.clone());
    }
    call.room_for_items(kept.len())?;
    Ok(kept.into())
}

/// Makes the keys first, then merges, so that a comparison that fails stops the work.
fn sort(call: &mut Call<'_, '_>) -> Outcome {
    let function: Option<FnPtr> = if call.count() == 2 { Some(call.function(1)?) } else { None };
    let list = call.list(0)?;
    call.room_for_items(list.len().saturating_mul(3))?;
    let mut keyed = Vec::with_capacity(list.len());
    for item in list.iter() {
        let key = match &function {
            Some(function) => call.invoke(function, [item.clone()])?,
            None => item.clone(),
        };
        keyed.push((key, item.clone()));
    }
    let mut failed = None;
    keyed.sort_by(|(left, _), (right, _)| {
        if failed.is_some() {
            return Ordering::Equal;
        }
        match compare(left, right) {
            Ok(Some(order)) => order,
            Ok(None) => {
                let message = format!("`sort` cannot compare {} and {}", kind(left), kind(right));
                failed = Some(
                    Mistake::wrong_kind(
                        message,
                        Some("name what to sort by: `sort(lines, |line| line.sku)`"),
                    )
                    .into(),
                );
                Ordering::Equal
            }
            Err(error) => {
                failed = Some(error);
                Ordering::Equal
            }
        }
    });
    match failed {
        Some(error) => Err(error),
        None => Ok(keyed.into_iter().map(|(_, item)| item).collect::<Array>().into()),
    }
}

fn flatten(call: &mut Call<'_, '_>) -> Outcome {
    let list = call.list(0)?;
    let length = list.iter().map(|item| item.as_array_ref().map_or(1, |inner| inner.len())).sum();
    call.room_for_items(length)?;
    let mut items = Array::with_capacity(length);
    for item in list.iter() {
        match item.as_array_ref() {
            Ok(inner) => {
                items.extend(inner.iter().cloned());
            }
            Err(_) => items.push(item.clone()),
        }
    }
    Ok(items.into())
}

fn push(call: &mut Call<'_, '_>) -> Outcome {
    let most = call.most_items();
    if call.items(0)? >= most {
        return Err(Mistake::limit("list length", format!("{most} items")).into());
    }
    let item = call.owned(1);
    if let Ok(mut list) = call.change(0)?.as_array_mut() {
        list.push(item);
    }
    Ok(Dynamic::UNIT)
}

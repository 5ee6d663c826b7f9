//! Lists: counting, picking, transforming, adding up.

use std::cmp::Ordering;

use rust_decimal::Decimal;

use super::LibraryFunction;
use super::call::{Call, Given};
use super::operand::Operand;
use super::operators::{compare, equal};
use super::shown::shown;
use super::text::function;
use crate::script::budget;
use crate::script::error::Mistake;
use crate::script::values::with_article;

pub(super) const FUNCTIONS: &[LibraryFunction] = &[
    function!(
        "len",
        (1, 1),
        "len(list | text | record) -> integer",
        "Number of items, letters or fields.",
        "len([1, 2, 3]) → 3",
        |call| len(call)
    ),
    function!(
        "is_empty",
        (1, 1),
        "is_empty(list | text | record) -> boolean",
        "True when nothing is in it; true for `()`.",
        "is_empty([]) → true",
        |call| { Ok((call.value(0).is_nothing() || len(call)?.int() == Some(0)).into()) }
    ),
    function!(
        "first",
        (1, 1),
        "first(list) -> value",
        "The first item; `()` for an empty list.",
        "first([7, 8]) → 7",
        |call| Ok(call.list(0)?.next().unwrap_or_else(Operand::nothing))
    ),
    function!(
        "last",
        (1, 1),
        "last(list) -> value",
        "The last item; `()` for an empty list.",
        "last([7, 8]) → 8",
        |call| Ok(call.list(0)?.next_back().unwrap_or_else(Operand::nothing))
    ),
    function!(
        "map",
        (2, 2),
        "map(list, function) -> list",
        "What the function makes of each item.",
        "[1, 2].map(|n| n * 10) → [10, 20]",
        |call| map(call)
    ),
    function!(
        "filter",
        (2, 2),
        "filter(list, function) -> list",
        "The items for which the function is true.",
        "[1, 2, 3].filter(|n| n > 1) → [2, 3]",
        |call| filter(call)
    ),
    function!(
        "find",
        (2, 2),
        "find(list, function) -> value",
        "The first item for which the function is true; `()` when there is none.",
        "[1, 2, 3].find(|n| n > 1) → 2",
        |call| {
            let function = call.callback(1)?;
            for item in call.list(0)? {
                if call.ask(&function, item.clone())? {
                    return Ok(item);
                }
            }
            Ok(Operand::nothing())
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
        |call| sum(call)
    ),
    function!(
        "reduce",
        (3, 3),
        "reduce(list, function, start) -> value",
        "Starts with a value, and lets the function make the next from it and each item.",
        "[1, 2, 3].reduce(|total, n| total + n, 0) → 6",
        |call| {
            let function = call.callback(1)?;
            let mut value = call.owned(2);
            for item in call.list(0)? {
                value = call.invoke(&function, [value, item])?;
            }
            Ok(value)
        }
    ),
    function!(
        "join",
        (2, 2),
        "join(list, separator: text) -> text",
        "The items as one text; items without value are left out.",
        "join([\"a\", (), \"b\"], \", \") → \"a, b\"",
        |call| join(call)
    ),
    function!(
        "unique",
        (1, 1),
        "unique(list) -> list",
        "Each item once, where it first stands.",
        "unique([1, 2, 1]) → [1, 2]",
        |call| unique(call)
    ),
    function!(
        "sort",
        (1, 2),
        "sort(list, function) -> list",
        "In ascending order, or in the order of what the function makes of each item. The list itself stays as it is.",
        "sort([3, 1, 2]) → [1, 2, 3]",
        |call| sort(call)
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
            Ok(Operand::of_list(list.rev().collect()))
        }
    ),
    function!(
        "slice",
        (2, 3),
        "slice(list, start: integer, length: integer) -> list",
        "The items from a place on, counted from 0; to the end without a length.",
        "slice([1, 2, 3], 1) → [2, 3]",
        |call| {
            let start = call.size(1)?;
            let length = if call.count() == 3 { call.size(2)? } else { usize::MAX };
            let list = call.list(0)?;
            call.room_for_items(list.len())?;
            Ok(Operand::of_list(list.skip(start).take(length).collect()))
        }
    ),
    function!(
        "flatten",
        (1, 1),
        "flatten(list) -> list",
        "The items of the lists in a list, as one list.",
        "flatten([[1], [2, 3]]) → [1, 2, 3]",
        |call| flatten(call)
    ),
    function!(
        "push",
        (2, 2),
        "push(list, item)",
        "Adds an item at the end of a list variable.",
        "let l = [1]; l.push(2); l → [1, 2]",
        |call| push(call)
    ),
];

fn len<C: Call>(call: &mut C) -> Given<C> {
    let value = call.value(0);
    let length = if let Some(text) = value.as_text() {
        budget::read(text.len())?;
        text.chars().count()
    } else if let Some(items) = value.items() {
        items.len()
    } else {
        value.field_count().ok_or_else(|| call.wrong(0, "a list, a text or a record"))?
    };
    Ok(i64::try_from(length).unwrap_or(i64::MAX).into())
}

fn map<C: Call>(call: &mut C) -> Given<C> {
    let function = call.callback(1)?;
    let list = call.list(0)?;
    call.room_for_items(list.len())?;
    let made: Given<C, Vec<_>> = list.map(|item| call.invoke(&function, [item])).collect();
    Ok(Operand::of_list(made?))
}

fn filter<C: Call>(call: &mut C) -> Given<C> {
    let function = call.callback(1)?;
    let list = call.list(0)?;
    call.room_for_items(list.len())?;
    let mut kept = Vec::new();
    for item in list {
        if call.ask(&function, item.clone())? {
            kept.push(item);
        }
    }
    Ok(Operand::of_list(kept))
}

/// `any` stops at the first true, `all` at the first false.
fn decide<C: Call>(call: &mut C, stop_at: bool) -> Given<C> {
    let function = call.callback(1)?;
    for item in call.list(0)? {
        if call.ask(&function, item)? == stop_at {
            return Ok(stop_at.into());
        }
    }
    Ok((!stop_at).into())
}

fn sum<C: Call>(call: &mut C) -> Given<C> {
    let function = if call.count() == 2 { Some(call.callback(1)?) } else { None };
    let list = call.list(0)?;
    let (mut total, mut whole) = (Decimal::ZERO, true);
    for item in list {
        let item = match &function {
            Some(function) => call.invoke(function, [item])?,
            None => item,
        };
        whole &= item.int().is_some();
        let number = item.number().ok_or_else(|| {
            let given = with_article(item.kind());
            Mistake::wrong_kind(
                format!("`sum` adds numbers, and one of the items is {given}"),
                Some("name the number to add: `lines.sum(|line| line.price)`; `?? 0` stands in for nothing"),
            )
        })?;
        total = total.checked_add(number).ok_or_else(|| Mistake::arithmetic("the sum is too large"))?;
    }
    match i64::try_from(total) {
        Ok(total) if whole => Ok(total.into()),
        _ => Ok(total.into()),
    }
}

fn join<C: Call>(call: &mut C) -> Given<C> {
    let separator = call.text(1)?;
    let list = call.list(0)?;
    let items: Vec<_> = list.filter(|item| !item.is_nothing()).collect();
    let (mut parts, mut length) = (Vec::with_capacity(items.len()), 0);
    for item in &items {
        let part = shown(item, call.most().text)?;
        length += part.len() + separator.len();
        call.most().fits_text(length)?;
        parts.push(part);
    }
    call.room_for_text(length)?;
    Ok(parts.iter().map(|part| &**part).collect::<Vec<_>>().join(&separator).into())
}

fn unique<C: Call>(call: &mut C) -> Given<C> {
    let list = call.list(0)?;
    let mut kept: Vec<C::Value> = Vec::new();
    'items: for item in list {
        for other in &kept {
            if equal(&item, other)? {
                continue 'items;
            }
        }
        kept.push(item);
    }
    call.room_for_items(kept.len())?;
    Ok(Operand::of_list(kept))
}

/// Makes the keys first, then merges, so that a comparison that fails stops the work.
fn sort<C: Call>(call: &mut C) -> Given<C> {
    let function = if call.count() == 2 { Some(call.callback(1)?) } else { None };
    let list = call.list(0)?;
    call.room_for_items(list.len().saturating_mul(4))?;
    let mut keyed = Vec::with_capacity(list.len());
    for item in list {
        let key = match &function {
            Some(function) => call.invoke(function, [item.clone()])?,
            None => item.clone(),
        };
        keyed.push((key, item));
    }
    let sorted = merged(keyed, &mut |(left, _), (right, _)| {
        compare(left, right)?.ok_or_else(|| {
            let message = format!("`sort` cannot compare {} and {}", left.kind(), right.kind());
            Mistake::wrong_kind(message, Some("name what to sort by: `sort(lines, |line| line.sku)`"))
        })
    })?;
    Ok(Operand::of_list(sorted.into_iter().map(|(_, item)| item).collect()))
}

/// Sorted; equal items stay in their order. The standard library's sort cannot be left halfway,
/// and panics when the rest of the comparisons makes no sense.
fn merged<T>(
    mut items: Vec<T>,
    order: &mut impl FnMut(&T, &T) -> Result<Ordering, Mistake>,
) -> Result<Vec<T>, Mistake> {
    if items.len() < 2 {
        return Ok(items);
    }
    let second = items.split_off(items.len() / 2);
    let mut left = merged(items, order)?.into_iter().peekable();
    let mut right = merged(second, order)?.into_iter().peekable();
    let mut all = Vec::with_capacity(left.len() + right.len());
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        let next = if order(one, other)? == Ordering::Greater { right.next() } else { left.next() };
        all.extend(next);
    }
    all.extend(left);
    all.extend(right);
    Ok(all)
}

fn flatten<C: Call>(call: &mut C) -> Given<C> {
    let length = call.list(0)?.map(|item| item.items().map_or(1, |inner| inner.len())).sum();
    call.room_for_items(length)?;
    let mut items = Vec::with_capacity(length);
    for item in call.list(0)? {
        match item.items() {
            Some(inner) => items.extend(inner),
            None => items.push(item.clone()),
        }
    }
    Ok(Operand::of_list(items))
}

fn push<C: Call>(call: &mut C) -> Given<C> {
    let most = call.most().items;
    let items = call.value(0).items().map(|items| items.len());
    if items.ok_or_else(|| call.wrong(0, "a list"))? >= most {
        return Err(Mistake::limit("list length", format!("{most} items")).into());
    }
    let item = call.owned(1);
    call.append(item)?;
    Ok(Operand::nothing())
}

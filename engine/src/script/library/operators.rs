//! `+ - * / % **` and comparisons, over every pair of values.
//!
//! Rhai has operators of its own; these replace them, so that numbers mean the same everywhere:
//! integers and decimals mix, division never drops a remainder, nothing wraps around, and a text
//! is never taken for a number.

use std::cmp::Ordering;

use rhai::{Array, Dynamic, Engine, EvalAltResult};
use rust_decimal::Decimal;

use super::call::{Call, FIELD, Fields, Outcome, number};
use super::shown::shown;
use super::{add, text};
use crate::script::budget;
use crate::script::error::Mistake;
use crate::script::values::{Record, kind, with_article};

/// Largest exponent of `**`.
const MOST_POWER: i64 = 1000;

pub(super) fn register(engine: &mut Engine) {
    add(engine, "+", 2, plus);
    add(engine, "-", 2, |call| arithmetic(call, "-"));
    add(engine, "*", 2, |call| arithmetic(call, "*"));
    add(engine, "/", 2, |call| arithmetic(call, "/"));
    add(engine, "%", 2, |call| arithmetic(call, "%"));
    add(engine, "**", 2, |call| arithmetic(call, "**"));
    add(engine, "+=", 2, |call| plus(call).and_then(|sum| assign(call, sum)));
    add(engine, "-=", 2, |call| arithmetic(call, "-").and_then(|value| assign(call, value)));
    add(engine, "*=", 2, |call| arithmetic(call, "*").and_then(|value| assign(call, value)));
    add(engine, "/=", 2, |call| arithmetic(call, "/").and_then(|value| assign(call, value)));
    add(engine, "%=", 2, |call| arithmetic(call, "%").and_then(|value| assign(call, value)));
    add(engine, "**=", 2, |call| arithmetic(call, "**").and_then(|value| assign(call, value)));
    add(engine, "==", 2, |call| Ok(equal(call.value(0), call.value(1))?.into()));
    add(engine, "!=", 2, |call| Ok((!equal(call.value(0), call.value(1))?).into()));
    add(engine, "<", 2, |call| Ok(order(call, "<")?.is_lt().into()));
    add(engine, "<=", 2, |call| Ok(order(call, "<=")?.is_le().into()));
    add(engine, ">", 2, |call| Ok(order(call, ">")?.is_gt().into()));
    add(engine, ">=", 2, |call| Ok(order(call, ">=")?.is_ge().into()));
    add(engine, "-", 1, negative);
    add(engine, "+", 1, |call| call.number(0).map(|_| call.owned(0)));
    add(engine, "!", 1, not);
}

fn assign(call: &mut Call<'_, '_>, value: Dynamic) -> Outcome {
    *call.change(0)? = value;
    Ok(Dynamic::UNIT)
}

fn plus(call: &mut Call<'_, '_>) -> Outcome {
    let (left, right) = (call.value(0), call.value(1));
    if let (Some(left), Some(right)) = (text::of(left), text::of(right)) {
        call.room_for_text(left.len() + right.len())?;
        return Ok((left + right).into());
    }
    if left.is_array() && right.is_array() {
        let (left, right) = (call.list(0)?, call.list(1)?);
        call.room_for_items(left.len() + right.len())?;
        return Ok(left.iter().chain(right.iter()).cloned().collect::<Array>().into());
    }
    if let (Some(one), Some(other)) = (Fields::of(left), Fields::of(right)) {
        budget::make((one.len() + other.len()) * FIELD)?;
        drop((one, other));
        let (mut both, right) = (call.record(0)?, call.record(1)?);
        both.extend(right);
        return Ok(Dynamic::from_map(both));
    }
    arithmetic(call, "+")
}

fn arithmetic(call: &Call<'_, '_>, operator: &str) -> Outcome {
    let (left, right) = (call.value(0), call.value(1));
    if let (Ok(left), Ok(right)) = (left.as_int(), right.as_int()) {
        return integers(left, right, operator);
    }
    let (Some(a), Some(b)) = (number(left), number(right)) else {
        return Err(mismatch(operator, left, right).into());
    };
    if operator == "**" {
        return match right.as_int() {
            Ok(exponent) => power(a, exponent).map(Dynamic::from),
            Err(_) => Err(Mistake::arithmetic("`**` needs a whole number as exponent").into()),
        };
    }
    decimals(a, b, operator).map(Dynamic::from)
}

fn integers(left: i64, right: i64, operator: &str) -> Outcome {
    let result = match operator {
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        "/" | "%" if right == 0 => return Err(by_zero(operator).into()),
        "%" => Some(left.checked_rem(right).unwrap_or(0)),
        "/" if left.checked_rem(right) == Some(0) => left.checked_div(right),
        "**" if right >= 0 => u32::try_from(right).ok().and_then(|exponent| left.checked_pow(exponent)),
        "**" => return power(Decimal::from(left), right).map(Dynamic::from),
        _ => return decimals(Decimal::from(left), Decimal::from(right), operator).map(Dynamic::from),
    };
    result.map(Dynamic::from_int).ok_or_else(|| too_large(operator).into())
}

fn decimals(left: Decimal, right: Decimal, operator: &str) -> Outcome<Decimal> {
    if right.is_zero() && matches!(operator, "/" | "%") {
        return Err(by_zero(operator).into());
    }
    let result = match operator {
        "+" => left.checked_add(right),
        "-" => left.checked_sub(right),
        "*" => left.checked_mul(right),
        "/" => left.checked_div(right).map(|quotient| quotient.normalize()),
        _ => left.checked_rem(right),
    };
    result.ok_or_else(|| too_large(operator).into())
}

/// By repeated squaring; a negative exponent divides.
fn power(base: Decimal, exponent: i64) -> Outcome<Decimal> {
    if exponent.abs() > MOST_POWER {
        return Err(too_large("**").into());
    }
    let (mut result, mut square, mut left) = (Decimal::ONE, base, exponent.unsigned_abs());
    while left > 0 {
        if left % 2 == 1 {
            result = decimals(result, square, "*")?;
        }
        left /= 2;
        if left > 0 {
            square = decimals(square, square, "*")?;
        }
    }
    if exponent < 0 { decimals(Decimal::ONE, result, "/") } else { Ok(result) }
}

fn negative(call: &mut Call<'_, '_>) -> Outcome {
    if let Ok(number) = call.value(0).as_int() {
        return number.checked_neg().map(Dynamic::from_int).ok_or_else(|| too_large("-").into());
    }
    match call.value(0).as_decimal() {
        Ok(number) => Ok(Dynamic::from(-number)),
        Err(_) => Err(call.wrong(0, "a number").into()),
    }
}

fn not(call: &mut Call<'_, '_>) -> Outcome {
    let value = call.value(0);
    value.as_bool().map(|truth| Dynamic::from_bool(!truth)).map_err(|_| {
        let help = match kind(value) {
            "integer" | "decimal" => "compare it: `value == 0`",
            "text" => "compare it: `value == \"\"`",
            "list" => "ask for items: `value.is_empty()`",
            _ => "ask whether it is absent: `value == ()`",
        };
        Mistake::wrong_kind(
            format!("`!` turns true into false, and was given {}", with_article(kind(value))),
            Some(help),
        )
        .into()
    })
}

/// Equality of any two values: numbers by value, lists item by item, records field by field;
/// values of different kinds are not equal.
pub(super) fn equal(left: &Dynamic, right: &Dynamic) -> Outcome<bool> {
    budget::step()?;
    if let (Some(a), Some(b)) = (number(left), number(right)) {
        return Ok(a == b);
    }
    if let (Some(a), Some(b)) = (text::of(left), text::of(right)) {
        budget::read(a.len().min(b.len()))?;
        return Ok(a == b);
    }
    if let (Ok(a), Ok(b)) = (left.as_bool(), right.as_bool()) {
        return Ok(a == b);
    }
    if let (Ok(a), Ok(b)) = (left.as_array_ref(), right.as_array_ref()) {
        if a.len() != b.len() {
            return Ok(false);
        }
        for (a, b) in a.iter().zip(b.iter()) {
            if !equal(a, b)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    if let (Some(a), Some(b)) = (Fields::of(left), Fields::of(right)) {
        return equal_fields(&a, &b);
    }
    Ok(left.is_unit() && right.is_unit())
}

fn equal_fields(left: &Fields<'_>, right: &Fields<'_>) -> Outcome<bool> {
    if left.len() != right.len() {
        return Ok(false);
    }
    // Names are found one by one, and compared on the way.
    let mut same = true;
    left.each(|name, value| {
        budget::read(name.len() + right.search())?;
        same = same
            && match right.get(name) {
                Some(other) => equal(value, other)?,
                None => false,
            };
        Ok::<_, Box<EvalAltResult>>(())
    })?;
    Ok(same)
}

fn order(call: &Call<'_, '_>, operator: &str) -> Outcome<Ordering> {
    compare(call.value(0), call.value(1))?
        .ok_or_else(|| mismatch(operator, call.value(0), call.value(1)).into())
}

/// Which comes first; `None` for values that have no order between them.
pub(super) fn compare(left: &Dynamic, right: &Dynamic) -> Outcome<Option<Ordering>> {
    budget::step()?;
    if let (Some(a), Some(b)) = (number(left), number(right)) {
        return Ok(Some(a.cmp(&b)));
    }
    let (Some(a), Some(b)) = (text::of(left), text::of(right)) else { return Ok(None) };
    budget::read(a.len().min(b.len()))?;
    Ok(Some(a.as_str().cmp(b.as_str())))
}

fn by_zero(operator: &str) -> Mistake {
    let what =
        if operator == "/" { "a number cannot be divided by zero" } else { "`%` cannot divide by zero" };
    Mistake::arithmetic(what)
}

fn too_large(operator: &str) -> Mistake {
    Mistake::arithmetic(format!("the result of `{operator}` is too large"))
}

fn mismatch(operator: &str, left: &Dynamic, right: &Dynamic) -> Mistake {
    let verb = match operator {
        "+" => "add",
        "-" => "subtract",
        "*" => "multiply",
        "/" | "%" => "divide",
        "**" => "raise",
        _ => "compare",
    };
    let help = if left.is_unit() || right.is_unit() {
        Some("`??` gives a value in place of nothing: `value ?? 0`")
    } else if operator == "+" && (text::of(left).is_some() || text::of(right).is_some()) {
        Some(
            "to put values into a text, write `${value}` between back-ticks; to reckon with a text, use `decimal` or `to_integer`",
        )
    } else if text::of(left).is_some() || text::of(right).is_some() {
        Some("a text that holds a number becomes one with `decimal` or `to_integer`")
    } else {
        None
    };
    Mistake::wrong_kind(format!("`{operator}` cannot {verb} {} and {}", kind(left), kind(right)), help)
}

/// What `value.field` and `value[key]` give for anything but lists, texts and the script's own
/// records: fields of records from outside, rows of tables, and advice.
pub(in crate::script) fn index(target: &Dynamic, key: &Dynamic) -> Outcome {
    if let Some(record) = target.read_lock::<Record>() {
        budget::read(record.fields().len())?;
        return match text::of(key) {
            Some(name) => Ok(record.get(&name).cloned().unwrap_or(Dynamic::UNIT)),
            None => Err(Mistake::wrong_kind(
                format!("a field of a record is read by its name, not by {}", with_article(kind(key))),
                None,
            )
            .into()),
        };
    }
    if let Some(table) = target.read_lock::<crate::script::table::TableValue>() {
        return Ok(table.look_up(key)?);
    }
    let key_text: String = shown(key, 200)?.chars().take(100).collect();
    if target.is_unit() {
        return Err(Mistake::NoValue { path: String::new(), field: key_text }.into());
    }
    let what = with_article(kind(target));
    let known = super::functions().any(|function| function.name == key_text);
    let help = known.then(|| format!("`{key_text}` is a function: write `{key_text}()`"));
    Err(Mistake::WrongKind { message: format!("{what} has no field `{key_text}`"), help }.into())
}

/// What `value.field = …` and `value[key] = …` do to a record from outside: it becomes the
/// script's own copy. Rhai also calls this after a method was called on a field, to put back what
/// may have changed; then mostly nothing has.
pub(in crate::script) fn set_index(target: &mut Dynamic, key: &Dynamic, value: &Dynamic) -> Outcome<()> {
    let copy = if let (Some(record), Some(name)) = (target.read_lock::<Record>(), text::of(key)) {
        if record.get(&name).is_some_and(|old| same(old, value)) {
            return Ok(());
        }
        if target.is_read_only() {
            let help = "a step reads records and makes new ones: `map` in the flow, or a copy in a script"
                .to_owned();
            return Err(Mistake::Unchangeable { name: name.to_string(), help }.into());
        }
        let mut copy = record.to_map();
        copy.insert(name.as_str().into(), value.clone());
        copy
    } else {
        let what = with_article(kind(target));
        return Err(Mistake::wrong_kind(format!("a field of {what} cannot be set"), None).into());
    };
    if let Some(mut target) = target.write_lock::<Dynamic>() {
        *target = Dynamic::from_map(copy);
    }
    Ok(())
}

/// True when nothing has changed, as far as that is cheap to tell.
fn same(old: &Dynamic, new: &Dynamic) -> bool {
    if let (Ok(old), Ok(new)) = (old.as_array_ref(), new.as_array_ref()) {
        return old.len() == new.len() && old.iter().zip(new.iter()).all(|(old, new)| same(old, new));
    }
    if let (Some(old), Some(new)) = (old.read_lock::<Record>(), new.read_lock::<Record>()) {
        return old.is(&new);
    }
    match (text::of(old), text::of(new)) {
        (Some(old), Some(new)) => old == new,
        _ => old.is_unit() && new.is_unit() || number(old).is_some() && number(old) == number(new),
    }
}

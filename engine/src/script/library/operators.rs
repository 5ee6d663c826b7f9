//! `+ - * / % **` and comparisons, over every pair of values.
//!
//! Rhai has operators of its own; these replace them, so that numbers mean the same everywhere:
//! integers and decimals mix, division never drops a remainder, nothing wraps around, and a text
//! is never taken for a number.

use std::cmp::Ordering;

use rhai::{Dynamic, Module};
use rust_decimal::Decimal;

use super::add;
use super::call::{Call, FIELD, Given, Most};
use super::operand::Operand;
use super::rhai_call::{Outcome, RhaiCall};
use super::shown::shown;
use crate::script::budget;
use crate::script::error::Mistake;
use crate::script::values::{Record, kind, with_article};

/// Largest exponent of `**`.
const MOST_POWER: i64 = 1000;

/// An operator between two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::script) enum Operator {
    Plus,
    Minus,
    Times,
    Over,
    Rest,
    Power,
    Equal,
    Different,
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

impl Operator {
    /// As it is written.
    pub(in crate::script) const fn sign(self) -> &'static str {
        match self {
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Over => "/",
            Self::Rest => "%",
            Self::Power => "**",
            Self::Equal => "==",
            Self::Different => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::More => ">",
            Self::MoreOrEqual => ">=",
        }
    }

    /// The operator that is written so; `+=` counts as `+`.
    pub(in crate::script) fn of(sign: &str) -> Option<Self> {
        Some(match sign {
            "+" | "+=" => Self::Plus,
            "-" | "-=" => Self::Minus,
            "*" | "*=" => Self::Times,
            "/" | "/=" => Self::Over,
            "%" | "%=" => Self::Rest,
            "**" | "**=" => Self::Power,
            "==" => Self::Equal,
            "!=" => Self::Different,
            "<" => Self::Less,
            "<=" => Self::LessOrEqual,
            ">" => Self::More,
            ">=" => Self::MoreOrEqual,
            _ => return None,
        })
    }
}

pub(super) fn register(module: &mut Module) {
    add(module, "+", 2, |call| binary(call, Operator::Plus));
    add(module, "-", 2, |call| binary(call, Operator::Minus));
    add(module, "*", 2, |call| binary(call, Operator::Times));
    add(module, "/", 2, |call| binary(call, Operator::Over));
    add(module, "%", 2, |call| binary(call, Operator::Rest));
    add(module, "**", 2, |call| binary(call, Operator::Power));
    add(module, "+=", 2, |call| assign(call, Operator::Plus));
    add(module, "-=", 2, |call| assign(call, Operator::Minus));
    add(module, "*=", 2, |call| assign(call, Operator::Times));
    add(module, "/=", 2, |call| assign(call, Operator::Over));
    add(module, "%=", 2, |call| assign(call, Operator::Rest));
    add(module, "**=", 2, |call| assign(call, Operator::Power));
    add(module, "==", 2, |call| binary(call, Operator::Equal));
    add(module, "!=", 2, |call| binary(call, Operator::Different));
    add(module, "<", 2, |call| binary(call, Operator::Less));
    add(module, "<=", 2, |call| binary(call, Operator::LessOrEqual));
    add(module, ">", 2, |call| binary(call, Operator::More));
    add(module, ">=", 2, |call| binary(call, Operator::MoreOrEqual));
    add(module, "-", 1, |call| negative(call));
    add(module, "+", 1, |call| positive(call));
    add(module, "!", 1, |call| not(call));
}

fn binary(call: &RhaiCall<'_, '_>, operator: Operator) -> Outcome {
    Ok(operate(operator, call.value(0), call.value(1), call.most())?)
}

fn assign(call: &mut RhaiCall<'_, '_>, operator: Operator) -> Outcome {
    let value = binary(call, operator)?;
    call.put(value)?;
    Ok(Dynamic::UNIT)
}

/// What an operator makes of two values.
pub(in crate::script) fn operate<V: Operand>(
    operator: Operator,
    left: &V,
    right: &V,
    most: Most,
) -> Result<V, Mistake> {
    match operator {
        Operator::Equal => Ok(equal(left, right)?.into()),
        Operator::Different => Ok((!equal(left, right)?).into()),
        Operator::Less => Ok(order(operator, left, right)?.is_lt().into()),
        Operator::LessOrEqual => Ok(order(operator, left, right)?.is_le().into()),
        Operator::More => Ok(order(operator, left, right)?.is_gt().into()),
        Operator::MoreOrEqual => Ok(order(operator, left, right)?.is_ge().into()),
        Operator::Plus => plus(left, right, most),
        _ => arithmetic(operator, left, right),
    }
}

fn plus<V: Operand>(left: &V, right: &V, most: Most) -> Result<V, Mistake> {
    if left.number().is_some() {
        return arithmetic(Operator::Plus, left, right);
    }
    if let (Some(left), Some(right)) = (left.as_text(), right.as_text()) {
        most.room_for_text(left.len() + right.len())?;
        return Ok([&*left, &*right].concat().into());
    }
    if let (Some(left), Some(right)) = (left.items(), right.items()) {
        budget::read((left.len() + right.len()) * 16)?;
        most.room_for_items(left.len() + right.len())?;
        return Ok(V::of_list(left.chain(right).collect()));
    }
    if let (Some(fields), Some(more)) = (left.field_count(), right.field_count()) {
        budget::make((fields + more) * 2 * FIELD)?;
        let mut fields = left.fields();
        fields.extend(right.fields());
        return Ok(V::of_fields(fields));
    }
    arithmetic(Operator::Plus, left, right)
}

fn arithmetic<V: Operand>(operator: Operator, left: &V, right: &V) -> Result<V, Mistake> {
    if let (Some(left), Some(right)) = (left.int(), right.int()) {
        return integers(left, right, operator);
    }
    let (Some(a), Some(b)) = (left.number(), right.number()) else {
        return Err(mismatch(operator, left, right));
    };
    if operator == Operator::Power {
        return match right.int() {
            Some(exponent) => power(a, exponent).map(V::from),
            None => Err(Mistake::arithmetic("`**` needs a whole number as exponent")),
        };
    }
    decimals(a, b, operator).map(V::from)
}

fn integers<V: Operand>(left: i64, right: i64, operator: Operator) -> Result<V, Mistake> {
    use Operator as O;
    let result = match operator {
        O::Plus => left.checked_add(right),
        O::Minus => left.checked_sub(right),
        O::Times => left.checked_mul(right),
        O::Over | O::Rest if right == 0 => return Err(by_zero(operator)),
        O::Rest => Some(left.checked_rem(right).unwrap_or(0)),
        O::Over if left.checked_rem(right) == Some(0) => left.checked_div(right),
        O::Power if right >= 0 => u32::try_from(right).ok().and_then(|exponent| left.checked_pow(exponent)),
        O::Power => return power(Decimal::from(left), right).map(V::from),
        _ => return decimals(Decimal::from(left), Decimal::from(right), operator).map(V::from),
    };
    result.map(V::from).ok_or_else(|| too_large(operator))
}

fn decimals(left: Decimal, right: Decimal, operator: Operator) -> Result<Decimal, Mistake> {
    if right.is_zero() && matches!(operator, Operator::Over | Operator::Rest) {
        return Err(by_zero(operator));
    }
    let result = match operator {
        Operator::Plus => left.checked_add(right),
        Operator::Minus => left.checked_sub(right),
        Operator::Times => left.checked_mul(right),
        Operator::Over => left.checked_div(right).map(|quotient| quotient.normalize()),
        _ => left.checked_rem(right),
    };
    result.ok_or_else(|| too_large(operator))
}

/// By repeated squaring; a negative exponent divides.
fn power(base: Decimal, exponent: i64) -> Result<Decimal, Mistake> {
    if exponent.abs() > MOST_POWER {
        return Err(too_large(Operator::Power));
    }
    let (mut result, mut square, mut left) = (Decimal::ONE, base, exponent.unsigned_abs());
    while left > 0 {
        if left % 2 == 1 {
            result = decimals(result, square, Operator::Times)?;
        }
        left /= 2;
        if left > 0 {
            square = decimals(square, square, Operator::Times)?;
        }
    }
    if exponent < 0 { decimals(Decimal::ONE, result, Operator::Over) } else { Ok(result) }
}

/// `-x`.
pub(in crate::script) fn negative<C: Call>(call: &C) -> Given<C> {
    if let Some(number) = call.value(0).int() {
        return number.checked_neg().map(Into::into).ok_or_else(|| too_large(Operator::Minus).into());
    }
    match call.value(0).exact() {
        Some(number) => Ok((-number).into()),
        None => Err(call.wrong(0, "a number").into()),
    }
}

/// `+x`.
pub(in crate::script) fn positive<C: Call>(call: &C) -> Given<C> {
    call.number(0)?;
    Ok(call.owned(0))
}

/// `!x`.
pub(in crate::script) fn not<C: Call>(call: &C) -> Given<C> {
    let value = call.value(0);
    value.boolean().map(|truth| (!truth).into()).ok_or_else(|| {
        let help = match value.kind() {
            "integer" | "decimal" => "compare it: `value == 0`",
            "text" => "compare it: `value == \"\"`",
            "list" => "ask for items: `value.is_empty()`",
            _ => "ask whether it is absent: `value == ()`",
        };
        Mistake::wrong_kind(
            format!("`!` turns true into false, and was given {}", with_article(value.kind())),
            Some(help),
        )
        .into()
    })
}

/// Equality of any two values: numbers by value, lists item by item, records field by field;
/// values of different kinds are not equal.
pub(in crate::script) fn equal<V: Operand>(left: &V, right: &V) -> Result<bool, Mistake> {
    budget::step()?;
    if let (Some(a), Some(b)) = (left.as_text(), right.as_text()) {
        budget::read(a.len().min(b.len()))?;
        return Ok(*a == *b);
    }
    if let (Some(a), Some(b)) = (left.int(), right.int()) {
        return Ok(a == b);
    }
    if let (Some(a), Some(b)) = (left.number(), right.number()) {
        return Ok(a == b);
    }
    if let (Some(a), Some(b)) = (left.boolean(), right.boolean()) {
        return Ok(a == b);
    }
    if let Some(same) = left.same_items(right, &mut equal) {
        return same;
    }
    if let (Some(fields), Some(others)) = (left.field_count(), right.field_count()) {
        return if fields == others { equal_fields(left, right) } else { Ok(false) };
    }
    Ok(left.is_nothing() && right.is_nothing())
}

fn equal_fields<V: Operand>(left: &V, right: &V) -> Result<bool, Mistake> {
    // Names are found one by one, and compared on the way.
    let mut same = true;
    let compared = left.each_field(&mut |name, value| {
        budget::read(name.len() + right.search())?;
        same = same
            && match right.field(name) {
                Some(other) => equal(value, &other)?,
                None => false,
            };
        Ok(())
    });
    compared.unwrap_or(Ok(()))?;
    Ok(same)
}

fn order<V: Operand>(operator: Operator, left: &V, right: &V) -> Result<Ordering, Mistake> {
    compare(left, right)?.ok_or_else(|| mismatch(operator, left, right))
}

/// Which comes first; `None` for values that have no order between them.
pub(in crate::script) fn compare<V: Operand>(left: &V, right: &V) -> Result<Option<Ordering>, Mistake> {
    budget::step()?;
    if let (Some(a), Some(b)) = (left.int(), right.int()) {
        return Ok(Some(a.cmp(&b)));
    }
    if let (Some(a), Some(b)) = (left.number(), right.number()) {
        return Ok(Some(a.cmp(&b)));
    }
    let (Some(a), Some(b)) = (left.as_text(), right.as_text()) else { return Ok(None) };
    budget::read(a.len().min(b.len()))?;
    Ok(Some((*a).cmp(&*b)))
}

fn by_zero(operator: Operator) -> Mistake {
    let what = if operator == Operator::Over {
        "a number cannot be divided by zero"
    } else {
        "`%` cannot divide by zero"
    };
    Mistake::arithmetic(what)
}

fn too_large(operator: Operator) -> Mistake {
    Mistake::arithmetic(format!("the result of `{}` is too large", operator.sign()))
}

fn mismatch<V: Operand>(operator: Operator, left: &V, right: &V) -> Mistake {
    let operator = operator.sign();
    let verb = match operator {
        "+" => "add",
        "-" => "subtract",
        "*" => "multiply",
        "/" | "%" => "divide",
        "**" => "raise",
        _ => "compare",
    };
    let help = if left.is_nothing() || right.is_nothing() {
        Some("`??` gives a value in place of nothing: `value ?? 0`")
    } else if operator == "+" && (left.is_text() || right.is_text()) {
        Some(
            "to put values into a text, write `${value}` between back-ticks; to reckon with a text, use `decimal` or `to_integer`",
        )
    } else if left.is_text() || right.is_text() {
        Some("a text that holds a number becomes one with `decimal` or `to_integer`")
    } else {
        None
    };
    Mistake::wrong_kind(format!("`{operator}` cannot {verb} {} and {}", left.kind(), right.kind()), help)
}

/// What `value.field` and `value[key]` give for anything but lists, texts and the script's own
/// records: fields of records from outside, rows of tables, and advice.
pub(in crate::script) fn index(target: &Dynamic, key: &Dynamic) -> Outcome {
    if let Some(record) = target.read_lock::<Record>() {
        budget::read(record.fields().len())?;
        return match key.as_text() {
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
    if let Some(table) = target.read_lock::<crate::script::table::TableValue>()
        && table.look_up(key).is_ok_and(|row| same(&row, value))
    {
        return Ok(());
    }
    let copy = if let (Some(record), Some(name)) = (target.read_lock::<Record>(), key.as_text()) {
        // A field that is not there and nothing are the same.
        if record.get(&name).map_or(value.is_unit(), |old| same(old, value)) {
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
    if let (Some(old), Some(new)) = (old.boolean(), new.boolean()) {
        return old == new;
    }
    match (old.as_text(), new.as_text()) {
        (Some(old), Some(new)) => old == new,
        _ => old.is_unit() && new.is_unit() || old.number().is_some() && old.number() == new.number(),
    }
}

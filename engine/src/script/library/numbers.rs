//! Numbers and money: exact, rounded as shopkeepers round.

use rust_decimal::{Decimal, RoundingStrategy};

use super::LibraryFunction;
use super::call::{Call, Given};
use super::operand::Operand;
use super::operators::compare;
use super::text::function;
use crate::script::error::Mistake;

pub(super) const FUNCTIONS: &[LibraryFunction] = &[
    function!(
        "round",
        (1, 2),
        "round(number, digits: integer) -> number",
        "Rounded to that many digits after the point, 0 when not given; a half goes away from zero.",
        "round(2.345, 2) → 2.35",
        |call| round(call, RoundingStrategy::MidpointAwayFromZero)
    ),
    function!(
        "floor",
        (1, 1),
        "floor(number) -> integer",
        "The whole number below.",
        "floor(2.9) → 2",
        |call| whole(call, Decimal::floor)
    ),
    function!(
        "ceil",
        (1, 1),
        "ceil(number) -> integer",
        "The whole number above.",
        "ceil(2.1) → 3",
        |call| whole(call, Decimal::ceil)
    ),
    function!("abs", (1, 1), "abs(number) -> number", "Without its sign.", "abs(-3.50) → 3.50", |call| {
        if let Some(number) = call.value(0).int() {
            return number
                .checked_abs()
                .map(Into::into)
                .ok_or_else(|| Mistake::arithmetic("the result of `abs` is too large").into());
        }
        Ok(call.number(0)?.abs().into())
    }),
    function!(
        "min",
        (1, 2),
        "min(a, b) -> value, min(list) -> value",
        "The smallest of two or of a list; `()` for an empty list.",
        "min(3, 2.5) → 2.5",
        |call| extreme(call, true)
    ),
    function!(
        "max",
        (1, 2),
        "max(a, b) -> value, max(list) -> value",
        "The largest of two or of a list; `()` for an empty list.",
        "max([1, 5, 3]) → 5",
        |call| extreme(call, false)
    ),
    function!(
        "decimal",
        (1, 1),
        "decimal(value) -> decimal",
        "A number, or a text that holds one, as decimal; `1.234,56` and `1,234.56` are both understood, blank gives `()`.",
        "decimal(\"1.234,50\") → 1234.50",
        |call| to_decimal(call)
    ),
    function!(
        "to_integer",
        (1, 1),
        "to_integer(value) -> integer",
        "A number or a text as whole number; it must be one already, blank gives `()`.",
        "to_integer(\"42\") → 42",
        |call| to_integer(call)
    ),
    function!(
        "fixed",
        (2, 2),
        "fixed(number, digits: integer) -> text",
        "As text with exactly that many digits after the point.",
        "fixed(12.5, 2) → \"12.50\"",
        |call| {
            let digits = digits(call, 1)?;
            let mut number =
                call.number(0)?.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero);
            number.rescale(digits);
            Ok(number.to_string().into())
        }
    ),
    function!(
        "to_cents",
        (1, 1),
        "to_cents(amount: number) -> integer",
        "An amount in whole cents, rounded.",
        "to_cents(12.505) → 1251",
        |call| {
            let cents = times(call.number(0)?, Decimal::ONE_HUNDRED)?;
            Ok(integer(round_to(cents, 0)))
        }
    ),
    function!(
        "from_cents",
        (1, 1),
        "from_cents(cents: integer) -> decimal",
        "An amount of cents as a decimal with two digits.",
        "from_cents(1250) → 12.50",
        |call| Ok(Decimal::new(call.integer(0)?, 2).into())
    ),
    function!(
        "incl",
        (2, 2),
        "incl(price_excl: number, rate: number) -> decimal",
        "The price with VAT, rounded to cents; a rate of 21 is 21 %.",
        "incl(10, 21) → 12.10",
        |call| {
            let factor = vat_factor(call)?;
            Ok(money(times(call.number(0)?, factor)?))
        }
    ),
    function!(
        "excl",
        (2, 2),
        "excl(price_incl: number, rate: number) -> decimal",
        "The price without VAT, rounded to cents; a rate of 21 is 21 %.",
        "excl(12.10, 21) → 10.00",
        |call| {
            let factor = vat_factor(call)?;
            Ok(money(over(call.number(0)?, factor)?))
        }
    ),
    function!(
        "vat_in",
        (2, 2),
        "vat_in(price_incl: number, rate: number) -> decimal",
        "The VAT within a price, rounded to cents.",
        "vat_in(12.10, 21) → 2.10",
        |call| {
            let (price, factor) = (call.number(0)?, vat_factor(call)?);
            let excl = round_to(over(price, factor)?, 2);
            Ok(money(price.checked_sub(excl).ok_or_else(too_large)?))
        }
    ),
];

fn round<C: Call>(call: &mut C, how: RoundingStrategy) -> Given<C> {
    let digits = if call.count() == 2 { digits(call, 1)? } else { 0 };
    if call.value(0).int().is_some() {
        return Ok(call.owned(0));
    }
    let rounded = call.number(0)?.round_dp_with_strategy(digits, how);
    if call.count() == 2 { Ok(rounded.into()) } else { Ok(integer(rounded)) }
}

fn whole<C: Call>(call: &mut C, cut: fn(&Decimal) -> Decimal) -> Given<C> {
    if call.value(0).int().is_some() {
        return Ok(call.owned(0));
    }
    Ok(integer(cut(&call.number(0)?)))
}

/// A whole decimal as integer when it fits; else it stays a decimal.
fn integer<V: Operand>(number: Decimal) -> V {
    i64::try_from(number).map_or_else(|_| V::from(number), V::from)
}

fn digits<C: Call>(call: &C, at: usize) -> Result<u32, Mistake> {
    let digits = call.size(at)?;
    u32::try_from(digits).ok().filter(|digits| *digits <= 28).ok_or_else(|| {
        Mistake::bad_argument(format!("a decimal has 28 digits, so {digits} after the point are too many"))
    })
}

fn extreme<C: Call>(call: &mut C, least: bool) -> Given<C> {
    let pick = |best: C::Value, next: C::Value| -> Given<C> {
        match compare(&best, &next)? {
            Some(order) if (order.is_gt() && least) || (order.is_lt() && !least) => Ok(next),
            Some(_) => Ok(best),
            None => {
                let message = format!("{} and {} cannot be compared", best.kind(), next.kind());
                Err(Mistake::wrong_kind(message, None).into())
            }
        }
    };
    if call.count() == 2 {
        return pick(call.owned(0), call.owned(1));
    }
    let mut items = call.list(0)?;
    let Some(first) = items.next() else { return Ok(Operand::nothing()) };
    items.try_fold(first, pick)
}

fn to_decimal<C: Call>(call: &C) -> Given<C> {
    if let Some(text) = call.value(0).as_text() {
        if text.trim().is_empty() {
            return Ok(Operand::nothing());
        }
        return parse(&text).map(Into::into).ok_or_else(|| not_a_number(&text).into());
    }
    if call.value(0).is_nothing() {
        return Ok(Operand::nothing());
    }
    Ok(call.number(0)?.into())
}

fn to_integer<C: Call>(call: &mut C) -> Given<C> {
    if call.value(0).int().is_some() {
        return Ok(call.owned(0));
    }
    let number = to_decimal(call)?;
    let Some(number) = number.exact() else { return Ok(number) };
    i64::try_from(number).ok().filter(|_| number.fract().is_zero()).map(Into::into).ok_or_else(|| {
        let message = format!("{number} is not a whole number");
        Mistake::BadArgument { message, help: Some("`round`, `floor` and `ceil` make one".into()) }.into()
    })
}

/// Bytes of the longest text that is read as a number.
const LONGEST: usize = 100;

/// Reads a number as people write it. When `.` and `,` both occur, the last one is the point; a
/// sign that occurs alone and once is the point, one that occurs more often parts thousands.
fn parse(text: &str) -> Option<Decimal> {
    if text.trim().len() > LONGEST {
        return None;
    }
    let text: String = text.chars().filter(|letter| !letter.is_whitespace() && *letter != '\'').collect();
    let plain = match (text.rfind('.'), text.rfind(',')) {
        (Some(point), Some(comma)) if comma > point => text.replace('.', "").replace(',', "."),
        (Some(_), Some(_)) => text.replace(',', ""),
        (None, Some(_)) if text.matches(',').count() > 1 => text.replace(',', ""),
        (None, Some(_)) => text.replace(',', "."),
        (Some(_), None) if text.matches('.').count() > 1 => text.replace('.', ""),
        _ => text,
    };
    let unsigned = plain.strip_prefix(['-', '+']).unwrap_or(&plain);
    let looks = unsigned.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && !unsigned.is_empty();
    looks.then(|| Decimal::from_str_exact(&plain).ok()).flatten()
}

fn not_a_number(text: &str) -> Mistake {
    let shown: String = text.chars().take(60).collect();
    Mistake::bad_argument(format!("\"{shown}\" is not a number"))
}

fn vat_factor<C: Call>(call: &C) -> Result<Decimal, Mistake> {
    let rate = call.number(1)?;
    if rate.is_sign_negative() && !rate.is_zero() {
        return Err(Mistake::bad_argument(format!("a VAT rate of {rate} is below zero")));
    }
    let part = over(rate, Decimal::ONE_HUNDRED)?;
    Decimal::ONE.checked_add(part).ok_or_else(too_large)
}

fn times(left: Decimal, right: Decimal) -> Result<Decimal, Mistake> {
    left.checked_mul(right).ok_or_else(too_large)
}

fn over(left: Decimal, right: Decimal) -> Result<Decimal, Mistake> {
    left.checked_div(right).ok_or_else(too_large)
}

fn money<V: Operand>(amount: Decimal) -> V {
    let mut amount = round_to(amount, 2);
    amount.rescale(2);
    amount.into()
}

fn round_to(number: Decimal, digits: u32) -> Decimal {
    number.round_dp_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
}

fn too_large() -> Mistake {
    Mistake::arithmetic("the amount is too large")
}

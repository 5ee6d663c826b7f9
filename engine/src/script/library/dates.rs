//! Dates and times: ISO texts in, ISO texts out; no clock.

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZoneDatabase;
use jiff::{Span, Timestamp, Zoned};

use super::LibraryFunction;
use super::call::{Call, Given};
use super::operand::Operand;
use super::text::function;
use crate::script::error::Mistake;

pub(super) const FUNCTIONS: &[LibraryFunction] = &[
    function!(
        "date_part",
        (1, 1),
        "date_part(text) -> text",
        "The date in a date or a moment, as written.",
        "date_part(\"2026-11-21T09:30:00+01:00\") → \"2026-11-21\"",
        |call| Ok(civil(call, 0)?.date().to_string().into())
    ),
    function!(
        "time_part",
        (1, 1),
        "time_part(text) -> text",
        "The time in a moment, as written.",
        "time_part(\"2026-11-21T09:30:00+01:00\") → \"09:30:00\"",
        |call| Ok(civil(call, 0)?.time().to_string().into())
    ),
    function!(
        "add_days",
        (2, 2),
        "add_days(text, days: integer) -> text",
        "So many days later, earlier when negative.",
        "add_days(\"2026-02-28\", 1) → \"2026-03-01\"",
        |call| shift(call, jiff::Span::try_days)
    ),
    function!(
        "add_months",
        (2, 2),
        "add_months(text, months: integer) -> text",
        "So many months later; the last day of the month when the day does not exist.",
        "add_months(\"2026-01-31\", 1) → \"2026-02-28\"",
        |call| shift(call, jiff::Span::try_months)
    ),
    function!(
        "days_between",
        (2, 2),
        "days_between(from: text, to: text) -> integer",
        "Days from one date to another, negative when it lies before.",
        "days_between(\"2026-01-01\", \"2026-01-31\") → 30",
        |call| {
            let (from, to) = (civil(call, 0)?.date(), civil(call, 1)?.date());
            Ok(i64::from((to - from).get_days()).into())
        }
    ),
    function!(
        "format_date",
        (2, 2),
        "format_date(text, pattern: text) -> text",
        "A date or moment in a pattern of strftime: %d day, %m month, %Y year, %H hour, %M minute, %S second.",
        "format_date(\"2026-11-21\", \"%d-%m-%Y\") → \"21-11-2026\"",
        |call| format_date(call)
    ),
    function!(
        "parse_date",
        (2, 2),
        "parse_date(text, pattern: text) -> text",
        "The date, or date and time, in a text written by such a pattern, as ISO text.",
        "parse_date(\"21-11-2026\", \"%d-%m-%Y\") → \"2026-11-21\"",
        |call| parse_date(call)
    ),
    function!(
        "to_date",
        (2, 2),
        "to_date(moment: text, zone: text) -> text",
        "The calendar date of a moment in a zone.",
        "to_date(\"2026-11-21T23:30:00Z\", \"Europe/Amsterdam\") → \"2026-11-22\"",
        |call| Ok(zoned(call)?.date().to_string().into())
    ),
    function!(
        "in_zone",
        (2, 2),
        "in_zone(moment: text, zone: text) -> text",
        "A moment as it is written in a zone; a moment without zone is taken as local there.",
        "in_zone(\"2026-06-01T10:00:00Z\", \"Europe/Amsterdam\") → \"2026-06-01T12:00:00+02:00\"",
        |call| { Ok(zoned(call)?.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string().into()) }
    ),
    function!(
        "to_utc",
        (1, 1),
        "to_utc(moment: text) -> text",
        "A moment with a zone, in universal time.",
        "to_utc(\"2026-06-01T12:00:00+02:00\") → \"2026-06-01T10:00:00Z\"",
        |call| {
            let text = call.text(0)?;
            let moment: Timestamp = text.parse().map_err(|_| unreadable(&text, "a moment with a zone"))?;
            Ok(moment.to_string().into())
        }
    ),
    function!(
        "weekday",
        (1, 1),
        "weekday(text) -> integer",
        "Day of the week: 1 is Monday, 7 is Sunday.",
        "weekday(\"2026-11-21\") → 6",
        |call| Ok(i64::from(civil(call, 0)?.weekday().to_monday_one_offset()).into())
    ),
];

/// The zones that come with the program: scripts touch no disk, and give the same on every machine.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// Longest pattern; what it makes stays near its own length.
const PATTERN: usize = 200;

/// The date and time as written, whatever the zone.
fn civil<C: Call>(call: &C, at: usize) -> Result<DateTime, Mistake> {
    let text = call.text(at)?;
    read_civil(&text).ok_or_else(|| unreadable(&text, "a date"))
}

fn read_civil(text: &str) -> Option<DateTime> {
    let text = text.trim();
    if text.len() > 64 {
        return None;
    }
    text.parse::<Date>()
        .map(|date| date.to_datetime(jiff::civil::Time::midnight()))
        .ok()
        .filter(|_| text.len() <= 10)
        .or_else(|| {
            jiff::fmt::temporal::DateTimeParser::new().parse_datetime(text.trim_end_matches(['Z', 'z'])).ok()
        })
}

fn zoned<C: Call>(call: &C) -> Result<Zoned, Mistake> {
    let (text, name) = (call.text(0)?, call.text(1)?);
    let Some(zone) = (name.len() <= 64).then(|| ZONES.get(&name).ok()).flatten() else {
        let shown: String = name.chars().take(60).collect();
        return Err(Mistake::bad_argument(format!(
            "there is no time zone `{shown}`; write one like `Europe/Amsterdam`"
        )));
    };
    if text.len() <= 64
        && let Ok(moment) = text.trim().parse::<Timestamp>()
    {
        return Ok(moment.to_zoned(zone));
    }
    let local = read_civil(&text).ok_or_else(|| unreadable(&text, "a moment"))?;
    local.to_zoned(zone).map_err(|_| unreadable(&text, "a moment"))
}

/// Moves the date and keeps time and offset as they were written.
fn shift<C: Call>(call: &mut C, by: fn(Span, i64) -> Result<Span, jiff::Error>) -> Given<C> {
    let (text, number) = (call.text(0)?, call.integer(1)?);
    let date = civil(call, 0)?.date();
    let moved = by(Span::new(), number)
        .and_then(|span| date.checked_add(span))
        .map_err(|_| Mistake::bad_argument(format!("{number} from {date} lies outside the calendar")))?;
    let rest = text.trim().strip_prefix(date.to_string().as_str()).unwrap_or_default().to_owned();
    Ok(format!("{moved}{rest}").into())
}

fn pattern<C: Call>(call: &C) -> Result<<C::Value as Operand>::Text<'_>, Mistake> {
    let pattern = call.text(1)?;
    // A width such as `%500d` would make much of little.
    let wide = pattern.split('%').skip(1).any(|part| {
        part.trim_start_matches(['-', '_', '0', '^', '#']).starts_with(|c: char| c.is_ascii_digit())
    });
    if pattern.len() > PATTERN || wide {
        return Err(Mistake::bad_argument("the pattern of a date is too long or gives widths"));
    }
    Ok(pattern)
}

fn format_date<C: Call>(call: &mut C) -> Given<C> {
    let (date, pattern) = (civil(call, 0)?, pattern(call)?);
    jiff::fmt::strtime::format(pattern.as_bytes(), date)
        .map(Into::into)
        .map_err(|_| bad_pattern(&pattern).into())
}

fn parse_date<C: Call>(call: &mut C) -> Given<C> {
    let (text, pattern) = (call.text(0)?, pattern(call)?);
    let expected = || unreadable(&text, &format!("a date written as {}", &*pattern));
    if text.len() > PATTERN {
        return Err(expected().into());
    }
    let parsed =
        jiff::fmt::strtime::parse(pattern.as_bytes(), text.trim().as_bytes()).map_err(|_| expected())?;
    if let Ok(moment) = parsed.to_zoned() {
        return Ok(moment.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string().into());
    }
    match (parsed.to_datetime(), parsed.to_date(), parsed.hour()) {
        (Ok(moment), _, Some(_)) => Ok(moment.to_string().into()),
        (_, Ok(date), _) => Ok(date.to_string().into()),
        _ => Err(expected().into()),
    }
}

fn bad_pattern(pattern: &str) -> Mistake {
    Mistake::bad_argument(format!("`{pattern}` is not a pattern for dates; write one like `%d-%m-%Y`"))
}

fn unreadable(text: &str, wanted: &str) -> Mistake {
    let shown: String = text.chars().take(60).collect();
    let help =
        "dates are written `2026-11-21`, moments `2026-11-21T09:30:00+01:00`; `parse_date` reads other forms";
    Mistake::BadArgument { message: format!("\"{shown}\" is not {wanted}"), help: Some(help.to_owned()) }
}

//! The till's clock: a wall clock with its offset, in elements.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

use super::super::xml::Element;

/// A moment as the system writes it. The offset is told in minutes, daylight saving included,
/// and `isdst` is always false, as the vendor's own clients do.
pub(super) fn moment_to_wire(text: &str, zone: &TimeZone) -> Option<Vec<Element>> {
    let at = text.parse::<Timestamp>().ok()?.to_zoned(zone.clone());
    let offset = at.offset().seconds() / 60;
    Some(vec![
        number("sec", at.second().into()),
        number("min", at.minute().into()),
        number("hour", at.hour().into()),
        number("day", at.day().into()),
        number("mon", at.month().into()),
        number("year", at.year().into()),
        Element::leaf("isdst", "false"),
        number("timezone", offset.into()),
    ])
}

/// RFC 3339, with the offset that the zone had. Of the two readings of an hour that comes
/// twice, the offset that was told decides. `Ok(None)`: no value.
pub(super) fn moment_from_wire(element: &Element, zone: &TimeZone) -> Result<Option<String>, String> {
    let Some(date) = date_from_wire(element)? else { return Ok(None) };
    let part = |name| small(element, name).map(|value| value.unwrap_or(0));
    let time = jiff::civil::Time::new(part("hour")?, part("min")?, part("sec")?.min(59), 0)
        .map_err(|_| "is no time".to_owned())?;
    let clock = DateTime::from_parts(date, time);
    let minutes = whole(element, "timezone")?.unwrap_or(0);
    let told = i32::try_from(minutes * 60).ok().and_then(|seconds| Offset::from_seconds(seconds).ok());
    let saving = element.child("isdst").is_some_and(|flag| matches!(flag.text.as_str(), "true" | "1"));
    let ambiguous = zone.to_ambiguous_zoned(clock);
    let offset = match ambiguous.offset() {
        jiff::tz::AmbiguousOffset::Fold { before, after } => {
            // The offset may be told with or without the hour of daylight saving.
            if told == Some(before) || (saving && told == Some(after)) { before } else { after }
        }
        jiff::tz::AmbiguousOffset::Gap { before, .. } => before,
        jiff::tz::AmbiguousOffset::Unambiguous { offset } => offset,
    };
    let at = offset.to_timestamp(clock).map_err(|_| "is no time".to_owned())?;
    Ok(Some(at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()))
}

/// A day as the system writes it.
pub(super) fn date_to_wire(text: &str) -> Option<Vec<Element>> {
    let date: Date = text.parse().ok().filter(|_| text.len() == 10)?;
    Some(vec![
        number("day", date.day().into()),
        number("mon", date.month().into()),
        number("year", date.year().into()),
    ])
}

/// A day; any part that is 0 means none.
pub(super) fn date_from_wire(element: &Element) -> Result<Option<Date>, String> {
    let (day, month, year) = (whole(element, "day")?, whole(element, "mon")?, whole(element, "year")?);
    match (year, month, day) {
        (None | Some(0), _, _) | (_, None | Some(0), _) | (_, _, None | Some(0)) => Ok(None),
        (Some(year), Some(month), Some(day)) => {
            let date = (i16::try_from(year), i8::try_from(month), i8::try_from(day));
            let (Ok(year), Ok(month), Ok(day)) = date else { return Err("is no date".into()) };
            Date::new(year, month, day).map(Some).map_err(|_| "is no date".into())
        }
    }
}

fn number(name: &'static str, value: i64) -> Element {
    Element::leaf(name, value.to_string())
}

fn whole(element: &Element, name: &str) -> Result<Option<i64>, String> {
    let Some(child) = element.child(name) else { return Ok(None) };
    let text = child.text.trim();
    text.parse().map(Some).map_err(|_| format!("`{name}` holds `{text}`, which is no whole number"))
}

fn small(element: &Element, name: &str) -> Result<Option<i8>, String> {
    whole(element, name)?
        .map(|value| i8::try_from(value).map_err(|_| format!("`{name}` is out of range")))
        .transpose()
}

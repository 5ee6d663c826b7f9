//! When a flow is due: a pure function of its lines and of moments.
//!
//! - `every` counts from a fixed moment, the *anchor*, in real time: no clock change disturbs it.
//! - `at` follows the clock on the wall of its zone. A time that does not exist on the day the
//!   clocks go forward comes right after the gap; one that exists twice comes the first time.
//!   Where the line names no hour (`*`), it is about minutes and goes on in real time.

use dsl::cron::Cron;
use dsl::plan::{Plan, Trigger};
use jiff::civil::{Date, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Span, Timestamp, ToSpan as _};

/// Days that are looked through for the next time: the rarest day is a 29 February on a given
/// day of the week, and the year 2100 has none.
const HORIZON: i32 = 41 * 366;

/// Spans in which the latest of many times is looked for, the shortest first.
const BACK: [i64; 5] = [1, 24, 8 * 24, 40 * 24, 400 * 24];

/// When a flow runs by itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule {
    every: Option<SignedDuration>,
    at: Vec<(Cron, TimeZone)>,
}

impl Schedule {
    /// The lines of a plan; else a zone that nobody here knows.
    pub(crate) fn of(plan: &Plan) -> Result<Self, String> {
        let mut schedule = Self::default();
        for trigger in &plan.triggers {
            match trigger {
                Trigger::Every(period) => schedule.every = SignedDuration::try_from(*period).ok(),
                Trigger::At { cron, zone } => {
                    let tz = TimeZone::get(zone).map_err(|_| zone.clone())?;
                    // The checker has read the same text in the same way.
                    schedule.at.extend(Cron::parse(cron).ok().map(|cron| (cron, tz)));
                }
                Trigger::Webhook { .. } => {}
            }
        }
        schedule.every = schedule.every.filter(SignedDuration::is_positive);
        Ok(schedule)
    }

    /// The first moment after that one at which the flow is due. The anchor is one of the
    /// moments of `every`.
    pub(crate) fn next(&self, after: Timestamp, anchor: Timestamp) -> Option<Timestamp> {
        let every = self.every.and_then(|period| next_multiple(period, after, anchor));
        let at = self.at.iter().filter_map(|(cron, zone)| next_time(cron, zone, after));
        at.chain(every).min()
    }

    /// The last moment at which it was due, after the one and not after the other.
    pub(crate) fn latest(&self, after: Timestamp, until: Timestamp, anchor: Timestamp) -> Option<Timestamp> {
        let starts =
            BACK.iter().filter_map(|hours| until.checked_sub(SignedDuration::from_hours(*hours)).ok());
        for start in starts.filter(|start| *start > after).chain([after]) {
            let mut due = self.next(start, anchor).filter(|due| *due <= until);
            while let Some(later) = due.and_then(|due| self.next(due, anchor)).filter(|due| *due <= until) {
                due = Some(later);
            }
            if due.is_some() {
                return due;
            }
        }
        None
    }
}

/// `anchor + n * period`, the first after that moment.
fn next_multiple(period: SignedDuration, after: Timestamp, anchor: Timestamp) -> Option<Timestamp> {
    let period = period.as_millis();
    let anchor = i128::from(anchor.as_millisecond());
    let passed = i128::from(after.as_millisecond()) - anchor;
    let count = passed.div_euclid(period) + 1;
    let millis = i64::try_from(anchor + count * period).ok()?;
    Timestamp::from_millisecond(millis).ok()
}

fn next_time(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    if cron.is_hourly() { next_minute(cron, zone, after) } else { next_on_the_wall(cron, zone, after) }
}

/// Where the hour is named: times on the wall, each of which comes once.
fn next_on_the_wall(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let first = zone.to_datetime(after).date();
    for days in 0..HORIZON {
        let day = first.checked_add(days.days()).ok()?;
        if !is_day(cron, day) {
            continue;
        }
        for hour in cron.hours() {
            for minute in cron.minutes() {
                let (hour, minute) = (i8::try_from(hour).ok()?, i8::try_from(minute).ok()?);
                let moment = on_the_wall(zone, day, hour, minute)?;
                if moment > after {
                    return Some(moment);
                }
            }
        }
    }
    None
}

/// The moment of a time on the wall: the first of two, or right after the gap.
fn on_the_wall(zone: &TimeZone, day: Date, hour: i8, minute: i8) -> Option<Timestamp> {
    let time = day.at(hour, minute, 0, 0);
    match zone.to_ambiguous_timestamp(time).offset() {
        AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
            offset.to_timestamp(time).ok()
        }
        AmbiguousOffset::Gap { after, .. } => {
            // Read with the offset behind the gap, the time lies before it.
            let before = after.to_timestamp(time).ok()?;
            zone.following(before).next().map(|change| change.timestamp())
        }
    }
}

/// Where no hour is named: minute by minute in real time.
fn next_minute(cron: &Cron, zone: &TimeZone, after: Timestamp) -> Option<Timestamp> {
    let end = after.checked_add(SignedDuration::from_hours(24 * i64::from(HORIZON))).ok()?;
    let minutes: Vec<u32> = cron.minutes().collect();
    let mut now = after.checked_add(SignedDuration::from_secs(60 - after.as_second().rem_euclid(60))).ok()?;
    now = Timestamp::from_second(now.as_second()).ok()?;
    while now <= end {
        let zoned = now.to_zoned(zone.clone());
        if !is_day(cron, zoned.date()) {
            now = zoned.tomorrow().ok()?.start_of_day().ok()?.timestamp();
            continue;
        }
        if u32::try_from(zoned.minute()).is_ok_and(|minute| minutes.contains(&minute)) {
            return Some(now);
        }
        now = now.checked_add(Span::new().minutes(1)).ok()?;
    }
    None
}

fn is_day(cron: &Cron, day: Date) -> bool {
    let number = |number: i8| u32::try_from(number).unwrap_or_default();
    cron.is_day(number(day.month()), number(day.day()), number(Weekday::to_sunday_zero_offset(day.weekday())))
}

#[cfg(test)]
mod tests;

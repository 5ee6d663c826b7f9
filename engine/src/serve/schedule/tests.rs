//! Times as they are promised, around everything that clocks and calendars do.

use proptest::prelude::*;

use super::*;

fn at(cron: &str, zone: &str) -> Schedule {
    let zone = TimeZone::get(zone).unwrap();
    Schedule { every: None, at: vec![(Cron::parse(cron).unwrap(), zone)] }
}

fn moment(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The next few moments after one, in the zone that the moment is written in.
fn next(schedule: &Schedule, after: &str, zone: &str, count: usize) -> Vec<String> {
    let zone = TimeZone::get(zone).unwrap();
    let mut now = moment(after);
    let mut all = Vec::new();
    for _ in 0..count {
        let Some(due) = schedule.next(now, Timestamp::UNIX_EPOCH) else { break };
        all.push(due.to_zoned(zone.clone()).strftime("%m-%d %H:%M %:z").to_string());
        now = due;
    }
    all
}

const AMSTERDAM: &str = "Europe/Amsterdam";

#[test]
fn a_time_that_does_not_exist_comes_right_after_the_gap() {
    let daily = at("30 2 * * *", AMSTERDAM);
    assert_eq!(
        next(&daily, "2026-03-28T00:00:00Z", AMSTERDAM, 3),
        ["03-28 02:30 +01:00", "03-29 03:00 +02:00", "03-30 02:30 +02:00"]
    );
    // Several of them come once.
    let often = at("*/20 2,3 * * *", AMSTERDAM);
    assert_eq!(
        next(&often, "2026-03-29T00:00:00Z", AMSTERDAM, 4),
        ["03-29 03:00 +02:00", "03-29 03:20 +02:00", "03-29 03:40 +02:00", "03-30 02:00 +02:00"]
    );
}

#[test]
fn a_time_that_exists_twice_comes_once() {
    let daily = at("30 2 * * *", AMSTERDAM);
    assert_eq!(
        next(&daily, "2026-10-24T12:00:00Z", AMSTERDAM, 2),
        ["10-25 02:30 +02:00", "10-26 02:30 +01:00"]
    );
    // Asked between the two: the second is not taken for a new one.
    assert_eq!(next(&daily, "2026-10-25T00:45:00Z", AMSTERDAM, 1), ["10-26 02:30 +01:00"]);
}

#[test]
fn a_line_without_an_hour_goes_on_in_real_time() {
    let often = at("*/30 * * * *", AMSTERDAM);
    assert_eq!(
        next(&often, "2026-10-25T00:10:00Z", AMSTERDAM, 4),
        ["10-25 02:30 +02:00", "10-25 02:00 +01:00", "10-25 02:30 +01:00", "10-25 03:00 +01:00"]
    );
    assert_eq!(
        next(&often, "2026-03-29T00:10:00Z", AMSTERDAM, 3),
        ["03-29 01:30 +01:00", "03-29 03:00 +02:00", "03-29 03:30 +02:00"]
    );
    // An offset of half an hour, and a change by half an hour.
    let lord_howe = at("15 * * * *", "Australia/Lord_Howe");
    assert_eq!(
        next(&lord_howe, "2026-04-04T14:00:00Z", "Australia/Lord_Howe", 3),
        ["04-05 01:15 +11:00", "04-05 02:15 +10:30", "04-05 03:15 +10:30"]
    );
}

#[test]
fn leap_days_and_month_ends() {
    assert_eq!(
        next(&at("0 6 29 2 *", AMSTERDAM), "2026-01-01T00:00:00Z", AMSTERDAM, 2),
        ["02-29 06:00 +01:00", "02-29 06:00 +01:00"]
    );
    assert_eq!(
        next(&at("0 6 31 * *", "UTC"), "2026-01-31T06:00:00Z", "UTC", 3),
        ["03-31 06:00 +00:00", "05-31 06:00 +00:00", "07-31 06:00 +00:00"]
    );
    // No leap day in 2100.
    let leap = at("0 0 29 2 *", "UTC").next(moment("2096-03-01T00:00:00Z"), Timestamp::UNIX_EPOCH);
    assert_eq!(leap, Some(moment("2104-02-29T00:00:00Z")));
}

#[test]
fn every_counts_in_real_time_from_its_anchor() {
    let every = Schedule { every: Some(SignedDuration::from_mins(45)), at: Vec::new() };
    let anchor = moment("2026-03-28T23:00:00Z");
    assert_eq!(every.next(moment("2026-03-28T22:59:59Z"), anchor), Some(anchor));
    assert_eq!(every.next(moment("2026-03-28T22:10:00Z"), anchor), Some(moment("2026-03-28T22:15:00Z")));
    assert_eq!(every.next(anchor, anchor), Some(moment("2026-03-28T23:45:00Z")));
    // Over the clock change and a year later, still on the beat.
    let later = every.next(moment("2027-03-29T01:10:00Z"), anchor).unwrap();
    assert_eq!(later.duration_since(anchor).as_secs() % (45 * 60), 0);
    assert_eq!(
        every.latest(anchor, moment("2026-03-29T02:00:00Z"), anchor),
        Some(moment("2026-03-29T02:00:00Z"))
    );
    assert_eq!(every.latest(anchor, moment("2026-03-28T23:44:59Z"), anchor), None);
}

#[test]
fn the_latest_of_many_is_found_from_afar() {
    let yearly = at("0 6 1 1 *", AMSTERDAM);
    let found =
        yearly.latest(moment("2016-06-01T00:00:00Z"), moment("2026-11-22T00:00:00Z"), Timestamp::UNIX_EPOCH);
    assert_eq!(found, Some(moment("2026-01-01T05:00:00Z")));
    let often = at("* * * * *", AMSTERDAM);
    let found =
        often.latest(moment("2016-06-01T00:00:00Z"), moment("2026-11-22T10:00:30Z"), Timestamp::UNIX_EPOCH);
    assert_eq!(found, Some(moment("2026-11-22T10:00:00Z")));
}

#[test]
fn a_day_that_was_left_out_of_the_calendar() {
    // Samoa went from 29 to 31 December 2011.
    let daily = at("0 6 * * *", "Pacific/Apia");
    assert_eq!(
        next(&daily, "2011-12-29T10:00:00Z", "Pacific/Apia", 3),
        ["12-29 06:00 -10:00", "12-31 00:00 +14:00", "12-31 06:00 +14:00"]
    );
}

/// Lines, zones and moments around the changes of some years.
fn lines() -> impl Strategy<Value = (String, &'static str, Timestamp)> {
    let zones = prop::sample::select(vec![
        "Europe/Amsterdam",
        "America/New_York",
        "America/Sao_Paulo",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Africa/Casablanca",
        "Pacific/Chatham",
        "UTC",
    ]);
    let minute =
        prop_oneof![Just("*/7".to_owned()), Just("0".to_owned()), (0..60_u32).prop_map(|m| m.to_string())];
    let hour =
        prop_oneof![Just("*".to_owned()), Just("1-3".to_owned()), (0..24_u32).prop_map(|h| h.to_string())];
    let day = prop_oneof![3 => Just("*".to_owned()), 1 => (1..32_u32).prop_map(|d| d.to_string())];
    let week = prop_oneof![3 => Just("*"), 1 => Just("1-5"), 1 => Just("0")];
    let from = (1_700_000_000_i64..1_900_000_000).prop_map(|s| Timestamp::from_second(s).unwrap());
    (minute, hour, day, week, zones, from).prop_map(|(minute, hour, day, week, zone, from)| {
        (format!("{minute} {hour} {day} * {week}"), zone, from)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// What comes next comes later, and nothing lies between: asked from anywhere before it, the
    /// answer is the same.
    #[test]
    fn the_next_is_the_next((line, zone, from) in lines(), part in 0.0_f64..1.0) {
        let schedule = at(&line, zone);
        let due = schedule.next(from, from).unwrap();
        prop_assert!(due > from);
        let between = from + SignedDuration::from_secs_f64(due.duration_since(from).as_secs_f64() * part * 0.999_999);
        prop_assert_eq!(schedule.next(between, from), Some(due));
        prop_assert_eq!(schedule.latest(from, due, from), Some(due));
    }

    /// On the wall it is a time that the line names, unless that time does not exist.
    #[test]
    fn it_is_a_time_of_the_line((line, zone, from) in lines()) {
        let cron = Cron::parse(&line).unwrap();
        let due = at(&line, zone).next(from, from).unwrap().to_zoned(TimeZone::get(zone).unwrap());
        let named = is_day(&cron, due.date())
            && cron.hours().any(|hour| hour == u32::try_from(due.hour()).unwrap())
            && cron.minutes().any(|minute| minute == u32::try_from(due.minute()).unwrap());
        let before = due.timestamp() - SignedDuration::from_secs(1);
        let after_a_gap = due.offset().seconds() > before.to_zoned(due.time_zone().clone()).offset().seconds();
        prop_assert!(named || (after_a_gap && !cron.is_hourly()), "{line} in {zone}: {due}");
    }

    /// A line that names one time of each day comes once a day, for a year.
    #[test]
    fn once_a_day_is_once_a_day(hour in 0..24, minute in 0..60, year in 2020..2035_i16) {
        let zone = TimeZone::get(AMSTERDAM).unwrap();
        let schedule = at(&format!("{minute} {hour} * * *"), AMSTERDAM);
        let day = jiff::civil::date(year, 1, 1);
        let mut now = zone.to_timestamp(day.at(0, 0, 0, 0)).unwrap() - SignedDuration::from_secs(1);
        for number in 0..365 {
            now = schedule.next(now, now).unwrap();
            prop_assert_eq!(zone.to_datetime(now).date(), day.checked_add(number.days()).unwrap());
        }
    }
}

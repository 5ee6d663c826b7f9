//! The five fields of `at "30 6 * * 1-5"`: read once, for the checker and for the clock.
//!
//! Which minutes of which days are meant; no zone and no calendar. Day of month and day of
//! week mean either of the two when both are narrowed, as everywhere.

/// A time that comes again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// The hour is `*`: the line is about minutes, whatever the hour is called.
    any_hour: bool,
    /// One of the two fields of days begins with `*`: both have to agree.
    both_days: bool,
}

/// Lowest and highest number, and names, of the five fields.
const FIELDS: [(&str, u32, u32, &[&str]); 5] = [
    ("minute", 0, 59, &[]),
    ("hour", 0, 23, &[]),
    ("day of month", 1, 31, &[]),
    ("month", 1, 12, &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]),
    ("day of week", 0, 7, &["sun", "mon", "tue", "wed", "thu", "fri", "sat"]),
];

/// Days of the months, in a leap year.
const LENGTHS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

impl Cron {
    /// Reads five fields; else what is wrong, in words for the writer.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = parts.as_slice() else {
            return Err(format!("a time has five fields, this one has {}", parts.len()));
        };
        let [of_minute, of_hour, of_day, of_month, of_weekday] = FIELDS;
        let (minutes, hours) = (field(minute, of_minute)?, field(hour, of_hour)?);
        let (days, months) = (field(day, of_day)?, field(month, of_month)?);
        let weekdays = field(weekday, of_weekday)?;
        let cron = Self {
            minutes,
            hours,
            days,
            months,
            // Sunday is 0, and 7 as well.
            weekdays: (weekdays | weekdays >> 7) & 0x7f,
            any_hour: *hour == "*",
            both_days: day.starts_with('*') || weekday.starts_with('*'),
        };
        if cron.both_days && !cron.has_a_day() {
            return Err("no month of it has such a day".to_owned());
        }
        Ok(cron)
    }

    /// That day is meant; months and days count from 1, days of the week from Sunday, 0.
    #[must_use]
    pub const fn is_day(&self, month: u32, day: u32, weekday: u32) -> bool {
        let (of_month, of_week) = (has(self.days, day), has(self.weekdays, weekday));
        has(self.months, month) && if self.both_days { of_month && of_week } else { of_month || of_week }
    }

    /// Hours of such a day.
    pub fn hours(&self) -> impl Iterator<Item = u32> + '_ {
        (0..24).filter(|hour| has(self.hours, *hour))
    }

    /// Minutes of each of these hours.
    pub fn minutes(&self) -> impl Iterator<Item = u32> + '_ {
        (0..60).filter(|minute| has(self.minutes, *minute))
    }

    /// The hour is not named: the minutes of every hour are meant.
    #[must_use]
    pub const fn is_hourly(&self) -> bool {
        self.any_hour
    }

    fn has_a_day(&self) -> bool {
        (1..)
            .zip(LENGTHS)
            .any(|(month, length)| has(self.months, month) && (1..=length).any(|day| has(self.days, day)))
    }
}

const fn has(set: u64, number: u32) -> bool {
    set & (1 << number) != 0
}

/// The numbers of one field.
fn field(text: &str, (name, low, high, names): (&str, u32, u32, &[&str])) -> Result<u64, String> {
    let mut set = 0;
    for item in text.split(',') {
        let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(step)));
        let every = match step.map(str::parse::<u32>) {
            None => 1,
            Some(Ok(step)) if step > 0 && step <= high => step,
            Some(_) => return Err(format!("`{item}` is no step of the field `{name}`")),
        };
        let number = |text: &str| {
            let lower = text.to_lowercase();
            let named =
                names.iter().position(|name| *name == lower).and_then(|index| u32::try_from(index).ok());
            named
                .map(|index| index + low)
                .or_else(|| text.parse().ok())
                .filter(|number| (low..=high).contains(number))
        };
        let bounds = match (range, range.split_once('-')) {
            // The 7 of the days of the week is the 0.
            ("*", _) => Some((low, high - u32::from(high == 7))),
            (_, Some((from, to))) => number(from).zip(number(to)),
            // `5/15`: from five on.
            (one, None) if step.is_some() => number(one).map(|from| (from, high)),
            (one, None) => number(one).map(|one| (one, one)),
        };
        let Some((from, to)) = bounds.filter(|(from, to)| from <= to) else {
            return Err(format!("`{item}` does not fit the field `{name}` ({low} to {high})"));
        };
        for number in (from..=to).step_by(every as usize) {
            set |= 1 << number;
        }
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cron(text: &str) -> Cron {
        Cron::parse(text).unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    #[test]
    fn fields_name_minutes_hours_and_days() {
        let office = cron("30 6,18 * * mon-fri");
        assert_eq!(office.hours().collect::<Vec<_>>(), [6, 18]);
        assert_eq!(office.minutes().collect::<Vec<_>>(), [30]);
        assert!(office.is_day(11, 20, 5) && !office.is_day(11, 21, 6) && !office.is_hourly());
        assert_eq!(cron("*/20 * * * *").minutes().collect::<Vec<_>>(), [0, 20, 40]);
        assert_eq!(cron("5/20 * * * *").minutes().collect::<Vec<_>>(), [5, 25, 45]);
        assert_eq!(cron("10-30/10 0 * * *").minutes().collect::<Vec<_>>(), [10, 20, 30]);
        assert!(cron("0 * * * *").is_hourly() && !cron("0 */2 * * *").is_hourly());
    }

    #[test]
    fn sunday_has_two_numbers() {
        for text in ["0 6 * * 0", "0 6 * * 7", "0 6 * * sun", "0 6 * * 7-7"] {
            assert!(cron(text).is_day(11, 22, 0) && !cron(text).is_day(11, 23, 1), "{text}");
        }
        assert!((0..7).all(|weekday| cron("0 6 * * */2").is_day(1, 1, weekday) == (weekday % 2 == 0)));
    }

    #[test]
    fn days_of_month_and_of_week_are_either_when_both_are_named() {
        let either = cron("0 6 1 * 1");
        assert!(either.is_day(6, 1, 3) && either.is_day(6, 9, 1) && !either.is_day(6, 9, 2));
        let both = cron("0 6 */2 * 1");
        assert!(both.is_day(6, 9, 1) && !both.is_day(6, 9, 2) && !both.is_day(6, 8, 1));
    }

    #[test]
    fn a_day_that_never_comes_is_refused() {
        assert_eq!(Cron::parse("0 0 31 2,4 *").unwrap_err(), "no month of it has such a day");
        cron("0 0 29 2 *");
        cron("0 0 31 2 1");
    }
}

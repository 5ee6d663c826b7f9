//! How values are written: what a field says itself, and what a connection says for all fields.

use jiff::tz::TimeZone;

use super::dialect::Nothing;
use super::form::{Moment, Money, Truth};
use super::problem::{Code, Problem};
use super::reader::Table;

/// How exact numbers can be written.
pub(super) const MONEY: &[(&str, Money)] =
    &[("number", Money::Number), ("text", Money::Text), ("comma", Money::Comma)];

/// The forms of all fields of a type that say nothing themselves.
#[derive(Clone, Debug)]
pub(super) struct Formats {
    pub(super) moment: Moment,
    pub(super) date: Moment,
    pub(super) zone: TimeZone,
    pub(super) money: Money,
    pub(super) integer_as_text: bool,
    pub(super) truth: Truth,
    pub(super) nothing: Nothing,
}

impl Default for Formats {
    fn default() -> Self {
        Self {
            moment: Moment::Standard,
            date: Moment::Standard,
            zone: TimeZone::UTC,
            money: Money::Number,
            integer_as_text: false,
            truth: Truth::Boolean,
            nothing: Nothing::Null,
        }
    }
}

/// The table `formats` of a connection.
pub(super) fn formats(connection: &Table<'_, '_>) -> Formats {
    let standard = Formats::default();
    let Some(table) = connection.table("formats") else { return standard };
    let formats = Formats {
        moment: moment_of(&table, "datetime", &standard.moment),
        date: moment_of(&table, "date", &standard.date),
        zone: zone(&table, &standard.zone),
        money: table.choice("decimal", MONEY).unwrap_or(Money::Number),
        integer_as_text: table.choice("integer", &[("number", false), ("text", true)]).unwrap_or_default(),
        truth: truth(&table, "boolean", &standard.truth),
        nothing: table
            .choice(
                "nothing",
                &[("null", Nothing::Null), ("empty", Nothing::Empty), ("left_out", Nothing::LeftOut)],
            )
            .unwrap_or_default(),
    };
    table.finish();
    formats
}

pub(super) fn truth(table: &Table<'_, '_>, key: &'static str, standard: &Truth) -> Truth {
    if table.value(key).is_some_and(|value| value.get_ref().is_array()) {
        let words = table.words(key);
        if let [yes, no] = words.as_slice() {
            return Truth::Words(yes.text.into(), no.text.into());
        }
        table.reader.report(
            Problem::new(Code::WrongKind, table.key_span(key), format!("`{key}` has to name two words"))
                .label("one for true, one for false")
                .help(format!("write `{key} = [\"Y\", \"N\"]`")),
        );
        return Truth::Boolean;
    }
    match table.choice(key, &[("boolean", 0), ("number", 1), ("text", 2)]) {
        Some(0) => Truth::Boolean,
        Some(1) => Truth::Number,
        Some(_) => Truth::Words("true".into(), "false".into()),
        None => standard.clone(),
    }
}

/// The form of dates named by `format`.
pub(super) fn moment(table: &Table<'_, '_>, standard: &Moment) -> Moment {
    moment_of(table, "format", standard)
}

fn moment_of(table: &Table<'_, '_>, key: &'static str, standard: &Moment) -> Moment {
    let Some(word) = table.text(key) else { return standard.clone() };
    if word.text.contains('%') {
        // What jiff cannot print it cannot read either.
        let sample = jiff::Zoned::new(jiff::Timestamp::UNIX_EPOCH, TimeZone::UTC);
        if let Err(error) = jiff::fmt::strtime::format(word.text, &sample) {
            table.reader.report(
                Problem::new(
                    Code::BadFormat,
                    word.at.clone(),
                    format!("`{}` is no way to write a date", word.text),
                )
                .label(error.to_string().rsplit(": ").next().unwrap_or_default())
                .help("as in `%d-%m-%Y` or `%Y-%m-%d %H:%M:%S`"),
            );
        }
        return Moment::Pattern(word.text.to_owned());
    }
    let known = [("rfc3339", 0), ("unix", 1), ("unix_ms", 2), ("date", 3)];
    match table.among(key, &word, &known) {
        Some(1) => Moment::Seconds,
        Some(2) => Moment::Milliseconds,
        Some(3) => Moment::Day,
        _ => Moment::Standard,
    }
}

/// The zone of moments that come without one.
pub(super) fn zone(table: &Table<'_, '_>, standard: &TimeZone) -> TimeZone {
    let Some(word) = table.text("zone") else { return standard.clone() };
    TimeZone::get(word.text).unwrap_or_else(|_| {
        table.reader.report(
            Problem::new(
                Code::UnknownWord,
                word.at.clone(),
                format!("there is no time zone `{}`", word.text),
            )
            .label("not known")
            .help("zones are called like `Europe/Amsterdam`"),
        );
        TimeZone::UTC
    })
}

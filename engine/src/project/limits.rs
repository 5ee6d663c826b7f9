//! `[limits]` in `weft.toml`: what the scripts of one record may use.

use std::time::Duration;

use super::file::{Entries, Reader};
use crate::script::Limits;
use crate::trouble::did_you_mean;

/// Milliseconds of processor time that may be allowed.
const TIME: std::ops::RangeInclusive<i64> = 1..=60_000;

/// Mebibytes of memory that may be allowed.
const MEMORY: std::ops::RangeInclusive<i64> = 1..=4096;

const NAMES: [&str; 2] = ["script_time_ms", "script_memory_mib"];

impl Reader<'_> {
    pub(super) fn limits(&mut self, entries: &Entries) -> Limits {
        let mut limits = Limits::default();
        for (key, value) in entries {
            let (range, unit) = match key.get_ref().as_str() {
                "script_time_ms" => (TIME, "milliseconds"),
                "script_memory_mib" => (MEMORY, "mebibytes"),
                name => {
                    let help = did_you_mean(name, NAMES)
                        .unwrap_or_else(|| format!("there are {}", NAMES.join(" and ")));
                    let message = format!("there is no limit `{name}`");
                    self.trouble("R070", message, key.span(), "not a limit", Some(help));
                    continue;
                }
            };
            let Some(number) = value.get_ref().as_integer().filter(|number| range.contains(number)) else {
                let message = format!(
                    "`{}` is a whole number of {unit}, from {} to {}",
                    key.get_ref(),
                    range.start(),
                    range.end()
                );
                self.trouble("R071", message, value.span(), "out of range", None);
                continue;
            };
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            limits = match key.get_ref().as_str() {
                "script_time_ms" => limits.with_time(Duration::from_millis(number.into())),
                _ => limits.with_memory(number as usize * 1024 * 1024),
            };
        }
        limits
    }
}
